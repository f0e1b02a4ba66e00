/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/books.h"

#include "alloc/scope.h"
#include "alloc/store.h"
#include "alloc/text.h"
#include "cmd/config.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

static int find(const struct call *call, const char *what, const char *sql, int64_t *id, struct err *e) {
    const char *name = call_option(call, what);
    *id = 0;
    if (!name) return 0;
    int rc = sql_int(call->store, e, id, sql, "s", name);
    if (rc == 0) err_set(e, ERR_NOT_FOUND, "no %s '%.100s'", what, name);
    return rc == 1 ? 0 : -1;
}

int books_tenant(const struct call *call, int64_t *id, struct err *e) {
    return find(call, "tenant", "SELECT id FROM tenant WHERE name = $1", id, e);
}

int books_pool(const struct call *call, int64_t *id, struct err *e) {
    return find(call, "pool", "SELECT id FROM pool WHERE name = $1 AND id > 0", id, e);
}

int books_span(const struct call *call, instant_t *since, instant_t *until, struct err *e) {
    const char *from = call_option(call, "since"), *to = call_option(call, "until");
    if (from && instant_or_date_parse(from, since, e) < 0) return err_context(e, "--since");
    if (from && !strchr(from, 'T')) since->s -= CLOCK_DAY; /* a date reads as the end of its day */
    if (to && instant_or_date_parse(to, until, e) < 0) return err_context(e, "--until");
    if (since->s < until->s) return 0;
    return err_set(e, ERR_USAGE, "nothing lies between %s and %s", instant_text(*since).s,
                   instant_text(*until).s);
}

char *books_actor(const struct call *call) {
    const struct passwd *user = getpwuid(geteuid());
    struct text t = {0};
    if (call->actor) return mem_copy(call->actor);
    if (user)
        text_add(&t, "admin %s", user->pw_name);
    else
        text_add(&t, "admin %u", geteuid());
    return text_take(&t);
}

const char *books_key(const struct call *call, struct err *e) {
    const char *key = call_option(call, "key");
    if (!key && call->config) key = call->config->audit_key;
    if (key) return key;
    err_set(e, ERR_USAGE, "no signing key is named");
    err_hint(e, "give --key FILE, or set audit.key in allot.conf; make one with: allot audit key --create");
    return NULL;
}
