/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with a notice: appeal, answer, agree, look. */
#include "alloc/outbox.h"
#include "alloc/reclaim.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void reclaim_notice_free(struct reclaim_notice *n) {
    free(n->state);
    free(n->appeal);
    *n = (struct reclaim_notice){0};
}

int reclaim_find(struct store *s, int64_t id, int64_t tenant, struct reclaim_notice *out, struct err *e) {
    struct rows r;
    *out = (struct reclaim_notice){0};
    int rc =
        rows_open(&r, s, e,
                  "SELECT id, pool, tenant, grant_id, message, state, appeal, sent_at, appeal_s FROM reclaim "
                  "WHERE id = $1 AND ($2 = 0 OR tenant = $2)",
                  "ii", id, tenant);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = (struct reclaim_notice){.id = rows_int(&r, 0),
                                       .pool = rows_int(&r, 1),
                                       .tenant = rows_int(&r, 2),
                                       .grant = rows_int(&r, 3),
                                       .message = rows_int(&r, 4),
                                       .state = mem_copy(rows_text(&r, 5)),
                                       .appeal = mem_copy(rows_text(&r, 6)),
                                       .sent = instant(rows_int(&r, 7)),
                                       .appeal_span = span(rows_int(&r, 8))};
        rc = 0;
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "no notice n-%lld", (long long)id);
        err_hint(e, "allot queue notices shows what there is");
    }
    rows_close(&r);
    return rc;
}

static int note(struct book *b, const char *kind, const struct reclaim_notice *n, const char *words,
                struct err *e) {
    struct text detail = {0};
    text_add(&detail, "n-%lld%s%s", (long long)n->id, words ? " " : "", words ? words : "");
    int rc = book_write(
        b, &(struct entry){.kind = kind, .tenant = n->tenant, .grant = n->grant, .detail = detail.s}, e);
    text_free(&detail);
    return rc;
}

static int is_open(const struct reclaim_notice *n, const char *wanted, const char *doing, struct err *e) {
    if (strcmp(n->state, wanted) == 0) return 0;
    return err_set(e, ERR_CONFLICT, "notice n-%lld is %s: it cannot be %s", (long long)n->id, n->state,
                   doing);
}

int reclaim_appeal(struct book *b, const struct reclaim_notice *n, const char *reason, struct err *e) {
    int64_t delivered = 0;
    if (is_open(n, "noticed", "appealed", e) < 0) return -1;
    if (n->appeal_span.s == 0)
        return err_set(e, ERR_DENIED, "notice n-%lld has no appeal: its rule states none", (long long)n->id);
    if (n->appeal) return err_set(e, ERR_DENIED, "notice n-%lld was appealed before", (long long)n->id);
    int told =
        sql_int(b->store, e, &delivered, "SELECT delivered_at FROM outbox WHERE id = $1", "i", n->message);
    if (told < 0) return -1;
    int64_t from = told && delivered > n->sent.s ? delivered : n->sent.s;
    if (told && b->at.s > from + n->appeal_span.s)
        return err_set(e, ERR_DENIED, "the time to appeal notice n-%lld ended on %s", (long long)n->id,
                       civil_text(instant(from + n->appeal_span.s)).s);
    if (sql_do(b->store, e, "UPDATE reclaim SET state = 'appealed', appeal = $2 WHERE id = $1", "is", n->id,
               reason) < 0)
        return -1;
    return note(b, "reclaim.appeal", n, reason, e);
}

static int answer_tell(struct book *b, const struct reclaim_notice *n, bool uphold, const char *reason,
                       struct err *e) {
    struct text en = {0}, ko = {0};
    text_add(&en, "Your appeal against notice n-%lld is %s: %s.", (long long)n->id,
             uphold ? "upheld, and the notice is withdrawn" : "dismissed, and the notice stands", reason);
    text_add(&ko, "회수 통지 n-%lld에 대한 이의를 %s: %s.", (long long)n->id,
             uphold ? "받아들여 통지를 철회합니다" : "받아들이지 않으며 통지는 유효합니다", reason);
    int rc = outbox_add(b, &(struct message){"appeal", n->tenant, n->grant, 0, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

int reclaim_answer(struct book *b, const struct reclaim_notice *n, bool uphold, const char *reason,
                   struct err *e) {
    if (is_open(n, "appealed", "answered: there is no open appeal", e) < 0) return -1;
    int rc =
        uphold
            ? sql_do(b->store, e,
                     "UPDATE reclaim SET state = 'withdrawn', closed_at = $2, closed_by = $3 WHERE id = $1",
                     "iis", n->id, b->at.s, b->actor)
            : sql_do(b->store, e, "UPDATE reclaim SET state = 'noticed' WHERE id = $1", "i", n->id);
    if (rc < 0 || note(b, uphold ? "reclaim.uphold" : "reclaim.dismiss", n, reason, e) < 0) return -1;
    return answer_tell(b, n, uphold, reason, e);
}

int reclaim_consent(struct book *b, const struct reclaim_notice *n, const char *by, struct err *e) {
    if (is_open(n, "noticed", "agreed to", e) < 0) return -1;
    if (sql_do(b->store, e,
               "UPDATE reclaim SET effect_at = $2, notice_s = 0 WHERE id = $1 AND effect_at > $2", "ii",
               n->id, b->at.s) < 0)
        return -1;
    return note(b, "reclaim.consent", n, by, e);
}

/* ---- when its servers go otherwise ---- */

int reclaim_prune(struct book *b, int64_t tenant, int64_t grant, struct err *e) {
    int64_t open = 0;
    if (sql_int(b->store, e, &open,
                "SELECT count(*) FROM reclaim WHERE pool = $1 AND grant_id = $2 AND state IN ('noticed', "
                "'appealed')",
                "ii", b->pool, grant) < 0)
        return -1;
    if (open == 0) return 0;
    if (sql_do(
            b->store, e,
            "DELETE FROM reclaim_operation WHERE reclaim IN (SELECT id FROM reclaim WHERE pool = $1 AND "
            "grant_id "
            "= $2 AND tenant = $3 AND state IN ('noticed', 'appealed')) AND operation NOT IN (SELECT id FROM "
            "operation WHERE grant_id = $2 AND tenant = $3 AND desired = 'present')",
            "iii", b->pool, grant, tenant) < 0 ||
        sql_do(b->store, e,
               "UPDATE reclaim SET units = (SELECT coalesce(sum(o.units), 0) FROM reclaim_operation x JOIN "
               "operation "
               "o ON o.id = x.operation WHERE x.reclaim = reclaim.id), compute_gflops = (SELECT "
               "coalesce(sum(o.units * coalesce(l.rating_gflops, 0)), 0) FROM reclaim_operation x JOIN "
               "operation o ON "
               "o.id = x.operation LEFT JOIN grant_line l ON l.tenant = o.tenant AND l.grant_id = o.grant_id "
               "AND "
               "l.flavor = o.flavor WHERE x.reclaim = reclaim.id) WHERE pool = $1 AND grant_id = $2 AND "
               "tenant = $3 "
               "AND state IN ('noticed', 'appealed')",
               "iii", b->pool, grant, tenant) < 0)
        return -1;
    return sql_do(
        b->store, e,
        "UPDATE reclaim SET state = 'withdrawn', closed_at = $4, closed_by = $5 WHERE pool = $1 AND "
        "grant_id = $2 AND tenant = $3 AND state IN ('noticed', 'appealed') AND units = 0",
        "iiiis", b->pool, grant, tenant, b->at.s, b->actor);
}

/* ---- looking ---- */

json_t *reclaim_list(struct store *s, const struct reclaim_filter *f, struct err *e) {
    return sql_json(
        s, e,
        "SELECT 'n-' || c.id AS notice, t.name AS tenant, p.name AS pool, 'g-' || c.grant_id AS \"grant\", "
        "c.cause, "
        "c.rule, c.flavor, c.units, c.compute_gflops, CASE WHEN c.for_request IS NOT NULL THEN 'r-' || "
        "c.for_request "
        "END AS request, c.state, c.sent_at AS \"sent@time\", m.delivered_at AS \"delivered@time\", CASE "
        "WHEN "
        "m.delivered_at + c.notice_s > c.effect_at THEN m.delivered_at + c.notice_s ELSE c.effect_at END AS "
        "\"effect@time\", CASE WHEN c.appeal_s > 0 THEN coalesce(m.delivered_at, c.sent_at) + c.appeal_s END "
        "AS "
        "\"appeal_until@time\", c.appeal, c.closed_at AS \"closed@time\", c.closed_by, c.evidence AS "
        "\"evidence@json\" FROM reclaim c JOIN tenant t ON t.id = c.tenant JOIN pool p ON p.id = c.pool LEFT "
        "JOIN "
        "outbox m ON m.id = c.message WHERE ($1 = 0 OR c.id = $1) AND ($2 = 0 OR c.tenant = $2) AND ($3 = 0 "
        "OR c.pool "
        "= $3) AND ($4 = 1 OR c.state IN ('noticed', 'appealed')) ORDER BY c.id",
        "iiii", f->id, f->tenant, f->pool, (int64_t)f->all);
}
