/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/call_award.h"

#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/version.h"

#include <stdlib.h>
#include <string.h>

struct awarding {
    struct book *book;
    const struct decider *decider;
    const struct call_row *call;
    struct engine_results *results;
    gflops_t compute; /* given in the call so far */
    bytes_t storage;
};

/* ---- one request ---- */

/* Counted once, and with each request that is given something: a thousand are awarded in one transaction. */
static int given_before(struct awarding *a, struct err *e) {
    int64_t compute = 0, storage = 0;
    if (sql_int(a->book->store, e, &compute, "SELECT sum(compute_gflops) FROM call_request WHERE call = $1",
                "i", a->call->id) < 0 ||
        sql_int(a->book->store, e, &storage, "SELECT sum(storage_bytes) FROM call_request WHERE call = $1",
                "i", a->call->id) < 0)
        return -1;
    a->compute = gflops(compute);
    a->storage = bytes(storage);
    return 0;
}

/* What the call gave a request that is considered again (its backend refused it) is not given to another. */
static int give_back(struct awarding *a, int64_t request, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, a->book->store, e,
                  "SELECT compute_gflops, storage_bytes FROM call_request WHERE call = $1 AND request = $2",
                  "ii", a->call->id, request);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        a->compute = gflops(a->compute.n - rows_int(&r, 0));
        a->storage = bytes(a->storage.n - rows_int(&r, 1));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* What the call has left: its share less what was given. */
static struct call_share share_left(const struct awarding *a) {
    const struct call_row *c = a->call;
    return (struct call_share){.has_compute = c->has_compute,
                               .has_storage = c->has_storage,
                               .compute = gflops(larger(0, c->compute.n - a->compute.n)),
                               .storage = bytes(larger(0, c->storage.n - a->storage.n))};
}

/* The end of the civil day of t. */
static instant_t day_end(instant_t t) {
    int64_t civil = t.s + CLOCK_CIVIL_OFFSET;
    return instant((civil + CLOCK_DAY - 1) / CLOCK_DAY * CLOCK_DAY - CLOCK_CIVIL_OFFSET);
}

/* Until when it must be signed: who moves up later has as long as the first had, and the rest of that day. */
static struct maybe_instant sign_by(const struct call_row *c, instant_t now) {
    if (!c->sign_by.has || !c->awarded.has || now.s <= c->awarded.at.s) return c->sign_by;
    instant_t later = day_end(instant(now.s + (c->sign_by.at.s - c->awarded.at.s)));
    return (struct maybe_instant){true, later};
}

static int tell_award(struct awarding *a, int64_t tenant, int64_t request, int64_t grant, bool moved_up,
                      const struct maybe_instant *until, struct err *e) {
    scoped_text struct text en = {0}, ko = {0};
    const char *name = a->call->name;
    if (moved_up) {
        text_add(&en, "Request r-%lld has moved up from the reserve list of the call %s. ",
                 (long long)request, name);
        text_add(&ko, "신청 r-%lld이(가) 공모 %s의 예비 명단에서 선정되었습니다. ", (long long)request, name);
    }
    if (until->has) {
        text_add(&en,
                 "Sign the agreement for grant g-%lld by %s: nothing is made before, and what is not "
                 "signed by then goes to the next on the list.",
                 (long long)grant, end_text(until->at).s);
        text_add(&ko,
                 "할당 g-%lld의 협약을 %s까지 체결해 주세요. 협약 전에는 자원을 제공하지 않으며, 기한이 "
                 "지나면 다음 순위로 넘어갑니다.",
                 (long long)grant, end_text(until->at).s);
    }
    if (en.length == 0) return 0;
    return outbox_add(a->book, &(struct message){"awarded", tenant, grant, request, en.s, ko.s, NULL}, e);
}

struct given {
    int64_t grant, compute, bytes;
    bool needs_agreement;
};

static int given_of(struct awarding *a, int64_t request, struct given *out, struct err *e) {
    struct rows r;
    *out = (struct given){0};
    int rc =
        rows_open(&r, a->book->store, e,
                  "SELECT g.id, g.compute_gflops, g.storage_bytes + (SELECT coalesce(sum(h.quantity), 0) "
                  "FROM hand_line h WHERE h.tenant = g.tenant AND h.grant_id = g.id AND h.item = "
                  "'datalake'), g.needs_agreement AND g.agreed_at IS NULL FROM request q JOIN grants g ON "
                  "g.tenant = q.tenant AND g.id = q.grant_id WHERE q.id = $1 AND q.state = 'granted'",
                  "i", request);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = (struct given){rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 2), rows_int(&r, 3) != 0};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int write_awarded(struct awarding *a, int64_t tenant, int64_t request, const struct given *g,
                         bool moved_up, struct err *e) {
    struct maybe_instant until =
        g->needs_agreement ? sign_by(a->call, a->book->at) : (struct maybe_instant){0};
    struct entry entry = {.kind = moved_up ? "call.move-up" : "call.give",
                          .tenant = tenant,
                          .request = request,
                          .grant = g->grant,
                          .detail = a->call->name};
    if (sql_do(a->book->store, e,
               "UPDATE call_request SET state = 'awarded', compute_gflops = $3, storage_bytes = $4, "
               "sign_by = "
               "CASE WHEN $5 THEN $6 END WHERE call = $1 AND request = $2",
               "iiiiii", a->call->id, request, g->compute, g->bytes, (int64_t)until.has, until.at.s) < 0 ||
        sql_do(a->book->store, e, "UPDATE grants SET call = $3 WHERE tenant = $1 AND id = $2", "iii", tenant,
               g->grant, a->call->id) < 0 ||
        book_write(a->book, &entry, e) < 0)
        return -1;
    return tell_award(a, tenant, request, g->grant, moved_up, &until, e);
}

/* After its plan: what it is in the call now. */
static int settle_one(struct awarding *a, int64_t tenant, int64_t request, const char *before,
                      struct err *e) {
    scoped_free char *state = NULL;
    struct given given;
    if (sql_text(a->book->store, e, &state, "SELECT state FROM request WHERE tenant = $1 AND id = $2", "ii",
                 tenant, request) < 0 ||
        given_of(a, request, &given, e) < 0)
        return -1;
    if (given.grant) {
        if (gflops_add(a->compute, gflops(given.compute), &a->compute, e) < 0 ||
            bytes_add(a->storage, bytes(given.bytes), &a->storage, e) < 0)
            return -1;
        return write_awarded(a, tenant, request, &given, strcmp(before, "reserve") == 0, e);
    }
    const char *now = state && strcmp(state, "denied") == 0 ? "out" : "reserve";
    return call_leave(a->book, tenant, request, now, e);
}

static int consider(struct awarding *a, int64_t tenant, int64_t request, const char *before, struct err *e) {
    if (strcmp(before, "awarded") == 0 && give_back(a, request, e) < 0) return -1;
    struct call_share share = share_left(a);
    if (fault_point("call.request", e) < 0 ||
        engine_plan_alone(a->book, a->decider, request, &share, a->results, e) < 0)
        return -1;
    return settle_one(a, tenant, request, before, e);
}

/* ---- the award ---- */

static int has_policy(struct awarding *a, struct err *e) {
    scoped_free char *stored = NULL;
    int64_t version;
    int has =
        version_active(a->book->store, a->book->pool, a->book->at, &version, &a->book->policy, &stored, e);
    if (has != 0) return has < 0 ? -1 : 0;
    err_set(e, ERR_CONFLICT, "no policy is valid for this pool now: nothing can be awarded");
    return err_hint(e, "load one: allot policy load FILE");
}

static int all_scored(const struct call_row *c, const struct call_entry *of, size_t n, struct err *e) {
    scoped_text struct text without = {0};
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (of[i].reviewers == 0 && ++count <= 20)
            text_add(&without, "%sr-%lld", count > 1 ? ", " : "", (long long)of[i].request);
    if (count == 0) return 0;
    err_set(e, ERR_CONFLICT, "the call %s cannot be awarded: %zu of its requests have no score: %s%s",
            c->name, count, without.s, count > 20 ? " ..." : "");
    return err_hint(e, "import their scores (allot call score %s FILE), or deny or return them", c->name);
}

/* What was returned and not completed is out. */
static int drop_returned(struct awarding *a, struct err *e) {
    scoped_json json_t *left =
        sql_json(a->book->store, e,
                 "SELECT k.request FROM call_request k JOIN request r ON r.tenant = k.tenant AND r.id = "
                 "k.request WHERE k.call = $1 AND k.state = 'entered' AND r.state = 'returned' ORDER BY 1",
                 "i", a->call->id);
    size_t i;
    json_t *row;
    if (!left) return -1;
    json_array_foreach(left, i, row) {
        struct request r;
        if (request_find(a->book->store, json_integer_value(json_object_get(row, "request")), 0, &r, e) < 0)
            return -1;
        int rc =
            request_drop(a->book, &r, "NOT_COMPLETED", "it was not completed before the award of its call",
                         "공모 선정 전까지 보완되지 않았습니다", e);
        request_free(&r);
        if (rc < 0) return -1;
    }
    return 0;
}

static int write_ranks(struct awarding *a, const struct call_entry *of, size_t n, struct err *e) {
    for (size_t i = 0; i < n; i++)
        if (sql_do(a->book->store, e, "UPDATE call_request SET rank = $3 WHERE call = $1 AND request = $2",
                   "iii", a->call->id, of[i].request, of[i].rank) < 0)
            return -1;
    return 0;
}

/* The order as it was decided by, for the record: rank, request, sum of scores, reviewers. */
static int note_award(struct awarding *a, const struct call_entry *of, size_t n, struct err *e) {
    scoped_json json_t *order = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(order,
                              json_pack("{s:I, s:I, s:I, s:I}", "rank", (json_int_t)of[i].rank, "request",
                                        (json_int_t)of[i].request, "sum_thousandths", (json_int_t)of[i].sum,
                                        "reviewers", (json_int_t)of[i].reviewers));
    scoped_json json_t *all = json_pack("{s:s, s:O}", "call", a->call->name, "order", order);
    scoped_free char *words = json_canonical(all);
    return book_note(a->book, "call.award", 0, words, e);
}

static int award_all(struct awarding *a, const struct call_entry *of, size_t n, struct err *e) {
    if (drop_returned(a, e) < 0 || write_ranks(a, of, n, e) < 0 || note_award(a, of, n, e) < 0) return -1;
    for (size_t i = 0; i < n; i++)
        if (consider(a, of[i].tenant, of[i].request, "entered", e) < 0) return -1;
    return 0;
}

static int award_check(const struct awarding *a, struct maybe_instant sign_by, struct err *e) {
    const struct call_row *c = a->call;
    if (call_is_open(c, a->book->at)) {
        err_set(e, ERR_CONFLICT, "the call %s is still open", c->name);
        return err_hint(e, "allot call close %s", c->name);
    }
    if (c->awarded.has)
        return err_set(e, ERR_CONFLICT, "the call %s was awarded on %s", c->name, date_text(c->awarded.at).s);
    return sign_by.has && sign_by.at.s <= a->book->at.s
               ? err_set(e, ERR_USAGE, "the last day to sign, %s, has passed", end_text(sign_by.at).s)
               : 0;
}

int call_award(struct book *b, const struct decider *decider, const struct call_row *c,
               struct maybe_instant sign_by, struct engine_results *results, struct err *e) {
    struct call_row now = *c;
    now.awarded = (struct maybe_instant){true, b->at};
    now.sign_by = sign_by;
    struct awarding a = {.book = b, .decider = decider, .call = c, .results = results};
    struct call_entry *of = NULL;
    size_t n = 0;
    int rc = award_check(&a, sign_by, e);
    a.call = &now;
    if (rc == 0) rc = has_policy(&a, e);
    if (rc == 0) rc = call_entries(b->store, c->id, &of, &n, e);
    if (rc == 0) rc = all_scored(c, of, n, e);
    if (rc == 0 && n == 0) rc = err_set(e, ERR_CONFLICT, "the call %s has no request to award", c->name);
    if (rc == 0)
        rc = sql_do(b->store, e,
                    "UPDATE call SET state = 'awarded', awarded_at = $2, sign_by = CASE WHEN $3 THEN $4 END "
                    "WHERE id = $1",
                    "iiii", c->id, b->at.s, (int64_t)sign_by.has, sign_by.at.s);
    call_rank(of, n);
    if (rc == 0) rc = given_before(&a, e);
    if (rc == 0) rc = award_all(&a, of, n, e);
    engine_results_sort(results);
    free(of);
    return rc;
}

/* ---- after the award ---- */

int call_fill(struct book *b, const struct decider *decider, int64_t call, struct engine_results *results,
              struct err *e) {
    struct call_row c;
    if (call_load(b->store, call, &c, e) < 0) return -1;
    struct awarding a = {.book = b, .decider = decider, .call = &c, .results = results};
    /* Held for a person is not in turn; an approved one is queued. */
    scoped_json json_t *in_turn =
        sql_json(b->store, e,
                 "SELECT k.tenant, k.request, k.state FROM call_request k JOIN request r ON r.tenant = "
                 "k.tenant AND r.id = k.request WHERE k.call = $1 AND k.rank IS NOT NULL AND (r.state = "
                 "'queued' OR (k.state = 'reserve' AND r.state = 'held' AND r.note IN ('RESERVE_LIST', "
                 "'NO_POLICY', 'EVAL_ERROR'))) ORDER BY k.rank",
                 "i", call);
    int rc = in_turn ? given_before(&a, e) : -1;
    size_t i;
    json_t *row;
    if (rc == 0 && strcmp(c.state, "awarded") == 0) json_array_foreach(in_turn, i, row) {
            rc = consider(&a, json_integer_value(json_object_get(row, "tenant")),
                          json_integer_value(json_object_get(row, "request")),
                          json_string_value(json_object_get(row, "state")), e);
            if (rc < 0) break;
        }
    engine_results_sort(results);
    call_row_free(&c);
    return rc;
}

int call_plan_queued(struct book *b, const struct decider *decider, struct engine_results *results,
                     struct err *e) {
    scoped_json json_t *queued =
        sql_json(b->store, e,
                 "SELECT r.id, r.call, k.rank FROM request r JOIN call_request k ON k.call = r.call AND "
                 "k.request = r.id WHERE r.state = 'queued' AND r.pool = $1 AND r.call IS NOT NULL ORDER BY "
                 "r.call, r.id",
                 "i", b->pool);
    size_t i;
    json_t *row;
    int64_t filled = 0;
    if (!queued) return -1;
    json_array_foreach(queued, i, row) {
        int64_t call = json_integer_value(json_object_get(row, "call")),
                id = json_integer_value(json_object_get(row, "id"));
        bool is_ranked = json_is_integer(json_object_get(row, "rank"));
        if (is_ranked && call == filled) continue; /* its whole call was planned, and it with it */
        if (is_ranked) filled = call;
        if ((is_ranked ? call_fill(b, decider, call, results, e)
                       : engine_plan_alone(b, decider, id, &(struct call_share){0}, results, e)) < 0)
            return -1;
    }
    return 0;
}

int call_decline(struct book *b, const struct request *r, const char *why, struct err *e) {
    scoped_free char *state = NULL;
    if (!r->call)
        return err_set(e, ERR_CONFLICT, "r-%lld answers no call: there is no award to decline",
                       (long long)r->id);
    if (sql_text(b->store, e, &state, "SELECT state FROM call_request WHERE call = $1 AND request = $2", "ii",
                 r->call, r->id) < 0)
        return -1;
    bool is_awarded = state && strcmp(state, "awarded") == 0,
         is_reserve = state && strcmp(state, "reserve") == 0;
    if (!is_awarded && !is_reserve) {
        err_set(e, ERR_CONFLICT, "r-%lld is %s in its call: it cannot be declined", (long long)r->id,
                state ? state : "nothing");
        return state && strcmp(state, "entered") == 0
                   ? err_hint(e, "before the award: allot request withdraw r-%lld", (long long)r->id)
                   : -1;
    }
    if (r->grant) {
        struct grant g;
        if (grant_find(b->store, r->grant, r->tenant, &g, e) < 0) return -1;
        int rc = grant_release(b, &g, "declined by its tenant", e);
        grant_free(&g);
        if (rc < 0) return -1;
    }
    if (call_leave(b, r->tenant, r->id, "declined", e) < 0 ||
        request_set_state(b, r->tenant, r->id, "withdrawn", "DECLINED", e) < 0)
        return -1;
    return book_write(b,
                      &(struct entry){.kind = "request.decline",
                                      .tenant = r->tenant,
                                      .request = r->id,
                                      .grant = r->grant,
                                      .detail = why},
                      e);
}

/* ---- what time brings ---- */

static int close_passed(struct book *b, struct err *e) {
    scoped_json json_t *passed = sql_json(
        b->store, e, "SELECT id FROM call WHERE pool = $1 AND state = 'open' AND closes_at <= $2 ORDER BY id",
        "ii", b->pool, b->at.s);
    size_t i;
    json_t *row;
    if (!passed) return -1;
    json_array_foreach(passed, i, row) {
        struct call_row c;
        if (call_load(b->store, json_integer_value(json_object_get(row, "id")), &c, e) < 0) return -1;
        int rc = call_close(b, &c, e);
        call_row_free(&c);
        if (rc < 0) return -1;
    }
    return 0;
}

static int drop_unsigned(struct book *b, int64_t request, struct err *e) {
    struct request r;
    struct grant g = {0};
    if (request_find(b->store, request, 0, &r, e) < 0) return -1;
    int rc = grant_find(b->store, r.grant, r.tenant, &g, e);
    if (rc == 0) rc = grant_void(b, &g, "its agreement was not signed in time", e);
    if (rc == 0)
        rc = request_drop(b, &r, "NOT_SIGNED", "its agreement was not signed in time",
                          "기한 안에 협약이 체결되지 않았습니다", e);
    grant_free(&g);
    request_free(&r);
    return rc;
}

static int drop_all_unsigned(struct book *b, int64_t *count, struct err *e) {
    scoped_json json_t *late = sql_json(
        b->store, e,
        "SELECT k.request FROM call_request k JOIN call c ON c.id = k.call JOIN request r ON r.tenant "
        "= k.tenant AND r.id = k.request JOIN grants g ON g.tenant = r.tenant AND g.id = r.grant_id "
        "WHERE c.pool = $1 AND k.state = 'awarded' AND k.sign_by <= $2 AND g.state = 'reserved' AND "
        "g.needs_agreement = 1 AND g.agreed_at IS NULL ORDER BY k.request",
        "ii", b->pool, b->at.s);
    size_t i;
    json_t *row;
    if (!late) return -1;
    json_array_foreach(late, i, row) {
        if (fault_point("call.unsigned", e) < 0 ||
            drop_unsigned(b, json_integer_value(json_object_get(row, "request")), e) < 0)
            return -1;
        ++*count;
    }
    return 0;
}

int call_tick(struct book *b, const struct decider *decider, struct engine_results *results,
              int64_t *unsigned_in_time, struct err *e) {
    if (close_passed(b, e) < 0 || drop_all_unsigned(b, unsigned_in_time, e) < 0) return -1;
    scoped_json json_t *waiting = sql_json(
        b->store, e,
        "SELECT DISTINCT c.id FROM call c JOIN call_request k ON k.call = c.id WHERE c.pool = $1 AND "
        "c.state = 'awarded' AND k.state = 'reserve' ORDER BY c.id",
        "i", b->pool);
    size_t i;
    json_t *row;
    if (!waiting) return -1;
    json_array_foreach(waiting, i,
                       row) if (call_fill(b, decider, json_integer_value(json_object_get(row, "id")), results,
                                          e) < 0) return -1;
    return 0;
}
