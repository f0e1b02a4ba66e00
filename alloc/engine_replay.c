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

json_t *engine_as_stored(const struct fact_pool *pool, const struct fact_claim *claim,
                         const struct decision *d, const json_t *stored) {
    json_t *again = encode_in_turn(claim, d);
    if (d->outcome == OUTCOME_QUEUE && d->offer.has && !json_equal(again, stored))
        return encode_as_taken(claim, d, stored, again);
    if (!engine_gives(d) || json_equal(again, stored)) return again;
    for (size_t line = 0; line < d->n_lines + ROOM_END; line++) {
        struct reason reason;
        struct decision waits;
        engine_no_room(pool, d, line, &reason, &waits);
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
            out->again = engine_as_stored(&facts->pool, &facts->claims[i], &plan.decisions[i], out->stored);
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
