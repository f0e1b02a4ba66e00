/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of events gets its place: names become indices, and everything one order. */
#include "alloc/scope.h"
#include "policies/world_read.h"

#include <stdlib.h>
#include <string.h>

static int no_request(const char *title, const struct event *v, const char *id, struct err *e) {
    return err_set(e, ERR_USAGE, "%s:%zu: there is no request '%s'", title, v->line, id);
}

static int award_resolve(struct world *w, struct event *v, const char *title, struct err *e) {
    size_t *order = keep_add(&w->memory, mem_alloc(v->n_attrs * sizeof *order));
    scoped_free bool *seen = mem_alloc((w->n_requests + 1) * sizeof *seen);
    for (size_t i = 0; i < v->n_attrs; i++) {
        const char *id = v->attrs[i].name;
        if (!index_find(w->request_index, id, &order[i])) return no_request(title, v, id, e);
        const char *call = w->requests[order[i]].claim.call;
        if (!call || strcmp(call, v->name) != 0)
            return err_set(e, ERR_USAGE, "%s:%zu: request '%s' does not answer call '%s'", title, v->line, id,
                           v->name);
        if (seen[order[i]])
            return err_set(e, ERR_USAGE, "%s:%zu: request '%s' stands twice", title, v->line, id);
        seen[order[i]] = true;
    }
    v->order = order;
    v->n_order = v->n_attrs;
    return 0;
}

/* A request replaces what an earlier one of its tenant was given. */
static int replaces_resolve(struct world *w, const struct event *v, const char *title, struct err *e) {
    struct world_request *r = &w->requests[v->request];
    size_t at;
    if (!r->replaced) return 0;
    if (!index_find(w->request_index, r->replaced, &at)) return no_request(title, v, r->replaced, e);
    const struct fact_claim *old = &w->requests[at].claim;
    if (old->tenant != r->claim.tenant)
        return err_set(e, ERR_USAGE, "%s:%zu: request '%s' is of tenant '%s': a request replaces its own",
                       title, v->line, r->replaced, w->tenants[old->tenant].name);
    if (old->submitted.s >= v->at.s)
        return err_set(e, ERR_USAGE, "%s:%zu: request '%s' is not made before, but at %s", title, v->line,
                       r->replaced, instant_text(old->submitted).s);
    r->replaces = at + 1;
    return 0;
}

static int resolve(struct world *w, const char *title, struct err *e) {
    for (size_t i = 0; i < w->n_events; i++) {
        struct event *v = &w->events[i];
        if (v->kind == EVENT_AWARD && award_resolve(w, v, title, e) < 0) return -1;
        if (v->kind == EVENT_REQUEST && replaces_resolve(w, v, title, e) < 0) return -1;
        if (!event_names_request(v->kind)) continue;
        if (!index_find(w->request_index, v->name, &v->request)) return no_request(title, v, v->name, e);
        const struct fact_claim *c = &w->requests[v->request].claim;
        v->tenant = c->tenant;
        if (v->at.s < c->submitted.s)
            return err_set(e, ERR_USAGE, "%s:%zu: request '%s' is made only later, at %s", title, v->line,
                           v->name, instant_text(c->submitted).s);
    }
    return 0;
}

static int event_cmp(const void *a, const void *b, void *arg) {
    const struct event *x = a, *y = b;
    const struct world *w = arg;
    if (x->at.s != y->at.s) return x->at.s < y->at.s ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->kind == EVENT_REQUEST)
        return claim_id_cmp(w->requests[x->request].claim.id, w->requests[y->request].claim.id);
    return strcmp(x->text, y->text);
}

/* Requests too stand in an order of their own: by (submitted, id). */
static int request_place_cmp(const void *a, const void *b, void *arg) {
    const struct world *w = arg;
    const struct fact_claim *x = &w->requests[*(const size_t *)a].claim,
                            *y = &w->requests[*(const size_t *)b].claim;
    if (x->submitted.s != y->submitted.s) return x->submitted.s < y->submitted.s ? -1 : 1;
    return claim_id_cmp(x->id, y->id);
}

static void requests_sort(struct world *w) {
    size_t n = w->n_requests;
    if (n == 0) return;
    scoped_free size_t *from = mem_alloc(n * sizeof *from), *to = mem_alloc(n * sizeof *to);
    scoped_free struct world_request *sorted = mem_alloc(n * sizeof *sorted);
    for (size_t i = 0; i < n; i++) from[i] = i;
    qsort_r(from, n, sizeof *from, request_place_cmp, w);
    for (size_t i = 0; i < n; i++) {
        to[from[i]] = i;
        sorted[i] = w->requests[from[i]];
    }
    memcpy(w->requests, sorted, n * sizeof *sorted);
    for (size_t i = 0; i < n; i++) {
        index_put(&w->request_index, sorted[i].claim.id, i);
        if (sorted[i].replaces) w->requests[i].replaces = 1 + to[sorted[i].replaces - 1];
    }
    for (size_t i = 0; i < w->n_events; i++) {
        struct event *v = &w->events[i];
        if (v->kind == EVENT_REQUEST || event_names_request(v->kind)) v->request = to[v->request];
        for (size_t k = 0; k < v->n_order; k++) ((size_t *)v->order)[k] = to[v->order[k]];
    }
}

int world_settle(struct world *w, const char *title, struct err *e) {
    if (resolve(w, title, e) < 0) return -1;
    requests_sort(w);
    if (w->n_events) qsort_r(w->events, w->n_events, sizeof *w->events, event_cmp, w);
    return 0;
}
