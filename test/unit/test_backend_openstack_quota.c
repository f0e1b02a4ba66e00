/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/backend_probe.h"
#include "alloc/backend_usage.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_quota.h"
#include "backends/openstack_usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIB (INT64_C(1) << 30)

static struct quota_settings settings(void) {
    return (struct quota_settings){
        .is_enforced = true,
        .volumes = 100,
        .volume_type = "ssd",
        .has_objects = true,
        .base = {1, 512, 10, 1},
        .flavors = {{"a100", "CUSTOM_A100", {12, 4096, 0, 1}}, {"t4", "CUSTOM_T4", {4, 1024, 20, 1}}},
        .n_flavors = 2};
}

static int64_t want(struct quota_lines *l, enum quota_place place, const char *name) {
    struct quota_line *line = quota_line_find(l, place, name);
    assert_non_null(line);
    return line->want;
}

static void stand(struct quota_lines *l) {
    for (size_t i = 0; i < l->n; i++) {
        l->of[i].is_there = true;
        l->of[i].there = l->of[i].want;
    }
}

static const struct backend_limit two_and_three[] = {{"a100", 2}, {"t4", 3}};
static const struct backend_quota some = {
    .limits = two_and_three, .n_limits = 2, .storage = {3 * GIB}, .datalake = {77}};

static void units_bring_what_goes_with_them(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines l;
    struct err e = {0};
    assert_int_equal(0, quota_lines_want(&s, &some, &l, &e));
    assert_int_equal(2, want(&l, QUOTA_COMPUTE, "class:CUSTOM_A100"));
    assert_int_equal(3, want(&l, QUOTA_COMPUTE, "class:CUSTOM_T4"));
    assert_int_equal(1 + 24 + 12, want(&l, QUOTA_COMPUTE, "class:VCPU"));
    assert_int_equal(512 + 8192 + 3072, want(&l, QUOTA_COMPUTE, "class:MEMORY_MB"));
    assert_int_equal(10 + 60, want(&l, QUOTA_COMPUTE, "class:DISK_GB"));
    assert_int_equal(6, want(&l, QUOTA_COMPUTE, "servers"));
    assert_int_equal(3, want(&l, QUOTA_VOLUMES, "gigabytes"));
    assert_int_equal(3, want(&l, QUOTA_VOLUMES, "gigabytes_ssd"));
    assert_int_equal(100, want(&l, QUOTA_VOLUMES, "volumes"));
    assert_int_equal(77, want(&l, QUOTA_OBJECTS, "bytes"));
}

static void nothing_brings_nothing(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines l;
    struct err e = {0};
    const struct backend_quota none = {0};
    assert_int_equal(0, quota_lines_want(&s, &none, &l, &e));
    for (size_t i = 0; i < l.n; i++) assert_int_equal(0, l.of[i].want);
    assert_true(l.n > 9);
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines l;
    const struct backend_limit many = {"a100", INT64_MAX / 4}, strange = {"b200", 1};
    const struct backend_quota bad[] = {
        {.storage = {GIB + 1}}, {.limits = &many, .n_limits = 1}, {.limits = &strange, .n_limits = 1}};
    for (size_t i = 0; i < 3; i++) {
        struct err e = {0};
        assert_int_equal(-1, quota_lines_want(&s, &bad[i], &l, &e));
        assert_true(err_is(&e));
    }
}

static void what_stands_is_read_back_as_units(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines l;
    struct err e = {0};
    struct backend_seen seen = {0};
    assert_int_equal(0, quota_lines_want(&s, &some, &l, &e));
    stand(&l);
    quota_lines_seen(&l, &seen);
    assert_int_equal(2, seen.n_limits);
    assert_string_equal("a100", seen.limits[0].flavor);
    assert_int_equal(2, seen.limits[0].units);
    assert_int_equal(3, seen.limits[1].units);
    assert_int_equal(3 * GIB, seen.bytes.n);
    assert_int_equal(77, seen.datalake.n);
    assert_true(quota_lines_agree(&s, &l));
    for (size_t i = 0; i < seen.n_limits; i++) free((char *)seen.limits[i].flavor);
    free(seen.limits);
}

static void each_line_that_differs_is_told(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines all, l;
    struct err e = {0};
    assert_int_equal(0, quota_lines_want(&s, &some, &all, &e));
    stand(&all);
    assert_true(quota_lines_stand(&all, NULL));
    for (size_t i = 0; i < all.n; i++) {
        struct text words scoped_text = {0}, none scoped_text = {0};
        l = all;
        l.of[i].there++;
        assert_false(quota_lines_stand(&l, &words));
        assert_non_null(strstr(words.s, l.of[i].name));
        l.of[i].is_there = false;
        assert_false(quota_lines_stand(&l, &none));
        assert_non_null(strstr(none.s, "has no limit"));
        if (l.of[i].flavor || l.of[i].place == QUOTA_OBJECTS) continue; /* they are what the rest goes by */
        assert_false(quota_lines_agree(&s, &l));
    }
}

static void no_more_may_be_used_than_is_left(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines l;
    struct err e = {0};
    struct text words scoped_text = {0};
    assert_int_equal(0, quota_lines_want(&s, &some, &l, &e));
    for (size_t i = 0; i < l.n; i++) l.of[i].used = l.of[i].want;
    assert_true(quota_lines_fit(&l, &words));
    assert_null(words.s);
    quota_line_find(&l, QUOTA_VOLUMES, "gigabytes")->used = 4;
    assert_false(quota_lines_fit(&l, &words));
    assert_string_equal("gigabytes: 4 in use, 3 left", words.s);
}

static void only_limits_of_the_project_are_taken(void **state) {
    (void)state;
    struct quota_settings s = settings();
    struct quota_lines l;
    struct err e = {0};
    assert_int_equal(0, quota_lines_want(&s, &some, &l, &e));
    json_t *list = json_array();
    const char *const rows[][3] = {{"p2", "n", "R"}, {"p", "c", "R"}, {"p", "n", "S"}};
    for (size_t i = 0; i < 3; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "id", "x", "resource_name",
                                              "servers", "project_id", rows[i][0], "service_id", rows[i][1],
                                              "region_id", rows[i][2], "resource_limit", 9));
    json_array_append_new(list, json_integer(7));
    quota_limits_take(&l, list, "p", "n", "R");
    assert_false(quota_line_find(&l, QUOTA_COMPUTE, "servers")->is_there);
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "id", "mine", "resource_name",
                                          "servers", "project_id", "p", "service_id", "n", "region_id", "R",
                                          "resource_limit", 6));
    quota_limits_take(&l, list, "p", "n", "R");
    assert_true(quota_line_find(&l, QUOTA_COMPUTE, "servers")->is_there);
    assert_int_equal(6, quota_line_find(&l, QUOTA_COMPUTE, "servers")->there);
    json_t *body = quota_limits_body(&l, "n", "R", "p");
    assert_int_equal(5, /* of six; those of Cinder and Swift are no limits of Keystone */
                     json_array_size(json_object_get(body, "limits")));
    json_decref(body);
    json_decref(list);
}

static void tokens_are_told_from_other_tags(void **state) {
    (void)state;
    static const char *const good[] = {"s4f1c09ab37de.1.812", "s4f1c09ab37de.2x4be19f.1"};
    static const char *const bad[] = {"",
                                      "s",
                                      "production",
                                      "s4f1c09ab37de",
                                      "s4f1c09ab37de.1",
                                      "s1.1.1",
                                      "S4F1C09AB37DE.1.1",
                                      "s4f1c09ab37de..1",
                                      "s4f1c09ab37de.1.",
                                      "s4f1c09ab37de.1.1x",
                                      "x4f1c09ab37de.1.1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(quota_tag_is_token(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(quota_tag_is_token(bad[i]));
    char name[128];
    quota_project_name("4f1c09ab37de", "p", 7, "x4be", name);
    assert_string_equal("allot-4f1c09ab37de-148de9c5-t7x4be", name);
    quota_project_name("4f1c09ab37de", "p", 0, NULL, name);
    assert_string_equal("allot-4f1c09ab37de-148de9c5-t", name);
    quota_project_name("4f1c09ab37de", "q", 7, NULL, name);
    assert_string_equal("allot-4f1c09ab37de-8e35c2cd-t7", name);
}

static void a_server_was_up_inside_the_time_asked_for(void **state) {
    (void)state;
    struct backend_sample s = {.kind = BACKEND_SERVER, .at = {1000}, .started = {100}, .ended = {0}};
    assert_int_equal(900, backend_sample_up(&s, instant(0), instant(5000)));
    assert_int_equal(300, backend_sample_up(&s, instant(200), instant(500)));
    s.ended = instant(400);
    assert_int_equal(300, backend_sample_up(&s, instant(0), instant(5000)));
    assert_int_equal(0, backend_sample_up(&s, instant(400), instant(5000)));
    assert_int_equal(0, backend_sample_up(&s, instant(0), instant(100)));
    s.started = instant(0);
    assert_int_equal(0, backend_sample_up(&s, instant(0), instant(5000)));
}

static void times_of_clouds_are_read(void **state) {
    (void)state;
    instant_t t = {0};
    static const char *const good[] = {"2026-11-22T22:00:00.000000", "2026-11-22T22:00:00",
                                       "2026-11-22T22:00:00Z", "2026-11-22T22:00:00+00:00"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(cloud_time(good[i], &t));
        assert_string_equal("2026-11-22T22:00:00Z", instant_text(t).s);
    }
    assert_false(cloud_time(NULL, &t));
    assert_false(cloud_time("2026-11-22", &t));
    assert_false(cloud_time("2026-13-22T22:00:00Z", &t));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_bring_what_goes_with_them),
        cmocka_unit_test(nothing_brings_nothing),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(what_stands_is_read_back_as_units),
        cmocka_unit_test(each_line_that_differs_is_told),
        cmocka_unit_test(no_more_may_be_used_than_is_left),
        cmocka_unit_test(only_limits_of_the_project_are_taken),
        cmocka_unit_test(tokens_are_told_from_other_tags),
        cmocka_unit_test(a_server_was_up_inside_the_time_asked_for),
        cmocka_unit_test(times_of_clouds_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
