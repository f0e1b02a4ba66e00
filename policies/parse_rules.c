/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about one request: ceilings, approvals, leases, reserves, budgets. */
#include "policies/parser.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* [ "per" ( "tenant" | "organisation" ) ] */
static bool parse_per(struct parser *p, bool *per_organisation) {
    static const char *const holders[] = {"tenant", "organisation"};
    if (!parser_take_word(p, "per")) return true;
    *per_organisation = parser_take_word(p, "organisation");
    return *per_organisation || parser_take_word(p, "tenant") || parser_expected_one(p, holders, 2);
}

/* ---- ceiling ---- */

struct ceiling_stated {
    struct ceiling ceiling;
    size_t room_items;
};

static bool limit_compute(struct parser *p, void *rule, struct place word) {
    struct ceiling *c = &((struct ceiling_stated *)rule)->ceiling;
    (void)word;
    c->has_compute = true;
    return parser_need_amount(p, gflops_scales, &c->compute.n, &c->compute_place);
}

static bool limit_storage(struct parser *p, void *rule, struct place word) {
    struct ceiling *c = &((struct ceiling_stated *)rule)->ceiling;
    (void)word;
    c->has_storage = true;
    return parser_need_amount(p, bytes_scales, &c->storage.n, &c->storage_place);
}

static bool limit_item(struct parser *p, struct ceiling_stated *s, bool seats) {
    struct ceiling *c = &s->ceiling;
    struct item_limit limit = {.seats = seats};
    if (!parser_room_for(p, c->n_items, POLICY_FLAVORS + POLICY_SERVICES, "limits in one ceiling"))
        return false;
    if (!parser_need_name(p, seats ? "the name of a service" : "the name of a flavor", &limit.name))
        return false;
    limit.place = p->now.place;
    if (!parser_need_count(p, seats ? "a number of seats" : "a number of units", 0, UNITS_MOST, &limit.most))
        return false;
    for (size_t i = 0; i < c->n_items; i++)
        if (c->items[i].seats == seats && strcmp(c->items[i].name.s, limit.name.s) == 0)
            parser_twice(p, limit.name.place, c->items[i].name.place, limit.name.s);
    c->items = mem_grow(c->items, &s->room_items, c->n_items + 1, sizeof limit);
    c->items[c->n_items++] = limit;
    return true;
}

static bool limit_units(struct parser *p, void *rule, struct place word) {
    (void)word;
    return limit_item(p, rule, false);
}

static bool limit_seats(struct parser *p, void *rule, struct place word) {
    (void)word;
    return limit_item(p, rule, true);
}

static bool parse_limits(struct parser *p, struct ceiling_stated *s) {
    static const struct parser_item items[] = {{"compute", limit_compute, false},
                                               {"storage", limit_storage, false},
                                               {"units", limit_units, true},
                                               {"seats", limit_seats, true}};
    static const char *const words[] = {"compute", "storage", "units", "seats"};
    static const struct parser_items list = {items, 4, .when = true};
    if (parser_at_sign(p, ";") || parser_at_word(p, "when")) return parser_expected_one(p, words, 4);
    return parser_take_items(p, &list, s) && parser_rule_end(p, &s->ceiling.when);
}

bool parse_ceiling(struct parser *p, struct word id) {
    struct policy *y = p->policy;
    struct ceiling_stated s = {.ceiling = {.id = id}};
    if (!parser_room_for(p, y->n_ceilings, POLICY_RULES, "ceilings")) return false;
    if (!parse_per(p, &s.ceiling.per_organisation) || !parse_limits(p, &s)) {
        free(s.ceiling.items);
        return false;
    }
    y->ceilings = mem_grow(y->ceilings, &p->room_ceilings, y->n_ceilings + 1, sizeof s.ceiling);
    y->ceilings[y->n_ceilings++] = s.ceiling;
    return true;
}

/* ---- approve ---- */

bool parse_approve(struct parser *p, struct word id) {
    struct policy *y = p->policy;
    struct approve a = {.id = id};
    if (!parser_room_for(p, y->n_approves, POLICY_RULES, "approvals")) return false;
    if (!parser_need_word(p, "by") || !parser_need_name(p, "who approves (operator, committee)", &a.by))
        return false;
    if (p->now.kind == TOKEN_STRING && !parser_reason(p, &a.reason, &a.reason_ko)) return false;
    if (!parser_rule_end(p, &a.when)) return false;
    y->approves = mem_grow(y->approves, &p->room_approves, y->n_approves + 1, sizeof a);
    y->approves[y->n_approves++] = a;
    return true;
}

/* ---- lease ---- */

static bool lease_renew(struct parser *p, void *rule, struct place word) {
    struct lease *l = rule;
    (void)word;
    l->renew_place = p->now.place;
    return parser_need_count(p, "a number of renewals", 0, 1000, &l->renew);
}

static bool lease_notice(struct parser *p, void *rule, struct place word) {
    struct lease *l = rule;
    (void)word;
    return parser_need_span(p, &l->notice, &l->notice_place);
}

static bool lease_grace(struct parser *p, void *rule, struct place word) {
    struct lease *l = rule;
    return parser_need_span(p, &l->grace, &word);
}

static bool lease_keep(struct parser *p, void *rule, struct place word) {
    struct lease *l = rule;
    return parser_need_span(p, &l->keep, &word);
}

static bool lease_agreement(struct parser *p, void *rule, struct place word) {
    struct lease *l = rule;
    (void)p, (void)word;
    return l->agreement = true;
}

bool parse_lease(struct parser *p, struct word id) {
    static const struct parser_item items[] = {{"renew", lease_renew, false},
                                               {"notice", lease_notice, false},
                                               {"grace", lease_grace, false},
                                               {"keep-data", lease_keep, false},
                                               {"agreement", lease_agreement, false}};
    static const struct parser_items list = {items, 5, .commas = true, .commas_first = true, .when = true};
    static const char *const words[] = {"term", "until"};
    struct policy *y = p->policy;
    struct lease l = {.id = id};
    bool ok;
    if (!parser_room_for(p, y->n_leases, POLICY_RULES, "leases")) return false;
    if (parser_take_word(p, "term"))
        ok = parser_need_span(p, &l.term, &l.term_place);
    else if (parser_take_word(p, "until"))
        l.has_until = true, ok = parser_need_date(p, &l.until, &l.term_place);
    else
        ok = parser_expected_one(p, words, 2);
    if (!ok || !parser_take_items(p, &list, &l) || !parser_rule_end(p, &l.when)) return false;
    y->leases = mem_grow(y->leases, &p->room_leases, y->n_leases + 1, sizeof l);
    y->leases[y->n_leases++] = l;
    return true;
}

/* ---- reserve ---- */

/* ( "compute" | "storage" ) */
static bool parse_kind(struct parser *p, bool *storage) {
    static const char *const words[] = {"compute", "storage"};
    *storage = parser_take_word(p, "storage");
    return *storage || parser_take_word(p, "compute") || parser_expected_one(p, words, 2);
}

bool parse_reserve(struct parser *p, struct word id) {
    struct policy *y = p->policy;
    struct reserve_rule r = {.id = id};
    if (!parser_room_for(p, y->n_reserves, POLICY_RULES, "reserves")) return false;
    if (!parse_kind(p, &r.storage) ||
        !parser_need_percent(p, "a part of the pool in percent", 1, &r.percent, &r.place) ||
        !parser_need_word(p, "for") || !parser_need_name(p, "the name of a tier", &r.tier_name) ||
        !parser_rule_end_bare(p, "reserve"))
        return false;
    y->reserves = mem_grow(y->reserves, &p->room_reserves, y->n_reserves + 1, sizeof r);
    y->reserves[y->n_reserves++] = r;
    return true;
}

/* ---- budget ---- */

enum { BYTE_MONTH_HOURS = 30 * 24 };

const struct amount_scale compute_hours[] = {
    {"TF-hours", INT64_C(1000) * 3600}, {"PF-hours", INT64_C(1000000) * 3600}, {NULL, 0}};
const struct amount_scale storage_months[] = {{"GB-months", INT64_C(1000000000) * BYTE_MONTH_HOURS},
                                              {"TB-months", INT64_C(1000000000000) * BYTE_MONTH_HOURS},
                                              {"PB-months", INT64_C(1000000000000000) * BYTE_MONTH_HOURS},
                                              {NULL, 0}};

static bool parse_volume(struct parser *p, struct budget *b) {
    const struct amount_scale *scales = b->storage ? storage_months : compute_hours, *s = scales;
    const char *kind = b->storage ? "storage over time (GB-months TB-months PB-months)"
                                  : "compute over time (TF-hours PF-hours)";
    struct token number = p->now;
    struct text what = {0};
    struct err e = {0};
    text_add(&what, "an amount of %s", kind);
    if (number.kind != TOKEN_NUMBER) return parser_expected(p, what.s), text_free(&what), false;
    parser_step(p);
    b->place = parser_span_places(number.place, p->now.place);
    while (s->unit && !parser_at_word(p, s->unit)) s++;
    if (!s->unit)
        parser_expected(p, what.s + strlen("an amount of "));
    else if (amount_scale(number.text, s->unit, scales, INT64_MAX, &b->most, &e) < 0)
        parser_amount_wrong(p, b->place, e.what);
    text_free(&what);
    if (!s->unit || e.code) return false;
    parser_step(p);
    return true;
}

bool parse_budget(struct parser *p, struct word id) {
    static const char *const periods[] = {"month", "quarter", "year"}; /* as in enum period */
    struct policy *y = p->policy;
    struct budget b = {.id = id};
    size_t i = 0;
    if (!parser_room_for(p, y->n_budgets, POLICY_RULES, "budgets")) return false;
    if (!parse_per(p, &b.per_organisation) || !parse_kind(p, &b.storage) || !parse_volume(p, &b) ||
        !parser_need_word(p, "each"))
        return false;
    while (i < PERIODS && !parser_take_word(p, periods[i])) i++;
    if (i == PERIODS) return parser_expected_one(p, periods, PERIODS);
    b.period = (enum period)i;
    if (!parser_rule_end(p, &b.when)) return false;
    y->budgets = mem_grow(y->budgets, &p->room_budgets, y->n_budgets + 1, sizeof b);
    y->budgets[y->n_budgets++] = b;
    return true;
}
