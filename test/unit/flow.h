/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For unit tests of the engine: a store with one pool and tenants c0001, c0002 ..., and a decider whose
 * plan is a function of the test. The policy itself is never asked.
 */
#pragma once
#include "alloc/engine.h"
#include "alloc/fsck.h"
#include "alloc/version.h"
#include "test/unit/fixture.h"

static char flow_folder[64], flow_path[96];
static struct store *store;
static struct err e;
static int64_t pool;

/* What the decider gives claim i; the default grants what is asked in servers of one unit. */
static void (*flow_decide)(const struct facts *f, size_t i, struct decision *d);

static inline void flow_reason(struct decision *d, enum reason_code code, const char *words) {
    d->reasons = mem_alloc(sizeof *d->reasons);
    d->n_reasons = 1;
    d->reasons[0] = (struct reason){.code = code, .en = mem_copy(words), .ko = mem_copy(words)};
}

static inline void flow_give(const struct facts *f, struct decision *d, int64_t size, int64_t count) {
    d->outcome = OUTCOME_GRANT;
    d->lines = mem_alloc(sizeof *d->lines);
    d->n_lines = 1;
    d->lines[0] = (struct plan_line){mem_copy("v100"), size, count, gflops(15600)};
    d->compute = gflops(15600 * size * count);
    d->lease = (struct lease_terms){.start = f->now,
                                    .end = instant_after(f->now, span(90 * CLOCK_DAY)),
                                    .notice = span(14 * CLOCK_DAY),
                                    .grace = span(7 * CLOCK_DAY),
                                    .keep = span(30 * CLOCK_DAY),
                                    .renewals = 1,
                                    .renew_term = span(90 * CLOCK_DAY)};
    flow_reason(d, REASON_PASSED, "given");
}

static inline void flow_grant_all(const struct facts *f, size_t i, struct decision *d) {
    flow_give(f, d, 1, f->claims[i].units.n);
    d->storage = f->claims[i].storage;
}

static inline struct policy *flow_open(const char *stored, struct err *err) {
    static int one;
    (void)stored;
    (void)err;
    return (struct policy *)&one;
}

static inline void flow_close(struct policy *policy) { (void)policy; }

static inline int flow_plan(const struct policy *policy, const struct facts *f, struct plan *out,
                            struct err *err) {
    (void)policy;
    (void)err;
    out->n_decisions = f->n_claims;
    out->decisions = mem_alloc(f->n_claims * sizeof *out->decisions);
    for (size_t i = 0; i < f->n_claims; i++) {
        out->decisions[i].claim = mem_copy(f->claims[i].id);
        flow_decide(f, i, &out->decisions[i]);
    }
    return 0;
}

static struct decider flow_decider = {.open = flow_open, .close = flow_close, .plan = flow_plan};

struct flow_new {
    int tenants;
    bool with_policy;
};

static inline int flow_fill(struct store *s, void *arg, struct err *err) {
    const struct flow_new *n = arg;
    int64_t id, tenant;
    enum version_loaded what;
    struct book b;
    if (fixture_pool(s, "gj", 16, "100 TB", &pool, err) < 0) return -1;
    if (n->with_policy &&
        version_load(s, &(struct version_new){.pool = pool, .name = "test", .version = 1, .stored = "{}"},
                     "admin kim", instant(FIXTURE_START), &id, &what, err) < 0)
        return -1;
    if (book_open(&b, s, 0, "admin kim", instant(FIXTURE_START), err) < 0) return -1;
    for (int i = 1; i <= n->tenants; i++)
        if (fixture_tenant(&b, i, &tenant, err) < 0) return -1;
    return book_close(&b, err);
}

static inline int flow_begin(const struct flow_new *n) {
    struct flow_new copy = *n;
    err_clear(&e);
    flow_decide = flow_grant_all;
    snprintf(flow_folder, sizeof flow_folder, "/tmp/test-flow-XXXXXX");
    if (!mkdtemp(flow_folder)) return -1;
    snprintf(flow_path, sizeof flow_path, "%s/store", flow_folder);
    if (store_create(flow_path, true, instant(FIXTURE_START), &e) < 0) return -1;
    store = store_open(flow_path, STORE_WRITE, &e);
    return store && store_write(store, flow_fill, &copy, &e) == 0 ? 0 : -1;
}

static inline int flow_end(void) {
    scoped_json json_t *report = fsck_run(store, &e);
    bool clean = report && json_is_true(json_object_get(report, "clean"));
    if (report && !clean) json_dumpf(report, stderr, JSON_INDENT(1));
    store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", flow_folder);
    return system(command) == 0 && clean ? 0 : -1;
}

/* ---- one transaction each ---- */

struct flow_ask {
    const char *tenant;
    int64_t units, per_server, storage, at;
    const char *actor;
    int64_t id; /* made */
    struct engine_results results;
};

static inline int flow_submit_run(struct store *s, void *arg, struct err *err) {
    struct flow_ask *a = arg;
    struct book b;
    struct request_new n = {.tenant = a->tenant,
                            .purpose = "",
                            .flavor = a->units ? "v100" : NULL,
                            .ask = a->units ? ASK_UNITS : ASK_NONE,
                            .units = units(a->units),
                            .per_server = a->per_server,
                            .storage = bytes(a->storage)};
    if (book_open(&b, s, pool, a->actor ? a->actor : "operator kim", instant(FIXTURE_START + a->at), err) <
            0 ||
        request_insert(&b, &n, &a->id, err) < 0 || engine_plan(&b, &flow_decider, &a->results, err) < 0)
        return -1;
    return book_close(&b, err);
}

static inline int flow_submit(struct flow_ask *a) {
    engine_results_free(&a->results);
    return store_write(store, flow_submit_run, a, &e);
}

static inline int flow_plan_run(struct store *s, void *arg, struct err *err) {
    struct book b;
    if (book_open(&b, s, pool, "operator cron", instant(FIXTURE_START + *(int64_t *)arg), err) < 0 ||
        engine_plan(&b, &flow_decider, NULL, err) < 0)
        return -1;
    return book_close(&b, err);
}

static inline int flow_plan_at(int64_t at) { return store_write(store, flow_plan_run, &at, &e); }

/* The first column of the first row. */
static inline int64_t flow_number(const char *sql) {
    scoped_json json_t *rows = sql_json(store, &e, sql, "");
    return json_integer_value(json_object_iter_value(json_object_iter(json_array_get(rows, 0))));
}

static inline char *flow_text(const char *sql) { /* owned */
    scoped_json json_t *rows = sql_json(store, &e, sql, "");
    const char *text = json_string_value(json_object_iter_value(json_object_iter(json_array_get(rows, 0))));
    return mem_copy(text ? text : "");
}
