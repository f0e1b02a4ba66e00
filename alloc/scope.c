/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/scope.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_die(void *p) {
    if (!p) {
        fputs("allot: failed: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size) { return or_die(calloc(1, size ? size : 1)); }

void *mem_grow(void *old, size_t *room, size_t want, size_t item) {
    if (want <= *room) return old;
    size_t more = *room ? *room : item > 32 ? 1 : item > 16 ? 2 : 8; /* most lists hold one or two */
    while (more < want) more = more > SIZE_MAX / 2 ? want : more * 2;
    void *p = or_die(reallocarray(old, more, item));
    memset((char *)p + *room * item, 0, (more - *room) * item);
    *room = more;
    return p;
}

void *mem_one_more(void *old, size_t n, size_t item) {
    size_t room = n ? 1 : 0;
    while (room < n) room *= 2;
    return mem_grow(old, &room, n + 1, item);
}

char *mem_copy(const char *text) { return text ? or_die(strdup(text)) : NULL; }

void *keep_add(struct keep *k, void *p) {
    k->of = mem_grow(k->of, &k->room, k->n + 1, sizeof *k->of);
    return k->of[k->n++] = p;
}

const char *keep_text(struct keep *k, const char *text) { return text ? keep_add(k, mem_copy(text)) : NULL; }

void keep_end(struct keep *k) {
    for (size_t i = 0; i < k->n; i++) free(k->of[i]);
    free(k->of);
    *k = (struct keep){0};
}

void scope_free(void *p) { free(*(void **)p); }

void scope_close(int *fd) {
    if (*fd >= 0) close(*fd);
}
