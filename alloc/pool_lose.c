/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units that cannot be lent any more. A lost host takes its servers with it:
 * their units go from the grant to lost, the grant gets smaller at once, and the tenant is told. Its
 * volumes stay booked to their tenants: the disks may come back, and data is never given up by number.
 */
#include "alloc/ceiling.h"
#include "alloc/grant.h"
#include "alloc/hand.h"
#include "alloc/offer.h"
#include "alloc/outbox.h"
#include "alloc/pool_books.h"
#include "alloc/pool_loss.h"
#include "alloc/reclaim.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static int move(struct book *b, const struct victim *v, const char *item, enum account_kind from,
                int64_t *left, struct err *e) {
    int64_t there;
    if (*left == 0) return 0;
    if (ledger_balance(b->store, b->pool, item, from, v->grant, &there, e) < 0) return -1;
    int64_t quantity = there < *left ? there : *left;
    if (quantity == 0) return 0;
    *left -= quantity;
    return book_write(b,
                      &(struct entry){.kind = "pool.lose",
                                      .tenant = v->tenant,
                                      .request = v->request,
                                      .grant = v->grant,
                                      .operation = v->operation,
                                      .item = item,
                                      .from = from,
                                      .to = ACCOUNT_LOST,
                                      .quantity = quantity},
                      e);
}

/* Where a server's units stand follows from its state; the others are asked too, so that none is left. */
static int units_to_lost(struct book *b, const struct victim *v, struct err *e) {
    static const enum account_kind orders[3][3] = {
        {ACCOUNT_HELD, ACCOUNT_RESERVED, ACCOUNT_RELEASING},
        {ACCOUNT_RESERVED, ACCOUNT_HELD, ACCOUNT_RELEASING},
        {ACCOUNT_RELEASING, ACCOUNT_RESERVED, ACCOUNT_HELD},
    };
    const enum account_kind *order = orders[!v->is_wanted ? 2 : v->is_observed ? 0 : 1];
    struct pool_item item;
    int64_t left = v->units;
    if (pool_item_of(v->flavor, &item, e) < 0) return -1;
    for (size_t i = 0; i < 3; i++)
        if (move(b, v, item.s, order[i], &left, e) < 0) return -1;
    if (left == 0) return 0;
    return err_set(e, ERR_BOOKS,
                   "server %s of grant g-%lld: %lld of its %lld units are in no account of the grant",
                   v->name, (long long)v->grant, (long long)left, (long long)v->units);
}

/* Lines and sum follow what is there, as when a server is seen absent (alloc/settle.c). */
static int grant_shrinks(struct book *b, const struct victim *v, struct err *e) {
    if (sql_do(b->store, e,
               "UPDATE grant_line SET units = units - $4 WHERE tenant = $1 AND grant_id = $2 AND flavor = $3",
               "iisi", v->tenant, v->grant, v->flavor, v->units) < 0)
        return -1;
    return sql_do(b->store, e,
                  "UPDATE grants SET compute_gflops = compute_gflops - $3 WHERE tenant = $1 AND id = $2",
                  "iii", v->tenant, v->grant, v->units * v->rating);
}

static int server_goes(struct book *b, const struct victim *v, const char *host, struct err *e) {
    char trouble[96];
    if (text_format(trouble, sizeof trouble, "lost with host %s", host) < 0)
        text_format(trouble, sizeof trouble, "lost with its host");
    if (sql_do(
            b->store, e,
            "UPDATE operation SET desired = 'absent', observed = 'absent', trouble = $3, connection = NULL, "
            "changed_at = $4 WHERE tenant = $1 AND id = $2",
            "iisi", v->tenant, v->operation, trouble, b->at.s) < 0)
        return -1;
    return sql_do(b->store, e,
                  "UPDATE slot SET state = 'lost', operation = NULL WHERE pool = $1 AND operation = $2", "ii",
                  b->pool, v->operation);
}

/* A grant that was being set up cannot be completed any more: its request waits for its turn again. */
static int request_again(struct book *b, const struct grant *g, struct err *e) {
    static const char why[] = "its host was lost while the grant was being set up"; /* tenants read it */
    int rc = grant_void(b, g, why, e);
    if (rc == 0)
        rc = sql_do(
            b->store, e,
            "UPDATE request SET state = 'queued', note = $3, grant_id = NULL WHERE tenant = $1 AND id = $2",
            "iis", g->tenant, g->request, why);
    return rc;
}

/* A grant on its way out may have waited for this server only. */
static int grant_goes_on(struct book *b, const struct victim *v, struct err *e) {
    int64_t servers = 0, things = 0, by_hand = 0;
    struct grant g;
    if (sql_int(b->store, e, &things,
                "SELECT count(*) FROM operation WHERE grant_id = $1 AND observed <> 'absent'", "i",
                v->grant) < 0 ||
        sql_int(b->store, e, &servers,
                "SELECT count(*) FROM operation WHERE grant_id = $1 AND flavor IS NOT NULL AND observed <> "
                "'absent'",
                "i", v->grant) < 0 ||
        grant_find(b->store, v->grant, v->tenant, &g, e) < 0)
        return -1;
    int rc = strcmp(g.state, "reserved") == 0 ? request_again(b, &g, e) : 0;
    if (rc == 0) rc = hand_count(b->store, &g, NULL, NULL, &by_hand, e);
    bool is_voiding = strcmp(g.state, "reserved") == 0 || strcmp(g.state, "voiding") == 0;
    if (rc == 0 && strcmp(g.state, "releasing") == 0 && servers == 0) rc = grant_compute_gone(b, &g, e);
    if (rc == 0 && is_voiding && things == 0 && by_hand == 0)
        rc = sql_do(b->store, e,
                    "UPDATE grants SET state = 'void', ended_at = $3 WHERE tenant = $1 AND id = $2", "iii",
                    g.tenant, g.id, b->at.s);
    grant_free(&g);
    return rc;
}

/* What it means for its tenant: a grant that is being set up begins again, and what was being given back is
   only back sooner. */
static void say_meaning(const struct victim *v, struct text *en, struct text *ko) {
    long long grant = v->grant, request = v->request;
    if (v->is_new) {
        text_add(
            en,
            " Grant g-%lld was still being set up and ends; request r-%lld keeps its place and waits again.",
            grant, request);
        text_add(ko,
                 " 준비 중이던 할당 g-%lld은(는) 종료되고 신청 r-%lld은(는) 순번을 유지하며 다시 대기합니다.",
                 grant, request);
    } else if (!v->is_wanted) {
        text_add(en, " It was being given back from grant g-%lld: nothing else changes.", grant);
        text_add(ko, " 할당 g-%lld에서 반납 중이던 서버이므로 달라지는 것은 없습니다.", grant);
    } else {
        text_add(en, " Your grant g-%lld is smaller by it.", grant);
        text_add(ko, " 할당 g-%lld이(가) 그만큼 줄었습니다.", grant);
    }
}

static int tell(struct book *b, const struct victim *v, const char *host, struct err *e) {
    struct text en = {0}, ko = {0};
    struct amount_text compute = gflops_text(gflops(v->units * v->rating));
    if (v->operation == 0) {
        text_add(&en, "%s x %lld were lost.", v->flavor, (long long)v->units);
        text_add(&ko, "%s %lld개를 잃었습니다.", v->flavor, (long long)v->units);
    } else
        text_add(&en, "Server %s (%lld x %s, %s) was lost with host %s.", v->name, (long long)v->units,
                 v->flavor, compute.s, host);
    if (v->operation)
        text_add(&ko, "호스트 %s 장애로 서버 %s(%s %lld개, %s)를 잃었습니다.", host, v->name, v->flavor,
                 (long long)v->units, compute.s);
    say_meaning(v, &en, &ko);
    json_t *facts =
        json_pack("{s:s*, s:s, s:s, s:I, s:I}", "host", host, "server", v->name, "flavor", v->flavor, "units",
                  (json_int_t)v->units, "compute_gflops", (json_int_t)v->units * v->rating);
    struct message m = {.kind = "loss",
                        .tenant = v->tenant,
                        .grant = v->grant,
                        .request = v->request,
                        .en = en.s,
                        .ko = ko.s,
                        .facts = facts};
    int rc = outbox_add(b, &m, e);
    json_decref(facts);
    text_free(&en);
    text_free(&ko);
    return rc;
}

/* Its line is smaller, or over. */
static int line_goes(struct book *b, const struct victim *v, struct err *e) {
    return sql_do(
        b->store, e,
        "UPDATE hand_line SET state = CASE WHEN quantity = $4 THEN 'ended' ELSE state END, quantity = CASE "
        "WHEN quantity = $4 THEN quantity ELSE quantity - $4 END, changed_at = $5 WHERE tenant = $1 AND "
        "grant_id = $2 AND item = $3",
        "iisii", v->tenant, v->grant, v->name, v->units, b->at.s);
}

static int victim_goes(struct book *b, const struct victim *v, const char *host, struct err *e) {
    struct holding less = {gflops(v->units * v->rating), bytes(0)};
    if (units_to_lost(b, v, e) < 0 || grant_shrinks(b, v, e) < 0 || ceiling_take(b, v->tenant, less, e) < 0 ||
        (v->operation ? server_goes(b, v, host, e) : line_goes(b, v, e)) < 0 ||
        reclaim_prune(b, v->tenant, v->grant, e) < 0 || grant_goes_on(b, v, e) < 0)
        return -1;
    return tell(b, v, host, e);
}

static int flavor_goes(struct book *b, const struct losing *l, const struct flavor_loss *f, struct err *e) {
    struct pool_item item;
    if (pool_item_of(f->name, &item, e) < 0 ||
        pool_move(b, "pool.lose", item.s, ACCOUNT_FREE, ACCOUNT_LOST, f->free_units, e) < 0)
        return -1;
    if (!l->part->host || !f->has_slots) return 0;
    return sql_do(
        b->store, e,
        "UPDATE slot SET state = 'lost' WHERE pool = $1 AND host = $2 AND flavor = $3 AND name IN (SELECT "
        "name FROM slot WHERE pool = $1 AND host = $2 AND flavor = $3 AND state = 'ok' AND operation IS NULL "
        "ORDER BY name DESC LIMIT $4)",
        "issi", l->pool, l->part->host, f->name, f->devices);
}

static int lose_all(struct book *b, const struct losing *l, struct err *e) {
    for (size_t i = 0; i < l->victims.n; i++)
        if (victim_goes(b, &l->victims.all[i], l->part->host, e) < 0) return -1;
    for (size_t i = 0; i < l->n_flavors; i++)
        if (flavor_goes(b, l, &l->flavors[i], e) < 0) return -1;
    if (offer_end_lost(b, e) < 0) return -1;
    if (!l->part->host || l->part->flavor) return 0;
    return sql_do(b->store, e, "UPDATE host SET state = 'lost' WHERE pool = $1 AND name = $2", "is", l->pool,
                  l->part->host);
}

int pool_lose(struct store *s, int64_t pool, const struct pool_part *part, const char *actor, instant_t now,
              json_t **loss, struct err *e) {
    struct book b;
    *loss = NULL;
    if (book_open(&b, s, pool, actor, now, e) < 0) return -1;
    struct losing *l = losing_load(s, pool, part, e);
    if (!l) return -1;
    int rc = losing_json(l, loss, e);
    scoped_free char *words = rc == 0 ? json_canonical(*loss) : NULL;
    if (rc == 0) rc = book_note(&b, "pool.lose", 0, words, e);
    if (rc == 0) rc = lose_all(&b, l, e);
    losing_free(l);
    return rc == 0 ? book_close(&b, e) : -1;
}
