/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port to the places where things are real. A backend is a shared object with one symbol,
 * `allot_backend`, opened by name when a pool first needs it (alloc/plugin.h). Verbs of intent, keyed
 * by our own token; each works on an array and answers per operation. Starting and observing are
 * apart: waiting is the engine's. All calls go through alloc/dispatch.h, which checks arguments and
 * that a failure says either "nothing happened" or "unknown".
 *
 * Tokens look like s4f1c09ab37de.1.812 (store id, epoch and what was drawn at its restore, operation):
 * a backend writes the token into the thing it makes and finds it again by it. Nothing is ever removed
 * by name alone.
 *
 * Ownership: operations and their specification belong to the caller; `detail`, `seen` and what
 * hangs below them are allocated by the backend (malloc) and freed by the caller.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/clock.h"
#include "alloc/err.h"

#include <jansson.h>
#include <stddef.h>

enum backend_answer {
    BACKEND_DONE,             /* it is so now, observed */
    BACKEND_STARTED,          /* accepted; observe later */
    BACKEND_NOTHING_HAPPENED, /* definitely not done, and nothing is left behind; may be tried again */
    BACKEND_REFUSED,          /* as above, and trying again will not help: the words say why */
    BACKEND_UNKNOWN,          /* cut off in the middle: observe before anything else */
};
const char *backend_answer_word(enum backend_answer a);

/* A machine; where a cloud gives each tenant a project of its own (BACKEND_HAS_PROJECTS), one such project.
 */
struct backend_host {
    const char *name, *uri; /* uri: libvirt URI, the id of a project, or as the backend likes */
    const json_t *settings; /* what the backend needs to know of this one; may be NULL */
};

/* A pool as its backend sees it. settings: the pool's own block of settings (alloc/pool.h lists the keys). */
struct backend_pool {
    const char *name, *basis;
    const struct backend_host *hosts;
    size_t n_hosts;
    const json_t *settings;
    const json_t *catalogue; /* accelerators: PCI ids and ratings (policies/accelerators.json); may be NULL */
    const char *store_id;    /* ours; things of other stores are never touched */
    int64_t deadline_ms;     /* for the whole call, per host */
};

/* Backends hold a volume in whole KiB, as libvirt does: what was booked, rounded up. Shall a volume of this
   size be there for what was booked? A backend that holds it to the byte is right too. */
enum { BACKEND_VOLUME_STEP = 1024 };
bytes_t backend_volume_size(bytes_t booked);
bool backend_volume_fits(bytes_t booked, bytes_t there);

enum backend_kind {
    BACKEND_SERVER,
    BACKEND_VOLUME,
    BACKEND_CONTAINER, /* object storage of the data lake, at most `bytes` */
    BACKEND_QUOTA,     /* what a tenant may use at a cloud where it works by itself */
};
extern const char *const backend_kind_words[]; /* "server" "volume" "container" "quota" NULL */

struct backend_limit {
    const char *flavor;
    int64_t units;
};

/* All that a tenant may use: the sum of its live grants. Each of its quota operations carries the same. */
struct backend_quota {
    const struct backend_limit *limits; /* ordered by flavor; a flavor that is not named: nothing */
    size_t n_limits;
    bytes_t storage, datalake;
    const char *member; /* the user at the cloud who works in the project; NULL: none was named */
};

struct backend_disk {
    const char *name;  /* name of the volume at the backend, of an operation of the same grant */
    const char *token; /* of that volume's operation */
};

struct backend_slot {
    const char *name, *address; /* address: PCI "0000:41:00.0", mdev uuid, or "" when only counted */
    const char *attach;         /* "pci" "mdev" "vf" "none" */
};

/* One thing that shall exist (ensure) or shall be gone (remove). */
struct backend_operation {
    const char *token;
    enum backend_kind kind;
    bool fresh;       /* ensure: it was never sent to the backend before, so nothing of it can be there */
    const char *name; /* wanted name: "allot-<tenant>-<grant>-<n>", at most 63 bytes, [A-Za-z0-9._-] */
    const char *host; /* of the pool's hosts; "" where a cloud hides them */
    const char *tenant, *grant; /* for people: metadata and titles; any printable UTF-8 */
    int64_t
        tenant_number; /* stable, and with the branch unique in this store: they name the tenant's network */
    const char *tenant_branch; /* letters of the restore after which the tenant was made; NULL or "": none */
    /* server */
    const char *flavor;
    int64_t units;
    const struct backend_slot *slots; /* units of them; n_slots may be 0 where a cloud hides them */
    size_t n_slots;
    const struct backend_disk *disks; /* attached to this server */
    size_t n_disks;
    const char *const *ssh_keys; /* of the tenant: public keys for cloud-init */
    size_t n_ssh_keys;
    /* volume, container */
    bytes_t bytes;
    /* quota: what is to stand at the cloud after the call. ensure sets it, and then the operation is one of
       those that stand for it; remove sets it too (what is left without this operation), takes the operation
       from those that stand for it, and is done only when no more than that is in use. host: the project, or
       "" where the backend makes one for each tenant itself */
    struct backend_quota quota;
    /* answer */
    enum backend_answer answer;
    char *detail;       /* the backend's own words on a failure or refusal; NULL otherwise */
    json_t *connection; /* server, when done: how to reach it (host, domain, uuid, addresses); may be NULL */
};

/* A volume, container or quota is present; a container into which nothing can be written is paused; a quota
   is failed where other limits that go with its units or bytes do not stand. Starting: on its way to being
   there or gone, neither yet; ensure or remove says more. */
enum backend_state { SEEN_RUNNING, SEEN_PAUSED, SEEN_STOPPED, SEEN_FAILED, SEEN_PRESENT, SEEN_STARTING };
const char *backend_state_word(enum backend_state s);

/* One thing found at the backend that carries a token of any store, or looks like ours. A quota is found once
   for each token that stands for it, each time with the whole. */
struct backend_seen {
    char *token; /* NULL: has our name but no token */
    enum backend_kind kind;
    char *name, *host;
    enum backend_state state;
    bytes_t bytes;                /* volume: its capacity; container: what it may hold */
    bytes_t allocated;            /* volume, container: really stored */
    instant_t created;            /* 0: not known */
    struct backend_limit *limits; /* quota: what stands there, ordered by flavor; with bytes and datalake */
    size_t n_limits;
    bytes_t datalake;   /* quota; its bytes are those of volumes */
    json_t *connection; /* server: how to reach it. Of any thing: "tenant" and "grant", as it was made with */
};

/* Each host of the pool has one. A cloud without hosts tells of itself as host "". */
struct backend_host_report {
    char *host;
    bool answered;                          /* false: its things are unknown, not absent */
    char *detail;                           /* why not; of a sync also: what is not as the pool says */
    bytes_t storage_capacity, storage_free; /* real, of the place where volumes lie; 0 when not known */
};

/* What a sync finds: devices that can be lent. */
struct backend_found_slot {
    char *host, *flavor;  /* flavor: the pool's flavor whose `match` fits; NULL when none does */
    char *name, *address; /* name: stable on the host (pci_0000_41_00_0) */
    char *attach;         /* "pci" "mdev" "vf" "none" "vcpu" */
    char *description;    /* "GH100 [H100 SXM5 80GB]" */
};

struct backend_view {
    struct backend_seen *seen;
    size_t n_seen;
    struct backend_found_slot *slots; /* sync only */
    size_t n_slots;
    struct backend_host_report *hosts;
    size_t n_hosts;
};
void backend_view_free(struct backend_view *view);

/* What a backend can do with a pool; its settings decide. */
enum {
    BACKEND_HAS_SLOTS = 1, /* sync lists devices one by one */
    BACKEND_HAS_USAGE = 2, /* sample works */
    BACKEND_HAS_PROJECTS =
        4, /* each host is a project: it belongs to one tenant, and all of that tenant is there */
    BACKEND_HAS_CONTAINERS = 8, /* the data lake is made by the backend; else a person delivers it */
    /* What a grant gives is quota: an operation of that kind for each server's worth of units, for the
       storage and, with containers, for the data lake; else it is servers, volumes and containers. */
    BACKEND_BY_QUOTA = 16,
};

struct backend_usage; /* alloc/backend_usage.h */
struct backend_probe; /* alloc/backend_probe.h */

#define BACKEND_BUILD_ID __VERSION__ " " ALLOT_BUILD_ID

struct backend {
    const char *build_id; /* must equal BACKEND_BUILD_ID of the program, or it is not used */
    const char *name;
    size_t
        batch; /* as many operations in one call as are best, at least 1; each call settles before the next */
    /* Checks a pool's settings and hosts without touching them. capabilities: of this pool. */
    int (*check)(const struct backend_pool *pool, unsigned *capabilities, struct err *e);
    /* Lists devices and real storage. A host that does not answer is reported, not an error. */
    int (*sync)(const struct backend_pool *pool, struct backend_view *out, struct err *e);
    /* Makes each exist, or finds that it does (by token). Volumes before the servers that use them. */
    int (*ensure)(const struct backend_pool *pool, struct backend_operation *ops, size_t n, struct err *e);
    /* Everything that carries a token or looks like ours, on all hosts that answer. */
    int (*observe)(const struct backend_pool *pool, struct backend_view *out, struct err *e);
    /* Makes each absent; DONE means observed absent. What is not there by token is DONE. */
    int (*remove)(const struct backend_pool *pool, struct backend_operation *ops, size_t n, struct err *e);
    /* What things of ours used in [since, until), by the backend's own records; NULL: it keeps none. A host
       that does not answer is a gap, not an error. */
    int (*sample)(const struct backend_pool *pool, instant_t since, instant_t until,
                  struct backend_usage *out, struct err *e);
    /* Tries one by one what the pool needs of the backend; NULL: check and sync are all there is to try.
       may_write: it may make, fill and remove a container of its own. */
    int (*probe)(const struct backend_pool *pool, bool may_write, struct backend_probe *out, struct err *e);
};
