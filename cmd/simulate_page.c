/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that an official reads: what was asked, given and waited, by tier; who got how much; what a
 * year looked like. One file, no script, nothing from elsewhere. Every number of the measures carries
 * its path and value (data-metric, data-value), so that a test can compare the page with metrics.json.
 */
#include "cmd/simulate_page.h"

#include "alloc/scope.h"
#include "cmd/chart.h"
#include "policies/measure.h"

#include <stdlib.h>
#include <string.h>

static void tile(struct page *p, const char *prefix, const json_t *o, const char *key, enum shown as,
                 const char *title) {
    page_put(p, "<div class=\"tile\"><b>");
    page_member(p, prefix, o, key, as);
    page_put(p, "</b><span>");
    html_put(&p->out, title);
    page_put(p, "</span></div>\n");
}

static void head(struct page *p) {
    const json_t *m = p->a->measures;
    text_add(&p->out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"/>\n",
             p->korean ? "ko" : "en");
    page_put(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    html_put(&p->out, page_say(p, "Simulated allocation", "배정 모의 실행"));
    page_put(p, ": ");
    html_put(&p->out, json_string_value(json_object_get(m, "policy")));
    text_add(&p->out, "</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>", page_style);
    html_put(&p->out, page_say(p, "What this policy would have done", "이 정책으로 배정했다면"));
    page_put(p, "</h1>\n<p class=\"lead\">");
    const struct sim *s = &p->a->sim;
    instant_t last = instant(s->options.until.s - 1);
    html_put(&p->out, json_string_value(json_object_get(m, "policy")));
    text_add(&p->out, page_say(p, " version %lld, ", " %lld판, "),
             json_integer_value(json_object_get(m, "version")));
    text_add(&p->out, page_say(p, "%s to %s: ", "%s부터 %s까지 "), date_text(s->begin).s, date_text(last).s);
    page_member(p, "", m, "tenants", SHOWN_COUNT);
    page_put(p, page_say(p, " companies, ", "개 기업, 신청 "));
    page_member(p, "", m, "requests", SHOWN_COUNT);
    page_put(p, page_say(p, " requests, a pool of ", "건, 자원 풀 "));
    page_member(p, "", m, "capacity_gflops", SHOWN_COMPUTE);
    page_put(p, ".</p>\n");
}

static void tiles(struct page *p) {
    const json_t *m = p->a->measures, *o = json_object_get(m, "outcomes");
    page_put(p, "<div class=\"tiles\">\n");
    tile(p, "outcomes", o, "granted", SHOWN_COUNT, page_say(p, "granted in full", "전량 배정"));
    tile(p, "outcomes", o, "partial", SHOWN_COUNT, page_say(p, "granted in part", "일부 배정"));
    tile(p, "outcomes", o, "waiting", SHOWN_COUNT, page_say(p, "still waiting at the end", "종료 시점 대기"));
    tile(p, "outcomes", o, "held", SHOWN_COUNT,
         page_say(p, "before a person at the end", "종료 시점 담당자 검토 중"));
    tile(p, "outcomes", o, "denied", SHOWN_COUNT, page_say(p, "denied", "거절"));
    tile(p, "", m, "utilisation", SHOWN_RATIO,
         page_say(p, "of the pool was granted", "자원 풀 중 배정된 비율"));
    if (!json_is_null(json_object_get(m, "used_of_granted")))
        tile(p, "", m, "used_of_granted", SHOWN_RATIO,
             page_say(p, "of what was granted was used", "배정된 자원 중 사용된 비율"));
    tile(p, "", m, "max_min_share", SHOWN_RATIO,
         page_say(p, "of its fair part: the least served company",
                  "가장 적게 받은 기업의 공정한 몫 대비 비율"));
    tile(p, "outcomes", o, "reserve", SHOWN_COUNT,
         page_say(p, "on the reserve list of a call", "공모 예비 명단"));
    tile(p, "", m, "tenant_days_below_guarantee", SHOWN_COUNT,
         page_say(p, "days on which a company held less than its guarantee and wanted more",
                  "기업이 보장량보다 적게 보유하고 더 원한 날의 합계"));
    page_put(p, "</div>\n");
}

/* ---- the year ---- */

static int64_t *series(const struct sim *s, size_t offset) {
    int64_t *values = mem_alloc((s->n_days + 1) * sizeof *values);
    for (size_t i = 0; i < s->n_days; i++)
        memcpy(&values[i], (const char *)&s->days[i] + offset, sizeof *values);
    return values;
}

#define SERIES(s, field) series((s), offsetof(struct sim_day, field))

static void year(struct page *p) {
    const struct sim *s = &p->a->sim;
    scoped_free int64_t *held = SERIES(s, held), *demand = SERIES(s, demand), *capacity = SERIES(s, capacity),
                        *waiting = SERIES(s, waiting), *jain = SERIES(s, jain);
    struct chart c = {.n_days = s->n_days, .first_day = s->n_days ? s->days[0].day : 0};
    page_heading(p, "What was asked and what was given", "신청량과 배정량");
    page_sentence(
        p, "note",
        "Demand is what companies held and waited for, each at most its ceiling. Where it lies above "
        "the pool, "
        "somebody had to wait.",
        "수요는 기업이 보유한 양과 대기 중인 양의 합이며 기업별 한도까지만 셉니다. 수요가 자원 풀보다 "
        "크면 누군가는 "
        "기다려야 합니다.");
    struct chart_line first[] = {{page_say(p, "granted", "배정"), "held", held, true},
                                 {page_say(p, "demand", "수요"), "demand", demand, false},
                                 {page_say(p, "pool", "자원 풀"), "capacity", capacity, false}};
    c.title =
        page_say(p, "Granted compute, demand and the pool, day by day", "일별 배정 연산, 수요, 자원 풀");
    c.lines = first;
    c.n_lines = 3;
    c.label = page_compute;
    chart_draw(&c, &p->out);
    page_heading(p, "Who waited", "대기");
    page_sentence(p, "note", "Requests in the queue at the beginning of each day.",
                  "매일 0시 기준 대기 중인 신청 건수입니다.");
    struct chart_line second = {page_say(p, "waiting", "대기"), "waiting", waiting, true};
    c.title = page_say(p, "Requests that wait, day by day", "일별 대기 신청 건수");
    c.lines = &second;
    c.n_lines = 1;
    c.least_top = 4;
    c.label = page_number;
    chart_draw(&c, &p->out);
    page_heading(p, "How even it was", "배분의 고른 정도");
    page_sentence(
        p, "note",
        "Jain's index of held / demand: 100% when every company has the same part of what it wants, one "
        "in n when "
        "one of n companies has everything.",
        "수요 대비 보유 비율의 제인 지수입니다. 모든 기업이 원하는 양의 같은 비율을 가지면 100%, n개 "
        "기업 중 한 곳이 "
        "모두 가지면 n분의 1입니다.");
    struct chart_line third = {page_say(p, "evenness", "고른 정도"), "even", jain, false};
    c.title = page_say(p, "Jain's index, day by day", "일별 제인 지수");
    c.lines = &third;
    c.least_top = 1000000;
    c.label = page_percent;
    chart_draw(&c, &p->out);
}

/* ---- tiers ---- */

static void cell_begin(struct page *p, bool words) { page_put(p, words ? "<td class=\"words\">" : "<td>"); }

static void tier_row(struct page *p, size_t i, const json_t *w) {
    char prefix[32];
    const char *tier = json_string_value(json_object_get(w, "tier"));
    bool all = strcmp(tier, "all") == 0;
    int64_t asked = json_integer_value(json_object_get(w, "asked_gflops")),
            given = json_integer_value(json_object_get(w, "granted_gflops"));
    text_format(prefix, sizeof prefix, "waits[%zu]", i);
    page_put(p, all ? "<tr class=\"all\"><td>" : "<tr><td>");
    html_put(&p->out, all ? page_say(p, "all", "전체") : tier);
    page_put(p, "</td>");
    static const struct {
        const char *key;
        enum shown as;
    } cells[] = {{"requests", SHOWN_COUNT},         {"granted", SHOWN_COUNT},
                 {"still_waiting", SHOWN_COUNT},    {"asked_gflops", SHOWN_COMPUTE},
                 {"granted_gflops", SHOWN_COMPUTE}, {"p50_seconds", SHOWN_DAYS},
                 {"p90_seconds", SHOWN_DAYS},       {"max_seconds", SHOWN_DAYS}};
    for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
        cell_begin(p, false);
        page_member(p, prefix, w, cells[k].key, cells[k].as);
        if (k == 4 && asked > 0)
            text_add(&p->out, "<span class=\"bar\"><i style=\"width:%lld%%\"></i></span>",
                     (long long)(given * 100 / asked));
        page_put(p, "</td>");
    }
    page_put(p, "</tr>\n");
}

static void tiers(struct page *p) {
    static const char *const titles[] = {"Tier",
                                         "등급",
                                         "Requests",
                                         "신청",
                                         "Granted",
                                         "배정",
                                         "Waiting",
                                         "대기 중",
                                         "Asked",
                                         "신청량",
                                         "Given",
                                         "배정량",
                                         "Half waited at most",
                                         "절반이 기다린 기간",
                                         "Nine in ten",
                                         "열에 아홉",
                                         "Longest",
                                         "최장",
                                         NULL};
    size_t i;
    json_t *w;
    page_heading(p, "By tier: asked, given, waited", "등급별 신청, 배정, 대기");
    page_sentence(p, "note",
                  "Asked and given count every request, those denied too. The waits are of those that were "
                  "granted, from "
                  "the request, or from the award of the call, to the grant.",
                  "신청량과 배정량은 거절된 신청을 포함한 모든 신청을 셉니다. 대기 기간은 배정된 신청의 "
                  "접수(공모는 선정)부터 "
                  "배정까지입니다.");
    page_table(p, titles);
    json_array_foreach(json_object_get(p->a->measures, "waits"), i, w) tier_row(p, i, w);
    page_table_end(p);
}

/* ---- companies ---- */

enum { BUCKETS = 10 };

struct company {
    size_t tenant;
    wide_t held, entitled;
};

static int by_held(const void *a, const void *b) {
    const struct company *x = a, *y = b;
    if (x->held != y->held) return x->held > y->held ? -1 : 1;
    return (x->tenant > y->tenant) - (x->tenant < y->tenant);
}

static void company_row(struct page *p, const struct company *c, wide_t most) {
    const struct sim *s = &p->a->sim;
    const struct sim_tenant *t = &s->tenants[c->tenant];
    int64_t n = s->n_days ? (int64_t)s->n_days : 1;
    page_put(p, "<tr><td>");
    html_put(&p->out, s->facts[c->tenant].name);
    page_put(p, "</td>");
    cell_begin(p, true);
    if (t->tier) html_put(&p->out, s->tiers[t->tier].name);
    page_put(p, "</td><td>");
    page_compute((int64_t)(c->held / n), &p->out);
    page_put(p, "</td><td>");
    page_compute((int64_t)(c->entitled / n), &p->out);
    text_add(&p->out, "</td><td><span class=\"bar\"><i style=\"width:%lld%%\"></i></span></td><td>",
             (long long)(most ? c->held * 100 / most : 0));
    page_number(t->below_days, &p->out);
    page_put(p, "</td></tr>\n");
}

/* How many companies had which part of their fair share. */
static void spread(struct page *p, const struct company *of, size_t n) {
    size_t counts[BUCKETS + 1] = {0}, most = 1;
    for (size_t i = 0; i < n; i++) {
        wide_t part = of[i].entitled > 0 ? of[i].held * BUCKETS / of[i].entitled : BUCKETS;
        counts[part < BUCKETS ? (size_t)part : BUCKETS]++;
    }
    for (size_t k = 0; k <= BUCKETS; k++) most = counts[k] > most ? counts[k] : most;
    static const char *const titles[] = {
        "Of its fair part", "공정한 몫 대비", "Companies", "기업", "", "", NULL};
    page_table(p, titles);
    for (size_t k = 0; k <= BUCKETS; k++) {
        if (counts[k] == 0) continue;
        if (k < BUCKETS)
            text_add(&p->out, "<tr><td>%zu%%-%zu%%", k * 10, k * 10 + 10);
        else
            text_add(&p->out, "<tr><td>%s", page_say(p, "100% or more", "100% 이상"));
        text_add(&p->out,
                 "</td><td>%zu</td><td><span class=\"bar\"><i style=\"width:%zu%%\"></i></span></td></tr>\n",
                 counts[k], counts[k] * 100 / most);
    }
    page_table_end(p);
}

static void companies(struct page *p) {
    const struct sim *s = &p->a->sim;
    static const char *const titles[] = {
        "Company",   "기업",      "<Tier", "등급", "Held on average",          "평균 보유",
        "Fair part", "공정한 몫", "",      "",     "Days below its guarantee", "보장 미달 일수",
        NULL};
    scoped_free struct company *of = mem_alloc((s->n_tenants + 1) * sizeof *of);
    size_t n = 0;
    for (size_t i = 0; i < s->n_tenants; i++)
        if (s->tenants[i].entitled_days > 0)
            of[n++] = (struct company){i, s->tenants[i].held_days, s->tenants[i].entitled_days};
    if (n) qsort(of, n, sizeof *of, by_held);
    page_heading(p, "Who got how much", "누가 얼마나 받았는가");
    page_sentence(
        p, "note",
        "The fair part of a company is what it would have had on average were compute divisible and "
        "shared anew "
        "every day by weight, never more than it wanted.",
        "공정한 몫은 연산 자원을 매일 가중치에 따라 다시 나눌 수 있다고 할 때 평균적으로 받았을 양이며, "
        "원한 양을 "
        "넘지 않습니다.");
    spread(p, of, n);
    page_table(p, titles);
    wide_t most = n ? of[0].held : 0;
    for (size_t i = 0; i < n; i++)
        if (n <= 2 * LISTED || i < LISTED || i >= n - LISTED) company_row(p, &of[i], most);
    page_table_end(p);
    if (n > 2 * LISTED)
        text_add(
            &p->out,
            page_say(
                p, "<p class=\"note\">The %d that held most and the %d that held least, of %zu.</p>\n",
                "<p class=\"note\">가장 많이 보유한 %d곳과 가장 적게 보유한 %d곳입니다 (전체 %zu곳).</p>\n"),
            LISTED, LISTED, n);
}

char *simulate_page(const struct simulated *a, const struct simulated *b, bool korean) {
    struct page p = {.a = a, .b = b, .korean = korean};
    head(&p);
    tiles(&p);
    year(&p);
    tiers(&p);
    companies(&p);
    page_reasons(&p);
    page_reclaims(&p);
    page_calls(&p);
    page_offers(&p);
    page_rules(&p);
    page_compare(&p);
    page_sentence(
        &p, "note",
        "This is a simulation: it says what these rules would have done with these requests, not what "
        "will be "
        "granted. Nothing was reserved.",
        "이 결과는 모의 실행입니다. 이 규칙이 이 신청들을 어떻게 처리했을지를 보일 뿐, 앞으로의 배정을 "
        "약속하지 않으며 예약된 "
        "자원은 없습니다.");
    page_put(&p, "</main></body></html>\n");
    return text_take(&p.out);
}
