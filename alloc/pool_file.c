/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a pool, as a person writes it in YAML or JSON: amounts are text with a unit.
 *
 *     backend: libvirt
 *     basis: fp32
 *     hosts: [{name: h1, uri: "qemu:///system"}]
 *     flavors: [{name: v100, rating: 15.6 TF, units: 8, sizes: [1, 2, 4, 8], attach: none}]
 *     storage: 10.7 PB
 *     granule: 1 GB
 *     volume: {least: 1 GB, most: 16 TB}
 *     settings: {...}
 *
 * settings are the backend's own. A list in the file replaces the whole list that was there.
 */
#include "alloc/pool.h"
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

static int read_rating(const struct json_at *object, gflops_t *out, struct err *e) {
    struct json_at at = json_member(object, "rating");
    if (!json_is_string(at.value)) return amount_fail(&at, "15.6 TF", e);
    return gflops_parse(json_string_value(at.value), out, e) < 0 ? json_context(object, "rating", e) : 0;
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

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int read_sizes(const struct json_at *object, struct pool_flavor *f, struct err *e) {
    struct json_at list;
    if (json_need_array(object, "sizes", 1, SIZES_MOST, &list, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        if (json_as_int(&item, 1, UNITS_MOST, &f->sizes[i], e) < 0) return -1;
        for (size_t k = 0; k < i; k++)
            if (f->sizes[k] == f->sizes[i])
                return json_fail(&item, e, "%lld stands twice", (long long)f->sizes[i]);
    }
    f->n_sizes = json_length(&list);
    qsort(f->sizes, f->n_sizes, sizeof f->sizes[0], ascending);
    return 0;
}

static int read_flavor(const struct json_at *at, struct pool_flavor *f, struct err *e) {
    static const char *const keys[] = {"name", "rating", "units", "sizes", "attach", NULL};
    size_t attach = 0;
    if (json_only(at, keys, e) < 0 || read_name(at, "flavor", &f->name, e) < 0 ||
        read_rating(at, &f->rating, e) < 0 || json_need_int(at, "units", 0, UNITS_MOST, &f->units.n, e) < 0 ||
        read_sizes(at, f, e) < 0 || json_may_word(at, "attach", pool_attaches, &attach, e) < 0)
        return -1;
    f->attach = pool_attaches[attach];
    if (f->rating.n == 0) {
        struct json_at rating = json_member(at, "rating");
        return json_fail(&rating, e, "must be more than 0");
    }
    return 0;
}

static int read_hosts(struct pool_spec *p, const struct json_at *root, struct err *e) {
    struct json_at list;
    if (json_may_array(root, "hosts", POOL_HOSTS_MOST, &list, e) < 0) return -1;
    if (!list.value) return 0;
    for (size_t i = 0; i < p->n_hosts; i++) {
        free(p->hosts[i].name);
        free(p->hosts[i].uri);
    }
    free(p->hosts);
    p->n_hosts = json_length(&list);
    p->hosts = mem_alloc((p->n_hosts + 1) * sizeof *p->hosts);
    for (size_t i = 0; i < p->n_hosts; i++) {
        struct json_at item = json_item(&list, i);
        if (read_host(&item, &p->hosts[i], e) < 0) return -1;
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
        if (read_flavor(&item, &p->flavors[i], e) < 0) return -1;
    }
    return 0;
}

static int read_storage(struct pool_spec *p, const struct json_at *root, struct err *e) {
    static const char *const keys[] = {"least", "most", NULL};
    struct json_at volume;
    if (read_bytes(root, "storage", "10.7 PB", &p->storage, e) < 0 ||
        read_bytes(root, "granule", "1 GB", &p->granule, e) < 0 ||
        json_may_object(root, "volume", &volume, e) < 0)
        return -1;
    if (!volume.value) return 0;
    if (json_only(&volume, keys, e) < 0 || read_bytes(&volume, "least", "1 GB", &p->volume_least, e) < 0)
        return -1;
    return read_bytes(&volume, "most", "16 TB", &p->volume_most, e);
}

int pool_spec_read(struct pool_spec *p, const struct json_at *root, struct err *e) {
    static const char *const keys[] = {"backend", "basis",  "hosts",    "flavors", "storage",
                                       "granule", "volume", "settings", NULL};
    struct json_at settings;
    if (json_only(root, keys, e) < 0 || read_text(root, "backend", &p->backend, e) < 0 ||
        read_text(root, "basis", &p->basis, e) < 0 || read_hosts(p, root, e) < 0 ||
        read_flavors(p, root, e) < 0 || read_storage(p, root, e) < 0 ||
        json_may_object(root, "settings", &settings, e) < 0)
        return -1;
    if (settings.value) {
        json_decref(p->settings);
        p->settings = json_deep_copy(settings.value);
    }
    return 0;
}
