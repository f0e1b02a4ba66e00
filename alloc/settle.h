/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second transaction: what the backend was seen to hold is written down, and grants move on.
 * A unit or byte comes free only here, when its thing was observed absent.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/ledger.h"

enum settled {
    SETTLED_PRESENT,
    SETTLED_ABSENT,
    SETTLED_STARTED,
    SETTLED_NOT_YET, /* definitely not done; tried again by the next reconcile */
    SETTLED_REFUSED, /* will not be done: the request is held with the backend's words */
    SETTLED_UNKNOWN,
};

struct observation {
    int64_t operation;
    enum settled what;
    const char *words;      /* the backend's, on trouble; NULL */
    const char *connection; /* JSON text; NULL: as it was */
};

/* b must be the book of the operation's pool. */
int settle(struct book *b, const struct observation *o, struct err *e);
