/* SPDX-License-Identifier: Apache-2.0 */
/* Declaring a pool, and declaring it anew: rows for what it is, entries for what it can give. */
#include "alloc/ledger.h"
#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

static int head_write(struct store *s, int64_t pool, const struct pool_spec *p, unsigned capabilities,
                      struct err *e) {
    scoped_free char *settings = json_canonical(p->settings);
    return sql_do(
        s, e,
        "UPDATE pool SET granule_bytes = $1, volume_least_bytes = $2, volume_most_bytes = $3, settings "
        "= $4, capabilities = $6 WHERE id = $5",
        "iiisii", p->granule.n, p->volume_least.n, p->volume_most.n, settings, pool, (int64_t)capabilities);
}

static int hosts_write(struct store *s, int64_t pool, const struct pool_spec *p, struct err *e) {
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct pool_host *h = &p->hosts[i];
        scoped_free char *settings = h->settings ? json_canonical(h->settings) : mem_copy("{}");
        if (sql_do(s, e,
                   "INSERT INTO host (pool, name, uri, state, settings) VALUES ($1, $2, $3, 'active', $4) ON "
                   "CONFLICT (pool, name) DO UPDATE SET uri = excluded.uri, settings = excluded.settings",
                   "isss", pool, h->name, h->uri, settings) < 0)
            return -1;
    }
    return 0;
}

static int flavor_write(struct store *s, int64_t pool, const struct pool_flavor *f, size_t place,
                        bool has_slots, struct err *e) {
    if (sql_do(s, e,
               "INSERT INTO flavor (pool, place, name, rating_gflops, attach, has_slots) VALUES ($1, $2, $3, "
               "nullif($4, 0), $5, $6) ON CONFLICT (pool, name) DO UPDATE SET place = excluded.place, "
               "rating_gflops = "
               "excluded.rating_gflops, attach = excluded.attach, has_slots = excluded.has_slots",
               "iisisi", pool, (int64_t)place, f->name, f->unrated ? (int64_t)0 : f->rating.n, f->attach,
               (int64_t)(has_slots && strcmp(f->attach, "hand") != 0)) < 0 ||
        sql_do(s, e, "DELETE FROM flavor_size WHERE pool = $1 AND flavor = $2", "is", pool, f->name) < 0)
        return -1;
    for (size_t i = 0; i < f->n_sizes; i++)
        if (sql_do(s, e, "INSERT INTO flavor_size (pool, flavor, size) VALUES ($1, $2, $3)", "isi", pool,
                   f->name, f->sizes[i]) < 0)
            return -1;
    return 0;
}

static int services_write(struct book *b, const char *kind, const struct pool_spec *p, struct err *e) {
    for (size_t i = 0; i < p->n_services; i++) {
        const struct pool_service *v = &p->services[i];
        struct pool_item item;
        if (pool_seat_of(v->name, &item, e) < 0 ||
            sql_do(b->store, e,
                   "INSERT INTO service (pool, name) VALUES ($1, $2) ON CONFLICT (pool, name) DO NOTHING",
                   "is", b->pool, v->name) < 0 ||
            pool_capacity_set(b, kind, item.s, v->name, v->seats, e) < 0)
            return -1;
    }
    return 0;
}

static int metrics_write(struct store *s, int64_t pool, const struct pool_spec *p, struct err *e) {
    if (sql_do(s, e, "DELETE FROM pool_metric WHERE pool = $1", "i", pool) < 0) return -1;
    for (size_t i = 0; i < p->n_metrics; i++)
        if (sql_do(s, e, "INSERT INTO pool_metric (pool, name) VALUES ($1, $2)", "is", pool, p->metrics[i]) <
            0)
            return -1;
    return 0;
}

/* A project belongs to one tenant, and so to one pool: two would set its limits, and see each other's things.
 */
static int projects_are_ours(struct book *b, const struct pool_spec *p, struct err *e) {
    scoped_json json_t *ids = json_object();
    struct rows r;
    for (size_t i = 0; i < p->n_hosts; i++) {
        const char *store = json_string_value(json_object_get(p->hosts[i].settings, "object_store_id"));
        json_object_set_new(ids, p->hosts[i].uri, json_true());
        if (store) json_object_set_new(ids, store, json_true());
    }
    int rc =
        rows_open(&r, b->store, e,
                  "SELECT p.name, h.name, h.uri, json_extract(h.settings, '$.object_store_id') FROM pool "
                  "p JOIN host h ON h.pool = p.id WHERE p.id <> $1 AND p.backend = $2 AND "
                  "(p.capabilities & $3) <> 0 ORDER BY p.name, h.name",
                  "isi", b->pool, p->backend, (int64_t)BACKEND_HAS_PROJECTS);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        const char *store = rows_null(&r, 3) ? NULL : rows_text(&r, 3);
        const char *id = json_object_get(ids, rows_text(&r, 2)) ? rows_text(&r, 2)
                         : store && json_object_get(ids, store) ? store
                                                                : NULL;
        rc = id ? err_set(e, ERR_CONFLICT, "id %s is that of project %s of pool %s already", id,
                          rows_text(&r, 1), rows_text(&r, 0))
                : 0;
    }
    rows_close(&r);
    return rc;
}

/* Rows first, then the units, bytes and seats of the ledger. */
static int declare(struct book *b, const char *kind, const struct pool_spec *p, unsigned capabilities,
                   struct err *e) {
    bool has_slots = (capabilities & BACKEND_HAS_SLOTS) != 0;
    if (p->has_projects && projects_are_ours(b, p, e) < 0) return -1;
    if (head_write(b->store, b->pool, p, capabilities, e) < 0 || hosts_write(b->store, b->pool, p, e) < 0)
        return -1;
    for (size_t i = 0; i < p->n_flavors; i++) {
        const struct pool_flavor *f = &p->flavors[i];
        struct pool_item item;
        if (pool_item_of(f->name, &item, e) < 0 || flavor_write(b->store, b->pool, f, i, has_slots, e) < 0 ||
            pool_capacity_set(b, kind, item.s, f->name, f->units.n, e) < 0)
            return -1;
    }
    if (services_write(b, kind, p, e) < 0 || metrics_write(b->store, b->pool, p, e) < 0 ||
        pool_capacity_set(b, kind, ITEM_DATALAKE, "data lake", p->datalake.n, e) < 0)
        return -1;
    return pool_capacity_set(b, kind, ITEM_STORAGE, ITEM_STORAGE, p->storage.n, e);
}

/* ---- new ---- */

static int name_is_free(struct store *s, const char *name, struct err *e) {
    int64_t id;
    int rc = sql_int(s, e, &id, "SELECT id FROM pool WHERE name = $1", "s", name);
    if (rc <= 0) return rc;
    err_set(e, ERR_CONFLICT, "there is a pool named '%s' already", name);
    return err_hint(e, "to change it: allot pool set %s", name);
}

int pool_add(struct store *s, const struct pool_spec *p, unsigned capabilities, const char *actor,
             instant_t now, int64_t *id, struct err *e) {
    struct book b;
    if (pool_spec_check(p, e) < 0 || pool_spec_fits(p, capabilities, e) < 0 ||
        name_is_free(s, p->name, e) < 0 || store_next(s, "pool", id, e) < 0)
        return -1;
    if (sql_do(s, e,
               "INSERT INTO pool (id, name, backend, basis, state, granule_bytes, volume_least_bytes, "
               "volume_most_bytes, settings, generation, made_at) VALUES ($1, $2, $3, $4, 'active', 1, 1, 1, "
               "'{}', 0, $5)",
               "isssi", *id, p->name, p->backend, p->basis, now.s) < 0)
        return -1;
    json_t *spec = pool_spec_json(p);
    scoped_free char *words = json_canonical(spec);
    json_decref(spec);
    if (book_open(&b, s, *id, actor, now, e) < 0 || book_note(&b, "pool.add", 0, words, e) < 0 ||
        declare(&b, "pool.add", p, capabilities, e) < 0)
        return -1;
    return book_close(&b, e);
}

/* ---- anew ---- */

/* Every difference between two JSON values, as {what, from, to} with the path in `what`. Lists of named
   things are compared by name. */
static void differences(const json_t *from, const json_t *to, const char *path, json_t *out);

static json_t *by_name(const json_t *list) {
    size_t i;
    json_t *item, *object = json_object();
    json_array_foreach(list, i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (!name) return json_decref(object), NULL;
        json_object_set(object, name, item);
    }
    return object;
}

static void members(const json_t *from, const json_t *to, const char *path, json_t *out) {
    const char *key;
    json_t *value;
    struct text at = {0};
    json_object_foreach((json_t *)from, key, value) {
        at.length = 0;
        text_add(&at, "%s%s%s", path, *path ? "." : "", key);
        differences(value, json_object_get(to, key), at.s, out);
    }
    json_object_foreach((json_t *)to, key, value) {
        if (json_object_get(from, key)) continue;
        at.length = 0;
        text_add(&at, "%s%s%s", path, *path ? "." : "", key);
        differences(NULL, value, at.s, out);
    }
    text_free(&at);
}

static void differences(const json_t *from, const json_t *to, const char *path, json_t *out) {
    if (from && to && json_equal(from, to)) return;
    if (json_is_object(from) && json_is_object(to)) return members(from, to, path, out);
    if (json_array_size(from) && json_array_size(to)) {
        json_t *a = by_name(from), *b = by_name(to);
        if (a && b) members(a, b, path, out);
        json_decref(a);
        json_decref(b);
        if (a && b) return;
    }
    json_t *change = json_pack("{s:s}", "what", path);
    json_object_set_new(change, "from", from ? json_deep_copy(from) : json_null());
    json_object_set_new(change, "to", to ? json_deep_copy(to) : json_null());
    json_array_append_new(out, change);
}

static bool has_flavor(const struct pool_spec *p, const char *name) {
    for (size_t i = 0; i < p->n_flavors; i++)
        if (strcmp(p->flavors[i].name, name) == 0) return true;
    return false;
}

static bool has_service(const struct pool_spec *p, const char *name) {
    for (size_t i = 0; i < p->n_services; i++)
        if (strcmp(p->services[i].name, name) == 0) return true;
    return false;
}

/* A project goes, or becomes another, only when it belongs to no tenant: what is there is the tenant's. */
static int host_is_nobodys(struct book *b, const char *pool, const char *host, const char *doing,
                           struct err *e) {
    scoped_free char *tenant = NULL;
    int rc = sql_text(
        b->store, e, &tenant,
        "SELECT t.name FROM host h JOIN tenant t ON t.id = h.tenant WHERE h.pool = $1 AND h.name = $2", "is",
        b->pool, host);
    if (rc <= 0) return rc;
    err_set(e, ERR_CONFLICT, "project %s %s: it is bound to %s", host, doing, tenant);
    return err_hint(e, "when nothing of %s is left there: allot pool unbind %s %s", tenant, pool, tenant);
}

/* A host goes only when nothing of ours can still be there. */
static int host_drop(struct book *b, const char *pool, const char *host, struct err *e) {
    int64_t there = 0;
    if (host_is_nobodys(b, pool, host, "cannot go", e) < 0) return -1;
    if (sql_int(
            b->store, e, &there,
            "SELECT count(*) FROM operation WHERE pool = $1 AND host = $2 AND observed <> 'absent' AND NOT "
            "(desired = 'absent' AND observed = 'none')",
            "is", b->pool, host) < 0)
        return -1;
    if (there > 0) {
        err_set(e, ERR_CONFLICT, "host %s cannot go: %lld servers and volumes are on it", host,
                (long long)there);
        return err_hint(e, "drain it, and let its grants end: allot pool drain %s --host %s", pool, host);
    }
    if (sql_do(b->store, e, "DELETE FROM slot WHERE pool = $1 AND host = $2", "is", b->pool, host) < 0)
        return -1;
    return sql_do(b->store, e, "DELETE FROM host WHERE pool = $1 AND name = $2", "is", b->pool, host);
}

/* An item goes only when all of it is free. */
static int item_drop(struct book *b, const char *item, const char *what, const char *name, struct err *e) {
    int64_t used = 0;
    if (pool_capacity_set(b, "pool.set", item, name, 0, e) < 0 ||
        sql_int(b->store, e, &used,
                "SELECT count(*) FROM account WHERE pool = $1 AND item = $2 AND balance <> 0", "is", b->pool,
                item) < 0)
        return -1;
    return used ? err_set(e, ERR_CONFLICT, "%s %s cannot go: not all of it is free", what, name) : 0;
}

static int service_drop(struct book *b, const struct pool_service *v, struct err *e) {
    struct pool_item item;
    if (pool_seat_of(v->name, &item, e) < 0 || item_drop(b, item.s, "service", v->name, e) < 0) return -1;
    return sql_do(b->store, e, "DELETE FROM service WHERE pool = $1 AND name = $2", "is", b->pool, v->name);
}

static int flavor_drop(struct book *b, const struct pool_flavor *f, struct err *e) {
    struct pool_item item;
    if (pool_item_of(f->name, &item, e) < 0 || item_drop(b, item.s, "flavor", f->name, e) < 0) return -1;
    if (sql_do(b->store, e, "DELETE FROM slot WHERE pool = $1 AND flavor = $2", "is", b->pool, f->name) < 0 ||
        sql_do(b->store, e, "DELETE FROM flavor_size WHERE pool = $1 AND flavor = $2", "is", b->pool,
               f->name) < 0)
        return -1;
    return sql_do(b->store, e, "DELETE FROM flavor WHERE pool = $1 AND name = $2", "is", b->pool, f->name);
}

/* Where the things of a project are reached stays as long as any is there. */
static int host_stays(struct book *b, const struct pool_host *was, const struct pool_host *is,
                      struct err *e) {
    int64_t there = 0;
    bool is_same = json_object_size(was->settings) == 0 && json_object_size(is->settings) == 0;
    if (is_same || json_equal(was->settings, is->settings)) return 0;
    if (sql_int(b->store, e, &there,
                "SELECT count(*) FROM operation WHERE pool = $1 AND host = $2 AND observed <> 'absent'", "is",
                b->pool, was->name) < 0)
        return -1;
    if (there == 0) return 0;
    return err_set(e, ERR_CONFLICT, "project %s keeps its object_store_id and cloud: %lld things are in it",
                   was->name, (long long)there);
}

static const struct pool_host *host_named(const json_t *places, const struct pool_spec *p, const char *name) {
    const json_t *place = json_object_get(places, name);
    return place ? &p->hosts[json_integer_value(place)] : NULL;
}

static int hosts_drop(struct book *b, const struct pool_spec *old, const struct pool_spec *p, struct err *e) {
    scoped_json json_t *places = json_object();
    for (size_t i = 0; i < p->n_hosts; i++)
        json_object_set_new(places, p->hosts[i].name, json_integer((json_int_t)i));
    for (size_t i = 0; i < old->n_hosts; i++) {
        const struct pool_host *was = &old->hosts[i], *is = host_named(places, p, was->name);
        if (!is && host_drop(b, p->name, was->name, e) < 0) return -1;
        if (!is || !p->has_projects) continue;
        if (strcmp(is->uri, was->uri) != 0 && host_is_nobodys(b, p->name, was->name, "keeps its id", e) < 0)
            return -1;
        if (host_stays(b, was, is, e) < 0) return -1;
    }
    return 0;
}

static int drop_missing(struct book *b, const struct pool_spec *old, const struct pool_spec *p,
                        struct err *e) {
    if (hosts_drop(b, old, p, e) < 0) return -1;
    for (size_t i = 0; i < old->n_flavors; i++)
        if (!has_flavor(p, old->flavors[i].name) && flavor_drop(b, &old->flavors[i], e) < 0) return -1;
    for (size_t i = 0; i < old->n_services; i++)
        if (!has_service(p, old->services[i].name) && service_drop(b, &old->services[i], e) < 0) return -1;
    return 0;
}

static int same_kind(const struct pool_spec *old, const struct pool_spec *p, struct err *e) {
    const char *const were[] = {old->name, old->backend, old->basis}, *const are[] = {p->name, p->backend,
                                                                                      p->basis};
    static const char *const what[] = {"name", "backend", "basis"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(were[i], are[i]) != 0)
            return err_set(e, ERR_CONFLICT, "the %s of a pool stays: it is %s, not %s", what[i], were[i],
                           are[i]);
    return 0;
}

/* Where a cloud's things are stays, too. */
static int same_place(struct book *b, const struct pool_spec *old, const struct pool_spec *p,
                      unsigned capabilities, struct err *e) {
    static const char *const keys[] = {"cloud", "region", "storage"};
    int64_t things = 0;
    if (!(capabilities & (BACKEND_HAS_PROJECTS | BACKEND_BY_QUOTA))) return 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *was = json_object_get(old->settings, keys[i]),
                     *is = json_object_get(p->settings, keys[i]);
        if (was == is || json_equal(was, is)) continue;
        if (sql_int(b->store, e, &things,
                    "SELECT count(*) FROM operation WHERE pool = $1 AND observed <> 'absent'", "i",
                    b->pool) < 0)
            return -1;
        if (things == 0) return 0;
        err_set(e, ERR_CONFLICT, "pool %s keeps its settings.%s: %lld things stand", p->name, keys[i],
                (long long)things);
        return err_hint(e, "declare another pool for the new place, and drain this one: allot pool drain %s",
                        p->name);
    }
    return 0;
}

/* What is there was delivered by the old way, and only that way can take it back. */
static int same_delivery(struct book *b, const struct pool_spec *p, unsigned capabilities, struct err *e) {
    enum { WAY = BACKEND_HAS_PROJECTS | BACKEND_BY_QUOTA };
    unsigned had;
    int64_t things = 0, containers = 0;
    if (pool_capabilities(b->store, b->pool, &had, e) < 0) return -1;
    if (((had ^ capabilities) & WAY) == 0 && (had & ~capabilities & BACKEND_HAS_CONTAINERS) == 0) return 0;
    if (sql_int(b->store, e, &things,
                "SELECT count(*) FROM operation WHERE pool = $1 AND observed <> 'absent'", "i",
                b->pool) < 0 ||
        sql_int(
            b->store, e, &containers,
            "SELECT count(*) FROM operation WHERE pool = $1 AND observed <> 'absent' AND item = 'datalake'",
            "i", b->pool) < 0)
        return -1;
    if (((had ^ capabilities) & WAY) == 0) things = containers;
    if (things == 0) return 0;
    err_set(e, ERR_CONFLICT,
            "pool %s: with these settings grants are delivered in another way, and %lld things stand",
            p->name, (long long)things);
    return err_hint(e, "declare another pool for the new way, and drain this one: allot pool drain %s",
                    p->name);
}

static int set_all(struct book *b, const struct pool_spec *old, const struct pool_spec *p,
                   unsigned capabilities, const json_t *changes, struct err *e) {
    scoped_free char *words = json_canonical(changes);
    if (book_note(b, "pool.set", 0, words, e) < 0 || same_delivery(b, p, capabilities, e) < 0 ||
        same_place(b, old, p, capabilities, e) < 0 || drop_missing(b, old, p, e) < 0)
        return -1;
    return declare(b, "pool.set", p, capabilities, e);
}

int pool_set(struct store *s, int64_t pool, const struct pool_spec *p, unsigned capabilities,
             const char *actor, instant_t now, json_t **changes, struct err *e) {
    struct book b;
    struct pool_spec old;
    unsigned had;
    *changes = json_array();
    if (pool_spec_check(p, e) < 0 || pool_spec_fits(p, capabilities, e) < 0 ||
        book_open(&b, s, pool, actor, now, e) < 0 || pool_capabilities(s, pool, &had, e) < 0 ||
        pool_spec_load(s, pool, &old, e) < 0)
        return -1;
    int rc = same_kind(&old, p, e);
    if (rc == 0) {
        json_t *from = pool_spec_json(&old), *to = pool_spec_json(p);
        differences(from, to, "", *changes);
        json_decref(from);
        json_decref(to);
        if (json_array_size(*changes) || had != capabilities)
            rc = set_all(&b, &old, p, capabilities, *changes, e);
    }
    pool_spec_free(&old);
    return rc == 0 ? book_close(&b, e) : -1;
}
