/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ceiling.h"

struct scope_limits {
    const char *scope;
    int64_t owner;
    bool has_compute, has_storage;
    gflops_t compute;
    bytes_t storage;
};

static int would_pass(const char *scope, int64_t owner, struct err *e) {
    return err_context(e, "%s %lld would pass its ceiling", scope, (long long)owner);
}

/* A limit is set to max(limit, held before); what is added must then fit. No limit is NULL. */
static int scope_set(struct book *b, const struct scope_limits *l, struct holding more, struct err *e) {
    int rc = sql_do(
        b->store, e,
        "INSERT INTO ceiling (pool, scope, owner, compute_gflops, storage_bytes, compute_limit_gflops, "
        "storage_limit_bytes) VALUES ($1, $2, $3, $4, $5, CASE WHEN $6 THEN $7 END, CASE WHEN $8 THEN $9 "
        "END) "
        "ON CONFLICT (pool, scope, owner) DO UPDATE SET "
        "compute_gflops = ceiling.compute_gflops + excluded.compute_gflops, "
        "storage_bytes = ceiling.storage_bytes + excluded.storage_bytes, "
        "compute_limit_gflops = CASE WHEN ceiling.compute_gflops > excluded.compute_limit_gflops THEN "
        "ceiling.compute_gflops ELSE excluded.compute_limit_gflops END, "
        "storage_limit_bytes = CASE WHEN ceiling.storage_bytes > excluded.storage_limit_bytes THEN "
        "ceiling.storage_bytes ELSE excluded.storage_limit_bytes END",
        "isiiiiiii", b->pool, l->scope, l->owner, more.compute.n, more.storage.n, (int64_t)l->has_compute,
        l->compute.n, (int64_t)l->has_storage, l->storage.n);
    return rc < 0 ? would_pass(l->scope, l->owner, e) : 0;
}

static int scope_add(struct book *b, const char *scope, int64_t owner, struct holding more, struct err *e) {
    if (sql_do(b->store, e,
               "UPDATE ceiling SET compute_gflops = compute_gflops + $4, storage_bytes = storage_bytes + $5 "
               "WHERE pool = $1 AND scope = $2 AND owner = $3",
               "isiii", b->pool, scope, owner, more.compute.n, more.storage.n) < 0)
        return would_pass(scope, owner, e);
    return sql_changes(b->store) == 1
               ? 0
               : err_set(e, ERR_FAILED, "%s %lld has no ceiling row", scope, (long long)owner);
}

static int organisation_of(struct book *b, int64_t tenant, int64_t *organisation, struct err *e) {
    int rc = sql_int(b->store, e, organisation, "SELECT organisation FROM tenant WHERE id = $1", "i", tenant);
    return rc == 1   ? 0
           : rc == 0 ? err_set(e, ERR_NOT_FOUND, "no tenant with number %lld", (long long)tenant)
                     : -1;
}

int ceiling_add(struct book *b, int64_t tenant, struct holding more, const struct plan_limits *l,
                struct err *e) {
    int64_t organisation;
    if (organisation_of(b, tenant, &organisation, e) < 0) return -1;
    if (!l)
        return scope_add(b, "tenant", tenant, more, e) < 0 ||
                       scope_add(b, "organisation", organisation, more, e) < 0
                   ? -1
                   : 0;
    struct scope_limits own = {"tenant", tenant, l->has_compute, l->has_storage, l->compute, l->storage};
    struct scope_limits all = {"organisation",
                               organisation,
                               l->has_organisation_compute,
                               l->has_organisation_storage,
                               l->organisation_compute,
                               l->organisation_storage};
    return scope_set(b, &own, more, e) < 0 || scope_set(b, &all, more, e) < 0 ? -1 : 0;
}

int ceiling_take(struct book *b, int64_t tenant, struct holding less, struct err *e) {
    return ceiling_add(b, tenant, (struct holding){gflops(-less.compute.n), bytes(-less.storage.n)}, NULL, e);
}

/* ---- single items ---- */

static int item_limit(struct book *b, const char *scope, int64_t owner, const char *item, bool has,
                      int64_t most, struct err *e) {
    if (!has) return 0;
    return sql_do(
        b->store, e,
        "INSERT INTO holding (pool, scope, owner, item, held, most) VALUES ($1, $2, $3, $4, 0, $5) ON "
        "CONFLICT "
        "(pool, scope, owner, item) DO UPDATE SET most = CASE WHEN excluded.most > holding.held THEN "
        "excluded.most ELSE holding.held END",
        "isisi", b->pool, scope, owner, item, most);
}

/* 0 has no other meaning than nothing: a row without a limit holds NULL. */
static int items_open(struct book *b, const char *scope, int64_t owner, struct err *e) {
    return sql_do(b->store, e, "UPDATE holding SET most = NULL WHERE pool = $1 AND scope = $2 AND owner = $3",
                  "isi", b->pool, scope, owner);
}

int ceiling_items_set(struct book *b, int64_t tenant, const struct plan_limits *l, struct err *e) {
    int64_t organisation;
    if (organisation_of(b, tenant, &organisation, e) < 0 || items_open(b, "tenant", tenant, e) < 0 ||
        items_open(b, "organisation", organisation, e) < 0)
        return -1;
    for (size_t i = 0; i < l->n_items; i++) {
        const struct plan_item_limit *m = &l->items[i];
        if (item_limit(b, "tenant", tenant, m->item, m->has, m->most, e) < 0 ||
            item_limit(b, "organisation", organisation, m->item, m->has_organisation, m->organisation, e) < 0)
            return -1;
    }
    return 0;
}

static int scope_moved(struct book *b, const char *scope, int64_t owner, const char *item, int64_t quantity,
                       struct err *e) {
    int rc = quantity < 0
                 ? sql_do(b->store, e,
                          "UPDATE holding SET held = held + $5 WHERE pool = $1 AND scope = $2 AND owner = $3 "
                          "AND item = $4",
                          "isisi", b->pool, scope, owner, item, quantity)
                 : sql_do(b->store, e,
                          "INSERT INTO holding (pool, scope, owner, item, held) VALUES ($1, $2, $3, $4, $5) "
                          "ON CONFLICT "
                          "(pool, scope, owner, item) DO UPDATE SET held = holding.held + excluded.held",
                          "isisi", b->pool, scope, owner, item, quantity);
    return rc < 0 ? err_context(e, "%s %lld would pass its ceiling of %s", scope, (long long)owner, item) : 0;
}

int ceiling_item_moved(struct book *b, int64_t tenant, const char *item, int64_t quantity, struct err *e) {
    int64_t organisation;
    int rc =
        sql_int(b->store, e, &organisation, "SELECT organisation FROM tenant WHERE id = $1", "i", tenant);
    if (rc <= 0) return rc; /* of nobody: there is no ceiling to keep */
    return scope_moved(b, "tenant", tenant, item, quantity, e) < 0 ||
                   scope_moved(b, "organisation", organisation, item, quantity, e) < 0
               ? -1
               : 0;
}

/* ---- room for what was promised ---- */

int ceiling_widen(struct book *b, const char *scope, int64_t owner, struct holding more, gflops_t *compute,
                  bytes_t *storage, struct err *e) {
    struct rows r;
    gflops_t held = gflops(0);
    bytes_t stored = bytes(0);
    int rc = rows_open(&r, b->store, e,
                       "SELECT compute_gflops, storage_bytes FROM ceiling WHERE pool = $1 AND scope = $2 AND "
                       "owner = $3",
                       "isi", b->pool, scope, owner);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        held = gflops(rows_int(&r, 0));
        stored = bytes(rows_int(&r, 1));
        rc = 0;
    }
    rows_close(&r);
    if (rc < 0 || gflops_add(held, more.compute, &held, e) < 0 ||
        bytes_add(stored, more.storage, &stored, e) < 0)
        return -1;
    compute->n = larger(compute->n, held.n);
    storage->n = larger(storage->n, stored.n);
    return 0;
}

int ceiling_item_widen(struct book *b, const char *scope, int64_t owner, const char *item, int64_t more,
                       int64_t *most, struct err *e) {
    int64_t held = 0;
    if (sql_int(b->store, e, &held,
                "SELECT held FROM holding WHERE pool = $1 AND scope = $2 AND owner = $3 AND item = $4",
                "isis", b->pool, scope, owner, item) < 0 ||
        amount_add(held, more, &held, item, e) < 0)
        return -1;
    *most = larger(*most, held);
    return 0;
}
