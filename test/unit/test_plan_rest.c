/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data lake, seats, chips without a figure, ceilings on single items and budgets, over random worlds: each
 * plan must equal a reference that takes one claim after the other and tries every number of units, with all
 * sums written out. Claims come at different times, so that the order is theirs.
 */
#include "alloc/facts.h"
#include "test/unit/random_world.h"

enum { CLAIMS = 6, TENANTS = 3, ORGANISATIONS = 2, PIECES = 3 }; /* pieces: units of v and x, seats of n */
#define NOW     INT64_C(1795132800)                              /* 2026-11-20T00:00:00Z */
#define QUARTER INT64_C(3596400) /* seconds to 2026-12-31T15:00:00Z; the lease is longer */
#define MONTH   INT64_C(918000)  /* to 2026-11-30T15:00:00Z */
#define TB      INT64_C(1000000000000)
#define RATING  INT64_C(10000)

static const char *const tenant_names[] = {"t0", "t1", "t2"}, *const organisation_names[] = {"o0", "o1"};
static const char *const items[PIECES] = {"unit/v", "unit/x", "seat/n"};
static const int organisation_of[TENANTS] = {0, 0, 1};

/* Index 0: of a tenant; 1: of an organisation. */
struct limits {
    int64_t compute[2], stored[2], pieces[2][PIECES]; /* TF, TB, counts */
    int64_t quarter[2], month[2];                     /* TF-hours, GB-months */
};

struct holder {
    int64_t compute, stored, pieces[PIECES]; /* TF, TB, counts */
    wide_t quarter, month;                   /* TF-seconds, TB-seconds */
};

struct claim {
    int tenant;
    int64_t units, least, seats, storage, lake; /* units of v, or of x where unrated; TB */
    bool unrated;
    int64_t old_compute, old_stored, old_pieces[PIECES]; /* of the grant it replaces */
};

struct world {
    struct limits limits;
    struct holder tenants[TENANTS], organisations[ORGANISATIONS];
    struct claim claims[CLAIMS];
    int64_t capacity[PIECES], free[PIECES], storage, lake; /* storage, lake: free, of 60 and 40 TB */
    bool awaited[PIECES], storage_awaited, lake_awaited;
    int64_t expected[CLAIMS]; /* units */
    enum outcome outcome[CLAIMS];
};

/* ---- the world ---- */

static void holder_make(struct holder *h) {
    *h = (struct holder){.compute = below(12) * 10, .stored = below(20)};
    for (int k = 0; k < PIECES; k++) h->pieces[k] = below(5);
    h->quarter = (wide_t)below(60000) * 3600;
    h->month = (wide_t)below(20) * 720 * 3600;
}

static void holder_add(struct holder *all, const struct holder *one) {
    all->compute += one->compute;
    all->stored += one->stored;
    for (int k = 0; k < PIECES; k++) all->pieces[k] += one->pieces[k];
    all->quarter += one->quarter;
    all->month += one->month;
}

static void claim_make(struct world *w, struct claim *c) {
    *c = (struct claim){.tenant = (int)below(TENANTS), .unrated = below(3) == 0};
    const struct holder *h = &w->tenants[c->tenant];
    if (below(4) > 0) c->units = 1 + below(9);
    if (c->units > 0 && below(2)) c->least = 1 + below(c->units);
    if (below(2)) c->seats = 1 + below(5);
    if (below(2)) c->storage = 1 + below(15);
    if (below(2)) c->lake = 1 + below(10);
    if (below(3)) return;
    c->old_compute = below(h->compute / 10 + 1) * 10;
    c->old_stored = below(h->stored + 1);
    for (int k = 0; k < PIECES; k++) c->old_pieces[k] = below(h->pieces[k] + 1);
}

static void world_make(struct world *w) {
    memset(w, 0, sizeof *w);
    for (int o = 0; o < 2; o++) {
        int64_t wide = below(3) ? 6 : 1; /* in most worlds the pool is what is short */
        w->limits.compute[o] = (60 + below(200)) * wide;
        w->limits.stored[o] = (10 + below(60)) * wide;
        for (int k = 0; k < PIECES; k++) w->limits.pieces[o][k] = (2 + below(14)) * wide;
        w->limits.quarter[o] = (1 + below(200000)) * wide;
        w->limits.month[o] = (1 + below(60000)) * wide;
    }
    for (int k = 0; k < PIECES; k++) {
        w->capacity[k] = 4 + below(12);
        w->free[k] = below(w->capacity[k] + 1);
    }
    w->storage = below(61);
    w->lake = below(41);
    for (int i = 0; i < TENANTS; i++) {
        holder_make(&w->tenants[i]);
        holder_add(&w->organisations[organisation_of[i]], &w->tenants[i]);
    }
    for (int i = 0; i < CLAIMS; i++) claim_make(w, &w->claims[i]);
}

/* ---- the reference ---- */

static int64_t piece(const struct claim *c, int k, int64_t units) {
    return k == 2 ? c->seats : (k == 1) == c->unrated ? units : 0;
}

/* Does one holder keep all its limits with so many units more? */
static bool holder_allows(const struct limits *l, const struct holder *h, int o, const struct claim *c,
                          int64_t units) {
    int64_t compute = c->unrated ? 0 : units * 10, stored = c->storage + c->lake;
    if (h->compute - c->old_compute + compute > l->compute[o]) return false; /* debt too */
    if (h->stored - c->old_stored + stored > l->stored[o]) return false;
    for (int k = 0; k < PIECES; k++)
        if (piece(c, k, units) > 0 && h->pieces[k] - c->old_pieces[k] + piece(c, k, units) > l->pieces[o][k])
            return false;
    if (compute > 0 && h->quarter + (wide_t)compute * QUARTER > (wide_t)l->quarter[o] * 3600) return false;
    /* GB-months against TB-seconds */
    return stored == 0 || (h->month + (wide_t)stored * MONTH) * 1000 <= (wide_t)l->month[o] * 720 * 3600;
}

static bool allowed(const struct world *w, const struct claim *c, int64_t units) {
    return holder_allows(&w->limits, &w->tenants[c->tenant], 0, c, units) &&
           holder_allows(&w->limits, &w->organisations[organisation_of[c->tenant]], 1, c, units);
}

static bool pool_has(const struct world *w, const struct claim *c, int64_t units) {
    for (int k = 0; k < PIECES; k++)
        if (piece(c, k, units) > w->capacity[k]) return false;
    return c->storage <= 60 && c->lake <= 40;
}

static bool rest_is_free(const struct world *w, const struct claim *c) {
    if (c->seats > 0 && (w->awaited[2] || c->seats > w->free[2])) return false;
    if (c->storage > 0 && (w->storage_awaited || c->storage > w->storage)) return false;
    return c->lake == 0 || (!w->lake_awaited && c->lake <= w->lake);
}

static bool units_are_free(const struct world *w, const struct claim *c, int64_t units) {
    int k = c->unrated ? 1 : 0;
    return units == 0 || (!w->awaited[k] && units <= w->free[k]);
}

static void take(struct world *w, const struct claim *c, int64_t units) {
    struct holder add = {.compute = c->unrated ? 0 : units * 10, .stored = c->storage + c->lake};
    for (int k = 0; k < PIECES; k++) {
        add.pieces[k] = piece(c, k, units);
        w->free[k] -= add.pieces[k];
    }
    w->storage -= c->storage;
    w->lake -= c->lake;
    add.quarter = (wide_t)add.compute * QUARTER;
    add.month = (wide_t)add.stored * MONTH;
    holder_add(&w->tenants[c->tenant], &add);
    holder_add(&w->organisations[organisation_of[c->tenant]], &add);
}

/* What it waits for is not given to those behind it. */
static void set_aside(struct world *w, const struct claim *c, int64_t least) {
    if (!units_are_free(w, c, least)) w->awaited[c->unrated] = true;
    if (c->seats > w->free[2]) w->awaited[2] = true;
    if (c->storage > 0 && (w->storage_awaited || c->storage > w->storage)) w->storage_awaited = true;
    if (c->lake > w->lake) w->lake_awaited = true;
}

static void reference(struct world *w) {
    for (int i = 0; i < CLAIMS; i++) {
        const struct claim *c = &w->claims[i];
        int64_t least = c->least > 0 ? c->least : c->units;
        bool asks = c->units + c->seats + c->storage + c->lake > 0;
        w->outcome[i] = OUTCOME_DENY;
        if (!asks || !pool_has(w, c, least) || !allowed(w, c, least)) continue;
        w->outcome[i] = OUTCOME_QUEUE;
        if (!units_are_free(w, c, least) || !rest_is_free(w, c)) {
            set_aside(w, c, least);
            continue;
        }
        int64_t most = c->units;
        while (most > least && !(allowed(w, c, most) && units_are_free(w, c, most) && pool_has(w, c, most)))
            most--;
        w->outcome[i] = most < c->units ? OUTCOME_PARTIAL : OUTCOME_GRANT;
        w->expected[i] = most;
        take(w, c, most);
    }
}

/* ---- the same for the policy ---- */

static struct policy *policy_make(const struct limits *l, const int64_t capacity[PIECES]) {
    struct text t = {0};
    text_add(&t,
             "policy \"random\" version 1;\npool p { basis fp32; flavor v 10 TF units %lld; flavor x unrated "
             "units "
             "%lld; storage 60 TB; datalake 40 TB; saas n seats %lld; }\n"
             "set eligible { E9 pass \"all\" otherwise; }\nL1 lease term 90 days, grace 7 days;\n",
             (long long)capacity[0], (long long)capacity[1], (long long)capacity[2]);
    for (int o = 0; o < 2; o++) {
        const char *per = o ? "per organisation" : "";
        text_add(&t,
                 "C%d ceiling %s compute %lld TF storage %lld TB units v %lld units x %lld seats n %lld;\n",
                 o, per, (long long)l->compute[o], (long long)l->stored[o], (long long)l->pieces[o][0],
                 (long long)l->pieces[o][1], (long long)l->pieces[o][2]);
        text_add(&t, "G%d budget %s compute %lld TF-hours each %s;\n", o, per, (long long)l->quarter[o],
                 o ? "year" : "quarter"); /* both end with the year */
        text_add(&t, "H%d budget %s storage %lld GB-months each month;\n", o, per, (long long)l->month[o]);
    }
    struct policy *policy = policy_of(t.s);
    text_free(&t);
    return policy;
}

static void tenant_tell(const struct world *w, int i, struct fact_tenant *t,
                        struct fact_holding holdings[PIECES]) {
    const struct holder *own = &w->tenants[i], *all = &w->organisations[organisation_of[i]];
    for (int k = 0; k < PIECES; k++)
        holdings[k] = (struct fact_holding){items[k], own->pieces[k], all->pieces[k]};
    *t = (struct fact_tenant){.name = tenant_names[i],
                              .organisation = organisation_names[organisation_of[i]],
                              .held_compute = gflops(own->compute * 1000),
                              .organisation_compute = gflops(all->compute * 1000),
                              .held_storage = bytes(own->stored * TB),
                              .organisation_storage = bytes(all->stored * TB),
                              .holdings = holdings,
                              .n_holdings = PIECES};
    t->spent[FACT_QUARTER].compute_gflops_seconds = (int64_t)own->quarter * 1000;
    t->spent[FACT_YEAR].organisation_gflops_seconds = (int64_t)all->quarter * 1000;
    t->spent[FACT_MONTH].storage_byte_hours = (int64_t)(own->month / 3600) * TB;
    t->spent[FACT_MONTH].organisation_byte_hours = (int64_t)(all->month / 3600) * TB;
}

static void claim_tell(const struct claim *c, int i, char name[8], struct fact_seats *seats,
                       struct fact_holding old[PIECES], struct fact_claim *out) {
    text_format(name, 8, "r-%d", i + 1);
    *seats = (struct fact_seats){"n", c->seats};
    for (int k = 0; k < PIECES; k++) old[k] = (struct fact_holding){items[k], c->old_pieces[k], 0};
    *out = (struct fact_claim){.id = name,
                               .tenant = (size_t)c->tenant,
                               .flavor = c->unrated ? "x" : "v",
                               .ask = c->units > 0 ? ASK_UNITS : ASK_NONE,
                               .units = units(c->units),
                               .has_minimum = c->least > 0,
                               .minimum_units = units(c->least),
                               .storage = bytes(c->storage * TB),
                               .datalake = bytes(c->lake * TB),
                               .seats = seats,
                               .n_seats = c->seats > 0,
                               .submitted = instant(NOW - 1000 + i),
                               .replaces = {.grant = "g-1",
                                            .compute = gflops(c->old_compute * 1000),
                                            .storage = bytes(c->old_stored * TB),
                                            .holdings = old,
                                            .n_holdings = PIECES}};
}

static void compare(const struct world *w, const struct plan *plan) {
    for (int i = 0; i < CLAIMS; i++) {
        const struct decision *d = &plan->decisions[i];
        int64_t given = 0;
        if (d->outcome != w->outcome[i])
            print_message("seed %llu: %s is %s, not %s: %s\n", (unsigned long long)seed, d->claim,
                          outcome_word(d->outcome), outcome_word(w->outcome[i]), d->reasons[0].en);
        assert_int_equal(d->outcome, w->outcome[i]);
        for (size_t k = 0; k < d->n_lines; k++) given += d->lines[k].size * d->lines[k].count;
        assert_int_equal(given, w->expected[i]);
        if (d->outcome > OUTCOME_PARTIAL) continue;
        assert_int_equal(d->storage.n, w->claims[i].storage * TB);
        assert_int_equal(d->datalake.n, w->claims[i].lake * TB);
        assert_int_equal(d->n_seats, w->claims[i].seats > 0);
        if (d->n_seats) assert_int_equal(d->seats[0].seats, w->claims[i].seats);
        assert_int_equal(d->limits.n_items, PIECES);
    }
}

static void one_world(void) {
    struct world w;
    struct fact_tenant tenants[TENANTS];
    struct fact_holding holdings[TENANTS][PIECES], old[CLAIMS][PIECES];
    struct fact_claim claims[CLAIMS];
    struct fact_seats seats[CLAIMS];
    char names[CLAIMS][8];
    world_make(&w);
    const int64_t one = 1;
    struct fact_flavor flavors[2] = {{.name = "v",
                                      .rating = gflops(RATING),
                                      .capacity = units(w.capacity[0]),
                                      .free = units(w.free[0]),
                                      .sizes = {one},
                                      .n_sizes = 1},
                                     {.name = "x",
                                      .unrated = true,
                                      .capacity = units(w.capacity[1]),
                                      .free = units(w.free[1]),
                                      .sizes = {one},
                                      .n_sizes = 1}};
    struct fact_service service = {"n", w.capacity[2], w.free[2]};
    for (int i = 0; i < TENANTS; i++) tenant_tell(&w, i, &tenants[i], holdings[i]);
    for (int i = 0; i < CLAIMS; i++) claim_tell(&w.claims[i], i, names[i], &seats[i], old[i], &claims[i]);
    struct facts facts = {.now = instant(NOW),
                          .tenants = tenants,
                          .n_tenants = TENANTS,
                          .claims = claims,
                          .n_claims = CLAIMS,
                          .pool = {.name = "p",
                                   .basis = "fp32",
                                   .flavors = flavors,
                                   .n_flavors = 2,
                                   .storage_capacity = bytes(60 * TB),
                                   .storage_free = bytes(w.storage * TB),
                                   .datalake_capacity = bytes(40 * TB),
                                   .datalake_free = bytes(w.lake * TB),
                                   .services = &service,
                                   .n_services = 1,
                                   .granule = bytes(1)}};
    struct policy *policy = policy_make(&w.limits, w.capacity);
    struct plan plan;
    struct err e = {0};
    assert_int_equal(policy_decider.plan(policy, &facts, &plan, &e), 0);
    reference(&w);
    compare(&w, &plan);
    plan_free(&plan);
    policy_free(policy);
}

static void plans_equal_the_reference(void **state) {
    (void)state;
    long rounds = rounds_wanted(5000);
    for (long i = 0; i < rounds; i++) {
        seed = (uint64_t)i * 977 + 13;
        one_world();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_equal_the_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
