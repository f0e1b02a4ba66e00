/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/offer.h"

#include "alloc/ceiling.h"
#include "alloc/facts.h"
#include "alloc/fault.h"
#include "alloc/outbox.h"
#include "alloc/pool_books.h"
#include "alloc/project.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void offer_taken(const struct decision *d, instant_t at, bool has_end, struct reason *reason,
                 struct decision *out) {
    const struct plan_offer *o = &d->offer;
    *reason = (struct reason){
        .code = REASON_SHRUNK,
        .en = (char *)"what could be had while it waited was offered and taken; the rest is not waited for",
        .ko = (char *)"대기 중에 제안된 자원을 수락했습니다. 나머지는 더 기다리지 않습니다",
    };
    *out = *d;
    out->outcome = OUTCOME_PARTIAL;
    out->lines = o->lines;
    out->n_lines = o->n_lines;
    out->compute = o->compute;
    out->storage = o->storage;
    out->datalake = o->datalake;
    out->seats = o->seats;
    out->n_seats = o->n_seats;
    out->position = 0;
    out->ahead_compute = gflops(0);
    out->offer = (struct plan_offer){0};
    out->earliest = (struct plan_earliest){0};
    out->is_barrier = false;
    out->reasons = reason;
    out->n_reasons = 1;
    if (!has_end) out->lease.end.s += at.s - d->lease.start.s;
    out->lease.start = at;
}

/* ---- what is set aside ---- */

struct aside {
    struct pool_item item;
    int64_t quantity;
};

/* 1 added, 0 not so much is free, -1 */
static int aside_add(struct book *b, struct aside *all, size_t *n, const struct pool_item *item,
                     int64_t quantity, struct err *e) {
    size_t i = 0;
    int64_t free_now, offered;
    while (i < *n && strcmp(all[i].item.s, item->s) != 0) i++;
    if (i == *n) all[(*n)++] = (struct aside){*item, 0};
    if (amount_add(all[i].quantity, quantity, &all[i].quantity, "units", e) < 0 ||
        ledger_balance(b->store, b->pool, item->s, ACCOUNT_FREE, 0, &free_now, e) < 0 ||
        pool_offered(b->store, b->pool, item->s, &offered, e) < 0)
        return -1;
    return all[i].quantity <= free_now - offered;
}

enum { ASIDE_MOST = FLAVORS_MOST + SERVICES_MOST + 2 };

/* All items of an offer. 1 all free, 0 not, -1 */
static int aside_of(struct book *b, const struct plan_offer *o, struct aside *all, size_t *n, struct err *e) {
    struct pool_item item;
    int rc = 1;
    *n = 0;
    for (size_t i = 0; rc == 1 && i < o->n_lines; i++) {
        int64_t quantity;
        if (pool_item_of(o->lines[i].flavor, &item, e) < 0 ||
            amount_times(o->lines[i].size, o->lines[i].count, &quantity, "units", e) < 0)
            return -1;
        rc = aside_add(b, all, n, &item, quantity, e);
    }
    for (size_t i = 0; rc == 1 && i < o->n_seats; i++) {
        if (pool_seat_of(o->seats[i].service, &item, e) < 0) return -1;
        rc = aside_add(b, all, n, &item, o->seats[i].seats, e);
    }
    if (rc == 1 && o->storage.n > 0)
        rc = aside_add(b, all, n, &(struct pool_item){ITEM_STORAGE}, o->storage.n, e);
    if (rc == 1 && o->datalake.n > 0)
        rc = aside_add(b, all, n, &(struct pool_item){ITEM_DATALAKE}, o->datalake.n, e);
    return rc;
}

/* ---- making ---- */

/* Does it hold all that is never partial, and more than one that the request let pass? */
static int is_wanted(struct book *b, const struct fact_claim *asks, int64_t tenant, int64_t request,
                     const struct plan_offer *o, struct err *e) {
    int64_t past = -1, has = 0;
    if (o->n_seats != asks->n_seats || (asks->datalake.n > 0 && o->datalake.n == 0)) return 0;
    if (sql_int(b->store, e, &past, "SELECT offer_past_gflops FROM request WHERE tenant = $1 AND id = $2",
                "ii", tenant, request) < 0 ||
        sql_int(b->store, e, &has, "SELECT 1 FROM offer WHERE pool = $1 AND tenant = $2", "ii", b->pool,
                tenant) < 0)
        return -1;
    return !has && o->compute.n > past;
}

static char *body_of(const struct decision *d, const struct placed *placed, instant_t at, bool has_end) {
    struct reason reason;
    struct decision taken;
    offer_taken(d, at, has_end, &reason, &taken);
    scoped_json json_t *body =
        json_pack("{s:o, s:b}", "decision", decision_encode(&taken), "has_end", has_end);
    json_t *servers = json_array();
    for (size_t i = 0; i < placed->n; i++)
        json_array_append_new(servers, json_pack("{s:s, s:s, s:I}", "flavor", placed->servers[i].flavor,
                                                 "host", placed->servers[i].host, "units",
                                                 (json_int_t)placed->servers[i].units));
    json_object_set_new(body, "servers", servers);
    return json_canonical(body);
}

static int write_rows(struct book *b, int64_t tenant, int64_t request, const struct decision *d,
                      const char *body, const struct aside *all, size_t n, struct err *e) {
    const struct plan_offer *o = &d->offer;
    if (sql_do(b->store, e,
               "INSERT INTO offer (pool, tenant, request, body, compute_gflops, storage_bytes, until_at, "
               "made_at) VALUES "
               "($1, $2, $3, $4, $5, $6, $7, $8)",
               "iiisiiii", b->pool, tenant, request, body, o->compute.n, o->storage.n + o->datalake.n,
               o->until.at.s, b->at.s) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (sql_do(b->store, e,
                   "INSERT INTO offer_line (pool, tenant, item, quantity) VALUES ($1, $2, $3, $4)", "iisi",
                   b->pool, tenant, all[i].item.s, all[i].quantity) < 0)
            return -1;
    return 0;
}

static int tell(struct book *b, int64_t tenant, int64_t request, const struct decision *d, struct err *e) {
    struct text en = {0}, ko = {0};
    struct reason reason;
    struct decision taken;
    offer_taken(d, b->at, true, &reason, &taken);
    scoped_json json_t *given = decision_encode(&taken);
    json_object_del(given, "lease"); /* its end counts from the day it is taken */
    text_add(&en, "Request r-%lld waits. Until %s it can have now: ", (long long)request,
             end_text(d->offer.until.at).s);
    decision_given(given, false, &en);
    text_add(&en, ". To take it: request accept r-%lld.", (long long)request);
    text_add(&ko, "신청 r-%lld은(는) 대기 중입니다. %s까지 지금 받을 수 있는 자원: ", (long long)request,
             end_text(d->offer.until.at).s);
    decision_given(given, true, &ko);
    text_add(&ko, ". 수락: request accept r-%lld.", (long long)request);
    if (d->earliest.at.has) {
        text_add(&en, " All of it fits on %s at the earliest.", civil_text(d->earliest.at.at).s);
        text_add(&ko, " 전부는 빨라도 %s에 가능합니다.", civil_text(d->earliest.at.at).s);
    }
    int rc = outbox_add(b, &(struct message){"offer", tenant, 0, request, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

static int put(struct book *b, const struct fact_claim *asks, int64_t tenant, int64_t request,
               const struct decision *d, const struct placed *placed, struct err *e) {
    struct aside all[ASIDE_MOST];
    size_t n;
    int all_free = aside_of(b, &d->offer, all, &n, e);
    if (all_free != 1) return all_free;
    scoped_free char *body = body_of(d, placed, b->at, asks->until.has);
    if (write_rows(b, tenant, request, d, body, all, n, e) < 0) return -1;
    for (size_t i = 0; i < placed->n; i++)
        if (placement_set_aside(b, &placed->servers[i], request, e) < 0) return -1;
    if (book_write(
            b, &(struct entry){.kind = "offer.make", .tenant = tenant, .request = request, .detail = body},
            e) < 0 ||
        fault_point("offer.made", e) < 0 || tell(b, tenant, request, d, e) < 0)
        return -1;
    return 1;
}

int offer_make(struct book *b, struct placer *placer, const struct fact_claim *asks, int64_t tenant,
               int64_t request, bool exact, const struct decision *d, bool *made, struct err *e) {
    const struct plan_offer *o = &d->offer;
    struct placed placed = {0};
    size_t stuck;
    if (made) *made = false;
    if (!o->has || !o->until.has || o->until.at.s <= b->at.s) return 0;
    int rc = is_wanted(b, asks, tenant, request, o, e);
    if (rc == 1) rc = placer_place(placer, o->lines, o->n_lines, exact, &placed, &stuck, e);
    if (rc == 1) {
        /* Nothing is set aside for one who could not take it. */
        struct decision taken = {.storage = o->storage, .datalake = o->datalake};
        rc = project_is_ready(b->store, b->pool, tenant, &taken, &placed, e);
        if (rc == 1) rc = put(b, asks, tenant, request, d, &placed, e);
        if (rc == 0) placer_give_back(placer, &placed);
    }
    if (made) *made = rc == 1;
    placed_free(&placed);
    return rc < 0 ? -1 : 0;
}

/* ---- ending ---- */

int offer_remove(struct book *b, int64_t tenant, int64_t request, struct err *e) {
    if (sql_do(b->store, e, "UPDATE slot SET offer = NULL WHERE offer = $1", "i", request) < 0 ||
        sql_do(b->store, e, "DELETE FROM offer_line WHERE pool = $1 AND tenant = $2", "ii", b->pool, tenant) <
            0)
        return -1;
    return sql_do(b->store, e, "DELETE FROM offer WHERE pool = $1 AND tenant = $2", "ii", b->pool, tenant);
}

/* ---- taking ---- */

struct stored_offer {
    json_t *body;
    instant_t until;
};

static int no_offer(struct book *b, const struct request *r, struct err *e) {
    struct rows rows;
    int rc = rows_open(
        &rows, b->store, e,
        "SELECT e.at, d.detail FROM entry e LEFT JOIN entry_detail d ON d.seq = e.seq WHERE e.tenant = $1 "
        "AND e.request = $2 AND e.kind = 'offer.end' ORDER BY e.seq DESC LIMIT 1",
        "ii", r->tenant, r->id);
    if (rc == 0 && (rc = rows_next(&rows, e)) == 1)
        err_set(e, ERR_CONFLICT, "the offer of r-%lld ended at %s (%s)", (long long)r->id,
                civil_text(instant(rows_int(&rows, 0))).s, rows_text(&rows, 1) ? rows_text(&rows, 1) : "");
    else if (rc == 0)
        err_set(e, ERR_CONFLICT, "request r-%lld has no offer: it is %s", (long long)r->id, r->state);
    rows_close(&rows);
    return rc < 0 ? -1 : err_hint(e, "allot request show r-%lld says what it waits for", (long long)r->id);
}

static int load(struct book *b, const struct request *r, struct stored_offer *out, struct err *e) {
    struct rows rows;
    *out = (struct stored_offer){0};
    int rc = rows_open(&rows, b->store, e, "SELECT body, until_at FROM offer WHERE request = $1", "i", r->id);
    if (rc == 0 && (rc = rows_next(&rows, e)) == 1) {
        out->body = json_loads(rows_text(&rows, 0), 0, NULL);
        out->until = instant(rows_int(&rows, 1));
        rc = out->body ? 1 : err_set(e, ERR_BOOKS, "the offer of r-%lld is no JSON", (long long)r->id);
    }
    rows_close(&rows);
    if (rc < 0) return -1;
    if (rc == 0) return no_offer(b, r, e);
    if (out->until.s > b->at.s) return 0;
    json_decref(out->body);
    err_set(e, ERR_CONFLICT, "the offer of r-%lld ended at %s", (long long)r->id, civil_text(out->until).s);
    return err_hint(e, "the request keeps its place in the queue");
}

static int tenant_may_take(struct book *b, const struct request *r, struct err *e) {
    scoped_free char *state = NULL;
    if (sql_text(b->store, e, &state, "SELECT state FROM tenant WHERE id = $1", "i", r->tenant) < 0)
        return -1;
    if (state && strcmp(state, "active") == 0) return 0;
    return err_set(e, ERR_DENIED, "tenant %s is %s: r-%lld can take nothing", r->tenant_name, state,
                   (long long)r->id);
}

static void servers_of(const json_t *body, struct placed *out) {
    size_t i;
    json_t *server;
    json_array_foreach(json_object_get(body, "servers"), i, server) {
        out->servers = mem_grow(out->servers, &out->room, out->n + 1, sizeof *out->servers);
        out->servers[out->n++] =
            (struct placed_server){mem_copy(json_string_value(json_object_get(server, "flavor"))),
                                   mem_copy(json_string_value(json_object_get(server, "host"))),
                                   json_integer_value(json_object_get(server, "units"))};
    }
}

/* The decision is kept beside the plan that made the offer. */
static int keep_decision(struct book *b, const struct request *r, int64_t grant, const struct decision *d,
                         struct err *e) {
    int64_t id;
    scoped_json json_t *encoded = decision_encode(d);
    scoped_free char *body = json_dumps(encoded, JSON_COMPACT | JSON_SORT_KEYS);
    if (store_next(b->store, "decision", &id, e) < 0 ||
        sql_do(b->store, e,
               "INSERT INTO decision (tenant, id, request, plan, at, outcome, body, noted) SELECT $1, $2, "
               "$3, o.plan, $4, "
               "'partial', $5, 1 FROM decision o JOIN request r ON r.decision = o.id WHERE r.tenant = $1 AND "
               "r.id = $3",
               "iiiis", r->tenant, id, r->id, b->at.s, body) < 0)
        return -1;
    if (sql_do(b->store, e,
               "UPDATE request SET decision = $3, grant_id = $4, state = 'granted', note = NULL, is_barrier "
               "= 0 WHERE "
               "tenant = $1 AND id = $2",
               "iiii", r->tenant, r->id, id, grant) < 0 ||
        book_write(b,
                   &(struct entry){.kind = "decision.partial",
                                   .tenant = r->tenant,
                                   .request = r->id,
                                   .detail = body,
                                   .elsewhere = true},
                   e) < 0)
        return -1;
    struct text en = {0}, ko = {0};
    text_add(&en, "Request r-%lld: the offer was taken. Grant g-%lld: ", (long long)r->id, (long long)grant);
    text_add(&ko, "신청 r-%lld: 제안을 수락했습니다. 할당 g-%lld: ", (long long)r->id, (long long)grant);
    decision_given(encoded, false, &en);
    decision_given(encoded, true, &ko);
    int rc = outbox_add(b, &(struct message){"decided", r->tenant, grant, r->id, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

/* Of an item that has a ceiling of its own: "unit/v100", "seat/notebook". */
static int64_t item_given(const struct decision *d, const char *item) {
    int64_t n = 0;
    for (size_t i = 0; i < d->n_lines; i++)
        if (strncmp(item, "unit/", 5) == 0 && strcmp(item + 5, d->lines[i].flavor) == 0)
            n += d->lines[i].size * d->lines[i].count;
    for (size_t i = 0; i < d->n_seats; i++)
        if (strncmp(item, "seat/", 5) == 0 && strcmp(item + 5, d->seats[i].service) == 0)
            n += d->seats[i].seats;
    return strcmp(item, ITEM_DATALAKE) == 0 ? d->datalake.n : n;
}

/* Limits under which what was set aside is sure to fit: others of the tenant and its organisation were judged
   with it since, and maybe by a wider ceiling than its own. A limit is max(ceiling, held). */
static int wide_enough(struct book *b, const struct request *r, const struct decision *d,
                       struct plan_limits *out, struct err *e) {
    int64_t organisation = 0;
    struct holding more = {d->compute, d->storage};
    *out = d->limits;
    out->items = mem_alloc((d->limits.n_items + 1) * sizeof *out->items);
    if (d->limits.n_items) memcpy(out->items, d->limits.items, d->limits.n_items * sizeof *out->items);
    if (bytes_add(more.storage, d->datalake, &more.storage, e) < 0 ||
        sql_int(b->store, e, &organisation, "SELECT organisation FROM tenant WHERE id = $1", "i", r->tenant) <
            0)
        return -1;
    if (ceiling_widen(b, "tenant", r->tenant, more, &out->compute, &out->storage, e) < 0 ||
        ceiling_widen(b, "organisation", organisation, more, &out->organisation_compute,
                      &out->organisation_storage, e) < 0)
        return -1;
    for (size_t i = 0; i < out->n_items; i++) {
        struct plan_item_limit *m = &out->items[i];
        int64_t quantity = item_given(d, m->item);
        if (ceiling_item_widen(b, "tenant", r->tenant, m->item, quantity, &m->most, e) < 0 ||
            ceiling_item_widen(b, "organisation", organisation, m->item, quantity, &m->organisation, e) < 0)
            return -1;
    }
    return 0;
}

static int take_within(struct book *b, const struct request *r, const struct placed *placed,
                       const struct decision *d, int64_t *grant, struct err *e) {
    struct decision within = *d;
    int rc = wide_enough(b, r, d, &within.limits, e);
    if (rc == 0) rc = grant_reserve(b, placed, r->tenant, r->id, &within, grant, e);
    free(within.limits.items);
    return rc;
}

/* What was set aside becomes the grant: both in the transaction of the caller. */
static int take(struct book *b, const struct request *r, const json_t *body, struct decision *d,
                int64_t *grant, struct err *e) {
    struct placed placed = {0};
    if (!json_is_true(json_object_get(body, "has_end"))) d->lease.end.s += b->at.s - d->lease.start.s;
    d->lease.start = b->at;
    if (offer_remove(b, r->tenant, r->id, e) < 0 ||
        book_write(b, &(struct entry){.kind = "offer.take", .tenant = r->tenant, .request = r->id}, e) < 0 ||
        fault_point("offer.taken", e) < 0)
        return -1;
    servers_of(body, &placed);
    int rc = take_within(b, r, &placed, d, grant, e);
    placed_free(&placed);
    return rc < 0 ? -1 : keep_decision(b, r, *grant, d, e);
}

int offer_accept(struct book *b, const struct request *r, int64_t *grant, struct err *e) {
    struct stored_offer o;
    struct decision d;
    if (tenant_may_take(b, r, e) < 0 || load(b, r, &o, e) < 0) return -1;
    int rc = decision_decode(json_object_get(o.body, "decision"), &d, e);
    if (rc == 0) {
        rc = take(b, r, o.body, &d, grant, e);
        decision_free(&d);
    }
    json_decref(o.body);
    return rc;
}

json_t *offer_show(struct store *s, int64_t request, struct err *e) {
    scoped_json json_t *rows = sql_json(
        s, e, "SELECT body AS \"body@json\", until_at AS \"until@time\" FROM offer WHERE request = $1", "i",
        request);
    if (!rows) return NULL;
    if (json_array_size(rows) == 0) return json_null();
    json_t *row = json_array_get(rows, 0), *shown = json_object();
    const json_t *decision = json_object_get(json_object_get(row, "body"), "decision");
    static const char *const keys[] = {"lines", "compute_gflops", "storage_bytes", "datalake_bytes", "seats"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(decision, keys[i]))
            json_object_set(shown, keys[i], json_object_get(decision, keys[i]));
    json_object_set(shown, "until", json_object_get(row, "until"));
    return shown;
}
