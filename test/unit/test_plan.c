/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/policy.h"

#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct policy *pilot;

static int open_pilot(void **state) {
    struct diagnostics d = {0};
    struct err e = {0};
    (void)state;
    pilot = policy_read("policies/pilot.policy", &d, &e);
    struct text t = {0};
    diagnostics_print(&d, &t);
    if (!pilot || d.count[LEVEL_ERROR] || d.count[LEVEL_WARNING]) fprintf(stderr, "%s%s\n", e.what, t.s);
    assert_non_null(pilot);
    assert_int_equal(d.count[LEVEL_WARNING], 0);
    text_free(&t);
    diagnostics_free(&d);
    return 0;
}

static int close_pilot(void **state) {
    (void)state;
    policy_free(pilot);
    return 0;
}

/* n organisations of one tenant each, one claim each, all submitted in the same second. */
struct batch {
    struct facts facts;
    struct fact_flavor flavors[2];
    struct fact_tenant *tenants;
    struct fact_claim *claims;
    char (*names)[3][16];
};

static const struct fact_attr sme[] = {{"kind", "sme"}, {"ai", "true"}, {"seat", "gwangju"}};

static void batch_begin(struct batch *b, size_t n) {
    *b = (struct batch){0};
    b->tenants = mem_alloc(n * sizeof *b->tenants);
    b->claims = mem_alloc(n * sizeof *b->claims);
    b->names = mem_alloc(n * sizeof *b->names);
    for (size_t i = 0; i < 2; i++) b->flavors[i] = policy_flavor(pilot, i);
    b->facts = (struct facts){.now = instant(1618191000),
                              .tenants = b->tenants,
                              .n_tenants = n,
                              .claims = b->claims,
                              .n_claims = n};
    b->facts.pool = (struct fact_pool){.name = "pilot",
                                       .basis = "fp32",
                                       .flavors = b->flavors,
                                       .n_flavors = 2,
                                       .storage_capacity = policy_storage(pilot),
                                       .storage_free = policy_storage(pilot),
                                       .granule = bytes(100000000000)};
    for (size_t i = 0; i < n; i++) {
        snprintf(b->names[i][0], 16, "c%04zu", i + 1);
        snprintf(b->names[i][1], 16, "o%04zu", i + 1);
        snprintf(b->names[i][2], 16, "r-%zu", i + 1);
        b->tenants[i] = (struct fact_tenant){
            .name = b->names[i][0], .organisation = b->names[i][1], .attrs = sme, .n_attrs = 3};
        b->claims[i] = (struct fact_claim){.id = b->names[i][2],
                                           .tenant = i,
                                           .ask = ASK_COMPUTE,
                                           .compute = gflops(124800),
                                           .storage = bytes(10000000000000),
                                           .submitted = instant(1618190000)};
    }
}

static void batch_end(struct batch *b) {
    free(b->tenants);
    free(b->claims);
    free(b->names);
}

static void plan(struct batch *b, struct plan *out) {
    struct err e = {0};
    if (policy_decider.plan(pilot, &b->facts, out, &e) < 0) fail_msg("%s", e.what);
}

static void all_of_120_organisations_get_something(void **state) {
    struct batch b;
    struct plan plan_out;
    int64_t compute = 0;
    (void)state;
    batch_begin(&b, 120);
    for (size_t i = 0; i < 120; i++)
        b.claims[i].has_minimum = true, b.claims[i].minimum_compute = gflops(15600);
    plan(&b, &plan_out);
    for (size_t i = 0; i < 120; i++) {
        const struct decision *d = &plan_out.decisions[i];
        if (getenv("SHOW")) {
            printf("%s %s %s", d->claim, outcome_word(d->outcome), gflops_text(d->compute).s);
            for (size_t k = 0; k < d->n_lines; k++)
                printf(" %s %lldx%lld", d->lines[k].flavor, (long long)d->lines[k].count,
                       (long long)d->lines[k].size);
            for (size_t k = 0; k < d->n_reasons; k++) printf(" | %s %s", d->reasons[k].en, d->reasons[k].ko);
            printf("\n");
        }
        assert_int_equal(d->outcome, OUTCOME_PARTIAL);
        assert_true(d->compute.n >= 15600);
        compute += d->compute.n;
    }
    assert_int_equal(compute, 480 * 15600 + 168 * 8100);
    plan_free(&plan_out);
    batch_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_120_organisations_get_something),
    };
    return cmocka_run_group_tests_name("plan", tests, open_pilot, close_pilot);
}
