/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences of a decision on capacity: why it waits, why it got less. */
#include "policies/planning.h"

#include <string.h>

/* ---- what was given ---- */

static void say_rounded(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    struct reason *r;
    rest_say_rounded(p, w);
    if (w->outcome != OUTCOME_GRANT || c->ask == ASK_NONE) return;
    if (c->ask == ASK_COMPUTE && w->given_compute < c->compute.n) {
        r = reason_add(&w->reasons, REASON_ROUNDED, false, NULL, NULL);
        if (p->bare) return;
        reason_en(r, "%s is rounded down to %s, the best step at or below it", gflops_text(c->compute).s,
                  gflops_text(gflops(w->given_compute)).s);
        reason_ko(r, "신청한 %s 이하에서 서버 구성으로 만들 수 있는 가장 큰 값은 %s입니다",
                  gflops_text(c->compute).s, gflops_text(gflops(w->given_compute)).s);
    } else if (c->ask == ASK_UNITS && w->whole_units < c->units.n) {
        r = reason_add(&w->reasons, REASON_ROUNDED, false, NULL, NULL);
        reason_en(r, "servers add up to %lld of the %lld units asked for", (long long)w->whole_units,
                  (long long)c->units.n);
        reason_ko(r, "서버 구성상 신청한 %lld개 중 %lld개까지 만들 수 있습니다", (long long)c->units.n,
                  (long long)w->whole_units);
    }
}

static int64_t units_given(const struct planning *p, const struct work *w) {
    int64_t n = 0;
    for (size_t i = 0; i < p->n_lanes; i++) n += w->options[i].given;
    return n;
}

static void say_shrunk(struct planning *p, struct work *w) {
    const struct word *rule = w->stop;
    bool budget = w->stop_is_budget;
    struct reason *r = reason_add(&w->reasons, REASON_SHRUNK, false, p->policy, rule);
    if (p->bare) return;
    const char *why = budget ? "the budget allows no further step"
                      : rule ? "the ceiling allows no further step"
                             : "no further step is free in this round";
    const char *why_ko = budget ? "예산 때문에 더 늘릴 수 없습니다"
                         : rule ? "한도 때문에 더 늘릴 수 없습니다"
                                : "이번 회차에 남은 자원이 없습니다";
    if (w->claim->ask == ASK_COMPUTE) {
        struct amount_text given = gflops_text(gflops(w->given_compute)),
                           asked = gflops_text(w->claim->compute);
        reason_en(r, "%s of the %s asked for: %s", given.s, asked.s, why);
        reason_ko(r, "신청한 %s 중 %s를 배정했습니다: %s", asked.s, given.s, why_ko);
    } else {
        long long given = units_given(p, w), asked = w->claim->units.n;
        reason_en(r, "%lld of the %lld units asked for: %s", given, asked, why);
        reason_ko(r, "신청한 %lld개 중 %lld개를 배정했습니다: %s", asked, given, why_ko);
    }
}

void say_given(struct planning *p, struct work *w) {
    if (w->outcome == OUTCOME_PARTIAL) say_shrunk(p, w);
    say_rounded(p, w);
}

/* ---- what could be done meanwhile ---- */

static void hint_offer(const struct decision *d, struct text *en, struct text *ko) {
    struct text lines = {0};
    for (size_t i = 0; i < d->offer.n_lines; i++) {
        const struct plan_line *l = &d->offer.lines[i];
        int64_t n = l->size * l->count;
        for (; i + 1 < d->offer.n_lines && strcmp(d->offer.lines[i + 1].flavor, l->flavor) == 0; i++)
            n += d->offer.lines[i + 1].size * d->offer.lines[i + 1].count;
        text_add(&lines, "%s%s x %lld", lines.length ? ", " : "", l->flavor, (long long)n);
    }
    if (d->offer.compute.n > 0) text_add(&lines, " (%s)", gflops_text(d->offer.compute).s);
    if (d->offer.until.has) {
        text_add(en, "%s is offered until %s: accept it, or wait", lines.s, end_text(d->offer.until.at).s);
        text_add(ko, "%s을(를) %s까지 먼저 받을 수 있습니다. 수락하거나 기다리십시오", lines.s,
                 end_text(d->offer.until.at).s);
    } else {
        text_add(en, "%s is free now: ask for that, or wait", lines.s);
        text_add(ko, "지금은 %s까지 가능합니다. 그만큼 신청하거나 기다리십시오", lines.s);
    }
    text_free(&lines);
}

static bool may_be_partial(const struct planning *p) {
    return !(p->queue && p->queue->has_partial && p->queue->partial == 0);
}

/* The most of a flavor that it could have within its own guarantee, as a minimum: GFLOPS; the units in
 * *units. */
static int64_t own_minimum(const struct planning *p, const struct work *w, int64_t *units) {
    int64_t best = 0, left = lend_own_left(w);
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct fact_flavor *f = p->lanes[i].flavor;
        if (w->options[i].wanted == 0 || f->rating.n == 0) continue;
        int64_t n = smaller(smaller(left / f->rating.n, w->options[i].wanted), f->capacity.n);
        n = claim_down(p, w, i, n);
        if (n < claim_partial_least(p, w, i, w->options[i].wanted) || n * f->rating.n <= best) continue;
        best = n * f->rating.n;
        *units = n;
    }
    return best;
}

/* Is the least that it takes beyond its guarantee, in every flavor? */
static bool is_beyond_guarantee(const struct planning *p, const struct work *w) {
    int64_t left = lend_own_left(w);
    if (w->mixed) return (w->has_minimum ? w->claim->minimum_compute.n : w->whole) > left;
    for (size_t i = 0; i < p->n_lanes; i++) {
        int64_t floor = w->options[i].floor;
        if (floor > 0 && floor * p->lanes[i].flavor->rating.n <= left) return false;
    }
    return true;
}

/* One that takes no less than more than its guarantee claims none of it. */
static void hint_guarantee(const struct planning *p, const struct work *w, struct text *en, struct text *ko) {
    char minimum[48];
    int64_t units = 0, left = lend_own_left(w), n;
    if (w->claim->ask == ASK_NONE || left == 0 || !may_be_partial(p) || !is_beyond_guarantee(p, w)) return;
    if ((n = own_minimum(p, w, &units)) == 0) return;
    if (w->claim->ask == ASK_UNITS)
        text_format(minimum, sizeof minimum, "%lld", (long long)units);
    else
        text_format(minimum, sizeof minimum, "'%s'", gflops_text(gflops(n)).s);
    text_add(en, "; %s of its guarantee are unused: ask with --minimum %s to claim that now",
             gflops_text(gflops(left)).s, minimum);
    text_add(ko,
             ". 보장량 중 %s이(가) 남아 있습니다. 그만큼 바로 받으려면 --minimum %s을(를) 붙여 신청하십시오",
             gflops_text(gflops(left)).s, minimum);
}

/* Said once, with the first reason. Whose lease it is that ends is nobody else's business. */
static void hint_wait(const struct planning *p, const struct work *w, struct reason *r,
                      const struct decision *d) {
    struct text en = {0}, ko = {0};
    if (r->bare) return;
    if (d->offer.has) {
        hint_offer(d, &en, &ko);
    } else {
        text_add(&en, "it keeps its place until units come back");
        text_add(&ko, "자원이 반납될 때까지 순번이 유지됩니다");
    }
    if (d->earliest.at.has) {
        struct instant_text day = date_text(d->earliest.at.at);
        const char *notice = d->earliest.notice;
        text_add(&en, "; all of it fits on %s at the earliest, when %s", day.s,
                 notice ? "what is under notice comes back" : "a lease ends");
        text_add(&ko, ". 전체는 빠르면 %s %s에 가능합니다",
                 notice ? "통지된 자원이 회수되는" : "다른 배정이 끝나는", day.s);
    }
    hint_guarantee(p, w, &en, &ko);
    reason_hint_en(r, "%s", en.s);
    reason_hint_ko(r, "%s", ko.s);
    text_free(&en);
    text_free(&ko);
}

/* Without a queue rule there are no offers. */
static void hint_free(const struct planning *p, const struct work *w, struct reason *r) {
    struct text en = {0}, ko = {0};
    size_t lane;
    int64_t n, compute = w->claim->ask == ASK_COMPUTE ? w->ask : INT64_MAX;
    if (claim_best(p, w, compute < GFLOPS_MOST ? compute : GFLOPS_MOST, true, &lane, &n)) {
        const struct fact_flavor *f = p->lanes[lane].flavor;
        struct amount_text sum = gflops_text(gflops(n * f->rating.n));
        text_add(&en, "%s x %lld (%s) is free now: ask for that, or wait", f->name, (long long)n, sum.s);
        text_add(&ko, "지금은 %s x %lld(%s)까지 가능합니다. 그만큼 신청하거나 기다리십시오", f->name,
                 (long long)n, sum.s);
    } else {
        text_add(&en, "it keeps its place until units come back");
        text_add(&ko, "자원이 반납될 때까지 순번이 유지됩니다");
    }
    hint_guarantee(p, w, &en, &ko);
    reason_hint_en(r, "%s", en.s);
    reason_hint_ko(r, "%s", ko.s);
    text_free(&en);
    text_free(&ko);
}

/* ---- why it waits ---- */

static void say_no_units(struct planning *p, struct work *w, const struct decision *d) {
    struct reason *r = reason_add(&w->reasons, REASON_NO_UNITS, true, NULL, NULL);
    if (p->bare) return;
    struct text free_now = {0}, needs = {0}, needs_ko = {0};
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct lane *l = &p->lanes[i];
        const struct option *o = &w->options[i];
        if (o->floor == 0 && !(w->mixed && o->wanted > 0)) continue;
        text_add(&free_now, "%s%s x %lld", free_now.length ? ", " : "", l->flavor->name, (long long)l->free);
        if (o->floor == 0 || w->mixed) continue;
        text_add(&needs, "%s%s x %lld", needs.length ? " or " : "", l->flavor->name, (long long)o->floor);
        text_add(&needs_ko, "%s%s x %lld", needs_ko.length ? " 또는 " : "", l->flavor->name,
                 (long long)o->floor);
    }
    if (w->mixed) {
        gflops_t least = w->has_minimum ? w->claim->minimum_compute : gflops(w->whole);
        text_add(&needs, "%s", gflops_text(least).s);
        text_add(&needs_ko, "%s", gflops_text(least).s);
    }
    bool least = w->has_minimum;
    reason_en(r, "%s needs %s%s; free now: %s", w->tenant->name, least ? "at least " : "", needs.s,
              free_now.s);
    reason_ko(r, "%s의 신청에는 %s%s이(가) 필요하지만 지금 남은 자원은 %s입니다", w->tenant->name,
              least ? "최소 " : "", needs_ko.s, free_now.s);
    text_free(&needs_ko);
    if (p->queue)
        hint_wait(p, w, r, d);
    else
        hint_free(p, w, r);
    text_free(&free_now);
    text_free(&needs);
}

/* What is free, or would be when the units that it lacks have come back. */
struct free_words {
    char s[96];
};

static struct free_words have_en(const struct shortage *s, struct amount_text have) {
    struct free_words w;
    text_format(w.s, sizeof w.s, s->more ? "%s would be free once its units come back" : "%s is free",
                have.s);
    return w;
}

static struct free_words have_ko(const struct shortage *s, struct amount_text have) {
    struct free_words w;
    text_format(w.s, sizeof w.s, s->more ? "부족한 자원이 반납되어 %s가 남더라도" : "지금 %s가 남아 있지만",
                have.s);
    return w;
}

static void say_reserved(struct planning *p, struct work *w, bool storage, const struct decision *d,
                         bool first) {
    const struct shortage *s = storage ? &w->short_storage : &w->short_compute;
    const struct reserve_rule *rule = lend_reserve(p, w, storage);
    struct reason *r = reason_add(&w->reasons, REASON_RESERVED_FOR_TIER, true, p->policy, &rule->id);
    if (p->bare) return;
    struct amount_text needs = storage ? bytes_text(bytes(s->draw)) : gflops_text(gflops(s->draw)),
                       have = storage ? bytes_text(bytes(s->free)) : gflops_text(gflops(s->free)),
                       kept = storage ? bytes_text(bytes(s->reserve)) : gflops_text(gflops(s->reserve));
    const char *of = storage ? " of storage" : "", *of_ko = storage ? "저장 공간 " : "";
    const char *tier = p->policy->tiers[rule->tier].name.s;
    reason_en(r, "%s needs %s%s; %s, but %s must stay free for tier %s", w->tenant->name, needs.s, of,
              have_en(s, have).s, kept.s, tier);
    reason_ko(r, "%s의 신청에는 %s%s가 필요하고 %s, %s 등급을 위해 %s를 남겨 두어야 합니다", w->tenant->name,
              of_ko, needs.s, have_ko(s, have).s, tier, kept.s);
    if (first) hint_wait(p, w, r, d);
}

/* The rule on lending, or without one the first tier that promises something. */
static const struct word *lend_rule(const struct planning *p) {
    if (p->policy->borrow.id.s) return &p->policy->borrow.id;
    for (size_t i = 0; i < p->policy->n_tier_rules; i++)
        if (p->policy->tiers[p->policy->tier_rules[i].tier].guarantee.n > 0)
            return &p->policy->tier_rules[i].id;
    return NULL;
}

static void say_lend(struct planning *p, struct work *w, const struct decision *d, bool first) {
    const struct shortage *s = &w->short_compute;
    struct reason *r = reason_add(&w->reasons, REASON_LEND_LIMIT, true, p->policy, lend_rule(p));
    if (p->bare) return;
    struct amount_text needs = gflops_text(gflops(s->draw)), have = gflops_text(gflops(s->free)),
                       kept = gflops_text(gflops(s->lend));
    reason_en(r,
              "%s needs %s, more than its guarantee; %s, but %s must stay free for the unused guarantees of "
              "others",
              w->tenant->name, needs.s, have_en(s, have).s, kept.s);
    reason_ko(r,
              "%s의 신청에는 보장량을 넘는 %s가 필요하고 %s, 다른 기업이 아직 쓰지 않은 보장량을 위해 %s를 "
              "남겨 두어야 합니다",
              w->tenant->name, needs.s, have_ko(s, have).s, kept.s);
    if (first) hint_wait(p, w, r, d);
}

static void say_barrier(struct planning *p, struct work *w, const struct decision *d, bool first) {
    size_t lane = w->blocked_lane;
    for (size_t i = 0; w->mixed && i < p->n_lanes;
         i++) /* over several flavors: the first that is set aside */
        if (w->options[i].wanted > 0 && barrier_first(p, w, i)) {
            lane = i;
            break;
        }
    const struct lane *l = &p->lanes[lane];
    const struct barrier *b = barrier_first(p, w, lane);
    const struct queue_rule *q = p->sharing;
    if (!q || !b) return; /* without it there are no barriers */
    struct reason *r = reason_add(&w->reasons, REASON_BEHIND_BARRIER, true, p->policy, &q->id);
    if (p->bare) return;
    long long aside = l->free - barrier_left(p, w, lane);
    if (b->start.has) {
        reason_en(r,
                  "%s: %lld of the %lld units free are set aside for a request that has waited longest and "
                  "can start "
                  "on %s; this lease would last until %s",
                  l->flavor->name, aside, (long long)l->free, date_text(b->start.at).s,
                  end_text(instant_after(w->lease.end, w->lease.grace)).s);
        reason_ko(r,
                  "%s: 남은 %lld개 중 %lld개는 가장 오래 기다려 %s에 시작할 수 있는 신청을 위해 따로 "
                  "두었습니다. 이 "
                  "배정은 %s까지 이어집니다",
                  l->flavor->name, (long long)l->free, aside, date_text(b->start.at).s,
                  end_text(instant_after(w->lease.end, w->lease.grace)).s);
    } else {
        reason_en(r, "%s: %lld of the %lld units free are set aside for a request that has waited longest",
                  l->flavor->name, aside, (long long)l->free);
        reason_ko(r, "%s: 남은 %lld개 중 %lld개는 가장 오래 기다린 신청을 위해 따로 두었습니다",
                  l->flavor->name, (long long)l->free, aside);
    }
    if (first) hint_wait(p, w, r, d);
}

void say_waiting(struct planning *p, struct work *w, const struct decision *d) {
    struct reason *r;
    if (p->facts->pool.draining) {
        r = reason_add(&w->reasons, REASON_DRAINING, true, NULL, NULL);
        reason_en(r, "pool %s is draining and gives nothing new", p->facts->pool.name);
        reason_ko(r, "자원 풀 %s은(는) 정리 중이라 새로 배정하지 않습니다", p->facts->pool.name);
        return;
    }
    bool first = !w->lacks_units;
    if (w->short_compute.is_short && w->short_compute.by_reserve)
        say_reserved(p, w, false, d, first), first = false;
    if (w->short_storage.is_short) say_reserved(p, w, true, d, first), first = false;
    if (w->behind_barrier) say_barrier(p, w, d, first), first = false;
    rest_say_aside(p, w);
    if (w->short_compute.is_short && w->short_compute.by_lend) say_lend(p, w, d, first);
    if (w->lacks_units) say_no_units(p, w, d);
    rest_say_waiting(p, w);
    if (!w->lacks_turn) return;
    r = reason_add(&w->reasons, REASON_WAITING_TURN, true, NULL, NULL);
    reason_en(r, "place %lld in the queue; those before it ask for %s", (long long)d->position,
              gflops_text(d->ahead_compute).s);
    reason_ko(r, "대기 순번 %lld번이며 앞선 신청은 모두 %s입니다", (long long)d->position,
              gflops_text(d->ahead_compute).s);
    if (p->queue) {
        hint_wait(p, w, r, d);
        return;
    }
    reason_hint_en(r, "earlier requests are served first");
    reason_hint_ko(r, "먼저 접수된 신청부터 배정됩니다");
}
