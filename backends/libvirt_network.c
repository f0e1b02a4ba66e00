/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One isolated network per tenant, named allot-STORE-tN: a bridge without forwarding. With
 * settings.network_range it has addresses and DHCP; without, it is a bare segment.
 */
#include "backends/libvirt.h"
#include "backends/libvirt_xml.h"
#include "backends/range.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

static void addresses_xml(struct xml *x, const char *subnet) {
    xml_open(x, "ip");
    xml_attr(x, "address", "%s.1", subnet);
    xml_attr(x, "prefix", "24");
    xml_open(x, "dhcp");
    xml_open(x, "range");
    xml_attr(x, "start", "%s.2", subnet);
    xml_attr(x, "end", "%s.254", subnet);
    xml_close(x);
    xml_close(x);
    xml_close(x);
}

/* The bridge: a name of an interface holds 15 bytes, ours 13. */
static int network_xml(const struct host *h, const char *name, int64_t tenant_number, char **out,
                       struct err *e) {
    struct xml x = {0};
    char digest[VIR_UUID_STRING_BUFLEN], subnet[16] = "";
    if (h->settings->network_range && range_subnet(h->settings->network_range, tenant_number, subnet, e) < 0)
        return -1;
    token_uuid(name, digest);
    xml_open(&x, "network");
    xml_leaf(&x, "name", "%s", name);
    xml_leaf(&x, "uuid", "%s", digest);
    xml_open(&x, "bridge");
    xml_attr(&x, "name", "allot%.8s", digest);
    xml_attr(&x, "stp", "on");
    xml_attr(&x, "delay", "0");
    xml_close(&x);
    if (*subnet) addresses_xml(&x, subnet);
    xml_close(&x);
    *out = xml_take(&x);
    return 0;
}

static int network_start(struct host *h, const char *name, int64_t tenant_number, struct err *e) {
    char *xml scoped_free = NULL;
    virNetworkPtr network = virNetworkLookupByName(h->connection, name);
    bool made = false;
    if (!network) {
        if (network_xml(h, name, tenant_number, &xml, e) < 0) return -1;
        network = virNetworkDefineXML(h->connection, xml);
        made = network != NULL;
    }
    if (!network) return host_fail(h, e, "network %s of host %s cannot be defined", name, h->named->name);
    int rc = 0;
    if (virNetworkIsActive(network) != 1 && virNetworkCreate(network) < 0) {
        rc = host_fail(h, e, "network %s of host %s cannot be started", name, h->named->name);
        if (virNetworkIsActive(network) == 1) rc = 0; /* another was faster */
    }
    if (rc == 0) err_clear(e);
    if (rc == 0) (void)virNetworkSetAutostart(network, 1);
    if (rc < 0 && made) (void)virNetworkUndefine(network);
    virNetworkFree(network);
    return rc;
}

/* Without a network of its own, if the settings allow it. A user's daemon has none to give. */
static int fall_back(const struct host *h, bool *user, const char **note, struct err *e) {
    size_t way = h->settings->has_network_fallback ? h->settings->network_fallback
                 : h->session                      ? (size_t)NETWORK_NONE
                                                   : (size_t)NETWORK_REFUSE;
    if (way == NETWORK_REFUSE) return -1;
    err_clear(e);
    *user = way == NETWORK_USER;
    *note = *user ? "user-mode network: this host gave no isolated network"
                  : "no network: this host gave no isolated network";
    return 0;
}

static char *network_name(const struct host *h, const struct backend_operation *op) {
    struct text t = {0};
    /* After a restore numbers are given again: without the branch a new tenant would share a lost one's
     * network. */
    text_add(&t, "allot-%s-t%lld%s", h->pool->store_id, (long long)op->tenant_number,
             op->tenant_branch ? op->tenant_branch : "");
    return text_take(&t);
}

int network_ensure(struct host *h, const struct backend_operation *op, char **name, const char **note,
                   bool *user, struct err *e) {
    *user = h->settings->network == NETWORK_USER;
    if (h->settings->network != NETWORK_ISOLATED) return 0;
    if (h->session) {
        err_set(e, ERR_FAILED, "host %s is a user's daemon and has no isolated networks", h->named->name);
        return fall_back(h, user, note, e);
    }
    char *wanted = network_name(h, op);
    pthread_mutex_lock(&h->lock);
    bool known = json_object_get(h->networks, wanted) != NULL;
    pthread_mutex_unlock(&h->lock);
    /* two threads may start the same one: the same definition twice is one */
    int rc = known ? 0 : network_start(h, wanted, op->tenant_number, e);
    if (rc == 0 && !known) {
        pthread_mutex_lock(&h->lock);
        json_object_set_new(h->networks, wanted, json_true());
        pthread_mutex_unlock(&h->lock);
    }
    if (rc == 0)
        *name = wanted;
    else
        free(wanted);
    return rc == 0 ? 0 : fall_back(h, user, note, e);
}

static bool is_used(struct host *h, const char *name) {
    bool used = false;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_domains && !used; i++) {
        const char *network = json_string_value(json_object_get(h->domains[i].meta, "network"));
        used = !h->domains[i].gone && network && strcmp(network, name) == 0;
    }
    pthread_mutex_unlock(&h->lock);
    return used;
}

void network_release(struct host *h, const struct backend_operation *op) {
    char *name scoped_free = network_name(h, op);
    if (h->session || is_used(h, name)) return;
    virNetworkPtr network = virNetworkLookupByName(h->connection, name);
    if (!network) return;
    (void)virNetworkDestroy(network);
    (void)virNetworkUndefine(network);
    virNetworkFree(network);
}
