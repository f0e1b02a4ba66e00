/* SPDX-License-Identifier: Apache-2.0 */
/* What would make it a grant: one thing is changed, and the plan made again. */
#include "policies/trace.h"

#include <stdlib.h>
#include <string.h>

struct trial {
    const struct policy *policy;
    struct facts facts;
    struct fact_flavor *flavors;
    struct fact_claim *claims;
    const char *claim;
    const char *as_tier_of; /* tried as of another tier */
    int tier;
};

static void put_number(json_t *o, const char *key, int64_t n) {
    json_object_set_new(o, key, json_integer(n));
}

static void trial_begin(struct trial *t, const struct planning *p, const struct work *w) {
    const struct facts *f = p->facts;
    *t = (struct trial){.policy = p->policy, .facts = *f, .claim = w->claim->id};
    t->flavors = mem_alloc(f->pool.n_flavors * sizeof *t->flavors);
    t->claims = mem_alloc(f->n_claims * sizeof *t->claims);
    memcpy(t->flavors, f->pool.flavors, f->pool.n_flavors * sizeof *t->flavors);
    memcpy(t->claims, f->claims, f->n_claims * sizeof *t->claims);
    t->facts.pool.flavors = t->flavors;
    t->facts.claims = t->claims;
}

static void trial_end(struct trial *t) {
    free(t->flavors);
    free(t->claims);
}

static struct fact_claim *trial_claim(struct trial *t) {
    for (size_t i = 0; i < t->facts.n_claims; i++)
        if (strcmp(t->claims[i].id, t->claim) == 0) return &t->claims[i];
    return NULL;
}

static bool trial_grants(const struct trial *t) {
    struct eval eval = {0};
    struct err e = {0};
    struct planning p = {.policy = t->policy,
                         .facts = &t->facts,
                         .eval = &eval,
                         .bare = true,
                         .as_tier_of = t->as_tier_of,
                         .as_tier = t->tier};
    bool grants = false;
    if (planning_run(&p, &e) == 0)
        for (size_t i = 0; i < p.n; i++)
            if (strcmp(p.works[i].claim->id, t->claim) == 0) grants = p.works[i].outcome == OUTCOME_GRANT;
    planning_end(&p);
    return grants;
}

/* ---- more units of one flavor ---- */

static bool grants_with(struct trial *t, struct fact_flavor *f, const struct fact_flavor *was, int64_t more) {
    f->free.n = was->free.n + more;
    if (f->free.n > f->capacity.n - f->lost.n) f->capacity.n = f->free.n + f->lost.n;
    bool grants = trial_grants(t);
    *f = *was;
    return grants;
}

/* The fewest more units with which it would be granted, at most `most`; 0: none so few. */
static int64_t units_needed(struct trial *t, struct fact_flavor *f, int64_t most) {
    struct fact_flavor was = *f;
    int64_t low = 0, high = 1;
    while (high < most && !grants_with(t, f, &was, high)) low = high, high *= 2;
    if (high >= most) {
        high = most;
        if (high <= low || !grants_with(t, f, &was, high)) return 0;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (grants_with(t, f, &was, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

static void try_units(struct trial *t, const struct planning *p, const struct work *w, json_t *list) {
    for (size_t i = 0; i < t->facts.pool.n_flavors; i++) {
        const struct lane *lane = NULL;
        for (size_t k = 0; k < p->n_lanes; k++)
            if (strcmp(p->lanes[k].flavor->name, t->flavors[i].name) == 0) lane = &p->lanes[k];
        size_t at = (size_t)(lane - p->lanes);
        if (!lane || w->options[at].wanted == 0) continue;
        int64_t more = units_needed(t, &t->flavors[i], t->flavors[i].capacity.n + w->options[at].wanted);
        if (more == 0) continue;
        json_t *o = json_object(), *units = json_object();
        const struct back *end = ends_reach(lane->back, lane->n_back, more);
        json_object_set_new(units, "flavor", json_string(t->flavors[i].name));
        put_number(units, "more", more);
        if (end) json_object_set_new(units, "expected", json_string(instant_text(end->at).s));
        json_object_set_new(o, "units", units);
        json_array_append_new(list, o);
    }
}

/* ---- a better tier, an approval, a smaller ask, a higher ceiling ---- */

static void try_tiers(struct trial *t, const struct work *w, json_t *list) {
    for (int tier = w->tier - 1; tier >= 0; tier--) {
        t->as_tier_of = w->tenant->name;
        t->tier = tier;
        bool grants = trial_grants(t);
        t->as_tier_of = NULL;
        if (!grants) continue;
        json_array_append_new(list, json_pack("{s:s}", "tier", t->policy->tiers[tier].name.s));
        return;
    }
}

static void try_approval(struct trial *t, json_t *list) {
    struct fact_claim *c = trial_claim(t), was = *c;
    if (was.approved) return;
    c->approved = true;
    if (trial_grants(t)) json_array_append_new(list, json_pack("{s:b}", "approved", true));
    *c = was;
}

/* The amount of the offer as it stands, of its own flavors. */
static void try_offer(struct trial *t, const struct decision *d, json_t *list) {
    struct fact_claim *c = trial_claim(t), was = *c;
    int64_t units_asked = 0;
    for (size_t i = 0; i < d->offer.n_lines; i++) {
        if (strcmp(d->offer.lines[i].flavor, d->offer.lines[0].flavor) != 0) return; /* of several flavors */
        units_asked += d->offer.lines[i].size * d->offer.lines[i].count;
    }
    c->has_minimum = false;
    c->storage = d->offer.storage;
    c->ask = units_asked > 0 ? ASK_UNITS : ASK_NONE;
    c->units = units(units_asked);
    c->flavor = units_asked > 0 ? d->offer.lines[0].flavor : NULL;
    if (trial_grants(t)) {
        json_t *o = json_object(), *ask = json_object();
        if (units_asked > 0) {
            json_object_set_new(ask, "flavor", json_string(c->flavor));
            put_number(ask, "units", units_asked);
            put_number(ask, "compute_gflops", d->offer.compute.n);
        }
        put_number(ask, "storage_bytes", c->storage.n);
        json_object_set_new(o, "ask", ask);
        json_array_append_new(list, o);
    }
    *c = was;
}

static const struct reason *reason_of(const struct decision *d, enum reason_code code, const char *rule) {
    for (size_t i = 0; i < d->n_reasons; i++)
        if (d->reasons[i].code == code && d->reasons[i].rule && strcmp(d->reasons[i].rule, rule) == 0)
            return &d->reasons[i];
    return NULL;
}

static bool grants_under(struct trial *t, struct ceiling *c, int64_t most) {
    c->compute.n = most;
    return trial_grants(t);
}

/* The smallest ceiling, at most `high`, that would let it pass; 0: none. */
static int64_t ceiling_needed(struct trial *t, struct ceiling *c, int64_t high) {
    int64_t low = c->compute.n;
    if (high <= low || !grants_under(t, c, high)) return 0;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (grants_under(t, c, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

static int64_t compute_asked(const struct planning *p, const struct work *w) {
    int64_t most = w->claim->ask == ASK_COMPUTE ? w->claim->compute.n : 0, n;
    for (size_t i = 0; i < p->n_lanes && w->claim->ask == ASK_UNITS; i++)
        if (w->options[i].wanted > 0 &&
            !__builtin_mul_overflow(w->claim->units.n, p->lanes[i].flavor->rating.n, &n) && n > most)
            most = n;
    return most;
}

static void try_ceilings(struct trial *t, const struct planning *p, const struct work *w,
                         const struct decision *d, json_t *list) {
    const struct policy *was = t->policy;
    struct policy changed = *was;
    changed.ceilings = mem_alloc(was->n_ceilings * sizeof *changed.ceilings);
    t->policy = &changed;
    for (size_t i = 0; i < was->n_ceilings; i++) {
        memcpy(changed.ceilings, was->ceilings, was->n_ceilings * sizeof *changed.ceilings);
        struct ceiling *c = &changed.ceilings[i];
        const struct party *party = c->per_organisation ? w->organisation : w->seat;
        if (!c->has_compute || !reason_of(d, REASON_EXCEEDS_CEILING, c->id.s)) continue;
        int64_t needs = ceiling_needed(t, c, party->compute + party->given_compute + compute_asked(p, w));
        if (needs == 0) continue;
        json_t *o = json_object(), *ceiling = json_object();
        json_object_set_new(ceiling, "rule", json_string(c->id.s));
        put_number(ceiling, "compute_gflops", needs);
        json_object_set_new(o, "ceiling", ceiling);
        json_array_append_new(list, o);
    }
    t->policy = was;
    free(changed.ceilings);
}

json_t *would_grant_if(const struct planning *p, const struct work *w, const struct decision *d) {
    json_t *list = json_array();
    struct trial t;
    if (d->outcome < OUTCOME_QUEUE || !p->policy) return list;
    trial_begin(&t, p, w);
    if (d->outcome == OUTCOME_QUEUE) {
        try_units(&t, p, w, list);
        try_tiers(&t, w, list);
    }
    if (d->outcome == OUTCOME_HOLD) try_approval(&t, list);
    if (d->outcome == OUTCOME_DENY) try_ceilings(&t, p, w, d, list);
    if (d->offer.has) try_offer(&t, d, list);
    trial_end(&t);
    return list;
}
