/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about sharing: the queue, lending of guarantees, what lies idle. */
#include "policies/parser.h"

#include "alloc/scope.h"

/* ---- queue ---- */

static const char *const order_words[ORDER_KEYS] = {"share", "credits", "wait", "id"}; /* enum order_key */

struct queue_stated {
    struct queue_rule queue;
    struct place keys[ORDER_KEYS];
};

static bool order_key(struct parser *p, struct queue_stated *s) {
    struct queue_rule *q = &s->queue;
    struct place place = p->now.place;
    size_t k = 0;
    while (k < ORDER_KEYS && !parser_take_word(p, order_words[k])) k++;
    if (k == ORDER_KEYS) return parser_expected_one(p, order_words, ORDER_KEYS);
    if (s->keys[k].length > 0) {
        parser_twice(p, place, s->keys[k], order_words[k]);
        return true;
    }
    if (s->keys[ORDER_ID].length > 0) {
        diagnose_clash(p->d, LEVEL_ERROR, place, s->keys[ORDER_ID], "ids are never equal",
                       "nothing comes after 'id' in an order");
        p->failed = true;
        return true;
    }
    s->keys[k] = place;
    q->order[q->n_order++] = (enum order_key)k;
    return true;
}

static bool queue_order(struct parser *p, void *rule, struct place word) {
    ((struct queue_stated *)rule)->queue.order_place = word;
    do {
        if (!order_key(p, rule)) return false;
    } while (parser_take_sign(p, ","));
    return true;
}

static bool queue_weigh(struct parser *p, void *rule, struct place word) {
    static const char *const words[] = {"total", "surplus"};
    struct queue_rule *q = &((struct queue_stated *)rule)->queue;
    q->weigh_place = word;
    q->weigh_surplus = parser_take_word(p, "surplus");
    return q->weigh_surplus || parser_take_word(p, "total") || parser_expected_one(p, words, 2);
}

static bool queue_strict(struct parser *p, void *rule, struct place word) {
    struct queue_rule *q = &((struct queue_stated *)rule)->queue;
    (void)p;
    q->strict_place = word;
    return q->strict = true;
}

static bool queue_lift(struct parser *p, void *rule, struct place word) {
    struct queue_rule *q = &((struct queue_stated *)rule)->queue;
    (void)word;
    q->has_lift = true;
    return parser_need_span(p, &q->lift, &q->lift_place);
}

static bool queue_barrier(struct parser *p, void *rule, struct place word) {
    struct queue_rule *q = &((struct queue_stated *)rule)->queue;
    (void)word;
    q->has_barrier = true;
    q->barriers = 1;
    if (!parser_need_span(p, &q->barrier, &q->barrier_place)) return false;
    return !parser_take_word(p, "max") || parser_need_count(p, "a number of barriers", 1, 1000, &q->barriers);
}

static bool queue_partial(struct parser *p, void *rule, struct place word) {
    static const char *const steps[] = {"steps"};
    struct queue_rule *q = &((struct queue_stated *)rule)->queue;
    (void)word;
    q->has_partial = true;
    if (parser_take_word(p, "none")) return true;
    if (p->now.kind != TOKEN_NUMBER) {
        static const char *const words[] = {"none"};
        return parser_expected_word(p, "a number of steps or 'none'", words, 1);
    }
    if (!parser_need_count(p, "a number of steps", 1, UNITS_MOST, &q->partial)) return false;
    return parser_take_word(p, "steps") || parser_take_word(p, "step") || parser_expected_one(p, steps, 1);
}

static bool queue_hold(struct parser *p, void *rule, struct place word) {
    struct queue_rule *q = &((struct queue_stated *)rule)->queue;
    (void)word;
    q->has_hold = true;
    return parser_need_span(p, &q->hold, &q->hold_place);
}

/* The order always ends in the id, stated or not. */
static void order_finish(struct queue_rule *q) {
    if (q->n_order == 0) q->order[q->n_order++] = ORDER_WAIT;
    if (q->order[q->n_order - 1] != ORDER_ID) q->order[q->n_order++] = ORDER_ID;
}

bool parse_queue(struct parser *p, struct word id) {
    static const struct parser_item items[] = {
        {"order", queue_order, false}, {"weigh", queue_weigh, false},     {"strict", queue_strict, false},
        {"lift", queue_lift, false},   {"barrier", queue_barrier, false}, {"partial", queue_partial, false},
        {"hold", queue_hold, false}};
    static const struct parser_items list = {items, 7, .when = false};
    struct queue_stated s = {.queue = {.id = id}};
    struct queue_rule *q = &p->policy->queue;
    if (!parser_take_items(p, &list, &s) || !parser_rule_end_bare(p, "queue")) return false;
    if (q->id.s) parser_twice(p, id.place, q->id.place, "queue");
    order_finish(&s.queue);
    *q = s.queue;
    return true;
}

/* ---- borrow ---- */

static bool borrow_lend(struct parser *p, void *rule, struct place word) {
    struct borrow_rule *b = rule;
    (void)word;
    b->has_lend = true;
    return parser_need_percent(p, "a part of the unused guarantees in percent", 0, &b->lend_most,
                               &b->lend_place);
}

static bool borrow_notice(struct parser *p, void *rule, struct place word) {
    struct borrow_rule *b = rule;
    (void)word;
    b->has_notice = true;
    return parser_need_span(p, &b->notice, &b->notice_place);
}

static bool borrow_hold(struct parser *p, void *rule, struct place word) {
    struct borrow_rule *b = rule;
    (void)word;
    return parser_need_span(p, &b->min_hold, &b->min_hold_place);
}

static bool borrow_most(struct parser *p, void *rule, struct place word) {
    static const char *const tenants[] = {"tenants"};
    struct borrow_rule *b = rule;
    (void)word;
    b->has_most = true;
    if (!parser_need_count(p, "a number of tenants", 1, 1000000, &b->most)) return false;
    return parser_take_word(p, "tenants") || parser_take_word(p, "tenant") ||
           parser_expected_one(p, tenants, 1);
}

bool parse_borrow(struct parser *p, struct word id) {
    static const struct parser_item items[] = {{"lend-max", borrow_lend, false},
                                               {"notice", borrow_notice, false},
                                               {"min-hold", borrow_hold, false},
                                               {"most", borrow_most, false}};
    static const struct parser_items list = {items, 4, .commas = true};
    struct borrow_rule b = {.id = id}, *first = &p->policy->borrow;
    if (!parser_take_items(p, &list, &b) || !parser_rule_end_bare(p, "borrow")) return false;
    if (first->id.s) parser_twice(p, id.place, first->id.place, "borrow");
    *first = b;
    return true;
}

/* ---- idle, unused ---- */

static bool idle_lose(struct parser *p, void *rule, struct place word) {
    struct idle_rule *i = rule;
    return parser_need_percent(p, "a part of it in percent", 1, &i->lose, &word);
}

static bool idle_notice(struct parser *p, void *rule, struct place word) {
    struct idle_rule *i = rule;
    (void)word;
    return parser_need_span(p, &i->notice, &i->notice_place);
}

static bool idle_appeal(struct parser *p, void *rule, struct place word) {
    struct idle_rule *i = rule;
    (void)word;
    return parser_need_span(p, &i->appeal, &i->appeal_place);
}

static bool idle_keep(struct parser *p, void *rule, struct place word) {
    struct idle_rule *i = rule;
    (void)word;
    return i->keep_guarantee = parser_need_word(p, "guarantee");
}

static bool idle_rule(struct parser *p, struct idle_rule *r) {
    static const struct parser_item items[] = {{"lose", idle_lose, false},
                                               {"notice", idle_notice, false},
                                               {"appeal", idle_appeal, false},
                                               {"keep", idle_keep, false}};
    static const struct parser_items list = {items, 4, .commas = true, .commas_first = true, .when = true};
    struct policy *y = p->policy;
    if (!parser_room_for(p, y->n_idles, POLICY_RULES, "idle rules")) return false;
    if (!parser_need_name(p, "the name of a metric", &r->metric) || !parser_need_sign(p, "<") ||
        !parser_need_percent(p, "a part of full use in percent", 1, &r->below, &r->below_place) ||
        !parser_need_word(p, "for") || !parser_need_span(p, &r->window, &r->window_place) ||
        !parser_take_items(p, &list, r) || !parser_rule_end(p, &r->when))
        return false;
    y->idles = mem_grow(y->idles, &p->room_idles, y->n_idles + 1, sizeof *r);
    y->idles[y->n_idles++] = *r;
    return true;
}

bool parse_idle(struct parser *p, struct word id) {
    struct idle_rule r = {.id = id, .lose = 100};
    return idle_rule(p, &r);
}

bool parse_unused(struct parser *p, struct word id) {
    struct idle_rule r = {.id = id, .unused = true, .lose = 100};
    return idle_rule(p, &r);
}
