/* SPDX-License-Identifier: Apache-2.0 */
/* What a tenant has and why, in sentences. */
#include "alloc/amount.h"
#include "alloc/clock.h"
#include "cmd/explain.h"

#include <string.h>

struct telling {
    const json_t *pool; /* one of explain_tenant_json() */
    bool korean;
    struct text *out;
};

/* A macro, so that formats are checked. */
#define choose(t, en, ko) ((t)->korean ? (ko) : (en))

static int64_t number(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

static const char *word(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static struct amount_text gflops_of(const json_t *o, const char *key) {
    return gflops_text(gflops(number(o, key)));
}

static struct amount_text bytes_of(const json_t *o, const char *key) {
    return bytes_text(bytes(number(o, key)));
}

/* The civil date of a stored time; "" when there is none. */
static struct instant_text date_of(const json_t *o, const char *key, bool is_end) {
    const char *at = word(o, key);
    struct err ignored = {0};
    instant_t t;
    if (!at || instant_parse(at, &t, &ignored) < 0) return (struct instant_text){""};
    return is_end ? end_text(t) : date_text(t);
}

/* ---- what it is ---- */

static void say_tier(const struct telling *t) {
    const json_t *s = json_object_get(t->pool, "standing");
    const char *tier = word(s, "tier"), *rule = word(s, "rule"), *place = word(s, "place");
    long long weight = number(s, "weight");
    if (!json_is_true(json_object_get(s, "eligible")))
        text_add(t->out, "%s", choose(t, "It is not eligible.\n", "지원 대상이 아닙니다.\n"));
    if (tier)
        text_add(t->out,
                 choose(t, "It is in tier %s by rule %s (%s), with weight %lld.\n",
                        "등급은 %s(규칙 %s, %s)이고 가중치는 %lld입니다.\n"),
                 tier, rule ? rule : "-", place ? place : "-", weight);
    else
        text_add(t->out, "%s", choose(t, "The policy has no tiers.\n", "정책에 등급이 없습니다.\n"));
    if (number(s, "guarantee_stated_gflops") > 0)
        text_add(t->out, choose(t, "It is guaranteed %s", "보장량은 %s"), gflops_of(s, "guarantee_gflops").s);
    if (number(s, "guarantee_stated_gflops") > number(s, "guarantee_gflops"))
        text_add(t->out,
                 choose(t, " (the policy states %s; the pool cannot keep all guarantees in full)",
                        "(정책상 %s이나 자원 풀이 모든 보장량을 채울 수 없음)"),
                 gflops_of(s, "guarantee_stated_gflops").s);
    if (number(s, "guarantee_stated_gflops") > 0) text_add(t->out, "%s", choose(t, ".\n", "입니다.\n"));
    if (number(s, "credits"))
        text_add(t->out, choose(t, "It has %lld TF-days of credits.\n", "크레딧은 %lld TF일입니다.\n"),
                 (long long)number(s, "credits"));
}

/* ---- what it holds ---- */

/* In tenths of a percent, rounded down. */
static void say_share(const struct telling *t, int64_t held, int64_t capacity) {
    if (capacity <= 0) return;
    long long tenths = (long long)((wide_t)held * 1000 / capacity);
    text_add(t->out, choose(t, ", %lld.%lld %% of the pool's compute", ", 자원 풀 연산의 %lld.%lld %%"),
             tenths / 10, tenths % 10);
}

static void say_held(const struct telling *t) {
    const json_t *held = json_object_get(t->pool, "held"), *limits = json_object_get(t->pool, "limits"),
                 *debt = json_object_get(t->pool, "debt");
    text_add(t->out, choose(t, "It holds %s", "연산 보유량은 %s"), gflops_of(held, "compute_gflops").s);
    if (number(held, "offered_gflops") > 0)
        text_add(t->out, choose(t, " (%s of it set aside for its offer)", "(그중 %s는 제안으로 확보)"),
                 gflops_of(held, "offered_gflops").s);
    if (json_object_get(limits, "compute_gflops"))
        text_add(t->out, choose(t, " of at most %s", "(한도 %s)"), gflops_of(limits, "compute_gflops").s);
    say_share(t, number(held, "compute_gflops"),
              number(json_object_get(t->pool, "standing"), "capacity_gflops"));
    text_add(t->out, choose(t, ", and storage of %s", ", 저장 공간은 %s"), bytes_of(held, "storage_bytes").s);
    if (json_object_get(limits, "storage_bytes"))
        text_add(t->out, choose(t, " of at most %s", "(한도 %s)"), bytes_of(limits, "storage_bytes").s);
    text_add(t->out, "%s", choose(t, ".\n", "입니다.\n"));
    int64_t beyond =
        number(held, "compute_gflops") - number(json_object_get(t->pool, "standing"), "guarantee_gflops");
    if (number(json_object_get(t->pool, "standing"), "guarantee_gflops") > 0 && beyond > 0)
        text_add(t->out,
                 choose(t, "%s of it is borrowed: beyond its guarantee, and may be asked back.\n",
                        "그중 %s는 보장량을 넘어 빌린 것으로, 회수될 수 있습니다.\n"),
                 gflops_text(gflops(beyond)).s);
    if (number(debt, "compute_gflops") > 0 || number(debt, "storage_bytes") > 0)
        text_add(
            t->out,
            choose(t, "That is %s and %s more than its ceilings allow: nothing new until it is given back.\n",
                   "한도를 %s, 저장 공간 %s만큼 넘었으므로 반납할 때까지 새로 배정되지 않습니다.\n"),
            gflops_of(debt, "compute_gflops").s, bytes_of(debt, "storage_bytes").s);
}

/* ---- what limits it ---- */

static void say_now(const struct telling *t) {
    const json_t *now = json_object_get(t->pool, "now"), *reason;
    size_t i, said = 0;
    if (!now) {
        text_add(t->out, "%s",
                 choose(t, "No policy is valid for this pool now.\n", "지금 유효한 정책이 없습니다.\n"));
        return;
    }
    if (number(now, "compute_gflops"))
        text_add(t->out,
                 choose(t, "If nobody waited before it, one more request would get up to %s now.",
                        "앞선 대기가 없다면 지금 추가로 %s까지 받을 수 있습니다."),
                 gflops_of(now, "compute_gflops").s);
    else
        text_add(t->out, "%s",
                 choose(t, "One more request for compute would get nothing now.",
                        "지금은 연산을 추가로 받을 수 없습니다."));
    json_array_foreach(json_object_get(now, "reasons"), i, reason) {
        const char *code = word(reason, "code"), *text = word(reason, t->korean ? "ko" : "en");
        if (!code || !text || strcmp(code, "PASSED") == 0 || said == 3) continue;
        text_add(t->out, "%s%s", said++ ? "; " : choose(t, " What limits it: ", " 제한하는 것: "), text);
    }
    text_add(t->out, "%s\n", said ? "." : "");
}

/* ---- what waits and what comes ---- */

static void say_offer(const struct telling *t, const json_t *row) {
    const json_t *offer = json_object_get(row, "offer");
    if (!json_is_object(offer)) return;
    text_add(t->out,
             choose(t, " %s is kept for it until %s: request accept %s.",
                    " %s를 %s까지 확보해 두었습니다: request accept %s."),
             gflops_of(offer, "compute_gflops").s, date_of(offer, "until", true).s, word(row, "request"));
}

static void say_request(const struct telling *t, const json_t *row) {
    const json_t *reason = json_array_get(json_object_get(row, "reasons"), 0);
    const char *why = word(reason, t->korean ? "ko" : "en"), *grant = word(row, "earliest_grant");
    text_add(t->out, choose(t, "%s is %s", "%s: %s"), word(row, "request"), word(row, "state"));
    if (number(row, "position"))
        text_add(t->out,
                 choose(t, ", at place %lld: %lld before it, which ask for %s",
                        ", 순번 %lld, 앞선 신청 %lld건 %s"),
                 (long long)number(row, "position"), (long long)number(row, "ahead_requests"),
                 gflops_of(row, "ahead_gflops").s);
    text_add(t->out, ".%s%s%s", why ? " " : "", why ? why : "", why ? "." : "");
    if (word(row, "earliest")) {
        const char *notice = word(row, "earliest_notice"), *by = notice ? notice : grant;
        text_add(t->out,
                 choose(t, " All of it fits on %s at the earliest%s%s%s.", " 가장 이른 날은 %s입니다%s%s%s."),
                 date_of(row, "earliest", false).s,
                 notice  ? choose(t, ", when notice ", "(통지 ")
                 : grant ? choose(t, ", when the lease of ", "(")
                         : "",
                 by ? by : "",
                 notice  ? choose(t, " takes effect", " 시행 시)")
                 : grant ? choose(t, " ends", " 종료 시)")
                         : "");
    }
    say_offer(t, row);
    text_add(t->out, "\n");
}

static void say_coming(const struct telling *t) {
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(t->pool, "waiting"), i, row) say_request(t, row);
    json_array_foreach(json_object_get(t->pool, "notices"), i, row) {
        const char *why = word(json_object_get(row, "evidence"), t->korean ? "ko" : "en");
        text_add(t->out, choose(t, "Notice %s, from %s: %s.\n", "회수 통지 %s, 시행일 %s: %s.\n"),
                 word(row, "notice"), date_of(row, "effect", false).s, why ? why : word(row, "cause"));
    }
    json_array_foreach(json_object_get(t->pool, "agreements"), i, row) text_add(
        t->out, choose(t, "%s waits for its agreement to be signed.\n", "%s은(는) 협약 체결을 기다립니다.\n"),
        word(row, "grant"));
}

void explain_tenant_text(const json_t *tenant, bool korean, struct text *out) {
    size_t i;
    const json_t *pool;
    json_array_foreach(json_object_get(tenant, "pools"), i, pool) {
        struct telling t = {pool, korean, out};
        const char *policy = word(pool, "policy");
        text_add(out, choose(&t, "%s%s in pool %s (%s), by policy %s:\n", "%s%s, 자원 풀 %s(%s), 정책 %s:\n"),
                 i ? "\n" : "", word(tenant, "tenant"), word(pool, "pool"), word(pool, "basis"),
                 policy ? policy : "-");
        if (policy) say_tier(&t);
        say_held(&t);
        say_now(&t);
        say_coming(&t);
    }
}
