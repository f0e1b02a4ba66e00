/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan against a small, slow, obvious reference: claims of one second that name their flavor. Floors in
 * the order of ids, then one step at a time to the lowest share, all by linear search over unit counts that
 * were found by trying. Then, for any claims at all, what must hold whatever the plan.
 */
#include "alloc/facts.h"
#include "alloc/json.h"
#include "test/unit/random_world.h"

enum { CLAIMS = 14, TENANTS = 8, FLAVORS = 3, CAPACITY = 40 };

static const char text[] = "policy \"random\" version 1;\n"
                           "pool p { basis fp32; flavor a 7 TF units 40; flavor b 11 TF units 40; flavor c "
                           "20 TF units 40; storage 1 PB; }\n"
                           "set eligible { E9 pass \"all\" otherwise; }\n"
                           "C1 ceiling compute 150 TF storage 50 TB;\n"
                           "C2 ceiling per organisation compute 200 TF storage 60 TB;\n"
                           "L1 lease term 90 days;\n";
enum { TENANT_MOST = 150, ORGANISATION_MOST = 200 };
static const int64_t ratings[FLAVORS] = {7, 11, 20};

static struct policy *policy;
static int open_policy(void **state) {
    (void)state;
    policy = policy_of(text);
    return 0;
}

static int close_policy(void **state) {
    (void)state;
    policy_free(policy);
    return 0;
}

/* One random world, in TF so that numbers stay readable; GFLOPS are made when the facts are. */
struct world {
    int64_t capacity[FLAVORS], free[FLAVORS];
    bool reachable[FLAVORS][CAPACITY + 1];
    int64_t held[TENANTS], organisation_held[TENANTS];
    int organisation[TENANTS];
    int n_claims, tenant[CLAIMS], flavor[CLAIMS];
    int64_t most[CLAIMS], least[CLAIMS]; /* units; least 0: no minimum */
    int64_t given[CLAIMS];
    bool denied[CLAIMS], queued[CLAIMS];
    struct fact_flavor flavors[FLAVORS];
    struct fact_tenant tenants[TENANTS];
    struct fact_claim claims[CLAIMS];
    char names[CLAIMS][16];
    struct facts facts;
};

static const char *const flavor_names[] = {"a", "b", "c"};
static const char *const tenant_names[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"};
static const char *const organisation_names[] = {"o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7"};

static void make_flavors(struct world *w) {
    for (int f = 0; f < FLAVORS; f++) {
        struct fact_flavor *out = &w->flavors[f];
        *out = (struct fact_flavor){.name = flavor_names[f], .rating = gflops(ratings[f] * 1000)};
        for (int64_t s = 1; s <= 8 && out->n_sizes < 4; s++)
            if (below(3) == 0) out->sizes[out->n_sizes++] = s;
        if (out->n_sizes == 0) out->sizes[out->n_sizes++] = 1 + below(3);
        w->capacity[f] = 1 + below(CAPACITY);
        w->free[f] = below(w->capacity[f] + 1);
        out->capacity = units(w->capacity[f]);
        out->free = units(w->free[f]);
        w->reachable[f][0] = true;
        for (int64_t n = 1; n <= CAPACITY; n++)
            for (size_t k = 0; k < out->n_sizes; k++)
                if (out->sizes[k] <= n && w->reachable[f][n - out->sizes[k]]) w->reachable[f][n] = true;
    }
}

static void make_tenants(struct world *w) {
    for (int t = 0; t < TENANTS; t++) {
        w->organisation[t] = (int)below(5);
        w->held[t] = below(3) ? 0 : below(120);
    }
    for (int t = 0; t < TENANTS; t++)
        for (int u = 0; u < TENANTS; u++)
            if (w->organisation[t] == w->organisation[u]) w->organisation_held[t] += w->held[u];
    for (int t = 0; t < TENANTS; t++)
        w->tenants[t] = (struct fact_tenant){.name = tenant_names[t],
                                             .organisation = organisation_names[w->organisation[t]],
                                             .held_compute = gflops(w->held[t] * 1000),
                                             .organisation_compute = gflops(w->organisation_held[t] * 1000)};
}

static void make_claims(struct world *w, bool any) {
    w->n_claims = 1 + (int)below(CLAIMS);
    for (int i = 0; i < w->n_claims; i++) {
        w->tenant[i] = (int)below(TENANTS);
        w->flavor[i] = (int)below(FLAVORS);
        w->most[i] = 1 + below(14);
        w->least[i] = below(3) ? 1 + below(w->most[i]) : 0;
        snprintf(w->names[i], sizeof w->names[i], "r-%02d", i);
        struct fact_claim *c = &w->claims[i];
        *c = (struct fact_claim){.id = w->names[i],
                                 .tenant = (size_t)w->tenant[i],
                                 .flavor = flavor_names[w->flavor[i]],
                                 .ask = ASK_UNITS,
                                 .units = units(w->most[i]),
                                 .has_minimum = w->least[i] > 0,
                                 .minimum_units = units(w->least[i]),
                                 .submitted = instant(1000 + (any ? below(3) : 0))};
        if (!any) continue;
        c->storage = bytes(below(4) * 10000000000000);
        if (below(2)) c->flavor = NULL;
        if (below(2)) continue;
        c->ask = ASK_COMPUTE;
        c->compute = gflops((1 + below(160)) * 1000);
        c->minimum_compute = gflops(c->compute.n / (1 + below(8)));
    }
}

static void make_world(struct world *w, uint64_t number, bool any) {
    *w = (struct world){0};
    seed = number * 2654435761u + 1;
    make_flavors(w);
    make_tenants(w);
    make_claims(w, any);
    w->facts = (struct facts){.now = instant(2000),
                              .tenants = w->tenants,
                              .n_tenants = TENANTS,
                              .claims = w->claims,
                              .n_claims = (size_t)w->n_claims};
    w->facts.pool = (struct fact_pool){.name = "p",
                                       .basis = "fp32",
                                       .flavors = w->flavors,
                                       .n_flavors = FLAVORS,
                                       .storage_capacity = bytes(100000000000000),
                                       .storage_free = bytes(80000000000000),
                                       .granule = bytes(1000000000000)};
}

/* ---- the reference ---- */

static int64_t tenant_has(const struct world *w, int t) {
    int64_t sum = w->held[t];
    for (int i = 0; i < w->n_claims; i++)
        if (w->tenant[i] == t) sum += w->given[i] * ratings[w->flavor[i]];
    return sum;
}

static int64_t organisation_has(const struct world *w, int t) {
    int64_t sum = w->organisation_held[t];
    for (int i = 0; i < w->n_claims; i++)
        if (w->organisation[w->tenant[i]] == w->organisation[t]) sum += w->given[i] * ratings[w->flavor[i]];
    return sum;
}

static int64_t room(const struct world *w, int i) {
    int64_t a = TENANT_MOST - tenant_has(w, w->tenant[i]),
            b = ORGANISATION_MOST - organisation_has(w, w->tenant[i]);
    return a < b ? a : b;
}

static int64_t reach_down(const struct world *w, int f, int64_t n) {
    while (n > 0 && (n > CAPACITY || !w->reachable[f][n])) n--;
    return n;
}

static void reference_floors(struct world *w) {
    for (int i = 0; i < w->n_claims; i++) {
        int f = w->flavor[i];
        int64_t whole = reach_down(w, f, w->most[i]), floor = w->least[i] ? w->least[i] : whole;
        while (w->least[i] && floor <= CAPACITY && !w->reachable[f][floor]) floor++;
        bool impossible = whole == 0 || floor > whole || floor > w->capacity[f];
        /* without a minimum the ceiling is held against what was asked, not against what it rounds to */
        int64_t against = w->least[i] ? floor : w->most[i];
        if (impossible || room(w, i) < 0 || against * ratings[f] > room(w, i))
            w->denied[i] = true;
        else if (floor > w->free[f])
            w->queued[i] = true;
        else
            w->given[i] = floor, w->free[f] -= floor;
    }
}

static int64_t reference_step(const struct world *w, int i) {
    int f = w->flavor[i];
    if (w->denied[i] || w->queued[i] || w->least[i] == 0) return 0;
    for (int64_t n = w->given[i] + 1; n <= w->most[i] && n <= CAPACITY; n++) {
        if (!w->reachable[f][n]) continue;
        int64_t step = n - w->given[i];
        return step <= w->free[f] && step * ratings[f] <= room(w, i) ? step : 0;
    }
    return 0;
}

static void reference_fill(struct world *w) {
    for (;;) {
        int best = -1;
        for (int i = 0; i < w->n_claims; i++)
            if (reference_step(w, i) > 0 &&
                (best < 0 || tenant_has(w, w->tenant[i]) < tenant_has(w, w->tenant[best])))
                best = i;
        if (best < 0) return;
        int64_t step = reference_step(w, best);
        w->given[best] += step;
        w->free[w->flavor[best]] -= step;
    }
}

static void plans_equal_the_slow_reference(void **state) {
    (void)state;
    long rounds = rounds_wanted(4000);
    for (long number = 0; number < rounds; number++) {
        struct world w;
        struct plan plan;
        struct err e = {0};
        make_world(&w, (uint64_t)number, false);
        if (policy_decider.plan(policy, &w.facts, &plan, &e) < 0) fail_msg("world %ld: %s", number, e.what);
        reference_floors(&w);
        reference_fill(&w);
        for (int i = 0; i < w.n_claims; i++) {
            const struct decision *d = &plan.decisions[i];
            bool denied = d->outcome == OUTCOME_DENY, queued = d->outcome == OUTCOME_QUEUE;
            if (denied != w.denied[i] || queued != w.queued[i] || units_of(d) != w.given[i])
                fail_msg("world %ld, claim %d: %s %lld units, the reference %s %lld", number, i,
                         outcome_word(d->outcome), (long long)units_of(d),
                         w.denied[i]   ? "denies"
                         : w.queued[i] ? "queues"
                                       : "gives",
                         (long long)w.given[i]);
        }
        plan_free(&plan);
    }
}

/* ---- what holds of every plan ---- */

static void check_conserved(const struct world *w, const struct plan *plan, long number) {
    int64_t used[FLAVORS] = {0}, storage = 0;
    for (int i = 0; i < w->n_claims; i++) {
        const struct decision *d = &plan->decisions[i];
        int64_t compute = 0;
        for (size_t k = 0; k < d->n_lines; k++) {
            int f = d->lines[k].flavor[0] - 'a';
            bool known = false;
            for (size_t s = 0; s < w->flavors[f].n_sizes; s++)
                known |= w->flavors[f].sizes[s] == d->lines[k].size;
            if (!known) fail_msg("world %ld: a server of %lld", number, (long long)d->lines[k].size);
            used[f] += d->lines[k].size * d->lines[k].count;
            compute += d->lines[k].size * d->lines[k].count * ratings[f] * 1000;
        }
        assert_int_equal(compute, d->compute.n);
        storage += d->storage.n;
        assert_true(d->n_reasons > 0);
        if (d->outcome >= OUTCOME_QUEUE) assert_true(d->reasons[0].decisive);
        if (d->outcome >= OUTCOME_QUEUE) assert_int_equal(d->n_lines, 0);
    }
    for (int f = 0; f < FLAVORS; f++)
        if (used[f] > w->free[f])
            fail_msg("world %ld: %lld of %lld units", number, (long long)used[f], (long long)w->free[f]);
    assert_true(storage <= w->facts.pool.storage_free.n);
}

static void check_ceilings(const struct world *w, const struct plan *plan, long number) {
    for (int t = 0; t < TENANTS; t++) {
        int64_t compute = w->held[t] * 1000, organisation = w->organisation_held[t] * 1000, storage = 0;
        bool got = false;
        for (int i = 0; i < w->n_claims; i++) {
            const struct decision *d = &plan->decisions[i];
            if (w->tenant[i] == t) compute += d->compute.n, storage += d->storage.n, got |= d->compute.n > 0;
            if (w->organisation[w->tenant[i]] == w->organisation[t]) organisation += d->compute.n;
        }
        if (!got) continue;
        if (compute > TENANT_MOST * 1000 || organisation > ORGANISATION_MOST * 1000 ||
            storage > 50000000000000)
            fail_msg("world %ld: %s is above a ceiling", number, tenant_names[t]);
    }
}

/* A claim is never given less than its minimum, and without one never less than the step below what it asks.
 */
static void check_asks(const struct world *w, const struct plan *plan, long number) {
    for (int i = 0; i < w->n_claims; i++) {
        const struct decision *d = &plan->decisions[i];
        const struct fact_claim *c = &w->claims[i];
        if (d->outcome > OUTCOME_PARTIAL) continue;
        bool over = c->ask == ASK_UNITS ? units_of(d) > c->units.n : d->compute.n > c->compute.n;
        bool under = c->has_minimum && (c->ask == ASK_UNITS ? units_of(d) < c->minimum_units.n
                                                            : d->compute.n < c->minimum_compute.n);
        if (over || under || (d->outcome == OUTCOME_PARTIAL && !c->has_minimum))
            fail_msg("world %ld, claim %d: %s is not what it asked for", number, i,
                     gflops_text(d->compute).s);
        if (c->flavor)
            for (size_t k = 0; k < d->n_lines; k++) assert_string_equal(d->lines[k].flavor, c->flavor);
    }
}

static char *canonical(const struct facts *facts) {
    struct plan plan;
    struct err e = {0};
    if (policy_decider.plan(policy, facts, &plan, &e) < 0) fail_msg("%s", e.what);
    json_t *all = json_object();
    for (size_t i = 0; i < plan.n_decisions; i++)
        json_object_set_new(all, plan.decisions[i].claim, decision_encode(&plan.decisions[i]));
    plan_free(&plan);
    char *s = json_canonical(all);
    json_decref(all);
    return s;
}

static void check_shuffled(struct world *w, long number) {
    char *first = canonical(&w->facts);
    for (int i = w->n_claims - 1; i > 0; i--) {
        int k = (int)below(i + 1);
        struct fact_claim c = w->claims[i];
        w->claims[i] = w->claims[k];
        w->claims[k] = c;
    }
    struct fact_flavor f = w->flavors[0];
    w->flavors[0] = w->flavors[2];
    w->flavors[2] = f;
    char *second = canonical(&w->facts);
    if (strcmp(first, second) != 0) fail_msg("world %ld depends on the order of its claims", number);
    free(first);
    free(second);
}

static void plans_keep_their_promises(void **state) {
    (void)state;
    long rounds = rounds_wanted(4000);
    for (long number = 0; number < rounds; number++) {
        struct world w;
        struct plan plan;
        struct err e = {0};
        make_world(&w, (uint64_t)number, true);
        if (policy_decider.plan(policy, &w.facts, &plan, &e) < 0) fail_msg("world %ld: %s", number, e.what);
        check_conserved(&w, &plan, number);
        check_ceilings(&w, &plan, number);
        check_asks(&w, &plan, number);
        plan_free(&plan);
        check_shuffled(&w, number);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_equal_the_slow_reference),
        cmocka_unit_test(plans_keep_their_promises),
    };
    return cmocka_run_group_tests_name("plan_fill", tests, open_policy, close_policy);
}
