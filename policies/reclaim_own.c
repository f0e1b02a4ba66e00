/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken back for what its holder does: it lies idle, or it is more than a ceiling allows. */
#include "alloc/scope.h"
#include "alloc/text.h"
#include "policies/reclaiming.h"

#include <stdlib.h>
#include <string.h>

/* ---- idle and unused ---- */

static const struct fact_sample *sample_of(const struct fact_grant *g, const struct idle_rule *r) {
    for (size_t i = 0; i < g->n_samples; i++)
        if (g->samples[i].window.s == r->window.s && strcmp(g->samples[i].metric, r->metric.s) == 0)
            return &g->samples[i];
    return NULL;
}

static bool is_measured(const struct idle_rule *r, const struct fact_sample *s) {
    return s && s->covered >= (r->unused ? RECLAIM_UNUSED_COVERED : 100);
}

/* Percent that surely lay idle over the whole window; 0: not proved. */
static int64_t idle_percent(const struct idle_rule *r, const struct fact_sample *s) {
    if (!is_measured(r, s)) return 0;
    if (!r->unused) return s->most < r->below ? 100 : 0;
    int64_t used = (s->mean * s->covered + 100 * (100 - s->covered) + 99) / 100;
    return used < r->below ? 100 - used : 0;
}

/* The samples themselves say that it is used again. */
static bool use_rose(const struct idle_rule *r, const struct fact_sample *s) {
    return s && s->covered > 0 && (r->unused ? s->mean : s->most) >= r->below;
}

/* Largest first, the newest of equals: the count comes nearest to what may be taken. */
static bool goes_before(const struct piece *a, const struct piece *b) {
    if (a->server->carries != b->server->carries) return b->server->carries;
    if (a->server->units != b->server->units) return a->server->units > b->server->units;
    return a->server->operation > b->server->operation;
}

/* The next server of a grant with the flavor and at most so many units that may go; n_pieces: none. */
static size_t next_piece(const struct reclaiming *w, size_t grant, const char *flavor, int64_t most) {
    size_t best = w->n_pieces;
    for (size_t i = w->first[grant]; i < w->first[grant + 1]; i++) {
        const struct piece *p = &w->pieces[i];
        if (p->server->units > most || strcmp(p->server->flavor, flavor) != 0 || !piece_may_go(w, p))
            continue;
        if (best == w->n_pieces || goes_before(p, &w->pieces[best])) best = i;
    }
    return best;
}

static bool is_first_of_flavor(const struct reclaiming *w, size_t grant, size_t piece) {
    for (size_t i = w->first[grant]; i < piece; i++)
        if (strcmp(w->pieces[i].server->flavor, w->pieces[piece].server->flavor) == 0) return false;
    return true;
}

static void flavor_loses(struct reclaiming *w, size_t grant, const char *flavor, const struct idle_rule *rule,
                         int64_t percent) {
    int64_t units = 0;
    size_t piece;
    for (size_t i = w->first[grant]; i < w->first[grant + 1]; i++)
        if (!w->pieces[i].gone && strcmp(w->pieces[i].server->flavor, flavor) == 0)
            units += w->pieces[i].server->units;
    int64_t most = (int64_t)((wide_t)units * percent * rule->lose / 10000);
    while ((piece = next_piece(w, grant, flavor, most)) < w->n_pieces) {
        if (!holder_touch(w, w->pieces[piece].holder)) return;
        struct take *t = take_add(w, piece, CAUSE_IDLE, &rule->id, rule->notice);
        t->appeal = rule->appeal;
        t->sample = sample_of(&w->facts->grants[grant], rule);
        t->figure = percent;
        most -= w->pieces[piece].server->units;
    }
}

static bool has_notice(const struct fact_grant *g, enum reclaim_cause cause) {
    for (size_t i = 0; i < g->n_notices; i++)
        if (g->notices[i].cause == cause) return true;
    return false;
}

/* Of several rules that a grant breaks, the first one counts. */
static bool is_taken_from(const struct reclaiming *w, size_t grant) {
    for (size_t i = 0; i < w->n_takes; i++)
        if (w->takes[i].cause == CAUSE_IDLE && w->pieces[w->takes[i].piece].grant == grant) return true;
    return false;
}

static enum idle_verdict idle_rule_apply(struct reclaiming *w, const struct idle_rule *rule, size_t grant) {
    const struct fact_grant *g = &w->facts->grants[grant];
    const struct fact_sample *s = sample_of(g, rule);
    int64_t percent = idle_percent(rule, s);
    size_t before = w->n_takes;
    if (!rule_concerns(w, rule->when, g->tenant)) return IDLE_ELSEWHERE;
    if (has_notice(g, CAUSE_IDLE) || is_taken_from(w, grant)) return IDLE_NOTICED;
    if (instant_after(g->start, rule->window).s > w->facts->now.s) return IDLE_YOUNG;
    if (percent == 0) return is_measured(rule, s) ? IDLE_USED : IDLE_UNMEASURED;
    for (size_t i = w->first[grant]; i < w->first[grant + 1]; i++)
        if (is_first_of_flavor(w, grant, i))
            flavor_loses(w, grant, w->pieces[i].server->flavor, rule, percent);
    return w->n_takes > before ? IDLE_TAKEN : IDLE_SPARED;
}

static const struct idle_rule *idle_rule_find(const struct policy *policy, const char *id) {
    for (size_t i = 0; id && i < policy->n_idles; i++)
        if (strcmp(policy->idles[i].id.s, id) == 0) return &policy->idles[i];
    return NULL;
}

static void idle_notices_end(struct reclaiming *w) {
    size_t n;
    struct standing_notice *all = notices_of(w, CAUSE_IDLE, &n);
    for (size_t i = 0; i < n; i++) {
        const struct idle_rule *rule = idle_rule_find(w->policy, all[i].notice->rule);
        const struct fact_sample *s = rule ? sample_of(all[i].grant, rule) : NULL;
        if (rule && !use_rose(rule, s)) continue;
        struct reclaim_end *e = end_add(w, all[i].grant, all[i].notice);
        struct text en = {0}, ko = {0};
        if (rule) {
            long long percent = (long long)(rule->unused ? s->mean : s->most);
            text_add(&en, "it is used again: %s reached %lld %%", rule->metric.s, percent);
            text_add(&ko, "다시 사용되고 있습니다: %s %lld %%", rule->metric.s, percent);
        } else {
            text_add(&en, "the policy has no rule %s any more", all[i].notice->rule);
            text_add(&ko, "정책에 규칙 %s이(가) 더 이상 없습니다", all[i].notice->rule);
        }
        e->en = text_take(&en);
        e->ko = text_take(&ko);
    }
    free(all);
}

void reclaim_idle(struct reclaiming *w) {
    idle_notices_end(w);
    w->out->judged = mem_alloc((w->policy->n_idles + 1) * sizeof *w->out->judged);
    for (size_t r = 0; r < w->policy->n_idles; r++) {
        const struct idle_rule *rule = &w->policy->idles[r];
        struct reclaim_judged *judged = &w->out->judged[w->out->n_judged++];
        *judged = (struct reclaim_judged){.rule = mem_copy(rule->id.s), .window = rule->window};
        for (size_t g = 0; g < w->facts->n_grants; g++) {
            size_t grant = w->by_id[g];
            if (w->facts->grants[grant].n_servers) judged->grants[idle_rule_apply(w, rule, grant)]++;
        }
    }
}

/* ---- debt ---- */

/* One bound of a ceiling: GFLOPS, or units of one flavor. */
struct bound {
    const struct ceiling *ceiling;
    const char *flavor; /* NULL: compute */
    int64_t most;
};

static bool is_counted(const struct reclaiming *w, const struct bound *b, const struct piece *p) {
    const struct fact_grant *g = &w->facts->grants[p->grant];
    if (b->flavor && strcmp(b->flavor, p->server->flavor) != 0) return false;
    return !text_list_has(g->excepted, b->ceiling->id.s);
}

static int64_t amount_of(const struct bound *b, const struct piece *p) {
    return b->flavor ? p->server->units : p->server->compute.n;
}

static size_t group_of(const struct reclaiming *w, const struct bound *b, size_t tenant) {
    return b->ceiling->per_organisation ? w->holders[tenant].organisation : tenant;
}

/* What each tenant (or organisation, at its first) has that counts against the bound. */
static int64_t *sums_of(const struct reclaiming *w, const struct bound *b) {
    int64_t *sums = mem_alloc((w->facts->n_tenants + 1) * sizeof *sums);
    for (size_t i = 0; i < w->n_pieces; i++)
        if (!w->pieces[i].gone && is_counted(w, b, &w->pieces[i]))
            sums[group_of(w, b, w->facts->grants[w->pieces[i].grant].tenant)] += amount_of(b, &w->pieces[i]);
    return sums;
}

/* Which of the tenants have this ceiling: it must concern every tenant of an organisation that shares it. */
static bool *groups_of(struct reclaiming *w, const struct bound *b) {
    bool *is_bound = mem_alloc(w->facts->n_tenants + 1);
    for (size_t i = 0; i < w->facts->n_tenants; i++) is_bound[group_of(w, b, i)] = true;
    for (size_t i = 0; i < w->facts->n_tenants; i++)
        if (!rule_concerns(w, b->ceiling->when, i)) is_bound[group_of(w, b, i)] = false;
    return is_bound;
}

/* The next to go for a debt: newest lease first; in it the largest server within what is over, else the
   smallest. */
static size_t next_debtor(const struct reclaiming *w, const struct bound *b, size_t group, int64_t over) {
    size_t best = w->n_pieces;
    for (size_t i = 0; i < w->n_pieces; i++) {
        const struct piece *p = &w->pieces[i], *q = &w->pieces[best];
        if (group_of(w, b, w->facts->grants[p->grant].tenant) != group || !is_counted(w, b, p) ||
            !piece_may_go(w, p))
            continue;
        if (best == w->n_pieces) {
            best = i;
            continue;
        }
        int order = p->grant == q->grant ? 0 : piece_order(w, p, q);
        bool fits = amount_of(b, p) <= over, other_fits = amount_of(b, q) <= over;
        bool is_nearer = fits != other_fits ? fits : fits ? goes_before(p, q) : goes_before(q, p);
        if (order < 0 || (order == 0 && is_nearer)) best = i;
    }
    return best;
}

static void group_pays(struct reclaiming *w, const struct bound *b, size_t group, int64_t over) {
    size_t from = w->n_takes, piece;
    int64_t debt = over;
    while (over > 0 && (piece = next_debtor(w, b, group, over)) < w->n_pieces) {
        struct take *t = take_add(w, piece, CAUSE_DEBT, &b->ceiling->id, span(RECLAIM_DEBT_DAYS * CLOCK_DAY));
        t->figure = debt;
        t->in_units = b->flavor != NULL;
        over -= amount_of(b, &w->pieces[piece]);
    }
    for (size_t i = w->n_takes; i-- > from;) {
        const struct piece *p = &w->pieces[w->takes[i].piece];
        bool is_needed = over + amount_of(b, p) > 0;
        for (size_t k = from; k < w->n_takes; k++) /* its grant's carrier goes only as the last */
            if (k != i && w->pieces[w->takes[k].piece].grant == p->grant &&
                w->pieces[w->takes[k].piece].server->carries)
                is_needed = true;
        if (is_needed) continue;
        over += amount_of(b, p);
        take_drop(w, i);
    }
    for (size_t i = from; i < w->n_takes; i++)
        if (!holder_touch(w, w->pieces[w->takes[i].piece].holder)) take_cut(w, &w->takes[i]);
}

/* A ceiling with its bounds, and what counts against each. */
struct limit {
    const struct ceiling *ceiling;
    struct bound *bounds;
    int64_t **sums;
    size_t n;
    bool *is_bound; /* of each group */
};

static void limit_add(struct reclaiming *w, struct limit *l, const char *flavor, int64_t most) {
    l->bounds[l->n] = (struct bound){l->ceiling, flavor, most};
    l->sums[l->n] = sums_of(w, &l->bounds[l->n]);
    l->n++;
}

static void limit_begin(struct reclaiming *w, struct limit *l, const struct ceiling *c) {
    *l = (struct limit){.ceiling = c,
                        .bounds = mem_alloc((c->n_items + 1) * sizeof *l->bounds),
                        .sums = mem_alloc((c->n_items + 1) * sizeof *l->sums)};
    if (c->has_compute) limit_add(w, l, NULL, c->compute.n);
    for (size_t k = 0; k < c->n_items; k++)
        if (!c->items[k].seats) limit_add(w, l, c->items[k].name.s, c->items[k].most);
    if (l->n) l->is_bound = groups_of(w, &l->bounds[0]);
}

static void limit_end(struct limit *l) {
    for (size_t i = 0; i < l->n; i++) free(l->sums[i]);
    free(l->bounds);
    free(l->sums);
    free(l->is_bound);
}

/* What a notice would give back, counted against the bound. */
static int64_t notice_amount(const struct reclaiming *w, const struct bound *b,
                             const struct standing_notice *s) {
    size_t g = (size_t)(s->grant - w->facts->grants);
    int64_t sum = 0;
    for (size_t i = w->first[g]; i < w->first[g + 1]; i++)
        if (w->pieces[i].server->notice && strcmp(w->pieces[i].server->notice, s->notice->id) == 0 &&
            is_counted(w, b, &w->pieces[i]))
            sum += amount_of(b, &w->pieces[i]);
    return sum;
}

static bool notice_is_needed(const struct reclaiming *w, const struct limit *l,
                             const struct standing_notice *s) {
    size_t group = l->n ? group_of(w, &l->bounds[0], s->grant->tenant) : 0;
    for (size_t i = 0; i < l->n && l->is_bound[group]; i++)
        if (l->sums[i][group] + notice_amount(w, &l->bounds[i], s) > l->bounds[i].most) return true;
    return false;
}

/* The newest first, as long as all stays within every bound of the ceiling. */
static void debt_notices_end(struct reclaiming *w, const struct limit *l) {
    size_t n;
    struct standing_notice *all = notices_of(w, CAUSE_DEBT, &n);
    for (size_t i = 0; i < n; i++) {
        const char *rule = all[i].notice->rule;
        if (!rule || strcmp(rule, l->ceiling->id.s) != 0 || notice_is_needed(w, l, &all[i])) continue;
        for (size_t k = 0; k < l->n; k++)
            l->sums[k][group_of(w, &l->bounds[k], all[i].grant->tenant)] +=
                notice_amount(w, &l->bounds[k], &all[i]);
        struct reclaim_end *e = end_add(w, all[i].grant, all[i].notice);
        e->en = mem_copy("what is held is within the ceiling again");
        e->ko = mem_copy("보유량이 다시 한도 이내입니다");
    }
    free(all);
}

/* Highest weighted share first, so that the cap spares the others. Each group pays once. */
static void bound_apply(struct reclaiming *w, const struct bound *b, const bool *is_bound) {
    int64_t *sums = sums_of(w, b); /* after what was taken for other causes and bounds */
    size_t n = w->facts->n_tenants;
    for (;;) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            if (!is_bound[i] || sums[i] <= b->most) continue;
            const struct holder *x = &w->holders[i], *y = &w->holders[best];
            int order = best < n ? holder_share_cmp(w, x, y) : 1;
            if (order > 0 || (order == 0 && strcmp(x->tenant->name, y->tenant->name) < 0)) best = i;
        }
        if (best == n) break;
        group_pays(w, b, best, sums[best] - b->most);
        sums[best] = 0;
    }
    free(sums);
}

/* Notices of a ceiling that the policy has no more. */
static void orphaned_debts_end(struct reclaiming *w) {
    size_t n;
    struct standing_notice *all = notices_of(w, CAUSE_DEBT, &n);
    for (size_t i = 0; i < n; i++) {
        const char *rule = all[i].notice->rule;
        bool has = false;
        for (size_t c = 0; rule && c < w->policy->n_ceilings; c++)
            has = has || strcmp(w->policy->ceilings[c].id.s, rule) == 0;
        if (has) continue;
        struct reclaim_end *e = end_add(w, all[i].grant, all[i].notice);
        e->en = mem_copy("the policy has this ceiling no more");
        e->ko = mem_copy("정책에 이 한도가 더 이상 없습니다");
    }
    free(all);
}

void reclaim_debt(struct reclaiming *w) {
    orphaned_debts_end(w);
    for (size_t i = 0; i < w->policy->n_ceilings; i++) {
        struct limit l;
        limit_begin(w, &l, &w->policy->ceilings[i]);
        debt_notices_end(w, &l);
        for (size_t k = 0; k < l.n; k++) bound_apply(w, &l.bounds[k], l.is_bound);
        limit_end(&l);
    }
}
