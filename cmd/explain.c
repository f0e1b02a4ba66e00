/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request was decided as it was: planned again from what was stored, compared, and told. */
#include "policies/explain.h"

#include "alloc/grant.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/tenant.h"
#include "cmd/output.h"
#include "cmd/request.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

struct explaining {
    struct call *call;
    json_t *list;
    struct text text;
    bool differs;
    int64_t differing; /* the first such request */
};

/* What happened since: a person or a backend may have ended what the policy began. */
static int add_since(struct explaining *x, const json_t *row, json_t *one) {
    const char *state = json_string_value(json_object_get(row, "state")),
               *note = json_string_value(json_object_get(row, "note"));
    static const char *const same[][2] = {{"granted", "granted"},
                                          {"partial", "granted"},
                                          {"queued", "queued"},
                                          {"held", "held"},
                                          {"denied", "denied"}};
    const char *outcome = json_string_value(json_object_get(one, "outcome"));
    for (size_t i = 0; outcome && i < sizeof same / sizeof *same; i++)
        if (strcmp(outcome, same[i][0]) == 0 && strcmp(state, same[i][1]) == 0) return 0;
    text_add(&x->text, "%s: %s%s%s\n", output_choose(x->call, "Since then", "이후"), state, note ? ": " : "",
             note ? note : "");
    return 0;
}

static int tell_one(struct explaining *x, const json_t *row, const json_t *stored, const char *facts_text,
                    bool same, struct err *e) {
    struct facts_owned facts;
    if (facts_decode(facts_text, &facts, e) < 0) return -1;
    bool korean = strcmp(x->call->lang, "ko") == 0;
    if (x->text.length) text_add(&x->text, "\n");
    json_t *one = explain_json(stored, &facts.facts, EXPLAIN_TO_OPERATOR, e);
    int rc = one ? explain_text(stored, &facts.facts, EXPLAIN_TO_OPERATOR, korean, &x->text, e) : -1;
    facts_free(&facts);
    if (rc == 0) {
        json_object_set(one, "request", json_object_get(row, "request"));
        json_object_set(one, "state", json_object_get(row, "state"));
        json_object_set(one, "policy", json_object_get(row, "policy"));
        json_object_set_new(one, "same_again", json_boolean(same));
        add_since(x, row, one);
        json_array_append(x->list, one);
    }
    json_decref(one);
    return rc;
}

static int explain_one(struct explaining *x, const json_t *row, struct err *e) {
    int64_t id;
    json_t *stored = NULL, *again = NULL;
    char *facts = NULL;
    if (number_parse(json_string_value(json_object_get(row, "request")), 'r', &id, e) < 0) return -1;
    int rc = engine_replay(x->call->store, &policy_decider, id, &stored, &again, &facts, e);
    bool same = rc == 0 && json_equal(stored, again);
    if (rc == 0) rc = tell_one(x, row, stored, facts, same, e);
    if (rc == 0 && !same && !x->differs) {
        x->differs = true;
        x->differing = id;
    }
    json_decref(stored);
    json_decref(again);
    free(facts);
    return rc;
}

static bool is_request(const char *word) {
    return word[0] == 'r' && word[1] == '-' && strspn(word + 2, "0123456789") == strlen(word + 2);
}

/* The request named, or a tenant's open ones, or else its last one: those that have a decision. */
static json_t *find_rows(struct call *call, const char *word, struct err *e) {
    int64_t request = 0;
    struct tenant_row tenant = {0};
    if (is_request(word) && number_parse(word, 'r', &request, e) < 0) return NULL;
    if (is_request(word)) {
        struct request r;
        if (request_find(call->store, request, 0, &r, e) < 0) return NULL;
        request_free(&r);
    } else if (tenant_find(call->store, word, &tenant, e) < 0) {
        bool is_number = word[0] && word[1] == '-' && strspn(word + 2, "0123456789") == strlen(word + 2);
        if (e->code != ERR_NOT_FOUND || !is_number) return NULL;
        err_clear(e); /* the number of a grant, say: the nearest name of a tenant would not help */
        err_set(e, ERR_NOT_FOUND, "'%.40s' is neither a request nor a tenant", word);
        err_hint(e, "requests (r-12) and tenants (by name) are explained");
        return NULL;
    }
    return sql_json(call->store, e,
                    "SELECT 'r-' || r.id AS request, r.state, r.note, CASE WHEN v.id IS NULL THEN NULL ELSE "
                    "v.name || ' version ' "
                    "|| v.version END AS policy FROM request r JOIN decision d ON d.id = r.decision JOIN "
                    "plan p ON p.id = d.plan "
                    "LEFT JOIN policy v ON v.id = p.policy WHERE ($1 > 0 AND r.id = $1) OR ($2 > 0 AND "
                    "r.tenant = $2 AND (r.state "
                    "IN ('queued', 'held', 'returned') OR (r.id = (SELECT max(m.id) FROM request m WHERE "
                    "m.tenant = $2) AND NOT "
                    "EXISTS (SELECT 1 FROM request o WHERE o.tenant = $2 AND o.state IN ('queued', 'held', "
                    "'returned'))))) ORDER "
                    "BY r.id",
                    "ii", request, tenant.id);
}

static int explain_all(struct store *s, void *arg, struct err *e) {
    struct explaining *x = arg;
    (void)s;
    const char *word = x->call->arguments[0];
    scoped_json json_t *rows = find_rows(x->call, word, e);
    if (!rows) return -1;
    if (json_array_size(rows) == 0) return err_set(e, ERR_NOT_FOUND, "%s has no decision to explain", word);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        if (explain_one(x, row, e) < 0) return -1;
    }
    return 0;
}

static int print(struct explaining *x, struct err *e) {
    static const struct column columns[] = {{"request", "REQUEST", CELL_TEXT, false}, {0}};
    bool is_json = strcmp(x->call->format, "json") == 0;
    if (is_json && is_request(x->call->arguments[0]))
        return output_object(x->call, columns, json_array_get(x->list, 0), e);
    if (is_json) return output_list(x->call, columns, x->list, e);
    output_safe(x->call->out, x->text.s ? x->text.s : "");
    return 0;
}

static int explain_run(struct call *call, struct err *e) {
    scoped_json json_t *list = json_array();
    struct explaining x = {.call = call, .list = list};
    int rc = store_read(call->store, explain_all, &x, e);
    if (rc == 0) rc = print(&x, e);
    text_free(&x.text);
    if (rc < 0 || !x.differs) return rc;
    err_set(e, ERR_BOOKS, "r-%lld: planned again from what was stored, the decision comes out differently",
            (long long)x.differing);
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

static int compare_all(struct store *s, void *arg, struct err *e) {
    struct comparing *x = arg;
    for (size_t i = 0; i < 2; i++) {
        struct tenant_row row;
        if (tenant_find(s, x->names[i], &row, e) < 0) return -1;
        x->shares[i] = standing_shares(s, row.id, e);
        if (!x->shares[i]) return -1;
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
    {"vs", "TENANT", "compare with this tenant: to which the next step goes, and why", false}, {0}};

const struct command explain_commands[] = {
    {"explain", "REQUEST|TENANT", 1, 1, "say why a request was decided as it was", COMMAND_SHOWS,
     ROLE_AUDITOR, explain_options, run},
    {0},
};
