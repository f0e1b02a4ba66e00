/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside identity: a token, how it is asked for, read, and kept between runs.
 */
#pragma once
#include "alloc/clock.h"
#include "backends/http.h"
#include "backends/openstack_clouds.h"
#include "backends/openstack_identity.h"

enum { TOKEN_MARGIN_S = 60 }; /* renewed so long before its end */

struct token {
    char *id; /* NULL: there is none */
    int version;
    bool from_cache;
    char *project_id, *project_name, *user_id; /* NULL: not said */
    json_t *roles, *catalog;
    instant_t expires; /* by this machine's clock */
    span_t skew;       /* the cloud's clock less ours */
};
void token_free(struct token *t);
bool token_is_good(const struct token *t, instant_t now);

/* ---- pure (openstack_identity_token.c) ---- */

/* Can these settings be said in that version? */
bool token_can_ask(const struct cloud *cloud, int version);
/* The body of POST /v2.0/tokens or /v3/auth/tokens. */
json_t *token_request(const struct cloud *cloud, int version);
/* From its answer; now: when it came. ERR_FAILED: something is missing, it is for another project, or has
 * ended. */
int token_read(const struct cloud *cloud, int version, const json_t *body, const char *subject,
               const char *date, instant_t now, struct token *out, struct err *e);
/* "2026-11-22T15:31:21Z", with a fraction, without a zone (UTC), with an offset. */
int token_time_parse(const char *text, instant_t *out, struct err *e);

/* ---- the cache (openstack_identity_cache.c) ---- */

/* The name of its file: a digest of who, where and for what. */
struct token_key {
    char hex[65];
};
struct token_key token_key(const struct cloud *cloud);
/* False: there is none that can be used. */
bool token_load(const char *folder, struct token_key key, instant_t now, struct token *out);
/* What fails is logged, and there is no cache then. */
void token_save(const char *folder, struct token_key key, const struct token *t);
/* From the bytes of such a file. */
bool token_parse(const char *bytes, size_t length, struct token *out);

/* ---- from the cloud (openstack_identity.c) ---- */

/* A new token, put into the cache. */
int identity_ask(struct identity *identity, const struct cloud *cloud, int64_t deadline, struct token *out,
                 struct err *e);
struct http_client *identity_http(const struct identity *identity);
const char *identity_folder(const struct identity *identity);
