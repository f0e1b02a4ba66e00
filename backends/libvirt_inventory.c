/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/libvirt.h"
#include "backends/libvirt_xml.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#define OUR_NAMES "allot-"

/* ---- domains ---- */

/* 0, with NULL when it has none of ours. Any other failure must not make a domain of ours a stranger. */
static int metadata_of(const struct host *h, virDomainPtr domain, json_t **meta, struct err *e) {
    char *xml scoped_free =
        virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, METADATA_URI, VIR_DOMAIN_AFFECT_CURRENT);
    const virError *error = xml ? NULL : virGetLastError();
    *meta = xml ? domain_metadata(xml) : NULL;
    if (xml || !error || error->code == VIR_ERR_NO_DOMAIN_METADATA || error->code == VIR_ERR_NO_DOMAIN ||
        error->code == VIR_ERR_NO_SUPPORT)
        return 0;
    host_fail(h, e, "the metadata of a domain of host %s cannot be read", h->named->name);
    e->code = ERR_RETRY;
    return -1;
}

/* 1: *d holds it and its reference; 0: not of interest; -1: failed. */
static int domain_hold(const struct host *h, virDomainPtr domain, struct held_domain *d, struct err *e) {
    json_t *meta;
    if (metadata_of(h, domain, &meta, e) < 0) return -1;
    const char *name = virDomainGetName(domain);
    if (!name || (!meta && strncmp(name, OUR_NAMES, strlen(OUR_NAMES)) != 0)) {
        json_decref(meta);
        return 0;
    }
    *d = (struct held_domain){.domain = domain, .name = mem_copy(name), .meta = meta};
    d->token = mem_copy(json_string_value(json_object_get(meta, "token")));
    if (virDomainGetUUIDString(domain, d->uuid) < 0) d->uuid[0] = '\0';
    if (virDomainGetState(domain, &d->state, &d->reason, 0) < 0) d->state = VIR_DOMAIN_NOSTATE;
    return 1;
}

/* libvirt has no order; ours does not change from call to call. */
static int by_name(const void *a, const void *b) {
    return strcmp(((const struct held_domain *)a)->name, ((const struct held_domain *)b)->name);
}

static int by_file(const void *a, const void *b) {
    return strcmp(((const struct held_volume *)a)->file, ((const struct held_volume *)b)->file);
}

static int domains_take(struct host *h, struct err *e) {
    virDomainPtr *all = NULL;
    int n = virConnectListAllDomains(h->connection, &all, 0);
    if (n < 0) return host_fail(h, e, "domains of host %s cannot be listed", h->named->name);
    h->domains = mem_alloc((size_t)n * sizeof *h->domains);
    int held = 0;
    for (int i = 0; i < n; i++) {
        if (held >= 0) held = domain_hold(h, all[i], &h->domains[h->n_domains], e);
        if (held > 0)
            h->n_domains++;
        else
            virDomainFree(all[i]);
    }
    free(all);
    if (h->n_domains > 0) qsort(h->domains, h->n_domains, sizeof *h->domains, by_name);
    if (held < 0) return -1;
    /* a connection that broke in between has shown a part only */
    if (virConnectIsAlive(h->connection) != 1)
        return err_set(e, ERR_RETRY, "the connection to host %s broke", h->named->name);
    return 0;
}

/* ---- volumes ---- */

static int volume_size(struct host *h, virStorageVolPtr volume, struct held_volume *v, struct err *e) {
    virStorageVolInfo info;
    if (virStorageVolGetInfo(volume, &info) < 0) {
        const virError *error = virGetLastError();
        if (error && error->code == VIR_ERR_NO_STORAGE_VOL) return 0; /* went away meanwhile */
        return host_fail(h, e, "volume %s of host %s", v->file ? v->file : "", h->named->name);
    }
    v->capacity = bytes((int64_t)info.capacity);
    v->allocation = bytes((int64_t)info.allocation);
    h->volumes_sum += info.capacity;
    return 0;
}

static bool volume_is_ours(const char *file, struct held_volume *v) {
    if (volume_file_parse(file, &v->name, &v->token, &v->role)) return true;
    if (strncmp(file, OUR_NAMES, strlen(OUR_NAMES)) != 0 || !text_is_printable(file)) return false;
    v->name = mem_copy(file);
    return true;
}

static int volumes_take(struct host *h, bool sizes, struct err *e) {
    virStorageVolPtr *all = NULL;
    if (!h->storage) return 0;
    int n = virStoragePoolListAllVolumes(h->storage, &all, 0), rc = 0;
    if (n < 0) return host_fail(h, e, "volumes of host %s cannot be listed", h->named->name);
    h->volumes = mem_alloc((size_t)n * sizeof *h->volumes);
    for (int i = 0; i < n; i++) {
        const char *file = virStorageVolGetName(all[i]);
        struct held_volume v = {.volume = all[i]};
        if (sizes && rc == 0) rc = volume_size(h, all[i], &v, e);
        if (file && volume_is_ours(file, &v)) {
            v.file = mem_copy(file);
            h->volumes[h->n_volumes++] = v;
        } else {
            virStorageVolFree(all[i]);
        }
    }
    free(all);
    if (h->n_volumes > 0) qsort(h->volumes, h->n_volumes, sizeof *h->volumes, by_file);
    return rc;
}

int inventory_take(struct host *h, bool sizes, struct err *e) {
    return domains_take(h, e) < 0 ? -1 : volumes_take(h, sizes, e);
}

void inventory_drop(struct host *h) {
    for (size_t i = 0; i < h->n_domains; i++) {
        struct held_domain *d = &h->domains[i];
        virDomainFree(d->domain);
        free(d->name);
        free(d->token);
        json_decref(d->meta);
    }
    for (size_t i = 0; i < h->n_volumes; i++) {
        struct held_volume *v = &h->volumes[i];
        virStorageVolFree(v->volume);
        free(v->file);
        free(v->name);
        free(v->token);
    }
    free(h->domains);
    free(h->volumes);
    json_decref(h->networks);
    free(h->storage_path);
}

struct held_domain *inventory_domain(const struct host *h, const char *token) {
    for (size_t i = 0; i < h->n_domains; i++) {
        struct held_domain *d = &h->domains[i];
        if (!d->gone && d->token && strcmp(d->token, token) == 0) return d;
    }
    return NULL;
}

struct held_domain *inventory_domain_named(const struct host *h, const char *name) {
    for (size_t i = 0; i < h->n_domains; i++)
        if (!h->domains[i].gone && strcmp(h->domains[i].name, name) == 0) return &h->domains[i];
    return NULL;
}

struct held_volume *inventory_volume(const struct host *h, const char *token, enum role role) {
    for (size_t i = 0; i < h->n_volumes; i++) {
        struct held_volume *v = &h->volumes[i];
        if (!v->gone && v->token && v->role == role && strcmp(v->token, token) == 0) return v;
    }
    return NULL;
}

/* ---- what is told ---- */

enum backend_state inventory_state(const struct held_domain *d) {
    switch (d->state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN: return SEEN_RUNNING; /* still holds its devices */
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED: return SEEN_PAUSED;
    case VIR_DOMAIN_SHUTOFF: return d->reason == VIR_DOMAIN_SHUTOFF_FAILED ? SEEN_FAILED : SEEN_STOPPED;
    default: return SEEN_FAILED;
    }
}

static json_t *addresses_of(const struct host *h, const struct held_domain *d) {
    json_t *addresses = json_array();
    virDomainInterfacePtr *all = NULL;
    if (!h->settings->network_range || inventory_state(d) != SEEN_RUNNING) return addresses;
    int n = virDomainInterfaceAddresses(d->domain, &all, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0);
    for (int i = 0; i < n; i++) {
        for (unsigned k = 0; k < all[i]->naddrs; k++)
            json_array_append_new(addresses, json_string(all[i]->addrs[k].addr));
        virDomainInterfaceFree(all[i]);
    }
    free(all);
    return addresses;
}

/* One word for a shell, quoted when it must be. */
static void shell_word(struct text *t, const char *word) {
    if (strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+:/._-") ==
        strlen(word)) {
        text_add(t, "%s", word);
        return;
    }
    text_add(t, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_add(t, "'\\''");
        else
            text_put(t, word, 1);
    }
    text_add(t, "'");
}

json_t *inventory_connection(struct host *h, const struct held_domain *d, const char *note) {
    struct text console scoped_text = {0};
    text_add(&console, "virsh -c ");
    shell_word(&console, h->named->uri);
    text_add(&console, " console ");
    shell_word(&console, d->name);
    json_t *connection = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "host", h->named->name, "domain",
                                   d->name, "uuid", d->uuid, "state", backend_state_word(inventory_state(d)),
                                   "addresses", addresses_of(h, d), "console", console.s);
    const char *network = json_string_value(json_object_get(d->meta, "network"));
    if (network) json_object_set_new(connection, "network", json_string(network));
    if (!note) note = json_string_value(json_object_get(d->meta, "note"));
    if (note) json_object_set_new(connection, "note", json_string(note));
    return connection;
}
