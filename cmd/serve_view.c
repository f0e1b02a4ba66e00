/* SPDX-License-Identifier: Apache-2.0 */
/* What a tenant may see of a request, a grant, itself: lists of keys that stay, everything else goes. */
#include "cmd/serve.h"

#include "alloc/facts.h"
#include "alloc/scope.h"
#include "alloc/tenant_file.h"

#include <string.h>

static bool is_in(const char *const keys[], const char *key) {
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0) return true;
    return false;
}

static void keep_keys(json_t *object, const char *const keys[]) {
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value) if (!is_in(keys, key)) json_object_del(object, key);
}

/* A backend's own words name hosts: of a refusal only the code stays. */
static void hide_words(json_t *object, const char *key) {
    static const char code[] = "BACKEND_REFUSED";
    const char *words = json_string_value(json_object_get(object, key));
    if (words && strncmp(words, code, sizeof code - 1) == 0)
        json_object_set_new(object, key, json_string(code));
}

void serve_request_view(json_t *request) {
    static const char *const keys[] = {
        "request",       "pool",     "state",          "outcome",       "grant",          "purpose",
        "flavor",        "units",    "compute_gflops", "minimum_units", "minimum_gflops", "per_server",
        "storage_bytes", "until",    "term_seconds",   "submitted",     "decided",        "note",
        "attributes",    "decision", "datalake_bytes", "seats",         "call",           "offer",
        "replaces",      NULL};
    keep_keys(request, keys);
    hide_words(request, "note");
    decision_hide_others(json_object_get(request, "decision"));
}

void serve_grant_view(json_t *grant) {
    static const char *const keys[] = {"grant",
                                       "pool",
                                       "state",
                                       "basis",
                                       "compute_gflops",
                                       "storage_bytes",
                                       "start",
                                       "end",
                                       "notice_seconds",
                                       "grace_seconds",
                                       "keep_seconds",
                                       "renewals_left",
                                       "renew_seconds",
                                       "released",
                                       "keep_until",
                                       "ended",
                                       "why",
                                       "request",
                                       "lines",
                                       "counted_only",
                                       "things",
                                       NULL};
    static const char *const of_thing[] = {"kind",          "name",     "flavor",  "units",
                                           "storage_bytes", "observed", "connect", NULL};
    static const char *const of_connect[] = {"domain", "name",     "state",     "addresses", "user",
                                             "path",   "protocol", "container", "url",       NULL};
    size_t i;
    json_t *thing;
    keep_keys(grant, keys);
    hide_words(grant, "why");
    json_array_foreach(json_object_get(grant, "things"), i, thing) {
        keep_keys(thing, of_thing);
        if (json_is_object(json_object_get(thing, "connect")))
            keep_keys(json_object_get(thing, "connect"), of_connect);
    }
}

/* For whom it is taken and who closed it are others' business. */
void serve_notice_view(json_t *notice) {
    static const char *const keys[] = {"notice",    "pool",   "grant",        "cause",          "rule",
                                       "flavor",    "units",  "state",        "compute_gflops", "sent",
                                       "delivered", "effect", "appeal_until", "appeal",         "closed",
                                       "evidence",  NULL};
    static const char *const of_evidence[] = {
        "en", "ko", "sample", "held_gflops", "guarantee_gflops", "place", "notice_seconds", "appeal_seconds",
        NULL};
    keep_keys(notice, keys);
    if (json_is_object(json_object_get(notice, "evidence")))
        keep_keys(json_object_get(notice, "evidence"), of_evidence);
}

json_t *serve_tenant_view(struct store *s, int64_t tenant, struct err *e) {
    struct tenant t;
    scoped_json json_t *holdings =
        sql_json(s, e,
                 "SELECT p.name AS pool, p.basis AS basis, c.compute_gflops, c.compute_limit_gflops, "
                 "c.storage_bytes, c.storage_limit_bytes FROM ceiling c JOIN pool p ON p.id = c.pool "
                 "WHERE c.scope = 'tenant' AND c.owner = $1 ORDER BY p.name",
                 "i", tenant);
    int rc = holdings ? tenant_load(s, tenant, &t, e) : -1;
    json_t *view = rc == 0 ? tenant_json(&t) : NULL;
    if (view) {
        json_object_set_new(view, "state", json_string(tenant_state_words[t.row.state]));
        json_object_set(view, "holdings", holdings);
    }
    if (holdings) tenant_free(&t);
    return view;
}
