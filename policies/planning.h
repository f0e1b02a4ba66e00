/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan knows while it is made. Inside policies/ only.
 *   prepare.c             facts -> lanes, parties, works
 *   tier.c, judge*.c      one claim against the rules: its tier, what it can mean, what forbids it
 *   rest.c                storage, data lake, seats
 *   room.c, lend.c        what its ceilings, and the guarantees and reserves of others, leave it
 *   barrier.c, ends.c     what is set aside for one that waited long; when units come back
 *   order.c               who is next
 *   allot.c, step.c       giving units: the first step of a claim, the next ones, exchanges
 *   cohort.c, queue.c     a whole plan: by time, and by share
 *   offer.c, tell.c       what could be had instead; the sentences
 *   plan.c, trace.c       the decisions; the whole way of one claim
 *   lengthen.c            a later end of what is held
 */
#pragma once
#include "alloc/decide.h"
#include "policies/eval.h"
#include "policies/ladder.h"
#include "policies/reason.h"

enum { LANES_MOST = FLAVORS_MOST };

/* Units, or compute, that come back: `sum` of all up to and including this one. */
struct back {
    instant_t at;
    const char *grant, *notice; /* notice NULL: its lease ends */
    int64_t sum;
};

/* A flavor of the pool, in the order of the policy. */
struct lane {
    const struct fact_flavor *flavor;
    struct ladder ladder;
    int64_t free;
    bool awaited;      /* an older cohort waits for it */
    struct back *back; /* by time */
    size_t n_back;
};

/* The seats of one service. */
struct shelf {
    const struct fact_service *service;
    int64_t free;
    bool awaited;
};

/* A thing beside units. */
enum rest_kind { REST_STORAGE, REST_DATALAKE, REST_SEATS, REST_KINDS };
struct rest {
    enum rest_kind kind;
    struct shelf *shelf; /* of REST_SEATS */
};

/* What was granted in each period, with what this plan adds: GFLOPS-seconds and byte-seconds. */
struct spent {
    wide_t compute[PERIODS], storage[PERIODS];
};

/* The budgets that hold for a claim, and the seconds of its lease inside the periods in which now falls. */
struct budget_rules {
    const struct budget
        *rules[2][2][PERIODS]; /* [storage][of its organisation][period]: the tightest, or NULL */
    int64_t inside[PERIODS];
    instant_t now, ends[PERIODS]; /* of the periods */
};

/* A tenant or an organisation: what it holds, with what this plan has given it so far. */
struct party {
    const char *name;
    int64_t compute, storage;             /* held before; storage and data lake together */
    int64_t given_compute, given_storage; /* in this plan */
    int64_t guarantee;                    /* GFLOPS, of a tenant: what the pool can keep of it */
    bool moved;                           /* this plan gave it something, or took it back */
    bool offered;                         /* one of its claims carries an offer */
    struct spent *spent;                  /* NULL: the policy has no budgets */
    int64_t *items; /* units of each lane, seats of each service; NULL: no ceiling on any */
};

/* What one flavor could do for a claim, in units; usable when 0 < floor <= most. */
struct option {
    int64_t wanted; /* all it asks, rounded down to a reachable count, whatever the pool has */
    int64_t most;   /* the same, not more than the pool has */
    int64_t floor;  /* the least it takes */
    int64_t given;
};

/* Why a draw on what is free is refused, in GFLOPS or bytes. */
struct shortage {
    bool is_short;
    int64_t free, draw;       /* what is free (with more: would be), what it would take */
    int64_t more;             /* of free: what must come back before this one counts */
    int64_t reserve;          /* must stay for better tiers */
    int64_t lend;             /* must stay for the unused guarantees of others */
    bool by_reserve, by_lend; /* without this one it would pass; both: only without both */
};

/* The tightest ceiling on one item. */
struct item_rule {
    const struct ceiling *ceiling; /* NULL: none */
    int64_t most;
};

struct item_limits {
    struct item_rule tenant, organisation;
    bool aside; /* one was set aside by an override */
};

struct work {
    const struct fact_claim *claim;
    const struct fact_tenant *tenant;
    size_t input; /* place among the claims given */
    struct party *seat, *organisation;
    enum outcome outcome; /* GRANT until something else is found */
    struct reasons reasons;
    int tier, tier_rule;   /* its own; -1: the policy has no tiers, or none could be found */
    int64_t rank, weight;  /* after a lift */
    bool lifted, eligible; /* eligible: as struct standing has it */
    bool has_minimum;      /* it may get less than it asks */
    bool needs_agreement;
    bool lengthens; /* it is held already, and would be longer (lengthen.c) */
    const struct ceiling *compute, *storage, *organisation_compute, *organisation_storage; /* NULL: none */
    struct item_limits *items;    /* one per item (room_items.c); NULL: no ceiling on any */
    struct budget_rules *budgets; /* NULL: the policy has none */
    struct lease_terms lease;
    struct option *options; /* one per lane */
    int64_t ask;            /* GFLOPS asked, 0 with ASK_UNITS of any flavor */
    int64_t whole;          /* GFLOPS: the best reachable sum of ASK_COMPUTE */
    int64_t whole_units;    /* ASK_UNITS */
    int64_t best;           /* what it would have were the pool larger, in GFLOPS or units: less is partial */
    bool mixed;             /* whole needs more than one flavor */
    int64_t bytes, lake;    /* storage, data lake, rounded down */
    bool placed;            /* it has its floor */
    size_t lane;            /* the flavor it began with */
    int64_t given_compute;
    uint32_t
        before; /* among all claims of the plan, by the keys of the queue before the share; may be equal */
    uint32_t order;   /* by the keys after it: all differ */
    uint32_t id_rank; /* among all claims of the plan, by id; where the order has no wait */
    bool is_barrier;
    bool lacks_units, lacks_turn, behind_barrier; /* behind_barrier: units */
    bool lacks[REST_KINDS], aside[REST_KINDS];    /* aside: it is there, but set aside for a barrier */
    struct shortage short_compute, short_storage;
    size_t blocked_lane;     /* of behind_barrier */
    const struct word *stop; /* the rule that ended its filling; NULL: the pool did */
    bool stop_is_budget;     /* else a ceiling */

    /* DENY: what it may still ask for under the limits that denied it; INT64_MAX: not limited. */
    int64_t pass_compute, pass_storage;
};

/* What is set aside for one that waited long: need units of a lane, from start on. */
struct barrier {
    struct work *work;
    size_t lane;
    int64_t need;
    struct maybe_instant start; /* unset: not within the known ends */
};

struct planning {
    const struct policy *policy;
    const struct facts *facts;
    struct lane *lanes;
    size_t n_lanes;
    int64_t storage_free;
    int64_t datalake_free;
    bool storage_awaited, datalake_awaited;
    struct shelf *shelves;
    size_t n_shelves;
    int64_t capacity;     /* GFLOPS of all lanes; at least 1 */
    int64_t free_compute; /* GFLOPS of all lanes */
    int64_t unused;       /* GFLOPS: guarantees that nobody draws on now, of all tenants */
    int64_t guarantees;   /* GFLOPS: stated, of all tenants */
    int64_t available;    /* GFLOPS that guarantees can draw on at most */
    int64_t reserved_compute[POLICY_TIERS + 1], reserved_storage[POLICY_TIERS + 1]; /* [tier]: not for it */
    struct back *back; /* compute of all lanes, by time */
    size_t n_back;
    struct barrier *barriers;
    size_t n_barriers;
    struct work *works; /* in the order of (submitted, id) */
    size_t n;
    struct party *seats, *organisations;
    size_t n_seats;
    struct option *options;
    int64_t *item_use;
    struct item_limits *item_limits;
    struct spent *spent;
    struct budget_rules *budget_rules;
    instant_t period_end[PERIODS];
    struct eval *eval;
    const struct queue_rule *queue;   /* NULL: the policy has none */
    const struct queue_rule *sharing; /* the same unless its order is 'wait, id'; NULL: served in cohorts */
    bool in_line; /* its order does not begin with the share: what one waits for nobody behind it gets */
    bool bare;    /* no sentences */
    struct arena memory; /* what the decisions will refer to */
    int as_tier; /* trial: the claims of the tenant as_tier_of count as of this tier; NULL: of nobody */
    const char *as_tier_of;
};

/* prepare.c. The reason that a plan cannot be made is in *e. */
int planning_begin(struct planning *p, struct err *e);
void planning_end(struct planning *p);
/* plan.c: planning_run() begins, judges and serves; planning_tell() makes the decisions of it. */
int planning_run(struct planning *p, struct err *e);
void planning_tell(struct planning *p, struct plan *out);
void lines_make(struct planning *p, const struct work *w, struct plan_line **lines, size_t *n_lines);

/* tier.c: the tier of a claim; a tier rule that cannot be evaluated holds it. */
void judge_tier(struct planning *p, struct work *w);
/* Would the policy let this tenant have something at all? e was begun for the tenant. */
bool tenant_is_eligible(const struct policy *policy, struct eval *e);

/* judge.c: the claim alone. Sets outcome to DENY or HOLD with reasons, and everything about what it asks. */
void judge_claim(struct planning *p, struct work *w);
/* A rule that cannot be evaluated holds the request for a person. */
void hold_unknown(struct planning *p, struct work *w, const struct word *rule);
/* Its parts in judge_steps.c. */
void judge_flavor(struct planning *p, struct work *w);
void judge_size(struct planning *p, struct work *w);
void judge_compute(struct planning *p, struct work *w);
/* The ceiling with what the party holds now: DENY when even its floor does not fit. */
void judge_room(struct planning *p, struct work *w);
bool room_allows(const struct planning *p, const struct work *w); /* the same question, nothing said */
int64_t room_compute(const struct work *w);                       /* INT64_MAX: no ceiling */
int64_t room_storage(const struct work *w);
/* The rule that leaves least compute. */
const struct word *room_compute_by(const struct work *w, bool *is_budget);
/* room_items.c: ceilings on units of a flavor and seats of a service. */
void items_begin(struct planning *p);
void items_end(struct planning *p);
void items_limit(struct planning *p, struct work *w, const struct ceiling *c, bool aside);
void items_give_units(struct work *w, size_t lane, int64_t units);
void items_give_seats(const struct planning *p, struct work *w, const struct shelf *s, int64_t seats);
int64_t room_units(const struct planning *p, const struct work *w, size_t lane); /* INT64_MAX: no ceiling */
const struct ceiling *room_units_by(const struct planning *p, const struct work *w, size_t lane);
bool items_limited_units(const struct work *w, size_t lane);
bool items_limited_seats(const struct planning *p, const struct work *w, const struct shelf *s);
void items_make(struct planning *p, const struct work *w, struct plan_limits *out);
void judge_items(struct planning *p, struct work *w); /* DENY when even its floor does not fit */
bool items_allow(const struct planning *p, const struct work *w);

/* room_budget.c */
void budgets_begin(struct planning *p);
void budgets_end(struct planning *p);
void budgets_give(struct work *w, int64_t compute, int64_t storage);
void judge_budget_rules(struct planning *p, struct work *w);
void judge_budgets(struct planning *p, struct work *w, int64_t compute,
                   int64_t storage); /* the least it takes */
/* The budget that leaves least, and how many GFLOPS or bytes; NULL and INT64_MAX: none. */
const struct budget *budget_near(const struct work *w, bool storage, int64_t *room);

/* A partial grant has at least so many steps as the queue rule says, or all that it wants. */
int64_t claim_partial_least(const struct planning *p, const struct work *w, size_t lane, int64_t wanted);
bool lane_usable(const struct planning *p, const struct work *w, size_t lane);
int64_t claim_down(const struct planning *p, const struct work *w, size_t lane, int64_t units);
int64_t claim_up(const struct planning *p, const struct work *w, size_t lane, int64_t units);
/* The best single flavor for at most `compute` with what `pool` says: units and lane; false if none. */
bool claim_best(const struct planning *p, const struct work *w, int64_t compute, bool of_free, size_t *lane,
                int64_t *units);

/* rest.c: storage, data lake, seats. */
void judge_rest(struct planning *p, struct work *w);
int64_t rest_asked(const struct work *w, const struct rest *of);
int64_t rest_free(const struct planning *p, const struct rest *of);
bool rest_fits(const struct planning *p, const struct work *w);
void rest_give(struct planning *p, struct work *w, int sign); /* 1; -1 takes it back */
void rest_make(struct planning *p, const struct work *w, bytes_t *lake, struct plan_seats **seats,
               size_t *n_seats);
void rest_wait(const struct planning *p, struct work *w); /* what of it is lacking */
bool rest_waits(const struct work *w);                    /* was anything found to be? */
void rest_await(struct planning *p, const struct work *w);
void rest_await_none(struct planning *p);
void rest_say_waiting(struct planning *p, struct work *w);
void rest_say_aside(struct planning *p, struct work *w); /* what of it is set aside for a barrier */
void rest_say_rounded(struct planning *p, struct work *w);
struct shelf *shelf_find(const struct planning *p, const char *service); /* NULL: no such service */

/* lend.c: guarantees, lending, reserves. Begun when all tiers are known. */
void lend_begin(struct planning *p);
/* The most compute, or bytes, that the claim may draw now, whatever flavor has it. INT64_MAX: no rule says.
 */
int64_t lend_compute(const struct planning *p, const struct work *w);
int64_t lend_storage(const struct planning *p, const struct work *w);
/* Does what was given to it still leave the others theirs? Draws only ever make this worse. */
bool lend_holds(const struct planning *p, const struct work *w);
int64_t lend_own_left(const struct work *w);             /* of its own guarantee */
bool lend_is_own(const struct work *w, int64_t compute); /* all of it within its own guarantee */
void lend_given(struct planning *p, struct party *seat,
                int64_t compute);                    /* before the sum of the seat moves */
int64_t lend_free_compute(const struct planning *p); /* what counts as free for others */
int64_t lend_free_storage(const struct planning *p);
/* Would a draw be refused, had the pool `more` free than now? */
struct shortage lend_shortage(const struct planning *p, const struct work *w, int64_t draw, int64_t more);
struct shortage lend_shortage_storage(const struct planning *p, const struct work *w);
const struct reserve_rule *lend_reserve(const struct planning *p, const struct work *w, bool storage);

/* ends.c: when units come back. */
void ends_begin(struct planning *p);
/* The first that brings the sum to `wanted` (more than 0); NULL: none known. */
const struct back *ends_reach(const struct back *list, size_t n, int64_t wanted);
struct plan_earliest ends_earliest(struct planning *p, const struct work *w);

/* barrier.c */
void barriers_begin(struct planning *p);
int64_t barrier_left(const struct planning *p, const struct work *w, size_t lane); /* units it may use */
int64_t barrier_left_rest(const struct planning *p, const struct work *w, const struct rest *of);
const struct barrier *barrier_first(const struct planning *p, const struct work *w,
                                    size_t lane); /* that stops it */
size_t barriers_placed(const struct planning *p); /* those that need nothing set aside any more */

/* order.c: whose turn it is. */
void turns_begin(struct planning *p); /* the works stand in their order */
/* A heap of works, the first on top. A turn may have grown since it was put in: turns_first() gives the work
   whose turn is first now; it then takes its turn again, or drops out. */
struct turns {
    struct turn *of;
    size_t n, room;
};
void turns_put(const struct planning *p, struct turns *h, size_t work);
bool turns_first(const struct planning *p, struct turns *h, size_t *work); /* false: empty */
void turns_again(const struct planning *p, struct turns *h);
void turns_drop(struct turns *h);
void turns_free(struct turns *h);
/* Works [0, n) of the list in the order of their turns. */
void turns_sort(const struct planning *p, size_t *works, size_t n);

/* allot.c */
void give_units(struct planning *p, struct work *w, size_t lane, int64_t units);
void take_back(struct planning *p, struct work *w);
bool is_open(const struct work *w);
bool is_mixable(const struct work *w);
bool has_more_slack(const struct planning *p, size_t a, size_t b);
bool lane_open(const struct planning *p, const struct work *w, size_t lane, int64_t units);
int64_t most_now(const struct planning *p, const struct work *w, size_t lane);
int64_t whole_now(const struct planning *p, const struct work *w);
bool place_whole(struct planning *p, struct work *w);
bool place_floor(struct planning *p, struct work *w);
/* Everybody of the list gets everything, or nothing has happened. */
bool place_all(struct planning *p, const size_t *works, size_t n);
void wait_why(const struct planning *p, struct work *w); /* what stops its first step now */
void await(struct planning *p, const struct work *w); /* what it waits for is not given to those behind it */

/* step.c: works [first, end). */
bool step_fits(const struct planning *p, struct work *w); /* could it take one now? */
bool step_next(struct planning *p, struct work *w);       /* false: it can take no further step */
void steps_fill(struct planning *p, size_t first, size_t end);
bool steps_exchange(struct planning *p, size_t first, size_t end);
bool steps_trade(struct planning *p); /* all works; true: something moved */

void serve_cohorts(struct planning *p);
void serve_queue(struct planning *p);

/* offer.c: for those that wait, in the order of the queue; for one that is denied. */
void offers_make(struct planning *p, const size_t *queued, size_t n, struct decision *decisions);
void offer_pass(struct planning *p, struct work *w, struct decision *d);

/* tell.c */
void say_waiting(struct planning *p, struct work *w, const struct decision *d);
void say_given(struct planning *p, struct work *w); /* granted: rounded; partial: shrunk */
