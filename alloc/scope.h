/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and plain resources that end with their scope, so that an early return is safe.
 * Transactions never end this way: their order matters and must be seen (see alloc/store.h).
 * Running out of memory ends the program: nothing is ever half written, because all durable
 * state changes inside one database transaction.
 */
#pragma once
#include <jansson.h>
#include <stddef.h>

void *mem_alloc(size_t size);                                      /* zeroed; never NULL */
void *mem_grow(void *old, size_t *room, size_t want, size_t item); /* array with room for `want` items */
/* An array of n items that only ever grows by this call: room for one more, by doubling. */
void *mem_one_more(void *old, size_t n, size_t item);
char *mem_copy(const char *text); /* NULL stays NULL */

/* Many small pieces that end together. A struct keep starts zeroed. */
struct keep {
    void **of;
    size_t n, room;
};
void *keep_add(struct keep *k, void *p);                 /* p itself */
const char *keep_text(struct keep *k, const char *text); /* a copy; NULL stays NULL */
void keep_end(struct keep *k);

void scope_free(void *p);
void scope_close(int *fd);
static inline void scope_json(json_t **j) { json_decref(*j); }

#define scoped_free __attribute__((cleanup(scope_free)))
#define scoped_fd   __attribute__((cleanup(scope_close)))
#define scoped_json __attribute__((cleanup(scope_json)))
#define scoped_text __attribute__((cleanup(text_free)))
