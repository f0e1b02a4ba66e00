/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THINGS = 1000 };

struct counted {
    int times[THINGS];
    int at_once, most;
};

static void count(void *arg, size_t i) {
    struct counted *c = arg;
    int now = __atomic_add_fetch(&c->at_once, 1, __ATOMIC_SEQ_CST);
    int most = __atomic_load_n(&c->most, __ATOMIC_SEQ_CST);
    while (now > most &&
           !__atomic_compare_exchange_n(&c->most, &most, now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    __atomic_add_fetch(&c->times[i], 1, __ATOMIC_SEQ_CST);
    sched_yield();
    __atomic_sub_fetch(&c->at_once, 1, __ATOMIC_SEQ_CST);
}

static void each_thing_is_done_once_by_no_more_threads_than_allowed(void **state) {
    static const size_t parallels[] = {0, 1, 2, 7, 300};
    (void)state;
    for (size_t k = 0; k < sizeof parallels / sizeof *parallels; k++) {
        for (size_t n = 0; n <= THINGS; n = n ? n * 10 : 1) {
            struct counted c = {0};
            parallel_each(parallels[k], n, count, &c);
            for (size_t i = 0; i < THINGS; i++) assert_int_equal(c.times[i], i < n);
            assert_true(c.most <= (int)(parallels[k] ? parallels[k] : 1) && c.most <= PARALLEL_MOST);
        }
    }
}

struct meeting {
    pthread_barrier_t barrier;
};

static void meet(void *arg, size_t i) {
    struct meeting *m = arg;
    (void)i;
    pthread_barrier_wait(&m->barrier);
}

static void as_many_as_allowed_are_at_work_at_once(void **state) {
    struct meeting m;
    (void)state;
    pthread_barrier_init(&m.barrier, NULL, 5);
    parallel_each(5, 50, meet, &m); /* ends only if five are there each time */
    pthread_barrier_destroy(&m.barrier);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_is_done_once_by_no_more_threads_than_allowed),
        cmocka_unit_test(as_many_as_allowed_are_at_work_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
