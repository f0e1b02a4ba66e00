/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the files of the engine (alloc/engine.h) call each other; nobody else includes this. engine.c gathers
 * and plans, engine_apply.c carries one decision into the books, engine_replay.c plans a stored decision
 * again. All of it runs inside the caller's transaction.
 */
#pragma once
#include "alloc/engine.h"
#include "alloc/placement.h"

/* One plan being applied. */
struct applying {
    struct book *book;
    struct gathered gathered;
    struct placer placer;
    int64_t plan, policy; /* row ids; plan 0: its facts were not stored yet */
    const struct decider *decider;
    struct policy *rules;   /* NULL: none is valid now */
    int64_t supply;         /* of the pool, when this plan was made */
    struct waiting waiting; /* beside the next plan */
    struct engine_results *results;
};

/* engine.c: plans that no policy makes; the caller frees them with plan_free(). */
void engine_hold_all(const struct facts *f, struct plan *out); /* no policy is valid now: all are held */
void engine_wait(const struct facts *f, struct plan *out);     /* the one claim waits for its award */

/* engine.c: the policy that decides now, and how it sees the tenants today; a->rules NULL: none is valid. */
int engine_rules_open(struct applying *a, struct err *e);
void engine_rules_close(struct applying *a);

/* engine_apply.c: decision d of claim i is stored, told and carried out; one that changes nothing leaves no
   trace. */
int engine_apply(struct applying *a, size_t i, const struct decision *d, struct err *e);
bool engine_gives(const struct decision *d); /* grants, whole or in part */
/* What of a decision found no room: a line by its number, or past the lines */
enum { ROOM_VOLUMES, ROOM_PROJECT, ROOM_PROJECT_CLOSED, ROOM_END };
/* 1 the servers are placed, the volumes have somewhere to go and the tenant has a project where it needs one;
   0 not, *line says for what; -1. */
int engine_find_room(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                     struct placed *placed, size_t *line, struct err *e);
/* What d becomes when there is no room for its line (n_lines + ROOM_...: for what else). It waits, or for a
   project it is held: a person declares more. out borrows from d and from reason, and engine_no_room_free()
   frees the reason. */
void engine_no_room(const struct fact_pool *pool, const struct decision *d, size_t line,
                    struct reason *reason, struct decision *out);
void engine_no_room_free(struct reason *r);
