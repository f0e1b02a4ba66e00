/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/audit.h"

#include "alloc/hash.h"
#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_FIRST "allot audit head 1"

/* ---- making ---- */

struct making {
    struct text text;
    instant_t now;
};

static int head_text(struct store *s, void *arg, struct err *e) {
    struct making *m = arg;
    int64_t entries = 0, tenants = 0;
    if (sql_int(s, e, &entries, "SELECT max(seq) FROM entry", "") < 0 ||
        sql_int(s, e, &tenants, "SELECT count(*) FROM chain WHERE kind = 'tenant'", "") < 0)
        return -1;
    text_add(&m->text, HEAD_FIRST "\nstore %s\nepoch %lld\nat %s\nentries %lld\ntenants %lld\n", store_id(s),
             (long long)store_epoch(s), instant_text(m->now).s, (long long)entries, (long long)tenants);
    struct rows r;
    int rc = rows_open(&r, s, e,
                       "SELECT c.id, c.seq, c.hash, coalesce(p.name, '') FROM chain c LEFT JOIN pool p"
                       " ON p.id = c.id WHERE c.kind = 'pool' ORDER BY c.id",
                       "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        const char *name = rows_text(&r, 3);
        text_add(&m->text, "pool %lld %lld %s %s\n", (long long)rows_int(&r, 0), (long long)rows_int(&r, 1),
                 rows_text(&r, 2), *name ? name : "-");
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

char *audit_head(struct store *s, instant_t now, const char *key, struct err *e) {
    struct making m = {.now = now};
    char *signature = NULL;
    if (store_read(s, head_text, &m, e) == 0) signature = key_sign(key, m.text.s, e);
    if (!signature) {
        text_free(&m.text);
        return NULL;
    }
    text_add(&m.text, "signature %s\n", signature);
    free(signature);
    return text_take(&m.text);
}

/* ---- reading ---- */

struct claim {
    int64_t pool, seq;
    struct hash hash;
    size_t head;
    bool found;
};

struct head {
    char store[16];
    struct instant_text at;
    int64_t epoch, entries, tenants;
};

struct heads {
    struct head *all;
    size_t n, room;
    struct claim *claims;
    size_t n_claims, claims_room;
    int64_t epoch; /* of the store */
    json_t *findings;
};

ERR_FORMAT(2, 3) static void found(struct heads *h, const char *format, ...) {
    char what[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    json_array_append_new(h->findings, json_string(what));
}

/* The rest of a line "word rest", or NULL; *at goes to the next line. The text is cut at the newline. */
static char *line_take(char **at, const char *word) {
    size_t n = strlen(word);
    char *line = *at, *end = strchr(line, '\n');
    if (!end || strncmp(line, word, n) != 0 || (line[n] != ' ' && line + n != end)) return NULL;
    *end = '\0';
    *at = end + 1;
    return line[n] ? line + n + 1 : line + n;
}

static int number_take(char **at, const char *word, int64_t *out) {
    long long n;
    const char *rest = line_take(at, word);
    if (!rest || text_to_int(rest, 0, INT64_MAX, &n) < 0) return -1;
    *out = n;
    return 0;
}

/* "1 345 <hash> gj" */
static int claim_take(struct heads *h, const char *rest) {
    struct claim c = {.head = h->n};
    long long pool, seq;
    int used = 0;
    if (sscanf(rest, "%lld %lld %64[0-9a-f] %n", &pool, &seq, c.hash.hex, &used) != 3 || used == 0 ||
        strlen(c.hash.hex) != 64 || pool < 0 || seq <= 0)
        return -1;
    c.pool = pool;
    c.seq = seq;
    h->claims = mem_grow(h->claims, &h->claims_room, h->n_claims + 1, sizeof *h->claims);
    h->claims[h->n_claims++] = c;
    return 0;
}

static int head_parse(struct heads *h, char **at, struct err *e) {
    struct head head = {0};
    const char *store, *when, *rest;
    bool good = line_take(at, HEAD_FIRST) && (store = line_take(at, "store")) &&
                text_format(head.store, sizeof head.store, "%s", store) == 0 &&
                number_take(at, "epoch", &head.epoch) == 0 && (when = line_take(at, "at")) &&
                text_format(head.at.s, sizeof head.at.s, "%s", when) == 0 &&
                number_take(at, "entries", &head.entries) == 0 &&
                number_take(at, "tenants", &head.tenants) == 0;
    while (good && (rest = line_take(at, "pool"))) good = claim_take(h, rest) == 0;
    if (!good || !line_take(at, "signature"))
        return err_set(e, ERR_USAGE, "head %zu of the file has not the form of a head", h->n + 1);
    h->all = mem_grow(h->all, &h->room, h->n + 1, sizeof *h->all);
    h->all[h->n++] = head;
    return 0;
}

/* The signature over the lines from `text` to the line "signature ...". A copy is read, so that the parser
   may cut lines. */
static int head_check(struct heads *h, const char *text, const char *key, size_t *length, struct err *e) {
    const char *line = strstr(text, "\nsignature ");
    const char *end = line ? strchr(line + 1, '\n') : NULL;
    if (!end) return err_set(e, ERR_USAGE, "head %zu of the file has no signature", h->n + 1);
    *length = (size_t)(end + 1 - text);
    struct text copy = {0}, signature = {0};
    text_put(&copy, text, *length);
    text_put(&signature, line + 11, (size_t)(end - line - 11));
    char *at = copy.s;
    int rc = head_parse(h, &at, e);
    if (rc == 0) {
        struct err own = {0};
        text_free(&copy);
        text_put(&copy, text, (size_t)(line + 1 - text));
        if (key_verify(key, copy.s, signature.s, &own) < 0) {
            if (own.code == ERR_BOOKS)
                found(h, "head of %s: %s", h->all[h->n - 1].at.s, own.what);
            else {
                *e = own;
                rc = -1;
            }
        }
    }
    text_free(&copy);
    text_free(&signature);
    return rc;
}

static int heads_read(struct heads *h, const char *text, const char *key, struct err *e) {
    while (text[strspn(text, "\r\n \t")]) {
        size_t length;
        text += strspn(text, "\r\n \t");
        if (head_check(h, text, key, &length, e) < 0) return -1;
        text += length;
    }
    return h->n ? 0 : err_set(e, ERR_USAGE, "the file has no head");
}

/* ---- comparing ---- */

static int by_place(const void *a, const void *b) {
    const struct claim *x = a, *y = b;
    if (x->pool != y->pool) return x->pool < y->pool ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static size_t first_claim(const struct heads *h, const struct claim *key) {
    size_t low = 0, high = h->n_claims;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (by_place(&h->claims[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A restored backup goes on from an earlier entry: an earlier epoch's end may rightly be gone. */
static const char *if_restored(const struct heads *h, size_t head) {
    return h->all[head].epoch < h->epoch ? ", or lost when a backup was restored" : "";
}

static void entry_compare(struct heads *h, int64_t pool, int64_t seq, const char *hash) {
    struct claim key = {.pool = pool, .seq = seq};
    for (size_t i = first_claim(h, &key); i < h->n_claims && by_place(&h->claims[i], &key) == 0; i++) {
        struct claim *c = &h->claims[i];
        c->found = true;
        if (strcmp(c->hash.hex, hash) != 0)
            found(h,
                  "head of %s: entry %lld of pool number %lld has another hash: it or one before it was"
                  " written anew%s",
                  h->all[c->head].at.s, (long long)seq, (long long)pool, if_restored(h, c->head));
    }
}

static int chains_compare(struct heads *h, struct store *s, struct err *e) {
    struct rows r;
    if (h->n_claims) qsort(h->claims, h->n_claims, sizeof *h->claims, by_place);
    int rc = rows_open(&r, s, e, "SELECT pool, pool_seq, pool_hash FROM entry ORDER BY seq", "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        entry_compare(h, rows_int(&r, 0), rows_int(&r, 1), rows_text(&r, 2));
        rc = 0;
    }
    rows_close(&r);
    for (size_t i = 0; rc == 0 && i < h->n_claims; i++) {
        const struct claim *c = &h->claims[i];
        const struct head *head = &h->all[c->head];
        if (!c->found)
            found(h, "head of %s: entry %lld of pool number %lld is not there: the end was cut off%s",
                  head->at.s, (long long)c->seq, (long long)c->pool, if_restored(h, c->head));
    }
    return rc;
}

static int heads_compare(struct heads *h, struct store *s, struct err *e) {
    int64_t tenants = 0;
    h->epoch = store_epoch(s);
    if (sql_int(s, e, &tenants, "SELECT count(*) FROM chain WHERE kind = 'tenant'", "") < 0) return -1;
    for (size_t i = 0; i < h->n; i++) {
        const struct head *head = &h->all[i];
        if (strcmp(head->store, store_id(s)) != 0)
            return err_set(e, ERR_USAGE, "head of %s: it is of store %s, this is %s", head->at.s, head->store,
                           store_id(s));
        if (head->epoch > store_epoch(s))
            found(h,
                  "head of %s: it is of epoch %lld, the store is in epoch %lld: an older file was put back",
                  head->at.s, (long long)head->epoch, (long long)store_epoch(s));
        if (head->tenants > tenants)
            found(h, "head of %s: it knew %lld tenants' chains, there are %lld", head->at.s,
                  (long long)head->tenants, (long long)tenants);
    }
    return chains_compare(h, s, e);
}

struct verify {
    const char *text, *key;
    struct heads heads;
    int64_t entries;
};

static int verify_all(struct store *s, void *arg, struct err *e) {
    struct verify *v = arg;
    if (v->text && (heads_read(&v->heads, v->text, v->key, e) < 0 || heads_compare(&v->heads, s, e) < 0))
        return -1;
    struct err own = {0};
    if (ledger_verify(s, &v->entries, &own) == 0) return 0;
    if (own.code != ERR_BOOKS) {
        *e = own;
        return -1;
    }
    found(&v->heads, "%s", own.what);
    return 0;
}

json_t *audit_verify(struct store *s, const char *heads, const char *key, struct err *e) {
    struct verify v = {.text = heads, .key = key, .heads.findings = json_array()};
    int rc = store_read(s, verify_all, &v, e);
    json_t *report = NULL;
    if (rc == 0)
        report = json_pack("{s:I,s:I,s:O}", "entries", (json_int_t)v.entries, "heads", (json_int_t)v.heads.n,
                           "findings", v.heads.findings);
    json_decref(v.heads.findings);
    free(v.heads.all);
    free(v.heads.claims);
    return report;
}

/* ---- listing ---- */

json_t *audit_entries(struct store *s, const struct audit_filter *f, struct err *e) {
    return sql_json(
        s, e,
        "SELECT e.seq, e.at AS \"at@time\", e.actor, e.kind, nullif(p.name, '') AS pool, t.name AS tenant,"
        " CASE WHEN e.request > 0 THEN 'r-' || e.request END AS request,"
        " CASE WHEN e.grant_id > 0 THEN 'g-' || e.grant_id END AS \"grant\","
        " CASE WHEN substr(e.kind, 1, 9) = 'decision.' THEN (SELECT 'd-' || max(q.id) FROM decision q WHERE"
        " q.request = e.request AND q.at = e.at AND q.noted = 1 AND 'decision.' || q.outcome = e.kind) END AS"
        " decision, CASE WHEN e.operation > 0 THEN e.operation END AS operation, nullif(e.item, '') AS item,"
        " nullif(e.from_kind, '') AS \"from\", nullif(e.to_kind, '') AS \"to\","
        " CASE WHEN e.item <> '' THEN e.quantity END AS quantity, d.detail FROM entry e JOIN pool p ON p.id "
        "= e.pool"
        " LEFT JOIN tenant t ON t.id = e.tenant LEFT JOIN entry_detail d ON d.seq = e.seq"
        " WHERE ($1 = 0 OR e.tenant = $1) AND ($2 = 0 OR e.grant_id = $2) AND ($3 = 0 OR e.pool = $3)"
        " AND ($4 = '' OR e.actor = $4)"
        " AND ($5 = '' OR e.kind = $5 OR substr(e.kind, 1, length($5) + 1) = $5 || '.')"
        " AND e.at >= $6 AND e.at < $7 ORDER BY e.seq",
        "iiissii", f->tenant, f->grant, f->pool, f->actor ? f->actor : "", f->kind ? f->kind : "", f->since.s,
        f->until.s);
}
