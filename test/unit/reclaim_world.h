/* SPDX-License-Identifier: Apache-2.0 */
/* Facts for a plan of reclaims, built by a test line by line. Times are days from now. Amounts in TF. */
#pragma once
#include "alloc/scope.h"
#include "alloc/text.h"
#include "policies/policy.h"
#include "policies/reclaim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLD_MOST = 64 };

struct world {
    struct policy *policy;
    instant_t now;
    struct facts facts;
    struct fact_flavor flavors[2];
    struct fact_tenant tenants[WORLD_MOST];
    struct standing standings[WORLD_MOST];
    struct fact_grant grants[WORLD_MOST];
    struct fact_server servers[WORLD_MOST][WORLD_MOST];
    struct fact_sample samples[WORLD_MOST][4];
    struct fact_notice notices[WORLD_MOST][4];
    struct fact_claim claims[WORLD_MOST];
    size_t n_tenants, n_grants, n_claims;
    int64_t operation;
    struct keep memory;
};

static inline void world_begin(struct world *w, const char *rules) {
    struct diagnostics d = {0};
    struct policy_source source = {"small.policy", rules, strlen(rules), NULL, NULL};
    *w = (struct world){.now = instant(1772409600)}; /* 2026-03-02T00:00:00Z */
    w->policy = policy_parse(&source, &d);
    struct text said = {0};
    diagnostics_print(&d, &said);
    if (!w->policy) fprintf(stderr, "%s", said.s);
    text_free(&said);
    diagnostics_free(&d);
    if (!w->policy) abort();
    w->flavors[0] = (struct fact_flavor){
        .name = "v100", .rating = gflops(10000), .capacity = units(16), .sizes = {1, 2, 4, 8}, .n_sizes = 4};
    w->flavors[1] = (struct fact_flavor){
        .name = "t4", .rating = gflops(5000), .capacity = units(8), .sizes = {1, 2}, .n_sizes = 2};
    w->facts.pool = (struct fact_pool){
        .name = "p", .basis = "fp32", .flavors = w->flavors, .n_flavors = 2, .granule = bytes(1)};
}

static inline void world_end(struct world *w) {
    policy_free(w->policy);
    keep_end(&w->memory);
}

static inline void world_tenant(struct world *w, const char *name, int64_t weight, int64_t guarantee) {
    w->tenants[w->n_tenants] = (struct fact_tenant){.name = keep_text(&w->memory, name)};
    w->standings[w->n_tenants] = (struct standing){true, NULL, NULL, 0, weight, gflops(guarantee * 1000)};
    w->n_tenants++;
}

static inline size_t world_tenant_at(const struct world *w, const char *name) {
    size_t i = 0;
    while (strcmp(w->tenants[i].name, name) != 0) i++;
    return i;
}

static inline size_t world_grant_at(const struct world *w, const char *id) {
    size_t i = 0;
    while (strcmp(w->grants[i].id, id) != 0) i++;
    return i;
}

static inline void world_server(struct world *w, const char *grant, const char *flavor, int64_t size) {
    size_t g = world_grant_at(w, grant);
    int64_t rating = strcmp(flavor, "v100") == 0 ? 10000 : 5000;
    w->servers[g][w->grants[g].n_servers++] = (struct fact_server){
        .flavor = flavor, .units = size, .operation = ++w->operation, .compute = gflops(rating * size)};
}

static inline void world_grant(struct world *w, const char *id, const char *tenant, int64_t start,
                               const char *flavor, int64_t size) {
    w->grants[w->n_grants] = (struct fact_grant){.id = keep_text(&w->memory, id),
                                                 .tenant = world_tenant_at(w, tenant),
                                                 .start = instant(w->now.s + start * CLOCK_DAY),
                                                 .end = instant(w->now.s + (start + 360) * CLOCK_DAY)};
    w->n_grants++;
    world_server(w, id, flavor, size);
}

static inline void world_drop_grant(struct world *w, const char *id) {
    size_t g = world_grant_at(w, id);
    w->n_grants--;
    w->grants[g] = w->grants[w->n_grants];
    memcpy(w->servers[g], w->servers[w->n_grants], sizeof w->servers[g]);
    memcpy(w->notices[g], w->notices[w->n_grants], sizeof w->notices[g]);
    memcpy(w->samples[g], w->samples[w->n_grants], sizeof w->samples[g]);
}

static inline void world_start(struct world *w, const char *id, int64_t start) {
    w->grants[world_grant_at(w, id)].start = instant(w->now.s + start * CLOCK_DAY);
}

static inline void world_lease(struct world *w, const char *id, int64_t end, int64_t grace) {
    w->grants[world_grant_at(w, id)].end = instant(w->now.s + end * CLOCK_DAY);
    w->grants[world_grant_at(w, id)].grace = span(grace * CLOCK_DAY);
}

static inline void world_except(struct world *w, const char *id, const char *rules) {
    w->grants[world_grant_at(w, id)].excepted = rules;
}

static inline void world_carries(struct world *w, const char *id, size_t server) {
    w->servers[world_grant_at(w, id)][server].carries = true;
}

/* A notice over all servers of the grant. */
static inline void world_notice(struct world *w, const char *id, const char *grant, enum reclaim_cause cause,
                                const char *rule, int64_t sent) {
    size_t g = world_grant_at(w, grant);
    int64_t sum = 0;
    for (size_t i = 0; i < w->grants[g].n_servers; i++) {
        w->servers[g][i].notice = id;
        sum += w->servers[g][i].units;
    }
    instant_t at = instant(w->now.s + sent * CLOCK_DAY);
    w->notices[g][0] = (struct fact_notice){
        id, cause, at, instant_after(at, span(7 * CLOCK_DAY)), sum, w->servers[g][0].flavor, rule};
    w->grants[g].n_notices = 1;
}

static inline struct fact_sample *world_sample(struct world *w, const char *grant, const char *metric,
                                               int64_t days, int64_t covered, int64_t most, int64_t mean) {
    size_t g = world_grant_at(w, grant);
    struct fact_sample *s = &w->samples[g][w->grants[g].n_samples++];
    *s = (struct fact_sample){metric, span(days * CLOCK_DAY), covered, most, mean};
    return s;
}

/* minimum 0: all or nothing. */
static inline void world_claim(struct world *w, const char *id, const char *tenant, const char *flavor,
                               int64_t wanted, int64_t minimum) {
    w->claims[w->n_claims++] = (struct fact_claim){.id = keep_text(&w->memory, id),
                                                   .tenant = world_tenant_at(w, tenant),
                                                   .flavor = flavor,
                                                   .ask = ASK_UNITS,
                                                   .units = units(wanted),
                                                   .has_minimum = minimum > 0,
                                                   .minimum_units = units(minimum),
                                                   .submitted = w->now};
}

static inline void world_plan(struct world *w, struct reclaim_plan *plan) {
    struct err e = {0};
    w->facts.now = w->now;
    w->facts.tenants = w->tenants;
    w->facts.n_tenants = w->n_tenants;
    w->facts.claims = w->claims;
    w->facts.n_claims = w->n_claims;
    for (size_t g = 0; g < w->n_grants; g++) {
        w->grants[g].servers = w->servers[g];
        w->grants[g].samples = w->samples[g];
        w->grants[g].notices = w->notices[g];
    }
    w->facts.grants = w->grants;
    w->facts.n_grants = w->n_grants;
    if (reclaim_make(w->policy, &w->facts, w->standings, plan, &e) < 0) {
        fprintf(stderr, "%s\n", e.what);
        abort();
    }
}
