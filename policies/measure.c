/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/measure.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

struct amount_text ratio_text(wide_t n, wide_t d) {
    struct amount_text out = {"0.0000"};
    if (d <= 0) return out;
    wide_t r = (n * 10000 + d / 2) / d;
    text_format(out.s, sizeof out.s, "%lld.%04lld", (long long)(r / 10000), (long long)(r % 10000));
    return out;
}

const char *measure_outcome(const struct sim_request *r) {
    return r->state == SIM_GRANTED && r->is_partial ? "partial" : sim_state_word(r->state);
}

static void set_int(json_t *o, const char *key, int64_t n) { json_object_set_new(o, key, json_integer(n)); }
static void set_ratio(json_t *o, const char *key, wide_t n, wide_t d) {
    json_object_set_new(o, key, json_string(ratio_text(n, d).s));
}

/* ---- waits ---- */

static int span_cmp(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest value that at least so many percent do not exceed (nearest rank). */
static int64_t percentile(const int64_t *sorted, size_t n, size_t percent) {
    return n ? sorted[(n * percent + 99) / 100 - 1] : 0;
}

/* From when it could have been served: its submission, or the award of its call. */
static int64_t waited(const struct sim *s, size_t i) {
    const struct sim_request *r = &s->requests[i];
    const struct fact_claim *c = &s->world->requests[i].claim;
    instant_t from = c->call && r->first.has ? r->first.at : c->submitted;
    instant_t to = r->granted.has ? r->granted.at : s->now;
    return to.s - from.s;
}

static json_t *wait_of(const struct sim *s, size_t tier, bool all) {
    size_t n = 0, open = 0, asked = 0;
    int64_t wanted = 0, given = 0;
    scoped_free int64_t *spans = mem_alloc((s->world->n_requests + 1) * sizeof *spans);
    for (size_t i = 0; i < s->world->n_requests; i++) {
        const struct sim_request *r = &s->requests[i];
        if (r->state == SIM_NOT_YET || (!all && r->tier != tier)) continue;
        asked++;
        wanted += r->wanted;
        given += r->granted.has ? r->compute.n : 0;
        if (r->granted.has)
            spans[n++] = waited(s, i);
        else
            open += r->state == SIM_WAITING;
    }
    qsort(spans, n, sizeof *spans, span_cmp);
    json_t *o = json_object();
    json_object_set_new(o, "tier", json_string(all ? "all" : s->tiers[tier].name));
    set_int(o, "requests", (int64_t)asked);
    set_int(o, "asked_gflops", wanted);
    set_int(o, "granted", (int64_t)n);
    set_int(o, "granted_gflops", given);
    set_int(o, "still_waiting", (int64_t)open);
    set_int(o, "p50_seconds", percentile(spans, n, 50));
    set_int(o, "p90_seconds", percentile(spans, n, 90));
    set_int(o, "p99_seconds", percentile(spans, n, 99));
    set_int(o, "max_seconds", n ? spans[n - 1] : 0);
    return o;
}

static json_t *waits(const struct sim *s) {
    json_t *list = json_array();
    for (int64_t rank = 0; rank < SIM_TIERS; rank++) /* best first */
        for (size_t t = 1; t < s->n_tiers; t++)
            if (s->tiers[t].rank == rank) json_array_append_new(list, wait_of(s, t, false));
    json_array_append_new(list, wait_of(s, 0, true));
    return list;
}

/* ---- what became of the requests, and why ---- */

static json_t *outcomes(const struct sim *s) {
    json_t *o = json_object();
    static const char *const words[] = {"granted", "partial",   "waiting", "held",
                                        "denied",  "withdrawn", "in call", "reserve"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        int64_t n = 0;
        for (size_t i = 0; i < s->world->n_requests; i++)
            n += strcmp(measure_outcome(&s->requests[i]), words[k]) == 0;
        set_int(o, strcmp(words[k], "in call") == 0 ? "in_call" : words[k], n);
    }
    return o;
}

/* {"NO_UNITS": 12, "NEEDS_APPROVAL E3": 4}: of those that were not granted in the end. */
static json_t *refusals(const struct sim *s) {
    scoped_json json_t *counts = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < s->world->n_requests; i++) {
        const struct sim_request *r = &s->requests[i];
        if (!r->decisive || r->granted.has || r->state == SIM_WITHDRAWN || r->state == SIM_NOT_YET) continue;
        const char *why = r->refused ? MEASURE_REFUSED : r->decisive;
        int64_t n = json_integer_value(json_object_get(counts, why));
        json_object_set_new(counts, why, json_integer(n + 1));
    }
    for (;;) { /* most frequent first; there are a few dozen at most */
        const char *key, *best = NULL;
        json_t *value;
        int64_t most = 0;
        json_object_foreach(counts, key, value) {
            int64_t n = json_integer_value(value);
            if (n > most || (n == most && best && strcmp(key, best) < 0)) best = key, most = n;
        }
        if (!best) return list;
        json_array_append_new(list, json_pack("{s:s, s:I}", "why", best, "requests", (json_int_t)most));
        json_object_del(counts, best);
    }
}

/* ---- days ---- */

static void day_ratios(const struct sim *s, json_t *o) {
    wide_t held = 0, capacity = 0, used = 0, jain = 0, weighted = 0;
    int64_t least = 1000000, below = 0;
    for (size_t i = 0; i < s->n_days; i++) {
        const struct sim_day *d = &s->days[i];
        held += d->held;
        capacity += d->capacity;
        used += d->used;
        jain += d->jain;
        weighted += d->jain_weighted;
        below += d->below;
        if (d->jain < least) least = d->jain;
    }
    wide_t days = (wide_t)s->n_days * 1000000;
    set_ratio(o, "jain", jain, days);
    set_ratio(o, "jain_least", least, 1000000);
    set_ratio(o, "jain_weighted", weighted, days);
    set_ratio(o, "utilisation", held, capacity);
    if (s->world->n_uses)
        set_ratio(o, "used_of_granted", used, held * 100);
    else
        json_object_set_new(o, "used_of_granted", json_null());
    set_int(o, "tenant_days_below_guarantee", below);
}

/* The least of held / entitled over the whole time, of those that wanted something. */
static void max_min(const struct sim *s, json_t *o) {
    wide_t held = 1, entitled = 1;
    for (size_t i = 0; i < s->n_tenants; i++) {
        const struct sim_tenant *t = &s->tenants[i];
        if (t->entitled_days > 0 && t->held_days * entitled < held * t->entitled_days)
            held = t->held_days, entitled = t->entitled_days;
    }
    set_ratio(o, "max_min_share", held, entitled);
}

static json_t *stranded(const struct sim *s) {
    json_t *list = json_array();
    for (size_t f = 0; f < s->pool.n_flavors; f++) {
        wide_t unit_days = 0, free_days = 0;
        for (size_t i = 0; i < s->n_days; i++) {
            unit_days += s->days[i].stranded[f];
            free_days += s->days[i].free[f] > 0 ? s->days[i].free[f] : 0;
        }
        json_t *o = json_pack("{s:s, s:I, s:I}", "flavor", s->flavors[f].name, "stranded_unit_days",
                              (json_int_t)unit_days, "free_unit_days", (json_int_t)free_days);
        set_ratio(o, "stranded_mean", unit_days, (wide_t)s->n_days);
        json_array_append_new(list, o);
    }
    return list;
}

/* ---- what was taken back ---- */

static json_t *reclaims(const struct sim *s) {
    json_t *list = json_array();
    for (int cause = 0; cause < CAUSES; cause++) {
        int64_t n = 0, units_taken = 0, compute = 0, least = INT64_MAX;
        for (size_t i = 0; i < s->n_taken; i++) {
            const struct sim_taken *t = &s->taken[i];
            if ((int)t->cause != cause) continue;
            n++;
            units_taken += t->units;
            compute += t->compute;
            if (t->at.s - t->sent.s < least) least = t->at.s - t->sent.s;
        }
        if (n == 0) continue;
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I, s:I, s:I}", "cause",
                                        reclaim_cause_word((enum reclaim_cause)cause), "count", (json_int_t)n,
                                        "units", (json_int_t)units_taken, "compute_gflops",
                                        (json_int_t)compute, "least_notice_seconds", (json_int_t)least));
    }
    return list;
}

/* A took from B for its guarantee, and B from A later. */
static int64_t ping_pong(const struct sim *s) {
    int64_t n = 0;
    for (size_t i = 0; i < s->n_taken; i++)
        for (size_t k = 0; k < i; k++)
            n += s->taken[i].claimant == s->taken[k].tenant + 1 &&
                 s->taken[k].claimant == s->taken[i].tenant + 1 && s->taken[i].cause == CAUSE_GUARANTEE &&
                 s->taken[k].cause == CAUSE_GUARANTEE;
    return n;
}

static json_t *rules(const struct sim *s, bool only_unused) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_rules; i++) {
        const struct sim_rule *r = &s->rules[i];
        if (only_unused && r->decisive == 0) json_array_append_new(list, json_string(r->id));
        if (!only_unused)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "rule", r->id, "place",
                                                  r->place, "en", r->en, "ko", r->ko, "named",
                                                  (json_int_t)r->named, "decisive", (json_int_t)r->decisive));
    }
    return list;
}

static json_t *inversions(const struct sim *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_inversions; i++)
        json_array_append_new(list, json_pack("{s:s, s:I}", "why", s->inversions[i].why, "requests",
                                              (json_int_t)s->inversions[i].n));
    return list;
}

/* ---- what people were offered and awarded ---- */

static json_t *offers(const struct sim *s) {
    json_t *o = json_object();
    set_int(o, "made", s->offers_made);
    for (int k = 0; k < SIM_OFFER_ENDS; k++)
        set_int(o, sim_offer_end_word((enum sim_offer_end)k), s->offers_ended[k]);
    set_int(o, "open", (int64_t)s->offered.n);
    return o;
}

static json_t *maybe_int(bool has, int64_t n) { return has ? json_integer(n) : json_null(); }

static int64_t awarded(const struct sim_call *c, const struct sim *s, enum sim_state state) {
    int64_t n = 0;
    for (size_t i = 0; c->award && i < c->award->n_order; i++)
        n += s->requests[c->award->order[i]].state == state;
    return n;
}

static json_t *calls(const struct sim *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_calls; i++) {
        const struct sim_call *c = &s->calls[i];
        json_t *o = json_pack("{s:s, s:o, s:o}", "call", c->name, "share_gflops",
                              maybe_int(c->share.has_compute, c->share.compute.n), "share_bytes",
                              maybe_int(c->share.has_storage, c->share.storage.n));
        set_int(o, "given_gflops", c->given_compute);
        set_int(o, "given_bytes", c->given_bytes);
        set_int(o, "granted", awarded(c, s, SIM_GRANTED));
        set_int(o, "reserve", awarded(c, s, SIM_RESERVE));
        set_int(o, "moved_up", c->moved_up);
        set_int(o, "declined", c->declined);
        set_int(o, "not_signed", c->not_signed);
        json_array_append_new(list, o);
    }
    return list;
}

/* In whole TFLOPS-days: how often an account was settled, and the least and the most at the end. */
static json_t *credits(const struct sim *s) {
    int64_t least = 0, most = 0;
    for (size_t i = 0; i < s->n_tenants; i++) {
        least = smaller(least, s->facts[i].credits);
        most = larger(most, s->facts[i].credits);
    }
    return json_pack("{s:I, s:I, s:I}", "settled", (json_int_t)s->settlements, "least", (json_int_t)least,
                     "most", (json_int_t)most);
}

json_t *measures_of(const struct sim *s) {
    int64_t made = 0, granted = 0, partial = 0;
    for (size_t i = 0; i < s->world->n_requests; i++) {
        made += s->requests[i].state != SIM_NOT_YET;
        granted += s->requests[i].granted.has;
        partial += s->requests[i].granted.has && s->requests[i].is_partial;
    }
    const struct policy *y = s->options.policy;
    json_t *o =
        json_pack("{s:s, s:I, s:s, s:s, s:s}", "policy", y->name, "version", (json_int_t)y->version, "file",
                  y->file, "from", instant_text(s->begin).s, "until", instant_text(s->options.until).s);
    set_int(o, "days", (int64_t)s->n_days);
    set_int(o, "tenants", (int64_t)s->n_tenants);
    set_int(o, "requests", made);
    set_int(o, "capacity_gflops", s->capacity);
    json_object_set_new(o, "outcomes", outcomes(s));
    json_object_set_new(o, "not_granted", refusals(s));
    set_ratio(o, "partial_rate", partial, granted);
    json_object_set_new(o, "waits", waits(s));
    day_ratios(s, o);
    max_min(s, o);
    json_object_set_new(o, "stranded", stranded(s));
    json_object_set_new(o, "reclaims", reclaims(s));
    set_int(o, "ping_pong", ping_pong(s));
    json_object_set_new(o, "tier_inversions", inversions(s));
    json_object_set_new(o, "offers", offers(s));
    json_object_set_new(o, "calls", calls(s));
    json_object_set_new(o, "credits", credits(s));
    set_int(o, "swaps", s->swaps);
    set_int(o, "renewals", s->renewals);
    set_int(o, "renewals_refused", s->renewals_refused);
    json_object_set_new(o, "rules", rules(s, false));
    json_object_set_new(o, "rules_never_decisive", rules(s, true));
    set_int(o, "decisions", s->decisions);
    set_int(o, "plans", s->plans);
    set_int(o, "invariant_checks", s->checks);
    set_int(o, "events_without_effect", s->without_effect);
    return o;
}
