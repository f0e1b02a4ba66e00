/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent over the grammar of allot-policy(5): one word of lookahead decides. After an
 * error the parser goes on behind the next ';' (or at the '}' that closes the block), so that one
 * run finds several errors.
 */
#include "policies/lex.h"

#include "alloc/scope.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    struct lexer lexer;
    struct token now;
    struct place last; /* the word before */
    struct policy *policy;
    const struct policy_source *source;
    struct diagnostics *d;
    bool failed, declared;
    int depth, level; /* of expressions; of open braces */
    size_t room_flavors, room_variables, room_tables, room_rules, room_ceilings, room_leases;
    bool has_pool;
    struct place pool_place;
};

/* ---- words ---- */

static bool at_sign(const struct parser *p, const char *sign) {
    return p->now.kind == TOKEN_SIGN && strcmp(p->now.text, sign) == 0;
}

static void step(struct parser *p) {
    p->level += at_sign(p, "{");
    p->level -= at_sign(p, "}");
    p->last = p->now.place;
    p->now = lex_next(&p->lexer);
    if (p->now.kind == TOKEN_WRONG) p->failed = true;
}

static bool at_word(const struct parser *p, const char *word) {
    return p->now.kind == TOKEN_NAME && strcmp(p->now.text, word) == 0;
}

static bool take_word(struct parser *p, const char *word) {
    if (!at_word(p, word)) return false;
    step(p);
    return true;
}

static bool take_sign(struct parser *p, const char *sign) {
    if (!at_sign(p, sign)) return false;
    step(p);
    return true;
}

static void found(const struct parser *p, struct text *t) {
    switch (p->now.kind) {
    case TOKEN_END: text_add(t, "the end of the file"); break;
    case TOKEN_STRING: text_add(t, "a string"); break;
    default: text_add(t, "'%.80s'", p->now.text); break;
    }
}

/* "expected WHAT, found ..."; always false. */
static bool expected(struct parser *p, const char *what) {
    p->failed = true;
    if (p->now.kind == TOKEN_WRONG) return false; /* the lexer said it */
    if (strstr(what, "';'") &&
        p->now.place.line > p->last.line) { /* show where it is missing, not what follows */
        struct place after = {p->last.at + p->last.length, 0, p->last.line};
        diagnose(p->d, LEVEL_ERROR, after, "expected %s at the end of the line", what);
        return false;
    }
    struct text t = {0};
    found(p, &t);
    diagnose(p->d, LEVEL_ERROR, p->now.place, "expected %s, found %s", what, t.s);
    text_free(&t);
    return false;
}

/* As expected(), for a word out of a list: the nearest is suggested. */
static bool expected_word(struct parser *p, const char *what, const char *const words[], size_t n) {
    const char *near = p->now.kind == TOKEN_NAME ? text_nearest(p->now.text, words, n) : NULL;
    if (!near) return expected(p, what);
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, p->now.place, "expected %s, found '%s'; did you mean '%s'?", what,
             p->now.text, near);
    return false;
}

static bool need_sign(struct parser *p, const char *sign) {
    if (take_sign(p, sign)) return true;
    char what[8];
    text_format(what, sizeof what, "'%s'", sign);
    return expected(p, what);
}

static bool need_word(struct parser *p, const char *word) {
    if (take_word(p, word)) return true;
    char what[32];
    text_format(what, sizeof what, "'%s'", word);
    return expected_word(p, what, &word, 1);
}

static bool need_name(struct parser *p, const char *what, struct word *out) {
    if (p->now.kind != TOKEN_NAME) return expected(p, what);
    *out = (struct word){p->now.text, p->now.place};
    step(p);
    return true;
}

static bool need_string(struct parser *p, const char *what, const char **out) {
    if (p->now.kind != TOKEN_STRING) return expected(p, what);
    *out = p->now.text;
    step(p);
    return true;
}

static bool need_count(struct parser *p, const char *what, int64_t least, int64_t most, int64_t *out) {
    long long n;
    if (p->now.kind != TOKEN_NUMBER) return expected(p, what);
    if (text_to_int(p->now.text, least, most, &n) < 0) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, p->now.place, "'%s' is not %s (%lld to %lld)", p->now.text, what,
                 (long long)least, (long long)most);
        return false;
    }
    *out = n;
    step(p);
    return true;
}

/* Skips to behind the ';' that ends what stands at this level of braces, or to the '}' that closes it. */
static void recover(struct parser *p, int level) {
    p->failed = true;
    while (p->now.kind != TOKEN_END) {
        bool ends = at_sign(p, ";") && p->level <= level, closes = at_sign(p, "}");
        if (closes && level > 0 && p->level <= level) return;
        int line = p->now.place.line;
        step(p);
        if (ends) return;
        /* At the top a block needs no ';' behind it: the next line begins something new. */
        if (closes && level == 0 && p->level <= 0 && !at_sign(p, ";") && p->now.place.line > line) break;
    }
    if (p->level < 0) p->level = 0;
}

/* Room for one more of a list; reports the limit once. */
static bool room_for(struct parser *p, size_t n, size_t most, const char *what) {
    if (n < most) return true;
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, p->now.place, "a policy has at most %zu %s", most, what);
    return false;
}

/* ---- amounts ---- */

static const struct amount_scale *scale_of(const char *unit, const char **kind) {
    for (const struct amount_scale *s = gflops_scales; s->unit; s++)
        if (strcmp(s->unit, unit) == 0) return *kind = "compute (GF TF PF EF)", gflops_scales;
    for (const struct amount_scale *s = bytes_scales; s->unit; s++)
        if (strcmp(s->unit, unit) == 0) return *kind = "storage (GB TB PB, GiB TiB PiB)", bytes_scales;
    return NULL;
}

/* Words that may follow an amount: one of them where a unit belongs means that the unit is missing. */
static bool at_keyword(const struct parser *p) {
    static const char *const words[] = {"compute", "storage", "units",  "sizes", "when",      "and",
                                        "or",      "renew",   "notice", "grace", "keep-data", "otherwise"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (at_word(p, words[i])) return true;
    return false;
}

static bool amount_wrong(struct parser *p, struct place place, const char *what) {
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, place, "%s", what);
    return false;
}

static struct place span_places(struct place a, struct place b) {
    return (struct place){a.at, b.at + b.length - a.at, a.line};
}

/* NUMBER UNIT, where compute or storage belongs; wanted is the scale of this place. */
static bool need_amount(struct parser *p, const struct amount_scale *wanted, int64_t *out,
                        struct place *place) {
    bool is_compute = wanted == gflops_scales;
    const char *kind = is_compute ? "compute (GF TF PF EF)" : "storage (GB TB PB, GiB TiB PiB)", *got = NULL;
    struct token number = p->now;
    char what[128];
    text_format(what, sizeof what, "an amount of %s", kind);
    if (number.kind != TOKEN_NUMBER) return expected(p, what);
    step(p);
    if (p->now.kind != TOKEN_NAME || at_keyword(p)) {
        text_format(what, sizeof what, "'%s' has no unit; this place takes %s", number.text, kind);
        return amount_wrong(p, number.place, what);
    }
    *place = span_places(number.place, p->now.place);
    const struct amount_scale *scale = scale_of(p->now.text, &got);
    if (scale && scale != wanted) {
        char both[192];
        text_format(both, sizeof both, "unit mismatch: this place takes %s, got %s", kind, got);
        step(p);
        return amount_wrong(p, *place, both);
    }
    struct err e = {0};
    int64_t most = is_compute ? GFLOPS_MOST : BYTES_MOST;
    if (amount_scale(number.text, p->now.text, wanted, most, out, &e) < 0) {
        struct place at = scale ? *place : p->now.place;
        step(p);
        return amount_wrong(p, at, e.what);
    }
    step(p);
    return true;
}

static bool need_span(struct parser *p, span_t *out, struct place *place) {
    struct token number = p->now;
    if (number.kind != TOKEN_NUMBER) return expected(p, "a length of time (90 days)");
    step(p);
    if (p->now.kind != TOKEN_NAME || at_keyword(p)) {
        return amount_wrong(p, number.place, "a length of time needs its unit: 90 days, 12 hours");
    }
    *place = span_places(number.place, p->now.place);
    char both[128];
    struct err e = {0};
    if (text_format(both, sizeof both, "%s %s", number.text, p->now.text) < 0 ||
        span_parse(both, out, &e) < 0) {
        step(p);
        return amount_wrong(p, *place, "this is not a length of time (90 days, 12 hours, 2 weeks)");
    }
    step(p);
    return true;
}

/* ---- expressions ---- */

static struct expr *parse_or(struct parser *p);

static struct expr *expr_new(struct parser *p, enum op op, struct place place) {
    struct expr *x = arena_take(&p->policy->arena, sizeof *x);
    x->op = op;
    x->place = place;
    return x;
}

static bool literal_today(struct parser *p, struct literal *out) {
    *out = (struct literal){.kind = LITERAL_TODAY, .place = p->now.place, .text = "today"};
    step(p);
    if (!at_sign(p, "+") && !at_sign(p, "-")) return true;
    bool minus = at_sign(p, "-");
    step(p);
    if (!need_count(p, "a number of days", 0, 36500, &out->n)) return false;
    struct place last = p->now.place;
    if (!take_word(p, "days") && !take_word(p, "day")) return expected(p, "'days'");
    out->place = span_places(out->place, last);
    if (minus) out->n = -out->n;
    return true;
}

static bool parse_literal(struct parser *p, struct literal *out) {
    if (at_word(p, "today")) return literal_today(p, out);
    *out = (struct literal){.place = p->now.place, .text = p->now.text};
    switch (p->now.kind) {
    case TOKEN_DATE: out->kind = LITERAL_DATE; break;
    case TOKEN_NAME: out->kind = LITERAL_WORD; break;
    case TOKEN_STRING: out->kind = LITERAL_STRING; break;
    case TOKEN_NUMBER: out->kind = LITERAL_NUMBER; break;
    default: return expected(p, "a value");
    }
    if (out->kind == LITERAL_WORD && strncmp(out->text, "today-", 6) == 0)
        return amount_wrong(p, out->place, "'-' is part of a name: write today - 30 days with blanks");
    step(p);
    if (out->kind != LITERAL_NUMBER || p->now.kind != TOKEN_NAME || at_keyword(p)) return true;
    out->kind = LITERAL_AMOUNT;
    out->unit = p->now.text;
    out->unit_place = p->now.place;
    out->place = span_places(out->place, p->now.place);
    step(p);
    return true;
}

static bool parse_set_literals(struct parser *p, struct expr *x) {
    struct literal list[POLICY_VALUES];
    do {
        if (!room_for(p, x->n_literals, POLICY_VALUES, "values in one { }")) return false;
        if (!parse_literal(p, &list[x->n_literals++])) return false;
    } while (take_sign(p, ","));
    if (!need_sign(p, "}")) return false;
    x->literals = arena_take(&p->policy->arena, x->n_literals * sizeof *list);
    memcpy(x->literals, list, x->n_literals * sizeof *list);
    return true;
}

static struct expr *parse_in(struct parser *p, struct expr *x) {
    if (take_sign(p, "{")) {
        x->op = OP_IN_SET;
        return parse_set_literals(p, x) ? x : NULL;
    }
    if (!take_sign(p, "<")) return expected(p, "'{' or '<table>'"), NULL;
    x->op = OP_IN_TABLE;
    if (!need_name(p, "the name of a table", &x->table_name) || !need_sign(p, ">")) return NULL;
    return x;
}

static bool parse_compare(struct parser *p, enum compare *out) {
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (take_sign(p, signs[i])) return *out = (enum compare)i, true;
    return false;
}

static struct expr *parse_test(struct parser *p) {
    static const char *const ends[] = {"and", "or", "not", "in", "is", "when", "otherwise"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (at_word(p, ends[i])) return expected(p, "an attribute"), NULL;
    struct expr *x = expr_new(p, OP_IS_TRUE, p->now.place);
    if (!need_name(p, "an attribute", &x->subject)) return NULL;
    if (take_word(p, "in")) return parse_in(p, x);
    if (take_word(p, "is")) {
        bool set = take_word(p, "not");
        x->op = OP_UNSET;
        if (!need_word(p, "unset")) return NULL;
        if (!set) return x;
        struct expr *not_unset = expr_new(p, OP_NOT, x->place);
        not_unset->left = x;
        return not_unset;
    }
    if (at_sign(p, "==")) {
        diagnose(p->d, LEVEL_ERROR, p->now.place, "'==' is written '='");
        p->failed = true;
        return NULL;
    }
    if (!parse_compare(p, &x->compare)) return x;
    x->op = OP_COMPARE;
    x->n_literals = 1;
    x->literals = arena_take(&p->policy->arena, sizeof *x->literals);
    return parse_literal(p, x->literals) ? x : NULL;
}

static struct expr *parse_primary(struct parser *p) {
    if (p->depth >= POLICY_DEPTH) {
        diagnose(p->d, LEVEL_ERROR, p->now.place, "conditions nest at most %d deep", POLICY_DEPTH);
        p->failed = true;
        return NULL;
    }
    struct place place = p->now.place;
    struct expr *x = NULL;
    p->depth++;
    if (take_word(p, "not")) {
        struct expr *inner = parse_primary(p);
        if (inner) x = expr_new(p, OP_NOT, place), x->left = inner;
    } else if (take_sign(p, "(")) {
        x = parse_or(p);
        if (x && !need_sign(p, ")")) x = NULL;
    } else {
        x = parse_test(p);
    }
    p->depth--;
    return x;
}

/* operand { word operand }: a chain on the left; its length is bounded because the tree is walked. */
static struct expr *parse_chain(struct parser *p, const char *word, enum op op,
                                struct expr *(*operand)(struct parser *)) {
    struct expr *x = operand(p);
    for (int n = 1; x && at_word(p, word); n++) {
        if (n >= POLICY_VALUES) {
            diagnose(p->d, LEVEL_ERROR, p->now.place, "a condition has at most %d parts joined by '%s'",
                     POLICY_VALUES, word);
            p->failed = true;
            return NULL;
        }
        struct expr *both = expr_new(p, op, p->now.place);
        step(p);
        both->left = x;
        both->right = operand(p);
        x = both->right ? both : NULL;
    }
    return x;
}

static struct expr *parse_and(struct parser *p) { return parse_chain(p, "and", OP_AND, parse_primary); }
static struct expr *parse_or(struct parser *p) { return parse_chain(p, "or", OP_OR, parse_and); }

static bool parse_when(struct parser *p, struct expr **when) {
    if (!take_word(p, "when")) return true;
    *when = parse_or(p);
    return *when != NULL;
}

/* ---- statements ---- */

static bool parse_sizes(struct parser *p, struct flavor *f) {
    do {
        int64_t size;
        struct place place = p->now.place;
        if (!room_for(p, f->n_sizes, SIZES_MOST, "sizes of a flavor")) return false;
        if (!need_count(p, "units in one server", 1, SIZE_MOST, &size)) return false;
        if (f->n_sizes > 0 && size <= f->sizes[f->n_sizes - 1]) {
            diagnose(p->d, LEVEL_ERROR, place, "sizes are listed once each, smallest first");
            p->failed = true;
            return false;
        }
        f->sizes[f->n_sizes++] = size;
    } while (take_sign(p, ","));
    return true;
}

static bool parse_flavor(struct parser *p) {
    struct policy *y = p->policy;
    struct flavor f = {0};
    struct place place;
    if (!room_for(p, y->n_flavors, POLICY_FLAVORS, "flavors")) return false;
    if (!need_name(p, "the name of a flavor", &f.name)) return false;
    if (!need_amount(p, gflops_scales, &f.rating.n, &place)) return false;
    if (f.rating.n == 0) return amount_wrong(p, place, "the rating of a flavor is more than 0");
    if (!need_word(p, "units") || !need_count(p, "a number of units", 0, UNITS_MOST, &f.units)) return false;
    if (take_word(p, "sizes")) {
        if (!parse_sizes(p, &f)) return false;
    } else {
        f.sizes[f.n_sizes++] = 1;
    }
    if (!need_sign(p, ";")) return false;
    y->flavors = mem_grow(y->flavors, &p->room_flavors, y->n_flavors + 1, sizeof f);
    y->flavors[y->n_flavors++] = f;
    return true;
}

static bool parse_pool_item(struct parser *p) {
    static const char *const words[] = {"basis", "flavor", "storage"};
    struct policy *y = p->policy;
    struct place place = p->now.place;
    if (take_word(p, "flavor")) return parse_flavor(p);
    if (take_word(p, "basis")) {
        if (y->basis.s) {
            diagnose_clash(p->d, LEVEL_ERROR, place, y->basis.place, "the first basis is here",
                           "a pool has one basis");
            p->failed = true;
        }
        return need_name(p, "a precision (fp32, fp16)", &y->basis) && need_sign(p, ";");
    }
    if (take_word(p, "storage")) {
        if (y->has_storage) {
            diagnose_clash(p->d, LEVEL_ERROR, place, y->storage_place, "the first storage is here",
                           "the storage of a pool is stated once");
            p->failed = true;
        }
        y->has_storage = true;
        return need_amount(p, bytes_scales, &y->storage.n, &y->storage_place) && need_sign(p, ";");
    }
    return expected_word(p, "'basis', 'flavor', 'storage' or '}'", words, 3);
}

/* "{" { item } "}" */
static bool parse_block(struct parser *p, bool (*item)(struct parser *)) {
    if (!need_sign(p, "{")) return false;
    int level = p->level;
    while (!at_sign(p, "}")) {
        if (p->now.kind == TOKEN_END) return expected(p, "'}'");
        if (!item(p)) recover(p, level);
    }
    step(p);
    take_sign(p, ";"); /* "};" is a habit that does no harm */
    return true;
}

static bool parse_pool(struct parser *p, struct place place) {
    if (p->has_pool) {
        diagnose_clash(p->d, LEVEL_ERROR, place, p->pool_place, "the first pool is here",
                       "a policy is for one pool");
        p->failed = true;
    }
    p->has_pool = true;
    p->pool_place = place;
    return need_name(p, "the name of the pool", &p->policy->pool) && parse_block(p, parse_pool_item);
}

static bool parse_enum(struct parser *p, struct variable *v) {
    struct word list[POLICY_VALUES];
    if (!need_sign(p, "{")) return false;
    do {
        if (!room_for(p, v->n_values, POLICY_VALUES, "values of an enum")) return false;
        if (!need_name(p, "a value", &list[v->n_values])) return false;
        for (size_t i = 0; i < v->n_values; i++) {
            if (strcmp(list[i].s, list[v->n_values].s) != 0) continue;
            diagnose_clash(p->d, LEVEL_ERROR, list[v->n_values].place, list[i].place, "first named here",
                           "'%s' is listed twice", list[i].s);
            p->failed = true;
        }
        v->n_values++;
    } while (take_sign(p, ","));
    v->values = arena_take(&p->policy->arena, v->n_values * sizeof *list);
    memcpy(v->values, list, v->n_values * sizeof *list);
    return need_sign(p, "}");
}

static bool parse_type(struct parser *p, struct variable *v) {
    static const char *const words[] = {"bool", "enum", "date", "int", "text"}; /* as in enum type */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!take_word(p, words[i])) continue;
        v->type = (enum type)i;
        return v->type == TYPE_ENUM ? parse_enum(p, v) : true;
    }
    return expected_word(p, "a type (bool, enum, date, int, text)", words, 5);
}

static bool parse_attr(struct parser *p) {
    static const char *const of[] = {"tenant", "request"};
    struct policy *y = p->policy;
    struct variable v = {.of = SUBJECT_TENANT};
    if (!room_for(p, y->n_variables - VARS_BUILT_IN, POLICY_ATTRS, "attributes")) return false;
    if (!need_name(p, "the name of an attribute", &v.name) || !need_sign(p, ":") || !parse_type(p, &v))
        return false;
    v.optional = take_sign(p, "?");
    if (take_word(p, "of")) {
        if (take_word(p, "request"))
            v.of = SUBJECT_REQUEST;
        else if (!take_word(p, "tenant"))
            return expected_word(p, "'tenant' or 'request'", of, 2);
    }
    if (!need_sign(p, ";")) return false;
    y->variables = mem_grow(y->variables, &p->room_variables, y->n_variables + 1, sizeof v);
    y->variables[y->n_variables++] = v;
    return true;
}

static int entry_cmp(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct entries {
    const char **list;
    size_t n, room;
};

static void table_finish(struct parser *p, struct table *t, struct entries *e) {
    if (e->n > 0) qsort(e->list, e->n, sizeof *e->list, entry_cmp);
    t->entries = arena_take(&p->policy->arena, e->n * sizeof *e->list);
    for (size_t i = 0; i < e->n; i++)
        if (t->n == 0 || strcmp(t->entries[t->n - 1], e->list[i]) != 0) t->entries[t->n++] = e->list[i];
}

static bool table_wrong(struct parser *p, struct place place, const char *file, size_t line,
                        const char *what) {
    p->failed = true;
    diagnose(p->d, LEVEL_ERROR, place, "%s:%zu: %s", file, line, what);
    return false;
}

/* One entry per line, '#' begins a comment, blanks around an entry do not count. */
static bool table_lines(struct parser *p, struct place place, const char *file, const struct text *text,
                        struct entries *e) {
    const char *s = text->s ? text->s : "";
    size_t line = 1;
    if (!text_is_utf8(s, text->length))
        return table_wrong(p, place, file, line, "the table is not UTF-8 text");
    if (strncmp(s, "\xef\xbb\xbf", 3) == 0) s += 3;
    for (; *s; line++) {
        size_t length = strcspn(s, "\n"), n = strcspn(s, "#\r\n");
        const char *from = s;
        while (n > 0 && (*from == ' ' || *from == '\t')) from++, n--;
        while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\t')) n--;
        s += length + (s[length] == '\n');
        if (n == 0) continue;
        if (n > POLICY_TEXT) return table_wrong(p, place, file, line, "an entry has at most 500 bytes");
        if (e->n == TABLE_ENTRIES)
            return table_wrong(p, place, file, line, "a table has at most 100000 entries");
        const char *entry = arena_copy(&p->policy->arena, from, n);
        if (!text_is_printable(entry))
            return table_wrong(p, place, file, line, "an entry has characters that cannot be shown");
        e->list = mem_grow(e->list, &e->room, e->n + 1, sizeof *e->list);
        e->list[e->n++] = entry;
    }
    return true;
}

static bool table_from_file(struct parser *p, struct table *t, struct place place) {
    struct text text = {0};
    struct err err = {0};
    struct entries e = {0};
    bool ok = false;
    if (!p->source->table) {
        diagnose(p->d, LEVEL_ERROR, place, "tables from files cannot be read here");
        p->failed = true;
    } else if (p->source->table(p->source->arg, t->name.s, t->from, &text, &err) < 0) {
        diagnose(p->d, LEVEL_ERROR, place, "%s", err.what);
        p->failed = true;
    } else {
        ok = table_lines(p, place, t->from, &text, &e);
    }
    table_finish(p, t, &e);
    free(e.list);
    text_free(&text);
    return ok;
}

static bool table_inline(struct parser *p, struct table *t) {
    struct entries e = {0};
    bool ok = need_sign(p, "{");
    while (ok && !at_sign(p, "}")) {
        if (p->now.kind != TOKEN_NAME && p->now.kind != TOKEN_STRING) {
            ok = expected(p, "an entry or '}'");
            break;
        }
        e.list = mem_grow(e.list, &e.room, e.n + 1, sizeof *e.list);
        e.list[e.n++] = p->now.text;
        step(p);
        if (!take_sign(p, ",") && !at_sign(p, "}")) ok = expected(p, "',' or '}'");
    }
    if (ok) step(p);
    table_finish(p, t, &e);
    free(e.list);
    return ok;
}

static bool parse_table(struct parser *p) {
    struct policy *y = p->policy;
    struct table t = {0};
    if (!room_for(p, y->n_tables, POLICY_TABLES, "tables")) return false;
    if (!need_name(p, "the name of a table", &t.name)) return false;
    if (take_word(p, "from")) {
        struct place place = p->now.place;
        if (!need_string(p, "the name of a file, in quotes", &t.from)) return false;
        table_from_file(p, &t, place);
    } else if (!table_inline(p, &t)) {
        return false;
    }
    if (!need_sign(p, ";")) return false;
    y->tables = mem_grow(y->tables, &p->room_tables, y->n_tables + 1, sizeof t);
    y->tables[y->n_tables++] = t;
    return true;
}

static bool parse_rule(struct parser *p) {
    static const char *const effects[] = {"pass", "deny", "review"}; /* as in enum effect */
    struct policy *y = p->policy;
    struct rule r = {0};
    size_t i = 0;
    if (!room_for(p, y->n_rules, POLICY_RULES, "rules in a set")) return false;
    if (!need_name(p, "the name of a rule", &r.id)) return false;
    while (i < 3 && !take_word(p, effects[i])) i++;
    if (i == 3) return expected_word(p, "'pass', 'deny' or 'review'", effects, 3);
    r.effect = (enum effect)i;
    if (!need_string(p, "the reason, in quotes", &r.reason)) return false;
    if (take_word(p, "ko") && !need_string(p, "the reason in Korean, in quotes", &r.reason_ko)) return false;
    if (!take_word(p, "otherwise")) {
        static const char *const words[] = {"when", "otherwise", "ko"};
        if (!at_word(p, "when")) return expected_word(p, "'when' or 'otherwise'", words, 3);
        if (!parse_when(p, &r.when)) return false;
    }
    if (!need_sign(p, ";")) return false;
    y->rules = mem_grow(y->rules, &p->room_rules, y->n_rules + 1, sizeof r);
    y->rules[y->n_rules++] = r;
    return true;
}

static bool parse_set(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    static const char *const names[] = {"eligible"};
    struct place last = p->now.place;
    if (!at_word(p, "eligible")) return expected_word(p, "'eligible' (the sets are: eligible)", names, 1);
    step(p);
    place = span_places(place, last);
    if (y->has_eligible) {
        diagnose_clash(p->d, LEVEL_ERROR, place, y->eligible_place, "the first one is here",
                       "set 'eligible' stands twice");
        p->failed = true;
    }
    y->has_eligible = true;
    y->eligible_place = place;
    return parse_block(p, parse_rule);
}

static bool stated_once(struct parser *p, bool *seen, struct place place, const char *what) {
    if (!*seen) return *seen = true;
    diagnose(p->d, LEVEL_ERROR, place, "'%s' is stated twice in one rule", what);
    p->failed = true;
    return false;
}

static bool parse_ceiling(struct parser *p, struct word id) {
    static const char *const limits[] = {"compute", "storage"};
    static const char *const holders[] = {"tenant", "organisation"};
    struct policy *y = p->policy;
    struct ceiling c = {.id = id};
    if (!room_for(p, y->n_ceilings, POLICY_RULES, "ceilings")) return false;
    if (take_word(p, "per")) {
        if (take_word(p, "organisation"))
            c.per_organisation = true;
        else if (!take_word(p, "tenant"))
            return expected_word(p, "'tenant' or 'organisation'", holders, 2);
    }
    if (!at_word(p, "compute") && !at_word(p, "storage"))
        return expected_word(p, "'compute' or 'storage'", limits, 2);
    while (at_word(p, "compute") || at_word(p, "storage")) {
        struct place place = p->now.place;
        bool ok;
        if (take_word(p, "compute"))
            ok = need_amount(p, gflops_scales, &c.compute.n, &c.compute_place) &&
                 stated_once(p, &c.has_compute, place, "compute");
        else
            ok = (step(p), need_amount(p, bytes_scales, &c.storage.n, &c.storage_place)) &&
                 stated_once(p, &c.has_storage, place, "storage");
        if (!ok) return false;
    }
    if (!parse_when(p, &c.when)) return false;
    if (!take_sign(p, ";")) return expected(p, c.when ? "'and', 'or' or ';'" : "'when' or ';'");
    y->ceilings = mem_grow(y->ceilings, &p->room_ceilings, y->n_ceilings + 1, sizeof c);
    y->ceilings[y->n_ceilings++] = c;
    return true;
}

/* renew N | notice SPAN | grace SPAN | keep-data SPAN */
static bool parse_lease_option(struct parser *p, struct lease *l, bool seen[4]) {
    static const char *const words[] = {"renew", "notice", "grace", "keep-data", "when"};
    struct place place = p->now.place, unused;
    if (take_word(p, "renew")) {
        l->renew_place = p->now.place;
        return need_count(p, "a number of renewals", 0, 1000, &l->renew) &&
               stated_once(p, &seen[0], place, "renew");
    }
    if (take_word(p, "notice"))
        return need_span(p, &l->notice, &l->notice_place) && stated_once(p, &seen[1], place, "notice");
    if (take_word(p, "grace"))
        return need_span(p, &l->grace, &unused) && stated_once(p, &seen[2], place, "grace");
    if (take_word(p, "keep-data"))
        return need_span(p, &l->keep, &unused) && stated_once(p, &seen[3], place, "keep-data");
    return expected_word(p, "'renew', 'notice', 'grace', 'keep-data', 'when' or ';'", words, 5);
}

static bool need_date(struct parser *p, instant_t *end, struct place *place) {
    struct err e = {0};
    if (p->now.kind != TOKEN_DATE) return expected(p, "a date (2027-03-31)");
    *place = p->now.place;
    if (date_parse(p->now.text, end, &e) < 0) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, p->now.place, "%s", e.what);
        return false;
    }
    step(p);
    return true;
}

static bool parse_lease(struct parser *p, struct word id) {
    static const char *const words[] = {"term", "until"};
    struct policy *y = p->policy;
    struct lease l = {.id = id};
    bool seen[4] = {false}, ok;
    if (!room_for(p, y->n_leases, POLICY_RULES, "leases")) return false;
    if (take_word(p, "term"))
        ok = need_span(p, &l.term, &l.term_place);
    else if (take_word(p, "until"))
        l.has_until = true, ok = need_date(p, &l.until, &l.term_place);
    else
        ok = expected_word(p, "'term' or 'until'", words, 2);
    while (ok && !at_sign(p, ";") && !at_word(p, "when")) {
        take_sign(p, ",");
        ok = parse_lease_option(p, &l, seen);
    }
    if (!ok || !parse_when(p, &l.when)) return false;
    if (!take_sign(p, ";")) return expected(p, "'and', 'or' or ';'");
    y->leases = mem_grow(y->leases, &p->room_leases, y->n_leases + 1, sizeof l);
    y->leases[y->n_leases++] = l;
    return true;
}

static bool parse_expect(struct parser *p, struct place place) {
    p->policy->has_expect = true;
    p->policy->expect_place = place;
    return need_count(p, "a number of tenants", 1, 1000000, &p->policy->expect) && need_word(p, "tenants") &&
           need_sign(p, ";");
}

static bool parse_statement(struct parser *p) {
    static const char *const words[] = {"pool", "attr", "table", "set", "expect", "policy"};
    static const char *const kinds[] = {"ceiling", "lease"};
    struct word id;
    struct place place = p->now.place;
    if (take_word(p, "pool")) return parse_pool(p, place);
    if (take_word(p, "attr")) return parse_attr(p) || (p->declared = false);
    if (take_word(p, "table")) return parse_table(p) || (p->declared = false);
    if (take_word(p, "set")) return parse_set(p, place);
    if (take_word(p, "expect")) return parse_expect(p, place);
    if (p->now.kind != TOKEN_NAME)
        return expected(p, "'pool', 'attr', 'table', 'set', 'expect' or the name of a rule");
    need_name(p, "a name", &id);
    if (take_word(p, "ceiling")) return parse_ceiling(p, id);
    if (take_word(p, "lease")) return parse_lease(p, id);
    const char *near = text_nearest(id.s, words, 5);
    if (near && !(p->now.kind == TOKEN_NAME && text_nearest(p->now.text, kinds, 2))) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, id.place, "unknown statement '%s'; did you mean '%s'?", id.s, near);
        return false;
    }
    return expected_word(p, "'ceiling' or 'lease' after the name of a rule", kinds, 2);
}

static bool parse_head(struct parser *p) {
    struct policy *y = p->policy;
    struct place place;
    if (!need_word(p, "policy")) return false;
    place = p->now.place;
    if (!need_string(p, "the name of the policy, in quotes", &y->name)) return false;
    if (!*y->name || strlen(y->name) > POLICY_NAME) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, place, "the name of a policy has 1 to %d bytes", POLICY_NAME);
    }
    return need_word(p, "version") && need_count(p, "a version", 1, 1000000000, &y->version) &&
           need_sign(p, ";");
}

static void built_ins(struct parser *p) {
    static const struct variable list[VARS_BUILT_IN] = {
        [VAR_TENANT] = {{"tenant", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_ORGANISATION] = {{"organisation", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_COMPUTE] = {{"request.compute", {0}}, TYPE_COMPUTE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_STORAGE] = {{"request.storage", {0}}, TYPE_STORAGE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_UNITS] = {{"request.units", {0}}, TYPE_UNITS, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_TODAY] = {{"today", {0}}, TYPE_DATE, SUBJECT_BUILT_IN, false, NULL, 0},
    };
    struct policy *y = p->policy;
    y->variables = mem_grow(NULL, &p->room_variables, VARS_BUILT_IN, sizeof *list);
    memcpy(y->variables, list, sizeof list);
    y->n_variables = VARS_BUILT_IN;
}

bool parse_policy(struct policy *policy, const struct policy_source *source, struct diagnostics *d,
                  bool *declared) {
    struct parser p = {.policy = policy, .source = source, .d = d, .declared = true};
    built_ins(&p);
    *declared = true;
    if (!lex_begin(&p.lexer, policy->text, policy->length, &policy->arena, d)) return false;
    step(&p);
    if (!parse_head(&p)) recover(&p, 0);
    while (p.now.kind != TOKEN_END)
        if (!parse_statement(&p)) recover(&p, 0);
    *declared = p.declared;
    return !p.failed;
}
