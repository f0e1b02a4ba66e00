/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests of a condition that decided it, for a trace: those that were looked at, in reading order, each
 * [name, value, comparison, bound], [name, truth] or ["name in <table>", truth]. What is unset is null.
 */
#pragma once
#include "alloc/scope.h"
#include "policies/eval.h"

/* Appends to `tests` and gives what the condition gives. x NULL: true. */
enum truth because(struct eval *e, const struct expr *x, json_t *tests);
