/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/explain.h"

#include <stdlib.h>
#include <string.h>

struct subject {
    const json_t *decision, *reasons;
    const struct facts *facts;
    const struct fact_claim *claim;
    const struct fact_tenant *tenant;
    enum explain_to to;
    bool korean;
    struct text *out;
};

static const char *member(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int64_t number(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static int find(const json_t *decision, const struct facts *facts, struct subject *s, struct err *e) {
    const char *id = member(decision, "claim");
    *s = (struct subject){
        .decision = decision, .reasons = json_object_get(decision, "reasons"), .facts = facts};
    for (size_t i = 0; id && i < facts->n_claims; i++) {
        if (strcmp(facts->claims[i].id, id) != 0) continue;
        s->claim = &facts->claims[i];
        s->tenant = &facts->tenants[s->claim->tenant];
        return 0;
    }
    return err_set(e, ERR_NOT_FOUND, "the stored facts do not name the request '%s'", id ? id : "");
}

static void say_datalake(const struct subject *s, int64_t n, struct text *t) {
    if (n > 0)
        text_add(t, s->korean ? "%s데이터 레이크 %s" : "%sdata lake of %s", t->length ? ", " : "",
                 bytes_text(bytes(n)).s);
}

static void say_seats(const struct subject *s, const char *service, int64_t seats, struct text *t) {
    text_add(t, s->korean ? "%s%s %lld석" : "%s%s for %lld", t->length ? ", " : "", service,
             (long long)seats);
}

/* "124.8 TF, at least 15.6 TF, of any flavor, and 10 TB" */
static void say_ask(const struct subject *s, struct text *t) {
    const struct fact_claim *c = s->claim;
    const char *flavor = c->flavor ? c->flavor : s->korean ? "종류 무관" : "any flavor";
    if (c->ask == ASK_COMPUTE) {
        text_add(t, s->korean ? "%s (%s)" : "%s of %s", gflops_text(c->compute).s, flavor);
        if (c->has_minimum)
            text_add(t, s->korean ? ", 최소 %s" : ", at least %s", gflops_text(c->minimum_compute).s);
    } else if (c->ask == ASK_UNITS) {
        text_add(t, "%s x %lld", flavor, (long long)c->units.n);
        if (c->has_minimum)
            text_add(t, s->korean ? ", 최소 %lld" : ", at least %lld", (long long)c->minimum_units.n);
    }
    if (c->storage.n > 0)
        text_add(t, "%s%s",
                 c->ask == ASK_NONE ? ""
                 : s->korean        ? ", 저장 공간 "
                                    : ", and storage of ",
                 bytes_text(c->storage).s);
    say_datalake(s, c->datalake.n, t);
    for (size_t i = 0; i < c->n_seats; i++) say_seats(s, c->seats[i].service, c->seats[i].seats, t);
    if (t->length == 0) text_add(t, s->korean ? "없음" : "nothing");
}

static void say_request(const struct subject *s) {
    struct text ask = {0};
    struct instant_text submitted = civil_text(s->claim->submitted);
    say_ask(s, &ask);
    if (s->korean)
        text_add(s->out, "%s이(가) %s에 낸 신청 %s: %s.\n", s->tenant->name, submitted.s, s->claim->id,
                 ask.s);
    else
        text_add(s->out, "%s asked in %s, on %s, for %s.\n", s->tenant->name, s->claim->id, submitted.s,
                 ask.s);
    text_free(&ask);
}

static void say_lines(const struct subject *s, struct text *t) {
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(s->decision, "lines"), i, line) {
        long long size = number(line, "size"), count = number(line, "count");
        text_add(t, "%s%s", i ? ", " : " (", member(line, "flavor"));
        if (s->korean)
            text_add(t, " %lld개짜리 서버 %lld대", size, count);
        else
            text_add(t, " %lld x %lld", count, size);
    }
    if (json_array_size(json_object_get(s->decision, "lines"))) text_add(t, ")");
}

static bool gives(const struct subject *s) {
    const char *outcome = member(s->decision, "outcome");
    return outcome && (strcmp(outcome, "granted") == 0 || strcmp(outcome, "partial") == 0);
}

static const char *outcome_ko(const char *word) {
    for (enum outcome o = OUTCOME_GRANT; o <= OUTCOME_DENY; o++)
        if (strcmp(outcome_word(o), word) == 0) return outcome_word_ko(o);
    return word;
}

static void say_outcome(const struct subject *s) {
    const char *outcome = member(s->decision, "outcome");
    if (!outcome) return;
    text_add(s->out, s->korean ? "결과: %s" : "The decision: %s", s->korean ? outcome_ko(outcome) : outcome);
    if (gives(s)) {
        const char *end = member(json_object_get(s->decision, "lease"), "end");
        int64_t compute = number(s->decision, "compute_gflops"),
                storage = number(s->decision, "storage_bytes");
        struct text given = {0};
        const char *service;
        json_t *seats;
        if (compute > 0) text_add(&given, "%s", gflops_text(gflops(compute)).s);
        say_lines(s, &given);
        if (storage > 0)
            text_add(&given, "%s%s",
                     compute == 0 ? ""
                     : s->korean  ? ", 저장 공간 "
                                  : ", storage of ",
                     bytes_text(bytes(storage)).s);
        say_datalake(s, number(s->decision, "datalake_bytes"), &given);
        json_object_foreach(json_object_get(s->decision, "seats"), service, seats)
            say_seats(s, service, json_integer_value(seats), &given);
        text_add(s->out, ", %s", given.s ? given.s : "");
        text_free(&given);
        struct err ignored = {0};
        instant_t at;
        if (end && instant_parse(end, &at, &ignored) == 0)
            text_add(s->out, s->korean ? ", 종료 %s" : ", until %s", end_text(at).s);
    }
    text_add(s->out, ".\n");
}

/* The rule that let it pass is told only where something was given; elsewhere it decided nothing. */
static void say_reasons(const struct subject *s) {
    size_t i, said = 0;
    json_t *reason;
    bool told_turn = false;
    json_array_foreach(s->reasons, i, reason) {
        const char *text = member(reason, s->korean ? "ko" : "en"), *code = member(reason, "code");
        bool passed = code && strcmp(code, reason_code_word(REASON_PASSED)) == 0;
        if (!text || !code || (passed && !gives(s)) || said == 3) continue;
        told_turn |= strcmp(code, reason_code_word(REASON_WAITING_TURN)) == 0;
        text_add(s->out, "%s%s.\n", !passed ? "" : s->korean ? "통과 규칙: " : "Let through as: ", text);
        said++;
    }
    if (told_turn || !json_object_get(s->decision, "position")) return;
    long long position = number(s->decision, "position");
    struct amount_text ahead = gflops_text(gflops(number(s->decision, "ahead_gflops")));
    if (s->korean)
        text_add(s->out, "대기 순번은 %lld번이며 앞선 신청은 모두 %s입니다.\n", position, ahead.s);
    else
        text_add(s->out, "It has place %lld in the queue; those before it ask for %s.\n", position, ahead.s);
}

/* What the ceilings and the pool looked like: only where it matters, so not beside a refusal of its own. */
static void say_numbers(const struct subject *s) {
    const json_t *limits = json_object_get(s->decision, "limits");
    const json_t *compute = json_object_get(limits, "compute_gflops");
    struct amount_text held = gflops_text(s->tenant->held_compute);
    const struct fact_pool *pool = &s->facts->pool;
    if (compute) {
        struct amount_text may = gflops_text(gflops(json_integer_value(compute)));
        if (s->korean)
            text_add(s->out, "당시 %s의 연산 보유량은 %s, 한도는 %s였습니다.", s->tenant->name, held.s,
                     may.s);
        else
            text_add(s->out, "%s held %s of the %s that it may hold.", s->tenant->name, held.s, may.s);
    }
    text_add(s->out, "%s%s", compute ? " " : "",
             s->korean ? "회차 시작 때 남은 자원:" : "Free before this round:");
    for (size_t i = 0; i < pool->n_flavors; i++)
        text_add(s->out, " %s %lld/%lld,", pool->flavors[i].name, (long long)pool->flavors[i].free.n,
                 (long long)pool->flavors[i].capacity.n);
    text_add(s->out, s->korean ? " 저장 공간 %s.\n" : " storage %s.\n",
             bytes_text(bytes(pool->storage_free.n > 0 ? pool->storage_free.n : 0)).s);
}

/* Its tier, what that is worth, and what it has of it. */
static void say_standing(const struct subject *s) {
    const json_t *standing = json_object_get(s->decision, "standing");
    const char *tier = member(standing, "tier"), *rule = member(standing, "rule");
    if (!tier) return;
    long long weight = number(standing, "weight");
    struct amount_text guarantee = gflops_text(gflops(number(standing, "guarantee_gflops")));
    bool lifted = json_is_true(json_object_get(standing, "lifted"));
    if (s->korean) {
        text_add(s->out, "등급은 %s%s%s%s이고 가중치는 %lld, 보장량은 %s입니다.", tier, rule ? " (" : "",
                 rule ? rule : "", rule ? ")" : "", weight, guarantee.s);
        if (lifted) text_add(s->out, " 오래 기다려 한 등급 위로 취급됩니다.");
    } else {
        text_add(s->out, "%s is in tier %s%s%s%s: weight %lld, guarantee %s.", s->tenant->name, tier,
                 rule ? " (" : "", rule ? rule : "", rule ? ")" : "", weight, guarantee.s);
        if (lifted) text_add(s->out, " Having waited long, it counts as of the next better tier.");
    }
    text_add(s->out, "\n");
}

/* Whose lease it is that ends is for operators; the date itself is told with the hints. */
static void say_earliest(const struct subject *s) {
    const json_t *earliest = json_object_get(s->decision, "earliest");
    const char *at = member(earliest, "at"), *grant = member(earliest, "grant"),
               *notice = member(earliest, "notice");
    struct err ignored = {0};
    instant_t end;
    if (json_is_true(json_object_get(s->decision, "is_barrier")))
        text_add(s->out, s->korean ? "가장 오래 기다린 신청이라 반납되는 자원을 따로 모으고 있습니다.\n"
                                   : "It has waited longest: what comes free is set aside for it.\n");
    if (!at || !grant || s->to != EXPLAIN_TO_OPERATOR || instant_parse(at, &end, &ignored) < 0) return;
    if (notice && s->korean)
        text_add(s->out, "전체가 가능한 가장 이른 날은 %s이며, 통지 %s에 따라 %s에서 회수되는 때입니다.\n",
                 date_text(end).s, notice, grant);
    else if (notice)
        text_add(s->out, "All of it fits on %s at the earliest, when notice %s takes back from %s.\n",
                 date_text(end).s, notice, grant);
    else if (s->korean)
        text_add(s->out, "전체가 가능한 가장 이른 날은 %s이며, %s의 사용 기간이 끝나는 때입니다.\n",
                 date_text(end).s, grant);
    else
        text_add(s->out, "All of it fits on %s at the earliest, when the lease of %s ends.\n",
                 date_text(end).s, grant);
}

static void say_hints(const struct subject *s) {
    size_t i;
    json_t *reason;
    const char *last = NULL, *key = s->korean ? "hint_ko" : "hint_en";
    json_array_foreach(s->reasons, i, reason) {
        const char *hint = member(reason, key);
        if (!hint || (last && strcmp(hint, last) == 0))
            continue; /* tenant and organisation often say the same */
        text_add(s->out, "%s%s",
                 last        ? "; "
                 : s->korean ? "바꿀 수 있는 것: "
                             : "What would change it: ",
                 hint);
        last = hint;
    }
    if (last) text_add(s->out, ".\n");
}

int explain_text(const json_t *decision, const struct facts *facts, enum explain_to to, bool korean,
                 struct text *out, struct err *e) {
    struct subject s;
    if (find(decision, facts, &s, e) < 0) return -1;
    s.to = to;
    s.korean = korean;
    s.out = out;
    say_request(&s);
    say_outcome(&s);
    say_reasons(&s);
    say_standing(&s);
    say_numbers(&s);
    say_earliest(&s);
    say_hints(&s);
    return 0;
}

/* ---- JSON ---- */

static json_t *asked_json(const struct fact_claim *c) {
    json_t *o = json_object();
    if (c->flavor) json_object_set_new(o, "flavor", json_string(c->flavor));
    if (c->ask == ASK_UNITS) json_object_set_new(o, "units", json_integer(c->units.n));
    if (c->ask == ASK_COMPUTE) json_object_set_new(o, "compute_gflops", json_integer(c->compute.n));
    if (c->has_minimum && c->ask == ASK_UNITS)
        json_object_set_new(o, "minimum_units", json_integer(c->minimum_units.n));
    if (c->has_minimum && c->ask == ASK_COMPUTE)
        json_object_set_new(o, "minimum_gflops", json_integer(c->minimum_compute.n));
    json_object_set_new(o, "storage_bytes", json_integer(c->storage.n));
    if (c->datalake.n > 0) json_object_set_new(o, "datalake_bytes", json_integer(c->datalake.n));
    if (c->n_seats > 0) {
        json_t *seats = json_object();
        for (size_t i = 0; i < c->n_seats; i++)
            json_object_set_new(seats, c->seats[i].service, json_integer(c->seats[i].seats));
        json_object_set_new(o, "seats", seats);
    }
    return o;
}

static json_t *free_json(const struct fact_pool *p) {
    json_t *o = json_object(), *flavors = json_object();
    for (size_t i = 0; i < p->n_flavors; i++)
        json_object_set_new(flavors, p->flavors[i].name,
                            json_pack("{s:I, s:I}", "units", (json_int_t)p->flavors[i].capacity.n, "free",
                                      (json_int_t)p->flavors[i].free.n));
    json_object_set_new(o, "flavors", flavors);
    json_object_set_new(o, "storage_free_bytes", json_integer(p->storage_free.n));
    if (p->datalake_capacity.n > 0)
        json_object_set_new(o, "datalake_free_bytes", json_integer(p->datalake_free.n));
    if (p->n_services > 0) {
        json_t *services = json_object();
        for (size_t i = 0; i < p->n_services; i++)
            json_object_set_new(services, p->services[i].name,
                                json_pack("{s:I, s:I}", "seats", (json_int_t)p->services[i].seats, "free",
                                          (json_int_t)p->services[i].free));
        json_object_set_new(o, "services", services);
    }
    return o;
}

static void collect(const struct subject *s, json_t *o) {
    json_t *decisive = json_array(), *rules = json_array(), *en = json_array(), *ko = json_array(), *reason;
    size_t i;
    json_array_foreach(s->reasons, i, reason) {
        if (json_is_true(json_object_get(reason, "decisive")))
            json_array_append(decisive, json_object_get(reason, "code"));
        if (member(reason, "rule"))
            json_array_append_new(rules, json_pack("{s:O, s:O, s:O}", "rule", json_object_get(reason, "rule"),
                                                   "place", json_object_get(reason, "place"), "code",
                                                   json_object_get(reason, "code")));
        if (member(reason, "hint_en")) json_array_append(en, json_object_get(reason, "hint_en"));
        if (member(reason, "hint_ko")) json_array_append(ko, json_object_get(reason, "hint_ko"));
    }
    json_object_set_new(o, "decisive", decisive);
    json_object_set_new(o, "rules", rules);
    json_object_set_new(o, "would_change", json_pack("{s:o, s:o}", "en", en, "ko", ko));
}

/* As stored, but for the grant of somebody else. */
static void copy_sharing(const struct subject *s, enum explain_to to, json_t *o) {
    static const char *const keys[] = {"standing", "offer", "is_barrier"};
    json_t *earliest = json_object_get(s->decision, "earliest");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(s->decision, keys[i]))
            json_object_set(o, keys[i], json_object_get(s->decision, keys[i]));
    if (earliest) json_object_set_new(o, "earliest", json_copy(earliest));
    if (to != EXPLAIN_TO_OPERATOR) decision_hide_others(o);
}

json_t *explain_json(const json_t *decision, const struct facts *facts, enum explain_to to, struct err *e) {
    struct subject s;
    if (find(decision, facts, &s, e) < 0) return NULL;
    json_t *o = json_object(), *holds;
    const struct fact_tenant *t = s.tenant;
    holds =
        json_pack("{s:I, s:I, s:I, s:I}", "compute_gflops", (json_int_t)t->held_compute.n, "storage_bytes",
                  (json_int_t)t->held_storage.n, "organisation_gflops", (json_int_t)t->organisation_compute.n,
                  "organisation_bytes", (json_int_t)t->organisation_storage.n);
    json_object_set_new(o, "claim", json_string(s.claim->id));
    json_object_set_new(o, "tenant", json_string(t->name));
    json_object_set_new(o, "submitted", json_string(instant_text(s.claim->submitted).s));
    json_object_set_new(o, "decided", json_string(instant_text(facts->now).s));
    json_object_set_new(o, "asked", asked_json(s.claim));
    json_object_set_new(o, "held", holds);
    json_object_set_new(o, "free", free_json(&facts->pool));
    json_object_set(o, "outcome", json_object_get(decision, "outcome"));
    json_object_set(o, "limits", json_object_get(decision, "limits"));
    if (gives(&s)) {
        json_t *given = json_object();
        static const char *const keys[] = {"compute_gflops", "storage_bytes", "lines", "lease"};
        for (size_t i = 0; i < 4; i++) json_object_set(given, keys[i], json_object_get(decision, keys[i]));
        json_object_set_new(o, "granted", given);
    }
    if (json_object_get(decision, "position")) {
        json_object_set(o, "position", json_object_get(decision, "position"));
        json_object_set(o, "ahead_gflops", json_object_get(decision, "ahead_gflops"));
    }
    copy_sharing(&s, to, o);
    collect(&s, o);
    return o;
}
