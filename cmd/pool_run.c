/* SPDX-License-Identifier: Apache-2.0 */
/* pool sync, pool lose, pool restore. */
#include "alloc/pool_run.h"
#include "alloc/dispatch.h"
#include "alloc/grant.h"
#include "alloc/plugin.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/change.h"
#include "cmd/config.h"
#include "cmd/data.h"
#include "cmd/output.h"
#include "cmd/pool.h"

#include <limits.h>
#include <string.h>

/* ---- sync ---- */

struct syncing {
    int64_t pool;
    struct backend_view view;
};

/* Asks the hosts, outside any transaction. */
static int look(struct call *call, struct syncing *y, struct err *e) {
    struct pool_place place;
    if (pool_find(call->store, call->arguments[0], &y->pool, e) < 0 ||
        pool_load_place(call->store, y->pool, &place, e) < 0)
        return -1;
    const struct backend *b = plugin_open(place.backend, e);
    scoped_json json_t *catalogue = b ? data_catalogue(e) : NULL;
    place.pool.catalogue = catalogue;
    place.pool.deadline_ms = call->config->deadline.s * 1000;
    int rc = b && catalogue ? dispatch_sync(b, &place.pool, &y->view, e) : -1;
    pool_place_free(&place);
    return rc;
}

static int sync_body(struct change *c, struct err *e) {
    const struct syncing *y = c->arg;
    return pool_sync(c->store, y->pool, &y->view, c->call->actor, c->call->now, &c->answer, e);
}

static const struct column sync_columns[] = {{"flavor", "FLAVOR", CELL_TEXT, false},
                                             {"state", "STATE", CELL_STATE, false},
                                             {"declared", "DECLARED", CELL_COUNT, false},
                                             {"found", "FOUND", CELL_COUNT, false},
                                             {"not_seen", "NOT SEEN", CELL_COUNT, false},
                                             {"lost", "LOST", CELL_COUNT, false},
                                             {"added", "NEW", CELL_COUNT, false},
                                             {"vanished", "GONE", CELL_COUNT, false},
                                             {"attach", "ATTACH", CELL_TEXT, false},
                                             {"note", "NOTE", CELL_TEXT, false},
                                             {NULL, NULL, CELL_TEXT, false}};

static void warnings_print(struct call *call, const json_t *answer) {
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(answer, "notes"), i, line)
        output_say(call, "%s", json_string_value(line));
    json_array_foreach(json_object_get(answer, "warnings"), i, line) {
        fprintf(call->messages, "allot: warning: pool %s: ", call->arguments[0]);
        output_safe(call->messages, json_string_value(line));
        fputc('\n', call->messages);
    }
}

/* The written part is good either way; the status says whether the pool is as declared. */
static int sync_print(struct call *call, const json_t *answer, struct err *e) {
    int rc = 0;
    if (strcmp(call->format, "json") == 0) {
        rc = output_object(call, sync_columns, answer, e);
    } else if (!call->quiet) {
        rc = output_list(call, sync_columns, json_object_get(answer, "flavors"), e);
    }
    warnings_print(call, answer);
    return rc;
}

int pool_sync_run(struct call *call, struct err *e) {
    struct syncing y = {0};
    scoped_json json_t *answer = NULL;
    int status = look(call, &y, e);
    if (status == 0) status = change_run(call, sync_body, &y, NULL, &answer, e);
    if (status >= 0 && sync_print(call, answer, e) < 0) status = -1;
    if (status == 0 && json_is_true(json_object_get(answer, "differs"))) status = ERR_FAILED;
    backend_view_free(&y.view);
    return status;
}

/* ---- lose, restore ---- */

const struct option pool_lose_options[] = {
    {"host", "HOST", "this host with all that is on it", false},
    {"flavor", "FLAVOR", "only free units of this flavor", false},
    {"units", "N", "so many of them", false},
    {"grant", "GRANT", "those that this grant has; of a flavor that a person delivers", false},
    {"confirm", NULL, "do it; without, only what it would take is shown", false},
    {NULL, NULL, NULL, false}};

const struct option pool_restore_options[] = {{"host", "HOST", "this host and its devices", false},
                                              {"flavor", "FLAVOR", "only units of this flavor", false},
                                              {"units", "N", "so many of them", false},
                                              {NULL, NULL, NULL, false}};

static int part_read(struct call *call, struct pool_part *part, struct err *e) {
    const char *count = call_option(call, "units");
    units_t n = {0};
    *part = (struct pool_part){call_option(call, "host"), call_option(call, "flavor"), 0, 0};
    if (!part->host && !part->flavor)
        return err_set(e, ERR_USAGE, "name what: --host HOST, or --flavor FLAVOR --units N");
    if ((part->flavor != NULL) != (count != NULL))
        return err_set(e, ERR_USAGE, "--flavor and --units belong together");
    if (!count) return 0;
    if (units_parse(count, &n, e) < 0) return err_context(e, "--units");
    if (n.n == 0) return err_set(e, ERR_USAGE, "--units: must be 1 or more");
    part->units = n.n;
    return 0;
}

/* --grant, of what is lost. */
static int grant_read(struct call *call, struct pool_part *part, struct err *e) {
    const char *grant = call_option(call, "grant");
    if (!grant) return 0;
    if (!part->flavor || part->host)
        return err_set(e, ERR_USAGE, "--grant belongs with --flavor and --units, and with no host");
    return number_parse(grant, 'g', &part->grant, e) < 0 ? err_context(e, "--grant") : 0;
}

static const struct column loss_columns[] = {{"flavor", "FLAVOR", CELL_TEXT, false},
                                             {"units", "UNITS", CELL_COUNT, false},
                                             {"free_units", "FREE", CELL_COUNT, false},
                                             {"held_units", "HELD", CELL_COUNT, false},
                                             {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                             {NULL, NULL, CELL_TEXT, false}};
static const struct column server_columns[] = {
    {"tenant", "TENANT", CELL_TEXT, false}, {"grant", "GRANT", CELL_TEXT, false},
    {"server", "SERVER", CELL_TEXT, false}, {"flavor", "FLAVOR", CELL_TEXT, false},
    {"units", "UNITS", CELL_COUNT, false},  {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
    {NULL, NULL, CELL_TEXT, false}};
static const struct column volume_columns[] = {{"tenant", "TENANT", CELL_TEXT, false},
                                               {"grant", "GRANT", CELL_TEXT, false},
                                               {"volume", "VOLUME", CELL_TEXT, false},
                                               {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                               {NULL, NULL, CELL_TEXT, false}};

static int part_print(struct call *call, const char *title, const struct column *columns, const json_t *rows,
                      struct err *e) {
    if (json_array_size(rows) == 0) return 0;
    output_say(call, "%s", title);
    return output_list(call, columns, rows, e);
}

static int loss_print(struct call *call, const json_t *loss, bool done, struct err *e) {
    if (call->quiet) return 0;
    if (strcmp(call->format, "table") != 0) return output_object(call, loss_columns, loss, e);
    if (part_print(call, "Units:", loss_columns, json_object_get(loss, "flavors"), e) < 0 ||
        part_print(call, "Servers and their tenants:", server_columns, json_object_get(loss, "servers"), e) <
            0 ||
        part_print(call, "Volumes there, which stay booked to their tenants:", volume_columns,
                   json_object_get(loss, "volumes"), e) < 0)
        return -1;
    if (!call->dry_run) output_say(call, done ? "lost" : "nothing was changed; to do it: --confirm");
    return 0;
}

static int lose_body(struct change *c, struct err *e) {
    int64_t pool;
    if (pool_find(c->store, c->call->arguments[0], &pool, e) < 0) return -1;
    if (pool_lose(c->store, pool, c->arg, c->call->actor, c->call->now, &c->answer, e) < 0) return -1;
    json_object_set_new(c->answer, "confirmed", json_true());
    return 0;
}

static int lose_look(struct store *s, void *arg, struct err *e) {
    struct change *c = arg;
    int64_t pool;
    json_decref(c->answer);
    c->answer = NULL;
    if (pool_find(s, c->call->arguments[0], &pool, e) < 0) return -1;
    return pool_loss(s, pool, c->arg, &c->answer, e);
}

int pool_lose_run(struct call *call, struct err *e) {
    struct pool_part part;
    if (part_read(call, &part, e) < 0 || grant_read(call, &part, e) < 0) return -1;
    bool confirmed = call_flag(call, "confirm");
    scoped_json json_t *answer = NULL;
    struct change looking = {.call = call, .arg = &part};
    int status = confirmed ? change_run(call, lose_body, &part, NULL, &answer, e)
                           : store_read(call->store, lose_look, &looking, e);
    if (!confirmed && status == 0) json_object_set_new(looking.answer, "confirmed", json_false());
    if (!confirmed) answer = looking.answer;
    return status < 0 || loss_print(call, answer, confirmed && !call->dry_run, e) == 0 ? status : -1;
}

static const struct column back_columns[] = {{"flavor", "FLAVOR", CELL_TEXT, false},
                                             {"units", "UNITS", CELL_COUNT, false},
                                             {NULL, NULL, CELL_TEXT, false}};

static int restore_body(struct change *c, struct err *e) {
    int64_t pool;
    if (pool_find(c->store, c->call->arguments[0], &pool, e) < 0) return -1;
    return pool_restore(c->store, pool, c->arg, c->call->actor, c->call->now, &c->answer, e);
}

int pool_restore_run(struct call *call, struct err *e) {
    struct pool_part part;
    scoped_json json_t *answer = NULL;
    if (part_read(call, &part, e) < 0) return -1;
    int status = change_run(call, restore_body, &part, NULL, &answer, e);
    if (status < 0 || call->quiet) return status;
    if (strcmp(call->format, "table") != 0)
        return output_object(call, back_columns, answer, e) < 0 ? -1 : status;
    const json_t *flavors = json_object_get(answer, "flavors");
    if (json_array_size(flavors) == 0) output_say(call, "no units came back");
    if (json_array_size(flavors) && output_list(call, back_columns, flavors, e) < 0) return -1;
    if (part.host && !call->dry_run)
        output_say(call, "next: allot reconcile --pool %s removes servers that came back with it",
                   call->arguments[0]);
    return status;
}
