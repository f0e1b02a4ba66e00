/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_store ALLOT FOLDER PART : the books beside their limits. The parts, in this order, share the folder:
 * prepare, batch, singles, queue, large, in-process, processes.
 *   - Single durable grants in process, beside a bare SQLite program that makes the same row changes: the
 *     changes of each grant are recorded by a session, then replayed with prepared statements on a copy of
 *     the same store. Both in turn, because a shared machine drifts; the medians.
 *   - 1,000 tenants imported and granted in one batch.
 *   - A request submitted, planned and committed beside 10,000 that wait, and the facts that are stored with
 *     its decision: beside the same with nobody waiting, and beside one durable commit of one row, which is
 *     what the disk asks of anybody. All in turn, in one run; the medians.
 *   - status, tenant list and tenant show as whole processes, at 1,000 tenants, 10,000 grants and 100,000
 *     entries. Limits in milliseconds hold where /bin/true takes one, and grow with what it takes here.
 * Prints each figure, its limit and their ratio (above 1: over the limit); exit 1 when one is over.
 */
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "alloc/engine.h"
#include "alloc/fsck.h"
#include "alloc/status.h"
#include "alloc/store/internal.h"
#include "alloc/usage.h"
#include "policies/policy.h"
#include "test/unit/fixture.h"

#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { TENANTS = 1000, SINGLES = 400, GRANTS = 10000, ENDED = 8100, RUNS = 25 };

static const char *program;
static struct err e;
static bool is_over;
static double process_ms; /* what /bin/true takes here */

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void need(bool good, const char *what) {
    if (good) return;
    fprintf(stderr, "bench_store: %s: %s\n", what, e.what);
    exit(2);
}

static int double_cmp(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, double_cmp);
    return values[n / 2];
}

/* limit 0: only shown */
static void figure(const char *what, double measured, double limit, const char *unit) {
    double ratio = limit > 0 ? measured / limit : 0;
    if (limit > 0)
        printf("%-58s %10.2f %-2s  limit %8.2f %-2s  %5.2f%s\n", what, measured, unit, limit, unit, ratio,
               ratio > 1 ? "  OVER" : "");
    else
        printf("%-58s %10.2f %s\n", what, measured, unit);
    if (ratio > 1) is_over = true;
    fflush(stdout);
}

/* ---- the program as a process ---- */

extern char **environ;

/* Wall time in ms; its output goes nowhere. *peak_kib: its largest resident size, may be NULL. */
static double run(const char *const argv[], long *peak_kib) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int status = -1;
    struct rusage usage = {0};
    double start = now_ms();
    bool good = posix_spawn(&child, argv[0], &actions, NULL, (char **)argv, environ) == 0 &&
                wait4(child, &status, 0, &usage) == child;
    double took = now_ms() - start;
    posix_spawn_file_actions_destroy(&actions);
    if (!good || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench_store: %s %s %s: status %d\n", argv[0], argv[1] ? argv[1] : "",
                argv[1] && argv[2] ? argv[2] : "", status);
        exit(2);
    }
    if (peak_kib) *peak_kib = usage.ru_maxrss;
    return took;
}

#define ALLOT(...) run((const char *const[]){program, AT_START, __VA_ARGS__, NULL}, NULL)
#define AT_START   "--now", "2027-01-15T08:00:00Z"

/* The best of several runs: what the program takes when nothing else is in its way. */
static double best_run(const char *const argv[], long *peak_kib) {
    double best = run(argv, peak_kib);
    for (int i = 1; i < RUNS; i++) {
        double time = run(argv, peak_kib);
        if (time < best) best = time;
    }
    return best;
}

static void process_figure(const char *what, const char *const argv[], double limit) {
    long peak = 0;
    figure(what, best_run(argv, &peak), limit * (process_ms > 1 ? process_ms : 1), "ms");
    if (limit == 5) figure("  its memory", (double)peak / 1024, 10, "MB");
}

/* ---- files ---- */

#define SIZES "sizes: [1, 2, 4, 8], attach: none}\n"
static const char pilot_flavors[] =
    "  - {name: v100, rating: 15.6 TF, units: 480, " SIZES "  - {name: t4, rating: 8.1 TF, units: 168, " SIZES
    "settings: {file: cloud.json, flavors: {v100: {units_per_host: 8},"
    " t4: {units_per_host: 3}}}\n";
static const char national_flavors[] =
    "  - {name: h100, rating: 67 TF, units: 1160, " SIZES
    "  - {name: a100, rating: 19.5 TF, units: 408, " SIZES
    "  - {name: v100, rating: 15.6 TF, units: 120, " SIZES "  - {name: t4, rating: 8.1 TF, units: 117, " SIZES
    "settings: {file: cloud.json, flavors: {h100: {units_per_host: 8}, a100: {units_per_host: 3},"
    " v100: {units_per_host: 1}, t4: {units_per_host: 1}}}\n";

/* A pool of the shipped policies, on hosts that list their devices. */
static void write_pool(const char *path, const char *storage, int hosts, const char *flavors) {
    FILE *f = fopen(path, "w");
    need(f != NULL, path);
    fprintf(f,
            "backend: simulated\nbasis: fp32\nstorage: %s\ngranule: 1 GB\n"
            "volume: {least: 1 GB, most: 50 TB}\nmeasures: [gpu_util]\nhosts:\n",
            storage);
    for (int i = 0; i < hosts; i++) fprintf(f, "  - {name: h%03d, uri: 'sim:%d'}\n", i, i);
    fprintf(f, "flavors:\n%s", flavors);
    fclose(f);
}

static void write_tenants(const char *path) {
    FILE *f = fopen(path, "w");
    need(f != NULL, path);
    fprintf(f, "name,organisation,registration,language,attr:kind,attr:ai,attr:seat\n");
    for (int i = 0; i < TENANTS; i++)
        fprintf(f, "c%04d,Company %d,FOREIGN %d,ko,sme,true,gwangju\n", i, i, i);
    fclose(f);
}

static void write_requests(const char *path) {
    FILE *f = fopen(path, "w");
    need(f != NULL, path);
    fprintf(f, "tenant,flavor,units,storage\n");
    for (int i = 0; i < TENANTS; i++) fprintf(f, "c%04d,h100,1,10 TB\n", i);
    fclose(f);
}

/* Everything into the one file, so that it can be copied. */
static void settle_down(const char *path) {
    sqlite3 *db = NULL;
    need(sqlite3_open(path, &db) == SQLITE_OK &&
             sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK,
         path);
    sqlite3_close(db);
}

static void copy(const char *from, const char *to) {
    const char *const ends[] = {"", "-wal", "-shm"};
    char path[4200];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", to, ends[i]);
        unlink(path);
    }
    run((const char *const[]){"/bin/cp", from, to, NULL}, NULL);
}

/* ---- the batch ---- */

static void store_make(const char *store, const char *pool, const char *file) {
    ALLOT("init", "--test-clock", "--store", store);
    ALLOT("pool", "add", pool, "--file", file, "--store", store);
    ALLOT("pool", "sync", pool, "--store", store);
    ALLOT("policy", "load", pool, "--store", store, "--quiet");
    settle_down(store);
}

static void prepare(void) {
    write_pool("pilot.yaml", "10.7 PB", 60, pilot_flavors);
    write_pool("national.yaml", "107 PB", 145, national_flavors);
    write_tenants("tenants.csv");
    write_requests("requests.csv");
    store_make("pilot.db", "pilot", "pilot.yaml");
    store_make("national.db", "national", "national.yaml");
    copy("pilot.db", "tenants.db");
    ALLOT("tenant", "import", "tenants.csv", "--store", "tenants.db", "--quiet");
    settle_down("tenants.db");
}

static double processor_ms(void) {
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void batch(void) {
    double best = 0, processor = 0;
    for (int i = 0; i < 5; i++) {
        copy("national.db", "batch.db");
        double before = processor_ms();
        double took = ALLOT("tenant", "import", "tenants.csv", "--store", "batch.db", "--quiet");
        took += ALLOT("request", "submit", "--file", "requests.csv", "--no-provision", "--store", "batch.db",
                      "--quiet");
        if (i == 0 || took < best) best = took, processor = processor_ms() - before;
    }
    figure("1,000 tenants imported and granted in one batch", best, 250, "ms");
    figure("  processor time of it", processor, 0, "ms");
}

/* ---- single durable grants ---- */

struct single {
    int64_t pool;
    int number;
};

static int grant_one(struct store *s, void *arg, struct err *err) {
    const struct single *one = arg;
    struct book b;
    struct engine_results results = {0};
    char tenant[16];
    int64_t id;
    snprintf(tenant, sizeof tenant, "c%04d", one->number);
    struct request_new n = {.tenant = tenant,
                            .purpose = "",
                            .flavor = "v100",
                            .ask = ASK_UNITS,
                            .units = units(1),
                            .storage = bytes(10 * FIXTURE_TB)};
    if (book_open(&b, s, one->pool, "admin bench", instant(FIXTURE_START), err) < 0 ||
        request_insert(&b, &n, &id, err) < 0)
        return -1;
    int rc = engine_plan(&b, &policy_decider, &results, err);
    if (rc == 0 && (results.n != 1 || !results.of[0].grant))
        rc = err_set(err, ERR_FAILED, "%s: no grant", tenant);
    engine_results_free(&results);
    return rc < 0 ? -1 : book_close(&b, err);
}

/* The row changes of the grants, as statements with their values. */
struct change {
    size_t statement;
    size_t n;
    sqlite3_value **values;
};

static struct recording {
    char **sql;
    size_t n_sql, sql_room;
    struct change *changes;
    size_t n_changes, changes_room;
    size_t ends[SINGLES]; /* of each grant, in changes */
} recording;

static size_t statement_of(const char *sql) {
    struct recording *r = &recording;
    for (size_t i = 0; i < r->n_sql; i++)
        if (strcmp(r->sql[i], sql) == 0) return i;
    r->sql = mem_grow(r->sql, &r->sql_room, r->n_sql + 1, sizeof *r->sql);
    r->sql[r->n_sql] = mem_copy(sql);
    return r->n_sql++;
}

struct row {
    sqlite3_changeset_iter *at;
    const char *table;
    int columns, operation;
    unsigned char *is_key;
    sqlite3_stmt *names;
};

static sqlite3_value *value_of(const struct row *row, int column, bool is_new) {
    sqlite3_value *v = NULL;
    if (is_new)
        sqlite3changeset_new(row->at, column, &v);
    else
        sqlite3changeset_old(row->at, column, &v);
    return v;
}

static void change_text(const struct row *row, struct text *sql, struct change *c) {
    bool is_insert = row->operation == SQLITE_INSERT;
    const char *between = is_insert ? "" : row->operation == SQLITE_UPDATE ? " SET " : " WHERE ";
    text_add(sql,
             is_insert                         ? "INSERT INTO %s VALUES ("
             : row->operation == SQLITE_UPDATE ? "UPDATE %s"
                                               : "DELETE FROM %s",
             row->table);
    for (int pass = is_insert || row->operation == SQLITE_UPDATE ? 0 : 1; pass < (is_insert ? 1 : 2);
         pass++) {
        if (pass == 1) between = " WHERE ";
        for (int i = 0; i < row->columns; i++) {
            sqlite3_value *v =
                pass == 1 ? (row->is_key[i] ? value_of(row, i, false) : NULL) : value_of(row, i, true);
            if (!v) continue;
            c->values[c->n++] = sqlite3_value_dup(v);
            if (is_insert)
                text_add(sql, "%s?", between);
            else
                text_add(sql, "%s%s = ?", between, sqlite3_column_name(row->names, i));
            between = is_insert || pass == 0 ? ", " : " AND ";
        }
    }
    if (is_insert) text_add(sql, ")");
}

static void record_changes(sqlite3 *db, int n, void *changeset) {
    struct row row;
    int indirect;
    need(sqlite3changeset_start(&row.at, n, changeset) == SQLITE_OK, "reading the session");
    while (sqlite3changeset_next(row.at) == SQLITE_ROW) {
        struct text sql = {0}, names = {0};
        struct recording *r = &recording;
        sqlite3changeset_op(row.at, &row.table, &row.columns, &row.operation, &indirect);
        sqlite3changeset_pk(row.at, &row.is_key, NULL);
        text_add(&names, "SELECT * FROM %s", row.table);
        need(sqlite3_prepare_v2(db, names.s, -1, &row.names, NULL) == SQLITE_OK, row.table);
        struct change c = {.values = mem_alloc((size_t)row.columns * 2 * sizeof(sqlite3_value *))};
        change_text(&row, &sql, &c);
        c.statement = statement_of(sql.s);
        r->changes = mem_grow(r->changes, &r->changes_room, r->n_changes + 1, sizeof *r->changes);
        r->changes[r->n_changes++] = c;
        sqlite3_finalize(row.names);
        text_free(&sql);
        text_free(&names);
    }
    sqlite3changeset_finalize(row.at);
}

static void record(int64_t pool) {
    copy("tenants.db", "record.db");
    struct store *s = store_open("record.db", STORE_WRITE, &e);
    need(s != NULL, "record.db");
    for (int i = 0; i < SINGLES; i++) {
        sqlite3_session *session;
        void *changeset;
        int n;
        need(sqlite3session_create(s->db, "main", &session) == SQLITE_OK &&
                 sqlite3session_attach(session, NULL) == SQLITE_OK,
             "session");
        need(store_write(s, grant_one, &(struct single){pool, i}, &e) == 0, "a grant");
        need(sqlite3session_changeset(session, &n, &changeset) == SQLITE_OK, "changeset");
        record_changes(s->db, n, changeset);
        recording.ends[i] = recording.n_changes;
        sqlite3_free(changeset);
        sqlite3session_delete(session);
    }
    store_close(s);
}

struct bare {
    sqlite3 *db;
    sqlite3_stmt **statements;
};

static void bare_exec(struct bare *b, const char *sql) {
    if (sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK) return;
    fprintf(stderr, "bench_store: bare: %s: %s\n", sql, sqlite3_errmsg(b->db));
    exit(2);
}

static void bare_open(struct bare *b) {
    copy("tenants.db", "bare.db");
    need(sqlite3_open("bare.db", &b->db) == SQLITE_OK, "bare.db");
    bare_exec(b, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    b->statements = mem_alloc(recording.n_sql * sizeof *b->statements);
    for (size_t i = 0; i < recording.n_sql; i++)
        need(sqlite3_prepare_v2(b->db, recording.sql[i], -1, &b->statements[i], NULL) == SQLITE_OK,
             recording.sql[i]);
}

/* The session orders by table, so references are checked at the commit. */
static void bare_grant(struct bare *b, int number) {
    bare_exec(b, "BEGIN IMMEDIATE");
    bare_exec(b, "PRAGMA defer_foreign_keys = ON");
    for (size_t i = number ? recording.ends[number - 1] : 0; i < recording.ends[number]; i++) {
        const struct change *c = &recording.changes[i];
        sqlite3_stmt *statement = b->statements[c->statement];
        for (size_t k = 0; k < c->n; k++) sqlite3_bind_value(statement, (int)k + 1, c->values[k]);
        if (sqlite3_step(statement) != SQLITE_DONE || sqlite3_changes(b->db) != 1) {
            fprintf(stderr, "bench_store: bare: %s: %s\n", recording.sql[c->statement],
                    sqlite3_errmsg(b->db));
            exit(2);
        }
        sqlite3_reset(statement);
    }
    bare_exec(b, "COMMIT");
}

static void singles(void) {
    copy("tenants.db", "single.db");
    struct store *s = store_open("single.db", STORE_WRITE, &e);
    struct bare bare;
    int64_t pool = 0;
    need(s && pool_find(s, "pilot", &pool, &e) == 0, "single.db");
    record(pool);
    bare_open(&bare);
    double ours[SINGLES], theirs[SINGLES], our_cpu = 0, their_cpu = 0;
    for (int i = 0; i < SINGLES; i++) {
        double start = now_ms(), start_cpu = cpu_ms();
        need(store_write(s, grant_one, &(struct single){pool, i}, &e) == 0, "a grant");
        double middle = now_ms(), middle_cpu = cpu_ms();
        bare_grant(&bare, i);
        theirs[i] = now_ms() - middle;
        ours[i] = middle - start;
        our_cpu += middle_cpu - start_cpu;
        their_cpu += cpu_ms() - middle_cpu;
    }
    printf("one durable grant: %.0f row changes, bare SQLite\n", (double)recording.n_changes / SINGLES);
    double bare_ms = median(theirs, SINGLES), own_ms = median(ours, SINGLES);
    figure("  bare SQLite", bare_ms, 0, "ms");
    figure("  bare SQLite, processor time", their_cpu / SINGLES, 0, "ms");
    figure("  in process, processor time", our_cpu / SINGLES, 0, "ms");
    figure("  in process", own_ms, bare_ms / 0.7, "ms"); /* at 0.7 or more of its rate */
    store_close(s);
}

/* ---- a long queue ---- */

enum { WAITING = 10000, HOLDERS = 60, ASKED = 8, SUBMITS = 100 };

struct asking {
    int64_t pool, units;
    int from, to; /* numbers of requests; tenants in turn */
    int first_tenant, tenants;
    bool waits; /* each of them shall wait */
};

static int ask_all(struct store *s, void *arg, struct err *err) {
    const struct asking *a = arg;
    struct book b;
    struct engine_results results = {0};
    if (book_open(&b, s, a->pool, "admin bench", instant(FIXTURE_START), err) < 0) return -1;
    for (int i = a->from; i < a->to; i++) {
        char tenant[16];
        int64_t id;
        snprintf(tenant, sizeof tenant, "c%04d", a->first_tenant + i % a->tenants);
        struct request_new n = {
            .tenant = tenant, .purpose = "", .flavor = "v100", .ask = ASK_UNITS, .units = units(a->units)};
        if (request_insert(&b, &n, &id, err) < 0) return -1;
    }
    int rc = engine_plan(&b, &policy_decider, &results, err);
    if (rc == 0 && results.n != (size_t)(a->to - a->from))
        rc = err_set(err, ERR_FAILED, "%zu decisions for %d requests", results.n, a->to - a->from);
    for (size_t i = 0; rc == 0 && i < results.n; i++)
        if (a->waits && results.of[i].outcome != OUTCOME_QUEUE)
            rc = err_set(err, ERR_FAILED, "r-%lld: %s", (long long)results.of[i].request,
                         outcome_word(results.of[i].outcome));
    engine_results_free(&results);
    return rc < 0 ? -1 : book_close(&b, err);
}

/* A store whose cards are held, but for what may not be lent, and so many that wait. */
static struct store *queue_make(const char *path, int64_t *pool, int waiting) {
    copy("tenants.db", path);
    struct store *s = store_open(path, STORE_WRITE, &e);
    need(s && pool_find(s, "pilot", pool, &e) == 0, path);
    struct asking hold = {*pool, ASKED, 0, HOLDERS, TENANTS - HOLDERS, HOLDERS, false};
    need(store_write(s, ask_all, &hold, &e) == 0, "the holders");
    struct asking wait = {*pool, ASKED, 0, waiting, 0, TENANTS - HOLDERS, true};
    need(waiting == 0 || store_write(s, ask_all, &wait, &e) == 0, "those that wait");
    return s;
}

static double submit_ms(struct store *s, int64_t pool, int number) {
    struct asking one = {pool, ASKED, number, number + 1, 0, TENANTS - HOLDERS, true};
    double start = now_ms();
    need(store_write(s, ask_all, &one, &e) == 0, "a request that waits");
    return now_ms() - start;
}

/* One row of its own, durable, in a store of the same size. */
static double commit_ms(sqlite3 *db) {
    double start = now_ms();
    need(sqlite3_exec(db, "INSERT INTO bench (at) VALUES (1)", NULL, NULL, NULL) == SQLITE_OK, "a row");
    return now_ms() - start;
}

static double facts_bytes(struct store *s) {
    int64_t n = 0;
    need(sql_int(s, &e, &n, "SELECT length(facts) FROM plan ORDER BY id DESC LIMIT 1", "") == 1, "facts");
    return (double)n;
}

static void queue(void) {
    int64_t pool, same;
    struct store *s = queue_make("queue.db", &pool, WAITING), *alone = queue_make("alone.db", &same, 0);
    sqlite3 *db = NULL;
    copy("tenants.db", "commit.db");
    need(sqlite3_open("commit.db", &db) == SQLITE_OK &&
             sqlite3_exec(db, "PRAGMA synchronous = FULL; CREATE TABLE bench (at INTEGER)", NULL, NULL,
                          NULL) == SQLITE_OK,
         "commit.db");
    double ours[SUBMITS], theirs[SUBMITS], bare[SUBMITS];
    for (int i = 0; i < SUBMITS; i++) {
        ours[i] = submit_ms(s, pool, i);
        theirs[i] = submit_ms(alone, same, i);
        bare[i] = commit_ms(db);
    }
    double own = median(ours, SUBMITS), beside = median(theirs, SUBMITS), physical = median(bare, SUBMITS);
    figure("one durable commit of one row", physical, 0, "ms");
    figure("a request submitted, with nobody waiting", beside, 0, "ms");
    figure("  commits that it is worth", beside / physical, 0, "");
    figure("a request submitted beside 10,000 that wait", own, beside * 2, "ms");
    figure("  commits that it is worth", own / physical, 0, "");
    figure("  facts stored with it", facts_bytes(s), facts_bytes(alone) * 2, "B");
    sqlite3_close(db);
    store_close(s);
    store_close(alone);
}

/* ---- a large store ---- */

struct large {
    int64_t pool, first;
    int from, to;
};

/* A whole life at one moment: 12 entries; or a grant that is held: 5. */
static int life(struct book *b, struct placer *placer, int number, struct err *err) {
    int tenant = number % TENANTS;
    int64_t id, tenant_id = 0;
    struct grant g = {0};
    char name[16];
    snprintf(name, sizeof name, "c%04d", tenant);
    if (sql_int(b->store, err, &tenant_id, "SELECT id FROM tenant WHERE name = $1", "s", name) != 1 ||
        fixture_grant(b, placer, tenant, tenant_id, 1, 1, FIXTURE_TB, &id, err) < 0 ||
        fixture_settle(b, id, "", SETTLED_PRESENT, err) < 0)
        return -1;
    if (number >= ENDED) return 0;
    int rc = grant_find(b->store, id, 0, &g, err);
    if (rc == 0) rc = grant_release(b, &g, "bench", err);
    grant_free(&g);
    if (rc == 0) rc = fixture_settle(b, id, "server", SETTLED_ABSENT, err);
    if (rc == 0) rc = grant_find(b->store, id, 0, &g, err);
    if (rc == 0) rc = grant_purge(b, &g, "bench", err);
    grant_free(&g);
    return rc == 0 ? fixture_settle(b, id, "", SETTLED_ABSENT, err) : -1;
}

static int lives(struct store *s, void *arg, struct err *err) {
    const struct large *l = arg;
    struct book b;
    struct placer placer;
    if (book_open(&b, s, l->pool, "admin bench", instant(FIXTURE_START + l->from), err) < 0) return -1;
    placer_open(&placer, s, l->pool);
    int rc = 0;
    for (int i = l->from; rc == 0 && i < l->to; i++) rc = life(&b, &placer, i, err);
    placer_close(&placer);
    return rc < 0 ? -1 : book_close(&b, err);
}

static int pool_large(struct store *s, void *arg, struct err *err) {
    return fixture_pool(s, "large", 20000, "100 PB", arg, err);
}

static void large_make(void) {
    copy("tenants.db", "large.db");
    struct store *s = store_open("large.db", STORE_WRITE, &e);
    struct large l = {0};
    need(s && store_write(s, pool_large, &l.pool, &e) == 0, "large.db");
    double start = now_ms();
    for (l.from = 0; l.from < GRANTS; l.from = l.to) {
        l.to = l.from + 500;
        need(store_write(s, lives, &l, &e) == 0, "lives");
    }
    int64_t entries = 0, grants = 0;
    sql_int(s, &e, &entries, "SELECT count(*) FROM entry", "");
    sql_int(s, &e, &grants, "SELECT count(*) FROM grants", "");
    printf("a store of %d tenants, %lld grants and %lld entries, made in %.1f s\n", TENANTS,
           (long long)grants, (long long)entries, (now_ms() - start) / 1e3);
    store_close(s);
    settle_down("large.db");
}

static void in_process(void) {
    struct store *s = store_open("large.db", STORE_READ, &e);
    struct status_limits limits = {span(3600), span(3600), span(3600), true, 0};
    struct usage_query q = {.since = instant(FIXTURE_START),
                            .until = instant(FIXTURE_START + 30 * CLOCK_DAY),
                            .with_conservation = true};
    double start = now_ms();
    json_decref(status_of(s, &limits, instant(FIXTURE_START), &e));
    figure("status, in process", now_ms() - start, 0, "ms");
    start = now_ms();
    scoped_json json_t *usage = usage_of(s, &q, &e);
    need(usage && json_is_true(json_object_get(usage, "closes")), "usage");
    figure("usage of a month by tenant, in process", now_ms() - start, 0, "ms");
    start = now_ms();
    scoped_json json_t *report = fsck_run(s, &e);
    need(report && json_is_true(json_object_get(report, "clean")), "fsck");
    figure("fsck, in process", now_ms() - start, 0, "ms");
    store_close(s);
}

static void processes(void) {
    process_ms = best_run((const char *const[]){"/bin/true", NULL}, NULL);
    figure("/bin/true (limits below hold where it takes 1 ms)", process_ms, 0, "ms");
    process_figure("tenant show",
                   (const char *const[]){program, "tenant", "show", "c0500", "--store", "large.db", NULL}, 5);
    process_figure("status", (const char *const[]){program, "status", "--store", "large.db", NULL}, 50);
    process_figure("tenant list",
                   (const char *const[]){program, "tenant", "list", "--store", "large.db", NULL}, 50);
}

/* Each part is a process of its own: what one has in memory would count as the peak of the next one's
 * children. */
int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"prepare", prepare},  {"batch", batch},           {"singles", singles},    {"queue", queue},
                 {"large", large_make}, {"in-process", in_process}, {"processes", processes}};
    if (argc != 4 || argv[1][0] != '/' || chdir(argv[2]) < 0)
        return fprintf(stderr, "usage: bench_store /PATH/OF/allot FOLDER PART\n"), 2;
    program = argv[1];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(argv[3], parts[i].name) == 0) {
            parts[i].run();
            return is_over;
        }
    return fprintf(stderr, "bench_store: there is no part '%s'\n", argv[3]), 2;
}
