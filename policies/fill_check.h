/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds of every fill (policies/fill.h), told from its input and its result alone:
 *   conservation  what is used is the sum of the steps given, and no more than there is
 *   bounds        nobody has more than it wants, nor less than it is promised
 *   no waste      whoever wants more could not take one step of what is left
 *   max-min       (I7) j keeps its last step above its guarantee beside an i that wants more, whose step
 *                 would have fitted into it, only if j's share before that step was at most i's; of one
 *                 tier where strict, and else no such j is of a later tier (I8)
 *   order         has each claim as often as it has steps
 * Costs the square of the number of claims.
 */
#pragma once
#include "policies/fill.h"

/* 0, or -1 with the first that does not hold. Input whose guarantees exceed a capacity holds less. */
int fill_check(const struct fill_problem *p, const struct fill_result *r, struct err *e);
