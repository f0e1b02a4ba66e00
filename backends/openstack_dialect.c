/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the two clouds differ. Sources: stock, the API references of Nova (2.67 is Rocky's, July 2018),
 * Cinder, Neutron and Swift; NHN, its API guides "Compute > Instance", "Storage > Block Storage", "Storage >
 * Object Storage", "Storage > NAS", "Network > VPC" and its resource policy, as read in 2026.
 */
#include "backends/openstack.h"

#include <string.h>

const char *const root_words[] = {"local", "volume", NULL};

static const struct published_limit nhn_published[] = {
    {"vcpus", 100},
    {"memory_mib", 262144},
    {"volume_gib", 10240},
    {"volume_each_gib", 2048},
    {"nas_gb", 30000},
    {"nas_volumes", 100},
    {NULL, 0},
};

const struct dialect dialects[] = {
    {
        .name = "nhn",
        .servers = {"compute", "/servers/detail", "servers", PAGES_BY_MARKER, false, NULL},
        .volumes = {"block-storage", "/volumes/detail", "volumes", PAGES_BY_MARKER, false, NULL},
        .flavors = {"compute", "/flavors/detail", "flavors", PAGES_NONE, false, NULL},
        .files = {"nasv1", "/v1/volumes", "volumes", PAGES_BY_NUMBER, false, files_normal},
        .published = nhn_published,
        .network = {"/v2.0/vpcs", "vpcs", "vpc", "cidrv4", "/v2.0/vpcsubnets", "vpcsubnets", "vpcsubnet",
                    "vpc_id", false},
        .sizes = SIZES_BY_TABLE,
        .root = ROOT_LOCAL, /* "local: for GPU and U2 instances" */
        .needs_key_pair = true,
        .root_has_size = true,
        .volume_least_gib = 10,
        .volume_most_gib = 2000,
        .volumes_most_gib = 10240,
        .files_least_gb = 300,
        .files_most_gb = 10000,
        .files_step_gb = 100,
    },
    {
        .name = "openstack",
        .compute_version = "compute 2.67",
        .servers = {"compute", "/servers/detail", "servers", PAGES_BY_MARKER, true, NULL},
        .volumes = {"block-storage", "/volumes/detail", "volumes", PAGES_BY_MARKER, true, NULL},
        .flavors = {"compute", "/flavors/detail", "flavors", PAGES_BY_MARKER, true, NULL},
        .network = {"/v2.0/networks", "networks", "network", NULL, "/v2.0/subnets", "subnets", "subnet",
                    "network_id", true},
        .sizes = SIZES_BY_EXTRA_SPECS,
        .root = ROOT_LOCAL,
        .has_bulk_delete = true,
        .has_limits = true,
        .volume_least_gib = 1,
        .volume_most_gib = INT64_C(1) << 31, /* Cinder keeps sizes in 32 bits */
    },
    {.name = NULL},
};

const struct dialect *dialect_find(const char *name) {
    for (const struct dialect *d = dialects; d->name; d++)
        if (strcmp(d->name, name) == 0) return d;
    return NULL;
}
