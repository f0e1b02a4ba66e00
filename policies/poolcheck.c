/* SPDX-License-Identifier: Apache-2.0 */
/* The pool block of a policy against the pool of the store, which is the truth. */
#include "policies/policy.h"

#include "policies/syntax.h"

#include <string.h>

static const struct fact_flavor *fact_find(const struct fact_pool *pool, const char *name) {
    for (size_t i = 0; i < pool->n_flavors; i++)
        if (strcmp(pool->flavors[i].name, name) == 0) return &pool->flavors[i];
    return NULL;
}

static void sizes_text(const int64_t *sizes, size_t n, struct text *t) {
    for (size_t i = 0; i < n; i++) text_add(t, "%s%lld", i ? ", " : "", (long long)sizes[i]);
}

static void check_sizes(const struct flavor *f, const struct fact_flavor *fact, struct diagnostics *d) {
    if (f->n_sizes == fact->n_sizes && memcmp(f->sizes, fact->sizes, f->n_sizes * sizeof *f->sizes) == 0)
        return;
    struct text here = {0}, there = {0};
    sizes_text(f->sizes, f->n_sizes, &here);
    sizes_text(fact->sizes, fact->n_sizes, &there);
    diagnose(d, LEVEL_ERROR, f->name.place, "flavor '%s' has sizes %s here and %s in the pool", f->name.s,
             here.s, there.s ? there.s : "none");
    text_free(&here);
    text_free(&there);
}

static void check_flavor(const struct flavor *f, const struct fact_pool *pool, struct diagnostics *d) {
    const char *names[POLICY_FLAVORS];
    const struct fact_flavor *fact = fact_find(pool, f->name.s);
    if (!fact) {
        size_t n = pool->n_flavors < POLICY_FLAVORS ? pool->n_flavors : POLICY_FLAVORS;
        for (size_t i = 0; i < n; i++) names[i] = pool->flavors[i].name;
        const char *near = text_nearest(f->name.s, names, n);
        diagnose(d, LEVEL_ERROR, f->name.place, "pool '%s' has no flavor '%s'%s%s%s", pool->name, f->name.s,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        return;
    }
    if (fact->unrated != f->unrated)
        diagnose(d, LEVEL_ERROR, f->name.place, "flavor '%s' is %s here and %s in the pool", f->name.s,
                 f->unrated ? "unrated" : "rated", fact->unrated ? "unrated" : "rated");
    else if (fact->rating.n != f->rating.n)
        diagnose(d, LEVEL_ERROR, f->name.place, "flavor '%s' is rated %s here and %s in the pool", f->name.s,
                 gflops_text(f->rating).s, gflops_text(fact->rating).s);
    if (fact->capacity.n != f->units)
        diagnose(d, LEVEL_ERROR, f->name.place, "flavor '%s' has %lld units here and %lld in the pool",
                 f->name.s, (long long)f->units, (long long)fact->capacity.n);
    check_sizes(f, fact, d);
}

static bool flavor_stated(const struct policy *policy, const char *name) {
    for (size_t i = 0; i < policy->n_flavors; i++)
        if (strcmp(policy->flavors[i].name.s, name) == 0) return true;
    return false;
}

static const struct service *service_stated(const struct policy *policy, const char *name) {
    for (size_t i = 0; i < policy->n_services; i++)
        if (strcmp(policy->services[i].name.s, name) == 0) return &policy->services[i];
    return NULL;
}

static void check_service(const struct service *s, const struct fact_pool *pool, struct diagnostics *d) {
    const char *names[POLICY_SERVICES];
    size_t n = pool->n_services < POLICY_SERVICES ? pool->n_services : POLICY_SERVICES;
    for (size_t i = 0; i < n; i++) {
        names[i] = pool->services[i].name;
        if (strcmp(names[i], s->name.s) != 0) continue;
        if (pool->services[i].seats != s->seats)
            diagnose(d, LEVEL_ERROR, s->name.place, "service '%s' has %lld seats here and %lld in the pool",
                     s->name.s, (long long)s->seats, (long long)pool->services[i].seats);
        return;
    }
    const char *near = text_nearest(s->name.s, names, n);
    diagnose(d, LEVEL_ERROR, s->name.place, "pool '%s' has no service '%s'%s%s%s", pool->name, s->name.s,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void check_measure(struct word metric, const struct fact_pool *pool, struct diagnostics *d) {
    for (size_t i = 0; i < pool->n_measures; i++)
        if (strcmp(pool->measures[i], metric.s) == 0) return;
    const char *near = text_nearest(metric.s, pool->measures, pool->n_measures);
    diagnose(d, LEVEL_ERROR, metric.place, "pool '%s' does not measure '%s'%s%s%s", pool->name, metric.s,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void check_bytes(const struct policy *policy, bytes_t here, bytes_t there, bool stated,
                        struct place place, const char *what, struct diagnostics *d) {
    if (here.n != there.n)
        diagnose(d, LEVEL_ERROR, stated ? place : policy->pool.place, "the %s is %s here and %s in the pool",
                 what, bytes_text(here).s, bytes_text(there).s);
}

int policy_check_pool(const struct policy *policy, const struct fact_pool *pool, struct diagnostics *d) {
    if (!d->source) diagnostics_begin(d, policy->file, policy->text, policy->length);
    size_t errors = d->count[LEVEL_ERROR];
    if (strcmp(policy->pool.s, pool->name) != 0)
        diagnose(d, LEVEL_ERROR, policy->pool.place, "the policy is for pool '%s', not '%s'", policy->pool.s,
                 pool->name);
    if (strcmp(policy->basis.s, pool->basis) != 0)
        diagnose(d, LEVEL_ERROR, policy->basis.place,
                 "the basis is %s here and %s in the pool: their figures must not be mixed", policy->basis.s,
                 pool->basis);
    for (size_t i = 0; i < policy->n_flavors; i++) check_flavor(&policy->flavors[i], pool, d);
    for (size_t i = 0; i < pool->n_flavors; i++)
        if (!flavor_stated(policy, pool->flavors[i].name))
            diagnose(d, LEVEL_ERROR, policy->pool.place, "flavor '%s' of the pool is not stated here",
                     pool->flavors[i].name);
    check_bytes(policy, policy->storage, pool->storage_capacity, policy->has_storage, policy->storage_place,
                "storage", d);
    check_bytes(policy, policy->datalake, pool->datalake_capacity, policy->has_datalake,
                policy->datalake_place, "datalake", d);
    for (size_t i = 0; i < policy->n_services; i++) check_service(&policy->services[i], pool, d);
    for (size_t i = 0; i < pool->n_services; i++)
        if (!service_stated(policy, pool->services[i].name))
            diagnose(d, LEVEL_ERROR, policy->pool.place, "service '%s' of the pool is not stated here",
                     pool->services[i].name);
    for (size_t i = 0; i < policy->n_measures; i++) check_measure(policy->measures[i], pool, d);
    diagnostics_sort(d);
    return d->count[LEVEL_ERROR] == errors ? 0 : -1;
}
