/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I13: what a decision calls decisive is. Over random worlds each decisive reason is undone, by changing the
 * very number, rule or attribute that it names:
 *   - all of them undone, one that waited is served, and one that was denied or held is not denied or held
 * for any of them any more;
 *   - where one request is alone, each of them is needed: with any one left, it still waits.
 */
#include "alloc/decide.h"
#include "alloc/scope.h"
#include "test/unit/random_world.h"

enum { CLAIMS = 4, FLAVORS = 2, NOW = 1618191000, DAY = 86400, MUCH = 1000000 };

/* Everything that a reason may name; copied, so that a change is undone by throwing the copy away. */
struct world {
    int64_t reserve, reserve_storage, lend, ceiling, ceiling_tb, organisation, term;
    bool lends, barrier, strict, approve, draining;
    struct fact_flavor flavors[FLAVORS];
    struct fact_tenant tenants[CLAIMS];
    struct fact_attr attrs[CLAIMS][2];
    struct fact_claim claims[CLAIMS];
    struct fact_pool pool;
    size_t n;
};

static const char *const names[] = {"t0", "t1", "t2", "t3"}, *const ids[] = {"r-1", "r-2", "r-3", "r-4"};
static const struct fact_end ends[] = {{{NOW + 5 * DAY}, "g-1", "a", {4}, NULL},
                                       {{NOW + 40 * DAY}, "g-2", "a", {8}, NULL}};

static struct policy *make_policy(const struct world *w) {
    struct text t = {0};
    text_add(&t, "policy \"p\" version 1;\npool p { basis fp32; flavor a 10 TF units 40; flavor b 4 TF units "
                 "40; storage "
                 "1 PB; }\nattr level : int?;\nattr good : bool;\nset eligible { E1 deny \"bad\" when not "
                 "good; E9 pass "
                 "\"good\" otherwise; }\nset tier { T1 best weight 3 guarantee 20 TF \"x\" when level = 0; "
                 "T2 last weight "
                 "1 guarantee 5 TF \"y\" otherwise; }\n");
    text_add(&t,
             "C1 ceiling compute %lld TF storage %lld TB;\nC2 ceiling per organisation compute %lld TF;\n",
             (long long)w->ceiling, (long long)w->ceiling_tb, (long long)w->organisation);
    if (w->approve) text_add(&t, "A1 approve by operator \"large\" when request.units > 3;\n");
    text_add(&t, "L1 lease term %lld days, grace 7 days;\nQ1 queue order share, wait, id%s%s;\n",
             (long long)w->term, w->strict ? " strict" : "", w->barrier ? " barrier 20 days" : "");
    if (w->lends)
        text_add(&t, "B1 borrow lend-max %lld %%, notice 7 days, min-hold 14 days;\n", (long long)w->lend);
    if (w->reserve) text_add(&t, "R1 reserve compute %lld %% for best;\n", (long long)w->reserve);
    if (w->reserve_storage)
        text_add(&t, "R2 reserve storage %lld %% for best;\n", (long long)w->reserve_storage);
    struct policy *policy = policy_of(t.s);
    text_free(&t);
    return policy;
}

static void decide(struct world *w, struct plan *plan) {
    struct policy *policy = make_policy(w);
    struct err e = {0};
    w->pool.flavors = w->flavors;
    w->pool.draining = w->draining;
    struct facts facts = {.now = instant(NOW),
                          .pool = w->pool,
                          .tenants = w->tenants,
                          .n_tenants = w->n,
                          .claims = w->claims,
                          .n_claims = w->n};
    for (size_t i = 0; i < w->n; i++) w->tenants[i].attrs = w->attrs[i];
    if (policy_decider.plan(policy, &facts, plan, &e) < 0) fail_msg("%s", e.what);
    policy_free(policy);
}

static void make_pool(struct world *w) {
    static const char *const flavor_names[] = {"a", "b"};
    for (int f = 0; f < FLAVORS; f++) {
        w->flavors[f] = (struct fact_flavor){.name = flavor_names[f], .rating = gflops(f ? 4000 : 10000)};
        w->flavors[f].capacity = units(1 + below(40));
        w->flavors[f].free = units(below(w->flavors[f].capacity.n + 1));
        w->flavors[f].n_sizes = 2;
        w->flavors[f].sizes[0] = 1 + below(2);
        w->flavors[f].sizes[1] = 4;
    }
    w->pool =
        (struct fact_pool){.name = "p",
                           .basis = "fp32",
                           .n_flavors = FLAVORS,
                           .storage_capacity = bytes(1000000000000000),
                           .storage_free = bytes(below(3) ? 1000000000000000 : below(20) * 1000000000000),
                           .granule = bytes(100000000000)};
    if (below(2)) w->pool.promised = (struct fact_promised){gflops(100000), gflops(below(100) * 1000)};
    if (below(2)) w->pool.ends = ends, w->pool.n_ends = 2;
}

static void make_claim(struct world *w, size_t i) {
    struct fact_claim *c = &w->claims[i];
    int64_t held = below(3) ? 0 : below(60) * 1000;
    w->attrs[i][0] = (struct fact_attr){"good", below(20) ? "true" : "false"};
    w->attrs[i][1] = (struct fact_attr){"level", below(3) ? "1" : "0"};
    w->tenants[i] = (struct fact_tenant){.name = names[i],
                                         .n_attrs = below(15) ? 2 : 1,
                                         .suspended = below(25) == 0,
                                         .held_compute = gflops(held),
                                         .organisation_compute = gflops(held)};
    *c = (struct fact_claim){.id = ids[i],
                             .tenant = i,
                             .flavor = below(12) ? below(3) ? "a" : "b" : "zz",
                             .ask = ASK_UNITS,
                             .units = units(1 + below(9)),
                             .storage = bytes(below(2) * below(30) * 1000000000000),
                             .submitted = instant(NOW - below(40) * DAY)};
    if (below(3) == 0) c->has_minimum = true, c->minimum_units = units(1 + below(c->units.n));
    if (below(12) == 0) c->per_server = 3;
    if (below(10) == 0) c->term = (span_t){100 * DAY};
    if (below(10) == 0) c->until = (struct maybe_instant){true, instant(NOW - DAY + below(2) * 200 * DAY)};
}

static void make_world(struct world *w, uint64_t number, size_t most) {
    *w = (struct world){0};
    seed = number * 31 + most;
    w->reserve = below(2) * below(30);
    w->reserve_storage = below(3) ? 0 : 1 + below(30);
    w->lends = below(3) > 0;
    w->lend = below(101);
    w->ceiling = 30 + below(100);
    w->ceiling_tb = 10 + below(40);
    w->organisation = 30 + below(100);
    w->term = 60 + below(60);
    w->barrier = below(2);
    w->strict = below(4) == 0;
    w->approve = below(4) == 0;
    w->draining = below(30) == 0;
    w->n = 1 + (size_t)below((int64_t)most);
    make_pool(w);
    for (size_t i = 0; i < w->n; i++) make_claim(w, i);
}

/* ---- undoing what a reason names ---- */

static struct fact_flavor *flavor_of(struct world *w, size_t i) {
    return &w->flavors[w->claims[i].flavor && w->claims[i].flavor[0] == 'b'];
}

static void more_units(struct fact_flavor *f, int64_t more) {
    f->free.n += more;
    if (f->capacity.n < f->free.n) f->capacity.n = f->free.n;
}

static void undo(struct world *w, size_t i, const struct reason *r, int64_t more) {
    struct fact_claim *c = &w->claims[i];
    switch (r->code) {
    case REASON_NOT_ELIGIBLE: w->attrs[i][0].value = "true"; break;
    case REASON_SUSPENDED: w->tenants[i].suspended = false; break;
    case REASON_EXCEEDS_CEILING:
    case REASON_DEBT:
        if (strcmp(r->rule, "C2") == 0)
            w->organisation = MUCH;
        else
            w->ceiling = w->ceiling_tb = MUCH;
        break;
    case REASON_BELOW_SMALLEST_STEP: flavor_of(w, i)->sizes[0] = 1; break;
    case REASON_NO_SUCH_FLAVOR: c->flavor = "a"; break;
    case REASON_NO_SUCH_SIZE: c->per_server = 0; break;
    case REASON_EXCEEDS_POOL: more_units(flavor_of(w, i), MUCH); break;
    case REASON_LEASE_TOO_LONG: w->term = MUCH / 100; break;
    case REASON_LEASE_OVER: c->until.has = false; break;
    case REASON_NEEDS_APPROVAL: c->approved = true; break;
    case REASON_EVAL_ERROR: w->tenants[i].n_attrs = 2; break;
    case REASON_DRAINING: w->draining = false; break;
    case REASON_RESERVED_FOR_TIER:
        if (strcmp(r->rule, "R2") == 0)
            w->reserve_storage = 0;
        else
            w->reserve = 0;
        break;
    case REASON_BEHIND_BARRIER: w->barrier = false; break;
    case REASON_LEND_LIMIT: w->lends = true, w->lend = 100; break;
    case REASON_NO_UNITS: more_units(flavor_of(w, i), more); break;
    case REASON_NO_STORAGE: w->pool.storage_free.n = w->pool.storage_capacity.n; break;
    default: fail_msg("a decisive reason that is not known here: %s", reason_code_word(r->code));
    }
}

static bool has_reason(const struct decision *d, enum reason_code code, const char *rule) {
    for (size_t i = 0; i < d->n_reasons; i++)
        if (d->reasons[i].code == code && d->reasons[i].decisive &&
            (!rule || (d->reasons[i].rule && strcmp(d->reasons[i].rule, rule) == 0)))
            return true;
    return false;
}

static unsigned seen[REASON_CODES];

static size_t decisive_of(const struct decision *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->n_reasons; i++) n += d->reasons[i].decisive;
    return n;
}

static void check_all_undone(const struct world *w, size_t i, const struct decision *d, long number) {
    struct world changed = *w;
    struct plan plan;
    for (size_t k = 0; k < d->n_reasons; k++) {
        if (!d->reasons[k].decisive) continue;
        undo(&changed, i, &d->reasons[k], 1000);
        seen[d->reasons[k].code]++;
    }
    decide(&changed, &plan);
    const struct decision *now = &plan.decisions[i];
    /* A pool that drains looks no further; and what a rule kept from several, one of the others may take. */
    /* Nor where the pool cannot keep all guarantees, so that less reserved is more promised. */
    bool scaled = now->standing.guarantee.n != d->standing.guarantee.n;
    bool alone = w->n == 1 && !scaled && d->reasons[0].code != REASON_DRAINING;
    bool by_units = decisive_of(d) == 1 && d->reasons[0].code == REASON_NO_UNITS &&
                    w->pool.storage_free.n == w->pool.storage_capacity.n;
    if (d->outcome == OUTCOME_QUEUE && (alone || by_units) && now->outcome > OUTCOME_PARTIAL)
        fail_msg("world %ld, %s: undone, it is still %s: %s (before: %s)", number, d->claim,
                 outcome_word(now->outcome), now->reasons[0].en, d->reasons[0].en);
    for (size_t k = 0; k < d->n_reasons; k++)
        if (d->reasons[k].decisive && has_reason(now, d->reasons[k].code, d->reasons[k].rule))
            fail_msg("world %ld, %s: undone, and still: %s", number, d->claim, d->reasons[k].en);
    plan_free(&plan);
}

/* With all but one undone, by no more than is named. */
static void check_each_needed(const struct world *w, const struct decision *d, long number) {
    for (size_t left = 0; left < d->n_reasons && decisive_of(d) > 1; left++) {
        struct world changed = *w;
        struct plan plan;
        if (!d->reasons[left].decisive) continue;
        for (size_t k = 0; k < d->n_reasons; k++) {
            if (!d->reasons[k].decisive || k == left) continue;
            for (int64_t more = d->reasons[k].code == REASON_NO_UNITS ? 1 : 1000;; more++) {
                struct world one = changed;
                undo(&one, 0, &d->reasons[k], more);
                decide(&one, &plan);
                bool enough = !has_reason(&plan.decisions[0], d->reasons[k].code, d->reasons[k].rule);
                plan_free(&plan);
                if (!enough && more < 1000) continue;
                changed = one;
                break;
            }
        }
        decide(&changed, &plan);
        if (plan.decisions[0].outcome <= OUTCOME_PARTIAL)
            fail_msg("world %ld: it was not needed: %s", number, d->reasons[left].en);
        plan_free(&plan);
    }
}

static void what_is_called_decisive_is(void **state) {
    (void)state;
    for (long number = 0, rounds = rounds_wanted(4000); number < rounds; number++) {
        struct world w;
        struct plan plan;
        make_world(&w, (uint64_t)number, number % 2 ? CLAIMS : 1);
        decide(&w, &plan);
        for (size_t i = 0; i < w.n; i++) {
            const struct decision *d = &plan.decisions[i];
            if (d->outcome <= OUTCOME_PARTIAL) continue;
            assert_true(decisive_of(d) > 0);
            check_all_undone(&w, i, d, number);
            if (w.n == 1 && d->outcome == OUTCOME_QUEUE) check_each_needed(&w, d, number);
        }
        plan_free(&plan);
    }
    static const enum reason_code wanted[] = {
        REASON_NOT_ELIGIBLE,   REASON_SUSPENDED,         REASON_EXCEEDS_CEILING, REASON_BELOW_SMALLEST_STEP,
        REASON_NO_SUCH_FLAVOR, REASON_NO_SUCH_SIZE,      REASON_EXCEEDS_POOL,    REASON_LEASE_TOO_LONG,
        REASON_LEASE_OVER,     REASON_NEEDS_APPROVAL,    REASON_EVAL_ERROR,      REASON_DEBT,
        REASON_DRAINING,       REASON_RESERVED_FOR_TIER, REASON_BEHIND_BARRIER,  REASON_LEND_LIMIT,
        REASON_NO_UNITS,       REASON_NO_STORAGE};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (seen[wanted[i]] < 5)
            fail_msg("%s came up %u times only", reason_code_word(wanted[i]), seen[wanted[i]]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_called_decisive_is)};
    return cmocka_run_group_tests_name("plan_decisive", tests, NULL, NULL);
}
