/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

/* "h100:8, nvme:1": the sum of one name's counts (a name may stand twice); *others: any other name is there.
 */
static int64_t alias_units(const char *aliases, const char *name, bool *others) {
    int64_t sum = 0;
    long long n;
    char item[160];
    for (const char *from = aliases; *from;) {
        size_t length = strcspn(from, ",");
        if (text_format(item, sizeof item, "%.*s", (int)length, from) < 0) return 0;
        from += length + (from[length] == ',');
        char *start = item + strspn(item, " "), *colon = strrchr(start, ':');
        if (!colon) return 0;
        *colon = '\0';
        char *digits = colon + 1;
        digits[strcspn(digits, " ")] = '\0';
        if (text_to_int(digits, 1, UNITS_MOST, &n) < 0) return 0;
        if (strcmp(start, name) == 0)
            sum += n;
        else
            *others = true;
    }
    return sum;
}

static bool is_accelerator(const char *key) {
    return strcmp(key, "resources:VGPU") == 0 || strncmp(key, "resources:CUSTOM_", 17) == 0;
}

int64_t size_units(const struct flavor_setting *f, const json_t *cloud_flavor) {
    const json_t *specs = json_object_get(cloud_flavor, "extra_specs");
    int64_t units = 0;
    bool others = false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)specs, key, value) {
        const char *text = json_string_value(value);
        long long n;
        if (!text) continue;
        if (strcmp(key, "pci_passthrough:alias") == 0)
            units += alias_units(text, f->alias ? f->alias : "", &others);
        else if (f->resource && strcmp(key, f->resource_key) == 0)
            units += text_to_int(text, 1, UNITS_MOST, &n) == 0 ? n : 0;
        else if (is_accelerator(key))
            others = true;
    }
    return others ? 0 : units;
}

static const char *name_of(const json_t *cloud_flavor) {
    const char *name = json_string_value(json_object_get(cloud_flavor, "name"));
    return name ? name : "";
}

static const json_t *named(const json_t *list, const char *name) {
    size_t i;
    json_t *f;
    json_array_foreach(list, i, f) {
        const char *id = json_string_value(json_object_get(f, "id"));
        if (strcmp(name_of(f), name) == 0 || (id && strcmp(id, name) == 0)) return f;
    }
    return NULL;
}

/* The table says its name. */
static const json_t *by_table(const struct size_setting *z, const json_t *list, struct err *e) {
    const json_t *found = named(list, z->name);
    if (found) return found;
    const char *names[512];
    size_t n = 0, i;
    json_t *f;
    json_array_foreach(list, i, f) if (n < sizeof names / sizeof *names) names[n++] = name_of(f);
    err_set(e, ERR_FAILED, "the cloud has no size %s (%s x %lld)", z->name, z->flavor, (long long)z->units);
    const char *near = text_nearest(z->name, names, n);
    if (near) return err_hint(e, "settings.sizes: did you mean %s?", near), NULL;
    return err_hint(e, "see what it has: openstack flavor list"), NULL;
}

/* "1 (g.a100.1), 8 (g.a100.8)" */
static void sizes_say(const struct settings *s, const struct flavor_setting *f, const json_t *list,
                      struct text *out) {
    size_t i;
    json_t *size;
    for (i = 0; i < s->n_sizes; i++)
        if (strcmp(s->sizes[i].flavor, f->name) == 0)
            text_add(out, "%s%lld (%s)", out->length ? ", " : "", (long long)s->sizes[i].units,
                     s->sizes[i].name);
    if (!f->resource && !f->alias) return;
    json_array_foreach(list, i, size) {
        int64_t n = size_units(f, size);
        if (n > 0) text_add(out, "%s%lld (%s)", out->length ? ", " : "", (long long)n, name_of(size));
    }
}

static const json_t *by_specs(const struct settings *s, const struct flavor_setting *f, const json_t *list,
                              int64_t units, struct err *e) {
    const json_t *found = NULL;
    size_t i;
    json_t *size;
    json_array_foreach(list, i, size) {
        if ((!f->resource && !f->alias) || size_units(f, size) != units) continue;
        if (found) {
            err_set(e, ERR_FAILED, "the cloud has more than one size of %s x %lld: %s and %s", f->name,
                    (long long)units, name_of(found), name_of(size));
            return err_hint(e, "name one in settings.sizes: {%s: {\"%lld\": %s}}", f->name, (long long)units,
                            name_of(found)),
                   NULL;
        }
        found = size;
    }
    if (found) return found;
    struct text have scoped_text = {0};
    sizes_say(s, f, list, &have);
    err_set(e, ERR_FAILED, "the cloud has no size of %s x %lld; it has %s", f->name, (long long)units,
            have.s ? have.s : "none of that flavor");
    return NULL;
}

const json_t *size_find(const struct settings *s, const json_t *list, const char *flavor, int64_t units,
                        const struct size_setting **setting, struct err *e) {
    const struct flavor_setting *f = settings_flavor(s, flavor);
    *setting = NULL;
    if (!f) return err_set(e, ERR_FAILED, "settings.flavors has no flavor %s", flavor), NULL;
    for (size_t i = 0; i < s->n_sizes; i++)
        if (strcmp(s->sizes[i].flavor, flavor) == 0 && s->sizes[i].units == units) *setting = &s->sizes[i];
    return *setting ? by_table(*setting, list, e) : by_specs(s, f, list, units, e);
}
