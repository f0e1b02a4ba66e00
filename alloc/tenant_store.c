/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants in the store: reading, writing what differs, and the notes about it. */
#include "alloc/tenant.h"

#include "alloc/scope.h"
#include "alloc/standing.h"

#include <stdlib.h>
#include <string.h>

#define ROW                                                                                                  \
    "SELECT t.id, t.organisation, t.state, t.name, t.language, o.registration, o.name, t.made_at "           \
    "FROM tenant t JOIN organisation o ON o.id = t.organisation "

static void row_read(const struct rows *r, struct tenant_row *out) {
    *out = (struct tenant_row){
        .id = rows_int(r, 0), .organisation = rows_int(r, 1), .made_at = {rows_int(r, 7)}};
    while (strcmp(tenant_state_words[out->state], rows_text(r, 2)) != 0) out->state++;
    text_format(out->name, sizeof out->name, "%s", rows_text(r, 3));
    text_format(out->language, sizeof out->language, "%s", rows_text(r, 4));
    text_format(out->registration, sizeof out->registration, "%s", rows_text(r, 5));
    text_format(out->organisation_name, sizeof out->organisation_name, "%s", rows_text(r, 6));
}

static int suggest(struct store *s, const char *name, struct err *e) {
    struct rows r;
    struct err ignored = {0};
    size_t least = strlen(name) / 3 + 2;
    char best[TENANT_NAME_MOST + 1] = "";
    int rc = rows_open(&r, s, &ignored, "SELECT name FROM tenant ORDER BY name", "");
    while (rc == 0 && rows_next(&r, &ignored) == 1) {
        size_t d = text_distance(name, rows_text(&r, 0));
        if (d >= least) continue;
        least = d;
        text_format(best, sizeof best, "%s", rows_text(&r, 0));
    }
    rows_close(&r);
    return *best ? err_hint(e, "did you mean '%s'?", best) : err_hint(e, "see: allot tenant list");
}

int tenant_find(struct store *s, const char *name, struct tenant_row *out, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, ROW "WHERE t.name = $1", "s", name);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) row_read(&r, out);
    rows_close(&r);
    if (rc != 0) return rc < 0 ? -1 : 0;
    err_set(e, ERR_NOT_FOUND, "no tenant '%.200s'", name);
    return suggest(s, name, e);
}

int tenant_get(struct store *s, int64_t id, struct tenant_row *out, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, ROW "WHERE t.id = $1", "i", id);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) row_read(&r, out);
    rows_close(&r);
    if (rc != 0) return rc < 0 ? -1 : 0;
    return err_set(e, ERR_NOT_FOUND, "no tenant with number %lld", (long long)id);
}

/* ---- reading all of it: rows come by tenant, so one walk over the list attaches them ---- */

static void attr_append(struct tenant *t, const struct rows *r) {
    t->attrs = mem_grow(t->attrs, &t->attrs_room, t->n_attrs + 1, sizeof *t->attrs);
    t->attrs[t->n_attrs++] = (struct tenant_attr){mem_copy(rows_text(r, 1)), mem_copy(rows_text(r, 2))};
}

static void contact_append(struct tenant *t, const struct rows *r) {
    t->contacts = mem_grow(t->contacts, &t->contacts_room, t->n_contacts + 1, sizeof *t->contacts);
    t->contacts[t->n_contacts++] = (struct tenant_contact){
        mem_copy(rows_text(r, 1)), mem_copy(rows_text(r, 2)), mem_copy(rows_text(r, 3))};
}

static void key_append(struct tenant *t, const struct rows *r) {
    t->keys = mem_grow(t->keys, &t->keys_room, t->n_keys + 1, sizeof *t->keys);
    struct tenant_key *key = &t->keys[t->n_keys++];
    key->line = mem_copy(rows_text(r, 2));
    text_format(key->fingerprint, sizeof key->fingerprint, "%s", rows_text(r, 1));
}

typedef void append_fn(struct tenant *t, const struct rows *r);

static int attach(struct rows *r, int rc, struct tenant_list *list, append_fn *append, struct err *e) {
    size_t i = 0;
    while (rc == 0 && (rc = rows_next(r, e)) == 1) {
        rc = 0;
        while (i < list->n && list->of[i].row.id < rows_int(r, 0)) i++;
        if (i < list->n && list->of[i].row.id == rows_int(r, 0)) append(&list->of[i], r);
    }
    rows_close(r);
    return rc;
}

#define ATTRS    "SELECT tenant, name, value FROM tenant_attr "
#define CONTACTS "SELECT tenant, name, email, phone FROM tenant_contact "
#define KEYS     "SELECT tenant, fingerprint, line FROM tenant_key "

int tenant_load(struct store *s, int64_t id, struct tenant *out, struct err *e) {
    struct rows r;
    struct tenant_list one = {.of = out, .n = 1};
    *out = (struct tenant){0};
    if (tenant_get(s, id, &out->row, e) < 0) return -1;
    int rc = rows_open(&r, s, e, ATTRS "WHERE tenant = $1 ORDER BY name", "i", id);
    if (attach(&r, rc, &one, attr_append, e) < 0) return -1;
    rc = rows_open(&r, s, e, CONTACTS "WHERE tenant = $1 ORDER BY place", "i", id);
    if (attach(&r, rc, &one, contact_append, e) < 0) return -1;
    rc = rows_open(&r, s, e, KEYS "WHERE tenant = $1 ORDER BY fingerprint", "i", id);
    return attach(&r, rc, &one, key_append, e);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct tenant *)a)->row.name, ((const struct tenant *)b)->row.name);
}

int tenant_list_load(struct store *s, struct tenant_list *list, struct err *e) {
    struct rows r;
    *list = (struct tenant_list){0};
    int rc = rows_open(&r, s, e, ROW "ORDER BY t.id", "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = 0;
        list->of = mem_grow(list->of, &list->room, list->n + 1, sizeof *list->of);
        row_read(&r, &list->of[list->n++].row);
    }
    rows_close(&r);
    if (rc < 0) return -1;
    rc = rows_open(&r, s, e, ATTRS "ORDER BY tenant, name", "");
    if (attach(&r, rc, list, attr_append, e) < 0) return -1;
    rc = rows_open(&r, s, e, CONTACTS "ORDER BY tenant, place", "");
    if (attach(&r, rc, list, contact_append, e) < 0) return -1;
    rc = rows_open(&r, s, e, KEYS "ORDER BY tenant, fingerprint", "");
    if (attach(&r, rc, list, key_append, e) < 0) return -1;
    if (list->n) qsort(list->of, list->n, sizeof *list->of, by_name);
    return 0;
}

void tenant_list_free(struct tenant_list *list) {
    for (size_t i = 0; i < list->n; i++) tenant_free(&list->of[i]);
    free(list->of);
    *list = (struct tenant_list){0};
}

/* ---- notes ---- */

static int note(struct book *b, const char *kind, const struct tenant_row *row, const char *key,
                json_t *words, struct err *e) {
    scoped_json json_t *detail = json_object();
    json_object_set_new(detail, "name", json_string(row->name));
    json_object_set_new(detail, key, words);
    scoped_free char *text = json_dumps(detail, JSON_COMPACT);
    return book_note(b, kind, row->id, text, e);
}

/* The salt goes with the words, so that after tenant_forget() nobody can prove a guessed address. */
static int note_personal(struct book *b, const struct tenant *t, struct err *e) {
    char salt[33];
    struct text contacts = {0};
    scoped_json json_t *keys = json_array();
    hash_random_hex(salt, sizeof salt);
    text_add(&contacts, "%s", salt);
    for (size_t i = 0; i < t->n_contacts; i++) {
        text_add(&contacts, "\n");
        tenant_contact_text(&t->contacts[i], &contacts);
    }
    for (size_t i = 0; i < t->n_keys; i++) json_array_append_new(keys, json_string(t->keys[i].fingerprint));
    struct hash digest = hash_of(contacts.s, contacts.length);
    text_free(&contacts);
    scoped_json json_t *detail =
        json_pack("{s:s, s:O, s:s}", "contacts", digest.hex, "keys", keys, "salt", salt);
    scoped_free char *text = json_dumps(detail, JSON_COMPACT);
    return book_note(b, "tenant.personal", t->row.id, text, e);
}

/* ---- writing ---- */

static int organisation_take(struct book *b, struct tenant_row *row, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, b->store, e, "SELECT id, name FROM organisation WHERE registration = $1", "s",
                       row->registration);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        row->organisation = rows_int(&r, 0);
        if (strcmp(rows_text(&r, 1), row->organisation_name) != 0) {
            rc = err_set(e, ERR_CONFLICT, "registration number %s belongs to '%s', not to '%s'",
                         row->registration, rows_text(&r, 1), row->organisation_name);
            err_hint(e, "an organisation that changed its name: allot tenant set TENANT --organisation NAME");
        }
    }
    rows_close(&r);
    if (rc != 0) return rc < 0 ? -1 : 0;
    if (sql_int(b->store, e, &row->organisation, "SELECT coalesce(max(id), 0) + 1 FROM organisation", "") < 0)
        return -1;
    return sql_do(b->store, e,
                  "INSERT INTO organisation (id, registration, name, made_at) VALUES ($1, $2, $3, $4)",
                  "issi", row->organisation, row->registration, row->organisation_name, b->at.s);
}

/* Numbers are counted here, under the writer's turn: RETURNING costs a temporary table for each row. */
static int row_insert(struct book *b, struct tenant_row *row, struct err *e) {
    if (organisation_take(b, row, e) < 0) return -1;
    row->made_at = b->at;
    if (sql_int(b->store, e, &row->id, "SELECT coalesce(max(id), 0) + 1 FROM tenant", "") < 0 ||
        sql_do(b->store, e,
               "INSERT INTO tenant (id, name, organisation, language, state, made_at, branch) "
               "SELECT $1, $2, $3, $4, 'active', $5, branch FROM store WHERE one = 1 ON CONFLICT (name) DO "
               "NOTHING",
               "isisi", row->id, row->name, row->organisation, row->language, b->at.s) < 0)
        return -1;
    if (sql_changes(b->store) == 1) return 0;
    err_set(e, ERR_CONFLICT, "there is a tenant '%s' already", row->name);
    return err_hint(e, "change it with: allot tenant set, or choose another name");
}

static int row_update(struct book *b, const struct tenant_row *before, const struct tenant_row *after,
                      struct err *e) {
    if (before->state == TENANT_CLOSED)
        return err_set(e, ERR_CONFLICT, "%s is closed: nothing about it changes any more", before->name);
    if (strcmp(before->registration, after->registration) != 0) {
        err_set(e, ERR_CONFLICT, "%s belongs to registration number %s, not to %s", before->name,
                before->registration, after->registration);
        return err_hint(e, "a tenant never changes its organisation: close it and add another");
    }
    if (strcmp(before->organisation_name, after->organisation_name) != 0) {
        err_set(e, ERR_CONFLICT, "registration number %s belongs to '%s', not to '%s'", before->registration,
                before->organisation_name, after->organisation_name);
        return err_hint(e, "if it changed its name: allot tenant set '%s' --organisation NAME", before->name);
    }
    if (strcmp(before->language, after->language) == 0) return 0;
    return sql_do(b->store, e, "UPDATE tenant SET language = $1 WHERE id = $2", "si", after->language,
                  before->id);
}

static int attr_write(struct book *b, int64_t tenant, const char *name, const char *value,
                      const struct tenant_checker *checker, struct err *e) {
    if (!value)
        return sql_do(b->store, e, "DELETE FROM tenant_attr WHERE tenant = $1 AND name = $2", "is", tenant,
                      name);
    if (checker && checker->check(checker->arg, name, value, e) < 0) return -1;
    return sql_do(b->store, e,
                  "INSERT INTO tenant_attr (tenant, name, value) VALUES ($1, $2, $3) "
                  "ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value",
                  "iss", tenant, name, value);
}

static int attrs_write(struct book *b, int64_t tenant, const json_t *diff,
                       const struct tenant_checker *checker, struct err *e) {
    size_t i;
    json_t *change;
    json_array_foreach(diff, i, change) {
        const char *field = json_string_value(json_object_get(change, "field"));
        if (strncmp(field, "attr:", 5) != 0) continue;
        const char *value = json_string_value(json_object_get(change, "new"));
        if (attr_write(b, tenant, field + 5, value, checker, e) < 0) return -1;
    }
    return 0;
}

static bool contacts_equal(const struct tenant *a, const struct tenant *b) {
    if (a->n_contacts != b->n_contacts) return false;
    for (size_t i = 0; i < a->n_contacts; i++)
        if (strcmp(a->contacts[i].name, b->contacts[i].name) != 0 ||
            strcmp(a->contacts[i].email, b->contacts[i].email) != 0 ||
            strcmp(a->contacts[i].phone, b->contacts[i].phone) != 0)
            return false;
    return true;
}

static bool keys_equal(const struct tenant *a, const struct tenant *b) {
    if (a->n_keys != b->n_keys) return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (strcmp(a->keys[i].line, b->keys[i].line) != 0) return false;
    return true;
}

static int contacts_write(struct book *b, const struct tenant *before, const struct tenant *t,
                          struct err *e) {
    if (before->n_contacts > 0 &&
        sql_do(b->store, e, "DELETE FROM tenant_contact WHERE tenant = $1", "i", t->row.id) < 0)
        return -1;
    for (size_t i = 0; i < t->n_contacts; i++) {
        const struct tenant_contact *c = &t->contacts[i];
        if (sql_do(b->store, e, "INSERT INTO tenant_contact VALUES ($1, $2, $3, $4, $5)", "iisss", t->row.id,
                   (int64_t)i, c->name, c->email, c->phone) < 0)
            return -1;
    }
    return 0;
}

/* A forced command names one tenant, and sshd takes the first line that fits: a key leads to one only. */
static int key_is_free(struct book *b, const struct tenant *t, const struct tenant_key *key, struct err *e) {
    scoped_free char *owner = NULL;
    int rc =
        sql_text(b->store, e, &owner,
                 "SELECT t.name FROM tenant_key k JOIN tenant t ON t.id = k.tenant WHERE k.fingerprint = $1",
                 "s", key->fingerprint);
    if (rc <= 0) return rc;
    err_set(e, ERR_CONFLICT, "%s: the SSH key %s belongs to tenant '%s'", t->row.name, key->fingerprint,
            owner);
    return err_hint(e, "each tenant needs keys of its own: a key says which tenant calls");
}

static int keys_write(struct book *b, const struct tenant *before, const struct tenant *t, struct err *e) {
    if (before->n_keys > 0 &&
        sql_do(b->store, e, "DELETE FROM tenant_key WHERE tenant = $1", "i", t->row.id) < 0)
        return -1;
    for (size_t i = 0; i < t->n_keys; i++)
        if (key_is_free(b, t, &t->keys[i], e) < 0 ||
            sql_do(b->store, e, "INSERT INTO tenant_key VALUES ($1, $2, $3)", "iss", t->row.id,
                   t->keys[i].fingerprint, t->keys[i].line) < 0)
            return -1;
    return 0;
}

int tenant_save(struct book *b, const struct tenant *before, struct tenant *after,
                const struct tenant_checker *checker, bool *changed, struct err *e) {
    static const struct tenant nothing;
    const struct tenant *old = before ? before : &nothing;
    bool contacts = !contacts_equal(old, after), keys = !keys_equal(old, after);
    scoped_json json_t *diff = tenant_diff(before, after, false);
    bool words = json_array_size(diff) > 0;
    if (changed) *changed = words || contacts || keys;
    if (!words && !contacts && !keys) return 0;
    int rc = before ? row_update(b, &before->row, &after->row, e) : row_insert(b, &after->row, e);
    if (rc == 0) rc = attrs_write(b, after->row.id, diff, checker, e);
    if (rc == 0 && words) rc = standing_drop(b->store, after->row.id, e);
    if (rc == 0 && words)
        rc = note(b, before ? "tenant.set" : "tenant.add", &after->row, "changes", json_incref(diff), e);
    if (rc == 0 && contacts) rc = contacts_write(b, old, after, e);
    if (rc == 0 && keys) rc = keys_write(b, old, after, e);
    return rc == 0 && (contacts || keys) ? note_personal(b, after, e) : rc;
}

int tenant_rename_organisation(struct book *b, const struct tenant_row *row, const char *name,
                               struct err *e) {
    struct tenant checked = {0};
    if (tenant_set_organisation(&checked, name, e) < 0) return -1;
    if (strcmp(row->organisation_name, name) == 0) return 0;
    if (sql_do(b->store, e, "UPDATE organisation SET name = $1 WHERE id = $2", "si", name,
               row->organisation) < 0)
        return -1;
    json_t *change =
        json_pack("[{s:s, s:s, s:s}]", "field", "organisation", "old", row->organisation_name, "new", name);
    return note(b, "organisation.rename", row, "changes", change, e);
}

/* ---- states ---- */

static int count_check(struct book *b, const struct tenant_row *row, struct err *e) {
    int64_t grants = 0, requests = 0;
    if (sql_int(b->store, e, &grants,
                "SELECT count(*) FROM grants WHERE tenant = $1 AND state NOT IN ('ended', 'void')", "i",
                row->id) < 0 ||
        sql_int(b->store, e, &requests,
                "SELECT count(*) FROM request WHERE tenant = $1 AND state IN ('queued', 'held', 'returned')",
                "i", row->id) < 0)
        return -1;
    if (grants == 0 && requests == 0) return 0;
    err_set(e, ERR_CONFLICT, "%s cannot be closed: %lld grant%s live and %lld request%s wait", row->name,
            (long long)grants, grants == 1 ? "" : "s", (long long)requests, requests == 1 ? "" : "s");
    return err_hint(e, "release the grants and withdraw the requests first; meanwhile: allot tenant suspend");
}

int tenant_set_state(struct book *b, struct tenant_row *row, enum tenant_state to, const char *reason,
                     struct err *e) {
    static const char *const kinds[] = {"tenant.resume", "tenant.suspend", "tenant.close"};
    if (row->state == to || row->state == TENANT_CLOSED)
        return err_set(e, ERR_CONFLICT, "%s is %s", row->name, tenant_state_words[row->state]);
    if (!*reason || strlen(reason) > TENANT_VALUE_MOST || !text_is_printable(reason))
        return err_set(e, ERR_USAGE, "the reason is printable text of 1 to %d bytes", TENANT_VALUE_MOST);
    if (to == TENANT_CLOSED && count_check(b, row, e) < 0) return -1;
    if (sql_do(b->store, e, "UPDATE tenant SET state = $1 WHERE id = $2", "si", tenant_state_words[to],
               row->id) < 0)
        return -1;
    row->state = to;
    if (standing_drop(b->store, row->id, e) < 0) return -1;
    return note(b, kinds[to], row, "reason", json_string(reason), e);
}

int tenant_forget(struct book *b, const struct tenant_row *row, struct err *e) {
    if (row->state != TENANT_CLOSED) {
        err_set(e, ERR_CONFLICT, "%s is %s: only a closed tenant is forgotten", row->name,
                tenant_state_words[row->state]);
        return err_hint(e, "close it first: allot tenant close '%s' --reason TEXT", row->name);
    }
    if (sql_do(b->store, e, "DELETE FROM tenant_contact WHERE tenant = $1", "i", row->id) < 0 ||
        sql_do(b->store, e, "DELETE FROM member WHERE tenant = $1", "i", row->id) < 0 ||
        sql_do(b->store, e, "DELETE FROM tenant_key WHERE tenant = $1", "i", row->id) < 0 ||
        sql_do(b->store, e,
               "DELETE FROM entry_detail WHERE seq IN (SELECT seq FROM entry WHERE tenant = $1 AND kind = "
               "'tenant.personal')",
               "i", row->id) < 0 ||
        sql_do(b->store, e, "UPDATE outbox SET payload = '{}' WHERE tenant = $1 AND delivered_at IS NOT NULL",
               "i", row->id) < 0)
        return -1;
    return note(b, "tenant.forget", row, "forgotten", json_pack("[s, s]", "contacts", "keys"), e);
}
