/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was measured of grants: whole percents of full use of one metric over a half-open interval
 * [at, at + seconds) in UTC. A sample is stored once; intervals of one grant and metric do not overlap.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/store.h"

enum {
    SAMPLE_LAG_SECONDS = 86400, /* samples may arrive so late: a window ends at the newest one */
    SAMPLE_SECONDS_MOST = 31 * 86400,
};

struct sample {
    instant_t at;
    int64_t grant;
    const char *metric;
    int64_t seconds, percent;
};

/* "gpu_util.p95": small letters, digits, "_" and ".". */
int sample_metric_check(const char *metric, struct err *e);
/* Does the pool of the grant measure it? "gpu_util.p95" is a figure of gpu_util. ERR_USAGE: not, with those
   that it measures. An unknown grant passes: sample_add() refuses it. */
int sample_metric_measured(struct store *s, int64_t grant, const char *metric, struct err *e);
/* Inside store_write(). *added: false when the same sample is there already. Refused: another value for the
   same beginning, an overlap, a time before the grant or after now, an unknown grant (ERR_USAGE, with words).
 */
int sample_add(struct store *s, const struct sample *sample, instant_t now, bool *added, struct err *e);

struct sample_of {
    int64_t grant;
    struct fact_sample sample;
};
/* One row per live grant of the pool with samples of the metric: over `window` until its newest sample, which
   must not be older than SAMPLE_LAG_SECONDS; nothing before the last time when this grant's use had
   consequences counts. Metric borrowed; the array is the caller's. */
int sample_windows(struct store *s, int64_t pool, const char *metric, span_t window, instant_t now,
                   struct sample_of **out, size_t *n, struct err *e);
