/* SPDX-License-Identifier: Apache-2.0 */
/* What delivery by quota needs: to see and set what others may use. */
#include "backends/openstack_probe.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "backends/openstack_quota.h"

struct trial {
    struct quota_run q;
    struct backend_probe *out;
};

static void told(struct trial *t, const char *name, int rc, int64_t start, const struct err *e,
                 const char *good) {
    enum backend_outcome outcome = rc == 0                ? PROBE_WORKS
                                   : e->code == ERR_RETRY ? PROBE_FAILED
                                                          : PROBE_MISSING;
    backend_probe_step(t->out, NULL, name, outcome, clock_monotonic_ms() - start, "%s",
                       rc == 0 ? good : e->what);
}

static void usages_try(struct trial *t) {
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    int rc = quota_call(&t->q, (struct quota_call){.service = "placement"}, NULL, NULL, &e,
                        "/usages?project_id=%s", "0");
    told(t, "placement", rc, start, &e, "tells what a project uses");
}

static void account_try(struct trial *t) {
    struct session_facts facts = {0};
    struct err e = {0};
    struct text words scoped_text = {0};
    bool is_reseller = false;
    size_t i;
    const json_t *role;
    if (!t->q.settings->has_objects) return;
    int64_t start = clock_monotonic_ms();
    int rc = session_look(t->q.admin, t->q.run->until, &facts, &e);
    json_array_foreach(facts.roles, i, role) {
        is_reseller |= text_same(json_string_value(role), "ResellerAdmin");
        text_add(&words, "%s%s", i ? ", " : "", json_string_value(role));
    }
    session_facts_free(&facts);
    if (rc == 0 && !is_reseller)
        backend_probe_step(t->out, NULL, "account_quota", PROBE_MISSING, 0,
                           "the role ResellerAdmin is not among ours: %s", words.s ? words.s : "none");
    else
        told(t, "account_quota", rc, start, &e, "we have the role ResellerAdmin");
}

void probe_quota(struct run *run, struct backend_probe *out) {
    struct trial t = {.out = out};
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    int rc = quota_open(&t.q, run, &e);
    if (rc == 0) rc = session_ready(t.q.system, run->until, &e);
    told(&t, "system_token", rc, start, &e, "for the whole system");
    if (rc == 0) {
        start = clock_monotonic_ms();
        rc = quota_learn(&t.q, &e);
        told(&t, "unified_limits", rc, start, &e,
             run->settings.quota->is_enforced ? "registered for all that is limited" : "enforce: none");
        usages_try(&t);
        account_try(&t);
    }
    quota_close(&t.q);
}
