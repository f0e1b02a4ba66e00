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

static void rule_add(struct sim *s, const struct word *id, const char *en, const char *ko) {
    struct text place = {0};
    size_t i = 0;
    while (i < s->n_rules && strcmp(s->rules[i].id, id->s) != 0) i++;
    if (i < s->n_rules || !id->s) return;
    s->rules = mem_grow(s->rules, &s->rules_room, s->n_rules + 1, sizeof *s->rules);
    text_add(&place, "%s:%d", s->policy->file, id->place.line);
    s->rules[s->n_rules++] = (struct sim_rule){.id = keep_text(&s->memory, id->s),
                                               .place = keep_add(&s->memory, text_take(&place)),
                                               .en = keep_text(&s->memory, en),
                                               .ko = keep_text(&s->memory, ko ? ko : en)};
}

/* Those that have no reason of their own say of what kind they are. */
#define ADD_REASONED(of, n)                                                                                  \
    for (size_t i = 0; i < (n); i++) rule_add(s, &(of)[i].id, (of)[i].reason, (of)[i].reason_ko)
#define ADD_KIND(of, n, en, ko)                                                                              \
    for (size_t i = 0; i < (n); i++) rule_add(s, &(of)[i].id, en, ko)

/* All rules of the policy, in the order in which a page lists them. */
void sim_rules_begin(struct sim *s) {
    const struct policy *y = s->policy;
    ADD_REASONED(y->rules, y->n_rules);
    ADD_REASONED(y->tier_rules, y->n_tier_rules);
    ADD_KIND(y->ceilings, y->n_ceilings, "a ceiling", "한도");
    ADD_REASONED(y->approves, y->n_approves);
    ADD_KIND(y->leases, y->n_leases, "the lease", "사용 기간");
    ADD_KIND(&y->queue, y->queue.id.s != NULL, "the order of the queue", "대기 순서");
    ADD_KIND(&y->borrow, y->borrow.id.s != NULL, "what is lent of guarantees", "보장분의 대여");
    ADD_KIND(y->idles, y->n_idles, "what is not used", "사용하지 않는 자원");
    ADD_KIND(y->reserves, y->n_reserves, "kept for a tier", "등급을 위한 예비분");
    ADD_KIND(y->budgets, y->n_budgets, "a budget", "기간 예산");
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
