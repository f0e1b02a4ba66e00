/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seed for cloud-init's NoCloud source: a FAT12 file system with the label CIDATA that holds
 * "user-data" and "meta-data". The geometry is that of a 1.44 MB floppy, which every reader of FAT
 * knows: 512-byte sectors, one per cluster, 1 reserved, 2 tables of 9, 224 root entries, then data.
 * (Microsoft, "FAT: General Overview of On-Disk Format", 1.03; long names: the same, page 28.) Both files'
 * contents are JSON, which is YAML too, so there is nothing to escape.
 */
#include "backends/libvirt.h"

#include "alloc/scope.h"
#include "backends/userdata.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECTOR = 512,
    SECTORS = 2880,
    TABLE_SECTORS = 9,
    ROOT_ENTRIES = 224,
    ROOT = (1 + 2 * TABLE_SECTORS) * SECTOR,
    DATA = ROOT + ROOT_ENTRIES * 32,
    CLUSTERS = SECTORS - DATA / SECTOR,
};

struct image {
    unsigned char *at;
    unsigned next_cluster, next_entry;
};

static void put16(unsigned char *at, unsigned v) {
    at[0] = (unsigned char)v;
    at[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *at, size_t v) {
    put16(at, (unsigned)(v & 0xffff));
    put16(at + 2, (unsigned)(v >> 16));
}

/* Letters without an end: fields on disk are filled up with spaces. */
static void put_letters(unsigned char *at, const char *letters) {
    while (*letters) *at++ = (unsigned char)*letters++;
}

static void boot_sector(struct image *m) {
    static const unsigned char jump[] = {0xeb, 0x3c, 0x90};
    unsigned char *b = m->at;
    memcpy(b, jump, 3);
    put_letters(b + 3, "MSWIN4.1");
    put16(b + 11, SECTOR);
    b[13] = 1; /* sectors per cluster */
    put16(b + 14, 1);
    b[16] = 2;
    put16(b + 17, ROOT_ENTRIES);
    put16(b + 19, SECTORS);
    b[21] = 0xf0;
    put16(b + 22, TABLE_SECTORS);
    put16(b + 24, 18);
    put16(b + 26, 2);
    b[38] = 0x29;
    put32(b + 39, 0xa1107000);
    put_letters(b + 43, "CIDATA     FAT12   ");
    put16(b + 510, 0xaa55);
}

static void table_set(struct image *m, unsigned cluster, unsigned value) {
    for (int copy = 0; copy < 2; copy++) {
        unsigned char *t = m->at + SECTOR + copy * TABLE_SECTORS * SECTOR + cluster * 3 / 2;
        if (cluster % 2) {
            t[0] = (unsigned char)((t[0] & 0x0f) | (value << 4 & 0xf0));
            t[1] = (unsigned char)(value >> 4);
        } else {
            t[0] = (unsigned char)value;
            t[1] = (unsigned char)((t[1] & 0xf0) | (value >> 8 & 0x0f));
        }
    }
}

static unsigned char *entry_next(struct image *m) { return m->at + ROOT + 32 * m->next_entry++; }

/* One entry holds a long name of up to 13 letters; its checksum ties it to the short name. */
static void long_name(struct image *m, const char *name, const char *short_name) {
    static const unsigned char places[] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned char *entry = entry_next(m), sum = 0;
    for (int i = 0; i < 11; i++)
        sum = (unsigned char)(((sum & 1) << 7) + (sum >> 1) + (unsigned char)short_name[i]);
    entry[0] = 0x41; /* the last and only */
    entry[11] = 0x0f;
    entry[13] = sum;
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof places; i++)
        put16(entry + places[i], i < length ? (unsigned char)name[i] : i == length ? 0 : 0xffff);
}

static int file_add(struct image *m, const char *name, const char *short_name, const struct text *content,
                    struct err *e) {
    unsigned clusters = (unsigned)((content->length + SECTOR - 1) / SECTOR), first = m->next_cluster;
    if (content->length > (size_t)CLUSTERS * SECTOR || first + clusters > CLUSTERS + 2)
        return err_set(e, ERR_FAILED, "the SSH keys of the tenant do not fit into a cloud-init seed");
    memcpy(m->at + DATA + (first - 2) * SECTOR, content->s, content->length);
    for (unsigned c = first; c < first + clusters; c++)
        table_set(m, c, c + 1 < first + clusters ? c + 1 : 0xfff);
    m->next_cluster += clusters;
    long_name(m, name, short_name);
    unsigned char *entry = entry_next(m);
    put_letters(entry, short_name);
    entry[11] = 0x20;
    put16(entry + 24, 0x5c21); /* 2026-01-01: the same seed has the same bytes */
    put16(entry + 26, first);
    put32(entry + 28, content->length);
    return 0;
}

static int image_build(const struct text *user_data, const struct text *meta_data, struct text *out,
                       struct err *e) {
    struct image m = {.at = mem_alloc(SECTORS * SECTOR), .next_cluster = 2};
    boot_sector(&m);
    table_set(&m, 0, 0xff0);
    table_set(&m, 1, 0xfff);
    unsigned char *label = entry_next(&m);
    put_letters(label, "CIDATA     ");
    label[11] = 0x08;
    int rc = file_add(&m, "meta-data", "META-D~1   ", meta_data, e);
    if (rc == 0) rc = file_add(&m, "user-data", "USER-D~1   ", user_data, e);
    if (rc == 0) text_put(out, (const char *)m.at, SECTORS * SECTOR);
    free(m.at);
    return rc;
}

int seed_build(const struct backend_operation *op, const char *user, struct text *out, struct err *e) {
    struct text user_data scoped_text = {0}, meta_data scoped_text = {0};
    json_t *meta scoped_json = json_pack("{s:s, s:s}", "instance-id", op->token, "local-hostname", op->name);
    char *meta_text scoped_free = json_dumps(meta, JSON_COMPACT);
    if (!meta_text || userdata_build(op, user, &user_data, e) < 0)
        return err_set(e, ERR_FAILED, "the seed of %s cannot be written", op->name);
    text_add(&meta_data, "%s\n", meta_text);
    return image_build(&user_data, &meta_data, out, e);
}
