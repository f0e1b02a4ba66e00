/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/call_plan.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

bool call_waits(const struct fact_claim *claim) { return claim->call && !claim->ranked; }

static struct reason *one_reason(struct decision *d) {
    d->reasons = mem_alloc(sizeof *d->reasons);
    d->n_reasons = 1;
    return &d->reasons[0];
}

void call_wait(const struct fact_claim *claim, struct decision *out) {
    struct text en = {0}, ko = {0};
    *out = (struct decision){.claim = mem_copy(claim->id), .outcome = OUTCOME_HOLD};
    text_add(&en, "it answers the call %s and waits for its award", claim->call);
    text_add(&ko, "공모 %s에 접수되었으며 선정 결과를 기다립니다", claim->call);
    struct reason *r = one_reason(out);
    *r = (struct reason){.code = REASON_IN_CALL, .decisive = true};
    r->en = text_take(&en);
    r->ko = text_take(&ko);
    r->hint_en = mem_copy("while the call is open it can be amended or withdrawn");
    r->hint_ko = mem_copy("공모가 열려 있는 동안 신청을 고치거나 취하할 수 있습니다");
}

static void reserve_words(const struct fact_claim *claim, struct reason *r) {
    struct text en = {0}, ko = {0};
    *r = (struct reason){.code = REASON_RESERVE_LIST, .decisive = true};
    text_add(&en, "it stands on the reserve list of the call %s: rank %lld", claim->call,
             (long long)claim->rank);
    text_add(&ko, "공모 %s의 예비 명단에 있습니다: %lld순위", claim->call, (long long)claim->rank);
    r->en = text_take(&en);
    r->ko = text_take(&ko);
    r->hint_en = mem_copy("it moves up when one before it declines, is denied or does not sign in time");
    r->hint_ko = mem_copy("앞 순위가 포기하거나, 거절되거나, 기한 안에 협약하지 않으면 순위가 올라갑니다");
}

static void award_words(const struct fact_claim *claim, struct reason *r) {
    struct text en = {0}, ko = {0};
    *r = (struct reason){.code = REASON_IN_CALL};
    text_add(&en, "awarded in the call %s: rank %lld", claim->call, (long long)claim->rank);
    text_add(&ko, "공모 %s에서 선정되었습니다: %lld순위", claim->call, (long long)claim->rank);
    r->en = text_take(&en);
    r->ko = text_take(&ko);
}

bool call_turn(const struct fact_claim *claim, const struct decision *d, struct decision *out) {
    bool gives = d->outcome == OUTCOME_GRANT || d->outcome == OUTCOME_PARTIAL;
    if (!claim->call || !claim->ranked || (!gives && d->outcome != OUTCOME_QUEUE)) return false;
    *out = *d;
    out->n_reasons = d->n_reasons + 1;
    out->reasons = mem_alloc(out->n_reasons * sizeof *out->reasons);
    struct reason *own = gives ? &out->reasons[d->n_reasons] : &out->reasons[0];
    for (size_t i = 0; i < d->n_reasons; i++) out->reasons[i + !gives] = d->reasons[i];
    if (gives) {
        award_words(claim, own);
        return true;
    }
    reserve_words(claim, own);
    /* No offer and no place in the queue: the list has its own order. */
    out->outcome = OUTCOME_HOLD;
    out->offer = (struct plan_offer){0};
    out->position = 0;
    out->ahead_compute = gflops(0);
    out->is_barrier = false;
    return true;
}

void call_turn_free(const struct decision *d, struct decision *out) {
    bool is_first = out->outcome == OUTCOME_HOLD;
    struct reason *own = &out->reasons[is_first ? 0 : d->n_reasons];
    free(own->en);
    free(own->ko);
    free(own->hint_en);
    free(own->hint_ko);
    free(out->reasons);
}

/* The units of a flavor that a call may give; the others stay free beside it. */
static void flavor_limit(struct fact_pool *pool, struct fact_flavor *f, int64_t most) {
    if (f->free.n <= most) return;
    if (f->free.n > 0) pool->beside_compute.n += (f->free.n - most) * f->rating.n;
    f->free = units(most);
}

static void storage_limit(struct fact_pool *pool, bytes_t most) {
    if (pool->storage_free.n <= most.n) return;
    pool->beside_storage.n += pool->storage_free.n - most.n;
    pool->storage_free = most;
}

void call_share_limit(struct facts *facts, const struct call_share *share) {
    struct fact_pool *pool = &facts->pool;
    struct fact_flavor *flavors = (struct fact_flavor *)pool->flavors; /* of these facts alone */
    for (size_t i = 0; share->has_compute && i < pool->n_flavors; i++)
        if (!flavors[i].unrated) flavor_limit(pool, &flavors[i], share->compute.n / flavors[i].rating.n);
    if (!share->has_storage || facts->n_claims == 0) return;
    const struct fact_claim *claim = &facts->claims[0];
    int64_t beside = share->storage.n - claim->storage.n; /* what is left for the data lake */
    storage_limit(pool, share->storage);
    pool->datalake_free = bytes_min(pool->datalake_free, bytes(beside > 0 ? beside : 0));
}

bool call_share_passed(struct facts *facts, const struct call_share *share, const struct decision *d) {
    struct fact_flavor *flavors = (struct fact_flavor *)facts->pool.flavors; /* of these facts alone */
    if (!share->has_compute || d->compute.n <= share->compute.n || d->n_lines == 0) return false;
    const struct plan_line *most = &d->lines[0];
    for (size_t i = 1; i < d->n_lines; i++) {
        const struct plan_line *l = &d->lines[i];
        if ((wide_t)l->size * l->count * l->rating.n > (wide_t)most->size * most->count * most->rating.n)
            most = l;
    }
    for (size_t i = 0; i < facts->pool.n_flavors; i++)
        if (strcmp(flavors[i].name, most->flavor) != 0) flavor_limit(&facts->pool, &flavors[i], 0);
    return true;
}
