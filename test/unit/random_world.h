/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of plans over random worlds share: numbers, how many rounds, a policy from its text. */
#pragma once
#include "alloc/text.h"
#include "policies/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed; /* of the world in hand */

static inline int64_t below(int64_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

/* ROUNDS=1000000 for a long run. */
static inline long rounds_wanted(long usual) {
    const char *wanted = getenv("ROUNDS");
    long long n = 0;
    return wanted && text_to_int(wanted, 1, 1000000000, &n) == 0 ? (long)n : usual;
}

/* Never NULL: a test that makes a wrong policy has failed. */
static inline struct policy *policy_of(const char *text) {
    struct diagnostics d = {0};
    struct policy_source source = {"random.policy", text, strlen(text), NULL, NULL};
    struct policy *policy = policy_parse(&source, &d);
    if (!policy) {
        struct text said = {0};
        diagnostics_print(&d, &said);
        fail_msg("%s\n%s", text, said.s);
    }
    diagnostics_free(&d);
    return policy;
}

static inline int64_t units_of(const struct decision *d) {
    int64_t n = 0;
    for (size_t i = 0; i < d->n_lines; i++) n += d->lines[i].size * d->lines[i].count;
    return n;
}
