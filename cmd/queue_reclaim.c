/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken back: before it happens, while its notice stands, and what people say to it. */
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/version.h"
#include "cmd/books.h"
#include "cmd/output.h"
#include "cmd/queue.h"
#include "policies/policy.h"

#include <string.h>

/* ---- before it happens ---- */

static const struct column plan_columns[] = {
    {"pool", "POOL", CELL_TEXT, true},
    {"cause", "CAUSE", CELL_STATE, false},
    {"request", "FOR", CELL_TEXT, false},
    {"tenant", "TENANT", CELL_TEXT, false},
    {"grant", "GRANT", CELL_TEXT, false},
    {"flavor", "FLAVOR", CELL_TEXT, false},
    {"servers", "SERVERS", CELL_COUNT, true},
    {"units", "UNITS", CELL_COUNT, false},
    {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
    {"effect", "NOT BEFORE", CELL_INSTANT, true}, /* said in WHY too */
    {"rule", "RULE", CELL_TEXT, true},
    {"why", "WHY", CELL_TEXT, false},
    {0}};

/* The sums per cause and request: who makes whom give back how much. */
static json_t *blast_of(const json_t *reclaims) {
    json_t *list = json_array(), *sum;
    size_t i, k;
    const json_t *row;
    json_array_foreach(reclaims, i, row) {
        const char *cause = json_string_value(json_object_get(row, "cause"));
        const json_t *request = json_object_get(row, "request");
        json_t *found = NULL;
        json_array_foreach(list, k, sum) {
            if (strcmp(json_string_value(json_object_get(sum, "cause")), cause) == 0 &&
                json_equal(json_object_get(sum, "request"), request))
                found = sum;
        }
        if (!found) {
            found = json_pack("{s:s, s:O, s:o, s:I, s:I, s:I}", "cause", cause, "request", request, "tenants",
                              json_array(), "servers", (json_int_t)0, "units", (json_int_t)0,
                              "compute_gflops", (json_int_t)0);
            json_array_append_new(list, found);
        }
        static const char *const keys[] = {"servers", "units", "compute_gflops"};
        for (size_t n = 0; n < 3; n++)
            json_object_set_new(found, keys[n],
                                json_integer(json_integer_value(json_object_get(found, keys[n])) +
                                             json_integer_value(json_object_get(row, keys[n]))));
        json_t *tenants = json_object_get(found, "tenants"), *tenant;
        bool is_there = false;
        json_array_foreach(tenants, k, tenant) is_there |= json_equal(tenant, json_object_get(row, "tenant"));
        if (!is_there) json_array_append(tenants, json_object_get(row, "tenant"));
    }
    return list;
}

static void say_blast(struct call *call, const json_t *blast) {
    size_t i;
    const json_t *sum;
    json_array_foreach(blast, i, sum) {
        const char *request = json_string_value(json_object_get(sum, "request"));
        size_t tenants = json_array_size(json_object_get(sum, "tenants"));
        long long servers = json_integer_value(json_object_get(sum, "servers")),
                  units = json_integer_value(json_object_get(sum, "units"));
        const char *cause = output_word(call, json_string_value(json_object_get(sum, "cause")));
        struct amount_text compute =
            gflops_text(gflops(json_integer_value(json_object_get(sum, "compute_gflops"))));
        if (output_is_korean(call))
            output_say(call, "%s%s%s%s: 테넌트 %zu곳, 서버 %lld대, 장치 %lld개, %s", cause,
                       request ? " (" : "", request ? request : "", request ? ")" : "", tenants, servers,
                       units, compute.s);
        else
            output_say(call, "%s%s%s: %zu tenant%s, %lld server%s with %lld unit%s, %s", cause,
                       request ? " for " : "", request ? request : "", tenants, tenants == 1 ? "" : "s",
                       servers, servers == 1 ? "" : "s", units, units == 1 ? "" : "s", compute.s);
    }
}

static void say_rest(struct call *call, const json_t *look) {
    size_t i;
    const json_t *one;
    const char *pool = json_string_value(json_object_get(look, "pool"));
    long long left = json_integer_value(json_object_get(look, "left_out"));
    if (left)
        output_say(call,
                   output_choose(call, "pool %s: %lld tenants are left out of this round by the cap",
                                 "자원 풀 %s: 이번 회수의 상한으로 테넌트 %lld곳이 제외되었습니다"),
                   pool, left);
    json_array_foreach(json_object_get(look, "ends"), i, one) {
        output_say(call,
                   output_choose(call, "pool %s: notice %s is needed no more: %s",
                                 "자원 풀 %s: 통지 %s은(는) 더 필요하지 않습니다: %s"),
                   pool, json_string_value(json_object_get(one, "notice")),
                   output_choose(call, json_string_value(json_object_get(one, "en")),
                                 json_string_value(json_object_get(one, "ko"))));
    }
    const json_t *scaled = json_object_get(look, "scaled");
    if (json_array_size(scaled))
        output_say(
            call,
            output_choose(call, "pool %s: %s can be guaranteed, %s are: each guarantee is kept in this ratio",
                          "자원 풀 %s: 보장할 수 있는 양은 %s, 약속한 보장은 %s입니다. 보장량을 이 비율로 "
                          "줄입니다"),
            pool, gflops_text(gflops(json_integer_value(json_object_get(look, "available_gflops")))).s,
            gflops_text(gflops(json_integer_value(json_object_get(look, "guarantees_gflops")))).s);
    json_array_foreach(scaled, i, one) {
        output_say(call, output_choose(call, "    %s: %s of %s", "    %s: %s / %s"),
                   json_string_value(json_object_get(one, "tenant")),
                   gflops_text(gflops(json_integer_value(json_object_get(one, "kept_gflops")))).s,
                   gflops_text(gflops(json_integer_value(json_object_get(one, "guarantee_gflops")))).s);
    }
}

/* Of one rule: what it found of the grants that it does not take from. */
static void say_judged(struct call *call, const json_t *look, const json_t *judged) {
    static const struct {
        const char *key, *en, *ko;
    } found[] = {{"used", "used", "사용 중"},
                 {"unmeasured", "not measured through its window", "기간 전체가 측정되지 않음"},
                 {"young", "younger than its window", "기간보다 최근에 시작"},
                 {"noticed", "under notice already", "이미 통지됨"},
                 {"elsewhere", "not of its condition", "조건에 해당하지 않음"},
                 {"spared", "kept by a guarantee, whole servers or the cap",
                  "보장량, 서버 단위 또는 회차 한도로 유지"}};
    bool korean = strcmp(call->lang, "ko") == 0;
    struct text words = {0};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        long long n = json_integer_value(json_object_get(judged, found[i].key));
        if (!n) continue;
        text_add(&words, "%s", words.length ? ", " : "");
        if (korean)
            text_add(&words, "%s %lld건", found[i].ko, n);
        else
            text_add(&words, "%lld %s", n, found[i].en);
    }
    const char *none = korean ? "서버가 있는 배정이 없습니다" : "no grant has servers";
    bool any = words.length || json_integer_value(json_object_get(judged, "taken"));
    output_say(
        call,
        korean ? "자원 풀 %s, 규칙 %s: 회수 대상 %lld건%s%s" : "pool %s, rule %s: %lld to be taken from%s%s",
        json_string_value(json_object_get(look, "pool")), json_string_value(json_object_get(judged, "rule")),
        (long long)json_integer_value(json_object_get(judged, "taken")), any && !words.length ? "" : "; ",
        words.length ? words.s
        : any        ? ""
                     : none);
    text_free(&words);
}

static void rows_add(struct call *call, json_t *rows, const json_t *look) {
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(look, "reclaims"), i, row) {
        json_object_set(row, "pool", json_object_get(look, "pool"));
        json_object_set_new(row, "why",
                            json_string(output_choose(call, json_string_value(json_object_get(row, "en")),
                                                      json_string_value(json_object_get(row, "ko")))));
        json_array_append(rows, row);
    }
}

/* of_rule: one rule was asked for: what it found is told. */
static int print(struct call *call, const json_t *looks, bool of_rule, struct err *e) {
    scoped_json json_t *rows = json_array();
    size_t i;
    json_t *look;
    json_array_foreach(looks, i, look) {
        scoped_json json_t *blast = blast_of(json_object_get(look, "reclaims"));
        json_object_set(look, "blast", blast);
        if (strcmp(call->format, "json") != 0) rows_add(call, rows, look);
    }
    if (strcmp(call->format, "json") == 0) return output_list(call, plan_columns, looks, e);
    if (output_list(call, plan_columns, rows, e) < 0) return -1;
    json_array_foreach(looks, i, look) {
        say_blast(call, json_object_get(look, "blast"));
        size_t k;
        const json_t *judged;
        json_array_foreach(json_object_get(look, "judged"), k, judged) if (of_rule)
            say_judged(call, look, judged);
        say_rest(call, look);
    }
    return 0;
}

struct looking {
    int64_t pool;
    instant_t at;
    const char *rule;
    json_t *looks;
};

/* Has the policy of one of the pools this rule? What stands in *e is of the last one. */
static int rule_check(struct store *s, const struct looking *l, const json_t *pools, struct err *e) {
    size_t i;
    const json_t *row;
    err_set(e, ERR_NOT_FOUND, "no policy is valid, so there is no rule '%s'", l->rule);
    json_array_foreach(pools, i, row) {
        scoped_free char *stored = NULL;
        int64_t id, pool = json_integer_value(json_object_get(row, "id"));
        struct hash hash;
        struct err other = {0};
        int has = version_active(s, pool, l->at, &id, &hash, &stored, &other);
        struct policy *policy = has == 1 ? policy_decider.open(stored, &other) : NULL;
        bool found = policy && policy_check_rule(policy, l->rule, &other) == 0;
        policy_free(policy);
        if (found) {
            err_clear(e);
            return 0;
        }
        if (err_is(&other)) *e = other;
    }
    return -1;
}

static int look(struct store *s, void *arg, struct err *e) {
    struct looking *l = arg;
    json_array_clear(l->looks);
    scoped_json json_t *pools = sql_json(
        s, e, "SELECT id FROM pool WHERE id > 0 AND ($1 = 0 OR id = $1) ORDER BY name", "i", l->pool);
    if (!pools) return -1;
    size_t i;
    json_t *row;
    if (l->rule && rule_check(s, l, pools, e) < 0) return -1;
    json_array_foreach(pools, i, row) {
        json_t *one = reclaim_look(s, json_integer_value(json_object_get(row, "id")), l->at, &policy_decider,
                                   l->rule, e);
        if (!one) return -1;
        json_array_append_new(l->looks, one);
    }
    return 0;
}

int queue_plan_run(struct call *call, struct err *e) {
    scoped_json json_t *looks = json_array();
    struct looking l = {.at = call->now, .looks = looks};
    if (books_pool(call, &l.pool, e) < 0 || store_read(call->store, look, &l, e) < 0) return -1;
    return print(call, looks, false, e);
}

const struct option queue_unused_options[] = {
    {"rule", "RULE", "the idle or unused rule of the policy", false},
    {"pool", "NAME", "only of this pool", false},
    {"on", "TIME", "as of this time, or the end of a date (default: now)", false},
    {0}};

int queue_unused_run(struct call *call, struct err *e) {
    scoped_json json_t *looks = json_array();
    struct looking l = {.at = call->now, .rule = call_option(call, "rule"), .looks = looks};
    const char *on = call_option(call, "on");
    if (!l.rule) return err_set(e, ERR_USAGE, "--rule RULE is needed: an idle or unused rule of the policy");
    if (on && instant_or_date_parse(on, &l.at, e) < 0) return err_context(e, "--on");
    if (l.at.s > call->now.s)
        return err_set(e, ERR_USAGE, "--on %s has not come yet: nothing was measured", instant_text(l.at).s);
    if (books_pool(call, &l.pool, e) < 0 || store_read(call->store, look, &l, e) < 0) return -1;
    return print(call, looks, true, e);
}

/* ---- while the notice stands ---- */

static const struct column notice_columns[] = {{"notice", "NOTICE", CELL_TEXT, false},
                                               {"tenant", "TENANT", CELL_TEXT, false},
                                               {"pool", "POOL", CELL_TEXT, true},
                                               {"grant", "GRANT", CELL_TEXT, false},
                                               {"cause", "CAUSE", CELL_TEXT, false},
                                               {"rule", "RULE", CELL_TEXT, true},
                                               {"flavor", "FLAVOR", CELL_TEXT, false},
                                               {"units", "UNITS", CELL_COUNT, false},
                                               {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                               {"request", "FOR", CELL_TEXT, true},
                                               {"state", "STATE", CELL_STATE, false},
                                               {"sent", "SENT", CELL_INSTANT, true},
                                               {"delivered", "DELIVERED", CELL_INSTANT, false},
                                               {"effect", "NOT BEFORE", CELL_INSTANT, false},
                                               {"appeal_until", "APPEAL UNTIL", CELL_INSTANT, true},
                                               {"appeal", "APPEAL", CELL_TEXT, true},
                                               {"closed", "CLOSED", CELL_INSTANT, true},
                                               {0}};

const struct option queue_notices_options[] = {{"tenant", "NAME", "only this tenant's", false},
                                               {"pool", "NAME", "only of this pool", false},
                                               {"all", NULL, "those that are over too", false},
                                               {0}};

int queue_notices_run(struct call *call, struct err *e) {
    struct reclaim_filter f = {.all = call_flag(call, "all")};
    if (books_tenant(call, &f.tenant, e) < 0 || books_pool(call, &f.pool, e) < 0) return -1;
    scoped_json json_t *rows = reclaim_list(call->store, &f, e);
    return rows ? output_list(call, notice_columns, rows, e) : -1;
}

/* ---- what people say to it ---- */

static int act(struct book *b, const struct reclaim_notice *n, const struct notice_change *a, struct err *e) {
    switch (a->act) {
    case NOTICE_APPEAL: return reclaim_appeal(b, n, a->words, e);
    case NOTICE_UPHOLD: return reclaim_answer(b, n, true, a->words, e);
    case NOTICE_DISMISS: return reclaim_answer(b, n, false, a->words, e);
    case NOTICE_CONSENT: return reclaim_consent(b, n, a->words, e);
    }
    return 0;
}

int notice_change(struct change *c, const struct notice_change *a, struct err *e) {
    struct reclaim_notice n;
    struct book b;
    if (reclaim_find(c->store, a->id, a->tenant, &n, e) < 0) return -1;
    int rc = book_open(&b, c->store, n.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = act(&b, &n, a, e);
    if (rc == 0) rc = book_close(&b, e);
    reclaim_notice_free(&n);
    if (rc < 0) return -1;
    scoped_json json_t *rows = reclaim_list(c->store, &(struct reclaim_filter){.id = a->id, .all = true}, e);
    if (!rows) return -1;
    c->answer = json_incref(json_array_get(rows, 0));
    return 0;
}

static int body(struct change *c, struct err *e) { return notice_change(c, c->arg, e); }

static int change(struct call *call, enum notice_act what, const char *words, struct err *e) {
    struct notice_change a = {.act = what, .words = words};
    scoped_json json_t *answer = NULL;
    if (number_parse(call->arguments[0], 'n', &a.id, e) < 0 ||
        change_run(call, body, &a, NULL, &answer, e) < 0)
        return -1;
    if (strcmp(call->format, "table") != 0) return output_object(call, notice_columns, answer, e);
    const char *state = json_string_value(json_object_get(answer, "state"));
    instant_t effect;
    struct err ignored = {0};
    const char *at = json_string_value(json_object_get(answer, "effect"));
    if (strcmp(state, "noticed") == 0 && at && instant_parse(at, &effect, &ignored) == 0)
        output_say(call, output_choose(call, "%s %s, not before %s", "%s %s, %s 이후"), call->arguments[0],
                   output_word(call, state), civil_text(effect).s);
    else
        output_say(call, "%s %s", call->arguments[0], output_word(call, state));
    return 0;
}

const struct option queue_appeal_options[] = {{"reason", "TEXT", "what the tenant says", false}, {0}};
const struct option queue_answer_options[] = {{"uphold", NULL, "the notice is withdrawn", false},
                                              {"dismiss", NULL, "the notice stands again", false},
                                              {"reason", "TEXT", "why; the tenant is told", false},
                                              {0}};
const struct option queue_consent_options[] = {{"by", "NAME", "who of the tenant agreed", false}, {0}};

static int words_needed(const struct call *call, const char *option, const char *why, const char **words,
                        struct err *e) {
    *words = call_option(call, option);
    if (*words && **words && text_is_printable(*words)) return 0;
    return err_set(e, ERR_USAGE, "--%s is needed: %s", option, why);
}

int queue_appeal_run(struct call *call, struct err *e) {
    const char *words;
    if (words_needed(call, "reason", "who answers must know it", &words, e) < 0) return -1;
    return change(call, NOTICE_APPEAL, words, e);
}

int queue_answer_run(struct call *call, struct err *e) {
    bool uphold = call_flag(call, "uphold"), dismiss = call_flag(call, "dismiss");
    const char *words;
    if (uphold == dismiss) return err_set(e, ERR_USAGE, "one of --uphold and --dismiss is needed");
    if (words_needed(call, "reason", "the tenant is told", &words, e) < 0) return -1;
    return change(call, uphold ? NOTICE_UPHOLD : NOTICE_DISMISS, words, e);
}

int queue_consent_run(struct call *call, struct err *e) {
    const char *words;
    if (words_needed(call, "by", "a notice is shortened by its tenant alone", &words, e) < 0) return -1;
    return change(call, NOTICE_CONSENT, words, e);
}
