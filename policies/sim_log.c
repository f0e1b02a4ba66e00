/* SPDX-License-Identifier: Apache-2.0 */
/* The decision log, one JSON object a line (allot-simulate(5)), and how often each rule mattered. */
#include "policies/sim_parts.h"

#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

static void put_string(struct text *out, const char *text) {
    text_put(out, "\"", 1);
    for (const char *p = text; *p;) {
        const char *from = p;
        while ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\') p++;
        text_put(out, from, (size_t)(p - from));
        if (!*p) break;
        text_add(out, "\\u%04x", (unsigned)(unsigned char)*p++);
    }
    text_put(out, "\"", 1);
}

static void put_key(struct text *out, const char *key) {
    text_put(out, ",\"", 2);
    text_put(out, key, strlen(key));
    text_put(out, "\":", 2);
}

static void put_member(struct text *out, const char *key, const char *text) {
    put_key(out, key);
    if (text)
        put_string(out, text);
    else
        text_add(out, "null");
}

static void line_begin(struct sim *s, const char *what, size_t request) {
    text_add(&s->log, "{\"at\":\"%s\",\"event\":\"%s\"", instant_text(s->now).s, what);
    put_member(&s->log, "request", s->world->requests[request].claim.id);
    put_member(&s->log, "tenant", s->facts[s->world->requests[request].claim.tenant].name);
}

static void put_given(struct text *out, const struct decision *d) {
    text_add(out, ",\"compute_gflops\":%lld,\"storage_bytes\":%lld,\"lines\":[", (long long)d->compute.n,
             (long long)d->storage.n);
    for (size_t i = 0; i < d->n_lines; i++) {
        text_add(out, "%s{\"flavor\":", i ? "," : "");
        put_string(out, d->lines[i].flavor);
        text_add(out, ",\"size\":%lld,\"count\":%lld}", (long long)d->lines[i].size,
                 (long long)d->lines[i].count);
    }
    text_add(out, "],\"end\":\"%s\"", instant_text(d->lease.end).s);
}

void sim_log_decision(struct sim *s, size_t request, const struct decision *d) {
    struct sim_request *r = &s->requests[request];
    line_begin(s, "decision", request);
    text_add(&s->log, ",\"outcome\":\"%s\"", outcome_word(d->outcome));
    put_member(&s->log, "tier", r->tier ? s->tiers[r->tier].name : NULL);
    if (d->outcome <= OUTCOME_PARTIAL) put_given(&s->log, d);
    if (d->position) text_add(&s->log, ",\"position\":%lld", (long long)d->position);
    if (d->earliest.at.has) put_member(&s->log, "earliest", instant_text(d->earliest.at.at).s);
    put_member(&s->log, "decisive", r->decisive);
    if (d->n_reasons && d->reasons[0].en) {
        put_member(&s->log, "en", d->reasons[0].en);
        put_member(&s->log, "ko", d->reasons[0].ko);
    }
    text_add(&s->log, "}\n");
}

void sim_log_event(struct sim *s, const char *what, size_t request, const char *words) {
    line_begin(s, what, request);
    if (words) put_member(&s->log, "detail", words);
    text_add(&s->log, "}\n");
}

/* ---- rules ---- */

static void rule_add(struct sim *s, const struct word *id) {
    struct text place = {0};
    size_t i = 0;
    while (i < s->n_rules && strcmp(s->rules[i].id, id->s) != 0) i++;
    if (i < s->n_rules || !id->s) return;
    s->rules = mem_grow(s->rules, &s->rules_room, s->n_rules + 1, sizeof *s->rules);
    text_add(&place, "%s:%d", s->policy->file, id->place.line);
    s->rules[s->n_rules++] = (struct sim_rule){.id = keep_text(&s->memory, id->s),
                                               .place = keep_add(&s->memory, text_take(&place))};
}

/* All rules of the policy, in the order in which a page lists them. */
void sim_rules_begin(struct sim *s) {
    const struct policy *y = s->policy;
    for (size_t i = 0; i < y->n_rules; i++) rule_add(s, &y->rules[i].id);
    for (size_t i = 0; i < y->n_tier_rules; i++) rule_add(s, &y->tier_rules[i].id);
    for (size_t i = 0; i < y->n_ceilings; i++) rule_add(s, &y->ceilings[i].id);
    for (size_t i = 0; i < y->n_approves; i++) rule_add(s, &y->approves[i].id);
    for (size_t i = 0; i < y->n_leases; i++) rule_add(s, &y->leases[i].id);
    if (y->queue.id.s) rule_add(s, &y->queue.id);
    if (y->borrow.id.s) rule_add(s, &y->borrow.id);
    for (size_t i = 0; i < y->n_idles; i++) rule_add(s, &y->idles[i].id);
    for (size_t i = 0; i < y->n_reserves; i++) rule_add(s, &y->reserves[i].id);
    for (size_t i = 0; i < y->n_budgets; i++) rule_add(s, &y->budgets[i].id);
}

void sim_rule_used(struct sim *s, const char *id, bool is_decisive) {
    for (size_t i = 0; id && i < s->n_rules; i++) {
        if (strcmp(s->rules[i].id, id) != 0) continue;
        s->rules[i].named++;
        s->rules[i].decisive += is_decisive;
    }
}

void sim_rules_count(struct sim *s, const struct decision *d) {
    for (size_t i = 0; i < d->n_reasons; i++) sim_rule_used(s, d->reasons[i].rule, d->reasons[i].decisive);
    sim_rule_used(s, d->standing.rule, false);
}
