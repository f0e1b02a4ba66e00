/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the files of alloc/reconcile.h call each other; nobody else includes this. reconcile.c carries out what
 * is open, reconcile_look.c compares what is there with the ledger, reconcile_difference.c says how one thing
 * differs, reconcile_stray.c removes what no operation stands for.
 */
#pragma once
#include "alloc/pool.h"
#include "alloc/reconcile.h"
#include "alloc/settle.h"
#include "alloc/work.h"

/* A thing at the backend that no operation stands for any more, and that shall go. */
struct stray {
    char *token, *name, *host;
    enum backend_kind kind;
    bool ordered; /* by a person; else it came back after it was gone */
};

/* One pool at work. */
struct run {
    struct store *store;
    const struct reconcile_options *options;
    struct reconcile_report *report;
    int64_t pool;
    struct pool_place place;
    const struct backend *backend;
    struct work work;
    size_t done, total;
    struct stray *strays;
    size_t n_strays, strays_room;
    json_t *by_token; /* of the report's things: what becomes of each is written there */
};

/* reconcile.c */
instant_t reconcile_now(const struct run *r);
/* Settles in one transaction. */
int reconcile_write_down(struct run *r, struct observation *seen, size_t n, struct err *e);
void reconcile_count(struct reconcile_report *report, enum backend_answer answer);
void reconcile_outcome(struct run *r, const struct backend_operation *op, bool want_present);

/* reconcile_look.c: asks the backend what is there; labels everything and writes down what it tells. */
int reconcile_look(struct run *r, struct err *e);

/* reconcile_difference.c: how a thing that is there differs from what is wanted. 0: not; else *words, which
   the caller frees. may_set: asking the backend again puts it right. */
struct difference {
    char *words;
    bool may_set;
};
bool reconcile_is_down(const struct backend_seen *seen); /* what never was more than this is not there yet */
bool reconcile_differs(const struct backend_operation *op, const struct backend_seen *seen,
                       struct difference *out);

/* reconcile_stray.c */
void reconcile_stray(struct run *r, const struct backend_seen *seen, bool ordered);
int reconcile_remove_strays(struct run *r, struct err *e);
void reconcile_strays_free(struct run *r);
