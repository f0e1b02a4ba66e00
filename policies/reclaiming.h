/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan of reclaims knows while it is made; shared by the reclaim*.c of policies/ only. */
#pragma once
#include "policies/eval.h"
#include "policies/ladder.h"
#include "policies/reclaim.h"

/* A server of a live grant. */
struct piece {
    const struct fact_server *server;
    struct holder *holder;
    size_t grant; /* index into facts.grants */
    size_t lane;  /* index into facts.pool.flavors; n_flavors: the pool has it no more */
    bool ready;   /* its min-hold ends before a notice of `borrow` would */
    bool gone;    /* its lease is over, a notice covers it, or it is taken in this plan */
};

struct holder {
    const struct fact_tenant *tenant;
    const struct standing *standing;
    int64_t held;         /* GFLOPS of its servers that are not gone */
    int64_t guarantee;    /* as it can be kept */
    int64_t assigned;     /* GFLOPS that claims before in the order will get */
    size_t organisation;  /* the first holder of the same one */
    bool touched, spared; /* in this round; spared: by the cap */
};

/* A server that this plan takes. */
struct take {
    size_t piece;
    enum reclaim_cause cause;
    const struct word *rule;          /* NULL: none */
    const struct fact_claim *claim;   /* NULL: for nobody in particular */
    const struct fact_sample *sample; /* NULL: nothing was measured */
    instant_t effect;
    span_t notice, appeal;
    int64_t held; /* of its holder, before */
    int64_t
        figure;    /* GFLOPS or units over the ceiling; GFLOPS that the claim lacks; percent that lies idle */
    bool in_units; /* the figure of a debt */
    bool cut;      /* by the cap: next time */
};

struct reclaiming {
    const struct policy *policy;
    const struct facts *facts;
    struct piece *pieces; /* those of grant g: [first[g], first[g + 1]) */
    size_t *first;
    size_t n_pieces;
    size_t *by_id;          /* the grants by id, so that nothing depends on the order of the facts */
    size_t *newest;         /* of each grant, its place when the newest lease comes first */
    struct holder *holders; /* one per tenant */
    int64_t *supply;        /* units of each lane that come to somebody: free, coming, under notice */
    struct ladder *ladders; /* of the sizes of each lane */
    struct take *takes;
    size_t n_takes, room;
    int64_t touched;
    struct eval *eval;
    struct reclaim_plan *out;
};

static inline int64_t holder_surplus(const struct holder *h) { return h->held - h->guarantee; }
/* May this server be given back now? Not when its holder would fall below its guarantee; the one that carries
   volumes only when no other of its grant stays. */
bool piece_may_go(const struct reclaiming *w, const struct piece *p);
/* Sign: whose weighted share (of what `weigh` says) is larger. */
int holder_share_cmp(const struct reclaiming *w, const struct holder *a, const struct holder *b);
/* Its grant's place among those to be taken from: highest share, lowest tier, newest lease. Sign: a first. */
int piece_order(const struct reclaiming *w, const struct piece *a, const struct piece *b);
/* May this round touch the tenant? Counts it, or notes that it was spared. */
bool holder_touch(struct reclaiming *w, struct holder *h);
/* Marks the server as gone and returns its take, to be filled further; good until the next one. */
struct take *take_add(struct reclaiming *w, size_t piece, enum reclaim_cause cause, const struct word *rule,
                      span_t notice);
void take_drop(struct reclaiming *w, size_t take);   /* those behind it move up */
void take_cut(struct reclaiming *w, struct take *t); /* not this time: the cap is reached */
/* Is the condition true of the tenant itself? One that asks about a request never is. */
bool rule_concerns(struct reclaiming *w, const struct expr *when, size_t tenant);
/* A notice ends: its servers stay. */
struct reclaim_end *end_add(struct reclaiming *w, const struct fact_grant *grant,
                            const struct fact_notice *notice);
/* Every open notice of a cause, the newest first; the caller frees it. */
struct standing_notice {
    const struct fact_grant *grant;
    const struct fact_notice *notice;
};
struct standing_notice *notices_of(const struct reclaiming *w, enum reclaim_cause cause, size_t *n);

/* reclaim_own.c: causes that lie with the holder. */
void reclaim_idle(struct reclaiming *w);
void reclaim_debt(struct reclaiming *w);
/* reclaim_claim.c */
void reclaim_guarantees(struct reclaiming *w);
/* reclaim_words.c: the sentences of a finished reclaim. */
void reclaim_say(const struct reclaiming *w, const struct take *t, struct reclaim *r);
