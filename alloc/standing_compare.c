/* SPDX-License-Identifier: Apache-2.0 */
/* Where a tenant stands in each pool, and which of two the next step would go to. */
#include "alloc/amount.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/text.h"

#include <string.h>

json_t *standing_shares(struct store *s, int64_t tenant, struct err *e) {
    return sql_json(s, e,
                    "SELECT p.name AS pool, s.tier, s.rule, s.weight, s.guarantee_gflops, s.eligible AS "
                    "\"eligible@bool\", "
                    "coalesce(c.compute_gflops, 0) + coalesce(o.compute_gflops, 0) AS held_gflops, "
                    "c.compute_limit_gflops AS "
                    "limit_gflops, coalesce(o.compute_gflops, 0) AS offered_gflops, coalesce(k.credits, 0) "
                    "AS credits, (SELECT "
                    "count(*) FROM request r WHERE r.tenant = s.tenant AND r.pool = s.pool AND r.state = "
                    "'queued') AS waiting FROM "
                    "standing s JOIN pool p ON p.id = s.pool LEFT JOIN ceiling c ON c.pool = s.pool AND "
                    "c.scope = 'tenant' AND "
                    "c.owner = s.tenant LEFT JOIN offer o ON o.pool = s.pool AND o.tenant = s.tenant LEFT "
                    "JOIN credit k ON k.pool = "
                    "s.pool AND k.tenant = s.tenant WHERE s.tenant = $1 ORDER BY p.name",
                    "i", tenant);
}

static int64_t number(const json_t *row, const char *key) {
    return json_integer_value(json_object_get(row, key));
}

static const char *word(const json_t *row, const char *key) {
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "-";
}

void standing_sentence(const char *name, const json_t *row, bool korean, struct text *out) {
    struct amount_text held = gflops_text(gflops(number(row, "held_gflops"))),
                       guarantee = gflops_text(gflops(number(row, "guarantee_gflops"))),
                       limit = gflops_text(gflops(number(row, "limit_gflops")));
    bool is_limited = json_is_integer(json_object_get(row, "limit_gflops"));
    long long weight = number(row, "weight"), credits = number(row, "credits"),
              waiting = number(row, "waiting");
    if (korean)
        text_add(out,
                 "%s, 자원 풀 %s: 등급 %s(%s), 가중치 %lld, 보장 %s, 보유 %s%s%s%s, 대기 %lld건, 크레딧 %lld "
                 "TF일.\n",
                 name, word(row, "pool"), word(row, "tier"), word(row, "rule"), weight, guarantee.s, held.s,
                 is_limited ? "(한도 " : "", is_limited ? limit.s : "", is_limited ? ")" : "", waiting,
                 credits);
    else
        text_add(out,
                 "%s in pool %s: tier %s (%s), weight %lld, guarantee %s; holds %s%s%s; %lld waiting; "
                 "credits %lld "
                 "TF-days.\n",
                 name, word(row, "pool"), word(row, "tier"), word(row, "rule"), weight, guarantee.s, held.s,
                 is_limited ? " of at most " : "", is_limited ? limit.s : "", waiting, credits);
}

/* Below its guarantee first, then the lower share by weight, then more credits: as the queue does. */
static int order(const json_t *a, const json_t *b) {
    bool short_a = number(a, "held_gflops") < number(a, "guarantee_gflops"),
         short_b = number(b, "held_gflops") < number(b, "guarantee_gflops");
    if (short_a != short_b) return short_a ? -1 : 1;
    wide_t x = (wide_t)number(a, "held_gflops") * number(b, "weight"),
           y = (wide_t)number(b, "held_gflops") * number(a, "weight");
    if (x != y) return x < y ? -1 : 1;
    int64_t c = number(a, "credits"), d = number(b, "credits");
    return c == d ? 0 : c > d ? -1 : 1;
}

static bool is_eligible(const json_t *row) { return json_is_true(json_object_get(row, "eligible")); }
static bool is_out(const json_t *row) { return !is_eligible(row) || json_object_get(row, "stopped"); }

static const char *why_out(const json_t *row, bool korean) {
    if (!is_eligible(row)) return korean ? "자격 요건에 맞지 않습니다" : "it is not eligible";
    return word(json_object_get(row, "stopped"), korean ? "ko" : "en");
}

/* Whom a ceiling, a suspension or an unknown tier stops gets no step either. */
static bool stopped_out(const char *a, const json_t *x, const char *b, const json_t *y, bool korean,
                        struct text *out) {
    const char *pool = word(x, "pool"), *one = is_out(x) ? a : b, *other = is_out(x) ? b : a;
    const json_t *row = is_out(x) ? x : y;
    if (!is_out(x) && !is_out(y)) return false;
    if (is_out(x) && is_out(y) && korean)
        text_add(out, "%s: 둘 다 더 받을 수 없습니다. %s: %s. %s: %s.\n", pool, a, why_out(x, true), b,
                 why_out(y, true));
    else if (is_out(x) && is_out(y))
        text_add(out, "%s: no step goes to either: of %s, %s; of %s, %s.\n", pool, a, why_out(x, false), b,
                 why_out(y, false));
    else if (korean)
        text_add(out, "%s: 다음 자원은 %s에 배정됩니다. %s: %s.\n", pool, other, one, why_out(row, true));
    else
        text_add(out, "%s: the next step goes to %s; none to %s: %s.\n", pool, other, one,
                 why_out(row, false));
    return true;
}

/* Whoever a deny rule shuts out gets no step, however little it holds. */
static bool shut_out(const char *a, const json_t *x, const char *b, const json_t *y, bool korean,
                     struct text *out) {
    const char *pool = word(x, "pool"), *one = is_eligible(x) ? b : a, *other = is_eligible(x) ? a : b;
    if (json_object_get(x, "stopped") || json_object_get(y, "stopped"))
        return stopped_out(a, x, b, y, korean, out);
    if (is_eligible(x) && is_eligible(y)) return false;
    if (!is_eligible(x) && !is_eligible(y) && korean)
        text_add(out, "%s: %s와(과) %s 모두 자격 요건에 맞지 않아 배정받을 수 없습니다.\n", pool, a, b);
    else if (!is_eligible(x) && !is_eligible(y))
        text_add(out, "%s: neither %s nor %s is eligible: no step goes to them.\n", pool, a, b);
    else if (korean)
        text_add(out, "%s: %s은(는) 자격 요건에 맞지 않으므로 다음 자원은 %s에 배정됩니다.\n", pool, one,
                 other);
    else
        text_add(out, "%s: the next step goes to %s: %s is not eligible.\n", pool, other, one);
    return true;
}

void standing_compare(const char *a, const json_t *x, const char *b, const json_t *y, bool korean,
                      struct text *out) {
    if (shut_out(a, x, b, y, korean, out)) return;
    int who = order(x, y);
    const char *first = who <= 0 ? a : b, *second = who <= 0 ? b : a;
    const json_t *f = who <= 0 ? x : y, *g = who <= 0 ? y : x;
    struct amount_text held = gflops_text(gflops(number(f, "held_gflops"))),
                       other = gflops_text(gflops(number(g, "held_gflops")));
    long long weight = number(f, "weight"), beside = number(g, "weight");
    if (who == 0 && korean)
        text_add(out, "%s: %s와(과) %s의 조건이 같아 먼저 접수된 신청이 우선합니다.\n", word(x, "pool"), a,
                 b);
    else if (who == 0)
        text_add(out, "%s: %s and %s stand alike; the earlier request goes first.\n", word(x, "pool"), a, b);
    else if (korean)
        text_add(
            out,
            "%s: 다음 자원은 %s에 먼저 배정됩니다. %s은(는) 가중치 %lld로 %s, %s은(는) 가중치 %lld로 %s를 "
            "보유합니다.\n",
            word(x, "pool"), first, first, weight, held.s, second, beside, other.s);
    else
        text_add(out,
                 "%s: the next step goes to %s, which holds %s at weight %lld, before %s, which holds %s at "
                 "weight "
                 "%lld.\n",
                 word(x, "pool"), first, held.s, weight, second, other.s, beside);
}
