/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/request.h"

#include "alloc/call_award.h"
#include "alloc/facts.h"
#include "alloc/grant.h"
#include "alloc/hand.h"
#include "alloc/offer.h"
#include "alloc/scope.h"
#include "cmd/books.h"
#include "cmd/output.h"
#include "cmd/provide.h"
#include "policies/policy.h"

#include <string.h>

/* ---- answers ---- */

json_t *request_answer(struct store *s, const struct engine_results *results, int64_t request,
                       struct err *e) {
    const struct engine_result *new = engine_result_of(results, request);
    /* A decision that was just made is at hand; an older one is read back. */
    json_t *answer =
        sql_json_one(s, e, "such request",
                     "SELECT 'r-' || r.id AS request, t.name AS tenant, p.name AS pool, "
                     "r.state, CASE WHEN r.state = 'granted' THEN coalesce(d.outcome, r.state) ELSE "
                     "r.state END AS outcome, CASE "
                     "WHEN r.grant_id IS NOT NULL THEN 'g-' || r.grant_id END AS \"grant\", r.note, "
                     "CASE WHEN $2 = 0 THEN d.body END AS "
                     "\"decision@json\" FROM request r JOIN tenant t ON t.id = r.tenant JOIN "
                     "pool p ON p.id = r.pool LEFT JOIN decision d ON "
                     "d.id = r.decision WHERE r.id = $1",
                     "ii", request, (int64_t)(new != NULL));
    if (!answer) return NULL;
    if (new) json_object_set(answer, "decision", new->decision);
    static const char *const amounts[] = {"compute_gflops", "storage_bytes"};
    for (size_t i = 0; i < 2; i++) {
        json_t *amount = json_object_get(json_object_get(answer, "decision"), amounts[i]);
        if (amount) json_object_set(answer, amounts[i], amount);
    }
    return answer;
}

int request_status(const json_t *answer) {
    const char *outcome = json_string_value(json_object_get(answer, "outcome"));
    if (!outcome) return ERR_WAITS;
    if (strcmp(outcome, "denied") == 0) return ERR_DENIED;
    return strcmp(outcome, "granted") == 0 || strcmp(outcome, "partial") == 0 ? 0 : ERR_WAITS;
}

static const json_t *first_reason(const json_t *answer) {
    return json_array_get(json_object_get(json_object_get(answer, "decision"), "reasons"), 0);
}

static const char *reason_text(const struct call *call, const json_t *reason, const char *en,
                               const char *ko) {
    return output_choose(call, json_string_value(json_object_get(reason, en)),
                         json_string_value(json_object_get(reason, ko)));
}

/* The backend's refusal came after the decision, and stands in the note. */
static const char *refusal(const json_t *answer) {
    const char *state = json_string_value(json_object_get(answer, "state")),
               *words = json_string_value(json_object_get(answer, "note"));
    bool is_refused =
        state && words && strcmp(state, "held") == 0 && strncmp(words, "BACKEND_REFUSED", 15) == 0;
    return is_refused ? words : NULL;
}

void request_asked_set(json_t *row) {
    const char *flavor = json_string_value(json_object_get(row, "flavor"));
    const json_t *units = json_object_get(row, "units"), *compute = json_object_get(row, "compute_gflops");
    scoped_text struct text asked = {0};
    if (json_is_integer(units))
        text_add(&asked, "%s x %lld", flavor ? flavor : "", (long long)json_integer_value(units));
    else if (json_is_integer(compute))
        text_add(&asked, "%s%s%s", flavor ? flavor : "", flavor ? " " : "",
                 gflops_text(gflops(json_integer_value(compute))).s);
    json_object_set_new(row, "asked", asked.s ? json_string(asked.s) : json_null());
}

const char *request_reason(const struct call *call, const json_t *answer) {
    const char *words = refusal(answer);
    if (words) return words;
    const char *text = reason_text(call, first_reason(answer), "en", "ko");
    return text ? text : "";
}

/* Why it is less than asked, a line for each. */
static void tell_less(struct call *call, const json_t *decision) {
    const json_t *less;
    size_t i = 0;
    while ((less = decision_less(decision, &i))) output_say(call, "%s", reason_text(call, less, "en", "ko"));
}

int request_tell(struct call *call, const json_t *answer, struct err *e) {
    if (call->format[0] == 'j' || strcmp(call->format, "table") != 0) {
        static const struct column columns[] = {{"request", "REQUEST", CELL_TEXT, false},
                                                {"outcome", "OUTCOME", CELL_STATE, false},
                                                {"grant", "GRANT", CELL_TEXT, false},
                                                {0}};
        return output_object(call, columns, answer, e);
    }
    const char *outcome = json_string_value(json_object_get(answer, "outcome"));
    const char *id = json_string_value(json_object_get(answer, "request")),
               *grant = json_string_value(json_object_get(answer, "grant"));
    const char *hint = refusal(answer) ? output_choose(call, "when the cause is gone: allot request approve",
                                                       "원인을 해결한 뒤: allot request approve")
                                       : reason_text(call, first_reason(answer), "hint_en", "hint_ko");
    if (request_status(answer) == ERR_DENIED) {
        err_set(e, ERR_DENIED, "%s denied: %s", id, request_reason(call, answer));
        return hint ? err_hint(e, "%s", hint) : -1;
    }
    const json_t *decision = json_object_get(answer, "decision");
    scoped_text struct text given = {0};
    decision_given(decision, strcmp(call->lang, "ko") == 0, &given);
    if (grant) {
        output_say(call, "%s %s: %s, %s", id, output_word(call, outcome), grant, given.s ? given.s : "");
        tell_less(call, decision);
    } else {
        output_say(call, "%s %s: %s", id, output_word(call, outcome), request_reason(call, answer));
    }
    if (hint && request_status(answer) == ERR_WAITS)
        output_say(call, output_choose(call, "hint: %s", "참고: %s"), hint);
    return 0;
}

/* ---- after a decision ---- */

/* What the backends did since the answer was made: a refusal holds the request, an approval made another
 * grant. */
static int refresh(struct call *call, json_t *answer, struct err *e) {
    const char *id = json_string_value(json_object_get(answer, "request"));
    static const char *const keys[] = {"state", "outcome", "grant", "note"};
    int64_t number = 0;
    if (!json_string_value(json_object_get(answer, "grant")) || number_parse(id, 'r', &number, e) < 0)
        return err_is(e) ? -1 : 0;
    scoped_json json_t *now = sql_json_one(
        call->store, e, "such request",
        "SELECT r.state, CASE WHEN r.state = 'granted' THEN d.outcome ELSE r.state END AS outcome, CASE WHEN "
        "r.grant_id IS NOT NULL THEN 'g-' || r.grant_id END AS \"grant\", r.note FROM request r LEFT JOIN "
        "decision d "
        "ON d.id = r.decision WHERE r.id = $1",
        "i", number);
    if (!now) return -1;
    for (size_t i = 0; i < 4; i++) json_object_set(answer, keys[i], json_object_get(now, keys[i]));
    return 0;
}

static int64_t *grants_of(const json_t *answers, size_t *n) {
    int64_t *grants = mem_alloc((json_array_size(answers) + 1) * sizeof *grants);
    struct err ignored = {0};
    size_t i;
    json_t *answer;
    *n = 0;
    json_array_foreach(answers, i, answer) {
        const char *grant = json_string_value(json_object_get(answer, "grant"));
        if (grant && number_parse(grant, 'g', &grants[*n], &ignored) == 0) ++*n;
    }
    return grants;
}

int request_finish(struct call *call, json_t *answers, struct err *e) {
    size_t n, i;
    json_t *answer;
    int64_t *grants scoped_free = grants_of(answers, &n);
    int ready = provide_grants(call, grants, n, e), status = 0;
    bool has_acted = !call->dry_run && !call_flag(call, "no-provision");
    if (ready < 0) return -1;
    json_array_foreach(answers, i, answer) {
        if (has_acted && refresh(call, answer, e) < 0) return -1;
        int one = request_status(answer);
        if (one && status != ERR_DENIED) status = one;
    }
    return status ? status : ready == ERR_UNKNOWN ? ready : 0;
}

int request_finish_one(struct call *call, json_t *answer, struct err *e) {
    scoped_json json_t *answers = json_pack("[O]", answer);
    int status = request_finish(call, answers, e);
    return status < 0 || request_tell(call, answer, e) < 0 ? -1 : status;
}

/* ---- one request by number ---- */

enum act { ACT_APPROVE, ACT_ACCEPT, ACT_DENY, ACT_RETURN, ACT_WITHDRAW, ACT_DECLINE };

struct acting {
    enum act act;
    const char *words;
};

/* "moved_up": the answers of those that took the place of this one. */
static int moved_set(struct change *c, const struct engine_results *results, struct err *e) {
    json_t *moved = json_array();
    for (size_t i = 0; i < results->n; i++) {
        if (!results->of[i].grant) continue;
        json_t *answer = request_answer(c->store, results, results->of[i].request, e);
        if (!answer) {
            json_decref(moved);
            return -1;
        }
        json_array_append_new(moved, answer);
    }
    if (json_array_size(moved))
        json_object_set_new(c->answer, "moved_up", moved);
    else
        json_decref(moved);
    return 0;
}

static int act_body(struct change *c, struct err *e) {
    const struct acting *a = c->arg;
    int64_t id, grant;
    struct request r = {0};
    struct book b;
    struct engine_results results = {0};
    if (number_parse(c->call->arguments[0], 'r', &id, e) < 0 || request_find(c->store, id, 0, &r, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) switch (a->act) {
        case ACT_APPROVE: rc = request_approve(&b, &r, c->call->actor, e); break;
        case ACT_ACCEPT: rc = offer_accept(&b, &r, &grant, e); break;
        case ACT_DENY: rc = request_deny(&b, &r, a->words, e); break;
        case ACT_RETURN: rc = request_return(&b, &r, a->words, e); break;
        case ACT_WITHDRAW: rc = request_withdraw(&b, &r, e); break;
        case ACT_DECLINE: rc = call_decline(&b, &r, a->words, e); break;
        }
    if (rc == 0 && a->act == ACT_APPROVE) rc = engine_plan(&b, &policy_decider, &results, e);
    /* Who comes next on the reserve list moves up at once. */
    if (rc == 0 && r.call && (a->act == ACT_DENY || a->act == ACT_WITHDRAW || a->act == ACT_DECLINE))
        rc = call_fill(&b, &policy_decider, r.call, &results, e);
    if (rc == 0) rc = book_close(&b, e);
    if (rc == 0) rc = (c->answer = request_answer(c->store, &results, id, e)) ? 0 : -1;
    if (rc == 0 && a->act != ACT_APPROVE) rc = moved_set(c, &results, e);
    if (rc == 0 && a->act == ACT_APPROVE) c->status = request_status(c->answer);
    engine_results_free(&results);
    request_free(&r);
    return rc;
}

/* What was given up goes from the backend. */
static int provide_answer(struct call *call, const json_t *answer, struct err *e) {
    const char *grant = json_string_value(json_object_get(answer, "grant"));
    int64_t id;
    if (!grant) return 0;
    return number_parse(grant, 'g', &id, e) < 0 ? -1 : provide(call, id, e);
}

static int act_run(struct call *call, enum act act, const char *words, struct err *e) {
    struct acting a = {act, words};
    scoped_json json_t *answer = NULL;
    int status = change_run(call, act_body, &a, NULL, &answer, e);
    if (status < 0) return -1;
    if (act == ACT_APPROVE || act == ACT_ACCEPT) return request_finish_one(call, answer, e);
    json_t *moved = json_object_get(answer, "moved_up"), *one;
    if (act == ACT_DECLINE && provide_answer(call, answer, e) < 0) return -1;
    if (moved && request_finish(call, moved, e) < 0) return -1;
    if (strcmp(call->format, "table") != 0) return request_tell(call, answer, e) < 0 ? -1 : status;
    output_say(call, "%s %s", json_string_value(json_object_get(answer, "request")),
               output_word(call, act == ACT_DECLINE ? "declined"
                                                    : json_string_value(json_object_get(answer, "state"))));
    size_t i;
    json_array_foreach(moved, i, one) if (request_tell(call, one, e) < 0) return -1;
    return status;
}

static int approve_run(struct call *call, struct err *e) { return act_run(call, ACT_APPROVE, NULL, e); }
static int accept_run(struct call *call, struct err *e) { return act_run(call, ACT_ACCEPT, NULL, e); }
static int withdraw_run(struct call *call, struct err *e) { return act_run(call, ACT_WITHDRAW, NULL, e); }

static int with_words(struct call *call, enum act act, const char *option, struct err *e) {
    const char *words = call_option(call, option);
    if (words && *words) return act_run(call, act, words, e);
    return err_set(e, ERR_USAGE, "--%s TEXT is needed: the tenant is told", option);
}

/* ---- what a person delivers ---- */

static int hand_body(struct change *c, struct err *e) {
    const struct hand_word *w = c->arg;
    int64_t id, n = 0;
    struct request r = {0};
    struct book b;
    if (number_parse(c->call->arguments[0], 'r', &id, e) < 0 || request_find(c->store, id, 0, &r, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = hand_confirm(&b, &r, w, &n, e);
    if (rc == 0) rc = book_close(&b, e);
    request_free(&r);
    if (rc == 0) rc = (c->answer = request_answer(c->store, &(struct engine_results){0}, id, e)) ? 0 : -1;
    if (rc == 0) json_object_set_new(c->answer, "confirmed", json_integer((json_int_t)n));
    return rc;
}

static int hand_run(struct call *call, enum hand_step step, struct err *e) {
    struct hand_word w = {step, call_option(call, "item"), call_option(call, "remark")};
    scoped_json json_t *answer = NULL;
    int status = change_run(call, hand_body, &w, NULL, &answer, e);
    if (status < 0) return -1;
    if (strcmp(call->format, "table") != 0) return request_tell(call, answer, e) < 0 ? -1 : status;
    output_say(call, "%s: %lld %s", json_string_value(json_object_get(answer, "request")),
               (long long)json_integer_value(json_object_get(answer, "confirmed")),
               step == HAND_DELIVER ? output_choose(call, "delivered", "건 제공 확인")
                                    : output_choose(call, "collected", "건 회수 확인"));
    return status;
}

static int delivered_run(struct call *call, struct err *e) { return hand_run(call, HAND_DELIVER, e); }
static int collected_run(struct call *call, struct err *e) { return hand_run(call, HAND_COLLECT, e); }

static int decline_run(struct call *call, struct err *e) {
    const char *reason = call_option(call, "reason");
    return act_run(call, ACT_DECLINE, reason ? reason : "declined", e);
}

static int deny_run(struct call *call, struct err *e) { return with_words(call, ACT_DENY, "reason", e); }
static int return_run(struct call *call, struct err *e) { return with_words(call, ACT_RETURN, "remark", e); }

/* ---- showing ---- */

static int filter_of(const struct call *call, struct request_filter *f, struct err *e) {
    f->state = call_option(call, "state");
    return books_tenant(call, &f->tenant, e) < 0 || books_pool(call, &f->pool, e) < 0 ? -1 : 0;
}

static int list_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"request", "REQUEST", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"state", "STATE", CELL_STATE, false},
                                            {"pool", "POOL", CELL_TEXT, true},
                                            {"flavor", "FLAVOR", CELL_TEXT, false},
                                            {"units", "UNITS", CELL_COUNT, false},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                            {"datalake_bytes", "DATA LAKE", CELL_BYTES, true},
                                            {"call", "CALL", CELL_TEXT, true},
                                            {"submitted", "SUBMITTED", CELL_INSTANT, true},
                                            {"grant", "GRANT", CELL_TEXT, false},
                                            {"note", "NOTE", CELL_TEXT, true},
                                            {"purpose", "PURPOSE", CELL_TEXT, true},
                                            {0}};
    static const char *const states[] = {"queued", "held", "returned", "denied", "granted", "withdrawn"};
    struct request_filter f = {0};
    if (filter_of(call, &f, e) < 0) return -1;
    bool known = !f.state;
    for (size_t i = 0; i < 6 && !known; i++) known = strcmp(f.state, states[i]) == 0;
    if (!known) {
        const char *near = text_nearest(f.state, states, 6);
        err_set(e, ERR_USAGE, "no state '%s'", f.state);
        return near ? err_hint(e, "did you mean '%s'?", near)
                    : err_hint(e, "queued held returned denied granted withdrawn");
    }
    scoped_json json_t *rows = request_list(call->store, &f, e);
    return rows ? output_list(call, columns, rows, e) : -1;
}

/* "notebook x 5, ide x 2" beside the object. */
static void seats_words(json_t *show) {
    scoped_text struct text words = {0};
    const char *service;
    json_t *n;
    json_object_foreach(json_object_get(show, "seats"), service, n)
        text_add(&words, "%s%s x %lld", words.length ? ", " : "", service, (long long)json_integer_value(n));
    if (words.length) json_object_set_new(show, "seats_shown", json_string(words.s));
}

/* "v100 x 4 (62.4 TF), until 2027-02-20": held until then; without an end it is free now, and nobody keeps
 * it. */
static void waiting_words(struct call *call, json_t *show) {
    bool korean = strcmp(call->lang, "ko") == 0;
    const json_t *held = json_object_get(show, "offer"), *decision = json_object_get(show, "decision"),
                 *earliest = json_object_get(decision, "earliest");
    const char *until = json_string_value(json_object_get(held, "until")),
               *at = json_string_value(json_object_get(earliest, "at")),
               *grant = json_string_value(json_object_get(earliest, "grant")),
               *notice = json_string_value(json_object_get(earliest, "notice"));
    scoped_text struct text offer = {0}, when = {0};
    struct err ignored = {0};
    instant_t t;
    decision_given(held, korean, &offer);
    if (offer.length && until && instant_parse(until, &t, &ignored) == 0)
        text_add(&offer, korean ? " (%s까지 확보: request accept %s)" : " (kept until %s: request accept %s)",
                 end_text(t).s, json_string_value(json_object_get(show, "request")));
    if (at && instant_parse(at, &t, &ignored) == 0) {
        text_add(&when, "%s", civil_text(t).s);
        if (grant && notice)
            text_add(&when, korean ? " (통지 %s, %s에서 회수)" : " (notice %s on %s)", notice, grant);
        else if (grant)
            text_add(&when, korean ? " (%s 종료 시)" : " (%s ends)", grant);
    }
    if (offer.length) json_object_set_new(show, "offer_shown", json_string(offer.s));
    if (when.length) json_object_set_new(show, "earliest_shown", json_string(when.s));
}

static int show_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"request", "request", CELL_TEXT, false},
                                            {"tenant", "tenant", CELL_TEXT, false},
                                            {"pool", "pool", CELL_TEXT, false},
                                            {"state", "state", CELL_STATE, false},
                                            {"flavor", "flavor", CELL_TEXT, false},
                                            {"units", "units", CELL_COUNT, false},
                                            {"compute_gflops", "compute", CELL_GFLOPS, false},
                                            {"minimum_units", "minimum units", CELL_COUNT, false},
                                            {"minimum_gflops", "minimum compute", CELL_GFLOPS, false},
                                            {"per_server", "units per server", CELL_COUNT, false},
                                            {"storage_bytes", "storage", CELL_BYTES, false},
                                            {"datalake_bytes", "data lake", CELL_BYTES, false},
                                            {"seats_shown", "seats", CELL_TEXT, false},
                                            {"call", "call", CELL_TEXT, false},
                                            {"replaces", "replaces", CELL_TEXT, false},
                                            {"term_seconds", "for", CELL_SPAN, false},
                                            {"until", "until", CELL_END, false},
                                            {"submitted", "submitted", CELL_INSTANT, false},
                                            {"purpose", "purpose", CELL_TEXT, false},
                                            {"approved_by", "approved by", CELL_TEXT, false},
                                            {"override_rule", "rules set aside", CELL_TEXT, false},
                                            {"decided", "decided", CELL_INSTANT, false},
                                            {"decision_shown", "decision", CELL_TEXT, false},
                                            {"why", "why", CELL_TEXT, false},
                                            {"offer_shown", "can be had now", CELL_TEXT, false},
                                            {"earliest_shown", "earliest", CELL_TEXT, false},
                                            {"note", "note", CELL_TEXT, false},
                                            {"grant", "grant", CELL_TEXT, false},
                                            {0}};
    int64_t id;
    struct request r = {0};
    if (number_parse(call->arguments[0], 'r', &id, e) < 0 || request_find(call->store, id, 0, &r, e) < 0)
        return -1;
    scoped_json json_t *show = request_show(call->store, &r, e);
    request_free(&r);
    if (!show) return -1;
    if (strcmp(call->format, "table") == 0) {
        json_object_set_new(show, "why", json_string(request_reason(call, show)));
        if (json_is_integer(json_object_get(show, "decision_number")))
            json_object_set_new(show, "decision_shown",
                                json_sprintf("d-%lld", (long long)json_integer_value(
                                                           json_object_get(show, "decision_number"))));
        seats_words(show);
        waiting_words(call, show);
    }
    return output_object(call, columns, show, e);
}

static const struct option list_options[] = {{"tenant", "NAME", "only this tenant's", false},
                                             {"pool", "NAME", "only of this pool", false},
                                             {"state", "STATE", "only in this state", false},
                                             {0}};
static const struct option approve_options[] = {PROVIDE_OPTION, {0}};
static const struct option hand_options[] = {
    {"item", "ITEM", "only this: datalake, seat/NAME or unit/NAME", false},
    {"remark", "TEXT", "how it is reached, or what was found; kept, and told with a delivery", false},
    {0}};
static const struct option decline_options[] = {
    {"reason", "TEXT", "why, for the record", false}, PROVIDE_OPTION, {0}};
static const struct option deny_options[] = {{"reason", "TEXT", "why; the tenant is told", false}, {0}};
static const struct option return_options[] = {
    {"remark", "TEXT", "what is missing; the tenant is told", false}, {0}};

const struct command request_commands[] = {
    {"request submit", "", 0, 0, "ask for compute and storage; the policy decides at once",
     COMMAND_CHANGES | COMMAND_LISTS, ROLE_OPERATOR, request_submit_options, request_submit_run},
    {"request amend", "REQUEST", 1, 1, "change what a waiting, held or returned request asks",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, request_amend_options, request_amend_run},
    {"request list", "", 0, 0, "list requests", COMMAND_LISTS, ROLE_AUDITOR, list_options, list_run},
    {"request show", "REQUEST", 1, 1, "show one request and its last decision", COMMAND_SHOWS, ROLE_AUDITOR,
     NULL, show_run},
    {"request accept", "REQUEST", 1, 1, "take the offer of a waiting request",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, approve_options, accept_run},
    {"request approve", "REQUEST", 1, 1, "pass a held request on to the policy",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, approve_options, approve_run},
    {"request deny", "REQUEST", 1, 1, "end a request that waits or is held", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_OPERATOR, deny_options, deny_run},
    {"request return", "REQUEST", 1, 1, "give a request back to its tenant for completion",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, return_options, return_run},
    {"request decline", "REQUEST", 1, 1, "give up what a call awarded, or a place on its reserve list",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, decline_options, decline_run},
    {"request delivered", "REQUEST", 1, 1, "say that what a person delivers is there",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, hand_options, delivered_run},
    {"request collected", "REQUEST", 1, 1, "say that what a person delivered is back",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, hand_options, collected_run},
    {"request withdraw", "REQUEST", 1, 1, "take a request back", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_OPERATOR, NULL, withdraw_run},
    {0},
};
