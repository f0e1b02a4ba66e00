/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/eval.h"

#include <stdlib.h>
#include <string.h>

int64_t day_number(instant_t t) {
    int64_t s = t.s + CLOCK_CIVIL_OFFSET;
    return (s >= 0 ? s : s - (CLOCK_DAY - 1)) / CLOCK_DAY;
}

void eval_begin(struct eval *e, const struct policy *policy, const struct facts *facts,
                const struct fact_claim *claim) {
    e->policy = policy;
    e->facts = facts;
    e->claim = claim;
    e->tenant = facts ? &facts->tenants[claim->tenant] : NULL;
    e->today = facts ? day_number(facts->now) : 0;
    e->member = NULL;
    e->missing = -1;
    memset(e->slots, 0, policy->n_variables * sizeof *e->slots);
}

void eval_tenant(struct eval *e, const struct policy *policy, const struct facts *facts,
                 const struct fact_tenant *tenant) {
    struct fact_claim none = {.tenant = (size_t)(tenant - facts->tenants)};
    eval_begin(e, policy, facts, &none);
    e->claim = NULL;
}

void eval_tier(struct eval *e, int tier) {
    struct slot *s = &e->slots[VAR_TIER];
    s->state = tier < 0 ? SLOT_UNKNOWN : SLOT_SET;
    s->n = tier;
}

static bool of_request(const struct variable *v, int variable) {
    static const bool built_in[VARS_BUILT_IN] = {[VAR_COMPUTE] = true,
                                                 [VAR_STORAGE] = true,
                                                 [VAR_UNITS] = true,
                                                 [VAR_FLAVOR] = true,
                                                 [VAR_CALL] = true};
    return v->of == SUBJECT_REQUEST || (v->of == SUBJECT_BUILT_IN && built_in[variable]);
}

bool eval_lacks_request(const struct eval *e) {
    return !e->claim && of_request(&e->policy->variables[e->missing], e->missing);
}

static const struct fact_flavor *flavor_asked(const struct eval *e) {
    const struct fact_pool *pool = &e->facts->pool;
    for (size_t i = 0; e->claim->flavor && i < pool->n_flavors; i++)
        if (strcmp(pool->flavors[i].name, e->claim->flavor) == 0) return &pool->flavors[i];
    return NULL;
}

static void slot_set(struct slot *s, int64_t n) {
    s->state = SLOT_SET;
    s->n = n;
}

/* Compute and units convert into each other only where the claim names its flavor. */
static void read_compute(const struct eval *e, struct slot *s) {
    const struct fact_flavor *f = flavor_asked(e);
    int64_t n;
    s->state = SLOT_UNSET;
    if (e->claim->ask == ASK_NONE)
        slot_set(s, 0);
    else if (e->claim->ask == ASK_COMPUTE)
        slot_set(s, e->claim->compute.n);
    else if (f && !__builtin_mul_overflow(e->claim->units.n, f->rating.n, &n))
        slot_set(s, n);
}

static void read_units(const struct eval *e, struct slot *s) {
    const struct fact_flavor *f = flavor_asked(e);
    s->state = SLOT_UNSET;
    if (e->claim->ask == ASK_NONE)
        slot_set(s, 0);
    else if (e->claim->ask == ASK_UNITS)
        slot_set(s, e->claim->units.n);
    else if (f && f->rating.n > 0)
        slot_set(s, e->claim->compute.n / f->rating.n);
}

static void read_text(struct slot *s, const char *text) {
    s->state = text ? SLOT_SET : SLOT_UNSET;
    s->text = text;
}

static void read_built_in(struct eval *e, int variable, struct slot *s) {
    switch (variable) {
    case VAR_TENANT: read_text(s, e->tenant->name); break;
    case VAR_ORGANISATION: read_text(s, e->tenant->organisation); break;
    case VAR_TIER: s->state = SLOT_UNKNOWN; break;
    case VAR_COMPUTE: read_compute(e, s); break;
    case VAR_STORAGE: slot_set(s, e->claim->storage.n + e->claim->datalake.n); break;
    case VAR_UNITS: read_units(e, s); break;
    case VAR_FLAVOR: read_text(s, e->claim->flavor); break;
    case VAR_CALL: read_text(s, e->claim->call); break;
    default: slot_set(s, e->today); break;
    }
}

static const char *attr_find(const struct fact_attr *attrs, size_t n, const char *name, uint32_t *stood) {
    if (*stood < n && strcmp(attrs[*stood].name, name) == 0) return attrs[*stood].value;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(attrs[i].name, name) != 0) continue;
        *stood = (uint32_t)i;
        return attrs[i].value;
    }
    return NULL;
}

static void read_attr(struct eval *e, const struct variable *v, struct slot *s) {
    const struct fact_tenant *t = e->tenant;
    const struct fact_claim *c = e->claim;
    uint32_t *stood = &e->stood[v - e->policy->variables];
    const char *text = v->of == SUBJECT_TENANT ? attr_find(t->attrs, t->n_attrs, v->name.s, stood)
                                               : attr_find(c->attrs, c->n_attrs, v->name.s, stood);
    s->text = text;
    e->wrong.code = ERR_NONE;
    s->state = !text ? SLOT_UNSET : variable_read(v, text, &s->n, &e->wrong) < 0 ? SLOT_BAD : SLOT_SET;
}

static const struct slot *slot_read(struct eval *e, int variable) {
    struct slot *s = &e->slots[variable];
    const struct variable *v = &e->policy->variables[variable];
    if (!e->claim && of_request(v, variable))
        s->state = SLOT_UNKNOWN;
    else if (v->of == SUBJECT_BUILT_IN)
        read_built_in(e, variable, s);
    else
        read_attr(e, v, s);
    if (s->state == SLOT_SET && v->type == TYPE_DATE) s->relative = s->n - e->today;
    return s;
}

static int literal_cmp(enum type type, const struct slot *s, const struct literal *l) {
    if (type == TYPE_TEXT) return strcmp(s->text, l->text);
    int64_t n = l->relative ? s->relative : s->n;
    return (n > l->n) - (n < l->n);
}

static bool compare_holds(enum compare compare, int order) {
    switch (compare) {
    case CMP_EQ: return order == 0;
    case CMP_NE: return order != 0;
    case CMP_LT: return order < 0;
    case CMP_LE: return order <= 0;
    case CMP_GT: return order > 0;
    case CMP_GE: return order >= 0;
    }
    return false;
}

bool table_has(const struct table *table, const char *entry) {
    size_t low = 0, high = table->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(table->entries[middle], entry);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool test_holds(const struct eval *e, const struct expr *x, const struct slot *s) {
    enum type type = e->policy->variables[x->variable].type;
    switch (x->op) {
    case OP_IS_TRUE: return s->n != 0;
    case OP_COMPARE: return compare_holds(x->compare, literal_cmp(type, s, x->literals));
    case OP_IN_SET:
        for (size_t i = 0; i < x->n_literals; i++)
            if (literal_cmp(type, s, &x->literals[i]) == 0) return true;
        return false;
    case OP_IN_TABLE:
        if (e->member) return e->member[(size_t)x->variable * e->policy->n_tables + (size_t)x->table] != 0;
        return table_has(&e->policy->tables[x->table], s->text);
    default: return false;
    }
}

static inline enum truth eval_test(struct eval *e, const struct expr *x) {
    const struct slot *s = &e->slots[x->variable];
    if (s->state == SLOT_UNREAD) s = slot_read(e, x->variable);
    if (x->op == OP_UNSET && s->state != SLOT_BAD && s->state != SLOT_UNKNOWN)
        return s->state == SLOT_UNSET ? TRUTH_TRUE : TRUTH_FALSE;
    if (s->state != SLOT_SET) {
        e->missing = x->variable;
        return TRUTH_UNKNOWN;
    }
    return test_holds(e, x, s) ? TRUTH_TRUE : TRUTH_FALSE;
}

static bool is_test(const struct expr *x) { return x->op > OP_NOT; }

static enum truth eval_side(struct eval *e, const struct expr *x) {
    return is_test(x) ? eval_test(e, x) : eval_expr(e, x);
}

/* decides: the value of one side that settles the whole (false for "and", true for "or"). */
static enum truth eval_both(struct eval *e, const struct expr *x, enum truth decides) {
    enum truth a = eval_side(e, x->left);
    if (a == decides) return a;
    int missing = e->missing;
    enum truth b = eval_side(e, x->right);
    if (b == decides) return b;
    if (a != TRUTH_UNKNOWN) return b;
    e->missing = missing; /* the first in reading order is named */
    return a;
}

enum truth eval_expr(struct eval *e, const struct expr *x) {
    if (!x) return TRUTH_TRUE;
    switch (x->op) {
    case OP_AND: return eval_both(e, x, TRUTH_FALSE);
    case OP_OR: return eval_both(e, x, TRUTH_TRUE);
    case OP_NOT: {
        enum truth inner = eval_expr(e, x->left);
        return inner == TRUTH_UNKNOWN ? inner : inner == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
    }
    default: return eval_test(e, x);
    }
}

void eval_missing(const struct eval *e, struct text *en, struct text *ko) {
    const struct variable *v = &e->policy->variables[e->missing];
    const struct slot *s = &e->slots[e->missing];
    bool request = v->of == SUBJECT_REQUEST;
    if (e->missing == VAR_TIER) {
        text_add(en, "the tier of the tenant is not known");
        text_add(ko, "기업의 등급을 알 수 없습니다");
    } else if (s->state == SLOT_BAD) {
        text_add(en, "'%s' is '%s', which is not %s", v->name.s, s->text, type_word(v->type));
        text_add(ko, "'%s'의 값 '%s'이(가) 올바르지 않습니다", v->name.s, s->text);
    } else if (v->of == SUBJECT_BUILT_IN) {
        text_add(en, "'%s' is not known until the request names a flavor", v->name.s);
        text_add(ko, "자원 종류를 지정하지 않아 '%s' 값을 알 수 없습니다", v->name.s);
    } else {
        text_add(en, "'%s' of the %s is not set", v->name.s, request ? "request" : "tenant");
        text_add(ko, "%s 속성 '%s'이(가) 지정되지 않았습니다", request ? "신청" : "기업", v->name.s);
    }
}
