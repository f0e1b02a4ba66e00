/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: the order of the scores, the share that is never passed, the reserve list, and what a call adds to a
 * decision. */
#include "alloc/call_award.h"
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- scores ---- */

static void scores_are_exact_in_thousandths(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t score;
    } good[] = {{"0", 0}, {"88.5", 88500}, {"88.333", 88333}, {"007.01", 7010}, {"1000000", 1000000000}};
    static const char *const bad[] = {
        "",    ".5",    "88.",         "-1",       "+1",     "1e3", "88,5", " 88",
        "88 ", "1.2.3", "1000000.001", "12345678", "1.2345", "x",   "٨",    "99999999999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t n = -1;
        assert_int_equal(score_parse(good[i].text, &n, &e), 0);
        assert_int_equal(n, good[i].score);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t n = -1;
        struct err why = {0};
        if (score_parse(bad[i], &n, &why) == 0) fail_msg("'%s' passes", bad[i]);
        assert_int_equal(why.code, ERR_USAGE);
        assert_int_equal(n, -1);
    }
}

static struct call_entry entry(int64_t request, int64_t sum, int64_t reviewers, int64_t submitted) {
    return (struct call_entry){
        .request = request, .sum = sum, .reviewers = reviewers, .submitted = instant(submitted)};
}

static void means_are_compared_as_fractions(void **state) {
    (void)state;
    /* 265/3 = 88.333.. is less than 88.334 and more than 88.333; 530/6 is the same as 265/3 */
    struct call_entry of[] = {entry(1, 265000, 3, 5), entry(2, 88334, 1, 9), entry(3, 88333, 1, 1),
                              entry(4, 530000, 6, 4), entry(5, 0, 0, 0),     entry(6, 0, 1, 9),
                              entry(7, 530000, 6, 4)};
    static const int64_t wanted[] = {2, 4, 7, 1,
                                     3, 6, 5}; /* 5 has no score: last, even behind a score of 0 */
    call_rank(of, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(of[i].request, wanted[i]);
        assert_int_equal(of[i].rank, (int64_t)i + 1);
    }
}

/* A small generator with its seed in the test: the same worlds each time. */
static uint64_t dice = 1;
static int64_t roll(int64_t n) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)(dice >> 33) % n;
}

static void the_order_does_not_depend_on_the_order_of_the_input(void **state) {
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct call_entry a[12], b[12];
        size_t n = (size_t)roll(12) + 1;
        for (size_t i = 0; i < n; i++) {
            int64_t reviewers = roll(4);
            a[i] = entry((int64_t)i + 1, reviewers ? roll(reviewers * 5) * 1000 : 0, reviewers, roll(3));
        }
        memcpy(b, a, n * sizeof *a);
        for (size_t i = n; i > 1; i--) {
            size_t k = (size_t)roll((int64_t)i);
            struct call_entry t = b[i - 1];
            b[i - 1] = b[k], b[k] = t;
        }
        call_rank(a, n);
        call_rank(b, n);
        for (size_t i = 0; i < n; i++) assert_int_equal(a[i].request, b[i].request);
        for (size_t i = 1; i < n; i++) /* the reference: no better mean stands behind */
            assert_true(a[i].reviewers == 0 ||
                        a[i - 1].sum * a[i].reviewers >= a[i].sum * a[i - 1].reviewers);
    }
}

/* ---- what a call adds to a decision ---- */

static void one_that_waits_for_its_award_asks_no_policy(void **state) {
    (void)state;
    struct fact_claim claim = {.id = "r-7"};
    assert_false(call_waits(&claim));
    claim.call = "spring";
    assert_true(call_waits(&claim));
    claim.ranked = true;
    assert_false(call_waits(&claim));
}

static void what_the_policy_would_queue_stands_on_the_reserve_list(void **state) {
    (void)state;
    struct reason reason = {.code = REASON_NO_UNITS, .en = (char *)"none free", .ko = (char *)"없음"};
    struct decision d = {.claim = (char *)"r-7",
                         .outcome = OUTCOME_QUEUE,
                         .position = 3,
                         .reasons = &reason,
                         .n_reasons = 1},
                    told;
    struct fact_claim claim = {.id = "r-7", .call = "spring", .ranked = true, .rank = 4};
    d.offer.has = true;
    assert_true(call_turn(&claim, &d, &told));
    assert_int_equal(told.outcome, OUTCOME_HOLD);
    assert_int_equal(told.n_reasons, 2);
    assert_int_equal(told.reasons[0].code, REASON_RESERVE_LIST);
    assert_int_equal(told.reasons[1].code, REASON_NO_UNITS);
    assert_false(told.offer.has);
    assert_int_equal(told.position, 0);
    call_turn_free(&d, &told);
    d.outcome = OUTCOME_GRANT;
    assert_true(call_turn(&claim, &d, &told));
    assert_int_equal(told.outcome, OUTCOME_GRANT);
    assert_int_equal(told.reasons[0].code, REASON_NO_UNITS);
    assert_int_equal(told.reasons[1].code, REASON_IN_CALL);
    call_turn_free(&d, &told);
    d.outcome = OUTCOME_DENY;
    assert_false(call_turn(&claim, &d, &told));
    claim.call = NULL;
    d.outcome = OUTCOME_QUEUE;
    assert_false(call_turn(&claim, &d, &told));
}

static void the_share_bounds_what_is_free(void **state) {
    (void)state;
    struct fact_flavor flavors[] = {{.name = "v100", .rating = gflops(15600), .free = units(16)},
                                    {.name = "t4", .rating = gflops(8100), .free = units(2)},
                                    {.name = "chip", .unrated = true, .free = units(4)}};
    struct fact_claim claim = {.id = "r-1", .storage = bytes(6), .datalake = bytes(5)};
    struct facts facts = {
        .pool = {.flavors = flavors, .n_flavors = 3, .storage_free = bytes(100), .datalake_free = bytes(100)},
        .claims = &claim,
        .n_claims = 1};
    struct call_share share = {true, true, gflops(40000), bytes(10)};
    call_share_limit(&facts, &share);
    assert_int_equal(flavors[0].free.n, 2);
    assert_int_equal(flavors[1].free.n, 2);
    assert_int_equal(flavors[2].free.n, 4); /* without a figure it is no part of a share of compute */
    assert_int_equal(facts.pool.storage_free.n, 10);
    assert_int_equal(facts.pool.datalake_free.n, 4); /* together they would be 11 */
    struct plan_line lines[] = {{(char *)"t4", 1, 2, gflops(8100)}, {(char *)"v100", 2, 1, gflops(15600)}};
    struct decision d = {.outcome = OUTCOME_GRANT, .lines = lines, .n_lines = 2, .compute = gflops(47400)};
    assert_true(call_share_passed(&facts, &share, &d)); /* 2 x 8.1 + 2 x 15.6 > 40 */
    assert_int_equal(flavors[0].free.n, 2);
    assert_int_equal(flavors[1].free.n, 0);
    d.compute = gflops(31200);
    assert_false(call_share_passed(&facts, &share, &d));
}

/* ---- awards in a store ---- */

static int64_t elsewhere_denied; /* this request the policy denies */

/* A policy that gives what is asked where it is free, and less down to the minimum. */
static void give_what_is_free(const struct facts *f, size_t i, struct decision *d) {
    const struct fact_claim *c = &f->claims[i];
    int64_t left = 0, number = strtoll(c->id + 2, NULL, 10);
    for (size_t k = 0; k < f->pool.n_flavors; k++)
        if (strcmp(f->pool.flavors[k].name, "v100") == 0) left = f->pool.flavors[k].free.n;
    if (number == elsewhere_denied) {
        d->outcome = OUTCOME_DENY;
        flow_reason(d, REASON_NOT_ELIGIBLE, "not eligible");
    } else if (left >= c->units.n && f->pool.storage_free.n >= c->storage.n) {
        flow_grant_all(f, i, d);
    } else {
        d->outcome = OUTCOME_QUEUE;
        flow_reason(d, REASON_NO_UNITS, "not free");
    }
}

static int begin(void **state) {
    (void)state;
    e = (struct err){0};
    elsewhere_denied = 0;
    if (flow_begin(&(struct flow_new){6, true}) < 0) return -1;
    flow_decide = give_what_is_free;
    return 0;
}

static int end(void **state) {
    (void)state;
    return flow_end();
}

struct world {
    int64_t compute; /* of the share; 0: none */
    int64_t at, sign_by;
    int64_t n, units[16], score[16], storage;
    int64_t request; /* to be declined */
    struct engine_results results;
};

static int build_run(struct store *s, void *arg, struct err *err) {
    struct world *w = arg;
    struct call_new n = {.name = "spring", .has_compute = w->compute > 0, .compute = gflops(w->compute)};
    struct book b;
    int64_t id;
    if (book_open(&b, s, pool, "operator kim", instant(FIXTURE_START), err) < 0 ||
        call_open(&b, &n, &id, err) < 0)
        return -1;
    for (int64_t i = 0; i < w->n; i++) {
        char tenant[16], row[64];
        text_format(tenant, sizeof tenant, "c%04lld", (long long)(i % 6 + 1));
        struct request_new r = {.tenant = tenant,
                                .purpose = "",
                                .flavor = "v100",
                                .ask = ASK_UNITS,
                                .units = units(w->units[i]),
                                .storage = bytes(w->storage),
                                .call = "spring"};
        struct call_row c;
        if (request_insert(&b, &r, &id, err) < 0 || call_find(s, "spring", &c, err) < 0) return -1;
        text_format(row, sizeof row, "request,reviewer,score\nr-%lld,kim,%lld\n", (long long)id,
                    (long long)w->score[i]);
        struct call_scores in = {.bytes = row, .length = strlen(row), .title = "s.csv"};
        int rc = call_score(&b, &c, &in, err);
        call_row_free(&c);
        if (rc < 0) return -1;
    }
    return engine_plan(&b, &flow_decider, NULL, err) < 0 ? -1 : book_close(&b, err);
}

static int award_run(struct store *s, void *arg, struct err *err) {
    struct world *w = arg;
    struct maybe_instant sign_by = {w->sign_by > 0, instant(FIXTURE_START + w->sign_by)};
    struct call_row c;
    struct book b;
    if (book_open(&b, s, pool, "admin kim", instant(FIXTURE_START + 10), err) < 0 ||
        call_find(s, "spring", &c, err) < 0)
        return -1;
    int rc = strcmp(c.state, "open") == 0 ? call_close(&b, &c, err) : 0;
    call_row_free(&c);
    if (rc < 0 || call_find(s, "spring", &c, err) < 0) return -1;
    rc = call_award(&b, &flow_decider, &c, sign_by, &w->results, err);
    call_row_free(&c);
    return rc < 0 ? -1 : book_close(&b, err);
}

static int decline_run(struct store *s, void *arg, struct err *err) {
    struct world *w = arg;
    struct request r;
    struct book b;
    if (book_open(&b, s, pool, "operator kim", instant(FIXTURE_START + 20), err) < 0 ||
        request_find(s, w->request, 0, &r, err) < 0)
        return -1;
    int rc = call_decline(&b, &r, "test", err);
    if (rc == 0) rc = call_fill(&b, &flow_decider, r.call, NULL, err);
    request_free(&r);
    return rc < 0 ? -1 : book_close(&b, err);
}

static void awarded(struct world *w) {
    assert_int_equal(store_write(store, build_run, w, &e), 0);
    assert_int_equal(store_write(store, award_run, w, &e), 0);
    engine_results_free(&w->results);
}

static void states_are(const char *wanted) {
    scoped_free char *are =
        flow_text("SELECT group_concat(rank || state, ' ') FROM (SELECT * FROM call_request ORDER BY rank)");
    assert_string_equal(are, wanted);
}

static void who_does_not_fit_does_not_stop_those_behind(void **state) {
    (void)state;
    awarded(&(struct world){.compute = 12 * 15600, .n = 4, .units = {8, 8, 4, 1}, .score = {90, 80, 70, 60}});
    states_are("1awarded 2reserve 3awarded 4reserve");
    assert_int_equal(flow_number("SELECT sum(compute_gflops) FROM call_request"), 12 * 15600);
    assert_int_equal(flow_number("SELECT count(*) FROM grants WHERE call = 1"), 2);
    assert_int_equal(flow_number("SELECT count(*) FROM request WHERE note = 'RESERVE_LIST'"), 2);
}

static void an_award_is_made_once(void **state) {
    (void)state;
    struct world w = {.n = 1, .units = {1}, .score = {1}};
    awarded(&w);
    assert_int_equal(store_write(store, award_run, &w, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    err_clear(&e);
    assert_int_equal(flow_number("SELECT count(*) FROM grants"), 1);
}

static void who_declines_makes_room_for_the_next_by_rank(void **state) {
    (void)state;
    struct world w = {.compute = 8 * 15600, .n = 3, .units = {8, 8, 8}, .score = {70, 90, 80}, .request = 2};
    awarded(&w);
    states_are("1awarded 2reserve 3reserve"); /* r-2, r-3, r-1 */
    assert_int_equal(store_write(store, decline_run, &w, &e), 0);
    states_are("1declined 2awarded 3reserve");
    assert_int_equal(flow_number("SELECT request FROM call_request WHERE state = 'awarded'"), 3);
    assert_int_equal(flow_number("SELECT count(*) FROM entry WHERE kind = 'call.move-up' AND request = 3"),
                     1);
    assert_int_equal(flow_number("SELECT count(*) FROM outbox WHERE kind = 'awarded' AND request = 3"), 1);
    assert_int_equal(store_write(store, decline_run, &w, &e), -1); /* once */
    assert_int_equal(e.code, ERR_CONFLICT);
    err_clear(&e);
}

static void one_that_the_policy_denies_is_out(void **state) {
    (void)state;
    elsewhere_denied = 1;
    awarded(&(struct world){.compute = 8 * 15600, .n = 2, .units = {8, 8}, .score = {90, 80}});
    states_are("1out 2awarded");
}

static void the_storage_of_a_call_has_its_share_too(void **state) {
    (void)state;
    struct world w = {.n = 3, .units = {1, 1, 1}, .score = {3, 2, 1}, .storage = 4 * FIXTURE_TB};
    assert_int_equal(store_write(store, build_run, &w, &e), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM request WHERE note = 'IN_CALL'"), 3);
    /* as if it had been opened with --storage '10 TB' */
    scoped_json json_t *done =
        sql_json(store, &e, "UPDATE call SET storage_bytes = 10000000000000 RETURNING id", "");
    assert_non_null(done);
    assert_int_equal(store_write(store, award_run, &w, &e), 0);
    engine_results_free(&w.results);
    states_are("1awarded 2awarded 3reserve");
    assert_int_equal(flow_number("SELECT sum(storage_bytes) FROM call_request"), 8 * FIXTURE_TB);
}

struct refusal {
    int64_t grant, request;
    bool approve;
};

static int refusal_run(struct store *s, void *arg, struct err *err) {
    const struct refusal *f = arg;
    struct request r;
    struct book b;
    if (book_open(&b, s, pool, "operator lee", instant(FIXTURE_START + 30), err) < 0) return -1;
    if (!f->approve && fixture_settle(&b, f->grant, "server", SETTLED_REFUSED, err) < 0) return -1;
    if (f->approve) {
        if (request_find(s, f->request, 0, &r, err) < 0) return -1;
        int rc = request_approve(&b, &r, "operator lee", err);
        request_free(&r);
        if (rc < 0 || engine_plan(&b, &flow_decider, NULL, err) < 0) return -1;
    }
    return book_close(&b, err);
}

/* A backend's refusal is no decline: the share stays the firm's until a person has seen to it. */
static void what_a_backend_refused_keeps_its_place(void **state) {
    (void)state;
    awarded(&(struct world){.compute = 4 * 15600, .n = 2, .units = {4, 4}, .score = {9, 8}});
    assert_int_equal(store_write(store, refusal_run, &(struct refusal){.grant = 1}, &e), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM request WHERE note LIKE 'BACKEND_REFUSED%'"), 1);
    states_are("1awarded 2reserve");
    struct refusal again = {.request = 1, .approve = true};
    assert_int_equal(store_write(store, refusal_run, &again, &e), 0);
    states_are("1awarded 2reserve");
    assert_int_equal(flow_number("SELECT grant_id FROM request WHERE id = 1 AND state = 'granted'"), 2);
}

/* Random calls: the share is never passed, and whoever is left out would have passed it, or the pool, in its
 * turn. */
static void no_award_passes_its_share_and_none_leaves_out_what_fits(void **state) {
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct world w = {.n = roll(10) + 1, .compute = (roll(20) + 1) * 15600};
        for (int64_t i = 0; i < w.n; i++) {
            w.units[i] = roll(8) + 1;
            w.score[i] = roll(5);
        }
        if (round > 0) assert_int_equal(begin(NULL), 0);
        awarded(&w);
        int64_t left = w.compute / 15600, pool_left = 16, given = 0;
        scoped_json json_t *rows =
            sql_json(store, &e,
                     "SELECT k.state, r.units, k.compute_gflops AS given FROM call_request k "
                     "JOIN request r ON r.id = k.request ORDER BY k.rank",
                     "");
        size_t i;
        json_t *row;
        json_array_foreach(rows, i, row) {
            int64_t asks = json_integer_value(json_object_get(row, "units"));
            bool fits = asks <= left && asks <= pool_left,
                 has = strcmp(json_string_value(json_object_get(row, "state")), "awarded") == 0;
            assert_int_equal(fits, has);
            if (!has) continue;
            left -= asks;
            pool_left -= asks;
            given += json_integer_value(json_object_get(row, "given"));
        }
        assert_true(given <= w.compute);
        if (round < 39) assert_int_equal(end(NULL), 0);
    }
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_exact_in_thousandths),
        cmocka_unit_test(means_are_compared_as_fractions),
        cmocka_unit_test(the_order_does_not_depend_on_the_order_of_the_input),
        cmocka_unit_test(one_that_waits_for_its_award_asks_no_policy),
        cmocka_unit_test(what_the_policy_would_queue_stands_on_the_reserve_list),
        cmocka_unit_test(the_share_bounds_what_is_free),
        CASE(who_does_not_fit_does_not_stop_those_behind),
        CASE(an_award_is_made_once),
        CASE(who_declines_makes_room_for_the_next_by_rank),
        CASE(one_that_the_policy_denies_is_out),
        CASE(the_storage_of_a_call_has_its_share_too),
        CASE(what_a_backend_refused_keeps_its_place),
        CASE(no_award_passes_its_share_and_none_leaves_out_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
