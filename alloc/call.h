/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls: the centre invites requests, people score them, and an award plans all of them in the order of
 * their scores within the call's own share of the pool.
 *
 *   open -> closed -> awarded -> ended
 *
 * open      requests enter (state held, note IN_CALL); each can be returned, amended, withdrawn
 * closed    no new ones; one that was returned may still be completed; scores come in (in open too)
 * awarded   each has a rank; what could not be given stands on the reserve list and moves up (call_award.h)
 * ended     nothing of the reserve list moves up any more
 *
 * A request in a call: entered -> awarded | reserve | out;  reserve -> awarded;  awarded -> declined | out.
 * `out`: denied, withdrawn, not completed, or not signed in time.
 */
#pragma once
#include "alloc/json.h"
#include "alloc/ledger.h"
#include "alloc/request.h"

struct call_new {
    const char *name;
    bool has_compute, has_storage;
    gflops_t compute; /* the call's own share of the pool */
    bytes_t storage;
    struct maybe_instant closes;
};

struct call_row {
    int64_t id, pool;
    char *name, *state;
    bool has_compute, has_storage;
    gflops_t compute;
    bytes_t storage;
    struct maybe_instant closes, awarded, sign_by;
};
void call_row_free(struct call_row *c);
/* ERR_NOT_FOUND, with the nearest name. */
int call_find(struct store *s, const char *name, struct call_row *out, struct err *e);
int call_load(struct store *s, int64_t id, struct call_row *out, struct err *e);
/* Still open at that time: its last day may have passed though nobody closed it. */
bool call_is_open(const struct call_row *c, instant_t now);

/* b: the book of its pool. */
int call_open(struct book *b, const struct call_new *n, int64_t *id, struct err *e);
int call_close(struct book *b, const struct call_row *c, struct err *e);
/* Ends the reserve list: those on it are denied and told. */
int call_end(struct book *b, const struct call_row *c, struct err *e);

/* ---- a request and its call (alloc/request.c asks) ---- */

/* Enters a new request of the book's pool. */
int call_enter(struct book *b, const char *name, int64_t tenant, int64_t request, struct err *e);
enum call_act { CALL_AMEND, CALL_RETURN };
/* May this be done to the request now, for the sake of its call? 0 also when it answers none. */
int call_allows(struct book *b, const struct request *r, enum call_act act, struct err *e);
/* An amendment may name the call, which stays. name NULL: it says nothing of it. */
int call_stays(struct book *b, const struct request *r, const char *name, struct err *e);
/* The request leaves its call: state "out" or "declined"; nothing when it answers none. */
int call_leave(struct book *b, int64_t tenant, int64_t request, const char *state, struct err *e);

/* ---- scores ---- */

/* Imports scores: columns request, reviewer, score, remark. Whole or not at all: ERR_USAGE names each bad
   row with its line. A reviewer's score of a request takes the place of an earlier one. */
struct call_scores {
    const char *bytes, *title;
    size_t length;
    int64_t added, replaced; /* filled */
};
int call_score(struct book *b, const struct call_row *c, struct call_scores *in, struct err *e);
/* "87.5" -> 87500 thousandths of a point: up to three decimals, 0 to 1000000. */
int score_parse(const char *text, int64_t *out, struct err *e);

/* What the order of a call goes by. */
struct call_entry {
    int64_t request, tenant;
    instant_t submitted;
    int64_t sum, reviewers; /* of its scores, in thousandths */
    int64_t rank;           /* filled by call_rank() */
};
/* By the mean of its scores as an exact fraction, the highest first; those without one last; then the
   earlier submitted, then the smaller number. Whatever order they come in. */
void call_rank(struct call_entry *of, size_t n);
/* Those that are entered and complete; *out is the caller's (free). */
int call_entries(struct store *s, int64_t call, struct call_entry **out, size_t *n, struct err *e);

/* ---- showing ---- */

json_t *call_list(struct store *s, instant_t now, struct err *e);
/* One call with its requests: by rank after the award, before it in the order that the scores of now give. */
json_t *call_show(struct store *s, const struct call_row *c, instant_t now, struct err *e);
