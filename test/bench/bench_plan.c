/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_plan : the policy beside its limits. Processor time in microseconds, of the fastest of several runs
 * (what it takes when others leave the caches alone); the sort of a million 64-bit keys stands beside them,
 * because a shared machine drifts. Exit 1: something is above its limit.
 */
#include "alloc/facts.h"
#include "policies/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 15, TENANTS = 1000, RULES = 200, KEYS = 1000000 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* ours alone: others share the machine */
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double best_of(void (*run)(void *arg), void *arg, int each) {
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double start = now_us();
        for (int k = 0; k < each; k++) run(arg);
        double took = (now_us() - start) / each;
        if (i == 0 || took < best) best = took;
    }
    return best;
}

static int failed;

static void report(const char *what, double us, double limit) {
    printf("%-58s %10.1f us  limit %8.0f us  %5.2f\n", what, us, limit, us / limit);
    failed |= us > limit;
}

/* ---- what is measured ---- */

struct input {
    struct policy *policy;
    struct facts facts;
    char *text;
};

static void run_plan(void *arg) {
    struct input *in = arg;
    struct plan plan;
    struct err e = {0};
    if (policy_decider.plan(in->policy, &in->facts, &plan, &e) < 0) {
        fprintf(stderr, "bench_plan: %s\n", e.what);
        exit(2);
    }
    plan_free(&plan);
}

/* Without sentences: what a simulation asks. */
static void run_bare(void *arg) {
    struct input *in = arg;
    struct plan plan;
    struct err e = {0};
    if (policy_decider.plan_bare(in->policy, &in->facts, &plan, &e) < 0) {
        fprintf(stderr, "bench_plan: %s\n", e.what);
        exit(2);
    }
    plan_free(&plan);
}

static void run_parse(void *arg) {
    struct input *in = arg;
    struct diagnostics d = {0};
    struct policy_source source = {"bench.policy", in->text, strlen(in->text), NULL, NULL};
    struct policy *policy = policy_parse(&source, &d);
    if (!policy) exit(2);
    policy_free(policy);
    diagnostics_free(&d);
}

static void run_encode(void *arg) { free(facts_encode(&((struct input *)arg)->facts)); }

static int key_cmp(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void run_sort(void *arg) {
    uint64_t *keys = arg, seed = 1;
    for (size_t i = 0; i < KEYS; i++) keys[i] = seed = seed * UINT64_C(6364136223846793005) + 1;
    qsort(keys, KEYS, sizeof *keys, key_cmp);
}

/* ---- input ---- */

static struct policy *policy_many_rules(void) {
    struct text t = {0};
    struct diagnostics d = {0};
    text_add(&t, "policy \"many\" version 1;\npool pilot { basis fp32; flavor v100 15.6 TF units 480 sizes "
                 "1, 2, 4, 8; "
                 "flavor t4 8.1 TF units 168 sizes 1, 2, 4, 8; storage 10.7 PB; }\nattr staff : int;\nattr "
                 "kind : enum "
                 "{ sme, other };\nset eligible {\n");
    for (int i = 1; i < RULES; i++) text_add(&t, "E%d deny \"no\" when staff = %d and kind = other;\n", i, i);
    text_add(
        &t,
        "E0 pass \"yes\" otherwise;\n}\nC1 ceiling compute 125 TF storage 50 TB;\nL1 lease term 90 days;\n");
    struct policy_source source = {"many.policy", t.s, t.length, NULL, NULL};
    struct policy *policy = policy_parse(&source, &d);
    text_free(&t);
    diagnostics_free(&d);
    return policy;
}

static struct fact_flavor flavors[2];

static void facts_make(struct input *in, size_t claims) {
    static const struct fact_attr attrs[3][5] = {
        {{"kind", "sme"}, {"ai", "true"}, {"seat", "gwangju"}, {"staff", "500"}, {"move_by", "2021-11-30"}},
        {{"kind", "sme"}, {"ai", "true"}, {"seat", "moving"}, {"staff", "500"}, {"move_by", "2021-11-30"}},
        {{"kind", "sme"},
         {"ai", "true"},
         {"seat", "elsewhere"},
         {"staff", "500"},
         {"move_by", "2021-11-30"}}};
    struct fact_tenant *tenants = mem_alloc(TENANTS * sizeof *tenants);
    struct fact_claim *list = mem_alloc(TENANTS * sizeof *list);
    char(*names)[3][16] = mem_alloc(TENANTS * sizeof *names);
    for (size_t i = 0; i < 2; i++) flavors[i] = policy_flavor(in->policy, i);
    for (size_t i = 0; i < TENANTS; i++) {
        snprintf(names[i][0], 16, "c%04zu", i);
        snprintf(names[i][1], 16, "o%04zu", i);
        snprintf(names[i][2], 16, "r-%zu", i);
        tenants[i] = (struct fact_tenant){.name = names[i][0],
                                          .organisation = names[i][1],
                                          .attrs = attrs[i % 20 < 12   ? 0
                                                         : i % 20 < 17 ? 1
                                                                       : 2],
                                          .n_attrs = 5};
        list[i] = (struct fact_claim){.id = names[i][2],
                                      .tenant = i,
                                      .ask = ASK_COMPUTE,
                                      .compute = {124800},
                                      .has_minimum = true,
                                      .minimum_compute = {8100},
                                      .storage = {10000000000000},
                                      .approved = true,
                                      .approver = "operator"};
    }
    in->facts = (struct facts){
        .now = {1618191000}, .tenants = tenants, .n_tenants = TENANTS, .claims = list, .n_claims = claims};
    in->facts.pool = (struct fact_pool){.name = "pilot",
                                        .basis = "fp32",
                                        .flavors = flavors,
                                        .n_flavors = 2,
                                        .storage_capacity = policy_storage(in->policy),
                                        .storage_free = policy_storage(in->policy),
                                        .granule = {100000000000}};
}

static char *read_text(const char *path) {
    FILE *f = fopen(path, "rb");
    struct text t = {0};
    char buffer[4096];
    size_t n;
    if (!f) {
        perror(path);
        exit(2);
    }
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) text_put(&t, buffer, n);
    fclose(f);
    return text_take(&t);
}

int main(void) {
    struct diagnostics d = {0};
    struct err e = {0};
    struct input pilot = {.policy = policy_read("policies/pilot.policy", &d, &e)};
    struct input many = {.policy = policy_many_rules()};
    if (!pilot.policy || !many.policy) {
        fprintf(stderr, "bench_plan: %s\n", e.what);
        return 2;
    }
    pilot.text = read_text("policies/pilot.policy");
    uint64_t *keys = mem_alloc(KEYS * sizeof *keys);
    double sort = best_of(run_sort, keys, 1);
    printf("%-58s %10.1f us\n", "sort of 1,000,000 64-bit keys (for comparison)", sort);
    facts_make(&many, 1);
    report("one decision, 200 rules, 1,000 tenants in the facts", best_of(run_bare, &many, 1000), 5);
    report("the same, told in both languages", best_of(run_plan, &many, 1000), 20);
    facts_make(&pilot, TENANTS);
    report("plan of 1,000 claims on a scarce pool, by share", best_of(run_bare, &pilot, 10), 1000);
    report("the same, told in both languages", best_of(run_plan, &pilot, 1), 50000);
    report("facts of 1,000 tenants and claims to canonical JSON", best_of(run_encode, &pilot, 1), 50000);
    report("pilot.policy parsed and checked", best_of(run_parse, &pilot, 10), 1000);
    return failed;
}
