/* SPDX-License-Identifier: Apache-2.0 */
/* May a grant be held longer? The lease and the budgets of the policy, as for what is new. */
#include "policies/plan.h"
#include "policies/planning.h"

static void deny_beyond(struct planning *p, struct work *w, const struct lease *l, instant_t allowed) {
    struct reason *r = reason_add(&w->reasons, REASON_LEASE_TOO_LONG, true, p->policy, &l->id);
    instant_t until = w->lease.end;
    if (l->has_until) {
        reason_en(r, "the lease of the policy ends on %s; the new end would be %s", end_text(allowed).s,
                  end_text(until).s);
        reason_ko(r, "정책의 사용 기간은 %s에 끝나는데 새 종료 시각은 %s입니다", end_text(allowed).s,
                  end_text(until).s);
    } else {
        reason_en(r, "a lease lasts %s; from %s that is until %s, and the new end would be %s",
                  span_text(l->term).s, end_text(w->lease.start).s, end_text(allowed).s, end_text(until).s);
        reason_ko(r, "사용 기간은 %lld일이므로 %s부터 %s까지인데 새 종료 시각은 %s입니다",
                  (long long)(l->term.s / CLOCK_DAY), end_text(w->lease.start).s, end_text(allowed).s,
                  end_text(until).s);
    }
    if (allowed.s > w->lease.start.s) {
        reason_hint_en(r, "until %s is possible", end_text(allowed).s);
        reason_hint_ko(r, "%s까지는 가능합니다", end_text(allowed).s);
    }
    w->outcome = OUTCOME_DENY;
}

static void judge_added(struct planning *p, struct work *w, const struct lengthening *l) {
    for (size_t i = 0; i < p->policy->n_leases; i++) {
        const struct lease *lease = &p->policy->leases[i];
        enum truth t = eval_expr(p->eval, lease->when);
        if (t == TRUTH_FALSE) continue;
        if (t == TRUTH_UNKNOWN) hold_unknown(p, w, &lease->id);
        instant_t allowed = lease->has_until ? lease->until : instant_after(l->from, lease->term);
        bool asked = lease->has_until || !l->own_terms;
        if (t == TRUTH_TRUE && asked && l->until.s > allowed.s &&
            !text_list_has(w->claim->override_rule, lease->id.s))
            deny_beyond(p, w, lease, allowed);
        return;
    }
}

int plan_lengthen(const struct policy *policy, const struct facts *facts, const struct lengthening *l,
                  struct decision *out, struct err *e) {
    struct eval eval = {0};
    struct planning p = {.policy = policy, .facts = facts, .eval = &eval};
    *out = (struct decision){0};
    int rc = planning_begin(&p, e);
    if (rc == 0 && p.n != 1) rc = err_set(e, ERR_FAILED, "one grant is held longer at a time, not %zu", p.n);
    if (rc == 0) {
        struct work *w = &p.works[0];
        eval_begin(&eval, policy, facts, w->claim);
        judge_tier(&p, w);
        w->lengthens = true;
        w->lease = (struct lease_terms){.start = l->from, .end = l->until};
        judge_added(&p, w, l);
        judge_budget_rules(&p, w);
        judge_budgets(&p, w, l->compute.n, l->storage.n);
        out->claim = arena_text(&p.memory, w->claim->id);
        out->outcome = w->outcome;
        reasons_finish(&w->reasons, out);
        decision_own(out);
    }
    planning_end(&p);
    return rc;
}
