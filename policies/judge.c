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
    return w->claim->override_rule && strcmp(w->claim->override_rule, id.s) == 0;
}

/* A rule that cannot be evaluated holds the request for a person. */
static void hold_unknown(struct planning *p, struct work *w, const struct word *rule) {
    struct text en = {0}, ko = {0};
    struct reason *r = reason_add(&w->reasons, REASON_EVAL_ERROR, true, p->policy, rule);
    eval_missing(p->eval, &en, &ko);
    reason_en(r, "rule %s cannot be evaluated for %s: %s", rule->s, name_of(w), en.s);
    reason_ko(r, "%s의 신청에 규칙 %s을(를) 적용할 수 없습니다: %s", name_of(w), rule->s, ko.s);
    const struct variable *v = &p->policy->variables[p->eval->missing];
    if (v->of == SUBJECT_BUILT_IN) {
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
    reason_en(r, "rule %s is set aside by an override", w->claim->override_rule);
    reason_ko(r, "예외 승인으로 규칙 %s을(를) 적용하지 않습니다", w->claim->override_rule);
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

static void judge_ceilings(struct planning *p, struct work *w) {
    bool aside_compute = false, aside_storage = false, unknown = false;
    for (size_t i = 0; i < p->policy->n_ceilings; i++) {
        const struct ceiling *c = &p->policy->ceilings[i];
        if (is_overridden(w, c->id)) {
            aside_compute |= c->has_compute;
            aside_storage |= c->has_storage;
            continue;
        }
        enum truth t = eval_expr(p->eval, c->when);
        if (t == TRUTH_UNKNOWN) hold_unknown(p, w, &c->id), unknown = true;
        if (t != TRUTH_TRUE) continue;
        if (c->has_compute) tighten(c->per_organisation ? &w->organisation_compute : &w->compute, c, true);
        if (c->has_storage) tighten(c->per_organisation ? &w->organisation_storage : &w->storage, c, false);
    }
    bool asks_compute = w->claim->ask != ASK_NONE, asks_storage = w->claim->storage.n > 0;
    if (unknown) return;
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
        reason_en(r, "the wanted end %s has passed", instant_text(out->end).s);
        reason_ko(r, "희망한 종료 시각 %s이(가) 이미 지났습니다", instant_text(out->end).s);
        reason_hint_en(r, "ask for a later end, at most %s", instant_text(allowed).s);
        reason_hint_ko(r, "더 늦은 종료 시각을 지정하십시오 (최대 %s)", instant_text(allowed).s);
        deny(w);
    } else if (out->end.s > allowed.s && !aside) {
        r = reason_add(&w->reasons, REASON_LEASE_TOO_LONG, true, p->policy, &l->id);
        reason_en(r, "%s asked until %s; a lease that begins now ends at %s at the latest", name_of(w),
                  instant_text(out->end).s, instant_text(allowed).s);
        reason_ko(r, "%s의 희망 종료 시각은 %s이지만, 지금 시작하는 배정은 늦어도 %s에 끝나야 합니다",
                  name_of(w), instant_text(out->end).s, instant_text(allowed).s);
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

static bool lane_asked(const struct planning *p, const struct work *w, size_t lane) {
    const char *flavor = w->claim->flavor;
    if (w->claim->ask == ASK_NONE) return false;
    return !flavor || strcmp(flavor, p->lanes[lane].flavor->name) == 0;
}

static bool lane_usable(const struct planning *p, const struct work *w, size_t lane) {
    return lane_asked(p, w, lane) &&
           (w->claim->per_server == 0 || lane_has_size(&p->lanes[lane], w->claim->per_server));
}

bool claim_best(const struct planning *p, const struct work *w, int64_t compute, bool of_free, size_t *lane,
                int64_t *best_units) {
    int64_t best = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct lane *l = &p->lanes[i];
        if (!lane_usable(p, w, i)) continue;
        int64_t n = compute / l->flavor->rating.n, have = of_free ? l->free : l->flavor->capacity.n;
        n = claim_down(p, w, i, n < have ? n : have);
        if (n * l->flavor->rating.n <= best) continue;
        best = n * l->flavor->rating.n;
        *best_units = n;
        *lane = i;
    }
    return best > 0;
}

static void judge_flavor(struct planning *p, struct work *w) {
    const char *names[LANES_MOST];
    struct text all = {0};
    bool found = false;
    for (size_t i = 0; i < p->n_lanes; i++) {
        names[i] = p->lanes[i].flavor->name;
        found |= lane_asked(p, w, i);
        text_add(&all, "%s%s", i ? ", " : "", names[i]);
    }
    if (!found) {
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
    }
    text_free(&all);
}

static void judge_size(struct planning *p, struct work *w) {
    struct text sizes = {0};
    int64_t wanted = w->claim->per_server;
    bool usable = false;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct lane *l = &p->lanes[i];
        usable |= lane_usable(p, w, i);
        if (!lane_asked(p, w, i)) continue;
        text_add(&sizes, "%s%s x", sizes.length ? "; " : "", l->flavor->name);
        for (size_t k = 0; k < l->ladder.n_sizes; k++)
            text_add(&sizes, "%s %lld", k ? "," : "", (long long)l->ladder.sizes[k]);
    }
    if (!usable && wanted > 0 && sizes.length > 0) {
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

static void option_make(struct planning *p, struct work *w, size_t lane) {
    const struct fact_claim *c = w->claim;
    const struct fact_flavor *f = p->lanes[lane].flavor;
    struct option *o = &w->options[lane];
    if (!lane_usable(p, w, lane)) return;
    bool in_units = c->ask == ASK_UNITS;
    int64_t have = claim_down(p, w, lane, f->capacity.n), least;
    o->wanted = claim_down(p, w, lane, in_units ? c->units.n : c->compute.n / f->rating.n);
    o->most = o->wanted < have ? o->wanted : have;
    if (c->has_minimum) {
        least = in_units ? c->minimum_units.n : divide_up(c->minimum_compute.n, f->rating.n);
        o->floor = claim_up(p, w, lane, least < 1 ? 1 : least);
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
    } else if (c->has_minimum) {
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

static void judge_compute(struct planning *p, struct work *w) {
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
    if (w->whole == 0 && may_mix && (c->has_minimum || c->compute.n <= total)) {
        w->mixed = true;
        w->whole = mixed_whole(p, w, c->compute.n);
        if (c->has_minimum ? w->whole >= c->minimum_compute.n : w->whole > 0) return;
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
    if (!c->has_minimum) drop_lesser(p, w);
    if (w->whole == 0) /* a minimum that fits, of an ask larger than the flavor */
        for (size_t i = 0; i < p->n_lanes; i++)
            if (w->options[i].most * p->lanes[i].flavor->rating.n > w->whole)
                w->whole = w->options[i].most * p->lanes[i].flavor->rating.n;
}

static void judge_storage(struct planning *p, struct work *w) {
    const struct fact_pool *pool = &p->facts->pool;
    int64_t granule = pool->granule.n > 0 ? pool->granule.n : 1, asked = w->claim->storage.n;
    w->bytes = asked / granule * granule;
    struct reason *r;
    if (asked > 0 && w->bytes == 0) {
        r = reason_add(&w->reasons, REASON_BELOW_SMALLEST_STEP, true, NULL, NULL);
        reason_en(r, "%s asked for %s of storage; the smallest step is %s", name_of(w),
                  bytes_text(bytes(asked)).s, bytes_text(bytes(granule)).s);
        reason_ko(r, "%s의 저장 공간 신청 %s은(는) 가장 작은 단위 %s보다 작습니다", name_of(w),
                  bytes_text(bytes(asked)).s, bytes_text(bytes(granule)).s);
        deny(w);
    }
    if (w->bytes > pool->storage_capacity.n) {
        r = reason_add(&w->reasons, REASON_EXCEEDS_POOL, true, NULL, NULL);
        reason_en(r, "%s asked for %s of storage; pool %s has %s in all", name_of(w),
                  bytes_text(bytes(asked)).s, pool->name, bytes_text(pool->storage_capacity).s);
        reason_ko(r, "%s의 저장 공간 신청은 %s이지만 자원 풀 %s에는 모두 %s만 있습니다", name_of(w),
                  bytes_text(bytes(asked)).s, pool->name, bytes_text(pool->storage_capacity).s);
        deny(w);
    }
    if (w->claim->ask == ASK_NONE && asked == 0) {
        r = reason_add(&w->reasons, REASON_BELOW_SMALLEST_STEP, true, NULL, NULL);
        reason_en(r, "%s asked for nothing", name_of(w));
        reason_ko(r, "%s의 신청에 자원이 없습니다", name_of(w));
        deny(w);
    }
}

static bool policy_fits_pool(struct planning *p, struct work *w) {
    const struct fact_pool *pool = &p->facts->pool;
    const struct policy *y = p->policy;
    if (y && strcmp(y->pool.s, pool->name) == 0 && strcmp(y->basis.s, pool->basis) == 0) return true;
    struct reason *r = reason_add(&w->reasons, REASON_NO_POLICY, true, NULL, NULL);
    if (!y) {
        reason_en(r, "no policy is valid now for pool %s", pool->name);
        reason_ko(r, "자원 풀 %s에 지금 유효한 정책이 없습니다", pool->name);
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
    if (w->claim->ask != ASK_NONE) judge_flavor(p, w);
    if (w->claim->ask != ASK_NONE && w->outcome != OUTCOME_DENY) judge_size(p, w);
    judge_compute(p, w);
    judge_storage(p, w);
}
