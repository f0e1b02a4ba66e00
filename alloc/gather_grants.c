/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/gather_grants.h"

#include "alloc/sample.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

#define LIVE "('reserved', 'active', 'notice', 'grace')"

struct loading {
    struct gathered *g;
    struct store *store;
    int64_t pool;
    size_t claimants, n_tenants; /* of g->tenants: those that claim, then all others; both ascending */
    struct fact_grant *grants;
    int64_t *numbers; /* behind facts.grants, ascending */
    size_t n_grants, grants_room, grants_numbers_room;
};

/* ---- tenants: those of the claims stand first, where the claims expect them ---- */

static size_t find_in(const int64_t *numbers, size_t n, int64_t number) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && numbers[low] == number ? low : n;
}

/* n_tenants: not there. */
static size_t tenant_at(const struct loading *l, int64_t number) {
    size_t at = find_in(l->g->tenants, l->claimants, number);
    if (at < l->claimants) return at;
    return l->claimants + find_in(l->g->tenants + l->claimants, l->n_tenants - l->claimants, number);
}

static int tenants_load(struct loading *l, struct err *e) {
    struct gathered *g = l->g;
    scoped_json json_t *all = sql_json(
        l->store, e,
        "SELECT id FROM tenant WHERE state <> 'closed' OR id IN (SELECT tenant FROM grants WHERE pool = "
        "$1 AND state IN " LIVE ") ORDER BY id",
        "i", l->pool);
    if (!all) return -1;
    l->claimants = l->n_tenants = g->facts.n_tenants;
    int64_t *numbers =
        keep_add(&g->memory, mem_alloc((l->claimants + json_array_size(all) + 1) * sizeof *numbers));
    memcpy(numbers, g->tenants, l->claimants * sizeof *numbers);
    size_t i;
    json_t *row;
    json_array_foreach(all, i, row) {
        int64_t number = json_integer_value(json_object_get(row, "id"));
        if (find_in(numbers, l->claimants, number) == l->claimants) numbers[l->n_tenants++] = number;
    }
    g->tenants = numbers;
    return gather_load_tenants(g, l->store, l->pool, l->n_tenants, false, e);
}

/* ---- grants and their servers ---- */

static int grants_load(struct loading *l, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, l->store, e,
                  "SELECT id, tenant, compute_gflops, storage_bytes, start_at, end_at, grace_s FROM grants "
                  "WHERE pool = $1 AND state IN " LIVE " ORDER BY id",
                  "i", l->pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        char id[24];
        text_format(id, sizeof id, "g-%lld", (long long)rows_int(&r, 0));
        l->grants = mem_grow(l->grants, &l->grants_room, l->n_grants + 1, sizeof *l->grants);
        l->numbers = mem_grow(l->numbers, &l->grants_numbers_room, l->n_grants + 1, sizeof *l->numbers);
        l->numbers[l->n_grants] = rows_int(&r, 0);
        l->grants[l->n_grants++] = (struct fact_grant){.id = keep_text(&l->g->memory, id),
                                                       .tenant = tenant_at(l, rows_int(&r, 1)),
                                                       .compute = gflops(rows_int(&r, 2)),
                                                       .storage = bytes(rows_int(&r, 3)),
                                                       .start = instant(rows_int(&r, 4)),
                                                       .end = instant(rows_int(&r, 5)),
                                                       .grace = span(rows_int(&r, 6))};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static struct fact_grant *grant_at(const struct loading *l, int64_t number) {
    size_t at = find_in(l->numbers, l->n_grants, number);
    return at < l->n_grants ? &l->grants[at] : NULL;
}

static const char *notice_id(struct loading *l, int64_t number) {
    char id[24];
    text_format(id, sizeof id, "n-%lld", (long long)number);
    return keep_text(&l->g->memory, id);
}

static int servers_load(struct loading *l, struct err *e) {
    struct rows r;
    struct fact_server *servers = NULL;
    size_t n = 0, room = 0, *first = mem_alloc((l->n_grants + 1) * sizeof *first);
    int rc = rows_open(
        &r, l->store, e,
        "SELECT o.grant_id, o.flavor, o.units, o.id, coalesce(l.rating_gflops, 0), o.disks_of = 1 AND EXISTS "
        "(SELECT 1 FROM operation v WHERE v.grant_id = o.grant_id AND v.kind = 'volume' AND v.desired = "
        "'present'), (SELECT max(c.id) FROM reclaim c JOIN reclaim_operation x ON x.reclaim = c.id WHERE "
        "c.pool = "
        "$1 AND c.grant_id = o.grant_id AND c.state IN ('noticed', 'appealed') AND x.operation = o.id) FROM "
        "grants "
        "g JOIN operation o ON o.grant_id = g.id AND o.tenant = g.tenant LEFT JOIN grant_line l ON l.tenant "
        "= "
        "o.tenant AND l.grant_id = o.grant_id AND l.flavor = o.flavor WHERE g.pool = $1 AND g.state IN " LIVE
        " AND o.flavor IS NOT NULL AND o.desired = 'present' ORDER BY o.grant_id, o.id",
        "i", l->pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        struct fact_grant *grant = grant_at(l, rows_int(&r, 0));
        rc = grant ? gflops_times(gflops(rows_int(&r, 4)), rows_int(&r, 2), &(gflops_t){0}, e)
                   : err_set(e, ERR_FAILED, "a server of no live grant");
        if (rc < 0) break;
        if (grant->n_servers++ == 0) first[grant - l->grants] = n;
        servers = mem_grow(servers, &room, n + 1, sizeof *servers);
        servers[n++] =
            (struct fact_server){.flavor = keep_text(&l->g->memory, rows_text(&r, 1)),
                                 .units = rows_int(&r, 2),
                                 .operation = rows_int(&r, 3),
                                 .compute = gflops(rows_int(&r, 4) * rows_int(&r, 2)),
                                 .carries = rows_int(&r, 5) != 0,
                                 .notice = rows_null(&r, 6) ? NULL : notice_id(l, rows_int(&r, 6))};
    }
    rows_close(&r);
    for (size_t i = 0; i < l->n_grants; i++)
        if (l->grants[i].n_servers) l->grants[i].servers = servers + first[i];
    if (servers) keep_add(&l->g->memory, servers);
    free(first);
    return rc;
}

static enum reclaim_cause cause_of(const char *word) {
    int c = 0;
    while (c < CAUSES - 1 && strcmp(reclaim_cause_word((enum reclaim_cause)c), word) != 0) c++;
    return (enum reclaim_cause)c;
}

static int notices_load(struct loading *l, struct err *e) {
    struct rows r;
    struct fact_notice *notices = NULL;
    size_t n = 0, room = 0, *first = mem_alloc((l->n_grants + 1) * sizeof *first);
    int rc =
        rows_open(&r, l->store, e,
                  "SELECT grant_id, id, cause, sent_at, effect_at, units, flavor, rule FROM reclaim WHERE "
                  "pool = $1 AND state IN ('noticed', 'appealed') ORDER BY grant_id, id",
                  "i", l->pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        struct fact_grant *grant = grant_at(l, rows_int(&r, 0));
        rc = 0;
        if (!grant) continue; /* its grant ends anyway */
        if (grant->n_notices++ == 0) first[grant - l->grants] = n;
        notices = mem_grow(notices, &room, n + 1, sizeof *notices);
        notices[n++] = (struct fact_notice){.id = notice_id(l, rows_int(&r, 1)),
                                            .cause = cause_of(rows_text(&r, 2)),
                                            .sent = instant(rows_int(&r, 3)),
                                            .effect = instant(rows_int(&r, 4)),
                                            .units = rows_int(&r, 5),
                                            .flavor = keep_text(&l->g->memory, rows_text(&r, 6)),
                                            .rule = keep_text(&l->g->memory, rows_text(&r, 7))};
    }
    rows_close(&r);
    for (size_t i = 0; i < l->n_grants; i++)
        if (l->grants[i].n_notices) l->grants[i].notices = notices + first[i];
    if (notices) keep_add(&l->g->memory, notices);
    free(first);
    return rc;
}

static int exceptions_load(struct loading *l, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, l->store, e,
                  "SELECT x.grant_id, x.rule FROM exception x JOIN grants g ON g.tenant = x.tenant AND g.id "
                  "= x.grant_id WHERE g.pool = $1 AND x.until_at > $2 ORDER BY x.grant_id, x.rule",
                  "ii", l->pool, l->g->facts.now.s);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        struct fact_grant *grant = grant_at(l, rows_int(&r, 0));
        rc = 0;
        if (!grant) continue;
        struct text all = {0};
        text_add(&all, "%s%s%s", grant->excepted ? grant->excepted : "", grant->excepted ? "," : "",
                 rows_text(&r, 1));
        grant->excepted = keep_add(&l->g->memory, text_take(&all));
    }
    rows_close(&r);
    return rc;
}

/* ---- what was measured ---- */

enum { WINDOWS_MOST = 64 };

/* A row of samples per grant, as many as the policy has windows. */
static int samples_load(struct loading *l, const struct decider *decider, const struct policy *policy,
                        struct err *e) {
    const char *metric;
    span_t window;
    size_t windows = 0;
    while (windows < WINDOWS_MOST && decider->window(policy, windows, &metric, &window)) windows++;
    struct fact_sample *all = keep_add(&l->g->memory, mem_alloc((l->n_grants * windows + 1) * sizeof *all));
    for (size_t i = 0; i < windows; i++) {
        struct sample_of *of;
        size_t n;
        decider->window(policy, i, &metric, &window);
        metric = keep_text(&l->g->memory, metric);
        int rc = sample_windows(l->store, l->pool, metric, window, l->g->facts.now, &of, &n, e);
        for (size_t k = 0; rc == 0 && k < n; k++) {
            struct fact_grant *grant = grant_at(l, of[k].grant);
            if (!grant) continue;
            struct fact_sample *own = &all[(size_t)(grant - l->grants) * windows];
            own[grant->n_samples++] = of[k].sample;
            grant->samples = own;
        }
        free(of);
        if (rc < 0) return -1;
    }
    return 0;
}

/* Units that are being given back come free when they are seen absent. What is set aside for an offer comes
   to its claim, or to all. */
static int coming_load(struct loading *l, struct err *e) {
    struct rows r;
    struct fact_flavor *flavors = (struct fact_flavor *)l->g->facts.pool.flavors; /* ours until we return */
    int rc =
        rows_open(&r, l->store, e,
                  "SELECT f.name, (SELECT coalesce(sum(o.units), 0) FROM operation o WHERE o.pool = $1 AND "
                  "o.flavor = f.name AND o.flavor IS NOT NULL AND o.desired = 'absent' AND o.observed <> "
                  "'absent') + (SELECT coalesce(sum(l.quantity), 0) FROM offer_line l WHERE l.pool = $1 AND "
                  "l.item = 'unit/' || f.name) FROM flavor f WHERE f.pool = $1",
                  "i", l->pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        for (size_t i = 0; i < l->g->facts.pool.n_flavors; i++)
            if (strcmp(flavors[i].name, rows_text(&r, 0)) == 0) flavors[i].coming = units(rows_int(&r, 1));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int load_all(struct loading *l, const struct decider *decider, const struct policy *policy,
                    struct err *e) {
    if (tenants_load(l, e) < 0 || grants_load(l, e) < 0 || servers_load(l, e) < 0 || notices_load(l, e) < 0 ||
        exceptions_load(l, e) < 0 || coming_load(l, e) < 0)
        return -1;
    return policy ? samples_load(l, decider, policy, e) : 0;
}

int gather_grants(struct store *s, int64_t pool, instant_t now, const struct decider *decider,
                  const struct policy *policy, struct gathered *out, struct err *e) {
    static const struct gather_want want = {.all = true, .offered = true};
    if (gather(s, pool, now, &want, out, e) < 0) return -1;
    struct loading l = {.g = out, .store = s, .pool = pool};
    int rc = load_all(&l, decider, policy, e);
    if (l.grants) keep_add(&out->memory, l.grants);
    free(l.numbers);
    out->facts.pool.promised = (struct fact_promised){0}; /* everybody is here */
    out->facts.grants = l.grants;
    out->facts.n_grants = l.n_grants;
    if (rc < 0) gathered_free(out);
    return rc;
}
