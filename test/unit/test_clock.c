/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t at(const char *text) {
    struct err e = {0};
    instant_t t;
    if (instant_or_date_parse(text, &t, &e) < 0) fail_msg("%s", e.what);
    return t.s;
}

static void times_are_read_with_their_offset(void **state) {
    (void)state;
    assert_int_equal(at("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(at("2026-11-22T06:30:00Z"), 1795329000);
    assert_int_equal(at("2026-11-22T15:30:00+09:00"), 1795329000);
    assert_int_equal(at("2026-11-22T01:30:00-05:00"), 1795329000);
    assert_int_equal(at("2028-02-29T00:00:00Z"), 1835395200);
    assert_int_equal(at("9999-12-31T23:59:59Z"), INSTANT_MOST);
}

static void a_bare_date_means_the_end_of_that_day_in_korea(void **state) {
    (void)state;
    assert_int_equal(at("2027-03-31"), at("2027-03-31T15:00:00Z"));
    assert_string_equal(date_text(instant(at("2027-03-31") - 1)).s, "2027-03-31");
    assert_string_equal(date_text(instant(at("2027-03-31"))).s, "2027-04-01");
    assert_string_equal(end_text(instant(at("2027-03-31"))).s, "2027-03-31");
    assert_string_equal(end_text(instant(at("2027-03-31T09:00:00Z"))).s, "2027-03-31 18:00");
    assert_string_equal(civil_text(instant(at("2027-03-31"))).s, "2027-04-01 00:00");
}

static void what_is_no_time_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "now",
                                        "2026-11-22T06:30:00",
                                        "2026-11-22 06:30:00Z",
                                        "2026-11-22T06:30:60Z",
                                        "2026-11-22T24:00:00Z",
                                        "2027-02-29",
                                        "2026-13-01",
                                        "2026-00-01",
                                        "2026-04-31",
                                        "2026-1-1",
                                        "26-01-01",
                                        "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00+09:00",
                                        "2026-11-22T06:30:00+0900",
                                        "2026-11-22T06:30:00+24:00",
                                        "2026-11-22T06:30:00z",
                                        "2026-11-22T06:30:00.5Z",
                                        "2026-11-22T06:30:00Z ",
                                        "9999-12-31T23:59:59-01:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        instant_t t;
        if (instant_or_date_parse(wrong[i], &t, &e) == 0) fail_msg("'%s' was taken", wrong[i]);
        assert_int_equal(e.code, ERR_USAGE);
    }
}

static void every_day_of_400_years_prints_and_reads_back(void **state) {
    (void)state;
    for (int64_t day = 0; day < 146097; day++) {
        instant_t t = instant(day * CLOCK_DAY + day % CLOCK_DAY);
        assert_int_equal(at(instant_text(t).s), t.s);
    }
}

static void spans_need_a_unit(void **state) {
    (void)state;
    struct err e = {0};
    span_t d;
    static const struct {
        const char *text;
        int64_t s;
    } right[] = {{"90 days", 7776000}, {"90d", 7776000},   {"1 day", 86400},     {"12 hours", 43200},
                 {"30m", 1800},        {"45 seconds", 45}, {"2 weeks", 1209600}, {"0 days", 0}};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        if (span_parse(right[i].text, &d, &e) < 0) fail_msg("%s", e.what);
        assert_int_equal(d.s, right[i].s);
    }
    static const char *const wrong[] = {"",          "90",
                                        "days",      "-1 days",
                                        "1.5 hours", "1 month",
                                        "1 Day",     "9999999999 weeks",
                                        "1 d ",      "2147483647 weeks"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err_clear(&e);
        if (span_parse(wrong[i], &d, &e) == 0) fail_msg("'%s' was taken", wrong[i]);
    }
    static const int64_t shown[] = {1, 59, 60, 3600, 86400, 86401, 604800, 7776000, 129600};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        err_clear(&e);
        assert_int_equal(span_parse(span_text(span(shown[i])).s, &d, &e), 0);
        assert_int_equal(d.s, shown[i]);
    }
    assert_string_equal(span_text(span(7776000)).s, "90 days");
    assert_string_equal(span_text(span(86400)).s, "1 day");
    assert_string_equal(span_text_ko(span(604800)).s, "7일");
    assert_string_equal(span_text_ko(span(5400)).s, "90분");
}

static void a_difference_and_a_sum_agree(void **state) {
    (void)state;
    instant_t t = instant(at("2026-11-22T06:30:00Z"));
    assert_int_equal(instant_since(instant_after(t, span(90)), t).s, 90);
    assert_true(clock_now().s > at("2020-01-01"));
    int64_t a = clock_monotonic_ms();
    assert_true(clock_monotonic_ms() >= a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_with_their_offset),
        cmocka_unit_test(a_bare_date_means_the_end_of_that_day_in_korea),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_of_400_years_prints_and_reads_back),
        cmocka_unit_test(spans_need_a_unit),
        cmocka_unit_test(a_difference_and_a_sum_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
