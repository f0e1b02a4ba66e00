/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees, lending and reserves. Within its own guarantee a tenant draws on whatever is free. Beyond it,
 * what stays free must cover the reserves of tiers better than its own and, of the unused guarantees of all
 * others, what may not be lent. Sums are kept as units are given, so that the question costs nothing.
 *
 * When the pool cannot keep all guarantees (units are lost), each is scaled by the same ratio
 * available / sum of guarantees, rounded down.
 */
#include "policies/planning.h"

static int64_t part(int64_t n, int64_t of, int64_t by) { return (int64_t)((wide_t)n * of / by); }

static int64_t part_up(int64_t n, int64_t of, int64_t by) {
    int64_t small;
    if (!__builtin_mul_overflow(n, of, &small) && !__builtin_add_overflow(small, by - 1, &small))
        return small / by; /* asked at each step: a division of 128 bits takes far longer */
    return (int64_t)(((wide_t)n * of + by - 1) / by);
}

static bool lends(const struct planning *p) {
    return p->policy && (p->policy->n_tiers > 0 || p->policy->n_reserves > 0);
}

/* ---- before anything is given ---- */

/* reserved[t]: not for tier t; without a tier: nothing of any reserve. Returns the sum on compute. */
static int64_t reserves_begin(struct planning *p) {
    int64_t sum = 0;
    for (size_t i = 0; i < p->policy->n_reserves; i++) {
        const struct reserve_rule *r = &p->policy->reserves[i];
        int64_t of = r->storage ? p->facts->pool.storage_capacity.n : p->capacity;
        int64_t amount = part(of, r->percent, 100),
                *list = r->storage ? p->reserved_storage : p->reserved_compute;
        for (size_t t = (size_t)r->tier + 1; t <= p->policy->n_tiers; t++) list[t] += amount;
        if (!r->storage) sum += amount;
    }
    return sum;
}

/* What its tier promises the tenant of a claim, whether or not this very claim may have it. */
static int64_t guarantee_stated(struct planning *p, const struct work *w) {
    if (w->tier < 0 || w->tenant->suspended) return 0;
    int64_t stated = p->policy->tiers[w->tier].guarantee.n;
    if (stated == 0 || (w->eligible && !w->claim->override_rule)) return stated;
    struct eval eval = {0};
    eval_tenant(&eval, p->policy, p->facts, w->tenant);
    return tenant_is_eligible(p->policy, &eval) ? stated : 0;
}

static int64_t unused_of(const struct party *seat) {
    return larger(0, seat->guarantee - seat->compute - seat->given_compute);
}

void lend_begin(struct planning *p) {
    if (!lends(p)) return;
    const struct fact_pool *pool = &p->facts->pool;
    int64_t lost = 0, reserved = reserves_begin(p), capacity = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct fact_flavor *f = p->lanes[i].flavor;
        capacity += f->capacity.n * f->rating.n;
        lost += f->lost.n * f->rating.n;
    }
    p->available = larger(0, capacity - lost - reserved);
    for (size_t i = 0; i < p->n; i++) p->works[i].seat->guarantee = guarantee_stated(p, &p->works[i]);
    wide_t sum = pool->promised.guarantees.n;
    for (size_t i = 0; i < p->n_seats; i++) sum += p->seats[i].guarantee;
    p->guarantees = sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
    bool scaled = p->guarantees > p->available;
    p->unused =
        scaled ? part_up(pool->promised.unused.n, p->available, p->guarantees) : pool->promised.unused.n;
    for (size_t i = 0; i < p->n_seats; i++) {
        struct party *seat = &p->seats[i];
        if (scaled) seat->guarantee = part(seat->guarantee, p->available, p->guarantees);
        p->unused += unused_of(seat);
    }
}

void lend_given(struct planning *p, struct party *seat, int64_t compute) {
    if (seat->guarantee == 0) return;
    p->unused -= unused_of(seat);
    seat->given_compute += compute;
    p->unused += unused_of(seat);
    seat->given_compute -= compute;
}

/* ---- a draw ---- */

/* With what this plan may not give. */
int64_t lend_free_compute(const struct planning *p) {
    return p->free_compute + p->facts->pool.beside_compute.n;
}
int64_t lend_free_storage(const struct planning *p) {
    return p->storage_free + p->facts->pool.beside_storage.n;
}

static size_t tier_row(const struct planning *p, const struct work *w) {
    return w->tier < 0 ? p->policy->n_tiers : (size_t)w->tier;
}

static int64_t percent_kept(const struct planning *p) {
    return p->policy->borrow.id.s ? 100 - p->policy->borrow.lend_most : 100;
}

int64_t lend_own_left(const struct work *w) {
    const struct party *s = w->seat;
    return larger(0, s->guarantee - (s->compute + s->given_compute - w->claim->replaces.compute.n));
}

bool lend_is_own(const struct work *w, int64_t compute) { return compute > 0 && compute <= lend_own_left(w); }

/* What must stay free of the guarantees of the others. */
static int64_t lend_kept(const struct planning *p, const struct work *w) {
    return part_up(p->unused - unused_of(w->seat), percent_kept(p), 100);
}

int64_t lend_compute(const struct planning *p, const struct work *w) {
    if (!lends(p)) return INT64_MAX;
    int64_t kept = p->reserved_compute[tier_row(p, w)] + lend_kept(p, w);
    if (kept == 0) return INT64_MAX;
    return larger(lend_own_left(w), lend_free_compute(p) - kept);
}

int64_t lend_storage(const struct planning *p, const struct work *w) {
    int64_t kept = lends(p) ? p->reserved_storage[tier_row(p, w)] : 0;
    return kept == 0 ? INT64_MAX : larger(0, lend_free_storage(p) - kept);
}

bool lend_holds(const struct planning *p, const struct work *w) {
    if (!lends(p)) return true;
    const struct party *s = w->seat;
    size_t row = tier_row(p, w);
    bool own = s->compute + s->given_compute <= s->guarantee;
    return (own || w->given_compute == 0 ||
            lend_free_compute(p) >= p->reserved_compute[row] + lend_kept(p, w)) &&
           (w->bytes == 0 || lend_free_storage(p) >= p->reserved_storage[row]);
}

/* ---- why not ---- */

static struct shortage shortage_of(struct shortage s) {
    int64_t stays = s.free - s.draw;
    s.is_short = s.draw > 0 && stays < s.reserve + s.lend;
    if (!s.is_short) return s;
    s.by_reserve = s.reserve > 0 && (stays >= s.lend || stays < s.reserve);
    s.by_lend = !s.by_reserve || (s.lend > 0 && stays < s.lend);
    return s;
}

struct shortage lend_shortage(const struct planning *p, const struct work *w, int64_t draw, int64_t more) {
    if (!lends(p) || draw == 0 || draw <= lend_own_left(w)) return (struct shortage){0};
    return shortage_of((struct shortage){.free = lend_free_compute(p) + more,
                                         .more = more,
                                         .draw = draw,
                                         .reserve = p->reserved_compute[tier_row(p, w)],
                                         .lend = lend_kept(p, w)});
}

struct shortage lend_shortage_storage(const struct planning *p, const struct work *w) {
    if (!lends(p)) return (struct shortage){0};
    return shortage_of((struct shortage){
        .free = lend_free_storage(p), .draw = w->bytes, .reserve = p->reserved_storage[tier_row(p, w)]});
}

const struct reserve_rule *lend_reserve(const struct planning *p, const struct work *w, bool storage) {
    const struct reserve_rule *found = NULL;
    for (size_t i = 0; i < p->policy->n_reserves; i++) {
        const struct reserve_rule *r = &p->policy->reserves[i];
        if (r->storage != storage || (w->tier >= 0 && w->tier <= r->tier)) continue;
        if (!found || r->percent > found->percent) found = r;
    }
    return found;
}
