/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call adds to a decision. Pure: the claim says which call it answers and, from the award on, its
 * rank, so that a stored decision can be made again from its stored facts.
 *
 *   entered, no rank yet    held, IN_CALL: it waits for the award, whatever is free
 *   ranked, cannot have it  held, RESERVE_LIST: what the policy would queue stands on the reserve list
 *   ranked, is given it     as the policy decides, with a note of the call and the rank
 */
#pragma once
#include "alloc/decide.h"

/* Does it wait for the award? Then the policy is not asked. */
bool call_waits(const struct fact_claim *claim);
/* That decision; it owns all its memory (a plan of it is freed by plan_free()). */
void call_wait(const struct fact_claim *claim, struct decision *out);

/* A decision of the policy as the call tells it: *out borrows all of *d but its list of reasons, which has
   one more. False: the same as *d, and nothing to be freed. */
bool call_turn(const struct fact_claim *claim, const struct decision *d, struct decision *out);
void call_turn_free(const struct decision *d, struct decision *out);

/* What is left of a call's own share of the pool. */
struct call_share {
    bool has_compute, has_storage; /* false: no bound of its own */
    gflops_t compute;
    bytes_t storage; /* storage and data lake together */
};
/* Limits what is free in the facts of one claim to the share, so that no flavor alone can pass it. */
void call_share_limit(struct facts *facts, const struct call_share *share);
/* Flavors together passed it: only the one of which most was given stays free. True: plan again. */
bool call_share_passed(struct facts *facts, const struct call_share *share, const struct decision *d);
