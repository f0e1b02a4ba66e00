/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing the backends to what the ledger says. Recovery is the ordinary path walked again: whatever
 * was cut off, the next run observes and finishes or undoes. No transaction is open while a backend
 * is called.
 *
 * Each thing gets a label:
 *   matched       in the ledger and there, alike
 *   ledger-only   wanted or not yet seen absent, but not there
 *   backend-only  carries a token that this ledger does not know (of an earlier epoch, say): reported,
 *                 removed only by a named person
 *   differing     there, but not as wanted (another size or quota, stopped, fuller than it was booked, no
 * longer wanted, back after it was gone); sizes and quotas are set right unknown       its host did not
 * answer Things of other stores are counted and never touched.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/ledger.h"

struct reconcile_options {
    int64_t pool;          /* 0: all */
    const int64_t *grants; /* ascending; only what belongs to these is acted upon. n_grants 0: all */
    size_t n_grants;
    bool observe;        /* false: only carry out what is open (the way right after a decision) */
    bool confirm;        /* believe a host that shows nothing of what stood there */
    bool dry_run;        /* label and plan, change nothing */
    const char *remove;  /* token of a backend-only thing that the actor orders removed, which is then all
                            that is done; NULL */
    int64_t wait_ms;     /* how long to wait while another run is at work */
    int64_t settle_ms;   /* how long to go on asking after what is not ready; 0: the next run does */
    int64_t deadline_ms; /* of one call to a backend */
    const json_t *catalogue;
    const char *actor;
    instant_t now;
    bool now_fixed; /* a test clock: do not read the wall clock while waiting */
    void (*progress)(void *arg, size_t done, size_t total);
    void *progress_arg;
};

struct reconcile_report {
    int64_t matched, ledger_only, backend_only, differing, unknown, foreign;
    int64_t done, waiting, refused,
        failed;      /* operations by answer: waiting covers started and "not done yet" */
    int64_t removed; /* things that a person ordered removed */
    json_t *things;  /* what is not matched: label, kind, name, host, token, tenant, grant, created, action,
                       outcome (done, undone, waiting, refused, failed; null: nothing was tried), trouble */
    json_t *hosts;   /* hosts in trouble: pool, host, trouble; or over 85 % full */
};
void reconcile_report_free(struct reconcile_report *r);

/* 0 when the run itself went well, whatever it found; the report says what. A pool whose backend fails does
   not stop the others; its error is returned at the end. ERR_RETRY when another run is at work. */
int reconcile(struct store *s, const struct reconcile_options *o, struct reconcile_report *out,
              struct err *e);
