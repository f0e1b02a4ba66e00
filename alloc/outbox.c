/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/outbox.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>

int outbox_add(struct book *b, const struct message *m, struct err *e) {
    int64_t id;
    return outbox_add_numbered(b, m, &id, e);
}

int outbox_add_numbered(struct book *b, const struct message *m, int64_t *id, struct err *e) {
    scoped_json json_t *payload = json_pack("{s:s, s:s}", "en", m->en, "ko", m->ko ? m->ko : m->en);
    if (m->facts) json_object_set(payload, "facts", m->facts);
    scoped_free char *text = json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return err_set(e, ERR_FAILED, "a message about tenant %lld is not valid UTF-8", (long long)m->tenant);
    if (store_next(b->store, "message", id, e) < 0) return -1;
    return sql_do(b->store, e,
                  "INSERT INTO outbox (id, tenant, kind, grant_id, request, payload, made_at, attempts) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
                  "iisiisi", *id, m->tenant, m->kind, m->grant, m->request, text, b->at.s);
}

json_t *outbox_open(struct store *s, int64_t most, struct err *e) {
    return sql_json(
        s, e,
        "SELECT o.id, t.name AS tenant, t.language, o.kind, CASE WHEN o.grant_id > 0 THEN 'g-' || o.grant_id "
        "END AS "
        "\"grant\", CASE WHEN o.request > 0 THEN 'r-' || o.request END AS request, "
        "o.made_at AS \"made@time\", o.payload AS \"payload@json\", o.attempts, o.trouble, "
        "(SELECT json_group_array(json_object('name', c.name, 'email', c.email, 'phone', c.phone)) "
        " FROM tenant_contact c WHERE c.tenant = o.tenant) AS \"contacts@json\" "
        "FROM outbox o JOIN tenant t ON t.id = o.tenant WHERE o.delivered_at IS NULL ORDER BY o.attempts > "
        "0, o.id LIMIT $1",
        "i", most);
}

int outbox_delivered(struct book *b, int64_t id, struct err *e) {
    if (sql_do(b->store, e,
               "UPDATE outbox SET delivered_at = $2, trouble = NULL, attempts = attempts + 1 "
               "WHERE id = $1 AND delivered_at IS NULL",
               "ii", id, b->at.s) < 0)
        return -1;
    if (sql_changes(b->store) != 1)
        return err_set(e, ERR_NOT_FOUND, "no undelivered message %lld", (long long)id);
    int64_t tenant = 0, grant = 0;
    if (sql_int(b->store, e, &tenant, "SELECT tenant FROM outbox WHERE id = $1", "i", id) < 0 ||
        sql_int(b->store, e, &grant, "SELECT grant_id FROM outbox WHERE id = $1", "i", id) < 0)
        return -1;
    char words[64];
    text_format(words, sizeof words, "message %lld", (long long)id);
    return book_write(
        b, &(struct entry){.kind = "message.deliver", .tenant = tenant, .grant = grant, .detail = words}, e);
}

int outbox_failed(struct store *s, int64_t id, const char *why, struct err *e) {
    return sql_do(s, e, "UPDATE outbox SET attempts = attempts + 1, trouble = $2 WHERE id = $1", "is", id,
                  why);
}

int outbox_when(struct store *s, int64_t grant, const char *kind, instant_t *at, struct err *e) {
    return sql_int(s, e, &at->s, "SELECT max(delivered_at) FROM outbox WHERE grant_id = $1 AND kind = $2",
                   "is", grant, kind);
}

int outbox_exists(struct store *s, int64_t grant, const char *kind, struct err *e) {
    int64_t id;
    return sql_int(s, e, &id, "SELECT id FROM outbox WHERE grant_id = $1 AND kind = $2 LIMIT 1", "is", grant,
                   kind);
}

int outbox_renew(struct book *b, int64_t grant, const char *kind, struct err *e) {
    /* One that nobody got would tell an end that is none any more. */
    if (sql_do(b->store, e, "DELETE FROM outbox WHERE grant_id = $1 AND kind = $2 AND delivered_at IS NULL",
               "is", grant, kind) < 0)
        return -1;
    return sql_do(b->store, e, "UPDATE outbox SET kind = kind || '-past' WHERE grant_id = $1 AND kind = $2",
                  "is", grant, kind);
}
