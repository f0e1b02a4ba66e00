/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/grant.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void grant_free(struct grant *g) {
    free(g->state);
    free(g->tenant_name);
    free(g->pool_name);
    *g = (struct grant){0};
}

int number_parse(const char *text, char prefix, int64_t *out, struct err *e) {
    long long n;
    if (text[0] == prefix && text[1] == '-' && text_to_int(text + 2, 1, INT64_MAX, &n) == 0) {
        *out = n;
        return 0;
    }
    return err_set(e, ERR_USAGE, "'%s' is not a number of the form %c-187", text, prefix);
}

int grant_find(struct store *s, int64_t id, int64_t tenant, struct grant *out, struct err *e) {
    struct rows r;
    *out = (struct grant){0};
    int rc = rows_open(
        &r, s, e,
        "SELECT g.id, g.tenant, g.pool, g.request, g.state, t.name, p.name, g.compute_gflops, "
        "g.storage_bytes, "
        "g.start_at, g.end_at, g.notice_s, g.grace_s, g.keep_s, g.renew_s, g.renewals_left, g.keep_until "
        "FROM grants g JOIN tenant t ON t.id = g.tenant JOIN pool p ON p.id = g.pool "
        "WHERE g.id = $1 AND ($2 = 0 OR g.tenant = $2)",
        "ii", id, tenant);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = (struct grant){.id = rows_int(&r, 0),
                              .tenant = rows_int(&r, 1),
                              .pool = rows_int(&r, 2),
                              .request = rows_int(&r, 3),
                              .state = mem_copy(rows_text(&r, 4)),
                              .tenant_name = mem_copy(rows_text(&r, 5)),
                              .pool_name = mem_copy(rows_text(&r, 6)),
                              .compute = gflops(rows_int(&r, 7)),
                              .storage = bytes(rows_int(&r, 8)),
                              .start = instant(rows_int(&r, 9)),
                              .end = instant(rows_int(&r, 10)),
                              .notice = span(rows_int(&r, 11)),
                              .grace = span(rows_int(&r, 12)),
                              .keep = span(rows_int(&r, 13)),
                              .renew = span(rows_int(&r, 14)),
                              .renewals_left = rows_int(&r, 15),
                              .keep_until = {!rows_null(&r, 16), instant(rows_int(&r, 16))}};
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "no grant g-%lld", (long long)id);
        err_hint(e, "allot grant list shows what there is");
    }
    rows_close(&r);
    return rc;
}

const char *const grant_state_words[] = {"reserved", "active", "notice",  "grace", "releasing", "kept",
                                         "purging",  "ended",  "voiding", "void",  NULL};

json_t *grant_list(struct store *s, const struct grant_filter *f, struct err *e) {
    return sql_json(
        s, e,
        "SELECT 'g-' || g.id AS \"grant\", t.name AS tenant, p.name AS pool, g.state, g.basis, "
        "(SELECT group_concat(l.flavor || ' x ' || l.units, ', ') FROM grant_line l WHERE l.tenant = "
        "g.tenant AND "
        "l.grant_id = g.id AND l.units > 0) AS lines, g.compute_gflops, g.storage_bytes, g.start_at AS "
        "\"start@time\", "
        "g.end_at AS \"end@time\", g.keep_until AS \"keep_until@time\", g.renewals_left, 'r-' || g.request "
        "AS request, (SELECT group_concat(h.item || CASE WHEN h.item = 'datalake' THEN '' ELSE ' x ' || "
        "h.quantity END || ' ' || h.state, ', ') FROM "
        "hand_line h WHERE h.tenant = g.tenant AND h.grant_id = g.id AND h.state <> 'ended') AS by_hand, "
        "EXISTS (SELECT 1 FROM grant_line l JOIN flavor v ON v.pool = g.pool AND v.name = l.flavor WHERE "
        "l.tenant = g.tenant AND l.grant_id = g.id AND v.attach = 'none') AS \"counted_only@bool\" "
        "FROM grants g JOIN tenant t ON t.id = g.tenant JOIN pool p ON p.id = g.pool "
        "WHERE ($1 = 0 OR g.tenant = $1) AND ($2 = 0 OR g.pool = $2) AND ($3 = '' OR g.state = $3) "
        "AND ($4 = 0 OR g.state NOT IN ('ended', 'void')) ORDER BY g.id",
        "iisi", f->tenant, f->pool, f->state ? f->state : "", (int64_t)f->live);
}

json_t *grant_show(struct store *s, const struct grant *g, struct err *e) {
    json_t *show = sql_json_one(
        s, e, "such grant",
        "SELECT 'g-' || g.id AS \"grant\", t.name AS tenant, p.name AS pool, p.backend, g.state, g.basis, "
        "g.compute_gflops, "
        "g.storage_bytes, g.start_at AS \"start@time\", g.end_at AS \"end@time\", g.notice_s AS "
        "notice_seconds, "
        "g.grace_s AS grace_seconds, g.keep_s AS keep_seconds, g.renewals_left, g.renew_s AS renew_seconds, "
        "g.released_at AS \"released@time\", g.keep_until AS \"keep_until@time\", g.ended_at AS "
        "\"ended@time\", g.why, "
        "g.policy, g.tier, CASE WHEN g.replaces IS NOT NULL THEN 'g-' || g.replaces END AS replaces, "
        "g.needs_agreement AS \"needs_agreement@bool\", g.agreed_at AS \"agreed@time\", 'r-' || g.request AS "
        "request, (SELECT c.name FROM call c WHERE c.id = g.call) AS call "
        "FROM grants g JOIN tenant t ON t.id = g.tenant JOIN pool p "
        "ON p.id = g.pool "
        "WHERE g.id = $1",
        "i", g->id);
    json_t *lines = sql_json(
        s, e,
        "SELECT l.flavor, l.units, l.rating_gflops, l.units * l.rating_gflops AS compute_gflops, v.attach "
        "FROM grant_line l LEFT JOIN flavor v ON v.pool = $3 AND v.name = l.flavor "
        "WHERE l.tenant = $1 AND l.grant_id = $2 ORDER BY l.flavor",
        "iii", g->tenant, g->id, g->pool);
    json_t *by_hand = sql_json(s, e,
                               "SELECT item, quantity, state, changed_at AS \"changed@time\", remark FROM "
                               "hand_line WHERE tenant = $1 AND grant_id = $2 ORDER BY item",
                               "ii", g->tenant, g->id);
    json_t *things =
        sql_json(s, e,
                 "SELECT o.id AS number, o.kind, o.name, o.host, o.flavor, nullif(o.units, 0) AS units, "
                 "nullif(o.bytes, 0) AS storage_bytes, "
                 "o.desired, o.observed, o.trouble, o.connection AS \"connect@json\", o.token, "
                 "(SELECT json_group_array(l.name) FROM slot l WHERE l.operation = o.id) AS \"slots@json\" "
                 "FROM operation o WHERE o.tenant = $1 AND o.grant_id = $2 ORDER BY o.id",
                 "ii", g->tenant, g->id);
    if (show && lines && things && by_hand) {
        json_object_set_new(show, "lines", lines);
        json_object_set_new(show, "by_hand", by_hand);
        json_object_set_new(show, "things", things);
        return show;
    }
    json_decref(show);
    json_decref(lines);
    json_decref(by_hand);
    json_decref(things);
    return NULL;
}
