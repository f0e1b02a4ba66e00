/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Swaps: a request may name a live grant of its tenant, which it replaces, new before old. Ceilings are
 * judged as if the old one were gone; it is released when everything of the new one was seen present. Until
 * then the limits in the store are higher by what goes; afterwards they are tight again. When the new one is
 * refused the old one stays.
 */
#pragma once
#include "alloc/grant.h"

/* May a request of this tenant replace it? It must be its own, live, of this pool, and named by no other open
   request (request: itself, or 0). */
int swap_check(struct book *b, int64_t tenant, int64_t request, int64_t grant, struct err *e);
/* Limits that also have room for what the grant that goes still holds: a copy, ended with swap_limits_free().
 */
int swap_limits(struct book *b, int64_t grant, const struct plan_limits *limits, struct plan_limits *out,
                struct err *e);
void swap_limits_free(struct plan_limits *limits);
/* The new grant is active: the one that it replaces is released. Nothing for a grant that replaces none. */
int swap_finish(struct book *b, const struct grant *g, struct err *e);
/* Something of a grant came free: when it took part in a swap, the limits are what the policy said, or what
 * is held. */
int swap_tighten(struct book *b, const struct grant *g, struct err *e);
