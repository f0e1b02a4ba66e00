/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog of a token: where each service answers. Both layouts are kept as one: a JSON array of
 * {"type", "name", "region", "interface", "url"}, interface without "URL" (public, internal, admin), url
 * without a "/" at its end. Pure.
 */
#pragma once
#include "alloc/err.h"

#include <jansson.h>

/* access.serviceCatalog of v2.0 (publicURL ...), token.catalog of v3 (interface, url). Entries of another
   form are left out: a cloud may list what does not concern us. The caller owns the result; NULL (absent)
   gives []. */
json_t *catalog_from_v2(const json_t *service_catalog);
json_t *catalog_from_v3(const json_t *catalog);

/*
 * The URL of a service, borrowed from the catalog. type is one of the catalog's or an alias: "block-storage"
 * finds volumev3, else volumev2, else volume; "object-store", "compute", "network", "image", "placement",
 * "identity", "nasv1". region NULL: the only one that the service has. ERR_FAILED with the services, regions
 * or interfaces that are there.
 */
const char *catalog_find(const json_t *catalog, const char *type, const char *region, const char *interface,
                         struct err *e);
