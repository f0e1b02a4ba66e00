/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool in operation: what its backend was seen to have, what gives nothing new, what is lost and came
 * back, and how all of it is shown. All but the two that show run inside one store_write() and open the
 * pool's book themselves; the backend was asked before. Answers are JSON for output and the caller's.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/store.h"

/* Writes what a sync has found: devices, real storage, when each host was seen. Declared units never
   change: what differs is said. Free devices that vanished are lost, those in use are named.
   *report: {pool, at, differs, hosts, flavors, unmatched, notes, warnings}; differs: fewer than declared, a
   device gone under a server, or a host that did not answer. */
int pool_sync(struct store *s, int64_t pool, const struct backend_view *view, const char *actor,
              instant_t now, json_t **report, struct err *e);

/* host NULL: the whole pool. A drained pool or host gives nothing new and keeps what it has. */
int pool_drain(struct store *s, int64_t pool, const char *host, bool on, const char *actor, instant_t now,
               struct err *e);

/* A host with all that is on it, so many units of a flavor on a host, or, where devices are only counted,
   so many of a flavor. Free units alone can be lost by number; of a flavor that a person delivers, which is
   on no host, also those of a grant. */
struct pool_part {
    const char *host, *flavor; /* NULL: not named */
    int64_t units;             /* with flavor */
    int64_t grant;             /* with flavor and units: those that it has; 0: free ones */
};
/* What losing it takes from whom: {pool, host, flavors, servers, volumes}; changes nothing. */
int pool_loss(struct store *s, int64_t pool, const struct pool_part *part, json_t **loss, struct err *e);
/* Does it: units to lost, their servers given up, grants and ceilings smaller, each tenant told. */
int pool_lose(struct store *s, int64_t pool, const struct pool_part *part, const char *actor, instant_t now,
              json_t **loss, struct err *e);
/* Lost -> free. A host: its devices, and it is active again. *back: {pool, host, flavors}. */
int pool_restore(struct store *s, int64_t pool, const struct pool_part *part, const char *actor,
                 instant_t now, json_t **back, struct err *e);

/* One pool with hosts, flavors and settings; all pools as rows. NULL on failure. */
json_t *pool_show(struct store *s, int64_t pool, struct err *e);
json_t *pool_list(struct store *s, struct err *e);
