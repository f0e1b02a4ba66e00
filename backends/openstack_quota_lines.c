/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery by quota, the part that needs no cloud: what shall be allowed, and whether it is. */
#include "backends/openstack_quota.h"

#include "alloc/hash.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB (INT64_C(1) << 30)

static struct quota_line *line_add(struct quota_lines *l, enum quota_place place, int64_t want,
                                   const char *prefix, const char *name) {
    struct quota_line *line = &l->of[l->n++];
    *line = (struct quota_line){.place = place, .want = want};
    snprintf(line->name, sizeof line->name, "%s%s", prefix, name); /* both are bounded by the settings */
    return line;
}

struct quota_line *quota_line_find(struct quota_lines *lines, enum quota_place place, const char *name) {
    for (size_t i = 0; i < lines->n; i++)
        if (lines->of[i].place == place && strcmp(lines->of[i].name, name) == 0) return &lines->of[i];
    return NULL;
}

static int share_add(struct quota_share *sum, const struct quota_share *unit, int64_t units, struct err *e) {
    const int64_t from[] = {unit->vcpus, unit->memory_mib, unit->disk_gib, unit->servers};
    int64_t *const to[] = {&sum->vcpus, &sum->memory_mib, &sum->disk_gib, &sum->servers};
    for (size_t i = 0; i < 4; i++) {
        int64_t more;
        if (amount_times(from[i], units, &more, "units", e) < 0 ||
            amount_add(*to[i], more, to[i], "units", e) < 0)
            return -1;
    }
    return 0;
}

static int64_t units_of(const struct backend_quota *quota, const char *flavor) {
    for (size_t i = 0; quota && i < quota->n_limits; i++)
        if (strcmp(quota->limits[i].flavor, flavor) == 0) return quota->limits[i].units;
    return 0;
}

static int flavors_known(const struct quota_settings *s, const struct backend_quota *quota, struct err *e) {
    for (size_t i = 0; quota && i < quota->n_limits; i++) {
        bool is_known = false;
        for (size_t k = 0; k < s->n_flavors && !is_known; k++)
            is_known = strcmp(s->flavors[k].name, quota->limits[i].flavor) == 0;
        if (is_known || quota->limits[i].units == 0) continue;
        return err_set(e, ERR_FAILED, "the pool's settings say nothing of flavor %s",
                       quota->limits[i].flavor);
    }
    return 0;
}

int quota_lines_want(const struct quota_settings *s, const struct backend_quota *quota,
                     struct quota_lines *out, struct err *e) {
    *out = (struct quota_lines){0};
    bool is_any = quota && (quota->n_limits || quota->storage.n || quota->datalake.n);
    struct quota_share sum = is_any ? s->base : (struct quota_share){0};
    if (flavors_known(s, quota, e) < 0) return -1;
    for (size_t i = 0; i < s->n_flavors; i++) {
        int64_t units = units_of(quota, s->flavors[i].name);
        line_add(out, QUOTA_COMPUTE, units, "class:", s->flavors[i].class)->flavor = &s->flavors[i];
        if (share_add(&sum, &s->flavors[i].unit, units, e) < 0) return -1;
    }
    line_add(out, QUOTA_COMPUTE, sum.vcpus, "class:", "VCPU");
    line_add(out, QUOTA_COMPUTE, sum.memory_mib, "class:", "MEMORY_MB");
    line_add(out, QUOTA_COMPUTE, sum.disk_gib, "class:", "DISK_GB");
    line_add(out, QUOTA_COMPUTE, sum.servers, "", "servers");
    int64_t bytes = quota ? quota->storage.n : 0;
    if (bytes % GIB)
        return err_set(
            e, ERR_FAILED,
            "%lld bytes of storage are no whole GiB, in which Cinder counts: give the pool a granule "
            "of whole GiB",
            (long long)bytes);
    line_add(out, QUOTA_VOLUMES, bytes / GIB, "", "gigabytes");
    line_add(out, QUOTA_VOLUMES, bytes ? s->volumes : 0, "", "volumes");
    if (s->volume_type) line_add(out, QUOTA_VOLUMES, bytes / GIB, "gigabytes_", s->volume_type);
    line_add(out, QUOTA_VOLUMES, 0, "", "backups");
    line_add(out, QUOTA_VOLUMES, 0, "", "backup_gigabytes");
    if (s->has_objects) line_add(out, QUOTA_OBJECTS, quota ? quota->datalake.n : 0, "", "bytes");
    return 0;
}

bool quota_lines_stand(const struct quota_lines *lines, struct text *words) {
    bool stands = true;
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->is_there && l->there == l->want) continue;
        if (words && l->is_there)
            text_add(words, "%s%s is %lld, not %lld", stands ? "" : ", ", l->name, (long long)l->there,
                     (long long)l->want);
        else if (words)
            text_add(words, "%s%s has no limit, not %lld", stands ? "" : ", ", l->name, (long long)l->want);
        stands = false;
    }
    return stands;
}

bool quota_lines_fit(const struct quota_lines *lines, struct text *words) {
    bool fits = true;
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->used <= l->want) continue;
        if (words)
            text_add(words, "%s%s: %lld in use, %lld left", fits ? "" : ", ", l->name, (long long)l->used,
                     (long long)l->want);
        fits = false;
    }
    return fits;
}

static int by_flavor(const void *a, const void *b) {
    const struct backend_limit *x = a, *y = b;
    return strcmp(x->flavor, y->flavor);
}

/* What has no limit of its own is not what we set: it is told as far as it can be, and so is drift. */
void quota_lines_seen(const struct quota_lines *lines, struct backend_seen *seen) {
    seen->limits = mem_alloc((lines->n + 1) * sizeof *seen->limits);
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->flavor && l->is_there && l->there > 0)
            seen->limits[seen->n_limits++] = (struct backend_limit){mem_copy(l->flavor->name), l->there};
        if (l->place == QUOTA_VOLUMES && strcmp(l->name, "gigabytes") == 0 && l->is_there)
            seen->bytes = bytes(l->there > BYTES_MOST / GIB ? BYTES_MOST : larger(l->there, 0) * GIB);
        if (l->place == QUOTA_OBJECTS && l->is_there) seen->datalake = bytes(larger(l->there, 0));
    }
    qsort(seen->limits, seen->n_limits, sizeof *seen->limits, by_flavor);
}

bool quota_lines_agree(const struct quota_settings *s, const struct quota_lines *lines) {
    struct backend_seen seen = {0};
    struct quota_lines copy = *lines, want;
    struct err e = {0};
    quota_lines_seen(lines, &seen);
    const struct backend_quota quota = {
        .limits = seen.limits, .n_limits = seen.n_limits, .storage = seen.bytes, .datalake = seen.datalake};
    bool agrees = quota_lines_want(s, &quota, &want, &e) == 0;
    for (size_t i = 0; agrees && i < want.n; i++) {
        const struct quota_line *l = quota_line_find(&copy, want.of[i].place, want.of[i].name);
        agrees = l && l->is_there && l->there == want.of[i].want;
    }
    for (size_t i = 0; i < seen.n_limits; i++) free((char *)seen.limits[i].flavor);
    free(seen.limits);
    return agrees;
}

/* ---- Keystone's limits ---- */

json_t *quota_limits_body(const struct quota_lines *lines, const char *service, const char *region,
                          const char *project) {
    json_t *list = json_array();
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->place != QUOTA_COMPUTE || l->is_there) continue;
        json_array_append_new(list, json_pack("{s:s, s:s*, s:s, s:s, s:I}", "service_id", service,
                                              "region_id", region, "project_id", project, "resource_name",
                                              l->name, "resource_limit", (json_int_t)l->want));
    }
    if (json_array_size(list)) return json_pack("{s:o}", "limits", list);
    json_decref(list);
    return NULL;
}

static bool text_is(const json_t *object, const char *key, const char *want) {
    return text_same(json_string_value(json_object_get(object, key)), want);
}

void quota_limits_take(struct quota_lines *lines, const json_t *limits, const char *project,
                       const char *service, const char *region) {
    size_t i;
    const json_t *limit;
    json_array_foreach(limits, i, limit) {
        const char *name = json_string_value(json_object_get(limit, "resource_name"));
        const char *id = json_string_value(json_object_get(limit, "id"));
        struct quota_line *l = name ? quota_line_find(lines, QUOTA_COMPUTE, name) : NULL;
        if (!l || !id || !text_is(limit, "project_id", project) || !text_is(limit, "service_id", service) ||
            !text_is(limit, "region_id", region) || text_format(l->id, sizeof l->id, "%s", id) < 0)
            continue;
        l->is_there = true;
        l->there = json_integer_value(json_object_get(limit, "resource_limit"));
    }
}

/* ---- names ---- */

void quota_project_name(const char *store_id, const char *pool, int64_t number, const char *branch,
                        char out[128]) {
    struct hash which =
        hash_of(pool, strlen(pool)); /* Keystone takes 64 bytes, and a pool's name may have 63 */
    int n = snprintf(out, 128, "allot-%s-%.8s-t", store_id, which.hex);
    if (number && n > 0 && n < 128)
        snprintf(out + n, 128 - (size_t)n, "%lld%s", (long long)number, branch ? branch : "");
}

/* s4f1c09ab37de.1.812: "s", then letters and digits, a dot, the epoch, a dot, digits. */
bool quota_tag_is_token(const char *tag) {
    size_t store = strspn(tag, "0123456789abcdefghijklmnopqrstuvwxyz");
    if (tag[0] != 's' || store < 9 || tag[store] != '.') return false;
    const char *epoch = tag + store + 1;
    size_t n = strspn(epoch, "0123456789abcdefghijklmnopqrstuvwxyz");
    if (n == 0 || epoch[n] != '.') return false;
    const char *number = epoch + n + 1;
    size_t digits = strspn(number, "0123456789");
    return digits > 0 && number[digits] == '\0';
}
