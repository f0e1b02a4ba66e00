/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host can lend. Devices are found among libvirt's node devices by PCI vendor and product: from
 * the flavor's `match`, written as "10de:2330" or as the name of a part of the catalogue. Counted
 * slots (none, vcpu) have no address. Accelerators that no flavor claims are told without a flavor.
 */
#include "backends/libvirt.h"
#include "backends/libvirt_xml.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

struct device {
    struct node *xml;
    const struct node *pci, *mdev; /* its capability; one is NULL */
    const char *name, *parent;
    char id[16];      /* "10de:2330" of a PCI device; of an mdev: of its parent */
    char address[16]; /* PCI */
    bool is_vf, is_accelerator;
};

struct devices {
    struct device *all;
    size_t n;
};

static const struct node *capability(const struct node *n, const char *type) {
    for (const struct node *c = node_find(n, "capability"); c; c = node_again(c)) {
        const char *is = node_attribute(c, "type");
        if (is && strcmp(is, type) == 0) return c;
    }
    return NULL;
}

static unsigned number_of(const struct node *n, const char *path) {
    return (unsigned)strtoul(node_value(n, path), NULL, 0);
}

static void device_read(struct device *d) {
    d->name = node_value(d->xml, "name");
    d->parent = node_value(d->xml, "parent");
    d->pci = capability(d->xml, "pci");
    d->mdev = capability(d->xml, "mdev");
    if (!d->pci) return;
    const char *vendor = node_attribute(node_find(d->pci, "vendor"), "id");
    const char *product = node_attribute(node_find(d->pci, "product"), "id");
    (void)text_format(d->id, sizeof d->id, "%04lx:%04lx", vendor ? strtoul(vendor, NULL, 16) : 0,
                      product ? strtoul(product, NULL, 16) : 0);
    (void)text_format(d->address, sizeof d->address, "%04x:%02x:%02x.%x", number_of(d->pci, "domain"),
                      number_of(d->pci, "bus"), number_of(d->pci, "slot"), number_of(d->pci, "function"));
    unsigned class = number_of(d->pci, "class") >> 8; /* 3D controller, processing accelerator */
    d->is_accelerator = class == 0x0302 || class == 0x1200;
    d->is_vf = capability(d->pci, "phys_function") != NULL;
}

static const struct device *device_named(const struct devices *ds, const char *name) {
    for (size_t i = 0; i < ds->n; i++)
        if (strcmp(ds->all[i].name, name) == 0) return &ds->all[i];
    return NULL;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct device *)a)->name, ((const struct device *)b)->name);
}

static int devices_take(struct host *h, struct devices *ds, struct err *e) {
    virNodeDevicePtr *all = NULL;
    int rc = 0, n = virConnectListAllNodeDevices(h->connection, &all,
                                                 VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV |
                                                     VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV);
    if (n < 0) return host_fail(h, e, "devices of host %s cannot be listed", h->named->name);
    ds->all = mem_alloc((size_t)n * sizeof *ds->all);
    for (int i = 0; i < n; i++) {
        struct device *d = &ds->all[ds->n];
        char *xml scoped_free = rc == 0 ? virNodeDeviceGetXMLDesc(all[i], 0) : NULL;
        virNodeDeviceFree(all[i]);
        if (!xml) continue; /* it went away meanwhile */
        if (!(d->xml = node_parse(xml, e))) {
            rc = err_context(e, "host %s", h->named->name);
            continue;
        }
        device_read(d);
        ds->n++;
    }
    free(all);
    if (ds->n > 0) qsort(ds->all, ds->n, sizeof *ds->all, by_name); /* libvirt has no order */
    for (size_t i = 0; i < ds->n; i++) {
        const struct device *parent = ds->all[i].mdev ? device_named(ds, ds->all[i].parent) : NULL;
        if (parent) memcpy(ds->all[i].id, parent->id, sizeof parent->id);
    }
    return rc;
}

static void devices_drop(struct devices *ds) {
    for (size_t i = 0; i < ds->n; i++) node_free(ds->all[i].xml);
    free(ds->all);
}

/* ---- matching ---- */

/* The PCI ids of a part of the catalogue (policies/accelerators.json), NULL when it has none. */
static const json_t *catalogue_ids(const json_t *catalogue, const char *name) {
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(catalogue, "parts"), i, part) {
        const char *is = json_string_value(json_object_get(part, "name"));
        if (is && strcmp(is, name) == 0) return json_object_get(part, "pci");
    }
    return NULL;
}

static bool matches(const struct host *h, const char *match, const char *id) {
    size_t i;
    json_t *pci;
    if (!*id) return false;
    if (strcasecmp(match, id) == 0) return true;
    json_array_foreach(catalogue_ids(h->pool->catalogue, match), i, pci) {
        const char *is = json_string_value(pci);
        if (is && strcasecmp(is, id) == 0) return true;
    }
    return false;
}

static const char *mdev_type(const struct device *d) {
    const char *type = node_attribute(node_find(d->mdev, "type"), "id");
    return type ? type : "";
}

static bool flavor_fits(const struct host *h, const struct flavor_settings *f, const struct device *d) {
    switch ((enum attach)f->attach) {
    case ATTACH_PCI: return d->pci && !d->is_vf && matches(h, f->match, d->id);
    case ATTACH_VF: return d->pci && d->is_vf && matches(h, f->match, d->id);
    case ATTACH_MDEV:
        return d->mdev && strcmp(mdev_type(d), f->mdev_type) == 0 && matches(h, f->match, d->id);
    default: return false;
    }
}

static const struct flavor_settings *flavor_of(const struct host *h, const struct device *d) {
    for (size_t i = 0; i < h->settings->n_flavors; i++)
        if (flavor_fits(h, &h->settings->flavors[i], d)) return &h->settings->flavors[i];
    return NULL;
}

/* ---- telling ---- */

static void line_slot(struct host *h, const char *flavor, const char *name, const char *address,
                      const char *attach, const char *description) {
    host_line(h, json_pack("{s:{s:s?, s:s, s:s, s:s, s:s}}", "slot", "flavor", flavor, "name", name,
                           "address", address, "attach", attach, "description", description));
}

static void device_report(struct host *h, const struct device *d) {
    const struct flavor_settings *f = flavor_of(h, d);
    if (!f && !d->is_accelerator) return;
    const char *attach = f ? attach_words[f->attach] : d->is_vf ? "vf" : "pci";
    if (d->mdev)
        line_slot(h, f ? f->name : NULL, d->name, node_value(d->mdev, "uuid"), "mdev", mdev_type(d));
    else
        line_slot(h, f ? f->name : NULL, d->name, d->address, attach, node_value(d->pci, "product"));
}

static void counted_report(struct host *h, const struct flavor_settings *f, int64_t n,
                           const char *description) {
    for (int64_t i = 1; i <= n; i++) {
        struct text name scoped_text = {0};
        text_add(&name, "%s-%s-%04lld", attach_words[f->attach], f->name, (long long)i);
        line_slot(h, f->name, name.s, "", attach_words[f->attach], description);
    }
}

static int vcpu_report(struct host *h, const struct flavor_settings *f, struct err *e) {
    struct text description scoped_text = {0};
    virNodeInfo info;
    if (virNodeGetInfo(h->connection, &info) < 0)
        return host_fail(h, e, "processors of host %s", h->named->name);
    int64_t units = info.cpus / f->vcpus_per_unit;
    if (f->units_per_host && f->units_per_host < units) units = f->units_per_host;
    text_add(&description, "%lld vCPU of a host with %u", (long long)f->vcpus_per_unit, info.cpus);
    counted_report(h, f, units, description.s);
    return 0;
}

int devices_report(struct host *h, struct err *e) {
    struct devices ds = {0};
    bool wanted = false;
    int rc = 0;
    for (size_t i = 0; i < h->settings->n_flavors; i++) {
        const struct flavor_settings *f = &h->settings->flavors[i];
        wanted |= f->attach != ATTACH_NONE && f->attach != ATTACH_VCPU;
        if (f->attach == ATTACH_NONE)
            counted_report(h, f, f->units_per_host, "counted only, nothing is attached");
        if (f->attach == ATTACH_VCPU && rc == 0) rc = vcpu_report(h, f, e);
    }
    /* a user's daemon may have no node devices: that is an error only where some were to be found */
    if (rc == 0 && devices_take(h, &ds, e) < 0) {
        rc = wanted ? -1 : 0;
        if (rc == 0) err_clear(e);
    }
    for (size_t i = 0; rc == 0 && i < ds.n; i++) device_report(h, &ds.all[i]);
    devices_drop(&ds);
    return rc;
}
