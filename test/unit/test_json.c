/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/json.h"

#include "alloc/log.h"
#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *load(const char *text) {
    struct err e = {0};
    json_t *value = json_load_text(text, strlen(text), "t.json", &e);
    if (!value) fail_msg("%s", e.what);
    return value;
}

static void expect_refused(const char *text, const char *part) {
    struct err e = {0};
    assert_null(json_load_text(text, strlen(text), "t.json", &e));
    assert_int_equal(e.code, ERR_USAGE);
    if (!strstr(e.what, part)) fail_msg("'%s' lacks '%s'", e.what, part);
}

static void syntax_errors_name_file_line_and_column(void **state) {
    (void)state;
    expect_refused("{\"a\": 1,\n \"b\": }", "t.json:2:");
    expect_refused("", "t.json:1:0");
    expect_refused("{\"a\":1,\"a\":2}", "a: duplicate");
    expect_refused("{\"a\":1} x", "t.json:1:");
    expect_refused("[9223372036854775808]", "t.json:1:20: [0]: too big integer");
    expect_refused("[[], {\"x\\\"]\": [3, {}, {\"q\": -9223372036854775809}]}]",
                   "[1].x\\\"][2].q: too big negative");
    expect_refused("{\"a\": {\"b\": [{\"c\": 0, \"c\": 1e999}]}}", "a.b[0].c: duplicate");
    expect_refused("{\"a\": {\"b\": [{\"c\": 0}, 1e999]}}", "a.b[1]: real number overflow");
    expect_refused("-9223372036854775809", "t.json:1:20: too big negative");
    expect_refused("[\"\xb1\xa4\"]", "t.json:1:");
    expect_refused("[\"\\u0000\"]", "t.json:1:");
    expect_refused("[1,]", "t.json:1:");
}

static void a_document_nested_too_deep_is_refused(void **state) {
    (void)state;
    enum { MOST = JSON_DEPTH_MOST };
    char deep[2 * MOST + 4] = "";
    memset(deep, '[', MOST + 1);
    memset(deep + MOST + 1, ']', MOST + 1);
    expect_refused(deep, "deeper than 96");
    memset(deep, '[', MOST);
    memset(deep + MOST, ']', MOST + 1);
    deep[2 * MOST] = '\0';
    json_decref(load(deep));
    static char deepest[20001];
    memset(deepest, '[', 20000);
    expect_refused(deepest, "t.json:1:");
}

static void messages_name_the_path(void **state) {
    (void)state;
    scoped_json json_t *doc = load("{\"requests\":[{}, {\"lines\":[{\"storage\":\"50\"}]}]}");
    struct json_at root = json_root(doc, "r.json"), list, lines;
    struct err e = {0};
    assert_int_equal(json_need_array(&root, "requests", 1, 10, &list, &e), 0);
    struct json_at item = json_item(&list, 1);
    assert_int_equal(json_need_array(&item, "lines", 1, 10, &lines, &e), 0);
    struct json_at line = json_item(&lines, 0);
    bytes_t bytes_read = {-1};
    assert_int_equal(json_need_bytes(&line, "storage", &bytes_read, &e), -1);
    assert_string_equal(e.what, "r.json: requests[1].lines[0].storage: must be an integer from 0 to "
                                "4000000000000000000, is \"50\"");
    assert_int_equal(bytes_read.n, -1);
    err_clear(&e);
    const char *s = NULL;
    assert_int_equal(json_need_text(&item, "tenant", 64, &s, &e), -1);
    assert_string_equal(e.what, "r.json: requests[1].tenant: is missing (text)");
    err_clear(&e);
    assert_int_equal(json_need_object(&root, "requests", &item, &e), -1);
    assert_string_equal(e.what, "r.json: requests: must be an object, is a list");
}

static void an_unknown_key_is_refused_with_the_nearest(void **state) {
    (void)state;
    static const char *const keys[] = {"tenant", "storage_bytes", NULL};
    scoped_json json_t *doc = load("{\"tenant\":\"c1\",\"storage_byte\":1}");
    struct json_at root = json_root(doc, "r.json");
    struct err e = {0};
    assert_int_equal(json_only(&root, keys, &e), -1);
    assert_string_equal(e.what, "r.json: storage_byte: is not known here");
    assert_string_equal(e.hint, "did you mean 'storage_bytes'?");
}

static void an_absent_or_null_value_leaves_the_default(void **state) {
    (void)state;
    scoped_json json_t *doc = load("{\"n\":null}");
    struct json_at root = json_root(doc, "r.json"), inner;
    struct err e = {0};
    int64_t n = 7;
    bool yes = true;
    size_t word = 3;
    const char *s = "default";
    instant_t t = {9};
    assert_int_equal(json_may_int(&root, "n", 0, 1, &n, &e) + json_may_bool(&root, "x", &yes, &e), 0);
    assert_int_equal(json_may_text(&root, "n", 10, &s, &e) + json_may_instant(&root, "n", &t, &e), 0);
    assert_int_equal(json_may_word(&root, "n", (const char *const[]){"a", NULL}, &word, &e), 0);
    assert_int_equal(json_may_array(&root, "n", 1, &inner, &e), 0);
    assert_int_equal(json_length(&inner), 0);
    assert_int_equal(json_may_object(&root, "n", &inner, &e), 0);
    assert_null(inner.value);
    assert_true(n == 7 && yes && word == 3 && t.s == 9);
    assert_string_equal(s, "default");
    assert_false(json_has(&root, "n"));
}

static void values_of_the_wrong_kind_or_range_are_refused(void **state) {
    (void)state;
    scoped_json json_t *doc =
        load("{\"n\":1.0,\"big\":11,\"t\":\"a\\nb\",\"long\":\"abcdef\",\"empty\":\"\","
             "\"b\":\"true\",\"w\":\"grean\",\"at\":\"2027-02-29T00:00:00Z\",\"l\":[1,2,3]}");
    struct json_at root = json_root(doc, "r"), list;
    int64_t n = 5;
    bool yes = false;
    size_t word = 0;
    const char *s = NULL;
    instant_t t;
    static const char *const words[] = {"red", "green", NULL};
    struct err e[9] = {0};
    assert_int_equal(json_need_int(&root, "n", 0, 10, &n, &e[0]), -1);
    assert_int_equal(json_need_int(&root, "big", 0, 10, &n, &e[1]), -1);
    assert_int_equal(json_need_text(&root, "t", 10, &s, &e[2]), -1);
    assert_int_equal(json_need_text(&root, "long", 5, &s, &e[3]), -1);
    assert_int_equal(json_need_text(&root, "empty", 5, &s, &e[4]), -1);
    assert_int_equal(json_need_bool(&root, "b", &yes, &e[5]), -1);
    assert_int_equal(json_need_word(&root, "w", words, &word, &e[6]), -1);
    assert_int_equal(json_need_instant(&root, "at", &t, &e[7]), -1);
    assert_int_equal(json_need_array(&root, "l", 1, 2, &list, &e[8]), -1);
    assert_string_equal(e[0].what, "r: n: must be an integer from 0 to 10, is 1.0");
    assert_string_equal(e[2].what, "r: t: holds control characters");
    assert_string_equal(e[3].what, "r: long: is longer than 5 bytes");
    assert_string_equal(e[4].what, "r: empty: must not be empty");
    assert_string_equal(e[6].hint, "did you mean 'green'?");
    assert_string_equal(e[7].what,
                        "r: at: '2027-02-29T00:00:00Z' is not a time (example: 2026-11-22T09:00:00Z)");
    assert_string_equal(e[8].what, "r: l: must have 1 to 2 items, has 3");
    assert_true(n == 5 && s == NULL);
}

static void a_number_where_text_is_due_gets_the_hint_to_quote_it(void **state) {
    (void)state;
    scoped_json json_t *doc = load("{\"name\":123}");
    struct json_at root = json_root(doc, "r");
    const char *s;
    struct err e = {0};
    assert_int_equal(json_need_text(&root, "name", 10, &s, &e), -1);
    assert_string_equal(e.hint, "put it in quotes");
}

static void the_canonical_form_does_not_depend_on_the_order(void **state) {
    (void)state;
    scoped_json json_t *a = load("{\"b\": [1, {\"y\":2,\"x\":\"광주\"}], \"a\":null}");
    scoped_json json_t *b = load("{\"a\":null,\"b\":[1,{\"x\":\"광주\",\"y\":2}]}");
    scoped_free char *s = json_canonical(a), *t = json_canonical(b);
    assert_string_equal(s, t);
    assert_string_equal(s, "{\"a\":null,\"b\":[1,{\"x\":\"광주\",\"y\":2}]}");
}

static void secrets_do_not_reach_the_log(void **state) {
    (void)state;
    scoped_json json_t *doc = load(
        "{\"auth\":{\"x\":1},\"user\":\"kim\",\"deep\":[{\"Client-Secret\":\"a\",\"X-Auth-Token\":\"b\"}],"
        "\"admin_password\":\"c\",\"private_key\":\"d\",\"url\":\"qemu+tls://kim:e@h1/system\","
        "\"Authorization\":\"f\",\"operation_token\":\"s1.1.2\",\"plain\":\"https://h/p?q=a@b\"}");
    scoped_json json_t *clean = log_redacted(doc);
    scoped_free char *s = json_canonical(clean);
    assert_string_equal(
        s, "{\"Authorization\":\"[removed]\",\"admin_password\":\"[removed]\",\"auth\":"
           "\"[removed]\",\"deep\":[{\"Client-Secret\":\"[removed]\",\"X-Auth-Token\":"
           "\"[removed]\"}],\"operation_token\":\"s1.1.2\",\"plain\":\"https://h/p?q=a@b\","
           "\"private_key\":\"[removed]\",\"url\":\"qemu+tls://[removed]@h1/system\",\"user\":\"kim\"}");
}

static void a_log_line_is_one_json_object(void **state) {
    (void)state;
    char path[] = "/tmp/allot-test-log-XXXXXX";
    int fd = mkstemp(path);
    struct err e = {0};
    assert_int_equal(log_open(LOG_AT_INFO, path, &e), 0);
    log_event(LOG_AT_INFO, "a.b",
              json_pack("{s:s, s:s, s:s}", "host", "h1\n", "password", "x", "event", "no"));
    log_event(LOG_AT_DEBUG, "not.wanted", NULL);
    char line[400] = "";
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    unlink(path);
    assert_true(n > 0 && strchr(line, '\n') == line + n - 1);
    scoped_json json_t *read_back = load(line);
    assert_string_equal(json_string_value(json_object_get(read_back, "event")), "a.b");
    assert_string_equal(json_string_value(json_object_get(read_back, "host")), "h1\n");
    assert_string_equal(json_string_value(json_object_get(read_back, "password")), "[removed]");
    assert_int_equal(log_open(LOG_AT_ERROR, NULL, &e), 0);
    assert_true(log_wants(LOG_AT_ERROR) && !log_wants(LOG_AT_INFO) && !log_wants(LOG_AT_OFF));
    assert_int_equal(log_open(LOG_AT_ERROR, "/nowhere/at/all", &e), -1);
}

static void a_missing_file_or_a_directory_is_named(void **state) {
    (void)state;
    struct err e = {0};
    assert_null(json_load_path("/nowhere.json", &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.what, "/nowhere.json"));
    err_clear(&e);
    assert_null(json_load_path("/tmp", &e));
    assert_int_equal(e.code, ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_name_file_line_and_column),
        cmocka_unit_test(a_document_nested_too_deep_is_refused),
        cmocka_unit_test(messages_name_the_path),
        cmocka_unit_test(an_unknown_key_is_refused_with_the_nearest),
        cmocka_unit_test(an_absent_or_null_value_leaves_the_default),
        cmocka_unit_test(values_of_the_wrong_kind_or_range_are_refused),
        cmocka_unit_test(a_number_where_text_is_due_gets_the_hint_to_quote_it),
        cmocka_unit_test(the_canonical_form_does_not_depend_on_the_order),
        cmocka_unit_test(secrets_do_not_reach_the_log),
        cmocka_unit_test(a_log_line_is_one_json_object),
        cmocka_unit_test(a_missing_file_or_a_directory_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
