/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator: the same decisions as the engine takes (policy_decider: assess, plan, reclaim), on a
 * state in memory and a clock that the events move. Pure: no clock, no I/O, no randomness; the same
 * world and policy give the same run, to the byte, whatever the order of the files (world.h).
 *
 * Once a day, at the first second of the civil day (UTC+9), what a nightly reconcile and tick would do
 * is done: what was given back comes free; dated attributes take effect; notices, ends, grace and
 * release; reclaims whose time has come; the standing of every tenant; the whole queue is planned;
 * reclaims get their notices. Between two nights a request is planned beside the barriers alone:
 * nothing has come free that those before it could use. A changed policy, pool or tenant plans the
 * whole queue at once.
 *
 * What people do comes as events: they approve, award, sign and accept. Nothing has to be made ready: a
 * grant is there with its decision, or with its agreement where the policy asks for one.
 *
 * After every plan, event and night all invariants are checked (invariants.h); the first one that does
 * not hold ends the run with its name.
 */
#pragma once
#include "policies/policy.h"
#include "policies/world.h"

/* RESERVE: ranked in its call and left out for now. */
enum sim_state {
    SIM_NOT_YET,
    SIM_IN_CALL,
    SIM_RESERVE,
    SIM_WAITING,
    SIM_HELD,
    SIM_GRANTED,
    SIM_DENIED,
    SIM_WITHDRAWN
};
const char *sim_state_word(enum sim_state state);

/* What became of one request; the world has what it asks. */
struct sim_request {
    enum sim_state state;
    bool is_partial, is_barrier, approved, refused, is_inverted;
    struct maybe_instant first, granted; /* its first decision; when it was granted */
    enum outcome first_outcome, outcome; /* outcome: the last one */
    gflops_t compute;                    /* granted */
    bytes_t storage;
    size_t tier;    /* index into sim.tiers */
    char *decisive; /* of the last decision: "NO_UNITS, LEND_LIMIT B1" */
    enum reason_code code;
    size_t grant;           /* 1 + index into sim.grants; 0: none */
    struct decision *offer; /* by which something is set aside for it (alloc/offer.h); NULL: nothing is */
    instant_t offered;      /* since when */
    bool is_lifted;         /* its offer is out of the way for a trial */
    bool has_passed;        /* it let an offer pass; the largest was of so much */
    gflops_t passed;
    struct fact_holding *going;   /* of the grant that it replaces; NULL: none was asked for yet */
    int64_t given_bytes;          /* in its call: storage and data lake */
    struct maybe_instant sign_by; /* awarded: until when its agreement must be signed */
    int64_t wanted;               /* GFLOPS that it adds to the demand of its tenant */
    bool ranked;
    int64_t rank;
    const char *approver;
};

/* RESERVED: nothing is made real before its agreement is signed. */
enum sim_grant_state { SIM_RESERVED, SIM_LIVE, SIM_GRACE, SIM_KEPT, SIM_ENDED };

struct sim_notice {
    struct fact_notice fact;
    span_t notice;      /* that the rule promises */
    gflops_t guarantee; /* of the tenant, as it can be kept */
    bool measured;
    int64_t covered; /* percent of the window */
    int64_t *operations;
    size_t n_operations;
    size_t claim; /* 1 + request that it is for; 0: none */
    bool done;
};

struct sim_grant {
    const char *id; /* g-1; in sim.memory */
    size_t request, tenant;
    enum sim_grant_state state;
    struct fact_server *servers;
    size_t n_servers;
    struct plan_seats *seats;
    size_t n_seats;
    int64_t compute, storage, datalake;
    instant_t start, end, keep_until;
    span_t notice, grace, keep, renew_term;
    int64_t renewals_left, renews; /* by the lease; wished by the tenant */
    size_t replaced_by;            /* 1 + request that is to replace it; 0: none */
    wide_t held_before;            /* GFLOPS-seconds that its tenant had held when it began */
    bool is_told;
    instant_t told, gone; /* notice of the end; servers given back */
    struct sim_notice *notices;
    struct fact_notice *open; /* facts of those that stand */
    size_t n_notices, notices_room, n_open, open_room;
    struct fact_sample *samples;
    size_t n_samples;
    size_t live; /* place in sim.live while LIVE or GRACE */
    size_t next; /* 1 + next grant of the same tenant */
};

struct sim_tenant {
    size_t organisation;
    size_t next_dated; /* how many of the dated attributes hold */
    bool is_here;
    struct fact_attr *attrs; /* present ones; owned */
    size_t n_attrs;
    struct fact_holding *holdings; /* one per item of the pool */
    size_t grants;                 /* 1 + first grant */
    size_t offered;                /* 1 + request that has an offer; 0: none */
    int64_t offered_compute;       /* GFLOPS set aside for it: facts count them as held */
    wide_t held_time;              /* GFLOPS-seconds held until held_at */
    instant_t held_at;
    bool is_settled;      /* its credits, at settled_at; held_time was then held_settled */
    instant_t settled_at; /* (alloc/credit.h) */
    wide_t held_settled;
    int64_t waiting, ceiling; /* GFLOPS wanted by what waits; the ceiling last seen, INT64_MAX: none */
    wide_t held_days, entitled_days;
    int64_t below_days;
    size_t tier;
    unsigned char *use; /* [metric][day % SIM_WINDOW]: 1 + percent, 0: no sample */
};
enum { SIM_WINDOW = 512 }; /* days that an idle rule may look back */

struct sim_organisation {
    int64_t compute, storage;
    int64_t *held; /* per item */
    size_t *tenants;
    size_t n_tenants, room;
};

/* One line of the daily state. */
struct sim_day {
    int64_t day; /* civil day number */
    int64_t waiting, held_requests, granted, holders, below;
    int64_t held, capacity, storage, demand, waiting_compute, used; /* GFLOPS; bytes; GFLOPS busy x 100 */
    bool has_use;
    int64_t jain, jain_weighted; /* millionths; 1000000 when nobody wants anything */
    int64_t free[FLAVORS_MOST], stranded[FLAVORS_MOST];
    int64_t notices, taken, offers;
};

/* What was taken back from one grant at one moment. */
struct sim_taken {
    instant_t at, sent, effect;
    size_t tenant, claimant; /* claimant: 1 + tenant for whom; 0: for nobody in particular */
    enum reclaim_cause cause;
    int64_t units, compute;
    instant_t start; /* of the grant */
    span_t notice;   /* that the rule promises */
    gflops_t guarantee;
    gflops_t held, claimant_held, claimant_guarantee; /* afterwards; of the claimant, before it gets it */
    bool measured;
    int64_t covered;
};

struct sim_rule {
    const char *id, *place;
    const char *en, *ko;     /* its reason, or what kind of rule it is */
    int64_t named, decisive; /* decisions in whose reasons it stands; whose outcome it made */
};

/* Requests of a better tier that waited while one of a lower tier was served. */
struct sim_inversion {
    const char *why;
    int64_t n;
};

struct sim_tier {
    const char *name;
    int64_t rank;
};
enum { SIM_TIERS = 33 };

/* A call as its events have it. */
struct sim_call {
    const char *name;
    struct call_share share;
    const struct event *award; /* NULL: not yet */
    bool is_due;               /* a person approved one of its requests */
    int64_t given_compute, given_bytes, moved_up, declined, not_signed;
};

/* How offers ended; made: all of them. */
enum sim_offer_end {
    SIM_OFFER_TAKEN,
    SIM_OFFER_EXPIRED,
    SIM_OFFER_OUTGROWN,
    SIM_OFFER_LOST,
    SIM_OFFER_LEFT,
    SIM_OFFER_ENDS
};
const char *sim_offer_end_word(enum sim_offer_end end); /* "taken" "expired" "outgrown" "lost" "withdrawn" */

struct sim_set {
    size_t *of; /* ascending */
    size_t n, room;
};

struct sim;
typedef const struct policy *sim_policy_fn(void *arg, const char *name);

struct sim_options {
    const struct world *world;
    const struct policy *policy;
    sim_policy_fn *policies; /* by the name of an event; never NULL for a name in the world */
    void *arg;
    instant_t until;
    bytes_t granule;
    bool sentences;                       /* the log has the first reason of each decision in words; slower */
    void (*step)(void *arg, size_t days); /* after each day; may be NULL */
    void *step_arg;
};

struct sim {
    struct sim_options options;
    const struct world *world;
    const struct policy *policy;
    struct keep memory;
    instant_t now, begin;
    struct fact_pool pool;
    struct fact_flavor flavors[FLAVORS_MOST];
    struct fact_service services[SERVICES_MOST];
    int64_t capacity; /* GFLOPS, at least 1 */
    char items[FLAVORS_MOST + SERVICES_MOST][96];
    size_t n_items; /* flavors first */
    size_t item_place[FLAVORS_MOST + SERVICES_MOST];
    struct fact_tenant *facts; /* parallel to tenants */
    struct sim_tenant *tenants;
    size_t n_tenants;
    struct standing *standings; /* parallel to tenants */
    instant_t *since;           /* likewise: since when each has its guarantee */
    gflops_t *before;           /* likewise: the guarantee of the night before */
    int64_t promised, unused;   /* sums over all tenants */
    int64_t weights;            /* of those that are eligible */
    struct sim_organisation *organisations;
    size_t n_organisations;
    struct sim_request *requests; /* parallel to world.requests */
    struct sim_grant *grants;
    size_t n_grants, grants_room;
    struct fact_grant *live; /* facts of the live ones, for reclaim and invariants */
    size_t *live_of;         /* their place in grants */
    size_t n_live, live_room, live_of_room;
    struct sim_set waiting, held;    /* requests; held: a person has them before her */
    struct sim_set reserve, offered; /* requests; on the reserve list of a call; with an offer */
    struct sim_call *calls;
    size_t n_calls, calls_room;
    int64_t waiting_compute;
    struct fact_end *ends; /* of live grants, by (at, grant, flavor) */
    size_t n_ends, ends_room;
    int64_t operations, notices; /* counters of ids */
    size_t next_use;
    bool is_raised; /* the whole queue must be planned */
    int64_t taken_today, notices_today;
    int64_t changes, changes_seen; /* of what is held or is there; seen by the invariants */
    char *broken;                  /* when a plan failed: its facts, as alloc/facts.h has them; NULL */
    /* records */
    struct text log; /* decisions.jsonl */
    struct sim_day *days;
    size_t n_days, days_room;
    struct sim_taken *taken;
    size_t n_taken, taken_room, taken_seen; /* seen by the invariants */
    struct sim_rule *rules;
    size_t n_rules, rules_room;
    struct sim_tier tiers[SIM_TIERS];
    size_t n_tiers;
    int64_t decisions, plans, checks, without_effect, renewals, renewals_refused;
    int64_t offers_made, offers_ended[SIM_OFFER_ENDS], swaps, settlements;
    struct sim_inversion *inversions; /* by what kept the better tier waiting */
    size_t n_inversions, inversions_room;
    /* scratch of a plan */
    struct fact_tenant *plan_tenants;
    struct fact_claim *plan_claims;
    struct fact_end *plan_ends;
    size_t *plan_place, *plan_requests, plan_ends_room;
    size_t plan_room, tenants_room, place_room, requests_room;
};

/* 0, or -1: a broken invariant, or a world that this policy cannot be run on. sim_end() always. */
int sim_run(struct sim *s, const struct sim_options *options, struct err *e);
void sim_end(struct sim *s);

/* In GFLOPS: what a tenant holds, without what is offered to it; what it wants, at most its ceiling. */
int64_t sim_held(const struct sim *s, size_t tenant);
int64_t sim_demand(const struct sim *s, size_t tenant);
