/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken back, from worlds small enough to see the answer. The property test is test_reclaim_rounds.c.
 */
#include "policies/reclaim.h"
#include "test/unit/reclaim_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY CLOCK_DAY

static const char rules[] =
    "policy \"small\" version 1;\n"
    "pool p { basis fp32; flavor v100 10 TF units 16 sizes 1, 2, 4, 8; flavor t4 5 TF units 8 sizes 1, 2; "
    "storage "
    "1 PB; measures gpu_util; }\n"
    "attr ai : bool?;\n"
    "set eligible { E9 pass \"yes\" otherwise; }\n"
    "C1 ceiling per tenant compute 100 TF storage 1 TB;\n"
    "C2 ceiling per organisation compute 120 TF;\n"
    "L1 lease term 90 days;\n"
    "B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days, most 2 tenants;\n"
    "U1 idle gpu_util.p95 < 10 % for 7 days, notice 5 days, appeal 3 days, keep guarantee;\n"
    "U2 unused gpu_util < 50 % for 90 days, lose 50 %, notice 14 days;\n";

static struct world w;

static int setup(void **state) {
    (void)state;
    world_begin(&w, rules);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    world_end(&w);
    return 0;
}

/* "g-1 guarantee v100 8; ..." */
static char *planned(void) {
    struct reclaim_plan plan;
    struct text t = {0};
    world_plan(&w, &plan);
    for (size_t i = 0; i < plan.n_reclaims; i++) {
        const struct reclaim *r = &plan.reclaims[i];
        text_add(&t, "%s%s %s %s %lld", i ? "; " : "", r->grant, reclaim_cause_word(r->cause), r->flavor,
                 (long long)r->units);
    }
    for (size_t i = 0; i < plan.n_ends; i++)
        text_add(&t, "%send %s", t.length ? "; " : "", plan.ends[i].notice);
    if (plan.left_out) text_add(&t, "; left out %lld", (long long)plan.left_out);
    reclaim_plan_free(&plan);
    return text_take(&t);
}

static void expect(const char *wanted) {
    char *got = planned();
    assert_string_equal(got, wanted);
    free(got);
}

static void nothing_is_taken_for_fairness_alone(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 0);
    world_grant(&w, "g-1", "a", -30, "v100", 8);
    world_claim(&w, "r-1", "b", "v100", 8, 1);
    expect("");
}

static void a_claimed_guarantee_takes_what_is_borrowed(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 4, 40);
    world_grant(&w, "g-1", "a", -30, "v100", 4);
    world_grant(&w, "g-2", "a", -20, "v100", 4);
    world_claim(&w, "r-1", "b", "v100", 4, 0);
    expect("g-2 guarantee v100 4"); /* the newest lease */
}

static void the_notice_says_when_why_and_how_much(void **state) {
    (void)state;
    struct reclaim_plan plan;
    world_tenant(&w, "a", 1, 10);
    world_tenant(&w, "b", 4, 40);
    world_grant(&w, "g-1", "a", -3, "v100", 4);
    world_server(&w, "g-1", "v100", 1);
    world_claim(&w, "r-1", "b", "v100", 4, 0);
    world_plan(&w, &plan);
    assert_int_equal(plan.n_reclaims, 1);
    const struct reclaim *r = &plan.reclaims[0];
    assert_string_equal(
        r->en, "v100 x 4 (40 TF) of grant g-1 go back on 2026-03-13 09:00 at the earliest: they are "
               "borrowed, and a guarantee claims them (40 TF are missing); 50 TF are held, of them 40 TF "
               "above the guarantee of 10 TF (B1, small.policy:8)");
    assert_string_equal(
        r->ko, "v100 4개(40 TF), 할당 g-1: 2026-03-13 09:00 이후 회수합니다. 빌려 쓰는 자원이며 다른 "
               "기업의 보장량이 요청되었습니다(부족 40 TF). 보유 50 TF 중 보장량 10 TF 초과분은 40 "
               "TF입니다 (B1, small.policy:8)");
    assert_string_equal(r->claim, "r-1");
    assert_string_equal(r->place, "small.policy:8");
    assert_int_equal(r->effect.s, w.now.s + 11 * DAY); /* min-hold 14 days from a start 3 days ago */
    assert_int_equal(plan.units, 4);
    assert_int_equal(plan.compute.n, 40000);
    assert_int_equal(plan.tenants, 1);
    reclaim_plan_free(&plan);
}

static void what_is_free_or_coming_is_not_taken(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 4, 40);
    world_grant(&w, "g-1", "a", -30, "v100", 8);
    world_claim(&w, "r-1", "b", "v100", 4, 0);
    w.flavors[0].free = units(4);
    expect("");
    w.flavors[0].free = units(2);
    w.flavors[0].coming = units(2);
    expect("");
    w.flavors[0].coming = units(1);
    expect("g-1 guarantee v100 8");
}

static void a_lease_that_is_over_serves_first(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 4, 40);
    world_grant(&w, "g-1", "a", -30, "v100", 8);
    world_grant(&w, "g-2", "a", -120, "v100", 2);
    world_claim(&w, "r-1", "b", "v100", 2, 0);
    world_lease(&w, "g-2", -8, 7);
    expect("g-2 grace v100 2");
    world_lease(&w, "g-2", -6, 7);  /* its grace is not over */
    expect("g-1 guarantee v100 8"); /* the newer lease, though more than is needed */
}

static void nobody_falls_below_its_guarantee(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 70);
    world_tenant(&w, "b", 4, 40);
    world_grant(&w, "g-1", "a", -30, "v100", 8);
    world_claim(&w, "r-1", "b", "v100", 2, 0);
    expect(""); /* 80 - 80 < 70 */
    world_server(&w, "g-1", "v100", 2);
    expect("g-1 guarantee v100 2");
}

static void only_the_guarantee_is_claimed(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 4, 25);
    world_grant(&w, "g-1", "a", -30, "v100", 1);
    for (int i = 0; i < 7; i++) world_server(&w, "g-1", "v100", 1);
    world_claim(&w, "r-1", "b", "v100", 8, 1); /* 8 asked, 1 is enough: 3 reach 25 TF */
    expect("g-1 guarantee v100 3");
    w.claims[0].has_minimum = false; /* all or nothing: beyond what is guaranteed */
    expect("");
    w.claims[0].units = units(3);
    expect("g-1 guarantee v100 3");
    w.claims[0].units = units(2);
    expect("g-1 guarantee v100 2");
    w.standings[1].guarantee = gflops(0);
    expect("");
}

static void the_highest_weighted_share_loses_first(void **state) {
    (void)state;
    world_tenant(&w, "a", 4, 0);
    world_tenant(&w, "b", 1, 0);
    world_tenant(&w, "c", 4, 20);
    world_grant(&w, "g-1", "a", -30, "v100", 4); /* 40 / 4 */
    world_server(&w, "g-1", "v100", 4);
    world_grant(&w, "g-2", "b", -60, "v100", 2); /* 20 / 1 more than a's 80 / 4 only with its id */
    world_server(&w, "g-2", "v100", 1);
    world_claim(&w, "r-1", "c", "v100", 2, 0);
    expect("g-2 guarantee v100 2");
}

static void unnecessary_victims_are_dropped_in_reverse(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 0);
    world_tenant(&w, "c", 4, 40);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_server(&w, "g-1", "v100", 1);
    world_grant(&w, "g-2", "b", -30, "v100", 4);
    world_claim(&w, "r-1", "c", "v100", 4, 0);
    expect("g-2 guarantee v100 4");
    w.standings[1].weight =
        100; /* now a has the higher share: 2 and 1 of it, then 4 of b make both needless */
    expect("g-2 guarantee v100 4");
}

static void one_round_touches_no_more_tenants_than_the_cap(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 0);
    world_tenant(&w, "c", 1, 0);
    world_tenant(&w, "d", 4, 60);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_grant(&w, "g-2", "b", -30, "v100", 2);
    world_grant(&w, "g-3", "c", -30, "v100", 2);
    world_claim(&w, "r-1", "d", "v100", 6, 0);
    expect("g-3 guarantee v100 2; g-2 guarantee v100 2; left out 1");
    world_notice(&w, "n-1", "g-3", CAUSE_GUARANTEE, "B1", -1);
    world_notice(&w, "n-2", "g-2", CAUSE_GUARANTEE, "B1", -1);
    expect("g-1 guarantee v100 2"); /* the next round goes on */
    world_notice(&w, "n-3", "g-1", CAUSE_GUARANTEE, "B1", 0);
    expect("");
}

static void notices_end_in_reverse_when_needed_no_more(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 0);
    world_tenant(&w, "d", 4, 40);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_grant(&w, "g-2", "b", -30, "v100", 2);
    world_claim(&w, "r-1", "d", "v100", 4, 0);
    world_notice(&w, "n-9", "g-1", CAUSE_GUARANTEE, "B1", -1);
    world_notice(&w, "n-10", "g-2", CAUSE_GUARANTEE, "B1", -1);
    expect("");
    w.flavors[0].free = units(2);
    expect("end n-10");
    w.n_claims = 0;
    expect("end n-10; end n-9");
}

static void idle_needs_a_full_window_and_every_sample(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_grant(&w, "g-1", "a", -30, "v100", 4);
    expect("");
    struct fact_sample *s = world_sample(&w, "g-1", "gpu_util.p95", 7, 100, 9, 1);
    expect("g-1 idle v100 4");
    s->covered = 99;
    expect("");
    s->covered = 100;
    s->most = 10;
    expect("");
    s->most = 9;
    world_start(&w, "g-1", -6);
    expect("");
}

static void idle_keeps_the_guarantee(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 25);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_server(&w, "g-1", "v100", 1);
    world_server(&w, "g-1", "v100", 1);
    world_sample(&w, "g-1", "gpu_util.p95", 7, 100, 0, 0);
    expect("g-1 idle v100 1");
}

static void a_notice_ends_that_would_take_the_guarantee(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 40);
    world_tenant(&w, "d", 4, 80);
    world_grant(&w, "g-1", "a", -30, "v100", 4);
    world_grant(&w, "g-2", "a", -30, "v100", 2);
    world_grant(&w, "g-3", "a", -20, "v100", 2);
    world_claim(&w, "r-1", "d", "v100", 8, 0);
    w.flavors[0].free = units(4);
    world_notice(&w, "n-1", "g-2", CAUSE_GUARANTEE, "B1", -1);
    world_notice(&w, "n-2", "g-3", CAUSE_IDLE, "U1", -1);
    expect("");
    world_drop_grant(&w, "g-1"); /* given back, and taken by others */
    w.flavors[0].free = units(0);
    expect("end n-1; end n-2");
    w.standings[0].guarantee = gflops(20000); /* one of the two is enough to keep it */
    expect("end n-1");
}

static void use_that_rose_ends_the_notice(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_grant(&w, "g-1", "a", -30, "v100", 4);
    struct fact_sample *s = world_sample(&w, "g-1", "gpu_util.p95", 7, 100, 9, 1);
    world_notice(&w, "n-1", "g-1", CAUSE_IDLE, "U1", -1);
    expect("");
    s->covered = 50; /* nothing measured is no use either: it stands */
    expect("");
    s->most = 80;
    expect("end n-1");
    s->most = 0;
    s->covered = 100;
    world_notice(&w, "n-1", "g-1", CAUSE_IDLE, "U7", -1);
    expect("end n-1");
}

static void unused_loses_its_part_in_whole_servers(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_grant(&w, "g-1", "a", -100, "v100", 1);
    for (int i = 0; i < 7; i++) world_server(&w, "g-1", "v100", 1);
    struct fact_sample *s = world_sample(&w, "g-1", "gpu_util", 90, 100, 100, 20);
    expect("g-1 idle v100 3"); /* 8 x 80 % x 50 % = 3.2 */
    s->covered = 90;           /* 20 % of 90 %, and 10 % that count as used: 28 % used */
    expect("g-1 idle v100 2"); /* 8 x 72 % x 50 % = 2.88 */
    s->covered = 89;
    expect("");
    s->covered = 100;
    s->mean = 50;
    expect("");
}

/* The first reductions of NERSC's allocation year 2021 (its announcement of 2021-05-04): of what was unused,
   20 % were removed where use was 5 % or less, 10 % where it was more, up to 10 %. */
static void the_quarterly_cuts_of_nersc(void **state) {
    (void)state;
    static const char cuts[] = "policy \"nersc\" version 1;\n"
                               "pool p { basis fp32; flavor v100 10 TF units 1000 sizes 1, 2, 4, 8; flavor "
                               "t4 5 TF units 8 sizes 1, 2; "
                               "storage 1 PB; measures used; }\n"
                               "set eligible { E9 pass \"yes\" otherwise; }\n"
                               "C1 ceiling compute 9 PF storage 1 TB;\n"
                               "L1 lease term 90 days;\n"
                               "U1 unused used < 6 % for 90 days, lose 20 %, notice 14 days;\n"
                               "U2 unused used < 11 % for 90 days, lose 10 %, notice 14 days;\n";
    const struct {
        int64_t used;
        const char *wanted;
    } cases[] = {{0, "g-1 idle v100 8"},
                 {5, "g-1 idle v100 7"},
                 {6, "g-1 idle v100 3"},
                 {10, "g-1 idle v100 3"},
                 {11, ""}};
    world_end(&w);
    world_begin(&w, cuts);
    world_tenant(&w, "a", 1, 0);
    world_grant(&w, "g-1", "a", -100, "v100", 1);
    for (int i = 0; i < 39; i++) world_server(&w, "g-1", "v100", 1); /* 40: 20 % of 95 % of it are 7.6 */
    struct fact_sample *s = world_sample(&w, "g-1", "used", 90, 100, 100, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s->mean = cases[i].used;
        expect(cases[i].wanted);
    }
}

static void a_cut_ceiling_makes_dated_debt(void **state) {
    (void)state;
    struct reclaim_plan plan;
    world_tenant(&w, "a", 1, 0);
    world_grant(&w, "g-1", "a", -80, "v100", 8);
    world_grant(&w, "g-2", "a", -30, "v100", 2);
    world_server(&w, "g-2", "v100", 1);
    expect("g-2 debt v100 1"); /* 110 of 100 */
    world_plan(&w, &plan);
    assert_int_equal(plan.reclaims[0].effect.s, w.now.s + RECLAIM_DEBT_DAYS * DAY);
    assert_string_equal(plan.reclaims[0].rule, "C1");
    reclaim_plan_free(&plan);
    world_except(&w, "g-2", "C1"); /* 80 count: the exception carries the rest */
    expect("");
}

static void an_organisation_pays_its_debt_too(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 2, 0);
    w.tenants[0].organisation = w.tenants[1].organisation = "o";
    world_grant(&w, "g-1", "a", -80, "v100", 8);
    world_grant(&w, "g-2", "b", -30, "v100", 4);
    world_server(&w, "g-2", "v100", 2);
    expect("g-1 debt v100 8"); /* a has the higher share: 80 / 1 against 60 / 2; 140 of 120 */
    world_notice(&w, "n-1", "g-1", CAUSE_DEBT, "C2", -1);
    expect("");
    world_drop_grant(&w, "g-2");
    expect("end n-1");
}

static void a_loss_scales_all_guarantees_by_one_ratio(void **state) {
    (void)state;
    struct reclaim_plan plan;
    world_tenant(&w, "a", 1, 100);
    world_tenant(&w, "b", 1, 60);
    world_grant(&w, "g-1", "a", -80, "v100", 1);
    for (int i = 0; i < 7; i++) world_server(&w, "g-1", "v100", 1);
    world_claim(&w, "r-1", "b", "v100", 2, 0);
    expect(""); /* 160 of 200: a holds 80 of its 100 */
    w.flavors[0].lost = units(8);
    world_plan(&w, &plan); /* 120 for 160: a keeps 75, b 45 */
    assert_int_equal(plan.available.n, 120000);
    assert_int_equal(plan.guarantees.n, 160000);
    assert_int_equal(plan.n_scaled, 2);
    assert_string_equal(plan.scaled[0].tenant, "a");
    assert_int_equal(plan.scaled[0].kept.n, 75000);
    assert_int_equal(plan.scaled[1].kept.n, 45000);
    reclaim_plan_free(&plan);
}

static void the_server_with_the_volumes_goes_last(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 20);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_carries(&w, "g-1", 0);
    world_server(&w, "g-1", "v100", 1);
    world_server(&w, "g-1", "v100", 1);
    world_claim(&w, "r-1", "b", "v100", 2, 0);
    struct reclaim_plan plan;
    world_plan(&w, &plan);
    assert_int_equal(plan.n_reclaims, 1);
    assert_int_equal(plan.reclaims[0].units, 2);
    assert_int_equal(plan.reclaims[0].n_operations, 2); /* the two small ones */
    reclaim_plan_free(&plan);
}

static void a_claim_that_units_cannot_help_takes_none(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 20);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_claim(&w, "r-1", "b", "v100", 2, 0);
    w.claims[0].storage = bytes(1);
    expect("");
    w.claims[0].storage = bytes(0);
    w.claims[0].call = "first";
    expect("");
    w.claims[0].ranked = true;
    expect("g-1 guarantee v100 2");
    w.tenants[1].suspended = true;
    expect("");
    w.tenants[1].suspended = false;
    w.facts.pool.draining = true;
    expect("");
}

static void any_flavor_takes_where_it_costs_least(void **state) {
    (void)state;
    world_tenant(&w, "a", 1, 0);
    world_tenant(&w, "b", 1, 10);
    world_grant(&w, "g-1", "a", -30, "v100", 2);
    world_grant(&w, "g-2", "a", -30, "t4", 2);
    world_claim(&w, "r-1", "b", NULL, 0, 0);
    w.claims[0].ask = ASK_COMPUTE;
    w.claims[0].compute = gflops(10000);
    expect("g-2 guarantee t4 2"); /* 10 TF, not 20 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_taken_for_fairness_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_claimed_guarantee_takes_what_is_borrowed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_notice_says_when_why_and_how_much, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_free_or_coming_is_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lease_that_is_over_serves_first, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_falls_below_its_guarantee, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_guarantee_is_claimed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_highest_weighted_share_loses_first, setup, teardown),
        cmocka_unit_test_setup_teardown(unnecessary_victims_are_dropped_in_reverse, setup, teardown),
        cmocka_unit_test_setup_teardown(one_round_touches_no_more_tenants_than_the_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_end_in_reverse_when_needed_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_needs_a_full_window_and_every_sample, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_keeps_the_guarantee, setup, teardown),
        cmocka_unit_test_setup_teardown(a_notice_ends_that_would_take_the_guarantee, setup, teardown),
        cmocka_unit_test_setup_teardown(use_that_rose_ends_the_notice, setup, teardown),
        cmocka_unit_test_setup_teardown(unused_loses_its_part_in_whole_servers, setup, teardown),
        cmocka_unit_test_setup_teardown(the_quarterly_cuts_of_nersc, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_ceiling_makes_dated_debt, setup, teardown),
        cmocka_unit_test_setup_teardown(an_organisation_pays_its_debt_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loss_scales_all_guarantees_by_one_ratio, setup, teardown),
        cmocka_unit_test_setup_teardown(the_server_with_the_volumes_goes_last, setup, teardown),
        cmocka_unit_test_setup_teardown(a_claim_that_units_cannot_help_takes_none, setup, teardown),
        cmocka_unit_test_setup_teardown(any_flavor_takes_where_it_costs_least, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
