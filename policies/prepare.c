/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to what a plan works on: lanes, parties, works. */
#include "policies/planning.h"
#include "policies/sort.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static int facts_check(const struct facts *f, struct err *e) {
    wide_t total = 0;
    if (f->pool.n_flavors > LANES_MOST)
        return err_set(e, ERR_USAGE, "pool %s has more than %d flavors", f->pool.name, LANES_MOST);
    for (size_t i = 0; i < f->pool.n_flavors; i++) {
        const struct fact_flavor *v = &f->pool.flavors[i];
        if ((v->unrated ? v->rating.n != 0 : v->rating.n < 1) || v->rating.n > GFLOPS_MOST ||
            v->capacity.n < 0 || v->capacity.n > UNITS_MOST)
            return err_set(e, ERR_USAGE, "flavor %s: rating or capacity out of range", v->name);
        if (v->lost.n < 0 || v->lost.n > v->capacity.n)
            return err_set(e, ERR_USAGE, "flavor %s: more units lost than there are", v->name);
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
            c->minimum_units.n < 0 || c->datalake.n < 0 || c->datalake.n > BYTES_MOST ||
            c->replaces.compute.n < 0 || c->replaces.storage.n < 0)
            return err_set(e, ERR_USAGE, "claim %s: an amount is out of range", c->id);
        for (size_t k = 0; k < c->n_seats; k++)
            if (c->seats[k].seats < 1 || c->seats[k].seats > UNITS_MOST)
                return err_set(e, ERR_USAGE, "claim %s: seats of %s are out of range", c->id,
                               c->seats[k].service);
    }
    for (size_t i = 0; i < f->pool.n_ends; i++)
        if (f->pool.ends[i].units.n < 0 || f->pool.ends[i].units.n > UNITS_MOST)
            return err_set(e, ERR_USAGE, "the end of %s: units out of range", f->pool.ends[i].grant);
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
        p->free_compute += p->lanes[at].free * f->rating.n;
    }
    for (size_t i = 0; i < p->n_lanes; i++)
        ladder_begin(&p->lanes[i].ladder, p->lanes[i].flavor->sizes, p->lanes[i].flavor->n_sizes);
    if (p->capacity == 0) p->capacity = 1;
    p->storage_free = pool->storage_free.n > 0 ? pool->storage_free.n : 0;
    p->datalake_free = pool->datalake_free.n > 0 ? pool->datalake_free.n : 0;
    p->shelves = mem_alloc(pool->n_services * sizeof *p->shelves);
    for (; p->n_shelves < pool->n_services; p->n_shelves++) {
        const struct fact_service *s = &pool->services[p->n_shelves];
        p->shelves[p->n_shelves] = (struct shelf){.service = s, .free = s->free > 0 ? s->free : 0};
    }
}

static int work_cmp(const void *a, const void *b, void *arg) {
    (void)arg;
    const struct fact_claim *x = ((const struct work *)a)->claim, *y = ((const struct work *)b)->claim;
    if (x->submitted.s != y->submitted.s) return x->submitted.s < y->submitted.s ? -1 : 1;
    return claim_id_cmp(x->id, y->id);
}

static int seat_cmp(const void *a, const void *b, void *arg) {
    (void)arg;
    const struct work *x = *(struct work *const *)a, *y = *(struct work *const *)b;
    return (x->claim->tenant > y->claim->tenant) - (x->claim->tenant < y->claim->tenant);
}

static int organisation_cmp(const void *a, const void *b, void *arg) {
    (void)arg;
    const struct work *x = *(struct work *const *)a, *y = *(struct work *const *)b;
    const char *n = x->tenant->organisation, *m = y->tenant->organisation;
    if (!n || !m) return n ? 1 : m ? -1 : seat_cmp(a, b, arg); /* without one: by itself */
    return strcmp(n, m);
}

/* Claims of one tenant share a seat, tenants of one organisation share its party. */
static void parties_begin(struct planning *p) {
    struct work **sorted = mem_alloc(p->n * sizeof(struct work *));
    p->seats = mem_alloc(p->n * sizeof *p->seats);
    p->organisations = mem_alloc(p->n * sizeof *p->organisations);
    for (size_t i = 0; i < p->n; i++) sorted[i] = &p->works[i];
    sort_by(sorted, p->n, sizeof(struct work *), seat_cmp, NULL);
    for (size_t i = 0, k = 0; i < p->n; i++) {
        const struct fact_tenant *t = sorted[i]->tenant;
        if (i > 0 && seat_cmp(&sorted[i - 1], &sorted[i], NULL) != 0) k++;
        p->seats[k].name = t->name;
        p->seats[k].compute = t->held_compute.n;
        p->seats[k].storage = t->held_storage.n;
        sorted[i]->seat = &p->seats[k];
        p->n_seats = k + 1;
    }
    sort_by(sorted, p->n, sizeof(struct work *), organisation_cmp, NULL);
    for (size_t i = 0, k = 0; i < p->n; i++) {
        const struct fact_tenant *t = sorted[i]->tenant;
        if (i > 0 && organisation_cmp(&sorted[i - 1], &sorted[i], NULL) != 0) k++;
        struct party *o = &p->organisations[k];
        o->name = t->organisation ? t->organisation : t->name;
        if (t->organisation_compute.n > o->compute) o->compute = t->organisation_compute.n;
        if (t->organisation_storage.n > o->storage) o->storage = t->organisation_storage.n;
        sorted[i]->organisation = o;
    }
    free(sorted);
}

/* May it get less than it asks? The request says so, and no rule forbids it. */
static bool may_shrink(const struct planning *p, const struct fact_claim *c) {
    const struct queue_rule *q = p->queue;
    return c->has_minimum && !(q && q->has_partial && q->partial == 0);
}

/* Ranks of the ids, for an order that does not follow the time of the request. */
static int id_cmp(const void *a, const void *b, void *arg) {
    (void)arg;
    const struct work *x = *(struct work *const *)a, *y = *(struct work *const *)b;
    return claim_id_cmp(x->claim->id, y->claim->id);
}

static void ids_rank(struct planning *p) {
    bool by_wait = false; /* then equal ones stand in the order of their ids already */
    for (size_t i = 0; i < p->sharing->n_order; i++) by_wait |= p->sharing->order[i] == ORDER_WAIT;
    for (size_t i = 0; i < p->n && by_wait; i++) p->works[i].id_rank = (uint32_t)i;
    if (by_wait) return;
    struct work **sorted = mem_alloc(p->n * sizeof(struct work *));
    for (size_t i = 0; i < p->n; i++) sorted[i] = &p->works[i];
    sort_by(sorted, p->n, sizeof(struct work *), id_cmp, NULL);
    for (size_t i = 0; i < p->n; i++) sorted[i]->id_rank = (uint32_t)i;
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
        w->tier = w->tier_rule = -1;
        w->weight = 1;
        w->reasons = (struct reasons){.bare = p->bare, .memory = &p->memory};
        w->eligible = true;
        w->has_minimum = may_shrink(p, w->claim);
        w->pass_compute = w->pass_storage = INT64_MAX;
    }
    sort_by(p->works, p->n, sizeof *p->works, work_cmp, NULL);
    for (size_t i = 0; i < p->n; i++) {
        p->works[i].options = p->options + i * p->n_lanes;
        if (i > 0 && work_cmp(&p->works[i - 1], &p->works[i], NULL) == 0)
            return err_set(e, ERR_FAILED, "claim %s stands twice in the facts", p->works[i].claim->id);
    }
    turns_begin(p);
    if (p->sharing) ids_rank(p);
    parties_begin(p);
    items_begin(p);
    budgets_begin(p);
    return 0;
}

int planning_begin(struct planning *p, struct err *e) {
    if (facts_check(p->facts, e) < 0) return -1;
    if (p->policy && p->policy->queue.id.s) p->queue = &p->policy->queue;
    if (p->queue && !queue_is_by_time(p->queue)) p->sharing = p->queue;
    p->in_line = p->sharing && p->sharing->order[0] != ORDER_SHARE;
    lanes_begin(p);
    return works_begin(p, e);
}

void planning_end(struct planning *p) {
    arena_free(&p->memory);
    for (size_t i = 0; i < p->n_lanes; i++) {
        ladder_end(&p->lanes[i].ladder);
        free(p->lanes[i].back);
    }
    free(p->lanes);
    free(p->back);
    free(p->barriers);
    free(p->shelves);
    items_end(p);
    budgets_end(p);
    free(p->works);
    free(p->options);
    free(p->seats);
    free(p->organisations);
}
