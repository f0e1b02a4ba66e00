/* SPDX-License-Identifier: Apache-2.0 */
/* pool add, pool set: a declaration is checked by its backend before anything is written. */
#include "alloc/dispatch.h"
#include "alloc/plugin.h"
#include "alloc/pool_run.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/change.h"
#include "cmd/config.h"
#include "cmd/data.h"
#include "cmd/output.h"
#include "cmd/pool.h"

#include <string.h>

#define DECLARATION                                                                                          \
    {"file", "FILE", "the declaration in YAML or JSON; options win over it", false},                         \
        {"host", "NAME=URI", "a host and how to reach it", true},                                            \
        {"project", "NAME=ID", "a project of the cloud, for one tenant", true},                              \
        {"flavor", "WORDS", "a flavor: name=NAME,rating=RATE,units=N,sizes=1/2/4 ...", true},                \
        {"storage", "AMOUNT", "bytes to share", false},                                                      \
        {"datalake", "AMOUNT", "bytes of object storage to share", false},                                   \
        {"saas", "NAME=SEATS", "software lent by the seat", true},                                           \
        {"measures", "METRIC", "what the backend measures of a grant", true},                                \
        {"granule", "AMOUNT", "storage is rounded down to a multiple of it (1 GB)", false},                  \
        {"volume-least", "AMOUNT", "the smallest volume (1 GB)", false},                                     \
        {"volume-most", "AMOUNT", "the largest volume (16 TB)", false}, {                                    \
        "setting", "KEY=VALUE", "a setting of the backend; VALUE may be JSON", true                          \
    }

const struct option pool_add_options[] = {
    {"backend", "NAME", "what makes servers and volumes: libvirt, openstack, simulated", false},
    {"basis", "PRECISION", "precision of all ratings: fp32, fp16 ...", false},
    DECLARATION,
    {NULL, NULL, NULL, false}};

const struct option pool_set_options[] = {
    DECLARATION,
    {"units", "FLAVOR=N", "so many units of a flavor", true},
    {"rating", "FLAVOR=RATE", "another rating; grants keep theirs", true},
    {"drop-host", "NAME", "a host or project that goes", true},
    {"drop-flavor", "NAME", "a flavor that goes", true},
    {"drop-saas", "NAME", "a service that goes", true},
    {NULL, NULL, NULL, false}};

struct declaring {
    struct pool_spec *spec;
    unsigned capabilities;
};

/* The backend's own check touches no host, so it may be made while nothing is locked. */
static int backend_check(struct call *call, const struct pool_spec *spec, unsigned *capabilities,
                         struct err *e) {
    if (pool_spec_check(spec, e) < 0) return -1;
    const struct backend *b = plugin_open(spec->backend, e);
    scoped_json json_t *catalogue = b ? data_catalogue(e) : NULL;
    if (!b || !catalogue) return -1;
    struct backend_host *hosts = mem_alloc((spec->n_hosts + 1) * sizeof *hosts);
    for (size_t i = 0; i < spec->n_hosts; i++)
        hosts[i] = (struct backend_host){spec->hosts[i].name, spec->hosts[i].uri, spec->hosts[i].settings};
    struct backend_pool pool = {.name = spec->name,
                                .basis = spec->basis,
                                .hosts = hosts,
                                .n_hosts = spec->n_hosts,
                                .settings = spec->settings,
                                .catalogue = catalogue,
                                .store_id = store_id(call->store),
                                .deadline_ms = call->config->deadline.s * 1000};
    int rc = dispatch_check(b, &pool, capabilities, e);
    if (rc == 0) rc = pool_spec_fits(spec, *capabilities, e);
    scope_free(&hosts);
    return rc;
}

/* ---- add ---- */

static int add_body(struct change *c, struct err *e) {
    const struct declaring *d = c->arg;
    int64_t pool;
    if (pool_add(c->store, d->spec, d->capabilities, c->call->actor, c->call->now, &pool, e) < 0) return -1;
    c->answer = pool_show(c->store, pool, e);
    return c->answer ? 0 : -1;
}

static const struct column add_columns[] = {{"pool", "pool", CELL_TEXT, false},
                                            {"backend", "backend", CELL_TEXT, false},
                                            {"basis", "basis", CELL_TEXT, false},
                                            {"units", "units", CELL_COUNT, false},
                                            {"compute_gflops", "compute", CELL_GFLOPS, false},
                                            {"storage_bytes", "storage", CELL_BYTES, false},
                                            {"note", "note", CELL_TEXT, false},
                                            {NULL, NULL, CELL_TEXT, false}};

int pool_add_run(struct call *call, struct err *e) {
    struct pool_spec spec = {0};
    struct declaring d = {&spec, 0};
    scoped_json json_t *answer = NULL;
    struct text file = {0};
    int status = pool_words_file(call, &file, e);
    if (status == 0) status = pool_words_read(call, call->arguments[0], NULL, &spec, e);
    if (status == 0) status = backend_check(call, &spec, &d.capabilities, e);
    if (status == 0) status = change_run(call, add_body, &d, file.s, &answer, e);
    if (status >= 0 && !call->quiet && output_object(call, add_columns, answer, e) < 0) status = -1;
    if (status == 0 && (d.capabilities & BACKEND_HAS_SLOTS) && !call->dry_run)
        output_say(call, "next: allot pool sync %s", call->arguments[0]);
    text_free(&file);
    pool_spec_free(&spec);
    return status;
}

/* ---- set ---- */

static int set_body(struct change *c, struct err *e) {
    const struct declaring *d = c->arg;
    int64_t pool;
    if (pool_find(c->store, d->spec->name, &pool, e) < 0) return -1;
    return pool_set(c->store, pool, d->spec, d->capabilities, c->call->actor, c->call->now, &c->answer, e);
}

static const struct column set_columns[] = {{"what", "WHAT", CELL_TEXT, false},
                                            {"from", "FROM", CELL_TEXT, false},
                                            {"to", "TO", CELL_TEXT, false},
                                            {NULL, NULL, CELL_TEXT, false}};

static int set_read(struct call *call, struct pool_spec *out, struct err *e) {
    struct pool_spec base;
    int64_t pool;
    if (pool_find(call->store, call->arguments[0], &pool, e) < 0 ||
        pool_spec_load(call->store, pool, &base, e) < 0)
        return -1;
    int rc = pool_words_read(call, call->arguments[0], &base, out, e);
    pool_spec_free(&base);
    return rc;
}

int pool_set_run(struct call *call, struct err *e) {
    struct pool_spec spec = {0};
    struct declaring d = {&spec, 0};
    scoped_json json_t *answer = NULL;
    struct text file = {0};
    int status = pool_words_file(call, &file, e);
    if (status == 0) status = set_read(call, &spec, e);
    if (status == 0) status = backend_check(call, &spec, &d.capabilities, e);
    if (status == 0) status = change_run(call, set_body, &d, file.s, &answer, e);
    if (status >= 0 && json_array_size(answer) == 0 && strcmp(call->format, "table") == 0)
        output_say(call, "pool %s: nothing differs", call->arguments[0]);
    else if (status >= 0 && !call->quiet && output_list(call, set_columns, answer, e) < 0)
        status = -1;
    text_free(&file);
    pool_spec_free(&spec);
    return status;
}
