/* SPDX-License-Identifier: Apache-2.0 */
/*
 * properties N [SEED]: N random policies, each with random tenants, claims and losses. Every plan must keep
 * all invariants, be the same the second time and in the reverse order, and give what the reference gives
 * where that is defined. Every fiftieth policy also decides a random history on simulated time (losses,
 * attribute changes, days; offers, exchanges, a call and its agreements), where the invariants hold after
 * every step. The first failure prints its policy and facts.
 */
#include "alloc/facts.h"
#include "policies/generate.h"
#include "policies/invariants.h"
#include "policies/policy.h"
#include "policies/sim.h"
#include "test/policy/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENANTS = 6, CLAIMS = 7, FLAVORS = 2 };
#define NOW (INT64_C(20000) * CLOCK_DAY)

static const char *const names[] = {"ta", "tb", "tc", "td", "te", "tf"}, *const owners[] = {"oa", "ob", "oc",
                                                                                            "od"};
static const char *const ids[] = {"r-1", "r-2", "r-3", "r-4", "r-5", "r-6", "r-70"};
static const char *const kinds[] = {"a", "b", "c"};

struct trial {
    struct rng *rng;
    struct text text; /* of the policy */
    struct policy *policy;
    struct facts facts;
    struct fact_flavor flavors[FLAVORS];
    struct fact_tenant tenants[TENANTS];
    struct fact_attr attrs[TENANTS];
    struct fact_claim claims[CLAIMS];
    struct fact_seats seats[CLAIMS];
    int tier[TENANTS];
    bool is_plain; /* the reference is defined */
    bool barrier;  /* the policy has one: claims ask for more beside units */
};

static int64_t below(struct trial *t, int64_t n) { return rng_below(t->rng, n); }
static bool chance(struct trial *t, int64_t percent) { return rng_chance(t->rng, percent); }

/* least, or so many steps more, fewer than n. */
static long long number(struct trial *t, int64_t least, int64_t step, int64_t n) {
    return least + step * below(t, n);
}

/* ---- a policy ---- */

static void put_pool(struct trial *t) {
    static const char *const sizes[] = {"1", "1, 2, 4", "2, 4", "1, 2, 4, 8"};
    text_add(&t->text, "policy \"p\" version 1;\npool pool { basis fp32; ");
    for (int i = 0; i < FLAVORS; i++)
        text_add(&t->text, "flavor f%d %lld TF units %lld sizes %s; ", i, number(t, 1, 1, 12),
                 number(t, 8, 2, 12), sizes[below(t, 4)]);
    text_add(&t->text, "storage 10 TB; datalake 6 TB; saas desk seats 20; }\nattr kind : enum { a, b, c "
                       "};\nset eligible { E1 pass \"yes\" otherwise; }\n");
}

static void put_tiers(struct trial *t) {
    if (chance(t, 30)) return;
    text_add(&t->text,
             "set tier { T1 high weight %lld guarantee %lld TF \"h\" when kind = a; T2 mid weight %lld "
             "guarantee %lld TF "
             "\"m\" when kind = b; T3 low weight 1 \"l\" otherwise; }\n",
             number(t, 2, 1, 4), (long long)below(t, 30), number(t, 1, 1, 2), (long long)below(t, 15));
    if (chance(t, 40)) text_add(&t->text, "R1 reserve compute %lld %% for high;\n", number(t, 1, 1, 20));
    if (chance(t, 70))
        text_add(&t->text, "B1 borrow lend-max %lld %%, notice 3 days, min-hold 5 days;\n",
                 (long long)below(t, 101));
}

static void put_queue(struct trial *t) {
    static const char *const orders[] = {"share, credits, wait, id",
                                         "share, wait, id",
                                         "share, id",
                                         "wait, id",
                                         "credits, share, id",
                                         "wait, share, credits, id",
                                         "wait, credits, id",
                                         "credits, wait, id",
                                         "id",
                                         "credits, wait, share"};
    enum { ORDERS = sizeof orders / sizeof *orders, BY_TIME = 3 };
    if (chance(t, 15)) return;
    int64_t order = chance(t, 60) ? below(t, 3) : below(t, ORDERS);
    text_add(&t->text, "Q1 queue order %s%s%s", orders[order], chance(t, 30) ? " weigh surplus" : "",
             order != BY_TIME && chance(t, 25) ? " strict" : "");
    if (chance(t, 40)) text_add(&t->text, " lift 20 days");
    t->barrier = chance(t, 20);
    if (t->barrier) text_add(&t->text, " barrier 15 days max %lld", number(t, 1, 1, 2));
    if (chance(t, 20)) text_add(&t->text, " partial none");
    if (chance(t, 50)) text_add(&t->text, " hold %lld days", number(t, 1, 1, 9));
    text_add(&t->text, ";\n");
    t->is_plain = order != BY_TIME && !t->barrier;
}

static void policy_make(struct trial *t) {
    struct diagnostics d = {0};
    put_pool(t);
    put_tiers(t);
    text_add(&t->text, "C1 ceiling per tenant compute %lld TF storage 5 TB seats desk 15;\n",
             number(t, 10, 1, 150));
    if (chance(t, 30))
        text_add(&t->text, "C2 ceiling per organisation compute %lld TF;\n", number(t, 20, 1, 150));
    text_add(&t->text, "L1 lease term 30 days, renew 1, notice 7 days, grace 2 days, keep-data 3 days%s;\n",
             chance(t, 20) ? ", agreement" : "");
    put_queue(t);
    struct policy_source source = {"p", t->text.s, t->text.length, NULL, NULL};
    t->policy = policy_parse(&source, &d); /* NULL: guarantees that this pool cannot keep, for example */
    diagnostics_free(&d);
}

/* ---- facts ---- */

static void tenants_make(struct trial *t) {
    size_t n = 1 + (size_t)below(t, TENANTS);
    for (size_t i = 0; i < n; i++) {
        t->attrs[i] = (struct fact_attr){"kind", kinds[below(t, 3)]};
        t->tenants[i] = (struct fact_tenant){.name = names[i],
                                             .organisation = owners[below(t, 4)],
                                             .attrs = &t->attrs[i],
                                             .n_attrs = 1,
                                             .credits = below(t, 3) - 1};
        t->tier[i] = t->policy->n_tiers == 0 ? -1 : t->attrs[i].value[0] - 'a';
    }
    for (size_t f = 0; f < FLAVORS; f++) { /* what they hold, and what is lost */
        struct fact_flavor *v = &t->flavors[f];
        *v = policy_flavor(t->policy, f);
        v->lost = units(chance(t, 20) ? below(t, 4) : 0);
        v->free.n -= v->lost.n;
        for (size_t i = 0; i < n; i++) {
            int64_t held = chance(t, 50) ? below(t, v->free.n / 2 + 1) : 0;
            v->free.n -= held;
            t->tenants[i].held_compute.n += held * v->rating.n;
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (strcmp(t->tenants[i].organisation, t->tenants[k].organisation) == 0)
                t->tenants[i].organisation_compute.n += t->tenants[k].held_compute.n;
    t->facts.tenants = t->tenants;
    t->facts.n_tenants = n;
}

static void claim_make(struct trial *t, struct fact_claim *c) {
    const struct fact_flavor *v = &t->flavors[below(t, FLAVORS)];
    int64_t size = v->sizes[below(t, (int64_t)v->n_sizes)], servers = 1 + below(t, 4);
    bool in_units = chance(t, 50), any = !in_units && chance(t, 20);
    c->flavor = any ? NULL : v->name;
    c->ask = in_units ? ASK_UNITS : ASK_COMPUTE;
    c->has_minimum = chance(t, 50);
    c->per_server = chance(t, 15) ? size : 0;
    c->submitted = instant(NOW - below(t, 5) * 10 * CLOCK_DAY - below(t, 2));
    if (in_units) {
        c->units = units(size * servers);
        c->minimum_units = units(c->has_minimum ? size * (1 + below(t, servers)) : 0);
    } else {
        c->compute = gflops(size * servers * v->rating.n + below(t, 2) * 500);
        c->minimum_compute = gflops(c->has_minimum ? 1 + below(t, c->compute.n) : 0);
    }
    int64_t often = t->barrier ? 40 : 10;
    if (chance(t, often)) c->storage = bytes((1 + below(t, 4)) * INT64_C(1000000000000));
    if (chance(t, often)) c->datalake = bytes((1 + below(t, 3)) * INT64_C(1000000000000));
    if (chance(t, often)) {
        t->seats[c - t->claims] = (struct fact_seats){"desk", 1 + below(t, 8)};
        c->seats = &t->seats[c - t->claims];
        c->n_seats = 1;
    }
    if (any || c->storage.n || c->datalake.n || c->n_seats) t->is_plain = false;
}

static void facts_make(struct trial *t) {
    static const struct fact_service desk = {"desk", 20, 12};
    tenants_make(t);
    size_t n = 1 + (size_t)below(t, CLAIMS);
    for (size_t i = 0; i < n; i++) {
        t->claims[i] =
            (struct fact_claim){.id = ids[i], .tenant = (size_t)below(t, (int64_t)t->facts.n_tenants)};
        claim_make(t, &t->claims[i]);
    }
    t->facts.now = instant(NOW);
    t->facts.claims = t->claims;
    t->facts.n_claims = n;
    t->facts.pool = (struct fact_pool){.name = "pool",
                                       .basis = "fp32",
                                       .flavors = t->flavors,
                                       .n_flavors = FLAVORS,
                                       .storage_capacity = bytes(INT64_C(10000000000000)),
                                       .storage_free = bytes(INT64_C(6000000000000)),
                                       .datalake_capacity = bytes(INT64_C(6000000000000)),
                                       .datalake_free = bytes(INT64_C(4000000000000)),
                                       .services = &desk,
                                       .n_services = 1,
                                       .granule = bytes(1)};
    if (t->policy->n_tiers && chance(t, 40)) {
        int64_t promised = below(t, 10000);
        t->facts.pool.promised = (struct fact_promised){gflops(promised), gflops(below(t, promised + 1))};
    }
}

/* ---- what must hold ---- */

static int64_t units_of(const struct decision *d) {
    int64_t n = 0;
    for (size_t k = 0; d->outcome <= OUTCOME_PARTIAL && k < d->n_lines; k++)
        n += d->lines[k].size * d->lines[k].count;
    return n;
}

static int compare(const struct trial *t, const struct plan *plan, struct err *e) {
    int64_t given[CLAIMS];
    reference_fill(t->policy, &t->facts, t->tier, given);
    for (size_t i = 0; i < plan->n_decisions; i++)
        if (units_of(&plan->decisions[i]) != given[i])
            return err_set(e, ERR_BOOKS, "%s is given %lld units, by the reference %lld",
                           plan->decisions[i].claim, (long long)units_of(&plan->decisions[i]),
                           (long long)given[i]);
    return 0;
}

static int facts_try(const struct trial *t, bool *compared, struct err *e) {
    struct plan plan = {0};
    int rc = policy_decider.plan(t->policy, &t->facts, &plan, e);
    if (rc == 0) rc = invariants_verify(t->policy, &t->facts, &plan, e);
    if (rc == 0 && t->is_plain) rc = compare(t, &plan, e);
    *compared = t->is_plain;
    plan_free(&plan);
    return rc;
}

/* ---- histories ---- */

static void put_at(struct trial *t, struct text *out, const char *event) {
    text_add(out, "{\"at\":\"%s\",\"event\":\"%s\"", instant_text(instant(NOW + below(t, 90) * 3600 * 12)).s,
             event);
}

/* By chance, of one of the requests; before it is made the whole history is refused: so it is seldom. */
static void act_put(struct trial *t, struct text *events, const char *act) {
    put_at(t, events, act);
    text_add(events, ",\"request\":\"r-%lld\"}\n", (long long)below(t, 2));
}

static void call_put(struct trial *t, struct text *events) {
    if (chance(t, 60))
        text_add(events,
                 "{\"at\":\"%s\",\"event\":\"call\",\"call\":\"c\",\"compute_gflops\":%lld,"
                 "\"storage_bytes\":3000000000000}\n",
                 instant_text(instant(NOW)).s, number(t, 20000, 10000, 20));
    text_add(events, "{\"at\":\"%s\",\"event\":\"award\",\"call\":\"c\",\"order\":[\"k-1\",\"k-0\",\"k-2\"]",
             instant_text(instant(NOW + 12 * CLOCK_DAY)).s);
    if (chance(t, 70)) text_add(events, ",\"sign_by\":\"%s\"", instant_text(instant(NOW + 20 * CLOCK_DAY)).s);
    text_add(events, "}\n");
    for (int i = 0; i < 3; i++) {
        text_add(events,
                 "{\"at\":\"%s\",\"event\":\"request\",\"id\":\"k-%d\",\"tenant\":\"%s\",\"call\":\"c\"",
                 instant_text(instant(NOW + below(t, 9) * CLOCK_DAY)).s, i, names[below(t, TENANTS)]);
        text_add(events, ",\"flavor\":\"f%lld\",\"units\":%lld,\"minimum_units\":2,\"storage_bytes\":%lld}\n",
                 (long long)below(t, 2), number(t, 2, 2, 8), (long long)below(t, INT64_C(2000000000000)));
        const char *act = chance(t, 30) ? "decline" : "agree";
        if (chance(t, 70))
            text_add(events, "{\"at\":\"%s\",\"event\":\"%s\",\"request\":\"k-%d\"}\n",
                     instant_text(instant(NOW + (13 + below(t, 20)) * CLOCK_DAY)).s, act, i);
    }
}

/* One that is made late: what it replaces was made by the same tenant at the beginning. */
static void swap_put(struct trial *t, struct text *events) {
    text_add(events,
             "{\"at\":\"%s\",\"event\":\"request\",\"id\":\"s-0\",\"tenant\":\"ta\",\"flavor\":\"f0\","
             "\"units\":%lld}\n",
             instant_text(instant(NOW)).s, number(t, 2, 2, 8));
    for (int i = 1; i < 3; i++) {
        text_add(
            events,
            "{\"at\":\"%s\",\"event\":\"request\",\"id\":\"s-%d\",\"tenant\":\"ta\",\"replaces\":\"s-%d\"",
            instant_text(instant(NOW + (i * 10 + below(t, 9)) * CLOCK_DAY)).s, i, i - 1);
        text_add(events, ",\"flavor\":\"f%lld\",\"units\":%lld,\"minimum_units\":2}\n",
                 (long long)below(t, 2), number(t, 2, 2, 8));
    }
}

static void history_make(struct trial *t, struct text *tenants, struct text *events) {
    text_add(tenants, "name,organisation,from,attr:kind\n");
    for (int i = 0; i < TENANTS; i++)
        text_add(tenants, "%s,%s,,%s\n", names[i], owners[below(t, 4)], kinds[below(t, 3)]);
    if (chance(t, 50)) text_add(tenants, "ta,oa,%s,c\n", date_text(instant(NOW + 20 * CLOCK_DAY)).s);
    for (int i = 0; i < 12; i++) {
        put_at(t, events, "request");
        text_add(events, ",\"id\":\"r-%d\",\"tenant\":\"%s\"", i, names[below(t, TENANTS)]);
        if (chance(t, 50))
            text_add(events, ",\"flavor\":\"f%lld\",\"units\":%lld", (long long)below(t, 2),
                     number(t, 2, 2, 8));
        else
            text_add(events, ",\"compute_gflops\":%lld,\"minimum_gflops\":%lld", number(t, 20000, 1, 60000),
                     number(t, 1000, 1, 19000));
        if (chance(t, 40)) text_add(events, ",\"renews\":1");
        if (chance(t, 40)) text_add(events, ",\"accepts_seconds\":%lld", number(t, CLOCK_DAY, CLOCK_DAY, 5));
        if (chance(t, 30))
            text_add(events, ",\"keeps_seconds\":%lld", number(t, 1 * CLOCK_DAY, CLOCK_DAY, 20));
        text_add(events, ",\"storage_bytes\":%lld}\n", (long long)below(t, INT64_C(1000000000000)));
    }
    if (chance(t, 50))
        put_at(t, events, "loss"),
            text_add(events, ",\"flavor\":\"f0\",\"units\":%lld}\n", number(t, 1, 1, 5));
    if (chance(t, 50))
        put_at(t, events, "attributes"),
            text_add(events, ",\"tenant\":\"tb\",\"attributes\":{\"kind\":\"a\"}}\n");
    if (chance(t, 40)) call_put(t, events);
    if (chance(t, 40)) swap_put(t, events);
    if (chance(t, 20)) act_put(t, events, "accept");
    if (chance(t, 20)) act_put(t, events, "agree");
    if (chance(t, 30)) put_at(t, events, "suspend"), text_add(events, ",\"tenant\":\"tc\"}\n");
    if (chance(t, 30)) put_at(t, events, "leave"), text_add(events, ",\"tenant\":\"td\"}\n");
}

/* A wrong organisation of ta's second line is refused: then there is nothing to simulate. */
static int history_try(struct trial *t, struct err *e) {
    struct text tenants = {0}, events = {0};
    struct world w = {0};
    struct err refused = {0};
    history_make(t, &tenants, &events);
    int rc = 0;
    if (world_read_tenants(&w, tenants.s, tenants.length, "tenants", &refused) == 0 &&
        world_read_events(&w, events.s, events.length, "events", &refused) == 0) {
        struct sim sim;
        struct sim_options o = {
            .world = &w, .policy = t->policy, .sentences = true, .until = instant(NOW + 90 * CLOCK_DAY)};
        rc = sim_run(&sim, &o, e);
        if (rc < 0 && e->code == ERR_USAGE) rc = 0; /* more is to be lost than there is */
        if (rc < 0) fprintf(stderr, "%s%s%s\n", tenants.s, events.s, sim.broken ? sim.broken : "");
        sim_end(&sim);
    }
    if (rc == 0) err_clear(e);
    world_free(&w);
    text_free(&tenants);
    text_free(&events);
    return rc;
}

/* ---- running ---- */

static void failure(const struct trial *t, long long trial, uint64_t seed, const struct err *e) {
    char *facts = facts_encode(&t->facts);
    fprintf(stderr, "properties: trial %lld (seed %llu): %s\n%s\n%s\n", trial, (unsigned long long)seed,
            e->what, t->text.s, facts);
    free(facts);
}

int main(int argc, char **argv) {
    long long n = 3000, seed = 1, compared = 0, planned = 0, histories = 0;
    bool wrong = argc > 3 || (argc > 1 && text_to_int(argv[1], 1, INT64_MAX, &n) < 0) ||
                 (argc > 2 && text_to_int(argv[2], 0, INT64_MAX, &seed) < 0);
    if (wrong) {
        fprintf(stderr, "usage: properties [N [SEED]]\n");
        return 2;
    }
    for (long long i = 0; i < n; i++) {
        struct rng rng = {(uint64_t)seed + (uint64_t)i * UINT64_C(0x2545f4914f6cdd1d)};
        struct trial t = {.rng = &rng};
        struct err e = {0};
        bool is_compared = false;
        policy_make(&t);
        if (t.policy) {
            facts_make(&t);
            int rc = facts_try(&t, &is_compared, &e);
            if (rc == 0 && i % 50 == 0) rc = history_try(&t, &e), histories++;
            if (rc < 0) failure(&t, i, (uint64_t)seed, &e);
            if (rc < 0) return 1;
            planned++;
            compared += is_compared;
        }
        policy_free(t.policy);
        text_free(&t.text);
    }
    printf("%lld plans, %lld of them compared with the reference, %lld histories\n", planned, compared,
           histories);
    return compared > 0 && histories > 0 ? 0 : 1; /* nothing was tried */
}
