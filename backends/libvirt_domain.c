/* SPDX-License-Identifier: Apache-2.0 */
/* What a server is to libvirt: its XML, and our own element in it. */
#include "backends/libvirt.h"
#include "backends/libvirt_xml.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

/* SHA-256 of the token with the bits of a version 8 (vendor's own) UUID, RFC 9562. */
void token_uuid(const char *token, char out[VIR_UUID_STRING_BUFLEN]) {
    unsigned char d[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)token, strlen(token), d);
    d[6] = (unsigned char)((d[6] & 0x0f) | 0x80);
    d[8] = (unsigned char)((d[8] & 0x3f) | 0x80);
    snprintf(out, VIR_UUID_STRING_BUFLEN,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3],
             d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

static bool is_device(const struct backend_slot *slot) {
    return strcmp(slot->attach, "pci") == 0 || strcmp(slot->attach, "vf") == 0 ||
           strcmp(slot->attach, "mdev") == 0;
}

static void metadata_xml(struct xml *x, const struct backend_pool *pool, const struct domain_plan *plan) {
    const struct backend_operation *op = plan->op;
    xml_open(x, "metadata");
    xml_open(x, "allot:server");
    xml_attr(x, "xmlns:allot", "%s", METADATA_URI);
    xml_attr(x, "token", "%s", op->token);
    xml_attr(x, "store", "%s", pool->store_id);
    xml_attr(x, "tenant", "%s", op->tenant);
    xml_attr(x, "grant", "%s", op->grant);
    xml_attr(x, "flavor", "%s", op->flavor);
    xml_attr(x, "units", "%lld", (long long)op->units);
    xml_attr(x, "created", "%lld", (long long)clock_now().s);
    if (plan->network) xml_attr(x, "network", "%s", plan->network);
    if (plan->note) xml_attr(x, "note", "%s", plan->note);
    for (size_t i = 0; i < op->n_disks; i++) {
        xml_open(x, "allot:disk");
        xml_attr(x, "token", "%s", op->disks[i].token);
        xml_close(x);
    }
    for (size_t i = 0; i < op->n_slots; i++) {
        if (!is_device(&op->slots[i])) continue;
        xml_open(x, "allot:device");
        xml_attr(x, "address", "%s", op->slots[i].address);
        xml_close(x);
    }
    xml_close(x);
    xml_close(x);
}

static json_t *list_of(const struct node *n, const char *element, const char *attribute) {
    json_t *list = json_array();
    for (const struct node *c = node_find(n, element); c; c = node_again(c)) {
        const char *value = node_attribute(c, attribute);
        if (value) json_array_append_new(list, json_string(value));
    }
    return list;
}

json_t *domain_metadata(const char *xml) {
    struct err e = {0};
    struct node *n = node_parse(xml, &e);
    if (!n || strcmp(n->name, "server") != 0 || !node_attribute(n, "token")) {
        node_free(n);
        return NULL;
    }
    json_t *meta = json_object();
    for (const struct node_attr *a = n->attrs; a; a = a->next)
        json_object_set_new(meta, a->name, json_string(a->value));
    long long created = 0;
    const char *text = node_attribute(n, "created");
    if (text && text_to_int(text, 0, INSTANT_MOST, &created) < 0) created = 0;
    json_object_set_new(meta, "created", json_integer(created));
    json_object_set_new(meta, "disks", list_of(n, "disk", "token"));
    json_object_set_new(meta, "devices", list_of(n, "device", "address"));
    node_free(n);
    return meta;
}

static void disk_xml(struct xml *x, const char *path, const char *format, int number, bool read_only) {
    xml_open(x, "disk");
    xml_attr(x, "type", "file");
    xml_attr(x, "device", "disk");
    xml_open(x, "driver");
    xml_attr(x, "name", "qemu");
    xml_attr(x, "type", "%s", format);
    if (!read_only) xml_attr(x, "discard", "unmap");
    xml_close(x);
    xml_open(x, "source");
    xml_attr(x, "file", "%s", path);
    xml_close(x);
    xml_open(x, "target");
    xml_attr(x, "dev", "vd%c", 'a' + number);
    xml_attr(x, "bus", "virtio");
    xml_close(x);
    if (read_only) {
        xml_open(x, "readonly");
        xml_close(x);
    }
    xml_close(x);
}

static void interface_xml(struct xml *x, const struct domain_plan *plan) {
    if (!plan->network && !plan->user_network) return;
    xml_open(x, "interface");
    xml_attr(x, "type", "%s", plan->network ? "network" : "user");
    if (plan->network) {
        xml_open(x, "source");
        xml_attr(x, "network", "%s", plan->network);
        xml_close(x);
    }
    xml_open(x, "model");
    xml_attr(x, "type", "virtio");
    xml_close(x);
    xml_close(x);
}

static void hostdev_open(struct xml *x, const char *type) {
    xml_open(x, "hostdev");
    xml_attr(x, "mode", "subsystem");
    xml_attr(x, "type", "%s", type);
}

/* A whole card is given and taken back by libvirt; a virtual function stays with its own driver. */
static int pci_xml(struct xml *x, const struct backend_slot *slot, struct err *e) {
    unsigned domain, bus, device, function;
    int end = 0;
    if (sscanf(slot->address, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) != 4 ||
        slot->address[end] || strlen(slot->address) != 12)
        return err_set(e, ERR_FAILED, "slot %s: \"%s\" is not a PCI address", slot->name, slot->address);
    hostdev_open(x, "pci");
    xml_attr(x, "managed", "%s", strcmp(slot->attach, "pci") == 0 ? "yes" : "no");
    xml_open(x, "source");
    xml_open(x, "address");
    xml_attr(x, "domain", "0x%04x", domain);
    xml_attr(x, "bus", "0x%02x", bus);
    xml_attr(x, "slot", "0x%02x", device);
    xml_attr(x, "function", "0x%x", function);
    xml_close(x);
    xml_close(x);
    xml_close(x);
    return 0;
}

static void mdev_xml(struct xml *x, const struct backend_slot *slot) {
    hostdev_open(x, "mdev");
    xml_attr(x, "model", "vfio-pci");
    xml_open(x, "source");
    xml_open(x, "address");
    xml_attr(x, "uuid", "%s", slot->address);
    xml_close(x);
    xml_close(x);
    xml_close(x);
}

static int devices_xml(struct xml *x, const struct domain_plan *plan, struct err *e) {
    const struct backend_operation *op = plan->op;
    int number = 0;
    xml_open(x, "devices");
    if (plan->root) disk_xml(x, plan->root, "qcow2", number++, false);
    for (size_t i = 0; i < op->n_disks; i++) disk_xml(x, plan->disks[i], "qcow2", number++, false);
    if (plan->seed) disk_xml(x, plan->seed, "raw", number++, true);
    interface_xml(x, plan);
    xml_open(x, "serial");
    xml_attr(x, "type", "pty");
    xml_close(x);
    xml_open(x, "console");
    xml_attr(x, "type", "pty");
    xml_close(x);
    for (size_t i = 0; i < op->n_slots; i++) {
        if (strcmp(op->slots[i].attach, "mdev") == 0)
            mdev_xml(x, &op->slots[i]);
        else if (is_device(&op->slots[i]) && pci_xml(x, &op->slots[i], e) < 0)
            return -1;
    }
    xml_close(x);
    return 0;
}

static void machine_xml(struct xml *x, const struct settings *s) {
    xml_open(x, "os");
    xml_open(x, "type");
    if (s->machine) xml_attr(x, "machine", "%s", s->machine);
    xml_text(x, "hvm");
    xml_close(x);
    xml_close(x);
    xml_open(x, "features"); /* without ACPI a guest can neither be asked to stop nor get a device */
    xml_open(x, "acpi");
    xml_close(x);
    xml_close(x);
    if (strcmp(s->domain_type, "kvm") != 0) return;
    xml_open(x, "cpu");
    xml_attr(x, "mode", "host-passthrough");
    xml_close(x);
}

char *domain_xml(const struct settings *s, const struct backend_pool *pool, const struct domain_plan *plan,
                 struct err *e) {
    const struct backend_operation *op = plan->op;
    struct xml x = {0};
    char uuid[VIR_UUID_STRING_BUFLEN];
    token_uuid(op->token, uuid);
    xml_open(&x, "domain");
    xml_attr(&x, "type", "%s", s->domain_type);
    xml_leaf(&x, "name", "%s", op->name);
    xml_leaf(&x, "uuid", "%s", uuid);
    xml_leaf(&x, "title", "allot: tenant %s, grant %s", op->tenant, op->grant);
    metadata_xml(&x, pool, plan);
    xml_open(&x, "memory");
    xml_attr(&x, "unit", "MiB");
    xml_text(&x, "%lld", (long long)plan->memory_mib);
    xml_close(&x);
    xml_leaf(&x, "vcpu", "%lld", (long long)plan->vcpus);
    machine_xml(&x, s);
    if (devices_xml(&x, plan, e) < 0) {
        text_free(&x.out);
        return NULL;
    }
    xml_close(&x);
    return xml_take(&x);
}
