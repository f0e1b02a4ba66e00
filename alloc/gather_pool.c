/* SPDX-License-Identifier: Apache-2.0 */
/* Of the pool: what waits beside the claims of a plan, and when what they lack comes back. */
#include "alloc/gather.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

enum { ENDS_READ = 256, ENDS_KEPT = 64 };

/* Everybody who is queued, less those who are planned now. */
static int count_waiting(struct gathered *g, struct store *s, int64_t pool, struct err *e) {
    struct fact_pool *p = &g->facts.pool;
    struct rows r;
    wide_t compute = 0;
    int64_t n = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT flavor, count(*), sum(units), sum(compute_gflops) FROM request WHERE pool = $1 AND state "
        "= 'queued' AND call IS NULL GROUP BY flavor",
        "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        n += rows_int(&r, 1);
        compute += waiting_asked(p, rows_text(&r, 0), rows_int(&r, 2), rows_int(&r, 3));
        rc = 0;
    }
    rows_close(&r);
    for (size_t i = 0; i < g->facts.n_claims; i++) {
        const struct fact_claim *c = &g->facts.claims[i];
        compute -= waiting_asked(p, c->flavor, c->ask == ASK_UNITS ? c->units.n : 0,
                                 c->ask == ASK_COMPUTE ? c->compute.n : 0);
    }
    p->waiting = n - (int64_t)g->facts.n_claims;
    p->waiting_compute = gflops(compute > GFLOPS_MOST ? GFLOPS_MOST : compute > 0 ? (int64_t)compute : 0);
    return rc;
}

int gather_load_waiting(struct gathered *g, struct store *s, int64_t pool, const struct waiting *known,
                        struct err *e) {
    if (!known) return count_waiting(g, s, pool, e);
    g->facts.pool.waiting = known->requests;
    g->facts.pool.waiting_compute = known->compute;
    return 0;
}

static int end_cmp(const void *a, const void *b) {
    const struct fact_end *x = a, *y = b;
    if (x->at.s != y->at.s) return x->at.s < y->at.s ? -1 : 1;
    int order = claim_id_cmp(x->grant, y->grant);
    return order ? order : strcmp(x->flavor, y->flavor);
}

struct ends {
    struct fact_end *of;
    size_t n, room;
};

/* The next ends of one flavor, until they bring what is missing. */
static int load_flavor_ends(struct gathered *g, struct store *s, int64_t pool, const struct fact_flavor *v,
                            int64_t missing, struct ends *out, struct err *e) {
    struct rows r;
    size_t first = out->n, kept = 0;
    int64_t back = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT 'g-' || g.id, l.units, g.end_at + g.grace_s FROM grants g JOIN grant_line l ON l.tenant "
        "= g.tenant AND l.grant_id = g.id AND l.flavor = $2 WHERE g.pool = $1 AND g.state IN "
        "('reserved', 'active', 'notice', 'grace') AND l.units > 0 ORDER BY g.end_at LIMIT $3",
        "isi", pool, v->name, (int64_t)ENDS_READ);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        out->of = mem_grow(out->of, &out->room, out->n + 1, sizeof *out->of);
        int64_t at = rows_int(&r, 2), now = g->facts.now.s;
        out->of[out->n++] = (struct fact_end){.at = instant(at > now ? at : now),
                                              .grant = keep_text(&g->memory, rows_text(&r, 0)),
                                              .flavor = v->name,
                                              .units = units(rows_int(&r, 1))};
        rc = 0;
    }
    rows_close(&r);
    if (out->n > first) qsort(out->of + first, out->n - first, sizeof *out->of, end_cmp);
    for (; kept < out->n - first && kept < ENDS_KEPT && back < missing; kept++)
        back += out->of[first + kept].units.n;
    out->n = first + kept;
    return rc;
}

int gather_load_ends(struct gathered *g, struct store *s, int64_t pool, struct err *e) {
    struct fact_pool *p = &g->facts.pool;
    struct ends ends = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->n_flavors; i++) {
        const struct fact_flavor *v = &p->flavors[i];
        int64_t missing = facts_most_wanted(&g->facts, v) - (v->free.n > 0 ? v->free.n : 0);
        if (missing > 0) rc = load_flavor_ends(g, s, pool, v, missing, &ends, e);
    }
    if (ends.of) {
        keep_add(&g->memory, ends.of);
        qsort(ends.of, ends.n, sizeof *ends.of, end_cmp);
    }
    p->ends = ends.of;
    p->n_ends = ends.n;
    return rc;
}
