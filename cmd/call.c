/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: open, score, award, show. */
#include "alloc/call.h"

#include "alloc/call_award.h"
#include "alloc/csv.h"
#include "alloc/file.h"
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/provide.h"
#include "cmd/request.h"
#include "policies/policy.h"

#include <string.h>

/* ---- open, close, end ---- */

static const struct column call_columns[] = {{"call", "call", CELL_TEXT, false},
                                             {"pool", "pool", CELL_TEXT, false},
                                             {"state", "state", CELL_STATE, false},
                                             {"compute_gflops", "share of compute", CELL_GFLOPS, false},
                                             {"given_gflops", "compute given", CELL_GFLOPS, false},
                                             {"storage_bytes", "share of storage", CELL_BYTES, false},
                                             {"given_bytes", "storage given", CELL_BYTES, false},
                                             {"opens", "opened", CELL_INSTANT, false},
                                             {"closes", "closes", CELL_END, false},
                                             {"awarded", "awarded", CELL_INSTANT, false},
                                             {"sign_by", "to be signed by", CELL_END, false},
                                             {0}};

static json_t *show_by_name(struct store *s, const char *name, instant_t now, struct err *e) {
    struct call_row c;
    if (call_find(s, name, &c, e) < 0) return NULL;
    json_t *show = call_show(s, &c, now, e);
    call_row_free(&c);
    return show;
}

static int may_amount(const struct call *call, const char *option, bool *has, int64_t *out,
                      int (*parse)(const char *, int64_t *, struct err *), struct err *e) {
    const char *text = call_option(call, option);
    *has = text != NULL;
    return text && parse(text, out, e) < 0 ? err_context(e, "--%s", option) : 0;
}

static int parse_compute(const char *text, int64_t *out, struct err *e) {
    gflops_t amount;
    if (gflops_parse(text, &amount, e) < 0) return -1;
    *out = amount.n;
    return 0;
}

static int parse_storage(const char *text, int64_t *out, struct err *e) {
    bytes_t amount;
    if (bytes_parse(text, &amount, e) < 0) return -1;
    *out = amount.n;
    return 0;
}

static int may_date(const struct call *call, const char *option, struct maybe_instant *out, struct err *e) {
    const char *text = call_option(call, option);
    out->has = text != NULL;
    return text && instant_or_date_parse(text, &out->at, e) < 0 ? err_context(e, "--%s", option) : 0;
}

static int open_body(struct change *c, struct err *e) {
    struct call_new *n = c->arg;
    struct book b;
    int64_t pool, id;
    if (request_pool(c->store, call_option(c->call, "pool"), &pool, e) < 0 ||
        book_open(&b, c->store, pool, c->call->actor, c->call->now, e) < 0 || call_open(&b, n, &id, e) < 0 ||
        book_close(&b, e) < 0)
        return -1;
    c->answer = show_by_name(c->store, n->name, c->call->now, e);
    return c->answer ? 0 : -1;
}

static int open_run(struct call *call, struct err *e) {
    struct call_new n = {.name = call->arguments[0]};
    scoped_json json_t *answer = NULL;
    if (may_amount(call, "compute", &n.has_compute, &n.compute.n, parse_compute, e) < 0 ||
        may_amount(call, "storage", &n.has_storage, &n.storage.n, parse_storage, e) < 0 ||
        may_date(call, "closes", &n.closes, e) < 0)
        return -1;
    if (change_run(call, open_body, &n, NULL, &answer, e) < 0) return -1;
    return output_object(call, call_columns, answer, e);
}

typedef int call_step(struct book *b, const struct call_row *c, struct err *e);

/* One step of the life of the call that the first argument names. */
static int step_body(struct change *c, struct err *e) {
    call_step *const *step = c->arg;
    struct call_row row;
    struct book b;
    if (call_find(c->store, c->call->arguments[0], &row, e) < 0) return -1;
    int rc = book_open(&b, c->store, row.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = (*step)(&b, &row, e);
    if (rc == 0) rc = book_close(&b, e);
    call_row_free(&row);
    if (rc < 0) return -1;
    c->answer = show_by_name(c->store, c->call->arguments[0], c->call->now, e);
    return c->answer ? 0 : -1;
}

static int step_run(struct call *call, call_step *step, struct err *e) {
    scoped_json json_t *answer = NULL;
    if (change_run(call, step_body, &step, NULL, &answer, e) < 0) return -1;
    return output_object(call, call_columns, answer, e);
}

static int close_run(struct call *call, struct err *e) { return step_run(call, call_close, e); }
static int end_run(struct call *call, struct err *e) { return step_run(call, call_end, e); }

/* ---- scores ---- */

static int score_body(struct change *c, struct err *e) {
    struct call_scores *in = c->arg;
    struct call_row row;
    struct book b;
    if (call_find(c->store, c->call->arguments[0], &row, e) < 0) return -1;
    int rc = book_open(&b, c->store, row.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = call_score(&b, &row, in, e);
    if (rc == 0) rc = book_close(&b, e);
    call_row_free(&row);
    if (rc < 0) return -1;
    c->answer = json_pack("{s:s, s:I, s:I}", "call", c->call->arguments[0], "added", (json_int_t)in->added,
                          "replaced", (json_int_t)in->replaced);
    return 0;
}

static int score_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"call", "call", CELL_TEXT, false},
                                            {"added", "new scores", CELL_COUNT, false},
                                            {"replaced", "replaced", CELL_COUNT, false},
                                            {0}};
    scoped_text struct text content = {0};
    scoped_json json_t *answer = NULL;
    if (file_read(call->arguments[1], CSV_BYTES_MOST, &content, e) < 0) return -1;
    struct call_scores in = {
        .bytes = content.s, .length = content.length, .title = file_title(call->arguments[1])};
    if (change_run(call, score_body, &in, content.s, &answer, e) < 0) return -1;
    return output_object(call, columns, answer, e);
}

/* ---- showing ---- */

static const struct column rank_columns[] = {{"rank", "RANK", CELL_COUNT, false},
                                             {"request", "REQUEST", CELL_TEXT, false},
                                             {"tenant", "TENANT", CELL_TEXT, false},
                                             {"state", "STATE", CELL_STATE, false},
                                             {"score", "SCORE", CELL_NUMBER, false},
                                             {"reviewers", "REVIEWERS", CELL_COUNT, true},
                                             {"asked", "ASKED", CELL_NUMBER, false},
                                             {"compute_gflops", "COMPUTE", CELL_GFLOPS, true},
                                             {"flavor", "FLAVOR", CELL_TEXT, true},
                                             {"units", "UNITS", CELL_COUNT, true},
                                             {"storage_bytes", "STORAGE", CELL_BYTES, true},
                                             {"given_gflops", "GIVEN", CELL_GFLOPS, false},
                                             {"given_bytes", "STORAGE GIVEN", CELL_BYTES, true},
                                             {"grant", "GRANT", CELL_TEXT, false},
                                             {"sign_by", "SIGN BY", CELL_END, true},
                                             {"note", "NOTE", CELL_TEXT, true},
                                             {"purpose", "PURPOSE", CELL_TEXT, true},
                                             {0}};

/* The mean for people, beside its thousandths: "87.333"; and what is asked for. */
static void scores_shown(const json_t *requests) {
    size_t i;
    json_t *row;
    json_array_foreach(requests, i, row) {
        const json_t *n = json_object_get(row, "score_thousandths");
        if (json_is_integer(n))
            json_object_set_new(row, "score", json_string(wide_ratio_text(json_integer_value(n), 1000).s));
        request_asked_set(row);
    }
}

static int ranks_print(struct call *call, const json_t *show, struct err *e) {
    const json_t *requests = json_object_get(show, "requests");
    scores_shown(requests);
    return output_list(call, rank_columns, requests, e);
}

static int list_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"call", "CALL", CELL_TEXT, false},
                                            {"pool", "POOL", CELL_TEXT, true},
                                            {"state", "STATE", CELL_STATE, false},
                                            {"closes", "CLOSES", CELL_END, false},
                                            {"requests", "REQUESTS", CELL_COUNT, false},
                                            {"awarded_requests", "AWARDED", CELL_COUNT, false},
                                            {"reserve_requests", "RESERVE", CELL_COUNT, false},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                            {"given_gflops", "GIVEN", CELL_GFLOPS, false},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, true},
                                            {"given_bytes", "STORAGE GIVEN", CELL_BYTES, true},
                                            {"opens", "OPENED", CELL_INSTANT, true},
                                            {"awarded", "WHEN AWARDED", CELL_INSTANT, true},
                                            {"sign_by", "SIGN BY", CELL_END, true},
                                            {0}};
    scoped_json json_t *rows = call_list(call->store, call->now, e);
    return rows ? output_list(call, columns, rows, e) : -1;
}

static int show_run(struct call *call, struct err *e) {
    scoped_json json_t *show = show_by_name(call->store, call->arguments[0], call->now, e);
    if (!show) return -1;
    if (strcmp(call->format, "json") == 0) return output_object(call, call_columns, show, e);
    if (strcmp(call->format, "table") == 0) {
        if (output_object(call, call_columns, show, e) < 0) return -1;
        output_say(call, "%s", "");
    }
    return ranks_print(call, show, e);
}

/* ---- the award ---- */

struct award {
    struct maybe_instant sign_by;
};

/* The answers of all that were decided, as request_finish() takes them. */
static json_t *answers_of(struct store *s, const struct engine_results *results, struct err *e) {
    json_t *answers = json_array();
    for (size_t i = 0; i < results->n; i++) {
        json_t *answer = request_answer(s, results, results->of[i].request, e);
        if (answer && json_array_append_new(answers, answer) == 0) continue;
        json_decref(answers);
        return NULL;
    }
    return answers;
}

static int award_body(struct change *c, struct err *e) {
    const struct award *a = c->arg;
    const char *name = c->call->arguments[0];
    struct engine_results results = {0};
    struct call_row row;
    struct book b;
    if (call_find(c->store, name, &row, e) < 0) return -1;
    int rc = book_open(&b, c->store, row.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = call_award(&b, &policy_decider, &row, a->sign_by, &results, e);
    if (rc == 0) rc = book_close(&b, e);
    call_row_free(&row);
    json_t *show = rc == 0 ? show_by_name(c->store, name, c->call->now, e) : NULL;
    json_t *answers = show ? answers_of(c->store, &results, e) : NULL;
    engine_results_free(&results);
    if (!answers) {
        json_decref(show);
        return -1;
    }
    json_object_set_new(show, "decided", answers);
    c->answer = show;
    return 0;
}

static int award_run(struct call *call, struct err *e) {
    struct award a = {0};
    scoped_json json_t *answer = NULL;
    if (may_date(call, "sign-by", &a.sign_by, e) < 0 ||
        change_run(call, award_body, &a, NULL, &answer, e) < 0)
        return -1;
    scoped_json json_t *decided = json_incref(json_object_get(answer, "decided"));
    int status = decided ? request_finish(call, decided, e) : 0;
    if (status < 0) return -1;
    if (strcmp(call->format, "json") == 0) return output_object(call, call_columns, answer, e);
    /* Who is left out waits by design: only a backend's trouble is told by the status. */
    return ranks_print(call, answer, e) < 0 ? -1 : status == ERR_UNKNOWN ? status : 0;
}

static const struct option open_options[] = {
    {"pool", "POOL", "the pool (where the store has more than one)", false},
    {"compute", "AMOUNT", "the call's own share of the pool, like '500 TF'", false},
    {"storage", "AMOUNT", "its share of storage and data lake, like '200 TB'", false},
    {"closes", "DATE", "its last day; without it, it closes by call close", false},
    {0}};
static const struct option award_options[] = {
    {"sign-by", "DATE", "the last day to sign an agreement, where the policy asks for one", false},
    PROVIDE_OPTION,
    {0}};

const struct command call_commands[] = {
    {"call open", "NAME", 1, 1, "open a call: requests may answer it", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_OPERATOR, open_options, open_run},
    {"call list", "", 0, 0, "list calls", COMMAND_LISTS, ROLE_AUDITOR, NULL, list_run},
    {"call show", "CALL", 1, 1, "show a call with its requests in the order of their scores", COMMAND_LISTS,
     ROLE_AUDITOR, NULL, show_run},
    {"call close", "CALL", 1, 1, "take no more requests", COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR,
     NULL, close_run},
    {"call score", "CALL FILE", 2, 2, "import scores from CSV", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_OPERATOR, NULL, score_run},
    {"call award", "CALL", 1, 1, "plan all requests of a closed call in the order of their scores",
     COMMAND_CHANGES | COMMAND_LISTS, ROLE_ADMIN, award_options, award_run},
    {"call end", "CALL", 1, 1, "end the reserve list of an awarded call", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_ADMIN, NULL, end_run},
    {0},
};
