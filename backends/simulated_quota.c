/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant may use in a project of the simulated cloud: one thing of kind "allowance" for each tenant,
 * with "limits" (flavor -> units), "storage" and "datalake" (bytes) and "used" (the same; a test writes it),
 * and a thing of kind "quota" for each token that stands for it.
 */
#include "backends/simulated.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static char *allowance_key(const struct backend_operation *op) {
    struct text key = {0};
    text_add(&key, "allowance/%s/%lld", op->host, (long long)op->tenant_number);
    return text_take(&key);
}

/* True: it differs from what stood there. */
static bool allow(struct cloud *c, const char *key, const struct backend_operation *op) {
    const json_t *there = cloud_get(c, key), *used = json_object_get(there, "used");
    json_t *limits = json_object();
    for (size_t i = 0; i < op->quota.n_limits; i++)
        json_object_set_new(limits, op->quota.limits[i].flavor, json_integer(op->quota.limits[i].units));
    json_t *now =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:s?}", "token", key, "kind", "allowance", "name",
                  key, "host", op->host, "tenant", op->tenant ? op->tenant : "", "limits", limits, "storage",
                  (json_int_t)op->quota.storage.n, "datalake", (json_int_t)op->quota.datalake.n, "member",
                  op->quota.member);
    if (used) json_object_set(now, "used", (json_t *)used);
    bool differs = !there || !json_equal(there, now);
    if (differs)
        cloud_put(c, key, now);
    else
        json_decref(now);
    return differs;
}

bool simulated_quota_set(struct cloud *c, struct backend_operation *op) {
    scoped_free char *key = allowance_key(op);
    bool changed = allow(c, key, op);
    if (!cloud_get(c, op->token)) {
        cloud_put(c, op->token,
                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "token", op->token, "kind", "quota",
                            "name", op->name, "host", op->host, "tenant", op->tenant, "grant", op->grant,
                            "created", (json_int_t)clock_now().s, "of", key));
        changed = true;
    }
    simulated_answer(op, BACKEND_DONE, NULL);
    return changed;
}

/* In use beyond what is left: as words, or NULL. */
static char *in_use(const struct cloud *c, const char *key) {
    const json_t *there = cloud_get(c, key), *used = json_object_get(there, "used"),
                 *limits = json_object_get(there, "limits");
    struct text words = {0};
    const char *name;
    json_t *n;
    json_object_foreach((json_t *)used, name, n) {
        bool is_bytes = strcmp(name, "storage") == 0 || strcmp(name, "datalake") == 0;
        int64_t most = thing_number(is_bytes ? there : limits, name);
        if (json_integer_value(n) > most)
            text_add(&words, "%s%lld of %s are in use, %lld are left to the tenant", words.length ? "; " : "",
                     (long long)json_integer_value(n), name, (long long)most);
    }
    return text_take(&words);
}

static bool is_stood_for(const struct cloud *c, const char *key) {
    const char *token;
    json_t *thing;
    json_object_foreach(c->things, token, thing) {
        if (strcmp(thing_text(thing, "of"), key) == 0) return true;
    }
    return false;
}

bool simulated_quota_end(struct cloud *c, struct backend_operation *op) {
    scoped_free char *key = allowance_key(op);
    if (!cloud_get(c, op->token) && !cloud_get(c, key))
        return simulated_answer(op, BACKEND_DONE, NULL), false;
    bool changed = allow(c, key, op);
    scoped_free char *words = in_use(c, key);
    if (words && *words) {
        simulated_answer(op, BACKEND_NOTHING_HAPPENED, "%s", words);
        return changed;
    }
    cloud_drop(c, op->token);
    if (!is_stood_for(c, key)) cloud_drop(c, key);
    simulated_answer(op, BACKEND_DONE, NULL);
    return true;
}

static int by_flavor(const void *a, const void *b) {
    return strcmp(((const struct backend_limit *)a)->flavor, ((const struct backend_limit *)b)->flavor);
}

void simulated_quota_see(const struct cloud *c, const json_t *thing, struct backend_seen *out) {
    const json_t *allowance = cloud_get(c, thing_text(thing, "of")),
                 *limits = json_object_get(allowance, "limits");
    const char *flavor;
    json_t *n;
    out->bytes = bytes(thing_number(allowance, "storage"));
    out->datalake = bytes(thing_number(allowance, "datalake"));
    out->limits = mem_alloc((json_object_size(limits) + 1) * sizeof *out->limits);
    json_object_foreach((json_t *)limits, flavor, n) out->limits[out->n_limits++] =
        (struct backend_limit){mem_copy(flavor), json_integer_value(n)};
    qsort(out->limits, out->n_limits, sizeof *out->limits, by_flavor);
}
