/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: what a tenant asks of a pool, in words that are kept. States:
 *   queued     waits for the next plan (also the state in which a new one is decided)
 *   held       a person must look: a review rule, a rule that cannot be evaluated, a backend's refusal;
 *              or it waits for the award of its call (alloc/call.h)
 *   returned   given back to the tenant for completion; amending it queues it again
 *   granted    a grant came of it;  denied, withdrawn: the end
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/json.h"
#include "alloc/ledger.h"

enum { REQUEST_ATTRS_MOST = 64 };

/* A request as it arrives; texts are borrowed. */
struct request_new {
    const char *tenant, *pool; /* names; pool may be NULL where the store has one pool */
    const char *purpose;       /* "" when none */
    const char *flavor;        /* NULL: any */
    enum claim_ask ask;
    units_t units, minimum_units;
    gflops_t compute, minimum_compute;
    bool has_minimum;
    int64_t per_server; /* 0: any */
    bytes_t storage, datalake;
    struct fact_seats seats[SERVICES_MOST];
    size_t n_seats;
    const char *call; /* the open call that it answers; NULL */
    int64_t replaces; /* the live grant that goes when this one stands; 0: none */
    struct maybe_instant until;
    span_t term; /* 0: the policy's */
    struct fact_attr attrs[REQUEST_ATTRS_MOST];
    size_t n_attrs;
    /* of an administrator's direct grant */
    const char *approver;
    const char *override_rule, *override_reason; /* override_rule: ids, comma separated */
    struct maybe_instant override_until;
};

/* {"tenant", "pool", "purpose", "flavor", "units" or "compute": "124.8 TF", "minimum": "15.6 TF" or 1,
    "per_server", "storage": "10 TB", "datalake": "5 TB", "seats": {"notebook": 5}, "call", "replaces":
   "g-311", "for": "90 days" or "until": "2027-03-31", "attributes": {..}}. tenant: the caller's own (then the
   document may not name another), or NULL. Texts are borrowed from the document. */
int request_decode(const struct json_at *at, const char *tenant, struct request_new *out, struct err *e);
/* The rules that need no store: something is asked, the minimum is of the same kind and not more. */
int request_check(const struct request_new *n, struct err *e);

struct request {
    int64_t id, tenant, pool, grant, call; /* grant, call: 0 none */
    char *state, *tenant_name, *pool_name;
};
void request_free(struct request *r);
/* ERR_NOT_FOUND; tenant > 0: only that tenant's. */
int request_find(struct store *s, int64_t id, int64_t tenant, struct request *out, struct err *e);

/* The pool a request goes to: by name, or the only one when name is NULL. */
int request_pool(struct store *s, const char *name, int64_t *pool, struct err *e);
/* Stores it as queued; b must be the book of its pool. */
int request_insert(struct book *b, const struct request_new *n, int64_t *id, struct err *e);
/* Replaces what is asked of a request that waits, is held or was returned, and queues it again. */
int request_amend(struct book *b, const struct request *r, const struct request_new *n, struct err *e);
/* A person passes a held request: it is queued with its approver, who must not be its submitter. */
int request_approve(struct book *b, const struct request *r, const char *approver, struct err *e);
int request_deny(struct book *b, const struct request *r, const char *reason, struct err *e);
/* The same for a reason of the house's own: code is kept as the note, the words are told. */
int request_drop(struct book *b, const struct request *r, const char *code, const char *en, const char *ko,
                 struct err *e);
int request_return(struct book *b, const struct request *r, const char *remark, struct err *e);
int request_withdraw(struct book *b, const struct request *r, struct err *e);
int request_set_state(struct book *b, int64_t tenant, int64_t id, const char *state, const char *note,
                      struct err *e);

struct request_filter {
    int64_t tenant, pool; /* 0: any */
    const char *state;    /* NULL: any */
};
json_t *request_list(struct store *s, const struct request_filter *f, struct err *e);
/* One request with its attributes and its last decision. */
json_t *request_show(struct store *s, const struct request *r, struct err *e);
