/* SPDX-License-Identifier: Apache-2.0 */
/* The ceilings against what a tenant and its organisation hold now, with what this plan gave them. */
#include "policies/planning.h"

/* As if what the claim replaces were gone already. */
static int64_t party_compute(const struct work *w, const struct party *x) {
    return x->compute + x->given_compute - w->claim->replaces.compute.n;
}
static int64_t party_storage(const struct work *w, const struct party *x) {
    return x->storage + x->given_storage - w->claim->replaces.storage.n;
}

int64_t room_compute(const struct work *w) {
    int64_t room;
    budget_near(w, false, &room);
    if (w->compute) room = smaller(room, w->compute->compute.n - party_compute(w, w->seat));
    if (w->organisation_compute)
        room = smaller(room, w->organisation_compute->compute.n - party_compute(w, w->organisation));
    return room;
}

const struct word *room_compute_by(const struct work *w, bool *is_budget) {
    int64_t all = room_compute(w), of_budget;
    const struct budget *budget = budget_near(w, false, &of_budget);
    *is_budget = budget && of_budget == all;
    if (*is_budget) return &budget->id;
    bool own = w->compute && w->compute->compute.n - party_compute(w, w->seat) == all;
    const struct ceiling *c = own ? w->compute : w->organisation_compute;
    return c ? &c->id : NULL;
}

int64_t room_storage(const struct work *w) {
    int64_t room;
    budget_near(w, true, &room);
    if (w->storage) room = smaller(room, w->storage->storage.n - party_storage(w, w->seat));
    if (w->organisation_storage)
        room = smaller(room, w->organisation_storage->storage.n - party_storage(w, w->organisation));
    return room;
}

/* One limit of one party: what it may hold, holds, and what the claim asks or takes at least. */
struct limit {
    const struct ceiling *ceiling;
    const struct party *party;
    bool of_organisation, compute, lake; /* lake: storage and data lake together */
    int64_t may, holds, asks, least;
};

static struct amount_text amount(const struct limit *l, int64_t n) {
    return l->compute ? gflops_text(gflops(n)) : bytes_text(bytes(n));
}

static const char *kind_en(const struct limit *l) {
    return l->compute ? "" : l->lake ? " of storage and data lake" : " of storage";
}
static const char *kind_ko(const struct limit *l) {
    return l->compute ? "연산" : l->lake ? "저장 공간과 데이터 레이크" : "저장 공간";
}

static void say_debt(struct planning *p, struct work *w, const struct limit *l) {
    struct reason *r = reason_add(&w->reasons, REASON_DEBT, true, p->policy, &l->ceiling->id);
    struct amount_text may = amount(l, l->may), holds = amount(l, l->holds),
                       over = amount(l, l->holds - l->may);
    const char *who = l->of_organisation ? "organisation " : "", *who_ko = l->of_organisation ? "기관 " : "";
    reason_en(r, "%s%s may hold %s%s but holds %s: nothing new until it is below", who, l->party->name, may.s,
              kind_en(l), holds.s);
    reason_ko(r,
              "%s%s의 %s 한도는 %s인데 %s를 보유하고 있어 한도 아래로 내려갈 때까지 새로 배정할 수 없습니다",
              who_ko, l->party->name, kind_ko(l), may.s, holds.s);
    reason_hint_en(r, "release %s%s first", over.s, kind_en(l));
    reason_hint_ko(r, "먼저 %s %s 이상을 반납하십시오", kind_ko(l), over.s);
    w->outcome = OUTCOME_DENY;
}

/* What passes under a ceiling: words, and the amount; 0: nothing. */
struct passing {
    int64_t n;
    char words[128];
};

static struct passing bytes_passing(const struct planning *p, int64_t most) {
    int64_t granule = p->facts->pool.granule.n > 0 ? p->facts->pool.granule.n : 1;
    struct passing pass = {.n = most > 0 ? most / granule * granule : 0};
    text_format(pass.words, sizeof pass.words, "%s", bytes_text(bytes(pass.n)).s);
    return pass;
}

static struct passing compute_passing(const struct planning *p, const struct work *w, int64_t most,
                                      bool of_free) {
    struct passing pass = {0};
    size_t lane;
    int64_t n;
    if (most <= 0 || !claim_best(p, w, most, of_free, &lane, &n)) return pass;
    const struct fact_flavor *f = p->lanes[lane].flavor;
    pass.n = n * f->rating.n;
    text_format(pass.words, sizeof pass.words, "%s (%s x %lld)", gflops_text(gflops(pass.n)).s, f->name,
                (long long)n);
    return pass;
}

/* What could be asked for: what is free of it now, what it would wait for, and giving something back. */
static void hint_room(struct planning *p, struct work *w, const struct limit *l, struct reason *r) {
    int64_t room = l->may - l->holds, have = p->storage_free + (l->lake ? p->datalake_free : 0);
    struct passing all = l->compute ? compute_passing(p, w, room, false) : bytes_passing(p, room),
                   now =
                       l->compute ? compute_passing(p, w, room, true) : bytes_passing(p, smaller(room, have));
    bool again = l->holds > 0;
    const char *of = kind_en(l), *back = again ? ", or release a grant first" : "",
               *ko = again ? "하거나 먼저 자원을 반납하십시오" : "할 수 있습니다";
    if (all.n == 0) {
        if (!again) return;
        reason_hint_en(r, "release a grant first");
        reason_hint_ko(r, "먼저 자원을 반납하십시오");
    } else if (now.n == all.n) {
        reason_hint_en(r, "ask for %s%s now%s", now.words, of, back);
        reason_hint_ko(r, "지금은 %s까지 신청%s", now.words, ko);
    } else if (now.n > 0) {
        reason_hint_en(r, "ask for %s%s now, or for %s and wait%s", now.words, of, all.words, back);
        reason_hint_ko(r, "지금은 %s까지, 기다리면 %s까지 신청%s", now.words, all.words, ko);
    } else {
        reason_hint_en(r, "nothing of it is free now: ask for %s%s and wait%s", all.words, of, back);
        reason_hint_ko(r, "지금은 남은 자원이 없습니다. 기다리면 %s까지 신청%s", all.words, ko);
    }
}

static void say_exceeds(struct planning *p, struct work *w, const struct limit *l) {
    struct reason *r = reason_add(&w->reasons, REASON_EXCEEDS_CEILING, true, p->policy, &l->ceiling->id);
    struct amount_text may = amount(l, l->may), holds = amount(l, l->holds), asks = amount(l, l->asks);
    char least_en[80] = "", least_ko[80] = "";
    if (l->least < l->asks) {
        text_format(least_en, sizeof least_en, " and at least %s", amount(l, l->least).s);
        text_format(least_ko, sizeof least_ko, "(최소 %s)", amount(l, l->least).s);
    }
    if (l->of_organisation) {
        reason_en(r, "organisation %s may hold %s%s, holds %s; %s asked for %s%s", l->party->name, may.s,
                  kind_en(l), holds.s, w->tenant->name, asks.s, least_en);
        reason_ko(r, "기관 %s의 %s 한도는 %s이고 현재 %s를 보유하고 있는데, %s의 신청은 %s%s입니다",
                  l->party->name, kind_ko(l), may.s, holds.s, w->tenant->name, asks.s, least_ko);
    } else {
        reason_en(r, "%s may hold %s%s, holds %s, asked for %s%s", l->party->name, may.s, kind_en(l), holds.s,
                  asks.s, least_en);
        reason_ko(r, "%s의 %s 한도는 %s이고 현재 %s를 보유하고 있는데, 신청은 %s%s입니다", l->party->name,
                  kind_ko(l), may.s, holds.s, asks.s, least_ko);
    }
    hint_room(p, w, l, r);
    w->outcome = OUTCOME_DENY;
}

static void judge_limit(struct planning *p, struct work *w, struct limit l) {
    if (!l.ceiling) return;
    l.may = l.compute ? l.ceiling->compute.n : l.ceiling->storage.n;
    l.holds = l.compute ? party_compute(w, l.party) : party_storage(w, l.party);
    if (l.holds > l.may)
        say_debt(p, w, &l);
    else if (l.least > l.may - l.holds)
        say_exceeds(p, w, &l);
}

static int64_t times(int64_t units, int64_t rating) {
    int64_t n;
    return __builtin_mul_overflow(units, rating, &n) ? INT64_MAX : n;
}

/* The compute that it asks, and the least of any of its flavors that it would take. */
static void compute_asked(const struct planning *p, const struct work *w, int64_t *asks, int64_t *least) {
    const struct fact_claim *c = w->claim;
    *asks = *least = 0;
    if (c->ask == ASK_NONE) return;
    *asks = c->ask == ASK_COMPUTE ? c->compute.n : INT64_MAX;
    *least = c->ask == ASK_COMPUTE && !w->has_minimum ? c->compute.n : INT64_MAX;
    for (size_t i = 0; i < p->n_lanes; i++) {
        const struct option *o = &w->options[i];
        int64_t rating = p->lanes[i].flavor->rating.n;
        if (o->most == 0) continue;
        if (c->ask == ASK_UNITS) *asks = smaller(*asks, times(c->units.n, rating));
        if (w->has_minimum)
            *least = smaller(*least, o->floor * rating);
        else if (c->ask == ASK_UNITS)
            *least = smaller(*least, times(c->units.n, rating));
    }
    if (w->mixed && w->has_minimum) *least = smaller(*least, c->minimum_compute.n);
}

static bool allows(const struct planning *p, const struct work *w, int64_t least) {
    return least <= room_compute(w) && w->claim->storage.n + w->claim->datalake.n <= room_storage(w) &&
           items_allow(p, w);
}

bool room_allows(const struct planning *p, const struct work *w) {
    int64_t asks, least;
    compute_asked(p, w, &asks, &least);
    return allows(p, w, least);
}

void judge_room(struct planning *p, struct work *w) {
    int64_t asks, least;
    compute_asked(p, w, &asks, &least);
    if (allows(p, w, least)) return;
    judge_limit(p, w, (struct limit){w->compute, w->seat, false, true, false, 0, 0, asks, least});
    judge_limit(
        p, w, (struct limit){w->organisation_compute, w->organisation, true, true, false, 0, 0, asks, least});
    int64_t stored = w->claim->storage.n + w->claim->datalake.n; /* one umbrella over both */
    bool lake = w->claim->datalake.n > 0;
    judge_limit(p, w, (struct limit){w->storage, w->seat, false, false, lake, 0, 0, stored, stored});
    judge_limit(
        p, w,
        (struct limit){w->organisation_storage, w->organisation, true, false, lake, 0, 0, stored, stored});
    judge_items(p, w);
    judge_budgets(p, w, least, stored);
}
