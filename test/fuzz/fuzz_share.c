/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as input of the sharing function: refused with a message, or filled so that all that holds of a
   fill holds, and answered with JSON that says the same and the same again from claims turned around. */
#include "alloc/json.h"
#include "alloc/scope.h"
#include "policies/fill_check.h"
#include "policies/fill_json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

/* Steps are bounded so that one input stays fast. */
static bool is_small(const struct fill_problem *p) {
    wide_t steps = 0;
    for (size_t i = 0; i < p->n_claims; i++) {
        const struct fill_claim *c = &p->claims[i];
        int64_t most = c->most.has ? c->most.n : FILL_MOST;
        for (size_t k = 0; k < c->n_step; k++) {
            int64_t fit = p->capacity[c->step[k].resource] / c->step[k].n;
            if (fit < most) most = fit;
        }
        steps += most;
    }
    return steps <= 20000 && p->n_claims <= 300;
}

static void check_answer(const struct fill_input *in, const struct fill_result *r, const char *answer) {
    struct err e = {0};
    scoped_json json_t *read = json_load_text(answer, strlen(answer), "answer", &e);
    demand(read != NULL);
    scoped_free char *sorted = json_dumps(read, JSON_SORT_KEYS);
    demand(strcmp(sorted, answer) == 0);
    demand(json_array_size(json_object_get(read, "order")) == r->n_order);
    const json_t *given = json_object_get(read, "given"), *used = json_object_get(read, "used");
    demand(json_object_size(given) == in->problem.n_claims);
    for (size_t i = 0; i < in->problem.n_claims; i++)
        demand(json_integer_value(json_object_get(given, in->ids[i])) == r->given[i]);
    for (size_t i = 0; i < in->problem.n_resources; i++)
        demand(json_integer_value(json_object_get(used, in->resources[i])) == r->used[i]);
}

static void check_turned(json_t *document, const char *answer) {
    struct err e = {0};
    scoped_json json_t *copy = json_copy(document);
    json_t *claims = json_array(), *claim;
    size_t i;
    json_array_foreach(json_object_get(document, "claims"), i, claim) json_array_insert(claims, 0, claim);
    json_object_set_new(copy, "claims", claims);
    scoped_free char *again = fill_answer(copy, "turned", &e);
    demand(again && strcmp(answer, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct err e = {0};
    struct fill_input in;
    struct fill_result r;
    scoped_json json_t *document = json_load_text((const char *)bytes, length, "fuzz", &e);
    if (!document || fill_decode(document, "fuzz", &in, &e) < 0) {
        demand(e.code == ERR_USAGE && e.what[0]);
        return 0;
    }
    if (is_small(&in.problem)) {
        demand(fill(&in.problem, &r, &e) == 0);
        demand(fill_check(&in.problem, &r, &e) == 0);
        scoped_free char *answer = fill_encode(&in, &r);
        check_answer(&in, &r, answer);
        check_turned(document, answer);
        fill_free(&r);
    }
    fill_input_free(&in);
    return 0;
}
