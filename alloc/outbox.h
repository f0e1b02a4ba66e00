/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: what people must be told. A message is written in the transaction that causes it and
 * handed by `notify` to a configured command. Grace counts from delivery, so a message is a record.
 * Kinds: decided, ready, refused, notice, grace, released, purge-notice, purged, loss,
 * reclaim, reclaim-ended, reclaimed, appeal, awarded, delivered.
 */
#pragma once
#include "alloc/ledger.h"

struct message {
    const char *kind;
    int64_t tenant, grant, request; /* grant, request: 0 when none */
    const char *en, *ko;            /* the sentence for people */
    json_t *facts;                  /* borrowed; NULL: none: the figures for programs */
};

int outbox_add(struct book *b, const struct message *m, struct err *e);
int outbox_add_numbered(struct book *b, const struct message *m, int64_t *id, struct err *e);
/* Undelivered messages, oldest first: id, tenant, language, kind, grant ("g-1" or null), request
   ("r-1" or null), made, payload, contacts. */
json_t *outbox_open(struct store *s, int64_t most, struct err *e);
int outbox_delivered(struct book *b, int64_t id, struct err *e);
int outbox_failed(struct store *s, int64_t id, const char *why, struct err *e);
/* When the message of that kind about that grant was delivered. 1 yes, 0 not (or none), -1. */
int outbox_when(struct store *s, int64_t grant, const char *kind, instant_t *at, struct err *e);
/* 1 such a message exists, delivered or not. */
int outbox_exists(struct store *s, int64_t grant, const char *kind, struct err *e);
/* Forgets an earlier notice when a grant got a later end: the next one counts anew. */
int outbox_renew(struct book *b, int64_t grant, const char *kind, struct err *e);
