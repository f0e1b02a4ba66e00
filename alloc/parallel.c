/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/parallel.h"

#include <pthread.h>

struct batch {
    void (*one)(void *, size_t);
    void *arg;
    size_t n, next;
};

static void *batch_worker(void *arg) {
    struct batch *b = arg;
    for (size_t i; (i = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED)) < b->n;) b->one(b->arg, i);
    return NULL;
}

void parallel_each(size_t parallel, size_t n, void (*one)(void *arg, size_t i), void *arg) {
    struct batch b = {.one = one, .arg = arg, .n = n};
    pthread_t threads[PARALLEL_MOST];
    size_t started = 0, most = parallel < PARALLEL_MOST ? parallel : PARALLEL_MOST;
    while (started + 1 < most && started + 1 < n &&
           pthread_create(&threads[started], NULL, batch_worker, &b) == 0)
        started++;
    batch_worker(&b);
    for (size_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
}
