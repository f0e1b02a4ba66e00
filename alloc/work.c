/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/work.h"

#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

struct grower {
    size_t ops, items;
};

static void read_operation(struct work *w, struct grower *room, const struct rows *r) {
    w->ops = mem_grow(w->ops, &room->ops, w->n + 1, sizeof *w->ops);
    w->items = mem_grow(w->items, &room->items, w->n + 1, sizeof *w->items);
    char grant[24];
    text_format(grant, sizeof grant, "g-%lld", (long long)rows_int(r, 1));
    struct keep *k = &w->memory;
    w->ops[w->n] = (struct backend_operation){
        .kind = strcmp(rows_text(r, 2), "server") == 0 ? BACKEND_SERVER : BACKEND_VOLUME,
        .name = keep_text(k, rows_text(r, 3)),
        .host = keep_text(k, rows_text(r, 4)),
        .flavor = keep_text(k, rows_text(r, 5)),
        .units = rows_int(r, 6),
        .bytes = bytes(rows_int(r, 7)),
        .token = keep_text(k, rows_text(r, 8)),
        .tenant = keep_text(k, rows_text(r, 11)),
        .tenant_number = rows_int(r, 12),
        .tenant_branch = keep_text(k, rows_text(r, 13)),
        .grant = keep_text(k, grant),
    };
    struct work_item *item = &w->items[w->n++];
    *item = (struct work_item){.id = rows_int(r, 0),
                               .grant = rows_int(r, 1),
                               .want_present = rows_int(r, 9) != 0,
                               .host_answered = true};
    text_format(item->observed, sizeof item->observed, "%s", rows_text(r, 10));
}

static int load_slots(struct store *s, struct work *w, size_t i, struct err *e) {
    struct rows r;
    struct backend_slot *slots = NULL;
    size_t room = 0, n = 0;
    int rc = rows_open(&r, s, e, "SELECT name, address, attach FROM slot WHERE operation = $1 ORDER BY name",
                       "i", w->items[i].id);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        slots = mem_grow(slots, &room, n + 1, sizeof *slots);
        slots[n++] = (struct backend_slot){keep_text(&w->memory, rows_text(&r, 0)),
                                           keep_text(&w->memory, rows_text(&r, 1)),
                                           keep_text(&w->memory, rows_text(&r, 2))};
        rc = 0;
    }
    rows_close(&r);
    w->ops[i].slots = slots ? keep_add(&w->memory, slots) : NULL;
    w->ops[i].n_slots = n;
    return rc;
}

static int load_keys(struct store *s, struct work *w, size_t i, struct err *e) {
    struct rows r;
    const char **keys = NULL;
    size_t room = 0, n = 0;
    int rc = rows_open(&r, s, e, "SELECT line FROM tenant_key WHERE tenant = $1 ORDER BY fingerprint", "i",
                       w->ops[i].tenant_number);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        keys = mem_grow(keys, &room, n + 1, sizeof *keys);
        keys[n++] = keep_text(&w->memory, rows_text(&r, 0));
        rc = 0;
    }
    rows_close(&r);
    w->ops[i].ssh_keys = keys ? keep_add(&w->memory, keys) : NULL;
    w->ops[i].n_ssh_keys = n;
    return rc;
}

/* The volumes of its grant, for the one server that carries them. */
static int load_disks(struct store *s, struct work *w, size_t i, struct err *e) {
    struct rows r;
    struct backend_disk *disks = NULL;
    size_t room = 0, n = 0;
    int rc = rows_open(&r, s, e,
                       "SELECT v.name, v.token FROM operation v JOIN operation o ON o.grant_id = v.grant_id "
                       "AND o.id = $1 AND "
                       "o.disks_of = 1 WHERE v.kind = 'volume' AND v.desired = 'present' ORDER BY v.id",
                       "i", w->items[i].id);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        disks = mem_grow(disks, &room, n + 1, sizeof *disks);
        disks[n++] = (struct backend_disk){keep_text(&w->memory, rows_text(&r, 0)),
                                           keep_text(&w->memory, rows_text(&r, 1))};
        rc = 0;
    }
    rows_close(&r);
    w->ops[i].disks = disks ? keep_add(&w->memory, disks) : NULL;
    w->ops[i].n_disks = n;
    return rc;
}

struct loading {
    const struct work_filter *filter;
    struct work *out;
};

static bool is_wanted(const struct work_filter *f, int64_t grant) {
    size_t low = 0, high = f->n_grants;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->grants[middle] < grant)
            low = middle + 1;
        else
            high = middle;
    }
    return f->n_grants == 0 || (low < f->n_grants && f->grants[low] == grant);
}

/* Nothing is made real before the agreement of its grant is dated. */
#define UNSIGNED                                                                                             \
    " AND NOT (o.desired = 'present' AND EXISTS (SELECT 1 FROM grants g WHERE g.tenant = o.tenant AND g.id " \
    "= "                                                                                                     \
    "o.grant_id AND g.needs_agreement = 1 AND g.agreed_at IS NULL))"
#define WORK_COLUMNS                                                                                         \
    "SELECT o.id, o.grant_id, o.kind, o.name, o.host, o.flavor, o.units, o.bytes, o.token, o.desired = "     \
    "'present', o.observed, t.name, t.id, t.branch FROM operation o JOIN tenant t ON t.id = o.tenant WHERE " \
    "o.pool = $1" UNSIGNED
/* Made: volumes first. Removed: servers first, because a volume in use cannot go. */
#define WORK_ORDER " ORDER BY o.grant_id, (o.kind = 'server') = (o.desired = 'present'), o.id"

/* Two statements, so that the one after each decision reads the open operations only (operation_open). */
static int open_work(struct rows *r, struct store *s, const struct work_filter *f, struct err *e) {
    int64_t grant = f->n_grants == 1 ? f->grants[0] : 0;
    if (f->open)
        return rows_open(
            r, s, e, WORK_COLUMNS " AND o.desired <> o.observed AND ($2 = 0 OR o.grant_id = $2)" WORK_ORDER,
            "ii", f->pool, grant);
    return rows_open(r, s, e,
                     WORK_COLUMNS
                     " AND ($2 = 0 OR o.grant_id = $2) AND NOT (o.desired = 'absent' AND o.observed "
                     "= 'absent')" WORK_ORDER,
                     "ii", f->pool, grant);
}

static int load_all(struct store *s, void *arg, struct err *e) {
    struct loading *l = arg;
    struct work *w = l->out;
    struct grower room = {0};
    struct rows r;
    int rc = open_work(&r, s, l->filter, e);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (is_wanted(l->filter, rows_int(&r, 1))) read_operation(w, &room, &r);
        rc = 0;
    }
    rows_close(&r);
    for (size_t i = 0; rc == 0 && i < w->n; i++)
        if (w->ops[i].kind == BACKEND_SERVER && w->items[i].want_present)
            rc = load_slots(s, w, i, e) < 0 || load_keys(s, w, i, e) < 0 || load_disks(s, w, i, e) < 0 ? -1
                                                                                                       : 0;
    return rc;
}

int work_load(struct store *s, const struct work_filter *f, struct work *out, struct err *e) {
    *out = (struct work){0};
    struct loading l = {f, out};
    if (store_read(s, load_all, &l, e) == 0) return 0;
    work_free(out);
    return -1;
}

void work_free(struct work *w) {
    for (size_t i = 0; i < w->n; i++) {
        free(w->ops[i].detail);
        json_decref(w->ops[i].connection);
    }
    free(w->ops);
    free(w->items);
    keep_end(&w->memory);
    *w = (struct work){0};
}
