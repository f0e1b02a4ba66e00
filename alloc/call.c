/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/call.h"

#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void call_row_free(struct call_row *c) {
    free(c->name);
    free(c->state);
    *c = (struct call_row){0};
}

static struct call_row row_read(const struct rows *r) {
    return (struct call_row){.id = rows_int(r, 0),
                             .pool = rows_int(r, 1),
                             .name = mem_copy(rows_text(r, 2)),
                             .state = mem_copy(rows_text(r, 3)),
                             .has_compute = !rows_null(r, 4),
                             .compute = gflops(rows_int(r, 4)),
                             .has_storage = !rows_null(r, 5),
                             .storage = bytes(rows_int(r, 5)),
                             .closes = {!rows_null(r, 6), instant(rows_int(r, 6))},
                             .awarded = {!rows_null(r, 7), instant(rows_int(r, 7))},
                             .sign_by = {!rows_null(r, 8), instant(rows_int(r, 8))}};
}

#define CALL_COLUMNS                                                                                         \
    "SELECT id, pool, name, state, compute_gflops, storage_bytes, closes_at, awarded_at, sign_by FROM call "

int call_load(struct store *s, int64_t id, struct call_row *out, struct err *e) {
    struct rows r;
    *out = (struct call_row){0};
    int rc = rows_open(&r, s, e, CALL_COLUMNS "WHERE id = $1", "i", id);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1)
        *out = row_read(&r);
    else if (rc == 0)
        err_set(e, ERR_NOT_FOUND, "no call with number %lld", (long long)id);
    rows_close(&r);
    return out->state ? 0 : -1; /* every row has one */
}

static void no_such(struct store *s, const char *name, struct err *e) {
    enum { MOST = 64 };
    char *names[MOST];
    size_t n = 0;
    struct rows r;
    struct err ignored = {0};
    int rc = rows_open(&r, s, &ignored, "SELECT name FROM call ORDER BY id DESC", "");
    while (rc == 0 && n < MOST && rows_next(&r, &ignored) == 1) names[n++] = mem_copy(rows_text(&r, 0));
    rows_close(&r);
    err_set(e, ERR_NOT_FOUND, "no call '%.100s'", name);
    const char *near = text_nearest(name, (const char *const *)names, n);
    if (near)
        err_hint(e, "did you mean '%s'?", near);
    else
        err_hint(e, "allot call list shows what there is");
    for (size_t i = 0; i < n; i++) free(names[i]);
}

int call_find(struct store *s, const char *name, struct call_row *out, struct err *e) {
    int64_t id;
    *out = (struct call_row){0};
    int rc = sql_int(s, e, &id, "SELECT id FROM call WHERE name = $1", "s", name);
    if (rc == 1) return call_load(s, id, out, e);
    if (rc == 0) no_such(s, name, e);
    return -1;
}

bool call_is_open(const struct call_row *c, instant_t now) {
    return strcmp(c->state, "open") == 0 && (!c->closes.has || now.s < c->closes.at.s);
}

/* ---- its life ---- */

static int open_check(struct book *b, const struct call_new *n, struct err *e) {
    int64_t other;
    if (pool_name_check("call", n->name, e) < 0) return -1;
    if (n->has_compute && n->compute.n == 0)
        return err_set(e, ERR_USAGE,
                       "a call with 0 TF: leave --compute out where it has no share of its own");
    if (n->has_storage && n->storage.n == 0)
        return err_set(e, ERR_USAGE, "a call with 0 B: leave --storage out where it has no share of its own");
    if (n->closes.has && n->closes.at.s <= b->at.s)
        return err_set(e, ERR_USAGE, "the call %s would close on %s, which has passed", n->name,
                       end_text(n->closes.at).s);
    int rc = sql_int(b->store, e, &other, "SELECT id FROM call WHERE name = $1", "s", n->name);
    if (rc < 0) return -1;
    return rc == 0 ? 0 : err_set(e, ERR_CONFLICT, "there is a call '%s' already", n->name);
}

int call_open(struct book *b, const struct call_new *n, int64_t *id, struct err *e) {
    if (open_check(b, n, e) < 0 || store_next(b->store, "call", id, e) < 0 ||
        sql_do(b->store, e,
               "INSERT INTO call (id, pool, name, state, compute_gflops, storage_bytes, opens_at, closes_at, "
               "made_by) VALUES ($1, $2, $3, 'open', CASE WHEN $4 THEN $5 END, CASE WHEN $6 THEN $7 END, $8, "
               "CASE WHEN $9 THEN $10 END, $11)",
               "iisiiiiiiis", *id, b->pool, n->name, (int64_t)n->has_compute, n->compute.n,
               (int64_t)n->has_storage, n->storage.n, b->at.s, (int64_t)n->closes.has, n->closes.at.s,
               b->actor) < 0)
        return -1;
    scoped_text struct text words = {0};
    text_add(&words, "%s: compute %s, storage %s, closes %s", n->name,
             n->has_compute ? gflops_text(n->compute).s : "unbounded",
             n->has_storage ? bytes_text(n->storage).s : "unbounded",
             n->closes.has ? instant_text(n->closes.at).s : "when it is closed");
    return book_note(b, "call.open", 0, words.s, e);
}

static int wrong_state(const struct call_row *c, const char *doing, struct err *e) {
    return err_set(e, ERR_CONFLICT, "the call %s is %s: it cannot be %s", c->name, c->state, doing);
}

static int set_state(struct book *b, const struct call_row *c, const char *state, const char *kind,
                     struct err *e) {
    if (sql_do(b->store, e, "UPDATE call SET state = $2 WHERE id = $1", "is", c->id, state) < 0) return -1;
    return book_note(b, kind, 0, c->name, e);
}

int call_close(struct book *b, const struct call_row *c, struct err *e) {
    if (strcmp(c->state, "open") != 0) return wrong_state(c, "closed", e);
    return set_state(b, c, "closed", "call.close", e);
}

/* The requests of a call in that state of theirs, as an array of numbers. */
static json_t *requests_in(struct store *s, int64_t call, const char *state, struct err *e) {
    return sql_json(s, e, "SELECT request FROM call_request WHERE call = $1 AND state = $2 ORDER BY request",
                    "is", call, state);
}

int call_end(struct book *b, const struct call_row *c, struct err *e) {
    if (strcmp(c->state, "awarded") != 0) return wrong_state(c, "ended before its award, or again", e);
    scoped_json json_t *left = requests_in(b->store, c->id, "reserve", e);
    if (!left || set_state(b, c, "ended", "call.end", e) < 0) return -1;
    size_t i;
    json_t *row;
    json_array_foreach(left, i, row) {
        struct request r;
        if (request_find(b->store, json_integer_value(json_object_get(row, "request")), 0, &r, e) < 0)
            return -1;
        int rc = request_drop(b, &r, "CALL_ENDED", "its call has ended", "공모가 종료되었습니다", e);
        request_free(&r);
        if (rc < 0) return -1;
    }
    return 0;
}

/* ---- a request and its call ---- */

int call_enter(struct book *b, const char *name, int64_t tenant, int64_t request, struct err *e) {
    struct call_row c;
    if (call_find(b->store, name, &c, e) < 0) return -1;
    int rc = 0;
    if (c.pool != b->pool) {
        rc = err_set(e, ERR_CONFLICT, "the call %s is of another pool", name);
    } else if (!call_is_open(&c, b->at)) {
        rc = err_set(e, ERR_CONFLICT, "the call %s is %s: it takes no new requests", name,
                     strcmp(c.state, "open") == 0 ? "past its last day" : c.state);
    }
    if (rc == 0)
        rc = sql_do(b->store, e, "UPDATE request SET call = $3 WHERE tenant = $1 AND id = $2", "iii", tenant,
                    request, c.id);
    if (rc == 0)
        rc = sql_do(b->store, e,
                    "INSERT INTO call_request (call, tenant, request, state) VALUES ($1, $2, $3, 'entered')",
                    "iii", c.id, tenant, request);
    call_row_free(&c);
    return rc;
}

int call_allows(struct book *b, const struct request *r, enum call_act act, struct err *e) {
    static const char *const words[] = {"amended", "returned"};
    struct call_row c;
    if (!r->call) return 0;
    if (call_load(b->store, r->call, &c, e) < 0) return -1;
    bool is_over = strcmp(c.state, "awarded") == 0 || strcmp(c.state, "ended") == 0;
    int rc = 0;
    if (is_over) {
        rc = err_set(e, ERR_CONFLICT, "the call %s is %s: r-%lld stands as it was scored and cannot be %s",
                     c.name, c.state, (long long)r->id, words[act]);
    } else if (act == CALL_AMEND && !call_is_open(&c, b->at) && strcmp(r->state, "returned") != 0) {
        err_set(e, ERR_CONFLICT, "the call %s is closed: r-%lld stands as it was entered", c.name,
                (long long)r->id);
        rc = err_hint(e, "one that lacks something is given back first: allot request return r-%lld",
                      (long long)r->id);
    }
    call_row_free(&c);
    return rc;
}

int call_stays(struct book *b, const struct request *r, const char *name, struct err *e) {
    struct call_row c = {0};
    if (!name) return 0;
    if (r->call && call_load(b->store, r->call, &c, e) < 0) return -1;
    int rc = c.name && strcmp(c.name, name) == 0
                 ? 0
                 : err_set(e, ERR_USAGE, "r-%lld cannot be moved to the call %s", (long long)r->id, name);
    call_row_free(&c);
    return rc;
}

int call_leave(struct book *b, int64_t tenant, int64_t request, const char *state, struct err *e) {
    return sql_do(b->store, e,
                  "UPDATE call_request SET state = $3, compute_gflops = 0, storage_bytes = 0, sign_by = NULL "
                  "WHERE request = $2 AND call = (SELECT call FROM request WHERE tenant = $1 AND id = $2)",
                  "iis", tenant, request, state);
}

/* ---- showing ---- */

json_t *call_list(struct store *s, instant_t now, struct err *e) {
    return sql_json(
        s, e,
        "SELECT c.name AS call, p.name AS pool, CASE WHEN c.state = 'open' AND c.closes_at <= $1 THEN "
        "'closed' ELSE c.state END AS state, c.compute_gflops, c.storage_bytes, c.opens_at AS "
        "\"opens@time\", c.closes_at AS \"closes@time\", c.awarded_at AS \"awarded@time\", c.sign_by AS "
        "\"sign_by@time\", (SELECT count(*) FROM call_request k WHERE k.call = c.id) AS requests, "
        "(SELECT count(*) FROM call_request k WHERE k.call = c.id AND k.state = 'awarded') AS "
        "awarded_requests, (SELECT count(*) FROM call_request k WHERE k.call = c.id AND k.state = 'reserve') "
        "AS reserve_requests, (SELECT sum(k.compute_gflops) FROM call_request k WHERE k.call = c.id) AS "
        "given_gflops, (SELECT sum(k.storage_bytes) FROM call_request k WHERE k.call = c.id) AS given_bytes "
        "FROM call c JOIN pool p ON p.id = c.pool ORDER BY c.id",
        "i", now.s);
}

static json_t *requests_show(struct store *s, int64_t call, struct err *e) {
    return sql_json(
        s, e,
        "SELECT k.rank, 'r-' || k.request AS request, k.request AS number, t.name AS tenant, k.state, "
        "r.state AS request_state, (SELECT count(*) FROM score x WHERE x.call = k.call AND x.request = "
        "k.request) AS reviewers, (SELECT sum(x.score) FROM score x WHERE x.call = k.call AND x.request = "
        "k.request) AS sum_thousandths, r.flavor, r.units, r.compute_gflops, r.storage_bytes, "
        "nullif(r.datalake_bytes, 0) AS datalake_bytes, k.compute_gflops AS given_gflops, k.storage_bytes AS "
        "given_bytes, CASE WHEN r.grant_id IS NOT NULL THEN 'g-' || r.grant_id END AS \"grant\", k.sign_by "
        "AS \"sign_by@time\", g.agreed_at AS \"agreed@time\", r.submitted_at AS \"submitted@time\", r.note, "
        "r.purpose, (SELECT json_group_array(json_object('reviewer', x.reviewer, 'score_thousandths', "
        "x.score, 'remark', x.remark)) FROM score x WHERE x.call = k.call AND x.request = k.request) AS "
        "\"scores@json\" FROM call_request k JOIN request r ON r.tenant = k.tenant AND r.id = k.request JOIN "
        "tenant t ON t.id = k.tenant LEFT JOIN grants g ON g.tenant = r.tenant AND g.id = r.grant_id WHERE "
        "k.call = $1 ORDER BY k.rank IS NULL, k.rank, k.request",
        "i", call);
}

/* Before the award: the ranks that the scores of now would give. */
static int provisional_ranks(struct store *s, int64_t call, json_t *requests, struct err *e) {
    struct call_entry *of = NULL;
    size_t n = 0, i;
    json_t *row;
    if (call_entries(s, call, &of, &n, e) < 0) return -1;
    call_rank(of, n);
    for (size_t k = 0; k < n; k++)
        json_array_foreach(requests, i,
                           row) if (json_integer_value(json_object_get(row, "number")) == of[k].request)
            json_object_set_new(row, "rank", json_integer(of[k].rank));
    free(of);
    return 0;
}

static int64_t rank_of(const json_t *row) {
    const json_t *rank = json_object_get(row, "rank");
    return json_is_integer(rank) ? json_integer_value(rank) : INT64_MAX;
}

/* Few enough for the plain way: a call has hundreds. */
static json_t *by_rank(json_t *requests) {
    json_t *sorted = json_array(), *row;
    size_t i;
    json_array_foreach(requests, i, row) {
        size_t at = json_array_size(sorted);
        while (at > 0 && rank_of(json_array_get(sorted, at - 1)) > rank_of(row)) at--;
        json_array_insert(sorted, at, row);
    }
    json_decref(requests);
    return sorted;
}

static void means_set(json_t *requests) {
    size_t i;
    json_t *row;
    json_array_foreach(requests, i, row) {
        int64_t sum = json_integer_value(json_object_get(row, "sum_thousandths")),
                n = json_integer_value(json_object_get(row, "reviewers"));
        json_object_set_new(row, "score_thousandths",
                            n ? json_integer((json_int_t)((sum + n / 2) / n)) : json_null());
        json_object_del(row, "sum_thousandths");
        json_object_del(row, "number");
    }
}

json_t *call_show(struct store *s, const struct call_row *c, instant_t now, struct err *e) {
    scoped_json json_t *all = call_list(s, now, e);
    json_t *requests = all ? requests_show(s, c->id, e) : NULL, *row;
    if (!requests) return NULL;
    if (!c->awarded.has && provisional_ranks(s, c->id, requests, e) < 0) {
        json_decref(requests);
        return NULL;
    }
    requests = by_rank(requests);
    means_set(requests);
    size_t i;
    json_array_foreach(all, i, row) {
        if (strcmp(json_string_value(json_object_get(row, "call")), c->name) != 0) continue;
        json_t *show = json_copy(row);
        json_object_set_new(show, "requests", requests);
        return show;
    }
    json_decref(requests);
    err_set(e, ERR_NOT_FOUND, "no call '%s'", c->name);
    return NULL;
}
