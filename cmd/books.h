/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that make, copy, check and show the books, and what they share.
 */
#pragma once
#include "alloc/clock.h"
#include "cmd/command.h"

extern const struct command init_commands[], backup_commands[], fsck_commands[], audit_commands[],
    usage_commands[], status_commands[];

struct config;

/* Appends the signed head to the configured file and sends it to syslog, as configured; nothing when neither
   is, or when the last head in the file is of the same entries. */
int audit_publish(struct store *s, const struct config *config, instant_t now, struct err *e);

/* --tenant and --pool: their numbers; 0 when the option is not given. */
int books_tenant(const struct call *call, int64_t *id, struct err *e);
int books_pool(const struct call *call, int64_t *id, struct err *e);
/* --since and --until into a half-open span: a bare date means from its first and to its last second. What is
   not given stays as it is. */
int books_span(const struct call *call, instant_t *since, instant_t *until, struct err *e);
/* Who does it where no store is open yet: "admin kim". The caller frees it. */
char *books_actor(const struct call *call);
/* The key that signs heads: --key, or the configured one. NULL, with *e set, when there is none. */
const char *books_key(const struct call *call, struct err *e);
