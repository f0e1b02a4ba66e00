/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery by quota: the verbs. The operations of one project go together, projects side by side. */
#include "backends/openstack_quota.h"

#include "alloc/parallel.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

static enum backend_answer answer_of(const struct err *e) {
    switch (e->code) {
    case ERR_UNKNOWN: return BACKEND_UNKNOWN;
    case ERR_FAILED:
    case ERR_USAGE: return BACKEND_REFUSED;
    default: return BACKEND_NOTHING_HAPPENED;
    }
}

static void answer(struct backend_operation *op, enum backend_answer a, const char *words) {
    op->answer = a;
    free(op->detail);
    op->detail = words && *words ? mem_copy(words) : NULL;
}

/* ---- groups: the operations of one project ---- */

struct group {
    char name[128]; /* of the project, where we make it */
    const char *id; /* where it was there before: the host's uri */
    struct backend_operation **ops;
    size_t n;
};

struct job {
    struct quota_run *q;
    struct group *groups;
    size_t n_groups;
    struct backend_operation **ordered;
    void (*one)(struct quota_run *q, struct group *g);
};

static const char *host_id(const struct run *run, const char *host) {
    for (size_t i = 0; i < run->pool->n_hosts; i++)
        if (strcmp(run->pool->hosts[i].name, host) == 0) return run->pool->hosts[i].uri;
    return NULL;
}

static int by_project(const void *a, const void *b) {
    const struct backend_operation *x = *(struct backend_operation *const *)a,
                                   *y = *(struct backend_operation *const *)b;
    int host = strcmp(x->host, y->host);
    if (host) return host;
    if (x->tenant_number != y->tenant_number) return x->tenant_number < y->tenant_number ? -1 : 1;
    int branch = strcmp(x->tenant_branch ? x->tenant_branch : "", y->tenant_branch ? y->tenant_branch : "");
    return branch ? branch : strcmp(x->token, y->token);
}

static void groups_make(struct job *job, const struct run *run, struct backend_operation *ops, size_t n) {
    job->ordered = mem_alloc((n + 1) * sizeof *job->ordered);
    job->groups = mem_alloc((n + 1) * sizeof *job->groups);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (ops[i].kind == BACKEND_QUOTA)
            job->ordered[kept++] = &ops[i];
        else
            answer(&ops[i], BACKEND_REFUSED, "this pool is delivered by quota");
    }
    qsort(job->ordered, kept, sizeof(struct backend_operation *), by_project);
    for (size_t i = 0; i < kept; i++) {
        const struct backend_operation *op = job->ordered[i];
        struct group *last = job->n_groups ? &job->groups[job->n_groups - 1] : NULL;
        char name[128];
        const char *id = *op->host ? host_id(run, op->host) : NULL;
        quota_project_name(run->pool->store_id, run->pool->name, op->tenant_number, op->tenant_branch, name);
        if (!last || strcmp(last->name, name) != 0 || last->id != id) {
            last = &job->groups[job->n_groups++];
            *last = (struct group){.id = id, .ops = &job->ordered[i]};
            memcpy(last->name, name, sizeof name);
        }
        last->n++;
    }
}

static void group_answer(struct group *g, enum backend_answer a, const char *words) {
    for (size_t i = 0; i < g->n; i++) answer(g->ops[i], a, words);
}

static void group_fail(struct group *g, const struct err *e) {
    struct text words scoped_text = {0};
    text_add(&words, "%s%s%s", e->what, e->hint[0] ? ": " : "", e->hint);
    group_answer(g, answer_of(e), words.s);
}

static void one_group(void *arg, size_t i) {
    struct job *job = arg;
    job->one(job->q, &job->groups[i]);
}

/* Before anything is written nothing has happened, whatever it was: a password that ran out, a role that was
   taken away, a setting. It voids no grant; it is told, and tried again. */
static void fail_all(struct backend_operation *ops, size_t n, const struct err *e) {
    struct text words scoped_text = {0};
    text_add(&words, "%s%s%s", e->what, e->hint[0] ? ": " : "", e->hint);
    for (size_t i = 0; i < n; i++) answer(&ops[i], BACKEND_NOTHING_HAPPENED, words.s);
}

static int operations(struct run *run, struct backend_operation *ops, size_t n,
                      void (*one)(struct quota_run *, struct group *)) {
    struct quota_run q;
    struct err own = {0};
    if (quota_open(&q, run, &own) < 0 || quota_learn(&q, &own) < 0) {
        fail_all(ops, n, &own);
    } else {
        struct job job = {.q = &q, .one = one};
        groups_make(&job, run, ops, n);
        parallel_each((size_t)run->settings.parallel, job.n_groups, one_group, &job);
        free(job.groups);
        free(job.ordered);
    }
    quota_close(&q);
    return 0;
}

static const char **group_tokens(const struct group *g) {
    const char **tokens = mem_alloc((g->n + 1) * sizeof *tokens);
    for (size_t i = 0; i < g->n; i++) tokens[i] = g->ops[i]->token;
    return tokens;
}

/* ---- ensure ---- */

/* How the tenant's people get in: they have their own password. */
static json_t *connection(const struct quota_run *q, const struct quota_project *p,
                          const struct backend_operation *op) {
    return json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "auth_url", q->run->cloud->auth_url, "project", p->name,
                     "project_id", p->id, "member", op->quota.member, "region", q->run->cloud->region_name);
}

/* The tokens come first: whatever is cut off later can be found by them. When limits are refused they go. */
static int group_set(struct quota_run *q, struct group *g, struct quota_lines *lines, struct quota_project *p,
                     struct err *e) {
    const struct backend_operation *op = g->ops[0];
    scoped_free const char **tokens = group_tokens(g);
    scoped_json json_t *had = NULL;
    if (quota_project_ensure(q, g->id, g->name, op->tenant, tokens, g->n, p, &had, e) < 0) return -1;
    if (run_fault("quota.after-project", e) < 0) return -1;
    int rc = op->quota.member ? quota_project_member(q, p->id, op->quota.member, e) : 0;
    if (rc == 0 && (rc = quota_read(q, p->id, NULL, false, lines, e)) < 0) quota_unanswered(e);
    if (rc == 0) rc = quota_write(q, p->id, lines, e);
    if (rc == 0) return run_fault("quota.after-limits", e);
    if (e->code == ERR_UNKNOWN) return -1;
    struct err own = {0};
    size_t n_new = 0;
    for (size_t i = 0; i < g->n; i++)
        if (!json_object_get(had, tokens[i])) tokens[n_new++] = tokens[i];
    if (quota_project_drop(q, p->id, tokens, n_new, &own) < 0) e->code = ERR_UNKNOWN;
    return -1;
}

static void group_ensure(struct quota_run *q, struct group *g) {
    struct quota_lines lines;
    struct quota_project p = {0};
    struct err e = {0};
    if (quota_lines_want(q->settings, &g->ops[0]->quota, &lines, &e) < 0 ||
        group_set(q, g, &lines, &p, &e) < 0) {
        group_fail(g, &e);
    } else {
        group_answer(g, BACKEND_DONE, NULL);
        for (size_t i = 0; i < g->n; i++) g->ops[i]->connection = connection(q, &p, g->ops[i]);
    }
    quota_project_free(&p);
}

int quota_ensure(struct run *run, struct backend_operation *ops, size_t n, struct err *e) {
    (void)e;
    return operations(run, ops, n, group_ensure);
}

/* ---- remove ---- */

/* A token stays on its project until no more is used than is left: as long as it is seen, it is not gone. */
static void group_remove(struct quota_run *q, struct group *g) {
    struct quota_lines lines;
    struct quota_project p = {0};
    struct text words scoped_text = {0};
    struct err e = {0};
    int found = quota_project_find(q, g->id, g->name, &p, &e);
    int rc = found < 0 ? -1 : 0;
    if (found == 1) {
        scoped_free const char **tokens = group_tokens(g);
        rc = quota_lines_want(q->settings, &g->ops[0]->quota, &lines, &e);
        if (rc == 0 && (rc = quota_read(q, p.id, NULL, false, &lines, &e)) < 0) quota_unanswered(&e);
        if (rc == 0) rc = quota_write(q, p.id, &lines, &e);
        if (rc == 0) rc = run_fault("quota.after-lowering", &e);
        if (rc == 0 && (rc = quota_read(q, p.id, NULL, true, &lines, &e)) < 0) e.code = ERR_UNKNOWN;
        bool fits = rc == 0 && quota_lines_fit(&lines, &words);
        if (fits) rc = quota_project_drop(q, p.id, tokens, g->n, &e);
    }
    if (rc < 0)
        group_fail(g, &e);
    else
        group_answer(g, words.s ? BACKEND_STARTED : BACKEND_DONE, words.s);
    quota_project_free(&p);
}

int quota_remove(struct run *run, struct backend_operation *ops, size_t n, struct err *e) {
    (void)e;
    return operations(run, ops, n, group_remove);
}

/* ---- observe ---- */

struct look {
    struct quota_run *q;
    const json_t *projects, *limits;
    struct found {
        struct quota_lines lines;
        struct err e;
        bool is_read;
    } * found;
};

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void look_one(void *arg, size_t i) {
    struct look *look = arg;
    struct found *f = &look->found[i];
    const char *id = text_of(json_array_get(look->projects, i), "id");
    f->is_read = id && quota_lines_want(look->q->settings, NULL, &f->lines, &f->e) == 0 &&
                 quota_read(look->q, id, look->limits, false, &f->lines, &f->e) == 0;
}

static void seen_add(struct backend_view *out, const struct quota_settings *s, const char *host,
                     const json_t *project, const char *token, const struct quota_lines *lines) {
    out->seen = mem_one_more(out->seen, out->n_seen, sizeof *out->seen);
    struct backend_seen *seen = &out->seen[out->n_seen++];
    *seen = (struct backend_seen){.token = mem_copy(token),
                                  .kind = BACKEND_QUOTA,
                                  .name = mem_copy(text_of(project, "name")),
                                  .host = mem_copy(host),
                                  .state = quota_lines_agree(s, lines) ? SEEN_PRESENT : SEEN_FAILED};
    seen->connection = json_pack("{s:s*, s:s*}", "tenant", text_of(project, "description"), "project_id",
                                 text_of(project, "id"));
    quota_lines_seen(lines, seen);
}

/* Once for each token. One of ours without any, where something is allowed, is an orphan. */
static void project_seen(struct backend_view *out, const struct quota_settings *s, const char *host,
                         const json_t *project, const struct quota_lines *lines, bool is_named) {
    size_t i, n = 0;
    const json_t *tag;
    json_array_foreach(json_object_get(project, "tags"), i, tag) {
        const char *token = json_string_value(tag);
        if (!token || !quota_tag_is_token(token)) continue;
        seen_add(out, s, host, project, token, lines);
        n++;
    }
    bool is_any = false;
    for (size_t k = 0; k < lines->n; k++) is_any |= lines->of[k].flavor && lines->of[k].there > 0;
    if (n == 0 && is_named && is_any) seen_add(out, s, host, project, NULL, lines);
}

static void report(struct backend_view *out, const char *host, const struct err *why) {
    out->hosts = mem_one_more(out->hosts, out->n_hosts, sizeof *out->hosts);
    out->hosts[out->n_hosts++] = (struct backend_host_report){
        .host = mem_copy(host), .answered = why == NULL, .detail = why ? mem_copy(why->what) : NULL};
}

/* Where the pool lists projects they are its hosts; else those with our names, under the host "". */
json_t *quota_projects(const struct quota_run *q, struct err *e) {
    const struct backend_pool *pool = q->run->pool;
    if (pool->n_hosts == 0) return quota_projects_all(q, e);
    json_t *list = json_array();
    for (size_t i = 0; i < pool->n_hosts; i++) {
        struct quota_call ask = {.is_system = true, .may_be_absent = true, .service = "identity"};
        scoped_json json_t *answer = NULL;
        if (quota_call(q, ask, NULL, &answer, e, "/projects/%s", pool->hosts[i].uri) < 0) {
            json_decref(list);
            return NULL;
        }
        json_t *project = json_object_get(answer, "project");
        json_array_append(list, project ? project : json_null());
    }
    return list;
}

static int observe_all(struct quota_run *q, struct backend_view *out, struct err *e) {
    const struct backend_pool *pool = q->run->pool;
    scoped_json json_t *projects = quota_projects(q, e);
    scoped_json json_t *limits = projects ? quota_limits_all(q, e) : NULL;
    if (!projects || !limits) return -1;
    size_t n = json_array_size(projects);
    struct look look = {.q = q, .projects = projects, .limits = limits};
    look.found = mem_alloc((n + 1) * sizeof *look.found);
    parallel_each((size_t)q->run->settings.parallel, n, look_one, &look);
    const struct err *bad = NULL;
    struct err gone;
    for (size_t i = 0; i < n; i++) {
        const struct found *f = &look.found[i];
        const json_t *project = json_array_get(projects, i);
        const char *host = pool->n_hosts ? pool->hosts[i].name : "";
        if (f->is_read) project_seen(out, q->settings, host, project, &f->lines, pool->n_hosts == 0);
        if (!f->is_read && !bad) bad = &f->e;
        if (!pool->n_hosts) continue;
        err_clear(&gone);
        err_set(&gone, ERR_FAILED, "the cloud has no project %s", pool->hosts[i].uri);
        report(out, host, f->is_read ? NULL : json_is_null(project) ? &gone : &f->e);
    }
    if (!pool->n_hosts) report(out, "", bad); /* one that is not read could be any */
    free(look.found);
    return 0;
}

static void nobody_answered(const struct run *run, struct backend_view *out, const struct err *e) {
    for (size_t i = 0; i < run->pool->n_hosts; i++) report(out, run->pool->hosts[i].name, e);
    if (!run->pool->n_hosts) report(out, "", e);
}

int quota_observe(struct run *run, struct backend_view *out, struct err *e) {
    struct quota_run q;
    struct err own = {0};
    (void)e;
    if (quota_open(&q, run, &own) < 0 || quota_learn(&q, &own) < 0 || observe_all(&q, out, &own) < 0)
        nobody_answered(run, out, &own);
    quota_close(&q);
    return 0;
}

int quota_sync(struct run *run, struct backend_view *out, struct err *e) {
    struct quota_run q;
    struct err own = {0};
    int rc = quota_open(&q, run, &own);
    if (rc == 0) rc = quota_learn(&q, &own);
    quota_close(&q);
    if (rc < 0 && own.code == ERR_FAILED) { /* it answered, and what it is asked for cannot be */
        *e = own;
        return -1;
    }
    if (rc < 0) {
        nobody_answered(run, out, &own);
        return 0;
    }
    for (size_t i = 0; i < run->pool->n_hosts; i++) report(out, run->pool->hosts[i].name, NULL);
    if (!run->pool->n_hosts) report(out, "", NULL);
    return 0;
}
