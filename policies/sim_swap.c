/* SPDX-License-Identifier: Apache-2.0 */
/* Swaps: a request may replace a live grant of its tenant, new before old. As alloc/swap.h has it. */
#include "policies/sim_parts.h"

#include <stdlib.h>
#include <string.h>

/* The grant that a request is to replace; NULL: it names none, or one that was never there. */
static struct sim_grant *replaced_by(const struct sim *s, size_t request) {
    size_t replaces = s->world->requests[request].replaces;
    size_t grant = replaces ? s->requests[replaces - 1].grant : 0;
    return grant ? &s->grants[grant - 1] : NULL;
}

/* Not ended yet: what it asks for may still replace the grant. */
static bool is_open(const struct sim *s, size_t request) {
    const struct sim_request *r = &s->requests[request];
    switch (r->state) {
    case SIM_IN_CALL:
    case SIM_RESERVE:
    case SIM_WAITING:
    case SIM_HELD: return true;
    case SIM_GRANTED: return s->grants[r->grant - 1].state == SIM_RESERVED;
    default: return false;
    }
}

bool sim_swap_begin(struct sim *s, size_t request) {
    struct sim_grant *g = replaced_by(s, request);
    if (!s->world->requests[request].replaces) return true;
    if (!g || !sim_grant_is_active(g) || (g->replaced_by && is_open(s, g->replaced_by - 1))) return false;
    g->replaced_by = request + 1;
    return true;
}

/* What the grant that goes in exchange still has. One that has ended meanwhile gives nothing more. */
void sim_swap_facts(const struct sim *s, size_t request, struct fact_replaced *out) {
    struct sim_request *r = &s->requests[request];
    const struct sim_grant *g = replaced_by(s, request);
    if (!g) return;
    *out = (struct fact_replaced){.grant = g->id};
    if (!sim_grant_is_active(g)) return;
    int64_t held[FLAVORS_MOST + SERVICES_MOST] = {0}; /* by the place of the item */
    for (size_t i = 0; i < g->n_servers; i++)
        held[s->item_place[sim_flavor(s, g->servers[i].flavor)]] += g->servers[i].units;
    for (size_t i = 0; i < g->n_seats; i++)
        for (size_t k = 0; k < s->pool.n_services; k++)
            if (strcmp(s->services[k].name, g->seats[i].service) == 0)
                held[s->item_place[s->pool.n_flavors + k]] += g->seats[i].seats;
    if (!r->going) r->going = mem_alloc((s->n_items + 1) * sizeof *r->going);
    for (size_t i = 0; i < s->n_items; i++)
        if (held[i])
            r->going[out->n_holdings++] =
                (struct fact_holding){.item = s->tenants[g->tenant].holdings[i].item, .held = held[i]};
    out->holdings = r->going;
    out->compute = gflops(g->compute);
    out->storage = bytes(g->storage + g->datalake);
    out->end = (struct maybe_instant){true, g->end};
}

void sim_swap_finish(struct sim *s, size_t request) {
    struct sim_grant *g = replaced_by(s, request);
    if (!g || !sim_grant_is_active(g)) return;
    s->swaps++;
    sim_log_event(s, "replaced", g->request, s->world->requests[request].claim.id);
    sim_grant_release(s, (size_t)(g - s->grants), true);
}
