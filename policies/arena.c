/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/arena.h"

#include "alloc/scope.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t used, room;
    alignas(max_align_t) char bytes[];
};

enum { BLOCK = 16384, ALIGN = alignof(max_align_t) };

void *arena_take(struct arena *a, size_t size) {
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *b = a->blocks;
    if (!b || b->room - b->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        b = mem_alloc(sizeof *b + room);
        b->room = room;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

char *arena_copy(struct arena *a, const char *bytes, size_t length) {
    char *s = arena_take(a, length + 1);
    memcpy(s, bytes, length);
    return s;
}

void arena_free(struct arena *a) {
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->blocks = NULL;
}
