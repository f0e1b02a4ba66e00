/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/project.h"

#include "alloc/backend.h"
#include "alloc/fault.h"
#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

bool project_is_needed(unsigned capabilities, const struct decision *d, const struct placed *placed) {
    if (!(capabilities & BACKEND_HAS_PROJECTS)) return false;
    return placed->n > 0 || d->storage.n > 0 ||
           (d->datalake.n > 0 && (capabilities & BACKEND_HAS_CONTAINERS));
}

/* ---- which ---- */

/* 1 *name and *state are those of the tenant's project, 0 it has none, -1 */
static int project_of(struct store *s, int64_t pool, int64_t tenant, char **name, bool *is_active,
                      struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT name, state = 'active' FROM host WHERE pool = $1 AND tenant = $2",
                       "ii", pool, tenant);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *name = mem_copy(rows_text(&r, 0));
        *is_active = rows_int(&r, 1) != 0;
    }
    rows_close(&r);
    return rc;
}

#define FIRST_FREE "SELECT min(name) FROM host WHERE pool = $1 AND tenant IS NULL AND state = 'active'"

int project_room(struct store *s, int64_t pool, int64_t tenant, enum project_room *out, struct err *e) {
    scoped_free char *own = NULL, *free_one = NULL;
    bool is_active = false;
    int has = project_of(s, pool, tenant, &own, &is_active, e);
    if (has < 0 || (!has && sql_text(s, e, &free_one, FIRST_FREE, "i", pool) < 0)) return -1;
    *out = has ? (is_active ? PROJECT_BOUND : PROJECT_CLOSED) : free_one ? PROJECT_FREE : PROJECT_NONE;
    return 0;
}

int project_is_ready(struct store *s, int64_t pool, int64_t tenant, const struct decision *d,
                     const struct placed *placed, struct err *e) {
    unsigned capabilities;
    enum project_room room;
    if (pool_capabilities(s, pool, &capabilities, e) < 0) return -1;
    if (!project_is_needed(capabilities, d, placed)) return 1;
    if (project_room(s, pool, tenant, &room, e) < 0) return -1;
    return room == PROJECT_BOUND || room == PROJECT_FREE;
}

int project_count(struct store *s, int64_t pool, struct project_counts *out, struct err *e) {
    struct rows r;
    *out = (struct project_counts){0};
    int rc =
        rows_open(&r, s, e,
                  "SELECT count(*), count(*) FILTER (WHERE tenant IS NOT NULL OR state = 'active'), count(*) "
                  "FILTER (WHERE tenant IS NULL AND state = 'active') FROM host WHERE pool = $1",
                  "i", pool);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = (struct project_counts){rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 2)};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* ---- binding ---- */

static int bind(struct book *b, int64_t tenant, const char *name, struct err *e) {
    if (fault_point("project.bind", e) < 0 ||
        sql_do(b->store, e, "UPDATE host SET tenant = $3 WHERE pool = $1 AND name = $2", "isi", b->pool, name,
               tenant) < 0)
        return -1;
    return book_note(b, "project.bind", tenant, name, e);
}

static int none_left(struct book *b, struct err *e) {
    struct project_counts n;
    scoped_free char *pool = NULL;
    if (project_count(b->store, b->pool, &n, e) < 0 ||
        sql_text(b->store, e, &pool, "SELECT name FROM pool WHERE id = $1", "i", b->pool) < 0)
        return -1;
    err_set(e, ERR_CONFLICT, "no project is left in pool %s: %lld of %lld are bound", pool,
            (long long)n.usable, (long long)n.all);
    return err_hint(e, "declare more: allot pool set %s --file FILE, or --project NAME=ID", pool);
}

int project_bind(struct book *b, int64_t tenant, char **name, struct err *e) {
    bool is_active = true;
    *name = NULL;
    int has = project_of(b->store, b->pool, tenant, name, &is_active, e);
    if (has < 0) return -1;
    if (has && !is_active)
        return err_set(e, ERR_CONFLICT, "project %s is drained or lost: nothing new goes there", *name);
    if (has) return 0;
    if (sql_text(b->store, e, name, FIRST_FREE, "i", b->pool) < 0) return -1;
    return *name ? bind(b, tenant, *name, e) : none_left(b, e);
}

int project_assign(struct book *b, int64_t tenant, const char *name, struct err *e) {
    scoped_free char *own = NULL, *holder = NULL;
    bool is_active;
    int64_t there = 0;
    int has = project_of(b->store, b->pool, tenant, &own, &is_active, e);
    if (has < 0 || sql_int(b->store, e, &there, "SELECT count(*) FROM host WHERE pool = $1 AND name = $2",
                           "is", b->pool, name) < 0)
        return -1;
    if (!there) return err_set(e, ERR_NOT_FOUND, "the pool has no project '%.80s'", name);
    if (own && strcmp(own, name) == 0) return 0;
    if (has) return err_set(e, ERR_CONFLICT, "the tenant has project %s already", own);
    if (sql_text(
            b->store, e, &holder,
            "SELECT t.name FROM host h JOIN tenant t ON t.id = h.tenant WHERE h.pool = $1 AND h.name = $2",
            "is", b->pool, name) < 0)
        return -1;
    if (holder) return err_set(e, ERR_CONFLICT, "project %s is bound to %s", name, holder);
    return bind(b, tenant, name, e) < 0 ? -1 : supply_raise(b->store, b->pool, e);
}

/* ---- taking back ---- */

/* Whatever is not observed absent may hold data of the tenant. */
static int holds_nothing(struct book *b, int64_t tenant, const char *name, struct err *e) {
    int64_t grants = 0, things = 0;
    if (sql_int(
            b->store, e, &grants,
            "SELECT count(*) FROM grants WHERE pool = $1 AND tenant = $2 AND state NOT IN ('ended', 'void')",
            "ii", b->pool, tenant) < 0 ||
        sql_int(b->store, e, &things,
                "SELECT count(*) FROM operation WHERE tenant = $2 AND pool = $1 AND observed <> 'absent'",
                "ii", b->pool, tenant) < 0)
        return -1;
    if (!grants && !things) return 0;
    err_set(e, ERR_CONFLICT, "project %s is in use: the tenant has %lld grants there that have not ended",
            name, (long long)grants);
    return err_hint(e, "release and purge them, and reconcile; then its project can go to another");
}

/* What stands there comes back with it. */
static int is_not_lost(struct book *b, const char *name, struct err *e) {
    scoped_free char *pool = NULL;
    int rc = sql_text(b->store, e, &pool,
                      "SELECT p.name FROM host h JOIN pool p ON p.id = h.pool WHERE h.pool = $1 AND h.name = "
                      "$2 AND h.state = 'lost'",
                      "is", b->pool, name);
    if (rc <= 0) return rc;
    err_set(e, ERR_CONFLICT, "project %s is lost: nobody knows what is still there", name);
    return err_hint(e, "when it is there again: allot pool restore %s --host %s, and allot reconcile", pool,
                    name);
}

/* The next tenant must find it empty: seen since the last of our things went, with nothing in it, ours or
   not. */
static int is_seen_empty(struct book *b, int64_t tenant, const char *name, struct err *e) {
    int64_t seen = 0, found = 0;
    if (sql_int(b->store, e, &seen,
                "SELECT count(*) FROM host h WHERE h.pool = $1 AND h.name = $2 AND h.trouble IS NULL AND "
                "h.seen_at >= (SELECT coalesce(max(o.changed_at), 0) FROM operation o WHERE o.tenant = $3 "
                "AND o.pool = $1)",
                "isi", b->pool, name, tenant) < 0 ||
        sql_int(b->store, e, &found, "SELECT things_seen FROM host WHERE pool = $1 AND name = $2", "is",
                b->pool, name) < 0)
        return -1;
    if (!seen) {
        err_set(e, ERR_CONFLICT, "project %s was not seen since the last of the tenant's things went", name);
        return err_hint(e, "allot reconcile looks at it; then try again");
    }
    if (!found) return 0;
    err_set(e, ERR_CONFLICT, "project %s is not empty: the last look found %lld things in it", name,
            (long long)found);
    return err_hint(e, "allot reconcile lists those of this store; when all are gone, allot reconcile again");
}

int project_unbind(struct book *b, int64_t tenant, char **name, struct err *e) {
    bool is_active;
    *name = NULL;
    int has = project_of(b->store, b->pool, tenant, name, &is_active, e);
    if (has < 0) return -1;
    if (!has) return err_set(e, ERR_NOT_FOUND, "the tenant has no project in this pool");
    if (holds_nothing(b, tenant, *name, e) < 0 || is_not_lost(b, *name, e) < 0 ||
        is_seen_empty(b, tenant, *name, e) < 0 || fault_point("project.unbind", e) < 0 ||
        sql_do(b->store, e, "UPDATE host SET tenant = NULL WHERE pool = $1 AND name = $2", "is", b->pool,
               *name) < 0 ||
        book_note(b, "project.unbind", tenant, *name, e) < 0)
        return -1;
    return supply_raise(b->store, b->pool, e);
}

int project_member_set(struct book *b, int64_t tenant, const char *user, struct err *e) {
    int rc =
        user
            ? sql_do(
                  b->store, e,
                  "INSERT INTO member (pool, tenant, name) VALUES ($1, $2, $3) ON CONFLICT (pool, tenant) DO "
                  "UPDATE SET name = excluded.name",
                  "iis", b->pool, tenant, user)
            : sql_do(b->store, e, "DELETE FROM member WHERE pool = $1 AND tenant = $2", "ii", b->pool,
                     tenant);
    /* The backend is told with the next call for one of its quotas: so they are open again. */
    if (rc < 0 ||
        sql_do(b->store, e,
               "UPDATE operation SET observed = 'started', changed_at = $3 WHERE tenant = $2 AND pool = $1 "
               "AND kind = 'quota' AND desired = 'present' AND observed = 'present'",
               "iii", b->pool, tenant, b->at.s) < 0)
        return -1;
    return book_note(b, "project.member", tenant, user ? "named" : "none", e);
}
