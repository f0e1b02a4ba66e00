/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A candidate policy beside the active one of a pool. It decides nothing and costs a live decision nothing:
 * what it would have decided is found when somebody asks, from the facts that are stored with every plan
 * since the candidate was set. Those facts are what the active policy left: had the candidate ruled, later
 * requests would have met other holdings.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/hash.h"
#include "alloc/store.h"

#include <jansson.h>

struct shadow {
    struct hash hash;
    char *stored; /* the candidate as it would be loaded (policy_stored) */
    instant_t made_at;
    char *made_by;
};
void shadow_free(struct shadow *s);

/* Inside a store_write(), each with a note in the ledger. Set takes the place of one that is there; clear is
   ERR_NOT_FOUND when there is none. */
int shadow_set(struct store *s, int64_t pool, const char *stored, const char *actor, instant_t now,
               struct err *e);
int shadow_clear(struct store *s, int64_t pool, const char *actor, instant_t now, struct err *e);
/* 1 found; 0 the pool has none; -1. */
int shadow_find(struct store *s, int64_t pool, struct shadow *out, struct err *e);

/*
 * {"plans", "decisions", "differing", "differences": [{"request", "tenant", "at", "differs": ["outcome",
 * ...], "active": {"outcome", "compute_gflops", "storage_bytes", "tier"?, "codes"}, "candidate": likewise}]}
 * Of all decisions made since it was set, by plan and request; differs: outcome, amount, tier, codes (of
 * reasons). NULL with *e set.
 */
json_t *shadow_compare(struct store *s, const struct decider *decider, int64_t pool,
                       const struct shadow *shadow, struct err *e);
