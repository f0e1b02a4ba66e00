/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a claim its first step, or all it asks for. Pure integer work on struct planning. */
#include "policies/planning.h"

static int64_t rating_of(const struct planning *p, size_t lane) { return p->lanes[lane].flavor->rating.n; }

/* ---- giving and taking back ---- */

void give_units(struct planning *p, struct work *w, size_t lane, int64_t units) {
    int64_t compute = units * rating_of(p, lane);
    p->lanes[lane].free -= units;
    p->free_compute -= compute;
    lend_given(p, w->seat, compute);
    w->seat->moved = w->organisation->moved = true;
    w->options[lane].given += units;
    items_give_units(w, lane, units);
    budgets_give(w, compute, 0);
    w->given_compute += compute;
    w->seat->given_compute += compute;
    w->organisation->given_compute += compute;
}

void take_back(struct planning *p, struct work *w) {
    if (!w->placed) return;
    for (size_t i = 0; i < p->n_lanes; i++)
        if (w->options[i].given > 0) give_units(p, w, i, -w->options[i].given);
    rest_give(p, w, -1);
    w->placed = false;
}

/* ---- choosing a flavor ---- */

/* Has lane a more of its units free, relative to all it has, than lane b? Equal: the earlier in the policy.
 */
bool has_more_slack(const struct planning *p, size_t a, size_t b) {
    const struct lane *x = &p->lanes[a], *y = &p->lanes[b];
    wide_t left = (wide_t)x->free * y->flavor->capacity.n, right = (wide_t)y->free * x->flavor->capacity.n;
    return left > right || (left == right && a < b);
}

/* Units of this flavor that it may have now: at most what it asks, under its ceilings. */
int64_t most_now(const struct planning *p, const struct work *w, size_t lane) {
    int64_t room = room_compute(w), most = w->options[lane].most, units = room_units(p, w, lane);
    if (most > units) most = units <= 0 ? 0 : claim_down(p, w, lane, units);
    if (room == INT64_MAX || most == 0 || rating_of(p, lane) == 0) return most;
    return room <= 0 ? 0 : smaller(most, claim_down(p, w, lane, room / rating_of(p, lane)));
}

bool lane_open(const struct planning *p, const struct work *w, size_t lane, int64_t units) {
    if (units <= 0 || p->lanes[lane].awaited || units > p->lanes[lane].free) return false;
    if (units > room_units(p, w, lane)) return false;
    int64_t compute = units * rating_of(p, lane);
    if (lend_is_own(w, compute)) return true;
    return compute <= lend_compute(p, w) && units <= barrier_left(p, w, lane);
}

/* The most that it can ask for now, given its ceilings, whatever is free: GFLOPS, or units with ASK_UNITS. */
int64_t whole_now(const struct planning *p, const struct work *w) {
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
static size_t mix_of(const struct planning *p, const struct work *w, int64_t aim, int64_t least, int64_t most,
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
        int64_t rating = rating_of(p, lane), left = aim - sum, have = barrier_left(p, w, lane);
        have = smaller(have, room_units(p, w, lane));
        int64_t units = claim_up(p, w, lane, left / rating + (left % rating > 0));
        if (units > have || sum + units * rating > most)
            units = claim_down(p, w, lane, smaller(have, (most - sum) / rating));
        if (units == 0) continue;
        pieces[n++] = (struct piece){lane, units};
        sum += units * rating;
    }
    return sum >= least && sum <= most ? n : 0;
}

static size_t mix(const struct planning *p, const struct work *w, int64_t aim, int64_t least, int64_t most,
                  struct piece pieces[]) {
    return mix_of(p, w, aim, least, smaller(most, lend_compute(p, w)), pieces);
}

static bool place(struct planning *p, struct work *w, const struct piece pieces[], size_t n) {
    if (!rest_fits(p, w)) return false;
    for (size_t i = 0; i < n; i++) give_units(p, w, pieces[i].lane, pieces[i].units);
    rest_give(p, w, 1);
    w->lane = n > 0 ? pieces[0].lane : 0;
    w->seat->moved = w->organisation->moved = true;
    w->placed = true;
    return true;
}

bool is_mixable(const struct work *w) { return w->claim->ask == ASK_COMPUTE && !w->claim->flavor; }

/* All that it asks for, from one flavor if one has it. */
bool place_whole(struct planning *p, struct work *w) {
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
        if (amount != whole || !lane_open(p, w, i, units)) continue;
        if (!found || has_more_slack(p, i, pieces[0].lane)) pieces[0] = (struct piece){i, units};
        found = true;
    }
    return found && place(p, w, pieces, 1);
}

/* A cohort spreads over the flavors; where steps go by share the smallest is taken, so that most get one. */
static bool floor_is_better(const struct planning *p, struct piece a, struct piece b) {
    int64_t x = a.units * rating_of(p, a.lane), y = b.units * rating_of(p, b.lane);
    if (p->sharing && x != y) return x < y;
    return has_more_slack(p, a.lane, b.lane);
}

static bool place_floor_mixed(struct planning *p, struct work *w, int64_t room) {
    struct piece pieces[LANES_MOST];
    int64_t least = w->claim->minimum_compute.n;
    if (least > p->free_compute) return false;
    size_t n = mix(p, w, least, least, smaller(room, w->ask), pieces);
    return n > 0 && place(p, w, pieces, n);
}

/* The least that it takes. */
bool place_floor(struct planning *p, struct work *w) {
    struct piece best = {0};
    bool found = false;
    if (!w->has_minimum || w->claim->ask == ASK_NONE) return place_whole(p, w);
    int64_t room = room_compute(w);
    for (size_t i = 0; i < p->n_lanes; i++) {
        struct piece one = {i, w->options[i].floor};
        if (!lane_open(p, w, i, one.units) || one.units * rating_of(p, i) > room) continue;
        if (!found || floor_is_better(p, one, best)) best = one;
        found = true;
    }
    if (found) return place(p, w, &best, 1);
    return is_mixable(w) && place_floor_mixed(p, w, room);
}

/* ---- everybody ---- */

bool is_open(const struct work *w) { return w->outcome == OUTCOME_GRANT; }

bool place_all(struct planning *p, const size_t *works, size_t n) {
    size_t i = 0;
    for (; i < n; i++) {
        struct work *w = &p->works[works[i]];
        if (is_open(w) && (!room_allows(p, w) || !place_whole(p, w))) break;
    }
    if (i == n) return true;
    while (i-- > 0) take_back(p, &p->works[works[i]]);
    return false;
}

/* ---- waiting ---- */

/* What stops the first step in one flavor, least to most: nothing, an older one, a barrier, the others'
   share, too few units. */
enum stop { STOP_NOTHING, STOP_TURN, STOP_BARRIER, STOP_LENDING, STOP_UNITS };

static enum stop stop_of(const struct planning *p, const struct work *w, size_t lane) {
    int64_t floor = w->options[lane].floor, compute = floor * rating_of(p, lane);
    if (floor > p->lanes[lane].free) return STOP_UNITS;
    if (p->lanes[lane].awaited) return STOP_TURN;
    if (lend_is_own(w, compute)) return STOP_NOTHING;
    if (lend_shortage(p, w, compute, 0).is_short) return STOP_LENDING;
    return floor > barrier_left(p, w, lane) ? STOP_BARRIER : STOP_NOTHING;
}

/* What the servers of its first step come to, were there no rule on lending: more than `least` where no sum
   is just that. */
static int64_t least_mixed(const struct planning *p, const struct work *w, int64_t least) {
    struct piece pieces[LANES_MOST];
    int64_t most = w->has_minimum ? smaller(room_compute(w), w->ask) : w->whole, sum = 0;
    size_t n = mix_of(p, w, least, least, most, pieces);
    for (size_t i = 0; i < n; i++) sum += pieces[i].units * rating_of(p, pieces[i].lane);
    return n > 0 ? sum : least;
}

static enum stop stop_mixed(const struct planning *p, const struct work *w, int64_t least) {
    bool turn = false, barrier = false;
    struct piece pieces[LANES_MOST];
    int64_t most = w->has_minimum ? smaller(room_compute(w), w->ask) : w->whole;
    if (mix(p, w, least, least, most, pieces) > 0) return STOP_NOTHING;
    for (size_t i = 0; i < p->n_lanes; i++) {
        turn |= p->lanes[i].awaited;
        barrier |= w->options[i].wanted > 0 && barrier_left(p, w, i) < p->lanes[i].free;
    }
    if (turn) return STOP_TURN;
    if (lend_shortage(p, w, least, 0).is_short) return STOP_LENDING;
    return barrier ? STOP_BARRIER : STOP_UNITS;
}

/* The lane that is nearest to letting it in says why it waits; where units are missing and what is to stay
   free would stop it even if they came back, both are said. */
static void wait_units(const struct planning *p, struct work *w) {
    enum stop nearest = STOP_UNITS;
    size_t lane = 0;
    int64_t least = w->has_minimum ? w->claim->minimum_compute.n : w->whole, more = 0;
    bool found = false;
    if (w->mixed) {
        nearest = stop_mixed(p, w, least);
        least = least_mixed(p, w, least);
        if (nearest == STOP_UNITS && lend_shortage(p, w, least, 0).is_short) nearest = STOP_LENDING;
    }
    for (size_t i = 0; i < p->n_lanes && !w->mixed; i++) {
        if (w->options[i].floor == 0 || w->options[i].floor * rating_of(p, i) > room_compute(w) ||
            w->options[i].floor > room_units(p, w, i))
            continue;
        enum stop stop = stop_of(p, w, i);
        if (!found || stop < nearest) nearest = stop, lane = i;
        found = true;
    }
    if (nearest == STOP_NOTHING && (w->lacks_turn || rest_waits(w))) return;
    if (nearest == STOP_NOTHING) nearest = STOP_UNITS;
    if (found && !w->mixed) {
        least = w->options[lane].floor * rating_of(p, lane);
        more = nearest == STOP_UNITS ? least - p->lanes[lane].free * rating_of(p, lane) : 0;
    }
    w->lacks_turn |= nearest == STOP_TURN;
    w->lacks_units = nearest == STOP_UNITS;
    w->blocked_lane = lane;
    if (nearest == STOP_TURN) return;
    w->short_compute = lend_shortage(p, w, least, more);
    w->behind_barrier |= nearest == STOP_BARRIER || (nearest == STOP_LENDING && !w->mixed &&
                                                     w->options[lane].floor > barrier_left(p, w, lane));
}

void wait_why(const struct planning *p, struct work *w) {
    w->lacks_units = w->lacks_turn = w->behind_barrier = false;
    for (size_t i = 0; i < REST_KINDS; i++) w->lacks[i] = w->aside[i] = false;
    w->short_compute = w->short_storage = (struct shortage){0};
    rest_wait(p, w);
    if (w->claim->ask != ASK_NONE) wait_units(p, w);
}

/* Could it have these units, were there no rule on lending and no barrier? */
static bool lane_has(const struct planning *p, size_t lane, int64_t units) {
    return units > 0 && !p->lanes[lane].awaited && units <= p->lanes[lane].free;
}

void await(struct planning *p, const struct work *w) {
    bool open = w->claim->ask == ASK_NONE;
    for (size_t i = 0; i < p->n_lanes && !open; i++) open = !w->mixed && lane_has(p, i, w->options[i].floor);
    for (size_t i = 0; i < p->n_lanes && !open; i++)
        if (w->mixed ? w->options[i].wanted > 0 : w->options[i].floor > 0) p->lanes[i].awaited = true;
    rest_await(p, w);
}
