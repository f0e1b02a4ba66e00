/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/explain.h"
#include "policies/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char facts_text[] =
    "{\"format\":1,\"now\":\"2021-04-12T01:30:00Z\",\"pool\":{\"name\":\"pilot\",\"basis\":\"fp32\","
    "\"flavors\":[{\"name\":"
    "\"v100\",\"rating_gflops\":15600,\"units\":480,\"free\":6,\"sizes\":[1,2,4,8]}],\"storage_bytes\":"
    "10000000000000,"
    "\"storage_free_bytes\":10000000000000,\"granule_bytes\":1},\"tenants\":[{\"name\":\"c1\",\"attrs\":{"
    "\"kind\":"
    "\"public\",\"seat\":\"gwangju\"}},{\"name\":\"secret\",\"attrs\":{\"kind\":\"public\",\"seat\":"
    "\"gwangju\"}}],"
    "\"claims\":[{\"id\":\"r-1\",\"tenant\":\"secret\",\"units\":8,\"flavor\":\"v100\",\"submitted\":"
    "\"2021-04-12T00:00:00Z\"},{\"id\":\"r-2\",\"tenant\":\"c1\",\"units\":1,\"flavor\":\"v100\",\"storage_"
    "bytes\":"
    "2000000000000,\"submitted\":\"2021-04-12T00:00:01Z\"}]}";

static json_t *decide_by(const char *path, const char *text, struct facts_owned *facts, size_t claim) {
    struct diagnostics d = {0};
    struct err e = {0};
    struct plan plan;
    struct policy *policy = policy_read(path, &d, &e);
    assert_non_null(policy);
    assert_int_equal(facts_decode(text, facts, &e), 0);
    assert_int_equal(policy_decider.plan(policy, &facts->facts, &plan, &e), 0);
    json_t *decision = decision_encode(&plan.decisions[claim]);
    plan_free(&plan);
    policy_free(policy);
    diagnostics_free(&d);
    return decision;
}

static json_t *decide(struct facts_owned *facts, size_t claim) {
    return decide_by("test/policy/plain/pilot.policy", facts_text, facts, claim);
}

static const char *const ends_text =
    "{\"format\":2,\"now\":\"2021-04-12T01:30:00Z\",\"pool\":{\"name\":\"pilot\",\"basis\":\"fp32\","
    "\"flavors\":[{\"name\":"
    "\"v100\",\"rating_gflops\":15600,\"units\":480,\"free\":36,\"sizes\":[1,2,4,8]}],\"granule_bytes\":"
    "100000000000,"
    "\"storage_bytes\":10000000000000,\"storage_free_bytes\":10000000000000,\"ends\":[{\"at\":\"2021-05-"
    "02T00:00:00Z\","
    "\"grant\":\"g-77\",\"flavor\":\"v100\",\"units\":40}],\"promised\":{\"guarantees_gflops\":5000000,"
    "\"unused_gflops\":2600000}},\"tenants\":[{\"name\":\"c1\",\"held_gflops\":62400,\"attrs\":{\"kind\":"
    "\"sme\",\"ai\":"
    "\"true\",\"seat\":\"gwangju\"}}],\"claims\":[{\"id\":\"r-2\",\"tenant\":\"c1\",\"units\":4,\"flavor\":"
    "\"v100\",\"submitted\":"
    "\"2021-02-12T00:00:01Z\"}]}";

static void the_lease_end_is_told_to_operators_only(void **state) {
    (void)state;
    struct facts_owned facts;
    struct text tenant = {0}, operator_text = {0}, ko = {0};
    struct err e = {0};
    json_t *decision = decide_by("policies/pilot.policy", ends_text, &facts, 0);
    assert_int_equal(explain_text(decision, &facts.facts, EXPLAIN_TO_TENANT, false, &tenant, &e), 0);
    assert_int_equal(explain_text(decision, &facts.facts, EXPLAIN_TO_OPERATOR, false, &operator_text, &e), 0);
    assert_int_equal(explain_text(decision, &facts.facts, EXPLAIN_TO_OPERATOR, true, &ko, &e), 0);
    assert_null(strstr(tenant.s, "g-77"));
    assert_non_null(strstr(tenant.s, "all of it fits on 2021-05-02 at the earliest, when a lease ends"));
    assert_non_null(strstr(operator_text.s,
                           "All of it fits on 2021-05-02 at the earliest, when the lease of g-77 ends."));
    assert_non_null(strstr(tenant.s, "c1 is in tier gwangju (T1): weight 4, guarantee 62.4 TF."));
    assert_non_null(strstr(tenant.s, "It has waited longest: what comes free is set aside for it."));
    assert_non_null(strstr(ko.s, "등급은 gwangju (T1)이고 가중치는 4, 보장량은 62.4 TF입니다."));
    assert_non_null(
        strstr(ko.s, "전체가 가능한 가장 이른 날은 2021-05-02이며, g-77의 사용 기간이 끝나는 때입니다."));
    json_t *object = explain_json(decision, &facts.facts, EXPLAIN_TO_TENANT, &e);
    assert_null(json_object_get(json_object_get(object, "earliest"), "grant"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(object, "earliest"), "at")),
                        "2021-05-02T00:00:00Z");
    json_decref(object);
    json_decref(decision);
    text_free(&tenant);
    text_free(&operator_text);
    text_free(&ko);
    facts_free(&facts);
}

static void a_waiting_request_is_told_what_is_ahead_but_not_whose(void **state) {
    (void)state;
    struct facts_owned facts;
    struct text en = {0}, ko = {0};
    struct err e = {0};
    json_t *decision = decide(&facts, 1);
    assert_int_equal(explain_text(decision, &facts.facts, EXPLAIN_TO_TENANT, false, &en, &e), 0);
    assert_string_equal(
        en.s, "c1 asked in r-2, on 2021-04-12 09:00, for v100 x 1, and storage of 2 TB.\n"
              "The decision: queued.\n"
              "place 2 in the queue; those before it ask for 124.8 TF.\n"
              "c1 held 0 TF of the 125 TF that it may hold. Free before this round: v100 6/480, storage 10 "
              "TB.\n"
              "What would change it: earlier requests are served first.\n");
    assert_int_equal(explain_text(decision, &facts.facts, EXPLAIN_TO_TENANT, true, &ko, &e), 0);
    assert_non_null(strstr(ko.s, "대기 순번 2번이며 앞선 신청은 모두 124.8 TF입니다"));
    assert_null(strstr(en.s, "secret"));
    assert_null(strstr(ko.s, "secret"));
    json_t *object = explain_json(decision, &facts.facts, EXPLAIN_TO_TENANT, &e);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "\"decisive\":[\"WAITING_TURN\"]"));
    assert_non_null(strstr(text, "\"ahead_gflops\":124800"));
    free(text);
    json_decref(object);
    json_decref(decision);
    text_free(&en);
    text_free(&ko);
    facts_free(&facts);
}

static void a_claim_that_the_facts_do_not_name_is_not_found(void **state) {
    (void)state;
    struct facts_owned facts;
    struct text out = {0};
    struct err e = {0};
    json_t *decision = decide(&facts, 0);
    json_object_set_new(decision, "claim", json_string("r-9"));
    assert_int_equal(explain_text(decision, &facts.facts, EXPLAIN_TO_TENANT, false, &out, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    json_decref(decision);
    facts_free(&facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waiting_request_is_told_what_is_ahead_but_not_whose),
        cmocka_unit_test(the_lease_end_is_told_to_operators_only),
        cmocka_unit_test(a_claim_that_the_facts_do_not_name_is_not_found),
    };
    return cmocka_run_group_tests_name("policy_explain", tests, NULL, NULL);
}
