/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/print.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

struct pieces {
    const char *source;
    struct token *tokens;
    size_t n_tokens, room_tokens;
    struct print_piece *of;
    size_t n, room;
    enum print_block block;
};

static bool is_sign(const struct token *t, const char *sign) {
    return t->kind == TOKEN_SIGN && strcmp(t->text, sign) == 0;
}

static bool is_word(const struct token *t, const char *word) {
    return t->kind == TOKEN_NAME && strcmp(t->text, word) == 0;
}

/* ---- words into pieces ---- */

static bool words_read(struct pieces *p, const struct policy_source *source, struct arena *arena,
                       struct diagnostics *d) {
    struct lexer lexer;
    if (!lex_begin(&lexer, source->text, source->length, arena, d)) return false;
    lexer.comments = true;
    for (struct token t = lex_next(&lexer); t.kind != TOKEN_END; t = lex_next(&lexer)) {
        p->tokens = mem_grow(p->tokens, &p->room_tokens, p->n_tokens + 1, sizeof t);
        p->tokens[p->n_tokens++] = t;
    }
    return true;
}

static enum print_class class_of(enum print_block block, const struct token *first) {
    static const char *const others[] = {"policy", "table", "expect", "pool", "set"};
    switch (block) {
    case BLOCK_ELIGIBLE: return CLASS_ELIGIBLE;
    case BLOCK_TIER: return CLASS_TIER;
    case BLOCK_POOL:
        return is_word(first, "flavor") ? CLASS_FLAVOR : is_word(first, "saas") ? CLASS_SERVICE : CLASS_PLAIN;
    case BLOCK_TOP: break;
    }
    if (is_word(first, "attr")) return CLASS_ATTR;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_word(first, others[i])) return CLASS_PLAIN;
    return CLASS_RULE;
}

/* How many words the piece has that begins at i. */
static size_t piece_length(const struct pieces *p, size_t i) {
    const struct token *t = &p->tokens[i];
    bool opens = p->block == BLOCK_TOP && (is_word(t, "pool") || is_word(t, "set"));
    int depth = 0;
    if (t->kind == TOKEN_COMMENT || (p->block != BLOCK_TOP && is_sign(t, "}"))) return 1;
    for (size_t k = i; k < p->n_tokens; k++) {
        if (opens && is_sign(&p->tokens[k], "{")) return k - i + 1;
        depth += is_sign(&p->tokens[k], "{") - is_sign(&p->tokens[k], "}");
        if (depth == 0 && is_sign(&p->tokens[k], ";")) return k - i + 1;
    }
    return p->n_tokens - i;
}

static enum print_block block_begun(const struct print_piece *piece) {
    if (is_word(&piece->tokens[0], "pool")) return BLOCK_POOL;
    return is_word(&piece->tokens[1], "tier") ? BLOCK_TIER : BLOCK_ELIGIBLE;
}

static bool is_block_begin(const struct print_piece *p) { return is_sign(&p->tokens[p->n - 1], "{"); }
static bool is_block_end(const struct print_piece *p) { return is_sign(&p->tokens[0], "}"); }

/* One piece at token i; the token behind it, and behind a comment on its line. */
static size_t piece_take(struct pieces *p, size_t i) {
    const struct token *t = &p->tokens[i];
    struct print_piece piece = {
        .tokens = t, .n = piece_length(p, i), .indent = p->block == BLOCK_TOP ? 0 : 2};
    const struct print_piece *before = p->n ? &p->of[p->n - 1] : NULL;
    piece.class = t->kind == TOKEN_COMMENT ? CLASS_PLAIN : class_of(p->block, t);
    bool ends = p->block != BLOCK_TOP && is_block_end(&piece);
    if (ends) {
        p->block = BLOCK_TOP;
        piece.indent = 0;
        piece.class = CLASS_PLAIN;
    } else if (p->block == BLOCK_TOP && is_block_begin(&piece)) {
        p->block = block_begun(&piece);
    }
    if (before && i > 0 && t->place.line > p->tokens[i - 1].place.line + 1)
        piece.blank_before = !ends && !is_block_begin(before);
    bool apart =
        ends || is_block_begin(&piece) || (before && (is_block_end(before) || is_block_begin(before)));
    piece.begins_group = !before || piece.blank_before || apart;
    i += piece.n;
    if (ends && i < p->n_tokens && is_sign(&p->tokens[i], ";")) i++;
    if (t->kind != TOKEN_COMMENT && i < p->n_tokens && p->tokens[i].kind == TOKEN_COMMENT &&
        p->tokens[i].place.line == p->tokens[i - 1].place.line)
        piece.comment = &p->tokens[i++];
    p->of = mem_grow(p->of, &p->room, p->n + 1, sizeof piece);
    p->of[p->n++] = piece;
    return i;
}

/* ---- pieces into text ---- */

static size_t group_end(const struct pieces *p, size_t first) {
    size_t end = first + 1;
    while (end < p->n && !p->of[end].begins_group) end++;
    return end;
}

struct column_set {
    struct print_columns of[CLASS_TIER + 1];
};

/* Comments behind the pieces of a group stand below each other. */
static void group_print(const struct pieces *p, size_t first, size_t end, struct text *out) {
    struct column_set columns = {0};
    size_t widest = 0;
    scoped_free struct text *lines = mem_alloc((end - first) * sizeof *lines);
    for (size_t i = first; i < end; i++) print_measure(p->source, &p->of[i], &columns.of[p->of[i].class]);
    for (size_t i = first; i < end; i++) {
        struct text *t = &lines[i - first];
        print_piece(p->source, &p->of[i], &columns.of[p->of[i].class], t);
        size_t width = p->of[i].comment ? print_width(t->s, t->length) : 0;
        if (width > widest) widest = width;
    }
    for (size_t i = first; i < end; i++) {
        struct text *t = &lines[i - first];
        if (p->of[i].blank_before) text_put(out, "\n", 1);
        text_put(out, t->s, t->length);
        if (p->of[i].comment) {
            size_t gap = widest - print_width(t->s, t->length) + PRINT_COMMENT_GAP;
            text_add(out, "%*s", (int)gap, "");
            print_comment(p->source, p->of[i].comment, out);
        }
        text_put(out, "\n", 1);
        text_free(t);
    }
}

/* The contents of tables do not matter here. */
static int no_table(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    (void)arg, (void)name, (void)file, (void)out, (void)e;
    return 0;
}

static bool can_be_parsed(const struct policy_source *source, struct diagnostics *d) {
    struct policy_source without = *source;
    without.table = no_table;
    struct policy *policy = policy_parse_only(&without, d);
    policy_free(policy);
    return policy != NULL;
}

bool policy_print(const struct policy_source *source, struct text *out, struct diagnostics *d) {
    struct pieces p = {.source = source->text};
    struct arena arena = {0};
    bool good = can_be_parsed(source, d) && words_read(&p, source, &arena, d);
    for (size_t i = 0; good && i < p.n_tokens;) i = piece_take(&p, i);
    for (size_t i = 0, end; good && i < p.n; i = end) group_print(&p, i, end = group_end(&p, i), out);
    free(p.of);
    free(p.tokens);
    arena_free(&arena);
    return good;
}
