/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of a plan of reclaims: those of a plan, with all tenants and all live grants, their servers, what
 * was measured of them over the windows that the policy looks at, and the notices that stand.
 */
#pragma once
#include "alloc/gather.h"

/* gathered_free() it. decider and policy say which windows are measured; policy NULL: none. */
int gather_grants(struct store *s, int64_t pool, instant_t now, const struct decider *decider,
                  const struct policy *policy, struct gathered *out, struct err *e);
