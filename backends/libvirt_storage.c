/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/libvirt.h"
#include "backends/libvirt_xml.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

/* ---- names: NAME__TOKEN__ROLE.EXT; tokens and roles hold no underscore ---- */

static const char *const role_ends[] = {"__data.qcow2", "__root.qcow2", "__seed.img"};

void volume_file_name(char *out, size_t size, const char *name, const char *token, enum role role) {
    if (text_format(out, size, "%s__%s%s", name, token, role_ends[role]) < 0) abort(); /* both were checked */
}

static char *part(const char *from, const char *to) {
    char *copy = mem_alloc((size_t)(to - from) + 1);
    memcpy(copy, from, (size_t)(to - from));
    return copy;
}

static bool is_token(const char *from, const char *to) {
    int dots = 0;
    if (from == to || to - from > 63 || *from != 's') return false;
    for (const char *p = from; p < to; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        if (*p == '.')
            dots++;
        else if (!letter && !(*p >= '0' && *p <= '9'))
            return false;
    }
    return dots == 2;
}

bool volume_file_parse(const char *file, char **name, char **token, enum role *role) {
    size_t length = strlen(file);
    for (int r = ROLE_DATA; r <= ROLE_SEED; r++) {
        size_t end = strlen(role_ends[r]);
        if (length <= end || strcmp(file + length - end, role_ends[r]) != 0) continue;
        const char *to = file + length - end, *from = to;
        while (from > file && from[-1] != '_') from--;
        if (from < file + 3 || from[-2] != '_' || !is_token(from, to)) return false;
        if (!text_is_printable(file)) return false;
        *name = part(file, from - 2);
        *token = part(from, to);
        *role = (enum role)r;
        return true;
    }
    return false;
}

/* ---- the pool ---- */

static char *pool_xml(const struct settings *s) {
    struct xml x = {0};
    xml_open(&x, "pool");
    xml_attr(&x, "type", "dir");
    xml_leaf(&x, "name", "%s", s->storage_pool);
    xml_open(&x, "target");
    xml_leaf(&x, "path", "%s", s->storage_path);
    xml_close(&x);
    xml_close(&x);
    return xml_take(&x);
}

static int pool_define(struct host *h, struct err *e) {
    const struct settings *s = h->settings;
    const virError *error = virGetLastError();
    if (!error || error->code != VIR_ERR_NO_STORAGE_POOL || !s->storage_path)
        return host_fail(h, e, "storage pool %s of host %s", s->storage_pool, h->named->name);
    char *xml scoped_free = pool_xml(s);
    h->storage = virStoragePoolDefineXML(h->connection, xml, 0);
    if (!h->storage)
        h->storage = virStoragePoolLookupByName(h->connection, s->storage_pool); /* another was faster */
    if (!h->storage)
        return host_fail(h, e, "storage pool %s of host %s cannot be defined", s->storage_pool,
                         h->named->name);
    (void)virStoragePoolBuild(h->storage, 0); /* its folder may stand already */
    (void)virStoragePoolSetAutostart(h->storage, 1);
    return 0;
}

static int pool_start(struct host *h, struct err *e) {
    if (virStoragePoolIsActive(h->storage) == 1) {
        (void)virStoragePoolRefresh(h->storage, 0); /* refused while a volume is made: then it is fresh */
        return 0;
    }
    if (virStoragePoolCreate(h->storage, 0) == 0) return 0;
    host_fail(h, e, "storage pool %s of host %s cannot be started", h->settings->storage_pool,
              h->named->name);
    if (virStoragePoolIsActive(h->storage) != 1) return -1;
    err_clear(e); /* another was faster */
    return 0;
}

static int pool_path(struct host *h, struct err *e) {
    char *xml scoped_free = virStoragePoolGetXMLDesc(h->storage, 0);
    if (!xml) return host_fail(h, e, "storage pool %s of host %s", h->settings->storage_pool, h->named->name);
    struct node *pool = node_parse(xml, e);
    if (!pool) return -1;
    const char *type = node_attribute(pool, "type");
    static const char *const files[] = {"dir", "fs", "netfs", "gluster", NULL};
    bool good = false;
    for (size_t i = 0; files[i]; i++) good |= type && strcmp(type, files[i]) == 0;
    h->storage_path = mem_copy(node_value(pool, "target/path"));
    node_free(pool);
    if (good && h->storage_path[0] == '/') return 0;
    return err_set(e, ERR_FAILED, "storage pool %s of host %s keeps no files: dir, fs or netfs is needed",
                   h->settings->storage_pool, h->named->name);
}

int storage_open(struct host *h, struct err *e) {
    virStoragePoolInfo info;
    if (!h->settings->storage_pool) return 0;
    h->storage = virStoragePoolLookupByName(h->connection, h->settings->storage_pool);
    if (!h->storage && pool_define(h, e) < 0) return -1;
    if (pool_start(h, e) < 0 || pool_path(h, e) < 0) return -1;
    if (virStoragePoolGetInfo(h->storage, &info) < 0)
        return host_fail(h, e, "storage pool %s of host %s", h->settings->storage_pool, h->named->name);
    h->storage_capacity = bytes((int64_t)info.capacity);
    h->storage_free = bytes((int64_t)info.available);
    return 0;
}

/* ---- volumes ---- */

static char *volume_xml(const char *file, bytes_t size, const char *format, const char *backing) {
    struct xml x = {0};
    xml_open(&x, "volume");
    xml_leaf(&x, "name", "%s", file);
    xml_open(&x, "capacity");
    xml_attr(&x, "unit", "bytes");
    xml_text(&x, "%lld", (long long)size.n);
    xml_close(&x);
    xml_leaf(&x, "allocation", "0");
    xml_open(&x, "target");
    xml_open(&x, "format");
    xml_attr(&x, "type", "%s", format);
    xml_close(&x);
    if (strcmp(format, "qcow2") == 0) xml_leaf(&x, "compat", "1.1");
    xml_close(&x);
    if (backing) {
        xml_open(&x, "backingStore");
        xml_leaf(&x, "path", "%s", backing);
        xml_open(&x, "format");
        xml_attr(&x, "type", "qcow2");
        xml_close(&x);
        xml_close(&x);
    }
    xml_close(&x);
    return xml_take(&x);
}

/* Takes `size` of what may be promised on this host, or refuses with the numbers. */
static int promise(struct host *h, bytes_t size, struct err *e) {
    wide_t most = (wide_t)h->storage_capacity.n * h->settings->overcommit_percent / 100;
    pthread_mutex_lock(&h->lock);
    wide_t sum = h->volumes_sum;
    bool fits = sum + size.n <= most;
    if (fits) h->volumes_sum += size.n;
    pthread_mutex_unlock(&h->lock);
    if (fits) return 0;
    return err_set(
        e, ERR_FAILED,
        "storage pool %s of host %s has volumes of %s bytes, at most %s are allowed (%lld %% of %s): "
        "no room for %s",
        h->settings->storage_pool, h->named->name, wide_text(sum).s, wide_text(most).s,
        (long long)h->settings->overcommit_percent, bytes_text(h->storage_capacity).s, bytes_text(size).s);
}

static void promise_back(struct host *h, bytes_t size) {
    pthread_mutex_lock(&h->lock);
    h->volumes_sum -= size.n;
    pthread_mutex_unlock(&h->lock);
}

static int storage_need(const struct host *h, struct err *e) {
    if (h->storage) return 0;
    return err_set(e, ERR_FAILED, "settings.storage_pool is not set: pool %s has no place for volumes",
                   h->pool->name);
}

int storage_create(struct host *h, const char *file, bytes_t asked, const char *backing, struct err *e) {
    bytes_t size = backend_volume_size(asked); /* libvirt would round it so too, without a word */
    if (storage_need(h, e) < 0) return -1;
    if (promise(h, size, e) < 0) return -1;
    char *xml scoped_free = volume_xml(file, size, "qcow2", backing);
    virStorageVolPtr volume = virStorageVolCreateXML(h->storage, xml, 0);
    if (volume) return virStorageVolFree(volume);
    promise_back(h, size);
    return host_fail(h, e, "volume %s cannot be made on host %s", file, h->named->name);
}

static int send_all(virStreamPtr stream, const char *data, size_t length) {
    while (length > 0) {
        int n = virStreamSend(stream, data, length > 65536 ? 65536 : length);
        if (n < 0) return -1;
        data += n;
        length -= (size_t)n;
    }
    return virStreamFinish(stream);
}

int storage_upload(struct host *h, const char *file, const char *data, size_t length, struct err *e) {
    char *xml scoped_free = volume_xml(file, bytes((int64_t)length), "raw", NULL);
    if (storage_need(h, e) < 0) return -1;
    virStorageVolPtr volume = virStorageVolCreateXML(h->storage, xml, 0);
    if (!volume) return host_fail(h, e, "volume %s cannot be made on host %s", file, h->named->name);
    virStreamPtr stream = virStreamNew(h->connection, 0);
    int rc = stream ? virStorageVolUpload(volume, stream, 0, length, 0) : -1;
    if (rc == 0) rc = send_all(stream, data, length);
    if (rc < 0) host_fail(h, e, "volume %s cannot be filled on host %s", file, h->named->name);
    if (rc < 0 && stream) virStreamAbort(stream);
    if (rc < 0) (void)virStorageVolDelete(volume, 0);
    if (stream) virStreamFree(stream);
    virStorageVolFree(volume);
    return rc;
}

int storage_delete(struct host *h, const char *file, struct err *e) {
    if (!h->storage) return 0;
    virStorageVolPtr volume = virStorageVolLookupByName(h->storage, file);
    int rc = volume ? virStorageVolDelete(volume, 0) : -1;
    const virError *error = rc < 0 ? virGetLastError() : NULL;
    if (rc < 0 && error && error->code == VIR_ERR_NO_STORAGE_VOL) rc = 0;
    if (rc < 0) host_fail(h, e, "volume %s of host %s cannot be removed", file, h->named->name);
    if (volume) virStorageVolFree(volume);
    return rc;
}

/* ---- the verbs for volumes ---- */

/* The token stands: as large as wanted, or a difference that a person must see. */
static int volume_compare(struct host *h, const struct backend_operation *op, const struct held_volume *v,
                          struct err *e) {
    if (backend_volume_fits(op->bytes, v->capacity)) return 0;
    return err_set(e, ERR_FAILED, "volume %s stands on host %s with %lld bytes, wanted are %lld", v->file,
                   h->named->name, (long long)v->capacity.n, (long long)op->bytes.n);
}

int volume_ensure(struct host *h, struct backend_operation *op, struct err *e) {
    char file[256];
    const struct held_volume *v = inventory_volume(h, op->token, ROLE_DATA);
    if (v) return volume_compare(h, op, v, e);
    volume_file_name(file, sizeof file, op->name, op->token, ROLE_DATA);
    if (storage_create(h, file, op->bytes, NULL, e) < 0) return -1;
    if (child_fault(h, "libvirt.volume-made", e) == 0) return 0;
    if (storage_delete(h, file, e) < 0) e->code = ERR_UNKNOWN;
    return -1;
}

static const char *user_of(const struct host *h, const char *token) {
    for (size_t i = 0; i < h->n_domains; i++) {
        const struct held_domain *d = &h->domains[i];
        size_t k;
        json_t *disk;
        if (d->gone) continue;
        json_array_foreach(json_object_get(d->meta, "disks"), k, disk) {
            const char *used = json_string_value(disk);
            if (used && strcmp(used, token) == 0) return d->name;
        }
    }
    return NULL;
}

int volume_remove(struct host *h, struct backend_operation *op, struct err *e) {
    struct held_volume *v = inventory_volume(h, op->token, ROLE_DATA);
    if (!v) return 0;
    const char *user = user_of(h, op->token);
    if (user)
        return err_set(e, ERR_RETRY, "volume %s of host %s is in use by %s", v->file, h->named->name, user);
    if (storage_delete(h, v->file, e) == 0) return 0;
    if (e->code == ERR_FAILED)
        e->code = ERR_RETRY; /* it stands as before: a removal may always be repeated */
    return -1;
}
