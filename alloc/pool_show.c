/* SPDX-License-Identifier: Apache-2.0 */
/* Pools as JSON. What is only counted says so wherever a flavor is named. */
#include "alloc/ledger.h"
#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/pool_run.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static int64_t number(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static int flavor_show(struct store *s, int64_t pool, const struct fact_flavor *f,
                       const struct pool_flavor *declared, json_t *out, struct err *e) {
    struct pool_item item;
    int64_t lost, free_now, offered;
    if (pool_item_of(f->name, &item, e) < 0 || pool_offered(s, pool, item.s, &offered, e) < 0 ||
        ledger_balance(s, pool, item.s, ACCOUNT_LOST, 0, &lost, e) < 0 ||
        ledger_balance(s, pool, item.s, ACCOUNT_FREE, 0, &free_now, e) < 0)
        return -1;
    json_t *sizes = json_array();
    for (size_t i = 0; i < f->n_sizes; i++) json_array_append_new(sizes, json_integer(f->sizes[i]));
    json_t *rating = f->unrated ? json_null() : json_integer(f->rating.n);
    json_array_append_new(
        out, json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s?}", "name", f->name,
                       "rating_gflops", rating, "sizes", sizes, "units", (json_int_t)declared->units.n,
                       "free_units", (json_int_t)(free_now - offered), "offered_units", (json_int_t)offered,
                       "placeable_units", (json_int_t)f->free.n, "lent_units",
                       (json_int_t)(f->capacity.n - lost - free_now), "lost_units", (json_int_t)lost,
                       "compute_gflops", (json_int_t)declared->units.n * f->rating.n, "attach",
                       declared->attach, "note", pool_attach_note(declared->attach)));
    return 0;
}

static json_t *flavors_show(struct store *s, int64_t pool, const struct pool_spec *spec, struct err *e) {
    struct fact_pool facts;
    if (pool_load_facts(s, pool, &facts, e) < 0) return NULL;
    json_t *list = json_array();
    int rc = 0;
    for (size_t i = 0; i < facts.n_flavors && rc == 0; i++)
        rc = flavor_show(s, pool, &facts.flavors[i], &spec->flavors[i], list, e);
    pool_facts_free(&facts);
    if (rc == 0) return list;
    json_decref(list);
    return NULL;
}

static json_t *hosts_show(struct store *s, int64_t pool, struct err *e) {
    json_t *list = sql_json(
        s, e,
        "SELECT h.name, h.uri, h.state, h.storage_capacity_bytes, h.storage_free_bytes, h.seen_at AS "
        "\"seen_at@time\", h.trouble, (SELECT count(*) FROM slot l WHERE l.pool = h.pool AND l.host = h.name "
        "AND "
        "l.state = 'ok') AS devices, (SELECT count(*) FROM slot l WHERE l.pool = h.pool AND l.host = h.name "
        "AND "
        "l.state = 'ok' AND l.operation IS NULL) AS free_devices FROM host h WHERE h.pool = $1 ORDER BY "
        "h.name",
        "i", pool);
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        int64_t all = number(row, "storage_capacity_bytes"), left = number(row, "storage_free_bytes");
        json_object_set_new(row, "storage_used_percent",
                            all > 0 ? json_integer((json_int_t)((wide_t)(all - left) * 100 / all))
                                    : json_null());
    }
    return list;
}

/* Projects instead of hosts: whose each is. */
static json_t *projects_show(struct store *s, int64_t pool, struct err *e) {
    static const char *const keys[] = {"object_store_id", "cloud"};
    json_t *list =
        sql_json(s, e,
                 "SELECT h.name, h.uri AS id, h.settings AS \"settings@json\", h.state, t.name AS tenant, "
                 "m.name AS member, "
                 "h.seen_at AS \"seen_at@time\", h.trouble FROM host h LEFT JOIN tenant t ON t.id = h.tenant "
                 "LEFT JOIN "
                 "member m ON m.pool = h.pool AND m.tenant = h.tenant WHERE h.pool = $1 ORDER BY h.name",
                 "i", pool);
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        const json_t *settings = json_object_get(row, "settings");
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            json_t *value = json_object_get(settings, keys[k]);
            json_object_set_new(row, keys[k], value ? json_incref(value) : json_null());
        }
        json_object_del(row, "settings");
    }
    return list;
}

/* What a person delivers: seats of services, and the data lake. */
static int by_hand_show(struct store *s, int64_t pool, const struct pool_spec *spec, json_t *out,
                        struct err *e) {
    struct fact_pool facts;
    if (pool_load_facts(s, pool, &facts, e) < 0) return -1;
    json_t *services = json_array(), *metrics = json_array();
    for (size_t i = 0; i < facts.n_services; i++)
        json_array_append_new(services, json_pack("{s:s, s:I, s:I}", "name", facts.services[i].name, "seats",
                                                  (json_int_t)facts.services[i].seats, "free_seats",
                                                  (json_int_t)facts.services[i].free));
    for (size_t i = 0; i < spec->n_metrics; i++)
        json_array_append_new(metrics, json_string(spec->metrics[i]));
    json_object_set_new(out, "services", services);
    json_object_set_new(out, "metrics", metrics);
    json_object_set_new(out, "datalake_bytes", json_integer(facts.datalake_capacity.n));
    json_object_set_new(out, "datalake_free_bytes", json_integer(facts.datalake_free.n));
    pool_facts_free(&facts);
    return 0;
}

static int storage_show(struct store *s, int64_t pool, json_t *out, struct err *e) {
    int64_t declared, lost, free_now;
    if (pool_declared(s, pool, ITEM_STORAGE, &declared, e) < 0 ||
        ledger_balance(s, pool, ITEM_STORAGE, ACCOUNT_LOST, 0, &lost, e) < 0 ||
        ledger_balance(s, pool, ITEM_STORAGE, ACCOUNT_FREE, 0, &free_now, e) < 0)
        return -1;
    json_object_set_new(out, "storage_bytes", json_integer(declared));
    json_object_set_new(out, "storage_free_bytes", json_integer(free_now));
    json_object_set_new(out, "storage_lost_bytes", json_integer(lost));
    return 0;
}

/* Sums over flavors of one basis, so they may be added; 0 to 10^12 GF each (pool_spec_check). */
static void sums_show(const json_t *flavors, json_t *out) {
    int64_t all = 0, open = 0, units_all = 0, units_free = 0, lost = 0;
    bool is_counted = false;
    size_t i;
    json_t *f;
    json_array_foreach(flavors, i, f) {
        all += number(f, "compute_gflops");
        open += number(f, "free_units") * number(f, "rating_gflops");
        units_all += number(f, "units");
        units_free += number(f, "free_units");
        lost += number(f, "lost_units");
        is_counted = is_counted || strcmp(json_string_value(json_object_get(f, "attach")), "none") == 0;
    }
    json_object_set_new(out, "compute_gflops", json_integer(all));
    json_object_set_new(out, "compute_free_gflops", json_integer(open));
    json_object_set_new(out, "units", json_integer(units_all));
    json_object_set_new(out, "free_units", json_integer(units_free));
    json_object_set_new(out, "lost_units", json_integer(lost));
    json_object_set_new(out, "note", is_counted ? json_string(pool_attach_note("none")) : json_null());
}

static int parts_show(struct store *s, int64_t pool, const struct pool_spec *spec, json_t *out,
                      struct err *e) {
    json_t *flavors = flavors_show(s, pool, spec, e);
    if (!flavors) return -1;
    sums_show(flavors, out);
    json_object_set_new(out, "flavors", flavors);
    json_t *hosts = spec->has_projects ? json_array() : hosts_show(s, pool, e),
           *projects = spec->has_projects ? projects_show(s, pool, e) : json_array();
    json_object_set_new(out, "hosts", hosts);
    json_object_set_new(out, "projects", projects);
    if (!hosts || !projects) return -1;
    return by_hand_show(s, pool, spec, out, e) < 0 ? -1 : storage_show(s, pool, out, e);
}

json_t *pool_show(struct store *s, int64_t pool, struct err *e) {
    struct pool_spec spec;
    if (pool_spec_load(s, pool, &spec, e) < 0) return NULL;
    json_t *out = sql_json_one(s, e, "the pool is not there",
                               "SELECT name, backend, basis, state, granule_bytes, "
                               "volume_least_bytes, volume_most_bytes, settings AS "
                               "\"settings@json\", made_at AS \"made_at@time\" FROM pool WHERE id = $1",
                               "i", pool);
    int rc = out ? parts_show(s, pool, &spec, out, e) : -1;
    pool_spec_free(&spec);
    if (rc == 0) return out;
    json_decref(out);
    return NULL;
}

/* A row has the sums; how many hosts, instead of which. */
static json_t *row_of(struct store *s, int64_t pool, struct err *e) {
    json_t *all = pool_show(s, pool, e);
    if (!all) return NULL;
    static const char *const lists[] = {"hosts", "projects"};
    for (size_t i = 0; i < 2; i++)
        json_object_set_new(all, lists[i],
                            json_integer((json_int_t)json_array_size(json_object_get(all, lists[i]))));
    json_object_del(all, "flavors");
    json_object_del(all, "settings");
    json_object_del(all, "services");
    json_object_del(all, "metrics");
    return all;
}

json_t *pool_list(struct store *s, struct err *e) {
    json_t *ids = sql_json(s, e, "SELECT id FROM pool WHERE id > 0 ORDER BY name", ""), *list = json_array(),
           *id;
    size_t i;
    json_array_foreach(ids, i, id) {
        json_t *row = row_of(s, number(id, "id"), e);
        if (!row) {
            json_decref(ids);
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, row);
    }
    json_decref(ids);
    return list;
}
