/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy simulate and policy generate: files in, files out; what happens between is policies/sim.h.
 */
#pragma once
#include "cmd/command.h"
#include "policies/sim.h"

/* One policy's run with its measures. */
struct simulated {
    struct sim sim;
    json_t *measures;
};

/* What is written; cmd/simulate_write.c. b NULL: without --against. */
char *simulate_days(const struct sim *s);                                     /* days.csv */
char *simulate_metrics(const struct simulated *a, const struct simulated *b); /* metrics.csv */
char *simulate_diff(const struct sim *a, const struct sim *b, bool json,
                    int64_t *n); /* diff.jsonl, diff.csv */
/* The page; cmd/simulate_page.c. */
char *simulate_page(const struct simulated *a, const struct simulated *b, bool korean);
