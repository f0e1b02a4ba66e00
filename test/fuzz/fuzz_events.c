/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an event log: refused with a line, or simulated with every promise kept (a broken one aborts).
 */
#include "policies/sim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static const char text[] =
    "policy \"p\" version 1; pool pool { basis fp32; flavor v100 10 TF units 16 sizes 1, 2, 4; flavor t4 5 "
    "TF units "
    "8; storage 10 TB; measures gpu; }\n"
    "attr kind : enum { a, b }; attr rush : bool? of request;\n"
    "set eligible { E1 deny \"no\" when kind = b and rush is unset; E2 review \"r\" when rush is not unset "
    "and rush; E9 "
    "pass \"y\" otherwise; }\n"
    "set tier { T1 high weight 4 guarantee 40 TF \"h\" when kind = a; T2 low weight 1 \"l\" otherwise; }\n"
    "C1 ceiling compute 100 TF storage 8 TB;\n"
    "L0 lease term 25 days, notice 5 days, grace 2 days, keep-data 5 days, agreement when kind = b;\n"
    "L1 lease term 30 days, renew 2, notice 7 days, grace 2 days, keep-data 5 days;\n"
    "Q1 queue order share, credits, wait, id lift 10 days barrier 20 days max 2 partial 1 steps hold 4 "
    "days;\n"
    "B1 borrow lend-max 50 %, notice 3 days, min-hold 5 days;\n";
static const char tenants[] =
    "name,organisation,from,attr:kind\nx,o,,a\ny,o,,b\nz,p,2027-01-05,a\nz,p,2027-02-05,b\n";

static const struct policy *same_policy(void *arg, const char *name) {
    (void)name;
    return arg;
}

/* At most a year, so that one input takes no minutes. */
static instant_t end_of(const struct world *w) {
    int64_t first = w->n_events ? w->events[0].at.s : 0;
    return instant(first < INSTANT_MOST - 366 * CLOCK_DAY ? first + 365 * CLOCK_DAY : first);
}

static void simulate(const struct world *w, struct policy *policy) {
    struct sim sim;
    struct err e = {0};
    struct sim_options o = {.world = w,
                            .policy = policy,
                            .policies = same_policy,
                            .arg = policy,
                            .until = end_of(w),
                            .sentences = true};
    if (sim_run(&sim, &o, &e) < 0) demand(e.code == ERR_USAGE); /* not ERR_BOOKS: that is a broken promise */
    sim_end(&sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static struct policy *policy;
    struct policy_source source = {"p", text, sizeof text - 1, NULL, NULL};
    struct diagnostics d = {0};
    if (!policy) demand((policy = policy_parse(&source, &d)) != NULL);
    diagnostics_free(&d);
    struct world w = {0};
    struct err e = {0};
    demand(world_read_tenants(&w, tenants, sizeof tenants - 1, "tenants", &e) == 0);
    if (world_read_events(&w, (const char *)bytes, length, "events", &e) == 0)
        simulate(&w, policy);
    else
        demand(err_is(&e));
    world_free(&w);
    return 0;
}
