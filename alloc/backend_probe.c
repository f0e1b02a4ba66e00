/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/backend_probe.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const backend_outcome_words[] = {"works", "absent", "missing", "failed", "skipped", NULL};
const char *const backend_resources[] = {"vcpus",      "memory_mib",  "servers",
                                         "volume_gib", "volumes",     "volume_each_gib",
                                         "nas_gb",     "nas_volumes", NULL};

enum { WORDS_MOST = 1536 };

void backend_probe_step(struct backend_probe *p, const char *host, const char *name,
                        enum backend_outcome outcome, int64_t ms, const char *format, ...) {
    char words[WORDS_MOST];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    p->steps = mem_one_more(p->steps, p->n_steps, sizeof *p->steps);
    p->steps[p->n_steps++] =
        (struct backend_step){mem_copy(host), mem_copy(name), outcome, mem_copy(words), ms};
}

void backend_probe_limit(struct backend_probe *p, struct backend_quota_limit limit) {
    limit.host = mem_copy(limit.host);
    p->limits = mem_one_more(p->limits, p->n_limits, sizeof *p->limits);
    p->limits[p->n_limits++] = limit;
}

void backend_probe_size(struct backend_probe *p, struct backend_size size) {
    size.flavor = mem_copy(size.flavor);
    size.name = mem_copy(size.name);
    p->sizes = mem_one_more(p->sizes, p->n_sizes, sizeof *p->sizes);
    p->sizes[p->n_sizes++] = size;
}

void backend_probe_free(struct backend_probe *p) {
    for (size_t i = 0; i < p->n_steps; i++) {
        free(p->steps[i].host);
        free(p->steps[i].name);
        free(p->steps[i].words);
    }
    for (size_t i = 0; i < p->n_limits; i++) free(p->limits[i].host);
    for (size_t i = 0; i < p->n_sizes; i++) {
        free(p->sizes[i].flavor);
        free(p->sizes[i].name);
    }
    free(p->steps);
    free(p->limits);
    free(p->sizes);
    *p = (struct backend_probe){0};
}
