/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

const char *ours_token(const json_t *thing) {
    return member(json_object_get(thing, "metadata"), "allot_token");
}

/* At most 255 characters, and none beyond U+FFFF: the columns of some clouds' MySQL hold three bytes each. */
static json_t *metadata_text(const char *text) {
    struct text t = {0};
    int n = 0;
    for (const char *at = text; *at && n < 255; n++) {
        unsigned char c = (unsigned char)*at;
        size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        text_put(&t, length == 4 ? "?" : at, length == 4 ? 1 : length);
        at += length;
    }
    json_t *value = json_string(t.s ? t.s : "");
    text_free(&t);
    return value;
}

json_t *ours_metadata(const struct run *run, const struct backend_operation *op) {
    return json_pack("{s:s, s:s, s:o, s:o}", "allot_token", op->token, "allot_store", run->pool->store_id,
                     "allot_tenant", metadata_text(op->tenant), "allot_grant", metadata_text(op->grant));
}

void ours_owner(const json_t *thing, json_t *connection) {
    const json_t *meta = json_object_get(thing, "metadata");
    json_t *tenant = json_object_get(meta, "allot_tenant"), *grant = json_object_get(meta, "allot_grant");
    if (tenant) json_object_set(connection, "tenant", tenant);
    if (grant) json_object_set(connection, "grant", grant);
}

bool ours_is_going(const json_t *thing) {
    static const char *const words[] = {"deleting", "soft-deleting", "DELETED", "SOFT_DELETED", NULL};
    const char *status = member(thing, "status"), *task = member(thing, "OS-EXT-STS:task_state");
    for (size_t i = 0; words[i]; i++)
        if ((status && strcmp(status, words[i]) == 0) || (task && strcmp(task, words[i]) == 0)) return true;
    return false;
}

/* ---- what is there ---- */

static int keep_ours(void *arg, const json_t *thing, struct err *e) {
    (void)e;
    if (ours_token(thing)) json_array_append(arg, (json_t *)thing);
    return 0;
}

static int inventory(struct project *p, const struct listing *l, json_t **held, const json_t **out,
                     struct err *e) {
    int rc = 0;
    pthread_mutex_lock(&p->lock);
    if (!*held) {
        json_t *list = json_array();
        rc = list_each(p, l, NULL, keep_ours, list, e);
        if (rc == 0)
            *held = list;
        else
            json_decref(list);
    }
    pthread_mutex_unlock(&p->lock);
    *out = *held;
    if (rc < 0) e->code = ERR_RETRY;
    return rc;
}

int inventory_servers(struct project *p, const json_t **out, struct err *e) {
    return inventory(p, &p->run->settings.dialect->servers, &p->servers, out, e);
}

int inventory_volumes(struct project *p, const json_t **out, struct err *e) {
    return inventory(p, volume_listing(p->run), &p->volumes, out, e);
}

const json_t *inventory_next(const json_t *list, const char *token, size_t *i) {
    while (*i < json_array_size(list)) {
        const json_t *thing = json_array_get(list, (*i)++);
        const char *has = ours_token(thing);
        if (has && strcmp(has, token) == 0) return thing;
    }
    return NULL;
}

const json_t *inventory_staying(const json_t *list, const char *token) {
    const json_t *thing;
    size_t i = 0;
    while ((thing = inventory_next(list, token, &i)) && ours_is_going(thing)) continue;
    return thing;
}

char *inventory_volume_id(struct project *p, const char *token, struct err *e) {
    pthread_mutex_lock(&p->lock);
    char *id = mem_copy(member(p->made, token));
    pthread_mutex_unlock(&p->lock);
    if (id) return id;
    const json_t *volumes;
    if (inventory_volumes(p, &volumes, e) < 0) return NULL;
    const json_t *volume = inventory_staying(volumes, token);
    if (!volume)
        return err_set(e, ERR_RETRY, "its volume %s is not in project %s", token, p->host->name), NULL;
    const char *trouble = volume_means(p->run)->trouble(volume);
    if (*trouble)
        return err_set(e, ERR_RETRY, "its volume %s is not ready: %s", token,
                       strcmp(trouble, "wait") == 0 ? "it is being made" : trouble),
               NULL;
    return mem_copy(member(volume, "id"));
}

void inventory_volume_made(struct project *p, const char *token, const char *id) {
    pthread_mutex_lock(&p->lock);
    if (!p->made) p->made = json_object();
    json_object_set_new(p->made, token, json_string(id));
    pthread_mutex_unlock(&p->lock);
}

struct awaiting {
    const char *token;
    json_t *found;
};

static int await_one(void *arg, const json_t *thing, struct err *e) {
    (void)e;
    struct awaiting *a = arg;
    const char *token = ours_token(thing);
    if (!a->found && token && strcmp(token, a->token) == 0 && !ours_is_going(thing))
        a->found = json_incref((json_t *)thing);
    return 0;
}

enum { AWAIT_SECONDS = 10 };

json_t *inventory_await(struct project *p, const struct listing *l, const char *token, struct err *e) {
    struct waiting w = wait_for(p->run, AWAIT_SECONDS);
    struct awaiting a = {.token = token};
    struct err own = {0};
    do {
        err_clear(&own);
        if (list_each(p, l, NULL, await_one, &a, &own) < 0) break;
    } while (!a.found && wait_next(&w));
    if (a.found) return a.found;
    return err_set(e, ERR_UNKNOWN, "the answer was lost and %s is not seen in project %s%s%s", token,
                   p->host->name, err_is(&own) ? ": " : "", own.what),
           NULL;
}
