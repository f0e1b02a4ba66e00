/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine decides: inside one transaction it gathers the facts of a pool, has the policy plan every
 * queued request together, and applies the decisions (grants are reserved, the rest waits, is held or
 * denied). It makes nothing real: that is alloc/reconcile.h, outside any transaction.
 */
#pragma once
#include "alloc/call_plan.h"
#include "alloc/decide.h"
#include "alloc/gather.h"
#include "alloc/grant.h"
#include "alloc/ledger.h"

struct engine_result {
    int64_t request, tenant, grant; /* grant: 0 none */
    enum outcome outcome;
    json_t *decision; /* owned by the results */
};

struct engine_results {
    struct engine_result *of; /* by request number; only requests whose decision is new */
    size_t n, room;
};
void engine_results_free(struct engine_results *r);
/* After results of several plans were added: by request number again. */
void engine_results_sort(struct engine_results *r);
/* The result of one request, or NULL when its decision did not change. */
const struct engine_result *engine_result_of(const struct engine_results *r, int64_t request);

/* Plans the queued requests of the book's pool by the policy that is valid at b->at, and applies: those that
   are new and those for which something came free since they were last planned (alloc/supply.h); then those
   that answer a call, each in its own way (alloc/call_award.h). Without a
   valid policy every queued request is held (NO_POLICY). results may be NULL. */
int engine_plan(struct book *b, const struct decider *decider, struct engine_results *results, struct err *e);
/* The same for all that are queued, as the passing of time asks for. */
int engine_plan_all(struct book *b, const struct decider *decider, struct engine_results *results,
                    struct err *e);

/* Plans one request of a call, whatever its state, within what is left of the call's share, and applies.
   Before the award it waits, and the policy is not asked. results may be NULL, and needs
   engine_results_sort(). */
int engine_plan_alone(struct book *b, const struct decider *decider, int64_t request,
                      const struct call_share *share, struct engine_results *results, struct err *e);

/* A later end (grant_extend()), where the policy that is valid at b->at lets it be held so long: by its
   leases and budgets, as something new for the added time; where none is valid only the grant's own terms
   hold. by_renewal: one renewal, and by those terms. set_aside: rules that are not asked, "L1,G1"; NULL:
   none. ERR_DENIED with the first reason and what would pass. */
int engine_lengthen(struct book *b, const struct decider *decider, const struct grant *g, instant_t end,
                    bool by_renewal, const char *set_aside, struct err *e);

/* A stored decision planned again from the policy and facts that were stored with it. */
struct engine_replayed {
    int64_t decision, request, tenant;
    instant_t at;
    json_t *stored, *again; /* as it was kept; as planned now */
    bool same;              /* to the byte */
    char *facts;
    char *trace; /* decider->trace(); NULL: not wanted, or no policy was asked */
};
void engine_replayed_free(struct engine_replayed *r);
/* Any decision, also an older one of its request; on failure *out holds nothing. */
int engine_replay(struct store *s, const struct decider *decider, int64_t decision, bool with_trace,
                  struct engine_replayed *out, struct err *e);
/* The last one of a request. */
int engine_replay_request(struct store *s, const struct decider *decider, int64_t request, bool with_trace,
                          struct engine_replayed *out, struct err *e);
/* A decision planned again, in the form in which the engine would have stored it: as its call tells it, and
   as waiting where what is stored says that no host was found for it. The caller owns it. */
json_t *engine_as_stored(const struct fact_pool *pool, const struct fact_claim *claim,
                         const struct decision *d, const json_t *stored);
