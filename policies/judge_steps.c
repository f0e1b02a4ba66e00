/* SPDX-License-Identifier: Apache-2.0 */
/* What a claim can mean at all: its flavors, the steps that servers can reach, and the size of the pool. */
#include "policies/planning.h"

#include <string.h>

static const char *name_of(const struct work *w) { return w->tenant->name; }

static void deny(struct work *w) { w->outcome = OUTCOME_DENY; }

/* ---- steps ---- */

int64_t claim_down(const struct planning *p, const struct work *w, size_t lane, int64_t units) {
    int64_t size = w->claim->per_server;
    if (size > 0) return units <= 0 ? 0 : units / size * size;
    return ladder_down(&p->lanes[lane].ladder, units);
}

int64_t claim_up(const struct planning *p, const struct work *w, size_t lane, int64_t units) {
    int64_t size = w->claim->per_server;
    if (size > 0) return units <= 0 ? 0 : (units + size - 1) / size * size;
    return ladder_up(&p->lanes[lane].ladder, units);
}

static bool lane_has_size(const struct lane *lane, int64_t size) {
    for (size_t i = 0; i < lane->ladder.n_sizes; i++)
        if (lane->ladder.sizes[i] == size) return true;
    return false;
}

/* A chip without a figure is never meant unless it is named, and is asked for in units only. */
static bool lane_asked(const struct planning *p, const struct work *w, size_t lane) {
    const char *flavor = w->claim->flavor;
    if (w->claim->ask == ASK_NONE) return false;
    if (p->lanes[lane].flavor->unrated && (!flavor || w->claim->ask == ASK_COMPUTE)) return false;
    return !flavor || strcmp(flavor, p->lanes[lane].flavor->name) == 0;
}

bool lane_usable(const struct planning *p, const struct work *w, size_t lane) {
    return lane_asked(p, w, lane) &&
           (w->claim->per_server == 0 || lane_has_size(&p->lanes[lane], w->claim->per_server));
}

bool claim_best(const struct planning *p, const struct work *w, int64_t compute, bool of_free, size_t *lane,
                int64_t *best_units) {
    int64_t best = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct lane *l = &p->lanes[i];
        if (l->flavor->unrated || !lane_usable(p, w, i)) continue;
        int64_t n = compute / l->flavor->rating.n, have = of_free ? l->free : l->flavor->capacity.n;
        n = claim_down(p, w, i, n < have ? n : have);
        if (n * l->flavor->rating.n <= best) continue;
        best = n * l->flavor->rating.n;
        *best_units = n;
        *lane = i;
    }
    return best > 0;
}

/* Compute was asked of a chip that has no figure. */
static bool deny_unrated(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->n_lanes && w->claim->flavor; i++) {
        const struct fact_flavor *f = p->lanes[i].flavor;
        if (!f->unrated || strcmp(f->name, w->claim->flavor) != 0) continue;
        struct reason *r = reason_add(&w->reasons, REASON_NO_SUCH_FLAVOR, true, NULL, NULL);
        reason_en(r, "'%s' has no figure for compute: it is counted in units", f->name);
        reason_ko(r, "'%s'에는 연산 성능 값이 없어 개수로만 신청할 수 있습니다", f->name);
        reason_hint_en(r, "ask for units of '%s'", f->name);
        reason_hint_ko(r, "'%s'의 개수를 지정하여 신청하십시오", f->name);
        deny(w);
        return true;
    }
    return false;
}

static void deny_flavor(struct planning *p, struct work *w) {
    const char *names[LANES_MOST];
    struct text all = {0};
    for (size_t i = 0; i < p->n_lanes; i++) {
        names[i] = p->lanes[i].flavor->name;
        if (p->lanes[i].flavor->unrated && w->claim->ask == ASK_COMPUTE) continue;
        text_add(&all, "%s%s", all.length ? ", " : "", names[i]);
    }
    if (deny_unrated(p, w)) {
        text_free(&all);
        return;
    }
    const char *near = w->claim->flavor ? text_nearest(w->claim->flavor, names, p->n_lanes) : NULL;
    struct reason *r = reason_add(&w->reasons, REASON_NO_SUCH_FLAVOR, true, NULL, NULL);
    if (w->claim->flavor) {
        reason_en(r, "pool %s has no flavor '%s'", p->facts->pool.name, w->claim->flavor);
        reason_ko(r, "자원 풀 %s에는 '%s' 자원이 없습니다", p->facts->pool.name, w->claim->flavor);
    } else {
        reason_en(r, "pool %s has no accelerators", p->facts->pool.name);
        reason_ko(r, "자원 풀 %s에는 가속기가 없습니다", p->facts->pool.name);
    }
    if (near) {
        reason_hint_en(r, "did you mean '%s'? (there are: %s)", near, all.s);
        reason_hint_ko(r, "'%s'을(를) 찾으십니까? (가능한 자원: %s)", near, all.s);
    } else if (all.s) {
        reason_hint_en(r, "ask for one of: %s", all.s);
        reason_hint_ko(r, "다음 중에서 고르십시오: %s", all.s);
    }
    deny(w);
    text_free(&all);
}

void judge_flavor(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->n_lanes; i++)
        if (lane_asked(p, w, i)) return;
    deny_flavor(p, w);
}

void judge_size(struct planning *p, struct work *w) {
    struct text sizes = {0};
    int64_t wanted = w->claim->per_server;
    bool usable = wanted == 0;
    for (size_t i = 0; i < p->n_lanes; i++) usable |= lane_usable(p, w, i);
    if (usable) return;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct lane *l = &p->lanes[i];
        if (!lane_asked(p, w, i)) continue;
        text_add(&sizes, "%s%s x", sizes.length ? "; " : "", l->flavor->name);
        for (size_t k = 0; k < l->ladder.n_sizes; k++)
            text_add(&sizes, "%s %lld", k ? "," : "", (long long)l->ladder.sizes[k]);
    }
    if (sizes.length > 0) {
        struct reason *r = reason_add(&w->reasons, REASON_NO_SUCH_SIZE, true, NULL, NULL);
        reason_en(r, "no server has %lld units of %s", (long long)wanted,
                  w->claim->flavor ? w->claim->flavor : "any flavor");
        reason_ko(r, "한 서버에 %s %lld개가 있는 구성은 없습니다",
                  w->claim->flavor ? w->claim->flavor : "가속기", (long long)wanted);
        reason_hint_en(r, "servers that exist: %s", sizes.s);
        reason_hint_ko(r, "가능한 구성: %s", sizes.s);
        deny(w);
    }
    text_free(&sizes);
}

static int64_t divide_up(int64_t a, int64_t b) { return a / b + (a % b > 0); }

int64_t claim_partial_least(const struct planning *p, const struct work *w, size_t lane, int64_t wanted) {
    const struct queue_rule *q = p->queue;
    int64_t units = 0;
    for (int64_t i = 0; q && q->has_partial && i < q->partial && units < wanted; i++)
        units = claim_up(p, w, lane, units + 1);
    return units < wanted ? units : wanted;
}

static void option_make(struct planning *p, struct work *w, size_t lane) {
    const struct fact_claim *c = w->claim;
    const struct fact_flavor *f = p->lanes[lane].flavor;
    struct option *o = &w->options[lane];
    if (!lane_usable(p, w, lane)) return;
    bool in_units = c->ask == ASK_UNITS;
    int64_t have = claim_down(p, w, lane, f->capacity.n), least;
    o->wanted = claim_down(p, w, lane, in_units ? c->units.n : c->compute.n / f->rating.n);
    o->most = o->wanted < have ? o->wanted : have;
    if (w->has_minimum) {
        least = in_units ? c->minimum_units.n : divide_up(c->minimum_compute.n, f->rating.n);
        o->floor = claim_up(p, w, lane, least < 1 ? 1 : least);
        if (o->most > 0) {
            least = claim_partial_least(p, w, lane, o->wanted);
            if (o->floor < least) o->floor = least;
        }
        if (o->floor > o->most) o->most = 0;
    } else {
        if (o->most < o->wanted) o->most = 0;
        o->floor = o->most;
    }
    if (o->most == 0) o->floor = 0;
}

/* A sum over several flavors, at most `compute`, each lane giving at most what it has in all: the start that
   gets most. Only where no single flavor of the pool is large enough. */
static int64_t mixed_whole(struct planning *p, struct work *w, int64_t compute) {
    int64_t best = 0;
    for (size_t first = 0; first < p->n_lanes; first++) {
        int64_t sum = 0;
        for (size_t k = 0; k < p->n_lanes; k++) {
            size_t lane = k == 0 ? first : k <= first ? k - 1 : k;
            const struct fact_flavor *f = p->lanes[lane].flavor;
            if (!lane_usable(p, w, lane)) continue;
            int64_t n = (compute - sum) / f->rating.n;
            n = claim_down(p, w, lane, n < f->capacity.n ? n : f->capacity.n);
            sum += n * f->rating.n;
        }
        if (sum > best) best = sum;
    }
    return best;
}

static void deny_below_step(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    struct reason *r = reason_add(&w->reasons, REASON_BELOW_SMALLEST_STEP, true, NULL, NULL);
    struct text steps = {0};
    for (size_t i = 0; i < p->n_lanes; i++) {
        if (!lane_usable(p, w, i)) continue;
        int64_t n = claim_up(p, w, i, 1);
        text_add(&steps, "%s%s (%s x %lld)", steps.length ? ", " : "",
                 gflops_text(gflops(n * p->lanes[i].flavor->rating.n)).s, p->lanes[i].flavor->name,
                 (long long)n);
    }
    if (c->ask == ASK_UNITS) {
        reason_en(r, "%s asked for %lld units, which no servers add up to", name_of(w),
                  (long long)c->units.n);
        reason_ko(r, "%s의 신청 %lld개는 서버 구성으로 만들 수 없는 수량입니다", name_of(w),
                  (long long)c->units.n);
    } else if (w->has_minimum) {
        reason_en(r, "%s asked for %s and at least %s: no step lies between", name_of(w),
                  gflops_text(c->compute).s, gflops_text(c->minimum_compute).s);
        reason_ko(r, "%s의 신청(%s, 최소 %s) 범위에 맞는 서버 구성이 없습니다", name_of(w),
                  gflops_text(c->compute).s, gflops_text(c->minimum_compute).s);
    } else {
        reason_en(r, "%s asked for %s, less than the smallest step", name_of(w), gflops_text(c->compute).s);
        reason_ko(r, "%s의 신청 %s은(는) 가장 작은 단위보다 작습니다", name_of(w), gflops_text(c->compute).s);
    }
    if (steps.s) {
        reason_hint_en(r, "the smallest steps are %s", steps.s);
        reason_hint_ko(r, "가장 작은 단위: %s", steps.s);
    }
    text_free(&steps);
    deny(w);
}

static void deny_pool(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    struct reason *r = reason_add(&w->reasons, REASON_EXCEEDS_POOL, true, NULL, NULL);
    struct text have = {0};
    for (size_t i = 0; i < p->n_lanes; i++)
        if (lane_usable(p, w, i))
            text_add(&have, "%s%s x %lld", have.length ? ", " : "", p->lanes[i].flavor->name,
                     (long long)p->lanes[i].flavor->capacity.n);
    if (c->ask == ASK_UNITS) {
        reason_en(r, "%s asked for %lld units; pool %s has %s in all", name_of(w), (long long)c->units.n,
                  p->facts->pool.name, have.s);
        reason_ko(r, "%s의 신청은 %lld개이지만 자원 풀 %s에는 모두 %s만 있습니다", name_of(w),
                  (long long)c->units.n, p->facts->pool.name, have.s);
    } else {
        reason_en(r, "%s asked for %s; pool %s has %s in all", name_of(w), gflops_text(c->compute).s,
                  p->facts->pool.name, have.s);
        reason_ko(r, "%s의 신청은 %s이지만 자원 풀 %s에는 모두 %s만 있습니다", name_of(w),
                  gflops_text(c->compute).s, p->facts->pool.name, have.s);
    }
    text_free(&have);
    deny(w);
}

/* Without a minimum only what gives the whole will do: other flavors would give less. */
static void drop_lesser(struct planning *p, struct work *w) {
    for (size_t i = 0; i < p->n_lanes; i++) {
        struct option *o = &w->options[i];
        bool is_whole = w->claim->ask == ASK_UNITS ? o->most == w->whole_units
                                                   : o->most * p->lanes[i].flavor->rating.n == w->whole;
        if (!is_whole) o->most = o->floor = 0;
    }
}

void judge_compute(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    bool any_wanted = false, any_usable = false;
    if (c->ask == ASK_NONE) return;
    w->ask = c->ask == ASK_COMPUTE ? c->compute.n : 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        struct option *o = &w->options[i];
        option_make(p, w, i);
        int64_t wanted = c->ask == ASK_UNITS ? o->wanted : o->wanted * p->lanes[i].flavor->rating.n;
        if (wanted > w->best) w->best = wanted;
        any_wanted |= o->wanted > 0;
        any_usable |= o->most > 0;
        if (o->most == o->wanted && o->most * p->lanes[i].flavor->rating.n > w->whole)
            w->whole = o->most * p->lanes[i].flavor->rating.n;
        if (o->most > w->whole_units) w->whole_units = o->most;
    }
    if (w->outcome == OUTCOME_DENY) return; /* no such flavor or size */
    if (!any_wanted) {
        deny_below_step(p, w);
        return;
    }
    wide_t total = 0;
    for (size_t i = 0; i < p->n_lanes; i++)
        total += (wide_t)p->lanes[i].flavor->capacity.n * p->lanes[i].flavor->rating.n;
    bool may_mix = c->ask == ASK_COMPUTE && !c->flavor;
    if (w->whole == 0 && may_mix && (w->has_minimum || c->compute.n <= total)) {
        w->mixed = true;
        w->whole = mixed_whole(p, w, c->compute.n);
        if (w->has_minimum ? w->whole >= c->minimum_compute.n : w->whole > 0) return;
    }
    if (!any_usable) {
        bool is_small = false; /* the pool would do, but no step lies between minimum and ask */
        for (size_t i = 0; i < p->n_lanes; i++)
            is_small |= w->options[i].wanted > 0 && w->options[i].wanted <= p->lanes[i].flavor->capacity.n;
        if (is_small)
            deny_below_step(p, w);
        else
            deny_pool(p, w);
        return;
    }
    if (!w->has_minimum) drop_lesser(p, w);
    if (w->whole == 0) /* a minimum that fits, of an ask larger than the flavor */
        for (size_t i = 0; i < p->n_lanes; i++)
            if (w->options[i].most * p->lanes[i].flavor->rating.n > w->whole)
                w->whole = w->options[i].most * p->lanes[i].flavor->rating.n;
}
