/* SPDX-License-Identifier: Apache-2.0 */
/* Why a condition held or not: the tests that were looked at, with the values they saw. */
#include "policies/because.h"

#include "alloc/text.h"

#include <string.h>

static json_t *text_json(struct text *t) {
    json_t *s = json_string(t->s ? t->s : "");
    text_free(t);
    return s;
}

static json_t *day_json(int64_t day) {
    return json_string(date_text(instant(day * CLOCK_DAY - CLOCK_CIVIL_OFFSET)).s);
}

static json_t *value_json(const struct variable *v, int64_t n, const char *text) {
    switch (v->type) {
    case TYPE_BOOL: return json_boolean(n);
    case TYPE_ENUM: return json_string(n >= 0 && (size_t)n < v->n_values ? v->values[n].s : "");
    case TYPE_DATE: return day_json(n);
    case TYPE_COMPUTE: return json_string(gflops_text(gflops(n)).s);
    case TYPE_STORAGE: return json_string(bytes_text(bytes(n)).s);
    case TYPE_TEXT: return json_string(text ? text : "");
    default: return json_integer(n);
    }
}

static json_t *slot_json(const struct eval *e, int variable) {
    const struct slot *s = &e->slots[variable];
    if (s->state == SLOT_BAD) return json_string(s->text);
    if (s->state != SLOT_SET) return json_null();
    return value_json(&e->policy->variables[variable], s->n, s->text);
}

static json_t *literal_json(const struct eval *e, const struct expr *x, size_t i) {
    const struct literal *l = &x->literals[i];
    return value_json(&e->policy->variables[x->variable], l->relative ? e->today + l->n : l->n, l->text);
}

/* ["kind", "sme", "in", ["sme", "venture"]]; ["ai", true]; ["tenant in <blocked>", false]. */
static json_t *test_json(const struct eval *e, const struct expr *x, enum truth truth) {
    static const char *const compares[] = {"=", "!=", "<", "<=", ">", ">="};
    const char *name = e->policy->variables[x->variable].name.s;
    struct text t = {0};
    json_t *test = json_array(), *list;
    switch (x->op) {
    case OP_COMPARE:
        json_array_append_new(test, json_string(name));
        json_array_append_new(test, slot_json(e, x->variable));
        json_array_append_new(test, json_string(compares[x->compare]));
        json_array_append_new(test, literal_json(e, x, 0));
        return test;
    case OP_IN_SET:
        list = json_array();
        for (size_t i = 0; i < x->n_literals; i++) json_array_append_new(list, literal_json(e, x, i));
        json_array_append_new(test, json_string(name));
        json_array_append_new(test, slot_json(e, x->variable));
        json_array_append_new(test, json_string("in"));
        json_array_append_new(test, list);
        return test;
    case OP_IN_TABLE: text_add(&t, "%s in <%s>", name, e->policy->tables[x->table].name.s); break;
    case OP_UNSET: text_add(&t, "%s is unset", name); break;
    default: text_add(&t, "%s", name);
    }
    json_array_append_new(test, text_json(&t));
    json_array_append_new(test, truth == TRUTH_UNKNOWN ? json_null() : json_boolean(truth == TRUTH_TRUE));
    return test;
}

enum truth because(struct eval *e, const struct expr *x, json_t *tests) {
    if (!x) return TRUTH_TRUE;
    if (x->op == OP_AND || x->op == OP_OR) {
        enum truth decides = x->op == OP_AND ? TRUTH_FALSE : TRUTH_TRUE, a = because(e, x->left, tests);
        if (a == decides) return a;
        enum truth b = because(e, x->right, tests);
        return b == decides || a != TRUTH_UNKNOWN ? b : a;
    }
    if (x->op == OP_NOT) {
        enum truth inner = because(e, x->left, tests);
        return inner == TRUTH_UNKNOWN ? inner : inner == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
    }
    enum truth t = eval_expr(e, x);
    json_array_append_new(tests, test_json(e, x, t));
    return t;
}
