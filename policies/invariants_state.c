/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/invariant_parts.h"
#include "policies/reclaim.h"

#include "alloc/scope.h"

#include <string.h>

static int broken(struct err *e, const char *what) { return err_set(e, ERR_BOOKS, "%s", what); }

/* ---- I1 ---- */

static int flavor_conserved(const struct fact_flavor *f, wide_t held, struct err *e) {
    wide_t all = held + f->lost.n + f->coming.n + (f->free.n > 0 ? f->free.n : 0);
    if (f->free.n <= f->capacity.n && held <= f->capacity.n && (f->free.n <= 0 || all <= f->capacity.n))
        return 0;
    return err_set(e, ERR_BOOKS, "%s has %lld units: %s are held, %lld free, %lld lost, %lld coming back",
                   f->name, (long long)f->capacity.n, wide_text(held).s, (long long)f->free.n,
                   (long long)f->lost.n, (long long)f->coming.n);
}

static int state_conserved(const struct step *s, struct err *e) {
    const struct facts *f = s->facts;
    wide_t held[FLAVORS_MOST] = {0}, storage = 0;
    for (size_t i = 0; i < f->n_grants; i++) {
        const struct fact_grant *g = &f->grants[i];
        storage += g->storage.n;
        for (size_t k = 0; k < g->n_servers; k++) {
            size_t at = step_flavor(&f->pool, g->servers[k].flavor);
            if (at < f->pool.n_flavors) held[at] += g->servers[k].units;
        }
    }
    for (size_t i = 0; i < f->pool.n_flavors; i++)
        if (flavor_conserved(&f->pool.flavors[i], held[i], e) < 0) return -1;
    if (storage + (f->pool.storage_free.n > 0 ? f->pool.storage_free.n : 0) > f->pool.storage_capacity.n)
        return err_set(e, ERR_BOOKS, "the pool has %s of storage: %s are held and %s free",
                       bytes_text(f->pool.storage_capacity).s, wide_text(storage).s,
                       bytes_text(f->pool.storage_free).s);
    return 0;
}

static int given_check(const char *what, wide_t given, int64_t free_now, struct err *e) {
    if (given == 0 || given <= free_now) return 0;
    return err_set(e, ERR_BOOKS, "%s of %s were given and %lld were free", wide_text(given).s, what,
                   (long long)free_now);
}

static int seats_conserved(const struct step *s, struct err *e) {
    const struct fact_pool *pool = &s->facts->pool;
    for (size_t k = 0; k < pool->n_services; k++) {
        wide_t given = 0;
        for (size_t i = 0; i < s->plan->n_decisions; i++)
            for (size_t n = 0; step_gives(&s->plan->decisions[i]) && n < s->plan->decisions[i].n_seats; n++)
                if (strcmp(s->plan->decisions[i].seats[n].service, pool->services[k].name) == 0)
                    given += s->plan->decisions[i].seats[n].seats;
        if (given_check(pool->services[k].name, given, pool->services[k].free, e) < 0) return -1;
    }
    return 0;
}

static int plan_conserved(const struct step *s, struct err *e) {
    const struct fact_pool *pool = &s->facts->pool;
    wide_t units_given[FLAVORS_MOST] = {0}, storage = 0, datalake = 0;
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        if (!step_gives(d)) continue;
        storage += d->storage.n;
        datalake += d->datalake.n;
        for (size_t k = 0; k < d->n_lines; k++) {
            size_t at = step_flavor(pool, d->lines[k].flavor);
            if (at < pool->n_flavors) units_given[at] += (wide_t)d->lines[k].size * d->lines[k].count;
        }
    }
    for (size_t i = 0; i < pool->n_flavors; i++)
        if (given_check(pool->flavors[i].name, units_given[i], pool->flavors[i].free.n, e) < 0) return -1;
    if (given_check("storage", storage, pool->storage_free.n, e) < 0 ||
        given_check("the data lake", datalake, pool->datalake_free.n, e) < 0)
        return -1;
    return seats_conserved(s, e);
}

int holds_conservation(const struct step *s, struct err *e) {
    return s->plan ? plan_conserved(s, e) : state_conserved(s, e);
}

/* ---- I5 ---- */

/* GFLOPS of this flavor that others have above their guarantee, that may be taken back and that no notice
   covers, although there was time. */
static instant_t since_of(const struct step *s, size_t tenant) {
    return s->since ? s->since[tenant] : instant(0);
}

static wide_t lent_too_long(const struct step *s, const struct fact_claim *c, size_t flavor) {
    const struct facts *f = s->facts;
    const struct borrow_rule *b = &s->policy->borrow;
    int64_t age = b->min_hold.s + b->notice.s + 2 * CLOCK_DAY;
    wide_t sum = 0;
    scoped_free int64_t *counted =
        mem_alloc((f->n_tenants + 1) * sizeof *counted); /* of each tenant's surplus */
    for (size_t i = 0; i < f->n_grants; i++) {
        const struct fact_grant *g = &f->grants[i];
        int64_t above =
            f->tenants[g->tenant].held_compute.n - s->standings[g->tenant].guarantee.n - counted[g->tenant];
        if (g->tenant == c->tenant || since_of(s, g->tenant).s + age > f->now.s ||
            g->start.s + age > f->now.s || g->n_notices || g->excepted)
            continue;
        for (size_t k = 0; k < g->n_servers; k++) {
            if (step_flavor(&f->pool, g->servers[k].flavor) != flavor || g->servers[k].compute.n > above)
                continue;
            above -= g->servers[k].compute.n;
            counted[g->tenant] += g->servers[k].compute.n;
            sum += g->servers[k].units;
        }
    }
    return sum;
}

/* Units that come to somebody: free, on their way back, or under notice. */
static wide_t coming(const struct step *s, size_t flavor) {
    const struct facts *f = s->facts;
    const struct fact_flavor *x = &f->pool.flavors[flavor];
    wide_t sum = (x->free.n > 0 ? x->free.n : 0) + x->coming.n;
    for (size_t i = 0; i < f->n_grants; i++)
        for (size_t k = 0; k < f->grants[i].n_notices; k++)
            if (step_flavor(&f->pool, f->grants[i].notices[k].flavor) == flavor)
                sum += f->grants[i].notices[k].units;
    return sum;
}

static wide_t guarantees_sum(const struct step *s) {
    wide_t sum = 0;
    for (size_t i = 0; i < s->facts->n_tenants; i++) sum += s->standings[i].guarantee.n;
    return sum;
}

static wide_t capacity_left(const struct fact_pool *pool) {
    wide_t sum = 0;
    for (size_t i = 0; i < pool->n_flavors; i++)
        sum += (wide_t)(pool->flavors[i].capacity.n - pool->flavors[i].lost.n) * pool->flavors[i].rating.n;
    return sum;
}

static bool is_below_guarantee(const struct step *s, const struct fact_claim *c, size_t flavor,
                               int64_t floor) {
    const struct fact_tenant *t = &s->facts->tenants[c->tenant];
    return t->held_compute.n + floor * s->facts->pool.flavors[flavor].rating.n <=
           s->standings[c->tenant].guarantee.n;
}

/* Where the order does not begin with the share, what an older claim waits for is not given to a younger one.
 */
static bool shares_first(const struct policy *y) { return y->queue.id.s && y->queue.order[0] == ORDER_SHARE; }

/* An older claim of the same tenant, of any flavor, comes first and may be what its guarantee goes to. */
static bool comes_second(const struct facts *f, size_t claim) {
    for (size_t i = 0; i < claim; i++)
        if (f->claims[i].tenant == f->claims[claim].tenant && f->claims[i].ask == ASK_COMPUTE &&
            !f->claims[i].flavor)
            return true;
    return false;
}

/* A claim of one flavor within its guarantee. Where a round may touch only so many tenants it may take
   longer. An exchange is not judged: others have lent what its tenant does not hold, and it needs that and
   what it gives back together. */
int holds_guarantee_met(const struct step *s, struct err *e) {
    const struct facts *f = s->facts;
    if (s->plan || !s->ticked || !s->standings || !s->policy || !s->policy->borrow.id.s ||
        !shares_first(s->policy) || s->policy->borrow.has_most || guarantees_sum(s) > capacity_left(&f->pool))
        return 0;
    for (size_t i = 0; i < f->n_claims; i++) {
        const struct fact_claim *c = &f->claims[i];
        size_t flavor = c->flavor ? step_flavor(&f->pool, c->flavor) : f->pool.n_flavors;
        int64_t floor = step_floor(s->policy, &f->pool, c, flavor);
        if (floor == 0 || c->replaces.grant || comes_second(f, i) ||
            c->submitted.s + s->policy->borrow.notice.s + 2 * CLOCK_DAY > f->now.s ||
            since_of(s, c->tenant).s + s->policy->borrow.notice.s + 2 * CLOCK_DAY > f->now.s ||
            f->tenants[c->tenant].suspended || !is_below_guarantee(s, c, flavor, floor))
            continue;
        wide_t lent = lent_too_long(s, c, flavor);
        if (lent < floor || coming(s, flavor) >= floor) continue;
        return err_set(
            e, ERR_BOOKS,
            "%s is sure of %s, holds %s and waits since %s for %lld units of %s, while %s are lent and no "
            "notice covers them",
            f->tenants[c->tenant].name, gflops_text(s->standings[c->tenant].guarantee).s,
            gflops_text(f->tenants[c->tenant].held_compute).s, instant_text(c->submitted).s, (long long)floor,
            c->flavor, wide_text(lent).s);
    }
    return 0;
}

/* ---- I10, I11 ---- */

static int taken_safely(const struct step *s, const struct step_taken *t, struct err *e) {
    if (t->cause == CAUSE_GRACE || t->cause == CAUSE_SWAP) return 0;
    if (t->at.s < t->effect.s) return broken(e, "something was taken back before its notice took effect");
    if (t->effect.s < t->sent.s + t->notice.s) return broken(e, "a notice was shorter than its rule says");
    if (t->cause == CAUSE_GUARANTEE && s->policy && t->at.s < t->start.s + s->policy->borrow.min_hold.s)
        return err_set(e, ERR_BOOKS, "what was lent on %s was taken back before %s had passed",
                       instant_text(t->start).s, span_text(s->policy->borrow.min_hold).s);
    if (t->cause == CAUSE_IDLE && (!t->measured || t->covered < RECLAIM_UNUSED_COVERED))
        return broken(e, "something was taken back as idle without a full window of samples");
    if (t->keeps_guarantee && t->held.n < t->guarantee.n)
        return err_set(e, ERR_BOOKS, "a tenant that is sure of %s was left with %s",
                       gflops_text(t->guarantee).s, gflops_text(t->held).s);
    return 0;
}

int holds_safe_reclaim(const struct step *s, struct err *e) {
    for (size_t i = 0; i < s->n_taken; i++)
        if (taken_safely(s, &s->taken[i], e) < 0) return -1;
    return 0;
}

/* It goes to one below its guarantee and leaves the other at or above its own: so neither can be the other
   way round next time. */
int holds_no_ping_pong(const struct step *s, struct err *e) {
    for (size_t i = 0; i < s->n_taken; i++) {
        const struct step_taken *t = &s->taken[i];
        if (t->cause != CAUSE_GUARANTEE || !t->has_claimant) continue;
        if (t->claimant_held.n < t->claimant_guarantee.n && t->held.n >= t->guarantee.n) continue;
        return err_set(
            e, ERR_BOOKS,
            "a tenant that is sure of %s and holds %s took from one that is sure of %s and is left with %s",
            gflops_text(t->claimant_guarantee).s, gflops_text(t->claimant_held).s,
            gflops_text(t->guarantee).s, gflops_text(t->held).s);
    }
    return 0;
}

/* ---- I15 ---- */

int holds_ends(const struct step *s, struct err *e) {
    const struct facts *f = s->facts;
    for (size_t i = 0; s->plan && i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        if (step_gives(d) && d->lease.end.s <= f->now.s)
            return err_set(e, ERR_BOOKS, "%s is granted until %s, which is over", d->claim,
                           instant_text(d->lease.end).s);
    }
    for (size_t i = 0; !s->plan && i < f->n_grants; i++) {
        const struct fact_grant *g = &f->grants[i];
        if (g->end.s <= g->start.s)
            return err_set(e, ERR_BOOKS, "grant %s ends %s, when it begins", g->id, instant_text(g->end).s);
        if (s->ticked && instant_after(g->end, g->grace).s <= f->now.s)
            return err_set(e, ERR_BOOKS, "grant %s ended %s and its grace has passed", g->id,
                           instant_text(g->end).s);
    }
    return 0;
}
