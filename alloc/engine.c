/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/engine.h"

#include "alloc/call_award.h"
#include "alloc/engine_parts.h"
#include "alloc/offer.h"
#include "alloc/offer_grow.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/supply.h"
#include "alloc/version.h"

#include <stdlib.h>
#include <string.h>

void engine_results_free(struct engine_results *r) {
    for (size_t i = 0; i < r->n; i++) json_decref(r->of[i].decision);
    free(r->of);
    *r = (struct engine_results){0};
}

static int by_number(const void *a, const void *b) {
    int64_t x = ((const struct engine_result *)a)->request, y = ((const struct engine_result *)b)->request;
    return (x > y) - (x < y);
}

void engine_results_sort(struct engine_results *r) {
    if (r && r->n) qsort(r->of, r->n, sizeof *r->of, by_number);
}

static int by_request(const void *key, const void *member) {
    int64_t a = *(const int64_t *)key, b = ((const struct engine_result *)member)->request;
    return (a > b) - (a < b);
}

const struct engine_result *engine_result_of(const struct engine_results *r, int64_t request) {
    return r->n ? bsearch(&request, r->of, r->n, sizeof *r->of, by_request) : NULL;
}

/* Without a policy that is valid now nobody can be decided: everyone is held, with that reason. */
void engine_hold_all(const struct facts *f, struct plan *out) {
    out->decisions = mem_alloc(f->n_claims * sizeof *out->decisions);
    out->n_decisions = f->n_claims;
    for (size_t i = 0; i < f->n_claims; i++) {
        struct decision *d = &out->decisions[i];
        d->claim = mem_copy(f->claims[i].id);
        d->outcome = OUTCOME_HOLD;
        d->reasons = mem_alloc(sizeof *d->reasons);
        d->n_reasons = 1;
        d->reasons[0] =
            (struct reason){.code = REASON_NO_POLICY,
                            .en = mem_copy("no policy is valid for this pool now"),
                            .ko = mem_copy("지금 이 자원 풀에 유효한 정책이 없습니다"),
                            .hint_en = mem_copy("an administrator loads one: allot policy load FILE"),
                            .hint_ko = mem_copy("관리자가 정책을 적재해야 합니다: allot policy load FILE"),
                            .decisive = true};
    }
}

int engine_rules_open(struct applying *a, struct err *e) {
    scoped_free char *stored = NULL;
    struct book *b = a->book;
    int has = version_active(b->store, b->pool, b->at, &a->policy, &b->policy, &stored, e);
    if (has < 0) return -1;
    if (has == 0) return 0;
    a->rules = a->decider->open(stored, e);
    if (!a->rules) return err_context(e, "the active policy");
    return standing_refresh(b, a->decider, a->rules, a->policy, e);
}

void engine_rules_close(struct applying *a) {
    if (a->rules) a->decider->close(a->rules);
    a->rules = NULL;
}

static bool rules_need(const struct applying *a, enum policy_needs what) {
    return a->rules && (!a->decider->needs || (a->decider->needs(a->rules) & what) != 0);
}

static int plan_all(struct applying *a, struct plan *plan, struct err *e) {
    if (!a->rules) {
        engine_hold_all(&a->gathered.facts, plan);
        return 0;
    }
    int rc = a->decider->plan(a->rules, &a->gathered.facts, plan, e);
    if (rc == 0 && plan->n_decisions != a->gathered.facts.n_claims)
        rc = err_set(e, ERR_FAILED, "the policy decided %zu of %zu requests", plan->n_decisions,
                     a->gathered.facts.n_claims);
    return rc < 0 ? -1 : decider_verify(a->decider, a->rules, &a->gathered.facts, plan, e);
}

/* What was held because the policy, a fact or a project was missing is tried again with the rest. */
static int try_held_again(struct book *b, struct err *e) {
    return sql_do(
        b->store, e,
        "UPDATE request SET state = 'queued', planned_supply = NULL WHERE state = 'held' AND pool "
        "= $1 AND ((call IS NULL AND note IN ('NO_POLICY', 'EVAL_ERROR')) OR (note = 'NO_PROJECT' AND "
        "EXISTS (SELECT 1 FROM host h WHERE h.pool = $1 AND h.state = 'active' AND (h.tenant = "
        "request.tenant OR h.tenant IS NULL))))",
        "i", b->pool);
}

static int by_position(const void *a, const void *b) {
    const struct decision *x = *(const struct decision *const *)a, *y = *(const struct decision *const *)b;
    return (x->position > y->position) - (x->position < y->position);
}

/* After all grants of the plan: what those that wait could have is set aside for them, first in the queue
 * first. */
static int make_offers(struct applying *a, const struct plan *plan, struct err *e) {
    scoped_free const struct decision **order = mem_alloc(plan->n_decisions * sizeof *order);
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < plan->n_decisions; i++)
        if (plan->decisions[i].outcome == OUTCOME_QUEUE && plan->decisions[i].offer.has)
            order[n++] = &plan->decisions[i];
    qsort(order, n, sizeof *order, by_position);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        size_t k = (size_t)(order[i] - plan->decisions);
        const struct gathered_claim *c = &a->gathered.claims[k];
        rc = offer_make(a->book, &a->placer, &a->gathered.facts.claims[k], c->tenant, c->request, c->exact,
                        order[i], NULL, e);
    }
    return rc;
}

/* ---- offers that grow ---- */

/* Offers out of the way for a trial (alloc/offer_grow.h). */
struct growing {
    struct applying *a;
    const struct gather_want *want;
    int64_t *requests; /* ascending */
    json_t **lifted;   /* as it was; NULL: not lifted */
    size_t n;
};

static int grow_lift(void *arg, size_t i, struct err *e) {
    struct growing *g = arg;
    g->lifted[i] = offer_lift(g->a->book, g->requests[i], e);
    return g->lifted[i] ? 0 : -1;
}

static int grow_put_back(void *arg, size_t i, struct err *e) {
    struct growing *g = arg;
    int rc = offer_put_back(g->a->book, g->lifted[i], e);
    json_decref(g->lifted[i]);
    g->lifted[i] = NULL;
    return rc;
}

static int number_cmp(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Whom the plan would give something, if there is room for it. */
static int given_of(struct growing *g, const struct plan *plan, bool *given, struct err *e) {
    struct applying *a = g->a;
    int rc = 0;
    placer_open(&a->placer, a->book->store, a->book->pool);
    for (size_t i = 0; rc >= 0 && i < plan->n_decisions; i++) {
        const struct gathered_claim *c = &a->gathered.claims[i];
        struct placed placed = {0};
        size_t line;
        if (!engine_gives(&plan->decisions[i])) continue;
        rc = engine_find_room(a, c, &plan->decisions[i], &placed, &line, e);
        const int64_t *found = bsearch(&c->request, g->requests, g->n, sizeof c->request, number_cmp);
        if (rc == 1 && found) given[found - g->requests] = true;
        placed_free(&placed);
    }
    placer_close(&a->placer);
    return rc < 0 ? -1 : 0;
}

static int grow_plan(void *arg, bool *given, struct err *e) {
    struct growing *g = arg;
    struct applying *a = g->a;
    struct plan plan = {0};
    if (gather(a->book->store, a->book->pool, a->book->at, g->want, &a->gathered, e) < 0) return -1;
    int rc = plan_all(a, &plan, e);
    if (rc == 0) rc = given_of(g, &plan, given, e);
    plan_free(&plan);
    gathered_free(&a->gathered);
    return rc;
}

/* One that waits with an offer is not planned with the others. What came free since may be what it waited
   for: its offer ends where it would be given that now, and it keeps its place before those behind it. */
static int offers_grow(struct applying *a, const struct gather_want *want, struct err *e) {
    if (!a->rules) return 0;
    scoped_json json_t *rows = offers_that_may_grow(a->book, e);
    if (!rows) return -1;
    struct growing g = {.a = a, .want = want, .n = json_array_size(rows)};
    const struct offer_trial by = {&g, grow_lift, grow_put_back, grow_plan};
    g.requests = mem_alloc((g.n + 1) * sizeof *g.requests);
    g.lifted = mem_alloc((g.n + 1) * sizeof *g.lifted);
    bool *outgrown = mem_alloc((g.n + 1) * sizeof *outgrown);
    for (size_t i = 0; i < g.n; i++)
        g.requests[i] = json_integer_value(json_object_get(json_array_get(rows, i), "request"));
    int rc = g.n ? offer_grow(&by, g.n, outgrown, e) : 0;
    for (size_t i = 0; i < g.n; i++) {
        if (rc == 0 && outgrown[i]) rc = offer_outgrown(a->book, g.lifted[i], e);
        json_decref(g.lifted[i]);
    }
    free(outgrown);
    free(g.lifted);
    free(g.requests);
    return rc;
}

/* Gathers, plans and applies; the policy is open. */
static int plan_and_apply(struct applying *a, bool all, struct err *e) {
    struct plan plan = {0};
    struct book *b = a->book;
    struct gather_want want = {.all = all || rules_need(a, NEEDS_WAITING),
                               .spent = rules_need(a, NEEDS_SPENT)};
    if (offers_grow(a, &want, e) < 0 || supply_now(b->store, b->pool, &a->supply, e) < 0) return -1;
    int known = want.all ? 0 : waiting_known(b->store, b->pool, a->supply, &a->waiting, e);
    if (known == 1) want.waiting = &a->waiting;
    if (known < 0 || gather(b->store, b->pool, b->at, &want, &a->gathered, e) < 0) return -1;
    a->waiting = (struct waiting){a->gathered.facts.pool.waiting, a->gathered.facts.pool.waiting_compute};
    placer_open(&a->placer, b->store, b->pool);
    int rc = a->gathered.facts.n_claims ? plan_all(a, &plan, e) : 0;
    for (size_t i = 0; rc == 0 && i < plan.n_decisions; i++) rc = engine_apply(a, i, &plan.decisions[i], e);
    if (rc == 0) rc = make_offers(a, &plan, e);
    if (rc == 0 && plan.n_decisions && !want.all) rc = waiting_keep(b, a->supply, &a->waiting, e);
    plan_free(&plan);
    placer_close(&a->placer);
    gathered_free(&a->gathered);
    return rc;
}

static int plan_pool(struct book *b, const struct decider *decider, bool all, struct engine_results *results,
                     struct err *e) {
    struct applying a = {.book = b, .results = results, .decider = decider};
    if (try_held_again(b, e) < 0) return -1;
    int rc = engine_rules_open(&a, e);
    if (rc == 0) rc = plan_and_apply(&a, all, e);
    engine_rules_close(&a);
    return rc;
}

int engine_plan(struct book *b, const struct decider *decider, struct engine_results *results,
                struct err *e) {
    int rc = plan_pool(b, decider, false, results, e);
    return rc < 0 ? -1 : call_plan_queued(b, decider, results, e);
}

int engine_plan_all(struct book *b, const struct decider *decider, struct engine_results *results,
                    struct err *e) {
    int rc = plan_pool(b, decider, true, results, e);
    return rc < 0 ? -1 : call_plan_queued(b, decider, results, e);
}

/* One that waits for its award asks no policy. */
void engine_wait(const struct facts *f, struct plan *out) {
    out->decisions = mem_alloc(sizeof *out->decisions);
    out->n_decisions = 1;
    call_wait(&f->claims[0], &out->decisions[0]);
}

static int plan_within(struct applying *a, const struct call_share *share, struct plan *plan, struct err *e) {
    struct facts *facts = &a->gathered.facts;
    if (call_waits(&facts->claims[0])) {
        engine_wait(facts, plan);
        return 0;
    }
    call_share_limit(facts, share);
    if (plan_all(a, plan, e) < 0) return -1;
    if (!call_share_passed(facts, share, &plan->decisions[0])) return 0;
    plan_free(plan);
    *plan = (struct plan){0};
    return plan_all(a, plan, e);
}

static int plan_alone(struct applying *a, int64_t request, const struct call_share *share, struct err *e) {
    struct plan plan = {0};
    struct book *b = a->book;
    struct gather_want want = {.alone = request, .spent = rules_need(a, NEEDS_SPENT)};
    if (supply_now(b->store, b->pool, &a->supply, e) < 0 ||
        gather(b->store, b->pool, b->at, &want, &a->gathered, e) < 0)
        return -1;
    placer_open(&a->placer, b->store, b->pool);
    int rc = a->gathered.facts.n_claims == 1
                 ? plan_within(a, share, &plan, e)
                 : err_set(e, ERR_NOT_FOUND, "no request r-%lld in this pool", (long long)request);
    if (rc == 0) rc = engine_apply(a, 0, &plan.decisions[0], e);
    plan_free(&plan);
    placer_close(&a->placer);
    gathered_free(&a->gathered);
    return rc;
}

int engine_plan_alone(struct book *b, const struct decider *decider, int64_t request,
                      const struct call_share *share, struct engine_results *results, struct err *e) {
    struct applying a = {.book = b, .results = results, .decider = decider};
    int rc = engine_rules_open(&a, e);
    if (rc == 0) rc = plan_alone(&a, request, share, e);
    engine_rules_close(&a);
    return rc;
}
