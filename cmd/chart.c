/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/chart.h"

#include "alloc/amount.h"

#include <string.h>

enum { WIDTH = 760, HEIGHT = 250, LEFT = 72, RIGHT = 14, TOP = 12, BOTTOM = 30, TICKS = 4, POINTS = 366 };

void html_put(struct text *out, const char *text) {
    static const struct {
        char c;
        const char *as;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (const char *p = text; *p; p++) {
        size_t i = 0;
        while (i < sizeof escapes / sizeof *escapes && escapes[i].c != *p) i++;
        if (i < sizeof escapes / sizeof *escapes)
            text_add(out, "%s", escapes[i].as);
        else
            text_put(out, p, 1);
    }
}

/* ---- scales, in tenths of a pixel ---- */

/* The smallest of 1, 2, 2.5, 5 x 10^n that TICKS of reach the largest value. */
static int64_t step_of(const struct chart *c) {
    int64_t most = c->least_top > 1 ? c->least_top : 1;
    for (size_t k = 0; k < c->n_lines; k++)
        for (size_t i = 0; i < c->n_days; i++)
            if (c->lines[k].values[i] > most) most = c->lines[k].values[i];
    for (int64_t ten = 1;; ten *= 10) {
        int64_t steps[] = {ten, 2 * ten, ten % 2 == 0 ? 5 * ten / 2 : 5 * ten, 5 * ten};
        for (size_t k = 0; k < 4; k++)
            if (steps[k] * TICKS >= most) return steps[k];
    }
}

static int64_t x_of(const struct chart *c, size_t day) {
    int64_t width = (WIDTH - LEFT - RIGHT) * 10, n = c->n_days > 1 ? (int64_t)c->n_days - 1 : 1;
    return LEFT * 10 + width * (int64_t)day / n;
}

static int64_t y_of(int64_t value, int64_t top) {
    int64_t height = (HEIGHT - TOP - BOTTOM) * 10;
    return TOP * 10 + height - (int64_t)((wide_t)height * value / top);
}

static void put_tenth(struct text *out, int64_t n) {
    text_add(out, "%lld.%lld", (long long)(n / 10), (long long)(n % 10));
}

/* ---- axes ---- */

static void axis_values(const struct chart *c, int64_t step, struct text *out) {
    for (int64_t k = 0; k <= TICKS; k++) {
        int64_t y = y_of(k * step, TICKS * step);
        text_add(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"", LEFT, WIDTH - RIGHT);
        put_tenth(out, y);
        text_add(out, "\" y2=\"");
        put_tenth(out, y);
        text_add(out, "\"/><text class=\"axis\" text-anchor=\"end\" x=\"%d\" y=\"", LEFT - 8);
        put_tenth(out, y + 40);
        text_add(out, "\">");
        c->label(k * step, out);
        text_add(out, "</text>\n");
    }
}

/* The first of each month; of a long time, of each quarter or year. */
static void axis_days(const struct chart *c, struct text *out) {
    size_t every = c->n_days > 1500 ? 12 : c->n_days > 500 ? 3 : 1;
    int64_t last = -1000, last_half = 0;
    for (size_t i = 0; i < c->n_days; i++) {
        struct instant_text date = date_text(instant((c->first_day + (int64_t)i) * CLOCK_DAY));
        size_t month = (size_t)(date.s[5] - '0') * 10 + (size_t)(date.s[6] - '0');
        if (strcmp(date.s + 8, "01") != 0 || (month - 1) % every != 0) continue;
        int64_t x = x_of(c, i);
        text_add(out, "<line class=\"grid\" y1=\"%d\" y2=\"%d\" x1=\"", HEIGHT - BOTTOM, HEIGHT - BOTTOM + 5);
        put_tenth(out, x);
        text_add(out, "\" x2=\"");
        put_tenth(out, x);
        text_add(out, "\"/>");
        bool is_whole = every > 1 || last < 0 || month == 1; /* "2027-02", then "03" */
        int64_t half = is_whole ? 260 : 90;
        if (x - last < last_half + half || x > (WIDTH - RIGHT - 20) * 10) continue;
        last = x, last_half = half;
        text_add(out, "<text class=\"axis\" text-anchor=\"middle\" y=\"%d\" x=\"", HEIGHT - 10);
        put_tenth(out, x);
        text_add(out, "\">%.*s</text>\n", is_whole ? 7 : 2, is_whole ? date.s : date.s + 5);
    }
}

/* ---- lines ---- */

/* Of a long time every so many days, so that a page stays small. */
static void line_points(const struct chart *c, const struct chart_line *l, int64_t top, struct text *out) {
    size_t every = (c->n_days + POINTS - 1) / POINTS;
    for (size_t i = 0; i < c->n_days; i += every) {
        text_add(out, "%s", i ? " " : "");
        put_tenth(out, x_of(c, i));
        text_add(out, ",");
        put_tenth(out, y_of(l->values[i], top));
    }
}

static void line_draw(const struct chart *c, const struct chart_line *l, int64_t top, struct text *out) {
    if (l->is_filled) {
        size_t every = (c->n_days + POINTS - 1) / POINTS,
               last = c->n_days ? (c->n_days - 1) / every * every : 0;
        text_add(out, "<polygon class=\"area %s\" points=\"%d,%d ", l->style, LEFT, HEIGHT - BOTTOM);
        line_points(c, l, top, out);
        text_add(out, " ");
        put_tenth(out, x_of(c, last));
        text_add(out, ",%d\"/>\n", HEIGHT - BOTTOM);
    }
    text_add(out, "<polyline class=\"line %s\" points=\"", l->style);
    line_points(c, l, top, out);
    text_add(out, "\"/>\n");
}

static void legend(const struct chart *c, struct text *out) {
    if (c->n_lines < 2) return;
    text_add(out, "<p class=\"legend\">");
    for (size_t k = 0; k < c->n_lines; k++) {
        text_add(out, "<span class=\"key %s\"></span>", c->lines[k].style);
        html_put(out, c->lines[k].name);
        text_add(out, " ");
    }
    text_add(out, "</p>\n");
}

void chart_draw(const struct chart *c, struct text *out) {
    int64_t step = step_of(c);
    legend(c, out);
    text_add(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_put(out, c->title);
    text_add(out, "\">\n");
    axis_values(c, step, out);
    axis_days(c, out);
    for (size_t k = 0; k < c->n_lines && c->n_days; k++) line_draw(c, &c->lines[k], step * TICKS, out);
    text_add(out, "</svg>\n");
}
