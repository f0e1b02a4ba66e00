/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/pool.h"

#include "alloc/pool_run.h"
#include "alloc/scope.h"
#include "cmd/change.h"
#include "alloc/scope.h"
#include "cmd/output.h"

#include <string.h>

/* ---- show, list ---- */

static const struct column head_columns[] = {{"name", "pool", CELL_TEXT, false},
                                             {"state", "state", CELL_STATE, false},
                                             {"backend", "backend", CELL_TEXT, false},
                                             {"basis", "basis", CELL_TEXT, false},
                                             {"compute_gflops", "compute", CELL_GFLOPS, false},
                                             {"compute_free_gflops", "compute free", CELL_GFLOPS, false},
                                             {"storage_bytes", "storage", CELL_BYTES, false},
                                             {"storage_free_bytes", "storage free", CELL_BYTES, false},
                                             {"datalake_bytes", "data lake", CELL_BYTES, false},
                                             {"datalake_free_bytes", "data lake free", CELL_BYTES, false},
                                             {"metrics", "measures", CELL_TEXT, false},
                                             {"granule_bytes", "granule", CELL_BYTES, false},
                                             {"volume_least_bytes", "volume least", CELL_BYTES, false},
                                             {"volume_most_bytes", "volume most", CELL_BYTES, false},
                                             {"note", "note", CELL_TEXT, false},
                                             {NULL, NULL, CELL_TEXT, false}};
static const struct column flavor_columns[] = {{"name", "FLAVOR", CELL_TEXT, false},
                                               {"rating_gflops", "RATING", CELL_GFLOPS, false},
                                               {"sizes", "SIZES", CELL_TEXT, false},
                                               {"units", "UNITS", CELL_COUNT, false},
                                               {"free_units", "FREE", CELL_COUNT, false},
                                               {"placeable_units", "PLACEABLE", CELL_COUNT, false},
                                               {"lent_units", "LENT", CELL_COUNT, true},
                                               {"lost_units", "LOST", CELL_COUNT, false},
                                               {"compute_gflops", "COMPUTE", CELL_GFLOPS, true},
                                               {"attach", "ATTACH", CELL_TEXT, true},
                                               {"note", "NOTE", CELL_TEXT, false},
                                               {NULL, NULL, CELL_TEXT, false}};
static const struct column service_columns[] = {{"name", "SERVICE", CELL_TEXT, false},
                                                {"seats", "SEATS", CELL_COUNT, false},
                                                {"free_seats", "FREE", CELL_COUNT, false},
                                                {NULL, NULL, CELL_TEXT, false}};
static const struct column host_columns[] = {{"name", "HOST", CELL_TEXT, false},
                                             {"state", "STATE", CELL_STATE, false},
                                             {"devices", "DEVICES", CELL_COUNT, false},
                                             {"free_devices", "FREE", CELL_COUNT, false},
                                             {"storage_capacity_bytes", "STORAGE", CELL_BYTES, false},
                                             {"storage_used_percent", "USED%", CELL_COUNT, false},
                                             {"seen_at", "SEEN", CELL_INSTANT, false},
                                             {"uri", "URI", CELL_TEXT, true},
                                             {"trouble", "TROUBLE", CELL_TEXT, false},
                                             {NULL, NULL, CELL_TEXT, false}};

static const struct column project_columns[] = {
    {"name", "PROJECT", CELL_TEXT, false},    {"state", "STATE", CELL_STATE, false},
    {"tenant", "TENANT", CELL_TEXT, false},   {"member", "MEMBER", CELL_TEXT, true},
    {"id", "ID", CELL_TEXT, false},           {"object_store_id", "OBJECT STORE", CELL_TEXT, true},
    {"cloud", "CLOUD", CELL_TEXT, true},      {"seen_at", "SEEN", CELL_INSTANT, false},
    {"trouble", "TROUBLE", CELL_TEXT, false}, {NULL, NULL, CELL_TEXT, false}};

static int show_run(struct call *call, struct err *e) {
    int64_t pool;
    if (pool_find(call->store, call->arguments[0], &pool, e) < 0) return -1;
    scoped_json json_t *shown = pool_show(call->store, pool, e);
    if (!shown || output_object(call, head_columns, shown, e) < 0) return -1;
    if (strcmp(call->format, "table") != 0) return 0;
    fputc('\n', call->out);
    if (output_list(call, flavor_columns, json_object_get(shown, "flavors"), e) < 0) return -1;
    const json_t *services = json_object_get(shown, "services");
    if (json_array_size(services)) {
        fputc('\n', call->out);
        if (output_list(call, service_columns, services, e) < 0) return -1;
    }
    fputc('\n', call->out);
    const json_t *projects = json_object_get(shown, "projects");
    if (json_array_size(projects)) return output_list(call, project_columns, projects, e);
    return output_list(call, host_columns, json_object_get(shown, "hosts"), e);
}

static const struct column list_columns[] = {{"name", "POOL", CELL_TEXT, false},
                                             {"state", "STATE", CELL_STATE, false},
                                             {"backend", "BACKEND", CELL_TEXT, true},
                                             {"basis", "BASIS", CELL_TEXT, false},
                                             {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                             {"compute_free_gflops", "FREE", CELL_GFLOPS, false},
                                             {"units", "UNITS", CELL_COUNT, true},
                                             {"free_units", "FREE UNITS", CELL_COUNT, true},
                                             {"lost_units", "LOST", CELL_COUNT, false},
                                             {"storage_bytes", "STORAGE", CELL_BYTES, true},
                                             {"storage_free_bytes", "FREE STORAGE", CELL_BYTES, false},
                                             {"hosts", "HOSTS", CELL_COUNT, true},
                                             {"projects", "PROJECTS", CELL_COUNT, true},
                                             {"note", "NOTE", CELL_TEXT, false},
                                             {NULL, NULL, CELL_TEXT, false}};

static int list_run(struct call *call, struct err *e) {
    scoped_json json_t *rows = pool_list(call->store, e);
    return rows ? output_list(call, list_columns, rows, e) : -1;
}

/* ---- drain ---- */

struct draining {
    const char *host;
    bool on;
};

static int drain_body(struct change *c, struct err *e) {
    const struct draining *d = c->arg;
    int64_t pool;
    if (pool_find(c->store, c->call->arguments[0], &pool, e) < 0 ||
        pool_drain(c->store, pool, d->host, d->on, c->call->actor, c->call->now, e) < 0)
        return -1;
    c->answer = json_pack("{s:s, s:s?, s:s}", "pool", c->call->arguments[0], "host", d->host, "state",
                          d->on ? "draining" : "active");
    return 0;
}

static const struct column drain_columns[] = {{"pool", "pool", CELL_TEXT, false},
                                              {"host", "host", CELL_TEXT, false},
                                              {"state", "state", CELL_STATE, false},
                                              {NULL, NULL, CELL_TEXT, false}};

static int drain_either(struct call *call, bool on, struct err *e) {
    struct draining d = {call_option(call, "host"), on};
    scoped_json json_t *answer = NULL;
    int status = change_run(call, drain_body, &d, NULL, &answer, e);
    return status < 0 || call->quiet || output_object(call, drain_columns, answer, e) == 0 ? status : -1;
}

static int drain_run(struct call *call, struct err *e) { return drain_either(call, true, e); }
static int undrain_run(struct call *call, struct err *e) { return drain_either(call, false, e); }

static const struct option drain_options[] = {{"host", "HOST", "only this host", false},
                                              {NULL, NULL, NULL, false}};

const struct command pool_commands[] = {
    {.words = "pool add",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "declare a pool: backend, hosts, flavors, storage",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = pool_add_options,
     .run = pool_add_run},
    {.words = "pool set",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "declare differences: more or fewer units, hosts, storage",
     .flags = COMMAND_CHANGES | COMMAND_LISTS,
     .role = ROLE_ADMIN,
     .options = pool_set_options,
     .run = pool_set_run},
    {.words = "pool list",
     .arguments = "",
     .summary = "list the pools with what is free",
     .flags = COMMAND_LISTS,
     .role = ROLE_AUDITOR,
     .run = list_run},
    {.words = "pool show",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "show a pool with its flavors, services and hosts",
     .flags = COMMAND_SHOWS,
     .role = ROLE_AUDITOR,
     .run = show_run},
    {.words = "pool sync",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "ask the hosts for their devices and real storage",
     .flags = COMMAND_CHANGES | COMMAND_LISTS,
     .role = ROLE_OPERATOR,
     .run = pool_sync_run},
    {.words = "pool drain",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "give nothing new from a pool or host, keep what it holds",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_OPERATOR,
     .options = drain_options,
     .run = drain_run},
    {.words = "pool undrain",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "let a drained pool or host give again",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_OPERATOR,
     .options = drain_options,
     .run = undrain_run},
    {.words = "pool bind",
     .arguments = "POOL TENANT",
     .least = 2,
     .most = 2,
     .summary = "give a tenant a project of its own, and name its user there",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = pool_bind_options,
     .run = pool_bind_run},
    {.words = "pool unbind",
     .arguments = "POOL TENANT",
     .least = 2,
     .most = 2,
     .summary = "take a project back that holds nothing of its tenant any more",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .run = pool_unbind_run},
    {.words = "pool lose",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "give up a host or units for lost: first shows whom it takes what",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = pool_lose_options,
     .run = pool_lose_run},
    {.words = "pool restore",
     .arguments = "POOL",
     .least = 1,
     .most = 1,
     .summary = "take a lost host or lost units back",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = pool_restore_options,
     .run = pool_restore_run},
    {.words = NULL}};
