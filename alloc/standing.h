/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the policy sees every tenant of the store today: its tier, weight and guarantee in a pool. The table
 * `standing` is a cache of decider->assess(): a row is made anew when it is missing or was made by another
 * policy or on another civil day (UTC+9), and dropped when its tenant changes.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"
#include "alloc/text.h"

/* Brings the rows of the book's pool up to date. policy: its row number. When the policy or the day is
   another than before, the pool's supply is raised. A decider without assess() has no standings. */
int standing_refresh(struct book *b, const struct decider *decider, const struct policy *rules,
                     int64_t policy, struct err *e);
/* The tenant changed: its rows go, in all pools, and what it is promised may be free for others. */
int standing_drop(struct store *s, int64_t tenant, struct err *e);
/* What tenants outside of claimants[n] (ascending) are promised, and of that not used. */
int standing_promised(struct store *s, int64_t pool, const int64_t *claimants, size_t n,
                      struct fact_promised *out, struct err *e);
/* The rows of a tenant: [{pool, tier, rule, weight, guarantee_gflops, eligible, credits}]. NULL on failure.
 */
json_t *standing_show(struct store *s, int64_t tenant, struct err *e);

/* alloc/standing_compare.c: the same with what it holds, may hold and waits for. NULL on failure. */
json_t *standing_shares(struct store *s, int64_t tenant, struct err *e);
/* One row in one sentence. */
void standing_sentence(const char *name, const json_t *row, bool korean, struct text *out);
/* Two rows of one pool: to which the next step would go, by eligibility, guarantee, share and credits, and
 * why. */
void standing_compare(const char *a, const json_t *x, const char *b, const json_t *y, bool korean,
                      struct text *out);
