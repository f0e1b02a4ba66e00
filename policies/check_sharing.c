/* SPDX-License-Identifier: Apache-2.0 */
/* Queue, lending, idle rules, reserves and budgets: what contradicts, and what has no effect. */
#include "policies/syntax.h"

#include <string.h>

span_t lease_shortest(const struct policy *policy, const struct lease **which) {
    *which = NULL;
    for (size_t i = 0; i < policy->n_leases; i++) {
        const struct lease *l = &policy->leases[i];
        if (!l->has_until && (!*which || l->term.s < (*which)->term.s)) *which = l;
    }
    return *which ? (*which)->term : span(0);
}

/* A length that must be shorter than every lease. */
static void check_below_term(const struct policy *y, struct diagnostics *d, struct place place, span_t length,
                             const char *what) {
    const struct lease *l;
    span_t term = lease_shortest(y, &l);
    if (!l || place.length == 0 || length.s < term.s) return;
    diagnose_clash(d, LEVEL_ERROR, place, l->term_place, "the shortest lease",
                   "%s of %s is not shorter than a lease of %s", what, span_text(length).s,
                   span_text(term).s);
}

static void check_longer_than_0(struct diagnostics *d, bool has, span_t length, struct place place,
                                const char *what) {
    if (has && length.s == 0) diagnose(d, LEVEL_ERROR, place, "%s is longer than 0", what);
}

/* ---- queue ---- */

static bool has_guarantee(const struct policy *y) {
    for (size_t i = 0; i < y->n_tiers; i++)
        if (y->tiers[i].guarantee.n > 0) return true;
    return false;
}

static const struct tier *other_weight(const struct policy *y) {
    for (size_t i = 1; i < y->n_tiers; i++)
        if (y->tiers[i].weight != y->tiers[0].weight) return &y->tiers[i];
    return NULL;
}

static void no_effect(struct diagnostics *d, struct place place, const char *what, const char *why) {
    if (place.length > 0) diagnose(d, LEVEL_WARNING, place, "'%s' has no effect: %s", what, why);
}

static bool has_share(const struct queue_rule *q) {
    for (size_t i = 0; i < q->n_order; i++)
        if (q->order[i] == ORDER_SHARE) return true;
    return false;
}

static void check_order(const struct queue_rule *q, struct diagnostics *d) {
    const char *why = "an order of 'wait, id' goes by time alone";
    if (!has_share(q))
        no_effect(d, q->weigh_place, "weigh", queue_is_by_time(q) ? why : "the order has no 'share'");
    if (!queue_is_by_time(q)) return;
    no_effect(d, q->strict_place, "strict", why);
    no_effect(d, q->lift_place, "lift", why);
    no_effect(d, q->barrier_place, "barrier", why);
}

static void check_queue(const struct policy *y, struct diagnostics *d) {
    const struct queue_rule *q = &y->queue;
    const struct tier *other = other_weight(y);
    if (!q->id.s) return;
    check_order(q, d);
    if (y->n_tiers < 2) {
        no_effect(d, q->strict_place, "strict", "there are no tiers to choose between");
        no_effect(d, q->lift_place, "lift", "there is no better tier");
    }
    if (q->weigh_surplus && !has_guarantee(y))
        no_effect(d, q->weigh_place, "weigh surplus", "no tier has a guarantee");
    check_longer_than_0(d, q->has_lift, q->lift, q->lift_place, "a lift");
    check_longer_than_0(d, q->has_barrier, q->barrier, q->barrier_place, "a barrier");
    check_longer_than_0(d, q->has_hold, q->hold, q->hold_place, "the hold of an offer");
    check_below_term(y, d, q->barrier_place, q->barrier, "a barrier");
    if (q->has_lift && q->has_barrier && q->barrier.s > 0 && q->lift.s >= q->barrier.s)
        diagnose_clash(d, LEVEL_NOTE, q->lift_place, q->barrier_place, "the barrier",
                       "a request becomes a barrier before it is lifted");
    if (q->strict && other && !queue_is_by_time(q))
        diagnose_clash(d, LEVEL_NOTE, q->strict_place, other->weight_place, "a weight that differs",
                       "with 'strict' the better tier goes first whatever is held: weights change nothing");
}

/* ---- borrow ---- */

static void check_borrow(const struct policy *y, struct diagnostics *d) {
    const struct borrow_rule *b = &y->borrow;
    if (!b->id.s) return;
    if (!b->has_lend)
        diagnose(d, LEVEL_ERROR, b->id.place,
                 "rule '%s' does not state how much may be lent (lend-max 80 %%)", b->id.s);
    if (!has_guarantee(y))
        diagnose(d, LEVEL_WARNING, b->id.place,
                 "rule '%s' has no effect: no tier has a guarantee to lend from", b->id.s);
    if (b->lend_most > 0 && !b->has_notice)
        diagnose(d, LEVEL_ERROR, b->lend_place,
                 "what is lent must come back within a notice (notice 7 days), which is not stated");
    if (b->has_notice && b->min_hold_place.length > 0 && b->notice.s >= b->min_hold.s)
        diagnose_clash(d, LEVEL_ERROR, b->notice_place, b->min_hold_place, "the shortest time it is held",
                       "the notice of %s is not shorter than the min-hold of %s", span_text(b->notice).s,
                       span_text(b->min_hold).s);
    check_below_term(y, d, b->min_hold_place, b->min_hold, "a min-hold");
    check_below_term(y, d, b->notice_place, b->notice, "a notice");
}

/* ---- idle ---- */

static bool is_measured(const struct policy *y, const char *metric, const char **near) {
    const char *names[POLICY_METRICS];
    size_t length = strcspn(metric, ".");
    char name[POLICY_NAME + 1];
    text_format(name, sizeof name, "%.*s", (int)length, metric);
    for (size_t i = 0; i < y->n_measures; i++) {
        names[i] = y->measures[i].s;
        if (strcmp(names[i], name) == 0) return true;
    }
    *near = text_nearest(name, names, y->n_measures);
    return false;
}

static void check_idle(const struct policy *y, const struct idle_rule *r, struct diagnostics *d) {
    const char *near = NULL;
    if (!is_measured(y, r->metric.s, &near))
        diagnose(d, LEVEL_WARNING, r->metric.place,
                 "pool '%s' does not measure '%.*s'%s%s%s: the rule never applies, because what has no "
                 "samples is not idle",
                 y->pool.s, (int)strcspn(r->metric.s, "."), r->metric.s, near ? "; did you mean '" : "",
                 near ? near : "", near ? "'?" : "");
    check_longer_than_0(d, true, r->window, r->window_place, "a window");
    if (r->notice.s == 0)
        diagnose(d, LEVEL_WARNING, r->id.place,
                 "rule '%s' states no notice (notice 5 days): its holder is told only when it is taken",
                 r->id.s);
    else if (r->appeal.s > r->notice.s)
        diagnose_clash(d, LEVEL_ERROR, r->appeal_place, r->notice_place, "it is taken back after this",
                       "the appeal of %s is longer than the notice of %s", span_text(r->appeal).s,
                       span_text(r->notice).s);
    if (r->keep_guarantee && !has_guarantee(y))
        diagnose(d, LEVEL_NOTE, r->id.place, "'keep guarantee' keeps nothing: no tier has a guarantee");
}

/* ---- reserve ---- */

static void check_reserve(const struct policy *y, size_t i, struct diagnostics *d) {
    const struct reserve_rule *r = &y->reserves[i];
    bool rated = false;
    for (size_t k = 0; k < y->n_flavors; k++) rated |= !y->flavors[k].unrated;
    if (r->storage ? !y->has_storage : !rated)
        diagnose(d, LEVEL_WARNING, r->place, "rule '%s' has no effect: the pool has no %s", r->id.s,
                 r->storage ? "storage" : "compute");
    if ((size_t)r->tier + 1 == y->n_tiers)
        diagnose(d, LEVEL_WARNING, r->tier_name.place,
                 "rule '%s' keeps nothing back: '%s' is the last tier, so everybody may use it", r->id.s,
                 r->tier_name.s);
    for (size_t k = 0; k < i; k++)
        if (y->reserves[k].storage == r->storage && y->reserves[k].tier == r->tier) {
            diagnose_clash(d, LEVEL_ERROR, r->id.place, y->reserves[k].id.place, "the first one",
                           "tier '%s' has a reserve of %s already: state one", r->tier_name.s,
                           r->storage ? "storage" : "compute");
            return;
        }
}

static void check_reserve_sum(const struct policy *y, struct diagnostics *d, bool storage) {
    int64_t sum = 0;
    for (size_t i = 0; i < y->n_reserves; i++) {
        if (y->reserves[i].storage != storage) continue;
        sum += y->reserves[i].percent;
        if (sum > 100) {
            diagnose(d, LEVEL_ERROR, y->reserves[i].place, "the reserves of %s add up to %lld %% of the pool",
                     storage ? "storage" : "compute", (long long)sum);
            return;
        }
    }
}

/* ---- budget ---- */

struct amount_text budget_text(bool storage, wide_t amount) {
    static const int64_t per[2] = {INT64_C(1000) * 3600, INT64_C(1000000000000) * 720};
    struct amount_text n = wide_ratio_text(amount, per[storage]), out;
    size_t length = strlen(n.s);
    while (length > 0 && n.s[length - 1] == '0') length--;
    if (length > 0 && n.s[length - 1] == '.') length--;
    text_format(out.s, sizeof out.s, "%.*s %s", (int)(length < 20 ? length : 20), n.s,
                storage ? "TB-months" : "TF-hours");
    return out;
}

/* The smallest step of compute in the pool; 0: none. */
static int64_t smallest_step(const struct policy *y, const struct flavor **which) {
    int64_t least = 0;
    for (size_t i = 0; i < y->n_flavors; i++) {
        const struct flavor *f = &y->flavors[i];
        int64_t step = f->sizes[0] * f->rating.n;
        if (f->unrated || f->units < f->sizes[0] || (least > 0 && step >= least)) continue;
        least = step;
        *which = f;
    }
    return least;
}

static void check_budget(const struct policy *y, const struct budget *b, struct diagnostics *d) {
    static const int64_t days[PERIODS] = {[PERIOD_MONTH] = 31, [PERIOD_QUARTER] = 92, [PERIOD_YEAR] = 366};
    const struct lease *lease;
    const struct flavor *f = NULL;
    span_t length = lease_shortest(y, &lease);
    int64_t step = smallest_step(y, &f);
    if (b->storage || !lease || step == 0) return;
    if (length.s > days[b->period] * CLOCK_DAY) length = span(days[b->period] * CLOCK_DAY);
    wide_t least = (wide_t)step * length.s;
    if (b->most < least)
        diagnose_clash(d, LEVEL_WARNING, b->place, lease->term_place, "the shortest lease",
                       "not even the smallest step fits this budget: %s x %lld for %s is %s", f->name.s,
                       (long long)f->sizes[0], span_text(length).s, budget_text(false, least).s);
}

void check_sharing(const struct policy *policy, struct diagnostics *d) {
    check_queue(policy, d);
    check_borrow(policy, d);
    for (size_t i = 0; i < policy->n_idles; i++) check_idle(policy, &policy->idles[i], d);
    for (size_t i = 0; i < policy->n_reserves; i++) check_reserve(policy, i, d);
    check_reserve_sum(policy, d, false);
    check_reserve_sum(policy, d, true);
    for (size_t i = 0; i < policy->n_budgets; i++) check_budget(policy, &policy->budgets[i], d);
}
