/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/call.h"
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
    REQUEST_OPTION_POOL,
    REQUEST_OPTIONS_ASK,
    {"call", "CALL", "the open call that it answers", false},
    {"replace", "GRANT", "the grant that goes when this one stands", false},
    {"file", "FILE", "many requests: CSV, or JSON (an array); - for standard input", false},
    PROVIDE_OPTION,
    {0},
};

const struct option request_amend_options[] = {
    REQUEST_OPTIONS_ASK,
    PROVIDE_OPTION,
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

/* One transaction and one plan: 20,000 take about 3 seconds and 160 MB. */
enum { REQUESTS_MOST = 20000 };

static int too_many(const char *title, struct err *e) {
    err_set(e, ERR_USAGE, "%s: more than %d requests", title, REQUESTS_MOST);
    return err_hint(e, "split the file: each part is decided as a whole");
}

static int put_attribute(json_t *document, const char *name, const char *value) {
    json_t *attrs = json_object_get(document, "attributes");
    if (!attrs) json_object_set_new(document, "attributes", attrs = json_object());
    return json_object_set_new(attrs, name, json_string(value));
}

/* 0 takes back what was asked before. */
static int put_seats(json_t *document, const char *service, const char *value, struct err *e) {
    json_t *seats = json_object_get(document, "seats");
    long long n;
    if (text_to_int(value, 0, UNITS_MOST, &n) < 0)
        return err_set(e, ERR_USAGE, "seats of %.64s: '%.64s' is not a count", service, value);
    if (!seats) json_object_set_new(document, "seats", seats = json_object());
    if (n > 0) return json_object_set_new(seats, service, json_integer(n));
    json_object_del(seats, service);
    return 0;
}

/* "NAME=VALUE" of an option apart: the value, or NULL. */
static const char *pair_split(const char *option, const char *pair, char *name, size_t size, struct err *e) {
    const char *equals = strchr(pair, '=');
    if (equals && equals > pair && text_format(name, size, "%.*s", (int)(equals - pair), pair) == 0)
        return equals + 1;
    err_set(e, ERR_USAGE, "--%s '%.100s': write %s", option, pair,
            strcmp(option, "set") == 0 ? "ATTR=VALUE" : "NAME=N");
    return NULL;
}

static int options_put(const struct call *call, json_t *document, struct err *e) {
    /* units before minimum: they say of which kind the minimum is. */
    static const char *const names[][2] = {{"tenant", "tenant"},
                                           {"pool", "pool"},
                                           {"flavor", "flavor"},
                                           {"units", "units"},
                                           {"compute", "compute"},
                                           {"minimum", "minimum"},
                                           {"per-server", "per_server"},
                                           {"storage", "storage"},
                                           {"for", "for"},
                                           {"until", "until"},
                                           {"purpose", "purpose"},
                                           {"datalake", "datalake"},
                                           {"call", "call"},
                                           {"replace", "replaces"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = call_option(call, names[i][0]);
        if (value && put_value(document, names[i][1], value, e) < 0) return -1;
    }
    const char *pair, *value;
    char name[64];
    for (size_t k = 0; (pair = call_option_at(call, "set", k)); k++) {
        if (!(value = pair_split("set", pair, name, sizeof name, e))) return -1;
        put_attribute(document, name, value);
    }
    for (size_t k = 0; (pair = call_option_at(call, "seats", k)); k++)
        if (!(value = pair_split("seats", pair, name, sizeof name, e)) ||
            put_seats(document, name, value, e) < 0)
            return -1;
    return 0;
}

json_t *request_from_options(const struct call *call, struct err *e) {
    scoped_json json_t *document = json_object();
    return options_put(call, document, e) < 0 ? NULL : json_incref(document);
}

static const char *const csv_columns[] = {"tenant",  "pool",       "flavor",  "units",    "compute",
                                          "minimum", "per_server", "storage", "for",      "until",
                                          "purpose", "datalake",   "call",    "replaces", NULL};

static const char *const csv_prefixes[] = {"attr:", "seats:", NULL};

static json_t *row_document(const struct csv *csv, const char *title, struct err *e) {
    scoped_json json_t *document = json_object();
    for (const char *const *key = csv_columns; *key; key++) {
        const char *value = csv_get(csv, *key);
        if (value && *value && put_value(document, *key, value, e) < 0) {
            err_context(e, "%s:%zu", title, csv->line);
            return NULL;
        }
    }
    for (size_t i = 0; i < csv->n_columns; i++) {
        if (strncmp(csv->names[i], "attr:", 5) == 0 && csv->fields[i][0])
            put_attribute(document, csv->names[i] + 5, csv->fields[i]);
        if (strncmp(csv->names[i], "seats:", 6) == 0 && csv->fields[i][0] &&
            put_seats(document, csv->names[i] + 6, csv->fields[i], e) < 0) {
            err_context(e, "%s:%zu", title, csv->line);
            return NULL;
        }
    }
    return json_incref(document);
}

static json_t *documents_from_csv(const char *bytes, size_t length, const char *title, json_t *lines,
                                  struct err *e) {
    struct csv csv;
    json_t *all = json_array();
    int rc = csv_open(&csv, bytes, length, title, e);
    if (rc == 0) rc = csv_match(&csv, csv_columns, csv_prefixes, e);
    while (rc == 0 && (rc = csv_next(&csv, e)) == 1) {
        json_t *document = row_document(&csv, title, e);
        rc = document ? json_array_append_new(all, document) : -1;
        if (json_array_size(all) > REQUESTS_MOST) rc = too_many(title, e);
        json_array_append_new(lines, json_integer((json_int_t)csv.line));
    }
    csv_close(&csv);
    if (rc == 0) return all;
    json_decref(all);
    return NULL;
}

/* lines: filled with the line of each request where the file has lines. */
static json_t *documents_from_file(const char *path, struct text *content, json_t *lines, struct err *e) {
    if (file_read(path, JSON_BYTES_MOST, content, e) < 0) return NULL;
    const char *title = file_title(path);
    const char *first = content->s + strspn(content->s, " \t\r\n");
    if (*first != '[' && *first != '{')
        return documents_from_csv(content->s, content->length, title, lines, e);
    json_t *document = json_load_text(content->s, content->length, title, e);
    if (document && !json_is_array(document)) {
        json_decref(document);
        err_set(e, ERR_USAGE, "%s: must be an array of requests", title);
        return NULL;
    }
    if (json_array_size(document) > REQUESTS_MOST) {
        json_decref(document);
        too_many(title, e);
        return NULL;
    }
    return document;
}

json_t *request_documents(const char *path, json_t *lines, struct err *e) {
    struct text content scoped_text = {0};
    return documents_from_file(path, &content, lines, e);
}

/* ---- submitting ---- */

struct placed_request {
    int64_t pool, id;
};

/* "requests.csv:3", "request 2" */
static const char *where_of(const struct submission *s, size_t i, char *out, size_t size) {
    long long line = json_integer_value(json_array_get(s->lines, i));
    if (line)
        text_format(out, size, "%.250s:%lld", s->title, line);
    else
        text_format(out, size, "request %zu", i + 1);
    return out;
}

static int context(const struct submission *s, size_t i, struct err *e) {
    char where[300];
    return json_array_size(s->documents) > 1 || s->lines
               ? err_context(e, "%s", where_of(s, i, where, sizeof where))
               : -1;
}

/* Read once to know its pool and once to be stored: a hundred thousand of them decoded would take 100 MB. */
static int decode(const struct submission *s, size_t i, struct request_new *out, struct err *e) {
    char title[300];
    struct json_at root = json_root(s->documents, s->title), at = json_item(&root, i);
    if (s->lines) at = json_root(at.value, where_of(s, i, title, sizeof title));
    if (s->is_words) at = json_root(at.value, s->title);
    if (request_decode(&at, s->tenant, out, e) < 0) return -1;
    out->approver = s->approver;
    out->override_rule = s->override_rule;
    out->override_reason = s->override_reason;
    out->override_until = s->override_until;
    if (s->override_rule && !out->until.has && out->term.s == 0) out->until = s->override_until;
    return 0;
}

/* A call says where its requests go. */
static int pool_of(struct store *s, const struct request_new *r, int64_t *pool, struct err *e) {
    struct call_row c;
    if (r->pool || !r->call) return request_pool(s, r->pool, pool, e);
    if (call_find(s, r->call, &c, e) < 0) return -1;
    *pool = c.pool;
    call_row_free(&c);
    return 0;
}

static int find_pools(struct change *c, const struct submission *s, struct placed_request *all, size_t n,
                      struct err *e) {
    for (size_t i = 0; i < n; i++) {
        struct request_new r;
        if (decode(s, i, &r, e) < 0) return -1;
        if (pool_of(c->store, &r, &all[i].pool, e) < 0) return context(s, i, e);
    }
    return 0;
}

/* Attributes of a request must be declared by the policy that will decide it. */
static int check_attributes(const struct request_new *r, const struct policy *policy, struct err *e) {
    for (size_t i = 0; policy && i < r->n_attrs; i++)
        if (policy_check_attr(policy, POLICY_ATTR_REQUEST, r->attrs[i].name, r->attrs[i].value, e) < 0)
            return -1;
    return 0;
}

/* *out: the policy that decides now, or NULL where there is none. */
static int open_policy(struct book *b, struct policy **out, struct err *e) {
    scoped_free char *stored = NULL;
    int64_t version;
    *out = NULL;
    int rc = version_active(b->store, b->pool, b->at, &version, &b->policy, &stored, e);
    if (rc <= 0) return rc;
    return (*out = policy_decider.open(stored, e)) ? 0 : -1;
}

int request_check_attributes(struct book *b, const struct request_new *r, struct err *e) {
    struct policy *policy;
    if (open_policy(b, &policy, e) < 0) return -1;
    int rc = check_attributes(r, policy, e);
    policy_free(policy);
    return rc;
}

/* Only rules of the policy that decides now can be set aside. */
static int check_override(const char *list, const struct policy *policy, struct err *e) {
    if (!list) return 0;
    if (!policy) return err_set(e, ERR_NOT_FOUND, "no policy is valid now: there is no rule to set aside");
    scoped_free char *rules = mem_copy(list);
    char *rest = NULL;
    for (char *rule = strtok_r(rules, ",", &rest); rule; rule = strtok_r(NULL, ",", &rest))
        if (policy_check_rule(policy, rule, e) < 0) return err_context(e, "--override");
    return 0;
}

int request_check_rules(struct book *b, const char *rules, struct err *e) {
    struct policy *policy;
    if (open_policy(b, &policy, e) < 0) return -1;
    int rc = check_override(rules, policy, e);
    policy_free(policy);
    return rc;
}

static int submit_pool(struct change *c, const struct submission *s, struct placed_request *all, size_t n,
                       int64_t pool, struct engine_results *results, struct err *e) {
    struct book b;
    struct policy *policy;
    if (book_open(&b, c->store, pool, c->call->actor, c->call->now, e) < 0 || open_policy(&b, &policy, e) < 0)
        return -1;
    int rc = check_override(s->override_rule, policy, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct request_new r;
        if (all[i].pool != pool) continue;
        rc = decode(s, i, &r, e);
        if (rc == 0 && (check_attributes(&r, policy, e) < 0 || request_insert(&b, &r, &all[i].id, e) < 0))
            rc = context(s, i, e);
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
    int rc = find_pools(c, s, all, n, e);
    /* Pools in the order of their numbers: every writer takes their turns in the same order. */
    for (int64_t pool = 0; rc == 0 && (pool = next_pool(all, n, pool)) != INT64_MAX;)
        rc = submit_pool(c, s, all, n, pool, &results, e);
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
    scoped_json json_t *documents = NULL, *answer = NULL, *lines = json_array();
    if (path) {
        for (const struct option *o = request_submit_options; o->name; o++)
            if (strcmp(o->name, "file") != 0 && strcmp(o->name, "no-provision") != 0 &&
                (call_option(call, o->name) || call_flag(call, o->name)))
                return err_set(e, ERR_USAGE, "--%s and --file exclude each other", o->name);
        documents = documents_from_file(path, &content, lines, e);
    } else {
        json_t *one = request_from_options(call, e);
        documents = one ? json_pack("[o]", one) : NULL;
    }
    if (!documents) return -1;
    struct progress progress = {
        .what = "submitting", .total = json_array_size(documents), .off = call->quiet};
    struct submission s = {.documents = documents,
                           .progress = path ? &progress : NULL,
                           .is_words = !path,
                           .lines = json_array_size(lines) ? lines : NULL,
                           .title = path ? file_title(path) : "request"};
    int status = change_run(call, submit_body, &s, content.s, &answer, e);
    progress_end(&progress);
    if (status < 0) return -1;
    status = request_finish(call, answer, e);
    if (status < 0) return -1;
    int told = path ? tell_many(call, answer, e) : request_tell(call, json_array_get(answer, 0), e);
    return told < 0 ? -1 : status;
}

/* ---- amending ---- */

/* An amount of a request as it stands, in the words of a document; what is null was not asked. */
static void stood_text(json_t *document, const char *key, const json_t *show, const char *of,
                       struct amount_text (*text)(int64_t)) {
    const json_t *n = json_object_get(show, of);
    if (json_is_integer(n) && json_integer_value(n) > 0)
        json_object_set_new(document, key, json_string(text(json_integer_value(n)).s));
}

static struct amount_text compute_words(int64_t n) { return gflops_text(gflops(n)); }
static struct amount_text storage_words(int64_t n) { return bytes_text(bytes(n)); }

/* What is asked now, as the document that request_decode() takes. */
static json_t *request_as_it_stands(struct store *s, const struct request *r, struct err *e) {
    static const char *const same[][2] = {
        {"flavor", "flavor"},         {"units", "units"}, {"minimum_units", "minimum"},
        {"per_server", "per_server"}, {"until", "until"}, {"purpose", "purpose"},
        {"attributes", "attributes"}, {"seats", "seats"}, {"replaces", "replaces"}};
    scoped_json json_t *show = request_show(s, r, e), *document = json_object();
    if (!show) return NULL;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        json_t *value = json_object_get(show, same[i][0]);
        if (value && !json_is_null(value)) json_object_set(document, same[i][1], value);
    }
    stood_text(document, "compute", show, "compute_gflops", compute_words);
    stood_text(document, "minimum", show, "minimum_gflops", compute_words);
    stood_text(document, "storage", show, "storage_bytes", storage_words);
    stood_text(document, "datalake", show, "datalake_bytes", storage_words);
    int64_t term = json_integer_value(json_object_get(show, "term_seconds"));
    if (term) json_object_set_new(document, "for", json_string(span_text((span_t){term}).s));
    return json_incref(document);
}

/* A new word takes the place of its opposite; a minimum stays only beside what it is the minimum of. */
static void opposites_drop(const struct call *call, json_t *document) {
    const char *kinds[] = {"units", "compute"}, *ends[] = {"for", "until"};
    for (size_t i = 0; i < 2; i++) {
        if (call_option(call, kinds[i]) && json_object_del(document, kinds[1 - i]) == 0)
            json_object_del(document, "minimum");
        if (call_option(call, ends[i])) json_object_del(document, ends[1 - i]);
    }
}

static int amend_body(struct change *c, struct err *e) {
    int64_t id;
    struct request r = {0};
    struct request_new n;
    struct engine_results results = {0};
    struct book b;
    if (number_parse(c->call->arguments[0], 'r', &id, e) < 0 || request_find(c->store, id, 0, &r, e) < 0)
        return -1;
    scoped_json json_t *document = request_as_it_stands(c->store, &r, e);
    if (document) opposites_drop(c->call, document);
    int rc = document ? options_put(c->call, document, e) : -1;
    struct json_at at = json_root(document, "request");
    if (rc == 0) rc = request_decode(&at, r.tenant_name, &n, e);
    if (rc == 0) rc = book_open(&b, c->store, r.pool, c->call->actor, c->call->now, e);
    if (rc == 0) rc = request_check_attributes(&b, &n, e);
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
    scoped_json json_t *answer = NULL;
    int status = change_run(call, amend_body, NULL, NULL, &answer, e);
    if (status < 0) return -1;
    return request_finish_one(call, answer, e);
}
