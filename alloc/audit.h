/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger as evidence. A head names the end of every pool's chain at a moment, signed by a key that
 * lies outside the store: who cuts the last entries off, or writes them anew with hashes that fit, is
 * found by an earlier head. A head is a small text:
 *
 *   allot audit head 1
 *   store 4f1c09ab37de
 *   epoch 1
 *   at 2026-11-22T06:30:00Z
 *   entries 357
 *   tenants 120
 *   pool 0 12 <hash> -
 *   pool 1 345 <hash> gj
 *   signature <base64, Ed25519, over all lines above>
 *
 * Several may stand one after the other in a file (`tick` appends them).
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/store.h"

/* The signed head of the store as it stands; owned by the caller. key: path of the signing key. */
char *audit_head(struct store *s, instant_t now, const char *key, struct err *e);

/* Both chains of every entry, and with `heads` (NULL: none; a text of one or more heads) whether each head
   is of this store, was signed by the key (its public half suffices) and is still part of the chains.
   {"entries": n, "heads": n, "findings": ["...", ...]}; no findings: all is well. NULL: could not be done. */
json_t *audit_verify(struct store *s, const char *heads, const char *key, struct err *e);

struct audit_filter {
    int64_t tenant, grant, pool; /* 0: any */
    const char *actor, *kind;    /* NULL: any; kind "grant" also takes "grant.reserve" */
    instant_t since, until;      /* half-open; INSTANT_LEAST and INSTANT_MOST for all */
};
/* Entries, oldest first: seq, at, actor, kind, pool, tenant, request, grant, decision (d-34, of a decision),
   operation, item, from, to, quantity, detail (null: none, or blanked). */
json_t *audit_entries(struct store *s, const struct audit_filter *f, struct err *e);
