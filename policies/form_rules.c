/* SPDX-License-Identifier: Apache-2.0 */
/* From the JSON form to the language: sets and rules. */
#include "policies/form_text.h"

#include <string.h>

static const char *const holders[] = {"tenant", "organisation", NULL};
static const char *const kinds[] = {"compute", "storage", NULL};

static int put_reason(const struct json_at *at, bool needed, struct text *out, struct err *e) {
    const char *reason = NULL, *ko = NULL;
    struct json_at member = json_member(at, "reason"), korean = json_member(at, "reason_ko");
    if ((needed || json_has(at, "reason")) && form_as_string(&member, &reason, e) < 0) return -1;
    if (json_has(at, "reason_ko") && form_as_string(&korean, &ko, e) < 0) return -1;
    if (ko && !reason) return json_fail(&member, e, "must be there where 'reason_ko' is");
    if (reason) text_add(out, " "), form_put_string(out, reason);
    if (ko) text_add(out, " ko "), form_put_string(out, ko);
    return 0;
}

static int put_end(const struct json_at *at, struct text *out, struct err *e) {
    if (form_put_when(at, out, e) < 0) return -1;
    text_add(out, ";\n");
    return 0;
}

/* Of a set: without a condition it is the rule for all others. */
static int put_set_end(const struct json_at *at, struct text *out, struct err *e) {
    if (!json_has(at, "when")) text_add(out, " otherwise");
    return put_end(at, out, e);
}

/* "ID word" and, where it is stated, whom it is per. */
static int put_begin(const struct json_at *at, const char *word, bool per, struct text *out, struct err *e) {
    size_t holder;
    if (form_put_name(at, "id", "", out, e) < 0) return -1;
    text_add(out, " %s", word);
    if (!per || !json_has(at, "per")) return 0;
    if (json_need_word(at, "per", holders, &holder, e) < 0) return -1;
    text_add(out, " per %s", holders[holder]);
    return 0;
}

/* ---- sets ---- */

static int put_eligible(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id", "effect", "reason", "reason_ko", "when", NULL};
    static const char *const effects[] = {"pass", "deny", "review", NULL};
    size_t effect;
    if (json_only(at, keys, e) < 0 || json_need_word(at, "effect", effects, &effect, e) < 0 ||
        put_begin(at, effects[effect], false, out, e) < 0 || put_reason(at, true, out, e) < 0)
        return -1;
    return put_set_end(at, out, e);
}

static int put_tier(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {
        "id", "tier", "weight", "guarantee_gflops", "expect_tenants", "reason", "reason_ko", "when", NULL};
    if (json_only(at, keys, e) < 0 || form_put_name(at, "id", "", out, e) < 0 ||
        form_put_name(at, "tier", " ", out, e) < 0 ||
        form_put_count(at, "weight", 1, WEIGHT_MOST, "weight #", out, e) < 0 ||
        form_put_compute(at, "guarantee_gflops", "guarantee", out, e) < 0 ||
        form_put_count(at, "expect_tenants", 0, UNITS_MOST, "expect #", out, e) < 0 ||
        put_reason(at, true, out, e) < 0)
        return -1;
    return put_set_end(at, out, e);
}

static int put_set(const struct json_at *root, const char *key, const char *name, form_item *put,
                   struct text *out, struct err *e) {
    struct json_at list;
    if (json_may_array(root, key, POLICY_RULES, &list, e) < 0) return -1;
    if (json_length(&list) == 0) return 0;
    text_add(out, "\nset %s {\n", name);
    if (form_each(root, key, POLICY_RULES, put, out, e) < 0) return -1;
    text_add(out, "}\n");
    return 0;
}

/* ---- rules ---- */

static int put_unit_limit(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"flavor", "units", NULL};
    int64_t n;
    if (json_only(at, keys, e) < 0 || form_put_name(at, "flavor", " units ", out, e) < 0 ||
        json_need_int(at, "units", 0, UNITS_MOST, &n, e) < 0)
        return -1;
    text_add(out, " %lld", (long long)n);
    return 0;
}

static int put_seat_limit(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"service", "seats", NULL};
    int64_t n;
    if (json_only(at, keys, e) < 0 || form_put_name(at, "service", " seats ", out, e) < 0 ||
        json_need_int(at, "seats", 0, UNITS_MOST, &n, e) < 0)
        return -1;
    text_add(out, " %lld", (long long)n);
    return 0;
}

static int put_ceiling(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id",    "per",   "compute_gflops", "storage_bytes",
                                       "units", "seats", "when",           NULL};
    enum { LIMITS = POLICY_FLAVORS + POLICY_SERVICES };
    if (json_only(at, keys, e) < 0 || put_begin(at, "ceiling", true, out, e) < 0 ||
        form_put_compute(at, "compute_gflops", "compute", out, e) < 0 ||
        form_put_bytes(at, "storage_bytes", "storage", out, e) < 0 ||
        form_each(at, "units", LIMITS, put_unit_limit, out, e) < 0 ||
        form_each(at, "seats", LIMITS, put_seat_limit, out, e) < 0)
        return -1;
    return put_end(at, out, e);
}

static int put_approval(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id", "by", "reason", "reason_ko", "when", NULL};
    if (json_only(at, keys, e) < 0 || put_begin(at, "approve", false, out, e) < 0 ||
        form_put_name(at, "by", " by ", out, e) < 0 || put_reason(at, false, out, e) < 0)
        return -1;
    return put_end(at, out, e);
}

static int put_lease_end(const struct json_at *at, struct text *out, struct err *e) {
    const char *day;
    instant_t end;
    if (json_has(at, "until") == json_has(at, "term_seconds"))
        return json_fail(at, e, "has either 'term_seconds' or 'until'");
    if (json_has(at, "term_seconds")) return form_put_span(at, "term_seconds", "term", out, e);
    if (json_need_text(at, "until", 10, &day, e) < 0) return -1;
    if (date_parse(day, &end, e) < 0) return json_context(at, "until", e);
    text_add(out, " until %s", day);
    return 0;
}

/* A part of a rule that stands only where it says something: 0 is what holds without it. */
static int put_span_if(const struct json_at *at, const char *key, const char *word, struct text *out,
                       struct err *e) {
    int64_t n = 1;
    if (json_may_int(at, key, 0, INT64_MAX, &n, e) < 0) return -1;
    return n == 0 ? 0 : form_put_span(at, key, word, out, e);
}

static int put_flag(const struct json_at *at, const char *key, const char *words, struct text *out,
                    struct err *e) {
    bool is_so = false;
    if (json_may_bool(at, key, &is_so, e) < 0) return -1;
    text_add(out, "%s", is_so ? words : "");
    return 0;
}

static int put_lease(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id",
                                       "term_seconds",
                                       "until",
                                       "renewals",
                                       "notice_seconds",
                                       "grace_seconds",
                                       "keep_data_seconds",
                                       "agreement",
                                       "when",
                                       NULL};
    int64_t renewals = 0;
    if (json_only(at, keys, e) < 0 || put_begin(at, "lease", false, out, e) < 0 ||
        put_lease_end(at, out, e) < 0 || json_may_int(at, "renewals", 0, 1000, &renewals, e) < 0)
        return -1;
    if (renewals > 0) text_add(out, ", renew %lld", (long long)renewals);
    if (put_span_if(at, "notice_seconds", ", notice", out, e) < 0 ||
        put_span_if(at, "grace_seconds", ", grace", out, e) < 0 ||
        put_span_if(at, "keep_data_seconds", ", keep-data", out, e) < 0 ||
        put_flag(at, "agreement", ", agreement", out, e) < 0)
        return -1;
    return put_end(at, out, e);
}

static int put_order(const struct json_at *at, struct text *out, struct err *e) {
    struct json_at list;
    if (json_may_array(at, "order", ORDER_KEYS, &list, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        const char *key;
        if (form_as_name(&item, &key, e) < 0) return -1;
        text_add(out, "%s%s", i ? ", " : " order ", key);
    }
    return 0;
}

static int put_partial(const struct json_at *at, struct text *out, struct err *e) {
    int64_t steps;
    if (!json_has(at, "partial_steps")) return 0;
    if (json_need_int(at, "partial_steps", 0, UNITS_MOST, &steps, e) < 0) return -1;
    if (steps == 0) return text_add(out, " partial none"), 0;
    text_add(out, " partial %lld steps", (long long)steps);
    return 0;
}

static int put_queue(const struct json_at *root, struct text *out, struct err *e) {
    static const char *const keys[] = {
        "id",       "order",         "weigh",        "strict", "lift_seconds", "barrier_seconds",
        "barriers", "partial_steps", "hold_seconds", NULL};
    static const char *const weights[] = {"total", "surplus", NULL};
    struct json_at at;
    size_t weigh = 0;
    if (json_may_object(root, "queue", &at, e) < 0) return -1;
    if (!json_has(root, "queue")) return 0;
    if (json_only(&at, keys, e) < 0 || put_begin(&at, "queue", false, out, e) < 0 ||
        put_order(&at, out, e) < 0 || json_may_word(&at, "weigh", weights, &weigh, e) < 0)
        return -1;
    text_add(out, " weigh %s", weights[weigh]);
    if (json_has(&at, "barriers") && !json_has(&at, "barrier_seconds"))
        return json_fail(&at, e, "'barriers' says how many there are: it needs 'barrier_seconds'");
    if (put_flag(&at, "strict", " strict", out, e) < 0 ||
        form_put_span(&at, "lift_seconds", "lift", out, e) < 0 ||
        form_put_span(&at, "barrier_seconds", "barrier", out, e) < 0 ||
        form_put_count(&at, "barriers", 1, 1000, "max #", out, e) < 0 || put_partial(&at, out, e) < 0 ||
        form_put_span(&at, "hold_seconds", "hold", out, e) < 0)
        return -1;
    return put_end(&at, out, e);
}

static int put_borrow(const struct json_at *root, struct text *out, struct err *e) {
    static const char *const keys[] = {
        "id", "lend_max_percent", "notice_seconds", "min_hold_seconds", "most_tenants", NULL};
    struct json_at at;
    if (json_may_object(root, "borrow", &at, e) < 0) return -1;
    if (!json_has(root, "borrow")) return 0;
    if (json_only(&at, keys, e) < 0 || put_begin(&at, "borrow", false, out, e) < 0 ||
        form_put_count(&at, "lend_max_percent", 0, 100, "lend-max # %", out, e) < 0 ||
        form_put_span(&at, "notice_seconds", "notice", out, e) < 0 ||
        put_span_if(&at, "min_hold_seconds", "min-hold", out, e) < 0 ||
        form_put_count(&at, "most_tenants", 1, 1000000, "most # tenants", out, e) < 0)
        return -1;
    return put_end(&at, out, e);
}

static int put_idle(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id",
                                       "kind",
                                       "metric",
                                       "below_percent",
                                       "window_seconds",
                                       "lose_percent",
                                       "notice_seconds",
                                       "appeal_seconds",
                                       "keep_guarantee",
                                       "when",
                                       NULL};
    static const char *const words[] = {"idle", "unused", NULL};
    size_t word;
    int64_t below, window;
    if (json_only(at, keys, e) < 0 || json_need_word(at, "kind", words, &word, e) < 0 ||
        put_begin(at, words[word], false, out, e) < 0 || form_put_name(at, "metric", " ", out, e) < 0 ||
        json_need_int(at, "below_percent", 0, 100, &below, e) < 0 ||
        json_need_int(at, "window_seconds", 0, INT64_MAX, &window, e) < 0)
        return -1;
    text_add(out, " < %lld %%", (long long)below);
    if (form_put_span(at, "window_seconds", "for", out, e) < 0 ||
        form_put_count(at, "lose_percent", 0, 100, "lose # %", out, e) < 0 ||
        put_span_if(at, "notice_seconds", "notice", out, e) < 0 ||
        put_span_if(at, "appeal_seconds", "appeal", out, e) < 0 ||
        put_flag(at, "keep_guarantee", " keep guarantee", out, e) < 0)
        return -1;
    return put_end(at, out, e);
}

static int put_reserve(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id", "of", "percent", "tier", NULL};
    size_t kind;
    int64_t percent;
    if (json_only(at, keys, e) < 0 || put_begin(at, "reserve", false, out, e) < 0 ||
        json_need_word(at, "of", kinds, &kind, e) < 0 ||
        json_need_int(at, "percent", 0, 100, &percent, e) < 0)
        return -1;
    text_add(out, " %s %lld %% for", kinds[kind], (long long)percent);
    if (form_put_name(at, "tier", " ", out, e) < 0) return -1;
    return put_end(at, out, e);
}

static int put_budget(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"id",   "per", "compute_gflops_seconds", "storage_byte_hours", "each",
                                       "when", NULL};
    static const char *const periods[] = {"month", "quarter", "year", NULL};
    bool storage = json_has(at, "storage_byte_hours");
    const char *key = storage ? "storage_byte_hours" : "compute_gflops_seconds";
    struct json_at amount = json_member(at, key);
    int64_t most;
    size_t each;
    if (json_only(at, keys, e) < 0 || put_begin(at, "budget", true, out, e) < 0) return -1;
    if (storage == json_has(at, "compute_gflops_seconds"))
        return json_fail(at, e, "has either 'compute_gflops_seconds' or 'storage_byte_hours'");
    if (json_need_int(at, key, 0, INT64_MAX, &most, e) < 0 ||
        json_need_word(at, "each", periods, &each, e) < 0)
        return -1;
    text_add(out, " %s ", kinds[storage]);
    if (!form_put_volume(out, most, storage))
        return json_fail(&amount, e, "%lld is not a decimal number of %s", (long long)most,
                         storage ? "GB-months (720000000000 each)" : "TF-hours (3600000 each)");
    text_add(out, " each %s", periods[each]);
    return put_end(at, out, e);
}

int form_put_rules(const struct json_at *root, struct text *out, struct err *e) {
    if (put_set(root, "eligible", "eligible", put_eligible, out, e) < 0 ||
        put_set(root, "tiers", "tier", put_tier, out, e) < 0)
        return -1;
    text_add(out, "\n");
    if (form_each(root, "ceilings", POLICY_RULES, put_ceiling, out, e) < 0 ||
        form_each(root, "approvals", POLICY_RULES, put_approval, out, e) < 0 ||
        form_each(root, "leases", POLICY_RULES, put_lease, out, e) < 0 || put_queue(root, out, e) < 0 ||
        put_borrow(root, out, e) < 0 || form_each(root, "idle", POLICY_RULES, put_idle, out, e) < 0 ||
        form_each(root, "reserves", POLICY_RULES, put_reserve, out, e) < 0)
        return -1;
    return form_each(root, "budgets", POLICY_RULES, put_budget, out, e);
}
