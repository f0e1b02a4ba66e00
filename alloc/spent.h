/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was and will be granted in the calendar periods (UTC+9) in which now falls: amount times time of each
 * grant inside the period, exactly, from the entries of the ledger; what is held now counts on to the end of
 * its lease.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/store.h"

int spent_load(struct store *s, int64_t pool, int64_t tenant, int64_t organisation, instant_t now,
               struct fact_spent out[FACT_PERIODS], struct err *e);
/* GFLOPS-seconds that a tenant held from..until, until <= now. */
int spent_compute(struct store *s, int64_t pool, int64_t tenant, instant_t from, instant_t until, wide_t *out,
                  struct err *e);
