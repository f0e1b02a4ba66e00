/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls, by the roles of allot.conf. */
#pragma once
#include "alloc/principal.h"
#include "cmd/command.h"

/* The caller's role and actor: call->config says who has which, the owner of store_path is asked last. */
void caller_find(const struct call *call, struct principal *out);
/* ERR_DENIED when the caller's role is less than the command needs; noted in the chain if that can be done.
 */
int caller_check(struct call *call, struct err *e);
