/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a policy, one at a time. Text of a token lives in the arena. */
#pragma once
#include "policies/syntax.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,    /* letter { letter | digit | "_" | "-" | "." } */
    TOKEN_NUMBER,  /* digits [ "." digits ] */
    TOKEN_DATE,    /* dddd-dd-dd */
    TOKEN_STRING,  /* "..." with \" and \\ ; text without the quotes */
    TOKEN_SIGN,    /* one of { } ( ) , ; : ? + - % < > = != <= >= */
    TOKEN_WRONG,   /* reported already */
    TOKEN_COMMENT, /* "# ..." to the end of its line; only where comments are wanted */
};

struct token {
    enum token_kind kind;
    struct place place;
    const char *text;
};

struct lexer {
    const char *text;
    size_t length, at;
    int line;
    struct arena *arena;
    struct diagnostics *d;
    bool comments; /* give them as tokens, for who keeps them; the parser does without */
};

/* Refuses what is not a text at all (size, UTF-8, control characters); true when it may be read. */
bool lex_begin(struct lexer *lexer, const char *text, size_t length, struct arena *arena,
               struct diagnostics *d);
struct token lex_next(struct lexer *lexer);
