/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/work.h"

#include "alloc/ledger.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

struct grower {
    size_t ops, items;
};

static enum backend_kind kind_of(const char *word) {
    int k = 0;
    while (k < BACKEND_QUOTA && strcmp(backend_kind_words[k], word) != 0) k++;
    return (enum backend_kind)k;
}

static void read_operation(struct work *w, struct grower *room, const struct rows *r) {
    w->ops = mem_grow(w->ops, &room->ops, w->n + 1, sizeof *w->ops);
    w->items = mem_grow(w->items, &room->items, w->n + 1, sizeof *w->items);
    char grant[24];
    text_format(grant, sizeof grant, "g-%lld", (long long)rows_int(r, 1));
    struct keep *k = &w->memory;
    w->ops[w->n] = (struct backend_operation){
        .kind = kind_of(rows_text(r, 2)),
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
        .fresh = rows_int(r, 14) == 0,
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
/* Per item of the tenant's quota operations: flavor or NULL, item, units, bytes. */
#define QUOTA_SUMS                                                                                           \
    "SELECT o.flavor, o.item, sum(o.units), sum(o.bytes) FROM operation o WHERE o.tenant = $1 AND o.pool = " \
    "$2 AND "                                                                                                \
    "o.kind = 'quota' AND o.desired = 'present'" UNSIGNED " GROUP BY o.flavor, o.item ORDER BY o.flavor"
#define WORK_COLUMNS                                                                                         \
    "SELECT o.id, o.grant_id, o.kind, o.name, o.host, o.flavor, o.units, o.bytes, o.token, o.desired = "     \
    "'present', o.observed, t.name, t.id, t.branch, o.attempts FROM operation o JOIN tenant t ON t.id = "    \
    "o.tenant WHERE "                                                                                        \
    "o.pool = $1" UNSIGNED
/* Made: volumes first. Removed: servers first, because a volume in use cannot go. */
#define WORK_ORDER " ORDER BY o.grant_id, (o.kind = 'server') = (o.desired = 'present'), o.id"

/* Several statements, so that the one after each decision reads the open operations only (operation_open). */
static int open_work(struct rows *r, struct store *s, const struct work_filter *f, struct err *e) {
    int64_t grant = f->n_grants == 1 ? f->grants[0] : 0;
    if (f->token) return rows_open(r, s, e, WORK_COLUMNS " AND o.token = $2", "is", f->pool, f->token);
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

static int read_sums(struct store *s, struct work *w, int64_t pool, int64_t tenant, struct backend_quota *out,
                     struct err *e) {
    struct rows r;
    struct backend_limit *limits = NULL;
    size_t room = 0;
    int rc = rows_open(&r, s, e, QUOTA_SUMS, "ii", tenant, pool);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = 0;
        if (!rows_null(&r, 0)) {
            limits = mem_grow(limits, &room, out->n_limits + 1, sizeof *limits);
            limits[out->n_limits++] =
                (struct backend_limit){keep_text(&w->memory, rows_text(&r, 0)), rows_int(&r, 2)};
        } else if (strcmp(rows_text(&r, 1), ITEM_STORAGE) == 0) {
            out->storage = bytes(rows_int(&r, 3));
        } else {
            out->datalake = bytes(rows_int(&r, 3));
        }
    }
    rows_close(&r);
    out->limits = limits ? keep_add(&w->memory, limits) : NULL;
    return rc;
}

/* Once for each tenant: the first of its operations has it already for the others. first: tenant -> which. */
static int load_quota(struct store *s, struct work *w, int64_t pool, size_t i, json_t *first, struct err *e) {
    struct backend_operation *op = &w->ops[i];
    scoped_free char *member = NULL;
    char tenant[24];
    text_format(tenant, sizeof tenant, "%lld", (long long)op->tenant_number);
    const json_t *before = json_object_get(first, tenant);
    if (before) {
        op->quota = w->ops[json_integer_value(before)].quota;
        return 0;
    }
    json_object_set_new(first, tenant, json_integer((json_int_t)i));
    if (read_sums(s, w, pool, op->tenant_number, &op->quota, e) < 0 ||
        sql_text(s, e, &member, "SELECT name FROM member WHERE pool = $1 AND tenant = $2", "ii", pool,
                 op->tenant_number) < 0)
        return -1;
    op->quota.member = keep_text(&w->memory, member);
    return 0;
}

static int load_parts(struct store *s, struct work *w, int64_t pool, struct err *e) {
    scoped_json json_t *quotas = json_object();
    for (size_t i = 0; i < w->n; i++) {
        bool is_server = w->ops[i].kind == BACKEND_SERVER && w->items[i].want_present;
        if (is_server &&
            (load_slots(s, w, i, e) < 0 || load_keys(s, w, i, e) < 0 || load_disks(s, w, i, e) < 0))
            return -1;
        if (w->ops[i].kind == BACKEND_QUOTA && load_quota(s, w, pool, i, quotas, e) < 0) return -1;
    }
    return 0;
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
    return rc < 0 ? -1 : load_parts(s, w, l->filter->pool, e);
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
