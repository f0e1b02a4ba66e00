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
    struct said_plainly *of;
    size_t n, room;
};

static struct text *begin(struct plainly *p, const char *what, const char *name) {
    p->of = mem_grow(p->of, &p->room, p->n + 1, sizeof *p->of);
    struct said_plainly *s = &p->of[p->n++];
    *s = (struct said_plainly){0};
    text_add(&s->what, "%s%s%s", what, *name ? " " : "", name);
    return &s->text;
}

static void say_flavors(struct plainly *p, const struct policy *y) {
    for (size_t i = 0; i < y->n_flavors; i++) {
        const struct flavor *f = &y->flavors[i];
        struct text *t = begin(p, "flavor", f->name.s);
        text_add(t, "%s, %lld units, sizes", f->unrated ? "unrated" : gflops_text(f->rating).s,
                 (long long)f->units);
        for (size_t k = 0; k < f->n_sizes; k++) text_add(t, "%s %lld", k ? "," : "", (long long)f->sizes[k]);
    }
}

static void say_pool(struct plainly *p, const struct policy *y) {
    text_add(begin(p, "pool", ""), "%s", y->pool.s);
    text_add(begin(p, "basis", ""), "%s", y->basis.s);
    say_flavors(p, y);
    if (y->has_storage) text_add(begin(p, "storage", ""), "%s", bytes_text(y->storage).s);
    if (y->has_datalake) text_add(begin(p, "data lake", ""), "%s", bytes_text(y->datalake).s);
    for (size_t i = 0; i < y->n_services; i++)
        text_add(begin(p, "seats of", y->services[i].name.s), "%lld", (long long)y->services[i].seats);
    for (size_t i = 0; i < y->n_measures; i++) text_add(begin(p, "measured", y->measures[i].s), "yes");
}

static void say_attributes(struct plainly *p, const struct policy *y) {
    static const char *const types[] = {"bool", "enum", "date", "int", "text"};
    for (size_t i = VARS_BUILT_IN; i < y->n_variables; i++) {
        const struct variable *v = &y->variables[i];
        struct text *t =
            begin(p, v->of == SUBJECT_REQUEST ? "attribute of a request" : "attribute", v->name.s);
        text_add(t, "%s", types[v->type]);
        for (size_t k = 0; k < v->n_values; k++) text_add(t, "%s%s", k ? ", " : " { ", v->values[k].s);
        text_add(t, "%s%s", v->n_values ? " }" : "", v->optional ? "?" : "");
    }
}

static void say_tables(struct plainly *p, const struct policy *y) {
    enum { SHOWN = 20 };
    for (size_t i = 0; i < y->n_tables; i++) {
        const struct table *table = &y->tables[i];
        struct text *t = begin(p, "table", table->name.s);
        text_add(t, "%zu entries", table->n);
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
    struct text *t = begin(p, "queue: order", "");
    for (size_t i = 0; i < q->n_order; i++) text_add(t, "%s%s", i ? ", " : "", keys[q->order[i]]);
    text_add(begin(p, "queue: weigh", ""), "%s", q->weigh_surplus ? "surplus" : "total");
    text_add(begin(p, "queue: strict", ""), "%s", q->strict ? "yes" : "no");
    if (q->has_lift) text_add(begin(p, "queue: lift", ""), "%s", span_text(q->lift).s);
    if (q->has_barrier)
        text_add(begin(p, "queue: barrier", ""), "%s, at most %lld", span_text(q->barrier).s,
                 (long long)q->barriers);
    if (q->has_partial) text_add(begin(p, "queue: partial", ""), "%lld steps", (long long)q->partial);
    if (q->has_hold) text_add(begin(p, "queue: hold", ""), "%s", span_text(q->hold).s);
}

static void say_borrow(struct plainly *p, const struct borrow_rule *b) {
    if (!b->id.s) return;
    if (b->has_lend) text_add(begin(p, "borrow: lend-max", ""), "%lld %%", (long long)b->lend_most);
    if (b->has_notice) text_add(begin(p, "borrow: notice", ""), "%s", span_text(b->notice).s);
    text_add(begin(p, "borrow: min-hold", ""), "%s", span_text(b->min_hold).s);
    if (b->has_most) text_add(begin(p, "borrow: most", ""), "%lld tenants", (long long)b->most);
}

static void say_reserves(struct plainly *p, const struct policy *y) {
    for (size_t i = 0; i < y->n_reserves; i++) {
        const struct reserve_rule *r = &y->reserves[i];
        scoped_text struct text what = {0};
        text_add(&what, "reserve of %s for", r->storage ? "storage" : "compute");
        text_add(begin(p, what.s, r->tier_name.s), "%lld %%", (long long)r->percent);
    }
}

static void say_tiers(struct plainly *p, const struct policy *y) {
    if (y->n_tiers > 0) {
        struct text *t = begin(p, "tiers, best first", "");
        for (size_t i = 0; i < y->n_tiers; i++) text_add(t, "%s%s", i ? ", " : "", y->tiers[i].name.s);
    }
    for (size_t i = 0; i < y->n_tiers; i++)
        if (y->tiers[i].has_expect)
            text_add(begin(p, "expected tenants of tier", y->tiers[i].name.s), "%lld",
                     (long long)y->tiers[i].expect);
}

static void reason_text(struct text *t, const char *en, const char *ko) {
    if (en) form_put_string(t, en);
    if (ko) text_add(t, " ko "), form_put_string(t, ko);
}

/* Only where both have the rule: else it is part of what decides. */
static void say_reasons(struct plainly *p, const struct policy *y) {
    for (size_t i = 0; i < y->n_rules; i++)
        reason_text(begin(p, "reason of", y->rules[i].id.s), y->rules[i].reason, y->rules[i].reason_ko);
    for (size_t i = 0; i < y->n_tier_rules; i++)
        reason_text(begin(p, "reason of", y->tier_rules[i].id.s), y->tier_rules[i].reason,
                    y->tier_rules[i].reason_ko);
    for (size_t i = 0; i < y->n_approves; i++)
        reason_text(begin(p, "reason of", y->approves[i].id.s), y->approves[i].reason,
                    y->approves[i].reason_ko);
}

static void say_all(struct plainly *p, const struct policy *y) {
    if (y->valid_from.has) text_add(begin(p, "valid from", ""), "%s", date_text(y->valid_from.at).s);
    if (y->valid_until.has)
        text_add(begin(p, "valid until", ""), "%s", date_text(instant(y->valid_until.at.s - 1)).s);
    say_pool(p, y);
    if (y->has_expect) text_add(begin(p, "expected tenants", ""), "%lld", (long long)y->expect);
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
    bool is_reason = strncmp(what, "reason of ", 10) == 0;
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

void differ_plain(const struct policy *before, const struct policy *after, json_t *list) {
    struct plainly a = {0}, b = {0};
    say_all(&a, before);
    say_all(&b, after);
    for (size_t i = 0; i < a.n; i++) line(list, a.of[i].what.s, &a.of[i], find(&b, a.of[i].what.s));
    for (size_t i = 0; i < b.n; i++)
        if (!find(&a, b.of[i].what.s)) line(list, b.of[i].what.s, NULL, &b.of[i]);
    plainly_free(&a);
    plainly_free(&b);
}
