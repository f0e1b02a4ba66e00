/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/planning.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct work *w) { return w->tenant->name; }

static void deny(struct work *w) { w->outcome = OUTCOME_DENY; }
static void hold(struct work *w) {
    if (w->outcome != OUTCOME_DENY) w->outcome = OUTCOME_HOLD;
}

static bool is_overridden(const struct work *w, struct word id) {
    return text_list_has(w->claim->override_rule, id.s);
}

/* A rule that cannot be evaluated holds the request for a person. */
void hold_unknown(struct planning *p, struct work *w, const struct word *rule) {
    struct text en = {0}, ko = {0};
    struct reason *r = reason_add(&w->reasons, REASON_EVAL_ERROR, true, p->policy, rule);
    eval_missing(p->eval, &en, &ko);
    reason_en(r, "rule %s cannot be evaluated for %s: %s", rule->s, name_of(w), en.s);
    reason_ko(r, "%s의 신청에 규칙 %s을(를) 적용할 수 없습니다: %s", name_of(w), rule->s, ko.s);
    const struct variable *v = &p->policy->variables[p->eval->missing];
    if (p->eval->missing == VAR_TIER) {
        reason_hint_en(r, "the tier set must be evaluated first");
        reason_hint_ko(r, "먼저 등급 규칙을 적용할 수 있어야 합니다");
    } else if (v->of == SUBJECT_BUILT_IN) {
        reason_hint_en(r, "name a flavor in the request");
        reason_hint_ko(r, "신청에 자원 종류를 지정하십시오");
    } else {
        struct text values = {0};
        for (size_t i = 0; i < v->n_values; i++) text_add(&values, "%s%s", i ? ", " : "", v->values[i].s);
        reason_hint_en(r, "set '%s' (%s)", v->name.s, values.s ? values.s : type_word(v->type));
        text_free(&values);
        reason_hint_ko(r, "속성 '%s'을(를) 입력하십시오", v->name.s);
    }
    text_free(&en);
    text_free(&ko);
    hold(w);
}

/* ---- eligible ---- */

static void judge_rule(struct planning *p, struct work *w, const struct rule *rule) {
    const char *reason = rule->reason, *ko = rule->reason_ko ? rule->reason_ko : rule->reason;
    struct reason *r;
    switch (rule->effect) {
    case EFFECT_DENY:
        r = reason_add(&w->reasons, REASON_NOT_ELIGIBLE, true, p->policy, &rule->id);
        reason_en(r, "%s is not eligible: %s", name_of(w), reason);
        reason_ko(r, "%s의 신청은 자격 요건에 맞지 않습니다: %s", name_of(w), ko);
        w->eligible = false;
        deny(w);
        return;
    case EFFECT_REVIEW:
        if (!w->claim->approved) {
            r = reason_add(&w->reasons, REASON_NEEDS_APPROVAL, true, p->policy, &rule->id);
            reason_en(r, "a person must approve this: %s", reason);
            reason_ko(r, "담당자의 승인이 필요합니다: %s", ko);
            reason_hint_en(r, "an operator approves or denies it");
            reason_hint_ko(r, "담당자가 승인하거나 거절하면 진행됩니다");
            hold(w);
            return;
        }
        r = reason_add(&w->reasons, REASON_PASSED, false, p->policy, &rule->id);
        reason_en(r, "approved by %s: %s", w->claim->approver ? w->claim->approver : "a person", reason);
        reason_ko(r, "%s 승인: %s", w->claim->approver ? w->claim->approver : "담당자", ko);
        return;
    case EFFECT_PASS:
        r = reason_add(&w->reasons, REASON_PASSED, false, p->policy, &rule->id);
        reason_en(r, "%s", reason);
        reason_ko(r, "%s", ko);
    }
}

static void judge_eligible(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->policy->n_rules; i++) {
        const struct rule *rule = &p->policy->rules[i];
        if (is_overridden(w, rule->id)) continue;
        enum truth t = eval_expr(p->eval, rule->when);
        if (t == TRUTH_FALSE) continue;
        if (t == TRUTH_UNKNOWN)
            hold_unknown(p, w, &rule->id);
        else
            judge_rule(p, w, rule);
        return;
    }
    /* Only an override can set the last rule aside. */
    struct reason *r = reason_add(&w->reasons, REASON_PASSED, false, NULL, NULL);
    const char *last = p->policy->rules[p->policy->n_rules - 1].id.s;
    reason_en(r, "rule %s is set aside by an override", last);
    reason_ko(r, "예외 승인으로 규칙 %s을(를) 적용하지 않습니다", last);
}

/* ---- approvals ---- */

/* Every rule that matches asks for a person; one approval answers them all. */
static void judge_approve(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->policy->n_approves; i++) {
        const struct approve *a = &p->policy->approves[i];
        if (is_overridden(w, a->id)) continue;
        enum truth t = eval_expr(p->eval, a->when);
        if (t == TRUTH_UNKNOWN) hold_unknown(p, w, &a->id);
        if (t != TRUTH_TRUE) continue;
        const char *by = a->by.s, *by_ko = approver_ko(by),
                   *who = w->claim->approver ? w->claim->approver : "a person";
        const char *colon = a->reason ? ": " : "", *reason = a->reason ? a->reason : "";
        const char *ko = a->reason_ko ? a->reason_ko : reason;
        struct reason *r;
        if (w->claim->approved) {
            r = reason_add(&w->reasons, REASON_PASSED, false, p->policy, &a->id);
            reason_en(r, "approved by %s, for %s%s%s", who, by, colon, reason);
            reason_ko(r, "%s 승인(%s)%s%s", w->claim->approver ? who : "담당자", by_ko, colon, ko);
            continue;
        }
        r = reason_add(&w->reasons, REASON_NEEDS_APPROVAL, true, p->policy, &a->id);
        reason_en(r, "%s must approve this%s%s", by, colon, reason);
        reason_ko(r, "%s의 승인이 필요합니다%s%s", by_ko, colon, ko);
        reason_hint_en(r, "%s approves or denies it", by);
        reason_hint_ko(r, "%s이(가) 승인하거나 거절하면 진행됩니다", by_ko);
        hold(w);
    }
}

/* ---- ceilings and lease ---- */

static void tighten(const struct ceiling **now, const struct ceiling *c, bool compute) {
    if (!*now || (compute ? c->compute.n < (*now)->compute.n : c->storage.n < (*now)->storage.n)) *now = c;
}

static void hold_missing(struct work *w, const char *en, const char *ko) { /* ko with its particle */
    struct reason *r = reason_add(&w->reasons, REASON_EVAL_ERROR, true, NULL, NULL);
    reason_en(r, "the policy has no %s for %s", en, name_of(w));
    reason_ko(r, "이 정책에는 %s에 적용할 %s 없습니다", name_of(w), ko);
    hold(w);
}

/* The lane of the chip without a figure that it asks for; false: it asks for none. */
static bool asks_unrated(const struct planning *p, const struct work *w, size_t *lane) {
    for (*lane = 0; w->claim->flavor && *lane < p->n_lanes; ++*lane)
        if (strcmp(p->lanes[*lane].flavor->name, w->claim->flavor) == 0)
            return p->lanes[*lane].flavor->unrated;
    return false;
}

/* What is counted in pieces needs a ceiling as compute and storage do. */
static void judge_items_limited(struct planning *p, struct work *w) {
    size_t lane;
    if (asks_unrated(p, w, &lane) && !items_limited_units(w, lane))
        hold_missing(w, "ceiling on the units of this flavor", "이 자원의 개수 한도가");
    for (size_t i = 0; i < w->claim->n_seats; i++) {
        const struct shelf *s = shelf_find(p, w->claim->seats[i].service);
        if (s && !items_limited_seats(p, w, s)) {
            hold_missing(w, "ceiling on the seats of this service", "이 서비스의 좌석 한도가");
            return;
        }
    }
}

static void judge_ceilings(struct planning *p, struct work *w) {
    bool aside_compute = false, aside_storage = false, unknown = false;
    for (size_t i = 0; i < p->policy->n_ceilings; i++) {
        const struct ceiling *c = &p->policy->ceilings[i];
        if (is_overridden(w, c->id)) {
            aside_compute |= c->has_compute;
            aside_storage |= c->has_storage;
            items_limit(p, w, c, true);
            continue;
        }
        enum truth t = eval_expr(p->eval, c->when);
        if (t == TRUTH_UNKNOWN) hold_unknown(p, w, &c->id), unknown = true;
        if (t != TRUTH_TRUE) continue;
        items_limit(p, w, c, false);
        if (c->has_compute) tighten(c->per_organisation ? &w->organisation_compute : &w->compute, c, true);
        if (c->has_storage) tighten(c->per_organisation ? &w->organisation_storage : &w->storage, c, false);
    }
    size_t lane;
    bool asks_compute = w->claim->ask != ASK_NONE && !asks_unrated(p, w, &lane),
         asks_storage = w->claim->storage.n > 0 || w->claim->datalake.n > 0;
    if (unknown) return;
    judge_items_limited(p, w);
    if (asks_compute && !aside_compute && !w->compute && !w->organisation_compute)
        hold_missing(w, "ceiling on compute", "연산 한도가");
    if (asks_storage && !aside_storage && !w->storage && !w->organisation_storage)
        hold_missing(w, "ceiling on storage", "저장 공간 한도가");
}

static void lease_fit(struct planning *p, struct work *w, const struct lease *l) {
    instant_t now = p->facts->now, allowed = l->has_until ? l->until : instant_after(now, l->term);
    struct lease_terms *out = &w->lease;
    *out = (struct lease_terms){.start = now,
                                .end = allowed,
                                .notice = l->notice,
                                .grace = l->grace,
                                .keep = l->keep,
                                .renewals = l->renew,
                                .renew_term = l->term};
    bool aside = is_overridden(w, l->id);
    w->needs_agreement = l->agreement && !w->claim->agreed.has;
    if (w->claim->until.has)
        out->end = w->claim->until.at;
    else if (w->claim->term.s > 0)
        out->end = instant_after(now, w->claim->term);
    struct reason *r;
    if (allowed.s <= now.s && !aside) {
        r = reason_add(&w->reasons, REASON_EVAL_ERROR, true, p->policy, &l->id);
        reason_en(r, "the lease of the policy ended on %s: nothing can be granted under it",
                  date_text(instant(allowed.s - 1)).s);
        reason_ko(r, "정책의 사용 기간이 %s에 끝나 새로 배정할 수 없습니다",
                  date_text(instant(allowed.s - 1)).s);
        hold(w);
    } else if (out->end.s <= now.s) {
        r = reason_add(&w->reasons, REASON_LEASE_OVER, true, NULL, NULL);
        reason_en(r, "the wanted end %s has passed", end_text(out->end).s);
        reason_ko(r, "희망한 종료 시각 %s이(가) 이미 지났습니다", end_text(out->end).s);
        reason_hint_en(r, "ask for a later end, at most %s", end_text(allowed).s);
        reason_hint_ko(r, "더 늦은 종료 시각을 지정하십시오 (최대 %s)", end_text(allowed).s);
        deny(w);
    } else if (out->end.s > allowed.s && !aside) {
        r = reason_add(&w->reasons, REASON_LEASE_TOO_LONG, true, p->policy, &l->id);
        reason_en(r, "%s asked until %s; a lease that begins now ends on %s at the latest", name_of(w),
                  end_text(out->end).s, end_text(allowed).s);
        reason_ko(r, "%s의 희망 종료일은 %s이지만, 지금 시작하는 배정은 늦어도 %s에 끝나야 합니다",
                  name_of(w), end_text(out->end).s, end_text(allowed).s);
        if (l->has_until) {
            reason_hint_en(r, "ask for --until %s or earlier", date_text(instant(allowed.s - 1)).s);
            reason_hint_ko(r, "종료일을 %s 이전으로 신청하십시오", date_text(instant(allowed.s - 1)).s);
        } else {
            reason_hint_en(r, "ask for %s or less", span_text(l->term).s);
            reason_hint_ko(r, "%lld일 이내로 신청하십시오", (long long)(l->term.s / CLOCK_DAY));
        }
        deny(w);
    }
}

static void judge_lease(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->policy->n_leases; i++) {
        const struct lease *l = &p->policy->leases[i];
        enum truth t = eval_expr(p->eval, l->when);
        if (t == TRUTH_FALSE) continue;
        if (t == TRUTH_UNKNOWN)
            hold_unknown(p, w, &l->id);
        else
            lease_fit(p, w, l);
        return;
    }
    hold_missing(w, "lease", "사용 기간 규칙이");
}

static bool policy_fits_pool(struct planning *p, struct work *w) {
    const struct fact_pool *pool = &p->facts->pool;
    const struct policy *y = p->policy;
    bool of_pool = y && strcmp(y->pool.s, pool->name) == 0 && strcmp(y->basis.s, pool->basis) == 0;
    bool before = y && y->valid_from.has && p->facts->now.s < y->valid_from.at.s;
    bool after = y && y->valid_until.has && p->facts->now.s >= y->valid_until.at.s;
    if (of_pool && !before && !after) return true;
    struct reason *r = reason_add(&w->reasons, REASON_NO_POLICY, true, NULL, NULL);
    if (!y) {
        reason_en(r, "no policy is valid now for pool %s", pool->name);
        reason_ko(r, "자원 풀 %s에 지금 유효한 정책이 없습니다", pool->name);
    } else if (before) {
        reason_en(r, "policy %s decides nothing before %s", y->name, date_text(y->valid_from.at).s);
        reason_ko(r, "정책 %s은(는) %s부터 유효합니다", y->name, date_text(y->valid_from.at).s);
    } else if (after) {
        reason_en(r, "policy %s was valid until %s", y->name, end_text(y->valid_until.at).s);
        reason_ko(r, "정책 %s은(는) %s까지만 유효했습니다", y->name, end_text(y->valid_until.at).s);
    } else {
        reason_en(r, "policy %s is for pool %s (%s), not for %s (%s)", y->name, y->pool.s, y->basis.s,
                  pool->name, pool->basis);
        reason_ko(r, "정책 %s은(는) 자원 풀 %s(%s)용이며 %s(%s)에는 적용할 수 없습니다", y->name, y->pool.s,
                  y->basis.s, pool->name, pool->basis);
    }
    reason_hint_en(r, "an admin loads a policy for this pool");
    reason_hint_ko(r, "관리자가 이 자원 풀의 정책을 등록해야 합니다");
    hold(w);
    return false;
}

void judge_claim(struct planning *p, struct work *w) {
    if (!policy_fits_pool(p, w)) return;
    eval_begin(p->eval, p->policy, p->facts, w->claim);
    judge_eligible(p, w);
    judge_tier(p, w);
    if (w->tenant->suspended) {
        struct reason *r = reason_add(&w->reasons, REASON_SUSPENDED, true, NULL, NULL);
        reason_en(r, "%s is suspended", name_of(w));
        reason_ko(r, "%s은(는) 이용이 정지되어 있습니다", name_of(w));
        reason_hint_en(r, "an operator resumes the tenant");
        reason_hint_ko(r, "담당자가 정지를 해제해야 합니다");
        deny(w);
    }
    if (w->outcome == OUTCOME_DENY) return;
    judge_ceilings(p, w);
    judge_lease(p, w);
    judge_budget_rules(p, w);
    judge_approve(p, w);
    if (w->claim->ask != ASK_NONE) judge_flavor(p, w);
    if (w->claim->ask != ASK_NONE && w->outcome != OUTCOME_DENY) judge_size(p, w);
    judge_compute(p, w);
    judge_rest(p, w);
}
