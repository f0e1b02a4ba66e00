/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions as JSON, and in words. */
#include "alloc/facts.h"
#include "alloc/json.h"

#include <string.h>

static void put_text(json_t *object, const char *key, const char *text) {
    if (text) json_object_set_new(object, key, json_string(text));
}

static void put_number(json_t *object, const char *key, int64_t n) {
    json_object_set_new(object, key, json_integer(n));
}

static void put_true(json_t *object, const char *key, bool is_so) {
    if (is_so) json_object_set_new(object, key, json_true());
}

static json_t *lines_encode(const struct plan_line *lines, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *line = json_pack("{s:s, s:I, s:I}", "flavor", lines[i].flavor, "size",
                                 (json_int_t)lines[i].size, "count", (json_int_t)lines[i].count);
        /* A chip without a figure has no rating; 0 would be a figure. */
        if (lines[i].rating.n > 0) put_number(line, "rating_gflops", lines[i].rating.n);
        json_array_append_new(list, line);
    }
    return list;
}

static void put_seats(json_t *object, const struct plan_seats *seats, size_t n) {
    if (n == 0) return;
    json_t *list = json_object();
    for (size_t i = 0; i < n; i++) put_number(list, seats[i].service, seats[i].seats);
    json_object_set_new(object, "seats", list);
}

static void put_offer(json_t *object, const struct plan_offer *o) {
    if (!o->has) return;
    json_t *offer = json_object();
    json_object_set_new(offer, "lines", lines_encode(o->lines, o->n_lines));
    put_number(offer, "compute_gflops", o->compute.n);
    put_number(offer, "storage_bytes", o->storage.n);
    if (o->datalake.n > 0) put_number(offer, "datalake_bytes", o->datalake.n);
    put_seats(offer, o->seats, o->n_seats);
    if (o->until.has) put_text(offer, "until", instant_text(o->until.at).s);
    json_object_set_new(object, "offer", offer);
}

void decision_hide_others(json_t *decision) {
    json_t *earliest = json_object_get(decision, "earliest");
    json_object_del(earliest, "grant");
    json_object_del(earliest, "notice");
}

static void put_earliest(json_t *object, const struct plan_earliest *earliest) {
    if (!earliest->at.has) return;
    json_t *e = json_object();
    put_text(e, "at", instant_text(earliest->at.at).s);
    put_text(e, "grant", earliest->grant);
    put_text(e, "notice", earliest->notice);
    json_object_set_new(object, "earliest", e);
}

/* Without tiers and without shares there is nothing to say. */
static void put_standing(json_t *object, const struct plan_standing *s) {
    if (!s->tier && s->weight == 0 && s->capacity_gflops == 0) return;
    json_t *standing = json_object();
    put_text(standing, "tier", s->tier);
    put_text(standing, "rule", s->rule);
    put_true(standing, "lifted", s->lifted);
    put_number(standing, "rank", s->rank);
    put_number(standing, "weight", s->weight);
    put_number(standing, "guarantee_gflops", s->guarantee.n);
    put_number(standing, "held_gflops", s->held_gflops);
    put_number(standing, "capacity_gflops", s->capacity_gflops);
    put_number(standing, "credits", s->credits);
    json_object_set_new(object, "standing", standing);
}

static json_t *lease_encode(const struct lease_terms *l) {
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "start", instant_text(l->start).s, "end",
                     instant_text(l->end).s, "notice_seconds", (json_int_t)l->notice.s, "grace_seconds",
                     (json_int_t)l->grace.s, "keep_seconds", (json_int_t)l->keep.s, "renewals",
                     (json_int_t)l->renewals, "renew_seconds", (json_int_t)l->renew_term.s);
}

static json_t *item_limits_encode(const struct plan_limits *l) {
    json_t *list = json_array();
    for (size_t i = 0; i < l->n_items; i++) {
        const struct plan_item_limit *limit = &l->items[i];
        json_t *item = json_object();
        put_text(item, "item", limit->item);
        if (limit->has) put_number(item, "most", limit->most);
        if (limit->has_organisation) put_number(item, "organisation", limit->organisation);
        json_array_append_new(list, item);
    }
    return list;
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
    if (l->n_items) json_object_set_new(object, "items", item_limits_encode(l));
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
    json_t *object = json_object(), *reasons = json_array();
    bool gives = d->outcome == OUTCOME_GRANT || d->outcome == OUTCOME_PARTIAL;
    for (size_t i = 0; i < d->n_reasons; i++) json_array_append_new(reasons, reason_encode(&d->reasons[i]));
    put_text(object, "claim", d->claim);
    put_text(object, "outcome", outcome_word(d->outcome));
    put_number(object, "compute_gflops", d->compute.n);
    put_number(object, "storage_bytes", d->storage.n);
    if (d->datalake.n > 0) put_number(object, "datalake_bytes", d->datalake.n);
    put_seats(object, d->seats, d->n_seats);
    json_object_set_new(object, "lines", lines_encode(d->lines, d->n_lines));
    if (gives) json_object_set_new(object, "lease", lease_encode(&d->lease));
    json_object_set_new(object, "limits", limits_encode(&d->limits));
    if (d->outcome == OUTCOME_QUEUE) {
        put_number(object, "position", d->position);
        put_number(object, "ahead_gflops", d->ahead_compute.n);
    }
    put_offer(object, &d->offer);
    put_earliest(object, &d->earliest);
    put_standing(object, &d->standing);
    put_true(object, "is_barrier", d->is_barrier);
    put_true(object, "needs_agreement", d->needs_agreement);
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

/* Data lake and seats: ", data lake 5 TB, notebook 3 seats". */
static void extras_given(const json_t *decision, bool korean, struct text *out) {
    int64_t datalake = json_integer_value(json_object_get(decision, "datalake_bytes"));
    const char *service;
    json_t *seats;
    if (datalake > 0)
        text_add(out, "%s%s %s", out->length ? ", " : "", korean ? "데이터 레이크" : "data lake",
                 bytes_text(bytes(datalake)).s);
    json_object_foreach(json_object_get(decision, "seats"), service, seats) {
        long long n = json_integer_value(seats);
        text_add(out, "%s%s ", out->length ? ", " : "", service);
        if (korean)
            text_add(out, "%lld석", n);
        else
            text_add(out, "%lld seat%s", n, n == 1 ? "" : "s");
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
    extras_given(decision, korean, &given);
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
