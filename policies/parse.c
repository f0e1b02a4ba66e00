/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent over the grammar of allot-policy(5): one word of lookahead decides. After an
 * error the parser goes on behind the next ';' (or at the '}' that closes the block), so that one
 * run finds several errors.
 */
#include "policies/parser.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* ---- statements ---- */

static bool parse_sizes(struct parser *p, struct flavor *f) {
    do {
        int64_t size;
        struct place place = p->now.place;
        if (!parser_room_for(p, f->n_sizes, SIZES_MOST, "sizes of a flavor")) return false;
        if (!parser_need_count(p, "units in one server", 1, SIZE_MOST, &size)) return false;
        if (f->n_sizes > 0 && size <= f->sizes[f->n_sizes - 1]) {
            diagnose(p->d, LEVEL_ERROR, place, "sizes are listed once each, smallest first");
            p->failed = true;
            return false;
        }
        f->sizes[f->n_sizes++] = size;
    } while (parser_take_sign(p, ","));
    return true;
}

static bool parse_flavor(struct parser *p) {
    struct policy *y = p->policy;
    struct flavor f = {0};
    struct place place;
    if (!parser_room_for(p, y->n_flavors, POLICY_FLAVORS, "flavors")) return false;
    if (!parser_need_name(p, "the name of a flavor", &f.name)) return false;
    if (!parser_need_amount(p, gflops_scales, &f.rating.n, &place)) return false;
    if (f.rating.n == 0) return parser_amount_wrong(p, place, "the rating of a flavor is more than 0");
    if (!parser_need_word(p, "units") || !parser_need_count(p, "a number of units", 0, UNITS_MOST, &f.units))
        return false;
    if (parser_take_word(p, "sizes")) {
        if (!parse_sizes(p, &f)) return false;
    } else {
        f.sizes[f.n_sizes++] = 1;
    }
    if (!parser_need_sign(p, ";")) return false;
    y->flavors = mem_grow(y->flavors, &p->room_flavors, y->n_flavors + 1, sizeof f);
    y->flavors[y->n_flavors++] = f;
    return true;
}

static bool parse_pool_item(struct parser *p) {
    static const char *const words[] = {"basis", "flavor", "storage"};
    struct policy *y = p->policy;
    struct place place = p->now.place;
    if (parser_take_word(p, "flavor")) return parse_flavor(p);
    if (parser_take_word(p, "basis")) {
        if (y->basis.s) {
            diagnose_clash(p->d, LEVEL_ERROR, place, y->basis.place, "the first basis is here",
                           "a pool has one basis");
            p->failed = true;
        }
        return parser_need_name(p, "a precision (fp32, fp16)", &y->basis) && parser_need_sign(p, ";");
    }
    if (parser_take_word(p, "storage")) {
        if (y->has_storage) {
            diagnose_clash(p->d, LEVEL_ERROR, place, y->storage_place, "the first storage is here",
                           "the storage of a pool is stated once");
            p->failed = true;
        }
        y->has_storage = true;
        return parser_need_amount(p, bytes_scales, &y->storage.n, &y->storage_place) &&
               parser_need_sign(p, ";");
    }
    return parser_expected_word(p, "'basis', 'flavor', 'storage' or '}'", words, 3);
}

/* "{" { item } "}" */
static bool parse_block(struct parser *p, bool (*item)(struct parser *)) {
    if (!parser_need_sign(p, "{")) return false;
    int level = p->level;
    while (!parser_at_sign(p, "}")) {
        if (p->now.kind == TOKEN_END) return parser_expected(p, "'}'");
        if (!item(p)) parser_recover(p, level);
    }
    parser_step(p);
    parser_take_sign(p, ";"); /* "};" is a habit that does no harm */
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
    return parser_need_name(p, "the name of the pool", &p->policy->pool) && parse_block(p, parse_pool_item);
}

static bool parse_enum(struct parser *p, struct variable *v) {
    struct word list[POLICY_VALUES];
    if (!parser_need_sign(p, "{")) return false;
    do {
        if (!parser_room_for(p, v->n_values, POLICY_VALUES, "values of an enum")) return false;
        if (!parser_need_name(p, "a value", &list[v->n_values])) return false;
        for (size_t i = 0; i < v->n_values; i++) {
            if (strcmp(list[i].s, list[v->n_values].s) != 0) continue;
            diagnose_clash(p->d, LEVEL_ERROR, list[v->n_values].place, list[i].place, "first named here",
                           "'%s' is listed twice", list[i].s);
            p->failed = true;
        }
        v->n_values++;
    } while (parser_take_sign(p, ","));
    v->values = arena_take(&p->policy->arena, v->n_values * sizeof *list);
    memcpy(v->values, list, v->n_values * sizeof *list);
    return parser_need_sign(p, "}");
}

static bool parse_type(struct parser *p, struct variable *v) {
    static const char *const words[] = {"bool", "enum", "date", "int", "text"}; /* as in enum type */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!parser_take_word(p, words[i])) continue;
        v->type = (enum type)i;
        return v->type == TYPE_ENUM ? parse_enum(p, v) : true;
    }
    return parser_expected_word(p, "a type (bool, enum, date, int, text)", words, 5);
}

static bool parse_attr(struct parser *p) {
    static const char *const of[] = {"tenant", "request"};
    struct policy *y = p->policy;
    struct variable v = {.of = SUBJECT_TENANT};
    if (!parser_room_for(p, y->n_variables - VARS_BUILT_IN, POLICY_ATTRS, "attributes")) return false;
    if (!parser_need_name(p, "the name of an attribute", &v.name) || !parser_need_sign(p, ":") ||
        !parse_type(p, &v))
        return false;
    v.optional = parser_take_sign(p, "?");
    if (parser_take_word(p, "of")) {
        if (parser_take_word(p, "request"))
            v.of = SUBJECT_REQUEST;
        else if (!parser_take_word(p, "tenant"))
            return parser_expected_word(p, "'tenant' or 'request'", of, 2);
    }
    if (!parser_need_sign(p, ";")) return false;
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
    bool ok = parser_need_sign(p, "{");
    while (ok && !parser_at_sign(p, "}")) {
        if (p->now.kind != TOKEN_NAME && p->now.kind != TOKEN_STRING) {
            ok = parser_expected(p, "an entry or '}'");
            break;
        }
        e.list = mem_grow(e.list, &e.room, e.n + 1, sizeof *e.list);
        e.list[e.n++] = p->now.text;
        parser_step(p);
        if (!parser_take_sign(p, ",") && !parser_at_sign(p, "}")) ok = parser_expected(p, "',' or '}'");
    }
    if (ok) parser_step(p);
    table_finish(p, t, &e);
    free(e.list);
    return ok;
}

static bool parse_table(struct parser *p) {
    struct policy *y = p->policy;
    struct table t = {0};
    if (!parser_room_for(p, y->n_tables, POLICY_TABLES, "tables")) return false;
    if (!parser_need_name(p, "the name of a table", &t.name)) return false;
    if (parser_take_word(p, "from")) {
        struct place place = p->now.place;
        if (!parser_need_string(p, "the name of a file, in quotes", &t.from)) return false;
        table_from_file(p, &t, place);
    } else if (!table_inline(p, &t)) {
        return false;
    }
    if (!parser_need_sign(p, ";")) return false;
    y->tables = mem_grow(y->tables, &p->room_tables, y->n_tables + 1, sizeof t);
    y->tables[y->n_tables++] = t;
    return true;
}

static bool parse_rule(struct parser *p) {
    static const char *const effects[] = {"pass", "deny", "review"}; /* as in enum effect */
    struct policy *y = p->policy;
    struct rule r = {0};
    size_t i = 0;
    if (!parser_room_for(p, y->n_rules, POLICY_RULES, "rules in a set")) return false;
    if (!parser_need_name(p, "the name of a rule", &r.id)) return false;
    while (i < 3 && !parser_take_word(p, effects[i])) i++;
    if (i == 3) return parser_expected_word(p, "'pass', 'deny' or 'review'", effects, 3);
    r.effect = (enum effect)i;
    if (!parser_need_string(p, "the reason, in quotes", &r.reason)) return false;
    if (parser_take_word(p, "ko") && !parser_need_string(p, "the reason in Korean, in quotes", &r.reason_ko))
        return false;
    if (!parser_take_word(p, "otherwise")) {
        static const char *const words[] = {"when", "otherwise", "ko"};
        if (!parser_at_word(p, "when")) return parser_expected_word(p, "'when' or 'otherwise'", words, 3);
        if (!parser_when(p, &r.when)) return false;
    }
    if (!parser_need_sign(p, ";")) return false;
    y->rules = mem_grow(y->rules, &p->room_rules, y->n_rules + 1, sizeof r);
    y->rules[y->n_rules++] = r;
    return true;
}

static bool parse_set(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    static const char *const names[] = {"eligible"};
    struct place last = p->now.place;
    if (!parser_at_word(p, "eligible"))
        return parser_expected_word(p, "'eligible' (the sets are: eligible)", names, 1);
    parser_step(p);
    place = parser_span_places(place, last);
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
    if (!parser_room_for(p, y->n_ceilings, POLICY_RULES, "ceilings")) return false;
    if (parser_take_word(p, "per")) {
        if (parser_take_word(p, "organisation"))
            c.per_organisation = true;
        else if (!parser_take_word(p, "tenant"))
            return parser_expected_word(p, "'tenant' or 'organisation'", holders, 2);
    }
    if (!parser_at_word(p, "compute") && !parser_at_word(p, "storage"))
        return parser_expected_word(p, "'compute' or 'storage'", limits, 2);
    while (parser_at_word(p, "compute") || parser_at_word(p, "storage")) {
        struct place place = p->now.place;
        bool ok;
        if (parser_take_word(p, "compute"))
            ok = parser_need_amount(p, gflops_scales, &c.compute.n, &c.compute_place) &&
                 stated_once(p, &c.has_compute, place, "compute");
        else
            ok = (parser_step(p), parser_need_amount(p, bytes_scales, &c.storage.n, &c.storage_place)) &&
                 stated_once(p, &c.has_storage, place, "storage");
        if (!ok) return false;
    }
    if (!parser_when(p, &c.when)) return false;
    if (!parser_take_sign(p, ";")) return parser_expected(p, c.when ? "'and', 'or' or ';'" : "'when' or ';'");
    y->ceilings = mem_grow(y->ceilings, &p->room_ceilings, y->n_ceilings + 1, sizeof c);
    y->ceilings[y->n_ceilings++] = c;
    return true;
}

/* renew N | notice SPAN | grace SPAN | keep-data SPAN */
static bool parse_lease_option(struct parser *p, struct lease *l, bool seen[4]) {
    static const char *const words[] = {"renew", "notice", "grace", "keep-data", "when"};
    struct place place = p->now.place, unused;
    if (parser_take_word(p, "renew")) {
        l->renew_place = p->now.place;
        return parser_need_count(p, "a number of renewals", 0, 1000, &l->renew) &&
               stated_once(p, &seen[0], place, "renew");
    }
    if (parser_take_word(p, "notice"))
        return parser_need_span(p, &l->notice, &l->notice_place) && stated_once(p, &seen[1], place, "notice");
    if (parser_take_word(p, "grace"))
        return parser_need_span(p, &l->grace, &unused) && stated_once(p, &seen[2], place, "grace");
    if (parser_take_word(p, "keep-data"))
        return parser_need_span(p, &l->keep, &unused) && stated_once(p, &seen[3], place, "keep-data");
    return parser_expected_word(p, "'renew', 'notice', 'grace', 'keep-data', 'when' or ';'", words, 5);
}

static bool need_date(struct parser *p, instant_t *end, struct place *place) {
    struct err e = {0};
    if (p->now.kind != TOKEN_DATE) return parser_expected(p, "a date (2027-03-31)");
    *place = p->now.place;
    if (date_parse(p->now.text, end, &e) < 0) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, p->now.place, "%s", e.what);
        return false;
    }
    parser_step(p);
    return true;
}

static bool parse_lease(struct parser *p, struct word id) {
    static const char *const words[] = {"term", "until"};
    struct policy *y = p->policy;
    struct lease l = {.id = id};
    bool seen[4] = {false}, ok;
    if (!parser_room_for(p, y->n_leases, POLICY_RULES, "leases")) return false;
    if (parser_take_word(p, "term"))
        ok = parser_need_span(p, &l.term, &l.term_place);
    else if (parser_take_word(p, "until"))
        l.has_until = true, ok = need_date(p, &l.until, &l.term_place);
    else
        ok = parser_expected_word(p, "'term' or 'until'", words, 2);
    while (ok && !parser_at_sign(p, ";") && !parser_at_word(p, "when")) {
        parser_take_sign(p, ",");
        ok = parse_lease_option(p, &l, seen);
    }
    if (!ok || !parser_when(p, &l.when)) return false;
    if (!parser_take_sign(p, ";")) return parser_expected(p, "'and', 'or' or ';'");
    y->leases = mem_grow(y->leases, &p->room_leases, y->n_leases + 1, sizeof l);
    y->leases[y->n_leases++] = l;
    return true;
}

static bool parse_expect(struct parser *p, struct place place) {
    p->policy->has_expect = true;
    p->policy->expect_place = place;
    return parser_need_count(p, "a number of tenants", 1, 1000000, &p->policy->expect) &&
           parser_need_word(p, "tenants") && parser_need_sign(p, ";");
}

static bool parse_statement(struct parser *p) {
    static const char *const words[] = {"pool", "attr", "table", "set", "expect", "policy"};
    static const char *const kinds[] = {"ceiling", "lease"};
    struct word id;
    struct place place = p->now.place;
    if (parser_take_word(p, "pool")) return parse_pool(p, place);
    if (parser_take_word(p, "attr")) return parse_attr(p) || (p->declared = false);
    if (parser_take_word(p, "table")) return parse_table(p) || (p->declared = false);
    if (parser_take_word(p, "set")) return parse_set(p, place);
    if (parser_take_word(p, "expect")) return parse_expect(p, place);
    if (p->now.kind != TOKEN_NAME)
        return parser_expected(p, "'pool', 'attr', 'table', 'set', 'expect' or the name of a rule");
    parser_need_name(p, "a name", &id);
    if (parser_take_word(p, "ceiling")) return parse_ceiling(p, id);
    if (parser_take_word(p, "lease")) return parse_lease(p, id);
    const char *near = text_nearest(id.s, words, 5);
    if (near && !(p->now.kind == TOKEN_NAME && text_nearest(p->now.text, kinds, 2))) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, id.place, "unknown statement '%s'; did you mean '%s'?", id.s, near);
        return false;
    }
    return parser_expected_word(p, "'ceiling' or 'lease' after the name of a rule", kinds, 2);
}

static bool parse_head(struct parser *p) {
    struct policy *y = p->policy;
    struct place place;
    if (!parser_need_word(p, "policy")) return false;
    place = p->now.place;
    if (!parser_need_string(p, "the name of the policy, in quotes", &y->name)) return false;
    if (!*y->name || strlen(y->name) > POLICY_NAME) {
        p->failed = true;
        diagnose(p->d, LEVEL_ERROR, place, "the name of a policy has 1 to %d bytes", POLICY_NAME);
    }
    return parser_need_word(p, "version") && parser_need_count(p, "a version", 1, 1000000000, &y->version) &&
           parser_need_sign(p, ";");
}

static void built_ins(struct parser *p) {
    static const struct variable list[VARS_BUILT_IN] = {
        [VAR_TENANT] = {{"tenant", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_ORGANISATION] = {{"organisation", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_COMPUTE] = {{"request.compute", {0}}, TYPE_COMPUTE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_STORAGE] = {{"request.storage", {0}}, TYPE_STORAGE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_UNITS] = {{"request.units", {0}}, TYPE_UNITS, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_TODAY] = {{"today", {0}}, TYPE_DATE, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_TIER] = {{"tier", {0}}, TYPE_ENUM, SUBJECT_BUILT_IN, false, NULL, 0},
        [VAR_FLAVOR] = {{"request.flavor", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, true, NULL, 0},
        [VAR_CALL] = {{"request.call", {0}}, TYPE_TEXT, SUBJECT_BUILT_IN, true, NULL, 0},
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
    parser_step(&p);
    if (!parse_head(&p)) parser_recover(&p, 0);
    while (p.now.kind != TOKEN_END)
        if (!parse_statement(&p)) parser_recover(&p, 0);
    *declared = p.declared;
    return !p.failed;
}
