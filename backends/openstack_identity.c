/* SPDX-License-Identifier: Apache-2.0 */
/* Which versions an identity service speaks, and asking it for tokens. */
#include "backends/openstack_identity.h"

#include "alloc/log.h"
#include "alloc/text.h"
#include "backends/openstack_identity_token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct identity {
    struct http_client *http;
    char *folder; /* of the cache; NULL: none */
    pthread_mutex_t lock;
    json_t *listed; /* root -> ["v3.14", ...]: what GET / said */
    json_t *spoken; /* root -> 2 or 3: what gave a token */
};

struct identity *identity_open(struct http_client *http, const char *cache_folder) {
    struct identity *i = mem_alloc(sizeof *i);
    i->http = http;
    i->folder = mem_copy(cache_folder);
    i->listed = json_object();
    i->spoken = json_object();
    pthread_mutex_init(&i->lock, NULL);
    return i;
}

void identity_close(struct identity *identity) {
    if (!identity) return;
    pthread_mutex_destroy(&identity->lock);
    json_decref(identity->listed);
    json_decref(identity->spoken);
    free(identity->folder);
    free(identity);
}

struct http_client *identity_http(const struct identity *identity) {
    return identity->http;
}
const char *identity_folder(const struct identity *identity) { return identity->folder; }

/* ---- versions ---- */

/* 2 for ".../v2.0", 3 for ".../v3"; 0: none at its end. *n: the length without it and without "/". */
static int split_version(const char *url, size_t *n) {
    static const struct {
        const char *end;
        int version;
    } ends[] = {{"/v3", 3}, {"/v2.0", 2}, {"/v2", 2}};
    *n = strlen(url);
    while (*n && url[*n - 1] == '/') --*n;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n_end = strlen(ends[i].end);
        if (*n <= n_end || memcmp(url + *n - n_end, ends[i].end, n_end) != 0) continue;
        *n -= n_end;
        while (*n && url[*n - 1] == '/') --*n;
        return ends[i].version;
    }
    return 0;
}

char *identity_root(const char *auth_url) {
    struct text root = {0};
    size_t n;
    split_version(auth_url, &n);
    text_put(&root, auth_url, n);
    return text_take(&root);
}

/* {"versions": {"values": [{"id"}]}}, {"versions": [{"id"}]} or {"version": {"id"}}: their ids. */
static json_t *version_ids(const json_t *document) {
    json_t *ids = json_array(), *one;
    const json_t *list = json_object_get(document, "versions");
    size_t i;
    if (json_is_object(list)) list = json_object_get(list, "values");
    json_array_foreach(list, i, one) {
        if (json_is_string(json_object_get(one, "id"))) json_array_append(ids, json_object_get(one, "id"));
    }
    one = json_object_get(json_object_get(document, "version"), "id");
    if (json_is_string(one)) json_array_append(ids, one);
    return ids;
}

static json_t *versions_at(struct identity *identity, const char *root, int64_t deadline, struct err *e) {
    pthread_mutex_lock(&identity->lock);
    json_t *ids = json_incref(json_object_get(identity->listed, root));
    pthread_mutex_unlock(&identity->lock);
    if (ids) return ids;
    struct text url = {0};
    struct http_answer answer;
    text_add(&url, "%s/", root);
    const struct http_request request = {
        .method = HTTP_GET, .url = url.s, .deadline = deadline, .needs_json = true, .answer_most = 1 << 20};
    if (http_call(identity->http, &request, &answer, e) == 0) {
        ids = version_ids(answer.json);
        pthread_mutex_lock(&identity->lock);
        json_object_set(identity->listed, root, ids);
        pthread_mutex_unlock(&identity->lock);
    }
    http_answer_free(&answer);
    text_free(&url);
    return ids;
}

json_t *identity_versions(struct identity *identity, const struct cloud *cloud, int64_t deadline,
                          struct err *e) {
    scoped_free char *root = identity_root(cloud->auth_url);
    return versions_at(identity, root, deadline, e);
}

static bool lists(const json_t *ids, int version) {
    size_t i;
    json_t *id;
    json_array_foreach(ids, i, id) {
        const char *s = json_string_value(id);
        if (s[0] == 'v' && s[1] == '0' + version && (s[2] == '\0' || s[2] == '.')) return true;
    }
    return false;
}

/* ---- one try in one version ---- */

static int ask_in(struct identity *identity, const struct cloud *c, const char *root, int version,
                  int64_t deadline, struct token *out, int *status, struct err *e) {
    struct text url = {0};
    struct http_answer a;
    scoped_json json_t *body = token_request(c, version);
    text_add(&url, "%s%s", root, version == 2 ? "/v2.0/tokens" : "/v3/auth/tokens");
    const struct http_request request = {
        .method = HTTP_POST,
        .url = url.s,
        .json = body,
        .secret = c->auth == CLOUD_PASSWORD ? c->password : c->credential_secret,
        .is_repeatable = true,
        .needs_json = true,
        .deadline = deadline,
    };
    int rc = http_call(identity->http, &request, &a, e);
    *status = a.status;
    if (rc == 0) {
        rc = token_read(c, version, a.json, http_answer_header(&a, "x-subject-token"),
                        http_answer_header(&a, "date"), clock_now(), out, e);
        if (rc < 0) err_context(e, "POST %.300s", url.s);
    } else if (e->code == ERR_UNKNOWN) {
        e->code = ERR_RETRY; /* a token that nobody has does nothing */
    }
    http_answer_free(&a);
    text_free(&url);
    return rc;
}

/* ---- which version ---- */

static int preferred(struct identity *identity, const struct cloud *c, const char *root, int64_t deadline) {
    struct err ignored = {0};
    size_t n;
    pthread_mutex_lock(&identity->lock);
    int version = (int)json_integer_value(json_object_get(identity->spoken, root));
    pthread_mutex_unlock(&identity->lock);
    if (version && token_can_ask(c, version)) return version;
    if (!token_can_ask(c, 2)) return 3;
    if (c->identity_version) return c->identity_version;
    if ((version = split_version(c->auth_url, &n))) return version;
    scoped_json json_t *ids = versions_at(identity, root, deadline, &ignored);
    return ids && lists(ids, 2) && !lists(ids, 3) ? 2 : 3;
}

static void remember(struct identity *identity, const char *root, int version) {
    pthread_mutex_lock(&identity->lock);
    json_object_set_new(identity->spoken, root, json_integer(version));
    pthread_mutex_unlock(&identity->lock);
}

/* May the other version be there? What cannot be listed is not denied. */
static bool may_speak(struct identity *identity, const char *root, int version, int64_t deadline) {
    struct err ignored = {0};
    scoped_json json_t *ids = versions_at(identity, root, deadline, &ignored);
    return !ids || json_array_size(ids) == 0 || lists(ids, version);
}

static int ask(struct identity *identity, const struct cloud *c, int64_t deadline, struct token *out,
               struct err *e) {
    scoped_free char *root = identity_root(c->auth_url);
    struct err first = {0};
    int status, version = preferred(identity, c, root, deadline), other = 5 - version;
    if (ask_in(identity, c, root, version, deadline, out, &status, &first) == 0) {
        remember(identity, root, version);
        return 0;
    }
    if ((status != 401 && status != 404) || !token_can_ask(c, other) ||
        !may_speak(identity, root, other, deadline)) {
        err_set(e, first.code, "%s", first.what);
        return err_hint(e, "%s", status == 401 ? "check user, password and project" : first.hint);
    }
    if (ask_in(identity, c, root, other, deadline, out, &status, e) < 0) {
        err_context(e, "%s; then", first.what);
        return err_hint(e, "check user, password and project");
    }
    log_event(LOG_AT_INFO, "identity.version",
              json_pack("{s:s, s:s, s:i, s:i, s:s}", "cloud", c->name, "identity", root, "tried", version,
                        "spoken", other, "error", first.what));
    remember(identity, root, other);
    return 0;
}

int identity_ask(struct identity *identity, const struct cloud *cloud, int64_t deadline, struct token *out,
                 struct err *e) {
    if (ask(identity, cloud, deadline, out, e) < 0) return err_context(e, "cloud %.64s", cloud->name);
    if (out->skew.s > 300 || out->skew.s < -300)
        log_event(LOG_AT_INFO, "identity.skew",
                  json_pack("{s:s, s:I}", "cloud", cloud->name, "seconds", (json_int_t)out->skew.s));
    token_save(identity->folder, token_key(cloud), out);
    return 0;
}
