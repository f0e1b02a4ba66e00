/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/text.h"

#include "alloc/scope.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_text_grows_and_is_taken_once(void **state) {
    (void)state;
    struct text t = {0};
    for (int i = 0; i < 1000; i++) text_add(&t, "%d,", i);
    text_put(&t, "a\0b", 3);
    assert_int_equal(t.length, 10 * 2 + 90 * 3 + 900 * 4 + 3);
    char *s = text_take(&t);
    assert_memory_equal(s, "0,1,2,", 6);
    assert_null(t.s);
    free(s);
    s = text_take(&t);
    assert_string_equal(s, "");
    free(s);
    text_free(&t);
}

static void formatting_that_does_not_fit_fails_and_leaves_nothing(void **state) {
    (void)state;
    char b[4];
    assert_int_equal(text_format(b, sizeof b, "%s", "abc"), 0);
    assert_string_equal(b, "abc");
    assert_int_equal(text_format(b, sizeof b, "%s", "abcd"), -1);
    assert_string_equal(b, "");
}

static void only_shortest_well_formed_utf8_passes(void **state) {
    (void)state;
    static const char *const right[] = {"", "abc", "광주 AI", "\xf0\x9f\x98\x80", "\xc2\x80", "\xef\xbf\xbf"};
    static const char *const wrong[] = {
        "\x80",     "\xc0\xaf", "\xe0\x80\xaf",    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xea\xb4", "\xff",     "\xb1\xa4\xc1\xd6"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_true(text_is_utf8(right[i], strlen(right[i])));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(text_is_utf8(wrong[i], strlen(wrong[i])));
    assert_false(text_is_utf8("a\0b", 3));
}

static void control_and_direction_characters_are_not_printable(void **state) {
    (void)state;
    assert_true(text_is_printable(""));
    assert_true(text_is_printable("주식회사 <&\"'> 광주"));
    static const char *const wrong[] = {"a\nb",         "\x1b[31m",     "\x7f",
                                        "\xc2\x9b",     "\xe2\x80\xae", "\xe2\x81\xa6",
                                        "\xef\xbb\xbf", "\xe2\x80\xa8", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(text_is_printable(wrong[i]));
}

static void korean_letters_are_two_columns_wide(void **state) {
    (void)state;
    assert_int_equal(text_width("광주AI"), 6);
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* a combining accent */
}

static void the_nearest_name_is_suggested_only_when_near(void **state) {
    (void)state;
    static const char *const names[] = {"store", "storage", "tenant", "dry-run"};
    assert_string_equal(text_nearest("stroe", names, 4), "store");
    assert_string_equal(text_nearest("Tenant", names, 4), "tenant");
    assert_string_equal(text_nearest("dryrun", names, 4), "dry-run");
    assert_null(text_nearest("xyz", names, 4));
    assert_null(text_nearest("", names, 4));
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(text_nearest(longest, names, 4));
    assert_int_equal(text_distance("ab", "ba"), 1);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("", "abc"), 3);
}

static void integers_are_read_whole_or_not_at_all(void **state) {
    (void)state;
    long long n = 5;
    assert_int_equal(text_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &n), 0);
    assert_true(n == INT64_MIN);
    assert_int_equal(text_to_int("9223372036854775807", 0, INT64_MAX, &n), 0);
    static const char *const wrong[] = {"", "-", "+1", " 1", "1 ", "0x1", "9223372036854775808", "-1", "11"};
    n = 5;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(text_to_int(wrong[i], 0, 10, &n), -1);
    assert_int_equal(n, 5);
}

static void an_array_grows_zeroed(void **state) {
    (void)state;
    size_t room = 0;
    int *a = mem_grow(NULL, &room, 1, sizeof *a);
    a[0] = 7;
    size_t before = room;
    a = mem_grow(a, &room, before + 1, sizeof *a);
    assert_true(room > before);
    assert_int_equal(a[0], 7);
    for (size_t i = before; i < room; i++) assert_int_equal(a[i], 0);
    free(a);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_grows_and_is_taken_once),
        cmocka_unit_test(formatting_that_does_not_fit_fails_and_leaves_nothing),
        cmocka_unit_test(only_shortest_well_formed_utf8_passes),
        cmocka_unit_test(control_and_direction_characters_are_not_printable),
        cmocka_unit_test(korean_letters_are_two_columns_wide),
        cmocka_unit_test(the_nearest_name_is_suggested_only_when_near),
        cmocka_unit_test(integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(an_array_grows_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
