/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/parser.h"

#include <string.h>

/* ---- words ---- */

bool parser_at_sign(const struct parser *p, const char *sign) {
    return p->now.kind == TOKEN_SIGN && strcmp(p->now.text, sign) == 0;
}

void parser_step(struct parser *p) {
    p->level += parser_at_sign(p, "{");
    p->level -= parser_at_sign(p, "}");
    p->last = p->now.place;
    p->now = lex_next(&p->lexer);
    if (p->now.kind == TOKEN_WRONG) p->failed = true;
}

bool parser_at_word(const struct parser *p, const char *word) {
    return p->now.kind == TOKEN_NAME && strcmp(p->now.text, word) == 0;
}

bool parser_take_word(struct parser *p, const char *word) {
    if (!parser_at_word(p, word)) return false;
    parser_step(p);
    return true;
}

bool parser_take_sign(struct parser *p, const char *sign) {
    if (!parser_at_sign(p, sign)) return false;
    parser_step(p);
    return true;
}

static void found(const struct parser *p, struct text *t) {
    switch (p->now.kind) {
    case TOKEN_END: text_add(t, "the end of the file"); break;
    case TOKEN_STRING: text_add(t, "a string"); break;
    default: text_add(t, "'%.80s'", p->now.text); break;
    }
}

/* "expected WHAT, found ..."; always false. */
bool parser_expected(struct parser *p, const char *what) {
    p->failed = true;
    if (p->now.kind == TOKEN_WRONG) return false; /* the lexer said it */
    if (strstr(what, "';'") &&
        p->now.place.line > p->last.line) { /* show where it is missing, not what follows */
        struct place after = {p->last.at + p->last.length, 0, p->last.line};
        diagnose(p->d, LEVEL_ERROR, after, "expected %s at the end of the line", what);
        return false;
    }
    struct text t = {0};
    found(p, &t);
    diagnose(p->d, LEVEL_ERROR, p->now.place, "expected %s, found %s", what, t.s);
    text_free(&t);
    return false;
}

/* As parser_expected(), for a word out of a list: the nearest is suggested. */
bool parser_expected_word(struct parser *p, const char *what, const char *const words[], size_t n) {
    const char *near = p->now.kind == TOKEN_NAME ? text_nearest(p->now.text, words, n) : NULL;
    if (!near) return parser_expected(p, what);
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, p->now.place, "expected %s, found '%s'; did you mean '%s'?", what,
             p->now.text, near);
    return false;
}

bool parser_need_sign(struct parser *p, const char *sign) {
    if (parser_take_sign(p, sign)) return true;
    char what[8];
    text_format(what, sizeof what, "'%s'", sign);
    return parser_expected(p, what);
}

bool parser_need_word(struct parser *p, const char *word) {
    if (parser_take_word(p, word)) return true;
    char what[32];
    text_format(what, sizeof what, "'%s'", word);
    return parser_expected_word(p, what, &word, 1);
}

bool parser_need_name(struct parser *p, const char *what, struct word *out) {
    if (p->now.kind != TOKEN_NAME) return parser_expected(p, what);
    *out = (struct word){p->now.text, p->now.place};
    parser_step(p);
    return true;
}

bool parser_need_string(struct parser *p, const char *what, const char **out) {
    if (p->now.kind != TOKEN_STRING) return parser_expected(p, what);
    *out = p->now.text;
    parser_step(p);
    return true;
}

bool parser_need_count(struct parser *p, const char *what, int64_t least, int64_t most, int64_t *out) {
    long long n;
    if (p->now.kind != TOKEN_NUMBER) return parser_expected(p, what);
    if (text_to_int(p->now.text, least, most, &n) < 0) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, p->now.place, "'%s' is not %s (%lld to %lld)", p->now.text, what,
                 (long long)least, (long long)most);
        return false;
    }
    *out = n;
    parser_step(p);
    return true;
}

/* Skips to behind the ';' that ends what stands at this level of braces, or to the '}' that closes it. */
void parser_recover(struct parser *p, int level) {
    p->failed = true;
    while (p->now.kind != TOKEN_END) {
        bool ends = parser_at_sign(p, ";") && p->level <= level, closes = parser_at_sign(p, "}");
        if (closes && level > 0 && p->level <= level) return;
        int line = p->now.place.line;
        parser_step(p);
        if (ends) return;
        /* At the top a block needs no ';' behind it: the next line begins something new. */
        if (closes && level == 0 && p->level <= 0 && !parser_at_sign(p, ";") && p->now.place.line > line)
            break;
    }
    if (p->level < 0) p->level = 0;
}

/* Room for one more of a list; reports the limit once. */
bool parser_room_for(struct parser *p, size_t n, size_t most, const char *what) {
    if (n < most) return true;
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, p->now.place, "a policy has at most %zu %s", most, what);
    return false;
}

/* ---- amounts ---- */

const struct amount_scale *parser_scale_of(const char *unit, const char **kind) {
    for (const struct amount_scale *s = gflops_scales; s->unit; s++)
        if (strcmp(s->unit, unit) == 0) return *kind = "compute (GF TF PF EF)", gflops_scales;
    for (const struct amount_scale *s = bytes_scales; s->unit; s++)
        if (strcmp(s->unit, unit) == 0) return *kind = "storage (GB TB PB, GiB TiB PiB)", bytes_scales;
    return NULL;
}

/* Words that may follow an amount: one of them where a unit belongs means that the unit is missing. */
bool parser_at_keyword(const struct parser *p) {
    static const char *const words[] = {
        "compute",  "storage", "units",     "sizes", "seats",   "weight", "guarantee", "expect",  "when",
        "and",      "or",      "otherwise", "renew", "notice",  "grace",  "keep-data", "per",     "agreement",
        "lift",     "barrier", "max",       "hold",  "partial", "order",  "weigh",     "strict",  "lend-max",
        "min-hold", "most",    "for",       "lose",  "appeal",  "keep",   "each",      "unrated", "ko"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (parser_at_word(p, words[i])) return true;
    return false;
}

bool parser_amount_wrong(struct parser *p, struct place place, const char *what) {
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, place, "%s", what);
    return false;
}

struct place parser_span_places(struct place a, struct place b) {
    return (struct place){a.at, b.at + b.length - a.at, a.line};
}

/* NUMBER UNIT, where compute or storage belongs; wanted is the scale of this place. */
bool parser_need_amount(struct parser *p, const struct amount_scale *wanted, int64_t *out,
                        struct place *place) {
    bool is_compute = wanted == gflops_scales;
    const char *kind = is_compute ? "compute (GF TF PF EF)" : "storage (GB TB PB, GiB TiB PiB)", *got = NULL;
    struct token number = p->now;
    char what[128];
    text_format(what, sizeof what, "an amount of %s", kind);
    if (number.kind != TOKEN_NUMBER) return parser_expected(p, what);
    parser_step(p);
    if (p->now.kind != TOKEN_NAME || parser_at_keyword(p)) {
        text_format(what, sizeof what, "'%s' has no unit; this place takes %s", number.text, kind);
        return parser_amount_wrong(p, number.place, what);
    }
    *place = parser_span_places(number.place, p->now.place);
    const struct amount_scale *scale = parser_scale_of(p->now.text, &got);
    if (scale && scale != wanted) {
        char both[192];
        text_format(both, sizeof both, "unit mismatch: this place takes %s, got %s", kind, got);
        parser_step(p);
        return parser_amount_wrong(p, *place, both);
    }
    struct err e = {0};
    int64_t most = is_compute ? GFLOPS_MOST : BYTES_MOST;
    if (amount_scale(number.text, p->now.text, wanted, most, out, &e) < 0) {
        struct place at = scale ? *place : p->now.place;
        parser_step(p);
        return parser_amount_wrong(p, at, e.what);
    }
    parser_step(p);
    return true;
}

bool parser_need_span(struct parser *p, span_t *out, struct place *place) {
    struct token number = p->now;
    if (number.kind != TOKEN_NUMBER) return parser_expected(p, "a length of time (90 days)");
    parser_step(p);
    if (p->now.kind != TOKEN_NAME || parser_at_keyword(p)) {
        return parser_amount_wrong(p, number.place, "a length of time needs its unit: 90 days, 12 hours");
    }
    *place = parser_span_places(number.place, p->now.place);
    char both[128];
    struct err e = {0};
    if (text_format(both, sizeof both, "%s %s", number.text, p->now.text) < 0 ||
        span_parse(both, out, &e) < 0) {
        parser_step(p);
        return parser_amount_wrong(p, *place, "this is not a length of time (90 days, 12 hours, 2 weeks)");
    }
    parser_step(p);
    return true;
}
