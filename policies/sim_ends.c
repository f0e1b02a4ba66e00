/* SPDX-License-Identifier: Apache-2.0 */
/* When what live grants hold comes back: with their lease, or before that by a notice. */
#include "policies/sim_parts.h"

#include "alloc/scope.h"

#include <string.h>

static int end_cmp(const struct fact_end *a, const struct fact_end *b) {
    if (a->at.s != b->at.s) return a->at.s < b->at.s ? -1 : 1;
    int c = claim_id_cmp(a->grant, b->grant);
    if (!c) c = strcmp(a->flavor, b->flavor);
    return c ? c : strcmp(a->notice ? a->notice : "", b->notice ? b->notice : "");
}

static size_t end_place(const struct sim *s, const struct fact_end *end) {
    size_t low = 0, high = s->n_ends;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (end_cmp(&s->ends[middle], end) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void end_change(struct sim *s, struct fact_end end, bool add) {
    size_t at = end_place(s, &end);
    if (add) {
        s->ends = mem_grow(s->ends, &s->ends_room, s->n_ends + 1, sizeof *s->ends);
        memmove(s->ends + at + 1, s->ends + at, (s->n_ends++ - at) * sizeof *s->ends);
        s->ends[at] = end;
    } else {
        memmove(s->ends + at, s->ends + at + 1, (--s->n_ends - at) * sizeof *s->ends);
    }
}

/* The notice that takes a server before its lease ends; NULL: none. */
static const struct fact_notice *taken_by(const struct sim_grant *g, const struct fact_server *server) {
    for (size_t i = 0; server->notice && i < g->n_open; i++)
        if (g->open[i].id == server->notice && g->open[i].effect.s < instant_after(g->end, g->grace).s)
            return &g->open[i];
    return NULL;
}

/* Units of a flavor that come back with the lease (notice NULL) or by a notice. */
static void ends_of(struct sim *s, const struct sim_grant *g, size_t flavor, const struct fact_notice *notice,
                    bool add) {
    struct fact_end end = {.at = notice ? notice->effect : instant_after(g->end, g->grace),
                           .grant = g->id,
                           .flavor = s->flavors[flavor].name,
                           .notice = notice ? notice->id : NULL};
    for (size_t i = 0; i < g->n_servers; i++)
        if (g->servers[i].flavor == end.flavor && taken_by(g, &g->servers[i]) == notice)
            end.units.n += g->servers[i].units;
    if (end.units.n > 0) end_change(s, end, add);
}

void sim_grant_ends(struct sim *s, const struct sim_grant *g, bool add) {
    for (size_t f = 0; f < s->pool.n_flavors; f++) {
        ends_of(s, g, f, NULL, add);
        for (size_t i = 0; i < g->n_open; i++) ends_of(s, g, f, &g->open[i], add);
    }
}
