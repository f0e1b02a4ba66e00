/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Barriers: for the requests that waited longest, what is free or comes free is set aside up to what they
 * need: units, storage, data lake and seats. Others may use the units only if their lease, with its grace,
 * ends before the barrier is expected to start; what a tenant draws within its own guarantee, and what was
 * awarded in a call, is not stopped.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

static bool stands(const struct barrier *b) {
    enum outcome o =
        b->work->outcome; /* QUEUE once all were served: then what is offered to others still counts */
    return (o == OUTCOME_GRANT || o == OUTCOME_QUEUE) && !b->work->placed;
}

/* Units of a lane that barriers before this one need. */
static int64_t needed_before(const struct planning *p, size_t lane) {
    int64_t sum = 0;
    for (size_t i = 0; i < p->n_barriers; i++)
        if (p->barriers[i].lane == lane) sum += p->barriers[i].need;
    return sum;
}

static struct maybe_instant start_in(const struct planning *p, size_t lane, int64_t need) {
    const struct lane *l = &p->lanes[lane];
    int64_t lacks = needed_before(p, lane) + need - l->free;
    if (lacks <= 0) return (struct maybe_instant){true, p->facts->now};
    const struct back *b = ends_reach(l->back, l->n_back, lacks);
    return b ? (struct maybe_instant){true, b->at} : (struct maybe_instant){0};
}

static bool is_earlier(struct maybe_instant a, struct maybe_instant b) {
    return a.has && (!b.has || a.at.s < b.at.s);
}

/* In the flavor where it can start first; where it needs several, in each of them. */
static void barrier_add(struct planning *p, struct work *w) {
    struct barrier found = {.work = w};
    w->is_barrier = true;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct option *o = &w->options[i];
        if (w->mixed) {
            int64_t need = claim_down(p, w, i, p->lanes[i].flavor->capacity.n);
            need = o->wanted < need ? o->wanted : need;
            if (need > 0) p->barriers[p->n_barriers++] = (struct barrier){w, i, need, {0}};
            continue;
        }
        if (o->floor == 0) continue;
        struct maybe_instant start = start_in(p, i, o->floor);
        if (found.need == 0 || is_earlier(start, found.start))
            found = (struct barrier){w, i, o->floor, start};
    }
    if (w->mixed) return;
    p->barriers[p->n_barriers++] = found; /* need 0: of no units */
}

void barriers_begin(struct planning *p) {
    const struct queue_rule *q = p->sharing;
    if (!q || !q->has_barrier || p->facts->pool.draining) return;
    int64_t most = q->barriers > 0 ? q->barriers : 1, n = 0;
    for (size_t i = 0; i < p->n && n < most;
         i++) { /* works stand in the order of time, longest waiting first */
        struct work *w = &p->works[i];
        if (p->facts->now.s - w->claim->submitted.s < q->barrier.s) break;
        if (w->outcome != OUTCOME_GRANT) continue;
        if (!p->barriers)
            p->barriers = mem_alloc((size_t)(most < (int64_t)p->n ? most : (int64_t)p->n) *
                                    (p->n_lanes > 0 ? p->n_lanes : 1) * sizeof *p->barriers);
        barrier_add(p, w);
        n++;
    }
}

/* Would it still hold the units when the barrier is expected to start? Where no start is known, it lies
   behind the last known end. */
static bool delays(const struct planning *p, const struct work *w, const struct barrier *b) {
    const struct lane *l = &p->lanes[b->lane];
    struct maybe_instant start = b->start;
    if (!start.has && l->n_back > 0) start = (struct maybe_instant){true, l->back[l->n_back - 1].at};
    return !start.has || w->lease.end.s + w->lease.grace.s > start.at.s;
}

/* The works stand in the order of time: of two barriers only the older one stops the other. */
static bool comes_before(const struct barrier *b, const struct work *w) {
    return w->is_barrier ? b->work < w : true;
}

static bool is_stopped_by(const struct planning *p, const struct work *w, const struct barrier *b) {
    return comes_before(b, w) && !w->claim->ranked && stands(b) && delays(p, w, b);
}

int64_t barrier_left(const struct planning *p, const struct work *w, size_t lane) {
    int64_t left = p->lanes[lane].free;
    for (size_t i = 0; i < p->n_barriers; i++)
        if (p->barriers[i].lane == lane && is_stopped_by(p, w, &p->barriers[i])) left -= p->barriers[i].need;
    return left > 0 ? left : 0;
}

/* A work has a barrier for each lane that it needs, side by side. */
int64_t barrier_left_rest(const struct planning *p, const struct work *w, const struct rest *of) {
    int64_t left = rest_free(p, of);
    for (size_t i = 0; i < p->n_barriers; i++) {
        const struct barrier *b = &p->barriers[i];
        bool again = i > 0 && b->work == p->barriers[i - 1].work;
        if (!again && comes_before(b, w) && !w->claim->ranked && stands(b)) left -= rest_asked(b->work, of);
    }
    return left > 0 ? left : 0;
}

const struct barrier *barrier_first(const struct planning *p, const struct work *w, size_t lane) {
    for (size_t i = 0; i < p->n_barriers; i++)
        if (p->barriers[i].lane == lane && p->barriers[i].need > 0 && is_stopped_by(p, w, &p->barriers[i]))
            return &p->barriers[i];
    return NULL;
}

size_t barriers_placed(const struct planning *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->n_barriers; i++) n += !stands(&p->barriers[i]);
    return n;
}
