/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ledger.h"

#include "alloc/ceiling.h"
#include "alloc/fault.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_VERSION = 1 };

static const char ZERO_HASH[] = "0000000000000000000000000000000000000000000000000000000000000000";

const char *account_word(enum account_kind k) {
    static const char *const words[] = {"", "world", "free", "reserved", "held", "kept", "releasing", "lost"};
    return words[k];
}

static bool is_of_grant(enum account_kind k) {
    return k == ACCOUNT_RESERVED || k == ACCOUNT_HELD || k == ACCOUNT_KEPT || k == ACCOUNT_RELEASING;
}

/* ---- the body that both chains hash ---- */

struct body {
    int64_t seq, at, pool, tenant, request, grant, operation, quantity;
    const char *actor, *kind, *item, *from, *to, *policy, *digest;
};

/* Decimal digits by hand: printf would be a tenth of the cost of an entry. Returns where they begin. */
static char *digits_of(int64_t value, char buffer[24]) {
    char *at = buffer + 23;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    *at = '\0';
    do *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0) *--at = '-';
    return at;
}

static void add_field(struct text *t, const char *value) {
    char buffer[24];
    size_t length = strlen(value);
    const char *digits = digits_of((int64_t)length, buffer);
    text_put(t, digits, strlen(digits));
    text_put(t, ":", 1);
    text_put(t, value, length);
    text_put(t, ",", 1);
}

static void add_number(struct text *t, int64_t value) {
    char buffer[24];
    add_field(t, digits_of(value, buffer));
}

static void body_text(const struct body *b, struct text *t) {
    t->length = 0;
    text_add(t, "%c", BODY_VERSION);
    const int64_t numbers[] = {b->seq,     b->at,    b->pool,      b->tenant,
                               b->request, b->grant, b->operation, b->quantity};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) add_number(t, numbers[i]);
    const char *const words[] = {b->actor, b->kind, b->item, b->from, b->to, b->policy, b->digest};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) add_field(t, words[i]);
}

/* The next hash of a chain: the previous one goes in front of the body. */
static struct hash chain_step(const struct hash *previous, const struct text *body, struct text *scratch) {
    scratch->length = 0;
    text_put(scratch, previous->hex, 64);
    text_put(scratch, body->s, body->length);
    return hash_of(scratch->s, scratch->length);
}

/* ---- writing ---- */

static int chain_load(struct store *s, const char *kind, int64_t id, int64_t *seq, struct hash *hash,
                      struct err *e) {
    struct rows r;
    *seq = 0;
    memcpy(hash->hex, ZERO_HASH, sizeof hash->hex);
    int rc = rows_open(&r, s, e, "SELECT seq, hash FROM chain WHERE kind = $1 AND id = $2", "si", kind, id);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *seq = rows_int(&r, 0);
        text_format(hash->hex, sizeof hash->hex, "%s", rows_text(&r, 1));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int chain_save(struct book *b, const char *kind, int64_t id, int64_t seq, const struct hash *hash,
                      struct err *e) {
    return sql_do(
        b->store, e,
        "INSERT INTO chain (kind, id, seq, hash, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, id) "
        "DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at",
        "siisi", kind, id, seq, hash->hex, b->at.s);
}

int book_open(struct book *b, struct store *s, int64_t pool, const char *actor, instant_t now,
              struct err *e) {
    *b = (struct book){.store = s, .pool = pool, .actor = actor, .at = now};
    memcpy(b->policy.hex, ZERO_HASH, sizeof b->policy.hex);
    if (sql_do(s, e, "UPDATE pool SET generation = generation + 1 WHERE id = $1", "i", pool) < 0) return -1;
    if (sql_changes(s) != 1) return err_set(e, ERR_NOT_FOUND, "no pool with number %lld", (long long)pool);
    if (chain_load(s, "pool", pool, &b->pool_seq, &b->pool_hash, e) < 0) return -1;
    int64_t last = 0;
    if (sql_int(s, e, &b->seq, "SELECT max(seq) FROM entry", "") < 0 ||
        sql_int(s, e, &last, "SELECT at FROM chain WHERE kind = 'pool' AND id = $1", "i", pool) < 0)
        return -1;
    if (last > b->at.s) b->at.s = last;
    return 0;
}

static int tenant_turn(struct book *b, int64_t tenant, struct err *e) {
    if (tenant == b->tenant) return 0;
    if (b->tenant && chain_save(b, "tenant", b->tenant, b->tenant_seq, &b->tenant_hash, e) < 0) return -1;
    b->tenant = tenant;
    return tenant ? chain_load(b->store, "tenant", tenant, &b->tenant_seq, &b->tenant_hash, e) : 0;
}

static int transfer(struct book *b, const struct entry *n, struct err *e) {
    if (n->quantity <= 0)
        return err_set(e, ERR_FAILED, "ledger: %s of %lld %s is no transfer", n->kind, (long long)n->quantity,
                       n->item);
    int64_t from_grant = is_of_grant(n->from) ? n->grant : 0, to_grant = is_of_grant(n->to) ? n->grant : 0;
    if (sql_do(b->store, e,
               "UPDATE account SET balance = balance - $1 WHERE pool = $2 AND item = $3 AND kind = $4 AND "
               "grant_id = $5 "
               "AND (balance >= $1 OR kind = 'world')",
               "iissi", n->quantity, b->pool, n->item, account_word(n->from), from_grant) < 0)
        return -1;
    if (sql_changes(b->store) != 1)
        return err_set(e, ERR_CONFLICT, "ledger: %s: fewer than %lld of %s are %s (grant g-%lld)", n->kind,
                       (long long)n->quantity, n->item, account_word(n->from), (long long)n->grant);
    bool comes = !is_of_grant(n->from) && is_of_grant(n->to),
         goes = is_of_grant(n->from) && !is_of_grant(n->to);
    if ((comes || goes) && strcmp(n->item, ITEM_STORAGE) != 0 &&
        ceiling_item_moved(b, n->tenant, n->item, comes ? n->quantity : -n->quantity, e) < 0)
        return -1;
    /* Whatever comes free may be what somebody waits for. */
    if (n->to == ACCOUNT_FREE && supply_raise(b->store, b->pool, e) < 0) return -1;
    return sql_do(
        b->store, e,
        "INSERT INTO account (pool, item, kind, grant_id, balance) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (pool, item, kind, grant_id) DO UPDATE SET balance = account.balance + excluded.balance",
        "issii", b->pool, n->item, account_word(n->to), to_grant, n->quantity);
}

static int append(struct book *b, const struct entry *n, struct err *e) {
    struct hash digest = hash_of(n->detail ? n->detail : "", n->detail ? strlen(n->detail) : 0);
    const char *item = n->item ? n->item : "";
    struct body body = {
        b->seq + 1,          b->at.s,       b->pool,   n->tenant, n->request, n->grant,
        n->operation,        n->quantity,   b->actor,  n->kind,   item,       account_word(n->from),
        account_word(n->to), b->policy.hex, digest.hex};
    struct text text = {0}, scratch = {0};
    body_text(&body, &text);
    b->pool_hash = chain_step(&b->pool_hash, &text, &scratch);
    if (n->tenant) b->tenant_hash = chain_step(&b->tenant_hash, &text, &scratch);
    text_free(&text);
    text_free(&scratch);
    b->seq++;
    b->pool_seq++;
    if (n->tenant) b->tenant_seq++;
    if (sql_do(b->store, e,
               "INSERT INTO entry VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
               "$16, $17, "
               "$18, $19, $20)",
               "iiissiiiiisssissisis", b->seq, (int64_t)BODY_VERSION, b->at.s, b->actor, n->kind, b->pool,
               n->tenant, n->request, n->grant, n->operation, item, account_word(n->from),
               account_word(n->to), n->quantity, b->policy.hex, digest.hex, b->pool_seq, b->pool_hash.hex,
               n->tenant ? b->tenant_seq : (int64_t)0, n->tenant ? b->tenant_hash.hex : "") < 0)
        return -1;
    if (!n->detail || n->elsewhere) return 0;
    return sql_do(b->store, e, "INSERT INTO entry_detail (seq, detail) VALUES ($1, $2)", "is", b->seq,
                  n->detail);
}

int book_write(struct book *b, const struct entry *n, struct err *e) {
    if (fault_point("ledger.entry", e) < 0 || tenant_turn(b, n->tenant, e) < 0) return -1;
    if (n->from != ACCOUNT_NONE && transfer(b, n, e) < 0) return -1;
    return append(b, n, e);
}

int book_note(struct book *b, const char *kind, int64_t tenant, const char *detail, struct err *e) {
    return book_write(b, &(struct entry){.kind = kind, .tenant = tenant, .detail = detail}, e);
}

int book_close(struct book *b, struct err *e) {
    if (tenant_turn(b, 0, e) < 0) return -1;
    return chain_save(b, "pool", b->pool, b->pool_seq, &b->pool_hash, e);
}

int ledger_balance(struct store *s, int64_t pool, const char *item, enum account_kind kind, int64_t grant,
                   int64_t *out, struct err *e) {
    *out = 0;
    return sql_int(
               s, e, out,
               "SELECT balance FROM account WHERE pool = $1 AND item = $2 AND kind = $3 AND grant_id = $4",
               "issi", pool, item, account_word(kind), grant) < 0
               ? -1
               : 0;
}

/* ---- checking ---- */

/* The ends of the chains seen so far; ids are small counters, so they index an array. */
struct ends {
    struct end {
        int64_t seq;
        struct hash hash;
    } * of;
    size_t room;
};

static struct end *end_of(struct ends *ends, int64_t id) {
    size_t had = ends->room;
    ends->of = mem_grow(ends->of, &ends->room, (size_t)id + 1, sizeof *ends->of);
    for (size_t i = had; i < ends->room; i++) memcpy(ends->of[i].hash.hex, ZERO_HASH, sizeof ZERO_HASH);
    return &ends->of[id];
}

static int link_check(struct end *end, const struct text *body, struct text *scratch, int64_t seq,
                      int64_t chain_seq, const char *stored, const char *chain, struct err *e) {
    end->hash = chain_step(&end->hash, body, scratch);
    end->seq++;
    if (end->seq == chain_seq && strcmp(end->hash.hex, stored) == 0) return 0;
    err_set(e, ERR_BOOKS,
            "entry %lld does not fit the %s chain: it or one before it was changed, removed or added",
            (long long)seq, chain);
    return err_hint(e, "compare with the last signed head: allot audit verify --head FILE");
}

static int entry_check(const struct rows *r, struct ends *pools, struct ends *tenants, struct text *body,
                       struct text *scratch, struct err *e) {
    int64_t seq = rows_int(r, 0);
    struct body b = {seq,
                     rows_int(r, 1),
                     rows_int(r, 4),
                     rows_int(r, 5),
                     rows_int(r, 6),
                     rows_int(r, 7),
                     rows_int(r, 8),
                     rows_int(r, 12),
                     rows_text(r, 2),
                     rows_text(r, 3),
                     rows_text(r, 9),
                     rows_text(r, 10),
                     rows_text(r, 11),
                     rows_text(r, 13),
                     rows_text(r, 14)};
    /* Pools and tenants are numbered from 1, each with an entry of its own: a larger number was tampered
     * with. */
    if (rows_int(r, 20) != BODY_VERSION || b.pool < 0 || b.tenant < 0 || b.pool > seq || b.tenant > seq)
        return err_set(e, ERR_BOOKS, "entry %lld has an unknown form", (long long)seq);
    body_text(&b, body);
    if (link_check(end_of(pools, b.pool), body, scratch, seq, rows_int(r, 15), rows_text(r, 16), "pool's",
                   e) < 0)
        return -1;
    if (b.tenant && link_check(end_of(tenants, b.tenant), body, scratch, seq, rows_int(r, 17),
                               rows_text(r, 18), "tenant's", e) < 0)
        return -1;
    const char *detail = rows_text(r, 19);
    if (detail && strcmp(hash_of(detail, strlen(detail)).hex, b.digest) != 0)
        return err_set(e, ERR_BOOKS, "the words of entry %lld were changed", (long long)seq);
    return 0;
}

static int ends_check(struct store *s, int64_t entries, struct ends *pools, struct ends *tenants,
                      struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT kind, id, seq, hash FROM chain", "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        bool is_pool = strcmp(rows_text(&r, 0), "pool") == 0;
        if (rows_int(&r, 1) < 0 || rows_int(&r, 1) > entries) {
            rc = err_set(e, ERR_BOOKS, "there is a chain of %s %lld, which no entry names", rows_text(&r, 0),
                         (long long)rows_int(&r, 1));
            break;
        }
        struct end *end = end_of(is_pool ? pools : tenants, rows_int(&r, 1));
        rc = 0;
        if (end->seq != rows_int(&r, 2) || strcmp(end->hash.hex, rows_text(&r, 3)) != 0)
            rc = err_set(e, ERR_BOOKS, "the chain of %s %lld ends after %lld entries, %lld were noted",
                         rows_text(&r, 0), (long long)rows_int(&r, 1), (long long)end->seq,
                         (long long)rows_int(&r, 2));
    }
    rows_close(&r);
    return rc;
}

struct verify {
    int64_t entries;
};

static int verify_all(struct store *s, void *arg, struct err *e) {
    struct verify *v = arg;
    struct ends pools = {0}, tenants = {0};
    struct text body = {0}, scratch = {0};
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT e.seq, e.at, e.actor, e.kind, e.pool, e.tenant, e.request, e.grant_id, e.operation, e.item,"
        " e.from_kind, e.to_kind, e.quantity, e.policy, e.digest, e.pool_seq, e.pool_hash, e.tenant_seq,"
        " e.tenant_hash, d.detail, e.version FROM entry e LEFT JOIN entry_detail d ON d.seq = e.seq ORDER BY "
        "e.seq",
        "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        v->entries++;
        rc = rows_int(&r, 0) == v->entries
                 ? entry_check(&r, &pools, &tenants, &body, &scratch, e)
                 : err_set(e, ERR_BOOKS, "entry %lld is missing", (long long)v->entries);
    }
    rows_close(&r);
    if (rc == 0) rc = ends_check(s, v->entries, &pools, &tenants, e);
    text_free(&body);
    text_free(&scratch);
    free(pools.of);
    free(tenants.of);
    return rc;
}

int ledger_verify(struct store *s, int64_t *entries, struct err *e) {
    struct verify v = {0};
    int rc = store_read(s, verify_all, &v, e);
    if (entries) *entries = v.entries;
    return rc;
}
