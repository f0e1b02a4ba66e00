/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that can never decide, and requests that would be held: found by trying every profile. */
#include "policies/profiles.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* Some rules of a policy, in order, and what a search found of them. */
struct group {
    struct any_rule *rules;
    const struct expr **when;
    struct verdict *verdicts;
    size_t n;
    bool none; /* some profile matches none of them */
};

struct search {
    const struct policy *policy;
    struct diagnostics *d;
    struct profiles *profiles;
    bool gave_up;
};

static struct group group_new(const struct policy *y) {
    size_t n = policy_rules(y);
    return (struct group){.rules = mem_alloc(n * sizeof(struct any_rule)),
                          .when = mem_alloc(n * sizeof(struct expr *)),
                          .verdicts = mem_alloc(n * sizeof(struct verdict))};
}

static void group_free(struct group *g) {
    free(g->rules);
    free(g->when);
    free(g->verdicts);
}

static void group_add(struct group *g, struct any_rule rule) {
    g->rules[g->n] = rule;
    g->when[g->n++] = rule.when;
}

static struct group group_of(const struct policy *y, const char *kind) {
    struct group g = group_new(y);
    for (size_t i = 0; i < policy_rules(y); i++) {
        struct any_rule any = policy_rule_at(y, i);
        if (strcmp(any.kind, kind) == 0) group_add(&g, any);
    }
    return g;
}

/* False: there are too many profiles; said once, where it happened first. */
static bool group_try(struct search *s, struct group *g) {
    bool tried = profiles_begin(s->profiles, s->policy, g->when, g->n);
    memset(g->verdicts, 0, g->n * sizeof *g->verdicts);
    if (tried) {
        g->none = profiles_first_match(s->profiles, g->when, g->n, g->verdicts);
    } else if (!s->gave_up) {
        diagnose(s->d, LEVEL_NOTE, g->rules[g->n - 1].id->place,
                 "the conditions have too many combinations to search them for rules that never decide");
        s->gave_up = true;
    }
    profiles_end(s->profiles);
    return tried;
}

static void say_unknown(struct search *s, const struct verdict *v, const struct any_rule *rule) {
    if (!v->unknown) return;
    const char *name = s->policy->variables[v->missing].name.s, *id = rule->id->s;
    if (rule->of_request || rule->when == NULL || strcmp(rule->kind, "set tier") == 0)
        diagnose(s->d, LEVEL_WARNING, rule->id->place,
                 "where '%s' is unset, rule '%s' cannot be decided and holds the request; test '%s is unset' "
                 "first",
                 name, id, name);
    else
        diagnose(
            s->d, LEVEL_WARNING, rule->id->place,
            "where '%s' is unset, rule '%s' cannot be decided and takes nothing back; test '%s is unset' "
            "first",
            name, id, name);
}

/* ---- the first that matches decides ---- */

static bool check_first_match(struct search *s, const char *kind, const char *what, const char *does) {
    struct group g = group_of(s->policy, kind);
    bool none = false;
    if (g.n > 0 && group_try(s, &g)) {
        none = g.none;
        for (size_t i = 0; i < g.n; i++) {
            if (!g.verdicts[i].matches)
                diagnose(s->d, LEVEL_WARNING, g.rules[i].id->place,
                         "%s '%s' can never %s: earlier %ss always match first, or its condition is "
                         "impossible",
                         what, g.rules[i].id->s, does, what);
            say_unknown(s, &g.verdicts[i], &g.rules[i]);
        }
    }
    group_free(&g);
    return none;
}

/* ---- all that match apply ---- */

/* Each alone: can it apply at all? */
static void check_alone(struct search *s, const char *kind, const char *what, bool *possible) {
    struct group all = group_of(s->policy, kind), one = group_new(s->policy);
    for (size_t i = 0; i < all.n; i++) {
        possible[i] = true;
        if (!all.when[i]) continue;
        one.n = 0;
        group_add(&one, all.rules[i]);
        if (!group_try(s, &one)) continue;
        possible[i] = one.verdicts[0].matches;
        if (!possible[i])
            diagnose(s->d, LEVEL_WARNING, all.rules[i].id->place,
                     "%s '%s' can never apply: its condition is impossible", what, all.rules[i].id->s);
        say_unknown(s, &one.verdicts[0], &all.rules[i]);
    }
    group_free(&all);
    group_free(&one);
}

/* Where both apply, the i-th of a kind asks for nothing that the j-th does not ask for already. */
typedef bool covers_fn(const struct policy *y, size_t j, size_t i);

static bool approve_covers(const struct policy *y, size_t j, size_t i) {
    return strcmp(y->approves[j].by.s, y->approves[i].by.s) == 0;
}

static bool budget_covers(const struct policy *y, size_t j, size_t i) {
    const struct budget *a = &y->budgets[j], *b = &y->budgets[i];
    return a->storage == b->storage && a->per_organisation == b->per_organisation && a->period == b->period &&
           a->most <= b->most;
}

static bool idle_covers(const struct policy *y, size_t j, size_t i) {
    const struct idle_rule *a = &y->idles[j], *b = &y->idles[i];
    return a->unused == b->unused && strcmp(a->metric.s, b->metric.s) == 0 && a->below >= b->below &&
           a->window.s <= b->window.s && a->lose >= b->lose && (!a->keep_guarantee || b->keep_guarantee) &&
           a->notice.s <= b->notice.s;
}

/* An earlier one or one that always applies, wherever it stands. */
static void check_shadowed(struct search *s, const char *kind, const char *what, covers_fn *covers,
                           const bool *possible) {
    struct group all = group_of(s->policy, kind), some = group_new(s->policy);
    for (size_t i = 1; i < all.n; i++) {
        some.n = 0;
        for (size_t j = 0; j < i; j++)
            if (possible[j] && covers(s->policy, j, i)) group_add(&some, all.rules[j]);
        if (some.n == 0 || !possible[i]) continue;
        group_add(&some, all.rules[i]);
        if (!group_try(s, &some) || some.verdicts[some.n - 1].matches) continue;
        diagnose_clash(s->d, LEVEL_WARNING, all.rules[i].id->place, some.rules[0].id->place,
                       some.n > 2 ? "this and others ask for as much" : "this one asks for as much",
                       "%s '%s' adds nothing: wherever it applies, an earlier one does too", what,
                       all.rules[i].id->s);
    }
    group_free(&all);
    group_free(&some);
}

static void check_applying(struct search *s, const char *kind, const char *what, covers_fn *covers) {
    bool *possible = mem_alloc(policy_rules(s->policy) * sizeof *possible);
    check_alone(s, kind, what, possible);
    if (covers) check_shadowed(s, kind, what, covers, possible);
    free(possible);
}

/* ---- what no ceiling limits ---- */

/* Of a request: compute, storage, units of a flavor without a figure, seats of a service. */
struct limited {
    bool compute, storage, seats;
    const char *item; /* flavor or service */
};

static bool ceiling_limits(const struct ceiling *c, const struct limited *what) {
    for (size_t i = 0; what->item && i < c->n_items; i++)
        if (c->items[i].seats == what->seats && strcmp(c->items[i].name.s, what->item) == 0) return true;
    return (what->compute && c->has_compute) || (what->storage && c->has_storage);
}

static bool ceiling_missing(struct search *s, const struct limited *what) {
    struct group all = group_of(s->policy, "ceiling"), some = group_new(s->policy);
    for (size_t i = 0; i < all.n; i++)
        if (ceiling_limits(&s->policy->ceilings[i], what)) group_add(&some, all.rules[i]);
    bool missing = some.n == 0 || (group_try(s, &some) && some.none);
    group_free(&all);
    group_free(&some);
    return missing;
}

static void check_limits(struct search *s) {
    const struct policy *y = s->policy;
    struct place last = y->ceilings[y->n_ceilings - 1].id.place;
    bool rated = false;
    for (size_t i = 0; i < y->n_flavors; i++) rated |= !y->flavors[i].unrated;
    if (rated && ceiling_missing(s, &(struct limited){.compute = true}))
        diagnose(s->d, LEVEL_WARNING, last, "some requests for compute match no ceiling and would be held");
    if ((y->has_storage || y->has_datalake) && ceiling_missing(s, &(struct limited){.storage = true}))
        diagnose(s->d, LEVEL_WARNING, last, "some requests for storage match no ceiling and would be held");
    for (size_t i = 0; i < y->n_flavors; i++) {
        const struct flavor *f = &y->flavors[i];
        if (f->unrated && ceiling_missing(s, &(struct limited){.item = f->name.s}))
            diagnose(s->d, LEVEL_WARNING, f->name.place,
                     "some requests for '%s' match no ceiling of its units and would be held", f->name.s);
    }
    for (size_t i = 0; i < y->n_services; i++) {
        const struct service *v = &y->services[i];
        if (ceiling_missing(s, &(struct limited){.seats = true, .item = v->name.s}))
            diagnose(s->d, LEVEL_WARNING, v->name.place,
                     "some requests for seats of '%s' match no ceiling and would be held", v->name.s);
    }
}

void check_profiles(const struct policy *policy, struct diagnostics *d) {
    struct search s = {.policy = policy, .d = d, .profiles = mem_alloc(sizeof *s.profiles)};
    s.profiles->left = PROFILES_WORK;
    check_first_match(&s, "set eligible", "rule", "decide");
    check_first_match(&s, "set tier", "rule", "decide");
    if (check_first_match(&s, "lease", "lease", "apply"))
        diagnose(d, LEVEL_WARNING, policy->leases[policy->n_leases - 1].id.place,
                 "some requests match no lease and would be held; end with a lease without 'when'");
    check_applying(&s, "ceiling", "ceiling", NULL);
    check_applying(&s, "approve", "rule", approve_covers);
    check_applying(&s, "idle", "rule", idle_covers);
    check_applying(&s, "budget", "budget", budget_covers);
    check_limits(&s);
    free(s.profiles);
}
