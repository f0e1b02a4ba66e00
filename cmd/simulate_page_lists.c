/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the page: why not, what was taken back, which rules mattered, what another policy would do. */
#include "cmd/simulate_page.h"

#include "alloc/scope.h"
#include "cmd/chart.h"
#include "cmd/reason_words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct words {
    const char *code, *en, *ko;
};

static const char *text_of(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

static void cell_meaning(struct page *p, const json_t *row) {
    scoped_text struct text words = {0};
    const char *why = text_of(row, "why");
    reason_meanings(why, p->korean, &words);
    html_put(&p->out, words.length ? words.s : why);
}

void page_reasons(struct page *p) {
    static const char *const titles[] = {"<Not granted, because", "배정되지 않은 까닭", "Requests", "신청",
                                         "<Reasons and rules",    "사유와 규칙",        NULL};
    static const struct page_cell cells[] = {{NULL, SHOWN_TEXT, true, cell_meaning},
                                             {"requests", SHOWN_COUNT, false, NULL},
                                             {"why", SHOWN_WHY, true, NULL},
                                             {0}};
    if (json_array_size(json_object_get(p->a->measures, "not_granted")) == 0) return;
    page_heading(p, "Why not", "배정되지 않은 까닭");
    page_table(p, titles);
    page_rows(p, "not_granted", cells, LISTED);
    page_table_end(p);
}

static void cell_cause(struct page *p, const json_t *row) {
    static const struct words causes[] = {
        {"grace", "the lease was over", "기간 종료"}, {"idle", "it lay idle", "미사용"},
        {"debt", "a ceiling was cut", "한도 축소"},   {"guarantee", "a guarantee was claimed", "보장분 청구"},
        {"loss", "hardware was lost", "장비 고장"},   {"swap", "an exchange", "교체"}};
    for (size_t k = 0; k < sizeof causes / sizeof *causes; k++)
        if (strcmp(causes[k].code, text_of(row, "cause")) == 0)
            html_put(&p->out, page_say(p, causes[k].en, causes[k].ko));
}

void page_reclaims(struct page *p) {
    static const char *const titles[] = {
        "Taken back because of", "회수 사유",           "Times", "건수", "Units", "장치", "Compute", "연산",
        "Shortest notice",       "가장 짧은 예고 기간", NULL};
    static const struct page_cell cells[] = {{NULL, SHOWN_TEXT, false, cell_cause},
                                             {"count", SHOWN_COUNT, false, NULL},
                                             {"units", SHOWN_COUNT, false, NULL},
                                             {"compute_gflops", SHOWN_COMPUTE, false, NULL},
                                             {"least_notice_seconds", SHOWN_DAYS, false, NULL},
                                             {0}};
    page_heading(p, "What was taken back", "회수");
    if (json_array_size(json_object_get(p->a->measures, "reclaims")) == 0) {
        page_sentence(p, "", "Nothing was taken back before its lease was over.",
                      "사용 기간이 끝나기 전에 회수한 자원이 없습니다.");
        return;
    }
    page_table(p, titles);
    page_rows(p, "reclaims", cells, LISTED);
    page_table_end(p);
}

void page_calls(struct page *p) {
    static const char *const titles[] = {
        "Call", "공모",     "Share", "몫",         "Given",      "배정량",      "Granted", "배정", "Moved up",
        "승계", "Declined", "포기",  "Not signed", "협약 안 함", "On the list", "예비",    NULL};
    static const struct page_cell cells[] = {{"call", SHOWN_TEXT, false, NULL},
                                             {"share_gflops", SHOWN_COMPUTE, false, NULL},
                                             {"given_gflops", SHOWN_COMPUTE, false, NULL},
                                             {"granted", SHOWN_COUNT, false, NULL},
                                             {"moved_up", SHOWN_COUNT, false, NULL},
                                             {"declined", SHOWN_COUNT, false, NULL},
                                             {"not_signed", SHOWN_COUNT, false, NULL},
                                             {"reserve", SHOWN_COUNT, false, NULL},
                                             {0}};
    if (json_array_size(json_object_get(p->a->measures, "calls")) == 0) return;
    page_heading(p, "Calls", "공모");
    page_sentence(
        p, "note",
        "A call gives within its own share of the pool, in the order of its award; who is left out "
        "moves up when somebody declines or does not sign.",
        "공모는 자원 풀 중 정해진 몫 안에서 선정 순서대로 배정합니다. 포기하거나 협약하지 않은 곳이 "
        "있으면 예비 순위가 승계합니다.");
    page_table(p, titles);
    page_rows(p, "calls", cells, LISTED);
    page_table_end(p);
}

void page_offers(struct page *p) {
    static const struct words rows[] = {
        {"made", "made to requests that waited", "대기 중인 신청에 제안"},
        {"taken", "taken", "수락"},
        {"expired", "not taken in time", "기한 경과"},
        {"outgrown", "ended because all could be had", "전량이 가능해져 종료"},
        {"lost", "ended with hardware that was lost", "장비 고장으로 종료"},
        {"withdrawn", "ended with their requests", "신청과 함께 종료"},
        {"open", "open at the end", "종료 시점 유효"}};
    static const char *const titles[] = {"Offers", "제안", "Times", "건수", NULL};
    const json_t *o = json_object_get(p->a->measures, "offers");
    if (json_integer_value(json_object_get(o, "made")) == 0) return;
    page_heading(p, "What was offered meanwhile", "대기 중의 제안");
    page_sentence(p, "note", "What a waiting request could have at once is set aside for it for some days.",
                  "대기 중인 신청이 바로 받을 수 있는 자원을 며칠 동안 확보해 둡니다.");
    page_table(p, titles);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        page_put(p, "<tr><td>");
        html_put(&p->out, page_say(p, rows[i].en, rows[i].ko));
        page_put(p, "</td><td>");
        page_member(p, "offers", o, rows[i].code, SHOWN_COUNT);
        page_put(p, "</td></tr>\n");
    }
    page_table_end(p);
}

static void cell_rule(struct page *p, const json_t *row) {
    html_put(&p->out, text_of(row, p->korean ? "ko" : "en"));
}

void page_rules(struct page *p) {
    static const char *const titles[] = {
        "Rule", "규칙",     "<What it says", "내용", "<Line", "위치", "Named in decisions",
        "언급", "Decisive", "결정적",        NULL};
    static const struct page_cell cells[] = {
        {"rule", SHOWN_TEXT, false, NULL},      {NULL, SHOWN_TEXT, true, cell_rule},
        {"place", SHOWN_TEXT, true, NULL},      {"named", SHOWN_COUNT, false, NULL},
        {"decisive", SHOWN_COUNT, false, NULL}, {0}};
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
    page_rows(p, "rules", cells, SIZE_MAX);
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
