/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of a policy as a whole before anybody asks it: its parts, leases and ceilings. */
#include "policies/syntax.h"

#include "policies/ladder.h"

#include <stdlib.h>
#include <string.h>

static void check_parts(const struct policy *y, struct diagnostics *d) {
    struct place end = {y->length, 0, 1};
    for (size_t i = 0; i < y->length; i++) end.line += y->text[i] == '\n';
    if (!y->pool.s)
        diagnose(d, LEVEL_ERROR, end, "the policy has no pool");
    else if (!y->basis.s)
        diagnose(d, LEVEL_ERROR, y->pool.place, "pool '%s' does not state its basis (basis fp32;)",
                 y->pool.s);
    if (y->pool.s && y->n_flavors == 0 && !y->has_storage && !y->has_datalake && y->n_services == 0)
        diagnose(d, LEVEL_ERROR, y->pool.place, "pool '%s' has neither a flavor nor storage", y->pool.s);
    if (!y->has_eligible) diagnose(d, LEVEL_ERROR, end, "the policy has no set 'eligible'");
    if (y->n_ceilings == 0) diagnose(d, LEVEL_ERROR, end, "the policy has no ceiling");
    if (y->n_leases == 0) diagnose(d, LEVEL_ERROR, end, "the policy has no lease");
}

static void check_otherwise(struct diagnostics *d, bool has_set, struct place place, const char *name,
                            const struct policy *y, const char *kind) {
    bool has_otherwise = false;
    for (size_t i = 0; i < policy_rules(y); i++) {
        struct any_rule any = policy_rule_at(y, i);
        has_otherwise |= !any.when && strcmp(any.kind, kind) == 0;
    }
    if (has_set && !has_otherwise)
        diagnose(d, LEVEL_ERROR, place,
                 "set '%s' has no 'otherwise' rule: some requests would get no decision", name);
}

static void check_valid(const struct policy *y, struct diagnostics *d) {
    if (y->valid_from.has && y->valid_until.has && y->valid_until.at.s <= y->valid_from.at.s)
        diagnose(d, LEVEL_ERROR, y->valid_place, "the policy is valid until a day before it is valid from");
}

static void check_leases(const struct policy *y, struct diagnostics *d) {
    const struct lease *always = NULL;
    for (size_t i = 0; i < y->n_leases; i++) {
        const struct lease *l = &y->leases[i];
        if (always)
            diagnose_clash(d, LEVEL_ERROR, l->id.place, always->id.place, "this one always applies",
                           "lease '%s' contradicts '%s': the first lease that matches decides", l->id.s,
                           always->id.s);
        if (!l->when && !always) always = l;
        if (!l->has_until && l->term.s == 0)
            diagnose(d, LEVEL_ERROR, l->term_place, "a term is longer than 0");
        if (!l->has_until && l->term.s > 0 && l->notice.s >= l->term.s)
            diagnose_clash(d, LEVEL_ERROR, l->notice_place, l->term_place, "the term is stated here",
                           "the notice is as long as the term: it would be sent before the lease begins");
        if (l->has_until && l->renew > 0)
            diagnose_clash(d, LEVEL_ERROR, l->renew_place, l->term_place, "the end is stated here",
                           "a lease that ends at a date cannot be renewed");
    }
}

static bool pool_compute(const struct policy *y, struct diagnostics *d, int64_t *total) {
    wide_t sum = 0;
    for (size_t i = 0; i < y->n_flavors; i++) sum += (wide_t)y->flavors[i].units * y->flavors[i].rating.n;
    if (sum > GFLOPS_MOST) {
        diagnose(d, LEVEL_ERROR, y->pool.place, "the flavors add up to more than %s",
                 gflops_text(gflops(GFLOPS_MOST)).s);
        return false;
    }
    *total = (int64_t)sum;
    return true;
}

/* What of a ceiling each flavor can reach; a ceiling that no flavor can use is surely a mistake. */
static void check_steps(const struct policy *y, const struct ceiling *c, struct diagnostics *d) {
    bool fits = false;
    for (size_t i = 0; i < y->n_flavors; i++) {
        const struct flavor *f = &y->flavors[i];
        struct ladder ladder;
        if (f->unrated) continue;
        ladder_begin(&ladder, f->sizes, f->n_sizes);
        int64_t units = ladder_down(&ladder, c->compute.n / f->rating.n), n = units * f->rating.n;
        ladder_end(&ladder);
        fits |= units > 0;
        if (units > 0 && n != c->compute.n)
            diagnose(d, LEVEL_NOTE, c->compute_place,
                     "%s is not a whole number of '%s': at most %s (%s x %lld) can be reached",
                     gflops_text(c->compute).s, f->name.s, gflops_text(gflops(n)).s, f->name.s,
                     (long long)units);
    }
    if (!fits && y->n_flavors > 0 && c->compute.n > 0)
        diagnose(d, LEVEL_WARNING, c->compute_place,
                 "no flavor has a step as small as %s: nothing can be granted", gflops_text(c->compute).s);
}

static void check_ratio(const struct policy *y, const struct ceiling *c, int64_t total,
                        struct diagnostics *d) {
    if (c->compute.n == 0 || total == 0) return;
    struct amount_text pool = gflops_text(gflops(total)), each = gflops_text(c->compute);
    if (!y->has_expect) {
        diagnose(d, LEVEL_NOTE, c->compute_place, "the pool has %s: it holds this ceiling %lld times", pool.s,
                 (long long)(total / c->compute.n));
        return;
    }
    wide_t sum = (wide_t)c->compute.n * y->expect;
    diagnose(d, LEVEL_NOTE, c->compute_place,
             "%lld tenants x %s = %s, %s times the pool of %s: a ceiling is not a promise",
             (long long)y->expect, each.s,
             sum <= GFLOPS_MOST ? gflops_text(gflops((int64_t)sum)).s : wide_text(sum).s,
             wide_ratio_text(sum, total).s, pool.s);
}

/* Is there a ceiling on the compute of a tenant? Else that of its organisation is what it may hold. */
static bool limits_tenants(const struct policy *y) {
    for (size_t i = 0; i < y->n_ceilings; i++)
        if (y->ceilings[i].has_compute && !y->ceilings[i].per_organisation) return true;
    return false;
}

static int64_t item_capacity(const struct policy *y, const struct item_limit *limit) {
    for (size_t i = 0; limit->seats && i < y->n_services; i++)
        if (strcmp(y->services[i].name.s, limit->name.s) == 0) return y->services[i].seats;
    for (size_t i = 0; !limit->seats && i < y->n_flavors; i++)
        if (strcmp(y->flavors[i].name.s, limit->name.s) == 0) return y->flavors[i].units;
    return 0;
}

static void check_items(const struct policy *y, const struct ceiling *c, struct diagnostics *d) {
    for (size_t i = 0; i < c->n_items; i++) {
        int64_t has = item_capacity(y, &c->items[i]);
        if (c->items[i].most > has)
            diagnose(d, LEVEL_NOTE, c->items[i].place, "this ceiling is more than the pool: it has %lld",
                     (long long)has);
    }
}

static void check_ceilings(const struct policy *y, struct diagnostics *d, int64_t total) {
    for (size_t i = 0; i < y->n_ceilings; i++) {
        const struct ceiling *c = &y->ceilings[i];
        if (c->has_compute && (!c->per_organisation || !limits_tenants(y))) check_ratio(y, c, total, d);
        if (c->has_compute) check_steps(y, c, d);
        if (c->has_compute && c->compute.n > total)
            diagnose(d, LEVEL_NOTE, c->compute_place, "this ceiling is more than the pool of %s",
                     gflops_text(gflops(total)).s);
        if (c->has_storage && (wide_t)c->storage.n > (wide_t)y->storage.n + y->datalake.n)
            diagnose(d, LEVEL_NOTE, c->storage_place, "this ceiling is more than the pool of %s",
                     bytes_text(bytes(y->storage.n + y->datalake.n)).s);
        check_items(y, c, d);
        for (size_t j = 0; c->per_organisation && !c->when && j < y->n_ceilings; j++) {
            const struct ceiling *t = &y->ceilings[j];
            if (t->per_organisation || !c->has_compute || !t->has_compute || t->compute.n <= c->compute.n)
                continue;
            diagnose_clash(d, LEVEL_WARNING, t->compute_place, c->compute_place,
                           "its organisation may hold less", "a tenant can never reach this ceiling");
        }
    }
}

void check_whole(const struct policy *policy, bool warn, struct diagnostics *d) {
    int64_t total = 0;
    check_parts(policy, d);
    check_valid(policy, d);
    check_otherwise(d, policy->has_eligible, policy->eligible_place, "eligible", policy, "set eligible");
    check_otherwise(d, policy->has_tier_set, policy->tier_place, "tier", policy, "set tier");
    check_leases(policy, d);
    if (!pool_compute(policy, d, &total) || d->count[LEVEL_ERROR] > 0) return;
    check_ceilings(policy, d, total);
    check_guarantees(policy, d);
    check_sharing(policy, d);
    if (warn) check_profiles(policy, d);
}
