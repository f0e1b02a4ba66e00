/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue rule as its words say, as slowly and plainly as they can be written: every claim of one named
 * flavor, no barrier, no storage. What the planner gives must be the same.
 *
 *   Where the order does not begin with the share, what one that dropped out without anything waits for is
 * not given to those behind it. One step at a time to the first by: below its guarantee; with `strict` the
 * better tier; the stated keys. The first step of a claim is the least it takes, later ones go to the next
 * reachable count. A step that does not fit what is free, the ceilings or the rule on lending drops the claim
 * out; the others go on. Who dropped out is asked again when all others are done, as long as somebody takes a
 * step.
 */
#pragma once
#include "policies/syntax.h"

/* Units that each claim gets, into given[n_claims]. tier[t]: index of the tier of tenant t, or -1. */
void reference_fill(const struct policy *policy, const struct facts *facts, const int tier[],
                    int64_t given[]);
