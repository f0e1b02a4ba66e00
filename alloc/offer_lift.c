/* SPDX-License-Identifier: Apache-2.0 */
/* Offers that make room for a trial: what its request could have without its offer. */
#include "alloc/offer.h"
#include "alloc/scope.h"
#include "alloc/supply.h"

static json_t *rows_of(struct book *b, int64_t request, const char *sql, struct err *e) {
    return sql_json(b->store, e, sql, "ii", b->pool, request);
}

static json_t *load(struct book *b, int64_t request, struct err *e) {
    json_t *offers = rows_of(b, request,
                             "SELECT tenant, request, body, compute_gflops, storage_bytes, until_at, made_at "
                             "FROM offer WHERE pool = $1 AND request = $2",
                             e);
    json_t *lines = rows_of(b, request,
                            "SELECT l.item, l.quantity FROM offer o JOIN offer_line l ON l.pool = o.pool AND "
                            "l.tenant = o.tenant WHERE o.pool = $1 AND o.request = $2 ORDER BY l.item",
                            e);
    json_t *slots = rows_of(
        b, request,
        "SELECT host, flavor, name FROM slot WHERE pool = $1 AND offer = $2 ORDER BY host, flavor, name", e);
    if (offers && lines && slots)
        return json_pack("{s:o, s:o, s:o}", "offers", offers, "lines", lines, "slots", slots);
    json_decref(offers);
    json_decref(lines);
    json_decref(slots);
    return NULL;
}

static int64_t number(const json_t *row, const char *key) {
    return json_integer_value(json_object_get(row, key));
}

static const char *text(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

json_t *offer_lift(struct book *b, int64_t request, struct err *e) {
    json_t *lifted = load(b, request, e);
    if (!lifted) return NULL;
    int64_t tenant = number(json_array_get(json_object_get(lifted, "offers"), 0), "tenant");
    if (offer_remove(b, tenant, request, e) == 0) return lifted;
    json_decref(lifted);
    return NULL;
}

int offer_put_back(struct book *b, const json_t *lifted, struct err *e) {
    const json_t *o = json_array_get(json_object_get(lifted, "offers"), 0), *row;
    int64_t tenant = number(o, "tenant"), request = number(o, "request");
    size_t i;
    if (sql_do(b->store, e,
               "INSERT INTO offer (pool, tenant, request, body, compute_gflops, storage_bytes, until_at, "
               "made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
               "iiisiiii", b->pool, tenant, request, text(o, "body"), number(o, "compute_gflops"),
               number(o, "storage_bytes"), number(o, "until_at"), number(o, "made_at")) < 0)
        return -1;
    json_array_foreach(json_object_get(lifted, "lines"), i, row) {
        if (sql_do(b->store, e,
                   "INSERT INTO offer_line (pool, tenant, item, quantity) VALUES ($1, $2, $3, $4)", "iisi",
                   b->pool, tenant, text(row, "item"), number(row, "quantity")) < 0)
            return -1;
    }
    json_array_foreach(json_object_get(lifted, "slots"), i, row) {
        if (sql_do(b->store, e,
                   "UPDATE slot SET offer = $5 WHERE pool = $1 AND host = $2 AND flavor = $3 AND name = $4",
                   "isssi", b->pool, text(row, "host"), text(row, "flavor"), text(row, "name"), request) < 0)
            return -1;
    }
    int64_t supply;
    if (supply_now(b->store, b->pool, &supply, e) < 0) return -1;
    return sql_do(b->store, e, "UPDATE request SET planned_supply = $3 WHERE tenant = $1 AND id = $2", "iii",
                  tenant, request, supply);
}

int offer_outgrown(struct book *b, const json_t *lifted, struct err *e) {
    const json_t *o = json_array_get(json_object_get(lifted, "offers"), 0);
    return book_write(b,
                      &(struct entry){.kind = "offer.end",
                                      .tenant = number(o, "tenant"),
                                      .request = number(o, "request"),
                                      .detail = "it can have more"},
                      e);
}

/* $2: the supply now. One that asks for units of a flavor needs so many, its own among them. */
#define FREE_WITH_OWN                                                                                        \
    "coalesce((SELECT a.balance FROM account a WHERE a.pool = o.pool AND a.item = 'unit/' || r.flavor AND "  \
    "a.kind = 'free' AND a.grant_id = 0), 0) - coalesce((SELECT sum(l.quantity) FROM offer_line l WHERE "    \
    "l.pool = o.pool AND l.item = 'unit/' || r.flavor AND l.tenant <> o.tenant), 0)"

json_t *offers_that_may_grow(struct book *b, struct err *e) {
    int64_t supply;
    if (supply_now(b->store, b->pool, &supply, e) < 0) return NULL;
    return sql_json(
        b->store, e,
        "SELECT o.tenant, o.request FROM offer o JOIN request r ON r.tenant = o.tenant AND r.id = "
        "o.request WHERE o.pool = $1 AND (r.planned_supply IS NULL OR r.planned_supply < $2) AND "
        "(r.units IS NULL OR r.flavor IS NULL OR coalesce(r.minimum_units, r.units) <= " FREE_WITH_OWN
        ") ORDER BY o.request",
        "ii", b->pool, supply);
}
