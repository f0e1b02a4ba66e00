/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people, by libsmartcols: it knows wide characters and shortens what does not fit. */
#include "alloc/scope.h"
#include "cmd/output.h"

#include <libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2 }; /* spaces between columns */

struct table {
    const struct column *columns;
    size_t n_columns, n_rows;
    char **cells;   /* n_rows * n_columns */
    size_t *widths; /* per column */
    bool *is_shown;
};

static void fill_cells(struct table *t, const json_t *rows) {
    for (size_t c = 0; c < t->n_columns; c++) t->widths[c] = text_width(t->columns[c].title);
    for (size_t r = 0; r < t->n_rows; r++) {
        const json_t *row = json_array_get(rows, r);
        for (size_t c = 0; c < t->n_columns; c++) {
            char *s = output_cell_shown(&t->columns[c], json_object_get(row, t->columns[c].key));
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

/* Wide columns go, the last first, until the rest fits. */
static void choose_columns(struct table *t, size_t width) {
    for (size_t c = 0; c < t->n_columns; c++) t->is_shown[c] = true;
    for (size_t c = t->n_columns; width && c-- > 0 && total_width(t) > width;)
        if (t->columns[c].wide) t->is_shown[c] = false;
}

static const char *state_colour(const char *word) {
    static const char *const good[] = {"active", "granted", "running", "ok",
                                       "done",   "live",    "matched", "ready"};
    static const char *const waiting[] = {"queued",      "held",     "partial", "pending",   "draining",
                                          "suspended",   "notice",   "grace",   "reserved",  "kept",
                                          "releasing",   "returned", "waiting", "submitted", "expiring",
                                          "ledger-only", "late"};
    static const char *const bad[] = {"denied", "failed",       "lost",  "debt",      "refused", "unknown",
                                      "drift",  "backend-only", "error", "differing", "missing"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strcmp(word, good[i]) == 0) return "green";
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
        if (strcmp(word, waiting[i]) == 0) return "yellow";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (strcmp(word, bad[i]) == 0) return "red";
    return NULL;
}

static bool is_right(enum cell cell) {
    return cell == CELL_COUNT || cell == CELL_GFLOPS || cell == CELL_BYTES || cell == CELL_SPAN;
}

static int add_columns(struct libscols_table *out, const struct table *t) {
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct column *column = &t->columns[c];
        int flags = is_right(column->cell) ? SCOLS_FL_RIGHT : column->cell == CELL_TEXT ? SCOLS_FL_TRUNC : 0;
        if (t->is_shown[c] && !scols_table_new_column(out, column->title, 0, flags)) return -1;
    }
    return 0;
}

static int add_lines(struct libscols_table *out, const struct table *t, bool in_colour) {
    for (size_t r = 0; r < t->n_rows; r++) {
        struct libscols_line *line = scols_table_new_line(out, NULL);
        if (!line) return -1;
        size_t k = 0;
        for (size_t c = 0; c < t->n_columns; c++) {
            char **cell = &t->cells[r * t->n_columns + c];
            if (!t->is_shown[c]) continue;
            if (in_colour && t->columns[c].cell == CELL_STATE)
                scols_cell_set_color(scols_line_get_cell(line, k), state_colour(*cell));
            if (scols_line_refer_data(line, k++, *cell) < 0) return -1;
            *cell = NULL; /* the line owns it now */
        }
    }
    return 0;
}

static int print_table(FILE *out, const struct table *t, size_t width, bool in_colour) {
    struct libscols_table *table = scols_new_table();
    if (!table) return -1;
    scols_table_set_stream(table, out);
    scols_table_set_column_separator(table, "  ");
    scols_table_enable_colors(table, in_colour);
    scols_table_set_termforce(table, width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    if (width) scols_table_set_termwidth(table, width);
    int status = add_columns(table, t);
    if (status == 0) status = add_lines(table, t, in_colour);
    if (status == 0) status = scols_print_table(table) < 0 ? -1 : 0;
    scols_unref_table(table);
    return status;
}

int output_table(FILE *out, const struct column *columns, const json_t *rows, size_t width, bool in_colour,
                 struct err *e) {
    struct table t = {.columns = columns, .n_rows = json_array_size(rows)};
    while (columns[t.n_columns].key) t.n_columns++;
    t.cells = mem_alloc(t.n_rows * t.n_columns * sizeof *t.cells);
    t.widths = mem_alloc(t.n_columns * sizeof *t.widths);
    t.is_shown = mem_alloc(t.n_columns * sizeof *t.is_shown);
    fill_cells(&t, rows);
    choose_columns(&t, width);
    int status = print_table(out, &t, width, in_colour);
    for (size_t i = 0; i < t.n_rows * t.n_columns; i++) free(t.cells[i]);
    free(t.cells);
    free(t.widths);
    free(t.is_shown);
    return status < 0 ? err_set(e, ERR_FAILED, "the table cannot be printed") : 0;
}
