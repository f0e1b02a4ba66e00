/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sharing function against a small, slow, obvious reference that follows the words of the manual:
 * every step looks at every claim. Answers are compared as bytes, from shuffled input. Then what holds of
 * every fill, what larger capacities do, and large problems against one heap of claims.
 */
#include "alloc/json.h"
#include "alloc/scope.h"
#include "policies/fill_check.h"
#include "policies/fill_json.h"
#include "policies/invariant_parts.h"
#include "policies/share.h"
#include "policies/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLAIMS = 12, RESOURCES = 4, STEPS = 400 };

/* ROUNDS=1000000 for a long run. */
static long rounds_wanted(void) {
    const char *wanted = getenv("ROUNDS");
    long long n = 0;
    return wanted && text_to_int(wanted, 1, 1000000000, &n) == 0 ? (long)n : 4000;
}

static uint64_t seed;

static uint64_t draw(void) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 33;
}

static int64_t below(int64_t n) {
    uint64_t drawn = draw();
    if (n > INT32_MAX) drawn = drawn << 31 | draw();
    return (int64_t)(drawn % (uint64_t)n);
}

/* ---- a random world ---- */

struct want {
    char id[16];
    int64_t step[RESOURCES], max, weight, guarantee, tier, credits, submitted;
    bool bounded;
};

struct world {
    int n, n_resources;
    int64_t capacity[RESOURCES];
    struct want wants[CLAIMS];
    bool surplus, strict;
    /* filled by the reference */
    int64_t given[CLAIMS], used[RESOURCES];
    bool scarce[RESOURCES];
    int order[STEPS], n_order;
};

/* Not in the order of their bytes. */
static const char *const resource_names[RESOURCES] = {"memory", "cpu", "\xec\xa0\x80\xec\x9e\xa5", "GPU"};

static int64_t promised(const struct want *w) {
    return w->bounded && w->max < w->guarantee ? w->max : w->guarantee;
}

static void make_id(struct want *w, int i) {
    static const char *const heads[] = {"", "r-", "R", "\xc3\xa9", "a b", "\"", "\xf0\x9f\x98\x80"};
    snprintf(w->id, sizeof w->id, "%s%d", heads[below(7)], i);
}

static void make_want(struct world *w, int i, int64_t scale) {
    struct want *c = &w->wants[i];
    *c = (struct want){.weight = below(4) ? 1 + below(4) : 1 + below(1000000),
                       .bounded = below(10) > 2,
                       .max = below(12),
                       .guarantee = below(3) ? 0 : below(7),
                       .tier = below(3),
                       .credits = below(5) - 2,
                       .submitted = below(3) - 1};
    make_id(c, i);
    for (int r = 0; r < w->n_resources; r++)
        c->step[r] = below(3) ? (1 + below(7)) * scale / (below(9) ? 1 : 2) : 0;
    if (i > 0 && below(3)) { /* like one before it */
        const struct want *like = &w->wants[below(i)];
        memcpy(c->step, like->step, sizeof c->step);
        if (below(3)) c->weight = like->weight;
    }
    int64_t sum = 0;
    for (int r = 0; r < w->n_resources; r++) sum += c->step[r];
    if (sum == 0) c->step[below(w->n_resources)] = scale;
}

/* No more is promised than there is. */
static void keep_promises(struct world *w) {
    for (int r = 0; r < w->n_resources; r++) {
        int64_t sum = 0;
        for (int i = 0; i < w->n; i++) {
            if (sum + promised(&w->wants[i]) * w->wants[i].step[r] > w->capacity[r])
                w->wants[i].guarantee = 0;
            sum += promised(&w->wants[i]) * w->wants[i].step[r];
        }
    }
}

static void make_world(struct world *w, uint64_t number) {
    *w = (struct world){0};
    seed = number * 2654435761u + 1;
    int64_t scale = below(4) ? 1 : 1 + below(10000000000000);
    w->n = (int)below(CLAIMS + 1);
    w->n_resources = 1 + (int)below(RESOURCES);
    w->surplus = below(2);
    w->strict = below(3) == 0;
    for (int r = 0; r < w->n_resources; r++) w->capacity[r] = (1 + below(90)) * scale + below(scale);
    for (int i = 0; i < w->n; i++) make_want(w, i, scale);
    keep_promises(w);
}

static json_t *world_json(const struct world *w) {
    json_t *capacity = json_object(), *claims = json_array();
    int at = (int)below(RESOURCES), turn = w->n ? (int)below(w->n) : 0, by = w->n == 7 || below(2) ? 1 : -1;
    for (int k = 0; k < RESOURCES; k++) {
        int r = (at + k) % RESOURCES;
        if (r < w->n_resources)
            json_object_set_new(capacity, resource_names[r], json_integer(w->capacity[r]));
    }
    for (int k = 0; k < w->n; k++) {
        const struct want *c = &w->wants[(turn + by * k + w->n) % w->n];
        json_t *step = json_object(), *claim = json_pack("{s:s, s:o}", "id", c->id, "step", step);
        for (int r = w->n_resources; r-- > 0;)
            if (c->step[r] || below(2))
                json_object_set_new(step, resource_names[r], json_integer(c->step[r]));
        if (c->bounded) json_object_set_new(claim, "max", json_integer(c->max));
        if (!c->bounded && below(2)) json_object_set_new(claim, "max", json_null());
        if (c->weight != 1) json_object_set_new(claim, "weight", json_integer(c->weight));
        if (c->guarantee || below(2)) json_object_set_new(claim, "guarantee", json_integer(c->guarantee));
        if (c->tier) json_object_set_new(claim, "tier", json_integer(c->tier));
        if (c->credits) json_object_set_new(claim, "credits", json_integer(c->credits));
        if (c->submitted) json_object_set_new(claim, "submitted", json_integer(c->submitted));
        json_array_insert_new(claims, below(2) ? 0 : json_array_size(claims), claim);
    }
    json_t *all = json_pack("{s:o, s:o}", "claims", claims, "capacity", capacity);
    if (w->surplus || below(2))
        json_object_set_new(all, "weigh", json_string(w->surplus ? "surplus" : "total"));
    if (w->strict || below(2)) json_object_set_new(all, "strict", json_boolean(w->strict));
    return all;
}

/* ---- the reference ---- */

enum tie_rule { BELOW_GUARANTEE, TIER, SHARE, CREDITS, SUBMITTED, ID, N_RULES };
static int turned = -1; /* a rule that the reference takes the wrong way around */

static void find_scarce(struct world *w) {
    for (int r = 0; r < w->n_resources; r++) {
        wide_t sum = 0;
        w->scarce[r] = false;
        for (int i = 0; i < w->n; i++) {
            if (!w->wants[i].bounded && w->wants[i].step[r] > 0) w->scarce[r] = true;
            sum += (wide_t)w->wants[i].max * w->wants[i].step[r] * w->wants[i].bounded;
        }
        if (sum > w->capacity[r]) w->scarce[r] = true;
    }
}

struct fraction {
    wide_t over, under;
};

static int fraction_cmp(struct fraction a, struct fraction b) {
    return (a.over * b.under > b.over * a.under) - (a.over * b.under < b.over * a.under);
}

/* D / weight */
static struct fraction weighted_share(const struct world *w, int i) {
    const struct want *c = &w->wants[i];
    struct fraction d = {0, 1};
    int64_t steps = w->given[i];
    if (w->surplus) steps = steps > promised(c) ? steps - promised(c) : 0;
    for (int r = 0; r < w->n_resources; r++) {
        struct fraction one = {(wide_t)steps * c->step[r], w->capacity[r]};
        if (w->scarce[r] && fraction_cmp(one, d) > 0) d = one;
    }
    d.under *= c->weight;
    return d;
}

static int order_of(int64_t a, int64_t b, enum tie_rule rule) {
    int order = (a > b) - (a < b);
    return (int)rule == turned ? -order : order;
}

static bool comes_before(const struct world *w, int i, int j) {
    const struct want *a = &w->wants[i], *b = &w->wants[j];
    int order = order_of(w->given[j] < promised(b), w->given[i] < promised(a), BELOW_GUARANTEE);
    if (order == 0 && w->strict) order = order_of(a->tier, b->tier, TIER);
    if (order == 0) order = order_of(fraction_cmp(weighted_share(w, i), weighted_share(w, j)), 0, SHARE);
    if (order == 0) order = order_of(b->credits, a->credits, CREDITS);
    if (order == 0) order = order_of(a->submitted, b->submitted, SUBMITTED);
    if (order == 0) order = order_of(strcmp(a->id, b->id), 0, ID);
    return order < 0;
}

static bool can_take(const struct world *w, int i) {
    const struct want *c = &w->wants[i];
    if (c->bounded && w->given[i] >= c->max) return false;
    for (int r = 0; r < w->n_resources; r++)
        if (c->step[r] > w->capacity[r] - w->used[r]) return false;
    return true;
}

static void reference(struct world *w) {
    memset(w->given, 0, sizeof w->given);
    memset(w->used, 0, sizeof w->used);
    w->n_order = 0;
    find_scarce(w);
    for (;;) {
        int first = -1;
        for (int i = 0; i < w->n; i++)
            if (can_take(w, i) && (first < 0 || comes_before(w, i, first))) first = i;
        if (first < 0) return;
        assert_true(w->n_order < STEPS);
        w->order[w->n_order++] = first;
        w->given[first]++;
        for (int r = 0; r < w->n_resources; r++) w->used[r] += w->wants[first].step[r];
    }
}

/* ---- the answer of the reference ---- */

static json_t *share_of(const struct world *w, int i) {
    const struct want *c = &w->wants[i];
    bool any = true;
    int best = -1;
    char text[64];
    for (int r = 0; r < w->n_resources; r++) any &= !w->scarce[r];
    for (int r = 0; r < w->n_resources; r++) {
        if (!any && !w->scarce[r]) continue;
        int order = best < 0 ? 1
                             : fraction_cmp((struct fraction){c->step[r], w->capacity[r]},
                                            (struct fraction){c->step[best], w->capacity[best]});
        if (order > 0 || (order == 0 && strcmp(resource_names[r], resource_names[best]) < 0)) best = r;
    }
    snprintf(text, sizeof text, "%lld/%lld", (long long)(w->given[i] * c->step[best]),
             (long long)w->capacity[best]);
    return json_string(text);
}

static int text_order(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *reference_answer(struct world *w) {
    scoped_json json_t *given = json_object(), *order = json_array(), *scarce = json_array(),
                       *shares = json_object(), *used = json_object();
    const char *names[RESOURCES];
    int n = 0;
    reference(w);
    for (int i = 0; i < w->n; i++) {
        json_object_set_new(given, w->wants[i].id, json_integer(w->given[i]));
        json_object_set_new(shares, w->wants[i].id, share_of(w, i));
    }
    for (int i = 0; i < w->n_order; i++) json_array_append_new(order, json_string(w->wants[w->order[i]].id));
    for (int r = 0; r < w->n_resources; r++) {
        json_object_set_new(used, resource_names[r], json_integer(w->used[r]));
        if (w->scarce[r]) names[n++] = resource_names[r];
    }
    qsort(names, (size_t)n, sizeof *names, text_order);
    for (int r = 0; r < n; r++) json_array_append_new(scarce, json_string(names[r]));
    scoped_json json_t *all = json_pack("{s:O, s:O, s:O, s:O, s:O}", "given", given, "order", order, "scarce",
                                        scarce, "shares", shares, "used", used);
    return json_dumps(all, JSON_SORT_KEYS);
}

static char *answer_of(const struct world *w) {
    scoped_json json_t *document = world_json(w);
    struct err e = {0};
    char *answer = fill_answer(document, "world", &e);
    if (!answer) {
        scoped_free char *input = json_dumps(document, 0);
        fail_msg("%s\n%s", e.what, input);
    }
    return answer;
}

static void answers_equal_the_slow_reference(void **state) {
    (void)state;
    long rounds = rounds_wanted();
    for (long number = 0; number < rounds; number++) {
        struct world w;
        make_world(&w, (uint64_t)number);
        scoped_free char *expected = reference_answer(&w);
        for (int shuffle = 0; shuffle < 2; shuffle++) {
            scoped_free char *answer = answer_of(&w);
            if (strcmp(expected, answer) != 0)
                fail_msg("world %ld:\nexpected %s\nanswered %s", number, expected, answer);
        }
    }
}

/* The worlds above would show a mistake in any rule. */
static void every_rule_decides_somewhere(void **state) {
    (void)state;
    for (int rule = 0; rule < N_RULES; rule++) {
        int differ = 0;
        for (uint64_t number = 0; number < 500; number++) {
            struct world w;
            make_world(&w, number);
            turned = rule;
            scoped_free char *wrong = reference_answer(&w);
            turned = -1;
            scoped_free char *answer = answer_of(&w);
            differ += strcmp(wrong, answer) != 0;
        }
        if (differ < 10) fail_msg("rule %d decides in %d of 500 worlds", rule, differ);
    }
}

/* ---- what holds of every fill ---- */

static void world_fill(const struct world *w, struct fill_input *in, struct fill_result *r) {
    scoped_json json_t *document = world_json(w);
    struct err e = {0};
    assert_int_equal(fill_decode(document, "world", in, &e), 0);
    assert_int_equal(fill(&in->problem, r, &e), 0);
}

static void invariants_hold_and_see_mistakes(void **state) {
    (void)state;
    long rounds = rounds_wanted(), seen = 0, changed = 0;
    for (long number = 0; number < rounds; number++) {
        struct world w;
        struct fill_input in;
        struct fill_result r;
        struct err e = {0};
        make_world(&w, (uint64_t)number);
        world_fill(&w, &in, &r);
        if (fill_check(&in.problem, &r, &e) < 0) fail_msg("world %ld: %s", number, e.what);
        if (r.n_order > 0) { /* one step less, or one more, or a step from one to another is seen */
            size_t i = (size_t)below(w.n), from = r.order[below((int64_t)r.n_order)];
            r.given[from]--;
            if (below(2)) r.given[i]++;
            changed += i != from || r.given[from] < 0;
            seen += fill_check(&in.problem, &r, &e) < 0;
        }
        fill_free(&r);
        fill_input_free(&in);
    }
    if (seen < changed) fail_msg("%ld of %ld mistakes were seen", seen, changed);
}

/* Not a count but a wrong choice: what max-min alone can see. */
static void an_unfair_fill_is_seen(void **state) {
    (void)state;
    struct fill_amount step = {0, 1};
    struct fill_claim claims[2] = {{.step = &step, .n_step = 1, .weight = 1},
                                   {.step = &step, .n_step = 1, .weight = 2}};
    int64_t capacity = 9;
    struct fill_problem p = {.capacity = &capacity, .n_resources = 1, .claims = claims, .n_claims = 2};
    struct fill_result r;
    struct err e = {0};
    assert_int_equal(fill(&p, &r, &e), 0);
    assert_int_equal(r.given[0], 3);
    assert_int_equal(r.given[1], 6);
    assert_int_equal(fill_check(&p, &r, &e), 0);
    assert_int_equal(holds_max_min(&(struct step){.problem = &p, .filled = &r}, &e), 0);
    for (size_t i = 0; i < r.n_order; i++)
        if (r.order[i] == 1) { /* 4 and 5: the last of the first claim went before 5/2 */
            r.order[i] = 0;
            break;
        }
    r.given[0]++;
    r.given[1]--;
    assert_int_equal(fill_check(&p, &r, &e), -1);
    assert_non_null(strstr(e.what, "max-min: claim 0"));
    assert_int_equal(holds_max_min(&(struct step){.problem = &p, .filled = &r}, &e), -1);
    fill_free(&r);
}

/* A large step that came first may leave more between two than one small step: no mistake. */
static void a_large_step_may_stay_ahead(void **state) {
    (void)state;
    struct fill_amount large = {0, 4}, small = {0, 1};
    struct fill_claim claims[2] = {{.step = &large, .n_step = 1, .weight = 1},
                                   {.step = &small, .n_step = 1, .weight = 1}};
    int64_t capacity = 5;
    struct fill_problem p = {.capacity = &capacity, .n_resources = 1, .claims = claims, .n_claims = 2};
    struct fill_result r;
    struct err e = {0};
    assert_int_equal(fill(&p, &r, &e), 0);
    assert_int_equal(r.given[0], 1);
    assert_int_equal(r.given[1], 1);
    assert_int_equal(fill_check(&p, &r, &e), 0);
    fill_free(&r);
}

/* I18, which holds where all steps are equal: a larger capacity takes from nobody, a larger most not from
   its own claim. (With unequal steps it is false: a claim may take what another then lacks.) */
static void more_never_takes_from_equal_steps(void **state) {
    (void)state;
    long rounds = rounds_wanted();
    for (long number = 0; number < rounds; number++) {
        struct world w;
        struct fill_input in, larger_in;
        struct fill_result r, larger;
        make_world(&w, (uint64_t)number);
        for (int i = 1; i < w.n; i++) memcpy(w.wants[i].step, w.wants[0].step, sizeof w.wants[0].step);
        keep_promises(&w);
        for (int i = 0; i < w.n; i++) w.wants[i].guarantee = promised(&w.wants[i]);
        world_fill(&w, &in, &r);
        int raised = w.n > 0 && below(2) ? (int)below(w.n) : -1;
        if (raised >= 0) {
            w.wants[raised].max += 1 + below(5);
            if (below(4) == 0) w.wants[raised].bounded = false;
        } else {
            w.capacity[below(w.n_resources)] += 1 + below(10);
        }
        world_fill(&w, &larger_in, &larger);
        for (int i = 0; i < w.n; i++) {
            if (raised >= 0 && strcmp(in.ids[i], w.wants[raised].id) != 0) continue;
            if (larger.given[i] < r.given[i])
                fail_msg("world %ld: %s had %lld steps, has %lld", number, in.ids[i], (long long)r.given[i],
                         (long long)larger.given[i]);
        }
        fill_free(&r);
        fill_free(&larger);
        fill_input_free(&in);
        fill_input_free(&larger_in);
    }
}

/* ---- large problems against one heap of claims ---- */

struct large {
    struct fill_problem p;
    struct fill_claim *claims;
    struct fill_amount *steps;
    int64_t capacity[3];
};

static void make_large(struct large *l, size_t n, size_t pairs) {
    l->claims = mem_alloc(n * sizeof *l->claims);
    l->steps = mem_alloc(pairs * 2 * sizeof *l->steps);
    for (size_t k = 0; k < pairs; k++) {
        l->steps[2 * k] = (struct fill_amount){(size_t)below(2), 1 + below(40)};
        l->steps[2 * k + 1] = (struct fill_amount){2, 1 + below(40)};
    }
    bool guarantees = below(2), unbounded = below(3) > 0;
    int64_t tiers = below(3) ? 3 : 500, each = below(4) ? 80 : 500;
    for (size_t i = 0; i < n; i++) {
        size_t pair = (size_t)below((int64_t)pairs);
        l->claims[i] = (struct fill_claim){.step = &l->steps[2 * pair],
                                           .n_step = 1 + pair % 2,
                                           .most = {!unbounded || below(5) > 0, below(9)},
                                           .guarantee = guarantees ? below(3) : 0,
                                           .weight = 1 + (int64_t)(pair % 5),
                                           .tier = below(tiers),
                                           .credits = below(7) ? 0 : below(2000) - 1000,
                                           .submitted = below(2) ? 0 : 1600000000 + below(40000000)};
    }
    for (size_t r = 0; r < 3; r++) l->capacity[r] = (int64_t)n * each;
    l->p = (struct fill_problem){.capacity = l->capacity,
                                 .n_resources = 3,
                                 .claims = l->claims,
                                 .n_claims = n,
                                 .surplus = below(2),
                                 .strict = below(2)};
}

static struct share_key plain_key(const struct fill_problem *p, const bool scarce[], size_t i,
                                  int64_t given) {
    const struct fill_claim *c = &p->claims[i];
    struct fill_amount d = fill_dominant(p, scarce, i);
    int64_t steps = p->surplus ? given - fill_promised(c) : given;
    return (struct share_key){.below_guarantee = given < fill_promised(c),
                              .tier = p->strict ? c->tier : 0,
                              .held = steps > 0 && scarce[d.resource] ? steps * d.n : 0,
                              .capacity = p->capacity[d.resource],
                              .weight = c->weight,
                              .credits = c->credits,
                              .submitted = c->submitted,
                              .order = i};
}

static void check_large(const struct large *l) {
    const struct fill_problem *p = &l->p;
    struct share_heap heap = {0};
    struct fill_result r;
    struct err e = {0};
    int64_t *given = mem_alloc(p->n_claims * sizeof *given), left[3];
    size_t n = 0;
    assert_int_equal(fill(p, &r, &e), 0);
    memcpy(left, l->capacity, sizeof left);
    for (size_t i = 0; i < p->n_claims; i++) {
        struct share_key key = plain_key(p, r.scarce, i, 0);
        if (!p->claims[i].most.has || p->claims[i].most.n > 0) share_put(&heap, &key, i);
    }
    while (heap.n > 0) {
        struct share_key key;
        size_t i = share_take(&heap, &key);
        const struct fill_claim *c = &p->claims[i];
        bool fits = true;
        for (size_t k = 0; k < c->n_step; k++) fits &= c->step[k].n <= left[c->step[k].resource];
        if (!fits) continue;
        if (n >= r.n_order || r.order[n] != i) fail_msg("step %zu goes to claim %zu", n, i);
        n++;
        for (size_t k = 0; k < c->n_step; k++) left[c->step[k].resource] -= c->step[k].n;
        given[i]++;
        key = plain_key(p, r.scarce, i, given[i]);
        if (!c->most.has || given[i] < c->most.n) share_put(&heap, &key, i);
    }
    assert_int_equal(n, r.n_order);
    assert_memory_equal(given, r.given, p->n_claims * sizeof *given);
    share_free(&heap);
    free(given);
    fill_free(&r);
}

static void queues_equal_one_heap(void **state) {
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct large l;
        seed = (uint64_t)round + 7;
        make_large(&l, 1000 + (size_t)below(3000), round % 3 == 0 ? 1500 : 1 + (size_t)below(64));
        check_large(&l);
        free(l.claims);
        free(l.steps);
    }
}

static void a_sort_is_stable(void **state) {
    (void)state;
    static struct sort_item items[5000], scratch[5000];
    static const int64_t ranges[] = {1, 2, 1000, 5000000, INT64_MAX};
    for (size_t k = 0; k < 5; k++)
        for (uint32_t n = 0; n <= 5000; n += n < 70 ? 1 : 1643) {
            seed = n + 1;
            for (uint32_t i = 0; i < n; i++) {
                int64_t high = below(ranges[k]), low = below(ranges[k]);
                items[i] = (struct sort_item){sort_signed(high - low), i};
            }
            sort_stable(items, scratch, n);
            for (uint32_t i = 1; i < n; i++) {
                assert_true(items[i - 1].key <= items[i].key);
                assert_true(items[i - 1].key < items[i].key || items[i - 1].item < items[i].item);
            }
        }
}

/* ---- shares of any size ---- */

/* a x b over three words of 64 bits, the highest first. */
static void multiply(int64_t a, wide_t b, uint64_t out[3]) {
    __extension__ typedef unsigned __int128 word2;
    word2 low = (word2)(uint64_t)a * (uint64_t)b,
          high = (word2)(uint64_t)a * (uint64_t)(b >> 64) + (low >> 64);
    out[0] = (uint64_t)(high >> 64);
    out[1] = (uint64_t)high;
    out[2] = (uint64_t)low;
}

static void shares_of_any_size_are_compared_exactly(void **state) {
    (void)state;
    int orders[3] = {0};
    seed = 5;
    for (int round = 0; round < 200000; round++) {
        struct share_key a = {.held = below(INT64_MAX) >> below(62), .order = 1}, b;
        a.capacity = 1 + (below(INT64_MAX) >> below(62));
        a.weight = 1 + below(1000000);
        b = a;
        int64_t times = 1 + below(INT64_C(1) << below(32));
        if (a.held <= INT64_MAX / times && a.capacity < INT64_MAX / times) { /* the same share, or nearly */
            b.held *= times;
            b.capacity = b.capacity * times + (below(2) ? below(3) - 1 : 0);
        } else {
            b.held = below(INT64_MAX);
        }
        if (b.capacity < 1) continue;
        uint64_t x[3], y[3];
        multiply(a.held, (wide_t)b.capacity * b.weight, x);
        multiply(b.held, (wide_t)a.capacity * a.weight, y);
        int order = 0;
        for (int k = 0; k < 3 && order == 0; k++) order = (x[k] > y[k]) - (x[k] < y[k]);
        orders[order + 1]++;
        assert_int_equal(share_ties(&a, &b), order == 0);
        assert_int_equal(share_cmp(&a, &b), order);
        assert_int_equal(share_cmp(&b, &a), -order);
    }
    for (int k = 0; k < 3; k++) assert_true(orders[k] > 10000);
}

/* ---- the ends of the ranges ---- */

static void refuses(const char *text, const char *what) {
    struct err e = {0};
    scoped_json json_t *document = json_load_text(text, strlen(text), "in", &e);
    assert_non_null(document);
    scoped_free char *answer = fill_answer(document, "in", &e);
    assert_null(answer);
    assert_int_equal(e.code, ERR_USAGE);
    if (!strstr(e.what, what)) fail_msg("%s\nand not: %s", e.what, what);
}

static void ten_million_steps_are_the_most(void **state) {
    (void)state;
    static const char exact[] =
        "{\"capacity\": {\"a\": 10000000}, \"claims\": [{\"id\": \"x\", \"step\": {\"a\": 1}}]}";
    struct err e = {0};
    scoped_json json_t *document = json_load_text(exact, strlen(exact), "in", &e);
    scoped_free char *answer = fill_answer(document, "in", &e);
    assert_non_null(answer);
    assert_int_equal(strncmp(answer, "{\"given\": {\"x\": 10000000}, ", 27), 0);
    refuses("{\"capacity\": {\"a\": 10000001}, \"claims\": [{\"id\": \"x\", \"step\": {\"a\": 1}}]}",
            "in: claims: takes more than 10000000 steps");
    refuses("{\"capacity\": {\"a\": 1000000000000000}, \"claims\": [{\"id\": \"x\", \"guarantee\": 20000000, "
            "\"step\": "
            "{\"a\": 1}}]}",
            "in: claims: takes more than 10000000 steps");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_equal_the_slow_reference),
        cmocka_unit_test(every_rule_decides_somewhere),
        cmocka_unit_test(invariants_hold_and_see_mistakes),
        cmocka_unit_test(an_unfair_fill_is_seen),
        cmocka_unit_test(a_large_step_may_stay_ahead),
        cmocka_unit_test(more_never_takes_from_equal_steps),
        cmocka_unit_test(queues_equal_one_heap),
        cmocka_unit_test(a_sort_is_stable),
        cmocka_unit_test(shares_of_any_size_are_compared_exactly),
        cmocka_unit_test(ten_million_steps_are_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
