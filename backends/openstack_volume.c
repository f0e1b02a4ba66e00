/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes one volume, of block storage or of files. It is never made smaller or larger, and one
 * that a server uses is never removed.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

static const char *status_of(const json_t *volume) {
    const char *status = member(volume, "status");
    return status ? status : "unknown";
}

const struct volume_means *volume_means(const struct run *run) {
    return run->settings.storage == STORAGE_NAS ? &volume_files : &volume_block;
}

const struct listing *volume_listing(const struct run *run) {
    const struct dialect *d = run->settings.dialect;
    return run->settings.storage == STORAGE_NAS ? &d->files : &d->volumes;
}

static int volume_get(struct project *p, const char *id, json_t **out, struct err *e) {
    const struct volume_means *m = volume_means(p->run);
    struct text path scoped_text = {0};
    json_t *answer scoped_json = NULL;
    text_add(&path, "%s/%s", m->path, id);
    int rc = call_get(p, m->service, path.s, &answer, e);
    *out = json_incref(json_object_get(answer, "volume"));
    return rc;
}

/* ---- removal ---- */

static int delete_seen(struct project *p, const char *id, struct err *e) {
    const struct volume_means *m = volume_means(p->run);
    struct waiting w = wait_for(p->run, p->run->settings.wait_seconds);
    struct text path scoped_text = {0};
    bool gone = false;
    text_add(&path, "%s/%s", m->path, id);
    if (call_delete(p, m->service, path.s, &gone, e) < 0) return -1;
    if (run_fault("openstack.volume-deleted", e) < 0) return -1;
    while (!gone) {
        json_t *volume scoped_json = NULL;
        struct err own = {0};
        if (!wait_next(&w)) return err_set(e, ERR_WAITS, "volume %s is being deleted", id);
        if (volume_get(p, id, &volume, &own) < 0) continue;
        gone = volume == NULL;
        if (volume && strstr(status_of(volume), "error_deleting"))
            return err_set(e, ERR_RETRY, "volume %s refuses to be deleted: %s", id, status_of(volume));
    }
    return 0;
}

enum { DETACH_SECONDS = 15 };

/* The server that used it may have gone just now. */
static int detached(struct project *p, const char *id, bool *gone, struct err *e) {
    const struct volume_means *m = volume_means(p->run);
    struct waiting w = wait_for(p->run, DETACH_SECONDS);
    for (;;) {
        json_t *volume scoped_json = NULL;
        if (volume_get(p, id, &volume, e) < 0) return -1;
        *gone = volume == NULL;
        const char *by = *gone ? NULL : m->in_use(volume);
        if (!by) return 0;
        if (!wait_next(&w))
            return err_set(e, ERR_RETRY, "volume %s is %s: it is attached to %s", id, status_of(volume), by);
    }
}

int volume_remove(struct project *p, struct backend_operation *op, struct err *e) {
    const json_t *volumes, *volume;
    if (inventory_volumes(p, &volumes, e) < 0) return -1;
    for (size_t i = 0; (volume = inventory_next(volumes, op->token, &i));) {
        const char *id = member(volume, "id");
        bool gone;
        if (detached(p, id, &gone, e) == 0 && (gone || delete_seen(p, id, e) == 0)) continue;
        if (e->code == ERR_FAILED) e->code = ERR_RETRY;
        return err_context(e, "volume %s", op->name);
    }
    return 0;
}

/* ---- making ---- */

/* One from before may hold data: it is not ours to take away. */
static int broken(struct project *p, struct backend_operation *op, const json_t *volume, const char *word,
                  bool is_new, struct err *e) {
    struct err own = {0};
    if (!is_new) {
        err_set(e, ERR_UNKNOWN, "volume %s is \"%s\" and may hold data: a person must look", op->name, word);
        return err_hint(e, "openstack volume show %s", member(volume, "id"));
    }
    if (delete_seen(p, member(volume, "id"), &own) < 0)
        return err_set(e, ERR_UNKNOWN, "volume %s failed (%s) and cannot be taken away: %s", op->name, word,
                       own.what);
    return err_set(e, ERR_FAILED, "volume %s failed: the cloud says \"%s\"", op->name, word);
}

static json_t *connection_of(const struct project *p, const json_t *volume) {
    json_t *connection = json_pack("{s:s, s:s?, s:s?}", "host", p->host->name, "id", member(volume, "id"),
                                   "name", member(volume, "name"));
    volume_means(p->run)->connect(volume, connection);
    return connection;
}

static int follow(struct project *p, struct backend_operation *op, const char *id, bool is_new,
                  struct err *e) {
    const struct volume_means *m = volume_means(p->run);
    struct waiting w = wait_for(p->run, p->run->settings.wait_seconds);
    if (is_new) (void)wait_next(&w);
    for (;;) {
        json_t *volume scoped_json = NULL;
        struct err own = {0};
        bool asked = volume_get(p, id, &volume, &own) == 0;
        if (asked && !volume)
            return err_set(e, ERR_UNKNOWN, "volume %s is not there any more while it is being made",
                           op->name);
        const char *word = asked ? m->trouble(volume) : "wait";
        if (!*word) {
            inventory_volume_made(p, op->token, id);
            op->connection = connection_of(p, volume);
            return 0;
        }
        if (strcmp(word, "wait") != 0) return broken(p, op, volume, word, is_new, e);
        if (!wait_next(&w))
            return err_set(e, ERR_WAITS, "volume %s is being made%s%s", op->name, asked ? "" : ": ",
                           own.what);
    }
}

static char *post(struct project *p, const struct backend_operation *op, const json_t *body, struct err *e) {
    const struct volume_means *m = volume_means(p->run);
    json_t *answer scoped_json = NULL;
    struct err lost = {0};
    int rc = call_post(p, m->service, m->path, body, &answer, &lost);
    if (rc == 0) rc = run_fault("openstack.volume-posted", &lost);
    const char *id = rc == 0 ? member(json_object_get(answer, "volume"), "id") : NULL;
    if (id) return mem_copy(id);
    if (rc < 0 && lost.code != ERR_UNKNOWN) return *e = lost, NULL;
    json_t *volume scoped_json = inventory_await(p, volume_listing(p->run), op->token, e);
    if (!volume && lost.what[0]) err_context(e, "%s", lost.what);
    return mem_copy(member(volume, "id"));
}

/* It is there by its token. */
static int again(struct project *p, struct backend_operation *op, const json_t *volume, struct err *e) {
    bytes_t has = volume_means(p->run)->size(volume);
    if (has.n != op->bytes.n)
        return err_set(e, ERR_FAILED, "volume %s has %s, and %s are wanted", op->name, bytes_text(has).s,
                       bytes_text(op->bytes).s);
    return follow(p, op, member(volume, "id"), false, e);
}

int volume_ensure(struct project *p, struct backend_operation *op, struct err *e) {
    json_t *body scoped_json = NULL;
    if (!op->fresh) {
        const json_t *volumes;
        if (inventory_volumes(p, &volumes, e) < 0) return -1;
        const json_t *volume = inventory_staying(volumes, op->token);
        if (volume) return again(p, op, volume, e);
    }
    if (volume_means(p->run)->body(p, op, &body, e) < 0) return -1;
    char *id = post(p, op, body, e);
    int rc = id ? follow(p, op, id, true, e) : -1;
    free(id);
    return rc;
}
