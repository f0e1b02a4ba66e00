/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short form of cases, for who writes them by hand:
 *     policy: ours.policy
 *     now: 2026-03-02T00:00:00Z
 *     cases:
 *       - about: a company in Gwangju gets a server
 *         tenant: {kind: sme, ai: true, seat: gwangju}
 *         holds: {compute: 31.2 TF, storage: 1 TB}
 *         request: {compute: 62.4 TF, storage: 5 TB}
 *         expect: {outcome: granted, rule: E9}
 * Each case is a plan of its own: one tenant, one request, the pool of the policy with all of it free unless
 * the case says otherwise.
 */
#include "policies/cases.h"

#include "alloc/json.h"
#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

enum { CASES_MOST = 100000, WORDS_MOST = 1000, VALUES_MOST = 256 };

struct short_case {
    const char *path;
    const struct policy *policy;
    instant_t now;
    const struct case_files *files;
    struct case_result *out;
};

static void put(json_t *object, const char *key, json_t *value) { json_object_set_new(object, key, value); }

/* ---- attributes ---- */

/* true, 3 and text as an attribute holds them. */
static int value_text(const struct json_at *at, struct text *out, struct err *e) {
    const char *s;
    if (json_is_boolean(at->value)) return text_add(out, "%s", json_is_true(at->value) ? "true" : "false"), 0;
    if (json_is_integer(at->value)) return text_add(out, "%lld", (long long)json_integer_value(at->value)), 0;
    if (json_as_text(at, POLICY_TEXT, &s, e) < 0) return -1;
    text_add(out, "%s", s);
    return 0;
}

/* Names and values must be those that the policy declares; null is left unset. */
static int attributes(const struct json_at *at, const struct policy *policy, enum policy_attr_of of,
                      json_t *owner, struct err *e) {
    json_t *attrs = json_object();
    const char *name;
    json_t *unused;
    put(owner, "attrs", attrs);
    if (!at->value) return 0;
    if (json_length(at) > VALUES_MOST) return json_fail(at, e, "has more than %d attributes", VALUES_MOST);
    json_object_foreach((json_t *)(uintptr_t)at->value, name, unused) {
        struct json_at member = json_member(at, name);
        scoped_text struct text value = {0};
        if (json_is_null(unused)) continue;
        if (value_text(&member, &value, e) < 0) return -1;
        const char *text = value.s ? value.s : "";
        if (policy_check_attr(policy, of, name, text, e) < 0) return json_context(at, name, e);
        put(attrs, name, json_string(text));
    }
    return 0;
}

/* ---- amounts, as people write them ---- */

static int compute(const struct json_at *at, const char *key, const char *as, json_t *out, struct err *e) {
    const char *text;
    gflops_t a;
    if (!json_has(at, key)) return 0;
    if (json_need_text(at, key, 40, &text, e) < 0) return -1;
    if (gflops_parse(text, &a, e) < 0) return json_context(at, key, e);
    put(out, as, json_integer(a.n));
    return 0;
}

static int storage(const struct json_at *at, const char *key, const char *as, json_t *out, struct err *e) {
    const char *text;
    bytes_t a;
    if (!json_has(at, key)) return 0;
    if (json_need_text(at, key, 40, &text, e) < 0) return -1;
    if (bytes_parse(text, &a, e) < 0) return json_context(at, key, e);
    put(out, as, json_integer(a.n));
    return 0;
}

static int count(const struct json_at *at, const char *key, const char *as, json_t *out, struct err *e) {
    int64_t n;
    if (!json_has(at, key)) return 0;
    if (json_need_int(at, key, 0, UNITS_MOST, &n, e) < 0) return -1;
    put(out, as, json_integer(n));
    return 0;
}

static int word(const struct json_at *at, const char *key, const char *as, json_t *out, struct err *e) {
    const char *s;
    if (!json_has(at, key)) return 0;
    if (json_need_text(at, key, POLICY_TEXT, &s, e) < 0) return -1;
    put(out, as, json_string(s));
    return 0;
}

/* ---- the facts ---- */

static int tenant_of(const struct json_at *item, const struct short_case *c, json_t *tenant, struct err *e) {
    static const char *const held[] = {"compute", "storage", NULL};
    struct json_at attrs, holds;
    const char *organisation = "o1", *name = "c0001";
    bool suspended = false;
    if (json_may_object(item, "tenant", &attrs, e) < 0 || json_may_object(item, "holds", &holds, e) < 0 ||
        json_may_text(item, "name", POLICY_NAME, &name, e) < 0 ||
        json_may_text(item, "organisation", POLICY_NAME, &organisation, e) < 0 ||
        json_may_bool(item, "suspended", &suspended, e) < 0 ||
        attributes(&attrs, c->policy, POLICY_ATTR_TENANT, tenant, e) < 0)
        return -1;
    put(tenant, "name", json_string(name));
    put(tenant, "organisation", json_string(organisation));
    if (suspended) put(tenant, "suspended", json_true());
    if (!holds.value) return 0;
    if (json_only(&holds, held, e) < 0 || compute(&holds, "compute", "held_gflops", tenant, e) < 0 ||
        compute(&holds, "compute", "organisation_gflops", tenant, e) < 0 ||
        storage(&holds, "storage", "held_bytes", tenant, e) < 0)
        return -1;
    return storage(&holds, "storage", "organisation_bytes", tenant, e);
}

static int ends_of(const struct json_at *request, json_t *claim, struct err *e) {
    const char *text;
    instant_t until;
    span_t term;
    if (json_has(request, "until")) {
        if (json_need_text(request, "until", 40, &text, e) < 0) return -1;
        if (instant_or_date_parse(text, &until, e) < 0) return json_context(request, "until", e);
        put(claim, "until", json_string(instant_text(until).s));
    }
    if (json_has(request, "for")) {
        if (json_need_text(request, "for", 40, &text, e) < 0) return -1;
        if (span_parse(text, &term, e) < 0) return json_context(request, "for", e);
        put(claim, "term_seconds", json_integer(term.s));
    }
    return 0;
}

static int claim_of(const struct json_at *item, const struct short_case *c, json_t *claim, struct err *e) {
    static const char *const keys[] = {"compute",    "units",       "flavor",   "minimum", "minimum-units",
                                       "per-server", "storage",     "datalake", "until",   "for",
                                       "set",        "approved-by", "call",     NULL};
    struct json_at request, attrs;
    if (json_need_object(item, "request", &request, e) < 0 || json_only(&request, keys, e) < 0 ||
        json_may_object(&request, "set", &attrs, e) < 0)
        return -1;
    if (json_has(&request, "compute") && json_has(&request, "units"))
        return json_fail(&request, e, "asks for 'compute' or for 'units', not for both");
    if (compute(&request, "compute", "compute_gflops", claim, e) < 0 ||
        count(&request, "units", "units", claim, e) < 0 ||
        compute(&request, "minimum", "minimum_gflops", claim, e) < 0 ||
        count(&request, "minimum-units", "minimum_units", claim, e) < 0 ||
        count(&request, "per-server", "per_server", claim, e) < 0 ||
        word(&request, "flavor", "flavor", claim, e) < 0 ||
        word(&request, "approved-by", "approver", claim, e) < 0 ||
        word(&request, "call", "call", claim, e) < 0 ||
        storage(&request, "storage", "storage_bytes", claim, e) < 0 ||
        storage(&request, "datalake", "datalake_bytes", claim, e) < 0 || ends_of(&request, claim, e) < 0)
        return -1;
    put(claim, "id", json_string("r-1"));
    put(claim, "submitted", json_string(instant_text(c->now).s));
    return attributes(&attrs, c->policy, POLICY_ATTR_REQUEST, claim, e);
}

/* "free: {v100: 3}": what of the pool is free, where it is not all. */
static int free_of(const struct json_at *item, json_t *pool, struct err *e) {
    struct json_at is_free;
    size_t i, known = 0;
    json_t *flavor;
    if (json_may_object(item, "free", &is_free, e) < 0) return -1;
    if (!is_free.value) return 0;
    json_array_foreach(json_object_get(pool, "flavors"), i, flavor) {
        const char *name = json_string_value(json_object_get(flavor, "name"));
        int64_t n;
        if (!json_has(&is_free, name)) continue;
        if (json_need_int(&is_free, name, 0, json_integer_value(json_object_get(flavor, "units")), &n, e) < 0)
            return -1;
        put(flavor, "free", json_integer(n));
        known++;
    }
    if (json_has(&is_free, "storage")) {
        if (storage(&is_free, "storage", "storage_free_bytes", pool, e) < 0) return -1;
        known++;
    }
    if (known < json_length(&is_free))
        return json_fail(&is_free, e, "names something that the pool does not have");
    return 0;
}

static json_t *facts_of(const struct json_at *item, const struct short_case *c, struct err *e) {
    json_t *tenant = json_object(), *claim = json_object(), *pool = case_pool(c->policy);
    json_t *document = json_pack("{s:i, s:s, s:[o], s:[o], s:o}", "format", FACTS_FORMAT, "now",
                                 instant_text(c->now).s, "tenants", tenant, "claims", claim, "pool", pool);
    if (tenant_of(item, c, tenant, e) < 0 || claim_of(item, c, claim, e) < 0 || free_of(item, pool, e) < 0) {
        json_decref(document);
        return NULL;
    }
    json_object_set(claim, "tenant", json_object_get(tenant, "name"));
    return document;
}

/* ---- what is expected ---- */

struct expected {
    const char *outcome, *rule, *reason, *tier, *flavor, *until;
    bool has_compute, has_storage;
    gflops_t compute;
    bytes_t storage;
};

static int expected_of(const struct json_at *item, struct expected *x, struct err *e) {
    static const char *const keys[] = {"outcome", "rule",    "reason",  "tier", "servers",
                                       "until",   "compute", "storage", NULL};
    static const char *const outcomes[] = {"granted", "partial", "queued", "held", "denied", NULL};
    struct json_at at;
    size_t outcome;
    scoped_json json_t *amounts = json_object();
    if (json_need_object(item, "expect", &at, e) < 0 || json_only(&at, keys, e) < 0) return -1;
    if (json_length(&at) == 0) return json_fail(&at, e, "expects nothing: a case that cannot fail is none");
    if (json_has(&at, "outcome")) {
        if (json_need_word(&at, "outcome", outcomes, &outcome, e) < 0) return -1;
        x->outcome = outcomes[outcome];
    }
    if (json_may_text(&at, "rule", POLICY_NAME, &x->rule, e) < 0 ||
        json_may_text(&at, "reason", POLICY_NAME, &x->reason, e) < 0 ||
        json_may_text(&at, "tier", POLICY_NAME, &x->tier, e) < 0 ||
        json_may_text(&at, "servers", WORDS_MOST, &x->flavor, e) < 0 ||
        json_may_text(&at, "until", 40, &x->until, e) < 0 || compute(&at, "compute", "c", amounts, e) < 0 ||
        storage(&at, "storage", "s", amounts, e) < 0)
        return -1;
    x->has_compute = json_has(&at, "compute");
    x->has_storage = json_has(&at, "storage");
    x->compute = gflops(json_integer_value(json_object_get(amounts, "c")));
    x->storage = bytes(json_integer_value(json_object_get(amounts, "s")));
    return 0;
}

static void differ(struct text *out, const char *what, const char *expected, const char *got) {
    if (strcmp(expected, got) != 0) text_add(out, "- %s: %s\n+ %s: %s\n", what, expected, what, got);
}

/* Is it among what the reasons name? What they do name goes into said. */
static bool named(const struct decision *d, const char *wanted, bool rules, struct text *said) {
    bool found = false;
    for (size_t i = 0; i < d->n_reasons; i++) {
        const char *s = rules ? d->reasons[i].rule : reason_code_word(d->reasons[i].code);
        if (!s) continue;
        found |= strcmp(s, wanted) == 0;
        text_add(said, "%s%s", said->length ? ", " : "", s);
    }
    return found;
}

static void differ_named(struct text *out, const char *what, const char *expected, const struct decision *d,
                         bool rules) {
    scoped_text struct text said = {0};
    if (!expected || named(d, expected, rules, &said)) return;
    text_add(out, "- %s: %s\n+ %s: %s\n", what, expected, what, said.length ? said.s : "none");
}

static void servers_text(const struct decision *d, struct text *out) {
    for (size_t i = 0; i < d->n_lines; i++)
        text_add(out, "%s%s %lld x %lld", i ? ", " : "", d->lines[i].flavor, (long long)d->lines[i].count,
                 (long long)d->lines[i].size);
    if (d->n_lines == 0) text_add(out, "none");
}

static void compare(const struct expected *x, const struct decision *d, struct text *out) {
    if (x->outcome) differ(out, "outcome", x->outcome, outcome_word(d->outcome));
    differ_named(out, "rule", x->rule, d, true);
    differ_named(out, "reason", x->reason, d, false);
    if (x->tier) differ(out, "tier", x->tier, d->standing.tier ? d->standing.tier : "none");
    if (x->has_compute) differ(out, "compute", gflops_text(x->compute).s, gflops_text(d->compute).s);
    if (x->has_storage) differ(out, "storage", bytes_text(x->storage).s, bytes_text(d->storage).s);
    if (x->until)
        differ(out, "until", x->until, d->outcome <= OUTCOME_PARTIAL ? end_text(d->lease.end).s : "none");
    if (!x->flavor) return;
    scoped_text struct text servers = {0};
    servers_text(d, &servers);
    differ(out, "servers", x->flavor, servers.s);
}

/* ---- running ---- */

static void tell(const struct short_case *c, const char *about, size_t at, const struct text *differences,
                 const struct plan *plan) {
    scoped_json json_t *lines = case_lines(plan);
    size_t i;
    json_t *line;
    text_add(&c->out->said, "%s: case %zu%s%s\n%s", c->path, at + 1, *about ? ": " : "", about,
             differences->s);
    json_array_foreach(lines, i, line) text_add(&c->out->said, "    %s\n", json_string_value(line));
}

static int run_one(const struct short_case *c, const struct json_at *item, size_t at, struct err *e) {
    static const char *const keys[] = {"about", "tenant",  "name", "organisation", "suspended",
                                       "holds", "request", "free", "expect",       NULL};
    const char *about = "";
    struct expected expected = {0};
    struct facts_owned facts = {0};
    struct plan plan = {0};
    scoped_text struct text differences = {0};
    if (json_as_object(item, e) < 0 || json_only(item, keys, e) < 0 ||
        json_may_text(item, "about", WORDS_MOST, &about, e) < 0 || expected_of(item, &expected, e) < 0)
        return -1;
    scoped_json json_t *document = facts_of(item, c, e);
    int rc = document ? case_plan(c->policy, document, &facts, &plan, e) : -1;
    if (rc == 0) compare(&expected, &plan.decisions[0], &differences);
    c->out->ran++;
    if (differences.length > 0) {
        c->out->failed++;
        tell(c, about, at, &differences, &plan);
    }
    plan_free(&plan);
    facts_free(&facts);
    return rc;
}

int case_run_short(const char *path, const json_t *document, const json_t *marks,
                   const struct case_files *files, struct case_result *out, struct err *e) {
    static const char *const keys[] = {"about", "policy", "now", "cases", NULL};
    struct json_at root = json_root(document, path), cases;
    struct short_case c = {.path = path, .files = files, .out = out};
    const char *file = NULL, *about = NULL;
    root.marks = marks;
    if (json_as_object(&root, e) < 0 || json_only(&root, keys, e) < 0 ||
        json_may_text(&root, "about", WORDS_MOST, &about, e) < 0 ||
        json_need_text(&root, "policy", 4000, &file, e) < 0 ||
        json_need_instant(&root, "now", &c.now, e) < 0 ||
        json_need_array(&root, "cases", 1, CASES_MOST, &cases, e) < 0)
        return -1;
    struct policy *policy = case_policy(path, file, NULL, files, e);
    int rc = policy ? 0 : -1;
    c.policy = policy;
    for (size_t i = 0; rc == 0 && i < json_length(&cases); i++) {
        struct json_at item = json_item(&cases, i);
        rc = run_one(&c, &item, i, e);
    }
    policy_free(policy);
    return rc;
}
