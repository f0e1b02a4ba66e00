/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/form.h"

#include "policies/syntax.h"

#include <stdlib.h>

/* ---- members ---- */

static void put(json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) < 0) abort(); /* every text was checked to be UTF-8 */
}

static void put_text(json_t *object, const char *key, const char *s) {
    if (s) put(object, key, json_string(s));
}

static void put_int(json_t *object, const char *key, int64_t n) { put(object, key, json_integer(n)); }
static void put_bool(json_t *object, const char *key, bool b) { put(object, key, json_boolean(b)); }
static void put_if(json_t *object, const char *key, bool has, int64_t n) {
    if (has) put_int(object, key, n);
}

static void put_when(json_t *object, const struct policy *y, const struct expr *when) {
    if (when) put(object, "when", form_when(y, when));
}

static json_t *words(const struct word *list, size_t n) {
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(out, json_string(list[i].s));
    return out;
}

static const char *per(bool organisation) { return organisation ? "organisation" : "tenant"; }

/* ---- declarations ---- */

static json_t *flavor_form(const struct flavor *f) {
    json_t *object = json_object(), *sizes = json_array();
    put_text(object, "name", f->name.s);
    if (f->unrated)
        put_bool(object, "unrated", true);
    else
        put_int(object, "rating_gflops", f->rating.n);
    put_int(object, "units", f->units);
    for (size_t i = 0; i < f->n_sizes; i++) json_array_append_new(sizes, json_integer(f->sizes[i]));
    put(object, "sizes", sizes);
    return object;
}

static json_t *pool_form(const struct policy *y) {
    json_t *object = json_object(), *flavors = json_array(), *services = json_array();
    put_text(object, "name", y->pool.s);
    put_text(object, "basis", y->basis.s);
    for (size_t i = 0; i < y->n_flavors; i++) json_array_append_new(flavors, flavor_form(&y->flavors[i]));
    put(object, "flavors", flavors);
    put_if(object, "storage_bytes", y->has_storage, y->storage.n);
    put_if(object, "datalake_bytes", y->has_datalake, y->datalake.n);
    for (size_t i = 0; i < y->n_services; i++) {
        json_t *service = json_object();
        put_text(service, "name", y->services[i].name.s);
        put_int(service, "seats", y->services[i].seats);
        json_array_append_new(services, service);
    }
    put(object, "services", services);
    put(object, "measures", words(y->measures, y->n_measures));
    return object;
}

static json_t *attributes_form(const struct policy *y) {
    static const char *const types[] = {"bool", "enum", "date", "int", "text"};
    json_t *list = json_array();
    for (size_t i = VARS_BUILT_IN; i < y->n_variables; i++) {
        const struct variable *v = &y->variables[i];
        json_t *object = json_object();
        put_text(object, "name", v->name.s);
        put_text(object, "of", v->of == SUBJECT_REQUEST ? "request" : "tenant");
        put_text(object, "type", types[v->type]);
        if (v->type == TYPE_ENUM) put(object, "values", words(v->values, v->n_values));
        put_bool(object, "optional", v->optional);
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *tables_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_tables; i++) {
        json_t *object = json_object(), *entries = json_array();
        for (size_t k = 0; k < y->tables[i].n; k++)
            json_array_append_new(entries, json_string(y->tables[i].entries[k]));
        put_text(object, "name", y->tables[i].name.s);
        put(object, "entries", entries);
        json_array_append_new(list, object);
    }
    return list;
}

/* ---- rules, each with its id first ---- */

static json_t *begin(json_t *list, const struct word *id) {
    json_t *object = json_object();
    put_text(object, "id", id->s);
    json_array_append_new(list, object);
    return object;
}

static void put_reason(json_t *object, const char *reason, const char *ko) {
    put_text(object, "reason", reason);
    put_text(object, "reason_ko", ko);
}

static json_t *eligible_form(const struct policy *y) {
    static const char *const effects[] = {"pass", "deny", "review"};
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_rules; i++) {
        const struct rule *r = &y->rules[i];
        json_t *object = begin(list, &r->id);
        put_text(object, "effect", effects[r->effect]);
        put_reason(object, r->reason, r->reason_ko);
        put_when(object, y, r->when);
    }
    return list;
}

static json_t *tiers_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_tier_rules; i++) {
        const struct tier_rule *r = &y->tier_rules[i];
        const struct tier *t = &y->tiers[r->tier];
        json_t *object = begin(list, &r->id);
        put_text(object, "tier", t->name.s);
        put_int(object, "weight", t->weight);
        put_int(object, "guarantee_gflops", t->guarantee.n);
        put_if(object, "expect_tenants", t->has_expect, t->expect);
        put_reason(object, r->reason, r->reason_ko);
        put_when(object, y, r->when);
    }
    return list;
}

static json_t *limits_form(const struct ceiling *c, bool seats) {
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_items; i++) {
        if (c->items[i].seats != seats) continue;
        json_t *object = json_object();
        put_text(object, seats ? "service" : "flavor", c->items[i].name.s);
        put_int(object, seats ? "seats" : "units", c->items[i].most);
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *ceilings_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_ceilings; i++) {
        const struct ceiling *c = &y->ceilings[i];
        json_t *object = begin(list, &c->id);
        put_text(object, "per", per(c->per_organisation));
        put_if(object, "compute_gflops", c->has_compute, c->compute.n);
        put_if(object, "storage_bytes", c->has_storage, c->storage.n);
        put(object, "units", limits_form(c, false));
        put(object, "seats", limits_form(c, true));
        put_when(object, y, c->when);
    }
    return list;
}

static json_t *approvals_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_approves; i++) {
        const struct approve *a = &y->approves[i];
        json_t *object = begin(list, &a->id);
        put_text(object, "by", a->by.s);
        put_reason(object, a->reason, a->reason_ko);
        put_when(object, y, a->when);
    }
    return list;
}

static json_t *leases_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_leases; i++) {
        const struct lease *l = &y->leases[i];
        json_t *object = begin(list, &l->id);
        if (l->has_until)
            put_text(object, "until", date_text(instant(l->until.s - 1)).s);
        else
            put_int(object, "term_seconds", l->term.s);
        put_int(object, "renewals", l->renew);
        put_int(object, "notice_seconds", l->notice.s);
        put_int(object, "grace_seconds", l->grace.s);
        put_int(object, "keep_data_seconds", l->keep.s);
        put_bool(object, "agreement", l->agreement);
        put_when(object, y, l->when);
    }
    return list;
}

static json_t *queue_form(const struct queue_rule *q) {
    static const char *const keys[] = {"share", "credits", "wait", "id"};
    json_t *object = json_object(), *order = json_array();
    put_text(object, "id", q->id.s);
    for (size_t i = 0; i < q->n_order; i++) json_array_append_new(order, json_string(keys[q->order[i]]));
    put(object, "order", order);
    put_text(object, "weigh", q->weigh_surplus ? "surplus" : "total");
    put_bool(object, "strict", q->strict);
    put_if(object, "lift_seconds", q->has_lift, q->lift.s);
    put_if(object, "barrier_seconds", q->has_barrier, q->barrier.s);
    put_if(object, "barriers", q->has_barrier, q->barriers);
    put_if(object, "partial_steps", q->has_partial, q->partial);
    put_if(object, "hold_seconds", q->has_hold, q->hold.s);
    return object;
}

static json_t *borrow_form(const struct borrow_rule *b) {
    json_t *object = json_object();
    put_text(object, "id", b->id.s);
    put_if(object, "lend_max_percent", b->has_lend, b->lend_most);
    put_if(object, "notice_seconds", b->has_notice, b->notice.s);
    put_int(object, "min_hold_seconds", b->min_hold.s);
    put_if(object, "most_tenants", b->has_most, b->most);
    return object;
}

static json_t *idles_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_idles; i++) {
        const struct idle_rule *r = &y->idles[i];
        json_t *object = begin(list, &r->id);
        put_text(object, "kind", r->unused ? "unused" : "idle");
        put_text(object, "metric", r->metric.s);
        put_int(object, "below_percent", r->below);
        put_int(object, "window_seconds", r->window.s);
        put_int(object, "lose_percent", r->lose);
        put_int(object, "notice_seconds", r->notice.s);
        put_int(object, "appeal_seconds", r->appeal.s);
        put_bool(object, "keep_guarantee", r->keep_guarantee);
        put_when(object, y, r->when);
    }
    return list;
}

static json_t *reserves_form(const struct policy *y) {
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_reserves; i++) {
        const struct reserve_rule *r = &y->reserves[i];
        json_t *object = begin(list, &r->id);
        put_text(object, "of", r->storage ? "storage" : "compute");
        put_int(object, "percent", r->percent);
        put_text(object, "tier", r->tier_name.s);
    }
    return list;
}

static json_t *budgets_form(const struct policy *y) {
    static const char *const periods[] = {"month", "quarter", "year"};
    json_t *list = json_array();
    for (size_t i = 0; i < y->n_budgets; i++) {
        const struct budget *b = &y->budgets[i];
        json_t *object = begin(list, &b->id);
        put_text(object, "per", per(b->per_organisation));
        put_int(object, b->storage ? "storage_byte_hours" : "compute_gflops_seconds", b->most);
        put_text(object, "each", periods[b->period]);
        put_when(object, y, b->when);
    }
    return list;
}

json_t *policy_form(const struct policy *y) {
    json_t *root = json_object();
    put_int(root, "format", 1);
    put_text(root, "name", y->name);
    put_int(root, "version", y->version);
    if (y->valid_from.has) put_text(root, "valid_from", date_text(y->valid_from.at).s);
    if (y->valid_until.has) put_text(root, "valid_until", date_text(instant(y->valid_until.at.s - 1)).s);
    put(root, "pool", pool_form(y));
    put_if(root, "expect_tenants", y->has_expect, y->expect);
    put(root, "attributes", attributes_form(y));
    put(root, "tables", tables_form(y));
    put(root, "eligible", eligible_form(y));
    put(root, "tiers", tiers_form(y));
    put(root, "ceilings", ceilings_form(y));
    put(root, "approvals", approvals_form(y));
    put(root, "leases", leases_form(y));
    if (y->queue.id.s) put(root, "queue", queue_form(&y->queue));
    if (y->borrow.id.s) put(root, "borrow", borrow_form(&y->borrow));
    put(root, "idle", idles_form(y));
    put(root, "reserves", reserves_form(y));
    put(root, "budgets", budgets_form(y));
    return root;
}
