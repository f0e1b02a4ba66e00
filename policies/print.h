/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of a policy: the words as they were written, in their order, with all comments; only
 * blanks, line ends and the ';' behind a block's '}' are ours. At most one empty line stands where there were
 * some; statements of a kind that follow each other are aligned, as are the comments behind them; what is
 * too long for a line goes on below its first word. Printed again it is the same to the byte, whatever the
 * locale. Control characters in a comment are dropped; nobody sees them.
 */
#pragma once
#include "policies/lex.h"
#include "policies/policy.h"

/* False, with the errors in d, when the text cannot be parsed; what it means is not looked at. */
bool policy_print(const struct policy_source *source, struct text *out, struct diagnostics *d);

/* ---- inside policies/print*.c ---- */

enum { PRINT_WIDTH = 118, PRINT_REASONS = 100, PRINT_COMMENT_GAP = 3, PRINT_SLOTS = 6 };

enum print_block { BLOCK_TOP, BLOCK_POOL, BLOCK_ELIGIBLE, BLOCK_TIER };

/* Statements whose words stand below each other. */
enum print_class {
    CLASS_PLAIN,
    CLASS_RULE,
    CLASS_FLAVOR,
    CLASS_SERVICE,
    CLASS_ATTR,
    CLASS_ELIGIBLE,
    CLASS_TIER
};

/* A statement up to its ';', the beginning of a block up to '{', its '}', or a comment of its own. */
struct print_piece {
    const struct token *tokens;
    size_t n;
    enum print_class class;
    size_t indent;
    bool blank_before, begins_group;
    bool aligned;                /* its words fall into columns */
    const struct token *comment; /* behind it, on its line; NULL: none */
};

struct print_columns {
    size_t width[PRINT_SLOTS]; /* of the widest word of each column; 0: nobody has one */
};

/* The column that begins with token i, or -1. */
int print_slot(const struct print_piece *p, size_t i);
/* Widens columns to what the piece needs; sets piece->aligned. */
void print_measure(const char *source, struct print_piece *p, struct print_columns *columns);
/* The lines of a piece without what follows it; no line end behind the last. */
void print_piece(const char *source, const struct print_piece *p, const struct print_columns *columns,
                 struct text *out);
void print_comment(const char *source, const struct token *t, struct text *out);
/* Columns of the last line of a text; East Asian wide characters count two. */
size_t print_width(const char *text, size_t length);
