/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions as a tree:
 *   {"and": [c, ...]}, {"or": [c, ...]}, {"not": c}
 *   {"attribute": "ai"}                                             true or false by itself
 *   {"attribute": "move_by", "unset": true}
 *   {"attribute": "tenant", "table": "blocked"}
 *   {"attribute": "kind", "in": [value, ...]}
 *   {"attribute": "request.compute", "compare": ">", "value": value}
 * A value names its type: {"word"}, {"text"}, {"gflops"}, {"bytes"}, {"number"}, {"date": "2027-03-31"},
 * {"days_from_today": 365}.
 */
#include "policies/form.h"

#include "alloc/json.h"
#include "alloc/scope.h"
#include "policies/syntax.h"

#include <string.h>

static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">=", NULL}; /* as in enum compare */

/* ---- out ---- */

static json_t *literal_form(enum type type, const struct literal *l) {
    switch (type) {
    case TYPE_COMPUTE: return json_pack("{s:I}", "gflops", (json_int_t)l->n);
    case TYPE_STORAGE: return json_pack("{s:I}", "bytes", (json_int_t)l->n);
    case TYPE_INT:
    case TYPE_UNITS: return json_pack("{s:I}", "number", (json_int_t)l->n);
    case TYPE_DATE:
        return l->relative ? json_pack("{s:I}", "days_from_today", (json_int_t)l->n)
                           : json_pack("{s:s}", "date", l->text);
    case TYPE_TEXT: return json_pack("{s:s}", "text", l->text);
    case TYPE_BOOL:
    case TYPE_ENUM: break;
    }
    return json_pack("{s:s}", "word", l->text);
}

/* A chain is at most POLICY_VALUES long, as in the text: what is longer was nested there too. */
static json_t *chain_form(const struct policy *y, enum op op, const struct expr *const *parts, size_t n) {
    json_t *list = json_array();
    size_t i = 0;
    if (n > POLICY_VALUES) {
        i = n - POLICY_VALUES + 1;
        json_array_append_new(list, chain_form(y, op, parts, i));
    }
    for (; i < n; i++) json_array_append_new(list, form_when(y, parts[i]));
    return json_pack("{s:o}", op == OP_AND ? "and" : "or", list);
}

static json_t *joined_form(const struct policy *y, const struct expr *x) {
    size_t n = 1;
    for (const struct expr *i = x; i->op == x->op; i = i->left) n++;
    scoped_free const struct expr **parts = mem_alloc(n * sizeof(struct expr *));
    const struct expr *i = x;
    for (size_t k = n; i->op == x->op; i = i->left) parts[--k] = i->right;
    parts[0] = i;
    return chain_form(y, x->op, parts, n);
}

json_t *form_when(const struct policy *y, const struct expr *x) {
    if (x->op == OP_AND || x->op == OP_OR) return joined_form(y, x);
    if (x->op == OP_NOT) return json_pack("{s:o}", "not", form_when(y, x->left));
    json_t *object = json_pack("{s:s}", "attribute", x->subject.s);
    enum type type = y->variables[x->variable].type;
    if (x->op == OP_UNSET) json_object_set_new(object, "unset", json_true());
    if (x->op == OP_IN_TABLE) json_object_set_new(object, "table", json_string(x->table_name.s));
    if (x->op == OP_COMPARE) {
        json_object_set_new(object, "compare", json_string(signs[x->compare]));
        json_object_set_new(object, "value", literal_form(type, x->literals));
    } else if (x->op == OP_IN_SET) {
        json_t *list = json_array();
        for (size_t i = 0; i < x->n_literals; i++)
            json_array_append_new(list, literal_form(type, &x->literals[i]));
        json_object_set_new(object, "in", list);
    }
    return object;
}

/* ---- in ---- */

enum { BINDS_OR = 1, BINDS_AND, BINDS_NOT };

static int put_condition(const struct json_at *at, int outer, struct text *out, struct err *e);

static int put_days(const struct json_at *at, struct text *out, struct err *e) {
    int64_t n;
    if (json_need_int(at, "days_from_today", -36500, 36500, &n, e) < 0) return -1;
    text_add(out, "today");
    if (n != 0) text_add(out, " %c %lld days", n < 0 ? '-' : '+', (long long)(n < 0 ? -n : n));
    return 0;
}

static int put_date(const struct json_at *at, struct text *out, struct err *e) {
    const char *text;
    instant_t end;
    if (json_need_text(at, "date", 10, &text, e) < 0) return -1;
    if (date_parse(text, &end, e) < 0) return json_context(at, "date", e);
    text_add(out, "%s", text);
    return 0;
}

static int put_word(const struct json_at *at, struct text *out, struct err *e) {
    const char *word;
    struct json_at member = json_member(at, "word");
    if (form_as_name(&member, &word, e) < 0) return -1;
    if (strcmp(word, "today") == 0)
        return json_fail(&member, e, "'today' is written {\"days_from_today\": 0}");
    text_add(out, "%s", word);
    return 0;
}

static int put_string(const struct json_at *at, struct text *out, struct err *e) {
    const char *s;
    struct json_at member = json_member(at, "text");
    if (form_as_string(&member, &s, e) < 0) return -1;
    form_put_string(out, s);
    return 0;
}

static int put_number(const struct json_at *at, const char *key, struct text *out, struct err *e) {
    int64_t n, most = strcmp(key, "gflops") == 0  ? GFLOPS_MOST
                      : strcmp(key, "bytes") == 0 ? BYTES_MOST
                                                  : INT64_C(1000000000000000);
    if (json_need_int(at, key, 0, most, &n, e) < 0) return -1;
    if (strcmp(key, "number") == 0)
        text_add(out, "%lld", (long long)n);
    else
        text_add(out, "%s", strcmp(key, "gflops") == 0 ? gflops_text(gflops(n)).s : bytes_text(bytes(n)).s);
    return 0;
}

static int put_value(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"word",   "text", "gflops",          "bytes",
                                       "number", "date", "days_from_today", NULL};
    if (json_as_object(at, e) < 0 || json_only(at, keys, e) < 0) return -1;
    if (json_length(at) != 1) return json_fail(at, e, "must have exactly one member, which names its type");
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)at->value));
    if (strcmp(key, "word") == 0) return put_word(at, out, e);
    if (strcmp(key, "text") == 0) return put_string(at, out, e);
    if (strcmp(key, "date") == 0) return put_date(at, out, e);
    if (strcmp(key, "days_from_today") == 0) return put_days(at, out, e);
    return put_number(at, key, out, e);
}

static int put_values(const struct json_at *at, struct text *out, struct err *e) {
    struct json_at list;
    if (json_need_array(at, "in", 1, POLICY_VALUES, &list, e) < 0) return -1;
    text_add(out, " in {");
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        text_add(out, "%s", i ? ", " : " ");
        if (put_value(&item, out, e) < 0) return -1;
    }
    text_add(out, " }");
    return 0;
}

static int put_compare(const struct json_at *at, struct text *out, struct err *e) {
    struct json_at value;
    size_t sign;
    if (json_need_word(at, "compare", signs, &sign, e) < 0 || json_need_object(at, "value", &value, e) < 0)
        return -1;
    text_add(out, " %s ", signs[sign]);
    return put_value(&value, out, e);
}

/* One test of an attribute; denied: "is not unset". */
static int put_test(const struct json_at *at, bool denied, struct text *out, struct err *e) {
    static const char *const keys[] = {"attribute", "unset", "table", "in", "compare", "value", NULL};
    const char *name, *table;
    bool unset = false;
    if (json_only(at, keys, e) < 0 || form_need_name(at, "attribute", &name, e) < 0 ||
        json_may_bool(at, "unset", &unset, e) < 0)
        return -1;
    int said = json_has(at, "unset") + json_has(at, "table") + json_has(at, "in") + json_has(at, "compare");
    if (said > 1 || (json_has(at, "value") && !json_has(at, "compare")))
        return json_fail(at, e,
                         "must have one of 'unset', 'table', 'in', 'compare' with 'value', or none of them");
    text_add(out, "%s", name);
    if (json_has(at, "table")) {
        if (form_need_name(at, "table", &table, e) < 0) return -1;
        text_add(out, " in <%s>", table);
    }
    if (json_has(at, "in")) return put_values(at, out, e);
    if (json_has(at, "compare")) return put_compare(at, out, e);
    if (json_has(at, "unset") && !unset)
        return json_fail(at, e, "'unset' is true or left out; write 'not' around it");
    if (unset) text_add(out, denied ? " is not unset" : " is unset");
    return 0;
}

/* "a or (b and c)" says what "a or b and c" says, and is easier to read; not where brackets may run out. */
static bool reads_better_apart(const struct json_at *list) {
    enum { LEVELS_MOST = POLICY_DEPTH };
    int levels = 0;
    for (const struct json_at *at = list; at; at = at->up) levels++;
    for (size_t i = 0; i < json_length(list); i++) {
        struct json_at item = json_item(list, i);
        if (json_has(&item, "and") || json_has(&item, "or")) return false;
    }
    return levels <= LEVELS_MOST;
}

static int put_joined(const struct json_at *at, const char *word, int binds, int outer, struct text *out,
                      struct err *e) {
    const char *const keys[] = {word, NULL};
    struct json_at list;
    if (json_only(at, keys, e) < 0 || json_need_array(at, word, 2, POLICY_VALUES, &list, e) < 0) return -1;
    bool apart = outer >= binds || (outer == BINDS_OR && reads_better_apart(&list));
    text_add(out, "%s", apart ? "(" : "");
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        if (i > 0) text_add(out, " %s ", word);
        if (put_condition(&item, binds, out, e) < 0) return -1;
    }
    text_add(out, "%s", apart ? ")" : "");
    return 0;
}

static int put_not(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"not", NULL};
    struct json_at inner;
    if (json_only(at, keys, e) < 0 || json_need_object(at, "not", &inner, e) < 0) return -1;
    if (json_has(&inner, "attribute") && json_has(&inner, "unset")) return put_test(&inner, true, out, e);
    text_add(out, "not ");
    return put_condition(&inner, BINDS_NOT, out, e);
}

/* outer: how strongly what stands around it binds. */
static int put_condition(const struct json_at *at, int outer, struct text *out, struct err *e) {
    if (json_as_object(at, e) < 0) return -1;
    if (json_has(at, "and")) return put_joined(at, "and", BINDS_AND, outer, out, e);
    if (json_has(at, "or")) return put_joined(at, "or", BINDS_OR, outer, out, e);
    if (json_has(at, "not")) return put_not(at, out, e);
    return put_test(at, false, out, e);
}

int form_put_when(const struct json_at *rule, struct text *out, struct err *e) {
    struct json_at when = {0};
    if (!json_has(rule, "when")) return 0;
    if (json_need_object(rule, "when", &when, e) < 0) return -1;
    text_add(out, " when ");
    return put_condition(&when, 0, out, e);
}
