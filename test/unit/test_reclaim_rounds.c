/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of a plan of reclaims over random worlds, against a reference that is slow and obvious: it tries
 * every set of servers. RECLAIM_WORLDS says how many worlds (3000), RECLAIM_SEED where they begin.
 */
#include "policies/reclaim.h"
#include "test/unit/reclaim_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY CLOCK_DAY

enum { SERVERS_OF_ONE = 10, TENANTS = 6, ROUNDS = 12 };

static const char *const policies[] = {
    /* the cap is far away */
    "policy \"small\" version 1;\n"
    "pool p { basis fp32; flavor v100 10 TF units 400 sizes 1, 2, 4, 8; flavor t4 5 TF units 8 sizes 1, 2; "
    "storage "
    "1 PB; measures gpu_util; }\n"
    "set eligible { E9 pass \"yes\" otherwise; }\n"
    "C1 ceiling per tenant compute 4 PF storage 1 TB;\n"
    "L1 lease term 90 days;\n"
    "B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days, most 100 tenants;\n",
    /* it is near, and other causes mix in */
    "policy \"small\" version 1;\n"
    "pool p { basis fp32; flavor v100 10 TF units 400 sizes 1, 2, 4, 8; flavor t4 5 TF units 8 sizes 1, 2; "
    "storage "
    "1 PB; measures gpu_util; }\n"
    "set eligible { E9 pass \"yes\" otherwise; }\n"
    "C1 ceiling per tenant compute 150 TF storage 1 TB;\n"
    "C2 ceiling per organisation compute 250 TF;\n"
    "L1 lease term 90 days;\n"
    "Q1 queue order share, wait, id weigh surplus;\n"
    "B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days, most 2 tenants;\n"
    "U1 idle gpu_util.p95 < 10 % for 7 days, notice 5 days, appeal 3 days, keep guarantee;\n"
    "U2 unused gpu_util < 50 % for 28 days, lose 50 %, notice 14 days;\n"};

static uint64_t state_now;

static int64_t draw(int64_t most) { /* 0 .. most - 1 */
    state_now ^= state_now << 13;
    state_now ^= state_now >> 7;
    state_now ^= state_now << 17;
    return (int64_t)(state_now % (uint64_t)most);
}

static void name_of(char *out, size_t size, const char *prefix, int64_t n) {
    snprintf(out, size, "%s%lld", prefix, (long long)n);
}

static void random_tenant(struct world *w, int64_t i) {
    char name[24];
    name_of(name, sizeof name, "t", i);
    world_tenant(w, name, 1 + draw(4), draw(3) ? draw(9) * 10 : 0);
    w->standings[w->n_tenants - 1].rank = draw(3);
    name_of(name, sizeof name, "o", draw(4));
    w->tenants[w->n_tenants - 1].organisation = keep_text(&w->memory, name);
}

static void random_grant(struct world *w, int64_t *id, int64_t tenant, bool carries) {
    char grant[24], name[24];
    name_of(grant, sizeof grant, "g-", ++*id);
    name_of(name, sizeof name, "t", tenant);
    world_grant(w, grant, name, -draw(40), "v100", INT64_C(1) << draw(4));
    int64_t more = draw(SERVERS_OF_ONE / 2);
    for (int64_t k = 0; k < more; k++) world_server(w, grant, "v100", INT64_C(1) << draw(4));
    if (carries && draw(2)) world_carries(w, grant, 0);
    if (draw(8) == 0) world_lease(w, grant, -draw(10), draw(10));
    if (draw(3) == 0)
        world_sample(w, grant, "gpu_util.p95", 7, draw(4) ? 100 : draw(100), draw(14), draw(10));
    if (draw(3) == 0) world_sample(w, grant, "gpu_util", 28, draw(4) ? 100 : draw(100), 100, draw(70));
}

static void random_claim(struct world *w, int64_t id, int64_t tenant) {
    char claim[24], name[24];
    name_of(claim, sizeof claim, "r-", id);
    name_of(name, sizeof name, "t", tenant);
    world_claim(w, claim, name, "v100", 1 + draw(12), draw(2));
    w->claims[w->n_claims - 1].submitted = instant(w->now.s - draw(5));
}

static void random_world(struct world *w, const char *policy, bool carries) {
    int64_t id = 0;
    world_begin(w, policy);
    w->flavors[0].capacity = units(400);
    w->flavors[0].free = units(draw(2) ? 0 : draw(5));
    for (int64_t i = 0; i < TENANTS; i++) random_tenant(w, i);
    for (int64_t i = 0; i < TENANTS; i++)
        for (int64_t k = draw(3); k > 0; k--) random_grant(w, &id, i, carries);
}

/* ---- the reference ---- */

static int64_t held_of(const struct world *w, size_t tenant) {
    int64_t sum = 0;
    for (size_t g = 0; g < w->n_grants; g++) {
        bool over = w->grants[g].end.s + w->grants[g].grace.s <= w->now.s;
        if (w->grants[g].tenant != tenant || over) continue;
        for (size_t i = 0; i < w->grants[g].n_servers; i++)
            if (!w->servers[g][i].notice) sum += w->servers[g][i].compute.n;
    }
    return sum;
}

/* Most units that a holder can give without falling below its guarantee: every set is tried. */
static int64_t can_give(const struct world *w, size_t tenant) {
    int64_t sizes[64], best = 0, surplus = held_of(w, tenant) - w->standings[tenant].guarantee.n;
    size_t n = 0;
    for (size_t g = 0; g < w->n_grants; g++) {
        bool over = w->grants[g].end.s + w->grants[g].grace.s <= w->now.s;
        for (size_t i = 0; w->grants[g].tenant == tenant && !over && i < w->grants[g].n_servers; i++)
            if (!w->servers[g][i].notice) sizes[n++] = w->servers[g][i].units;
    }
    for (uint32_t set = 0; set < UINT32_C(1) << n; set++) {
        int64_t sum = 0;
        for (size_t i = 0; i < n; i++) sum += set >> i & 1 ? sizes[i] : 0;
        if (sum * 10000 <= surplus && sum > best) best = sum;
    }
    return best;
}

static int64_t lease_over_units(const struct world *w) {
    int64_t sum = 0;
    for (size_t g = 0; g < w->n_grants; g++)
        for (size_t i = 0; i < w->grants[g].n_servers; i++)
            if (w->grants[g].end.s + w->grants[g].grace.s <= w->now.s || w->servers[g][i].notice)
                sum += w->servers[g][i].units;
    return sum;
}

/* Every count of v100 can be reached; of what is asked, as much as lifts the tenant to its guarantee. */
static int64_t need_of(const struct world *w, const struct fact_claim *c) {
    int64_t missing = w->standings[c->tenant].guarantee.n - held_of(w, c->tenant), need = 0;
    if (missing <= 0) return 0;
    while (need * 10000 < missing && need < c->units.n) need++;
    return c->has_minimum || need == c->units.n ? need : 0;
}

/* ---- properties of one plan ---- */

static size_t grant_of(const struct world *w, const struct reclaim *r) { return world_grant_at(w, r->grant); }

static const struct fact_server *server_of(const struct world *w, size_t g, int64_t operation) {
    for (size_t i = 0; i < w->grants[g].n_servers; i++)
        if (w->servers[g][i].operation == operation) return &w->servers[g][i];
    fail_msg("grant %s has no server %lld", w->grants[g].id, (long long)operation);
    return NULL;
}

static void check_servers(const struct world *w, const struct reclaim_plan *plan) {
    for (size_t i = 0; i < plan->n_reclaims; i++) {
        const struct reclaim *r = &plan->reclaims[i];
        int64_t sum = 0;
        for (size_t k = 0; k < r->n_operations; k++) {
            const struct fact_server *s = server_of(w, grant_of(w, r), r->operations[k]);
            assert_null(s->notice);
            sum += s->units;
            for (size_t j = 0; j < plan->n_reclaims; j++)
                for (size_t m = 0; m < plan->reclaims[j].n_operations; m++)
                    assert_true((i == j && k == m) || plan->reclaims[j].operations[m] != r->operations[k]);
        }
        assert_int_equal(sum, r->units);
    }
}

static void check_dates(const struct world *w, const struct reclaim_plan *plan) {
    for (size_t i = 0; i < plan->n_reclaims; i++) {
        const struct reclaim *r = &plan->reclaims[i];
        if (r->cause == CAUSE_GRACE) continue;
        assert_true(r->effect.s >= w->now.s + r->notice.s);
        assert_true(r->effect.s >= w->grants[grant_of(w, r)].start.s + 14 * DAY);
        assert_non_null(r->rule);
        assert_true(r->en && *r->en && r->ko && *r->ko);
    }
}

/* No holder is brought below its guarantee, and no carrier goes before the rest of its grant. */
static void check_holders(const struct world *w, const struct reclaim_plan *plan, int64_t most) {
    int64_t touched = 0;
    for (size_t t = 0; t < w->n_tenants; t++) {
        int64_t lost = 0;
        for (size_t i = 0; i < plan->n_reclaims; i++)
            if (plan->reclaims[i].cause != CAUSE_GRACE &&
                strcmp(plan->reclaims[i].tenant, w->tenants[t].name) == 0)
                lost += plan->reclaims[i].compute.n;
        touched += lost > 0;
        if (lost > 0) assert_true(held_of(w, t) - lost >= w->standings[t].guarantee.n);
    }
    assert_true(touched <= most);
    assert_int_equal(touched, plan->tenants);
}

static void check_carriers(const struct world *w, const struct reclaim_plan *plan) {
    for (size_t g = 0; g < w->n_grants; g++) {
        size_t gone = 0;
        bool carrier_gone = false;
        for (size_t i = 0; i < plan->n_reclaims; i++)
            for (size_t k = 0; grant_of(w, &plan->reclaims[i]) == g && k < plan->reclaims[i].n_operations;
                 k++) {
                gone++;
                carrier_gone |= server_of(w, g, plan->reclaims[i].operations[k])->carries;
            }
        for (size_t i = 0; i < w->grants[g].n_servers; i++) gone += w->servers[g][i].notice != NULL;
        if (carrier_gone) assert_int_equal(gone, w->grants[g].n_servers);
    }
}

static char *printed(const struct reclaim_plan *plan) {
    struct text t = {0};
    for (size_t i = 0; i < plan->n_reclaims; i++) {
        const struct reclaim *r = &plan->reclaims[i];
        text_add(&t, "%s %s %s %lld %s %s", r->grant, reclaim_cause_word(r->cause), r->claim ? r->claim : "-",
                 (long long)r->effect.s, r->en, r->ko);
        for (size_t k = 0; k < r->n_operations; k++) text_add(&t, " %lld", (long long)r->operations[k]);
        text_add(&t, "\n");
    }
    return text_take(&t);
}

/* The same facts in another order. */
static void shuffle(struct world *w) {
    for (size_t i = w->n_grants; i-- > 1;) {
        size_t k = (size_t)draw((int64_t)i + 1);
        struct fact_grant g = w->grants[i];
        w->grants[i] = w->grants[k];
        w->grants[k] = g;
        struct fact_server s[WORLD_MOST];
        memcpy(s, w->servers[i], sizeof s);
        memcpy(w->servers[i], w->servers[k], sizeof s);
        memcpy(w->servers[k], s, sizeof s);
        struct fact_sample m[4];
        memcpy(m, w->samples[i], sizeof m);
        memcpy(w->samples[i], w->samples[k], sizeof m);
        memcpy(w->samples[k], m, sizeof m);
        struct fact_notice n[4];
        memcpy(n, w->notices[i], sizeof n);
        memcpy(w->notices[i], w->notices[k], sizeof n);
        memcpy(w->notices[k], n, sizeof n);
    }
    for (size_t i = w->n_claims; i-- > 1;) {
        size_t k = (size_t)draw((int64_t)i + 1);
        struct fact_claim c = w->claims[i];
        w->claims[i] = w->claims[k];
        w->claims[k] = c;
    }
}

static void check_order_free(struct world *w, const struct reclaim_plan *plan) {
    struct reclaim_plan again;
    char *before = printed(plan);
    shuffle(w);
    world_plan(w, &again);
    char *after = printed(&again);
    assert_string_equal(before, after);
    free(before);
    free(after);
    reclaim_plan_free(&again);
}

/* One claim, no cap: it is served exactly when some set of servers can serve it, and by no server too many.
 */
static void check_complete(const struct world *w, const struct reclaim_plan *plan) {
    int64_t need = need_of(w, &w->claims[0]), reach = 0, taken = 0, smallest = INT64_MAX;
    int64_t lacking = need - w->flavors[0].free.n - lease_over_units(w);
    for (size_t t = 0; t < w->n_tenants; t++)
        if (t != w->claims[0].tenant) reach += can_give(w, t);
    for (size_t i = 0; i < plan->n_reclaims; i++) {
        if (plan->reclaims[i].cause != CAUSE_GUARANTEE) continue;
        taken += plan->reclaims[i].units;
        for (size_t k = 0; k < plan->reclaims[i].n_operations; k++) {
            int64_t one =
                server_of(w, grant_of(w, &plan->reclaims[i]), plan->reclaims[i].operations[k])->units;
            if (one < smallest) smallest = one;
        }
    }
    if (lacking <= 0 || reach < lacking) {
        assert_int_equal(taken, 0);
    } else {
        assert_true(taken >= lacking);
        assert_true(taken - smallest < lacking);
    }
}

static void check_one(struct world *w, struct reclaim_plan *plan, int64_t most) {
    check_servers(w, plan);
    check_dates(w, plan);
    check_holders(w, plan, most);
    check_carriers(w, plan);
}

static int64_t worlds(void) {
    const char *text = getenv("RECLAIM_WORLDS");
    return text ? strtoll(text, NULL, 10) : 3000;
}

static void seed(int64_t world) {
    const char *text = getenv("RECLAIM_SEED");
    state_now = (uint64_t)(text ? strtoll(text, NULL, 10) + world : world) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 8; i++) draw(2);
}

static void a_plan_keeps_every_promise(void **state) {
    (void)state;
    for (int64_t i = 0; i < worlds(); i++) {
        struct world *w = mem_alloc(sizeof *w);
        struct reclaim_plan plan;
        seed(i);
        random_world(w, policies[1], true);
        for (int64_t c = draw(4); c > 0; c--) random_claim(w, c, draw(TENANTS));
        world_plan(w, &plan);
        check_one(w, &plan, 2);
        check_order_free(w, &plan);
        reclaim_plan_free(&plan);
        world_end(w);
        free(w);
    }
}

static void a_claim_is_served_exactly_when_it_can_be(void **state) {
    (void)state;
    for (int64_t i = 0; i < worlds(); i++) {
        struct world *w = mem_alloc(sizeof *w);
        struct reclaim_plan plan;
        seed(i + 1000000);
        random_world(w, policies[0], false);
        random_claim(w, 1, draw(TENANTS));
        world_plan(w, &plan);
        check_one(w, &plan, 100);
        check_complete(w, &plan);
        check_order_free(w, &plan);
        reclaim_plan_free(&plan);
        world_end(w);
        free(w);
    }
}

/* ---- rounds ---- */

struct history {
    bool lost_to[TENANTS][TENANTS];
    int64_t claims, grants;
};

static void server_goes(struct world *w, size_t g, int64_t operation) {
    size_t n = w->grants[g].n_servers;
    for (size_t i = 0; i < n; i++)
        if (w->servers[g][i].operation == operation) w->servers[g][i] = w->servers[g][n - 1];
    w->grants[g].n_servers--;
}

/* The notice has passed: what was named goes, and its holder asks for it again. */
static void apply(struct world *w, const struct reclaim_plan *plan, struct history *h) {
    int64_t lost[TENANTS] = {0};
    for (size_t i = 0; i < plan->n_reclaims; i++) {
        const struct reclaim *r = &plan->reclaims[i];
        size_t victim = world_tenant_at(w, r->tenant);
        for (size_t k = 0; k < r->n_operations; k++) server_goes(w, grant_of(w, r), r->operations[k]);
        w->flavors[0].free = units(w->flavors[0].free.n + r->units);
        if (r->cause != CAUSE_GUARANTEE) continue;
        lost[victim] += r->units;
        for (size_t c = 0; c < w->n_claims; c++)
            if (strcmp(w->claims[c].id, r->claim) == 0) {
                size_t winner = w->claims[c].tenant;
                assert_false(h->lost_to[winner][victim]); /* ping-pong */
                h->lost_to[victim][winner] = true;
            }
    }
    for (size_t t = 0; t < TENANTS; t++)
        if (lost[t] > 0 && w->n_claims < WORLD_MOST - 1) {
            char name[24], id[24];
            name_of(name, sizeof name, "t", (int64_t)t);
            name_of(id, sizeof id, "r-", ++h->claims + 100);
            world_claim(w, id, name, "v100", lost[t], 1);
        }
}

/* What is free goes to whoever may have it: those below their guarantee, then anybody. */
static void give(struct world *w, struct history *h) {
    for (int pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < w->n_claims; c++) {
            struct fact_claim *claim = &w->claims[c];
            int64_t need = pass ? claim->units.n : need_of(w, claim), room = w->flavors[0].free.n;
            int64_t given = need <= room ? need : pass && claim->has_minimum ? room : 0;
            if (given == 0 || w->n_grants >= WORLD_MOST - 1) continue;
            char id[24];
            name_of(id, sizeof id, "g-", 1000 + ++h->grants);
            world_grant(w, id, w->tenants[claim->tenant].name, 0, "v100", 1);
            for (int64_t k = 1; k < given && k < WORLD_MOST; k++) world_server(w, id, "v100", 1);
            w->flavors[0].free = units(room - given);
            claim->units = units(claim->units.n - given);
            if (claim->units.n == 0) *claim = w->claims[--w->n_claims], c--;
        }
}

static void rounds_come_to_rest_without_ping_pong(void **state) {
    (void)state;
    for (int64_t i = 0; i < worlds() / 4; i++) {
        struct world *w = mem_alloc(sizeof *w);
        struct history h = {0};
        seed(i + 2000000);
        random_world(w, policies[0], false);
        for (int64_t c = 1 + draw(4); c > 0; c--) random_claim(w, c, draw(TENANTS));
        int64_t taken = 1;
        for (int round = 0; round < ROUNDS && taken > 0; round++) {
            struct reclaim_plan plan;
            world_plan(w, &plan);
            check_one(w, &plan, 100);
            taken = plan.units;
            apply(w, &plan, &h);
            give(w, &h);
            w->now = instant_after(w->now, span(30 * DAY));
            reclaim_plan_free(&plan);
        }
        assert_int_equal(taken, 0);
        world_end(w);
        free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_keeps_every_promise),
        cmocka_unit_test(a_claim_is_served_exactly_when_it_can_be),
        cmocka_unit_test(rounds_come_to_rest_without_ping_pong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
