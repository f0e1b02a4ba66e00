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
    "\"format\":2,\"now\":\"2021-04-12T01:30:00Z\"," POOL "," TENANTS "}";

/* Every member that format 2 brought. */
static const char full[] =
    "{\"claims\":[{\"agreed\":\"2021-04-11T00:00:00Z\",\"call\":\"first\",\"datalake_bytes\":5,\"id\":\"r"
    "-1\",\"rank\":0,\"replaces\":{\"compute_gflops\":8100,\"grant\":\"g-4\",\"holdings\":[{\"held\":1,\""
    "item\":\"unit/t4\"}],\"storage_bytes\":2},\"seats\":{\"notebook\":3},\"submitted\":\"2021-04-12T01:3"
    "0:00Z\",\"tenant\":\"c1\"}],\"format\":2,\"grants\":[{\"compute_gflops\":8100,\"end\":\"2021-05-12T0"
    "1:30:00Z\",\"excepted\":\"U1\",\"grace_seconds\":60,\"id\":\"g-4\",\"notices\":[{\"cause\":\"idle\","
    "\"effect\":\"2021-04-20T00:00:00Z\",\"flavor\":\"t4\",\"id\":\"n-1\",\"rule\":\"U1\",\"sent\":\"2021"
    "-04-12T00:00:00Z\",\"units\":1}],\"samples\":[{\"covered_percent\":90,\"mean_percent\":3,\"metric\":"
    "\"gpu_util.p95\",\"most_percent\":7,\"window_seconds\":604800}],\"servers\":[{\"carries\":true,\"com"
    "pute_gflops\":8100,\"flavor\":\"t4\",\"notice\":\"n-1\",\"operation\":9,\"units\":1}],\"start\":\"20"
    "21-02-12T01:30:00Z\",\"storage_bytes\":2,\"tenant\":\"c1\"}],\"now\":\"2021-04-12T01:30:00Z\",\"pool"
    "\":{\"basis\":\"fp32\",\"datalake_bytes\":50,\"datalake_free_bytes\":45,\"ends\":[{\"at\":\"2021-05-"
    "12T01:31:00Z\",\"flavor\":\"t4\",\"grant\":\"g-4\",\"units\":1}],\"flavors\":[{\"coming\":1,\"free\""
    ":0,\"lost\":1,\"name\":\"t4\",\"rating_gflops\":8100,\"sizes\":[1,2],\"units\":4},{\"free\":2,\"name"
    "\":\"x1\",\"sizes\":[1],\"units\":2,\"unrated\":true}],\"granule_bytes\":1,\"name\":\"pilot\",\"prom"
    "ised\":{\"guarantees_gflops\":900,\"unused_gflops\":100},\"services\":[{\"free\":9,\"name\":\"notebo"
    "ok\",\"seats\":10}],\"storage_bytes\":9,\"storage_free_bytes\":8,\"waiting\":12,\"waiting_gflops\":6"
    "4800},\"tenants\":[{\"credits\":-3,\"holdings\":[{\"held\":1,\"item\":\"unit/t4\",\"organisation\":2"
    "}],\"name\":\"c1\",\"spent\":{\"month\":{\"byte_hours\":4,\"gflops_seconds\":3,\"organisation_byte_h"
    "ours\":6,\"organisation_gflops_seconds\":5},\"year\":{\"gflops_seconds\":7}}}]}";

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

static void what_format_2_brought_comes_back_byte_for_byte(void **state) {
    (void)state;
    struct facts_owned f;
    struct err e = {0};
    if (facts_decode(full, &f, &e) < 0) fail_msg("%s", e.what);
    const struct fact_pool *p = &f.facts.pool;
    const struct fact_claim *c = f.facts.claims;
    const struct fact_grant *g = f.facts.grants;
    assert_true(p->flavors[1].unrated && p->flavors[1].rating.n == 0 && p->flavors[0].lost.n == 1);
    assert_int_equal(p->services[0].free, 9);
    assert_int_equal(p->ends[0].units.n, 1);
    assert_int_equal(p->promised.unused.n, 100);
    assert_int_equal(p->waiting, 12);
    assert_true(c->ranked && c->rank == 0 && c->agreed.has);
    assert_int_equal(c->seats[0].seats, 3);
    assert_string_equal(c->replaces.holdings[0].item, "unit/t4");
    assert_int_equal(f.facts.tenants[0].spent[FACT_YEAR].compute_gflops_seconds, 7);
    assert_int_equal(f.facts.tenants[0].spent[FACT_QUARTER].compute_gflops_seconds, 0);
    assert_int_equal(f.facts.tenants[0].holdings[0].organisation, 2);
    assert_int_equal(g->notices[0].cause, CAUSE_IDLE);
    assert_int_equal(g->samples[0].most, 7);
    assert_true(g->servers[0].operation == 9 && g->servers[0].carries && g->servers[0].compute.n == 8100);
    assert_string_equal(g->excepted, "U1");
    char *again = facts_encode(&f.facts);
    assert_string_equal(again, full);
    free(again);
    facts_free(&f);
}

/* As a store of the first format kept them. */
static void facts_of_format_1_are_still_read(void **state) {
    (void)state;
    char *old = strdup(whole), *format = strstr(old, "\"format\":2");
    assert_non_null(format);
    format[strlen("\"format\":")] = '1';
    struct facts_owned f;
    struct err e = {0};
    if (facts_decode(old, &f, &e) < 0) fail_msg("%s", e.what);
    assert_int_equal(f.facts.n_claims, 2);
    assert_int_equal(f.facts.pool.datalake_capacity.n, 0);
    assert_false(f.facts.claims[0].ranked || f.facts.claims[0].replaces.grant);
    char *again = facts_encode(&f.facts);
    assert_string_equal(again, whole); /* the same facts, written in the form of now */
    free(again);
    free(old);
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
    struct fact_end ends[] = {{{3}, "g-10", "x", {1}, "n-2"},
                              {{3}, "g-9", "w", {1}, NULL},
                              {{2}, "g-9", "w", {1}, NULL}},
                    turned_ends[] = {{{2}, "g-9", "w", {1}, NULL},
                                     {{3}, "g-9", "w", {1}, NULL},
                                     {{3}, "g-10", "x", {1}, "n-2"}};
    struct fact_pool pool = {.name = "p",
                             .ends = ends,
                             .n_ends = 3,
                             .basis = "fp32",
                             .flavors = flavors,
                             .n_flavors = 2,
                             .granule = {1}};
    struct facts a = {
        .now = {9}, .pool = pool, .tenants = tenants, .n_tenants = 2, .claims = claims, .n_claims = 2};
    struct facts b = {.now = {9},
                      .pool = pool,
                      .tenants = turned_tenants,
                      .n_tenants = 2,
                      .claims = turned_claims,
                      .n_claims = 2};
    b.pool.flavors = turned_flavors;
    b.pool.ends = turned_ends;
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
        {CLAIM(BASE ",\"seats\":{\"a\":0}"), "claims[0].seats.a"},
        {CLAIM(BASE ",\"replaces\":{}"), "claims[0].replaces.grant"},
        {CLAIM(BASE ",\"rank\":-1"), "claims[0].rank"},
        {"{\"claims\":[],\"format\":3,\"now\":\"2021-04-12T01:30:00Z\"," POOL "," TENANTS "}", "format"},
        {"{\"claims\":[],\"format\":2,\"now\":\"2021-04-12T01:30:00Z\"," POOL "," TENANTS
         ",\"grants\":[{\"id\":\"g-1\",\"tenant\":\"cx\"}]}",
         "grants[0]: unknown tenant 'cx'"},
        {"{\"claims\":[],\"format\":2,\"now\":\"2021-04-12T01:30:00Z\"," POOL "," TENANTS ",\"grants\":[1]}",
         "grants[0]"},
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
    struct decision back;
    struct err e = {0};
    if (decision_decode(object, &back, &e) < 0) fail_msg("%s", e.what);
    scoped_json json_t *again = decision_encode(&back);
    assert_true(json_equal(again, object));
    decision_free(&back);
    json_object_set_new(object, "outcome", json_string("perhaps"));
    assert_int_equal(decision_decode(object, &back, &e), -1);
    assert_non_null(strstr(e.what, "outcome"));
    free(text);
    json_decref(object);
}

static void a_decision_says_what_waits_and_what_can_be_had(void **state) {
    (void)state;
    struct plan_line line = {(char *)"x1", 1, 2, {0}};
    struct plan_seats seats = {(char *)"notebook", 3};
    struct decision d = {
        .claim = (char *)"r-1",
        .outcome = OUTCOME_QUEUE,
        .position = 2,
        .datalake = {6},
        .seats = &seats,
        .n_seats = 1,
        .offer =
            {.has = true, .lines = &line, .n_lines = 1, .storage = {4}, .until = {.has = true, .at = {60}}},
        .earliest = {.at = {.has = true, .at = {120}}, .grant = (char *)"g-3", .notice = (char *)"n-2"},
        .standing = {.tier = (char *)"gwangju",
                     .rule = (char *)"T1",
                     .lifted = true,
                     .weight = 4,
                     .guarantee = {62400},
                     .held_gflops = 5,
                     .capacity_gflops = 9,
                     .credits = -1},
        .is_barrier = true,
        .needs_agreement = true};
    json_t *object = decision_encode(&d);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        text,
        "{\"ahead_gflops\":0,\"claim\":\"r-1\",\"compute_gflops\":0,\"datalake_bytes\":6,\"earliest\":{"
        "\"at\":"
        "\"1970-01-01T00:02:00Z\",\"grant\":\"g-3\",\"notice\":\"n-2\"},\"is_barrier\":true,\"limits\":{},"
        "\"lines\":[],"
        "\"needs_agreement\":true,\"offer\":{\"compute_gflops\":0,\"lines\":[{\"count\":2,\"flavor\":\"x1\","
        "\"size\":1}],\"storage_bytes\":4,\"until\":\"1970-01-01T00:01:00Z\"},\"outcome\":\"queued\","
        "\"position\":2,\"reasons\":[],\"seats\":{\"notebook\":3},\"standing\":{\"capacity_gflops\":9,"
        "\"credits\":-1,\"guarantee_gflops\":62400,\"held_gflops\":5,\"lifted\":true,\"rank\":0,\"rule\":"
        "\"T1\","
        "\"tier\":\"gwangju\",\"weight\":4},\"storage_bytes\":0}");
    struct decision back;
    struct err e = {0};
    if (decision_decode(object, &back, &e) < 0) fail_msg("%s", e.what);
    scoped_json json_t *again = decision_encode(&back);
    assert_true(json_equal(again, object));
    decision_free(&back);
    struct text en = {0}, ko = {0};
    decision_given(object, false, &en);
    decision_given(object, true, &ko);
    assert_string_equal(en.s, "data lake 6 B, notebook 3 seats");
    assert_string_equal(ko.s, "데이터 레이크 6 B, notebook 3석");
    text_free(&en);
    text_free(&ko);
    free(text);
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_come_back_byte_for_byte),
        cmocka_unit_test(what_format_2_brought_comes_back_byte_for_byte),
        cmocka_unit_test(facts_of_format_1_are_still_read),
        cmocka_unit_test(the_order_in_memory_does_not_matter),
        cmocka_unit_test(what_is_wrong_is_named_by_its_path),
        cmocka_unit_test(a_decision_is_written_with_its_units),
        cmocka_unit_test(a_decision_says_what_waits_and_what_can_be_had),
    };
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
