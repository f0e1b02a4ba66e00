/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/credit.h"

#include "alloc/scope.h"
#include "alloc/spent.h"
#include "alloc/text.h"

/* GFLOPS-seconds in a TFLOPS-day. */
#define TF_DAY ((wide_t)1000 * CLOCK_DAY)

int64_t credit_decayed(int64_t credits, int64_t seconds) {
    const int64_t half = CREDIT_HALF_DAYS * CLOCK_DAY;
    if (seconds <= 0) return credits;
    int64_t halvings = seconds / half, rest = seconds % half;
    if (halvings > 62) return 0;
    int64_t left = credits / (INT64_C(1) << halvings);
    return (int64_t)((wide_t)left * (2 * half - rest) / (2 * half));
}

int64_t credit_settled(int64_t credits, gflops_t entitlement, wide_t held, int64_t seconds) {
    if (seconds <= 0) return credits;
    wide_t now = (wide_t)credit_decayed(credits, seconds) + ((wide_t)entitlement.n * seconds - held) / TF_DAY;
    return now > CREDITS_MOST ? CREDITS_MOST : now < -CREDITS_MOST ? -CREDITS_MOST : (int64_t)now;
}

/* capacity x weight / weights, at most the ceiling. 1 known, 0 the tenant has no standing, -1 */
static int entitlement_of(struct book *b, int64_t tenant, gflops_t *out, struct err *e) {
    int64_t weight = 0, weights = 0, capacity = 0, ceiling;
    int rc = sql_int(b->store, e, &weight,
                     "SELECT weight FROM standing WHERE pool = $1 AND tenant = $2 AND eligible = 1", "ii",
                     b->pool, tenant);
    if (rc <= 0) return rc;
    if (sql_int(b->store, e, &weights, "SELECT sum(weight) FROM standing WHERE pool = $1 AND eligible = 1",
                "i", b->pool) < 0 ||
        sql_int(b->store, e, &capacity,
                "SELECT sum(-a.balance * f.rating_gflops) FROM flavor f JOIN account a ON a.pool = f.pool "
                "AND a.item = "
                "'unit/' || f.name AND a.kind = 'world' AND a.grant_id = 0 WHERE f.pool = $1",
                "i", b->pool) < 0)
        return -1;
    *out = gflops((int64_t)((wide_t)capacity * weight / (weights > 0 ? weights : 1)));
    rc = sql_int(
        b->store, e, &ceiling,
        "SELECT compute_limit_gflops FROM ceiling WHERE pool = $1 AND scope = 'tenant' AND owner = $2", "ii",
        b->pool, tenant);
    if (rc == 1) *out = gflops_min(*out, gflops(ceiling));
    return rc < 0 ? -1 : 1;
}

static int write(struct book *b, const struct grant *g, int64_t before, int64_t after, struct err *e) {
    char words[96];
    if (sql_do(b->store, e,
               "INSERT INTO credit (pool, tenant, credits, at) VALUES ($1, $2, $3, $4) ON CONFLICT (pool, "
               "tenant) DO "
               "UPDATE SET credits = excluded.credits, at = excluded.at",
               "iiii", b->pool, g->tenant, after, b->at.s) < 0)
        return -1;
    text_format(words, sizeof words, "credits %lld -> %lld TF-days", (long long)before, (long long)after);
    return book_write(b,
                      &(struct entry){.kind = "credit.settle",
                                      .tenant = g->tenant,
                                      .request = g->request,
                                      .grant = g->id,
                                      .detail = words},
                      e);
}

int credit_settle(struct book *b, const struct grant *g, struct err *e) {
    int64_t credits = 0, at = g->start.s;
    gflops_t entitlement;
    wide_t held;
    int rc = g->compute.n > 0 ? entitlement_of(b, g->tenant, &entitlement, e) : 0;
    if (rc <= 0) return rc;
    if (sql_int(b->store, e, &credits, "SELECT credits FROM credit WHERE pool = $1 AND tenant = $2", "ii",
                b->pool, g->tenant) < 0 ||
        sql_int(b->store, e, &at, "SELECT at FROM credit WHERE pool = $1 AND tenant = $2", "ii", b->pool,
                g->tenant) < 0 ||
        spent_compute(b->store, b->pool, g->tenant, instant(at), b->at, &held, e) < 0)
        return -1;
    return write(b, g, credits, credit_settled(credits, entitlement, held, b->at.s - at), e);
}
