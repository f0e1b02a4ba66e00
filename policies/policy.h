/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy: parsed, checked, immutable. It decides through policy_decider (alloc/decide.h), which the
 * wiring in cmd/ hands to the engine. The language is in allot-policy(5).
 *
 * A policy is parsed from its text and its tables; policy_stored() is the canonical JSON of both, and
 * the SHA-256 of that text is the hash of the policy. policy_decider.open() reads the stored form.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/text.h"
#include "policies/diagnose.h"

struct policy;

extern const struct decider policy_decider;

struct policy_source {
    const char *file; /* for messages: the last part of the path */
    const char *text;
    size_t length;
    /* Gives the text of a table that stands in a file: table "blocked", file "blocked.list". NULL: tables
       from files are refused. */
    int (*table)(void *arg, const char *name, const char *file, struct text *out, struct err *e);
    void *arg;
};

/* NULL when there is an error in d; warnings and notes stand in d either way. */
struct policy *policy_parse(const struct policy_source *source, struct diagnostics *d);
/* Only what the grammar says: names and meaning are not looked at, so it must not decide. NULL with an error
   in d. */
struct policy *policy_parse_only(const struct policy_source *source, struct diagnostics *d);
/* Reads the file at path, and its tables from the same folder. NULL with an error in d, or with *e set
   when the file itself cannot be read. */
struct policy *policy_read(const char *path, struct diagnostics *d, struct err *e);
void policy_free(struct policy *policy);

/* Canonical JSON: {"catalogue", "file", "format", "name", "tables", "text", "version"}.
   catalogue: hash of the catalogue in use, or NULL. The caller frees it. */
char *policy_stored(const struct policy *policy, const char *catalogue);

const char *policy_name(const struct policy *policy);
int64_t policy_version(const struct policy *policy);
const char *policy_file(const struct policy *policy);
const char *policy_pool(const struct policy *policy);
const char *policy_basis(const struct policy *policy);
bytes_t policy_storage(const struct policy *policy);
bytes_t policy_datalake(const struct policy *policy);
size_t policy_services(const struct policy *policy);
struct fact_service policy_service(const struct policy *policy, size_t i); /* as stated; all free */
size_t policy_flavors(const struct policy *policy);
/* The time in which it decides, as its text states: [from, until). */
void policy_valid(const struct policy *policy, struct maybe_instant *from, struct maybe_instant *until);
/* The i-th flavor as stated; free equals capacity. The name lives as long as the policy. */
struct fact_flavor policy_flavor(const struct policy *policy, size_t i);
/* "pilot.policy:20" of a rule id, or false: the policy has no such rule. */
bool policy_rule_place(const struct policy *policy, const char *rule, struct text *place);

/* Does the policy have this rule? If not, *e says so, with the nearest. An id holds no comma. 0 or -1. */
int policy_check_rule(const struct policy *policy, const char *rule, struct err *e);

/* The pool block restates the pool of the store: every difference is an error in d. 0 or -1. */
int policy_check_pool(const struct policy *policy, const struct fact_pool *pool, struct diagnostics *d);

enum policy_attr_of { POLICY_ATTR_TENANT, POLICY_ATTR_REQUEST };
/* Is value right for this attribute? The message names the values, or the nearest attribute. */
int policy_check_attr(const struct policy *policy, enum policy_attr_of of, const char *name,
                      const char *value, struct err *e);
/* The declared attributes, for listings: the i-th of its kind, or false past the last. */
bool policy_attr(const struct policy *policy, enum policy_attr_of of, size_t i, const char **name,
                 struct text *type);
