/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/arena.h"

#include "alloc/scope.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t used, room;
    alignas(max_align_t) char bytes[];
};

enum { FIRST = 1024, MOST = 65536, ALIGN = alignof(max_align_t) }; /* blocks double */

void *arena_take(struct arena *a, size_t size) {
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *b = a->blocks;
    if (!b || b->room - b->used < size) {
        size_t room = !b ? FIRST : b->room < MOST ? 2 * b->room : MOST;
        if (room < size) room = size;
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

char *arena_text(struct arena *a, const char *text) {
    return text ? arena_copy(a, text, strlen(text)) : NULL;
}

void *arena_grow(struct arena *a, void *old, size_t *room, size_t want, size_t item) {
    if (want <= *room) return old;
    size_t more = *room ? *room : 1;
    while (more < want || more < 2) more *= 2;
    void *p = arena_take(a, more * item);
    if (*room) memcpy(p, old, *room * item);
    *room = more;
    return p;
}

void arena_free(struct arena *a) {
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->blocks = NULL;
}
