/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <stddef.h>

#include <cmocka.h>

static void the_first_cause_wins(void **state) {
    (void)state;
    struct err e = {0};
    assert_int_equal(err_set(&e, ERR_DENIED, "first %d", 1), -1);
    assert_int_equal(err_set(&e, ERR_RETRY, "second"), -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_string_equal(e.what, "first 1");
}

static void the_first_hint_wins_and_a_new_error_has_none(void **state) {
    (void)state;
    struct err e = {0};
    err_set(&e, ERR_FAILED, "x");
    err_hint(&e, "one");
    err_hint(&e, "two");
    assert_string_equal(e.hint, "one");
    err_clear(&e);
    assert_false(err_is(&e));
    err_set(&e, ERR_FAILED, "y");
    assert_string_equal(e.hint, "");
}

static void context_stands_in_front_outermost_first(void **state) {
    (void)state;
    struct err e = {0};
    err_set(&e, ERR_USAGE, "is wrong");
    err_context(&e, "inner");
    assert_int_equal(err_context(&e, "outer %d", 2), -1);
    assert_string_equal(e.what, "outer 2: inner: is wrong");
}

static void a_message_too_long_is_cut_and_stays_terminated(void **state) {
    (void)state;
    struct err e = {0};
    char longest[4000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    err_set(&e, ERR_FAILED, "%s", longest);
    assert_int_equal(strlen(e.what), sizeof e.what - 1);
    err_context(&e, "%s", longest);
    assert_int_equal(strlen(e.what), sizeof e.what - 1);
    err_hint(&e, "%s", longest);
    assert_int_equal(strlen(e.hint), sizeof e.hint - 1);
}

static void every_code_has_its_word(void **state) {
    (void)state;
    for (enum err_code c = ERR_NONE; c <= ERR_BOOKS; c++) assert_true(strlen(err_word(c)) > 2);
    assert_string_equal(err_word(ERR_DENIED), "denied");
    assert_string_equal(err_word(ERR_USAGE), "usage");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_wins),
        cmocka_unit_test(the_first_hint_wins_and_a_new_error_has_none),
        cmocka_unit_test(context_stands_in_front_outermost_first),
        cmocka_unit_test(a_message_too_long_is_cut_and_stays_terminated),
        cmocka_unit_test(every_code_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
