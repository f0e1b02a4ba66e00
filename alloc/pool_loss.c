/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/pool_loss.h"

#include "alloc/ledger.h"
#include "alloc/pool_books.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is affected ---- */

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
    int rc =
        rows_open(&r, s, e,
                  "SELECT o.tenant, o.id, o.grant_id, g.request, o.units, l.rating_gflops, o.flavor, "
                  "t.name, o.name, "
                  "o.desired = 'present', o.observed = 'present', g.state = 'reserved' FROM operation o "
                  "JOIN grants g ON "
                  "g.tenant = o.tenant AND "
                  "g.id = o.grant_id JOIN tenant t ON t.id = o.tenant JOIN grant_line l ON l.tenant = "
                  "o.tenant AND l.grant_id "
                  "= o.grant_id AND l.flavor = o.flavor WHERE o.pool = $1 AND o.host = $2 AND o.flavor IS "
                  "NOT NULL AND o.observed <> 'absent' ORDER BY t.name, o.id",
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
                                         .is_observed = rows_int(&r, 10) != 0,
                                         .is_new = rows_int(&r, 11) != 0};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* Units of a flavor that a person delivers are on no host: the grant says whose they are. */
static int hand_victim_load(struct store *s, int64_t pool, const struct pool_part *part, struct victims *v,
                            struct err *e) {
    struct rows r;
    int64_t has = 0;
    char item[POOL_NAME_MOST + 8];
    if (text_format(item, sizeof item, "unit/%s", part->flavor) < 0)
        return err_set(e, ERR_NOT_FOUND, "no flavor has the name '%.40s...'", part->flavor);
    int rc = rows_open(
        &r, s, e,
        "SELECT g.tenant, g.request, l.rating_gflops, h.quantity, h.state, t.name, g.state FROM hand_line h "
        "JOIN "
        "grants g ON g.tenant = h.tenant AND g.id = h.grant_id JOIN grant_line l ON l.tenant = h.tenant AND "
        "l.grant_id = h.grant_id AND 'unit/' || l.flavor = h.item JOIN tenant t ON t.id = g.tenant WHERE "
        "g.pool = "
        "$1 AND g.id = $2 AND h.item = $3 AND h.state <> 'ended'",
        "iis", pool, part->grant, item);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        has = rows_int(&r, 3);
        v->all = mem_grow(v->all, &v->room, v->n + 1, sizeof *v->all);
        v->all[v->n++] = (struct victim){.tenant = rows_int(&r, 0),
                                         .grant = part->grant,
                                         .request = rows_int(&r, 1),
                                         .units = part->units,
                                         .rating = rows_int(&r, 2),
                                         .flavor = mem_copy(part->flavor),
                                         .tenant_name = mem_copy(rows_text(&r, 5)),
                                         .name = mem_copy(item),
                                         .is_wanted = strcmp(rows_text(&r, 4), "ending") != 0,
                                         .is_observed = strcmp(rows_text(&r, 4), "delivered") == 0,
                                         .is_new = strcmp(rows_text(&r, 6), "reserved") == 0};
        rc = 0;
    }
    rows_close(&r);
    if (rc < 0) return -1;
    if (has == 0) {
        err_set(e, ERR_NOT_FOUND, "grant g-%lld has no units of '%s' that a person delivers",
                (long long)part->grant, part->flavor);
        return err_hint(e, "servers are lost with their host: --host HOST");
    }
    if (part->units <= has) return 0;
    return err_set(e, ERR_CONFLICT, "grant g-%lld has %lld units of %s: %lld cannot be lost",
                   (long long)part->grant, (long long)has, part->flavor, (long long)part->units);
}

static json_t *victims_json(const struct victims *v) {
    json_t *list = json_array();
    for (size_t i = 0; i < v->n; i++) {
        const struct victim *a = &v->all[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:I}", "tenant", a->tenant_name, "server", a->name,
                                "flavor", a->flavor, "units", (json_int_t)a->units, "compute_gflops",
                                (json_int_t)a->units * a->rating);
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

void losing_free(struct losing *l) {
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
    int rc = rows_open(&r, l->store, e,
                       "SELECT name, has_slots, rating_gflops, attach = 'hand' FROM flavor WHERE pool = $1 "
                       "ORDER BY place, name",
                       "i", l->pool);
    while (rc == 0 && l->n_flavors < POOL_FLAVORS_MOST && (rc = rows_next(&r, e)) == 1) {
        struct flavor_loss *f = &l->flavors[l->n_flavors];
        rc = text_format(f->name, sizeof f->name, "%s", rows_text(&r, 0));
        f->has_slots = rows_int(&r, 1) != 0;
        f->rating = rows_int(&r, 2);
        f->by_hand = rows_int(&r, 3) != 0;
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
    f->in_use = whole_host || l->part->grant ? victims_units(&l->victims, f->name) : 0;
    if (l->part->grant) return 0;
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
        return f->by_hand ? err_hint(e, "of those in use name the grant: --grant GRANT")
                          : err_hint(e, "release grants first, or name the host that is lost: --host HOST");
    }
    f->free_units = l->part->units;
    return 0;
}

struct losing *losing_load(struct store *s, int64_t pool, const struct pool_part *part, struct err *e) {
    struct losing *l = mem_alloc(sizeof *l);
    *l = (struct losing){.store = s, .pool = pool, .part = part};
    int rc = sql_text(s, e, &l->pool_name, "SELECT name FROM pool WHERE id = $1", "i", pool) < 0 ? -1 : 0;
    if (rc == 0 && part->host) rc = host_check(s, pool, part->host, e);
    if (rc == 0 && part->host && !part->flavor) rc = victims_load(s, pool, part->host, &l->victims, e);
    if (rc == 0) rc = flavors_load(l, e);
    if (rc == 0 && part->grant) rc = hand_victim_load(s, pool, part, &l->victims, e);
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
                                              (json_int_t)units * f->rating));
    }
    return list;
}

int losing_json(const struct losing *l, json_t **out, struct err *e) {
    json_t *volumes =
        l->part->host && !l->part->flavor
            ? sql_json(
                  l->store, e,
                  "SELECT t.name AS tenant, 'g-' || o.grant_id AS \"grant\", o.name AS volume, o.bytes AS "
                  "storage_bytes FROM operation o JOIN tenant t ON t.id = o.tenant WHERE o.pool = $1 AND "
                  "o.host "
                  "= $2 AND o.flavor IS NULL AND o.observed <> 'absent' ORDER BY t.name, o.id",
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
