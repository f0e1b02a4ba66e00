/* SPDX-License-Identifier: Apache-2.0 */
/* The tier of a tenant: the first rule of the tier set that matches. */
#include "policies/plan.h"
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* The first that matches or cannot be evaluated; NULL: the policy has no tiers. */
static const struct tier_rule *tier_match(const struct policy *policy, struct eval *e, bool *known) {
    *known = true;
    for (size_t i = 0; i < policy->n_tier_rules; i++) {
        enum truth t = eval_expr(e, policy->tier_rules[i].when);
        if (t == TRUTH_FALSE) continue;
        *known = t == TRUTH_TRUE;
        return &policy->tier_rules[i];
    }
    return NULL;
}

static void tier_set(struct planning *p, struct work *w, int tier) {
    const struct queue_rule *q = p->sharing;
    w->tier = tier;
    int counts_as = w->tier;
    if (q && q->has_lift && tier > 0 && p->facts->now.s - w->claim->submitted.s >= q->lift.s) {
        w->lifted = true;
        counts_as = tier - 1;
    }
    w->rank = counts_as;
    w->weight = p->policy->tiers[counts_as].weight;
}

void judge_tier(struct planning *p, struct work *w) {
    bool known;
    const struct tier_rule *rule = tier_match(p->policy, p->eval, &known);
    if (!rule) return;
    if (p->as_tier_of && strcmp(p->as_tier_of, w->tenant->name) == 0) {
        tier_set(p, w, p->as_tier);
    } else if (known) {
        w->tier_rule = (int)(rule - p->policy->tier_rules);
        tier_set(p, w, rule->tier);
    } else {
        w->rank = (int64_t)p->policy->n_tiers; /* behind everybody whose tier is known */
        hold_unknown(p, w, &rule->id);
    }
    eval_tier(p->eval, w->tier);
}

/* What depends on a request is taken as allowed; a rule that cannot be evaluated holds, and so denies
 * nothing. */
bool tenant_is_eligible(const struct policy *policy, struct eval *e) {
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct rule *rule = &policy->rules[i];
        enum truth t = eval_expr(e, rule->when);
        if (t == TRUTH_FALSE) continue;
        if (rule->effect == EFFECT_DENY && t == TRUTH_TRUE) return false;
        if (rule->effect == EFFECT_DENY && eval_lacks_request(e)) continue;
        return true;
    }
    return true;
}

int plan_assess(const struct policy *policy, const struct facts *facts, struct standing *out, struct err *e) {
    struct eval eval = {0};
    (void)e;
    for (size_t i = 0; i < facts->n_tenants; i++) {
        const struct fact_tenant *t = &facts->tenants[i];
        bool known;
        out[i] = (struct standing){.weight = 1};
        if (!policy) continue;
        eval_tenant(&eval, policy, facts, t);
        out[i].eligible = tenant_is_eligible(policy, &eval);
        const struct tier_rule *rule = tier_match(policy, &eval, &known);
        if (!rule || !known) {
            out[i].rank = rule ? (int64_t)policy->n_tiers : 0;
            continue;
        }
        const struct tier *tier = &policy->tiers[rule->tier];
        out[i].tier = mem_copy(tier->name.s);
        out[i].rule = mem_copy(rule->id.s);
        out[i].rank = rule->tier;
        out[i].weight = tier->weight;
        if (out[i].eligible && !t->suspended) out[i].guarantee = tier->guarantee;
    }
    return 0;
}
