/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing buffer, formatting that notices truncation, UTF-8 checks, nearest names.
 * A struct text starts zeroed; text_take() hands the string to the caller, text_free() drops it.
 */
#pragma once
#include "alloc/err.h"

#include <stddef.h>

struct text {
    char *s; /* always terminated once something was added; NULL before */
    size_t length, room;
};

void text_add(struct text *t, const char *format, ...) ERR_FORMAT(2, 3);
void text_put(struct text *t, const char *bytes, size_t length);
char *text_take(struct text *t); /* "" when empty; the buffer is empty afterwards */
void text_free(struct text *t);

/* snprintf that fails (-1) when the text does not fit; the buffer is then "". */
int text_format(char *buffer, size_t size, const char *format, ...) ERR_FORMAT(3, 4);

bool text_is_utf8(const char *bytes, size_t length); /* valid, shortest form, no surrogates, no NUL */
/* Printable: valid UTF-8 without control characters. Empty text is printable. */
bool text_is_printable(const char *text);
/* Columns on a terminal (wide characters count 2). Needs a UTF-8 LC_CTYPE for other than ASCII. */
size_t text_width(const char *text);

/* The nearest of names[n] to word if it is near enough to suggest, else NULL. */
const char *text_nearest(const char *word, const char *const names[], size_t n);
/* The edit distance that text_nearest() uses (insert, delete, change, swap of neighbours). */
size_t text_distance(const char *a, const char *b);
bool text_same(const char *a, const char *b); /* equal, or both NULL */
/* Is word one of the comma separated words of list? NULL is an empty list. Words are compared whole. */
bool text_list_has(const char *list, const char *word);
/* Whole text as a decimal int64 in [low, high]; no sign unless low < 0, no spaces. 0 or -1. */
int text_to_int(const char *text, long long low, long long high, long long *out);
