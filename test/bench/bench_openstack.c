/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_openstack CLOUDS PARALLEL : the same requests that provisioning sends, by a bare program: libcurl, a
 * thread for each of PARALLEL tenants at a time, no ledger, no tokens of ours, no looking back. CLOUDS is
 * clouds.yaml in JSON as test/lab/openstack-projects writes it; the projects come on standard input, {"name",
 * "id"} in an array. For each: a token, its network looked up, a volume, a container, a server with the
 * volume; polled as the backend polls. Prints milliseconds.
 */
#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct buffer {
    char *s;
    size_t n;
};

struct caller {
    CURL *curl;
    struct curl_slist *headers;
    char token[512];
};

struct endpoints {
    char compute[512], volume[512], object[512], network[512];
};

static const json_t *projects, *auth;
static const char *flavor_id;
static char image_id[64];
static atomic_size_t next_one;
static pthread_mutex_t image_lock = PTHREAD_MUTEX_INITIALIZER;

static _Noreturn void fail(const char *what, const char *more) {
    fprintf(stderr, "bench_openstack: %s: %s\n", what, more ? more : "");
    exit(1);
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static size_t keep_body(char *data, size_t size, size_t n, void *arg) {
    struct buffer *b = arg;
    b->s = realloc(b->s, b->n + size * n + 1);
    if (!b->s) fail("memory", NULL);
    memcpy(b->s + b->n, data, size * n);
    b->n += size * n;
    b->s[b->n] = '\0';
    return size * n;
}

static size_t keep_token(char *data, size_t size, size_t n, void *arg) {
    struct caller *c = arg;
    static const char name[] = "x-subject-token:";
    if (size * n > sizeof name && strncasecmp(data, name, sizeof name - 1) == 0)
        snprintf(c->token, sizeof c->token, "%.*s", (int)strcspn(data + sizeof name, "\r\n"),
                 data + sizeof name);
    return size * n;
}

/* A new reference, or NULL for an answer without JSON. Anything but success ends the program. */
static json_t *call(struct caller *c, const char *method, const char *url, json_t *body) {
    struct buffer answer = {0};
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, token[560];
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(token, sizeof token, "X-Auth-Token: %s", c->token);
    if (c->token[0]) headers = curl_slist_append(headers, token);
    if (strstr(url, "/servers")) headers = curl_slist_append(headers, "OpenStack-API-Version: compute 2.67");
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text);
    if (!text) curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, keep_token);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
    long status = 0;
    if (curl_easy_perform(c->curl) != CURLE_OK) fail(url, "no answer");
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300) fail(url, answer.s);
    json_t *json = answer.s ? json_loads(answer.s, 0, NULL) : NULL;
    curl_slist_free_all(headers);
    json_decref(body);
    free(answer.s);
    free(text);
    return json;
}

static const char *member(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static void endpoint(const json_t *catalog, const char *type, char *out, size_t room) {
    size_t i, k;
    json_t *service, *one;
    json_array_foreach(catalog, i, service) {
        if (strcmp(member(service, "type"), type) != 0) continue;
        json_array_foreach(json_object_get(service, "endpoints"), k,
                           one) if (strcmp(member(one, "interface"), "public") == 0)
            snprintf(out, room, "%s", member(one, "url"));
    }
    if (!out[0]) fail("catalog", type);
}

static void authenticate(struct caller *c, const char *project, struct endpoints *e) {
    char url[512];
    snprintf(url, sizeof url, "%s/auth/tokens", member(auth, "auth_url"));
    c->token[0] = '\0';
    json_t *answer =
        call(c, "POST", url,
             json_pack("{s:{s:{s:[s], s:{s:{s:s, s:s, s:{s:s}}}}, s:{s:{s:s}}}}", "auth", "identity",
                       "methods", "password", "password", "user", "name", member(auth, "username"),
                       "password", member(auth, "password"), "domain", "name",
                       member(auth, "user_domain_name"), "scope", "project", "id", project));
    const json_t *catalog = json_object_get(json_object_get(answer, "token"), "catalog");
    endpoint(catalog, "compute", e->compute, sizeof e->compute);
    endpoint(catalog, "volumev3", e->volume, sizeof e->volume);
    endpoint(catalog, "object-store", e->object, sizeof e->object);
    endpoint(catalog, "network", e->network, sizeof e->network);
    json_decref(answer);
}

/* Until the status of the thing is the wanted one. */
static void await(struct caller *c, const char *url, const char *key, const char *wanted) {
    for (long wait = 200;; wait = wait * 3 / 2 < 5000 ? wait * 3 / 2 : 5000) {
        json_t *answer = call(c, "GET", url, NULL);
        const char *status = member(json_object_get(answer, key), "status");
        if (status && strcmp(status, "ERROR") == 0) fail(url, "ERROR");
        bool is_so = status && strcmp(status, wanted) == 0;
        json_decref(answer);
        if (is_so) return;
        pause_ms(wait);
    }
}

static void image_find(struct caller *c, const struct endpoints *e) {
    char url[600];
    pthread_mutex_lock(&image_lock);
    if (!image_id[0]) {
        snprintf(url, sizeof url, "%s/images", e->compute);
        json_t *answer = call(c, "GET", url, NULL);
        snprintf(image_id, sizeof image_id, "%s",
                 member(json_array_get(json_object_get(answer, "images"), 0), "id"));
        json_decref(answer);
    }
    pthread_mutex_unlock(&image_lock);
}

static void provision(struct caller *c, const json_t *project) {
    struct endpoints e = {.compute = ""};
    char url[700], id[64];
    authenticate(c, member(project, "id"), &e);
    image_find(c, &e);
    snprintf(url, sizeof url, "%s/v2.0/networks", e.network);
    json_t *answer = call(c, "GET", url, NULL), *network = json_object();
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(answer, "networks"), i,
                       one) if (strcmp(member(one, "name"), "net0") == 0)
        json_object_set(network, "uuid", json_object_get(one, "id"));
    json_decref(answer);
    snprintf(url, sizeof url, "%s/volumes", e.volume);
    answer =
        call(c, "POST", url,
             json_pack("{s:{s:s, s:i, s:s}}", "volume", "name", "bare", "size", 2, "volume_type", "ssd"));
    snprintf(id, sizeof id, "%s", member(json_object_get(answer, "volume"), "id"));
    json_decref(answer);
    snprintf(url, sizeof url, "%s/volumes/%s", e.volume, id);
    await(c, url, "volume", "available");
    snprintf(url, sizeof url, "%s/bare", e.object);
    json_decref(call(c, "PUT", url, json_object()));
    snprintf(url, sizeof url, "%s/servers", e.compute);
    json_t *disks = json_pack("[{s:s, s:s, s:i, s:s, s:b}, {s:s, s:s, s:i, s:s, s:b}]", "source_type",
                              "image", "uuid", image_id, "boot_index", 0, "destination_type", "local",
                              "delete_on_termination", 1, "source_type", "volume", "uuid", id, "boot_index",
                              -1, "destination_type", "volume", "delete_on_termination", 0);
    answer = call(c, "POST", url,
                  json_pack("{s:{s:s, s:s, s:s, s:[o], s:o}}", "server", "name", "bare", "imageRef", image_id,
                            "flavorRef", flavor_id, "networks", network, "block_device_mapping_v2", disks));
    snprintf(url, sizeof url, "%s/servers/%s", e.compute, member(json_object_get(answer, "server"), "id"));
    json_decref(answer);
    await(c, url, "server", "ACTIVE");
}

static void *work(void *arg) {
    (void)arg;
    struct caller c = {.curl = curl_easy_init()};
    curl_easy_setopt(c.curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c.curl, CURLOPT_NOSIGNAL, 1L);
    for (size_t i; (i = atomic_fetch_add(&next_one, 1)) < json_array_size(projects);)
        provision(&c, json_array_get(projects, i));
    curl_easy_cleanup(c.curl);
    return NULL;
}

int main(int argc, char **argv) {
    enum { MOST = 64 };
    pthread_t threads[MOST];
    int parallel = argc == 3 ? atoi(argv[2]) : 0;
    if (parallel < 1 || parallel > MOST) fail("usage", "bench_openstack CLOUDS PARALLEL <PROJECTS");
    json_t *clouds = json_load_file(argv[1], 0, NULL);
    projects = json_loadf(stdin, 0, NULL);
    auth = json_object_get(json_object_get(json_object_get(clouds, "clouds"), "lab"), "auth");
    flavor_id = "g.a100.1";
    if (!auth || !json_is_array(projects)) fail(argv[1], "no cloud \"lab\", or no projects");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int64_t began = now_ms();
    for (int i = 0; i < parallel; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < parallel; i++) pthread_join(threads[i], NULL);
    printf("%lld\n", (long long)(now_ms() - began));
    json_decref((json_t *)projects);
    json_decref(clouds);
    curl_global_cleanup();
    return 0;
}
