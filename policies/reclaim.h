/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shall be taken back: for causes only, never for fairness alone. In order of precedence:
 *   grace      the lease is over, and its grace too;
 *   idle       an `idle` or `unused` rule, down to the guarantee: the window is full, its samples say so;
 *   debt       more is held than a ceiling allows, after it was cut;
 *   guarantee  a claim that waits although its tenant is below its guarantee, and that nothing free serves.
 * A loss takes nothing further from anybody: it scales all guarantees by one ratio, which the plan states.
 *
 * Always: whole servers; nobody falls below its guarantee; effect >= now + notice and >= start + min-hold;
 * not more than `most` tenants in one round; nothing that a standing notice covers. A notice that is needed
 * no more is named as ended, the newest first.
 *
 * No ping-pong (I11): the share that counts is surplus / weight, surplus being what is held above the
 * guarantee. A claim is served up to the smallest reachable sum at or above its tenant's guarantee and no
 * further, so its surplus afterwards is 0 or less than one server; a victim keeps its guarantee. What was
 * taken can therefore not be claimed back by the victim, nor be taken from the claimant.
 */
#pragma once
#include "alloc/decide.h"

/* How much of an `unused` window must have samples, in percent; what has none counts as fully used. An `idle`
   window must have samples throughout. */
enum { RECLAIM_UNUSED_COVERED = 90 };

/* A cut ceiling is told so long before anything goes. */
enum { RECLAIM_DEBT_DAYS = 30 };

/* Pure, as alloc/decide.h says. standings: one per tenant of the facts. */
int reclaim_make(const struct policy *policy, const struct facts *facts, const struct standing *standings,
                 struct reclaim_plan *out, struct err *e);
/* The same after assessing every tenant: decider->reclaim. */
int reclaim_decide(const struct policy *policy, const struct facts *facts, struct reclaim_plan *out,
                   struct err *e);
/* decider->window: of the idle and unused rules. */
bool reclaim_window(const struct policy *policy, size_t i, const char **metric, span_t *window);
