/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits beside the next plan of a pool: everybody who is queued outside of calls, but those who are new
 * or for whom something came free. Counting them takes longer the more there are, so the sum is kept with the
 * plan that made it (table `waiting`). It holds while the pool's supply is the same and the ledger has
 * nothing newer than requests submitted, which are planned next; after anything else they are counted again.
 */
#pragma once
#include "alloc/ledger.h"
#include "alloc/decide.h"

struct waiting {
    int64_t requests;
    gflops_t compute; /* that they ask for; GFLOPS_MOST stands for more, too */
};

/* 1 known, 0 not, -1. */
int waiting_known(struct store *s, int64_t pool, int64_t supply, struct waiting *out, struct err *e);
/* After the last entry of the plan that was made at this supply. */
int waiting_keep(struct book *b, int64_t supply, const struct waiting *w, struct err *e);
/* One more of them. */
void waiting_add(struct waiting *w, const struct fact_pool *pool, const struct fact_claim *claim);

/* GFLOPS that are asked for; units of any flavor count as nothing. */
wide_t waiting_asked(const struct fact_pool *pool, const char *flavor, int64_t units, int64_t compute);
