/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config.h"

#include "alloc/file.h"
#include "alloc/json.h"
#include "alloc/scope.h"
#include "alloc/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MOST = 256, NAME_MOST = 4096 };

static void names_free(struct config_names *names) {
    for (size_t i = 0; i < names->n; i++) free(names->names[i]);
    free(names->names);
}

void config_free(struct config *config) {
    if (!config) return;
    struct config_role *roles[] = {&config->admins, &config->operators, &config->auditors};
    for (size_t i = 0; i < 3; i++) {
        names_free(&roles[i]->users);
        names_free(&roles[i]->groups);
    }
    names_free(&config->notify);
    free(config->path);
    free(config->store);
    free(config->lang);
    free(config->audit_key);
    free(config->head_file);
    free(config->log_file);
    free(config);
}

/* decoding */

static int take_text(const struct json_at *at, const char *key, char **out, struct err *e) {
    if (!json_has(at, key)) return 0;
    const char *s;
    if (json_need_text(at, key, NAME_MOST, &s, e) < 0) return -1;
    *out = mem_copy(s);
    return 0;
}

/* An absolute path: a relative one would mean another file in every directory. */
static int take_path(const struct json_at *at, const char *key, char **out, struct err *e) {
    if (take_text(at, key, out, e) < 0) return -1;
    if (!*out || (*out)[0] == '/') return 0;
    struct json_at member = json_member(at, key);
    return json_fail(&member, e, "must be an absolute path, is '%s'", *out);
}

static int take_names(const struct json_at *at, const char *key, struct config_names *out, struct err *e) {
    struct json_at list;
    if (json_may_array(at, key, NAMES_MOST, &list, e) < 0) return -1;
    size_t n = json_length(&list);
    out->names = mem_alloc(n * sizeof *out->names);
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_item(&list, i);
        const char *s;
        if (json_as_text(&item, NAME_MOST, &s, e) < 0) return -1;
        if (*s == '\0') return json_fail(&item, e, "must not be empty");
        out->names[out->n++] = mem_copy(s);
    }
    return 0;
}

static int take_role(const struct json_at *roles, const char *key, struct config_role *out, struct err *e) {
    static const char *const keys[] = {"users", "groups", NULL};
    struct json_at at;
    if (json_may_object(roles, key, &at, e) < 0) return -1;
    if (!at.value) return 0;
    if (json_only(&at, keys, e) < 0 || take_names(&at, "users", &out->users, e) < 0) return -1;
    return take_names(&at, "groups", &out->groups, e);
}

static int take_roles(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const keys[] = {"admins", "operators", "auditors", NULL};
    struct json_at at;
    if (json_may_object(root, "roles", &at, e) < 0) return -1;
    if (!at.value) return 0;
    if (json_only(&at, keys, e) < 0 || take_role(&at, "admins", &config->admins, e) < 0) return -1;
    if (take_role(&at, "operators", &config->operators, e) < 0) return -1;
    return take_role(&at, "auditors", &config->auditors, e);
}

static int take_audit(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const keys[] = {"key", "head_file", "head_syslog", NULL};
    struct json_at at;
    if (json_may_object(root, "audit", &at, e) < 0) return -1;
    if (!at.value) return 0;
    if (json_only(&at, keys, e) < 0 || take_path(&at, "key", &config->audit_key, e) < 0) return -1;
    if (take_path(&at, "head_file", &config->head_file, e) < 0) return -1;
    return json_may_bool(&at, "head_syslog", &config->head_syslog, e);
}

static int take_tick(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const keys[] = {"releases", NULL};
    struct json_at at;
    if (json_may_object(root, "tick", &at, e) < 0) return -1;
    if (!at.value) return 0;
    if (json_only(&at, keys, e) < 0) return -1;
    config->has_release_most = json_has(&at, "releases");
    return json_may_int(&at, "releases", 0, 1000000, &config->release_most, e);
}

/* How long each job of cron may be without a good run, and how few projects are too few. */
static int take_check(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const keys[] = {"tick", "reconcile", "notify", "projects", NULL};
    span_t *const spans[] = {&config->check_tick, &config->check_reconcile, &config->check_notify, NULL};
    struct json_at at;
    if (json_may_object(root, "check", &at, e) < 0) return -1;
    if (!at.value) return 0;
    if (json_only(&at, keys, e) < 0 ||
        json_may_int(&at, "projects", 0, 10000, &config->check_projects, e) < 0)
        return -1;
    for (size_t i = 0; spans[i]; i++) {
        const char *s = NULL;
        if (json_may_text(&at, keys[i], 64, &s, e) < 0) return -1;
        if (s && span_parse(s, spans[i], e) < 0) return json_context(&at, keys[i], e);
    }
    return 0;
}

static int take_log(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const keys[] = {"level", "file", NULL};
    struct json_at at;
    size_t level = config->log_level;
    if (json_may_object(root, "log", &at, e) < 0) return -1;
    if (!at.value) return 0;
    if (json_only(&at, keys, e) < 0 || json_may_word(&at, "level", log_level_words, &level, e) < 0) return -1;
    config->log_level = (enum log_level)level;
    return take_path(&at, "file", &config->log_file, e);
}

static int take_lang(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const langs[] = {"en", "ko", NULL};
    size_t lang = 0;
    if (!json_has(root, "lang")) return 0;
    if (json_need_word(root, "lang", langs, &lang, e) < 0) return -1;
    config->lang = mem_copy(langs[lang]);
    return 0;
}

static int take_deadline(const struct json_at *root, struct config *config, struct err *e) {
    const char *s = NULL;
    if (json_is_number(json_object_get(root->value, "deadline"))) {
        struct json_at number = json_member(root, "deadline");
        return json_fail(&number, e, "must have a unit, like '20 seconds' or '2 minutes'");
    }
    if (json_may_text(root, "deadline", 64, &s, e) < 0) return -1;
    if (!s) return 0;
    if (span_parse(s, &config->deadline, e) < 0) return json_context(root, "deadline", e);
    struct json_at at = json_member(root, "deadline");
    bool is_sound = config->deadline.s >= 1 && config->deadline.s <= 3600;
    return is_sound ? 0 : json_fail(&at, e, "must be from 1 second to 1 hour, is '%s'", s);
}

static int take_all(const struct json_at *root, struct config *config, struct err *e) {
    static const char *const keys[] = {"store", "lang",  "roles", "notify",   "audit",
                                       "tick",  "check", "log",   "deadline", NULL};
    if (json_only(root, keys, e) < 0 || take_path(root, "store", &config->store, e) < 0) return -1;
    if (take_lang(root, config, e) < 0 || take_roles(root, config, e) < 0) return -1;
    if (take_names(root, "notify", &config->notify, e) < 0) return -1;
    if (take_audit(root, config, e) < 0 || take_tick(root, config, e) < 0 || take_check(root, config, e) < 0)
        return -1;
    return take_log(root, config, e) < 0 ? -1 : take_deadline(root, config, e);
}

static struct config *config_new(void) {
    struct config *config = mem_alloc(sizeof *config);
    config->deadline = span(120);
    config->check_tick = config->check_notify = span(3600);
    config->check_reconcile = span(3 * 3600);
    config->check_projects = 3;
    config->log_level = LOG_AT_ERROR;
    return config;
}

struct config *config_parse(const char *bytes, size_t length, const char *title, struct err *e) {
    scoped_json json_t *marks = NULL;
    scoped_json json_t *value = yaml_load_text(bytes, length, title, &marks, e);
    if (!value) return NULL;
    struct config *config = config_new();
    struct json_at root = json_root(value, title);
    root.marks = marks;
    if (json_is_null(value) || take_all(&root, config, e) == 0) return config;
    config_free(config);
    return NULL;
}

/* finding the file */

/* Whoever may write to it is an admin, or runs programs as one. */
static int check_owner(const char *path, struct err *e) {
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & S_IWOTH)) return 0;
    err_set(e, ERR_FAILED, "%s: everybody may write to it", path);
    return err_hint(e, "chmod o-w %s", path);
}

static struct config *load_file(const char *path, struct err *e) {
    scoped_text struct text bytes = {0};
    if (file_read(path, YAML_BYTES_MOST, &bytes, e) < 0 || check_owner(path, e) < 0) return NULL;
    struct config *config = config_parse(bytes.s, bytes.length, path, e);
    if (config) config->path = mem_copy(path);
    return config;
}

static char *home_path(const char *variable, const char *below_home, const char *rest) {
    const char *base = getenv(variable), *home = getenv("HOME");
    struct text path = {0};
    if (base && *base == '/')
        text_add(&path, "%s/%s", base, rest);
    else if (home && *home == '/')
        text_add(&path, "%s/%s/%s", home, below_home, rest);
    else
        return NULL;
    return text_take(&path);
}

struct config *config_load(const char *path, struct err *e) {
    const char *named = path ? path : getenv("ALLOT_CONFIG");
    if (named && *named) return load_file(named, e);
    scoped_free char *own = home_path("XDG_CONFIG_HOME", ".config", "allot/allot.conf");
    if (own && access(own, F_OK) == 0) return load_file(own, e);
    if (access("/etc/allot/allot.conf", F_OK) == 0) return load_file("/etc/allot/allot.conf", e);
    return config_new();
}

char *config_store_path(const struct config *config, struct err *e) {
    const char *named = getenv("ALLOT_STORE");
    if (named && *named) return mem_copy(named);
    if (config && config->store) return mem_copy(config->store);
    if (geteuid() == 0) return mem_copy("/var/lib/allot/allot.db");
    char *own = home_path("XDG_DATA_HOME", ".local/share", "allot/allot.db");
    if (own) return own;
    err_set(e, ERR_USAGE, "no store is named, and HOME is not set");
    err_hint(e, "give --store FILE or set ALLOT_STORE");
    return NULL;
}
