/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of those that have an offer could have what they wait for? Pure: whoever asks lifts an offer out of
 * the way, plans, and puts it back; the engine in its store, the simulator in memory.
 *
 * All are tried together first, and those that the plan gives nothing are put back, until the rest are all
 * given. A set of which none is given is done with: nothing of what it took from the others stands between
 * them. Mostly two or three plans are enough, however many offers there are. After OFFER_TRIALS_MOST of them
 * the rest keep their offers: what they could have is found when something comes free again, or with the end
 * of their offers.
 */
#pragma once
#include "alloc/err.h"

#include <stddef.h>

enum { OFFER_TRIALS_MOST = 16 };

struct offer_trial {
    void *arg;
    int (*lift)(void *arg, size_t i, struct err *e);     /* the i-th offer is out of the way */
    int (*put_back)(void *arg, size_t i, struct err *e); /* as it was */
    /* Plans with what is lifted now: given[i] of those, what they wait for; of the others it says nothing. */
    int (*plan)(void *arg, bool *given, struct err *e);
};

/* Into outgrown[n]: those whose offers stay lifted. 0 or -1. */
int offer_grow(const struct offer_trial *trial, size_t n, bool *outgrown, struct err *e);
