/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_quota.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

enum { AMOUNT_MOST = 1000000000, NAME_MOST = 255 };

static const char *const share_keys[] = {"vcpus", "memory_mib", "disk_gib", "servers", NULL};

static int share_read(const struct json_at *at, struct quota_share *out, struct err *e) {
    int64_t *const to[] = {&out->vcpus, &out->memory_mib, &out->disk_gib, &out->servers};
    if (json_only(at, share_keys, e) < 0) return -1;
    for (size_t i = 0; i < 4; i++)
        if (json_may_int(at, share_keys[i], 0, AMOUNT_MOST, to[i], e) < 0) return -1;
    return 0;
}

static int flavor_class(const struct settings *s, const struct flavor_setting *f,
                        const struct quota_settings *out, struct err *e) {
    if (!f->resource) {
        json_fail(&s->at, e,
                  "flavor %s has no \"match\" that names its resource class: only classes can be limited",
                  f->name);
        return err_hint(e, "like match: CUSTOM_GPU_A100, one of: openstack resource class list");
    }
    for (size_t i = 0; i < out->n_flavors; i++)
        if (strcmp(out->flavors[i].class, f->resource) == 0)
            return json_fail(&s->at, e, "%s is the class of both %s and %s: one limit cannot count for two",
                             f->resource, out->flavors[i].name, f->name);
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct quota_flavor *)a)->name, ((const struct quota_flavor *)b)->name);
}

static int flavors_read(const struct settings *s, const struct json_at *at, struct quota_settings *out,
                        struct err *e) {
    struct json_at per_unit;
    const char *name;
    json_t *value;
    if (json_need_object(at, "per_unit", &per_unit, e) < 0) return -1;
    if (s->n_flavors > QUOTA_FLAVORS_MOST)
        return json_fail(&s->at, e, "more than %d flavors", (int)QUOTA_FLAVORS_MOST);
    json_object_foreach((json_t *)per_unit.value, name, value) {
        struct json_at flavor = json_member(&per_unit, name);
        if (!settings_flavor(s, name)) return json_fail(&flavor, e, "the pool has no flavor \"%s\"", name);
    }
    for (size_t i = 0; i < s->n_flavors; i++) {
        const struct flavor_setting *f = &s->flavors[i];
        struct quota_flavor q = {.name = f->name, .class = f->resource, .unit.servers = 1};
        struct json_at unit;
        if (flavor_class(s, f, out, e) < 0 || json_need_object(&per_unit, f->name, &unit, e) < 0 ||
            share_read(&unit, &q.unit, e) < 0)
            return -1;
        out->flavors[out->n_flavors++] = q;
    }
    qsort(out->flavors, out->n_flavors, sizeof out->flavors[0], by_name);
    return 0;
}

static int read_all(const struct settings *s, struct quota_settings *out, struct err *e) {
    static const char *const keys[] = {"enforce", "domain", "role", "volumes", "base", "per_unit", NULL};
    static const char *const enforce[] = {"limits", "none", NULL};
    struct json_at at, base;
    size_t how = 0;
    if (json_need_object(&s->at, "quota", &at, e) < 0 || json_only(&at, keys, e) < 0 ||
        json_may_word(&at, "enforce", enforce, &how, e) < 0 ||
        json_may_text(&at, "domain", NAME_MOST, &out->domain, e) < 0 ||
        json_may_text(&at, "role", NAME_MOST, &out->role, e) < 0 ||
        json_may_int(&at, "volumes", 0, AMOUNT_MOST, &out->volumes, e) < 0 ||
        json_may_object(&at, "base", &base, e) < 0)
        return -1;
    out->is_enforced = how == 0;
    if (base.value && share_read(&base, &out->base, e) < 0) return -1;
    return flavors_read(s, &at, out, e);
}

int quota_settings_read(const struct settings *s, struct quota_settings **out, struct err *e) {
    if (!s->dialect->has_limits) {
        json_fail(&s->at, e, "\"deliver\": dialect \"%s\" has no calls for quotas", s->dialect->name);
        return err_hint(e, "deliver: instance");
    }
    if (s->object_store == OBJECTS_POLLED)
        return json_fail(&s->at, e,
                         "\"object_store\": accounts are limited by quota, not by looking now and then");
    *out = mem_alloc(sizeof **out);
    **out = (struct quota_settings){.role = "member",
                                    .volumes = 100,
                                    .volume_type = s->volume_type,
                                    .has_objects = s->object_store == OBJECTS_QUOTA};
    return read_all(s, *out, e);
}
