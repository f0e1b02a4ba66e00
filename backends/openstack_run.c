/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack.h"

#include "alloc/fault.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int run_open(struct run *run, const struct backend_pool *pool, struct err *e) {
    *run = (struct run){.pool = pool, .until = clock_monotonic_ms() + pool->deadline_ms};
    pthread_mutex_init(&run->lock, NULL);
    pthread_mutex_init(&run->asking, NULL);
    run->projects = mem_alloc(pool->n_hosts * sizeof *run->projects);
    for (size_t i = 0; i < pool->n_hosts; i++) {
        run->projects[i] = (struct project){.run = run, .host = &pool->hosts[i]};
        pthread_mutex_init(&run->projects[i].lock, NULL);
    }
    if (settings_read(pool, &run->settings, e) < 0) return -1;
    run->clouds = clouds_open(e);
    if (run->clouds) run->cloud = clouds_find(run->clouds, run->settings.cloud, run->settings.region, e);
    if (!run->cloud) return err_context(e, "pool %s", pool->name);
    run->http = http_open(&(struct http_settings){.cacert = run->cloud->cacert}, e);
    if (!run->http) return -1;
    char *folder scoped_free = identity_cache_folder();
    run->identity = identity_open(run->http, folder);
    return 0;
}

static void project_close(struct project *p) {
    if (p->objects != p->session) session_close(p->objects);
    session_close(p->session);
    if (p->objects_cloud) cloud_free(p->objects_cloud);
    if (p->cloud) cloud_free(p->cloud);
    json_decref(p->servers);
    json_decref(p->volumes);
    json_decref(p->made);
    free(p->network);
    free(p->group);
    pthread_mutex_destroy(&p->lock);
}

void run_close(struct run *run) {
    for (size_t i = 0; i < run->pool->n_hosts; i++) project_close(&run->projects[i]);
    free(run->projects);
    if (run->identity) identity_close(run->identity);
    http_close(run->http);
    if (run->cloud) cloud_free(run->cloud);
    clouds_close(run->clouds);
    json_decref(run->flavors);
    free(run->image);
    settings_drop(&run->settings);
    pthread_mutex_destroy(&run->lock);
    pthread_mutex_destroy(&run->asking);
}

/* ---- projects ---- */

/* The host's own entry of clouds.yaml, or the pool's, for the host's project. */
static struct cloud *cloud_of(struct project *p, const char *project, struct err *e) {
    const struct settings *s = &p->run->settings;
    struct cloud *base =
        p->settings.cloud ? clouds_find(p->run->clouds, p->settings.cloud, s->region, e) : p->run->cloud;
    if (!base) return NULL;
    struct cloud *own = cloud_for_project(base, project);
    if (p->settings.cloud) cloud_free(base);
    return own;
}

static int project_open(struct project *p, struct err *e) {
    if (p->session) return 0;
    if (host_settings_read(p->run->pool, p->host, &p->settings, e) < 0) return -1;
    if (!p->cloud && !(p->cloud = cloud_of(p, p->host->uri, e))) return -1;
    if (!p->objects && p->settings.object_store_id) {
        p->objects_cloud = cloud_of(p, p->settings.object_store_id, e);
        if (p->objects_cloud) p->objects = session_open(p->run->identity, p->objects_cloud, e);
        if (!p->objects) return -1;
    }
    p->session = session_open(p->run->identity, p->cloud, e);
    if (!p->session) return -1;
    if (!p->objects) p->objects = p->session;
    return 0;
}

struct project *run_project(struct run *run, const char *host, struct err *e) {
    for (size_t i = 0; i < run->pool->n_hosts; i++) {
        if (strcmp(run->pool->hosts[i].name, host) != 0) continue;
        pthread_mutex_lock(&run->lock);
        int rc = project_open(&run->projects[i], e);
        pthread_mutex_unlock(&run->lock);
        if (rc < 0) e->code = ERR_RETRY; /* whatever is wrong with the settings: nothing was sent */
        return rc < 0 ? NULL : &run->projects[i];
    }
    return err_set(e, ERR_RETRY, "host %s is not one of pool %s", host, run->pool->name), NULL;
}

/* ---- faults ---- */

int run_fault(const char *name, struct err *e) {
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    struct err own = {0};
    pthread_mutex_lock(&one_at_a_time);
    int rc = fault_point(name, &own);
    pthread_mutex_unlock(&one_at_a_time);
    return rc < 0 ? err_set(e, ERR_UNKNOWN, "%s", own.what) : 0;
}

/* ---- waiting ---- */

enum { WAIT_FIRST_MS = 200, WAIT_MOST_MS = 5000 };

struct waiting wait_for(const struct run *run, int64_t seconds_most) {
    int64_t until = clock_monotonic_ms() + seconds_most * 1000;
    return (struct waiting){.until = until < run->until ? until : run->until, .next_ms = WAIT_FIRST_MS};
}

bool wait_next(struct waiting *w) {
    if (clock_monotonic_ms() + w->next_ms >= w->until) return false;
    struct timespec t = {w->next_ms / 1000, (w->next_ms % 1000) * 1000000};
    while (nanosleep(&t, &t) < 0) continue;
    w->next_ms = w->next_ms * 3 / 2 < WAIT_MOST_MS ? w->next_ms * 3 / 2 : WAIT_MOST_MS;
    return true;
}
