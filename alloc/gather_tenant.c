/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants of a plan, each by a few statements that stay prepared: a plan mostly has one. */
#include "alloc/gather.h"
#include "alloc/scope.h"
#include "alloc/spent.h"

#include <string.h>

static int load_head(struct gathered *g, struct store *s, int64_t pool, int64_t number,
                     struct fact_tenant *out, int64_t *organisation, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT t.name, o.registration, t.state = 'suspended', t.organisation, coalesce(a.compute_gflops, "
        "0), "
        "coalesce(b.compute_gflops, 0), coalesce(a.storage_bytes, 0), coalesce(b.storage_bytes, 0), "
        "coalesce((SELECT "
        "c.credits FROM credit c WHERE c.pool = $1 AND c.tenant = t.id), 0) FROM tenant t JOIN organisation "
        "o ON o.id "
        "= t.organisation LEFT JOIN ceiling a ON a.pool = $1 AND a.scope = 'tenant' AND a.owner = t.id LEFT "
        "JOIN "
        "ceiling b ON b.pool = $1 AND b.scope = 'organisation' AND b.owner = t.organisation WHERE t.id = $2",
        "ii", pool, number);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *organisation = rows_int(&r, 3);
        *out = (struct fact_tenant){.name = keep_text(&g->memory, rows_text(&r, 0)),
                                    .organisation = keep_text(&g->memory, rows_text(&r, 1)),
                                    .suspended = rows_int(&r, 2) != 0,
                                    .held_compute = gflops(rows_int(&r, 4)),
                                    .organisation_compute = gflops(rows_int(&r, 5)),
                                    .held_storage = bytes(rows_int(&r, 6)),
                                    .organisation_storage = bytes(rows_int(&r, 7)),
                                    .credits = rows_int(&r, 8)};
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_FAILED, "no tenant with number %lld", (long long)number);
    }
    rows_close(&r);
    return rc;
}

/* What is set aside for an offer counts as held. */
static int add_offers(struct store *s, int64_t pool, int64_t number, int64_t organisation,
                      struct fact_tenant *out, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e,
                  "SELECT o.tenant, o.compute_gflops, o.storage_bytes FROM offer o JOIN tenant t ON t.id = "
                  "o.tenant WHERE o.pool = $1 AND t.organisation = $2",
                  "ii", pool, organisation);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        bool own = rows_int(&r, 0) == number;
        gflops_t compute = gflops(rows_int(&r, 1));
        bytes_t storage = bytes(rows_int(&r, 2));
        if (own) out->held_compute.n += compute.n, out->held_storage.n += storage.n;
        out->organisation_compute.n += compute.n;
        out->organisation_storage.n += storage.n;
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int load_attrs(struct gathered *g, struct store *s, int64_t number, struct fact_tenant *out,
                      struct err *e) {
    struct rows r;
    struct fact_attr *attrs = NULL;
    size_t room = 0;
    int rc = rows_open(&r, s, e, "SELECT name, value FROM tenant_attr WHERE tenant = $1 ORDER BY name", "i",
                       number);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        attrs = mem_grow(attrs, &room, out->n_attrs + 1, sizeof *attrs);
        attrs[out->n_attrs++] = (struct fact_attr){keep_text(&g->memory, rows_text(&r, 0)),
                                                   keep_text(&g->memory, rows_text(&r, 1))};
        rc = 0;
    }
    rows_close(&r);
    out->attrs = attrs ? keep_add(&g->memory, attrs) : NULL;
    return rc;
}

/* By item: held, and what offers set aside. */
static int load_holdings(struct gathered *g, struct store *s, int64_t pool, int64_t number,
                         int64_t organisation, struct fact_tenant *out, struct err *e) {
    struct rows r;
    struct fact_holding *holdings = NULL;
    size_t room = 0;
    int rc = rows_open(&r, s, e,
                       "SELECT item, sum(own), sum(whole) FROM (SELECT item, held AS own, 0 AS whole FROM "
                       "holding WHERE pool = $1 AND "
                       "scope = 'tenant' AND owner = $2 UNION ALL SELECT item, 0, held FROM holding WHERE "
                       "pool = $1 AND scope = "
                       "'organisation' AND owner = $3 UNION ALL SELECT l.item, CASE WHEN l.tenant = $2 THEN "
                       "l.quantity ELSE 0 END, "
                       "l.quantity FROM offer_line l JOIN tenant t ON t.id = l.tenant WHERE l.pool = $1 AND "
                       "t.organisation = $3 AND "
                       "l.item <> 'storage') GROUP BY item HAVING sum(whole) > 0 ORDER BY item",
                       "iii", pool, number, organisation);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        holdings = mem_grow(holdings, &room, out->n_holdings + 1, sizeof *holdings);
        holdings[out->n_holdings++] =
            (struct fact_holding){keep_text(&g->memory, rows_text(&r, 0)), rows_int(&r, 1), rows_int(&r, 2)};
        rc = 0;
    }
    rows_close(&r);
    out->holdings = holdings ? keep_add(&g->memory, holdings) : NULL;
    return rc;
}

int gather_load_tenants(struct gathered *g, struct store *s, int64_t pool, size_t n, bool spent,
                        struct err *e) {
    struct fact_tenant *tenants = keep_add(&g->memory, mem_alloc((n + 1) * sizeof *tenants));
    g->facts.tenants = tenants;
    g->facts.n_tenants = n;
    for (size_t i = 0; i < n; i++) {
        int64_t organisation = 0;
        struct fact_tenant *t = &tenants[i];
        if (load_head(g, s, pool, g->tenants[i], t, &organisation, e) < 0 ||
            add_offers(s, pool, g->tenants[i], organisation, t, e) < 0 ||
            load_attrs(g, s, g->tenants[i], t, e) < 0 ||
            load_holdings(g, s, pool, g->tenants[i], organisation, t, e) < 0)
            return -1;
        if (spent && spent_load(s, pool, g->tenants[i], organisation, g->facts.now, t->spent, e) < 0)
            return -1;
    }
    return 0;
}
