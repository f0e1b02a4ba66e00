/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object store, and whether it keeps a container to its quota: no answer tells that, only a container
 * that is filled. One is made, limited to a byte, written over it, and removed, where that is allowed.
 */
#include "backends/openstack_probe.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int send(const struct probe *x, enum http_method method, const char *path, const char *body,
                const struct http_header *header, struct err *e) {
    struct http_request request = {.method = method,
                                   .url = path,
                                   .headers = header,
                                   .n_headers = header ? 1 : 0,
                                   .bytes = body,
                                   .length = body ? strlen(body) : 0,
                                   .content_type = body ? "application/octet-stream" : NULL,
                                   .may_be_absent = true,
                                   .deadline = x->p->run->until};
    struct http_answer answer = {0};
    err_clear(e);
    session_call(x->p->objects, "object-store", &request, &answer, e);
    int status = answer.status;
    http_answer_free(&answer);
    return status;
}

static void quota_told(const struct probe *x, int made, int filled, int64_t ms, const struct err *e) {
    bool is_needed = x->p->run->settings.object_store == OBJECTS_QUOTA;
    enum backend_outcome without = is_needed ? PROBE_MISSING : PROBE_ABSENT;
    if (made != 201 && made != 202)
        backend_probe_step(x->out, x->host, "container_quota", without, ms, "no container can be made: %d %s",
                           made, e->what);
    else if (filled == 413)
        backend_probe_step(x->out, x->host, "container_quota", PROBE_WORKS, ms,
                           "X-Container-Meta-Quota-Bytes is kept: 413");
    else
        backend_probe_step(x->out, x->host, "container_quota", without, ms,
                           "X-Container-Meta-Quota-Bytes is not kept: 16 bytes went into 1 (%d)", filled);
}

static void quota_try(const struct probe *x) {
    static const struct http_header limit = {.name = "X-Container-Meta-Quota-Bytes", .value = "1"};
    char container[80], object[96];
    struct err e = {0}, ignored = {0};
    int64_t start = clock_monotonic_ms();
    snprintf(container, sizeof container, "/allot-probe-%lld-%d", (long long)clock_now().s, (int)getpid());
    snprintf(object, sizeof object, "%s/filled", container);
    int made = send(x, HTTP_PUT, container, "", &limit, &e), filled = 0;
    if (made == 201 || made == 202) filled = send(x, HTTP_PUT, object, "0123456789abcdef", NULL, &ignored);
    quota_told(x, made, filled, clock_monotonic_ms() - start, &e);
    if (filled == 201) send(x, HTTP_DELETE, object, NULL, NULL, &ignored);
    if (made == 201 || made == 202) {
        int gone = send(x, HTTP_DELETE, container, NULL, NULL, &e);
        if (gone != 204 && gone != 404)
            backend_probe_step(x->out, x->host, "container_removed", PROBE_FAILED, 0,
                               "container %s is left behind: %d %s", container + 1, gone, e.what);
    }
}

static void token_of_objects(const struct probe *x) {
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    if (x->p->objects == x->p->session) return;
    int rc = session_ready(x->p->objects, x->p->run->until, &e);
    backend_probe_step(x->out, x->host, "objects_token", rc == 0 ? PROBE_WORKS : PROBE_MISSING,
                       clock_monotonic_ms() - start, "%s", rc == 0 ? "for its own project" : e.what);
}

void probe_objects(const struct probe *x) {
    bool is_needed = x->p->run->settings.object_store != OBJECTS_NONE;
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    token_of_objects(x);
    int status = send(x, HTTP_HEAD, "", NULL, NULL, &e);
    int64_t ms = clock_monotonic_ms() - start;
    if (status == 200 || status == 204)
        backend_probe_step(x->out, x->host, "objects", PROBE_WORKS, ms, "the account answers %d", status);
    else
        probe_refused(x, "objects", is_needed, status, ms, &e);
    if (status != 200 && status != 204) return;
    if (x->may_write)
        quota_try(x);
    else
        backend_probe_step(x->out, x->host, "container_quota", PROBE_SKIPPED, 0,
                           "only a container that is filled tells: --write");
}
