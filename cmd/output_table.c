/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people. libsmartcols aligns, colours and escapes; what has to go when a terminal is too
   narrow is chosen here, so that the first column, which names the row, is never cut. */
#include "alloc/scope.h"
#include "cmd/output.h"

#include <libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
    GAP = 2,       /* spaces between columns */
    SHORTEST = 10, /* no text is shortened further than this */
    WRAPPED = 28,  /* the last column, if text, gets this much before other columns do */
};

struct table {
    const struct column *columns;
    const json_t *rows;
    const struct output_look *look;
    size_t n_columns, n_rows;
    char **cells;   /* n_rows * n_columns */
    size_t *widths; /* per column */
    bool *is_shown;
    size_t last; /* the last column shown */
};

static const char *title_of(const struct table *t, size_t c) {
    return output_title(&t->columns[c], t->look->korean);
}

static void fill_cells(struct table *t) {
    for (size_t c = 0; c < t->n_columns; c++) t->widths[c] = text_width(title_of(t, c));
    for (size_t r = 0; r < t->n_rows; r++) {
        const json_t *row = json_array_get(t->rows, r);
        for (size_t c = 0; c < t->n_columns; c++) {
            char *s =
                output_cell_shown(&t->columns[c], json_object_get(row, t->columns[c].key), t->look->korean);
            size_t width = text_width(s);
            if (width > t->widths[c]) t->widths[c] = width;
            t->cells[r * t->n_columns + c] = s;
        }
    }
}

static size_t total_width(const struct table *t) {
    size_t total = 0;
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->is_shown[c]) total += t->widths[c] + (total ? GAP : 0);
    return total;
}

/* Text that stands last goes on in the next line instead of being cut. */
static bool can_wrap(const struct table *t, size_t c) {
    return c > 0 && t->columns[c].cell == CELL_TEXT && !t->columns[c].wide;
}

/* Wide columns go, the last first, until the rest fits. */
static void choose_columns(struct table *t, size_t width) {
    size_t end = t->n_columns - 1, whole = t->widths[end];
    if (can_wrap(t, end) && whole > WRAPPED) t->widths[end] = WRAPPED;
    for (size_t c = 0; c < t->n_columns; c++) t->is_shown[c] = true;
    for (size_t c = t->n_columns; width && c-- > 0 && total_width(t) > width;)
        if (t->columns[c].wide) t->is_shown[c] = false;
    t->widths[end] = whole;
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->is_shown[c]) t->last = c;
}

/* Gives the last column what the others leave. */
static void narrow_last(struct table *t, size_t width) {
    size_t total = total_width(t);
    if (!width || total <= width || !can_wrap(t, t->last)) return;
    size_t others = total - t->widths[t->last];
    size_t room = width > others + SHORTEST ? width - others : SHORTEST;
    size_t least = t->widths[t->last] < WRAPPED ? t->widths[t->last] : WRAPPED;
    t->widths[t->last] = room > least ? room : least;
}

/* The widest text that may still be shortened, or n_columns. */
static size_t widest_text(const struct table *t) {
    size_t widest = t->n_columns;
    for (size_t c = 1; c < t->n_columns; c++) {
        if (c == t->last && can_wrap(t, c)) continue;
        bool can_shrink = t->is_shown[c] && t->columns[c].cell == CELL_TEXT && t->widths[c] > SHORTEST;
        if (can_shrink && (widest == t->n_columns || t->widths[c] > t->widths[widest])) widest = c;
    }
    return widest;
}

/* Cuts a cell to so many columns, the last two of them dots. */
static void cut_cell(char *s, size_t width) {
    if (text_width(s) <= width) return;
    size_t end = 0, used = 0;
    mbstate_t state = {0};
    for (size_t left = strlen(s); left > 0;) {
        wchar_t c;
        size_t n = mbrtowc(&c, s + end, left, &state);
        if (n == 0 || n > left) break;
        int w = wcwidth(c);
        used += w > 0 ? (size_t)w : 0;
        if (used > width - 2) break;
        end += n;
        left -= n;
    }
    if (strlen(s + end) >= 2) memcpy(s + end, "..", 3);
}

static void shorten_text(struct table *t, size_t width) {
    for (size_t c; width && total_width(t) > width && (c = widest_text(t)) < t->n_columns;) {
        size_t excess = total_width(t) - width;
        t->widths[c] = t->widths[c] > SHORTEST + excess ? t->widths[c] - excess : SHORTEST;
        for (size_t r = 0; r < t->n_rows; r++) cut_cell(t->cells[r * t->n_columns + c], t->widths[c]);
    }
    if (width && can_wrap(t, t->last) && total_width(t) > width) {
        size_t excess = total_width(t) - width;
        t->widths[t->last] = t->widths[t->last] > SHORTEST + excess ? t->widths[t->last] - excess : SHORTEST;
    }
}

/* The bytes of s that fit so many columns, up to a space if there is one; at least one character. */
static size_t line_length(const char *s, size_t width) {
    size_t end = 0, used = 0, space = 0;
    mbstate_t state = {0};
    for (size_t left = strlen(s); left > 0;) {
        wchar_t c;
        size_t n = mbrtowc(&c, s + end, left, &state);
        if (n == 0 || n > left) return end + left;
        int w = wcwidth(c);
        used += w > 0 ? (size_t)w : 0;
        if (s[end] == ' ') space = end;
        if (used > width && end > 0) return space ? space : end;
        end += n;
        left -= n;
    }
    return end;
}

/* Of the word itself, whatever language shows it. */
static const char *state_colour(const json_t *value) {
    const char *word = json_string_value(value);
    static const char *const good[] = {"active", "granted", "running", "ok",
                                       "done",   "live",    "matched", "ready"};
    static const char *const waiting[] = {"queued",      "held",     "partial", "pending",   "draining",
                                          "suspended",   "notice",   "grace",   "reserved",  "kept",
                                          "releasing",   "returned", "waiting", "submitted", "expiring",
                                          "ledger-only", "late"};
    static const char *const bad[] = {"denied", "failed",       "lost",  "debt",      "refused", "unknown",
                                      "drift",  "backend-only", "error", "differing", "missing"};
    if (!word) return NULL;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strcmp(word, good[i]) == 0) return "green";
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
        if (strcmp(word, waiting[i]) == 0) return "yellow";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (strcmp(word, bad[i]) == 0) return "red";
    return NULL;
}

static bool is_right(enum cell cell) {
    return cell == CELL_NUMBER || cell == CELL_COUNT || cell == CELL_GFLOPS || cell == CELL_BYTES ||
           cell == CELL_SPAN;
}

static int add_columns(struct libscols_table *out, const struct table *t) {
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct column *column = &t->columns[c];
        int flags = is_right(column->cell) ? SCOLS_FL_RIGHT : 0;
        if (t->is_shown[c] && !scols_table_new_column(out, title_of(t, c), 0, flags)) return -1;
    }
    return 0;
}

/* The rest of a text that was too long for its line, below it. */
static int add_rest(struct libscols_table *out, const char *rest, size_t k, size_t width) {
    while (*(rest += strspn(rest, " "))) {
        struct libscols_line *line = scols_table_new_line(out, NULL);
        size_t n = line_length(rest, width);
        char *part = strndup(rest, n);
        int rc = line && part ? scols_line_set_data(line, k, part) : -1;
        free(part);
        if (rc < 0) return -1;
        rest += n;
    }
    return 0;
}

static int add_lines(struct libscols_table *out, const struct table *t) {
    for (size_t r = 0; r < t->n_rows; r++) {
        struct libscols_line *line = scols_table_new_line(out, NULL);
        if (!line) return -1;
        size_t k = 0;
        for (size_t c = 0; c < t->n_columns; c++) {
            char **cell = &t->cells[r * t->n_columns + c];
            if (!t->is_shown[c]) continue;
            if (t->look->in_colour && t->columns[c].cell == CELL_STATE)
                scols_cell_set_color(
                    scols_line_get_cell(line, k),
                    state_colour(json_object_get(json_array_get(t->rows, r), t->columns[c].key)));
            scoped_free char *rest = NULL;
            if (c == t->last && can_wrap(t, c) && text_width(*cell) > t->widths[c]) {
                size_t n = line_length(*cell, t->widths[c]);
                rest = mem_copy(*cell + n);
                (*cell)[n] = '\0';
            }
            if (scols_line_refer_data(line, k++, *cell) < 0) return -1;
            *cell = NULL; /* the line owns it now */
            if (rest && add_rest(out, rest, k - 1, t->widths[c]) < 0) return -1;
        }
    }
    return 0;
}

static int print_table(FILE *out, const struct table *t) {
    struct libscols_table *table = scols_new_table();
    if (!table) return -1;
    scols_table_set_stream(table, out);
    scols_table_set_column_separator(table, "  ");
    scols_table_enable_colors(table, t->look->in_colour);
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    int status = add_columns(table, t);
    if (status == 0) status = add_lines(table, t);
    if (status == 0) status = scols_print_table(table) < 0 ? -1 : 0;
    scols_unref_table(table);
    return status;
}

int output_table(FILE *out, const struct column *columns, const json_t *rows, const struct output_look *look,
                 struct err *e) {
    struct table t = {.columns = columns, .rows = rows, .look = look, .n_rows = json_array_size(rows)};
    while (columns[t.n_columns].key) t.n_columns++;
    t.cells = mem_alloc(t.n_rows * t.n_columns * sizeof *t.cells);
    t.widths = mem_alloc(t.n_columns * sizeof *t.widths);
    t.is_shown = mem_alloc(t.n_columns * sizeof *t.is_shown);
    fill_cells(&t);
    choose_columns(&t, look->width);
    narrow_last(&t, look->width);
    shorten_text(&t, look->width);
    int status = print_table(out, &t);
    for (size_t i = 0; i < t.n_rows * t.n_columns; i++) free(t.cells[i]);
    free(t.cells);
    free(t.widths);
    free(t.is_shown);
    return status < 0 ? err_set(e, ERR_FAILED, "the table cannot be printed") : 0;
}
