/* SPDX-License-Identifier: Apache-2.0 */
/* What several statements share: items in any order, each once; the end of a rule; blocks. */
#include "policies/parser.h"

#include <string.h>

enum { ITEMS_MOST = 8 };

/* "expected 'a', 'b' or ';', found ...", with the nearest of the words. */
bool parser_expected_one(struct parser *p, const char *const words[], size_t n) {
    return parser_expected_one_or(p, words, n, NULL);
}

bool parser_expected_one_or(struct parser *p, const char *const words[], size_t n, const char *ends) {
    struct text what = {0};
    size_t letters = 0; /* signs come last and are never suggested */
    for (size_t i = 0; i < n; i++) {
        const char *before = i == 0 ? "" : i + 1 < n || ends ? ", " : " or ";
        text_add(&what, "%s'%s'", before, words[i]);
        if (words[i][0] >= 'a' && words[i][0] <= 'z') letters++;
    }
    if (ends) text_add(&what, " or %s", ends);
    parser_expected_word(p, what.s, words, letters);
    text_free(&what);
    return false;
}

void parser_twice(struct parser *p, struct place place, struct place first, const char *what) {
    p->failed = true;
    diagnose_clash(p->d, LEVEL_ERROR, place, first, "first stated here", "'%s' is stated twice", what);
}

static const struct parser_item *item_at(const struct parser *p, const struct parser_items *list) {
    for (size_t i = 0; i < list->n; i++)
        if (parser_at_word(p, list->items[i].word)) return &list->items[i];
    return NULL;
}

static bool item_expected(struct parser *p, const struct parser_items *list) {
    const char *words[ITEMS_MOST + 2];
    size_t n = 0;
    for (; n < list->n; n++) words[n] = list->items[n].word;
    if (list->ends) return parser_expected_one_or(p, words, n, list->ends);
    if (list->when) words[n++] = "when";
    words[n++] = ";";
    return parser_expected_one(p, words, n);
}

static bool items_end(const struct parser *p, const struct parser_items *list) {
    if (list->ends) return p->now.kind == TOKEN_STRING;
    return parser_at_sign(p, ";") ||
           parser_at_word(p, "when"); /* where no condition belongs, it is told so */
}

bool parser_take_items(struct parser *p, const struct parser_items *list, void *rule) {
    struct place seen[ITEMS_MOST] = {{0}};
    for (size_t n = list->commas_first; !items_end(p, list); n++) {
        if (list->commas && n > 0) parser_take_sign(p, ",");
        const struct parser_item *item = item_at(p, list);
        struct place place = p->now.place;
        if (!item) return item_expected(p, list);
        struct place *first = &seen[item - list->items];
        parser_step(p);
        if (first->length > 0 && !item->many) parser_twice(p, place, *first, item->word);
        *first = place;
        if (!item->parse(p, rule, place)) return false;
    }
    return true;
}

bool parser_need_percent(struct parser *p, const char *what, int64_t least, int64_t *out,
                         struct place *place) {
    *place = p->now.place;
    if (!parser_need_count(p, what, least, 100, out)) return false;
    *place = parser_span_places(*place, p->now.place);
    return parser_need_sign(p, "%");
}

bool parser_rule_end(struct parser *p, struct expr **when) {
    if (!parser_when(p, when)) return false;
    if (parser_take_sign(p, ";")) return true;
    return parser_expected(p, *when ? "'and', 'or' or ';'" : "'when' or ';'");
}

bool parser_rule_end_bare(struct parser *p, const char *kind) {
    if (parser_take_sign(p, ";")) return true;
    if (!parser_at_word(p, "when")) return parser_expected(p, "';'");
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, p->now.place, "'%s' takes no condition: it holds for everybody", kind);
    return false;
}

/* "{" { item } "}" */
bool parser_block(struct parser *p, bool (*item)(struct parser *)) {
    if (!parser_need_sign(p, "{")) return false;
    int level = p->level;
    while (!parser_at_sign(p, "}")) {
        if (p->now.kind == TOKEN_END) return parser_expected(p, "'}'");
        if (!item(p)) parser_recover(p, level);
    }
    parser_step(p);
    parser_take_sign(p, ";"); /* "};" is a habit that does no harm */
    return true;
}

bool parser_need_date(struct parser *p, instant_t *end, struct place *place) {
    struct err e = {0};
    if (p->now.kind != TOKEN_DATE) return parser_expected(p, "a date (2027-03-31)");
    *place = p->now.place;
    if (date_parse(p->now.text, end, &e) < 0) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, p->now.place, "%s", e.what);
        return false;
    }
    parser_step(p);
    return true;
}
