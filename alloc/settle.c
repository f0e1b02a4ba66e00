/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/settle.h"

#include "alloc/ceiling.h"
#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/hand.h"
#include "alloc/outbox.h"
#include "alloc/request.h"
#include "alloc/scope.h"
#include "alloc/swap.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

struct operation {
    int64_t id, tenant, grant, units;
    bytes_t bytes;
    gflops_t rating;  /* of one unit, as the grant was given */
    bool has_compute; /* units of item, else bytes of it */
    bool is_quota, want_present;
    char item[96], observed[16];
};

static int operation_load(struct store *s, int64_t id, struct operation *o, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT o.tenant, o.grant_id, o.flavor IS NOT NULL, o.item, o.units, o.bytes, o.desired = 'present', "
        "o.observed, coalesce(l.rating_gflops, 0), o.kind = 'quota' FROM operation o LEFT JOIN grant_line l "
        "ON l.tenant = "
        "o.tenant "
        "AND l.grant_id = o.grant_id AND l.flavor = o.flavor WHERE o.id = $1",
        "i", id);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *o = (struct operation){.id = id,
                                .tenant = rows_int(&r, 0),
                                .grant = rows_int(&r, 1),
                                .has_compute = rows_int(&r, 2) != 0,
                                .units = rows_int(&r, 4),
                                .bytes = bytes(rows_int(&r, 5)),
                                .want_present = rows_int(&r, 6) != 0,
                                .rating = gflops(rows_int(&r, 8)),
                                .is_quota = rows_int(&r, 9) != 0};
        text_format(o->item, sizeof o->item, "%s", rows_text(&r, 3));
        text_format(o->observed, sizeof o->observed, "%s", rows_text(&r, 7));
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "no operation %lld", (long long)id);
    }
    rows_close(&r);
    return rc;
}

/* How to reach a thing goes when the thing has gone. */
static int write_observed(struct book *b, const struct observation *o, const char *observed, bool tried,
                          struct err *e) {
    return sql_do(b->store, e,
                  "UPDATE operation SET observed = $2, trouble = $3, connection = CASE WHEN $2 IN ('none', "
                  "'absent') THEN NULL ELSE coalesce($4, connection) END, attempts = attempts "
                  "+ $5, changed_at = $6 WHERE id = $1",
                  "isssii", o->operation, observed, o->words, o->connection,
                  (int64_t)(tried && !o->was_counted), b->at.s);
}

/* Its units or bytes leave the grant; its slots are free again. */
static int come_free(struct book *b, const struct operation *o, const struct grant *g, struct err *e) {
    bool voiding = strcmp(g->state, "voiding") == 0;
    int64_t quantity = o->has_compute ? o->units : o->bytes.n;
    int64_t volumes =
        strcmp(o->item, ITEM_STORAGE) == 0 ? o->bytes.n : 0; /* the data lake is no part of it */
    struct holding less = {gflops(0), bytes(o->has_compute ? 0 : o->bytes.n)};
    if (o->has_compute && gflops_times(o->rating, o->units, &less.compute, e) < 0) return -1;
    struct entry entry = {
        voiding ? "grant.void" : "grant.free",          o->tenant,    g->request, g->id, o->id, o->item,
        voiding ? ACCOUNT_RESERVED : ACCOUNT_RELEASING, ACCOUNT_FREE, quantity,   NULL,  false};
    if (book_write(b, &entry, e) < 0 || ceiling_take(b, o->tenant, less, e) < 0 ||
        sql_do(b->store, e, "UPDATE slot SET operation = NULL WHERE operation = $1", "i", o->id) < 0)
        return -1;
    if (sql_do(b->store, e,
               "UPDATE grants SET compute_gflops = compute_gflops - $3, storage_bytes = storage_bytes - $4 "
               "WHERE tenant = $1 AND "
               "id = $2",
               "iiii", g->tenant, g->id, less.compute.n, volumes) < 0)
        return -1;
    if (swap_tighten(b, g, e) < 0) return -1;
    if (!o->has_compute) return 0;
    return sql_do(b->store, e,
                  "UPDATE grant_line SET units = units - $4 WHERE tenant = $1 AND grant_id = $2 AND 'unit/' "
                  "|| flavor = $3",
                  "iisi", g->tenant, g->id, o->item, o->units);
}

static int count_left(struct book *b, const struct grant *g, const char *sql, int64_t *n, struct err *e) {
    return sql_int(b->store, e, n, sql, "i", g->id) < 0 ? -1 : 0;
}

int settle_absent(struct book *b, const struct grant *g, struct err *e) {
    int64_t servers = 0, things = 0, by_hand = 0;
    if (count_left(b, g,
                   "SELECT count(*) FROM operation WHERE grant_id = $1 AND flavor IS NOT NULL AND observed "
                   "<> 'absent'",
                   &servers, e) < 0 ||
        count_left(b, g, "SELECT count(*) FROM operation WHERE grant_id = $1 AND observed <> 'absent'",
                   &things, e) < 0 ||
        hand_count(b->store, g, NULL, NULL, &by_hand, e) < 0)
        return -1;
    things += by_hand;
    if (strcmp(g->state, "releasing") == 0 && servers == 0) return grant_compute_gone(b, g, e);
    /* kept: a volume that was given back before the servers may go last */
    bool was_kept = strcmp(g->state, "purging") == 0 || strcmp(g->state, "kept") == 0;
    if (things == 0 && was_kept) return grant_all_gone(b, g, "ended", e);
    if (things == 0 && strcmp(g->state, "voiding") == 0) return grant_all_gone(b, g, "void", e);
    return 0;
}

static int hold_item(struct book *b, const struct grant *g, const char *item, int64_t quantity,
                     struct err *e) {
    return book_write(b,
                      &(struct entry){"grant.hold", g->tenant, g->request, g->id, 0, item, ACCOUNT_RESERVED,
                                      ACCOUNT_HELD, quantity, NULL, false},
                      e);
}

/* Everything is there: what was reserved is held from now on. */
static int activate(struct book *b, const struct grant *g, struct err *e) {
    struct rows r;
    struct held {
        char item[96];
        int64_t quantity;
    } items[64];
    size_t n = 0;
    int rc = rows_open(
        &r, b->store, e,
        "SELECT 'unit/' || l.flavor, l.units FROM grant_line l WHERE l.tenant = $1 AND l.grant_id = $2 AND "
        "l.units > 0 AND NOT EXISTS (SELECT 1 FROM hand_line h WHERE h.tenant = $1 AND h.grant_id = $2 AND "
        "h.item = 'unit/' || l.flavor) UNION ALL "
        "SELECT 'storage', storage_bytes FROM grants WHERE tenant = $1 AND id = $2 AND storage_bytes > 0 "
        "UNION "
        "ALL SELECT item, sum(bytes) FROM operation WHERE tenant = $1 AND grant_id = $2 AND item = "
        "'datalake' "
        "GROUP BY item",
        "ii", g->tenant, g->id);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = n < 64 ? 0 : err_set(e, ERR_FAILED, "grant g-%lld has too many lines", (long long)g->id);
        if (rc < 0) break;
        text_format(items[n].item, sizeof items[n].item, "%s", rows_text(&r, 0));
        items[n++].quantity = rows_int(&r, 1);
    }
    rows_close(&r);
    for (size_t i = 0; rc == 0 && i < n; i++) rc = hold_item(b, g, items[i].item, items[i].quantity, e);
    if (rc < 0 || grant_set_state(b, g, "active", e) < 0) return -1;
    struct text en = {0}, ko = {0};
    text_add(&en, "Grant g-%lld is ready. `show` over ssh says how to connect.", (long long)g->id);
    text_add(&ko, "할당 g-%lld이(가) 준비되었습니다. 접속 방법은 ssh에서 `show`로 확인하세요.",
             (long long)g->id);
    rc = outbox_add(b, &(struct message){"ready", g->tenant, g->id, g->request, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc < 0 ? -1 : swap_finish(b, g, e);
}

int settle_ready(struct book *b, const struct grant *g, struct err *e) {
    if (strcmp(g->state, "reserved") != 0) return 0;
    int64_t missing = 0, things = 0, wanted = 0;
    if (count_left(b, g, "SELECT count(*) FROM operation WHERE grant_id = $1 AND observed <> 'present'",
                   &missing, e) < 0 ||
        count_left(b, g, "SELECT count(*) FROM operation WHERE grant_id = $1", &things, e) < 0 ||
        hand_count(b->store, g, "wanted", NULL, &wanted, e) < 0)
        return -1;
    return missing || (things == 0 && wanted) ? 0 : activate(b, g, e);
}

static int settle_present(struct book *b, const struct operation *o, const struct grant *g, struct err *e) {
    return o->want_present ? settle_ready(b, g, e) : 0;
}

/* A definite no: the grant is undone and its request waits for a person, with the backend's words. */
static int settle_refused(struct book *b, const struct operation *o, const struct grant *g, const char *words,
                          struct err *e) {
    if (strcmp(g->state, "reserved") != 0 || !o->want_present) return 0;
    struct text why = {0}, en = {0}, ko = {0};
    text_add(&why, "BACKEND_REFUSED: %s", words ? words : "no reason given");
    text_add(&en, "Request r-%lld is held: the backend refused (%s).", (long long)g->request,
             words ? words : "no reason given");
    text_add(&ko, "신청 r-%lld 보류: 클라우드가 거부했습니다 (%s).", (long long)g->request,
             words ? words : "이유 없음");
    int rc = grant_void(b, g, why.s, e);
    if (rc == 0)
        rc = sql_do(b->store, e,
                    "UPDATE request SET state = 'held', note = $3, grant_id = NULL, approved_by = NULL WHERE "
                    "tenant = $1 "
                    "AND id = $2",
                    "iis", g->tenant, g->request, why.s);
    if (rc == 0)
        rc = outbox_add(b, &(struct message){"refused", g->tenant, g->id, g->request, en.s, ko.s, NULL}, e);
    text_free(&why);
    text_free(&en);
    text_free(&ko);
    return rc;
}

/* It was there and is gone, though nobody ordered it. A server starts anew; of a volume the data is lost, and
   its tenant must know before it finds an empty one. */
static int settle_vanished(struct book *b, const struct operation *o, const struct grant *g, struct err *e) {
    if (strcmp(o->observed, "present") != 0) return 0;
    if (book_write(b,
                   &(struct entry){.kind = "thing.vanished",
                                   .tenant = g->tenant,
                                   .request = g->request,
                                   .grant = g->id,
                                   .operation = o->id},
                   e) < 0)
        return -1;
    if (o->has_compute || o->is_quota) return 0; /* a quota holds no data */
    bool is_lake = strcmp(o->item, ITEM_DATALAKE) == 0;
    struct text en = {0}, ko = {0};
    text_add(&en,
             is_lake ? "The data lake of grant g-%lld was lost. An empty one takes its place."
                     : "A volume of grant g-%lld was lost. An empty one takes its place.",
             (long long)g->id);
    text_add(&ko,
             is_lake ? "할당 g-%lld의 데이터 레이크가 유실되어 빈 저장소로 대체합니다."
                     : "할당 g-%lld의 볼륨 하나가 유실되어 빈 볼륨으로 대체합니다.",
             (long long)g->id);
    int rc = outbox_add(b, &(struct message){"loss", g->tenant, g->id, g->request, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

static int settle_one(struct book *b, const struct observation *o, const struct operation *op,
                      const struct grant *g, struct err *e) {
    switch (o->what) {
    case SETTLED_PRESENT:
        return write_observed(b, o, "present", false, e) < 0 ? -1 : settle_present(b, op, g, e);
    case SETTLED_ABSENT:
        if (write_observed(b, o, "absent", false, e) < 0) return -1;
        /* Something wanted that was seen absent is a loss to be made again, not a release. */
        if (op->want_present)
            return write_observed(b, o, "none", false, e) < 0 ? -1 : settle_vanished(b, op, g, e);
        return come_free(b, op, g, e) < 0 ? -1 : settle_absent(b, g, e);
    case SETTLED_STARTED: return write_observed(b, o, "started", true, e);
    case SETTLED_NOT_YET: return write_observed(b, o, op->observed, true, e);
    case SETTLED_UNKNOWN: return write_observed(b, o, "unknown", true, e);
    case SETTLED_REFUSED: {
        /* What stood before and is to be made again is tried again: its grant stands. */
        bool is_new = op->want_present && strcmp(g->state, "reserved") == 0;
        const char *observed = is_new ? "refused" : op->observed;
        if (write_observed(b, o, observed, true, e) < 0) return -1;
        return settle_refused(b, op, g, o->words, e);
    }
    }
    return 0;
}

int settle(struct book *b, const struct observation *o, struct err *e) {
    struct operation op;
    struct grant g;
    if (fault_point("settle", e) < 0 || operation_load(b->store, o->operation, &op, e) < 0) return -1;
    if (strcmp(op.observed, "absent") == 0) return 0; /* settled before: a second report changes nothing */
    if (grant_find(b->store, op.grant, 0, &g, e) < 0) return -1;
    int rc = settle_one(b, o, &op, &g, e);
    grant_free(&g);
    return rc;
}
