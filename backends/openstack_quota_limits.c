/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery by quota: limits read, made and read again, at the three services that hold them. */
#include "backends/openstack_quota.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

enum { ROUNDS = 4 };

#define NOTED    "allot_compute" /* a further attribute of the project */
#define IDENTITY .is_system = true, .service = "identity"

static bool has_place(const struct quota_lines *lines, enum quota_place place) {
    for (size_t i = 0; i < lines->n; i++)
        if (lines->of[i].place == place) return true;
    return false;
}

/* ---- compute: Keystone, Placement, Nova ---- */

json_t *quota_limits_all(const struct quota_run *q, struct err *e) {
    json_t *answer = NULL;
    if (!q->settings->is_enforced) return json_array();
    if (quota_call(q, (struct quota_call){IDENTITY}, NULL, &answer, e, "/limits?service_id=%s", q->service) <
        0)
        return NULL;
    bool is_cut = json_is_true(json_object_get(answer, "truncated"));
    json_t *list = json_incref(json_object_get(answer, "limits"));
    json_decref(answer);
    if (!is_cut && list) return list;
    json_decref(list);
    err_set(e, ERR_RETRY, "Keystone does not list all limits");
    err_hint(e, "raise list_limit in the [unified_limit] section of keystone.conf");
    return NULL;
}

/* Where Nova limits nothing of it, what was granted is written on the project, so that it can be seen. */
static int noted_read(const struct quota_run *q, const char *project, struct quota_lines *lines,
                      struct err *e) {
    scoped_json json_t *answer = NULL;
    if (quota_call(q, (struct quota_call){IDENTITY}, NULL, &answer, e, "/projects/%s", project) < 0)
        return -1;
    const json_t *noted = json_object_get(json_object_get(answer, "project"), NOTED);
    for (size_t i = 0; i < lines->n; i++) {
        struct quota_line *l = &lines->of[i];
        const json_t *amount = l->place == QUOTA_COMPUTE ? json_object_get(noted, l->name) : NULL;
        if (!json_is_integer(amount)) continue;
        l->is_there = true;
        l->there = json_integer_value(amount);
    }
    return 0;
}

static int noted_write(const struct quota_run *q, const char *project, struct quota_lines *lines, int *status,
                       struct err *e) {
    json_t *noted = json_object();
    bool stands = true;
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->place != QUOTA_COMPUTE) continue;
        json_object_set_new(noted, l->name, json_integer(l->want));
        stands &= l->is_there && l->there == l->want;
    }
    json_t *body = json_pack("{s:{s:o}}", "project", NOTED, noted);
    if (stands) return json_decref(body), 0;
    return quota_call(q, (struct quota_call){IDENTITY, .method = HTTP_PATCH, .body = body}, status, NULL, e,
                      "/projects/%s", project);
}

static int compute_read(const struct quota_run *q, const char *project, const json_t *all,
                        struct quota_lines *lines, struct err *e) {
    scoped_json json_t *answer = NULL;
    if (!q->settings->is_enforced) return noted_read(q, project, lines, e);
    if (!all && quota_call(q, (struct quota_call){IDENTITY}, NULL, &answer, e,
                           "/limits?service_id=%s&project_id=%s", q->service, project) < 0)
        return -1;
    quota_limits_take(lines, all ? all : json_object_get(answer, "limits"), project, q->service, q->region);
    return 0;
}

/* Keystone (Zed) answers 200 to a change to 0 and leaves the limit as it was: such a limit is taken away and
   made anew. In between the registered default counts, which is 0 for accelerators. */
static int zeros_drop(const struct quota_run *q, struct quota_lines *lines, int *status, struct err *e) {
    for (size_t i = 0; i < lines->n; i++) {
        struct quota_line *l = &lines->of[i];
        if (l->place != QUOTA_COMPUTE || !l->is_there || l->want != 0 || l->there == 0) continue;
        const struct quota_call drop = {IDENTITY, .method = HTTP_DELETE, .may_be_absent = true};
        if (quota_call(q, drop, status, NULL, e, "/limits/%s", l->id) < 0) return -1;
        l->is_there = false;
    }
    return 0;
}

static int compute_write(const struct quota_run *q, const char *project, struct quota_lines *lines,
                         int *status, struct err *e) {
    if (!q->settings->is_enforced) return noted_write(q, project, lines, status, e);
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->place != QUOTA_COMPUTE || !l->is_there || l->there == l->want || l->want == 0) continue;
        json_t *change = json_pack("{s:{s:I}}", "limit", "resource_limit", (json_int_t)l->want);
        if (quota_call(q, (struct quota_call){IDENTITY, .method = HTTP_PATCH, .body = change}, status, NULL,
                       e, "/limits/%s", l->id) < 0)
            return -1;
    }
    if (zeros_drop(q, lines, status, e) < 0) return -1;
    json_t *body = quota_limits_body(lines, q->service, q->region, project);
    const struct quota_call make = {IDENTITY, .method = HTTP_POST, .body = body};
    return body ? quota_call(q, make, status, NULL, e, "/limits") : 0;
}

/* Placement counts classes, Nova counts servers. */
static int compute_used(const struct quota_run *q, const char *project, struct quota_lines *lines,
                        struct err *e) {
    scoped_json json_t *usages = NULL, *servers = NULL;
    if (quota_call(q, (struct quota_call){.service = "placement"}, NULL, &usages, e, "/usages?project_id=%s",
                   project) < 0 ||
        quota_call(q, (struct quota_call){.service = "compute"}, NULL, &servers, e,
                   "/os-quota-sets/%s/detail", project) < 0)
        return -1;
    const json_t *used = json_object_get(usages, "usages");
    for (size_t i = 0; i < lines->n; i++) {
        struct quota_line *l = &lines->of[i];
        if (l->place == QUOTA_COMPUTE && strncmp(l->name, "class:", 6) == 0)
            l->used = json_integer_value(json_object_get(used, l->name + 6));
    }
    struct quota_line *l = quota_line_find(lines, QUOTA_COMPUTE, "servers");
    const json_t *instances = json_object_get(json_object_get(servers, "quota_set"), "instances");
    if (l) l->used = json_integer_value(json_object_get(instances, "in_use"));
    return 0;
}

/* ---- volumes: Cinder ---- */

/* Every project has limits there, its own or the default: what stands is what counts. */
static int volumes_read(const struct quota_run *q, const char *project, struct quota_lines *lines,
                        struct err *e) {
    scoped_json json_t *answer = NULL;
    if (quota_call(q, (struct quota_call){.service = "block-storage"}, NULL, &answer, e,
                   "/os-quota-sets/%s?usage=True", project) < 0)
        return -1;
    for (size_t i = 0; i < lines->n; i++) {
        struct quota_line *l = &lines->of[i];
        if (l->place != QUOTA_VOLUMES) continue;
        const json_t *set = json_object_get(json_object_get(answer, "quota_set"), l->name);
        if (!set) {
            err_set(e, ERR_FAILED, "Cinder has no quota %s", l->name);
            return err_hint(e,
                            "settings.quota.volume_type names a type of volume: openstack volume type list");
        }
        l->is_there = true;
        l->there = json_integer_value(json_object_get(set, "limit"));
        l->used = json_integer_value(json_object_get(set, "in_use")) +
                  json_integer_value(json_object_get(set, "reserved"));
    }
    return 0;
}

static int volumes_write(const struct quota_run *q, const char *project, struct quota_lines *lines,
                         int *status, struct err *e) {
    json_t *set = json_object();
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->place == QUOTA_VOLUMES && (!l->is_there || l->there != l->want))
            json_object_set_new(set, l->name, json_integer(l->want));
    }
    bool is_any = json_object_size(set) > 0;
    json_t *body = json_pack("{s:o}", "quota_set", set);
    if (!is_any) return json_decref(body), 0;
    const struct quota_call put = {.method = HTTP_PUT, .service = "block-storage", .body = body};
    return quota_call(q, put, status, NULL, e, "/os-quota-sets/%s", project);
}

/* ---- objects: Swift ---- */

static int objects_read(const struct quota_run *q, const char *project, struct quota_lines *lines,
                        struct err *e) {
    struct quota_line *l = quota_line_find(lines, QUOTA_OBJECTS, "bytes");
    struct account account;
    struct account_state state;
    if (!l) return 0;
    if (account_open(q->run, q->run->cloud, q->admin, project, &account, e) < 0) return -1;
    int rc = account_read(q->run, &account, &state, e);
    account_close(&account);
    if (rc < 0) return -1;
    l->is_there = state.has_quota;
    l->there = state.quota;
    l->used = state.bytes;
    return 0;
}

static int objects_write(const struct quota_run *q, const char *project, struct quota_lines *lines,
                         int *status, struct err *e) {
    const struct quota_line *l = quota_line_find(lines, QUOTA_OBJECTS, "bytes");
    struct account account;
    if (!l || (l->is_there && l->there == l->want)) return 0;
    if (account_open(q->run, q->run->cloud, q->admin, project, &account, e) < 0) return -1;
    int rc = account_limit(q->run, &account, l->want, status, e);
    account_close(&account);
    return rc;
}

/* ---- all of it ---- */

int quota_obeyed(const struct quota_run *q, const char *project, const struct quota_lines *lines,
                 struct err *e) {
    scoped_json json_t *answer = NULL;
    struct quota_lines copy = *lines;
    const struct quota_line *cores = quota_line_find(&copy, QUOTA_COMPUTE, "class:VCPU");
    if (!q->settings->is_enforced || !cores) return 0;
    if (quota_call(q, (struct quota_call){.service = "compute"}, NULL, &answer, e, "/os-quota-sets/%s",
                   project) < 0)
        return -1;
    const json_t *told = json_object_get(json_object_get(answer, "quota_set"), "cores");
    if (json_is_integer(told) && json_integer_value(told) == cores->want) return 0;
    err_set(e, ERR_FAILED, "Nova allows %lld cores where Keystone has %lld: it does not obey unified limits",
            (long long)json_integer_value(told), (long long)cores->want);
    return err_hint(e, "[quota] driver = nova.quota.UnifiedLimitsDriver in nova.conf; or "
                       "settings.quota.enforce: none");
}

int quota_read(const struct quota_run *q, const char *project, const json_t *limits, bool in_use,
               struct quota_lines *lines, struct err *e) {
    for (size_t i = 0; i < lines->n; i++) {
        lines->of[i].is_there = false;
        lines->of[i].there = lines->of[i].used = 0;
    }
    if (compute_read(q, project, limits, lines, e) < 0) return -1;
    if (in_use && compute_used(q, project, lines, e) < 0) return -1;
    if (has_place(lines, QUOTA_VOLUMES) && volumes_read(q, project, lines, e) < 0) return -1;
    return objects_read(q, project, lines, e);
}

/* Refused for good, or only too late: somebody else has made it (409) or taken it away (404), or the answer
   got lost. What stands is looked at before anything is done again. */
static bool is_final(int status, const struct err *e) {
    return e->code != ERR_UNKNOWN && status != 409 && status != 404;
}

static int once(const struct quota_run *q, const char *project, struct quota_lines *lines, struct err *e) {
    static int (*const writes[])(const struct quota_run *, const char *, struct quota_lines *, int *,
                                 struct err *) = {compute_write, volumes_write, objects_write};
    for (size_t i = 0; i < 3; i++) {
        int status = 0;
        struct err own = {0};
        if (writes[i](q, project, lines, &status, &own) == 0) continue;
        if (!is_final(status, &own)) continue;
        *e = own;
        return -1;
    }
    return 0;
}

/* What stood there before; what had no limit of its own gets none of anything. */
static int put_back(const struct quota_run *q, const char *project, const struct quota_lines *before,
                    struct quota_lines *now) {
    struct err e = {0};
    for (size_t i = 0; i < now->n; i++) now->of[i].want = before->of[i].is_there ? before->of[i].there : 0;
    if (quota_read(q, project, NULL, false, now, &e) < 0) return -1;
    return once(q, project, now, &e);
}

int quota_write(const struct quota_run *q, const char *project, struct quota_lines *lines, struct err *e) {
    struct quota_lines before = *lines; /* as read by the caller */
    struct text words scoped_text = {0};
    for (int round = 0; round < ROUNDS; round++) {
        bool stands = quota_lines_stand(lines, NULL);
        if (stands && quota_obeyed(q, project, lines, e) == 0) return 0;
        if (stands || once(q, project, lines, e) < 0) {
            struct quota_lines now = *lines;
            if (put_back(q, project, &before, &now) < 0) e->code = ERR_UNKNOWN;
            return -1;
        }
        struct err own = {0};
        if (quota_read(q, project, NULL, false, lines, &own) < 0)
            return err_set(e, ERR_UNKNOWN, "limits were set and cannot be read: %s", own.what);
    }
    if (quota_lines_stand(lines, &words)) return 0;
    return err_set(e, ERR_UNKNOWN, "limits do not stay as they are set (%s)", words.s);
}
