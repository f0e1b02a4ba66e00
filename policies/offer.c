/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could be had instead. For one that waits: the largest grant possible now, when everybody else was
 * served, under the same rules; where the policy states how long an offer is held, what is offered to one is
 * not offered to another, and a tenant has one. For one that is denied: the most that would pass.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

static int64_t rating_of(const struct planning *p, size_t lane) { return p->lanes[lane].flavor->rating.n; }

/* `compute` in units of a lane; a chip without a figure is not bounded by compute. */
static int64_t units_in(const struct planning *p, size_t lane, int64_t compute) {
    int64_t rating = rating_of(p, lane);
    return rating == 0 || compute == INT64_MAX ? UNITS_MOST : compute < 0 ? 0 : compute / rating;
}

/* ---- now ---- */

/* The most units of a lane that it could have now beside what it was given. */
static int64_t units_now(const struct planning *p, const struct work *w, size_t lane) {
    const struct option *o = &w->options[lane];
    if (o->wanted == 0 || p->lanes[lane].awaited) return 0;
    int64_t most = smaller(p->lanes[lane].free, units_in(p, lane, room_compute(w)));
    most = smaller(most, room_units(p, w, lane));
    if (w->claim->ask == ASK_COMPUTE) most = smaller(most, units_in(p, lane, w->ask - w->given_compute));
    int64_t lent = smaller(units_in(p, lane, lend_compute(p, w)), barrier_left(p, w, lane));
    int64_t n = claim_down(p, w, lane, smaller(o->wanted, o->given + smaller(most, lent))) - o->given;
    int64_t own = claim_down(p, w, lane, smaller(o->wanted, o->given + most)) - o->given;
    while (own > n && !lend_is_own(w, own * rating_of(p, lane)))
        own = claim_down(p, w, lane, o->given + own - 1) - o->given;
    return own > n ? own : n > 0 ? n : 0;
}

static bool best_now(const struct planning *p, const struct work *w, size_t *lane, int64_t *units) {
    int64_t best = 0;
    *lane = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t n = units_now(p, w, i), amount = w->claim->ask == ASK_COMPUTE ? n * rating_of(p, i) : n;
        if (amount < best || amount == 0 || (amount == best && !has_more_slack(p, i, *lane))) continue;
        best = amount;
        *lane = i;
        *units = n;
    }
    return best > 0;
}

static void take_units(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->n_lanes; i++)
        if (w->options[i].given > 0) give_units(p, w, i, -w->options[i].given);
}

/* What the request itself would not take is no offer. */
static bool is_below_minimum(const struct planning *p, const struct work *w) {
    const struct fact_claim *c = w->claim;
    int64_t units = 0;
    if (!c->has_minimum) return false;
    for (size_t i = 0; i < p->n_lanes; i++) units += w->options[i].given;
    return c->ask == ASK_UNITS ? units < c->minimum_units.n : w->given_compute < c->minimum_compute.n;
}

/* Of one flavor; what may be spread goes on in others. */
static bool give_offer(struct planning *p, struct work *w) {
    size_t lane;
    int64_t units;
    bool spread = is_mixable(w) && (w->has_minimum || w->mixed), given = false;
    while (best_now(p, w, &lane, &units)) {
        give_units(p, w, lane, units);
        given = true;
        if (!spread) break;
    }
    if (!given || !is_below_minimum(p, w)) return given;
    take_units(p, w);
    return false;
}

static void take_offer(struct planning *p, struct work *w) {
    take_units(p, w);
    rest_give(p, w, -1);
}

/* Not longer than the claim wants the thing itself: taken later, it would be over before it began. Nor past
   the day on which it may become a barrier: one with an offer is none, and from then on more is set aside for
   it. */
static instant_t held_until(const struct planning *p, const struct work *w) {
    instant_t until = instant_after(p->facts->now, p->queue->hold);
    const struct maybe_instant *end = &w->claim->until;
    if (end->has && end->at.s < until.s) until = end->at;
    if (!p->queue->has_barrier) return until;
    instant_t barrier = instant_after(w->claim->submitted, p->queue->barrier);
    return barrier.s > p->facts->now.s && barrier.s < until.s ? barrier : until;
}

void offers_make(struct planning *p, const size_t *queued, size_t n, struct decision *decisions) {
    const struct queue_rule *q = p->queue;
    bool *held = mem_alloc(n * sizeof *held);
    for (size_t i = 0; i < p->n_lanes; i++) p->lanes[i].awaited = false;
    rest_await_none(p);
    for (size_t i = 0; i < n; i++) {
        struct work *w = &p->works[queued[i]];
        struct decision *d = &decisions[w->input];
        bool hold = q->has_hold && !w->is_barrier; /* for a barrier more is set aside than its offer */
        bool may = w->claim->ask != ASK_NONE && rest_fits(p, w) && w->bytes + w->lake <= room_storage(w);
        if (may && !(hold && w->seat->offered) && give_offer(p, w)) {
            rest_give(p, w, 1);
            d->offer = (struct plan_offer){
                .has = true, .compute = gflops(w->given_compute), .storage = bytes(w->bytes)};
            if (hold) d->offer.until = (struct maybe_instant){true, held_until(p, w)};
            rest_make(p, w, &d->offer.datalake, &d->offer.seats, &d->offer.n_seats);
            lines_make(p, w, &d->offer.lines, &d->offer.n_lines);
            held[i] = hold;
            w->seat->offered |= hold;
            if (!held[i]) take_offer(p, w);
        }
        if (!p->sharing || p->in_line) await(p, w);
    }
    for (size_t i = 0; i < n; i++)
        if (held[i]) take_offer(p, &p->works[queued[i]]);
    free(held);
}

/* ---- instead of a denial ---- */

/* Does it fail by an amount only? Then a smaller, or for `small` a larger one may pass. */
static bool fails_by_amount(const struct work *w, bool *small) {
    for (size_t i = 0; i < w->reasons.n; i++) {
        const struct reason *r = &w->reasons.list[i];
        if (!r->decisive) continue;
        if (r->code != REASON_EXCEEDS_CEILING && r->code != REASON_EXCEEDS_BUDGET &&
            r->code != REASON_EXCEEDS_POOL && r->code != REASON_BELOW_SMALLEST_STEP)
            return false;
        *small |= r->code == REASON_BELOW_SMALLEST_STEP;
    }
    return true;
}

static bool best_pass(const struct planning *p, const struct work *w, bool small, size_t *lane,
                      int64_t *units) {
    int64_t best = 0, room = smaller(room_compute(w), w->pass_compute);
    *lane = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        if (!lane_usable(p, w, i)) continue;
        int64_t most = smaller(p->lanes[i].flavor->capacity.n, units_in(p, i, room)), n;
        int64_t ask = w->claim->ask == ASK_UNITS ? w->claim->units.n : units_in(p, i, w->claim->compute.n);
        most = smaller(most, room_units(p, w, i));
        n = claim_down(p, w, i, smaller(most, ask));
        if (n == 0 && small) {
            n = claim_up(p, w, i, 1);
            if (n > most) continue;
        }
        int64_t amount = w->claim->ask == ASK_UNITS ? n : n * rating_of(p, i);
        bool better = small && best > 0 ? amount < best : amount > best;
        if (amount == 0 || !better) continue;
        best = amount;
        *lane = i;
        *units = n;
    }
    return best > 0;
}

static int64_t storage_pass(const struct planning *p, const struct work *w) {
    const struct fact_pool *pool = &p->facts->pool;
    int64_t granule = pool->granule.n > 0 ? pool->granule.n : 1, asked = w->claim->storage.n;
    int64_t most = smaller(smaller(room_storage(w), w->pass_storage), pool->storage_capacity.n);
    if (asked > 0 && asked < granule) asked = granule;
    most = smaller(most, asked);
    return most > 0 ? most / granule * granule : 0;
}

void offer_pass(struct planning *p, struct work *w, struct decision *d) {
    size_t lane;
    int64_t units, storage;
    bool small = false;
    if (!p->policy || !w->eligible || !fails_by_amount(w, &small)) return;
    storage = storage_pass(p, w);
    if (w->claim->ask != ASK_NONE && best_pass(p, w, small, &lane, &units)) {
        w->options[lane].given = units;
        lines_make(p, w, &d->offer.lines, &d->offer.n_lines);
        d->offer.compute = gflops(units * rating_of(p, lane));
        w->options[lane].given = 0;
    }
    d->offer.storage = bytes(storage);
    d->offer.has = d->offer.n_lines > 0 || storage > 0;
}
