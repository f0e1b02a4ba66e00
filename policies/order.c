/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is. First what was awarded in a call, by rank; then whose tenant has less than its guarantee;
 * with `strict` the better tier, after a lift; then the keys of the queue rule in the order stated. All
 * shares are of the same pool, so held/weight is compared, in steps of 2^-40, which tell any two apart:
 * weights are at most 10^6, so two shares that differ do so by 10^-12 or more. All other keys stand still
 * while a plan is made: those before the share are one number, those after it another.
 */
#include "policies/planning.h"
#include "policies/sort.h"

#include "alloc/scope.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 turn_key;

/* The smaller comes first. first, from the top: group (2 bits), its rank in the call, or tier and the keys
   before the share. then: the whole of the share (56 bits; held is at most twice GFLOPS_MOST), its steps
   (40), the keys after it (32). */
struct turn {
    uint64_t first;
    size_t work;
    turn_key then;
};

enum { GROUP_AWARDED, GROUP_PROMISED, GROUP_OTHERS }; /* in a call; has less than its guarantee; neither */

static bool is_before(const struct turn *a, const struct turn *b) {
    return a->first != b->first ? a->first < b->first : a->then < b->then;
}

static turn_key share_of(int64_t held, int64_t weight) {
    uint64_t n = held > 0 ? (uint64_t)held : 0, by = (uint64_t)weight;
    return (turn_key)(n / by) << 40 | ((n % by) << 40) / by;
}

static struct turn turn_of(const struct planning *p, size_t work) {
    const struct work *w = &p->works[work];
    const struct queue_rule *q = p->sharing;
    int64_t held = w->seat->compute + w->seat->given_compute - w->claim->replaces.compute.n;
    if (!q) return (struct turn){.work = work, .then = share_of(held, 1) << 32 | w->order};
    bool promised = held < w->seat->guarantee, ranked = w->claim->ranked;
    uint64_t group = ranked ? GROUP_AWARDED : promised ? GROUP_PROMISED : GROUP_OTHERS;
    uint64_t line = ranked ? (uint64_t)w->claim->rank : (q->strict ? (uint64_t)w->rank << 32 : 0) + w->before;
    if (q->weigh_surplus) held -= w->seat->guarantee;
    return (struct turn){
        .first = group << 62 | line, .work = work, .then = share_of(held, w->weight) << 32 | w->order};
}

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

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

static void sink(struct turns *h, struct turn turn) {
    size_t at = 0;
    for (size_t child; (child = 4 * at + 1) < h->n; at = child) {
        size_t end = child + 4 < h->n ? child + 4 : h->n;
        for (size_t i = child + 1; i < end; i++)
            if (is_before(&h->of[i], &h->of[child])) child = i;
        if (!is_before(&h->of[child], &turn)) break;
        h->of[at] = h->of[child];
    }
    h->of[at] = turn;
}

void turns_put(const struct planning *p, struct turns *h, size_t work) {
    struct turn turn = turn_of(p, work);
    size_t at = h->n++;
    h->of = mem_grow(h->of, &h->room, h->n, sizeof *h->of);
    for (; at > 0 && is_before(&turn, &h->of[(at - 1) / 4]); at = (at - 1) / 4)
        h->of[at] = h->of[(at - 1) / 4];
    h->of[at] = turn;
}

bool turns_first(const struct planning *p, struct turns *h, size_t *work) {
    while (h->n > 0) {
        *work = h->of[0].work;
        struct turn now = turn_of(p, *work);
        if (!is_before(&h->of[0], &now)) return true;
        sink(h, now); /* another claim of the same tenant has taken a step since */
    }
    return false;
}

void turns_again(const struct planning *p, struct turns *h) { sink(h, turn_of(p, h->of[0].work)); }

void turns_drop(struct turns *h) {
    size_t last = --h->n;
    if (last > 0) sink(h, h->of[last]);
}

void turns_free(struct turns *h) {
    free(h->of);
    *h = (struct turns){0};
}

/* ---- a list ---- */

static int in_order(const void *a, const void *b, void *arg) {
    (void)arg;
    return is_before(a, b) ? -1 : is_before(b, a);
}

void turns_sort(const struct planning *p, size_t *works, size_t n) {
    struct turn *list = mem_alloc(n * sizeof *list);
    for (size_t i = 0; i < n; i++) list[i] = turn_of(p, works[i]);
    sort_by(list, n, sizeof *list, in_order, NULL);
    for (size_t i = 0; i < n; i++) works[i] = list[i].work;
    free(list);
}
