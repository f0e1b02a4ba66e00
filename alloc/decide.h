/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port to the policy: plan(policy, facts) gives every claim a decision with its reasons, all
 * claims together (one request is n = 1 beside the queue). policies/ implements it. It is pure: no
 * clock, no I/O, no randomness; the same facts give the same decisions to the byte, whatever the
 * order of the claims. Facts are stored as canonical JSON beside the decisions (alloc/facts.h), so
 * that `explain` can plan again and compare.
 *
 * Ownership: facts belong to the caller and outlive the plan; a plan owns all its memory and is
 * freed with plan_free(). Text in a plan is a copy. What shall outlive its plan is made to with
 * decision_own().
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/arena.h"
#include "alloc/clock.h"
#include "alloc/err.h"

#include <stddef.h>

/* Of a pool, and so of a policy, which restates it. */
enum { FLAVORS_MOST = 32, SIZES_MOST = 16, SIZE_MOST = 256, SERVICES_MOST = 32, SERVERS_MOST = 4096 };

/* A whole amount that may be absent; never a sentinel. */
struct maybe_instant {
    bool has;
    instant_t at;
};

struct fact_flavor {
    const char *name;
    bool unrated;           /* a chip without a figure: rating is nothing, it adds no compute */
    gflops_t rating;        /* of one unit, at the basis of the pool */
    units_t capacity, free; /* free: neither reserved, held, kept, releasing, lost nor held for an offer */
    units_t lost;           /* of the capacity */
    units_t coming;         /* of the capacity: given back, not yet seen absent; only in facts with grants */
    int64_t sizes[SIZES_MOST]; /* units that one server may have, ascending */
    size_t n_sizes;
};

/* Software lent by the seat. */
struct fact_service {
    const char *name;
    int64_t seats, free;
};

/* The lease of a grant ends and these units come back, unless it is renewed; or, before that, a notice of
   reclaim takes effect. */
struct fact_end {
    instant_t at; /* when they come back: the end with its grace, or the effect of the notice */
    const char *grant, *flavor;
    units_t units;
    const char *notice; /* n-12; NULL: the lease ends */
};

/* What tenants that have no claim in this plan are promised; each claimant's own part comes from its tier. */
struct fact_promised {
    gflops_t guarantees; /* sum of their guarantees */
    gflops_t unused;     /* sum of max(0, guarantee - held) */
};

struct fact_pool {
    const char *name, *basis; /* "fp32", "fp16": figures of different basis are never added */
    bool draining;            /* gives nothing new */
    const struct fact_flavor *flavors;
    size_t n_flavors;
    bytes_t storage_capacity, storage_free;
    bytes_t granule; /* storage and data lake are rounded down to a multiple of it (1 or more) */
    bytes_t datalake_capacity, datalake_free;
    const struct fact_service *services;
    size_t n_services;
    const char *const
        *measures; /* metrics that can be measured here: for the comparison with a policy only */
    size_t n_measures;
    const struct fact_end *ends; /* by (at, grant, flavor): the next ones, of flavors that run short */
    size_t n_ends;
    struct fact_promised promised;
    /* Requests that wait and are left out: nothing that they could use has come free since they were last
       planned, so they can only wait on. They come before the claims of this plan. */
    int64_t waiting;
    gflops_t waiting_compute;
    /* Of a request that answers a call: what is free outside the call's share. It cannot be given here, but
       it stays free for the guarantees and the reserves of others. */
    gflops_t beside_compute;
    bytes_t beside_storage;
    /* Where each tenant has a project of its own: declared, and bound or free. For the words only. */
    int64_t projects, projects_usable;
};

struct fact_attr {
    const char *name, *value; /* value as text: checked against the type that the policy declares */
};

/* What a tenant and its organisation hold of one item: "unit/v100", "seat/notebook". */
struct fact_holding {
    const char *item;
    int64_t held, organisation;
};

/* What was and will be granted in the calendar periods (UTC+9) in which now falls: amount x time of every
 * grant inside the period, live ones counted to their end. */
enum { FACT_MONTH, FACT_QUARTER, FACT_YEAR, FACT_PERIODS };
struct fact_spent {
    int64_t compute_gflops_seconds, organisation_gflops_seconds;
    int64_t storage_byte_hours, organisation_byte_hours;
};

/* A tenant with what it and its organisation hold in this pool now (reserved + held + kept for bytes;
   storage and data lake together; with what is held for an offer). */
struct fact_tenant {
    const char *name, *organisation;
    bool suspended;
    gflops_t held_compute, organisation_compute;
    bytes_t held_storage, organisation_storage;
    const struct fact_attr *attrs; /* of the tenant */
    size_t n_attrs;
    const struct fact_holding *holdings; /* by item; what is not named is 0 */
    size_t n_holdings;
    int64_t credits; /* TFLOPS-days below (positive) or above its entitlement in past leases */
    struct fact_spent spent[FACT_PERIODS];
};

/* The order of ids: shorter first, then by bytes, so that r-998 comes before r-1000. The last tie-break
 * everywhere. */
int claim_id_cmp(const char *a, const char *b);

enum claim_ask {
    ASK_NONE,    /* storage only */
    ASK_UNITS,   /* so many units of one flavor */
    ASK_COMPUTE, /* so many GFLOPS: the best reachable sum at or below it */
};

/* The grant that a claim replaces, new before old: it is given back when the new one stands. */
struct fact_replaced {
    const char *grant; /* NULL: none */
    gflops_t compute;
    bytes_t storage;
    const struct fact_holding *holdings; /* held only */
    size_t n_holdings;
    struct maybe_instant end; /* of its lease; unset: it has nothing any more */
};

struct fact_seats {
    const char *service;
    int64_t seats;
};

struct fact_claim {
    const char *id;     /* r-187 */
    size_t tenant;      /* index into facts.tenants */
    const char *flavor; /* NULL: any */
    enum claim_ask ask;
    units_t units;    /* ASK_UNITS */
    gflops_t compute; /* ASK_COMPUTE */
    bool has_minimum; /* --min: less than asked is accepted down to this (same kind as ask) */
    units_t minimum_units;
    gflops_t minimum_compute;
    int64_t per_server;         /* units that must share a server; 0: as the policy and pool like */
    bytes_t storage;            /* never partial */
    struct maybe_instant until; /* wanted end */
    span_t term;                /* wanted length when no end was given; 0: the policy's term */
    instant_t submitted;
    bool approved;                 /* a person approved it: review rules and approvals count as passed */
    const char *approver;          /* NULL unless approved */
    const char *override_rule;     /* rules set aside by an admin's dated override, "C1,C2"; or NULL */
    const struct fact_attr *attrs; /* of the request */
    size_t n_attrs;
    bytes_t datalake; /* object storage; never partial */
    const struct fact_seats *seats;
    size_t n_seats;
    struct fact_replaced replaces;
    const char *call;            /* the call that it answers; NULL */
    struct maybe_instant agreed; /* the date of the signed agreement */
    bool ranked;                 /* awarded in a call: served in the order of rank before anything else */
    int64_t rank;
};

/* One server of a live grant, so that a plan can say what exactly comes back. */
struct fact_server {
    const char *flavor;
    int64_t units;
    int64_t operation;  /* number of the thing in the store */
    gflops_t compute;   /* of the whole server, at the rating of its grant */
    bool carries;       /* volumes hang on it: it goes last */
    const char *notice; /* the open notice that covers it; NULL: none */
};

/* What was measured of a grant over one window. */
struct fact_sample {
    const char *metric; /* "gpu_util.p95" */
    span_t window;      /* up to now */
    int64_t covered;    /* percent of the window that has samples */
    int64_t most, mean; /* percent of the full use: the largest sample and the mean over time */
};

enum reclaim_cause { CAUSE_GRACE, CAUSE_IDLE, CAUSE_DEBT, CAUSE_GUARANTEE, CAUSE_LOSS, CAUSE_SWAP, CAUSES };
const char *reclaim_cause_word(enum reclaim_cause c); /* "grace" "idle" "debt" "guarantee" "loss" "swap" */

/* A notice that stands: these servers are to be taken back, not before effect. */
struct fact_notice {
    const char *id; /* n-12 */
    enum reclaim_cause cause;
    instant_t sent, effect;
    int64_t units;
    const char *flavor;
    const char *rule; /* NULL: none */
};

/* A live grant; only in facts for a reclaim plan and for the invariants. */
struct fact_grant {
    const char *id; /* g-311 */
    size_t tenant;  /* index into facts.tenants */
    gflops_t compute;
    bytes_t storage;
    instant_t start, end;
    span_t grace;
    const struct fact_server *servers;
    size_t n_servers;
    const struct fact_sample *samples;
    size_t n_samples;
    const struct fact_notice *notices; /* open ones */
    size_t n_notices;
    const char *excepted; /* rules set aside by an exception that still runs, "C1,C2"; NULL: none */
};

struct facts {
    instant_t now;
    struct fact_pool pool;
    const struct fact_tenant *tenants;
    size_t n_tenants;
    const struct fact_claim *claims;
    size_t n_claims;
    const struct fact_grant *grants; /* all live ones, for reclaim(); a plan needs none */
    size_t n_grants;
};
/* The most units of a flavor that one of the claims could want; 0 when none asks for it. */
int64_t facts_most_wanted(const struct facts *f, const struct fact_flavor *v);

enum outcome { OUTCOME_GRANT, OUTCOME_PARTIAL, OUTCOME_QUEUE, OUTCOME_HOLD, OUTCOME_DENY };
const char *outcome_word(enum outcome o); /* "granted" "partial" "queued" "held" "denied" */

/* In order of precedence: permanent before temporary, tenant-wide before per flavor. */
enum reason_code {
    REASON_NOT_ELIGIBLE,
    REASON_SUSPENDED,
    REASON_EXCEEDS_CEILING,
    REASON_EXCEEDS_BUDGET,
    REASON_BELOW_SMALLEST_STEP,
    REASON_NO_SUCH_FLAVOR,
    REASON_NO_SUCH_SIZE,
    REASON_NO_SUCH_SERVICE,
    REASON_EXCEEDS_POOL,
    REASON_LEASE_TOO_LONG,
    REASON_LEASE_OVER, /* the wanted end has passed */
    REASON_NEEDS_APPROVAL,
    REASON_EVAL_ERROR,
    REASON_BACKEND_REFUSED,
    REASON_NO_POLICY,
    REASON_NO_PROJECT, /* no project is left at the cloud for a tenant that has none */
    REASON_DEBT,
    REASON_DRAINING,
    REASON_IN_CALL,           /* waits for the award of its call; of a grant, a note: awarded in it */
    REASON_RESERVE_LIST,      /* ranked in its call, and left out for now */
    REASON_RESERVED_FOR_TIER, /* what is free is kept for a better tier */
    REASON_BEHIND_BARRIER,    /* what is free is set aside for one that waited long */
    REASON_LEND_LIMIT,        /* what is free must cover the guarantees of others */
    REASON_NO_UNITS,
    REASON_NO_STORAGE,
    REASON_NO_DATALAKE,
    REASON_NO_SEATS,
    REASON_WAITING_TURN,
    REASON_ROUNDED, /* rounded down to a reachable sum or to the storage granule: a note */
    REASON_SHRUNK,  /* partial: less than asked, at least the minimum: a note */
    REASON_PASSED,  /* the rule that let it pass: a note */
    REASON_CODES
};
const char *outcome_word_ko(enum outcome o);
const char *reason_code_word(enum reason_code c); /* "NOT_ELIGIBLE" ... */

struct reason {
    enum reason_code code;
    char *rule;              /* rule id (E2, C1); NULL when no rule of the policy is the cause */
    char *place;             /* "pilot.policy:20"; NULL likewise */
    char *en, *ko;           /* one sentence with the numbers; ko is never NULL (falls back to a template) */
    char *hint_en, *hint_ko; /* what would change the answer; NULL when nothing would */
    bool decisive;           /* changing what it names would change the outcome */
    bool bare;               /* of a plan without sentences: place, en, ko and hints are NULL */
    struct arena *memory;    /* for its texts, while its plan is made; then NULL */
};

/* So many servers of so many units of a flavor. */
struct plan_line {
    char *flavor;
    int64_t size;  /* units per server */
    int64_t count; /* servers */
    gflops_t rating;
};

struct lease_terms {
    instant_t start, end;
    span_t notice, grace, keep; /* notice before end; grace after end; volumes kept after release */
    int64_t renewals;           /* how often it may be renewed */
    span_t renew_term;          /* length added by one renewal */
};

/* The most of one item, "unit/v100", "datalake", "seat/notebook", that a tenant and its organisation may
 * hold. */
struct plan_item_limit {
    char *item;
    bool has, has_organisation;
    int64_t most, organisation;
};

/* The ceiling that held: kept with the grant and re-checked by constraints in the store. */
struct plan_limits {
    bool has_compute, has_storage, has_organisation_compute, has_organisation_storage;
    gflops_t compute, organisation_compute;
    bytes_t storage, organisation_storage;
    struct plan_item_limit *items; /* only those that the policy limits */
    size_t n_items;
};

struct plan_seats {
    char *service;
    int64_t seats;
};

/* What could be had instead: now (QUEUE, held until `until`) or by asking for it (DENY; until unset). */
struct plan_offer {
    bool has;
    struct plan_line *lines;
    size_t n_lines;
    gflops_t compute;
    bytes_t storage, datalake; /* datalake and seats: all that was asked, QUEUE only */
    struct plan_seats *seats;
    size_t n_seats;
    struct maybe_instant until;
};

/* QUEUE: when the whole fits at the earliest, if nothing is renewed, no notice is withdrawn and nobody comes
   before, and because of which lease end or notice. */
struct plan_earliest {
    struct maybe_instant at; /* unset: not within the known lease ends */
    char *grant;             /* NULL when unset */
    char *notice;            /* n-12, of that grant; NULL: its lease ends */
};

/* Where a claim stood in the order: its tier after a lift, and its weighted share held/capacity/weight. */
struct plan_standing {
    char *tier, *rule; /* NULL: the policy has no tiers */
    bool lifted;
    int64_t rank, weight; /* rank 0 is the best tier */
    gflops_t guarantee;   /* effective: scaled when the pool cannot keep all */
    int64_t held_gflops, capacity_gflops, credits;
};

struct decision {
    char *claim; /* the id of its claim */
    enum outcome outcome;
    struct plan_line *lines; /* what is granted: GRANT and PARTIAL only */
    size_t n_lines;
    gflops_t compute; /* sum over lines */
    bytes_t storage;
    struct lease_terms lease;
    struct plan_limits limits;
    int64_t position;       /* QUEUE: place among those that wait (1 is next); else 0 */
    gflops_t ahead_compute; /* QUEUE: what those ahead ask for */
    bytes_t datalake;       /* granted, as storage is */
    struct plan_seats *seats;
    size_t n_seats;
    struct plan_offer offer;
    struct plan_earliest earliest;
    struct plan_standing standing;
    bool is_barrier;        /* units are set aside for it */
    bool needs_agreement;   /* granted, but nothing is made real before an agreement is dated */
    struct reason *reasons; /* in order of precedence; at least one */
    size_t n_reasons;
};

struct plan {
    struct decision *decisions; /* in the order of the claims given */
    size_t n_decisions;
    struct arena memory; /* what the decisions refer to; empty: each owns it, as decision_free() ends it */
};

/* How the policy sees a tenant today, whether or not it asks for something. */
struct standing {
    bool eligible;        /* no rule denies it outright (what depends on a request is taken as allowed) */
    char *tier, *rule;    /* NULL: the policy has no tiers */
    int64_t rank, weight; /* weight 1 without tiers */
    gflops_t guarantee;   /* as the policy states it; 0 unless eligible and not suspended */
};
void standings_free(struct standing *s, size_t n);

/* One thing that shall come back. */
struct reclaim {
    char *grant, *tenant;
    int64_t *operations; /* whole servers, ascending */
    size_t n_operations;
    char *flavor;
    int64_t units;
    gflops_t compute;
    enum reclaim_cause cause;
    char *rule, *place;       /* of the policy; NULL for a loss */
    char *claim;              /* for whom; NULL when for nobody in particular */
    instant_t effect;         /* not before: notice and min-hold are kept */
    span_t notice, appeal;    /* appeal 0: none */
    char *en, *ko;            /* one sentence with the numbers */
    gflops_t held, guarantee; /* of the tenant, before; the guarantee as it can be kept */
    bool measured;
    struct fact_sample sample; /* measured: the evidence; metric is owned */
};

/* A standing notice that is needed no more. */
struct reclaim_end {
    char *notice; /* n-12 */
    char *en, *ko;
};

/* A guarantee that the pool cannot keep in full. */
struct reclaim_scaled {
    char *tenant;
    gflops_t stated, kept;
};

/* What an idle or unused rule found of the live grants that have servers. */
enum idle_verdict {
    IDLE_TAKEN,
    IDLE_USED,
    IDLE_UNMEASURED, /* not through the whole window */
    IDLE_YOUNG,      /* began within the window */
    IDLE_NOTICED,    /* has a notice already, of this rule or another */
    IDLE_ELSEWHERE,  /* not of its condition */
    IDLE_SPARED,     /* idle; but its guarantee, whole servers or the cap of the round keep it */
    IDLE_VERDICTS
};
struct reclaim_judged {
    char *rule;
    span_t window;
    int64_t grants[IDLE_VERDICTS];
};

/* In the order of precedence; within the cap of the policy. What has cause "grace" needs no notice: its lease
   has given it. The sums count the rest. left_out: how many tenants the cap spared this time. */
struct reclaim_plan {
    struct reclaim *reclaims;
    size_t n_reclaims;
    struct reclaim_end *ends; /* newest notice first */
    size_t n_ends;
    struct reclaim_scaled *scaled; /* by tenant; none while all guarantees can be kept */
    size_t n_scaled;
    struct reclaim_judged *judged; /* one for each idle or unused rule */
    size_t n_judged;
    int64_t tenants, units, left_out;
    gflops_t compute;
    gflops_t guarantees, available; /* the ratio of all guarantees is available / guarantees, at most 1 */
};
void reclaim_plan_free(struct reclaim_plan *plan);

/* A later end of a live grant: what it holds is held from its old end on, or from now where that has passed.
 */
struct lengthening {
    instant_t from, until;
    gflops_t compute;
    bytes_t storage; /* and data lake */
    bool
        own_terms; /* a renewal: so long as the grant's own terms say, whatever term the policy gives today */
};

struct policy; /* policies/policy.h */

/* What the decisions of a policy read beyond the claims that are new. */
enum policy_needs {
    /* One that waits keeps what it waits for from those behind it: all that wait are planned each time, and
       facts.pool.waiting is 0. */
    NEEDS_WAITING = 1,
    NEEDS_SPENT = 2, /* fact_tenant.spent */
};

/* What the engine may call. The wiring in cmd/ hands it the one of policies/. */
struct decider {
    /* Parses and checks a policy from its stored form (text, tables). Errors name file:line:column. */
    struct policy *(*open)(const char *stored, struct err *e);
    void (*close)(struct policy *policy);
    /* 0, or -1 for an engine fault; a rule that cannot be evaluated is a HOLD, not a failure. */
    int (*plan)(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e);
    /* The same decisions without sentences, for who plans much and tells little (a simulation). */
    int (*plan_bare)(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e);
    /* May the grant of the one claim in the facts be held longer? By leases and budgets, as what is new and
       asked for the added time is. GRANT, or DENY or HOLD with the reasons; the caller ends it with
       decision_free(). The claim's override_rule counts. */
    int (*lengthen)(const struct policy *policy, const struct facts *facts, const struct lengthening *l,
                    struct decision *out, struct err *e);
    /* One standing for each of facts.tenants, into out[facts.n_tenants]. Claims and grants do not matter. */
    int (*assess)(const struct policy *policy, const struct facts *facts, struct standing *out,
                  struct err *e);
    /* A sum of enum policy_needs. NULL: it needs everything. */
    unsigned (*needs)(const struct policy *policy);
    /* What shall be taken back now, of facts.grants, beyond the notices that stand. Changes nothing. */
    int (*reclaim)(const struct policy *policy, const struct facts *facts, struct reclaim_plan *out,
                   struct err *e);
    /* The i-th metric and window that its rules look at, for facts.grants; false past the last. */
    bool (*window)(const struct policy *policy, size_t i, const char **metric, span_t *window);
    /* Do the promises of the policy hold of this plan, or (plan NULL) of facts with their grants? 0, or -1
       (ERR_BOOKS) with the first that does not, by its name. May be NULL; called only where ALLOT_VERIFY is
       defined. */
    int (*verify)(const struct policy *policy, const struct facts *facts, const struct plan *plan,
                  struct err *e);
    /* The whole way of one claim through the policy, as JSON text that the caller frees (allot-policy(5),
       TRACE); NULL when the facts do not name it. */
    char *(*trace)(const struct policy *policy, const struct facts *facts, const char *claim, struct err *e);
};

/* decider->verify where the build asks for it (EXTRA=-DALLOT_VERIFY); else, or without it, 0. */
int decider_verify(const struct decider *decider, const struct policy *policy, const struct facts *facts,
                   const struct plan *plan, struct err *e);

void plan_free(struct plan *plan);
void decision_free(struct decision *d); /* what it owns */
void decision_own(struct decision *d);  /* copies of all that it refers to */
