/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: what a request that waits could have now is set aside for it. As alloc/offer.h has it. */
#include "policies/sim_parts.h"

#include "alloc/offer.h"
#include "alloc/offer_grow.h"

#include <stdlib.h>
#include <string.h>

static const char *const ends[SIM_OFFER_ENDS] = {"taken", "expired", "outgrown", "lost", "withdrawn"};

const char *sim_offer_end_word(enum sim_offer_end end) { return ends[end]; }

static const struct fact_claim *claim_of(const struct sim *s, size_t request) {
    return &s->world->requests[request].claim;
}

/* ---- what is set aside ---- */

static size_t service_of(const struct sim *s, const char *name) {
    size_t i = 0;
    while (i < s->pool.n_services && strcmp(s->services[i].name, name) != 0) i++;
    return i;
}

/* sign 1: set aside; -1: free again. What is offered counts as held by its tenant. */
static void aside(struct sim *s, size_t request, int64_t sign) {
    const struct plan_offer *o = &s->requests[request].offer->offer;
    size_t tenant = claim_of(s, request)->tenant;
    for (size_t i = 0; i < o->n_lines; i++) {
        size_t f = sim_flavor(s, o->lines[i].flavor);
        int64_t n = sign * o->lines[i].size * o->lines[i].count;
        s->flavors[f].free.n -= n;
        sim_hold_item(s, tenant, f, n);
    }
    for (size_t i = 0; i < o->n_seats; i++) {
        size_t k = service_of(s, o->seats[i].service);
        s->services[k].free -= sign * o->seats[i].seats;
        sim_hold_item(s, tenant, s->pool.n_flavors + k, sign * o->seats[i].seats);
    }
    s->pool.storage_free.n -= sign * o->storage.n;
    s->pool.datalake_free.n -= sign * o->datalake.n;
    sim_hold(s, tenant, sign * o->compute.n, sign * (o->storage.n + o->datalake.n));
    s->tenants[tenant].offered_compute += sign * o->compute.n;
}

struct fact_pool sim_pool_offered(const struct sim *s, struct fact_flavor *flavors) {
    struct fact_pool pool = s->pool;
    memcpy(flavors, s->flavors, sizeof s->flavors);
    for (size_t i = 0; i < s->offered.n; i++) {
        const struct plan_offer *o = &s->requests[s->offered.of[i]].offer->offer;
        for (size_t k = 0; k < o->n_lines; k++)
            flavors[sim_flavor(s, o->lines[k].flavor)].coming.n += o->lines[k].size * o->lines[k].count;
    }
    pool.flavors = flavors;
    return pool;
}

/* ---- making ---- */

static bool is_wanted(const struct sim *s, size_t request, const struct plan_offer *o) {
    const struct fact_claim *c = claim_of(s, request);
    const struct sim_request *r = &s->requests[request];
    if (!o->has || !o->until.has || o->until.at.s <= s->now.s || s->tenants[c->tenant].offered) return false;
    if (o->n_seats != c->n_seats || (c->datalake.n > 0 && o->datalake.n == 0)) return false;
    return !r->has_passed || o->compute.n > r->passed.n;
}

static bool is_free(const struct sim *s, const struct plan_offer *o) {
    int64_t wanted[FLAVORS_MOST] = {0};
    for (size_t i = 0; i < o->n_lines; i++) {
        size_t f = sim_flavor(s, o->lines[i].flavor);
        wanted[f] += o->lines[i].size * o->lines[i].count;
        if (wanted[f] > s->flavors[f].free.n) return false;
    }
    for (size_t i = 0; i < o->n_seats; i++)
        if (o->seats[i].seats > s->services[service_of(s, o->seats[i].service)].free) return false;
    return o->storage.n <= s->pool.storage_free.n && o->datalake.n <= s->pool.datalake_free.n;
}

/* The decision goes with the offer. */
static void make(struct sim *s, size_t request, const struct decision *d) {
    struct sim_request *r = &s->requests[request];
    r->offer = mem_alloc(sizeof *r->offer);
    *r->offer = *d;
    decision_own(r->offer);
    r->offered = s->now;
    s->tenants[claim_of(s, request)->tenant].offered = request + 1;
    sim_set_put(&s->offered, request);
    s->offers_made++;
    aside(s, request, 1);
    sim_log_event(s, "offer", request, gflops_text(r->offer->offer.compute).s);
}

static int position_cmp(const void *a, const void *b, void *arg) {
    const struct decision *of = arg, *x = &of[*(const size_t *)a], *y = &of[*(const size_t *)b];
    return (x->position > y->position) - (x->position < y->position);
}

void sim_offers_make(struct sim *s, const size_t *requests, const struct plan *plan) {
    scoped_free size_t *order = mem_alloc((plan->n_decisions + 1) * sizeof *order);
    size_t n = 0;
    for (size_t i = 0; i < plan->n_decisions; i++)
        if (plan->decisions[i].outcome == OUTCOME_QUEUE &&
            is_wanted(s, requests[i], &plan->decisions[i].offer))
            order[n++] = i;
    if (n) qsort_r(order, n, sizeof *order, position_cmp, plan->decisions);
    for (size_t i = 0; i < n; i++) {
        const struct decision *d = &plan->decisions[order[i]];
        if (is_wanted(s, requests[order[i]], &d->offer) && is_free(s, &d->offer))
            make(s, requests[order[i]], d);
    }
}

/* ---- ending ---- */

/* The decision by which it was made: the caller frees it. */
static struct decision *drop(struct sim *s, size_t request, enum sim_offer_end why) {
    struct sim_request *r = &s->requests[request];
    struct decision *d = r->offer;
    if (!r->is_lifted) aside(s, request, -1);
    r->offer = NULL;
    r->is_lifted = false;
    s->tenants[claim_of(s, request)->tenant].offered = 0;
    sim_set_drop(&s->offered, request);
    s->offers_ended[why]++;
    return d;
}

void sim_offer_end(struct sim *s, size_t request, enum sim_offer_end why) {
    struct sim_request *r = &s->requests[request];
    if (why == SIM_OFFER_EXPIRED) {
        r->has_passed = true;
        r->passed = r->offer->offer.compute;
    }
    struct decision *d = drop(s, request, why);
    decision_free(d);
    free(d);
    s->is_raised = true;
    sim_log_event(s, "offer ended", request, ends[why]);
}

bool sim_offer_accept(struct sim *s, size_t request) {
    const struct sim_request *r = &s->requests[request];
    struct reason reason;
    struct decision taken;
    if (!r->offer || r->offer->offer.until.at.s <= s->now.s ||
        s->facts[claim_of(s, request)->tenant].suspended)
        return false;
    struct decision *d = drop(s, request, SIM_OFFER_TAKEN);
    sim_log_event(s, "offer ended", request, ends[SIM_OFFER_TAKEN]);
    offer_taken(d, s->now, claim_of(s, request)->until.has, &reason, &taken);
    sim_decide(s, request, &taken);
    decision_free(d);
    free(d);
    return true;
}

/* From the back: an offer that ends leaves the set. */
void sim_offers_night(struct sim *s) {
    for (size_t i = s->offered.n; i-- > 0;) {
        size_t request = s->offered.of[i];
        const struct sim_request *r = &s->requests[request];
        span_t accepts = s->world->requests[request].accepts;
        if (accepts.s && instant_after(r->offered, accepts).s <= s->now.s && sim_offer_accept(s, request))
            continue;
        if (r->offer->offer.until.at.s <= s->now.s) sim_offer_end(s, request, SIM_OFFER_EXPIRED);
    }
}

static bool sets_aside(const struct sim *s, const struct plan_offer *o, size_t flavor) {
    if (flavor == s->pool.n_flavors) return o->storage.n > 0;
    for (size_t i = 0; i < o->n_lines; i++)
        if (sim_flavor(s, o->lines[i].flavor) == flavor) return true;
    return false;
}

/* The newest first: the others may stand. */
void sim_offers_lost(struct sim *s, size_t flavor) {
    for (;;) {
        int64_t left = flavor == s->pool.n_flavors ? s->pool.storage_free.n : s->flavors[flavor].free.n;
        size_t newest = s->world->n_requests;
        for (size_t i = 0; left < 0 && i < s->offered.n; i++) {
            size_t request = s->offered.of[i];
            if (!sets_aside(s, &s->requests[request].offer->offer, flavor)) continue;
            if (newest == s->world->n_requests ||
                s->requests[request].offered.s >= s->requests[newest].offered.s)
                newest = request;
        }
        if (newest == s->world->n_requests) return;
        sim_offer_end(s, newest, SIM_OFFER_LOST);
    }
}

/* ---- growing ---- */

/* The offers of a trial. */
struct trial {
    struct sim *sim;
    size_t *requests, n;
};

static int lift(void *arg, size_t i, struct err *e) {
    struct trial *t = arg;
    (void)e;
    aside(t->sim, t->requests[i], -1);
    t->sim->requests[t->requests[i]].is_lifted = true;
    return 0;
}

static int put_back(void *arg, size_t i, struct err *e) {
    struct trial *t = arg;
    (void)e;
    t->sim->requests[t->requests[i]].is_lifted = false;
    aside(t->sim, t->requests[i], 1);
    return 0;
}

static int plan_trial(void *arg, bool *given, struct err *e) {
    struct trial *t = arg;
    struct plan plan;
    size_t at = 0; /* both are in the order of their requests */
    int rc = sim_trial(t->sim, &plan, e);
    for (size_t i = 0; rc == 0 && i < t->n; i++) {
        while (at < plan.n_decisions && t->sim->plan_requests[at] < t->requests[i]) at++;
        given[i] = at < plan.n_decisions && t->sim->plan_requests[at] == t->requests[i] &&
                   plan.decisions[at].outcome <= OUTCOME_PARTIAL;
    }
    plan_free(&plan);
    return rc;
}

/* Is so much there at all, its own offer with it? Only of one flavor can that be told beforehand. */
static bool may_grow(const struct sim *s, size_t request) {
    const struct fact_claim *c = claim_of(s, request);
    const struct plan_offer *o = &s->requests[request].offer->offer;
    if (c->ask != ASK_UNITS) return true;
    size_t f = sim_flavor(s, c->flavor);
    int64_t there = s->flavors[f].free.n;
    for (size_t i = 0; i < o->n_lines; i++) there += o->lines[i].size * o->lines[i].count;
    return there >= (c->has_minimum ? c->minimum_units.n : c->units.n);
}

int sim_offers_grow(struct sim *s, struct err *e) {
    struct trial t = {s, mem_alloc((s->offered.n + 1) * sizeof *t.requests), 0};
    const struct offer_trial by = {&t, lift, put_back, plan_trial};
    for (size_t i = 0; i < s->offered.n; i++)
        if (may_grow(s, s->offered.of[i])) t.requests[t.n++] = s->offered.of[i];
    bool *outgrown = mem_alloc((t.n + 1) * sizeof *outgrown);
    int rc = t.n ? offer_grow(&by, t.n, outgrown, e) : 0;
    for (size_t i = 0; rc == 0 && i < t.n; i++)
        if (outgrown[i]) sim_offer_end(s, t.requests[i], SIM_OFFER_OUTGROWN);
    free(outgrown);
    free(t.requests);
    return rc;
}
