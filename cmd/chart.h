/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts over days as inline SVG: no script, no font and no picture from elsewhere; colours are those of
 * the page's style sheet, so that they follow light, dark and print.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/text.h"

#include <stdint.h>

struct chart_line {
    const char *name;      /* in the legend; escaped here */
    const char *style;     /* a class of the style sheet: "held" "demand" "capacity" ... */
    const int64_t *values; /* one per day, 0 or more */
    bool is_filled;
};

struct chart {
    const char *title; /* for those who cannot see it */
    const struct chart_line *lines;
    size_t n_lines, n_days;
    int64_t first_day;                              /* civil day number */
    int64_t least_top;                              /* the axis reaches at least so far */
    void (*label)(int64_t value, struct text *out); /* of the axis */
};
void chart_draw(const struct chart *c, struct text *out);

/* Text into HTML: & < > " ' escaped. */
void html_put(struct text *out, const char *text);
