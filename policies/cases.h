/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case: what a policy must decide, as data. `allot policy test` and the tests of the project run the
 * same files. The full form is JSON:
 *     {"about", "policy": a file or "text": a policy, "facts" (alloc/facts.h), "expect": [lines],
 *      "trace"?: {claim: its trace}}
 * Facts without a pool take the one that the policy states, all of it free. The lines are what
 * case_lines() says of the decisions, in the order of the claims. Beyond the lines a case holds only
 * if the decisions are the same to the byte whatever the order of its lists, and from the stored form
 * of its facts, and if each can be explained in both languages.
 * The short form (cases_short.c) is YAML or JSON with the member "cases": tenants with attributes, what each
 * asks for, and what must come of it.
 */
#pragma once
#include "alloc/facts.h"
#include "policies/policy.h"

struct case_files {
    /* The path of the policy that the case at `path` names. Owned by the caller; NULL with *e set. */
    char *(*policy)(void *arg, const char *path, const char *name, struct err *e);
    void *arg;
    bool update; /* write what was decided into the case instead of comparing */
};

struct case_result {
    size_t ran, failed, updated;
    struct text said; /* of those that failed: what differs, line by line */
};
void case_result_free(struct case_result *r);

/* Runs the case or the cases of one file. 0 even if some failed; -1 when a file cannot be read or is none. */
int case_run(const char *path, const struct case_files *files, struct case_result *out, struct err *e);
/* The short form, from a document that was read; marks: where its values stand (alloc/yaml.h), or NULL. */
int case_run_short(const char *path, const json_t *document, const json_t *marks,
                   const struct case_files *files, struct case_result *out, struct err *e);
/* What the policy decides of facts (their JSON form), and whether all holds that must hold besides. What
   comes out is freed by the caller either way. */
int case_plan(const struct policy *policy, const json_t *document, struct facts_owned *facts,
              struct plan *plan, struct err *e);

/* The policy of a case: a file, or a text of its own (then file is NULL). NULL with *e set. */
struct policy *case_policy(const char *path, const char *file, const char *text,
                           const struct case_files *files, struct err *e);
/* The pool that the policy states, all of it free: the member "pool" of facts. */
json_t *case_pool(const struct policy *policy);
/* Decisions for people and for comparison: each with its reasons in both languages. */
json_t *case_lines(const struct plan *plan);
/* What differs between two lists of lines: "- " only in a, "+ " only in b, with the heading (a line that does
   not begin with a blank) that they stand under. Nothing when they are equal. */
void case_difference(const json_t *a, const json_t *b, struct text *out);
