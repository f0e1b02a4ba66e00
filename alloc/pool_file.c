/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a pool, as a person writes it in YAML or JSON: amounts are text with a unit.
 *
 *     backend: libvirt
 *     basis: fp32
 *     hosts: [{name: h1, uri: "qemu:///system"}]       (where each tenant has a project of its own, instead:
 *     projects: [{name: p1, id: ID, object_store_id: ID, cloud: NAME}], the last two where they are needed)
 *     flavors: [{name: v100, rating: 15.6 TF, units: 8, sizes: [1, 2, 4, 8], attach: none, units_per_host:
 * 4}] storage: 10.7 PB datalake: 500 TB saas: [{name: notebook, seats: 100}] measures: [gpu_util] granule: 1
 * GB volume: {least: 1 GB, most: 16 TB} settings: {...}
 *
 * settings are the backend's own and checked by it. What a flavor says to the backend (attach, match,
 * units_per_host ...) goes to settings.flavors.NAME, so that a flavor is described in one place. A list
 * in the file replaces the whole list that was there.
 */
#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static int amount_fail(const struct json_at *at, const char *example, struct err *e) {
    if (!at->value) return json_fail(at, e, "is missing (an amount with its unit, like \"%s\")", example);
    scoped_free char *shown = json_dumps(at->value, JSON_ENCODE_ANY);
    return json_fail(at, e, "must be an amount with its unit, like \"%s\", is %.80s", example, shown);
}

static int read_bytes(const struct json_at *object, const char *key, const char *example, bytes_t *out,
                      struct err *e) {
    struct json_at at = json_member(object, key);
    if (!json_has(object, key)) return 0;
    if (!json_is_string(at.value)) return amount_fail(&at, example, e);
    return bytes_parse(json_string_value(at.value), out, e) < 0 ? json_context(object, key, e) : 0;
}

/* A chip without a figure says so: "none". */
static int read_rating(const struct json_at *object, struct pool_flavor *f, struct err *e) {
    struct json_at at = json_member(object, "rating");
    if (!json_is_string(at.value)) return amount_fail(&at, "15.6 TF", e);
    f->unrated = strcmp(json_string_value(at.value), "none") == 0;
    if (f->unrated) return 0;
    if (gflops_parse(json_string_value(at.value), &f->rating, e) < 0)
        return json_context(object, "rating", e);
    return f->rating.n > 0 ? 0 : json_fail(&at, e, "must be more than 0");
}

static int read_name(const struct json_at *object, const char *what, char **out, struct err *e) {
    const char *name;
    if (json_need_text(object, "name", 255, &name, e) < 0) return -1;
    if (pool_name_check(what, name, e) < 0) return json_context(object, "name", e);
    *out = mem_copy(name);
    return 0;
}

static int read_text(const struct json_at *object, const char *key, char **out, struct err *e) {
    const char *text = NULL;
    if (json_may_text(object, key, 255, &text, e) < 0) return -1;
    if (!text) return 0;
    free(*out);
    *out = mem_copy(text);
    return 0;
}

static int read_host(const struct json_at *at, struct pool_host *out, struct err *e) {
    static const char *const keys[] = {"name", "uri", NULL};
    const char *uri;
    if (json_only(at, keys, e) < 0 || read_name(at, "host", &out->name, e) < 0) return -1;
    if (json_need_text(at, "uri", 1000, &uri, e) < 0) return -1;
    out->uri = mem_copy(uri);
    return 0;
}

/* cloud: a name in clouds.yaml, whose credentials open this project. */
static int read_project(const struct json_at *at, struct pool_host *out, struct err *e) {
    static const char *const keys[] = {"name", "id", "object_store_id", "cloud", NULL};
    const char *id;
    if (json_only(at, keys, e) < 0 || read_name(at, "project", &out->name, e) < 0 ||
        json_need_text(at, "id", 255, &id, e) < 0)
        return -1;
    out->uri = mem_copy(id);
    for (size_t i = 2; keys[i]; i++) {
        const char *text = NULL;
        if (json_may_text(at, keys[i], 255, &text, e) < 0) return -1;
        if (!text) continue;
        if (!out->settings) out->settings = json_object();
        json_object_set_new(out->settings, keys[i], json_string(text));
    }
    return 0;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Without sizes a server has one unit, as in a policy. */
static int read_sizes(const struct json_at *object, struct pool_flavor *f, struct err *e) {
    struct json_at list;
    if (!json_has(object, "sizes")) {
        f->sizes[0] = 1;
        f->n_sizes = 1;
        return 0;
    }
    if (json_need_array(object, "sizes", 1, SIZES_MOST, &list, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        if (json_as_int(&item, 1, SIZE_MOST, &f->sizes[i], e) < 0) return -1;
        for (size_t k = 0; k < i; k++)
            if (f->sizes[k] == f->sizes[i])
                return json_fail(&item, e, "%lld stands twice", (long long)f->sizes[i]);
    }
    f->n_sizes = json_length(&list);
    qsort(f->sizes, f->n_sizes, sizeof f->sizes[0], ascending);
    return 0;
}

/* Of a flavor, but for the backend. */
static const char *const backend_keys[] = {"match", "mdev_type", "units_per_host", "vcpus_per_unit",
                                           "memory_mib_per_unit"};
enum { BACKEND_KEYS = sizeof backend_keys / sizeof *backend_keys };

static int read_flavor(const struct json_at *at, struct pool_flavor *f, struct err *e) {
    static const char *const keys[] = {
        "name",  "rating",    "units",          "sizes",          "attach",
        "match", "mdev_type", "units_per_host", "vcpus_per_unit", "memory_mib_per_unit",
        NULL};
    size_t attach = 0;
    if (json_only(at, keys, e) < 0 || read_name(at, "flavor", &f->name, e) < 0 || read_rating(at, f, e) < 0 ||
        json_need_int(at, "units", 0, UNITS_MOST, &f->units.n, e) < 0 || read_sizes(at, f, e) < 0 ||
        json_may_word(at, "attach", pool_attaches, &attach, e) < 0)
        return -1;
    f->attach = pool_attaches[attach];
    return 0;
}

static json_t *object_in(json_t *object, const char *key) {
    json_t *inside = json_object_get(object, key);
    if (json_is_object(inside)) return inside;
    json_object_set_new(object, key, inside = json_object());
    return inside;
}

/* The backend does not know it. */
static int fold_by_hand(struct pool_spec *p, const struct json_at *at, const struct pool_flavor *f,
                        struct err *e) {
    for (size_t i = 0; i < BACKEND_KEYS; i++)
        if (json_has(at, backend_keys[i]))
            return json_fail(at, e, "a person delivers it: %s is for what the backend makes",
                             backend_keys[i]);
    return json_object_del(object_in(p->settings, "flavors"), f->name);
}

/* Hands to the backend what the flavor says for it; both may name the way to attach, but not differently. */
static int fold_flavor(struct pool_spec *p, const struct json_at *at, struct pool_flavor *f, struct err *e) {
    json_t *of_backend = object_in(object_in(p->settings, "flavors"), f->name);
    const char *had = json_string_value(json_object_get(of_backend, "attach"));
    if (had && !json_has(at, "attach")) {
        size_t i = 0;
        struct json_at own = json_root(of_backend, "settings.flavors");
        if (json_may_word(&own, "attach", pool_attaches, &i, e) < 0) return -1;
        f->attach = pool_attaches[i];
    } else if (had && strcmp(had, f->attach) != 0) {
        struct json_at attach = json_member(at, "attach");
        return json_fail(&attach, e, "is \"%s\", settings.flavors.%s.attach is \"%s\"", f->attach, f->name,
                         had);
    }
    if (strcmp(f->attach, "hand") == 0) return fold_by_hand(p, at, f, e);
    json_object_set_new(of_backend, "attach", json_string(f->attach));
    for (size_t i = 0; i < BACKEND_KEYS; i++)
        if (json_has(at, backend_keys[i]))
            json_object_set(of_backend, backend_keys[i], json_object_get(at->value, backend_keys[i]));
    return 0;
}

/* A pool has hosts or projects; an empty list says nothing about which. */
static int read_hosts(struct pool_spec *p, const struct json_at *root, struct err *e) {
    struct json_at hosts, projects;
    if (json_may_array(root, "hosts", POOL_HOSTS_MOST, &hosts, e) < 0 ||
        json_may_array(root, "projects", POOL_HOSTS_MOST, &projects, e) < 0)
        return -1;
    if (!hosts.value && !projects.value) return 0;
    bool has_projects = projects.value && json_length(&projects) > 0;
    if (has_projects && hosts.value && json_length(&hosts) > 0)
        return json_fail(&projects, e, "the pool has hosts already: it has one or the other");
    const struct json_at *list = has_projects || !hosts.value ? &projects : &hosts;
    pool_hosts_free(p);
    p->has_projects = list == &projects;
    p->hosts = mem_alloc((json_length(list) + 1) * sizeof *p->hosts);
    for (; p->n_hosts < json_length(list); p->n_hosts++) {
        struct json_at item = json_item(list, p->n_hosts);
        struct pool_host *host = &p->hosts[p->n_hosts];
        *host = (struct pool_host){0};
        if ((p->has_projects ? read_project : read_host)(&item, host, e) == 0) continue;
        p->n_hosts++; /* what was read of it is freed with the rest */
        return -1;
    }
    return 0;
}

static int read_flavors(struct pool_spec *p, const struct json_at *root, struct err *e) {
    struct json_at list;
    if (json_may_array(root, "flavors", POOL_FLAVORS_MOST, &list, e) < 0) return -1;
    if (!list.value) return 0;
    for (size_t i = 0; i < p->n_flavors; i++) free(p->flavors[i].name);
    free(p->flavors);
    p->n_flavors = json_length(&list);
    p->flavors = mem_alloc((p->n_flavors + 1) * sizeof *p->flavors);
    for (size_t i = 0; i < p->n_flavors; i++) {
        struct json_at item = json_item(&list, i);
        if (read_flavor(&item, &p->flavors[i], e) < 0 || fold_flavor(p, &item, &p->flavors[i], e) < 0)
            return -1;
    }
    return 0;
}

static int read_services(struct pool_spec *p, const struct json_at *root, struct err *e) {
    static const char *const keys[] = {"name", "seats", NULL};
    struct json_at list;
    if (json_may_array(root, "saas", SERVICES_MOST, &list, e) < 0) return -1;
    if (!list.value) return 0;
    for (size_t i = 0; i < p->n_services; i++) free(p->services[i].name);
    free(p->services);
    p->n_services = json_length(&list);
    p->services = mem_alloc((p->n_services + 1) * sizeof *p->services);
    for (size_t i = 0; i < p->n_services; i++) {
        struct json_at item = json_item(&list, i);
        if (json_only(&item, keys, e) < 0 || read_name(&item, "service", &p->services[i].name, e) < 0 ||
            json_need_int(&item, "seats", 0, UNITS_MOST, &p->services[i].seats, e) < 0)
            return -1;
    }
    return 0;
}

static int read_metrics(struct pool_spec *p, const struct json_at *root, struct err *e) {
    struct json_at list;
    if (json_may_array(root, "measures", POOL_METRICS_MOST, &list, e) < 0) return -1;
    if (!list.value) return 0;
    for (size_t i = 0; i < p->n_metrics; i++) free(p->metrics[i]);
    free(p->metrics);
    p->n_metrics = json_length(&list);
    p->metrics = mem_alloc((p->n_metrics + 1) * sizeof *p->metrics);
    for (size_t i = 0; i < p->n_metrics; i++) {
        struct json_at item = json_item(&list, i);
        const char *name;
        if (json_as_text(&item, 255, &name, e) < 0) return -1;
        p->metrics[i] = mem_copy(name);
        if (pool_name_check("metric", name, e) < 0) return err_context(e, "measures[%zu]", i);
    }
    return 0;
}

static int read_storage(struct pool_spec *p, const struct json_at *root, struct err *e) {
    static const char *const keys[] = {"least", "most", NULL};
    struct json_at volume;
    if (read_bytes(root, "storage", "10.7 PB", &p->storage, e) < 0 ||
        read_bytes(root, "datalake", "500 TB", &p->datalake, e) < 0 ||
        read_bytes(root, "granule", "1 GB", &p->granule, e) < 0 ||
        json_may_object(root, "volume", &volume, e) < 0)
        return -1;
    if (!volume.value) return 0;
    if (json_only(&volume, keys, e) < 0 || read_bytes(&volume, "least", "1 GB", &p->volume_least, e) < 0)
        return -1;
    return read_bytes(&volume, "most", "16 TB", &p->volume_most, e);
}

static int read_settings(struct pool_spec *p, const struct json_at *root, struct err *e) {
    struct json_at settings, flavors;
    if (json_may_object(root, "settings", &settings, e) < 0) return -1;
    if (settings.value) {
        if (json_may_object(&settings, "flavors", &flavors, e) < 0) return -1;
        json_decref(p->settings);
        p->settings = json_deep_copy(settings.value);
    }
    if (!p->settings) p->settings = json_object();
    return 0;
}

int pool_spec_read(struct pool_spec *p, const struct json_at *root, struct err *e) {
    static const char *const keys[] = {"backend",  "basis",    "hosts",    "flavors",  "storage",
                                       "granule",  "volume",   "settings", "datalake", "saas",
                                       "measures", "projects", NULL};
    if (json_only(root, keys, e) < 0 || read_text(root, "backend", &p->backend, e) < 0 ||
        read_text(root, "basis", &p->basis, e) < 0 || read_settings(p, root, e) < 0 ||
        read_hosts(p, root, e) < 0 || read_flavors(p, root, e) < 0 || read_services(p, root, e) < 0 ||
        read_metrics(p, root, e) < 0)
        return -1;
    return read_storage(p, root, e);
}

json_t *pool_spec_document(const struct pool_spec *p) {
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "backend", p->backend, "basis", p->basis, "storage",
                  bytes_text(p->storage).s, "granule", bytes_text(p->granule).s, "volume", "least",
                  bytes_text(p->volume_least).s, "most", bytes_text(p->volume_most).s);
    json_t *flavors = json_array();
    for (size_t i = 0; i < p->n_flavors; i++) {
        const struct pool_flavor *f = &p->flavors[i];
        json_t *sizes = json_array();
        for (size_t k = 0; k < f->n_sizes; k++) json_array_append_new(sizes, json_integer(f->sizes[k]));
        json_array_append_new(flavors,
                              json_pack("{s:s, s:s, s:I, s:o, s:s}", "name", f->name, "rating",
                                        f->unrated ? "none" : gflops_text(f->rating).s, "units",
                                        (json_int_t)f->units.n, "sizes", sizes, "attach", f->attach));
    }
    json_object_set_new(document, p->has_projects ? "projects" : "hosts", pool_hosts_document(p));
    json_object_set_new(document, "flavors", flavors);
    json_t *services = json_array(), *metrics = json_array();
    for (size_t i = 0; i < p->n_services; i++)
        json_array_append_new(services, json_pack("{s:s, s:I}", "name", p->services[i].name, "seats",
                                                  (json_int_t)p->services[i].seats));
    for (size_t i = 0; i < p->n_metrics; i++) json_array_append_new(metrics, json_string(p->metrics[i]));
    json_object_set_new(document, "datalake", json_string(bytes_text(p->datalake).s));
    json_object_set_new(document, "saas", services);
    json_object_set_new(document, "measures", metrics);
    json_object_set_new(document, "settings", json_deep_copy(p->settings));
    return document;
}
