/* SPDX-License-Identifier: Apache-2.0 */
/* Who there is in a simulation, how each stands, and what waits. */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"not yet", "in call", "reserve", "waiting",
                                     "held",    "granted", "denied",  "withdrawn"};

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

static void request_free(struct sim_request *r) {
    free(r->decisive);
    if (r->offer) decision_free(r->offer);
    free(r->offer);
    free(r->going);
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
    for (size_t i = 0; s->requests && i < s->world->n_requests; i++) request_free(&s->requests[i]);
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
    free(s->reserve.of);
    free(s->offered.of);
    free(s->calls);
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
    s->promised = s->unused = s->weights = 0;
    for (size_t i = 0; i < s->n_tenants; i++) {
        int64_t g = s->tenants[i].is_here ? out[i].guarantee.n : 0, left = g - s->facts[i].held_compute.n;
        out[i].guarantee = gflops(g);
        if (s->tenants[i].is_here && out[i].eligible) s->weights += out[i].weight;
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

void sim_set_put(struct sim_set *set, size_t item) {
    size_t at = set_place(set, item);
    set->of = mem_grow(set->of, &set->room, set->n + 1, sizeof *set->of);
    memmove(set->of + at + 1, set->of + at, (set->n++ - at) * sizeof *set->of);
    set->of[at] = item;
}

void sim_set_drop(struct sim_set *set, size_t item) {
    size_t at = set_place(set, item);
    memmove(set->of + at, set->of + at + 1, (--set->n - at) * sizeof *set->of);
}

/* The requests of a state, where somebody walks them. */
static struct sim_set *set_of(struct sim *s, enum sim_state state) {
    return state == SIM_WAITING   ? &s->waiting
           : state == SIM_HELD    ? &s->held
           : state == SIM_RESERVE ? &s->reserve
                                  : NULL;
}

static bool is_wanting(enum sim_state state) { return state == SIM_WAITING || state == SIM_RESERVE; }

void sim_request_state(struct sim *s, size_t request, enum sim_state state) {
    struct sim_request *r = &s->requests[request];
    struct sim_set *from = set_of(s, r->state), *to = set_of(s, state);
    s->waiting_compute += r->wanted * ((state == SIM_WAITING) - (r->state == SIM_WAITING));
    s->tenants[s->world->requests[request].claim.tenant].waiting +=
        r->wanted * (is_wanting(state) - is_wanting(r->state));
    if (from != to && from) sim_set_drop(from, request);
    if (from != to && to) sim_set_put(to, request);
    r->state = state;
    if (r->offer && state != SIM_WAITING) sim_offer_end(s, request, SIM_OFFER_LEFT);
}

int64_t sim_demand(const struct sim *s, size_t tenant) {
    const struct sim_tenant *t = &s->tenants[tenant];
    int64_t wants = sim_held(s, tenant) + t->waiting;
    return wants < t->ceiling ? wants : t->ceiling;
}
