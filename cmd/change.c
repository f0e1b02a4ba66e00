/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/change.h"

#include "alloc/hash.h"
#include "alloc/scope.h"
#include "alloc/store.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

struct run {
    struct change change;
    change_fn *body;
    struct hash digest;
};

/* The command as said, without what does not change its meaning: words, arguments, its own options. */
static struct hash command_digest(const struct call *call, const char *extra) {
    struct text t = {0};
    text_add(&t, "%s", call->command->words);
    for (size_t i = 0; i < call->n_arguments; i++) text_add(&t, "%c%s", 1, call->arguments[i]);
    for (const struct option *o = call->command->options; o && o->name; o++) {
        const char *value;
        for (size_t k = 0; (value = call_option_at(call, o->name, k)); k++)
            text_add(&t, "%c%s=%s", 2, o->name, value);
        if (!o->argument && call_flag(call, o->name)) text_add(&t, "%c%s", 2, o->name);
    }
    if (extra) text_add(&t, "%c%s", 3, extra);
    struct hash h = hash_of(t.s, t.length);
    text_free(&t);
    return h;
}

/* Who holds the key: a person keeps it when the role changes between two tries ("admin kim", "operator kim").
 */
static const char *key_holder(const struct call *call) {
    const char *space = strchr(call->actor, ' ');
    return space && call->role != ROLE_TENANT ? space + 1 : call->actor;
}

/* 1 answered before, 0 new, -1 error (another command under this key). */
static int answered(struct run *r, struct err *e) {
    struct rows rows;
    const struct call *call = r->change.call;
    int rc = rows_open(&rows, r->change.store, e,
                       "SELECT digest, status, body FROM answer WHERE principal = $1 AND key = $2", "ss",
                       key_holder(call), call->key);
    if (rc == 0 && (rc = rows_next(&rows, e)) == 1) {
        if (strcmp(rows_text(&rows, 0), r->digest.hex) != 0) {
            rc = err_set(e, ERR_CONFLICT, "the idempotency key '%s' was used for another command", call->key);
            err_hint(e, "use a new key for a new command");
        } else {
            r->change.status = (int)rows_int(&rows, 1);
            json_decref(r->change.answer);
            r->change.answer = json_loads(rows_text(&rows, 2), JSON_DECODE_ANY, NULL);
        }
    }
    rows_close(&rows);
    return rc;
}

static int remember(struct run *r, struct err *e) {
    scoped_free char *body = json_dumps(r->change.answer, JSON_COMPACT | JSON_ENCODE_ANY);
    return sql_do(
        r->change.store, e,
        "INSERT INTO answer (principal, key, digest, status, body, at) VALUES ($1, $2, $3, $4, $5, $6)",
        "sssisi", key_holder(r->change.call), r->change.call->key, r->digest.hex, (int64_t)r->change.status,
        body ? body : "null", r->change.call->now.s);
}

static int once(struct store *s, void *arg, struct err *e) {
    struct run *r = arg;
    r->change.store = s;
    r->change.status = 0;
    json_decref(r->change.answer); /* store_write() may run this again */
    r->change.answer = NULL;
    if (r->change.call->key) {
        int rc = answered(r, e);
        if (rc != 0) return rc < 0 ? -1 : 0;
    }
    if (r->body(&r->change, e) < 0) return -1;
    return r->change.call->key ? remember(r, e) : 0;
}

int change_run(struct call *call, change_fn *body, void *arg, const char *extra, json_t **answer,
               struct err *e) {
    struct run r = {
        .change = {.call = call, .arg = arg}, .body = body, .digest = command_digest(call, extra)};
    store_dry_run(call->store, call->dry_run);
    int rc = store_write(call->store, once, &r, e);
    *answer = r.change.answer ? r.change.answer : json_null();
    return rc < 0 ? -1 : r.change.status;
}
