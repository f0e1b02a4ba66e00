/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int64_t compute(const char *text) {
    struct err e = {0};
    gflops_t a;
    if (gflops_parse(text, &a, &e) < 0) fail_msg("%s: %s", text, e.what);
    return a.n;
}

static int64_t storage(const char *text) {
    struct err e = {0};
    bytes_t a;
    if (bytes_parse(text, &a, &e) < 0) fail_msg("%s: %s", text, e.what);
    return a.n;
}

static void amounts_with_a_unit_are_read_exactly(void **state) {
    (void)state;
    assert_int_equal(compute("8.85 PF"), 8850000);
    assert_int_equal(compute("15.6 TF"), 15600);
    assert_int_equal(compute("125TF"), 125000);
    assert_int_equal(compute("44571 GF"), 44571);
    assert_int_equal(compute("0 TF"), 0);
    assert_int_equal(storage("50 TB"), INT64_C(50000000000000));
    assert_int_equal(storage("50 TiB"), INT64_C(54975581388800));
    assert_int_equal(storage("10.7 PB"), INT64_C(10700000000000000));
    assert_int_equal(storage("0.5 KiB"), 512);
    assert_int_equal(storage("107 PB"), INT64_C(107000000000000000));
}

static void what_is_no_amount_is_refused_with_its_text(void **state) {
    (void)state;
    static const char *const wrong[] = {"",        "125",   "TF",        "125 tf", "125TFB",
                                        "-1 TF",   "+1 TF", "1e3 TF",    "1,5 TF", "1..5 TF",
                                        ".5 TF",   "5. TF", " 1 TF",     "1 TF ",  "0x10 TF",
                                        "1 T F",   "1\tTF", "1.0001 GF", "0.5 GF", "9999999999999999999 TF",
                                        "1001 EF", "1 TB",  "nan TF",    "inf TF", "٣ TF"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        gflops_t a = {-7};
        if (gflops_parse(wrong[i], &a, &e) == 0) fail_msg("'%s' was taken as %lld", wrong[i], (long long)a.n);
        assert_int_equal(e.code, ERR_USAGE);
        assert_int_equal(a.n, -7);
        assert_non_null(strstr(e.what, *wrong[i] ? "'" : "''"));
    }
    struct err e = {0};
    bytes_t b;
    assert_int_equal(bytes_parse("1e3 TB", &b, &e), -1);
    err_clear(&e);
    assert_int_equal(bytes_parse("5 EB", &b, &e), -1); /* more than BYTES_MOST */
    err_clear(&e);
    assert_int_equal(bytes_parse("0.3 KiB", &b, &e), -1); /* no whole byte */
    assert_non_null(strstr(e.what, "whole"));
}

static void a_bare_number_gets_the_hint_to_write_a_unit(void **state) {
    (void)state;
    struct err e = {0};
    gflops_t a;
    assert_int_equal(gflops_parse("125", &a, &e), -1);
    assert_string_equal(e.what, "'125' has no unit");
    assert_non_null(strstr(e.hint, "125 TF"));
}

static void a_count_is_digits_only(void **state) {
    (void)state;
    struct err e = {0};
    units_t n;
    assert_int_equal(units_parse("1000", &n, &e), 0);
    assert_int_equal(n.n, 1000);
    static const char *const wrong[] = {
        "", "-1", "+1", "1 ", "1.0", "1e3", "0x1", "1000000001", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err_clear(&e);
        assert_int_equal(units_parse(wrong[i], &n, &e), -1);
    }
}

static void what_is_printed_reads_back_as_the_same(void **state) {
    (void)state;
    uint64_t seed = 20260401;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t n = (int64_t)(seed >> (3 + i % 60));
        if (n < 0) continue;
        if (n <= GFLOPS_MOST) assert_int_equal(compute(gflops_text(gflops(n)).s), n);
        if (n <= BYTES_MOST) assert_int_equal(storage(bytes_text(bytes(n)).s), n);
    }
    assert_string_equal(gflops_text(gflops(124800)).s, "124.8 TF");
    assert_string_equal(gflops_text(gflops(8850000)).s, "8.85 PF");
    assert_string_equal(gflops_text(gflops(7)).s, "7 GF");
    assert_string_equal(bytes_text(bytes(INT64_C(50000000000000))).s, "50 TB");
    assert_string_equal(bytes_text(bytes(INT64_C(54975581388800))).s, "50 TiB");
    assert_string_equal(bytes_text(bytes(1)).s, "1 B");
}

static void arithmetic_fails_instead_of_wrapping(void **state) {
    (void)state;
    struct err e = {0};
    bytes_t out;
    assert_int_equal(bytes_add(bytes(INT64_MAX), bytes(1), &out, &e), -1);
    assert_non_null(strstr(e.what, "bytes"));
    err_clear(&e);
    assert_int_equal(bytes_sub(bytes(INT64_MIN), bytes(1), &out, &e), -1);
    err_clear(&e);
    assert_int_equal(bytes_times(bytes(INT64_C(107000000000000000)), 86400, &out, &e), -1);
    err_clear(&e);
    assert_int_equal(bytes_add(bytes(2), bytes(3), &out, &e), 0);
    assert_int_equal(out.n, 5);
    assert_int_equal(bytes_cmp(bytes_min(bytes(1), bytes(2)), bytes(1)), 0);
    assert_int_equal(bytes_max(bytes(1), bytes(2)).n, 2);
}

static void wide_sums_split_and_join_again(void **state) {
    (void)state;
    wide_t w = (wide_t)INT64_C(107000000000000000) * 86400 * 366;
    struct wide_pair p = wide_split(w);
    assert_true(p.lo >= 0 && p.lo < INT64_C(4294967296));
    assert_true(wide_join(p.hi, p.lo) == w);
    assert_string_equal(wide_text(w).s, "3383596800000000000000000");
    p = wide_split(-w);
    assert_true(p.lo >= 0 && wide_join(p.hi, p.lo) == -w);
    assert_string_equal(wide_text(-w).s, "-3383596800000000000000000");
    assert_string_equal(wide_text(0).s, "0");
    assert_string_equal(wide_ratio_text(12345, 10).s, "1234.500");
    assert_string_equal(wide_ratio_text(2, 3).s, "0.667");
    assert_string_equal(wide_ratio_text(0, 3600).s, "0.000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_with_a_unit_are_read_exactly),
        cmocka_unit_test(what_is_no_amount_is_refused_with_its_text),
        cmocka_unit_test(a_bare_number_gets_the_hint_to_write_a_unit),
        cmocka_unit_test(a_count_is_digits_only),
        cmocka_unit_test(what_is_printed_reads_back_as_the_same),
        cmocka_unit_test(arithmetic_fails_instead_of_wrapping),
        cmocka_unit_test(wide_sums_split_and_join_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
