/* SPDX-License-Identifier: Apache-2.0 */
/* The event log: one JSON object a line. */
#include "alloc/json.h"
#include "policies/world_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 64, ORDER_MOST = 100000 };
#define SPAN_MOST (INT64_C(100) * 366 * CLOCK_DAY)

static const char *const words[] = {
    [EVENT_POLICY] = "policy",   [EVENT_CAPACITY] = "capacity",     [EVENT_LOSS] = "loss",
    [EVENT_CALL] = "call",       [EVENT_ATTRIBUTES] = "attributes", [EVENT_SUSPEND] = "suspend",
    [EVENT_RESUME] = "resume",   [EVENT_RELEASE] = "release",       [EVENT_LEAVE] = "leave",
    [EVENT_DECLINE] = "decline", [EVENT_RENEW] = "renew",           [EVENT_REFUSE] = "refuse",
    [EVENT_APPROVE] = "approve", [EVENT_AGREE] = "agree",           [EVENT_APPEAL] = "appeal",
    [EVENT_ACCEPT] = "accept",   [EVENT_REQUEST] = "request",       [EVENT_AWARD] = "award",
    [EVENT_KINDS] = NULL};

const char *event_word(enum event_kind kind) { return words[kind]; }

static const char *kept(struct world *w, const char *text) { return keep_text(&w->memory, text); }

/* ---- parts ---- */

static int tenant_read(const struct world *w, const struct json_at *at, size_t *out, struct err *e) {
    const char *name;
    if (json_need_text(at, "tenant", NAME_MOST, &name, e) < 0) return -1;
    if (index_find(w->tenant_index, name, out)) return 0;
    struct json_at place = json_member(at, "tenant");
    return json_fail(&place, e, "there is no tenant '%s'", name);
}

/* null: the attribute is unset from then on. */
static int attrs_read(struct world *w, const struct json_at *at, bool may_unset, const struct fact_attr **out,
                      size_t *n, struct err *e) {
    struct json_at object;
    const char *key;
    json_t *value;
    if (json_may_object(at, "attributes", &object, e) < 0) return -1;
    if (!object.value) return 0;
    struct fact_attr *attrs =
        keep_add(&w->memory, mem_alloc((json_object_size(object.value) + 1) * sizeof *attrs));
    json_object_foreach((json_t *)object.value, key, value) {
        const char *text = NULL;
        if (strlen(key) > NAME_MOST || !*key || !text_is_printable(key))
            return json_fail(&object, e, "'%.80s' is not a name of an attribute", key);
        if (!(may_unset && json_is_null(value)) && json_need_text(&object, key, 256, &text, e) < 0) return -1;
        attrs[(*n)++] = (struct fact_attr){kept(w, key), kept(w, text)};
    }
    attrs_sort(attrs, *n);
    *out = attrs;
    return 0;
}

static int seats_read(struct world *w, const struct json_at *at, struct fact_claim *c, struct err *e) {
    struct json_at object;
    const char *key;
    json_t *value;
    if (json_may_object(at, "seats", &object, e) < 0) return -1;
    if (!object.value) return 0;
    if (json_object_size(object.value) > SERVICES_MOST)
        return json_fail(&object, e, "more than %d services", SERVICES_MOST);
    struct fact_seats *seats =
        keep_add(&w->memory, mem_alloc((json_object_size(object.value) + 1) * sizeof *seats));
    json_object_foreach((json_t *)object.value, key, value) {
        struct fact_seats seat = {kept(w, key), 0};
        if (json_need_int(&object, key, 1, UNITS_MOST, &seat.seats, e) < 0) return -1;
        size_t k = c->n_seats++;
        for (; k > 0 && strcmp(seats[k - 1].service, seat.service) > 0; k--) seats[k] = seats[k - 1];
        seats[k] = seat;
    }
    c->seats = seats;
    return 0;
}

static int ask_read(const struct json_at *at, struct fact_claim *c, struct err *e) {
    bool in_units = json_has(at, "units"), in_compute = json_has(at, "compute_gflops");
    if (in_units && in_compute) return json_fail(at, e, "units and compute_gflops exclude each other");
    c->ask = in_units ? ASK_UNITS : in_compute ? ASK_COMPUTE : ASK_NONE;
    c->has_minimum = json_has(at, in_units ? "minimum_units" : "minimum_gflops");
    if (json_may_int(at, "units", 1, UNITS_MOST, &c->units.n, e) < 0 ||
        json_may_int(at, "compute_gflops", 1, GFLOPS_MOST, &c->compute.n, e) < 0 ||
        json_may_int(at, "minimum_units", 1, UNITS_MOST, &c->minimum_units.n, e) < 0 ||
        json_may_int(at, "minimum_gflops", 1, GFLOPS_MOST, &c->minimum_compute.n, e) < 0 ||
        json_may_bytes(at, "storage_bytes", &c->storage, e) < 0 ||
        json_may_bytes(at, "datalake_bytes", &c->datalake, e) < 0 ||
        json_may_int(at, "per_server", 1, SIZE_MOST, &c->per_server, e) < 0)
        return -1;
    if (json_has(at, in_units ? "minimum_gflops" : "minimum_units"))
        return json_fail(at, e, "the minimum must be of the kind that is asked for");
    if (c->ask == ASK_NONE && (c->has_minimum || c->flavor || c->per_server))
        return json_fail(at, e, "a flavor, a minimum or per_server belong to a request for compute");
    if (in_units && !c->flavor) return json_fail(at, e, "units of which flavor?");
    if (c->has_minimum && (in_units ? c->minimum_units.n > c->units.n : c->minimum_compute.n > c->compute.n))
        return json_fail(at, e, "the minimum is more than what is asked for");
    if (in_units && c->per_server && c->units.n % c->per_server != 0)
        return json_fail(at, e, "units must be a whole number of servers");
    if (c->ask == ASK_NONE && c->storage.n == 0 && c->datalake.n == 0 && c->n_seats == 0)
        return json_fail(at, e, "nothing is asked for");
    return 0;
}

static int request_new(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    struct world_request r = {0};
    struct fact_claim *c = &r.claim;
    const char *id = NULL, *flavor = NULL, *call = NULL, *replaced = NULL;
    if (json_need_text(at, "id", NAME_MOST, &id, e) < 0 || tenant_read(w, at, &v->tenant, e) < 0 ||
        json_may_text(at, "flavor", NAME_MOST, &flavor, e) < 0 ||
        json_may_text(at, "call", NAME_MOST, &call, e) < 0 ||
        json_may_text(at, "replaces", NAME_MOST, &replaced, e) < 0 || seats_read(w, at, c, e) < 0)
        return -1;
    if (index_find(w->request_index, id, &v->request)) {
        struct json_at place = json_member(at, "id");
        return json_fail(&place, e, "request '%s' is made twice", id);
    }
    c->flavor = kept(w, flavor);
    c->call = kept(w, call);
    r.replaced = kept(w, replaced);
    c->submitted = v->at;
    c->tenant = v->tenant;
    if (ask_read(at, c, e) < 0 || attrs_read(w, at, false, &c->attrs, &c->n_attrs, e) < 0 ||
        json_may_int(at, "term_seconds", 1, SPAN_MOST, &c->term.s, e) < 0 ||
        json_may_instant(at, "until", &c->until.at, e) < 0 ||
        json_may_int(at, "renews", 0, 1000, &r.renews, e) < 0 ||
        json_may_int(at, "keeps_seconds", 1, SPAN_MOST, &r.keeps.s, e) < 0 ||
        json_may_int(at, "waits_seconds", 1, SPAN_MOST, &r.waits.s, e) < 0 ||
        json_may_int(at, "accepts_seconds", 1, SPAN_MOST, &r.accepts.s, e) < 0 ||
        json_may_instant(at, "agreed", &c->agreed.at, e) < 0)
        return -1;
    c->until.has = json_has(at, "until");
    c->agreed.has = json_has(at, "agreed");
    if (c->until.has && c->term.s) return json_fail(at, e, "until and term_seconds exclude each other");
    c->id = kept(w, id);
    w->requests = mem_grow(w->requests, &w->requests_room, w->n_requests + 1, sizeof *w->requests);
    v->request = w->n_requests;
    w->requests[w->n_requests] = r;
    index_put(&w->request_index, id, w->n_requests++);
    return 0;
}

/* Names are resolved when all events are read: the file may stand in any order. */
static int request_named(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    const char *id;
    if (json_need_text(at, "request", NAME_MOST, &id, e) < 0) return -1;
    v->name = kept(w, id);
    return 0;
}

static int approve_read(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    const char *by = "operator";
    if (request_named(w, at, v, e) < 0 || json_may_text(at, "by", NAME_MOST, &by, e) < 0) return -1;
    struct fact_attr *who = keep_add(&w->memory, mem_alloc(sizeof *who));
    *who = (struct fact_attr){"by", kept(w, *by ? by : "operator")};
    v->attrs = who;
    v->n_attrs = 1;
    return 0;
}

static int capacity_read(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    const char *flavor = NULL;
    bool is_storage = v->kind == EVENT_CAPACITY && json_has(at, "storage_bytes");
    if (json_may_text(at, "flavor", NAME_MOST, &flavor, e) < 0) return -1;
    if (is_storage == (flavor != NULL))
        return json_fail(at, e, "needs a flavor with its units%s",
                         v->kind == EVENT_CAPACITY ? ", or storage_bytes" : "");
    v->name = kept(w, flavor);
    return is_storage ? json_need_int(at, "storage_bytes", 0, BYTES_MOST, &v->amount, e)
                      : json_need_int(at, "units", 0, UNITS_MOST, &v->amount, e);
}

static int award_read(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    struct json_at list;
    const char *call;
    if (json_need_text(at, "call", NAME_MOST, &call, e) < 0 ||
        json_need_array(at, "order", 1, ORDER_MOST, &list, e) < 0)
        return -1;
    if (json_may_instant(at, "sign_by", &v->sign_by.at, e) < 0) return -1;
    v->sign_by.has = json_has(at, "sign_by");
    if (v->sign_by.has && v->sign_by.at.s <= v->at.s)
        return json_fail(at, e, "the last moment to sign has passed");
    v->name = kept(w, call);
    v->n_attrs = json_length(&list);
    struct fact_attr *ids = keep_add(&w->memory, mem_alloc(v->n_attrs * sizeof *ids));
    v->attrs = ids;
    for (size_t i = 0; i < v->n_attrs; i++) {
        struct json_at item = json_item(&list, i);
        const char *id;
        if (json_as_text(&item, NAME_MOST, &id, e) < 0) return -1;
        ids[i].name = kept(w, id);
    }
    return 0;
}

static int call_read(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    const char *call;
    size_t line;
    if (json_need_text(at, "call", NAME_MOST, &call, e) < 0 ||
        json_may_int(at, "compute_gflops", 0, GFLOPS_MOST, &v->share.compute.n, e) < 0 ||
        json_may_bytes(at, "storage_bytes", &v->share.storage, e) < 0)
        return -1;
    if (index_find(w->call_index, call, &line)) {
        struct json_at place = json_member(at, "call");
        return json_fail(&place, e, "call '%s' is made twice", call);
    }
    index_put(&w->call_index, call, v->line);
    v->share.has_compute = json_has(at, "compute_gflops");
    v->share.has_storage = json_has(at, "storage_bytes");
    v->name = kept(w, call);
    return 0;
}

static int policy_read_event(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    const char *name;
    if (json_need_text(at, "policy", 200, &name, e) < 0) return -1;
    v->name = kept(w, name);
    return 0;
}

static int tenant_event(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    return tenant_read(w, at, &v->tenant, e);
}

static int attributes_read(struct world *w, const struct json_at *at, struct event *v, struct err *e) {
    struct json_at object;
    if (tenant_read(w, at, &v->tenant, e) < 0 || json_need_object(at, "attributes", &object, e) < 0)
        return -1;
    return attrs_read(w, at, true, &v->attrs, &v->n_attrs, e);
}

/* What each kind has beside "at" and "event". */
enum { KEYS_MOST = 24 };
static const struct shape {
    const char *keys[KEYS_MOST];
    int (*read)(struct world *w, const struct json_at *at, struct event *v, struct err *e);
    bool names_request;
} shapes[EVENT_KINDS] = {
    [EVENT_POLICY] = {{"at", "event", "policy"}, policy_read_event, false},
    [EVENT_CAPACITY] = {{"at", "event", "flavor", "units", "storage_bytes"}, capacity_read, false},
    [EVENT_LOSS] = {{"at", "event", "flavor", "units"}, capacity_read, false},
    [EVENT_CALL] = {{"at", "event", "call", "compute_gflops", "storage_bytes"}, call_read, false},
    [EVENT_ATTRIBUTES] = {{"at", "event", "tenant", "attributes"}, attributes_read, false},
    [EVENT_SUSPEND] = {{"at", "event", "tenant"}, tenant_event, false},
    [EVENT_RESUME] = {{"at", "event", "tenant"}, tenant_event, false},
    [EVENT_LEAVE] = {{"at", "event", "tenant"}, tenant_event, false},
    [EVENT_RELEASE] = {{"at", "event", "request"}, request_named, true},
    [EVENT_DECLINE] = {{"at", "event", "request"}, request_named, true},
    [EVENT_RENEW] = {{"at", "event", "request"}, request_named, true},
    [EVENT_REFUSE] = {{"at", "event", "request"}, request_named, true},
    [EVENT_APPROVE] = {{"at", "event", "request", "by"}, approve_read, true},
    [EVENT_AGREE] = {{"at", "event", "request"}, request_named, true},
    [EVENT_APPEAL] = {{"at", "event", "request"}, request_named, true},
    [EVENT_ACCEPT] = {{"at", "event", "request"}, request_named, true},
    [EVENT_REQUEST] = {{"at",
                        "event",
                        "id",
                        "tenant",
                        "flavor",
                        "units",
                        "compute_gflops",
                        "minimum_units",
                        "minimum_gflops",
                        "per_server",
                        "storage_bytes",
                        "datalake_bytes",
                        "seats",
                        "attributes",
                        "until",
                        "term_seconds",
                        "call",
                        "agreed",
                        "replaces",
                        "renews",
                        "keeps_seconds",
                        "waits_seconds",
                        "accepts_seconds"},
                       request_new,
                       false},
    [EVENT_AWARD] = {{"at", "event", "call", "order", "sign_by"}, award_read, false},
};

bool event_names_request(enum event_kind kind) { return shapes[kind].names_request; }

/* ---- lines ---- */

static int event_decode(struct world *w, const json_t *value, const char *title, size_t line, struct err *e) {
    struct json_at at = json_root(value, title);
    struct event v = {.line = line};
    size_t kind;
    if (json_as_object(&at, e) < 0 || json_need_word(&at, "event", words, &kind, e) < 0 ||
        json_need_instant(&at, "at", &v.at, e) < 0 || json_only(&at, shapes[kind].keys, e) < 0)
        return -1;
    v.kind = (enum event_kind)kind;
    if (shapes[kind].read(w, &at, &v, e) < 0) return -1;
    if (v.kind != EVENT_REQUEST) v.text = keep_add(&w->memory, json_canonical(value));
    if (w->n_events == WORLD_EVENTS_MOST)
        return err_set(e, ERR_USAGE, "%s: more than %d events", title, WORLD_EVENTS_MOST);
    w->events = mem_grow(w->events, &w->events_room, w->n_events + 1, sizeof *w->events);
    w->events[w->n_events++] = v;
    return 0;
}

static int line_read(struct world *w, const char *at, size_t length, const char *title, size_t line,
                     struct err *e) {
    char place[300];
    json_error_t wrong;
    if (text_format(place, sizeof place, "%.240s:%zu", title, line) < 0) return -1;
    if (!text_is_utf8(at, length)) return err_set(e, ERR_USAGE, "%s: this is not UTF-8 text", place);
    scoped_json json_t *value = json_loadb(at, length, JSON_REJECT_DUPLICATES, &wrong);
    if (!value) return err_set(e, ERR_USAGE, "%s:%d: %s", place, wrong.column, wrong.text);
    return event_decode(w, value, place, line, e);
}

/* ---- the file ---- */

int world_read_events(struct world *w, const char *bytes, size_t length, const char *title, struct err *e) {
    size_t line = 0;
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        line++;
        if (n > 0 && line_read(w, at, n, title, line, e) < 0) return -1;
        at += n + 1;
    }
    return world_settle(w, title, e);
}

const char *world_policy(const struct world *w, size_t i) {
    for (size_t k = 0; k < w->n_events; k++) {
        const struct event *v = &w->events[k];
        bool seen = v->kind != EVENT_POLICY;
        for (size_t before = 0; before < k && !seen; before++)
            seen = w->events[before].kind == EVENT_POLICY && strcmp(w->events[before].name, v->name) == 0;
        if (!seen && i-- == 0) return v->name;
    }
    return NULL;
}
