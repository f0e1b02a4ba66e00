/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as stored facts: refused with a message, or they encode to a form that reads back the same, and a
   policy decides every claim of them without giving more than there is. */
#include "alloc/facts.h"
#include "policies/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static const char text[] =
    "policy \"p\" version 1; pool pilot { basis fp32; flavor v100 15.6 TF units 480 sizes 1, 2, 4, 8; "
    "storage 1 PB; }\n"
    "attr kind : enum { sme, other }; attr move_by : date?; attr rush : bool of request;\n"
    "set eligible { E1 deny \"no\" when kind = other; E2 review \"r\" when rush and move_by > today; E9 pass "
    "\"y\" "
    "otherwise; }\n"
    "C1 ceiling compute 1 EF storage 1 PB; C2 ceiling per organisation compute 2 EF storage 2 PB;\n"
    "L1 lease term 90 days;";

static void check_plan(const struct facts *f, const struct plan *plan) {
    wide_t storage = 0;
    demand(plan->n_decisions == f->n_claims);
    for (size_t i = 0; i < plan->n_decisions; i++) {
        demand(plan->decisions[i].n_reasons > 0);
        storage += plan->decisions[i].storage.n;
    }
    demand(storage == 0 || storage <= f->pool.storage_free.n);
    for (size_t k = 0; k < f->pool.n_flavors; k++) {
        wide_t units = 0;
        for (size_t i = 0; i < plan->n_decisions; i++)
            for (size_t l = 0; l < plan->decisions[i].n_lines; l++)
                if (strcmp(plan->decisions[i].lines[l].flavor, f->pool.flavors[k].name) == 0)
                    units += (wide_t)plan->decisions[i].lines[l].size * plan->decisions[i].lines[l].count;
        demand(units == 0 || units <= f->pool.flavors[k].free.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static struct policy *policy;
    struct diagnostics d = {0};
    struct policy_source source = {"p", text, sizeof text - 1, NULL, NULL};
    if (!policy) demand((policy = policy_parse(&source, &d)) != NULL);
    diagnostics_free(&d);
    char *copy = mem_alloc(length + 1);
    memcpy(copy, bytes, length);
    struct facts_owned facts, again;
    struct plan plan = {0};
    struct err e = {0}, planned = {0};
    if (facts_decode(copy, &facts, &e) == 0) {
        char *once = facts_encode(&facts.facts);
        demand(facts_decode(once, &again, &e) == 0);
        char *twice = facts_encode(&again.facts);
        demand(strcmp(once, twice) == 0);
        if (policy_decider.plan(policy, &facts.facts, &plan, &planned) == 0)
            check_plan(&facts.facts, &plan);
        else
            demand(err_is(&planned));
        plan_free(&plan);
        facts_free(&again);
        facts_free(&facts);
        free(once);
        free(twice);
    } else {
        demand(err_is(&e));
    }
    free(copy);
    return 0;
}
