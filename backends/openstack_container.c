/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container of object storage for one grant's data lake. Its name carries the token, because Swift lists
 * names alone: NAME__TOKEN. How much it may hold is X-Container-Meta-Quota-Bytes. A cloud that does not hold
 * it to that (object_store: polled) need not even keep it, so there a header of our own says it, and one that
 * holds more is frozen: its write ACL then names a user that there is not.
 */
#include "backends/openstack.h"

#include "alloc/parallel.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE "object-store"
#define FROZEN  "allot-frozen:allot-frozen"

static char *name_of(const struct backend_operation *op) {
    struct text t = {0};
    text_add(&t, "%s__%s", op->name, op->token);
    return text_take(&t);
}

const char *container_token(const char *container) {
    const char *at = NULL;
    for (const char *next = container; (next = strstr(next, "__")); next += 1) at = next;
    return at && at > container && at[2] ? at + 2 : NULL;
}

/* ---- looking at one ---- */

static int64_t header_number(const struct http_answer *answer, const char *name) {
    const char *text = http_answer_header(answer, name);
    long long n;
    char whole[24];
    if (!text || text_format(whole, sizeof whole, "%.*s", (int)strcspn(text, "."), text) < 0) return 0;
    return text_to_int(whole, 0, BYTES_MOST, &n) == 0 ? n : 0;
}

/* What call_escape() wrote; NULL stays NULL, and what is no text is none. */
static char *unescape(const char *text) {
    struct text t = {0};
    if (!text) return NULL;
    for (const char *c = text; *c; c++) {
        char byte = *c, hex[3] = "";
        if (c[0] == '%' && c[1] && c[2]) {
            hex[0] = c[1];
            hex[1] = c[2];
            byte = (char)strtol(hex, NULL, 16);
            c += 2;
        }
        text_put(&t, &byte, 1);
    }
    if (t.s && text_is_printable(t.s)) return text_take(&t);
    text_free(&t);
    return NULL;
}

void container_facts_free(struct container_facts *facts) {
    free(facts->tenant);
    free(facts->grant);
}

int container_look(struct project *p, const char *container, struct container_facts *out, struct err *e) {
    struct text path scoped_text = {0};
    char *escaped scoped_free = call_escape(container);
    text_add(&path, "/%s", escaped);
    struct http_request r = {.method = HTTP_HEAD, .url = path.s, .may_be_absent = true};
    struct http_answer answer;
    int rc = project_call(p, SERVICE, &r, &answer, e);
    const char *booked = p->run->settings.object_store == OBJECTS_POLLED ? "x-container-meta-allot-bytes"
                                                                         : "x-container-meta-quota-bytes";
    const char *write = http_answer_header(&answer, "x-container-write");
    *out = (struct container_facts){
        .is_there = rc == 0 && answer.status != 404 && answer.status != 410,
        .is_frozen = write && strcmp(write, FROZEN) == 0,
        .may_hold = bytes(header_number(&answer, booked)),
        .holds = bytes(header_number(&answer, "x-container-bytes-used")),
        .created = instant(header_number(&answer, "x-timestamp")),
        .tenant = unescape(http_answer_header(&answer, "x-container-meta-allot-tenant")),
        .grant = unescape(http_answer_header(&answer, "x-container-meta-allot-grant")),
    };
    http_answer_free(&answer);
    return rc;
}

/* ---- making ---- */

/* settings.container_access with the project's id in place of "{project}"; NULL: not given. The caller's. */
static char *access_of(const struct project *p) {
    const char *access = p->run->settings.container_access,
               *mark = access ? strstr(access, "{project}") : NULL;
    const char *project = p->settings.object_store_id ? p->settings.object_store_id : p->host->uri;
    struct text t = {0};
    if (!mark) return mem_copy(access);
    text_add(&t, "%.*s%s%s", (int)(mark - access), access, project, mark + strlen("{project}"));
    return text_take(&t);
}

/* NULL: as it is. A frozen one that may be written to again has no ACL of its own left to go back to. */
static const char *write_of(const char *access, bool freeze, bool was_frozen) {
    if (freeze) return FROZEN;
    return !access && was_frozen ? "" : access;
}

static int put(struct project *p, const struct backend_operation *op, const char *container, bool freeze,
               bool was_frozen, struct err *e) {
    struct text path scoped_text = {0};
    char quota[24];
    char *tenant scoped_free = call_escape(op->tenant), *grant scoped_free = call_escape(op->grant);
    char *access scoped_free = access_of(p);
    text_add(&path, "/%s", container);
    text_format(quota, sizeof quota, "%lld", (long long)op->bytes.n);
    struct http_header headers[8] = {{"X-Container-Meta-Quota-Bytes", quota, false},
                                     {"X-Container-Meta-Allot-Bytes", quota, false},
                                     {"X-Container-Meta-Allot-Token", op->token, false},
                                     {"X-Container-Meta-Allot-Store", p->run->pool->store_id, false},
                                     {"X-Container-Meta-Allot-Tenant", tenant, false},
                                     {"X-Container-Meta-Allot-Grant", grant, false}};
    size_t n = 6;
    if (access) headers[n++] = (struct http_header){"X-Container-Read", access, false};
    const char *write = write_of(access, freeze, was_frozen);
    if (write) headers[n++] = (struct http_header){"X-Container-Write", write, false};
    struct http_request r = {.method = HTTP_PUT, .url = path.s, .headers = headers, .n_headers = n};
    struct http_answer answer;
    int rc = project_call(p, SERVICE, &r, &answer, e);
    http_answer_free(&answer);
    return rc < 0 ? -1 : run_fault("openstack.container-put", e);
}

int container_ensure(struct project *p, struct backend_operation *op, struct err *e) {
    bool polled = p->run->settings.object_store == OBJECTS_POLLED;
    char *container scoped_free = name_of(op);
    struct container_facts facts = {.is_there = false};
    if (p->run->settings.object_store == OBJECTS_NONE)
        return err_set(e, ERR_FAILED, "pool %s makes no containers: settings.object_store is none",
                       p->run->pool->name);
    if (polled && !op->fresh && container_look(p, container, &facts, e) < 0) {
        container_facts_free(&facts);
        return -1;
    }
    container_facts_free(&facts);
    bool freeze = facts.is_there && facts.holds.n > op->bytes.n;
    if (put(p, op, container, freeze, facts.is_frozen, e) < 0) return -1;
    char *endpoint scoped_free = session_endpoint(p->objects, SERVICE, p->run->until, e);
    if (!endpoint) return -1;
    struct text url scoped_text = {0};
    text_add(&url, "%s/%s", endpoint, container);
    op->connection = json_pack("{s:s, s:s, s:s, s:s}", "host", p->host->name, "container", container, "url",
                               url.s, "quota", polled ? freeze ? "over it: frozen" : "watched" : "enforced");
    return 0;
}

/* ---- removal: objects, then the container ---- */

struct emptying {
    struct project *p;
    const char *container;
    char **names;
    size_t n, room;
    struct err *e; /* of the first that failed */
    pthread_mutex_t lock;
};

static int take_name(void *arg, const json_t *object, struct err *e) {
    (void)e;
    struct emptying *m = arg;
    const char *name = json_string_value(json_object_get(object, "name"));
    if (!name) return 0;
    m->names = mem_grow(m->names, &m->room, m->n + 1, sizeof *m->names);
    m->names[m->n++] = call_escape(name);
    return m->n < 1000 ? 0 : 1;
}

static void names_drop(struct emptying *m) {
    for (size_t i = 0; i < m->n; i++) free(m->names[i]);
    m->n = 0;
}

static void delete_one(void *arg, size_t i) {
    struct emptying *m = arg;
    struct text path scoped_text = {0};
    struct err own = {0};
    bool gone;
    text_add(&path, "/%s/%s", m->container, m->names[i]);
    if (call_delete(m->p, SERVICE, path.s, &gone, &own) == 0) return;
    pthread_mutex_lock(&m->lock);
    if (!err_is(m->e)) *m->e = own;
    pthread_mutex_unlock(&m->lock);
}

/* 0: all of them are gone. -1 also where the cloud has no such call. */
static int delete_in_bulk(struct emptying *m, struct err *e) {
    struct text lines scoped_text = {0};
    for (size_t i = 0; i < m->n; i++) text_add(&lines, "/%s/%s\n", m->container, m->names[i]);
    const struct http_header json = {"Accept", "application/json", false};
    struct http_request r = {.method = HTTP_POST,
                             .url = "?bulk-delete",
                             .bytes = lines.s,
                             .length = lines.length,
                             .content_type = "text/plain",
                             .headers = &json,
                             .n_headers = 1,
                             .is_repeatable = true};
    struct http_answer answer;
    int rc = project_call(m->p, SERVICE, &r, &answer, e);
    const json_t *errors = json_object_get(answer.json, "Errors");
    const char *status = json_string_value(json_object_get(answer.json, "Response Status"));
    bool done = status && *status == '2'; /* the HTTP status is 200 whatever happened */
    if (rc == 0 && (!done || !errors || json_array_size(errors) > 0))
        rc = err_set(e, ERR_RETRY, "container %s: not all objects could be deleted", m->container);
    http_answer_free(&answer);
    return rc;
}

enum { DELETES_AT_ONCE = 4 };

/* A page of objects goes; 1: there were some, 0: there were none. */
static int empty_page(struct emptying *m, const struct listing *l, struct err *e) {
    if (list_each(m->p, l, "format=json", take_name, m, e) < 0) return -1;
    if (m->n == 0) return 0;
    struct err own = {0};
    bool bulk = m->p->run->settings.dialect->has_bulk_delete;
    if (!bulk || delete_in_bulk(m, &own) < 0) parallel_each(DELETES_AT_ONCE, m->n, delete_one, m);
    names_drop(m);
    return err_is(e) ? -1 : 1;
}

static int empty(struct project *p, const char *container, struct err *e) {
    struct emptying m = {.p = p, .container = container, .e = e};
    struct text path scoped_text = {0};
    int rc;
    text_add(&path, "/%s", container);
    const struct listing objects = {SERVICE, path.s, NULL, PAGES_BY_MARKER, false, NULL};
    pthread_mutex_init(&m.lock, NULL);
    while ((rc = empty_page(&m, &objects, e)) == 1)
        if (clock_monotonic_ms() >= p->run->until) {
            rc = err_set(e, ERR_WAITS, "container %s is being emptied", container);
            break;
        }
    pthread_mutex_destroy(&m.lock);
    names_drop(&m);
    free(m.names);
    return rc;
}

int container_remove(struct project *p, struct backend_operation *op, struct err *e) {
    struct waiting w = wait_for(p->run, p->run->settings.wait_seconds);
    char *container scoped_free = name_of(op);
    struct text path scoped_text = {0};
    bool gone;
    text_add(&path, "/%s", container);
    for (;;) {
        struct err own = {0};
        if (empty(p, container, e) < 0) break;
        if (call_delete(p, SERVICE, path.s, &gone, &own) == 0)
            return run_fault("openstack.container-deleted", e);
        *e = own; /* 409: an object came, or one that went is still listed */
        if (e->code != ERR_FAILED || !wait_next(&w)) break;
        err_clear(e);
    }
    if (e->code == ERR_FAILED) e->code = ERR_RETRY;
    return err_context(e, "container %s", container);
}
