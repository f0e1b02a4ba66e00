/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the files that read facts call each other; nobody else includes this. facts_in.c reads tenants, claims
 * and the whole, facts_in_pool.c the pool, facts_in_grants.c the live grants.
 */
#pragma once
#include "alloc/facts.h"
#include "alloc/json.h"

enum {
    NAME_BYTES = 256,
    OVERRIDE_BYTES = 4096,
    TENANTS_MOST = 1000000,
    CLAIMS_MOST = 1000000,
    GRANTS_MOST = 1000000,
    ENDS_MOST = 100000,
    HOLDINGS_MOST = 512,
    NOTICES_MOST = 256,
    SAMPLES_MOST = 256,
    ATTRS_MOST = 256
};

/* Decodes the items of a list into zeroed memory of the facts; a list that is absent is empty. */
typedef int facts_item_fn(const struct json_at *at, void *out, struct err *e);
int facts_list(struct facts_owned *o, const struct json_at *owner, const char *key, size_t most, size_t size,
               facts_item_fn *decode, const void **out, size_t *n, struct err *e);
#define FACTS_LIST(o, owner, key, most, items, decode, e)                                                    \
    facts_list(o, owner, key, most, sizeof *(items), decode, (const void **)&(items), &(n_##items), e)
/* No two items of a list may have the same name, which is their first member. */
int facts_names_differ(const struct json_at *owner, const char *key, const void *items, size_t n, size_t size,
                       struct err *e);

/* Tenants sorted by name, to find the one that a claim or a grant names. */
struct facts_names {
    const struct fact_tenant **sorted;
    const struct fact_tenant *first;
    size_t n;
};
int facts_tenant(const struct json_at *at, const struct facts_names *names, size_t *index, struct err *e);

int facts_pool(struct facts_owned *o, const struct json_at *at, struct fact_pool *out, struct err *e);
int facts_grants(struct facts_owned *o, const struct json_at *root, const struct facts_names *names,
                 struct err *e);
