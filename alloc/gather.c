/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/gather.h"

#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* Which requests: $1 the pool, $2 the one alone. Two texts, because each then has its own index. */
#define QUEUED "$2 = 0 AND state = 'queued' AND pool = $1 AND call IS NULL"
#define ALONE  "id = $2 AND pool = $1"

struct tenants {
    struct fact_tenant *of;
    int64_t *numbers;
    size_t n, room, numbers_room;
};

static size_t tenant_index(const struct tenants *t, int64_t number) {
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define TENANTS_SQL                                                                                          \
    "SELECT t.id, t.name, o.registration, t.state = 'suspended', coalesce(a.compute_gflops, 0), "            \
    "coalesce(b.compute_gflops, 0), coalesce(a.storage_bytes, 0), coalesce(b.storage_bytes, 0) "             \
    "FROM tenant t JOIN organisation o ON o.id = t.organisation "                                            \
    "LEFT JOIN ceiling a ON a.pool = $1 AND a.scope = 'tenant' AND a.owner = t.id "                          \
    "LEFT JOIN ceiling b ON b.pool = $1 AND b.scope = 'organisation' AND b.owner = t.organisation "          \
    "WHERE t.id IN (SELECT tenant FROM request WHERE "

static int load_tenants(struct gathered *g, struct store *s, int64_t pool, int64_t alone, struct tenants *t,
                        struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e,
                       alone ? TENANTS_SQL ALONE ") ORDER BY t.id" : TENANTS_SQL QUEUED ") ORDER BY t.id",
                       "ii", pool, alone);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        t->of = mem_grow(t->of, &t->room, t->n + 1, sizeof *t->of);
        t->numbers = mem_grow(t->numbers, &t->numbers_room, t->n + 1, sizeof *t->numbers);
        t->numbers[t->n] = rows_int(&r, 0);
        t->of[t->n++] = (struct fact_tenant){.name = keep_text(&g->memory, rows_text(&r, 1)),
                                             .organisation = keep_text(&g->memory, rows_text(&r, 2)),
                                             .suspended = rows_int(&r, 3) != 0,
                                             .held_compute = gflops(rows_int(&r, 4)),
                                             .organisation_compute = gflops(rows_int(&r, 5)),
                                             .held_storage = bytes(rows_int(&r, 6)),
                                             .organisation_storage = bytes(rows_int(&r, 7))};
        rc = 0;
    }
    rows_close(&r);
    if (t->of) keep_add(&g->memory, t->of);
    g->facts.tenants = t->of;
    g->facts.n_tenants = t->n;
    return rc;
}

/* Rows (owner, name, value) ordered by owner: attributes of one owner stand together. */
struct attr_sink {
    struct fact_attr *attrs;
    size_t n, room;
};

#define ATTRS_SQL                                                                                            \
    "SELECT tenant, name, value FROM tenant_attr WHERE tenant IN (SELECT tenant FROM request WHERE "

static int load_tenant_attrs(struct gathered *g, struct store *s, int64_t pool, int64_t alone,
                             struct tenants *t, struct err *e) {
    struct rows r;
    struct attr_sink sink = {0};
    size_t *first = mem_alloc((t->n + 1) * sizeof *first);
    int rc = rows_open(&r, s, e,
                       alone ? ATTRS_SQL ALONE ") ORDER BY tenant, name"
                             : ATTRS_SQL QUEUED ") ORDER BY tenant, name",
                       "ii", pool, alone);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        size_t i = tenant_index(t, rows_int(&r, 0));
        rc = i < t->n ? 0
                      : err_set(e, ERR_FAILED, "attributes of tenant %lld, which has no request",
                                (long long)rows_int(&r, 0));
        if (rc < 0) break;
        if (t->of[i].n_attrs++ == 0) first[i] = sink.n;
        sink.attrs = mem_grow(sink.attrs, &sink.room, sink.n + 1, sizeof *sink.attrs);
        sink.attrs[sink.n++] = (struct fact_attr){keep_text(&g->memory, rows_text(&r, 1)),
                                                  keep_text(&g->memory, rows_text(&r, 2))};
        rc = 0;
    }
    rows_close(&r);
    for (size_t i = 0; i < t->n; i++)
        if (t->of[i].n_attrs) t->of[i].attrs = sink.attrs + first[i];
    if (sink.attrs) keep_add(&g->memory, sink.attrs);
    free(first);
    return rc;
}

static struct fact_claim read_claim(struct gathered *g, const struct rows *r, const struct tenants *t) {
    char id[24];
    text_format(id, sizeof id, "r-%lld", (long long)rows_int(r, 0));
    bool by_units = !rows_null(r, 3), by_compute = !rows_null(r, 4);
    return (struct fact_claim){
        .id = keep_text(&g->memory, id),
        .tenant = tenant_index(t, rows_int(r, 1)),
        .flavor = keep_text(&g->memory, rows_text(r, 2)),
        .ask = by_units     ? ASK_UNITS
               : by_compute ? ASK_COMPUTE
                            : ASK_NONE,
        .units = units(rows_int(r, 3)),
        .compute = gflops(rows_int(r, 4)),
        .has_minimum = !rows_null(r, 5) || !rows_null(r, 6),
        .minimum_units = units(rows_int(r, 5)),
        .minimum_compute = gflops(rows_int(r, 6)),
        .per_server = rows_int(r, 7),
        .storage = bytes(rows_int(r, 8)),
        .until = {!rows_null(r, 9), instant(rows_int(r, 9))},
        .term = span(rows_int(r, 10)),
        .submitted = instant(rows_int(r, 11)),
        .approved = !rows_null(r, 12),
        .approver = keep_text(&g->memory, rows_text(r, 12)),
        .override_rule = rows_int(r, 15) ? keep_text(&g->memory, rows_text(r, 13)) : NULL,
        .datalake = bytes(rows_int(r, 16)),
        .call = keep_text(&g->memory, rows_text(r, 17)),
        .agreed = {!rows_null(r, 18), instant(rows_int(r, 18))},
        .ranked = !rows_null(r, 19),
        .rank = rows_int(r, 19),
    };
}

/* $3: now. A request has a rank from the award of its call on. */
#define CLAIMS_SQL                                                                                           \
    "SELECT id, tenant, flavor, units, compute_gflops, minimum_units, minimum_gflops, per_server, "          \
    "storage_bytes, until_at, term_s, submitted_at, approved_by, override_rule, decision, "                  \
    "override_rule IS NOT NULL AND override_until > $3, datalake_bytes, "                                    \
    "(SELECT c.name FROM call c WHERE c.id = request.call), agreed_at, (SELECT k.rank FROM call_request k "  \
    "WHERE k.call = request.call AND k.request = request.id) FROM request WHERE "

static int load_claims(struct gathered *g, struct store *s, int64_t pool, int64_t alone,
                       const struct tenants *t, struct err *e) {
    struct rows r;
    struct fact_claim *claims = NULL;
    size_t n = 0, room = 0, claims_room = 0;
    int rc = rows_open(&r, s, e, alone ? CLAIMS_SQL ALONE : CLAIMS_SQL QUEUED " ORDER BY id", "iii", pool,
                       alone, g->facts.now.s);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        claims = mem_grow(claims, &room, n + 1, sizeof *claims);
        g->claims = mem_grow(g->claims, &claims_room, n + 1, sizeof *g->claims);
        g->claims[n] =
            (struct gathered_claim){rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 14), !rows_null(&r, 7)};
        claims[n++] = read_claim(g, &r, t);
        rc = 0;
    }
    rows_close(&r);
    if (claims) keep_add(&g->memory, claims);
    if (g->claims) keep_add(&g->memory, g->claims);
    g->facts.claims = claims;
    g->facts.n_claims = n;
    return rc;
}

#define CLAIM_ATTRS_SQL                                                                                      \
    "SELECT request, name, value FROM request_attr WHERE (tenant, request) IN (SELECT tenant, id FROM "      \
    "request WHERE "

static int load_claim_attrs(struct gathered *g, struct store *s, int64_t pool, int64_t alone, struct err *e) {
    struct rows r;
    struct fact_claim *claims = (struct fact_claim *)g->facts.claims; /* ours until gather() returns */
    struct attr_sink sink = {0};
    size_t *first = mem_alloc((g->facts.n_claims + 1) * sizeof *first), i = 0;
    int rc = rows_open(&r, s, e,
                       alone ? CLAIM_ATTRS_SQL ALONE ") ORDER BY request, name"
                             : CLAIM_ATTRS_SQL QUEUED ") ORDER BY request, name",
                       "ii", pool, alone);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        while (i < g->facts.n_claims && g->claims[i].request < rows_int(&r, 0)) i++;
        if (claims[i].n_attrs++ == 0) first[i] = sink.n;
        sink.attrs = mem_grow(sink.attrs, &sink.room, sink.n + 1, sizeof *sink.attrs);
        sink.attrs[sink.n++] = (struct fact_attr){keep_text(&g->memory, rows_text(&r, 1)),
                                                  keep_text(&g->memory, rows_text(&r, 2))};
        rc = 0;
    }
    rows_close(&r);
    for (size_t k = 0; k < g->facts.n_claims; k++)
        if (claims[k].n_attrs) claims[k].attrs = sink.attrs + first[k];
    if (sink.attrs) keep_add(&g->memory, sink.attrs);
    free(first);
    return rc;
}

#define SEATS_SQL                                                                                            \
    "SELECT request, service, seats FROM request_seats WHERE (tenant, request) IN (SELECT tenant, id FROM "  \
    "request WHERE "

static int load_claim_seats(struct gathered *g, struct store *s, int64_t pool, int64_t alone, struct err *e) {
    struct rows r;
    struct fact_claim *claims = (struct fact_claim *)g->facts.claims; /* ours until gather() returns */
    struct fact_seats *seats = NULL;
    size_t n = 0, room = 0, i = 0;
    size_t *first = mem_alloc((g->facts.n_claims + 1) * sizeof *first);
    int rc = rows_open(&r, s, e,
                       alone ? SEATS_SQL ALONE ") ORDER BY request, service"
                             : SEATS_SQL QUEUED ") ORDER BY request, service",
                       "ii", pool, alone);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        while (i < g->facts.n_claims && g->claims[i].request < rows_int(&r, 0)) i++;
        if (claims[i].n_seats++ == 0) first[i] = n;
        seats = mem_grow(seats, &room, n + 1, sizeof *seats);
        seats[n++] = (struct fact_seats){keep_text(&g->memory, rows_text(&r, 1)), rows_int(&r, 2)};
        rc = 0;
    }
    rows_close(&r);
    for (size_t k = 0; k < g->facts.n_claims; k++)
        if (claims[k].n_seats) claims[k].seats = seats + first[k];
    if (seats) keep_add(&g->memory, seats);
    free(first);
    return rc;
}

int gather(struct store *s, int64_t pool, instant_t now, int64_t alone, struct gathered *out, struct err *e) {
    *out = (struct gathered){.facts = {.now = now}};
    struct tenants t = {0};
    int rc = load_tenants(out, s, pool, alone, &t, e);
    if (rc == 0) rc = load_tenant_attrs(out, s, pool, alone, &t, e);
    if (rc == 0) rc = load_claims(out, s, pool, alone, &t, e);
    if (rc == 0 && out->facts.n_claims) rc = load_claim_attrs(out, s, pool, alone, e);
    if (rc == 0 && out->facts.n_claims) rc = load_claim_seats(out, s, pool, alone, e);
    if (rc == 0) rc = pool_load_facts(s, pool, &out->facts.pool, e);
    free(t.numbers);
    if (rc < 0) gathered_free(out);
    return rc;
}

void gathered_free(struct gathered *g) {
    keep_end(&g->memory);
    pool_facts_free(&g->facts.pool);
    *g = (struct gathered){0};
}
