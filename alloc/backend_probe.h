/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend was found to be able to do, step by step, and which limits stand there. Steps have
 * stable names; what people read about a name stands with the command (cmd/backend_words.h). Words are
 * figures and the backend's own answers. All is allocated and ends with backend_probe_free().
 */
#pragma once
#include "alloc/backend.h"

enum backend_outcome {
    PROBE_WORKS,
    PROBE_ABSENT,  /* not there, and the pool does not need it */
    PROBE_MISSING, /* not there, and the pool needs it */
    PROBE_FAILED,  /* it could not be found out */
    PROBE_SKIPPED, /* not tried: it would write, or what it builds on is missing */
};
extern const char *const backend_outcome_words[]; /* "works" "absent" "missing" "failed" "skipped" NULL */

struct backend_step {
    char *host; /* NULL: the same for the whole pool */
    char *name; /* "token", "sizes", ... */
    enum backend_outcome outcome;
    char *words;
    int64_t ms;
};

/* How much of something a host (a project) may use. */
struct backend_quota_limit {
    char *host;
    const char *resource; /* backend_resources[] */
    bool unlimited;
    int64_t limit, used;
    bool was_read; /* false: as the provider has published it for a new project */
};
/* "vcpus" "memory_mib" "servers" "volume_gib" "volumes" "volume_each_gib" "nas_gb" "nas_volumes" NULL */
extern const char *const backend_resources[];

/* What one server of the pool's sizes takes of such limits. */
struct backend_size {
    char *flavor, *name; /* name: at the backend */
    int64_t units, vcpus, memory_mib;
    int64_t root_gib; /* of its root disk, where that is a volume; else 0 */
};

struct backend_probe {
    struct backend_step *steps;
    size_t n_steps;
    struct backend_quota_limit *limits;
    size_t n_limits;
    struct backend_size *sizes;
    size_t n_sizes;
};
void backend_probe_free(struct backend_probe *probe);
/* Adds a step. host NULL: the pool; ms: how long it took. */
void backend_probe_step(struct backend_probe *p, const char *host, const char *name,
                        enum backend_outcome outcome, int64_t ms, const char *format, ...) ERR_FORMAT(6, 7);
void backend_probe_limit(struct backend_probe *p, struct backend_quota_limit limit); /* host is copied */
void backend_probe_size(struct backend_probe *p, struct backend_size size);          /* names are copied */
