/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/request.h"

#include "alloc/call.h"
#include "alloc/exception.h"
#include "alloc/offer.h"
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/swap.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void request_free(struct request *r) {
    free(r->state);
    free(r->tenant_name);
    free(r->pool_name);
    *r = (struct request){0};
}

int request_find(struct store *s, int64_t id, int64_t tenant, struct request *out, struct err *e) {
    struct rows r;
    *out = (struct request){0};
    int rc = rows_open(&r, s, e,
                       "SELECT r.id, r.tenant, r.pool, coalesce(r.grant_id, 0), coalesce(r.call, 0), "
                       "r.state, t.name, p.name "
                       "FROM request r "
                       "JOIN tenant t ON t.id = r.tenant JOIN pool p ON p.id = r.pool "
                       "WHERE r.id = $1 AND ($2 = 0 OR r.tenant = $2)",
                       "ii", id, tenant);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = (struct request){.id = rows_int(&r, 0),
                                .tenant = rows_int(&r, 1),
                                .pool = rows_int(&r, 2),
                                .grant = rows_int(&r, 3),
                                .call = rows_int(&r, 4),
                                .state = mem_copy(rows_text(&r, 5)),
                                .tenant_name = mem_copy(rows_text(&r, 6)),
                                .pool_name = mem_copy(rows_text(&r, 7))};
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "no request r-%lld", (long long)id);
        err_hint(e, "allot request list shows what there is");
    }
    rows_close(&r);
    return rc;
}

int request_pool(struct store *s, const char *name, int64_t *pool, struct err *e) {
    int64_t count = 0;
    int rc = name ? sql_int(s, e, pool, "SELECT id FROM pool WHERE name = $1 AND id > 0", "s", name)
                  : sql_int(s, e, pool, "SELECT min(id) FROM pool WHERE id > 0", "");
    if (rc < 0 || sql_int(s, e, &count, "SELECT count(*) FROM pool WHERE id > 0", "") < 0) return -1;
    if (rc == 1 && (name || count == 1)) return 0;
    if (name) {
        err_set(e, ERR_NOT_FOUND, "no pool '%s'", name);
        return err_hint(e, "allot pool list shows what there is");
    }
    if (count == 0) {
        err_set(e, ERR_NOT_FOUND, "the store has no pool yet");
        return err_hint(e, "make one: allot pool add");
    }
    err_set(e, ERR_USAGE, "the store has %lld pools: name one", (long long)count);
    return err_hint(e, "--pool NAME; allot pool list shows them");
}

static int tenant_of(struct store *s, const char *name, int64_t *id, struct err *e) {
    scoped_free char *state = NULL;
    int rc = sql_int(s, e, id, "SELECT id FROM tenant WHERE name = $1", "s", name);
    if (rc < 0) return -1;
    if (rc == 0) {
        err_set(e, ERR_NOT_FOUND, "no tenant '%s'", name);
        return err_hint(e, "allot tenant list shows what there is");
    }
    if (sql_text(s, e, &state, "SELECT state FROM tenant WHERE id = $1", "i", *id) < 0) return -1;
    return strcmp(state, "closed") == 0 ? err_set(e, ERR_CONFLICT, "tenant %s is closed", name) : 0;
}

static int flavor_known(struct store *s, int64_t pool, const char *flavor, struct err *e) {
    int64_t one;
    if (!flavor) return 0;
    int rc = sql_int(s, e, &one, "SELECT 1 FROM flavor WHERE pool = $1 AND name = $2", "is", pool, flavor);
    if (rc != 0) return rc < 0 ? -1 : 0;
    scoped_free char *known = NULL;
    if (sql_text(
            s, e, &known,
            "SELECT group_concat(name, ', ') FROM (SELECT name FROM flavor WHERE pool = $1 ORDER BY place)",
            "i", pool) < 0)
        return -1;
    err_set(e, ERR_NOT_FOUND, "the pool has no flavor '%s'", flavor);
    return err_hint(e, "it has: %s", known ? known : "none");
}

static int services_known(struct store *s, int64_t pool, const struct request_new *n, struct err *e) {
    for (size_t i = 0; i < n->n_seats; i++) {
        int64_t one;
        int rc = sql_int(s, e, &one, "SELECT 1 FROM service WHERE pool = $1 AND name = $2", "is", pool,
                         n->seats[i].service);
        if (rc < 0) return -1;
        if (rc == 1) continue;
        scoped_free char *known = NULL;
        err_set(e, ERR_NOT_FOUND, "the pool has no service '%s'", n->seats[i].service);
        struct err ignored = {0};
        if (sql_text(
                s, &ignored, &known,
                "SELECT group_concat(name, ', ') FROM (SELECT name FROM service WHERE pool = $1 ORDER BY "
                "name)",
                "i", pool) < 0)
            return -1;
        return err_hint(e, "it has: %s", known ? known : "none");
    }
    return 0;
}

static int write_seats(struct book *b, int64_t tenant, int64_t id, const struct request_new *n,
                       struct err *e) {
    for (size_t i = 0; i < n->n_seats; i++)
        if (sql_do(b->store, e,
                   "INSERT INTO request_seats (tenant, request, service, seats) VALUES ($1, $2, $3, $4)",
                   "iisi", tenant, id, n->seats[i].service, n->seats[i].seats) < 0)
            return -1;
    return 0;
}

static int write_attrs(struct book *b, int64_t tenant, int64_t id, const struct request_new *n,
                       struct err *e) {
    for (size_t i = 0; i < n->n_attrs; i++)
        if (sql_do(b->store, e,
                   "INSERT INTO request_attr (tenant, request, name, value) VALUES ($1, $2, $3, $4)", "iiss",
                   tenant, id, n->attrs[i].name, n->attrs[i].value) < 0)
            return -1;
    return 0;
}

/* What a new request and an amended one state. 0 stands for "absent" only between these parameters: the
   columns hold NULL. */
#define ASK_COLUMNS                                                                                          \
    "purpose, flavor, units, compute_gflops, minimum_units, minimum_gflops, per_server, storage_bytes, "     \
    "until_at, term_s, datalake_bytes, replaces, planned_supply, state"
#define ASK_VALUES                                                                                           \
    "$3, $4, nullif($5, 0), nullif($6, 0), nullif($7, 0), nullif($8, 0), nullif($9, 0), $10, CASE WHEN $11 " \
    "THEN $12 END, nullif($13, 0), $14, nullif($15, 0), NULL, 'queued'"
#define ASK_INSERT                                                                                           \
    "INSERT INTO request (tenant, id, " ASK_COLUMNS ", pool, submitted_at, approved_by, override_rule, "     \
    "override_until) VALUES ($1, $2, " ASK_VALUES ", $16, $17, $18, $19, CASE WHEN $20 THEN $21 END)"
#define ASK_UPDATE "UPDATE request SET (" ASK_COLUMNS ") = (" ASK_VALUES ") WHERE tenant = $1 AND id = $2"

static int write_ask(struct book *b, const char *sql, int64_t tenant, int64_t id, const struct request_new *n,
                     struct err *e) {
    if (sql_do(b->store, e, sql, "iissiiiiiiiiiiiiissii", tenant, id, n->purpose ? n->purpose : "", n->flavor,
               n->ask == ASK_UNITS ? n->units.n : (int64_t)0,
               n->ask == ASK_COMPUTE ? n->compute.n : (int64_t)0,
               n->has_minimum && n->ask == ASK_UNITS ? n->minimum_units.n : (int64_t)0,
               n->has_minimum && n->ask == ASK_COMPUTE ? n->minimum_compute.n : (int64_t)0, n->per_server,
               n->storage.n, (int64_t)n->until.has, n->until.at.s, n->term.s, n->datalake.n, n->replaces,
               b->pool, b->at.s, n->approver, n->override_rule, (int64_t)n->override_until.has,
               n->override_until.at.s) < 0)
        return -1;
    return write_attrs(b, tenant, id, n, e) < 0 ? -1 : write_seats(b, tenant, id, n, e);
}

/* What was asked as a fixed document, for the digest in the ledger. */
static char *ask_words(const struct request_new *n) {
    scoped_json json_t *attrs = json_object(), *seats = json_object();
    for (size_t i = 0; i < n->n_attrs; i++)
        json_object_set_new(attrs, n->attrs[i].name, json_string(n->attrs[i].value));
    for (size_t i = 0; i < n->n_seats; i++)
        json_object_set_new(seats, n->seats[i].service, json_integer(n->seats[i].seats));
    scoped_json json_t *j =
        json_pack("{s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:O}", "flavor", n->flavor, "units",
                  (json_int_t)n->units.n, "compute_gflops", (json_int_t)n->compute.n, "minimum_units",
                  (json_int_t)n->minimum_units.n, "minimum_gflops", (json_int_t)n->minimum_compute.n,
                  "per_server", (json_int_t)n->per_server, "storage_bytes", (json_int_t)n->storage.n, "until",
                  (json_int_t)(n->until.has ? n->until.at.s : 0), "term_seconds", (json_int_t)n->term.s,
                  "purpose", n->purpose ? n->purpose : "", "attributes", attrs);
    if (n->datalake.n) json_object_set_new(j, "datalake_bytes", json_integer(n->datalake.n));
    if (n->n_seats) json_object_set(j, "seats", seats);
    if (n->call) json_object_set_new(j, "call", json_string(n->call));
    if (n->replaces) json_object_set_new(j, "replaces", json_integer(n->replaces));
    return json_canonical(j);
}

static int note(struct book *b, const char *kind, int64_t tenant, int64_t id, const char *words,
                struct err *e) {
    return book_write(b, &(struct entry){.kind = kind, .tenant = tenant, .request = id, .detail = words}, e);
}

static int write_exception(struct book *b, int64_t tenant, int64_t id, const struct request_new *n,
                           struct err *e) {
    struct exception x = {n->override_rule, n->override_reason, n->approver, n->override_until.at};
    struct text words = {0};
    if (!n->override_rule) return 0;
    int rc = exception_add(b, tenant, 0, &x, &words, e);
    if (rc == 0) rc = note(b, "request.override", tenant, id, words.s, e);
    text_free(&words);
    return rc;
}

/* A volume has a least size: a request that could only be refused later is refused now. */
static int storage_check(struct book *b, const struct request_new *n, struct err *e) {
    int64_t least = 0;
    if (n->storage.n == 0) return 0;
    if (sql_int(b->store, e, &least,
                "SELECT CASE WHEN volume_least_bytes > granule_bytes THEN volume_least_bytes ELSE "
                "granule_bytes END FROM pool "
                "WHERE id = $1",
                "i", b->pool) < 0)
        return -1;
    if (n->storage.n >= least) return 0;
    return err_set(e, ERR_USAGE, "%s of storage is less than the smallest volume of the pool, %s",
                   bytes_text(n->storage).s, bytes_text(bytes(least)).s);
}

int request_insert(struct book *b, const struct request_new *n, int64_t *id, struct err *e) {
    int64_t tenant;
    if (request_check(n, e) < 0 || tenant_of(b->store, n->tenant, &tenant, e) < 0 ||
        flavor_known(b->store, b->pool, n->flavor, e) < 0 || storage_check(b, n, e) < 0 ||
        services_known(b->store, b->pool, n, e) < 0 ||
        (n->replaces && swap_check(b, tenant, 0, n->replaces, e) < 0) ||
        store_next(b->store, "request", id, e) < 0)
        return -1;
    if (write_ask(b, ASK_INSERT, tenant, *id, n, e) < 0 ||
        (n->call && call_enter(b, n->call, tenant, *id, e) < 0))
        return -1;
    scoped_free char *words = ask_words(n);
    return note(b, "request.submit", tenant, *id, words, e) < 0 ? -1 : write_exception(b, tenant, *id, n, e);
}

static int must_be(const struct request *r, const char *doing, const char *const states[], struct err *e) {
    for (; *states; states++)
        if (strcmp(r->state, *states) == 0) return 0;
    return err_set(e, ERR_CONFLICT, "request r-%lld is %s: it cannot be %s", (long long)r->id, r->state,
                   doing);
}

static const char *const open_states[] = {"queued", "held", "returned", NULL};

/* It waits no more as it did: what was set aside for it is free for others. */
static int leave_queue(struct book *b, int64_t tenant, int64_t id, const char *why, struct err *e) {
    int64_t was_barrier = 0;
    if (sql_int(b->store, e, &was_barrier, "SELECT is_barrier FROM request WHERE tenant = $1 AND id = $2",
                "ii", tenant, id) < 0 ||
        offer_end(b, tenant, id, why, e) < 0)
        return -1;
    if (!was_barrier) return 0;
    if (sql_do(b->store, e, "UPDATE request SET is_barrier = 0 WHERE tenant = $1 AND id = $2", "ii", tenant,
               id) < 0)
        return -1;
    return supply_raise(b->store, b->pool, e);
}

int request_set_state(struct book *b, int64_t tenant, int64_t id, const char *state, const char *words,
                      struct err *e) {
    if (strcmp(state, "queued") != 0 && leave_queue(b, tenant, id, state, e) < 0) return -1;
    return sql_do(b->store, e, "UPDATE request SET state = $3, note = $4 WHERE tenant = $1 AND id = $2",
                  "iiss", tenant, id, state, words);
}

int request_amend(struct book *b, const struct request *r, const struct request_new *n, struct err *e) {
    if (must_be(r, "amended", open_states, e) < 0 || call_allows(b, r, CALL_AMEND, e) < 0 ||
        call_stays(b, r, n->call, e) < 0 || request_check(n, e) < 0 ||
        flavor_known(b->store, b->pool, n->flavor, e) < 0 || storage_check(b, n, e) < 0 ||
        services_known(b->store, b->pool, n, e) < 0 ||
        (n->replaces && swap_check(b, r->tenant, r->id, n->replaces, e) < 0))
        return -1;
    /* Who approved it, or set a rule aside for it, meant something else; its place in the queue counts from
     * now. In a call it has no place but its rank. */
    if (leave_queue(b, r->tenant, r->id, "amended", e) < 0 ||
        sql_do(b->store, e,
               "UPDATE request SET offer_past_gflops = NULL, approved_by = NULL, override_rule = NULL, "
               "override_until = NULL, "
               "submitted_at = CASE WHEN call IS NULL THEN $3 ELSE submitted_at END, note = NULL WHERE "
               "tenant = $1 AND id = $2",
               "iii", r->tenant, r->id, b->at.s) < 0 ||
        sql_do(b->store, e, "DELETE FROM request_attr WHERE tenant = $1 AND request = $2", "ii", r->tenant,
               r->id) < 0 ||
        sql_do(b->store, e, "DELETE FROM request_seats WHERE tenant = $1 AND request = $2", "ii", r->tenant,
               r->id) < 0 ||
        write_ask(b, ASK_UPDATE, r->tenant, r->id, n, e) < 0)
        return -1;
    scoped_free char *words = ask_words(n);
    return note(b, "request.amend", r->tenant, r->id, words, e);
}

/* The person behind an actor, whatever the role was at that time: "admin root (kim)" is kim. */
static void person_of(const char *actor, char *out, size_t size) {
    const char *name = strrchr(actor, '('), *space = strchr(actor, ' ');
    name = name ? name + 1 : space ? space + 1 : actor;
    text_format(out, size, "%.*s", (int)strcspn(name, ")"), name);
}

/* 1: that person submitted or amended it. A tenant's own name is of another kind than a user's. */
static int is_by(struct book *b, const struct request *r, const char *approver, struct err *e) {
    struct rows rows;
    char person[128], other[128];
    person_of(approver, person, sizeof person);
    int found = 0,
        rc = rows_open(&rows, b->store, e,
                       "SELECT DISTINCT actor FROM entry WHERE tenant = $1 AND request = $2 AND kind IN "
                       "('request.submit', 'request.amend') AND actor NOT LIKE 'tenant %'",
                       "ii", r->tenant, r->id);
    while (rc == 0 && (rc = rows_next(&rows, e)) == 1) {
        person_of(rows_text(&rows, 0), other, sizeof other);
        found |= strcmp(person, other) == 0;
        rc = 0;
    }
    rows_close(&rows);
    return rc < 0 ? -1 : found;
}

int request_approve(struct book *b, const struct request *r, const char *approver, struct err *e) {
    static const char *const states[] = {"held", NULL};
    if (must_be(r, "approved", states, e) < 0) return -1;
    int own = is_by(b, r, approver, e);
    if (own < 0) return -1;
    if (own) {
        err_set(e, ERR_DENIED, "%s submitted r-%lld and cannot approve it", approver, (long long)r->id);
        return err_hint(e,
                        "another operator must approve it; an admin alone can withdraw it and grant "
                        "directly: allot grant add %s",
                        r->tenant_name);
    }
    if (sql_do(b->store, e,
               "UPDATE request SET state = 'queued', approved_by = $3, note = NULL, planned_supply = NULL "
               "WHERE tenant = $1 AND id "
               "= $2",
               "iis", r->tenant, r->id, approver) < 0)
        return -1;
    return note(b, "request.approve", r->tenant, r->id, NULL, e);
}

/* Tells the tenant that a request was ended or returned, and why. */
static int tell(struct book *b, const struct request *r, const char *state, const char *en_words,
                const char *ko_opening, const char *ko_words, struct err *e) {
    struct text en = {0}, ko = {0};
    text_add(&en, "Request r-%lld was %s: %s", (long long)r->id, state, en_words);
    text_add(&ko, "신청 r-%lld: %s: %s", (long long)r->id, ko_opening, ko_words);
    int rc = outbox_add(b, &(struct message){"decided", r->tenant, 0, r->id, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

/* Ends or returns a request with words that its tenant is told. */
static int answer(struct book *b, const struct request *r, const char *state, const char *kind,
                  const char *words, const char *ko_opening, struct err *e) {
    if (request_set_state(b, r->tenant, r->id, state, words, e) < 0 ||
        note(b, kind, r->tenant, r->id, words, e) < 0)
        return -1;
    return tell(b, r, state, words, ko_opening, words, e);
}

int request_drop(struct book *b, const struct request *r, const char *code, const char *en, const char *ko,
                 struct err *e) {
    if (request_set_state(b, r->tenant, r->id, "denied", code, e) < 0 ||
        call_leave(b, r->tenant, r->id, "out", e) < 0 ||
        note(b, "request.deny", r->tenant, r->id, code, e) < 0)
        return -1;
    return tell(b, r, "denied", en, "거절되었습니다", ko, e);
}

int request_deny(struct book *b, const struct request *r, const char *reason, struct err *e) {
    if (must_be(r, "denied", open_states, e) < 0 || call_leave(b, r->tenant, r->id, "out", e) < 0) return -1;
    return answer(b, r, "denied", "request.deny", reason, "거절되었습니다", e);
}

int request_return(struct book *b, const struct request *r, const char *remark, struct err *e) {
    static const char *const states[] = {"queued", "held", NULL};
    if (must_be(r, "returned", states, e) < 0 || call_allows(b, r, CALL_RETURN, e) < 0) return -1;
    return answer(b, r, "returned", "request.return", remark, "보완이 필요합니다", e);
}

int request_withdraw(struct book *b, const struct request *r, struct err *e) {
    if (must_be(r, "withdrawn", open_states, e) < 0 || call_leave(b, r->tenant, r->id, "out", e) < 0 ||
        request_set_state(b, r->tenant, r->id, "withdrawn", NULL, e) < 0)
        return -1;
    return note(b, "request.withdraw", r->tenant, r->id, NULL, e);
}

json_t *request_list(struct store *s, const struct request_filter *f, struct err *e) {
    return sql_json(
        s, e,
        "SELECT 'r-' || r.id AS request, t.name AS tenant, p.name AS pool, r.state, r.flavor, r.units, "
        "r.compute_gflops, r.minimum_units, r.minimum_gflops, r.storage_bytes, nullif(r.datalake_bytes, 0) "
        "AS "
        "datalake_bytes, c.name AS call, CASE WHEN r.replaces IS NOT NULL THEN 'g-' || r.replaces END AS "
        "replaces, r.until_at AS \"until@time\", "
        "r.term_s AS term_seconds, r.submitted_at AS \"submitted@time\", r.purpose, r.note, "
        "CASE WHEN r.grant_id IS NOT NULL THEN 'g-' || r.grant_id END AS \"grant\" "
        "FROM request r JOIN tenant t ON t.id = r.tenant JOIN pool p ON p.id = r.pool LEFT JOIN call c ON "
        "c.id = r.call WHERE ($1 = 0 OR r.tenant = $1) AND ($2 = 0 OR r.pool = $2) AND ($3 = '' OR r.state = "
        "$3) ORDER BY "
        "r.id",
        "iis", f->tenant, f->pool, f->state ? f->state : "");
}

/* Rows of (name, value) as one object. */
static json_t *pairs_show(struct store *s, const struct request *r, struct err *e, const char *sql) {
    scoped_json json_t *rows = sql_json(s, e, sql, "ii", r->tenant, r->id);
    if (!rows) return NULL;
    json_t *named = json_object(), *row;
    size_t i;
    json_array_foreach(rows, i, row) json_object_set(named, json_string_value(json_object_get(row, "name")),
                                                     json_object_get(row, "value"));
    return named;
}

json_t *request_show(struct store *s, const struct request *r, struct err *e) {
    json_t *show = sql_json_one(
        s, e, "such request",
        "SELECT 'r-' || r.id AS request, t.name AS tenant, p.name AS pool, r.state, r.purpose, r.flavor, "
        "r.units, "
        "r.compute_gflops, r.minimum_units, r.minimum_gflops, r.per_server, r.storage_bytes, "
        "nullif(r.datalake_bytes, 0) AS datalake_bytes, c.name AS call, CASE WHEN r.replaces IS NOT NULL "
        "THEN 'g-' || r.replaces END AS replaces, r.until_at AS \"until@time\", "
        "r.term_s AS term_seconds, r.submitted_at AS \"submitted@time\", r.approved_by, r.override_rule, "
        "r.note, "
        "CASE WHEN r.grant_id IS NOT NULL THEN 'g-' || r.grant_id END AS \"grant\", d.id AS decision_number, "
        "d.at AS \"decided@time\", d.body AS \"decision@json\" FROM request r JOIN tenant t ON t.id = "
        "r.tenant "
        "JOIN pool p ON p.id = r.pool LEFT JOIN decision d ON d.id = r.decision LEFT JOIN call c ON c.id "
        "= r.call WHERE r.tenant = $1 AND r.id = $2",
        "ii", r->tenant, r->id);
    json_t *attrs = pairs_show(
        s, r, e, "SELECT name, value FROM request_attr WHERE tenant = $1 AND request = $2 ORDER BY name");
    json_t *seats = pairs_show(s, r, e,
                               "SELECT service AS name, seats AS value FROM request_seats WHERE tenant = $1 "
                               "AND request = $2 ORDER BY service");
    json_t *offer = offer_show(s, r->id, e);
    if (!show || !attrs || !seats || !offer) {
        json_decref(offer);
        json_decref(show);
        json_decref(attrs);
        json_decref(seats);
        return NULL;
    }
    json_object_set_new(show, "attributes", attrs);
    json_object_set_new(show, "offer", offer);
    json_object_set_new(show, "seats", seats);
    return show;
}
