/* SPDX-License-Identifier: Apache-2.0 */
/* What the tiers are promised, against the pool: what cannot be kept is refused. */
#include "policies/syntax.h"

#include "policies/ladder.h"

#include <string.h>

/* The smallest ceiling on compute that holds for every tenant; NULL: none. */
static const struct ceiling *ceiling_of_all(const struct policy *y) {
    const struct ceiling *found = NULL;
    for (size_t i = 0; i < y->n_ceilings; i++) {
        const struct ceiling *c = &y->ceilings[i];
        if (c->when || !c->has_compute) continue;
        if (!found || c->compute.n < found->compute.n) found = c;
    }
    return found;
}

/* What servers of these sizes can hold of a flavor at all. */
static int64_t usable_units(const struct flavor *f) {
    struct ladder ladder;
    ladder_begin(&ladder, f->sizes, f->n_sizes);
    int64_t units = ladder_down(&ladder, f->units);
    ladder_end(&ladder);
    return units;
}

static wide_t pool_usable(const struct policy *y) {
    wide_t sum = 0;
    for (size_t i = 0; i < y->n_flavors; i++)
        if (!y->flavors[i].unrated) sum += (wide_t)usable_units(&y->flavors[i]) * y->flavors[i].rating.n;
    return sum;
}

static wide_t pool_reserved(const struct policy *y, const struct reserve_rule **first) {
    wide_t sum = 0, percent = 0;
    for (size_t i = 0; i < y->n_flavors; i++) sum += (wide_t)y->flavors[i].units * y->flavors[i].rating.n;
    for (size_t i = 0; i < y->n_reserves; i++) {
        if (y->reserves[i].storage) continue;
        if (!*first) *first = &y->reserves[i];
        percent += y->reserves[i].percent;
    }
    return (sum * percent + 99) / 100;
}

static struct amount_text wide_gflops_text(wide_t n) {
    return n <= GFLOPS_MOST ? gflops_text(gflops((int64_t)n)) : wide_text(n);
}

/* The smallest sum of servers that keeps the guarantee of a tier; false: none does, and it was said. */
static bool tier_reach(const struct policy *y, const struct tier *t, struct diagnostics *d, int64_t *sum) {
    const struct ceiling *bound = ceiling_of_all(y);
    wide_t pool = pool_usable(y);
    bool by_ceiling = bound && bound->compute.n < pool;
    int64_t most = by_ceiling ? bound->compute.n : (int64_t)pool;
    struct reach r = reach_near(y, t->guarantee.n, most);
    *sum = r.has_above ? r.above : t->guarantee.n;
    if (r.has_above && r.above > t->guarantee.n && !r.gave_up)
        diagnose(d, LEVEL_NOTE, t->guarantee_place, "no servers add up to %s: it is kept by %s",
                 gflops_text(t->guarantee).s, gflops_text(gflops(r.above)).s);
    if (r.has_above || r.gave_up) return true;
    if (by_ceiling)
        diagnose_clash(
            d, LEVEL_ERROR, t->guarantee_place, bound->compute_place, "the ceiling of every tenant",
            "this guarantee cannot be kept: no servers add up to %s or more within the ceiling of "
            "%s; the best below is %s",
            gflops_text(t->guarantee).s, gflops_text(bound->compute).s, gflops_text(gflops(r.below)).s);
    else
        diagnose(d, LEVEL_ERROR, t->guarantee_place,
                 "this guarantee cannot be kept: it is more than the pool of %s", wide_gflops_text(pool).s);
    return false;
}

/* One flavor per tenant, the one that wastes least first: how many of them get their guarantee at once. */
static int64_t tier_place(const struct policy *y, const struct tier *t, int64_t left[POLICY_FLAVORS]) {
    int64_t wanted = t->expect;
    bool tried[POLICY_FLAVORS] = {false};
    for (size_t k = 0; k < y->n_flavors && wanted > 0; k++) {
        int64_t best = 0, best_need = 0;
        size_t at = y->n_flavors;
        for (size_t i = 0; i < y->n_flavors; i++) {
            const struct flavor *f = &y->flavors[i];
            if (tried[i] || f->unrated) continue;
            struct ladder ladder;
            ladder_begin(&ladder, f->sizes, f->n_sizes);
            int64_t need = ladder_up(&ladder, (t->guarantee.n + f->rating.n - 1) / f->rating.n);
            ladder_end(&ladder);
            if (at < y->n_flavors && need * f->rating.n >= best) continue;
            at = i, best = need * f->rating.n, best_need = need;
        }
        if (at == y->n_flavors) break;
        tried[at] = true;
        int64_t can = left[at] / best_need < wanted ? left[at] / best_need : wanted;
        left[at] -= can * best_need;
        wanted -= can;
    }
    return t->expect - wanted;
}

/* Larger guarantees first: they find fewer places. */
static void check_places(const struct policy *y, struct diagnostics *d) {
    int64_t left[POLICY_FLAVORS];
    const struct tier *order[POLICY_TIERS];
    size_t n = 0;
    for (size_t i = 0; i < y->n_flavors; i++) left[i] = usable_units(&y->flavors[i]);
    for (size_t i = 0; i < y->n_tiers; i++) {
        if (y->tiers[i].guarantee.n == 0 || !y->tiers[i].has_expect) continue;
        size_t at = n++;
        for (; at > 0 && order[at - 1]->guarantee.n < y->tiers[i].guarantee.n; at--)
            order[at] = order[at - 1];
        order[at] = &y->tiers[i];
    }
    for (size_t i = 0; i < n; i++) {
        int64_t placed = tier_place(y, order[i], left);
        if (placed < order[i]->expect)
            diagnose(
                d, LEVEL_WARNING, order[i]->guarantee_place,
                "with one flavor each, %lld of %lld tenants of tier '%s' can have %s at once; the others "
                "must mix flavors",
                (long long)placed, (long long)order[i]->expect, order[i]->name.s,
                gflops_text(order[i]->guarantee).s);
    }
}

static void check_sum(const struct policy *y, struct diagnostics *d, wide_t sum, const char *parts) {
    const struct reserve_rule *reserve = NULL;
    wide_t usable = pool_usable(y), reserved = pool_reserved(y, &reserve), rest = usable - reserved;
    if (sum <= rest) {
        diagnose(d, LEVEL_NOTE, y->tier_place, "guarantees: %s = %s of %s that can be promised", parts,
                 wide_gflops_text(sum).s, wide_gflops_text(rest).s);
        check_places(y, d);
    } else if (reserve) {
        diagnose_clash(d, LEVEL_ERROR, y->tier_place, reserve->place, "reserved here",
                       "the guarantees cannot be kept: %s = %s; the pool has %s, less %s of reserves", parts,
                       wide_gflops_text(sum).s, wide_gflops_text(usable).s, wide_gflops_text(reserved).s);
    } else {
        diagnose(d, LEVEL_ERROR, y->tier_place, "the guarantees cannot be kept: %s = %s; the pool has %s",
                 parts, wide_gflops_text(sum).s, wide_gflops_text(usable).s);
    }
}

static void check_expected(const struct policy *y, struct diagnostics *d) {
    int64_t sum = 0;
    for (size_t i = 0; i < y->n_tiers; i++) sum += y->tiers[i].has_expect ? y->tiers[i].expect : 0;
    if (y->has_expect && sum > y->expect)
        diagnose_clash(d, LEVEL_WARNING, y->tier_place, y->expect_place, "expected in all",
                       "the tiers expect %lld tenants together, the policy %lld", (long long)sum,
                       (long long)y->expect);
}

void check_guarantees(const struct policy *policy, struct diagnostics *d) {
    wide_t sum = 0;
    bool reachable = true;
    struct text parts = {0};
    for (size_t i = 0; i < policy->n_tiers; i++) {
        const struct tier *t = &policy->tiers[i];
        int64_t each, members = t->has_expect ? t->expect : 1;
        if (t->guarantee.n == 0) continue;
        if (!tier_reach(policy, t, d, &each)) {
            reachable = false;
            continue;
        }
        if (!t->has_expect)
            diagnose(d, LEVEL_WARNING, t->guarantee_place,
                     "tier '%s' states no number of tenants (expect 60): its guarantee is compared with the "
                     "pool for one",
                     t->name.s);
        text_add(&parts, "%s%lld x %s", parts.length ? " + " : "", (long long)members,
                 gflops_text(gflops(each)).s);
        sum += (wide_t)each * members;
    }
    if (reachable && parts.s) check_sum(policy, d, sum, parts.s);
    check_expected(policy, d);
    text_free(&parts);
}
