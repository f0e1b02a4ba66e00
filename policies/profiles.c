/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every profile of a request, tried: each variable that a condition uses takes each value that could
 * make a difference (both sides of every number and date it is compared with), tables answer yes and
 * no. A rule that decides none of them is dead. Dates counted from today and fixed dates are varied
 * independently, which tries more than can happen: nothing is called dead that is not.
 */
#include "policies/eval.h"

#include "alloc/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILES_MOST = 200000, DIMENSIONS_MOST = 256 };

enum dimension_kind { VARIES_VALUE, VARIES_RELATIVE, VARIES_TABLE };

struct dimension {
    enum dimension_kind kind;
    int variable, table;
    struct slot *values;
    size_t n, room, at;
};

struct profiles {
    const struct policy *policy;
    struct diagnostics *d;
    struct dimension dimensions[DIMENSIONS_MOST];
    size_t n;
    bool too_many;
    struct eval eval;
    unsigned char *member;
};

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

static bool profiles_begin(struct profiles *p, const struct policy *policy, struct diagnostics *d,
                           const struct expr *const when[], size_t n) {
    *p = (struct profiles){.policy = policy, .d = d};
    for (size_t i = 0; i < n; i++) expr_add(p, when[i]);
    eval_begin(&p->eval, policy, NULL, NULL);
    p->member = mem_alloc(policy->n_variables * policy->n_tables);
    p->eval.member = p->member;
    size_t product = 1;
    for (size_t i = 0; i < p->n && product <= PROFILES_MOST; i++) product *= p->dimensions[i].n;
    return !p->too_many && product <= PROFILES_MOST;
}

static void profiles_end(struct profiles *p) {
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
static void profiles_first(struct profiles *p) {
    for (size_t i = 0; i < p->n; i++) p->dimensions[i].at = 0;
    for (size_t i = 0; i < p->n; i++) dimension_apply(p, &p->dimensions[i]);
}

static bool profiles_next(struct profiles *p) {
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

struct verdict {
    bool decides, unknown, matches;
    int missing;
};

/* First match over all profiles. Returns whether some profile matched nothing. */
static bool first_match(struct profiles *p, const struct expr *const when[], size_t n, struct verdict *out) {
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

static void say_unknown(struct profiles *p, const struct verdict *v, struct word id) {
    if (!v->unknown) return;
    const char *name = p->policy->variables[v->missing].name.s;
    diagnose(
        p->d, LEVEL_WARNING, id.place,
        "where '%s' is unset, rule '%s' cannot be decided and holds the request; test '%s is unset' first",
        name, id.s, name);
}

static void say_too_many(struct profiles *p, struct place place) {
    diagnose(p->d, LEVEL_NOTE, place,
             "the conditions have more than %d combinations: not searched for rules that never decide",
             PROFILES_MOST);
}

static void profiles_eligible(const struct policy *y, struct diagnostics *d, struct profiles *p) {
    const struct expr **when = mem_alloc(y->n_rules * sizeof(struct expr *));
    struct verdict *verdicts = mem_alloc(y->n_rules * sizeof *verdicts);
    for (size_t i = 0; i < y->n_rules; i++) when[i] = y->rules[i].when;
    if (profiles_begin(p, y, d, when, y->n_rules)) {
        first_match(p, when, y->n_rules, verdicts);
        for (size_t i = 0; i < y->n_rules; i++) {
            if (!verdicts[i].matches)
                diagnose(d, LEVEL_WARNING, y->rules[i].id.place,
                         "rule '%s' can never decide: earlier rules always match first, or its condition is "
                         "impossible",
                         y->rules[i].id.s);
            say_unknown(p, &verdicts[i], y->rules[i].id);
        }
    } else {
        say_too_many(p, y->eligible_place);
    }
    profiles_end(p);
    free(verdicts);
    free(when);
}

static void profiles_leases(const struct policy *y, struct diagnostics *d, struct profiles *p) {
    const struct expr **when = mem_alloc(y->n_leases * sizeof(struct expr *));
    struct verdict *verdicts = mem_alloc(y->n_leases * sizeof *verdicts);
    for (size_t i = 0; i < y->n_leases; i++) when[i] = y->leases[i].when;
    if (profiles_begin(p, y, d, when, y->n_leases)) {
        bool none = first_match(p, when, y->n_leases, verdicts);
        for (size_t i = 0; i < y->n_leases; i++) {
            if (!verdicts[i].matches)
                diagnose(d, LEVEL_WARNING, y->leases[i].id.place,
                         "lease '%s' can never apply: earlier leases always match first, or its condition is "
                         "impossible",
                         y->leases[i].id.s);
            say_unknown(p, &verdicts[i], y->leases[i].id);
        }
        if (none)
            diagnose(d, LEVEL_WARNING, y->leases[y->n_leases - 1].id.place,
                     "some requests match no lease and would be held; end with a lease without 'when'");
    } else {
        say_too_many(p, y->leases[0].id.place);
    }
    profiles_end(p);
    free(verdicts);
    free(when);
}

/* Of ceilings all that match hold, so each is tried alone. */
static void profiles_ceilings(const struct policy *y, struct diagnostics *d, struct profiles *p) {
    for (size_t i = 0; i < y->n_ceilings; i++) {
        const struct ceiling *c = &y->ceilings[i];
        const struct expr *when = c->when;
        struct verdict verdict = {0};
        if (!when) continue;
        if (profiles_begin(p, y, d, &when, 1)) {
            first_match(p, &when, 1, &verdict);
            if (!verdict.matches)
                diagnose(d, LEVEL_WARNING, c->id.place,
                         "ceiling '%s' can never apply: its condition is impossible", c->id.s);
            say_unknown(p, &verdict, c->id);
        } else {
            say_too_many(p, c->id.place);
        }
        profiles_end(p);
    }
}

/* Is there a profile in which no ceiling limits this? */
static bool ceiling_missing(const struct policy *y, struct diagnostics *d, struct profiles *p, bool compute) {
    const struct expr **when = mem_alloc(y->n_ceilings * sizeof(struct expr *));
    struct verdict *verdicts = mem_alloc(y->n_ceilings * sizeof *verdicts);
    size_t n = 0;
    for (size_t i = 0; i < y->n_ceilings; i++)
        if (compute ? y->ceilings[i].has_compute : y->ceilings[i].has_storage)
            when[n++] = y->ceilings[i].when;
    bool missing = n == 0 || (profiles_begin(p, y, d, when, n) && first_match(p, when, n, verdicts));
    if (n > 0) profiles_end(p);
    free(verdicts);
    free(when);
    return missing;
}

void check_profiles(const struct policy *policy, struct diagnostics *d) {
    struct profiles *p = mem_alloc(sizeof *p);
    profiles_eligible(policy, d, p);
    profiles_leases(policy, d, p);
    profiles_ceilings(policy, d, p);
    struct place last = policy->ceilings[policy->n_ceilings - 1].id.place;
    if (policy->n_flavors > 0 && ceiling_missing(policy, d, p, true))
        diagnose(d, LEVEL_WARNING, last, "some requests for compute match no ceiling and would be held");
    if (policy->has_storage && ceiling_missing(policy, d, p, false))
        diagnose(d, LEVEL_WARNING, last, "some requests for storage match no ceiling and would be held");
    free(p);
}
