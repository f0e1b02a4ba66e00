/* SPDX-License-Identifier: Apache-2.0 */
/* What may differ from project to project. */
#include "backends/openstack_probe.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_catalog.h"

#include <string.h>

enum { SKEW_MOST = 30 };

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* ---- token and catalog ---- */

static void clock_told(const struct probe *x, int64_t skew) {
    bool is_near = skew >= -SKEW_MOST && skew <= SKEW_MOST;
    backend_probe_step(x->out, x->host, "clock", is_near ? PROBE_WORKS : PROBE_ABSENT, 0,
                       "the cloud's clock is %lld s %s ours", (long long)(skew < 0 ? -skew : skew),
                       skew < 0 ? "behind" : "ahead of");
}

/* What the settings need of the catalog. */
struct needed {
    const char *service;
    bool is_needed;
};

static void catalog_told(const struct probe *x, const struct session_facts *facts) {
    const struct settings *s = &x->p->run->settings;
    bool by_quota = s->deliver == DELIVER_QUOTA;
    const struct needed all[] = {{"compute", true},
                                 {"block-storage", s->storage == STORAGE_BLOCK || by_quota},
                                 {"network", !by_quota},
                                 {"image", !by_quota},
                                 {"object-store", s->object_store != OBJECTS_NONE},
                                 {"nasv1", s->storage == STORAGE_NAS},
                                 {"placement", by_quota}};
    struct text there scoped_text = {0}, missing scoped_text = {0};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct err e = {0};
        const char *region = x->p->cloud ? x->p->cloud->region_name : NULL;
        bool is_there = catalog_find(facts->catalog, all[i].service, region,
                                     x->p->cloud ? x->p->cloud->interface : "public", &e) != NULL;
        if (is_there) text_add(&there, "%s%s", there.s ? ", " : "", all[i].service);
        if (!is_there && all[i].is_needed) text_add(&missing, "%s%s", missing.s ? ", " : "", all[i].service);
    }
    if (missing.s)
        backend_probe_step(x->out, x->host, "catalog", PROBE_MISSING, 0, "not there: %s; there: %s",
                           missing.s, there.s ? there.s : "nothing that is needed");
    else
        backend_probe_step(x->out, x->host, "catalog", PROBE_WORKS, 0, "%s", there.s ? there.s : "nothing");
}

static bool token_try(const struct probe *x, const char *name, struct session *session, bool is_first) {
    struct session_facts facts = {0};
    struct err e = {0};
    struct text roles scoped_text = {0};
    size_t i;
    const json_t *role;
    int64_t start = clock_monotonic_ms();
    int rc = session_look(session, x->p->run->until, &facts, &e);
    int64_t ms = clock_monotonic_ms() - start;
    if (rc < 0) {
        backend_probe_step(x->out, x->host, name, e.code == ERR_RETRY ? PROBE_FAILED : PROBE_MISSING, ms,
                           "%s", e.what);
    } else {
        json_array_foreach(facts.roles, i, role)
            text_add(&roles, "%s%s", i ? ", " : "", json_string_value(role));
        backend_probe_step(x->out, x->host, name, PROBE_WORKS, ms,
                           "v%d, good for %lld min, project %s, roles: %s", facts.version,
                           (long long)(instant_since(facts.expires, clock_now()).s / 60),
                           facts.project_id ? facts.project_id : "none", roles.s ? roles.s : "none told");
        if (is_first) clock_told(x, facts.skew.s);
        if (is_first) catalog_told(x, &facts);
    }
    session_facts_free(&facts);
    return rc == 0;
}

/* ---- limits ---- */

struct limit_key {
    const char *resource, *limit, *used;
};

/* "limits.absolute" of Nova and of Cinder; -1 is "no limit". */
static size_t limits_take(const struct probe *x, const json_t *answer, const struct limit_key *keys) {
    const json_t *absolute = json_object_get(json_object_get(answer, "limits"), "absolute");
    size_t n = 0;
    for (; keys->resource; keys++) {
        const json_t *limit = json_object_get(absolute, keys->limit);
        if (!json_is_integer(limit)) continue;
        int64_t amount = json_integer_value(limit);
        backend_probe_limit(x->out, (struct backend_quota_limit){
                                        .host = (char *)x->host,
                                        .resource = keys->resource,
                                        .unlimited = amount < 0,
                                        .limit = larger(amount, 0),
                                        .used = json_integer_value(json_object_get(absolute, keys->used)),
                                        .was_read = true});
        n++;
    }
    return n;
}

static bool is_told(const struct probe *x, const char *resource) {
    for (size_t i = 0; i < x->out->n_limits; i++)
        if (text_same(x->out->limits[i].host, x->host) && strcmp(x->out->limits[i].resource, resource) == 0)
            return true;
    return false;
}

static void limits_try(const struct probe *x, const char *name, const char *service,
                       const struct limit_key *keys) {
    scoped_json json_t *answer = NULL;
    struct err e = {0};
    int64_t ms;
    int status = probe_get(x, service, "/limits", &answer, &ms, &e);
    size_t n = answer ? limits_take(x, answer, keys) : 0;
    if (n)
        backend_probe_step(x->out, x->host, name, PROBE_WORKS, ms, "%zu limits can be read", n);
    else
        probe_refused(x, name, false, status, ms, &e);
}

static void published_told(const struct probe *x) {
    const struct published_limit *l = x->p->run->settings.dialect->published;
    for (; l && l->resource; l++)
        if (!is_told(x, l->resource))
            backend_probe_limit(x->out, (struct backend_quota_limit){.host = (char *)x->host,
                                                                     .resource = l->resource,
                                                                     .limit = l->limit});
}

static void call_try(const struct probe *x, const char *name, const char *service, const char *path,
                     bool is_needed, const char *good) {
    scoped_json json_t *answer = NULL;
    struct err e = {0};
    int64_t ms;
    int status = probe_get(x, service, path, &answer, &ms, &e);
    if (status >= 200 && status < 300)
        backend_probe_step(x->out, x->host, name, PROBE_WORKS, ms, "%s", good);
    else
        probe_refused(x, name, is_needed, status, ms, &e);
}

static void quota_calls_try(const struct probe *x, const char *project) {
    char path[256];
    bool by_quota = x->p->run->settings.deliver == DELIVER_QUOTA;
    if (text_format(path, sizeof path, "/os-quota-sets/%s", project) < 0) return;
    call_try(x, "compute_quota", "compute", path, by_quota, "can be read");
    call_try(x, "volume_quota", "block-storage", path, by_quota, "can be read");
    if (text_format(path, sizeof path, "/os-simple-tenant-usage/%s", project) < 0) return;
    call_try(x, "tenant_usage", "compute", path, false, "can be read");
}

/* ---- volumes, zones, network, NAS ---- */

/* Is there one of this name? words: those that are. */
static void name_try(const struct probe *x, const char *name, const char *service, const char *path,
                     const char *list, const char *key, const char *wanted) {
    scoped_json json_t *answer = NULL;
    struct text there scoped_text = {0};
    struct err e = {0};
    int64_t ms;
    size_t i;
    const json_t *thing;
    bool is_there = !wanted;
    int status = probe_get(x, service, path, &answer, &ms, &e);
    if (!answer) {
        probe_refused(x, name, wanted != NULL, status, ms, &e);
        return;
    }
    json_array_foreach(json_object_get(answer, list), i, thing) {
        const char *told = text_of(thing, key);
        if (!told) continue;
        is_there |= text_same(told, wanted) || text_same(text_of(thing, "id"), wanted);
        if (i < 20) text_add(&there, "%s%s", there.s ? ", " : "", told);
    }
    if (is_there)
        backend_probe_step(x->out, x->host, name, PROBE_WORKS, ms, "%s", there.s ? there.s : "none");
    else
        backend_probe_step(x->out, x->host, name, PROBE_MISSING, ms, "%s is not there; there: %s", wanted,
                           there.s ? there.s : "none");
}

void probe_project(const struct probe *x) {
    static const struct limit_key compute[] = {{"vcpus", "maxTotalCores", "totalCoresUsed"},
                                               {"memory_mib", "maxTotalRAMSize", "totalRAMUsed"},
                                               {"servers", "maxTotalInstances", "totalInstancesUsed"},
                                               {NULL, NULL, NULL}};
    static const struct limit_key volumes[] = {
        {"volume_gib", "maxTotalVolumeGigabytes", "totalGigabytesUsed"},
        {"volumes", "maxTotalVolumes", "totalVolumesUsed"},
        {NULL, NULL, NULL}};
    const struct settings *s = &x->p->run->settings;
    if (!token_try(x, "token", x->p->session, true)) return;
    limits_try(x, "compute_limits", "compute", compute);
    limits_try(x, "volume_limits", "block-storage", volumes);
    published_told(x);
    struct session_facts facts = {0};
    struct err e = {0};
    if (session_look(x->p->session, x->p->run->until, &facts, &e) == 0 && facts.project_id)
        quota_calls_try(x, facts.project_id);
    session_facts_free(&facts);
    name_try(x, "zones", "compute", "/os-availability-zone", "availabilityZoneInfo", "zoneName",
             s->availability_zone);
    if (s->storage == STORAGE_BLOCK || s->deliver == DELIVER_QUOTA)
        name_try(x, "volume_types", "block-storage", "/types", "volume_types", "name", s->volume_type);
    if (s->deliver == DELIVER_INSTANCE)
        name_try(x, "network", s->dialect->servers.service ? "network" : "", s->dialect->network.path,
                 s->dialect->network.list, "name", s->network);
    if (s->dialect->needs_key_pair)
        call_try(x, "key_pairs", "compute", "/os-keypairs", true, "can be listed");
    if (s->dialect->files.path)
        call_try(x, "nas", "nasv1", "/v1/volumes?limit=1&page=1", s->storage == STORAGE_NAS, "can be listed");
}
