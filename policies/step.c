/* SPDX-License-Identifier: Apache-2.0 */
/* The steps after the first: filling up, and taking a larger card instead of what a claim has. */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

static int64_t rating_of(const struct planning *p, size_t lane) { return p->lanes[lane].flavor->rating.n; }

/* ---- filling ---- */

/* The next reachable step of a claim in one flavor; 0: none. */
static int64_t step_in(const struct planning *p, struct work *w, size_t lane) {
    const struct option *o = &w->options[lane];
    int64_t next = claim_up(p, w, lane, o->given + 1), step = next - o->given;
    int64_t compute = step * rating_of(p, lane);
    if (o->wanted == 0 || next > o->wanted) return 0;
    if (w->claim->ask == ASK_COMPUTE && w->given_compute + compute > w->ask) return 0;
    if (compute > room_compute(w)) {
        w->stop = room_compute_by(w, &w->stop_is_budget);
        return 0;
    }
    if (step > room_units(p, w, lane)) {
        w->stop = &room_units_by(p, w, lane)->id;
        w->stop_is_budget = false;
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
    if (lane_open(p, w, w->lane, *units)) return true;
    if (!is_mixable(w)) return false;
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t step = i == w->lane ? 0 : step_in(p, w, i);
        if (!lane_open(p, w, i, step) || (found && !has_more_slack(p, i, *lane))) continue;
        *lane = i;
        *units = step;
        found = true;
    }
    return found;
}

bool step_fits(const struct planning *p, struct work *w) {
    size_t lane;
    int64_t units;
    return w->has_minimum && w->claim->ask != ASK_NONE && step_find(p, w, &lane, &units);
}

bool step_next(struct planning *p, struct work *w) {
    size_t lane;
    int64_t units;
    if (!w->has_minimum || w->claim->ask == ASK_NONE || !step_find(p, w, &lane, &units)) return false;
    give_units(p, w, lane, units);
    return true;
}

/* One step at a time to whose turn it is, until nobody can take one. What cannot take its step drops out for
   good: nothing comes free while filling. */
void steps_fill(struct planning *p, size_t first, size_t end) {
    struct turns turns = {0};
    size_t i;
    for (i = first; i < end; i++)
        if (p->works[i].placed && p->works[i].has_minimum && p->works[i].claim->ask != ASK_NONE)
            turns_put(p, &turns, i);
    while (turns_first(p, &turns, &i))
        if (step_next(p, &p->works[i]))
            turns_again(p, &turns);
        else
            turns_drop(&turns);
    turns_free(&turns);
}

/* ---- exchanging ---- */

/* Do the others leave it this much more compute, with so many more units of this lane? */
static bool may_draw(const struct planning *p, const struct work *w, size_t lane, int64_t units,
                     int64_t compute) {
    if (lend_is_own(w, compute)) return true;
    return compute <= lend_compute(p, w) && (units <= 0 || units <= barrier_left(p, w, lane));
}

/* The next larger sum that a claim could have from one other flavor in place of all it has; false: none. */
static bool exchange_find(const struct planning *p, const struct work *w, size_t *lane, int64_t *units) {
    int64_t room = room_compute(w), least = 0;
    int64_t most = room == INT64_MAX || w->given_compute + room > w->ask ? w->ask : w->given_compute + room;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct option *o = &w->options[i];
        if (o->wanted == 0 || p->lanes[i].awaited) continue;
        int64_t n = claim_up(p, w, i, w->given_compute / rating_of(p, i) + 1), sum = n * rating_of(p, i);
        if (n > p->lanes[i].free + o->given || n - o->given > room_units(p, w, i) || sum > most ||
            (least > 0 && sum >= least))
            continue;
        if (!may_draw(p, w, i, n - o->given, sum - w->given_compute)) continue;
        least = sum;
        *lane = i;
        *units = n;
    }
    return least > 0;
}

static bool any_exchange(const struct planning *p, const size_t *works, size_t n) {
    size_t lane;
    int64_t units;
    for (size_t i = 0; i < n; i++)
        if (exchange_find(p, &p->works[works[i]], &lane, &units)) return true;
    return false;
}

/* Those that named no flavor may change it while nothing is provisioned: a card too large to be added to what
   a claim has is taken instead of it, by the lowest share first, and what that returns is filled again. */
bool steps_exchange(struct planning *p, size_t first, size_t end) {
    size_t *list = mem_alloc((end - first) * sizeof *list), n = 0;
    bool moved = false;
    for (size_t i = first; i < end; i++)
        if (p->works[i].placed && p->works[i].has_minimum && is_mixable(&p->works[i])) list[n++] = i;
    if (!any_exchange(p, list, n)) n = 0; /* mostly: then the order does not matter */
    turns_sort(p, list, n);
    for (size_t k = 0; k < n; k++) {
        struct work *w = &p->works[list[k]];
        size_t lane;
        int64_t units;
        if (!exchange_find(p, w, &lane, &units)) continue;
        for (size_t i = 0; i < p->n_lanes; i++)
            if (w->options[i].given > 0) give_units(p, w, i, -w->options[i].given);
        give_units(p, w, lane, units);
        w->lane = lane;
        moved = true;
    }
    free(list);
    return moved;
}

/* ---- trading ---- */

/* Could a take all that b was given, and b all that a was given? a weighs more and has less, so that the
   smaller of their weighted shares grows. Neither falls below its least or its guarantee, nor goes above its
   ask or ceiling. */
static bool may_trade(const struct planning *p, const struct work *a, const struct work *b) {
    int64_t more = b->given_compute - a->given_compute,
            left = b->seat->compute + b->seat->given_compute - more;
    int64_t least = b->claim->minimum_compute.n;
    if (more <= 0 || b->given_compute > a->ask || more > room_compute(a)) return false;
    if (a->given_compute < least || left < b->seat->guarantee) return false;
    if (a->organisation == b->organisation || a->claim->per_server != b->claim->per_server) return false;
    return p->n_barriers == 0 || a->lease.end.s + a->lease.grace.s <= b->lease.end.s + b->lease.grace.s;
}

static void trade(struct planning *p, struct work *a, struct work *b) {
    int64_t of_a[LANES_MOST], of_b[LANES_MOST];
    size_t lane = a->lane;
    for (size_t i = 0; i < p->n_lanes; i++) {
        of_a[i] = a->options[i].given;
        of_b[i] = b->options[i].given;
        give_units(p, a, i, -of_a[i]);
        give_units(p, b, i, -of_b[i]);
    }
    for (size_t i = 0; i < p->n_lanes; i++) {
        give_units(p, a, i, of_b[i]);
        give_units(p, b, i, of_a[i]);
    }
    a->lane = b->lane;
    b->lane = lane;
}

static int given_cmp(const void *a, const void *b, void *arg) {
    const struct planning *p = arg;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const struct work *x = &p->works[i], *y = &p->works[k];
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    if (x->given_compute != y->given_compute) return x->given_compute < y->given_compute ? -1 : 1;
    return (x->id_rank > y->id_rank) - (x->id_rank < y->id_rank);
}

static int64_t weight_at(const struct planning *p, const size_t *list, size_t i) {
    return p->works[list[i]].weight;
}

/* Steps are coarse: the last card left may be the largest, and fall to the lightest. While nothing is
   provisioned, those of a heavier weight, least first, change with those of a lighter one, lightest and most
   first. */
bool steps_trade(struct planning *p) {
    size_t *list = mem_alloc(p->n * sizeof *list), n = 0;
    bool moved = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct work *w = &p->works[i];
        if (w->placed && w->has_minimum && is_mixable(w) && !w->claim->ranked) list[n++] = i;
    }
    qsort_r(list, n, sizeof *list, given_cmp, p);
    for (size_t i = 0, k = n; i < n; i++) {
        if (i > 0 && weight_at(p, list, i) != weight_at(p, list, i - 1)) k = n;
        while (k > i + 1 && weight_at(p, list, k - 1) < weight_at(p, list, i)) {
            struct work *a = &p->works[list[i]], *b = &p->works[list[k - 1]];
            if (b->given_compute <= a->given_compute) {
                while (k > 0 && weight_at(p, list, k - 1) == b->weight) k--; /* the next heavier ones */
                continue;
            }
            k--;
            if (!may_trade(p, a, b)) continue;
            trade(p, a, b);
            moved = true;
            break;
        }
    }
    free(list);
    return moved;
}
