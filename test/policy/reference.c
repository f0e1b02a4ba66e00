/* SPDX-License-Identifier: Apache-2.0 */
#include "test/policy/reference.h"

#include <string.h>

enum { MOST = 64 };

struct ref {
    const struct policy *policy;
    const struct facts *facts;
    const int *tier;
    int64_t *given;
    bool out[MOST];             /* dropped out */
    bool awaited[FLAVORS_MOST]; /* one that comes first waits for it */
};

static const struct fact_flavor *flavor_of(const struct ref *r, size_t claim) {
    const struct fact_pool *pool = &r->facts->pool;
    for (size_t i = 0; i < pool->n_flavors; i++)
        if (strcmp(pool->flavors[i].name, r->facts->claims[claim].flavor) == 0) return &pool->flavors[i];
    return NULL;
}

/* Can servers of these sizes have so many units together? */
static bool reachable(const struct fact_flavor *f, int64_t per_server, int64_t units) {
    if (per_server > 0) return units % per_server == 0;
    bool can[1024] = {true};
    for (int64_t n = 1; n <= units; n++)
        for (size_t i = 0; i < f->n_sizes; i++)
            if (f->sizes[i] <= n && can[n - f->sizes[i]]) can[n] = true;
    return can[units];
}

/* All that a claim asks for, in units: the largest reachable count at or below it. */
static int64_t whole_of(const struct ref *r, size_t claim) {
    const struct fact_claim *c = &r->facts->claims[claim];
    const struct fact_flavor *f = flavor_of(r, claim);
    int64_t n = c->ask == ASK_UNITS ? c->units.n : c->compute.n / f->rating.n;
    while (n > 0 && !reachable(f, c->per_server, n)) n--;
    return n;
}

static bool may_shrink(const struct ref *r, size_t claim) {
    return r->facts->claims[claim].has_minimum &&
           !(r->policy->queue.has_partial && r->policy->queue.partial == 0);
}

/* The count after its next step: the first is the least it takes. 0: there is none. */
static int64_t next_of(const struct ref *r, size_t claim) {
    const struct fact_claim *c = &r->facts->claims[claim];
    const struct fact_flavor *f = flavor_of(r, claim);
    int64_t whole = whole_of(r, claim), n = r->given[claim] + 1;
    if (r->given[claim] == 0 && !may_shrink(r, claim)) return whole;
    if (r->given[claim] > 0 && !may_shrink(r, claim)) return 0;
    if (r->given[claim] == 0)
        n = c->ask == ASK_UNITS ? c->minimum_units.n : (c->minimum_compute.n + f->rating.n - 1) / f->rating.n;
    while (n <= whole && !reachable(f, c->per_server, n)) n++;
    return n <= whole ? n : 0;
}

/* ---- what is held, free, promised ---- */

static int64_t compute_given(const struct ref *r, size_t claim) {
    return r->given[claim] * flavor_of(r, claim)->rating.n;
}

static int64_t held(const struct ref *r, size_t tenant) {
    int64_t n = r->facts->tenants[tenant].held_compute.n;
    for (size_t i = 0; i < r->facts->n_claims; i++)
        if (r->facts->claims[i].tenant == tenant) n += compute_given(r, i);
    return n;
}

static int64_t held_organisation(const struct ref *r, size_t tenant) {
    const char *name = r->facts->tenants[tenant].organisation;
    int64_t n = r->facts->tenants[tenant].organisation_compute.n;
    for (size_t i = 0; i < r->facts->n_claims; i++)
        if (strcmp(r->facts->tenants[r->facts->claims[i].tenant].organisation, name) == 0)
            n += compute_given(r, i);
    return n;
}

static int64_t units_free(const struct ref *r, const struct fact_flavor *f) {
    int64_t n = f->free.n;
    for (size_t i = 0; i < r->facts->n_claims; i++)
        if (flavor_of(r, i) == f) n -= r->given[i];
    return n;
}

static int64_t compute_free(const struct ref *r) {
    int64_t n = 0;
    for (size_t i = 0; i < r->facts->pool.n_flavors; i++) {
        const struct fact_flavor *f = &r->facts->pool.flavors[i];
        n += units_free(r, f) * f->rating.n;
    }
    return n;
}

static int64_t capacity(const struct ref *r) {
    int64_t n = 0;
    for (size_t i = 0; i < r->facts->pool.n_flavors; i++)
        n += r->facts->pool.flavors[i].capacity.n * r->facts->pool.flavors[i].rating.n;
    return n;
}

static int64_t lost(const struct ref *r) {
    int64_t n = 0;
    for (size_t i = 0; i < r->facts->pool.n_flavors; i++)
        n += r->facts->pool.flavors[i].lost.n * r->facts->pool.flavors[i].rating.n;
    return n;
}

static int64_t reserved(const struct ref *r, const struct reserve_rule *x) {
    return capacity(r) * x->percent / 100;
}

static bool claims_something(const struct ref *r, size_t tenant) {
    for (size_t i = 0; i < r->facts->n_claims; i++)
        if (r->facts->claims[i].tenant == tenant) return true;
    return false;
}

static int64_t stated(const struct ref *r, size_t tenant) {
    return r->tier[tenant] < 0 ? 0 : r->policy->tiers[r->tier[tenant]].guarantee.n;
}

static int64_t promised(const struct ref *r) {
    int64_t sum = r->facts->pool.promised.guarantees.n;
    for (size_t i = 0; i < r->facts->n_tenants; i++)
        if (claims_something(r, i)) sum += stated(r, i);
    return sum;
}

static int64_t there(const struct ref *r) {
    int64_t n = capacity(r) - lost(r);
    for (size_t i = 0; i < r->policy->n_reserves; i++) n -= reserved(r, &r->policy->reserves[i]);
    return n > 0 ? n : 0;
}

/* As it can be kept: when all guarantees are more than what is there without reserves, each is scaled. */
static int64_t guarantee(const struct ref *r, size_t tenant) {
    int64_t sum = promised(r), n = there(r);
    return sum > n ? (int64_t)((wide_t)stated(r, tenant) * n / sum) : stated(r, tenant);
}

/* Of those who ask for nothing, in one sum: it is scaled like a guarantee, and not below what it may be. */
static int64_t unused_elsewhere(const struct ref *r) {
    int64_t unused = r->facts->pool.promised.unused.n, sum = promised(r), n = there(r);
    return sum > n ? (int64_t)(((wide_t)unused * n + sum - 1) / sum) : unused;
}

static int64_t unused(const struct ref *r, size_t tenant) {
    int64_t n = guarantee(r, tenant) - held(r, tenant);
    return n > 0 ? n : 0;
}

/* Beyond its own guarantee: what stays free covers the reserves of better tiers and what may not be lent of
   the unused guarantees of all others. */
static bool lending_allows(const struct ref *r, size_t claim, int64_t compute) {
    size_t tenant = r->facts->claims[claim].tenant;
    int64_t others = unused_elsewhere(r), keep = 0;
    if (r->policy->n_tiers == 0 && r->policy->n_reserves == 0) return true;
    if (compute <= unused(r, tenant)) return true;
    for (size_t i = 0; i < r->facts->n_tenants; i++)
        if (i != tenant && claims_something(r, i)) others += unused(r, i);
    int64_t percent = r->policy->borrow.id.s ? 100 - r->policy->borrow.lend_most : 100;
    keep = (others * percent + 99) / 100;
    for (size_t i = 0; i < r->policy->n_reserves; i++)
        if (r->tier[tenant] < 0 || r->tier[tenant] > r->policy->reserves[i].tier)
            keep += reserved(r, &r->policy->reserves[i]);
    return keep == 0 || compute_free(r) - compute >= keep;
}

static bool ceilings_allow(const struct ref *r, size_t claim, int64_t compute) {
    size_t tenant = r->facts->claims[claim].tenant;
    for (size_t i = 0; i < r->policy->n_ceilings; i++) {
        const struct ceiling *c = &r->policy->ceilings[i];
        int64_t now = c->per_organisation ? held_organisation(r, tenant) : held(r, tenant);
        if (c->has_compute && now + compute > c->compute.n) return false;
    }
    return true;
}

/* ---- whose turn ---- */

static bool is_lifted(const struct ref *r, size_t claim) {
    const struct queue_rule *q = &r->policy->queue;
    return q->has_lift && r->facts->now.s - r->facts->claims[claim].submitted.s >= q->lift.s;
}

static int tier_of(const struct ref *r, size_t claim) {
    int t = r->tier[r->facts->claims[claim].tenant];
    return is_lifted(r, claim) && t > 0 ? t - 1 : t;
}

static int64_t weight(const struct ref *r, size_t claim) {
    int t = tier_of(r, claim);
    return t < 0 ? 1 : r->policy->tiers[t].weight;
}

static int64_t weighed(const struct ref *r, size_t claim) {
    size_t tenant = r->facts->claims[claim].tenant;
    int64_t n = held(r, tenant), g = guarantee(r, tenant);
    if (!r->policy->queue.weigh_surplus) return n;
    return n > g ? n - g : 0;
}

static int sign(wide_t a, wide_t b) { return (a > b) - (a < b); }

static int key_of(const struct ref *r, enum order_key key, size_t a, size_t b) {
    const struct fact_claim *x = &r->facts->claims[a], *y = &r->facts->claims[b];
    switch (key) {
    case ORDER_SHARE: return sign((wide_t)weighed(r, a) * weight(r, b), (wide_t)weighed(r, b) * weight(r, a));
    case ORDER_CREDITS:
        return sign(r->facts->tenants[y->tenant].credits, r->facts->tenants[x->tenant].credits);
    case ORDER_WAIT: return sign(x->submitted.s, y->submitted.s);
    default: return claim_id_cmp(x->id, y->id);
    }
}

static bool comes_before(const struct ref *r, size_t a, size_t b) {
    size_t x = r->facts->claims[a].tenant, y = r->facts->claims[b].tenant;
    bool below_a = held(r, x) < guarantee(r, x), below_b = held(r, y) < guarantee(r, y);
    if (below_a != below_b) return below_a;
    if (r->policy->queue.strict && tier_of(r, a) != tier_of(r, b)) return tier_of(r, a) < tier_of(r, b);
    for (size_t i = 0; i < r->policy->queue.n_order; i++) {
        int order = key_of(r, r->policy->queue.order[i], a, b);
        if (order != 0) return order < 0;
    }
    return false;
}

static size_t first_of(const struct ref *r) {
    size_t best = r->facts->n_claims;
    for (size_t i = 0; i < r->facts->n_claims; i++)
        if (!r->out[i] && (best == r->facts->n_claims || comes_before(r, i, best))) best = i;
    return best;
}

/* ---- steps ---- */

/* What a ceiling is held against: the words of the request where it takes no less, not what its servers come
 * to. */
static int64_t asked_by(const struct ref *r, size_t claim, int64_t units) {
    const struct fact_claim *c = &r->facts->claims[claim];
    bool as_said = c->ask == ASK_COMPUTE && !may_shrink(r, claim);
    return as_said ? c->compute.n : units * flavor_of(r, claim)->rating.n;
}

/* Where the order does not begin with the share, what one waits for is not given to those behind it. */
static void await_units(struct ref *r, size_t claim) {
    const struct fact_flavor *f = flavor_of(r, claim);
    int64_t least = next_of(r, claim);
    bool waits = r->given[claim] == 0 && ceilings_allow(r, claim, asked_by(r, claim, least));
    if (r->policy->queue.order[0] != ORDER_SHARE && waits && least > units_free(r, f) &&
        least <= f->capacity.n) /* else it is denied */
        r->awaited[f - r->facts->pool.flavors] = true;
}

static bool take_step(struct ref *r, size_t claim) {
    const struct fact_flavor *f = flavor_of(r, claim);
    int64_t next = next_of(r, claim), units = next - r->given[claim];
    if (r->awaited[f - r->facts->pool.flavors] || next == 0 || units > units_free(r, f) ||
        !ceilings_allow(r, claim, asked_by(r, claim, units)) ||
        !lending_allows(r, claim, units * f->rating.n))
        return false;
    r->given[claim] = next;
    return true;
}

static bool round_of_steps(struct ref *r) {
    bool gave = false;
    size_t claim;
    memset(r->out, 0, sizeof r->out);
    memset(r->awaited, 0, sizeof r->awaited);
    while ((claim = first_of(r)) < r->facts->n_claims) {
        if (take_step(r, claim)) {
            gave = true;
        } else {
            await_units(r, claim);
            r->out[claim] = true;
        }
    }
    return gave;
}

void reference_fill(const struct policy *policy, const struct facts *facts, const int tier[],
                    int64_t given[]) {
    struct ref r = {.policy = policy, .facts = facts, .tier = tier, .given = given};
    for (size_t i = 0; i < facts->n_claims; i++) given[i] = 0;
    while (round_of_steps(&r)) continue;
}
