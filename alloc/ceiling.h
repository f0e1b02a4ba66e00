/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each tenant and each organisation holds in a pool, beside the most it may hold: the second
 * guard, kept by constraints in the store whatever the policy code does. Compute counts from the
 * reservation until the units were seen absent; storage until its volumes were. The table `holding` has the
 * same for each single item (units of a flavor, the data lake, seats) and follows the entries of the ledger.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"

struct holding {
    gflops_t compute;
    bytes_t storage;
};

/* Adds to both rows of the tenant; limits (may be NULL: kept) are set to max(limit, held before). A row that
   would pass its limit is ERR_CONFLICT. */
int ceiling_add(struct book *b, int64_t tenant, struct holding more, const struct plan_limits *limits,
                struct err *e);
/* The most of single items: max(limit, held). What the policy does not limit any more has no bound. */
int ceiling_items_set(struct book *b, int64_t tenant, const struct plan_limits *limits, struct err *e);
/* An entry brought so much of an item to a grant of the tenant, or took it (less than 0). Called by
 * book_write(). */
int ceiling_item_moved(struct book *b, int64_t tenant, const char *item, int64_t quantity, struct err *e);
int ceiling_take(struct book *b, int64_t tenant, struct holding less, struct err *e);

/* Raises limits to what a tenant or organisation ("tenant", "organisation") holds, with so much more. */
int ceiling_widen(struct book *b, const char *scope, int64_t owner, struct holding more, gflops_t *compute,
                  bytes_t *storage, struct err *e);
int ceiling_item_widen(struct book *b, const char *scope, int64_t owner, const char *item, int64_t more,
                       int64_t *most, struct err *e);
