/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/csv.h"

#include "alloc/clock.h"
#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads all of it as "[a|b][c|d]"; a NUL-terminated text. */
static void expect(const char *bytes, const char *wanted) {
    struct csv csv;
    struct err e = {0};
    scoped_text struct text got = {0};
    if (csv_open(&csv, bytes, strlen(bytes), "t.csv", &e) < 0) fail_msg("%s", e.what);
    int more;
    while ((more = csv_next(&csv, &e)) == 1)
        for (size_t i = 0; i < csv.n_columns; i++)
            text_add(&got, "%s%s%s", i ? "|" : "[", csv.fields[i], i + 1 == csv.n_columns ? "]" : "");
    if (more < 0) fail_msg("%s", e.what);
    csv_close(&csv);
    assert_string_equal(got.s ? got.s : "", wanted);
}

static void expect_refused_bytes(const char *bytes, size_t length, const char *wanted) {
    struct csv csv;
    struct err e = {0};
    int status = csv_open(&csv, bytes, length, "t.csv", &e);
    while (status >= 0 && (status = csv_next(&csv, &e)) > 0) {
    }
    csv_close(&csv);
    assert_int_equal(status, -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_string_equal(e.what, wanted);
}

static void expect_refused(const char *bytes, const char *wanted) {
    expect_refused_bytes(bytes, strlen(bytes), wanted);
}

static void both_line_ends_and_a_byte_order_mark_are_read(void **state) {
    (void)state;
    expect("a,b\n1,2\n3,4\n", "[1|2][3|4]");
    expect("a,b\r\n1,2\r\n3,4", "[1|2][3|4]");
    expect("\xef\xbb\xbf"
           "a,b\r\n1,2\r\n",
           "[1|2]");
    expect("a,b\n\n1,2\n\r\n\n", "[1|2]");
    expect("a\n", "");
    expect("a\n\"\"\nx\n", "[][x]");
    expect("a,b\n,\n", "[|]");
}

static void quoted_fields_hold_anything(void **state) {
    (void)state;
    expect("a,b\n\"x,\"\"y\"\"\",\"1\n2\r\n3\"\n", "[x,\"y\"|1\n2\r\n3]");
    expect("\"a\",b\n\"\",\"광주 <&\"\n", "[|광주 <&]");
    expect("a,b\n x , y \n", "[ x | y ]");
}

static void each_mistake_is_named_with_its_line(void **state) {
    (void)state;
    expect_refused("a,b\n1,2\n3\n", "t.csv:3: 1 fields, the header has 2");
    expect_refused("a,b\n\"1\n\",2\n3,4,5\n", "t.csv:4: 3 fields, the header has 2");
    expect_refused("a,b\n1,2\n\"x,3\n4,5\n", "t.csv:3: a quoted field is not closed");
    expect_refused("a,b\n1,x\"y\n", "t.csv:2: a quote inside an unquoted field");
    expect_refused("a,b\n\"1\"x,2\n", "t.csv:2: text behind a closing quote");
    expect_refused("a,b\r1,2\r", "t.csv:1: a carriage return without a line feed");
    expect_refused("a,b\n1,2\n3,\xb1\xa4\n", "t.csv:3: not UTF-8");
    expect_refused("", "t.csv: empty: the first line names the columns");
    expect_refused("\xef\xbb\xbf\n", "t.csv: empty: the first line names the columns");
    expect_refused("a,,c\n", "t.csv:1: column 2 has no name");
    expect_refused("a,\"b\nc\"\n", "t.csv:1: the name of column 2 holds control characters");
    expect_refused("a,b,a\n", "t.csv:1: column 'a' stands twice (1 and 3)");
    expect_refused_bytes("a,b\n1,\0\n", 9, "t.csv:2: a NUL byte");
    expect_refused_bytes("\xff\xfe"
                         "a\0",
                         4, "t.csv:1: UTF-16, not UTF-8");
}

static void sizes_are_bounded(void **state) {
    (void)state;
    scoped_text struct text wide = {0}, longest = {0};
    for (int i = 0; i < 300; i++) text_add(&wide, "c%d,", i);
    expect_refused(wide.s, "t.csv:1: more than 256 fields");
    text_add(&longest, "a\n");
    for (int i = 0; i < 7000; i++) text_add(&longest, "0123456789");
    expect_refused(longest.s, "t.csv:2: a field of more than 64 KiB");
    struct csv csv;
    struct err e = {0};
    assert_int_equal(csv_open(&csv, "", (size_t)CSV_BYTES_MOST + 1, "t.csv", &e), -1);
    csv_close(&csv);
}

static void an_unknown_column_is_refused_with_the_nearest(void **state) {
    (void)state;
    static const char *const known[] = {"name", "organisation", "registration", NULL}, *const prefixes[] = {
                                                                                           "seats:", "attr.",
                                                                                           NULL};
    struct csv csv;
    struct err e = {0};
    assert_int_equal(csv_open(&csv, "name,organization,attr.x\n", 25, "t.csv", &e), 0);
    assert_int_equal(csv_match(&csv, known, prefixes, &e), -1);
    assert_string_equal(e.what, "t.csv:1: unknown column 'organization'");
    assert_string_equal(e.hint, "did you mean 'organisation'?");
    csv_close(&csv);
    err_clear(&e);
    assert_int_equal(csv_open(&csv, "name,attr.x\nc1,5\n", 17, "t.csv", &e), 0);
    assert_int_equal(csv_match(&csv, known, prefixes, &e), 0);
    assert_int_equal(csv_next(&csv, &e), 1);
    assert_string_equal(csv_get(&csv, "attr.x"), "5");
    assert_null(csv_get(&csv, "registration"));
    assert_int_equal(csv_fail(&csv, &e, "no %s", "way"), -1);
    assert_string_equal(e.what, "t.csv:2: no way");
    csv_close(&csv);
    err_clear(&e);
    assert_int_equal(csv_open(&csv, "name;registration\n", 18, "t.csv", &e), 0);
    assert_int_equal(csv_match(&csv, known, NULL, &e), -1);
    assert_non_null(strstr(e.hint, "semicolons"));
    csv_close(&csv);
}

static const char *const cells[] = {
    "",         "plain", "a,b", "say \"hi\"", "two\nlines", "=1+1",   "+82-62", "-5",
    "@SUM(A1)", "\tx",   "\rx", "'=x",        "''+x",       "'plain", "'",      "광주",
    "＝1+1",    "－1",   "a=b", " =1",        "\n=x",       "=\"a\"", "＠x",    "'\xef\xbc\x8by"};
enum { CELLS = sizeof cells / sizeof *cells };

static void cells_that_spreadsheets_would_run_are_guarded(void **state) {
    (void)state;
    struct csv_out out = {0};
    for (size_t i = 0; i < CELLS; i++) {
        out.text.length = 0;
        csv_put(&out, cells[i]);
        const char *s = out.text.s && out.text.length ? out.text.s : "";
        s += *s == '"';
        assert_false(*s && strchr("=+-@\t\r\n", *s));
        assert_int_not_equal(strncmp(s, "\xef\xbc", 2), 0);
        csv_end_row(&out);
    }
    text_free(&out.text);
    csv_put_number(&out, -5); /* a number is no formula */
    csv_end_row(&out);
    assert_string_equal(out.text.s, "-5\r\n");
    text_free(&out.text);
}

static void what_is_written_comes_back_to_the_byte(void **state) {
    (void)state;
    struct csv_out out = {0};
    csv_mark(&out);
    for (size_t i = 0; i < 3; i++) csv_put(&out, (const char *const[]){"a", "=b", "c"}[i]);
    csv_end_row(&out);
    for (size_t i = 0; i < CELLS; i++) {
        csv_put(&out, cells[i]);
        csv_put(&out, cells[(i + 7) % CELLS]);
        csv_put_number(&out, -(long long)i);
        csv_end_row(&out);
    }
    struct csv csv;
    struct err e = {0};
    assert_int_equal(csv_open(&csv, out.text.s, out.text.length, "t.csv", &e), 0);
    assert_string_equal(csv.names[1], "=b");
    for (size_t i = 0; i < CELLS; i++) {
        if (csv_next(&csv, &e) != 1) fail_msg("%s", e.what);
        assert_string_equal(csv.fields[0], cells[i]);
        assert_string_equal(csv.fields[1], cells[(i + 7) % CELLS]);
    }
    assert_int_equal(csv_next(&csv, &e), 0);
    csv_close(&csv);
    text_free(&out.text);
}

static void one_empty_column_comes_back_too(void **state) {
    (void)state;
    struct csv_out out = {0};
    csv_mark(&out);
    csv_put(&out, "a");
    csv_end_row(&out);
    csv_put(&out, "");
    csv_end_row(&out);
    expect(out.text.s, "[]");
    text_free(&out.text);
}

static void a_hundred_thousand_rows_take_well_under_a_second(void **state) {
    (void)state;
    struct csv_out out = {0};
    for (int i = 0; i < 6; i++) csv_put(&out, (const char *const[]){"a", "b", "c", "d", "e", "f"}[i]);
    csv_end_row(&out);
    for (int i = 0; i < 100000; i++) {
        csv_put_number(&out, i);
        csv_put(&out, "주식회사 광주 인공지능");
        csv_put(&out, "kim@example.org");
        csv_put(&out, "=HYPERLINK(\"x\")");
        csv_put(&out, "50 TB");
        csv_put(&out, "2027-03-31");
        csv_end_row(&out);
    }
    int64_t before = clock_monotonic_ms();
    struct csv csv;
    struct err e = {0};
    assert_int_equal(csv_open(&csv, out.text.s, out.text.length, "t.csv", &e), 0);
    size_t rows = 0;
    while (csv_next(&csv, &e) == 1) rows++;
    csv_close(&csv);
    text_free(&out.text);
    assert_int_equal(rows, 100000);
    assert_true(clock_monotonic_ms() - before < 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_line_ends_and_a_byte_order_mark_are_read),
        cmocka_unit_test(quoted_fields_hold_anything),
        cmocka_unit_test(each_mistake_is_named_with_its_line),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(an_unknown_column_is_refused_with_the_nearest),
        cmocka_unit_test(cells_that_spreadsheets_would_run_are_guarded),
        cmocka_unit_test(what_is_written_comes_back_to_the_byte),
        cmocka_unit_test(one_empty_column_comes_back_too),
        cmocka_unit_test(a_hundred_thousand_rows_take_well_under_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
