/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds of every fill (policies/fill.h), told from its input and its result alone:
 *   conservation  what is used is the sum of the steps given, and no more than there is
 *   bounds        nobody has more than it wants, nor less than it is promised
 *   no waste      whoever wants more could not take one step of what is left
 *   max-min       (I7) where one step of j's above its guarantee, given back, would let an i that wants more
 *                 take one, j's share before that step was at most i's share now. Both of one tier where
 *                 strict; and j of no later tier (I8). With steps of equal size this is "the others have at
 *                 most one step more"; a larger step may leave more between them
 *   order         has each claim as often as it has steps
 * Costs the square of the number of claims.
 */
#pragma once
#include "policies/fill.h"

/* 0, or -1 with the first that does not hold. Input whose guarantees exceed a capacity holds less. */
int fill_check(const struct fill_problem *p, const struct fill_result *r, struct err *e);
