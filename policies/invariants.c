/* SPDX-License-Identifier: Apache-2.0 */
/* The list, and those that compare two plans. */
#include "policies/fill_check.h"
#include "policies/invariant_parts.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "policies/policy.h"
#include "policies/share.h"

#include <string.h>

const struct invariant invariants[INVARIANTS] = {
    {"I1", "nothing is given that is not there", holds_conservation},
    {"I2", "nobody is brought above a ceiling", holds_ceiling},
    {"I3", "whole servers of known flavors only", holds_steps},
    {"I4", "guarantees are kept, or all are scaled by one ratio", holds_sold_guarantee},
    {"I5", "what is claimed within a guarantee is served within the notice of lending", holds_guarantee_met},
    {"I6", "nothing stays free that somebody waits for, unless a rule is named", holds_no_waste},
    {"I7", "one step more for one would be taken from one that has no more", holds_max_min},
    {"I8", "with strict, no lower tier is served while a better one waits", holds_tier_order},
    {"I9", "what one that waited longest needs goes to nobody who would keep it from it",
     holds_no_starvation},
    {"I10", "nothing is taken below a guarantee, before its notice or without evidence", holds_safe_reclaim},
    {"I11", "what is taken for a guarantee goes to one below it, from one above its own", holds_no_ping_pong},
    {"I12", "the same facts give the same decisions, to the byte", holds_determinism},
    {"I13", "whoever gets nothing is told why", holds_explained},
    {"I14", "a rule that cannot be evaluated grants nothing", holds_fail_closed},
    {"I15", "every grant has an end, and none outlives it", holds_ends},
    {"I16", "one decision for each request, and a policy that is loaded changes nothing held",
     holds_idempotent},
    {"I17", "the order of what comes in does not matter", holds_order_free},
    {"I18", "more capacity gives nobody less", holds_monotone},
};

int invariants_check(const struct step *s, struct err *e) {
    for (size_t i = 0; i < INVARIANTS; i++)
        if (invariants[i].holds(s, e) < 0)
            return err_context(e, "invariant %s (%s)", invariants[i].name, invariants[i].sentence);
    return 0;
}

/* ---- for the engine ---- */

/* Claims and tenants from the last to the first. */
static int plan_turned(const struct policy *policy, const struct facts *facts, struct plan *out,
                       struct err *e) {
    size_t n = facts->n_claims, m = facts->n_tenants;
    struct facts turned = *facts;
    scoped_free struct fact_claim *claims = mem_alloc((n + 1) * sizeof *claims);
    scoped_free struct fact_tenant *tenants = mem_alloc((m + 1) * sizeof *tenants);
    for (size_t i = 0; i < m; i++) tenants[i] = facts->tenants[m - 1 - i];
    for (size_t i = 0; i < n; i++) {
        claims[i] = facts->claims[n - 1 - i];
        claims[i].tenant = m - 1 - claims[i].tenant;
    }
    turned.claims = claims;
    turned.tenants = tenants;
    return policy_decider.plan(policy, &turned, out, e);
}

int invariants_verify(const struct policy *policy, const struct facts *facts, const struct plan *plan,
                      struct err *e) {
    struct plan again = {0}, turned = {0};
    struct step step = {.policy = policy, .facts = facts, .plan = plan};
    if (plan) {
        if (policy_decider.plan(policy, facts, &again, e) < 0) return -1;
        if (plan_turned(policy, facts, &turned, e) < 0) {
            plan_free(&again);
            return -1;
        }
        step.again = &again;
        step.turned = &turned;
    }
    int rc = invariants_check(&step, e);
    plan_free(&again);
    plan_free(&turned);
    return rc;
}

/* ---- two decisions ---- */

static bool lines_same(const struct plan_line *a, size_t n, const struct plan_line *b, size_t m) {
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++)
        same = text_same(a[i].flavor, b[i].flavor) && a[i].size == b[i].size && a[i].count == b[i].count &&
               a[i].rating.n == b[i].rating.n;
    return same;
}

static bool reasons_same(const struct decision *a, const struct decision *b) {
    bool same = a->n_reasons == b->n_reasons;
    for (size_t i = 0; same && i < a->n_reasons; i++) {
        const struct reason *x = &a->reasons[i], *y = &b->reasons[i];
        same = x->code == y->code && x->decisive == y->decisive && text_same(x->rule, y->rule) &&
               text_same(x->place, y->place) && text_same(x->en, y->en) && text_same(x->ko, y->ko) &&
               text_same(x->hint_en, y->hint_en) && text_same(x->hint_ko, y->hint_ko);
    }
    return same;
}

static bool lease_same(const struct lease_terms *a, const struct lease_terms *b) {
    return a->start.s == b->start.s && a->end.s == b->end.s && a->notice.s == b->notice.s &&
           a->grace.s == b->grace.s && a->keep.s == b->keep.s && a->renewals == b->renewals &&
           a->renew_term.s == b->renew_term.s;
}

static bool place_same(const struct decision *a, const struct decision *b) {
    return a->position == b->position && a->ahead_compute.n == b->ahead_compute.n &&
           a->is_barrier == b->is_barrier && a->needs_agreement == b->needs_agreement &&
           a->earliest.at.has == b->earliest.at.has &&
           (!a->earliest.at.has || a->earliest.at.at.s == b->earliest.at.at.s) &&
           text_same(a->earliest.grant, b->earliest.grant) &&
           text_same(a->earliest.notice, b->earliest.notice) &&
           text_same(a->standing.tier, b->standing.tier) && text_same(a->standing.rule, b->standing.rule) &&
           a->standing.rank == b->standing.rank && a->standing.guarantee.n == b->standing.guarantee.n;
}

static bool offer_same(const struct plan_offer *a, const struct plan_offer *b) {
    return a->has == b->has && a->compute.n == b->compute.n && a->storage.n == b->storage.n &&
           lines_same(a->lines, a->n_lines, b->lines, b->n_lines) && a->until.has == b->until.has &&
           (!a->until.has || a->until.at.s == b->until.at.s);
}

static bool seats_same(const struct decision *a, const struct decision *b) {
    bool same = a->n_seats == b->n_seats && a->datalake.n == b->datalake.n;
    for (size_t i = 0; same && i < a->n_seats; i++)
        same = text_same(a->seats[i].service, b->seats[i].service) && a->seats[i].seats == b->seats[i].seats;
    return same;
}

bool decision_same(const struct decision *a, const struct decision *b) {
    return text_same(a->claim, b->claim) && a->outcome == b->outcome && a->compute.n == b->compute.n &&
           a->storage.n == b->storage.n && lines_same(a->lines, a->n_lines, b->lines, b->n_lines) &&
           seats_same(a, b) && place_same(a, b) && offer_same(&a->offer, &b->offer) &&
           (a->outcome > OUTCOME_PARTIAL || lease_same(&a->lease, &b->lease)) && reasons_same(a, b);
}

/* ---- I12, I17 ---- */

int holds_determinism(const struct step *s, struct err *e) {
    for (size_t i = 0; s->plan && s->again && i < s->plan->n_decisions; i++)
        if (!decision_same(&s->plan->decisions[i], &s->again->decisions[i]))
            return err_set(e, ERR_BOOKS, "%s is decided otherwise the second time",
                           s->plan->decisions[i].claim);
    return 0;
}

int holds_order_free(const struct step *s, struct err *e) {
    for (size_t i = 0, n = s->plan ? s->plan->n_decisions : 0; s->turned && i < n; i++)
        if (!decision_same(&s->plan->decisions[i], &s->turned->decisions[n - 1 - i]))
            return err_set(e, ERR_BOOKS, "%s is decided otherwise when all stand in the reverse order",
                           s->plan->decisions[i].claim);
    return 0;
}

/* ---- I16 ---- */

int holds_idempotent(const struct step *s, struct err *e) {
    if (s->reloaded && s->held_before.n != s->held_after.n)
        return err_set(e, ERR_BOOKS, "loading a policy changed what is held from %s to %s",
                       gflops_text(s->held_before).s, gflops_text(s->held_after).s);
    if (!s->plan) return 0;
    if (s->plan->n_decisions != s->facts->n_claims)
        return err_set(e, ERR_BOOKS, "%zu decisions for %zu requests", s->plan->n_decisions,
                       s->facts->n_claims);
    for (size_t i = 0; i < s->plan->n_decisions; i++)
        if (!text_same(s->plan->decisions[i].claim, s->facts->claims[i].id))
            return err_set(e, ERR_BOOKS, "the decision of %s stands at the place of %s",
                           s->plan->decisions[i].claim, s->facts->claims[i].id);
    return 0;
}

/* ---- I7, I18 ---- */

int holds_max_min(const struct step *s, struct err *e) {
    return s->problem ? fill_check(s->problem, s->filled, e) : 0;
}

/* Promised where claims are alike: one flavor, the same tier, the same ask. Steps of other sizes may lose,
   since a larger pool lets a larger step in. */
static bool are_alike(const struct step *s) {
    const struct facts *f = s->facts;
    for (size_t i = 1; i < f->n_claims; i++) {
        const struct fact_claim *a = &f->claims[0], *b = &f->claims[i];
        if (a->ask != b->ask || a->units.n != b->units.n || a->compute.n != b->compute.n ||
            a->has_minimum != b->has_minimum || a->minimum_units.n != b->minimum_units.n ||
            a->minimum_compute.n != b->minimum_compute.n || a->storage.n != b->storage.n ||
            a->per_server != b->per_server || a->submitted.s != b->submitted.s ||
            !text_same(s->plan->decisions[0].standing.tier, s->plan->decisions[i].standing.tier))
            return false;
    }
    return f->pool.n_flavors == 1;
}

int holds_monotone(const struct step *s, struct err *e) {
    if (!s->plan || !s->richer || s->facts->n_claims == 0 || !are_alike(s)) return 0;
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *a = &s->plan->decisions[i], *b = &s->richer->decisions[i];
        int64_t before = step_gives(a) ? a->compute.n : 0, now = step_gives(b) ? b->compute.n : 0;
        if (now < before)
            return err_set(e, ERR_BOOKS, "%s gets %lld GF of a larger pool and %lld of the smaller", a->claim,
                           (long long)now, (long long)before);
    }
    return 0;
}
