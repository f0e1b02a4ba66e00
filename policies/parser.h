/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser's own tools, inside policies/ only: one word of lookahead, what is expected in its place,
 * amounts with their units, conditions. take: goes on if it is there. need: reports what is there
 * instead; false and NULL mean that it was reported.
 */
#pragma once
#include "policies/lex.h"
#include "policies/policy.h"

struct parser {
    struct lexer lexer;
    struct token now;
    struct place last; /* the word before */
    struct policy *policy;
    const struct policy_source *source;
    struct diagnostics *d;
    bool failed, declared;
    int depth, level; /* of expressions; of open braces */
    size_t room_flavors, room_services, room_measures, room_variables, room_tables;
    size_t room_rules, room_tiers, room_tier_rules, room_ceilings, room_approves, room_leases;
    size_t room_idles, room_reserves, room_budgets;
    bool has_pool;
    struct place pool_place;
};

bool parser_at_sign(const struct parser *p, const char *sign);
void parser_step(struct parser *p);
bool parser_at_word(const struct parser *p, const char *word);
bool parser_take_word(struct parser *p, const char *word);
bool parser_take_sign(struct parser *p, const char *sign);
bool parser_expected(struct parser *p, const char *what);
bool parser_expected_word(struct parser *p, const char *what, const char *const words[], size_t n);
bool parser_need_sign(struct parser *p, const char *sign);
bool parser_need_word(struct parser *p, const char *word);
bool parser_need_name(struct parser *p, const char *what, struct word *out);
bool parser_need_string(struct parser *p, const char *what, const char **out);
bool parser_need_count(struct parser *p, const char *what, int64_t least, int64_t most, int64_t *out);
void parser_recover(struct parser *p, int level);
bool parser_room_for(struct parser *p, size_t n, size_t most, const char *what);
bool parser_at_keyword(const struct parser *p);
bool parser_amount_wrong(struct parser *p, struct place place, const char *what);
struct place parser_span_places(struct place a, struct place b);
bool parser_need_amount(struct parser *p, const struct amount_scale *wanted, int64_t *out,
                        struct place *place);
bool parser_need_span(struct parser *p, span_t *out, struct place *place);
const struct amount_scale *parser_scale_of(const char *unit, const char **kind);
bool parser_need_date(struct parser *p, instant_t *end, struct place *place); /* end: of that day */
bool parser_when(struct parser *p, struct expr **when);

/* ---- what several statements share (parse_items.c) ---- */

/* As parser_expected_word(), for exactly these words; signs come last. ends: what else may stand there. */
bool parser_expected_one(struct parser *p, const char *const words[], size_t n);
bool parser_expected_one_or(struct parser *p, const char *const words[], size_t n, const char *ends);
/* An error that marks both places; the parser goes on. */
void parser_twice(struct parser *p, struct place place, struct place first, const char *what);

/* A part of a rule that begins with its own word. */
struct parser_item {
    const char *word;
    bool (*parse)(struct parser *p, void *rule, struct place word); /* behind the word; place: of the word */
    bool many;                                                      /* may stand more than once */
};

struct parser_items {
    const struct parser_item *items;
    size_t n;
    bool commas, commas_first; /* commas may stand between items; and before the first */
    bool when;                 /* a condition may follow; else ';' alone */
    const char *ends;          /* or: a string follows, told to people like this */
};
/* Items in any order until what follows them, which is not taken. */
bool parser_take_items(struct parser *p, const struct parser_items *list, void *rule);

bool parser_need_percent(struct parser *p, const char *what, int64_t least, int64_t *out,
                         struct place *place);
bool parser_reason(struct parser *p, const char **reason, const char **reason_ko);
bool parser_rule_end(struct parser *p, struct expr **when);          /* [ "when" condition ] ";" */
bool parser_rule_end_bare(struct parser *p, const char *kind);       /* ";" */
bool parser_block(struct parser *p, bool (*item)(struct parser *p)); /* "{" { item } "}" */

/* ---- statements, behind their first word; place: of that word ---- */

bool parse_pool(struct parser *p, struct place place);
bool parse_attr(struct parser *p, struct place place);
bool parse_table(struct parser *p, struct place place);
bool parse_expect(struct parser *p, struct place place);
bool parse_set(struct parser *p, struct place place);

/* ---- rules, behind the word of their kind ---- */

bool parse_ceiling(struct parser *p, struct word id);
bool parse_approve(struct parser *p, struct word id);
bool parse_lease(struct parser *p, struct word id);
bool parse_queue(struct parser *p, struct word id);
bool parse_borrow(struct parser *p, struct word id);
bool parse_idle(struct parser *p, struct word id);
bool parse_unused(struct parser *p, struct word id);
bool parse_reserve(struct parser *p, struct word id);
bool parse_budget(struct parser *p, struct word id);
