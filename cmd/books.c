/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/books.h"

#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/tenant.h"
#include "alloc/text.h"
#include "cmd/config.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

int books_tenant(const struct call *call, int64_t *id, struct err *e) {
    const char *name = call_option(call, "tenant");
    struct tenant_row row = {0};
    if (name && tenant_find(call->store, name, &row, e) < 0) return -1;
    *id = row.id;
    return 0;
}

int books_pool(const struct call *call, int64_t *id, struct err *e) {
    const char *name = call_option(call, "pool");
    *id = 0;
    return name ? pool_find(call->store, name, id, e) : 0;
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
