/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_probe.h"

#include "alloc/parallel.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_quota.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* ---- asking ---- */

int probe_get(const struct probe *x, const char *service, const char *path, json_t **out, int64_t *ms,
              struct err *e) {
    struct http_request request = {.method = HTTP_GET, .url = path, .may_be_absent = true};
    struct http_answer answer;
    int64_t start = clock_monotonic_ms();
    int rc = project_call(x->p, service, &request, &answer, e);
    *ms = clock_monotonic_ms() - start;
    int status = answer.status ? answer.status : rc == 0 ? 200 : 0;
    *out = rc == 0 && status != 404 ? json_incref(answer.json) : NULL;
    http_answer_free(&answer);
    return status;
}

void probe_refused(const struct probe *x, const char *name, bool is_needed, int status, int64_t ms,
                   const struct err *e) {
    enum backend_outcome outcome = status == 0 ? PROBE_FAILED : is_needed ? PROBE_MISSING : PROBE_ABSENT;
    if (status && !err_is(e))
        backend_probe_step(x->out, x->host, name, outcome, ms, "%d", status);
    else if (status)
        backend_probe_step(x->out, x->host, name, outcome, ms, "%d: %s", status, e->what);
    else
        backend_probe_step(x->out, x->host, name, outcome, ms, "%s", e->what);
}

/* ---- the same everywhere ---- */

static void versions_try(const struct probe *x) {
    struct run *run = x->p->run;
    struct err e = {0};
    struct text words scoped_text = {0};
    size_t i;
    const json_t *version;
    int64_t start = clock_monotonic_ms();
    scoped_json json_t *list = identity_versions(run->identity, run->cloud, run->until, &e);
    int64_t ms = clock_monotonic_ms() - start;
    if (!list) {
        probe_refused(x, "versions", true, 0, ms, &e);
        return;
    }
    json_array_foreach(list, i, version) text_add(&words, "%s%s", i ? ", " : "", json_string_value(version));
    backend_probe_step(x->out, NULL, "versions", PROBE_WORKS, ms, "%s: %s", run->cloud->auth_url,
                       words.s ? words.s : "none");
}

/* Each size is told with what it takes, so that needs can be summed. */
static void size_told(const struct probe *x, const char *flavor, int64_t units, const json_t *size,
                      int64_t root_gib) {
    backend_probe_size(x->out,
                       (struct backend_size){.flavor = (char *)flavor,
                                             .name = (char *)text_of(size, "name"),
                                             .units = units,
                                             .vcpus = json_integer_value(json_object_get(size, "vcpus")),
                                             .memory_mib = json_integer_value(json_object_get(size, "ram")),
                                             .root_gib = root_gib});
}

static const json_t *size_named(const json_t *list, const char *name) {
    size_t i;
    const json_t *size;
    json_array_foreach(list, i, size) {
        if (text_same(text_of(size, "name"), name) || text_same(text_of(size, "id"), name)) return size;
    }
    return NULL;
}

static void sizes_by_table(const struct probe *x, const json_t *list, struct text *there,
                           struct text *missing) {
    const struct settings *s = &x->p->run->settings;
    for (size_t i = 0; i < s->n_sizes; i++) {
        const struct size_setting *z = &s->sizes[i];
        const json_t *size = size_named(list, z->name);
        struct text *to = size ? there : missing;
        text_add(to, "%s%s x %lld = %s", to->s ? ", " : "", z->flavor, (long long)z->units, z->name);
        if (size) size_told(x, z->flavor, z->units, size, z->root == ROOT_VOLUME ? z->root_gib : 0);
    }
}

static bool has_table(const struct settings *s, const char *flavor) {
    for (size_t i = 0; i < s->n_sizes; i++)
        if (strcmp(s->sizes[i].flavor, flavor) == 0) return true;
    return false;
}

static void sizes_by_specs(const struct probe *x, const json_t *list, struct text *there,
                           struct text *missing) {
    const struct settings *s = &x->p->run->settings;
    for (size_t i = 0; i < s->n_flavors; i++) {
        const struct flavor_setting *f = &s->flavors[i];
        size_t k, n = 0;
        const json_t *size;
        if (has_table(s, f->name)) continue;
        json_array_foreach(list, k, size) {
            int64_t units = size_units(f, size);
            if (units < 1) continue;
            text_add(there, "%s%s x %lld = %s", there->s ? ", " : "", f->name, (long long)units,
                     text_of(size, "name"));
            size_told(x, f->name, units, size, s->root_place == ROOT_VOLUME ? s->root_gib : 0);
            n++;
        }
        if (!n)
            text_add(missing, "%s%s (%s)", missing->s ? ", " : "", f->name,
                     f->resource ? f->resource_key
                     : f->alias  ? f->alias
                                 : "no match");
    }
}

static void sizes_try(const struct probe *x) {
    const json_t *list;
    struct text there scoped_text = {0}, missing scoped_text = {0};
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    int rc = flavors_look(x->p, &list, &e);
    int64_t ms = clock_monotonic_ms() - start;
    if (rc < 0) {
        probe_refused(x, "sizes", true, 0, ms, &e);
        return;
    }
    sizes_by_table(x, list, &there, &missing);
    sizes_by_specs(x, list, &there, &missing);
    if (missing.s)
        backend_probe_step(x->out, NULL, "sizes", PROBE_MISSING, ms, "not there: %s; there: %s", missing.s,
                           there.s ? there.s : "none of the pool's");
    else
        backend_probe_step(x->out, NULL, "sizes", PROBE_WORKS, ms, "%s", there.s ? there.s : "none wanted");
}

static void image_try(const struct probe *x) {
    const char *id;
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    if (!x->p->run->settings.image) return;
    int rc = image_look(x->p, &id, &e);
    int64_t ms = clock_monotonic_ms() - start;
    if (rc < 0)
        backend_probe_step(x->out, NULL, "image", PROBE_MISSING, ms, "%s", e.what);
    else
        backend_probe_step(x->out, NULL, "image", PROBE_WORKS, ms, "%s is %s", x->p->run->settings.image, id);
}

void probe_everywhere(const struct probe *x) {
    versions_try(x);
    sizes_try(x);
    image_try(x);
}

/* ---- all projects ---- */

struct probing {
    struct run *run;
    bool may_write;
    struct backend_probe *found; /* one for each host */
};

static void host_try(void *arg, size_t i) {
    struct probing *all = arg;
    const char *host = all->run->pool->hosts[i].name;
    struct err e = {0};
    struct probe x = {.host = host, .may_write = all->may_write, .out = &all->found[i]};
    x.p = run_project(all->run, host, &e);
    if (!x.p) {
        backend_probe_step(x.out, host, "token", PROBE_MISSING, 0, "%s", e.what);
        return;
    }
    probe_project(&x);
    probe_objects(&x);
}

static void append(struct backend_probe *out, struct backend_probe *from) {
    for (size_t i = 0; i < from->n_steps; i++) {
        out->steps = mem_one_more(out->steps, out->n_steps, sizeof *out->steps);
        out->steps[out->n_steps++] = from->steps[i];
    }
    for (size_t i = 0; i < from->n_limits; i++) {
        out->limits = mem_one_more(out->limits, out->n_limits, sizeof *out->limits);
        out->limits[out->n_limits++] = from->limits[i];
    }
    free(from->steps);
    free(from->limits);
    free(from->sizes);
}

/* Delivery by quota: the administrator's own project stands for those that are made. */
static void admin_try(struct run *run, bool may_write, struct backend_probe *out) {
    const struct backend_host own = {.name = "", .uri = ""};
    struct err e = {0};
    struct project p = {.run = run, .host = &own, .cloud = run->cloud};
    pthread_mutex_init(&p.lock, NULL);
    p.session = p.objects = session_open(run->identity, run->cloud, &e);
    struct probe x = {.p = &p, .may_write = may_write, .out = out};
    if (p.session) {
        probe_everywhere(&x);
        probe_project(&x);
        probe_objects(&x);
        session_close(p.session);
    } else {
        backend_probe_step(out, NULL, "token", PROBE_MISSING, 0, "%s", e.what);
    }
    pthread_mutex_destroy(&p.lock);
    probe_quota(run, out);
}

int probe_run(struct run *run, bool may_write, struct backend_probe *out, struct err *e) {
    (void)e;
    size_t n = run->pool->n_hosts;
    if (run->settings.deliver == DELIVER_QUOTA) return admin_try(run, may_write, out), 0;
    struct probing all = {.run = run, .may_write = may_write};
    struct err own = {0};
    struct probe first = {.out = out};
    first.p = n ? run_project(run, run->pool->hosts[0].name, &own) : NULL;
    if (first.p) probe_everywhere(&first);
    if (n == 0) backend_probe_step(out, NULL, "projects", PROBE_MISSING, 0, "the pool has no projects");
    all.found = mem_alloc((n + 1) * sizeof *all.found);
    parallel_each((size_t)run->settings.parallel, n, host_try, &all);
    for (size_t i = 0; i < n; i++) append(out, &all.found[i]);
    free(all.found);
    return 0;
}
