/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a simulation as CSV and JSON lines. */
#include "cmd/simulate.h"

#include "alloc/csv.h"
#include "alloc/scope.h"
#include "policies/measure.h"

#include <stdlib.h>
#include <string.h>

/* ---- days ---- */

static void put_ratio(struct csv_out *out, int64_t millionths) {
    csv_put(out, ratio_text(millionths, 1000000).s);
}

static void days_header(const struct sim *s, struct csv_out *out) {
    static const char *const names[] = {"date",
                                        "waiting",
                                        "held_requests",
                                        "live_grants",
                                        "holders",
                                        "held_gflops",
                                        "capacity_gflops",
                                        "demand_gflops",
                                        "waiting_gflops",
                                        "storage_bytes",
                                        "below_guarantee",
                                        "jain",
                                        "jain_weighted",
                                        "used_percent",
                                        "notices",
                                        "taken_back",
                                        "offers",
                                        NULL};
    char name[96];
    for (size_t i = 0; names[i]; i++) csv_put(out, names[i]);
    for (size_t f = 0; f < s->pool.n_flavors; f++) {
        text_format(name, sizeof name, "free:%s", s->flavors[f].name);
        csv_put(out, name);
        text_format(name, sizeof name, "stranded:%s", s->flavors[f].name);
        csv_put(out, name);
    }
    csv_end_row(out);
}

char *simulate_days(const struct sim *s) {
    struct csv_out out = {0};
    days_header(s, &out);
    for (size_t i = 0; i < s->n_days; i++) {
        const struct sim_day *d = &s->days[i];
        csv_put(&out, date_text(instant(d->day * CLOCK_DAY - CLOCK_CIVIL_OFFSET)).s);
        int64_t counts[] = {d->waiting,  d->held_requests, d->granted,         d->holders, d->held,
                            d->capacity, d->demand,        d->waiting_compute, d->storage, d->below};
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) csv_put_number(&out, counts[k]);
        put_ratio(&out, d->jain);
        put_ratio(&out, d->jain_weighted);
        if (d->has_use && d->held)
            csv_put_number(&out, d->used / d->held);
        else
            csv_put(&out, "");
        csv_put_number(&out, d->notices);
        csv_put_number(&out, d->taken);
        csv_put_number(&out, d->offers);
        for (size_t f = 0; f < s->pool.n_flavors; f++) {
            csv_put_number(&out, d->free[f]);
            csv_put_number(&out, d->stranded[f]);
        }
        csv_end_row(&out);
    }
    return text_take(&out.text);
}

/* ---- metrics ---- */

/* "waits[2].p50_seconds": every number and word of the measures has a row. */
static void flatten(struct csv_out *out, const char *path, const json_t *a, const json_t *b, bool has_b) {
    const char *key;
    json_t *value;
    size_t i;
    char next[200];
    if (json_is_object(a)) {
        json_object_foreach((json_t *)a, key, value) {
            text_format(next, sizeof next, "%s%s%s", path, *path ? "." : "", key);
            flatten(out, next, value, json_object_get(b, key), has_b);
        }
        return;
    }
    if (json_is_array(a)) {
        json_array_foreach(a, i, value) {
            text_format(next, sizeof next, "%s[%zu]", path, i);
            flatten(out, next, value, json_array_get(b, i), has_b);
        }
        return;
    }
    const json_t *cells[] = {a, b};
    csv_put(out, path);
    for (size_t k = 0; k < (has_b ? 2U : 1U); k++) {
        if (json_is_integer(cells[k]))
            csv_put_number(out, json_integer_value(cells[k]));
        else
            csv_put(out, json_is_string(cells[k]) ? json_string_value(cells[k]) : "");
    }
    csv_end_row(out);
}

char *simulate_metrics(const struct simulated *a, const struct simulated *b) {
    struct csv_out out = {0};
    csv_put(&out, "metric");
    csv_put(&out, "value");
    if (b) csv_put(&out, "against");
    csv_end_row(&out);
    flatten(&out, "", a->measures, b ? b->measures : NULL, b != NULL);
    return text_take(&out.text);
}

/* ---- diff ---- */

static bool is_changed(const struct sim_request *a, const struct sim_request *b) {
    return strcmp(measure_outcome(a), measure_outcome(b)) != 0 || a->compute.n != b->compute.n ||
           a->storage.n != b->storage.n || a->granted.has != b->granted.has ||
           (a->granted.has && a->granted.at.s != b->granted.at.s);
}

static void put_side(json_t *o, const char *key, const struct sim_request *r) {
    json_t *side = json_pack("{s:s, s:I, s:I, s:s}", "outcome", measure_outcome(r), "compute_gflops",
                             (json_int_t)r->compute.n, "storage_bytes", (json_int_t)r->storage.n, "decisive",
                             r->decisive ? r->decisive : "");
    json_object_set_new(side, "granted",
                        r->granted.has ? json_string(instant_text(r->granted.at).s) : json_null());
    json_object_set_new(o, key, side);
}

static void diff_json(struct text *out, const struct sim *a, const struct sim *b, size_t i) {
    scoped_json json_t *o = json_pack("{s:s, s:s}", "request", a->world->requests[i].claim.id, "tenant",
                                      a->facts[a->world->requests[i].claim.tenant].name);
    put_side(o, "run", &a->requests[i]);
    put_side(o, "against", &b->requests[i]);
    scoped_free char *line = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    text_add(out, "%s\n", line);
}

static void diff_cells(struct csv_out *out, const struct sim_request *r) {
    csv_put(out, measure_outcome(r));
    csv_put_number(out, r->compute.n);
    csv_put_number(out, r->storage.n);
    csv_put(out, r->granted.has ? instant_text(r->granted.at).s : "");
    csv_put(out, r->decisive ? r->decisive : "");
}

static void diff_row(struct csv_out *out, const struct sim *a, const struct sim *b, size_t i) {
    csv_put(out, a->world->requests[i].claim.id);
    csv_put(out, a->facts[a->world->requests[i].claim.tenant].name);
    diff_cells(out, &a->requests[i]);
    diff_cells(out, &b->requests[i]);
    csv_end_row(out);
}

char *simulate_diff(const struct sim *a, const struct sim *b, bool json, int64_t *n) {
    static const char *const names[] = {"outcome", "compute_gflops", "storage_bytes",
                                        "granted", "decisive",       NULL};
    struct csv_out out = {0};
    if (!json) {
        csv_put(&out, "request");
        csv_put(&out, "tenant");
        for (size_t k = 0; names[k]; k++) csv_put(&out, names[k]);
        for (size_t k = 0; names[k]; k++) {
            char name[64];
            text_format(name, sizeof name, "against_%s", names[k]);
            csv_put(&out, name);
        }
        csv_end_row(&out);
    }
    *n = 0;
    for (size_t i = 0; i < a->world->n_requests; i++) {
        if (!is_changed(&a->requests[i], &b->requests[i])) continue;
        ++*n;
        if (json)
            diff_json(&out.text, a, b, i);
        else
            diff_row(&out, a, b, i);
    }
    return text_take(&out.text);
}
