/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/facts.h"
#include "alloc/json.h"

#include <stdlib.h>
#include <string.h>

/* ---- members that are left out when they have their default ---- */

static void put_int(json_t *object, const char *key, int64_t n) {
    if (n != 0) json_object_set_new(object, key, json_integer(n));
}

static void put_text(json_t *object, const char *key, const char *text) {
    if (text) json_object_set_new(object, key, json_string(text));
}

static void put_true(json_t *object, const char *key, bool is_so) {
    if (is_so) json_object_set_new(object, key, json_true());
}

static void put_instant(json_t *object, const char *key, instant_t t) {
    put_text(object, key, instant_text(t).s);
}

static void put_maybe(json_t *object, const char *key, struct maybe_instant t) {
    if (t.has) put_instant(object, key, t.at);
}

/* Takes over the list; an empty one is left out. */
static void put_list(json_t *object, const char *key, json_t *list) {
    if (json_array_size(list) + json_object_size(list) > 0)
        json_object_set_new(object, key, list);
    else
        json_decref(list);
}

/* ---- one order, whatever the order in memory ---- */

typedef int compare_fn(const void *a, const void *b);
/* Pointers to the items of an array in the order of cmp, which gets pointers to those pointers. */
static const void **sorted(const void *items, size_t n, size_t size, compare_fn *cmp) {
    const void **list = mem_alloc(n * sizeof *list);
    for (size_t i = 0; i < n; i++) list[i] = (const char *)items + i * size;
    qsort(list, n, sizeof *list, cmp);
    return list;
}

#define COMPARE(name, type, result)                                                                          \
    static int name(const void *a, const void *b) {                                                          \
        const type *x = *(const type *const *)a, *y = *(const type *const *)b;                               \
        return result;                                                                                       \
    }
static int int_cmp(int64_t a, int64_t b) { return (a > b) - (a < b); }
static int text_cmp(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : ""); }
static int first_of(int a, int b, int c) { return a ? a : b ? b : c; }

COMPARE(flavor_cmp, struct fact_flavor, strcmp(x->name, y->name))
COMPARE(service_cmp, struct fact_service, strcmp(x->name, y->name))
COMPARE(end_cmp, struct fact_end,
        first_of(int_cmp(x->at.s, y->at.s), claim_id_cmp(x->grant, y->grant),
                 first_of(strcmp(x->flavor, y->flavor), int_cmp(x->units.n, y->units.n),
                          text_cmp(x->notice, y->notice))))
COMPARE(holding_cmp, struct fact_holding, strcmp(x->item, y->item))
COMPARE(tenant_cmp, struct fact_tenant, strcmp(x->name, y->name))
COMPARE(claim_cmp, struct fact_claim,
        first_of(int_cmp(x->submitted.s, y->submitted.s), claim_id_cmp(x->id, y->id), 0))
COMPARE(grant_cmp, struct fact_grant, claim_id_cmp(x->id, y->id))
COMPARE(server_cmp, struct fact_server,
        first_of(int_cmp(x->operation, y->operation), strcmp(x->flavor, y->flavor),
                 int_cmp(x->units, y->units)))
COMPARE(sample_cmp, struct fact_sample,
        first_of(first_of(strcmp(x->metric, y->metric), int_cmp(x->window.s, y->window.s),
                          int_cmp(x->covered, y->covered)),
                 int_cmp(x->most, y->most), int_cmp(x->mean, y->mean)))
COMPARE(notice_cmp, struct fact_notice, claim_id_cmp(x->id, y->id))

/* A JSON array of n items in the order of cmp, each made by encode. */
#define LIST(type, items, n, cmp, encode_one)                                                                \
    {                                                                                                        \
        scoped_free const void **order_ = sorted(items, n, sizeof(type), cmp);                               \
        for (size_t i_ = 0; i_ < (n); i_++)                                                                  \
            json_array_append_new(list, encode_one((const type *)order_[i_]));                               \
    }

/* ---- the pool ---- */

static json_t *flavor_encode(const struct fact_flavor *f) {
    json_t *object = json_object(), *sizes = json_array();
    for (size_t i = 0; i < f->n_sizes; i++) json_array_append_new(sizes, json_integer(f->sizes[i]));
    put_text(object, "name", f->name);
    put_true(object, "unrated", f->unrated);
    if (!f->unrated) json_object_set_new(object, "rating_gflops", json_integer(f->rating.n));
    json_object_set_new(object, "units", json_integer(f->capacity.n));
    json_object_set_new(object, "free", json_integer(f->free.n));
    put_int(object, "lost", f->lost.n);
    put_int(object, "coming", f->coming.n);
    json_object_set_new(object, "sizes", sizes);
    return object;
}

static json_t *service_encode(const struct fact_service *s) {
    json_t *object = json_object();
    put_text(object, "name", s->name);
    json_object_set_new(object, "seats", json_integer(s->seats));
    json_object_set_new(object, "free", json_integer(s->free));
    return object;
}

static json_t *end_encode(const struct fact_end *end) {
    json_t *object = json_object();
    put_instant(object, "at", end->at);
    put_text(object, "grant", end->grant);
    put_text(object, "flavor", end->flavor);
    json_object_set_new(object, "units", json_integer(end->units.n));
    put_text(object, "notice", end->notice);
    return object;
}

static json_t *flavors_encode(const struct fact_pool *p) {
    json_t *list = json_array();
    LIST(struct fact_flavor, p->flavors, p->n_flavors, flavor_cmp, flavor_encode)
    return list;
}

static json_t *services_encode(const struct fact_pool *p) {
    json_t *list = json_array();
    LIST(struct fact_service, p->services, p->n_services, service_cmp, service_encode)
    return list;
}

static json_t *ends_encode(const struct fact_pool *p) {
    json_t *list = json_array();
    LIST(struct fact_end, p->ends, p->n_ends, end_cmp, end_encode)
    return list;
}

static json_t *promised_encode(const struct fact_promised *p) {
    json_t *object = json_object();
    put_int(object, "guarantees_gflops", p->guarantees.n);
    put_int(object, "unused_gflops", p->unused.n);
    return object;
}

static json_t *pool_encode(const struct fact_pool *p) {
    json_t *object = json_object();
    put_text(object, "name", p->name);
    put_text(object, "basis", p->basis);
    put_true(object, "draining", p->draining);
    json_object_set_new(object, "flavors", flavors_encode(p));
    json_object_set_new(object, "storage_bytes", json_integer(p->storage_capacity.n));
    json_object_set_new(object, "storage_free_bytes", json_integer(p->storage_free.n));
    json_object_set_new(object, "granule_bytes", json_integer(p->granule.n));
    put_int(object, "datalake_bytes", p->datalake_capacity.n);
    put_int(object, "datalake_free_bytes", p->datalake_free.n);
    put_list(object, "services", services_encode(p));
    put_list(object, "ends", ends_encode(p));
    put_list(object, "promised", promised_encode(&p->promised));
    put_int(object, "waiting", p->waiting);
    put_int(object, "waiting_gflops", p->waiting_compute.n);
    put_int(object, "beside_gflops", p->beside_compute.n);
    put_int(object, "beside_bytes", p->beside_storage.n);
    put_int(object, "projects", p->projects);
    put_int(object, "projects_usable", p->projects_usable);
    return object;
}

/* ---- tenants ---- */

static void put_attrs(json_t *object, const struct fact_attr *attrs, size_t n) {
    json_t *list = json_object();
    for (size_t i = 0; i < n; i++) put_text(list, attrs[i].name, attrs[i].value);
    put_list(object, "attrs", list);
}

static json_t *holding_encode(const struct fact_holding *h) {
    json_t *object = json_object();
    put_text(object, "item", h->item);
    put_int(object, "held", h->held);
    put_int(object, "organisation", h->organisation);
    return object;
}

static json_t *holdings_encode(const struct fact_holding *holdings, size_t n) {
    json_t *list = json_array();
    LIST(struct fact_holding, holdings, n, holding_cmp, holding_encode)
    return list;
}

static const char *const period_words[FACT_PERIODS] = {"month", "quarter", "year"};

static json_t *spent_encode(const struct fact_spent spent[FACT_PERIODS]) {
    json_t *object = json_object();
    for (size_t i = 0; i < FACT_PERIODS; i++) {
        json_t *period = json_object();
        put_int(period, "gflops_seconds", spent[i].compute_gflops_seconds);
        put_int(period, "organisation_gflops_seconds", spent[i].organisation_gflops_seconds);
        put_int(period, "byte_hours", spent[i].storage_byte_hours);
        put_int(period, "organisation_byte_hours", spent[i].organisation_byte_hours);
        put_list(object, period_words[i], period);
    }
    return object;
}

static json_t *tenant_encode(const struct fact_tenant *t) {
    json_t *object = json_object();
    put_text(object, "name", t->name);
    put_text(object, "organisation", t->organisation);
    put_true(object, "suspended", t->suspended);
    put_int(object, "held_gflops", t->held_compute.n);
    put_int(object, "held_bytes", t->held_storage.n);
    put_int(object, "organisation_gflops", t->organisation_compute.n);
    put_int(object, "organisation_bytes", t->organisation_storage.n);
    put_attrs(object, t->attrs, t->n_attrs);
    put_list(object, "holdings", holdings_encode(t->holdings, t->n_holdings));
    put_int(object, "credits", t->credits);
    put_list(object, "spent", spent_encode(t->spent));
    return object;
}

/* ---- claims ---- */

static json_t *replaced_encode(const struct fact_replaced *r) {
    json_t *object = json_object();
    put_text(object, "grant", r->grant);
    put_int(object, "compute_gflops", r->compute.n);
    put_int(object, "storage_bytes", r->storage.n);
    put_maybe(object, "end", r->end);
    put_list(object, "holdings", holdings_encode(r->holdings, r->n_holdings));
    return object;
}

static void put_ask(json_t *object, const struct fact_claim *c) {
    bool in_units = c->ask == ASK_UNITS, in_compute = c->ask == ASK_COMPUTE;
    if (in_units) json_object_set_new(object, "units", json_integer(c->units.n));
    if (in_compute) json_object_set_new(object, "compute_gflops", json_integer(c->compute.n));
    if (c->has_minimum && in_units)
        json_object_set_new(object, "minimum_units", json_integer(c->minimum_units.n));
    if (c->has_minimum && in_compute)
        json_object_set_new(object, "minimum_gflops", json_integer(c->minimum_compute.n));
    put_int(object, "per_server", c->per_server);
    put_int(object, "storage_bytes", c->storage.n);
    put_int(object, "datalake_bytes", c->datalake.n);
    json_t *seats = json_object();
    for (size_t i = 0; i < c->n_seats; i++) put_int(seats, c->seats[i].service, c->seats[i].seats);
    put_list(object, "seats", seats);
}

static json_t *claim_encode(const struct facts *f, const struct fact_claim *c) {
    json_t *object = json_object();
    put_text(object, "id", c->id);
    put_text(object, "tenant", f->tenants[c->tenant].name);
    put_text(object, "flavor", c->flavor);
    put_ask(object, c);
    put_maybe(object, "until", c->until);
    put_int(object, "term_seconds", c->term.s);
    put_instant(object, "submitted", c->submitted);
    if (c->approved) put_text(object, "approver", c->approver ? c->approver : "");
    put_text(object, "override_rule", c->override_rule);
    put_attrs(object, c->attrs, c->n_attrs);
    if (c->replaces.grant) json_object_set_new(object, "replaces", replaced_encode(&c->replaces));
    put_text(object, "call", c->call);
    put_maybe(object, "agreed", c->agreed);
    if (c->ranked) json_object_set_new(object, "rank", json_integer(c->rank));
    return object;
}

/* ---- grants ---- */

static json_t *server_encode(const struct fact_server *s) {
    json_t *object = json_object();
    put_text(object, "flavor", s->flavor);
    json_object_set_new(object, "units", json_integer(s->units));
    json_object_set_new(object, "operation", json_integer(s->operation));
    put_int(object, "compute_gflops", s->compute.n);
    put_true(object, "carries", s->carries);
    put_text(object, "notice", s->notice);
    return object;
}

static json_t *sample_encode(const struct fact_sample *s) {
    json_t *object = json_object();
    put_text(object, "metric", s->metric);
    json_object_set_new(object, "window_seconds", json_integer(s->window.s));
    json_object_set_new(object, "covered_percent", json_integer(s->covered));
    json_object_set_new(object, "most_percent", json_integer(s->most));
    json_object_set_new(object, "mean_percent", json_integer(s->mean));
    return object;
}

static json_t *notice_encode(const struct fact_notice *n) {
    json_t *object = json_object();
    put_text(object, "id", n->id);
    put_text(object, "cause", reclaim_cause_word(n->cause));
    put_instant(object, "sent", n->sent);
    put_instant(object, "effect", n->effect);
    put_int(object, "units", n->units);
    put_text(object, "flavor", n->flavor);
    put_text(object, "rule", n->rule);
    return object;
}

static json_t *servers_encode(const struct fact_grant *g) {
    json_t *list = json_array();
    LIST(struct fact_server, g->servers, g->n_servers, server_cmp, server_encode)
    return list;
}

static json_t *samples_encode(const struct fact_grant *g) {
    json_t *list = json_array();
    LIST(struct fact_sample, g->samples, g->n_samples, sample_cmp, sample_encode)
    return list;
}

static json_t *notices_encode(const struct fact_grant *g) {
    json_t *list = json_array();
    LIST(struct fact_notice, g->notices, g->n_notices, notice_cmp, notice_encode)
    return list;
}

static json_t *grant_encode(const struct facts *f, const struct fact_grant *g) {
    json_t *object = json_object();
    put_text(object, "id", g->id);
    put_text(object, "tenant", f->tenants[g->tenant].name);
    put_int(object, "compute_gflops", g->compute.n);
    put_int(object, "storage_bytes", g->storage.n);
    put_instant(object, "start", g->start);
    put_instant(object, "end", g->end);
    put_int(object, "grace_seconds", g->grace.s);
    put_list(object, "servers", servers_encode(g));
    put_list(object, "samples", samples_encode(g));
    put_list(object, "notices", notices_encode(g));
    put_text(object, "excepted", g->excepted);
    return object;
}

/* ---- the whole ---- */

static json_t *tenants_encode(const struct facts *f) {
    json_t *list = json_array();
    LIST(struct fact_tenant, f->tenants, f->n_tenants, tenant_cmp, tenant_encode)
    return list;
}

static json_t *claims_encode(const struct facts *f) {
    json_t *list = json_array();
    scoped_free const void **order = sorted(f->claims, f->n_claims, sizeof *f->claims, claim_cmp);
    for (size_t i = 0; i < f->n_claims; i++) json_array_append_new(list, claim_encode(f, order[i]));
    return list;
}

static json_t *grants_encode(const struct facts *f) {
    json_t *list = json_array();
    scoped_free const void **order = sorted(f->grants, f->n_grants, sizeof *f->grants, grant_cmp);
    for (size_t i = 0; i < f->n_grants; i++) json_array_append_new(list, grant_encode(f, order[i]));
    return list;
}

char *facts_encode(const struct facts *f) {
    scoped_json json_t *root = json_object();
    json_object_set_new(root, "format", json_integer(FACTS_FORMAT));
    put_instant(root, "now", f->now);
    json_object_set_new(root, "pool", pool_encode(&f->pool));
    json_object_set_new(root, "tenants", tenants_encode(f));
    json_object_set_new(root, "claims", claims_encode(f));
    put_list(root, "grants", grants_encode(f));
    return json_canonical(root);
}
