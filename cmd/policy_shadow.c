/* SPDX-License-Identifier: Apache-2.0 */
/* policy shadow: a candidate beside the active policy, compared on what was really asked. */
#include "policies/policy.h"

#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/shadow.h"
#include "cmd/change.h"
#include "cmd/output.h"
#include "cmd/policy.h"

#include <stdlib.h>
#include <string.h>

/* ---- setting and ending ---- */

struct shadowing {
    const struct policy *policy;
    const char *pool, *stored;
    struct diagnostics *d; /* of the comparison with the pool */
};

static int set_body(struct change *c, struct err *e) {
    struct shadowing *w = c->arg;
    int64_t pool;
    struct hash hash = hash_of(w->stored, strlen(w->stored));
    diagnostics_free(w->d); /* this may run again */
    if (pool_find(c->store, w->pool, &pool, e) < 0)
        return e->code == ERR_NOT_FOUND && !call_option(c->call, "pool")
                   ? err_hint(e, "the policy names it; of another pool of the store: --pool NAME")
                   : -1;
    if (policy_pool_check(c->store, w->policy, w->pool, w->d, e) < 0)
        return err_is(e) ? -1 : policy_fail(c->call, w->d, policy_file(w->policy), e);
    if (shadow_set(c->store, pool, w->stored, c->call->actor, c->call->now, e) < 0) return -1;
    c->answer = json_pack("{s:s, s:s, s:I, s:s, s:s}", "pool", w->pool, "policy", policy_name(w->policy),
                          "version", (json_int_t)policy_version(w->policy), "hash", hash.hex, "since",
                          instant_text(c->call->now).s);
    return 0;
}

static const struct column set_columns[] = {
    {"pool", "pool", CELL_TEXT, false},        {"policy", "policy", CELL_TEXT, false},
    {"version", "version", CELL_COUNT, false}, {"since", "since", CELL_INSTANT, false},
    {"hash", "hash", CELL_TEXT, false},        {NULL, NULL, CELL_TEXT, false}};

static int set(struct call *call, struct err *e) {
    struct policy *policy = policy_need(call, call->arguments[0], e);
    scoped_free char *stored = policy ? policy_as_loaded(policy, e) : NULL;
    scoped_json json_t *answer = NULL;
    if (!stored) {
        policy_free(policy);
        return -1;
    }
    struct shadowing w = {policy, call_option(call, "pool"), stored, mem_alloc(sizeof *w.d)};
    if (!w.pool) w.pool = policy_pool(policy);
    int status = change_run(call, set_body, &w, stored, &answer, e);
    if (status == 0 && !call->quiet && output_object(call, set_columns, answer, e) < 0) status = -1;
    diagnostics_free(w.d);
    free(w.d);
    policy_free(policy);
    return status;
}

static int stop_body(struct change *c, struct err *e) {
    const int64_t *pool = c->arg;
    if (shadow_clear(c->store, *pool, c->call->actor, c->call->now, e) < 0) return -1;
    c->answer = json_pack("{s:b}", "stopped", 1);
    return 0;
}

static int stop(struct call *call, int64_t pool, struct err *e) {
    scoped_json json_t *answer = NULL;
    static const struct column columns[] = {{"stopped", "stopped", CELL_YES, false},
                                            {NULL, NULL, CELL_TEXT, false}};
    int status = change_run(call, stop_body, &pool, NULL, &answer, e);
    if (status == 0 && !call->quiet && output_object(call, columns, answer, e) < 0) return -1;
    return status;
}

/* ---- showing ---- */

/* "granted 62.4 TF, 5 TB (PASSED)" */
static char *side_text(const json_t *side) {
    struct text t = {0};
    const char *tier = json_string_value(json_object_get(side, "tier"));
    json_int_t compute = json_integer_value(json_object_get(side, "compute_gflops"));
    json_int_t storage = json_integer_value(json_object_get(side, "storage_bytes"));
    size_t i;
    json_t *code;
    text_add(&t, "%s", json_string_value(json_object_get(side, "outcome")));
    if (compute > 0) text_add(&t, " %s", gflops_text(gflops(compute)).s);
    if (storage > 0) text_add(&t, "%s %s", compute > 0 ? "," : "", bytes_text_brief(bytes(storage)).s);
    if (tier) text_add(&t, ", tier %s", tier);
    json_array_foreach(json_object_get(side, "codes"), i, code) {
        if (strcmp(json_string_value(code), "PASSED") == 0) continue;
        text_add(&t, " %s", json_string_value(code));
    }
    return text_take(&t);
}

static const struct column difference_columns[] = {
    {"at", "AT", CELL_INSTANT, false},           {"request", "REQUEST", CELL_TEXT, false},
    {"tenant", "TENANT", CELL_TEXT, false},      {"now", "THE POLICY", CELL_TEXT, false},
    {"then", "THE CANDIDATE", CELL_TEXT, false}, {NULL, NULL, CELL_TEXT, false}};

static int tell(struct call *call, const json_t *answer, struct err *e) {
    scoped_json json_t *rows = json_array();
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "differences"), i, row) {
        scoped_free char *active = side_text(json_object_get(row, "active"));
        scoped_free char *candidate = side_text(json_object_get(row, "candidate"));
        json_t *copy = json_copy(row);
        json_object_set_new(copy, "now", json_string(active));
        json_object_set_new(copy, "then", json_string(candidate));
        json_array_append_new(rows, copy);
    }
    if (output_object(call, set_columns, answer, e) < 0) return -1;
    output_say(call,
               output_choose(call, "%lld of %lld decisions would have been others",
                             "달라졌을 결정: %lld건 / 전체 %lld건"),
               (long long)json_integer_value(json_object_get(answer, "differing")),
               (long long)json_integer_value(json_object_get(answer, "decisions")));
    if (json_array_size(rows) == 0) return 0;
    fputc('\n', call->out);
    return output_list(call, difference_columns, rows, e);
}

static json_t *answer_of(struct call *call, int64_t pool, const struct shadow *shadow, struct err *e) {
    json_t *answer = shadow_compare(call->store, &policy_decider, pool, shadow, e);
    scoped_json json_t *stored = json_loads(shadow->stored, 0, NULL);
    if (!answer) return NULL;
    json_object_set(answer, "policy", json_object_get(stored, "name"));
    json_object_set(answer, "version", json_object_get(stored, "version"));
    json_object_set_new(answer, "hash", json_string(shadow->hash.hex));
    json_object_set_new(answer, "since", json_string(instant_text(shadow->made_at).s));
    json_object_set_new(answer, "by", json_string(shadow->made_by));
    return answer;
}

static int show(struct call *call, int64_t pool, struct err *e) {
    struct shadow shadow = {0};
    int rc = shadow_find(call->store, pool, &shadow, e);
    if (rc == 0) {
        err_set(e, ERR_NOT_FOUND, "the pool has no candidate beside its policy");
        err_hint(e, "set one: allot policy shadow FILE");
    }
    if (rc != 1) return -1;
    scoped_json json_t *answer = answer_of(call, pool, &shadow, e);
    shadow_free(&shadow);
    if (!answer) return -1;
    if (call->quiet) return 0;
    if (strcmp(call->format, "table") == 0) return tell(call, answer, e);
    return output_object(call, set_columns, answer, e);
}

/* ---- the command ---- */

static int shadow_run(struct call *call, struct err *e) {
    bool stops = call_flag(call, "stop");
    int64_t pool;
    if (stops && call->n_arguments > 0)
        return err_set(e, ERR_USAGE, "--stop ends the candidate that is there: it takes no file");
    if ((stops || call->n_arguments > 0) && call->role < ROLE_ADMIN)
        return err_set(e, ERR_DENIED, "setting and ending a candidate needs the role %s",
                       role_word(ROLE_ADMIN));
    if (call->n_arguments > 0) return set(call, e);
    if (policy_some_pool(call, call_option(call, "pool"), "--pool NAME", &pool, e) < 0) return -1;
    return stops ? stop(call, pool, e) : show(call, pool, e);
}

static const struct option shadow_options[] = {
    {"pool", "POOL", "the pool; else the one that the policy names, or the only one", false},
    {"stop", NULL, "end the candidate; what it would have decided is not kept", false},
    {NULL, NULL, NULL, false}};

const struct command policy_shadow_commands[] = {
    {.words = "policy shadow",
     .arguments = "[FILE]",
     .least = 0,
     .most = 1,
     .summary = "set a candidate beside the policy, or list what it would decide otherwise",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_AUDITOR,
     .options = shadow_options,
     .run = shadow_run},
    {.words = NULL}};
