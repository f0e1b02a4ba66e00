/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/usage.h"

#include "alloc/balance.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

#define TF_HOUR INT64_C(3600000) /* GFLOPS-seconds in a TFLOPS-hour */
#define HOUR    3600
#define TB_HOUR INT64_C(3600000000000000) /* byte-seconds in a TB-hour */

/* A line of a grant, or a grant without lines: whose it is, and what a unit of it counts. */
struct line {
    int64_t grant, tenant, rating;
    char *tenant_name, *pool_name, *basis, *item; /* item: NULL without lines */
};

/* What one account adds to a row. */
struct share {
    const struct line *line; /* names only */
    const char *key;         /* tenant, flavor, or NULL for storage by flavor */
    int64_t grant;           /* by grant only */
    wide_t compute, storage, datalake, seats;
};

struct usage {
    const struct usage_query *query;
    struct balances balances;
    struct line *lines; /* by grant */
    size_t n_lines, lines_room;
    struct share *shares;
    size_t n_shares, shares_room;
    json_t *report, *conservation;
    bool closes;
};

/* ---- reading ---- */

static int lines_load(struct usage *u, struct store *s, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e,
                       "SELECT g.id, g.tenant, t.name, p.name, g.basis, 'unit/' || l.flavor, l.rating_gflops"
                       " FROM grants g JOIN tenant t ON t.id = g.tenant JOIN pool p ON p.id = g.pool"
                       " LEFT JOIN grant_line l ON l.tenant = g.tenant AND l.grant_id = g.id"
                       " WHERE $1 = 0 OR g.pool = $1 ORDER BY g.id, l.flavor",
                       "i", u->query->pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        u->lines = mem_grow(u->lines, &u->lines_room, u->n_lines + 1, sizeof *u->lines);
        u->lines[u->n_lines++] = (struct line){.grant = rows_int(&r, 0),
                                               .tenant = rows_int(&r, 1),
                                               .rating = rows_int(&r, 6),
                                               .tenant_name = mem_copy(rows_text(&r, 2)),
                                               .pool_name = mem_copy(rows_text(&r, 3)),
                                               .basis = mem_copy(rows_text(&r, 4)),
                                               .item = mem_copy(rows_text(&r, 5))};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* What is of a grant as a whole, not of one of its lines. */
static bool is_whole(const char *item) {
    return strcmp(item, ITEM_STORAGE) == 0 || strcmp(item, ITEM_DATALAKE) == 0 ||
           strncmp(item, "seat/", 5) == 0;
}

/* Bytes stay while they are kept. */
static bool is_bytes(const char *item) {
    return strcmp(item, ITEM_STORAGE) == 0 || strcmp(item, ITEM_DATALAKE) == 0;
}

/* The line of that item; for what has no line of its own any line of the grant. NULL: the grant or its line
   is not there. */
static const struct line *line_of(const struct usage *u, int64_t grant, const char *item) {
    size_t low = 0, high = u->n_lines;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (u->lines[middle].grant < grant)
            low = middle + 1;
        else
            high = middle;
    }
    bool whole = is_whole(item);
    for (; low < u->n_lines && u->lines[low].grant == grant; low++)
        if (whole || (u->lines[low].item && strcmp(u->lines[low].item, item) == 0)) return &u->lines[low];
    return NULL;
}

static void usage_free(struct usage *u) {
    for (size_t i = 0; i < u->n_lines; i++) {
        free(u->lines[i].tenant_name);
        free(u->lines[i].pool_name);
        free(u->lines[i].basis);
        free(u->lines[i].item);
    }
    free(u->lines);
    free(u->shares);
    balances_free(&u->balances);
}

/* ---- rows ---- */

static const char *key_of(enum usage_by by, const struct line *line, const char *item) {
    if (by != USAGE_BY_FLAVOR) return line->tenant_name;
    if (strcmp(item, ITEM_STORAGE) == 0) return NULL;
    return strncmp(item, "unit/", 5) == 0 ? item + 5 : item; /* "seat/notebook", "datalake" */
}

static void share_add(struct usage *u, const struct balance *b) {
    const char *item = u->balances.items[b->item];
    const struct line *line = line_of(u, b->grant, item);
    if (!line || b->integral == 0 || (u->query->tenant && line->tenant != u->query->tenant)) return;
    if (b->kind != ACCOUNT_HELD && !(is_bytes(item) && b->kind == ACCOUNT_KEPT)) return;
    u->shares = mem_grow(u->shares, &u->shares_room, u->n_shares + 1, sizeof *u->shares);
    struct share *s = &u->shares[u->n_shares++];
    *s = (struct share){.line = line, .key = key_of(u->query->by, line, item)};
    s->grant = u->query->by == USAGE_BY_GRANT ? b->grant : 0;
    if (strcmp(item, ITEM_STORAGE) == 0)
        s->storage = b->integral;
    else if (strcmp(item, ITEM_DATALAKE) == 0)
        s->datalake = b->integral;
    else if (is_whole(item))
        s->seats = b->integral;
    else
        s->compute = b->integral * line->rating;
}

static int text_order(const char *a, const char *b) {
    if (!a || !b) return (a == NULL) - (b == NULL); /* storage stands last */
    return strcmp(a, b);
}

static int by_row(const void *a, const void *b) {
    const struct share *x = a, *y = b;
    int order = strcmp(x->line->pool_name, y->line->pool_name);
    if (order == 0) order = strcmp(x->line->basis, y->line->basis);
    if (order == 0) order = (x->grant > y->grant) - (x->grant < y->grant);
    return order ? order : text_order(x->key, y->key);
}

static int by_basis(const void *a, const void *b) {
    return strcmp(((const struct share *)a)->line->basis, ((const struct share *)b)->line->basis);
}

static void figures_set(json_t *row, const struct share *s) {
    json_object_set_new(row, "compute_gflops_seconds", json_string(wide_text(s->compute).s));
    json_object_set_new(row, "storage_byte_seconds", json_string(wide_text(s->storage).s));
    json_object_set_new(row, "datalake_byte_seconds", json_string(wide_text(s->datalake).s));
    json_object_set_new(row, "seat_seconds", json_string(wide_text(s->seats).s));
    json_object_set_new(row, "compute_tf_hours", json_string(wide_ratio_text(s->compute, TF_HOUR).s));
    json_object_set_new(row, "storage_tb_hours", json_string(wide_ratio_text(s->storage, TB_HOUR).s));
    json_object_set_new(row, "datalake_tb_hours", json_string(wide_ratio_text(s->datalake, TB_HOUR).s));
    json_object_set_new(row, "seat_hours", json_string(wide_ratio_text(s->seats, HOUR).s));
}

static json_t *row_of(const struct usage *u, const struct share *s) {
    char grant[24];
    json_t *row = json_object();
    json_object_set_new(row, "pool", json_string(s->line->pool_name));
    json_object_set_new(row, "basis", json_string(s->line->basis));
    if (u->query->by == USAGE_BY_GRANT) {
        text_format(grant, sizeof grant, "g-%lld", (long long)s->grant);
        json_object_set_new(row, "grant", json_string(grant));
    }
    const char *name = u->query->by == USAGE_BY_FLAVOR ? "flavor" : "tenant";
    json_object_set_new(row, name, s->key ? json_string(s->key) : json_null());
    return row;
}

/* Sorts the shares and joins equal ones into rows. */
static json_t *rows_of(struct usage *u, int (*order)(const void *, const void *), bool is_total) {
    json_t *rows = json_array();
    if (u->n_shares) qsort(u->shares, u->n_shares, sizeof *u->shares, order);
    for (size_t i = 0; i < u->n_shares;) {
        struct share sum = u->shares[i];
        for (i++; i < u->n_shares && order(&u->shares[i], &sum) == 0; i++) {
            sum.compute += u->shares[i].compute;
            sum.storage += u->shares[i].storage;
            sum.datalake += u->shares[i].datalake;
            sum.seats += u->shares[i].seats;
        }
        json_t *row = is_total ? json_pack("{s:s}", "basis", sum.line->basis) : row_of(u, &sum);
        figures_set(row, &sum);
        json_array_append_new(rows, row);
    }
    return rows;
}

/* ---- conservation ---- */

struct parts {
    wide_t of[ACCOUNT_LOST + 1], unattributed;
    wide_t now[ACCOUNT_LOST + 1]; /* balances, to compare with the accounts */
};

static void parts_sum(const struct usage *u, int64_t pool, int item, struct parts *p) {
    for (size_t i = 0; i < u->balances.n; i++) {
        const struct balance *b = &u->balances.all[i];
        if (b->pool != pool || b->item != item) continue;
        p->now[b->kind] += b->sum;
        if (b->grant && !line_of(u, b->grant, u->balances.items[item]))
            p->unattributed += b->integral;
        else
            p->of[b->kind] += b->integral;
    }
}

static int accounts_agree(struct store *s, int64_t pool, const char *item, const struct parts *p, bool *agree,
                          struct err *e) {
    struct rows r;
    wide_t left[ACCOUNT_LOST + 1];
    memcpy(left, p->now, sizeof left);
    int rc = rows_open(&r, s, e, "SELECT kind, balance FROM account WHERE pool = $1 AND item = $2", "is",
                       pool, item);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        int kind = account_of_word(rows_text(&r, 0));
        if (kind > 0) left[kind] -= rows_int(&r, 1);
        rc = 0;
    }
    rows_close(&r);
    *agree = true;
    for (int k = ACCOUNT_WORLD; k <= ACCOUNT_LOST; k++) *agree = *agree && left[k] == 0;
    return rc;
}

static void part_set(json_t *row, const char *key, wide_t w) {
    json_object_set_new(row, key, json_string(wide_text(w).s));
}

static int conservation_add(struct usage *u, struct store *s, int64_t pool, int item, struct err *e) {
    struct parts p = {0};
    const char *name = u->balances.items[item];
    bool agree;
    scoped_free char *pool_name = NULL;
    if (sql_text(s, e, &pool_name, "SELECT name FROM pool WHERE id = $1", "i", pool) < 0) return -1;
    parts_sum(u, pool, item, &p);
    if (accounts_agree(s, pool, name, &p, &agree, e) < 0) return -1;
    json_t *row = json_pack("{s:s,s:s,s:s}", "pool", pool_name ? pool_name : "", "item", name, "unit",
                            is_bytes(name)                   ? "byte_seconds"
                            : strncmp(name, "seat/", 5) == 0 ? "seat_seconds"
                                                             : "unit_seconds");
    wide_t sum = p.unattributed, capacity = -p.of[ACCOUNT_WORLD];
    for (int k = ACCOUNT_FREE; k <= ACCOUNT_LOST; k++) {
        part_set(row, account_word((enum account_kind)k), p.of[k]);
        sum += p.of[k];
    }
    part_set(row, "unattributed", p.unattributed);
    part_set(row, "capacity", capacity);
    bool closes = sum == capacity && p.unattributed == 0 && agree && u->balances.odd == 0;
    json_object_set_new(row, "closes", json_boolean(closes));
    json_array_append_new(u->conservation, row);
    u->closes = u->closes && closes;
    return 0;
}

/* Every pair of pool and item that the ledger names: each has one account world (or lost it, then free). */
static int conservation_all(struct usage *u, struct store *s, struct err *e) {
    for (size_t i = 0; i < u->balances.n; i++) {
        const struct balance *b = &u->balances.all[i];
        const char *item = u->balances.items[b->item];
        bool stands =
            b->kind == ACCOUNT_WORLD ||
            (b->kind == ACCOUNT_FREE && !balances_find(&u->balances, b->pool, item, ACCOUNT_WORLD, 0));
        if (stands && conservation_add(u, s, b->pool, b->item, e) < 0) return -1;
    }
    return 0;
}

/* ---- the whole ---- */

static int usage_read(struct store *s, void *arg, struct err *e) {
    struct usage *u = arg;
    const struct usage_query *q = u->query;
    if (balances_walk(&u->balances, s, q->pool, q->since, q->until, e) < 0 || lines_load(u, s, e) < 0)
        return -1;
    for (size_t i = 0; i < u->balances.n; i++)
        if (u->balances.all[i].grant) share_add(u, &u->balances.all[i]);
    return q->with_conservation ? conservation_all(u, s, e) : 0;
}

json_t *usage_of(struct store *s, const struct usage_query *q, struct err *e) {
    static const char *const words[] = {"tenant", "grant", "flavor"};
    struct usage u = {.query = q, .conservation = json_array(), .closes = true};
    json_t *report = NULL;
    if (store_read(s, usage_read, &u, e) == 0) {
        report = json_pack("{s:s,s:s,s:s}", "since", instant_text(q->since).s, "until",
                           instant_text(q->until).s, "by", words[q->by]);
        json_object_set_new(report, "rows", rows_of(&u, by_row, false));
        json_object_set_new(report, "totals", rows_of(&u, by_basis, true));
        if (q->with_conservation) {
            json_object_set(report, "conservation", u.conservation);
            json_object_set_new(report, "closes", json_boolean(u.closes));
        }
    }
    json_decref(u.conservation);
    usage_free(&u);
    return report;
}

instant_t usage_month(instant_t t) {
    struct instant_text civil = instant_text(instant_after(t, span(CLOCK_CIVIL_OFFSET)));
    struct err e = {0};
    instant_t month = t;
    memcpy(civil.s + 8, "01T00:00:00Z", 13);
    if (instant_parse(civil.s, &month, &e) < 0) return t;
    return instant(month.s > CLOCK_CIVIL_OFFSET ? month.s - CLOCK_CIVIL_OFFSET : 0);
}
