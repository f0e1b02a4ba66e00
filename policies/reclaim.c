/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/reclaim.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "policies/policy.h"
#include "policies/reclaiming.h"

#include <stdlib.h>
#include <string.h>

/* ---- what there is ---- */

static size_t lane_of(const struct fact_pool *pool, const char *flavor) {
    size_t i = 0;
    while (i < pool->n_flavors && strcmp(pool->flavors[i].name, flavor) != 0) i++;
    return i;
}

static bool lease_is_over(const struct facts *f, const struct fact_grant *g) {
    return instant_after(g->end, g->grace).s <= f->now.s;
}

static bool is_ready(const struct reclaiming *w, const struct fact_grant *g) {
    const struct borrow_rule *b = &w->policy->borrow;
    return instant_after(g->start, b->min_hold).s <= instant_after(w->facts->now, b->notice).s;
}

static void pieces_load(struct reclaiming *w) {
    const struct facts *f = w->facts;
    for (size_t g = 0; g < f->n_grants; g++) w->n_pieces += f->grants[g].n_servers;
    w->pieces = mem_alloc((w->n_pieces + 1) * sizeof *w->pieces);
    w->first = mem_alloc((f->n_grants + 1) * sizeof *w->first);
    size_t n = 0;
    for (size_t g = 0; g < f->n_grants; g++) {
        const struct fact_grant *grant = &f->grants[g];
        w->first[g] = n;
        for (size_t i = 0; i < grant->n_servers; i++) {
            const struct fact_server *s = &grant->servers[i];
            bool gone = s->notice || lease_is_over(f, grant);
            w->pieces[n] = (struct piece){.server = s,
                                          .holder = &w->holders[grant->tenant],
                                          .grant = g,
                                          .lane = lane_of(&f->pool, s->flavor),
                                          .ready = is_ready(w, grant),
                                          .gone = gone};
            if (!gone) w->holders[grant->tenant].held += s->compute.n;
            if (gone && w->pieces[n].lane < f->pool.n_flavors) w->supply[w->pieces[n].lane] += s->units;
            n++;
        }
    }
    w->first[f->n_grants] = n;
}

static int by_grant_id(const void *a, const void *b) {
    return claim_id_cmp((*(const struct fact_grant *const *)a)->id,
                        (*(const struct fact_grant *const *)b)->id);
}

static int by_newest(const void *a, const void *b) {
    const struct fact_grant *g = *(const struct fact_grant *const *)a,
                            *h = *(const struct fact_grant *const *)b;
    if (g->start.s != h->start.s) return g->start.s > h->start.s ? -1 : 1;
    return -claim_id_cmp(g->id, h->id);
}

static void grants_sort(struct reclaiming *w) {
    size_t n = w->facts->n_grants;
    const struct fact_grant **sorted = mem_alloc((n + 1) * sizeof(struct fact_grant *));
    for (size_t i = 0; i < n; i++) sorted[i] = &w->facts->grants[i];
    qsort(sorted, n, sizeof(struct fact_grant *), by_grant_id);
    w->by_id = mem_alloc((n + 1) * sizeof *w->by_id);
    for (size_t i = 0; i < n; i++) w->by_id[i] = (size_t)(sorted[i] - w->facts->grants);
    qsort(sorted, n, sizeof(struct fact_grant *), by_newest);
    w->newest = mem_alloc((n + 1) * sizeof *w->newest);
    for (size_t i = 0; i < n; i++) w->newest[sorted[i] - w->facts->grants] = i;
    free(sorted);
}

static int by_organisation(const void *a, const void *b) {
    const struct holder *x = *(struct holder *const *)a, *y = *(struct holder *const *)b;
    const char *p = x->tenant->organisation, *q = y->tenant->organisation;
    int order = strcmp(p ? p : "", q ? q : "");
    return order ? order : strcmp(x->tenant->name, y->tenant->name);
}

static void organisations_join(struct reclaiming *w) {
    size_t n = w->facts->n_tenants;
    struct holder **sorted = mem_alloc((n + 1) * sizeof(struct holder *));
    for (size_t i = 0; i < n; i++) sorted[i] = &w->holders[i];
    qsort(sorted, n, sizeof(struct holder *), by_organisation);
    for (size_t i = 0; i < n; i++) {
        const char *own = sorted[i]->tenant->organisation;
        const char *last = i ? sorted[i - 1]->tenant->organisation : NULL;
        bool same = own && last && strcmp(own, last) == 0;
        sorted[i]->organisation = same ? sorted[i - 1]->organisation : (size_t)(sorted[i] - w->holders);
    }
    free(sorted);
}

/* What can be guaranteed at all: what is not lost, less what is reserved of the whole pool (policies/lend.c).
 */
static int64_t compute_available(const struct reclaiming *w) {
    const struct fact_pool *pool = &w->facts->pool;
    wide_t all = 0, less = 0;
    for (size_t i = 0; i < pool->n_flavors; i++) {
        all += (wide_t)pool->flavors[i].capacity.n * pool->flavors[i].rating.n;
        less += (wide_t)pool->flavors[i].lost.n * pool->flavors[i].rating.n;
    }
    for (size_t i = 0; i < w->policy->n_reserves; i++)
        if (!w->policy->reserves[i].storage) less += all * w->policy->reserves[i].percent / 100;
    return all > less ? (int64_t)(all - less) : 0;
}

static int by_tenant(const void *a, const void *b) {
    return strcmp(((const struct reclaim_scaled *)a)->tenant, ((const struct reclaim_scaled *)b)->tenant);
}

/* One ratio for all where the pool cannot keep all. */
static void guarantees_set(struct reclaiming *w, const struct standing *standings) {
    const struct facts *f = w->facts;
    wide_t sum = f->pool.promised.guarantees.n;
    int64_t available = compute_available(w);
    for (size_t i = 0; i < f->n_tenants; i++) sum += standings[i].guarantee.n;
    w->out->guarantees = gflops(sum > INT64_MAX ? INT64_MAX : (int64_t)sum);
    w->out->available = gflops(available);
    w->out->scaled = mem_alloc((f->n_tenants + 1) * sizeof *w->out->scaled);
    for (size_t i = 0; i < f->n_tenants; i++) {
        struct holder *h = &w->holders[i];
        int64_t stated = standings[i].guarantee.n;
        *h = (struct holder){.tenant = &f->tenants[i], .standing = &standings[i], .guarantee = stated};
        if (sum <= available || stated == 0) continue;
        h->guarantee = (int64_t)((wide_t)stated * available / sum);
        w->out->scaled[w->out->n_scaled++] =
            (struct reclaim_scaled){mem_copy(h->tenant->name), gflops(stated), gflops(h->guarantee)};
    }
    qsort(w->out->scaled, w->out->n_scaled, sizeof *w->out->scaled, by_tenant);
}

static void begin(struct reclaiming *w, const struct standing *standings) {
    const struct fact_pool *pool = &w->facts->pool;
    w->holders = mem_alloc((w->facts->n_tenants + 1) * sizeof *w->holders);
    w->supply = mem_alloc((pool->n_flavors + 1) * sizeof *w->supply);
    w->ladders = mem_alloc((pool->n_flavors + 1) * sizeof *w->ladders);
    w->eval = mem_alloc(sizeof *w->eval);
    for (size_t i = 0; i < pool->n_flavors; i++) {
        w->supply[i] = pool->flavors[i].free.n + pool->flavors[i].coming.n;
        ladder_begin(&w->ladders[i], pool->flavors[i].sizes, pool->flavors[i].n_sizes);
    }
    guarantees_set(w, standings);
    organisations_join(w);
    grants_sort(w);
    pieces_load(w);
}

static void end(struct reclaiming *w) {
    for (size_t i = 0; i < w->facts->pool.n_flavors; i++) ladder_end(&w->ladders[i]);
    free(w->pieces);
    free(w->first);
    free(w->by_id);
    free(w->newest);
    free(w->holders);
    free(w->supply);
    free(w->ladders);
    free(w->takes);
    free(w->eval);
}

/* ---- orders and questions ---- */

bool piece_may_go(const struct reclaiming *w, const struct piece *p) {
    if (p->gone) return false;
    if (p->server->compute.n > 0 && p->server->compute.n > holder_surplus(p->holder)) return false;
    for (size_t i = w->first[p->grant]; p->server->carries && i < w->first[p->grant + 1]; i++)
        if (&w->pieces[i] != p && !w->pieces[i].gone) return false;
    return true;
}

int holder_share_cmp(const struct reclaiming *w, const struct holder *a, const struct holder *b) {
    bool surplus = w->policy->queue.weigh_surplus;
    wide_t x = (wide_t)(surplus ? holder_surplus(a) : a->held) * b->standing->weight;
    wide_t y = (wide_t)(surplus ? holder_surplus(b) : b->held) * a->standing->weight;
    return (x > y) - (x < y);
}

int piece_order(const struct reclaiming *w, const struct piece *a, const struct piece *b) {
    const struct holder *x = a->holder, *y = b->holder;
    int share = x == y ? 0 : holder_share_cmp(w, x, y);
    if (share) return -share;
    if (x->standing->rank != y->standing->rank) return x->standing->rank > y->standing->rank ? -1 : 1;
    return w->newest[a->grant] < w->newest[b->grant] ? -1 : 1;
}

bool holder_touch(struct reclaiming *w, struct holder *h) {
    const struct borrow_rule *b = &w->policy->borrow;
    if (h->touched) return true;
    if (b->id.s && b->has_most && w->touched >= b->most) {
        if (!h->spared) w->out->left_out++;
        h->spared = true;
        return false;
    }
    w->touched++;
    return h->touched = true;
}

static bool asks_of_request(const struct policy *policy, const struct expr *x) {
    if (!x) return false;
    if (x->op == OP_AND || x->op == OP_OR || x->op == OP_NOT)
        return asks_of_request(policy, x->left) || asks_of_request(policy, x->right);
    switch (x->variable) {
    case VAR_COMPUTE:
    case VAR_STORAGE:
    case VAR_UNITS:
    case VAR_FLAVOR:
    case VAR_CALL: return true;
    default: return policy->variables[x->variable].of == SUBJECT_REQUEST;
    }
}

bool rule_concerns(struct reclaiming *w, const struct expr *when, size_t tenant) {
    if (!when) return true;
    if (asks_of_request(w->policy, when)) return false;
    const struct standing *standing = w->holders[tenant].standing;
    eval_tenant(w->eval, w->policy, w->facts, w->holders[tenant].tenant);
    eval_tier(w->eval, standing->tier ? (int)standing->rank : -1);
    return eval_expr(w->eval, when) == TRUTH_TRUE;
}

/* ---- takes ---- */

static instant_t effect_of(const struct reclaiming *w, const struct fact_grant *g, span_t notice) {
    instant_t at = instant_after(w->facts->now, notice);
    const struct borrow_rule *b = &w->policy->borrow;
    instant_t held = b->id.s ? instant_after(g->start, b->min_hold) : at;
    return held.s > at.s ? held : at;
}

/* What is taken for a claim comes to that claim; the rest to anybody. */
static void supply_add(struct reclaiming *w, const struct take *t, int64_t units) {
    size_t lane = w->pieces[t->piece].lane;
    if (t->cause != CAUSE_GUARANTEE && lane < w->facts->pool.n_flavors) w->supply[lane] += units;
}

struct take *take_add(struct reclaiming *w, size_t piece, enum reclaim_cause cause, const struct word *rule,
                      span_t notice) {
    struct piece *p = &w->pieces[piece];
    struct holder *h = p->holder;
    w->takes = mem_grow(w->takes, &w->room, w->n_takes + 1, sizeof *w->takes);
    struct take *t = &w->takes[w->n_takes++];
    *t = (struct take){.piece = piece,
                       .cause = cause,
                       .rule = rule,
                       .effect = effect_of(w, &w->facts->grants[p->grant], notice),
                       .notice = notice,
                       .held = h->held};
    if (!p->gone) {
        h->held -= p->server->compute.n;
        supply_add(w, t, p->server->units);
    }
    p->gone = true;
    return t;
}

void take_drop(struct reclaiming *w, size_t take) {
    struct piece *p = &w->pieces[w->takes[take].piece];
    p->gone = false;
    p->holder->held += p->server->compute.n;
    supply_add(w, &w->takes[take], -p->server->units);
    memmove(&w->takes[take], &w->takes[take + 1], (w->n_takes - take - 1) * sizeof *w->takes);
    w->n_takes--;
}

void take_cut(struct reclaiming *w, struct take *t) {
    t->cut = true;
    supply_add(w, t, -w->pieces[t->piece].server->units);
}

static void reclaim_graces(struct reclaiming *w) {
    for (size_t k = 0; k < w->facts->n_grants; k++) {
        size_t g = w->by_id[k];
        if (!lease_is_over(w->facts, &w->facts->grants[g])) continue;
        for (size_t i = w->first[g]; i < w->first[g + 1]; i++) {
            struct take *t = take_add(w, i, CAUSE_GRACE, NULL, span(0));
            t->effect = w->facts->now;
        }
    }
}

/* ---- notices that end ---- */

static int newest_first(const void *a, const void *b) {
    const struct standing_notice *x = a, *y = b;
    if (x->notice->sent.s != y->notice->sent.s) return x->notice->sent.s > y->notice->sent.s ? -1 : 1;
    return -claim_id_cmp(x->notice->id, y->notice->id);
}

static bool is_ended(const struct reclaiming *w, const struct fact_notice *notice) {
    for (size_t i = 0; i < w->out->n_ends; i++)
        if (strcmp(w->out->ends[i].notice, notice->id) == 0) return true;
    return false;
}

struct standing_notice *notices_of(const struct reclaiming *w, enum reclaim_cause cause, size_t *n) {
    size_t room = 0;
    struct standing_notice *list = NULL;
    *n = 0;
    for (size_t g = 0; g < w->facts->n_grants; g++)
        for (size_t i = 0; i < w->facts->grants[g].n_notices; i++) {
            const struct fact_notice *notice = &w->facts->grants[g].notices[i];
            if (notice->cause != cause || is_ended(w, notice)) continue;
            list = mem_grow(list, &room, *n + 1, sizeof *list);
            list[(*n)++] = (struct standing_notice){&w->facts->grants[g], notice};
        }
    if (list) qsort(list, *n, sizeof *list, newest_first);
    return list;
}

struct reclaim_end *end_add(struct reclaiming *w, const struct fact_grant *grant,
                            const struct fact_notice *notice) {
    size_t g = (size_t)(grant - w->facts->grants);
    for (size_t i = w->first[g]; i < w->first[g + 1]; i++) {
        struct piece *p = &w->pieces[i];
        if (!p->server->notice || strcmp(p->server->notice, notice->id) != 0 ||
            lease_is_over(w->facts, grant))
            continue;
        p->gone = false;
        p->holder->held += p->server->compute.n;
        if (p->lane < w->facts->pool.n_flavors) w->supply[p->lane] -= p->server->units;
    }
    w->out->ends = realloc(w->out->ends, (w->out->n_ends + 1) * sizeof *w->out->ends);
    if (!w->out->ends) abort();
    struct reclaim_end *e = &w->out->ends[w->out->n_ends++];
    *e = (struct reclaim_end){.notice = mem_copy(notice->id)};
    return e;
}

/* Does the notice cover compute that its holder would otherwise keep? */
static bool takes_compute(const struct reclaiming *w, const struct standing_notice *s) {
    size_t g = (size_t)(s->grant - w->facts->grants);
    for (size_t i = w->first[g]; i < w->first[g + 1]; i++) {
        const struct fact_server *server = w->pieces[i].server;
        if (server->notice && strcmp(server->notice, s->notice->id) == 0 && server->compute.n > 0)
            return !lease_is_over(w->facts, s->grant);
    }
    return false;
}

/* A holder may have given back other things, or may have a better guarantee, since a notice was sent: nothing
   is taken that would leave it below its guarantee. */
static void guarantees_keep(struct reclaiming *w) {
    static const enum reclaim_cause causes[] = {CAUSE_GUARANTEE, CAUSE_DEBT, CAUSE_IDLE};
    for (size_t c = 0; c < sizeof causes / sizeof *causes; c++) {
        size_t n;
        struct standing_notice *all = notices_of(w, causes[c], &n);
        for (size_t i = 0; i < n; i++) {
            const struct holder *h = &w->holders[all[i].grant->tenant];
            if (h->held >= h->guarantee || !takes_compute(w, &all[i])) continue;
            struct text en = {0}, ko = {0};
            text_add(&en, "its holder would have %s, less than its guarantee of %s",
                     gflops_text(gflops(h->held)).s, gflops_text(gflops(h->guarantee)).s);
            text_add(&ko, "회수하면 보유량이 %s이(가) 되어 보장량 %s보다 적어집니다",
                     gflops_text(gflops(h->held)).s, gflops_text(gflops(h->guarantee)).s);
            struct reclaim_end *e = end_add(w, all[i].grant, all[i].notice);
            e->en = text_take(&en);
            e->ko = text_take(&ko);
        }
        free(all);
    }
}

/* ---- what comes out ---- */

/* Servers of one grant and flavor that go for one reason at one time are one notice. */
static struct reclaim *reclaim_like(struct reclaiming *w, const struct take *t, size_t from) {
    const struct piece *p = &w->pieces[t->piece];
    for (size_t i = from; i < w->out->n_reclaims; i++) {
        struct reclaim *r = &w->out->reclaims[i];
        if (r->cause == t->cause && text_same(r->grant, w->facts->grants[p->grant].id) &&
            text_same(r->flavor, p->server->flavor) && text_same(r->rule, t->rule ? t->rule->s : NULL) &&
            text_same(r->claim, t->claim ? t->claim->id : NULL) && r->effect.s == t->effect.s)
            return r;
    }
    return NULL;
}

static char *place_text(const struct policy *policy, const struct word *rule) {
    struct text place = {0};
    if (!rule) return NULL;
    text_add(&place, "%s:%d", policy->file, rule->place.line);
    return text_take(&place);
}

static struct reclaim *reclaim_new(struct reclaiming *w, const struct take *t) {
    const struct piece *p = &w->pieces[t->piece];
    const struct holder *h = p->holder;
    struct reclaim *r = &w->out->reclaims[w->out->n_reclaims++];
    *r = (struct reclaim){.grant = mem_copy(w->facts->grants[p->grant].id),
                          .tenant = mem_copy(h->tenant->name),
                          .operations =
                              mem_alloc((w->facts->grants[p->grant].n_servers + 1) * sizeof(int64_t)),
                          .flavor = mem_copy(p->server->flavor),
                          .cause = t->cause,
                          .rule = mem_copy(t->rule ? t->rule->s : NULL),
                          .place = place_text(w->policy, t->rule),
                          .claim = mem_copy(t->claim ? t->claim->id : NULL),
                          .effect = t->effect,
                          .notice = t->notice,
                          .appeal = t->appeal,
                          .held = gflops(t->held),
                          .guarantee = gflops(h->guarantee),
                          .measured = t->sample != NULL};
    if (t->sample) r->sample = *t->sample;
    r->sample.metric = mem_copy(r->sample.metric);
    return r;
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void finish(struct reclaiming *w) {
    const struct take **of = mem_alloc((w->n_takes + 1) * sizeof(struct take *));
    w->out->reclaims = mem_alloc((w->n_takes + 1) * sizeof *w->out->reclaims);
    for (size_t i = 0; i < w->n_takes; i++) {
        const struct take *t = &w->takes[i];
        const struct fact_server *s = w->pieces[t->piece].server;
        if (t->cut) continue;
        struct reclaim *r = reclaim_like(w, t, 0);
        if (!r) {
            r = reclaim_new(w, t);
            of[r - w->out->reclaims] = t;
        }
        r->operations[r->n_operations++] = s->operation;
        r->units += s->units;
        r->compute = gflops(r->compute.n + s->compute.n);
        if (t->cause == CAUSE_GRACE) continue;
        w->out->units += s->units;
        w->out->compute = gflops(w->out->compute.n + s->compute.n);
    }
    w->out->tenants = w->touched;
    for (size_t i = 0; i < w->out->n_reclaims; i++) {
        qsort(w->out->reclaims[i].operations, w->out->reclaims[i].n_operations, sizeof(int64_t), by_number);
        reclaim_say(w, of[i], &w->out->reclaims[i]);
    }
    free(of);
}

static int facts_check(const struct facts *f, const struct standing *standings, struct err *e) {
    for (size_t i = 0; i < f->n_tenants; i++)
        if (standings[i].weight < 1 || standings[i].guarantee.n < 0)
            return err_set(e, ERR_FAILED, "the standing of %s is out of range", f->tenants[i].name);
    for (size_t g = 0; g < f->n_grants; g++) {
        const struct fact_grant *grant = &f->grants[g];
        if (grant->tenant >= f->n_tenants)
            return err_set(e, ERR_FAILED, "grant %s is of no tenant of the facts", grant->id);
        for (size_t i = 0; i < grant->n_servers; i++)
            if (grant->servers[i].units < 1 || grant->servers[i].units > UNITS_MOST ||
                grant->servers[i].compute.n < 0 || grant->servers[i].compute.n > GFLOPS_MOST)
                return err_set(e, ERR_FAILED, "a server of grant %s is out of range", grant->id);
    }
    for (size_t i = 0; i < f->n_claims; i++)
        if (f->claims[i].tenant >= f->n_tenants)
            return err_set(e, ERR_FAILED, "claim %s is of no tenant of the facts", f->claims[i].id);
    return 0;
}

int reclaim_make(const struct policy *policy, const struct facts *facts, const struct standing *standings,
                 struct reclaim_plan *out, struct err *e) {
    *out = (struct reclaim_plan){0};
    if (facts_check(facts, standings, e) < 0) return -1;
    struct reclaiming w = {.policy = policy, .facts = facts, .out = out};
    begin(&w, standings);
    guarantees_keep(&w);
    reclaim_graces(&w);
    reclaim_idle(&w);
    reclaim_debt(&w);
    reclaim_guarantees(&w);
    finish(&w);
    end(&w);
    return 0;
}

int reclaim_decide(const struct policy *policy, const struct facts *facts, struct reclaim_plan *out,
                   struct err *e) {
    *out = (struct reclaim_plan){0};
    struct standing *standings = mem_alloc((facts->n_tenants + 1) * sizeof *standings);
    int rc = policy_decider.assess(policy, facts, standings, e);
    if (rc == 0) rc = reclaim_make(policy, facts, standings, out, e);
    standings_free(standings, facts->n_tenants);
    return rc;
}

bool reclaim_window(const struct policy *policy, size_t i, const char **metric, span_t *window) {
    if (i >= policy->n_idles) return false;
    *metric = policy->idles[i].metric.s;
    *window = policy->idles[i].window;
    return true;
}
