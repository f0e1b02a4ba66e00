/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are at a cloud: tokens, and calls that carry them.
 *
 * An identity is shared by all sessions of a run: the HTTP client, the cache of tokens, and which versions
 * each identity service speaks. A session is one user in one scope (a project, the system) of one cloud;
 * there may be thousands. Both are used by many threads at once, but for their open and close. Nothing goes
 * over the network when they are opened.
 *
 *     struct session *s = session_open(identity, cloud, e);
 *     struct http_request request = {.method = HTTP_GET, .url = "/servers/detail?limit=100",
 *                                    .deadline = deadline, .needs_json = true};
 *     struct http_answer answer;
 *     if (session_call(s, "compute", &request, &answer, e) < 0) ...
 *
 * Tokens: v2.0 (NHN), v3 password (user name with domain, or user id alone), v3 application credential; for a
 * project, a domain, the system, or unscoped. Which version: the one that the cloud's settings say, else the
 * one in the auth_url, else the newest of those that GET / lists. Where that one answers 401 or 404 the other
 * is tried once, if the settings can say it and GET / does not deny it, and remembered for the run.
 *
 * A token is renewed a minute before it ends and once when a service answers 401. Its end is counted by the
 * cloud's own clock (the Date of the answer that brought it), so a clock that is wrong, here or there, does
 * no harm.
 *
 * The cache is a folder of mode 0700 with a file of mode 0600 for each user and scope, named by the SHA-256
 * of identity service, user and scope, never of the password; replaced by rename, so processes share it
 * without locks. A file that is broken, of another owner or readable by others counts as none. A cache that
 * cannot be written is no error.
 *
 * Errors: as in backends/http.h. When it is we who are refused (wrong password, no such project, switched
 * off), session_ready() gives ERR_FAILED with the cloud's words; session_call() then gives ERR_RETRY, because
 * nothing happened and it says nothing about the thing asked for. A service that refuses a fresh token too
 * gives ERR_FAILED, and so does a catalog without the service.
 */
#pragma once
#include "alloc/clock.h"
#include "backends/http.h"
#include "backends/openstack_clouds.h"

struct identity;
struct session;

/* http must outlive it. cache_folder NULL: no cache. */
struct identity *identity_open(struct http_client *http, const char *cache_folder);
void identity_close(struct identity *identity);
/* $XDG_CACHE_HOME/allot/tokens, or ~/.cache/allot/tokens; NULL without a home. The caller frees it. */
char *identity_cache_folder(void);

/* The URL without its version: "https://host/identity/v3" -> "https://host/identity". The caller frees it.
 * Pure. */
char *identity_root(const char *auth_url);

/* What GET / of the identity service of a cloud lists: e.g. ["v3.14", "v2.0"], stable or not. The caller owns
 * it. */
json_t *identity_versions(struct identity *identity, const struct cloud *cloud, int64_t deadline,
                          struct err *e);

/* The cloud is borrowed and must outlive the session. ERR_USAGE where its settings cannot make a token. */
struct session *session_open(struct identity *identity, const struct cloud *cloud, struct err *e);
void session_close(struct session *session);

/* Has a token when it returns 0, from the cache or a new one. */
int session_ready(struct session *session, int64_t deadline, struct err *e);

/* http_call() at a service of the catalog: request->url is what follows the endpoint ("/servers", "" for
   itself), and X-Auth-Token goes with it. Nothing else can be reached: the url must begin with "/" or "?" or
   be empty. */
int session_call(struct session *session, const char *service, const struct http_request *request,
                 struct http_answer *answer, struct err *e);

/* The URL of a service without a "/" at its end. The caller frees it. NULL: see catalog_find(). */
char *session_endpoint(struct session *session, const char *service, int64_t deadline, struct err *e);

/* What the token says: for `backend check`, and for paths that name the project. */
struct session_facts {
    int version;      /* of the identity API that gave it: 2 or 3 */
    bool from_cache;  /* it was there already */
    char *project_id; /* NULL: not for a project */
    char *project_name, *user_id;
    json_t *roles;     /* ["admin", ...] */
    json_t *catalog;   /* backends/openstack_catalog.h */
    instant_t expires; /* by this machine's clock */
    span_t skew;       /* the cloud's clock less ours when it was made */
};
/* Gets a token if there is none. Free the facts also on failure. */
int session_look(struct session *session, int64_t deadline, struct session_facts *out, struct err *e);
void session_facts_free(struct session_facts *facts);
