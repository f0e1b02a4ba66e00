/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/engine.h"

#include "alloc/call_award.h"
#include "alloc/facts.h"
#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/offer.h"
#include "alloc/outbox.h"
#include "alloc/request.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/supply.h"
#include "alloc/text.h"
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

/* One plan being applied. */
struct applying {
    struct book *book;
    struct gathered gathered;
    struct placer placer;
    int64_t plan, policy; /* row ids; plan 0: its facts were not stored yet */
    const struct decider *decider;
    struct policy *rules; /* NULL: none is valid now */
    int64_t supply;       /* of the pool, when this plan was made */
    struct engine_results *results;
};

static bool gives(const struct decision *d) {
    return d->outcome == OUTCOME_GRANT || d->outcome == OUTCOME_PARTIAL;
}

/* The facts are stored once per plan, with the first decision that is new. */
static int store_plan(struct applying *a, struct err *e) {
    if (a->plan) return 0;
    scoped_free char *facts = facts_encode(&a->gathered.facts);
    if (store_next(a->book->store, "plan", &a->plan, e) < 0) return -1;
    return sql_do(a->book->store, e,
                  "INSERT INTO plan (id, pool, policy, at, facts) VALUES ($1, $2, nullif($3, 0), $4, $5)",
                  "iiiis", a->plan, a->book->pool, a->policy, a->book->at.s, facts);
}

enum novelty { NOVELTY_SAME, NOVELTY_FIGURES, NOVELTY_NEW };

static bool is_same_text(const json_t *a, const json_t *b, const char *key) {
    const char *x = json_string_value(json_object_get(a, key)),
               *y = json_string_value(json_object_get(b, key));
    return (x == NULL) == (y == NULL) && (!x || strcmp(x, y) == 0);
}

/* Waits as before, for the same reasons: only its place or the figures moved. */
static bool differs_in_figures_only(const json_t *last, const json_t *now, const struct decision *d) {
    const json_t *before = json_object_get(last, "reasons"), *reasons = json_object_get(now, "reasons");
    if (d->outcome != OUTCOME_QUEUE && d->outcome != OUTCOME_HOLD) return false;
    if (!is_same_text(last, now, "outcome") || json_array_size(before) != json_array_size(reasons))
        return false;
    for (size_t i = 0; i < json_array_size(reasons); i++)
        if (!is_same_text(json_array_get(before, i), json_array_get(reasons, i), "code") ||
            !is_same_text(json_array_get(before, i), json_array_get(reasons, i), "rule"))
            return false;
    return true;
}

static int novelty_of(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                      const json_t *decision, const char *body, enum novelty *out, struct err *e) {
    scoped_free char *last = NULL;
    *out = NOVELTY_NEW; /* a grant is made anew after a backend's refusal */
    if (!c->last_decision || gives(d)) return 0;
    if (sql_text(a->book->store, e, &last, "SELECT body FROM decision WHERE id = $1", "i", c->last_decision) <
        0)
        return -1;
    if (!last) return 0;
    scoped_json json_t *before = json_loads(last, 0, NULL);
    if (strcmp(last, body) == 0)
        *out = NOVELTY_SAME;
    else if (differs_in_figures_only(before, decision, d))
        *out = NOVELTY_FIGURES;
    return 0;
}

static const char *sentence(const struct decision *d, bool korean) {
    if (d->n_reasons == 0) return outcome_word(d->outcome);
    return korean ? d->reasons[0].ko : d->reasons[0].en;
}

/* "Grant g-1: v100 x 8 (124.8 TF), until 2027-02-20." and why it is less than asked. */
static void tell_given(const json_t *decision, int64_t grant, bool korean, struct text *out) {
    const json_t *less;
    size_t i = 0;
    text_add(out, korean ? "할당 g-%lld: " : "Grant g-%lld: ", (long long)grant);
    decision_given(decision, korean, out);
    text_add(out, ".");
    while ((less = decision_less(decision, &i)))
        text_add(out, " %s.", json_string_value(json_object_get(less, korean ? "ko" : "en")));
    if (json_is_true(json_object_get(decision, "needs_agreement")))
        text_add(out,
                 korean ? " 협약이 체결된 뒤에 제공됩니다." : " It is made when its agreement is signed.");
}

static int tell(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                const json_t *decision, int64_t grant, struct err *e) {
    struct text en = {0}, ko = {0};
    text_add(&en, "Request r-%lld: %s. ", (long long)c->request, outcome_word(d->outcome));
    text_add(&ko, "신청 r-%lld: %s. ", (long long)c->request, outcome_word_ko(d->outcome));
    if (grant) {
        tell_given(decision, grant, false, &en);
        tell_given(decision, grant, true, &ko);
    } else {
        text_add(&en, "%s", sentence(d, false));
        text_add(&ko, "%s", sentence(d, true));
    }
    struct message m = {"decided", c->tenant, grant, c->request, en.s, ko.s, NULL};
    int rc = outbox_add(a->book, &m, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

static const char *state_after(const struct decision *d) {
    static const char *const states[] = {"granted", "granted", "queued", "held", "denied"};
    return states[d->outcome];
}

static const char *note_after(const struct decision *d) {
    return d->outcome == OUTCOME_HOLD && d->n_reasons ? reason_code_word(d->reasons[0].code) : NULL;
}

/* The supply at which it was planned; a barrier is planned each time: -1. */
static int64_t planned_at(const struct applying *a, const struct decision *d) {
    return d->is_barrier ? -1 : a->supply;
}

/* noted: its digest is written to the ledger. The request gets its state with it: one update, not two. */
static int insert_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                           const char *body, bool noted, struct err *e) {
    int64_t id;
    if (store_plan(a, e) < 0 || store_next(a->book->store, "decision", &id, e) < 0 ||
        sql_do(a->book->store, e,
               "INSERT INTO decision (tenant, id, request, plan, at, outcome, body, noted) VALUES ($1, $2, "
               "$3, $4, "
               "$5, $6, $7, $8)",
               "iiiiissi", c->tenant, id, c->request, a->plan, a->book->at.s, outcome_word(d->outcome), body,
               (int64_t)noted) < 0)
        return -1;
    return sql_do(
        a->book->store, e,
        "UPDATE request SET decision = $3, state = $4, note = $5, planned_supply = CASE WHEN $6 >= 0 THEN "
        "$6 END, is_barrier = $7 WHERE tenant = $1 AND id = $2",
        "iiissii", c->tenant, c->request, id, state_after(d), note_after(d), planned_at(a, d),
        (int64_t)d->is_barrier);
}

static int store_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                          const char *body, struct err *e) {
    if (insert_decision(a, c, d, body, true, e) < 0) return -1;
    char kind[32];
    text_format(kind, sizeof kind, "decision.%s", outcome_word(d->outcome));
    return book_write(
        a->book,
        &(struct entry){
            .kind = kind, .tenant = c->tenant, .request = c->request, .detail = body, .elsewhere = true},
        e);
}

/* New figures are kept beside the decision that the ledger has noted, and take the place of earlier ones.
   Nobody is told; else a queue of a thousand would write a thousand entries and messages with each request.
 */
static int refresh_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                            const char *body, struct err *e) {
    int64_t noted = 1, before = 0;
    struct store *s = a->book->store;
    if (sql_int(s, e, &noted, "SELECT noted FROM decision WHERE id = $1", "i", c->last_decision) < 0)
        return -1;
    if (noted) return insert_decision(a, c, d, body, false, e);
    if (store_plan(a, e) < 0 ||
        sql_int(s, e, &before, "SELECT plan FROM decision WHERE id = $1", "i", c->last_decision) < 0 ||
        sql_do(s, e, "UPDATE decision SET plan = $2, at = $3, body = $4 WHERE tenant = $5 AND id = $1",
               "iiisi", c->last_decision, a->plan, a->book->at.s, body, c->tenant) < 0)
        return -1;
    return sql_do(s, e,
                  "DELETE FROM plan WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM decision WHERE plan = $1)",
                  "i", before);
}

static int reserve(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                   const struct placed *placed, int64_t *grant, struct err *e) {
    if (grant_reserve(a->book, placed, c->tenant, c->request, d, grant, e) < 0) return -1;
    const struct fact_claim *claim = &a->gathered.facts.claims[c - a->gathered.claims];
    /* Of this request: its rules, written with it. Exceptions of one that was denied stay without a grant. */
    if (claim->override_rule &&
        sql_do(a->book->store, e,
               "UPDATE exception SET grant_id = $3 WHERE id IN (SELECT max(x.id) FROM exception x JOIN "
               "request r "
               "ON r.tenant = x.tenant AND r.submitted_at = x.at WHERE r.tenant = $1 AND r.id = $2 AND "
               "x.grant_id "
               "= 0 AND instr(',' || r.override_rule || ',', ',' || x.rule || ',') > 0 GROUP BY x.rule)",
               "iii", c->tenant, c->request, *grant) < 0)
        return -1;
    return sql_do(a->book->store, e, "UPDATE request SET grant_id = $3 WHERE tenant = $1 AND id = $2", "iii",
                  c->tenant, c->request, *grant);
}

static void results_add(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                        int64_t grant, json_t *decision) {
    struct engine_results *r = a->results;
    if (!r) return;
    r->of = mem_grow(r->of, &r->room, r->n + 1, sizeof *r->of);
    r->of[r->n++] = (struct engine_result){c->request, c->tenant, grant, d->outcome, json_incref(decision)};
}

static int apply_new(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                     const struct placed *placed, json_t *decision, const char *body, struct err *e) {
    int64_t grant = 0;
    if (store_decision(a, c, d, body, e) < 0 || fault_point("engine.decided", e) < 0) return -1;
    if (gives(d) && reserve(a, c, d, placed, &grant, e) < 0) return -1;
    if (tell(a, c, d, decision, grant, e) < 0) return -1;
    results_add(a, c, d, grant, decision);
    return 0;
}

/* Decided as before: its state may have been set back for the plan. */
static int stays(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                 struct err *e) {
    return sql_do(a->book->store, e,
                  "UPDATE request SET state = $3, note = $4, planned_supply = CASE WHEN $5 >= 0 THEN $5 END, "
                  "is_barrier "
                  "= $6 WHERE tenant = $1 AND id = $2",
                  "iissii", c->tenant, c->request, state_after(d), note_after(d), planned_at(a, d),
                  (int64_t)d->is_barrier);
}

static int apply_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                          const struct placed *placed, struct err *e) {
    scoped_json json_t *decision = decision_encode(d);
    scoped_free char *body = json_dumps(decision, JSON_COMPACT | JSON_SORT_KEYS);
    enum novelty novelty;
    if (novelty_of(a, c, d, decision, body, &novelty, e) < 0) return -1;
    if (novelty != NOVELTY_NEW && stays(a, c, d, e) < 0) return -1;
    if (novelty == NOVELTY_SAME) return 0;
    if (novelty == NOVELTY_FIGURES) return refresh_decision(a, c, d, body, e);
    return apply_new(a, c, d, placed, decision, body, e);
}

/* Why a decision that gives something cannot be carried out now. line: of d, the one that found no room; past
   the last: its volumes found no host. */
static void room_words(const struct decision *d, size_t line, struct reason *reason) {
    struct text en = {0}, ko = {0};
    *reason = (struct reason){.code = REASON_NO_STORAGE, .decisive = true};
    if (line < d->n_lines) {
        const struct plan_line *l = &d->lines[line];
        reason->code = REASON_NO_UNITS;
        text_add(&en, "no host has room for a server of %s x %lld: the free units are apart", l->flavor,
                 (long long)l->size);
        text_add(&ko, "%s %lld개를 함께 쓸 수 있는 호스트가 없습니다: 남은 자원이 흩어져 있습니다", l->flavor,
                 (long long)l->size);
        reason->hint_en = mem_copy("it waits until units of one host come back; smaller servers may fit now");
        reason->hint_ko =
            mem_copy("한 호스트의 자원이 반납될 때까지 기다립니다. 더 작은 서버는 지금 가능할 수 있습니다");
    } else {
        text_add(&en, "no host takes volumes now");
        text_add(&ko, "지금 볼륨을 만들 수 있는 호스트가 없습니다");
        reason->hint_en = mem_copy("it waits until a host is active again");
        reason->hint_ko = mem_copy("사용할 수 있는 호스트가 생길 때까지 기다립니다");
    }
    reason->en = text_take(&en);
    reason->ko = text_take(&ko);
}

/* What the policy would give fits no hosts. It waits; nobody else has to. */
static void waiting_for_room(const struct decision *d, size_t line, struct reason *reason,
                             struct decision *out) {
    room_words(d, line, reason);
    *out = (struct decision){.claim = d->claim,
                             .outcome = OUTCOME_QUEUE,
                             .lease = d->lease,
                             .limits = d->limits,
                             .reasons = reason,
                             .n_reasons = 1};
}

static void reason_drop(struct reason *r) {
    free(r->en);
    free(r->ko);
    free(r->hint_en);
    free(r->hint_ko);
}

/* 1 the servers are placed and the volumes have somewhere to go; 0 not, *line says for what; -1. */
static int find_room(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                     struct placed *placed, size_t *line, struct err *e) {
    int fits = placer_place(&a->placer, d->lines, d->n_lines, c->exact, placed, line, e);
    if (fits != 1 || d->storage.n == 0 || placed->n > 0) return fits;
    scoped_free char *host = NULL;
    if (placement_storage_host(a->book->store, a->book->pool, &host, e) < 0) return -1;
    *line = d->n_lines;
    return host[0] != '\0';
}

/* As its call tells it, where it answers one. */
static int apply_in_turn(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                         const struct placed *placed, struct err *e) {
    struct decision told;
    if (!call_turn(&a->gathered.facts.claims[c - a->gathered.claims], d, &told))
        return apply_decision(a, c, d, placed, e);
    int rc = apply_decision(a, c, &told, placed, e);
    call_turn_free(d, &told);
    return rc;
}

static int apply(struct applying *a, size_t i, const struct decision *d, struct err *e) {
    const struct gathered_claim *c = &a->gathered.claims[i];
    struct placed placed = {0};
    size_t line = 0;
    int fits = gives(d) ? find_room(a, c, d, &placed, &line, e) : 1;
    if (fits < 0) return -1;
    if (fits) {
        int rc = apply_in_turn(a, c, d, &placed, e);
        placed_free(&placed);
        return rc;
    }
    struct reason reason;
    struct decision waits;
    waiting_for_room(d, line, &reason, &waits);
    int rc = apply_in_turn(a, c, &waits, &placed, e);
    reason_drop(&reason);
    return rc;
}

/* Without a policy that is valid now nobody can be decided: everyone is held, with that reason. */
static void plan_without_policy(const struct facts *f, struct plan *out) {
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

/* The policy that decides now, and how it sees the tenants today. */
static int rules_open(struct applying *a, struct err *e) {
    scoped_free char *stored = NULL;
    struct book *b = a->book;
    int has = version_active(b->store, b->pool, b->at, &a->policy, &b->policy, &stored, e);
    if (has < 0) return -1;
    if (has == 0) return 0;
    a->rules = a->decider->open(stored, e);
    if (!a->rules) return err_context(e, "the active policy");
    return standing_refresh(b, a->decider, a->rules, a->policy, e);
}

static void rules_close(struct applying *a) {
    if (a->rules) a->decider->close(a->rules);
    a->rules = NULL;
}

static bool rules_need(const struct applying *a, enum policy_needs what) {
    return a->rules && (!a->decider->needs || (a->decider->needs(a->rules) & what) != 0);
}

static int plan_all(struct applying *a, struct plan *plan, struct err *e) {
    if (!a->rules) {
        plan_without_policy(&a->gathered.facts, plan);
        return 0;
    }
    int rc = a->decider->plan(a->rules, &a->gathered.facts, plan, e);
    if (rc == 0 && plan->n_decisions != a->gathered.facts.n_claims)
        rc = err_set(e, ERR_FAILED, "the policy decided %zu of %zu requests", plan->n_decisions,
                     a->gathered.facts.n_claims);
    return rc < 0 ? -1 : decider_verify(a->decider, a->rules, &a->gathered.facts, plan, e);
}

/* What was held because the policy or a fact was missing is tried again with the rest. */
static int try_held_again(struct book *b, struct err *e) {
    return sql_do(b->store, e,
                  "UPDATE request SET state = 'queued', planned_supply = NULL WHERE state = 'held' AND pool "
                  "= $1 AND note IN ('NO_POLICY', 'EVAL_ERROR') AND call IS NULL",
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

/* Gathers, plans and applies; the policy is open. */
static int plan_and_apply(struct applying *a, bool all, struct err *e) {
    struct plan plan = {0};
    struct book *b = a->book;
    struct gather_want want = {.all = all || rules_need(a, NEEDS_WAITING),
                               .spent = rules_need(a, NEEDS_SPENT)};
    if (supply_now(b->store, b->pool, &a->supply, e) < 0 ||
        gather(b->store, b->pool, b->at, &want, &a->gathered, e) < 0)
        return -1;
    placer_open(&a->placer, b->store, b->pool);
    int rc = a->gathered.facts.n_claims ? plan_all(a, &plan, e) : 0;
    for (size_t i = 0; rc == 0 && i < plan.n_decisions; i++) rc = apply(a, i, &plan.decisions[i], e);
    if (rc == 0) rc = make_offers(a, &plan, e);
    plan_free(&plan);
    placer_close(&a->placer);
    gathered_free(&a->gathered);
    return rc;
}

static int plan_pool(struct book *b, const struct decider *decider, bool all, struct engine_results *results,
                     struct err *e) {
    struct applying a = {.book = b, .results = results, .decider = decider};
    if (try_held_again(b, e) < 0) return -1;
    int rc = rules_open(&a, e);
    if (rc == 0) rc = plan_and_apply(&a, all, e);
    rules_close(&a);
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
static void plan_wait(const struct facts *f, struct plan *out) {
    out->decisions = mem_alloc(sizeof *out->decisions);
    out->n_decisions = 1;
    call_wait(&f->claims[0], &out->decisions[0]);
}

static int plan_within(struct applying *a, const struct call_share *share, struct plan *plan, struct err *e) {
    struct facts *facts = &a->gathered.facts;
    if (call_waits(&facts->claims[0])) {
        plan_wait(facts, plan);
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
    if (rc == 0) rc = apply(a, 0, &plan.decisions[0], e);
    plan_free(&plan);
    placer_close(&a->placer);
    gathered_free(&a->gathered);
    return rc;
}

int engine_plan_alone(struct book *b, const struct decider *decider, int64_t request,
                      const struct call_share *share, struct engine_results *results, struct err *e) {
    struct applying a = {.book = b, .results = results, .decider = decider};
    int rc = rules_open(&a, e);
    if (rc == 0) rc = plan_alone(&a, request, share, e);
    rules_close(&a);
    return rc;
}

struct stored_plan {
    int64_t decision, request, tenant;
    instant_t at;
    char *facts, *policy, *body;
};

static void stored_free(struct stored_plan *p) {
    free(p->facts);
    free(p->policy);
    free(p->body);
}

static int load_stored(struct store *s, int64_t decision, struct stored_plan *p, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT d.id, d.request, d.tenant, d.at, p.facts, v.stored, d.body FROM decision d JOIN plan p ON "
        "p.id = d.plan LEFT JOIN policy v ON v.id = p.policy WHERE d.id = $1",
        "i", decision);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *p = (struct stored_plan){rows_int(&r, 0),
                                  rows_int(&r, 1),
                                  rows_int(&r, 2),
                                  instant(rows_int(&r, 3)),
                                  mem_copy(rows_text(&r, 4)),
                                  mem_copy(rows_text(&r, 5)),
                                  mem_copy(rows_text(&r, 6))};
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "there is no decision d-%lld", (long long)decision);
    }
    rows_close(&r);
    return rc;
}

/* *trace: the way of `claim` through the policy, where one decided; NULL: not wanted. */
static int plan_again(const struct decider *decider, const struct stored_plan *p, const struct facts *facts,
                      struct plan *plan, const char *claim, char **trace, struct err *e) {
    if (facts->n_claims == 1 && call_waits(&facts->claims[0])) {
        plan_wait(facts, plan);
        return 0;
    }
    if (!p->policy) {
        plan_without_policy(facts, plan);
        return 0;
    }
    struct policy *policy = decider->open(p->policy, e);
    if (!policy) return err_context(e, "the stored policy");
    int rc = decider->plan(policy, facts, plan, e);
    if (rc == 0 && trace && decider->trace) {
        *trace = decider->trace(policy, facts, claim, e);
        if (!*trace) rc = -1;
    }
    decider->close(policy);
    return rc;
}

static json_t *encode_in_turn(const struct fact_claim *claim, const struct decision *d) {
    struct decision told;
    if (!call_turn(claim, d, &told)) return decision_encode(d);
    json_t *encoded = decision_encode(&told);
    call_turn_free(d, &told);
    return encoded;
}

/* An offer that was taken: a decision of the same plan, begun when it was taken. Owns again, as it stands. */
static json_t *encode_as_taken(const struct fact_claim *claim, const struct decision *d, const json_t *stored,
                               json_t *again) {
    const char *start = json_string_value(json_object_get(json_object_get(stored, "lease"), "start"));
    struct err ignored = {0};
    struct reason reason;
    struct decision taken;
    instant_t at;
    if (!start || instant_parse(start, &at, &ignored) < 0) return again;
    offer_taken(d, at, claim->until.has, &reason, &taken);
    json_t *made = decision_encode(&taken);
    bool is_same = json_equal(made, stored);
    json_decref(is_same ? again : made);
    return is_same ? made : again;
}

json_t *engine_as_stored(const struct fact_claim *claim, const struct decision *d, const json_t *stored) {
    json_t *again = encode_in_turn(claim, d);
    if (d->outcome == OUTCOME_QUEUE && d->offer.has && !json_equal(again, stored))
        return encode_as_taken(claim, d, stored, again);
    if (!gives(d) || json_equal(again, stored)) return again;
    for (size_t line = 0; line <= d->n_lines; line++) {
        struct reason reason;
        struct decision waits;
        waiting_for_room(d, line, &reason, &waits);
        json_t *waiting = encode_in_turn(claim, &waits);
        reason_drop(&reason);
        if (json_equal(waiting, stored)) {
            json_decref(again);
            return waiting;
        }
        json_decref(waiting);
    }
    return again;
}

void engine_replayed_free(struct engine_replayed *r) {
    json_decref(r->stored);
    json_decref(r->again);
    free(r->facts);
    free(r->trace);
    *r = (struct engine_replayed){0};
}

/* To the byte, as it is stored: with one canonical form, equal values are equal bytes. */
static bool is_same_body(const json_t *again, const char *body) {
    scoped_free char *text = json_dumps(again, JSON_COMPACT | JSON_SORT_KEYS);
    return strcmp(text, body) == 0;
}

static int replay(const struct decider *decider, const struct stored_plan *p, const struct facts *facts,
                  bool with_trace, struct engine_replayed *out, struct err *e) {
    struct plan plan = {0};
    char id[24];
    text_format(id, sizeof id, "r-%lld", (long long)p->request);
    int rc = plan_again(decider, p, facts, &plan, id, with_trace ? &out->trace : NULL, e);
    if (rc == 0 && !(out->stored = json_loads(p->body, 0, NULL)))
        rc = err_set(e, ERR_BOOKS, "the stored decision d-%lld cannot be read", (long long)p->decision);
    for (size_t i = 0; rc == 0 && i < plan.n_decisions; i++)
        if (strcmp(plan.decisions[i].claim, id) == 0)
            out->again = engine_as_stored(&facts->claims[i], &plan.decisions[i], out->stored);
    if (rc == 0 && !out->again)
        rc = err_set(e, ERR_BOOKS, "the stored facts of d-%lld do not name %s", (long long)p->decision, id);
    if (rc == 0) out->same = is_same_body(out->again, p->body);
    plan_free(&plan);
    return rc;
}

int engine_replay(struct store *s, const struct decider *decider, int64_t decision, bool with_trace,
                  struct engine_replayed *out, struct err *e) {
    struct stored_plan p = {0};
    struct facts_owned facts = {0};
    *out = (struct engine_replayed){0};
    int rc = load_stored(s, decision, &p, e);
    if (rc == 0) rc = facts_decode(p.facts, &facts, e);
    if (rc == 0) rc = replay(decider, &p, &facts.facts, with_trace, out, e);
    facts_free(&facts);
    if (rc == 0) {
        out->decision = p.decision;
        out->request = p.request;
        out->tenant = p.tenant;
        out->at = p.at;
        out->facts = mem_copy(p.facts);
    } else {
        engine_replayed_free(out);
    }
    stored_free(&p);
    return rc;
}

int engine_replay_request(struct store *s, const struct decider *decider, int64_t request, bool with_trace,
                          struct engine_replayed *out, struct err *e) {
    int64_t decision = 0;
    *out = (struct engine_replayed){0};
    if (sql_int(s, e, &decision, "SELECT decision FROM request WHERE id = $1", "i", request) < 0) return -1;
    if (!decision) return err_set(e, ERR_NOT_FOUND, "request r-%lld has no decision yet", (long long)request);
    return engine_replay(s, decider, decision, with_trace, out, e);
}
