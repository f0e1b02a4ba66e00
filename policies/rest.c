/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a claim asks beside compute: storage, data lake, seats. None of it is ever partial, and all of it is
 * decided in one with the compute. Storage and data lake are rounded down to the granule of the pool.
 */
#include "policies/planning.h"

#include "alloc/scope.h"

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

/* ---- giving ---- */

static bool storage_fits(const struct planning *p, const struct work *w) {
    if (w->bytes == 0) return true;
    return !p->storage_awaited && w->bytes <= p->storage_free && w->bytes <= lend_storage(p, w) &&
           w->bytes <= barrier_left_storage(p, w);
}

static bool seats_fit(const struct planning *p, const struct fact_seats *asked) {
    const struct shelf *s = shelf_find(p, asked->service);
    return s && !s->awaited && asked->seats <= s->free;
}

bool rest_fits(const struct planning *p, const struct work *w) {
    if (w->lake > 0 && (p->datalake_awaited || w->lake > p->datalake_free)) return false;
    for (size_t i = 0; i < w->claim->n_seats; i++)
        if (!seats_fit(p, &w->claim->seats[i])) return false;
    return storage_fits(p, w);
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

void rest_make(const struct work *w, bytes_t *lake, struct plan_seats **seats, size_t *n_seats) {
    *lake = bytes(w->lake);
    if (w->claim->n_seats == 0) return;
    *seats = mem_alloc(w->claim->n_seats * sizeof **seats);
    for (size_t i = 0; i < w->claim->n_seats; i++)
        (*seats)[(*n_seats)++] =
            (struct plan_seats){mem_copy(w->claim->seats[i].service), w->claim->seats[i].seats};
}

/* ---- waiting ---- */

static void wait_storage(const struct planning *p, struct work *w) {
    if (w->bytes == 0) return;
    w->lacks_storage = w->bytes > p->storage_free;
    if (w->lacks_storage) return;
    w->lacks_turn |= p->storage_awaited;
    w->short_storage = lend_shortage_storage(p, w);
    if (!p->storage_awaited && w->bytes > barrier_left_storage(p, w)) w->behind_barrier = true;
}

void rest_wait(const struct planning *p, struct work *w) {
    wait_storage(p, w);
    w->lacks_datalake = w->lake > p->datalake_free;
    if (w->lake > 0 && !w->lacks_datalake) w->lacks_turn |= p->datalake_awaited;
    for (size_t i = 0; i < w->claim->n_seats; i++) {
        const struct shelf *s = shelf_find(p, w->claim->seats[i].service);
        if (w->claim->seats[i].seats > s->free)
            w->lacks_seats = true;
        else
            w->lacks_turn |= s->awaited;
    }
}

void rest_await(struct planning *p, const struct work *w) {
    if (w->bytes > 0 && (p->storage_awaited || w->bytes > p->storage_free)) p->storage_awaited = true;
    if (w->lake > p->datalake_free) p->datalake_awaited = true;
    for (size_t i = 0; i < w->claim->n_seats; i++) {
        struct shelf *s = shelf_find(p, w->claim->seats[i].service);
        if (w->claim->seats[i].seats > s->free) s->awaited = true;
    }
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

void rest_say_waiting(struct planning *p, struct work *w) {
    if (w->lacks_storage) say_bytes(w, &storage, REASON_NO_STORAGE, w->bytes, p->storage_free);
    if (w->lacks_datalake) say_bytes(w, &datalake, REASON_NO_DATALAKE, w->lake, p->datalake_free);
    for (size_t i = 0; i < w->claim->n_seats && w->lacks_seats; i++) {
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
