/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *call_escape(const char *text) {
    struct text t = {0};
    text_put(&t, "", 0);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (isalnum(*c) || strchr("-._~", *c))
            text_put(&t, (const char *)c, 1);
        else
            text_add(&t, "%%%02X", *c);
    return text_take(&t);
}

static struct session *session_for(struct project *p, const char *service) {
    return strcmp(service, "object-store") == 0 ? p->objects : p->session;
}

/* "/v2.0/ports" at an endpoint that ends with "/v2.0" is "/ports". *out points into path. */
static int path_for(struct project *p, struct session *session, const char *service, const char *path,
                    const char **out, struct err *e) {
    *out = path;
    if (path[0] != '/' || path[1] != 'v' || !isdigit((unsigned char)path[2])) return 0;
    size_t version = 1 + strcspn(path + 1, "/?");
    char *endpoint scoped_free = session_endpoint(session, service, p->run->until, e);
    if (!endpoint) return -1;
    size_t length = strlen(endpoint);
    if (length > version && strncmp(endpoint + length - version, path, version) == 0) *out = path + version;
    return 0;
}

int project_call(struct project *p, const char *service, struct http_request *request,
                 struct http_answer *answer, struct err *e) {
    const char *version = p->run->settings.dialect->compute_version;
    const struct http_header header = {.name = "OpenStack-API-Version", .value = version};
    struct session *session = session_for(p, service);
    struct http_request r = *request;
    *answer = (struct http_answer){0};
    if (path_for(p, session, service, request->url, &r.url, e) < 0) return -1;
    r.deadline = p->run->until;
    if (version && strcmp(service, "compute") == 0) {
        r.headers = &header;
        r.n_headers = 1;
    }
    return session_call(session, service, &r, answer, e);
}

static int call_json(struct project *p, const char *service, struct http_request *r, json_t **out, bool *gone,
                     struct err *e) {
    struct http_answer answer;
    int rc = project_call(p, service, r, &answer, e);
    bool absent = r->may_be_absent && (answer.status == 404 || answer.status == 410);
    if (out) *out = rc == 0 && !absent ? json_incref(answer.json) : NULL;
    if (gone) *gone = absent;
    http_answer_free(&answer);
    return rc;
}

int call_get(struct project *p, const char *service, const char *path, json_t **out, struct err *e) {
    struct http_request r = {.method = HTTP_GET, .url = path, .may_be_absent = true, .needs_json = true};
    return call_json(p, service, &r, out, NULL, e);
}

int call_post(struct project *p, const char *service, const char *path, const json_t *body, json_t **out,
              struct err *e) {
    struct http_request r = {.method = HTTP_POST, .url = path, .json = body, .needs_json = out != NULL};
    return call_json(p, service, &r, out, NULL, e);
}

int call_delete(struct project *p, const char *service, const char *path, bool *gone, struct err *e) {
    struct http_request r = {.method = HTTP_DELETE, .url = path, .may_be_absent = true};
    return call_json(p, service, &r, NULL, gone, e);
}
