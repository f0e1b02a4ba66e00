/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan knows while it is made; shared by judge.c and room.c (one claim against the
 * rules), allot.c (who gets what) and plan.c (order, output). Inside policies/ only.
 */
#pragma once
#include "alloc/decide.h"
#include "policies/eval.h"
#include "policies/ladder.h"
#include "policies/reason.h"
#include "policies/share.h"

enum { LANES_MOST = FLAVORS_MOST };

/* A flavor of the pool, in the order of the policy. */
struct lane {
    const struct fact_flavor *flavor;
    struct ladder ladder;
    int64_t free;
    bool awaited; /* an older cohort waits for it */
};

/* A tenant or an organisation: what it holds, with what this plan has given it so far. */
struct party {
    const char *name;
    int64_t compute, storage;             /* held before */
    int64_t given_compute, given_storage; /* in this plan */
};

/* What one flavor could do for a claim, in units; usable when 0 < floor <= most. */
struct option {
    int64_t wanted; /* all it asks, rounded down to a reachable count, whatever the pool has */
    int64_t most;   /* the same, not more than the pool has */
    int64_t floor;  /* the least it takes */
    int64_t given;
};

struct work {
    const struct fact_claim *claim;
    const struct fact_tenant *tenant;
    size_t input; /* place among the claims given */
    struct party *seat, *organisation;
    enum outcome outcome; /* GRANT until something else is found */
    struct reasons reasons;
    const struct ceiling *compute, *storage, *organisation_compute, *organisation_storage; /* NULL: none */
    struct lease_terms lease;
    struct option *options; /* one per lane */
    int64_t ask;            /* GFLOPS asked, 0 with ASK_UNITS of any flavor */
    int64_t whole;          /* GFLOPS: the best reachable sum of ASK_COMPUTE */
    int64_t whole_units;    /* ASK_UNITS */
    int64_t best;           /* what it would have were the pool larger, in GFLOPS or units: less is partial */
    bool mixed;             /* whole needs more than one flavor */
    int64_t bytes;          /* storage, rounded down */
    bool placed;            /* it has its floor */
    size_t lane;            /* the flavor it began with */
    int64_t given_compute;
    bool lacks_units, lacks_storage, lacks_turn;
    bool ceiling_stops; /* the ceiling, not the pool, ended its filling */
};

struct planning {
    const struct policy *policy;
    const struct facts *facts;
    struct lane *lanes;
    size_t n_lanes;
    int64_t storage_free;
    bool storage_awaited;
    int64_t capacity;   /* GFLOPS of all lanes; at least 1 */
    struct work *works; /* in the order of (submitted, id) */
    size_t n;
    struct party *seats, *organisations;
    struct option *options;
    struct eval *eval;
};

/* judge.c: the claim alone. Sets outcome to DENY or HOLD with reasons, and everything about what it asks. */
void judge_claim(struct planning *p, struct work *w);
/* Its parts in judge_steps.c. */
void judge_flavor(struct planning *p, struct work *w);
void judge_size(struct planning *p, struct work *w);
void judge_compute(struct planning *p, struct work *w);
void judge_storage(struct planning *p, struct work *w);
/* The ceiling with what the party holds now: DENY when even its floor does not fit. */
void judge_room(struct planning *p, struct work *w);
bool room_allows(const struct planning *p, const struct work *w); /* the same question, nothing said */
int64_t room_compute(const struct work *w);                       /* INT64_MAX: no ceiling */
int64_t room_storage(const struct work *w);
int64_t claim_down(const struct planning *p, const struct work *w, size_t lane, int64_t units);
int64_t claim_up(const struct planning *p, const struct work *w, size_t lane, int64_t units);
/* The best single flavor for at most `compute` with what `pool` says: units and lane; false if none. */
bool claim_best(const struct planning *p, const struct work *w, int64_t compute, bool of_free, size_t *lane,
                int64_t *units);

/* allot.c: works [first, end) of one cohort. */
void allot_cohort(struct planning *p, size_t first, size_t end);
