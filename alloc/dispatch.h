/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way from the engine to a backend. It checks the arguments, the capability and that a
 * deadline is set, logs each call and answer at level debug (never keys or settings), and asserts
 * that every operation gets an answer: what a backend leaves open after an error is "nothing
 * happened", or "unknown" when the error says so (ERR_UNKNOWN); what it leaves open otherwise is
 * "unknown". Every answer but done and started carries words in `detail`.
 * 0: the operations are answered. -1: the call as a whole failed; they are answered nevertheless.
 */
#pragma once
#include "alloc/backend.h"

int dispatch_check(const struct backend *b, const struct backend_pool *pool, unsigned *capabilities,
                   struct err *e);
int dispatch_sync(const struct backend *b, const struct backend_pool *pool, struct backend_view *out,
                  struct err *e);
int dispatch_ensure(const struct backend *b, const struct backend_pool *pool, struct backend_operation *ops,
                    size_t n, struct err *e);
int dispatch_observe(const struct backend *b, const struct backend_pool *pool, struct backend_view *out,
                     struct err *e);
int dispatch_remove(const struct backend *b, const struct backend_pool *pool, struct backend_operation *ops,
                    size_t n, struct err *e);

/* A backend without the verb: ERR_FAILED (sample); its check and its sync are the steps (probe). */
int dispatch_sample(const struct backend *b, const struct backend_pool *pool, instant_t since,
                    instant_t until, struct backend_usage *out, struct err *e);
int dispatch_probe(const struct backend *b, const struct backend_pool *pool, bool may_write,
                   struct backend_probe *out, struct err *e);

/*
 * For tests: errors and delays around every backend. NULL takes them away. VERB:WHAT, verb being
 * ensure, remove, observe or sync, what being
 *   delay=MS   the call takes so much longer
 *   error      the call fails before the backend is reached
 *   nothing    operations are answered "nothing happened" without reaching the backend
 *   refused    likewise "refused"
 *   unknown    the call is made, its answers are lost: "unknown" (observe, sync: no host answered)
 * with "@NAME" at the end: only operations whose name is NAME (nothing, refused, unknown).
 */
int dispatch_inject(const char *specification, struct err *e);
