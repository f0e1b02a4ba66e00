/* SPDX-License-Identifier: Apache-2.0 */
/* The libvirt backend: its verbs. What each does at one host happens in a child (backends/libvirt.h). */
#include "backends/libvirt.h"

#include <string.h>

static int hosts_check(const struct backend_pool *pool, struct err *e) {
    for (size_t i = 0; i < pool->n_hosts; i++) {
        const char *uri = pool->hosts[i].uri, *colon = strstr(uri, ":///");
        if (!colon) colon = strstr(uri, "://");
        if (!colon || colon == uri) {
            err_set(e, ERR_USAGE, "pool %s: host %s: \"%s\" is not a libvirt URI", pool->name,
                    pool->hosts[i].name, uri);
            return err_hint(e,
                            "like qemu:///system, qemu+unix:///system?socket=PATH or qemu+tls://NAME/system");
        }
        for (size_t k = 0; k < i; k++)
            if (strcmp(pool->hosts[k].name, pool->hosts[i].name) == 0)
                return err_set(e, ERR_USAGE, "pool %s: host %s stands twice", pool->name,
                               pool->hosts[i].name);
    }
    return 0;
}

static int libvirt_check(const struct backend_pool *pool, unsigned *capabilities, struct err *e) {
    *capabilities = BACKEND_HAS_SLOTS;
    struct settings s;
    int rc = settings_read(pool, &s, e);
    if (rc == 0) rc = hosts_check(pool, e);
    settings_drop(&s);
    return rc;
}

/* ---- the work of the children ---- */

static int child_ensure(struct host *h, struct backend_operation *ops, size_t n, struct err *e) {
    if (storage_open(h, e) < 0) return -1;
    bool volumes = h->settings->image != NULL;
    for (size_t i = 0; i < n; i++) volumes |= ops[i].kind == BACKEND_VOLUME;
    if (inventory_take(h, volumes, e) < 0) return -1;
    child_operations(h, ops, n, BACKEND_VOLUME, volume_ensure);
    child_operations(h, ops, n, BACKEND_SERVER, server_ensure);
    return 0;
}

static int child_remove(struct host *h, struct backend_operation *ops, size_t n, struct err *e) {
    if (storage_open(h, e) < 0 || inventory_take(h, false, e) < 0) return -1;
    child_operations(h, ops, n, BACKEND_SERVER, server_remove);
    child_operations(h, ops, n, BACKEND_VOLUME, volume_remove);
    return 0;
}

static void line_host(struct host *h) {
    if (h->storage)
        host_line(h, json_pack("{s:I, s:I}", "capacity", (json_int_t)h->storage_capacity.n, "free",
                               (json_int_t)h->storage_free.n));
}

static void line_seen(struct host *h, const char *token, enum backend_kind kind, const char *name,
                      enum backend_state state, const struct held_volume *v, const struct held_domain *d) {
    json_t *seen = json_pack("{s:s?, s:i, s:s, s:i}", "token", token, "kind", (int)kind, "name", name,
                             "state", (int)state);
    if (v) {
        json_object_set_new(seen, "bytes", json_integer(v->capacity.n));
        json_object_set_new(seen, "allocated", json_integer(v->allocation.n));
    }
    if (d) {
        json_object_set(seen, "created", json_object_get(d->meta, "created"));
        json_object_set_new(seen, "connection", inventory_connection(h, d, NULL));
    }
    host_line(h, json_pack("{s:o}", "seen", seen));
}

/* A root disk or a seed whose domain is gone: what is left of a server that was cut off. */
static bool is_leftover(const struct host *h, const struct held_volume *v) {
    if (v->role == ROLE_DATA || !v->token || inventory_domain(h, v->token)) return false;
    const struct held_volume *root = inventory_volume(h, v->token, ROLE_ROOT);
    return v->role == ROLE_ROOT || !root; /* once for each server */
}

static int child_observe(struct host *h, struct backend_operation *ops, size_t n, struct err *e) {
    (void)ops, (void)n;
    if (storage_open(h, e) < 0 || inventory_take(h, true, e) < 0) return -1;
    line_host(h);
    for (size_t i = 0; i < h->n_domains; i++) {
        const struct held_domain *d = &h->domains[i];
        line_seen(h, d->token, BACKEND_SERVER, d->name, inventory_state(d), NULL, d);
    }
    for (size_t i = 0; i < h->n_volumes; i++) {
        const struct held_volume *v = &h->volumes[i];
        if (v->role == ROLE_DATA || !v->token)
            line_seen(h, v->token, BACKEND_VOLUME, v->name, SEEN_PRESENT, v, NULL);
        else if (is_leftover(h, v))
            line_seen(h, v->token, BACKEND_SERVER, v->name, SEEN_FAILED, NULL, NULL);
    }
    return 0;
}

static int child_sync(struct host *h, struct backend_operation *ops, size_t n, struct err *e) {
    (void)ops, (void)n;
    if (storage_open(h, e) < 0) return -1;
    line_host(h);
    return devices_report(h, e);
}

/* ---- the verbs ---- */

typedef int child_run(struct host *, struct backend_operation *, size_t, struct err *);

static int operations(const struct backend_pool *pool, child_run *run, struct backend_operation *ops,
                      size_t n, struct err *e) {
    struct settings s;
    int rc = settings_read(pool, &s, e);
    const struct work work = {.run = run, .pool = pool, .settings = &s};
    if (rc == 0) rc = parent_operations(&work, ops, n, e);
    settings_drop(&s);
    return rc;
}

static int view(const struct backend_pool *pool, child_run *run, struct backend_view *out, struct err *e) {
    struct settings s;
    int rc = settings_read(pool, &s, e);
    const struct work work = {.run = run, .pool = pool, .settings = &s};
    if (rc == 0) rc = parent_view(&work, out, e);
    settings_drop(&s);
    return rc;
}

static int libvirt_ensure(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                          struct err *e) {
    return operations(pool, child_ensure, ops, n, e);
}

static int libvirt_remove(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                          struct err *e) {
    return operations(pool, child_remove, ops, n, e);
}

static int libvirt_observe(const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    return view(pool, child_observe, out, e);
}

static int libvirt_sync(const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    return view(pool, child_sync, out, e);
}

__attribute__((visibility("default"))) extern const struct backend allot_backend;
const struct backend allot_backend = {
    .build_id = BACKEND_BUILD_ID,
    .name = "libvirt",
    .batch = 48,
    .check = libvirt_check,
    .sync = libvirt_sync,
    .ensure = libvirt_ensure,
    .observe = libvirt_observe,
    .remove = libvirt_remove,
};
