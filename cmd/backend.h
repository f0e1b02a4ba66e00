/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the word "backend", between their files. */
#pragma once
#include "alloc/backend_probe.h"
#include "alloc/pool.h"
#include "cmd/command.h"

extern const struct command backend_commands[];

/* A pool of the call's first argument with its plug-in, as it is asked. End it also when it fails. */
struct backend_place {
    const struct backend *backend;
    struct pool_place place;
    json_t *catalogue;
    int64_t pool;
    bool is_loaded;
};
int backend_place_open(struct call *call, struct backend_place *out, struct err *e);
void backend_place_end(struct backend_place *p);

/* cmd/backend_usage.c */
int backend_usage_run(struct call *call, struct err *e);
extern const struct option backend_usage_options[];

/* cmd/backend_words.c: what a step tries, and what to do when it is missing. NULL: nothing to say. */
const char *backend_step_title(const struct call *call, const char *name);
const char *backend_step_remedy(const struct call *call, const char *name);
const char *backend_outcome_title(const struct call *call, enum backend_outcome outcome);

/*
 * cmd/backend_needs.c: what the requests of a file need of the limits that stand at each tenant's project, or
 * at the next one that is free. *rows: [{"project", "tenant", "resource", "needed", "used", "limit",
 * "limit_read", "raise_to"}]; *ticket: the raises as text for the provider, NULL when none is needed. Both
 * are the caller's.
 */
int backend_needs(struct call *call, const struct backend_place *at, const struct backend_probe *probe,
                  const char *path, json_t **rows, char **ticket, struct err *e);
