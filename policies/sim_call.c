/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: planned in the order of their award within their own share, then their reserve lists. As
   alloc/call_award.h has it. */
#include "policies/sim_parts.h"

#include "alloc/facts.h"
#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

static struct sim_call *call_named(struct sim *s, const char *name) {
    size_t i = 0;
    while (i < s->n_calls && strcmp(s->calls[i].name, name) != 0) i++;
    if (i < s->n_calls) return &s->calls[i];
    s->calls = mem_grow(s->calls, &s->calls_room, s->n_calls + 1, sizeof *s->calls);
    s->calls[s->n_calls] = (struct sim_call){.name = name};
    return &s->calls[s->n_calls++];
}

bool sim_call_share(struct sim *s, const struct event *v) {
    struct sim_call *c = call_named(s, v->name);
    if (c->award) return false;
    c->share = v->share;
    return true;
}

bool sim_call_award(struct sim *s, const struct event *v) {
    struct sim_call *c = call_named(s, v->name);
    if (c->award) return false;
    c->award = v;
    c->is_due = true;
    for (size_t i = 0; i < v->n_order; i++) {
        struct sim_request *r = &s->requests[v->order[i]];
        r->ranked = true;
        r->rank = (int64_t)i + 1;
    }
    return true;
}

void sim_call_approved(struct sim *s, size_t request) {
    call_named(s, s->world->requests[request].claim.call)->is_due = true;
}

/* ---- one request in its turn ---- */

static void flavors_own(struct facts *f, struct fact_flavor *own) {
    memcpy(own, f->pool.flavors, f->pool.n_flavors * sizeof *own);
    f->pool.flavors = own;
}

/* Its share less what the others were given. */
static struct call_share share_left(const struct sim_call *c) {
    struct call_share left = c->share;
    left.compute = gflops(larger(0, c->share.compute.n - c->given_compute));
    left.storage = bytes(larger(0, c->share.storage.n - c->given_bytes));
    return left;
}

static int plan_once(struct sim *s, const struct facts *f, struct plan *plan, struct err *e) {
    s->plans++;
    int rc = (s->options.sentences ? policy_decider.plan : policy_decider.plan_bare)(s->policy, f, plan, e);
    if (rc == 0) rc = sim_plan_check(s, f, plan, e);
    if (rc < 0) s->broken = facts_encode(f);
    return rc;
}

/* Nobody waits beside it: the queue comes after the calls. */
static int plan_alone(struct sim *s, const struct sim_call *c, size_t request, struct plan *plan,
                      struct err *e) {
    struct facts f;
    struct fact_flavor own[FLAVORS_MOST];
    struct call_share share = share_left(c);
    sim_facts(s, &request, 1, &f);
    f.pool.waiting = 0;
    f.pool.waiting_compute = gflops(0);
    flavors_own(&f, own);
    call_share_limit(&f, &share);
    if (plan_once(s, &f, plan, e) < 0) return -1;
    if (!call_share_passed(&f, &share, &plan->decisions[0])) return 0;
    plan_free(plan);
    return plan_once(s, &f, plan, e);
}

/* The end of the civil day of t. */
static instant_t day_end(instant_t t) {
    return instant((day_number(instant(t.s - 1)) + 1) * CLOCK_DAY - CLOCK_CIVIL_OFFSET);
}

/* Who moves up later has as long as the first had, and the rest of that day. */
static struct maybe_instant sign_by(const struct event *award, instant_t now) {
    if (!award->sign_by.has || now.s <= award->at.s) return award->sign_by;
    return (struct maybe_instant){true, day_end(instant(now.s + (award->sign_by.at.s - award->at.s)))};
}

static void given_note(struct sim *s, struct sim_call *c, size_t request, bool moved_up) {
    struct sim_request *r = &s->requests[request];
    const struct sim_grant *g = &s->grants[r->grant - 1];
    r->given_bytes = g->storage + g->datalake;
    c->given_compute += g->compute;
    c->given_bytes += r->given_bytes;
    c->moved_up += moved_up;
    if (g->state == SIM_RESERVED) r->sign_by = sign_by(c->award, s->now);
}

static int consider(struct sim *s, size_t call, size_t request, struct err *e) {
    struct plan plan = {0};
    struct decision told;
    bool moves_up = s->requests[request].state == SIM_RESERVE;
    struct fact_claim claim = sim_claim(s, request);
    int rc = plan_alone(s, &s->calls[call], request, &plan, e);
    if (rc == 0 && call_turn(&claim, &plan.decisions[0], &told)) {
        sim_decide(s, request, &told);
        call_turn_free(&plan.decisions[0], &told);
    } else if (rc == 0) {
        sim_decide(s, request, &plan.decisions[0]);
    }
    if (rc == 0 && s->requests[request].state == SIM_GRANTED)
        given_note(s, &s->calls[call], request, moves_up);
    plan_free(&plan);
    return rc < 0 ? err_context(e, "at %s", instant_text(s->now).s) : 0;
}

/* ---- whose turn it is ---- */

static bool is_in_turn(const struct sim_request *r, bool all) {
    if (r->state == SIM_HELD)
        return r->approved || (all && (r->code == REASON_EVAL_ERROR || r->code == REASON_NO_POLICY));
    return r->state == SIM_IN_CALL || (all && r->state == SIM_RESERVE);
}

int sim_calls_fill(struct sim *s, bool all, struct err *e) {
    for (size_t c = 0; c < s->n_calls; c++) {
        const struct event *award = s->calls[c].award;
        bool due = s->calls[c].is_due;
        s->calls[c].is_due = false;
        for (size_t i = 0; award && (all || due) && i < award->n_order; i++)
            if (is_in_turn(&s->requests[award->order[i]], all || due) &&
                consider(s, c, award->order[i], e) < 0)
                return -1;
    }
    return 0;
}

/* ---- giving up ---- */

/* What it was given in its call is there for the next. */
static void give_back(struct sim *s, size_t request) {
    const struct sim_request *r = &s->requests[request];
    struct sim_call *c = call_named(s, s->world->requests[request].claim.call);
    c->given_compute -= r->compute.n;
    c->given_bytes -= r->given_bytes;
}

bool sim_call_decline(struct sim *s, size_t request) {
    struct sim_request *r = &s->requests[request];
    struct sim_grant *g = r->grant ? &s->grants[r->grant - 1] : NULL;
    if (!s->world->requests[request].claim.call || (r->state != SIM_RESERVE && !(g && sim_grant_is_live(g))))
        return false;
    if (g) give_back(s, request);
    if (g) sim_grant_release(s, r->grant - 1, g->state != SIM_RESERVED);
    call_named(s, s->world->requests[request].claim.call)->declined++;
    sim_request_state(s, request, SIM_WITHDRAWN);
    sim_log_event(s, "declined", request, NULL);
    return true;
}

static void drop_unsigned(struct sim *s, struct sim_call *c, size_t request) {
    struct sim_request *r = &s->requests[request];
    give_back(s, request);
    sim_grant_release(s, r->grant - 1, false);
    sim_request_state(s, request, SIM_DENIED);
    free(r->decisive);
    r->decisive = mem_copy("NOT_SIGNED");
    r->granted = (struct maybe_instant){0};
    r->compute = gflops(0);
    c->not_signed++;
    sim_log_event(s, "not signed", request, NULL);
}

void sim_calls_unsigned(struct sim *s) {
    for (size_t c = 0; c < s->n_calls; c++) {
        const struct event *award = s->calls[c].award;
        for (size_t i = 0; award && i < award->n_order; i++) {
            const struct sim_request *r = &s->requests[award->order[i]];
            if (r->sign_by.has && r->sign_by.at.s <= s->now.s && r->state == SIM_GRANTED &&
                s->grants[r->grant - 1].state == SIM_RESERVED)
                drop_unsigned(s, &s->calls[c], award->order[i]);
        }
    }
}
