/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/engine_parts.h"

#include "alloc/call_award.h"
#include "alloc/facts.h"
#include "alloc/offer.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

struct stored_plan {
    char *facts, *policy, *body;
};

static int load_stored(struct store *s, int64_t request, struct stored_plan *p, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT p.facts, v.stored, d.body FROM request q JOIN decision d ON d.id = q.decision JOIN plan p ON "
        "p.id = d.plan LEFT JOIN policy v ON v.id = p.policy WHERE q.id = $1",
        "i", request);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *p = (struct stored_plan){mem_copy(rows_text(&r, 0)), mem_copy(rows_text(&r, 1)),
                                  mem_copy(rows_text(&r, 2))};
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "request r-%lld has no decision yet", (long long)request);
    }
    rows_close(&r);
    return rc;
}

static int plan_again(const struct decider *decider, const struct stored_plan *p, const struct facts *facts,
                      struct plan *plan, struct err *e) {
    if (facts->n_claims == 1 && call_waits(&facts->claims[0])) {
        engine_wait(facts, plan);
        return 0;
    }
    if (!p->policy) {
        engine_hold_all(facts, plan);
        return 0;
    }
    struct policy *policy = decider->open(p->policy, e);
    if (!policy) return err_context(e, "the stored policy");
    int rc = decider->plan(policy, facts, plan, e);
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
    if (!engine_gives(d) || json_equal(again, stored)) return again;
    for (size_t line = 0; line <= d->n_lines; line++) {
        struct reason reason;
        struct decision waits;
        engine_no_room(d, line, &reason, &waits);
        json_t *waiting = encode_in_turn(claim, &waits);
        engine_no_room_free(&reason);
        if (json_equal(waiting, stored)) {
            json_decref(again);
            return waiting;
        }
        json_decref(waiting);
    }
    return again;
}

int engine_replay(struct store *s, const struct decider *decider, int64_t request, json_t **stored,
                  json_t **again, char **facts_text, struct err *e) {
    struct stored_plan p = {0};
    struct facts_owned facts = {0};
    struct plan plan = {0};
    char id[24];
    text_format(id, sizeof id, "r-%lld", (long long)request);
    *stored = *again = NULL;
    int rc = load_stored(s, request, &p, e);
    if (rc == 0) rc = facts_decode(p.facts, &facts, e);
    if (rc == 0) rc = plan_again(decider, &p, &facts.facts, &plan, e);
    if (rc == 0) *stored = json_loads(p.body, 0, NULL);
    for (size_t i = 0; rc == 0 && i < plan.n_decisions; i++)
        if (strcmp(plan.decisions[i].claim, id) == 0)
            *again = engine_as_stored(&facts.facts.claims[i], &plan.decisions[i], *stored);
    if (rc == 0 && !*again)
        rc = err_set(e, ERR_BOOKS, "the stored facts of r-%lld do not name it", (long long)request);
    if (rc == 0 && facts_text) *facts_text = mem_copy(p.facts);
    plan_free(&plan);
    facts_free(&facts);
    free(p.facts);
    free(p.policy);
    free(p.body);
    return rc;
}
