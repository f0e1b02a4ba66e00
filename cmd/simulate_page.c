/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that an official reads: what was asked, given and waited, by tier; who got how much; what a
 * year looked like. One file, no script, nothing from elsewhere. Every number of the measures carries
 * its path and value (data-metric, data-value), so that a test can compare the page with metrics.json.
 */
#include "cmd/simulate.h"

#include "alloc/scope.h"
#include "cmd/chart.h"
#include "policies/measure.h"

#include <stdlib.h>
#include <string.h>

struct page {
    struct text out;
    const struct simulated *a, *b;
    bool korean;
};

static const char *say(const struct page *p, const char *en, const char *ko) { return p->korean ? ko : en; }

static void put(struct page *p, const char *text) { text_add(&p->out, "%s", text); }

static const char style[] =
    ":root{--paper:#fbfaf7;--ink:#1d2126;--soft:#5f6771;--rule:#d8d6cf;--card:#fff;--held:#2f6f9f;--demand:#"
    "c2703d;"
    "--capacity:#6b7280;--waiting:#a8455b;--even:#3f7d5c}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e7e6e1;--soft:#a0a7b0;--rule:#353b43;"
    "--card:#1c2127;--held:#6fb1de;--demand:#e39a68;--capacity:#9aa3ae;--waiting:#e0879a;--even:#7cc39e}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 \"Noto "
    "Sans KR\","
    "\"Noto Sans CJK KR\",\"Apple SD Gothic Neo\",\"Malgun Gothic\",system-ui,sans-serif;"
    "word-break:keep-all;overflow-wrap:anywhere}\n"
    "main{max-width:54rem;margin:0 auto;padding:2.5rem 1.25rem "
    "4rem}h1{font-size:1.75rem;line-height:1.2;margin:0 0 .4rem;"
    "text-wrap:balance}h2{font-size:1.15rem;margin:2.6rem 0 .4rem;padding-top:.9rem;border-top:1px solid "
    "var(--rule)}\n"
    "p{margin:.4rem 0 "
    ".8rem;max-width:44rem}.lead,.note,caption,.legend{color:var(--soft)}.note{font-size:.9rem}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.4rem "
    "0}"
    ".tile{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:.7rem .9rem}"
    ".tile b{display:block;font-size:1.5rem;line-height:1.25;font-variant-numeric:tabular-nums}"
    ".tile>span{font-size:.85rem;color:var(--soft)}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:"
    "tabular-nums}"
    "th,td{padding:.38rem .6rem;text-align:right;border-bottom:1px solid var(--rule);vertical-align:top}"
    "th:first-child,td:first-child,.words{text-align:left!important;padding-left:0}th{font-weight:600;color:"
    "var(--soft);"
    "font-size:.85rem}tbody tr.all td{font-weight:600}\n"
    ".bar{display:block;width:7rem;height:.7rem;background:var(--rule);border-radius:2px;margin-top:.4rem}"
    ".bar i{display:block;height:100%;background:var(--held);border-radius:2px}\n"
    "svg{display:block;width:100%;height:auto}.grid{stroke:var(--rule);stroke-width:1}.axis{fill:var(--soft);"
    "font-size:12px}"
    ".line{fill:none;stroke-width:1.8;stroke-linejoin:round}.area{stroke:none;opacity:.22}"
    ".line.held{stroke:var(--held)}.area.held,.key.held{fill:var(--held);background:var(--held)}"
    ".line.demand{stroke:var(--demand)}.key.demand{background:var(--demand)}"
    ".line.capacity{stroke:var(--capacity);stroke-dasharray:5 4}.key.capacity{background:var(--capacity)}"
    ".line.waiting{stroke:var(--waiting)}.area.waiting,.key.waiting{fill:var(--waiting);background:var(--"
    "waiting)}"
    ".line.even{stroke:var(--even)}.key.even{background:var(--even)}\n"
    ".legend{font-size:.88rem;margin:.3rem 0}.key{display:inline-block;width:.9rem;height:.28rem;margin:0 "
    ".35rem .22rem .8rem;"
    "border-radius:1px}.legend .key:first-child{margin-left:0}\n"
    "@media "
    "print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#bbb;--card:#fff;--held:#2f6f9f;--demand:#c2703d;"
    "--capacity:#6b7280;--waiting:#a8455b;--even:#3f7d5c}body{font-size:11pt}main{padding:0;max-width:none}"
    "h2{break-after:"
    "avoid}svg,table,.tiles{break-inside:avoid}.area{print-color-adjust:exact}}\n";

/* ---- numbers ---- */

static void number(int64_t n, struct text *out) {
    char digits[32], grouped[48];
    size_t k = 0;
    text_format(digits, sizeof digits, "%lld", (long long)n);
    for (size_t i = 0, length = strlen(digits); i < length; i++) {
        if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0) grouped[k++] = ',';
        grouped[k++] = digits[i];
    }
    grouped[k] = '\0';
    text_add(out, "%s", grouped);
}

/* GFLOPS as TF or PF with one decimal. */
static void compute(int64_t gf, struct text *out) {
    int64_t unit = gf >= 1000000 ? 1000000 : 1000, tenths = (gf * 10 + unit / 2) / unit;
    number(tenths / 10, out);
    if (tenths % 10) text_add(out, ".%lld", (long long)(tenths % 10));
    text_add(out, unit == 1000 ? " TF" : " PF");
}

static void percent(int64_t millionths, struct text *out) {
    text_add(out, "%lld%%", (long long)((millionths + 5000) / 10000));
}

static void days(const struct page *p, int64_t seconds, struct text *out) {
    int64_t tenths = (seconds * 10 + CLOCK_DAY / 2) / CLOCK_DAY;
    number(tenths / 10, out);
    if (tenths < 100 && tenths % 10) text_add(out, ".%lld", (long long)(tenths % 10));
    text_add(out, "%s", p->korean ? "일" : tenths == 10 ? " day" : " days");
}

enum shown { SHOWN_COUNT, SHOWN_COMPUTE, SHOWN_DAYS, SHOWN_TEXT, SHOWN_WHY, SHOWN_RATIO };

/* "0.9312" as 93.1%. */
static void ratio(const char *text, struct text *out) {
    const char *dot = strchr(text, '.');
    long long whole = strtoll(text, NULL, 10), part = dot ? strtoll(dot + 1, NULL, 10) : 0;
    long long tenths = (whole * 10000 + part + 5) / 10;
    text_add(out, "%lld.%lld%%", tenths / 10, tenths % 10);
}

/* A number of the measures at `path`, with its path and value for whoever compares. */
static void metric(struct page *p, const char *path, const json_t *value, enum shown as) {
    scoped_free char *raw =
        json_is_string(value) ? mem_copy(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
    text_add(&p->out, "<span data-metric=\"");
    html_put(&p->out, path);
    text_add(&p->out, "\" data-value=\"");
    html_put(&p->out, raw ? raw : "");
    text_add(&p->out, "\">");
    switch (as) {
    case SHOWN_COUNT: number(json_integer_value(value), &p->out); break;
    case SHOWN_COMPUTE: compute(json_integer_value(value), &p->out); break;
    case SHOWN_DAYS: days(p, json_integer_value(value), &p->out); break;
    case SHOWN_TEXT: html_put(&p->out, raw ? raw : ""); break;
    case SHOWN_WHY: /* codes are the same in both languages, a person's word is not */
        html_put(&p->out,
                 raw && strcmp(raw, MEASURE_REFUSED) != 0 ? raw : say(p, MEASURE_REFUSED, "담당자가 거절"));
        break;
    case SHOWN_RATIO: ratio(raw ? raw : "0", &p->out); break;
    }
    put(p, "</span>");
}

static void member(struct page *p, const char *prefix, const json_t *object, const char *key, enum shown as) {
    char path[160];
    text_format(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key);
    metric(p, path, json_object_get(object, key), as);
}

/* ---- parts ---- */

static void tile(struct page *p, const char *prefix, const json_t *o, const char *key, enum shown as,
                 const char *title) {
    put(p, "<div class=\"tile\"><b>");
    member(p, prefix, o, key, as);
    put(p, "</b><span>");
    html_put(&p->out, title);
    put(p, "</span></div>\n");
}

static void heading(struct page *p, const char *en, const char *ko) {
    put(p, "<h2>");
    html_put(&p->out, say(p, en, ko));
    put(p, "</h2>\n");
}

static void sentence(struct page *p, const char *class, const char *en, const char *ko) {
    text_add(&p->out, "<p class=\"%s\">", class);
    html_put(&p->out, say(p, en, ko));
    put(p, "</p>\n");
}

static void table_begin(struct page *p, const char *const titles[]) {
    put(p, "<div class=\"wide\"><table><thead><tr>");
    for (; *titles; titles += 2) {
        bool is_words = titles[0][0] == '<'; /* a column of words stands to the left */
        put(p, is_words ? "<th class=\"words\">" : "<th>");
        html_put(&p->out, say(p, titles[0] + is_words, titles[1]));
        put(p, "</th>");
    }
    put(p, "</tr></thead><tbody>\n");
}

static void table_end(struct page *p) { put(p, "</tbody></table></div>\n"); }

static void head(struct page *p) {
    const json_t *m = p->a->measures;
    text_add(&p->out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"/>\n",
             p->korean ? "ko" : "en");
    put(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    html_put(&p->out, say(p, "Simulated allocation", "배정 모의 실행"));
    put(p, ": ");
    html_put(&p->out, json_string_value(json_object_get(m, "policy")));
    text_add(&p->out, "</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>", style);
    html_put(&p->out, say(p, "What this policy would have done", "이 정책으로 배정했다면"));
    put(p, "</h1>\n<p class=\"lead\">");
    const struct sim *s = &p->a->sim;
    instant_t last = instant(s->options.until.s - 1);
    html_put(&p->out, json_string_value(json_object_get(m, "policy")));
    text_add(&p->out, say(p, " version %lld, ", " %lld판, "),
             json_integer_value(json_object_get(m, "version")));
    text_add(&p->out, say(p, "%s to %s: ", "%s부터 %s까지 "), date_text(s->begin).s, date_text(last).s);
    member(p, "", m, "tenants", SHOWN_COUNT);
    put(p, say(p, " companies, ", "개 기업, 신청 "));
    member(p, "", m, "requests", SHOWN_COUNT);
    put(p, say(p, " requests, a pool of ", "건, 자원 풀 "));
    member(p, "", m, "capacity_gflops", SHOWN_COMPUTE);
    put(p, ".</p>\n");
}

static void tiles(struct page *p) {
    const json_t *m = p->a->measures, *o = json_object_get(m, "outcomes");
    put(p, "<div class=\"tiles\">\n");
    tile(p, "outcomes", o, "granted", SHOWN_COUNT, say(p, "granted in full", "전량 배정"));
    tile(p, "outcomes", o, "partial", SHOWN_COUNT, say(p, "granted in part", "일부 배정"));
    tile(p, "outcomes", o, "waiting", SHOWN_COUNT, say(p, "still waiting at the end", "종료 시점 대기"));
    tile(p, "outcomes", o, "held", SHOWN_COUNT,
         say(p, "before a person at the end", "종료 시점 담당자 검토 중"));
    tile(p, "outcomes", o, "denied", SHOWN_COUNT, say(p, "denied", "거절"));
    tile(p, "", m, "utilisation", SHOWN_RATIO, say(p, "of the pool was granted", "자원 풀 중 배정된 비율"));
    if (!json_is_null(json_object_get(m, "used_of_granted")))
        tile(p, "", m, "used_of_granted", SHOWN_RATIO,
             say(p, "of what was granted was used", "배정된 자원 중 사용된 비율"));
    tile(p, "", m, "max_min_share", SHOWN_RATIO,
         say(p, "of its fair part: the least served company", "가장 적게 받은 기업의 공정한 몫 대비 비율"));
    tile(p, "", m, "tenant_days_below_guarantee", SHOWN_COUNT,
         say(p, "days on which a company held less than its guarantee and wanted more",
             "기업이 보장량보다 적게 보유하고 더 원한 날의 합계"));
    put(p, "</div>\n");
}

/* ---- the year ---- */

static void pf_label(int64_t n, struct text *out) { compute(n, out); }
static void count_label(int64_t n, struct text *out) { number(n, out); }
static void percent_label(int64_t n, struct text *out) { percent(n, out); }

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
    heading(p, "What was asked and what was given", "신청량과 배정량");
    sentence(p, "note",
             "Demand is what companies held and waited for, each at most its ceiling. Where it lies above "
             "the pool, "
             "somebody had to wait.",
             "수요는 기업이 보유한 양과 대기 중인 양의 합이며 기업별 한도까지만 셉니다. 수요가 자원 풀보다 "
             "크면 누군가는 "
             "기다려야 합니다.");
    struct chart_line first[] = {{say(p, "granted", "배정"), "held", held, true},
                                 {say(p, "demand", "수요"), "demand", demand, false},
                                 {say(p, "pool", "자원 풀"), "capacity", capacity, false}};
    c.title = say(p, "Granted compute, demand and the pool, day by day", "일별 배정 연산, 수요, 자원 풀");
    c.lines = first;
    c.n_lines = 3;
    c.label = pf_label;
    chart_draw(&c, &p->out);
    heading(p, "Who waited", "대기");
    sentence(p, "note", "Requests in the queue at the beginning of each day.",
             "매일 0시 기준 대기 중인 신청 건수입니다.");
    struct chart_line second = {say(p, "waiting", "대기"), "waiting", waiting, true};
    c.title = say(p, "Requests that wait, day by day", "일별 대기 신청 건수");
    c.lines = &second;
    c.n_lines = 1;
    c.least_top = 4;
    c.label = count_label;
    chart_draw(&c, &p->out);
    heading(p, "How even it was", "배분의 고른 정도");
    sentence(p, "note",
             "Jain's index of held / demand: 100% when every company has the same part of what it wants, one "
             "in n when "
             "one of n companies has everything.",
             "수요 대비 보유 비율의 제인 지수입니다. 모든 기업이 원하는 양의 같은 비율을 가지면 100%, n개 "
             "기업 중 한 곳이 "
             "모두 가지면 n분의 1입니다.");
    struct chart_line third = {say(p, "evenness", "고른 정도"), "even", jain, false};
    c.title = say(p, "Jain's index, day by day", "일별 제인 지수");
    c.lines = &third;
    c.least_top = 1000000;
    c.label = percent_label;
    chart_draw(&c, &p->out);
}

/* ---- tiers ---- */

static void cell_begin(struct page *p, bool words) { put(p, words ? "<td class=\"words\">" : "<td>"); }

static void tier_row(struct page *p, size_t i, const json_t *w) {
    char prefix[32];
    const char *tier = json_string_value(json_object_get(w, "tier"));
    bool all = strcmp(tier, "all") == 0;
    int64_t asked = json_integer_value(json_object_get(w, "asked_gflops")),
            given = json_integer_value(json_object_get(w, "granted_gflops"));
    text_format(prefix, sizeof prefix, "waits[%zu]", i);
    put(p, all ? "<tr class=\"all\"><td>" : "<tr><td>");
    html_put(&p->out, all ? say(p, "all", "전체") : tier);
    put(p, "</td>");
    static const struct {
        const char *key;
        enum shown as;
    } cells[] = {{"requests", SHOWN_COUNT},         {"granted", SHOWN_COUNT},
                 {"still_waiting", SHOWN_COUNT},    {"asked_gflops", SHOWN_COMPUTE},
                 {"granted_gflops", SHOWN_COMPUTE}, {"p50_seconds", SHOWN_DAYS},
                 {"p90_seconds", SHOWN_DAYS},       {"max_seconds", SHOWN_DAYS}};
    for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
        cell_begin(p, false);
        member(p, prefix, w, cells[k].key, cells[k].as);
        if (k == 4 && asked > 0)
            text_add(&p->out, "<span class=\"bar\"><i style=\"width:%lld%%\"></i></span>",
                     (long long)(given * 100 / asked));
        put(p, "</td>");
    }
    put(p, "</tr>\n");
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
    heading(p, "By tier: asked, given, waited", "등급별 신청, 배정, 대기");
    sentence(p, "note",
             "Asked and given count every request, those denied too. The waits are of those that were "
             "granted, from "
             "the request, or from the award of the call, to the grant.",
             "신청량과 배정량은 거절된 신청을 포함한 모든 신청을 셉니다. 대기 기간은 배정된 신청의 "
             "접수(공모는 선정)부터 "
             "배정까지입니다.");
    table_begin(p, titles);
    json_array_foreach(json_object_get(p->a->measures, "waits"), i, w) tier_row(p, i, w);
    table_end(p);
}

/* ---- companies ---- */

enum { LISTED = 12, BUCKETS = 10 };

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
    put(p, "<tr><td>");
    html_put(&p->out, s->facts[c->tenant].name);
    put(p, "</td>");
    cell_begin(p, true);
    if (t->tier) html_put(&p->out, s->tiers[t->tier].name);
    put(p, "</td><td>");
    compute((int64_t)(c->held / n), &p->out);
    put(p, "</td><td>");
    compute((int64_t)(c->entitled / n), &p->out);
    text_add(&p->out, "</td><td><span class=\"bar\"><i style=\"width:%lld%%\"></i></span></td><td>",
             (long long)(most ? c->held * 100 / most : 0));
    number(t->below_days, &p->out);
    put(p, "</td></tr>\n");
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
    table_begin(p, titles);
    for (size_t k = 0; k <= BUCKETS; k++) {
        if (counts[k] == 0) continue;
        if (k < BUCKETS)
            text_add(&p->out, "<tr><td>%zu%%-%zu%%", k * 10, k * 10 + 10);
        else
            text_add(&p->out, "<tr><td>%s", say(p, "100% or more", "100% 이상"));
        text_add(&p->out,
                 "</td><td>%zu</td><td><span class=\"bar\"><i style=\"width:%zu%%\"></i></span></td></tr>\n",
                 counts[k], counts[k] * 100 / most);
    }
    table_end(p);
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
    heading(p, "Who got how much", "누가 얼마나 받았는가");
    sentence(p, "note",
             "The fair part of a company is what it would have had on average were compute divisible and "
             "shared anew "
             "every day by weight, never more than it wanted.",
             "공정한 몫은 연산 자원을 매일 가중치에 따라 다시 나눌 수 있다고 할 때 평균적으로 받았을 양이며, "
             "원한 양을 "
             "넘지 않습니다.");
    spread(p, of, n);
    table_begin(p, titles);
    wide_t most = n ? of[0].held : 0;
    for (size_t i = 0; i < n; i++)
        if (n <= 2 * LISTED || i < LISTED || i >= n - LISTED) company_row(p, &of[i], most);
    table_end(p);
    if (n > 2 * LISTED)
        text_add(
            &p->out,
            say(p, "<p class=\"note\">The %d that held most and the %d that held least, of %zu.</p>\n",
                "<p class=\"note\">가장 많이 보유한 %d곳과 가장 적게 보유한 %d곳입니다 (전체 %zu곳).</p>\n"),
            LISTED, LISTED, n);
}

/* ---- reasons, rules, reclaims ---- */

struct words {
    const char *code, *en, *ko;
};

/* What a code means, for those who do not know codes. */
static const struct words meanings[] = {
    {"EXCEEDS_CEILING", "above the ceiling", "한도 초과"},
    {"NOT_ELIGIBLE", "not eligible", "자격 없음"},
    {"NEEDS_APPROVAL", "a person must approve", "담당자 승인 필요"},
    {"NO_UNITS", "no units free", "남은 장치 없음"},
    {"WAITING_TURN", "waits its turn", "순번 대기"},
    {"LEND_LIMIT", "what is free covers guarantees of others", "남은 자원은 다른 기업의 보장분"},
    {"RESERVED_FOR_TIER", "kept for a better tier", "상위 등급 몫"},
    {"BEHIND_BARRIER", "set aside for one that waited long", "오래 기다린 신청에 배정 예정"},
    {"EXCEEDS_BUDGET", "above the budget of the period", "기간 예산 초과"},
    {"DEBT", "holds more than its ceiling", "한도보다 많이 보유"},
    {"SUSPENDED", "suspended", "이용 정지"},
    {"NO_STORAGE", "no storage free", "남은 저장 공간 없음"},
    {"EVAL_ERROR", "a fact is missing", "정보 누락"},
    {MEASURE_REFUSED, "not approved", "승인되지 않음"},
};

static void meaning(struct page *p, const char *why) {
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strncmp(why, meanings[i].code, strlen(meanings[i].code)) == 0) {
            html_put(&p->out, say(p, meanings[i].en, meanings[i].ko));
            return;
        }
    html_put(&p->out, why);
}

static void reasons(struct page *p) {
    static const char *const titles[] = {"Not granted, mainly because",
                                         "배정되지 않은 주된 까닭",
                                         "Requests",
                                         "신청",
                                         "<Reasons and rules",
                                         "사유와 규칙",
                                         NULL};
    const json_t *list = json_object_get(p->a->measures, "not_granted");
    size_t i;
    json_t *row;
    if (json_array_size(list) == 0) return;
    heading(p, "Why not", "배정되지 않은 까닭");
    table_begin(p, titles);
    json_array_foreach(list, i, row) {
        char prefix[40];
        if (i >= LISTED) break;
        text_format(prefix, sizeof prefix, "not_granted[%zu]", i);
        put(p, "<tr><td>");
        meaning(p, json_string_value(json_object_get(row, "why")));
        put(p, "</td><td>");
        member(p, prefix, row, "requests", SHOWN_COUNT);
        put(p, "</td><td class=\"words\">");
        member(p, prefix, row, "why", SHOWN_WHY);
        put(p, "</td></tr>\n");
    }
    table_end(p);
}

static void reclaims(struct page *p) {
    static const char *const titles[] = {
        "Taken back because of", "회수 사유",           "Times", "건수", "Units", "장치", "Compute", "연산",
        "Shortest notice",       "가장 짧은 예고 기간", NULL};
    static const struct words causes[] = {
        {"grace", "the lease was over", "기간 종료"}, {"idle", "it lay idle", "미사용"},
        {"debt", "a ceiling was cut", "한도 축소"},   {"guarantee", "a guarantee was claimed", "보장분 청구"},
        {"loss", "hardware was lost", "장비 고장"},   {"swap", "an exchange", "교체"}};
    const json_t *list = json_object_get(p->a->measures, "reclaims");
    size_t i;
    json_t *row;
    heading(p, "What was taken back", "회수");
    if (json_array_size(list) == 0) {
        sentence(p, "", "Nothing was taken back before its lease was over.",
                 "사용 기간이 끝나기 전에 회수한 자원이 없습니다.");
        return;
    }
    table_begin(p, titles);
    json_array_foreach(list, i, row) {
        char prefix[40];
        const char *cause = json_string_value(json_object_get(row, "cause"));
        text_format(prefix, sizeof prefix, "reclaims[%zu]", i);
        put(p, "<tr><td>");
        for (size_t k = 0; k < sizeof causes / sizeof *causes; k++)
            if (strcmp(causes[k].code, cause) == 0) html_put(&p->out, say(p, causes[k].en, causes[k].ko));
        put(p, "</td><td>");
        member(p, prefix, row, "count", SHOWN_COUNT);
        put(p, "</td><td>");
        member(p, prefix, row, "units", SHOWN_COUNT);
        put(p, "</td><td>");
        member(p, prefix, row, "compute_gflops", SHOWN_COMPUTE);
        put(p, "</td><td>");
        member(p, prefix, row, "least_notice_seconds", SHOWN_DAYS);
        put(p, "</td></tr>\n");
    }
    table_end(p);
}

static void rules(struct page *p) {
    static const char *const titles[] = {"Rule", "규칙",     "<Line",  "위치", "Named in decisions",
                                         "언급", "Decisive", "결정적", NULL};
    size_t i;
    json_t *row;
    heading(p, "Which rules mattered", "어떤 규칙이 작용했는가");
    sentence(p, "note",
             "Decisive: without it the decision would have been another. A rule that never is may be right "
             "all the same, "
             "or superfluous.",
             "결정적: 그 규칙이 없었다면 결정이 달라졌을 경우입니다. 한 번도 결정적이지 않은 규칙은 옳을 "
             "수도, 불필요할 수도 "
             "있습니다.");
    table_begin(p, titles);
    json_array_foreach(json_object_get(p->a->measures, "rules"), i, row) {
        char prefix[40];
        text_format(prefix, sizeof prefix, "rules[%zu]", i);
        put(p, "<tr><td>");
        member(p, prefix, row, "rule", SHOWN_TEXT);
        put(p, "</td><td class=\"words\">");
        member(p, prefix, row, "place", SHOWN_TEXT);
        put(p, "</td><td>");
        member(p, prefix, row, "named", SHOWN_COUNT);
        put(p, "</td><td>");
        member(p, prefix, row, "decisive", SHOWN_COUNT);
        put(p, "</td></tr>\n");
    }
    table_end(p);
}

/* ---- two policies ---- */

static void compare_row(struct page *p, const char *key, enum shown as, const char *title) {
    const json_t *a = json_object_get(p->a->measures, key), *b = json_object_get(p->b->measures, key);
    char path[80];
    if (!a || !b || json_is_null(a)) {
        a = json_object_get(json_object_get(p->a->measures, "outcomes"), key);
        b = json_object_get(json_object_get(p->b->measures, "outcomes"), key);
    }
    if (!a || !b) return;
    put(p, "<tr><td>");
    html_put(&p->out, title);
    put(p, "</td><td>");
    metric(p, key, a, as);
    put(p, "</td><td>");
    text_format(path, sizeof path, "against.%s", key);
    metric(p, path, b, as);
    put(p, "</td></tr>\n");
}

static void compare(struct page *p) {
    int64_t n = 0;
    if (!p->b) return;
    free(simulate_diff(&p->a->sim, &p->b->sim, false, &n)); /* the lines are in diff.csv */
    heading(p, "Beside the other policy", "다른 정책과의 비교");
    put(p, "<p>");
    number(n, &p->out);
    put(p, say(p, " requests are decided otherwise; diff.csv lists them with both reasons.</p>\n",
               "건의 결정이 달라집니다. diff.csv에 양쪽 사유와 함께 적혀 있습니다.</p>\n"));
    put(p, "<div class=\"wide\"><table><thead><tr><th></th><th>");
    html_put(&p->out, json_string_value(json_object_get(p->a->measures, "policy")));
    put(p, "</th><th>");
    html_put(&p->out, json_string_value(json_object_get(p->b->measures, "policy")));
    put(p, "</th></tr></thead><tbody>\n");
    compare_row(p, "granted", SHOWN_COUNT, say(p, "granted in full", "전량 배정"));
    compare_row(p, "partial", SHOWN_COUNT, say(p, "granted in part", "일부 배정"));
    compare_row(p, "waiting", SHOWN_COUNT, say(p, "still waiting", "대기"));
    compare_row(p, "denied", SHOWN_COUNT, say(p, "denied", "거절"));
    compare_row(p, "utilisation", SHOWN_RATIO, say(p, "of the pool was granted", "자원 풀 중 배정"));
    compare_row(p, "jain", SHOWN_RATIO, say(p, "evenness (Jain)", "고른 정도(제인 지수)"));
    compare_row(p, "max_min_share", SHOWN_RATIO, say(p, "least served company", "가장 적게 받은 기업"));
    compare_row(p, "tenant_days_below_guarantee", SHOWN_COUNT,
                say(p, "company-days below a guarantee", "보장 미달 기업·일"));
    table_end(p);
}

char *simulate_page(const struct simulated *a, const struct simulated *b, bool korean) {
    struct page p = {.a = a, .b = b, .korean = korean};
    head(&p);
    tiles(&p);
    year(&p);
    tiers(&p);
    companies(&p);
    reasons(&p);
    reclaims(&p);
    rules(&p);
    compare(&p);
    sentence(&p, "note",
             "This is a simulation: it says what these rules would have done with these requests, not what "
             "will be "
             "granted. Nothing was reserved.",
             "이 결과는 모의 실행입니다. 이 규칙이 이 신청들을 어떻게 처리했을지를 보일 뿐, 앞으로의 배정을 "
             "약속하지 않으며 예약된 "
             "자원은 없습니다.");
    put(&p, "</main></body></html>\n");
    return text_take(&p.out);
}
