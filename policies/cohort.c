/* SPDX-License-Identifier: Apache-2.0 */
/* A plan without a queue rule: cohorts of equal submission time, oldest first. */
#include "policies/planning.h"

#include "alloc/scope.h"

#include <stdlib.h>

static void floors(struct planning *p, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        struct work *w = &p->works[i];
        if (!is_open(w)) continue;
        judge_room(p, w); /* with what its tenant and organisation got before it */
        if (!is_open(w) || place_floor(p, w)) continue;
        wait_why(p, w);
        w->outcome = OUTCOME_QUEUE;
    }
}

/* What an exchange returned may serve one that waits. */
static bool floors_again(struct planning *p, size_t first, size_t end) {
    bool placed = false;
    for (size_t i = first; i < end; i++) {
        struct work *w = &p->works[i];
        if (w->outcome != OUTCOME_QUEUE || !room_allows(p, w) || !place_floor(p, w)) continue;
        w->outcome = OUTCOME_GRANT;
        placed = true;
    }
    return placed;
}

static void serve_cohort(struct planning *p, size_t first, size_t end) {
    size_t *list = mem_alloc((end - first) * sizeof *list);
    for (size_t i = first; i < end; i++) {
        struct work *w = &p->works[i];
        list[i - first] = i;
        if (w->outcome != OUTCOME_DENY) judge_room(p, w);
        if (is_open(w) && p->facts->pool.draining) w->outcome = OUTCOME_QUEUE;
    }
    if (!place_all(p, list, end - first)) {
        floors(p, first, end);
        do {
            do steps_fill(p, first, end);
            while (steps_exchange(p, first, end));
        } while (!p->facts->pool.draining && floors_again(p, first, end));
    }
    for (size_t i = first; i < end; i++)
        if (p->works[i].outcome == OUTCOME_QUEUE && !p->facts->pool.draining) await(p, &p->works[i]);
    free(list);
}

void serve_cohorts(struct planning *p) {
    for (size_t first = 0, end; first < p->n; first = end) {
        int64_t submitted = p->works[first].claim->submitted.s;
        for (end = first; end < p->n && p->works[end].claim->submitted.s == submitted;) end++;
        serve_cohort(p, first, end);
    }
}
