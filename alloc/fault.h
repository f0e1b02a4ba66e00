/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named fault points: places where the crash test stops the program. Compiled in always, armed
 * only by the environment, and only for a store made by `allot init --test-clock`:
 *   ALLOT_FAULT=N:error   the N-th point passed fails (the caller sees an error)
 *   ALLOT_FAULT=N:exit    the N-th point passed ends the process at once (_exit 99)
 *   ALLOT_FAULT=NAME:...  every point of that name, instead of the N-th of any
 * fault_passed() counts, so that the test knows when N is past the last point.
 */
#pragma once
#include "alloc/err.h"

void fault_arm(const char *specification); /* NULL or wrong text disarms */
int fault_point(const char *name, struct err *e);
long fault_passed(void);
