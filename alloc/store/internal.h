/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the SQLite store share: sqlite.c opens and writes, statement.c prepares and reads,
 * copy.c makes copies and checks them.
 */
#pragma once
#include "alloc/store.h"

#include <sqlite3.h>

#define APPLICATION_ID 0x616c6f74 /* "alot": the file is ours */

enum { STATEMENTS_KEPT = 512, STORE_COUNTERS = 32 };

struct store_counter {
    const char *name; /* a literal */
    int64_t value;
};

struct store {
    sqlite3 *db;
    int lock_fd;
    int64_t lock_ms;
    int64_t epoch;
    int wal_pages; /* in the log after our last commit */
    bool test_clock, dry_run, read_only, in_transaction;
    /* Counters used by the open transaction: read once, written once before it commits. */
    struct store_counter counters[STORE_COUNTERS];
    size_t n_counters;
    char id[16];
    char era[40]; /* epoch and branch */
    char *path;
    struct {
        const char *sql; /* by address: literals live as long as the program */
        sqlite3_stmt *statement;
        bool busy;
    } cache[STATEMENTS_KEPT];
};

/* Translates SQLite's last error; always -1. */
int store_fail(struct store *s, struct err *e, const char *doing);
int store_exec(struct store *s, const char *sql, const char *doing, struct err *e);
/* The file as it is, without looking what it is. flags: SQLITE_OPEN_... NULL on failure. */
struct store *store_handle(const char *path, int flags, struct err *e);
int store_counters_write(struct store *s, struct err *e);
/* The writer's turn: flock() on "<file>.lock" within the limit. */
int store_turn_take(struct store *s, struct err *e);
void store_turn_give(struct store *s);
/* Is it a store of allot, and of which version? A newer one than we know is refused. */
int store_origin_check(struct store *s, int64_t *version, struct err *e);
/* The same, and an older one is migrated (or refused when it was opened for reading). */
int store_version_check(struct store *s, struct err *e);
