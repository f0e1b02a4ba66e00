/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is. First what was awarded in a call, by rank; then whose tenant has less than its guarantee;
 * with `strict` the better tier, after a lift; then the keys of the queue rule in the order stated. All
 * shares are of the same pool, so held/weight is compared, by 128-bit cross products, and nothing is divided.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

static const enum order_key first_come[] = {ORDER_SHARE, ORDER_WAIT, ORDER_ID}; /* inside a cohort */

struct turn turn_of(const struct planning *p, const struct work *w) {
    const struct queue_rule *q = p->sharing;
    int64_t held = w->seat->compute + w->seat->given_compute - w->claim->replaces.compute.n;
    struct turn t = {
        .held = held > 0 ? held : 0, .submitted = w->claim->submitted.s, .first = 2, .weight = 1};
    if (!q) {
        t.order = (uint32_t)(w - p->works);
        return t;
    }
    if (q->weigh_surplus) t.held = held > w->seat->guarantee ? held - w->seat->guarantee : 0;
    t.first = held < w->seat->guarantee ? 1 : 2;
    if (w->claim->ranked) t.first = 0, t.rank = w->claim->rank;
    t.tier = q->strict ? (int32_t)w->rank : 0;
    t.weight = (int32_t)w->weight;
    t.credits = w->tenant->credits;
    t.order = w->id_rank;
    return t;
}

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* Products of int64 and a weight of at most 10^6. */
static int share_of(const struct turn *a, const struct turn *b) {
    if (a->weight == b->weight) return compare(a->held, b->held);
    wide_t x = (wide_t)a->held * b->weight, y = (wide_t)b->held * a->weight;
    return (x > y) - (x < y);
}

static int key_cmp(enum order_key key, const struct turn *a, const struct turn *b) {
    switch (key) {
    case ORDER_SHARE: return share_of(a, b);
    case ORDER_CREDITS: return compare(b->credits, a->credits);
    case ORDER_WAIT: return compare(a->submitted, b->submitted);
    default: return (a->order > b->order) - (a->order < b->order);
    }
}

int turn_cmp(const struct planning *p, const struct turn *a, const struct turn *b) {
    const enum order_key *keys = p->sharing ? p->sharing->order : first_come;
    size_t n = p->sharing ? p->sharing->n_order : sizeof first_come / sizeof *first_come;
    int order;
    if (a->first != b->first) return compare(a->first, b->first);
    if (a->first == 0 && (order = compare(a->rank, b->rank))) return order;
    if ((order = compare(a->tier, b->tier))) return order;
    for (size_t i = 0; i < n; i++)
        if ((order = key_cmp(keys[i], a, b))) return order;
    return key_cmp(ORDER_ID, a, b);
}

/* ---- a heap of four children ---- */

static void sink(const struct planning *p, struct turns *h, struct turn turn, size_t work) {
    size_t at = 0;
    for (size_t child; (child = 4 * at + 1) < h->n; at = child) {
        size_t end = child + 4 < h->n ? child + 4 : h->n;
        for (size_t i = child + 1; i < end; i++)
            if (turn_cmp(p, &h->turns[i], &h->turns[child]) < 0) child = i;
        if (turn_cmp(p, &turn, &h->turns[child]) <= 0) break;
        h->turns[at] = h->turns[child];
        h->works[at] = h->works[child];
    }
    h->turns[at] = turn;
    h->works[at] = work;
}

void turns_put(const struct planning *p, struct turns *h, size_t work) {
    struct turn turn = turn_of(p, &p->works[work]);
    size_t at = h->n++;
    h->turns = mem_grow(h->turns, &h->room_turns, h->n, sizeof *h->turns);
    h->works = mem_grow(h->works, &h->room_works, h->n, sizeof *h->works);
    for (; at > 0 && turn_cmp(p, &turn, &h->turns[(at - 1) / 4]) < 0; at = (at - 1) / 4) {
        h->turns[at] = h->turns[(at - 1) / 4];
        h->works[at] = h->works[(at - 1) / 4];
    }
    h->turns[at] = turn;
    h->works[at] = work;
}

bool turns_first(const struct planning *p, struct turns *h, size_t *work) {
    while (h->n > 0) {
        *work = h->works[0];
        struct turn now = turn_of(p, &p->works[*work]);
        if (turn_cmp(p, &now, &h->turns[0]) == 0) return true;
        sink(p, h, now, *work); /* another claim of the same tenant has taken a step since */
    }
    return false;
}

void turns_again(const struct planning *p, struct turns *h) {
    sink(p, h, turn_of(p, &p->works[h->works[0]]), h->works[0]);
}

void turns_drop(const struct planning *p, struct turns *h) {
    size_t last = --h->n;
    if (last > 0) sink(p, h, h->turns[last], h->works[last]);
}

void turns_free(struct turns *h) {
    free(h->turns);
    free(h->works);
    *h = (struct turns){0};
}

/* ---- a list ---- */

struct listed {
    struct turn turn;
    size_t work;
};

static int in_order(const void *a, const void *b, void *arg) {
    return turn_cmp(arg, &((const struct listed *)a)->turn, &((const struct listed *)b)->turn);
}

void turns_sort(const struct planning *p, size_t *works, size_t n) {
    struct listed *list = mem_alloc(n * sizeof *list);
    for (size_t i = 0; i < n; i++) list[i] = (struct listed){turn_of(p, &p->works[works[i]]), works[i]};
    qsort_r(list, n, sizeof *list, in_order, (void *)p);
    for (size_t i = 0; i < n; i++) works[i] = list[i].work;
    free(list);
}
