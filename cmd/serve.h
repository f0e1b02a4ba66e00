/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The face that a tenant's scripts meet: one JSON object per line in, one per line out, in the same
 * order. `allot serve --stdio --tenant NAME` is the forced command of an SSH key, so the key says who
 * calls; nothing that a line says can change that. allot-serve(1) is the reference of the lines.
 *
 *   {"id": 7, "do": "submit", "key": "2026-11-a", "compute": "62.4 TF", "storage": "10 TB", "for": "90 days"}
 *   {"id":7,"status":0,"answer":{...}}
 *   {"id":7,"status":4,"error":{"code":"not_found","status":4,"what":"...","hint":"..."}}
 *
 * A denial has both: the answer with its reasons, and the first of them as an error. What fails inside
 * is not told (it may name paths or others); it is logged with the id.
 */
#pragma once
#include "alloc/json.h"
#include "alloc/tenant.h"
#include "cmd/change.h"

extern const struct command serve_commands[];

enum {
    SERVE_LINE_MOST = 64 << 10, /* bytes; a request is a few hundred */
    SERVE_DEPTH_MOST = 8,
    SERVE_ID_MOST = 128,
    SERVE_WAIT_MOST = 3600, /* seconds */
};

struct session {
    struct call *call;
    int64_t tenant;
    char name[TENANT_NAME_MOST + 1];
    char actor[TENANT_NAME_MOST + 16];
    size_t line; /* number of the line at hand */
};

/* One line at work. `words` is what was said without id, do and key. */
struct line {
    struct session *session;
    struct call call; /* the session's, as the tenant, at the time of this line */
    json_t *words;
    struct json_at at;
    json_t *answer;     /* filled by the verb; owned by the line */
    int status;         /* likewise: 0, 3 denied, 8 waits */
    bool has_work;      /* likewise: something is open at the backends */
    int64_t work_grant; /* whose; 0: of any grant */
};

struct verb {
    const char *name;
    bool changes; /* takes "key" */
    const char *const
        *keys; /* that it knows besides id, do and key; ends with NULL. NULL: it checks itself */
    int (*run)(struct line *line, struct err *e);
};
extern const struct verb serve_verbs[]; /* cmd/serve_verbs.c; ends with name NULL */

/* Rows and objects as a tenant may see them: no names of hosts, tokens or staff. Changes them in place. */
void serve_request_view(json_t *request); /* cmd/serve_view.c */
void serve_grant_view(json_t *grant);
void serve_notice_view(json_t *notice);
json_t *serve_tenant_view(struct store *s, int64_t tenant, struct err *e);
