/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery by quota, inside: a tenant works by itself in a project of its own, and what it may use there
 * is the sum of its live grants. Everything that can be limited is one line of one list, whichever
 * service holds it; reading, writing and comparing walk that list.
 *
 * What holds what, and why:
 *   Keystone   unified limits: units of accelerators ("class:CUSTOM_..."), cores, memory, disk, servers.
 * Nova's own os-quota-sets cannot limit accelerators, and with unified limits it takes every change and makes
 * none. Reading the limits of others needs a token for the whole system. Cinder     os-quota-sets: gigabytes
 * (GiB), volumes, of a type if one is named; backups are not granted: 0 Swift      the account's quota in
 * bytes (needs the role ResellerAdmin) A limit is never -1: Nova of Zed takes that for a limit, not for
 * "none".
 *
 * The project carries, as tags, the tokens of the grants that are counted (Keystone takes 80 tags).
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/json.h"
#include "backends/openstack.h"

enum {
    QUOTA_TOKENS_MOST = 79, /* of Keystone's 80 tags of a project, one is left to its people */
    QUOTA_FLAVORS_MOST = 64,
    QUOTA_LINES_MOST = QUOTA_FLAVORS_MOST + 12,
};

/* What goes with the units of a flavor, or with a tenant as such. */
struct quota_share {
    int64_t vcpus, memory_mib, disk_gib, servers;
};

struct quota_flavor {
    const char *name, *class; /* "a100", "CUSTOM_GPU_A100" */
    struct quota_share unit;
};

/* settings.quota with what else of the settings it needs; texts are borrowed from the pool's settings. */
struct quota_settings {
    bool is_enforced; /* false, "enforce: none": compute is written down, not limited */
    const char *domain, *role, *volume_type;
    int64_t volumes;
    bool has_objects; /* the account at the object store is limited too */
    struct quota_share base;
    struct quota_flavor flavors[QUOTA_FLAVORS_MOST]; /* ordered by name */
    size_t n_flavors;
};
/* Each flavor has a class of its own, so that limits can be read back as units. *out is the caller's. */
int quota_settings_read(const struct settings *s, struct quota_settings **out, struct err *e);

enum quota_place { QUOTA_COMPUTE, QUOTA_VOLUMES, QUOTA_OBJECTS };

struct quota_line {
    enum quota_place place;
    char name[288];                    /* "class:CUSTOM_GPU_A100", "gigabytes_ssd", "bytes" */
    const struct quota_flavor *flavor; /* whose units these are; NULL */
    int64_t want;
    bool is_there; /* a limit of the project's own; else what is allowed is the service's default */
    int64_t there, used;
    char id[72]; /* of the limit at Keystone */
};
struct quota_lines {
    struct quota_line of[QUOTA_LINES_MOST];
    size_t n;
};

/* ---- pure (openstack_quota_lines.c) ---- */

/* What the project shall be allowed. quota NULL: nothing, not even the base. ERR_FAILED: a flavor that the
   settings lack, bytes that are no whole GiB, a sum that passes 64 bits. */
int quota_lines_want(const struct quota_settings *s, const struct backend_quota *quota,
                     struct quota_lines *out, struct err *e);
struct quota_line *quota_line_find(struct quota_lines *lines, enum quota_place place, const char *name);
/* Is everything as wanted? words (may be NULL): what is not. */
bool quota_lines_stand(const struct quota_lines *lines, struct text *words);
/* Is no more used than wanted? words: what is. */
bool quota_lines_fit(const struct quota_lines *lines, struct text *words);
/* What stands there, as the engine knows it. */
void quota_lines_seen(const struct quota_lines *lines, struct backend_seen *seen);
/* Do cores, memory, disks and volumes stand as they go with what stands of units and bytes? */
bool quota_lines_agree(const struct quota_settings *s, const struct quota_lines *lines);
/* The body that makes the limits that are not there; NULL when none is missing. region NULL: of all regions.
 */
json_t *quota_limits_body(const struct quota_lines *lines, const char *service, const char *region,
                          const char *project);
/* The limits of a project out of Keystone's list. */
void quota_limits_take(struct quota_lines *lines, const json_t *limits, const char *project,
                       const char *service, const char *region);
/* "allot-STORE-POOL-tNUMBER[BRANCH]", POOL: the first 8 hex digits of the SHA-256 of its name, because each
   pool sets its own sums; only "allot-STORE-POOL-t" when the number is 0. */
void quota_project_name(const char *store_id, const char *pool, int64_t number, const char *branch,
                        char out[128]);
/* A tag that is a token of a store; of ours: quota_token_is_ours. */
bool quota_tag_is_token(const char *tag);

/* ---- the services (openstack_quota_call.c, openstack_quota_limits.c, openstack_quota_project.c) ---- */

/* One run: who we are, in the project of administrators and for the whole system. */
struct quota_run {
    struct run *run;
    const struct quota_settings *settings;
    struct cloud *system_cloud;
    struct session *admin, *system;
    /* learnt by quota_learn(); freed by quota_close() */
    char *service, *region; /* Nova's id and region at Keystone; region NULL: its limits are of all regions */
    char *domain, *role;    /* ids */
};
/* Sessions; nothing goes over the network. Close it also when it fails. */
int quota_open(struct quota_run *q, struct run *run, struct err *e);
void quota_close(struct quota_run *q);
/* Finds out the ids, and that what shall be limited can be: a registered limit for each class. ERR_FAILED
   with the remedy where it cannot. */
int quota_learn(struct quota_run *q, struct err *e);

/* One call as administrator or, is_system, for the whole system. body is stolen. */
struct quota_call {
    enum http_method method;
    bool is_system, may_be_absent;
    const char *service;
    json_t *body;
};
/* *status (may be NULL): what came, 0 when nothing did. *out (may be NULL): the body as JSON, the caller's.
 */
int quota_call(const struct quota_run *q, struct quota_call call, int *status, json_t **out, struct err *e,
               const char *path, ...) ERR_FORMAT(6, 7);
/* A question before the first write that was not answered, for whatever reason (401, 403, no JSON), decides
   nothing: ERR_FAILED becomes ERR_RETRY. Always -1. */
int quota_unanswered(struct err *e);

/* Reads what stands; limits: Keystone's whole list, or NULL to read this project's. in_use: and what is used.
 */
int quota_read(const struct quota_run *q, const char *project, const json_t *limits, bool in_use,
               struct quota_lines *lines, struct err *e);
/* Makes it so, reads it back, and puts back what stood there when a service refuses. An error says what
   became of it: ERR_FAILED and ERR_RETRY: it is as it was. */
int quota_write(const struct quota_run *q, const char *project, struct quota_lines *lines, struct err *e);
/* Does Nova go by Keystone's limits? ERR_FAILED: it has its own. */
int quota_obeyed(const struct quota_run *q, const char *project, const struct quota_lines *lines,
                 struct err *e);
/* Keystone's limits of all projects. The caller owns it. */
json_t *quota_limits_all(const struct quota_run *q, struct err *e);

struct quota_project {
    char *id, *name, *description;
    json_t *tags;
    bool is_enabled;
};
void quota_project_free(struct quota_project *p);
/* By id (host's uri) or by name. 1 found, 0 not there, -1. */
int quota_project_find(const struct quota_run *q, const char *id, const char *name, struct quota_project *out,
                       struct err *e);
/* Finds or makes it, with these tokens on it. *had: {tag: true} of before; the caller's, also on failure. */
int quota_project_ensure(const struct quota_run *q, const char *id, const char *name, const char *description,
                         const char *const *tokens, size_t n, struct quota_project *out, json_t **had,
                         struct err *e);
/* Takes these tokens off. */
int quota_project_drop(const struct quota_run *q, const char *id, const char *const *tokens, size_t n,
                       struct err *e);
/* The person who works in it has the role. */
int quota_project_member(const struct quota_run *q, const char *id, const char *member, struct err *e);
/* All projects of this store by their names, as Keystone has them. The caller owns it. */
json_t *quota_projects_all(const struct quota_run *q, struct err *e);

/* ---- accounts of the object store (openstack_quota_objects.c) ---- */

/* The account of a project, reached with the token of `admin`, whose cloud is `cloud`. */
struct account {
    struct cloud *cloud;
    struct session *session;
};
struct account_state {
    bool exists, has_quota;
    int64_t bytes, containers, quota;
};
int account_open(struct run *run, const struct cloud *cloud, struct session *admin, const char *project,
                 struct account *out, struct err *e);
void account_close(struct account *a);
int account_read(struct run *run, struct account *a, struct account_state *out, struct err *e);
int account_limit(struct run *run, struct account *a, int64_t limit, int *status, struct err *e);

/* ---- the verbs (openstack_quota.c) ---- */

int quota_ensure(struct run *run, struct backend_operation *ops, size_t n, struct err *e);
int quota_remove(struct run *run, struct backend_operation *ops, size_t n, struct err *e);
/* The projects of the pool, as Keystone has them: its hosts in their order (null: not there), or those with
   our names where the pool lists none. The caller owns it. */
json_t *quota_projects(const struct quota_run *q, struct err *e);
int quota_observe(struct run *run, struct backend_view *out, struct err *e);
/* Refuses a cloud where limits cannot be enforced, unless the settings say that they need not be. */
int quota_sync(struct run *run, struct backend_view *out, struct err *e);
