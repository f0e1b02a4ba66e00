/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/facts_in.h"

#include <stdlib.h>
#include <string.h>

int facts_list(struct facts_owned *o, const struct json_at *owner, const char *key, size_t most, size_t size,
               facts_item_fn *decode, const void **out, size_t *n, struct err *e) {
    struct json_at list;
    if (json_may_array(owner, key, most, &list, e) < 0) return -1;
    *n = json_length(&list);
    if (*n == 0) return 0;
    char *items = keep_add(&o->memory, mem_alloc(*n * size));
    for (size_t i = 0; i < *n; i++) {
        struct json_at item = json_item(&list, i);
        if (json_as_object(&item, e) < 0 || decode(&item, items + i * size, e) < 0) return -1;
    }
    *out = items;
    return 0;
}
int facts_names_differ(const struct json_at *owner, const char *key, const void *items, size_t n, size_t size,
                       struct err *e) {
    const char *first = items;
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const char *a = *(const char *const *)(const void *)(first + i * size),
                       *b = *(const char *const *)(const void *)(first + k * size);
            struct json_at list = json_member(owner, key), item = json_item(&list, i);
            if (strcmp(a, b) == 0) return json_fail(&item, e, "'%s' stands twice", a);
        }
    return 0;
}

/* ---- tenants ---- */

static int attrs_decode(struct facts_owned *o, const struct json_at *owner, const struct fact_attr **out,
                        size_t *n, struct err *e) {
    struct json_at list;
    const char *name;
    json_t *value;
    if (json_may_object(owner, "attrs", &list, e) < 0) return -1;
    if (!json_has(owner, "attrs")) return 0;
    size_t count = json_length(&list), k = 0;
    if (count > ATTRS_MOST) return json_fail(&list, e, "has more than %d attributes", ATTRS_MOST);
    struct fact_attr *attrs = keep_add(&o->memory, mem_alloc(count * sizeof *attrs));
    json_object_foreach((json_t *)list.value, name, value) {
        attrs[k].name = name;
        if (json_need_text(&list, name, NAME_BYTES * 4, &attrs[k++].value, e) < 0) return -1;
    }
    *out = attrs;
    *n = count;
    return 0;
}

static int holding_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"item", "held", "organisation", NULL};
    struct fact_holding *out = into;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "item", NAME_BYTES, &out->item, e) < 0 ||
        json_may_int(at, "held", 0, BYTES_MOST, &out->held, e) < 0)
        return -1;
    return json_may_int(at, "organisation", 0, BYTES_MOST, &out->organisation, e);
}

static int holdings_decode(struct facts_owned *o, const struct json_at *owner,
                           const struct fact_holding **out, size_t *n, struct err *e) {
    const struct fact_holding *holdings = NULL;
    size_t n_holdings = 0;
    if (FACTS_LIST(o, owner, "holdings", HOLDINGS_MOST, holdings, holding_decode, e) < 0) return -1;
    *out = holdings;
    *n = n_holdings;
    return facts_names_differ(owner, "holdings", holdings, n_holdings, sizeof *holdings, e);
}

static int period_decode(const struct json_at *at, struct fact_spent *out, struct err *e) {
    static const char *const keys[] = {"gflops_seconds", "organisation_gflops_seconds", "byte_hours",
                                       "organisation_byte_hours", NULL};
    if (json_only(at, keys, e) < 0 ||
        json_may_int(at, "gflops_seconds", 0, INT64_MAX, &out->compute_gflops_seconds, e) < 0 ||
        json_may_int(at, "organisation_gflops_seconds", 0, INT64_MAX, &out->organisation_gflops_seconds, e) <
            0 ||
        json_may_int(at, "byte_hours", 0, INT64_MAX, &out->storage_byte_hours, e) < 0)
        return -1;
    return json_may_int(at, "organisation_byte_hours", 0, INT64_MAX, &out->organisation_byte_hours, e);
}

static int spent_decode(const struct json_at *owner, struct fact_spent out[FACT_PERIODS], struct err *e) {
    static const char *const words[] = {"month", "quarter", "year", NULL};
    struct json_at at, period;
    if (json_may_object(owner, "spent", &at, e) < 0) return -1;
    if (!json_has(owner, "spent")) return 0;
    if (json_only(&at, words, e) < 0) return -1;
    for (size_t i = 0; i < FACT_PERIODS; i++)
        if (json_may_object(&at, words[i], &period, e) < 0 ||
            (json_has(&at, words[i]) && period_decode(&period, &out[i], e) < 0))
            return -1;
    return 0;
}

static int tenant_decode(struct facts_owned *o, const struct json_at *at, struct fact_tenant *out,
                         struct err *e) {
    static const char *const keys[] = {
        "name",  "organisation", "suspended", "held_gflops", "held_bytes",         "organisation_gflops",
        "attrs", "holdings",     "credits",   "spent",       "organisation_bytes", NULL};
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_may_text(at, "organisation", NAME_BYTES, &out->organisation, e) < 0 ||
        json_may_bool(at, "suspended", &out->suspended, e) < 0 ||
        json_may_gflops(at, "held_gflops", &out->held_compute, e) < 0 ||
        json_may_bytes(at, "held_bytes", &out->held_storage, e) < 0 ||
        json_may_gflops(at, "organisation_gflops", &out->organisation_compute, e) < 0 ||
        json_may_bytes(at, "organisation_bytes", &out->organisation_storage, e) < 0 ||
        json_may_int(at, "credits", -GFLOPS_MOST, GFLOPS_MOST, &out->credits, e) < 0 ||
        holdings_decode(o, at, &out->holdings, &out->n_holdings, e) < 0 ||
        spent_decode(at, out->spent, e) < 0)
        return -1;
    return attrs_decode(o, at, &out->attrs, &out->n_attrs, e);
}

static int tenant_cmp(const void *a, const void *b) {
    return strcmp((*(const struct fact_tenant *const *)a)->name,
                  (*(const struct fact_tenant *const *)b)->name);
}

int facts_tenant(const struct json_at *at, const struct facts_names *names, size_t *index, struct err *e) {
    struct fact_tenant wanted = {0};
    const struct fact_tenant *key = &wanted, **found;
    if (json_need_text(at, "tenant", NAME_BYTES, &wanted.name, e) < 0) return -1;
    found = bsearch(&key, names->sorted, names->n, sizeof(struct fact_tenant *), tenant_cmp);
    if (!found) return json_fail(at, e, "unknown tenant '%s'", wanted.name);
    *index = (size_t)(*found - names->first);
    return 0;
}

static int tenants_decode(struct facts_owned *o, const struct json_at *list, struct facts_names *names,
                          struct err *e) {
    size_t n = json_length(list);
    struct fact_tenant *tenants = keep_add(&o->memory, mem_alloc(n * sizeof *tenants));
    names->sorted = mem_alloc(n * sizeof(struct fact_tenant *));
    names->first = tenants;
    names->n = n;
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_item(list, i);
        if (tenant_decode(o, &item, &tenants[i], e) < 0) return -1;
        names->sorted[i] = &tenants[i];
    }
    qsort(names->sorted, n, sizeof(struct fact_tenant *), tenant_cmp);
    for (size_t i = 1; i < n; i++)
        if (tenant_cmp(&names->sorted[i - 1], &names->sorted[i]) == 0)
            return json_fail(list, e, "tenant '%s' stands twice", names->sorted[i]->name);
    o->facts.tenants = tenants;
    o->facts.n_tenants = n;
    return 0;
}

/* ---- claims ---- */

static int ask_decode(const struct json_at *at, struct fact_claim *out, struct err *e) {
    bool in_units = json_has(at, "units"), in_compute = json_has(at, "compute_gflops");
    const char *wrong = in_units ? "minimum_gflops" : "minimum_units";
    if (in_units && in_compute) return json_fail(at, e, "asks for both units and compute_gflops");
    out->ask = in_units ? ASK_UNITS : in_compute ? ASK_COMPUTE : ASK_NONE;
    out->has_minimum = json_has(at, "minimum_units") || json_has(at, "minimum_gflops");
    if (out->has_minimum && out->ask == ASK_NONE) return json_fail(at, e, "has a minimum of nothing");
    if (json_has(at, wrong)) return json_fail(at, e, "%s is not of the same kind as what it asks for", wrong);
    if (json_may_units(at, "units", &out->units, e) < 0 ||
        json_may_gflops(at, "compute_gflops", &out->compute, e) < 0 ||
        json_may_units(at, "minimum_units", &out->minimum_units, e) < 0)
        return -1;
    return json_may_gflops(at, "minimum_gflops", &out->minimum_compute, e);
}

static int seats_decode(struct facts_owned *o, const struct json_at *owner, struct fact_claim *out,
                        struct err *e) {
    struct json_at list;
    const char *name;
    json_t *value;
    if (json_may_object(owner, "seats", &list, e) < 0) return -1;
    if (!json_has(owner, "seats")) return 0;
    size_t count = json_length(&list), k = 0;
    if (count > SERVICES_MOST) return json_fail(&list, e, "names more than %d services", SERVICES_MOST);
    struct fact_seats *seats = keep_add(&o->memory, mem_alloc(count * sizeof *seats));
    json_object_foreach((json_t *)list.value, name, value) {
        seats[k].service = name;
        if (json_need_int(&list, name, 1, UNITS_MOST, &seats[k++].seats, e) < 0) return -1;
    }
    out->seats = seats;
    out->n_seats = count;
    return 0;
}

static int replaced_decode(struct facts_owned *o, const struct json_at *owner, struct fact_replaced *out,
                           struct err *e) {
    static const char *const keys[] = {"grant", "compute_gflops", "storage_bytes", "end", "holdings", NULL};
    struct json_at at;
    if (json_may_object(owner, "replaces", &at, e) < 0) return -1;
    if (!json_has(owner, "replaces")) return 0;
    if (json_only(&at, keys, e) < 0 || json_need_text(&at, "grant", NAME_BYTES, &out->grant, e) < 0 ||
        json_may_gflops(&at, "compute_gflops", &out->compute, e) < 0 ||
        json_may_bytes(&at, "storage_bytes", &out->storage, e) < 0 ||
        json_may_instant(&at, "end", &out->end.at, e) < 0)
        return -1;
    out->end.has = json_has(&at, "end");
    return holdings_decode(o, &at, &out->holdings, &out->n_holdings, e);
}

static int claim_decode(struct facts_owned *o, const struct json_at *at, const struct facts_names *names,
                        struct fact_claim *out, struct err *e) {
    static const char *const keys[] = {
        "id",        "tenant", "flavor",         "units", "compute_gflops", "minimum_units", "minimum_gflops",
        "submitted", "until",  "per_server",     "attrs", "storage_bytes",  "term_seconds",  "override_rule",
        "approver",  "seats",  "datalake_bytes", "call",  "replaces",       "agreed",        "rank",
        NULL};
    if (json_only(at, keys, e) < 0 || json_need_text(at, "id", NAME_BYTES, &out->id, e) < 0 ||
        facts_tenant(at, names, &out->tenant, e) < 0 || ask_decode(at, out, e) < 0 ||
        json_may_text(at, "flavor", NAME_BYTES, &out->flavor, e) < 0 ||
        json_may_int(at, "per_server", 1, UNITS_MOST, &out->per_server, e) < 0 ||
        json_may_bytes(at, "storage_bytes", &out->storage, e) < 0 ||
        json_may_instant(at, "until", &out->until.at, e) < 0 ||
        json_may_int(at, "term_seconds", 0, INSTANT_MOST / 4, &out->term.s, e) < 0 ||
        json_need_instant(at, "submitted", &out->submitted, e) < 0 ||
        json_may_text(at, "approver", NAME_BYTES, &out->approver, e) < 0 ||
        json_may_text(at, "override_rule", OVERRIDE_BYTES, &out->override_rule, e) < 0 ||
        json_may_bytes(at, "datalake_bytes", &out->datalake, e) < 0 || seats_decode(o, at, out, e) < 0 ||
        replaced_decode(o, at, &out->replaces, e) < 0 ||
        json_may_text(at, "call", NAME_BYTES, &out->call, e) < 0 ||
        json_may_instant(at, "agreed", &out->agreed.at, e) < 0 ||
        json_may_int(at, "rank", 0, CLAIMS_MOST, &out->rank, e) < 0)
        return -1;
    out->until.has = json_has(at, "until");
    out->approved = json_has(at, "approver");
    out->agreed.has = json_has(at, "agreed");
    out->ranked = json_has(at, "rank");
    return attrs_decode(o, at, &out->attrs, &out->n_attrs, e);
}

static int claims_decode(struct facts_owned *o, const struct json_at *list, const struct facts_names *names,
                         struct err *e) {
    size_t n = json_length(list);
    struct fact_claim *of = keep_add(&o->memory, mem_alloc(n * sizeof *of));
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_item(list, i);
        if (claim_decode(o, &item, names, &of[i], e) < 0) return -1;
    }
    o->facts.claims = of;
    o->facts.n_claims = n;
    return 0;
}

/* ---- the whole ---- */

static int lists_decode(struct facts_owned *o, const struct json_at *root, struct err *e) {
    struct json_at tenants, claims;
    struct facts_names names = {0};
    int rc = json_need_array(root, "tenants", 0, TENANTS_MOST, &tenants, e) < 0 ||
                     json_need_array(root, "claims", 0, CLAIMS_MOST, &claims, e) < 0
                 ? -1
                 : tenants_decode(o, &tenants, &names, e);
    if (rc == 0) rc = claims_decode(o, &claims, &names, e);
    if (rc == 0) rc = facts_grants(o, root, &names, e);
    free(names.sorted);
    return rc;
}

int facts_decode_json(const json_t *document, const char *title, struct facts_owned *out, struct err *e) {
    static const char *const keys[] = {"claims", "format", "grants", "now", "pool", "tenants", NULL};
    struct json_at root = json_root(document, title), pool;
    struct facts_owned o = {0};
    int64_t format;
    int rc = json_as_object(&root, e);
    if (rc == 0) rc = json_only(&root, keys, e);
    if (rc == 0) rc = json_need_int(&root, "format", 1, FACTS_FORMAT, &format, e);
    if (rc == 0) rc = json_need_instant(&root, "now", &o.facts.now, e);
    if (rc == 0) rc = json_need_object(&root, "pool", &pool, e);
    if (rc == 0) rc = facts_pool(&o, &pool, &o.facts.pool, e);
    if (rc == 0) rc = lists_decode(&o, &root, e);
    if (rc < 0)
        keep_end(&o.memory);
    else
        *out = o;
    return rc;
}

int facts_decode(const char *text, struct facts_owned *out, struct err *e) {
    json_t *document = json_load_text(text, strlen(text), "facts", e);
    *out = (struct facts_owned){0};
    if (!document) return -1;
    if (facts_decode_json(document, "facts", out, e) < 0) {
        json_decref(document);
        return -1;
    }
    out->document = document;
    return 0;
}

void facts_free(struct facts_owned *o) {
    keep_end(&o->memory);
    json_decref(o->document);
    *o = (struct facts_owned){0};
}
