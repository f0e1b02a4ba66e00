/* SPDX-License-Identifier: Apache-2.0 */
/* The sets: rules in order, of which the first that matches decides. */
#include "policies/parser.h"

#include "alloc/scope.h"

#include <string.h>

bool parser_reason(struct parser *p, const char **reason, const char **reason_ko) {
    if (!parser_need_string(p, "the reason, in quotes", reason)) return false;
    return !parser_take_word(p, "ko") || parser_need_string(p, "the reason in Korean, in quotes", reason_ko);
}

/* ( "when" condition | "otherwise" ) ";" */
static bool parse_condition(struct parser *p, struct expr **when, bool has_ko) {
    static const char *const words[] = {"when", "otherwise", "ko"};
    if (!parser_take_word(p, "otherwise")) {
        if (!parser_at_word(p, "when"))
            return parser_expected_word(p, "'when' or 'otherwise'", words, has_ko ? 2 : 3);
        if (!parser_when(p, when)) return false;
    }
    return parser_need_sign(p, ";");
}

static bool parse_rule(struct parser *p) {
    static const char *const effects[] = {"pass", "deny", "review"}; /* as in enum effect */
    struct policy *y = p->policy;
    struct rule r = {0};
    size_t i = 0;
    if (!parser_room_for(p, y->n_rules, POLICY_RULES, "rules in a set")) return false;
    if (!parser_need_name(p, "the name of a rule", &r.id)) return false;
    while (i < 3 && !parser_take_word(p, effects[i])) i++;
    if (i == 3) return parser_expected_one(p, effects, 3);
    r.effect = (enum effect)i;
    if (!parser_reason(p, &r.reason, &r.reason_ko) || !parse_condition(p, &r.when, r.reason_ko != NULL))
        return false;
    y->rules = mem_grow(y->rules, &p->room_rules, y->n_rules + 1, sizeof r);
    y->rules[y->n_rules++] = r;
    return true;
}

/* ---- tiers ---- */

/* What one rule states of its tier. */
struct tier_stated {
    struct tier tier;
    bool has_weight, has_guarantee;
};

static bool tier_weight(struct parser *p, void *rule, struct place word) {
    struct tier_stated *t = rule;
    t->has_weight = true;
    t->tier.weight_place = parser_span_places(word, p->now.place);
    return parser_need_count(p, "a weight", 1, WEIGHT_MOST, &t->tier.weight);
}

static bool tier_guarantee(struct parser *p, void *rule, struct place word) {
    struct tier_stated *t = rule;
    (void)word;
    t->has_guarantee = true;
    return parser_need_amount(p, gflops_scales, &t->tier.guarantee.n, &t->tier.guarantee_place);
}

static bool tier_expect(struct parser *p, void *rule, struct place word) {
    struct tier_stated *t = rule;
    t->tier.has_expect = true;
    t->tier.expect_place = parser_span_places(word, p->now.place);
    return parser_need_count(p, "a number of tenants", 0, 1000000, &t->tier.expect);
}

static void tier_clash(struct parser *p, const char *what, struct word name, struct place now,
                       struct place first) {
    p->failed = true;
    diagnose_clash(p->d, LEVEL_ERROR, now.length ? now : name.place, first, "it is stated here",
                   "tier '%s' has one %s, whichever rule leads to it", name.s, what);
}

/* A tier that several rules name is one tier: what a later one states must be the same. */
static void tier_same(struct parser *p, const struct tier *first, const struct tier_stated *now) {
    const struct tier *t = &now->tier;
    if (now->has_weight && t->weight != first->weight)
        tier_clash(p, "weight", t->name, t->weight_place, first->weight_place);
    if (now->has_guarantee && t->guarantee.n != first->guarantee.n)
        tier_clash(p, "guarantee", t->name, t->guarantee_place, first->guarantee_place);
    if (t->has_expect && (!first->has_expect || t->expect != first->expect))
        tier_clash(p, "number of tenants", t->name, t->expect_place, first->expect_place);
}

static bool tier_put(struct parser *p, struct tier_stated *now, int *index) {
    struct policy *y = p->policy;
    struct tier *t = &now->tier;
    for (size_t i = 0; i < y->n_tiers; i++) {
        if (strcmp(y->tiers[i].name.s, t->name.s) != 0) continue;
        tier_same(p, &y->tiers[i], now);
        *index = (int)i;
        return true;
    }
    if (!parser_room_for(p, y->n_tiers, POLICY_TIERS, "tiers")) return false;
    if (!now->has_weight) t->weight = 1, t->weight_place = t->name.place;
    if (!now->has_guarantee) t->guarantee_place = t->name.place;
    if (!t->has_expect) t->expect_place = t->name.place;
    y->tiers = mem_grow(y->tiers, &p->room_tiers, y->n_tiers + 1, sizeof *t);
    y->tiers[y->n_tiers] = *t;
    *index = (int)y->n_tiers++;
    return true;
}

static bool parse_tier_of(struct parser *p) {
    static const struct parser_item items[] = {
        {"weight", tier_weight, false}, {"guarantee", tier_guarantee, false}, {"expect", tier_expect, false}};
    static const struct parser_items list = {items, 3, .ends = "the reason, in quotes"};
    struct policy *y = p->policy;
    struct tier_rule r = {0};
    struct tier_stated stated = {0};
    if (!parser_room_for(p, y->n_tier_rules, POLICY_RULES, "rules in a set")) return false;
    if (!parser_need_name(p, "the name of a rule", &r.id)) return false;
    for (size_t i = 0; i < 3; i++)
        if (parser_at_word(p, items[i].word)) return parser_expected(p, "the name of a tier");
    if (!parser_need_name(p, "the name of a tier", &stated.tier.name) ||
        !parser_take_items(p, &list, &stated) || !parser_reason(p, &r.reason, &r.reason_ko) ||
        !parse_condition(p, &r.when, r.reason_ko != NULL) || !tier_put(p, &stated, &r.tier))
        return false;
    y->tier_rules = mem_grow(y->tier_rules, &p->room_tier_rules, y->n_tier_rules + 1, sizeof r);
    y->tier_rules[y->n_tier_rules++] = r;
    return true;
}

static bool parse_tier_rule(struct parser *p) {
    if (parse_tier_of(p)) return true;
    return p->declared = false;
}

static bool parse_set_of(struct parser *p, struct place place, bool *has, struct place *first,
                         bool (*rule)(struct parser *)) {
    place = parser_span_places(place, p->now.place);
    if (*has) {
        diagnose_clash(p->d, LEVEL_ERROR, place, *first, "the first one is here", "set '%s' stands twice",
                       p->now.text);
        p->failed = true;
    }
    *has = true;
    *first = place;
    parser_step(p);
    return parser_block(p, rule);
}

bool parse_set(struct parser *p, struct place place) {
    static const char *const names[] = {"eligible", "tier"};
    struct policy *y = p->policy;
    if (parser_at_word(p, "eligible"))
        return parse_set_of(p, place, &y->has_eligible, &y->eligible_place, parse_rule);
    if (parser_at_word(p, "tier"))
        return parse_set_of(p, place, &y->has_tier_set, &y->tier_place, parse_tier_rule);
    return parser_expected_one(p, names, 2);
}
