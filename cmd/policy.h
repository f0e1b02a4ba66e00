/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the word "policy", and what they share. */
#pragma once
#include "cmd/command.h"

struct diagnostics;
struct policy;
struct store;

extern const struct command policy_commands[], policy_fmt_commands[], policy_compile_commands[],
    policy_diff_commands[], policy_test_commands[], policy_shadow_commands[], simulate_commands[];

/* A path, or the name of a shipped policy ("pilot"). Owned; NULL when there is neither. */
char *policy_path(const char *word, struct err *e);
/* What a checker said, on call->messages; nothing where JSON or quiet was asked for. */
void policy_tell(struct call *call, const struct diagnostics *d);
void policy_warn(struct call *call, const struct diagnostics *d); /* notes are for `policy check` */
/* The whole of it is told; the error carries the first, for those who read one line. Returns -1. */
int policy_fail(struct call *call, const struct diagnostics *d, const char *file, struct err *e);

int policy_share_run(struct call *call, struct err *e);
/* The policy of a file or of a shipped name; what is wrong is told, and warnings are. NULL with *e set. */
struct policy *policy_need(struct call *call, const char *word, struct err *e);
/* The pool block against the pool of the store. 0: the same; -1: differences in d, or *e. */
int policy_pool_check(struct store *s, const struct policy *policy, const char *pool, struct diagnostics *d,
                      struct err *e);
/* The pool of that name; name NULL: the only one. how: where a name is said, for the hint ("--pool NAME"). */
int policy_some_pool(struct call *call, const char *name, const char *how, int64_t *pool, struct err *e);
/* The stored form with the hash of the catalogue in use, which is part of what decides. NULL with *e set. */
char *policy_as_loaded(const struct policy *policy, struct err *e);
