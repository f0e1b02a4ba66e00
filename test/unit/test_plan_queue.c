/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans under a queue rule, over random worlds and random policies (tiers, weights, guarantees, lending, a
 * reserve, strict or not, total or surplus):
 *   - where each claim names its flavor, the plan must equal a slow reference that looks at every claim
 * before each single step;
 *   - of every plan: nothing from nothing, no waste (I6), a better tier first where strict (I8), the same
 * bytes whatever the order of the input (I12, I17), and an offer that would be granted.
 */
#include "alloc/facts.h"
#include "alloc/json.h"
#include "test/unit/random_world.h"

enum { CLAIMS = 12, TENANTS = 8, FLAVORS = 3, CAPACITY = 40, TIERS = 3 };
enum { NOW = 1618191000, DAY = 86400, LIFT = 30, CEILING = 150 };

static const int64_t ratings[FLAVORS] = {7, 11, 20};
static const char *const flavor_names[] = {"a", "b", "c"};
static const char *const tenant_names[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"};
static const char *const tier_names[] = {"best", "middle", "last"};
/* In TF, so that numbers stay readable; GFLOPS are made when the facts are. */
struct world {
    int64_t weight[TIERS], guarantee[TIERS], lend, reserve;
    bool strict, surplus, lends, barriers, holds;
    int64_t capacity[FLAVORS], free[FLAVORS], lost[FLAVORS];
    bool reachable[FLAVORS][CAPACITY + 1];
    int64_t held[TENANTS], credits[TENANTS], promised, promised_unused;
    int tier[TENANTS];
    int n_claims, tenant[CLAIMS], flavor[CLAIMS];
    int64_t most[CLAIMS], least[CLAIMS], wait[CLAIMS]; /* units; least 0: no minimum; days */
    int64_t given[CLAIMS];
    bool denied[CLAIMS], dropped[CLAIMS];
    struct fact_flavor flavors[FLAVORS];
    struct fact_tenant tenants[TENANTS];
    struct fact_attr attrs[TENANTS];
    struct fact_claim claims[CLAIMS];
    struct fact_end ends[4];
    char names[CLAIMS][16];
    struct facts facts;
    struct policy *policy;
};

static struct policy *make_policy(struct world *w) {
    struct text t = {0};
    text_add(
        &t,
        "policy \"random\" version 1;\npool p { basis fp32; flavor a 7 TF units 40; flavor b 11 TF units 40; "
        "flavor c 20 TF units 40; storage 1 PB; }\nattr level : int;\nset eligible { E9 pass \"all\" "
        "otherwise; "
        "}\nset tier {\n");
    for (int i = 0; i < TIERS; i++)
        text_add(&t, "T%d %s weight %lld guarantee %lld TF \"x\" %s%c;\n", i, tier_names[i],
                 (long long)w->weight[i], (long long)w->guarantee[i], i < 2 ? "when level = " : "otherwise",
                 i < 2 ? '0' + i : ' ');
    text_add(&t, "}\nC1 ceiling compute %d TF storage 50 TB;\nL1 lease term 90 days, grace 7 days;\n",
             CEILING);
    text_add(&t, "Q1 queue order share, credits, wait, id weigh %s%s lift %d days%s%s;\n",
             w->surplus ? "surplus" : "total", w->strict ? " strict" : "", LIFT,
             w->barriers ? " barrier 45 days" : "", w->holds ? " hold 3 days" : "");
    if (w->lends)
        text_add(&t, "B1 borrow lend-max %lld %%, notice 7 days, min-hold 14 days;\n", (long long)w->lend);
    if (w->reserve) text_add(&t, "R1 reserve compute %lld %% for best;\n", (long long)w->reserve);
    struct policy *policy = policy_of(t.s);
    text_free(&t);
    return policy;
}

static void make_rules(struct world *w) {
    for (int i = 0; i < TIERS; i++) {
        w->weight[i] = 1 + below(5);
        w->guarantee[i] = below(3) ? below(60) : 0;
    }
    w->strict = below(4) == 0;
    w->surplus = below(4) == 0;
    w->lends = below(3) > 0;
    w->lend = below(101);
    w->reserve = below(2) ? below(30) : 0;
}

static void make_flavors(struct world *w) {
    for (int f = 0; f < FLAVORS; f++) {
        struct fact_flavor *out = &w->flavors[f];
        *out = (struct fact_flavor){.name = flavor_names[f], .rating = gflops(ratings[f] * 1000)};
        for (int64_t s = 1; s <= 8 && out->n_sizes < 4; s++)
            if (below(3) == 0) out->sizes[out->n_sizes++] = s;
        if (out->n_sizes == 0) out->sizes[out->n_sizes++] = 1 + below(3);
        w->capacity[f] = 1 + below(CAPACITY);
        w->free[f] = below(w->capacity[f] + 1);
        w->lost[f] = below(5) ? 0 : below(w->capacity[f] - w->free[f] + 1);
        out->capacity = units(w->capacity[f]);
        out->free = units(w->free[f]);
        out->lost = units(w->lost[f]);
        w->reachable[f][0] = true;
        for (int64_t n = 1; n <= CAPACITY; n++)
            for (size_t k = 0; k < out->n_sizes; k++)
                if (out->sizes[k] <= n && w->reachable[f][n - out->sizes[k]]) w->reachable[f][n] = true;
    }
}

static void make_tenants(struct world *w) {
    static const char *const levels[] = {"0", "1", "2"};
    for (int t = 0; t < TENANTS; t++) {
        w->held[t] = below(3) ? 0 : below(100);
        w->credits[t] = below(3) ? 0 : below(9) - 4;
        w->tier[t] = (int)below(TIERS);
        w->attrs[t] = (struct fact_attr){"level", levels[w->tier[t]]};
        w->tenants[t] = (struct fact_tenant){.name = tenant_names[t],
                                             .held_compute = gflops(w->held[t] * 1000),
                                             .organisation_compute = gflops(w->held[t] * 1000),
                                             .credits = w->credits[t],
                                             .attrs = &w->attrs[t],
                                             .n_attrs = 1};
    }
    w->promised = below(2) ? below(300) : 0;
    w->promised_unused = below(w->promised + 1);
}

static void make_claims(struct world *w, bool any_flavor) {
    w->n_claims = 1 + (int)below(CLAIMS);
    for (int i = 0; i < w->n_claims; i++) {
        struct fact_claim *c = &w->claims[i];
        w->tenant[i] = (int)below(TENANTS);
        w->flavor[i] = (int)below(FLAVORS);
        w->most[i] = 1 + below(12);
        w->least[i] = below(3) ? 1 + below(w->most[i]) : 0;
        w->wait[i] = below(4) ? 0 : below(60);
        snprintf(w->names[i], sizeof w->names[i], "r-%d", i + 1);
        *c = (struct fact_claim){.id = w->names[i],
                                 .tenant = (size_t)w->tenant[i],
                                 .flavor = flavor_names[w->flavor[i]],
                                 .ask = ASK_UNITS,
                                 .units = units(w->most[i]),
                                 .has_minimum = w->least[i] > 0,
                                 .minimum_units = units(w->least[i]),
                                 .submitted = instant(NOW - w->wait[i] * DAY)};
        if (!any_flavor || below(2)) continue;
        c->flavor = NULL;
        c->ask = ASK_COMPUTE;
        c->compute = gflops((5 + below(150)) * 1000);
        c->has_minimum = below(2);
        c->minimum_compute = gflops(c->has_minimum ? 1000 + below(c->compute.n) : 0);
        c->storage = bytes(below(2) * 1000000000000);
        c->units = c->minimum_units = units(0);
    }
}

static void make_facts(struct world *w) {
    w->facts = (struct facts){.now = instant(NOW),
                              .tenants = w->tenants,
                              .n_tenants = TENANTS,
                              .claims = w->claims,
                              .n_claims = (size_t)w->n_claims};
    w->facts.pool =
        (struct fact_pool){.name = "p",
                           .basis = "fp32",
                           .flavors = w->flavors,
                           .n_flavors = FLAVORS,
                           .storage_capacity = bytes(1000000000000000),
                           .storage_free = bytes(below(2) ? 3000000000000 : 1000000000000000),
                           .granule = bytes(100000000000),
                           .promised = {gflops(w->promised * 1000), gflops(w->promised_unused * 1000)}};
    if (!w->barriers) return;
    static const char *const grants[] = {"g-1", "g-2", "g-3", "g-4"};
    for (int i = 0; i < 4; i++)
        w->ends[i] = (struct fact_end){instant(NOW + below(120) * DAY), grants[i],
                                       flavor_names[below(FLAVORS)], units(1 + below(6)), NULL};
    w->facts.pool.ends = w->ends;
    w->facts.pool.n_ends = 4;
}

static void make_world(struct world *w, uint64_t number, bool any_flavor) {
    *w = (struct world){0};
    seed = number * 77 + (any_flavor ? 5 : 3);
    make_rules(w);
    w->barriers = any_flavor && below(2);
    w->holds = any_flavor && below(2);
    make_flavors(w);
    make_tenants(w);
    make_claims(w, any_flavor);
    make_facts(w);
    w->policy = make_policy(w);
}

static void make_plan(const struct world *w, const struct facts *facts, struct plan *plan, long number) {
    struct err e = {0};
    if (policy_decider.plan(w->policy, facts, plan, &e) < 0) fail_msg("world %ld: %s", number, e.what);
}

/* ---- the slow reference ---- */

/* In GFLOPS here: a scaled guarantee is rounded down to one. */
static int64_t has(const struct world *w, int t) {
    int64_t sum = w->held[t] * 1000;
    for (int i = 0; i < w->n_claims; i++)
        if (w->tenant[i] == t) sum += w->given[i] * ratings[w->flavor[i]] * 1000;
    return sum;
}

static bool claims_something(const struct world *w, int t) {
    for (int i = 0; i < w->n_claims; i++)
        if (w->tenant[i] == t) return true;
    return false;
}

static int64_t pool_reserve(const struct world *w) {
    int64_t capacity = 0;
    for (int f = 0; f < FLAVORS; f++) capacity += w->capacity[f] * ratings[f] * 1000;
    return capacity * w->reserve / 100;
}

static void sums(const struct world *w, int64_t *available, int64_t *promised) {
    *available = -pool_reserve(w);
    *promised = w->promised * 1000;
    for (int f = 0; f < FLAVORS; f++) *available += (w->capacity[f] - w->lost[f]) * ratings[f] * 1000;
    if (*available < 0) *available = 0;
    for (int t = 0; t < TENANTS; t++)
        if (claims_something(w, t)) *promised += w->guarantee[w->tier[t]] * 1000;
}

static int64_t guarantee_of(const struct world *w, int t) {
    int64_t available, promised, stated = w->guarantee[w->tier[t]] * 1000;
    sums(w, &available, &promised);
    return promised > available ? stated * available / promised : stated;
}

static int64_t must_stay(const struct world *w, int t) {
    int64_t available, promised, unused = w->promised_unused * 1000;
    sums(w, &available, &promised);
    if (promised > available) unused = (unused * available + promised - 1) / promised;
    for (int u = 0; u < TENANTS; u++)
        if (u != t && claims_something(w, u) && guarantee_of(w, u) > has(w, u))
            unused += guarantee_of(w, u) - has(w, u);
    int64_t percent = w->lends ? 100 - w->lend : 100;
    return (w->tier[t] == 0 ? 0 : pool_reserve(w)) + (unused * percent + 99) / 100;
}

static int64_t free_compute(const struct world *w) {
    int64_t sum = 0;
    for (int f = 0; f < FLAVORS; f++) sum += w->free[f] * ratings[f] * 1000;
    return sum;
}

static int64_t next_of(const struct world *w, int i) {
    int64_t n = w->given[i] + 1;
    int f = w->flavor[i];
    if (w->given[i] == 0 && w->least[i] == 0) {
        for (n = w->most[i]; n > 0 && !w->reachable[f][n];) n--;
        return n;
    }
    if (w->given[i] > 0 && w->least[i] == 0) return 0;
    if (w->given[i] == 0) n = w->least[i];
    while (n <= w->most[i] && !w->reachable[f][n]) n++;
    return n > w->most[i] ? 0 : n;
}

static int tier_now(const struct world *w, int i) {
    int tier = w->tier[w->tenant[i]];
    return w->wait[i] >= LIFT && tier > 0 ? tier - 1 : tier;
}

static int sign(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* Does claim i come before claim k? */
static bool comes_first(const struct world *w, int i, int k) {
    int64_t gi = guarantee_of(w, w->tenant[i]), gk = guarantee_of(w, w->tenant[k]);
    int64_t hi = has(w, w->tenant[i]), hk = has(w, w->tenant[k]);
    bool bi = hi < gi, bk = hk < gk;
    int ti = tier_now(w, i), tk = tier_now(w, k), order;
    if (w->surplus) hi = hi > gi ? hi - gi : 0, hk = hk > gk ? hk - gk : 0;
    if (bi != bk) return bi;
    if (w->strict && ti != tk) return ti < tk;
    if ((order = sign(hi * w->weight[tk], hk * w->weight[ti]))) return order < 0;
    if ((order = sign(w->credits[w->tenant[k]], w->credits[w->tenant[i]]))) return order < 0;
    if ((order = sign(w->wait[k], w->wait[i]))) return order < 0;
    return i < k; /* r-2 before r-10 */
}

static bool above_ceiling(const struct world *w, int i) {
    int64_t against = w->least[i] ? next_of(w, i) : w->most[i], most = (int64_t)CEILING * 1000;
    return has(w, w->tenant[i]) > most ||
           has(w, w->tenant[i]) + against * ratings[w->flavor[i]] * 1000 > most;
}

static bool fits(const struct world *w, int i, int64_t step) {
    int t = w->tenant[i];
    int64_t draw = step * ratings[w->flavor[i]] * 1000;
    if (step > w->free[w->flavor[i]] || has(w, t) + draw > (int64_t)CEILING * 1000) return false;
    return has(w, t) + draw <= guarantee_of(w, t) || free_compute(w) - draw >= must_stay(w, t);
}

static void reference(struct world *w) {
    for (int i = 0; i < w->n_claims; i++) {
        int64_t first = next_of(w, i);
        w->denied[i] = first == 0 || first > w->capacity[w->flavor[i]] || above_ceiling(w, i);
    }
    for (;;) {
        int best = -1;
        for (int i = 0; i < w->n_claims; i++)
            if (!w->denied[i] && !w->dropped[i] && (best < 0 || comes_first(w, i, best))) best = i;
        if (best < 0) break;
        int64_t next = next_of(w, best), step = next - w->given[best];
        if (w->given[best] == 0 && above_ceiling(w, best))
            w->denied[best] = true;
        else if (next == 0 || !fits(w, best, step))
            w->dropped[best] = true;
        else
            w->given[best] = next, w->free[w->flavor[best]] -= step;
    }
    for (int i = 0; i < w->n_claims; i++)
        if (w->given[i] == 0 && !w->denied[i]) w->denied[i] = above_ceiling(w, i);
}

static void plans_equal_the_slow_reference(void **state) {
    (void)state;
    for (long number = 0, rounds = rounds_wanted(3000); number < rounds; number++) {
        struct world w;
        struct plan plan;
        make_world(&w, (uint64_t)number, false);
        make_plan(&w, &w.facts, &plan, number);
        reference(&w);
        for (int i = 0; i < w.n_claims; i++) {
            const struct decision *d = &plan.decisions[i];
            if ((d->outcome == OUTCOME_DENY) != w.denied[i] || units_of(d) != w.given[i])
                fail_msg("world %ld, %s: %s %lld units, the reference %s %lld", number, d->claim,
                         outcome_word(d->outcome), (long long)units_of(d), w.denied[i] ? "denies" : "gives",
                         (long long)w.given[i]);
            assert_int_equal(d->standing.guarantee.n, guarantee_of(&w, w.tenant[i]));
        }
        plan_free(&plan);
        policy_free(w.policy);
    }
}

/* ---- what holds of every plan ---- */

static void check_conserved(const struct world *w, const struct plan *plan, long number) {
    int64_t used[FLAVORS] = {0}, storage = 0, got[TENANTS] = {0}, offered[FLAVORS] = {0};
    for (int i = 0; i < w->n_claims; i++) {
        const struct decision *d = &plan->decisions[i];
        for (size_t k = 0; k < d->n_lines; k++)
            used[d->lines[k].flavor[0] - 'a'] += d->lines[k].size * d->lines[k].count;
        for (size_t k = 0; k < d->offer.n_lines && d->outcome == OUTCOME_QUEUE && d->offer.until.has; k++)
            offered[d->offer.lines[k].flavor[0] - 'a'] += d->offer.lines[k].size * d->offer.lines[k].count;
        storage += d->storage.n;
        got[w->tenant[i]] += d->compute.n;
        assert_true(d->n_reasons > 0);
        if (d->outcome >= OUTCOME_QUEUE) assert_true(d->reasons[0].decisive);
    }
    for (int f = 0; f < FLAVORS; f++)
        if (used[f] + (w->holds ? offered[f] : 0) > w->free[f])
            fail_msg("world %ld: %lld units and %lld offered", number, (long long)used[f],
                     (long long)offered[f]);
    assert_true(storage <= w->facts.pool.storage_free.n);
    for (int t = 0; t < TENANTS; t++)
        if (got[t] > 0 && w->held[t] * 1000 + got[t] > (int64_t)CEILING * 1000)
            fail_msg("world %ld: %s is above its ceiling", number, tenant_names[t]);
}

/* The facts as they are when what was granted is held; the queued claims alone ask again. */
static void move_on(struct world *w, const struct plan *plan) {
    int n = 0;
    for (int i = 0; i < w->n_claims; i++) {
        const struct decision *d = &plan->decisions[i];
        for (size_t k = 0; k < d->n_lines; k++)
            w->flavors[d->lines[k].flavor[0] - 'a'].free.n -= d->lines[k].size * d->lines[k].count;
        w->facts.pool.storage_free.n -= d->storage.n;
        w->tenants[w->tenant[i]].held_compute.n += d->compute.n;
        w->tenants[w->tenant[i]].organisation_compute.n += d->compute.n;
        w->tenants[w->tenant[i]].held_storage.n += d->storage.n;
        w->tenants[w->tenant[i]].organisation_storage.n += d->storage.n;
    }
    for (int i = 0; i < w->n_claims; i++)
        if (plan->decisions[i].outcome == OUTCOME_QUEUE) {
            w->tenant[n] = w->tenant[i];
            w->claims[n++] = w->claims[i];
        }
    w->n_claims = n;
    w->facts.n_claims = (size_t)n;
}

/* Where nobody comes and nothing changes, asking again changes nothing: nothing that fits was left (I6).
   Guarantees of those who do not ask any more would have to be summed again, so only where there are none. */
static void check_no_waste(struct world *w, const struct plan *plan, long number) {
    struct plan again;
    for (int i = 0; i < TIERS; i++)
        if (w->guarantee[i] > 0) return;
    move_on(w, plan);
    make_plan(w, &w->facts, &again, number);
    for (size_t i = 0; i < again.n_decisions; i++)
        if (again.decisions[i].outcome < OUTCOME_QUEUE)
            fail_msg("world %ld: %s waits though it fits\n%s", number, again.decisions[i].claim,
                     facts_encode(&w->facts));
    plan_free(&again);
}

/* The least units that claim i takes. */
static int64_t floor_of(const struct world *w, int i) {
    int f = w->flavor[i];
    int64_t n = w->least[i] ? w->least[i] : w->most[i];
    while (n > 0 && n <= CAPACITY && !w->reachable[f][n]) n += w->least[i] ? 1 : -1;
    return n;
}

/* A better tier waits although what a worse one alone got, beyond its guarantee, would have been enough (I8).
   A reserve and a barrier have rules of their own. */
static void check_strict(const struct world *w, const struct plan *plan, long number) {
    if (!w->strict || w->barriers || w->reserve || w->n_claims != 2) return;
    for (int i = 0; i < 2; i++) {
        const struct decision *high = &plan->decisions[i], *low = &plan->decisions[1 - i];
        int f = w->flavor[i], t = w->tenant[1 - i];
        if (high->outcome != OUTCOME_QUEUE || high->reasons[0].code != REASON_NO_UNITS ||
            !w->claims[i].flavor)
            continue;
        if (tier_now(w, i) >= tier_now(w, 1 - i) || low->compute.n == 0) continue;
        bool own = w->held[t] * 1000 < low->standing.guarantee.n;
        if (floor_of(w, i) <= w->free[f] && !own)
            fail_msg("world %ld: %s got units that %s of a better tier waits for", number, low->claim,
                     high->claim);
    }
}

/* Whoever takes the offer at once gets it. */
static void check_offers(const struct world *w, const struct plan *plan, long number) {
    for (int i = 0; i < w->n_claims; i++) {
        const struct decision *d = &plan->decisions[i];
        if (!d->offer.has || d->outcome != OUTCOME_DENY || d->offer.n_lines == 0) continue;
        struct fact_claim one = w->claims[i];
        struct facts facts = w->facts;
        struct plan again;
        one.ask = ASK_UNITS;
        one.has_minimum = false;
        one.flavor = d->offer.lines[0].flavor;
        one.units = units(0);
        one.storage = d->offer.storage;
        for (size_t k = 0; k < d->offer.n_lines; k++)
            one.units.n += d->offer.lines[k].size * d->offer.lines[k].count;
        facts.claims = &one;
        facts.n_claims = 1;
        make_plan(w, &facts, &again, number);
        if (again.decisions[0].outcome == OUTCOME_DENY)
            fail_msg("world %ld: %s was told that %lld x %s would pass: %s", number, d->claim,
                     (long long)one.units.n, one.flavor, again.decisions[0].reasons[0].en);
        plan_free(&again);
    }
}

static char *canonical(const struct world *w, const struct facts *facts, long number) {
    struct plan plan;
    make_plan(w, facts, &plan, number);
    json_t *all = json_object();
    for (size_t i = 0; i < plan.n_decisions; i++)
        json_object_set_new(all, plan.decisions[i].claim, decision_encode(&plan.decisions[i]));
    plan_free(&plan);
    char *s = json_canonical(all);
    json_decref(all);
    return s;
}

static void check_shuffled(const struct world *w, long number) {
    struct fact_claim claims[CLAIMS];
    struct fact_flavor flavors[FLAVORS];
    struct facts facts = w->facts;
    char *first = canonical(w, &facts, number);
    memcpy(claims, w->claims, sizeof claims);
    for (int i = w->n_claims - 1; i > 0; i--) {
        int k = (int)below(i + 1);
        struct fact_claim c = claims[i];
        claims[i] = claims[k];
        claims[k] = c;
    }
    for (int f = 0; f < FLAVORS; f++) flavors[f] = w->flavors[FLAVORS - 1 - f];
    facts.claims = claims;
    facts.pool.flavors = flavors;
    char *second = canonical(w, &facts, number);
    if (strcmp(first, second) != 0)
        fail_msg("world %ld depends on its order:\n%s\n%s", number, first, second);
    free(first);
    free(second);
}

/* Without sentences: the same decisions. */
static void check_bare(const struct world *w, const struct plan *plan, long number) {
    struct plan bare;
    struct err e = {0};
    if (policy_decider.plan_bare(w->policy, &w->facts, &bare, &e) < 0)
        fail_msg("world %ld: %s", number, e.what);
    for (size_t i = 0; i < plan->n_decisions; i++) {
        const struct decision *a = &plan->decisions[i], *b = &bare.decisions[i];
        bool same = a->outcome == b->outcome && a->compute.n == b->compute.n &&
                    a->n_reasons == b->n_reasons && a->position == b->position &&
                    a->offer.compute.n == b->offer.compute.n;
        for (size_t k = 0; k < a->n_reasons && same; k++)
            same = a->reasons[k].code == b->reasons[k].code &&
                   a->reasons[k].decisive == b->reasons[k].decisive && !b->reasons[k].en;
        if (!same) fail_msg("world %ld: %s differs without sentences", number, a->claim);
    }
    plan_free(&bare);
}

static void plans_keep_their_promises(void **state) {
    (void)state;
    for (long number = 0, rounds = rounds_wanted(3000); number < rounds; number++) {
        struct world w;
        struct plan plan;
        make_world(&w, (uint64_t)number, true);
        make_plan(&w, &w.facts, &plan, number);
        check_conserved(&w, &plan, number);
        check_strict(&w, &plan, number);
        check_offers(&w, &plan, number);
        check_shuffled(&w, number);
        check_bare(&w, &plan, number);
        check_no_waste(&w, &plan, number);
        plan_free(&plan);
        policy_free(w.policy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_equal_the_slow_reference),
        cmocka_unit_test(plans_keep_their_promises),
    };
    return cmocka_run_group_tests_name("plan_queue", tests, NULL, NULL);
}
