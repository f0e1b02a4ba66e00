/* SPDX-License-Identifier: Apache-2.0 */
/* How a token is asked for and read, in both versions: pure. */
#include "backends/openstack_identity_token.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_catalog.h"

#include <stdlib.h>
#include <string.h>

void token_free(struct token *t) {
    free(t->id);
    free(t->project_id);
    free(t->project_name);
    free(t->user_id);
    json_decref(t->roles);
    json_decref(t->catalog);
    *t = (struct token){0};
}

bool token_is_good(const struct token *t, instant_t now) {
    return t->id && now.s + TOKEN_MARGIN_S < t->expires.s;
}

/* ---- asking ---- */

bool token_can_ask(const struct cloud *c, int version) {
    if (version == 3) return true;
    return c->auth == CLOUD_PASSWORD && (c->scope == CLOUD_PROJECT || c->scope == CLOUD_UNSCOPED);
}

static json_t *v2_request(const struct cloud *c) {
    json_t *auth = json_pack("{s:{s:s*, s:s*, s:s}}", "passwordCredentials", "username",
                             c->user_id ? NULL : c->username, "userId", c->user_id, "password", c->password);
    if (c->project_id)
        json_object_set_new(auth, "tenantId", json_string(c->project_id));
    else if (c->project_name)
        json_object_set_new(auth, "tenantName", json_string(c->project_name));
    return json_pack("{s:o}", "auth", auth);
}

/* {"id": ...}, or {"name": ..., "domain": {...}} */
static json_t *named(const char *id, const char *name, const char *domain_id, const char *domain_name) {
    if (id) return json_pack("{s:s}", "id", id);
    if (domain_name && !domain_id)
        return json_pack("{s:s, s:{s:s}}", "name", name, "domain", "name", domain_name);
    return json_pack("{s:s, s:{s:s}}", "name", name, "domain", "id", domain_id ? domain_id : "default");
}

static json_t *v3_user(const struct cloud *c) {
    return named(c->user_id, c->username, c->user_domain_id, c->user_domain_name);
}

static json_t *v3_identity(const struct cloud *c) {
    if (c->auth == CLOUD_PASSWORD) {
        json_t *user = v3_user(c);
        json_object_set_new(user, "password", json_string(c->password));
        return json_pack("{s:[s], s:{s:o}}", "methods", "password", "password", "user", user);
    }
    json_t *credential = json_pack("{s:s}", "secret", c->credential_secret);
    if (c->credential_id) {
        json_object_set_new(credential, "id", json_string(c->credential_id));
    } else {
        json_object_set_new(credential, "name", json_string(c->credential_name));
        json_object_set_new(credential, "user", v3_user(c));
    }
    return json_pack("{s:[s], s:o}", "methods", "application_credential", "application_credential",
                     credential);
}

static json_t *v3_scope(const struct cloud *c) {
    if (c->auth == CLOUD_APPLICATION_CREDENTIAL) return NULL; /* it has its own */
    switch (c->scope) {
    case CLOUD_PROJECT:
        return json_pack("{s:o}", "project",
                         named(c->project_id, c->project_name, c->project_domain_id, c->project_domain_name));
    case CLOUD_DOMAIN:
        return json_pack("{s:{s:s}}", "domain", c->domain_id ? "id" : "name",
                         c->domain_id ? c->domain_id : c->domain_name);
    case CLOUD_SYSTEM: return json_pack("{s:{s:b}}", "system", "all", 1);
    default: return NULL;
    }
}

json_t *token_request(const struct cloud *c, int version) {
    if (version == 2) return v2_request(c);
    return json_pack("{s:{s:o, s:o*}}", "auth", "identity", v3_identity(c), "scope", v3_scope(c));
}

/* ---- reading ---- */

int token_time_parse(const char *text, instant_t *out, struct err *e) {
    char plain[40];
    size_t n = strlen(text), zone = 19;
    if (n > 20 && text[19] == '.') zone = 20 + strspn(text + 20, "0123456789");
    if (n >= 19 && zone != 20 &&
        text_format(plain, sizeof plain, "%.19s%s", text, n > zone ? text + zone : "Z") == 0)
        return instant_parse(plain, out, e);
    return err_set(e, ERR_USAGE, "\"%.64s\" is not a time", text);
}

static char *text_at(const json_t *object, const char *key) {
    return mem_copy(json_string_value(json_object_get(object, key)));
}

static json_t *names_of(const json_t *roles) {
    json_t *names = json_array(), *role;
    size_t i;
    json_array_foreach(roles, i, role) {
        json_t *name = json_object_get(role, "name");
        if (json_is_string(name)) json_array_append(names, name);
    }
    return names;
}

/* The parts that both layouts have; project, user and expires are borrowed from the answer. */
static void parts_v2(const json_t *body, struct token *t, const json_t **project, const json_t **user,
                     const json_t **expires) {
    const json_t *access = json_object_get(body, "access"), *token = json_object_get(access, "token");
    *project = json_object_get(token, "tenant");
    *user = json_object_get(access, "user");
    *expires = json_object_get(token, "expires");
    t->id = text_at(token, "id");
    t->roles = names_of(json_object_get(*user, "roles"));
    t->catalog = catalog_from_v2(json_object_get(access, "serviceCatalog"));
}

static void parts_v3(const json_t *body, const char *subject, struct token *t, const json_t **project,
                     const json_t **user, const json_t **expires) {
    const json_t *token = json_object_get(body, "token");
    *project = json_object_get(token, "project");
    *user = json_object_get(token, "user");
    *expires = json_object_get(token, "expires_at");
    t->id = mem_copy(subject);
    t->roles = names_of(json_object_get(token, "roles"));
    t->catalog = catalog_from_v3(json_object_get(token, "catalog"));
}

/* A header carries it, so it is visible ASCII. */
static bool is_token_id(const char *id) {
    size_t n = id ? strlen(id) : 0;
    for (size_t i = 0; i < n; i++)
        if (id[i] <= 0x20 || id[i] >= 0x7f) return false;
    return n > 0 && n <= 8192;
}

static int check_token(const struct cloud *c, const struct token *t, const json_t *expires, const char *date,
                       instant_t now, instant_t *end, span_t *skew, struct err *e) {
    struct err wrong = {0};
    int64_t cloud_now;
    if (!is_token_id(t->id)) return err_set(e, ERR_FAILED, "the answer holds no token");
    if (!json_is_string(expires) || token_time_parse(json_string_value(expires), end, &wrong) < 0)
        return err_set(e, ERR_FAILED, "the token has no time at which it ends%s%s",
                       err_is(&wrong) ? ": " : "", wrong.what);
    if (c->scope == CLOUD_PROJECT && c->project_id &&
        (!t->project_id || strcmp(t->project_id, c->project_id) != 0))
        return err_set(e, ERR_FAILED, "the token is for the project %.64s, not for %.64s",
                       t->project_id ? t->project_id : "(none)", c->project_id);
    skew->s = http_date_parse(date, &cloud_now) ? cloud_now - now.s : 0;
    end->s -= skew->s;
    if (end->s > now.s) return 0;
    err_set(e, ERR_FAILED, "the token ended before it came: at %.40s", json_string_value(expires));
    return date ? -1 : err_hint(e, "compare the clocks: this machine says %s", instant_text(now).s);
}

int token_read(const struct cloud *c, int version, const json_t *body, const char *subject, const char *date,
               instant_t now, struct token *out, struct err *e) {
    struct token t = {.version = version};
    const json_t *project, *user, *expires;
    if (version == 2)
        parts_v2(body, &t, &project, &user, &expires);
    else
        parts_v3(body, subject, &t, &project, &user, &expires);
    t.project_id = text_at(project, "id");
    t.project_name = text_at(project, "name");
    t.user_id = text_at(user, "id");
    if (check_token(c, &t, expires, date, now, &t.expires, &t.skew, e) < 0) {
        token_free(&t);
        return -1;
    }
    *out = t;
    return 0;
}
