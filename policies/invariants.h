/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promises of the policy as code: I1 to I18. Each looks at one step, a plan made from facts, a
 * state with its grants or what the share function filled, and fails with the numbers where it does not hold.
 * Pure and cheap: at most a few walks over what is there. What a step does not show (no plan, no grants, no
 * standings) is not judged by those that need it.
 *
 * Used after every step of the simulator (sim.h), after every plan of the engine where ALLOT_VERIFY is
 * defined, and by the property tests.
 */
#pragma once
#include "alloc/decide.h"
#include "policies/fill.h"

/* What was taken back from one tenant. */
struct step_taken {
    enum reclaim_cause cause;
    instant_t sent, effect, at; /* notice sent, not before, done */
    instant_t start;            /* of the grant */
    span_t notice;              /* that the rule promises */
    gflops_t held, guarantee;   /* of its tenant: afterwards; what it is sure of (as it can be kept) */
    bool keeps_guarantee;       /* the rule never goes below it */
    bool has_claimant;          /* it was taken for somebody's guarantee */
    gflops_t claimant_held, claimant_guarantee; /* before it gets anything of it */
    bool measured;
    int64_t covered; /* percent of the window that was measured */
};

struct step {
    const struct policy *policy; /* NULL: none was valid */
    const struct facts *facts; /* what the plan was made from; without a plan: all tenants and live grants */
    const struct plan *plan;   /* of facts->claims, in their order; NULL: a state */
    const struct standing *standings; /* of facts->tenants; NULL: not known */
    const instant_t *since; /* of facts->tenants: since when each has its guarantee; NULL: for long */
    const struct step_taken *taken;
    size_t n_taken;
    bool ticked;   /* all that time brings has been done: no grant may be past its end and grace */
    bool reloaded; /* a policy was loaded in this step */
    gflops_t held_before, held_after;   /* then: of all tenants together */
    const struct plan *again;           /* the same facts decided once more; NULL */
    const struct plan *turned;          /* with claims and tenants in the reverse order; NULL */
    const struct plan *richer;          /* with more capacity; NULL */
    const struct fill_problem *problem; /* of the share function; NULL */
    const struct fill_result *filled;
};

struct invariant {
    const char *name, *sentence; /* "I1", ... */
    /* 0, or -1 (ERR_BOOKS): it does not hold, with the numbers. */
    int (*holds)(const struct step *s, struct err *e);
};
enum { INVARIANTS = 18 };
extern const struct invariant invariants[INVARIANTS];

/* decider->verify: a plan is made twice more, of the same facts and of their reverse. */
int invariants_verify(const struct policy *policy, const struct facts *facts, const struct plan *plan,
                      struct err *e);
/* The first that does not hold, "I3 ...: ...". 0 or -1. */
int invariants_check(const struct step *s, struct err *e);
/* Do two decisions say the same, to the byte? */
bool decision_same(const struct decision *a, const struct decision *b);
