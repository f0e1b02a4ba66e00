/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projects: in a pool with BACKEND_HAS_PROJECTS each host is one, and belongs to at most one tenant. A tenant
 * gets the first free one by name with its first grant, in the same transaction; everything of the tenant in
 * that pool stands there. It is shared with nobody and taken back by a person only, when nothing is left
 * there. Each binding and its end are entries (project.bind, project.unbind; the detail is the project's
 * name).
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"
#include "alloc/placement.h"

/* Does the backend make anything of it? What a person delivers alone needs no project. capabilities: of its
 * pool. */
bool project_is_needed(unsigned capabilities, const struct decision *d, const struct placed *placed);

enum project_room {
    PROJECT_BOUND,  /* the tenant has one */
    PROJECT_FREE,   /* it would get one */
    PROJECT_NONE,   /* none is left */
    PROJECT_CLOSED, /* it has one, which is drained or lost: nothing new goes there */
};
int project_room(struct store *s, int64_t pool, int64_t tenant, enum project_room *out, struct err *e);

/* 1 none is needed for it, or the tenant has one or would get one; 0 not; -1 */
int project_is_ready(struct store *s, int64_t pool, int64_t tenant, const struct decision *d,
                     const struct placed *placed, struct err *e);

/* The tenant's project, bound now if it had none. ERR_CONFLICT where project_room() says none or closed.
 *name is the caller's. */
int project_bind(struct book *b, int64_t tenant, char **name, struct err *e);
/* By a person: this very project, for a tenant that has none yet. */
int project_assign(struct book *b, int64_t tenant, const char *name, struct err *e);
/* ERR_CONFLICT while the tenant holds anything of the pool, or while the last look at the project found
   something, or is older than what was removed last. *name: which it was; the caller's. */
int project_unbind(struct book *b, int64_t tenant, char **name, struct err *e);

/* The user at the cloud who works in the tenant's project; NULL: none. */
int project_member_set(struct book *b, int64_t tenant, const char *user, struct err *e);

/* all: declared; usable: bound, or free and active; left: free and active. */
struct project_counts {
    int64_t all, usable, left;
};
int project_count(struct store *s, int64_t pool, struct project_counts *out, struct err *e);
