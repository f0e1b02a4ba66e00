/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/ladder.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/*
 * least[]: with m = sizes[0], a count n can be reached exactly when least[n % m] <= n, because m may be
 * added any number of times (A. Nijenhuis, "A Minimal-Path Algorithm for the Money Changing Problem",
 * 1979). Relaxing all sizes m times around is enough: a shortest path visits each remainder once.
 */
static void least_make(struct ladder *l) {
    int64_t m = l->sizes[0];
    l->least = mem_alloc((size_t)m * sizeof *l->least);
    for (int64_t r = 1; r < m; r++) l->least[r] = -1;
    bool moved = true;
    while (moved) {
        moved = false;
        for (int64_t r = 0; r < m; r++) {
            if (l->least[r] < 0) continue;
            for (size_t i = 1; i < l->n_sizes; i++) {
                int64_t n = l->least[r] + l->sizes[i], to = n % m;
                if (l->least[to] >= 0 && l->least[to] <= n) continue;
                l->least[to] = n;
                moved = true;
            }
        }
    }
}

void ladder_begin(struct ladder *l, const int64_t *sizes, size_t n) {
    *l = (struct ladder){.n_sizes = n, .chain = true};
    memcpy(l->sizes, sizes, n * sizeof *sizes);
    if (n == 0) l->sizes[l->n_sizes++] = 1;
    for (size_t i = 1; i < l->n_sizes; i++) l->chain &= l->sizes[i] % l->sizes[i - 1] == 0;
    if (!l->chain) least_make(l);
}

void ladder_end(struct ladder *l) {
    free(l->least);
    free(l->servers);
    l->least = NULL;
    l->servers = NULL;
}

int64_t ladder_down(const struct ladder *l, int64_t units) {
    int64_t m = l->sizes[0], best = 0;
    if (units <= 0) return 0;
    if (l->chain) return m == 1 ? units : units / m * m; /* mostly: a division is what takes time here */
    for (int64_t r = 0; r < m; r++) {
        int64_t n = units - ((units - r) % m + m) % m;
        if (l->least[r] >= 0 && l->least[r] <= n && n > best) best = n;
    }
    return best;
}

int64_t ladder_up(const struct ladder *l, int64_t units) {
    int64_t m = l->sizes[0], best = INT64_MAX;
    if (units <= 0) return 0;
    if (l->chain) return m == 1 ? units : (units + m - 1) / m * m;
    for (int64_t r = 0; r < m; r++) {
        if (l->least[r] < 0) continue;
        int64_t n = units + ((r - units) % m + m) % m;
        if (n < l->least[r]) n = l->least[r];
        if (n < best) best = n;
    }
    return best;
}

/* Above most^2 some of the fewest servers are of the largest size: fewer than `most` others are ever
   needed, since among `most` of them some add up to a multiple of `most`. */
static int64_t table_bound(const struct ladder *l) {
    int64_t most = l->sizes[l->n_sizes - 1];
    return most * most + most;
}

static void servers_make(struct ladder *l) {
    int64_t bound = table_bound(l);
    l->servers = mem_alloc((size_t)(bound + 1) * sizeof *l->servers);
    for (int64_t n = 1; n <= bound; n++) {
        l->servers[n] = -1;
        for (size_t i = 0; i < l->n_sizes && l->sizes[i] <= n; i++) {
            int32_t rest = l->servers[n - l->sizes[i]];
            if (rest >= 0 && (l->servers[n] < 0 || rest + 1 < l->servers[n])) l->servers[n] = rest + 1;
        }
    }
}

static void cover_table(struct ladder *l, int64_t units, int64_t count[LADDER_SIZES]) {
    size_t last = l->n_sizes - 1;
    int64_t most = l->sizes[last], over = units - (table_bound(l) - most);
    if (!l->servers) servers_make(l);
    if (over > 0) {
        count[last] = (over + most - 1) / most;
        units -= count[last] * most;
    }
    for (size_t i = last + 1; i-- > 0 && units > 0;) {
        int64_t size = l->sizes[i];
        while (size <= units && l->servers[units - size] == l->servers[units] - 1 &&
               l->servers[units - size] >= 0) {
            count[i]++;
            units -= size;
        }
    }
}

void ladder_cover(struct ladder *l, int64_t units, int64_t count[LADDER_SIZES]) {
    memset(count, 0, LADDER_SIZES * sizeof *count);
    if (!l->chain) {
        cover_table(l, units, count);
        return;
    }
    for (size_t i = l->n_sizes; i-- > 0;) {
        count[i] = units / l->sizes[i];
        units %= l->sizes[i];
    }
}
