/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second transaction: what the backend was seen to hold is written down, and grants move on.
 * A unit or byte comes free only here, when its thing was observed absent.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/grant.h"
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
    bool was_counted;       /* the attempt: it was written down before the call */
};

/* Is everything of a reserved grant there now? Then it is active. What a person delivers is waited for only
   where no backend makes anything. Called by alloc/hand.c. */
int settle_ready(struct book *b, const struct grant *g, struct err *e);
/* Has the grant reached its next state, now that something of it is gone? */
int settle_absent(struct book *b, const struct grant *g, struct err *e);

/* b must be the book of the operation's pool. */
int settle(struct book *b, const struct observation *o, struct err *e);
