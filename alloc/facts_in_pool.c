/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/facts_in.h"

static int flavor_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"name", "unrated", "rating_gflops", "units", "free",
                                       "lost", "coming",  "sizes",         NULL};
    struct fact_flavor *out = into;
    struct json_at sizes;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_may_bool(at, "unrated", &out->unrated, e) < 0)
        return -1;
    if (out->unrated && json_has(at, "rating_gflops"))
        return json_fail(at, e, "has a rating and says that it is unrated");
    if (!out->unrated && json_need_int(at, "rating_gflops", 1, GFLOPS_MOST, &out->rating.n, e) < 0) return -1;
    if (json_need_units(at, "units", &out->capacity, e) < 0 ||
        json_need_int(at, "free", -UNITS_MOST, out->capacity.n, &out->free.n, e) < 0 ||
        json_may_units(at, "lost", &out->lost, e) < 0 || json_may_units(at, "coming", &out->coming, e) < 0 ||
        json_need_array(at, "sizes", 0, SIZES_MOST, &sizes, e) < 0)
        return -1;
    out->n_sizes = json_length(&sizes);
    for (size_t i = 0; i < out->n_sizes; i++) {
        struct json_at item = json_item(&sizes, i);
        int64_t least = i ? out->sizes[i - 1] + 1 : 1;
        if (json_as_int(&item, least, UNITS_MOST, &out->sizes[i], e) < 0) return -1;
    }
    return 0;
}

static int service_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"name", "seats", "free", NULL};
    struct fact_service *out = into;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_need_int(at, "seats", 0, UNITS_MOST, &out->seats, e) < 0)
        return -1;
    return json_need_int(at, "free", -UNITS_MOST, out->seats, &out->free, e);
}

static int end_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"at", "grant", "flavor", "units", "notice", NULL};
    struct fact_end *out = into;
    if (json_only(at, keys, e) < 0 || json_need_instant(at, "at", &out->at, e) < 0 ||
        json_need_text(at, "grant", NAME_BYTES, &out->grant, e) < 0 ||
        json_need_text(at, "flavor", NAME_BYTES, &out->flavor, e) < 0 ||
        json_may_text(at, "notice", NAME_BYTES, &out->notice, e) < 0)
        return -1;
    return json_need_units(at, "units", &out->units, e);
}

static int promised_decode(const struct json_at *owner, struct fact_promised *out, struct err *e) {
    static const char *const keys[] = {"guarantees_gflops", "unused_gflops", NULL};
    struct json_at at;
    if (json_may_object(owner, "promised", &at, e) < 0) return -1;
    if (!json_has(owner, "promised")) return 0;
    if (json_only(&at, keys, e) < 0 || json_may_gflops(&at, "guarantees_gflops", &out->guarantees, e) < 0)
        return -1;
    return json_may_gflops(&at, "unused_gflops", &out->unused, e);
}

static int flavors_decode(struct facts_owned *o, const struct json_at *at, struct fact_pool *out,
                          struct err *e) {
    struct json_at list;
    const struct fact_flavor *flavors = NULL;
    size_t n_flavors = 0;
    if (json_need_array(at, "flavors", 0, FLAVORS_MOST, &list, e) < 0 ||
        FACTS_LIST(o, at, "flavors", FLAVORS_MOST, flavors, flavor_decode, e) < 0)
        return -1;
    out->flavors = flavors;
    out->n_flavors = n_flavors;
    return facts_names_differ(at, "flavors", flavors, n_flavors, sizeof *flavors, e);
}

static int services_decode(struct facts_owned *o, const struct json_at *at, struct fact_pool *out,
                           struct err *e) {
    const struct fact_service *services = NULL;
    size_t n_services = 0;
    if (FACTS_LIST(o, at, "services", SERVICES_MOST, services, service_decode, e) < 0) return -1;
    out->services = services;
    out->n_services = n_services;
    return facts_names_differ(at, "services", services, n_services, sizeof *services, e);
}

int facts_pool(struct facts_owned *o, const struct json_at *at, struct fact_pool *out, struct err *e) {
    static const char *const keys[] = {"name",
                                       "basis",
                                       "draining",
                                       "flavors",
                                       "services",
                                       "granule_bytes",
                                       "storage_bytes",
                                       "storage_free_bytes",
                                       "ends",
                                       "datalake_bytes",
                                       "datalake_free_bytes",
                                       "promised",
                                       "waiting",
                                       "waiting_gflops",
                                       "beside_gflops",
                                       "beside_bytes",
                                       "projects",
                                       "projects_usable",
                                       NULL};
    const struct fact_end *ends = NULL;
    size_t n_ends = 0;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_BYTES, &out->name, e) < 0 ||
        json_need_text(at, "basis", NAME_BYTES, &out->basis, e) < 0 ||
        json_may_bool(at, "draining", &out->draining, e) < 0 ||
        json_need_bytes(at, "storage_bytes", &out->storage_capacity, e) < 0 ||
        json_need_int(at, "storage_free_bytes", -BYTES_MOST, out->storage_capacity.n, &out->storage_free.n,
                      e) < 0 ||
        json_need_int(at, "granule_bytes", 1, BYTES_MOST, &out->granule.n, e) < 0 ||
        json_may_bytes(at, "datalake_bytes", &out->datalake_capacity, e) < 0 ||
        json_may_int(at, "datalake_free_bytes", -BYTES_MOST, out->datalake_capacity.n, &out->datalake_free.n,
                     e) < 0 ||
        json_may_int(at, "waiting", 0, CLAIMS_MOST, &out->waiting, e) < 0 ||
        json_may_gflops(at, "waiting_gflops", &out->waiting_compute, e) < 0 ||
        json_may_gflops(at, "beside_gflops", &out->beside_compute, e) < 0 ||
        json_may_bytes(at, "beside_bytes", &out->beside_storage, e) < 0 ||
        json_may_int(at, "projects", 0, UNITS_MOST, &out->projects, e) < 0 ||
        json_may_int(at, "projects_usable", 0, out->projects, &out->projects_usable, e) < 0 ||
        flavors_decode(o, at, out, e) < 0 || services_decode(o, at, out, e) < 0 ||
        promised_decode(at, &out->promised, e) < 0 ||
        FACTS_LIST(o, at, "ends", ENDS_MOST, ends, end_decode, e) < 0)
        return -1;
    out->ends = ends;
    out->n_ends = n_ends;
    return 0;
}
