/* SPDX-License-Identifier: Apache-2.0 */
/* What is held in a simulation: by whom, until when, and what is free. Every sum has one place where it
 * changes. */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

bool sim_grant_is_active(const struct sim_grant *g) { return g->state == SIM_LIVE || g->state == SIM_GRACE; }

bool sim_grant_is_live(const struct sim_grant *g) {
    return g->state == SIM_RESERVED || sim_grant_is_active(g);
}

/* ---- what a tenant holds ---- */

int64_t sim_held(const struct sim *s, size_t tenant) {
    return s->facts[tenant].held_compute.n - s->tenants[tenant].offered_compute;
}

static void time_pass(struct sim *s, size_t tenant) {
    struct sim_tenant *t = &s->tenants[tenant];
    t->held_time += (wide_t)sim_held(s, tenant) * (s->now.s - t->held_at.s);
    t->held_at = s->now;
}

static int64_t unused_of(const struct sim *s, size_t tenant) {
    int64_t left = s->standings[tenant].guarantee.n - s->facts[tenant].held_compute.n;
    return left > 0 ? left : 0;
}

/* Every change of what somebody holds goes through here. */
void sim_hold(struct sim *s, size_t tenant, int64_t compute, int64_t storage) {
    struct sim_organisation *o = &s->organisations[s->tenants[tenant].organisation];
    s->changes++;
    time_pass(s, tenant);
    s->unused -= unused_of(s, tenant);
    s->facts[tenant].held_compute.n += compute;
    s->facts[tenant].held_storage.n += storage;
    s->unused += unused_of(s, tenant);
    o->compute += compute;
    o->storage += storage;
    for (size_t i = 0; i < o->n_tenants; i++) {
        s->facts[o->tenants[i]].organisation_compute.n = o->compute;
        s->facts[o->tenants[i]].organisation_storage.n = o->storage;
    }
}

void sim_hold_item(struct sim *s, size_t tenant, size_t item, int64_t n) {
    struct sim_organisation *o = &s->organisations[s->tenants[tenant].organisation];
    size_t at = s->item_place[item];
    o->held[at] += n;
    s->tenants[tenant].holdings[at].held += n;
    for (size_t i = 0; i < o->n_tenants; i++)
        s->tenants[o->tenants[i]].holdings[at].organisation = o->held[at];
}

/* ---- grants ---- */

/* The facts of a live grant follow it. */
static void live_refresh(struct sim *s, const struct sim_grant *g) {
    s->live[g->live] = (struct fact_grant){.id = g->id,
                                           .tenant = g->tenant,
                                           .compute = gflops(g->compute),
                                           .storage = bytes(g->storage),
                                           .start = g->start,
                                           .end = g->end,
                                           .grace = g->grace,
                                           .servers = g->servers,
                                           .n_servers = g->n_servers,
                                           .samples = g->samples,
                                           .n_samples = g->n_samples,
                                           .notices = g->open,
                                           .n_notices = g->n_open};
}

static void live_add(struct sim *s, size_t grant) {
    s->live = mem_grow(s->live, &s->live_room, s->n_live + 1, sizeof *s->live);
    s->live_of = mem_grow(s->live_of, &s->live_of_room, s->n_live + 1, sizeof *s->live_of);
    s->grants[grant].live = s->n_live;
    s->live_of[s->n_live++] = grant;
    live_refresh(s, &s->grants[grant]);
}

static void live_drop(struct sim *s, size_t grant) {
    size_t at = s->grants[grant].live, last = --s->n_live;
    s->live[at] = s->live[last];
    s->live_of[at] = s->live_of[last];
    s->grants[s->live_of[at]].live = at;
}

static void servers_make(struct sim *s, struct sim_grant *g, const struct decision *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->n_lines; i++) n += (size_t)d->lines[i].count;
    g->servers = mem_alloc((n + 1) * sizeof *g->servers);
    for (size_t i = 0; i < d->n_lines; i++) {
        size_t f = sim_flavor(s, d->lines[i].flavor);
        for (int64_t k = 0; k < d->lines[i].count; k++)
            g->servers[g->n_servers++] =
                (struct fact_server){.flavor = s->flavors[f].name,
                                     .units = d->lines[i].size,
                                     .operation = ++s->operations,
                                     .compute = gflops(d->lines[i].size * s->flavors[f].rating.n),
                                     .carries = g->storage > 0 && g->n_servers == 0};
        s->flavors[f].free.n -= d->lines[i].size * d->lines[i].count;
        sim_hold_item(s, g->tenant, f, d->lines[i].size * d->lines[i].count);
    }
}

static void seats_change(struct sim *s, const struct sim_grant *g, int64_t sign) {
    for (size_t i = 0; i < g->n_seats; i++)
        for (size_t k = 0; k < s->pool.n_services; k++) {
            if (strcmp(s->services[k].name, g->seats[i].service) != 0) continue;
            s->services[k].free -= sign * g->seats[i].seats;
            sim_hold_item(s, g->tenant, s->pool.n_flavors + k, sign * g->seats[i].seats);
        }
}

static void seats_make(struct sim *s, struct sim_grant *g, const struct decision *d) {
    g->seats = mem_alloc((d->n_seats + 1) * sizeof *g->seats);
    for (; g->n_seats < d->n_seats; g->n_seats++)
        g->seats[g->n_seats] =
            (struct plan_seats){mem_copy(d->seats[g->n_seats].service), d->seats[g->n_seats].seats};
    seats_change(s, g, 1);
}

size_t sim_grant_add(struct sim *s, size_t request, const struct decision *d) {
    s->grants = mem_grow(s->grants, &s->grants_room, s->n_grants + 1, sizeof *s->grants);
    size_t at = s->n_grants++;
    struct sim_grant *g = &s->grants[at];
    const struct world_request *r = &s->world->requests[request];
    char id[24];
    text_format(id, sizeof id, "g-%zu", s->n_grants);
    *g = (struct sim_grant){.id = keep_text(&s->memory, id),
                            .request = request,
                            .tenant = r->claim.tenant,
                            .compute = d->compute.n,
                            .storage = d->storage.n,
                            .datalake = d->datalake.n,
                            .start = d->lease.start,
                            .end = d->lease.end,
                            .notice = d->lease.notice,
                            .grace = d->lease.grace,
                            .keep = d->lease.keep,
                            .renew_term = d->lease.renew_term,
                            .renewals_left = d->lease.renewals,
                            .renews = r->renews,
                            .state = d->needs_agreement ? SIM_RESERVED : SIM_LIVE,
                            .next = s->tenants[r->claim.tenant].grants};
    s->tenants[g->tenant].grants = at + 1;
    servers_make(s, g, d);
    seats_make(s, g, d);
    s->pool.storage_free.n -= g->storage;
    s->pool.datalake_free.n -= g->datalake;
    sim_hold(s, g->tenant, g->compute, g->storage + g->datalake);
    g->held_before = s->tenants[g->tenant].held_time;
    live_add(s, at);
    sim_grant_ends(s, g, true);
    return at;
}

static void server_return(struct sim *s, struct sim_grant *g, size_t server) {
    size_t f = sim_flavor(s, g->servers[server].flavor);
    int64_t units = g->servers[server].units, compute = units * s->flavors[f].rating.n;
    s->flavors[f].coming.n += units;
    g->compute -= compute;
    sim_hold_item(s, g->tenant, f, -units);
    sim_hold(s, g->tenant, -compute, 0);
}

void sim_grant_release(struct sim *s, size_t grant, bool is_kept) {
    struct sim_grant *g = &s->grants[grant];
    s->is_raised |= g->n_seats > 0 || g->datalake > 0;
    if (g->compute > 0 && g->state != SIM_RESERVED) sim_credit_settle(s, g);
    sim_grant_ends(s, g, false);
    for (size_t i = 0; i < g->n_servers; i++) server_return(s, g, i);
    g->n_servers = 0;
    seats_change(s, g, -1);
    g->n_open = 0;
    s->pool.datalake_free.n += g->datalake;
    sim_hold(s, g->tenant, 0, -g->datalake);
    g->datalake = 0;
    g->gone = s->now;
    live_drop(s, grant);
    g->state = SIM_KEPT;
    g->keep_until = instant_after(s->now, g->keep);
    if (!is_kept || g->storage == 0) sim_grant_purge(s, grant);
}

void sim_grant_purge(struct sim *s, size_t grant) {
    struct sim_grant *g = &s->grants[grant];
    s->pool.storage_free.n += g->storage;
    sim_hold(s, g->tenant, 0, -g->storage);
    g->storage = 0;
    g->state = SIM_ENDED;
    s->is_raised = true;
}

static bool is_among(int64_t operation, const int64_t *operations, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (operations[i] == operation) return true;
    return false;
}

void sim_grant_shrink(struct sim *s, size_t grant, const int64_t *operations, size_t n) {
    struct sim_grant *g = &s->grants[grant];
    size_t kept = 0;
    sim_grant_ends(s, g, false);
    for (size_t i = 0; i < g->n_servers; i++) {
        if (is_among(g->servers[i].operation, operations, n))
            server_return(s, g, i);
        else
            g->servers[kept++] = g->servers[i];
    }
    g->n_servers = kept;
    sim_grant_ends(s, g, true);
    live_refresh(s, g);
}

void sim_grant_extend(struct sim *s, size_t grant, instant_t end) {
    struct sim_grant *g = &s->grants[grant];
    sim_grant_ends(s, g, false);
    g->end = end;
    g->state = SIM_LIVE;
    g->is_told = false;
    sim_grant_ends(s, g, true);
    live_refresh(s, g);
}

void sim_grant_facts(struct sim *s, size_t grant) { live_refresh(s, &s->grants[grant]); }
