/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budgets: compute or storage over time that may be granted in one period of the civil calendar (UTC+9). What
 * a claim would add is its amount x the part of its lease inside the period in which now falls.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* ---- periods ---- */

/* The first instant of a civil day. */
static instant_t day_begin(int64_t year, int64_t month) {
    char text[16];
    struct err e = {0};
    instant_t end = instant(INSTANT_MOST);
    text_format(text, sizeof text, "%04lld-%02lld-01", (long long)year, (long long)month);
    if (date_parse(text, &end, &e) < 0) return instant(INSTANT_MOST);
    return instant(end.s - CLOCK_DAY);
}

/* When the next period begins. */
static instant_t period_end(instant_t now, enum period period) {
    static const int64_t months[PERIODS] = {1, 3, 12};
    struct instant_text today = date_text(now);
    long long year = 0, month = 1;
    today.s[4] = today.s[7] = '\0';
    if (text_to_int(today.s, 0, 9999, &year) < 0 || text_to_int(today.s + 5, 1, 12, &month) < 0)
        return instant(INSTANT_MOST);
    int64_t next = (month - 1) / months[period] * months[period] + months[period];
    return day_begin(year + next / 12, next % 12 + 1);
}

/* ---- what is spent ---- */

void budgets_begin(struct planning *p) {
    if (!p->policy || p->policy->n_budgets == 0) return;
    p->spent = mem_alloc(2 * p->n * sizeof *p->spent);
    p->budget_rules = mem_alloc(p->n * sizeof *p->budget_rules);
    for (size_t k = 0; k < PERIODS; k++) p->period_end[k] = period_end(p->facts->now, (enum period)k);
    for (size_t i = 0; i < p->n; i++) {
        p->seats[i].spent = &p->spent[i];
        p->organisations[i].spent = &p->spent[p->n + i];
        p->works[i].budgets = &p->budget_rules[i];
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct fact_spent *s = p->works[i].tenant->spent;
        struct spent *own = p->works[i].seat->spent, *all = p->works[i].organisation->spent;
        for (size_t k = 0; k < PERIODS; k++) {
            own->compute[k] = s[k].compute_gflops_seconds;
            own->storage[k] = (wide_t)s[k].storage_byte_hours * 3600;
            wide_t compute = s[k].organisation_gflops_seconds,
                   storage = (wide_t)s[k].organisation_byte_hours * 3600;
            if (compute > all->compute[k]) all->compute[k] = compute;
            if (storage > all->storage[k]) all->storage[k] = storage;
        }
    }
}

void budgets_end(struct planning *p) {
    free(p->spent);
    free(p->budget_rules);
}

void budgets_give(struct work *w, int64_t compute, int64_t storage) {
    if (!w->budgets) return;
    for (size_t k = 0; k < PERIODS; k++) {
        w->seat->spent->compute[k] += (wide_t)compute * w->budgets->inside[k];
        w->organisation->spent->compute[k] += (wide_t)compute * w->budgets->inside[k];
        w->seat->spent->storage[k] += (wide_t)storage * w->budgets->inside[k];
        w->organisation->spent->storage[k] += (wide_t)storage * w->budgets->inside[k];
    }
}

/* ---- the rules of a claim ---- */

/* Its lease is known. */
void judge_budget_rules(struct planning *p, struct work *w) {
    if (!w->budgets) return;
    w->budgets->now = p->facts->now;
    for (size_t k = 0; k < PERIODS; k++) {
        w->budgets->ends[k] = p->period_end[k];
        int64_t end = w->lease.end.s < p->period_end[k].s ? w->lease.end.s : p->period_end[k].s;
        w->budgets->inside[k] = end > w->lease.start.s ? end - w->lease.start.s : 0;
    }
    for (size_t i = 0; i < p->policy->n_budgets; i++) {
        const struct budget *b = &p->policy->budgets[i];
        const struct budget **now = &w->budgets->rules[b->storage][b->per_organisation][b->period];
        if (text_list_has(w->claim->override_rule, b->id.s)) continue;
        enum truth t = eval_expr(p->eval, b->when);
        if (t == TRUTH_UNKNOWN) hold_unknown(p, w, &b->id);
        if (t == TRUTH_TRUE && (!*now || b->most < (*now)->most)) *now = b;
    }
}

/* What the grant that the claim replaces would still use. Its volumes are kept for a time: they go on. */
static wide_t spared(const struct work *w, const struct budget *b) {
    const struct fact_replaced *r = &w->claim->replaces;
    if (b->storage || !r->end.has) return 0;
    int64_t from = w->budgets->now.s,
            end = r->end.at.s < w->budgets->ends[b->period].s ? r->end.at.s : w->budgets->ends[b->period].s;
    return end > from ? (wide_t)r->compute.n * (end - from) : 0;
}

static wide_t spent_of(const struct work *w, const struct budget *b) {
    const struct spent *s = b->per_organisation ? w->organisation->spent : w->seat->spent;
    return (b->storage ? s->storage[b->period] : s->compute[b->period]) - spared(w, b);
}

static wide_t most_of(const struct budget *b) { return b->storage ? (wide_t)b->most * 3600 : b->most; }

/* So much of it, GFLOPS or bytes, it may still hold to the end of its lease. */
static int64_t rule_room(const struct work *w, const struct budget *b) {
    wide_t left = most_of(b) - spent_of(w, b);
    int64_t inside = w->budgets->inside[b->period];
    if (inside == 0) return INT64_MAX;
    if (left <= 0) return 0;
    return left / inside > INT64_MAX ? INT64_MAX : (int64_t)(left / inside);
}

const struct budget *budget_near(const struct work *w, bool storage, int64_t *room) {
    const struct budget *near = NULL;
    *room = INT64_MAX;
    for (size_t i = 0; w->budgets && i < 2 * PERIODS; i++) {
        const struct budget *b = w->budgets->rules[storage][i / PERIODS][i % PERIODS];
        int64_t left = b ? rule_room(w, b) : INT64_MAX;
        if (left < *room) *room = left, near = b;
    }
    return near;
}

/* ---- what exceeds them ---- */

static struct amount_text amount(const struct budget *b, int64_t n) {
    return b->storage ? bytes_text(bytes(n)) : gflops_text(gflops(n));
}

static const char *const period_en[PERIODS] = {"month", "quarter", "year"}, *const period_ko[PERIODS] = {
                                                                                "다음 달은", "다음 분기는",
                                                                                "다음 해는"};

/* What is held already can only be held for less longer. */
static void hint_longer(const struct planning *p, const struct budget *b, long long days, struct reason *r) {
    struct instant_text next = date_text(p->period_end[b->period]);
    if (days > 0) {
        reason_hint_en(r, "%lld days longer would pass; the next %s begins on %s", days, period_en[b->period],
                       next.s);
        reason_hint_ko(r, "%lld일 연장은 가능합니다. %s %s에 시작합니다", days, period_ko[b->period], next.s);
    } else {
        reason_hint_en(r, "the next %s begins on %s", period_en[b->period], next.s);
        reason_hint_ko(r, "%s %s에 시작합니다", period_ko[b->period], next.s);
    }
}

/* What would pass: less of it, for a shorter time, or later. */
static void hint(struct planning *p, struct work *w, const struct budget *b, int64_t least,
                 struct reason *r) {
    int64_t room = rule_room(w, b), n = 0;
    wide_t left = most_of(b) - spent_of(w, b);
    size_t lane;
    struct text less = {0}, less_ko = {0};
    if (w->lengthens) {
        hint_longer(p, b, left > 0 && least > 0 ? (long long)(left / least / CLOCK_DAY) : 0, r);
        return;
    }
    if (b->storage) {
        int64_t granule = p->facts->pool.granule.n > 0 ? p->facts->pool.granule.n : 1;
        n = room / granule * granule;
        if (n > 0) text_add(&less, "%s of storage", bytes_text(bytes(n)).s);
        if (n > 0) text_add(&less_ko, "저장 공간 %s", bytes_text(bytes(n)).s);
    } else if (claim_best(p, w, room, false, &lane, &n)) {
        const struct fact_flavor *f = p->lanes[lane].flavor;
        text_add(&less, "%s (%s x %lld)", gflops_text(gflops(n * f->rating.n)).s, f->name, (long long)n);
        text_add(&less_ko, "%s", less.s);
    }
    long long days = left > 0 && least > 0 ? (long long)(left / least / CLOCK_DAY) : 0;
    struct instant_text next = date_text(p->period_end[b->period]);
    if (days > 0) {
        text_add(&less, "%s%lld days or less", less.length ? ", or for " : "it for ", days);
        text_add(&less_ko, "%s%lld일 이내로", less_ko.length ? "까지, 또는 " : "", days);
    } else if (less_ko.length) {
        text_add(&less_ko, "까지");
    }
    if (less.length) {
        reason_hint_en(r, "ask for %s; the next %s begins on %s", less.s, period_en[b->period], next.s);
        reason_hint_ko(r, "지금은 %s 신청할 수 있습니다. %s %s에 시작합니다", less_ko.s, period_ko[b->period],
                       next.s);
    } else {
        reason_hint_en(r, "the next %s begins on %s", period_en[b->period], next.s);
        reason_hint_ko(r, "%s %s에 시작합니다", period_ko[b->period], next.s);
    }
    text_free(&less);
    text_free(&less_ko);
}

static void say_exceeds(struct planning *p, struct work *w, const struct budget *b, int64_t least) {
    static const char *const en[PERIODS] = {"a month", "a quarter", "a year"}, *const ko[PERIODS] = {
                                                                                   "한 달", "한 분기",
                                                                                   "한 해"};
    const struct party *party = b->per_organisation ? w->organisation : w->seat;
    const char *who = b->per_organisation ? "organisation " : "",
               *who_ko = b->per_organisation ? "기관 " : "";
    wide_t unit = b->storage ? 3600 : 1, adds = (wide_t)least * w->budgets->inside[b->period];
    struct amount_text most = budget_text(b->storage, b->most),
                       spent = budget_text(b->storage, spent_of(w, b) / unit),
                       more = budget_text(b->storage, adds / unit);
    instant_t last = w->lease.end.s < p->period_end[b->period].s ? w->lease.end : p->period_end[b->period];
    struct reason *r = reason_add(&w->reasons, REASON_EXCEEDS_BUDGET, true, p->policy, &b->id);
    reason_en(r, "%s%s may have %s in %s, and %s is granted; %s until %s adds %s", who, party->name, most.s,
              en[b->period], spent.s, amount(b, least).s, end_text(last).s, more.s);
    reason_ko(
        r, "%s%s의 %s 예산은 %s이고 이미 %s이(가) 배정되었습니다. %s을(를) %s까지 쓰면 %s이(가) 더해집니다",
        who_ko, party->name, ko[b->period], most.s, spent.s, amount(b, least).s, end_text(last).s, more.s);
    hint(p, w, b, least, r);
    w->outcome = OUTCOME_DENY;
}

void judge_budgets(struct planning *p, struct work *w, int64_t compute, int64_t storage) {
    for (size_t i = 0; w->budgets && i < 2 * 2 * PERIODS; i++) {
        bool of_storage = i / (2 * PERIODS) > 0;
        const struct budget *b = w->budgets->rules[of_storage][i / PERIODS % 2][i % PERIODS];
        int64_t least = of_storage ? storage : compute;
        if (b && least > 0 && least > rule_room(w, b)) say_exceeds(p, w, b, least);
    }
}
