/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plan over all claims of a pool. In short (allot-policy(5), "How a plan is made"):
 *   1. each claim alone: eligible, tier, ceilings, lease, which flavors and steps it can mean at all;
 *   2. under a queue rule all claims are one pool and take one step after another by turn; without one
 *      they are served in cohorts of equal submission time, oldest first, and what an older cohort
 *      still waits for is not given to a younger one;
 *   3. each step keeps the ceilings, the reserves of better tiers and what may not be lent;
 *   4. who waits learns its place, what is ahead, what could be had now and when the whole fits.
 * Nothing depends on the order of the input.
 */
#pragma once
#include "alloc/decide.h"

/* policy NULL: no policy is valid now; every claim is held (NO_POLICY). */
int plan_make(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e);
int plan_lengthen(const struct policy *policy, const struct facts *facts, const struct lengthening *l,
                  struct decision *out, struct err *e);
int plan_bare(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e);
/* tier.c: as the port says. */
int plan_assess(const struct policy *policy, const struct facts *facts, struct standing *out, struct err *e);
