/* SPDX-License-Identifier: Apache-2.0 */
/* What a tenant may ask. Every number is looked up among its own: those of others do not exist. */
#include "cmd/serve_parts.h"

#include "alloc/call_award.h"
#include "alloc/usage.h"
#include "cmd/explain.h"
#include "cmd/queue.h"
#include "policies/policy.h"

#include <poll.h>
#include <string.h>
#include <time.h>

/* ---- what is named ---- */

int serve_named(const struct line *line, bool needed, struct named *out, struct err *e) {
    const char *request = NULL, *grant = NULL;
    *out = (struct named){0};
    if (json_may_text(&line->at, "request", 32, &request, e) < 0 ||
        json_may_text(&line->at, "grant", 32, &grant, e) < 0)
        return -1;
    if (request && grant) return json_fail(&line->at, e, "\"request\" and \"grant\" exclude each other");
    if (needed && !request && !grant) return json_fail(&line->at, e, "which \"request\" or \"grant\"?");
    out->is_request = request != NULL;
    out->is_grant = grant != NULL;
    if (request && number_parse(request, 'r', &out->id, e) < 0) return json_context(&line->at, "request", e);
    if (grant && number_parse(grant, 'g', &out->id, e) < 0) return json_context(&line->at, "grant", e);
    return 0;
}

json_t *serve_request(struct store *s, int64_t id, int64_t tenant, struct err *e) {
    struct request r;
    if (request_find(s, id, tenant, &r, e) < 0) return NULL;
    json_t *view = request_show(s, &r, e);
    request_free(&r);
    if (view) serve_request_view(view);
    return view;
}

json_t *serve_grant(struct store *s, int64_t id, int64_t tenant, struct err *e) {
    struct grant g;
    if (grant_find(s, id, tenant, &g, e) < 0) return NULL;
    json_t *view = grant_show(s, &g, e);
    grant_free(&g);
    if (view) serve_grant_view(view);
    return view;
}

/* ---- calls, notices of reclaim ---- */

/* Those that take requests now. */
static int run_calls(struct line *line, struct err *e) {
    static const char *const keys[] = {"call", "pool", "opens", "closes"};
    scoped_json json_t *all = call_list(line->call.store, line->call.now, e);
    size_t i;
    json_t *row;
    if (!all) return -1;
    line->answer = json_array();
    json_array_foreach(all, i, row) {
        const char *state = json_string_value(json_object_get(row, "state"));
        if (!state || strcmp(state, "open") != 0) continue;
        json_t *one = json_object();
        for (size_t k = 0; k < 4; k++) json_object_set(one, keys[k], json_object_get(row, keys[k]));
        json_array_append_new(line->answer, one);
    }
    return 0;
}

/* Open ones; with "all" those that are over too. */
static int run_notices(struct line *line, struct err *e) {
    struct reclaim_filter f = {.tenant = line->session->tenant};
    if (json_may_bool(&line->at, "all", &f.all, e) < 0) return -1;
    line->answer = reclaim_list(line->call.store, &f, e);
    if (!line->answer) return -1;
    for (size_t i = 0; i < json_array_size(line->answer); i++)
        serve_notice_view(json_array_get(line->answer, i));
    return 0;
}

/* ---- reading ---- */

static bool is_open(const json_t *request) {
    static const char *const words[] = {"queued", "held", "returned"};
    const char *state = json_string_value(json_object_get(request, "state"));
    for (size_t i = 0; state && i < 3; i++)
        if (strcmp(state, words[i]) == 0) return true;
    return false;
}

/* Open requests and live grants; with "all" those that have ended too. */
static int run_list(struct line *line, struct err *e) {
    bool all = false;
    if (json_may_bool(&line->at, "all", &all, e) < 0) return -1;
    struct request_filter rf = {.tenant = line->session->tenant};
    struct grant_filter gf = {.tenant = line->session->tenant, .live = !all};
    scoped_json json_t *requests = request_list(line->call.store, &rf, e);
    scoped_json json_t *grants = requests ? grant_list(line->call.store, &gf, e) : NULL;
    if (!grants) return -1;
    for (size_t i = json_array_size(requests); i-- > 0;) {
        json_t *request = json_array_get(requests, i);
        if (all || is_open(request))
            serve_request_view(request);
        else
            json_array_remove(requests, i);
    }
    for (size_t i = 0; i < json_array_size(grants); i++) {
        json_t *lines = json_object_get(json_array_get(grants, i), "lines");
        json_incref(lines);
        serve_grant_view(json_array_get(grants, i));
        json_object_set_new(json_array_get(grants, i), "lines", lines);
    }
    line->answer = json_pack("{s:O, s:O}", "requests", requests, "grants", grants);
    return 0;
}

static int run_show(struct line *line, struct err *e) {
    struct named n;
    struct store *s = line->call.store;
    if (serve_named(line, false, &n, e) < 0) return -1;
    line->answer = n.is_request ? serve_request(s, n.id, line->session->tenant, e)
                   : n.is_grant ? serve_grant(s, n.id, line->session->tenant, e)
                                : serve_tenant_view(s, line->session->tenant, e);
    return line->answer ? 0 : -1;
}

/* ---- waiting ---- */

/* Is what is named as it will stay until somebody acts? Fills line->answer with it. 1 yes, 0 not yet, -1. */
static int settled(struct line *line, const struct named *n, struct err *e) {
    int64_t tenant = line->session->tenant;
    json_decref(line->answer);
    line->answer = NULL;
    json_t *request = n->is_request ? serve_request(line->call.store, n->id, tenant, e) : NULL;
    if (n->is_request && !request) return -1;
    int64_t grant_id = n->id;
    const char *of_request = json_string_value(json_object_get(request, "grant"));
    bool has_grant = n->is_grant || of_request;
    if (of_request && number_parse(of_request, 'g', &grant_id, e) < 0) has_grant = false;
    json_t *grant = has_grant ? serve_grant(line->call.store, grant_id, tenant, e) : NULL;
    line->answer = json_object();
    if (request) json_object_set_new(line->answer, "request", request);
    if (grant) json_object_set_new(line->answer, "grant", grant);
    if (has_grant && !grant) return -1;
    const char *of = json_string_value(json_object_get(request, "state"));
    const char *state = json_string_value(json_object_get(grant, "state"));
    if (of && (strcmp(of, "queued") == 0 || strcmp(of, "held") == 0)) return 0;
    static const char *const passing[] = {"reserved", "voiding", "releasing", "purging"};
    for (size_t i = 0; state && i < 4; i++)
        if (strcmp(state, passing[i]) == 0) return 0;
    return 1;
}

static bool is_reader_gone(const struct line *line) {
    struct pollfd out = {.fd = fileno(line->call.out)};
    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

/* Looks often at first and less often later: each look is a few reads of the store. */
static int run_wait(struct line *line, struct err *e) {
    struct named n;
    int64_t seconds = 60, pause_ms = 100;
    if (serve_named(line, true, &n, e) < 0 ||
        json_may_int(&line->at, "seconds", 0, SERVE_WAIT_MOST, &seconds, e) < 0)
        return -1;
    int64_t end = clock_monotonic_ms() + seconds * 1000;
    int done;
    while ((done = settled(line, &n, e)) == 0 && clock_monotonic_ms() < end && !is_reader_gone(line)) {
        int64_t left = end - clock_monotonic_ms();
        if (pause_ms > left) pause_ms = left > 0 ? left : 0;
        nanosleep(&(struct timespec){pause_ms / 1000, pause_ms % 1000 * 1000000}, NULL);
        pause_ms = pause_ms * 2 > 2000 ? 2000 : pause_ms * 2;
    }
    if (done < 0) return -1;
    json_object_set_new(line->answer, "settled", json_boolean(done));
    line->status = done ? 0 : ERR_WAITS;
    return 0;
}

/* ---- what was used, why it was decided so ---- */

static int run_usage(struct line *line, struct err *e) {
    static const char *const words[] = {"tenant", "grant", "flavor", NULL};
    size_t by = 0;
    struct usage_query q = {
        .tenant = line->session->tenant, .since = usage_month(line->call.now), .until = line->call.now};
    if (json_may_word(&line->at, "by", words, &by, e) < 0 ||
        json_may_instant(&line->at, "since", &q.since, e) < 0 ||
        json_may_instant(&line->at, "until", &q.until, e) < 0)
        return -1;
    q.by = (enum usage_by)by;
    if (q.until.s > line->call.now.s) q.until = line->call.now;
    if (q.since.s >= q.until.s) return json_fail(&line->at, e, "\"since\" must be before \"until\" and now");
    line->answer = usage_of(line->call.store, &q, e);
    return line->answer ? 0 : -1;
}

/* The stored facts name others: only the decision is shown, and that planning it again gives the same. */
static int explain_replayed(struct line *line, struct engine_replayed *r) {
    decision_hide_others(r->stored);
    line->answer = json_pack("{s:o, s:o, s:O, s:b}", "request", json_sprintf("r-%lld", (long long)r->request),
                             "number", json_sprintf("d-%lld", (long long)r->decision), "decision", r->stored,
                             "confirmed", (int)r->same);
    return 0;
}

static int explain_request(struct line *line, const char *number, struct engine_replayed *r, struct err *e) {
    int64_t id;
    struct request q;
    if (number_parse(number, 'r', &id, e) < 0) return json_context(&line->at, "request", e);
    if (request_find(line->call.store, id, line->session->tenant, &q, e) < 0) return -1;
    request_free(&q);
    return engine_replay_request(line->call.store, &policy_decider, id, false, r, e);
}

static int explain_decision(struct line *line, const char *number, struct engine_replayed *r, struct err *e) {
    int64_t id, own = 0;
    if (number_parse(number, 'd', &id, e) < 0) return json_context(&line->at, "decision", e);
    if (sql_int(line->call.store, e, &own, "SELECT count(*) FROM decision WHERE tenant = $1 AND id = $2",
                "ii", line->session->tenant, id) < 0)
        return -1;
    if (!own) return err_set(e, ERR_NOT_FOUND, "there is no decision %s", number);
    return engine_replay(line->call.store, &policy_decider, id, false, r, e);
}

/* A decision of its own, or itself: what it has, and why. */
static int run_explain(struct line *line, struct err *e) {
    const char *request = NULL, *decision = NULL;
    struct engine_replayed r;
    if (json_may_text(&line->at, "request", 32, &request, e) < 0 ||
        json_may_text(&line->at, "decision", 32, &decision, e) < 0)
        return -1;
    if (request && decision)
        return json_fail(&line->at, e, "\"request\" and \"decision\" exclude each other");
    if (!request && !decision) {
        line->answer = explain_tenant_json(line->call.store, line->session->tenant, line->call.now,
                                           EXPLAIN_TO_TENANT, e);
        return line->answer ? 0 : -1;
    }
    if ((request ? explain_request(line, request, &r, e) : explain_decision(line, decision, &r, e)) < 0)
        return -1;
    int rc = explain_replayed(line, &r);
    engine_replayed_free(&r);
    return rc;
}

#define KEYS(...)                                                                                            \
    (const char *const[]) { __VA_ARGS__, NULL }

const struct verb serve_verbs[] = {{"submit", true, NULL, serve_submit},
                                   {"amend", true, NULL, serve_amend},
                                   {"accept", true, KEYS("request"), serve_accept},
                                   {"withdraw", true, KEYS("request"), serve_withdraw},
                                   {"decline", true, KEYS("request", "reason"), serve_decline},
                                   {"calls", false, KEYS(""), run_calls},
                                   {"list", false, KEYS("all"), run_list},
                                   {"show", false, KEYS("request", "grant"), run_show},
                                   {"wait", false, KEYS("request", "grant", "seconds"), run_wait},
                                   {"release", true, KEYS("grant", "reason"), serve_release},
                                   {"renew", true, KEYS("grant"), serve_renew},
                                   {"notices", false, KEYS("all"), run_notices},
                                   {"appeal", true, KEYS("notice", "reason"), serve_appeal},
                                   {"consent", true, KEYS("notice"), serve_consent},
                                   {"usage", false, KEYS("since", "until", "by"), run_usage},
                                   {"explain", false, KEYS("request", "decision"), run_explain},
                                   {0}};
