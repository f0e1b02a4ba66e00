/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/status.h"

#include "alloc/balance.h"
#include "alloc/hand.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct status {
    struct store *store;
    const struct status_limits *limits;
    instant_t now;
    json_t *report, *troubles;
};

ERR_FORMAT(2, 3) static void trouble(struct status *t, const char *format, ...) {
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    json_array_append_new(t->troubles, json_string(what));
}

static int set(struct status *t, const char *key, json_t *value) {
    return value ? json_object_set_new(t->report, key, value) : -1;
}

static int64_t number(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

static const char *words(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* ---- pools ---- */

#define LIVE "('reserved', 'active', 'notice', 'grace', 'releasing', 'kept', 'purging', 'voiding')"

static void part_set(json_t *part, enum account_kind kind, const char *unit, int64_t amount) {
    char key[40];
    bool is_world = kind == ACCOUNT_WORLD;
    text_format(key, sizeof key, "%s_%s", is_world ? "capacity" : account_word(kind), unit);
    json_object_set_new(part, key, json_integer(is_world ? -amount : amount));
}

static json_t *part_new(bool is_storage) {
    json_t *part = json_object();
    for (int k = ACCOUNT_WORLD; k <= ACCOUNT_LOST; k++)
        if (is_storage || k != ACCOUNT_KEPT)
            part_set(part, (enum account_kind)k, is_storage ? "bytes" : "gflops", 0);
    return part;
}

/* rows of: pool number, kind, sum */
static int parts_add(struct status *t, const json_t *by_number, const char *part, const char *unit,
                     const char *sql, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, t->store, e, sql, "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        char id[24];
        text_format(id, sizeof id, "%lld", (long long)rows_int(&r, 0));
        json_t *pool = json_object_get(by_number, id);
        int kind = account_of_word(rows_text(&r, 1));
        if (pool && kind > 0)
            part_set(json_object_get(pool, part), (enum account_kind)kind, unit, rows_int(&r, 2));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* What belongs to no grant counts at the rating of today, what does at the grant's. Ended grants, most of
   them after some years, are not looked at. */
static int pool_sums(struct status *t, const json_t *by_number, struct err *e) {
    if (parts_add(t, by_number, "storage", "bytes",
                  "SELECT pool, kind, sum(balance) FROM account WHERE item = 'storage' AND grant_id = 0 AND"
                  " pool IN (SELECT id FROM pool) AND kind IN ('world', 'free', 'lost') GROUP BY pool, kind",
                  e) < 0 ||
        parts_add(t, by_number, "storage", "bytes",
                  "SELECT g.pool, a.kind, sum(a.balance) FROM grants g JOIN account a ON a.pool = g.pool AND"
                  " a.item = 'storage' AND a.grant_id = g.id AND a.kind IN ('reserved', 'held', 'kept',"
                  " 'releasing') WHERE g.state IN " LIVE " GROUP BY g.pool, a.kind",
                  e) < 0 ||
        parts_add(t, by_number, "compute", "gflops",
                  "SELECT f.pool, a.kind, sum(a.balance * f.rating_gflops) FROM flavor f JOIN account a ON"
                  " a.pool = f.pool AND a.item = 'unit/' || f.name AND a.grant_id = 0 AND a.kind IN"
                  " ('world', 'free', 'lost') GROUP BY f.pool, a.kind",
                  e) < 0)
        return -1;
    return parts_add(
        t, by_number, "compute", "gflops",
        "SELECT g.pool, a.kind, sum(a.balance * l.rating_gflops) FROM grants g"
        " JOIN grant_line l ON l.tenant = g.tenant AND l.grant_id = g.id"
        " JOIN account a ON a.pool = g.pool AND a.item = 'unit/' || l.flavor AND a.grant_id = g.id"
        " AND a.kind IN ('reserved', 'held', 'releasing') WHERE g.state IN " LIVE " GROUP BY g.pool, a.kind",
        e);
}

/* Of the pools: what has no place in compute or storage. */
#define OTHER_ITEMS                                                                                          \
    "(SELECT pool, 'unit/' || name AS item, place FROM flavor WHERE rating_gflops IS NULL UNION ALL SELECT " \
    "pool, 'seat/' || name, 1000000 FROM service UNION ALL SELECT id, 'datalake', 2000000 FROM pool WHERE "  \
    "id > 0)"

static json_t *item_of(json_t *pool, const char *item) {
    json_t *items = json_object_get(pool, "items"), *last = json_array_get(items, json_array_size(items) - 1);
    if (last && strcmp(words(last, "item"), item) == 0) return last;
    last = json_pack("{s:s}", "item", item);
    for (int k = ACCOUNT_WORLD; k <= ACCOUNT_LOST; k++)
        json_object_set_new(last, k == ACCOUNT_WORLD ? "capacity" : account_word((enum account_kind)k),
                            json_integer(0));
    json_array_append_new(items, last);
    return last;
}

/* Those that came into a pool; by pool, item. */
static int items_add(struct status *t, const json_t *by_number, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, t->store, e,
                  "SELECT pool, item, place, kind, sum(balance) FROM (SELECT i.pool, i.item, i.place, "
                  "a.kind, a.balance FROM " OTHER_ITEMS
                  " i JOIN account a ON a.pool = i.pool AND a.item = i.item AND a.grant_id = 0 AND a.kind IN "
                  "('world', 'free', 'lost') UNION ALL SELECT i.pool, i.item, i.place, a.kind, a.balance "
                  "FROM " OTHER_ITEMS " i JOIN grants g ON g.pool = i.pool AND g.state IN " LIVE
                  " JOIN account a ON a.pool = i.pool AND a.item = "
                  "i.item AND a.grant_id = g.id AND a.kind IN ('reserved', 'held', 'kept', 'releasing')) "
                  "GROUP BY pool, item, "
                  "place, kind ORDER BY pool, place, item, kind",
                  "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        char id[24];
        text_format(id, sizeof id, "%lld", (long long)rows_int(&r, 0));
        json_t *pool = json_object_get(by_number, id);
        const char *kind = rows_text(&r, 3);
        bool is_world = strcmp(kind, "world") == 0;
        if (pool)
            json_object_set_new(item_of(pool, rows_text(&r, 1)), is_world ? "capacity" : kind,
                                json_integer(is_world ? -rows_int(&r, 4) : rows_int(&r, 4)));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int pools(struct status *t, struct err *e) {
    json_t *rows =
        sql_json(t->store, e,
                 "SELECT p.id, p.name AS pool, p.state, p.backend, p.basis, EXISTS (SELECT 1 FROM flavor f"
                 " WHERE f.pool = p.id AND f.attach = 'none') AS \"counted_only@bool\" FROM pool p"
                 " WHERE p.id > 0 ORDER BY p.name",
                 "");
    if (set(t, "pools", rows) < 0) return -1;
    scoped_json json_t *by_number = json_object();
    size_t i;
    json_t *pool;
    json_array_foreach(rows, i, pool) {
        char id[24];
        text_format(id, sizeof id, "%lld", (long long)number(pool, "id"));
        json_object_del(pool, "id");
        json_object_set_new(pool, "compute", part_new(false));
        json_object_set_new(pool, "storage", part_new(true));
        json_object_set_new(pool, "items", json_array());
        json_object_set(by_number, id, pool);
    }
    return pool_sums(t, by_number, e) < 0 ? -1 : items_add(t, by_number, e);
}

/* ---- counts ---- */

static int states(struct status *t, const char *key, const char *const names[], const char *sql,
                  struct err *e) {
    json_t *counts = json_object();
    struct rows r;
    for (; *names; names++) json_object_set_new(counts, *names, json_integer(0));
    int rc = rows_open(&r, t->store, e, sql, "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        json_object_set_new(counts, rows_text(&r, 0), json_integer(rows_int(&r, 1)));
        rc = 0;
    }
    rows_close(&r);
    return set(t, key, counts) < 0 ? -1 : rc;
}

static int counts(struct status *t, struct err *e) {
    static const char *const requests[] = {"queued", "held", NULL};
    static const char *const grants[] = {"reserved", "active",  "notice",  "grace", "releasing",
                                         "kept",     "purging", "voiding", NULL};
    static const char *const operations[] = {"pending", "troubled", NULL};
    if (states(t, "requests", requests,
               "SELECT state, count(*) FROM request WHERE state IN ('queued', 'held') GROUP BY state",
               e) < 0 ||
        states(t, "grants", grants,
               "SELECT state, count(*) FROM grants WHERE state IN " LIVE " GROUP BY state", e) < 0 ||
        states(
            t, "operations", operations,
            "SELECT 'pending', count(*) FROM operation WHERE desired <> observed AND NOT (desired = "
            "'present' AND"
            " grant_id IN (SELECT id FROM grants WHERE needs_agreement = 1 AND agreed_at IS NULL AND state ="
            " 'reserved')) UNION ALL SELECT 'troubled',"
            " count(*) FROM operation WHERE desired <> observed AND trouble IS NOT NULL",
            e) < 0)
        return -1;
    int64_t troubled = number(json_object_get(t->report, "operations"), "troubled");
    if (troubled) trouble(t, "%lld operations did not succeed yet", (long long)troubled);
    return 0;
}

static int drift(struct status *t, struct err *e) {
    json_t *rows = sql_json(t->store, e,
                            "SELECT p.name AS pool, o.label, count(*) AS count FROM orphan o JOIN pool p"
                            " ON p.id = o.pool GROUP BY p.name, o.label ORDER BY p.name, o.label",
                            "");
    if (set(t, "drift", rows) < 0) return -1;
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row) {
        const char *label = words(row, "label");
        if (strcmp(label, "backend-only") == 0 || strcmp(label, "differing") == 0)
            trouble(t, "pool %s: %lld things are %s (allot reconcile --dry-run)", words(row, "pool"),
                    (long long)number(row, "count"), label);
    }
    return 0;
}

static int messages(struct status *t, struct err *e) {
    int64_t open = 0, oldest = 0;
    if (sql_int(t->store, e, &open, "SELECT count(*) FROM outbox WHERE delivered_at IS NULL", "") < 0)
        return -1;
    int has = sql_int(t->store, e, &oldest,
                      "SELECT made_at FROM outbox WHERE delivered_at IS NULL ORDER BY id LIMIT 1", "");
    if (has < 0) return -1;
    if (has && t->limits->expects_notify && t->now.s - oldest > t->limits->notify.s)
        trouble(t, "%lld messages are undelivered, the oldest since %s", (long long)open,
                instant_text(instant(oldest)).s);
    return set(t, "messages",
               json_pack("{s:I,s:o}", "undelivered", (json_int_t)open, "oldest",
                         has ? json_string(instant_text(instant(oldest)).s) : json_null()));
}

/* Open notices of reclaim, and when the first of them takes effect. */
static int notices(struct status *t, struct err *e) {
    int64_t open = 0, appealed = 0, next = 0;
    if (sql_int(t->store, e, &open, "SELECT count(*) FROM reclaim WHERE state IN ('noticed', 'appealed')",
                "") < 0 ||
        sql_int(t->store, e, &appealed, "SELECT count(*) FROM reclaim WHERE state = 'appealed'", "") < 0)
        return -1;
    int has = sql_int(t->store, e, &next,
                      "SELECT min(effect_at) FROM reclaim WHERE state IN ('noticed', 'appealed')", "");
    if (has < 0) return -1;
    return set(t, "notices",
               json_pack("{s:I,s:I,s:o}", "open", (json_int_t)open, "appealed", (json_int_t)appealed, "next",
                         has ? json_string(instant_text(instant(next)).s) : json_null()));
}

/* ---- jobs and hosts ---- */

struct job {
    const char *name;
    span_t limit;
    bool is_expected;
};

static int job_add(struct status *t, json_t *jobs, const struct job *job, int64_t made, struct err *e) {
    int64_t good = 0, started = 0;
    scoped_free char *words_of = NULL;
    int has_good = sql_int(t->store, e, &good, "SELECT good_at FROM job WHERE name = $1", "s", job->name);
    int has = sql_int(t->store, e, &started, "SELECT started_at FROM job WHERE name = $1", "s", job->name);
    if (has_good < 0 || has < 0 ||
        sql_text(t->store, e, &words_of, "SELECT trouble FROM job WHERE name = $1", "s", job->name) < 0)
        return -1;
    /* A store that is younger than the limit has no stale jobs yet. */
    bool is_stale = job->is_expected && t->now.s - (has_good ? good : made) > job->limit.s;
    if (is_stale && has_good)
        trouble(t, "%s has not run well since %s", job->name, instant_text(instant(good)).s);
    else if (is_stale)
        trouble(t, "%s has never run well", job->name);
    if (words_of) trouble(t, "%s: %s", job->name, words_of);
    json_t *row = json_pack("{s:s,s:o,s:o,s:s?,s:I,s:b}", "job", job->name, "good",
                            has_good ? json_string(instant_text(instant(good)).s) : json_null(), "started",
                            has ? json_string(instant_text(instant(started)).s) : json_null(), "trouble",
                            words_of, "limit_seconds", (json_int_t)job->limit.s, "stale", is_stale);
    return json_array_append_new(jobs, row);
}

static int jobs(struct status *t, struct err *e) {
    const struct job all[] = {{"tick", t->limits->tick, true},
                              {"reconcile", t->limits->reconcile, true},
                              {"notify", t->limits->notify, t->limits->expects_notify}};
    int64_t made = 0;
    json_t *rows = json_array();
    set(t, "jobs", rows);
    if (sql_int(t->store, e, &made, "SELECT made_at FROM store", "") < 0) return -1;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (job_add(t, rows, &all[i], made, e) < 0) return -1;
    return 0;
}

/* Hosts that did not answer, are lost, or whose storage is over 85 % full. */
static int hosts(struct status *t, struct err *e) {
    json_t *rows = sql_json(
        t->store, e,
        "SELECT p.name AS pool, h.name AS host, h.state, h.trouble, CASE WHEN h.storage_capacity_bytes >= "
        "100 THEN"
        " (h.storage_capacity_bytes - h.storage_free_bytes) / (h.storage_capacity_bytes / 100) END AS"
        " storage_used_percent FROM host h JOIN pool p ON p.id = h.pool WHERE h.trouble IS NOT NULL OR"
        " h.state = 'lost' OR (h.storage_capacity_bytes >= 100 AND h.storage_capacity_bytes -"
        " h.storage_free_bytes > h.storage_capacity_bytes / 100 * 85) ORDER BY p.name, h.name",
        "");
    if (set(t, "hosts", rows) < 0) return -1;
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row) {
        const char *pool = words(row, "pool"), *host = words(row, "host"), *why = words(row, "trouble");
        if (*why) trouble(t, "host %s of pool %s: %s", host, pool, why);
        if (strcmp(words(row, "state"), "lost") == 0) trouble(t, "host %s of pool %s is lost", host, pool);
        if (number(row, "storage_used_percent") >= 85)
            trouble(t, "host %s of pool %s: its storage is %lld %% full", host, pool,
                    (long long)number(row, "storage_used_percent"));
    }
    return 0;
}

/* Of pools where each tenant has a project of its own: how many can still be bound. */
static int projects(struct status *t, struct err *e) {
    json_t *rows = sql_json(
        t->store, e,
        "SELECT p.name AS pool, count(h.name) AS projects, count(h.tenant) AS bound, count(*) "
        "FILTER (WHERE h.tenant IS NULL AND h.state = 'active') AS \"left\" FROM pool p JOIN host h ON "
        "h.pool = p.id WHERE p.capabilities & 4 GROUP BY p.id ORDER BY p.name",
        "");
    if (set(t, "projects", rows) < 0) return -1;
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row) {
        if (number(row, "left") < t->limits->projects)
            trouble(t, "pool %s: %lld of %lld projects are left (allot pool set %s --file FILE)",
                    words(row, "pool"), (long long)number(row, "left"), (long long)number(row, "projects"),
                    words(row, "pool"));
    }
    return 0;
}

/* Grants that are reserved and wait for an agreement to be signed. */
static int agreements(struct status *t, struct err *e) {
    return set(
        t, "agreements",
        sql_json(
            t->store, e,
            "SELECT 'g-' || g.id AS \"grant\", t.name AS tenant, p.name AS pool, g.start_at AS"
            " \"since@time\" FROM grants g JOIN tenant t ON t.id = g.tenant JOIN pool p ON p.id = g.pool"
            " WHERE g.needs_agreement = 1 AND g.agreed_at IS NULL AND g.state = 'reserved' ORDER BY g.id",
            ""));
}

/* What is set aside for requests that wait, until somebody takes it or its time has passed. */
static int offers(struct status *t, struct err *e) {
    return set(t, "offers",
               sql_json(t->store, e,
                        "SELECT 'r-' || o.request AS request, t.name AS tenant, p.name AS pool,"
                        " o.compute_gflops, o.storage_bytes, o.until_at AS \"until@time\" FROM offer o JOIN"
                        " tenant t ON t.id = o.tenant JOIN pool p ON p.id = o.pool ORDER BY o.until_at,"
                        " o.request",
                        ""));
}

/* What people shall deliver or take back. */
static int by_hand(struct status *t, struct err *e) { return set(t, "by_hand", hand_list(t->store, e)); }

static int read_all(struct store *s, void *arg, struct err *e) {
    struct status *t = arg;
    t->store = s;
    if (pools(t, e) < 0 || counts(t, e) < 0 || drift(t, e) < 0 || messages(t, e) < 0 || notices(t, e) < 0)
        return -1;
    return projects(t, e) < 0 || jobs(t, e) < 0 || hosts(t, e) < 0 || agreements(t, e) < 0 || offers(t, e) < 0
               ? -1
               : by_hand(t, e);
}

json_t *status_of(struct store *s, const struct status_limits *limits, instant_t now, struct err *e) {
    struct status t = {.limits = limits, .now = now, .troubles = json_array()};
    t.report = json_pack("{s:s,s:s,s:I}", "at", instant_text(now).s, "store", store_id(s), "epoch",
                         (json_int_t)store_epoch(s));
    int rc = store_read(s, read_all, &t, e);
    json_object_set_new(t.report, "troubles", t.troubles);
    if (rc == 0) return t.report;
    json_decref(t.report);
    return NULL;
}
