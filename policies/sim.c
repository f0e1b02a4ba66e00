/* SPDX-License-Identifier: Apache-2.0 */
/* The run: events in their order, nights between them. */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

/* What the events of one second leave to be planned together. */
struct fresh {
    size_t *of, n, room;
};

static void fresh_add(struct fresh *f, size_t request) {
    f->of = mem_grow(f->of, &f->room, f->n + 1, sizeof *f->of);
    f->of[f->n++] = request;
}

static void without_effect(struct sim *s, const struct event *v) {
    s->without_effect++;
    text_add(&s->log, "{\"at\":\"%s\",\"event\":\"without effect\",\"what\":\"%s\",\"line\":%zu}\n",
             instant_text(s->now).s, event_word(v->kind), v->line);
}

/* ---- the pool ---- */

static int no_flavor(const struct sim *s, const struct event *v, struct err *e) {
    return err_set(e, ERR_USAGE, "the event of line %zu: pool %s has no flavor '%s'", v->line, s->pool.name,
                   v->name);
}

static int64_t offered_storage(const struct sim *s) {
    int64_t sum = 0;
    for (size_t i = 0; i < s->offered.n; i++) sum += s->requests[s->offered.of[i]].offer->offer.storage.n;
    return sum;
}

static int64_t offered_units(const struct sim *s, size_t flavor) {
    struct fact_flavor flavors[FLAVORS_MOST];
    return sim_pool_offered(s, flavors).flavors[flavor].coming.n - s->flavors[flavor].coming.n;
}

/* Units that are in use cannot leave the pool. They can break: then less than nothing is free until what is
   in use is given back. */
static int capacity_apply(struct sim *s, const struct event *v, struct err *e) {
    if (!v->name) {
        int64_t used = s->pool.storage_capacity.n - s->pool.storage_free.n;
        if (v->amount < used - offered_storage(s))
            return err_set(e, ERR_USAGE, "the event of line %zu: %s of storage are in use", v->line,
                           bytes_text(bytes(used)).s);
        s->pool.storage_capacity = bytes(v->amount);
        s->pool.storage_free = bytes(v->amount - used);
        sim_offers_lost(s, s->pool.n_flavors);
        s->is_raised = true;
        return 0;
    }
    s->changes++;
    size_t f = sim_flavor(s, v->name);
    if (f == s->pool.n_flavors) return no_flavor(s, v, e);
    struct fact_flavor *x = &s->flavors[f];
    int64_t change = v->kind == EVENT_LOSS ? 0 : v->amount - x->capacity.n;
    int64_t lost = v->kind == EVENT_LOSS ? v->amount : 0;
    if ((v->kind == EVENT_CAPACITY && x->free.n + offered_units(s, f) + change < 0) ||
        x->lost.n + lost > x->capacity.n + change)
        return err_set(
            e, ERR_USAGE,
            "the event of line %zu: %lld of %lld units of %s are free and %lld lost: so many cannot go",
            v->line, (long long)x->free.n, (long long)x->capacity.n, v->name, (long long)x->lost.n);
    x->capacity.n += change;
    x->free.n += change - lost; /* with a loss perhaps below 0 */
    x->lost.n += lost;
    s->capacity += change * x->rating.n;
    sim_offers_lost(s, f);
    s->is_raised = true;
    return 0;
}

static int policy_apply(struct sim *s, const struct event *v, struct err *e) {
    const struct policy *y = s->options.policies(s->options.arg, v->name);
    if (strcmp(y->pool.s, s->pool.name) != 0 || strcmp(y->basis.s, s->pool.basis) != 0)
        return err_set(e, ERR_USAGE, "the event of line %zu: policy %s is for pool %s (%s), not for %s (%s)",
                       v->line, y->name, y->pool.s, y->basis.s, s->pool.name, s->pool.basis);
    s->policy = y;
    sim_rules_begin(s);
    s->is_raised = true;
    return sim_assess(s, e);
}

/* ---- tenants and what they hold ---- */

static bool is_live(const struct sim *s, const struct sim_request *r) {
    return r->grant && sim_grant_is_live(&s->grants[r->grant - 1]);
}

static bool release(struct sim *s, size_t request) {
    struct sim_request *r = &s->requests[request];
    if (is_live(s, r)) {
        sim_grant_release(s, r->grant - 1, s->grants[r->grant - 1].state != SIM_RESERVED);
        sim_log_event(s, "given back", request, NULL);
        return true;
    }
    if (r->state != SIM_WAITING && r->state != SIM_HELD && r->state != SIM_IN_CALL && r->state != SIM_RESERVE)
        return false;
    sim_request_state(s, request, SIM_WITHDRAWN);
    sim_log_event(s, "withdrawn", request, NULL);
    return true;
}

static bool renew(struct sim *s, size_t request) {
    const struct sim_request *r = &s->requests[request];
    return r->grant && sim_grant_is_active(&s->grants[r->grant - 1]) && sim_renew(s, r->grant - 1);
}

static void leave(struct sim *s, size_t tenant) {
    for (size_t i = 0; i < s->world->n_requests; i++)
        if (s->world->requests[i].claim.tenant == tenant) release(s, i);
    s->tenants[tenant].is_here = false;
    s->facts[tenant].suspended = true;
}

static void suspend(struct sim *s, size_t tenant, bool suspended) {
    s->facts[tenant].suspended = suspended;
    s->is_raised = true;
}

static bool appeal(struct sim *s, size_t request) {
    struct sim_request *r = &s->requests[request];
    if (!is_live(s, r)) return false;
    struct sim_grant *g = &s->grants[r->grant - 1];
    size_t before = g->n_open;
    for (size_t i = 0; i < g->n_notices; i++)
        if (g->notices[i].fact.cause == CAUSE_IDLE) g->notices[i].done = true;
    sim_notices_refresh(s, r->grant - 1);
    bool answered = g->n_open < before;
    if (answered) sim_log_event(s, "appeal", request, NULL);
    return answered;
}

/* ---- people ---- */

static bool approve(struct sim *s, const struct event *v, struct fresh *f) {
    struct sim_request *r = &s->requests[v->request];
    if (r->state != SIM_HELD) return false;
    r->approved = true;
    r->approver = v->attrs[0].value;
    sim_log_event(s, "approved", v->request, r->approver);
    if (s->world->requests[v->request].claim.call)
        sim_call_approved(s, v->request);
    else
        fresh_add(f, v->request);
    return true;
}

static bool refuse(struct sim *s, size_t request) {
    struct sim_request *r = &s->requests[request];
    if (r->state != SIM_HELD) return false;
    r->refused = true;
    sim_request_state(s, request, SIM_DENIED);
    sim_log_event(s, "refused", request, NULL);
    return true;
}

static bool agree(struct sim *s, size_t request) {
    struct sim_request *r = &s->requests[request];
    if (!r->grant || s->grants[r->grant - 1].state != SIM_RESERVED) return false;
    s->grants[r->grant - 1].state = SIM_LIVE;
    sim_log_event(s, "agreed", request, NULL);
    sim_swap_finish(s, request);
    return true;
}

/* A call's requests wait for its award; without one they never come to be planned. */
static bool submit(struct sim *s, size_t request, struct fresh *f) {
    if (!sim_swap_begin(s, request)) return false;
    if (!s->world->requests[request].claim.call) {
        fresh_add(f, request);
        return true;
    }
    sim_request_state(s, request, SIM_IN_CALL);
    sim_log_event(s, "in call", request, s->world->requests[request].claim.call);
    return true;
}

/* 0, or -1: the event cannot happen in this pool. */
static int event_apply(struct sim *s, const struct event *v, struct fresh *f, struct err *e) {
    bool done = true;
    switch (v->kind) {
    case EVENT_POLICY: return policy_apply(s, v, e);
    case EVENT_CAPACITY:
    case EVENT_LOSS: return capacity_apply(s, v, e);
    case EVENT_ATTRIBUTES: sim_attrs_set(s, v->tenant, v->attrs, v->n_attrs, false); break;
    case EVENT_SUSPEND: suspend(s, v->tenant, true); break;
    case EVENT_RESUME: suspend(s, v->tenant, false); break;
    case EVENT_RELEASE: done = release(s, v->request); break;
    case EVENT_LEAVE: leave(s, v->tenant); break;
    case EVENT_CALL: done = sim_call_share(s, v); break;
    case EVENT_DECLINE: done = sim_call_decline(s, v->request); break;
    case EVENT_RENEW: done = renew(s, v->request); break;
    case EVENT_REFUSE: done = refuse(s, v->request); break;
    case EVENT_APPROVE: done = approve(s, v, f); break;
    case EVENT_APPEAL: done = appeal(s, v->request); break;
    case EVENT_AGREE: done = agree(s, v->request); break;
    case EVENT_ACCEPT: done = sim_offer_accept(s, v->request); break;
    case EVENT_REQUEST: done = submit(s, v->request, f); break;
    case EVENT_AWARD: done = sim_call_award(s, v); break;
    case EVENT_KINDS: break;
    }
    if (!done) without_effect(s, v);
    return 0;
}

/* ---- the clock ---- */

static instant_t midnight(instant_t t) { return instant(day_number(t) * CLOCK_DAY - CLOCK_CIVIL_OFFSET); }

/* All events of one second, then one plan. */
static int second(struct sim *s, size_t first, size_t end, struct err *e) {
    struct fresh f = {0};
    int rc = 0;
    int64_t held = 0;
    s->now = s->world->events[first].at;
    for (size_t i = first; i < end && rc == 0; i++) {
        for (size_t t = 0; s->world->events[i].kind == EVENT_POLICY && t < s->n_tenants; t++)
            held += s->facts[t].held_compute.n;
        rc = event_apply(s, &s->world->events[i], &f, e);
        for (size_t t = 0; s->world->events[i].kind == EVENT_POLICY && t < s->n_tenants; t++)
            held -= s->facts[t].held_compute.n;
    }
    if (rc == 0 && held != 0) rc = err_set(e, ERR_BOOKS, "I16: loading a policy changed what is held");
    if (rc == 0) rc = sim_plan_fresh(s, f.of, f.n, e);
    if (rc == 0) rc = sim_calls_fill(s, false, e);
    if (rc == 0) rc = sim_verify(s, false, e);
    free(f.of);
    return rc;
}

static int run(struct sim *s, struct err *e) {
    const struct world *w = s->world;
    size_t next = 0;
    s->begin = midnight(w->n_events ? w->events[0].at : s->options.until);
    for (instant_t night = s->begin; night.s <= s->options.until.s; night.s += CLOCK_DAY) {
        if (sim_night(s, night, e) < 0) return -1;
        if (s->options.step) s->options.step(s->options.step_arg, s->n_days);
        while (next < w->n_events && w->events[next].at.s < night.s + CLOCK_DAY &&
               w->events[next].at.s <= s->options.until.s) {
            size_t end = next + 1;
            while (end < w->n_events && w->events[end].at.s == w->events[next].at.s) end++;
            if (second(s, next, end, e) < 0) return -1;
            next = end;
        }
    }
    return 0;
}

int sim_run(struct sim *s, const struct sim_options *options, struct err *e) {
    *s = (struct sim){.options = *options, .world = options->world, .policy = options->policy};
    if (s->options.granule.n < 1) s->options.granule = bytes(1);
    if (sim_state_begin(s, e) < 0) return -1;
    sim_rules_begin(s);
    return run(s, e);
}

void sim_end(struct sim *s) {
    if (s->world) sim_state_end(s);
    text_free(&s->log);
    free(s->days);
    free(s->taken);
    free(s->rules);
    free(s->inversions);
    free(s->broken);
    free(s->plan_tenants);
    free(s->plan_claims);
    free(s->plan_ends);
    free(s->plan_place);
    free(s->plan_requests);
    keep_end(&s->memory);
    *s = (struct sim){0};
}
