/* SPDX-License-Identifier: Apache-2.0 */
/* Every invariant over what stands in a simulation. */
#include "policies/sim_parts.h"

#include "alloc/facts.h"
#include "policies/invariants.h"
#include "policies/syntax.h"

#include <stdlib.h>

static struct step_taken taken_of(const struct sim_taken *t) {
    return (struct step_taken){.cause = t->cause,
                               .sent = t->sent,
                               .effect = t->effect,
                               .at = t->at,
                               .start = t->start,
                               .notice = t->notice,
                               .held = t->held,
                               .guarantee = t->guarantee,
                               .keeps_guarantee = t->cause == CAUSE_GUARANTEE,
                               .has_claimant = t->claimant > 0,
                               .claimant_held = t->claimant_held,
                               .claimant_guarantee = t->claimant_guarantee,
                               .measured = t->measured,
                               .covered = t->covered};
}

int sim_verify(struct sim *s, bool ticked, struct err *e) {
    size_t n = s->n_taken - s->taken_seen;
    if (!ticked && s->changes == s->changes_seen && n == 0) return 0; /* nothing that stands has changed */
    s->changes_seen = s->changes;
    scoped_free struct step_taken *taken = mem_alloc((n + 1) * sizeof *taken);
    scoped_free struct fact_claim *claims = mem_alloc((ticked ? s->waiting.n + 1 : 1) * sizeof *claims);
    for (size_t i = 0; i < n; i++) taken[i] = taken_of(&s->taken[s->taken_seen + i]);
    for (size_t i = 0; ticked && i < s->waiting.n; i++) claims[i] = sim_claim(s, s->waiting.of[i]);
    struct fact_flavor flavors[FLAVORS_MOST];
    struct facts f = {.now = s->now,
                      .pool = sim_pool_offered(s, flavors),
                      .tenants = s->facts,
                      .n_tenants = s->n_tenants,
                      .claims = claims,
                      .n_claims = ticked ? s->waiting.n : 0,
                      .grants = s->live,
                      .n_grants = s->n_live};
    struct step step = {.policy = s->policy,
                        .facts = &f,
                        .standings = policy_decider.assess ? s->standings : NULL,
                        .since = s->since,
                        .taken = taken,
                        .n_taken = n,
                        .ticked = ticked};
    s->taken_seen = s->n_taken;
    s->checks++;
    if (invariants_check(&step, e) == 0) return 0;
    s->broken = facts_encode(&f);
    return err_context(e, "at %s", instant_text(s->now).s);
}
