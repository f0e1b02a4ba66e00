/* SPDX-License-Identifier: Apache-2.0 */
/* Every format of a listing, and the real table of commands. */
#include "cmd/output.h"

#include "alloc/csv.h"
#include "alloc/scope.h"

#include <locale.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct column columns[] = {
    {"name", "NAME", CELL_TEXT, false},
    {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
    {"storage_bytes", "STORAGE", CELL_BYTES, false},
    {"state", "STATE", CELL_STATE, false},
    {"end", "END", CELL_INSTANT, false},
    {"keep", "KEEP", CELL_SPAN, true},
    {"note", "NOTE", CELL_TEXT, true},
    {0},
};

static json_t *some_rows(void) {
    return json_pack("[{s:s,s:i,s:I,s:s,s:s,s:i,s:s,s:i},{s:s,s:i,s:I,s:s,s:n,s:[ss],s:b}]", "name",
                     "광주 AI", "compute_gflops", 124800, "storage_bytes", (json_int_t)50000000000000,
                     "state", "active", "end", "2027-03-31T15:00:00Z", "keep", 7776000, "note",
                     "=1+1\t\"x\"\n", "extra", 1, "name", "c0002", "compute_gflops", 0, "storage_bytes",
                     (json_int_t)0, "state", "denied", "end", "note", "a", "b", "keep", 1);
}

static char *out;

static int tear_down(void **state) {
    (void)state;
    free(out);
    out = NULL;
    return 0;
}

/* The rows in a format, into out. */
static void print(const char *format, const char *columns_wide) {
    size_t n;
    struct err e = {0};
    scoped_json json_t *rows = some_rows();
    struct call call = {.format = format, .lang = "en"};
    tear_down(NULL);
    setenv("COLUMNS", columns_wide, 1);
    call.out = open_memstream(&out, &n);
    assert_int_equal(output_list(&call, columns, rows, &e), 0);
    fclose(call.out);
}

static void a_table_aligns_korean_names_and_amounts(void **state) {
    (void)state;
    print("table", "");
    assert_string_equal(out,
                        "NAME      COMPUTE  STORAGE  STATE   END                  KEEP  NOTE\n"
                        "광주 AI  124.8 TF    50 TB  active  2027-04-01 00:00  90 days  =1+1\\x09\"x\"\\x0a\n"
                        "c0002        0 TF     0 TB  denied  -                     yes  a, b\n");
}

static void a_narrow_terminal_loses_the_wide_columns_first(void **state) {
    (void)state;
    print("table", "62");
    assert_string_equal(out, "NAME      COMPUTE  STORAGE  STATE   END                  KEEP\n"
                             "광주 AI  124.8 TF    50 TB  active  2027-04-01 00:00  90 days\n"
                             "c0002        0 TF     0 TB  denied  -                     yes\n");
    print("table", "53");
    assert_string_equal(out, "NAME      COMPUTE  STORAGE  STATE   END\n"
                             "광주 AI  124.8 TF    50 TB  active  2027-04-01 00:00\n"
                             "c0002        0 TF     0 TB  denied  -\n");
    print("table", "20"); /* what names a row is never cut, nor is a number */
    assert_string_equal(out, "NAME      COMPUTE  STORAGE  STATE   END\n"
                             "광주 AI  124.8 TF    50 TB  active  2027-04-01 00:00\n"
                             "c0002        0 TF     0 TB  denied  -\n");
}

static void long_text_is_cut_with_dots_between_letters(void **state) {
    (void)state;
    static const struct column few[] = {{"id", "ID", CELL_TEXT, false},
                                        {"what", "WHAT", CELL_TEXT, false},
                                        {"n", "N", CELL_COUNT, false},
                                        {0}};
    scoped_json json_t *rows =
        json_pack("[{s:s,s:s,s:i},{s:s,s:s,s:i}]", "id", "r-1", "what", "광주인공지능산업융합", "n", 1, "id",
                  "r-2", "what", "short", "n", 2);
    size_t n;
    struct err e = {0};
    struct call call = {.format = "table", .lang = "en", .out = open_memstream(&out, &n)};
    setenv("COLUMNS", "20", 1);
    assert_int_equal(output_list(&call, few, rows, &e), 0);
    fclose(call.out);
    assert_string_equal(out, "ID   WHAT          N\nr-1  광주인공지..  1\nr-2  short         2\n");
}

static void text_that_stands_last_goes_on_below(void **state) {
    (void)state;
    static const struct column few[] = {{"id", "ID", CELL_TEXT, false},
                                        {"n", "N", CELL_NUMBER, false},
                                        {"far", "FAR", CELL_TEXT, true},
                                        {"why", "WHY", CELL_TEXT, false},
                                        {0}};
    scoped_json json_t *rows = json_pack("[{s:s,s:s,s:s,s:s}]", "id", "r-1", "n", "1.5", "far", "far away",
                                         "why", "the pool has no 광주 free units of this flavor left now");
    size_t n;
    struct err e = {0};
    struct call call = {.format = "table", .lang = "en", .out = open_memstream(&out, &n)};
    setenv("COLUMNS", "40", 1);
    assert_int_equal(output_list(&call, few, rows, &e), 0);
    fclose(call.out);
    assert_string_equal(out, "ID     N  WHY\nr-1  1.5  the pool has no 광주 free\n"
                             "          units of this flavor left now\n");
}

static void long_amounts_of_storage_are_rounded_for_people(void **state) {
    (void)state;
    static const struct column storage = {"storage_bytes", "STORAGE", CELL_BYTES, false};
    static const struct {
        json_int_t bytes;
        const char *shown;
    } cases[] = {
        {264212084 * INT64_C(1024), "270.553 GB"},  {50000000000000, "50 TB"},    {54975581388800, "50 TiB"},
        {INT64_C(1234567890123456789), "1.235 EB"}, {999999999999999, "1000 TB"}, {1001, "1001 B"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scoped_json json_t *value = json_integer(cases[i].bytes);
        out = output_cell_shown(&storage, value, false);
        assert_string_equal(out, cases[i].shown);
        tear_down(NULL);
    }
}

static void json_holds_every_key_one_row_per_line(void **state) {
    (void)state;
    print("json", "");
    scoped_json json_t *rows = some_rows(), *read = json_loads(out, 0, NULL);
    assert_true(json_equal(rows, read));
    assert_non_null(strstr(out, "},\n{"));
}

static void csv_holds_plain_integers_and_harmless_text(void **state) {
    (void)state;
    print("csv", "");
    assert_string_equal(out, "name,compute_gflops,storage_bytes,state,end,keep,note\r\n"
                             "광주 AI,124800,50000000000000,active,2027-03-31T15:00:00Z,7776000,"
                             "\"'=1+1\t\"\"x\"\"\n\"\r\n"
                             "c0002,0,0,denied,,true,\"a, b\"\r\n");
    struct csv csv;
    struct err e = {0};
    assert_int_equal(csv_open(&csv, out, strlen(out), "out", &e), 0);
    assert_int_equal(csv_next(&csv, &e), 1);
    assert_string_equal(csv_get(&csv, "note"), "=1+1\t\"x\"\n");
    csv_close(&csv);
}

static void tsv_escapes_what_would_break_a_line(void **state) {
    (void)state;
    print("tsv", "");
    assert_string_equal(
        out, "name\tcompute_gflops\tstorage_bytes\tstate\tend\tkeep\tnote\n"
             "광주 AI\t124800\t50000000000000\tactive\t2027-03-31T15:00:00Z\t7776000\t=1+1\\t\"x\"\\n\n"
             "c0002\t0\t0\tdenied\t\ttrue\ta, b\n");
}

static void colours_are_for_terminals_only(void **state) {
    (void)state;
    print("table", "");
    assert_null(strchr(out, '\x1b'));
    setenv("CLICOLOR_FORCE", "1", 1);
    print("table", "");
    assert_non_null(strstr(out, "\x1b[32mactive"));
    setenv("NO_COLOR", "1", 1);
    print("table", "");
    assert_null(strchr(out, '\x1b'));
    unsetenv("CLICOLOR_FORCE");
    unsetenv("NO_COLOR");
}

static void one_object_is_lines_for_people_and_json_for_scripts(void **state) {
    (void)state;
    static const struct column few[] = {{"name", "NAME", CELL_TEXT, false},
                                        {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                        {"gone", "GONE FOR LONG", CELL_TEXT, false},
                                        {0}};
    size_t n;
    struct err e = {0};
    struct call call = {.format = "table", .lang = "en"};
    scoped_json json_t *object =
        json_pack("{s:s,s:i,s:n}", "name", "x\x1b[2J", "compute_gflops", 15600, "gone");
    call.out = open_memstream(&out, &n);
    assert_int_equal(output_object(&call, few, object, &e), 0);
    output_say(&call, "see %s", "\x07");
    call.quiet = true;
    output_say(&call, "unheard");
    fclose(call.out);
    assert_string_equal(out, "name:     x\\x1b[2J\ncompute:  15.6 TF\nsee \\x07\n");
    free(out);
    call = (struct call){.format = "json", .out = open_memstream(&out, &n)};
    assert_int_equal(output_object(&call, few, object, &e), 0);
    output_say(&call, "unheard");
    fclose(call.out);
    scoped_json json_t *read = json_loads(out, 0, NULL);
    assert_true(json_equal(object, read));
}

static void an_empty_listing_is_well_formed(void **state) {
    (void)state;
    static const char *const formats[] = {"table", "tsv", "csv", "json"};
    static const char *const wanted[] = {"none\n", "a\n", "a\r\n", "[\n]\n"};
    static const struct column one[] = {{"a", "A", CELL_TEXT, false}, {0}};
    for (int i = 0; i < 4; i++) {
        size_t n;
        struct err e = {0};
        scoped_json json_t *rows = json_array();
        struct call call = {.format = formats[i], .lang = "en", .out = open_memstream(&out, &n)};
        assert_int_equal(output_list(&call, one, rows, &e), 0);
        fclose(call.out);
        assert_string_equal(out, wanted[i]);
        tear_down(NULL);
    }
}

/* Ten thousand steps on a terminal; what it received is in `seen`. */
static void step_on_terminal(struct progress *p, char *seen, size_t size) {
    int terminal, other, kept = dup(STDERR_FILENO);
    assert_int_equal(openpty(&terminal, &other, NULL, NULL, NULL), 0);
    fflush(stderr);
    dup2(other, STDERR_FILENO);
    for (size_t i = 0; i <= 10000; i++) progress_step(p, i);
    progress_end(p);
    fputs("end", stderr);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    /* A terminal hands out what it got in pieces of its own choice. */
    size_t length = 0;
    ssize_t n = 1;
    for (seen[0] = '\0'; n > 0 && length + 1 < size && !strstr(seen, "end"); seen[length] = '\0') {
        n = read(terminal, seen + length, size - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    close(terminal);
    close(other);
    close(kept);
}

static void progress_is_shown_rarely_and_wiped_away(void **state) {
    (void)state;
    char seen[4000];
    struct progress p = {.what = "planning", .total = 10000};
    step_on_terminal(&p, seen, sizeof seen);
    assert_non_null(strstr(seen, "planning [##############################] 10000 of 10000"));
    assert_string_equal(seen + strlen(seen) - 7, "\r\x1b[Kend");
    size_t lines = 0;
    for (const char *s = seen; (s = strstr(s, "planning")); s++) lines++;
    assert_in_range(lines, 2, 20);
    struct progress off = {.what = "planning", .total = 10000, .off = true};
    step_on_terminal(&off, seen, sizeof seen);
    assert_string_equal(seen, "end");
}

static void the_language_falls_back_to_english(void **state) {
    (void)state;
    struct call ko = {.lang = "ko"}, en = {.lang = "en"};
    assert_string_equal(output_choose(&ko, "a", "가"), "가");
    assert_string_equal(output_choose(&ko, "a", NULL), "a");
    assert_string_equal(output_choose(&en, "a", "가"), "a");
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
#define CASE(f) cmocka_unit_test_teardown(f, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_table_aligns_korean_names_and_amounts),
        CASE(a_narrow_terminal_loses_the_wide_columns_first),
        CASE(long_text_is_cut_with_dots_between_letters),
        CASE(text_that_stands_last_goes_on_below),
        CASE(long_amounts_of_storage_are_rounded_for_people),
        CASE(json_holds_every_key_one_row_per_line),
        CASE(csv_holds_plain_integers_and_harmless_text),
        CASE(tsv_escapes_what_would_break_a_line),
        CASE(colours_are_for_terminals_only),
        CASE(one_object_is_lines_for_people_and_json_for_scripts),
        CASE(an_empty_listing_is_well_formed),
        CASE(progress_is_shown_rarely_and_wiped_away),
        CASE(the_language_falls_back_to_english),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
