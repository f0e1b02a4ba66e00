/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_quota.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

enum { AMOUNT_MOST = 1000000000, NAME_MOST = 255 };

static const char *const share_keys[] = {"vcpus", "memory_mib", "disk_gib", "servers", NULL};

static int share_read(const struct json_at *at, struct quota_share *out, struct err *e) {
    int64_t *const to[] = {&out->vcpus, &out->memory_mib, &out->disk_gib, &out->servers};
    for (size_t i = 0; i < 4; i++)
        if (json_may_int(at, share_keys[i], 0, AMOUNT_MOST, to[i], e) < 0) return -1;
    return 0;
}

/* A resource class of Placement: CUSTOM_ and capitals, or one of the standard ones. */
static int class_check(const struct json_at *at, const char *class, struct err *e) {
    size_t n = strspn(class, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    static const char *const counted[] = {"VCPU", "MEMORY_MB", "DISK_GB", NULL};
    for (size_t i = 0; counted[i]; i++)
        if (strcmp(class, counted[i]) == 0)
            return json_fail(at, e, "%s is counted for every server; name the class of the accelerator", class);
    if (n && class[n] == '\0') return 0;
    json_fail(at, e, "\"%s\" is not a resource class", class);
    return err_hint(e, "like CUSTOM_GPU_A100: openstack resource class list");
}

static int flavor_read(const struct json_at *flavors, const char *name, struct quota_settings *out,
                       struct err *e) {
    static const char *const keys[] = {"class", "vcpus", "memory_mib", "disk_gib", "servers", NULL};
    struct json_at at = json_member(flavors, name), class_at = json_member(&at, "class");
    struct quota_flavor f = {.name = name, .unit.servers = 1};
    if (json_as_object(&at, e) < 0 || json_only(&at, keys, e) < 0 ||
        json_need_text(&at, "class", NAME_MOST, &f.class, e) < 0 || class_check(&class_at, f.class, e) < 0 ||
        share_read(&at, &f.unit, e) < 0)
        return -1;
    for (size_t i = 0; i < out->n_flavors; i++)
        if (strcmp(out->flavors[i].class, f.class) == 0)
            return json_fail(&class_at, e, "%s is the class of flavor %s already", f.class,
                             out->flavors[i].name);
    out->flavors[out->n_flavors++] = f;
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct quota_flavor *)a)->name, ((const struct quota_flavor *)b)->name);
}

static int flavors_read(const struct json_at *at, struct quota_settings *out, struct err *e) {
    struct json_at flavors;
    const char *name;
    json_t *value;
    if (json_need_object(at, "flavors", &flavors, e) < 0) return -1;
    if (json_length(&flavors) > QUOTA_FLAVORS_MOST)
        return json_fail(&flavors, e, "more than %d flavors", (int)QUOTA_FLAVORS_MOST);
    json_object_foreach((json_t *)flavors.value, name, value) {
        if (flavor_read(&flavors, name, out, e) < 0) return -1;
    }
    qsort(out->flavors, out->n_flavors, sizeof out->flavors[0], by_name);
    return 0;
}

int quota_settings_read(const struct json_at *at, struct quota_settings *out, struct err *e) {
    static const char *const keys[] = {"enforce", "domain",  "role",     "volume_type", "volumes",
                                       "base",    "flavors", "datalake", NULL};
    static const char *const enforce[] = {"limits", "none", NULL};
    struct quota_settings s = {.role = "member", .volumes = 100, .has_datalake = true};
    struct json_at base;
    size_t how = 0;
    if (json_as_object(at, e) < 0 || json_only(at, keys, e) < 0 ||
        json_may_word(at, "enforce", enforce, &how, e) < 0 ||
        json_may_text(at, "domain", NAME_MOST, &s.domain, e) < 0 ||
        json_may_text(at, "role", NAME_MOST, &s.role, e) < 0 ||
        json_may_text(at, "volume_type", NAME_MOST, &s.volume_type, e) < 0 ||
        json_may_int(at, "volumes", 0, AMOUNT_MOST, &s.volumes, e) < 0 ||
        json_may_bool(at, "datalake", &s.has_datalake, e) < 0 || json_may_object(at, "base", &base, e) < 0)
        return -1;
    if (base.value && (json_only(&base, share_keys, e) < 0 || share_read(&base, &s.base, e) < 0)) return -1;
    s.is_enforced = how == 0;
    if (flavors_read(at, &s, e) < 0) return -1;
    *out = s;
    return 0;
}
