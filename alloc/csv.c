/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/csv.h"

#include "alloc/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that a spreadsheet takes for a formula: OWASP "CSV injection", with the full-width forms. */
static bool looks_like_formula(const char *s) {
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
    if (*s && strchr("=+-@\t\r\n", *s)) return true;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strncmp(s, wide[i], 3) == 0) return true;
    return false;
}

static bool needs_guard(const char *s) { return looks_like_formula(s + strspn(s, "'")); }

/* reading */

static int fail_at(const struct csv *csv, size_t line, struct err *e, const char *message) {
    return err_set(e, ERR_USAGE, "%s:%zu: %s", csv->title, line, message);
}

int csv_fail(const struct csv *csv, struct err *e, const char *format, ...) {
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return fail_at(csv, csv->line, e, message);
}

/* Is there a line end at p? Its length, or 0. */
static size_t line_end(const struct csv *csv, const char *p) {
    if (p < csv->end && *p == '\n') return 1;
    return csv->end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* One quoted field: csv->at stands behind the opening quote, then behind the closing one. */
static int read_quoted(struct csv *csv, struct err *e) {
    size_t opened = csv->line_next;
    for (;;) {
        const char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (!quote) return fail_at(csv, opened, e, "a quoted field is not closed");
        for (const char *p = csv->at; (p = memchr(p, '\n', (size_t)(quote - p))); p++) csv->line_next++;
        text_put(&csv->store, csv->at, (size_t)(quote - csv->at));
        csv->at = quote + 1;
        if (csv->at == csv->end || *csv->at != '"') return 0;
        text_put(&csv->store, csv->at++, 1);
    }
}

static int read_plain(struct csv *csv, struct err *e) {
    const char *p = csv->at;
    while (p < csv->end && *p != ',' && *p != '"' && !line_end(csv, p)) {
        if (*p == '\r') return fail_at(csv, csv->line_next, e, "a carriage return without a line feed");
        p++;
    }
    if (p < csv->end && *p == '"') return fail_at(csv, csv->line_next, e, "a quote inside an unquoted field");
    text_put(&csv->store, csv->at, (size_t)(p - csv->at));
    csv->at = p;
    return 0;
}

static int check_utf8(const struct csv *csv, const char *s, size_t length, struct err *e) {
    if (text_is_utf8(s, length)) return 0;
    fail_at(csv, csv->line, e, memchr(s, '\0', length) ? "a NUL byte" : "not UTF-8");
    return err_hint(e, "save the file as \"CSV UTF-8\"");
}

static int read_field(struct csv *csv, struct err *e) {
    size_t start = csv->store.length;
    bool is_quoted = csv->at < csv->end && *csv->at == '"';
    if (is_quoted) csv->at++;
    if ((is_quoted ? read_quoted(csv, e) : read_plain(csv, e)) < 0) return -1;
    if (csv->at < csv->end && *csv->at != ',' && !line_end(csv, csv->at))
        return fail_at(csv, csv->line_next, e, "text behind a closing quote");
    size_t length = csv->store.length - start;
    if (length > CSV_FIELD_MOST) return fail_at(csv, csv->line, e, "a field of more than 64 KiB");
    if (check_utf8(csv, length ? csv->store.s + start : "", length, e) < 0) return -1;
    text_put(&csv->store, "", 1); /* its end */
    return 0;
}

/* Fields of one line into store, their beginnings into starts. */
static int read_row(struct csv *csv, size_t *n, struct err *e) {
    csv->store.length = 0;
    csv->line = csv->line_next;
    for (*n = 0;;) {
        if (*n == CSV_COLUMNS_MOST) return fail_at(csv, csv->line, e, "more than 256 fields");
        csv->starts = mem_grow(csv->starts, &csv->room, *n + 1, sizeof *csv->starts);
        csv->starts[(*n)++] = csv->store.length;
        if (read_field(csv, e) < 0) return -1;
        if (csv->at == csv->end) return 0;
        size_t end = line_end(csv, csv->at);
        csv->at += end ? end : 1;
        if (!end) continue;
        csv->line_next++;
        return 0;
    }
}

static void skip_blank_lines(struct csv *csv) {
    for (size_t n; (n = line_end(csv, csv->at)) > 0; csv->at += n) csv->line_next++;
}

/* The i-th field of the row just read, without the writer's guard. */
static char *field_at(const struct csv *csv, size_t i) {
    char *s = csv->store.s + csv->starts[i];
    return *s == '\'' && needs_guard(s) ? s + 1 : s;
}

static int check_header(const struct csv *csv, struct err *e) {
    for (size_t i = 0; i < csv->n_columns; i++) {
        if (csv->names[i][0] == '\0') return csv_fail(csv, e, "column %zu has no name", i + 1);
        if (!text_is_printable(csv->names[i]))
            return csv_fail(csv, e, "the name of column %zu holds control characters", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(csv->names[i], csv->names[j]) == 0)
                return csv_fail(csv, e, "column '%.100s' stands twice (%zu and %zu)", csv->names[i], j + 1,
                                i + 1);
    }
    return 0;
}

int csv_open(struct csv *csv, const char *bytes, size_t length, const char *title, struct err *e) {
    *csv = (struct csv){.title = title, .at = bytes, .end = bytes + length, .line_next = 1};
    if (length > CSV_BYTES_MOST)
        return err_set(e, ERR_USAGE, "%s: more than %d bytes", title, CSV_BYTES_MOST);
    if (length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        err_set(e, ERR_USAGE, "%s:1: UTF-16, not UTF-8", title);
        return err_hint(e, "save the file as \"CSV UTF-8\"");
    }
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) csv->at += 3;
    skip_blank_lines(csv);
    if (csv->at == csv->end)
        return err_set(e, ERR_USAGE, "%s: empty: the first line names the columns", title);
    size_t n;
    if (read_row(csv, &n, e) < 0) return -1;
    csv->names = mem_alloc(n * sizeof *csv->names);
    csv->fields = mem_alloc(n * sizeof *csv->fields);
    for (size_t i = 0; i < n; i++) csv->names[i] = mem_copy(field_at(csv, i));
    csv->n_columns = n;
    return check_header(csv, e);
}

static bool begins_with_one(const char *name, const char *const prefixes[]) {
    for (; prefixes && *prefixes; prefixes++)
        if (strncmp(name, *prefixes, strlen(*prefixes)) == 0) return true;
    return false;
}

int csv_match(const struct csv *csv, const char *const known[], const char *const prefixes[], struct err *e) {
    size_t n_known = 0;
    while (known[n_known]) n_known++;
    for (size_t i = 0; i < csv->n_columns; i++) {
        const char *name = csv->names[i];
        size_t k = 0;
        while (k < n_known && strcmp(known[k], name) != 0) k++;
        if (k < n_known || begins_with_one(name, prefixes)) continue;
        err_set(e, ERR_USAGE, "%s:1: unknown column '%.100s'", csv->title, name);
        if (csv->n_columns == 1 && strchr(name, ';'))
            return err_hint(e, "fields are separated by commas, not by semicolons");
        const char *nearest = text_nearest(name, known, n_known);
        return nearest ? err_hint(e, "did you mean '%s'?", nearest) : -1;
    }
    return 0;
}

int csv_next(struct csv *csv, struct err *e) {
    skip_blank_lines(csv);
    if (csv->at == csv->end) return 0;
    size_t n;
    if (read_row(csv, &n, e) < 0) return -1;
    if (n != csv->n_columns) return csv_fail(csv, e, "%zu fields, the header has %zu", n, csv->n_columns);
    if (++csv->row > CSV_ROWS_MOST) return csv_fail(csv, e, "more than %d rows", CSV_ROWS_MOST);
    for (size_t i = 0; i < n; i++) {
        csv->fields[i] = field_at(csv, i);
    }
    return 1;
}

const char *csv_get(const struct csv *csv, const char *name) {
    for (size_t i = 0; i < csv->n_columns; i++)
        if (strcmp(csv->names[i], name) == 0) return csv->fields[i];
    return NULL;
}

void csv_close(struct csv *csv) {
    for (size_t i = 0; i < csv->n_columns; i++) free(csv->names[i]);
    free(csv->names);
    free(csv->fields);
    free(csv->starts);
    text_free(&csv->store);
    *csv = (struct csv){0};
}

enum { WRONG_SHOWN = 8, WRONG_LINES_MOST = 400 };

void csv_wrong_add(struct csv_wrong *w, size_t line, struct err *why) {
    if (w->n++ < WRONG_SHOWN)
        text_add(&w->words, "\n  line %zu: %.160s", line, why->what);
    else if (w->lines.length < WRONG_LINES_MOST)
        text_add(&w->lines, "%s%zu", w->lines.length ? ", " : "", line);
    err_clear(why);
}

int csv_wrong_end(struct csv_wrong *w, const char *title, size_t rows, struct err *e) {
    int rc = 0;
    if (w->n)
        rc = err_set(e, ERR_USAGE, "%s: %zu of %zu rows are wrong; none was recorded:%s%s%s%s", title, w->n,
                     rows, w->words.s, w->lines.length ? "\n  and lines " : "",
                     w->lines.length ? w->lines.s : "", w->lines.length >= WRONG_LINES_MOST ? " ..." : "");
    text_free(&w->words);
    text_free(&w->lines);
    return rc;
}

/* writing */

void csv_mark(struct csv_out *out) {
    text_put(&out->text, "\xef\xbb\xbf", 3);
    out->row = out->text.length;
}

static void begin_cell(struct csv_out *out) {
    if (out->cells++ > 0) text_put(&out->text, ",", 1);
}

void csv_put(struct csv_out *out, const char *cell) {
    begin_cell(out);
    bool is_guarded = needs_guard(cell);
    if (!is_guarded && cell[strcspn(cell, ",\"\r\n")] == '\0') {
        text_put(&out->text, cell, strlen(cell));
        return;
    }
    text_put(&out->text, is_guarded ? "\"'" : "\"", is_guarded ? 2 : 1);
    for (const char *quote; (quote = strchr(cell, '"')); cell = quote + 1) {
        text_put(&out->text, cell, (size_t)(quote - cell + 1));
        text_put(&out->text, "\"", 1);
    }
    text_put(&out->text, cell, strlen(cell));
    text_put(&out->text, "\"", 1);
}

void csv_put_number(struct csv_out *out, long long n) {
    begin_cell(out);
    text_add(&out->text, "%lld", n);
}

void csv_end_row(struct csv_out *out) {
    /* A single empty cell is quoted: the reader passes over blank lines. */
    if (out->cells == 1 && out->text.length == out->row) text_put(&out->text, "\"\"", 2);
    text_put(&out->text, "\r\n", 2);
    out->cells = 0;
    out->row = out->text.length;
}
