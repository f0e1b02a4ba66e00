/* SPDX-License-Identifier: Apache-2.0 */
/* How the files of the simulator call each other; nobody else includes this. */
#pragma once
#include "policies/sim.h"

/* sim_state.c: who there is and who waits. */
int sim_state_begin(struct sim *s, struct err *e);
void sim_state_end(struct sim *s);
size_t sim_flavor(const struct sim *s, const char *name); /* index, or n_flavors */
void sim_attrs_set(struct sim *s, size_t tenant, const struct fact_attr *attrs, size_t n, bool replace);
void sim_request_state(struct sim *s, size_t request, enum sim_state state);
int sim_assess(struct sim *s, struct err *e); /* the standing of every tenant */
void sim_set_put(struct sim_set *set, size_t item);
void sim_set_drop(struct sim_set *set, size_t item);

/* sim_grant.c: what is held and what is free. */
void sim_hold(struct sim *s, size_t tenant, int64_t compute, int64_t storage); /* changes of either sign */
void sim_hold_item(struct sim *s, size_t tenant, size_t item, int64_t n);
bool sim_grant_is_live(const struct sim_grant *g);   /* it has its servers, or they are set aside for it */
bool sim_grant_is_active(const struct sim_grant *g); /* they are there */
/* A grant as decided: everything is set aside for it. Its index. */
size_t sim_grant_add(struct sim *s, size_t request, const struct decision *d);
void sim_grant_release(struct sim *s, size_t grant, bool is_kept); /* servers come free with the next night */
void sim_grant_shrink(struct sim *s, size_t grant, const int64_t *operations, size_t n);
void sim_grant_purge(struct sim *s, size_t grant);
void sim_grant_extend(struct sim *s, size_t grant, instant_t end);
/* sim_ends.c: out of s->ends before what a grant has, its end or its notices change, and in again afterwards.
 */
void sim_grant_ends(struct sim *s, const struct sim_grant *g, bool add);
void sim_grant_facts(struct sim *s, size_t grant); /* after its notices or samples changed */

/* sim_offer.c: what is set aside for those that wait (alloc/offer.h). */
/* Of the plan of these requests. */
void sim_offers_make(struct sim *s, const size_t *requests, const struct plan *plan);
void sim_offer_end(struct sim *s, size_t request, enum sim_offer_end why);
bool sim_offer_accept(struct sim *s, size_t request); /* false: there is none, or its time has passed */
void sim_offers_night(struct sim *s);               /* those that are taken by themselves, and that expire */
void sim_offers_lost(struct sim *s, size_t flavor); /* less than nothing of it is free; n_flavors: storage */
/* Those that could have more end: their requests are planned with the others (alloc/offer_grow.h). */
int sim_offers_grow(struct sim *s, struct err *e);
/* flavors: a copy for facts with grants, where what is offered is on its way to somebody. */
struct fact_pool sim_pool_offered(const struct sim *s, struct fact_flavor *flavors);

/* sim_swap.c: new before old (alloc/swap.h). */
bool sim_swap_begin(struct sim *s, size_t request); /* false: what it names cannot be replaced */
void sim_swap_facts(const struct sim *s, size_t request, struct fact_replaced *out);
void sim_swap_finish(struct sim *s, size_t request); /* what it was given stands */

/* sim_call.c: calls with their shares and reserve lists (alloc/call_award.h). */
bool sim_call_share(struct sim *s, const struct event *v);
bool sim_call_award(struct sim *s, const struct event *v);
bool sim_call_decline(struct sim *s, size_t request);
void sim_call_approved(struct sim *s, size_t request);
void sim_calls_unsigned(struct sim *s); /* awards whose agreements were not signed in time */
/* The requests of awarded calls whose turn it is; all: the reserve lists too. */
int sim_calls_fill(struct sim *s, bool all, struct err *e);

/* sim_plan.c: decisions. */
struct fact_claim sim_claim(const struct sim *s, size_t request); /* with what people did to it */
/* The facts of a plan of these requests. */
void sim_facts(struct sim *s, const size_t *requests, size_t n, struct facts *f);
int sim_plan_check(struct sim *s, const struct facts *f, const struct plan *plan, struct err *e);
void sim_decide(struct sim *s, size_t request, const struct decision *d); /* carries it out */
/* All whose turn it is, those with lifted offers too: planned and not carried out. In the order of
   s->plan_requests. */
int sim_trial(struct sim *s, struct plan *plan, struct err *e);
int sim_plan(struct sim *s, const size_t *requests, size_t n, struct err *e);
bool sim_may_lengthen(struct sim *s, size_t grant, instant_t end, struct text *why);
/* New ones beside the barriers; with the whole queue when something came free. */
int sim_plan_fresh(struct sim *s, const size_t *fresh, size_t n, struct err *e);
int sim_plan_all(struct sim *s, struct err *e);
/* sim_log.c */
void sim_log_decision(struct sim *s, size_t request, const struct decision *d);
void sim_log_event(struct sim *s, const char *what, size_t request, const char *words);
void sim_rules_begin(struct sim *s);
void sim_rule_used(struct sim *s, const char *id, bool is_decisive);
void sim_rules_count(struct sim *s, const struct decision *d);

/* sim_night.c: what time brings. */
int sim_night(struct sim *s, instant_t now, struct err *e);
void sim_notices_refresh(struct sim *s, size_t grant); /* after one was added or done */
bool sim_renew(struct sim *s, size_t grant);
void sim_credit_settle(struct sim *s, const struct sim_grant *g); /* sim_credit.c; its compute ends now */
/* sim_use.c */
void sim_use_day(struct sim *s, int64_t day);
void sim_samples(struct sim *s);
/* sim_day.c */
void sim_day_record(struct sim *s);
/* sim_verify.c: every invariant over what stands now. */
int sim_verify(struct sim *s, bool ticked, struct err *e);
