/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who takes the next step when not everybody can have everything. The next step goes to the first by:
 *   below its guarantee; lower tier (only where `strict`); lower dominant share / weight before the
 *   step; more credits; earlier submitted; smaller id in bytes.
 * The dominant share is held / capacity of one resource; shares over different resources are compared
 * exactly: by cross products, or by continued fractions where those pass 128 bits.
 */
#pragma once
#include "alloc/amount.h"

#include <stdbool.h>
#include <stddef.h>

struct share_key {
    bool below_guarantee;
    int64_t tier;
    int64_t held, capacity; /* of the dominant resource; capacity > 0 */
    int64_t weight;         /* 1 or more */
    int64_t credits;
    int64_t submitted;
    size_t order; /* rank of the id by bytes */
};

/* Sign: who comes first. Total: 0 only for the same order. */
int share_cmp(const struct share_key *a, const struct share_key *b);
/* Does only the order of ids part them? */
bool share_ties(const struct share_key *a, const struct share_key *b);

/* A heap of keys, first out first. A key may have grown since it was put in; the caller puts it back. */
struct share_heap {
    struct share_key *keys;
    size_t *items;
    size_t n, room_keys, room_items;
};
void share_put(struct share_heap *h, const struct share_key *key, size_t item);
size_t share_take(struct share_heap *h, struct share_key *key); /* n > 0 */
void share_free(struct share_heap *h);
