/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of a pool's policy. A version is a document (text, tables and catalogue as canonical JSON)
 * with one hash; loading appends, no document is ever replaced or taken away. Only the time in which a
 * version is valid can be changed, with a note. The newest loaded that is valid now decides; when none is,
 * requests are held.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/hash.h"
#include "alloc/store.h"

struct version_new {
    int64_t pool;
    const char *name; /* of the policy */
    int64_t version;
    const char *stored;               /* canonical JSON; its SHA-256 is the hash */
    struct maybe_instant from, until; /* valid in [from, until) */
};

enum version_loaded {
    VERSION_NEW,
    VERSION_SAME,  /* this version with this hash is there already: nothing is written */
    VERSION_MOVED, /* the same, and its validity was changed, with a note of both in the ledger */
};
/* Inside a store_write(). The same version with another hash is ERR_CONFLICT. A bound that v does not have
   leaves that of a version that is there as it is. */
int version_load(struct store *s, const struct version_new *v, const char *actor, instant_t now, int64_t *id,
                 enum version_loaded *what, struct err *e);

/* The one that decides. 1 found; 0 none is valid now; -1. The text is the caller's. */
int version_active(struct store *s, int64_t pool, instant_t now, int64_t *id, struct hash *hash,
                   char **stored, struct err *e);
/* The document of any version, by its number in the store; the caller's. */
int version_stored(struct store *s, int64_t id, char **stored, struct err *e);
/* Newest first: pool, name, version, hash, valid_from, valid_until, loaded_at, loaded_by, active. pool 0:
 * all. */
json_t *version_list(struct store *s, int64_t pool, instant_t now, struct err *e);
