/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations: attributes, tables and how many tenants are expected. */
#include "policies/parser.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* ---- attributes ---- */

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

bool parse_attr(struct parser *p, struct place place) {
    static const char *const of[] = {"tenant", "request"};
    struct policy *y = p->policy;
    struct variable v = {.of = SUBJECT_TENANT};
    (void)place;
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

/* ---- tables ---- */

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

bool parse_table(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    struct table t = {0};
    (void)place;
    if (!parser_room_for(p, y->n_tables, POLICY_TABLES, "tables")) return false;
    if (!parser_need_name(p, "the name of a table", &t.name)) return false;
    if (parser_take_word(p, "from")) {
        struct place file = p->now.place;
        if (!parser_need_string(p, "the name of a file, in quotes", &t.from)) return false;
        table_from_file(p, &t, file);
    } else if (!table_inline(p, &t)) {
        return false;
    }
    if (!parser_need_sign(p, ";")) return false;
    y->tables = mem_grow(y->tables, &p->room_tables, y->n_tables + 1, sizeof t);
    y->tables[y->n_tables++] = t;
    return true;
}

/* ---- expect ---- */

bool parse_expect(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    if (y->has_expect) parser_twice(p, place, y->expect_place, "expect");
    y->has_expect = true;
    y->expect_place = place;
    return parser_need_count(p, "a number of tenants", 1, 1000000, &y->expect) &&
           parser_need_word(p, "tenants") && parser_need_sign(p, ";");
}
