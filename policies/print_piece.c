/* SPDX-License-Identifier: Apache-2.0 */
/* One statement into lines: the words of a kind in columns, then what follows as far as a line goes. */
#include "policies/print.h"

#include <stdint.h>
#include <string.h>

/* ---- width ---- */

static bool is_wide(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
                {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i].first && c <= wide[i].last) return true;
    return false;
}

size_t print_width(const char *text, size_t length) {
    size_t width = 0;
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)text[i++];
        uint32_t code = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;
        while (i < length && ((unsigned char)text[i] & 0xc0) == 0x80)
            code = code << 6 | ((unsigned char)text[i++] & 0x3f);
        width = c == '\n' ? 0 : width + (is_wide(code) ? 2 : 1);
    }
    return width;
}

/* ---- words ---- */

static bool is_sign(const struct token *t, const char *sign) {
    return t->kind == TOKEN_SIGN && strcmp(t->text, sign) == 0;
}

static bool is_word(const struct token *t, const char *word) {
    return t->kind == TOKEN_NAME && strcmp(t->text, word) == 0;
}

static bool is_one_of(const struct token *t, const char *const words[]) {
    for (; *words; words++)
        if (is_word(t, *words)) return true;
    return false;
}

/* "in <name>": the sign before the name of a table. */
static bool opens_table(const struct print_piece *p, size_t i) {
    return i > 0 && is_sign(&p->tokens[i], "<") && is_word(&p->tokens[i - 1], "in");
}

static bool has_blank_before(const struct print_piece *p, size_t i) {
    const struct token *t = &p->tokens[i];
    if (i == 0 || is_sign(t, ",") || is_sign(t, ";") || is_sign(t, ")") || is_sign(t, "?")) return false;
    if (is_sign(t, ">") && i >= 3 && opens_table(p, i - 2)) return false;
    return !is_sign(&p->tokens[i - 1], "(") && !opens_table(p, i - 1);
}

static void word_put(const char *source, const struct token *t, struct text *out) {
    text_put(out, source + t->place.at, t->place.length);
}

void print_comment(const char *source, const struct token *t, struct text *out) {
    size_t n = t->place.length, end = out->length;
    for (size_t i = 0; i < n; i++) {
        const char *c = source + t->place.at + i;
        if ((unsigned char)*c < 0x20 && *c != '\t') continue;
        if (*c == 0x7f) continue;
        text_put(out, c, 1);
        if (*c != ' ' && *c != '\t') end = out->length;
    }
    out->length = end; /* blanks at the end of a line */
    out->s[end] = '\0';
}

/* ---- columns ---- */

static int named_slot(const struct token *t, const char *const words[], int first) {
    for (int i = 0; words[i]; i++)
        if (is_word(t, words[i])) return first + i;
    return -1;
}

int print_slot(const struct print_piece *p, size_t i) {
    static const char *const flavor[] = {"units", "sizes", NULL}, *const service[] = {"seats", NULL};
    static const char *const tier[] = {"weight", "guarantee", "expect", NULL};
    const struct token *t = &p->tokens[i];
    if (p->class <= CLASS_RULE) return -1;
    if (i < 2) return (int)i;
    switch (p->class) {
    case CLASS_FLAVOR: return i == 2 ? 2 : named_slot(t, flavor, 3);
    case CLASS_SERVICE: return named_slot(t, service, 2);
    case CLASS_ATTR:
    case CLASS_ELIGIBLE: return i == 2 ? 2 : -1;
    case CLASS_TIER:
        if (t->kind != TOKEN_STRING) return named_slot(t, tier, 2);
        return is_word(t - 1, "ko") ? -1 : 5;
    default: return -1;
    }
}

/* The tokens from i that stand in its column; the end of the last is not known here. */
static size_t cell_end(const struct print_piece *p, size_t i) {
    size_t end = i + 1;
    while (end < p->n && print_slot(p, end) < 0) end++;
    return end;
}

static void cell_text(const char *source, const struct print_piece *p, size_t i, size_t end,
                      struct text *out) {
    for (size_t k = i; k < end; k++) {
        if (k > i && has_blank_before(p, k)) text_put(out, " ", 1);
        word_put(source, &p->tokens[k], out);
    }
}

/* The token that begins the last column. */
static size_t last_cell(const struct print_piece *p) {
    size_t last = 0;
    for (size_t i = 0; i < p->n && !is_word(&p->tokens[i], "when"); i++)
        if (print_slot(p, i) >= 0) last = i;
    return last;
}

/* Words in another order, or a comment between them, and the columns mean nothing. */
static bool falls_into_columns(const struct print_piece *p) {
    int before = -1;
    if (p->class <= CLASS_RULE || p->n < 4) return false;
    for (size_t i = 0, last = last_cell(p); i <= last; i++) {
        int slot = print_slot(p, i);
        if (p->tokens[i].kind == TOKEN_COMMENT || (slot >= 0 && slot <= before)) return false;
        if (slot >= 0) before = slot;
    }
    return true;
}

void print_measure(const char *source, struct print_piece *p, struct print_columns *columns) {
    p->aligned = falls_into_columns(p);
    if (!p->aligned) return;
    for (size_t i = 0, last = last_cell(p), end; i < last; i = end) {
        end = cell_end(p, i);
        struct text t = {0};
        cell_text(source, p, i, end, &t);
        size_t *width = &columns->width[print_slot(p, i)], need = print_width(t.s, t.length);
        if (need > *width) *width = need;
        text_free(&t);
    }
}

/* ---- lines ---- */

struct lines {
    const char *source;
    const struct print_piece *p;
    struct text *out;
    size_t hang; /* where a line that goes on begins */
    size_t deep; /* where a part goes on that is too long for one */
    bool fresh;  /* nothing stands on this line but blanks */
};

static void line_new(struct lines *l, size_t indent) {
    text_add(l->out, "\n%*s", (int)indent, "");
    l->fresh = true;
}

static void run_put(struct lines *l, size_t i, size_t end) {
    if (!l->fresh && has_blank_before(l->p, i)) text_put(l->out, " ", 1);
    cell_text(l->source, l->p, i, end, l->out);
    l->fresh = false;
}

static bool run_fits(const struct lines *l, size_t i, size_t end, size_t most) {
    struct text t = {0};
    cell_text(l->source, l->p, i, end, &t);
    size_t width = print_width(l->out->s, l->out->length) + print_width(t.s, t.length);
    text_free(&t);
    return width + (!l->fresh && has_blank_before(l->p, i)) <= most;
}

/* A part begins here, before which a long line is broken first. */
static bool begins_part(const struct print_piece *p, size_t i, bool in_condition) {
    static const char *const all[] = {"ko", "when", "otherwise", NULL};
    static const char *const of_rules[] = {
        "order",    "weigh",   "strict", "lift",   "barrier", "partial", "hold",  "lend-max",  "notice",
        "min-hold", "most",    "lose",   "appeal", "keep",    "renew",   "grace", "keep-data", "agreement",
        "compute",  "storage", "units",  "seats",  "each",    "for",     NULL};
    const struct token *t = &p->tokens[i];
    if (in_condition || i < 2) return false;
    if (p->class == CLASS_ELIGIBLE || p->class == CLASS_TIER || p->class == CLASS_RULE)
        if (is_one_of(t, all)) return true;
    return p->class == CLASS_RULE && is_one_of(t, of_rules);
}

/* A part that is too long for a line is broken here. */
static bool may_break(const struct print_piece *p, size_t i) {
    return is_sign(&p->tokens[i - 1], ",") || is_word(&p->tokens[i], "and") || is_word(&p->tokens[i], "or");
}

static void part_put(struct lines *l, size_t i, size_t end, size_t most) {
    if (!l->fresh && !run_fits(l, i, end, most)) line_new(l, l->hang);
    if (run_fits(l, i, end, PRINT_WIDTH)) {
        run_put(l, i, end);
        return;
    }
    for (size_t next; i < end; i = next) {
        for (next = i + 1; next < end && !may_break(l->p, next);) next++;
        if (!l->fresh && !run_fits(l, i, next, PRINT_WIDTH)) line_new(l, l->deep);
        run_put(l, i, next);
    }
}

/* A comment inside a statement ends its line. */
static void inner_comment(struct lines *l, size_t i) {
    const struct token *t = &l->p->tokens[i];
    if (i > 0 && t->place.line == t[-1].place.line && t[-1].kind != TOKEN_COMMENT) {
        text_add(l->out, "%*s", PRINT_COMMENT_GAP, "");
    } else if (!l->fresh) {
        line_new(l, l->hang);
    }
    print_comment(l->source, t, l->out);
    if (i + 1 < l->p->n) line_new(l, l->hang);
}

static bool has_word(const struct print_piece *p, const char *word) {
    for (size_t i = 3; i < p->n; i++)
        if (is_word(&p->tokens[i], word)) return true;
    return false;
}

/* The rest of a piece from token i. Where a rule of a set has a reason in two languages and a condition, the
   condition has its own line, and the languages stand side by side only where they are short. */
static void rest_put(struct lines *l, size_t i) {
    const struct print_piece *p = l->p;
    bool in_condition = false, apart = p->class >= CLASS_ELIGIBLE && has_word(p, "ko") && has_word(p, "when");
    for (size_t end; i < p->n; i = end) {
        const struct token *t = &p->tokens[i];
        end = i + 1;
        if (t->kind == TOKEN_COMMENT) {
            inner_comment(l, i);
            continue;
        }
        if (begins_part(p, i, in_condition) && is_word(t, "when")) {
            in_condition = true;
            if (apart && !l->fresh) line_new(l, l->hang);
            l->deep = l->hang + strlen("when ");
        }
        while (end < p->n && p->tokens[end].kind != TOKEN_COMMENT && !begins_part(p, end, in_condition))
            end++;
        part_put(l, i, end, apart && is_word(t, "ko") ? PRINT_REASONS : PRINT_WIDTH);
        if (in_condition) l->hang = l->deep;
    }
}

/* The words in columns; returns the token that begins the last of them. */
static size_t columns_put(struct lines *l, const struct print_columns *columns) {
    const struct print_piece *p = l->p;
    size_t last = last_cell(p);
    int slot = 0;
    for (size_t i = 0, end; i < last; i = end) {
        struct text t = {0};
        end = cell_end(p, i);
        cell_text(l->source, p, i, end, &t);
        slot = print_slot(p, i);
        text_add(l->out, "%s%*s", t.s, (int)(columns->width[slot] - print_width(t.s, t.length)) + 1, "");
        text_free(&t);
        bool skips = false; /* a column that others have: from here on it goes its own way */
        for (int k = slot + 1; k < print_slot(p, end); k++) skips |= columns->width[k] > 0;
        if (skips) {
            while (l->out->s[l->out->length - 1] == ' ') l->out->s[--l->out->length] = '\0';
            l->fresh = false;
            return end;
        }
    }
    return last;
}

static size_t hang_of(const char *source, const struct print_piece *p, const struct print_columns *columns) {
    size_t first = print_width(source + p->tokens[0].place.at, p->tokens[0].place.length);
    const size_t *w = columns->width;
    switch (p->class) {
    case CLASS_RULE: return first + 1;
    case CLASS_ELIGIBLE: return p->aligned ? p->indent + w[0] + w[1] + 2 : p->indent + first + 1;
    case CLASS_TIER: return p->indent + (p->aligned ? w[0] : first) + 1;
    default: return p->indent + 2;
    }
}

void print_piece(const char *source, const struct print_piece *p, const struct print_columns *columns,
                 struct text *out) {
    struct lines l = {source, p, out, hang_of(source, p, columns), 0, true};
    l.deep = l.hang + 2;
    text_add(out, "%*s", (int)p->indent, "");
    if (p->tokens[0].kind == TOKEN_COMMENT) {
        print_comment(source, p->tokens, out);
        return;
    }
    rest_put(&l, p->aligned ? columns_put(&l, columns) : 0);
}
