/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/cases.h"

#include "alloc/json.h"
#include "alloc/yaml.h"
#include "policies/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void case_result_free(struct case_result *r) {
    text_free(&r->said);
    *r = (struct case_result){0};
}

/* ---- the policy ---- */

struct policy *case_policy(const char *path, const char *file, const char *text,
                           const struct case_files *files, struct err *e) {
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy *policy = NULL;
    if (text) {
        struct policy_source source = {"case.policy", text, strlen(text), NULL, NULL};
        policy = policy_parse(&source, d);
    } else {
        scoped_free char *found = files->policy(files->arg, path, file, e);
        if (found) policy = policy_read(found, d, e);
    }
    if (!policy && !err_is(e)) {
        scoped_text struct text first = {0};
        diagnostics_first(d, &first);
        err_set(e, ERR_USAGE, "the policy has errors; the first: %s", first.s ? first.s : "?");
    }
    diagnostics_free(d);
    free(d);
    return policy;
}

json_t *case_pool(const struct policy *policy) {
    json_t *flavors = json_array();
    for (size_t i = 0; i < policy_flavors(policy); i++) {
        struct fact_flavor f = policy_flavor(policy, i);
        json_t *sizes = json_array();
        for (size_t k = 0; k < f.n_sizes; k++) json_array_append_new(sizes, json_integer(f.sizes[k]));
        json_t *flavor = json_pack("{s:s, s:I, s:I, s:o}", "name", f.name, "units", (json_int_t)f.capacity.n,
                                   "free", (json_int_t)f.free.n, "sizes", sizes);
        if (f.unrated)
            json_object_set_new(flavor, "unrated", json_true());
        else
            json_object_set_new(flavor, "rating_gflops", json_integer(f.rating.n));
        json_array_append_new(flavors, flavor);
    }
    json_int_t storage = policy_storage(policy).n;
    json_t *pool = json_pack("{s:s, s:s, s:o, s:I, s:I, s:I}", "name", policy_pool(policy), "basis",
                             policy_basis(policy), "flavors", flavors, "storage_bytes", storage,
                             "storage_free_bytes", storage, "granule_bytes", (json_int_t)100000000000);
    json_int_t lake = policy_datalake(policy).n;
    if (lake > 0) {
        json_object_set_new(pool, "datalake_bytes", json_integer(lake));
        json_object_set_new(pool, "datalake_free_bytes", json_integer(lake));
    }
    json_t *services = json_array();
    for (size_t i = 0; i < policy_services(policy); i++) {
        struct fact_service s = policy_service(policy, i);
        json_array_append_new(services, json_pack("{s:s, s:I, s:I}", "name", s.name, "seats",
                                                  (json_int_t)s.seats, "free", (json_int_t)s.free));
    }
    if (json_array_size(services) > 0) json_object_set(pool, "services", services);
    json_decref(services);
    return pool;
}

/* ---- what was decided ---- */

static void line_add(json_t *lines, struct text *t) {
    json_array_append_new(lines, json_string(t->s ? t->s : ""));
    text_free(t);
}

static void rest_text(struct text *t, bytes_t lake, const struct plan_seats *seats, size_t n) {
    if (lake.n > 0) text_add(t, "; data lake %s", bytes_text(lake).s);
    for (size_t i = 0; i < n; i++) text_add(t, "; %s x %lld", seats[i].service, (long long)seats[i].seats);
}

static void offer_line(const struct plan_offer *o, json_t *lines) {
    struct text t = {0};
    text_add(&t, "  offer %s", gflops_text(o->compute).s);
    for (size_t i = 0; i < o->n_lines; i++)
        text_add(&t, "%s%s %lld x %lld", i ? ", " : " = ", o->lines[i].flavor, (long long)o->lines[i].count,
                 (long long)o->lines[i].size);
    text_add(&t, "; %s", bytes_text(o->storage).s);
    rest_text(&t, o->datalake, o->seats, o->n_seats);
    if (o->until.has) text_add(&t, "; until %s", instant_text(o->until.at).s);
    line_add(lines, &t);
}

/* What tiers and a queue rule add: where it stood, what it is offered, when the whole fits. */
static void describe_sharing(const struct decision *d, json_t *lines) {
    struct text t = {0};
    const struct plan_standing *s = &d->standing;
    if (s->tier) {
        text_add(&t, "  tier %s (%s)%s, rank %lld, weight %lld, guarantee %s, holds %s", s->tier,
                 s->rule ? s->rule : "-", s->lifted ? " lifted" : "", (long long)s->rank,
                 (long long)s->weight, gflops_text(s->guarantee).s, gflops_text(gflops(s->held_gflops)).s);
        line_add(lines, &t);
    }
    if (d->offer.has && (d->outcome == OUTCOME_QUEUE || s->tier)) offer_line(&d->offer, lines);
    if (d->earliest.at.has) {
        text_add(&t, "  earliest %s, when ", instant_text(d->earliest.at.at).s);
        if (d->earliest.notice)
            text_add(&t, "notice %s takes from %s", d->earliest.notice, d->earliest.grant);
        if (!d->earliest.notice) text_add(&t, "%s ends", d->earliest.grant);
        line_add(lines, &t);
    }
    if (d->is_barrier) json_array_append_new(lines, json_string("  barrier"));
}

static void describe(const struct decision *d, json_t *lines) {
    struct text t = {0};
    text_add(&t, "%s: %s", d->claim, outcome_word(d->outcome));
    if (d->outcome <= OUTCOME_PARTIAL) {
        text_add(&t, " %s", gflops_text(d->compute).s);
        for (size_t i = 0; i < d->n_lines; i++)
            text_add(&t, "%s%s %lld x %lld", i ? ", " : " = ", d->lines[i].flavor,
                     (long long)d->lines[i].count, (long long)d->lines[i].size);
        text_add(&t, "; %s", bytes_text(d->storage).s);
        rest_text(&t, d->datalake, d->seats, d->n_seats);
        text_add(&t, "; until %s%s", instant_text(d->lease.end).s,
                 d->needs_agreement ? "; after the agreement" : "");
    }
    if (d->outcome == OUTCOME_QUEUE)
        text_add(&t, ", place %lld, ahead %s", (long long)d->position, gflops_text(d->ahead_compute).s);
    line_add(lines, &t);
    describe_sharing(d, lines);
    for (size_t i = 0; i < d->n_reasons; i++) {
        const struct reason *r = &d->reasons[i];
        text_add(&t, "  %s%s: %s", reason_code_word(r->code), r->decisive ? " !" : "", r->en);
        if (r->hint_en) text_add(&t, " -> %s", r->hint_en);
        line_add(lines, &t);
        text_add(&t, "    %s%s%s", r->ko, r->hint_ko ? " -> " : "", r->hint_ko ? r->hint_ko : "");
        line_add(lines, &t);
    }
}

json_t *case_lines(const struct plan *plan) {
    json_t *lines = json_array();
    for (size_t i = 0; i < plan->n_decisions; i++) describe(&plan->decisions[i], lines);
    return lines;
}

/* ---- what must hold besides ---- */

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

static int must_equal(const char *what, const char *a, const char *b, struct err *e) {
    if (strcmp(a, b) == 0) return 0;
    size_t at = 0, from;
    while (a[at] && a[at] == b[at]) at++;
    from = at > 100 ? at - 100 : 0;
    return err_set(e, ERR_FAILED, "%s gives another decision: ...%.200s, not ...%.200s", what, b + from,
                   a + from);
}

/* The same decisions from lists turned around, and from facts that went through their stored form. */
static int check_order(const struct policy *policy, const json_t *document, const struct facts *facts,
                       struct err *e) {
    scoped_json json_t *around = json_deep_copy(document);
    scoped_free char *first = plan_text(policy, facts, e), *stored = facts_encode(facts);
    struct facts_owned turned = {0}, again = {0};
    reverse(json_object_get(around, "claims"));
    reverse(json_object_get(around, "tenants"));
    reverse(json_object_get(json_object_get(around, "pool"), "flavors"));
    int rc = !first || facts_decode_json(around, "turned around", &turned, e) < 0 ||
                     facts_decode(stored, &again, e) < 0
                 ? -1
                 : 0;
    if (rc == 0) {
        scoped_free char *second = plan_text(policy, &turned.facts, e);
        scoped_free char *third = plan_text(policy, &again.facts, e);
        scoped_free char *stored_turned = facts_encode(&turned.facts);
        rc = !second || !third || must_equal("another order of the lists", first, second, e) < 0 ||
                     must_equal("the stored form of the facts", first, third, e) < 0 ||
                     must_equal("another order of the lists, when stored,", stored, stored_turned, e) < 0
                 ? -1
                 : 0;
    }
    facts_free(&turned);
    facts_free(&again);
    return rc;
}

/* Every decision can be told in both languages. */
static int check_explained(const struct plan *plan, const struct facts *facts, struct err *e) {
    for (size_t i = 0; i < plan->n_decisions; i++) {
        scoped_json json_t *stored = decision_encode(&plan->decisions[i]);
        scoped_text struct text en = {0}, ko = {0};
        scoped_json json_t *object = explain_json(stored, facts, EXPLAIN_TO_TENANT, e);
        if (!object || explain_text(stored, facts, EXPLAIN_TO_TENANT, false, &en, e) < 0 ||
            explain_text(stored, facts, EXPLAIN_TO_OPERATOR, true, &ko, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- the full form ---- */

/* The traces of the claims that the case names. */
static json_t *traces(const json_t *wanted, const struct policy *policy, const struct facts *facts,
                      struct err *e) {
    json_t *all = json_object(), *unused;
    const char *claim;
    json_object_foreach((json_t *)wanted, claim, unused) {
        scoped_free char *text = policy_decider.trace(policy, facts, claim, e);
        if (text) json_object_set_new(all, claim, json_loads(text, 0, NULL));
    }
    return all;
}

static void trace_difference(const json_t *expected, const json_t *got, struct text *out) {
    scoped_free char *a = json_dumps(expected, JSON_SORT_KEYS | JSON_INDENT(1));
    scoped_free char *b = json_dumps(got, JSON_SORT_KEYS | JSON_INDENT(1));
    text_add(out, "--- expected trace\n%s\n+++ trace\n%s\n", a, b);
}

static int case_write(const char *path, json_t *root, json_t *lines, json_t *traced, struct err *e) {
    json_object_set(root, "expect", lines);
    if (json_object_size(traced)) json_object_set(root, "trace", traced);
    scoped_free char *text = json_dumps(root, JSON_INDENT(1));
    FILE *f = fopen(path, "wbe");
    if (!f) return err_set(e, ERR_FAILED, "cannot write %s: %s", path, strerror(errno));
    bool bad = fprintf(f, "%s\n", text) < 0;
    if (fclose(f) != 0 || bad) return err_set(e, ERR_FAILED, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

/* Compares, or writes what is new; a difference is no error but a failed case. */
static int case_settle(const char *path, json_t *root, json_t *lines, json_t *traced,
                       const struct case_files *files, struct case_result *out, struct err *e) {
    json_t *expected = json_object_get(root, "expect"), *trace = json_object_get(root, "trace");
    bool same_trace = !trace || json_equal(trace, traced);
    if (json_equal(expected, lines) && same_trace) return 0;
    if (files->update) {
        out->updated++;
        return case_write(path, root, lines, traced, e);
    }
    out->failed++;
    text_add(&out->said, "%s: %s\n", path, json_string_value(json_object_get(root, "about")));
    case_difference(expected, lines, &out->said);
    if (!same_trace) trace_difference(trace, traced, &out->said);
    return 0;
}

int case_plan(const struct policy *policy, const json_t *document, struct facts_owned *facts,
              struct plan *plan, struct err *e) {
    if (facts_decode_json(document, "facts", facts, e) < 0 ||
        policy_decider.plan(policy, &facts->facts, plan, e) < 0 ||
        check_explained(plan, &facts->facts, e) < 0)
        return -1;
    return check_order(policy, document, &facts->facts, e);
}

static int case_decide(const char *path, json_t *root, const struct policy *policy,
                       const struct case_files *files, struct case_result *out, struct err *e) {
    scoped_json json_t *document = json_deep_copy(json_object_get(root, "facts"));
    struct facts_owned facts = {0};
    struct plan plan = {0};
    if (!json_object_get(document, "pool")) json_object_set_new(document, "pool", case_pool(policy));
    int rc = case_plan(policy, document, &facts, &plan, e);
    if (rc == 0) {
        scoped_json json_t *lines = case_lines(&plan);
        scoped_json json_t *traced = traces(json_object_get(root, "trace"), policy, &facts.facts, e);
        rc = err_is(e) ? -1 : case_settle(path, root, lines, traced, files, out, e);
    }
    plan_free(&plan);
    facts_free(&facts);
    return rc;
}

static int case_run_full(const char *path, json_t *document, const struct case_files *files,
                         struct case_result *out, struct err *e) {
    static const char *const keys[] = {"about", "policy", "text", "facts", "expect", "trace", NULL};
    struct json_at root = json_root(document, path), facts, expect, trace;
    const char *about = "", *file = NULL, *text = NULL;
    if (json_as_object(&root, e) < 0 || json_only(&root, keys, e) < 0 ||
        json_may_text(&root, "about", 1000, &about, e) < 0 ||
        json_may_text(&root, "policy", 4000, &file, e) < 0 ||
        json_need_object(&root, "facts", &facts, e) < 0 ||
        json_may_array(&root, "expect", SIZE_MAX, &expect, e) < 0 ||
        json_may_object(&root, "trace", &trace, e) < 0)
        return -1;
    text =
        json_string_value(json_object_get(document, "text")); /* of many lines, which json_may_text refuses */
    if (!file == !text) return json_fail(&root, e, "names either a 'policy' or has its 'text'");
    out->ran++;
    struct policy *policy = case_policy(path, file, text, files, e);
    int rc = policy ? case_decide(path, document, policy, files, out, e) : -1;
    policy_free(policy);
    return rc;
}

static bool is_yaml(const char *path) {
    size_t n = strlen(path);
    return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) || (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}

int case_run(const char *path, const struct case_files *files, struct case_result *out, struct err *e) {
    json_t *marks = NULL;
    json_t *document = is_yaml(path) ? yaml_load_path(path, &marks, e) : json_load_path(path, e);
    int rc = -1;
    if (document && json_object_get(document, "cases"))
        rc = case_run_short(path, document, marks, files, out, e);
    else if (document)
        rc = case_run_full(path, document, files, out, e);
    json_decref(document);
    json_decref(marks);
    if (rc < 0 && strncmp(e->what, path, strlen(path)) != 0) err_context(e, "%s", path);
    return rc;
}
