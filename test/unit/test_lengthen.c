/* SPDX-License-Identifier: Apache-2.0 */
/* A later end of what is held: the lease and the budgets of the policy, for the added time. */
#include "alloc/facts.h"
#include "policies/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RULES(lease)                                                                                         \
    "policy \"p\" version 1;\npool pool { basis fp32; flavor v100 15.6 TF units 24; storage 10 TB; }\n"      \
    "attr kind : enum { a, b }?;\nset eligible { E9 pass \"yes\" otherwise; }\n"                             \
    "C1 ceiling compute 100 TF storage 5 TB;\n" lease "\n"                                                   \
    "G1 budget compute 30000 TF-hours each month;\nG2 budget storage 2 TB-months each month;\n"

/* t1 holds 62.4 TF and 1 TB until 17 March 2026; so much of the month is granted. */
static const char facts_text[] =
    "{\"format\":2,\"now\":\"2026-03-02T00:00:00Z\",\"pool\":{\"name\":\"pool\",\"basis\":\"fp32\","
    "\"flavors\":"
    "[{\"name\":\"v100\",\"rating_gflops\":15600,\"units\":24,\"free\":20,\"sizes\":[1]}],\"granule_bytes\":"
    "1,"
    "\"storage_bytes\":10000000000000,\"storage_free_bytes\":9000000000000},\"tenants\":[{\"name\":\"t1\","
    "\"held_gflops\":62400,\"held_bytes\":1000000000000,\"spent\":{\"month\":{\"gflops_seconds\":80870400000,"
    "\"byte_hours\":360000000000000}}%s}],\"claims\":[{\"id\":\"r-1\",\"tenant\":\"t1\",\"units\":4,"
    "\"flavor\":"
    "\"v100\",\"storage_bytes\":1000000000000,\"submitted\":\"2026-03-02T00:00:00Z\"%s}]}";

#define FROM INT64_C(1773705600) /* 17 March 2026 */

static struct decision lengthen(const char *rules, const char *tenant, const char *claim, int64_t days,
                                bool own_terms) {
    struct diagnostics said = {0};
    struct err e = {0};
    struct decision d;
    struct facts_owned facts;
    struct text text = {0};
    struct policy_source source = {"p", rules, strlen(rules), NULL, NULL};
    struct policy *policy = policy_parse(&source, &said);
    struct lengthening l = {.from = instant(FROM),
                            .until = instant(FROM + days * CLOCK_DAY),
                            .compute = gflops(62400),
                            .storage = bytes(INT64_C(1000000000000)),
                            .own_terms = own_terms};
    assert_non_null(policy);
    text_add(&text, facts_text, tenant, claim);
    if (facts_decode(text.s, &facts, &e) < 0) fail_msg("%s", e.what);
    assert_int_equal(policy_decider.lengthen(policy, &facts.facts, &l, &d, &e), 0);
    facts_free(&facts);
    text_free(&text);
    policy_free(policy);
    diagnostics_free(&said);
    return d;
}

static void expect(const char *rules, const char *tenant, const char *claim, int64_t days, bool own_terms,
                   enum outcome outcome, const char *words) {
    struct decision d = lengthen(rules, tenant, claim, days, own_terms);
    assert_int_equal(d.outcome, outcome);
    if (words) {
        assert_true(d.n_reasons > 0);
        assert_string_equal(d.reasons[0].en, words);
        assert_non_null(d.reasons[0].ko);
    } else {
        assert_int_equal(d.n_reasons, 0);
    }
    decision_free(&d);
}

#define TERM RULES("L1 lease term 15 days, renew 1;")

static void a_budget_bounds_the_added_time(void **state) {
    (void)state;
    expect(TERM, "", "", 5, false, OUTCOME_GRANT, NULL);
    expect(TERM, "", "", 6, false, OUTCOME_DENY,
           "t1 may have 30000 TF-hours in a month, and 22464 TF-hours is granted; 62.4 TF until 2026-03-23 "
           "09:00 adds 8985.6 TF-hours (G1, p:7)");
    expect(TERM, "", ",\"override_rule\":\"G1\"", 6, false, OUTCOME_GRANT, NULL);
}

/* Beyond the month only what lies inside it counts. */
static void only_the_period_of_now_counts(void **state) {
    (void)state;
    expect(RULES("L1 lease term 300 days;"), "", ",\"override_rule\":\"G1\"", 300, false, OUTCOME_GRANT,
           NULL);
}

static void the_lease_bounds_it(void **state) {
    (void)state;
    const char *aside = ",\"override_rule\":\"G1\"";
    expect(TERM, "", aside, 15, false, OUTCOME_GRANT, NULL);
    expect(
        TERM, "", aside, 16, false, OUTCOME_DENY,
        "a lease lasts 15 days; from 2026-03-17 09:00 that is until 2026-04-01 09:00, and the new end would "
        "be 2026-04-02 09:00 (L1, p:6)");
    expect(TERM, "", ",\"override_rule\":\"G1,L1\"", 16, false, OUTCOME_GRANT, NULL);
    expect(TERM, "", aside, 16, true, OUTCOME_GRANT, NULL); /* a renewal is as long as the grant says */
    expect(RULES("L1 lease until 2026-03-20;"), "", aside, 4, true, OUTCOME_DENY,
           "the lease of the policy ends on 2026-03-20; the new end would be 2026-03-21 09:00 (L1, p:6)");
}

static void what_cannot_be_evaluated_lets_nothing_pass(void **state) {
    (void)state;
    expect(RULES("L1 lease term 15 days when kind = a; L2 lease term 5 days;"), "", "", 1, false,
           OUTCOME_HOLD, "rule L1 cannot be evaluated for t1: 'kind' of the tenant is not set (L1, p:6)");
    expect(RULES("L1 lease term 15 days when kind = a; L2 lease term 5 days;"), ",\"attrs\":{\"kind\":\"a\"}",
           "", 1, false, OUTCOME_GRANT, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_bounds_the_added_time), cmocka_unit_test(only_the_period_of_now_counts),
        cmocka_unit_test(the_lease_bounds_it), cmocka_unit_test(what_cannot_be_evaluated_lets_nothing_pass)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
