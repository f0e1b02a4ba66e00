/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the daily state, and the sums over days that the measures need. */
#include "policies/sim_parts.h"

#include <stdlib.h>

enum { MILLION = 1000000 };

struct want {
    size_t tenant;
    int64_t demand, weight;
};

/* By demand per weight: so far does the water rise before this one is full. */
static int want_cmp(const void *a, const void *b) {
    const struct want *x = a, *y = b;
    wide_t left = (wide_t)x->demand * y->weight, right = (wide_t)y->demand * x->weight;
    if (left != right) return left < right ? -1 : 1;
    return (x->tenant > y->tenant) - (x->tenant < y->tenant);
}

static int64_t weight_of(const struct sim *s, size_t tenant) {
    return s->standings[tenant].weight > 0 ? s->standings[tenant].weight : 1;
}

/* What each would have were compute divisible and nobody held anything: weighted max-min. */
static void entitle(struct sim *s, struct want *wants, size_t n) {
    int64_t left = s->capacity, weights = 0;
    qsort(wants, n, sizeof *wants, want_cmp);
    for (size_t i = 0; i < n; i++) weights += wants[i].weight;
    for (size_t i = 0; i < n; i++) {
        int64_t fair = (int64_t)((wide_t)left * wants[i].weight / weights),
                gets = smaller(fair, wants[i].demand);
        struct sim_tenant *t = &s->tenants[wants[i].tenant];
        left -= gets;
        weights -= wants[i].weight;
        t->entitled_days += gets;
        t->held_days += smaller(sim_held(s, wants[i].tenant), wants[i].demand);
    }
}

/* (sum x)^2 / (n sum x^2) in millionths, rounded half up (R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984). */
static int64_t jain(wide_t sum, wide_t squares, size_t n) {
    wide_t under = squares * (wide_t)n;
    if (under == 0) return MILLION;
    while (sum > ((wide_t)1 << 52)) { /* far above what three decimals need */
        sum >>= 1;
        under >>= 2;
    }
    return (int64_t)((sum * sum * MILLION + under / 2) / under);
}

/* x is held / demand in millionths, or held / weight in thousandths of a GFLOPS. */
static void indices(const struct sim *s, const struct want *wants, size_t n, struct sim_day *d) {
    wide_t sum = 0, squares = 0, weighted = 0, weighted_squares = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t held = sim_held(s, wants[i].tenant);
        wide_t x = (wide_t)smaller(held, wants[i].demand) * MILLION / wants[i].demand,
               y = (wide_t)held * 1000 / wants[i].weight;
        sum += x;
        squares += x * x;
        weighted += y;
        weighted_squares += y * y;
    }
    d->jain = jain(sum, squares, n);
    d->jain_weighted = jain(weighted, weighted_squares, n);
}

/* Free units of which somebody waits for this very flavor, or for any. */
static void stranded(const struct sim *s, struct sim_day *d) {
    bool any = false, wanted[FLAVORS_MOST] = {false};
    for (size_t i = 0; i < s->waiting.n; i++) {
        const struct fact_claim *c = &s->world->requests[s->waiting.of[i]].claim;
        size_t f = c->flavor ? sim_flavor(s, c->flavor) : s->pool.n_flavors;
        if (c->ask == ASK_NONE) continue;
        if (f < s->pool.n_flavors)
            wanted[f] = true;
        else
            any = true;
    }
    for (size_t f = 0; f < s->pool.n_flavors; f++) {
        d->free[f] = s->flavors[f].free.n;
        d->stranded[f] = (any || wanted[f]) && d->free[f] > 0 ? d->free[f] : 0;
    }
}

static int64_t busy_of(const struct sim *s, size_t tenant, int64_t day) {
    const struct sim_tenant *t = &s->tenants[tenant];
    int64_t best = 0;
    for (size_t m = 0; t->use && m < s->world->n_metrics; m++) {
        int64_t percent = (int64_t)t->use[m * SIM_WINDOW + (size_t)(day % SIM_WINDOW)] - 1;
        if (percent > best) best = percent;
    }
    return best * sim_held(s, tenant);
}

void sim_day_record(struct sim *s) {
    struct sim_day d = {.day = (s->now.s + CLOCK_CIVIL_OFFSET) / CLOCK_DAY,
                        .capacity = s->capacity,
                        .waiting = (int64_t)s->waiting.n,
                        .waiting_compute = s->waiting_compute,
                        .held_requests = (int64_t)s->held.n,
                        .granted = (int64_t)s->n_live,
                        .storage = s->pool.storage_capacity.n - s->pool.storage_free.n,
                        .has_use = s->world->n_uses > 0,
                        .notices = s->notices_today,
                        .taken = s->taken_today,
                        .offers = (int64_t)s->offered.n};
    scoped_free struct want *wants = mem_alloc((s->n_tenants + 1) * sizeof *wants);
    size_t n = 0;
    for (size_t i = 0; i < s->n_tenants; i++) {
        int64_t held = sim_held(s, i), demand = sim_demand(s, i);
        int64_t guaranteed = smaller(s->standings[i].guarantee.n, demand);
        d.held += held;
        d.holders += held > 0;
        d.used += busy_of(s, i, d.day - 1);
        d.demand += demand;
        if (demand <= 0) continue;
        wants[n++] = (struct want){i, demand, weight_of(s, i)};
        if (held >= guaranteed) continue;
        d.below++;
        s->tenants[i].below_days++;
    }
    indices(s, wants, n, &d);
    entitle(s, wants, n);
    stranded(s, &d);
    s->days = mem_grow(s->days, &s->days_room, s->n_days + 1, sizeof *s->days);
    s->days[s->n_days++] = d;
    s->notices_today = s->taken_today = 0;
}
