/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units that cannot be lent any more, and those that come back. A lost host takes its servers with it:
 * their units go from the grant to lost, the grant gets smaller at once, and the tenant is told. Its
 * volumes stay booked to their tenants: the disks may come back, and data is never given up by number.
 */
#include "alloc/ceiling.h"
#include "alloc/grant.h"
#include "alloc/outbox.h"
#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/pool_run.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is affected ---- */

/* A server that still counts on a host. */
struct victim {
    int64_t tenant, operation, grant, request, units, rating;
    char *flavor, *tenant_name, *name;
    bool is_wanted;   /* desired present */
    bool is_observed; /* seen present */
};

struct victims {
    struct victim *all;
    size_t n, room;
};

static void victims_free(struct victims *v) {
    for (size_t i = 0; i < v->n; i++) {
        free(v->all[i].flavor);
        free(v->all[i].tenant_name);
        free(v->all[i].name);
    }
    free(v->all);
}

static int victims_load(struct store *s, int64_t pool, const char *host, struct victims *v, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e,
                       "SELECT o.tenant, o.id, o.grant_id, g.request, o.units, l.rating_gflops, o.flavor, "
                       "t.name, o.name, "
                       "o.desired = 'present', o.observed = 'present' FROM operation o JOIN grants g ON "
                       "g.tenant = o.tenant AND "
                       "g.id = o.grant_id JOIN tenant t ON t.id = o.tenant JOIN grant_line l ON l.tenant = "
                       "o.tenant AND l.grant_id "
                       "= o.grant_id AND l.flavor = o.flavor WHERE o.pool = $1 AND o.host = $2 AND o.kind = "
                       "'server' AND o.observed "
                       "<> 'absent' ORDER BY t.name, o.id",
                       "is", pool, host);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        v->all = mem_grow(v->all, &v->room, v->n + 1, sizeof *v->all);
        v->all[v->n++] = (struct victim){.tenant = rows_int(&r, 0),
                                         .operation = rows_int(&r, 1),
                                         .grant = rows_int(&r, 2),
                                         .request = rows_int(&r, 3),
                                         .units = rows_int(&r, 4),
                                         .rating = rows_int(&r, 5),
                                         .flavor = mem_copy(rows_text(&r, 6)),
                                         .tenant_name = mem_copy(rows_text(&r, 7)),
                                         .name = mem_copy(rows_text(&r, 8)),
                                         .is_wanted = rows_int(&r, 9) != 0,
                                         .is_observed = rows_int(&r, 10) != 0};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static json_t *victims_json(const struct victims *v) {
    json_t *list = json_array();
    for (size_t i = 0; i < v->n; i++) {
        const struct victim *a = &v->all[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:I}", "tenant", a->tenant_name, "server", a->name,
                                "flavor", a->flavor, "units", (json_int_t)a->units, "compute_gflops",
                                (json_int_t)(a->units * a->rating));
        char id[32];
        text_format(id, sizeof id, "g-%lld", (long long)a->grant);
        json_object_set_new(row, "grant", json_string(id));
        json_array_append_new(list, row);
    }
    return list;
}

static int64_t victims_units(const struct victims *v, const char *flavor) {
    int64_t units = 0;
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->all[i].flavor, flavor) == 0) units += v->all[i].units;
    return units;
}

/* ---- of each flavor: devices, units free to go, units in use ---- */

struct flavor_loss {
    char name[POOL_NAME_MOST + 1];
    bool has_slots;
    int64_t devices, in_use, free_units, rating;
};

struct losing {
    struct store *store;
    int64_t pool;
    const struct pool_part *part;
    char *pool_name;
    struct victims victims;
    struct flavor_loss flavors[POOL_FLAVORS_MOST];
    size_t n_flavors;
};

static void losing_free(struct losing *l) {
    if (!l) return;
    victims_free(&l->victims);
    free(l->pool_name);
    free(l);
}

static int host_check(struct store *s, int64_t pool, const char *host, struct err *e) {
    int64_t there = 0;
    const char *names[256];
    size_t n = 0;
    struct rows r;
    if (sql_int(s, e, &there, "SELECT count(*) FROM host WHERE pool = $1 AND name = $2", "is", pool, host) <
        0)
        return -1;
    if (there) return 0;
    struct err ignored = {0};
    int rc = rows_open(&r, s, &ignored, "SELECT name FROM host WHERE pool = $1 LIMIT 256", "i", pool);
    while (rc == 0 && n < 256 && rows_next(&r, &ignored) == 1) names[n++] = mem_copy(rows_text(&r, 0));
    rows_close(&r);
    err_set(e, ERR_NOT_FOUND, "the pool has no host '%s'", host);
    const char *nearest = text_nearest(host, names, n);
    if (nearest) err_hint(e, "did you mean '%s'?", nearest);
    for (size_t i = 0; i < n; i++) free((char *)names[i]);
    return -1;
}

static int flavors_load(struct losing *l, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, l->store, e,
                  "SELECT name, has_slots, rating_gflops FROM flavor WHERE pool = $1 ORDER BY place, name",
                  "i", l->pool);
    while (rc == 0 && l->n_flavors < POOL_FLAVORS_MOST && (rc = rows_next(&r, e)) == 1) {
        struct flavor_loss *f = &l->flavors[l->n_flavors];
        rc = text_format(f->name, sizeof f->name, "%s", rows_text(&r, 0));
        f->has_slots = rows_int(&r, 1) != 0;
        f->rating = rows_int(&r, 2);
        if (!l->part->flavor || strcmp(l->part->flavor, f->name) == 0) l->n_flavors++;
    }
    rows_close(&r);
    if (rc == 0 && l->part->flavor && l->n_flavors == 0)
        return err_set(e, ERR_NOT_FOUND, "pool %s has no flavor '%s'", l->pool_name, l->part->flavor);
    return rc;
}

/* Free devices on the host, all that are left when they are gone, and from that the units. */
static int device_counts(struct losing *l, struct flavor_loss *f, int64_t *left, int64_t *free_slots,
                         struct err *e) {
    int64_t ok = 0;
    if (sql_int(l->store, e, &ok,
                "SELECT count(*) FROM slot WHERE pool = $1 AND flavor = $2 AND state = 'ok'", "is", l->pool,
                f->name) < 0 ||
        sql_int(
            l->store, e, free_slots,
            "SELECT count(*) FROM slot WHERE pool = $1 AND flavor = $2 AND host = $3 AND state = 'ok' AND "
            "operation IS NULL",
            "iss", l->pool, f->name, l->part->host) < 0)
        return -1;
    if (l->part->flavor && l->part->units > *free_slots)
        return err_set(e, ERR_CONFLICT, "%s: %lld devices are free on host %s: %lld cannot be lost by number",
                       f->name, (long long)*free_slots, l->part->host, (long long)l->part->units);
    f->devices = l->part->flavor ? l->part->units : *free_slots;
    *left = ok - f->devices - f->in_use;
    return 0;
}

static int flavor_plan(struct losing *l, struct flavor_loss *f, struct err *e) {
    struct pool_item item;
    int64_t declared, lost, free_now, left = 0, free_slots = 0;
    bool whole_host = l->part->host && !l->part->flavor;
    if (pool_item_of(f->name, &item, e) < 0 || pool_declared(l->store, l->pool, item.s, &declared, e) < 0 ||
        ledger_balance(l->store, l->pool, item.s, ACCOUNT_LOST, 0, &lost, e) < 0 ||
        ledger_balance(l->store, l->pool, item.s, ACCOUNT_FREE, 0, &free_now, e) < 0)
        return -1;
    f->in_use = whole_host ? victims_units(&l->victims, f->name) : 0;
    if (l->part->host && f->has_slots) {
        if (device_counts(l, f, &left, &free_slots, e) < 0) return -1;
        f->free_units = pool_units_gone(declared - lost - f->in_use, left, f->devices, free_now);
        return 0;
    }
    if (!l->part->flavor) return 0; /* what is only counted is on no host: only its servers go */
    if (f->has_slots && !l->part->host)
        return err_set(e, ERR_USAGE, "the devices of %s are known one by one: name their host with --host",
                       f->name);
    if (l->part->units > free_now) {
        err_set(e, ERR_CONFLICT, "%s: %lld of %lld units are free: %lld cannot be lost", f->name,
                (long long)free_now, (long long)(declared - lost), (long long)l->part->units);
        return err_hint(e, "release grants first, or name the host that is lost: --host HOST");
    }
    f->free_units = l->part->units;
    return 0;
}

static struct losing *losing_load(struct store *s, int64_t pool, const struct pool_part *part,
                                  struct err *e) {
    struct losing *l = mem_alloc(sizeof *l);
    *l = (struct losing){.store = s, .pool = pool, .part = part};
    int rc = sql_text(s, e, &l->pool_name, "SELECT name FROM pool WHERE id = $1", "i", pool) < 0 ? -1 : 0;
    if (rc == 0 && part->host) rc = host_check(s, pool, part->host, e);
    if (rc == 0 && part->host && !part->flavor) rc = victims_load(s, pool, part->host, &l->victims, e);
    if (rc == 0) rc = flavors_load(l, e);
    for (size_t i = 0; i < l->n_flavors && rc == 0; i++) rc = flavor_plan(l, &l->flavors[i], e);
    if (rc == 0) return l;
    losing_free(l);
    return NULL;
}

static json_t *flavors_json(const struct losing *l) {
    json_t *list = json_array();
    for (size_t i = 0; i < l->n_flavors; i++) {
        const struct flavor_loss *f = &l->flavors[i];
        int64_t units = f->free_units + f->in_use;
        if (units == 0 && f->devices == 0) continue;
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I}", "flavor", f->name, "units",
                                              (json_int_t)units, "free_units", (json_int_t)f->free_units,
                                              "held_units", (json_int_t)f->in_use, "compute_gflops",
                                              (json_int_t)(units * f->rating)));
    }
    return list;
}

static int losing_json(const struct losing *l, json_t **out, struct err *e) {
    json_t *volumes =
        l->part->host && !l->part->flavor
            ? sql_json(
                  l->store, e,
                  "SELECT t.name AS tenant, 'g-' || o.grant_id AS \"grant\", o.name AS volume, o.bytes AS "
                  "storage_bytes FROM operation o JOIN tenant t ON t.id = o.tenant WHERE o.pool = $1 AND "
                  "o.host "
                  "= $2 AND o.kind = 'volume' AND o.observed <> 'absent' ORDER BY t.name, o.id",
                  "is", l->pool, l->part->host)
            : json_array();
    if (!volumes) return -1;
    *out = json_pack("{s:s, s:s?, s:o, s:o, s:o}", "pool", l->pool_name, "host", l->part->host, "flavors",
                     flavors_json(l), "servers", victims_json(&l->victims), "volumes", volumes);
    return 0;
}

int pool_loss(struct store *s, int64_t pool, const struct pool_part *part, json_t **loss, struct err *e) {
    *loss = NULL;
    struct losing *l = losing_load(s, pool, part, e);
    if (!l) return -1;
    int rc = losing_json(l, loss, e);
    losing_free(l);
    return rc;
}

/* ---- doing it ---- */

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
static int request_again(struct book *b, const struct grant *g, const char *host, struct err *e) {
    struct text why = {0};
    text_add(&why, "host %s was lost while the grant was being set up", host);
    int rc = grant_void(b, g, why.s, e);
    if (rc == 0)
        rc = sql_do(
            b->store, e,
            "UPDATE request SET state = 'queued', note = $3, grant_id = NULL WHERE tenant = $1 AND id = $2",
            "iis", g->tenant, g->request, why.s);
    text_free(&why);
    return rc;
}

/* A grant on its way out may have waited for this server only. */
static int grant_goes_on(struct book *b, const struct victim *v, const char *host, struct err *e) {
    int64_t servers = 0, things = 0;
    struct grant g;
    if (sql_int(b->store, e, &things,
                "SELECT count(*) FROM operation WHERE grant_id = $1 AND observed <> 'absent'", "i",
                v->grant) < 0 ||
        sql_int(
            b->store, e, &servers,
            "SELECT count(*) FROM operation WHERE grant_id = $1 AND kind = 'server' AND observed <> 'absent'",
            "i", v->grant) < 0 ||
        grant_find(b->store, v->grant, v->tenant, &g, e) < 0)
        return -1;
    int rc = strcmp(g.state, "reserved") == 0 ? request_again(b, &g, host, e) : 0;
    bool is_voiding = strcmp(g.state, "reserved") == 0 || strcmp(g.state, "voiding") == 0;
    if (rc == 0 && strcmp(g.state, "releasing") == 0 && servers == 0) rc = grant_compute_gone(b, &g, e);
    if (rc == 0 && is_voiding && things == 0)
        rc = sql_do(b->store, e,
                    "UPDATE grants SET state = 'void', ended_at = $3 WHERE tenant = $1 AND id = $2", "iii",
                    g.tenant, g.id, b->at.s);
    grant_free(&g);
    return rc;
}

static int tell(struct book *b, const struct victim *v, const char *host, struct err *e) {
    struct text en = {0}, ko = {0};
    struct amount_text compute = gflops_text(gflops(v->units * v->rating));
    text_add(&en, "Server %s (%lld x %s, %s) was lost with host %s. Your grant g-%lld is smaller by it.",
             v->name, (long long)v->units, v->flavor, compute.s, host, (long long)v->grant);
    text_add(&ko,
             "호스트 %s 장애로 서버 %s(%s %lld개, %s)를 잃었습니다. 할당 g-%lld이(가) 그만큼 줄었습니다.",
             host, v->name, v->flavor, (long long)v->units, compute.s, (long long)v->grant);
    json_t *facts =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "host", host, "server", v->name, "flavor", v->flavor, "units",
                  (json_int_t)v->units, "compute_gflops", (json_int_t)(v->units * v->rating));
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

static int victim_goes(struct book *b, const struct victim *v, const char *host, struct err *e) {
    struct holding less = {gflops(v->units * v->rating), bytes(0)};
    if (units_to_lost(b, v, e) < 0 || grant_shrinks(b, v, e) < 0 || ceiling_take(b, v->tenant, less, e) < 0 ||
        server_goes(b, v, host, e) < 0 || grant_goes_on(b, v, host, e) < 0)
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
