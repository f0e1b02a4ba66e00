/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/share.h"

#include "alloc/scope.h"

#include <stdlib.h>

static int compare(wide_t a, wide_t b) { return (a > b) - (a < b); }

/* Sign of a/b - c/d for positive b, d below 2^126: the whole parts, then the remainders upside down. */
static int ratio_cmp(wide_t a, wide_t b, wide_t c, wide_t d) {
    for (int sign = 1;; sign = -sign) {
        int order = compare(a / b, c / d);
        if (order) return sign * order;
        a %= b;
        c %= d;
        if (a == 0 || c == 0) return sign * compare(a != 0, c != 0);
        wide_t t = a;
        a = b;
        b = t;
        t = c;
        c = d;
        d = t;
    }
}

/* held / (capacity x weight) of both. Cross products that stay below 2^126 are compared as they are. */
static int weighted_cmp(const struct share_key *a, const struct share_key *b) {
    if (a->held == 0 || b->held == 0) return (a->held != 0) - (b->held != 0);
    wide_t x = (wide_t)a->capacity * a->weight, y = (wide_t)b->capacity * b->weight;
    if (x == y) return compare(a->held, b->held);
    if ((x | y) >> 76 == 0 && (a->held | b->held) >> 50 == 0) return compare(a->held * y, b->held * x);
    return ratio_cmp(a->held, x, b->held, y);
}

static int cmp_but_order(const struct share_key *a, const struct share_key *b) {
    int order;
    if (a->below_guarantee != b->below_guarantee) return a->below_guarantee ? -1 : 1;
    if (a->tier != b->tier) return a->tier < b->tier ? -1 : 1;
    if ((order = weighted_cmp(a, b))) return order;
    if (a->credits != b->credits) return a->credits > b->credits ? -1 : 1;
    return (a->submitted > b->submitted) - (a->submitted < b->submitted);
}

bool share_ties(const struct share_key *a, const struct share_key *b) { return cmp_but_order(a, b) == 0; }

int share_cmp(const struct share_key *a, const struct share_key *b) {
    int order = cmp_but_order(a, b);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

void share_put(struct share_heap *h, const struct share_key *key, size_t item) {
    size_t at = h->n++;
    h->keys = mem_grow(h->keys, &h->room_keys, h->n, sizeof *h->keys);
    h->items = mem_grow(h->items, &h->room_items, h->n, sizeof *h->items);
    while (at > 0 && share_cmp(key, &h->keys[(at - 1) / 4]) < 0) {
        h->keys[at] = h->keys[(at - 1) / 4];
        h->items[at] = h->items[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    h->keys[at] = *key;
    h->items[at] = item;
}

size_t share_take(struct share_heap *h, struct share_key *key) {
    *key = h->keys[0];
    size_t item = h->items[0], at = 0, n = --h->n;
    struct share_key last = h->keys[n];
    size_t last_item = h->items[n];
    for (size_t child; (child = 4 * at + 1) < n; at = child) {
        size_t end = child + 4 < n ? child + 4 : n;
        for (size_t i = child + 1; i < end; i++)
            if (share_cmp(&h->keys[i], &h->keys[child]) < 0) child = i;
        if (share_cmp(&last, &h->keys[child]) <= 0) break;
        h->keys[at] = h->keys[child];
        h->items[at] = h->items[child];
    }
    if (n > 0) {
        h->keys[at] = last;
        h->items[at] = last_item;
    }
    return item;
}

void share_free(struct share_heap *h) {
    free(h->keys);
    free(h->items);
    *h = (struct share_heap){0};
}
