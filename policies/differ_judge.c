/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/differ_judge.h"

#include "policies/form.h"
#include "policies/reason.h"

#include <string.h>

/* ---- which aspects ---- */

static const char *say(bool korean, const char *en, const char *ko) { return korean ? ko : en; }

static void aspect_text_ko(const struct aspect *a, struct text *out) {
    static const char *const kinds[] = {"자격", "등급", "한도", "승인", "사용 기간", "예산", "미사용"};
    static const char *const of[] = {"연산", "저장 공간", "장치", "사용자 수"};
    static const char *const periods[] = {"매월", "매 분기", "매년"};
    if (a->kind != ASPECT_CEILING && a->kind != ASPECT_BUDGET) {
        text_add(out, "%s", kinds[a->kind]);
        return;
    }
    text_add(out, "%s %s%s%s %s", a->per_organisation ? "기관별" : "테넌트별", a->name ? a->name : "",
             a->name ? " " : "", of[a->of], kinds[a->kind]);
    if (a->kind == ASPECT_BUDGET) text_add(out, " (%s)", periods[a->period]);
}

static void aspect_text_en(const struct aspect *a, struct text *out) {
    static const char *const kinds[] = {"eligible", "tier",   "ceiling", "approval",
                                        "lease",    "budget", "idle"}; /* as in enum aspect_kind */
    static const char *const of[] = {"compute", "storage", "units of ", "seats of "};
    static const char *const periods[] = {"month", "quarter", "year"};
    text_add(out, "%s", kinds[a->kind]);
    if (a->kind != ASPECT_CEILING && a->kind != ASPECT_BUDGET) return;
    text_add(out, " of %s%s per %s", of[a->of], a->name ? a->name : "",
             a->per_organisation ? "organisation" : "tenant");
    if (a->kind == ASPECT_BUDGET) text_add(out, " each %s", periods[a->period]);
}

void aspect_text(const struct aspect *a, struct text *out) {
    (a->korean ? aspect_text_ko : aspect_text_en)(a, out);
}

static bool is_same(const struct aspect *a, const struct aspect *b) {
    return a->kind == b->kind && a->per_organisation == b->per_organisation && a->of == b->of &&
           a->period == b->period && (a->name ? b->name && strcmp(a->name, b->name) == 0 : !b->name);
}

struct aspect_list {
    struct aspect *of;
    size_t n, most;
};

static void add(struct aspect_list *l, struct aspect a) {
    for (size_t i = 0; i < l->n; i++)
        if (is_same(&l->of[i], &a)) return;
    if (l->n < l->most) l->of[l->n++] = a;
}

static void add_ceilings(struct aspect_list *l, const struct policy *y) {
    for (size_t i = 0; i < y->n_ceilings; i++) {
        const struct ceiling *c = &y->ceilings[i];
        struct aspect a = {.kind = ASPECT_CEILING, .per_organisation = c->per_organisation};
        if (c->has_compute) add(l, a);
        a.of = LIMIT_STORAGE;
        if (c->has_storage) add(l, a);
        for (size_t k = 0; k < c->n_items; k++) {
            a.of = c->items[k].seats ? LIMIT_SEATS : LIMIT_UNITS;
            a.name = c->items[k].name.s;
            add(l, a);
        }
    }
}

size_t aspects_of(const struct policy *const policy[2], struct aspect *list, size_t most) {
    struct aspect_list l = {list, 0, most};
    add(&l, (struct aspect){.kind = ASPECT_ELIGIBLE});
    if (policy[0]->n_tiers + policy[1]->n_tiers > 0) add(&l, (struct aspect){.kind = ASPECT_TIER});
    for (int p = 0; p < 2; p++) add_ceilings(&l, policy[p]);
    if (policy[0]->n_approves + policy[1]->n_approves > 0) add(&l, (struct aspect){.kind = ASPECT_APPROVAL});
    add(&l, (struct aspect){.kind = ASPECT_LEASE});
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < policy[p]->n_budgets; i++) {
            const struct budget *b = &policy[p]->budgets[i];
            add(&l, (struct aspect){.kind = ASPECT_BUDGET,
                                    .per_organisation = b->per_organisation,
                                    .of = b->storage ? LIMIT_STORAGE : LIMIT_COMPUTE,
                                    .period = b->period});
        }
    if (policy[0]->n_idles + policy[1]->n_idles > 0) add(&l, (struct aspect){.kind = ASPECT_IDLE});
    return l.n;
}

/* ---- what of a policy belongs to an aspect ---- */

static const struct item_limit *item_of(const struct aspect *a, const struct ceiling *c) {
    for (size_t i = 0; i < c->n_items; i++)
        if (c->items[i].seats == (a->of == LIMIT_SEATS) && strcmp(c->items[i].name.s, a->name) == 0)
            return &c->items[i];
    return NULL;
}

static bool ceiling_limits(const struct aspect *a, const struct ceiling *c) {
    if (c->per_organisation != a->per_organisation) return false;
    if (a->of == LIMIT_COMPUTE) return c->has_compute;
    if (a->of == LIMIT_STORAGE) return c->has_storage;
    return item_of(a, c) != NULL;
}

static bool budget_limits(const struct aspect *a, const struct budget *b) {
    return b->per_organisation == a->per_organisation && b->storage == (a->of == LIMIT_STORAGE) &&
           b->period == a->period;
}

static bool uses_tier(const struct expr *x) {
    if (!x) return false;
    if (x->op == OP_AND || x->op == OP_OR || x->op == OP_NOT)
        return uses_tier(x->left) || uses_tier(x->right);
    return x->variable == VAR_TIER;
}

/* A condition of the aspect; what the tier is found from belongs to it where it asks for the tier. */
static void condition(struct aspect *a, const struct policy *y, int which, struct space *s,
                      const struct expr *when) {
    space_add(s, which, when);
    if (!a->tierless[which] || !uses_tier(when)) return;
    a->tierless[which] = false;
    for (size_t i = 0; i < y->n_tier_rules; i++) space_add(s, which, y->tier_rules[i].when);
}

void aspect_conditions(struct aspect *a, const struct policy *y, int which, struct space *s) {
    a->tierless[which] = true;
    switch (a->kind) {
    case ASPECT_ELIGIBLE: break;
    case ASPECT_TIER:
        for (size_t i = 0; i < y->n_tier_rules; i++) space_add(s, which, y->tier_rules[i].when);
        break;
    case ASPECT_CEILING:
        for (size_t i = 0; i < y->n_ceilings; i++)
            if (ceiling_limits(a, &y->ceilings[i])) condition(a, y, which, s, y->ceilings[i].when);
        break;
    case ASPECT_APPROVAL:
        for (size_t i = 0; i < y->n_approves; i++) condition(a, y, which, s, y->approves[i].when);
        break;
    case ASPECT_LEASE:
        for (size_t i = 0; i < y->n_leases; i++) condition(a, y, which, s, y->leases[i].when);
        break;
    case ASPECT_BUDGET:
        for (size_t i = 0; i < y->n_budgets; i++)
            if (budget_limits(a, &y->budgets[i])) condition(a, y, which, s, y->budgets[i].when);
        break;
    case ASPECT_IDLE:
        for (size_t i = 0; i < y->n_idles; i++) condition(a, y, which, s, y->idles[i].when);
        break;
    }
}

/* ---- judging ---- */

static void by_rule(const struct policy *y, const struct word *id, struct said *out) {
    text_add(&out->rules, "%s%s %s:%d", out->rules.length ? "; " : "", id->s, y->file, id->place.line);
}

static void unknown(const struct eval *e, const struct word *id, struct said *out) {
    text_free(&out->outcome);
    text_add(&out->outcome, say(out->korean, "held: '%s' is not known", "보류: '%s' 정보 없음"),
             e->policy->variables[e->missing].name.s);
    by_rule(e->policy, id, out);
}

/* The rule of set tier that decides, with its tier in the slot; NULL: none, or it is unknown. */
static const struct tier_rule *tier_find(struct eval *e, bool *is_unknown) {
    const struct policy *y = e->policy;
    *is_unknown = false;
    for (size_t i = 0; i < y->n_tier_rules; i++) {
        enum truth t = eval_expr(e, y->tier_rules[i].when);
        if (t == TRUTH_FALSE) continue;
        *is_unknown = t == TRUTH_UNKNOWN;
        if (t == TRUTH_TRUE) e->slots[VAR_TIER] = (struct slot){SLOT_SET, y->tier_rules[i].tier, 0, NULL};
        return &y->tier_rules[i];
    }
    return NULL;
}

static const struct rule *rule_find(struct eval *e, enum truth *t) {
    for (size_t i = 0; i < e->policy->n_rules; i++) {
        *t = eval_expr(e, e->policy->rules[i].when);
        if (*t != TRUTH_FALSE) return &e->policy->rules[i];
    }
    return NULL;
}

bool profile_denied(struct eval *e) {
    enum truth t;
    const struct rule *r = rule_find(e, &t);
    return r && t == TRUTH_TRUE && r->effect == EFFECT_DENY;
}

static void judge_eligible(struct eval *e, struct said *out) {
    static const char *const words[][2] = {
        {"passes", "통과"}, {"denied", "거절"}, {"held for a person to review", "담당자 검토를 위해 보류"}};
    enum truth t;
    const struct rule *r = rule_find(e, &t);
    if (!r) return;
    if (t == TRUTH_UNKNOWN) {
        unknown(e, &r->id, out);
        return;
    }
    text_add(&out->outcome, "%s", words[r->effect][out->korean]);
    by_rule(e->policy, &r->id, out);
}

static void judge_tier(struct eval *e, struct said *out) {
    bool is_unknown;
    const struct tier_rule *r = tier_find(e, &is_unknown);
    if (!r) {
        text_add(&out->outcome, "%s", say(out->korean, "no tier", "등급 없음"));
    } else if (is_unknown) {
        unknown(e, &r->id, out);
    } else {
        const struct tier *t = &e->policy->tiers[r->tier];
        text_add(&out->outcome, say(out->korean, "%s, weight %lld, guarantee %s", "%s, 가중치 %lld, 보장 %s"),
                 t->name.s, (long long)t->weight, gflops_text(t->guarantee).s);
        by_rule(e->policy, &r->id, out);
    }
}

static int64_t most_of(const struct aspect *a, const struct ceiling *c) {
    return a->of == LIMIT_COMPUTE   ? c->compute.n
           : a->of == LIMIT_STORAGE ? c->storage.n
                                    : item_of(a, c)->most;
}

static void limit_text(const struct aspect *a, int64_t n, struct text *out) {
    if (a->kind == ASPECT_BUDGET)
        form_put_volume(out, n, a->of == LIMIT_STORAGE);
    else if (a->of == LIMIT_COMPUTE)
        text_add(out, "%s", gflops_text(gflops(n)).s);
    else if (a->of == LIMIT_STORAGE)
        text_add(out, "%s", bytes_text(bytes(n)).s);
    else
        text_add(out, "%lld", (long long)n);
}

/* The least of several limits that hold together. */
struct least {
    const struct word *id; /* NULL: none */
    int64_t most;
};

/* False: it is not known whether this one holds, which was said. */
static bool limit_take(struct eval *e, const struct expr *when, const struct word *id, int64_t most,
                       struct least *least, struct said *out) {
    enum truth t = eval_expr(e, when);
    if (t == TRUTH_UNKNOWN) return unknown(e, id, out), false;
    if (t == TRUTH_TRUE && (!least->id || most < least->most)) *least = (struct least){id, most};
    return true;
}

static void limit_say(const struct aspect *a, const struct eval *e, const struct least *least,
                      struct said *out) {
    if (!least->id) {
        text_add(&out->outcome, "%s", say(out->korean, "none", "없음"));
        return;
    }
    limit_text(a, least->most, &out->outcome);
    by_rule(e->policy, least->id, out);
}

static void judge_ceiling(const struct aspect *a, struct eval *e, struct said *out) {
    struct least least = {0};
    for (size_t i = 0; i < e->policy->n_ceilings; i++) {
        const struct ceiling *c = &e->policy->ceilings[i];
        if (ceiling_limits(a, c) && !limit_take(e, c->when, &c->id, most_of(a, c), &least, out)) return;
    }
    limit_say(a, e, &least, out);
}

static void judge_budget(const struct aspect *a, struct eval *e, struct said *out) {
    struct least least = {0};
    for (size_t i = 0; i < e->policy->n_budgets; i++) {
        const struct budget *b = &e->policy->budgets[i];
        if (budget_limits(a, b) && !limit_take(e, b->when, &b->id, b->most, &least, out)) return;
    }
    limit_say(a, e, &least, out);
}

static void judge_approval(struct eval *e, struct said *out) {
    for (size_t i = 0; i < e->policy->n_approves; i++) {
        const struct approve *r = &e->policy->approves[i];
        enum truth t = eval_expr(e, r->when);
        if (t == TRUTH_UNKNOWN) {
            unknown(e, &r->id, out);
            return;
        }
        if (t != TRUTH_TRUE) continue;
        if (out->korean)
            text_add(&out->outcome, "%s%s 승인", out->outcome.length ? ", " : "", approver_ko(r->by.s));
        else
            text_add(&out->outcome, "%s%s", out->outcome.length ? " and " : "by ", r->by.s);
        by_rule(e->policy, &r->id, out);
    }
    if (!out->outcome.length) text_add(&out->outcome, "%s", say(out->korean, "needs none", "필요 없음"));
}

static struct instant_text span_said(const struct said *out, span_t t) {
    return out->korean ? span_text_ko(t) : span_text(t);
}

static void lease_text(const struct lease *l, struct said *out) {
    struct text *t = &out->outcome;
    if (l->has_until)
        text_add(t, say(out->korean, "until %s", "%s까지"), date_text(instant(l->until.s - 1)).s);
    else
        text_add(t, "%s", span_said(out, l->term).s);
    text_add(t,
             say(out->korean, ", renew %lld, notice %s, grace %s, data kept %s%s",
                 ", 연장 %lld회, 예고 %s, 유예 %s, 데이터 보관 %s%s"),
             (long long)l->renew, span_said(out, l->notice).s, span_said(out, l->grace).s,
             span_said(out, l->keep).s,
             l->agreement ? say(out->korean, ", after an agreement", ", 협약 후 제공") : "");
}

static void judge_lease(struct eval *e, struct said *out) {
    for (size_t i = 0; i < e->policy->n_leases; i++) {
        const struct lease *l = &e->policy->leases[i];
        enum truth t = eval_expr(e, l->when);
        if (t == TRUTH_FALSE) continue;
        if (t == TRUTH_UNKNOWN) {
            unknown(e, &l->id, out);
            return;
        }
        lease_text(l, out);
        by_rule(e->policy, &l->id, out);
        return;
    }
    text_add(&out->outcome, "%s", say(out->korean, "held: there is none", "보류: 정해진 바 없음"));
}

static void idle_text(const struct idle_rule *r, struct said *out) {
    struct text *t = &out->outcome;
    text_add(t,
             say(out->korean, "%s%s %s < %lld %% for %s: loses %lld %%, notice %s, appeal %s%s",
                 "%s%s %s < %lld %% (%s): %lld %% 회수, 예고 %s, 이의 %s%s"),
             t->length ? "; " : "",
             r->unused ? say(out->korean, "unused", "미사용") : say(out->korean, "idle", "유휴"), r->metric.s,
             (long long)r->below, span_said(out, r->window).s, (long long)r->lose,
             span_said(out, r->notice).s, span_said(out, r->appeal).s,
             r->keep_guarantee ? say(out->korean, ", keeps its guarantee", ", 보장량 유지") : "");
}

/* Missing data is never idleness: what is not known does not apply. */
static void judge_idle(struct eval *e, struct said *out) {
    for (size_t i = 0; i < e->policy->n_idles; i++) {
        const struct idle_rule *r = &e->policy->idles[i];
        if (eval_expr(e, r->when) != TRUTH_TRUE) continue;
        idle_text(r, out);
        by_rule(e->policy, &r->id, out);
    }
    if (!out->outcome.length) text_add(&out->outcome, "%s", say(out->korean, "no rule", "규칙 없음"));
}

void aspect_judge(const struct aspect *a, int which, struct eval *e, struct said *out) {
    bool ignored;
    out->korean = a->korean;
    if (!a->tierless[which]) tier_find(e, &ignored);
    switch (a->kind) {
    case ASPECT_ELIGIBLE: judge_eligible(e, out); break;
    case ASPECT_TIER: judge_tier(e, out); break;
    case ASPECT_CEILING: judge_ceiling(a, e, out); break;
    case ASPECT_APPROVAL: judge_approval(e, out); break;
    case ASPECT_LEASE: judge_lease(e, out); break;
    case ASPECT_BUDGET: judge_budget(a, e, out); break;
    case ASPECT_IDLE: judge_idle(e, out); break;
    }
}
