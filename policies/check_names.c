/* SPDX-License-Identifier: Apache-2.0 */
/* Names, types and clashes. */
#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

struct checker {
    struct policy *policy;
    struct diagnostics *d;
    bool *used_tables;
    struct any_rule rule; /* whose condition is being read */
};

static void unknown(struct checker *c, struct word w, const char *what, const char *const names[], size_t n) {
    const char *near = text_nearest(w.s, names, n);
    if (near)
        diagnose(c->d, LEVEL_ERROR, w.place, "unknown %s '%s'; did you mean '%s'?", what, w.s, near);
    else
        diagnose(c->d, LEVEL_ERROR, w.place, "unknown %s '%s'", what, w.s);
}

static int variable_find(const struct policy *policy, const char *name) {
    for (size_t i = 0; i < policy->n_variables; i++)
        if (strcmp(policy->variables[i].name.s, name) == 0) return (int)i;
    return -1;
}

static bool resolve_subject(struct checker *c, struct expr *x) {
    const char *names[VARS_BUILT_IN + POLICY_ATTRS];
    x->variable = variable_find(c->policy, x->subject.s);
    if (x->variable >= 0) return true;
    for (size_t i = 0; i < c->policy->n_variables; i++) names[i] = c->policy->variables[i].name.s;
    unknown(c, x->subject, "attribute", names, c->policy->n_variables);
    return false;
}

/* Not everything is known everywhere: a tier not before the sets, a request not where a tenant is judged. */
static bool check_scope(struct checker *c, const struct expr *x) {
    const struct variable *v = &c->policy->variables[x->variable];
    bool of_request =
        v->of == SUBJECT_REQUEST || (v->of == SUBJECT_BUILT_IN && strncmp(v->name.s, "request.", 8) == 0);
    size_t errors = c->d->count[LEVEL_ERROR];
    if (x->variable == VAR_TIER && !c->rule.knows_tier)
        diagnose(c->d, LEVEL_ERROR, x->subject.place,
                 "'tier' is what the sets find: it is not known inside one");
    else if (x->variable == VAR_TIER && c->policy->n_tiers == 0)
        diagnose(c->d, LEVEL_ERROR, x->subject.place, "'tier' means nothing: the policy has no set 'tier'");
    if (of_request && !c->rule.of_request)
        diagnose(c->d, LEVEL_ERROR, x->subject.place,
                 "'%s' belongs to a request; rule '%s' is about the tenant alone", v->name.s, c->rule.id->s);
    return c->d->count[LEVEL_ERROR] == errors;
}

static void type_mismatch(struct checker *c, const struct literal *l, const struct variable *v) {
    const char *got = l->kind == LITERAL_NUMBER                             ? "a bare number"
                      : l->kind == LITERAL_DATE || l->kind == LITERAL_TODAY ? "a date"
                      : l->kind == LITERAL_STRING                           ? "a string"
                      : l->kind == LITERAL_AMOUNT                           ? "an amount"
                                                                            : "a word";
    diagnose(c->d, LEVEL_ERROR, l->place, "'%s' is compared with %s, got %s '%s%s%s'", v->name.s,
             type_word(v->type), got, l->text, l->unit ? " " : "", l->unit ? l->unit : "");
}

static bool has_scale(const struct amount_scale *scales, const char *unit) {
    for (; scales->unit; scales++)
        if (strcmp(scales->unit, unit) == 0) return true;
    return false;
}

static bool resolve_amount(struct checker *c, struct literal *l, const struct variable *v) {
    bool is_compute = v->type == TYPE_COMPUTE;
    const struct amount_scale *wanted = is_compute ? gflops_scales : bytes_scales;
    struct err e = {0};
    if (l->kind == LITERAL_NUMBER) {
        diagnose(c->d, LEVEL_ERROR, l->place, "'%s' has no unit; '%s' is %s", l->text, v->name.s,
                 type_word(v->type));
        return false;
    }
    if (has_scale(is_compute ? bytes_scales : gflops_scales, l->unit)) {
        diagnose(c->d, LEVEL_ERROR, l->place, "unit mismatch: '%s' is %s, got %s", v->name.s,
                 type_word(v->type), type_word(is_compute ? TYPE_STORAGE : TYPE_COMPUTE));
        return false;
    }
    if (amount_scale(l->text, l->unit, wanted, is_compute ? GFLOPS_MOST : BYTES_MOST, &l->n, &e) == 0)
        return true;
    bool has_unit = has_scale(wanted, l->unit);
    diagnose(c->d, LEVEL_ERROR, has_unit ? l->place : l->unit_place, "%s", e.what);
    return false;
}

static bool resolve_word(struct checker *c, struct literal *l, const struct variable *v) {
    struct err e = {0};
    if (variable_read(v, l->text, &l->n, &e) == 0) return true;
    diagnose(c->d, LEVEL_ERROR, l->place, "%s%s%s", e.what, *e.hint ? "; " : "", e.hint);
    return false;
}

static void flavor_names(const struct policy *y, const char *names[POLICY_FLAVORS]) {
    for (size_t i = 0; i < y->n_flavors; i++) names[i] = y->flavors[i].name.s;
}

static void service_names(const struct policy *y, const char *names[POLICY_SERVICES]) {
    for (size_t i = 0; i < y->n_services; i++) names[i] = y->services[i].name.s;
}

static bool names_have(const char *const names[], size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool resolve_flavor(struct checker *c, struct word w) {
    const char *names[POLICY_FLAVORS];
    flavor_names(c->policy, names);
    if (names_have(names, c->policy->n_flavors, w.s)) return true;
    unknown(c, w, "flavor", names, c->policy->n_flavors);
    return false;
}

static bool resolve_service(struct checker *c, struct word w) {
    const char *names[POLICY_SERVICES];
    service_names(c->policy, names);
    if (names_have(names, c->policy->n_services, w.s)) return true;
    unknown(c, w, "service", names, c->policy->n_services);
    return false;
}

/* Gives a literal the type of what it is compared with. */
static bool resolve_literal(struct checker *c, struct literal *l, int variable) {
    const struct variable *v = &c->policy->variables[variable];
    switch (v->type) {
    case TYPE_COMPUTE:
    case TYPE_STORAGE:
        if (l->kind == LITERAL_NUMBER || l->kind == LITERAL_AMOUNT) return resolve_amount(c, l, v);
        break;
    case TYPE_INT:
    case TYPE_UNITS:
        if (l->kind == LITERAL_NUMBER) {
            struct variable number = {.name = v->name, .type = TYPE_INT};
            return resolve_word(c, l, &number);
        }
        break;
    case TYPE_DATE:
        if (l->kind == LITERAL_TODAY && variable != VAR_TODAY) return l->relative = true;
        if (l->kind == LITERAL_TODAY) {
            diagnose(c->d, LEVEL_ERROR, l->place, "'today' is compared with a fixed date (2027-03-31)");
            return false;
        }
        if (l->kind == LITERAL_DATE) return resolve_word(c, l, v);
        break;
    case TYPE_BOOL:
    case TYPE_ENUM:
        if (l->kind == LITERAL_WORD) return resolve_word(c, l, v);
        break;
    case TYPE_TEXT:
        if (variable == VAR_FLAVOR && (l->kind == LITERAL_WORD || l->kind == LITERAL_STRING))
            return resolve_flavor(c, (struct word){l->text, l->place});
        if (l->kind == LITERAL_WORD || l->kind == LITERAL_STRING) return true;
        break;
    }
    type_mismatch(c, l, v);
    return false;
}

static bool has_order(enum type t) { return t != TYPE_BOOL && t != TYPE_ENUM && t != TYPE_TEXT; }

static void resolve_table(struct checker *c, struct expr *x) {
    const char *names[POLICY_TABLES];
    const struct variable *v = &c->policy->variables[x->variable];
    for (size_t i = 0; i < c->policy->n_tables; i++) {
        names[i] = c->policy->tables[i].name.s;
        if (strcmp(names[i], x->table_name.s) != 0) continue;
        x->table = (int)i;
        c->used_tables[i] = true;
        if (v->type != TYPE_TEXT)
            diagnose(c->d, LEVEL_ERROR, x->subject.place, "a table holds text; '%s' is %s", v->name.s,
                     type_word(v->type));
        return;
    }
    unknown(c, x->table_name, "table", names, c->policy->n_tables);
}

static void resolve_expr(struct checker *c, struct expr *x) {
    if (!x) return;
    if (x->op == OP_AND || x->op == OP_OR || x->op == OP_NOT) {
        resolve_expr(c, x->left);
        resolve_expr(c, x->right);
        return;
    }
    if (!resolve_subject(c, x)) return;
    const struct variable *v = &c->policy->variables[x->variable];
    if (!check_scope(c, x)) return;
    if (x->op == OP_IS_TRUE && v->type != TYPE_BOOL)
        diagnose(c->d, LEVEL_ERROR, x->subject.place, "'%s' is %s: compare it with something", v->name.s,
                 type_word(v->type));
    if (x->op == OP_UNSET && !v->optional && v->of != SUBJECT_BUILT_IN)
        diagnose_clash(c->d, LEVEL_ERROR, x->subject.place, v->name.place, "declared here",
                       "'%s' may not be left unset: a '?' behind its type would allow it", v->name.s);
    if (x->op == OP_UNSET && v->of == SUBJECT_BUILT_IN && !v->optional)
        diagnose(c->d, LEVEL_ERROR, x->subject.place, "'%s' is never unset", v->name.s);
    if (x->op == OP_COMPARE && x->compare > CMP_NE && !has_order(v->type))
        diagnose(c->d, LEVEL_ERROR, x->subject.place,
                 "'%s' has no order: it is compared with = or !=", v->name.s);
    for (size_t i = 0; i < x->n_literals; i++) resolve_literal(c, &x->literals[i], x->variable);
    if (x->op == OP_IN_TABLE) resolve_table(c, x);
}

/* ---- clashes ---- */

static void twice(struct checker *c, const char *what, struct word now, struct word first) {
    diagnose_clash(c->d, LEVEL_ERROR, now.place, first.place, "first named here", "%s '%s' is named twice",
                   what, now.s);
}

static void check_variables(struct checker *c) {
    const struct policy *y = c->policy;
    for (size_t i = VARS_BUILT_IN; i < y->n_variables; i++) {
        const struct word name = y->variables[i].name;
        size_t first = (size_t)variable_find(y, name.s);
        if (first < VARS_BUILT_IN)
            diagnose(c->d, LEVEL_ERROR, name.place, "'%s' is built in and cannot be declared", name.s);
        else if (first < i)
            twice(c, "attribute", name, y->variables[first].name);
    }
}

/* The names of one list, each of which may stand once. */
static void check_once(struct checker *c, const char *what, const void *items, size_t n, size_t size,
                       size_t name) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const struct word *now = (const void *)((const char *)items + i * size + name);
            const struct word *first = (const void *)((const char *)items + j * size + name);
            if (strcmp(now->s, first->s) != 0) continue;
            twice(c, what, *now, *first);
            break;
        }
}

static void check_lists(struct checker *c) {
    const struct policy *y = c->policy;
    check_once(c, "table", y->tables, y->n_tables, sizeof *y->tables, offsetof(struct table, name));
    check_once(c, "flavor", y->flavors, y->n_flavors, sizeof *y->flavors, offsetof(struct flavor, name));
    check_once(c, "service", y->services, y->n_services, sizeof *y->services, offsetof(struct service, name));
    check_once(c, "metric", y->measures, y->n_measures, sizeof *y->measures, 0);
}

static int word_cmp(const void *a, const void *b) {
    const struct word *x = a, *y = b;
    int order = strcmp(x->s, y->s);
    return order ? order : (x->place.at > y->place.at) - (x->place.at < y->place.at);
}

/* A rule is named in decisions by its id alone: one id, one rule. */
static void check_ids(struct checker *c) {
    size_t n = policy_rules(c->policy);
    struct word *ids = calloc(n ? n : 1, sizeof *ids);
    if (!ids) abort();
    for (size_t i = 0; i < n; i++) ids[i] = *policy_rule_at(c->policy, i).id;
    qsort(ids, n, sizeof *ids, word_cmp);
    for (size_t i = 1; i < n; i++)
        if (strcmp(ids[i].s, ids[i - 1].s) == 0) twice(c, "rule", ids[i], ids[i - 1]);
    free(ids);
}

/* The values of 'tier'. */
static void tiers_declare(struct policy *y) {
    struct variable *v = &y->variables[VAR_TIER];
    v->n_values = y->n_tiers;
    v->values = arena_take(&y->arena, y->n_tiers * sizeof *v->values);
    for (size_t i = 0; i < y->n_tiers; i++) v->values[i] = y->tiers[i].name;
}

static void resolve_reserves(struct checker *c) {
    struct policy *y = c->policy;
    const char *names[POLICY_TIERS];
    for (size_t i = 0; i < y->n_tiers; i++) names[i] = y->tiers[i].name.s;
    for (size_t i = 0; i < y->n_reserves; i++) {
        struct reserve_rule *r = &y->reserves[i];
        size_t k = 0;
        while (k < y->n_tiers && strcmp(names[k], r->tier_name.s) != 0) k++;
        r->tier = (int)k;
        if (k == y->n_tiers) unknown(c, r->tier_name, "tier", names, k);
    }
}

static void resolve_limits(struct checker *c) {
    for (size_t i = 0; i < c->policy->n_ceilings; i++) {
        const struct ceiling *ceiling = &c->policy->ceilings[i];
        for (size_t k = 0; k < ceiling->n_items; k++) {
            const struct item_limit *limit = &ceiling->items[k];
            if (limit->seats)
                resolve_service(c, limit->name);
            else
                resolve_flavor(c, limit->name);
        }
    }
}

static void check_tables_used(struct checker *c) {
    for (size_t i = 0; i < c->policy->n_tables; i++)
        if (!c->used_tables[i])
            diagnose(c->d, LEVEL_WARNING, c->policy->tables[i].name.place, "table '%s' is never used",
                     c->policy->tables[i].name.s);
}

void check_names(struct policy *policy, struct diagnostics *d) {
    bool used[POLICY_TABLES] = {false};
    struct checker c = {.policy = policy, .d = d, .used_tables = used};
    tiers_declare(policy);
    check_variables(&c);
    check_ids(&c);
    check_lists(&c);
    resolve_reserves(&c);
    resolve_limits(&c);
    for (size_t i = 0; i < policy_rules(policy); i++) {
        c.rule = policy_rule_at(policy, i);
        resolve_expr(&c, c.rule.when);
    }
    check_tables_used(&c);
}
