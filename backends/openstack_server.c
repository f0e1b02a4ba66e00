/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes one server. Before it is made its token is looked up, unless it was never asked for; when
 * the answer to the request is lost it is looked up again. One that ends in ERROR is taken away and seen gone
 * before "refused" is said.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

static void path_of(struct text *path, const char *id) { text_add(path, "/servers/%s", id); }

/* ---- removal ---- */

/* Until the cloud says that it is gone. */
static int delete_seen(struct project *p, const char *id, struct err *e) {
    struct waiting w = wait_for(p->run, p->run->settings.wait_seconds);
    struct text path scoped_text = {0};
    bool gone = false;
    path_of(&path, id);
    if (call_delete(p, "compute", path.s, &gone, e) < 0) return -1;
    if (run_fault("openstack.server-deleted", e) < 0) return -1;
    while (!gone) {
        json_t *answer scoped_json = NULL;
        struct err own = {0};
        if (!wait_next(&w)) return err_set(e, ERR_WAITS, "server %s is being deleted", id);
        if (call_get(p, "compute", path.s, &answer, &own) < 0) continue; /* asked again until the deadline */
        const char *status = member(json_object_get(answer, "server"), "status");
        gone = !answer || (status && strcmp(status, "DELETED") == 0);
    }
    return 0;
}

int server_remove(struct project *p, struct backend_operation *op, struct err *e) {
    const json_t *servers, *server;
    if (inventory_servers(p, &servers, e) < 0) return -1;
    if (p->run->settings.dialect->needs_key_pair) key_forget(p, op->token);
    for (size_t i = 0; (server = inventory_next(servers, op->token, &i));) {
        if (delete_seen(p, member(server, "id"), e) == 0) continue;
        if (e->code == ERR_FAILED) e->code = ERR_RETRY;
        return err_context(e, "server %s", op->name);
    }
    return 0;
}

/* ---- what becomes of it ---- */

/* It never ran, so nothing of the tenant is on it. */
static int broken(struct project *p, struct backend_operation *op, const json_t *server, struct err *e) {
    struct err own = {0};
    if (server_was_up(server))
        return err_set(e, ERR_UNKNOWN, "server %s is in ERROR and was running once: a person must look: %s",
                       op->name, server_fault(server));
    if (delete_seen(p, member(server, "id"), &own) < 0)
        return err_set(e, ERR_UNKNOWN, "server %s failed (%s) and cannot be taken away: %s", op->name,
                       server_fault(server), own.what);
    return err_set(e, ERR_FAILED, "server %s failed: %s", op->name, server_fault(server));
}

/* One that was accepted may not be shown at once. */
enum { ABSENT_MOST = 5 };

static int follow(struct project *p, struct backend_operation *op, const char *id, bool is_new,
                  struct err *e) {
    struct waiting w = wait_for(p->run, p->run->settings.wait_seconds);
    struct text path scoped_text = {0};
    int absent = 0;
    path_of(&path, id);
    if (is_new) (void)wait_next(&w);
    for (;;) {
        json_t *answer scoped_json = NULL;
        struct err own = {0};
        bool asked = call_get(p, "compute", path.s, &answer, &own) == 0;
        const json_t *server = json_object_get(answer, "server");
        absent = asked && !server ? absent + 1 : 0;
        if (absent >= ABSENT_MOST)
            return err_set(e, ERR_UNKNOWN, "server %s is not there any more while it is being made",
                           op->name);
        enum server_progress progress = server ? server_progress(server) : SERVER_AT_WORK;
        if (progress == SERVER_BROKEN) return broken(p, op, server, e);
        if (progress == SERVER_THERE) {
            op->connection = server_connection(p, server);
            return 0;
        }
        if (!wait_next(&w))
            return err_set(e, ERR_WAITS, "server %s is being made%s%s", op->name, asked ? "" : ": ",
                           own.what);
    }
}

/* ---- making ---- */

struct making {
    struct server_parts parts;
    json_t *sizes; /* the project's own, where the cloud's have not what is wanted */
    char **volumes;
    char *key_name, *user_data;
};

static void making_free(struct making *m, size_t n) {
    for (size_t i = 0; m->volumes && i < n; i++) free(m->volumes[i]);
    free(m->volumes);
    free(m->key_name);
    free(m->user_data);
    json_decref(m->sizes);
}

/* The sizes of the run are what the first project was shown: one of this project alone is not among them. */
static const json_t *size_look(struct project *p, const struct backend_operation *op, struct making *m,
                               struct err *e) {
    const struct settings *s = &p->run->settings;
    const json_t *all, *size;
    if (flavors_look(p, &all, e) < 0) return NULL;
    size = size_find(s, all, op->flavor, op->units, &m->parts.setting, e);
    if (size) return size;
    err_clear(e);
    m->sizes = flavors_get(p, e);
    if (!m->sizes) return e->code = ERR_RETRY, NULL;
    return size_find(s, m->sizes, op->flavor, op->units, &m->parts.setting, e);
}

/* The volumes of a grant were made before; one that is not there may come. */
static int volumes_find(struct project *p, const struct backend_operation *op, struct making *m,
                        struct err *e) {
    if (p->run->settings.storage == STORAGE_NAS) return 0;
    m->volumes = mem_alloc(op->n_disks * sizeof *m->volumes);
    for (size_t i = 0; i < op->n_disks; i++) {
        m->volumes[i] = inventory_volume_id(p, op->disks[i].token, e);
        if (!m->volumes[i]) return -1;
    }
    m->parts.volumes = (const char *const *)m->volumes;
    return 0;
}

static int parts_find(struct project *p, const struct backend_operation *op, struct making *m,
                      struct err *e) {
    const json_t *size = size_look(p, op, m, e);
    if (!size || image_look(p, &m->parts.image, e) < 0 || volumes_find(p, op, m, e) < 0 ||
        network_ensure(p, op, e) < 0 || key_user_data(&p->run->settings, op, &m->user_data, e) < 0)
        return -1;
    if (p->run->settings.dialect->needs_key_pair && key_make(p, op, &m->key_name, e) < 0) return -1;
    m->parts.size = member(size, "id");
    m->parts.network = p->network;
    m->parts.group = p->group;
    m->parts.key_name = m->key_name;
    m->parts.user_data = m->user_data;
    return 0;
}

/* The id of the server that was asked for. */
static char *post(struct project *p, const struct backend_operation *op, const struct making *m,
                  struct err *e) {
    json_t *body scoped_json = server_body(p->run, op, &m->parts), *answer scoped_json = NULL;
    struct err lost = {0};
    int rc = call_post(p, "compute", "/servers", body, &answer, &lost);
    if (rc == 0) rc = run_fault("openstack.server-posted", &lost);
    const char *id = rc == 0 ? member(json_object_get(answer, "server"), "id") : NULL;
    if (id) return mem_copy(id);
    if (rc < 0 && lost.code != ERR_UNKNOWN) return *e = lost, NULL;
    json_t *server scoped_json = inventory_await(p, &p->run->settings.dialect->servers, op->token, e);
    if (!server && lost.what[0]) err_context(e, "%s", lost.what);
    return mem_copy(member(server, "id"));
}

int server_ensure(struct project *p, struct backend_operation *op, struct err *e) {
    struct making m = {.volumes = NULL};
    if (!op->fresh) {
        const json_t *servers;
        if (inventory_servers(p, &servers, e) < 0) return -1;
        const json_t *server = inventory_staying(servers, op->token);
        if (server) return follow(p, op, member(server, "id"), false, e);
    }
    char *id = parts_find(p, op, &m, e) == 0 ? post(p, op, &m, e) : NULL;
    if (m.key_name) key_release(p, m.key_name);
    making_free(&m, op->n_disks);
    int rc = id ? follow(p, op, id, true, e) : -1;
    free(id);
    return rc;
}
