/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers: what a request that waits could have now is set aside for it for the time that the policy states
 * (hold). Taking it makes a grant in one transaction and always succeeds within that time: nothing is planned
 * again, its units, bytes and seats are not free for others, and its devices are marked. One for each tenant
 * of a pool.
 *
 * An offer is no transfer of the ledger: what it sets aside stays free there, and `fsck` checks that no more
 * is set aside than is free. Its beginning and its end are noted. It ends when it is taken, when its time has
 * passed, when its request changes or leaves the queue, when it can have all that it waits for (or its
 * minimum), when its devices are lost or its host or pool is drained, and when its tenant is suspended.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/grant.h"
#include "alloc/placement.h"
#include "alloc/request.h"

/* The decision that taking the offer of *d makes: it borrows from *d and *reason. has_end: the request names
 * its end. */
void offer_taken(const struct decision *d, instant_t at, bool has_end, struct reason *reason,
                 struct decision *out);

/* Sets aside what d->offer names, if all of it is free, it can be placed, and it is more than what the
   request let pass before; else nothing happens. asks: the claim. *made may be NULL. */
int offer_make(struct book *b, struct placer *placer, const struct fact_claim *asks, int64_t tenant,
               int64_t request, bool exact, const struct decision *d, bool *made, struct err *e);
/* Ends the offer of a request, if it has one; why is for the record: "withdrawn", "amended" ... */
int offer_end(struct book *b, int64_t tenant, int64_t request, const char *why, struct err *e);
/* Ends those of the pool whose time has passed, and tells. *n: how many. A request that let one pass gets no
   other that is not more. */
int offer_expire(struct book *b, int64_t *n, struct err *e);
/* Ends those whose devices are not all there any more, and no more of the others than need be, the newest
   first. Its request did not let it pass: it may have the same again. */
int offer_end_lost(struct book *b, struct err *e);
/* Ends those that stand on a host that gives nothing new any more, or, with host NULL, all of the pool. */
int offer_end_drained(struct book *b, const char *host, struct err *e);
/* Ends what a tenant that was suspended has in all pools; opens their books itself. */
int offers_end_suspended(struct store *s, int64_t tenant, const char *actor, instant_t now, struct err *e);
/* ERR_CONFLICT when there is none, or when its time has passed; the words say since when. */
int offer_accept(struct book *b, const struct request *r, int64_t *grant, struct err *e);
/* {"lines", "compute_gflops", "storage_bytes", "datalake_bytes"?, "seats"?, "until"}, or null. NULL on
 * failure. */
json_t *offer_show(struct store *s, int64_t request, struct err *e);

/* Between the engine and the store of offers: could a request have more than what is offered to it? It is
 * planned without its offer, which then ends, or is put back as it was. */

/* [{"tenant", "request"}] by request: those for which something came free since they were last planned. NULL
   on failure. */
json_t *offers_that_may_grow(struct book *b, struct err *e);
json_t *offer_lift(struct book *b, int64_t request,
                   struct err *e); /* what put_back() needs; NULL on failure */
int offer_put_back(struct book *b, const json_t *lifted, struct err *e);
int offer_outgrown(struct book *b, const json_t *lifted, struct err *e);          /* for the record */
int offer_remove(struct book *b, int64_t tenant, int64_t request, struct err *e); /* its rows only */
