/* SPDX-License-Identifier: Apache-2.0 */
/* Guarantees that are claimed: borrowed units go back to those who are below theirs. */
#include "alloc/scope.h"
#include "alloc/text.h"
#include "policies/reclaiming.h"

#include <stdlib.h>
#include <string.h>

/* ---- who claims, in order ---- */

/* A claim that only units can help: its tenant is below its guarantee, and all else that it asks is there. */
static bool is_claimant(const struct reclaiming *w, const struct fact_claim *c) {
    const struct fact_pool *pool = &w->facts->pool;
    const struct holder *h = &w->holders[c->tenant];
    if (c->ask == ASK_NONE || h->tenant->suspended || (c->call && !c->ranked)) return false;
    if (c->storage.n > pool->storage_free.n || c->datalake.n > pool->datalake_free.n) return false;
    return h->held + h->assigned - c->replaces.compute.n < h->guarantee;
}

struct ordering {
    const struct reclaiming *w;
    const struct fact_claim *claim;
};

static int64_t sign_of(wide_t a, wide_t b) { return (a > b) - (a < b); }

static int64_t key_order(enum order_key key, const struct ordering *x, const struct ordering *y) {
    const struct fact_claim *c = x->claim, *d = y->claim;
    const struct holder *h = &x->w->holders[c->tenant], *g = &x->w->holders[d->tenant];
    switch (key) {
    case ORDER_SHARE:
        return sign_of((wide_t)h->held * g->standing->weight, (wide_t)g->held * h->standing->weight);
    case ORDER_CREDITS: return sign_of(g->tenant->credits, h->tenant->credits);
    case ORDER_WAIT: return sign_of(c->submitted.s, d->submitted.s);
    default: return claim_id_cmp(c->id, d->id);
    }
}

/* As the queue does: awarded ones first, then strict tiers, then its keys; without a rule the lowest weighted
   share, then the longest wait. */
static int claim_order(const void *a, const void *b) {
    const struct ordering *x = a, *y = b;
    const struct fact_claim *c = x->claim, *d = y->claim;
    const struct holder *h = &x->w->holders[c->tenant], *g = &x->w->holders[d->tenant];
    if (c->ranked != d->ranked) return c->ranked ? -1 : 1;
    if (c->ranked && c->rank != d->rank) return c->rank < d->rank ? -1 : 1;
    if (x->w->policy->queue.strict && h->standing->rank != g->standing->rank)
        return h->standing->rank < g->standing->rank ? -1 : 1;
    static const enum order_key plain[] = {ORDER_SHARE, ORDER_WAIT, ORDER_ID};
    const struct queue_rule *q = &x->w->policy->queue;
    const enum order_key *keys = q->id.s ? q->order : plain;
    size_t n = q->id.s ? q->n_order : sizeof plain / sizeof *plain;
    int64_t order = 0;
    for (size_t i = 0; i < n && order == 0; i++) order = key_order(keys[i], x, y);
    return (int)order;
}

/* ---- how much of one flavor lifts it to its guarantee ---- */

static int64_t divide_up(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/* Counts that the claim can have: servers of one size where it says so. */
static void ladder_of(const struct reclaiming *w, const struct fact_claim *c, size_t lane,
                      struct ladder *out) {
    const struct fact_flavor *f = &w->facts->pool.flavors[lane];
    if (c->per_server > 0)
        ladder_begin(out, &c->per_server, 1);
    else
        ladder_begin(out, f->sizes, f->n_sizes);
}

static int64_t whole_of(const struct fact_claim *c, const struct fact_flavor *f, const struct ladder *l) {
    return ladder_down(l, c->ask == ASK_UNITS ? c->units.n : c->compute.n / f->rating.n);
}

static int64_t floor_of(const struct reclaiming *w, const struct fact_claim *c, const struct fact_flavor *f,
                        const struct ladder *l, int64_t whole) {
    const struct queue_rule *q = &w->policy->queue;
    if (!c->has_minimum || (q->id.s && q->has_partial && q->partial == 0)) return whole;
    return ladder_up(l,
                     c->ask == ASK_UNITS ? c->minimum_units.n : divide_up(c->minimum_compute.n, f->rating.n));
}

/* Units of the lane that the guarantee entitles the claim to: the smallest reachable count at or above what
   is missing, not more than it asks. 0: none, or the least it takes goes beyond the guarantee. */
static int64_t need_of(const struct reclaiming *w, const struct fact_claim *c, size_t lane) {
    const struct fact_flavor *f = &w->facts->pool.flavors[lane];
    const struct holder *h = &w->holders[c->tenant];
    struct ladder l;
    if (f->unrated || f->rating.n < 1 || (c->flavor && strcmp(c->flavor, f->name) != 0)) return 0;
    if (c->per_server > SIZE_MOST) return 0;
    ladder_of(w, c, lane, &l);
    int64_t missing = h->guarantee - h->held - h->assigned + c->replaces.compute.n;
    int64_t whole = whole_of(c, f, &l), least = floor_of(w, c, f, &l, whole);
    int64_t need = ladder_up(&l, divide_up(missing, f->rating.n));
    if (c->ask == ASK_UNITS && whole != c->units.n) whole = 0; /* no such sum: the plan says so */
    if (need > whole) need = whole;
    bool fits = least <= need && need <= f->capacity.n - f->lost.n;
    ladder_end(&l);
    return fits ? need : 0;
}

/* ---- whose servers ---- */

/* In one grant: the largest server within what is still needed, else the smallest. */
static bool is_nearer(const struct piece *p, const struct piece *q, int64_t lacking) {
    bool fits = p->server->units <= lacking, other = q->server->units <= lacking;
    if (p->server->carries != q->server->carries) return q->server->carries;
    if (fits != other) return fits;
    if (p->server->units != q->server->units) return (p->server->units > q->server->units) == fits;
    return p->server->operation > q->server->operation;
}

/* by_size: of one holder the largest first, whatever its lease, which gets the most out of a surplus. */
static size_t next_victim(const struct reclaiming *w, size_t tenant, size_t lane, int64_t lacking,
                          bool by_size) {
    size_t best = w->n_pieces;
    for (size_t i = 0; i < w->n_pieces; i++) {
        const struct piece *p = &w->pieces[i], *q = &w->pieces[best];
        if (p->lane != lane || p->gone || p->holder == &w->holders[tenant] || !piece_may_go(w, p)) continue;
        if (best == w->n_pieces) {
            best = i;
            continue;
        }
        bool same_holder = p->holder == q->holder;
        int order = p->grant == q->grant ? 0 : piece_order(w, p, q);
        if (by_size && same_holder && p->server->units != q->server->units)
            order = p->server->units > q->server->units ? -1 : 1;
        if (p->ready != q->ready ? p->ready : order ? order < 0 : is_nearer(p, q, lacking)) best = i;
    }
    return best;
}

/* One that its grant's carrier needs to be gone stays taken. */
static bool is_needed_by_carrier(const struct reclaiming *w, size_t take, size_t from) {
    const struct piece *p = &w->pieces[w->takes[take].piece];
    for (size_t i = from; i < w->n_takes; i++) {
        const struct piece *q = &w->pieces[w->takes[i].piece];
        if (i != take && q->grant == p->grant && q->server->carries) return true;
    }
    return false;
}

static void drop_all(struct reclaiming *w, size_t from) {
    while (w->n_takes > from) take_drop(w, w->n_takes - 1);
}

/* What is still lacking after all that may be taken; 0 or less: enough. */
static int64_t take_until(struct reclaiming *w, const struct fact_claim *c, size_t lane, int64_t lacking,
                          bool by_size) {
    const struct borrow_rule *b = &w->policy->borrow;
    const struct holder *h = &w->holders[c->tenant];
    size_t piece;
    while (lacking > 0 && (piece = next_victim(w, c->tenant, lane, lacking, by_size)) < w->n_pieces) {
        struct take *t = take_add(w, piece, CAUSE_GUARANTEE, &b->id, b->notice);
        t->claim = c;
        t->figure = h->guarantee - h->held - h->assigned;
        lacking -= w->pieces[piece].server->units;
    }
    return lacking;
}

/* Takes at least so many units for the claim, or nothing. The compute taken, or -1. */
static int64_t take_for(struct reclaiming *w, const struct fact_claim *c, size_t lane, int64_t wanted) {
    size_t from = w->n_takes;
    int64_t compute = 0, lacking = take_until(w, c, lane, wanted, false);
    if (lacking > 0) {
        drop_all(w, from);
        lacking = take_until(w, c, lane, wanted, true);
    }
    if (lacking > 0) {
        drop_all(w, from);
        return -1;
    }
    for (size_t i = w->n_takes; i-- > from;) { /* those that prove unnecessary, in reverse order */
        int64_t units = w->pieces[w->takes[i].piece].server->units;
        if (lacking + units > 0 || is_needed_by_carrier(w, i, from)) continue;
        lacking += units;
        take_drop(w, i);
    }
    for (size_t i = from; i < w->n_takes; i++) compute += w->pieces[w->takes[i].piece].server->compute.n;
    return compute;
}

/* The one flavor that the claim can mean; n_flavors: there are several, or none. */
static size_t only_lane(const struct reclaiming *w, const struct fact_claim *c) {
    size_t n = w->facts->pool.n_flavors, only = n;
    for (size_t lane = 0; lane < n; lane++) {
        if (need_of(w, c, lane) == 0) continue;
        if (only < n) return n;
        only = lane;
    }
    return only;
}

/* The flavor that costs the others least; n_flavors: none can serve it. */
static size_t best_lane(struct reclaiming *w, const struct fact_claim *c) {
    size_t best = only_lane(w, c), from = w->n_takes;
    int64_t least = 0;
    if (best < w->facts->pool.n_flavors) return best;
    for (size_t lane = 0; lane < w->facts->pool.n_flavors; lane++) {
        int64_t need = need_of(w, c, lane);
        if (need == 0) continue;
        int64_t lacking = need > w->supply[lane] ? need - w->supply[lane] : 0;
        int64_t cost = lacking ? take_for(w, c, lane, lacking) : 0;
        drop_all(w, from);
        if (cost >= 0 && (best == w->facts->pool.n_flavors || cost < least)) {
            best = lane;
            least = cost;
        }
    }
    return best;
}

static void claim_serve(struct reclaiming *w, const struct fact_claim *c) {
    if (!is_claimant(w, c)) return;
    size_t lane = best_lane(w, c), from = w->n_takes;
    if (lane == w->facts->pool.n_flavors) return;
    int64_t need = need_of(w, c, lane);
    if (need > w->supply[lane]) {
        if (take_for(w, c, lane, need - w->supply[lane]) < 0) return;
        for (size_t i = from; i < w->n_takes; i++)
            w->supply[lane] += w->pieces[w->takes[i].piece].server->units;
        for (size_t i = from; i < w->n_takes; i++)
            if (!holder_touch(w, w->pieces[w->takes[i].piece].holder)) take_cut(w, &w->takes[i]);
    }
    w->supply[lane] -= need;
    w->holders[c->tenant].assigned += need * w->facts->pool.flavors[lane].rating.n;
}

/* What no claim needs goes back to its holder, the newest notice first. */
static void guarantee_notices_end(struct reclaiming *w) {
    size_t n;
    struct standing_notice *all = notices_of(w, CAUSE_GUARANTEE, &n);
    for (size_t i = 0; i < n; i++) {
        size_t lane = 0;
        while (lane < w->facts->pool.n_flavors && all[i].notice->flavor &&
               strcmp(w->facts->pool.flavors[lane].name, all[i].notice->flavor) != 0)
            lane++;
        if (lane < w->facts->pool.n_flavors && w->supply[lane] < all[i].notice->units) continue;
        if (instant_after(all[i].grant->end, all[i].grant->grace).s <= w->facts->now.s) continue;
        struct reclaim_end *e = end_add(w, all[i].grant, all[i].notice);
        e->en = mem_copy("the guarantee that it was for is met, or claimed no more");
        e->ko = mem_copy("보장량이 충족되었거나 더 이상 요청되지 않아 회수가 필요하지 않습니다");
    }
    free(all);
}

void reclaim_guarantees(struct reclaiming *w) {
    const struct facts *f = w->facts;
    struct ordering *sorted = mem_alloc((f->n_claims + 1) * sizeof *sorted);
    for (size_t i = 0; i < f->n_claims; i++) sorted[i] = (struct ordering){w, &f->claims[i]};
    qsort(sorted, f->n_claims, sizeof *sorted, claim_order);
    bool takes = w->policy->borrow.id.s && !f->pool.draining;
    for (size_t i = 0; takes && i < f->n_claims; i++) claim_serve(w, sorted[i].claim);
    guarantee_notices_end(w);
    free(sorted);
}
