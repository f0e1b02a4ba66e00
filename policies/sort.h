/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting by integers without comparing: a stable radix sort whose passes are as many as the range of
 * the keys needs, so that a million dates or small counts cost a few passes and equal keys none.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct sort_item {
    uint64_t key;
    uint32_t item;
};

/* By cmp, as qsort_r(), at the price of one look where all stand in order already. */
void sort_by(void *items, size_t n, size_t size, int (*cmp)(const void *, const void *, void *), void *arg);
/* By key; equal keys stay in their order. scratch has room for n. */
void sort_stable(struct sort_item *items, struct sort_item *scratch, size_t n);
/* A key that sorts signed integers, the smallest first. */
static inline uint64_t sort_signed(int64_t n) { return (uint64_t)n ^ (UINT64_C(1) << 63); }
