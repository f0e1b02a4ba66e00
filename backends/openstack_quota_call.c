/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery by quota: who asks, and what has to be known of the cloud before anything can be set. */
#include "backends/openstack_quota.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int quota_call(const struct quota_run *q, struct quota_call call, int *status, json_t **out, struct err *e,
               const char *path, ...) {
    char url[1024];
    scoped_json json_t *body = call.body;
    va_list args;
    va_start(args, path);
    int n = vsnprintf(url, sizeof url, path, args);
    va_end(args);
    if (out) *out = NULL;
    if (status) *status = 0;
    if (n < 0 || (size_t)n >= sizeof url) return err_set(e, ERR_USAGE, "a path is too long: %.80s...", url);
    const struct http_header version = {.name = "OpenStack-API-Version", .value = "placement 1.9"};
    bool is_placement = strcmp(call.service, "placement") == 0;
    struct http_request request = {.method = call.method,
                                   .url = url,
                                   .headers = &version,
                                   .n_headers = is_placement ? 1 : 0,
                                   .json = body,
                                   .is_repeatable = call.method == HTTP_PATCH,
                                   .may_be_absent = call.may_be_absent,
                                   .needs_json = call.method == HTTP_GET,
                                   .deadline = q->run->until};
    struct http_answer answer = {0};
    int rc = session_call(call.is_system ? q->system : q->admin, call.service, &request, &answer, e);
    if (status) *status = answer.status;
    if (rc == 0 && out) *out = json_incref(answer.json);
    http_answer_free(&answer);
    return rc;
}

int quota_unanswered(struct err *e) {
    if (e->code == ERR_FAILED) e->code = ERR_RETRY;
    return -1;
}

/* ---- ids ---- */

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* The id of the first of a list whose `key` is this; NULL when none is. */
static const char *id_of(const json_t *answer, const char *list, const char *key, const char *value) {
    size_t i;
    const json_t *thing;
    json_array_foreach(json_object_get(answer, list), i, thing) {
        if (text_same(text_of(thing, key), value)) return text_of(thing, "id");
    }
    return NULL;
}

static int id_look(const struct quota_run *q, const char *list, const char *name, const char *what,
                   const char *setting, char **out, struct err *e) {
    scoped_json json_t *answer = NULL;
    scoped_free char *escaped = call_escape(name);
    if (quota_call(q, (struct quota_call){.is_system = true, .service = "identity"}, NULL, &answer, e,
                   "/%s?name=%s", list, escaped) < 0)
        return err_context(e, "%s", what);
    const char *id = id_of(answer, list, "name", name);
    if (!id) {
        err_set(e, ERR_FAILED, "the cloud has no %s %s", what, name);
        return err_hint(e, "settings.quota.%s names it", setting);
    }
    *out = mem_copy(id);
    return 0;
}

/* Where projects are made: the domain of the settings, else that of our own project. */
static int domain_learn(struct quota_run *q, struct err *e) {
    if (q->settings->domain)
        return id_look(q, "domains", q->settings->domain, "domain", "domain", &q->domain, e);
    struct session_facts facts;
    scoped_json json_t *answer = NULL;
    int rc = session_look(q->admin, q->run->until, &facts, e);
    if (rc == 0 && !facts.project_id)
        rc = err_set(e, ERR_FAILED,
                     "cloud %s is for no project: delivery by quota needs one with the role admin",
                     q->run->cloud->name);
    if (rc == 0)
        rc = quota_call(q, (struct quota_call){.is_system = true, .service = "identity"}, NULL, &answer, e,
                        "/projects/%s", facts.project_id);
    session_facts_free(&facts);
    if (rc < 0) return rc;
    q->domain = mem_copy(text_of(json_object_get(answer, "project"), "domain_id"));
    return q->domain ? 0
                     : err_set(e, ERR_FAILED, "the project of cloud %s has no domain", q->run->cloud->name);
}

/* ---- registered limits ---- */

static bool is_registered(const struct quota_run *q, const json_t *list, const char *name,
                          const char *region) {
    size_t i;
    const json_t *limit;
    json_array_foreach(list, i, limit) {
        if (text_same(text_of(limit, "resource_name"), name) &&
            text_same(text_of(limit, "service_id"), q->service) &&
            text_same(text_of(limit, "region_id"), region))
            return true;
    }
    return false;
}

/* How many are not registered for the region; words: which. */
static size_t unregistered(const struct quota_run *q, const struct quota_lines *lines, const json_t *list,
                           const char *region, struct text *words) {
    size_t n = 0;
    for (size_t i = 0; i < lines->n; i++) {
        const struct quota_line *l = &lines->of[i];
        if (l->place != QUOTA_COMPUTE || is_registered(q, list, l->name, region)) continue;
        text_add(words, "%s%s", n++ ? ", " : "", l->name);
    }
    return n;
}

/* All of them are registered for one region, or all for none: Nova looks in the region of its settings. */
static int limits_registered(struct quota_run *q, const json_t *list, struct err *e) {
    const struct settings *s = &q->run->settings;
    const char *region = s->region ? s->region : q->run->cloud->region_name;
    struct quota_lines lines;
    struct text ours scoped_text = {0}, all scoped_text = {0};
    if (quota_lines_want(q->settings, NULL, &lines, e) < 0) return -1;
    size_t of_region = unregistered(q, &lines, list, region, &ours);
    size_t of_all = unregistered(q, &lines, list, NULL, &all);
    if (of_region == 0) q->region = mem_copy(region);
    if (of_region == 0 || of_all == 0) return 0;
    err_set(e, ERR_FAILED, "Keystone has no registered limit for %s", of_region <= of_all ? ours.s : all.s);
    return err_hint(e, "openstack registered limit create --service nova --default-limit 0 NAME, with Nova's "
                       "driver nova.quota.UnifiedLimitsDriver; or settings.quota.enforce: none");
}

static int limits_learn(struct quota_run *q, struct err *e) {
    scoped_json json_t *services = NULL, *limits = NULL;
    int status;
    const struct quota_call ask = {.is_system = true, .may_be_absent = true, .service = "identity"};
    if (quota_call(q, ask, NULL, &services, e, "/services?type=compute") < 0) return -1;
    const char *id = id_of(services, "services", "type", "compute");
    if (!id) return err_set(e, ERR_FAILED, "Keystone knows no service of the type compute");
    q->service = mem_copy(id);
    if (quota_call(q, ask, &status, &limits, e, "/registered_limits?service_id=%s", id) < 0) return -1;
    return limits_registered(q, json_object_get(limits, "registered_limits"), e);
}

int quota_learn(struct quota_run *q, struct err *e) {
    if (domain_learn(q, e) < 0 || id_look(q, "roles", q->settings->role, "role", "role", &q->role, e) < 0)
        return -1;
    return q->settings->is_enforced ? limits_learn(q, e) : 0;
}

/* ---- sessions ---- */

int quota_open(struct quota_run *q, struct run *run, struct err *e) {
    *q = (struct quota_run){.run = run, .settings = run->settings.quota};
    const char *named = run->settings.system_cloud;
    q->system_cloud = named ? cloud_load(named, run->settings.region, e) : cloud_for_system(run->cloud);
    if (!q->system_cloud) return -1;
    if (named && q->system_cloud->scope != CLOUD_SYSTEM) {
        struct cloud *scoped = cloud_for_system(q->system_cloud);
        cloud_free(q->system_cloud);
        q->system_cloud = scoped;
    }
    q->admin = session_open(run->identity, run->cloud, e);
    if (q->admin) q->system = session_open(run->identity, q->system_cloud, e);
    return q->system ? 0 : -1;
}

void quota_close(struct quota_run *q) {
    if (q->admin) session_close(q->admin);
    if (q->system) session_close(q->system);
    if (q->system_cloud) cloud_free(q->system_cloud);
    free(q->service);
    free(q->region);
    free(q->domain);
    free(q->role);
    *q = (struct quota_run){0};
}
