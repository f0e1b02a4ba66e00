/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ledger.h"
#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

const char *const pool_bases[] = {"fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp4", "int8", "int4", NULL};
const char *const pool_attaches[] = {"none", "pci", "mdev", "vf", "vcpu", "hand", NULL};

void pool_hosts_free(struct pool_spec *spec) {
    for (size_t i = 0; i < spec->n_hosts; i++) {
        free(spec->hosts[i].name);
        free(spec->hosts[i].uri);
        json_decref(spec->hosts[i].settings);
    }
    free(spec->hosts);
    spec->hosts = NULL;
    spec->n_hosts = 0;
}

void pool_spec_free(struct pool_spec *spec) {
    pool_hosts_free(spec);
    for (size_t i = 0; i < spec->n_flavors; i++) free(spec->flavors[i].name);
    for (size_t i = 0; i < spec->n_services; i++) free(spec->services[i].name);
    for (size_t i = 0; i < spec->n_metrics; i++) free(spec->metrics[i]);
    free(spec->flavors);
    free(spec->services);
    free(spec->metrics);
    free(spec->name);
    free(spec->backend);
    free(spec->basis);
    json_decref(spec->settings);
    *spec = (struct pool_spec){0};
}

/* ---- checking ---- */

int pool_name_check(const char *what, const char *name, struct err *e) {
    if (*name == '\0') return err_set(e, ERR_USAGE, "the name of a %s is empty", what);
    if (strlen(name) > POOL_NAME_MOST)
        return err_set(e, ERR_USAGE, "%s '%.70s...': a name has at most %d bytes", what, name,
                       POOL_NAME_MOST);
    if (!text_is_printable(name))
        return err_set(e, ERR_USAGE, "the name of a %s is not printable UTF-8", what);
    if (*name == '-' || strpbrk(name, " =,/"))
        return err_set(e, ERR_USAGE,
                       "%s '%s': a name holds no space, '=', ',' or '/' and does not begin with '-'", what,
                       name);
    return 0;
}

static int word_check(const char *key, const char *word, const char *const known[], struct err *e) {
    size_t n = 0;
    scoped_text struct text all = {0};
    for (; known[n]; n++) {
        if (strcmp(known[n], word) == 0) return 0;
        text_add(&all, "%s%s", n ? ", " : "", known[n]);
    }
    err_set(e, ERR_USAGE, "%s: '%.80s' is none of %s", key, word, all.s);
    const char *nearest = text_nearest(word, known, n);
    return nearest ? err_hint(e, "did you mean '%s'?", nearest) : -1;
}

bool pool_id_is_good(const char *id) {
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t n = strlen(id);
    return n > 0 && n <= POOL_NAME_MOST && strspn(id, good) == n;
}

static int project_check(const struct pool_host *h, size_t i, struct err *e) {
    const char *store = json_string_value(json_object_get(h->settings, "object_store_id")),
               *cloud = json_string_value(json_object_get(h->settings, "cloud"));
    if (pool_name_check("project", h->name, e) < 0) return err_context(e, "projects[%zu].name", i);
    if (!pool_id_is_good(h->uri) || (store && !pool_id_is_good(store)))
        return err_set(e, ERR_USAGE,
                       "projects[%zu].%s: '%.80s' is no id: 1 to %d letters, digits, '_' and '-'", i,
                       pool_id_is_good(h->uri) ? "object_store_id" : "id",
                       pool_id_is_good(h->uri) ? store : h->uri, POOL_NAME_MOST);
    if (cloud && pool_name_check("cloud", cloud, e) < 0) return err_context(e, "projects[%zu].cloud", i);
    return 0;
}

static int host_check(const struct pool_host *h, size_t i, struct err *e) {
    if (pool_name_check("host", h->name, e) < 0) return err_context(e, "hosts[%zu].name", i);
    if (*h->uri == '\0' || !text_is_printable(h->uri))
        return err_set(e, ERR_USAGE, "hosts[%zu].uri: is empty or not printable", i);
    return 0;
}

/* value: of hosts[i], told as `key`. seen: value -> i. */
static int once_check(json_t *seen, const char *list, const char *key, const char *value, size_t i,
                      struct err *e) {
    const json_t *before = json_object_get(seen, value);
    if (before)
        return err_set(e, ERR_USAGE, "%s[%zu].%s: '%s' is the %s of %s[%lld] too", list, i, key, value, key,
                       list, (long long)json_integer_value(before));
    json_object_set_new(seen, value, json_integer((json_int_t)i));
    return 0;
}

static int hosts_check(const struct pool_spec *p, struct err *e) {
    scoped_json json_t *names = json_object(), *ids = json_object(), *stores = json_object();
    const char *list = p->has_projects ? "projects" : "hosts";
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct pool_host *h = &p->hosts[i];
        const char *store = json_string_value(json_object_get(h->settings, "object_store_id"));
        if ((p->has_projects ? project_check : host_check)(h, i, e) < 0 ||
            once_check(names, list, "name", h->name, i, e) < 0)
            return -1;
        if (!p->has_projects) continue;
        if (once_check(ids, list, "id", h->uri, i, e) < 0 ||
            (store && once_check(stores, list, "object_store_id", store, i, e) < 0))
            return -1;
    }
    return 0;
}

static int flavor_check(const struct pool_spec *p, size_t i, struct err *e) {
    const struct pool_flavor *f = &p->flavors[i];
    if (pool_name_check("flavor", f->name, e) < 0) return err_context(e, "flavors[%zu].name", i);
    for (size_t k = 0; k < i; k++)
        if (strcmp(p->flavors[k].name, f->name) == 0)
            return err_set(e, ERR_USAGE, "flavors[%zu].name: '%s' is the name of flavors[%zu] too", i,
                           f->name, k);
    if (!f->unrated && f->rating.n <= 0) {
        err_set(e, ERR_USAGE, "flavors[%zu].rating: %s has none (or 0)", i, f->name);
        return err_hint(e, "a chip without a figure says so: rating: none");
    }
    if (f->n_sizes == 0) return err_set(e, ERR_USAGE, "flavors[%zu].sizes: %s has none", i, f->name);
    for (size_t k = 0; k < f->n_sizes; k++)
        if (f->sizes[k] < 1 || f->sizes[k] > SIZE_MOST || (k && f->sizes[k] <= f->sizes[k - 1]))
            return err_set(e, ERR_USAGE, "flavors[%zu].sizes: must ascend from 1 to at most %d, each once", i,
                           SIZE_MOST);
    /* Sums of units times rating must stay far from the end of 64 bits. */
    gflops_t all;
    if (gflops_times(f->rating, f->units.n, &all, e) < 0 || all.n > GFLOPS_MOST)
        return err_clear(e),
               err_set(e, ERR_USAGE, "flavors[%zu]: %lld units of %s pass %s", i, (long long)f->units.n,
                       gflops_text(f->rating).s, gflops_text(gflops(GFLOPS_MOST)).s);
    return 0;
}

static int storage_check(const struct pool_spec *p, struct err *e) {
    int64_t g = p->granule.n;
    if (g <= 0) return err_set(e, ERR_USAGE, "granule: must be more than 0 B");
    if (p->volume_least.n <= 0) return err_set(e, ERR_USAGE, "volume.least: must be more than 0 B");
    if (p->volume_most.n < p->volume_least.n)
        return err_set(e, ERR_USAGE, "volume.most: %s is less than volume.least, %s",
                       bytes_text(p->volume_most).s, bytes_text(p->volume_least).s);
    if (p->volume_least.n % g || p->volume_most.n % g)
        return err_set(e, ERR_USAGE, "volume.%s: %s is not a multiple of the granule, %s",
                       p->volume_least.n % g ? "least" : "most",
                       bytes_text(p->volume_least.n % g ? p->volume_least : p->volume_most).s,
                       bytes_text(p->granule).s);
    if (p->storage.n > BYTES_MOST) return err_set(e, ERR_USAGE, "storage: more than 4 EB");
    if (p->datalake.n > BYTES_MOST) return err_set(e, ERR_USAGE, "datalake: more than 4 EB");
    return 0;
}

static int service_check(const struct pool_spec *p, size_t i, struct err *e) {
    const struct pool_service *v = &p->services[i];
    if (pool_name_check("service", v->name, e) < 0) return err_context(e, "saas[%zu].name", i);
    for (size_t k = 0; k < i; k++)
        if (strcmp(p->services[k].name, v->name) == 0)
            return err_set(e, ERR_USAGE, "saas[%zu].name: '%s' is the name of saas[%zu] too", i, v->name, k);
    if (v->seats >= 0 && v->seats <= UNITS_MOST) return 0;
    return err_set(e, ERR_USAGE, "saas[%zu].seats: must be 0 to %lld", i, (long long)UNITS_MOST);
}

static int metric_check(const struct pool_spec *p, size_t i, struct err *e) {
    if (pool_name_check("metric", p->metrics[i], e) < 0) return err_context(e, "measures[%zu]", i);
    for (size_t k = 0; k < i; k++)
        if (strcmp(p->metrics[k], p->metrics[i]) == 0)
            return err_set(e, ERR_USAGE, "measures[%zu]: '%s' stands twice", i, p->metrics[i]);
    return 0;
}

int pool_spec_check(const struct pool_spec *p, struct err *e) {
    if (!p->name || pool_name_check("pool", p->name, e) < 0)
        return p->name ? -1 : err_set(e, ERR_USAGE, "the pool has no name");
    if (!p->backend) return err_set(e, ERR_USAGE, "backend: is missing (libvirt, openstack, simulated)");
    if (pool_name_check("backend", p->backend, e) < 0) return -1;
    if (!p->basis) return err_set(e, ERR_USAGE, "basis: is missing (the precision of all ratings: fp32 ...)");
    if (word_check("basis", p->basis, pool_bases, e) < 0) return -1;
    if (hosts_check(p, e) < 0) return -1;
    for (size_t i = 0; i < p->n_flavors; i++)
        if (flavor_check(p, i, e) < 0) return -1;
    for (size_t i = 0; i < p->n_services; i++)
        if (service_check(p, i, e) < 0) return -1;
    for (size_t i = 0; i < p->n_metrics; i++)
        if (metric_check(p, i, e) < 0) return -1;
    return storage_check(p, e);
}

int pool_spec_fits(const struct pool_spec *p, unsigned capabilities, struct err *e) {
    bool wants_projects = (capabilities & BACKEND_HAS_PROJECTS) != 0;
    if (p->n_hosts == 0 && wants_projects)
        return err_set(e, ERR_USAGE,
                       "projects: the pool has none, and its backend gives each tenant its own");
    if (p->n_hosts == 0 && !(capabilities & BACKEND_BY_QUOTA))
        return err_set(e, ERR_USAGE, "hosts: the pool has none");
    if (p->has_projects && !wants_projects)
        return err_set(e, ERR_USAGE, "projects: backend %s has none with these settings", p->backend);
    if (p->n_hosts && !p->has_projects && wants_projects) {
        err_set(e, ERR_USAGE, "hosts: with these settings backend %s has projects, not hosts", p->backend);
        return err_hint(e, "projects: [{name: NAME, id: ID}, ...]");
    }
    return 0;
}

/* ---- JSON ---- */

json_t *pool_hosts_document(const struct pool_spec *p) {
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_hosts; i++) {
        json_t *host = json_pack("{s:s, s:s}", "name", p->hosts[i].name, p->has_projects ? "id" : "uri",
                                 p->hosts[i].uri);
        if (p->hosts[i].settings) json_object_update(host, p->hosts[i].settings);
        json_array_append_new(list, host);
    }
    return list;
}

json_t *pool_spec_json(const struct pool_spec *p) {
    json_t *flavors = json_array();
    for (size_t i = 0; i < p->n_flavors; i++) {
        const struct pool_flavor *f = &p->flavors[i];
        json_t *sizes = json_array();
        for (size_t k = 0; k < f->n_sizes; k++) json_array_append_new(sizes, json_integer(f->sizes[k]));
        json_array_append_new(flavors,
                              json_pack("{s:s, s:o, s:I, s:o, s:s}", "name", f->name, "rating_gflops",
                                        f->unrated ? json_null() : json_integer(f->rating.n), "units",
                                        (json_int_t)f->units.n, "sizes", sizes, "attach", f->attach));
    }
    json_t *services = json_array(), *metrics = json_array();
    for (size_t i = 0; i < p->n_services; i++)
        json_array_append_new(services, json_pack("{s:s, s:I}", "name", p->services[i].name, "seats",
                                                  (json_int_t)p->services[i].seats));
    for (size_t i = 0; i < p->n_metrics; i++) json_array_append_new(metrics, json_string(p->metrics[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:O}", "name", p->name,
                     "backend", p->backend, "basis", p->basis, p->has_projects ? "projects" : "hosts",
                     pool_hosts_document(p), "flavors", flavors, "services", services, "metrics", metrics,
                     "datalake_bytes", (json_int_t)p->datalake.n, "storage_bytes", (json_int_t)p->storage.n,
                     "granule_bytes", (json_int_t)p->granule.n, "volume_least_bytes",
                     (json_int_t)p->volume_least.n, "volume_most_bytes", (json_int_t)p->volume_most.n,
                     "settings", p->settings);
}

/* ---- from the store ---- */

static const char *attach_word(const char *word) {
    for (size_t i = 0; pool_attaches[i]; i++)
        if (strcmp(pool_attaches[i], word) == 0) return pool_attaches[i];
    return "none";
}

static int head_load(struct store *s, int64_t pool, struct pool_spec *out, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e,
                       "SELECT name, backend, basis, granule_bytes, volume_least_bytes, volume_most_bytes, "
                       "settings, capabilities FROM pool WHERE id = $1 AND id > 0",
                       "i", pool);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        out->name = mem_copy(rows_text(&r, 0));
        out->backend = mem_copy(rows_text(&r, 1));
        out->basis = mem_copy(rows_text(&r, 2));
        out->granule = bytes(rows_int(&r, 3));
        out->volume_least = bytes(rows_int(&r, 4));
        out->volume_most = bytes(rows_int(&r, 5));
        out->settings = json_loads(rows_text(&r, 6), 0, NULL);
        out->has_projects = (rows_int(&r, 7) & BACKEND_HAS_PROJECTS) != 0;
        rc = out->settings ? 0 : err_set(e, ERR_BOOKS, "the settings of pool %s are no JSON", out->name);
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "no pool with number %lld", (long long)pool);
    }
    rows_close(&r);
    return rc;
}

static int hosts_load(struct store *s, int64_t pool, struct pool_spec *out, struct err *e) {
    struct rows r;
    size_t room = 0;
    int rc = rows_open(&r, s, e,
                       "SELECT name, uri, nullif(settings, '{}') FROM host WHERE pool = $1 ORDER BY name",
                       "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        out->hosts = mem_grow(out->hosts, &room, out->n_hosts + 1, sizeof *out->hosts);
        struct pool_host *h = &out->hosts[out->n_hosts++];
        *h = (struct pool_host){.name = mem_copy(rows_text(&r, 0)), .uri = mem_copy(rows_text(&r, 1))};
        rc = 0;
        if (rows_null(&r, 2)) continue;
        if (!(h->settings = json_loads(rows_text(&r, 2), 0, NULL)))
            rc = err_set(e, ERR_BOOKS, "the settings of host %s are no JSON", h->name);
    }
    rows_close(&r);
    return rc;
}

/* Ratings, sizes and units come with the facts; only how they are attached does not. */
static int flavors_load(struct store *s, int64_t pool, struct pool_spec *out, struct err *e) {
    struct fact_pool facts;
    if (pool_load_declared(s, pool, &facts, e) < 0) return -1;
    out->storage = facts.storage_capacity;
    out->datalake = facts.datalake_capacity;
    out->n_services = facts.n_services;
    out->services = mem_alloc((facts.n_services + 1) * sizeof *out->services);
    for (size_t i = 0; i < facts.n_services; i++)
        out->services[i] = (struct pool_service){mem_copy(facts.services[i].name), facts.services[i].seats};
    out->n_flavors = facts.n_flavors;
    out->flavors = mem_alloc((facts.n_flavors + 1) * sizeof *out->flavors);
    int rc = 0;
    for (size_t i = 0; i < facts.n_flavors && rc == 0; i++) {
        const struct fact_flavor *from = &facts.flavors[i];
        struct pool_flavor *f = &out->flavors[i];
        *f = (struct pool_flavor){.name = mem_copy(from->name),
                                  .unrated = from->unrated,
                                  .rating = from->rating,
                                  .units = from->capacity,
                                  .n_sizes = from->n_sizes};
        memcpy(f->sizes, from->sizes, sizeof f->sizes);
        scoped_free char *attach = NULL;
        rc = sql_text(s, e, &attach, "SELECT attach FROM flavor WHERE pool = $1 AND name = $2", "is", pool,
                      f->name);
        f->attach = attach_word(attach ? attach : "none");
        rc = rc < 0 ? -1 : 0;
    }
    pool_facts_free(&facts);
    return rc;
}

static int metrics_load(struct store *s, int64_t pool, struct pool_spec *out, struct err *e) {
    struct rows r;
    size_t room = 0;
    int rc = rows_open(&r, s, e, "SELECT name FROM pool_metric WHERE pool = $1 ORDER BY name", "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        out->metrics = mem_grow(out->metrics, &room, out->n_metrics + 1, sizeof *out->metrics);
        out->metrics[out->n_metrics++] = mem_copy(rows_text(&r, 0));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

int pool_spec_load(struct store *s, int64_t pool, struct pool_spec *out, struct err *e) {
    *out = (struct pool_spec){0};
    if (head_load(s, pool, out, e) == 0 && hosts_load(s, pool, out, e) == 0 &&
        flavors_load(s, pool, out, e) == 0 && metrics_load(s, pool, out, e) == 0)
        return 0;
    pool_spec_free(out);
    return -1;
}
