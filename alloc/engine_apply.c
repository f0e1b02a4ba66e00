/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/engine_parts.h"

#include "alloc/call_award.h"
#include "alloc/facts.h"
#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/outbox.h"
#include "alloc/pool.h"
#include "alloc/project.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

bool engine_gives(const struct decision *d) {
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
    return text_same(json_string_value(json_object_get(a, key)), json_string_value(json_object_get(b, key)));
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
    if (!c->last_decision || engine_gives(d)) return 0;
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

/* Its request has what was decided. decision 0: as it was decided before; grant 0: none. Its state may have
   been set back for the plan. */
static int settle_request(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                          int64_t decision, int64_t grant, struct err *e) {
    return sql_do(
        a->book->store, e,
        "UPDATE request SET decision = coalesce(nullif($3, 0), decision), grant_id = "
        "coalesce(nullif($4, 0), grant_id), state = $5, note = $6, planned_supply = CASE WHEN $7 >= 0 "
        "THEN $7 END, is_barrier = $8 WHERE tenant = $1 AND id = $2",
        "iiiissii", c->tenant, c->request, decision, grant, state_after(d), note_after(d), planned_at(a, d),
        (int64_t)d->is_barrier);
}

/* noted: its digest is written to the ledger. */
static int insert_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                           const char *body, bool noted, int64_t *id, struct err *e) {
    if (store_plan(a, e) < 0 || store_next(a->book->store, "decision", id, e) < 0) return -1;
    return sql_do(a->book->store, e,
                  "INSERT INTO decision (tenant, id, request, plan, at, outcome, body, noted) VALUES ($1, "
                  "$2, $3, $4, $5, "
                  "$6, $7, $8)",
                  "iiiiissi", c->tenant, *id, c->request, a->plan, a->book->at.s, outcome_word(d->outcome),
                  body, (int64_t)noted);
}

static int store_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                          const char *body, int64_t *id, struct err *e) {
    if (insert_decision(a, c, d, body, true, id, e) < 0) return -1;
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
   *id: of the one that is new, or 0. */
static int refresh_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                            const char *body, int64_t *id, struct err *e) {
    int64_t noted = 1, before = 0;
    struct store *s = a->book->store;
    if (sql_int(s, e, &noted, "SELECT noted FROM decision WHERE id = $1", "i", c->last_decision) < 0)
        return -1;
    if (noted) return insert_decision(a, c, d, body, false, id, e);
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
    if (!claim->override_rule) return 0;
    return sql_do(
        a->book->store, e,
        "UPDATE exception SET grant_id = $3 WHERE id IN (SELECT max(x.id) FROM exception x JOIN request r ON "
        "r.tenant = x.tenant AND r.submitted_at = x.at WHERE r.tenant = $1 AND r.id = $2 AND x.grant_id = 0 "
        "AND "
        "instr(',' || r.override_rule || ',', ',' || x.rule || ',') > 0 GROUP BY x.rule)",
        "iii", c->tenant, c->request, *grant);
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
    int64_t id, grant = 0;
    if (store_decision(a, c, d, body, &id, e) < 0 || fault_point("engine.decided", e) < 0) return -1;
    if (engine_gives(d) && reserve(a, c, d, placed, &grant, e) < 0) return -1;
    if (settle_request(a, c, d, id, grant, e) < 0 || tell(a, c, d, decision, grant, e) < 0) return -1;
    results_add(a, c, d, grant, decision);
    return 0;
}

static int apply_decision(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                          const struct placed *placed, struct err *e) {
    scoped_json json_t *decision = decision_encode(d);
    scoped_free char *body = json_dumps(decision, JSON_COMPACT | JSON_SORT_KEYS);
    enum novelty novelty;
    if (novelty_of(a, c, d, decision, body, &novelty, e) < 0) return -1;
    if (d->outcome == OUTCOME_QUEUE && !d->is_barrier)
        waiting_add(&a->waiting, &a->gathered.facts.pool, &a->gathered.facts.claims[c - a->gathered.claims]);
    if (novelty == NOVELTY_NEW) return apply_new(a, c, d, placed, decision, body, e);
    int64_t id = 0;
    if (novelty == NOVELTY_FIGURES && refresh_decision(a, c, d, body, &id, e) < 0) return -1;
    return settle_request(a, c, d, id, 0, e);
}

/* Why a decision that gives something cannot be carried out now. */
static void units_words(const struct plan_line *l, struct text *en, struct text *ko, struct reason *reason) {
    reason->code = REASON_NO_UNITS;
    text_add(en, "no host has room for a server of %s x %lld: the free units are apart", l->flavor,
             (long long)l->size);
    text_add(ko, "%s %lld개를 함께 쓸 수 있는 호스트가 없습니다: 남은 자원이 흩어져 있습니다", l->flavor,
             (long long)l->size);
    reason->hint_en = mem_copy("it waits until units of one host come back; smaller servers may fit now");
    reason->hint_ko =
        mem_copy("한 호스트의 자원이 반납될 때까지 기다립니다. 더 작은 서버는 지금 가능할 수 있습니다");
}

static void volumes_words(struct text *en, struct text *ko, struct reason *reason) {
    reason->code = REASON_NO_STORAGE;
    text_add(en, "no host takes volumes now");
    text_add(ko, "지금 볼륨을 만들 수 있는 호스트가 없습니다");
    reason->hint_en = mem_copy("it waits until a host is active again");
    reason->hint_ko = mem_copy("사용할 수 있는 호스트가 생길 때까지 기다립니다");
}

static void project_words(const struct fact_pool *p, bool closed, struct text *en, struct text *ko,
                          struct reason *reason) {
    struct text hint_en = {0}, hint_ko = {0};
    reason->code = REASON_NO_PROJECT;
    if (closed) {
        text_add(en, "its project in pool %s is drained or lost", p->name);
        text_add(ko, "자원 풀 %s에 있는 프로젝트가 중지되었거나 유실되었습니다", p->name);
        text_add(&hint_en, "an administrator opens it again: allot pool undrain %s --host PROJECT", p->name);
        text_add(&hint_ko, "관리자가 다시 열어야 합니다: allot pool undrain %s --host 프로젝트", p->name);
    } else {
        text_add(en, "no project is left in pool %s: %lld of %lld are bound", p->name,
                 (long long)p->projects_usable, (long long)p->projects);
        text_add(ko, "자원 풀 %s에 남은 프로젝트가 없습니다: %lld개 중 %lld개 사용 중", p->name,
                 (long long)p->projects, (long long)p->projects_usable);
        text_add(&hint_en, "an administrator declares more: allot pool set %s --file FILE", p->name);
        text_add(&hint_ko, "관리자가 더 등록해야 합니다: allot pool set %s --file FILE", p->name);
    }
    reason->hint_en = text_take(&hint_en);
    reason->hint_ko = text_take(&hint_ko);
}

/* What the policy would give has no room. It waits; nobody else has to. */
void engine_no_room(const struct fact_pool *pool, const struct decision *d, size_t line,
                    struct reason *reason, struct decision *out) {
    struct text en = {0}, ko = {0};
    *reason = (struct reason){.decisive = true};
    if (line < d->n_lines)
        units_words(&d->lines[line], &en, &ko, reason);
    else if (line == d->n_lines + ROOM_VOLUMES)
        volumes_words(&en, &ko, reason);
    else
        project_words(pool, line == d->n_lines + ROOM_PROJECT_CLOSED, &en, &ko, reason);
    reason->en = text_take(&en);
    reason->ko = text_take(&ko);
    *out = (struct decision){.claim = d->claim,
                             .outcome = line > d->n_lines ? OUTCOME_HOLD : OUTCOME_QUEUE,
                             .lease = d->lease,
                             .limits = d->limits,
                             .reasons = reason,
                             .n_reasons = 1};
}

void engine_no_room_free(struct reason *r) {
    free(r->en);
    free(r->ko);
    free(r->hint_en);
    free(r->hint_ko);
}

/* 1 it has one or would get one, 0 not, -1 */
static int find_project(struct applying *a, const struct gathered_claim *c, size_t *line, struct err *e) {
    enum project_room room;
    if (project_room(a->book->store, a->book->pool, c->tenant, &room, e) < 0) return -1;
    *line += room == PROJECT_CLOSED ? ROOM_PROJECT_CLOSED : ROOM_PROJECT;
    return room == PROJECT_BOUND || room == PROJECT_FREE;
}

static int find_more(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                     const struct placed *placed, size_t *line, struct err *e) {
    unsigned capabilities;
    *line = d->n_lines;
    if (pool_capabilities(a->book->store, a->book->pool, &capabilities, e) < 0) return -1;
    if (project_is_needed(capabilities, d, placed)) return find_project(a, c, line, e);
    if (d->storage.n == 0 || placed->n > 0 || (capabilities & BACKEND_BY_QUOTA)) return 1;
    scoped_free char *host = NULL;
    if (placement_storage_host(a->book->store, a->book->pool, &host, e) < 0) return -1;
    return host[0] != '\0';
}

int engine_find_room(struct applying *a, const struct gathered_claim *c, const struct decision *d,
                     struct placed *placed, size_t *line, struct err *e) {
    int fits = placer_place(&a->placer, d->lines, d->n_lines, c->exact, placed, line, e);
    if (fits != 1 || (fits = find_more(a, c, d, placed, line, e)) == 1) return fits;
    placer_give_back(&a->placer, placed);
    placed_free(placed);
    return fits;
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

int engine_apply(struct applying *a, size_t i, const struct decision *d, struct err *e) {
    const struct gathered_claim *c = &a->gathered.claims[i];
    struct placed placed = {0};
    size_t line = 0;
    int fits = engine_gives(d) ? engine_find_room(a, c, d, &placed, &line, e) : 1;
    if (fits < 0) return -1;
    if (fits) {
        int rc = apply_in_turn(a, c, d, &placed, e);
        placed_free(&placed);
        return rc;
    }
    struct reason reason;
    struct decision waits;
    engine_no_room(&a->gathered.facts.pool, d, line, &reason, &waits);
    int rc = apply_in_turn(a, c, &waits, &placed, e);
    engine_no_room_free(&reason);
    return rc;
}
