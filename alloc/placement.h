/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which host each server of a grant stands on. Best fit, deterministic: the host with the fewest free
 * slots that still has enough, the first by name among equals. A server that fits no single host is
 * split into smaller sizes of its flavor. Pools whose flavors have no slots (clouds) get host "".
 * What a person delivers (alloc/hand.h) has no server at all.
 * Pure but for reading the free slots once.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/ledger.h"

struct placed_server {
    char *flavor, *host;
    int64_t units;
};

struct placed {
    struct placed_server *servers;
    size_t n, room;
};

/* The free slots of a pool, counted once per batch and kept up to date while it is placed. */
struct placer {
    struct store *store;
    int64_t pool;
    struct placer_flavor *flavors;
    size_t n, room;
};

void placer_open(struct placer *p, struct store *s, int64_t pool);
void placer_close(struct placer *p);
/* Places the lines of one decision. 1 placed, 0 when they fit no hosts (*line: the first that does not;
   nothing is taken), -1. exact: sizes must not be split. The result is freed with placed_free(). */
int placer_place(struct placer *p, const struct plan_line *lines, size_t n_lines, bool exact,
                 struct placed *out, size_t *line, struct err *e);
/* What was placed will not be made: its slots count as free again. */
void placer_give_back(struct placer *p, const struct placed *placed);
void placed_free(struct placed *p);
/* Where volumes go that belong to no server: the active host with the least booked, first by name. Owned. */
int placement_storage_host(struct store *s, int64_t pool, char **host, struct err *e);
/* Marks `units` free slots of that host and flavor as the operation's; nothing to do where slots are not
 * kept. */
int placement_take(struct book *b, const struct placed_server *server, int64_t operation, struct err *e);
/* Marks them as set aside for the offer of a request. */
int placement_set_aside(struct book *b, const struct placed_server *server, int64_t request, struct err *e);
