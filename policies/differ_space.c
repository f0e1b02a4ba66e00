/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/differ_space.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

void space_begin(struct space *s, const struct policy *before, const struct policy *after) {
    *s = (struct space){.policy = {before, after}};
    for (int p = 0; p < 2; p++) {
        eval_begin(&s->eval[p], s->policy[p], NULL, NULL);
        s->member[p] = mem_alloc(s->policy[p]->n_variables * s->policy[p]->n_tables);
        s->eval[p].member = s->member[p];
    }
}

void space_end(struct space *s) {
    for (size_t i = 0; i < s->n; i++) {
        struct space_dimension *m = &s->dimensions[i];
        for (size_t k = 0; k < m->n; k++) free(m->classes[k].words);
        free(m->cuts);
        free(m->named);
        free(m->classes);
    }
    free(s->dimensions);
    free(s->member[0]);
    free(s->member[1]);
}

/* ---- dimensions ---- */

static bool is_same_table(const struct table *a, const struct table *b) {
    if (strcmp(a->name.s, b->name.s) != 0 || a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->entries[i], b->entries[i]) != 0) return false;
    return true;
}

static bool is_same_variable(const struct variable *a, const struct variable *b) {
    return strcmp(a->name.s, b->name.s) == 0 && a->of == b->of && a->type == b->type;
}

static int other_variable(const struct policy *y, const struct variable *v) {
    for (size_t i = 0; i < y->n_variables; i++)
        if (is_same_variable(&y->variables[i], v)) return (int)i;
    return -1;
}

static int other_table(const struct space *s, int which, int table, bool *has_name) {
    const struct policy *other = s->policy[!which];
    const struct table *t = &s->policy[which]->tables[table];
    for (size_t i = 0; i < other->n_tables; i++) {
        if (strcmp(other->tables[i].name.s, t->name.s) != 0) continue;
        *has_name = true;
        if (is_same_table(&other->tables[i], t)) return (int)i;
    }
    return -1;
}

static struct space_dimension *dimension(struct space *s, int which, enum space_kind kind, int variable,
                                         int table) {
    const struct policy *y = s->policy[which];
    for (size_t i = 0; i < s->n; i++) {
        struct space_dimension *m = &s->dimensions[i];
        if (m->kind == kind && m->variable[which] == variable && m->table[which] == table) return m;
    }
    s->dimensions = mem_grow(s->dimensions, &s->room, s->n + 1, sizeof *s->dimensions);
    struct space_dimension *m = &s->dimensions[s->n++];
    *m = (struct space_dimension){.kind = kind, .table = {-1, -1}, .of = &y->variables[variable]};
    m->type = m->of->type;
    m->variable[which] = variable;
    m->variable[!which] = other_variable(s->policy[!which], m->of);
    if (kind != SPACE_TABLE) return m;
    bool has_name = false;
    m->table[which] = table;
    m->table[!which] = other_table(s, which, table, &has_name);
    m->table_name = y->tables[table].name.s;
    if (has_name && m->table[!which] < 0) m->table_of = y->file;
    return m;
}

static void cut(struct space_dimension *m, int64_t n) {
    for (size_t i = 0; i < m->n_cuts; i++)
        if (m->cuts[i] == n) return;
    m->cuts = mem_grow(m->cuts, &m->room_cuts, m->n_cuts + 1, sizeof n);
    size_t at = m->n_cuts++;
    for (; at > 0 && m->cuts[at - 1] > n; at--) m->cuts[at] = m->cuts[at - 1];
    m->cuts[at] = n;
}

static void class_put(struct space_dimension *m, struct space_class c) {
    m->classes = mem_grow(m->classes, &m->room, m->n + 1, sizeof c);
    m->classes[m->n++] = c;
}

static bool is_named(const struct space_dimension *m, const char *word) {
    for (size_t i = 0; i < m->n_named; i++)
        if (strcmp(m->named[i], word) == 0) return true;
    return false;
}

static void name(struct space_dimension *m, const char *word) {
    if (is_named(m, word)) return;
    m->named = mem_grow(m->named, &m->room_named, m->n_named + 1, sizeof *m->named);
    m->named[m->n_named++] = word;
}

static bool has_words(enum type t) { return t == TYPE_BOOL || t == TYPE_ENUM || t == TYPE_TEXT; }

static void literal_add(struct space *s, int which, int variable, const struct literal *l) {
    struct space_dimension *m = dimension(s, which, l->relative ? SPACE_RELATIVE : SPACE_VALUE, variable, -1);
    if (has_words(m->type))
        name(m, l->text);
    else
        cut(m, l->n);
}

void space_add(struct space *s, int which, const struct expr *x) {
    if (!x) return;
    if (x->op == OP_AND || x->op == OP_OR || x->op == OP_NOT) {
        space_add(s, which, x->left);
        space_add(s, which, x->right);
        return;
    }
    if (x->variable == VAR_TIER) return; /* found, not varied */
    dimension(s, which, SPACE_VALUE, x->variable, -1);
    for (size_t i = 0; i < x->n_literals; i++) literal_add(s, which, x->variable, &x->literals[i]);
    if (x->op == OP_IN_TABLE) dimension(s, which, SPACE_TABLE, x->variable, x->table);
}

/* ---- classes ---- */

static void number_classes(struct space_dimension *m) {
    bool counts = m->type == TYPE_COMPUTE || m->type == TYPE_STORAGE || m->type == TYPE_UNITS;
    struct space_class below = {.has_low = counts, .low = 0, .has_high = true};
    for (size_t i = 0; i < m->n_cuts; i++) {
        below.high = m->cuts[i] - 1;
        if (!below.has_low || below.low <= below.high) class_put(m, below);
        class_put(m, (struct space_class){
                         .has_low = true, .has_high = true, .low = m->cuts[i], .high = m->cuts[i]});
        below.has_low = true;
        below.low = m->cuts[i] + 1;
    }
    below.has_high = false;
    class_put(m, below);
}

static void word_put(struct space_class *c, const char *word) {
    c->words = mem_grow(c->words, &c->room_words, c->n_words + 1, sizeof *c->words);
    c->words[c->n_words++] = word;
}

static bool has_value(const struct space *s, const struct space_dimension *m, int p, const char *word) {
    if (m->variable[p] < 0) return false;
    const struct variable *v = &s->policy[p]->variables[m->variable[p]];
    for (size_t i = 0; i < v->n_values; i++)
        if (strcmp(v->values[i].s, word) == 0) return true;
    return false;
}

/* A word of an enum that nothing names is like the others that the same policies know. */
static void enum_put(const struct space *s, struct space_dimension *m, const char *word) {
    bool before = has_value(s, m, 0, word), after = has_value(s, m, 1, word);
    for (size_t i = 0; i < m->n && !is_named(m, word); i++) {
        const char *like = m->classes[i].words[0];
        if (is_named(m, like) || has_value(s, m, 0, like) != before || has_value(s, m, 1, like) != after)
            continue;
        word_put(&m->classes[i], word);
        return;
    }
    class_put(m, (struct space_class){0});
    word_put(&m->classes[m->n - 1], word);
}

static void enum_classes(const struct space *s, struct space_dimension *m) {
    for (int p = 0; p < 2; p++) {
        if (m->variable[p] < 0) continue;
        const struct variable *v = &s->policy[p]->variables[m->variable[p]];
        for (size_t i = 0; i < v->n_values; i++)
            if (p == 0 || !has_value(s, m, 0, v->values[i].s)) enum_put(s, m, v->values[i].s);
    }
}

/* One class a word; of text also any other. */
static void word_classes(struct space_dimension *m, const char *const words[], size_t n) {
    for (size_t i = 0; i < n; i++) {
        class_put(m, (struct space_class){0});
        word_put(&m->classes[m->n - 1], words[i]);
    }
    if (m->type == TYPE_TEXT) class_put(m, (struct space_class){0});
}

static bool may_be_unset(const struct space *s, const struct space_dimension *m) {
    bool may = false;
    for (int p = 0; p < 2; p++)
        if (m->variable[p] >= 0) may |= s->policy[p]->variables[m->variable[p]].optional;
    return may;
}

static bool has_entries(const struct space *s, const struct space_dimension *m) {
    for (int p = 0; p < 2; p++)
        if (m->table[p] >= 0 && s->policy[p]->tables[m->table[p]].n > 0) return true;
    return false;
}

static struct space_dimension *relative_of(struct space *s, const struct space_dimension *m) {
    for (size_t i = 0; i < s->n; i++)
        if (s->dimensions[i].kind == SPACE_RELATIVE && is_same_variable(s->dimensions[i].of, m->of))
            return &s->dimensions[i];
    return NULL;
}

static void value_classes(struct space *s, struct space_dimension *m) {
    struct space_dimension *relative = m->type == TYPE_DATE ? relative_of(s, m) : NULL;
    static const char *const bools[] = {"true", "false"};
    if (m->type == TYPE_BOOL)
        word_classes(m, bools, 2);
    else if (m->type == TYPE_ENUM)
        enum_classes(s, m);
    else if (m->type == TYPE_TEXT)
        word_classes(m, m->named, m->n_named);
    else
        number_classes(m);
    if (!may_be_unset(s, m)) return;
    /* Of a date that is only counted from today, being unset stands with the days. */
    class_put(relative && m->n == 1 ? relative : m, (struct space_class){.unset = true});
}

static void classes_make(struct space *s) {
    for (size_t i = 0; i < s->n; i++) {
        struct space_dimension *m = &s->dimensions[i];
        if (m->kind == SPACE_TABLE) {
            class_put(m, (struct space_class){.low = 0});
            if (has_entries(s, m)) class_put(m, (struct space_class){.low = 1});
        } else if (m->kind == SPACE_RELATIVE) {
            number_classes(m);
        }
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->dimensions[i].kind == SPACE_VALUE) value_classes(s, &s->dimensions[i]);
}

void space_close(struct space *s) {
    classes_make(s);
    s->profiles = 1;
    s->possible = 1;
    for (size_t i = 0; i < s->n; i++) {
        struct space_dimension *m = &s->dimensions[i];
        m->taken = s->profiles * m->n <= SPACE_MOST ? m->n : 1;
        m->first = s->n_classes;
        s->n_classes += m->n;
        s->profiles *= m->taken;
        s->possible *= (double)m->n;
    }
}

/* ---- one profile ---- */

/* Any number of the class; it need not be the middle. */
static int64_t any_of(const struct space_class *c) { return c->has_low ? c->low : c->has_high ? c->high : 0; }

static struct slot slot_of(const struct policy *y, int variable, const struct space_class *c) {
    const struct variable *v = &y->variables[variable];
    struct err e = {0};
    if (c->unset) return (struct slot){.state = SLOT_UNSET};
    struct slot slot = {SLOT_SET, 0, 0,
                        c->n_words ? c->words[0] : "\x01"}; /* no text that anybody may write */
    if (v->type == TYPE_BOOL || v->type == TYPE_ENUM)
        slot.state = variable_read(v, slot.text, &slot.n, &e) < 0 ? SLOT_BAD : SLOT_SET;
    else if (v->type != TYPE_TEXT)
        slot.n = slot.relative = any_of(c);
    return slot;
}

static void apply(struct space *s, int p, const struct space_dimension *m, const struct space_class *c) {
    struct slot *slot = &s->eval[p].slots[m->variable[p]];
    if (m->kind == SPACE_VALUE) {
        *slot = slot_of(s->policy[p], m->variable[p], c);
    } else if (m->kind == SPACE_RELATIVE) {
        if (c->unset)
            *slot = (struct slot){.state = SLOT_UNSET};
        else
            slot->relative = any_of(c);
    } else if (m->table[p] >= 0) {
        s->member[p][(size_t)m->variable[p] * s->policy[p]->n_tables + (size_t)m->table[p]] = c->low != 0;
    }
}

/* A VALUE dimension comes before the others of its variable, so applying in order is right. */
void space_at(struct space *s, size_t profile) {
    size_t rest = profile, stride = s->profiles;
    for (size_t i = 0; i < s->n; i++) {
        const struct space_dimension *m = &s->dimensions[i];
        stride /= m->taken;
        const struct space_class *c = &m->classes[rest / stride];
        rest %= stride;
        for (int p = 0; p < 2; p++)
            if (m->variable[p] >= 0) apply(s, p, m, c);
    }
    for (int p = 0; p < 2; p++) s->eval[p].slots[VAR_TIER] = (struct slot){.state = SLOT_UNSET};
}

/* ---- sets ---- */

size_t cube_count(const struct space *s, const unsigned char *cube) {
    size_t n = 1;
    for (size_t i = 0; i < s->n; i++) {
        size_t chosen = 0;
        for (size_t k = 0; k < s->dimensions[i].taken; k++) chosen += cube[s->dimensions[i].first + k];
        n *= chosen;
    }
    return n;
}

static bool each_from(const struct space *s, const unsigned char *cube, size_t i, size_t base, size_t stride,
                      bool (*visit)(void *arg, size_t profile), void *arg) {
    if (i == s->n) return visit(arg, base);
    const struct space_dimension *m = &s->dimensions[i];
    stride /= m->taken;
    for (size_t k = 0; k < m->taken; k++)
        if (cube[m->first + k] && !each_from(s, cube, i + 1, base + k * stride, stride, visit, arg))
            return false;
    return true;
}

bool cube_each(const struct space *s, const unsigned char *cube, bool (*visit)(void *arg, size_t profile),
               void *arg) {
    return each_from(s, cube, 0, 0, s->profiles, visit, arg);
}
