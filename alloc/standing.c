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

int standing_refresh(struct book *b, const struct decider *decider, const struct policy *rules,
                     int64_t policy, struct err *e) {
    int64_t *numbers = NULL, other = 0;
    size_t n = 0;
    if (!decider->assess) return 0;
    int rc = sql_int(b->store, e, &other,
                     "SELECT 1 FROM standing WHERE pool = $1 AND (policy <> $2 OR day <> $3) LIMIT 1", "iii",
                     b->pool, policy, civil_day(b->at));
    if (rc >= 0) rc = stale_list(b, policy, &numbers, &n, e);
    if (rc == 0 && n) rc = assess(b, decider, rules, policy, numbers, n, e);
    if (rc == 0 && other) rc = supply_raise(b->store, b->pool, e);
    free(numbers);
    return rc;
}

int standing_drop(struct store *s, int64_t tenant, struct err *e) {
    if (sql_do(s, e, "DELETE FROM standing WHERE tenant = $1", "i", tenant) < 0) return -1;
    return supply_raise(s, 0, e);
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

int standing_promised(struct store *s, int64_t pool, const int64_t *claimants, size_t n,
                      struct fact_promised *out, struct err *e) {
    struct rows r;
    *out = (struct fact_promised){0};
    int rc = rows_open(
        &r, s, e,
        "SELECT s.tenant, s.guarantee_gflops, s.guarantee_gflops - coalesce(c.compute_gflops, 0) - "
        "coalesce(o.compute_gflops, 0) FROM standing s LEFT JOIN ceiling c ON c.pool = s.pool AND "
        "c.scope = 'tenant' AND c.owner = s.tenant LEFT JOIN offer o ON o.pool = s.pool AND o.tenant = "
        "s.tenant WHERE s.pool = $1 AND s.guarantee_gflops > 0",
        "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = 0;
        if (is_among(claimants, n, rows_int(&r, 0))) continue;
        int64_t unused = rows_int(&r, 2);
        if (gflops_add(out->guarantees, gflops(rows_int(&r, 1)), &out->guarantees, e) < 0 ||
            gflops_add(out->unused, gflops(unused > 0 ? unused : 0), &out->unused, e) < 0)
            rc = -1;
    }
    rows_close(&r);
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
