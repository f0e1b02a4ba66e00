/* SPDX-License-Identifier: Apache-2.0 */
/* Names, types, clashes, and what can be said of a policy as a whole before anybody asks it. */
#include "policies/syntax.h"

#include "policies/ladder.h"

#include <stdlib.h>
#include <string.h>

const char *type_word(enum type t) {
    static const char *const words[] = {"true or false",
                                        "one of its values",
                                        "a date (2027-03-31)",
                                        "a whole number",
                                        "text",
                                        "compute (GF TF PF EF)",
                                        "storage (GB TB PB, GiB TiB PiB)",
                                        "a number of units"};
    return words[t];
}

/* ---- values ---- */

static int enum_read(const struct variable *v, const char *text, int64_t *n, struct err *e) {
    const char *names[POLICY_VALUES];
    struct text all = {0};
    for (size_t i = 0; i < v->n_values; i++) {
        if (strcmp(v->values[i].s, text) == 0) return *n = (int64_t)i, text_free(&all), 0;
        names[i] = v->values[i].s;
        text_add(&all, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = text_nearest(text, names, v->n_values);
    err_set(e, ERR_USAGE, "'%s' is not a value of '%s' (%s)", text, v->name.s, all.s);
    if (near) err_hint(e, "did you mean '%s'?", near);
    text_free(&all);
    return -1;
}

int variable_read(const struct variable *v, const char *text, int64_t *n, struct err *e) {
    long long value;
    instant_t end;
    switch (v->type) {
    case TYPE_BOOL:
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) return *n = *text == 't', 0;
        return err_set(e, ERR_USAGE, "'%s' is not true or false, as '%s' must be", text, v->name.s);
    case TYPE_ENUM: return enum_read(v, text, n, e);
    case TYPE_DATE:
        if (date_parse(text, &end, e) < 0) return -1;
        *n = day_number(instant(end.s - 1));
        return 0;
    case TYPE_INT:
        if (text_to_int(text, INT64_C(-1000000000000000), INT64_C(1000000000000000), &value) == 0)
            return *n = value, 0;
        return err_set(e, ERR_USAGE, "'%s' is not a whole number (up to 10^15), as '%s' must be", text,
                       v->name.s);
    default:
        if (*text && strlen(text) <= POLICY_TEXT && text_is_printable(text)) return *n = 0, 0;
        return err_set(e, ERR_USAGE, "'%s' takes 1 to %d bytes of printable text", v->name.s, POLICY_TEXT);
    }
}

/* ---- names ---- */

struct checker {
    struct policy *policy;
    struct diagnostics *d;
    bool *used_tables;
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
    if (x->op == OP_IS_TRUE && v->type != TYPE_BOOL)
        diagnose(c->d, LEVEL_ERROR, x->subject.place, "'%s' is %s: compare it with something", v->name.s,
                 type_word(v->type));
    if (x->op == OP_UNSET && !v->optional && v->of != SUBJECT_BUILT_IN)
        diagnose_clash(c->d, LEVEL_ERROR, x->subject.place, v->name.place, "declared here",
                       "'%s' may not be left unset: a '?' behind its type would allow it", v->name.s);
    if (x->op == OP_UNSET && v->of == SUBJECT_BUILT_IN)
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
    for (size_t i = 0; i < y->n_tables; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(y->tables[i].name.s, y->tables[j].name.s) == 0)
                twice(c, "table", y->tables[i].name, y->tables[j].name);
    for (size_t i = 0; i < y->n_flavors; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(y->flavors[i].name.s, y->flavors[j].name.s) == 0)
                twice(c, "flavor", y->flavors[i].name, y->flavors[j].name);
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

static void check_tables_used(struct checker *c) {
    for (size_t i = 0; i < c->policy->n_tables; i++)
        if (!c->used_tables[i])
            diagnose(c->d, LEVEL_WARNING, c->policy->tables[i].name.place, "table '%s' is never used",
                     c->policy->tables[i].name.s);
}

void check_names(struct policy *policy, struct diagnostics *d) {
    bool used[POLICY_TABLES] = {false};
    struct checker c = {policy, d, used};
    tiers_declare(policy);
    check_variables(&c);
    check_ids(&c);
    resolve_reserves(&c);
    for (size_t i = 0; i < policy_rules(policy); i++) resolve_expr(&c, policy_rule_at(policy, i).when);
    check_tables_used(&c);
}

/* ---- the whole ---- */

static void check_parts(const struct policy *y, struct diagnostics *d) {
    struct place end = {y->length, 0, 1};
    for (size_t i = 0; i < y->length; i++) end.line += y->text[i] == '\n';
    if (!y->pool.s)
        diagnose(d, LEVEL_ERROR, end, "the policy has no pool");
    else if (!y->basis.s)
        diagnose(d, LEVEL_ERROR, y->pool.place, "pool '%s' does not state its basis (basis fp32;)",
                 y->pool.s);
    if (y->pool.s && y->n_flavors == 0 && !y->has_storage)
        diagnose(d, LEVEL_ERROR, y->pool.place, "pool '%s' has neither a flavor nor storage", y->pool.s);
    if (!y->has_eligible) diagnose(d, LEVEL_ERROR, end, "the policy has no set 'eligible'");
    if (y->n_ceilings == 0) diagnose(d, LEVEL_ERROR, end, "the policy has no ceiling");
    if (y->n_leases == 0) diagnose(d, LEVEL_ERROR, end, "the policy has no lease");
}

static void check_otherwise(const struct policy *y, struct diagnostics *d) {
    bool has_otherwise = false;
    for (size_t i = 0; i < y->n_rules; i++) has_otherwise |= !y->rules[i].when;
    if (y->has_eligible && !has_otherwise)
        diagnose(d, LEVEL_ERROR, y->eligible_place,
                 "set 'eligible' has no 'otherwise' rule: some requests would get no decision");
}

static void check_leases(const struct policy *y, struct diagnostics *d) {
    const struct lease *always = NULL;
    for (size_t i = 0; i < y->n_leases; i++) {
        const struct lease *l = &y->leases[i];
        if (always)
            diagnose_clash(d, LEVEL_ERROR, l->id.place, always->id.place, "this one always applies",
                           "lease '%s' contradicts '%s': the first lease that matches decides", l->id.s,
                           always->id.s);
        if (!l->when && !always) always = l;
        if (!l->has_until && l->term.s == 0)
            diagnose(d, LEVEL_ERROR, l->term_place, "a term is longer than 0");
        if (!l->has_until && l->term.s > 0 && l->notice.s >= l->term.s)
            diagnose_clash(d, LEVEL_ERROR, l->notice_place, l->term_place, "the term is stated here",
                           "the notice is as long as the term: it would be sent before the lease begins");
        if (l->has_until && l->renew > 0)
            diagnose_clash(d, LEVEL_ERROR, l->renew_place, l->term_place, "the end is stated here",
                           "a lease that ends at a date cannot be renewed");
    }
}

static bool pool_compute(const struct policy *y, struct diagnostics *d, int64_t *total) {
    wide_t sum = 0;
    for (size_t i = 0; i < y->n_flavors; i++) sum += (wide_t)y->flavors[i].units * y->flavors[i].rating.n;
    if (sum > GFLOPS_MOST) {
        diagnose(d, LEVEL_ERROR, y->pool.place, "the flavors add up to more than %s",
                 gflops_text(gflops(GFLOPS_MOST)).s);
        return false;
    }
    *total = (int64_t)sum;
    return true;
}

/* What of a ceiling each flavor can reach; a ceiling that no flavor can use is surely a mistake. */
static void check_steps(const struct policy *y, const struct ceiling *c, struct diagnostics *d) {
    bool fits = false;
    for (size_t i = 0; i < y->n_flavors; i++) {
        const struct flavor *f = &y->flavors[i];
        struct ladder ladder;
        if (f->unrated) continue;
        ladder_begin(&ladder, f->sizes, f->n_sizes);
        int64_t units = ladder_down(&ladder, c->compute.n / f->rating.n), n = units * f->rating.n;
        ladder_end(&ladder);
        fits |= units > 0;
        if (units > 0 && n != c->compute.n)
            diagnose(d, LEVEL_NOTE, c->compute_place,
                     "%s is not a whole number of '%s': at most %s (%s x %lld) can be reached",
                     gflops_text(c->compute).s, f->name.s, gflops_text(gflops(n)).s, f->name.s,
                     (long long)units);
    }
    if (!fits && y->n_flavors > 0 && c->compute.n > 0)
        diagnose(d, LEVEL_WARNING, c->compute_place,
                 "no flavor has a step as small as %s: nothing can be granted", gflops_text(c->compute).s);
}

static void check_ratio(const struct policy *y, const struct ceiling *c, int64_t total,
                        struct diagnostics *d) {
    if (c->compute.n == 0 || total == 0) return;
    struct amount_text pool = gflops_text(gflops(total)), each = gflops_text(c->compute);
    if (!y->has_expect) {
        diagnose(d, LEVEL_NOTE, c->compute_place, "the pool has %s: it holds this ceiling %lld times", pool.s,
                 (long long)(total / c->compute.n));
        return;
    }
    wide_t sum = (wide_t)c->compute.n * y->expect;
    diagnose(d, LEVEL_NOTE, c->compute_place,
             "%lld tenants x %s = %s, %s times the pool of %s: a ceiling is not a promise",
             (long long)y->expect, each.s,
             sum <= GFLOPS_MOST ? gflops_text(gflops((int64_t)sum)).s : wide_text(sum).s,
             wide_ratio_text(sum, total).s, pool.s);
}

static void check_ceilings(const struct policy *y, struct diagnostics *d, int64_t total) {
    for (size_t i = 0; i < y->n_ceilings; i++) {
        const struct ceiling *c = &y->ceilings[i];
        if (c->has_compute && !c->per_organisation) check_ratio(y, c, total, d);
        if (c->has_compute) check_steps(y, c, d);
        if (c->has_compute && c->compute.n > total)
            diagnose(d, LEVEL_NOTE, c->compute_place, "this ceiling is more than the pool of %s",
                     gflops_text(gflops(total)).s);
        if (c->has_storage && c->storage.n > y->storage.n)
            diagnose(d, LEVEL_NOTE, c->storage_place, "this ceiling is more than the pool of %s",
                     bytes_text(y->storage).s);
        for (size_t j = 0; c->per_organisation && !c->when && j < y->n_ceilings; j++) {
            const struct ceiling *t = &y->ceilings[j];
            if (t->per_organisation || !c->has_compute || !t->has_compute || t->compute.n <= c->compute.n)
                continue;
            diagnose_clash(d, LEVEL_WARNING, t->compute_place, c->compute_place,
                           "its organisation may hold less", "a tenant can never reach this ceiling");
        }
    }
}

void check_whole(const struct policy *policy, struct diagnostics *d) {
    int64_t total = 0;
    check_parts(policy, d);
    check_otherwise(policy, d);
    check_leases(policy, d);
    if (!pool_compute(policy, d, &total) || d->count[LEVEL_ERROR] > 0) return;
    check_ceilings(policy, d, total);
    check_profiles(policy, d);
}
