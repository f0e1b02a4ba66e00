/* SPDX-License-Identifier: Apache-2.0 */
/* Which sums of compute whole servers add up to, near a target: tried out, largest flavors first. */
#include "policies/syntax.h"

#include "policies/ladder.h"

enum { REACH_NODES = 4000 };

struct search {
    const struct flavor *flavors[POLICY_FLAVORS];
    struct ladder ladders[POLICY_FLAVORS];
    size_t n;
    int64_t target, most;
    int nodes;
    struct reach found;
};

static void note_sum(struct search *s, int64_t sum) {
    struct reach *r = &s->found;
    if (sum < s->target) {
        if (sum > r->below) r->below = sum;
    } else if (sum <= s->most && (!r->has_above || sum < r->above)) {
        r->has_above = true;
        r->above = sum;
    }
}

/* The last flavor needs no trying: the counts on both sides of what is missing. */
static void last_flavor(struct search *s, size_t i, int64_t sum) {
    const struct flavor *f = s->flavors[i];
    int64_t rating = f->rating.n, missing = (s->target - sum + rating - 1) / rating;
    int64_t up = ladder_up(&s->ladders[i], missing), down = ladder_down(&s->ladders[i], missing - 1);
    if (up <= f->units) note_sum(s, sum + up * rating);
    note_sum(s, sum + ladder_down(&s->ladders[i], down < f->units ? down : f->units) * rating);
}

static void try_from(struct search *s, size_t i, int64_t sum) {
    if (s->found.has_above && s->found.above == s->target) return;
    if (++s->nodes > REACH_NODES) {
        s->found.gave_up = true;
        return;
    }
    note_sum(s, sum);
    if (sum >= s->target || i == s->n) return;
    if (i + 1 == s->n) {
        last_flavor(s, i, sum);
        return;
    }
    const struct flavor *f = s->flavors[i];
    for (int64_t units = 0; units <= f->units && !s->found.gave_up;) {
        int64_t more = sum + units * f->rating.n;
        try_from(s, i + 1, more);
        if (more >= s->target) return;
        units = ladder_up(&s->ladders[i], units + 1);
    }
}

struct reach reach_near(const struct policy *policy, int64_t target, int64_t most) {
    struct search s = {.target = target, .most = most};
    for (size_t i = 0; i < policy->n_flavors; i++) {
        const struct flavor *f = &policy->flavors[i];
        if (f->unrated || f->units == 0) continue;
        size_t at = s.n++;
        for (; at > 0 && s.flavors[at - 1]->rating.n < f->rating.n; at--) s.flavors[at] = s.flavors[at - 1];
        s.flavors[at] = f;
    }
    for (size_t i = 0; i < s.n; i++) ladder_begin(&s.ladders[i], s.flavors[i]->sizes, s.flavors[i]->n_sizes);
    try_from(&s, 0, 0);
    for (size_t i = 0; i < s.n; i++) ladder_end(&s.ladders[i]);
    return s.found;
}
