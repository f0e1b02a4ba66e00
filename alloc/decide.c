/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/decide.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

int claim_id_cmp(const char *a, const char *b) {
    size_t m = strlen(a), n = strlen(b);
    return m != n ? (m > n) - (m < n) : strcmp(a, b);
}

int64_t facts_most_wanted(const struct facts *f, const struct fact_flavor *v) {
    int64_t most = 0;
    for (size_t i = 0; i < f->n_claims; i++) {
        const struct fact_claim *c = &f->claims[i];
        if (c->flavor && strcmp(c->flavor, v->name) != 0) continue;
        int64_t n = c->ask == ASK_UNITS ? c->units.n : 0;
        if (c->ask == ASK_COMPUTE && !v->unrated)
            n = c->compute.n / v->rating.n + (c->compute.n % v->rating.n > 0);
        if (n > most) most = n;
    }
    return most < v->capacity.n ? most : v->capacity.n;
}

#ifdef ALLOT_VERIFY
enum { VERIFIES = 1 };
#else
enum { VERIFIES = 0 };
#endif

int decider_verify(const struct decider *decider, const struct policy *policy, const struct facts *facts,
                   const struct plan *plan, struct err *e) {
    return VERIFIES && decider->verify ? decider->verify(policy, facts, plan, e) : 0;
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
        [REASON_EXCEEDS_BUDGET] = "EXCEEDS_BUDGET",
        [REASON_BELOW_SMALLEST_STEP] = "BELOW_SMALLEST_STEP",
        [REASON_NO_SUCH_FLAVOR] = "NO_SUCH_FLAVOR",
        [REASON_NO_SUCH_SIZE] = "NO_SUCH_SIZE",
        [REASON_NO_SUCH_SERVICE] = "NO_SUCH_SERVICE",
        [REASON_EXCEEDS_POOL] = "EXCEEDS_POOL",
        [REASON_LEASE_TOO_LONG] = "LEASE_TOO_LONG",
        [REASON_LEASE_OVER] = "LEASE_OVER",
        [REASON_NEEDS_APPROVAL] = "NEEDS_APPROVAL",
        [REASON_EVAL_ERROR] = "EVAL_ERROR",
        [REASON_BACKEND_REFUSED] = "BACKEND_REFUSED",
        [REASON_NO_POLICY] = "NO_POLICY",
        [REASON_NO_PROJECT] = "NO_PROJECT",
        [REASON_DEBT] = "DEBT",
        [REASON_DRAINING] = "DRAINING",
        [REASON_IN_CALL] = "IN_CALL",
        [REASON_RESERVE_LIST] = "RESERVE_LIST",
        [REASON_RESERVED_FOR_TIER] = "RESERVED_FOR_TIER",
        [REASON_BEHIND_BARRIER] = "BEHIND_BARRIER",
        [REASON_LEND_LIMIT] = "LEND_LIMIT",
        [REASON_NO_UNITS] = "NO_UNITS",
        [REASON_NO_STORAGE] = "NO_STORAGE",
        [REASON_NO_DATALAKE] = "NO_DATALAKE",
        [REASON_NO_SEATS] = "NO_SEATS",
        [REASON_WAITING_TURN] = "WAITING_TURN",
        [REASON_ROUNDED] = "ROUNDED",
        [REASON_SHRUNK] = "SHRUNK",
        [REASON_PASSED] = "PASSED",
    };
    return words[c];
}

const char *reclaim_cause_word(enum reclaim_cause c) {
    static const char *const words[CAUSES] = {"grace", "idle", "debt", "guarantee", "loss", "swap"};
    return words[c];
}

static void lines_free(struct plan_line *lines, size_t n) {
    for (size_t i = 0; i < n; i++) free(lines[i].flavor);
    free(lines);
}

static void seats_free(struct plan_seats *seats, size_t n) {
    for (size_t i = 0; i < n; i++) free(seats[i].service);
    free(seats);
}

void decision_free(struct decision *d) {
    free(d->claim);
    lines_free(d->lines, d->n_lines);
    lines_free(d->offer.lines, d->offer.n_lines);
    seats_free(d->seats, d->n_seats);
    seats_free(d->offer.seats, d->offer.n_seats);
    for (size_t i = 0; i < d->limits.n_items; i++) free(d->limits.items[i].item);
    free(d->limits.items);
    free(d->earliest.grant);
    free(d->earliest.notice);
    free(d->standing.tier);
    free(d->standing.rule);
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

static void *list_own(const void *list, size_t n, size_t item) {
    return list ? memcpy(mem_alloc(n * item), list, n * item) : NULL;
}

static struct plan_line *lines_own(const struct plan_line *lines, size_t n) {
    struct plan_line *own = list_own(lines, n, sizeof *lines);
    for (size_t i = 0; i < n; i++) own[i].flavor = mem_copy(own[i].flavor);
    return own;
}

static struct plan_seats *seats_own(const struct plan_seats *seats, size_t n) {
    struct plan_seats *own = list_own(seats, n, sizeof *seats);
    for (size_t i = 0; i < n; i++) own[i].service = mem_copy(own[i].service);
    return own;
}

void decision_own(struct decision *d) {
    d->claim = mem_copy(d->claim);
    d->lines = lines_own(d->lines, d->n_lines);
    d->offer.lines = lines_own(d->offer.lines, d->offer.n_lines);
    d->seats = seats_own(d->seats, d->n_seats);
    d->offer.seats = seats_own(d->offer.seats, d->offer.n_seats);
    d->limits.items = list_own(d->limits.items, d->limits.n_items, sizeof *d->limits.items);
    for (size_t i = 0; i < d->limits.n_items; i++)
        d->limits.items[i].item = mem_copy(d->limits.items[i].item);
    d->earliest.grant = mem_copy(d->earliest.grant);
    d->earliest.notice = mem_copy(d->earliest.notice);
    d->standing.tier = mem_copy(d->standing.tier);
    d->standing.rule = mem_copy(d->standing.rule);
    d->reasons = list_own(d->reasons, d->n_reasons, sizeof *d->reasons);
    for (size_t i = 0; d->reasons && i < d->n_reasons; i++) {
        struct reason *r = &d->reasons[i];
        char **texts[] = {&r->rule, &r->place, &r->en, &r->ko, &r->hint_en, &r->hint_ko};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) *texts[k] = mem_copy(*texts[k]);
    }
}

void plan_free(struct plan *plan) {
    if (plan->memory.blocks)
        arena_free(&plan->memory);
    else
        for (size_t i = 0; i < plan->n_decisions; i++) decision_free(&plan->decisions[i]);
    free(plan->decisions);
    *plan = (struct plan){0};
}

void standings_free(struct standing *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(s[i].tier);
        free(s[i].rule);
    }
    free(s);
}

void reclaim_plan_free(struct reclaim_plan *plan) {
    for (size_t i = 0; i < plan->n_reclaims; i++) {
        struct reclaim *r = &plan->reclaims[i];
        free(r->grant);
        free(r->tenant);
        free(r->operations);
        free(r->flavor);
        free(r->rule);
        free(r->place);
        free(r->claim);
        free(r->en);
        free(r->ko);
        free((char *)r->sample.metric);
    }
    for (size_t i = 0; i < plan->n_ends; i++) {
        free(plan->ends[i].notice);
        free(plan->ends[i].en);
        free(plan->ends[i].ko);
    }
    for (size_t i = 0; i < plan->n_scaled; i++) free(plan->scaled[i].tenant);
    free(plan->reclaims);
    free(plan->ends);
    free(plan->scaled);
    for (size_t i = 0; i < plan->n_judged; i++) free(plan->judged[i].rule);
    free(plan->judged);
    *plan = (struct reclaim_plan){0};
}
