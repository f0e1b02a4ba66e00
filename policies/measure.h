/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulation comes to, as JSON (allot-simulate(5), METRICS): the one source of metrics.json,
 * metrics.csv and the page. Ratios are text with four digits, rounded half up, computed in integers.
 */
#pragma once
#include "policies/sim.h"

/* Among the reasons why not: a person said no. All others are codes with their rules. */
#define MEASURE_REFUSED "refused by a person"

/* The caller owns it. */
json_t *measures_of(const struct sim *s);
/* What a request was decided, as a word: "granted" "partial" "waiting" "held" "denied" "withdrawn"... */
const char *measure_outcome(const struct sim_request *r);
/* n / d with four digits, "0.9312"; d 0: "0.0000". */
struct amount_text ratio_text(wide_t n, wide_t d);
