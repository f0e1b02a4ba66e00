/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/simulate_page.h"

#include "alloc/scope.h"
#include "cmd/chart.h"
#include "policies/measure.h"

#include <stdlib.h>
#include <string.h>

const char *page_say(const struct page *p, const char *en, const char *ko) { return p->korean ? ko : en; }

void page_put(struct page *p, const char *text) { text_add(&p->out, "%s", text); }

const char page_style[] =
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

void page_number(int64_t n, struct text *out) {
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
void page_compute(int64_t gf, struct text *out) {
    int64_t unit = gf >= 1000000 ? 1000000 : 1000, tenths = (gf * 10 + unit / 2) / unit;
    page_number(tenths / 10, out);
    if (tenths % 10) text_add(out, ".%lld", (long long)(tenths % 10));
    text_add(out, unit == 1000 ? " TF" : " PF");
}

void page_percent(int64_t millionths, struct text *out) {
    text_add(out, "%lld%%", (long long)((millionths + 5000) / 10000));
}

static void days(const struct page *p, int64_t seconds, struct text *out) {
    int64_t tenths = (seconds * 10 + CLOCK_DAY / 2) / CLOCK_DAY;
    page_number(tenths / 10, out);
    if (tenths < 100 && tenths % 10) text_add(out, ".%lld", (long long)(tenths % 10));
    text_add(out, "%s", p->korean ? "일" : tenths == 10 ? " day" : " days");
}

/* "0.9312" as 93.1%. */
static void ratio(const char *text, struct text *out) {
    const char *dot = strchr(text, '.');
    long long whole = strtoll(text, NULL, 10), part = dot ? strtoll(dot + 1, NULL, 10) : 0;
    long long tenths = (whole * 10000 + part + 5) / 10;
    text_add(out, "%lld.%lld%%", tenths / 10, tenths % 10);
}

/* A number of the measures at `path`, with its path and value for whoever compares. */
void page_metric(struct page *p, const char *path, const json_t *value, enum shown as) {
    scoped_free char *raw =
        json_is_string(value) ? mem_copy(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
    text_add(&p->out, "<span data-metric=\"");
    html_put(&p->out, path);
    text_add(&p->out, "\" data-value=\"");
    html_put(&p->out, raw ? raw : "");
    text_add(&p->out, "\">");
    switch (as) {
    case SHOWN_COUNT: page_number(json_integer_value(value), &p->out); break;
    case SHOWN_COMPUTE:
        if (json_is_null(value))
            page_put(p, "-");
        else
            page_compute(json_integer_value(value), &p->out);
        break;
    case SHOWN_DAYS: days(p, json_integer_value(value), &p->out); break;
    case SHOWN_TEXT: html_put(&p->out, raw ? raw : ""); break;
    case SHOWN_WHY: /* codes are the same in both languages, a person's word is not */
        html_put(&p->out, raw && strcmp(raw, MEASURE_REFUSED) != 0
                              ? raw
                              : page_say(p, MEASURE_REFUSED, "담당자가 거절"));
        break;
    case SHOWN_RATIO: ratio(raw ? raw : "0", &p->out); break;
    }
    page_put(p, "</span>");
}

void page_member(struct page *p, const char *prefix, const json_t *object, const char *key, enum shown as) {
    char path[160];
    text_format(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key);
    page_metric(p, path, json_object_get(object, key), as);
}

void page_rows(struct page *p, const char *list, const struct page_cell *cells, size_t most) {
    char prefix[64];
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(p->a->measures, list), i, row) {
        if (i == most) return;
        text_format(prefix, sizeof prefix, "%s[%zu]", list, i);
        page_put(p, "<tr>");
        for (const struct page_cell *c = cells; c->key || c->put; c++) {
            page_put(p, c->is_words ? "<td class=\"words\">" : "<td>");
            if (c->put)
                c->put(p, row);
            else
                page_member(p, prefix, row, c->key, c->as);
            page_put(p, "</td>");
        }
        page_put(p, "</tr>\n");
    }
}

/* ---- parts ---- */

void page_heading(struct page *p, const char *en, const char *ko) {
    page_put(p, "<h2>");
    html_put(&p->out, page_say(p, en, ko));
    page_put(p, "</h2>\n");
}

void page_sentence(struct page *p, const char *class, const char *en, const char *ko) {
    text_add(&p->out, "<p class=\"%s\">", class);
    html_put(&p->out, page_say(p, en, ko));
    page_put(p, "</p>\n");
}

void page_table(struct page *p, const char *const titles[]) {
    page_put(p, "<div class=\"wide\"><table><thead><tr>");
    for (; *titles; titles += 2) {
        bool is_words = titles[0][0] == '<'; /* a column of words stands to the left */
        page_put(p, is_words ? "<th class=\"words\">" : "<th>");
        html_put(&p->out, page_say(p, titles[0] + is_words, titles[1]));
        page_put(p, "</th>");
    }
    page_put(p, "</tr></thead><tbody>\n");
}

void page_table_end(struct page *p) { page_put(p, "</tbody></table></div>\n"); }
