/* SPDX-License-Identifier: Apache-2.0 */
/* What a sync has found, against what the store knows. */
#include "alloc/pool_run.h"

#include "alloc/pool.h"
#include "alloc/pool_books.h"
#include "alloc/scope.h"
#include "alloc/supply.h"
#include "alloc/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { STORAGE_WARN_PERCENT = 85 };

struct syncing {
    struct book book;
    const struct backend_view *view;
    json_t *seen;    /* key of each device found -> true */
    json_t *flavors; /* name -> {added, vanished, ...} counts */
    json_t *hosts, *notes, *warnings;
    int64_t unmatched;
    bool has_changed; /* devices came or went: worth an entry */
    bool has_added;   /* devices came: who waits for room may find some */
    bool differs;     /* fewer than declared, or not all could be asked */
};

ERR_FORMAT(2, 3)
static void say(json_t *list, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    json_array_append_new(list, json_string(line));
}

static bool host_answered(const struct syncing *y, const char *host) {
    for (size_t i = 0; i < y->view->n_hosts; i++)
        if (strcmp(y->view->hosts[i].host, host) == 0) return y->view->hosts[i].answered;
    return false;
}

static void count(struct syncing *y, const char *flavor, const char *what, int64_t by) {
    json_t *f = json_object_get(y->flavors, flavor);
    if (!f) json_object_set_new(y->flavors, flavor, f = json_object());
    json_object_set_new(f, what, json_integer(json_integer_value(json_object_get(f, what)) + by));
}

static int64_t counted(const struct syncing *y, const char *flavor, const char *what) {
    return json_integer_value(json_object_get(json_object_get(y->flavors, flavor), what));
}

/* Names hold no newline (pool_name_check, and backends give one line). */
static char *slot_key(const char *host, const char *flavor, const char *name) {
    struct text t = {0};
    text_add(&t, "%s\n%s\n%s", host, flavor, name);
    return text_take(&t);
}

/* ---- hosts ---- */

static void storage_watch(struct syncing *y, const struct backend_host_report *h, json_t *row) {
    if (h->storage_capacity.n <= 0) return;
    wide_t used = (wide_t)h->storage_capacity.n - h->storage_free.n;
    int64_t percent = (int64_t)(used * 100 / h->storage_capacity.n);
    json_object_set_new(row, "storage_capacity_bytes", json_integer(h->storage_capacity.n));
    json_object_set_new(row, "storage_free_bytes", json_integer(h->storage_free.n));
    json_object_set_new(row, "storage_used_percent", json_integer(percent));
    if (used * 100 >= (wide_t)h->storage_capacity.n * STORAGE_WARN_PERCENT)
        say(y->warnings, "host %s: %lld %% of its real storage is used (%s of %s free)", h->host,
            (long long)percent, bytes_text(h->storage_free).s, bytes_text(h->storage_capacity).s);
}

static int host_write(struct syncing *y, const struct backend_host_report *h, struct err *e) {
    json_t *row = json_pack("{s:s, s:b}", "host", h->host, "answered", (int)h->answered);
    json_array_append_new(y->hosts, row);
    if (!h->answered) {
        const char *why = h->detail ? h->detail : "no words";
        json_object_set_new(row, "trouble", json_string(why));
        y->differs = true;
        say(y->warnings, "host %s does not answer: %s", h->host, why);
        return sql_do(y->book.store, e, "UPDATE host SET trouble = $3 WHERE pool = $1 AND name = $2", "iss",
                      y->book.pool, h->host, why);
    }
    storage_watch(y, h, row);
    if (h->detail) {
        json_object_set_new(row, "trouble", json_string(h->detail));
        y->differs = true;
        say(y->warnings, "%s: %s", h->host, h->detail);
    }
    return sql_do(
        y->book.store, e,
        "UPDATE host SET storage_capacity_bytes = CASE WHEN $3 > 0 THEN $3 END, storage_free_bytes = "
        "CASE WHEN $3 > 0 THEN $4 END, seen_at = $5, trouble = NULL WHERE pool = $1 AND name = $2",
        "isiii", y->book.pool, h->host, h->storage_capacity.n, h->storage_free.n, y->book.at.s);
}

/* ---- devices ---- */

/* A device that comes new on a host given up for lost is lost like the rest of it, until restored. */
static int slot_write(struct syncing *y, const struct backend_found_slot *f, struct err *e) {
    struct store *s = y->book.store;
    int64_t known = 0;
    if (sql_int(s, e, &known, "SELECT count(*) FROM flavor WHERE pool = $1 AND name = $2", "is", y->book.pool,
                f->flavor) < 0)
        return -1;
    if (!known) return y->unmatched++, 0;
    scoped_free char *key = slot_key(f->host, f->flavor, f->name);
    json_object_set_new(y->seen, key, json_true());
    if (sql_do(s, e,
               "UPDATE slot SET address = $5, attach = $6 WHERE pool = $1 AND host = $2 AND flavor = $3 AND "
               "name "
               "= $4",
               "isssss", y->book.pool, f->host, f->flavor, f->name, f->address, f->attach) < 0)
        return -1;
    if (sql_changes(s)) return 0;
    y->has_changed = y->has_added = true;
    count(y, f->flavor, "added", 1);
    return sql_do(
        s, e,
        "INSERT INTO slot (pool, host, flavor, name, address, attach, state) SELECT pool, name, $3, $4, "
        "$5, $6, CASE WHEN state = 'lost' THEN 'lost' ELSE 'ok' END FROM host WHERE pool = $1 AND "
        "name = $2",
        "isssss", y->book.pool, f->host, f->flavor, f->name, f->address, f->attach);
}

struct slot_row {
    char *host, *flavor, *name;
    bool is_lost, is_used;
};

static void slot_rows_free(struct slot_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(rows[i].host);
        free(rows[i].flavor);
        free(rows[i].name);
    }
    free(rows);
}

/* Read whole before any of them is written. */
static int slot_rows(struct syncing *y, struct slot_row **out, size_t *n, struct err *e) {
    struct rows r;
    size_t room = 0;
    *out = NULL;
    *n = 0;
    int rc = rows_open(
        &r, y->book.store, e,
        "SELECT host, flavor, name, state, operation IS NOT NULL FROM slot WHERE pool = $1 ORDER BY "
        "host, flavor, name",
        "i", y->book.pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = mem_grow(*out, &room, *n + 1, sizeof **out);
        (*out)[(*n)++] = (struct slot_row){mem_copy(rows_text(&r, 0)), mem_copy(rows_text(&r, 1)),
                                           mem_copy(rows_text(&r, 2)), strcmp(rows_text(&r, 3), "lost") == 0,
                                           rows_int(&r, 4) != 0};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int slot_vanished(struct syncing *y, const struct slot_row *row, struct err *e) {
    if (row->is_used) {
        y->differs = true;
        count(y, row->flavor, "vanished_in_use", 1);
        say(y->warnings, "host %s: device %s (%s) is not there any more, and a server uses it", row->host,
            row->name, row->flavor);
        return 0;
    }
    y->has_changed = true;
    count(y, row->flavor, "vanished", 1);
    return sql_do(
        y->book.store, e,
        "UPDATE slot SET state = 'lost' WHERE pool = $1 AND host = $2 AND flavor = $3 AND name = $4", "isss",
        y->book.pool, row->host, row->flavor, row->name);
}

static int slots_compare(struct syncing *y, struct err *e) {
    struct slot_row *rows;
    size_t n;
    int rc = slot_rows(y, &rows, &n, e);
    for (size_t i = 0; i < n && rc == 0; i++) {
        scoped_free char *key = slot_key(rows[i].host, rows[i].flavor, rows[i].name);
        bool is_there = json_object_get(y->seen, key) != NULL;
        if (is_there && rows[i].is_lost) count(y, rows[i].flavor, "returned", 1);
        if (!is_there && !rows[i].is_lost && host_answered(y, rows[i].host))
            rc = slot_vanished(y, &rows[i], e);
    }
    slot_rows_free(rows, n);
    return rc;
}

static int slots_write(struct syncing *y, struct err *e) {
    for (size_t i = 0; i < y->view->n_slots; i++) {
        const struct backend_found_slot *f = &y->view->slots[i];
        if (!f->flavor) {
            y->unmatched++;
            say(y->notes, "host %s: device %s is of no flavor of the pool (%s)", f->host, f->name,
                f->description ? f->description : "no description");
        } else if (slot_write(y, f, e) < 0) {
            return -1;
        }
    }
    return slots_compare(y, e);
}

/* ---- flavors ---- */

/* Devices that were there at an earlier sync, on hosts that did not answer this one. */
static int unseen_count(struct syncing *y, const char *flavor, int64_t *n, bool *silent, struct err *e) {
    *n = 0;
    *silent = false;
    for (size_t i = 0; i < y->view->n_hosts; i++) {
        const struct backend_host_report *h = &y->view->hosts[i];
        int64_t there = 0;
        if (h->answered) continue;
        *silent = true;
        if (sql_int(
                y->book.store, e, &there,
                "SELECT count(*) FROM slot WHERE pool = $1 AND host = $2 AND flavor = $3 AND state = 'ok'",
                "iss", y->book.pool, h->host, flavor) < 0)
            return -1;
        *n += there;
    }
    return 0;
}

static int flavor_compare(struct syncing *y, const char *name, bool has_slots, const char *attach,
                          json_t *out, struct err *e) {
    struct pool_item item;
    int64_t declared, lost, free_now, found = 0, unseen;
    bool silent; /* a host: what is missing may be there */
    struct book *b = &y->book;
    if (pool_item_of(name, &item, e) < 0 || pool_declared(b->store, b->pool, item.s, &declared, e) < 0 ||
        ledger_balance(b->store, b->pool, item.s, ACCOUNT_LOST, 0, &lost, e) < 0 ||
        ledger_balance(b->store, b->pool, item.s, ACCOUNT_FREE, 0, &free_now, e) < 0 ||
        sql_int(b->store, e, &found,
                "SELECT count(*) FROM slot WHERE pool = $1 AND flavor = $2 AND state = 'ok'", "is", b->pool,
                name) < 0 ||
        unseen_count(y, name, &unseen, &silent, e) < 0)
        return -1;
    int64_t gone =
        has_slots ? pool_units_gone(declared - lost, found, counted(y, name, "vanished"), free_now) : 0;
    if (pool_move(b, "pool.sync", item.s, ACCOUNT_FREE, ACCOUNT_LOST, gone, e) < 0) return -1;
    lost += gone;
    found -= unseen;
    bool is_unknown = unseen > 0 || (silent && found < declared - lost);
    const char *state = !has_slots                ? "counted"
                        : is_unknown              ? "unknown"
                        : found < declared - lost ? "fewer"
                        : found > declared - lost ? "more"
                                                  : "confirmed";
    json_array_append_new(out, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s*}",
                                         "flavor", name, "state", state, "declared", (json_int_t)declared,
                                         "lost", (json_int_t)lost, "found", (json_int_t)found, "not_seen",
                                         (json_int_t)unseen, "added", (json_int_t)counted(y, name, "added"),
                                         "vanished", (json_int_t)counted(y, name, "vanished"), "now_lost",
                                         (json_int_t)gone, "vanished_in_use",
                                         (json_int_t)counted(y, name, "vanished_in_use"), "returned",
                                         (json_int_t)counted(y, name, "returned"), "attach", attach, "note",
                                         pool_attach_note(attach)));
    if (counted(y, name, "vanished"))
        say(y->warnings, "%s: %lld free devices are not there any more; %lld units are now lost", name,
            (long long)counted(y, name, "vanished"), (long long)gone);
    if (strcmp(state, "fewer") == 0) y->differs = true;
    if (strcmp(state, "fewer") == 0)
        say(y->warnings, "%s: %lld units are declared and not lost, %lld devices were found", name,
            (long long)(declared - lost), (long long)found);
    if (has_slots && is_unknown)
        say(y->warnings,
            "%s: %lld units are declared and not lost, %lld devices were found, %lld more were there before: "
            "not every host answered",
            name, (long long)(declared - lost), (long long)found, (long long)unseen);
    if (strcmp(state, "more") == 0)
        say(y->notes, "%s: %lld devices were found, %lld units are declared and not lost", name,
            (long long)found, (long long)(declared - lost));
    if (counted(y, name, "returned"))
        say(y->notes, "%s: %lld lost devices are there again; allot pool restore brings them back", name,
            (long long)counted(y, name, "returned"));
    return 0;
}

struct flavor_row {
    char name[POOL_NAME_MOST + 1], attach[8];
    bool has_slots;
};

static int flavors_compare(struct syncing *y, json_t *out, struct err *e) {
    struct rows r;
    struct flavor_row *flavors = mem_alloc(POOL_FLAVORS_MOST * sizeof *flavors);
    size_t n = 0;
    int rc = rows_open(&r, y->book.store, e,
                       "SELECT name, attach, has_slots FROM flavor WHERE pool = $1 ORDER BY place, name", "i",
                       y->book.pool);
    while (rc == 0 && n < POOL_FLAVORS_MOST && (rc = rows_next(&r, e)) == 1) {
        rc = text_format(flavors[n].name, sizeof flavors[n].name, "%s", rows_text(&r, 0));
        if (rc == 0) rc = text_format(flavors[n].attach, sizeof flavors[n].attach, "%s", rows_text(&r, 1));
        flavors[n++].has_slots = rows_int(&r, 2) != 0;
    }
    rows_close(&r);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = flavor_compare(y, flavors[i].name, flavors[i].has_slots, flavors[i].attach, out, e);
    free(flavors);
    return rc;
}

/* Sparse volumes may promise more than there is, up to what the pool declares. */
static int overcommit_watch(struct syncing *y, const json_t *settings, struct err *e) {
    int64_t declared;
    wide_t real = 0;
    if (pool_declared(y->book.store, y->book.pool, ITEM_STORAGE, &declared, e) < 0) return -1;
    for (size_t i = 0; i < y->view->n_hosts; i++) {
        if (y->view->hosts[i].storage_capacity.n <= 0) return 0; /* not known everywhere */
        real += y->view->hosts[i].storage_capacity.n;
    }
    const json_t *given = json_object_get(settings, "overcommit_percent");
    int64_t percent = json_is_integer(given) ? json_integer_value(given) : 100;
    if (y->view->n_hosts && (wide_t)declared * 100 > real * percent)
        say(y->warnings,
            "storage: %s are declared, the hosts have %s x %lld %% (settings.overcommit_percent)",
            bytes_text(bytes(declared)).s, bytes_text(bytes((int64_t)real)).s, (long long)percent);
    return 0;
}

static int sync_all(struct syncing *y, const struct pool_spec *spec, json_t *flavors, struct err *e) {
    for (size_t i = 0; i < y->view->n_hosts; i++)
        if (host_write(y, &y->view->hosts[i], e) < 0) return -1;
    if (slots_write(y, e) < 0 || flavors_compare(y, flavors, e) < 0 ||
        overcommit_watch(y, spec->settings, e) < 0)
        return -1;
    return y->has_added ? supply_raise(y->book.store, y->book.pool, e) : 0;
}

int pool_sync(struct store *s, int64_t pool, const struct backend_view *view, const char *actor,
              instant_t now, json_t **report, struct err *e) {
    struct pool_spec spec;
    struct syncing y = {.view = view,
                        .seen = json_object(),
                        .flavors = json_object(),
                        .hosts = json_array(),
                        .notes = json_array(),
                        .warnings = json_array()};
    json_t *flavors = json_array();
    *report = NULL;
    int rc = book_open(&y.book, s, pool, actor, now, e);
    if (rc == 0) rc = pool_spec_load(s, pool, &spec, e);
    if (rc == 0) {
        rc = sync_all(&y, &spec, flavors, e);
        *report = json_pack("{s:s, s:s, s:b, s:O, s:O, s:I, s:O, s:O}", "pool", spec.name, "at",
                            instant_text(y.book.at).s, "differs", (int)y.differs, "hosts", y.hosts, "flavors",
                            flavors, "unmatched", (json_int_t)y.unmatched, "notes", y.notes, "warnings",
                            y.warnings);
        pool_spec_free(&spec);
    }
    scoped_free char *words = *report ? json_canonical(*report) : NULL;
    if (rc == 0 && y.has_changed) rc = book_note(&y.book, "pool.sync", 0, words, e);
    if (rc == 0) rc = book_close(&y.book, e);
    json_decref(y.seen);
    json_decref(y.flavors);
    json_decref(y.hosts);
    json_decref(y.notes);
    json_decref(y.warnings);
    json_decref(flavors);
    return rc;
}
