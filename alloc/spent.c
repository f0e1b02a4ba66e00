/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/spent.h"

#include "alloc/scope.h"

#include <string.h>

/* Entries by which something comes to a grant or leaves it, of the grants of an organisation that held
   something after $3. */
#define MOVES                                                                                                \
    "SELECT g.tenant, e.at, CASE WHEN e.from_kind IN ('reserved', 'held', 'kept', 'releasing') THEN "        \
    "-e.quantity ELSE "                                                                                      \
    "e.quantity END, CASE WHEN e.item LIKE 'unit/%' THEN (SELECT l.rating_gflops FROM grant_line l WHERE "   \
    "l.tenant = "                                                                                            \
    "g.tenant AND l.grant_id = g.id AND 'unit/' || l.flavor = e.item) END, e.item IN ('storage', "           \
    "'datalake') FROM "                                                                                      \
    "tenant t JOIN grants g ON g.tenant = t.id JOIN entry e ON e.grant_id = g.id WHERE t.organisation = $2 " \
    "AND "                                                                                                   \
    "g.pool = $1 AND (g.ended_at IS NULL OR g.ended_at > $3) AND e.quantity > 0 AND (e.from_kind IN "        \
    "('reserved', "                                                                                          \
    "'held', 'kept', 'releasing')) <> (e.to_kind IN ('reserved', 'held', 'kept', 'releasing'))"

struct sums {
    wide_t compute, storage; /* GFLOPS-seconds, byte-seconds */
};

struct period {
    instant_t from, until;
    struct sums own, all;
};

static int64_t overlap(int64_t from, int64_t until, int64_t low, int64_t high) {
    if (from < low) from = low;
    if (until > high) until = high;
    return until > from ? until - from : 0;
}

static void add(struct period *p, bool own, wide_t compute, wide_t storage) {
    p->all.compute += compute;
    p->all.storage += storage;
    if (!own) return;
    p->own.compute += compute;
    p->own.storage += storage;
}

/* A change of what is held counts from then until now. */
static int moves_load(struct store *s, int64_t pool, int64_t tenant, int64_t organisation, instant_t now,
                      struct period *periods, size_t n, struct err *e) {
    struct rows r;
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < n; i++) first = periods[i].from.s < first ? periods[i].from.s : first;
    int rc = rows_open(&r, s, e, MOVES, "iii", pool, organisation, first);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        int64_t quantity = rows_int(&r, 2), rating = rows_int(&r, 3);
        bool own = rows_int(&r, 0) == tenant, in_bytes = rows_int(&r, 4) != 0;
        for (size_t i = 0; i < n; i++) {
            int64_t time = overlap(rows_int(&r, 1), now.s, periods[i].from.s, periods[i].until.s);
            wide_t amount = (wide_t)quantity * time;
            add(&periods[i], own, in_bytes ? 0 : amount * rating, in_bytes ? amount : 0);
        }
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* What is held now, on to the end of its lease. */
static int leases_load(struct store *s, int64_t pool, int64_t tenant, int64_t organisation, instant_t now,
                       struct period *periods, size_t n, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, s, e,
        "SELECT g.tenant, g.end_at, g.compute_gflops, g.storage_bytes + coalesce((SELECT sum(a.balance) "
        "FROM account a WHERE a.pool = g.pool AND a.grant_id = g.id AND a.item = 'datalake'), 0) FROM "
        "tenant t JOIN grants g ON g.tenant = t.id WHERE t.organisation = $2 AND g.pool = $1 AND g.state "
        "IN ('reserved', 'active', 'notice', 'grace') AND g.end_at > $3",
        "iii", pool, organisation, now.s);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        for (size_t i = 0; i < n; i++) {
            int64_t time = overlap(now.s, rows_int(&r, 1), periods[i].from.s, periods[i].until.s);
            add(&periods[i], rows_int(&r, 0) == tenant, (wide_t)rows_int(&r, 2) * time,
                (wide_t)rows_int(&r, 3) * time);
        }
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* What is set aside for an offer is spent as if it were taken now: taking it asks no budget again. */
static void offer_add(int64_t tenant, const struct rows *r, instant_t now, struct period *periods, size_t n) {
    scoped_json json_t *body = json_loads(rows_text(r, 3), 0, NULL);
    const json_t *lease = json_object_get(json_object_get(body, "decision"), "lease");
    const char *from = json_string_value(json_object_get(lease, "start")),
               *until = json_string_value(json_object_get(lease, "end"));
    instant_t start, end;
    struct err ignored = {0};
    if (!from || !until || instant_parse(from, &start, &ignored) < 0 ||
        instant_parse(until, &end, &ignored) < 0)
        return;
    if (!json_is_true(json_object_get(body, "has_end"))) end.s += now.s - start.s;
    for (size_t i = 0; i < n; i++) {
        int64_t time = overlap(now.s, end.s, periods[i].from.s, periods[i].until.s);
        add(&periods[i], rows_int(r, 0) == tenant, (wide_t)rows_int(r, 1) * time,
            (wide_t)rows_int(r, 2) * time);
    }
}

static int offers_load(struct store *s, int64_t pool, int64_t tenant, int64_t organisation, instant_t now,
                       struct period *periods, size_t n, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e,
                  "SELECT o.tenant, o.compute_gflops, o.storage_bytes, o.body FROM offer o JOIN tenant t "
                  "ON t.id = o.tenant WHERE o.pool = $1 AND t.organisation = $2 ORDER BY o.request",
                  "ii", pool, organisation);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        offer_add(tenant, &r, now, periods, n);
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int64_t fit(wide_t w) { return w > INT64_MAX ? INT64_MAX : w > 0 ? (int64_t)w : 0; }

int spent_load(struct store *s, int64_t pool, int64_t tenant, int64_t organisation, instant_t now,
               struct fact_spent out[FACT_PERIODS], struct err *e) {
    static const int months[FACT_PERIODS] = {[FACT_MONTH] = 1, [FACT_QUARTER] = 3, [FACT_YEAR] = 12};
    struct period periods[FACT_PERIODS] = {0};
    for (size_t i = 0; i < FACT_PERIODS; i++)
        civil_period(now, months[i], &periods[i].from, &periods[i].until);
    if (moves_load(s, pool, tenant, organisation, now, periods, FACT_PERIODS, e) < 0 ||
        leases_load(s, pool, tenant, organisation, now, periods, FACT_PERIODS, e) < 0 ||
        offers_load(s, pool, tenant, organisation, now, periods, FACT_PERIODS, e) < 0)
        return -1;
    for (size_t i = 0; i < FACT_PERIODS; i++) {
        const struct period *p = &periods[i];
        out[i] = (struct fact_spent){fit(p->own.compute), fit(p->all.compute), fit(p->own.storage / 3600),
                                     fit(p->all.storage / 3600)};
    }
    return 0;
}

int spent_compute(struct store *s, int64_t pool, int64_t tenant, instant_t from, instant_t until, wide_t *out,
                  struct err *e) {
    struct period period = {.from = from, .until = until};
    int64_t organisation;
    int rc = sql_int(s, e, &organisation, "SELECT organisation FROM tenant WHERE id = $1", "i", tenant);
    if (rc <= 0) return rc < 0 ? -1 : err_set(e, ERR_FAILED, "no tenant with number %lld", (long long)tenant);
    if (moves_load(s, pool, tenant, organisation, until, &period, 1, e) < 0) return -1;
    *out = period.own.compute;
    return 0;
}
