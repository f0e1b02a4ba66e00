/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each tenant and each organisation holds in a pool, beside the most it may hold: the second
 * guard, kept by constraints in the store whatever the policy code does. Compute counts from the
 * reservation until the units were seen absent; storage until its volumes were.
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
int ceiling_take(struct book *b, int64_t tenant, struct holding less, struct err *e);
