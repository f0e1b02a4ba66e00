/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: one SQLite file in WAL mode with synchronous=FULL (alloc/store/sqlite.c). Everything
 * that is true about a pool stands here. SQL is the part that SQLite and PostgreSQL share: parameters
 * $1..$n bound by name, ON CONFLICT, RETURNING; no triggers, sequences or FOR UPDATE.
 *
 * Writers take turns under flock() on "<file>.lock" around BEGIN IMMEDIATE ... COMMIT and checkpoints
 * (SQLite before 3.51.3 can corrupt a WAL when two connections reset it at one instant, and its busy
 * handler starves: sqlite.org/wal.html, section 11). Waiting longer than the limit is ERR_RETRY.
 * No network call may happen inside store_write() or store_read().
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/err.h"

#include <jansson.h>
#include <stdint.h>

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Makes a new store; refuses when the file exists. test_clock: --now may move its time, faults may be armed.
 */
int store_create(const char *path, bool test_clock, instant_t now, struct err *e);
/* Opens and checks that it is ours, of a version we know (a newer one is refused; an older one is migrated
   on the next STORE_WRITE open). NULL on failure. */
struct store *store_open(const char *path, enum store_mode mode, struct err *e);
void store_close(struct store *s);

const char *store_path(const struct store *s);
const char *store_id(const struct store *s); /* 12 hex digits, drawn at init */
int64_t store_epoch(const struct store *s);  /* 1, and one more with each restore */
/* The epoch as tokens and names carry it: "1", "2x4be19f". The letters are drawn at each restore, because one
   backup may be restored twice, and the two go on in the same epoch with the same numbers. */
const char *store_era(const struct store *s);
bool store_test_clock(const struct store *s);
/* Opens or makes "<path><end>", a file for flock() that has the owner and mode of the store. -1 on failure.
 */
int store_side_open(const char *path, const char *end, struct err *e);
void store_lock_limit(struct store *s, int64_t ms); /* how long to wait for the turn; default 20 s */
/* Every write from here on does all its work and then rolls back. */
void store_dry_run(struct store *s, bool on);

/* fn runs in one transaction; 0 commits, anything else rolls back and is returned. It may run more than once.
 */
typedef int store_fn(struct store *s, void *arg, struct err *e);
int store_write(struct store *s, store_fn *fn, void *arg, struct err *e);
/* fn sees one snapshot. */
int store_read(struct store *s, store_fn *fn, void *arg, struct err *e);

/* Statements. types: one letter per parameter: i int64_t, s const char * (NULL is SQL NULL). `sql` must be a
   string literal: prepared statements are kept by its address. */
int sql_do(struct store *s, struct err *e, const char *sql, const char *types, ...);
/* Rows changed by the last sql_do. */
int64_t sql_changes(struct store *s);
/* First column of the first row. 1 found, 0 none (out untouched), -1 error. NULL counts as none. */
int sql_int(struct store *s, struct err *e, int64_t *out, const char *sql, const char *types, ...);
int sql_text(struct store *s, struct err *e, char **out, const char *sql, const char *types, ...); /* owned */

struct rows {
    void *statement;
    struct store *store;
    long place; /* in the cache of statements; -1: not kept */
};
/* The way over rows: rows_open, rows_next (1 a row, 0 the end, -1 error) ..., rows_close (always). */
int rows_open(struct rows *r, struct store *s, struct err *e, const char *sql, const char *types, ...);
int rows_next(struct rows *r, struct err *e);
int64_t rows_int(const struct rows *r, int column);
const char *rows_text(const struct rows *r, int column); /* until the next step; NULL for SQL NULL */
bool rows_null(const struct rows *r, int column);
void rows_close(struct rows *r);

/* Rows as a JSON array of objects, keys = column names. A name may say how: "start@time" becomes key "start"
   with RFC 3339 text, "yes@bool" a boolean, "spec@json" parsed text. SQL NULL becomes null. NULL on failure.
 */
json_t *sql_json(struct store *s, struct err *e, const char *sql, const char *types, ...);
/* The same for at most one row: an object; none is ERR_NOT_FOUND with `what`. */
json_t *sql_json_one(struct store *s, struct err *e, const char *what, const char *sql, const char *types,
                     ...);

/* The next number of a counter ("request", "grant", ...): gapless within committed transactions. */
int store_next(struct store *s, const char *counter, int64_t *out, struct err *e);

/* A consistent copy while others work; checked (integrity, foreign keys) before it gets its name. A backup
   can be read like a store, on read-only media too, and is refused for writing. */
int store_backup(struct store *s, const char *path, struct err *e);
/* Makes `path` a copy of `from` with a new epoch; `first` (or NULL) runs in the transaction that begins it.
   `path` must not exist, and appears only when all is done. */
int store_restore(const char *from, const char *path, store_fn *first, void *arg, struct err *e);
/* integrity_check and foreign_key_check of the engine itself. */
int store_check(struct store *s, struct err *e);

/* alloc/store/schema.c: the migrations, oldest first, each a list of SQL that ends with NULL; version n is
   reached after the n-th. */
extern const char *const *const store_migrations[];
extern const int store_version;
