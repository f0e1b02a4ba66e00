/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that change nothing of ours and are not part of a reconcile: sample and probe. */
#include "alloc/dispatch.h"

#include "alloc/backend_probe.h"
#include "alloc/backend_usage.h"
#include "alloc/log.h"
#include "alloc/scope.h"

#include <string.h>

static void log_look(const char *verb, const struct backend *b, const struct backend_pool *pool, size_t n,
                     int64_t start_ms, int rc, const struct err *e) {
    if (!log_wants(LOG_AT_DEBUG)) return;
    log_event(LOG_AT_DEBUG, "backend.call",
              json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "verb", verb, "backend", b->name, "pool",
                        pool->name ? pool->name : "", "things", (json_int_t)n, "ms",
                        (json_int_t)(clock_monotonic_ms() - start_ms), "result",
                        rc < 0 ? e->what : "answered"));
}

static int look_check(const struct backend *b, const struct backend_pool *pool, struct err *e) {
    unsigned capabilities;
    if (pool->deadline_ms < 1)
        return err_set(e, ERR_FAILED, "pool %s: a call to a backend needs a deadline", pool->name);
    return dispatch_check(b, pool, &capabilities, e);
}

/* A host without a report would let what it used pass for nothing. */
static int usage_check(const struct backend_pool *pool, const struct backend_usage *usage, struct err *e) {
    for (size_t i = 0; i < pool->n_hosts; i++) {
        bool is_there = false;
        for (size_t k = 0; k < usage->n_hosts && !is_there; k++)
            is_there = strcmp(usage->hosts[k].host, pool->hosts[i].name) == 0;
        if (!is_there)
            return err_set(e, ERR_FAILED, "the backend of pool %s says nothing about host %s", pool->name,
                           pool->hosts[i].name);
    }
    return 0;
}

int dispatch_sample(const struct backend *b, const struct backend_pool *pool, instant_t since,
                    instant_t until, struct backend_usage *out, struct err *e) {
    int64_t start = clock_monotonic_ms();
    *out = (struct backend_usage){0};
    int rc = look_check(b, pool, e);
    if (rc == 0 && until.s <= since.s)
        rc = err_set(e, ERR_USAGE, "usage from %s until %s: no time is between them", instant_text(since).s,
                     instant_text(until).s);
    if (rc == 0 && !b->sample) rc = err_set(e, ERR_FAILED, "backend %s keeps no records of use", b->name);
    if (rc == 0) rc = b->sample(pool, since, until, out, e);
    if (rc == 0) rc = usage_check(pool, out, e);
    log_look("sample", b, pool, out->n_samples, start, rc, e);
    if (rc < 0) backend_usage_free(out);
    return rc;
}

/* What every backend can do: its settings are good, and its hosts answer. */
static void probe_plainly(const struct backend *b, const struct backend_pool *pool,
                          struct backend_probe *out) {
    struct backend_view view;
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    if (dispatch_sync(b, pool, &view, &e) < 0) {
        backend_probe_step(out, NULL, "hosts", PROBE_FAILED, clock_monotonic_ms() - start, "%s", e.what);
        return;
    }
    int64_t ms = clock_monotonic_ms() - start;
    for (size_t i = 0; i < view.n_hosts; i++) {
        const struct backend_host_report *h = &view.hosts[i];
        size_t devices = 0;
        for (size_t k = 0; k < view.n_slots; k++)
            devices += view.slots[k].flavor && strcmp(view.slots[k].host, h->host) == 0;
        backend_probe_step(out, h->host, "host", h->answered ? PROBE_WORKS : PROBE_MISSING, ms, "%s",
                           h->answered ? "answers"
                           : h->detail ? h->detail
                                       : "no words");
        if (!h->answered) continue;
        backend_probe_step(out, h->host, "devices", devices ? PROBE_WORKS : PROBE_ABSENT, 0,
                           "%zu of the pool's flavors", devices);
        if (h->storage_capacity.n > 0)
            backend_probe_step(out, h->host, "storage", PROBE_WORKS, 0, "%s of %s free",
                               bytes_text(h->storage_free).s, bytes_text(h->storage_capacity).s);
        else
            backend_probe_step(out, h->host, "storage", PROBE_ABSENT, 0, "no place for volumes is known");
    }
    backend_view_free(&view);
}

int dispatch_probe(const struct backend *b, const struct backend_pool *pool, bool may_write,
                   struct backend_probe *out, struct err *e) {
    int64_t start = clock_monotonic_ms();
    *out = (struct backend_probe){0};
    if (look_check(b, pool, e) < 0) return -1;
    int rc = 0;
    if (b->probe)
        rc = b->probe(pool, may_write, out, e);
    else
        probe_plainly(b, pool, out);
    log_look("probe", b, pool, out->n_steps, start, rc, e);
    if (rc < 0) backend_probe_free(out);
    return rc;
}
