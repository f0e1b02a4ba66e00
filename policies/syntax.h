/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy is made of, inside policies/ only. The parser builds it with names and literals as
 * written (places kept); the checker resolves names to indices and literals to typed values; after
 * that nothing changes. Everything lives in the policy's arena.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/clock.h"
#include "alloc/decide.h"
#include "alloc/arena.h"
#include "policies/diagnose.h"

/* Limits: a policy is a page or two; these stop a wrong file, not a right one. */
enum {
    POLICY_BYTES = 1 << 20,
    POLICY_RULES = 1000, /* of each kind */
    POLICY_ATTRS = 64,
    POLICY_TABLES = 32,
    POLICY_FLAVORS = 32,
    POLICY_SERVICES = 32,
    POLICY_TIERS = 32,
    POLICY_METRICS = 32,
    POLICY_VALUES = 64, /* of an enum, or in one { } of an expression */
    POLICY_DEPTH = 32,  /* nested expressions */
    POLICY_NAME = 64,   /* bytes of a name */
    POLICY_TEXT = 500,  /* bytes of a string */
    WEIGHT_MOST = 1000000,
    TABLE_ENTRIES = 100000,
};

struct word {
    const char *s;
    struct place place;
};

enum type { TYPE_BOOL, TYPE_ENUM, TYPE_DATE, TYPE_INT, TYPE_TEXT, TYPE_COMPUTE, TYPE_STORAGE, TYPE_UNITS };

enum subject { SUBJECT_TENANT, SUBJECT_REQUEST, SUBJECT_BUILT_IN };

/* A name that expressions may use: an attribute, or one of the built-ins, which come first. */
struct variable {
    struct word name;
    enum type type;
    enum subject of;
    bool optional;
    struct word *values; /* of an enum */
    size_t n_values;
};

/* tier is an enum of the tiers of the policy, and unknown inside the sets; request.storage is what is asked
   of storage and data lake together; request.flavor and request.call may be unset. */
enum {
    VAR_TENANT,
    VAR_ORGANISATION,
    VAR_COMPUTE,
    VAR_STORAGE,
    VAR_UNITS,
    VAR_TODAY,
    VAR_TIER,
    VAR_FLAVOR,
    VAR_CALL,
    VARS_BUILT_IN
};

enum literal_kind {
    LITERAL_NUMBER,
    LITERAL_AMOUNT,
    LITERAL_DATE,
    LITERAL_TODAY,
    LITERAL_WORD,
    LITERAL_STRING
};

/* n: count, GFLOPS, bytes, day number, days from today, index of an enum value, 0 or 1; text for TYPE_TEXT.
 */
struct literal {
    enum literal_kind kind;
    struct place place, unit_place;
    const char *text, *unit; /* as written */
    int64_t n;
    bool relative; /* a date counted from today */
};

enum op { OP_AND, OP_OR, OP_NOT, OP_IS_TRUE, OP_COMPARE, OP_IN_SET, OP_IN_TABLE, OP_UNSET };
enum compare { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct expr {
    enum op op;
    enum compare compare;
    struct place place;
    struct expr *left, *right; /* OP_NOT uses left */
    struct word subject;
    int variable; /* index, after checking */
    struct literal *literals;
    size_t n_literals;
    struct word table_name;
    int table;
};

struct table {
    struct word name;
    const char *from;     /* file name, or NULL when written in the policy */
    const char **entries; /* sorted by bytes, each once */
    size_t n;
};

enum effect { EFFECT_PASS, EFFECT_DENY, EFFECT_REVIEW };

struct rule {
    struct word id;
    enum effect effect;
    const char *reason, *reason_ko; /* reason_ko may be NULL */
    struct expr *when;              /* NULL: otherwise */
};

/* A tier: a rank (its place among tiers), a weight of 1 or more, and compute that it is sure to get back. */
struct tier {
    struct word name;
    int64_t weight;
    gflops_t guarantee;
    int64_t expect; /* members, for the offline check of guarantees against the pool */
    bool has_expect;
    struct place weight_place, guarantee_place, expect_place; /* of the first rule that names it */
};

struct tier_rule {
    struct word id;
    int tier;                       /* index into policy.tiers */
    const char *reason, *reason_ko; /* reason_ko may be NULL */
    struct expr *when;              /* NULL: otherwise */
};

/* A ceiling on something else than compute and storage: units of a flavor, seats of a service. */
struct item_limit {
    bool seats; /* else units */
    struct word name;
    int64_t most;
    struct place place;
};

struct ceiling {
    struct word id;
    bool per_organisation;
    bool has_compute, has_storage;
    gflops_t compute;
    bytes_t storage; /* storage and data lake together: one umbrella */
    struct place compute_place, storage_place;
    struct item_limit *items; /* each name once */
    size_t n_items;
    struct expr *when; /* NULL: always */
};

/* A person must agree first. by: the role, for people ("operator", "committee"). */
struct approve {
    struct word id, by;
    const char *reason, *reason_ko;
    struct expr *when;
};

enum order_key { ORDER_SHARE, ORDER_CREDITS, ORDER_WAIT, ORDER_ID, ORDER_KEYS };

/* How those that wait are served. At most one: it has no condition. Without it: order wait, id. */
struct queue_rule {
    struct word id; /* id.s NULL: the policy has none */
    enum order_key order[ORDER_KEYS];
    size_t n_order;     /* the last is always ORDER_ID */
    bool weigh_surplus; /* weigh surplus: only what is held above the guarantee counts */
    bool strict;        /* a better tier goes first, whatever the shares */
    bool has_lift, has_barrier, has_hold;
    span_t lift;      /* after so long in the queue it counts as of the next better tier */
    span_t barrier;   /* after so long freed units are set aside for it */
    int64_t barriers; /* for at most so many */
    bool has_partial; /* stated; else a partial grant has at least one step */
    int64_t partial;  /* steps of a partial grant, at least; 0: never partial */
    span_t hold;      /* an offer is held so long; without it none is made */
    struct place order_place, weigh_place, strict_place, lift_place, barrier_place, hold_place;
};

/* By time alone, in cohorts of the same second, as without the rule. */
static inline bool queue_is_by_time(const struct queue_rule *q) {
    return q->n_order == 2 && q->order[0] == ORDER_WAIT;
}

/* Lending of unused guarantees. At most one, without a condition. Without it nothing is lent. */
struct borrow_rule {
    struct word id; /* id.s NULL: none */
    bool has_lend, has_notice;
    int64_t lend_most; /* percent of unused guarantees that may be lent: 0 to 100 */
    span_t notice;     /* a lent unit comes back within this */
    span_t min_hold;   /* and is never taken back sooner after it was given */
    int64_t most;      /* tenants that one round may touch */
    bool has_most;
    struct place lend_place, notice_place, min_hold_place;
};

/* idle: every sample of the window lies below the bound. unused: the mean over the window does. What a window
   has no samples of is not idle. */
struct idle_rule {
    struct word id, metric; /* "gpu_util.p95"; the part before the dot is what the pool measures */
    bool unused;
    int64_t below; /* percent */
    span_t window;
    int64_t lose;          /* percent of what lies idle or unused; 100 unless stated */
    span_t notice, appeal; /* appeal: within the notice */
    bool keep_guarantee;   /* never below the guarantee */
    struct place below_place, window_place, notice_place, appeal_place;
    struct expr *when;
};

struct reserve_rule {
    struct word id, tier_name;
    int tier;
    bool storage;    /* else compute */
    int64_t percent; /* of the pool, for this tier and better ones only */
    struct place place;
};

enum period { PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR, PERIODS };

/* Compute-time or storage-time that may be granted in one period of the calendar (UTC+9). */
struct budget {
    struct word id;
    bool per_organisation, storage;
    int64_t most; /* GFLOPS-seconds, or byte-hours (a month of storage is 30 days) */
    enum period period;
    struct place place;
    struct expr *when;
};

struct lease {
    struct word id;
    bool has_until; /* ends at a date; else after term */
    span_t term, notice, grace, keep;
    instant_t until;
    int64_t renew;
    bool agreement; /* nothing is made real before an agreement is dated */
    struct place term_place, notice_place, renew_place;
    struct expr *when;
};

struct flavor {
    struct word name;
    bool unrated; /* a chip without a figure: counted in units only */
    gflops_t rating;
    int64_t units;
    int64_t sizes[SIZES_MOST]; /* ascending */
    size_t n_sizes;
};

struct service {
    struct word name;
    int64_t seats;
};

struct policy {
    struct arena arena;
    const char *file, *text; /* text: exactly as read */
    size_t length;
    const char *stored; /* the stored form that it was opened from; NULL: it was not */
    const char *name;
    int64_t version;
    struct word pool, basis;
    struct flavor *flavors;
    size_t n_flavors;
    bytes_t storage;
    bool has_storage;
    struct place storage_place;
    bytes_t datalake;
    bool has_datalake;
    struct place datalake_place;
    struct service *services; /* saas */
    size_t n_services;
    struct word *measures; /* metrics that the pool can measure */
    size_t n_measures;
    struct maybe_instant valid_from, valid_until; /* until: the first instant after the last day */
    struct place valid_place;
    struct variable *variables; /* built-ins first */
    size_t n_variables;
    struct table *tables;
    size_t n_tables;
    bool has_eligible;
    struct place eligible_place; /* the words "set eligible" */
    struct rule *rules;
    size_t n_rules;
    struct place tier_place; /* the words "set tier" */
    bool has_tier_set;
    struct tier *tiers; /* best first */
    size_t n_tiers;
    struct tier_rule *tier_rules;
    size_t n_tier_rules;
    struct ceiling *ceilings;
    size_t n_ceilings;
    struct approve *approves;
    size_t n_approves;
    struct lease *leases;
    size_t n_leases;
    struct queue_rule queue;
    struct borrow_rule borrow;
    struct idle_rule *idles;
    size_t n_idles;
    struct reserve_rule *reserves;
    size_t n_reserves;
    struct budget *budgets;
    size_t n_budgets;
    int64_t expect; /* tenants, for the ratio of ceilings to pool */
    bool has_expect;
    struct place expect_place;
};

struct policy_source;

/* Units of a budget: of GFLOPS-seconds, of byte-hours. */
extern const struct amount_scale compute_hours[], storage_months[];

/* One rule of any kind, for whoever needs all of them. */
struct any_rule {
    const struct word *id;
    const char *kind;  /* the word of its statement: "ceiling", "set eligible" */
    struct expr *when; /* NULL: always */
    bool of_request;   /* its condition may ask about a request; else about the tenant alone */
    bool knows_tier;   /* its condition may ask for the tier */
};
size_t policy_rules(const struct policy *policy); /* how many */
struct any_rule policy_rule_at(const struct policy *policy,
                               size_t at); /* kind by kind, in the order of the file */

/* Fills policy from its text. Syntax errors are collected; false when there was any. *declared is false
   when a declaration was lost to an error, so that unknown names mean nothing. */
bool parse_policy(struct policy *policy, const struct policy_source *source, struct diagnostics *d,
                  bool *declared);
/* Resolves names and types; then checks the policy as a whole. warn: with check_profiles(), which takes as
   long as all the rest and never refuses. */
void check_names(struct policy *policy, struct diagnostics *d);
void check_whole(const struct policy *policy, bool warn, struct diagnostics *d);
/* Its parts: what is promised against what the pool has; order, lending, idle rules, reserves, budgets; and
   by trying every profile rules that can never decide and requests that would be held. */
void check_guarantees(const struct policy *policy, struct diagnostics *d);
void check_sharing(const struct policy *policy, struct diagnostics *d);
void check_profiles(const struct policy *policy, struct diagnostics *d);

/* Sums of whole servers of rated flavors near a target: the smallest at or above it that is at most `most`,
   and the largest below it. */
struct reach {
    bool has_above, gave_up; /* gave_up: too many combinations; above is then only an upper bound */
    int64_t above, below;
};
struct reach reach_near(const struct policy *policy, int64_t target, int64_t most);

/* Of a budget, for people: "17496 TF-hours", "1.5 TB-months". */
struct amount_text budget_text(bool storage, wide_t amount);
span_t lease_shortest(const struct policy *policy, const struct lease **which); /* 0: none states a term */

const char *type_word(enum type t); /* "compute (GF TF PF EF)" */
/* The value of an attribute as a tenant or a request states it. 0, or -1 with what is wrong. */
int variable_read(const struct variable *v, const char *text, int64_t *n, struct err *e);
int64_t day_number(instant_t t); /* the civil day (UTC+9) on which t falls, counted from 1970-01-01 */
bool table_has(const struct table *table, const char *entry);
