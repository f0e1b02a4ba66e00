/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/store.h"

#include "alloc/fault.h"
#include "alloc/hash.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define APPLICATION_ID 0x616c6f74 /* "alot": the file is ours */
enum { CACHE = 512, LOCK_MS = 20000 };

struct store {
    sqlite3 *db;
    int lock_fd;
    int64_t lock_ms;
    int64_t epoch;
    bool test_clock, dry_run, read_only, in_transaction;
    char id[16];
    char *path;
    struct {
        const char *sql; /* by address: literals live as long as the program */
        sqlite3_stmt *statement;
        bool busy;
    } cache[CACHE];
};

static int fail(struct store *s, struct err *e, const char *doing) {
    int code = sqlite3_extended_errcode(s->db);
    const char *words = sqlite3_errmsg(s->db);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        err_set(e, ERR_RETRY, "store %s: busy while %s", s->path, doing);
        return err_hint(e, "another command holds it; try again");
    case SQLITE_FULL:
        err_set(e, ERR_FAILED, "store %s: the disk is full while %s; nothing was changed", s->path, doing);
        return err_hint(e, "make room on its disk and try again");
    case SQLITE_READONLY: return err_set(e, ERR_FAILED, "store %s: cannot be written (%s)", s->path, words);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        err_set(e, ERR_FAILED, "store %s: damaged (%s, code %d)", s->path, words, code);
        return err_hint(e, "restore the last backup: allot restore BACKUP");
    case SQLITE_CONSTRAINT: return err_set(e, ERR_CONFLICT, "store refused while %s: %s", doing, words);
    default: return err_set(e, ERR_FAILED, "store %s: %s while %s (code %d)", s->path, words, doing, code);
    }
}

static int exec(struct store *s, const char *sql, const char *doing, struct err *e) {
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(s, e, doing);
}

/* ---- statements ---- */

static size_t cache_place(const char *sql) { return ((uintptr_t)sql >> 3) * 2654435761u % CACHE; }

/* A prepared statement, marked busy. A statement that is in use (a nested walk) is prepared once more. */
static sqlite3_stmt *statement_take(struct store *s, const char *sql, long *place, struct err *e) {
    size_t at = cache_place(sql), i = at;
    *place = -1;
    while (s->cache[i].sql && !(s->cache[i].sql == sql && !s->cache[i].busy)) {
        i = (i + 1) % CACHE;
        if (i == at) break;
    }
    if (s->cache[i].sql == sql && !s->cache[i].busy) {
        s->cache[i].busy = true;
        *place = (long)i;
        return s->cache[i].statement;
    }
    sqlite3_stmt *made = NULL;
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK) {
        fail(s, e, sql);
        return NULL;
    }
    if (s->cache[i].sql == NULL) {
        s->cache[i].sql = sql;
        s->cache[i].statement = made;
        s->cache[i].busy = true;
        *place = (long)i;
    }
    return made;
}

/* Where $i stands: SQLite numbers parameters by first appearance, which is mostly the same. */
static int parameter_place(sqlite3_stmt *statement, int i) {
    const char *there = sqlite3_bind_parameter_name(statement, i);
    bool is_it = there && (i < 10 ? there[1] == '0' + i && !there[2]
                                  : there[1] == '0' + i / 10 && there[2] == '0' + i % 10 && !there[3]);
    if (is_it) return i;
    char name[12];
    text_format(name, sizeof name, "$%d", i);
    return sqlite3_bind_parameter_index(statement, name);
}

static int bind_all(struct store *s, sqlite3_stmt *statement, const char *types, va_list args,
                    struct err *e) {
    for (int i = 1; types && *types; types++, i++) {
        int at = parameter_place(statement, i), code;
        if (*types == 'i') {
            int64_t value = va_arg(args, int64_t);
            code = at ? sqlite3_bind_int64(statement, at, value) : SQLITE_OK;
        } else {
            const char *value = va_arg(args, const char *);
            code = at ? sqlite3_bind_text(statement, at, value, -1, SQLITE_TRANSIENT) : SQLITE_OK;
        }
        if (code != SQLITE_OK) return fail(s, e, "binding");
    }
    return 0;
}

static int open_rows(struct rows *r, struct store *s, struct err *e, const char *sql, const char *types,
                     va_list args) {
    *r = (struct rows){.store = s};
    sqlite3_stmt *statement = statement_take(s, sql, &r->place, e);
    if (!statement) return -1;
    r->statement = statement;
    return bind_all(s, statement, types, args, e);
}

int rows_open(struct rows *r, struct store *s, struct err *e, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    int rc = open_rows(r, s, e, sql, types, args);
    va_end(args);
    return rc;
}

int rows_next(struct rows *r, struct err *e) {
    switch (sqlite3_step(r->statement)) {
    case SQLITE_ROW: return 1;
    case SQLITE_DONE: return 0;
    default: return fail(r->store, e, sqlite3_sql(r->statement));
    }
}

int64_t rows_int(const struct rows *r, int column) { return sqlite3_column_int64(r->statement, column); }

const char *rows_text(const struct rows *r, int column) {
    return (const char *)sqlite3_column_text(r->statement, column);
}

bool rows_null(const struct rows *r, int column) {
    return sqlite3_column_type(r->statement, column) == SQLITE_NULL;
}

void rows_close(struct rows *r) {
    if (!r->statement) return;
    sqlite3_reset(r->statement);
    sqlite3_clear_bindings(r->statement);
    if (r->place < 0)
        sqlite3_finalize(r->statement);
    else
        r->store->cache[r->place].busy = false;
    r->statement = NULL;
}

int sql_do(struct store *s, struct err *e, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    int rc = open_rows(&r, s, e, sql, types, args);
    va_end(args);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) rc = 0;
    rows_close(&r);
    return rc;
}

int64_t sql_changes(struct store *s) { return sqlite3_changes64(s->db); }

int sql_int(struct store *s, struct err *e, int64_t *out, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    int rc = open_rows(&r, s, e, sql, types, args);
    va_end(args);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (rows_null(&r, 0))
            rc = 0;
        else
            *out = rows_int(&r, 0);
    }
    rows_close(&r);
    return rc;
}

int sql_text(struct store *s, struct err *e, char **out, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    int rc = open_rows(&r, s, e, sql, types, args);
    va_end(args);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (rows_null(&r, 0))
            rc = 0;
        else
            *out = mem_copy(rows_text(&r, 0));
    }
    rows_close(&r);
    return rc;
}

static json_t *cell_json(const struct rows *r, int column, const char *how) {
    if (rows_null(r, column)) return json_null();
    if (strcmp(how, "@time") == 0) return json_string(instant_text(instant(rows_int(r, column))).s);
    if (strcmp(how, "@bool") == 0) return json_boolean(rows_int(r, column));
    if (strcmp(how, "@json") == 0) return json_loads(rows_text(r, column), JSON_DECODE_ANY, NULL);
    if (sqlite3_column_type(r->statement, column) == SQLITE_INTEGER) return json_integer(rows_int(r, column));
    return json_string(rows_text(r, column));
}

static json_t *row_json(const struct rows *r) {
    json_t *row = json_object();
    int n = sqlite3_column_count(r->statement);
    for (int i = 0; i < n; i++) {
        const char *name = sqlite3_column_name(r->statement, i);
        size_t length = strcspn(name, "@");
        char key[64];
        text_format(key, sizeof key, "%.*s", (int)length, name);
        json_object_set_new(row, key, cell_json(r, i, name + length));
    }
    return row;
}

static json_t *all_json(struct store *s, struct err *e, const char *sql, const char *types, va_list args) {
    struct rows r;
    json_t *all = json_array();
    int rc = open_rows(&r, s, e, sql, types, args);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        json_array_append_new(all, row_json(&r));
        rc = 0;
    }
    rows_close(&r);
    if (rc == 0) return all;
    json_decref(all);
    return NULL;
}

json_t *sql_json(struct store *s, struct err *e, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    json_t *all = all_json(s, e, sql, types, args);
    va_end(args);
    return all;
}

json_t *sql_json_one(struct store *s, struct err *e, const char *what, const char *sql, const char *types,
                     ...) {
    va_list args;
    va_start(args, types);
    scoped_json json_t *all = all_json(s, e, sql, types, args);
    va_end(args);
    if (!all) return NULL;
    if (json_array_size(all) > 0) return json_incref(json_array_get(all, 0));
    err_set(e, ERR_NOT_FOUND, "no %s", what);
    return NULL;
}

int store_next(struct store *s, const char *counter, int64_t *out, struct err *e) {
    return sql_int(s, e, out,
                   "INSERT INTO counter (name, value) VALUES ($1, 1) "
                   "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value",
                   "s", counter) == 1
               ? 0
               : -1;
}

/* ---- turns and transactions ---- */

static void on_alarm(int signal) { (void)signal; }

/* flock() that gives up after the limit: a timer without SA_RESTART interrupts it. */
static int turn_take(struct store *s, struct err *e) {
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0) return 0;
    struct sigaction act = {.sa_handler = on_alarm}, old;
    sigaction(SIGALRM, &act, &old);
    /* The interval repeats in case the first alarm comes before flock() sleeps. */
    struct itimerval timer = {.it_value = {s->lock_ms / 1000, s->lock_ms % 1000 * 1000},
                              .it_interval = {0, 50000}};
    if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) timer.it_value.tv_usec = 1000;
    setitimer(ITIMER_REAL, &timer, NULL);
    int64_t start = clock_monotonic_ms(), rc;
    do rc = flock(s->lock_fd, LOCK_EX);
    while (rc < 0 && errno == EINTR && clock_monotonic_ms() - start < s->lock_ms);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    sigaction(SIGALRM, &old, NULL);
    if (rc == 0) return 0;
    err_set(e, ERR_RETRY, "store %s: others have been writing for %lld s; nothing happened", s->path,
            (long long)(s->lock_ms / 1000));
    return err_hint(e, "try again; if it stays so, look for a command that hangs (fuser %s.lock)", s->path);
}

static void turn_give(struct store *s) { flock(s->lock_fd, LOCK_UN); }

static void rollback(struct store *s) { sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); }

int store_write(struct store *s, store_fn *fn, void *arg, struct err *e) {
    if (s->in_transaction) return fn(s, arg, e);
    if (s->read_only) return err_set(e, ERR_FAILED, "store %s was opened for reading only", s->path);
    if (turn_take(s, e) < 0) return -1;
    int rc = exec(s, "BEGIN IMMEDIATE", "beginning", e);
    if (rc == 0) {
        s->in_transaction = true;
        rc = fn(s, arg, e);
        s->in_transaction = false;
        if (rc == 0) rc = fault_point("store.before-commit", e);
        if (rc != 0 || s->dry_run) {
            rollback(s);
        } else if (exec(s, "COMMIT", "committing", e) < 0) {
            /* A failed COMMIT that left no transaction open may have reached the disk. */
            bool unknown = sqlite3_get_autocommit(s->db) != 0;
            rollback(s);
            if (unknown) e->code = ERR_UNKNOWN;
            rc = -1;
        } else {
            rc = fault_point("store.after-commit", e);
            if (rc < 0) e->code = ERR_UNKNOWN;
        }
    }
    turn_give(s);
    return rc;
}

int store_read(struct store *s, store_fn *fn, void *arg, struct err *e) {
    if (s->in_transaction) return fn(s, arg, e);
    if (exec(s, "BEGIN", "reading", e) < 0) return -1;
    s->in_transaction = true;
    int rc = fn(s, arg, e);
    s->in_transaction = false;
    rollback(s);
    return rc;
}

/* ---- opening ---- */

static int harden(struct store *s, struct err *e) {
    static const struct {
        int option, value;
    } settings[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                    {SQLITE_DBCONFIG_DQS_DML, 0},
                    {SQLITE_DBCONFIG_DQS_DDL, 0},
                    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                    {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (sqlite3_db_config(s->db, settings[i].option, settings[i].value, NULL) != SQLITE_OK)
            return fail(s, e, "setting up");
    sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_timeout(s->db, 5000);
    return exec(s, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;",
                "setting up", e);
}

static struct store *handle_open(const char *path, int flags, struct err *e) {
    struct store *s = mem_alloc(sizeof *s);
    s->path = mem_copy(path);
    s->lock_fd = -1;
    s->lock_ms = LOCK_MS;
    s->read_only = flags & SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK) {
        err_set(e, ERR_FAILED, "store %s cannot be opened: %s", path, sqlite3_errmsg(s->db));
        store_close(s);
        return NULL;
    }
    char lock[4096];
    if (text_format(lock, sizeof lock, "%s.lock", path) < 0)
        err_set(e, ERR_USAGE, "store path is too long");
    else if (!s->read_only && (s->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0660)) < 0)
        err_set(e, ERR_FAILED, "%s cannot be opened: %s", lock, strerror(errno));
    if (err_is(e) || harden(s, e) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(struct store *s) {
    if (!s) return;
    for (size_t i = 0; i < CACHE; i++) sqlite3_finalize(s->cache[i].statement);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0) close(s->lock_fd);
    free(s->path);
    free(s);
}

struct migration {
    int from;
};

static int migrate(struct store *s, void *arg, struct err *e) {
    struct migration *m = arg;
    int64_t now;
    if (sql_int(s, e, &now, "PRAGMA user_version", "") < 0) return -1;
    for (m->from = (int)now; m->from < store_version; m->from++)
        if (exec(s, store_migrations[m->from], "migrating", e) < 0) return -1;
    char version[64];
    text_format(version, sizeof version, "PRAGMA user_version = %d", store_version);
    return exec(s, version, "migrating", e);
}

static int identity(struct store *s, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT id, epoch, test_clock FROM store", "");
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        text_format(s->id, sizeof s->id, "%s", rows_text(&r, 0));
        s->epoch = rows_int(&r, 1);
        s->test_clock = rows_int(&r, 2) != 0;
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_FAILED, "store %s is damaged: it has no identity", s->path);
    }
    rows_close(&r);
    return rc;
}

/* Ours, and not of a newer program. */
static int origin_check(struct store *s, int64_t *version, struct err *e) {
    int64_t application = 0;
    *version = 0;
    if (sql_int(s, e, &application, "PRAGMA application_id", "") < 0 ||
        sql_int(s, e, version, "PRAGMA user_version", "") < 0)
        return -1;
    if (application != APPLICATION_ID) {
        err_set(e, ERR_FAILED, "%s is not a store of allot", s->path);
        return err_hint(e, "make one with: allot init --store PATH");
    }
    if (*version <= store_version) return 0;
    err_set(e, ERR_FAILED, "store %s has version %lld, this program knows %d", s->path, (long long)*version,
            store_version);
    return err_hint(e, "use the newer program that wrote it");
}

/* Backups are not in WAL mode. One must not be written: it would go on in the epoch of the lost store. */
static int mode_check(struct store *s, struct err *e) {
    scoped_free char *mode = NULL;
    if (s->read_only) return 0;
    if (sql_text(s, e, &mode, "PRAGMA journal_mode", "") < 0) return -1;
    if (mode && strcmp(mode, "wal") == 0) return 0;
    err_set(e, ERR_CONFLICT, "%s is a backup, not a store to work on", s->path);
    return err_hint(e, "allot restore %s --to PATH", s->path);
}

static int version_check(struct store *s, struct err *e) {
    int64_t version;
    if (origin_check(s, &version, e) < 0 || mode_check(s, e) < 0) return -1;
    if (version == store_version) return 0;
    if (s->read_only) {
        err_set(e, ERR_FAILED, "store %s has version %lld and must be migrated to %d first", s->path,
                (long long)version, store_version);
        return err_hint(e, "run any command that writes, for example: allot tick");
    }
    struct migration m;
    return store_write(s, migrate, &m, e);
}

struct store *store_open(const char *path, enum store_mode mode, struct err *e) {
    struct stat st;
    if (stat(path, &st) < 0) {
        err_set(e, ERR_FAILED, "store %s: %s", path, strerror(errno));
        err_hint(e, "make one with: allot init --store %s", path);
        return NULL;
    }
    struct store *s = handle_open(path, mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, e);
    if (!s) return NULL;
    if (version_check(s, e) < 0 || identity(s, e) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

struct birth {
    bool test_clock;
    instant_t now;
};

static int give_birth(struct store *s, void *arg, struct err *e) {
    const struct birth *b = arg;
    struct migration m;
    char id[16];
    hash_random_hex(id, 13);
    if (migrate(s, &m, e) < 0) return -1;
    return sql_do(s, e, "INSERT INTO store (one, id, epoch, test_clock, made_at) VALUES (1, $1, 1, $2, $3)",
                  "sii", id, (int64_t)b->test_clock, b->now.s);
}

int store_create(const char *path, bool test_clock, instant_t now, struct err *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_FAILED, "store %s: %s", path, strerror(errno));
        return errno == EEXIST ? err_hint(e, "it is kept as it is; choose another path or move it away") : -1;
    }
    close(fd);
    struct store *s = handle_open(path, SQLITE_OPEN_READWRITE, e);
    int rc = s ? exec(s, "PRAGMA application_id = 1634496372; PRAGMA journal_mode = WAL;", "making", e) : -1;
    if (rc == 0) rc = store_write(s, give_birth, &(struct birth){test_clock, now}, e);
    store_close(s);
    if (rc < 0) unlink(path);
    return rc;
}

const char *store_path(const struct store *s) { return s->path; }
const char *store_id(const struct store *s) { return s->id; }
int64_t store_epoch(const struct store *s) { return s->epoch; }
bool store_test_clock(const struct store *s) { return s->test_clock; }
void store_lock_limit(struct store *s, int64_t ms) { s->lock_ms = ms; }
void store_dry_run(struct store *s, bool on) { s->dry_run = on; }

/* ---- copies ---- */

int store_check(struct store *s, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "PRAGMA integrity_check(20)", "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = 0;
        if (strcmp(rows_text(&r, 0), "ok") != 0)
            rc = err_set(e, ERR_BOOKS, "store %s is damaged: %s", s->path, rows_text(&r, 0));
    }
    rows_close(&r);
    if (rc < 0) return -1;
    rc = rows_open(&r, s, e, "PRAGMA foreign_key_check", "");
    if (rc == 0 && (rc = rows_next(&r, e)) == 1)
        rc = err_set(e, ERR_BOOKS, "store %s: table %s names a row that is not there", s->path,
                     rows_text(&r, 0));
    rows_close(&r);
    return rc;
}

static int copy_into(struct store *from, sqlite3 *to, const char *path, struct err *e) {
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from->db, "main");
    if (!copy) return err_set(e, ERR_FAILED, "backup %s: %s", path, sqlite3_errmsg(to));
    int code = sqlite3_backup_step(copy, -1); /* under our turn nobody writes, so one step suffices */
    sqlite3_backup_finish(copy);
    if (code == SQLITE_DONE) return 0;
    return err_set(e, ERR_FAILED, "backup %s: %s", path, sqlite3_errstr(code));
}

static int sync_file(const char *path, struct err *e) {
    char folder[4096];
    text_format(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *(slash == folder ? slash + 1 : slash) = '\0';
    const char *const both[] = {path, slash ? folder : "."};
    for (size_t i = 0; i < 2; i++) {
        scoped_fd int fd = open(both[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0) return err_set(e, ERR_FAILED, "%s: %s", both[i], strerror(errno));
    }
    return 0;
}

static const char *const side_ends[] = {"-wal", "-shm", "-journal", ".lock", NULL};

static void sides_remove(const char *path) {
    char side[4096 + 16];
    for (size_t i = 0; side_ends[i]; i++)
        if (text_format(side, sizeof side, "%s%s", path, side_ends[i]) == 0) unlink(side);
}

/* Copies the open store to path by way of path.part, so that a name that exists is a whole copy. */
static int copy_to(struct store *s, const char *path, bool with_turn, struct err *e) {
    char part[4096];
    if (text_format(part, sizeof part, "%s.part", path) < 0) return err_set(e, ERR_USAGE, "path is too long");
    if (access(path, F_OK) == 0) return err_set(e, ERR_CONFLICT, "%s exists already", path);
    unlink(part);
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) return err_set(e, ERR_FAILED, "%s: %s", part, strerror(errno));
    close(fd);
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL) == SQLITE_OK
                 ? 0
                 : err_set(e, ERR_FAILED, "%s: %s", part, sqlite3_errmsg(to));
    if (rc == 0 && with_turn) rc = turn_take(s, e);
    if (rc == 0) {
        rc = copy_into(s, to, path, e);
        if (with_turn) turn_give(s);
    }
    sqlite3_close(to);
    struct store *copy = rc == 0 ? handle_open(part, SQLITE_OPEN_READWRITE, e) : NULL;
    if (rc == 0) rc = copy ? store_check(copy, e) : -1;
    /* Out of WAL mode it is one file, readable where nothing can be written. */
    if (rc == 0) rc = exec(copy, "PRAGMA journal_mode = DELETE", "closing the copy", e);
    store_close(copy);
    sides_remove(part);
    if (rc == 0) rc = sync_file(part, e);
    if (rc == 0 && rename(part, path) < 0) rc = err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno));
    if (rc == 0) return sync_file(path, e);
    unlink(part);
    return -1;
}

int store_backup(struct store *s, const char *path, struct err *e) {
    return copy_to(s, path, !s->read_only, e);
}

struct restore {
    store_fn *first;
    void *arg;
};

static int begin_epoch(struct store *s, void *arg, struct err *e) {
    struct restore *r = arg;
    if (sql_do(s, e, "UPDATE store SET epoch = epoch + 1", "") < 0) return -1;
    return r->first ? r->first(s, r->arg, e) : 0;
}

/* The new epoch and what belongs to it, all of it in the file itself before it gets its name. */
static int epoch_write(const char *path, struct restore *r, struct err *e) {
    struct store *s = handle_open(path, SQLITE_OPEN_READWRITE, e);
    int rc = s ? exec(s, "PRAGMA journal_mode = WAL", "restoring", e) : -1;
    if (rc == 0) rc = version_check(s, e);
    if (rc == 0) rc = store_write(s, begin_epoch, r, e);
    if (rc == 0) rc = exec(s, "PRAGMA wal_checkpoint(TRUNCATE)", "restoring", e);
    store_close(s);
    return rc;
}

/* A WAL left beside a path would be replayed into whatever gets that name. */
static int path_is_new(const char *path, struct err *e) {
    char wal[4096];
    if (access(path, F_OK) == 0) {
        err_set(e, ERR_CONFLICT, "%s exists already; it is kept as it is", path);
        return err_hint(e, "restore to another path, or move the old store and its -wal and -shm away");
    }
    if (text_format(wal, sizeof wal, "%s-wal", path) < 0) return err_set(e, ERR_USAGE, "path is too long");
    if (access(wal, F_OK) != 0) return 0;
    err_set(e, ERR_CONFLICT, "%s is left of an earlier store", wal);
    return err_hint(e, "move it away first: it would be mixed into the restored store");
}

int store_restore(const char *from, const char *path, store_fn *first, void *arg, struct err *e) {
    char fresh[4096];
    if (path_is_new(path, e) < 0) return -1;
    if (text_format(fresh, sizeof fresh, "%s.restoring", path) < 0)
        return err_set(e, ERR_USAGE, "path is too long");
    struct store *source = handle_open(from, SQLITE_OPEN_READONLY, e);
    if (!source) return -1;
    unlink(fresh);
    sides_remove(fresh);
    int64_t version;
    int rc = origin_check(source, &version, e); /* an older one is migrated in the copy */
    if (rc == 0) rc = store_check(source, e);
    if (rc == 0) rc = copy_to(source, fresh, false, e);
    store_close(source);
    if (rc == 0) rc = epoch_write(fresh, &(struct restore){first, arg}, e);
    sides_remove(fresh);
    if (rc == 0) rc = sync_file(fresh, e);
    if (rc == 0 && rename(fresh, path) < 0) rc = err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno));
    if (rc == 0) return sync_file(path, e);
    unlink(fresh);
    return -1;
}
