/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack.h"

#include "alloc/parallel.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_quota.h"
#include "backends/openstack_usage.h"
#include "backends/range.h"

#include <stdlib.h>
#include <string.h>

static const char *const dialect_words[] = {"nhn", "openstack", NULL}; /* in the order of dialects[] */
static const char *const deliver_words[] = {"instance", "quota", NULL};
static const char *const storage_words[] = {"block", "nas", NULL};
static const char *const object_words[] = {"none", "quota", "polled", NULL};

/* ---- flavors: where the cloud says what its sizes have ---- */

static int resource_set(struct flavor_setting *f, const struct json_at *at, const char *match,
                        struct err *e) {
    if (strncmp(match, "alias:", 6) == 0 && match[6]) {
        f->alias = match + 6;
        return 0;
    }
    bool known = strcmp(match, "VGPU") == 0 || (strncmp(match, "CUSTOM_", 7) == 0 && match[7]);
    if (!known)
        return json_fail(
            at, e,
            "\"match\" must be a resource class (\"CUSTOM_GPU_A100\", \"VGPU\") or \"alias:NAME\" "
            "of pci_passthrough:alias, is \"%s\"",
            match);
    f->resource = match;
    return text_format(f->resource_key, sizeof f->resource_key, "resources:%s", match);
}

static int flavor_read(const struct json_at *flavors, const char *name, struct flavor_setting *f,
                       struct err *e) {
    static const char *const keys[] = {"attach", "match", NULL};
    static const char *const attach_words[] = {"none", "pci", "mdev", "vf", NULL};
    struct json_at at = json_member(flavors, name);
    const char *match = NULL;
    size_t attach = 0;
    *f = (struct flavor_setting){.name = name};
    if (json_only(&at, keys, e) < 0 || json_may_word(&at, "attach", attach_words, &attach, e) < 0 ||
        json_may_text(&at, "match", 128, &match, e) < 0)
        return -1;
    return match && *match ? resource_set(f, &at, match, e) : 0;
}

static int flavors_read(struct settings *s, struct err *e) {
    struct json_at flavors;
    if (json_need_object(&s->at, "flavors", &flavors, e) < 0) return -1;
    s->flavors = mem_alloc(json_length(&flavors) * sizeof *s->flavors);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)flavors.value, name, value) {
        if (flavor_read(&flavors, name, &s->flavors[s->n_flavors++], e) < 0) return -1;
    }
    return 0;
}

const struct flavor_setting *settings_flavor(const struct settings *s, const char *name) {
    for (size_t i = 0; i < s->n_flavors; i++)
        if (strcmp(s->flavors[i].name, name) == 0) return &s->flavors[i];
    return NULL;
}

/* ---- sizes: what so many units are called ---- */

/* Either a name, or {"name", "root", "root_gib"}. */
static int size_read(struct settings *s, const struct json_at *of_flavor, const char *units, struct err *e) {
    static const char *const keys[] = {"name", "root", "root_gib", NULL};
    struct json_at at = json_member(of_flavor, units);
    long long n;
    size_t root = s->root_place;
    struct size_setting *z = &s->sizes[s->n_sizes++];
    *z = (struct size_setting){.flavor = of_flavor->key, .root_gib = s->root_gib};
    if (text_to_int(units, 1, UNITS_MOST, &n) < 0 || *units == '0')
        return json_fail(&at, e, "stands for a number of units, is \"%.40s\"", units);
    z->units = n;
    if (json_is_string(at.value)) {
        if (json_as_text(&at, 255, &z->name, e) < 0) return -1;
    } else if (json_only(&at, keys, e) < 0 || json_need_text(&at, "name", 255, &z->name, e) < 0 ||
               json_may_word(&at, "root", root_words, &root, e) < 0 ||
               json_may_int(&at, "root_gib", 1, 65536, &z->root_gib, e) < 0) {
        return -1;
    }
    z->root = (enum root_place)root;
    if (!*z->name) return json_fail(&at, e, "must not be empty");
    return 0;
}

static int sizes_read(struct settings *s, struct err *e) {
    struct json_at sizes;
    size_t n = 0;
    const char *flavor, *units;
    json_t *table, *value;
    if (json_may_object(&s->at, "sizes", &sizes, e) < 0) return -1;
    json_object_foreach((json_t *)sizes.value, flavor, table) n += json_object_size(table);
    s->sizes = mem_alloc(n * sizeof *s->sizes);
    json_object_foreach((json_t *)sizes.value, flavor, table) {
        struct json_at at = json_member(&sizes, flavor);
        if (json_as_object(&at, e) < 0) return -1;
        if (!settings_flavor(s, flavor)) return json_fail(&at, e, "the pool has no flavor \"%s\"", flavor);
        json_object_foreach(table, units, value) {
            if (size_read(s, &at, units, e) < 0) return -1;
        }
    }
    return 0;
}

static bool has_sizes(const struct settings *s, const char *flavor) {
    for (size_t i = 0; i < s->n_sizes; i++)
        if (strcmp(s->sizes[i].flavor, flavor) == 0) return true;
    return false;
}

static int sizes_rules(const struct settings *s, struct err *e) {
    bool by_specs = s->dialect->sizes == SIZES_BY_EXTRA_SPECS;
    for (size_t i = 0; i < s->n_flavors; i++) {
        const struct flavor_setting *f = &s->flavors[i];
        if (has_sizes(s, f->name) || (by_specs && (f->resource || f->alias))) continue;
        json_fail(&s->at, e, "nothing says which sizes of the cloud are %s", f->name);
        return err_hint(e,
                        by_specs ? "match: CUSTOM_GPU_... with the flavor, or sizes: {%s: {\"1\": NAME}}"
                                 : "sizes: {%s: {\"1\": NAME, \"2\": NAME}}, with the cloud's names",
                        f->name);
    }
    return 0;
}

/* ---- the rest ---- */

static int texts_read(struct settings *s, struct err *e) {
    if (json_need_text(&s->at, "cloud", 255, &s->cloud, e) < 0 ||
        json_may_text(&s->at, "region", 255, &s->region, e) < 0 ||
        json_may_text(&s->at, "image", 255, &s->image, e) < 0 ||
        json_may_text(&s->at, "image_user", 32, &s->image_user, e) < 0 ||
        json_may_text(&s->at, "network", 255, &s->network, e) < 0 ||
        json_may_text(&s->at, "network_range", 32, &s->network_range, e) < 0 ||
        json_may_text(&s->at, "ssh_from", 32, &s->ssh_from, e) < 0 ||
        json_may_text(&s->at, "availability_zone", 255, &s->availability_zone, e) < 0 ||
        json_may_text(&s->at, "volume_type", 255, &s->volume_type, e) < 0)
        return -1;
    if (json_may_text(&s->at, "system_cloud", 255, &s->system_cloud, e) < 0) return -1;
    return json_may_text(&s->at, "container_access", 255, &s->container_access, e);
}

static int words_read(struct settings *s, struct err *e) {
    size_t dialect = 0;
    if (json_need_word(&s->at, "dialect", dialect_words, &dialect, e) < 0) return -1;
    s->dialect = &dialects[dialect];
    s->root_place = s->dialect->root;
    if (json_may_word(&s->at, "deliver", deliver_words, &s->deliver, e) < 0 ||
        json_may_word(&s->at, "storage", storage_words, &s->storage, e) < 0 ||
        json_may_word(&s->at, "object_store", object_words, &s->object_store, e) < 0)
        return -1;
    return json_may_word(&s->at, "root", root_words, &s->root_place, e);
}

static int numbers_read(struct settings *s, struct err *e) {
    s->parallel = 16;
    s->wait_seconds = 600;
    s->page_things = 500;
    if (json_may_int(&s->at, "root_gib", 1, 65536, &s->root_gib, e) < 0 ||
        json_may_int(&s->at, "parallel", 1, PARALLEL_MOST, &s->parallel, e) < 0 ||
        json_may_int(&s->at, "wait_seconds", 1, 86400, &s->wait_seconds, e) < 0)
        return -1;
    return json_may_int(&s->at, "page_things", 1, 1000, &s->page_things, e);
}

static int root_rules(const struct settings *s, struct err *e) {
    bool needs_size = s->dialect->root_has_size || s->root_place == ROOT_VOLUME;
    for (size_t i = 0; i < s->n_sizes; i++) {
        const struct size_setting *z = &s->sizes[i];
        if ((s->dialect->root_has_size || z->root == ROOT_VOLUME) && z->root_gib == 0)
            return json_fail(&s->at, e,
                             "\"root_gib\" is missing: the root disk of %s x %lld (%s) needs a size",
                             z->flavor, (long long)z->units, z->name);
    }
    if (s->n_sizes == 0 && needs_size && s->root_gib == 0)
        return json_fail(&s->at, e, "\"root_gib\" is missing: the root disk of a server needs a size");
    if (s->dialect->root_has_size && !s->volume_type)
        return json_fail(&s->at, e, "\"volume_type\" is missing: dialect \"%s\" needs one for root disks",
                         s->dialect->name);
    return 0;
}

static int network_rules(const struct settings *s, struct err *e) {
    if (json_has(&s->at, "network") == json_has(&s->at, "network_range"))
        return json_fail(
            &s->at, e,
            "wants one of \"network\" (one that is there) and \"network_range\" (each tenant's own "
            "is made)");
    if (s->network_range && range_check(s->network_range) < 0)
        return json_fail(&s->at, e, "\"network_range\" " RANGE_WORDS);
    if (s->ssh_from && !s->network_range)
        return json_fail(&s->at, e, "\"ssh_from\" is for networks that are made: it needs \"network_range\"");
    if (s->ssh_from && range_any_check(s->ssh_from) < 0)
        return json_fail(&s->at, e, "\"ssh_from\" must be a network like \"203.0.113.0/24\"");
    return 0;
}

static int instance_rules(const struct settings *s, struct err *e) {
    if (!s->image) return json_fail(&s->at, e, "\"image\" is missing (a name or an id)");
    if (s->storage == STORAGE_NAS && !s->dialect->files.path)
        return json_fail(&s->at, e, "\"storage\": dialect \"%s\" has no NAS", s->dialect->name);
    if (s->container_access && s->object_store == OBJECTS_NONE)
        return json_fail(&s->at, e, "\"container_access\" needs \"object_store\"");
    return sizes_rules(s, e) < 0 || root_rules(s, e) < 0 || network_rules(s, e) < 0 ? -1 : 0;
}

int settings_read(const struct backend_pool *pool, struct settings *s, struct err *e) {
    static const char *const keys[] = {"dialect",
                                       "deliver",
                                       "cloud",
                                       "region",
                                       "image",
                                       "image_user",
                                       "network",
                                       "ssh_from",
                                       "root",
                                       "root_gib",
                                       "volume_type",
                                       "network_range",
                                       "storage",
                                       "flavors",
                                       "sizes",
                                       "object_store",
                                       "parallel",
                                       "availability_zone",
                                       "page_things",
                                       "wait_seconds",
                                       "container_access",
                                       "system_cloud",
                                       "quota",
                                       "partner",
                                       NULL};
    *s = (struct settings){.wrapper = json_pack("{s:O?}", "settings", (json_t *)pool->settings)};
    if (text_format(s->title, sizeof s->title, "pool %s", pool->name) < 0)
        return err_set(e, ERR_USAGE, "the name of the pool is too long");
    s->root = json_root(s->wrapper, s->title);
    if (json_need_object(&s->root, "settings", &s->at, e) < 0 || json_only(&s->at, keys, e) < 0 ||
        words_read(s, e) < 0 || texts_read(s, e) < 0 || numbers_read(s, e) < 0 || flavors_read(s, e) < 0 ||
        sizes_read(s, e) < 0)
        return -1;
    struct partner_settings partner;
    bool is_partner;
    if (partner_settings_read(s, &partner, &is_partner, e) < 0) return -1;
    return s->deliver == DELIVER_QUOTA ? quota_settings_read(s, &s->quota, e) : instance_rules(s, e);
}

void settings_drop(struct settings *s) {
    json_decref(s->wrapper);
    free(s->sizes);
    free(s->flavors);
    free(s->quota);
}

/* ---- one host ---- */

static bool is_project_id(const char *text) {
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    return n > 0 && n <= 64 && !text[n];
}

int host_settings_read(const struct backend_pool *pool, const struct backend_host *host,
                       struct host_settings *out, struct err *e) {
    static const char *const keys[] = {"cloud", "object_store_id", NULL};
    char title[320];
    *out = (struct host_settings){0};
    if (!is_project_id(host->uri)) {
        err_set(e, ERR_USAGE, "pool %s: project %s: \"%.80s\" is not the id of a project", pool->name,
                host->name, host->uri);
        return err_hint(e, "the id that the cloud shows (NHN: the tenant id), like "
                           "6cdebe3eb0094910bc41f1d42ebe4cb7");
    }
    if (text_format(title, sizeof title, "pool %s: project %s", pool->name, host->name) < 0)
        return err_set(e, ERR_USAGE, "the name of pool or project is too long");
    if (!host->settings) return 0;
    struct json_at at = json_root(host->settings, title);
    if (json_only(&at, keys, e) < 0 || json_may_text(&at, "cloud", 255, &out->cloud, e) < 0 ||
        json_may_text(&at, "object_store_id", 64, &out->object_store_id, e) < 0)
        return -1;
    if (out->object_store_id && !is_project_id(out->object_store_id))
        return json_fail(&at, e, "\"object_store_id\" is not the id of a project");
    return 0;
}
