/* SPDX-License-Identifier: Apache-2.0 */
/* Every invariant over what stands in a simulation. */
#include "policies/sim_parts.h"

#include "policies/invariants.h"
#include "policies/syntax.h"

#include <stdlib.h>

static struct step_taken taken_of(const struct sim *s, const struct sim_taken *t) {
    const struct standing *own = &s->standings[t->tenant];
    int64_t held = s->facts[t->tenant].held_compute.n;
    struct step_taken out = {.cause = t->cause,
                             .sent = t->sent,
                             .effect = t->effect,
                             .at = t->at,
                             .start = t->start,
                             .notice = t->notice,
                             .held = gflops(held),
                             .guarantee = t->guarantee,
                             .keeps_guarantee = t->cause == CAUSE_GUARANTEE,
                             .has_claimant = t->claimant > 0,
                             .surplus = held > own->guarantee.n ? held - own->guarantee.n : 0,
                             .weight = own->weight > 0 ? own->weight : 1,
                             .claimant_weight = 1,
                             .measured = t->measured,
                             .covered = t->covered};
    if (!t->claimant) return out;
    const struct standing *other = &s->standings[t->claimant - 1];
    int64_t has = s->facts[t->claimant - 1].held_compute.n;
    out.claimant_surplus = has > other->guarantee.n ? has - other->guarantee.n : 0;
    if (other->weight > 0) out.claimant_weight = other->weight;
    return out;
}

int sim_verify(struct sim *s, bool ticked, struct err *e) {
    size_t n = s->n_taken - s->taken_seen;
    scoped_free struct step_taken *taken = mem_alloc((n + 1) * sizeof *taken);
    scoped_free struct fact_claim *claims = mem_alloc((ticked ? s->waiting.n + 1 : 1) * sizeof *claims);
    for (size_t i = 0; i < n; i++) taken[i] = taken_of(s, &s->taken[s->taken_seen + i]);
    for (size_t i = 0; ticked && i < s->waiting.n; i++)
        claims[i] = s->world->requests[s->waiting.of[i]].claim;
    struct facts f = {.now = s->now,
                      .pool = s->pool,
                      .tenants = s->facts,
                      .n_tenants = s->n_tenants,
                      .claims = claims,
                      .n_claims = ticked ? s->waiting.n : 0,
                      .grants = s->live,
                      .n_grants = s->n_live};
    struct step step = {.policy = s->policy,
                        .facts = &f,
                        .standings = policy_decider.assess ? s->standings : NULL,
                        .taken = taken,
                        .n_taken = n,
                        .ticked = ticked};
    s->taken_seen = s->n_taken;
    s->checks++;
    if (invariants_check(&step, e) < 0) return err_context(e, "at %s", instant_text(s->now).s);
    return 0;
}
