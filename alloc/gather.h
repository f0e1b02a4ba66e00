/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of one plan, read from the store: the pool, the requests to be planned, and their tenants with
 * what they and their organisations hold. Everything is owned.
 *
 * What answers a call is left out: it is planned alone, in its turn (alloc/call_award.h). So is a request
 * that has an offer: what it could have now is set aside, until the offer is taken or ends.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/waiting.h"

struct gathered_claim {
    int64_t request, tenant; /* numbers behind facts.claims[i] */
    int64_t last_decision;   /* 0: none yet */
    bool exact;              /* servers must have the decided sizes */
};

struct gathered {
    struct facts facts;
    struct gathered_claim *claims; /* as many as facts.n_claims, same order */
    int64_t *tenants;              /* numbers behind facts.tenants, ascending */
    struct keep memory;
};

struct gather_want {
    int64_t alone; /* this request alone, whatever its state; 0: those that are queued */
    bool all;      /* of those also the ones for which nothing came free since they were last planned */
    bool spent;    /* fact_tenant.spent */
    bool offered;  /* with all: those that have an offer too */
    const struct waiting *waiting; /* without all: what waits beside them; NULL: it is counted */
};

int gather(struct store *s, int64_t pool, instant_t now, const struct gather_want *want, struct gathered *out,
           struct err *e);
/* The pool and these tenants (ascending), without claims. */
int gather_tenants(struct store *s, int64_t pool, instant_t now, const int64_t *numbers, size_t n,
                   struct gathered *out, struct err *e);
/* The pool and one tenant, with a claim that nobody has submitted and for which nobody waits: what would be
   decided of it now. What *claim refers to must outlive *out; its tenant is set here. */
int gather_trial(struct store *s, int64_t pool, instant_t now, int64_t tenant, const struct fact_claim *claim,
                 struct gathered *out, struct err *e);
void gathered_free(struct gathered *g);

/* alloc/gather_tenant.c: fills facts.tenants for g->tenants[n]. */
int gather_load_tenants(struct gathered *g, struct store *s, int64_t pool, size_t n, bool spent,
                        struct err *e);
/* alloc/gather_pool.c: what waits and is left out, and the lease ends of flavors that run short. */
int gather_load_waiting(struct gathered *g, struct store *s, int64_t pool, const struct waiting *known,
                        struct err *e);
int gather_load_ends(struct gathered *g, struct store *s, int64_t pool, struct err *e);
