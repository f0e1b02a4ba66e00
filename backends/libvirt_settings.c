/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/libvirt.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/range.h"

#include <stdlib.h>
#include <string.h>

const char *const attach_words[] = {"pci", "mdev", "vf", "none", "vcpu", NULL};
static const char *const start_words[] = {"running", "paused", NULL};
static const char *const domain_type_words[] = {"qemu", "kvm", "test", NULL};
static const char *const network_words[] = {"isolated", "user", "none", NULL};
static const char *const fallback_words[] = {"isolated", "user", "none", "refuse", NULL};

#define MEMORY_MIB_MOST (INT64_C(64) << 20) /* 64 TiB */
#define VCPUS_MOST      4096

static int flavor_rules(const struct json_at *at, const struct flavor_settings *f, struct err *e) {
    bool device = f->attach == ATTACH_PCI || f->attach == ATTACH_MDEV || f->attach == ATTACH_VF;
    if (device && !f->match)
        return json_fail(at, e, "attach \"%s\" needs \"match\"", attach_words[f->attach]);
    if (f->attach == ATTACH_MDEV && !f->mdev_type)
        return json_fail(at, e, "attach \"mdev\" needs \"mdev_type\"");
    if (f->attach == ATTACH_NONE && !json_has(at, "units_per_host"))
        return json_fail(at, e,
                         "attach \"none\" needs \"units_per_host\": nothing on the host can be counted");
    if (f->attach == ATTACH_VCPU && f->vcpus_per_unit == 0)
        return json_fail(at, e, "attach \"vcpu\" needs \"vcpus_per_unit\"");
    if (device && json_has(at, "units_per_host"))
        return json_fail(at, e, "\"units_per_host\" is for attach \"none\" and \"vcpu\": devices are found");
    return 0;
}

static int flavor_read(const struct json_at *flavors, const char *name, struct flavor_settings *f,
                       struct err *e) {
    static const char *const keys[] = {
        "attach", "match", "mdev_type", "units_per_host", "vcpus_per_unit", "memory_mib_per_unit", NULL};
    struct json_at at = json_member(flavors, name);
    *f = (struct flavor_settings){.name = name};
    if (json_only(&at, keys, e) < 0 || json_need_word(&at, "attach", attach_words, &f->attach, e) < 0 ||
        json_may_text(&at, "match", 64, &f->match, e) < 0 ||
        json_may_text(&at, "mdev_type", 64, &f->mdev_type, e) < 0 ||
        json_may_int(&at, "units_per_host", 0, 100000, &f->units_per_host, e) < 0 ||
        json_may_int(&at, "vcpus_per_unit", 1, VCPUS_MOST, &f->vcpus_per_unit, e) < 0 ||
        json_may_int(&at, "memory_mib_per_unit", 1, MEMORY_MIB_MOST, &f->memory_mib_per_unit, e) < 0)
        return -1;
    return flavor_rules(&at, f, e);
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

/* Exactly one of a fixed size and a size per unit. */
static int one_of(const struct settings *s, const char *fixed, const char *per_unit, struct err *e) {
    if (json_has(&s->at, fixed) != json_has(&s->at, per_unit)) return 0;
    return json_fail(&s->at, e, "wants one of \"%s\" and \"%s\"", fixed, per_unit);
}

static int image_rules(const struct settings *s, struct err *e) {
    if (s->image && !s->storage_pool)
        return json_fail(&s->at, e, "\"image\" needs \"storage_pool\", where the root disk is made");
    if (s->image && s->root_bytes.n == 0)
        return json_fail(&s->at, e, "\"image\" needs \"root_bytes\", the size of the root disk");
    if (!s->image && (s->image_user || s->root_bytes.n > 0))
        return json_fail(&s->at, e, "\"image_user\" and \"root_bytes\" need \"image\"");
    if (s->storage_path && (!s->storage_pool || s->storage_path[0] != '/'))
        return json_fail(&s->at, e, "\"storage_path\" needs \"storage_pool\" and starts with \"/\"");
    return 0;
}

static int network_rules(const struct settings *s, struct err *e) {
    if (s->network_range && range_check(s->network_range) < 0)
        return json_fail(&s->at, e, "\"network_range\" " RANGE_WORDS);
    if (s->network_range && s->network != NETWORK_ISOLATED)
        return json_fail(&s->at, e, "\"network_range\" is for network \"isolated\"");
    if (s->has_network_fallback && s->network_fallback == NETWORK_ISOLATED)
        return json_fail(&s->at, e, "\"network_fallback\" must be \"user\", \"none\" or \"refuse\"");
    return 0;
}

static int texts_read(struct settings *s, struct err *e) {
    size_t type = 0, start = 0;
    if (json_need_word(&s->at, "domain_type", domain_type_words, &type, e) < 0 ||
        json_may_word(&s->at, "start", start_words, &start, e) < 0 ||
        json_may_word(&s->at, "network", network_words, &s->network, e) < 0 ||
        json_may_word(&s->at, "network_fallback", fallback_words, &s->network_fallback, e) < 0 ||
        json_may_text(&s->at, "machine", 64, &s->machine, e) < 0 ||
        json_may_text(&s->at, "storage_pool", 128, &s->storage_pool, e) < 0 ||
        json_may_text(&s->at, "storage_path", 1024, &s->storage_path, e) < 0 ||
        json_may_text(&s->at, "image", 1024, &s->image, e) < 0 ||
        json_may_text(&s->at, "image_user", 32, &s->image_user, e) < 0 ||
        json_may_text(&s->at, "network_range", 32, &s->network_range, e) < 0)
        return -1;
    s->domain_type = domain_type_words[type];
    s->paused = start == 1;
    s->has_network_fallback = json_has(&s->at, "network_fallback");
    return 0;
}

static int numbers_read(struct settings *s, struct err *e) {
    s->overcommit_percent = 100;
    s->parallel = 4;
    s->connect_seconds = 10;
    if (json_may_int(&s->at, "vcpus", 1, VCPUS_MOST, &s->vcpus, e) < 0 ||
        json_may_int(&s->at, "vcpus_per_unit", 1, VCPUS_MOST, &s->vcpus_per_unit, e) < 0 ||
        json_may_int(&s->at, "memory_mib", 1, MEMORY_MIB_MOST, &s->memory_mib, e) < 0 ||
        json_may_int(&s->at, "memory_mib_per_unit", 1, MEMORY_MIB_MOST, &s->memory_mib_per_unit, e) < 0 ||
        json_may_int(&s->at, "overcommit_percent", 1, 1000000000, &s->overcommit_percent, e) < 0 ||
        json_may_int(&s->at, "parallel", 1, 64, &s->parallel, e) < 0 ||
        json_may_int(&s->at, "connect_seconds", 1, 3600, &s->connect_seconds, e) < 0 ||
        json_may_bytes(&s->at, "root_bytes", &s->root_bytes, e) < 0 ||
        one_of(s, "vcpus", "vcpus_per_unit", e) < 0)
        return -1;
    return one_of(s, "memory_mib", "memory_mib_per_unit", e);
}

int settings_read(const struct backend_pool *pool, struct settings *s, struct err *e) {
    static const char *const keys[] = {"domain_type",
                                       "machine",
                                       "storage_pool",
                                       "storage_path",
                                       "image",
                                       "image_user",
                                       "root_bytes",
                                       "vcpus",
                                       "memory_mib",
                                       "vcpus_per_unit",
                                       "start",
                                       "network",
                                       "network_fallback",
                                       "network_range",
                                       "memory_mib_per_unit",
                                       "flavors",
                                       "parallel",
                                       "overcommit_percent",
                                       "connect_seconds",
                                       NULL};
    *s = (struct settings){.wrapper = json_pack("{s:O?}", "settings", (json_t *)pool->settings)};
    if (text_format(s->title, sizeof s->title, "pool %s", pool->name) < 0)
        return err_set(e, ERR_USAGE, "the name of the pool is too long");
    s->root = json_root(s->wrapper, s->title);
    if (json_need_object(&s->root, "settings", &s->at, e) < 0 || json_only(&s->at, keys, e) < 0 ||
        texts_read(s, e) < 0 || numbers_read(s, e) < 0 || flavors_read(s, e) < 0 || image_rules(s, e) < 0)
        return -1;
    return network_rules(s, e);
}

void settings_drop(struct settings *s) {
    json_decref(s->wrapper);
    free(s->flavors);
}

const struct flavor_settings *settings_flavor(const struct settings *s, const char *name) {
    for (size_t i = 0; i < s->n_flavors; i++)
        if (strcmp(s->flavors[i].name, name) == 0) return &s->flavors[i];
    return NULL;
}

int settings_size(const struct settings *s, const char *flavor, int64_t units, int64_t *vcpus,
                  int64_t *memory_mib, struct err *e) {
    const struct flavor_settings *f = settings_flavor(s, flavor);
    if (!f) return err_set(e, ERR_FAILED, "settings.flavors has no flavor %s", flavor);
    int64_t each = f->vcpus_per_unit ? f->vcpus_per_unit : s->vcpus_per_unit;
    int64_t memory = f->memory_mib_per_unit ? f->memory_mib_per_unit : s->memory_mib_per_unit;
    if (amount_times(each, units, vcpus, "vCPU", e) < 0 ||
        amount_times(memory, units, memory_mib, "MiB", e) < 0)
        return -1;
    if (each == 0) *vcpus = s->vcpus;
    if (memory == 0) *memory_mib = s->memory_mib;
    if (*vcpus > VCPUS_MOST || *memory_mib > MEMORY_MIB_MOST)
        return err_set(e, ERR_FAILED, "a server of %lld vCPU and %lld MiB is larger than any host",
                       (long long)*vcpus, (long long)*memory_mib);
    return 0;
}
