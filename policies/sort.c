/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/sort.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT = 11, DIGITS = 1 << DIGIT, SMALL = 64 };

static void insert_sorted(struct sort_item *items, size_t n) {
    for (size_t i = 1; i < n; i++) {
        struct sort_item item = items[i];
        size_t at = i;
        for (; at > 0 && items[at - 1].key > item.key; at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

static void pass(const struct sort_item *from, struct sort_item *to, size_t n, uint64_t least, int shift) {
    size_t place[DIGITS] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++) place[((from[i].key - least) >> shift) % DIGITS]++;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t count = place[d];
        place[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) to[place[((from[i].key - least) >> shift) % DIGITS]++] = from[i];
}

void sort_stable(struct sort_item *items, struct sort_item *scratch, size_t n) {
    uint64_t least = UINT64_MAX, most = 0;
    struct sort_item *from = items, *to = scratch;
    if (n < SMALL) {
        insert_sorted(items, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (items[i].key < least) least = items[i].key;
        if (items[i].key > most) most = items[i].key;
    }
    for (int shift = 0; shift < 64 && (most - least) >> shift > 0; shift += DIGIT) {
        pass(from, to, n, least, shift);
        struct sort_item *t = from;
        from = to;
        to = t;
    }
    if (from != items) memcpy(items, from, n * sizeof *items);
}

void sort_by(void *items, size_t n, size_t size, int (*cmp)(const void *, const void *, void *), void *arg) {
    const char *at = items;
    for (size_t i = 1; i < n; i++, at += size)
        if (cmp(at, at + size, arg) > 0) {
            qsort_r(items, n, size, cmp, arg);
            return;
        }
}
