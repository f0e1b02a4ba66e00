/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants: a tranche of units and bytes with a start and an end. A tenant holds the sum of its live ones.
 *
 *   reserved -> active -> notice -> grace -> releasing -> kept -> purging -> ended
 *        \-> voiding -> void        (the backend refused; the request is held with its words)
 *
 * reserved   units and bytes are set aside, the backend is at work
 * active     everything was observed present
 * notice     the tenant was told that the end is near;  grace: the end has passed
 * releasing  servers are being removed; bytes are kept
 * kept       no servers; volumes stay, booked, until keep_until;  purging: volumes are being removed
 * Units and bytes come free only when the thing was observed absent (alloc/settle.h).
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"
#include "alloc/placement.h"

struct grant {
    int64_t id, tenant, pool, request;
    char *state, *tenant_name, *pool_name;
    gflops_t compute;
    bytes_t storage;
    instant_t start, end;
    span_t notice, grace, keep, renew;
    int64_t renewals_left;
    struct maybe_instant keep_until;
};
void grant_free(struct grant *g);
/* By number; ERR_NOT_FOUND. tenant > 0: only that tenant's (others are "not found"). */
int grant_find(struct store *s, int64_t id, int64_t tenant, struct grant *out, struct err *e);
/* "g-311" -> 311; "r-187" -> 187 with prefix 'r'. */
int number_parse(const char *text, char prefix, int64_t *out, struct err *e);

/* Books a decision that grants, its servers placed: entries, ceilings, slots, operations. What its request
   replaces and its call go with it; where it needs an agreement, its operations wait until grant_agree(). */
int grant_reserve(struct book *b, const struct placed *placed, int64_t tenant, int64_t request,
                  const struct decision *d, int64_t *id, struct err *e);

/* Ends the compute of a live grant now: servers shall be absent, volumes are kept. why: for the record. */
int grant_release(struct book *b, const struct grant *g, const char *why, struct err *e);
/* Ends the kept volumes now. */
int grant_purge(struct book *b, const struct grant *g, const char *why, struct err *e);
/* A later end. by_renewal: uses up one renewal and adds its term. The policy is not asked: engine_lengthen()
   (alloc/engine.h) does. */
int grant_extend(struct book *b, const struct grant *g, instant_t end, bool by_renewal, struct err *e);
/* Does the grant itself allow it? */
int grant_may_extend(struct book *b, const struct grant *g, instant_t end, bool by_renewal, struct err *e);
/* A new end that is further away than one renewal would set it: an admin may, and the record says so. */
bool grant_exceeds_term(const struct grant *g, instant_t end);
/* The agreement was signed on that day: from now on it is made real. ERR_CONFLICT where none is needed, or it
   was dated before. */
int grant_agree(struct book *b, const struct grant *g, instant_t day, struct err *e);
/* Gives back whole servers or volumes (operation ids of this live grant). What a person delivers was given
   back before, by hand_shrink(). */
int grant_shrink(struct book *b, const struct grant *g, const int64_t *operations, size_t n, struct err *e);
/* The backend refused: everything of the grant shall be absent; then the grant is void. */
int grant_void(struct book *b, const struct grant *g, const char *why, struct err *e);
/* Its last server was seen absent: kept, or ended when it has no volumes. Called by alloc/settle.c. */
int grant_compute_gone(struct book *b, const struct grant *g, struct err *e);
/* Nothing of it is left at the backend: state "ended" or "void". Called by alloc/settle.c. */
int grant_all_gone(struct book *b, const struct grant *g, const char *state, struct err *e);
int grant_set_state(struct book *b, const struct grant *g, const char *state, struct err *e);

struct grant_filter {
    int64_t tenant, pool; /* 0: any */
    const char *state;    /* NULL: any */
    bool live;            /* only those that hold something */
};
extern const char *const grant_state_words[]; /* the states that a row may have, then NULL */
json_t *grant_list(struct store *s, const struct grant_filter *f, struct err *e);
/* One grant with its lines, servers and volumes and how to connect. */
json_t *grant_show(struct store *s, const struct grant *g, struct err *e);
