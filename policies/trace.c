/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way of one claim through the policy, as JSON (allot-policy(5), TRACE). */
#include "policies/trace.h"

#include "alloc/facts.h"
#include "alloc/json.h"
#include "policies/because.h"
#include "policies/planning.h"

#include <stdlib.h>
#include <string.h>

struct trace {
    struct planning *p;
    const struct work *work;
    const struct decision *decision;
    json_t *rules;
};

static void put_number(json_t *o, const char *key, int64_t n) {
    json_object_set_new(o, key, json_integer(n));
}
static void put_text(json_t *o, const char *key, const char *s) {
    if (s) json_object_set_new(o, key, json_string(s));
}

/* ---- rules ---- */

/* A rule that mattered: its place, its effect, and the tests that decided its condition. */
static json_t *rule_add(struct trace *t, const struct word *id, const char *kind, const char *effect,
                        const struct expr *when) {
    json_t *o = json_object(), *tests = json_array();
    struct text at = {0};
    text_add(&at, "%s:%d", t->p->policy->file, id->place.line);
    put_text(o, "rule", id->s);
    put_text(o, "at", at.s);
    put_text(o, "kind", kind);
    put_text(o, "effect", effect);
    because(t->p->eval, when, tests);
    if (json_array_size(tests))
        json_object_set_new(o, "because", tests);
    else
        json_decref(tests);
    json_array_append_new(t->rules, o);
    text_free(&at);
    return o;
}

static bool is_aside(const struct trace *t, const struct word *id) {
    return text_list_has(t->work->claim->override_rule, id->s);
}

static void eligible_rule(struct trace *t) {
    static const char *const effects[] = {"pass", "deny", "review"};
    for (size_t i = 0; i < t->p->policy->n_rules; i++) {
        const struct rule *r = &t->p->policy->rules[i];
        if (is_aside(t, &r->id)) continue;
        enum truth truth = eval_expr(t->p->eval, r->when);
        if (truth == TRUTH_FALSE) continue;
        rule_add(t, &r->id, "eligible", truth == TRUTH_UNKNOWN ? "hold" : effects[r->effect], r->when);
        return;
    }
}

static void tier_rule(struct trace *t) {
    const struct policy *y = t->p->policy;
    for (size_t i = 0; i < y->n_tier_rules; i++) {
        const struct tier_rule *r = &y->tier_rules[i];
        enum truth truth = eval_expr(t->p->eval, r->when);
        if (truth == TRUTH_FALSE) continue;
        json_t *o =
            rule_add(t, &r->id, "tier", truth == TRUTH_UNKNOWN ? "hold" : y->tiers[r->tier].name.s, r->when);
        if (truth == TRUTH_UNKNOWN) return;
        put_number(o, "weight", y->tiers[r->tier].weight);
        put_number(o, "guarantee_gflops", y->tiers[r->tier].guarantee.n);
        put_number(o, "effective_gflops", t->work->seat->guarantee);
        return;
    }
}

/* held: by others of the same party too, with what this plan gave them, without what it gave this claim. */
static void ceiling_rule(struct trace *t, const struct ceiling *c) {
    const struct work *w = t->work;
    enum truth truth = eval_expr(t->p->eval, c->when);
    if (truth == TRUTH_FALSE || is_aside(t, &c->id)) return;
    const struct party *party = c->per_organisation ? w->organisation : w->seat;
    int64_t given = w->placed ? w->bytes : 0;
    json_t *o = rule_add(t, &c->id, "ceiling", truth == TRUTH_UNKNOWN ? "hold" : "limits", c->when);
    put_text(o, "of", c->per_organisation ? "organisation" : "tenant");
    if (c->has_compute) {
        put_number(o, "limit_gflops", c->compute.n);
        put_number(o, "held_gflops", party->compute + party->given_compute - w->given_compute);
    }
    if (c->has_storage) {
        put_number(o, "limit_bytes", c->storage.n);
        put_number(o, "held_bytes", party->storage + party->given_storage - given);
    }
}

static void approve_rules(struct trace *t) {
    for (size_t i = 0; i < t->p->policy->n_approves; i++) {
        const struct approve *a = &t->p->policy->approves[i];
        enum truth truth = eval_expr(t->p->eval, a->when);
        if (truth == TRUTH_FALSE || is_aside(t, &a->id)) continue;
        json_t *o = rule_add(t, &a->id, "approve", t->work->claim->approved ? "approved" : "hold", a->when);
        put_text(o, "by", a->by.s);
    }
}

static void lease_rule(struct trace *t) {
    for (size_t i = 0; i < t->p->policy->n_leases; i++) {
        const struct lease *l = &t->p->policy->leases[i];
        enum truth truth = eval_expr(t->p->eval, l->when);
        if (truth == TRUTH_FALSE) continue;
        json_t *o = rule_add(t, &l->id, "lease", truth == TRUTH_UNKNOWN ? "hold" : "limits", l->when);
        if (!l->has_until) put_number(o, "term_seconds", l->term.s);
        if (l->has_until) put_text(o, "until", instant_text(l->until).s);
        return;
    }
}

/* What must stay free for others, at the end of the plan. */
static void sharing_rules(struct trace *t) {
    const struct policy *y = t->p->policy;
    const struct work *w = t->work;
    for (size_t i = 0; i < y->n_reserves; i++) {
        const struct reserve_rule *r = &y->reserves[i];
        if (w->tier >= 0 && w->tier <= r->tier) continue;
        int64_t of = r->storage ? t->p->facts->pool.storage_capacity.n : t->p->capacity;
        json_t *o = rule_add(t, &r->id, "reserve", y->tiers[r->tier].name.s, NULL);
        put_number(o, r->storage ? "free_bytes" : "free_gflops",
                   r->storage ? lend_free_storage(t->p) : lend_free_compute(t->p));
        put_number(o, r->storage ? "reserved_bytes" : "reserved_gflops",
                   (int64_t)((wide_t)of * r->percent / 100));
    }
    if (y->borrow.id.s) {
        json_t *o = rule_add(t, &y->borrow.id, "borrow", "limits", NULL);
        put_number(o, "lend_max_percent", y->borrow.lend_most);
        put_number(o, "free_gflops", lend_free_compute(t->p));
        put_number(o, "unused_gflops", t->p->unused);
        put_number(o, "must_stay_gflops", lend_shortage(t->p, w, INT64_MAX, 0).lend);
    }
}

static json_t *key_json(const struct trace *t) {
    static const char *const words[] = {"share", "credits", "wait", "id"};
    const struct queue_rule *q = t->p->queue;
    const struct plan_standing *s = &t->decision->standing;
    json_t *o = json_object(), *order = json_array();
    struct text share = {0};
    for (size_t i = 0; i < q->n_order; i++) json_array_append_new(order, json_string(words[q->order[i]]));
    text_add(&share, "%lld/%lld/%lld", (long long)s->held_gflops, (long long)s->capacity_gflops,
             (long long)s->weight);
    json_object_set_new(o, "order", order);
    if (t->work->claim->ranked) put_number(o, "award_rank", t->work->claim->rank);
    json_object_set_new(o, "below_guarantee",
                        json_boolean(s->held_gflops < s->guarantee.n && !q->weigh_surplus));
    put_number(o, "tier_rank", s->rank);
    json_object_set_new(o, "lifted", json_boolean(s->lifted));
    put_text(o, "share", share.s);
    put_number(o, "credits", s->credits);
    put_text(o, "submitted", instant_text(t->work->claim->submitted).s);
    text_free(&share);
    return o;
}

static void queue_rule(struct trace *t) {
    const struct queue_rule *q = t->p->queue;
    if (!q) return;
    json_t *o = rule_add(t, &q->id, "queue", outcome_word(t->decision->outcome), NULL);
    json_object_set_new(o, "key", key_json(t));
}

static json_t *rules_json(struct trace *t) {
    t->rules = json_array();
    if (!t->p->policy) return t->rules;
    eval_begin(t->p->eval, t->p->policy, t->p->facts, t->work->claim);
    eligible_rule(t);
    tier_rule(t);
    eval_tier(t->p->eval, t->work->tier);
    for (size_t i = 0; i < t->p->policy->n_ceilings; i++) ceiling_rule(t, &t->p->policy->ceilings[i]);
    approve_rules(t);
    lease_rule(t);
    sharing_rules(t);
    queue_rule(t);
    return t->rules;
}

/* ---- the rest ---- */

static json_t *asked_json(const struct fact_claim *c) {
    json_t *o = json_object();
    put_text(o, "flavor", c->flavor ? c->flavor : "any");
    if (c->ask == ASK_UNITS) put_number(o, "units", c->units.n);
    if (c->ask == ASK_COMPUTE) put_number(o, "compute_gflops", c->compute.n);
    if (c->has_minimum && c->ask == ASK_UNITS) put_number(o, "minimum_units", c->minimum_units.n);
    if (c->has_minimum && c->ask == ASK_COMPUTE) put_number(o, "minimum_gflops", c->minimum_compute.n);
    put_number(o, "storage_bytes", c->storage.n);
    if (c->datalake.n > 0) put_number(o, "datalake_bytes", c->datalake.n);
    return o;
}

/* free: before the plan; left: after everybody was served. */
static json_t *units_json(const struct planning *p) {
    json_t *all = json_object();
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct fact_flavor *f = p->lanes[i].flavor;
        json_t *o = json_object();
        put_number(o, "have", f->capacity.n);
        put_number(o, "free", f->free.n);
        put_number(o, "left", p->lanes[i].free);
        json_object_set_new(all, f->name, o);
    }
    return all;
}

static json_t *decisive_json(const struct decision *d) {
    json_t *list = json_array();
    for (size_t i = 0; i < d->n_reasons; i++) {
        const struct reason *r = &d->reasons[i];
        if (!r->decisive) continue;
        json_t *o = json_object();
        put_text(o, "code", reason_code_word(r->code));
        put_text(o, "rule", r->rule);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *trace_json(struct trace *t) {
    const struct policy *y = t->p->policy;
    const struct facts *facts = t->p->facts;
    json_t *o = json_object(), *policy = json_object();
    scoped_json json_t *decision = decision_encode(t->decision);
    static const char *const parts[] = {"outcome",        "lines",          "compute_gflops", "storage_bytes",
                                        "datalake_bytes", "seats",          "position",       "ahead_gflops",
                                        "lease",          "offer",          "earliest",       "standing",
                                        "is_barrier",     "needs_agreement"};
    json_object_set_new(o, "v", json_integer(TRACE_VERSION));
    put_text(o, "claim", t->work->claim->id);
    put_text(o, "tenant", t->work->tenant->name);
    put_text(o, "at", instant_text(facts->now).s);
    if (y) {
        put_text(policy, "name", y->name);
        put_number(policy, "version", y->version);
    }
    json_object_set_new(o, "policy", policy);
    json_object_set_new(o, "asked", asked_json(t->work->claim));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        json_t *part = json_object_get(decision, parts[i]);
        if (part) json_object_set(o, parts[i], part);
    }
    json_object_set_new(o, "rules", rules_json(t));
    json_object_set_new(o, "units", units_json(t->p));
    json_object_set_new(o, "decisive", decisive_json(t->decision));
    json_object_set_new(o, "would_grant_if", would_grant_if(t->p, t->work, t->decision));
    return o;
}

char *plan_trace(const struct policy *policy, const struct facts *facts, const char *claim, struct err *e) {
    struct eval eval = {0};
    struct planning p = {.policy = policy, .facts = facts, .eval = &eval};
    struct plan plan = {0};
    char *text = NULL;
    if (planning_run(&p, e) == 0) {
        planning_tell(&p, &plan);
        for (size_t i = 0; i < p.n && !text; i++) {
            struct trace t = {.p = &p, .work = &p.works[i], .decision = &plan.decisions[p.works[i].input]};
            if (strcmp(t.work->claim->id, claim) != 0) continue;
            scoped_json json_t *o = trace_json(&t);
            text = json_canonical(o);
        }
        if (!text) err_set(e, ERR_NOT_FOUND, "the facts do not name the request '%s'", claim);
    }
    plan_free(&plan);
    planning_end(&p);
    return text;
}
