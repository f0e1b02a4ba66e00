/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same work on each of n things, by several threads that run plain sequential code.
 */
#pragma once
#include <stddef.h>

enum { PARALLEL_MOST = 256 };

/* Calls one(arg, i) once for each i from 0 to n - 1, by up to `parallel` threads (this one is among them),
   and returns when all have ended. Things are taken in order; fewer threads do the work when no more can be
   had. */
void parallel_each(size_t parallel, size_t n, void (*one)(void *arg, size_t i), void *arg);
