/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/gather.h"

#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

/* $3: now. A request has a rank from the award of its call on. */
#define CLAIMS_SQL                                                                                           \
    "SELECT id, tenant, flavor, units, compute_gflops, minimum_units, minimum_gflops, per_server, "          \
    "storage_bytes, until_at, term_s, submitted_at, approved_by, override_rule, decision, "                  \
    "override_rule IS NOT NULL AND override_until > $3, datalake_bytes, "                                    \
    "(SELECT c.name FROM call c WHERE c.id = request.call), agreed_at, (SELECT k.rank FROM call_request k "  \
    "WHERE k.call = request.call AND k.request = request.id), replaces FROM request WHERE pool = $1 AND "
#define ALONE  "id = $2 AND $4 = 0"
#define QUEUED "state = 'queued' AND call IS NULL AND $2 = 0"
/* Those for which something may have come free since they were last planned: by the index of these alone
   (request_fresh; the plus keeps it from reading all that wait). */
#define FRESH                                                                                                \
    "+state = 'queued' AND call IS NULL AND $2 = 0 AND id IN (SELECT f.id FROM request f WHERE f.pool = $1 " \
    "AND f.state = 'queued' AND f.planned_supply IS NULL UNION ALL SELECT f.id FROM request f WHERE "        \
    "f.pool = $1 AND f.state = 'queued' AND f.planned_supply < $4)"
#define NO_OFFERS " AND NOT EXISTS (SELECT 1 FROM offer o WHERE o.request = request.id) ORDER BY id"

static struct fact_claim read_claim(struct gathered *g, const struct rows *r) {
    char id[24];
    text_format(id, sizeof id, "r-%lld", (long long)rows_int(r, 0));
    bool by_units = !rows_null(r, 3), by_compute = !rows_null(r, 4);
    return (struct fact_claim){
        .id = keep_text(&g->memory, id),
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

struct loading {
    struct fact_claim *claims;
    int64_t *replaces; /* grants; 0: none */
    size_t n, room, gathered_room, replaces_room;
};

static void claim_add(struct gathered *g, struct loading *l, const struct rows *r) {
    l->claims = mem_grow(l->claims, &l->room, l->n + 1, sizeof *l->claims);
    l->replaces = mem_grow(l->replaces, &l->replaces_room, l->n + 1, sizeof *l->replaces);
    g->claims = mem_grow(g->claims, &l->gathered_room, l->n + 1, sizeof *g->claims);
    g->claims[l->n] =
        (struct gathered_claim){rows_int(r, 0), rows_int(r, 1), rows_int(r, 14), !rows_null(r, 7)};
    l->replaces[l->n] = rows_int(r, 20);
    l->claims[l->n++] = read_claim(g, r);
}

static int load_claims(struct gathered *g, struct loading *l, struct store *s, int64_t pool,
                       const struct gather_want *want, struct err *e) {
    struct rows r;
    int64_t supply;
    if (supply_now(s, pool, &supply, e) < 0) return -1;
    int rc = rows_open(&r, s, e,
                       want->alone     ? CLAIMS_SQL ALONE
                       : want->offered ? CLAIMS_SQL QUEUED " AND $4 >= 0"
                       : want->all     ? CLAIMS_SQL QUEUED " AND $4 >= 0" NO_OFFERS
                                       : CLAIMS_SQL FRESH NO_OFFERS,
                       "iiii", pool, want->alone, g->facts.now.s, want->alone ? (int64_t)0 : supply);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        claim_add(g, l, &r);
        rc = 0;
    }
    rows_close(&r);
    if (l->claims) keep_add(&g->memory, l->claims);
    if (g->claims) keep_add(&g->memory, g->claims);
    g->facts.claims = l->claims;
    g->facts.n_claims = l->n;
    return rc;
}

static int load_attrs(struct gathered *g, struct store *s, const struct gathered_claim *c,
                      struct fact_claim *claim, struct err *e) {
    struct rows r;
    struct fact_attr *attrs = NULL;
    size_t room = 0;
    int rc = rows_open(
        &r, s, e, "SELECT name, value FROM request_attr WHERE tenant = $1 AND request = $2 ORDER BY name",
        "ii", c->tenant, c->request);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        attrs = mem_grow(attrs, &room, claim->n_attrs + 1, sizeof *attrs);
        attrs[claim->n_attrs++] = (struct fact_attr){keep_text(&g->memory, rows_text(&r, 0)),
                                                     keep_text(&g->memory, rows_text(&r, 1))};
        rc = 0;
    }
    rows_close(&r);
    claim->attrs = attrs ? keep_add(&g->memory, attrs) : NULL;
    return rc;
}

static int load_seats(struct gathered *g, struct store *s, const struct gathered_claim *c,
                      struct fact_claim *claim, struct err *e) {
    struct rows r;
    struct fact_seats *seats = NULL;
    size_t room = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT service, seats FROM request_seats WHERE tenant = $1 AND request = $2 ORDER BY service", "ii",
        c->tenant, c->request);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        seats = mem_grow(seats, &room, claim->n_seats + 1, sizeof *seats);
        seats[claim->n_seats++] =
            (struct fact_seats){keep_text(&g->memory, rows_text(&r, 0)), rows_int(&r, 1)};
        rc = 0;
    }
    rows_close(&r);
    claim->seats = seats ? keep_add(&g->memory, seats) : NULL;
    return rc;
}

/* What the grant that goes in exchange still has. One that has ended meanwhile gives nothing more. */
static int load_replaced(struct gathered *g, struct store *s, int64_t grant, struct fact_replaced *out,
                         struct err *e) {
    struct rows r;
    struct fact_holding *holdings = NULL;
    size_t room = 0;
    char id[24];
    text_format(id, sizeof id, "g-%lld", (long long)grant);
    *out = (struct fact_replaced){.grant = keep_text(&g->memory, id)};
    int rc = rows_open(
        &r, s, e,
        "SELECT a.item, sum(a.balance), g.compute_gflops, (SELECT sum(b.balance) FROM account b WHERE "
        "b.pool = g.pool AND b.grant_id = g.id AND b.item IN ('storage', 'datalake') AND b.kind = "
        "a.kind), g.end_at FROM grants g JOIN account a ON a.pool = g.pool AND a.grant_id = g.id WHERE g.id "
        "= $1 "
        "AND g.state IN ('active', 'notice', 'grace') AND a.kind = 'held' AND a.balance > 0 GROUP BY "
        "a.item ORDER BY a.item",
        "i", grant);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        const char *item = rows_text(&r, 0);
        out->compute = gflops(rows_int(&r, 2));
        out->storage = bytes(rows_int(&r, 3));
        out->end = (struct maybe_instant){true, instant(rows_int(&r, 4))};
        rc = 0;
        if (strcmp(item, ITEM_STORAGE) == 0) continue;
        holdings = mem_grow(holdings, &room, out->n_holdings + 1, sizeof *holdings);
        holdings[out->n_holdings++] =
            (struct fact_holding){.item = keep_text(&g->memory, item), .held = rows_int(&r, 1)};
    }
    rows_close(&r);
    out->holdings = holdings ? keep_add(&g->memory, holdings) : NULL;
    return rc;
}

static int load_claim_parts(struct gathered *g, struct store *s, struct loading *l, struct err *e) {
    for (size_t i = 0; i < l->n; i++) {
        struct fact_claim *c = &l->claims[i];
        if (load_attrs(g, s, &g->claims[i], c, e) < 0 || load_seats(g, s, &g->claims[i], c, e) < 0) return -1;
        if (l->replaces[i] && load_replaced(g, s, l->replaces[i], &c->replaces, e) < 0) return -1;
    }
    return 0;
}

/* ---- whose they are ---- */

static int number_cmp(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Numbers of the claims' tenants, each once; and which of them each claim's is. */
static size_t tenants_of(struct gathered *g, struct loading *l) {
    size_t n = 0;
    g->tenants = keep_add(&g->memory, mem_alloc((l->n + 1) * sizeof *g->tenants));
    for (size_t i = 0; i < l->n; i++) g->tenants[i] = g->claims[i].tenant;
    qsort(g->tenants, l->n, sizeof *g->tenants, number_cmp);
    for (size_t i = 0; i < l->n; i++)
        if (n == 0 || g->tenants[n - 1] != g->tenants[i]) g->tenants[n++] = g->tenants[i];
    for (size_t i = 0; i < l->n; i++) {
        const int64_t *found = bsearch(&g->claims[i].tenant, g->tenants, n, sizeof *g->tenants, number_cmp);
        l->claims[i].tenant = (size_t)(found - g->tenants);
    }
    return n;
}

int gather(struct store *s, int64_t pool, instant_t now, const struct gather_want *want, struct gathered *out,
           struct err *e) {
    *out = (struct gathered){.facts = {.now = now}};
    struct loading l = {0};
    int rc = load_claims(out, &l, s, pool, want, e);
    if (rc == 0) rc = load_claim_parts(out, s, &l, e);
    size_t n = rc == 0 ? tenants_of(out, &l) : 0;
    if (rc == 0) rc = gather_load_tenants(out, s, pool, n, want->spent, e);
    if (rc == 0) rc = pool_load_facts(s, pool, &out->facts.pool, e);
    if (rc == 0 && l.n) rc = standing_promised(s, pool, out->tenants, n, &out->facts.pool.promised, e);
    if (rc == 0 && l.n && !want->alone) rc = gather_load_waiting(out, s, pool, want->waiting, e);
    if (rc == 0 && l.n) rc = gather_load_ends(out, s, pool, e);
    free(l.replaces);
    if (rc < 0) gathered_free(out);
    return rc;
}

int gather_tenants(struct store *s, int64_t pool, instant_t now, const int64_t *numbers, size_t n,
                   struct gathered *out, struct err *e) {
    *out = (struct gathered){.facts = {.now = now}};
    out->tenants = keep_add(&out->memory, mem_alloc((n + 1) * sizeof *out->tenants));
    memcpy(out->tenants, numbers, n * sizeof *numbers);
    int rc = gather_load_tenants(out, s, pool, n, false, e);
    if (rc == 0) rc = pool_load_facts(s, pool, &out->facts.pool, e);
    if (rc < 0) gathered_free(out);
    return rc;
}

int gather_trial(struct store *s, int64_t pool, instant_t now, int64_t tenant, const struct fact_claim *claim,
                 struct gathered *out, struct err *e) {
    *out = (struct gathered){.facts = {.now = now}};
    struct fact_claim *own = keep_add(&out->memory, mem_alloc(sizeof *own));
    *own = *claim;
    own->tenant = 0;
    own->submitted = now;
    out->tenants = keep_add(&out->memory, mem_alloc(sizeof *out->tenants));
    out->tenants[0] = tenant;
    out->facts.claims = own;
    out->facts.n_claims = 1;
    int rc = gather_load_tenants(out, s, pool, 1, true, e);
    if (rc == 0) rc = pool_load_facts(s, pool, &out->facts.pool, e);
    if (rc == 0) rc = standing_promised(s, pool, out->tenants, 1, &out->facts.pool.promised, e);
    if (rc == 0) rc = gather_load_ends(out, s, pool, e);
    if (rc < 0) gathered_free(out);
    return rc;
}

void gathered_free(struct gathered *g) {
    keep_end(&g->memory);
    pool_facts_free(&g->facts.pool);
    *g = (struct gathered){0};
}
