/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes one server. Order when it is made: root disk, seed, network, definition, start. A
 * refusal takes back what was made before it, so that "refused" means that nothing is left; when that
 * fails too the answer is "unknown" and observe shows what stands.
 */
#include "backends/libvirt.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

struct making {
    struct domain_plan plan;
    char root[256], seed[256]; /* file names; "" while not made */
    char *network;
    virDomainPtr domain;
};

static char *path_of(const struct host *h, const char *file) {
    struct text t = {0};
    text_add(&t, "%s/%s", h->storage_path, file);
    return text_take(&t);
}

/* ---- what stands in the way ---- */

static int name_free(struct host *h, const struct backend_operation *op, struct err *e) {
    const struct held_domain *d = inventory_domain_named(h, op->name);
    if (!d) return 0;
    return err_set(e, ERR_FAILED, "the name %s is used on host %s by %s%s", op->name, h->named->name,
                   d->token ? "" : "a domain without our metadata", d->token ? d->token : "");
}

static int device_free(struct host *h, const char *address, struct err *e) {
    for (size_t i = 0; i < h->n_domains; i++) {
        const struct held_domain *d = &h->domains[i];
        size_t k;
        json_t *device;
        if (d->gone) continue;
        json_array_foreach(json_object_get(d->meta, "devices"), k, device) {
            const char *used = json_string_value(device);
            if (used && strcmp(used, address) == 0)
                return err_set(e, ERR_FAILED, "device %s of host %s is used by %s (%s)", address,
                               h->named->name, d->name, d->token);
        }
    }
    return 0;
}

static int devices_free(struct host *h, const struct backend_operation *op, struct err *e) {
    for (size_t i = 0; i < op->n_slots; i++)
        if (*op->slots[i].address && device_free(h, op->slots[i].address, e) < 0) return -1;
    return 0;
}

/* The volumes of a grant were made before; one that is not there may come. */
static int disks_find(struct host *h, const struct backend_operation *op, struct domain_plan *plan,
                      struct err *e) {
    char file[256];
    if (op->n_disks > 20)
        return err_set(e, ERR_FAILED, "%zu volumes for one server: at most 20 are taken", op->n_disks);
    plan->disks = mem_alloc(op->n_disks * sizeof *plan->disks);
    for (size_t i = 0; i < op->n_disks; i++) {
        const struct held_volume *held = inventory_volume(h, op->disks[i].token, ROLE_DATA);
        volume_file_name(file, sizeof file, op->disks[i].name, op->disks[i].token, ROLE_DATA);
        virStorageVolPtr v = held || !h->storage ? NULL : virStorageVolLookupByName(h->storage, file);
        if (!held && !v)
            return err_set(e, ERR_RETRY, "its volume %s (%s) is not on host %s", op->disks[i].name,
                           op->disks[i].token, h->named->name);
        if (v) virStorageVolFree(v);
        plan->disks[i] = path_of(h, held ? held->file : file);
    }
    return 0;
}

/* ---- its own disks ---- */

static int root_make(struct host *h, const struct backend_operation *op, struct making *m, struct err *e) {
    const struct settings *s = h->settings;
    char file[256];
    volume_file_name(file, sizeof file, op->name, op->token, ROLE_ROOT);
    char *image scoped_free = *s->image == '/' ? mem_copy(s->image) : path_of(h, s->image);
    /* one that stands is of an earlier try that was cut off before the server was defined */
    if (!inventory_volume(h, op->token, ROLE_ROOT) && storage_create(h, file, s->root_bytes, image, e) < 0)
        return -1;
    strcpy(m->root, file);
    m->plan.root = path_of(h, file);
    return 0;
}

static int seed_make(struct host *h, const struct backend_operation *op, struct making *m, struct err *e) {
    char file[256];
    struct text seed scoped_text = {0};
    volume_file_name(file, sizeof file, op->name, op->token, ROLE_SEED);
    if (seed_build(op, h->settings->image_user, &seed, e) < 0) return -1;
    if (inventory_volume(h, op->token, ROLE_SEED) && storage_delete(h, file, e) < 0) return -1;
    if (storage_upload(h, file, seed.s, seed.length, e) < 0) return -1;
    strcpy(m->seed, file);
    m->plan.seed = path_of(h, file);
    return 0;
}

/* ---- definition and start ---- */

static int define(struct host *h, struct making *m, struct err *e) {
    char *xml scoped_free = domain_xml(h->settings, h->pool, &m->plan, e);
    if (!xml) return -1;
    m->domain = virDomainDefineXML(h->connection, xml);
    if (!m->domain)
        return host_fail(h, e, "server %s cannot be defined on host %s", m->plan.op->name, h->named->name);
    return 0;
}

/* name: not asked of the domain, because each call to libvirt forgets the last error. */
static int start(struct host *h, virDomainPtr domain, const char *name, struct err *e) {
    if (virDomainCreateWithFlags(domain, h->settings->paused ? VIR_DOMAIN_START_PAUSED : 0) == 0) return 0;
    const virError *error = virGetLastError();
    int code = error ? error->code : VIR_ERR_OK;
    host_fail(h, e, "server %s cannot be started on host %s", name, h->named->name);
    if (code == VIR_ERR_NO_NETWORK) e->code = ERR_RETRY;
    if (code != VIR_ERR_OPERATION_INVALID || virDomainIsActive(domain) != 1) return -1;
    err_clear(e); /* it runs already */
    return 0;
}

/* A host that restarts brings its servers back. (A paused one could only come back running.) */
static void start_with_host(struct host *h, virDomainPtr domain) {
    if (!h->settings->paused) (void)virDomainSetAutostart(domain, 1);
}

#define UNDEFINE_ALL                                                                                         \
    (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM | \
     VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)

static int undefine(virDomainPtr domain) {
    if (virDomainUndefineFlags(domain, UNDEFINE_ALL) == 0) return 0;
    const virError *error = virGetLastError();
    if (error && error->code == VIR_ERR_NO_DOMAIN) return 0;
    /* drivers without some of these flags */
    return error && error->code == VIR_ERR_INVALID_ARG ? virDomainUndefine(domain) : -1;
}

static bool destroy(virDomainPtr domain) {
    if (virDomainIsActive(domain) == 0 || virDomainDestroy(domain) == 0) return true;
    const virError *error = virGetLastError();
    return error && (error->code == VIR_ERR_OPERATION_INVALID || error->code == VIR_ERR_NO_DOMAIN);
}

/* Takes back what was made. What cannot be taken back makes the answer "unknown". */
static void unmake(struct host *h, struct making *m, struct err *e) {
    struct err own = {0};
    bool clean = true;
    if (e->code == ERR_UNKNOWN) return; /* nothing is known of it: observe first */
    if (m->domain) clean = destroy(m->domain) && undefine(m->domain) == 0;
    if (clean && m->root[0]) clean = storage_delete(h, m->root, &own) == 0;
    if (clean && m->seed[0]) clean = storage_delete(h, m->seed, &own) == 0;
    if (!clean) e->code = ERR_UNKNOWN;
}

static void making_free(struct making *m, size_t n_disks) {
    for (size_t i = 0; m->plan.disks && i < n_disks; i++) free((char *)m->plan.disks[i]);
    free(m->plan.disks);
    free((char *)m->plan.root);
    free((char *)m->plan.seed);
    free(m->network);
    if (m->domain) virDomainFree(m->domain);
}

static json_t *connection_of(struct host *h, virDomainPtr domain, const struct backend_operation *op,
                             const struct making *m) {
    struct held_domain d = {.domain = domain, .name = (char *)op->name, .meta = json_object()};
    token_uuid(op->token, d.uuid);
    d.state = h->settings->paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
    if (m->network) json_object_set_new(d.meta, "network", json_string(m->network));
    json_t *connection = inventory_connection(h, &d, m->plan.note);
    json_decref(d.meta);
    return connection;
}

static int make(struct host *h, struct backend_operation *op, struct making *m, struct err *e) {
    if (h->settings->image && (root_make(h, op, m, e) < 0 || seed_make(h, op, m, e) < 0)) return -1;
    if (child_fault(h, "libvirt.disks-made", e) < 0) return -1;
    if (network_ensure(h, op, &m->network, &m->plan.note, &m->plan.user_network, e) < 0) return -1;
    m->plan.network = m->network;
    if (define(h, m, e) < 0 || child_fault(h, "libvirt.defined", e) < 0) return -1;
    start_with_host(h, m->domain);
    return start(h, m->domain, op->name, e) < 0 ? -1 : child_fault(h, "libvirt.started", e);
}

/* It is there by its token. One that does not start any more keeps its disks: a person must look. */
static int again(struct host *h, struct backend_operation *op, struct held_domain *d, struct err *e) {
    enum backend_state state = inventory_state(d);
    if (state != SEEN_RUNNING && state != SEEN_PAUSED) {
        if (start(h, d->domain, d->name, e) < 0) {
            if (e->code == ERR_FAILED) e->code = ERR_UNKNOWN;
            return -1;
        }
        d->state = h->settings->paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
    }
    op->connection = inventory_connection(h, d, NULL);
    return 0;
}

int server_ensure(struct host *h, struct backend_operation *op, struct err *e) {
    struct making m = {.plan = {.op = op}};
    struct held_domain *d = inventory_domain(h, op->token);
    if (d) return again(h, op, d, e);
    if (settings_size(h->settings, op->flavor, op->units, &m.plan.vcpus, &m.plan.memory_mib, e) < 0 ||
        name_free(h, op, e) < 0 || devices_free(h, op, e) < 0)
        return -1;
    int rc = disks_find(h, op, &m.plan, e);
    if (rc == 0 && (rc = make(h, op, &m, e)) < 0) unmake(h, &m, e);
    if (rc == 0) op->connection = connection_of(h, m.domain, op, &m);
    making_free(&m, op->n_disks);
    return rc;
}

/* ---- removal ---- */

static int domain_remove(struct host *h, struct held_domain *d, struct err *e) {
    if (!destroy(d->domain)) {
        host_fail(h, e, "server %s of host %s cannot be stopped", d->name, h->named->name);
        if (e->code == ERR_FAILED) e->code = ERR_RETRY;
        return -1;
    }
    if (child_fault(h, "libvirt.destroyed", e) < 0) {
        e->code = ERR_UNKNOWN;
        return -1;
    }
    if (virDomainIsPersistent(d->domain) == 1 && undefine(d->domain) < 0) {
        host_fail(h, e, "server %s of host %s was stopped and cannot be undefined", d->name, h->named->name);
        e->code = ERR_UNKNOWN;
        return -1;
    }
    pthread_mutex_lock(&h->lock);
    d->gone = true;
    pthread_mutex_unlock(&h->lock);
    return 0;
}

int server_remove(struct host *h, struct backend_operation *op, struct err *e) {
    struct held_domain *d = inventory_domain(h, op->token);
    if (d && domain_remove(h, d, e) < 0) return -1;
    if (child_fault(h, "libvirt.undefined", e) < 0) {
        e->code = ERR_UNKNOWN;
        return -1;
    }
    for (int role = ROLE_ROOT; role <= ROLE_SEED; role++) {
        struct held_volume *v = inventory_volume(h, op->token, (enum role)role);
        if (v && storage_delete(h, v->file, e) < 0) {
            e->code = ERR_UNKNOWN;
            return -1;
        }
    }
    network_release(h, op);
    return 0;
}
