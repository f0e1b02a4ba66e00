/* SPDX-License-Identifier: Apache-2.0 */
/* How the files of the simulator call each other; nobody else includes this. */
#pragma once
#include "policies/sim.h"

/* sim_state.c: what stands. */
int sim_state_begin(struct sim *s, struct err *e);
void sim_state_end(struct sim *s);
size_t sim_flavor(const struct sim *s, const char *name); /* index, or n_flavors */
void sim_attrs_set(struct sim *s, size_t tenant, const struct fact_attr *attrs, size_t n, bool replace);
/* A grant as decided: everything is set aside for it. Its index. */
size_t sim_grant_add(struct sim *s, size_t request, const struct decision *d);
void sim_grant_release(struct sim *s, size_t grant, bool is_kept); /* servers come free with the next night */
void sim_grant_shrink(struct sim *s, size_t grant, const int64_t *operations, size_t n);
void sim_grant_purge(struct sim *s, size_t grant);
void sim_grant_extend(struct sim *s, size_t grant, instant_t end);
void sim_request_state(struct sim *s, size_t request, enum sim_state state);
/* sim_ends.c: out of s->ends before what a grant has, its end or its notices change, and in again afterwards.
 */
void sim_grant_ends(struct sim *s, const struct sim_grant *g, bool add);
void sim_grant_facts(struct sim *s, size_t grant); /* after its notices or samples changed */
int sim_assess(struct sim *s, struct err *e);      /* the standing of every tenant */

/* sim_plan.c: decisions. */
struct fact_claim sim_claim(const struct sim *s, size_t request); /* with what people did to it */
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
/* sim_use.c */
void sim_use_day(struct sim *s, int64_t day);
void sim_samples(struct sim *s);
/* sim_day.c */
void sim_day_record(struct sim *s);
/* sim_verify.c: every invariant over what stands now. */
int sim_verify(struct sim *s, bool ticked, struct err *e);
