/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open operations of a pool, read from the store in the form that a backend takes. Inner part of
 * alloc/reconcile.c. A quota operation carries the sums over all of its tenant's that are wanted now. A quota
 * operation carries the sums over all of its tenant's that are wanted now.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/scope.h"
#include "alloc/store.h"

struct work_item {
    int64_t id, grant;
    bool want_present;
    char observed[16];
    bool host_answered; /* filled by labelling */
    bool differs;       /* it is there, and the backend is asked to set it right */
    bool is_off;        /* nothing is done about it in this pass */
    bool is_started;    /* the backend is at work on it */
    bool is_waited_for; /* it is, or nothing has happened yet */
};

struct work {
    struct backend_operation
        *ops;                /* by grant; volumes before servers where they are made, after where removed */
    struct work_item *items; /* same order */
    size_t n;
    struct keep memory;
};

/* Every operation of the pool that is not seen absent yet, but what waits for its agreement; open: only those
 * whose wish is not fulfilled. */
struct work_filter {
    int64_t pool;
    const int64_t *grants; /* ascending; n_grants 0: of all grants */
    size_t n_grants;
    bool open;
    const char *token; /* not NULL: this one alone, whatever was seen of it */
};
int work_load(struct store *s, const struct work_filter *f, struct work *out, struct err *e);
void work_free(struct work *w);
