/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenStack backend, inside: NHN Cloud and stock OpenStack, one code. All that differs between the two
 * is a row of data (struct dialect); everything else asks the row.
 *
 * Each host of the pool is a project of the cloud that belongs to one tenant; its uri is the project's id.
 * What is ours there: a server or volume whose metadata has allot_token; a container named NAME__TOKEN; a
 * volume of files (NAS) whose description begins with the token; a network, subnet and security group named
 * allot-STORE-tN. Nothing is changed or removed by name alone.
 *
 * A run is one call of a verb: what it knows of the cloud lives as long as it. Its operations go on in
 * several threads, plain sequential code each (alloc/parallel.h).
 *
 * Errors of what works on one operation: the code says what became of the thing. ERR_FAILED: refused,
 * nothing is left; ERR_RETRY: nothing happened; ERR_UNKNOWN: cut off in the middle; ERR_WAITS: accepted, the
 * cloud is at work. backends/http.h gives the first three for a single request.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/json.h"
#include "backends/openstack_identity.h"

#include <pthread.h>

/* ---- dialects (openstack_dialect.c) ---- */

enum size_means { SIZES_BY_TABLE, SIZES_BY_EXTRA_SPECS };
enum root_place { ROOT_LOCAL, ROOT_VOLUME };
extern const char *const root_words[]; /* "local" "volume" NULL */

/* A list of the cloud, how it is asked for and read by pages (openstack_list.c). */
enum page_form { PAGES_BY_MARKER, PAGES_BY_NUMBER, PAGES_NONE };
struct listing {
    const char *service, *path, *key; /* of the catalog; "/servers/detail"; "servers" */
    enum page_form form;
    bool has_links;                /* KEY_links says whether there is more; else a short page is the last */
    void (*normal)(json_t *thing); /* gives a thing the members that all others have; NULL: it has them */
};

/* The words of a cloud for networks: stock "networks", NHN "vpcs" (facts: NHN's VPC API guide). */
struct network_words {
    const char *path, *list, *one; /* "/v2.0/networks", "networks", "network" */
    const char *range;             /* the key that takes the range when a network is made; NULL: none */
    const char *sub_path, *sub_list, *sub_one; /* subnets */
    const char *sub_network;                   /* key of a subnet that names its network: "network_id" */
    bool needs_ip_version;                     /* a subnet is made with "ip_version": 4 */
};

/* What a new project may use, as the provider has published it; source: NHN's resource policy. */
struct published_limit {
    const char *resource; /* alloc/backend_probe.h; NULL ends the list */
    int64_t limit;
};

struct dialect {
    const char *name;
    const struct published_limit *published; /* NULL: nothing; limits can be read */
    const char *compute_version; /* value of the header OpenStack-API-Version; NULL: none is sent */
    struct listing servers, volumes, flavors, files; /* files: NAS; path NULL: there is none */
    struct network_words network;
    enum size_means sizes;
    enum root_place root; /* unless the settings say otherwise */
    bool needs_key_pair;  /* a server is made with key_name, of an RSA key; else keys go by cloud-init */
    bool root_has_size;   /* volume_size and volume_type are said for a local root too */
    bool has_bulk_delete; /* Swift's POST ?bulk-delete */
    bool has_limits;      /* quota can be set and read (os-quota-sets, unified limits) */
    int64_t volume_least_gib, volume_most_gib, volumes_most_gib; /* per volume; of a project as published */
    int64_t files_least_gb, files_most_gb, files_step_gb;
};
extern const struct dialect dialects[]; /* ends with name NULL */
const struct dialect *dialect_find(const char *name);

/* ---- settings (openstack_settings.c) ---- */

enum deliver { DELIVER_INSTANCE, DELIVER_QUOTA };
enum storage { STORAGE_BLOCK, STORAGE_NAS };
enum object_store { OBJECTS_NONE, OBJECTS_QUOTA, OBJECTS_POLLED };

/* How so many units of a flavor are called at the cloud. */
struct size_setting {
    const char *flavor, *name;
    int64_t units;
    enum root_place root;
    int64_t root_gib; /* 0: not given */
};

/* Where to look at a size of the cloud for units of a flavor: "resources:CUSTOM_GPU_A100" or, of the pairs in
   "pci_passthrough:alias", the one with this name. */
struct flavor_setting {
    const char *name;
    const char *resource, *alias; /* one of the two, or none (sizes are in the table) */
    char resource_key[160];       /* "resources:CUSTOM_GPU_A100" */
};

struct settings {
    char title[160];
    json_t *wrapper;
    struct json_at root, at;
    const struct dialect *dialect;
    size_t deliver, storage, object_store;
    size_t root_place;
    const char *cloud, *region, *image, *image_user, *network, *network_range, *ssh_from;
    const char *availability_zone, *volume_type, *container_access;
    int64_t root_gib, parallel, wait_seconds, page_things;
    struct size_setting *sizes;
    size_t n_sizes;
    struct flavor_setting *flavors;
    size_t n_flavors;
    const char *system_cloud;     /* who acts for the whole system; NULL: the same user as in `cloud` */
    struct quota_settings *quota; /* deliver: quota; else NULL (backends/openstack_quota.h) */
};

/* Drop it also when it fails. Borrows from pool->settings; must not be moved. */
int settings_read(const struct backend_pool *pool, struct settings *s, struct err *e);
void settings_drop(struct settings *s);
const struct flavor_setting *settings_flavor(const struct settings *s, const char *name);

/* What stands with one host. */
struct host_settings {
    const char *cloud;           /* its own entry of clouds.yaml; NULL: the pool's */
    const char *object_store_id; /* NHN: the object store's tenant id differs; NULL: the project */
};
int host_settings_read(const struct backend_pool *pool, const struct backend_host *host,
                       struct host_settings *out, struct err *e);

/* ---- sizes of the cloud (openstack_sizes.c) ---- */

/* How many units of a flavor a size of the cloud (a "flavor" of Nova's list) has by its extra specs, when it
   has accelerators of that flavor alone; else 0. Pure. */
int64_t size_units(const struct flavor_setting *f, const json_t *cloud_flavor);
/* The size for so many units, from the table or by the extra specs: borrowed from `list` (an array of the
   cloud's flavors). ERR_FAILED with the sizes that there are; or when more than one would do. *setting: the
   row of the table, or NULL. */
const json_t *size_find(const struct settings *s, const json_t *list, const char *flavor, int64_t units,
                        const struct size_setting **setting, struct err *e);

/* ---- a run (openstack_run.c) ---- */

/* One of the pool's hosts, in this run. Opened on first use. */
struct project {
    struct run *run;
    const struct backend_host *host;
    struct host_settings settings;
    struct cloud *cloud, *objects_cloud;
    struct session *session;   /* compute, volumes, network, NAS */
    struct session *objects;   /* the object store: the same one, or one for its own project */
    pthread_mutex_t lock;      /* all below; held while it is being found out */
    json_t *servers, *volumes; /* arrays of ours, once taken; NULL before */
    json_t *made;              /* token -> id of volumes made in this run */
    char *network, *group;     /* of the tenant's servers, once made or found: id, name (or NULL) */
};

struct run {
    const struct backend_pool *pool;
    struct settings settings;
    int64_t until; /* clock_monotonic_ms() at which the call must be over */
    struct http_client *http;
    struct identity *identity;
    struct clouds *clouds;
    struct cloud *cloud;
    struct project *projects; /* one for each host of the pool, in its order */
    pthread_mutex_t lock;     /* the opening of projects */
    pthread_mutex_t asking;   /* all below; held while it is asked for */
    json_t *flavors;          /* the cloud's, once asked for */
    char *image;              /* its id, once asked for */
};

/* Nothing goes over the network. Close it also when it fails. */
int run_open(struct run *run, const struct backend_pool *pool, struct err *e);
void run_close(struct run *run);
/* Its sessions are open. NULL: no such host (ERR_RETRY), or its settings are wrong. */
struct project *run_project(struct run *run, const char *host, struct err *e);
/* A named place where a test stops the process (alloc/fault.h); safe in several threads. The thing was sent:
   ERR_UNKNOWN. */
int run_fault(const char *name, struct err *e);

/* Polling: waits a little, then longer each time (0.2 s to 5 s). False: the time is over. */
struct waiting {
    int64_t until, next_ms;
};
struct waiting wait_for(const struct run *run, int64_t seconds_most);
bool wait_next(struct waiting *w);

/* ---- requests (openstack_call.c) ---- */

/* session_call() with the run's deadline, the dialect's header and the project's session for the service. A
   path that begins with a version ("/v2.0/ports") is right whether the catalog's URL ends with it or not. */
int project_call(struct project *p, const char *service, struct http_request *request,
                 struct http_answer *answer, struct err *e);
/* JSON in and out; *out is the caller's and may be NULL (not wanted). What is absent (404) is a good answer
   to GET and DELETE: *out is NULL then, *gone true. */
int call_get(struct project *p, const char *service, const char *path, json_t **out, struct err *e);
int call_post(struct project *p, const char *service, const char *path, const json_t *body, json_t **out,
              struct err *e);
int call_delete(struct project *p, const char *service, const char *path, bool *gone, struct err *e);
/* Percent-encodes what is not unreserved (RFC 3986, 2.3), "/" too. The caller frees it. */
char *call_escape(const char *text);

/* Calls one() for each thing of a list, page after page; no more than a page is held. key NULL: a bare array
   whose marker is a name (Swift). filter: NULL or "name=x&...". one() gives 0 to go on, 1 when it has seen
   enough, -1 when it failed. */
int list_each(struct project *p, const struct listing *l, const char *filter,
              int (*one)(void *arg, const json_t *thing, struct err *e), void *arg, struct err *e);
/* The first thing of a list whose member `key` is this text, or whose id is; ERR_NOT_FOUND with the nearest.
   A new reference. */
json_t *list_find(struct project *p, const struct listing *l, const char *key, const char *name,
                  const char *what, struct err *e);

/* ---- what is ours (openstack_ours.c) ---- */

/* The token of a server or volume by its metadata; NULL: it has none. */
const char *ours_token(const json_t *thing);
/* {"allot_token", "allot_store", "allot_tenant", "allot_grant"}: what is written on a server or volume. Texts
   are cut to the 255 characters that Nova and Cinder take. */
json_t *ours_metadata(const struct run *run, const struct backend_operation *op);
bool ours_is_going(const json_t *thing); /* the cloud is deleting it */
/* Adds "tenant" and "grant", as it was made with, where it says so. */
void ours_owner(const json_t *thing, json_t *connection);

/* The things of a project that carry a token, asked for once in a run. Borrowed. */
int inventory_servers(struct project *p, const json_t **out, struct err *e);
int inventory_volumes(struct project *p, const json_t **out, struct err *e);
/* The i-th of a list with this token; NULL: no more. Two with one token are a fault that removal ends. */
const json_t *inventory_next(const json_t *list, const char *token, size_t *i);
/* The first of them that is not on its way out; NULL. */
const json_t *inventory_staying(const json_t *list, const char *token);
/* After the answer to a create was lost: asks until a thing with the token is seen, for 10 s at most. A new
   reference; NULL with ERR_UNKNOWN: it is not seen (yet). */
json_t *inventory_await(struct project *p, const struct listing *l, const char *token, struct err *e);
/* The id of a volume by its token, made in this run or before; ERR_RETRY: there is none that
   is ready. Free it. */
char *inventory_volume_id(struct project *p, const char *token, struct err *e);
void inventory_volume_made(struct project *p, const char *token, const char *id);

/* ---- the kinds (openstack_server.c, _volume.c, _container.c, _nas.c, _quota.c) ---- */

/* What a server is made of, as found at the cloud. All borrowed. */
struct server_parts {
    const char *size, *image, *network, *group; /* ids; group: a name, or NULL */
    const struct size_setting *setting;         /* NULL: found by its extra specs */
    const char *key_name, *user_data;           /* NULL: none */
    const char *const *volumes;                 /* ids of op->disks; NULL where they are files */
};
/* The body of POST /servers (openstack_server_body.c). Pure. The caller owns it. */
json_t *server_body(const struct run *run, const struct backend_operation *op,
                    const struct server_parts *parts);
/* What a server's own words say of it, for every place that asks (openstack_server_state.c). Pure. */
enum server_progress { SERVER_AT_WORK, SERVER_THERE, SERVER_BROKEN };
enum server_progress server_progress(const json_t *server);
enum backend_state server_state(const json_t *server);
const char *server_fault(const json_t *server); /* the cloud's words, or its status; never NULL */
bool server_was_up(const json_t *server);       /* it was launched once: it may hold data */
json_t *server_connection(const struct project *p, const json_t *server);

int server_ensure(struct project *p, struct backend_operation *op, struct err *e);
int server_remove(struct project *p, struct backend_operation *op, struct err *e);
/* Volumes of block storage and of files (NAS) come and go alike; what differs is a row. */
struct volume_means {
    const char *service, *path; /* "/volumes": of one is PATH/ID; answers have it as "volume" */
    const char *created;        /* the member that says when it was made */
    /* The body of POST; refuses (ERR_FAILED) what the cloud does not have. The caller owns it. */
    int (*body)(struct project *p, const struct backend_operation *op, json_t **out, struct err *e);
    bytes_t (*size)(const json_t *volume);
    /* "": there; "wait": being made; else it failed: the cloud's word */
    const char *(*trouble)(const json_t *volume);
    void (*connect)(const json_t *volume, json_t *connection); /* adds how to reach it */
    /* Not detached yet: the word to say so; NULL: it may go. */
    const char *(*in_use)(const json_t *volume);
};
extern const struct volume_means volume_block, volume_files;
const struct volume_means *volume_means(const struct run *run);
const struct listing *volume_listing(const struct run *run);
int volume_ensure(struct project *p, struct backend_operation *op, struct err *e);
int volume_remove(struct project *p, struct backend_operation *op, struct err *e);
void files_normal(json_t *thing);
int container_ensure(struct project *p, struct backend_operation *op, struct err *e);
int container_remove(struct project *p, struct backend_operation *op, struct err *e);

/* The token at the end of a container's name (NAME__TOKEN); NULL: it has none. */
const char *container_token(const char *container);
struct container_facts {
    bool is_there, is_frozen;
    bytes_t may_hold, holds;
    instant_t created;
    char *tenant, *grant; /* as it was made with, or NULL; the caller frees them */
};
/* Free the facts also when it fails. */
int container_look(struct project *p, const char *container, struct container_facts *out, struct err *e);
void container_facts_free(struct container_facts *facts);

/* ---- what they need ---- */

/* All sizes of the cloud, the id of the image (openstack_look.c). _look: once in a run, borrowed; _get: asked
   for, for this project; the caller's. */
int flavors_look(struct project *p, const json_t **out, struct err *e);
json_t *flavors_get(struct project *p, struct err *e);
int image_look(struct project *p, const char **id, struct err *e);
char *image_get(struct project *p, struct err *e);
bool is_uuid(const char *text); /* 32 hex digits, with or without "-" */
/* The network for the tenant's servers, made when it is not there (openstack_network.c). */
int network_ensure(struct project *p, const struct backend_operation *op, struct err *e);
/* A subnet of that network: {"id", "cidr"}. A new reference. */
json_t *subnet_look(struct project *p, struct err *e);
/* A key pair for one server, of the tenant's first RSA key (openstack_key.c). Key pairs belong to the account
   and are counted (100 by default), so it is released once the server was accepted: the cloud has copied the
   key then. The caller frees the name. */
int key_make(struct project *p, const struct backend_operation *op, char **name, struct err *e);
void key_release(struct project *p, const char *name);
void key_forget(struct project *p, const char *token); /* one that a try that was cut off left */
/* cloud-init's user data with all keys of the tenant, in base64; NULL in *out: it has none. The caller frees
   it. */
int key_user_data(const struct settings *s, const struct backend_operation *op, char **out, struct err *e);

/* ---- looking (openstack_observe.c, openstack_sync.c) ---- */

/* Appends what one project holds; -1: it did not answer. */
int project_observe(struct project *p, struct backend_view *out, struct err *e);
/* Adds to words what of the settings is not so at the cloud, one sentence each. */
int project_sync(struct project *p, struct text *words, struct err *e);
