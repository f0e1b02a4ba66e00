/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent over the grammar of allot-policy(5): one word of lookahead decides. After an
 * error the parser goes on behind the next ';' (or at the '}' that closes the block), so that one
 * run finds several errors. Each kind of statement has its own file (parse_*.c).
 */
#include "policies/parser.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    bool (*parse)(struct parser *p, struct place place); /* place: of the word */
    bool declares;                                       /* without it names mean nothing */
} statements[] = {{"pool", parse_pool, false},
                  {"attr", parse_attr, true},
                  {"table", parse_table, true},
                  {"set", parse_set, false},
                  {"expect", parse_expect, false}};
enum { STATEMENTS = sizeof statements / sizeof *statements };

static const struct {
    const char *word;
    bool (*parse)(struct parser *p, struct word id);
} kinds[] = {{"ceiling", parse_ceiling}, {"approve", parse_approve}, {"lease", parse_lease},
             {"queue", parse_queue},     {"borrow", parse_borrow},   {"idle", parse_idle},
             {"unused", parse_unused},   {"reserve", parse_reserve}, {"budget", parse_budget}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool kind_expected(struct parser *p, struct word id) {
    const char *starts[STATEMENTS], *words[KINDS];
    for (size_t i = 0; i < STATEMENTS; i++) starts[i] = statements[i].word;
    for (size_t i = 0; i < KINDS; i++) words[i] = kinds[i].word;
    const char *near = text_nearest(id.s, starts, STATEMENTS);
    if (near && !(p->now.kind == TOKEN_NAME && text_nearest(p->now.text, words, KINDS))) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, id.place, "unknown statement '%s'; did you mean '%s'?", id.s, near);
        return false;
    }
    return parser_expected_one(p, words, KINDS);
}

static bool parse_statement(struct parser *p) {
    struct word id;
    struct place place = p->now.place;
    for (size_t i = 0; i < STATEMENTS; i++) {
        if (!parser_take_word(p, statements[i].word)) continue;
        if (statements[i].parse(p, place)) return true;
        p->declared &= !statements[i].declares;
        return false;
    }
    if (!parser_need_name(p, "'pool', 'attr', 'table', 'set', 'expect' or the name of a rule", &id))
        return false;
    for (size_t i = 0; i < KINDS; i++)
        if (parser_take_word(p, kinds[i].word)) return kinds[i].parse(p, id);
    return kind_expected(p, id);
}

/* "valid" ( "from" DATE [ "until" DATE ] | "until" DATE ) */
static bool parse_valid(struct parser *p) {
    static const char *const words[] = {"from", "until"};
    struct policy *y = p->policy;
    struct place place;
    bool from = parser_take_word(p, "from");
    if (from) {
        y->valid_from.has = true;
        if (!parser_need_date(p, &y->valid_from.at, &y->valid_place)) return false;
        y->valid_from.at.s -= CLOCK_DAY; /* the first instant of the day */
    }
    if (!parser_take_word(p, "until")) return from || parser_expected_one(p, words, 2);
    y->valid_until.has = true;
    if (!parser_need_date(p, &y->valid_until.at, &place)) return false;
    y->valid_place = from ? parser_span_places(y->valid_place, place) : place;
    return true;
}

static bool parse_head(struct parser *p) {
    static const char *const words[] = {"valid", ";"};
    struct policy *y = p->policy;
    struct place place;
    if (!parser_need_word(p, "policy")) return false;
    place = p->now.place;
    if (!parser_need_string(p, "the name of the policy, in quotes", &y->name)) return false;
    if (!*y->name || strlen(y->name) > POLICY_NAME) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, place, "the name of a policy has 1 to %d bytes", POLICY_NAME);
    }
    if (!parser_need_word(p, "version") || !parser_need_count(p, "a version", 1, 1000000000, &y->version))
        return false;
    if (parser_take_word(p, "valid")) return parse_valid(p) && parser_need_sign(p, ";");
    return parser_take_sign(p, ";") || parser_expected_one(p, words, 2);
}

static void built_ins(struct parser *p) {
    static const struct variable list[VARS_BUILT_IN] = {
        [VAR_TENANT] = {{"tenant", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_ORGANISATION] = {{"organisation", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_COMPUTE] = {{"request.compute", {0}}, TYPE_COMPUTE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_STORAGE] = {{"request.storage", {0}}, TYPE_STORAGE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_UNITS] = {{"request.units", {0}}, TYPE_UNITS, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_TODAY] = {{"today", {0}}, TYPE_DATE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_TIER] = {{"tier", {0}}, TYPE_ENUM, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_FLAVOR] = {{"request.flavor", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, true, NULL, 0},
        [VAR_CALL] = {{"request.call", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, true, NULL, 0},
    };
    struct policy *y = p->policy;
    y->variables = mem_grow(NULL, &p->room_variables, VARS_BUILT_IN, sizeof *list);
    memcpy(y->variables, list, sizeof list);
    y->n_variables = VARS_BUILT_IN;
}

bool parse_policy(struct policy *policy, const struct policy_source *source, struct diagnostics *d,
                  bool *declared) {
    struct parser p = {.policy = policy, .source = source, .d = d, .declared = true};
    built_ins(&p);
    *declared = true;
    if (!lex_begin(&p.lexer, policy->text, policy->length, &policy->arena, d)) return false;
    parser_step(&p);
    if (!parse_head(&p)) parser_recover(&p, 0);
    while (p.now.kind != TOKEN_END)
        if (!parse_statement(&p)) parser_recover(&p, 0);
    *declared = p.declared;
    return !p.failed;
}
