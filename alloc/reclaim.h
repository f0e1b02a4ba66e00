/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices of reclaim: what a plan of reclaims asks for (alloc/decide.h), as records with numbers (n-12).
 *
 *   noticed -> done        the servers were ordered absent: their units come free when that is seen
 *      |  \-> withdrawn    needed no more: served otherwise, in use again, debt paid, the appeal upheld,
 *      |                   or its servers went otherwise
 *      \-> appealed -> noticed (dismissed) | withdrawn (upheld)
 *
 * An effect needs all of: the message was delivered and the notice has passed since; effect_at has come; no
 * appeal is open; the grant is live. Only the tenant's recorded consent shortens that. Whoever orders servers
 * absent calls reclaim_prune(), so that no open notice names a server that is gone.
 */
#pragma once
#include "alloc/grant.h"
#include "alloc/text.h"

struct reclaim_report {
    int64_t notices, effects, ends;
    int64_t waiting;  /* effects that wait for the delivery of their notice, or for an appeal */
    int64_t left_out; /* tenants that the cap of the round spared */
};

/* Carries out what is due by the clock of the notices of the book's pool, after those that the policy needs
   no more were withdrawn. */
int reclaim_effects(struct book *b, const struct decider *decider, instant_t now,
                    struct reclaim_report *report, struct err *e);
/* One round: plans, writes new notices with their messages, ends those that are needed no more. Nothing
   without a valid policy. */
int reclaim_round(struct book *b, const struct decider *decider, struct reclaim_report *report,
                  struct err *e);
/* How many effects are due in all pools, and the first of them in words ("take back v100 x 4 of g-3 of c0042
   (n-12)"), for the guard of tick. most: how many are named. */
int reclaim_due(struct store *s, instant_t now, int64_t most, int64_t *n, struct text *words, struct err *e);

/* What a round would do now; nothing is written. {"pool", "at", "reclaims": [...], "ends": [...], "scaled":
   [...], "tenants", "units", "compute_gflops", "left_out", "guarantees_gflops", "available_gflops"}. rule:
   only reclaims by this rule; NULL: all. NULL on failure. */
json_t *reclaim_look(struct store *s, int64_t pool, instant_t now, const struct decider *decider,
                     const char *rule, struct err *e);

struct reclaim_notice {
    int64_t id, pool, tenant, grant, message;
    char *state, *appeal; /* appeal: its reason; NULL: none */
    instant_t sent;
    span_t appeal_span;
};
void reclaim_notice_free(struct reclaim_notice *n);
/* tenant > 0: only that tenant's. */
int reclaim_find(struct store *s, int64_t id, int64_t tenant, struct reclaim_notice *out, struct err *e);
/* By its tenant, once, within the span since the notice was sent, or since it was delivered if that was
 * later. */
int reclaim_appeal(struct book *b, const struct reclaim_notice *n, const char *reason, struct err *e);
/* uphold: the notice is withdrawn; else it stands again. */
int reclaim_answer(struct book *b, const struct reclaim_notice *n, bool uphold, const char *reason,
                   struct err *e);
/* The tenant agrees that its servers go now. by: who of it, or NULL when the book's actor is the tenant. */
int reclaim_consent(struct book *b, const struct reclaim_notice *n, const char *by, struct err *e);
/* After servers of the grant were ordered absent otherwise. */
int reclaim_prune(struct book *b, int64_t tenant, int64_t grant, struct err *e);

struct reclaim_filter {
    int64_t id, tenant, pool; /* 0: any */
    bool all;                 /* closed ones too */
};
/* notice, tenant, pool, grant, cause, rule, flavor, units, compute_gflops, request, state, sent, delivered,
   effect, appeal_until, appeal, closed, closed_by, evidence. */
json_t *reclaim_list(struct store *s, const struct reclaim_filter *f, struct err *e);
