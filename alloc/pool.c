/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/pool.h"

#include "alloc/pool_books.h"
#include "alloc/project.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- finding ---- */

static int suggest(struct store *s, const char *name, struct err *e) {
    const char *names[256];
    size_t n = 0;
    struct rows r;
    struct err ignored = {0};
    int rc = rows_open(&r, s, &ignored, "SELECT name FROM pool WHERE id > 0 ORDER BY name LIMIT 256", "");
    while (rc == 0 && n < 256 && rows_next(&r, &ignored) == 1) names[n++] = mem_copy(rows_text(&r, 0));
    rows_close(&r);
    err_set(e, ERR_NOT_FOUND, "no pool is named '%s'", name);
    const char *nearest = text_nearest(name, names, n);
    if (nearest)
        err_hint(e, "did you mean '%s'?", nearest);
    else if (n == 0)
        err_hint(e, "there is no pool yet: allot pool add NAME --file FILE");
    for (size_t i = 0; i < n; i++) free((char *)names[i]);
    return -1;
}

int pool_find(struct store *s, const char *name, int64_t *id, struct err *e) {
    int rc = sql_int(s, e, id, "SELECT id FROM pool WHERE name = $1 AND id > 0", "s", name);
    return rc == 1 ? 0 : rc < 0 ? -1 : suggest(s, name, e);
}

int pool_capabilities(struct store *s, int64_t pool, unsigned *out, struct err *e) {
    int64_t bits = 0;
    int rc = sql_int(s, e, &bits, "SELECT capabilities FROM pool WHERE id = $1", "i", pool);
    *out = (unsigned)bits;
    return rc < 0 ? -1 : 0;
}

/* ---- facts ---- */

int64_t pool_reachable(const int64_t *sizes, size_t n_sizes, int64_t n) {
    if (n_sizes == 0 || n < sizes[0]) return 0;
    if (sizes[0] == 1) return n;
    scoped_free bool *reached = mem_alloc((size_t)n + 1);
    reached[0] = true;
    int64_t best = 0;
    for (int64_t sum = sizes[0]; sum <= n; sum++)
        for (size_t i = 0; i < n_sizes && sizes[i] <= sum; i++)
            if (reached[sum - sizes[i]]) reached[sum] = true, best = sum;
    return best;
}

struct balances {
    int64_t world, free, lost;
};

/* free: without what is held for offers. */
static int balances_load(struct store *s, int64_t pool, const char *item, struct balances *out,
                         struct err *e) {
    int64_t aside;
    *out = (struct balances){0};
    if (ledger_balance(s, pool, item, ACCOUNT_WORLD, 0, &out->world, e) < 0 ||
        ledger_balance(s, pool, item, ACCOUNT_FREE, 0, &out->free, e) < 0)
        return -1;
    if (pool_offered(s, pool, item, &aside, e) < 0) return -1;
    out->free -= aside;
    return ledger_balance(s, pool, item, ACCOUNT_LOST, 0, &out->lost, e);
}

/* All accounts of an item add up to zero, so what came from the world is all that is here: three lookups
   instead of a sum over every grant. */
static int flavor_balances(struct store *s, int64_t pool, struct fact_flavor *f, struct err *e) {
    struct pool_item item;
    struct balances b;
    if (pool_item_of(f->name, &item, e) < 0 || balances_load(s, pool, item.s, &b, e) < 0) return -1;
    f->capacity = units(-b.world);
    f->free = units(b.free);
    f->lost = units(b.lost);
    return 0;
}

static int flavor_sizes(struct store *s, int64_t pool, struct fact_flavor *f, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT size FROM flavor_size WHERE pool = $1 AND flavor = $2 ORDER BY size",
                       "is", pool, f->name);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = f->n_sizes < SIZES_MOST
                 ? 0
                 : err_set(e, ERR_FAILED, "flavor %s has more than %d sizes", f->name, SIZES_MOST);
        if (rc == 0) f->sizes[f->n_sizes++] = rows_int(&r, 0);
    }
    rows_close(&r);
    return rc;
}

#define FREE_DEVICES                                                                                         \
    " FROM slot WHERE pool = $1 AND flavor = $2 AND state = 'ok' AND operation IS NULL AND offer IS NULL"
/* Hosts that are not active: their devices are not lent. */
#define ASIDE "(SELECT name FROM host WHERE pool = $1 AND state <> 'active')"

/* What fits on the active hosts: half a server here and half there is none, so it is counted host by host;
   but where a server may have one unit any device will do. */
static int flavor_placeable(struct store *s, int64_t pool, struct fact_flavor *f, struct err *e) {
    struct rows r;
    int64_t fits = 0;
    int rc = rows_open(&r, s, e,
                       f->n_sizes > 0 && f->sizes[0] == 1 ? "SELECT count(*) - (SELECT count(*)" FREE_DEVICES
                                                            " AND host IN " ASIDE ")" FREE_DEVICES
                                                          : "SELECT count(*)" FREE_DEVICES
                                                            " AND host NOT IN " ASIDE " GROUP BY host",
                       "is", pool, f->name);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        fits += pool_reachable(f->sizes, f->n_sizes, rows_int(&r, 0));
        rc = 0;
    }
    rows_close(&r);
    f->free = units_min(f->free, units(fits));
    return rc;
}

struct loading {
    struct fact_flavor *flavors;
    bool *has_slots;
    size_t n, room, slots_room;
};

static int flavors_list(struct store *s, int64_t pool, struct loading *l, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e, "SELECT name, rating_gflops, has_slots FROM flavor WHERE pool = $1 ORDER BY place, name",
        "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        l->flavors = mem_grow(l->flavors, &l->room, l->n + 1, sizeof *l->flavors);
        l->has_slots = mem_grow(l->has_slots, &l->slots_room, l->n + 1, sizeof *l->has_slots);
        l->has_slots[l->n] = rows_int(&r, 2) != 0;
        l->flavors[l->n++] = (struct fact_flavor){.name = mem_copy(rows_text(&r, 0)),
                                                  .unrated = rows_null(&r, 1),
                                                  .rating = gflops(rows_int(&r, 1))};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int flavors_load(struct store *s, int64_t pool, struct loading *l, bool declared, struct err *e) {
    if (flavors_list(s, pool, l, e) < 0) return -1;
    for (size_t i = 0; i < l->n; i++) {
        struct fact_flavor *f = &l->flavors[i];
        if (flavor_sizes(s, pool, f, e) < 0 || flavor_balances(s, pool, f, e) < 0) return -1;
        if (l->has_slots[i] && !declared && flavor_placeable(s, pool, f, e) < 0) return -1;
    }
    return 0;
}

static int head_load(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e, "SELECT name, basis, state, granule_bytes FROM pool WHERE id = $1", "i", pool);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        out->name = mem_copy(rows_text(&r, 0));
        out->basis = mem_copy(rows_text(&r, 1));
        out->draining = strcmp(rows_text(&r, 2), "draining") == 0;
        out->granule = bytes(rows_int(&r, 3));
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "no pool with number %lld", (long long)pool);
    }
    rows_close(&r);
    return rc;
}

static int services_list(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    struct rows r;
    struct fact_service *services = NULL;
    size_t room = 0;
    int rc = rows_open(&r, s, e, "SELECT name FROM service WHERE pool = $1 ORDER BY name", "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        services = mem_grow(services, &room, out->n_services + 1, sizeof *services);
        services[out->n_services++] = (struct fact_service){.name = mem_copy(rows_text(&r, 0))};
        rc = 0;
    }
    rows_close(&r);
    out->services = services;
    if (!services) out->n_services = 0; /* none; the analyzer does not know */
    return rc;
}

static int services_load(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    if (services_list(s, pool, out, e) < 0) return -1;
    for (size_t i = 0; i < out->n_services; i++) {
        struct fact_service *v = (struct fact_service *)&out->services[i]; /* ours until it is handed out */
        struct pool_item item;
        struct balances b;
        if (pool_seat_of(v->name, &item, e) < 0 || balances_load(s, pool, item.s, &b, e) < 0) return -1;
        v->seats = -b.world;
        v->free = b.free;
    }
    return 0;
}

static int measures_load(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    struct rows r;
    const char **names = NULL;
    size_t room = 0;
    int rc = rows_open(&r, s, e, "SELECT name FROM pool_metric WHERE pool = $1 ORDER BY name", "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        names = mem_grow(names, &room, out->n_measures + 1, sizeof *names);
        names[out->n_measures++] = mem_copy(rows_text(&r, 0));
        rc = 0;
    }
    rows_close(&r);
    out->measures = names;
    if (!names) out->n_measures = 0; /* likewise */
    return rc;
}

static int projects_load(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    unsigned capabilities;
    struct project_counts n;
    if (pool_capabilities(s, pool, &capabilities, e) < 0) return -1;
    if (!(capabilities & BACKEND_HAS_PROJECTS)) return 0;
    if (project_count(s, pool, &n, e) < 0) return -1;
    out->projects = n.all;
    out->projects_usable = n.usable;
    return 0;
}

static int facts_load(struct store *s, int64_t pool, struct fact_pool *out, bool declared, struct err *e) {
    struct loading l = {0};
    struct balances storage, datalake;
    *out = (struct fact_pool){0};
    int rc = head_load(s, pool, out, e);
    if (rc == 0) rc = flavors_load(s, pool, &l, declared, e);
    if (rc == 0) rc = services_load(s, pool, out, e);
    if (rc == 0 && declared) rc = measures_load(s, pool, out, e);
    if (rc == 0) rc = projects_load(s, pool, out, e);
    if (rc == 0) rc = balances_load(s, pool, ITEM_STORAGE, &storage, e);
    if (rc == 0) rc = balances_load(s, pool, ITEM_DATALAKE, &datalake, e);
    free(l.has_slots);
    out->flavors = l.flavors;
    out->n_flavors = l.n;
    if (rc < 0) return pool_facts_free(out), -1;
    out->storage_capacity = bytes(declared ? -storage.world : -storage.world - storage.lost);
    out->storage_free = bytes(storage.free);
    out->datalake_capacity = bytes(-datalake.world);
    out->datalake_free = bytes(datalake.free);
    return 0;
}

int pool_load_facts(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    return facts_load(s, pool, out, false, e);
}

int pool_load_declared(struct store *s, int64_t pool, struct fact_pool *out, struct err *e) {
    return facts_load(s, pool, out, true, e);
}

/* The port's structs point to const because plans only read them; here they are owned. */
void pool_facts_free(struct fact_pool *facts) {
    for (size_t i = 0; i < facts->n_flavors; i++) free((char *)facts->flavors[i].name);
    for (size_t i = 0; i < facts->n_services; i++) free((char *)facts->services[i].name);
    for (size_t i = 0; i < facts->n_measures; i++) free((char *)facts->measures[i]);
    free((const char **)facts->measures);
    free((struct fact_flavor *)facts->flavors);
    free((struct fact_service *)facts->services);
    free((char *)facts->name);
    free((char *)facts->basis);
    *facts = (struct fact_pool){0};
}

/* ---- as the backend sees it ---- */

void pool_place_of(struct pool_spec *spec, const char *own_id, struct pool_place *out) {
    *out =
        (struct pool_place){.spec = *spec, .backend = mem_copy(spec->backend), .store_id = mem_copy(own_id)};
    *spec = (struct pool_spec){0};
    struct backend_host *hosts = mem_alloc((out->spec.n_hosts + 1) * sizeof *hosts);
    for (size_t i = 0; i < out->spec.n_hosts; i++)
        hosts[i] = (struct backend_host){out->spec.hosts[i].name, out->spec.hosts[i].uri,
                                         out->spec.hosts[i].settings};
    out->pool = (struct backend_pool){.name = out->spec.name,
                                      .basis = out->spec.basis,
                                      .hosts = hosts,
                                      .n_hosts = out->spec.n_hosts,
                                      .settings = out->spec.settings,
                                      .store_id = out->store_id};
}

int pool_load_place(struct store *s, int64_t pool, struct pool_place *out, struct err *e) {
    struct pool_spec spec;
    *out = (struct pool_place){0};
    if (pool_spec_load(s, pool, &spec, e) < 0) return -1;
    pool_place_of(&spec, store_id(s), out);
    return 0;
}

void pool_place_free(struct pool_place *place) {
    free((struct backend_host *)place->pool.hosts);
    free(place->backend);
    free(place->store_id);
    pool_spec_free(&place->spec);
    *place = (struct pool_place){0};
}
