/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenStack backend: its verbs. What is done for each kind stands in its own file (openstack.h). */
#include "backends/openstack.h"

#include "alloc/parallel.h"
#include "alloc/scope.h"
#include "backends/openstack_probe.h"
#include "backends/openstack_quota.h"
#include "backends/openstack_usage.h"

#include <stdlib.h>
#include <string.h>

static int openstack_check(const struct backend_pool *pool, unsigned *capabilities, struct err *e) {
    struct settings s;
    *capabilities = BACKEND_HAS_PROJECTS | BACKEND_HAS_USAGE;
    int rc = settings_read(pool, &s, e);
    bool makes_projects = rc == 0 && s.deliver == DELIVER_QUOTA && pool->n_hosts == 0;
    if (makes_projects) *capabilities &= ~(unsigned)BACKEND_HAS_PROJECTS;
    if (rc == 0 && s.object_store != OBJECTS_NONE) *capabilities |= BACKEND_HAS_CONTAINERS;
    if (rc == 0 && s.deliver == DELIVER_QUOTA) *capabilities |= BACKEND_BY_QUOTA;
    for (size_t i = 0; rc == 0 && i < pool->n_hosts; i++) {
        struct host_settings host;
        rc = host_settings_read(pool, &pool->hosts[i], &host, e);
        for (size_t k = 0; rc == 0 && k < i; k++)
            if (strcmp(pool->hosts[k].uri, pool->hosts[i].uri) == 0)
                rc = err_set(e, ERR_USAGE, "pool %s: hosts %s and %s are the same project %s", pool->name,
                             pool->hosts[k].name, pool->hosts[i].name, pool->hosts[i].uri);
    }
    settings_drop(&s);
    return rc;
}

/* ---- operations ---- */

typedef int act_on(struct project *p, struct backend_operation *op, struct err *e);
struct acts {
    act_on *ensure, *remove;
};
static const struct acts acts[] = {
    [BACKEND_SERVER] = {server_ensure, server_remove},
    [BACKEND_VOLUME] = {volume_ensure, volume_remove},
    [BACKEND_CONTAINER] = {container_ensure, container_remove},
};
static const size_t kinds = sizeof acts / sizeof *acts;

struct working {
    struct run *run;
    struct backend_operation **ops;
    bool makes;
};

static void answer(struct backend_operation *op, enum backend_answer a, const struct err *e) {
    struct text words = {0};
    op->answer = a;
    if (a == BACKEND_DONE) return;
    text_add(&words, "%s%s%s%s", e->what, e->hint[0] ? " (" : "", e->hint, e->hint[0] ? ")" : "");
    op->detail = text_take(&words);
}

static enum backend_answer answer_of(enum err_code code) {
    switch (code) {
    case ERR_RETRY: return BACKEND_NOTHING_HAPPENED;
    case ERR_UNKNOWN: return BACKEND_UNKNOWN;
    case ERR_WAITS: return BACKEND_STARTED;
    default: return BACKEND_REFUSED;
    }
}

static void work_on(void *arg, size_t i) {
    struct working *w = arg;
    struct backend_operation *op = w->ops[i];
    struct err e = {0};
    act_on *act = (size_t)op->kind < kinds ? w->makes ? acts[op->kind].ensure : acts[op->kind].remove : NULL;
    int rc;
    struct project *p = NULL;
    if (clock_monotonic_ms() >= w->run->until)
        rc = err_set(&e, ERR_RETRY, "it was not begun before the deadline");
    else if (!act)
        rc = err_set(&e, ERR_FAILED, "pool %s does not deliver by %s", w->run->pool->name,
                     backend_kind_words[op->kind]);
    else
        rc = (p = run_project(w->run, op->host, &e)) ? act(p, op, &e) : -1;
    answer(op, rc == 0 ? BACKEND_DONE : answer_of(e.code), &e);
}

/* Servers need their volumes: those come first when things are made, and last when they go. */
static void work_all(struct working *w, struct backend_operation *ops, size_t n) {
    struct backend_operation **some = w->ops = mem_alloc((n + 1) * sizeof *some);
    for (int pass = 0; pass < 2; pass++) {
        bool servers = (pass == 1) == w->makes;
        size_t k = 0;
        for (size_t i = 0; i < n; i++)
            if ((ops[i].kind == BACKEND_SERVER) == servers) some[k++] = &ops[i];
        parallel_each((size_t)w->run->settings.parallel, k, work_on, w);
    }
    free(some);
}

static int operations(const struct backend_pool *pool, bool makes, struct backend_operation *ops, size_t n,
                      struct err *e) {
    struct run run;
    int rc = run_open(&run, pool, e);
    struct working w = {.run = &run, .makes = makes};
    if (rc == 0 && run.settings.deliver == DELIVER_QUOTA)
        rc = makes ? quota_ensure(&run, ops, n, e) : quota_remove(&run, ops, n, e);
    else if (rc == 0)
        work_all(&w, ops, n);
    run_close(&run);
    return rc;
}

static int openstack_ensure(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                            struct err *e) {
    return operations(pool, true, ops, n, e);
}

static int openstack_remove(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                            struct err *e) {
    return operations(pool, false, ops, n, e);
}

/* ---- views ---- */

/* For each project, and where quotas are delivered for all at once. */
struct look {
    int (*one)(struct project *p, struct backend_view *view, struct text *words, struct err *e);
    int (*quotas)(struct run *run, struct backend_view *out, struct err *e);
};

struct looking {
    struct run *run;
    const struct look *look;
    struct backend_view *views; /* one for each project */
    struct backend_host_report *reports;
};

static int observe_one(struct project *p, struct backend_view *view, struct text *words, struct err *e) {
    (void)words;
    return project_observe(p, view, e);
}

static int sync_one(struct project *p, struct backend_view *view, struct text *words, struct err *e) {
    (void)view;
    return project_sync(p, words, e);
}

/* Of a project that did not say everything only the report: a part of its things would make the others pass
   for absent. */
static void look_one(void *arg, size_t i) {
    struct looking *l = arg;
    const struct backend_host *host = &l->run->pool->hosts[i];
    struct backend_host_report *report = &l->reports[i];
    struct err e = {0};
    struct text words = {0};
    struct project *p = run_project(l->run, host->name, &e);
    int rc = p ? l->look->one(p, &l->views[i], &words, &e) : -1;
    *report = (struct backend_host_report){.host = mem_copy(host->name), .answered = rc == 0};
    if (rc < 0) {
        backend_view_free(&l->views[i]);
        report->detail = mem_copy(e.what);
    } else if (words.length) {
        report->detail = mem_copy(words.s);
    }
    text_free(&words);
}

static void views_join(struct looking *l, struct backend_view *out, size_t n) {
    size_t all = 0;
    for (size_t i = 0; i < n; i++) all += l->views[i].n_seen;
    out->seen = mem_alloc((all + 1) * sizeof *out->seen);
    for (size_t i = 0; i < n; i++) {
        struct backend_view *v = &l->views[i];
        if (v->n_seen) memcpy(out->seen + out->n_seen, v->seen, v->n_seen * sizeof *out->seen);
        out->n_seen += v->n_seen;
        free(v->seen);
    }
    out->hosts = l->reports;
    out->n_hosts = n;
}

static int view(const struct backend_pool *pool, const struct look *look, struct backend_view *out,
                struct err *e) {
    struct run run;
    int rc = run_open(&run, pool, e);
    struct looking l = {.run = &run, .look = look};
    if (rc == 0 && run.settings.deliver == DELIVER_QUOTA) {
        rc = look->quotas(&run, out, e);
    } else if (rc == 0) {
        l.views = mem_alloc(pool->n_hosts * sizeof *l.views);
        l.reports = mem_alloc(pool->n_hosts * sizeof *l.reports);
        parallel_each((size_t)run.settings.parallel, pool->n_hosts, look_one, &l);
        views_join(&l, out, pool->n_hosts);
        free(l.views);
    }
    run_close(&run);
    return rc;
}

static int openstack_observe(const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    static const struct look observe = {observe_one, quota_observe};
    return view(pool, &observe, out, e);
}

static int openstack_sync(const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    static const struct look sync = {sync_one, quota_sync};
    return view(pool, &sync, out, e);
}

static int openstack_sample(const struct backend_pool *pool, instant_t since, instant_t until,
                            struct backend_usage *out, struct err *e) {
    struct run run;
    int rc = run_open(&run, pool, e);
    if (rc == 0) rc = usage_sample(&run, since, until, out, e);
    run_close(&run);
    return rc;
}

static int openstack_probe(const struct backend_pool *pool, bool may_write, struct backend_probe *out,
                           struct err *e) {
    struct run run;
    int rc = run_open(&run, pool, e);
    if (rc == 0) rc = probe_run(&run, may_write, out, e);
    run_close(&run);
    return rc;
}

__attribute__((visibility("default"))) extern const struct backend allot_backend;
const struct backend allot_backend = {
    .build_id = BACKEND_BUILD_ID,
    .name = "openstack",
    .batch = 256,
    .check = openstack_check,
    .sync = openstack_sync,
    .ensure = openstack_ensure,
    .observe = openstack_observe,
    .remove = openstack_remove,
    .sample = openstack_sample,
    .probe = openstack_probe,
};
