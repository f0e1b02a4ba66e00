/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets what: one cohort of claims against what is free. Pure integer work on struct planning. */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t rating_of(const struct planning *p, size_t lane) { return p->lanes[lane].flavor->rating.n; }

/* ---- giving and taking back ---- */

static void give_units(struct planning *p, struct work *w, size_t lane, int64_t units) {
    int64_t compute = units * rating_of(p, lane);
    p->lanes[lane].free -= units;
    w->options[lane].given += units;
    w->given_compute += compute;
    w->seat->given_compute += compute;
    w->organisation->given_compute += compute;
}

static void give_storage(struct planning *p, struct work *w, int64_t storage) {
    p->storage_free -= storage;
    w->seat->given_storage += storage;
    w->organisation->given_storage += storage;
}

static void take_back(struct planning *p, struct work *w) {
    if (!w->placed) return;
    for (size_t i = 0; i < p->n_lanes; i++)
        if (w->options[i].given > 0) give_units(p, w, i, -w->options[i].given);
    give_storage(p, w, -w->bytes);
    w->placed = false;
}

/* ---- choosing a flavor ---- */

/* Has lane a more of its units free, relative to all it has, than lane b? Equal: the earlier in the policy.
 */
static bool has_more_slack(const struct planning *p, size_t a, size_t b) {
    const struct lane *x = &p->lanes[a], *y = &p->lanes[b];
    wide_t left = (wide_t)x->free * y->flavor->capacity.n, right = (wide_t)y->free * x->flavor->capacity.n;
    return left > right || (left == right && a < b);
}

/* Units of this flavor that it may have now: at most what it asks, under its ceilings. */
static int64_t most_now(const struct planning *p, const struct work *w, size_t lane) {
    int64_t room = room_compute(w), most = w->options[lane].most;
    if (room == INT64_MAX || most == 0) return most;
    return room <= 0 ? 0 : smaller(most, claim_down(p, w, lane, room / rating_of(p, lane)));
}

static bool lane_open(const struct planning *p, size_t lane, int64_t units) {
    return units > 0 && !p->lanes[lane].awaited && units <= p->lanes[lane].free;
}

/* The most that it can ask for now, given its ceilings, whatever is free: GFLOPS, or units with ASK_UNITS. */
static int64_t whole_now(const struct planning *p, const struct work *w) {
    int64_t best = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t n = most_now(p, w, i);
        if (w->claim->ask == ASK_COMPUTE) n *= rating_of(p, i);
        if (n > best) best = n;
    }
    return best;
}

/* ---- placing one claim ---- */

struct piece {
    size_t lane;
    int64_t units;
};

/* Over several flavors, those with most slack first: at least `least` and at most `most` GFLOPS, taking no
   more than `aim` asks for. The number of pieces, 0 when it cannot be done. */
static size_t mix(const struct planning *p, const struct work *w, int64_t aim, int64_t least, int64_t most,
                  struct piece pieces[]) {
    size_t n = 0, order[LANES_MOST], k = 0;
    int64_t sum = 0;
    for (size_t i = 0; i < p->n_lanes && k < LANES_MOST; i++) {
        size_t at = k++;
        for (; at > 0 && has_more_slack(p, i, order[at - 1]); at--) order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t i = 0; i < k && sum < aim; i++) {
        size_t lane = order[i];
        if (p->lanes[lane].awaited || w->options[lane].wanted == 0) continue;
        int64_t rating = rating_of(p, lane), left = aim - sum;
        int64_t units = claim_up(p, w, lane, left / rating + (left % rating > 0));
        if (units > p->lanes[lane].free || sum + units * rating > most)
            units = claim_down(p, w, lane, smaller(p->lanes[lane].free, (most - sum) / rating));
        if (units == 0) continue;
        pieces[n++] = (struct piece){lane, units};
        sum += units * rating;
    }
    return sum >= least && sum <= most ? n : 0;
}

static bool storage_open(const struct planning *p, const struct work *w) {
    return w->bytes == 0 || (!p->storage_awaited && w->bytes <= p->storage_free);
}

static bool place(struct planning *p, struct work *w, const struct piece pieces[], size_t n) {
    if (!storage_open(p, w)) return false;
    for (size_t i = 0; i < n; i++) give_units(p, w, pieces[i].lane, pieces[i].units);
    give_storage(p, w, w->bytes);
    w->lane = n > 0 ? pieces[0].lane : 0;
    w->placed = true;
    return true;
}

static bool is_mixable(const struct work *w) { return w->claim->ask == ASK_COMPUTE && !w->claim->flavor; }

/* All that it asks for, from one flavor if one has it. */
static bool place_whole(struct planning *p, struct work *w) {
    struct piece pieces[LANES_MOST];
    if (w->claim->ask == ASK_NONE) return place(p, w, NULL, 0);
    if (w->mixed) {
        if (w->whole > room_compute(w)) return false;
        size_t n = mix(p, w, w->whole, w->whole, w->whole, pieces);
        return n > 0 && place(p, w, pieces, n);
    }
    int64_t whole = whole_now(p, w);
    bool found = false, in_units = w->claim->ask == ASK_UNITS;
    if (whole < (in_units ? w->whole_units : w->whole))
        return false; /* the ceiling stops it: not all it asks */
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t units = most_now(p, w, i);
        int64_t amount = w->claim->ask == ASK_COMPUTE ? units * rating_of(p, i) : units;
        if (amount != whole || !lane_open(p, i, units)) continue;
        if (!found || has_more_slack(p, i, pieces[0].lane)) pieces[0] = (struct piece){i, units};
        found = true;
    }
    return found && place(p, w, pieces, 1);
}

/* The least that it takes. */
static bool place_floor(struct planning *p, struct work *w) {
    struct piece pieces[LANES_MOST];
    bool found = false;
    if (!w->claim->has_minimum || w->claim->ask == ASK_NONE) return place_whole(p, w);
    int64_t room = room_compute(w);
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t units = w->options[i].floor;
        if (!lane_open(p, i, units) || units * rating_of(p, i) > room) continue;
        if (!found || has_more_slack(p, i, pieces[0].lane)) pieces[0] = (struct piece){i, units};
        found = true;
    }
    if (found) return place(p, w, pieces, 1);
    if (!is_mixable(w)) return false;
    int64_t least = w->claim->minimum_compute.n;
    size_t n = mix(p, w, least, least, smaller(room, w->ask), pieces);
    return n > 0 && place(p, w, pieces, n);
}

/* ---- filling ---- */

/* The next reachable step of a claim in one flavor; 0: none. */
static int64_t step_in(const struct planning *p, struct work *w, size_t lane) {
    const struct option *o = &w->options[lane];
    int64_t next = claim_up(p, w, lane, o->given + 1), step = next - o->given;
    int64_t compute = step * rating_of(p, lane);
    if (o->wanted == 0 || next > o->wanted) return 0;
    if (w->claim->ask == ASK_COMPUTE && w->given_compute + compute > w->ask) return 0;
    if (compute > room_compute(w)) {
        w->ceiling_stops = true;
        return 0;
    }
    return step;
}

/* It stays in the flavor it began with while that has units; then, if it named none, it may go on in others.
 */
static bool step_find(const struct planning *p, struct work *w, size_t *lane, int64_t *units) {
    bool found = false;
    *lane = w->lane;
    *units = step_in(p, w, w->lane);
    if (*units == 0) return false;
    if (lane_open(p, w->lane, *units)) return true;
    if (!is_mixable(w)) return false;
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t step = i == w->lane ? 0 : step_in(p, w, i);
        if (!lane_open(p, i, step) || (found && !has_more_slack(p, i, *lane))) continue;
        *lane = i;
        *units = step;
        found = true;
    }
    return found;
}

static struct share_key key_of(const struct planning *p, const struct work *w, size_t order) {
    return (struct share_key){.held = w->seat->compute + w->seat->given_compute,
                              .capacity = p->capacity,
                              .weight = 1,
                              .submitted = w->claim->submitted.s,
                              .order = order};
}

/* One step at a time to the lowest share before the step, until nobody can take one. What cannot take its
   step drops out for good: nothing comes free while filling. */
static void fill(struct planning *p, size_t first, size_t end) {
    struct share_heap heap = {0};
    for (size_t i = first; i < end; i++) {
        struct work *w = &p->works[i];
        if (!w->placed || !w->claim->has_minimum || w->claim->ask == ASK_NONE) continue;
        struct share_key key = key_of(p, w, i);
        share_put(&heap, &key, i);
    }
    while (heap.n > 0) {
        struct share_key key;
        size_t i = share_take(&heap, &key), lane;
        struct work *w = &p->works[i];
        struct share_key now = key_of(p, w, i);
        int64_t units;
        if (share_cmp(&now, &key) != 0) { /* another claim of the same tenant has taken a step since */
            share_put(&heap, &now, i);
            continue;
        }
        if (!step_find(p, w, &lane, &units)) continue;
        give_units(p, w, lane, units);
        now = key_of(p, w, i);
        share_put(&heap, &now, i);
    }
    share_free(&heap);
}

/* ---- exchanging ---- */

/* The next larger sum that a claim could have from one other flavor in place of all it has; false: none. */
static bool exchange_find(const struct planning *p, const struct work *w, size_t *lane, int64_t *units) {
    int64_t room = room_compute(w), least = 0;
    int64_t most = room == INT64_MAX || w->given_compute + room > w->ask ? w->ask : w->given_compute + room;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct option *o = &w->options[i];
        if (o->wanted == 0 || p->lanes[i].awaited) continue;
        int64_t n = claim_up(p, w, i, w->given_compute / rating_of(p, i) + 1), sum = n * rating_of(p, i);
        if (n > p->lanes[i].free + o->given || sum > most || (least > 0 && sum >= least)) continue;
        least = sum;
        *lane = i;
        *units = n;
    }
    return least > 0;
}

static int key_order(const void *a, const void *b) { return share_cmp(a, b); }

/* Those that named no flavor may change it while nothing is provisioned: a card too large to be added to what
   a claim has is taken instead of it, by the lowest share first, and what that returns is filled again. */
static bool exchange(struct planning *p, size_t first, size_t end) {
    struct share_key *keys = mem_alloc((end - first) * sizeof *keys);
    bool moved = false;
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        const struct work *w = &p->works[i];
        if (w->placed && w->claim->has_minimum && is_mixable(w)) keys[n++] = key_of(p, w, i);
    }
    qsort(keys, n, sizeof *keys, key_order);
    for (size_t k = 0; k < n; k++) {
        struct work *w = &p->works[keys[k].order];
        size_t lane;
        int64_t units;
        if (!exchange_find(p, w, &lane, &units)) continue;
        for (size_t i = 0; i < p->n_lanes; i++)
            if (w->options[i].given > 0) give_units(p, w, i, -w->options[i].given);
        give_units(p, w, lane, units);
        w->lane = lane;
        moved = true;
    }
    free(keys);
    return moved;
}

/* ---- waiting ---- */

static void wait_why(const struct planning *p, struct work *w) {
    w->outcome = OUTCOME_QUEUE;
    bool units_open = w->claim->ask == ASK_NONE, turn = false;
    for (size_t i = 0; i < p->n_lanes && !w->mixed; i++) {
        int64_t floor = w->options[i].floor;
        if (floor == 0 || floor > p->lanes[i].free) continue;
        if (p->lanes[i].awaited)
            turn = true;
        else
            units_open = true;
    }
    for (size_t i = 0; i < p->n_lanes; i++) turn |= w->mixed && p->lanes[i].awaited;
    if (w->bytes > p->storage_free)
        w->lacks_storage = true;
    else if (w->bytes > 0 && p->storage_awaited)
        w->lacks_turn = true;
    if (units_open && (w->lacks_storage || w->lacks_turn)) return;
    if (turn)
        w->lacks_turn = true;
    else
        w->lacks_units = true;
}

/* What it waits for is not given to younger cohorts. */
static void await(struct planning *p, const struct work *w) {
    bool open = w->claim->ask == ASK_NONE;
    for (size_t i = 0; i < p->n_lanes && !open; i++) open = !w->mixed && lane_open(p, i, w->options[i].floor);
    for (size_t i = 0; i < p->n_lanes && !open; i++)
        if (w->mixed ? w->options[i].wanted > 0 : w->options[i].floor > 0) p->lanes[i].awaited = true;
    if (w->bytes > 0 && !storage_open(p, w)) p->storage_awaited = true;
}

/* ---- a cohort ---- */

static bool is_open(const struct work *w) { return w->outcome == OUTCOME_GRANT; }

/* Everybody gets everything, or nothing has happened. */
static bool all_whole(struct planning *p, size_t first, size_t end) {
    size_t i = first;
    for (; i < end; i++) {
        struct work *w = &p->works[i];
        if (is_open(w) && (!room_allows(p, w) || !place_whole(p, w))) break;
    }
    if (i == end) return true;
    while (i-- > first) take_back(p, &p->works[i]);
    return false;
}

static void floors(struct planning *p, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        struct work *w = &p->works[i];
        if (!is_open(w)) continue;
        judge_room(p, w); /* with what its tenant and organisation got before it */
        if (is_open(w) && !place_floor(p, w)) wait_why(p, w);
    }
}

void allot_cohort(struct planning *p, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        struct work *w = &p->works[i];
        if (w->outcome != OUTCOME_DENY) judge_room(p, w);
        if (is_open(w) && p->facts->pool.draining) w->outcome = OUTCOME_QUEUE;
    }
    if (!all_whole(p, first, end)) {
        floors(p, first, end);
        do fill(p, first, end);
        while (exchange(p, first, end));
    }
    for (size_t i = first; i < end; i++)
        if (p->works[i].outcome == OUTCOME_QUEUE && !p->facts->pool.draining) await(p, &p->works[i]);
}
