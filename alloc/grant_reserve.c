/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ceiling.h"
#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/hand.h"
#include "alloc/pool.h"
#include "alloc/project.h"
#include "alloc/scope.h"
#include "alloc/swap.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* What the steps of one reservation share. */
struct making {
    struct book *book;
    int64_t id, tenant, request;
    const struct decision *decision;
    char label[40]; /* tenant's part of the names at the backend */
    unsigned capabilities;
    char *project; /* of the tenant; NULL where there are none */
    int made[4];   /* of each backend_kind */
};

struct operation_new {
    enum backend_kind kind;
    const char *item, *host, *flavor;
    int64_t units, bytes;
    bool carries_disks;
};

/* A tenant's name as part of a backend's name, where only [A-Za-z0-9._-] is safe; else its number. */
static int label_of(struct making *m, struct err *e) {
    scoped_free char *name = NULL;
    if (sql_text(m->book->store, e, &name, "SELECT name FROM tenant WHERE id = $1", "i", m->tenant) < 0)
        return -1;
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    bool is_safe = name && name[0] && strlen(name) <= 24 && strspn(name, safe) == strlen(name);
    if (!is_safe || text_format(m->label, sizeof m->label, "%s", name) < 0)
        text_format(m->label, sizeof m->label, "t%lld", (long long)m->tenant);
    return 0;
}

static int operation_add(struct making *m, const struct operation_new *n, int64_t *out, struct err *e) {
    struct store *s = m->book->store;
    int64_t id;
    char name[64], token[64], era[48] = "";
    if (store_next(s, "operation", &id, e) < 0) return -1;
    /* Stores that share a host, and the eras of one store, count their grants alike: names must differ. */
    if (store_epoch(s) > 1) text_format(era, sizeof era, ".%s", store_era(s));
    if (text_format(name, sizeof name, "allot-%s-g%lld-%c%d-%.6s%s", m->label, (long long)m->id,
                    backend_kind_words[n->kind][0], ++m->made[n->kind], store_id(s), era) < 0 ||
        text_format(token, sizeof token, "s%s.%s.%lld", store_id(s), store_era(s), (long long)id) < 0)
        return err_set(e, ERR_FAILED, "the name of operation %lld is too long", (long long)id);
    *out = id;
    return sql_do(s, e,
                  "INSERT INTO operation (tenant, id, grant_id, pool, kind, item, name, host, flavor, units, "
                  "bytes, disks_of, token, desired, observed, attempts, changed_at) VALUES ($1, $2, $3, $4, "
                  "$5, $6, $7, $8, $9, $10, $11, $12, $13, 'present', 'none', 0, $14)",
                  "iiiisssssiiisi", m->tenant, id, m->id, m->book->pool, backend_kind_words[n->kind], n->item,
                  name, n->host, n->flavor, n->units, n->bytes, (int64_t)n->carries_disks, token,
                  m->book->at.s);
}

enum { ITEM_MOST = 96 };

static int item_of(const char *flavor, char item[ITEM_MOST], struct err *e) {
    return text_format(item, ITEM_MOST, "unit/%s", flavor) == 0
               ? 0
               : err_set(e, ERR_FAILED, "flavor name '%s' is too long", flavor);
}

/* What a piece of the grant is at the backend, and where. */
static struct operation_new piece(const struct making *m, enum backend_kind kind, const char *item,
                                  const char *host) {
    bool by_quota = (m->capabilities & BACKEND_BY_QUOTA) != 0;
    return (struct operation_new){.kind = by_quota ? BACKEND_QUOTA : kind,
                                  .item = item,
                                  .host = m->project ? m->project
                                          : by_quota ? ""
                                                     : host};
}

static int make_servers(struct making *m, const struct placed *placed, struct err *e) {
    for (size_t i = 0; i < placed->n; i++) {
        const struct placed_server *p = &placed->servers[i];
        char item[ITEM_MOST];
        int64_t operation;
        if (item_of(p->flavor, item, e) < 0) return -1;
        struct operation_new n = piece(m, BACKEND_SERVER, item, p->host);
        n.flavor = p->flavor;
        n.units = p->units;
        n.carries_disks = i == 0 && n.kind == BACKEND_SERVER;
        if (operation_add(m, &n, &operation, e) < 0 || placement_take(m->book, p, operation, e) < 0)
            return -1;
    }
    return 0;
}

/* As few volumes as the pool's bounds allow, of nearly equal size, each a multiple of the granule. */
static int make_volumes(struct making *m, const char *host, struct err *e) {
    int64_t left = m->decision->storage.n, granule = 1, most = left;
    if (left == 0) return 0;
    if (sql_int(m->book->store, e, &granule, "SELECT granule_bytes FROM pool WHERE id = $1", "i",
                m->book->pool) < 0 ||
        sql_int(m->book->store, e, &most, "SELECT volume_most_bytes FROM pool WHERE id = $1", "i",
                m->book->pool) < 0)
        return -1;
    most -= most % granule;
    if (most <= 0) return err_set(e, ERR_FAILED, "the pool's largest volume is smaller than its granule");
    for (int64_t count = (left + most - 1) / most; count > 0; count--) {
        int64_t share = (left + count - 1) / count, operation;
        share += (granule - share % granule) % granule;
        if (share > left) share = left;
        struct operation_new n = piece(m, BACKEND_VOLUME, ITEM_STORAGE, host);
        n.bytes = share;
        if (operation_add(m, &n, &operation, e) < 0) return -1;
        left -= share;
    }
    return 0;
}

/* A quota is one number, whatever its size. */
static int make_bytes(struct making *m, enum backend_kind kind, const char *item, bytes_t amount,
                      struct err *e) {
    int64_t operation;
    struct operation_new n = piece(m, kind, item, "");
    n.bytes = amount.n;
    return amount.n == 0 ? 0 : operation_add(m, &n, &operation, e);
}

static int book_line(struct making *m, const struct plan_line *line, struct err *e) {
    char item[ITEM_MOST];
    int64_t count;
    if (item_of(line->flavor, item, e) < 0 || amount_times(line->size, line->count, &count, "units", e) < 0)
        return -1;
    if (sql_do(
            m->book->store, e,
            "INSERT INTO grant_line (tenant, grant_id, flavor, units, rating_gflops) VALUES ($1, $2, $3, $4, "
            "nullif($5, 0)) "
            "ON CONFLICT (tenant, grant_id, flavor) DO UPDATE SET units = grant_line.units + excluded.units",
            "iisii", m->tenant, m->id, line->flavor, count, line->rating.n) < 0)
        return -1;
    struct entry entry = {"grant.reserve", m->tenant,        m->request, m->id, 0,    item,
                          ACCOUNT_FREE,    ACCOUNT_RESERVED, count,      NULL,  false};
    return book_write(m->book, &entry, e);
}

static int insert_grant(struct making *m, struct err *e) {
    const struct decision *d = m->decision;
    return sql_do(
        m->book->store, e,
        "INSERT INTO grants (tenant, id, pool, request, state, basis, policy, compute_gflops, storage_bytes, "
        "start_at, end_at, notice_s, grace_s, keep_s, renewals_left, renew_s, tier, needs_agreement, "
        "replaces, call, "
        "agreed_at) SELECT $1, $2, $3, $4, 'reserved', p.basis, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15, $16, "
        "r.replaces, r.call, r.agreed_at FROM pool p, request r WHERE p.id = $3 AND r.tenant = $1 AND r.id = "
        "$4",
        "iiiisiiiiiiiiisi", m->tenant, m->id, m->book->pool, m->request, m->book->policy.hex, d->compute.n,
        d->storage.n, d->lease.start.s, d->lease.end.s, d->lease.notice.s, d->lease.grace.s, d->lease.keep.s,
        d->lease.renewals, d->lease.renew_term.s, d->standing.tier, (int64_t)d->needs_agreement);
}

/* What its request replaces; 0: nothing. */
static int replaced_by(struct making *m, int64_t *out, struct err *e) {
    *out = 0;
    return sql_int(m->book->store, e, out, "SELECT replaces FROM request WHERE tenant = $1 AND id = $2", "ii",
                   m->tenant, m->request) < 0
               ? -1
               : 0;
}

static int book_bytes(struct making *m, const char *item, bytes_t amount, struct err *e) {
    struct entry entry = {"grant.reserve", m->tenant,        m->request, m->id, 0,    item,
                          ACCOUNT_FREE,    ACCOUNT_RESERVED, amount.n,   NULL,  false};
    return amount.n == 0 ? 0 : book_write(m->book, &entry, e);
}

static int book_amounts(struct making *m, const struct plan_limits *limits, struct err *e) {
    const struct decision *d = m->decision;
    if (ceiling_items_set(m->book, m->tenant, limits, e) < 0) return -1;
    for (size_t i = 0; i < d->n_lines; i++)
        if (book_line(m, &d->lines[i], e) < 0) return -1;
    bool has_lake = (m->capabilities & BACKEND_HAS_CONTAINERS) != 0; /* else a person delivers it */
    if (book_bytes(m, ITEM_STORAGE, d->storage, e) < 0 ||
        (has_lake && book_bytes(m, ITEM_DATALAKE, d->datalake, e) < 0))
        return -1;
    struct holding more = {d->compute, d->storage};
    if (bytes_add(more.storage, d->datalake, &more.storage, e) < 0 ||
        ceiling_add(m->book, m->tenant, more, limits, e) < 0)
        return -1;
    return hand_reserve(m->book, m->tenant, m->request, m->id, d, !has_lake, e);
}

/* Within the ceilings of the decision; in a swap, with what is still to go beside it. */
static int book_within(struct making *m, struct err *e) {
    int64_t replaced;
    struct plan_limits limits;
    if (replaced_by(m, &replaced, e) < 0) return -1;
    if (!replaced) return book_amounts(m, &m->decision->limits, e);
    int rc = swap_limits(m->book, replaced, &m->decision->limits, &limits, e);
    if (rc == 0) rc = book_amounts(m, &limits, e);
    swap_limits_free(&limits);
    return rc;
}

static int make_things(struct making *m, const struct placed *placed, struct err *e) {
    scoped_free char *host = NULL;
    const struct decision *d = m->decision;
    if (project_is_needed(m->capabilities, d, placed) && project_bind(m->book, m->tenant, &m->project, e) < 0)
        return -1;
    if (make_servers(m, placed, e) < 0) return -1;
    if ((m->capabilities & BACKEND_HAS_CONTAINERS) &&
        make_bytes(m, BACKEND_CONTAINER, ITEM_DATALAKE, d->datalake, e) < 0)
        return -1;
    if (m->capabilities & BACKEND_BY_QUOTA) return make_bytes(m, BACKEND_VOLUME, ITEM_STORAGE, d->storage, e);
    if (d->storage.n == 0) return 0;
    /* Volumes lie with the first server, because it carries them. */
    if (m->project || placed->n)
        host = mem_copy(m->project ? m->project : placed->servers[0].host);
    else if (placement_storage_host(m->book->store, m->book->pool, &host, e) < 0)
        return -1;
    return make_volumes(m, host, e);
}

int grant_reserve(struct book *b, const struct placed *placed, int64_t tenant, int64_t request,
                  const struct decision *d, int64_t *id, struct err *e) {
    struct making m = {.book = b, .tenant = tenant, .request = request, .decision = d};
    int rc = store_next(b->store, "grant", &m.id, e);
    if (rc == 0) rc = pool_capabilities(b->store, b->pool, &m.capabilities, e);
    if (rc == 0) rc = label_of(&m, e);
    if (rc == 0) rc = insert_grant(&m, e);
    if (rc == 0) rc = book_within(&m, e);
    if (rc == 0) rc = make_things(&m, placed, e);
    free(m.project);
    *id = m.id;
    return rc;
}
