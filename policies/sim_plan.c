/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: what the engine does with a plan, on the state in memory. */
#include "policies/sim_parts.h"

#include "alloc/facts.h"
#include "policies/invariants.h"
#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

/* ---- facts of a plan ---- */

/* The part of [start, end) in the period that holds now, and what it adds. */
struct stretch {
    instant_t from, until;
};

static int64_t overlap(const struct stretch *p, instant_t start, instant_t end) {
    int64_t a = start.s > p->from.s ? start.s : p->from.s, b = end.s < p->until.s ? end.s : p->until.s;
    return b > a ? b - a : 0;
}

/* Days from the civil calendar: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013. */
static int64_t days_of(int64_t year, int64_t month) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, yoe = year - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct stretch period_of(enum period kind, instant_t now) {
    static const int64_t months[PERIODS] = {[PERIOD_MONTH] = 1, [PERIOD_QUARTER] = 3, [PERIOD_YEAR] = 12};
    struct instant_text date = date_text(now);
    int64_t year = strtoll(date.s, NULL, 10), month = strtoll(date.s + 5, NULL, 10);
    int64_t first = (month - 1) / months[kind] * months[kind] + 1, next = first + months[kind];
    int64_t until = next > 12 ? days_of(year + 1, next - 12) : days_of(year, next);
    return (struct stretch){instant(days_of(year, first) * CLOCK_DAY - CLOCK_CIVIL_OFFSET),
                            instant(until * CLOCK_DAY - CLOCK_CIVIL_OFFSET)};
}

static void spent_add(const struct sim *s, size_t tenant, const struct stretch *p, bool own,
                      struct fact_spent *out) {
    for (size_t at = s->tenants[tenant].grants; at; at = s->grants[at - 1].next) {
        const struct sim_grant *g = &s->grants[at - 1];
        const struct sim_request *r = &s->requests[g->request];
        int64_t time = overlap(p, g->start, sim_grant_is_live(g) ? g->end : g->gone);
        int64_t compute = r->compute.n * time, storage = (int64_t)((wide_t)r->storage.n * time / 3600);
        out->organisation_gflops_seconds += compute;
        out->organisation_byte_hours += storage;
        if (!own) continue;
        out->compute_gflops_seconds += compute;
        out->storage_byte_hours += storage;
    }
}

/* Only a policy with budgets looks at it. */
static void spent_fill(const struct sim *s, size_t tenant, struct fact_tenant *out) {
    static const enum period kinds[FACT_PERIODS] = {
        [FACT_MONTH] = PERIOD_MONTH, [FACT_QUARTER] = PERIOD_QUARTER, [FACT_YEAR] = PERIOD_YEAR};
    const struct sim_organisation *o = &s->organisations[s->tenants[tenant].organisation];
    for (size_t k = 0; k < FACT_PERIODS; k++) {
        struct stretch p = period_of(kinds[k], s->now);
        for (size_t i = 0; i < o->n_tenants; i++)
            spent_add(s, o->tenants[i], &p, o->tenants[i] == tenant, &out->spent[k]);
    }
}

struct fact_claim sim_claim(const struct sim *s, size_t request) {
    const struct sim_request *r = &s->requests[request];
    struct fact_claim c = s->world->requests[request].claim;
    c.approved = r->approved;
    c.approver = r->approver;
    c.ranked = r->ranked;
    c.rank = r->rank;
    if (s->world->requests[request].replaces) sim_swap_facts(s, request, &c.replaces);
    return c;
}

enum { ENDS_KEPT = 64 }; /* of one flavor, as the engine reads them (alloc/gather_pool.c) */

/* The next ends of the flavors that run short, until they bring what is missing. */
static void ends_make(struct sim *s, struct facts *f) {
    int64_t missing[FLAVORS_MOST];
    size_t kept[FLAVORS_MOST] = {0}, open = 0, n = 0;
    for (size_t k = 0; k < s->pool.n_flavors; k++) {
        const struct fact_flavor *v = &s->flavors[k];
        missing[k] = facts_most_wanted(f, v) - (v->free.n > 0 ? v->free.n : 0);
        open += missing[k] > 0;
    }
    s->plan_ends =
        mem_grow(s->plan_ends, &s->plan_ends_room, s->pool.n_flavors * ENDS_KEPT + 1, sizeof *s->plan_ends);
    for (size_t i = 0; i < s->n_ends && open > 0; i++) {
        size_t k = sim_flavor(s, s->ends[i].flavor);
        if (missing[k] <= 0 || kept[k] == ENDS_KEPT) continue;
        s->plan_ends[n] = s->ends[i];
        if (s->plan_ends[n].at.s < s->now.s) s->plan_ends[n].at = s->now;
        missing[k] -= s->plan_ends[n++].units.n;
        open -= ++kept[k] == ENDS_KEPT || missing[k] <= 0;
    }
    f->pool.ends = s->plan_ends;
    f->pool.n_ends = n;
}

/* One fact per tenant that claims; the promises of the others are sums. */
void sim_facts(struct sim *s, const size_t *requests, size_t n, struct facts *f) {
    s->plan_claims = mem_grow(s->plan_claims, &s->plan_room, n, sizeof *s->plan_claims);
    s->plan_tenants = mem_grow(s->plan_tenants, &s->tenants_room, n, sizeof *s->plan_tenants);
    if (!s->plan_place) s->plan_place = mem_alloc((s->n_tenants + 1) * sizeof *s->plan_place);
    size_t tenants = 0;
    int64_t promised = s->promised, unused = s->unused, compute = s->waiting_compute;
    size_t waiting = s->waiting.n;
    for (size_t i = 0; i < n; i++) {
        size_t t = s->world->requests[requests[i]].claim.tenant, *place = &s->plan_place[t];
        if (*place == 0) {
            int64_t g = s->standings[t].guarantee.n, left = g - s->facts[t].held_compute.n;
            *place = ++tenants;
            s->plan_tenants[tenants - 1] = s->facts[t];
            if (s->policy->n_budgets) spent_fill(s, t, &s->plan_tenants[tenants - 1]);
            promised -= g;
            unused -= left > 0 ? left : 0;
        }
        s->plan_claims[i] = sim_claim(s, requests[i]);
        s->plan_claims[i].tenant = *place - 1;
        if (s->requests[requests[i]].state != SIM_WAITING) continue;
        waiting--;
        compute -= s->requests[requests[i]].wanted;
    }
    for (size_t i = 0; i < n; i++) s->plan_place[s->world->requests[requests[i]].claim.tenant] = 0;
    *f = (struct facts){.now = s->now,
                        .pool = s->pool,
                        .tenants = s->plan_tenants,
                        .n_tenants = tenants,
                        .claims = s->plan_claims,
                        .n_claims = n};
    ends_make(s, f);
    f->pool.promised = (struct fact_promised){gflops(promised), gflops(unused)};
    f->pool.waiting = (int64_t)waiting;
    f->pool.waiting_compute = gflops(compute);
}

/* May what a grant holds be held until `end`, by the policy? why: the first reason and its rule. */
bool sim_may_lengthen(struct sim *s, size_t grant, instant_t end, struct text *why) {
    const struct sim_grant *g = &s->grants[grant];
    struct lengthening l = {.from = g->end.s > s->now.s ? g->end : s->now,
                            .until = end,
                            .compute = gflops(g->compute),
                            .storage = bytes(g->storage + g->datalake),
                            .own_terms = true};
    struct facts f;
    struct decision d;
    struct err e = {0};
    size_t request = g->request;
    sim_facts(s, &request, 1, &f);
    int rc = policy_decider.lengthen(s->policy, &f, &l, &d, &e);
    bool may = rc == 0 && d.outcome == OUTCOME_GRANT;
    if (!may && rc == 0 && d.n_reasons)
        text_add(why, "%s%s%s", reason_code_word(d.reasons[0].code), d.reasons[0].rule ? " " : "",
                 d.reasons[0].rule ? d.reasons[0].rule : "");
    decision_free(&d);
    return may;
}

/* ---- what a decision changes ---- */

static void decisive_set(struct sim_request *r, const struct decision *d) {
    struct text out = {0};
    for (size_t i = 0; i < d->n_reasons; i++) {
        const struct reason *y = &d->reasons[i];
        if (!y->decisive && y->code != REASON_PASSED) continue;
        text_add(&out, "%s%s%s%s", out.length ? ", " : "", reason_code_word(y->code), y->rule ? " " : "",
                 y->rule ? y->rule : "");
    }
    free(r->decisive);
    r->decisive = text_take(&out);
}

static const enum sim_state states[] = {[OUTCOME_GRANT] = SIM_GRANTED,
                                        [OUTCOME_PARTIAL] = SIM_GRANTED,
                                        [OUTCOME_QUEUE] = SIM_WAITING,
                                        [OUTCOME_HOLD] = SIM_HELD,
                                        [OUTCOME_DENY] = SIM_DENIED};

static void tier_note(struct sim *s, struct sim_request *r, size_t tenant, const struct decision *d) {
    r->tier = s->tenants[tenant].tier;
    if (!d->standing.tier || d->standing.lifted) return;
    for (size_t k = 1; k < s->n_tiers; k++)
        if (strcmp(s->tiers[k].name, d->standing.tier) == 0) r->tier = k;
}

static void note(struct sim *s, size_t request, const struct decision *d) {
    struct sim_request *r = &s->requests[request];
    tier_note(s, r, s->world->requests[request].claim.tenant, d);
    decisive_set(r, d);
    sim_rules_count(s, d);
    sim_log_decision(s, request, d);
}

void sim_decide(struct sim *s, size_t request, const struct decision *d) {
    struct sim_request *r = &s->requests[request];
    size_t tenant = s->world->requests[request].claim.tenant;
    enum reason_code code = d->n_reasons ? d->reasons[0].code : REASON_CODES;
    enum sim_state state = code == REASON_RESERVE_LIST ? SIM_RESERVE : states[d->outcome];
    bool is_new = !r->first.has || state != r->state || code != r->code;
    if (!r->first.has) r->first_outcome = d->outcome;
    if (!r->first.has) r->first = (struct maybe_instant){true, s->now};
    if (d->limits.has_compute) s->tenants[tenant].ceiling = d->limits.compute.n;
    r->is_barrier = d->is_barrier;
    r->outcome = d->outcome;
    r->code = code;
    s->decisions++;
    sim_request_state(s, request, state);
    if (state == SIM_GRANTED) {
        r->granted = (struct maybe_instant){true, s->now};
        r->is_partial = d->outcome == OUTCOME_PARTIAL;
        r->compute = d->compute;
        r->storage = d->storage;
        r->grant = sim_grant_add(s, request, d) + 1;
    }
    if (is_new) note(s, request, d);
    if (state == SIM_GRANTED && !d->needs_agreement) sim_swap_finish(s, request);
}

/* ---- tiers ---- */

static void inversion_add(struct sim *s, const char *why) {
    size_t i = 0;
    while (i < s->n_inversions && strcmp(s->inversions[i].why, why) != 0) i++;
    if (i == s->n_inversions) {
        s->inversions = mem_grow(s->inversions, &s->inversions_room, i + 1, sizeof *s->inversions);
        s->inversions[s->n_inversions++] = (struct sim_inversion){keep_text(&s->memory, why), 0};
    }
    s->inversions[i].n++;
}

/* Those that wait while the same plan gives compute to a lower tier, each once, by what keeps them waiting.
 */
static void inversions_count(struct sim *s, const size_t *requests, const struct plan *plan) {
    int64_t lowest = -1;
    for (size_t i = 0; i < plan->n_decisions; i++) {
        const struct decision *d = &plan->decisions[i];
        if (d->outcome <= OUTCOME_PARTIAL && d->compute.n > 0 && d->standing.tier &&
            d->standing.rank > lowest)
            lowest = d->standing.rank;
    }
    for (size_t i = 0; i < plan->n_decisions; i++) {
        const struct decision *d = &plan->decisions[i];
        struct sim_request *r = &s->requests[requests[i]];
        if (d->outcome != OUTCOME_QUEUE || !d->standing.tier || d->standing.rank >= lowest || r->is_inverted)
            continue;
        r->is_inverted = true;
        inversion_add(s, r->decisive ? r->decisive : "");
    }
}

/* ---- planning ---- */

int sim_plan_check(struct sim *s, const struct facts *f, const struct plan *plan, struct err *e) {
    struct step step = {.policy = s->policy, .facts = f, .plan = plan};
    s->checks++;
    return invariants_check(&step, e);
}

int sim_plan(struct sim *s, const size_t *requests, size_t n, struct err *e) {
    struct facts f;
    struct plan plan = {0};
    if (n == 0) return 0;
    sim_facts(s, requests, n, &f);
    s->plans++;
    int rc = (s->options.sentences ? policy_decider.plan : policy_decider.plan_bare)(s->policy, &f, &plan, e);
    if (rc == 0) rc = sim_plan_check(s, &f, &plan, e);
    if (rc < 0) s->broken = facts_encode(&f);
    for (size_t i = 0; rc == 0 && i < plan.n_decisions; i++) sim_decide(s, requests[i], &plan.decisions[i]);
    if (rc == 0) inversions_count(s, requests, &plan);
    if (rc == 0) sim_offers_make(s, requests, &plan);
    plan_free(&plan);
    if (rc < 0) return err_context(e, "at %s", instant_text(s->now).s);
    return 0;
}

static int place_cmp(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* What was held because the policy or a fact was missing is tried again with the rest. */
static bool is_tried_again(const struct sim *s, size_t request) {
    const struct sim_request *r = &s->requests[request];
    return !s->world->requests[request].claim.call &&
           (r->code == REASON_EVAL_ERROR || r->code == REASON_NO_POLICY);
}

/* A request with an offer keeps what is set aside for it, and is not planned until the offer ends. */
static bool is_planned(const struct sim *s, size_t request, bool all) {
    const struct sim_request *r = &s->requests[request];
    return r->offer ? r->is_lifted : all || r->is_barrier;
}

/* Fresh ones with all that wait, or, when nothing could have come free, with the barriers alone. Into
   s->plan_requests, in order and each once; how many. */
static size_t in_turn(struct sim *s, const size_t *fresh, size_t n, bool all) {
    size_t most = n + s->waiting.n + s->held.n, count = 0, kept = 0;
    s->plan_requests = mem_grow(s->plan_requests, &s->requests_room, most, sizeof *s->plan_requests);
    for (size_t i = 0; i < s->waiting.n; i++)
        if (is_planned(s, s->waiting.of[i], all)) s->plan_requests[count++] = s->waiting.of[i];
    for (size_t i = 0; all && i < s->held.n; i++)
        if (is_tried_again(s, s->held.of[i])) s->plan_requests[count++] = s->held.of[i];
    for (size_t i = 0; i < n; i++) s->plan_requests[count++] = fresh[i];
    if (count) qsort(s->plan_requests, count, sizeof *s->plan_requests, place_cmp);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || s->plan_requests[i] != s->plan_requests[i - 1])
            s->plan_requests[kept++] = s->plan_requests[i];
    return kept;
}

int sim_trial(struct sim *s, struct plan *plan, struct err *e) {
    struct facts f;
    size_t n = in_turn(s, NULL, 0, true);
    *plan = (struct plan){0};
    if (n == 0) return 0;
    sim_facts(s, s->plan_requests, n, &f);
    s->plans++;
    return policy_decider.plan_bare(s->policy, &f, plan, e);
}

static int plan_with(struct sim *s, const size_t *fresh, size_t n, bool all, struct err *e) {
    if (all && s->is_raised && sim_offers_grow(s, e) < 0) return -1;
    if (all) s->is_raised = false;
    size_t count = in_turn(s, fresh, n, all);
    return sim_plan(s, s->plan_requests, count, e);
}

/* Where those that come first keep what they wait for, they stand in every plan. */
static bool needs_waiting(const struct policy *y) {
    if (policy_decider.needs) return policy_decider.needs(y) & NEEDS_WAITING;
    return !y->queue.id.s || y->queue.order[0] != ORDER_SHARE;
}

int sim_plan_fresh(struct sim *s, const size_t *fresh, size_t n, struct err *e) {
    if (!s->is_raised && n == 0) return 0;
    return plan_with(s, fresh, n, s->is_raised || needs_waiting(s->policy), e);
}

int sim_plan_all(struct sim *s, struct err *e) { return plan_with(s, NULL, 0, true, e); }
