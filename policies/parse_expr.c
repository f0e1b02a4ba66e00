/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: "or" of "and" of tests. */
#include "policies/parser.h"

#include <string.h>

/* ---- expressions ---- */

static struct expr *parse_or(struct parser *p);

static struct expr *expr_new(struct parser *p, enum op op, struct place place) {
    struct expr *x = arena_take(&p->policy->arena, sizeof *x);
    x->op = op;
    x->place = place;
    return x;
}

static bool literal_today(struct parser *p, struct literal *out) {
    *out = (struct literal){.kind = LITERAL_TODAY, .place = p->now.place, .text = "today"};
    parser_step(p);
    if (!parser_at_sign(p, "+") && !parser_at_sign(p, "-")) return true;
    bool minus = parser_at_sign(p, "-");
    parser_step(p);
    if (!parser_need_count(p, "a number of days", 0, 36500, &out->n)) return false;
    struct place last = p->now.place;
    if (!parser_take_word(p, "days") && !parser_take_word(p, "day")) return parser_expected(p, "'days'");
    out->place = parser_span_places(out->place, last);
    if (minus) out->n = -out->n;
    return true;
}

static bool parse_literal(struct parser *p, struct literal *out) {
    if (parser_at_word(p, "today")) return literal_today(p, out);
    *out = (struct literal){.place = p->now.place, .text = p->now.text};
    switch (p->now.kind) {
    case TOKEN_DATE: out->kind = LITERAL_DATE; break;
    case TOKEN_NAME: out->kind = LITERAL_WORD; break;
    case TOKEN_STRING: out->kind = LITERAL_STRING; break;
    case TOKEN_NUMBER: out->kind = LITERAL_NUMBER; break;
    default: return parser_expected(p, "a value");
    }
    if (out->kind == LITERAL_WORD && strncmp(out->text, "today-", 6) == 0)
        return parser_amount_wrong(p, out->place, "'-' is part of a name: write today - 30 days with blanks");
    parser_step(p);
    if (out->kind != LITERAL_NUMBER || p->now.kind != TOKEN_NAME || parser_at_keyword(p)) return true;
    out->kind = LITERAL_AMOUNT;
    out->unit = p->now.text;
    out->unit_place = p->now.place;
    out->place = parser_span_places(out->place, p->now.place);
    parser_step(p);
    return true;
}

static bool parse_set_literals(struct parser *p, struct expr *x) {
    struct literal list[POLICY_VALUES];
    do {
        if (!parser_room_for(p, x->n_literals, POLICY_VALUES, "values in one { }")) return false;
        if (!parse_literal(p, &list[x->n_literals++])) return false;
    } while (parser_take_sign(p, ","));
    if (!parser_need_sign(p, "}")) return false;
    x->literals = arena_take(&p->policy->arena, x->n_literals * sizeof *list);
    memcpy(x->literals, list, x->n_literals * sizeof *list);
    return true;
}

static struct expr *parse_in(struct parser *p, struct expr *x) {
    if (parser_take_sign(p, "{")) {
        x->op = OP_IN_SET;
        return parse_set_literals(p, x) ? x : NULL;
    }
    if (!parser_take_sign(p, "<")) return parser_expected(p, "'{' or '<table>'"), NULL;
    x->op = OP_IN_TABLE;
    if (!parser_need_name(p, "the name of a table", &x->table_name) || !parser_need_sign(p, ">")) return NULL;
    return x;
}

static bool parse_compare(struct parser *p, enum compare *out) {
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (parser_take_sign(p, signs[i])) return *out = (enum compare)i, true;
    return false;
}

static struct expr *parse_test(struct parser *p) {
    static const char *const ends[] = {"and", "or", "not", "in", "is", "when", "otherwise"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (parser_at_word(p, ends[i])) return parser_expected(p, "an attribute"), NULL;
    struct expr *x = expr_new(p, OP_IS_TRUE, p->now.place);
    if (!parser_need_name(p, "an attribute", &x->subject)) return NULL;
    if (parser_take_word(p, "in")) return parse_in(p, x);
    if (parser_take_word(p, "is")) {
        bool set = parser_take_word(p, "not");
        x->op = OP_UNSET;
        if (!parser_need_word(p, "unset")) return NULL;
        if (!set) return x;
        struct expr *not_unset = expr_new(p, OP_NOT, x->place);
        not_unset->left = x;
        return not_unset;
    }
    if (parser_at_sign(p, "==")) {
        diagnose(p->d, LEVEL_ERROR, p->now.place, "'==' is written '='");
        p->failed = true;
        return NULL;
    }
    if (!parse_compare(p, &x->compare)) return x;
    x->op = OP_COMPARE;
    x->n_literals = 1;
    x->literals = arena_take(&p->policy->arena, sizeof *x->literals);
    return parse_literal(p, x->literals) ? x : NULL;
}

static struct expr *parse_primary(struct parser *p) {
    if (p->depth >= POLICY_DEPTH) {
        diagnose(p->d, LEVEL_ERROR, p->now.place, "conditions nest at most %d deep", POLICY_DEPTH);
        p->failed = true;
        return NULL;
    }
    struct place place = p->now.place;
    struct expr *x = NULL;
    p->depth++;
    if (parser_take_word(p, "not")) {
        struct expr *inner = parse_primary(p);
        if (inner) x = expr_new(p, OP_NOT, place), x->left = inner;
    } else if (parser_take_sign(p, "(")) {
        x = parse_or(p);
        if (x && !parser_need_sign(p, ")")) x = NULL;
    } else {
        x = parse_test(p);
    }
    p->depth--;
    return x;
}

/* operand { word operand }: a chain on the left; its length is bounded because the tree is walked. */
static struct expr *parse_chain(struct parser *p, const char *word, enum op op,
                                struct expr *(*operand)(struct parser *)) {
    struct expr *x = operand(p);
    for (int n = 1; x && parser_at_word(p, word); n++) {
        if (n >= POLICY_VALUES) {
            diagnose(p->d, LEVEL_ERROR, p->now.place, "a condition has at most %d parts joined by '%s'",
                     POLICY_VALUES, word);
            p->failed = true;
            return NULL;
        }
        struct expr *both = expr_new(p, op, p->now.place);
        parser_step(p);
        both->left = x;
        both->right = operand(p);
        x = both->right ? both : NULL;
    }
    return x;
}

static struct expr *parse_and(struct parser *p) { return parse_chain(p, "and", OP_AND, parse_primary); }
static struct expr *parse_or(struct parser *p) { return parse_chain(p, "or", OP_OR, parse_and); }

bool parser_when(struct parser *p, struct expr **when) {
    if (!parser_take_word(p, "when")) return true;
    *when = parse_or(p);
    return *when != NULL;
}
