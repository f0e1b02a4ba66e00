/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_catalog.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>
#include <strings.h>

/* ---- both layouts as one ---- */

static void row_add(json_t *rows, const json_t *service, const json_t *region, const char *interface,
                    size_t n_interface, const json_t *url) {
    const char *type = json_string_value(json_object_get(service, "type")), *u = json_string_value(url);
    if (!type || !u || strncmp(u, "http", 4) != 0) return;
    const char *name = json_string_value(json_object_get(service, "name"));
    size_t n = strlen(u);
    while (n && u[n - 1] == '/') n--;
    json_array_append_new(rows,
                          json_pack("{s:s, s:s, s:s, s:s%, s:s%}", "type", type, "name", name ? name : "",
                                    "region", json_is_string(region) ? json_string_value(region) : "",
                                    "interface", interface, n_interface, "url", u, n));
}

json_t *catalog_from_v2(const json_t *service_catalog) {
    static const char *const interfaces[] = {"public", "internal", "admin"};
    json_t *rows = json_array(), *service, *endpoint;
    size_t i, j;
    json_array_foreach(service_catalog, i, service) {
        json_array_foreach(json_object_get(service, "endpoints"), j, endpoint) {
            for (size_t k = 0; k < sizeof interfaces / sizeof *interfaces; k++) {
                char key[16];
                (void)text_format(key, sizeof key, "%sURL", interfaces[k]);
                row_add(rows, service, json_object_get(endpoint, "region"), interfaces[k],
                        strlen(interfaces[k]), json_object_get(endpoint, key));
            }
        }
    }
    return rows;
}

json_t *catalog_from_v3(const json_t *catalog) {
    json_t *rows = json_array(), *service, *endpoint;
    size_t i, j;
    json_array_foreach(catalog, i, service) {
        json_array_foreach(json_object_get(service, "endpoints"), j, endpoint) {
            const char *interface = json_string_value(json_object_get(endpoint, "interface"));
            const json_t *region = json_object_get(endpoint, "region_id");
            if (!json_is_string(region)) region = json_object_get(endpoint, "region");
            if (!interface) continue;
            size_t n = strlen(interface);
            if (n > 3 && strcmp(interface + n - 3, "URL") == 0) n -= 3;
            row_add(rows, service, region, interface, n, json_object_get(endpoint, "url"));
        }
    }
    return rows;
}

/* ---- finding ---- */

/* Types that mean the same service, the better first (service-types-authority; NHN's and older names behind).
 */
static const char *const aliases[][5] = {
    {"block-storage", "volumev3", "block-store", "volumev2", "volume"},
    {"object-store", "object-storage"},
    {"identity", "keystone"},
    {"compute", "nova"},
    {"network", "networking"},
    {"image", "images"},
    {"placement", "resource-placement"},
    {"shared-file-system", "sharev2", "share"},
};

static const char *text_of(const json_t *row, const char *key) {
    const char *s = json_string_value(json_object_get(row, key));
    return s ? s : "";
}

static bool row_fits(const json_t *row, const char *type, const char *region, const char *interface) {
    const char *own = text_of(row, "region");
    if (strcmp(text_of(row, "type"), type) != 0) return false;
    if (interface && *text_of(row, "interface") && strcmp(text_of(row, "interface"), interface) != 0)
        return false;
    return !region || !*own || strcasecmp(own, region) == 0;
}

static const json_t *row_find(const json_t *catalog, const char *type, const char *region,
                              const char *interface) {
    size_t i;
    json_t *row;
    json_array_foreach(catalog, i, row) if (row_fits(row, type, region, interface)) return row;
    return NULL;
}

/* The different values of a key among rows that fit, as "a, b". */
static void list_add(const json_t *catalog, const char *type, const char *region, const char *key,
                     struct text *out) {
    scoped_json json_t *seen = json_object();
    size_t i;
    json_t *row;
    json_array_foreach(catalog, i, row) {
        const char *value = text_of(row, key);
        if (!*value || (type && !row_fits(row, type, region, NULL)) || json_object_get(seen, value)) continue;
        json_object_set_new(seen, value, json_true());
        if (out->length > 600) return;
        text_add(out, "%s%.80s", json_object_size(seen) > 1 ? ", " : "", value);
    }
}

/* Of several regions one must be named: the first would be an accident. */
static bool is_one_region(const json_t *catalog, const char *type) {
    size_t i;
    json_t *row;
    const char *first = NULL;
    json_array_foreach(catalog, i, row) {
        if (!row_fits(row, type, NULL, NULL)) continue;
        if (!first) first = text_of(row, "region");
        if (strcasecmp(first, text_of(row, "region")) != 0) return false;
    }
    return true;
}

static int fail(const json_t *catalog, const char *known, const char *type, const char *region,
                const char *interface, struct err *e) {
    scoped_text struct text list = {0};
    if (!known) {
        list_add(catalog, NULL, NULL, "type", &list);
        err_set(e, ERR_FAILED, "the catalog has no service \"%.64s\"", type);
        return err_hint(e, "it has: %.400s", list.s ? list.s : "nothing");
    }
    if (!region || !row_find(catalog, known, region, NULL)) {
        list_add(catalog, known, NULL, "region", &list);
        if (region)
            err_set(e, ERR_FAILED, "the catalog has no service \"%.64s\" in region %.64s", type, region);
        else
            err_set(e, ERR_FAILED, "the service \"%.64s\" is in several regions and none is named", type);
        return err_hint(e, "its regions: %.400s", list.s ? list.s : "none");
    }
    list_add(catalog, known, region, "interface", &list);
    err_set(e, ERR_FAILED, "the catalog has no %.32s address of the service \"%.64s\"", interface, type);
    return err_hint(e, "its interfaces: %.400s", list.s ? list.s : "none");
}

const char *catalog_find(const json_t *catalog, const char *type, const char *region, const char *interface,
                         struct err *e) {
    const char *const alone[5] = {type}, *const *names = alone, *known = NULL;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i][0], type) == 0) names = aliases[i];
    for (size_t i = 0; i < 5 && names[i]; i++) {
        if (!row_find(catalog, names[i], NULL, NULL)) continue;
        const json_t *row = row_find(catalog, names[i], region, interface);
        if (row && (region || is_one_region(catalog, names[i]))) return text_of(row, "url");
        if (!known) known = names[i];
    }
    if (known && !region && is_one_region(catalog, known)) {
        const char *only = text_of(row_find(catalog, known, NULL, NULL), "region");
        region = only;
    }
    fail(catalog, known, type, region, interface, e);
    return NULL;
}
