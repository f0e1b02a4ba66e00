/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated cloud: one file of JSON lines, one thing per line, keyed by token. It is locked by a
 * flock on FILE.lock while it is open, read as a whole and replaced as a whole (write, fsync, rename,
 * fsync of the folder), so that a call of ten thousand operations costs one write and a program that is
 * killed leaves the old cloud or the new one.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/json.h"

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
enum backend_kind thing_kind(const json_t *thing);
/* Not a thing of ours, but what a tenant may use in a project, whatever operations stand for it. */
bool thing_is_allowance(const json_t *thing);

/* ---- between the files of the backend ---- */

struct simulated {
    char title[160];
    json_t *wrapper; /* {"settings": ...}: its places name their path in full */
    const char *file;
    struct json_at root, settings, flavors, fail_names, lose_answers, slow, dead_hosts;
    bool has_storage, has_projects, has_containers, holds_containers, by_quota;
    int64_t slow_calls; /* 0: only a look finishes what is slow */
    bytes_t storage;    /* per host */
};

struct simulated_flavor {
    int64_t units_per_host;
    size_t attach;
};
extern const char *const simulated_attaches[];

/* simulated_settings.c. To be dropped with simulated_settings_drop() also when it fails; the places point
 * into *s. */
int simulated_settings_read(const struct backend_pool *pool, struct simulated *s, struct err *e);
void simulated_settings_drop(struct simulated *s);
int simulated_flavor_read(const struct simulated *s, const char *name, struct simulated_flavor *out,
                          struct err *e);
bool simulated_matches(const struct json_at *patterns, const char *name);
ERR_FORMAT(3, 4)
void simulated_answer(struct backend_operation *op, enum backend_answer a, const char *format, ...);

/* simulated_thing.c. True: the cloud was changed for this operation. */
json_t *simulated_connection(const json_t *thing);
bool simulated_ensure_one(const struct simulated *s, struct cloud *c, struct backend_operation *op);
bool simulated_remove_one(const struct simulated *s, struct cloud *c, struct backend_operation *op);

/* simulated_quota.c: likewise, of quotas. */
bool simulated_quota_set(struct cloud *c, struct backend_operation *op);
bool simulated_quota_end(struct cloud *c, struct backend_operation *op);
void simulated_quota_see(const struct cloud *c, const json_t *thing, struct backend_seen *out);
