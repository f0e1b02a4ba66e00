/* SPDX-License-Identifier: Apache-2.0 */
/* Each invariant and what they share; inside policies/ only. */
#pragma once
#include "policies/invariants.h"
#include "policies/syntax.h"

/* invariants_state.c: what stands, and what was taken back */
int holds_conservation(const struct step *s, struct err *e);
int holds_guarantee_met(const struct step *s, struct err *e);
int holds_safe_reclaim(const struct step *s, struct err *e);
int holds_no_ping_pong(const struct step *s, struct err *e);
int holds_ends(const struct step *s, struct err *e);
/* invariants_plan.c: what was decided */
int holds_ceiling(const struct step *s, struct err *e);
int holds_steps(const struct step *s, struct err *e);
int holds_sold_guarantee(const struct step *s, struct err *e);
int holds_no_waste(const struct step *s, struct err *e);
int holds_tier_order(const struct step *s, struct err *e);
int holds_explained(const struct step *s, struct err *e);
int holds_fail_closed(const struct step *s, struct err *e);
/* invariants_barrier.c */
int holds_no_starvation(const struct step *s, struct err *e);
/* invariants.c */
int holds_max_min(const struct step *s, struct err *e);
int holds_determinism(const struct step *s, struct err *e);
int holds_idempotent(const struct step *s, struct err *e);
int holds_order_free(const struct step *s, struct err *e);
int holds_monotone(const struct step *s, struct err *e);

static inline bool step_gives(const struct decision *d) { return d->outcome <= OUTCOME_PARTIAL; }
/* Index of a flavor of the pool; n_flavors when it has none of that name. */
size_t step_flavor(const struct fact_pool *pool, const char *name);
/* Does a decisive reason with this code stand in the decision? */
bool step_because(const struct decision *d, enum reason_code code);
/* The units that a claim of one flavor takes at least; 0: it asks otherwise. */
int64_t step_floor(const struct policy *y, const struct fact_pool *pool, const struct fact_claim *c,
                   size_t flavor);
/* GFLOPS that can be guaranteed at all: what is not lost, less the reserves. invariants_plan.c */
int64_t step_available(const struct step *s);
/* Units of each flavor that a plan leaves free; those that a decision names. invariants_plan.c */
void step_left(const struct step *s, int64_t left[FLAVORS_MOST]);
int64_t step_units(const struct decision *d, const char *flavor);
/* Does a claim take part that may change its flavor while the plan is made? invariants_plan.c */
bool step_may_exchange(const struct step *s);
