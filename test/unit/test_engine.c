/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state) {
    (void)state;
    return flow_begin(&(struct flow_new){3, true});
}

static int setup_without_policy(void **state) {
    (void)state;
    return flow_begin(&(struct flow_new){1, false});
}

static int teardown(void **state) {
    (void)state;
    return flow_end();
}

static int64_t submit(const char *tenant, int64_t n) {
    struct flow_ask a = {.tenant = tenant, .units = n};
    if (flow_submit(&a) < 0) fail_msg("%s", e.what);
    engine_results_free(&a.results);
    return a.id;
}

static void expect_text(const char *sql, const char *wanted) {
    scoped_free char *got = flow_text(sql);
    assert_string_equal(got, wanted);
}

static void a_granted_request_has_its_units_reserved_and_its_servers_intended(void **state) {
    (void)state;
    struct flow_ask a = {.tenant = "c0001", .units = 3, .storage = 2 * FIXTURE_TB};
    assert_int_equal(flow_submit(&a), 0);
    const struct engine_result *r = engine_result_of(&a.results, a.id);
    assert_non_null(r);
    assert_int_equal(r->outcome, OUTCOME_GRANT);
    assert_int_equal(r->grant, 1);
    engine_results_free(&a.results);
    assert_int_equal(
        flow_number("SELECT balance FROM account WHERE kind = 'reserved' AND item = 'unit/v100'"), 3);
    assert_int_equal(
        flow_number("SELECT count(*) FROM operation WHERE kind = 'server' AND desired = 'present'"), 3);
    assert_int_equal(flow_number("SELECT sum(bytes) FROM operation WHERE kind = 'volume'"), 2 * FIXTURE_TB);
    expect_text("SELECT state FROM request WHERE id = 1", "granted");
}

static void give_too_much(const struct facts *f, size_t i, struct decision *d) {
    (void)i;
    flow_give(f, d, 1, 17);
}

static void a_policy_that_gives_more_than_the_pool_has_is_stopped_by_the_ledger(void **state) {
    (void)state;
    flow_decide = give_too_much;
    struct flow_ask a = {.tenant = "c0001", .units = 1};
    assert_int_equal(flow_submit(&a), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(flow_number("SELECT count(*) FROM request"), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM grants"), 0);
    engine_results_free(&a.results);
}

static void give_past_own_limit(const struct facts *f, size_t i, struct decision *d) {
    flow_give(f, d, 1, f->claims[i].units.n);
    d->limits = (struct plan_limits){.has_compute = true, .compute = gflops(31200)};
}

static void a_policy_that_gives_past_a_tenants_ceiling_is_stopped_by_the_store(void **state) {
    (void)state;
    flow_decide = give_past_own_limit;
    submit("c0001", 2);
    struct flow_ask a = {.tenant = "c0001", .units = 1};
    assert_int_equal(flow_submit(&a), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.what, "ceiling"));
    engine_results_free(&a.results);
    submit("c0002", 2);
    assert_int_equal(flow_number("SELECT count(*) FROM grants"), 2);
}

static void give_past_organisation(const struct facts *f, size_t i, struct decision *d) {
    flow_give(f, d, 1, f->claims[i].units.n);
    d->limits = (struct plan_limits){.has_organisation_compute = true, .organisation_compute = gflops(31200)};
}

static void a_ceiling_of_an_organisation_holds_over_its_tenants(void **state) {
    (void)state;
    flow_decide = give_past_organisation;
    assert_int_equal(sql_do(store, &e, "UPDATE tenant SET organisation = 1 WHERE id = 2", ""), 0);
    submit("c0001", 2);
    struct flow_ask a = {.tenant = "c0002", .units = 1};
    assert_int_equal(flow_submit(&a), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    engine_results_free(&a.results);
    submit("c0003", 2);
}

static void a_lowered_ceiling_keeps_what_is_held_and_lets_nothing_new_in(void **state) {
    (void)state;
    submit("c0001", 4);
    flow_decide = give_past_own_limit;
    struct flow_ask a = {.tenant = "c0001", .units = 1};
    assert_int_equal(flow_submit(&a), -1);
    engine_results_free(&a.results);
    assert_int_equal(flow_number("SELECT compute_gflops FROM ceiling WHERE scope = 'tenant'"), 4 * 15600);
}

static int64_t figure;

static void queue_all(const struct facts *f, size_t i, struct decision *d) {
    char words[64];
    (void)f;
    d->outcome = OUTCOME_QUEUE;
    d->position = (int64_t)i + 1;
    snprintf(words, sizeof words, "free now: %lld", (long long)figure);
    flow_reason(d, REASON_NO_UNITS, words);
}

static void a_request_that_waits_as_before_is_noted_and_told_once(void **state) {
    (void)state;
    flow_decide = queue_all;
    submit("c0001", 1);
    submit("c0002", 1);
    assert_int_equal(flow_number("SELECT count(*) FROM decision"), 2);
    int64_t entries = flow_number("SELECT count(*) FROM entry");
    assert_int_equal(flow_plan_at(10), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM plan"), 2);
    for (figure = 1; figure < 5; figure++) assert_int_equal(flow_plan_at(10 + figure), 0);
    figure = 0;
    assert_int_equal(flow_number("SELECT count(*) FROM entry"), entries);
    assert_int_equal(flow_number("SELECT count(*) FROM outbox"), 2);
    /* What was noted stays as it was; the newest figures stand beside it, with the facts of their plan. */
    assert_int_equal(flow_number("SELECT count(*) FROM decision WHERE noted = 1"), 2);
    assert_int_equal(flow_number("SELECT count(*) FROM decision WHERE noted = 0"), 2);
    assert_int_equal(flow_number("SELECT count(*) FROM plan"), 3);
    expect_text(
        "SELECT json_extract(d.body, '$.reasons[0].en') FROM request r JOIN decision d ON d.id = r.decision "
        "WHERE r.id = 2",
        "free now: 4");
}

static void a_change_of_outcome_is_noted_and_told_again(void **state) {
    (void)state;
    flow_decide = queue_all;
    submit("c0001", 1);
    flow_decide = flow_grant_all;
    assert_int_equal(flow_plan_at(10), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM entry WHERE kind LIKE 'decision.%'"), 2);
    assert_int_equal(flow_number("SELECT count(*) FROM outbox"), 2);
    expect_text("SELECT state FROM grants", "reserved");
}

static int plan_nobody(const struct policy *policy, const struct facts *f, struct plan *out,
                       struct err *err) {
    (void)policy;
    (void)f;
    (void)err;
    *out = (struct plan){0};
    return 0;
}

static int plan_some(struct store *s, void *arg, struct err *err) {
    static const struct decider nobody = {.open = flow_open, .close = flow_close, .plan = plan_nobody};
    struct book b;
    (void)arg;
    if (book_open(&b, s, pool, "operator cron", instant(FIXTURE_START), err) < 0) return -1;
    return engine_plan(&b, &nobody, NULL, err) < 0 ? -1 : book_close(&b, err);
}

static void a_policy_that_forgets_a_request_is_an_error(void **state) {
    (void)state;
    flow_decide = queue_all;
    submit("c0001", 1);
    flow_decide = flow_grant_all;
    assert_int_equal(store_write(store, plan_some, NULL, &e), -1);
    assert_non_null(strstr(e.what, "decided 0 of 1"));
}

static void a_stored_decision_comes_out_the_same_when_planned_again(void **state) {
    (void)state;
    struct engine_replayed r;
    int64_t id = submit("c0001", 2);
    assert_int_equal(engine_replay_request(store, &flow_decider, id, false, &r, &e), 0);
    assert_true(r.same);
    assert_true(json_equal(r.stored, r.again));
    assert_int_equal(r.request, id);
    assert_null(r.trace);
    assert_non_null(strstr(r.facts, "c0001"));
    engine_replayed_free(&r);
    flow_decide = queue_all;
    assert_int_equal(engine_replay_request(store, &flow_decider, id, false, &r, &e), 0);
    assert_false(r.same);
    engine_replayed_free(&r);
}

static void an_older_decision_is_planned_again_from_its_own_facts(void **state) {
    (void)state;
    struct engine_replayed old, new;
    flow_decide = queue_all;
    int64_t id = submit("c0001", 2), first = flow_number("SELECT decision FROM request");
    flow_decide = flow_grant_all;
    assert_int_equal(flow_plan_at(10), 0);
    assert_int_equal(engine_replay_request(store, &flow_decider, id, false, &new, &e), 0);
    assert_true(new.decision > first);
    assert_true(new.same);
    assert_string_equal(json_string_value(json_object_get(new.stored, "outcome")), "granted");
    engine_replayed_free(&new);
    flow_decide = queue_all;
    assert_int_equal(engine_replay(store, &flow_decider, first, false, &old, &e), 0);
    assert_true(old.same);
    assert_int_equal(old.request, id);
    assert_string_equal(json_string_value(json_object_get(old.stored, "outcome")), "queued");
    engine_replayed_free(&old);
    assert_int_equal(engine_replay(store, &flow_decider, 99, false, &old, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void a_request_without_a_decision_cannot_be_explained(void **state) {
    (void)state;
    struct engine_replayed r;
    assert_int_equal(engine_replay_request(store, &flow_decider, 99, false, &r, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void without_a_policy_everyone_is_held_and_that_can_be_explained(void **state) {
    (void)state;
    struct engine_replayed r;
    int64_t id = submit("c0001", 1);
    expect_text("SELECT state || ' ' || note FROM request", "held NO_POLICY");
    assert_int_equal(engine_replay_request(store, &flow_decider, id, false, &r, &e), 0);
    assert_true(r.same);
    engine_replayed_free(&r);
    assert_int_equal(flow_plan_at(10), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM decision"), 1);
}

static void names_at_the_backend_differ_between_stores(void **state) {
    (void)state;
    submit("c0001", 1);
    scoped_free char *name = flow_text("SELECT name FROM operation");
    char tail[16];
    snprintf(tail, sizeof tail, "-%.6s", store_id(store));
    assert_non_null(strstr(name, tail));
    assert_string_equal(strstr(name, tail), tail);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_granted_request_has_its_units_reserved_and_its_servers_intended,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_that_gives_more_than_the_pool_has_is_stopped_by_the_ledger,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_that_gives_past_a_tenants_ceiling_is_stopped_by_the_store,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_ceiling_of_an_organisation_holds_over_its_tenants, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lowered_ceiling_keeps_what_is_held_and_lets_nothing_new_in, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_request_that_waits_as_before_is_noted_and_told_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_change_of_outcome_is_noted_and_told_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_that_forgets_a_request_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stored_decision_comes_out_the_same_when_planned_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_older_decision_is_planned_again_from_its_own_facts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_request_without_a_decision_cannot_be_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_policy_everyone_is_held_and_that_can_be_explained,
                                        setup_without_policy, teardown),
        cmocka_unit_test_setup_teardown(names_at_the_backend_differ_between_stores, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
