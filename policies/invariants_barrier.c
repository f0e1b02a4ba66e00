/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I9: whoever can be served is served in the end. What a plan shows of it: what one that waited longest needs
 * is not given to those who came later and would hold it when it could start. All else follows, as every
 * lease ends (I15): with each lease that ends, more is set aside. It holds whatever else is promised.
 */
#include "policies/invariant_parts.h"

#include <string.h>

static bool is_older(const struct fact_claim *a, const struct fact_claim *b) {
    if (a->submitted.s != b->submitted.s) return a->submitted.s < b->submitted.s;
    return claim_id_cmp(a->id, b->id) < 0;
}

static bool stands(const struct decision *d) { return d->outcome == OUTCOME_QUEUE && d->is_barrier; }

/* ---- units ---- */

/* Units of a flavor set aside before a claim, for those with a barrier that waited longer and name it. */
static wide_t units_aside(const struct step *s, size_t flavor, const struct fact_claim *before) {
    const struct fact_pool *pool = &s->facts->pool;
    wide_t aside = 0;
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct fact_claim *c = &s->facts->claims[i];
        if (stands(&s->plan->decisions[i]) && is_older(c, before) && c->flavor &&
            step_flavor(pool, c->flavor) == flavor)
            aside += step_floor(s->policy, pool, c, flavor);
    }
    return aside;
}

/* The last known end of a lease in this flavor: a barrier is never expected to start later. */
static bool outlasts_all(const struct step *s, const struct decision *d, const struct fact_flavor *x) {
    const struct fact_pool *pool = &s->facts->pool;
    for (size_t i = 0; i < pool->n_ends; i++)
        if (strcmp(pool->ends[i].flavor, x->name) == 0 &&
            instant_after(d->lease.end, d->lease.grace).s <= pool->ends[i].at.s)
            return false;
    return true;
}

static bool is_within_guarantee(const struct step *s, size_t i) {
    const struct fact_tenant *t = &s->facts->tenants[s->facts->claims[i].tenant];
    return t->held_compute.n < s->plan->decisions[i].standing.guarantee.n;
}

/* Has a claim that a barrier stops drawn on what it set aside? `left` with what others rightly took. */
static int units_kept(const struct step *s, size_t flavor, wide_t left, struct err *e) {
    const struct fact_flavor *x = &s->facts->pool.flavors[flavor];
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        const struct fact_claim *c = &s->facts->claims[i];
        bool stopped = !c->ranked && !is_within_guarantee(s, i) && outlasts_all(s, d, x);
        if (!step_gives(d) || step_units(d, x->name) == 0 || !stopped) continue;
        wide_t aside = units_aside(s, flavor, c);
        if (aside > 0 && left < aside)
            return err_set(e, ERR_BOOKS,
                           "%s is given %s, and %s are left where %s are set aside for a barrier", d->claim,
                           x->name, wide_text(left).s, wide_text(aside).s);
    }
    return 0;
}

/* What was drawn within a guarantee, in a call's rank, for a lease that ends in time, or by a barrier that
   waited longer, counts as left: it was theirs to take. */
static int flavors_kept(const struct step *s, struct err *e) {
    int64_t left[FLAVORS_MOST] = {0};
    step_left(s, left);
    for (size_t f = 0; f < s->facts->pool.n_flavors; f++) {
        const struct fact_flavor *x = &s->facts->pool.flavors[f];
        wide_t rightly = 0;
        for (size_t i = 0; i < s->plan->n_decisions; i++) {
            const struct decision *d = &s->plan->decisions[i];
            const struct fact_claim *c = &s->facts->claims[i];
            bool own =
                c->ranked || is_within_guarantee(s, i) || !outlasts_all(s, d, x) || units_aside(s, f, c) == 0;
            if (step_gives(d) && own) rightly += step_units(d, x->name);
        }
        if (units_kept(s, f, left[f] + rightly, e) < 0) return -1;
    }
    return 0;
}

/* ---- storage, data lake, seats ---- */

/* Storage, data lake or the seats of a service: what is free, what a decision gives, what a claim asks. */
struct thing {
    const char *name;
    const struct fact_service *service;
    int64_t is_free;
    bool lake;
};

static int64_t thing_given(const struct decision *d, const struct thing *t) {
    if (!step_gives(d)) return 0;
    if (!t->service) return t->lake ? d->datalake.n : d->storage.n;
    for (size_t i = 0; i < d->n_seats; i++)
        if (strcmp(d->seats[i].service, t->service->name) == 0) return d->seats[i].seats;
    return 0;
}

static int64_t thing_asked(const struct fact_pool *pool, const struct fact_claim *c, const struct thing *t) {
    int64_t granule = pool->granule.n > 0 ? pool->granule.n : 1;
    if (!t->service) return (t->lake ? c->datalake.n : c->storage.n) / granule * granule;
    for (size_t i = 0; i < c->n_seats; i++)
        if (strcmp(c->seats[i].service, t->service->name) == 0) return c->seats[i].seats;
    return 0;
}

/* What is set aside before a claim: of those with a barrier that waited longer. */
static wide_t thing_aside(const struct step *s, const struct thing *t, const struct fact_claim *before) {
    wide_t aside = 0;
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        const struct fact_claim *c = &s->facts->claims[i];
        if (stands(d) && is_older(c, before)) aside += thing_asked(&s->facts->pool, c, t);
    }
    return aside;
}

/* Who draws on it leaves what is set aside; what was awarded in a call may draw on all. */
static int thing_kept(const struct step *s, const struct thing *t, struct err *e) {
    wide_t left = t->is_free;
    for (size_t i = 0; i < s->plan->n_decisions; i++) left -= thing_given(&s->plan->decisions[i], t);
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        const struct fact_claim *c = &s->facts->claims[i];
        if (c->ranked || thing_given(d, t) == 0) continue;
        wide_t aside = thing_aside(s, t, c);
        if (aside > 0 && left < aside)
            return err_set(e, ERR_BOOKS,
                           "%s is given of %s, and %s are left where %s are set aside for a barrier",
                           d->claim, t->name, wide_text(left).s, wide_text(aside).s);
    }
    return 0;
}

static int things_kept(const struct step *s, struct err *e) {
    const struct fact_pool *pool = &s->facts->pool;
    struct thing storage = {"storage", NULL, pool->storage_free.n, false},
                 lake = {"the data lake", NULL, pool->datalake_free.n, true};
    if (thing_kept(s, &storage, e) < 0 || thing_kept(s, &lake, e) < 0) return -1;
    for (size_t i = 0; i < pool->n_services; i++) {
        const struct fact_service *x = &pool->services[i];
        if (thing_kept(s, &(struct thing){x->name, x, x->free, false}, e) < 0) return -1;
    }
    return 0;
}

int holds_no_starvation(const struct step *s, struct err *e) {
    bool any = false;
    if (!s->plan || !s->policy) return 0;
    for (size_t i = 0; i < s->plan->n_decisions; i++) any |= stands(&s->plan->decisions[i]);
    if (!any) return 0;
    if (things_kept(s, e) < 0) return -1;
    return step_may_exchange(s) ? 0 : flavors_kept(s, e);
}
