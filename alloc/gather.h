/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of one plan, read from the store: the pool, every request of it that is queued, and the
 * tenants of those requests with what they and their organisations hold. Everything is owned.
 * What answers a call is left out: it is planned alone, in its turn (alloc/call_award.h).
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"
#include "alloc/scope.h"

struct gathered_claim {
    int64_t request, tenant; /* numbers behind facts.claims[i] */
    int64_t last_decision;   /* 0: none yet */
    bool exact;              /* servers must have the decided sizes */
};

struct gathered {
    struct facts facts;
    struct gathered_claim *claims; /* as many as facts.n_claims, same order */
    struct keep memory;
};

/* alone: the one request to be planned, whatever its state; 0: all that are queued and answer no call. */
int gather(struct store *s, int64_t pool, instant_t now, int64_t alone, struct gathered *out, struct err *e);
void gathered_free(struct gathered *g);
