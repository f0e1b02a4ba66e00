/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend tells of use: one record for each thing that was there in the time asked for, and the
 * figures that the backend itself has summed up. All is allocated and ends with backend_usage_free().
 *
 * A record is what the backend's books say, not an opinion: a server was up from `started` to `ended`,
 * whether its guest was stopped meanwhile or not (`state` tells how it was found). Who wants hours
 * clips them with backend_sample_up(). A host that did not answer is a gap: nothing is known of it.
 */
#pragma once
#include "alloc/backend.h"

struct backend_sample {
    char *token; /* of the thing; where a tenant works by itself, of the first quota of its project; NULL:
                    none */
    enum backend_kind kind;
    char *id, *name, *host; /* id: the backend's own, stable */
    enum backend_state state;
    instant_t at; /* when it was read */
    /* server */
    char *flavor; /* of the pool; NULL: another size, or one without accelerators */
    int64_t units;
    instant_t started, ended; /* 0: not yet; a volume: when it was made */
    int64_t cpu_ns;           /* since its start; 0 where it is not told */
    /* volume (a share of files too), container */
    bytes_t provisioned, stored; /* stored: where it is told */
};

/* A figure of the backend's own books over the time asked for, and the same from our records. */
struct backend_meter {
    char *host, *source; /* source: "os-simple-tenant-usage", "partner" */
    char *name, *unit;
    char *id;    /* of what it is about; NULL: the host as a whole */
    char *value; /* a decimal number as it was told */
    bool has_ours;
    int64_t ours, theirs; /* whole seconds; theirs: value rounded */
};

struct backend_usage {
    struct backend_sample *samples;
    size_t n_samples;
    struct backend_meter *meters;
    size_t n_meters;
    struct backend_host_report *hosts; /* every host of the pool */
    size_t n_hosts;
};
void backend_usage_free(struct backend_usage *usage);
/* Seconds of [since, until) in which a server was up; the time after `at` is not known and not counted. */
int64_t backend_sample_up(const struct backend_sample *s, instant_t since, instant_t until);
