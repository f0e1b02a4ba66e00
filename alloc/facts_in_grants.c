/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/facts_in.h"

static int server_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"flavor",  "units",  "operation", "compute_gflops",
                                       "carries", "notice", NULL};
    struct fact_server *out = into;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "flavor", NAME_BYTES, &out->flavor, e) < 0 ||
        json_need_int(at, "units", 1, UNITS_MOST, &out->units, e) < 0)
        return -1;
    if (json_need_int(at, "operation", 1, INT64_MAX, &out->operation, e) < 0 ||
        json_may_gflops(at, "compute_gflops", &out->compute, e) < 0 ||
        json_may_bool(at, "carries", &out->carries, e) < 0)
        return -1;
    return json_may_text(at, "notice", NAME_BYTES, &out->notice, e);
}

static int sample_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"metric",       "window_seconds", "covered_percent",
                                       "most_percent", "mean_percent",   NULL};
    struct fact_sample *out = into;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "metric", NAME_BYTES, &out->metric, e) < 0 ||
        json_need_int(at, "window_seconds", 1, INSTANT_MOST / 4, &out->window.s, e) < 0 ||
        json_need_int(at, "covered_percent", 0, 100, &out->covered, e) < 0 ||
        json_need_int(at, "most_percent", 0, 100, &out->most, e) < 0)
        return -1;
    return json_need_int(at, "mean_percent", 0, 100, &out->mean, e);
}

static int notice_decode(const struct json_at *at, void *into, struct err *e) {
    static const char *const keys[] = {"id", "cause", "sent", "effect", "units", "flavor", "rule", NULL};
    const char *causes[CAUSES + 1] = {NULL};
    struct fact_notice *out = into;
    size_t cause;
    for (int i = 0; i < CAUSES; i++) causes[i] = reclaim_cause_word((enum reclaim_cause)i);
    if (json_only(at, keys, e) < 0 || json_need_text(at, "id", NAME_BYTES, &out->id, e) < 0 ||
        json_need_word(at, "cause", causes, &cause, e) < 0 ||
        json_need_instant(at, "sent", &out->sent, e) < 0 ||
        json_need_instant(at, "effect", &out->effect, e) < 0 ||
        json_may_int(at, "units", 0, UNITS_MOST, &out->units, e) < 0)
        return -1;
    out->cause = (enum reclaim_cause)cause;
    if (json_may_text(at, "flavor", NAME_BYTES, &out->flavor, e) < 0) return -1;
    return json_may_text(at, "rule", NAME_BYTES, &out->rule, e);
}

static int grant_parts_decode(struct facts_owned *o, const struct json_at *at, struct fact_grant *out,
                              struct err *e) {
    const struct fact_server *servers = NULL;
    const struct fact_sample *samples = NULL;
    const struct fact_notice *notices = NULL;
    size_t n_servers = 0, n_samples = 0, n_notices = 0;
    if (FACTS_LIST(o, at, "servers", SERVERS_MOST, servers, server_decode, e) < 0 ||
        FACTS_LIST(o, at, "samples", SAMPLES_MOST, samples, sample_decode, e) < 0 ||
        FACTS_LIST(o, at, "notices", NOTICES_MOST, notices, notice_decode, e) < 0)
        return -1;
    out->servers = servers;
    out->n_servers = n_servers;
    out->samples = samples;
    out->n_samples = n_samples;
    out->notices = notices;
    out->n_notices = n_notices;
    return facts_names_differ(at, "notices", notices, n_notices, sizeof *notices, e);
}

static int grant_decode(struct facts_owned *o, const struct json_at *at, const struct facts_names *names,
                        struct fact_grant *out, struct err *e) {
    static const char *const keys[] = {"id",      "tenant",  "compute_gflops", "storage_bytes",
                                       "start",   "end",     "grace_seconds",  "servers",
                                       "samples", "notices", "excepted",       NULL};
    if (json_as_object(at, e) < 0 || json_only(at, keys, e) < 0 ||
        json_need_text(at, "id", NAME_BYTES, &out->id, e) < 0 ||
        facts_tenant(at, names, &out->tenant, e) < 0 ||
        json_may_gflops(at, "compute_gflops", &out->compute, e) < 0 ||
        json_may_bytes(at, "storage_bytes", &out->storage, e) < 0 ||
        json_need_instant(at, "start", &out->start, e) < 0 ||
        json_need_instant(at, "end", &out->end, e) < 0 ||
        json_may_int(at, "grace_seconds", 0, INSTANT_MOST / 4, &out->grace.s, e) < 0 ||
        json_may_text(at, "excepted", OVERRIDE_BYTES, &out->excepted, e) < 0)
        return -1;
    return grant_parts_decode(o, at, out, e);
}

int facts_grants(struct facts_owned *o, const struct json_at *root, const struct facts_names *names,
                 struct err *e) {
    struct json_at list;
    if (json_may_array(root, "grants", GRANTS_MOST, &list, e) < 0) return -1;
    size_t n = json_length(&list);
    if (n == 0) return 0;
    struct fact_grant *of = keep_add(&o->memory, mem_alloc(n * sizeof *of));
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_item(&list, i);
        if (grant_decode(o, &item, names, &of[i], e) < 0) return -1;
    }
    o->facts.grants = of;
    o->facts.n_grants = n;
    return 0;
}
