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
    if (!order) order = strcmp(x->flavor, y->flavor);
    return order ? order : strcmp(x->notice ? x->notice : "", y->notice ? y->notice : "");
}

struct ends {
    struct fact_end *of;
    size_t n, room;
};

static const struct fact_flavor *flavor_of(const struct fact_pool *p, const char *name) {
    for (size_t i = 0; name && i < p->n_flavors; i++)
        if (strcmp(p->flavors[i].name, name) == 0) return &p->flavors[i];
    return NULL;
}

static void ends_add(struct ends *all, struct fact_end end) {
    all->of = mem_grow(all->of, &all->room, all->n + 1, sizeof *all->of);
    all->of[all->n++] = end;
}

/* What is under notice comes back when that takes effect: not before it has stood for its time since it was
   delivered, which for one that is not delivered begins now at the earliest. An appeal has no date. */
static int load_notices(struct gathered *g, struct store *s, int64_t pool, struct ends *out, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT 'n-' || c.id, 'g-' || c.grant_id, c.flavor, c.units, c.effect_at, coalesce(m.delivered_at, "
        "$2) + c.notice_s, g.end_at + g.grace_s FROM reclaim c JOIN grants g ON g.id = c.grant_id AND "
        "g.tenant = c.tenant LEFT JOIN outbox m ON m.id = c.message WHERE c.pool = $1 AND c.state = "
        "'noticed' AND c.units > 0 ORDER BY c.id",
        "ii", pool, g->facts.now.s);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        int64_t at = rows_int(&r, 4), told = rows_int(&r, 5), now = g->facts.now.s;
        const struct fact_flavor *v = flavor_of(&g->facts.pool, rows_text(&r, 2));
        rc = 0;
        if (at < told) at = told;
        if (at < now) at = now;
        if (!v || at >= rows_int(&r, 6)) continue; /* the lease ends before */
        ends_add(out, (struct fact_end){.at = instant(at),
                                        .grant = keep_text(&g->memory, rows_text(&r, 1)),
                                        .flavor = v->name,
                                        .units = units(rows_int(&r, 3)),
                                        .notice = keep_text(&g->memory, rows_text(&r, 0))});
    }
    rows_close(&r);
    return rc;
}

/* Units of a grant that a notice takes before its lease ends. */
static int64_t under_notice(const struct ends *notices, const char *grant, const char *flavor) {
    int64_t n = 0;
    for (size_t i = 0; i < notices->n; i++)
        if (notices->of[i].flavor == flavor && strcmp(notices->of[i].grant, grant) == 0)
            n += notices->of[i].units.n;
    return n;
}

/* The next ends of one flavor, until they bring what is missing. */
static int load_flavor_ends(struct gathered *g, struct store *s, int64_t pool, const struct fact_flavor *v,
                            int64_t missing, const struct ends *notices, struct ends *out, struct err *e) {
    struct rows r;
    size_t first = out->n, kept = 0;
    int64_t back = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT 'g-' || g.id, l.units, g.end_at + g.grace_s FROM grants g JOIN grant_line l ON l.tenant "
        "= g.tenant AND l.grant_id = g.id AND l.flavor = $2 WHERE g.pool = $1 AND g.state IN "
        "('reserved', 'active', 'notice', 'grace') AND l.units > 0 ORDER BY g.end_at LIMIT $3",
        "isi", pool, v->name, (int64_t)ENDS_READ);
    for (size_t i = 0; i < notices->n; i++)
        if (notices->of[i].flavor == v->name) ends_add(out, notices->of[i]);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        int64_t at = rows_int(&r, 2), now = g->facts.now.s,
                n = rows_int(&r, 1) - under_notice(notices, rows_text(&r, 0), v->name);
        rc = 0;
        if (n <= 0) continue;
        ends_add(out, (struct fact_end){.at = instant(at > now ? at : now),
                                        .grant = keep_text(&g->memory, rows_text(&r, 0)),
                                        .flavor = v->name,
                                        .units = units(n)});
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
    struct ends ends = {0}, notices = {0};
    bool asked = false;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->n_flavors; i++) {
        const struct fact_flavor *v = &p->flavors[i];
        int64_t missing = facts_most_wanted(&g->facts, v) - (v->free.n > 0 ? v->free.n : 0);
        if (missing <= 0) continue;
        if (!asked) rc = load_notices(g, s, pool, &notices, e);
        asked = true;
        if (rc == 0) rc = load_flavor_ends(g, s, pool, v, missing, &notices, &ends, e);
    }
    free(notices.of);
    if (ends.of) {
        keep_add(&g->memory, ends.of);
        qsort(ends.of, ends.n, sizeof *ends.of, end_cmp);
    }
    p->ends = ends.of;
    p->n_ends = ends.n;
    return rc;
}
