/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the verbs of serve call each other; nobody else includes this. serve_verbs.c has their table and what
 * reads, serve_change.c what changes. Every number is looked up among the tenant's own: those of others do
 * not exist.
 */
#pragma once
#include "cmd/serve.h"

/* "request": "r-187" or "grant": "g-311". */
struct named {
    bool is_request, is_grant;
    int64_t id;
};
/* `needed`: one of them must be there. */
int serve_named(const struct line *line, bool needed, struct named *out, struct err *e);
/* As the tenant may see it. NULL on failure. */
json_t *serve_request(struct store *s, int64_t id, int64_t tenant, struct err *e);
json_t *serve_grant(struct store *s, int64_t id, int64_t tenant, struct err *e);

/* serve_change.c */
int serve_submit(struct line *line, struct err *e);
int serve_amend(struct line *line, struct err *e);
int serve_accept(struct line *line, struct err *e);
int serve_withdraw(struct line *line, struct err *e);
int serve_decline(struct line *line, struct err *e);
int serve_release(struct line *line, struct err *e);
int serve_renew(struct line *line, struct err *e);
int serve_appeal(struct line *line, struct err *e);
int serve_consent(struct line *line, struct err *e);
