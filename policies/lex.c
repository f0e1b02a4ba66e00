/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/lex.h"

#include <string.h>

static struct place place_at(const struct lexer *lexer, size_t at, size_t length) {
    return (struct place){at, length, lexer->line};
}

/* The first byte that does not continue valid UTF-8. */
static size_t first_bad(const char *text, size_t length) {
    size_t good = 0;
    while (good < length) {
        size_t n = 1;
        while (n <= 4 && good + n <= length && !text_is_utf8(text + good, n)) n++;
        if (n > 4 || good + n > length) break;
        good += n;
    }
    return good;
}

static int line_at(const char *text, size_t at) {
    int line = 1;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

bool lex_begin(struct lexer *lexer, const char *text, size_t length, struct arena *arena,
               struct diagnostics *d) {
    *lexer = (struct lexer){text, length, 0, 1, arena, d, false};
    if (length > POLICY_BYTES) {
        diagnose(d, LEVEL_ERROR, place_at(lexer, 0, 0), "the file has %zu bytes; a policy has at most %d",
                 length, POLICY_BYTES);
        return false;
    }
    if (!text_is_utf8(text, length)) {
        size_t bad = first_bad(text, length);
        struct place place = {bad, 0, line_at(text, bad)};
        diagnose(d, LEVEL_ERROR, place, "byte 0x%02x is not UTF-8 text; save the file as UTF-8",
                 (unsigned char)text[bad]);
        return false;
    }
    /* A byte order mark says nothing in UTF-8; some editors write it. */
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) lexer->at = 3;
    return true;
}

static void skip_blanks(struct lexer *lexer) {
    while (lexer->at < lexer->length) {
        char c = lexer->text[lexer->at];
        if (c == '#' && !lexer->comments) {
            while (lexer->at < lexer->length && lexer->text[lexer->at] != '\n') lexer->at++;
        } else if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
            lexer->line += c == '\n';
            lexer->at++;
        } else {
            return;
        }
    }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool in_name(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }

static char peek(const struct lexer *lexer, size_t ahead) {
    if (lexer->at + ahead >= lexer->length) return '\0';
    return lexer->text[lexer->at + ahead];
}

static struct token take(struct lexer *lexer, enum token_kind kind, size_t length) {
    struct token t = {kind, place_at(lexer, lexer->at, length),
                      arena_copy(lexer->arena, lexer->text + lexer->at, length)};
    lexer->at += length;
    return t;
}

static struct token take_name(struct lexer *lexer) {
    size_t n = 1;
    while (in_name(peek(lexer, n))) n++;
    struct token t = take(lexer, TOKEN_NAME, n);
    if (n <= POLICY_NAME) return t;
    diagnose(lexer->d, LEVEL_ERROR, t.place, "a name has at most %d characters", POLICY_NAME);
    t.kind = TOKEN_WRONG;
    return t;
}

static struct token take_number(struct lexer *lexer) {
    size_t n = 0;
    for (const char *p = "0000-00-00"; *p && (*p == '0' ? is_digit(peek(lexer, n)) : peek(lexer, n) == *p);
         p++)
        n++;
    if (n == 10 && !is_digit(peek(lexer, n))) return take(lexer, TOKEN_DATE, n);
    for (n = 1; is_digit(peek(lexer, n));) n++;
    if (peek(lexer, n) == '.' && is_digit(peek(lexer, n + 1)))
        for (n += 2; is_digit(peek(lexer, n));) n++;
    if (n <= 30) return take(lexer, TOKEN_NUMBER, n);
    struct token t = take(lexer, TOKEN_WRONG, n);
    diagnose(lexer->d, LEVEL_ERROR, t.place, "a number has at most 30 digits");
    return t;
}

/* A string ends on its line; a missing quote is then found where it is missing. */
static struct token take_string(struct lexer *lexer) {
    struct text s = {0};
    size_t n = 1;
    const char *wrong = NULL;
    for (; peek(lexer, n) != '"'; n++) {
        char c = peek(lexer, n);
        if (c == '\0' || c == '\n' || c == '\r') {
            wrong = "the string has no closing quote on its line";
            n--;
            break;
        }
        if (c == '\\') {
            c = peek(lexer, ++n);
            if (c != '"' && c != '\\') wrong = "only \\\" and \\\\ may stand after a backslash in a string";
            if (c == '\0' || c == '\n' || c == '\r') {
                n -= 2;
                break;
            }
        }
        text_put(&s, &c, 1);
    }
    struct token t = take(lexer, TOKEN_STRING, n + 1);
    t.text = arena_copy(lexer->arena, s.s ? s.s : "", s.length);
    if (!wrong && s.length > POLICY_TEXT) wrong = "a string has at most 500 bytes";
    if (!wrong && !text_is_printable(t.text)) wrong = "the string has characters that cannot be shown";
    if (wrong) {
        diagnose(lexer->d, LEVEL_ERROR, t.place, "%s", wrong);
        t.kind = TOKEN_WRONG;
    }
    text_free(&s);
    return t;
}

static struct token take_comment(struct lexer *lexer) {
    size_t n = 1;
    while (lexer->at + n < lexer->length && lexer->text[lexer->at + n] != '\n') n++;
    return take(lexer, TOKEN_COMMENT, n);
}

static struct token take_wrong(struct lexer *lexer) {
    size_t n = 1;
    while (((unsigned char)peek(lexer, n) & 0xc0) == 0x80) n++;
    struct token t = take(lexer, TOKEN_WRONG, n);
    if ((unsigned char)t.text[0] < 0x20 || t.text[0] == 0x7f)
        diagnose(lexer->d, LEVEL_ERROR, t.place, "control character 0x%02x", (unsigned char)t.text[0]);
    else if (!text_is_printable(t.text))
        diagnose(lexer->d, LEVEL_ERROR, t.place, "unexpected character that cannot be shown");
    else
        diagnose(lexer->d, LEVEL_ERROR, t.place, "unexpected character '%s'", t.text);
    return t;
}

struct token lex_next(struct lexer *lexer) {
    skip_blanks(lexer);
    char c = peek(lexer, 0);
    if (lexer->at >= lexer->length) return (struct token){TOKEN_END, place_at(lexer, lexer->at, 0), ""};
    if (is_letter(c)) return take_name(lexer);
    if (is_digit(c)) return take_number(lexer);
    if (c == '"') return take_string(lexer);
    if (c == '#') return take_comment(lexer);
    bool two = (c == '!' || c == '<' || c == '>' || c == '=') && peek(lexer, 1) == '=';
    if (two) return take(lexer, TOKEN_SIGN, 2);
    if (strchr("{}(),;:?+-%<>=", c)) return take(lexer, TOKEN_SIGN, 1);
    return take_wrong(lexer);
}
