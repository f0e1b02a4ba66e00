/* SPDX-License-Identifier: Apache-2.0 */
/* When units come back: the ends of leases and the notices that stand, summed by time, for each lane and for
 * the compute of all. */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static int end_cmp(const void *a, const void *b) {
    const struct fact_end *x = *(const struct fact_end *const *)a, *y = *(const struct fact_end *const *)b;
    if (x->at.s != y->at.s) return x->at.s < y->at.s ? -1 : 1;
    int order = strcmp(x->grant, y->grant);
    if (!order) order = strcmp(x->flavor, y->flavor);
    return order ? order : strcmp(x->notice ? x->notice : "", y->notice ? y->notice : "");
}

/* What should be back already comes back now at the earliest. */
static void back_add(const struct planning *p, struct back *list, size_t *n, const struct fact_end *end,
                     int64_t amount) {
    int64_t before = *n > 0 ? list[*n - 1].sum : 0;
    instant_t at = end->at.s > p->facts->now.s ? end->at : p->facts->now;
    list[(*n)++] = (struct back){at, end->grant, end->notice, before + amount};
}

void ends_begin(struct planning *p) {
    const struct fact_pool *pool = &p->facts->pool;
    if (pool->n_ends == 0) return;
    const struct fact_end **sorted = mem_alloc(pool->n_ends * sizeof(struct fact_end *));
    for (size_t i = 0; i < pool->n_ends; i++) sorted[i] = &pool->ends[i];
    qsort(sorted, pool->n_ends, sizeof(struct fact_end *), end_cmp);
    p->back = mem_alloc(pool->n_ends * sizeof *p->back);
    for (size_t k = 0; k < p->n_lanes; k++) p->lanes[k].back = mem_alloc(pool->n_ends * sizeof *p->back);
    for (size_t i = 0; i < pool->n_ends; i++)
        for (size_t k = 0; k < p->n_lanes; k++) {
            struct lane *l = &p->lanes[k];
            if (strcmp(sorted[i]->flavor, l->flavor->name) != 0) continue;
            back_add(p, l->back, &l->n_back, sorted[i], sorted[i]->units.n);
            back_add(p, p->back, &p->n_back, sorted[i], sorted[i]->units.n * l->flavor->rating.n);
        }
    free(sorted);
}

/* The first that brings the sum to `wanted` (more than 0); NULL: none known. */
const struct back *ends_reach(const struct back *list, size_t n, int64_t wanted) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].sum >= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low < n ? &list[low] : NULL;
}

static int64_t sum_at(const struct lane *l, instant_t at) {
    int64_t sum = 0;
    for (size_t i = 0; i < l->n_back && l->back[i].at.s <= at.s; i++) sum = l->back[i].sum;
    return sum;
}

/* Over several flavors: the first end at which they add up to the whole. */
static const struct back *reach_mixed(const struct planning *p, const struct work *w) {
    for (size_t i = 0; i < p->n_back; i++) {
        int64_t sum = 0;
        for (size_t k = 0; k < p->n_lanes; k++) {
            const struct lane *l = &p->lanes[k];
            int64_t rating = l->flavor->rating.n;
            if (w->options[k].wanted == 0) continue;
            int64_t have = l->free + sum_at(l, p->back[i].at), may = (w->whole - sum) / rating;
            sum += claim_down(p, w, k, have < may ? have : may) * rating;
        }
        if (sum >= w->whole) return &p->back[i];
    }
    return NULL;
}

/* Of one flavor: its units, and what must stay free for others beside them. */
static const struct back *reach_lane(const struct planning *p, const struct work *w, size_t lane,
                                     int64_t units) {
    const struct lane *l = &p->lanes[lane];
    int64_t draw = units * l->flavor->rating.n;
    const struct back *by_units = NULL, *by_compute = NULL;
    struct shortage s = lend_shortage(p, w, draw, 0);
    if (units > l->free && !(by_units = ends_reach(l->back, l->n_back, units - l->free))) return NULL;
    if (s.is_short && !(by_compute = ends_reach(p->back, p->n_back, s.reserve + s.lend + s.draw - s.free)))
        return NULL;
    return !by_units || (by_compute && by_compute->at.s > by_units->at.s) ? by_compute : by_units;
}

struct plan_earliest ends_earliest(struct planning *p, const struct work *w) {
    const struct back *first = NULL;
    if (p->n_back == 0 || w->claim->ask == ASK_NONE || rest_waits(w)) return (struct plan_earliest){0};
    if (w->mixed) {
        first = reach_mixed(p, w);
    } else {
        int64_t whole = whole_now(p, w);
        for (size_t i = 0; i < p->n_lanes; i++) {
            int64_t units = most_now(p, w, i);
            int64_t amount = w->claim->ask == ASK_COMPUTE ? units * p->lanes[i].flavor->rating.n : units;
            if (units == 0 || amount != whole) continue;
            const struct back *b = reach_lane(p, w, i, units);
            if (b && (!first || b->at.s < first->at.s)) first = b;
        }
    }
    if (!first) return (struct plan_earliest){0};
    return (struct plan_earliest){.at = {true, first->at},
                                  .grant = arena_text(&p->memory, first->grant),
                                  .notice = arena_text(&p->memory, first->notice)};
}
