/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/differ.h"

#include "alloc/scope.h"
#include "policies/differ_judge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was said, each once ---- */

struct sayings {
    struct saying {
        char *outcome, *rules;
        uint32_t same; /* the first with this outcome, whatever the rules */
    } * of;
    size_t n, room;
};

static uint32_t saying_of(struct sayings *all, struct said *s) {
    const char *outcome = s->outcome.s ? s->outcome.s : "", *rules = s->rules.s ? s->rules.s : "";
    uint32_t same = (uint32_t)all->n;
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->of[i].outcome, outcome) != 0) continue;
        if (same == all->n) same = (uint32_t)i;
        if (strcmp(all->of[i].rules, rules) == 0) return (uint32_t)i;
    }
    all->of = mem_grow(all->of, &all->room, all->n + 1, sizeof *all->of);
    all->of[all->n] = (struct saying){mem_copy(outcome), mem_copy(rules), same};
    return (uint32_t)all->n++;
}

static void sayings_free(struct sayings *all) {
    for (size_t i = 0; i < all->n; i++) {
        free(all->of[i].outcome);
        free(all->of[i].rules);
    }
    free(all->of);
}

/* ---- one aspect ---- */

enum mark { MARK_SAME, MARK_DIFFERS, MARK_ANY }; /* ANY: means nothing here */

struct verdict_pair {
    uint32_t said[2]; /* in sayings */
    enum mark mark;
    bool covered;
};

struct comparison {
    struct space space;
    const struct aspect *aspect;
    struct sayings sayings;
    struct verdict_pair *pairs; /* by profile */
    /* of the change that is gathered now: */
    uint32_t before, after;
    size_t fresh; /* profiles that no set before had */
    struct text rules[2];
};

static void judge_profile(struct comparison *c, size_t profile, bool masked) {
    struct verdict_pair *pair = &c->pairs[profile];
    space_at(&c->space, profile);
    bool denied = masked && (profile_denied(&c->space.eval[0]) || profile_denied(&c->space.eval[1]));
    for (int p = 0; p < 2 && !denied; p++) {
        struct said said = {0};
        aspect_judge(c->aspect, p, &c->space.eval[p], &said);
        pair->said[p] = saying_of(&c->sayings, &said);
        text_free(&said.outcome);
        text_free(&said.rules);
    }
    const struct saying *of = c->sayings.of;
    pair->mark = denied                                             ? MARK_ANY
                 : of[pair->said[0]].same == of[pair->said[1]].same ? MARK_SAME
                                                                    : MARK_DIFFERS;
}

/* Does this profile change in the way that is gathered, or mean nothing? */
static bool may_be_taken(void *arg, size_t profile) {
    const struct comparison *c = arg;
    const struct verdict_pair *pair = &c->pairs[profile];
    if (pair->mark != MARK_DIFFERS) return pair->mark == MARK_ANY;
    return c->sayings.of[pair->said[0]].same == c->before && c->sayings.of[pair->said[1]].same == c->after;
}

/* "; " between them, each once. */
static void rules_add(struct text *all, const char *rules) {
    while (*rules) {
        size_t n = strcspn(rules, ";");
        const char *at = all->s;
        bool has = false;
        for (; at && *at && !has; at += strcspn(at, ";"), at += *at ? 2 : 0)
            has = strcspn(at, ";") == n && strncmp(at, rules, n) == 0;
        if (!has) text_add(all, "%s%.*s", all->length ? "; " : "", (int)n, rules);
        rules += n;
        if (*rules) rules += 2;
    }
}

static bool take(void *arg, size_t profile) {
    struct comparison *c = arg;
    struct verdict_pair *pair = &c->pairs[profile];
    if (pair->mark != MARK_DIFFERS) return true;
    c->fresh += !pair->covered;
    pair->covered = true;
    for (int p = 0; p < 2; p++) rules_add(&c->rules[p], c->sayings.of[pair->said[p]].rules);
    return true;
}

/* Adds what may be added to a dimension: all of it if possible, else one class after the other. */
static void widen(struct comparison *c, unsigned char *cube, unsigned char *slice,
                  const struct space_dimension *m, bool whole) {
    bool all = true;
    memcpy(slice, cube, c->space.n_classes);
    for (size_t k = 0; k < m->taken; k++) {
        if (cube[m->first + k]) {
            slice[m->first + k] = 0;
        } else if (whole) {
            slice[m->first + k] = 1;
        } else {
            memset(slice + m->first, 0, m->n);
            slice[m->first + k] = 1;
            if (cube_each(&c->space, slice, may_be_taken, c)) cube[m->first + k] = 1;
        }
        all &= cube[m->first + k];
    }
    if (!whole || all || !cube_each(&c->space, slice, may_be_taken, c)) return;
    for (size_t k = 0; k < m->taken; k++) cube[m->first + k] = 1;
}

static bool means_nothing(void *arg, size_t profile) {
    const struct comparison *c = arg;
    return c->pairs[profile].mark == MARK_ANY;
}

/* Of a dimension that matters, what only brings in profiles that mean nothing is not named. */
static void narrow(struct comparison *c, unsigned char *cube, unsigned char *slice,
                   const struct space_dimension *m) {
    size_t chosen = 0;
    for (size_t k = 0; k < m->taken; k++) chosen += cube[m->first + k];
    for (size_t k = 0; k < m->taken && chosen < m->taken; k++) {
        if (!cube[m->first + k]) continue;
        memcpy(slice, cube, c->space.n_classes);
        memset(slice + m->first, 0, m->n);
        slice[m->first + k] = 1;
        if (cube_each(&c->space, slice, means_nothing, c)) cube[m->first + k] = 0;
    }
}

/* The widest set around a profile that holds only what changes like it: the last dimensions first, so that
   what a request says is named only where it matters. */
static void cube_around(struct comparison *c, size_t profile, unsigned char *cube) {
    scoped_free unsigned char *slice = mem_alloc(c->space.n_classes + 1);
    size_t rest = profile, stride = c->space.profiles;
    memset(cube, 0, c->space.n_classes);
    for (size_t i = 0; i < c->space.n; i++) {
        const struct space_dimension *m = &c->space.dimensions[i];
        stride /= m->taken;
        cube[m->first + rest / stride] = 1;
        rest %= stride;
    }
    for (size_t i = c->space.n; i-- > 0;) widen(c, cube, slice, &c->space.dimensions[i], true);
    for (size_t i = 0; i < c->space.n; i++) widen(c, cube, slice, &c->space.dimensions[i], false);
    for (size_t i = 0; i < c->space.n; i++) narrow(c, cube, slice, &c->space.dimensions[i]);
}

/* ---- what is told ---- */

static json_t *rules_json(const struct text *rules) {
    json_t *list = json_array();
    for (const char *at = rules->s; at && *at;) {
        size_t n = strcspn(at, ";"), id = strcspn(at, " ");
        json_array_append_new(list,
                              json_pack("{s:s%, s:s%}", "rule", at, id, "place", at + id + 1, n - id - 1));
        at += n;
        if (*at) at += 2;
    }
    return list;
}

static void change_add(struct comparison *c, const unsigned char *cube, json_t *changes) {
    scoped_text struct text when = {0};
    cube_text(&c->space, cube, &when);
    json_array_append_new(changes, json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}", "when", when.s, "before",
                                             c->sayings.of[c->before].outcome, "after",
                                             c->sayings.of[c->after].outcome, "before_rules",
                                             rules_json(&c->rules[0]), "after_rules",
                                             rules_json(&c->rules[1]), "profiles", (json_int_t)c->fresh));
}

/* Each takes a look at much of the space; nobody reads more. */
enum { CHANGES_MOST = 500 };

/* left_out: profiles that differ, for which no more changes were gathered. */
static json_t *changes_gather(struct comparison *c, size_t *differing, size_t *left_out) {
    json_t *changes = json_array();
    scoped_free unsigned char *cube = mem_alloc(c->space.n_classes + 1);
    *differing = *left_out = 0;
    for (size_t i = 0; i < c->space.profiles; i++) {
        const struct verdict_pair *pair = &c->pairs[i];
        *differing += pair->mark == MARK_DIFFERS;
        if (pair->mark != MARK_DIFFERS || pair->covered) continue;
        if (json_array_size(changes) == CHANGES_MOST) {
            ++*left_out;
            continue;
        }
        c->before = c->sayings.of[pair->said[0]].same;
        c->after = c->sayings.of[pair->said[1]].same;
        c->fresh = 0;
        cube_around(c, i, cube);
        cube_each(&c->space, cube, take, c);
        change_add(c, cube, changes);
        text_free(&c->rules[0]);
        text_free(&c->rules[1]);
    }
    return changes;
}

/* What the dimensions were fixed at of which not all could be tried. */
static json_t *taken_json(const struct space *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const struct space_dimension *m = &s->dimensions[i];
        if (m->taken == m->n) continue;
        scoped_text struct text t = {0};
        scoped_free unsigned char *chosen = mem_alloc(m->n);
        chosen[0] = 1;
        dimension_text(m, chosen, false, &t);
        json_array_append_new(list, json_string(t.s ? t.s : ""));
    }
    return list;
}

static void space_of(struct space *s, struct aspect *a, const struct policy *const policy[2], bool eligible) {
    space_begin(s, policy[0], policy[1]);
    for (int p = 0; p < 2 && eligible; p++)
        for (size_t i = 0; i < policy[p]->n_rules; i++) space_add(s, p, policy[p]->rules[i].when);
    for (int p = 0; p < 2; p++) aspect_conditions(a, policy[p], p, s);
    space_close(s);
}

static bool is_cut_short(const struct space *s) { return (double)s->profiles < s->possible; }

/* With who is denied, so that it can be left out; without where that is more than can be tried. */
static bool space_best(struct space *s, struct aspect *a, const struct policy *const policy[2]) {
    space_of(s, a, policy, true);
    if (a->kind == ASPECT_ELIGIBLE || !is_cut_short(s)) return a->kind != ASPECT_ELIGIBLE;
    space_end(s);
    space_of(s, a, policy, false);
    return false;
}

static json_t *aspect_compare(struct aspect *a, const struct policy *const policy[2], bool *same) {
    struct comparison *c = mem_alloc(sizeof *c);
    scoped_text struct text name = {0};
    size_t differing, left_out;
    c->aspect = a;
    bool masked = space_best(&c->space, a, policy);
    c->pairs = mem_alloc(c->space.profiles * sizeof *c->pairs);
    for (size_t i = 0; i < c->space.profiles; i++) judge_profile(c, i, masked);
    json_t *changes = changes_gather(c, &differing, &left_out);
    aspect_text(a, &name);
    if (differing > 0) *same = false;
    double possible = c->space.possible;
    json_t *object = json_pack("{s:s, s:I, s:I, s:o, s:I, s:I, s:o}", "aspect", name.s, "profiles",
                               (json_int_t)c->space.profiles, "possible",
                               possible < 9e18 ? (json_int_t)possible : (json_int_t)INT64_MAX, "taken",
                               taken_json(&c->space), "differing", (json_int_t)differing, "left_out",
                               (json_int_t)left_out, "changes", changes);
    space_end(&c->space);
    sayings_free(&c->sayings);
    free(c->pairs);
    free(c);
    return object;
}

static json_t *policy_json(const struct policy *y) {
    return json_pack("{s:s, s:I, s:s}", "policy", policy_name(y), "version", (json_int_t)policy_version(y),
                     "file", policy_file(y));
}

json_t *policy_differ(const struct policy *before, const struct policy *after, bool korean) {
    enum { ASPECTS_MOST = 512 };
    const struct policy *const policy[2] = {before, after};
    scoped_free struct aspect *aspects = mem_alloc(ASPECTS_MOST * sizeof *aspects);
    size_t n = aspects_of(policy, aspects, ASPECTS_MOST);
    json_t *plain = json_array(), *list = json_array();
    differ_plain(before, after, korean, plain);
    bool same = json_array_size(plain) == 0;
    for (size_t i = 0; i < n; i++) {
        aspects[i].korean = korean;
        json_array_append_new(list, aspect_compare(&aspects[i], policy, &same));
    }
    return json_pack("{s:o, s:o, s:b, s:o, s:o}", "before", policy_json(before), "after", policy_json(after),
                     "same", (int)same, "plain", plain, "aspects", list);
}
