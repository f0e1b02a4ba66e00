/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/yaml.h"

#include "alloc/clock.h"
#include "alloc/json.h"
#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* text is read as the JSON given. */
static void expect(const char *text, const char *json) {
    struct err e = {0};
    scoped_json json_t *value = yaml_load_text(text, strlen(text), "t.yaml", NULL, &e);
    if (!value) fail_msg("%s", e.what);
    scoped_free char *s = json_canonical(value);
    assert_string_equal(s, json);
}

static void expect_refused(const char *text, const char *part) {
    struct err e = {0};
    assert_null(yaml_load_text(text, strlen(text), "t.yaml", NULL, &e));
    assert_int_equal(e.code, ERR_USAGE);
    if (!strstr(e.what, part)) fail_msg("'%s' lacks '%s'", e.what, part);
}

static void plain_scalars_are_read_as_yaml_1_1(void **state) {
    (void)state;
    expect("[yes, No, on, OFF, true, False]", "[true,false,true,false,true,false]");
    expect("[~, null, NULL, ]", "[null,null,null]");
    expect("[1, -2, +3, 0x1f, 0b101, 017, 1_000, 0]", "[1,-2,3,31,5,15,1000,0]");
    expect("[y, n, 08, 1.5, 12:30, 1e3, 0x, nul, 50 TB, '', 2026-11-22]",
           "[\"y\",\"n\",\"08\",\"1.5\",\"12:30\",\"1e3\",\"0x\",\"nul\",\"50 TB\",\"\",\"2026-11-22\"]");
    expect("[9223372036854775807, 9223372036854775808, -9223372036854775808]",
           "[9223372036854775807,\"9223372036854775808\",-9223372036854775808]");
}

static void quoted_and_tagged_scalars_stay_text(void **state) {
    (void)state;
    expect("['no', \"1\", '~', \"\\uad11주\", !!str 12, ! no]",
           "[\"no\",\"1\",\"~\",\"광주\",\"12\",\"no\"]");
    expect("a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}");
    expect_refused("a: !!python/object:os.system 1", "t.yaml:1:4: tags");
}

static void an_empty_document_is_null_and_a_second_one_is_refused(void **state) {
    (void)state;
    expect("", "null");
    expect("# only words\n", "null");
    expect("---\n", "null");
    expect_refused("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document");
}

static void repeated_keys_are_refused_with_their_place(void **state) {
    (void)state;
    expect_refused("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: the key 'a' stands twice");
    expect_refused("x: {a: 1, 'a': 2}", "t.yaml:1:11: the key 'a' stands twice");
    expect_refused("a: &m {x: 1}\nb:\n  <<: *m\n  <<: *m\n", "t.yaml:4:3: the key '<<' stands twice");
    expect_refused("? [a]\n: 1\n", "t.yaml:1:3: a key");
    expect_refused("'': 1", "an empty key");
}

static void merges_fill_what_is_not_said(void **state) {
    (void)state;
    expect("d: &d {a: 1, b: 2}\nx:\n  <<: *d\n  b: 3\n", "{\"d\":{\"a\":1,\"b\":2},\"x\":{\"a\":1,\"b\":3}}");
    expect("x:\n  b: 3\n  <<: [{a: 1}, {a: 2, c: 3}]\n", "{\"x\":{\"a\":1,\"b\":3,\"c\":3}}");
    expect("'<<': 1", "{\"<<\":1}");
    expect_refused("x:\n  <<: 1\n", "'<<' takes a mapping");
    expect_refused("x:\n  <<: [1]\n", "'<<' takes a mapping");
}

static void an_alias_is_a_copy(void **state) {
    (void)state;
    expect("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n", "{\"a\":[1,2],\"b\":[1,2],\"c\":3,\"d\":3}");
    expect_refused("a: *x", "t.yaml:1:4: an alias");
    expect_refused("a: &x [*x]", "t.yaml:1:8: an alias");
}

static void a_bomb_ends_quickly(void **state) {
    (void)state;
    scoped_text struct text bomb = {0};
    text_add(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++) {
        text_add(&bomb, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) text_add(&bomb, "*a%d,", i - 1);
        text_add(&bomb, "]\n");
    }
    int64_t before = clock_monotonic_ms();
    expect_refused(bomb.s, "more than 100000 nodes");
    assert_true(clock_monotonic_ms() - before < 1000);
}

static void limits_hold_on_depth_size_and_anchors(void **state) {
    (void)state;
    scoped_text struct text deep = {0}, large = {0}, anchors = {0}, flow = {0};
    for (int i = 0; i < 33; i++) text_add(&deep, "%*s- \n", i, "");
    text_add(&deep, "%*s- x\n", 33, "");
    expect_refused(deep.s, "nested deeper than 32");
    for (int i = 0; i < 100000; i++) text_add(&flow, "[");
    expect_refused(flow.s, "nested deeper than 32");
    for (int i = 0; i < 1001; i++) text_add(&anchors, "- &a%d 1\n", i);
    expect_refused(anchors.s, "more than 1000 anchors");
    for (int i = 0; i < 120000; i++) text_add(&large, "# 789\n- 1\n");
    expect_refused(large.s, "more than 1 MiB");
}

static void syntax_errors_have_a_place(void **state) {
    (void)state;
    expect_refused("a: [1, 2\nb: 3\n", "t.yaml:2:");
    expect_refused("a: 1\n\tb: 2\n", "t.yaml:2:");
    expect_refused("a: \xb1\xa4", "t.yaml: ");
    expect_refused("a: \"\\0\"", "NUL");
    expect_refused("%YAML 9.9\n--- a", "t.yaml:1:");
}

static void later_errors_name_the_line_of_the_value(void **state) {
    (void)state;
    const char *text =
        "base: &base\n  port: wrong\nroles:\n  admins:\n  - kim\n  - 7\nmerged:\n  <<: *base\n";
    struct err e = {0};
    scoped_json json_t *marks = NULL;
    scoped_json json_t *value = yaml_load_text(text, strlen(text), "t.yaml", &marks, &e);
    assert_non_null(value);
    struct json_at root = json_root(value, "t.yaml"), roles, admins, merged;
    root.marks = marks;
    assert_int_equal(json_need_object(&root, "roles", &roles, &e), 0);
    assert_int_equal(json_need_array(&roles, "admins", 1, 9, &admins, &e), 0);
    struct json_at item = json_item(&admins, 1);
    const char *s;
    assert_int_equal(json_as_text(&item, 9, &s, &e), -1);
    assert_string_equal(e.what, "t.yaml:6:5: roles.admins[1]: must be text, is 7");
    err_clear(&e);
    int64_t n;
    assert_int_equal(json_need_object(&root, "merged", &merged, &e), 0);
    assert_int_equal(json_need_int(&merged, "port", 1, 9, &n, &e), -1);
    assert_string_equal(e.what, "t.yaml:2:3: merged.port: must be an integer from 1 to 9, is \"wrong\"");
    err_clear(&e);
    assert_int_equal(json_need_int(&merged, "absent", 1, 9, &n, &e), -1); /* of the mapping around it */
    assert_non_null(strstr(e.what, "t.yaml:7:1: merged.absent: is missing"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_are_read_as_yaml_1_1),
        cmocka_unit_test(quoted_and_tagged_scalars_stay_text),
        cmocka_unit_test(an_empty_document_is_null_and_a_second_one_is_refused),
        cmocka_unit_test(repeated_keys_are_refused_with_their_place),
        cmocka_unit_test(merges_fill_what_is_not_said),
        cmocka_unit_test(an_alias_is_a_copy),
        cmocka_unit_test(a_bomb_ends_quickly),
        cmocka_unit_test(limits_hold_on_depth_size_and_anchors),
        cmocka_unit_test(syntax_errors_have_a_place),
        cmocka_unit_test(later_errors_name_the_line_of_the_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
