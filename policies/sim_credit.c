/* SPDX-License-Identifier: Apache-2.0 */
/* Credits: who had less than its share comes first where shares are equal. As alloc/credit.h has it. */
#include "alloc/credit.h"
#include "policies/sim_parts.h"

/* capacity x weight / weights, at most the ceiling or what is held above it */
static gflops_t entitlement(const struct sim *s, size_t tenant) {
    const struct sim_tenant *t = &s->tenants[tenant];
    wide_t part = (wide_t)s->capacity * s->standings[tenant].weight / (s->weights > 0 ? s->weights : 1);
    int64_t limit = larger(t->ceiling, sim_held(s, tenant));
    return gflops(part < limit ? (int64_t)part : limit);
}

void sim_credit_settle(struct sim *s, const struct sim_grant *g) {
    struct sim_tenant *t = &s->tenants[g->tenant];
    if (!t->is_here || !s->standings[g->tenant].eligible) return;
    sim_hold(s, g->tenant, 0, 0); /* held_time as of now */
    int64_t seconds = s->now.s - (t->is_settled ? t->settled_at : g->start).s;
    wide_t held = t->held_time - (t->is_settled ? t->held_settled : g->held_before);
    int64_t *credits = &s->facts[g->tenant].credits;
    *credits = credit_settled(*credits, entitlement(s, g->tenant), held, seconds);
    t->is_settled = true;
    t->settled_at = s->now;
    t->held_settled = t->held_time;
    s->settlements++;
}
