/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives and ends together: what a policy is made of, what a plan refers to. Nothing in it is
 * freed alone.
 */
#pragma once
#include <stddef.h>

struct arena {
    struct arena_block *blocks;
};

void *arena_take(struct arena *a, size_t size); /* zeroed, never NULL */
char *arena_copy(struct arena *a, const char *bytes, size_t length);
char *arena_text(struct arena *a, const char *text); /* NULL stays NULL */
/* As mem_grow(); what was outgrown stays until the end. */
void *arena_grow(struct arena *a, void *old, size_t *room, size_t want, size_t item);
void arena_free(struct arena *a);
