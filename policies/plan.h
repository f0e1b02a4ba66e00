/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plan over all claims of a pool. In short (allot-policy(5), "How a plan is made"):
 *   1. each claim alone: eligible, ceilings, lease, which flavors and steps it can mean at all;
 *   2. claims in cohorts of equal submission time, oldest first; what an older cohort still waits
 *      for is not given to a younger one;
 *   3. a cohort that fits gets all it asks; otherwise each claim in order of id gets its floor (all
 *      it asks, or its minimum), and the rest goes to those with a minimum, one reachable step at a
 *      time, to the lowest share before the step (share.h).
 * Nothing depends on the order of the input.
 */
#pragma once
#include "alloc/decide.h"

/* policy NULL: no policy is valid now; every claim is held (NO_POLICY). */
int plan_make(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e);
