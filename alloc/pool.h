/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool: what there is to share. It is declared (struct pool_spec: backend, hosts, basis, flavors with
 * rating and sizes, units, bytes), and the store is its truth. Capacity moves by ledger entries only:
 * what comes in is world -> free, what goes out free -> world, and units that cannot be lent move to
 * lost and back. Everything that writes here runs inside one store_write() and opens the pool's book
 * itself; nothing here reaches the network.
 *
 * Ownership: what a _load fills belongs to the caller and ends with the _free beside it.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/backend.h"
#include "alloc/clock.h"
#include "alloc/decide.h"
#include "alloc/json.h"
#include "alloc/store.h"

enum {
    POOL_NAME_MOST = 63, /* bytes of the name of a pool, host or flavor */
    POOL_HOSTS_MOST = 10000,
    POOL_FLAVORS_MOST = FLAVORS_MOST,
    POOL_METRICS_MOST = 32,
};

/* A machine, or a project at a cloud: uri is its id then. */
struct pool_host {
    char *name, *uri;
    json_t *settings; /* for the backend: {"object_store_id", "cloud"}, each only where it was declared */
};

struct pool_flavor {
    char *name;
    bool unrated;    /* a chip without a figure ("rating: none") */
    gflops_t rating; /* of one unit, at the basis of the pool */
    units_t units;   /* declared: lent, free and lost together */
    int64_t sizes[SIZES_MOST];
    size_t n_sizes;
    const char *attach; /* "pci" "mdev" "vf" "vcpu" "none" (counted, not attached)
                           "hand" (no backend makes it: a person delivers it, alloc/hand.h) */
};

/* Software lent by the seat; a person delivers it. */
struct pool_service {
    char *name;
    int64_t seats;
};

struct pool_spec {
    char *name, *backend, *basis;
    struct pool_host *hosts;
    size_t n_hosts;
    bool has_projects; /* the hosts are projects, each for one tenant */
    struct pool_flavor *flavors;
    size_t n_flavors;
    struct pool_service *services;
    size_t n_services;
    char **metrics; /* what the backend measures of a grant: "gpu_util" */
    size_t n_metrics;
    bytes_t storage, datalake, granule, volume_least, volume_most;
    json_t *settings; /* for the backend */
};
void pool_spec_free(struct pool_spec *spec);
/* Names, basis, sizes, bounds, no duplicates; the words name what is wrong. */
int pool_spec_check(const struct pool_spec *spec, struct err *e);
/* Can its backend do what is declared? capabilities: what the backend says of it (alloc/backend.h). */
int pool_spec_fits(const struct pool_spec *spec, unsigned capabilities, struct err *e);
/* A name on the way to a cloud, in a path of HTTP: letters, digits, "_" and "-". */
bool pool_id_is_good(const char *id);
void pool_hosts_free(struct pool_spec *spec);
/* From the file of `pool add --file` (alloc/pool_file.c): amounts are text with a unit. Keys that are in
   the file replace what stands in *spec. Failures leave *spec to be freed. */
int pool_spec_read(struct pool_spec *spec, const struct json_at *root, struct err *e);
/* The same as a document of that file: what it says when it is read is *spec again. */
json_t *pool_spec_document(const struct pool_spec *spec);
/* As JSON: integers with the unit in the key. */
json_t *pool_spec_json(const struct pool_spec *spec);
int pool_spec_load(struct store *s, int64_t pool, struct pool_spec *out, struct err *e);
/* A name of a pool, host or flavor: printable UTF-8 without spaces, "=", "," and "/", not beginning
   with "-". what: "pool" ..., for the message. */
int pool_name_check(const char *what, const char *name, struct err *e);
extern const char *const pool_bases[];    /* "fp32" ...; ends with NULL */
extern const char *const pool_attaches[]; /* likewise */

/* Name -> number; a miss suggests the nearest. */
int pool_find(struct store *s, const char *name, int64_t *id, struct err *e);

/* capabilities: of its backend, for this pool. With BACKEND_HAS_SLOTS nothing can be placed before the first
   sync. ERR_CONFLICT when the name is taken. */
int pool_add(struct store *s, const struct pool_spec *spec, unsigned capabilities, const char *actor,
             instant_t now, int64_t *id, struct err *e);
/* Makes the pool as declared anew. Fewer units or bytes than are free to go is ERR_CONFLICT with the
   numbers; basis, name and backend stay, and by what a grant is delivered while there is one. changes: an
   array of {what, from, to}; the caller's. */
int pool_set(struct store *s, int64_t pool, const struct pool_spec *spec, unsigned capabilities,
             const char *actor, instant_t now, json_t **changes, struct err *e);
int pool_capabilities(struct store *s, int64_t pool, unsigned *out, struct err *e);

/* The facts of one decision: sizes ascend, names are owned. Capacity has what is lost in it. Where
   devices are known one by one, free is what can be placed: the free devices of each active host,
   rounded down to a sum of sizes, and never more than the ledger's free units. What is held for an offer is
   not free. */
int pool_load_facts(struct store *s, int64_t pool, struct fact_pool *out, struct err *e);
/* The same as declared: capacity with what is lost; for comparing with a policy. */
int pool_load_declared(struct store *s, int64_t pool, struct fact_pool *out, struct err *e);
void pool_facts_free(struct fact_pool *facts);
/* The largest sum of sizes (ascending) that is at most n; 0 when none is. */
int64_t pool_reachable(const int64_t *sizes, size_t n_sizes, int64_t n);

/* The pool as its backend sees it. catalogue and deadline_ms are the caller's to set. */
struct pool_place {
    struct backend_pool pool;
    char *backend; /* the name of its plug-in */
    struct pool_spec spec;
    char *store_id;
};
/* A declaration that is not in the store yet, as its backend would see it. Takes over *spec. */
void pool_place_of(struct pool_spec *spec, const char *store_id, struct pool_place *out);
int pool_load_place(struct store *s, int64_t pool, struct pool_place *out, struct err *e);
void pool_place_free(struct pool_place *place);
