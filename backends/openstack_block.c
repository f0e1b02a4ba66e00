/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of block storage. Cinder counts whole GiB, so a pool's granule must be one or more of them. */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <string.h>

#define GIB (INT64_C(1) << 30)

static const char *member(const json_t *thing, const char *key) {
    const char *text = json_string_value(json_object_get(thing, key));
    return text ? text : "";
}

static int gib_of(const struct project *p, const struct backend_operation *op, int64_t *gib, struct err *e) {
    const struct dialect *d = p->run->settings.dialect;
    *gib = op->bytes.n / GIB;
    if (op->bytes.n % GIB) {
        err_set(e, ERR_FAILED, "volume %s: %s is not a whole number of GiB, which is what the cloud counts",
                op->name, bytes_text(op->bytes).s);
        return err_hint(e, "the granule of pool %s must be 1 GiB or a multiple of it", p->run->pool->name);
    }
    if (*gib >= d->volume_least_gib && *gib <= d->volume_most_gib) return 0;
    err_set(e, ERR_FAILED, "volume %s: %lld GiB: a volume at this cloud has %lld to %lld", op->name,
            (long long)*gib, (long long)d->volume_least_gib, (long long)d->volume_most_gib);
    return err_hint(e, "volume.least and volume.most of pool %s must lie within that", p->run->pool->name);
}

static int block_body(struct project *p, const struct backend_operation *op, json_t **out, struct err *e) {
    const struct settings *s = &p->run->settings;
    int64_t gib;
    if (gib_of(p, op, &gib, e) < 0) return -1;
    json_t *volume = json_pack("{s:s, s:I, s:o}", "name", op->name, "size", (json_int_t)gib, "metadata",
                               ours_metadata(p->run, op));
    if (s->volume_type) json_object_set_new(volume, "volume_type", json_string(s->volume_type));
    if (s->availability_zone)
        json_object_set_new(volume, "availability_zone", json_string(s->availability_zone));
    *out = json_pack("{s:o}", "volume", volume);
    return 0;
}

static bytes_t block_size(const json_t *volume) {
    int64_t gib = json_integer_value(json_object_get(volume, "size"));
    return bytes(gib > 0 && gib <= BYTES_MOST / GIB ? gib * GIB : 0);
}

static const char *block_trouble(const json_t *volume) {
    const char *status = member(volume, "status");
    if (strcmp(status, "creating") == 0 || strcmp(status, "downloading") == 0 || !*status) return "wait";
    return strcmp(status, "error") == 0 ? status : "";
}

static const char *block_in_use(const json_t *volume) {
    static const char *const words[] = {"in-use", "attaching", "detaching", "reserved", NULL};
    const json_t *first = json_array_get(json_object_get(volume, "attachments"), 0);
    const char *status = member(volume, "status"), *server = member(first, "server_id");
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], status) == 0) return *server ? server : "a server";
    return NULL;
}

static void block_connect(const json_t *volume, json_t *connection) {
    const json_t *first = json_array_get(json_object_get(volume, "attachments"), 0);
    const char *server = member(first, "server_id");
    if (*server) json_object_set_new(connection, "server", json_string(server));
}

const struct volume_means volume_block = {
    .service = "block-storage",
    .path = "/volumes",
    .created = "created_at",
    .body = block_body,
    .size = block_size,
    .trouble = block_trouble,
    .connect = block_connect,
    .in_use = block_in_use,
};
