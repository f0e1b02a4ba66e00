/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV in and out: RFC 4180, UTF-8, a header line. Both line endings and a byte order mark are
 * accepted; everything that is not exactly right is refused with its line: wrong number of fields,
 * stray quotes, bytes that are not UTF-8, unknown or repeated column names.
 *
 * A spreadsheet runs a cell that begins with = + - @ (also in full width), tab or a line end as a
 * formula. The writer puts one apostrophe before such text, and before text that would look so after
 * removing apostrophes; the reader takes one away again. So what is exported is harmless when opened
 * and comes back to the byte when imported, and there is no second way of writing.
 */
#pragma once
#include "alloc/err.h"
#include "alloc/text.h"

#include <stddef.h>

enum {
    CSV_BYTES_MOST = 64 << 20,
    CSV_COLUMNS_MOST = 256,
    CSV_FIELD_MOST = 64 << 10,
    CSV_ROWS_MOST = 1000000,
};

/* One reading. The bytes belong to the caller and outlive it; fields live until the next csv_next(). */
struct csv {
    size_t n_columns;
    char **names;  /* of the header, n_columns of them */
    char **fields; /* of the current row, n_columns of them */
    size_t line;   /* where the current row begins; the header is line 1 */
    size_t row;    /* 1 is the first after the header */
    /* private */
    const char *title, *at, *end;
    size_t line_next;
    struct text store;
    size_t *starts;
    size_t room;
};

/* Reads the header. title names the file in messages. csv_close() also after a failure. */
int csv_open(struct csv *csv, const char *bytes, size_t length, const char *title, struct err *e);
/* Refuses repeated names and names that are not in known (ends with NULL), suggesting the nearest.
   Names that begin with one of `prefixes` ("attr."; ends with NULL) pass; it may be NULL. */
int csv_match(const struct csv *csv, const char *const known[], const char *const prefixes[], struct err *e);
/* 1 a row, 0 the end, -1 an error. */
int csv_next(struct csv *csv, struct err *e);
/* The field of that column in this row, or NULL when the file has no such column. */
const char *csv_get(const struct csv *csv, const char *name);
/* "file.csv:12: message" (ERR_USAGE), about the current row. */
int csv_fail(const struct csv *csv, struct err *e, const char *format, ...) ERR_FORMAT(3, 4);
void csv_close(struct csv *csv);

/* Rows that are wrong of a file that is taken as a whole or not at all: the first ones are named with what is
   wrong with them, the others by their line. Starts zeroed; csv_wrong_end() ends it. */
struct csv_wrong {
    struct text words, lines;
    size_t n;
};
void csv_wrong_add(struct csv_wrong *w, size_t line, struct err *why); /* *why is cleared */
/* 0 there is none; -1 (ERR_USAGE): all are named. rows: of the file. */
int csv_wrong_end(struct csv_wrong *w, const char *title, size_t rows, struct err *e);

/* Writing: cells, then csv_end_row(); the text is in out->text. Starts zeroed. */
struct csv_out {
    struct text text;
    size_t cells, row; /* in this row; where it begins */
};
void csv_mark(struct csv_out *out);                    /* a byte order mark, for Excel: first of all */
void csv_put(struct csv_out *out, const char *cell);   /* text, made harmless */
void csv_put_number(struct csv_out *out, long long n); /* as it is, also below zero */
void csv_end_row(struct csv_out *out);
