/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/plan.h"

#include "alloc/scope.h"
#include "policies/planning.h"

#include <stdlib.h>
#include <string.h>

/* ---- what comes out ---- */

static int64_t units_given(const struct planning *p, const struct work *w) {
    int64_t n = 0;
    for (size_t i = 0; i < p->n_lanes; i++) n += w->options[i].given;
    return n;
}

static bool is_partial(const struct planning *p, const struct work *w) {
    if (w->claim->ask == ASK_NONE || !w->has_minimum) return false;
    if (w->claim->ask == ASK_UNITS) return units_given(p, w) < w->best;
    /* Over several flavors the whole may stay a little below the best of an endless flavor. */
    return w->given_compute < (w->mixed && w->whole < w->best && w->ask <= p->capacity ? w->whole : w->best);
}

/* Servers that have exactly what was given. */
void lines_make(struct planning *p, const struct work *w, struct plan_line **lines, size_t *n_lines) {
    size_t room = 0;
    for (size_t i = 0; i < p->n_lanes; i++) {
        if (w->options[i].given == 0) continue;
        struct lane *l = &p->lanes[i];
        int64_t n = w->options[i].given, size = w->claim->per_server, count[LADDER_SIZES];
        struct ladder one, *ladder = &l->ladder;
        if (size > 0) ladder_begin(&one, &size, 1), ladder = &one;
        ladder_cover(ladder, n, count);
        for (size_t k = ladder->n_sizes; k-- > 0;) {
            if (count[k] == 0) continue;
            *lines = arena_grow(&p->memory, *lines, &room, *n_lines + 1, sizeof **lines);
            (*lines)[(*n_lines)++] = (struct plan_line){arena_text(&p->memory, l->flavor->name),
                                                        ladder->sizes[k], count[k], l->flavor->rating};
        }
        if (size > 0) ladder_end(&one);
    }
}

static void limits_make(struct planning *p, const struct work *w, struct plan_limits *l) {
    items_make(p, w, l);
    if (w->compute) l->has_compute = true, l->compute = w->compute->compute;
    if (w->storage) l->has_storage = true, l->storage = w->storage->storage;
    if (w->organisation_compute)
        l->has_organisation_compute = true, l->organisation_compute = w->organisation_compute->compute;
    if (w->organisation_storage)
        l->has_organisation_storage = true, l->organisation_storage = w->organisation_storage->storage;
}

/* What its tenant has without it, which is what counted when it was its turn. */
static void standing_make(struct planning *p, const struct work *w, struct plan_standing *s) {
    int64_t held =
        w->seat->compute + w->seat->given_compute - w->given_compute - w->claim->replaces.compute.n;
    const struct queue_rule *q = p->sharing;
    if (q && q->weigh_surplus) held -= w->seat->guarantee;
    *s = (struct plan_standing){.lifted = w->lifted,
                                .rank = w->rank,
                                .weight = w->weight,
                                .guarantee = gflops(w->seat->guarantee),
                                .held_gflops = held > 0 ? held : 0,
                                .capacity_gflops = p->capacity,
                                .credits = w->tenant->credits};
    if (w->tier >= 0) s->tier = arena_text(&p->memory, p->policy->tiers[w->tier].name.s);
    if (w->tier_rule >= 0) s->rule = arena_text(&p->memory, p->policy->tier_rules[w->tier_rule].id.s);
}

/* What a queued claim counts for those behind it. */
static int64_t compute_wanted(const struct planning *p, const struct work *w) {
    if (w->claim->ask != ASK_UNITS) return w->whole;
    for (size_t i = 0; i < p->n_lanes; i++)
        if (w->options[i].wanted > 0) return w->options[i].wanted * p->lanes[i].flavor->rating.n;
    return 0;
}

static void decision_make(struct planning *p, struct work *w, struct decision *d) {
    d->claim = arena_text(&p->memory, w->claim->id);
    if (w->outcome == OUTCOME_GRANT && is_partial(p, w)) w->outcome = OUTCOME_PARTIAL;
    d->outcome = w->outcome;
    d->lease = w->lease;
    limits_make(p, w, &d->limits);
    standing_make(p, w, &d->standing);
    if (w->outcome == OUTCOME_DENY) offer_pass(p, w, d);
    if (w->outcome == OUTCOME_QUEUE) {
        d->is_barrier = w->is_barrier;
        say_waiting(p, w, d);
    }
    if (w->outcome <= OUTCOME_PARTIAL) {
        say_given(p, w);
        lines_make(p, w, &d->lines, &d->n_lines);
        d->compute = gflops(w->given_compute);
        d->storage = bytes(w->bytes);
        rest_make(p, w, &d->datalake, &d->seats, &d->n_seats);
        d->needs_agreement = w->needs_agreement;
    }
    reasons_finish(&w->reasons, d);
}

static int64_t add(int64_t a, int64_t b) { return a > INT64_MAX - b ? INT64_MAX : a + b; }

/* Places, what is ahead, when the whole fits, what could be had now. */
static void queue_make(struct planning *p, struct decision *decisions) {
    const struct fact_pool *pool = &p->facts->pool;
    size_t *queued = mem_alloc(p->n * sizeof *queued), n = 0;
    int64_t position = pool->waiting, ahead = pool->waiting_compute.n;
    for (size_t i = 0; i < p->n; i++)
        if (p->works[i].outcome == OUTCOME_QUEUE) queued[n++] = i;
    if (p->sharing) turns_sort(p, queued, n);
    for (size_t i = 0; i < n; i++) {
        struct work *w = &p->works[queued[i]];
        struct decision *d = &decisions[w->input];
        d->position = ++position;
        d->ahead_compute = gflops(ahead);
        ahead = add(ahead, compute_wanted(p, w));
        d->earliest = ends_earliest(p, w);
    }
    if (p->queue && !pool->draining) offers_make(p, queued, n, decisions);
    free(queued);
}

int planning_run(struct planning *p, struct err *e) {
    if (planning_begin(p, e) < 0) return -1;
    for (size_t i = 0; i < p->n; i++) judge_claim(p, &p->works[i]);
    lend_begin(p);
    ends_begin(p);
    if (p->sharing)
        serve_queue(p);
    else
        serve_cohorts(p);
    return 0;
}

void planning_tell(struct planning *p, struct plan *out) {
    out->n_decisions = p->n;
    out->decisions = mem_alloc(p->n * sizeof *out->decisions);
    queue_make(p, out->decisions);
    for (size_t i = 0; i < p->n; i++) decision_make(p, &p->works[i], &out->decisions[p->works[i].input]);
    out->memory = p->memory;
    p->memory = (struct arena){0};
}

static int plan_with(const struct policy *policy, const struct facts *facts, bool bare, struct plan *out,
                     struct err *e) {
    struct eval eval = {0};
    struct planning p = {.policy = policy, .facts = facts, .eval = &eval, .bare = bare};
    *out = (struct plan){0};
    int failed = planning_run(&p, e);
    if (!failed) planning_tell(&p, out);
    planning_end(&p);
    return failed;
}

int plan_make(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e) {
    return plan_with(policy, facts, false, out, e);
}

int plan_bare(const struct policy *policy, const struct facts *facts, struct plan *out, struct err *e) {
    return plan_with(policy, facts, true, out, e);
}
