/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a claim asks beside compute: storage, data lake, seats. None of it is ever partial, and all of it is
 * decided in one with the compute. Storage and data lake are rounded down to the granule of the pool.
 */
#include "policies/planning.h"

#include <string.h>

static void deny(struct work *w) { w->outcome = OUTCOME_DENY; }

/* ---- what it can mean at all ---- */

/* Storage or data lake, for people. */
struct kind {
    const char *en, *ko, *ko_subject; /* ko_subject: with its particle */
};
static const struct kind storage = {"storage", "저장 공간", "저장 공간이"},
                         datalake = {"data lake", "데이터 레이크", "데이터 레이크가"};

static int64_t judge_bytes(struct planning *p, struct work *w, const struct kind *kind, int64_t asked,
                           int64_t capacity) {
    const struct fact_pool *pool = &p->facts->pool;
    int64_t granule = pool->granule.n > 0 ? pool->granule.n : 1, rounded = asked / granule * granule;
    struct reason *r;
    if (asked > 0 && rounded == 0) {
        r = reason_add(&w->reasons, REASON_BELOW_SMALLEST_STEP, true, NULL, NULL);
        reason_en(r, "%s asked for %s of %s; the smallest step is %s", w->tenant->name,
                  bytes_text(bytes(asked)).s, kind->en, bytes_text(bytes(granule)).s);
        reason_ko(r, "%s의 %s 신청 %s은(는) 가장 작은 단위 %s보다 작습니다", w->tenant->name, kind->ko,
                  bytes_text(bytes(asked)).s, bytes_text(bytes(granule)).s);
        deny(w);
    }
    if (rounded > capacity) {
        r = reason_add(&w->reasons, REASON_EXCEEDS_POOL, true, NULL, NULL);
        reason_en(r, "%s asked for %s of %s; pool %s has %s in all", w->tenant->name,
                  bytes_text(bytes(asked)).s, kind->en, pool->name, bytes_text(bytes(capacity)).s);
        reason_ko(r, "%s의 %s 신청은 %s이지만 자원 풀 %s에는 모두 %s만 있습니다", w->tenant->name, kind->ko,
                  bytes_text(bytes(asked)).s, pool->name, bytes_text(bytes(capacity)).s);
        if (capacity >= granule) {
            reason_hint_en(r, "ask for %s or less", bytes_text(bytes(capacity / granule * granule)).s);
            reason_hint_ko(r, "%s 이내로 신청하십시오", bytes_text(bytes(capacity / granule * granule)).s);
        }
        deny(w);
    }
    return rounded;
}

struct shelf *shelf_find(const struct planning *p, const char *service) {
    for (size_t i = 0; i < p->n_shelves; i++)
        if (strcmp(p->shelves[i].service->name, service) == 0) return &p->shelves[i];
    return NULL;
}

static void deny_service(struct planning *p, struct work *w, const char *service) {
    const char *names[POLICY_SERVICES];
    struct text all = {0};
    size_t n = p->n_shelves < POLICY_SERVICES ? p->n_shelves : POLICY_SERVICES;
    for (size_t i = 0; i < n; i++) {
        names[i] = p->shelves[i].service->name;
        text_add(&all, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = text_nearest(service, names, n);
    struct reason *r = reason_add(&w->reasons, REASON_NO_SUCH_SERVICE, true, NULL, NULL);
    reason_en(r, "pool %s has no service '%s'", p->facts->pool.name, service);
    reason_ko(r, "자원 풀 %s에는 '%s' 서비스가 없습니다", p->facts->pool.name, service);
    if (near) {
        reason_hint_en(r, "did you mean '%s'? (there are: %s)", near, all.s);
        reason_hint_ko(r, "'%s'을(를) 찾으십니까? (가능한 서비스: %s)", near, all.s);
    } else if (all.s) {
        reason_hint_en(r, "ask for one of: %s", all.s);
        reason_hint_ko(r, "다음 중에서 고르십시오: %s", all.s);
    }
    text_free(&all);
    deny(w);
}

static void judge_seats(struct planning *p, struct work *w, const struct fact_seats *asked) {
    const struct shelf *s = shelf_find(p, asked->service);
    if (!s) {
        deny_service(p, w, asked->service);
        return;
    }
    if (asked->seats <= s->service->seats) return;
    struct reason *r = reason_add(&w->reasons, REASON_EXCEEDS_POOL, true, NULL, NULL);
    reason_en(r, "%s asked for %lld seats of %s; pool %s has %lld in all", w->tenant->name,
              (long long)asked->seats, asked->service, p->facts->pool.name, (long long)s->service->seats);
    reason_ko(r, "%s의 %s 좌석 신청은 %lld석이지만 자원 풀 %s에는 모두 %lld석만 있습니다", w->tenant->name,
              asked->service, (long long)asked->seats, p->facts->pool.name, (long long)s->service->seats);
    if (s->service->seats > 0) {
        reason_hint_en(r, "ask for %lld or less", (long long)s->service->seats);
        reason_hint_ko(r, "%lld석 이내로 신청하십시오", (long long)s->service->seats);
    }
    deny(w);
}

void judge_rest(struct planning *p, struct work *w) {
    const struct fact_claim *c = w->claim;
    w->bytes = judge_bytes(p, w, &storage, c->storage.n, p->facts->pool.storage_capacity.n);
    w->lake = judge_bytes(p, w, &datalake, c->datalake.n, p->facts->pool.datalake_capacity.n);
    for (size_t i = 0; i < c->n_seats; i++) judge_seats(p, w, &c->seats[i]);
    if (c->ask == ASK_NONE && c->storage.n == 0 && c->datalake.n == 0 && c->n_seats == 0) {
        struct reason *r = reason_add(&w->reasons, REASON_BELOW_SMALLEST_STEP, true, NULL, NULL);
        reason_en(r, "%s asked for nothing", w->tenant->name);
        reason_ko(r, "%s의 신청에 자원이 없습니다", w->tenant->name);
        deny(w);
    }
}

/* ---- what there is of it ---- */

/* The i-th thing beside units that it may ask for; false: no more. */
static bool rest_at(const struct planning *p, const struct work *w, size_t i, struct rest *out) {
    if (i >= 2 + w->claim->n_seats) return false;
    *out = i == 0   ? (struct rest){.kind = REST_STORAGE}
           : i == 1 ? (struct rest){.kind = REST_DATALAKE}
                    : (struct rest){REST_SEATS, shelf_find(p, w->claim->seats[i - 2].service)};
    return true;
}

int64_t rest_asked(const struct work *w, const struct rest *of) {
    if (of->kind == REST_STORAGE) return w->bytes;
    if (of->kind == REST_DATALAKE) return w->lake;
    for (size_t i = 0; of->shelf && i < w->claim->n_seats; i++)
        if (strcmp(w->claim->seats[i].service, of->shelf->service->name) == 0)
            return w->claim->seats[i].seats;
    return 0;
}

int64_t rest_free(const struct planning *p, const struct rest *of) {
    return of->kind == REST_STORAGE    ? p->storage_free
           : of->kind == REST_DATALAKE ? p->datalake_free
                                       : of->shelf->free;
}

static bool is_awaited(const struct planning *p, const struct rest *of) {
    return of->kind == REST_STORAGE    ? p->storage_awaited
           : of->kind == REST_DATALAKE ? p->datalake_awaited
                                       : of->shelf->awaited;
}

static bool is_short(const struct planning *p, const struct work *w, const struct rest *of) {
    return rest_asked(w, of) > rest_free(p, of);
}

static bool is_aside(const struct planning *p, const struct work *w, const struct rest *of) {
    return rest_asked(w, of) > barrier_left_rest(p, w, of);
}

/* ---- giving ---- */

static bool fits(const struct planning *p, const struct work *w, const struct rest *of) {
    if (rest_asked(w, of) == 0) return true;
    if (is_awaited(p, of) || is_short(p, w, of) || is_aside(p, w, of)) return false;
    return of->kind != REST_STORAGE || w->bytes <= lend_storage(p, w);
}

bool rest_fits(const struct planning *p, const struct work *w) {
    struct rest of;
    for (size_t i = 0; rest_at(p, w, i, &of); i++)
        if (!fits(p, w, &of)) return false;
    return true;
}

void rest_give(struct planning *p, struct work *w, int sign) {
    int64_t held = sign * (w->bytes + w->lake);
    p->storage_free -= sign * w->bytes;
    p->datalake_free -= sign * w->lake;
    w->seat->given_storage += held;
    w->organisation->given_storage += held;
    budgets_give(w, 0, held);
    for (size_t i = 0; i < w->claim->n_seats; i++) {
        struct shelf *s = shelf_find(p, w->claim->seats[i].service);
        int64_t seats = sign * w->claim->seats[i].seats;
        s->free -= seats;
        items_give_seats(p, w, s, seats);
    }
}

void rest_make(struct planning *p, const struct work *w, bytes_t *lake, struct plan_seats **seats,
               size_t *n_seats) {
    *lake = bytes(w->lake);
    if (w->claim->n_seats == 0) return;
    *seats = arena_take(&p->memory, w->claim->n_seats * sizeof **seats);
    for (size_t i = 0; i < w->claim->n_seats; i++)
        (*seats)[(*n_seats)++] =
            (struct plan_seats){arena_text(&p->memory, w->claim->seats[i].service), w->claim->seats[i].seats};
}

/* ---- waiting ---- */

void rest_wait(const struct planning *p, struct work *w) {
    struct rest of;
    for (size_t i = 0; rest_at(p, w, i, &of); i++) {
        if (rest_asked(w, &of) == 0) continue;
        if (is_short(p, w, &of)) {
            w->lacks[of.kind] = true;
            continue;
        }
        w->lacks_turn |= is_awaited(p, &of);
        if (of.kind == REST_STORAGE) w->short_storage = lend_shortage_storage(p, w);
        if (!is_awaited(p, &of)) w->aside[of.kind] |= is_aside(p, w, &of);
    }
}

bool rest_waits(const struct work *w) {
    bool waits = w->short_storage.is_short;
    for (size_t i = 0; i < REST_KINDS; i++) waits |= w->lacks[i] || w->aside[i];
    return waits;
}

void rest_await(struct planning *p, const struct work *w) {
    struct rest of;
    for (size_t i = 0; rest_at(p, w, i, &of); i++)
        if (is_short(p, w, &of))
            *(of.kind == REST_STORAGE    ? &p->storage_awaited
              : of.kind == REST_DATALAKE ? &p->datalake_awaited
                                         : &of.shelf->awaited) = true;
}

void rest_await_none(struct planning *p) {
    p->storage_awaited = p->datalake_awaited = false;
    for (size_t i = 0; i < p->n_shelves; i++) p->shelves[i].awaited = false;
}

/* ---- the sentences ---- */

static void say_bytes(struct work *w, const struct kind *kind, enum reason_code code, int64_t needs,
                      int64_t free_now) {
    struct reason *r = reason_add(&w->reasons, code, true, NULL, NULL);
    reason_en(r, "%s needs %s of %s; free now: %s", w->tenant->name, bytes_text(bytes(needs)).s, kind->en,
              bytes_text(bytes(free_now)).s);
    reason_ko(r, "%s의 신청에는 %s %s가 필요하지만 지금 남은 공간은 %s입니다", w->tenant->name, kind->ko,
              bytes_text(bytes(needs)).s, bytes_text(bytes(free_now)).s);
    reason_hint_en(r, "it keeps its place until %s comes back", kind->en);
    reason_hint_ko(r, "%s 반납될 때까지 순번이 유지됩니다", kind->ko_subject);
}

static void say_seats(struct work *w, const struct shelf *s, int64_t needs) {
    struct reason *r = reason_add(&w->reasons, REASON_NO_SEATS, true, NULL, NULL);
    reason_en(r, "%s needs %lld seats of %s; free now: %lld", w->tenant->name, (long long)needs,
              s->service->name, (long long)s->free);
    reason_ko(r, "%s의 신청에는 %s %lld석이 필요하지만 지금 남은 좌석은 %lld석입니다", w->tenant->name,
              s->service->name, (long long)needs, (long long)s->free);
    reason_hint_en(r, "it keeps its place until seats come back");
    reason_hint_ko(r, "좌석이 반납될 때까지 순번이 유지됩니다");
}

static struct amount_text amount_of(const struct rest *of, int64_t n) {
    struct amount_text t;
    if (of->kind != REST_SEATS) return bytes_text(bytes(n));
    text_format(t.s, sizeof t.s, "%lld", (long long)n);
    return t;
}

/* It is there, but set aside. */
static void say_aside(struct planning *p, struct work *w, const struct rest *of, struct reason *r) {
    const char *seats = of->kind == REST_SEATS ? of->shelf->service->name : NULL;
    const struct kind *kind = of->kind == REST_STORAGE ? &storage : &datalake;
    struct amount_text needs = amount_of(of, rest_asked(w, of)), have = amount_of(of, rest_free(p, of)),
                       aside = amount_of(of, rest_free(p, of) - barrier_left_rest(p, w, of));
    reason_en(r,
              "%s needs %s%s of %s; of %s free %s %s set aside for a request that has waited longer than %s",
              w->tenant->name, needs.s, seats ? " seats" : "", seats ? seats : kind->en, have.s, aside.s,
              seats ? "are" : "is", span_text(p->sharing->barrier).s);
    reason_ko(
        r,
        "%s의 신청에는 %s %s%s이(가) 필요하지만 남은 %s%s 중 %s%s은(는) %lld일 넘게 기다린 신청을 위해 따로 "
        "두었습니다",
        w->tenant->name, seats ? seats : kind->ko, needs.s, seats ? "석" : "", have.s, seats ? "석" : "",
        aside.s, seats ? "석" : "", (long long)(p->sharing->barrier.s / CLOCK_DAY));
}

void rest_say_aside(struct planning *p, struct work *w) {
    struct rest of;
    for (size_t i = 0; p->sharing && rest_at(p, w, i, &of); i++) {
        if (!w->aside[of.kind] || is_short(p, w, &of) || !is_aside(p, w, &of)) continue;
        struct reason *r = reason_add(&w->reasons, REASON_BEHIND_BARRIER, true, p->policy, &p->sharing->id);
        if (p->bare) continue;
        say_aside(p, w, &of, r);
        reason_hint_en(r, "it keeps its place until that request is served");
        reason_hint_ko(r, "그 신청이 처리될 때까지 순번이 유지됩니다");
    }
}

void rest_say_waiting(struct planning *p, struct work *w) {
    if (w->lacks[REST_STORAGE]) say_bytes(w, &storage, REASON_NO_STORAGE, w->bytes, p->storage_free);
    if (w->lacks[REST_DATALAKE]) say_bytes(w, &datalake, REASON_NO_DATALAKE, w->lake, p->datalake_free);
    for (size_t i = 0; i < w->claim->n_seats && w->lacks[REST_SEATS]; i++) {
        const struct fact_seats *asked = &w->claim->seats[i];
        const struct shelf *s = shelf_find(p, asked->service);
        if (asked->seats > s->free) say_seats(w, s, asked->seats);
    }
}

static void say_rounded(struct planning *p, struct work *w, const struct kind *kind, bytes_t asked,
                        int64_t rounded) {
    if (rounded >= asked.n) return;
    struct reason *r = reason_add(&w->reasons, REASON_ROUNDED, false, NULL, NULL);
    reason_en(r, "%s of %s is rounded down to %s, in steps of %s", kind->en, bytes_text(asked).s,
              bytes_text(bytes(rounded)).s, bytes_text(p->facts->pool.granule).s);
    reason_ko(r, "%s %s은(는) %s 단위로 내림하여 %s를 배정합니다", kind->ko, bytes_text(asked).s,
              bytes_text(p->facts->pool.granule).s, bytes_text(bytes(rounded)).s);
}

void rest_say_rounded(struct planning *p, struct work *w) {
    say_rounded(p, w, &storage, w->claim->storage, w->bytes);
    say_rounded(p, w, &datalake, w->claim->datalake, w->lake);
}
