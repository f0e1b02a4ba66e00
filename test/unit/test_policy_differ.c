/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two policies decide differently, against the plain truth: for any tenant and request, the conditions
 * that are listed hold exactly where the two judge otherwise.
 */
#include "policies/differ.h"

#include "alloc/scope.h"
#include "policies/differ_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct policy *parse(const char *file, const char *text) {
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy_source source = {file, text, strlen(text), NULL, NULL};
    struct policy *policy = policy_parse(&source, d);
    if (!policy) {
        struct text said = {0};
        diagnostics_print(d, &said);
        fail_msg("%s", said.s);
    }
    diagnostics_free(d);
    free(d);
    return policy;
}

/* ---- chance ---- */

static uint64_t state_of_chance;

static unsigned chance(unsigned n) {
    state_of_chance = state_of_chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state_of_chance >> 33) % n;
}

static const char *pick(const char *const list[], unsigned n) { return list[chance(n)]; }

static void random_condition(struct text *t, int depth) {
    static const char *const tests[] = {"ai",
                                        "not ai",
                                        "ai = false",
                                        "kind = sme",
                                        "kind != other",
                                        "kind in { sme, venture }",
                                        "seat = gwangju",
                                        "not seat in { moving, elsewhere }",
                                        "move_by is unset",
                                        "move_by > today + 10 days",
                                        "move_by <= today - 3 days",
                                        "move_by < 2021-05-01",
                                        "founded is not unset and founded >= 2020-01-01",
                                        "size > 5",
                                        "size <= 5",
                                        "size = 7",
                                        "note = \"a\"",
                                        "note in { \"a\", b }",
                                        "note is unset",
                                        "rush is unset",
                                        "rush",
                                        "request.compute > 31.2 TF",
                                        "request.compute <= 62.4 TF",
                                        "request.storage >= 2 TB",
                                        "tenant in <t>",
                                        "not tenant in <t>",
                                        "organisation = o1",
                                        "today < 2021-06-01"};
    if (depth == 0 || chance(3) == 0) {
        text_add(t, "%s", pick(tests, sizeof tests / sizeof *tests));
        return;
    }
    text_add(t, "%s(", chance(5) == 0 ? "not " : "");
    random_condition(t, depth - 1);
    text_add(t, " %s ", chance(2) ? "and" : "or");
    random_condition(t, depth - 1);
    text_add(t, ")");
}

#define DECLARED                                                                                             \
    "policy \"p\" version 1;\npool pilot { basis fp32; flavor v100 15.6 TF units 480; storage 1 PB; }\n"     \
    "attr kind : enum { sme, venture, other };\nattr ai : bool;\nattr seat : enum { gwangju, moving, "       \
    "elsewhere };\n"                                                                                         \
    "attr move_by : date?;\nattr founded : date?;\nattr size : int;\nattr note : text?;\nattr rush : bool? " \
    "of request;\n"                                                                                          \
    "table t { c1, c3 };\n"

static void rule(struct text *t, const char *words) {
    text_add(t, "%s when ", words);
    random_condition(t, (int)chance(3));
    text_add(t, ";\n");
}

static struct policy *random_policy(const char *file) {
    static const char *const effects[] = {"deny", "review", "pass"};
    scoped_text struct text t = {0};
    text_add(&t, DECLARED "set eligible {\n");
    for (unsigned i = 0, n = chance(3); i < n; i++) {
        char words[64];
        text_format(words, sizeof words, "E%u %s \"r\"", i, pick(effects, 3));
        rule(&t, words);
    }
    text_add(&t, "E9 pass \"p\" otherwise;\n}\n");
    text_add(&t, "set tier {\n");
    for (unsigned i = 0, n = chance(3); i < n; i++) {
        char words[64];
        text_format(words, sizeof words, "T%u t%u weight %u \"r\"", i, i, i + 2);
        scoped_text struct text w = {0};
        text_add(&w, "%s when %s;\n", words, chance(2) ? "ai" : "seat = gwangju and kind = sme");
        text_add(&t, "%s", w.s);
    }
    text_add(&t, "T9 rest \"p\" otherwise;\n}\nC1 ceiling compute %u TF storage 10 TB;\n", 100 + chance(2));
    rule(&t, "C2 ceiling compute 60 TF");
    rule(&t, "C3 ceiling per organisation storage 5 TB");
    if (chance(2)) text_add(&t, "C4 ceiling compute 80 TF when tier = rest;\n");
    if (chance(2)) rule(&t, "A1 approve by operator \"r\"");
    if (chance(2)) rule(&t, "L1 lease term 30 days");
    text_add(&t, "L2 lease term 90 days;\n");
    return parse(file, t.s);
}

/* ---- the truth ---- */

struct person {
    struct fact_attr attrs[7], of_request[1];
    struct fact_tenant tenant;
    struct fact_claim claim;
    struct facts facts;
};

static void random_person(struct person *p) {
    static const char *const kinds[] = {"sme", "venture", "other"}, *const bools[] = {"true", "false"};
    static const char *const seats[] = {"gwangju", "moving", "elsewhere"};
    static const char *const dates[] = {"2021-04-01", "2021-04-09", "2021-04-10", "2021-04-22", "2021-04-23",
                                        "2021-04-30", "2021-05-01", "2022-01-01", "2019-12-31", "2020-01-01"};
    static const char *const sizes[] = {"4", "5", "6", "7", "8"}, *const notes[] = {"a", "b", "c"};
    static const char *const tenants[] = {"c1", "c2", "c3"}, *const organisations[] = {"o1", "o2"};
    static const int64_t gf[] = {0, 31200, 31201, 62400, 62401}, tb[] = {0, 1999, 2000, 2001};
    *p = (struct person){0};
    size_t n = 0;
    p->attrs[n++] = (struct fact_attr){"kind", pick(kinds, 3)};
    p->attrs[n++] = (struct fact_attr){"ai", pick(bools, 2)};
    p->attrs[n++] = (struct fact_attr){"seat", pick(seats, 3)};
    p->attrs[n++] = (struct fact_attr){"size", pick(sizes, 5)};
    if (chance(3)) p->attrs[n++] = (struct fact_attr){"move_by", pick(dates, 10)};
    if (chance(3)) p->attrs[n++] = (struct fact_attr){"founded", pick(dates, 10)};
    if (chance(3)) p->attrs[n++] = (struct fact_attr){"note", pick(notes, 3)};
    p->of_request[0] = (struct fact_attr){"rush", pick(bools, 2)};
    p->tenant = (struct fact_tenant){
        .name = pick(tenants, 3), .organisation = pick(organisations, 2), .attrs = p->attrs, .n_attrs = n};
    p->claim = (struct fact_claim){.id = "r-1",
                                   .ask = ASK_COMPUTE,
                                   .compute = {gf[chance(5)]},
                                   .storage = {tb[chance(4)] * 1000000000},
                                   .attrs = p->of_request,
                                   .n_attrs = chance(3) > 0};
    p->facts = (struct facts){.now = {1618191000 + (int64_t)chance(2) * 60 * CLOCK_DAY},
                              .tenants = &p->tenant,
                              .n_tenants = 1,
                              .claims = &p->claim,
                              .n_claims = 1};
}

/* ---- the conditions that were listed, as rules of a third policy ---- */

static struct policy *listed(const json_t *changes) {
    scoped_text struct text t = {0};
    size_t i;
    json_t *change;
    text_add(&t, DECLARED "set eligible {\n");
    json_array_foreach(changes, i, change) {
        const char *when = json_string_value(json_object_get(change, "when"));
        text_add(&t, "D%zu pass \"r\" when %s;\n", i, strcmp(when, "always") == 0 ? "(ai or not ai)" : when);
    }
    text_add(
        &t,
        "E9 pass \"p\" otherwise;\n}\nC1 ceiling compute 125 TF storage 10 TB;\nL2 lease term 90 days;\n");
    return parse("listed.policy", t.s);
}

static void outcome(const struct aspect *a, struct eval *e, const struct policy *y, const struct person *p,
                    struct text *out, bool *denied) {
    struct said said = {0};
    eval_begin(e, y, &p->facts, &p->claim);
    e->slots[VAR_TIER] = (struct slot){.state = SLOT_UNSET};
    *denied |= a->kind != ASPECT_ELIGIBLE && profile_denied(e);
    aspect_judge(a, 0, e, &said);
    text_free(&said.rules);
    *out = said.outcome;
}

/* Whether the change whose condition is rule i names this person, as what it says. */
static bool names(const json_t *change, const struct policy *third, size_t i, struct eval *e,
                  const struct person *p, const struct text said[2]) {
    eval_begin(e, third, &p->facts, &p->claim);
    if (eval_expr(e, third->rules[i].when) != TRUTH_TRUE) return false;
    if (strcmp(said[0].s, json_string_value(json_object_get(change, "before"))) != 0 ||
        strcmp(said[1].s, json_string_value(json_object_get(change, "after"))) != 0)
        fail_msg("'%s' is said to become '%s': %s", said[0].s, said[1].s,
                 json_string_value(json_object_get(change, "when")));
    return true;
}

static void check_person(const struct aspect *a, const struct policy *const policy[2],
                         const struct policy *third, const json_t *changes, struct eval *e) {
    struct person p;
    struct text said[2] = {{0}, {0}};
    bool denied = false, named = false;
    random_person(&p);
    for (int i = 0; i < 2; i++) outcome(a, e, policy[i], &p, &said[i], &denied);
    for (size_t i = 0; !denied && i < json_array_size(changes); i++)
        named |= names(json_array_get(changes, i), third, i, e, &p, said);
    if (!denied && named != (strcmp(said[0].s, said[1].s) != 0))
        fail_msg("%s: '%s' and '%s' are %s", a->kind == ASPECT_ELIGIBLE ? "eligible" : "aspect", said[0].s,
                 said[1].s, named ? "listed" : "not listed");
    text_free(&said[0]);
    text_free(&said[1]);
}

static bool has_all(const json_t *aspect) { return json_array_size(json_object_get(aspect, "taken")) == 0; }

static void what_is_listed_is_what_differs(void **state) {
    enum { PAIRS = 24, PEOPLE = 100 };
    struct aspect aspects[64];
    struct eval *e = mem_alloc(sizeof *e);
    size_t compared = 0;
    (void)state;
    state_of_chance = 20261122;
    for (int pair = 0; pair < PAIRS; pair++) {
        const struct policy *const policy[2] = {random_policy("a.policy"), random_policy("b.policy")};
        scoped_json json_t *difference = policy_differ(policy[0], policy[1], false);
        size_t n = aspects_of(policy, aspects, 64);
        const json_t *list = json_object_get(difference, "aspects");
        assert_int_equal(json_array_size(list), n);
        for (size_t i = 0; i < n; i++) {
            const json_t *aspect = json_array_get(list, i), *changes = json_object_get(aspect, "changes");
            if (!has_all(aspect)) continue;
            struct policy *third = listed(changes);
            for (int k = 0; k < PEOPLE; k++) check_person(&aspects[i], policy, third, changes, e);
            policy_free(third);
            compared++;
        }
        policy_free((struct policy *)(uintptr_t)policy[0]);
        policy_free((struct policy *)(uintptr_t)policy[1]);
    }
    free(e);
    assert_true(compared > PAIRS);
}

static void a_policy_does_not_differ_from_itself(void **state) {
    (void)state;
    state_of_chance = 7;
    for (int i = 0; i < 12; i++) {
        struct policy *policy = random_policy("a.policy");
        scoped_json json_t *difference = policy_differ(policy, policy, false);
        assert_true(json_is_true(json_object_get(difference, "same")));
        policy_free(policy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_listed_is_what_differs),
        cmocka_unit_test(a_policy_does_not_differ_from_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
