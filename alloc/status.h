/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of everything on one screen, and whether something is wrong or stale. Reads caches only
 * (accounts, not entries): it must answer in milliseconds with ten thousand grants.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/store.h"

/* A job of cron that has not run well for longer than this is stale. */
struct status_limits {
    span_t tick, reconcile, notify;
    bool expects_notify; /* false: nothing is configured to deliver with */
    int64_t projects;    /* fewer that are left in a pool are too few */
};

/* {"at", "store", "epoch",
    "pools": [{"pool", "state", "backend", "basis", "counted_only", "compute": {"capacity_gflops",
               "free_gflops", "reserved_gflops", "held_gflops", "releasing_gflops", "lost_gflops"},
               "storage": {"capacity_bytes", ..., "kept_bytes", ...},
               "items": [{"item", "capacity", "free", "reserved", "held", "kept", "releasing", "lost"}]}],
    "requests": {"queued": n, "held": n}, "grants": {"active": n, ...},
    "operations": {"pending": n, "troubled": n}, "drift": [{"pool", "label", "count"}],
    "messages": {"undelivered": n, "oldest": time or null},
    "jobs": [{"job", "good": time or null, "started", "trouble", "limit_seconds", "stale": bool}],
    "hosts": [{"pool", "host", "state", "trouble", "storage_used_percent"}],   (only those in trouble)
    "projects": [{"pool", "projects", "bound", "left"}],   (of pools that have them)
    "troubles": ["sentence", ...]}
   Items add no compute: "unit/npu" without a rating, "seat/lab", "datalake" (bytes). Held amounts count with
   the ratings of their grants, the others with those of the pool today. An empty `troubles` is what
   `status --check` calls good. NULL on failure. */
json_t *status_of(struct store *s, const struct status_limits *limits, instant_t now, struct err *e);
