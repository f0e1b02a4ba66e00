/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/facts.h"

#include "alloc/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 256,
    OVERRIDE_BYTES = 4096,
    TENANTS_MOST = 1000000,
    CLAIMS_MOST = 1000000,
    ATTRS_MOST = 256
};

/* ---- out ---- */

static void put_int(json_t *object, const char *key, int64_t n) {
    if (n != 0) json_object_set_new(object, key, json_integer(n));
}

static void put_text(json_t *object, const char *key, const char *text) {
    if (text) json_object_set_new(object, key, json_string(text));
}

static void put_instant(json_t *object, const char *key, instant_t t) {
    put_text(object, key, instant_text(t).s);
}

static void put_attrs(json_t *object, const struct fact_attr *attrs, size_t n) {
    if (n == 0) return;
    json_t *list = json_object();
    for (size_t i = 0; i < n; i++) put_text(list, attrs[i].name, attrs[i].value);
    json_object_set_new(object, "attrs", list);
}

static json_t *flavor_encode(const struct fact_flavor *f) {
    json_t *object = json_object(), *sizes = json_array();
    for (size_t i = 0; i < f->n_sizes; i++) json_array_append_new(sizes, json_integer(f->sizes[i]));
    put_text(object, "name", f->name);
    json_object_set_new(object, "rating_gflops", json_integer(f->rating.n));
    json_object_set_new(object, "units", json_integer(f->capacity.n));
    json_object_set_new(object, "free", json_integer(f->free.n));
    json_object_set_new(object, "sizes", sizes);
    return object;
}

static int flavor_cmp(const void *a, const void *b) {
    return strcmp((*(const struct fact_flavor *const *)a)->name,
                  (*(const struct fact_flavor *const *)b)->name);
}

static json_t *pool_encode(const struct fact_pool *p) {
    json_t *object = json_object(), *flavors = json_array();
    scoped_free const struct fact_flavor **sorted = mem_alloc(p->n_flavors * sizeof(struct fact_flavor *));
    for (size_t i = 0; i < p->n_flavors; i++) sorted[i] = &p->flavors[i];
    qsort(sorted, p->n_flavors, sizeof(struct fact_flavor *), flavor_cmp);
    for (size_t i = 0; i < p->n_flavors; i++) json_array_append_new(flavors, flavor_encode(sorted[i]));
    put_text(object, "name", p->name);
    put_text(object, "basis", p->basis);
    if (p->draining) json_object_set_new(object, "draining", json_true());
    json_object_set_new(object, "flavors", flavors);
    json_object_set_new(object, "storage_bytes", json_integer(p->storage_capacity.n));
    json_object_set_new(object, "storage_free_bytes", json_integer(p->storage_free.n));
    json_object_set_new(object, "granule_bytes", json_integer(p->granule.n));
    return object;
}

static json_t *tenant_encode(const struct fact_tenant *t) {
    json_t *object = json_object();
    put_text(object, "name", t->name);
    put_text(object, "organisation", t->organisation);
    if (t->suspended) json_object_set_new(object, "suspended", json_true());
    put_int(object, "held_gflops", t->held_compute.n);
    put_int(object, "held_bytes", t->held_storage.n);
    put_int(object, "organisation_gflops", t->organisation_compute.n);
    put_int(object, "organisation_bytes", t->organisation_storage.n);
    put_attrs(object, t->attrs, t->n_attrs);
    return object;
}

static json_t *claim_encode(const struct facts *f, const struct fact_claim *c) {
    json_t *object = json_object();
    bool in_units = c->ask == ASK_UNITS, in_compute = c->ask == ASK_COMPUTE;
    put_text(object, "id", c->id);
    put_text(object, "tenant", f->tenants[c->tenant].name);
    put_text(object, "flavor", c->flavor);
    if (in_units) json_object_set_new(object, "units", json_integer(c->units.n));
    if (in_compute) json_object_set_new(object, "compute_gflops", json_integer(c->compute.n));
    if (c->has_minimum && in_units)
        json_object_set_new(object, "minimum_units", json_integer(c->minimum_units.n));
    if (c->has_minimum && in_compute)
        json_object_set_new(object, "minimum_gflops", json_integer(c->minimum_compute.n));
    put_int(object, "per_server", c->per_server);
    put_int(object, "storage_bytes", c->storage.n);
    if (c->until.has) put_instant(object, "until", c->until.at);
    put_int(object, "term_seconds", c->term.s);
    put_instant(object, "submitted", c->submitted);
    if (c->approved) put_text(object, "approver", c->approver ? c->approver : "");
    put_text(object, "override_rule", c->override_rule);
    put_attrs(object, c->attrs, c->n_attrs);
    return object;
}

static int tenant_cmp(const void *a, const void *b) {
    return strcmp((*(const struct fact_tenant *const *)a)->name,
                  (*(const struct fact_tenant *const *)b)->name);
}

static int claim_cmp(const void *a, const void *b) {
    const struct fact_claim *x = *(const struct fact_claim *const *)a,
                            *y = *(const struct fact_claim *const *)b;
    if (x->submitted.s != y->submitted.s) return x->submitted.s < y->submitted.s ? -1 : 1;
    return claim_id_cmp(x->id, y->id);
}

char *facts_encode(const struct facts *f) {
    scoped_json json_t *root = json_object();
    json_t *tenants = json_array(), *claims = json_array();
    scoped_free const struct fact_tenant **by_name = mem_alloc(f->n_tenants * sizeof(struct fact_tenant *));
    scoped_free const struct fact_claim **by_time = mem_alloc(f->n_claims * sizeof(struct fact_claim *));
    for (size_t i = 0; i < f->n_tenants; i++) by_name[i] = &f->tenants[i];
    for (size_t i = 0; i < f->n_claims; i++) by_time[i] = &f->claims[i];
    qsort(by_name, f->n_tenants, sizeof(struct fact_tenant *), tenant_cmp);
    qsort(by_time, f->n_claims, sizeof(struct fact_claim *), claim_cmp);
    for (size_t i = 0; i < f->n_tenants; i++) json_array_append_new(tenants, tenant_encode(by_name[i]));
    for (size_t i = 0; i < f->n_claims; i++) json_array_append_new(claims, claim_encode(f, by_time[i]));
    json_object_set_new(root, "format", json_integer(1));
    put_instant(root, "now", f->now);
    json_object_set_new(root, "pool", pool_encode(&f->pool));
    json_object_set_new(root, "tenants", tenants);
    json_object_set_new(root, "claims", claims);
    return json_canonical(root);
}

/* ---- in ---- */

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

static int flavor_decode(const struct json_at *at, struct fact_flavor *out, struct err *e) {
    static const char *const keys[] = {"name", "rating_gflops", "units", "free", "sizes", NULL};
    struct json_at sizes;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_need_int(at, "rating_gflops", 1, GFLOPS_MOST, &out->rating.n, e) < 0 ||
        json_need_units(at, "units", &out->capacity, e) < 0 ||
        json_need_int(at, "free", -UNITS_MOST, out->capacity.n, &out->free.n, e) < 0 ||
        json_need_array(at, "sizes", 0, SIZES_MOST, &sizes, e) < 0)
        return -1;
    out->n_sizes = json_length(&sizes);
    for (size_t i = 0; i < out->n_sizes; i++) {
        struct json_at item = json_item(&sizes, i);
        int64_t least = i ? out->sizes[i - 1] + 1 : 1;
        if (json_as_int(&item, least, UNITS_MOST, &out->sizes[i], e) < 0) return -1;
    }
    return 0;
}

static int pool_decode(struct facts_owned *o, const struct json_at *at, struct fact_pool *out,
                       struct err *e) {
    static const char *const keys[] = {"name",          "basis",         "draining",           "flavors",
                                       "granule_bytes", "storage_bytes", "storage_free_bytes", NULL};
    struct json_at list;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_need_text(at, "basis", NAME_BYTES, &out->basis, e) < 0 ||
        json_may_bool(at, "draining", &out->draining, e) < 0 ||
        json_need_bytes(at, "storage_bytes", &out->storage_capacity, e) < 0 ||
        json_need_int(at, "storage_free_bytes", -BYTES_MOST, out->storage_capacity.n, &out->storage_free.n,
                      e) < 0 ||
        json_need_int(at, "granule_bytes", 1, BYTES_MOST, &out->granule.n, e) < 0 ||
        json_need_array(at, "flavors", 0, FLAVORS_MOST, &list, e) < 0)
        return -1;
    out->n_flavors = json_length(&list);
    struct fact_flavor *flavors = keep_add(&o->memory, mem_alloc(out->n_flavors * sizeof *flavors));
    for (size_t i = 0; i < out->n_flavors; i++) {
        struct json_at item = json_item(&list, i);
        if (flavor_decode(&item, &flavors[i], e) < 0) return -1;
        for (size_t k = 0; k < i; k++)
            if (strcmp(flavors[k].name, flavors[i].name) == 0)
                return json_fail(&item, e, "flavor '%s' stands twice", flavors[i].name);
    }
    out->flavors = flavors;
    return 0;
}

static int tenant_decode(struct facts_owned *o, const struct json_at *at, struct fact_tenant *out,
                         struct err *e) {
    static const char *const keys[] = {
        "name",       "organisation",        "suspended",          "held_gflops",
        "held_bytes", "organisation_gflops", "organisation_bytes", "attrs",
        NULL};
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_may_text(at, "organisation", NAME_BYTES, &out->organisation, e) < 0 ||
        json_may_bool(at, "suspended", &out->suspended, e) < 0 ||
        json_may_gflops(at, "held_gflops", &out->held_compute, e) < 0 ||
        json_may_bytes(at, "held_bytes", &out->held_storage, e) < 0 ||
        json_may_gflops(at, "organisation_gflops", &out->organisation_compute, e) < 0 ||
        json_may_bytes(at, "organisation_bytes", &out->organisation_storage, e) < 0)
        return -1;
    return attrs_decode(o, at, &out->attrs, &out->n_attrs, e);
}

/* Tenants sorted by name, to find the one that a claim names. */
struct names {
    const struct fact_tenant **sorted;
    const struct fact_tenant *first;
    size_t n;
};

static int name_find(const struct names *names, const char *name, size_t *index) {
    struct fact_tenant wanted = {.name = name};
    const struct fact_tenant *key = &wanted, **found;
    found = bsearch(&key, names->sorted, names->n, sizeof(struct fact_tenant *), tenant_cmp);
    if (!found) return -1;
    *index = (size_t)(*found - names->first);
    return 0;
}

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

static int claim_decode(struct facts_owned *o, const struct json_at *at, const struct names *names,
                        struct fact_claim *out, struct err *e) {
    static const char *const keys[] = {"id",
                                       "tenant",
                                       "flavor",
                                       "units",
                                       "compute_gflops",
                                       "minimum_units",
                                       "minimum_gflops",
                                       "per_server",
                                       "storage_bytes",
                                       "until",
                                       "term_seconds",
                                       "submitted",
                                       "approver",
                                       "override_rule",
                                       "attrs",
                                       NULL};
    const char *tenant;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "id", NAME_BYTES, &out->id, e) < 0 ||
        json_need_text(at, "tenant", NAME_BYTES, &tenant, e) < 0 || ask_decode(at, out, e) < 0 ||
        json_may_text(at, "flavor", NAME_BYTES, &out->flavor, e) < 0 ||
        json_may_int(at, "per_server", 1, UNITS_MOST, &out->per_server, e) < 0 ||
        json_may_bytes(at, "storage_bytes", &out->storage, e) < 0 ||
        json_may_instant(at, "until", &out->until.at, e) < 0 ||
        json_may_int(at, "term_seconds", 0, INSTANT_MOST / 4, &out->term.s, e) < 0 ||
        json_need_instant(at, "submitted", &out->submitted, e) < 0 ||
        json_may_text(at, "approver", NAME_BYTES, &out->approver, e) < 0 ||
        json_may_text(at, "override_rule", OVERRIDE_BYTES, &out->override_rule, e) < 0)
        return -1;
    out->until.has = json_has(at, "until");
    out->approved = json_has(at, "approver");
    if (name_find(names, tenant, &out->tenant) < 0) return json_fail(at, e, "unknown tenant '%s'", tenant);
    return attrs_decode(o, at, &out->attrs, &out->n_attrs, e);
}

static int tenants_decode(struct facts_owned *o, const struct json_at *list, struct names *names,
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

static int lists_decode(struct facts_owned *o, const struct json_at *root, struct names *names,
                        struct err *e) {
    struct json_at tenants, claims;
    if (json_need_array(root, "tenants", 0, TENANTS_MOST, &tenants, e) < 0 ||
        json_need_array(root, "claims", 0, CLAIMS_MOST, &claims, e) < 0 ||
        tenants_decode(o, &tenants, names, e) < 0)
        return -1;
    size_t n = json_length(&claims);
    struct fact_claim *of = keep_add(&o->memory, mem_alloc(n * sizeof *of));
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_item(&claims, i);
        if (claim_decode(o, &item, names, &of[i], e) < 0) return -1;
    }
    o->facts.claims = of;
    o->facts.n_claims = n;
    return 0;
}

int facts_decode_json(const json_t *document, const char *title, struct facts_owned *out, struct err *e) {
    static const char *const keys[] = {"claims", "format", "now", "pool", "tenants", NULL};
    struct json_at root = json_root(document, title), pool;
    struct facts_owned o = {0};
    struct names names = {0};
    int64_t format;
    int rc = json_as_object(&root, e);
    if (rc == 0) rc = json_only(&root, keys, e);
    if (rc == 0) rc = json_need_int(&root, "format", 1, 1, &format, e);
    if (rc == 0) rc = json_need_instant(&root, "now", &o.facts.now, e);
    if (rc == 0) rc = json_need_object(&root, "pool", &pool, e);
    if (rc == 0) rc = pool_decode(&o, &pool, &o.facts.pool, e);
    if (rc == 0) rc = lists_decode(&o, &root, &names, e);
    free(names.sorted);
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

/* ---- decisions ---- */

static json_t *line_encode(const struct plan_line *l) {
    return json_pack("{s:s, s:I, s:I, s:I}", "flavor", l->flavor, "size", (json_int_t)l->size, "count",
                     (json_int_t)l->count, "rating_gflops", (json_int_t)l->rating.n);
}

static json_t *lease_encode(const struct lease_terms *l) {
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "start", instant_text(l->start).s, "end",
                     instant_text(l->end).s, "notice_seconds", (json_int_t)l->notice.s, "grace_seconds",
                     (json_int_t)l->grace.s, "keep_seconds", (json_int_t)l->keep.s, "renewals",
                     (json_int_t)l->renewals, "renew_seconds", (json_int_t)l->renew_term.s);
}

/* A limit that is absent is no limit; 0 is 0. */
static json_t *limits_encode(const struct plan_limits *l) {
    json_t *object = json_object();
    if (l->has_compute) json_object_set_new(object, "compute_gflops", json_integer(l->compute.n));
    if (l->has_storage) json_object_set_new(object, "storage_bytes", json_integer(l->storage.n));
    if (l->has_organisation_compute)
        json_object_set_new(object, "organisation_gflops", json_integer(l->organisation_compute.n));
    if (l->has_organisation_storage)
        json_object_set_new(object, "organisation_bytes", json_integer(l->organisation_storage.n));
    return object;
}

static json_t *reason_encode(const struct reason *r) {
    json_t *object = json_object();
    put_text(object, "code", reason_code_word(r->code));
    put_text(object, "rule", r->rule);
    put_text(object, "place", r->place);
    put_text(object, "en", r->en);
    put_text(object, "ko", r->ko);
    put_text(object, "hint_en", r->hint_en);
    put_text(object, "hint_ko", r->hint_ko);
    json_object_set_new(object, "decisive", json_boolean(r->decisive));
    return object;
}

json_t *decision_encode(const struct decision *d) {
    json_t *object = json_object(), *lines = json_array(), *reasons = json_array();
    bool gives = d->outcome == OUTCOME_GRANT || d->outcome == OUTCOME_PARTIAL;
    for (size_t i = 0; i < d->n_lines; i++) json_array_append_new(lines, line_encode(&d->lines[i]));
    for (size_t i = 0; i < d->n_reasons; i++) json_array_append_new(reasons, reason_encode(&d->reasons[i]));
    put_text(object, "claim", d->claim);
    put_text(object, "outcome", outcome_word(d->outcome));
    json_object_set_new(object, "compute_gflops", json_integer(d->compute.n));
    json_object_set_new(object, "storage_bytes", json_integer(d->storage.n));
    json_object_set_new(object, "lines", lines);
    if (gives) json_object_set_new(object, "lease", lease_encode(&d->lease));
    json_object_set_new(object, "limits", limits_encode(&d->limits));
    if (d->outcome == OUTCOME_QUEUE) {
        json_object_set_new(object, "position", json_integer(d->position));
        json_object_set_new(object, "ahead_gflops", json_integer(d->ahead_compute.n));
    }
    json_object_set_new(object, "reasons", reasons);
    return object;
}

json_t *plan_encode(const struct plan *plan) {
    json_t *list = json_array();
    for (size_t i = 0; i < plan->n_decisions; i++)
        json_array_append_new(list, decision_encode(&plan->decisions[i]));
    return json_pack("{s:o}", "decisions", list);
}

/* ---- in words ---- */

/* Servers of several sizes are one amount of their flavor; lines of a flavor stand together. */
static void lines_given(const json_t *lines, struct text *out) {
    size_t n = json_array_size(lines);
    for (size_t i = 0; i < n;) {
        const char *flavor = json_string_value(json_object_get(json_array_get(lines, i), "flavor")),
                   *next = flavor;
        long long count = 0;
        for (; i < n && flavor && strcmp(next, flavor) == 0; i++) {
            const json_t *line = json_array_get(lines, i);
            count += json_integer_value(json_object_get(line, "size")) *
                     json_integer_value(json_object_get(line, "count"));
            next = json_string_value(json_object_get(json_array_get(lines, i + 1), "flavor"));
            if (!next) next = "";
        }
        if (!flavor) return;
        text_add(out, "%s%s x %lld", out->length ? ", " : "", flavor, count);
    }
}

void decision_given(const json_t *decision, bool korean, struct text *out) {
    struct text given = {0};
    int64_t compute = json_integer_value(json_object_get(decision, "compute_gflops")),
            storage = json_integer_value(json_object_get(decision, "storage_bytes"));
    const char *end = json_string_value(json_object_get(json_object_get(decision, "lease"), "end"));
    struct err ignored = {0};
    instant_t at;
    lines_given(json_object_get(decision, "lines"), &given);
    if (compute > 0) text_add(&given, " (%s)", gflops_text(gflops(compute)).s);
    if (storage > 0)
        text_add(&given, "%s%s %s", given.length ? ", " : "", korean ? "저장 공간" : "storage",
                 bytes_text(bytes(storage)).s);
    if (given.length && end && instant_parse(end, &at, &ignored) == 0)
        text_add(&given, korean ? ", %s까지" : ", until %s", date_text(instant(at.s - 1)).s);
    if (given.length) text_add(out, "%s", given.s);
    text_free(&given);
}

const json_t *decision_less(const json_t *decision, size_t *i) {
    const json_t *reasons = json_object_get(decision, "reasons");
    while (*i < json_array_size(reasons)) {
        const json_t *reason = json_array_get(reasons, (*i)++);
        const char *code = json_string_value(json_object_get(reason, "code"));
        if (code && (strcmp(code, reason_code_word(REASON_ROUNDED)) == 0 ||
                     strcmp(code, reason_code_word(REASON_SHRUNK)) == 0))
            return reason;
    }
    return NULL;
}
