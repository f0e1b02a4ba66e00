/* SPDX-License-Identifier: Apache-2.0 */
/* Why an offer ends before it is taken: each has the words for its tenant. */
#include "alloc/offer.h"
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <string.h>

/* passed: its request let it pass. */
static int end_one(struct book *b, int64_t tenant, int64_t request, const char *why, bool passed,
                   struct err *e) {
    int64_t compute;
    int rc =
        sql_int(b->store, e, &compute, "SELECT compute_gflops FROM offer WHERE request = $1", "i", request);
    if (rc <= 0) return rc;
    if (offer_remove(b, tenant, request, e) < 0 ||
        sql_do(b->store, e,
               "UPDATE request SET offer_past_gflops = CASE WHEN $4 = 1 THEN $3 ELSE offer_past_gflops END, "
               "planned_supply = NULL WHERE tenant = $1 AND id = $2",
               "iiii", tenant, request, compute, (int64_t)passed) < 0 ||
        supply_raise(b->store, b->pool, e) < 0)
        return -1;
    return book_write(
        b, &(struct entry){.kind = "offer.end", .tenant = tenant, .request = request, .detail = why}, e);
}

int offer_end(struct book *b, int64_t tenant, int64_t request, const char *why, struct err *e) {
    return end_one(b, tenant, request, why, false, e);
}

static int tell_end(struct book *b, int64_t tenant, int64_t request, const char *en, const char *ko,
                    struct err *e) {
    struct text full_en = {0}, full_ko = {0};
    text_add(&full_en, "The offer for request r-%lld has ended: %s. The request keeps its place.",
             (long long)request, en);
    text_add(&full_ko, "신청 r-%lld에 대한 제안이 종료되었습니다: %s. 신청의 순번은 유지됩니다.",
             (long long)request, ko);
    int rc = outbox_add(b, &(struct message){"offer", tenant, 0, request, full_en.s, full_ko.s, NULL}, e);
    text_free(&full_en);
    text_free(&full_ko);
    return rc;
}

/* The requests that a statement names: rows that are to be changed are not read meanwhile. */
static int end_each(struct book *b, const json_t *rows, const char *why, bool passed, const char *en,
                    const char *ko, int64_t *n, struct err *e) {
    size_t i;
    json_t *row;
    if (!rows) return -1;
    json_array_foreach(rows, i, row) {
        int64_t tenant = json_integer_value(json_object_get(row, "tenant")),
                request = json_integer_value(json_object_get(row, "request"));
        if (end_one(b, tenant, request, why, passed, e) < 0 || tell_end(b, tenant, request, en, ko, e) < 0)
            return -1;
        if (n) ++*n;
    }
    return 0;
}

int offer_expire(struct book *b, int64_t *n, struct err *e) {
    scoped_json json_t *rows = sql_json(
        b->store, e, "SELECT tenant, request FROM offer WHERE pool = $1 AND until_at <= $2 ORDER BY request",
        "ii", b->pool, b->at.s);
    return end_each(b, rows, "expired", true, "its time has passed", "기한이 지났습니다", n, e);
}

/* $1: the pool. Devices are known one by one. */
#define LOST_DEVICES                                                                                         \
    "SELECT o.tenant, o.request FROM offer o WHERE o.pool = $1 AND EXISTS (SELECT 1 FROM offer_line l JOIN " \
    "flavor f ON f.pool = l.pool AND 'unit/' || f.name = l.item WHERE l.pool = o.pool AND l.tenant = "       \
    "o.tenant AND f.has_slots = 1 AND l.quantity > (SELECT count(*) FROM slot s WHERE s.offer = o.request "  \
    "AND s.flavor = f.name AND s.state = 'ok')) ORDER BY o.request"

/* The newest of those that together set aside more of something than is free: the others may stand. */
#define LOST_NEWEST                                                                                          \
    "SELECT o.tenant, o.request FROM offer o WHERE o.pool = $1 AND EXISTS (SELECT 1 FROM offer_line l "      \
    "WHERE "                                                                                                 \
    "l.pool = o.pool AND l.tenant = o.tenant AND (SELECT sum(k.quantity) FROM offer_line k WHERE k.pool = "  \
    "l.pool AND k.item = l.item) > coalesce((SELECT a.balance FROM account a WHERE a.pool = l.pool AND "     \
    "a.item = l.item AND a.kind = 'free' AND a.grant_id = 0), 0)) ORDER BY o.made_at DESC, o.request DESC "  \
    "LIMIT 1"

static int end_lost(struct book *b, const char *sql, int64_t *n, struct err *e) {
    scoped_json json_t *rows = sql_json(b->store, e, sql, "i", b->pool);
    *n = 0;
    return end_each(b, rows, "lost", false, "what it set aside was lost", "확보해 둔 자원이 유실되었습니다",
                    n, e);
}

int offer_end_lost(struct book *b, struct err *e) {
    int64_t n;
    if (end_lost(b, LOST_DEVICES, &n, e) < 0) return -1;
    do {
        if (end_lost(b, LOST_NEWEST, &n, e) < 0) return -1;
    } while (n > 0);
    return 0;
}

/* ---- what gives nothing new ---- */

static bool stands_on(const json_t *body, const char *host) {
    const json_t *server;
    size_t i;
    json_array_foreach(json_object_get(body, "servers"), i, server) {
        const char *on = json_string_value(json_object_get(server, "host"));
        if (on && strcmp(on, host) == 0) return true;
    }
    return false;
}

int offer_end_drained(struct book *b, const char *host, struct err *e) {
    scoped_json json_t *rows =
        sql_json(b->store, e,
                 "SELECT tenant, request, body AS \"body@json\" FROM offer WHERE pool = $1 ORDER BY request",
                 "i", b->pool);
    if (!rows) return -1;
    for (size_t i = json_array_size(rows); host && i-- > 0;)
        if (!stands_on(json_object_get(json_array_get(rows, i), "body"), host)) json_array_remove(rows, i);
    return end_each(b, rows, "drained", false, "what it set aside gives nothing new any more",
                    "확보해 둔 자원이 정리 중이라 새로 배정하지 않습니다", NULL, e);
}

static int end_suspended(struct book *b, int64_t tenant, struct err *e) {
    scoped_json json_t *rows =
        sql_json(b->store, e, "SELECT tenant, request FROM offer WHERE pool = $1 AND tenant = $2", "ii",
                 b->pool, tenant);
    return end_each(b, rows, "suspended", false, "the tenant is suspended", "이용이 정지되었습니다", NULL, e);
}

int offers_end_suspended(struct store *s, int64_t tenant, const char *actor, instant_t now, struct err *e) {
    scoped_json json_t *pools =
        sql_json(s, e, "SELECT pool FROM offer WHERE tenant = $1 ORDER BY pool", "i", tenant);
    size_t i;
    const json_t *row;
    if (!pools) return -1;
    json_array_foreach(pools, i, row) {
        struct book b;
        if (book_open(&b, s, json_integer_value(json_object_get(row, "pool")), actor, now, e) < 0 ||
            end_suspended(&b, tenant, e) < 0 || book_close(&b, e) < 0)
            return -1;
    }
    return 0;
}
