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

static json_t *decide(struct facts_owned *facts, size_t claim) {
    struct diagnostics d = {0};
    struct err e = {0};
    struct plan plan;
    struct policy *policy = policy_read("test/policy/plain/pilot.policy", &d, &e);
    assert_non_null(policy);
    assert_int_equal(facts_decode(facts_text, facts, &e), 0);
    assert_int_equal(policy_decider.plan(policy, &facts->facts, &plan, &e), 0);
    json_t *decision = decision_encode(&plan.decisions[claim]);
    plan_free(&plan);
    policy_free(policy);
    diagnostics_free(&d);
    return decision;
}

static void a_waiting_request_is_told_what_is_ahead_but_not_whose(void **state) {
    (void)state;
    struct facts_owned facts;
    struct text en = {0}, ko = {0};
    struct err e = {0};
    json_t *decision = decide(&facts, 1);
    assert_int_equal(explain_text(decision, &facts.facts, false, &en, &e), 0);
    assert_string_equal(
        en.s, "c1 asked in r-2, on 2021-04-12 09:00, for v100 x 1, and storage of 2 TB.\n"
              "The decision: queued.\n"
              "place 2 in the queue; those before it ask for 124.8 TF.\n"
              "c1 held 0 TF of the 125 TF that it may hold. Free before this round: v100 6/480, storage 10 "
              "TB.\n"
              "What would change it: earlier requests are served first.\n");
    assert_int_equal(explain_text(decision, &facts.facts, true, &ko, &e), 0);
    assert_non_null(strstr(ko.s, "대기 순번 2번이며 앞선 신청은 모두 124.8 TF입니다"));
    assert_null(strstr(en.s, "secret"));
    assert_null(strstr(ko.s, "secret"));
    json_t *object = explain_json(decision, &facts.facts, &e);
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
    assert_int_equal(explain_text(decision, &facts.facts, false, &out, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    json_decref(decision);
    facts_free(&facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waiting_request_is_told_what_is_ahead_but_not_whose),
        cmocka_unit_test(a_claim_that_the_facts_do_not_name_is_not_found),
    };
    return cmocka_run_group_tests_name("policy_explain", tests, NULL, NULL);
}
