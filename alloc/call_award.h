/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The award of a call and what follows from it. Each request is planned alone, in the order of the ranks,
 * with what is free limited to what is left of the call's share; what it is given is reserved before the
 * next is planned. One that cannot have what it asks does not stop those behind it: it stands on the
 * reserve list and is tried again, in the order of the ranks, whenever a part of the share comes back.
 */
#pragma once
#include "alloc/call.h"
#include "alloc/engine.h"

/* sign_by: until when an agreement must be signed where the policy asks for one. Refused while requests
   have no score. */
int call_award(struct book *b, const struct decider *decider, const struct call_row *c,
               struct maybe_instant sign_by, struct engine_results *results, struct err *e);
/* The reserve list of an awarded call is tried again. */
int call_fill(struct book *b, const struct decider *decider, int64_t call, struct engine_results *results,
              struct err *e);
/* A firm does not want what it was awarded, or its place on the reserve list. Its grant ends. */
int call_decline(struct book *b, const struct request *r, const char *why, struct err *e);
/* What time brings to the calls of the book's pool: their last day, agreements that were not signed in
   time, places on the reserve list. *declined: how many were not signed. */
int call_tick(struct book *b, const struct decider *decider, struct engine_results *results,
              int64_t *unsigned_in_time, struct err *e);
/* Requests of calls that wait for a plan (new, amended, approved). Called by engine_plan(). */
int call_plan_queued(struct book *b, const struct decider *decider, struct engine_results *results,
                     struct err *e);
