/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/fill.h"

#include "alloc/scope.h"
#include "policies/share.h"
#include "policies/sort.h"

#include <stdlib.h>
#include <string.h>

/* Claims of equal weight and step: their shares are equal when their steps are. */
struct bucket {
    const struct fill_claim *like; /* one of them */
    uint64_t hash;
    struct fill_amount dominant; /* n 0: its share is always 0 */
};

/* A claim at its place in the order of all ties: tier where strict, credits, submitted, id. Steps are counted
   up to one more than can ever be given. */
struct seat {
    uint32_t claim, bucket, guarantee, most;
};

/* A claim in a round: the steps that counted when it began, and how many more it may take. */
struct turn {
    uint32_t seat, begun, more;
};

/* The claims of one bucket that are filled now. Those with the fewest steps come first, and among them the
   first seat: a queue, because each goes to the end with its step, and those behind it stay in order.
   In a flat one steps do not count, because the share stays 0: seat after seat. */
struct lane {
    const struct bucket *bucket;
    bool is_flat, from_queue;   /* from_queue: the first is the queue's, else the next not begun */
    struct turn *next, *end;    /* not begun, by the steps that they begin with, then by seat */
    struct turn *queue;         /* a ring with room for all of them */
    size_t room, head, n, left; /* n queued, the first `left` of them with `steps` steps */
    int64_t steps;              /* of those whose turn it is */
    struct turn *first;         /* whose turn it is */
};

struct filling {
    const struct fill_problem *p;
    struct fill_result *r;
    struct bucket *buckets;
    size_t n_buckets, room_buckets, room_order, n_counted;
    struct seat *seats;
    uint32_t *has; /* steps of each seat, counted after each round */
    struct sort_item *items, *scratch;
    struct turn *turns, *rings;
    int64_t *free;
};

/* ---- what is scarce ---- */

int64_t fill_promised(const struct fill_claim *c) {
    return c->most.has && c->most.n < c->guarantee ? c->most.n : c->guarantee;
}

static void find_scarce(const struct fill_problem *p, bool scarce[]) {
    wide_t *wanted = mem_alloc(p->n_resources * sizeof *wanted);
    for (size_t i = 0; i < p->n_claims; i++) {
        const struct fill_claim *c = &p->claims[i];
        for (size_t k = 0; k < c->n_step; k++) {
            size_t r = c->step[k].resource;
            if (scarce[r]) continue;
            if (c->most.has) wanted[r] += (wide_t)c->most.n * c->step[k].n;
            scarce[r] = !c->most.has || wanted[r] > p->capacity[r];
        }
    }
    free(wanted);
}

struct fill_amount fill_dominant(const struct fill_problem *p, const bool scarce[], size_t claim) {
    const struct fill_claim *c = &p->claims[claim];
    struct fill_amount best = {0, 0};
    size_t first = 0;
    while (first < p->n_resources && !scarce[first]) first++;
    bool any = first == p->n_resources;
    if (!any) best.resource = first;
    for (size_t k = 0; k < c->n_step; k++) {
        size_t r = c->step[k].resource;
        if (!any && !scarce[r]) continue;
        if ((wide_t)c->step[k].n * p->capacity[best.resource] > (wide_t)best.n * p->capacity[r])
            best = c->step[k];
    }
    return best;
}

/* ---- buckets ---- */

static uint64_t hash_of(const struct fill_claim *c) {
    uint64_t h = (uint64_t)c->weight;
    for (size_t k = 0; k < c->n_step; k++) {
        h = (h ^ c->step[k].resource) * UINT64_C(0x9e3779b97f4a7c15);
        h = (h ^ (h >> 29) ^ (uint64_t)c->step[k].n) * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return h ^ (h >> 32);
}

static bool is_like(const struct fill_claim *a, const struct fill_claim *b) {
    if (a->weight != b->weight || a->n_step != b->n_step) return false;
    for (size_t k = 0; k < a->n_step; k++)
        if (a->step[k].resource != b->step[k].resource || a->step[k].n != b->step[k].n) return false;
    return true;
}

static size_t bucket_add(struct filling *f, size_t claim, uint64_t hash) {
    struct fill_amount dominant = fill_dominant(f->p, f->r->scarce, claim);
    if (!f->r->scarce[dominant.resource]) dominant.n = 0;
    f->buckets[f->n_buckets] = (struct bucket){&f->p->claims[claim], hash, dominant};
    return f->n_buckets++;
}

/* A slot holds the number of a bucket + 1. */
static uint32_t *slots_make(const struct filling *f, size_t mask) {
    uint32_t *slots = mem_alloc((mask + 1) * sizeof *slots);
    for (size_t b = 0; b < f->n_buckets; b++) {
        size_t at = f->buckets[b].hash & mask;
        while (slots[at]) at = (at + 1) & mask;
        slots[at] = (uint32_t)b + 1;
    }
    return slots;
}

static bool is_in(const struct bucket *b, const struct fill_claim *c, uint64_t hash) {
    return b->hash == hash && is_like(b->like, c);
}

/* The bucket of each claim, by open addressing. */
static void find_buckets(struct filling *f, uint32_t bucket_of[]) {
    size_t mask = 15;
    uint32_t *slots = slots_make(f, mask);
    for (size_t i = 0; i < f->p->n_claims; i++) {
        const struct fill_claim *c = &f->p->claims[i];
        uint64_t hash = hash_of(c), at = hash & mask;
        f->buckets = mem_grow(f->buckets, &f->room_buckets, f->n_buckets + 1, sizeof *f->buckets);
        while (slots[at] && !is_in(&f->buckets[slots[at] - 1], c, hash)) at = (at + 1) & mask;
        if (!slots[at]) slots[at] = (uint32_t)bucket_add(f, i, hash) + 1;
        bucket_of[i] = slots[at] - 1;
        if (2 * f->n_buckets <= mask) continue;
        free(slots);
        mask = 4 * mask + 3;
        slots = slots_make(f, mask);
    }
    free(slots);
}

/* ---- seats ---- */

static uint64_t by_tier(const struct fill_claim *c) { return sort_signed(c->tier); }
static uint64_t by_credits(const struct fill_claim *c) { return ~sort_signed(c->credits); }
static uint64_t by_submitted(const struct fill_claim *c) { return sort_signed(c->submitted); }

/* Keys are first read in the order of memory. */
static void sort_claims(struct filling *f, uint64_t (*key)(const struct fill_claim *c), uint64_t keys[]) {
    size_t n = f->p->n_claims, same = 0;
    for (size_t i = 0; i < n; i++) same += (keys[i] = key(&f->p->claims[i])) == keys[0];
    if (same == n) return;
    for (size_t i = 0; i < n; i++) f->items[i].key = keys[f->items[i].item];
    sort_stable(f->items, f->scratch, n);
}

static uint32_t clipped(int64_t steps) {
    return (uint32_t)(steps < FILL_STEPS_MOST + 1 ? steps : FILL_STEPS_MOST + 1);
}

static void find_seats(struct filling *f) {
    const struct fill_problem *p = f->p;
    uint32_t *bucket_of = mem_alloc(p->n_claims * sizeof *bucket_of);
    struct seat *by_claim = mem_alloc(p->n_claims * sizeof *by_claim);
    uint64_t *keys = mem_alloc(p->n_claims * sizeof *keys);
    find_buckets(f, bucket_of);
    for (size_t i = 0; i < p->n_claims; i++) {
        const struct fill_claim *c = &p->claims[i];
        by_claim[i] = (struct seat){.claim = (uint32_t)i,
                                    .bucket = bucket_of[i],
                                    .guarantee = clipped(fill_promised(c)),
                                    .most = clipped(c->most.has ? c->most.n : FILL_MOST)};
        f->items[i].item = (uint32_t)i;
    }
    sort_claims(f, by_submitted, keys);
    sort_claims(f, by_credits, keys);
    if (p->strict) sort_claims(f, by_tier, keys);
    for (size_t i = 0; i < p->n_claims; i++) f->seats[i] = by_claim[f->items[i].item];
    free(bucket_of);
    free(by_claim);
    free(keys);
}

/* ---- giving ---- */

static bool fits(const struct filling *f, const struct fill_claim *c) {
    for (size_t k = 0; k < c->n_step; k++)
        if (c->step[k].n > f->free[c->step[k].resource]) return false;
    return true;
}

/* Gives one step that fits; false: that was one too many. The order has seats until the end. */
static bool give(struct filling *f, const struct fill_claim *c, uint32_t seat) {
    struct fill_result *r = f->r;
    if (r->n_order == FILL_STEPS_MOST) return false;
    for (size_t k = 0; k < c->n_step; k++) f->free[c->step[k].resource] -= c->step[k].n;
    if (r->n_order == f->room_order)
        r->order = mem_grow(r->order, &f->room_order, r->n_order + 1, sizeof *r->order);
    r->order[r->n_order++] = seat;
    return true;
}

/* What was given since the last count. */
static void count_given(struct filling *f) {
    for (; f->n_counted < f->r->n_order; f->n_counted++) f->has[f->r->order[f->n_counted]]++;
}

/* ---- lanes ---- */

/* Finds whose turn it is; false: nobody is left. */
static bool lane_next(struct lane *l) {
    for (;;) {
        bool begins = l->next < l->end && l->next->begun == l->steps;
        if (l->left > 0 || begins) {
            l->from_queue = l->left > 0 && (!begins || l->queue[l->head].seat < l->next->seat);
            l->first = l->from_queue ? &l->queue[l->head] : l->next;
            return true;
        }
        if (l->n > 0) {
            l->steps++;
            l->left = l->n;
        } else if (l->next < l->end) {
            l->steps = l->next->begun;
        } else {
            return false;
        }
    }
}

/* The first has taken a step. */
static void lane_pass(struct lane *l) {
    l->first->more--;
    if (l->is_flat && l->first->more > 0) return; /* and is still the first */
    struct turn turn = *l->first;
    if (l->from_queue) {
        if (++l->head == l->room) l->head = 0;
        l->n--;
        l->left--;
    } else {
        l->next++;
    }
    if (turn.more == 0) return;
    size_t at = l->head + l->n++;
    l->queue[at < l->room ? at : at - l->room] = turn;
}

static void lane_put(const struct filling *f, const struct lane *l, struct share_heap *heap, size_t lane) {
    const struct bucket *b = l->bucket;
    struct share_key key = {.held = l->steps * b->dominant.n,
                            .capacity = f->p->capacity[b->dominant.resource],
                            .weight = b->like->weight,
                            .order = l->first->seat};
    share_put(heap, &key, lane);
}

/* ---- lanes of equal share: the first seat goes first ---- */

static uint64_t tie_of(const struct lane lanes[], size_t lane) {
    return (uint64_t)lanes[lane].first->seat << 32 | lane;
}

/* Moves the first of a heap down to its place. */
static void ties_settle(uint64_t ties[], size_t n) {
    uint64_t tie = ties[0];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && ties[child + 1] < ties[child]) child++;
        if (tie <= ties[child]) break;
        ties[at] = ties[child];
    }
    if (n > 0) ties[at] = tie;
}

/* Gives all steps of that share, since whoever takes one has a larger share then. A lane goes back to the
   others when its share has grown, and is out when its step does not fit. */
static int ties_run(struct filling *f, struct lane lanes[], uint64_t ties[], size_t n,
                    struct share_heap *others) {
    for (; n > 0; ties_settle(ties, n)) {
        size_t lane = (uint32_t)ties[0];
        struct lane *l = &lanes[lane];
        int64_t steps = l->steps;
        bool is_open = fits(f, l->bucket->like);
        if (is_open) {
            if (!give(f, l->bucket->like, l->first->seat)) return -1;
            lane_pass(l);
            is_open = lane_next(l);
        }
        if (is_open && l->steps == steps) {
            ties[0] = tie_of(lanes, lane);
            continue;
        }
        if (is_open) lane_put(f, l, others, lane);
        ties[0] = ties[--n];
    }
    return 0;
}

static int lanes_run(struct filling *f, struct lane lanes[], size_t n) {
    struct share_heap heap = {0};
    uint64_t *ties = mem_alloc(n * sizeof *ties);
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        if (lane_next(&lanes[i])) lane_put(f, &lanes[i], &heap, i);
    while (heap.n > 0 && rc == 0) {
        struct share_key first, key;
        size_t n_ties = 0;
        ties[n_ties++] = tie_of(lanes, share_take(&heap, &first));
        while (heap.n > 0 && share_ties(&first, &heap.keys[0]))
            ties[n_ties++] = tie_of(lanes, share_take(&heap, &key)); /* in the order of seats */
        rc = ties_run(f, lanes, ties, n_ties, &heap);
    }
    share_free(&heap);
    free(ties);
    return rc;
}

/* ---- rounds ---- */

/* Where only the surplus counts, all shares are 0 below the guarantee. */
static bool is_flat(const struct filling *f, uint64_t bucket, bool promised) {
    return f->buckets[bucket].dominant.n == 0 || (promised && f->p->surplus);
}

/* The steps that count for a claim's share as it begins a round. */
static uint32_t begun(const struct filling *f, uint32_t seat, bool promised) {
    return f->p->surplus || is_flat(f, f->seats[seat].bucket, promised) ? 0 : f->has[seat];
}

/* Into turns: the seats from `first` to `end` that still want steps, by bucket, then by steps, then by seat.
 */
static size_t find_turns(struct filling *f, size_t first, size_t end, bool promised) {
    size_t n = 0;
    for (size_t i = first; i < end; i++)
        if (f->has[i] < (promised ? f->seats[i].guarantee : f->seats[i].most))
            f->items[n++] = (struct sort_item){begun(f, (uint32_t)i, promised), (uint32_t)i};
    sort_stable(f->items, f->scratch, n);
    for (size_t i = 0; i < n; i++) f->items[i].key = f->seats[f->items[i].item].bucket;
    sort_stable(f->items, f->scratch, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t seat = f->items[i].item, most = promised ? f->seats[seat].guarantee : f->seats[seat].most;
        f->turns[i] = (struct turn){seat, begun(f, seat, promised), most - f->has[seat]};
    }
    return n;
}

/* From what each has to what it is promised, or to the most that it wants; all of one tier where that counts.
 */
static int fill_shares(struct filling *f, size_t first, size_t end, bool promised) {
    size_t n = find_turns(f, first, end, promised), n_lanes = 0, room = 0;
    struct lane *lanes = NULL;
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && f->items[k].key == f->items[i].key;) k++;
        lanes = mem_grow(lanes, &room, n_lanes + 1, sizeof *lanes);
        lanes[n_lanes++] = (struct lane){.bucket = &f->buckets[f->items[i].key],
                                         .is_flat = is_flat(f, f->items[i].key, promised),
                                         .next = &f->turns[i],
                                         .end = &f->turns[i] + (k - i),
                                         .queue = &f->rings[i],
                                         .room = k - i};
    }
    int rc = lanes_run(f, lanes, n_lanes);
    count_given(f);
    free(lanes);
    return rc;
}

/* What is promised, then the rest; each tier after tier where that counts. */
static int fill_rounds(struct filling *f) {
    const struct fill_problem *p = f->p;
    for (int round = 0; round < 2; round++) {
        bool promised = round == 0;
        for (size_t i = 0, end; i < p->n_claims; i = end) {
            int64_t tier = p->claims[f->seats[i].claim].tier;
            end = p->strict ? i + 1 : p->n_claims;
            while (end < p->n_claims && p->claims[f->seats[end].claim].tier == tier) end++;
            if (fill_shares(f, i, end, promised) < 0) return -1;
        }
    }
    return 0;
}

static void sum_up(const struct filling *f) {
    struct fill_result *r = f->r;
    for (size_t i = 0; i < f->p->n_claims; i++) r->given[f->seats[i].claim] = f->has[i];
    for (size_t i = 0; i < r->n_order; i++) r->order[i] = f->seats[r->order[i]].claim;
    for (size_t i = 0; i < f->p->n_resources; i++) r->used[i] = f->p->capacity[i] - f->free[i];
}

int fill(const struct fill_problem *p, struct fill_result *r, struct err *e) {
    struct filling f = {.p = p, .r = r};
    *r = (struct fill_result){.given = mem_alloc(p->n_claims * sizeof *r->given),
                              .scarce = mem_alloc(p->n_resources * sizeof *r->scarce),
                              .used = mem_alloc(p->n_resources * sizeof *r->used)};
    f.seats = mem_alloc(p->n_claims * sizeof *f.seats);
    f.has = mem_alloc(p->n_claims * sizeof *f.has);
    f.items = mem_alloc(p->n_claims * sizeof *f.items);
    f.scratch = mem_alloc(p->n_claims * sizeof *f.scratch);
    f.turns = mem_alloc(p->n_claims * sizeof *f.turns);
    f.rings = mem_alloc(p->n_claims * sizeof *f.rings);
    f.free = mem_alloc(p->n_resources * sizeof *f.free);
    for (size_t i = 0; i < p->n_resources; i++) f.free[i] = p->capacity[i];
    find_scarce(p, r->scarce);
    find_seats(&f);
    int rc = fill_rounds(&f);
    sum_up(&f);
    free(f.buckets);
    free(f.has);
    free(f.seats);
    free(f.items);
    free(f.scratch);
    free(f.turns);
    free(f.rings);
    free(f.free);
    if (rc == 0) return 0;
    fill_free(r);
    err_set(e, ERR_USAGE, "takes more than %d steps", FILL_STEPS_MOST);
    return err_hint(e, "make the steps larger");
}

void fill_free(struct fill_result *r) {
    free(r->given);
    free(r->order);
    free(r->scarce);
    free(r->used);
    *r = (struct fill_result){0};
}
