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
    size_t room_flavors, room_variables, room_tables, room_rules, room_ceilings, room_leases;
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
bool parser_when(struct parser *p, struct expr **when);
