/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/waiting.h"

#include <string.h>

wide_t waiting_asked(const struct fact_pool *pool, const char *flavor, int64_t units, int64_t compute) {
    wide_t rating = 0;
    for (size_t i = 0; flavor && i < pool->n_flavors; i++)
        if (strcmp(pool->flavors[i].name, flavor) == 0) rating = pool->flavors[i].rating.n;
    return compute + units * rating;
}

void waiting_add(struct waiting *w, const struct fact_pool *pool, const struct fact_claim *claim) {
    wide_t sum =
        w->compute.n + waiting_asked(pool, claim->flavor, claim->ask == ASK_UNITS ? claim->units.n : 0,
                                     claim->ask == ASK_COMPUTE ? claim->compute.n : 0);
    w->requests++;
    w->compute = gflops(sum > GFLOPS_MOST ? GFLOPS_MOST : (int64_t)sum);
}

int waiting_known(struct store *s, int64_t pool, int64_t supply, struct waiting *out, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e,
                  "SELECT requests, compute_gflops FROM waiting w WHERE pool = $1 AND supply = $2 AND NOT "
                  "EXISTS (SELECT 1 FROM entry e WHERE e.seq > w.seq AND e.kind <> 'request.submit')",
                  "ii", pool, supply);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1)
        *out = (struct waiting){rows_int(&r, 0), gflops(rows_int(&r, 1))};
    rows_close(&r);
    return rc;
}

/* Where nobody waits there is nothing to count. */
int waiting_keep(struct book *b, int64_t supply, const struct waiting *w, struct err *e) {
    if (w->requests == 0) return 0;
    return sql_do(
        b->store, e,
        "INSERT INTO waiting (pool, seq, supply, requests, compute_gflops) VALUES ($1, $2, $3, $4, $5) ON "
        "CONFLICT (pool) DO UPDATE SET seq = excluded.seq, supply = excluded.supply, requests = "
        "excluded.requests, compute_gflops = excluded.compute_gflops",
        "iiiii", b->pool, b->seq, supply, w->requests, w->compute.n);
}
