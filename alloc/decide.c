/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/decide.h"

#include <stdlib.h>
#include <string.h>

int claim_id_cmp(const char *a, const char *b) {
    size_t m = strlen(a), n = strlen(b);
    return m != n ? (m > n) - (m < n) : strcmp(a, b);
}

const char *outcome_word(enum outcome o) {
    static const char *const words[] = {"granted", "partial", "queued", "held", "denied"};
    return words[o];
}

const char *outcome_word_ko(enum outcome o) {
    static const char *const words[] = {"승인", "일부 승인", "대기", "보류", "거절"};
    return words[o];
}

const char *reason_code_word(enum reason_code c) {
    static const char *const words[REASON_CODES] = {
        [REASON_NOT_ELIGIBLE] = "NOT_ELIGIBLE",
        [REASON_SUSPENDED] = "SUSPENDED",
        [REASON_EXCEEDS_CEILING] = "EXCEEDS_CEILING",
        [REASON_BELOW_SMALLEST_STEP] = "BELOW_SMALLEST_STEP",
        [REASON_NO_SUCH_FLAVOR] = "NO_SUCH_FLAVOR",
        [REASON_NO_SUCH_SIZE] = "NO_SUCH_SIZE",
        [REASON_EXCEEDS_POOL] = "EXCEEDS_POOL",
        [REASON_LEASE_TOO_LONG] = "LEASE_TOO_LONG",
        [REASON_LEASE_OVER] = "LEASE_OVER",
        [REASON_NEEDS_APPROVAL] = "NEEDS_APPROVAL",
        [REASON_EVAL_ERROR] = "EVAL_ERROR",
        [REASON_BACKEND_REFUSED] = "BACKEND_REFUSED",
        [REASON_NO_POLICY] = "NO_POLICY",
        [REASON_DEBT] = "DEBT",
        [REASON_DRAINING] = "DRAINING",
        [REASON_NO_UNITS] = "NO_UNITS",
        [REASON_NO_STORAGE] = "NO_STORAGE",
        [REASON_WAITING_TURN] = "WAITING_TURN",
        [REASON_ROUNDED] = "ROUNDED",
        [REASON_SHRUNK] = "SHRUNK",
        [REASON_PASSED] = "PASSED",
    };
    return words[c];
}

static void decision_free(struct decision *d) {
    free(d->claim);
    for (size_t i = 0; i < d->n_lines; i++) free(d->lines[i].flavor);
    free(d->lines);
    for (size_t i = 0; i < d->n_reasons; i++) {
        struct reason *r = &d->reasons[i];
        free(r->rule);
        free(r->place);
        free(r->en);
        free(r->ko);
        free(r->hint_en);
        free(r->hint_ko);
    }
    free(d->reasons);
}

void plan_free(struct plan *plan) {
    for (size_t i = 0; i < plan->n_decisions; i++) decision_free(&plan->decisions[i]);
    free(plan->decisions);
    *plan = (struct plan){0};
}
