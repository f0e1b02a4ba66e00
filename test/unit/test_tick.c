/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/tick.h"

#include "alloc/outbox.h"
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY CLOCK_DAY

static int setup(void **state) {
    (void)state;
    return flow_begin(&(struct flow_new){3, true});
}

static int teardown(void **state) {
    (void)state;
    return flow_end();
}

struct at {
    int64_t s;
    const char *kind; /* of a message */
    bool confirm;
    int64_t most;
};

/* One tick at that many seconds after the start; the status, with the report's sums in *r. */
static int tick_at(int64_t s, struct at how, struct tick_report *r) {
    struct tick_options o = {.decider = &flow_decider,
                             .actor = "operator cron",
                             .now = instant(FIXTURE_START + s),
                             .confirm = how.confirm,
                             .releases_most = how.most ? how.most : 20,
                             .gap_most = span(25 * 3600)};
    err_clear(&e);
    int rc = tick(store, &o, r, &e);
    tick_report_free(r);
    return rc;
}

static void ticks(int64_t s, struct tick_report *r) {
    if (tick_at(s, (struct at){.confirm = true}, r) < 0) fail_msg("%s", e.what);
}

static int deliver_run(struct store *s, void *arg, struct err *err) {
    const struct at *a = arg;
    struct book b;
    int64_t id = 0;
    if (book_open(&b, s, 0, "operator cron", instant(FIXTURE_START + a->s), err) < 0 ||
        sql_int(s, err, &id, "SELECT id FROM outbox WHERE kind = $1 AND delivered_at IS NULL", "s", a->kind) <
            0 ||
        outbox_delivered(&b, id, err) < 0)
        return -1;
    return book_close(&b, err);
}

static void deliver(int64_t s, const char *kind) {
    struct at a = {.s = s, .kind = kind};
    if (store_write(store, deliver_run, &a, &e) < 0) fail_msg("%s: %s", kind, e.what);
}

static int64_t give(int64_t storage) {
    struct flow_ask a = {.tenant = "c0001", .units = 2, .storage = storage};
    struct fixture_step present = {.act = FIXTURE_PRESENT, .pool = pool};
    if (flow_submit(&a) < 0) fail_msg("%s", e.what);
    present.grant = engine_result_of(&a.results, a.id)->grant;
    engine_results_free(&a.results);
    if (fixture_do(store, &present, &e) < 0) fail_msg("%s", e.what);
    return present.grant;
}

static void expect_state(const char *wanted) {
    scoped_free char *got = flow_text("SELECT state FROM grants WHERE id = 1");
    assert_string_equal(got, wanted);
}

static void settle_gone(const char *which) {
    struct fixture_step gone = {
        .act = strcmp(which, "all") == 0 ? FIXTURE_ALL_GONE : FIXTURE_SERVERS_GONE, .pool = pool, .grant = 1};
    if (fixture_do(store, &gone, &e) < 0) fail_msg("%s", e.what);
}

static void each_step_comes_at_its_second_and_not_before(void **state) {
    (void)state;
    struct tick_report r;
    give(FIXTURE_TB);
    ticks(76 * DAY - 1, &r);
    expect_state("active");
    ticks(76 * DAY, &r);
    assert_int_equal(r.notices, 1);
    expect_state("notice");
    deliver(76 * DAY, "notice");
    ticks(90 * DAY - 1, &r);
    expect_state("notice");
    ticks(90 * DAY, &r);
    assert_int_equal(r.graces, 1);
    ticks(97 * DAY - 1, &r);
    expect_state("grace");
    ticks(97 * DAY, &r);
    assert_int_equal(r.releases, 1);
    expect_state("releasing");
    settle_gone("servers");
    expect_state("kept");
    ticks(97 * DAY + 16 * DAY - 1, &r);
    assert_int_equal(r.purge_notices, 0);
    ticks(97 * DAY + 16 * DAY, &r);
    assert_int_equal(r.purge_notices, 1);
    ticks(97 * DAY + 17 * DAY, &r);
    assert_int_equal(r.purge_notices, 0);
    deliver(97 * DAY + 17 * DAY, "purge-notice");
    ticks(97 * DAY + 30 * DAY - 1, &r);
    expect_state("kept");
    ticks(97 * DAY + 30 * DAY, &r);
    assert_int_equal(r.purges, 1);
    settle_gone("all");
    expect_state("ended");
}

static void nothing_ends_on_a_notice_that_nobody_got(void **state) {
    (void)state;
    struct tick_report r;
    give(FIXTURE_TB);
    ticks(400 * DAY, &r);
    assert_int_equal(r.notices, 1);
    assert_int_equal(r.graces, 1);
    assert_int_equal(r.waiting_for_delivery, 1);
    expect_state("grace");
    deliver(400 * DAY, "notice");
    ticks(407 * DAY - 1, &r);
    expect_state("grace");
    ticks(407 * DAY, &r);
    expect_state("releasing");
    settle_gone("servers");
    ticks(500 * DAY, &r);
    assert_int_equal(r.purge_notices, 1);
    ticks(600 * DAY, &r);
    assert_int_equal(r.purges, 0);
    assert_int_equal(r.waiting_for_delivery, 1);
    deliver(600 * DAY, "purge-notice");
    ticks(607 * DAY - 1, &r);
    assert_int_equal(r.purges, 0);
    ticks(607 * DAY, &r);
    assert_int_equal(r.purges, 1);
}

static void a_grant_without_volumes_has_no_second_notice(void **state) {
    (void)state;
    struct tick_report r;
    give(0);
    ticks(80 * DAY, &r);
    deliver(80 * DAY, "notice");
    ticks(97 * DAY, &r);
    settle_gone("servers");
    expect_state("ended");
    ticks(300 * DAY, &r);
    assert_int_equal(r.purge_notices, 0);
}

static void the_clock_is_guarded_and_a_refusal_changes_nothing(void **state) {
    (void)state;
    struct tick_report r;
    give(FIXTURE_TB);
    assert_int_equal(tick_at(0, (struct at){0}, &r), 0);
    assert_int_equal(tick_at(25 * 3600 + 1, (struct at){0}, &r), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(tick_at(25 * 3600, (struct at){0}, &r), 0);
    assert_int_equal(tick_at(25 * 3600 - 1, (struct at){0}, &r), -1);
    assert_non_null(strstr(e.what, "was written before"));
    int64_t entries = flow_number("SELECT count(*) FROM entry");
    assert_int_equal(tick_at(365 * DAY, (struct at){0}, &r), -1);
    assert_non_null(strstr(e.what, "give notice of g-1 of c0001"));
    assert_non_null(strstr(e.hint, "--confirm"));
    expect_state("active");
    assert_int_equal(flow_number("SELECT count(*) FROM entry"), entries);
    assert_int_equal(flow_number("SELECT count(*) FROM outbox WHERE kind = 'notice'"), 0);
}

static void the_first_tick_goes_on_when_it_would_do_nothing(void **state) {
    (void)state;
    struct tick_report r;
    assert_int_equal(tick_at(30 * DAY, (struct at){0}, &r), 0);
}

static void the_first_tick_refuses_to_act_long_after_the_last_entry(void **state) {
    (void)state;
    struct tick_report r;
    give(0);
    assert_int_equal(tick_at(80 * DAY, (struct at){0}, &r), -1);
    assert_non_null(strstr(e.what, "never run"));
    expect_state("active");
}

static void more_ends_than_allowed_are_refused_all_of_them(void **state) {
    (void)state;
    struct tick_report r;
    for (int i = 0; i < 3; i++) give(0);
    ticks(80 * DAY, &r);
    for (int i = 0; i < 3; i++) deliver(80 * DAY, "notice");
    ticks(96 * DAY, &r);
    assert_int_equal(tick_at(97 * DAY, (struct at){.most = 2}, &r), -1);
    assert_non_null(strstr(e.what, "end 3 grants at once"));
    expect_state("grace");
    assert_int_equal(tick_at(97 * DAY, (struct at){.most = 3}, &r), 0);
    expect_state("releasing");
}

static int renew_run(struct store *s, void *arg, struct err *err) {
    struct book b;
    struct grant g;
    (void)arg;
    if (book_open(&b, s, pool, "operator kim", instant(FIXTURE_START + 77 * DAY), err) < 0 ||
        grant_find(s, 1, 0, &g, err) < 0)
        return -1;
    int rc = grant_extend(&b, &g, g.end, true, err);
    grant_free(&g);
    return rc < 0 ? -1 : book_close(&b, err);
}

static void a_renewed_grant_is_told_of_its_new_end(void **state) {
    (void)state;
    struct tick_report r;
    give(0);
    ticks(76 * DAY, &r);
    deliver(76 * DAY, "notice");
    assert_int_equal(store_write(store, renew_run, NULL, &e), 0);
    expect_state("active");
    ticks(166 * DAY - 1, &r);
    expect_state("active");
    ticks(166 * DAY, &r);
    assert_int_equal(r.notices, 1);
    ticks(187 * DAY, &r);
    assert_int_equal(r.waiting_for_delivery, 1);
    assert_int_equal(store_write(store, renew_run, NULL, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_step_comes_at_its_second_and_not_before, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_ends_on_a_notice_that_nobody_got, setup, teardown),
        cmocka_unit_test_setup_teardown(a_grant_without_volumes_has_no_second_notice, setup, teardown),
        cmocka_unit_test_setup_teardown(the_clock_is_guarded_and_a_refusal_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_tick_goes_on_when_it_would_do_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_tick_refuses_to_act_long_after_the_last_entry, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_ends_than_allowed_are_refused_all_of_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_renewed_grant_is_told_of_its_new_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
