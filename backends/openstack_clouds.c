/* SPDX-License-Identifier: Apache-2.0 */
/* One cloud's entry, wherever it was written, as a struct cloud: pure. The files are in
 * openstack_clouds_file.c. */
#include "backends/openstack_clouds.h"

#include "alloc/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MOST = 4096 };

struct reading {
    struct cloud *cloud;
    json_t *top, *auth; /* keys with "_" */
    bool is_environment;
    struct err *e;
};

/* ---- words ---- */

/* "clouds.yaml: clouds.nhn: region_name", or "the variables OS_*: OS_REGION_NAME". */
static int fail(const struct reading *r, const char *key, const char *words) {
    char shown[64];
    (void)text_format(shown, sizeof shown, "%.60s", key);
    for (char *p = shown; *p && r->is_environment; p++) *p = (char)toupper((unsigned char)*p);
    if (r->is_environment) return err_set(r->e, ERR_USAGE, "%s: OS_%s: %s", r->cloud->source, shown, words);
    return err_set(r->e, ERR_USAGE, "%s: clouds.%s: %s: %s", r->cloud->source, r->cloud->name, shown, words);
}

/* ---- keys ---- */

/* Keys with "_" for "-", one level. */
static json_t *normal_keys(const json_t *object) {
    json_t *out = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)object, key, value) {
        scoped_free char *normal = mem_copy(key);
        for (char *p = normal; *p; p++)
            if (*p == '-') *p = '_';
        json_object_set(out, normal, value);
    }
    return out;
}

/* The text of one key, NULL when it is not there, null or empty. */
static int take(const struct reading *r, const json_t *from, const char *key, const char **out) {
    const json_t *value = json_object_get(from, key);
    if (!value || json_is_null(value)) return 0;
    if (json_is_number(value) || json_is_boolean(value))
        return fail(r, key, "must be text: put it in quotes");
    const char *s = json_string_value(value);
    if (!s) return fail(r, key, "must be text");
    if (json_string_length(value) > TEXT_MOST) return fail(r, key, "is longer than 4096 bytes");
    if (strlen(s) != json_string_length(value) || !text_is_printable(s))
        return fail(r, key, "must not hold control characters");
    if (*s) *out = keep_text(&r->cloud->kept, s);
    return 0;
}

/*
 * Where a text goes and under which keys it may stand, the last one winning, in auth or beside it. Which of
 * the two wins is different for the names of projects and domains, because the clients put what overrides
 * them beside.
 */
struct field {
    size_t at;
    bool is_beside;
    const char *keys[3];
};
#define FIELD(name, beside, ...)                                                                             \
    {                                                                                                        \
        offsetof(struct cloud, name), beside, { __VA_ARGS__ }                                                \
    }

static const struct field fields[] = {
    FIELD(auth_url, false, "auth_url"),
    FIELD(username, false, "user_name", "username"),
    FIELD(user_id, false, "user_id"),
    FIELD(password, false, "password"),
    FIELD(user_domain_id, true, "user_domain_id"),
    FIELD(user_domain_name, true, "user_domain_name"),
    FIELD(credential_id, false, "application_credential_id"),
    FIELD(credential_name, false, "application_credential_name"),
    FIELD(credential_secret, false, "application_credential_secret"),
    FIELD(project_id, true, "tenant_id", "project_id"),
    FIELD(project_name, true, "tenant_name", "project_name"),
    FIELD(project_domain_id, true, "project_domain_id"),
    FIELD(project_domain_name, true, "project_domain_name"),
    FIELD(domain_id, true, "domain_id"),
    FIELD(domain_name, true, "domain_name"),
    FIELD(cacert, true, "cacert"),
    FIELD(interface, true, "endpoint_type", "interface"),
};

static int take_fields(const struct reading *r) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct field *f = &fields[i];
        const char **out = (const char **)(void *)((char *)r->cloud + f->at);
        const json_t *first = f->is_beside ? r->auth : r->top, *last = f->is_beside ? r->top : r->auth;
        for (size_t k = 0; k < 3 && f->keys[k]; k++)
            if (take(r, first, f->keys[k], out) < 0 || take(r, last, f->keys[k], out) < 0) return -1;
    }
    return 0;
}

/* ---- what is not taken ---- */

static bool is_said(const json_t *value, bool is) {
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    const char *s = json_string_value(value);
    if (json_is_boolean(value)) return json_is_true(value) == is;
    if (json_is_integer(value)) return (json_integer_value(value) != 0) == is;
    for (size_t i = 0; s && i < 4; i++)
        if (strcasecmp(s, is ? yes[i] : no[i]) == 0) return true;
    return false;
}

static int refuse_unsafe(const struct reading *r) {
    static const char *const others[][2] = {
        {"profile", "vendor profiles are not read: write auth_url and the rest out"},
        {"cloud", "vendor profiles are not read: write auth_url and the rest out"},
        {"cert", "client certificates are not sent"},
        {"key", "client certificates are not sent"},
    };
    const json_t *verify = json_object_get(r->top, "verify");
    if (is_said(verify, false) || is_said(json_object_get(r->top, "insecure"), true)) {
        fail(r, verify ? "verify" : "insecure", "certificates are always verified");
        return err_hint(r->e, "take it out, and name the file of a private authority as cacert");
    }
    if (json_is_string(verify))
        return fail(r, "verify", "must be true; the file of a private authority is cacert");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const json_t *value = json_object_get(r->top, others[i][0]);
        if (value && !json_is_null(value) && !(json_is_string(value) && json_string_length(value) == 0))
            return fail(r, others[i][0], others[i][1]);
    }
    return 0;
}

/* ---- kind, version, region ---- */

static int take_auth_type(const struct reading *r) {
    static const struct {
        const char *word;
        enum cloud_auth auth;
        int version;
    } kinds[] = {{"password", CLOUD_PASSWORD, 0},
                 {"v2password", CLOUD_PASSWORD, 2},
                 {"v3password", CLOUD_PASSWORD, 3},
                 {"v3applicationcredential", CLOUD_APPLICATION_CREDENTIAL, 3}};
    const char *word = NULL;
    if (take(r, r->top, "auth_plugin", &word) < 0 || take(r, r->top, "auth_type", &word) < 0) return -1;
    if (!word) return 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].word, word) != 0) continue;
        r->cloud->auth = kinds[i].auth;
        r->cloud->identity_version = kinds[i].version;
        return 0;
    }
    fail(r, "auth_type", "is not a kind that is spoken here");
    return err_hint(r->e, "known: password, v2password, v3password, v3applicationcredential");
}

/* 3, "3", "v3", "2.0", 3.14 */
static int take_version(const struct reading *r) {
    const json_t *value = json_object_get(r->top, "identity_api_version");
    const char *s = json_string_value(value);
    long version = 0;
    if (!value || json_is_null(value) || (s && !*s)) return 0;
    if (json_is_integer(value)) version = (long)json_integer_value(value);
    if (s) {
        char *end;
        version = strtol(s + (*s == 'v'), &end, 10);
        if (*end && *end != '.') version = 0;
    }
    if (version != 2 && version != 3) return fail(r, "identity_api_version", "must be 2 or 3");
    if (!r->cloud->identity_version) r->cloud->identity_version = (int)version;
    return 0;
}

/* The name and the values of one of `regions`: a name, or {name, values}. */
static int region_read(const struct reading *r, const json_t *region, const char **name,
                       const json_t **values) {
    *name = json_is_object(region) ? json_string_value(json_object_get(region, "name"))
                                   : json_string_value(region);
    *values = json_object_get(region, "values");
    if (!*name || (*values && !json_is_object(*values) && !json_is_null(*values)))
        return fail(r, "regions", "must be a list of names or of {name, values}");
    return 0;
}

static int no_such_region(const struct reading *r, const json_t *regions, const char *wanted) {
    scoped_text struct text list = {0};
    size_t i;
    json_t *region;
    json_array_foreach(regions, i, region) {
        const char *name = NULL;
        const json_t *values;
        if (region_read(r, region, &name, &values) == 0 && list.length < 400)
            text_add(&list, "%s%.80s", i ? ", " : "", name);
    }
    err_set(r->e, ERR_NOT_FOUND, "%s: clouds.%s has no region %.64s", r->cloud->source, r->cloud->name,
            wanted);
    return err_hint(r->e, "its regions: %s", list.s ? list.s : "none");
}

/* Chooses the region; its values lie over those of the cloud. */
static int take_regions(const struct reading *r, const char *wanted) {
    const json_t *regions = json_object_get(r->top, "regions"), *values;
    size_t i;
    json_t *region;
    const char *name;
    if (regions && !json_is_array(regions)) return fail(r, "regions", "must be a list");
    if (json_array_size(regions) == 0) {
        if (wanted) r->cloud->region_name = keep_text(&r->cloud->kept, wanted);
        return wanted ? 0 : take(r, r->top, "region_name", &r->cloud->region_name);
    }
    json_array_foreach(regions, i, region) {
        if (region_read(r, region, &name, &values) < 0) return -1;
        if (wanted && strcmp(name, wanted) != 0) continue;
        r->cloud->region_name = keep_text(&r->cloud->kept, name);
        scoped_json json_t *normal = normal_keys(values),
                           *auth = json_deep_copy(json_object_get(normal, "auth"));
        json_object_del(normal, "auth");
        (void)json_object_update_recursive(r->top, normal);
        (void)json_object_update_recursive(r->auth, auth);
        return 0;
    }
    return no_such_region(r, regions, wanted);
}

static int take_endpoints(const struct reading *r) {
    static const char suffix[] = "_endpoint_override";
    const char *key;
    json_t *value;
    r->cloud->endpoints = json_object();
    json_object_foreach(r->top, key, value) {
        size_t n = strlen(key), n_suffix = sizeof suffix - 1;
        const char *url = NULL;
        if (n <= n_suffix || strcmp(key + n - n_suffix, suffix) != 0) continue;
        if (take(r, r->top, key, &url) < 0) return -1;
        if (!url) continue;
        if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
            return fail(r, key, "must be an http or https URL");
        scoped_text struct text type = {0};
        text_put(&type, key, n - n_suffix);
        for (char *p = type.s; *p; p++)
            if (*p == '_') *p = '-';
        json_object_set_new(r->cloud->endpoints, type.s, json_string(url));
    }
    return 0;
}

/* ---- the whole ---- */

static int take_interface(const struct reading *r) {
    static const char *const words[] = {"public", "internal", "admin"};
    struct cloud *c = r->cloud;
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (!c->interface || (strncmp(c->interface, words[i], n) == 0 &&
                              (!c->interface[n] || strcmp(c->interface + n, "URL") == 0))) {
            c->interface = words[i];
            return 0;
        }
    }
    return fail(r, "interface", "must be public, internal or admin");
}

static int take_scope(const struct reading *r) {
    struct cloud *c = r->cloud;
    const char *system = NULL;
    if (take(r, r->top, "system_scope", &system) < 0 || take(r, r->auth, "system_scope", &system) < 0)
        return -1;
    if (system && strcmp(system, "all") != 0) return fail(r, "system_scope", "must be all");
    bool has_project = c->project_id || c->project_name;
    if (system && has_project) return fail(r, "system_scope", "cannot stand beside a project");
    c->scope = system                           ? CLOUD_SYSTEM
               : has_project                    ? CLOUD_PROJECT
               : c->domain_id || c->domain_name ? CLOUD_DOMAIN
                                                : CLOUD_UNSCOPED;
    if (!has_project) return 0;
    /* "domain" stands for both */
    if (!c->user_domain_id && !c->user_domain_name) {
        c->user_domain_id = c->domain_id;
        c->user_domain_name = c->domain_name;
    }
    if (!c->project_domain_id && !c->project_domain_name) {
        c->project_domain_id = c->domain_id;
        c->project_domain_name = c->domain_name;
    }
    c->domain_id = c->domain_name = NULL;
    return 0;
}

static int check_complete(const struct reading *r) {
    const struct cloud *c = r->cloud;
    if (!c->auth_url) return fail(r, "auth_url", "is missing");
    if (strncmp(c->auth_url, "http://", 7) != 0 && strncmp(c->auth_url, "https://", 8) != 0)
        return fail(r, "auth_url", "must be an http or https URL");
    if (strpbrk(c->auth_url, "{}@?# "))
        return fail(r, "auth_url", "must be a plain URL, without user or query");
    if (c->auth == CLOUD_APPLICATION_CREDENTIAL) {
        if (!c->credential_secret) return fail(r, "application_credential_secret", "is missing");
        if (c->credential_id || (c->credential_name && (c->user_id || c->username))) return 0;
        return fail(r, "application_credential_id", "is missing (or the name, with the user)");
    }
    if (!c->username && !c->user_id) {
        fail(r, "username", "is missing (or user_id)");
        return c->credential_secret ? err_hint(r->e, "or auth_type: v3applicationcredential") : -1;
    }
    return c->password ? 0 : fail(r, "password", "is missing");
}

/* "~/ca.pem" */
static void expand_home(struct cloud *c) {
    const char *home = getenv("HOME");
    if (!c->cacert || strncmp(c->cacert, "~/", 2) != 0 || !home) return;
    struct text path = {0};
    text_add(&path, "%s%s", home, c->cacert + 1);
    c->cacert = keep_add(&c->kept, text_take(&path));
}

static int read_entry(const struct reading *r, const char *region) {
    const json_t *auth = json_object_get(r->top, "auth");
    if (auth && !json_is_object(auth) && !json_is_null(auth)) return fail(r, "auth", "must be a mapping");
    if (take_regions(r, region) < 0 || refuse_unsafe(r) < 0 || take_auth_type(r) < 0 || take_version(r) < 0 ||
        take_fields(r) < 0 || take_interface(r) < 0 || take_scope(r) < 0 || take_endpoints(r) < 0)
        return -1;
    expand_home(r->cloud);
    return check_complete(r);
}

struct cloud *cloud_from(const json_t *entry, const char *source, const char *name, const char *region,
                         struct err *e) {
    struct cloud *c = mem_alloc(sizeof *c);
    c->name = keep_text(&c->kept, name);
    c->source = keep_text(&c->kept, source);
    scoped_json json_t *top = normal_keys(entry);
    scoped_json json_t *auth = normal_keys(json_object_get(top, "auth"));
    struct reading r = {.cloud = c,
                        .top = top,
                        .auth = auth,
                        .is_environment = strcmp(source, CLOUD_ENVIRONMENT) == 0,
                        .e = e};
    if (!text_is_printable(name)) c->name = "?";
    int status = json_is_object(entry)
                     ? read_entry(&r, region)
                     : err_set(e, ERR_USAGE, "%s: clouds.%s: must be a mapping", source, name);
    if (status == 0) return c;
    cloud_free(c);
    return NULL;
}

void cloud_free(struct cloud *cloud) {
    if (!cloud) return;
    json_decref(cloud->endpoints);
    keep_end(&cloud->kept);
    free(cloud);
}

/* ---- copies ---- */

static struct cloud *copy(const struct cloud *from) {
    struct cloud *c = mem_alloc(sizeof *c);
    *c = *from;
    c->kept = (struct keep){0};
    c->endpoints = json_deep_copy(from->endpoints);
    const char **const texts[] = {&c->name, &c->source, &c->region_name};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = keep_text(&c->kept, *texts[i]);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char **text = (const char **)(void *)((char *)c + fields[i].at);
        *text = keep_text(&c->kept, *text);
    }
    return c;
}

static void forget_scope(struct cloud *c) {
    c->project_id = c->project_name = c->project_domain_id = c->project_domain_name = NULL;
    c->domain_id = c->domain_name = NULL;
}

struct cloud *cloud_for_project(const struct cloud *cloud, const char *project_id) {
    struct cloud *c = copy(cloud);
    forget_scope(c);
    c->scope = CLOUD_PROJECT;
    c->project_id = keep_text(&c->kept, project_id);
    return c;
}

struct cloud *cloud_for_system(const struct cloud *cloud) {
    struct cloud *c = copy(cloud);
    forget_scope(c);
    c->scope = CLOUD_SYSTEM;
    return c;
}

struct cloud *cloud_for_user(const struct cloud *cloud, const char *username, const char *user_id,
                             const char *password) {
    struct cloud *c = copy(cloud);
    c->auth = CLOUD_PASSWORD;
    c->username = keep_text(&c->kept, username);
    c->user_id = keep_text(&c->kept, user_id);
    c->password = keep_text(&c->kept, password);
    return c;
}

struct cloud *cloud_with_endpoint(const struct cloud *cloud, const char *service, const char *url) {
    struct cloud *c = copy(cloud);
    json_t *endpoints = c->endpoints ? json_copy(c->endpoints) : json_object();
    json_object_set_new(endpoints, service, json_string(url));
    json_decref(c->endpoints);
    c->endpoints = endpoints;
    return c;
}
