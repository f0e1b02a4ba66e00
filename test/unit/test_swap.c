/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fault.h"
#include "alloc/work.h"
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CEILING (15600 * 8)

/* 8 cards each at the most, as if what is replaced were gone. */
static void within_ceiling(const struct facts *f, size_t i, struct decision *d) {
    const struct fact_claim *c = &f->claims[i];
    int64_t held = f->tenants[c->tenant].held_compute.n - c->replaces.compute.n;
    if (held + 15600 * c->units.n > CEILING) {
        d->outcome = OUTCOME_DENY;
        flow_reason(d, REASON_EXCEEDS_CEILING, "too much");
        return;
    }
    flow_grant_all(f, i, d);
    d->limits = (struct plan_limits){.has_compute = true, .compute = gflops(CEILING)};
}

static void within_ceiling_signed(const struct facts *f, size_t i, struct decision *d) {
    within_ceiling(f, i, d);
    d->needs_agreement = true;
    d->standing.tier = mem_copy("gwangju");
    d->standing.weight = 4;
}

static int setup(void **state) {
    (void)state;
    int rc = flow_begin(&(struct flow_new){.tenants = 2, .with_policy = true});
    flow_decide = within_ceiling;
    return rc;
}

static int teardown(void **state) {
    (void)state;
    fault_arm(NULL);
    return flow_end();
}

struct asking {
    const char *tenant;
    int64_t units, replaces, at, id;
};

static int ask_run(struct store *s, void *arg, struct err *err) {
    struct asking *a = arg;
    struct book b;
    struct request_new n = {.tenant = a->tenant,
                            .purpose = "",
                            .flavor = "v100",
                            .ask = ASK_UNITS,
                            .units = units(a->units),
                            .replaces = a->replaces};
    if (book_open(&b, s, pool, "operator kim", instant(FIXTURE_START + a->at), err) < 0 ||
        request_insert(&b, &n, &a->id, err) < 0 || engine_plan(&b, &flow_decider, NULL, err) < 0)
        return -1;
    return book_close(&b, err);
}

static int ask(const char *tenant, int64_t n, int64_t replaces, int64_t at) {
    struct asking a = {tenant, n, replaces, at, 0};
    err_clear(&e);
    return store_write(store, ask_run, &a, &e);
}

static void step(enum fixture_act act, int64_t grant, int64_t at) {
    struct fixture_step s = {.act = act, .pool = pool, .at = at, .grant = grant};
    if (fixture_do(store, &s, &e) < 0) fail_msg("%s", e.what);
}

static const char *state_of(int64_t grant) {
    static char word[32];
    struct grant g;
    if (grant_find(store, grant, 0, &g, &e) < 0) fail_msg("%s", e.what);
    snprintf(word, sizeof word, "%s", g.state);
    grant_free(&g);
    return word;
}

#define LIMIT "SELECT compute_limit_gflops FROM ceiling WHERE scope = 'tenant' AND owner = 1"
#define HELD  "SELECT compute_gflops FROM ceiling WHERE scope = 'tenant' AND owner = 1"

static void the_old_one_goes_when_the_new_one_stands(void **state) {
    (void)state;
    assert_int_equal(ask("c0001", 8, 0, 0), 0);
    step(FIXTURE_PRESENT, 1, 1);
    /* Another 8 alone would pass the ceiling. */
    assert_int_equal(ask("c0001", 8, 0, 2), 0);
    assert_int_equal(flow_number("SELECT count(*) FROM grants"), 1);
    if (ask("c0001", 8, 1, 3) < 0) fail_msg("%s", e.what);
    assert_int_equal(flow_number(HELD), 2 * CEILING);
    assert_int_equal(flow_number(LIMIT), 2 * CEILING);
    assert_string_equal(state_of(1), "active");
    step(FIXTURE_PRESENT, 2, 4);
    assert_string_equal(state_of(2), "active");
    assert_string_equal(state_of(1), "releasing");
    assert_int_equal(
        flow_number("SELECT count(*) FROM reclaim WHERE cause = 'swap' AND state = 'done' AND grant_id = 1"),
        1);
    step(FIXTURE_ALL_GONE, 1, 5);
    assert_string_equal(state_of(1), "ended");
    assert_int_equal(flow_number(HELD), CEILING);
    assert_int_equal(flow_number(LIMIT), CEILING); /* tight again */
}

static void when_the_new_one_is_refused_the_old_one_stays(void **state) {
    (void)state;
    assert_int_equal(ask("c0001", 8, 0, 0), 0);
    step(FIXTURE_PRESENT, 1, 1);
    assert_int_equal(ask("c0001", 4, 1, 2), 0);
    step(FIXTURE_VOID, 2, 3);
    step(FIXTURE_ALL_GONE, 2, 4);
    assert_string_equal(state_of(2), "void");
    assert_string_equal(state_of(1), "active");
    assert_int_equal(flow_number(HELD), CEILING);
    assert_int_equal(flow_number(LIMIT), CEILING);
}

static void only_an_own_live_grant_of_the_pool_is_replaced_and_by_one(void **state) {
    (void)state;
    assert_int_equal(ask("c0001", 4, 0, 0), 0);
    assert_int_equal(ask("c0001", 1, 1, 1), -1);
    if (!strstr(e.what, "g-1 is reserved: only a live one")) fail_msg("%s", e.what);
    step(FIXTURE_PRESENT, 1, 2);
    assert_int_equal(ask("c0002", 1, 1, 3), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND); /* another's grant is nobody's business */
    assert_int_equal(ask("c0001", 1, 9, 4), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_int_equal(ask("c0001", 2, 1, 5), 0);
    assert_int_equal(ask("c0001", 2, 1, 6), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    if (!strstr(e.what, "g-1 is to be replaced by request r-2")) fail_msg("%s", e.what);
}

/* Stopped anywhere on the way, the next observation goes on: never both given back. */
static void a_fault_on_the_way_leaves_one_of_both(void **state) {
    (void)state;
    assert_int_equal(ask("c0001", 8, 0, 0), 0);
    step(FIXTURE_PRESENT, 1, 1);
    assert_int_equal(ask("c0001", 8, 1, 2), 0);
    for (int n = 0;; n++) {
        char arm[32];
        struct fixture_step s = {.act = FIXTURE_PRESENT, .pool = pool, .at = 3, .grant = 2};
        snprintf(arm, sizeof arm, "%d:error", n);
        fault_arm(arm);
        int rc = fixture_do(store, &s, &e);
        fault_arm(NULL);
        bool new_stands = strcmp(state_of(2), "active") == 0, old_stands = strcmp(state_of(1), "active") == 0;
        assert_true(new_stands != old_stands);
        if (rc == 0 || e.code == ERR_UNKNOWN) break;
        assert_true(old_stands);
        err_clear(&e);
    }
    step(FIXTURE_PRESENT, 2, 4);
    step(FIXTURE_ALL_GONE, 1, 5);
    assert_int_equal(flow_number(LIMIT), CEILING);
}

/* ---- agreements ---- */

struct agreeing {
    int64_t grant, at, day;
};

static int agree_run(struct store *s, void *arg, struct err *err) {
    struct agreeing *a = arg;
    struct book b;
    struct grant g;
    if (book_open(&b, s, pool, "operator kim", instant(FIXTURE_START + a->at), err) < 0 ||
        grant_find(s, a->grant, 0, &g, err) < 0)
        return -1;
    int rc = grant_agree(&b, &g, instant(FIXTURE_START + a->day), err);
    grant_free(&g);
    return rc < 0 ? -1 : book_close(&b, err);
}

static size_t work_of(int64_t grant) {
    struct work w;
    struct work_filter f = {.pool = pool, .open = true, .grants = &grant, .n_grants = 1};
    if (work_load(store, &f, &w, &e) < 0) fail_msg("%s", e.what);
    size_t n = w.n;
    work_free(&w);
    return n;
}

static void nothing_is_made_before_the_agreement_is_dated(void **state) {
    (void)state;
    flow_decide = within_ceiling_signed;
    assert_int_equal(ask("c0001", 4, 0, 0), 0);
    assert_int_equal(work_of(1), 0);
    char *tier = flow_text("SELECT tier FROM grants WHERE id = 1");
    assert_string_equal(tier, "gwangju");
    free(tier);
    struct agreeing a = {1, 10, 3 * CLOCK_DAY};
    assert_int_equal(store_write(store, agree_run, &a, &e), -1);
    if (!strstr(e.what, "the agreement cannot be of")) fail_msg("%s", e.what);
    err_clear(&e);
    a.day = 0;
    if (store_write(store, agree_run, &a, &e) < 0) fail_msg("%s", e.what);
    assert_int_equal(work_of(1), 4);
    assert_int_equal(store_write(store, agree_run, &a, &e), -1);
    if (!strstr(e.what, "already")) fail_msg("%s", e.what);
    err_clear(&e);
    flow_decide = within_ceiling;
    assert_int_equal(ask("c0002", 1, 0, 20), 0);
    a.grant = 2;
    assert_int_equal(store_write(store, agree_run, &a, &e), -1);
    if (!strstr(e.what, "g-2 needs no agreement")) fail_msg("%s", e.what);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_old_one_goes_when_the_new_one_stands),
        CASE(when_the_new_one_is_refused_the_old_one_stays),
        CASE(only_an_own_live_grant_of_the_pool_is_replaced_and_by_one),
        CASE(a_fault_on_the_way_leaves_one_of_both),
        CASE(nothing_is_made_before_the_agreement_is_dated),
    };
    return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
