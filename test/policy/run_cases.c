/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_cases [--golden | --clean] FILE...
 *   NAME.in    a policy with mistakes: what the checker prints must be NAME.err
 *   NAME.case  {"about", "policy": file in policies/ or "text": a policy, "facts", "expect": [lines]};
 *              facts without a pool take the one that the policy states. Besides the lines, each case
 *              must give the same bytes whatever the order of its lists, and after encoding and decoding.
 * --golden rewrites what is expected; --clean wants policies without errors and warnings.
 */
#include "alloc/facts.h"
#include "alloc/json.h"
#include "policies/explain.h"
#include "policies/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool golden;

static char *slurp(const char *path, size_t *length) {
    FILE *f = fopen(path, "rb");
    struct text t = {0};
    char buffer[4096];
    size_t n;
    if (!f) return NULL;
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) text_put(&t, buffer, n);
    fclose(f);
    *length = t.length;
    return text_take(&t);
}

static int spill(const char *path, const char *text) {
    FILE *f = fopen(path, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(path);
        return -1;
    }
    return 0;
}

/* Says where two texts part. */
static int compare(const char *path, const char *expected, const char *got) {
    if (strcmp(expected, got) == 0) return 0;
    size_t at = 0, line = 1;
    for (; expected[at] && expected[at] == got[at]; at++) line += expected[at] == '\n';
    fprintf(stderr, "%s: differs from line %zu on\n--- expected\n%s\n--- got\n%s\n", path, line, expected,
            got);
    return -1;
}

/* ---- what the checker says ---- */

static int table_given(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    const char *path = arg, *slash = strrchr(path, '/');
    struct text full = {0};
    size_t length;
    (void)name;
    text_add(&full, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, file);
    char *text = slurp(full.s, &length);
    text_free(&full);
    if (!text) return err_set(e, ERR_NOT_FOUND, "cannot read the table %s", file);
    text_put(out, text, length);
    free(text);
    return 0;
}

static int run_check(char *path) {
    size_t length, unused;
    char *text = slurp(path, &length);
    const char *slash = strrchr(path, '/');
    struct policy_source source = {slash ? slash + 1 : path, text, length, table_given, path};
    struct diagnostics d = {0};
    struct text said = {0}, err_path = {0};
    if (!text) return perror(path), -1;
    policy_free(policy_parse(&source, &d));
    diagnostics_print(&d, &said);
    text_add(&err_path, "%.*serr", (int)strlen(path) - 2, path);
    char *got = text_take(&said), *expected = golden ? NULL : slurp(err_path.s, &unused);
    int rc = golden ? spill(err_path.s, got) : compare(err_path.s, expected ? expected : "", got);
    diagnostics_free(&d);
    text_free(&err_path);
    free(expected);
    free(text);
    free(got);
    return rc;
}

static int run_clean(const char *path) {
    struct diagnostics d = {0};
    struct err e = {0};
    struct text said = {0};
    struct policy *policy = policy_read(path, &d, &e);
    diagnostics_print(&d, &said);
    bool clean = policy && d.count[LEVEL_WARNING] == 0;
    if (!clean) fprintf(stderr, "%s\n%s\n", e.what, said.s ? said.s : "");
    policy_free(policy);
    diagnostics_free(&d);
    text_free(&said);
    return clean ? 0 : -1;
}

/* ---- decisions ---- */

static json_t *pool_of(const struct policy *policy) {
    json_t *flavors = json_array();
    for (size_t i = 0; i < policy_flavors(policy); i++) {
        struct fact_flavor f = policy_flavor(policy, i);
        json_t *sizes = json_array();
        for (size_t k = 0; k < f.n_sizes; k++) json_array_append_new(sizes, json_integer(f.sizes[k]));
        json_array_append_new(flavors, json_pack("{s:s, s:I, s:I, s:I, s:o}", "name", f.name, "rating_gflops",
                                                 (json_int_t)f.rating.n, "units", (json_int_t)f.capacity.n,
                                                 "free", (json_int_t)f.free.n, "sizes", sizes));
    }
    json_int_t storage = policy_storage(policy).n;
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I}", "name", policy_pool(policy), "basis",
                     policy_basis(policy), "flavors", flavors, "storage_bytes", storage, "storage_free_bytes",
                     storage, "granule_bytes", (json_int_t)100000000000);
}

static void describe(const struct decision *d, json_t *lines) {
    struct text t = {0};
    text_add(&t, "%s: %s", d->claim, outcome_word(d->outcome));
    if (d->outcome <= OUTCOME_PARTIAL) {
        text_add(&t, " %s", gflops_text(d->compute).s);
        for (size_t i = 0; i < d->n_lines; i++)
            text_add(&t, "%s%s %lld x %lld", i ? ", " : " = ", d->lines[i].flavor,
                     (long long)d->lines[i].count, (long long)d->lines[i].size);
        text_add(&t, "; %s; until %s", bytes_text(d->storage).s, instant_text(d->lease.end).s);
    }
    if (d->outcome == OUTCOME_QUEUE)
        text_add(&t, ", place %lld, ahead %s", (long long)d->position, gflops_text(d->ahead_compute).s);
    json_array_append_new(lines, json_string(t.s));
    text_free(&t);
    for (size_t i = 0; i < d->n_reasons; i++) {
        const struct reason *r = &d->reasons[i];
        text_add(&t, "  %s%s: %s", reason_code_word(r->code), r->decisive ? " !" : "", r->en);
        if (r->hint_en) text_add(&t, " -> %s", r->hint_en);
        json_array_append_new(lines, json_string(t.s));
        text_free(&t);
        text_add(&t, "    %s%s%s", r->ko, r->hint_ko ? " -> " : "", r->hint_ko ? r->hint_ko : "");
        json_array_append_new(lines, json_string(t.s));
        text_free(&t);
    }
}

static int decision_order(const void *a, const void *b) {
    return strcmp(((const struct decision *)a)->claim, ((const struct decision *)b)->claim);
}

/* Canonical text of all decisions, by claim. */
static char *plan_text(const struct policy *policy, const struct facts *facts, struct err *e) {
    struct plan plan;
    if (policy_decider.plan(policy, facts, &plan, e) < 0) return NULL;
    qsort(plan.decisions, plan.n_decisions, sizeof *plan.decisions, decision_order);
    scoped_json json_t *all = plan_encode(&plan);
    plan_free(&plan);
    return json_canonical(all);
}

static void reverse(json_t *list) {
    for (size_t i = 0, n = json_array_size(list); i < n / 2; i++) {
        json_t *a = json_incref(json_array_get(list, i)), *b = json_incref(json_array_get(list, n - 1 - i));
        json_array_set_new(list, i, b);
        json_array_set_new(list, n - 1 - i, a);
    }
}

/* The same decisions from lists turned around, and from facts that went through their stored form. */
static int check_order(const char *path, const struct policy *policy, json_t *document,
                       const struct facts *facts, struct err *e) {
    scoped_free char *first = plan_text(policy, facts, e);
    scoped_free char *stored = facts_encode(facts);
    struct facts_owned turned = {0}, again = {0};
    reverse(json_object_get(document, "claims"));
    reverse(json_object_get(document, "tenants"));
    reverse(json_object_get(json_object_get(document, "pool"), "flavors"));
    if (!first || facts_decode_json(document, "turned", &turned, e) < 0 ||
        facts_decode(stored, &again, e) < 0)
        return -1;
    scoped_free char *second = plan_text(policy, &turned.facts, e);
    scoped_free char *third = plan_text(policy, &again.facts, e);
    scoped_free char *stored_turned = facts_encode(&turned.facts);
    facts_free(&turned);
    facts_free(&again);
    if (!second || !third) return -1;
    return compare(path, first, second) | compare(path, first, third) | compare(path, stored, stored_turned);
}

static int check_lines(const char *path, json_t *root, json_t *lines) {
    struct text expected = {0}, got = {0};
    json_t *line;
    size_t i;
    json_array_foreach(json_object_get(root, "expect"), i, line)
        text_add(&expected, "%s\n", json_string_value(line));
    json_array_foreach(lines, i, line) text_add(&got, "%s\n", json_string_value(line));
    int rc = compare(path, expected.s ? expected.s : "", got.s ? got.s : "");
    text_free(&expected);
    text_free(&got);
    return rc;
}

/* Every decision can be told in both languages. */
static int check_explained(const struct decision *d, const struct facts *facts, struct err *e) {
    scoped_json json_t *stored = decision_encode(d);
    struct text en = {0}, ko = {0};
    scoped_json json_t *object = explain_json(stored, facts, e);
    int rc = !object || explain_text(stored, facts, false, &en, e) < 0 ||
             explain_text(stored, facts, true, &ko, e) < 0;
    if (rc == 0 && getenv("EXPLAIN")) printf("%s\n%s\n", en.s, ko.s);
    text_free(&en);
    text_free(&ko);
    return rc ? -1 : 0;
}

static struct policy *case_policy(json_t *root, const char *path, struct err *e) {
    const char *file = json_string_value(json_object_get(root, "policy"));
    const char *text = json_string_value(json_object_get(root, "text"));
    struct diagnostics d = {0};
    struct text full = {0}, said = {0};
    struct policy *policy = NULL;
    text_add(&full, "policies/%s", file ? file : "");
    if (text) {
        struct policy_source source = {"case.policy", text, strlen(text), NULL, NULL};
        policy = policy_parse(&source, &d);
    } else {
        policy = policy_read(full.s, &d, e);
    }
    diagnostics_print(&d, &said);
    if (!policy && !err_is(e)) err_set(e, ERR_FAILED, "%s: %s", path, said.s ? said.s : "no policy");
    diagnostics_free(&d);
    text_free(&full);
    text_free(&said);
    return policy;
}

static int write_case(const char *path, json_t *root, json_t *lines) {
    json_object_set(root, "expect", lines);
    scoped_free char *text = json_dumps(root, JSON_INDENT(1));
    struct text t = {0};
    text_add(&t, "%s\n", text);
    int rc = spill(path, t.s);
    text_free(&t);
    return rc;
}

static int run_case(const char *path, struct err *e) {
    scoped_json json_t *root = json_load_path(path, e);
    if (!root) return -1;
    struct policy *policy = case_policy(root, path, e);
    if (!policy) return -1;
    scoped_json json_t *document = json_deep_copy(json_object_get(root, "facts"));
    scoped_json json_t *lines = json_array();
    if (!json_object_get(document, "pool")) json_object_set_new(document, "pool", pool_of(policy));
    struct facts_owned facts = {0};
    struct plan plan = {0};
    int rc = facts_decode_json(document, path, &facts, e);
    if (rc == 0) rc = policy_decider.plan(policy, &facts.facts, &plan, e);
    for (size_t i = 0; i < plan.n_decisions; i++) {
        describe(&plan.decisions[i], lines);
        rc |= check_explained(&plan.decisions[i], &facts.facts, e);
    }
    if (rc == 0) rc = golden ? write_case(path, root, lines) : check_lines(path, root, lines);
    if (rc == 0) rc = check_order(path, policy, document, &facts.facts, e);
    plan_free(&plan);
    facts_free(&facts);
    policy_free(policy);
    return rc;
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

int main(int argc, char **argv) {
    int failed = 0, ran = 0;
    bool clean = false;
    for (int i = 1; i < argc; i++) {
        struct err e = {0};
        int rc;
        if (strcmp(argv[i], "--golden") == 0)
            golden = true;
        else if (strcmp(argv[i], "--clean") == 0)
            clean = true;
        else {
            rc = clean                         ? run_clean(argv[i])
                 : ends_with(argv[i], ".case") ? run_case(argv[i], &e)
                                               : run_check(argv[i]);
            if (err_is(&e)) fprintf(stderr, "%s: %s\n", argv[i], e.what);
            ran++;
            failed += rc != 0;
        }
    }
    printf("policy: %d of %d %s\n", ran - failed, ran, clean ? "policies are clean" : "cases as expected");
    return failed || !ran;
}
