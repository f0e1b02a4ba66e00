/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/pool_books.h"

#include "alloc/text.h"

#include <string.h>

int pool_item_of(const char *flavor, struct pool_item *out, struct err *e) {
    if (text_format(out->s, sizeof out->s, "unit/%s", flavor) == 0) return 0;
    return err_set(e, ERR_USAGE, "the flavor name '%.80s...' is too long", flavor);
}

int pool_seat_of(const char *service, struct pool_item *out, struct err *e) {
    if (text_format(out->s, sizeof out->s, "seat/%s", service) == 0) return 0;
    return err_set(e, ERR_USAGE, "the name of the service '%.80s...' is too long", service);
}

int pool_move(struct book *b, const char *kind, const char *item, enum account_kind from,
              enum account_kind to, int64_t quantity, struct err *e) {
    if (quantity == 0) return 0;
    return book_write(
        b, &(struct entry){.kind = kind, .item = item, .from = from, .to = to, .quantity = quantity}, e);
}

int pool_declared(struct store *s, int64_t pool, const char *item, int64_t *out, struct err *e) {
    if (ledger_balance(s, pool, item, ACCOUNT_WORLD, 0, out, e) < 0) return -1;
    *out = -*out;
    return 0;
}

int pool_offered(struct store *s, int64_t pool, const char *item, int64_t *out, struct err *e) {
    *out = 0;
    int rc = sql_int(s, e, out, "SELECT sum(quantity) FROM offer_line WHERE pool = $1 AND item = $2", "is",
                     pool, item);
    return rc < 0 ? -1 : 0;
}

/* The ledger takes only from accounts that exist. */
static int world_open(struct book *b, const char *item, struct err *e) {
    return sql_do(
        b->store, e,
        "INSERT INTO account (pool, item, kind, grant_id, balance) VALUES ($1, $2, 'world', 0, 0) ON "
        "CONFLICT (pool, item, kind, grant_id) DO NOTHING",
        "is", b->pool, item);
}

static struct amount_text quantity_text(const char *item, int64_t n) {
    if (strcmp(item, ITEM_STORAGE) == 0 || strcmp(item, ITEM_DATALAKE) == 0) return bytes_text(bytes(n));
    struct amount_text t;
    text_format(t.s, sizeof t.s, "%lld %s", (long long)n, strncmp(item, "seat/", 5) == 0 ? "seats" : "units");
    return t;
}

int pool_capacity_set(struct book *b, const char *kind, const char *item, const char *shown, int64_t want,
                      struct err *e) {
    int64_t had, free_now, offered;
    if (pool_declared(b->store, b->pool, item, &had, e) < 0 ||
        pool_offered(b->store, b->pool, item, &offered, e) < 0 ||
        ledger_balance(b->store, b->pool, item, ACCOUNT_FREE, 0, &free_now, e) < 0)
        return -1;
    free_now -= offered;
    if (want > had)
        return world_open(b, item, e) < 0
                   ? -1
                   : pool_move(b, kind, item, ACCOUNT_WORLD, ACCOUNT_FREE, want - had, e);
    if (had - want <= free_now) return pool_move(b, kind, item, ACCOUNT_FREE, ACCOUNT_WORLD, had - want, e);
    err_set(e, ERR_CONFLICT, "%s: %s are declared and %s are free: %s cannot go", shown,
            quantity_text(item, had).s, quantity_text(item, free_now).s, quantity_text(item, had - want).s);
    return err_hint(e, "the least that can be declared now is %s", quantity_text(item, had - free_now).s);
}

int64_t pool_units_gone(int64_t capacity, int64_t devices_left, int64_t devices_gone, int64_t free_units) {
    int64_t gone = capacity - devices_left;
    if (gone > devices_gone) gone = devices_gone;
    if (gone > free_units) gone = free_units;
    return gone > 0 ? gone : 0;
}

const char *pool_attach_note(const char *attach) {
    if (strcmp(attach, "hand") == 0) return "delivered by hand";
    return strcmp(attach, "none") == 0 ? "counted, not attached" : NULL;
}
