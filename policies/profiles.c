/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/profiles.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static struct dimension *dimension_get(struct profiles *p, enum dimension_kind kind, int variable,
                                       int table) {
    for (size_t i = 0; i < p->n; i++) {
        struct dimension *m = &p->dimensions[i];
        if (m->kind == kind && m->variable == variable && m->table == table) return m;
    }
    if (p->n == DIMENSIONS_MOST) {
        p->too_many = true;
        return &p->dimensions[0];
    }
    struct dimension *m = &p->dimensions[p->n++];
    *m = (struct dimension){.kind = kind, .variable = variable, .table = table};
    return m;
}

static bool slot_same(const struct slot *a, const struct slot *b) {
    if (a->state != b->state || a->n != b->n) return false;
    return a->text && b->text ? strcmp(a->text, b->text) == 0 : a->text == b->text;
}

static void value_add(struct dimension *m, struct slot s) {
    for (size_t i = 0; i < m->n; i++)
        if (slot_same(&m->values[i], &s)) return;
    m->values = mem_grow(m->values, &m->room, m->n + 1, sizeof s);
    m->values[m->n++] = s;
}

static void number_add(struct dimension *m, int64_t n) { value_add(m, (struct slot){SLOT_SET, n, n, NULL}); }

static void literal_add(struct profiles *p, int variable, const struct literal *l) {
    const struct variable *v = &p->policy->variables[variable];
    enum dimension_kind kind = l->relative ? VARIES_RELATIVE : VARIES_VALUE;
    struct dimension *m = dimension_get(p, kind, variable, -1);
    if (v->type == TYPE_TEXT) {
        value_add(m, (struct slot){SLOT_SET, 0, 0, l->text});
        return;
    }
    if (v->type == TYPE_BOOL || v->type == TYPE_ENUM) return;
    bool counts = v->type == TYPE_COMPUTE || v->type == TYPE_STORAGE || v->type == TYPE_UNITS;
    for (int64_t n = l->n - 1; n <= l->n + 1; n++)
        if (n >= 0 || !counts) number_add(m, n);
}

/* The values a variable has whether or not they are named: all of an enum, unset where it may be. */
static void variable_add(struct profiles *p, int variable) {
    const struct variable *v = &p->policy->variables[variable];
    struct dimension *m = dimension_get(p, VARIES_VALUE, variable, -1);
    if (m->n > 0) return;
    if (v->type == TYPE_BOOL || v->type == TYPE_ENUM) {
        int64_t n = v->type == TYPE_BOOL ? 2 : (int64_t)v->n_values;
        for (int64_t i = 0; i < n; i++) number_add(m, i);
    } else if (v->type == TYPE_TEXT) {
        value_add(m, (struct slot){SLOT_SET, 0, 0, "\x01"}); /* no text that anybody may write */
    } else {
        number_add(m, 0);
    }
    if (v->optional) value_add(m, (struct slot){.state = SLOT_UNSET});
}

static void expr_add(struct profiles *p, const struct expr *x) {
    if (!x) return;
    if (x->op == OP_AND || x->op == OP_OR || x->op == OP_NOT) {
        expr_add(p, x->left);
        expr_add(p, x->right);
        return;
    }
    variable_add(p, x->variable);
    for (size_t i = 0; i < x->n_literals; i++) literal_add(p, x->variable, &x->literals[i]);
    if (x->op != OP_IN_TABLE) return;
    struct dimension *m = dimension_get(p, VARIES_TABLE, x->variable, x->table);
    number_add(m, 0);
    number_add(m, 1);
}

bool profiles_begin(struct profiles *p, const struct policy *policy, const struct expr *const when[],
                    size_t n) {
    int64_t left = p->left;
    *p = (struct profiles){.policy = policy, .left = left};
    for (size_t i = 0; i < n; i++) expr_add(p, when[i]);
    eval_begin(&p->eval, policy, NULL, NULL);
    p->member = mem_alloc(policy->n_variables * policy->n_tables);
    p->eval.member = p->member;
    size_t product = 1;
    for (size_t i = 0; i < p->n && product <= PROFILES_MOST; i++) product *= p->dimensions[i].n;
    if (p->too_many || product > PROFILES_MOST || (int64_t)(product * n) > p->left) return false;
    p->left -= (int64_t)(product * n);
    return true;
}

void profiles_end(struct profiles *p) {
    for (size_t i = 0; i < p->n; i++) free(p->dimensions[i].values);
    free(p->member);
}

static void dimension_apply(struct profiles *p, const struct dimension *m) {
    struct slot *s = &p->eval.slots[m->variable];
    const struct slot *value = &m->values[m->at];
    switch (m->kind) {
    case VARIES_VALUE: *s = *value; break;
    case VARIES_RELATIVE: s->relative = value->relative; break;
    case VARIES_TABLE:
        p->member[(size_t)m->variable * p->policy->n_tables + (size_t)m->table] = value->n != 0;
    }
}

/* VALUE dimensions come before the others of their variable, so applying in order is right. */
void profiles_first(struct profiles *p) {
    for (size_t i = 0; i < p->n; i++) p->dimensions[i].at = 0;
    for (size_t i = 0; i < p->n; i++) dimension_apply(p, &p->dimensions[i]);
}

bool profiles_next(struct profiles *p) {
    for (size_t i = p->n; i-- > 0;) {
        struct dimension *m = &p->dimensions[i];
        if (++m->at < m->n) {
            for (size_t j = i; j < p->n; j++) dimension_apply(p, &p->dimensions[j]);
            return true;
        }
        m->at = 0;
    }
    return false;
}

bool profiles_first_match(struct profiles *p, const struct expr *const when[], size_t n,
                          struct verdict *out) {
    bool none = false;
    profiles_first(p);
    do {
        size_t i = 0;
        for (; i < n; i++) {
            enum truth t = eval_expr(&p->eval, when[i]);
            if (t == TRUTH_FALSE) continue;
            out[i].matches = true;
            if (t == TRUTH_TRUE)
                out[i].decides = true;
            else if (!out[i].unknown)
                out[i].unknown = true, out[i].missing = p->eval.missing;
            break;
        }
        none |= i == n;
    } while (profiles_next(p));
    return none;
}
