/* SPDX-License-Identifier: Apache-2.0 */
/* What a tenant may change by a line. */
#include "cmd/serve_parts.h"

#include "alloc/call_award.h"
#include "alloc/offer.h"
#include "cmd/queue.h"
#include "cmd/request.h"
#include "policies/policy.h"

#include <string.h>

/* ---- changing ---- */

/* The words of the line, canonical, are what the key is for. */
static int change(struct line *line, change_fn *body, void *arg, const char *verb, struct err *e) {
    scoped_free char *words = json_canonical(line->words);
    scoped_text struct text said = {0};
    text_add(&said, "%s %s", verb, words);
    json_decref(line->answer);
    line->answer = NULL;
    int status = change_run(&line->call, body, arg, said.s, &line->answer, e);
    if (status < 0) return -1;
    line->status = status;
    line->has_work = true;
    return 0;
}

/* A request in the name of another: refused, and noted. */
static int check_name(struct line *line, struct err *e) {
    const char *name = json_string_value(json_object_get(line->words, "tenant"));
    if (!name || strcmp(name, line->session->name) == 0) return 0;
    struct err ignored = {0};
    principal_note_refusal(line->call.store, line->call.actor, "serve: a request of another tenant",
                           line->call.now, &ignored);
    return err_set(e, ERR_DENIED, "you are %s and cannot ask for another tenant", line->session->name);
}

static int submit_body(struct change *c, struct err *e) {
    if (request_submit_all(c, c->arg, e) < 0) return -1;
    json_t *one = json_incref(json_array_get(c->answer, 0));
    json_decref(c->answer);
    serve_request_view(c->answer = one);
    return 0;
}

int serve_submit(struct line *line, struct err *e) {
    struct request_new ignored_words; /* decoded here for the sake of the places in messages */
    if (check_name(line, e) < 0 || request_decode(&line->at, line->session->name, &ignored_words, e) < 0)
        return -1;
    scoped_json json_t *documents = json_pack("[O]", line->words);
    struct submission s = {.documents = documents, .title = line->at.key, .tenant = line->session->name};
    if (change(line, submit_body, &s, "submit", e) < 0) return -1;
    const char *grant = json_string_value(json_object_get(line->answer, "grant"));
    struct err ignored = {0};
    line->has_work = grant && number_parse(grant, 'g', &line->work_grant, &ignored) == 0;
    return 0;
}

static int withdraw_body(struct change *c, struct err *e) {
    struct line *line = c->arg;
    struct named n;
    struct request r;
    struct book b;
    if (serve_named(line, true, &n, e) < 0 || request_find(c->store, n.id, line->session->tenant, &r, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = request_withdraw(&b, &r, e);
    if (rc == 0) rc = book_close(&b, e);
    request_free(&r);
    if (rc == 0) c->answer = serve_request(c->store, n.id, line->session->tenant, e);
    return c->answer ? 0 : -1;
}

int serve_withdraw(struct line *line, struct err *e) {
    if (change(line, withdraw_body, line, "withdraw", e) < 0) return -1;
    line->has_work = false;
    return 0;
}

static int decline_body(struct change *c, struct err *e) {
    struct line *line = c->arg;
    const char *reason = "declined by its tenant";
    struct named n;
    struct request r;
    struct book b;
    if (serve_named(line, true, &n, e) < 0 || json_may_text(&line->at, "reason", 200, &reason, e) < 0 ||
        request_find(c->store, n.id, line->session->tenant, &r, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = call_decline(&b, &r, reason, e);
    if (rc == 0) rc = call_fill(&b, &policy_decider, r.call, NULL, e);
    if (rc == 0) rc = book_close(&b, e);
    request_free(&r);
    if (rc == 0) c->answer = serve_request(c->store, n.id, line->session->tenant, e);
    return c->answer ? 0 : -1;
}

/* The work is its own grant's end, and a grant of whoever moved up: all that is open. */
int serve_decline(struct line *line, struct err *e) { return change(line, decline_body, line, "decline", e); }

static int accept_body(struct change *c, struct err *e) {
    struct line *line = c->arg;
    struct named n;
    struct request r;
    struct book b;
    if (serve_named(line, true, &n, e) < 0 || request_find(c->store, n.id, line->session->tenant, &r, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = offer_accept(&b, &r, &line->work_grant, e);
    if (rc == 0) rc = book_close(&b, e);
    request_free(&r);
    if (rc == 0) c->answer = serve_request(c->store, n.id, line->session->tenant, e);
    return c->answer ? 0 : -1;
}

int serve_accept(struct line *line, struct err *e) {
    line->work_grant = 0;
    if (change(line, accept_body, line, "accept", e) < 0) return -1;
    line->has_work = line->work_grant > 0;
    return 0;
}

struct amendment {
    struct line *line;
    json_t *document;
    int64_t id;
};

static int amend_body(struct change *c, struct err *e) {
    struct amendment *a = c->arg;
    struct request r;
    struct request_new n;
    struct engine_results results = {0};
    struct book b;
    if (request_find(c->store, a->id, a->line->session->tenant, &r, e) < 0) return -1;
    struct json_at at = json_root(a->document, a->line->at.key);
    int rc = request_decode(&at, a->line->session->name, &n, e);
    if (rc == 0) rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = request_check_attributes(&b, &n, e);
    if (rc == 0) rc = request_amend(&b, &r, &n, e);
    if (rc == 0) rc = engine_plan(&b, &policy_decider, &results, e);
    if (rc == 0) rc = book_close(&b, e);
    if (rc == 0) rc = (c->answer = request_answer(c->store, &results, a->id, e)) ? 0 : -1;
    if (rc == 0) {
        c->status = request_status(c->answer);
        serve_request_view(c->answer);
    }
    engine_results_free(&results);
    request_free(&r);
    return rc;
}

int serve_amend(struct line *line, struct err *e) {
    const char *number;
    struct amendment a = {.line = line};
    if (check_name(line, e) < 0 || json_need_text(&line->at, "request", 32, &number, e) < 0) return -1;
    if (number_parse(number, 'r', &a.id, e) < 0) return json_context(&line->at, "request", e);
    scoped_json json_t *document = a.document = json_copy(line->words);
    json_object_del(document, "request");
    return change(line, amend_body, &a, "amend", e);
}

struct ending {
    struct line *line;
    int64_t id;
    bool by_renewal;
};

static int grant_body(struct change *c, struct err *e) {
    const struct ending *ending = c->arg;
    int64_t tenant = ending->line->session->tenant;
    const char *reason = "released by its tenant";
    struct grant g;
    struct book b;
    if (json_may_text(&ending->line->at, "reason", 200, &reason, e) < 0 ||
        grant_find(c->store, ending->id, tenant, &g, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, g.pool, c->call->actor, c->call->now, e);
    if (rc == 0)
        rc = ending->by_renewal ? engine_lengthen(&b, &policy_decider, &g, g.end, true, NULL, e)
                                : grant_release(&b, &g, reason, e);
    if (rc == 0) rc = book_close(&b, e);
    grant_free(&g);
    if (rc == 0) rc = (c->answer = serve_grant(c->store, ending->id, tenant, e)) ? 0 : -1;
    return rc;
}

static int grant_run(struct line *line, bool by_renewal, struct err *e) {
    const char *number;
    struct ending ending = {.line = line, .by_renewal = by_renewal};
    if (json_need_text(&line->at, "grant", 32, &number, e) < 0) return -1;
    if (number_parse(number, 'g', &ending.id, e) < 0) return json_context(&line->at, "grant", e);
    if (change(line, grant_body, &ending, by_renewal ? "renew" : "release", e) < 0) return -1;
    line->has_work = !by_renewal;
    line->work_grant = ending.id;
    return 0;
}

int serve_release(struct line *line, struct err *e) { return grant_run(line, false, e); }

/* A suspended tenant gets nothing new, and a later end is something new. */
int serve_renew(struct line *line, struct err *e) {
    struct tenant_row row;
    if (tenant_get(line->call.store, line->session->tenant, &row, e) < 0) return -1;
    if (row.state != TENANT_ACTIVE)
        return err_set(e, ERR_DENIED, "%s is %s", row.name, tenant_state_words[row.state]);
    return grant_run(line, true, e);
}

/* ---- notices of reclaim ---- */

static int notice_body(struct change *c, struct err *e) {
    if (notice_change(c, c->arg, e) < 0) return -1;
    serve_notice_view(c->answer);
    return 0;
}

static int notice_run(struct line *line, enum notice_act act, const char *reason, struct err *e) {
    const char *number;
    struct notice_change a = {.act = act, .tenant = line->session->tenant, .words = reason};
    if (json_need_text(&line->at, "notice", 32, &number, e) < 0) return -1;
    if (number_parse(number, 'n', &a.id, e) < 0) return json_context(&line->at, "notice", e);
    if (change(line, notice_body, &a, act == NOTICE_APPEAL ? "appeal" : "consent", e) < 0) return -1;
    line->has_work = false;
    return 0;
}

int serve_appeal(struct line *line, struct err *e) {
    const char *reason;
    if (json_need_text(&line->at, "reason", 1000, &reason, e) < 0) return -1;
    return notice_run(line, NOTICE_APPEAL, reason, e);
}

int serve_consent(struct line *line, struct err *e) {
    return notice_run(line, NOTICE_CONSENT, line->session->name, e);
}
