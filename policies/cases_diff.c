/* SPDX-License-Identifier: Apache-2.0 */
/* Two lists of lines, compared as diff(1) does: the longest common subsequence stays. */
#include "policies/cases.h"

#include <stdint.h>
#include <string.h>

enum { CELLS_MOST = 25000000 };

struct sides {
    const json_t *a, *b;
    size_t first, n, m; /* what is left between the common beginning and the common end */
    uint32_t *length;   /* [(n + 1) x (m + 1)]: of the longest common subsequence from here on */
    size_t heading;     /* the last one printed, + 1; 0: none */
    struct text *out;
};

static const char *line(const json_t *list, size_t i) {
    const char *s = json_string_value(json_array_get(list, i));
    return s ? s : "";
}

static bool same(const struct sides *s, size_t i, size_t k) {
    return strcmp(line(s->a, s->first + i), line(s->b, s->first + k)) == 0;
}

static uint32_t *cell(const struct sides *s, size_t i, size_t k) { return &s->length[i * (s->m + 1) + k]; }

/* The heading that line i of a list stands under, printed once. */
static void heading(struct sides *s, const json_t *list, size_t i) {
    if (line(list, i)[0] != ' ') return;
    while (i > 0 && line(list, i)[0] == ' ') i--;
    if (s->heading == i + 1) return;
    s->heading = i + 1;
    text_add(s->out, "  %s\n", line(list, i));
}

static void only(struct sides *s, bool in_a, size_t i) {
    const json_t *list = in_a ? s->a : s->b;
    heading(s, list, s->first + i);
    text_add(s->out, "%c %s\n", in_a ? '-' : '+', line(list, s->first + i));
}

static void measure(struct sides *s) {
    for (size_t i = s->n; i-- > 0;)
        for (size_t k = s->m; k-- > 0;) {
            uint32_t down = *cell(s, i + 1, k), right = *cell(s, i, k + 1);
            *cell(s, i, k) = same(s, i, k) ? *cell(s, i + 1, k + 1) + 1 : down > right ? down : right;
        }
}

static void walk(struct sides *s) {
    size_t i = 0, k = 0;
    while (i < s->n && k < s->m) {
        if (s->length && same(s, i, k))
            i++, k++;
        else if (!s->length || *cell(s, i + 1, k) >= *cell(s, i, k + 1))
            only(s, true, i++);
        else
            only(s, false, k++);
    }
    while (i < s->n) only(s, true, i++);
    while (k < s->m) only(s, false, k++);
}

void case_difference(const json_t *a, const json_t *b, struct text *out) {
    struct sides s = {.a = a, .b = b, .n = json_array_size(a), .m = json_array_size(b), .out = out};
    while (s.n > 0 && s.m > 0 && same(&s, 0, 0)) s.first++, s.n--, s.m--;
    while (s.n > 0 && s.m > 0 && same(&s, s.n - 1, s.m - 1)) s.n--, s.m--;
    bool fits = s.n < CELLS_MOST && s.m < CELLS_MOST && (s.n + 1) * (s.m + 1) <= CELLS_MOST;
    scoped_free uint32_t *length = fits ? mem_alloc((s.n + 1) * (s.m + 1) * sizeof *length) : NULL;
    s.length = length;
    if (fits) measure(&s);
    walk(&s);
}
