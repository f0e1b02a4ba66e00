/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sharing as a pure function: what each claim gets of several resources when not all can have
 * everything. One step is given at a time until no claim can take one. A claim can take one while it
 * holds fewer than its most and its step fits what is free; one whose step does not fit drops out and
 * the others go on. Who is first is said in policies/share.h, with
 *   steps      all that it holds; with `surplus` only those above its guarantee
 *   share      the largest steps x step / capacity over the scarce resources; 0 if it needs none of them
 *   scarce     what all claims together want (most x step) is more than the capacity
 *   tier       counts only where `strict`
 * A guarantee counts up to `most`. There is no other floor and no rule for remainders.
 *
 * Claims stand in the order of their ids' bytes, resources in the order of their names' bytes: that is
 * the last tie-break. Amounts are at most FILL_MOST, weights FILL_WEIGHT_MOST; the caller has checked.
 * What is held fits the capacity, so the products that compare shares stay below 10^36.
 * Claims of equal weight and step are kept together, so that a million of them cost little more than
 * sorting them; that changes nothing of the result.
 */
#pragma once
#include "alloc/err.h"

#include <stddef.h>
#include <stdint.h>

#define FILL_MOST INT64_C(1000000000000000) /* 10^15: a capacity, a step, a most, a guarantee */
enum { FILL_WEIGHT_MOST = 1000000, FILL_STEPS_MOST = 10000000, FILL_CLAIMS_MOST = 10000000 };

struct fill_amount {
    size_t resource;
    int64_t n; /* 1 or more */
};

struct fill_claim {
    const struct fill_amount *step; /* by resource, each once; borrowed */
    size_t n_step;                  /* 1 or more */
    struct {
        bool has; /* false: no bound */
        int64_t n;
    } most;            /* steps wanted */
    int64_t guarantee; /* steps promised first */
    int64_t weight;    /* 1 or more */
    int64_t tier;
    int64_t credits;
    int64_t submitted;
};

struct fill_problem {
    const int64_t *capacity; /* 1 or more, of each resource */
    size_t n_resources;
    const struct fill_claim *claims;
    size_t n_claims;
    bool surplus, strict;
};

/* Owned by the caller: fill_free(). */
struct fill_result {
    int64_t *given;  /* steps of each claim */
    uint32_t *order; /* the claim of each step */
    size_t n_order;
    bool *scarce;  /* of each resource */
    int64_t *used; /* of each resource */
};

/* -1 (ERR_USAGE): more than FILL_STEPS_MOST steps. */
int fill(const struct fill_problem *p, struct fill_result *r, struct err *e);
void fill_free(struct fill_result *r);

/* The steps that it is promised: its guarantee, as far as it wants so many. */
int64_t fill_promised(const struct fill_claim *c);
/* One step in the resource that counts: the scarce one (any, if none is scarce) with the largest step /
   capacity, the first when equal. n is 0 if it needs nothing scarce. At least one resource. */
struct fill_amount fill_dominant(const struct fill_problem *p, const bool scarce[], size_t claim);
