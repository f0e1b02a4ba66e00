/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/csv.h"
#include "alloc/file.h"
#include "alloc/grant.h"
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/provide.h"
#include "cmd/request.h"
#include "alloc/version.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

const struct option request_submit_options[] = {
    {"tenant", "NAME", "whose request it is", false},
    {"pool", "NAME", "the pool (where the store has more than one)", false},
    {"flavor", "NAME", "which accelerator; without it any will do", false},
    {"units", "N", "so many units of the flavor", false},
    {"compute", "AMOUNT", "so much compute, like '62.4 TF'", false},
    {"minimum", "AMOUNT", "take less than asked, down to this", false},
    {"per-server", "N", "so many units must share a server", false},
    {"storage", "AMOUNT", "storage, like '10 TB'; never partial", false},
    {"for", "SPAN", "for how long, like '90 days'", false},
    {"until", "DATE", "until when (the day is included)", false},
    {"purpose", "TEXT", "what it is for", false},
    {"set", "ATTR=VALUE", "an attribute of the request", true},
    {"file", "FILE", "many requests: CSV, or JSON (an array); - for standard input", false},
    {"no-provision", NULL, "leave the work at the backends to reconcile", false},
    {0},
};

const struct option request_amend_options[] = {
    {"flavor", "NAME", "which accelerator; without it any will do", false},
    {"units", "N", "so many units of the flavor", false},
    {"compute", "AMOUNT", "so much compute, like '62.4 TF'", false},
    {"minimum", "AMOUNT", "take less than asked, down to this", false},
    {"per-server", "N", "so many units must share a server", false},
    {"storage", "AMOUNT", "storage, like '10 TB'; never partial", false},
    {"for", "SPAN", "for how long, like '90 days'", false},
    {"until", "DATE", "until when (the day is included)", false},
    {"purpose", "TEXT", "what it is for", false},
    {"set", "ATTR=VALUE", "an attribute of the request", true},
    {"no-provision", NULL, "leave the work at the backends to reconcile", false},
    {0},
};

/* ---- documents ---- */

/* A value as an option or a cell gives it: counts are numbers, amounts are text with a unit. */
static int put_value(json_t *document, const char *key, const char *value, struct err *e) {
    bool is_count = strcmp(key, "units") == 0 || strcmp(key, "per_server") == 0 ||
                    (strcmp(key, "minimum") == 0 && json_object_get(document, "units"));
    long long n;
    if (!is_count) {
        json_object_set_new(document, key, json_string(value));
        return 0;
    }
    if (text_to_int(value, 1, UNITS_MOST, &n) < 0)
        return err_set(e, ERR_USAGE, "%s: '%s' is not a count", key, value);
    json_object_set_new(document, key, json_integer(n));
    return 0;
}

static int put_attribute(json_t *document, const char *name, const char *value) {
    json_t *attrs = json_object_get(document, "attributes");
    if (!attrs) json_object_set_new(document, "attributes", attrs = json_object());
    return json_object_set_new(attrs, name, json_string(value));
}

json_t *request_from_options(const struct call *call, struct err *e) {
    /* units before minimum: they say of which kind the minimum is. */
    static const char *const names[][2] = {
        {"tenant", "tenant"},   {"pool", "pool"},       {"flavor", "flavor"},         {"units", "units"},
        {"compute", "compute"}, {"minimum", "minimum"}, {"per-server", "per_server"}, {"storage", "storage"},
        {"for", "for"},         {"until", "until"},     {"purpose", "purpose"}};
    scoped_json json_t *document = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = call_option(call, names[i][0]);
        if (value && put_value(document, names[i][1], value, e) < 0) return NULL;
    }
    const char *pair;
    for (size_t k = 0; (pair = call_option_at(call, "set", k)); k++) {
        const char *equals = strchr(pair, '=');
        char name[64];
        if (!equals || equals == pair ||
            text_format(name, sizeof name, "%.*s", (int)(equals - pair), pair) < 0) {
            err_set(e, ERR_USAGE, "--set '%s': write ATTR=VALUE", pair);
            return NULL;
        }
        put_attribute(document, name, equals + 1);
    }
    return json_incref(document);
}

static const char *const csv_columns[] = {"tenant",     "pool",    "flavor", "units", "compute", "minimum",
                                          "per_server", "storage", "for",    "until", "purpose", NULL};

static json_t *row_document(const struct csv *csv, struct err *e) {
    scoped_json json_t *document = json_object();
    for (const char *const *key = csv_columns; *key; key++) {
        const char *value = csv_get(csv, *key);
        if (value && *value && put_value(document, *key, value, e) < 0) {
            char where[40];
            text_format(where, sizeof where, "line %zu", csv->line);
            err_context(e, "%s", where);
            return NULL;
        }
    }
    for (size_t i = 0; i < csv->n_columns; i++)
        if (strncmp(csv->names[i], "attr:", 5) == 0 && csv->fields[i][0])
            put_attribute(document, csv->names[i] + 5, csv->fields[i]);
    return json_incref(document);
}

static json_t *documents_from_csv(const char *bytes, size_t length, const char *title, struct err *e) {
    struct csv csv;
    json_t *all = json_array();
    int rc = csv_open(&csv, bytes, length, title, e);
    if (rc == 0) rc = csv_match(&csv, csv_columns, "attr:", e);
    while (rc == 0 && (rc = csv_next(&csv, e)) == 1) {
        json_t *document = row_document(&csv, e);
        rc = document ? json_array_append_new(all, document) : -1;
    }
    csv_close(&csv);
    if (rc == 0) return all;
    json_decref(all);
    return NULL;
}

static json_t *documents_from_file(const char *path, struct text *content, struct err *e) {
    if (file_read(path, JSON_BYTES_MOST, content, e) < 0) return NULL;
    const char *title = file_title(path);
    const char *first = content->s + strspn(content->s, " \t\r\n");
    if (*first != '[' && *first != '{') return documents_from_csv(content->s, content->length, title, e);
    json_t *document = json_load_text(content->s, content->length, title, e);
    if (document && !json_is_array(document)) {
        json_decref(document);
        err_set(e, ERR_USAGE, "%s: must be an array of requests", title);
        return NULL;
    }
    return document;
}

/* ---- submitting ---- */

struct placed_request {
    struct request_new request;
    int64_t pool, id;
};

static int decode_all(struct change *c, const struct submission *s, struct placed_request *all, size_t n,
                      struct err *e) {
    struct json_at root = json_root(s->documents, s->title);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_item(&root, i);
        struct request_new *r = &all[i].request;
        if (request_decode(&at, s->tenant, r, e) < 0) return -1;
        r->approver = s->approver;
        r->override_rule = s->override_rule;
        r->override_reason = s->override_reason;
        r->override_until = s->override_until;
        if (s->override_rule && !r->until.has && r->term.s == 0) r->until = s->override_until;
        if (request_pool(c->store, r->pool, &all[i].pool, e) < 0)
            return n > 1 ? err_context(e, "request %zu", i + 1) : -1;
    }
    return 0;
}

/* Attributes of a request must be declared by the policy that will decide it. */
static int check_attributes(struct change *c, struct placed_request *p, const struct policy *policy,
                            struct err *e) {
    (void)c;
    for (size_t i = 0; policy && i < p->request.n_attrs; i++)
        if (policy_check_attr(policy, POLICY_ATTR_REQUEST, p->request.attrs[i].name,
                              p->request.attrs[i].value, e) < 0)
            return -1;
    return 0;
}

static int submit_pool(struct change *c, struct placed_request *all, size_t n, int64_t pool,
                       struct engine_results *results, struct err *e) {
    struct book b;
    scoped_free char *stored = NULL;
    int64_t version;
    struct policy *policy = NULL;
    if (book_open(&b, c->store, pool, c->call->actor, c->call->now, e) < 0) return -1;
    int rc = version_active(c->store, pool, b.at, &version, &b.policy, &stored, e);
    if (rc == 1 && !(policy = policy_decider.open(stored, e))) return -1;
    rc = rc < 0 ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (all[i].pool != pool) continue;
        rc = check_attributes(c, &all[i], policy, e);
        if (rc == 0) rc = request_insert(&b, &all[i].request, &all[i].id, e);
        if (rc < 0 && n > 1) err_context(e, "request %zu (tenant %s)", i + 1, all[i].request.tenant);
    }
    policy_free(policy);
    if (rc == 0) rc = engine_plan(&b, &policy_decider, results, e);
    return rc < 0 ? -1 : book_close(&b, e);
}

static int64_t next_pool(const struct placed_request *all, size_t n, int64_t after) {
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        if (all[i].pool > after && all[i].pool < next) next = all[i].pool;
    return next;
}

int request_submit_all(struct change *c, const struct submission *s, struct err *e) {
    size_t n = json_array_size(s->documents);
    if (n == 0) return err_set(e, ERR_USAGE, "%s: no request in it", s->title);
    struct placed_request *all = mem_alloc(n * sizeof *all);
    struct engine_results results = {0};
    int rc = decode_all(c, s, all, n, e);
    /* Pools in the order of their numbers: every writer takes their turns in the same order. */
    for (int64_t pool = 0; rc == 0 && (pool = next_pool(all, n, pool)) != INT64_MAX;)
        rc = submit_pool(c, all, n, pool, &results, e);
    c->answer = json_array();
    for (size_t i = 0; rc == 0 && i < n; i++) {
        json_t *answer = request_answer(c->store, &results, all[i].id, e);
        rc = answer ? json_array_append_new(c->answer, answer) : -1;
        if (rc == 0 && c->status != ERR_DENIED) {
            int status = request_status(answer);
            if (status) c->status = status;
        }
    }
    engine_results_free(&results);
    free(all);
    return rc;
}

static int submit_body(struct change *c, struct err *e) { return request_submit_all(c, c->arg, e); }

static int tell_many(struct call *call, const json_t *answers, struct err *e) {
    static const struct column columns[] = {{"request", "REQUEST", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"outcome", "OUTCOME", CELL_STATE, false},
                                            {"grant", "GRANT", CELL_TEXT, false},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                            {"why", "WHY", CELL_TEXT, false},
                                            {0}};
    size_t i;
    json_t *answer;
    json_array_foreach(answers, i, answer)
        json_object_set_new(answer, "why", json_string(request_reason(call, answer)));
    return output_list(call, columns, answers, e);
}

int request_submit_run(struct call *call, struct err *e) {
    const char *path = call_option(call, "file");
    scoped_text struct text content = {0};
    scoped_json json_t *documents = NULL, *answer = NULL;
    if (path) {
        for (const struct option *o = request_submit_options; o->name; o++)
            if (strcmp(o->name, "file") != 0 && strcmp(o->name, "no-provision") != 0 &&
                (call_option(call, o->name) || call_flag(call, o->name)))
                return err_set(e, ERR_USAGE, "--%s and --file exclude each other", o->name);
        documents = documents_from_file(path, &content, e);
    } else {
        json_t *one = request_from_options(call, e);
        documents = one ? json_pack("[o]", one) : NULL;
    }
    if (!documents) return -1;
    struct submission s = {.documents = documents, .title = path ? file_title(path) : "request"};
    int status = change_run(call, submit_body, &s, content.s, &answer, e);
    if (status < 0) return -1;
    int ready = provide(call, 0, 0, e);
    if (ready < 0) return -1;
    if (path ? tell_many(call, answer, e) < 0 : request_tell(call, json_array_get(answer, 0), e) < 0)
        return -1;
    return status ? status : ready;
}

/* ---- amending ---- */

static int amend_body(struct change *c, struct err *e) {
    const struct submission *s = c->arg;
    int64_t id;
    struct request r = {0};
    struct request_new n;
    struct engine_results results = {0};
    struct book b;
    if (number_parse(c->call->arguments[0], 'r', &id, e) < 0 || request_find(c->store, id, 0, &r, e) < 0)
        return -1;
    struct json_at root = json_root(s->documents, s->title), at = json_item(&root, 0);
    int rc = request_decode(&at, r.tenant_name, &n, e);
    if (rc == 0) rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = request_amend(&b, &r, &n, e);
    if (rc == 0) rc = engine_plan(&b, &policy_decider, &results, e);
    if (rc == 0) rc = book_close(&b, e);
    if (rc == 0) rc = (c->answer = request_answer(c->store, &results, id, e)) ? 0 : -1;
    if (rc == 0) c->status = request_status(c->answer);
    engine_results_free(&results);
    request_free(&r);
    return rc;
}

int request_amend_run(struct call *call, struct err *e) {
    json_t *one = request_from_options(call, e);
    scoped_json json_t *documents = one ? json_pack("[o]", one) : NULL, *answer = NULL;
    if (!documents) return -1;
    struct submission s = {.documents = documents, .title = "request"};
    int status = change_run(call, amend_body, &s, NULL, &answer, e);
    if (status < 0) return -1;
    int ready = provide(call, 0, 0, e);
    if (ready < 0 || request_tell(call, answer, e) < 0) return -1;
    return status ? status : ready;
}
