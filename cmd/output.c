/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/output.h"

#include "alloc/amount.h"
#include "alloc/csv.h"
#include "alloc/scope.h"
#include "cmd/korean.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* text */

static void add_safe(struct text *out, const char *s) {
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool is_c1 = c == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0;
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            text_add(out, "\\x%02x", c);
        else if (is_c1)
            text_add(out, "\\x%02x", (unsigned char)*++s);
        else
            text_put(out, s, 1);
    }
}

void output_safe(FILE *out, const char *s) {
    scoped_text struct text safe = {0};
    add_safe(&safe, s);
    fwrite(safe.s ? safe.s : "", 1, safe.length, out);
}

bool output_is_korean(const struct call *call) { return strcmp(call->lang, "ko") == 0; }

const char *output_choose(const struct call *call, const char *en, const char *ko) {
    return ko && output_is_korean(call) ? ko : en;
}

const char *output_word(const struct call *call, const char *english) {
    return english ? output_choose(call, english, korean_cell(english)) : "";
}

const char *output_title(const struct column *column, bool korean) {
    const char *ko = korean ? korean_title(column->title) : NULL;
    return ko ? ko : column->title;
}

void output_say(struct call *call, const char *format, ...) {
    if (call->quiet || strcmp(call->format, "table") != 0) return;
    va_list args;
    char *line;
    va_start(args, format);
    int n = vasprintf(&line, format, args);
    va_end(args);
    if (n < 0) return;
    output_safe(call->out, line);
    fputc('\n', call->out);
    free(line);
}

/* cells */

static char *join(const json_t *list) {
    struct text out = {0};
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        scoped_free char *s = output_cell_raw(item);
        text_add(&out, "%s%s", i ? ", " : "", s);
    }
    return text_take(&out);
}

char *output_cell_raw(const json_t *value) {
    if (!value || json_is_null(value)) return mem_copy("");
    if (json_is_string(value)) return mem_copy(json_string_value(value));
    if (json_is_array(value)) return join(value);
    char *s = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    return s ? s : mem_copy("");
}

static char *instant_shown(const char *s, bool ends) {
    struct err e = {0};
    instant_t t;
    if (instant_parse(s, &t, &e) < 0) return mem_copy(s);
    return mem_copy(ends ? end_text(t).s : civil_text(t).s);
}

/* A word that tables have in both languages. */
static char *word_shown(const char *english, bool korean) {
    const char *ko = korean ? korean_cell(english) : NULL;
    return mem_copy(ko ? ko : english);
}

char *output_cell_shown(const struct column *column, const json_t *value, bool korean) {
    json_int_t n = json_integer_value(value);
    if (json_is_integer(value) && n >= 0 && column->cell == CELL_GFLOPS)
        return mem_copy(gflops_text(gflops(n)).s);
    if (json_is_integer(value) && n >= 0 && column->cell == CELL_BYTES)
        return mem_copy(bytes_text_brief(bytes(n)).s);
    if (json_is_integer(value) && n >= 0 && column->cell == CELL_SPAN)
        return mem_copy((korean ? span_text_ko : span_text)(span(n)).s);
    if (json_is_boolean(value)) return word_shown(json_is_true(value) ? "yes" : "no", korean);
    if (json_is_string(value) && column->cell == CELL_STATE)
        return word_shown(json_string_value(value), korean);
    if (json_is_string(value) && (column->cell == CELL_INSTANT || column->cell == CELL_END))
        return instant_shown(json_string_value(value), column->cell == CELL_END);
    char *s = output_cell_raw(value);
    if (*s) return s;
    free(s);
    return mem_copy("-");
}

/* machine formats */

static void put_tsv_cell(FILE *out, const char *s) {
    for (; *s; s++) {
        const char *escape = *s == '\t'   ? "\\t"
                             : *s == '\n' ? "\\n"
                             : *s == '\r' ? "\\r"
                             : *s == '\\' ? "\\\\"
                                          : NULL;
        if (escape)
            fputs(escape, out);
        else
            fputc(*s, out);
    }
}

static void print_tsv(FILE *out, const struct column *columns, const json_t *rows) {
    size_t i;
    json_t *row;
    for (const struct column *c = columns; c->key; c++) fprintf(out, "%s%c", c->key, c[1].key ? '\t' : '\n');
    json_array_foreach(rows, i, row) {
        for (const struct column *c = columns; c->key; c++) {
            scoped_free char *s = output_cell_raw(json_object_get(row, c->key));
            put_tsv_cell(out, s);
            fputc(c[1].key ? '\t' : '\n', out);
        }
    }
}

static void print_csv(FILE *out, const struct column *columns, const json_t *rows) {
    struct csv_out csv = {0};
    size_t i;
    json_t *row;
    for (const struct column *c = columns; c->key; c++) csv_put(&csv, c->key);
    csv_end_row(&csv);
    json_array_foreach(rows, i, row) {
        for (const struct column *c = columns; c->key; c++) {
            json_t *value = json_object_get(row, c->key);
            scoped_free char *s = output_cell_raw(value);
            if (json_is_integer(value))
                csv_put_number(&csv, json_integer_value(value));
            else
                csv_put(&csv, s);
        }
        csv_end_row(&csv);
    }
    fwrite(csv.text.s, 1, csv.text.length, out);
    text_free(&csv.text);
}

/* One object per line: as good for grep and diff as for a JSON parser. */
static void print_json(FILE *out, const json_t *rows) {
    size_t i;
    json_t *row;
    fputc('[', out);
    json_array_foreach(rows, i, row) {
        fputs(i ? ",\n" : "\n", out);
        json_dumpf(row, out, JSON_COMPACT | JSON_ENCODE_ANY);
    }
    fputs("\n]\n", out);
}

/* terminals */

static bool is_terminal(FILE *out) {
    int fd = fileno(out); /* -1 for a stream in memory */
    return fd >= 0 && isatty(fd);
}

/* $COLUMNS, else the terminal's own width, else none. */
static size_t width_of(FILE *out) {
    const char *given = getenv("COLUMNS");
    long long n;
    if (given && text_to_int(given, 20, 10000, &n) == 0) return (size_t)n;
    struct winsize size;
    if (is_terminal(out) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 0;
}

static bool wants_colour(FILE *out) {
    const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
    if (no && *no) return false;
    if (force && *force && strcmp(force, "0") != 0) return true;
    return is_terminal(out) && !(term && strcmp(term, "dumb") == 0);
}

int output_list(struct call *call, const struct column *columns, const json_t *rows, struct err *e) {
    if (strcmp(call->format, "json") == 0)
        print_json(call->out, rows);
    else if (strcmp(call->format, "csv") == 0)
        print_csv(call->out, columns, rows);
    else if (strcmp(call->format, "tsv") == 0)
        print_tsv(call->out, columns, rows);
    else if (json_array_size(rows) == 0)
        output_say(call, "%s", output_choose(call, "none", korean_cell("none")));
    else
        return output_table(
            call->out, columns, rows,
            &(struct output_look){width_of(call->out), wants_colour(call->out), output_is_korean(call)}, e);
    return 0;
}

/* one thing */

static bool is_given(const json_t *object, const struct column *column) {
    const json_t *value = json_object_get(object, column->key);
    return value && !json_is_null(value);
}

static void print_pairs(FILE *out, const struct column *columns, const json_t *object, bool korean) {
    size_t width = 0;
    for (const struct column *c = columns; c->key; c++) {
        size_t own = text_width(output_title(c, korean));
        if (is_given(object, c) && own > width) width = own;
    }
    for (const struct column *c = columns; c->key; c++) {
        const json_t *value = json_object_get(object, c->key);
        const char *title = output_title(c, korean);
        if (!is_given(object, c)) continue;
        if (title == c->title)
            for (const char *p = title; *p; p++) fputc(tolower((unsigned char)*p), out);
        else
            fputs(title, out);
        fprintf(out, ":%*s", (int)(width - text_width(title)) + 2, "");
        scoped_free char *s = output_cell_shown(c, value, korean);
        output_safe(out, s);
        fputc('\n', out);
    }
}

int output_object(struct call *call, const struct column *columns, const json_t *object, struct err *e) {
    if (strcmp(call->format, "table") == 0) {
        print_pairs(call->out, columns, object, output_is_korean(call));
    } else if (strcmp(call->format, "json") == 0) {
        json_dumpf(object, call->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
        fputc('\n', call->out);
    } else {
        scoped_json json_t *rows = json_pack("[O]", object);
        return output_list(call, columns, rows, e);
    }
    return 0;
}
