/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the text of a policy. Whatever is accepted must come back from its stored form the same, and
 * must be able to decide: a claim, a plan, no crash, no leak.
 */
#include "alloc/facts.h"
#include "alloc/scope.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int table(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    (void)arg;
    (void)name;
    (void)e;
    text_add(out, "%s\nc0001\n", file);
    return 0;
}

static void decide(const struct policy *policy) {
    static const struct fact_attr attrs[] = {{"kind", "sme"}, {"ai", "true"}, {"seat", "moving"}};
    struct fact_flavor flavors[32];
    struct fact_service services[32];
    size_t n = policy_flavors(policy), n_services = policy_services(policy);
    for (size_t i = 0; i < n; i++) flavors[i] = policy_flavor(policy, i);
    for (size_t i = 0; i < n_services; i++) services[i] = policy_service(policy, i);
    struct fact_holding holdings[] = {{"unit/v100", 3, 5}, {"seat/notebook", 2, 2}};
    struct fact_tenant tenant = {.name = "c0001",
                                 .organisation = "o1",
                                 .attrs = attrs,
                                 .n_attrs = 3,
                                 .holdings = holdings,
                                 .n_holdings = 2,
                                 .held_compute = {46800},
                                 .organisation_compute = {78000},
                                 .spent = {{1000000, 2000000, 3000, 4000}}};
    struct fact_seats seats = {n_services > 0 ? services[0].name : "notebook", 3};
    struct fact_claim claims[] = {
        {.id = "r-1", .ask = ASK_COMPUTE, .compute = {124800}, .has_minimum = true, .minimum_compute = {1}},
        {.id = "r-2", .ask = ASK_UNITS, .units = {3}, .storage = {1000000000000}, .submitted = {1}},
        {.id = "r-3", .ask = ASK_COMPUTE, .compute = {500000}, .submitted = {1}},
        {.id = "r-4",
         .ask = ASK_UNITS,
         .flavor = n > 0 ? flavors[n - 1].name : "v100",
         .units = {4},
         .has_minimum = true,
         .minimum_units = {1},
         .storage = {1000000000000},
         .datalake = {3000000000000},
         .seats = &seats,
         .n_seats = 1,
         .replaces = {.grant = "g-1", .compute = {15600}, .holdings = holdings, .n_holdings = 2},
         .submitted = {1610000000}},
    };
    struct facts facts = {
        .now = {1618191000}, .tenants = &tenant, .n_tenants = 1, .claims = claims, .n_claims = 4};
    facts.pool = (struct fact_pool){.name = policy_pool(policy),
                                    .basis = policy_basis(policy),
                                    .flavors = flavors,
                                    .n_flavors = n,
                                    .storage_capacity = policy_storage(policy),
                                    .datalake_capacity = policy_datalake(policy),
                                    .datalake_free = policy_datalake(policy),
                                    .services = services,
                                    .n_services = n_services,
                                    .storage_free = policy_storage(policy),
                                    .granule = {1000000000}};
    struct plan plan;
    struct err e = {0};
    if (policy_decider.plan(policy, &facts, &plan, &e) < 0) abort();
    for (size_t i = 0; i < plan.n_decisions; i++)
        if (plan.decisions[i].n_reasons == 0) abort();
    json_decref(plan_encode(&plan));
    plan_free(&plan);
    struct standing *standing = mem_alloc(sizeof *standing);
    if (policy_decider.assess(policy, &facts, standing, &e) < 0) abort();
    standings_free(standing, 1);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    struct diagnostics d = {0};
    struct text said = {0};
    struct policy_source source = {"fuzz.policy", (const char *)data, size, table, NULL};
    struct policy *policy = policy_parse(&source, &d);
    diagnostics_print(&d, &said);
    if (!policy && d.count[LEVEL_ERROR] == 0) abort();
    if (!text_is_utf8(said.s ? said.s : "", said.length)) abort();
    if (policy) {
        struct err e = {0};
        char *stored = policy_stored(policy, NULL);
        struct policy *again = policy_decider.open(stored, &e);
        if (!again) abort();
        char *twice = policy_stored(again, NULL);
        if (strcmp(stored, twice) != 0) abort();
        decide(again);
        free(stored);
        free(twice);
        policy_free(again);
        policy_free(policy);
    }
    text_free(&said);
    diagnostics_free(&d);
    return 0;
}
