/* SPDX-License-Identifier: Apache-2.0 */
/* What time brings: what was given back comes free, leases near their end, reclaims. As alloc/tick.h has it.
 */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

static void come_free(struct sim *s) {
    for (size_t f = 0; f < s->pool.n_flavors; f++) {
        if (s->flavors[f].coming.n == 0) continue;
        s->flavors[f].free.n += s->flavors[f].coming.n;
        s->flavors[f].coming = units(0);
        s->is_raised = true;
    }
}

static void dated(struct sim *s) {
    for (size_t i = 0; i < s->n_tenants; i++) {
        const struct world_tenant *w = &s->world->tenants[i];
        struct sim_tenant *t = &s->tenants[i];
        for (; t->next_dated < w->n_dated && w->dated[t->next_dated].from.s <= s->now.s; t->next_dated++) {
            if (t->next_dated == 0) t->is_here = true;
            sim_attrs_set(s, i, w->dated[t->next_dated].attrs, w->dated[t->next_dated].n, true);
        }
    }
}

/* ---- leases ---- */

static bool barrier_waits_for(const struct sim *s, const struct sim_grant *g) {
    for (size_t i = 0; i < s->waiting.n; i++) {
        if (!s->requests[s->waiting.of[i]].is_barrier) continue;
        const char *flavor = s->world->requests[s->waiting.of[i]].claim.flavor;
        for (size_t k = 0; k < g->n_servers; k++)
            if (!flavor || strcmp(flavor, g->servers[k].flavor) == 0) return true;
    }
    return false;
}

/* What the engine asks of a renewal (alloc/grant.h), and that no barrier waits for what lies above the
   guarantee. */
bool sim_renew(struct sim *s, size_t grant) {
    struct sim_grant *g = &s->grants[grant];
    instant_t end = instant_after(g->end, g->renew_term);
    bool above = sim_held(s, g->tenant) > s->standings[g->tenant].guarantee.n;
    const char *why = s->facts[g->tenant].suspended      ? "the tenant is suspended"
                      : g->renewals_left == 0            ? "no renewal is left"
                      : end.s <= s->now.s                ? "the new end has passed"
                      : above && barrier_waits_for(s, g) ? "one that waited long needs these units"
                                                         : NULL;
    struct text rule = {0};
    if (!why && !sim_may_lengthen(s, grant, end, &rule)) why = rule.s ? rule.s : "the policy";
    if (why) {
        s->renewals_refused++;
        sim_log_event(s, "renewal refused", g->request, why);
        text_free(&rule);
        return false;
    }
    g->renewals_left--;
    s->renewals++;
    sim_grant_extend(s, grant, end);
    sim_log_event(s, "renewed", g->request, NULL);
    return true;
}

static void near_end(struct sim *s, size_t grant) {
    struct sim_grant *g = &s->grants[grant];
    g->is_told = true;
    g->told = s->now;
    if (g->renews <= 0) return;
    g->renews--;
    sim_renew(s, grant);
}

static void lease_step(struct sim *s, size_t grant) {
    struct sim_grant *g = &s->grants[grant];
    if (g->state == SIM_RESERVED) { /* never became ready: there is nothing to give notice of */
        if (s->now.s >= g->end.s) sim_grant_release(s, grant, false);
        return;
    }
    span_t keeps = s->world->requests[g->request].keeps;
    if (keeps.s && s->now.s >= instant_after(g->start, keeps).s) {
        sim_log_event(s, "given back", g->request, NULL);
        sim_grant_release(s, grant, true);
        return;
    }
    if (!g->is_told && s->now.s >= g->end.s - g->notice.s) near_end(s, grant);
    if (g->state == SIM_LIVE && s->now.s >= g->end.s) g->state = SIM_GRACE;
    if (g->state != SIM_GRACE || s->now.s < instant_after(g->end, g->grace).s ||
        s->now.s < instant_after(g->told, g->grace).s)
        return;
    sim_log_event(s, "ended", g->request, NULL);
    sim_grant_release(s, grant, true);
}

static void leases(struct sim *s) {
    for (size_t i = 0; i < s->n_grants; i++) {
        struct sim_grant *g = &s->grants[i];
        if (sim_grant_is_live(g)) lease_step(s, i);
        if (g->state == SIM_KEPT && s->now.s >= g->keep_until.s) sim_grant_purge(s, i);
    }
}

/* ---- reclaims ---- */

void sim_notices_refresh(struct sim *s, size_t grant) {
    struct sim_grant *g = &s->grants[grant];
    sim_grant_ends(s, g, false);
    g->n_open = 0;
    for (size_t k = 0; k < g->n_servers; k++) g->servers[k].notice = NULL;
    for (size_t i = 0; i < g->n_notices; i++) {
        const struct sim_notice *n = &g->notices[i];
        if (n->done) continue;
        g->open = mem_grow(g->open, &g->open_room, g->n_open + 1, sizeof *g->open);
        g->open[g->n_open++] = n->fact;
        for (size_t k = 0; k < g->n_servers; k++)
            for (size_t o = 0; o < n->n_operations; o++)
                if (g->servers[k].operation == n->operations[o]) g->servers[k].notice = n->fact.id;
    }
    sim_grant_ends(s, g, true);
    sim_grant_facts(s, grant);
}

static void taken_add(struct sim *s, const struct sim_grant *g, const struct sim_notice *n, int64_t compute) {
    s->taken = mem_grow(s->taken, &s->taken_room, s->n_taken + 1, sizeof *s->taken);
    size_t claimant = n->claim ? s->world->requests[n->claim - 1].claim.tenant + 1 : 0;
    s->taken[s->n_taken++] =
        (struct sim_taken){.at = s->now,
                           .sent = n->fact.sent,
                           .effect = n->fact.effect,
                           .tenant = g->tenant,
                           .claimant = claimant,
                           .cause = n->fact.cause,
                           .units = n->fact.units,
                           .compute = compute,
                           .start = g->start,
                           .notice = n->notice,
                           .guarantee = n->guarantee,
                           .held = gflops(sim_held(s, g->tenant)),
                           .claimant_held = gflops(claimant ? sim_held(s, claimant - 1) : 0),
                           .claimant_guarantee = claimant ? s->standings[claimant - 1].guarantee : gflops(0),
                           .measured = n->measured,
                           .covered = n->covered};
    s->taken_today++;
}

static int64_t taken_compute(const struct sim_grant *g, const struct sim_notice *n) {
    int64_t sum = 0;
    for (size_t k = 0; k < g->n_servers; k++)
        if (g->servers[k].notice && strcmp(g->servers[k].notice, n->fact.id) == 0)
            sum += g->servers[k].compute.n;
    return sum;
}

/* Since the notice: the claim was served or withdrawn, its tenant has its guarantee by now, or the holder
   gave something else back and would fall below its own. */
static bool is_moot(const struct sim *s, const struct sim_grant *g, const struct sim_notice *n) {
    bool keeps = n->fact.cause == CAUSE_GUARANTEE || n->fact.cause == CAUSE_IDLE;
    if (keeps && sim_held(s, g->tenant) - taken_compute(g, n) < n->guarantee.n) return true;
    if (!n->claim) return false;
    size_t tenant = s->world->requests[n->claim - 1].claim.tenant;
    return s->requests[n->claim - 1].state != SIM_WAITING ||
           s->facts[tenant].held_compute.n >= s->standings[tenant].guarantee.n;
}

static void notice_effect(struct sim *s, size_t grant, size_t notice) {
    struct sim_grant *g = &s->grants[grant];
    struct sim_notice *n = &g->notices[notice];
    n->done = true;
    if (is_moot(s, g, n)) {
        sim_log_event(s, "reclaim dropped", g->request, n->fact.id);
        sim_notices_refresh(s, grant);
        return;
    }
    int64_t before = g->compute;
    sim_grant_shrink(s, grant, n->operations, n->n_operations);
    taken_add(s, g, n, before - g->compute);
    sim_log_event(s, "taken back", g->request, reclaim_cause_word(n->fact.cause));
    sim_notices_refresh(s, grant);
    if (g->n_servers == 0 && g->n_seats == 0) sim_grant_release(s, grant, true);
}

static void notices_due(struct sim *s) {
    for (size_t i = 0; i < s->n_grants; i++)
        for (size_t k = 0; k < s->grants[i].n_notices; k++) {
            const struct sim_grant *g = &s->grants[i];
            if (sim_grant_is_live(g) && !g->notices[k].done && g->notices[k].fact.effect.s <= s->now.s)
                notice_effect(s, i, k);
        }
}

static size_t grant_find(const struct sim *s, const char *id) {
    for (size_t i = 0; i < s->n_live; i++)
        if (strcmp(s->live[i].id, id) == 0) return s->live_of[i];
    return s->n_grants;
}

static void notice_add(struct sim *s, size_t grant, const struct reclaim *r) {
    struct sim_grant *g = &s->grants[grant];
    char id[24];
    text_format(id, sizeof id, "n-%lld", (long long)++s->notices);
    struct sim_notice n = {.fact = {.id = keep_text(&s->memory, id),
                                    .cause = r->cause,
                                    .sent = s->now,
                                    .effect = r->effect,
                                    .units = r->units,
                                    .rule = keep_text(&s->memory, r->rule),
                                    .flavor = keep_text(&s->memory, r->flavor)},
                           .notice = r->notice,
                           .guarantee = r->guarantee,
                           .measured = r->measured,
                           .covered = r->sample.covered,
                           .n_operations = r->n_operations};
    n.operations = mem_alloc((r->n_operations + 1) * sizeof *n.operations);
    if (r->n_operations) memcpy(n.operations, r->operations, r->n_operations * sizeof *n.operations);
    for (size_t i = 0; r->claim && i < s->waiting.n; i++)
        if (strcmp(s->world->requests[s->waiting.of[i]].claim.id, r->claim) == 0)
            n.claim = s->waiting.of[i] + 1;
    g->notices = mem_grow(g->notices, &g->notices_room, g->n_notices + 1, sizeof *g->notices);
    g->notices[g->n_notices++] = n;
    s->notices_today++;
    sim_rule_used(s, r->rule, true);
    sim_log_event(s, "notice", g->request, r->en);
    sim_notices_refresh(s, grant);
}

static void notice_end(struct sim *s, const char *id) {
    for (size_t i = 0; i < s->n_live; i++) {
        struct sim_grant *g = &s->grants[s->live_of[i]];
        for (size_t k = 0; k < g->n_notices; k++) {
            if (g->notices[k].done || strcmp(g->notices[k].fact.id, id) != 0) continue;
            g->notices[k].done = true;
            sim_log_event(s, "reclaim dropped", g->request, id);
            sim_notices_refresh(s, s->live_of[i]);
            return;
        }
    }
}

/* Claims that wait stand in the facts: a guarantee that is claimed may need what was lent. */
static int reclaims(struct sim *s, struct err *e) {
    if (!policy_decider.reclaim || !policy_decider.assess) return 0;
    struct reclaim_plan plan = {0};
    struct fact_flavor flavors[FLAVORS_MOST];
    scoped_free struct fact_claim *claims = mem_alloc((s->waiting.n + 1) * sizeof *claims);
    for (size_t i = 0; i < s->waiting.n; i++) claims[i] = sim_claim(s, s->waiting.of[i]);
    struct facts f = {.now = s->now,
                      .tenants = s->facts,
                      .n_tenants = s->n_tenants,
                      .claims = claims,
                      .n_claims = s->waiting.n,
                      .grants = s->live,
                      .n_grants = s->n_live};
    f.pool = sim_pool_offered(s, flavors);
    f.pool.ends = s->ends;
    f.pool.n_ends = s->n_ends;
    int rc = policy_decider.reclaim(s->policy, &f, &plan, e);
    for (size_t i = 0; rc == 0 && i < plan.n_ends; i++) notice_end(s, plan.ends[i].notice);
    for (size_t i = 0; rc == 0 && i < plan.n_reclaims; i++) {
        if (plan.reclaims[i].cause == CAUSE_GRACE) continue; /* leases() has seen to it */
        size_t grant = grant_find(s, plan.reclaims[i].grant);
        if (grant == s->n_grants)
            rc = err_set(e, ERR_BOOKS, "a reclaim of grant %s, which is not live", plan.reclaims[i].grant);
        else
            notice_add(s, grant, &plan.reclaims[i]);
    }
    reclaim_plan_free(&plan);
    return rc;
}

/* Patience ends. From the back: who goes leaves the set. */
static void give_up(struct sim *s, const struct sim_set *set) {
    for (size_t i = set->n; i-- > 0;) {
        size_t request = set->of[i];
        span_t waits = s->world->requests[request].waits;
        if (waits.s == 0 || s->now.s < instant_after(s->world->requests[request].claim.submitted, waits).s)
            continue;
        sim_request_state(s, request, SIM_WITHDRAWN);
        sim_log_event(s, "withdrawn", request, "it has waited long enough");
    }
}

int sim_night(struct sim *s, instant_t now, struct err *e) {
    s->now = now;
    dated(s);
    give_up(s, &s->waiting);
    give_up(s, &s->reserve);
    sim_use_day(s, day_number(now) - 1);
    notices_due(s);
    leases(s);
    sim_calls_unsigned(s);
    come_free(s); /* a night's reconcile sees them gone */
    sim_offers_night(s);
    if (sim_assess(s, e) < 0 || sim_calls_fill(s, true, e) < 0 || sim_plan_all(s, e) < 0) return -1;
    sim_samples(s);
    if (reclaims(s, e) < 0 || sim_verify(s, true, e) < 0) return -1;
    sim_day_record(s);
    return 0;
}
