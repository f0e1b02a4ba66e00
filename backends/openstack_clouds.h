/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cloud, as whom, for which project: clouds.yaml, secure.yaml and OS_* as OpenStack's own clients read
 * them (openstacksdk, openstack/config/loader.py).
 *
 * Files: $OS_CLIENT_CONFIG_FILE, then clouds.yaml, .yml or .json in ., $XDG_CONFIG_HOME/openstack
 * (~/.config), /etc/openstack: the first that is there. secure.yaml ($OS_CLIENT_SECURE_FILE) is found
 * likewise and laid over it. Which cloud: the name given, else $OS_CLOUD, else the variables OS_* as a cloud
 * of their own ("envvars", or $OS_CLOUD_NAME), else the only one of the file. Keys: auth (also written beside
 * it), auth_type, region_name, regions, interface, identity_api_version, cacert, SERVICE_endpoint_override;
 * "-" in a key is "_"; tenant is project; domain_id and domain_name stand for both domains. Other keys mean
 * nothing here.
 *
 * Stricter than those clients, with words: a file that is broken, unreadable, a directory, or named and not
 * there is an error, never skipped; so are verify: false, insecure: true, client certificates, vendor
 * profiles, unknown kinds of auth, numbers where text belongs (quotes are missing), and a file with a secret
 * that everybody may read or change. A user name or a project name without a domain is of the domain
 * "default", as for the openstack command.
 */
#pragma once
#include "alloc/err.h"
#include "alloc/scope.h"

#include <jansson.h>

enum cloud_auth { CLOUD_PASSWORD, CLOUD_APPLICATION_CREDENTIAL };
enum cloud_scope { CLOUD_UNSCOPED, CLOUD_PROJECT, CLOUD_DOMAIN, CLOUD_SYSTEM };

/* NULL or 0: not given. All texts belong to the struct. */
struct cloud {
    const char *name;   /* "nhn" */
    const char *source; /* where it is written: a path, or CLOUD_ENVIRONMENT */
    const char *auth_url;
    enum cloud_auth auth;
    int identity_version; /* 2 or 3: said by auth_type or identity_api_version; 0: not said */
    const char *username, *user_id, *user_domain_id, *user_domain_name, *password;
    const char *credential_id, *credential_name, *credential_secret; /* an application credential */
    enum cloud_scope scope;
    const char *project_id, *project_name, *project_domain_id, *project_domain_name;
    const char *domain_id, *domain_name; /* of the scope */
    const char *region_name;
    const char *interface; /* "public" unless given */
    const char *cacert;    /* path */
    json_t *endpoints;     /* service type -> URL, instead of the catalog's */
    struct keep kept;
};

#define CLOUD_ENVIRONMENT "the variables OS_*" /* the source of a cloud that they make up */

/* The files and variables, read once, for many clouds of them. NULL on failure. */
struct clouds;
struct clouds *clouds_open(struct err *e);
void clouds_close(struct clouds *clouds);
/* name NULL: as said above; region NULL: the cloud's own, the first of several. ERR_NOT_FOUND: no such cloud
   (the nearest name is the hint). NULL on failure. May be called by several threads. */
struct cloud *clouds_find(const struct clouds *clouds, const char *name, const char *region, struct err *e);
/* Both in one, for a single cloud. */
struct cloud *cloud_load(const char *name, const char *region, struct err *e);
/* The same from one cloud's entry, e.g. {"auth": {...}, "region_name": "KR3"}. source is for messages. Pure.
 */
struct cloud *cloud_from(const json_t *entry, const char *source, const char *name, const char *region,
                         struct err *e);
void cloud_free(struct cloud *cloud);

/* A copy that asks for another project (by id), for the whole system, or for the same scope as another user
   (by name or by id, with a password). */
struct cloud *cloud_for_project(const struct cloud *cloud, const char *project_id);
struct cloud *cloud_for_system(const struct cloud *cloud);
struct cloud *cloud_for_user(const struct cloud *cloud, const char *username, const char *user_id,
                             const char *password);
/* A copy that reaches a service of the catalog at this URL (an account of the object store that is not ours).
 */
struct cloud *cloud_with_endpoint(const struct cloud *cloud, const char *service, const char *url);
