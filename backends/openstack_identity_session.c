/* SPDX-License-Identifier: Apache-2.0 */
/* One user in one scope: its token, and calls that carry it. */
#include "backends/openstack_identity.h"

#include "alloc/text.h"
#include "backends/openstack_catalog.h"
#include "backends/openstack_identity_token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct session {
    struct identity *identity;
    const struct cloud *cloud;
    pthread_mutex_t lock; /* token: who holds it may ask for a new one, the others wait for that */
    struct token token;
    json_t *overrides; /* addresses from the settings, as a catalog */
};

struct session *session_open(struct identity *identity, const struct cloud *cloud, struct err *e) {
    if (cloud->identity_version == 2 && !token_can_ask(cloud, 2)) {
        err_set(
            e, ERR_USAGE,
            "cloud %.64s: version 2.0 of the identity API knows neither domains, the system nor application "
            "credentials",
            cloud->name);
        err_hint(e, "identity_api_version: 3");
        return NULL;
    }
    struct session *s = mem_alloc(sizeof *s);
    const char *type;
    json_t *url;
    s->identity = identity;
    s->cloud = cloud;
    s->overrides = json_array();
    json_object_foreach(cloud->endpoints, type, url)
        json_array_append_new(s->overrides, json_pack("{s:s, s:O}", "type", type, "url", url));
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void session_close(struct session *s) {
    if (!s) return;
    pthread_mutex_destroy(&s->lock);
    token_free(&s->token);
    json_decref(s->overrides);
    free(s);
}

/* ---- its token ---- */

/* Another process may have renewed it: the cache is looked at first. A token equal to `refused` is of no use.
 */
static int token_get(struct session *s, const char *refused, int64_t deadline, struct err *e) {
    const instant_t now = clock_now();
    if (token_is_good(&s->token, now) && !text_same(s->token.id, refused)) return 0;
    struct token fresh = {0};
    if (token_load(identity_folder(s->identity), token_key(s->cloud), now, &fresh) &&
        text_same(fresh.id, refused))
        token_free(&fresh);
    if (!fresh.id && identity_ask(s->identity, s->cloud, deadline, &fresh, e) < 0) return -1;
    token_free(&s->token);
    s->token = fresh;
    return 0;
}

int session_ready(struct session *s, int64_t deadline, struct err *e) {
    pthread_mutex_lock(&s->lock);
    int rc = token_get(s, NULL, deadline, e);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static const char *address(const struct session *s, const char *service, struct err *e) {
    const struct cloud *c = s->cloud;
    struct err none = {0};
    const char *url = catalog_find(s->overrides, service, NULL, NULL, &none);
    if (!url) url = catalog_find(s->token.catalog, service, c->region_name, c->interface, e);
    if (!url) err_context(e, "cloud %.64s", c->name);
    return url;
}

/* A token that is good and not `refused`, and the address of the service; the caller frees both. */
static int way_to(struct session *s, const char *service, const char *refused, int64_t deadline, char **token,
                  struct text *url, struct err *e) {
    pthread_mutex_lock(&s->lock);
    int rc = token_get(s, refused, deadline, e);
    if (rc < 0 && e->code != ERR_RETRY) e->code = ERR_RETRY; /* it says nothing about the thing asked for */
    const char *base = rc == 0 ? address(s, service, e) : NULL;
    if (base) {
        size_t n = strlen(base);
        while (n && base[n - 1] == '/') n--;
        *token = mem_copy(s->token.id);
        text_put(url, base, n);
    }
    pthread_mutex_unlock(&s->lock);
    return base ? 0 : -1;
}

char *session_endpoint(struct session *s, const char *service, int64_t deadline, struct err *e) {
    scoped_free char *token = NULL;
    struct text url = {0};
    return way_to(s, service, NULL, deadline, &token, &url, e) < 0 ? NULL : text_take(&url);
}

/* ---- calls ---- */

static int call_once(struct session *s, const char *service, const char *refused,
                     const struct http_request *request, char **token, struct http_answer *answer,
                     struct err *e) {
    scoped_text struct text url = {0};
    if (way_to(s, service, refused, request->deadline, token, &url, e) < 0) return -1;
    scoped_free struct http_header *headers = mem_alloc((request->n_headers + 1) * sizeof *headers);
    for (size_t i = 0; i < request->n_headers; i++) headers[i] = request->headers[i];
    headers[request->n_headers] = (struct http_header){"X-Auth-Token", *token, true};
    text_add(&url, "%s", request->url);
    struct http_request full = *request;
    full.url = url.s;
    full.headers = headers;
    full.n_headers++;
    return http_call(identity_http(s->identity), &full, answer, e);
}

int session_call(struct session *s, const char *service, const struct http_request *request,
                 struct http_answer *answer, struct err *e) {
    scoped_free char *token = NULL, *second = NULL;
    struct err first = {0};
    *answer = (struct http_answer){0};
    if (*request->url && *request->url != '/' && *request->url != '?')
        return err_set(e, ERR_USAGE, "\"%.200s\" does not begin with / or ?", request->url);
    int rc = call_once(s, service, NULL, request, &token, answer, &first);
    if (rc < 0 && answer->status == 401) {
        const bool maybe_done = first.code == ERR_UNKNOWN;
        err_clear(&first);
        http_answer_free(answer);
        rc = call_once(s, service, token, request, &second, answer, &first);
        if (rc < 0 && answer->status == 401) first.code = ERR_RETRY;
        if (rc < 0 && maybe_done) first.code = ERR_UNKNOWN;
        if (rc < 0 && answer->status == 401) err_context(&first, "a fresh token is refused too");
    }
    if (rc == 0) return 0;
    err_set(e, first.code, "%s", first.what);
    return err_hint(e, "%s", first.hint);
}

/* ---- what it is ---- */

int session_look(struct session *s, int64_t deadline, struct session_facts *out, struct err *e) {
    *out = (struct session_facts){0};
    pthread_mutex_lock(&s->lock);
    int rc = token_get(s, NULL, deadline, e);
    const struct token *t = &s->token;
    if (rc == 0)
        *out = (struct session_facts){
            .version = t->version,
            .from_cache = t->from_cache,
            .project_id = mem_copy(t->project_id),
            .project_name = mem_copy(t->project_name),
            .user_id = mem_copy(t->user_id),
            .roles = json_deep_copy(t->roles),
            .catalog = json_deep_copy(t->catalog),
            .expires = t->expires,
            .skew = t->skew,
        };
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void session_facts_free(struct session_facts *facts) {
    free(facts->project_id);
    free(facts->project_name);
    free(facts->user_id);
    json_decref(facts->roles);
    json_decref(facts->catalog);
    *facts = (struct session_facts){0};
}
