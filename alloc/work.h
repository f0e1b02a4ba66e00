/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open operations of a pool, read from the store in the form that a backend takes. Inner part of
 * alloc/reconcile.c.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/scope.h"
#include "alloc/store.h"

struct work_item {
    int64_t id, grant;
    bool want_present;
    char observed[16];
    bool seen, host_answered; /* filled by labelling */
};

struct work {
    struct backend_operation
        *ops;                /* by grant; volumes before servers where they are made, after where removed */
    struct work_item *items; /* same order */
    size_t n;
    struct keep memory;
};

/* Every operation of the pool that is not seen absent yet; open: only those whose wish is not fulfilled. */
int work_load(struct store *s, int64_t pool, int64_t grant, bool open, struct work *out, struct err *e);
void work_free(struct work *w);
