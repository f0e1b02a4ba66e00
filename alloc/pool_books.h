/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the pool: the item of a flavor, and transfers of capacity. */
#pragma once
#include "alloc/ledger.h"
#include "alloc/pool.h"

struct pool_item {
    char s[POOL_NAME_MOST + 8];
};
/* "unit/<flavor>" */
int pool_item_of(const char *flavor, struct pool_item *out, struct err *e);
/* "seat/<service>" */
int pool_seat_of(const char *service, struct pool_item *out, struct err *e);

/* A transfer without a grant; nothing when quantity is 0. */
int pool_move(struct book *b, const char *kind, const char *item, enum account_kind from,
              enum account_kind to, int64_t quantity, struct err *e);
/* How many of an item were declared, what is lost included. */
int pool_declared(struct store *s, int64_t pool, const char *item, int64_t *out, struct err *e);
/* How many of an item are set aside for offers, though free in the ledger. */
int pool_offered(struct store *s, int64_t pool, const char *item, int64_t *out, struct err *e);
/* Brings the declared quantity to `want`: world -> free or free -> world. shown: what the words call it. */
int pool_capacity_set(struct book *b, const char *kind, const char *item, const char *shown, int64_t want,
                      struct err *e);
/* Of the devices that went, how many units leave the books: what is declared and not lost must not pass the
   devices that are left, and only free units can be taken. */
int64_t pool_units_gone(int64_t capacity, int64_t devices_left, int64_t devices_gone, int64_t free_units);
/* Its hosts, or projects, in the form of the file. */
json_t *pool_hosts_document(const struct pool_spec *spec);
/* What every listing says of a flavor that is only counted; NULL for the others. */
const char *pool_attach_note(const char *attach);
