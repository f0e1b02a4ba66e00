/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fsck.h"

#include "alloc/balance.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct fsck {
    struct store *store;
    json_t *report, *findings;
};

ERR_FORMAT(3, 4) static void found(struct fsck *f, const char *check, const char *format, ...) {
    if (json_array_size(f->findings) >= FSCK_FINDINGS_MOST) {
        json_object_set_new(f->report, "more", json_true());
        return;
    }
    char what[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    json_array_append_new(f->findings, json_pack("{s:s,s:s}", "check", check, "what", what));
}

/* A check that cannot be finished is a finding too: a damaged page must not hide the other checks. */
static void found_err(struct fsck *f, const char *check, struct err *e) {
    found(f, check, "%s", e->what);
    err_clear(e);
}

static const char *account_name(char *out, size_t size, const char *item, const char *kind, int64_t grant) {
    if (grant)
        snprintf(out, size, "%s %s(g-%lld)", item, kind, (long long)grant);
    else
        snprintf(out, size, "%s %s", item, kind);
    return out;
}

/* ---- entries against accounts ---- */

struct compare {
    struct fsck *fsck;
    struct balances balances;
    bool *has_row; /* of balances.all */
};

/* One row of account against the sum of its entries. columns: pool, name, item, kind, grant, balance */
static void account_compare(struct compare *c, const struct rows *r) {
    char name[256];
    const char *pool = rows_text(r, 1), *item = rows_text(r, 2), *word = rows_text(r, 3);
    int64_t grant = rows_int(r, 4), cached = rows_int(r, 5);
    int kind = account_of_word(word);
    const struct balance *own = NULL;
    if (kind >= 0) own = balances_find(&c->balances, rows_int(r, 0), item, (enum account_kind)kind, grant);
    if (own) c->has_row[own - c->balances.all] = true;
    wide_t sum = own ? own->sum : 0;
    if (sum == cached) return;
    found(c->fsck, "account", "pool %s, account %s: the entries sum to %s, the account says %lld", pool,
          account_name(name, sizeof name, item, word, grant), wide_text(sum).s, (long long)cached);
}

static int accounts_compare(struct compare *c, struct err *e) {
    struct rows r;
    int64_t accounts = 0;
    int rc = rows_open(&r, c->fsck->store, e,
                       "SELECT a.pool, coalesce(p.name, ''), a.item, a.kind, a.grant_id, a.balance"
                       " FROM account a LEFT JOIN pool p ON p.id = a.pool ORDER BY 1, 3, 4, 5",
                       "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        account_compare(c, &r);
        accounts++;
        rc = 0;
    }
    rows_close(&r);
    json_object_set_new(c->fsck->report, "accounts", json_integer(accounts));
    return rc;
}

/* What the entries alone tell: overdrawn accounts, and accounts that have no row. */
static void balance_check(struct compare *c, size_t i) {
    const struct balance *own = &c->balances.all[i];
    char name[256];
    account_name(name, sizeof name, c->balances.items[own->item], account_word(own->kind), own->grant);
    if (own->below)
        found(c->fsck, "entry", "entry %lld takes more out of %s than was in it", (long long)own->below,
              name);
    if (!c->has_row[i] && own->sum != 0)
        found(c->fsck, "account",
              "pool number %lld, account %s: the entries sum to %s, the account is missing",
              (long long)own->pool, name, wide_text(own->sum).s);
}

static int entries_check(struct fsck *f, struct err *e) {
    struct compare c = {.fsck = f};
    int rc = balances_walk(&c.balances, f->store, 0, instant(INT64_MAX), instant(INT64_MAX), e);
    c.has_row = mem_alloc(c.balances.n + 1);
    json_object_set_new(f->report, "entries", json_integer(c.balances.entries));
    if (c.balances.odd)
        found(f, "entry", "entry %lld is neither a note nor a lawful transfer", (long long)c.balances.odd);
    if (rc == 0) rc = accounts_compare(&c, e);
    for (size_t i = 0; rc == 0 && i < c.balances.n; i++) balance_check(&c, i);
    free(c.has_row);
    balances_free(&c.balances);
    return rc;
}

/* ---- the whole ---- */

static int rule_check(struct fsck *f, const struct fsck_rule *rule, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, f->store, e, rule->sql, "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        const char *what = rows_text(&r, 0);
        found(f, rule->check, "%s", what ? what : "a row without a name");
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int count(struct fsck *f, const char *key, const char *sql, struct err *e) {
    int64_t n = 0;
    int rc = sql_int(f->store, e, &n, sql, "");
    json_object_set_new(f->report, key, json_integer(n));
    return rc < 0 ? -1 : 0;
}

static int check_all(struct store *s, void *arg, struct err *e) {
    struct fsck *f = arg;
    f->store = s;
    if (count(f, "grants", "SELECT count(*) FROM grants", e) < 0) return -1;
    if (count(f, "operations", "SELECT count(*) FROM operation", e) < 0) return -1;
    if (store_check(s, e) < 0) found_err(f, "store", e);
    if (ledger_verify(s, NULL, e) < 0) found_err(f, "chain", e);
    if (entries_check(f, e) < 0) found_err(f, "account", e);
    for (const struct fsck_rule *rule = fsck_rules; rule->check; rule++)
        if (rule_check(f, rule, e) < 0) found_err(f, rule->check, e);
    return 0;
}

json_t *fsck_run(struct store *s, struct err *e) {
    struct fsck f = {.report = json_object(), .findings = json_array()};
    json_object_set_new(f.report, "clean", json_false());
    json_object_set_new(f.report, "more", json_false());
    json_object_set_new(f.report, "findings", f.findings);
    if (store_read(s, check_all, &f, e) < 0) {
        json_decref(f.report);
        return NULL;
    }
    json_object_set_new(f.report, "clean", json_boolean(json_array_size(f.findings) == 0));
    return f.report;
}
