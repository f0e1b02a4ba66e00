/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a decision: carry out at once what is open at the backends. What cannot be done now is done by
 * the next `allot reconcile`.
 */
#pragma once
#include "alloc/reconcile.h"
#include "cmd/command.h"

/* Of every command that has something carried out at once. */
#define PROVIDE_OPTION                                                                                       \
    { "no-provision", NULL, "leave the work at the backends to reconcile", false }

/* Fills the options that every run shares: deadline, catalogue, actor, clock. */
void provide_options(struct call *call, struct reconcile_options *o);
/* Only what belongs to these grants, or to one (0: to all). Does nothing with --dry-run or --no-provision. 0
   done or still waiting, 7 when an outcome is unknown or it could not be tried, 8 when the backend refused
   something. Never -1 once it was tried: the decision before it is booked. */
int provide(struct call *call, int64_t grant, struct err *e);
int provide_grants(struct call *call, const int64_t *grants, size_t n, struct err *e);
