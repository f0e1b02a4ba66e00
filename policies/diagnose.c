/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/diagnose.h"

#include "alloc/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MOST = 160, SHOWN_BEFORE = 60 }; /* bytes of a source line, and before the place */

void diagnostics_begin(struct diagnostics *d, const char *file, const char *source, size_t length) {
    diagnostics_free(d);
    d->file = mem_copy(file);
    d->source = mem_alloc(length + 1);
    memcpy(d->source, source, length);
}

static char *format_text(const char *format, va_list args) {
    char buffer[1024]; /* a message about one place; longer ones are cut */
    vsnprintf(buffer, sizeof buffer, format, args);
    return mem_copy(buffer);
}

static struct diagnostic *diagnostic_new(struct diagnostics *d, enum level level, struct place place) {
    if (d->count[level]++ >= DIAGNOSTICS_MOST) return NULL;
    struct diagnostic *item = &d->items[d->n++];
    *item = (struct diagnostic){.level = level, .place = place};
    return item;
}

void diagnose(struct diagnostics *d, enum level level, struct place place, const char *format, ...) {
    struct diagnostic *item = diagnostic_new(d, level, place);
    if (!item) return;
    va_list args;
    va_start(args, format);
    item->message = format_text(format, args);
    va_end(args);
}

void diagnose_clash(struct diagnostics *d, enum level level, struct place place, struct place other,
                    const char *other_message, const char *format, ...) {
    struct diagnostic *item = diagnostic_new(d, level, place);
    if (!item) return;
    va_list args;
    va_start(args, format);
    item->message = format_text(format, args);
    va_end(args);
    item->has_other = true;
    item->other = other;
    item->other_message = mem_copy(other_message);
}

static int diagnostic_cmp(const void *a, const void *b) {
    const struct diagnostic *x = a, *y = b;
    if (x->place.at != y->place.at) return x->place.at < y->place.at ? -1 : 1;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    return strcmp(x->message, y->message);
}

void diagnostics_sort(struct diagnostics *d) { qsort(d->items, d->n, sizeof *d->items, diagnostic_cmp); }

static bool continues(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

static size_t line_start(const char *source, size_t at) {
    while (at > 0 && source[at - 1] != '\n') at--;
    return at;
}

int place_column(const struct diagnostics *d, struct place place) {
    int column = 1;
    for (size_t i = line_start(d->source, place.at); i < place.at; i++) column += !continues(d->source[i]);
    return column;
}

/* Hangul, CJK and full-width forms take two columns on a terminal; enough for marks to line up. */
static bool is_wide(const char *p) {
    const unsigned char *u = (const unsigned char *)p;
    if (u[0] < 0xe1 || u[0] >= 0xf0) return u[0] >= 0xf0;
    unsigned code = (u[0] & 0xfu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xd7a3) ||
           (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) ||
           (code >= 0xff00 && code <= 0xff60);
}

static void mark_characters(const char *from, const char *to, char mark, struct text *out) {
    for (; from < to; from++) {
        if (continues(*from)) continue;
        if (mark == ' ' && *from == '\t')
            text_put(out, "\t", 1);
        else
            text_add(out, is_wide(from) ? "%c%c" : "%c", mark, mark);
    }
}

/* What a terminal would act on (escapes, changes of direction) is shown as '?'. */
static void put_shown(const char *from, const char *to, struct text *out) {
    while (to > from && (to[-1] == ' ' || to[-1] == '\t')) to--;
    for (size_t n; from < to; from += n) {
        char one[8] = {*from};
        for (n = 1; from + n < to && continues(from[n]) && n < 4; n++) one[n] = from[n];
        if (*from == '\t' || text_is_printable(one))
            text_put(out, from, n);
        else
            text_put(out, "?", 1);
    }
}

/* The source line, cut to what is near the place, and the marks below it. */
static void print_line(const struct diagnostics *d, struct place place, struct text *out) {
    const char *line = d->source + line_start(d->source, place.at), *at = d->source + place.at;
    const char *end = line + strcspn(line, "\r\n");
    while (line < at && (*line == ' ' || *line == '\t')) line++;
    if (at - line > SHOWN_MOST - SHOWN_BEFORE) {
        line = at - SHOWN_BEFORE;
        while (line < at && continues(*line)) line++;
    }
    if (end - line > SHOWN_MOST) {
        end = line + SHOWN_MOST;
        while (end > at && continues(*end)) end--;
    }
    if (!text_is_utf8(line, (size_t)(end - line)) || end == line) return;
    text_put(out, "    ", 4);
    put_shown(line, end, out);
    text_put(out, "\n    ", 5);
    mark_characters(line, at < end ? at : end, ' ', out);
    const char *stop = at + place.length < end ? at + place.length : end;
    if (stop > at)
        mark_characters(at, stop, '^', out);
    else
        text_put(out, "^", 1);
    text_put(out, "\n", 1);
}

static void print_one(const struct diagnostics *d, const char *level, struct place place, const char *message,
                      struct text *out) {
    text_add(out, "%s:%d:%d: %s: %s\n", d->file, place.line, place_column(d, place), level, message);
    print_line(d, place, out);
}

static void print_to(const struct diagnostics *d, enum level last, struct text *out) {
    static const char *const words[] = {"error", "warning", "note"};
    for (size_t i = 0; i < d->n; i++) {
        const struct diagnostic *item = &d->items[i];
        if (item->level > last) continue;
        print_one(d, words[item->level], item->place, item->message, out);
        if (item->has_other) print_one(d, "note", item->other, item->other_message, out);
    }
    for (int l = 0; l <= (int)last; l++)
        if (d->count[l] > DIAGNOSTICS_MOST)
            text_add(out, "%s: %zu more %ss not shown\n", d->file, d->count[l] - DIAGNOSTICS_MOST, words[l]);
}

void diagnostics_print(const struct diagnostics *d, struct text *out) { print_to(d, LEVEL_NOTE, out); }
void diagnostics_print_serious(const struct diagnostics *d, struct text *out) {
    print_to(d, LEVEL_WARNING, out);
}

void diagnostics_first(const struct diagnostics *d, struct text *out) {
    for (size_t i = 0; i < d->n; i++) {
        const struct diagnostic *item = &d->items[i];
        if (item->level != LEVEL_ERROR) continue;
        text_add(out, "%s:%d:%d: %s", d->file, item->place.line, place_column(d, item->place), item->message);
        return;
    }
}

void diagnostics_free(struct diagnostics *d) {
    for (size_t i = 0; i < d->n; i++) {
        free(d->items[i].message);
        free(d->items[i].other_message);
    }
    free(d->file);
    free(d->source);
    *d = (struct diagnostics){0};
}
