/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fault.h"
#include "alloc/fsck.h"
#include "alloc/hash.h"
#include "test/unit/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char folder[64], path[96], other[96];
static struct err e;

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-store-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return store_create(path, true, instant(FIXTURE_START), &e);
}

static int teardown(void **state) {
    (void)state;
    char command[192];
    fault_arm(NULL);
    snprintf(command, sizeof command, "chmod -R u+rwX %s && rm -r %s", folder, folder);
    return system(command);
}

static void put(const char *to, const void *bytes_, size_t n, off_t at) {
    scoped_fd int fd = open(to, O_WRONLY | O_CREAT, 0640);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes_, n, at), n);
}

static void raw(const char *file, const char *sql) {
    sqlite3 *db = NULL;
    char *words = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK) fail_msg("%s: %s", sql, words);
    sqlite3_close(db);
}

static void refused(const char *file, enum store_mode mode, enum err_code code, const char *what) {
    err_clear(&e);
    struct store *s = store_open(file, mode, &e);
    assert_null(s);
    if (e.code != code || !strstr(e.what, what)) fail_msg("%d: %s", e.code, e.what);
}

/* ---- files that are no store of ours ---- */

static void a_missing_store_says_how_to_make_one(void **state) {
    (void)state;
    refused("/nonexistent/store", STORE_WRITE, ERR_FAILED, "/nonexistent/store");
    assert_non_null(strstr(e.hint, "allot init"));
}

static void a_foreign_database_is_refused(void **state) {
    (void)state;
    raw(other, "CREATE TABLE t (a)");
    refused(other, STORE_WRITE, ERR_FAILED, "is not a store of allot");
    refused(other, STORE_READ, ERR_FAILED, "is not a store of allot");
}

static void a_text_file_an_empty_file_and_a_folder_are_refused(void **state) {
    (void)state;
    put(other, "no database, just words that are long enough to fill a header of one hundred bytes and more",
        90, 0);
    refused(other, STORE_WRITE, ERR_FAILED, "damaged");
    assert_int_equal(truncate(other, 0), 0);
    refused(other, STORE_WRITE, ERR_FAILED, "is not a store of allot");
    refused(folder, STORE_WRITE, ERR_FAILED, "cannot be opened");
}

static void a_newer_store_is_refused(void **state) {
    (void)state;
    raw(path, "PRAGMA user_version = 99");
    refused(path, STORE_READ, ERR_FAILED, "has version 99, this program knows");
    refused(path, STORE_WRITE, ERR_FAILED, "has version 99, this program knows");
}

static void a_store_is_never_made_over_something(void **state) {
    (void)state;
    assert_int_equal(store_create(path, false, instant(FIXTURE_START), &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    struct store *s = store_open(path, STORE_READ, &e);
    assert_int_equal(e.code, ERR_CONFLICT);
    store_close(s);
}

static void a_damaged_store_is_found_out(void **state) {
    (void)state;
    raw(path, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL");
    char rubbish[4096];
    memset(rubbish, 0xa5, sizeof rubbish);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    for (off_t at = 4096; at + 4096 <= st.st_size; at += 4096) put(path, rubbish, sizeof rubbish, at);
    struct store *s = store_open(path, STORE_WRITE, &e);
    int rc = s ? store_check(s, &e) : -1;
    assert_int_equal(rc, -1);
    assert_true(e.code == ERR_FAILED || e.code == ERR_BOOKS);
    assert_non_null(strstr(e.what, "damaged"));
    store_close(s);
}

/* ---- places that cannot be written ---- */

static int note(struct store *s, void *arg, struct err *err) {
    struct book b;
    const char *actor = arg ? arg : "admin kim";
    if (book_open(&b, s, 0, actor, instant(FIXTURE_START), err) < 0) return -1;
    return book_note(&b, "test", 0, "words", err) < 0 ? -1 : book_close(&b, err);
}

/* Runs in a child, as nobody when the tests run as root: root may write everywhere. */
static int as_nobody(int (*act)(void)) {
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0)) _exit(90);
        _exit(act());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int write_fails(void) {
    struct err own = {0};
    struct store *s = store_open(path, STORE_WRITE, &own);
    int rc = s ? store_write(s, note, NULL, &own) : -1;
    if (rc == 0) return 1;
    return own.code == ERR_FAILED && own.what[0] ? 0 : 2;
}

static int read_works(void) {
    struct err own = {0};
    struct store *s = store_open(path, STORE_READ, &own);
    int64_t n = 0;
    if (!s) return 1;
    int rc = sql_int(s, &own, &n, "SELECT count(*) FROM pool", "");
    store_close(s);
    return rc == 1 && n == 1 ? 0 : 2;
}

static void let_nobody_in(mode_t of_folder, mode_t of_files) {
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char file[128];
    for (size_t i = 0; i < 4; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        chmod(file, of_files);
    }
    assert_int_equal(chmod(folder, of_folder), 0);
}

static void a_read_only_file_can_be_read_and_not_written(void **state) {
    (void)state;
    let_nobody_in(0777, 0444);
    assert_int_equal(as_nobody(write_fails), 0);
    assert_int_equal(as_nobody(read_works), 0);
}

static void a_read_only_folder_can_be_read_and_not_written(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e); /* its -wal and -shm stay */
    assert_int_equal(store_write(s, note, NULL, &e), 0);
    store_close(s);
    let_nobody_in(0555, 0444);
    assert_int_equal(as_nobody(write_fails), 0);
    assert_int_equal(as_nobody(read_works), 0);
}

/* Fills what is left; every note of the way must be whole or not there. */
static int write_until_full(void) {
    struct err own = {0};
    struct store *s = store_open(path, STORE_WRITE, &own);
    if (!s) return 1;
    int64_t written = 0, there = 0;
    while (written < 100000 && store_write(s, note, NULL, &own) == 0) written++;
    if (own.code != ERR_FAILED || written == 0) return 2;
    if (!strstr(own.what, "disk is full") && !strstr(own.what, "I/O error")) return 3;
    err_clear(&own);
    if (sql_int(s, &own, &there, "SELECT count(*) FROM entry", "") != 1 || there != written) return 4;
    if (store_check(s, &own) < 0 || ledger_verify(s, NULL, &own) < 0) return 5;
    store_close(s);
    return 0;
}

static int full_disk(void) {
    /* A private, small tmpfs where that is allowed, else a limit on the size of files. */
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", folder, "tmpfs", 0, "size=800k") == 0) {
        struct err own = {0};
        if (store_create(path, true, instant(FIXTURE_START), &own) < 0) return 10;
    } else {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){700000, 700000});
    }
    return write_until_full();
}

static void a_full_disk_loses_nothing_that_was_committed(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) _exit(full_disk());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- writers and turns ---- */

static void waiting_too_long_for_the_turn_is_try_again(void **state) {
    (void)state;
    char lock[128];
    snprintf(lock, sizeof lock, "%s.lock", path);
    struct store *s = store_open(path, STORE_WRITE, &e);
    assert_non_null(s);
    scoped_fd int fd = open(lock, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    store_lock_limit(s, 200);
    int64_t start = clock_monotonic_ms();
    assert_int_equal(store_write(s, note, NULL, &e), -1);
    int64_t took = clock_monotonic_ms() - start;
    assert_int_equal(e.code, ERR_RETRY);
    assert_non_null(strstr(e.what, "nothing happened"));
    assert_true(took >= 150 && took < 5000);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    err_clear(&e);
    assert_int_equal(store_write(s, note, NULL, &e), 0);
    store_close(s);
}

static void a_reader_never_waits_for_a_writer(void **state) {
    (void)state;
    char lock[128];
    snprintf(lock, sizeof lock, "%s.lock", path);
    scoped_fd int fd = open(lock, O_RDWR | O_CREAT, 0640);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(read_works(), 0);
}

enum { WRITERS = 8 };

struct tally {
    volatile int64_t done[WRITERS];
    volatile int go, stop;
};

static struct tally *tally_new(void) {
    char file[128];
    snprintf(file, sizeof file, "%s/tally", folder);
    put(file, &(struct tally){0}, sizeof(struct tally), 0);
    scoped_fd int fd = open(file, O_RDWR);
    return mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static void writer(struct tally *t, int number) {
    struct err own = {0};
    char actor[32];
    snprintf(actor, sizeof actor, "admin w%d", number);
    struct store *s = store_open(path, STORE_WRITE, &own);
    if (!s) _exit(1);
    while (!t->go) usleep(500);
    while (!t->stop) {
        if (store_write(s, note, actor, &own) < 0) _exit(2);
        t->done[number]++;
    }
    store_close(s);
    _exit(0);
}

static void writers_start(struct tally *t, pid_t children[WRITERS]) {
    for (int i = 0; i < WRITERS; i++)
        if ((children[i] = fork()) == 0) writer(t, i);
    usleep(50000);
    t->go = 1;
}

static void eight_writers_all_get_their_turns(void **state) {
    (void)state;
    struct tally *t = tally_new();
    pid_t children[WRITERS];
    writers_start(t, children);
    /* Without turns one writer of eight got a single turn in five seconds. */
    int64_t least = 0, sum = 0, there = 0;
    for (int i = 0; i < 100 && least < 20; i++) {
        usleep(100000);
        least = INT64_MAX;
        for (int k = 0; k < WRITERS; k++)
            if (t->done[k] < least) least = t->done[k];
    }
    t->stop = 1;
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
        sum += t->done[i];
    }
    assert_true(least >= 20);
    struct store *s = store_open(path, STORE_READ, &e);
    sql_int(s, &e, &there, "SELECT count(*) FROM entry", "");
    assert_int_equal(there, sum);
    assert_int_equal(ledger_verify(s, NULL, &e), 0);
    store_close(s);
    munmap(t, sizeof *t);
}

static void writers_that_are_killed_leave_whole_books(void **state) {
    (void)state;
    struct tally *t = tally_new();
    for (int round = 0; round < 6; round++) {
        pid_t children[WRITERS];
        t->go = 0;
        writers_start(t, children);
        for (int i = 0; i < WRITERS; i++) {
            unsigned char dice;
            char hex[3];
            hash_random_hex(hex, sizeof hex);
            dice = (unsigned char)strtoul(hex, NULL, 16);
            usleep(dice * 100u);
            kill(children[i], SIGKILL);
        }
        for (int i = 0; i < WRITERS; i++) waitpid(children[i], NULL, 0);
        struct store *s = store_open(path, STORE_WRITE, &e);
        if (!s) fail_msg("%s", e.what);
        if (store_check(s, &e) < 0 || ledger_verify(s, NULL, &e) < 0) fail_msg("%s", e.what);
        int64_t there = 0, told = 0;
        sql_int(s, &e, &there, "SELECT count(*) FROM entry", "");
        for (int i = 0; i < WRITERS; i++) told += t->done[i];
        /* What was told as done is there; each kill may hide one that was not told any more. */
        assert_true(there >= told && there <= told + WRITERS * (round + 1));
        store_close(s);
    }
    munmap(t, sizeof *t);
}

/* ---- transactions ---- */

static int count_up(struct store *s, void *arg, struct err *err) {
    int64_t n;
    if (store_next(s, "thing", &n, err) < 0) return -1;
    *(int64_t *)arg = n;
    return 0;
}

static int count_and_fail(struct store *s, void *arg, struct err *err) {
    return count_up(s, arg, err) < 0 ? -1 : err_set(err, ERR_CONFLICT, "no");
}

static void counters_have_no_gaps(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e);
    int64_t n = 0;
    assert_int_equal(store_write(s, count_up, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_int_equal(store_write(s, count_and_fail, &n, &e), -1);
    assert_int_equal(n, 2);
    err_clear(&e);
    assert_int_equal(store_write(s, count_up, &n, &e), 0);
    assert_int_equal(n, 2);
    store_close(s);
}

static void a_fault_before_the_commit_changes_nothing_and_after_it_is_unknown(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e);
    int64_t n = 0;
    fault_arm("store.before-commit:error");
    assert_int_equal(store_write(s, count_up, &n, &e), -1);
    assert_int_equal(e.code, ERR_FAILED);
    err_clear(&e);
    fault_arm("store.after-commit:error");
    assert_int_equal(store_write(s, count_up, &n, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN);
    fault_arm(NULL);
    err_clear(&e);
    assert_int_equal(store_write(s, count_up, &n, &e), 0);
    assert_int_equal(n, 2);
    store_close(s);
}

static void what_was_opened_for_reading_cannot_write(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_READ, &e);
    int64_t n;
    assert_int_equal(store_write(s, count_up, &n, &e), -1);
    assert_non_null(strstr(e.what, "for reading only"));
    store_close(s);
}

/* ---- backup and restore ---- */

static void a_backup_is_one_file_that_can_be_read_but_not_worked_on(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e);
    assert_int_equal(store_write(s, note, NULL, &e), 0);
    if (store_backup(s, other, &e) < 0) fail_msg("%s", e.what);
    char id[16];
    snprintf(id, sizeof id, "%s", store_id(s));
    store_close(s);
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", other);
    assert_int_equal(access(wal, F_OK), -1);
    struct store *copy = store_open(other, STORE_READ, &e);
    assert_non_null(copy);
    assert_string_equal(store_id(copy), id);
    assert_int_equal(ledger_verify(copy, NULL, &e), 0);
    store_close(copy);
    refused(other, STORE_WRITE, ERR_CONFLICT, "is a backup");
    assert_non_null(strstr(e.hint, "allot restore"));
}

static void a_backup_never_replaces_a_file(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e);
    put(other, "x", 1, 0);
    assert_int_equal(store_backup(s, other, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    store_close(s);
}

static void restored(int64_t epoch) {
    char to[96];
    snprintf(to, sizeof to, "%s/restored", folder);
    struct store *s = store_open(to, STORE_WRITE, &e);
    if (!s) fail_msg("%s", e.what);
    assert_int_equal(store_epoch(s), epoch);
    assert_int_equal(store_write(s, note, NULL, &e), 0);
    assert_int_equal(ledger_verify(s, NULL, &e), 0);
    store_close(s);
}

static void a_restore_begins_a_new_epoch(void **state) {
    (void)state;
    char to[96];
    snprintf(to, sizeof to, "%s/restored", folder);
    struct store *s = store_open(path, STORE_WRITE, &e);
    assert_int_equal(store_backup(s, other, &e), 0);
    store_close(s);
    if (store_restore(other, to, note, NULL, &e) < 0) fail_msg("%s", e.what);
    restored(2);
    assert_int_equal(store_restore(other, to, note, NULL, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    err_clear(&e);
    restored(2);
}

static void a_restore_that_fails_leaves_nothing_behind(void **state) {
    (void)state;
    char to[96], command[160];
    snprintf(to, sizeof to, "%s/restored", folder);
    struct store *s = store_open(path, STORE_WRITE, &e);
    assert_int_equal(store_backup(s, other, &e), 0);
    store_close(s);
    fault_arm("store.before-commit:error");
    assert_int_equal(store_restore(other, to, note, NULL, &e), -1);
    fault_arm(NULL);
    snprintf(command, sizeof command, "ls %s | grep -q restor", folder);
    assert_int_not_equal(system(command), 0);
    err_clear(&e);
    snprintf(command, sizeof command, "%s-wal", to);
    put(command, "left", 4, 0);
    assert_int_equal(store_restore(other, to, note, NULL, &e), -1);
    assert_non_null(strstr(e.what, "is left of an earlier store"));
}

static void only_a_store_of_ours_can_be_restored(void **state) {
    (void)state;
    char to[96];
    snprintf(to, sizeof to, "%s/restored", folder);
    raw(other, "CREATE TABLE t (a)");
    assert_int_equal(store_restore(other, to, NULL, NULL, &e), -1);
    assert_non_null(strstr(e.what, "is not a store of allot"));
    assert_int_equal(access(to, F_OK), -1);
}

static void a_backup_can_be_taken_while_others_write(void **state) {
    (void)state;
    struct tally *t = tally_new();
    pid_t children[WRITERS];
    writers_start(t, children);
    struct store *s = store_open(path, STORE_WRITE, &e);
    for (int i = 0; i < 3; i++) {
        unlink(other);
        if (store_backup(s, other, &e) < 0) fail_msg("%s", e.what);
        struct store *copy = store_open(other, STORE_READ, &e);
        if (ledger_verify(copy, NULL, &e) < 0) fail_msg("%s", e.what);
        store_close(copy);
    }
    store_close(s);
    t->stop = 1;
    for (int i = 0; i < WRITERS; i++) waitpid(children[i], NULL, 0);
    munmap(t, sizeof *t);
}

/* ---- migration ---- */

static int fill_first(struct store *s, void *arg, struct err *err) {
    (void)arg;
    int64_t pool, tenant, grant;
    struct book b;
    if (fixture_pool(s, "gj", 64, "1 PB", &pool, err) < 0 ||
        book_open(&b, s, 0, "admin kim", instant(FIXTURE_START), err) < 0 ||
        fixture_tenant(&b, 1, &tenant, err) < 0 || book_close(&b, err) < 0 ||
        book_open(&b, s, pool, "admin kim", instant(FIXTURE_START), err) < 0)
        return -1;
    struct placer placer;
    placer_open(&placer, s, pool);
    int rc = fixture_grant(&b, &placer, 1, tenant, 8, 2, 5 * FIXTURE_TB, &grant, err);
    placer_close(&placer);
    return rc < 0 ? -1 : book_close(&b, err);
}

/* Every row of `path`, in the tables and columns of an earlier version, as a store of its own in `other`. */
static void make_version(int version) {
    sqlite3 *db = NULL;
    sqlite3_stmt *tables = NULL;
    char *words = NULL;
    scoped_text struct text sql = {0};
    assert_int_equal(sqlite3_open(other, &db), SQLITE_OK);
    text_add(&sql, "PRAGMA application_id = 1634496372; PRAGMA journal_mode = WAL; BEGIN;");
    for (int i = 0; i < version; i++)
        for (const char *const *piece = store_migrations[i]; *piece; piece++) text_add(&sql, "%s", *piece);
    text_add(&sql, "DELETE FROM pool; PRAGMA user_version = %d; COMMIT; ATTACH '%s' AS now;", version, path);
    if (sqlite3_exec(db, sql.s, NULL, NULL, &words) != SQLITE_OK) fail_msg("%s", words);
    sql.length = 0;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT m.name, group_concat(c.name, ', ') FROM main.sqlite_schema m JOIN "
                           "pragma_table_info(m.name, 'main') c WHERE m.type = 'table' GROUP BY m.name",
                           -1, &tables, NULL),
        SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0),
                   *columns = (const char *)sqlite3_column_text(tables, 1);
        text_add(&sql, "INSERT INTO main.%s (%s) SELECT %s FROM now.%s;", name, columns, columns, name);
    }
    sqlite3_finalize(tables);
    if (sqlite3_exec(db, sql.s, NULL, NULL, &words) != SQLITE_OK) fail_msg("%s", words);
    sqlite3_close(db);
}

static int64_t number(struct store *s, const char *sql) {
    scoped_json json_t *rows = sql_json(s, &e, sql, "");
    return json_integer_value(json_object_iter_value(json_object_iter(json_array_get(rows, 0))));
}

static void must_be_clean(struct store *s) {
    scoped_json json_t *report = fsck_run(s, &e);
    if (!json_is_true(json_object_get(report, "clean"))) {
        json_dumpf(report, stderr, JSON_INDENT(1));
        fail_msg("the books do not close");
    }
}

static void a_store_of_version_1_keeps_its_rows(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e);
    if (store_write(s, fill_first, NULL, &e) < 0) fail_msg("%s", e.what);
    store_close(s);
    make_version(1);
    refused(other, STORE_READ, ERR_FAILED, "must be migrated to");

    s = store_open(other, STORE_WRITE, &e);
    if (!s) fail_msg("%s", e.what);
    assert_int_equal(number(s, "SELECT user_version FROM pragma_user_version"), store_version);
    assert_int_equal(number(s, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number(s, "SELECT foreign_keys FROM pragma_foreign_keys"), 1);
    /* What refers to the tables that were made anew still does. */
    assert_int_equal(number(s, "SELECT count(*) FROM flavor_size"), 4);
    raw(other, "PRAGMA foreign_keys = ON; INSERT INTO flavor_size VALUES (1, 'v100', 16)");
    assert_int_equal(number(s,
                            "SELECT count(*) FROM pragma_foreign_key_list('flavor_size') WHERE \"table\" = "
                            "'flavor'"),
                     2); /* two columns */
    assert_int_equal(number(s, "SELECT rating_gflops FROM grant_line WHERE units = 16"), 15600);
    assert_int_equal(number(s, "SELECT held FROM holding WHERE scope = 'tenant' AND item = 'unit/v100'"), 16);
    assert_int_equal(
        number(s, "SELECT held FROM holding WHERE scope = 'organisation' AND item = 'unit/v100'"), 16);
    must_be_clean(s);
    store_close(s);
    s = store_open(other, STORE_READ, &e);
    if (!s) fail_msg("%s", e.what);
    store_close(s);
}

static void a_store_of_version_2_keeps_its_rows(void **state) {
    (void)state;
    struct store *s = store_open(path, STORE_WRITE, &e);
    if (store_write(s, fill_first, NULL, &e) < 0) fail_msg("%s", e.what);
    store_close(s);
    make_version(2);
    raw(other,
        "UPDATE flavor SET has_slots = 1; INSERT INTO slot (pool, host, flavor, name, address, attach, "
        "state, "
        "operation) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8) SELECT 1, "
        "'h1', "
        "'v100', 's' || o.id || '-' || i, '', 'none', 'ok', o.id FROM n, operation o WHERE o.kind = 'server';"
        "UPDATE operation SET host = 'h1'");
    refused(other, STORE_READ, ERR_FAILED, "must be migrated to");

    s = store_open(other, STORE_WRITE, &e);
    if (!s) fail_msg("%s", e.what);
    assert_int_equal(number(s, "SELECT user_version FROM pragma_user_version"), store_version);
    assert_int_equal(number(s, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number(s, "SELECT count(*) FROM operation"), 3);
    assert_int_equal(number(s, "SELECT count(*) FROM operation WHERE kind = 'server' AND item = 'unit/v100'"),
                     2);
    assert_int_equal(number(s, "SELECT count(*) FROM operation WHERE kind = 'volume' AND item = 'storage'"),
                     1);
    assert_int_equal(number(s, "SELECT count(*) FROM operation WHERE attempts = 1"),
                     3); /* maybe sent before */
    assert_int_equal(number(s, "SELECT capabilities FROM pool WHERE id = 1"),
                     1); /* it has devices, one by one */
    assert_int_equal(number(s, "SELECT count(*) FROM host WHERE settings = '{}' AND tenant IS NULL"), 1);
    assert_int_equal(
        number(s, "SELECT count(*) FROM pragma_foreign_key_list('slot') WHERE \"table\" = 'operation'"),
        1); /* still that table, by its name */
    raw(other,
        "PRAGMA foreign_keys = ON; UPDATE host SET tenant = 1; UPDATE host SET tenant = NULL; INSERT INTO "
        "operation SELECT "
        "tenant, 9, grant_id, pool, 'container', 'datalake', 'n', host, NULL, 0, 0, 0, 't', 'absent', "
        "'absent', "
        "0, NULL, NULL, 0 FROM operation WHERE id = 1");
    must_be_clean(s);
    store_close(s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_missing_store_says_how_to_make_one),
        CASE(a_foreign_database_is_refused),
        CASE(a_text_file_an_empty_file_and_a_folder_are_refused),
        CASE(a_newer_store_is_refused),
        CASE(a_store_is_never_made_over_something),
        CASE(a_damaged_store_is_found_out),
        CASE(a_read_only_file_can_be_read_and_not_written),
        CASE(a_read_only_folder_can_be_read_and_not_written),
        CASE(a_full_disk_loses_nothing_that_was_committed),
        CASE(waiting_too_long_for_the_turn_is_try_again),
        CASE(a_reader_never_waits_for_a_writer),
        CASE(eight_writers_all_get_their_turns),
        CASE(writers_that_are_killed_leave_whole_books),
        CASE(counters_have_no_gaps),
        CASE(a_fault_before_the_commit_changes_nothing_and_after_it_is_unknown),
        CASE(what_was_opened_for_reading_cannot_write),
        CASE(a_backup_is_one_file_that_can_be_read_but_not_worked_on),
        CASE(a_backup_never_replaces_a_file),
        CASE(a_restore_begins_a_new_epoch),
        CASE(a_restore_that_fails_leaves_nothing_behind),
        CASE(only_a_store_of_ours_can_be_restored),
        CASE(a_backup_can_be_taken_while_others_write),
        CASE(a_store_of_version_1_keeps_its_rows),
        CASE(a_store_of_version_2_keeps_its_rows),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
