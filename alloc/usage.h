/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Granted usage, exact, from the ledger alone: what was held (units) and held or kept (bytes), times
 * the seconds it was, within the half-open span [since, until) in UTC. Compute is unit-seconds times
 * the rating of the grant's line. Sums are 128 bit; in JSON they are decimal strings. Figures of
 * different basis are never added: a row is of one pool and one basis.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/store.h"

enum usage_by { USAGE_BY_TENANT, USAGE_BY_GRANT, USAGE_BY_FLAVOR };

struct usage_query {
    int64_t tenant, pool; /* 0: all */
    instant_t since, until;
    enum usage_by by;
    bool with_conservation; /* of the whole pools: not for a tenant's own face */
};

/* Where a report begins unless told: the first second of the civil month in which t falls. */
instant_t usage_month(instant_t t);

/* {"since", "until", "by",
    "rows": [{"pool", "basis", "tenant" | "grant" and "tenant" | "flavor", "compute_gflops_seconds": "...",
              "storage_byte_seconds": "...", "compute_tf_hours": "1234.500", "storage_tb_hours": "..."}],
    "totals": [{"basis", the four figures}],
    "conservation": [{"pool", "item", "unit", "held", "kept", "reserved", "releasing", "free", "lost",
                      "unattributed", "capacity": "...", "closes": bool}], "closes": bool}
   The conservation figures are unit-seconds or byte-seconds. With USAGE_BY_FLAVOR the bytes stand in a row
   whose flavor is null. capacity is what came in from the world, integrated; the parts are summed from the
   grants' own rows and must give the same, and the balances at the end those that the accounts show. NULL on
   failure. */
json_t *usage_of(struct store *s, const struct usage_query *q, struct err *e);
