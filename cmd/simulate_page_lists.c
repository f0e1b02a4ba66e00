/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the page: why not, what was taken back, which rules mattered, what another policy would do. */
#include "cmd/simulate_page.h"

#include "alloc/scope.h"
#include "cmd/chart.h"
#include "policies/measure.h"

#include <stdlib.h>
#include <string.h>

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
            html_put(&p->out, page_say(p, meanings[i].en, meanings[i].ko));
            return;
        }
    html_put(&p->out, why);
}

void page_reasons(struct page *p) {
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
    page_heading(p, "Why not", "배정되지 않은 까닭");
    page_table(p, titles);
    json_array_foreach(list, i, row) {
        char prefix[40];
        if (i >= LISTED) break;
        text_format(prefix, sizeof prefix, "not_granted[%zu]", i);
        page_put(p, "<tr><td>");
        meaning(p, json_string_value(json_object_get(row, "why")));
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "requests", SHOWN_COUNT);
        page_put(p, "</td><td class=\"words\">");
        page_member(p, prefix, row, "why", SHOWN_WHY);
        page_put(p, "</td></tr>\n");
    }
    page_table_end(p);
}

void page_reclaims(struct page *p) {
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
    page_heading(p, "What was taken back", "회수");
    if (json_array_size(list) == 0) {
        page_sentence(p, "", "Nothing was taken back before its lease was over.",
                      "사용 기간이 끝나기 전에 회수한 자원이 없습니다.");
        return;
    }
    page_table(p, titles);
    json_array_foreach(list, i, row) {
        char prefix[40];
        const char *cause = json_string_value(json_object_get(row, "cause"));
        text_format(prefix, sizeof prefix, "reclaims[%zu]", i);
        page_put(p, "<tr><td>");
        for (size_t k = 0; k < sizeof causes / sizeof *causes; k++)
            if (strcmp(causes[k].code, cause) == 0)
                html_put(&p->out, page_say(p, causes[k].en, causes[k].ko));
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "count", SHOWN_COUNT);
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "units", SHOWN_COUNT);
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "compute_gflops", SHOWN_COMPUTE);
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "least_notice_seconds", SHOWN_DAYS);
        page_put(p, "</td></tr>\n");
    }
    page_table_end(p);
}

void page_rules(struct page *p) {
    static const char *const titles[] = {"Rule", "규칙",     "<Line",  "위치", "Named in decisions",
                                         "언급", "Decisive", "결정적", NULL};
    size_t i;
    json_t *row;
    page_heading(p, "Which rules mattered", "어떤 규칙이 작용했는가");
    page_sentence(
        p, "note",
        "Decisive: without it the decision would have been another. A rule that never is may be right "
        "all the same, "
        "or superfluous.",
        "결정적: 그 규칙이 없었다면 결정이 달라졌을 경우입니다. 한 번도 결정적이지 않은 규칙은 옳을 "
        "수도, 불필요할 수도 "
        "있습니다.");
    page_table(p, titles);
    json_array_foreach(json_object_get(p->a->measures, "rules"), i, row) {
        char prefix[40];
        text_format(prefix, sizeof prefix, "rules[%zu]", i);
        page_put(p, "<tr><td>");
        page_member(p, prefix, row, "rule", SHOWN_TEXT);
        page_put(p, "</td><td class=\"words\">");
        page_member(p, prefix, row, "place", SHOWN_TEXT);
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "named", SHOWN_COUNT);
        page_put(p, "</td><td>");
        page_member(p, prefix, row, "decisive", SHOWN_COUNT);
        page_put(p, "</td></tr>\n");
    }
    page_table_end(p);
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
    page_put(p, "<tr><td>");
    html_put(&p->out, title);
    page_put(p, "</td><td>");
    page_metric(p, key, a, as);
    page_put(p, "</td><td>");
    text_format(path, sizeof path, "against.%s", key);
    page_metric(p, path, b, as);
    page_put(p, "</td></tr>\n");
}

void page_compare(struct page *p) {
    int64_t n = 0;
    if (!p->b) return;
    free(simulate_diff(&p->a->sim, &p->b->sim, false, &n)); /* the lines are in diff.csv */
    page_heading(p, "Beside the other policy", "다른 정책과의 비교");
    page_put(p, "<p>");
    page_number(n, &p->out);
    page_put(p, page_say(p, " requests are decided otherwise; diff.csv lists them with both reasons.</p>\n",
                         "건의 결정이 달라집니다. diff.csv에 양쪽 사유와 함께 적혀 있습니다.</p>\n"));
    page_put(p, "<div class=\"wide\"><table><thead><tr><th></th><th>");
    html_put(&p->out, json_string_value(json_object_get(p->a->measures, "policy")));
    page_put(p, "</th><th>");
    html_put(&p->out, json_string_value(json_object_get(p->b->measures, "policy")));
    page_put(p, "</th></tr></thead><tbody>\n");
    compare_row(p, "granted", SHOWN_COUNT, page_say(p, "granted in full", "전량 배정"));
    compare_row(p, "partial", SHOWN_COUNT, page_say(p, "granted in part", "일부 배정"));
    compare_row(p, "waiting", SHOWN_COUNT, page_say(p, "still waiting", "대기"));
    compare_row(p, "denied", SHOWN_COUNT, page_say(p, "denied", "거절"));
    compare_row(p, "utilisation", SHOWN_RATIO, page_say(p, "of the pool was granted", "자원 풀 중 배정"));
    compare_row(p, "jain", SHOWN_RATIO, page_say(p, "evenness (Jain)", "고른 정도(제인 지수)"));
    compare_row(p, "max_min_share", SHOWN_RATIO, page_say(p, "least served company", "가장 적게 받은 기업"));
    compare_row(p, "tenant_days_below_guarantee", SHOWN_COUNT,
                page_say(p, "company-days below a guarantee", "보장 미달 기업·일"));
    page_table_end(p);
}
