/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery by quota: the tenant's project, the tokens on it, and who works in it. */
#include "backends/openstack_quota.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4 }; /* of looking again, when somebody else was at it too */

#define IDENTITY .is_system = true, .service = "identity"

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

void quota_project_free(struct quota_project *p) {
    free(p->id);
    free(p->name);
    free(p->description);
    json_decref(p->tags);
    *p = (struct quota_project){0};
}

static int project_take(const json_t *from, struct quota_project *out, struct err *e) {
    const char *id = text_of(from, "id");
    if (!id) return err_set(e, ERR_RETRY, "Keystone told of a project without an id");
    struct quota_project before = *out;
    *out = (struct quota_project){.id = mem_copy(id),
                                  .name = mem_copy(text_of(from, "name")),
                                  .description = mem_copy(text_of(from, "description")),
                                  .tags = json_incref(json_object_get(from, "tags")),
                                  .is_enabled = json_is_true(json_object_get(from, "enabled"))};
    quota_project_free(&before);
    return 1;
}

int quota_project_find(const struct quota_run *q, const char *id, const char *name, struct quota_project *out,
                       struct err *e) {
    scoped_json json_t *answer = NULL;
    int status;
    const struct quota_call ask = {IDENTITY, .may_be_absent = true};
    if (id) {
        if (quota_call(q, ask, &status, &answer, e, "/projects/%s", id) < 0) return quota_unanswered(e);
        return status == 404 ? 0 : project_take(json_object_get(answer, "project"), out, e);
    }
    if (quota_call(q, ask, NULL, &answer, e, "/projects?domain_id=%s&name=%s", q->domain, name) < 0)
        return quota_unanswered(e);
    size_t i;
    const json_t *project;
    json_array_foreach(json_object_get(answer, "projects"), i, project) {
        if (text_same(text_of(project, "name"), name)) return project_take(project, out, e);
    }
    return 0;
}

/* ---- tokens ---- */

static bool tag_is_there(const struct quota_project *p, const char *tag) {
    size_t i;
    const json_t *there;
    json_array_foreach(p->tags, i, there) {
        if (text_same(json_string_value(there), tag)) return true;
    }
    return false;
}

static size_t tags_missing(const struct quota_project *p, const char *const *tokens, size_t n) {
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) missing += !tag_is_there(p, tokens[i]);
    return missing;
}

static int tags_fit(const struct quota_project *p, const char *const *tokens, size_t n, struct err *e) {
    size_t all = json_array_size(p->tags) + tags_missing(p, tokens, n);
    if (all <= QUOTA_TOKENS_MOST) return 0;
    err_set(e, ERR_FAILED, "project %s would carry %zu tags; Keystone takes 80, %d of them ours", p->name,
            all, (int)QUOTA_TOKENS_MOST);
    return err_hint(e, "give the tenant fewer, larger grants");
}

/* Keystone reads all tags, changes one and writes them back: two at once can lose one, so it is looked at
   afterwards. A tag that is there already is answered with 400. */
static int tags_put(const struct quota_run *q, struct quota_project *p, const char *const *tokens, size_t n,
                    struct err *e) {
    for (int round = 0; round < ROUNDS; round++) {
        if (tags_missing(p, tokens, n) == 0) return 0;
        for (size_t i = 0; i < n; i++) {
            int status;
            if (tag_is_there(p, tokens[i])) continue;
            if (quota_call(q, (struct quota_call){IDENTITY, .method = HTTP_PUT}, &status, NULL, e,
                           "/projects/%s/tags/%s", p->id, tokens[i]) < 0 &&
                status != 400 && status != 409 && e->code != ERR_UNKNOWN)
                return -1;
            err_clear(e);
        }
        scoped_free char *id = mem_copy(p->id);
        int found = quota_project_find(q, id, NULL, p, e);
        if (found < 0) return -1;
        if (!found) return err_set(e, ERR_UNKNOWN, "project %s went away meanwhile", id);
    }
    if (tags_missing(p, tokens, n) == 0) return 0;
    return err_set(e, ERR_UNKNOWN, "project %s does not keep its tags: somebody else changes them", p->name);
}

int quota_project_drop(const struct quota_run *q, const char *id, const char *const *tokens, size_t n,
                       struct err *e) {
    for (size_t i = 0; i < n; i++) {
        const struct quota_call drop = {IDENTITY, .method = HTTP_DELETE, .may_be_absent = true};
        if (quota_call(q, drop, NULL, NULL, e, "/projects/%s/tags/%s", id, tokens[i]) < 0) return -1;
    }
    struct quota_project p = {0};
    int found = quota_project_find(q, id, NULL, &p, e);
    for (size_t i = 0; found == 1 && i < n; i++)
        if (tag_is_there(&p, tokens[i]))
            found = err_set(e, ERR_UNKNOWN, "project %s carries %s again: somebody else changes its tags",
                            p.name, tokens[i]);
    quota_project_free(&p);
    return found < 0 ? -1 : 0;
}

/* ---- made ---- */

static int project_make(const struct quota_run *q, const char *name, const char *description,
                        const char *const *tokens, size_t n, struct err *e) {
    json_t *tags = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(tags, json_string(tokens[i]));
    json_t *body = json_pack("{s:{s:s, s:s, s:b, s:s, s:o}}", "project", "name", name, "domain_id", q->domain,
                             "enabled", 1, "description", description, "tags", tags);
    int status;
    int rc = quota_call(q, (struct quota_call){IDENTITY, .method = HTTP_POST, .body = body}, &status, NULL, e,
                        "/projects");
    if (rc == 0 || (status != 409 && e->code != ERR_UNKNOWN)) return rc;
    err_clear(e); /* somebody was faster, or the answer got lost: the next look finds it */
    return 0;
}

int quota_project_ensure(const struct quota_run *q, const char *id, const char *name, const char *description,
                         const char *const *tokens, size_t n, struct quota_project *out, json_t **had,
                         struct err *e) {
    *had = json_object();
    if (n > QUOTA_TOKENS_MOST) {
        struct quota_project none = {.name = (char *)name};
        return tags_fit(&none, tokens, n, e);
    }
    int found = quota_project_find(q, id, name, out, e);
    size_t i;
    const json_t *tag;
    json_array_foreach(found == 1 ? out->tags : NULL, i, tag) if (json_is_string(tag))
        json_object_set_new(*had, json_string_value(tag), json_true());
    if (found == 0 && id) {
        err_set(e, ERR_FAILED, "the cloud has no project %s", id);
        return err_hint(e, "allot pool show names the projects of the pool");
    }
    if (found == 0) {
        if (project_make(q, name, description, tokens, n, e) < 0) return -1;
        found = quota_project_find(q, NULL, name, out, e);
        if (found == 0) return err_set(e, ERR_UNKNOWN, "project %s was made and is not to be seen", name);
    }
    if (found < 0) return -1;
    if (!out->is_enabled) {
        err_set(e, ERR_FAILED, "project %s is disabled", out->name);
        return err_hint(e, "openstack project set --enable %s", out->id);
    }
    return tags_fit(out, tokens, n, e) < 0 ? -1 : tags_put(q, out, tokens, n, e);
}

json_t *quota_projects_all(const struct quota_run *q, struct err *e) {
    char prefix[128];
    json_t *answer = NULL, *ours = json_array();
    quota_project_name(q->run->pool->store_id, q->run->pool->name, 0, NULL, prefix);
    if (quota_call(q, (struct quota_call){IDENTITY}, NULL, &answer, e,
                   "/projects?domain_id=%s&name__startswith=%s", q->domain, prefix) < 0) {
        json_decref(ours);
        return NULL;
    }
    size_t i;
    json_t *project;
    json_array_foreach(json_object_get(answer, "projects"), i, project) {
        const char *name = text_of(project, "name");
        if (name && strncmp(name, prefix, strlen(prefix)) == 0) json_array_append(ours, project);
    }
    bool is_cut = json_is_true(json_object_get(answer, "truncated"));
    json_decref(answer);
    if (!is_cut) return ours;
    json_decref(ours);
    err_set(e, ERR_RETRY, "Keystone lists only the first %zu projects", i);
    err_hint(e, "raise list_limit in the [resource] section of keystone.conf");
    return NULL;
}

/* ---- who works in it ---- */

static int user_look(const struct quota_run *q, const char *member, char **id, struct err *e) {
    scoped_json json_t *answer = NULL;
    scoped_free char *escaped = call_escape(member);
    const struct quota_call ask = {IDENTITY, .may_be_absent = true};
    if (quota_call(q, ask, NULL, &answer, e, "/users/%s", escaped) < 0) return quota_unanswered(e);
    const char *found = text_of(json_object_get(answer, "user"), "id");
    if (!found) {
        json_decref(answer);
        answer = NULL;
        if (quota_call(q, ask, NULL, &answer, e, "/users?domain_id=%s&name=%s", q->domain, escaped) < 0)
            return quota_unanswered(e);
        found = text_of(json_array_get(json_object_get(answer, "users"), 0), "id");
    }
    if (!found) {
        err_set(e, ERR_FAILED, "the cloud has no user %s", member);
        return err_hint(e, "openstack user create, or name another member for the tenant");
    }
    *id = mem_copy(found);
    return 0;
}

int quota_project_member(const struct quota_run *q, const char *id, const char *member, struct err *e) {
    scoped_free char *user = NULL;
    if (user_look(q, member, &user, e) < 0) return -1;
    return quota_call(q, (struct quota_call){IDENTITY, .method = HTTP_PUT}, NULL, NULL, e,
                      "/projects/%s/users/%s/roles/%s", id, user, q->role);
}
