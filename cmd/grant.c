/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/exception.h"
#include "alloc/grant.h"
#include "alloc/hand.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/books.h"
#include "cmd/output.h"
#include "cmd/provide.h"
#include "cmd/request.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

/* ---- an administrator's direct grant: the same plan, approval implied ---- */

enum { OVERRIDE_MOST = 4096 }; /* bytes of all rules set aside, as the facts take them */

static int add_body(struct change *c, struct err *e) { return request_submit_all(c, c->arg, e); }

/* The rules as one list, "C1,C2"; rules keeps it. */
static int override_rules(const struct call *call, struct text *rules, struct err *e) {
    const char *rule;
    for (size_t k = 0; (rule = call_option_at(call, "override", k)); k++) {
        if (!*rule || strchr(rule, ','))
            return err_set(e, ERR_USAGE, "--override '%s' is not one rule: repeat --override", rule);
        if (text_list_has(rules->s, rule)) return err_set(e, ERR_USAGE, "--override %s stands twice", rule);
        text_add(rules, "%s%s", k ? "," : "", rule);
    }
    return rules->length < OVERRIDE_MOST ? 0 : err_set(e, ERR_USAGE, "too many rules to set aside");
}

static int override_of(const struct call *call, struct submission *s, struct text *rules, struct err *e) {
    const char *until = call_option(call, "override-until");
    if (override_rules(call, rules, e) < 0) return -1;
    s->override_rule = rules->s;
    s->override_reason = call_option(call, "reason");
    bool whole = s->override_rule && s->override_reason && *s->override_reason && until;
    if (!s->override_rule && !s->override_reason && !until) return 0;
    if (!whole) {
        err_set(e, ERR_USAGE, "to set a rule aside, say which, why and until when");
        return err_hint(e, "--override RULE --reason TEXT --override-until DATE");
    }
    if (call->role < ROLE_ADMIN) return err_set(e, ERR_DENIED, "only an admin may set a rule aside");
    s->override_until.has = true;
    if (instant_or_date_parse(until, &s->override_until.at, e) < 0) return err_context(e, "--override-until");
    return s->override_until.at.s > call->now.s
               ? 0
               : err_set(e, ERR_USAGE, "--override-until %s has passed", until);
}

static int add_run(struct call *call, struct err *e) {
    json_t *one = request_from_options(call, e);
    scoped_json json_t *documents = one ? json_pack("[o]", one) : NULL, *answer = NULL;
    if (!documents) return -1;
    json_object_set_new(one, "tenant", json_string(call->arguments[0]));
    struct submission s = {
        .documents = documents, .title = "grant", .is_words = true, .approver = call->actor};
    scoped_text struct text rules = {0};
    if (override_of(call, &s, &rules, e) < 0) return -1;
    int status = change_run(call, add_body, &s, NULL, &answer, e);
    if (status < 0) return -1;
    return request_finish_one(call, json_array_get(answer, 0), e);
}

/* ---- one grant by number ---- */

struct acting {
    int (*act)(struct book *b, const struct grant *g, struct acting *a, struct err *e);
    struct call *call;
    char said[400]; /* by the act, for people; "" nothing */
};

static json_t *grant_answer(struct store *s, int64_t id, struct err *e) {
    struct grant g;
    if (grant_find(s, id, 0, &g, e) < 0) return NULL;
    json_t *show = grant_show(s, &g, e);
    grant_free(&g);
    return show;
}

static int act_body(struct change *c, struct err *e) {
    struct acting *a = c->arg;
    int64_t id;
    struct grant g;
    struct book b;
    if (number_parse(c->call->arguments[0], 'g', &id, e) < 0 || grant_find(c->store, id, 0, &g, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, g.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = a->act(&b, &g, a, e);
    if (rc == 0) rc = book_close(&b, e);
    if (rc == 0) rc = (c->answer = grant_answer(c->store, id, e)) ? 0 : -1;
    grant_free(&g);
    return rc;
}

static const struct column answer_columns[] = {{"grant", "grant", CELL_TEXT, false},
                                               {"tenant", "tenant", CELL_TEXT, false},
                                               {"state", "state", CELL_STATE, false},
                                               {"end", "end", CELL_END, false},
                                               {"keep_until", "kept until", CELL_END, false},
                                               {"renewals_left", "renewals left", CELL_COUNT, false},
                                               {0}};

static int act_run(struct call *call, struct acting *a, bool removes, struct err *e) {
    a->call = call;
    scoped_json json_t *answer = NULL;
    int status = change_run(call, act_body, a, NULL, &answer, e);
    if (status < 0) return -1;
    int ready = 0;
    if (removes) {
        int64_t id = 0;
        number_parse(call->arguments[0], 'g', &id, e);
        ready = provide(call, id, e);
        if (ready < 0) return -1;
        if (!call->dry_run) {
            json_t *now = grant_answer(call->store, id, e);
            if (!now) return -1;
            json_decref(answer);
            answer = now;
        }
    }
    if (output_object(call, answer_columns, answer, e) < 0) return -1;
    if (a->said[0]) output_say(call, "%s", a->said);
    return ready;
}

static int do_release(struct book *b, const struct grant *g, struct acting *a, struct err *e) {
    const char *reason = call_option(a->call, "reason");
    return grant_release(b, g, reason ? reason : "released by command", e);
}

static int do_purge(struct book *b, const struct grant *g, struct acting *a, struct err *e) {
    const char *reason = call_option(a->call, "reason");
    return grant_purge(b, g, reason ? reason : "purged by command", e);
}

/* Rules that are set aside so that it is held longer: exceptions until its new end. */
static int extend_aside(struct book *b, const struct grant *g, const struct call *call, instant_t end,
                        const char *rules, struct err *e) {
    struct exception x = {rules, call_option(call, "reason"), call->actor, end};
    struct text words = {0};
    if (!rules && !x.reason) return 0;
    if (!rules || !x.reason || !*x.reason) {
        err_set(e, ERR_USAGE, "to set a rule aside, say which and why");
        return err_hint(e, "--override RULE --reason TEXT");
    }
    if (request_check_rules(b, rules, e) < 0) return -1;
    int rc = exception_add(b, g->tenant, g->id, &x, &words, e);
    if (rc == 0)
        rc = book_write(b,
                        &(struct entry){.kind = "grant.override",
                                        .tenant = g->tenant,
                                        .request = g->request,
                                        .grant = g->id,
                                        .detail = words.s},
                        e);
    text_free(&words);
    return rc;
}

static int do_extend(struct book *b, const struct grant *g, struct acting *a, struct err *e) {
    const char *until = call_option(a->call, "until"), *length = call_option(a->call, "for");
    scoped_text struct text rules = {0};
    instant_t end;
    span_t more;
    if (override_rules(a->call, &rules, e) < 0) return -1;
    if ((until != NULL) == (length != NULL)) return err_set(e, ERR_USAGE, "say --until DATE or --for SPAN");
    if (until && instant_or_date_parse(until, &end, e) < 0) return err_context(e, "--until");
    if (length && span_parse(length, &more, e) < 0) return err_context(e, "--for");
    if (!until) end = instant_after(g->end, more);
    if (grant_exceeds_term(g, end))
        text_format(a->said, sizeof a->said, "note: the policy's term is %s; this extends it by %s",
                    span_text(g->renew).s, span_text((span_t){end.s - g->end.s}).s);
    if (extend_aside(b, g, a->call, end, rules.s, e) < 0) return -1;
    return engine_lengthen(b, &policy_decider, g, end, false, rules.s, e);
}

static int do_renew(struct book *b, const struct grant *g, struct acting *a, struct err *e) {
    (void)a;
    return engine_lengthen(b, &policy_decider, g, g->end, true, NULL, e);
}

/* A day means its begin in the civil time of the centre. */
/* What shall be there of a grant: "v100 x 4, 10 TB". */
static int held_words(struct store *s, const struct grant *g, char *out, size_t size, struct err *e) {
    scoped_free char *units = NULL, *by_hand = NULL;
    int64_t bytes_held = 0;
    if (sql_text(
            s, e, &by_hand,
            "SELECT group_concat(item || CASE WHEN item = 'datalake' THEN '' ELSE ' x ' || quantity END, ', "
            "') "
            "FROM (SELECT item, quantity FROM hand_line WHERE tenant = $1 AND grant_id = $2 AND state IN "
            "('wanted', 'delivered') ORDER BY item)",
            "ii", g->tenant, g->id) < 0 ||
        sql_text(
            s, e, &units,
            "SELECT group_concat(flavor || ' x ' || units, ', ') FROM (SELECT flavor, sum(units) AS units "
            "FROM operation WHERE tenant = $1 AND grant_id = $2 AND flavor IS NOT NULL AND desired = "
            "'present' GROUP BY flavor)",
            "ii", g->tenant, g->id) < 0 ||
        sql_int(s, e, &bytes_held,
                "SELECT sum(bytes) FROM operation WHERE tenant = $1 AND grant_id = $2 AND flavor IS NULL "
                "AND desired = 'present'",
                "ii", g->tenant, g->id) < 0)
        return -1;
    text_format(out, size, "%.80s%s%s%s%.80s", units ? units : "", units && bytes_held ? ", " : "",
                bytes_held ? bytes_text(bytes(bytes_held)).s : "",
                by_hand && (units || bytes_held) ? ", " : "", by_hand ? by_hand : "");
    return 0;
}

/* One thing, as `grant show` prints it: a server or volume by its number, or an item that a person delivers,
   which is given back at once (*operation 0). */
static int shrink_thing(struct book *b, const struct grant *g, const char *name, int64_t *operation,
                        struct err *e) {
    *operation = 0;
    int rc = sql_int(b->store, e, operation,
                     "SELECT id FROM operation WHERE tenant = $1 AND grant_id = $2 AND name = $3 AND "
                     "desired = 'present'",
                     "iis", g->tenant, g->id, name);
    if (rc == 0) rc = hand_shrink(b, g, name, e);
    if (rc != 0) return rc < 0 ? -1 : 0;
    err_set(e, ERR_NOT_FOUND, "grant g-%lld has no server, volume or item '%s'", (long long)g->id, name);
    return err_hint(e, "allot grant show g-%lld names them", (long long)g->id);
}

static int do_shrink(struct book *b, const struct grant *g, struct acting *a, struct err *e) {
    enum { MOST = 256 };
    int64_t operations[MOST];
    size_t n = a->call->n_arguments - 1, made = 0;
    char before[200], after[200];
    if (n > MOST) return err_set(e, ERR_USAGE, "at most %d servers and volumes at once", MOST);
    if (held_words(b->store, g, before, sizeof before, e) < 0) return -1;
    for (size_t i = 0; i < n; i++) {
        const char *name = a->call->arguments[i + 1];
        for (size_t k = 0; k < i; k++)
            if (strcmp(a->call->arguments[k + 1], name) == 0)
                return err_set(e, ERR_USAGE, "'%s' is named twice", name);
        if (shrink_thing(b, g, name, &operations[made], e) < 0) return -1;
        made += operations[made] != 0;
    }
    if (grant_shrink(b, g, operations, made, e) < 0 || held_words(b->store, g, after, sizeof after, e) < 0)
        return -1;
    text_format(a->said, sizeof a->said, "held before: %s; now: %s", before, after);
    return 0;
}

static int do_agree(struct book *b, const struct grant *g, struct acting *a, struct err *e) {
    const char *on = call_option(a->call, "on");
    instant_t day = b->at;
    if (on) {
        if (date_parse(on, &day, e) < 0) return err_context(e, "--on");
        day.s -= CLOCK_DAY; /* date_parse() gives the end of the day */
    }
    text_format(a->said, sizeof a->said, "agreed on %s", date_text(day).s);
    return grant_agree(b, g, day, e);
}

static int agree_run(struct call *call, struct err *e) {
    return act_run(call, &(struct acting){.act = do_agree}, true, e);
}
static int release_run(struct call *call, struct err *e) {
    return act_run(call, &(struct acting){.act = do_release}, true, e);
}
static int purge_run(struct call *call, struct err *e) {
    return act_run(call, &(struct acting){.act = do_purge}, true, e);
}
static int extend_run(struct call *call, struct err *e) {
    return act_run(call, &(struct acting){.act = do_extend}, false, e);
}
static int renew_run(struct call *call, struct err *e) {
    return act_run(call, &(struct acting){.act = do_renew}, false, e);
}
static int shrink_run(struct call *call, struct err *e) {
    return act_run(call, &(struct acting){.act = do_shrink}, true, e);
}

/* ---- showing ---- */

static int state_check(const char *word, struct err *e) {
    size_t n = 0;
    for (; grant_state_words[n]; n++)
        if (!word || strcmp(grant_state_words[n], word) == 0) return 0;
    err_set(e, ERR_USAGE, "no state '%.40s'", word);
    const char *near = text_nearest(word, grant_state_words, n);
    return near ? err_hint(e, "did you mean '%s'?", near)
                : err_hint(e, "reserved active notice grace releasing kept purging ended voiding void");
}

static int list_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"grant", "GRANT", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"pool", "POOL", CELL_TEXT, true},
                                            {"state", "STATE", CELL_STATE, false},
                                            {"lines", "UNITS", CELL_TEXT, false},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                            {"end", "END", CELL_END, false},
                                            {"by_hand", "BY HAND", CELL_TEXT, true},
                                            {"counted_only", "COUNTED ONLY", CELL_YES, false},
                                            {"request", "REQUEST", CELL_TEXT, true},
                                            {0}};
    struct grant_filter f = {.state = call_option(call, "state"),
                             .live = !call_flag(call, "all") && !call_option(call, "state")};
    if (state_check(f.state, e) < 0 || books_tenant(call, &f.tenant, e) < 0 ||
        books_pool(call, &f.pool, e) < 0)
        return -1;
    scoped_json json_t *rows = grant_list(call->store, &f, e);
    return rows ? output_list(call, columns, rows, e) : -1;
}

static const struct column hand_columns[] = {
    {"item", "BY HAND", CELL_TEXT, false},  {"shown", "QUANTITY", CELL_NUMBER, false},
    {"state", "STATE", CELL_STATE, false},  {"changed", "SINCE", CELL_INSTANT, false},
    {"remark", "REMARK", CELL_TEXT, false}, {0}};

static void amounts_shown(const json_t *by_hand) {
    size_t i;
    json_t *line;
    json_array_foreach(by_hand, i, line) {
        int64_t n = json_integer_value(json_object_get(line, "quantity"));
        const char *item = json_string_value(json_object_get(line, "item"));
        char count[24];
        text_format(count, sizeof count, "%lld", (long long)n);
        json_object_set_new(line, "shown",
                            json_string(strcmp(item, "datalake") == 0 ? bytes_text(bytes(n)).s : count));
    }
}

/* "signed on 2027-01-20", or that nothing is made before it is. */
static void agreement_words(const struct call *call, json_t *show) {
    const char *agreed = json_string_value(json_object_get(show, "agreed"));
    struct err ignored = {0};
    instant_t at;
    char words[64];
    if (strcmp(call->format, "table") != 0 || !json_is_true(json_object_get(show, "needs_agreement"))) return;
    text_format(words, sizeof words, "needed: nothing is made before");
    if (agreed && instant_parse(agreed, &at, &ignored) == 0)
        text_format(words, sizeof words, "of %s", date_text(at).s);
    json_object_set_new(show, "agreement", json_string(words));
}

static int show_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"grant", "grant", CELL_TEXT, false},
                                            {"tenant", "tenant", CELL_TEXT, false},
                                            {"pool", "pool", CELL_TEXT, false},
                                            {"state", "state", CELL_STATE, false},
                                            {"basis", "basis", CELL_TEXT, false},
                                            {"compute_gflops", "compute", CELL_GFLOPS, false},
                                            {"storage_bytes", "storage", CELL_BYTES, false},
                                            {"tier", "tier", CELL_TEXT, false},
                                            {"replaces", "replaces", CELL_TEXT, false},
                                            {"agreement", "agreement", CELL_TEXT, false},
                                            {"start", "start", CELL_INSTANT, false},
                                            {"end", "end", CELL_END, false},
                                            {"notice_seconds", "notice before", CELL_SPAN, false},
                                            {"grace_seconds", "grace after", CELL_SPAN, false},
                                            {"keep_seconds", "volumes kept for", CELL_SPAN, false},
                                            {"keep_until", "kept until", CELL_END, false},
                                            {"renewals_left", "renewals left", CELL_COUNT, false},
                                            {"call", "call", CELL_TEXT, false},
                                            {"why", "why", CELL_TEXT, false},
                                            {"request", "request", CELL_TEXT, false},
                                            {0}};
    static const struct column things[] = {{"name", "NAME", CELL_TEXT, false},
                                           {"host", "HOST", CELL_TEXT, false},
                                           {"flavor", "FLAVOR", CELL_TEXT, false},
                                           {"units", "UNITS", CELL_COUNT, false},
                                           {"storage_bytes", "BYTES", CELL_BYTES, false},
                                           {"observed", "STATE", CELL_STATE, false},
                                           {"trouble", "TROUBLE", CELL_TEXT, false},
                                           {0}};
    int64_t id;
    if (number_parse(call->arguments[0], 'g', &id, e) < 0) return -1;
    scoped_json json_t *show = grant_answer(call->store, id, e);
    if (!show) return -1;
    agreement_words(call, show);
    if (output_object(call, columns, show, e) < 0 || strcmp(call->format, "table") != 0)
        return show && err_is(e) ? -1 : 0;
    json_t *list = json_object_get(show, "things"), *thing, *line;
    size_t i;
    json_array_foreach(json_object_get(show, "lines"), i, line) {
        const char *attach = json_string_value(json_object_get(line, "attach"));
        if (attach && strcmp(attach, "none") == 0)
            output_say(
                call,
                output_choose(call,
                              "%s is counted, not attached: the server is real, the accelerator only booked",
                              "%s은(는) 수량만 관리합니다: 서버는 실제로 있고 가속기는 장부에만 기록됩니다"),
                json_string_value(json_object_get(line, "flavor")));
    }
    output_say(call, "%s", "");
    if (json_array_size(list) && output_list(call, things, list, e) < 0) return -1;
    const json_t *by_hand = json_object_get(show, "by_hand");
    amounts_shown(by_hand);
    if (json_array_size(by_hand) && output_list(call, hand_columns, by_hand, e) < 0) return -1;
    /* A command to be copied stands on a line of its own, whole. */
    json_array_foreach(list, i, thing) {
        const char *console =
            json_string_value(json_object_get(json_object_get(thing, "connect"), "console"));
        if (console)
            output_say(call, output_choose(call, "\nconnect to %s:\n  %s", "\n%s 접속:\n  %s"),
                       json_string_value(json_object_get(thing, "name")), console);
    }
    return 0;
}

static const struct option add_options[] = {
    REQUEST_OPTION_POOL,
    REQUEST_OPTIONS_ASK,
    {"override", "RULE", "set this rule of the policy aside (admins)", true},
    {"reason", "TEXT", "why the rules are set aside", false},
    {"override-until", "DATE", "until when the rules are set aside", false},
    PROVIDE_OPTION,
    {0}};
static const struct option list_options[] = {{"tenant", "NAME", "only this tenant's", false},
                                             {"pool", "NAME", "only of this pool", false},
                                             {"state", "STATE", "only in this state", false},
                                             {"all", NULL, "also those that have ended", false},
                                             {0}};
static const struct option end_options[] = {
    {"reason", "TEXT", "why, for the record", false}, PROVIDE_OPTION, {0}};
static const struct option extend_options[] = {
    {"until", "DATE", "the new end (the day is included)", false},
    {"for", "SPAN", "so much longer", false},
    {"override", "RULE", "set this rule of the policy aside", true},
    {"reason", "TEXT", "why the rules are set aside", false},
    {0}};
static const struct option agree_options[] = {
    {"on", "DATE", "the day of the agreement; without it today", false}, PROVIDE_OPTION, {0}};
static const struct option shrink_options[] = {PROVIDE_OPTION, {0}};

const struct command grant_commands[] = {
    {"grant add", "TENANT", 1, 1, "grant directly: the same plan, approval implied",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_ADMIN, add_options, add_run},
    {"grant list", "", 0, 0, "list grants", COMMAND_LISTS, ROLE_AUDITOR, list_options, list_run},
    {"grant show", "GRANT", 1, 1, "show one grant and how to connect to it", COMMAND_SHOWS, ROLE_AUDITOR,
     NULL, show_run},
    {"grant agree", "GRANT", 1, 1, "date the agreement of a grant, which is then made real",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, agree_options, agree_run},
    {"grant extend", "GRANT", 1, 1, "give a grant a later end", COMMAND_CHANGES | COMMAND_SHOWS, ROLE_ADMIN,
     extend_options, extend_run},
    {"grant renew", "GRANT", 1, 1, "use one renewal of a grant", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_OPERATOR, NULL, renew_run},
    {"grant shrink", "GRANT THING...", 2, -1, "give back servers, volumes or items of a grant",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, shrink_options, shrink_run},
    {"grant release", "GRANT", 1, 1, "end the servers of a grant; its volumes are kept",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, end_options, release_run},
    {"grant purge", "GRANT", 1, 1, "delete the kept volumes of a released grant",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_ADMIN, end_options, purge_run},
    {0},
};
