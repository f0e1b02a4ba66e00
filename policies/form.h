/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as JSON, for scripts and screens that would not print the language: allot-policy(5), JSON FORM.
 * Everything that the text says is in it but comments, layout and places; tables with their entries. Amounts
 * are integers with the unit in the key. Lossless: the text made from the form of a policy compiles to the
 * same form, to the byte.
 */
#pragma once
#include "policies/policy.h"

#include <jansson.h>

/* The form of a policy that was checked. The caller owns it. */
json_t *policy_form(const struct policy *policy);

/* Writes the policy that a form says, in its canonical layout. Keys, types, bounds and names are checked
   here, with the path in the message ("ceilings[0].compute_gflops: must be ..."); what it means is checked by
   parsing the text. 0, or -1 with *e. */
int policy_form_text(const json_t *form, const char *title, struct text *out, struct err *e);

/* ---- inside policies/form*.c ---- */

struct expr;
struct json_at;

json_t *form_when(const struct policy *policy, const struct expr *x);
/* " when ..." as it stands in a rule; nothing when the object has none. */
int form_put_when(const struct json_at *rule, struct text *out, struct err *e);
/* A member that is a name of the language; a string of it, quoted. */
int form_need_name(const struct json_at *object, const char *key, const char **out, struct err *e);
int form_as_name(const struct json_at *at, const char **out, struct err *e);
int form_as_string(const struct json_at *at, const char **out, struct err *e);
void form_put_string(struct text *out, const char *s);
/* Compute or storage over time, exactly ("100000 TF-hours"); false when no number of at most 19 digits says
 * it. */
bool form_put_volume(struct text *out, int64_t most, bool storage);
