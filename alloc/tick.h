/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time brings: notice -> end (grace) -> release -> kept -> second notice -> purge, and the queue
 * planned again. One transaction per pool; the backends are reconcile's. Each step is idempotent: a tick
 * that comes late does what the missed ones would have done, in order.
 *
 * A grant is released when its grace has passed since its end and since its notice was delivered; kept
 * volumes are purged when keep_until has passed and, since the second notice was delivered, the grace.
 * Nothing ends on a notice that nobody got.
 *
 * Reclaims: what is due is taken back before the queue is planned; after it, for what still waits, one round
 * of new notices (alloc/reclaim.h).
 */
#pragma once
#include "alloc/engine.h"
#include "alloc/reclaim.h"

struct tick_options {
    const struct decider *decider;
    const char *actor;
    instant_t now;
    bool confirm;          /* go on although something looks wrong */
    int64_t releases_most; /* more releases and purges than this in one run need confirm */
    span_t gap_most;       /* a longer time since the last run needs confirm (25 hours) */
};

struct tick_report {
    int64_t notices, graces, releases, purge_notices, purges;
    int64_t waiting_for_delivery; /* ends that wait because their notice was not delivered */
    int64_t offers_ended;         /* their time has passed */
    int64_t unsigned_agreements;  /* awarded in a call and not signed in time */
    struct reclaim_report reclaim;
    struct engine_results decided;
};
void tick_report_free(struct tick_report *r);

/* ERR_CONFLICT with the list when it refuses; then nothing was changed. */
int tick(struct store *s, const struct tick_options *o, struct tick_report *out, struct err *e);

/* Cron's jobs leave a trace, so that status notices when cron has died. */
int job_begin(struct store *s, const char *name, instant_t now, struct err *e);
int job_end(struct store *s, const char *name, instant_t now, const char *trouble, struct err *e);
