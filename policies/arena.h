/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives and ends together: what a policy is made of. Nothing in it is freed alone.
 */
#pragma once
#include <stddef.h>

struct arena {
    struct arena_block *blocks;
};

void *arena_take(struct arena *a, size_t size); /* zeroed, never NULL */
char *arena_copy(struct arena *a, const char *bytes, size_t length);
void arena_free(struct arena *a);
