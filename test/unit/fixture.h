/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store with a pool, tenants and grants, made by the calls that the program uses: for unit tests and
 * benchmarks. Functions return 0 or -1 with *e set; those that take a book run inside one store_write().
 */
#pragma once
#include "alloc/grant.h"
#include "alloc/pool.h"
#include "alloc/request.h"
#include "alloc/scope.h"
#include "alloc/settle.h"
#include "alloc/tenant.h"
#include "alloc/text.h"
#include "alloc/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIXTURE_START INT64_C(1800000000)
#define FIXTURE_TB    INT64_C(1000000000000)

/* One flavor, v100 of 15.6 TF, in sizes 1, 2, 4, 8, counted and not seen one by one. */
static inline int fixture_pool(struct store *s, const char *name, int64_t units, const char *storage,
                               int64_t *id, struct err *e) {
    char yaml[512];
    struct pool_spec spec = {.name = mem_copy(name), .settings = json_object()};
    snprintf(yaml, sizeof yaml,
             "backend: simulated\nbasis: fp32\nhosts:\n  - {name: h1, uri: 'sim:h1'}\nflavors:\n"
             "  - {name: v100, rating: 15.6 TF, units: %lld, sizes: [1, 2, 4, 8]}\nstorage: %s\n"
             "granule: 1 GB\nvolume: {least: 1 GB, most: 100 TB}\nsettings: {file: cloud}\n",
             (long long)units, storage);
    json_t *marks = NULL;
    scoped_json json_t *document = yaml_load_text(yaml, strlen(yaml), "pool.yaml", &marks, e);
    int rc = -1;
    if (document) {
        struct json_at root = json_root(document, "pool.yaml");
        rc = pool_spec_read(&spec, &root, e);
    }
    if (rc == 0) rc = pool_add(s, &spec, 0, "admin kim", instant(FIXTURE_START), id, e);
    json_decref(marks);
    pool_spec_free(&spec);
    return rc;
}

/* book: of pool 0 */
static inline int fixture_tenant(struct book *b, int number, int64_t *id, struct err *e) {
    struct tenant t = {0};
    char name[32], registration[32];
    snprintf(name, sizeof name, "c%04d", number);
    snprintf(registration, sizeof registration, "TEST-%06d", number);
    int rc = tenant_set_name(&t, name, e);
    if (rc == 0) rc = tenant_set_organisation(&t, name, e);
    if (rc == 0) rc = tenant_set_registration(&t, registration, e);
    if (rc == 0) rc = tenant_set_language(&t, "ko", e);
    if (rc == 0) rc = tenant_save(b, NULL, &t, NULL, NULL, e);
    *id = t.row.id;
    tenant_free(&t);
    return rc;
}

/* A request of so many servers and bytes, and the grant that a decision made of it: reserved. */
static inline int fixture_grant(struct book *b, struct placer *placer, int tenant, int64_t tenant_id,
                                int64_t size, int64_t count, int64_t storage, int64_t *id, struct err *e) {
    char name[32];
    snprintf(name, sizeof name, "c%04d", tenant);
    struct request_new n = {.tenant = name,
                            .purpose = "test",
                            .ask = ASK_UNITS,
                            .flavor = "v100",
                            .units = units(size * count),
                            .storage = bytes(storage)};
    struct plan_line line = {.flavor = (char *)"v100", .size = size, .count = count, .rating = gflops(15600)};
    struct decision d = {.outcome = OUTCOME_GRANT,
                         .lines = &line,
                         .n_lines = 1,
                         .compute = gflops(15600 * size * count),
                         .storage = bytes(storage)};
    d.lease = (struct lease_terms){.start = b->at,
                                   .end = instant_after(b->at, span(90 * CLOCK_DAY)),
                                   .notice = span(14 * CLOCK_DAY),
                                   .grace = span(7 * CLOCK_DAY),
                                   .keep = span(30 * CLOCK_DAY)};
    int64_t request;
    if (request_insert(b, &n, &request, e) < 0) return -1;
    struct placed placed;
    size_t stuck;
    if (placer_place(placer, d.lines, d.n_lines, false, &placed, &stuck, e) != 1) return -1;
    int rc = grant_reserve(b, &placed, tenant_id, request, &d, id, e);
    placed_free(&placed);
    if (rc < 0) return -1;
    return sql_do(b->store, e, "UPDATE request SET state = 'granted', grant_id = $2 WHERE id = $1", "ii",
                  request, *id);
}

/* Every thing of a grant of that kind ("" all) was seen so. */
static inline int fixture_settle(struct book *b, int64_t grant, const char *kind, enum settled what,
                                 struct err *e) {
    int64_t ids[64];
    size_t n = 0;
    struct rows r;
    int rc = rows_open(&r, b->store, e,
                       "SELECT id FROM operation WHERE grant_id = $1 AND ($2 = '' OR kind = $2) ORDER BY id",
                       "is", grant, kind);
    while (rc == 0 && n < 64 && (rc = rows_next(&r, e)) == 1) {
        ids[n++] = rows_int(&r, 0);
        rc = 0;
    }
    rows_close(&r);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = settle(b, &(struct observation){.operation = ids[i], .what = what}, e);
    return rc;
}

/* ---- whole transactions, for tests that do one thing at a time ---- */

enum fixture_act {
    FIXTURE_GRANT,
    FIXTURE_PRESENT,
    FIXTURE_RELEASE,
    FIXTURE_SERVERS_GONE,
    FIXTURE_PURGE,
    FIXTURE_ALL_GONE,
    FIXTURE_VOID,
    FIXTURE_TENANT
};

struct fixture_step {
    enum fixture_act act;
    int64_t pool, at; /* seconds after FIXTURE_START */
    int tenant;
    int64_t tenant_id, size, count, storage;
    int64_t grant; /* made, or acted upon */
};

static inline int fixture_on_grant(struct book *b, const struct fixture_step *t, struct err *e) {
    struct grant g;
    if (grant_find(b->store, t->grant, 0, &g, e) < 0) return -1;
    int rc = t->act == FIXTURE_RELEASE ? grant_release(b, &g, "test", e)
             : t->act == FIXTURE_PURGE ? grant_purge(b, &g, "test", e)
                                       : grant_void(b, &g, "test", e);
    grant_free(&g);
    return rc;
}

static inline int fixture_run(struct store *s, void *arg, struct err *e) {
    struct fixture_step *t = arg;
    struct book b;
    struct placer placer;
    int64_t pool = t->act == FIXTURE_TENANT ? 0 : t->pool;
    int rc = book_open(&b, s, pool, "admin kim", instant(FIXTURE_START + t->at), e);
    if (rc < 0) return -1;
    switch (t->act) {
    case FIXTURE_TENANT: rc = fixture_tenant(&b, t->tenant, &t->tenant_id, e); break;
    case FIXTURE_GRANT:
        placer_open(&placer, s, t->pool);
        rc = fixture_grant(&b, &placer, t->tenant, t->tenant_id, t->size, t->count, t->storage, &t->grant, e);
        placer_close(&placer);
        break;
    case FIXTURE_PRESENT: rc = fixture_settle(&b, t->grant, "", SETTLED_PRESENT, e); break;
    case FIXTURE_SERVERS_GONE: rc = fixture_settle(&b, t->grant, "server", SETTLED_ABSENT, e); break;
    case FIXTURE_ALL_GONE: rc = fixture_settle(&b, t->grant, "", SETTLED_ABSENT, e); break;
    case FIXTURE_RELEASE:
    case FIXTURE_PURGE:
    case FIXTURE_VOID: rc = fixture_on_grant(&b, t, e); break;
    }
    return rc < 0 ? -1 : book_close(&b, e);
}

static inline int fixture_do(struct store *s, struct fixture_step *step, struct err *e) {
    return store_write(s, fixture_run, step, e);
}
