/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no backend makes and a person delivers: the data lake (without BACKEND_HAS_CONTAINERS), seats of
 * services, units of a flavor whose pool says `attach: hand`. The person's word takes the place of an
 * observation:
 *
 *   wanted      reserved in the ledger; somebody shall deliver it
 *   delivered   held (a data lake: kept, while the volumes of its grant are)
 *   ending      releasing; somebody shall take it back
 *   ended       free: a person said that it is back, or it was never delivered
 */
#pragma once
#include "alloc/grant.h"
#include "alloc/request.h"

/* Books the seats of a decision and, where no backend makes it, the data lake (free -> reserved), and writes
   down what is to be delivered of it, the lines of its servers that nobody makes included; those are booked
   already. */
int hand_reserve(struct book *b, int64_t tenant, int64_t request, int64_t grant, const struct decision *d,
                 bool with_lake, struct err *e);

enum hand_step { HAND_DELIVER, HAND_COLLECT };
struct hand_word {
    enum hand_step step;
    const char *item;   /* NULL: all that wait for it */
    const char *remark; /* NULL: none. Of a delivery it is told to the tenant */
};
/* A person says that what was wanted of a request is delivered, or that what was ending is back. *n: how many
   lines. ERR_CONFLICT when none waits for it, ERR_NOT_FOUND for an item that it does not have. */
int hand_confirm(struct book *b, const struct request *r, const struct hand_word *w, int64_t *n,
                 struct err *e);

/* The grant ends. Units and seats: ending; what was wanted: ended, and free at once. The data lake stays,
   kept, where kept is true; else it ends too. The entries of what was delivered are the caller's. */
int hand_end(struct book *b, const struct grant *g, bool kept, struct err *e);

/* A live grant gives back one line, all of it: what was delivered is ending, what was wanted comes free at
   once. 1 done, 0 it has no such line that stands, -1. */
int hand_shrink(struct book *b, const struct grant *g, const char *item, struct err *e);

/* How many lines of a grant are in a state (NULL: in any but ended), of an item (NULL: of any). */
int hand_count(struct store *s, const struct grant *g, const char *state, const char *item, int64_t *n,
               struct err *e);
/* All that waits for a person: grant, request, tenant, pool, item, quantity, state, since. */
json_t *hand_list(struct store *s, struct err *e);
