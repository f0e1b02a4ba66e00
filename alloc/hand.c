/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/hand.h"

#include "alloc/ceiling.h"
#include "alloc/fault.h"
#include "alloc/outbox.h"
#include "alloc/request.h"
#include "alloc/scope.h"
#include "alloc/settle.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_MOST = 96, LINES_MOST = FLAVORS_MOST + SERVICES_MOST + 1 };

/* ---- reserving ---- */

struct wanting {
    struct book *book;
    int64_t tenant, request, grant;
};

static int line_write(const struct wanting *w, const char *item, int64_t quantity, struct err *e) {
    return sql_do(
        w->book->store, e,
        "INSERT INTO hand_line (tenant, grant_id, item, quantity, state, changed_at) VALUES ($1, $2, "
        "$3, $4, 'wanted', $5) ON CONFLICT (tenant, grant_id, item) DO UPDATE SET quantity = "
        "hand_line.quantity + excluded.quantity",
        "iisii", w->tenant, w->grant, item, quantity, w->book->at.s);
}

static int want(const struct wanting *w, const char *item, int64_t quantity, struct err *e) {
    struct entry entry = {"grant.reserve", w->tenant,        w->request, w->grant, 0,    item,
                          ACCOUNT_FREE,    ACCOUNT_RESERVED, quantity,   NULL,     false};
    return quantity == 0 ? 0 : (book_write(w->book, &entry, e) < 0 ? -1 : line_write(w, item, quantity, e));
}

static int is_by_hand(struct book *b, const char *flavor, struct err *e) {
    int64_t one;
    return sql_int(b->store, e, &one,
                   "SELECT 1 FROM flavor WHERE pool = $1 AND name = $2 AND attach = 'hand'", "is", b->pool,
                   flavor);
}

static int item_of(const char *kind, const char *name, char *out, struct err *e) {
    return text_format(out, ITEM_MOST, "%s/%s", kind, name) == 0
               ? 0
               : err_set(e, ERR_FAILED, "the name '%.80s...' is too long", name);
}

int hand_reserve(struct book *b, int64_t tenant, int64_t request, int64_t grant, const struct decision *d,
                 bool with_lake, struct err *e) {
    struct wanting w = {b, tenant, request, grant};
    char item[ITEM_MOST];
    if (with_lake && want(&w, ITEM_DATALAKE, d->datalake.n, e) < 0) return -1;
    for (size_t i = 0; i < d->n_seats; i++)
        if (item_of("seat", d->seats[i].service, item, e) < 0 || want(&w, item, d->seats[i].seats, e) < 0)
            return -1;
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct plan_line *l = &d->lines[i];
        int by_hand = is_by_hand(b, l->flavor, e);
        if (by_hand < 0) return -1;
        if (by_hand &&
            (item_of("unit", l->flavor, item, e) < 0 || line_write(&w, item, l->size * l->count, e) < 0))
            return -1;
    }
    return 0;
}

/* ---- lines ---- */

struct hand_line {
    char item[ITEM_MOST];
    int64_t quantity;
};

/* Read first: rows are changed while walking them otherwise. item NULL: any. */
static int lines_load(struct store *s, const struct grant *g, const char *state, const char *item,
                      struct hand_line out[], size_t *n, struct err *e) {
    struct rows r;
    *n = 0;
    int rc = rows_open(&r, s, e,
                       "SELECT item, quantity FROM hand_line WHERE tenant = $1 AND grant_id = $2 AND state = "
                       "$3 AND ($4 = '' OR item = $4) ORDER BY item",
                       "iiss", g->tenant, g->id, state, item ? item : "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = *n < LINES_MOST && text_format(out[*n].item, ITEM_MOST, "%s", rows_text(&r, 0)) == 0
                 ? 0
                 : err_set(e, ERR_FAILED, "grant g-%lld has too many lines", (long long)g->id);
        if (rc == 0) out[(*n)++].quantity = rows_int(&r, 1);
    }
    rows_close(&r);
    return rc;
}

static int line_state(struct book *b, const struct grant *g, const char *item, const char *state,
                      const char *remark, struct err *e) {
    return sql_do(b->store, e,
                  "UPDATE hand_line SET state = $4, changed_at = $5, remark = coalesce($6, remark) WHERE "
                  "tenant = $1 AND grant_id = $2 AND item = $3",
                  "iissis", g->tenant, g->id, item, state, b->at.s, remark);
}

static int move(struct book *b, const struct grant *g, const char *kind, const struct hand_line *l,
                enum account_kind from, enum account_kind to, const char *detail, struct err *e) {
    struct entry entry = {kind, g->tenant, g->request,  g->id,  0,    l->item,
                          from, to,        l->quantity, detail, false};
    return book_write(b, &entry, e);
}

/* What a line counts against the ceilings: compute of rated units, bytes of the data lake. */
static int weight_of(struct book *b, const struct grant *g, const struct hand_line *l, struct holding *out,
                     struct err *e) {
    *out = (struct holding){gflops(0), bytes(0)};
    if (strcmp(l->item, ITEM_DATALAKE) == 0) out->storage = bytes(l->quantity);
    if (strncmp(l->item, "unit/", 5) != 0) return 0;
    int64_t rating = 0;
    if (sql_int(b->store, e, &rating,
                "SELECT rating_gflops FROM grant_line WHERE tenant = $1 AND grant_id = $2 AND flavor = $3",
                "iis", g->tenant, g->id, l->item + 5) < 0)
        return -1;
    return gflops_times(gflops(rating), l->quantity, &out->compute, e);
}

/* It leaves the grant, its lines and the ceilings in the entry by which it comes free. */
static int come_free(struct book *b, const struct grant *g, const char *kind, const struct hand_line *l,
                     enum account_kind from, const char *remark, struct err *e) {
    struct holding less;
    if (weight_of(b, g, l, &less, e) < 0 || move(b, g, kind, l, from, ACCOUNT_FREE, remark, e) < 0 ||
        ceiling_take(b, g->tenant, less, e) < 0 || line_state(b, g, l->item, "ended", remark, e) < 0)
        return -1;
    if (strncmp(l->item, "unit/", 5) != 0) return 0;
    if (sql_do(b->store, e,
               "UPDATE grants SET compute_gflops = compute_gflops - $3 WHERE tenant = $1 AND id = $2", "iii",
               g->tenant, g->id, less.compute.n) < 0)
        return -1;
    return sql_do(
        b->store, e,
        "UPDATE grant_line SET units = units - $4 WHERE tenant = $1 AND grant_id = $2 AND flavor = $3",
        "iisi", g->tenant, g->id, l->item + 5, l->quantity);
}

int hand_count(struct store *s, const struct grant *g, const char *state, const char *item, int64_t *n,
               struct err *e) {
    *n = 0;
    return sql_int(
               s, e, n,
               "SELECT count(*) FROM hand_line WHERE tenant = $1 AND grant_id = $2 AND (($3 = '' AND state "
               "<> 'ended') OR state = $3) AND ($4 = '' OR item = $4)",
               "iiss", g->tenant, g->id, state ? state : "", item ? item : "") < 0
               ? -1
               : 0;
}

int hand_end(struct book *b, const struct grant *g, bool kept, struct err *e) {
    struct hand_line lines[LINES_MOST];
    size_t n;
    if (lines_load(b->store, g, "wanted", NULL, lines, &n, e) < 0) return -1;
    for (size_t i = 0; i < n; i++)
        if (come_free(b, g, "hand.drop", &lines[i], ACCOUNT_RESERVED, NULL, e) < 0) return -1;
    return sql_do(
        b->store, e,
        "UPDATE hand_line SET state = 'ending', changed_at = $3 WHERE tenant = $1 AND grant_id = $2 "
        "AND state = 'delivered' AND ($4 = 0 OR item <> 'datalake')",
        "iiii", g->tenant, g->id, b->at.s, (int64_t)kept);
}

int hand_shrink(struct book *b, const struct grant *g, const char *item, struct err *e) {
    struct hand_line lines[LINES_MOST];
    size_t n;
    if (lines_load(b->store, g, "wanted", item, lines, &n, e) < 0) return -1;
    if (n) return come_free(b, g, "hand.drop", &lines[0], ACCOUNT_RESERVED, NULL, e) < 0 ? -1 : 1;
    if (lines_load(b->store, g, "delivered", item, lines, &n, e) < 0) return -1;
    if (n == 0) return 0;
    if (fault_point("hand.shrink", e) < 0 ||
        move(b, g, "grant.shrink", &lines[0], ACCOUNT_HELD, ACCOUNT_RELEASING, NULL, e) < 0 ||
        line_state(b, g, item, "ending", NULL, e) < 0)
        return -1;
    return 1;
}

/* ---- a person's word ---- */

static void item_words(const struct hand_line *l, struct text *en, struct text *ko) {
    if (strcmp(l->item, ITEM_DATALAKE) == 0) {
        text_add(en, "%sdata lake %s", en->length ? ", " : "", bytes_text(bytes(l->quantity)).s);
        text_add(ko, "%s데이터 레이크 %s", ko->length ? ", " : "", bytes_text(bytes(l->quantity)).s);
        return;
    }
    bool is_seat = strncmp(l->item, "seat/", 5) == 0;
    text_add(en, is_seat ? "%s%s %lld seats" : "%s%s x %lld", en->length ? ", " : "", l->item + 5,
             (long long)l->quantity);
    text_add(ko, is_seat ? "%s%s %lld석" : "%s%s x %lld", ko->length ? ", " : "", l->item + 5,
             (long long)l->quantity);
}

static int tell_delivered(struct book *b, const struct grant *g, const struct hand_line lines[], size_t n,
                          const char *remark, struct err *e) {
    scoped_text struct text en = {0}, ko = {0}, items_en = {0}, items_ko = {0};
    for (size_t i = 0; i < n; i++) item_words(&lines[i], &items_en, &items_ko);
    text_add(&en, "Of grant g-%lld was delivered: %s.%s%s", (long long)g->id, items_en.s, remark ? " " : "",
             remark ? remark : "");
    text_add(&ko, "할당 g-%lld 제공 완료: %s.%s%s", (long long)g->id, items_ko.s, remark ? " " : "",
             remark ? remark : "");
    return outbox_add(b, &(struct message){"delivered", g->tenant, g->id, g->request, en.s, ko.s, NULL}, e);
}

static int may_deliver(struct book *b, const struct grant *g, struct err *e) {
    int64_t unsigned_yet = 0;
    if (sql_int(b->store, e, &unsigned_yet,
                "SELECT needs_agreement AND agreed_at IS NULL FROM grants WHERE tenant = $1 AND id = $2",
                "ii", g->tenant, g->id) < 0)
        return -1;
    if (!unsigned_yet) return 0;
    err_set(e, ERR_CONFLICT, "the agreement of grant g-%lld is not dated: nothing is delivered before",
            (long long)g->id);
    return err_hint(e, "allot grant agree g-%lld", (long long)g->id);
}

static int deliver(struct book *b, const struct grant *g, const struct hand_line lines[], size_t n,
                   const char *remark, struct err *e) {
    if (may_deliver(b, g, e) < 0) return -1;
    for (size_t i = 0; i < n; i++)
        if (fault_point("hand.deliver", e) < 0 ||
            move(b, g, "hand.deliver", &lines[i], ACCOUNT_RESERVED, ACCOUNT_HELD, remark, e) < 0 ||
            line_state(b, g, lines[i].item, "delivered", remark, e) < 0)
            return -1;
    return tell_delivered(b, g, lines, n, remark, e) < 0 ? -1 : settle_ready(b, g, e);
}

static int collect(struct book *b, const struct grant *g, const struct hand_line lines[], size_t n,
                   const char *remark, struct err *e) {
    for (size_t i = 0; i < n; i++)
        if (fault_point("hand.collect", e) < 0 ||
            come_free(b, g, "hand.collect", &lines[i], ACCOUNT_RELEASING, remark, e) < 0)
            return -1;
    return settle_absent(b, g, e);
}

static int confirm_grant(struct book *b, int64_t grant, int64_t tenant, const struct hand_word *w, int64_t *n,
                         struct err *e) {
    bool delivers = w->step == HAND_DELIVER;
    struct hand_line lines[LINES_MOST];
    struct grant g;
    size_t found;
    if (grant_find(b->store, grant, tenant, &g, e) < 0) return -1;
    int rc = lines_load(b->store, &g, delivers ? "wanted" : "ending", w->item, lines, &found, e);
    if (rc == 0 && found) rc = (delivers ? deliver : collect)(b, &g, lines, found, w->remark, e);
    *n += (int64_t)found;
    grant_free(&g);
    return rc;
}

/* Nothing waits for that word: because there is no such thing, or because it was said before. */
static int nothing_waits(struct book *b, const struct request *r, const struct hand_word *w, struct err *e) {
    const char *doing = w->step == HAND_DELIVER ? "to be delivered" : "to be taken back";
    scoped_free char *items = NULL;
    int64_t has = 0;
    if (sql_text(b->store, e, &items,
                 "SELECT group_concat(item || ' (' || state || ')', ', ') FROM (SELECT h.item, h.state FROM "
                 "hand_line h JOIN grants g ON g.tenant = h.tenant AND g.id = h.grant_id WHERE g.tenant = $1 "
                 "AND g.request = $2 ORDER BY h.grant_id, h.item)",
                 "ii", r->tenant, r->id) < 0 ||
        sql_int(b->store, e, &has,
                "SELECT count(*) FROM hand_line h JOIN grants g ON g.tenant = h.tenant AND g.id = h.grant_id "
                "WHERE g.tenant = $1 AND g.request = $2 AND h.item = $3",
                "iis", r->tenant, r->id, w->item ? w->item : "") < 0)
        return -1;
    if (w->item && !has)
        err_set(e, ERR_NOT_FOUND, "r-%lld has no '%.100s' that a person delivers", (long long)r->id, w->item);
    else
        err_set(e, ERR_CONFLICT, "nothing of r-%lld waits %s", (long long)r->id, doing);
    return items ? err_hint(e, "it has: %s", items) : -1;
}

int hand_confirm(struct book *b, const struct request *r, const struct hand_word *w, int64_t *n,
                 struct err *e) {
    scoped_json json_t *grants =
        sql_json(b->store, e, "SELECT id FROM grants WHERE tenant = $1 AND request = $2 ORDER BY id", "ii",
                 r->tenant, r->id);
    size_t i;
    json_t *row;
    *n = 0;
    if (!grants) return -1;
    json_array_foreach(grants, i, row) if (confirm_grant(b, json_integer_value(json_object_get(row, "id")),
                                                         r->tenant, w, n, e) < 0) return -1;
    return *n ? 0 : nothing_waits(b, r, w, e);
}

json_t *hand_list(struct store *s, struct err *e) {
    return sql_json(
        s, e,
        "SELECT 'g-' || h.grant_id AS \"grant\", 'r-' || g.request AS request, t.name AS tenant, "
        "p.name AS pool, h.item, h.quantity, h.state, h.changed_at AS \"since@time\" FROM hand_line "
        "h JOIN grants g ON g.tenant = h.tenant AND g.id = h.grant_id JOIN tenant t ON t.id = "
        "h.tenant JOIN pool p ON p.id = g.pool WHERE h.state IN ('wanted', 'ending') AND NOT "
        "(g.needs_agreement AND g.agreed_at IS NULL) ORDER BY h.changed_at, h.grant_id, h.item",
        "");
}
