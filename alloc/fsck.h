/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the books close? Everything is recomputed from the entries and compared with what the store
 * keeps beside them: account balances, ceilings, grants, operations, slots, links between rows, both
 * hash chains, and the database's own integrity. Nothing is changed; one snapshot, while others work.
 */
#pragma once
#include "alloc/store.h"

enum { FSCK_FINDINGS_MOST = 50 };

/* {"clean": bool, "entries": n, "accounts": n, "grants": n, "operations": n, "more": bool,
    "findings": [{"check": "ceiling", "what": "tenant c0042 in pool gj: ..."}, ...]}
   `more`: there were more than FSCK_FINDINGS_MOST. NULL only when the store could not be read at all. */
json_t *fsck_run(struct store *s, struct err *e);

/* The checks that are one statement each (alloc/fsck_rules.c): it returns a row per finding, whose only
   column is the sentence. They read the accounts, which were compared with the entries before. */
struct fsck_rule {
    const char *check, *sql;
};
extern const struct fsck_rule fsck_rules[]; /* ends with check NULL */
