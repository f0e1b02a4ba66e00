/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ceilings on single items: units of a flavor, seats of a service, for a tenant and for its organisation.
 * Items are numbered: the lanes first, then the services.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static size_t items_of(const struct planning *p) { return p->n_lanes + p->n_shelves; }
static size_t item_lane(size_t lane) { return lane; }
static size_t item_shelf(const struct planning *p, const struct shelf *s) {
    return p->n_lanes + (size_t)(s - p->shelves);
}

static void item_name(const struct planning *p, size_t item, struct text *t) {
    if (item < p->n_lanes)
        text_add(t, "unit/%s", p->lanes[item].flavor->name);
    else
        text_add(t, "seat/%s", p->shelves[item - p->n_lanes].service->name);
}

static bool item_find(const struct planning *p, const char *name, size_t *item) {
    struct text t = {0};
    bool found = false;
    for (*item = 0; *item < items_of(p); ++*item) {
        item_name(p, *item, &t);
        found = strcmp(t.s, name) == 0;
        text_free(&t);
        if (found) return true;
    }
    return false;
}

/* ---- what is held ---- */

static bool limits_items(const struct policy *policy) {
    for (size_t i = 0; policy && i < policy->n_ceilings; i++)
        if (policy->ceilings[i].n_items > 0) return true;
    return false;
}

static void holdings_add(const struct planning *p, struct work *w) {
    const struct fact_tenant *t = w->tenant;
    for (size_t i = 0; i < t->n_holdings; i++) {
        size_t item;
        if (!item_find(p, t->holdings[i].item, &item)) continue;
        w->seat->items[item] = t->holdings[i].held;
        if (t->holdings[i].organisation > w->organisation->items[item])
            w->organisation->items[item] = t->holdings[i].organisation;
    }
}

void items_begin(struct planning *p) {
    size_t n = items_of(p);
    if (n == 0 || !limits_items(p->policy)) return;
    p->item_use = mem_alloc(2 * p->n * n * sizeof *p->item_use);
    p->item_limits = mem_alloc(p->n * n * sizeof *p->item_limits);
    for (size_t i = 0; i < p->n; i++) {
        p->seats[i].items = p->item_use + i * n;
        p->organisations[i].items = p->item_use + (p->n + i) * n;
        p->works[i].items = p->item_limits + i * n;
    }
    for (size_t i = 0; i < p->n; i++) holdings_add(p, &p->works[i]);
}

void items_end(struct planning *p) {
    free(p->item_use);
    free(p->item_limits);
}

static void item_give(struct work *w, size_t item, int64_t n) {
    if (!w->seat->items) return;
    w->seat->items[item] += n;
    w->organisation->items[item] += n;
}

void items_give_units(struct work *w, size_t lane, int64_t units) { item_give(w, item_lane(lane), units); }

void items_give_seats(const struct planning *p, struct work *w, const struct shelf *s, int64_t seats) {
    item_give(w, item_shelf(p, s), seats);
}

/* ---- the limits of a claim ---- */

static void tighten(struct item_rule *now, const struct ceiling *c, int64_t most) {
    if (now->ceiling && now->most <= most) return;
    *now = (struct item_rule){c, most};
}

/* aside: the ceiling is set aside by an override; its items count as limited. */
void items_limit(struct planning *p, struct work *w, const struct ceiling *c, bool aside) {
    for (size_t i = 0; w->items && i < c->n_items; i++) {
        const struct item_limit *limit = &c->items[i];
        size_t item;
        struct text name = {0};
        text_add(&name, "%s/%s", limit->seats ? "seat" : "unit", limit->name.s);
        if (item_find(p, name.s, &item)) {
            if (aside)
                w->items[item].aside = true;
            else
                tighten(c->per_organisation ? &w->items[item].organisation : &w->items[item].tenant, c,
                        limit->most);
        }
        text_free(&name);
    }
}

static int64_t replaced(const struct planning *p, const struct work *w, size_t item) {
    const struct fact_replaced *old = &w->claim->replaces;
    for (size_t i = 0; i < old->n_holdings; i++) {
        size_t at;
        if (item_find(p, old->holdings[i].item, &at) && at == item) return old->holdings[i].held;
    }
    return 0;
}

static int64_t item_held(const struct planning *p, const struct work *w, const struct party *party,
                         size_t item) {
    return party->items[item] - replaced(p, w, item);
}

/* What one rule leaves it; INT64_MAX: no rule. */
static int64_t rule_room(const struct planning *p, const struct work *w, const struct item_rule *rule,
                         const struct party *party, size_t item) {
    return rule->ceiling ? rule->most - item_held(p, w, party, item) : INT64_MAX;
}

static int64_t item_room(const struct planning *p, const struct work *w, size_t item,
                         const struct ceiling **by) {
    if (!w->items) return INT64_MAX;
    const struct item_limits *l = &w->items[item];
    int64_t own = rule_room(p, w, &l->tenant, w->seat, item);
    int64_t all = rule_room(p, w, &l->organisation, w->organisation, item);
    if (by) *by = own <= all ? l->tenant.ceiling : l->organisation.ceiling;
    return own < all ? own : all;
}

int64_t room_units(const struct planning *p, const struct work *w, size_t lane) {
    return item_room(p, w, item_lane(lane), NULL);
}

const struct ceiling *room_units_by(const struct planning *p, const struct work *w, size_t lane) {
    const struct ceiling *by = NULL;
    item_room(p, w, item_lane(lane), &by);
    return by;
}

/* Is there a ceiling on this item at all? What no ceiling limits is held for a person. */
static bool is_limited(const struct work *w, size_t item) {
    if (!w->items) return false;
    const struct item_limits *l = &w->items[item];
    return l->aside || l->tenant.ceiling || l->organisation.ceiling;
}

bool items_limited_units(const struct work *w, size_t lane) { return is_limited(w, item_lane(lane)); }

bool items_limited_seats(const struct planning *p, const struct work *w, const struct shelf *s) {
    return is_limited(w, item_shelf(p, s));
}

void items_make(struct planning *p, const struct work *w, struct plan_limits *out) {
    for (size_t i = 0; w->items && i < items_of(p); i++) {
        const struct item_limits *l = &w->items[i];
        if (!l->tenant.ceiling && !l->organisation.ceiling) continue;
        struct text name = {0};
        item_name(p, i, &name);
        if (!out->items) out->items = arena_take(&p->memory, items_of(p) * sizeof *out->items);
        out->items[out->n_items++] =
            (struct plan_item_limit){.item = arena_text(&p->memory, name.s),
                                     .has = l->tenant.ceiling != NULL,
                                     .has_organisation = l->organisation.ceiling != NULL,
                                     .most = l->tenant.most,
                                     .organisation = l->organisation.most};
        text_free(&name);
    }
}

/* ---- what exceeds them ---- */

/* A count of an item: "4 units of warboy". */
struct asked {
    size_t item;
    int64_t asks, least;
    bool seats;
    const char *name;
};

static void say_over(struct planning *p, struct work *w, const struct asked *a, bool of_organisation) {
    const struct party *party = of_organisation ? w->organisation : w->seat;
    const struct item_rule *rule =
        of_organisation ? &w->items[a->item].organisation : &w->items[a->item].tenant;
    int64_t held = item_held(p, w, party, a->item), room = rule->most - held;
    bool debt = room < 0;
    const char *of = a->seats ? "seats" : "units", *who = of_organisation ? "organisation " : "",
               *who_ko = of_organisation ? "기관 " : "", *count = a->seats ? "석" : "개";
    struct reason *r = reason_add(&w->reasons, debt ? REASON_DEBT : REASON_EXCEEDS_CEILING, true, p->policy,
                                  &rule->ceiling->id);
    if (debt) {
        reason_en(r, "%s%s may hold %lld %s of %s but holds %lld: nothing new until it is below", who,
                  party->name, (long long)rule->most, of, a->name, (long long)held);
        reason_ko(r, "%s%s의 %s 한도는 %lld%s인데 %lld%s 보유 중이어서 새로 배정할 수 없습니다", who_ko,
                  party->name, a->name, (long long)rule->most, count, (long long)held, count);
        reason_hint_en(r, "release %lld %s of %s first", (long long)-room, of, a->name);
        reason_hint_ko(r, "먼저 %s %lld%s 이상을 반납하십시오", a->name, (long long)-room, count);
    } else {
        reason_en(r, "%s%s may hold %lld %s of %s, holds %lld; %s asked for %lld%s", who, party->name,
                  (long long)rule->most, of, a->name, (long long)held, w->tenant->name, (long long)a->asks,
                  a->least < a->asks ? ", and its minimum does not fit either" : "");
        reason_ko(r, "%s%s의 %s 한도는 %lld%s이고 현재 %lld%s 보유 중인데, %s의 신청은 %lld%s입니다", who_ko,
                  party->name, a->name, (long long)rule->most, count, (long long)held, count, w->tenant->name,
                  (long long)a->asks, count);
        int64_t pass = a->seats ? room : claim_down(p, w, a->item, room);
        int64_t is_free = a->seats ? p->shelves[a->item - p->n_lanes].free : p->lanes[a->item].free;
        int64_t now = a->seats ? smaller(pass, is_free) : claim_down(p, w, a->item, smaller(pass, is_free));
        if (pass > 0 && now == pass) {
            reason_hint_en(r, "ask for %lld now", (long long)pass);
            reason_hint_ko(r, "지금은 %lld%s까지 신청할 수 있습니다", (long long)pass, count);
        } else if (pass > 0 && now > 0) {
            reason_hint_en(r, "ask for %lld now, or for %lld and wait", (long long)now, (long long)pass);
            reason_hint_ko(r, "지금은 %lld%s까지, 기다리면 %lld%s까지 신청할 수 있습니다", (long long)now,
                           count, (long long)pass, count);
        } else if (pass > 0) {
            reason_hint_en(r, "none is free now: ask for %lld and wait", (long long)pass);
            reason_hint_ko(r, "지금은 남은 자원이 없습니다. 기다리면 %lld%s까지 신청할 수 있습니다",
                           (long long)pass, count);
        } else if (held > 0) {
            reason_hint_en(r, "release some first");
            reason_hint_ko(r, "먼저 자원을 반납하십시오");
        }
    }
    w->outcome = OUTCOME_DENY;
}

static void judge_asked(struct planning *p, struct work *w, const struct asked *a) {
    const struct item_limits *l = &w->items[a->item];
    if (rule_room(p, w, &l->tenant, w->seat, a->item) < a->least) say_over(p, w, a, false);
    if (rule_room(p, w, &l->organisation, w->organisation, a->item) < a->least) say_over(p, w, a, true);
}

static bool lane_allowed(const struct planning *p, const struct work *w, size_t lane) {
    int64_t floor = w->options[lane].floor, room = room_compute(w);
    int64_t compute = floor * p->lanes[lane].flavor->rating.n;
    return floor <= room_units(p, w, lane) && (room == INT64_MAX || compute <= room);
}

/* One flavor that its ceilings allow is enough. */
static void judge_lanes(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    size_t blocked = p->n_lanes;
    for (size_t i = 0; i < p->n_lanes; i++) {
        if (w->options[i].floor == 0) continue;
        if (lane_allowed(p, w, i)) return;
        if (blocked == p->n_lanes && w->options[i].floor > room_units(p, w, i)) blocked = i;
    }
    if (blocked == p->n_lanes || w->mixed) return;
    int64_t asks = c->ask == ASK_UNITS ? c->units.n : w->options[blocked].most;
    judge_asked(p, w,
                &(struct asked){item_lane(blocked), asks, w->options[blocked].floor, false,
                                p->lanes[blocked].flavor->name});
}

void judge_items(struct planning *p, struct work *w) {
    if (!w->items) return;
    if (w->claim->ask != ASK_NONE && w->outcome != OUTCOME_DENY) judge_lanes(p, w);
    for (size_t i = 0; i < w->claim->n_seats; i++) {
        const struct fact_seats *asked = &w->claim->seats[i];
        const struct shelf *s = shelf_find(p, asked->service);
        if (s)
            judge_asked(p, w,
                        &(struct asked){item_shelf(p, s), asked->seats, asked->seats, true, asked->service});
    }
}

bool items_allow(const struct planning *p, const struct work *w) {
    bool lane = w->claim->ask == ASK_NONE || w->mixed;
    if (!w->items) return true;
    for (size_t i = 0; i < p->n_lanes && !lane; i++) lane = w->options[i].floor > 0 && lane_allowed(p, w, i);
    for (size_t i = 0; i < w->claim->n_seats; i++) {
        const struct shelf *s = shelf_find(p, w->claim->seats[i].service);
        if (s && item_room(p, w, item_shelf(p, s), NULL) < w->claim->seats[i].seats) return false;
    }
    return lane;
}
