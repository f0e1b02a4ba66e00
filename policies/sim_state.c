/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a simulation: tenants, grants, what is free. Every sum has one place where it changes. */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"not yet", "in call", "waiting",  "held",
                                     "granted", "denied",  "withdrawn"};

const char *sim_state_word(enum sim_state state) { return states[state]; }

/* ---- beginning ---- */

static int item_cmp(const void *a, const void *b) { return strcmp(a, b); }

static void pool_begin(struct sim *s) {
    const struct policy *y = s->policy;
    s->pool = (struct fact_pool){.name = y->pool.s,
                                 .basis = y->basis.s,
                                 .flavors = s->flavors,
                                 .n_flavors = y->n_flavors,
                                 .storage_capacity = y->storage,
                                 .storage_free = y->storage,
                                 .granule = s->options.granule,
                                 .datalake_capacity = y->datalake,
                                 .datalake_free = y->datalake,
                                 .services = s->services,
                                 .n_services = y->n_services};
    for (size_t i = 0; i < y->n_flavors; i++) {
        s->flavors[i] = policy_flavor(y, i);
        s->capacity += s->flavors[i].capacity.n * s->flavors[i].rating.n;
        text_format(s->items[s->n_items++], sizeof s->items[0], "unit/%s", s->flavors[i].name);
    }
    for (size_t i = 0; i < y->n_services; i++) {
        s->services[i] =
            (struct fact_service){y->services[i].name.s, y->services[i].seats, y->services[i].seats};
        text_format(s->items[s->n_items++], sizeof s->items[0], "seat/%s", s->services[i].name);
    }
    char sorted[FLAVORS_MOST + SERVICES_MOST][96];
    memcpy(sorted, s->items, sizeof sorted);
    qsort(sorted, s->n_items, sizeof sorted[0], item_cmp);
    for (size_t i = 0; i < s->n_items; i++)
        for (size_t k = 0; k < s->n_items; k++)
            if (strcmp(s->items[i], sorted[k]) == 0) s->item_place[i] = k;
}

static int organisation_cmp(const void *a, const void *b, void *arg) {
    const struct world *w = arg;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int c = strcmp(w->tenants[x].organisation, w->tenants[y].organisation);
    return c ? c : (x > y) - (x < y);
}

static void organisations_begin(struct sim *s) {
    scoped_free size_t *order = mem_alloc((s->n_tenants + 1) * sizeof *order);
    for (size_t i = 0; i < s->n_tenants; i++) order[i] = i;
    qsort_r(order, s->n_tenants, sizeof *order, organisation_cmp, (void *)s->world);
    s->organisations = mem_alloc((s->n_tenants + 1) * sizeof *s->organisations);
    for (size_t i = 0; i < s->n_tenants; i++) {
        const struct world_tenant *t = &s->world->tenants[order[i]];
        if (i == 0 || strcmp(s->world->tenants[order[i - 1]].organisation, t->organisation) != 0)
            s->organisations[s->n_organisations++].held = mem_alloc((s->n_items + 1) * sizeof(int64_t));
        struct sim_organisation *o = &s->organisations[s->n_organisations - 1];
        o->tenants = mem_grow(o->tenants, &o->room, o->n_tenants + 1, sizeof *o->tenants);
        o->tenants[o->n_tenants++] = order[i];
        s->tenants[order[i]].organisation = s->n_organisations - 1;
    }
}

static void tenants_begin(struct sim *s) {
    s->n_tenants = s->world->n_tenants;
    s->tenants = mem_alloc((s->n_tenants + 1) * sizeof *s->tenants);
    s->facts = mem_alloc((s->n_tenants + 1) * sizeof *s->facts);
    s->standings = mem_alloc((s->n_tenants + 1) * sizeof *s->standings);
    s->since = mem_alloc((s->n_tenants + 1) * sizeof *s->since);
    s->before = mem_alloc((s->n_tenants + 1) * sizeof *s->before);
    for (size_t i = 0; i < s->n_tenants; i++) {
        struct sim_tenant *t = &s->tenants[i];
        t->ceiling = INT64_MAX;
        t->holdings = mem_alloc((s->n_items + 1) * sizeof *t->holdings);
        for (size_t k = 0; k < s->n_items; k++) t->holdings[s->item_place[k]].item = s->items[k];
        s->facts[i] = (struct fact_tenant){.name = s->world->tenants[i].name,
                                           .organisation = s->world->tenants[i].organisation,
                                           .holdings = t->holdings,
                                           .n_holdings = s->n_items};
    }
    organisations_begin(s);
}

int sim_state_begin(struct sim *s, struct err *e) {
    pool_begin(s);
    if (s->pool.n_flavors == 0 && s->policy->storage.n == 0)
        return err_set(e, ERR_USAGE, "policy %s states no pool to simulate", s->policy->name);
    tenants_begin(s);
    s->requests = mem_alloc((s->world->n_requests + 1) * sizeof *s->requests);
    for (size_t i = 0; i < s->world->n_requests; i++) {
        const struct fact_claim *c = &s->world->requests[i].claim;
        size_t f = c->ask == ASK_UNITS ? sim_flavor(s, c->flavor) : s->pool.n_flavors;
        s->requests[i].wanted = f < s->pool.n_flavors ? c->units.n * s->flavors[f].rating.n : c->compute.n;
    }
    s->tiers[s->n_tiers++] = (struct sim_tier){"all", INT64_MAX};
    return 0;
}

static void grant_free(struct sim_grant *g) {
    free(g->servers);
    for (size_t i = 0; i < g->n_notices; i++) free(g->notices[i].operations);
    for (size_t i = 0; i < g->n_seats; i++) free(g->seats[i].service);
    free(g->seats);
    free(g->notices);
    free(g->open);
    free(g->samples);
}

void sim_state_end(struct sim *s) {
    for (size_t i = 0; i < s->n_tenants; i++) {
        free(s->tenants[i].attrs);
        free(s->tenants[i].holdings);
        free(s->tenants[i].use);
        free(s->standings[i].tier);
        free(s->standings[i].rule);
    }
    for (size_t i = 0; i < s->n_organisations; i++) {
        free(s->organisations[i].held);
        free(s->organisations[i].tenants);
    }
    for (size_t i = 0; i < s->n_grants; i++) grant_free(&s->grants[i]);
    for (size_t i = 0; s->requests && i < s->world->n_requests; i++) free(s->requests[i].decisive);
    free(s->tenants);
    free(s->facts);
    free(s->standings);
    free(s->since);
    free(s->before);
    free(s->organisations);
    free(s->requests);
    free(s->grants);
    free(s->live);
    free(s->live_of);
    free(s->waiting.of);
    free(s->held.of);
    free(s->ends);
}

/* ---- attributes ---- */

size_t sim_flavor(const struct sim *s, const char *name) {
    for (size_t i = 0; i < s->pool.n_flavors; i++)
        if (s->flavors[i].name == name) return i;
    size_t i = 0;
    while (i < s->pool.n_flavors && strcmp(s->flavors[i].name, name) != 0) i++;
    return i;
}

static void attr_put(struct fact_attr *attrs, size_t *n, const struct fact_attr *a) {
    size_t at = 0;
    while (at < *n && strcmp(attrs[at].name, a->name) < 0) at++;
    bool is_there = at < *n && strcmp(attrs[at].name, a->name) == 0;
    if (is_there && a->value) attrs[at].value = a->value;
    if (is_there && !a->value) memmove(attrs + at, attrs + at + 1, (--*n - at) * sizeof *attrs);
    if (is_there || !a->value) return;
    memmove(attrs + at + 1, attrs + at, ((*n)++ - at) * sizeof *attrs);
    attrs[at] = *a;
}

void sim_attrs_set(struct sim *s, size_t tenant, const struct fact_attr *attrs, size_t n, bool replace) {
    struct sim_tenant *t = &s->tenants[tenant];
    size_t kept = replace ? 0 : t->n_attrs;
    struct fact_attr *merged = mem_alloc((kept + n + 1) * sizeof *merged);
    if (kept) memcpy(merged, t->attrs, kept * sizeof *merged);
    for (size_t i = 0; i < n; i++) attr_put(merged, &kept, &attrs[i]);
    free(t->attrs);
    t->attrs = merged;
    t->n_attrs = kept;
    s->facts[tenant].attrs = merged;
    s->facts[tenant].n_attrs = kept;
    s->is_raised = true;
}

int sim_assess(struct sim *s, struct err *e) {
    if (!policy_decider.assess) return 0;
    struct facts f = {.now = s->now, .pool = s->pool, .tenants = s->facts, .n_tenants = s->n_tenants};
    struct standing *out = mem_alloc((s->n_tenants + 1) * sizeof *out);
    int rc = policy_decider.assess(s->policy, &f, out, e);
    if (rc < 0) {
        free(out);
        return -1;
    }
    standings_free(s->standings, s->n_tenants);
    s->standings = out;
    s->promised = s->unused = 0;
    for (size_t i = 0; i < s->n_tenants; i++) {
        int64_t g = s->tenants[i].is_here ? out[i].guarantee.n : 0, left = g - s->facts[i].held_compute.n;
        out[i].guarantee = gflops(g);
        if (g != s->before[i].n) s->since[i] = s->now;
        s->before[i] = gflops(g);
        s->promised += g;
        if (left > 0) s->unused += left;
        if (!out[i].tier) continue;
        size_t k = 0;
        while (k < s->n_tiers && strcmp(s->tiers[k].name, out[i].tier) != 0) k++;
        if (k == s->n_tiers && k < SIM_TIERS)
            s->tiers[s->n_tiers++] = (struct sim_tier){keep_text(&s->memory, out[i].tier), out[i].rank};
        s->tenants[i].tier = k < SIM_TIERS ? k : 0;
    }
    return 0;
}

/* ---- what a tenant holds ---- */

static int64_t unused_of(const struct sim *s, size_t tenant) {
    int64_t left = s->standings[tenant].guarantee.n - s->facts[tenant].held_compute.n;
    return left > 0 ? left : 0;
}

/* Every change of what somebody holds goes through here. */
static void hold(struct sim *s, size_t tenant, int64_t compute, int64_t storage) {
    struct sim_organisation *o = &s->organisations[s->tenants[tenant].organisation];
    s->changes++;
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

static void hold_item(struct sim *s, size_t tenant, size_t item, int64_t n) {
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
        hold_item(s, g->tenant, f, d->lines[i].size * d->lines[i].count);
    }
}

static void seats_change(struct sim *s, const struct sim_grant *g, int64_t sign) {
    for (size_t i = 0; i < g->n_seats; i++)
        for (size_t k = 0; k < s->pool.n_services; k++) {
            if (strcmp(s->services[k].name, g->seats[i].service) != 0) continue;
            s->services[k].free -= sign * g->seats[i].seats;
            hold_item(s, g->tenant, s->pool.n_flavors + k, sign * g->seats[i].seats);
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
                            .next = s->tenants[r->claim.tenant].grants};
    s->tenants[g->tenant].grants = at + 1;
    servers_make(s, g, d);
    seats_make(s, g, d);
    s->pool.storage_free.n -= g->storage;
    s->pool.datalake_free.n -= g->datalake;
    hold(s, g->tenant, g->compute, g->storage + g->datalake);
    live_add(s, at);
    sim_grant_ends(s, g, true);
    return at;
}

static void server_return(struct sim *s, struct sim_grant *g, size_t server) {
    size_t f = sim_flavor(s, g->servers[server].flavor);
    int64_t units = g->servers[server].units, compute = units * s->flavors[f].rating.n;
    s->flavors[f].coming.n += units;
    g->compute -= compute;
    hold_item(s, g->tenant, f, -units);
    hold(s, g->tenant, -compute, 0);
}

void sim_grant_release(struct sim *s, size_t grant, bool is_kept) {
    struct sim_grant *g = &s->grants[grant];
    sim_grant_ends(s, g, false);
    for (size_t i = 0; i < g->n_servers; i++) server_return(s, g, i);
    g->n_servers = 0;
    seats_change(s, g, -1);
    g->n_open = 0;
    s->pool.datalake_free.n += g->datalake;
    hold(s, g->tenant, 0, -g->datalake);
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
    hold(s, g->tenant, 0, -g->storage);
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

/* ---- who waits ---- */

static size_t set_place(const struct sim_set *set, size_t item) {
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (set->of[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void set_put(struct sim_set *set, size_t item) {
    size_t at = set_place(set, item);
    set->of = mem_grow(set->of, &set->room, set->n + 1, sizeof *set->of);
    memmove(set->of + at + 1, set->of + at, (set->n++ - at) * sizeof *set->of);
    set->of[at] = item;
}

static void set_drop(struct sim_set *set, size_t item) {
    size_t at = set_place(set, item);
    memmove(set->of + at, set->of + at + 1, (--set->n - at) * sizeof *set->of);
}

void sim_request_state(struct sim *s, size_t request, enum sim_state state) {
    struct sim_request *r = &s->requests[request];
    int64_t change = r->wanted * ((state == SIM_WAITING) - (r->state == SIM_WAITING));
    s->waiting_compute += change;
    s->tenants[s->world->requests[request].claim.tenant].waiting += change;
    if (r->state == SIM_WAITING && state != SIM_WAITING) set_drop(&s->waiting, request);
    if (r->state != SIM_WAITING && state == SIM_WAITING) set_put(&s->waiting, request);
    if (r->state == SIM_HELD && state != SIM_HELD) set_drop(&s->held, request);
    if (r->state != SIM_HELD && state == SIM_HELD) set_put(&s->held, request);
    r->state = state;
}

int64_t sim_demand(const struct sim *s, size_t tenant) {
    const struct sim_tenant *t = &s->tenants[tenant];
    int64_t wants = s->facts[tenant].held_compute.n + t->waiting;
    return wants < t->ceiling ? wants : t->ceiling;
}
