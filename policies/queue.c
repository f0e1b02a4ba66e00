/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan under a queue rule: all claims are one pool and take steps by turn (order.c), the first step being
 * their floor. Whose step does not fit drops out, the others go on. Where the order does not begin with the
 * share, what one that comes first waits for is not given to those behind it.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

/* Where what one waits for is not given to those behind it. */
static void await_none(struct planning *p) {
    for (size_t i = 0; i < p->n_lanes; i++) p->lanes[i].awaited = false;
    rest_await_none(p);
}

static void drop_out(struct planning *p, struct work *w) {
    if (!p->in_line || w->placed || !is_open(w)) return;
    wait_why(p, w);
    await(p, w);
}

/* With what its tenant and organisation got before it. */
static void judge_again(struct planning *p, struct work *w) {
    if (w->seat->moved || w->organisation->moved) judge_room(p, w);
}

static bool floor_next(struct planning *p, struct work *w) {
    judge_again(p, w);
    return is_open(w) && place_floor(p, w);
}

/* False only where no step can fit any more: while filling, nothing comes free. */
static bool may_step(const struct planning *p, struct work *w) {
    if (p->in_line) return true; /* in its turn it may have to wait */
    if (w->placed) return step_fits(p, w);
    if (w->claim->ask == ASK_NONE) return true;
    if (is_mixable(w)) return p->free_compute >= (w->has_minimum ? w->claim->minimum_compute.n : w->whole);
    for (size_t i = 0; i < p->n_lanes; i++)
        if (w->options[i].floor > 0 && w->options[i].floor <= p->lanes[i].free) return true;
    return false;
}

/* true: somebody took a step. */
static bool fill(struct planning *p) {
    struct turns turns = {0};
    bool gave = false;
    size_t i;
    if (p->in_line) await_none(p);
    for (i = 0; i < p->n; i++)
        if (is_open(&p->works[i]) && may_step(p, &p->works[i])) turns_put(p, &turns, i);
    while (turns_first(p, &turns, &i)) {
        struct work *w = &p->works[i];
        if (w->placed ? step_next(p, w) : floor_next(p, w))
            gave = true, turns_again(p, &turns);
        else
            drop_out(p, w), turns_drop(&turns);
    }
    turns_free(&turns);
    return gave;
}

/* What others of its tenant got in the meantime may leave it no room. Then those behind it need not wait. */
static bool deny_roomless(struct planning *p) {
    bool denied = false;
    for (size_t i = 0; i < p->n; i++) {
        struct work *w = &p->works[i];
        if (!is_open(w) || w->placed) continue;
        judge_again(p, w);
        denied |= !is_open(w);
    }
    return denied && p->in_line;
}

/* What an exchange returns, and what was set aside for one that has been served, is offered to all again. */
static void fill_up(struct planning *p) {
    bool again = true;
    while (again) {
        size_t placed = barriers_placed(p);
        again = fill(p) && p->in_line; /* who has its guarantee now stands elsewhere in the line */
        again |= deny_roomless(p);
        again |= steps_exchange(p, 0, p->n) || barriers_placed(p) != placed;
        if (!again && !p->in_line) again = steps_trade(p);
    }
}

/* Where everything fits, steps would give the same: every step keeps the rules on lending that hold at the
 * end. */
static bool all_at_once(struct planning *p) {
    wide_t asked = 0;
    for (size_t i = 0; i < p->n; i++)
        if (is_open(&p->works[i])) asked += p->works[i].whole;
    if (asked > p->free_compute) return false;
    size_t *list = mem_alloc(p->n * sizeof *list);
    for (size_t i = 0; i < p->n; i++) list[i] = i;
    turns_sort(p, list, p->n);
    bool done = place_all(p, list, p->n), holds = true;
    for (size_t i = 0; i < p->n && done && holds; i++) holds = lend_holds(p, &p->works[i]);
    for (size_t i = 0; i < p->n && done && !holds; i++) take_back(p, &p->works[i]);
    done &= holds;
    free(list);
    return done;
}

void serve_queue(struct planning *p) {
    for (size_t i = 0; i < p->n; i++)
        if (p->works[i].outcome != OUTCOME_DENY) judge_room(p, &p->works[i]);
    if (!p->facts->pool.draining) {
        barriers_begin(p);
        if (!all_at_once(p)) fill_up(p);
    }
    for (size_t i = 0; i < p->n; i++) {
        struct work *w = &p->works[i];
        if (!is_open(w) || w->placed) continue;
        if (!p->facts->pool.draining && !p->in_line) wait_why(p, w);
        w->outcome = OUTCOME_QUEUE;
    }
}
