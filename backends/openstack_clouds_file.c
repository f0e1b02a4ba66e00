/* SPDX-License-Identifier: Apache-2.0 */
/* Where clouds are written: files and the environment. */
#include "backends/openstack_clouds.h"

#include "alloc/file.h"
#include "alloc/json.h"
#include "alloc/text.h"
#include "alloc/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static const char *variable(const char *name) {
    const char *s = getenv(name);
    return s && *s ? s : NULL;
}

/* ---- files ---- */

/* The first of $VARIABLE and STEM.yaml, .yml, .json in the folders that is there; "" when none is. */
static int find(const char *named, const char *stem, char *path, size_t size, struct err *e) {
    static const char *const suffixes[] = {"yaml", "yml", "json"};
    const char *home = variable("HOME"), *config = variable("XDG_CONFIG_HOME");
    char folders[5][PATH_MAX] = {".", "", "", "/etc/xdg/openstack", "/etc/openstack"};
    struct stat st;
    if (config) (void)text_format(folders[1], PATH_MAX, "%s/openstack", config);
    if (home) (void)text_format(folders[2], PATH_MAX, "%s/.config/openstack", home);
    if (variable(named)) {
        if (text_format(path, size, "%s", variable(named)) == 0 && stat(path, &st) == 0) return 0;
        err_set(e, ERR_NOT_FOUND, "$%s names %.300s: %s", named, variable(named), strerror(errno));
        return err_hint(e, "unset %s, or write the file", named);
    }
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 3; k++)
            if (*folders[i] && text_format(path, size, "%s/%s.%s", folders[i], stem, suffixes[k]) == 0 &&
                stat(path, &st) == 0)
                return 0;
    *path = '\0';
    return 0;
}

static bool has_secret(const json_t *value) {
    static const char *const keys[] = {"password", "application_credential_secret",
                                       "application-credential-secret"};
    const char *key;
    json_t *child;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(value, keys[i])) return true;
    json_object_foreach((json_t *)value, key, child) if (has_secret(child)) return true;
    return false;
}

static int check_mode(const char *path, const json_t *document, struct err *e) {
    struct stat st;
    if (stat(path, &st) < 0 || (st.st_mode & 006) == 0 || !has_secret(document)) return 0;
    err_set(e, ERR_FAILED, "%s: holds a secret, and others may %s it", path,
            st.st_mode & 004 ? "read" : "change");
    return err_hint(e, "chmod o-rwx %s", path);
}

/* {} when there is no file. */
static json_t *load(const char *path, struct err *e) {
    size_t n = strlen(path);
    if (n == 0) return json_object();
    bool is_json = n > 5 && strcmp(path + n - 5, ".json") == 0;
    json_t *document = is_json ? json_load_path(path, e) : yaml_load_path(path, NULL, e);
    if (!document) return NULL;
    const json_t *clouds = json_object_get(document, "clouds");
    int status = 0;
    if (!json_is_object(document))
        status = err_set(e, ERR_USAGE, "%s: must be a mapping with the key clouds", path);
    else if (clouds && !json_is_object(clouds) && !json_is_null(clouds))
        status = err_set(e, ERR_USAGE, "%s: clouds: must be a mapping of names to clouds", path);
    else
        status = check_mode(path, document, e);
    if (status == 0) return document;
    json_decref(document);
    return NULL;
}

/* ---- the environment ---- */

static bool is_among(const char *name, const char *const names[], size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static bool is_foreign(const char *name) { /* variables of test tools */
    return strncmp(name, "OS_TEST", 7) == 0 || strncmp(name, "OS_STD", 6) == 0 ||
           strncmp(name, "OS_LOG", 6) == 0;
}

/* The variables OS_* as a cloud's entry; NULL when there are none but those that select or name files. */
static json_t *environment_entry(void) {
    static const char *const selectors[] = {"OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE",
                                            "OS_CLOUD_NAME"};
    json_t *entry = json_object();
    size_t settings = 0;
    for (char **v = environ; *v; v++) {
        size_t n = strcspn(*v, "=");
        if (strncmp(*v, "OS_", 3) != 0 || n == 3 || (*v)[n] != '=' || !(*v)[n + 1]) continue;
        scoped_text struct text name = {0};
        text_put(&name, *v, n);
        if (is_foreign(name.s) || is_among(name.s, selectors, 4)) continue;
        settings += strcmp(name.s, "OS_REGION_NAME") != 0;
        for (char *p = name.s; *p; p++) *p = (char)tolower((unsigned char)*p);
        json_object_set_new(entry, name.s + 3, json_string((*v) + n + 1));
    }
    if (settings) return entry;
    json_decref(entry);
    return NULL;
}

/* ---- which ---- */

static struct cloud *no_such(const json_t *clouds, const char *path, const char *name, struct err *e) {
    const char *names[256], *key;
    size_t n = 0;
    json_t *value;
    json_object_foreach((json_t *)clouds, key, value) if (n < 256) names[n++] = key;
    if (!*path) {
        err_set(e, ERR_NOT_FOUND, "there is no cloud \"%.64s\": no clouds.yaml was found", name);
        err_hint(e, "write one in ~/.config/openstack or /etc/openstack");
        return NULL;
    }
    const char *near = text_nearest(name, names, n);
    err_set(e, ERR_NOT_FOUND, "there is no cloud \"%.64s\" in %.300s", name, path);
    if (near) err_hint(e, "did you mean %.64s?", near);
    return NULL;
}

static struct cloud *none_named(const json_t *clouds, const char *path, struct err *e) {
    if (json_object_size(clouds) > 1) {
        err_set(e, ERR_USAGE, "%.300s has several clouds and none is named", path);
        err_hint(e, "set OS_CLOUD");
    } else {
        err_set(e, ERR_NOT_FOUND,
                "no cloud is configured: neither a clouds.yaml with one nor variables OS_*");
        err_hint(e, "write ~/.config/openstack/clouds.yaml");
    }
    return NULL;
}

static const char *only_name(const json_t *clouds) {
    void *first = json_object_iter((json_t *)clouds);
    return json_object_size(clouds) == 1 ? json_object_iter_key(first) : NULL;
}

struct clouds {
    char path[PATH_MAX];            /* "": there is no file */
    json_t *document, *environment; /* environment NULL: the variables make no cloud */
};

struct clouds *clouds_open(struct err *e) {
    char secure_path[PATH_MAX];
    struct clouds *c = mem_alloc(sizeof *c);
    if (find("OS_CLIENT_CONFIG_FILE", "clouds", c->path, sizeof c->path, e) == 0 &&
        find("OS_CLIENT_SECURE_FILE", "secure", secure_path, sizeof secure_path, e) == 0 &&
        (c->document = load(c->path, e))) {
        scoped_json json_t *secure = load(secure_path, e);
        c->environment = environment_entry();
        if (secure && json_object_update_recursive(c->document, secure) == 0) return c;
    }
    clouds_close(c);
    return NULL;
}

void clouds_close(struct clouds *c) {
    if (!c) return;
    json_decref(c->document);
    json_decref(c->environment);
    free(c);
}

struct cloud *clouds_find(const struct clouds *c, const char *name, const char *region, struct err *e) {
    const json_t *clouds = json_object_get(c->document, "clouds");
    const char *own = variable("OS_CLOUD_NAME") ? variable("OS_CLOUD_NAME") : "envvars";
    if (!name) name = variable("OS_CLOUD");
    if (!name && c->environment) name = own;
    if (!name) name = only_name(clouds);
    if (!name) return none_named(clouds, c->path, e);
    const json_t *entry = json_object_get(clouds, name);
    if (entry) return cloud_from(entry, c->path, name, region, e);
    if (c->environment && strcmp(name, own) == 0)
        return cloud_from(c->environment, CLOUD_ENVIRONMENT, name, region, e);
    return no_such(clouds, c->path, name, e);
}

struct cloud *cloud_load(const char *name, const char *region, struct err *e) {
    struct clouds *clouds = clouds_open(e);
    struct cloud *cloud = clouds ? clouds_find(clouds, name, region, e) : NULL;
    clouds_close(clouds);
    return cloud;
}
