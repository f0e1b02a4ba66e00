/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/fill_check.h"

#include "alloc/scope.h"
#include "policies/share.h"

#include <stdlib.h>

static int check_used(const struct fill_problem *p, const struct fill_result *r, struct err *e) {
    wide_t *used = mem_alloc(p->n_resources * sizeof *used);
    int rc = 0;
    for (size_t i = 0; i < p->n_claims; i++)
        for (size_t k = 0; k < p->claims[i].n_step; k++)
            used[p->claims[i].step[k].resource] += (wide_t)p->claims[i].step[k].n * r->given[i];
    for (size_t i = 0; i < p->n_resources && rc == 0; i++)
        if (used[i] != r->used[i] || used[i] > p->capacity[i])
            rc = err_set(e, ERR_BOOKS, "conservation: resource %zu: %s of %lld given, %lld counted", i,
                         wide_text(used[i]).s, (long long)p->capacity[i], (long long)r->used[i]);
    free(used);
    return rc;
}

static bool wants_more(const struct fill_claim *c, int64_t given) {
    return !c->most.has || given < c->most.n;
}

static int check_bounds(const struct fill_problem *p, const struct fill_result *r, struct err *e) {
    for (size_t i = 0; i < p->n_claims; i++) {
        const struct fill_claim *c = &p->claims[i];
        bool fits = true;
        if (r->given[i] < fill_promised(c) || (c->most.has && r->given[i] > c->most.n))
            return err_set(e, ERR_BOOKS, "bounds: claim %zu has %lld steps", i, (long long)r->given[i]);
        for (size_t k = 0; k < c->n_step; k++)
            if (c->step[k].n > p->capacity[c->step[k].resource] - r->used[c->step[k].resource]) fits = false;
        if (fits && wants_more(c, r->given[i]))
            return err_set(e, ERR_BOOKS, "no waste: claim %zu could take one more step", i);
    }
    return 0;
}

static int check_order(const struct fill_problem *p, const struct fill_result *r, struct err *e) {
    int64_t *left = mem_alloc(p->n_claims * sizeof *left);
    int rc = 0;
    for (size_t i = 0; i < p->n_claims; i++) left[i] = r->given[i];
    for (size_t i = 0; i < r->n_order; i++) left[r->order[i]]--;
    for (size_t i = 0; i < p->n_claims && rc == 0; i++)
        if (left[i] != 0) rc = err_set(e, ERR_BOOKS, "order: claim %zu is not there for each step", i);
    free(left);
    return rc;
}

/* ---- max-min ---- */

static struct share_key key_after(const struct fill_problem *p, const struct fill_result *r, size_t claim,
                                  int64_t given) {
    const struct fill_claim *c = &p->claims[claim];
    struct fill_amount d = fill_dominant(p, r->scarce, claim);
    int64_t steps = p->surplus ? given - fill_promised(c) : given;
    return (struct share_key){.held = r->scarce[d.resource] ? steps * d.n : 0,
                              .capacity = p->capacity[d.resource],
                              .weight = c->weight};
}

static int64_t need_of(const struct fill_claim *c, size_t resource) {
    for (size_t k = 0; k < c->n_step; k++)
        if (c->step[k].resource == resource) return c->step[k].n;
    return 0;
}

/* Would one step of j's, given back, let i take one? Then i could have taken it when j took its last. */
static bool frees(const struct fill_problem *p, const struct fill_result *r, size_t j, size_t i) {
    const struct fill_claim *c = &p->claims[i];
    for (size_t k = 0; k < c->n_step; k++) {
        size_t resource = c->step[k].resource;
        int64_t left = p->capacity[resource] - r->used[resource];
        if (c->step[k].n > left + need_of(&p->claims[j], resource)) return false;
    }
    return true;
}

static int check_max_min(const struct fill_problem *p, const struct fill_result *r, struct err *e) {
    for (size_t i = 0; i < p->n_claims; i++) {
        const struct fill_claim *c = &p->claims[i];
        if (!wants_more(c, r->given[i])) continue;
        struct share_key has = key_after(p, r, i, r->given[i]);
        for (size_t j = 0; j < p->n_claims; j++) {
            const struct fill_claim *d = &p->claims[j];
            if (j == i || r->given[j] <= fill_promised(d) || !frees(p, r, j, i)) continue;
            if (p->strict && d->tier < c->tier) continue;
            struct share_key before = key_after(p, r, j, r->given[j] - 1);
            if ((p->strict && d->tier > c->tier) || share_cmp(&before, &has) > 0)
                return err_set(e, ERR_BOOKS, "max-min: claim %zu has its last step before claim %zu", j, i);
        }
    }
    return 0;
}

int fill_check(const struct fill_problem *p, const struct fill_result *r, struct err *e) {
    if (check_used(p, r, e) < 0 || check_bounds(p, r, e) < 0 || check_order(p, r, e) < 0) return -1;
    return check_max_min(p, r, e);
}
