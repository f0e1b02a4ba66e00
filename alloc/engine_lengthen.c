/* SPDX-License-Identifier: Apache-2.0 */
/* Is a later end within the policy? */
#include "alloc/engine_parts.h"
#include "alloc/scope.h"
#include "alloc/text.h"

/* The data lake of a grant counts as its storage does. */
static int storage_of(struct book *b, const struct grant *g, bytes_t *out, struct err *e) {
    int64_t lake = 0;
    if (sql_int(
            b->store, e, &lake,
            "SELECT sum(balance) FROM account WHERE pool = $1 AND grant_id = $2 AND item = 'datalake' AND "
            "kind IN ('reserved', 'held')",
            "ii", b->pool, g->id) < 0)
        return -1;
    return bytes_add(g->storage, bytes(lake), out, e);
}

static int refused(const struct grant *g, const struct decision *d, struct err *e) {
    const struct reason *why = NULL;
    for (size_t i = 0; i < d->n_reasons && !why; i++)
        if (d->reasons[i].decisive) why = &d->reasons[i];
    err_set(e, ERR_DENIED, "grant g-%lld cannot be held longer: %s", (long long)g->id,
            why && why->en ? why->en : outcome_word(d->outcome));
    if (!why || !why->rule) return -1;
    return err_hint(
        e, "%s%san admin may set the rule aside: allot grant extend g-%lld --override %s --reason TEXT",
        why->hint_en ? why->hint_en : "", why->hint_en ? "; " : "", (long long)g->id, why->rule);
}

static int ask(struct applying *a, const struct grant *g, const struct lengthening *l, const char *set_aside,
               struct err *e) {
    struct fact_claim claim = a->gathered.facts.claims[0];
    struct text aside = {0};
    struct decision d;
    if (claim.override_rule) text_add(&aside, "%s", claim.override_rule);
    if (set_aside) text_add(&aside, "%s%s", aside.length ? "," : "", set_aside);
    claim.override_rule = aside.s;
    claim.replaces = (struct fact_replaced){0};
    a->gathered.facts.claims = &claim;
    int rc = a->decider->lengthen(a->rules, &a->gathered.facts, l, &d, e);
    if (rc == 0 && d.outcome != OUTCOME_GRANT) rc = refused(g, &d, e);
    decision_free(&d);
    text_free(&aside);
    return rc;
}

static int ask_rules(struct applying *a, const struct grant *g, const struct lengthening *l,
                     const char *set_aside, struct err *e) {
    const struct gather_want want = {.alone = g->request, .spent = true};
    if (gather(a->book->store, a->book->pool, a->book->at, &want, &a->gathered, e) < 0) return -1;
    int rc = a->gathered.facts.n_claims == 1
                 ? ask(a, g, l, set_aside, e)
                 : err_set(e, ERR_BOOKS, "grant g-%lld has no request", (long long)g->id);
    gathered_free(&a->gathered);
    return rc;
}

static int ask_policy(struct book *b, const struct decider *decider, const struct grant *g, instant_t end,
                      bool by_renewal, const char *set_aside, struct err *e) {
    struct applying a = {.book = b, .decider = decider};
    struct lengthening l = {.from = g->end.s > b->at.s ? g->end : b->at,
                            .until = end,
                            .compute = g->compute,
                            .own_terms = by_renewal};
    if (storage_of(b, g, &l.storage, e) < 0) return -1;
    int rc = engine_rules_open(&a, e);
    if (rc == 0 && a.rules) rc = ask_rules(&a, g, &l, set_aside, e);
    engine_rules_close(&a);
    return rc;
}

/* What the grant itself does not allow is said first. */
int engine_lengthen(struct book *b, const struct decider *decider, const struct grant *g, instant_t end,
                    bool by_renewal, const char *set_aside, struct err *e) {
    if (by_renewal) end = instant_after(g->end, g->renew);
    if (grant_may_extend(b, g, end, by_renewal, e) < 0 ||
        ask_policy(b, decider, g, end, by_renewal, set_aside, e) < 0)
        return -1;
    return grant_extend(b, g, end, by_renewal, e);
}
