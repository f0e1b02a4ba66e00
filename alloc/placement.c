/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/placement.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

struct room {
    char *host;
    int64_t free;
};

struct placer_flavor {
    char *name;
    struct room *rooms;
    size_t n, room;
    int64_t sizes[SIZES_MOST];
    size_t n_sizes;
    bool has_slots, by_hand;
};

static int load_sizes(struct store *s, int64_t pool, struct placer_flavor *out, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT size FROM flavor_size WHERE pool = $1 AND flavor = $2 ORDER BY size",
                       "is", pool, out->name);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (out->n_sizes < SIZES_MOST) out->sizes[out->n_sizes++] = rows_int(&r, 0);
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int load_rooms(struct store *s, int64_t pool, struct placer_flavor *out, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e,
                  "SELECT f.host, f.n FROM (SELECT host, count(*) AS n FROM slot WHERE pool = $1 AND "
                  "flavor = $2 AND state = 'ok' AND operation IS NULL AND offer IS NULL GROUP BY host) f "
                  "JOIN host h ON h.pool = $1 AND h.name = f.host WHERE h.state = 'active' ORDER BY f.host",
                  "is", pool, out->name);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        out->rooms = mem_grow(out->rooms, &out->room, out->n + 1, sizeof *out->rooms);
        out->rooms[out->n++] = (struct room){mem_copy(rows_text(&r, 0)), rows_int(&r, 1)};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

void placer_open(struct placer *p, struct store *s, int64_t pool) {
    *p = (struct placer){.store = s, .pool = pool};
}

void placer_close(struct placer *p) {
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->flavors[i].n; k++) free(p->flavors[i].rooms[k].host);
        free(p->flavors[i].rooms);
        free(p->flavors[i].name);
    }
    free(p->flavors);
    *p = (struct placer){0};
}

/* NULL on failure. */
static struct placer_flavor *flavor_of(struct placer *p, const char *name, struct err *e) {
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->flavors[i].name, name) == 0) return &p->flavors[i];
    int64_t has_slots = 0, by_hand = 0;
    if (sql_int(p->store, e, &has_slots, "SELECT has_slots FROM flavor WHERE pool = $1 AND name = $2", "is",
                p->pool, name) < 0 ||
        sql_int(p->store, e, &by_hand, "SELECT attach = 'hand' FROM flavor WHERE pool = $1 AND name = $2",
                "is", p->pool, name) < 0)
        return NULL;
    p->flavors = mem_grow(p->flavors, &p->room, p->n + 1, sizeof *p->flavors);
    struct placer_flavor *f = &p->flavors[p->n++];
    *f = (struct placer_flavor){.name = mem_copy(name), .has_slots = has_slots != 0, .by_hand = by_hand != 0};
    return load_sizes(p->store, p->pool, f, e) < 0 || load_rooms(p->store, p->pool, f, e) < 0 ? NULL : f;
}

static struct room *best_fit(struct placer_flavor *f, int64_t units) {
    struct room *best = NULL;
    for (size_t i = 0; i < f->n; i++)
        if (f->rooms[i].free >= units && (!best || f->rooms[i].free < best->free)) best = &f->rooms[i];
    return best;
}

static void put(struct placed *out, const char *flavor, const char *host, int64_t units) {
    out->servers = mem_grow(out->servers, &out->room, out->n + 1, sizeof *out->servers);
    out->servers[out->n++] = (struct placed_server){mem_copy(flavor), mem_copy(host), units};
}

/* One server of `units`, or smaller ones that add up to it. False: there is no room. */
static bool place_server(struct placer_flavor *f, int64_t units, bool exact, struct placed *out) {
    while (units > 0) {
        int64_t size = units;
        struct room *room = best_fit(f, size);
        for (size_t i = f->n_sizes; !room && !exact && i-- > 0;)
            if (f->sizes[i] < units) room = best_fit(f, size = f->sizes[i]);
        if (!room) return false;
        room->free -= size;
        put(out, f->name, room->host, size);
        units -= size;
    }
    return true;
}

/* 1 placed, 0 no room, -1 */
static int place_line(struct placer *p, const struct plan_line *line, bool exact, struct placed *out,
                      struct err *e) {
    struct placer_flavor *f = flavor_of(p, line->flavor, e);
    if (!f) return -1;
    for (int64_t i = 0; !f->by_hand && i < line->count; i++) {
        if (!f->has_slots)
            put(out, line->flavor, "", line->size);
        else if (!place_server(f, line->size, exact, out))
            return 0;
    }
    return 1;
}

/* Gives the slots of servers that will not be made back to the count. */
void placer_give_back(struct placer *p, const struct placed *placed) {
    for (size_t i = 0; i < placed->n; i++)
        for (size_t k = 0; k < p->n; k++)
            for (size_t h = 0; h < p->flavors[k].n; h++)
                if (strcmp(p->flavors[k].name, placed->servers[i].flavor) == 0 &&
                    strcmp(p->flavors[k].rooms[h].host, placed->servers[i].host) == 0)
                    p->flavors[k].rooms[h].free += placed->servers[i].units;
}

int placer_place(struct placer *p, const struct plan_line *lines, size_t n_lines, bool exact,
                 struct placed *out, size_t *line, struct err *e) {
    *out = (struct placed){0};
    for (size_t i = 0; i < n_lines; i++) {
        int fits = place_line(p, &lines[i], exact, out, e);
        if (fits == 1) continue;
        *line = i;
        placer_give_back(p, out);
        placed_free(out);
        return fits;
    }
    return 1;
}

void placed_free(struct placed *p) {
    for (size_t i = 0; i < p->n; i++) {
        free(p->servers[i].flavor);
        free(p->servers[i].host);
    }
    free(p->servers);
    *p = (struct placed){0};
}

int placement_storage_host(struct store *s, int64_t pool, char **host, struct err *e) {
    int rc =
        sql_text(s, e, host,
                 "SELECT h.name FROM host h LEFT JOIN operation o ON o.pool = h.pool AND o.host = h.name AND "
                 "o.kind = 'volume' AND o.observed <> 'absent' WHERE h.pool = $1 AND h.state = 'active' "
                 "GROUP BY h.name ORDER BY coalesce(sum(o.bytes), 0), h.name LIMIT 1",
                 "i", pool);
    if (rc == 0) *host = mem_copy("");
    return rc < 0 ? -1 : 0;
}

/* One slot at a time: a set of names would cost a temporary table, dearer than eight updates. sql marks the
   first free slot of a host and flavor as that of $4. */
static int mark(struct book *b, const struct placed_server *server, const char *sql, int64_t whose,
                struct err *e) {
    if (server->host[0] == '\0') return 0;
    for (int64_t i = 0; i < server->units; i++) {
        if (sql_do(b->store, e, sql, "issi", b->pool, server->host, server->flavor, whose) < 0) return -1;
        if (sql_changes(b->store) != 1)
            return err_set(e, ERR_CONFLICT, "host %s has fewer than %lld free slots of %s", server->host,
                           (long long)server->units, server->flavor);
    }
    return 0;
}

#define FIRST_FREE                                                                                           \
    " = $4 WHERE pool = $1 AND host = $2 AND flavor = $3 AND name = (SELECT name FROM slot WHERE pool = $1 " \
    "AND host = $2 "                                                                                         \
    "AND flavor = $3 AND state = 'ok' AND operation IS NULL AND offer IS NULL ORDER BY name LIMIT 1)"

int placement_take(struct book *b, const struct placed_server *server, int64_t operation, struct err *e) {
    return mark(b, server, "UPDATE slot SET operation" FIRST_FREE, operation, e);
}

int placement_set_aside(struct book *b, const struct placed_server *server, int64_t request, struct err *e) {
    return mark(b, server, "UPDATE slot SET offer" FIRST_FREE, request, e);
}
