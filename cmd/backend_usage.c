/* SPDX-License-Identifier: Apache-2.0 */
/* backend usage: the records of a pool's backend, with what they leave open. */
#include "alloc/backend_usage.h"

#include "alloc/dispatch.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/usage.h"
#include "cmd/backend.h"
#include "cmd/books.h"
#include "cmd/output.h"

#include <string.h>

const struct option backend_usage_options[] = {
    {"since", "TIME", "from this time, or the first second of a date (default: this month's)", false},
    {"until", "TIME", "before this time, or to the last second of a date (default: now)", false},
    {NULL, NULL, NULL, false}};

static void instant_put(json_t *row, const char *key, instant_t t) {
    if (t.s) json_object_set_new(row, key, json_string(instant_text(t).s));
}

static json_t *sample_json(const struct backend_sample *s, instant_t since, instant_t until) {
    json_t *row = json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s}", "host", s->host ? s->host : "", "kind",
                            backend_kind_words[s->kind], "token", s->token, "id", s->id, "name", s->name,
                            "state", backend_state_word(s->state));
    instant_put(row, "at", s->at);
    instant_put(row, s->kind == BACKEND_SERVER ? "started" : "created", s->started);
    instant_put(row, "ended", s->ended);
    if (s->kind == BACKEND_SERVER) {
        json_object_set_new(row, "up_seconds", json_integer(backend_sample_up(s, since, until)));
        if (s->flavor) json_object_set_new(row, "flavor", json_string(s->flavor));
        if (s->flavor) json_object_set_new(row, "units", json_integer(s->units));
        return row;
    }
    if (s->provisioned.n) json_object_set_new(row, "provisioned_bytes", json_integer(s->provisioned.n));
    if (s->stored.n) json_object_set_new(row, "stored_bytes", json_integer(s->stored.n));
    return row;
}

static json_t *meter_json(const struct backend_meter *m) {
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s}", "host", m->host, "source", m->source, "name",
                            m->name, "unit", m->unit, "id", m->id, "value", m->value);
    if (!m->has_ours) return row;
    json_object_set_new(row, "ours", json_integer(m->ours));
    json_object_set_new(row, "difference", json_integer(m->theirs - m->ours));
    return row;
}

static json_t *usage_json(const struct backend_place *at, const struct backend_usage *u, instant_t since,
                          instant_t until) {
    json_t *samples = json_array(), *meters = json_array(), *gaps = json_array();
    for (size_t i = 0; i < u->n_samples; i++)
        json_array_append_new(samples, sample_json(&u->samples[i], since, until));
    for (size_t i = 0; i < u->n_meters; i++) json_array_append_new(meters, meter_json(&u->meters[i]));
    for (size_t i = 0; i < u->n_hosts; i++)
        if (!u->hosts[i].answered)
            json_array_append_new(gaps, json_pack("{s:s, s:s}", "host", u->hosts[i].host, "trouble",
                                                  u->hosts[i].detail ? u->hosts[i].detail : ""));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "pool", at->place.pool.name, "since",
                     instant_text(since).s, "until", instant_text(until).s, "samples", samples, "meters",
                     meters, "gaps", gaps);
}

static const struct column sample_columns[] = {{"host", "WHERE", CELL_TEXT, false},
                                               {"kind", "KIND", CELL_TEXT, false},
                                               {"name", "NAME", CELL_TEXT, false},
                                               {"state", "STATE", CELL_STATE, false},
                                               {"flavor", "FLAVOR", CELL_TEXT, false},
                                               {"units", "UNITS", CELL_COUNT, false},
                                               {"up_seconds", "UP", CELL_SPAN, false},
                                               {"provisioned_bytes", "PROVISIONED", CELL_BYTES, false},
                                               {"stored_bytes", "STORED", CELL_BYTES, false},
                                               {"token", "TOKEN", CELL_TEXT, true},
                                               {NULL, NULL, CELL_TEXT, false}};
static const struct column meter_columns[] = {
    {"host", "WHERE", CELL_TEXT, false},    {"source", "SOURCE", CELL_TEXT, false},
    {"name", "WHAT", CELL_TEXT, false},     {"id", "OF", CELL_TEXT, false},
    {"value", "VALUE", CELL_NUMBER, false}, {"unit", "UNIT", CELL_TEXT, false},
    {"ours", "OURS", CELL_COUNT, false},    {"difference", "DIFFERENCE", CELL_COUNT, false},
    {NULL, NULL, CELL_TEXT, false}};

static int print(struct call *call, const json_t *answer, struct err *e) {
    const json_t *meters = json_object_get(answer, "meters");
    const json_t *gap;
    size_t i;
    if (strcmp(call->format, "json") == 0) {
        if (output_object(call, sample_columns, answer, e) < 0) return -1;
    } else if (!call->quiet) {
        output_say(call, output_choose(call, "used from %s until %s", "%s부터 %s까지의 사용"),
                   json_string_value(json_object_get(answer, "since")),
                   json_string_value(json_object_get(answer, "until")));
        if (output_list(call, sample_columns, json_object_get(answer, "samples"), e) < 0) return -1;
        if (json_array_size(meters)) {
            output_say(call, "%s", "");
            if (output_list(call, meter_columns, meters, e) < 0) return -1;
        }
    }
    json_array_foreach(json_object_get(answer, "gaps"), i, gap) {
        fprintf(call->messages, output_choose(call, "allot: warning: gap: %s: ", "allot: 주의: 공백: %s: "),
                json_string_value(json_object_get(gap, "host")));
        output_safe(call->messages, json_string_value(json_object_get(gap, "trouble")));
        fputc('\n', call->messages);
    }
    return json_array_size(json_object_get(answer, "gaps")) ? ERR_FAILED : 0;
}

int backend_usage_run(struct call *call, struct err *e) {
    struct backend_place at;
    struct backend_usage usage = {0};
    instant_t since = usage_month(call->now), until = call->now;
    scoped_json json_t *answer = NULL;
    if (books_span(call, &since, &until, e) < 0) return -1;
    if (until.s > call->now.s) until = call->now;
    if (since.s >= until.s)
        return err_set(e, ERR_USAGE, "--since %s has not come yet", instant_text(since).s);
    int rc = backend_place_open(call, &at, e);
    if (rc == 0) rc = dispatch_sample(at.backend, &at.place.pool, since, until, &usage, e);
    if (rc == 0) {
        answer = usage_json(&at, &usage, since, until);
        rc = print(call, answer, e);
    }
    backend_usage_free(&usage);
    backend_place_end(&at);
    return rc;
}
