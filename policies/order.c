/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is. First what was awarded in a call, by rank; then whose tenant has less than its guarantee;
 * with `strict` the better tier, after a lift; then the keys of the queue rule in the order stated. All
 * shares are of the same pool, so held/weight is compared, by 128-bit cross products, and nothing is divided.
 * All other keys stand still while a plan is made: those before the share are one number, those after it
 * another.
 */
#include "policies/planning.h"
#include "policies/sort.h"

#include "alloc/scope.h"

#include <stdlib.h>

static struct turn turn_of(const struct planning *p, const struct work *w) {
    const struct queue_rule *q = p->sharing;
    int64_t held = w->seat->compute + w->seat->given_compute - w->claim->replaces.compute.n;
    struct turn t = {.held = held > 0 ? held : 0, .first = 2, .weight = 1, .order = w->order};
    if (!q) return t;
    if (q->weigh_surplus) t.held = held > w->seat->guarantee ? held - w->seat->guarantee : 0;
    t.first = w->claim->ranked ? 0 : held < w->seat->guarantee ? 1 : 2;
    t.line = w->claim->ranked ? w->claim->rank : (q->strict ? w->rank << 32 : 0) + w->before;
    t.weight = (int32_t)w->weight;
    return t;
}

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* Products of int64 and a weight of at most 10^6. */
static inline int share_cmp(const struct turn *a, const struct turn *b) {
    if (a->weight == b->weight) return compare(a->held, b->held);
    wide_t x = (wide_t)a->held * b->weight, y = (wide_t)b->held * a->weight;
    return (x > y) - (x < y);
}

/* Sign: who comes first. 0 only for the same work. */
static inline int turn_cmp(const struct turn *a, const struct turn *b) {
    if (a->first != b->first) return compare(a->first, b->first);
    if (a->line != b->line) return compare(a->line, b->line);
    int order = share_cmp(a, b);
    return order ? order : compare(a->order, b->order);
}

/* ---- the keys that stand still ---- */

static int key_cmp(enum order_key key, const struct work *a, const struct work *b) {
    switch (key) {
    case ORDER_CREDITS: return compare(b->tenant->credits, a->tenant->credits);
    case ORDER_WAIT: return compare(a->claim->submitted.s, b->claim->submitted.s);
    case ORDER_ID: return claim_id_cmp(a->claim->id, b->claim->id);
    default: return 0;
    }
}

/* Keys [from, end) of the rule. */
struct keys {
    const struct queue_rule *rule;
    size_t from, end;
};

static int in_line(const void *a, const void *b, void *arg) {
    const struct keys *k = arg;
    for (size_t i = k->from; i < k->end; i++) {
        int order = key_cmp(k->rule->order[i], *(struct work *const *)a, *(struct work *const *)b);
        if (order) return order;
    }
    return 0;
}

static size_t share_at(const struct queue_rule *q) {
    size_t at = 0;
    while (at < q->n_order && q->order[at] != ORDER_SHARE) at++;
    return at;
}

void turns_begin(struct planning *p) {
    struct work **line = mem_alloc(p->n * sizeof(struct work *));
    const struct queue_rule *q = p->sharing;
    struct keys before = {q, 0, q ? share_at(q) : 0}, all = {q, 0, q ? q->n_order : 0};
    for (size_t i = 0; i < p->n; i++) line[i] = &p->works[i];
    if (q) sort_by(line, p->n, sizeof(struct work *), in_line, &all);
    for (size_t i = 0; i < p->n; i++) {
        line[i]->order = (uint32_t)i;
        if (i > 0 && before.end > 0)
            line[i]->before = line[i - 1]->before + (in_line(&line[i - 1], &line[i], &before) != 0);
    }
    free(line);
}

/* ---- a heap of four children ---- */

static void sink(struct turns *h, struct turn turn, size_t work) {
    size_t at = 0;
    for (size_t child; (child = 4 * at + 1) < h->n; at = child) {
        size_t end = child + 4 < h->n ? child + 4 : h->n;
        for (size_t i = child + 1; i < end; i++)
            if (turn_cmp(&h->turns[i], &h->turns[child]) < 0) child = i;
        if (turn_cmp(&turn, &h->turns[child]) <= 0) break;
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
    for (; at > 0 && turn_cmp(&turn, &h->turns[(at - 1) / 4]) < 0; at = (at - 1) / 4) {
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
        if (turn_cmp(&now, &h->turns[0]) == 0) return true;
        sink(h, now, *work); /* another claim of the same tenant has taken a step since */
    }
    return false;
}

void turns_again(const struct planning *p, struct turns *h) {
    sink(h, turn_of(p, &p->works[h->works[0]]), h->works[0]);
}

void turns_drop(struct turns *h) {
    size_t last = --h->n;
    if (last > 0) sink(h, h->turns[last], h->works[last]);
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
    (void)arg;
    return turn_cmp(&((const struct listed *)a)->turn, &((const struct listed *)b)->turn);
}

void turns_sort(const struct planning *p, size_t *works, size_t n) {
    struct listed *list = mem_alloc(n * sizeof *list);
    for (size_t i = 0; i < n; i++) list[i] = (struct listed){turn_of(p, &p->works[works[i]]), works[i]};
    sort_by(list, n, sizeof *list, in_order, NULL);
    for (size_t i = 0; i < n; i++) works[i] = list[i].work;
    free(list);
}
