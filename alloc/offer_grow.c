/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/offer_grow.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

enum place { PLACE_OPEN, PLACE_LIFTED, PLACE_OUTGROWN, PLACE_DONE };

struct growing {
    const struct offer_trial *trial;
    enum place *places;
    bool *given;
    size_t n;
    int plans;
};

/* Of those that are at a place, the ones that were given (or not) go to another. How many; -1. */
static int move(struct growing *g, enum place from, bool given, enum place to, struct err *e) {
    int moved = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->places[i] != from || g->given[i] != given) continue;
        if (from == PLACE_OPEN && g->trial->lift(g->trial->arg, i, e) < 0) return -1;
        if ((to == PLACE_OPEN || to == PLACE_DONE) && g->trial->put_back(g->trial->arg, i, e) < 0) return -1;
        g->places[i] = to;
        moved++;
    }
    return moved;
}

static int count(const struct growing *g, enum place place, bool given) {
    int n = 0;
    for (size_t i = 0; i < g->n; i++) n += g->places[i] == place && g->given[i] == given;
    return n;
}

/* Nothing is given any more when the plans are used up. */
static int plan(struct growing *g, struct err *e) {
    memset(g->given, 0, g->n * sizeof *g->given);
    if (g->plans == OFFER_TRIALS_MOST) return 0;
    g->plans++;
    return g->trial->plan(g->trial->arg, g->given, e);
}

/* One of them alone: the others took what those that had outgrown theirs were given before. */
static int only_first(struct growing *g, struct err *e) {
    size_t seen = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->places[i] != PLACE_LIFTED || seen++ == 0) continue;
        if (g->trial->put_back(g->trial->arg, i, e) < 0) return -1;
        g->places[i] = PLACE_OPEN;
    }
    return (int)seen;
}

/* What is lifted becomes smaller until all of it is given, or nothing. */
static int settle(struct growing *g, struct err *e) {
    for (;;) {
        if (plan(g, e) < 0) return -1;
        int given = count(g, PLACE_LIFTED, true), left = count(g, PLACE_LIFTED, false);
        bool all_before = count(g, PLACE_OUTGROWN, false) == 0;
        if (given == 0) return move(g, PLACE_LIFTED, false, PLACE_DONE, e) < 0 ? -1 : 0;
        if (left > 0 && move(g, PLACE_LIFTED, false, PLACE_OPEN, e) < 0) return -1;
        if (left > 0) continue;
        if (all_before) return move(g, PLACE_LIFTED, true, PLACE_OUTGROWN, e) < 0 ? -1 : 0;
        int lifted = only_first(g, e);
        if (lifted < 0) return -1;
        if (lifted == 1) return move(g, PLACE_LIFTED, true, PLACE_DONE, e) < 0 ? -1 : 0;
    }
}

int offer_grow(const struct offer_trial *trial, size_t n, bool *outgrown, struct err *e) {
    struct growing g = {.trial = trial, .n = n};
    int rc = 0, lifted = 1;
    g.places = mem_alloc((n + 1) * sizeof *g.places);
    g.given = mem_alloc((n + 1) * sizeof *g.given);
    while (rc == 0 && lifted > 0 && g.plans < OFFER_TRIALS_MOST) {
        memset(g.given, 0, n * sizeof *g.given);
        lifted = move(&g, PLACE_OPEN, false, PLACE_LIFTED, e);
        rc = lifted < 0 ? -1 : lifted > 0 ? settle(&g, e) : 0;
    }
    for (size_t i = 0; i < n; i++) outgrown[i] = g.places[i] == PLACE_OUTGROWN;
    free(g.places);
    free(g.given);
    return rc;
}
