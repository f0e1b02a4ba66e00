/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/store/internal.h"

#include "alloc/fault.h"
#include "alloc/hash.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOCK_MS = 20000, LOG_PAGES_MOST = 1000, LOG_PAGES_LEFT = 200 };

int store_fail(struct store *s, struct err *e, const char *doing) {
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
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_WRITE)
            return err_set(e, ERR_FAILED,
                           "store %s: I/O error while %s (a limit of size or quota?); nothing was changed",
                           s->path, doing);
        return err_set(e, ERR_FAILED, "store %s: %s while %s (code %d)", s->path, words, doing, code);
    case SQLITE_READONLY: return err_set(e, ERR_FAILED, "store %s: cannot be written (%s)", s->path, words);
    case SQLITE_NOTADB:
        err_set(e, ERR_FAILED, "store %s: damaged, or no store of allot (%s)", s->path, words);
        return err_hint(e, "name the right file, or restore a sound backup: allot restore BACKUP --to PATH");
    case SQLITE_CORRUPT:
        err_set(e, ERR_FAILED, "store %s: damaged (%s, code %d)", s->path, words, code);
        return err_hint(e, "restore a sound backup: allot restore BACKUP --to PATH");
    case SQLITE_CONSTRAINT: return err_set(e, ERR_CONFLICT, "store refused while %s: %s", doing, words);
    default: return err_set(e, ERR_FAILED, "store %s: %s while %s (code %d)", s->path, words, doing, code);
    }
}

int store_exec(struct store *s, const char *sql, const char *doing, struct err *e) {
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_fail(s, e, doing);
}

/* ---- turns and transactions ---- */

static void on_alarm(int signal) { (void)signal; }

/* flock() that gives up after the limit: a timer without SA_RESTART interrupts it. */
int store_turn_take(struct store *s, struct err *e) {
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

void store_turn_give(struct store *s) { flock(s->lock_fd, LOCK_UN); }

static void rollback(struct store *s) { sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); }

/* A failed COMMIT that left no transaction open may have reached the disk, unless a frame of it could not be
   written: the one that makes it valid is the last. */
static bool commit_failed_writing(struct store *s) {
    int code = sqlite3_extended_errcode(s->db);
    return code == SQLITE_FULL || code == SQLITE_IOERR_WRITE;
}

int store_write(struct store *s, store_fn *fn, void *arg, struct err *e) {
    if (s->in_transaction) return fn(s, arg, e);
    if (s->read_only) return err_set(e, ERR_FAILED, "store %s was opened for reading only", s->path);
    if (store_turn_take(s, e) < 0) return -1;
    int rc = store_exec(s, "BEGIN IMMEDIATE", "beginning", e);
    if (rc == 0) {
        s->in_transaction = true;
        s->n_counters = 0;
        rc = fn(s, arg, e);
        if (rc == 0) rc = store_counters_write(s, e);
        s->in_transaction = false;
        if (rc == 0) rc = fault_point("store.before-commit", e);
        if (rc != 0 || s->dry_run) {
            rollback(s);
        } else if (store_exec(s, "COMMIT", "committing", e) < 0) {
            bool unknown = sqlite3_get_autocommit(s->db) != 0 && !commit_failed_writing(s);
            rollback(s);
            if (unknown) e->code = ERR_UNKNOWN;
            rc = -1;
        } else {
            rc = fault_point("store.after-commit", e);
            if (rc < 0) e->code = ERR_UNKNOWN;
        }
    }
    store_turn_give(s);
    return rc;
}

int store_read(struct store *s, store_fn *fn, void *arg, struct err *e) {
    if (s->in_transaction) return fn(s, arg, e);
    if (store_exec(s, "BEGIN", "reading", e) < 0) return -1;
    s->in_transaction = true;
    int rc = fn(s, arg, e);
    s->in_transaction = false;
    rollback(s);
    return rc;
}

/* ---- opening ---- */

/* After each commit, still under the writer's turn: SQLite's own automatic checkpoint, and the log's length
   for fold_log(). */
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages) {
    ((struct store *)arg)->wal_pages = pages;
    if (pages >= LOG_PAGES_MOST) sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

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
            return store_fail(s, e, "setting up");
    sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_timeout(s->db, 5000);
    sqlite3_wal_hook(s->db, on_commit, s);
    return store_exec(
        s,
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA "
        "cache_size = -8000;",
        "setting up", e);
}

/* Whose is it? The file, or the folder on the way to it that may still be looked at. */
static int hint_owner(const char *path, struct err *e) {
    scoped_free char *at = mem_copy(path);
    struct stat st;
    for (char *slash; stat(at, &st) < 0; *slash = '\0') {
        slash = strrchr(at, '/');
        if (!slash || slash == at) return -1;
    }
    const struct passwd *owner = getpwuid(st.st_uid);
    const struct group *group = getgrgid(st.st_gid);
    return err_hint(e,
                    "%s belongs to %s and the group %s, mode %03o: work as that user, or be taken into the "
                    "group (`id` lists yours)",
                    at, owner ? owner->pw_name : "an unknown user", group ? group->gr_name : "an unknown one",
                    (unsigned)(st.st_mode & 07777));
}

/* Why the file cannot be opened, and the remedy that fits. */
static int fail_open(const char *path, const char *of, int cause, struct err *e) {
    if (!*of) {
        err_set(e, ERR_USAGE, "the path of the store is empty");
        return err_hint(e, "give --store FILE or set ALLOT_STORE");
    }
    err_set(e, ERR_FAILED, "store %s: %s", path, strerror(cause));
    if (cause == EACCES) return hint_owner(of, e);
    return cause == ENOENT ? err_hint(e, "make one with: allot init --store %s", of) : -1;
}

/* As SQLite does with its own: whoever may write the store may take its turns, whatever the umask was and
   whoever came first, root among them. */
static void side_share(int fd, const char *path) {
    struct stat store, side;
    if (stat(path, &store) < 0 || fstat(fd, &side) < 0 || side.st_uid != geteuid()) return;
    if (!S_ISREG(side.st_mode) || side.st_size > 0 || side.st_nlink != 1) return; /* not one of ours */
    bool is_other = side.st_uid != store.st_uid || side.st_gid != store.st_gid;
    if (geteuid() == 0 && is_other && fchown(fd, store.st_uid, store.st_gid) < 0) return;
    if ((side.st_mode ^ store.st_mode) & 0666) (void)fchmod(fd, store.st_mode & 0666);
}

int store_side_open(const char *path, const char *end, struct err *e) {
    char side[4096];
    if (text_format(side, sizeof side, "%s%s", path, end) < 0)
        return err_set(e, ERR_USAGE, "store path is too long");
    int fd = open(side, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
    if (fd < 0) return fail_open(side, path, errno, e);
    side_share(fd, path);
    return fd;
}

struct store *store_handle(const char *path, int flags, struct err *e) {
    /* One thread uses the store: counting memory under a mutex at each allocation would only cost. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct store *s = mem_alloc(sizeof *s);
    s->path = mem_copy(path);
    s->lock_fd = -1;
    s->lock_ms = LOCK_MS;
    s->read_only = flags & SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
        SQLITE_OK) {
        err_set(e, ERR_FAILED, "store %s cannot be opened: %s", path, sqlite3_errmsg(s->db));
        store_close(s);
        return NULL;
    }
    if ((!s->read_only && (s->lock_fd = store_side_open(path, ".lock", e)) < 0) || harden(s, e) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

/* Whoever opens the store first reads the whole log. Ours is folded into the file when it has grown, if
   nobody else is at work; the next writer may do it as well. */
static void fold_log(struct store *s) {
    if (s->wal_pages < LOG_PAGES_LEFT || s->lock_fd < 0 || flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) return;
    sqlite3_busy_timeout(s->db, 0);
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    store_turn_give(s);
}

void store_close(struct store *s) {
    if (!s) return;
    for (size_t i = 0; i < STATEMENTS_KEPT; i++) sqlite3_finalize(s->cache[i].statement);
    fold_log(s);
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
        for (const char *const *piece = store_migrations[m->from]; *piece; piece++)
            if (store_exec(s, *piece, "migrating", e) < 0) return -1;
    int64_t loose = 0;
    if (sql_int(s, e, &loose, "SELECT count(*) FROM pragma_foreign_key_check", "") < 0) return -1;
    if (loose > 0)
        return err_set(e, ERR_FAILED, "migrating store %s would leave %lld rows without what they belong to",
                       s->path, (long long)loose);
    char version[64];
    text_format(version, sizeof version, "PRAGMA user_version = %d", store_version);
    return store_exec(s, version, "migrating", e);
}

static int identity(struct store *s, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT id, epoch, test_clock, branch FROM store", "");
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        text_format(s->id, sizeof s->id, "%s", rows_text(&r, 0));
        s->epoch = rows_int(&r, 1);
        s->test_clock = rows_int(&r, 2) != 0;
        text_format(s->era, sizeof s->era, "%lld%s", (long long)s->epoch, rows_text(&r, 3));
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_FAILED, "store %s is damaged: it has no identity", s->path);
    }
    rows_close(&r);
    return rc;
}

/* Ours, and not of a newer program. */
int store_origin_check(struct store *s, int64_t *version, struct err *e) {
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

int store_version_check(struct store *s, struct err *e) {
    int64_t version;
    if (store_origin_check(s, &version, e) < 0 || mode_check(s, e) < 0) return -1;
    if (version == store_version) return 0;
    if (s->read_only) {
        err_set(e, ERR_FAILED, "store %s has version %lld and must be migrated to %d first", s->path,
                (long long)version, store_version);
        return err_hint(e, "run any command that writes, for example: allot tick");
    }
    /* A table that others refer to is made anew only while the references are not followed; migrate() checks
       them all at the end. The setting has no effect inside a transaction. */
    struct migration m;
    if (store_exec(s, "PRAGMA foreign_keys = OFF", "migrating", e) < 0) return -1;
    int rc = store_write(s, migrate, &m, e);
    struct err second = {0};
    if (store_exec(s, "PRAGMA foreign_keys = ON", "migrating", rc < 0 ? &second : e) < 0) return -1;
    return rc;
}

struct store *store_open(const char *path, enum store_mode mode, struct err *e) {
    struct stat st;
    if (stat(path, &st) < 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0) {
        fail_open(path, path, errno, e);
        return NULL;
    }
    struct store *s =
        store_handle(path, mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, e);
    if (!s) return NULL;
    if (store_version_check(s, e) < 0 || identity(s, e) < 0) {
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
    return sql_do(
        s, e, "INSERT INTO store (one, id, epoch, branch, test_clock, made_at) VALUES (1, $1, 1, '', $2, $3)",
        "sii", id, (int64_t)b->test_clock, b->now.s);
}

int store_create(const char *path, bool test_clock, instant_t now, struct err *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_FAILED, "store %s: %s", path, strerror(errno));
        return errno == EEXIST ? err_hint(e, "it is kept as it is; choose another path or move it away") : -1;
    }
    close(fd);
    struct store *s = store_handle(path, SQLITE_OPEN_READWRITE, e);
    int rc =
        s ? store_exec(s, "PRAGMA application_id = 1634496372; PRAGMA journal_mode = WAL;", "making", e) : -1;
    if (rc == 0) rc = store_write(s, give_birth, &(struct birth){test_clock, now}, e);
    store_close(s);
    if (rc < 0) unlink(path);
    return rc;
}

const char *store_path(const struct store *s) { return s->path; }
const char *store_id(const struct store *s) { return s->id; }
int64_t store_epoch(const struct store *s) { return s->epoch; }
const char *store_era(const struct store *s) { return s->era; }
bool store_test_clock(const struct store *s) { return s->test_clock; }
void store_lock_limit(struct store *s, int64_t ms) { s->lock_ms = ms; }
void store_dry_run(struct store *s, bool on) { s->dry_run = on; }
