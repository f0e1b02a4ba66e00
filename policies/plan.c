/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/plan.h"

#include "alloc/scope.h"
#include "policies/planning.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is planned with ---- */

static int facts_check(const struct facts *f, struct err *e) {
    wide_t total = 0;
    if (f->pool.n_flavors > LANES_MOST)
        return err_set(e, ERR_USAGE, "pool %s has more than %d flavors", f->pool.name, LANES_MOST);
    for (size_t i = 0; i < f->pool.n_flavors; i++) {
        const struct fact_flavor *v = &f->pool.flavors[i];
        if (v->rating.n < 1 || v->rating.n > GFLOPS_MOST || v->capacity.n < 0 || v->capacity.n > UNITS_MOST)
            return err_set(e, ERR_USAGE, "flavor %s: rating or capacity out of range", v->name);
        if (v->free.n > v->capacity.n)
            return err_set(e, ERR_USAGE, "flavor %s: more units free than there are", v->name);
        for (size_t k = 0; k < v->n_sizes; k++)
            if (v->sizes[k] < 1 || v->sizes[k] > SIZE_MOST || (k > 0 && v->sizes[k] <= v->sizes[k - 1]))
                return err_set(e, ERR_USAGE, "flavor %s: sizes are 1 to %d, ascending", v->name, SIZE_MOST);
        total += (wide_t)v->capacity.n * v->rating.n;
    }
    if (total > GFLOPS_MOST) return err_set(e, ERR_USAGE, "pool %s has too much compute", f->pool.name);
    for (size_t i = 0; i < f->n_claims; i++) {
        const struct fact_claim *c = &f->claims[i];
        if (c->tenant >= f->n_tenants) return err_set(e, ERR_FAILED, "claim %s has no tenant", c->id);
        if (c->units.n < 0 || c->units.n > UNITS_MOST || c->compute.n < 0 || c->storage.n < 0 ||
            c->storage.n > BYTES_MOST || c->per_server < 0 || c->minimum_compute.n < 0 ||
            c->minimum_units.n < 0)
            return err_set(e, ERR_USAGE, "claim %s: an amount is out of range", c->id);
    }
    return 0;
}

static size_t policy_rank(const struct policy *policy, const char *flavor) {
    for (size_t i = 0; policy && i < policy->n_flavors; i++)
        if (strcmp(policy->flavors[i].name.s, flavor) == 0) return i;
    return SIZE_MAX;
}

/* Lanes in the order of the policy; what it does not name comes last, by name. */
static void lanes_begin(struct planning *p) {
    const struct fact_pool *pool = &p->facts->pool;
    p->lanes = mem_alloc(pool->n_flavors * sizeof *p->lanes);
    for (size_t i = 0; i < pool->n_flavors; i++) {
        const struct fact_flavor *f = &pool->flavors[i];
        size_t rank = policy_rank(p->policy, f->name), at = p->n_lanes++;
        for (; at > 0; at--) {
            const char *before = p->lanes[at - 1].flavor->name;
            size_t other = policy_rank(p->policy, before);
            if (other < rank || (other == rank && strcmp(before, f->name) < 0)) break;
            p->lanes[at] = p->lanes[at - 1];
        }
        p->lanes[at] = (struct lane){.flavor = f, .free = f->free.n > 0 ? f->free.n : 0};
        p->capacity += f->capacity.n * f->rating.n;
    }
    for (size_t i = 0; i < p->n_lanes; i++)
        ladder_begin(&p->lanes[i].ladder, p->lanes[i].flavor->sizes, p->lanes[i].flavor->n_sizes);
    if (p->capacity == 0) p->capacity = 1;
    p->storage_free = pool->storage_free.n > 0 ? pool->storage_free.n : 0;
}

static int work_cmp(const void *a, const void *b) {
    const struct fact_claim *x = ((const struct work *)a)->claim, *y = ((const struct work *)b)->claim;
    if (x->submitted.s != y->submitted.s) return x->submitted.s < y->submitted.s ? -1 : 1;
    return claim_id_cmp(x->id, y->id);
}

static int seat_cmp(const void *a, const void *b) {
    const struct work *x = *(struct work *const *)a, *y = *(struct work *const *)b;
    return (x->claim->tenant > y->claim->tenant) - (x->claim->tenant < y->claim->tenant);
}

static int organisation_cmp(const void *a, const void *b) {
    const struct work *x = *(struct work *const *)a, *y = *(struct work *const *)b;
    const char *n = x->tenant->organisation, *m = y->tenant->organisation;
    if (!n || !m) return n ? 1 : m ? -1 : seat_cmp(a, b); /* without one: by itself */
    return strcmp(n, m);
}

/* Claims of one tenant share a seat, tenants of one organisation share its party. */
static void parties_begin(struct planning *p) {
    struct work **sorted = mem_alloc(p->n * sizeof(struct work *));
    p->seats = mem_alloc(p->n * sizeof *p->seats);
    p->organisations = mem_alloc(p->n * sizeof *p->organisations);
    for (size_t i = 0; i < p->n; i++) sorted[i] = &p->works[i];
    qsort(sorted, p->n, sizeof(struct work *), seat_cmp);
    for (size_t i = 0, k = 0; i < p->n; i++) {
        const struct fact_tenant *t = sorted[i]->tenant;
        if (i > 0 && seat_cmp(&sorted[i - 1], &sorted[i]) != 0) k++;
        p->seats[k].name = t->name;
        p->seats[k].compute = t->held_compute.n;
        p->seats[k].storage = t->held_storage.n;
        sorted[i]->seat = &p->seats[k];
    }
    qsort(sorted, p->n, sizeof(struct work *), organisation_cmp);
    for (size_t i = 0, k = 0; i < p->n; i++) {
        const struct fact_tenant *t = sorted[i]->tenant;
        if (i > 0 && organisation_cmp(&sorted[i - 1], &sorted[i]) != 0) k++;
        struct party *o = &p->organisations[k];
        o->name = t->organisation ? t->organisation : t->name;
        if (t->organisation_compute.n > o->compute) o->compute = t->organisation_compute.n;
        if (t->organisation_storage.n > o->storage) o->storage = t->organisation_storage.n;
        sorted[i]->organisation = o;
    }
    free(sorted);
}

static int works_begin(struct planning *p, struct err *e) {
    const struct facts *f = p->facts;
    p->n = f->n_claims;
    p->works = mem_alloc(p->n * sizeof *p->works);
    p->options = mem_alloc(p->n * p->n_lanes * sizeof *p->options);
    for (size_t i = 0; i < p->n; i++) {
        struct work *w = &p->works[i];
        w->claim = &f->claims[i];
        w->tenant = &f->tenants[f->claims[i].tenant];
        w->input = i;
    }
    qsort(p->works, p->n, sizeof *p->works, work_cmp);
    for (size_t i = 0; i < p->n; i++) {
        p->works[i].options = p->options + i * p->n_lanes;
        if (i > 0 && work_cmp(&p->works[i - 1], &p->works[i]) == 0)
            return err_set(e, ERR_FAILED, "claim %s stands twice in the facts", p->works[i].claim->id);
    }
    parties_begin(p);
    return 0;
}

/* ---- what comes out ---- */

static void say_rounded(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    struct reason *r;
    if (w->bytes < c->storage.n) {
        r = reason_add(&w->reasons, REASON_ROUNDED, false, NULL, NULL);
        reason_en(r, "storage of %s is rounded down to %s, in steps of %s", bytes_text(c->storage).s,
                  bytes_text(bytes(w->bytes)).s, bytes_text(p->facts->pool.granule).s);
        reason_ko(r, "저장 공간 %s은(는) %s 단위로 내림하여 %s를 배정합니다", bytes_text(c->storage).s,
                  bytes_text(p->facts->pool.granule).s, bytes_text(bytes(w->bytes)).s);
    }
    if (w->outcome != OUTCOME_GRANT || c->ask == ASK_NONE) return;
    if (c->ask == ASK_COMPUTE && w->given_compute < c->compute.n) {
        r = reason_add(&w->reasons, REASON_ROUNDED, false, NULL, NULL);
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

static bool is_partial(const struct planning *p, const struct work *w) {
    if (w->claim->ask == ASK_NONE || !w->claim->has_minimum) return false;
    if (w->claim->ask == ASK_UNITS) return units_given(p, w) < w->best;
    /* Over several flavors the whole may stay a little below the best of an endless flavor. */
    return w->given_compute < (w->mixed && w->whole < w->best && w->ask <= p->capacity ? w->whole : w->best);
}

static const struct word *ceiling_near(const struct work *w) {
    const struct ceiling *a = w->compute, *b = w->organisation_compute;
    if (!a || !b) return a ? &a->id : b ? &b->id : NULL;
    int64_t left = a->compute.n - w->seat->compute - w->seat->given_compute;
    int64_t right = b->compute.n - w->organisation->compute - w->organisation->given_compute;
    return left <= right ? &a->id : &b->id;
}

static void say_shrunk(struct planning *p, struct work *w) {
    const struct word *rule = w->ceiling_stops ? ceiling_near(w) : NULL;
    struct reason *r = reason_add(&w->reasons, REASON_SHRUNK, false, p->policy, rule);
    const char *why = rule ? "the ceiling allows no further step" : "no further step is free in this round";
    const char *why_ko = rule ? "한도 때문에 더 늘릴 수 없습니다" : "이번 회차에 남은 자원이 없습니다";
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

static void lines_make(struct planning *p, struct work *w, struct decision *d) {
    size_t room = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        struct lane *l = &p->lanes[i];
        int64_t n = w->options[i].given, size = w->claim->per_server, count[LADDER_SIZES] = {0};
        struct ladder one, *ladder = &l->ladder;
        if (n == 0) continue;
        if (size > 0) ladder_begin(&one, &size, 1), ladder = &one;
        ladder_cover(ladder, n, count);
        for (size_t k = ladder->n_sizes; k-- > 0;) {
            if (count[k] == 0) continue;
            d->lines = mem_grow(d->lines, &room, d->n_lines + 1, sizeof *d->lines);
            d->lines[d->n_lines++] =
                (struct plan_line){mem_copy(l->flavor->name), ladder->sizes[k], count[k], l->flavor->rating};
        }
        if (size > 0) ladder_end(&one);
    }
}

static void limits_make(const struct work *w, struct plan_limits *l) {
    if (w->compute) l->has_compute = true, l->compute = w->compute->compute;
    if (w->storage) l->has_storage = true, l->storage = w->storage->storage;
    if (w->organisation_compute)
        l->has_organisation_compute = true, l->organisation_compute = w->organisation_compute->compute;
    if (w->organisation_storage)
        l->has_organisation_storage = true, l->organisation_storage = w->organisation_storage->storage;
}

static void say_no_units(struct planning *p, struct work *w) {
    struct reason *r = reason_add(&w->reasons, REASON_NO_UNITS, true, NULL, NULL);
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
        gflops_t least = w->claim->has_minimum ? w->claim->minimum_compute : gflops(w->whole);
        text_add(&needs, "%s", gflops_text(least).s);
        text_add(&needs_ko, "%s", gflops_text(least).s);
    }
    bool least = w->claim->has_minimum;
    reason_en(r, "%s needs %s%s; free now: %s", w->tenant->name, least ? "at least " : "", needs.s,
              free_now.s);
    reason_ko(r, "%s의 신청에는 %s%s이(가) 필요하지만 지금 남은 자원은 %s입니다", w->tenant->name,
              least ? "최소 " : "", needs_ko.s, free_now.s);
    text_free(&needs_ko);
    size_t lane;
    int64_t n, compute = w->claim->ask == ASK_COMPUTE ? w->ask : INT64_MAX;
    if (claim_best(p, w, compute < GFLOPS_MOST ? compute : GFLOPS_MOST, true, &lane, &n)) {
        const struct fact_flavor *f = p->lanes[lane].flavor;
        reason_hint_en(r, "%s x %lld (%s) is free now: ask for that, or wait", f->name, (long long)n,
                       gflops_text(gflops(n * f->rating.n)).s);
        reason_hint_ko(r, "지금은 %s x %lld(%s)까지 가능합니다. 그만큼 신청하거나 기다리십시오", f->name,
                       (long long)n, gflops_text(gflops(n * f->rating.n)).s);
    } else {
        reason_hint_en(r, "it keeps its place until units come back");
        reason_hint_ko(r, "자원이 반납될 때까지 순번이 유지됩니다");
    }
    text_free(&free_now);
    text_free(&needs);
}

static void say_waiting(struct planning *p, struct work *w, const struct decision *d) {
    struct reason *r;
    if (p->facts->pool.draining) {
        r = reason_add(&w->reasons, REASON_DRAINING, true, NULL, NULL);
        reason_en(r, "pool %s is draining and gives nothing new", p->facts->pool.name);
        reason_ko(r, "자원 풀 %s은(는) 정리 중이라 새로 배정하지 않습니다", p->facts->pool.name);
        return;
    }
    if (w->lacks_units) say_no_units(p, w);
    if (w->lacks_storage) {
        r = reason_add(&w->reasons, REASON_NO_STORAGE, true, NULL, NULL);
        reason_en(r, "%s needs %s of storage; free now: %s", w->tenant->name, bytes_text(bytes(w->bytes)).s,
                  bytes_text(bytes(p->storage_free)).s);
        reason_ko(r, "%s의 신청에는 저장 공간 %s가 필요하지만 지금 남은 공간은 %s입니다", w->tenant->name,
                  bytes_text(bytes(w->bytes)).s, bytes_text(bytes(p->storage_free)).s);
        reason_hint_en(r, "it keeps its place until storage comes back");
        reason_hint_ko(r, "저장 공간이 반납될 때까지 순번이 유지됩니다");
    }
    if (!w->lacks_turn) return;
    r = reason_add(&w->reasons, REASON_WAITING_TURN, true, NULL, NULL);
    reason_en(r, "place %lld in the queue; those before it ask for %s", (long long)d->position,
              gflops_text(d->ahead_compute).s);
    reason_ko(r, "대기 순번 %lld번이며 앞선 신청은 모두 %s입니다", (long long)d->position,
              gflops_text(d->ahead_compute).s);
    reason_hint_en(r, "earlier requests are served first");
    reason_hint_ko(r, "먼저 접수된 신청부터 배정됩니다");
}

/* What a queued claim counts for those behind it. */
static int64_t compute_wanted(const struct planning *p, const struct work *w) {
    if (w->claim->ask != ASK_UNITS) return w->whole;
    for (size_t i = 0; i < p->n_lanes; i++)
        if (w->options[i].wanted > 0) return w->options[i].wanted * p->lanes[i].flavor->rating.n;
    return 0;
}

static void decision_make(struct planning *p, struct work *w, struct decision *d) {
    d->claim = mem_copy(w->claim->id);
    if (w->outcome == OUTCOME_GRANT && is_partial(p, w)) w->outcome = OUTCOME_PARTIAL;
    d->outcome = w->outcome;
    d->lease = w->lease;
    limits_make(w, &d->limits);
    if (w->outcome == OUTCOME_QUEUE) say_waiting(p, w, d);
    if (w->outcome == OUTCOME_PARTIAL) say_shrunk(p, w);
    if (w->outcome <= OUTCOME_PARTIAL) {
        say_rounded(p, w);
        lines_make(p, w, d);
        d->compute = gflops(w->given_compute);
        d->storage = bytes(w->bytes);
    }
    reasons_finish(&w->reasons, d);
}

static void decisions_make(struct planning *p, struct plan *out) {
    int64_t position = 0, ahead = 0;
    out->n_decisions = p->n;
    out->decisions = mem_alloc(p->n * sizeof *out->decisions);
    for (size_t i = 0; i < p->n; i++) {
        struct work *w = &p->works[i];
        struct decision *d = &out->decisions[w->input];
        if (w->outcome == OUTCOME_QUEUE) {
            d->position = ++position;
            d->ahead_compute = gflops(ahead);
            int64_t wanted = compute_wanted(p, w);
            ahead = ahead > INT64_MAX - wanted ? INT64_MAX : ahead + wanted;
        }
        decision_make(p, w, d);
    }
}

static void planning_end(struct planning *p) {
    for (size_t i = 0; i < p->n_lanes; i++) ladder_end(&p->lanes[i].ladder);
    free(p->lanes);
    free(p->works);
    free(p->options);
    free(p->seats);
    free(p->organisations);
}

int plan_make(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e) {
    struct eval eval;
    struct planning p = {.policy = policy, .facts = facts, .eval = &eval};
    *out = (struct plan){0};
    if (facts_check(facts, e) < 0) return -1;
    lanes_begin(&p);
    int failed = works_begin(&p, e);
    for (size_t i = 0; i < p.n && !failed; i++) judge_claim(&p, &p.works[i]);
    for (size_t first = 0, end; first < p.n && !failed; first = end) {
        int64_t submitted = p.works[first].claim->submitted.s;
        for (end = first; end < p.n && p.works[end].claim->submitted.s == submitted;) end++;
        allot_cohort(&p, first, end);
    }
    if (!failed) decisions_make(&p, out);
    planning_end(&p);
    return failed;
}
