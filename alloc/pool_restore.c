/* SPDX-License-Identifier: Apache-2.0 */
/* What stops giving, and what comes back. */
#include "alloc/offer.h"
#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/pool_run.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- drain ---- */

static int host_state(struct book *b, const char *host, char **state, struct err *e) {
    int rc = sql_text(b->store, e, state, "SELECT state FROM host WHERE pool = $1 AND name = $2", "is",
                      b->pool, host);
    return rc == 0 ? err_set(e, ERR_NOT_FOUND, "the pool has no host '%s'", host) : rc < 0 ? -1 : 0;
}

static int drain_host(struct book *b, const char *host, bool on, struct err *e) {
    scoped_free char *state = NULL;
    if (host_state(b, host, &state, e) < 0) return -1;
    if (strcmp(state, "lost") == 0) {
        err_set(e, ERR_CONFLICT, "host %s is lost", host);
        return err_hint(e, "when it is there again: allot pool restore POOL --host %s", host);
    }
    return sql_do(b->store, e, "UPDATE host SET state = $3 WHERE pool = $1 AND name = $2", "iss", b->pool,
                  host, on ? "draining" : "active");
}

int pool_drain(struct store *s, int64_t pool, const char *host, bool on, const char *actor, instant_t now,
               struct err *e) {
    struct book b;
    if (book_open(&b, s, pool, actor, now, e) < 0) return -1;
    int rc = host ? drain_host(&b, host, on, e)
                  : sql_do(s, e, "UPDATE pool SET state = $2 WHERE id = $1", "is", pool,
                           on ? "draining" : "active");
    if (rc == 0) rc = on ? offer_end_drained(&b, host, e) : supply_raise(s, pool, e);
    if (rc < 0 || book_note(&b, on ? "pool.drain" : "pool.undrain", 0, host ? host : "", e) < 0) return -1;
    return book_close(&b, e);
}

/* ---- restore ---- */

struct restored {
    char name[POOL_NAME_MOST + 1];
    bool has_slots;
    int64_t units;
};

static int flavors_load(struct book *b, const struct pool_part *part, struct restored *out, size_t *n,
                        struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, b->store, e, "SELECT name, has_slots FROM flavor WHERE pool = $1 ORDER BY place, name",
                  "i", b->pool);
    while (rc == 0 && *n < POOL_FLAVORS_MOST && (rc = rows_next(&r, e)) == 1) {
        struct restored *f = &out[*n];
        rc = text_format(f->name, sizeof f->name, "%s", rows_text(&r, 0));
        f->has_slots = rows_int(&r, 1) != 0;
        if (!part->flavor || strcmp(part->flavor, f->name) == 0) ++*n;
    }
    rows_close(&r);
    if (rc == 0 && part->flavor && *n == 0)
        return err_set(e, ERR_NOT_FOUND, "the pool has no flavor '%s'", part->flavor);
    return rc;
}

/* Devices of the host are whole again; the units that their loss took come back, never more than are lost. */
static int devices_back(struct book *b, const struct pool_part *part, struct restored *f, const char *item,
                        struct err *e) {
    int64_t back = 0, ok = 0, declared, lost;
    int64_t most = part->flavor ? part->units : INT64_MAX;
    if (sql_do(b->store, e,
               "UPDATE slot SET state = 'ok' WHERE pool = $1 AND host = $2 AND flavor = $3 AND name IN "
               "(SELECT name "
               "FROM slot WHERE pool = $1 AND host = $2 AND flavor = $3 AND state = 'lost' ORDER BY name "
               "LIMIT $4)",
               "issi", b->pool, part->host, f->name, most) < 0)
        return -1;
    back = sql_changes(b->store);
    if (part->flavor && back < part->units)
        return err_set(e, ERR_CONFLICT, "%s: %lld devices are lost on host %s: %lld cannot come back",
                       f->name, (long long)back, part->host, (long long)part->units);
    if (sql_int(b->store, e, &ok,
                "SELECT count(*) FROM slot WHERE pool = $1 AND flavor = $2 AND state = 'ok'", "is", b->pool,
                f->name) < 0 ||
        pool_declared(b->store, b->pool, item, &declared, e) < 0 ||
        ledger_balance(b->store, b->pool, item, ACCOUNT_LOST, 0, &lost, e) < 0)
        return -1;
    int64_t room = ok - (declared - lost);
    f->units = room < 0 ? 0 : room < back ? room : back;
    if (f->units > lost) f->units = lost;
    return 0;
}

static int flavor_back(struct book *b, const struct pool_part *part, struct restored *f, struct err *e) {
    struct pool_item item;
    int64_t lost = 0;
    if (pool_item_of(f->name, &item, e) < 0 ||
        ledger_balance(b->store, b->pool, item.s, ACCOUNT_LOST, 0, &lost, e) < 0)
        return -1;
    if (f->has_slots && !part->host)
        return err_set(e, ERR_USAGE, "the devices of %s are known one by one: name their host with --host",
                       f->name);
    if (f->has_slots && devices_back(b, part, f, item.s, e) < 0) return -1;
    if (!f->has_slots && part->flavor) {
        if (part->units > lost)
            return err_set(e, ERR_CONFLICT, "%s: %lld units are lost: %lld cannot come back", f->name,
                           (long long)lost, (long long)part->units);
        f->units = part->units;
    }
    return pool_move(b, "pool.restore", item.s, ACCOUNT_LOST, ACCOUNT_FREE, f->units, e);
}

static int host_back(struct book *b, const struct pool_part *part, struct err *e) {
    scoped_free char *state = NULL;
    if (host_state(b, part->host, &state, e) < 0) return -1;
    if (part->flavor) return 0;
    return sql_do(b->store, e,
                  "UPDATE host SET state = 'active' WHERE pool = $1 AND name = $2 AND state = 'lost'", "is",
                  b->pool, part->host);
}

static int back_json(struct book *b, const struct pool_part *part, const struct restored *flavors, size_t n,
                     json_t **back, struct err *e) {
    json_t *list = json_array();
    scoped_free char *name = NULL;
    if (sql_text(b->store, e, &name, "SELECT name FROM pool WHERE id = $1", "i", b->pool) < 0)
        return json_decref(list), -1;
    for (size_t i = 0; i < n; i++)
        if (flavors[i].units)
            json_array_append_new(list, json_pack("{s:s, s:I}", "flavor", flavors[i].name, "units",
                                                  (json_int_t)flavors[i].units));
    *back = json_pack("{s:s, s:s?, s:o}", "pool", name, "host", part->host, "flavors", list);
    return 0;
}

int pool_restore(struct store *s, int64_t pool, const struct pool_part *part, const char *actor,
                 instant_t now, json_t **back, struct err *e) {
    struct book b;
    struct restored *flavors = mem_alloc(POOL_FLAVORS_MOST * sizeof *flavors);
    size_t n = 0;
    *back = NULL;
    int rc = book_open(&b, s, pool, actor, now, e);
    if (rc == 0 && part->host) rc = host_back(&b, part, e);
    if (rc == 0) rc = flavors_load(&b, part, flavors, &n, e);
    for (size_t i = 0; i < n && rc == 0; i++) rc = flavor_back(&b, part, &flavors[i], e);
    if (rc == 0) rc = back_json(&b, part, flavors, n, back, e);
    free(flavors);
    scoped_free char *words = rc == 0 ? json_canonical(*back) : NULL;
    if (rc == 0) rc = book_note(&b, "pool.restore", 0, words, e);
    return rc == 0 ? book_close(&b, e) : -1;
}
