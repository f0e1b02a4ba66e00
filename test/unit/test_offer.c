/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/credit.h"
#include "alloc/fault.h"
#include "alloc/offer.h"
#include "alloc/spent.h"
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#define HOLD (3 * CLOCK_DAY)

/* A policy of the test: whole if it fits, else a queue with what is free as an offer, held for three days.
   The pool has 16 cards. */
static void offer_or_give(const struct facts *f, size_t i, struct decision *d) {
    const struct fact_claim *c = &f->claims[i];
    const struct fact_flavor *v = &f->pool.flavors[0];
    int64_t given = 0;
    for (size_t k = 0; k < i; k++)
        if (f->claims[k].units.n <= v->free.n - given) given += f->claims[k].units.n;
    if (c->units.n <= v->free.n - given) {
        flow_grant_all(f, i, d);
        return;
    }
    d->outcome = OUTCOME_QUEUE;
    d->position = f->pool.waiting + (int64_t)i + 1;
    d->lease = (struct lease_terms){.start = f->now, .end = instant_after(f->now, span(90 * CLOCK_DAY))};
    d->limits = (struct plan_limits){.has_compute = true, .compute = gflops(15600 * 16)};
    flow_reason(d, REASON_NO_UNITS, "not so many are free");
    if (v->free.n - given < 1) return;
    d->offer = (struct plan_offer){.has = true,
                                   .lines = mem_alloc(sizeof *d->offer.lines),
                                   .n_lines = 1,
                                   .compute = gflops(15600 * (v->free.n - given)),
                                   .storage = c->storage,
                                   .until = {true, instant_after(f->now, span(HOLD))}};
    d->offer.lines[0] = (struct plan_line){mem_copy("v100"), 1, v->free.n - given, gflops(15600)};
}

static unsigned needs_nothing(const struct policy *policy) {
    (void)policy;
    return 0;
}

static int setup(void **state) {
    (void)state;
    flow_decider.needs = needs_nothing;
    int rc = flow_begin(&(struct flow_new){.tenants = 6, .with_policy = true});
    flow_decide = offer_or_give;
    return rc;
}

static int teardown(void **state) {
    (void)state;
    fault_arm(NULL);
    flow_decider.needs = NULL;
    return flow_end();
}

struct taking {
    int64_t request, at, grant;
};

static int take_run(struct store *s, void *arg, struct err *err) {
    struct taking *t = arg;
    struct book b;
    struct request r;
    if (request_find(s, t->request, 0, &r, err) < 0) return -1;
    int rc = book_open(&b, s, pool, "operator kim", instant(FIXTURE_START + t->at), err);
    if (rc == 0) rc = offer_accept(&b, &r, &t->grant, err);
    if (rc == 0) rc = book_close(&b, err);
    request_free(&r);
    return rc;
}

static int take(struct taking *t) {
    err_clear(&e);
    return store_write(store, take_run, t, &e);
}

static int expire_run(struct store *s, void *arg, struct err *err) {
    struct book b;
    int64_t n = 0;
    if (book_open(&b, s, pool, "operator cron", instant(FIXTURE_START + *(int64_t *)arg), err) < 0 ||
        offer_expire(&b, &n, err) < 0 || book_close(&b, err) < 0)
        return -1;
    *(int64_t *)arg = n;
    return 0;
}

static int64_t expire(int64_t at) {
    err_clear(&e);
    if (store_write(store, expire_run, &at, &e) < 0) fail_msg("%s", e.what);
    return at;
}

/* 10 of 16 are lent; c0002 asks for 12 and is offered the 6 that are left. */
static int64_t offered(void) {
    struct flow_ask first = {"c0001", 10, 0, 0, 0, NULL, 0, {0}},
                    second = {"c0002", 12, 0, FIXTURE_TB, 10, NULL, 0, {0}};
    assert_int_equal(flow_submit(&first), 0);
    if (flow_submit(&second) < 0) fail_msg("%s", e.what);
    engine_results_free(&first.results);
    engine_results_free(&second.results);
    return second.id;
}

static int64_t submit(const char *tenant, int64_t n, int64_t at, enum outcome want) {
    struct flow_ask ask = {tenant, n, 0, 0, at, NULL, 0, {0}};
    if (flow_submit(&ask) < 0) fail_msg("%s", e.what);
    assert_int_equal(engine_result_of(&ask.results, ask.id)->outcome, want);
    engine_results_free(&ask.results);
    return ask.id;
}

static void what_is_offered_is_not_free_for_others(void **state) {
    (void)state;
    offered();
    assert_int_equal(flow_number("SELECT sum(quantity) FROM offer_line WHERE item = 'unit/v100'"), 6);
    assert_int_equal(flow_number("SELECT sum(quantity) FROM offer_line WHERE item = 'storage'"), FIXTURE_TB);
    submit("c0003", 1, 20, OUTCOME_QUEUE);
    assert_int_equal(flow_number("SELECT count(*) FROM offer"), 1);
    char *told = flow_text("SELECT payload FROM outbox WHERE kind = 'offer'");
    if (!strstr(told, "v100 x 6 (93.6 TF)") || !strstr(told, "수락")) fail_msg("%s", told);
    free(told);
    assert_int_equal(flow_number("SELECT count(*) FROM entry WHERE kind = 'offer.make'"), 1);
}

static void an_offer_is_taken_whatever_has_changed(void **state) {
    (void)state;
    struct taking t = {.request = offered(), .at = HOLD - 1};
    submit("c0003", 1, 20, OUTCOME_QUEUE);
    if (take(&t) < 0) fail_msg("%s", e.what);
    assert_int_equal(flow_number("SELECT count(*) FROM offer"), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM offer_line"), 0);
    assert_int_equal(
        flow_number("SELECT units FROM grant_line WHERE tenant = (SELECT id FROM tenant WHERE name = "
                    "'c0002')"),
        6);
    /* The lease counts from the day it was taken. */
    assert_int_equal(flow_number("SELECT end_at - start_at FROM grants ORDER BY id DESC LIMIT 1"),
                     90 * CLOCK_DAY);
    assert_int_equal(flow_number("SELECT start_at FROM grants ORDER BY id DESC LIMIT 1"),
                     FIXTURE_START + HOLD - 1);
    char *shown = flow_text("SELECT state FROM request WHERE id = 2");
    assert_string_equal(shown, "granted");
    free(shown);
    struct engine_replayed r;
    if (engine_replay_request(store, &flow_decider, t.request, false, &r, &e) < 0) fail_msg("%s", e.what);
    assert_true(r.same);
    assert_string_equal(json_string_value(json_object_get(r.stored, "outcome")), "partial");
    engine_replayed_free(&r);
    assert_int_equal(take(&t), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
}

static void an_offer_that_is_not_taken_in_time_ends_once(void **state) {
    (void)state;
    struct taking t = {.request = offered(), .at = 10 + HOLD};
    assert_int_equal(take(&t), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    if (!strstr(e.what, "the offer of r-2 ended at")) fail_msg("%s", e.what);
    assert_int_equal(expire(10 + HOLD - 1), 0);
    assert_int_equal(expire(10 + HOLD), 1);
    assert_int_equal(expire(10 + HOLD), 0);
    assert_int_equal(take(&t), -1);
    if (!strstr(e.what, "the offer of r-2 ended at") || !strstr(e.what, "(expired)")) fail_msg("%s", e.what);
    assert_int_equal(flow_number("SELECT count(*) FROM entry WHERE kind = 'offer.end'"), 1);
    assert_int_equal(flow_number("SELECT count(*) FROM outbox WHERE kind = 'offer'"), 2);
    /* It let 6 pass: the same is not kept for it again, and is free for others. */
    assert_int_equal(flow_plan_at(20 + HOLD), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM offer"), 0);
    submit("c0003", 6, 30 + HOLD, OUTCOME_GRANT);
}

static int withdraw_run(struct store *s, void *arg, struct err *err) {
    struct request r;
    struct book b;
    if (request_find(s, *(int64_t *)arg, 0, &r, err) < 0) return -1;
    int rc = book_open(&b, s, pool, "operator kim", instant(FIXTURE_START + 40), err);
    if (rc == 0) rc = request_withdraw(&b, &r, err);
    if (rc == 0) rc = book_close(&b, err);
    request_free(&r);
    return rc;
}

static void who_withdraws_loses_the_offer_and_others_are_planned(void **state) {
    (void)state;
    int64_t id = offered();
    submit("c0003", 2, 20, OUTCOME_QUEUE);
    if (store_write(store, withdraw_run, &id, &e) < 0) fail_msg("%s", e.what);
    assert_int_equal(flow_number("SELECT count(*) FROM offer"), 0);
    /* Something came free: the next submit plans the one that waited too. */
    submit("c0004", 1, 50, OUTCOME_GRANT);
    assert_int_equal(flow_number("SELECT count(*) FROM request WHERE state = 'granted'"), 3);
}

static void a_tenant_has_one_offer_at_a_time(void **state) {
    (void)state;
    offered();
    submit("c0002", 14, 20, OUTCOME_QUEUE);
    assert_int_equal(flow_number("SELECT count(*) FROM offer"), 1);
    struct taking t = {.request = 3, .at = 30};
    assert_int_equal(take(&t), -1);
    if (!strstr(e.what, "request r-3 has no offer: it is queued")) fail_msg("%s", e.what);
}

/* ---- credits and standings ---- */

static void credits_fade_by_half_in_ninety_days(void **state) {
    (void)state;
    const int64_t half = 90 * CLOCK_DAY;
    assert_int_equal(credit_decayed(1000, 0), 1000);
    assert_int_equal(credit_decayed(1000, half), 500);
    assert_int_equal(credit_decayed(-1000, half), -500);
    assert_int_equal(credit_decayed(1000, half / 2), 750);
    assert_int_equal(credit_decayed(1000, 2 * half), 250);
    assert_int_equal(credit_decayed(CREDITS_MOST, 100 * half), 0);
    assert_int_equal(credit_decayed(1, half), 0);
    for (int64_t t = 0, last = 1000000; t < 4 * half; t += half / 50) { /* never up */
        int64_t now = credit_decayed(1000000, t);
        assert_true(now <= last && now >= 0);
        last = now;
    }
    /* 10 TF entitled, 4 TF held for 30 days: 180 TF-days. */
    int64_t month = 30 * CLOCK_DAY;
    assert_int_equal(credit_settled(0, gflops(10000), (wide_t)4000 * month, month), 180);
    assert_int_equal(credit_settled(0, gflops(4000), (wide_t)10000 * month, month), -180);
    assert_int_equal(credit_settled(120, gflops(0), 0, half), 60);
    assert_int_equal(credit_settled(7, gflops(5), 0, 0), 7);
    assert_int_equal(credit_settled(0, gflops(GFLOPS_MOST), 0, half), CREDITS_MOST);
    assert_int_equal(credit_settled(0, gflops(0), (wide_t)GFLOPS_MOST * half, half), -CREDITS_MOST);
}

static size_t assessed;
static int assess_all(const struct policy *policy, const struct facts *f, struct standing *out,
                      struct err *err) {
    (void)policy;
    (void)err;
    assessed += f->n_tenants;
    for (size_t i = 0; i < f->n_tenants; i++)
        out[i] = (struct standing){.eligible = true,
                                   .tier = mem_copy("one"),
                                   .rule = mem_copy("T1"),
                                   .weight = 1,
                                   .guarantee = gflops(15600)};
    return 0;
}

static int suspend_run(struct store *s, void *arg, struct err *err) {
    struct book b;
    struct tenant t;
    (void)arg;
    if (tenant_load(s, 3, &t, err) < 0 ||
        book_open(&b, s, 0, "admin kim", instant(FIXTURE_START + 5), err) < 0)
        return -1;
    int rc = tenant_set_state(&b, &t.row, TENANT_SUSPENDED, "test", err);
    tenant_free(&t);
    return rc < 0 ? -1 : book_close(&b, err);
}

static void standings_are_made_once_a_day_and_credits_settled_at_the_end_of_a_lease(void **state) {
    (void)state;
    flow_decider.assess = assess_all;
    assessed = 0;
    flow_decide = flow_grant_all;
    submit("c0001", 4, 0, OUTCOME_GRANT);
    assert_int_equal(assessed, 6);
    submit("c0002", 2, 1, OUTCOME_GRANT);
    assert_int_equal(assessed, 6);
    char *facts = flow_text("SELECT facts FROM plan ORDER BY id DESC LIMIT 1");
    /* The five others are promised 15.6 TF each; c0001 uses its own. */
    if (!strstr(facts, "\"promised\":{\"guarantees_gflops\":78000,\"unused_gflops\":62400}"))
        fail_msg("%s", facts);
    free(facts);
    if (store_write(store, suspend_run, NULL, &e) < 0) fail_msg("%s", e.what);
    submit("c0002", 1, 6, OUTCOME_GRANT);
    assert_int_equal(assessed, 7);
    submit("c0002", 1, CLOCK_DAY, OUTCOME_GRANT);
    assert_int_equal(assessed, 13);
    struct fixture_step step = {.act = FIXTURE_PRESENT, .pool = pool, .at = CLOCK_DAY, .grant = 1};
    assert_int_equal(fixture_do(store, &step, &e), 0);
    step.act = FIXTURE_RELEASE;
    step.at = 30 * CLOCK_DAY;
    if (fixture_do(store, &step, &e) < 0) fail_msg("%s", e.what);
    /* 16 cards of 15.6 TF for six: 41.6 TF, held 62.4 TF for 30 days. */
    assert_int_equal(flow_number("SELECT credits FROM credit"), (41600 - 62400) * 30 / 1000);
    assert_int_equal(flow_number("SELECT count(*) FROM entry WHERE kind = 'credit.settle'"), 1);
    flow_decider.assess = NULL;
}

static int64_t spent_month(int64_t tenant, int64_t at) {
    struct fact_spent spent[FACT_PERIODS];
    if (spent_load(store, pool, tenant, tenant, instant(FIXTURE_START + at), spent, &e) < 0)
        fail_msg("%s", e.what);
    return spent[FACT_MONTH].compute_gflops_seconds;
}

/* 2027-01-15 17:00 in Korea; the month ends 16 days and 7 hours later. */
static void what_is_spent_counts_to_the_end_of_lease_or_period(void **state) {
    (void)state;
    const int64_t left = 16 * CLOCK_DAY + 7 * 3600;
    flow_decide = flow_grant_all;
    submit("c0001", 2, 0, OUTCOME_GRANT);
    assert_int_equal(spent_month(1, 0), 31200 * left);
    assert_int_equal(spent_month(1, CLOCK_DAY), 31200 * left); /* spent and yet to come add up the same */
    struct fixture_step step = {.act = FIXTURE_PRESENT, .pool = pool, .at = 10, .grant = 1};
    assert_int_equal(fixture_do(store, &step, &e), 0);
    step.act = FIXTURE_RELEASE;
    step.at = 2 * CLOCK_DAY;
    assert_int_equal(fixture_do(store, &step, &e), 0);
    step.act = FIXTURE_ALL_GONE;
    assert_int_equal(fixture_do(store, &step, &e), 0);
    assert_int_equal(spent_month(1, 3 * CLOCK_DAY), 31200 * 2 * CLOCK_DAY);
    assert_int_equal(spent_month(1, left), 0); /* another month */
    assert_int_equal(spent_month(2, 3 * CLOCK_DAY), 0);
}

/* Only what is new is planned while nothing comes free. */
static size_t planned;
static void count_and_queue(const struct facts *f, size_t i, struct decision *d) {
    planned = f->n_claims;
    d->outcome = OUTCOME_QUEUE;
    d->position = f->pool.waiting + (int64_t)i + 1;
    flow_reason(d, REASON_NO_UNITS, "none");
}

static void those_that_can_only_wait_on_are_not_planned_again(void **state) {
    (void)state;
    flow_decide = count_and_queue;
    submit("c0001", 1, 0, OUTCOME_QUEUE);
    submit("c0002", 2, 1, OUTCOME_QUEUE);
    submit("c0003", 4, 2, OUTCOME_QUEUE);
    assert_int_equal(planned, 1);
    char *facts = flow_text("SELECT facts FROM plan ORDER BY id DESC LIMIT 1");
    if (!strstr(facts, "\"waiting\":2") || !strstr(facts, "\"waiting_gflops\":46800")) fail_msg("%s", facts);
    free(facts);
    char *body = flow_text("SELECT body FROM decision WHERE request = 3");
    if (!strstr(body, "\"position\":3")) fail_msg("%s", body);
    free(body);
    flow_decider.needs = NULL; /* a policy that needs those that wait */
    submit("c0004", 1, 3, OUTCOME_QUEUE);
    assert_int_equal(planned, 4);
    flow_decider.needs = needs_nothing;
    submit("c0005", 1, 4, OUTCOME_QUEUE);
    assert_int_equal(planned, 1);
    flow_decide = flow_grant_all;
    struct fixture_step step = {
        .act = FIXTURE_GRANT, .pool = pool, .at = 5, .tenant = 6, .tenant_id = 6, .size = 1, .count = 1};
    if (fixture_do(store, &step, &e) < 0) fail_msg("%s", e.what);
    step.act = FIXTURE_VOID;
    assert_int_equal(fixture_do(store, &step, &e), 0);
    step.act = FIXTURE_ALL_GONE;
    assert_int_equal(fixture_do(store, &step, &e), 0);
    flow_decide = count_and_queue;
    submit("c0001", 1, 6, OUTCOME_QUEUE);
    assert_int_equal(planned, 6); /* a unit came free: all are tried */
}

static void a_fault_on_the_way_leaves_the_offer_or_the_grant(void **state) {
    (void)state;
    struct taking t = {.request = offered(), .at = 20};
    int failed = 0;
    for (int n = 0;; n++) {
        char arm[32];
        snprintf(arm, sizeof arm, "%d:error", n);
        fault_arm(arm);
        int rc = take(&t);
        fault_arm(NULL);
        int64_t offers = flow_number("SELECT count(*) FROM offer"),
                grants = flow_number("SELECT count(*) FROM grants WHERE request = 2");
        assert_int_equal(offers + grants, 1); /* never both, never neither */
        if (rc == 0) break;
        failed++;
        if (e.code == ERR_UNKNOWN) break; /* after the commit */
        assert_int_equal(offers, 1);
    }
    assert_true(failed >= 6);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_offered_is_not_free_for_others),
        CASE(an_offer_is_taken_whatever_has_changed),
        CASE(an_offer_that_is_not_taken_in_time_ends_once),
        CASE(who_withdraws_loses_the_offer_and_others_are_planned),
        CASE(a_tenant_has_one_offer_at_a_time),
        CASE(those_that_can_only_wait_on_are_not_planned_again),
        CASE(credits_fade_by_half_in_ninety_days),
        CASE(standings_are_made_once_a_day_and_credits_settled_at_the_end_of_a_lease),
        CASE(what_is_spent_counts_to_the_end_of_lease_or_period),
        CASE(a_fault_on_the_way_leaves_the_offer_or_the_grant),
    };
    return cmocka_run_group_tests_name("offer", tests, NULL, NULL);
}
