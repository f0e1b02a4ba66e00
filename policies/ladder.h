/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which unit counts can be reached with servers of given sizes, and with which servers. Sizes may be
 * used any number of times: with 2 and 4, the reachable counts are 0, 2, 4, 6 ...
 */
#pragma once
#include "alloc/decide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LADDER_SIZES = SIZES_MOST, LADDER_SIZE_MOST = SIZE_MOST };

struct ladder {
    int64_t sizes[LADDER_SIZES]; /* ascending, each once, 1 to LADDER_SIZE_MOST */
    size_t n_sizes;
    bool chain;       /* each size divides the next: counts and servers follow by division */
    int64_t *least;   /* otherwise: [r] smallest reachable count that leaves r modulo sizes[0], or -1 */
    int32_t *servers; /* otherwise: fewest servers for a count, -1 if none; made at the first cover */
};

void ladder_begin(struct ladder *l, const int64_t *sizes, size_t n);
void ladder_end(struct ladder *l);
int64_t ladder_down(const struct ladder *l,
                    int64_t units);                       /* largest reachable count <= units (0 at least) */
int64_t ladder_up(const struct ladder *l, int64_t units); /* smallest reachable count >= units */
/* The fewest servers that have exactly `units` (reachable), larger ones first: count[i] of sizes[i]. */
void ladder_cover(struct ladder *l, int64_t units, int64_t count[LADDER_SIZES]);
