/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/store/internal.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static size_t cache_place(const char *sql) { return ((uintptr_t)sql >> 3) * 2654435761u % STATEMENTS_KEPT; }

/* A prepared statement, marked busy. A statement that is in use (a nested walk) is prepared once more. */
static sqlite3_stmt *statement_take(struct store *s, const char *sql, long *place, struct err *e) {
    size_t at = cache_place(sql), i = at;
    *place = -1;
    while (s->cache[i].sql && !(s->cache[i].sql == sql && !s->cache[i].busy)) {
        i = (i + 1) % STATEMENTS_KEPT;
        if (i == at) break;
    }
    if (s->cache[i].sql == sql && !s->cache[i].busy) {
        s->cache[i].busy = true;
        *place = (long)i;
        return s->cache[i].statement;
    }
    sqlite3_stmt *made = NULL;
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK) {
        store_fail(s, e, sql);
        return NULL;
    }
    if (s->cache[i].sql == NULL) {
        s->cache[i].sql = sql;
        s->cache[i].statement = made;
        s->cache[i].busy = true;
        *place = (long)i;
    }
    return made;
}

/* Where $i stands: SQLite numbers parameters by first appearance, which is mostly the same. */
static int parameter_place(sqlite3_stmt *statement, int i) {
    const char *there = sqlite3_bind_parameter_name(statement, i);
    bool is_it = there && (i < 10 ? there[1] == '0' + i && !there[2]
                                  : there[1] == '0' + i / 10 && there[2] == '0' + i % 10 && !there[3]);
    if (is_it) return i;
    char name[12];
    text_format(name, sizeof name, "$%d", i);
    return sqlite3_bind_parameter_index(statement, name);
}

/* texts: SQLITE_STATIC where they outlive the walk over the rows. */
static int bind_all(struct store *s, sqlite3_stmt *statement, sqlite3_destructor_type texts,
                    const char *types, va_list args, struct err *e) {
    for (int i = 1; types && *types; types++, i++) {
        int at = parameter_place(statement, i), code;
        if (*types == 'i') {
            int64_t value = va_arg(args, int64_t);
            code = at ? sqlite3_bind_int64(statement, at, value) : SQLITE_OK;
        } else {
            const char *value = va_arg(args, const char *);
            code = at ? sqlite3_bind_text(statement, at, value, -1, texts) : SQLITE_OK;
        }
        if (code != SQLITE_OK) return store_fail(s, e, "binding");
    }
    return 0;
}

static int open_rows(struct rows *r, struct store *s, struct err *e, const char *sql,
                     sqlite3_destructor_type texts, const char *types, va_list args) {
    *r = (struct rows){.store = s};
    sqlite3_stmt *statement = statement_take(s, sql, &r->place, e);
    if (!statement) return -1;
    r->statement = statement;
    return bind_all(s, statement, texts, types, args, e);
}

int rows_open(struct rows *r, struct store *s, struct err *e, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    int rc = open_rows(r, s, e, sql, SQLITE_TRANSIENT, types, args);
    va_end(args);
    return rc;
}

int rows_next(struct rows *r, struct err *e) {
    switch (sqlite3_step(r->statement)) {
    case SQLITE_ROW: return 1;
    case SQLITE_DONE: return 0;
    default: return store_fail(r->store, e, sqlite3_sql(r->statement));
    }
}

int64_t rows_int(const struct rows *r, int column) { return sqlite3_column_int64(r->statement, column); }

const char *rows_text(const struct rows *r, int column) {
    return (const char *)sqlite3_column_text(r->statement, column);
}

bool rows_null(const struct rows *r, int column) {
    return sqlite3_column_type(r->statement, column) == SQLITE_NULL;
}

void rows_close(struct rows *r) {
    if (!r->statement) return;
    sqlite3_reset(r->statement);
    sqlite3_clear_bindings(r->statement);
    if (r->place < 0)
        sqlite3_finalize(r->statement);
    else
        r->store->cache[r->place].busy = false;
    r->statement = NULL;
}

int sql_do(struct store *s, struct err *e, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    int rc = open_rows(&r, s, e, sql, SQLITE_STATIC, types, args);
    va_end(args);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) rc = 0;
    rows_close(&r);
    return rc;
}

int64_t sql_changes(struct store *s) { return sqlite3_changes64(s->db); }

int sql_int(struct store *s, struct err *e, int64_t *out, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    int rc = open_rows(&r, s, e, sql, SQLITE_STATIC, types, args);
    va_end(args);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (rows_null(&r, 0))
            rc = 0;
        else
            *out = rows_int(&r, 0);
    }
    rows_close(&r);
    return rc;
}

int sql_text(struct store *s, struct err *e, char **out, const char *sql, const char *types, ...) {
    struct rows r;
    va_list args;
    va_start(args, types);
    int rc = open_rows(&r, s, e, sql, SQLITE_STATIC, types, args);
    va_end(args);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (rows_null(&r, 0))
            rc = 0;
        else
            *out = mem_copy(rows_text(&r, 0));
    }
    rows_close(&r);
    return rc;
}

static json_t *cell_json(const struct rows *r, int column, const char *how) {
    if (rows_null(r, column)) return json_null();
    if (strcmp(how, "@time") == 0) return json_string(instant_text(instant(rows_int(r, column))).s);
    if (strcmp(how, "@bool") == 0) return json_boolean(rows_int(r, column));
    if (strcmp(how, "@json") == 0) return json_loads(rows_text(r, column), JSON_DECODE_ANY, NULL);
    if (sqlite3_column_type(r->statement, column) == SQLITE_INTEGER) return json_integer(rows_int(r, column));
    return json_string(rows_text(r, column));
}

static json_t *row_json(const struct rows *r) {
    json_t *row = json_object();
    int n = sqlite3_column_count(r->statement);
    for (int i = 0; i < n; i++) {
        const char *name = sqlite3_column_name(r->statement, i);
        size_t length = strcspn(name, "@");
        char key[64];
        text_format(key, sizeof key, "%.*s", (int)length, name);
        json_object_set_new(row, key, cell_json(r, i, name + length));
    }
    return row;
}

static json_t *all_json(struct store *s, struct err *e, const char *sql, const char *types, va_list args) {
    struct rows r;
    json_t *all = json_array();
    int rc = open_rows(&r, s, e, sql, SQLITE_STATIC, types, args);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        json_array_append_new(all, row_json(&r));
        rc = 0;
    }
    rows_close(&r);
    if (rc == 0) return all;
    json_decref(all);
    return NULL;
}

json_t *sql_json(struct store *s, struct err *e, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    json_t *all = all_json(s, e, sql, types, args);
    va_end(args);
    return all;
}

json_t *sql_json_one(struct store *s, struct err *e, const char *what, const char *sql, const char *types,
                     ...) {
    va_list args;
    va_start(args, types);
    scoped_json json_t *all = all_json(s, e, sql, types, args);
    va_end(args);
    if (!all) return NULL;
    if (json_array_size(all) > 0) return json_incref(json_array_get(all, 0));
    err_set(e, ERR_NOT_FOUND, "no %s", what);
    return NULL;
}

int store_next(struct store *s, const char *counter, int64_t *out, struct err *e) {
    if (!s->in_transaction || s->read_only)
        return err_set(e, ERR_FAILED, "counter %s outside a write", counter);
    struct store_counter *c = s->counters, *end = c + s->n_counters;
    while (c < end && strcmp(c->name, counter) != 0) c++;
    if (c == end) {
        if (s->n_counters == STORE_COUNTERS)
            return err_set(e, ERR_FAILED, "more than %d counters", STORE_COUNTERS);
        *c = (struct store_counter){counter, 0};
        if (sql_int(s, e, &c->value, "SELECT value FROM counter WHERE name = $1", "s", counter) < 0)
            return -1;
        s->n_counters++;
    }
    *out = ++c->value;
    return 0;
}

int store_counters_write(struct store *s, struct err *e) {
    for (size_t i = 0; i < s->n_counters; i++)
        if (sql_do(s, e,
                   "INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value "
                   "= excluded.value",
                   "si", s->counters[i].name, s->counters[i].value) < 0)
            return -1;
    return 0;
}
