/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A declaration out of a file and options. Both become one document of the form of the file
 * (alloc/pool_file.c): what stood, then the file, then the options; the last word wins. The file is read
 * alone first, so that a mistake in it is told with its line.
 */
#include "alloc/file.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/yaml.h"
#include "cmd/pool.h"

#include <stdlib.h>
#include <string.h>

int pool_words_file(struct call *call, struct text *out, struct err *e) {
    const char *path = call_option(call, "file");
    return path ? file_read(path, YAML_BYTES_MOST, out, e) : 0;
}

static bool is_json(const char *path) {
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static json_t *file_document(const char *path, json_t **marks, struct err *e) {
    return is_json(path) ? json_load_path(path, e) : yaml_load_path(path, marks, e);
}

/* Reads it alone, over a copy of nothing: only what stands in the file is judged. */
static int file_check(const json_t *document, const char *path, const json_t *marks, struct err *e) {
    struct pool_spec alone = {0};
    struct json_at root = json_root(document, file_title(path));
    root.marks = marks;
    int rc = pool_spec_read(&alone, &root, e);
    pool_spec_free(&alone);
    return rc;
}

/* New flavors bring their own words for the backend: the old ones must not linger. */
static void flavors_forget(json_t *document, const char *name) {
    json_t *settings = json_object_get(document, "settings"), *flavors = json_object_get(settings, "flavors");
    if (name)
        json_object_del(flavors, name);
    else
        json_object_del(settings, "flavors");
}

static void document_merge(json_t *document, const json_t *over) {
    if (json_object_get(over, "flavors") && !json_object_get(over, "settings"))
        flavors_forget(document, NULL);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)over, key, value) {
        json_t *had = json_object_get(document, key);
        if (strcmp(key, "volume") == 0 && json_is_object(had))
            json_object_update(had, value);
        else
            json_object_set(document, key, value);
    }
}

static int file_merge(struct call *call, json_t *document, struct err *e) {
    const char *path = call_option(call, "file");
    if (!path) return 0;
    scoped_json json_t *marks = NULL, *file = file_document(path, &marks, e);
    if (!file || file_check(file, path, marks, e) < 0) return -1;
    document_merge(document, file);
    return 0;
}

/* ---- options ---- */

/* "NAME=REST" */
static int split(const char *option, const char *text, char *name, size_t size, const char **rest,
                 struct err *e) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0')
        return err_set(e, ERR_USAGE, "--%s %s: must be NAME=VALUE", option, text);
    *rest = equals + 1;
    if (text_format(name, size, "%.*s", (int)(equals - text), text) == 0) return 0;
    return err_set(e, ERR_USAGE, "--%s %.80s...: the name is too long", option, text);
}

static json_t *list_in(json_t *document, const char *key) {
    json_t *list = json_object_get(document, key);
    if (json_is_array(list)) return list;
    json_object_set_new(document, key, list = json_array());
    return list;
}

/* The member of that name; NULL when there is none. */
static json_t *named(const json_t *list, const char *name, size_t *index) {
    for (*index = 0; *index < json_array_size(list); ++*index) {
        json_t *item = json_array_get(list, *index);
        const char *is = json_string_value(json_object_get(item, "name"));
        if (is && strcmp(is, name) == 0) return item;
    }
    return NULL;
}

static void named_put(json_t *list, json_t *item) {
    size_t index;
    if (named(list, json_string_value(json_object_get(item, "name")), &index))
        json_array_set_new(list, index, item);
    else
        json_array_append_new(list, item);
}

static int named_drop(const char *option, json_t *list, const char *name, struct err *e) {
    size_t index;
    if (!named(list, name, &index))
        return err_set(e, ERR_NOT_FOUND, "--%s %s: the pool has none", option, name);
    json_array_remove(list, index);
    return 0;
}

static int hosts_option(struct call *call, json_t *document, struct err *e) {
    const char *text, *uri;
    char name[256];
    json_t *projects = list_in(document, "projects"), *hosts = list_in(document, "hosts");
    for (size_t k = 0; (text = call_option_at(call, "project", k)); k++) {
        if (split("project", text, name, sizeof name, &uri, e) < 0) return -1;
        named_put(projects, json_pack("{s:s, s:s}", "name", name, "id", uri));
    }
    for (size_t k = 0; (text = call_option_at(call, "host", k)); k++) {
        if (split("host", text, name, sizeof name, &uri, e) < 0) return -1;
        named_put(hosts, json_pack("{s:s, s:s}", "name", name, "uri", uri));
    }
    for (size_t k = 0; (text = call_option_at(call, "drop-host", k)); k++)
        if (named_drop("drop-host", json_array_size(projects) ? projects : hosts, text, e) < 0) return -1;
    return 0;
}

/* A whole number where the file has one, else text. */
static json_t *scalar(const char *text) {
    long long n;
    return text_to_int(text, 0, INT64_MAX, &n) == 0 ? json_integer(n) : json_string(text);
}

/* "1/2/4/8" */
static json_t *sizes_of(const char *text) {
    json_t *list = json_array();
    while (*text) {
        char one[32];
        size_t n = strcspn(text, "/");
        if (text_format(one, sizeof one, "%.*s", (int)n, text) < 0) one[0] = '\0';
        json_array_append_new(list, scalar(one));
        text += n + (text[n] == '/');
    }
    return list;
}

/* "name=v100,rating=15.6 TF,units=8,sizes=1/2/4/8,attach=none" */
static int flavor_of(const char *text, json_t *out, struct err *e) {
    scoped_free char *copy = mem_copy(text);
    char *rest = copy;
    for (char *part; (part = strsep(&rest, ","));) {
        char key[64];
        const char *value;
        if (split("flavor", part, key, sizeof key, &value, e) < 0) return -1;
        if (json_object_get(out, key))
            return err_set(e, ERR_USAGE, "--flavor %s: '%s' stands twice", text, key);
        bool is_text = strcmp(key, "name") == 0 || strcmp(key, "match") == 0;
        json_object_set_new(out, key,
                            strcmp(key, "sizes") == 0 ? sizes_of(value)
                            : is_text                 ? json_string(value)
                                                      : scalar(value));
    }
    if (json_object_get(out, "name")) return 0;
    return err_set(e, ERR_USAGE, "--flavor %s: has no name=NAME", text);
}

static int flavors_option(struct call *call, json_t *document, struct err *e) {
    const char *text;
    json_t *flavors = list_in(document, "flavors");
    for (size_t k = 0; (text = call_option_at(call, "flavor", k)); k++) {
        json_t *flavor = json_object();
        if (flavor_of(text, flavor, e) < 0) return json_decref(flavor), -1;
        flavors_forget(document, json_string_value(json_object_get(flavor, "name")));
        named_put(flavors, flavor);
    }
    for (size_t k = 0; (text = call_option_at(call, "drop-flavor", k)); k++) {
        if (named_drop("drop-flavor", flavors, text, e) < 0) return -1;
        flavors_forget(document, text);
    }
    return 0;
}

/* --units v100=12, --rating v100=15.7TF */
static int flavor_part(struct call *call, const char *option, json_t *document, struct err *e) {
    const char *text, *value;
    char name[256];
    for (size_t k = 0; (text = call_option_at(call, option, k)); k++) {
        size_t index;
        if (split(option, text, name, sizeof name, &value, e) < 0) return -1;
        json_t *flavor = named(json_object_get(document, "flavors"), name, &index);
        if (!flavor)
            return err_set(e, ERR_NOT_FOUND, "--%s %s: the pool has no flavor '%s'", option, text, name);
        json_object_set_new(flavor, option, scalar(value));
    }
    return 0;
}

/* --saas notebook=100 */
static int services_option(struct call *call, json_t *document, struct err *e) {
    const char *text, *seats;
    char name[256];
    json_t *services = list_in(document, "saas");
    for (size_t k = 0; (text = call_option_at(call, "saas", k)); k++) {
        if (split("saas", text, name, sizeof name, &seats, e) < 0) return -1;
        named_put(services, json_pack("{s:s, s:o}", "name", name, "seats", scalar(seats)));
    }
    for (size_t k = 0; (text = call_option_at(call, "drop-saas", k)); k++)
        if (named_drop("drop-saas", services, text, e) < 0) return -1;
    return 0;
}

/* Names given replace all that were there. */
static void metrics_option(struct call *call, json_t *document) {
    const char *name;
    json_t *metrics = json_array();
    for (size_t k = 0; (name = call_option_at(call, "measures", k)); k++)
        json_array_append_new(metrics, json_string(name));
    if (json_array_size(metrics))
        json_object_set_new(document, "measures", metrics);
    else
        json_decref(metrics);
}

static int settings_option(struct call *call, json_t *document, struct err *e) {
    const char *text, *value;
    char name[256];
    for (size_t k = 0; (text = call_option_at(call, "setting", k)); k++) {
        if (split("setting", text, name, sizeof name, &value, e) < 0) return -1;
        json_t *settings = json_object_get(document, "settings");
        if (!settings) json_object_set_new(document, "settings", settings = json_object());
        json_t *parsed = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        json_object_set_new(settings, name,
                            parsed && !json_is_real(parsed) ? json_incref(parsed) : json_string(value));
        json_decref(parsed);
    }
    return 0;
}

static void words_option(struct call *call, json_t *document) {
    static const char *const plain[] = {"backend", "basis", "storage", "granule", "datalake"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (call_option(call, plain[i]))
            json_object_set_new(document, plain[i], json_string(call_option(call, plain[i])));
    json_t *volume = json_object_get(document, "volume");
    if (!json_is_object(volume)) json_object_set_new(document, "volume", volume = json_object());
    if (call_option(call, "volume-least"))
        json_object_set_new(volume, "least", json_string(call_option(call, "volume-least")));
    if (call_option(call, "volume-most"))
        json_object_set_new(volume, "most", json_string(call_option(call, "volume-most")));
}

static int options_merge(struct call *call, json_t *document, struct err *e) {
    words_option(call, document);
    metrics_option(call, document);
    if (hosts_option(call, document, e) < 0 || flavors_option(call, document, e) < 0 ||
        flavor_part(call, "units", document, e) < 0 || flavor_part(call, "rating", document, e) < 0 ||
        services_option(call, document, e) < 0)
        return -1;
    return settings_option(call, document, e);
}

/* ---- both ---- */

int pool_words_read(struct call *call, const char *name, const struct pool_spec *base, struct pool_spec *out,
                    struct err *e) {
    *out = (struct pool_spec){.name = mem_copy(name)};
    scoped_json json_t *document = base ? pool_spec_document(base)
                                        : json_pack("{s:s, s:s, s:{s:s, s:s}}", "storage", "0 B", "granule",
                                                    "1 GB", "volume", "least", "1 GB", "most", "16 TB");
    if (file_merge(call, document, e) < 0 || options_merge(call, document, e) < 0) return -1;
    char title[300];
    if (text_format(title, sizeof title, "pool %s", name) < 0)
        return err_set(e, ERR_USAGE, "the pool's name is too long");
    struct json_at root = json_root(document, title);
    return pool_spec_read(out, &root, e);
}
