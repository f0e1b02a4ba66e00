/* SPDX-License-Identifier: Apache-2.0 */
/* How a thing that is there differs from what is wanted. */
#include "alloc/reconcile_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TB INT64_C(1000000000000)

/* NULL: it does not differ. set: the backend is asked to put it right. */
static void expect(const struct backend_operation *op, const struct backend_seen *seen, const char *words,
                   bool set) {
    struct difference d;
    bool differs = reconcile_differs(op, seen, &d);
    assert_int_equal(differs, words != NULL);
    assert_int_equal(d.may_set, set);
    if (words) assert_string_equal(d.words, words);
    free(d.words);
}

static void a_server_differs_when_it_is_down(void **state) {
    (void)state;
    struct backend_operation op = {.kind = BACKEND_SERVER};
    expect(&op, &(struct backend_seen){.state = SEEN_RUNNING}, NULL, false);
    expect(&op, &(struct backend_seen){.state = SEEN_PAUSED}, NULL, false);
    expect(&op, &(struct backend_seen){.state = SEEN_STOPPED}, "stopped", false);
    expect(&op, &(struct backend_seen){.state = SEEN_FAILED}, "failed", false);
}

static void a_volume_differs_in_size_and_is_never_resized(void **state) {
    (void)state;
    struct backend_operation op = {.kind = BACKEND_VOLUME, .bytes = bytes(1000)};
    expect(&op, &(struct backend_seen){.bytes = bytes(1000)}, NULL, false);
    expect(&op, &(struct backend_seen){.bytes = bytes(1024)}, NULL, false); /* whole KiB */
    expect(&op, &(struct backend_seen){.bytes = bytes(1025)}, "another size", false);
    expect(&op, &(struct backend_seen){.bytes = bytes(1000), .state = SEEN_FAILED}, "failed", false);
}

static struct backend_seen container(int64_t size, int64_t stored, enum backend_state state) {
    return (struct backend_seen){
        .kind = BACKEND_CONTAINER, .bytes = bytes(size), .allocated = bytes(stored), .state = state};
}

static void a_container_is_asked_after_until_it_is_as_full_as_frozen(void **state) {
    (void)state;
    struct backend_operation op = {.kind = BACKEND_CONTAINER, .bytes = bytes(2 * TB)};
    struct backend_seen seen = container(2 * TB, 2 * TB, SEEN_PRESENT); /* full is not more than full */
    expect(&op, &seen, NULL, false);
    seen = container(2 * TB, 2 * TB + 1, SEEN_PRESENT);
    expect(&op, &seen, "it holds 2000000000001 B of 2 TB", true);
    seen = container(2 * TB, 3 * TB, SEEN_PAUSED);
    expect(&op, &seen, "it holds 3 TB of 2 TB, and is frozen", false);
    seen = container(2 * TB, 2 * TB, SEEN_PAUSED);
    expect(&op, &seen, "it is frozen, and holds no more than 2 TB any more", true);
    seen = container(4 * TB, 3 * TB, SEEN_PAUSED); /* frozen already, but the size is wrong */
    expect(&op, &seen, "it holds 3 TB of 2 TB, and is frozen", true);
    seen = container(4 * TB, TB, SEEN_PRESENT);
    expect(&op, &seen, "it may hold 4 TB, not 2 TB", true);
}

static void a_quota_differs_where_any_number_does(void **state) {
    (void)state;
    struct backend_limit wanted[] = {{"a100", 2}, {"v100", 8}},
                         more[] = {{"a100", 2}, {"h100", 1}, {"v100", 8}}, fewer[] = {{"v100", 8}},
                         nothing[] = {{"a100", 2}, {"h100", 0}, {"v100", 8}};
    struct backend_operation op = {
        .kind = BACKEND_QUOTA,
        .quota = {.limits = wanted, .n_limits = 2, .storage = bytes(5 * TB), .datalake = bytes(TB)}};
    struct backend_seen seen = {
        .limits = wanted, .n_limits = 2, .bytes = bytes(5 * TB), .datalake = bytes(TB)};
    expect(&op, &seen, NULL, false);
    seen.limits = nothing, seen.n_limits = 3; /* what is not named is nothing */
    expect(&op, &seen, NULL, false);
    seen.limits = more;
    expect(&op, &seen, "its quota is h100 x 1, not 0", true);
    seen.limits = fewer, seen.n_limits = 1;
    expect(&op, &seen, "its quota is a100 x 0, not 2", true);
    seen.limits = wanted, seen.n_limits = 2, seen.bytes = bytes(6 * TB), seen.datalake = bytes(0);
    expect(&op, &seen, "its quota is 6 TB of storage, not 5 TB; its quota is 0 TB of data lake, not 1 TB",
           true);
    seen = (struct backend_seen){.kind = BACKEND_QUOTA,
                                 .state = SEEN_FAILED,
                                 .limits = wanted,
                                 .n_limits = 2,
                                 .bytes = bytes(5 * TB),
                                 .datalake = bytes(TB)};
    expect(&op, &seen, "limits that go with its quota differ", true);
    op.quota = (struct backend_quota){0}; /* all of it is on its way back */
    expect(&op, &(struct backend_seen){0}, NULL, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_differs_when_it_is_down),
        cmocka_unit_test(a_volume_differs_in_size_and_is_never_resized),
        cmocka_unit_test(a_container_is_asked_after_until_it_is_as_full_as_frozen),
        cmocka_unit_test(a_quota_differs_where_any_number_does),
    };
    return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
