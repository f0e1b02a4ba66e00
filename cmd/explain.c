/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request was decided as it was: planned again from what was stored, compared, and told. A tenant:
 * cmd/explain_tenant.c. */
#include "policies/explain.h"

#include "alloc/grant.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/tenant.h"
#include "cmd/explain.h"
#include "cmd/output.h"
#include "cmd/request.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

struct explaining {
    struct call *call;
    json_t *list;
    struct text text;
    bool korean, with_trace, differs;
    int64_t differing; /* the first such decision */
};

/* What happened since: a person or a backend may have ended what the policy began. */
static void add_since(struct explaining *x, const json_t *row, const json_t *one) {
    const char *state = json_string_value(json_object_get(row, "state")),
               *note = json_string_value(json_object_get(row, "note")),
               *later = json_string_value(json_object_get(row, "later")),
               *request = json_string_value(json_object_get(row, "request"));
    static const char *const same[][2] = {{"granted", "granted"},
                                          {"partial", "granted"},
                                          {"queued", "queued"},
                                          {"held", "held"},
                                          {"denied", "denied"}};
    const char *outcome = json_string_value(json_object_get(one, "outcome"));
    if (later)
        text_add(&x->text,
                 x->korean ? "%s은(는) 이후 다시 결정되었습니다: %s.\n" : "%s was decided again since: %s.\n",
                 request, later);
    for (size_t i = 0; outcome && i < sizeof same / sizeof *same; i++)
        if (strcmp(outcome, same[i][0]) == 0 && strcmp(state, same[i][1]) == 0) return;
    text_add(&x->text, "%s: %s%s%s\n", output_choose(x->call, "Since then", "이후"), state, note ? ": " : "",
             note ? note : "");
}

static void add_trace(struct explaining *x, const char *trace, json_t *one) {
    json_t *object = trace ? json_loads(trace, 0, NULL) : NULL;
    if (!object) return;
    scoped_free char *lines = json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS);
    text_add(&x->text, "%s\n", lines);
    json_object_set_new(one, "trace", object);
}

static int tell_one(struct explaining *x, const json_t *row, const struct engine_replayed *r, struct err *e) {
    static const char *const keys[] = {"request", "decision", "later", "state", "policy"};
    struct facts_owned facts;
    if (facts_decode(r->facts, &facts, e) < 0) return -1;
    if (x->text.length) text_add(&x->text, "\n");
    scoped_json json_t *one = explain_json(r->stored, &facts.facts, EXPLAIN_TO_OPERATOR, e);
    int rc = one ? explain_text(r->stored, &facts.facts, EXPLAIN_TO_OPERATOR, x->korean, &x->text, e) : -1;
    facts_free(&facts);
    if (rc < 0) return -1;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_set(one, keys[i], json_object_get(row, keys[i]));
    json_object_set_new(one, "same_again", json_boolean(r->same));
    text_add(&x->text, x->korean ? "결정 번호는 %s입니다.\n" : "This is decision %s.\n",
             json_string_value(json_object_get(row, "decision")));
    add_since(x, row, one);
    add_trace(x, r->trace, one);
    json_array_append(x->list, one);
    return 0;
}

static int explain_one(struct explaining *x, const json_t *row, struct err *e) {
    int64_t id;
    struct engine_replayed r;
    if (number_parse(json_string_value(json_object_get(row, "decision")), 'd', &id, e) < 0 ||
        engine_replay(x->call->store, &policy_decider, id, x->with_trace, &r, e) < 0)
        return -1;
    int rc = tell_one(x, row, &r, e);
    if (rc == 0 && !r.same && !x->differs) {
        x->differs = true;
        x->differing = id;
    }
    engine_replayed_free(&r);
    return rc;
}

static bool is_numbered(const char *word, char prefix) {
    return word[0] == prefix && word[1] == '-' && word[2] &&
           strspn(word + 2, "0123456789") == strlen(word + 2);
}

/* What is named: one of the three is set. */
struct named {
    int64_t request, decision, tenant;
};

static int named_find(struct call *call, const char *word, struct named *out, struct err *e) {
    struct request r;
    struct tenant_row tenant;
    *out = (struct named){0};
    if (is_numbered(word, 'd')) return number_parse(word, 'd', &out->decision, e);
    if (is_numbered(word, 'r')) {
        if (number_parse(word, 'r', &out->request, e) < 0 ||
            request_find(call->store, out->request, 0, &r, e) < 0)
            return -1;
        request_free(&r);
        return 0;
    }
    int rc = tenant_find(call->store, word, &tenant, e);
    out->tenant = rc == 0 ? tenant.id : 0;
    bool is_number = word[0] && word[1] == '-' && strspn(word + 2, "0123456789") == strlen(word + 2);
    if (rc == 0 || e->code != ERR_NOT_FOUND || !is_number) return rc;
    err_clear(e); /* the number of a grant, say: the nearest name of a tenant would not help */
    err_set(e, ERR_NOT_FOUND, "'%.40s' is neither a request, a decision nor a tenant", word);
    return err_hint(e, "requests (r-12), decisions (d-34) and tenants (by name) are explained");
}

/* The decision named, the last one of a request, or those of a tenant's open requests, or else of its last.
 */
static json_t *find_rows(struct call *call, const struct named *n, struct err *e) {
    return sql_json(
        call->store, e,
        "SELECT 'r-' || r.id AS request, 'd-' || d.id AS decision, CASE WHEN r.decision <> d.id THEN 'd-' || "
        "r.decision END AS later, r.state, r.note, CASE WHEN v.id IS NULL THEN NULL ELSE v.name || ' version "
        "' || v.version END AS policy FROM request r JOIN decision d ON d.id = CASE WHEN $3 > 0 THEN $3 ELSE "
        "r.decision END JOIN plan p ON p.id = d.plan LEFT JOIN policy v ON v.id = p.policy WHERE ($3 > 0 AND "
        "r.id = d.request) OR ($1 > 0 AND r.id = $1) OR ($2 > 0 AND r.tenant = $2 AND (r.state IN ('queued', "
        "'held', 'returned') OR (r.id = (SELECT max(m.id) FROM request m WHERE m.tenant = $2) AND NOT EXISTS "
        "(SELECT 1 FROM request o WHERE o.tenant = $2 AND o.state IN ('queued', 'held', 'returned'))))) "
        "ORDER "
        "BY r.id",
        "iii", n->request, n->tenant, n->decision);
}

struct explaining_all {
    struct explaining x;
    struct named named;
    json_t *tenant; /* of a tenant: what it has and why */
};

static int explain_all(struct store *s, void *arg, struct err *e) {
    struct explaining_all *a = arg;
    struct call *call = a->x.call;
    const char *word = call->arguments[0];
    if (named_find(call, word, &a->named, e) < 0) return -1;
    if (a->named.tenant) {
        a->tenant = explain_tenant_json(s, a->named.tenant, call->now, EXPLAIN_TO_OPERATOR, e);
        if (!a->tenant) return -1;
        explain_tenant_text(a->tenant, a->x.korean, &a->x.text);
    }
    scoped_json json_t *rows = find_rows(call, &a->named, e);
    if (!rows) return -1;
    if (json_array_size(rows) == 0 && a->named.decision)
        return err_set(e, ERR_NOT_FOUND, "there is no decision %s", word);
    if (json_array_size(rows) == 0 && !a->named.tenant)
        return err_set(e, ERR_NOT_FOUND, "%s has no decision to explain", word);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        if (explain_one(&a->x, row, e) < 0) return -1;
    }
    return 0;
}

static int print(struct explaining_all *a, struct err *e) {
    static const struct column columns[] = {{"request", "REQUEST", CELL_TEXT, false}, {0}};
    struct call *call = a->x.call;
    if (strcmp(call->format, "json") != 0) {
        output_safe(call->out, a->x.text.s ? a->x.text.s : "");
        return 0;
    }
    if (!a->tenant) return output_object(call, columns, json_array_get(a->x.list, 0), e);
    json_object_set(a->tenant, "decisions", a->x.list);
    return output_object(call, columns, a->tenant, e);
}

static int explain_run(struct call *call, struct err *e) {
    scoped_json json_t *list = json_array();
    struct explaining_all a = {.x = {.call = call,
                                     .list = list,
                                     .korean = strcmp(call->lang, "ko") == 0,
                                     .with_trace = call_flag(call, "trace")}};
    int rc = store_read(call->store, explain_all, &a, e);
    if (rc == 0) rc = print(&a, e);
    text_free(&a.x.text);
    json_decref(a.tenant);
    if (rc < 0 || !a.x.differs) return rc;
    err_set(e, ERR_BOOKS, "d-%lld: planned again from what was stored, the decision comes out differently",
            (long long)a.x.differing);
    return err_hint(
        e, "the stored decision or its facts were changed, or the program decides otherwise: allot fsck");
}

/* ---- one tenant beside another ---- */

struct comparing {
    struct call *call;
    const char *names[2];
    json_t *shares[2], *pools;
    struct text text;
};

static void compare_pool(struct comparing *x, const json_t *a, const json_t *b) {
    bool korean = strcmp(x->call->lang, "ko") == 0;
    struct text en = {0}, ko = {0};
    standing_compare(x->names[0], a, x->names[1], b, false, &en);
    standing_compare(x->names[0], a, x->names[1], b, true, &ko);
    text_add(&x->text, "%s", korean ? ko.s : en.s);
    standing_sentence(x->names[0], a, korean, &x->text);
    standing_sentence(x->names[1], b, korean, &x->text);
    json_array_append_new(x->pools, json_pack("{s:O, s:s, s:s, s:O, s:O}", "pool", json_object_get(a, "pool"),
                                              "en", en.s, "ko", ko.s, "tenant", a, "vs", b));
    text_free(&en);
    text_free(&ko);
}

static const json_t *reason_of(const json_t *now, const char *code) {
    size_t i;
    const json_t *reason;
    json_array_foreach(json_object_get(now, "reasons"), i, reason) {
        const char *own = json_string_value(json_object_get(reason, "code"));
        if (own && strcmp(own, code) == 0) return reason;
    }
    return NULL;
}

/* Why a tenant could take no step of a pool at all: one more request for everything says so. */
static json_t *stopped(const json_t *today) {
    static const struct {
        const char *code, *en, *ko;
    } stops[] = {{"SUSPENDED", "it is suspended", "이용이 정지되어 있습니다"},
                 {"EXCEEDS_CEILING", "its ceiling leaves no further step", "한도 때문에 더 받을 수 없습니다"},
                 {"DEBT", "it holds more than its ceiling", "한도를 넘겨 보유하고 있습니다"},
                 {"EXCEEDS_BUDGET", "its budget is spent", "예산을 모두 썼습니다"}};
    const json_t *now = json_object_get(today, "now"), *standing = json_object_get(today, "standing");
    const char *outcome = json_string_value(json_object_get(now, "outcome"));
    for (size_t i = 0; outcome && strcmp(outcome, "denied") == 0 && i < sizeof stops / sizeof *stops; i++)
        if (reason_of(now, stops[i].code))
            return json_pack("{s:s, s:s}", "en", stops[i].en, "ko", stops[i].ko);
    bool knows_tier =
        json_object_get(standing, "tier") || !json_integer_value(json_object_get(standing, "rank"));
    const json_t *unknown = knows_tier ? NULL : reason_of(now, "EVAL_ERROR");
    return unknown ? json_pack("{s:O, s:O}", "en", json_object_get(unknown, "en"), "ko",
                               json_object_get(unknown, "ko"))
                   : NULL;
}

/* What the policy says of it today: its ceiling, also where it never held anything, and what stops it. */
static int add_today(struct comparing *x, struct store *s, int64_t tenant, json_t *shares, struct err *e) {
    scoped_json json_t *today = explain_tenant_json(s, tenant, x->call->now, EXPLAIN_TO_OPERATOR, e);
    size_t i, k;
    json_t *pool, *row;
    if (!today) return -1;
    json_array_foreach(json_object_get(today, "pools"), i, pool) json_array_foreach(shares, k, row) {
        if (!json_equal(json_object_get(row, "pool"), json_object_get(pool, "pool"))) continue;
        json_t *most = json_object_get(json_object_get(pool, "limits"), "compute_gflops"),
               *why = stopped(pool);
        if (most) json_object_set(row, "limit_gflops", most);
        if (why) json_object_set_new(row, "stopped", why);
    }
    return 0;
}

static int compare_all(struct store *s, void *arg, struct err *e) {
    struct comparing *x = arg;
    for (size_t i = 0; i < 2; i++) {
        struct tenant_row row;
        if (tenant_find(s, x->names[i], &row, e) < 0) return -1;
        x->shares[i] = standing_shares(s, row.id, e);
        if (!x->shares[i] || add_today(x, s, row.id, x->shares[i], e) < 0) return -1;
    }
    size_t i, k;
    json_t *a, *b;
    json_array_foreach(x->shares[0], i, a) json_array_foreach(x->shares[1], k, b) {
        if (json_equal(json_object_get(a, "pool"), json_object_get(b, "pool"))) compare_pool(x, a, b);
    }
    if (json_array_size(x->pools)) return 0;
    err_set(e, ERR_NOT_FOUND, "no pool's policy has seen %s and %s yet", x->names[0], x->names[1]);
    return err_hint(e, "the next tick makes their standing: allot tick");
}

static int compare_run(struct call *call, const char *vs, struct err *e) {
    static const struct column columns[] = {{"pool", "POOL", CELL_TEXT, false}, {0}};
    if (call->role < ROLE_OPERATOR)
        return err_set(e, ERR_DENIED, "one tenant beside another is for operators");
    scoped_json json_t *pools = json_array();
    struct comparing x = {.call = call, .names = {call->arguments[0], vs}, .pools = pools};
    int rc = store_read(call->store, compare_all, &x, e);
    if (rc == 0 && strcmp(call->format, "json") == 0)
        rc = output_list(call, columns, pools, e);
    else if (rc == 0)
        output_safe(call->out, x.text.s ? x.text.s : "");
    for (size_t i = 0; i < 2; i++) json_decref(x.shares[i]);
    text_free(&x.text);
    return rc;
}

static int run(struct call *call, struct err *e) {
    const char *vs = call_option(call, "vs");
    return vs ? compare_run(call, vs, e) : explain_run(call, e);
}

static const struct option explain_options[] = {
    {"trace", NULL, "also the whole way through the policy: rules, values, turn (JSON)", false},
    {"vs", "TENANT", "compare with this tenant: to which the next step goes, and why", false},
    {0}};

const struct command explain_commands[] = {
    {"explain", "REQUEST|DECISION|TENANT", 1, 1, "say why: a decision, or what a tenant has", COMMAND_SHOWS,
     ROLE_AUDITOR, explain_options, run},
    {0},
};
