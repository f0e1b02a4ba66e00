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

/* A claim at its place in the order of all ties: tier where strict, credits, submitted, id. */
struct seat {
    int64_t given, guarantee, most;
    uint32_t claim, bucket;
};

/* The claims of one bucket that are filled now. Those with the fewest steps come first, and among them the
   first seat: a queue, because each goes to the end with its step, and those behind it stay in order. */
struct lane {
    const struct bucket *bucket;
    const struct sort_item *next, *end; /* seats not begun, by the steps that they have, then by seat */
    uint32_t *queue;                    /* a ring with room for all of them */
    size_t room, head, n, left;         /* n queued, the first `left` of them with `steps` steps */
    int64_t steps;                      /* of those whose turn it is */
    bool from_queue;                    /* the first is the queue's, else the next not begun */
    uint32_t seat;                      /* the first */
};

struct filling {
    const struct fill_problem *p;
    struct fill_result *r;
    struct bucket *buckets;
    size_t n_buckets, room_buckets, room_order;
    uint32_t *bucket_of; /* by claim */
    struct seat *seats;
    struct sort_item *items, *scratch;
    uint32_t *rings;
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
    f->buckets = mem_grow(f->buckets, &f->room_buckets, f->n_buckets + 1, sizeof *f->buckets);
    struct fill_amount dominant = fill_dominant(f->p, f->r->scarce, claim);
    if (!f->r->scarce[dominant.resource]) dominant.n = 0;
    f->buckets[f->n_buckets] = (struct bucket){&f->p->claims[claim], hash, dominant};
    return f->n_buckets++;
}

/* Open addressing; a slot holds the number of a bucket + 1. */
static void find_buckets(struct filling *f) {
    size_t mask = 15;
    uint32_t *slots = mem_alloc((mask + 1) * sizeof *slots);
    for (size_t i = 0; i < f->p->n_claims; i++) {
        const struct fill_claim *c = &f->p->claims[i];
        uint64_t hash = hash_of(c), at = hash & mask;
        while (slots[at] &&
               !(f->buckets[slots[at] - 1].hash == hash && is_like(f->buckets[slots[at] - 1].like, c)))
            at = (at + 1) & mask;
        if (!slots[at]) slots[at] = (uint32_t)bucket_add(f, i, hash) + 1;
        f->bucket_of[i] = slots[at] - 1;
        if (2 * f->n_buckets <= mask) continue;
        free(slots);
        mask = 4 * mask + 3;
        slots = mem_alloc((mask + 1) * sizeof *slots);
        for (size_t b = 0; b < f->n_buckets; b++) {
            for (at = f->buckets[b].hash & mask; slots[at];) at = (at + 1) & mask;
            slots[at] = (uint32_t)b + 1;
        }
    }
    free(slots);
}

/* ---- seats ---- */

static uint64_t by_tier(const struct fill_claim *c) { return sort_signed(c->tier); }
static uint64_t by_credits(const struct fill_claim *c) { return ~sort_signed(c->credits); }
static uint64_t by_submitted(const struct fill_claim *c) { return sort_signed(c->submitted); }

static void sort_claims(struct filling *f, uint64_t (*key)(const struct fill_claim *c)) {
    for (size_t i = 0; i < f->p->n_claims; i++) f->items[i].key = key(&f->p->claims[f->items[i].item]);
    sort_stable(f->items, f->scratch, f->p->n_claims);
}

static void find_seats(struct filling *f) {
    const struct fill_problem *p = f->p;
    for (size_t i = 0; i < p->n_claims; i++) f->items[i].item = (uint32_t)i;
    sort_claims(f, by_submitted);
    sort_claims(f, by_credits);
    if (p->strict) sort_claims(f, by_tier);
    for (size_t i = 0; i < p->n_claims; i++) {
        const struct fill_claim *c = &p->claims[f->items[i].item];
        f->seats[i] = (struct seat){.guarantee = fill_promised(c),
                                    .most = c->most.has ? c->most.n : FILL_STEPS_MOST + 1,
                                    .claim = f->items[i].item,
                                    .bucket = f->bucket_of[f->items[i].item]};
    }
}

/* ---- giving ---- */

static bool fits(const struct filling *f, const struct fill_claim *c) {
    for (size_t k = 0; k < c->n_step; k++)
        if (c->step[k].n > f->free[c->step[k].resource]) return false;
    return true;
}

/* Gives one step that fits; false: that was one too many. */
static bool give(struct filling *f, struct seat *s, const struct fill_claim *c) {
    struct fill_result *r = f->r;
    if (r->n_order == FILL_STEPS_MOST) return false;
    for (size_t k = 0; k < c->n_step; k++) f->free[c->step[k].resource] -= c->step[k].n;
    if (r->n_order == f->room_order)
        r->order = mem_grow(r->order, &f->room_order, r->n_order + 1, sizeof *r->order);
    r->order[r->n_order++] = s->claim;
    s->given++;
    return true;
}

/* ---- lanes ---- */

static int64_t steps_begun(const struct filling *f, const struct sort_item *i) {
    return f->p->surplus ? 0 : f->seats[i->item].given;
}

/* Finds whose turn it is; false: nobody is left. */
static bool lane_next(const struct filling *f, struct lane *l) {
    for (;;) {
        bool begins = l->next < l->end && steps_begun(f, l->next) == l->steps;
        if (l->left > 0 || begins) {
            l->from_queue = l->left > 0 && (!begins || l->queue[l->head] < l->next->item);
            l->seat = l->from_queue ? l->queue[l->head] : l->next->item;
            return true;
        }
        if (l->n > 0) {
            l->steps++;
            l->left = l->n;
        } else if (l->next < l->end) {
            l->steps = steps_begun(f, l->next);
        } else {
            return false;
        }
    }
}

/* The first has taken a step. */
static void lane_pass(struct lane *l, bool wants_more) {
    if (l->from_queue) {
        if (++l->head == l->room) l->head = 0;
        l->n--;
        l->left--;
    } else {
        l->next++;
    }
    if (!wants_more) return;
    size_t at = l->head + l->n++;
    l->queue[at < l->room ? at : at - l->room] = l->seat;
}

static struct share_key lane_key(const struct filling *f, const struct lane *l) {
    const struct bucket *b = l->bucket;
    return (struct share_key){.held = l->steps * b->dominant.n,
                              .capacity = f->p->capacity[b->dominant.resource],
                              .weight = b->like->weight,
                              .order = l->seat};
}

/* Gives steps to a lane for as long as it comes before all others. 1: it goes on later, 0: it is done. */
static int lane_run(struct filling *f, struct lane *l, const struct share_heap *others, bool promised,
                    struct share_key *key) {
    const struct fill_claim *c = l->bucket->like;
    while (fits(f, c)) {
        struct seat *s = &f->seats[l->seat];
        if (!give(f, s, c)) return -1;
        lane_pass(l, s->given < (promised ? s->guarantee : s->most));
        if (!lane_next(f, l)) return 0;
        *key = lane_key(f, l);
        if (others->n > 0 && share_cmp(key, &others->keys[0]) > 0) return 1;
    }
    return 0;
}

static int lanes_run(struct filling *f, struct lane lanes[], size_t n, bool promised) {
    struct share_heap heap = {0};
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        struct share_key key;
        if (!lane_next(f, &lanes[i])) continue;
        key = lane_key(f, &lanes[i]);
        share_put(&heap, &key, i);
    }
    while (heap.n > 0 && rc >= 0) {
        struct share_key key;
        size_t i = share_take(&heap, &key);
        rc = lane_run(f, &lanes[i], &heap, promised, &key);
        if (rc > 0) share_put(&heap, &key, i);
    }
    share_free(&heap);
    return rc;
}

/* ---- rounds ---- */

/* The seats from `first` to `end` that still want steps, by bucket, then by steps, then by seat. */
static size_t find_open(struct filling *f, size_t first, size_t end, bool promised) {
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        const struct seat *s = &f->seats[i];
        if (s->given >= (promised ? s->guarantee : s->most)) continue;
        f->items[n] = (struct sort_item){(uint64_t)s->given, (uint32_t)i};
        n++;
    }
    if (!f->p->surplus) sort_stable(f->items, f->scratch, n);
    for (size_t i = 0; i < n; i++) f->items[i].key = f->seats[f->items[i].item].bucket;
    sort_stable(f->items, f->scratch, n);
    return n;
}

static int fill_shares(struct filling *f, size_t first, size_t end, bool promised) {
    size_t n = find_open(f, first, end, promised), n_lanes = 0;
    struct lane *lanes = NULL;
    size_t room = 0;
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && f->items[k].key == f->items[i].key;) k++;
        lanes = mem_grow(lanes, &room, n_lanes + 1, sizeof *lanes);
        lanes[n_lanes++] = (struct lane){.bucket = &f->buckets[f->items[i].key],
                                         .next = &f->items[i],
                                         .end = &f->items[i] + (k - i),
                                         .queue = &f->rings[i],
                                         .room = k - i};
    }
    int rc = lanes_run(f, lanes, n_lanes, promised);
    free(lanes);
    return rc;
}

/* Where only the surplus counts, all shares are 0 below the guarantee: seat after seat. */
static int fill_seats(struct filling *f, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        struct seat *s = &f->seats[i];
        const struct fill_claim *c = &f->p->claims[s->claim];
        while (s->given < s->guarantee && fits(f, c))
            if (!give(f, s, c)) return -1;
    }
    return 0;
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
            if ((promised && p->surplus ? fill_seats(f, i, end) : fill_shares(f, i, end, promised)) < 0)
                return -1;
        }
    }
    return 0;
}

static void sum_up(const struct filling *f) {
    const struct fill_problem *p = f->p;
    for (size_t i = 0; i < p->n_claims; i++) f->r->given[f->seats[i].claim] = f->seats[i].given;
    for (size_t i = 0; i < p->n_resources; i++) f->r->used[i] = p->capacity[i] - f->free[i];
}

int fill(const struct fill_problem *p, struct fill_result *r, struct err *e) {
    struct filling f = {.p = p, .r = r};
    *r = (struct fill_result){.given = mem_alloc(p->n_claims * sizeof *r->given),
                              .scarce = mem_alloc(p->n_resources * sizeof *r->scarce),
                              .used = mem_alloc(p->n_resources * sizeof *r->used)};
    f.bucket_of = mem_alloc(p->n_claims * sizeof *f.bucket_of);
    f.seats = mem_alloc(p->n_claims * sizeof *f.seats);
    f.items = mem_alloc(p->n_claims * sizeof *f.items);
    f.scratch = mem_alloc(p->n_claims * sizeof *f.scratch);
    f.rings = mem_alloc(p->n_claims * sizeof *f.rings);
    f.free = mem_alloc(p->n_resources * sizeof *f.free);
    for (size_t i = 0; i < p->n_resources; i++) f.free[i] = p->capacity[i];
    find_scarce(p, r->scarce);
    find_buckets(&f);
    find_seats(&f);
    int rc = fill_rounds(&f);
    sum_up(&f);
    free(f.buckets);
    free(f.bucket_of);
    free(f.seats);
    free(f.items);
    free(f.scratch);
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
