/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command changes the store: one transaction, one answer, once per idempotency key.
 * The body fills `answer` (a JSON object or array: what --json prints) and `status` (the exit status:
 * 0 done, 3 denied, 8 waits). With --idempotency-key the answer is kept with a digest of the command;
 * the same key with the same command gives the first answer again, with another command ERR_CONFLICT.
 * Failures record nothing. With --dry-run everything is done and rolled back.
 */
#pragma once
#include "cmd/command.h"

struct change {
    struct call *call;
    struct store *store;
    void *arg;
    json_t *answer; /* owned by change_run() */
    int status;
};
typedef int change_fn(struct change *c, struct err *e);

/* Runs body in store_write(). *answer is the caller's (decref), also when it was answered before.
   Returns the status, or -1. extra: further bytes of the command's input for the digest (a bulk file's
   content), or NULL. */
int change_run(struct call *call, change_fn *body, void *arg, const char *extra, json_t **answer,
               struct err *e);
