/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: append-only entries, each one transfer (from, to, quantity > 0) of an item of a pool
 * between accounts, or a note (quantity 0). Every balance is the sum of its entries; account.balance
 * is a cache that `fsck` recomputes. A repair is a further entry, never an edit.
 *
 * Items: "unit/<flavor>" in units, "storage" and "datalake" in bytes, "seat/<service>" in seats. TFLOPS are
 * never booked: they are units times the rating stored in the grant; units of a chip without a figure add
 * nothing. Accounts per pool and item: world (what came in from outside, negative), free, lost, and per grant
 * reserved, held, kept, releasing. Free, lost and a grant's accounts never go below zero.
 *
 * Each entry belongs to two hash chains, its pool's (pool 0: the store) and, if it has one, its tenant's:
 * hash = SHA-256(previous hash, body), body = version byte and a fixed list of fields, each written as
 * "<length>:<bytes>,". Entries hold ids and digests; words stand in entry_detail and may be removed.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/hash.h"
#include "alloc/store.h"

enum account_kind {
    ACCOUNT_NONE, /* a note */
    ACCOUNT_WORLD,
    ACCOUNT_FREE,
    ACCOUNT_RESERVED,
    ACCOUNT_HELD,
    ACCOUNT_KEPT,
    ACCOUNT_RELEASING,
    ACCOUNT_LOST,
};
const char *account_word(enum account_kind k); /* "world" ...; "" for none */

#define ITEM_STORAGE  "storage"
#define ITEM_DATALAKE "datalake"

struct entry {
    const char *kind; /* what happened: "grant.reserve", "tenant.add", "policy.load" ... */
    int64_t tenant, request, grant, operation; /* 0: none */
    const char *item;                          /* NULL for a note */
    enum account_kind from, to;
    int64_t quantity;
    const char *detail; /* words or JSON behind the digest; NULL: none */
    bool elsewhere;     /* they stand in another table already: only their digest is written here */
};

/* One writer's turn in the books of one pool, inside one store_write(): open, write entries, close. */
struct book {
    struct store *store;
    int64_t pool;
    instant_t at;       /* max(now, time of the last entry of the pool) */
    const char *actor;  /* borrowed: "admin kim" */
    struct hash policy; /* of the policy that decided; all zero digits when none */
    int64_t seq;        /* of the last entry written */
    int64_t pool_seq;
    struct hash pool_hash;
    int64_t tenant, tenant_seq; /* the tenant whose chain is at hand */
    struct hash tenant_hash;
};

/* Takes the pool's turn (bumps its generation first) and reads the ends of the chains. */
int book_open(struct book *b, struct store *s, int64_t pool, const char *actor, instant_t now, struct err *e);
int book_write(struct book *b, const struct entry *entry, struct err *e);
/* A note: something that happened, about a tenant (or 0), with words. */
int book_note(struct book *b, const char *kind, int64_t tenant, const char *detail, struct err *e);
/* Writes the ends of the chains back. Must be called before the transaction ends well. */
int book_close(struct book *b, struct err *e);

int ledger_balance(struct store *s, int64_t pool, const char *item, enum account_kind kind, int64_t grant,
                   int64_t *out, struct err *e);

/* Recomputes both chains of every entry and compares: with the stored hashes, the chains' ends and the
   details' digests. The first entry that differs is named; ERR_BOOKS. *entries: how many were read (may be
   NULL). */
int ledger_verify(struct store *s, int64_t *entries, struct err *e);
