/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes of files: NHN's NAS ("Storage > NAS > API guide", 2026). They have no metadata, so the token stands
 * first in the description: "allot TOKEN GRANT TENANT". A share is in use only where somebody mounts it,
 * which the cloud does not tell.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <string.h>

#define GB INT64_C(1000000000)

static const char *member(const json_t *thing, const char *key) {
    const char *text = json_string_value(json_object_get(thing, key));
    return text ? text : "";
}

void files_normal(json_t *thing) {
    char token[64] = "", grant[32] = "", tenant[256] = "";
    if (sscanf(member(thing, "description"), "allot %63s %31s %255[^\n]", token, grant, tenant) < 1) return;
    const char *dot = strchr(token, '.');
    if (token[0] != 's' || !dot) return;
    json_t *metadata = json_pack("{s:s, s:o, s:s, s:s}", "allot_token", token, "allot_store",
                                 json_stringn(token + 1, (size_t)(dot - token - 1)), "allot_grant", grant,
                                 "allot_tenant", tenant);
    if (metadata)
        json_object_set_new(thing, "metadata", metadata); /* a cut letter is no UTF-8: none of ours */
}

static int size_check(const struct project *p, const struct backend_operation *op, int64_t *gb,
                      struct err *e) {
    const struct dialect *d = p->run->settings.dialect;
    *gb = op->bytes.n / GB;
    if (op->bytes.n % GB == 0 && *gb >= d->files_least_gb && *gb <= d->files_most_gb &&
        *gb % d->files_step_gb == 0)
        return 0;
    err_set(e, ERR_FAILED, "volume %s: %s: a NAS volume has %lld GB to %lld GB, in steps of %lld GB",
            op->name, bytes_text(op->bytes).s, (long long)d->files_least_gb, (long long)d->files_most_gb,
            (long long)d->files_step_gb);
    return err_hint(e, "granule, volume.least and volume.most of pool %s must fit that", p->run->pool->name);
}

static int files_body(struct project *p, const struct backend_operation *op, json_t **out, struct err *e) {
    struct text description scoped_text = {0};
    int64_t gb;
    if (size_check(p, op, &gb, e) < 0 || network_ensure(p, op, e) < 0) return -1;
    json_t *subnet scoped_json = subnet_look(p, e);
    if (!subnet) return -1;
    json_t *known scoped_json = ours_metadata(p->run, op);
    text_add(&description, "allot %s %s %s", op->token, op->grant, member(known, "allot_tenant"));
    *out = json_pack("{s:{s:s, s:I, s:s, s:{s:s}, s:[{s:s}], s:[s], s:{s:b}}}", "volume", "name", op->name,
                     "sizeGb", (json_int_t)gb, "description", description.s, "mountProtocol", "protocol",
                     "nfs", "interfaces", "subnetId", member(subnet, "id"), "acl", member(subnet, "cidr"),
                     "encryption", "enabled", 0);
    return *out ? 0 : err_set(e, ERR_FAILED, "volume %s cannot be described", op->name);
}

static bytes_t files_size(const json_t *volume) {
    int64_t gb = json_integer_value(json_object_get(volume, "sizeGb"));
    return bytes(gb > 0 && gb <= BYTES_MOST / GB ? gb * GB : 0);
}

/* "10.0.1.7:/name", once an interface is ACTIVE. */
static const char *mount_path(const json_t *volume) {
    size_t i;
    json_t *interface;
    json_array_foreach(json_object_get(volume, "interfaces"), i, interface) {
        if (*member(interface, "path")) return member(interface, "path");
    }
    return "";
}

static const char *files_trouble(const json_t *volume) {
    const char *status = member(volume, "status");
    if (strstr(status, "ERROR") || strstr(status, "FAIL")) return status;
    return strcmp(status, "ACTIVE") == 0 && *mount_path(volume) ? "" : "wait";
}

static const char *files_in_use(const json_t *volume) {
    (void)volume;
    return NULL;
}

static void files_connect(const json_t *volume, json_t *connection) {
    json_object_set_new(connection, "protocol", json_string("nfs"));
    json_object_set_new(connection, "path", json_string(mount_path(volume)));
}

const struct volume_means volume_files = {
    .service = "nasv1",
    .path = "/v1/volumes",
    .created = "createdAt",
    .body = files_body,
    .size = files_size,
    .trouble = files_trouble,
    .connect = files_connect,
    .in_use = files_in_use,
};
