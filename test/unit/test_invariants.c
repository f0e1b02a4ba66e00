/* SPDX-License-Identifier: Apache-2.0 */
/* Each invariant: a step on which all hold, and the same step with one thing changed that breaks exactly it.
 */
#include "policies/invariants.h"
#include "policies/reclaim.h"

#include "alloc/scope.h"
#include "policies/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
    "policy \"p\" version 1;\n"
    "pool pool { basis fp32; flavor v100 10 TF units 100 sizes 1, 2, 4, 8; storage 100 TB; measures "
    "gpu_util; }\n"
    "attr kind : enum { a, b };\n"
    "set eligible { E9 pass \"yes\" otherwise; }\n"
    "set tier { T1 high weight 4 guarantee 40 TF \"high\" when kind = a; T2 low weight 1 \"low\" otherwise; "
    "}\n"
    "C1 ceiling compute 200 TF storage 50 TB;\n"
    "L1 lease term 90 days, renew 1, notice 14 days, grace 7 days, keep-data 30 days;\n"
    "Q1 queue order share, credits, wait, id strict lift 30 days barrier 45 days max 1 partial 1 steps;\n"
    "B1 borrow lend-max 50 %, notice 7 days, min-hold 14 days;\n";

#define DAY CLOCK_DAY
#define NOW (1000 * DAY)

static struct policy *policy;

static int open_policy(void **state) {
    struct diagnostics d = {0};
    struct policy_source source = {"p", text, sizeof text - 1, NULL, NULL};
    struct text said = {0};
    (void)state;
    policy = policy_parse(&source, &d);
    diagnostics_print(&d, &said);
    if (!policy) fprintf(stderr, "%s\n", said.s);
    text_free(&said);
    diagnostics_free(&d);
    assert_non_null(policy);
    return 0;
}

static int close_policy(void **state) {
    (void)state;
    policy_free(policy);
    return 0;
}

/* Two tenants; t0 of tier high holds 4 units, t1 of tier low holds 8; two claims, r-1 granted, r-2 waiting.
 */
struct world_of_two {
    struct step step;
    struct facts facts;
    struct fact_flavor flavor;
    struct fact_tenant tenants[2];
    struct fact_claim claims[2];
    struct fact_server servers[2];
    struct fact_grant grants[2];
    struct standing standings[2];
    struct plan plan;
    struct decision decisions[2];
    struct plan_line line;
    struct reason reasons[2];
    struct step_taken taken;
};

static char v100[] = "v100", r1[] = "r-1", r2[] = "r-2", high[] = "high", low[] = "low", en[] = "why",
            ko[] = "까닭";

static void things_make(struct world_of_two *w) {
    w->flavor = (struct fact_flavor){.name = v100,
                                     .rating = gflops(10000),
                                     .capacity = units(100),
                                     .free = units(88),
                                     .sizes = {1, 2, 4, 8},
                                     .n_sizes = 4};
    w->tenants[0] = (struct fact_tenant){.name = "t0", .organisation = "o0", .held_compute = gflops(40000)};
    w->tenants[1] = (struct fact_tenant){.name = "t1", .organisation = "o1", .held_compute = gflops(80000)};
    for (size_t i = 0; i < 2; i++) {
        int64_t n = i ? 8 : 4;
        w->servers[i] = (struct fact_server){
            .flavor = v100, .units = n, .operation = (int64_t)i + 1, .compute = gflops(n * 10000)};
        w->grants[i] = (struct fact_grant){.id = i ? "g-2" : "g-1",
                                           .tenant = i,
                                           .compute = gflops(n * 10000),
                                           .start = instant(NOW - 60 * DAY),
                                           .end = instant(NOW + 30 * DAY),
                                           .grace = span(7 * DAY),
                                           .servers = &w->servers[i],
                                           .n_servers = 1};
        w->standings[i] = (struct standing){.eligible = true,
                                            .tier = i ? low : high,
                                            .rank = (int64_t)i,
                                            .weight = i ? 1 : 4,
                                            .guarantee = gflops(i ? 0 : 40000)};
        w->claims[i] = (struct fact_claim){.id = i ? r2 : r1,
                                           .tenant = i,
                                           .flavor = v100,
                                           .ask = ASK_UNITS,
                                           .units = units(2),
                                           .submitted = instant(NOW - DAY)};
    }
}

static void plan_make_two(struct world_of_two *w) {
    w->line = (struct plan_line){v100, 2, 1, gflops(10000)};
    w->reasons[0] = (struct reason){.code = REASON_NO_UNITS, .en = en, .ko = ko, .decisive = true};
    w->decisions[0] =
        (struct decision){.claim = r1,
                          .outcome = OUTCOME_GRANT,
                          .lines = &w->line,
                          .n_lines = 1,
                          .compute = gflops(20000),
                          .lease = {.start = instant(NOW), .end = instant(NOW + 90 * DAY)},
                          .limits = {.has_compute = true, .compute = gflops(200000)},
                          .standing = {.tier = high, .rank = 0, .weight = 4, .guarantee = gflops(40000)}};
    w->decisions[1] = (struct decision){.claim = r2,
                                        .outcome = OUTCOME_QUEUE,
                                        .limits = {.has_compute = true, .compute = gflops(200000)},
                                        .standing = {.tier = low, .rank = 1, .weight = 1},
                                        .reasons = w->reasons,
                                        .n_reasons = 1};
    w->plan = (struct plan){.decisions = w->decisions, .n_decisions = 2};
}

/* A plan in which all units are given out but those that r-1 gets. */
static void plan_begin(struct world_of_two *w) {
    memset(w, 0, sizeof *w);
    things_make(w);
    plan_make_two(w);
    w->flavor.free = units(2);
    w->facts = (struct facts){
        .now = instant(NOW), .tenants = w->tenants, .n_tenants = 2, .claims = w->claims, .n_claims = 2};
    w->facts.pool =
        (struct fact_pool){.name = "pool", .basis = "fp32", .flavors = &w->flavor, .n_flavors = 1};
    w->facts.pool.storage_capacity = w->facts.pool.storage_free = bytes(INT64_C(100000000000000));
    w->step = (struct step){.policy = policy, .facts = &w->facts, .plan = &w->plan};
}

static void state_begin(struct world_of_two *w) {
    plan_begin(w);
    w->flavor.free = units(88);
    w->facts.grants = w->grants;
    w->facts.n_grants = 2;
    w->facts.n_claims = 0;
    w->taken = (struct step_taken){.cause = CAUSE_GUARANTEE,
                                   .sent = instant(NOW - 8 * DAY),
                                   .effect = instant(NOW - DAY),
                                   .at = instant(NOW),
                                   .start = instant(NOW - 60 * DAY),
                                   .notice = span(7 * DAY),
                                   .held = gflops(80000),
                                   .keeps_guarantee = true,
                                   .has_claimant = true,
                                   .claimant_held = gflops(10000),
                                   .claimant_guarantee = gflops(40000),
                                   .measured = true,
                                   .covered = 100};
    w->step = (struct step){.policy = policy,
                            .facts = &w->facts,
                            .standings = w->standings,
                            .taken = &w->taken,
                            .n_taken = 1,
                            .ticked = true};
}

/* Exactly this one does not hold, and it says so with its name. */
static void breaks(const struct world_of_two *w, const char *name) {
    for (size_t i = 0; i < INVARIANTS; i++) {
        struct err e = {0};
        int rc = invariants[i].holds(&w->step, &e);
        bool is_it = strcmp(invariants[i].name, name) == 0;
        if ((rc < 0) != is_it) fprintf(stderr, "%s: %s\n", invariants[i].name, rc < 0 ? e.what : "holds");
        assert_int_equal(rc, is_it ? -1 : 0);
    }
    struct err e = {0};
    assert_int_equal(invariants_check(&w->step, &e), *name ? -1 : 0);
    char begins[32];
    snprintf(begins, sizeof begins, "invariant %s (", name);
    if (*name) assert_int_equal(strncmp(e.what, begins, strlen(begins)), 0);
}

static void all_hold(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    breaks(&w, "");
    state_begin(&w);
    breaks(&w, "");
    for (int i = 0; i < INVARIANTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "I%d", i + 1);
        assert_string_equal(invariants[i].name, name);
        assert_true(strlen(invariants[i].sentence) > 10);
    }
}

static void i1(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.flavor.free = units(1);
    breaks(&w, "I1");
    state_begin(&w);
    w.flavor.free = units(89);
    breaks(&w, "I1");
    state_begin(&w);
    w.grants[0].storage = bytes(1);
    breaks(&w, "I1"); /* all of the storage is free */
}

static void i2(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.tenants[0].held_compute = gflops(180001);
    w.decisions[0].standing.guarantee = gflops(40000);
    breaks(&w, "I2");
    w.claims[0].override_rule = "C1";
    breaks(&w, "");
}

static void i3(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.decisions[0].compute = gflops(19999);
    breaks(&w, "I3");
    plan_begin(&w);
    w.line = (struct plan_line){v100, 3, 1, gflops(10000)};
    w.flavor.free = units(3);
    w.decisions[0].compute = gflops(30000);
    breaks(&w, "I3"); /* servers have 1, 2, 4 or 8 */
    state_begin(&w);
    w.grants[1].compute = gflops(80001);
    breaks(&w, "I3");
}

static void i4(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.decisions[0].standing.guarantee = gflops(40001);
    breaks(&w, "I4");
    plan_begin(&w);
    w.flavor.capacity = units(3);
    breaks(&w, "I4"); /* 30 TF cannot keep 40 */
}

static void i5(void **state) {
    struct world_of_two w;
    (void)state;
    state_begin(&w);
    w.facts.n_claims = 1;
    w.claims[0].submitted = instant(NOW - 20 * DAY);
    w.tenants[0].held_compute = gflops(0);
    w.facts.grants = &w.grants[1];
    w.facts.n_grants = 1;
    w.flavor.free = units(0);
    breaks(&w, "I5");
    w.grants[1].start = instant(NOW - 15 * DAY); /* min-hold and notice protect it still */
    breaks(&w, "");
}

static void i6(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.flavor.free = units(4);
    breaks(&w, "I6");
    w.reasons[0].code = REASON_LEND_LIMIT;
    breaks(&w, "");
    w.reasons[0].code = REASON_NO_UNITS;
    w.decisions[1].limits.compute = gflops(90000); /* it holds 80 TF: the ceiling stops it */
    breaks(&w, "");
}

static void i7(void **state) {
    struct world_of_two w;
    struct fill_amount step = {0, 1};
    int64_t capacity = 6, given[] = {5, 1}, used = 6;
    bool scarce = true;
    uint32_t order[] = {0, 0, 0, 0, 0, 1};
    struct fill_claim claims[] = {{.step = &step, .n_step = 1, .weight = 1},
                                  {.step = &step, .n_step = 1, .weight = 1}};
    struct fill_problem problem = {&capacity, 1, claims, 2, false, false};
    struct fill_result result = {
        .given = given, .order = order, .n_order = 6, .scarce = &scarce, .used = &used};
    (void)state;
    plan_begin(&w);
    w.step.problem = &problem;
    w.step.filled = &result;
    breaks(&w, "I7");
    claims[0].guarantee = 5;
    breaks(&w, "");
    claims[0].guarantee = 0;
    given[0] = given[1] = 3;
    order[3] = order[4] = 1;
    breaks(&w, "");
}

static void i8(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.decisions[0].standing = (struct plan_standing){.tier = low, .rank = 1, .weight = 1};
    w.decisions[1].standing = (struct plan_standing){.tier = high, .rank = 0, .weight = 4};
    breaks(&w, "I8");
    w.claims[0].submitted = instant(NOW - 45 * DAY); /* what was set aside for it is given to it */
    breaks(&w, "");
}

/* r-2 waits with a barrier for all that is free; r-1, which came later, takes it. */
static void i9(void **state) {
    struct world_of_two w;
    struct fact_end end = {instant(NOW + 20 * DAY), "g-2", v100, units(8), NULL};
    (void)state;
    plan_begin(&w);
    w.claims[1].submitted = instant(NOW - 50 * DAY);
    w.decisions[1].is_barrier = true;
    breaks(&w, "I9");
    w.claims[0].ranked = true; /* awarded in a call */
    breaks(&w, "");
    w.claims[0].ranked = false;
    w.tenants[0].held_compute = gflops(20000); /* within its guarantee */
    breaks(&w, "");
    w.tenants[0].held_compute = gflops(40000);
    w.facts.pool.ends = &end; /* over when it could start */
    w.facts.pool.n_ends = 1;
    w.decisions[0].lease.end = instant(NOW + 10 * DAY);
    breaks(&w, "");
    w.decisions[0].lease.end = instant(NOW + 90 * DAY);
    breaks(&w, "I9");
    w.claims[0].submitted = instant(NOW - 51 * DAY); /* it waited longer still */
    breaks(&w, "");
}

static void i9_beside(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.claims[1].submitted = instant(NOW - 50 * DAY);
    w.claims[1].ask = ASK_NONE;
    w.claims[1].datalake = bytes(1000);
    w.decisions[1].is_barrier = true;
    w.facts.pool.datalake_free = bytes(1500);
    breaks(&w, "");
    w.decisions[0].datalake = bytes(500);
    breaks(&w, "");
    w.decisions[0].datalake = bytes(501);
    breaks(&w, "I9");
}

static void i10(void **state) {
    struct world_of_two w;
    (void)state;
    state_begin(&w);
    w.taken.effect = instant(NOW - 2 * DAY);
    breaks(&w, "I10"); /* sent eight days ago: the notice is seven */
    state_begin(&w);
    w.taken.start = instant(NOW - 13 * DAY);
    breaks(&w, "I10");
    state_begin(&w);
    w.taken.cause = CAUSE_IDLE;
    w.taken.covered = RECLAIM_UNUSED_COVERED - 1;
    breaks(&w, "I10");
    state_begin(&w);
    w.taken.cause = CAUSE_DEBT;
    w.taken.guarantee = gflops(80001);
    breaks(&w, "I10");
}

static void i11(void **state) {
    struct world_of_two w;
    (void)state;
    state_begin(&w);
    w.taken.claimant_held = gflops(40000);
    breaks(&w, "I11");
}

/* A second plan that says the same in another place. */
static void i12_i17(void **state) {
    struct world_of_two w, other;
    (void)state;
    plan_begin(&w);
    plan_begin(&other);
    w.step.again = &other.plan;
    breaks(&w, "");
    other.decisions[0].storage = bytes(1);
    breaks(&w, "I12");
    plan_begin(&other);
    struct decision swap = other.decisions[0];
    other.decisions[0] = other.decisions[1];
    other.decisions[1] = swap;
    w.step.again = NULL;
    w.step.turned = &other.plan;
    breaks(&w, "");
    other.reasons[0].code = REASON_WAITING_TURN;
    breaks(&w, "I17");
}

static void i13(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.reasons[0].decisive = false;
    breaks(&w, "I13");
    plan_begin(&w);
    w.reasons[0].ko = NULL;
    breaks(&w, "I13");
}

static void i14(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.reasons[0].code = REASON_EVAL_ERROR;
    breaks(&w, "I14");
    w.decisions[1].outcome = OUTCOME_HOLD;
    breaks(&w, "");
}

static void i15(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.decisions[0].lease.end = instant(NOW);
    breaks(&w, "I15");
    state_begin(&w);
    w.grants[0].end = instant(NOW - 7 * DAY);
    breaks(&w, "I15");
    w.step.ticked = false;
    breaks(&w, "");
}

static void i16(void **state) {
    struct world_of_two w;
    (void)state;
    plan_begin(&w);
    w.decisions[1].claim = r1;
    breaks(&w, "I16");
    state_begin(&w);
    w.step.reloaded = true;
    w.step.held_before = gflops(1);
    breaks(&w, "I16");
}

static void i18(void **state) {
    struct world_of_two w, richer;
    (void)state;
    plan_begin(&w);
    plan_begin(&richer);
    w.decisions[1].standing = w.decisions[0].standing;
    w.step.richer = &richer.plan;
    breaks(&w, "");
    richer.decisions[0].compute = gflops(10000);
    breaks(&w, "I18");
    w.claims[1].units = units(4); /* not alike: nothing is promised */
    breaks(&w, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hold), cmocka_unit_test(i1),        cmocka_unit_test(i2),
        cmocka_unit_test(i3),       cmocka_unit_test(i4),        cmocka_unit_test(i5),
        cmocka_unit_test(i6),       cmocka_unit_test(i7),        cmocka_unit_test(i8),
        cmocka_unit_test(i9),       cmocka_unit_test(i9_beside), cmocka_unit_test(i10),
        cmocka_unit_test(i11),      cmocka_unit_test(i12_i17),   cmocka_unit_test(i13),
        cmocka_unit_test(i14),      cmocka_unit_test(i15),       cmocka_unit_test(i16),
        cmocka_unit_test(i18),
    };
    return cmocka_run_group_tests(tests, open_policy, close_policy);
}
