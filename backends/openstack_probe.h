/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying an account, step by step: what an administrator would try by hand on the first day. One project
 * of the pool shows what is the same in all (openstack_probe.c); each project then shows what may differ
 * (openstack_probe_project.c). Nothing is written unless it is allowed, and what is written is removed.
 */
#pragma once
#include "alloc/backend_probe.h"
#include "backends/openstack.h"

int probe_run(struct run *run, bool may_write, struct backend_probe *out, struct err *e);

/* One project in one probe. */
struct probe {
    struct project *p;
    const char *host; /* NULL: what is the same for all */
    bool may_write;
    struct backend_probe *out;
};
/* A reading call: the status, 0 when none came; *out the body as JSON (the caller's), words of a refusal in
 * e. */
int probe_get(const struct probe *x, const char *service, const char *path, json_t **out, int64_t *ms,
              struct err *e);
/* A step about such a call that failed: missing where the pool needs it, else absent; failed without an
 * answer. */
void probe_refused(const struct probe *x, const char *name, bool is_needed, int status, int64_t ms,
                   const struct err *e);
void probe_project(const struct probe *x);    /* token, catalog, limits, volumes */
void probe_objects(const struct probe *x);    /* the object store, with a container of its own */
void probe_everywhere(const struct probe *x); /* versions, sizes, image, network */
void probe_quota(struct run *run, struct backend_probe *out); /* delivery by quota */
