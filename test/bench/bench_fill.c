/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_fill : the sharing function beside its limits, and beside sorting a million 64-bit keys, because a
 * shared machine drifts. Processor time, the median of several runs. Exit 1: something is above its limit.
 */
#include "alloc/scope.h"
#include "policies/fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 7, KEYS = 1000000 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* one thread that waits for nothing */
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int double_cmp(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(void (*run)(void *arg), void *arg) {
    double times[RUNS];
    for (int i = 0; i < RUNS; i++) {
        double begun = now_us();
        run(arg);
        times[i] = now_us() - begun;
    }
    qsort(times, RUNS, sizeof *times, double_cmp);
    return times[RUNS / 2];
}

static int key_cmp(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void run_sort(void *arg) {
    uint64_t *keys = arg, seed = 1;
    for (size_t i = 0; i < KEYS; i++) keys[i] = seed = seed * UINT64_C(6364136223846793005) + 1;
    qsort(keys, KEYS, sizeof *keys, key_cmp);
}

/* ---- the problem ---- */

enum { RESOURCES = 4 };

struct input {
    struct fill_problem p;
    struct fill_claim *claims;
    struct fill_amount *steps;
    int64_t capacity[RESOURCES];
    size_t n_order;
};

static uint64_t seed = 1;

static int64_t below(int64_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

/* Compute, storage and the cards of two kinds; a tenth of the claims has a guarantee; credits, dates and
   wants differ. The pool has what `each` claims of the mean step take per claim. */
static void input_make(struct input *in, size_t n, size_t pairs, int64_t each) {
    in->claims = mem_alloc(n * sizeof *in->claims);
    in->steps = mem_alloc(pairs * 3 * sizeof *in->steps);
    for (size_t k = 0; k < pairs; k++) {
        size_t kind = k % 2;
        in->steps[3 * k] = (struct fill_amount){0, kind ? 15600 * (1 + below(4)) : 8100 * (1 + below(8))};
        in->steps[3 * k + 1] = (struct fill_amount){1, 100 * (1 + below(40))};
        in->steps[3 * k + 2] = (struct fill_amount){2 + kind, 1};
    }
    for (size_t i = 0; i < n; i++) {
        size_t pair = (size_t)below((int64_t)pairs);
        in->claims[i] = (struct fill_claim){.step = &in->steps[3 * pair],
                                            .n_step = 3,
                                            .most = {true, 1 + below(8)},
                                            .guarantee = below(10) ? 0 : 1,
                                            .weight = 1 << pair % 3,
                                            .credits = below(20) ? 0 : below(200) - 100,
                                            .submitted = 1700000000 + below(30000000)};
    }
    in->capacity[0] = (int64_t)n * each * 37000;
    in->capacity[1] = (int64_t)n * each * 4000;
    in->capacity[2] = in->capacity[3] = (int64_t)n * each * 2;
    in->p = (struct fill_problem){
        .capacity = in->capacity, .n_resources = RESOURCES, .claims = in->claims, .n_claims = n};
}

static void run_fill(void *arg) {
    struct input *in = arg;
    struct fill_result r;
    struct err e = {0};
    if (fill(&in->p, &r, &e) < 0) {
        fprintf(stderr, "bench_fill: %s\n", e.what);
        exit(2);
    }
    in->n_order = r.n_order;
    fill_free(&r);
}

static int failed;

static void measure(size_t n, size_t pairs, int64_t each, double limit, double sort) {
    struct input in = {0};
    char what[96];
    input_make(&in, n, pairs, each);
    double us = median_of(run_fill, &in);
    snprintf(what, sizeof what, "fill of %zu claims, %zu pairs, %zu steps", n, pairs, in.n_order);
    printf("%-58s %10.1f us  limit %8.0f us  %5.2f  (%.2f sorts)\n", what, us, limit, us / limit, us / sort);
    failed |= us > limit;
    free(in.claims);
    free(in.steps);
}

int main(void) {
    uint64_t *keys = mem_alloc(KEYS * sizeof *keys);
    double sort = median_of(run_sort, keys);
    free(keys);
    printf("%-58s %10.1f us\n", "sort of 1,000,000 64-bit keys (for comparison)", sort);
    measure(1000, 64, 2, 1000, sort);
    measure(1000, 1000, 2, 1000, sort); /* each claim a queue of its own */
    measure(1000000, 64, 1, 400000, sort);
    measure(1000000, 64, 2, 400000, sort);
    return failed;
}
