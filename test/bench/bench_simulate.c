/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_simulate : two years of the second stage, 1,000 tenants with daily use and 50,000 events, by
 * policies/national.policy: reading the files and simulating, in process. Exit 1: above its limit.
 */
#include "policies/generate.h"
#include "policies/measure.h"
#include "policies/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TENANTS = 1000, EVENTS = 50000, DAYS = 730, LIMIT = 10 };

/* Processor time: one thread that waits for nothing. */
static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int failed(const struct err *e) {
    fprintf(stderr, "bench_simulate: %s\n", e->what);
    return 2;
}

static const struct policy *same(void *arg, const char *name) {
    (void)name;
    return arg;
}

static int run(struct policy *policy, const struct population *p, instant_t from) {
    struct world w = {0};
    struct sim sim = {0};
    struct err e = {0};
    double start = now_s(), read;
    struct sim_options o = {.world = &w,
                            .policy = policy,
                            .policies = same,
                            .arg = policy,
                            .until = instant(from.s + DAYS * CLOCK_DAY)};
    if (world_read_tenants(&w, p->tenants.s, p->tenants.length, "tenants", &e) < 0 ||
        world_read_events(&w, p->events.s, p->events.length, "events", &e) < 0 ||
        world_read_usage(&w, p->usage.s, p->usage.length, "usage", &e) < 0)
        return failed(&e);
    read = now_s() - start;
    if (sim_run(&sim, &o, &e) < 0) return failed(&e);
    json_t *measures = measures_of(&sim);
    double all = now_s() - start;
    printf("%-58s %10.2f s   limit %8d s   %5.2f\n", "two years, 1,000 tenants, daily use, 50,000 events",
           all, LIMIT, all / LIMIT);
    printf("  reading %.2f s; %zu events, %zu days of use, %lld decisions, %lld plans, %lld checks of all "
           "invariants\n",
           read, w.n_events, w.n_uses, (long long)sim.decisions, (long long)sim.plans, (long long)sim.checks);
    json_decref(measures);
    sim_end(&sim);
    world_free(&w);
    return all > LIMIT;
}

int main(void) {
    struct diagnostics d = {0};
    struct err e = {0};
    struct population p = {0};
    struct policy *policy = policy_read("policies/national.policy", &d, &e);
    diagnostics_free(&d);
    if (!policy) return failed(&e);
    struct generate_options o = {.policy = policy,
                                 .tenants = TENANTS,
                                 .events = EVENTS,
                                 .days = DAYS,
                                 .seed = 1,
                                 .from = instant(INT64_C(1798988400))};
    generate(&o, &p);
    int status = run(policy, &p, o.from);
    population_free(&p);
    policy_free(policy);
    return status;
}
