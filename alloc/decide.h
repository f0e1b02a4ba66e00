/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port to the policy: plan(policy, facts) gives every claim a decision with its reasons, all
 * claims together (one request is n = 1 beside the queue). policies/ implements it. It is pure: no
 * clock, no I/O, no randomness; the same facts give the same decisions to the byte, whatever the
 * order of the claims. Facts are stored as canonical JSON beside the decisions (alloc/facts.h), so
 * that `explain` can plan again and compare.
 *
 * Ownership: facts belong to the caller and outlive the plan; a plan owns all its memory and is
 * freed with plan_free(). Text in a plan is a copy.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/clock.h"
#include "alloc/err.h"

#include <stddef.h>

/* Of a pool, and so of a policy, which restates it. */
enum { FLAVORS_MOST = 32, SIZES_MOST = 16, SIZE_MOST = 256 };

/* A whole amount that may be absent; never a sentinel. */
struct maybe_instant {
    bool has;
    instant_t at;
};

struct fact_flavor {
    const char *name;
    gflops_t rating;           /* of one unit, at the basis of the pool */
    units_t capacity, free;    /* free: neither reserved, held, kept, releasing nor lost */
    int64_t sizes[SIZES_MOST]; /* units that one server may have, ascending */
    size_t n_sizes;
};

struct fact_pool {
    const char *name, *basis; /* "fp32", "fp16": figures of different basis are never added */
    bool draining;            /* gives nothing new */
    const struct fact_flavor *flavors;
    size_t n_flavors;
    bytes_t storage_capacity, storage_free;
    bytes_t granule; /* storage is rounded down to a multiple of it (1 or more) */
};

struct fact_attr {
    const char *name, *value; /* value as text: checked against the type that the policy declares */
};

/* A tenant with what it and its organisation hold in this pool now (reserved + held + kept for bytes). */
struct fact_tenant {
    const char *name, *organisation;
    bool suspended;
    gflops_t held_compute, organisation_compute;
    bytes_t held_storage, organisation_storage;
    const struct fact_attr *attrs; /* of the tenant */
    size_t n_attrs;
};

/* The order of ids: shorter first, then by bytes, so that r-998 comes before r-1000. The last tie-break
 * everywhere. */
int claim_id_cmp(const char *a, const char *b);

enum claim_ask {
    ASK_NONE,    /* storage only */
    ASK_UNITS,   /* so many units of one flavor */
    ASK_COMPUTE, /* so many GFLOPS: the best reachable sum at or below it */
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
};

struct facts {
    instant_t now;
    struct fact_pool pool;
    const struct fact_tenant *tenants;
    size_t n_tenants;
    const struct fact_claim *claims;
    size_t n_claims;
};

enum outcome { OUTCOME_GRANT, OUTCOME_PARTIAL, OUTCOME_QUEUE, OUTCOME_HOLD, OUTCOME_DENY };
const char *outcome_word(enum outcome o); /* "granted" "partial" "queued" "held" "denied" */

/* In order of precedence: permanent before temporary, tenant-wide before per flavor. */
enum reason_code {
    REASON_NOT_ELIGIBLE,
    REASON_SUSPENDED,
    REASON_EXCEEDS_CEILING,
    REASON_BELOW_SMALLEST_STEP,
    REASON_NO_SUCH_FLAVOR,
    REASON_NO_SUCH_SIZE,
    REASON_EXCEEDS_POOL,
    REASON_LEASE_TOO_LONG,
    REASON_LEASE_OVER, /* the wanted end has passed */
    REASON_NEEDS_APPROVAL,
    REASON_EVAL_ERROR,
    REASON_BACKEND_REFUSED,
    REASON_NO_POLICY,
    REASON_DEBT,
    REASON_DRAINING,
    REASON_NO_UNITS,
    REASON_NO_STORAGE,
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

/* The ceiling that held: kept with the grant and re-checked by constraints in the store. */
struct plan_limits {
    bool has_compute, has_storage, has_organisation_compute, has_organisation_storage;
    gflops_t compute, organisation_compute;
    bytes_t storage, organisation_storage;
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
    struct reason *reasons; /* in order of precedence; at least one */
    size_t n_reasons;
};

struct plan {
    struct decision *decisions; /* in the order of the claims given */
    size_t n_decisions;
};

struct policy; /* policies/policy.h */

/* What the engine may call. The wiring in cmd/ hands it the one of policies/. */
struct decider {
    /* Parses and checks a policy from its stored form (text, tables). Errors name file:line:column. */
    struct policy *(*open)(const char *stored, struct err *e);
    void (*close)(struct policy *policy);
    /* 0, or -1 for an engine fault; a rule that cannot be evaluated is a HOLD, not a failure. */
    int (*plan)(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e);
};

void plan_free(struct plan *plan);
