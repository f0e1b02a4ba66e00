/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was used, by the cloud's own records (openstack_usage.c), and by NHN's meters for partners
 * (openstack_partner.c). A project that did not answer wholly is a gap: nothing of it is told.
 */
#pragma once
#include "alloc/backend_usage.h"
#include "backends/openstack.h"

int usage_sample(struct run *run, instant_t since, instant_t until, struct backend_usage *out, struct err *e);

/* settings.partner: {"id", "cloud", "counters": []}. cloud: an entry of clouds.yaml with the URL of the token
   service as auth_url, a User Access Key as application credential, and core_endpoint_override. */
struct partner_settings {
    const char *id, *cloud;
    struct json_at counters; /* value NULL: all */
};
int partner_settings_read(const struct settings *s, struct partner_settings *out, bool *is_there,
                          struct err *e);
/* Appends the meters of [since, until). */
int partner_sample(struct run *run, const struct partner_settings *settings, instant_t since, instant_t until,
                   struct backend_usage *out, struct err *e);

/* "2026-11-22T22:00:00.000000", with or without fraction and zone letter, always UTC. False: null or wrong.
 */
bool cloud_time(const char *text, instant_t *out);
void usage_add_sample(struct backend_usage *usage, struct backend_sample sample);
void usage_add_meter(struct backend_usage *usage, struct backend_meter meter);
