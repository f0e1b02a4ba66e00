/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes against the policies that decide now, one of each pool that has one. */
#include "alloc/scope.h"
#include "alloc/version.h"
#include "cmd/output.h"
#include "cmd/tenant.h"
#include "policies/policy.h"

#include <stdlib.h>
#include <string.h>

struct attr_checks {
    struct policy **policies;
    size_t n, room;
    json_t *good;     /* "name=value" that passed: a file says the same a thousand times */
    size_t unchecked; /* attributes taken as text */
};

static int open_one(struct attr_checks *checks, struct store *s, int64_t pool, instant_t now, struct err *e) {
    int64_t id;
    struct hash hash;
    scoped_free char *stored = NULL;
    int rc = version_active(s, pool, now, &id, &hash, &stored, e);
    if (rc <= 0) return rc;
    struct policy *policy = policy_decider.open(stored, e);
    if (!policy) return -1;
    checks->policies = mem_grow(checks->policies, &checks->room, checks->n + 1, sizeof(void *));
    checks->policies[checks->n++] = policy;
    return 0;
}

int attr_checks_open(struct call *call, struct attr_checks **out, struct err *e) {
    struct attr_checks *checks = *out = mem_alloc(sizeof **out);
    checks->good = json_object();
    scoped_json json_t *pools =
        sql_json(call->store, e, "SELECT DISTINCT pool FROM policy ORDER BY pool", "");
    for (size_t i = 0; i < json_array_size(pools); i++) {
        int64_t pool = json_integer_value(json_object_get(json_array_get(pools, i), "pool"));
        if (open_one(checks, call->store, pool, call->now, e) < 0) return -1;
    }
    return pools ? 0 : -1;
}

void attr_checks_close(struct attr_checks *checks) {
    if (!checks) return;
    for (size_t i = 0; i < checks->n; i++) policy_decider.close(checks->policies[i]);
    free(checks->policies);
    json_decref(checks->good);
    free(checks);
}

static bool is_declared(const struct policy *policy, const char *name) {
    const char *declared;
    bool found = false;
    for (size_t i = 0; !found; i++) {
        scoped_text struct text type = {0};
        if (!policy_attr(policy, POLICY_ATTR_TENANT, i, &declared, &type)) return false;
        found = strcmp(declared, name) == 0;
    }
    return found;
}

/* Policies may declare one attribute differently; a tenant has one value. One of them must take it; when none
   does, each is named with its reason. One that no policy declares is a slip of the pen: the first policy
   says so, and names the nearest. */
static int check_all(const struct attr_checks *checks, const char *name, const char *value, struct err *e) {
    scoped_text struct text why = {0};
    struct err first = {0};
    size_t refused = 0;
    for (size_t i = 0; i < checks->n; i++) {
        struct err one = {0};
        if (!is_declared(checks->policies[i], name)) continue;
        if (policy_check_attr(checks->policies[i], POLICY_ATTR_TENANT, name, value, &one) == 0) return 0;
        text_add(&why, "%spolicy '%s': %s", refused ? "; " : "", policy_name(checks->policies[i]), one.what);
        if (refused++ == 0) first = one;
    }
    if (refused == 0) return policy_check_attr(checks->policies[0], POLICY_ATTR_TENANT, name, value, e);
    err_set(e, first.code, "%s", why.s);
    return first.hint[0] ? err_hint(e, "%s", first.hint) : -1;
}

static int check(void *arg, const char *name, const char *value, struct err *e) {
    struct attr_checks *checks = arg;
    if (checks->n == 0) {
        checks->unchecked++;
        return 0;
    }
    scoped_text struct text said = {0};
    text_add(&said, "%s=%s", name, value);
    if (json_object_get(checks->good, said.s)) return 0;
    if (check_all(checks, name, value, e) < 0) return -1;
    json_object_set_new_nocheck(checks->good, said.s, json_true());
    return 0;
}

struct tenant_checker attr_checks_checker(struct attr_checks *checks) {
    return (struct tenant_checker){check, checks};
}

void attr_checks_tell(const struct attr_checks *checks, struct call *call) {
    if (checks->unchecked == 0) return;
    output_say(call, "attributes were taken as text: no policy is loaded that could check them");
}
