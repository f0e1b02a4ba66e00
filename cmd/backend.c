/* SPDX-License-Identifier: Apache-2.0 */
/* backend check: a pool's backend is tried, step by step. */
#include "cmd/backend.h"

#include "alloc/dispatch.h"
#include "alloc/plugin.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/config.h"
#include "cmd/data.h"
#include "cmd/output.h"

#include <stdlib.h>
#include <string.h>

int backend_place_open(struct call *call, struct backend_place *out, struct err *e) {
    *out = (struct backend_place){0};
    if (pool_find(call->store, call->arguments[0], &out->pool, e) < 0 ||
        pool_load_place(call->store, out->pool, &out->place, e) < 0)
        return -1;
    out->is_loaded = true;
    out->backend = plugin_open(out->place.backend, e);
    out->catalogue = out->backend ? data_catalogue(e) : NULL;
    out->place.pool.catalogue = out->catalogue;
    out->place.pool.deadline_ms = call->config->deadline.s * 1000;
    return out->catalogue ? 0 : -1;
}

void backend_place_end(struct backend_place *p) {
    json_decref(p->catalogue);
    if (p->is_loaded) pool_place_free(&p->place);
}

/* ---- steps ---- */

static bool step_same(const struct backend_step *a, const struct backend_step *b) {
    return strcmp(a->name, b->name) == 0 && a->outcome == b->outcome && strcmp(a->words, b->words) == 0;
}

/* Steps that came out the same are one row, with the hosts where they did. */
static json_t *steps_json(struct call *call, const struct backend_probe *p) {
    json_t *rows = json_array();
    bool *told = mem_alloc((p->n_steps + 1) * sizeof *told);
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct backend_step *s = &p->steps[i];
        if (told[i]) continue;
        json_t *hosts = json_array();
        int64_t most = s->ms;
        for (size_t k = i; k < p->n_steps; k++) {
            const struct backend_step *other = &p->steps[k];
            if (told[k] || !step_same(s, other)) continue;
            told[k] = true;
            most = larger(most, other->ms);
            if (other->host) json_array_append_new(hosts, json_string(other->host));
        }
        json_t *row =
            json_pack("{s:s, s:s, s:s, s:o, s:s, s:I}", "step", s->name, "title",
                      backend_step_title(call, s->name), "outcome", backend_outcome_words[s->outcome],
                      "hosts", hosts, "words", s->words, "ms", (json_int_t)most);
        bool is_bad = s->outcome == PROBE_MISSING || s->outcome == PROBE_FAILED;
        const char *remedy = is_bad ? backend_step_remedy(call, s->name) : NULL;
        if (remedy) json_object_set_new(row, "remedy", json_string(remedy));
        json_array_append_new(rows, row);
    }
    free(told);
    return rows;
}

static json_t *limits_json(const struct backend_probe *p) {
    json_t *rows = json_array();
    for (size_t i = 0; i < p->n_limits; i++) {
        const struct backend_quota_limit *l = &p->limits[i];
        json_t *row = json_pack("{s:s, s:s, s:I, s:b}", "host", l->host ? l->host : "", "resource",
                                l->resource, "used", (json_int_t)l->used, "read", (int)l->was_read);
        if (!l->unlimited) json_object_set_new(row, "limit", json_integer(l->limit));
        json_array_append_new(rows, row);
    }
    return rows;
}

static bool all_works(const struct backend_probe *p) {
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].outcome == PROBE_MISSING || p->steps[i].outcome == PROBE_FAILED) return false;
    return true;
}

/* ---- for people ---- */

enum { HOSTS_SHOWN = 3 };

static json_t *shown(struct call *call, const json_t *row) {
    struct text hosts scoped_text = {0};
    const json_t *list = json_object_get(row, "hosts"), *host;
    size_t i, n = json_array_size(list);
    json_array_foreach(list, i, host) {
        if (i == HOSTS_SHOWN) break;
        text_add(&hosts, "%s%s", i ? ", " : "", json_string_value(host));
    }
    if (n > HOSTS_SHOWN) text_add(&hosts, output_choose(call, " and %zu more", " 외 %zu개"), n - HOSTS_SHOWN);
    const char *outcome = json_string_value(json_object_get(row, "outcome"));
    enum backend_outcome o = PROBE_WORKS;
    while (backend_outcome_words[o] && strcmp(backend_outcome_words[o], outcome) != 0) o++;
    return json_pack("{s:O, s:s, s:s, s:O, s:O}", "title", json_object_get(row, "title"), "outcome",
                     backend_outcome_title(call, o), "hosts", hosts.s ? hosts.s : "", "ms",
                     json_object_get(row, "ms"), "words", json_object_get(row, "words"));
}

static const struct column step_columns[] = {
    {"title", "STEP", CELL_TEXT, false},  {"outcome", "OUTCOME", CELL_STATE, false},
    {"hosts", "WHERE", CELL_TEXT, false}, {"ms", "MS", CELL_COUNT, true},
    {"words", "WORDS", CELL_TEXT, false}, {NULL, NULL, CELL_TEXT, false}};
static const struct column need_columns[] = {
    {"project", "PROJECT", CELL_TEXT, false},    {"tenant", "TENANT", CELL_TEXT, false},
    {"resource", "RESOURCE", CELL_TEXT, false},  {"needed", "NEEDED", CELL_COUNT, false},
    {"used", "IN USE", CELL_COUNT, false},       {"limit", "LIMIT", CELL_COUNT, false},
    {"raise_to", "RAISE TO", CELL_COUNT, false}, {NULL, NULL, CELL_TEXT, false}};

static int print(struct call *call, const json_t *answer, struct err *e) {
    const json_t *steps = json_object_get(answer, "steps"), *row;
    scoped_json json_t *rows = json_array();
    size_t i;
    if (strcmp(call->format, "json") == 0) return output_object(call, step_columns, answer, e);
    if (call->quiet) return 0;
    json_array_foreach(steps, i, row) json_array_append_new(rows, shown(call, row));
    if (output_list(call, step_columns, rows, e) < 0) return -1;
    json_array_foreach(steps, i, row) {
        const char *remedy = json_string_value(json_object_get(row, "remedy"));
        if (!remedy) continue;
        output_say(call, "%s: %s", json_string_value(json_object_get(row, "title")), remedy);
    }
    const json_t *needs = json_object_get(answer, "needs");
    if (!needs) return 0;
    output_say(call, "%s", "");
    if (output_list(call, need_columns, needs, e) < 0) return -1;
    const char *ticket = json_string_value(json_object_get(answer, "ticket"));
    output_say(call, "%s", "");
    output_say(call, "%s",
               ticket ? ticket : output_choose(call, "no limit needs to be raised", "올릴 한도가 없습니다"));
    return 0;
}

static int answer_make(struct call *call, const struct backend_place *at, const struct backend_probe *probe,
                       json_t **out, struct err *e) {
    const char *path = call_option(call, "for");
    json_t *needs = NULL;
    scoped_free char *ticket = NULL;
    if (path && backend_needs(call, at, probe, path, &needs, &ticket, e) < 0) return -1;
    *out = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o*, s:s*}", "pool", at->place.pool.name, "backend",
                     at->place.backend, "works", (int)all_works(probe), "steps", steps_json(call, probe),
                     "limits", limits_json(probe), "needs", needs, "ticket", ticket);
    return 0;
}

static int check_run(struct call *call, struct err *e) {
    struct backend_place at;
    struct backend_probe probe = {0};
    scoped_json json_t *answer = NULL;
    int rc = backend_place_open(call, &at, e);
    if (rc == 0) rc = dispatch_probe(at.backend, &at.place.pool, call_flag(call, "write"), &probe, e);
    if (rc == 0) rc = answer_make(call, &at, &probe, &answer, e);
    if (rc == 0) rc = print(call, answer, e);
    if (rc == 0 && !all_works(&probe)) rc = ERR_FAILED;
    backend_probe_free(&probe);
    backend_place_end(&at);
    return rc;
}

static const struct option check_options[] = {
    {"for", "FILE", "and which limits must be raised for the requests of this file", false},
    {"write", NULL, "also try what writes: a container is made, filled and removed", false},
    {NULL, NULL, NULL, false}};

const struct command backend_commands[] = {
    {.words = "backend check",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "try what a pool needs of its backend, step by step",
     .flags = COMMAND_SHOWS,
     .role = ROLE_OPERATOR,
     .options = check_options,
     .run = check_run},
    {.words = "backend usage",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "show what was used, by the backend's own records",
     .flags = COMMAND_SHOWS,
     .role = ROLE_OPERATOR,
     .options = backend_usage_options,
     .run = backend_usage_run},
    {.words = NULL},
};
