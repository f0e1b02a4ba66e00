/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated cloud: one file of JSON lines, one thing per line, keyed by token. It is locked by a
 * flock on FILE.lock while it is open, read as a whole and replaced as a whole (write, fsync, rename,
 * fsync of the folder), so that a call of ten thousand operations costs one write and a program that is
 * killed leaves the old cloud or the new one.
 */
#pragma once
#include "alloc/backend.h"

struct cloud {
    const char *path; /* borrowed */
    int lock;
    json_t *things; /* token -> thing */
    json_t *names;  /* "host/name" -> token */
    json_t *slots;  /* "host/slot" -> token */
    json_t *disks;  /* token of a volume -> token of the server that uses it */
    json_t *used;   /* "host/flavor" -> units; "host//" -> bytes of volumes */
    bool changed;
};

/* Waits for the lock until the deadline (ERR_RETRY). A file that is missing is an empty cloud. */
int cloud_open(struct cloud *c, const char *path, int64_t deadline_ms, struct err *e);
/* Writes it if it has changed. ERR_UNKNOWN when the new file may or may not have become durable. */
int cloud_save(struct cloud *c, struct err *e);
void cloud_close(struct cloud *c);

const json_t *cloud_get(const struct cloud *c, const char *token);
void cloud_put(struct cloud *c, const char *token, json_t *thing); /* steals thing; indexes it */
void cloud_drop(struct cloud *c, const char *token);

/* The token that holds the name or the slot on the host, or NULL. */
const char *cloud_name_holder(const struct cloud *c, const char *host, const char *name);
const char *cloud_slot_holder(const struct cloud *c, const char *host, const char *slot);
const char *cloud_disk_user(const struct cloud *c, const char *token);           /* NULL: nobody */
int64_t cloud_used(const struct cloud *c, const char *host, const char *flavor); /* flavor "/": bytes */

const char *thing_text(const json_t *thing, const char *key); /* "" when absent */
int64_t thing_number(const json_t *thing, const char *key);   /* 0 when absent */
bool thing_is(const json_t *thing, const char *key);
