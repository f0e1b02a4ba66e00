/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/standing.h"

#include "alloc/gather.h"
#include "alloc/scope.h"
#include "alloc/supply.h"

#include <stdlib.h>

static int stale_list(struct book *b, int64_t policy, int64_t **numbers, size_t *n, struct err *e) {
    struct rows r;
    size_t room = 0;
    int rc = rows_open(&r, b->store, e,
                       "SELECT t.id FROM tenant t LEFT JOIN standing s ON s.pool = $1 AND s.tenant = t.id "
                       "WHERE t.state <> 'closed' "
                       "AND (s.tenant IS NULL OR s.policy <> $2 OR s.day <> $3) ORDER BY t.id",
                       "iii", b->pool, policy, civil_day(b->at));
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *numbers = mem_grow(*numbers, &room, *n + 1, sizeof **numbers);
        (*numbers)[(*n)++] = rows_int(&r, 0);
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int row_write(struct book *b, int64_t policy, int64_t tenant, const struct standing *s,
                     struct err *e) {
    return sql_do(b->store, e,
                  "INSERT INTO standing (pool, tenant, policy, day, eligible, tier, rule, rank, weight, "
                  "guarantee_gflops) VALUES "
                  "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (pool, tenant) DO UPDATE SET policy "
                  "= excluded.policy, "
                  "day = excluded.day, eligible = excluded.eligible, tier = excluded.tier, rule = "
                  "excluded.rule, rank = "
                  "excluded.rank, weight = excluded.weight, guarantee_gflops = excluded.guarantee_gflops",
                  "iiiiissiii", b->pool, tenant, policy, civil_day(b->at), (int64_t)s->eligible, s->tier,
                  s->rule, s->rank, s->weight, s->guarantee.n);
}

static int assess(struct book *b, const struct decider *decider, const struct policy *rules, int64_t policy,
                  const int64_t *numbers, size_t n, struct err *e) {
    struct gathered g;
    if (gather_tenants(b->store, b->pool, b->at, numbers, n, &g, e) < 0) return -1;
    struct standing *standings = mem_alloc(n * sizeof *standings);
    int rc = decider->assess(rules, &g.facts, standings, e);
    for (size_t i = 0; rc == 0 && i < n; i++) rc = row_write(b, policy, numbers[i], &standings[i], e);
    standings_free(standings, n);
    gathered_free(&g);
    return rc;
}

/* Asked with each decision, and mostly yes. 1 yes, 0 no, -1. */
static int is_fresh(struct book *b, int64_t policy, struct err *e) {
    int64_t fresh = 0;
    return sql_int(b->store, e, &fresh,
                   "SELECT 1 FROM pool WHERE id = $1 AND standing_policy = $2 AND standing_day = $3", "iii",
                   b->pool, policy, civil_day(b->at));
}

/* Every tenant has its row, of this policy and day, until one changes. */
static int mark_fresh(struct book *b, int64_t policy, struct err *e) {
    return sql_do(b->store, e, "UPDATE pool SET standing_policy = $2, standing_day = $3 WHERE id = $1", "iii",
                  b->pool, policy, civil_day(b->at));
}

int standing_refresh(struct book *b, const struct decider *decider, const struct policy *rules,
                     int64_t policy, struct err *e) {
    int64_t *numbers = NULL, other = 0;
    size_t n = 0;
    if (!decider->assess) return 0;
    int fresh = is_fresh(b, policy, e);
    if (fresh != 0) return fresh < 0 ? -1 : 0;
    int rc = sql_int(b->store, e, &other,
                     "SELECT 1 FROM standing WHERE pool = $1 AND (policy <> $2 OR day <> $3) LIMIT 1", "iii",
                     b->pool, policy, civil_day(b->at));
    if (rc >= 0) rc = stale_list(b, policy, &numbers, &n, e);
    if (rc == 0 && n) rc = assess(b, decider, rules, policy, numbers, n, e);
    if (rc == 0 && other) rc = supply_raise(b->store, b->pool, e);
    if (rc == 0) rc = mark_fresh(b, policy, e);
    free(numbers);
    return rc;
}

int standing_drop(struct store *s, int64_t tenant, struct err *e) {
    if (sql_do(s, e, "DELETE FROM standing WHERE pool IN (SELECT id FROM pool) AND tenant = $1", "i",
               tenant) < 0)
        return -1;
    return sql_do(s, e, "UPDATE pool SET standing_policy = NULL, supply = supply + 1", "");
}

static bool is_among(const int64_t *numbers, size_t n, int64_t wanted) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (numbers[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && numbers[low] == wanted;
}

/* Rows (tenant, compute) by tenant, read beside another list in the same order: a join would look up each. */
struct beside {
    struct rows rows;
    bool ended;
    int64_t tenant, compute;
};

static int beside_open(struct beside *l, struct store *s, const char *sql, int64_t pool, struct err *e) {
    *l = (struct beside){.tenant = INT64_MIN};
    return rows_open(&l->rows, s, e, sql, "i", pool);
}

/* What the list has of a tenant; tenants are asked in ascending order. */
static int beside_of(struct beside *l, int64_t tenant, int64_t *compute, struct err *e) {
    while (!l->ended && l->tenant < tenant) {
        int has = rows_next(&l->rows, e);
        if (has < 0) return -1;
        l->ended = has == 0;
        if (!l->ended) l->tenant = rows_int(&l->rows, 0), l->compute = rows_int(&l->rows, 1);
    }
    *compute = !l->ended && l->tenant == tenant ? l->compute : 0;
    return 0;
}

struct promises {
    struct rows rows; /* (tenant, guarantee) */
    struct beside held, offered;
};

static int promise_add(struct promises *p, struct fact_promised *out, struct err *e) {
    int64_t tenant = rows_int(&p->rows, 0), guarantee = rows_int(&p->rows, 1), held, offered;
    if (beside_of(&p->held, tenant, &held, e) < 0 || beside_of(&p->offered, tenant, &offered, e) < 0 ||
        gflops_add(out->guarantees, gflops(guarantee), &out->guarantees, e) < 0)
        return -1;
    if (held >= guarantee || offered >= guarantee - held) return 0;
    return gflops_add(out->unused, gflops(guarantee - held - offered), &out->unused, e);
}

int standing_promised(struct store *s, int64_t pool, const int64_t *claimants, size_t n,
                      struct fact_promised *out, struct err *e) {
    struct promises p = {0};
    *out = (struct fact_promised){0};
    int rc = rows_open(&p.rows, s, e,
                       "SELECT tenant, guarantee_gflops FROM standing WHERE pool = $1 AND guarantee_gflops > "
                       "0 ORDER BY tenant",
                       "i", pool);
    if (rc == 0)
        rc = beside_open(&p.held, s,
                         "SELECT owner, compute_gflops FROM ceiling WHERE pool = $1 AND scope = 'tenant' "
                         "ORDER BY owner",
                         pool, e);
    if (rc == 0)
        rc = beside_open(&p.offered, s,
                         "SELECT tenant, compute_gflops FROM offer WHERE pool = $1 ORDER BY tenant", pool, e);
    while (rc == 0 && (rc = rows_next(&p.rows, e)) == 1)
        rc = is_among(claimants, n, rows_int(&p.rows, 0)) ? 0 : promise_add(&p, out, e);
    rows_close(&p.offered.rows);
    rows_close(&p.held.rows);
    rows_close(&p.rows);
    return rc;
}

json_t *standing_show(struct store *s, int64_t tenant, struct err *e) {
    return sql_json(
        s, e,
        "SELECT p.name AS pool, s.tier, s.rule, s.weight, s.guarantee_gflops, s.eligible AS "
        "\"eligible@bool\", coalesce(c.credits, 0) AS credits FROM standing s JOIN pool p ON p.id = s.pool "
        "LEFT JOIN credit c ON c.pool = s.pool AND c.tenant = s.tenant WHERE s.tenant = $1 ORDER BY p.name",
        "i", tenant);
}
