/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/invariant_parts.h"

#include "alloc/scope.h"
#include "policies/ladder.h"

#include <stdlib.h>
#include <string.h>

size_t step_flavor(const struct fact_pool *pool, const char *name) {
    for (size_t i = 0; i < pool->n_flavors; i++)
        if (pool->flavors[i].name == name) return i;
    for (size_t i = 0; i < pool->n_flavors; i++)
        if (strcmp(pool->flavors[i].name, name) == 0) return i;
    return pool->n_flavors;
}

bool step_because(const struct decision *d, enum reason_code code) {
    for (size_t i = 0; i < d->n_reasons; i++)
        if (d->reasons[i].code == code && d->reasons[i].decisive) return true;
    return false;
}

/* The smallest or largest reachable count: with servers of exactly so many units, or as the pool has them. */
static int64_t reach(const struct fact_flavor *f, int64_t per_server, int64_t units, bool up) {
    struct ladder l;
    ladder_begin(&l, per_server > 0 ? &per_server : f->sizes, per_server > 0 ? 1 : f->n_sizes);
    int64_t n = up ? ladder_up(&l, units) : ladder_down(&l, units);
    ladder_end(&l);
    return n;
}

static bool has_size(const struct fact_flavor *f, int64_t size) {
    for (size_t i = 0; i < f->n_sizes; i++)
        if (f->sizes[i] == size) return true;
    return f->n_sizes == 0;
}

static bool may_be_partial(const struct policy *y, const struct fact_claim *c) {
    return c->has_minimum && !(y && y->queue.id.s && y->queue.has_partial && y->queue.partial == 0);
}

/* A partial grant has at least so many steps as the queue rule says; with none there is no partial one. */
static int64_t partial_least(const struct policy *y, const struct fact_flavor *f, const struct fact_claim *c,
                             int64_t least, int64_t whole) {
    const struct queue_rule *q = y && y->queue.id.s && y->queue.has_partial ? &y->queue : NULL;
    if (!c->has_minimum || (q && q->partial == 0)) return whole;
    int64_t units = 0;
    for (int64_t i = 0; q && i < q->partial && units < whole; i++)
        units = reach(f, c->per_server, units + 1, true);
    if (units > whole) units = whole;
    return units > least ? units : least;
}

int64_t step_floor(const struct policy *y, const struct fact_pool *pool, const struct fact_claim *c,
                   size_t flavor) {
    if (flavor >= pool->n_flavors || c->ask == ASK_NONE) return 0;
    const struct fact_flavor *f = &pool->flavors[flavor];
    if ((c->ask == ASK_COMPUTE && f->rating.n <= 0) || (c->per_server > 0 && !has_size(f, c->per_server)))
        return 0;
    int64_t whole =
        reach(f, c->per_server, c->ask == ASK_UNITS ? c->units.n : c->compute.n / f->rating.n, false);
    int64_t least = c->ask == ASK_UNITS
                        ? c->minimum_units.n
                        : (c->minimum_compute.n + (f->rating.n - 1)) / (f->rating.n > 0 ? f->rating.n : 1);
    int64_t floor = partial_least(y, f, c, reach(f, c->per_server, least, true), whole);
    return floor <= whole ? floor : 0;
}

/* ---- I2 ---- */

static int over(struct err *e, const char *who, wide_t has, int64_t may, const char *what) {
    return err_set(e, ERR_BOOKS, "%s would hold %s of %s and may hold %lld", who, wide_text(has).s, what,
                   (long long)may);
}

static bool same_organisation(const struct facts *f, size_t a, size_t b) {
    const char *x = f->tenants[a].organisation, *y = f->tenants[b].organisation;
    return a == b || (x && y && strcmp(x, y) == 0);
}

/* What an owner holds afterwards, and the widest ceiling of those that were granted: it may depend on the
   request and, for an organisation, on the tenant. */
struct holds {
    wide_t compute, storage;
    int64_t most_compute, most_storage; /* INT64_MAX: none */
    bool adds_compute, adds_storage;
};

static int64_t wider(int64_t most, bool has, int64_t limit) {
    if (!has) return INT64_MAX;
    return limit > most ? limit : most;
}

static void add_own(struct holds *h, const struct decision *d, const struct fact_claim *c,
                    bool of_organisation) {
    const struct plan_limits *l = &d->limits;
    h->compute += d->compute.n - c->replaces.compute.n;
    h->storage += (wide_t)d->storage.n + d->datalake.n - c->replaces.storage.n;
    h->adds_compute |= d->compute.n > 0;
    h->adds_storage |= d->storage.n > 0 || d->datalake.n > 0;
    if (d->compute.n > 0)
        h->most_compute = of_organisation
                              ? wider(h->most_compute, l->has_organisation_compute && !c->override_rule,
                                      l->organisation_compute.n)
                              : wider(h->most_compute, l->has_compute && !c->override_rule, l->compute.n);
    if (d->storage.n > 0 || d->datalake.n > 0)
        h->most_storage = of_organisation
                              ? wider(h->most_storage, l->has_organisation_storage && !c->override_rule,
                                      l->organisation_storage.n)
                              : wider(h->most_storage, l->has_storage && !c->override_rule, l->storage.n);
}

/* Of a tenant, or of its organisation, with all that the plan gives. */
static struct holds after(const struct step *s, size_t claim, bool of_organisation) {
    const struct facts *f = s->facts;
    const struct fact_tenant *t = &f->tenants[f->claims[claim].tenant];
    struct holds h = {.compute = of_organisation ? t->organisation_compute.n : t->held_compute.n,
                      .storage = of_organisation ? t->organisation_storage.n : t->held_storage.n};
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct fact_claim *c = &f->claims[i];
        bool own = of_organisation ? same_organisation(f, c->tenant, f->claims[claim].tenant)
                                   : c->tenant == f->claims[claim].tenant;
        if (step_gives(&s->plan->decisions[i]) && own)
            add_own(&h, &s->plan->decisions[i], c, of_organisation);
    }
    return h;
}

static int owner_holds(const char *who, const struct holds *h, struct err *e) {
    if (h->adds_compute && h->compute > h->most_compute)
        return over(e, who, h->compute, h->most_compute, "GFLOPS");
    if (h->adds_storage && h->storage > h->most_storage)
        return over(e, who, h->storage, h->most_storage, "bytes");
    return 0;
}

int holds_ceiling(const struct step *s, struct err *e) {
    for (size_t i = 0; s->plan && i < s->plan->n_decisions; i++) {
        const struct fact_tenant *t = &s->facts->tenants[s->facts->claims[i].tenant];
        if (!step_gives(&s->plan->decisions[i])) continue;
        struct holds own = after(s, i, false), all = after(s, i, true);
        if (owner_holds(t->name, &own, e) < 0 ||
            owner_holds(t->organisation ? t->organisation : t->name, &all, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- I3 ---- */

static int decision_steps(const struct fact_pool *pool, const struct decision *d, struct err *e) {
    wide_t sum = 0;
    for (size_t k = 0; k < d->n_lines; k++) {
        const struct plan_line *l = &d->lines[k];
        size_t at = step_flavor(pool, l->flavor);
        if (at == pool->n_flavors)
            return err_set(e, ERR_BOOKS, "%s is given %s, which the pool has not", d->claim, l->flavor);
        if (l->count < 1 || l->rating.n != pool->flavors[at].rating.n ||
            !has_size(&pool->flavors[at], l->size))
            return err_set(e, ERR_BOOKS, "%s is given %lld servers of %s x %lld", d->claim,
                           (long long)l->count, l->flavor, (long long)l->size);
        sum += (wide_t)l->size * l->count * l->rating.n;
    }
    if (step_gives(d) && sum != d->compute.n)
        return err_set(e, ERR_BOOKS, "%s is given %lld GF; its servers have %s", d->claim,
                       (long long)d->compute.n, wide_text(sum).s);
    return 0;
}

static int grant_steps(const struct fact_pool *pool, const struct fact_grant *g, struct err *e) {
    wide_t sum = 0;
    for (size_t k = 0; k < g->n_servers; k++) {
        if (step_flavor(pool, g->servers[k].flavor) == pool->n_flavors || g->servers[k].units < 1)
            return err_set(e, ERR_BOOKS, "grant %s holds %lld units of %s", g->id,
                           (long long)g->servers[k].units, g->servers[k].flavor);
        sum += g->servers[k].compute.n;
    }
    if (sum != g->compute.n)
        return err_set(e, ERR_BOOKS, "grant %s is of %lld GF; its servers have %s", g->id,
                       (long long)g->compute.n, wide_text(sum).s);
    return 0;
}

/* What is offered to one that waits is at least what it says that it would take. */
static int offer_wanted(const struct fact_claim *c, const struct decision *d, struct err *e) {
    int64_t units = 0;
    if (d->outcome != OUTCOME_QUEUE || !d->offer.has || !c->has_minimum) return 0;
    for (size_t k = 0; k < d->offer.n_lines; k++) units += d->offer.lines[k].size * d->offer.lines[k].count;
    bool enough =
        c->ask == ASK_UNITS ? units >= c->minimum_units.n : d->offer.compute.n >= c->minimum_compute.n;
    if (enough) return 0;
    return err_set(e, ERR_BOOKS, "%s is offered %lld GF in %lld units, less than its own minimum", d->claim,
                   (long long)d->offer.compute.n, (long long)units);
}

int holds_steps(const struct step *s, struct err *e) {
    for (size_t i = 0; s->plan && i < s->plan->n_decisions; i++)
        if (decision_steps(&s->facts->pool, &s->plan->decisions[i], e) < 0 ||
            offer_wanted(&s->facts->claims[i], &s->plan->decisions[i], e) < 0)
            return -1;
    for (size_t i = 0; !s->plan && i < s->facts->n_grants; i++)
        if (grant_steps(&s->facts->pool, &s->facts->grants[i], e) < 0) return -1;
    return 0;
}

/* ---- I4 ---- */

static const struct tier *tier_find(const struct policy *y, const char *name) {
    for (size_t i = 0; name && i < y->n_tiers; i++)
        if (strcmp(y->tiers[i].name.s, name) == 0) return &y->tiers[i];
    return NULL;
}

int64_t step_available(const struct step *s) {
    wide_t sum = 0, less = 0;
    for (size_t i = 0; i < s->facts->pool.n_flavors; i++) {
        const struct fact_flavor *f = &s->facts->pool.flavors[i];
        sum += (wide_t)f->capacity.n * f->rating.n;
        less += (wide_t)f->lost.n * f->rating.n;
    }
    for (size_t i = 0; i < s->policy->n_reserves; i++)
        if (!s->policy->reserves[i].storage) less += sum * s->policy->reserves[i].percent / 100;
    return (int64_t)(sum > less ? sum - less : 0);
}

/* What a claim is sure of is what its tier says, or less by one ratio for all. */
int holds_sold_guarantee(const struct step *s, struct err *e) {
    wide_t sum = 0, stated = 0, kept = 0;
    if (!s->plan || !s->policy) return 0;
    scoped_free bool *seen = mem_alloc((s->facts->n_tenants + 1) * sizeof *seen);
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        const struct tier *t = d->standing.lifted ? NULL : tier_find(s->policy, d->standing.tier);
        if (!t || t->guarantee.n == 0 || seen[s->facts->claims[i].tenant]) continue;
        seen[s->facts->claims[i].tenant] = true;
        sum += d->standing.guarantee.n;
        if (d->standing.guarantee.n > t->guarantee.n)
            return err_set(e, ERR_BOOKS, "%s is sure of %s; tier %s promises %s", d->claim,
                           gflops_text(d->standing.guarantee).s, t->name.s, gflops_text(t->guarantee).s);
        wide_t left = (wide_t)d->standing.guarantee.n * stated, right = kept * t->guarantee.n;
        wide_t apart = left > right ? left - right : right - left;
        if (stated > 0 && d->standing.guarantee.n > 0 && kept > 0 && apart > stated + t->guarantee.n)
            return err_set(e, ERR_BOOKS, "guarantees are not scaled by one ratio: %s is sure of %s of %s",
                           d->claim, gflops_text(d->standing.guarantee).s, gflops_text(t->guarantee).s);
        if (d->standing.guarantee.n > 0) stated = t->guarantee.n, kept = d->standing.guarantee.n;
    }
    if (sum > 0 && sum > step_available(s))
        return err_set(e, ERR_BOOKS, "%s GF are promised to those that claim; %lld can be kept",
                       wide_text(sum).s, (long long)step_available(s));
    return 0;
}

/* ---- I6 ---- */

/* Why units that are free may stay free although somebody waits. */
static bool is_blocked(const struct decision *d) {
    static const enum reason_code codes[] = {
        REASON_RESERVED_FOR_TIER, REASON_BEHIND_BARRIER, REASON_LEND_LIMIT,
        REASON_WAITING_TURN,      REASON_DRAINING,       REASON_IN_CALL,
        REASON_NO_STORAGE,        REASON_NO_DATALAKE,    REASON_NO_SEATS};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (step_because(d, codes[i])) return true;
    return false;
}

void step_left(const struct step *s, int64_t left[FLAVORS_MOST]) {
    const struct fact_pool *pool = &s->facts->pool;
    for (size_t f = 0; f < pool->n_flavors; f++) left[f] = pool->flavors[f].free.n;
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        for (size_t k = 0; step_gives(d) && k < d->n_lines; k++) {
            size_t f = step_flavor(pool, d->lines[k].flavor);
            if (f < pool->n_flavors) left[f] -= d->lines[k].size * d->lines[k].count;
        }
    }
}

/* GFLOPS that the ceilings leave, with all that the plan gives to others of its own. */
static wide_t room_left(const struct step *s, size_t claim) {
    const struct plan_limits *l = &s->plan->decisions[claim].limits;
    wide_t room = INT64_MAX, back = s->facts->claims[claim].replaces.compute.n;
    if (l->has_compute) room = l->compute.n - after(s, claim, false).compute + back;
    if (!l->has_organisation_compute) return room;
    wide_t other = l->organisation_compute.n - after(s, claim, true).compute + back;
    return other < room ? other : room;
}

int holds_no_waste(const struct step *s, struct err *e) {
    int64_t left[FLAVORS_MOST] = {0};
    if (!s->plan || !s->policy) return 0;
    step_left(s, left);
    for (size_t i = 0; i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        const struct fact_claim *c = &s->facts->claims[i];
        if (d->outcome != OUTCOME_QUEUE || is_blocked(d)) continue;
        for (size_t f = 0; f < s->facts->pool.n_flavors; f++) {
            const struct fact_flavor *x = &s->facts->pool.flavors[f];
            bool names = c->flavor && step_flavor(&s->facts->pool, c->flavor) == f;
            if (c->flavor ? !names : !may_be_partial(s->policy, c))
                continue; /* without either, the best of all is wanted */
            int64_t floor = step_floor(s->policy, &s->facts->pool, c, f);
            if (floor == 0 || floor > left[f] || floor * x->rating.n > room_left(s, i)) continue;
            return err_set(e, ERR_BOOKS,
                           "%s waits for %lld units of %s, %lld are free and no rule keeps them (%s)",
                           d->claim, (long long)floor, x->name, (long long)left[f],
                           d->n_reasons && d->reasons[0].en ? d->reasons[0].en : "nothing is said");
        }
    }
    return 0;
}

/* ---- I8 ---- */

int64_t step_units(const struct decision *d, const char *flavor) {
    int64_t n = 0;
    for (size_t k = 0; k < d->n_lines; k++)
        if (strcmp(d->lines[k].flavor, flavor) == 0) n += d->lines[k].size * d->lines[k].count;
    return n;
}

/* Would what d has let w begin? Only where w waits for units and for nothing else. */
static bool would_serve(const struct step *s, const int64_t left[], size_t w, const struct decision *d) {
    const struct fact_pool *pool = &s->facts->pool;
    const struct fact_claim *c = &s->facts->claims[w];
    size_t f = c->flavor ? step_flavor(pool, c->flavor) : pool->n_flavors;
    int64_t floor = step_floor(s->policy, pool, c, f);
    return floor > 0 && floor <= left[f] + step_units(d, pool->flavors[f].name);
}

/* A guarantee comes before the tiers, and so do the award of a call and what was set aside for a barrier. */
static bool comes_first(const struct step *s, size_t i) {
    const struct decision *d = &s->plan->decisions[i];
    const struct fact_claim *c = &s->facts->claims[i];
    const struct queue_rule *q = &s->policy->queue;
    bool barrier = q->has_barrier && s->facts->now.s - c->submitted.s >= q->barrier.s;
    return barrier || c->ranked || s->facts->tenants[c->tenant].held_compute.n < d->standing.guarantee.n;
}

/* One that may have any flavor can give units back while the plan is made, after one that needed them had to
   let its turn pass: then the order of the turns says nothing of who could have been served. */
bool step_may_exchange(const struct step *s) {
    for (size_t i = 0; i < s->facts->n_claims; i++)
        if (s->facts->claims[i].ask == ASK_COMPUTE && !s->facts->claims[i].flavor) return true;
    return false;
}

int holds_tier_order(const struct step *s, struct err *e) {
    int64_t left[FLAVORS_MOST] = {0};
    if (!s->plan || !s->policy || !s->policy->queue.strict || step_may_exchange(s)) return 0;
    step_left(s, left);
    for (size_t w = 0; w < s->plan->n_decisions; w++) {
        const struct decision *waits = &s->plan->decisions[w];
        if (waits->outcome != OUTCOME_QUEUE || !waits->standing.tier || is_blocked(waits)) continue;
        for (size_t i = 0; i < s->plan->n_decisions; i++) {
            const struct decision *d = &s->plan->decisions[i];
            if (!step_gives(d) || !d->standing.tier || d->standing.rank <= waits->standing.rank ||
                comes_first(s, i) || !would_serve(s, left, w, d))
                continue;
            return err_set(e, ERR_BOOKS, "%s of tier %s is served while %s of tier %s waits", d->claim,
                           d->standing.tier, waits->claim, waits->standing.tier);
        }
    }
    return 0;
}

/* ---- I13, I14 ---- */

int holds_explained(const struct step *s, struct err *e) {
    for (size_t i = 0; s->plan && i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        bool is_said = step_gives(d);
        for (size_t k = 0; k < d->n_reasons; k++) {
            const struct reason *r = &d->reasons[k];
            if (!r->bare && (!r->en || !*r->en || !r->ko || !*r->ko))
                return err_set(e, ERR_BOOKS, "%s: the reason %s has no words", d->claim,
                               reason_code_word(r->code));
            is_said |= r->decisive;
        }
        if (!is_said)
            return err_set(e, ERR_BOOKS, "%s is %s without a reason", d->claim, outcome_word(d->outcome));
    }
    return 0;
}

int holds_fail_closed(const struct step *s, struct err *e) {
    for (size_t i = 0; s->plan && i < s->plan->n_decisions; i++) {
        const struct decision *d = &s->plan->decisions[i];
        bool unknown = !s->policy || step_because(d, REASON_EVAL_ERROR);
        if (unknown && d->outcome != OUTCOME_HOLD && d->outcome != OUTCOME_DENY)
            return err_set(e, ERR_BOOKS, "%s is %s although a rule could not be evaluated", d->claim,
                           outcome_word(d->outcome));
    }
    return 0;
}
