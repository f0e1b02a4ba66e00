/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/explain.h"

#include "alloc/facts.h"
#include "alloc/gather.h"
#include "alloc/offer.h"
#include "alloc/pool.h"
#include "alloc/reclaim.h"
#include "alloc/tenant.h"
#include "alloc/version.h"
#include "cmd/serve.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

/* One tenant in one pool. */
struct looking {
    struct store *store;
    int64_t tenant, pool;
    instant_t now;
    enum explain_to to;
    struct policy *policy; /* that decides now; NULL: none is valid */
    json_t *out;           /* of the pool */
};

static void put(json_t *object, const char *key, int64_t n) {
    json_object_set_new(object, key, json_integer(n));
}

static int64_t above(int64_t held, int64_t limit) { return held > limit ? held - limit : 0; }

/* ---- what it has, what it is promised, what it would get now ---- */

static void put_held(json_t *out, const struct fact_tenant *t) {
    json_t *held = json_object(), *items = json_object();
    put(held, "compute_gflops", t->held_compute.n);
    put(held, "storage_bytes", t->held_storage.n);
    put(held, "organisation_gflops", t->organisation_compute.n);
    put(held, "organisation_bytes", t->organisation_storage.n);
    for (size_t i = 0; i < t->n_holdings; i++)
        if (t->holdings[i].held) put(items, t->holdings[i].item, t->holdings[i].held);
    json_object_set_new(held, "items", items);
    json_object_set_new(out, "held", held);
}

/* More than a ceiling allows, because it was lowered: nothing new until it is paid back. */
static void put_debt(json_t *out, const struct fact_tenant *t, const struct plan_limits *l) {
    json_t *debt = json_object();
    put(debt, "compute_gflops", l->has_compute ? above(t->held_compute.n, l->compute.n) : 0);
    put(debt, "storage_bytes", l->has_storage ? above(t->held_storage.n, l->storage.n) : 0);
    json_object_set_new(out, "debt", debt);
}

static void put_standing(struct looking *l, const struct decision *d, const struct standing *today) {
    const struct plan_standing *s = &d->standing;
    json_t *standing = json_object();
    struct text place = {0};
    if (s->tier) json_object_set_new(standing, "tier", json_string(s->tier));
    if (s->rule) json_object_set_new(standing, "rule", json_string(s->rule));
    if (s->rule && policy_rule_place(l->policy, s->rule, &place))
        json_object_set_new(standing, "place", json_string(place.s));
    text_free(&place);
    json_object_set_new(standing, "eligible", json_boolean(today->eligible));
    put(standing, "rank", s->rank);
    put(standing, "weight", s->weight);
    put(standing, "guarantee_gflops", s->guarantee.n);
    put(standing, "guarantee_stated_gflops", today->guarantee.n);
    put(standing, "capacity_gflops", s->capacity_gflops);
    put(standing, "credits", s->credits);
    json_object_set_new(l->out, "standing", standing);
}

/* Given, or what could be had instead now. */
static gflops_t would_get(const struct decision *d) {
    bool gives = d->outcome == OUTCOME_GRANT || d->outcome == OUTCOME_PARTIAL;
    return gives ? d->compute : d->outcome == OUTCOME_QUEUE && d->offer.has ? d->offer.compute : gflops(0);
}

static void put_now(struct looking *l, const struct decision *d) {
    json_t *encoded = decision_encode(d), *now = json_object();
    static const char *const keys[] = {"outcome", "reasons"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_set(now, keys[i], json_object_get(encoded, keys[i]));
    put(now, "compute_gflops", would_get(d).n);
    json_object_set_new(l->out, "now", now);
    json_object_set(l->out, "limits", json_object_get(encoded, "limits"));
    json_decref(encoded);
}

/* Everything that the pool has, and any part of it from the smallest server on. */
static struct fact_claim everything(const struct fact_pool *pool) {
    int64_t most = 0, least = 0;
    for (size_t i = 0; i < pool->n_flavors; i++) {
        const struct fact_flavor *f = &pool->flavors[i];
        if (f->unrated || f->n_sizes == 0) continue;
        int64_t smallest = f->sizes[0] * f->rating.n;
        most += f->capacity.n * f->rating.n;
        if (least == 0 || smallest < least) least = smallest;
    }
    return (struct fact_claim){.id = "r-0",
                               .ask = most ? ASK_COMPUTE : ASK_NONE,
                               .compute = gflops(most),
                               .has_minimum = most > 0,
                               .minimum_compute = gflops(least),
                               .storage = most ? bytes(0) : pool->granule};
}

static int decide_trial(struct looking *l, const struct gathered *g, struct err *e) {
    struct plan plan = {0};
    struct standing *today = mem_alloc(sizeof *today);
    int rc = policy_decider.plan(l->policy, &g->facts, &plan, e);
    if (rc == 0) rc = policy_decider.assess(l->policy, &g->facts, today, e);
    if (rc == 0) {
        put_standing(l, &plan.decisions[0], today);
        put_debt(l->out, &g->facts.tenants[0], &plan.decisions[0].limits);
        put_now(l, &plan.decisions[0]);
    }
    standings_free(today, 1);
    plan_free(&plan);
    return rc;
}

static int look_now(struct looking *l, struct err *e) {
    struct fact_pool pool = {0};
    struct gathered g;
    if (pool_load_facts(l->store, l->pool, &pool, e) < 0) return -1;
    struct fact_claim claim = everything(&pool);
    int rc = gather_trial(l->store, l->pool, l->now, l->tenant, &claim, &g, e);
    if (rc == 0) {
        put_held(l->out, &g.facts.tenants[0]);
        if (l->policy) rc = decide_trial(l, &g, e);
        gathered_free(&g);
    }
    pool_facts_free(&pool);
    return rc;
}

/* ---- what waits, what is offered, what is announced ---- */

static int put_request(struct looking *l, json_t *row, struct err *e) {
    int64_t id = json_integer_value(json_object_get(row, "id"));
    json_t *decision = json_incref(json_object_get(row, "body"));
    json_t *offer = offer_show(l->store, id, e), *earliest = json_object_get(decision, "earliest");
    int64_t position = json_integer_value(json_object_get(decision, "position"));
    json_object_del(row, "id");
    json_object_del(row, "body");
    if (offer) json_object_set_new(row, "offer", offer);
    if (position > 0) {
        put(row, "position", position);
        put(row, "ahead_requests", position - 1);
        json_object_set(row, "ahead_gflops", json_object_get(decision, "ahead_gflops"));
    }
    if (earliest) {
        json_object_set(row, "earliest", json_object_get(earliest, "at"));
        if (l->to == EXPLAIN_TO_OPERATOR) {
            json_object_set(row, "earliest_grant", json_object_get(earliest, "grant"));
            if (json_object_get(earliest, "notice"))
                json_object_set(row, "earliest_notice", json_object_get(earliest, "notice"));
        }
    }
    if (json_object_get(decision, "is_barrier"))
        json_object_set(row, "is_barrier", json_object_get(decision, "is_barrier"));
    json_object_set(row, "reasons", json_object_get(decision, "reasons"));
    json_decref(decision);
    return offer ? 0 : -1;
}

static int look_waiting(struct looking *l, struct err *e) {
    json_t *rows = sql_json(
        l->store, e,
        "SELECT r.id, 'r-' || r.id AS request, CASE WHEN d.id IS NOT NULL THEN 'd-' || d.id END AS decision, "
        "r.state, c.name AS call, r.submitted_at AS \"submitted@time\", d.body AS \"body@json\" FROM request "
        "r "
        "LEFT JOIN decision d ON d.id = r.decision LEFT JOIN call c ON c.id = r.call WHERE r.tenant = $1 AND "
        "r.pool = $2 AND r.state IN ('queued', 'held', 'returned') ORDER BY r.id",
        "ii", l->tenant, l->pool);
    if (!rows) return -1;
    json_object_set_new(l->out, "waiting", rows);
    size_t i;
    json_t *row;
    int64_t offered = 0;
    json_array_foreach(rows, i, row) {
        if (put_request(l, row, e) < 0) return -1;
        offered += json_integer_value(json_object_get(json_object_get(row, "offer"), "compute_gflops"));
    }
    put(json_object_get(l->out, "held"), "offered_gflops", offered);
    return 0;
}

static int look_announced(struct looking *l, struct err *e) {
    struct reclaim_filter f = {.tenant = l->tenant, .pool = l->pool};
    json_t *notices = reclaim_list(l->store, &f, e);
    if (!notices) return -1;
    json_object_set_new(l->out, "notices", notices);
    size_t i;
    json_t *row;
    if (l->to == EXPLAIN_TO_TENANT) json_array_foreach(notices, i, row) serve_notice_view(row);
    json_t *agreements = sql_json(
        l->store, e,
        "SELECT 'g-' || id AS \"grant\", start_at AS \"since@time\" FROM grants WHERE tenant = $1 AND "
        "pool = $2 AND needs_agreement = 1 AND agreed_at IS NULL AND state = 'reserved' ORDER BY id",
        "ii", l->tenant, l->pool);
    return agreements ? json_object_set_new(l->out, "agreements", agreements) : -1;
}

/* ---- all pools ---- */

static int look_pool(struct looking *l, struct err *e) {
    int64_t version = 0;
    struct hash hash;
    scoped_free char *stored = NULL;
    int has = version_active(l->store, l->pool, l->now, &version, &hash, &stored, e);
    if (has < 0) return -1;
    l->policy = NULL;
    if (has && !(l->policy = policy_decider.open(stored, e))) return err_context(e, "the active policy");
    if (l->policy)
        json_object_set_new(
            l->out, "policy",
            json_sprintf("%s version %lld", policy_name(l->policy), (long long)policy_version(l->policy)));
    int rc = look_now(l, e);
    if (l->policy) policy_decider.close(l->policy);
    return rc < 0 || look_waiting(l, e) < 0 ? -1 : look_announced(l, e);
}

json_t *explain_tenant_json(struct store *s, int64_t tenant, instant_t now, enum explain_to to,
                            struct err *e) {
    struct tenant_row row;
    if (tenant_get(s, tenant, &row, e) < 0) return NULL;
    scoped_json json_t *pools =
        sql_json(s, e, "SELECT id, name AS pool, basis, state FROM pool WHERE id > 0 ORDER BY name", "");
    if (!pools) return NULL;
    json_t *out = json_pack("{s:s, s:s, s:O}", "tenant", row.name, "state", tenant_state_words[row.state],
                            "pools", pools);
    size_t i;
    json_t *pool;
    json_array_foreach(pools, i, pool) {
        struct looking l = {s, tenant, json_integer_value(json_object_get(pool, "id")), now, to, NULL, pool};
        json_object_del(pool, "id");
        if (look_pool(&l, e) == 0) continue;
        json_decref(out);
        return NULL;
    }
    return out;
}
