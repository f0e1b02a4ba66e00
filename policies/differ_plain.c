/* SPDX-License-Identifier: Apache-2.0 */
/* What two policies say that depends on no profile: thing by thing, as text. */
#include "policies/differ.h"

#include "alloc/hash.h"
#include "alloc/scope.h"
#include "policies/form.h"
#include "policies/syntax.h"

#include <string.h>

/* A thing and what one policy says of it; things of the same name are compared. */
struct said_plainly {
    struct text what, text;
};

struct plainly {
    bool korean;
    struct said_plainly *of;
    size_t n, room;
};

static const char *say(const struct plainly *p, const char *en, const char *ko) {
    return p->korean ? ko : en;
}

static struct text *begin(struct plainly *p, const char *en, const char *ko, const char *name) {
    p->of = mem_grow(p->of, &p->room, p->n + 1, sizeof *p->of);
    struct said_plainly *s = &p->of[p->n++];
    *s = (struct said_plainly){0};
    text_add(&s->what, "%s%s%s", say(p, en, ko), *name ? " " : "", name);
    return &s->text;
}

static struct instant_text span_said(const struct plainly *p, span_t t) {
    return p->korean ? span_text_ko(t) : span_text(t);
}

static void say_flavors(struct plainly *p, const struct policy *y) {
    for (size_t i = 0; i < y->n_flavors; i++) {
        const struct flavor *f = &y->flavors[i];
        struct text *t = begin(p, "flavor", "가속기", f->name.s);
        text_add(t, say(p, "%s, %lld units, sizes", "%s, %lld개, 서버 크기"),
                 f->unrated ? say(p, "unrated", "성능치 없음") : gflops_text(f->rating).s,
                 (long long)f->units);
        for (size_t k = 0; k < f->n_sizes; k++) text_add(t, "%s %lld", k ? "," : "", (long long)f->sizes[k]);
    }
}

static void say_pool(struct plainly *p, const struct policy *y) {
    text_add(begin(p, "pool", "자원 풀", ""), "%s", y->pool.s);
    text_add(begin(p, "basis", "기준 정밀도", ""), "%s", y->basis.s);
    say_flavors(p, y);
    if (y->has_storage) text_add(begin(p, "storage", "저장 공간", ""), "%s", bytes_text(y->storage).s);
    if (y->has_datalake)
        text_add(begin(p, "data lake", "데이터 레이크", ""), "%s", bytes_text(y->datalake).s);
    for (size_t i = 0; i < y->n_services; i++)
        text_add(begin(p, "seats of", "사용자 수", y->services[i].name.s), "%lld",
                 (long long)y->services[i].seats);
    for (size_t i = 0; i < y->n_measures; i++)
        text_add(begin(p, "measured", "측정", y->measures[i].s), "%s", say(p, "yes", "예"));
}

static void say_attributes(struct plainly *p, const struct policy *y) {
    static const char *const types[] = {"bool", "enum", "date", "int", "text"};
    for (size_t i = VARS_BUILT_IN; i < y->n_variables; i++) {
        const struct variable *v = &y->variables[i];
        struct text *t = v->of == SUBJECT_REQUEST ? begin(p, "attribute of a request", "신청 속성", v->name.s)
                                                  : begin(p, "attribute", "속성", v->name.s);
        text_add(t, "%s", types[v->type]);
        for (size_t k = 0; k < v->n_values; k++) text_add(t, "%s%s", k ? ", " : " { ", v->values[k].s);
        text_add(t, "%s%s", v->n_values ? " }" : "", v->optional ? "?" : "");
    }
}

static void say_tables(struct plainly *p, const struct policy *y) {
    enum { SHOWN = 20 };
    for (size_t i = 0; i < y->n_tables; i++) {
        const struct table *table = &y->tables[i];
        struct text *t = begin(p, "table", "표", table->name.s);
        text_add(t, say(p, "%zu entries", "%zu개 항목"), table->n);
        for (size_t k = 0; k < table->n && k < SHOWN; k++)
            text_add(t, "%s%s", k ? ", " : ": ", table->entries[k]);
        if (table->n > SHOWN) {
            struct text all = {0};
            for (size_t k = 0; k < table->n; k++) text_add(&all, "%s\n", table->entries[k]);
            text_add(t, ", ... (sha256 %.12s)", hash_of(all.s, all.length).hex);
            text_free(&all);
        }
    }
}

static void say_queue(struct plainly *p, const struct queue_rule *q) {
    static const char *const keys[] = {"share", "credits", "wait", "id"};
    if (!q->id.s) return;
    struct text *t = begin(p, "queue: order", "대기열: 순서", "");
    for (size_t i = 0; i < q->n_order; i++) text_add(t, "%s%s", i ? ", " : "", keys[q->order[i]]);
    text_add(begin(p, "queue: weigh", "대기열: 기준", ""), "%s", q->weigh_surplus ? "surplus" : "total");
    text_add(begin(p, "queue: strict", "대기열: 등급 우선", ""), "%s",
             q->strict ? say(p, "yes", "예") : say(p, "no", "아니요"));
    if (q->has_lift)
        text_add(begin(p, "queue: lift", "대기열: 등급 상향", ""), "%s", span_said(p, q->lift).s);
    if (q->has_barrier)
        text_add(begin(p, "queue: barrier", "대기열: 우선 확보", ""),
                 say(p, "%s, at most %lld", "%s, 최대 %lld건"), span_said(p, q->barrier).s,
                 (long long)q->barriers);
    if (q->has_partial)
        text_add(begin(p, "queue: partial", "대기열: 일부 배정", ""), say(p, "%lld steps", "%lld단계"),
                 (long long)q->partial);
    if (q->has_hold)
        text_add(begin(p, "queue: hold", "대기열: 제안 유지", ""), "%s", span_said(p, q->hold).s);
}

static void say_borrow(struct plainly *p, const struct borrow_rule *b) {
    if (!b->id.s) return;
    if (b->has_lend)
        text_add(begin(p, "borrow: lend-max", "대여: 최대", ""), "%lld %%", (long long)b->lend_most);
    if (b->has_notice)
        text_add(begin(p, "borrow: notice", "대여: 예고", ""), "%s", span_said(p, b->notice).s);
    text_add(begin(p, "borrow: min-hold", "대여: 최소 보유", ""), "%s", span_said(p, b->min_hold).s);
    if (b->has_most)
        text_add(begin(p, "borrow: most", "대여: 최대 기업", ""), say(p, "%lld tenants", "%lld곳"),
                 (long long)b->most);
}

static void say_reserves(struct plainly *p, const struct policy *y) {
    for (size_t i = 0; i < y->n_reserves; i++) {
        const struct reserve_rule *r = &y->reserves[i];
        struct text *t = r->storage
                             ? begin(p, "reserve of storage for", "저장 공간 예비분, 등급", r->tier_name.s)
                             : begin(p, "reserve of compute for", "연산 예비분, 등급", r->tier_name.s);
        text_add(t, "%lld %%", (long long)r->percent);
    }
}

static void say_tiers(struct plainly *p, const struct policy *y) {
    if (y->n_tiers > 0) {
        struct text *t = begin(p, "tiers, best first", "등급 (상위부터)", "");
        for (size_t i = 0; i < y->n_tiers; i++) text_add(t, "%s%s", i ? ", " : "", y->tiers[i].name.s);
    }
    for (size_t i = 0; i < y->n_tiers; i++)
        if (y->tiers[i].has_expect)
            text_add(begin(p, "expected tenants of tier", "예상 테넌트, 등급", y->tiers[i].name.s), "%lld",
                     (long long)y->tiers[i].expect);
}

static void reason_text(struct text *t, const char *en, const char *ko) {
    if (en) form_put_string(t, en);
    if (ko) text_add(t, " ko "), form_put_string(t, ko);
}

/* Only where both have the rule: else it is part of what decides. */
static void say_reasons(struct plainly *p, const struct policy *y) {
    for (size_t i = 0; i < y->n_rules; i++)
        reason_text(begin(p, "reason of", "사유", y->rules[i].id.s), y->rules[i].reason,
                    y->rules[i].reason_ko);
    for (size_t i = 0; i < y->n_tier_rules; i++)
        reason_text(begin(p, "reason of", "사유", y->tier_rules[i].id.s), y->tier_rules[i].reason,
                    y->tier_rules[i].reason_ko);
    for (size_t i = 0; i < y->n_approves; i++)
        reason_text(begin(p, "reason of", "사유", y->approves[i].id.s), y->approves[i].reason,
                    y->approves[i].reason_ko);
}

static void say_all(struct plainly *p, const struct policy *y) {
    if (y->valid_from.has)
        text_add(begin(p, "valid from", "시행일", ""), "%s", date_text(y->valid_from.at).s);
    if (y->valid_until.has)
        text_add(begin(p, "valid until", "종료일", ""), "%s", date_text(instant(y->valid_until.at.s - 1)).s);
    say_pool(p, y);
    if (y->has_expect)
        text_add(begin(p, "expected tenants", "예상 테넌트", ""), "%lld", (long long)y->expect);
    say_attributes(p, y);
    say_tables(p, y);
    say_tiers(p, y);
    say_queue(p, &y->queue);
    say_borrow(p, &y->borrow);
    say_reserves(p, y);
    say_reasons(p, y);
}

/* ---- comparing ---- */

static const struct said_plainly *find(const struct plainly *p, const char *what) {
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->of[i].what.s, what) == 0) return &p->of[i];
    return NULL;
}

static void line(json_t *list, const char *what, const struct said_plainly *before,
                 const struct said_plainly *after) {
    const char *a = before && before->text.s ? before->text.s : "",
               *b = after && after->text.s ? after->text.s : "";
    bool is_reason = strncmp(what, "reason of ", 10) == 0 || strncmp(what, "사유 ", strlen("사유 ")) == 0;
    if (before && after ? strcmp(a, b) == 0 : is_reason) return;
    json_array_append_new(list, json_pack("{s:s, s:s?, s:s?}", "what", what, "before", before ? a : NULL,
                                          "after", after ? b : NULL));
}

static void plainly_free(struct plainly *p) {
    for (size_t i = 0; i < p->n; i++) {
        text_free(&p->of[i].what);
        text_free(&p->of[i].text);
    }
    scope_free(&p->of);
}

void differ_plain(const struct policy *before, const struct policy *after, bool korean, json_t *list) {
    struct plainly a = {.korean = korean}, b = {.korean = korean};
    say_all(&a, before);
    say_all(&b, after);
    for (size_t i = 0; i < a.n; i++) line(list, a.of[i].what.s, &a.of[i], find(&b, a.of[i].what.s));
    for (size_t i = 0; i < b.n; i++)
        if (!find(&a, b.of[i].what.s)) line(list, b.of[i].what.s, NULL, &b.of[i]);
    plainly_free(&a);
    plainly_free(&b);
}
