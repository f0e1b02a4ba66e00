/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/balance.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

int account_of_word(const char *word) {
    for (int k = ACCOUNT_NONE; k <= ACCOUNT_LOST; k++)
        if (strcmp(word, account_word((enum account_kind)k)) == 0) return k;
    return -1;
}

/* ---- the table ---- */

static int item_find(const struct balances *b, const char *item) {
    for (size_t i = 0; i < b->n_items; i++)
        if (strcmp(b->items[i], item) == 0) return (int)i;
    return -1;
}

static int item_take(struct balances *b, const char *item) {
    int at = item_find(b, item);
    if (at >= 0) return at;
    b->items = mem_grow(b->items, &b->items_room, b->n_items + 1, sizeof *b->items);
    b->items[b->n_items] = mem_copy(item);
    return (int)b->n_items++;
}

static size_t place_of(const struct balance *key, size_t n_slots) {
    uint64_t h = (uint64_t)key->grant * 0x9e3779b97f4a7c15u;
    h ^= (uint64_t)key->pool << 40 ^ (uint64_t)key->item << 8 ^ (uint64_t)key->kind;
    h *= 0xff51afd7ed558ccdu;
    return (size_t)(h >> 32) & (n_slots - 1);
}

static bool is_same(const struct balance *a, const struct balance *b) {
    return a->pool == b->pool && a->grant == b->grant && a->item == b->item && a->kind == b->kind;
}

static size_t *slot_of(const struct balances *b, const struct balance *key) {
    size_t at = place_of(key, b->n_slots);
    while (b->slots[at] && !is_same(&b->all[b->slots[at] - 1], key)) at = (at + 1) & (b->n_slots - 1);
    return &b->slots[at];
}

static void table_grow(struct balances *b) {
    size_t n_slots = b->n_slots ? b->n_slots * 2 : 1024;
    free(b->slots);
    b->slots = mem_alloc(n_slots * sizeof *b->slots);
    b->n_slots = n_slots;
    for (size_t i = 0; i < b->n; i++) *slot_of(b, &b->all[i]) = i + 1;
}

static struct balance *balance_take(struct balances *b, const struct balance *key) {
    if (b->n * 2 >= b->n_slots) table_grow(b);
    size_t *slot = slot_of(b, key);
    if (*slot == 0) {
        b->all = mem_grow(b->all, &b->room, b->n + 1, sizeof *b->all);
        b->all[b->n] = *key;
        *slot = ++b->n;
    }
    return &b->all[*slot - 1];
}

const struct balance *balances_find(const struct balances *b, int64_t pool, const char *item,
                                    enum account_kind kind, int64_t grant) {
    struct balance key = {.pool = pool, .grant = grant, .item = item_find(b, item), .kind = kind};
    if (key.item < 0 || b->n == 0) return NULL;
    size_t at = *slot_of(b, &key);
    return at ? &b->all[at - 1] : NULL;
}

void balances_free(struct balances *b) {
    for (size_t i = 0; i < b->n_items; i++) free(b->items[i]);
    free(b->items);
    free(b->all);
    free(b->slots);
    *b = (struct balances){0};
}

/* ---- the walk ---- */

struct span_of_time {
    instant_t since, until;
};

static void move(struct balances *b, struct balance key, wide_t quantity, int64_t seq, int64_t seconds) {
    bool is_of_grant = key.kind != ACCOUNT_WORLD && key.kind != ACCOUNT_FREE && key.kind != ACCOUNT_LOST;
    if (!is_of_grant) key.grant = 0;
    struct balance *at = balance_take(b, &key);
    at->sum += quantity;
    at->integral += quantity * seconds;
    if (at->sum < 0 && at->kind != ACCOUNT_WORLD && at->below == 0) at->below = seq;
}

/* columns: seq, at, pool, grant_id, item, from_kind, to_kind, quantity */
static void walk_entry(struct balances *b, const struct rows *r, const struct span_of_time *span) {
    int64_t seq = rows_int(r, 0), at = rows_int(r, 1), quantity = rows_int(r, 7);
    const char *item = rows_text(r, 4);
    int from = account_of_word(rows_text(r, 5)), to = account_of_word(rows_text(r, 6));
    b->entries++;
    if (from == ACCOUNT_NONE && to == ACCOUNT_NONE && quantity == 0 && *item == '\0') return;
    if (from <= ACCOUNT_NONE || to <= ACCOUNT_NONE || from == to || quantity <= 0 || *item == '\0') {
        if (b->odd == 0) b->odd = seq;
        return;
    }
    int64_t start = at > span->since.s ? at : span->since.s;
    int64_t seconds = start < span->until.s ? span->until.s - start : 0;
    struct balance key = {.pool = rows_int(r, 2), .grant = rows_int(r, 3), .item = item_take(b, item)};
    key.kind = (enum account_kind)from;
    move(b, key, -(wide_t)quantity, seq, seconds);
    key.kind = (enum account_kind)to;
    move(b, key, quantity, seq, seconds);
}

int balances_walk(struct balances *b, struct store *s, int64_t pool, instant_t since, instant_t until,
                  struct err *e) {
    *b = (struct balances){0};
    struct span_of_time span = {since, until};
    struct rows r;
    int rc = rows_open(&r, s, e,
                       "SELECT seq, at, pool, grant_id, item, from_kind, to_kind, quantity FROM entry"
                       " WHERE $1 = 0 OR pool = $1 ORDER BY seq",
                       "i", pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        walk_entry(b, &r, &span);
        rc = 0;
    }
    rows_close(&r);
    return rc;
}
