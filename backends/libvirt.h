/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libvirt backend, inside. The parent (libvirt.c, libvirt_parent.c) reads the settings and forks one
 * child per host, because a host that is silent blocks libvirt for ever; it reads JSON lines from a
 * pipe until the deadline and then kills. Only children (all the other files) open connections.
 *
 * What is ours at a host: a domain whose metadata has our element (METADATA_URI), with its token; a
 * volume named NAME__TOKEN__ROLE.EXT; a network named allot-STORE-tN. Nothing else is touched.
 *
 * Errors of a child: the code says what became of the thing. ERR_FAILED: refused, nothing is left;
 * ERR_RETRY: nothing happened; ERR_UNKNOWN: cut off in the middle.
 */
#pragma once
#include "alloc/backend.h"
#include "alloc/json.h"

#include <libvirt/libvirt.h>
#include <pthread.h>

#define METADATA_URI    "urn:allot:1"
#define METADATA_PREFIX "allot"

/* ---- settings (libvirt_settings.c) ---- */

enum attach { ATTACH_PCI, ATTACH_MDEV, ATTACH_VF, ATTACH_NONE, ATTACH_VCPU };
extern const char *const attach_words[];
enum network { NETWORK_ISOLATED, NETWORK_USER, NETWORK_NONE, NETWORK_REFUSE };

struct flavor_settings {
    const char *name, *match, *mdev_type; /* NULL when not given */
    size_t attach;
    int64_t units_per_host, vcpus_per_unit, memory_mib_per_unit; /* 0: not given */
};

struct settings {
    char title[160];
    json_t *wrapper;
    struct json_at root, at;
    const char *domain_type, *machine, *storage_pool, *storage_path, *image, *image_user, *network_range;
    bool paused;
    int64_t vcpus, memory_mib, vcpus_per_unit, memory_mib_per_unit; /* 0: not given */
    int64_t overcommit_percent, parallel, connect_seconds;
    bytes_t root_bytes;
    size_t network, network_fallback;
    bool has_network_fallback;
    struct flavor_settings *flavors;
    size_t n_flavors;
};

/* Drop it also when it fails. Borrows from pool->settings; must not be moved. */
int settings_read(const struct backend_pool *pool, struct settings *s, struct err *e);
void settings_drop(struct settings *s);
const struct flavor_settings *settings_flavor(const struct settings *s, const char *name);
/* The size of a server; ERR_FAILED when the flavor is not in the settings. */
int settings_size(const struct settings *s, const char *flavor, int64_t units, int64_t *vcpus,
                  int64_t *memory_mib, struct err *e);

/* ---- a host, inside its child (libvirt_child.c) ---- */

struct held_domain { /* a domain that is ours, or has a name like ours */
    virDomainPtr domain;
    char *name, *token; /* token NULL: no metadata of ours */
    char uuid[VIR_UUID_STRING_BUFLEN];
    int state, reason; /* virDomainState */
    json_t *meta;      /* store, tenant, grant, flavor, units, network, created, disks[], devices[] */
    bool gone;
};

enum role { ROLE_DATA, ROLE_ROOT, ROLE_SEED };
struct held_volume {
    virStorageVolPtr volume;
    char *file, *name, *token; /* file: the volume's name at libvirt; token NULL: only looks like ours */
    enum role role;
    bytes_t capacity, allocation; /* when the inventory was taken with sizes */
    bool gone;
};

struct host {
    const struct backend_pool *pool;
    const struct backend_host *named;
    const struct settings *settings;
    virConnectPtr connection;
    bool session;              /* a daemon of a user: no networks */
    FILE *out;                 /* lines to the parent */
    virStoragePoolPtr storage; /* NULL: none named */
    char *storage_path;
    bytes_t storage_capacity, storage_free;
    struct held_domain *domains;
    size_t n_domains;
    struct held_volume *volumes;
    size_t n_volumes;
    wide_t volumes_sum;   /* capacities of all volumes of the pool, ours or not */
    json_t *networks;     /* name -> true: found active or started in this call */
    pthread_mutex_t lock; /* out, volumes_sum, networks, gone of domains */
};

/* Sets *e from libvirt's last error: "what: libvirt's words", the code as said above. Always -1. */
int host_fail(const struct host *h, struct err *e, const char *what, ...) ERR_FORMAT(3, 4);
void host_line(struct host *h, json_t *line); /* steals line */

/* What a child does; -1: the host as a whole failed. */
struct work {
    int (*run)(struct host *h, struct backend_operation *ops, size_t n, struct err *e);
    const struct backend_pool *pool;
    const struct settings *settings;
};
/* Never returns: opens the connection, runs, reports to fd, ends the process. */
_Noreturn void child_main(const struct work *work, const struct backend_host *named,
                          struct backend_operation *ops, size_t n, pid_t parent, int fd);
/* A named place where a test stops this process (alloc/fault.h); safe to pass in several threads. */
int child_fault(struct host *h, const char *name, struct err *e);
/* Calls one for each operation of the kind that belongs here, by settings->parallel threads. */
void child_operations(struct host *h, struct backend_operation *ops, size_t n, enum backend_kind kind,
                      int (*one)(struct host *h, struct backend_operation *op, struct err *e));

/* ---- what is there (libvirt_inventory.c) ---- */

/* Fills domains and volumes. sizes: also capacity and allocation of each volume, and volumes_sum. */
int inventory_take(struct host *h, bool sizes, struct err *e);
void inventory_drop(struct host *h);
struct held_domain *inventory_domain(const struct host *h, const char *token);
struct held_domain *inventory_domain_named(const struct host *h, const char *name);
struct held_volume *inventory_volume(const struct host *h, const char *token, enum role role);
/* The state that is told; the connection of a server as JSON. */
enum backend_state inventory_state(const struct held_domain *d);
json_t *inventory_connection(struct host *h, const struct held_domain *d, const char *note);

/* ---- storage (libvirt_storage.c) ---- */

/* Finds the storage pool, defines a directory pool when it is absent and a path is named. Nothing
   when the settings name no pool. */
int storage_open(struct host *h, struct err *e);
void volume_file_name(char *out, size_t size, const char *name, const char *token, enum role role);
/* Splits NAME__TOKEN__ROLE.EXT; false when it is not of that form. */
bool volume_file_parse(const char *file, char **name, char **token, enum role *role);
/* A sparse qcow2; backing: path of a base image or NULL. Refuses when the overcommit does not allow it. */
int storage_create(struct host *h, const char *file, bytes_t asked, const char *backing, struct err *e);
/* A raw volume with these bytes. */
int storage_upload(struct host *h, const char *file, const char *data, size_t length, struct err *e);
int storage_delete(struct host *h, const char *file, struct err *e); /* not there: 0 */

int volume_ensure(struct host *h, struct backend_operation *op, struct err *e);
int volume_remove(struct host *h, struct backend_operation *op, struct err *e);

/* ---- servers (libvirt_server.c, libvirt_domain.c) ---- */

int server_ensure(struct host *h, struct backend_operation *op, struct err *e);
int server_remove(struct host *h, struct backend_operation *op, struct err *e);

struct domain_plan {
    const struct backend_operation *op;
    int64_t vcpus, memory_mib;
    const char *root, *seed; /* paths, or NULL */
    const char **disks;      /* paths of op->disks */
    const char *network;     /* name, or NULL: see interface */
    bool user_network;
    const char *note; /* why it has no network of its own, or NULL */
};
/* The UUID of a thing is made from its token, so a definition that is repeated is the same one. */
void token_uuid(const char *token, char out[VIR_UUID_STRING_BUFLEN]);
/* The caller frees it. NULL: a slot's address is wrong. */
char *domain_xml(const struct settings *s, const struct backend_pool *pool, const struct domain_plan *plan,
                 struct err *e);
/* Our element as JSON: the other way. NULL: it is not ours or is broken. */
json_t *domain_metadata(const char *xml);

/* ---- networks (libvirt_network.c) ---- */

/* The tenant's network, active; NULL *name with words in *note where the settings allow to do without. */
int network_ensure(struct host *h, const struct backend_operation *op, char **name, const char **note,
                   bool *user, struct err *e);
/* Takes the tenant's network away when no domain of ours uses it. What fails is left to the next time. */
void network_release(struct host *h, const struct backend_operation *op);

/* ---- devices (libvirt_devices.c) ---- */

int devices_report(struct host *h, struct err *e); /* slot lines to the parent */

/* ---- cloud-init (libvirt_seed.c) ---- */

/* A FAT image labelled CIDATA with the files of a NoCloud seed. -1: too much for it. */
int seed_build(const struct backend_operation *op, const char *user, struct text *out, struct err *e);

/* ---- the parent's side (libvirt_parent.c) ---- */

int parent_operations(const struct work *work, struct backend_operation *ops, size_t n, struct err *e);
int parent_view(const struct work *work, struct backend_view *out, struct err *e);
