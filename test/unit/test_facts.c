/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POOL                                                                                                 \
    "\"pool\":{\"basis\":\"fp32\",\"flavors\":[{\"free\":3,\"name\":\"t4\",\"rating_gflops\":8100,"          \
    "\"sizes\":[1,2],"                                                                                       \
    "\"units\":4}],\"granule_bytes\":1,\"name\":\"pilot\",\"storage_bytes\":9,\"storage_free_bytes\":8}"
#define TENANTS                                                                                              \
    "\"tenants\":[{\"attrs\":{\"ai\":\"true\",\"kind\":\"sme\"},\"held_gflops\":5,\"name\":\"c1\","          \
    "\"organisation\":"                                                                                      \
    "\"o\",\"organisation_gflops\":6},{\"name\":\"c2\",\"suspended\":true}]"

static const char whole[] =
    "{\"claims\":[{\"compute_gflops\":8100,\"flavor\":\"t4\",\"id\":\"r-1\",\"minimum_gflops\":1,"
    "\"submitted\":\"2021-04-12T01:30:00Z\",\"tenant\":\"c2\",\"until\":\"2021-05-12T01:30:00Z\"},"
    "{\"approver\":\"kim\",\"attrs\":{\"rush\":\"true\"},\"id\":\"r-10\",\"override_rule\":\"C1\",\"per_"
    "server\":2,"
    "\"storage_bytes\":7,\"submitted\":\"2021-04-12T01:30:00Z\",\"tenant\":\"c1\",\"term_seconds\":60,"
    "\"units\":2}]"
    ","
    "\"format\":1,\"now\":\"2021-04-12T01:30:00Z\"," POOL "," TENANTS "}";

static void facts_come_back_byte_for_byte(void **state) {
    (void)state;
    struct facts_owned f;
    struct err e = {0};
    if (facts_decode(whole, &f, &e) < 0) fail_msg("%s", e.what);
    assert_int_equal(f.facts.n_claims, 2);
    assert_int_equal(f.facts.claims[0].ask, ASK_COMPUTE);
    assert_true(f.facts.claims[0].has_minimum && f.facts.claims[0].until.has);
    assert_int_equal(f.facts.claims[0].tenant, 1);
    assert_true(f.facts.claims[1].approved);
    assert_int_equal(f.facts.claims[1].per_server, 2);
    assert_string_equal(f.facts.tenants[0].attrs[1].value, "sme");
    assert_true(f.facts.tenants[1].suspended);
    char *again = facts_encode(&f.facts);
    assert_string_equal(again, whole);
    free(again);
    facts_free(&f);
}

static void the_order_in_memory_does_not_matter(void **state) {
    (void)state;
    struct fact_tenant tenants[] = {{.name = "b"}, {.name = "a"}};
    struct fact_claim claims[] = {{.id = "r-2", .tenant = 0, .submitted = {5}},
                                  {.id = "r-9", .tenant = 1, .submitted = {4}}};
    struct fact_tenant turned_tenants[] = {{.name = "a"}, {.name = "b"}};
    struct fact_claim turned_claims[] = {{.id = "r-9", .tenant = 0, .submitted = {4}},
                                         {.id = "r-2", .tenant = 1, .submitted = {5}}};
    struct fact_flavor flavors[] = {{.name = "x", .rating = {1}}, {.name = "w", .rating = {1}}};
    struct fact_flavor turned_flavors[] = {{.name = "w", .rating = {1}}, {.name = "x", .rating = {1}}};
    struct fact_pool pool = {
        .name = "p", .basis = "fp32", .flavors = flavors, .n_flavors = 2, .granule = {1}};
    struct facts a = {
        .now = {9}, .pool = pool, .tenants = tenants, .n_tenants = 2, .claims = claims, .n_claims = 2};
    struct facts b = {.now = {9},
                      .pool = pool,
                      .tenants = turned_tenants,
                      .n_tenants = 2,
                      .claims = turned_claims,
                      .n_claims = 2};
    b.pool.flavors = turned_flavors;
    char *first = facts_encode(&a), *second = facts_encode(&b);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void what_is_wrong_is_named_by_its_path(void **state) {
    (void)state;
#define CLAIM(text)                                                                                          \
    "{\"claims\":[{" text "}],\"format\":1,\"now\":\"2021-04-12T01:30:00Z\"," POOL "," TENANTS "}"
#define BASE "\"id\":\"r\",\"tenant\":\"c1\",\"submitted\":\"2021-04-12T01:30:00Z\""
    static const char *const wrong[][2] = {
        {"", "facts:"},
        {"[]", "facts"},
        {CLAIM("\"id\":\"r\""), "claims[0].tenant"},
        {CLAIM("\"id\":\"r\",\"tenant\":\"cx\",\"submitted\":\"2021-04-12T01:30:00Z\""),
         "claims[0]: unknown tenant 'cx'"},
        {CLAIM(BASE ",\"unit\":1"), "claims[0].unit"},
        {CLAIM(BASE ",\"units\":-1"), "claims[0].units"},
        {CLAIM(BASE ",\"units\":1.0"), "claims[0].units"},
        {CLAIM(BASE ",\"units\":1,\"compute_gflops\":1"), "claims[0]: asks for both"},
        {CLAIM(BASE ",\"units\":1,\"minimum_gflops\":1"), "claims[0]: minimum_gflops"},
        {CLAIM(BASE ",\"minimum_units\":1"), "claims[0]: has a minimum of nothing"},
        {CLAIM(BASE ",\"until\":\"tomorrow\""), "claims[0].until"},
        {CLAIM(BASE ",\"attrs\":{\"a\":1}"), "claims[0].attrs.a"},
        {CLAIM(BASE ",\"storage_bytes\":9223372036854775807"), "claims[0].storage_bytes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        struct facts_owned f;
        assert_int_equal(facts_decode(wrong[i][0], &f, &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
        if (!strstr(e.what, wrong[i][1])) fail_msg("%zu: %s", i, e.what);
    }
}

static void a_decision_is_written_with_its_units(void **state) {
    (void)state;
    struct plan_line line = {(char *)"t4", 2, 3, {8100}};
    struct reason reason = {.code = REASON_ROUNDED, .en = (char *)"less", .ko = (char *)"적음"};
    struct decision d = {.claim = (char *)"r-1",
                         .outcome = OUTCOME_GRANT,
                         .lines = &line,
                         .n_lines = 1,
                         .compute = {48600},
                         .storage = {7},
                         .lease = {{0}, {60}, {1}, {2}, {3}, 4, {5}},
                         .limits = {.has_compute = true, .compute = {125000}},
                         .reasons = &reason,
                         .n_reasons = 1};
    json_t *object = decision_encode(&d);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        text,
        "{\"claim\":\"r-1\",\"compute_gflops\":48600,\"lease\":{\"end\":\"1970-01-"
        "01T00:01:00Z\",\"grace_seconds\":2,"
        "\"keep_seconds\":3,\"notice_seconds\":1,\"renew_seconds\":5,\"renewals\":4,\"start\":\"1970-01-"
        "01T00:00:00Z\"},\"limits\":"
        "{\"compute_gflops\":125000},\"lines\":[{\"count\":3,\"flavor\":\"t4\","
        "\"rating_gflops\":8100,\"size\":2}],"
        "\"outcome\":\"granted\",\"reasons\":[{\"code\":\"ROUNDED\",\"decisive\":false,"
        "\"en\":\"less\",\"ko\":"
        "\"적음\"}],\"storage_bytes\":7}");
    free(text);
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_come_back_byte_for_byte),
        cmocka_unit_test(the_order_in_memory_does_not_matter),
        cmocka_unit_test(what_is_wrong_is_named_by_its_path),
        cmocka_unit_test(a_decision_is_written_with_its_units),
    };
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
