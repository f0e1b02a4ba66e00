/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulation is told: who there is, what happens, what is used (allot-simulate(5)). Read from
 * text, strictly: every mistake is named with its file and line. What is read is put into one order
 * that does not depend on the order of the files: tenants by name, events by (at, kind, request,
 * tenant, content), use by (day, tenant, metric). Pure: no clock, no I/O.
 *
 * A struct world starts zeroed; it owns all text in it; world_free() ends it, also after a failure.
 */
#pragma once
#include "alloc/call_plan.h"
#include "alloc/scope.h"

enum { WORLD_TENANTS_MOST = 1000000, WORLD_EVENTS_MOST = 2000000, WORLD_METRICS_MOST = 32 };

/* What a tenant is from a moment on. */
struct world_attrs {
    instant_t from;
    const struct fact_attr *attrs; /* by name */
    size_t n;
};

struct world_tenant {
    const char *name, *organisation;
    struct world_attrs *dated; /* by time; the first is when it joins */
    size_t n_dated, room;
};

/* In the order in which those of one second happen: what comes back before what is asked for. */
enum event_kind {
    EVENT_POLICY,     /* another policy decides from now on */
    EVENT_CAPACITY,   /* a flavor has so many units from now on, or the pool so many bytes */
    EVENT_LOSS,       /* so many units are broken from now on */
    EVENT_CALL,       /* a call has a share of its own of the pool */
    EVENT_ATTRIBUTES, /* attributes of a tenant change */
    EVENT_SUSPEND,
    EVENT_RESUME,
    EVENT_RELEASE, /* what a request was given is given back; one that waits is withdrawn */
    EVENT_LEAVE,   /* a tenant gives back everything and asks for nothing more */
    EVENT_DECLINE, /* what a request was awarded in its call is given up, or its place on the reserve list */
    EVENT_RENEW,
    EVENT_REFUSE,  /* a person says no to a held request */
    EVENT_APPROVE, /* a person says yes */
    EVENT_AGREE,   /* the agreement that a grant needs is signed */
    EVENT_APPEAL,  /* the tenant answers a notice of idleness: it is withdrawn */
    EVENT_ACCEPT,  /* what is offered to a request that waits is taken */
    EVENT_REQUEST,
    EVENT_AWARD, /* the requests of a call, in the order of their rank */
    EVENT_KINDS
};
const char *event_word(enum event_kind kind); /* "policy" "capacity" "loss" ... */

/* A request with what its tenant will do with what it is given. */
struct world_request {
    struct fact_claim claim; /* tenant: index into world.tenants; attrs by name */
    int64_t renews;          /* it asks for renewal at the notice, so often */
    span_t keeps;            /* it gives back after so long; 0: at the end of its lease */
    span_t waits;            /* it waits no longer than that; 0: for ever */
    span_t accepts;          /* it takes an offer after so long; 0: none by itself */
    const char *replaced;    /* the request whose grant it replaces; NULL: none */
    size_t replaces;         /* 1 + its place in world.requests; 0: none */
};

struct event {
    instant_t at;
    enum event_kind kind;
    size_t line;                   /* in the file */
    size_t request;                /* index into world.requests, where the kind has one */
    size_t tenant;                 /* index into world.tenants, likewise */
    const char *name;              /* of a flavor (NULL: storage), a policy, a call; who approved */
    int64_t amount;                /* units or bytes */
    struct call_share share;       /* CALL */
    struct maybe_instant sign_by;  /* AWARD */
    const struct fact_attr *attrs; /* value NULL: unset */
    size_t n_attrs;
    const size_t *order; /* AWARD: indices into world.requests, best first */
    size_t n_order;
    const char *text; /* canonical JSON: the last tie-break */
};

/* Percent of the full use of what the tenant held on a day. */
struct world_use {
    int64_t day; /* civil day number */
    size_t tenant, metric;
    int64_t percent;
};

struct world {
    struct keep memory;
    struct world_tenant *tenants;
    size_t n_tenants, tenants_room;
    struct world_request *requests;
    size_t n_requests, requests_room;
    struct event *events;
    size_t n_events, events_room;
    struct world_use *uses;
    size_t n_uses, uses_room;
    const char *metrics[WORLD_METRICS_MOST];
    size_t n_metrics;
    json_t *tenant_index, *request_index, *call_index; /* private */
};

/* tenants.csv: name, organisation?, registration?, from?, attr:NAME...; then events and use, which name them.
   title: of the file, for messages. 0, or -1 (ERR_USAGE). */
int world_read_tenants(struct world *w, const char *bytes, size_t length, const char *title, struct err *e);
int world_read_events(struct world *w, const char *bytes, size_t length, const char *title, struct err *e);
/* usage.csv: date, tenant, metric, percent. */
int world_read_usage(struct world *w, const char *bytes, size_t length, const char *title, struct err *e);
void world_free(struct world *w);

/* The i-th name of a policy that the events switch to; NULL past the last. Each once, in order of time. */
const char *world_policy(const struct world *w, size_t i);
