/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Balances recomputed from the entries alone: what `fsck` compares with the cached accounts and what
 * `usage` integrates over time. One walk over the entries, oldest first; sums and integrals are wide.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/ledger.h"

struct balance {
    int64_t pool, grant;
    int item; /* index into balances.items */
    enum account_kind kind;
    wide_t sum;      /* after the last entry */
    wide_t integral; /* quantity times seconds within [since, until) */
    int64_t below;   /* the first entry that brought a sum below zero (never for world); 0: none */
};

struct balances {
    struct balance *all; /* in the order of their first entry */
    size_t n, room;
    char **items;
    size_t n_items, items_room;
    int64_t entries; /* walked */
    int64_t odd;     /* the first entry that is neither a note nor a lawful transfer; 0: none */
    size_t *slots;   /* hash table: index + 1 */
    size_t n_slots;
};

/* Walks all entries of one pool (0: of every pool): the sums are those of now, the integrals those of
   [since, until). To be called inside store_read(). balances_free() it, also after a failure. */
int balances_walk(struct balances *b, struct store *s, int64_t pool, instant_t since, instant_t until,
                  struct err *e);
/* NULL when no entry ever named that account. */
const struct balance *balances_find(const struct balances *b, int64_t pool, const char *item,
                                    enum account_kind kind, int64_t grant);
void balances_free(struct balances *b);

/* The account of a word; ACCOUNT_NONE for "", -1 for a word that is none. */
int account_of_word(const char *word);
