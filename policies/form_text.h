/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of policy_form_text() share, inside policies/ only. Each writes what a member says behind
 * `before`; what is not there is left out, unless the name begins with need.
 */
#pragma once
#include "alloc/json.h"
#include "policies/form.h"
#include "policies/syntax.h"

int form_put_name(const struct json_at *object, const char *key, const char *before, struct text *out,
                  struct err *e); /* must be there */
int form_put_span(const struct json_at *object, const char *key, const char *before, struct text *out,
                  struct err *e);
/* format: what stands around the number, which is '#': "lend-max # %". */
int form_put_count(const struct json_at *object, const char *key, int64_t least, int64_t most,
                   const char *format, struct text *out, struct err *e);
int form_put_compute(const struct json_at *object, const char *key, const char *before, struct text *out,
                     struct err *e);
int form_put_bytes(const struct json_at *object, const char *key, const char *before, struct text *out,
                   struct err *e);

typedef int form_item(const struct json_at *at, struct text *out, struct err *e);
/* Each object of an array, which may be left out. */
int form_each(const struct json_at *object, const char *key, size_t most, form_item *put, struct text *out,
              struct err *e);
/* Sets and rules: form_rules.c. */
int form_put_rules(const struct json_at *root, struct text *out, struct err *e);
