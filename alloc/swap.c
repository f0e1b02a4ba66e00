/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/swap.h"

#include "alloc/ceiling.h"
#include "alloc/facts.h"
#include "alloc/fault.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_live(const struct grant *g) {
    static const char *const words[] = {"active", "notice", "grace"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(g->state, words[i]) == 0) return true;
    return false;
}

int swap_check(struct book *b, int64_t tenant, int64_t request, int64_t grant, struct err *e) {
    struct grant g;
    int64_t other = 0;
    if (grant_find(b->store, grant, tenant, &g, e) < 0) {
        if (e->code != ERR_NOT_FOUND) return -1;
        /* The same words for one of another tenant: who asks may be a tenant too. */
        err_clear(e);
        err_set(e, ERR_NOT_FOUND, "the tenant has no grant g-%lld", (long long)grant);
        return err_hint(e, "a request replaces a live grant of its own tenant and pool");
    }
    int rc = 0;
    if (g.pool != b->pool)
        rc = err_set(e, ERR_CONFLICT, "g-%lld is a grant of pool %s: a request replaces one of its own pool",
                     (long long)grant, g.pool_name);
    else if (!is_live(&g))
        rc = err_set(e, ERR_CONFLICT, "grant g-%lld is %s: only a live one can be replaced", (long long)grant,
                     g.state);
    grant_free(&g);
    if (rc < 0) return -1;
    if (sql_int(
            b->store, e, &other,
            "SELECT id FROM request WHERE tenant = $1 AND replaces = $2 AND id <> $3 AND (state IN "
            "('queued', "
            "'held', 'returned') OR (state = 'granted' AND EXISTS (SELECT 1 FROM grants g WHERE g.tenant = "
            "request.tenant AND g.id = request.grant_id AND g.state = 'reserved'))) LIMIT 1",
            "iii", tenant, grant, request) < 0)
        return -1;
    if (other == 0) return 0;
    err_set(e, ERR_CONFLICT, "grant g-%lld is to be replaced by request r-%lld already", (long long)grant,
            (long long)other);
    return err_hint(e, "withdraw one of the two: allot request withdraw r-%lld", (long long)other);
}

/* ---- limits ---- */

struct going {
    gflops_t compute;
    bytes_t bytes;
};

static int going_load(struct book *b, int64_t grant, struct going *out, struct err *e) {
    struct rows r;
    *out = (struct going){0};
    int rc = rows_open(
        &r, b->store, e,
        "SELECT g.compute_gflops, (SELECT coalesce(sum(a.balance), 0) FROM account a WHERE a.pool = "
        "g.pool AND a.grant_id = g.id AND a.item IN ('storage', 'datalake')) FROM grants g WHERE g.id = $1",
        "i", grant);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = (struct going){gflops(rows_int(&r, 0)), bytes(rows_int(&r, 1))};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int item_of(struct book *b, int64_t grant, const char *item, int64_t *out, struct err *e) {
    *out = 0;
    return sql_int(b->store, e, out,
                   "SELECT sum(balance) FROM account WHERE pool = $1 AND grant_id = $2 AND item = $3", "iis",
                   b->pool, grant, item) < 0
               ? -1
               : 0;
}

int swap_limits(struct book *b, int64_t grant, const struct plan_limits *l, struct plan_limits *out,
                struct err *e) {
    struct going going;
    *out = *l;
    out->items = mem_alloc((l->n_items + 1) * sizeof *out->items);
    if (l->n_items) memcpy(out->items, l->items, l->n_items * sizeof *out->items);
    if (going_load(b, grant, &going, e) < 0 || gflops_add(l->compute, going.compute, &out->compute, e) < 0 ||
        gflops_add(l->organisation_compute, going.compute, &out->organisation_compute, e) < 0 ||
        bytes_add(l->storage, going.bytes, &out->storage, e) < 0 ||
        bytes_add(l->organisation_storage, going.bytes, &out->organisation_storage, e) < 0)
        return -1;
    for (size_t i = 0; i < l->n_items; i++) {
        int64_t more;
        struct plan_item_limit *m = &out->items[i];
        if (item_of(b, grant, m->item, &more, e) < 0 || amount_add(m->most, more, &m->most, m->item, e) < 0 ||
            amount_add(m->organisation, more, &m->organisation, m->item, e) < 0)
            return -1;
    }
    return 0;
}

void swap_limits_free(struct plan_limits *l) { free(l->items); }

/* The decision by which the newer grant of a swap was made. */
static int decision_of(struct book *b, int64_t tenant, int64_t grant, char **body, struct err *e) {
    return sql_text(
        b->store, e, body,
        "SELECT d.body FROM grants g JOIN request r ON r.tenant = g.tenant AND r.id = g.request JOIN "
        "decision "
        "d ON d.tenant = r.tenant AND d.id = r.decision WHERE g.tenant = $1 AND g.id = $2 AND d.outcome IN "
        "('granted', 'partial')",
        "ii", tenant, grant);
}

static int limits_restore(struct book *b, int64_t tenant, int64_t newer, struct err *e) {
    scoped_free char *body = NULL;
    struct decision d;
    int rc = decision_of(b, tenant, newer, &body, e);
    if (rc <= 0) return rc;
    scoped_json json_t *document = json_loads(body, 0, NULL);
    if (decision_decode(document, &d, e) < 0) return -1;
    rc = ceiling_add(b, tenant, (struct holding){gflops(0), bytes(0)}, &d.limits, e);
    if (rc == 0) rc = ceiling_items_set(b, tenant, &d.limits, e);
    decision_free(&d);
    return rc;
}

int swap_tighten(struct book *b, const struct grant *g, struct err *e) {
    int64_t newer = 0;
    int rc = sql_int(
        b->store, e, &newer,
        "SELECT max(id) FROM grants WHERE tenant = $1 AND (replaces = $2 OR (id = $2 AND replaces IS NOT "
        "NULL))",
        "ii", g->tenant, g->id);
    return rc <= 0 ? rc : limits_restore(b, g->tenant, newer, e);
}

/* ---- the end of the old one ---- */

static int record(struct book *b, const struct grant *old, const struct grant *new, struct err *e) {
    int64_t id, units_back = 0;
    if (store_next(b->store, "reclaim", &id, e) < 0 ||
        sql_int(b->store, e, &units_back,
                "SELECT sum(units) FROM operation WHERE tenant = $1 AND grant_id = $2 AND flavor IS NOT NULL "
                "AND observed <> "
                "'absent'",
                "ii", old->tenant, old->id) < 0)
        return -1;
    return sql_do(b->store, e,
                  "INSERT INTO reclaim (id, pool, tenant, grant_id, cause, units, compute_gflops, "
                  "for_request, evidence, "
                  "notice_s, appeal_s, sent_at, effect_at, state, closed_at, closed_by) VALUES ($1, $2, $3, "
                  "$4, 'swap', "
                  "$5, $6, $7, '{}', 0, 0, $8, $8, 'done', $8, $9)",
                  "iiiiiiiis", id, b->pool, old->tenant, old->id, units_back, old->compute.n, new->request,
                  b->at.s, b->actor);
}

int swap_finish(struct book *b, const struct grant *g, struct err *e) {
    int64_t replaced = 0;
    struct grant old;
    int rc = sql_int(b->store, e, &replaced,
                     "SELECT replaces FROM grants WHERE tenant = $1 AND id = $2 AND replaces IS NOT NULL",
                     "ii", g->tenant, g->id);
    if (rc <= 0) return rc;
    if (grant_find(b->store, replaced, g->tenant, &old, e) < 0) return -1;
    char why[64];
    text_format(why, sizeof why, "replaced by g-%lld", (long long)g->id);
    rc = 0;
    if (is_live(&old)) {
        rc = record(b, &old, g, e);
        if (rc == 0) rc = fault_point("swap.release", e);
        if (rc == 0) rc = grant_release(b, &old, why, e);
    }
    grant_free(&old);
    return rc < 0 ? -1 : swap_tighten(b, g, e);
}
