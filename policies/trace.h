/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole way of one claim through the policy: the rules that mattered with the values they saw and the
 * numbers they gave, its turn, what was free, what decided, and what would have changed the answer, found by
 * planning again. The form is described in allot-policy(5), TRACE.
 */
#pragma once
#include "alloc/scope.h"
#include "policies/planning.h"

enum { TRACE_VERSION = 1 };

/* As decider.trace (alloc/decide.h). */
char *plan_trace(const struct policy *policy, const struct facts *facts, const char *claim, struct err *e);
/* would.c: single changes, each of which alone makes it a grant, whole or partial: tried, not guessed. */
json_t *would_grant_if(const struct planning *p, const struct work *w, const struct decision *d);
