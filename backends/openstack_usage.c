/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_usage.h"

#include "alloc/parallel.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_quota.h"

#include <stdlib.h>
#include <string.h>

#define GIB (INT64_C(1) << 30)

/* One project in one look. */
struct use {
    struct project *p; /* whose session asks */
    const char *host;  /* as it is told */
    char *id, *token;  /* of a project in which a tenant works by itself; NULL */
    instant_t since, until, at;
    json_t *known; /* id of each server -> true */
    struct backend_usage found;
    struct err e;
    bool failed;
};

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int64_t number_of(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

bool cloud_time(const char *text, instant_t *out) {
    char plain[21];
    struct err e = {0};
    if (!text || strlen(text) < 19) return false;
    memcpy(plain, text, 19);
    memcpy(plain + 19, "Z", 2);
    return instant_parse(plain, out, &e) == 0;
}

void usage_add_sample(struct backend_usage *u, struct backend_sample sample) {
    u->samples = mem_one_more(u->samples, u->n_samples, sizeof *u->samples);
    u->samples[u->n_samples++] = sample;
}

void usage_add_meter(struct backend_usage *u, struct backend_meter meter) {
    u->meters = mem_one_more(u->meters, u->n_meters, sizeof *u->meters);
    u->meters[u->n_meters++] = meter;
}

static struct backend_sample sample_of(const struct use *use, enum backend_kind kind, const json_t *thing) {
    const char *token = use->id ? use->token : ours_token(thing);
    return (struct backend_sample){.token = mem_copy(token),
                                   .kind = kind,
                                   .id = mem_copy(text_of(thing, "id")),
                                   .name = mem_copy(text_of(thing, "name")),
                                   .host = mem_copy(use->host),
                                   .state = SEEN_PRESENT,
                                   .at = use->at};
}

/* ---- servers ---- */

/* Stock clouds tell a server's size with it, NHN only its id. */
static const json_t *cloud_size(struct use *use, const json_t *server) {
    const json_t *told = json_object_get(server, "flavor"), *list, *size;
    const char *id = text_of(told, "id");
    struct err e = {0};
    size_t i;
    if (json_object_get(told, "extra_specs") || !id) return told;
    if (flavors_look(use->p, &list, &e) < 0) return told;
    json_array_foreach(list, i, size) {
        if (text_same(text_of(size, "id"), id)) return size;
    }
    return told;
}

static void size_take(struct use *use, const json_t *server, struct backend_sample *sample) {
    const struct settings *s = &use->p->run->settings;
    const json_t *size = cloud_size(use, server);
    const char *name =
        text_of(size, "original_name") ? text_of(size, "original_name") : text_of(size, "name");
    for (size_t i = 0; i < s->n_sizes && !sample->flavor; i++) {
        if (!name || strcmp(s->sizes[i].name, name) != 0) continue;
        sample->flavor = mem_copy(s->sizes[i].flavor);
        sample->units = s->sizes[i].units;
    }
    for (size_t i = 0; i < s->n_flavors && !sample->flavor; i++) {
        int64_t units = size_units(&s->flavors[i], size);
        if (units < 1) continue;
        sample->flavor = mem_copy(s->flavors[i].name);
        sample->units = units;
    }
}

static int take_server(void *arg, const json_t *server, struct err *e) {
    struct use *use = arg;
    (void)e;
    const char *id = text_of(server, "id");
    if (!id || json_object_get(use->known, id)) return 0;
    json_object_set_new(use->known, id, json_true());
    struct backend_sample sample = sample_of(use, BACKEND_SERVER, server);
    sample.state = server_state(server);
    cloud_time(text_of(server, "OS-SRV-USG:launched_at"), &sample.started);
    cloud_time(text_of(server, "OS-SRV-USG:terminated_at"), &sample.ended);
    bool is_over = sample.ended.s && sample.ended.s <= use->since.s;
    if (is_over || sample.started.s >= use->until.s) {
        struct backend_usage none = {.samples = mem_alloc(sizeof sample), .n_samples = 1};
        none.samples[0] = sample;
        backend_usage_free(&none);
        return 0;
    }
    size_take(use, server, &sample);
    usage_add_sample(&use->found, sample);
    return 0;
}

/* Those that are there; then those that changed since, among them the deleted. */
static int servers_take(struct use *use, struct err *e) {
    const struct listing *l = &use->p->run->settings.dialect->servers;
    struct text living scoped_text = {0}, changed scoped_text = {0};
    if (use->id) text_add(&living, "all_tenants=1&project_id=%s", use->id);
    text_add(&changed, "%s%schanges-since=%.19s", living.s ? living.s : "", living.s ? "&" : "",
             instant_text(use->since).s);
    if (list_each(use->p, l, living.s, take_server, use, e) < 0) return -1;
    return list_each(use->p, l, changed.s, take_server, use, e);
}

/* ---- what is stored ---- */

static int take_volume(void *arg, const json_t *volume, struct err *e) {
    struct use *use = arg;
    (void)e;
    struct backend_sample sample = sample_of(use, BACKEND_VOLUME, volume);
    int64_t gib = number_of(volume, "size");
    sample.provisioned = bytes(gib > BYTES_MOST / GIB ? BYTES_MOST : larger(gib, 0) * GIB);
    cloud_time(text_of(volume, "created_at"), &sample.started);
    usage_add_sample(&use->found, sample);
    return 0;
}

static int volumes_take(struct use *use, struct err *e) {
    struct text filter scoped_text = {0};
    if (use->id) text_add(&filter, "all_tenants=1&project_id=%s", use->id);
    return list_each(use->p, &use->p->run->settings.dialect->volumes, filter.s, take_volume, use, e);
}

/* Containers are ours by name, NAME__TOKEN; the account's list tells what each holds. */
static int take_container(void *arg, const json_t *container, struct err *e) {
    struct use *use = arg;
    (void)e;
    const char *name = text_of(container, "name");
    if (!name) return 0;
    struct backend_sample sample = sample_of(use, BACKEND_CONTAINER, container);
    sample.token = mem_copy(container_token(name));
    sample.id = mem_copy(name);
    sample.stored = bytes(number_of(container, "bytes"));
    usage_add_sample(&use->found, sample);
    return 0;
}

static int containers_take(struct use *use, struct err *e) {
    static const struct listing account = {"object-store", "?format=json", NULL, PAGES_NONE, false, NULL};
    return list_each(use->p, &account, NULL, take_container, use, e);
}

static int account_take(struct use *use, struct err *e) {
    struct run *run = use->p->run;
    struct account account;
    struct account_state state;
    if (account_open(run, run->cloud, use->p->session, use->id, &account, e) < 0) return -1;
    int rc = account_read(run, &account, &state, e);
    account_close(&account);
    if (rc < 0 || !state.exists) return rc;
    struct backend_sample sample = sample_of(use, BACKEND_CONTAINER, NULL);
    struct text id = {0};
    text_add(&id, "AUTH_%s", use->id);
    sample.id = text_take(&id);
    sample.stored = bytes(state.bytes);
    if (state.has_quota) sample.provisioned = bytes(state.quota);
    usage_add_sample(&use->found, sample);
    return 0;
}

/* NHN's NAS: what is used of a volume is asked for one by one, in whole GB. */
static int take_files(void *arg, const json_t *volume, struct err *e) {
    struct use *use = arg;
    char path[160];
    scoped_json json_t *answer = NULL;
    const char *id = text_of(volume, "id");
    if (!id || text_format(path, sizeof path, "/v1/volumes/%s/usage", id) < 0) return 0;
    if (call_get(use->p, "nasv1", path, &answer, e) < 0) return -1;
    struct backend_sample sample = sample_of(use, BACKEND_VOLUME, volume);
    sample.provisioned = bytes(number_of(volume, "sizeGb") * 1000000000);
    sample.stored = bytes(number_of(json_object_get(answer, "usage"), "usedGb") * 1000000000);
    cloud_time(text_of(volume, "createdAt"), &sample.started);
    usage_add_sample(&use->found, sample);
    return 0;
}

static int stores_take(struct use *use, struct err *e) {
    const struct settings *s = &use->p->run->settings;
    if (volumes_take(use, e) < 0) return -1;
    if (s->object_store != OBJECTS_NONE && (use->id ? account_take(use, e) : containers_take(use, e)) < 0)
        return -1;
    if (s->storage != STORAGE_NAS || !s->dialect->files.path) return 0;
    return list_each(use->p, &s->dialect->files, NULL, take_files, use, e);
}

/* ---- the cross-check: Nova's own sum ---- */

/* Hours in which servers existed, times 3600; a float, which is compared and never booked. */
static int tenant_usage_take(struct use *use, const char *project, struct err *e) {
    struct text path scoped_text = {0};
    struct instant_text since = instant_text(use->since), until = instant_text(use->until);
    text_add(&path, "/os-simple-tenant-usage/%s?start=%.19s&end=%.19s", project, since.s, until.s);
    struct http_request request = {
        .method = HTTP_GET, .url = path.s, .may_be_absent = true, .deadline = use->p->run->until};
    struct http_answer answer = {0}; /* no microversion: all of it on one page */
    int rc = session_call(use->p->session, "compute", &request, &answer, e);
    const json_t *sum = json_object_get(json_object_get(answer.json, "tenant_usage"), "total_hours");
    if (rc == 0 && answer.status == 200 && answer.json) {
        struct backend_meter m = {.host = mem_copy(use->host),
                                  .source = mem_copy("os-simple-tenant-usage"),
                                  .name = mem_copy("servers"),
                                  .unit = mem_copy("seconds"),
                                  .has_ours = true,
                                  .theirs = (int64_t)(json_number_value(sum) * 3600 + 0.5)};
        for (size_t i = 0; i < use->found.n_samples; i++)
            m.ours += backend_sample_up(&use->found.samples[i], use->since, use->until);
        struct text value = {0};
        text_add(&value, "%lld", (long long)m.theirs);
        m.value = text_take(&value);
        usage_add_meter(&use->found, m);
    }
    bool is_forbidden = rc < 0 && (answer.status == 403 || answer.status == 404);
    http_answer_free(&answer);
    if (!is_forbidden) return rc;
    err_clear(e); /* a check that the cloud does not offer */
    return 0;
}

/* ---- a project, all projects ---- */

static void use_one(void *arg, size_t i) {
    struct use *use = (struct use *)arg + i;
    if (use->failed) return;
    use->known = json_object();
    use->failed = servers_take(use, &use->e) < 0 || stores_take(use, &use->e) < 0;
    const char *project = use->id ? use->id : use->p->host->uri;
    if (!use->failed && use->p->run->settings.dialect->has_limits)
        use->failed = tenant_usage_take(use, project, &use->e) < 0;
    json_decref(use->known);
}

static void append(struct backend_usage *out, struct use *use) {
    out->hosts = mem_one_more(out->hosts, out->n_hosts, sizeof *out->hosts);
    out->hosts[out->n_hosts++] =
        (struct backend_host_report){.host = mem_copy(use->host),
                                     .answered = !use->failed,
                                     .detail = use->failed ? mem_copy(use->e.what) : NULL};
    if (use->failed) {
        backend_usage_free(&use->found);
        return;
    }
    for (size_t i = 0; i < use->found.n_samples; i++) usage_add_sample(out, use->found.samples[i]);
    for (size_t i = 0; i < use->found.n_meters; i++) usage_add_meter(out, use->found.meters[i]);
    free(use->found.samples);
    free(use->found.meters);
}

static void use_all(struct run *run, struct use *uses, size_t n, struct backend_usage *out) {
    parallel_each((size_t)run->settings.parallel, n, use_one, uses);
    for (size_t i = 0; i < n; i++) {
        append(out, &uses[i]);
        free(uses[i].id);
        free(uses[i].token);
    }
}

static void instances_sample(struct run *run, instant_t since, instant_t until, struct backend_usage *out) {
    size_t n = run->pool->n_hosts;
    struct use *uses = mem_alloc((n + 1) * sizeof *uses);
    for (size_t i = 0; i < n; i++) {
        const char *host = run->pool->hosts[i].name;
        uses[i] = (struct use){.host = host, .since = since, .until = until, .at = clock_now()};
        uses[i].p = run_project(run, host, &uses[i].e);
        uses[i].failed = !uses[i].p;
    }
    use_all(run, uses, n, out);
    free(uses);
}

static char *first_token(const json_t *project) {
    const char *first = NULL;
    size_t i;
    const json_t *tag;
    json_array_foreach(json_object_get(project, "tags"), i, tag) {
        const char *token = json_string_value(tag);
        if (token && quota_tag_is_token(token) && (!first || strcmp(token, first) < 0)) first = token;
    }
    return mem_copy(first);
}

/* Where tenants work by themselves the administrator asks, for one project after the other. */
static int quotas_sample(struct run *run, instant_t since, instant_t until, struct backend_usage *out,
                         struct err *e) {
    struct quota_run q;
    scoped_json json_t *projects = NULL;
    int rc = quota_open(&q, run, e);
    if (rc == 0) rc = quota_learn(&q, e);
    if (rc == 0) rc = (projects = quota_projects(&q, e)) ? 0 : -1;
    size_t n = rc == 0 ? json_array_size(projects) : 0;
    struct use *uses = mem_alloc((n + 1) * sizeof *uses);
    const struct backend_host none = {.name = "", .uri = ""};
    struct project p = {.run = run, .host = &none, .session = q.admin, .objects = q.admin};
    pthread_mutex_init(&p.lock, NULL);
    for (size_t i = 0; i < n; i++) {
        const json_t *project = json_array_get(projects, i);
        bool is_host = run->pool->n_hosts > 0;
        uses[i] = (struct use){.p = &p,
                               .host = is_host ? run->pool->hosts[i].name : text_of(project, "name"),
                               .id = mem_copy(text_of(project, "id")),
                               .token = first_token(project),
                               .since = since,
                               .until = until,
                               .at = clock_now()};
        if (uses[i].id) continue;
        uses[i].failed = true;
        err_set(&uses[i].e, ERR_FAILED, "the cloud has no such project");
    }
    use_all(run, uses, n, out);
    pthread_mutex_destroy(&p.lock);
    free(uses);
    quota_close(&q);
    return rc;
}

int usage_sample(struct run *run, instant_t since, instant_t until, struct backend_usage *out,
                 struct err *e) {
    struct partner_settings partner;
    bool is_there;
    if (partner_settings_read(&run->settings, &partner, &is_there, e) < 0) return -1;
    if (run->settings.deliver == DELIVER_QUOTA) {
        if (quotas_sample(run, since, until, out, e) < 0) return -1;
    } else {
        instances_sample(run, since, until, out);
    }
    return is_there ? partner_sample(run, &partner, since, until, out, e) : 0;
}
