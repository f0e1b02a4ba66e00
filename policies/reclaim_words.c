/* SPDX-License-Identifier: Apache-2.0 */
/* What a holder is told. Others appear as sums only, never by name. */
#include "alloc/text.h"
#include "policies/reclaiming.h"

#include <string.h>

static void say_what(const struct reclaim *r, struct text *en, struct text *ko) {
    text_add(en, "%s x %lld", r->flavor, (long long)r->units);
    text_add(ko, "%s %lld개", r->flavor, (long long)r->units);
    if (r->compute.n > 0) {
        text_add(en, " (%s)", gflops_text(r->compute).s);
        text_add(ko, "(%s)", gflops_text(r->compute).s);
    }
    text_add(en, " of grant %s ", r->grant);
    text_add(ko, ", 할당 %s: ", r->grant);
}

static void say_when(const struct reclaim *r, struct text *en, struct text *ko) {
    text_add(en, "go back on %s at the earliest: ", civil_text(r->effect).s);
    text_add(ko, "%s 이후 회수합니다. ", civil_text(r->effect).s);
}

static void say_grace(const struct fact_grant *g, struct text *en, struct text *ko) {
    text_add(en, "go back now: its lease ended on %s and its grace is over",
             date_text(instant(g->end.s - 1)).s);
    text_add(ko, "기간이 %s에 끝나고 유예 기간도 지나 회수합니다", date_text(instant(g->end.s - 1)).s);
}

static void say_idle(const struct take *t, const struct idle_rule *rule, struct text *en, struct text *ko) {
    const struct fact_sample *s = t->sample;
    if (rule->unused) {
        text_add(en,
                 "%s was %lld %% on average over %s (%lld %% measured, the rest counted as used), less than "
                 "%lld %%; %lld %% of what lay unused is lost",
                 s->metric, (long long)s->mean, span_text(s->window).s, (long long)s->covered,
                 (long long)rule->below, (long long)rule->lose);
        text_add(ko,
                 "%s 동안 %s 평균이 %lld %%로 기준 %lld %% 미만입니다(측정 %lld %%, 미측정은 사용으로 계산)."
                 " 미사용분의 %lld %%를 회수합니다",
                 span_text_ko(s->window).s, s->metric, (long long)s->mean, (long long)rule->below,
                 (long long)s->covered, (long long)rule->lose);
        return;
    }
    text_add(en, "%s never reached %lld %% in %s, the most was %lld %%", s->metric, (long long)rule->below,
             span_text(s->window).s, (long long)s->most);
    text_add(ko, "%s 동안 %s이(가) 기준 %lld %%에 이르지 않았습니다(최대 %lld %%)", span_text_ko(s->window).s,
             s->metric, (long long)rule->below, (long long)s->most);
}

static const struct idle_rule *idle_rule_of(const struct policy *policy, const struct word *id) {
    size_t i = 0;
    while (&policy->idles[i].id != id) i++;
    return &policy->idles[i];
}

/* Compute, or units where a ceiling on units was passed. */
static void say_debt(const struct reclaim *r, const struct take *t, struct text *en, struct text *ko) {
    struct text over = {0};
    if (t->in_units)
        text_add(&over, "%s x %lld", r->flavor, (long long)t->figure);
    else
        text_add(&over, "%s", gflops_text(gflops(t->figure)).s);
    text_add(en, "with %s held, a ceiling that was lowered is exceeded by %s", gflops_text(r->held).s,
             over.s);
    text_add(ko, "한도가 낮아져 보유량 %s이(가) 한도를 %s 초과합니다", gflops_text(r->held).s, over.s);
    text_free(&over);
}

static void say_guarantee(const struct reclaim *r, const struct take *t, struct text *en, struct text *ko) {
    text_add(en,
             "they are borrowed, and a guarantee claims them (%s are missing); %s are held, of them %s above "
             "the guarantee of %s",
             gflops_text(gflops(t->figure)).s, gflops_text(r->held).s,
             gflops_text(gflops(r->held.n - r->guarantee.n)).s, gflops_text(r->guarantee).s);
    text_add(ko,
             "빌려 쓰는 자원이며 다른 기업의 보장량이 요청되었습니다(부족 %s). 보유 %s 중 보장량 %s 초과분은 "
             "%s입니다",
             gflops_text(gflops(t->figure)).s, gflops_text(r->held).s, gflops_text(r->guarantee).s,
             gflops_text(gflops(r->held.n - r->guarantee.n)).s);
}

void reclaim_say(const struct reclaiming *w, const struct take *t, struct reclaim *r) {
    struct text en = {0}, ko = {0};
    say_what(r, &en, &ko);
    if (r->cause != CAUSE_GRACE) say_when(r, &en, &ko);
    switch (r->cause) {
    case CAUSE_GRACE: say_grace(&w->facts->grants[w->pieces[t->piece].grant], &en, &ko); break;
    case CAUSE_IDLE: say_idle(t, idle_rule_of(w->policy, t->rule), &en, &ko); break;
    case CAUSE_DEBT: say_debt(r, t, &en, &ko); break;
    default: say_guarantee(r, t, &en, &ko); break;
    }
    if (r->appeal.s > 0) {
        text_add(&en, "; it can be appealed until %s", civil_text(instant_after(w->facts->now, r->appeal)).s);
        text_add(&ko, ". %s까지 이의를 제기할 수 있습니다",
                 civil_text(instant_after(w->facts->now, r->appeal)).s);
    }
    if (r->rule) {
        text_add(&en, " (%s, %s)", r->rule, r->place);
        text_add(&ko, " (%s, %s)", r->rule, r->place);
    }
    r->en = text_take(&en);
    r->ko = text_take(&ko);
}
