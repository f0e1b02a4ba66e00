/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of profiles in the words of the language. */
#include "policies/differ_space.h"

#include "policies/form.h"

#include <string.h>

struct parts {
    struct text text;
    size_t n; /* joined by "or" */
};

static void part(struct parts *p) {
    if (p->n++ > 0) text_add(&p->text, " or ");
}

/* ---- words ---- */

static void word(const struct space_dimension *m, const char *s, struct text *out) {
    if (m->type == TYPE_TEXT)
        form_put_string(out, s);
    else
        text_add(out, "%s", s);
}

/* Those of `chosen` that are `wanted`; a set in braces where there are several. */
static void list(const struct space_dimension *m, const unsigned char *chosen, bool wanted, size_t n,
                 struct text *out) {
    size_t put = 0;
    if (n > 1) text_add(out, "{ ");
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < m->classes[i].n_words && (chosen[i] != 0) == wanted; k++) {
            if (put++ > 0) text_add(out, ", ");
            word(m, m->classes[i].words[k], out);
        }
    if (n > 1) text_add(out, " }");
}

static void words(const struct space_dimension *m, const unsigned char *chosen, struct parts *p) {
    size_t in = 0, out = 0;
    bool others = false;
    for (size_t i = 0; i < m->n; i++) {
        const struct space_class *c = &m->classes[i];
        *(chosen[i] ? &in : &out) += c->n_words;
        if (m->type == TYPE_TEXT && !c->unset && c->n_words == 0) others = chosen[i];
    }
    if (m->type != TYPE_TEXT)
        others = (out == 1 && in > 1) || (out > 0 && in > 3 && in >= 2 * out); /* all but few */
    part(p);
    if (m->type == TYPE_BOOL) {
        text_add(&p->text, "%s%s", chosen[0] ? "" : "not ", m->of->name.s);
        return;
    }
    size_t n = others ? out : in;
    const char *sign = n > 1 ? "in" : others ? "!=" : "=";
    text_add(&p->text, "%s%s %s ", others && n > 1 ? "not " : "", m->of->name.s, sign);
    list(m, chosen, !others, n, &p->text);
}

/* ---- numbers ---- */

static void number(const struct space_dimension *m, int64_t n, struct text *out) {
    if (m->kind == SPACE_RELATIVE) {
        text_add(out, "today");
        if (n != 0) text_add(out, " %c %lld days", n < 0 ? '-' : '+', (long long)(n < 0 ? -n : n));
    } else if (m->type == TYPE_COMPUTE) {
        text_add(out, "%s", gflops_text(gflops(n)).s);
    } else if (m->type == TYPE_STORAGE) {
        text_add(out, "%s", bytes_text(bytes(n)).s);
    } else if (m->type == TYPE_DATE) {
        text_add(out, "%s", date_text(instant(n * CLOCK_DAY - CLOCK_CIVIL_OFFSET)).s);
    } else {
        text_add(out, "%lld", (long long)n);
    }
}

static bool is_cut(const struct space_dimension *m, int64_t n) {
    for (size_t i = 0; i < m->n_cuts; i++)
        if (m->cuts[i] == n) return true;
    return false;
}

/* A run of classes, in the numbers that the policies name: "> 67 TF" rather than ">= 67001 GF". */
static void run(const struct space_dimension *m, const struct space_class *a, const struct space_class *b,
                struct parts *p) {
    const char *name = m->of->name.s;
    bool low = a->has_low && (is_cut(m, a->low) || is_cut(m, a->low - 1)), high = b->has_high;
    part(p);
    if (low && high && a->low == b->high) {
        text_add(&p->text, "%s = ", name);
        number(m, a->low, &p->text);
        return;
    }
    if (low) {
        bool in = is_cut(m, a->low);
        text_add(&p->text, "%s %s ", name, in ? ">=" : ">");
        number(m, in ? a->low : a->low - 1, &p->text);
    }
    if (high) {
        bool in = is_cut(m, b->high);
        text_add(&p->text, "%s%s %s ", low ? " and " : "", name, in ? "<=" : "<");
        number(m, in ? b->high : b->high + 1, &p->text);
    }
}

static void numbers(const struct space_dimension *m, const unsigned char *chosen, struct parts *p) {
    size_t n = m->n;
    while (n > 0 && m->classes[n - 1].unset) n--;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && chosen[end];) end++;
        bool all = i == 0 && end == n;
        if (end > i && !all) run(m, &m->classes[i], &m->classes[end - 1], p);
        if (end == i) end++;
    }
}

/* ---- dimensions ---- */

void dimension_text(const struct space_dimension *m, const unsigned char *chosen, bool alone,
                    struct text *out) {
    struct parts p = {0};
    size_t set = 0, n_set = 0, unset = 0, has_unset = 0;
    for (size_t i = 0; i < m->n; i++) {
        *(m->classes[i].unset ? &has_unset : &n_set) += 1;
        if (chosen[i]) *(m->classes[i].unset ? &unset : &set) += 1;
    }
    if (m->kind == SPACE_TABLE) {
        text_add(out, "%s%s in <%s>%s%s", chosen[0] ? "not " : "", m->of->name.s, m->table_name,
                 m->table_of ? " of " : "", m->table_of ? m->table_of : "");
        return;
    }
    if (set == n_set && !unset && has_unset) {
        text_add(out, "%s is not unset", m->of->name.s);
        return;
    }
    bool is_words = m->type == TYPE_BOOL || m->type == TYPE_ENUM || m->type == TYPE_TEXT;
    if (set > 0 && set < n_set) {
        if (is_words)
            words(m, chosen, &p);
        else
            numbers(m, chosen, &p);
    }
    if (set == n_set && n_set > 0 && !unset) p.n = 0;
    if (unset) {
        part(&p);
        text_add(&p.text, "%s is unset", m->of->name.s);
    }
    text_add(out, p.n > 1 && !alone ? "(%s)" : "%s", p.text.s ? p.text.s : "");
    text_free(&p.text);
}

static bool is_narrowed(const struct space_dimension *m, const unsigned char *cube) {
    size_t chosen = 0;
    for (size_t k = 0; k < m->taken; k++) chosen += cube[m->first + k];
    return chosen < m->taken;
}

void cube_text(const struct space *s, const unsigned char *cube, struct text *out) {
    size_t parts = 0, n = 0;
    for (size_t i = 0; i < s->n; i++) n += is_narrowed(&s->dimensions[i], cube);
    for (size_t i = 0; i < s->n; i++) {
        const struct space_dimension *m = &s->dimensions[i];
        if (!is_narrowed(m, cube)) continue;
        if (parts++ > 0) text_add(out, " and ");
        dimension_text(m, cube + m->first, n == 1, out);
    }
    if (parts == 0) text_add(out, "always");
}
