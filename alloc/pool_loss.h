/* SPDX-License-Identifier: Apache-2.0 */
/* What a loss takes from whom (alloc/pool_loss.c), between showing and doing it (alloc/pool_lose.c). */
#pragma once
#include "alloc/pool.h"
#include "alloc/pool_run.h"

/* A server that still counts on a host; operation 0: units that a person delivers, of a line of the grant. */
struct victim {
    int64_t tenant, operation, grant, request, units, rating;
    char *flavor, *tenant_name, *name;
    bool is_wanted;   /* desired present */
    bool is_observed; /* seen present */
    bool is_new;      /* its grant is being set up: its request waits again */
};

struct victims {
    struct victim *all;
    size_t n, room;
};

/* Of one flavor: devices that go, units of its servers, free units that go. */
struct flavor_loss {
    char name[POOL_NAME_MOST + 1];
    bool has_slots, by_hand;
    int64_t devices, in_use, free_units, rating;
};

struct losing {
    struct store *store;
    int64_t pool;
    const struct pool_part *part;
    char *pool_name;
    struct victims victims;
    struct flavor_loss flavors[POOL_FLAVORS_MOST];
    size_t n_flavors;
};

/* NULL on failure; losing_free() it. part must outlive it. */
struct losing *losing_load(struct store *s, int64_t pool, const struct pool_part *part, struct err *e);
void losing_free(struct losing *l);
int losing_json(const struct losing *l, json_t **out, struct err *e);
