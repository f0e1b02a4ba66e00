/* SPDX-License-Identifier: Apache-2.0 */
/* pool bind, pool unbind: whose a project is, and who works in it. */
#include "alloc/project.h"
#include "alloc/scope.h"
#include "alloc/tenant.h"
#include "alloc/text.h"
#include "cmd/change.h"
#include "cmd/output.h"
#include "cmd/pool.h"
#include "cmd/provide.h"

#include <stdlib.h>
#include <string.h>

const struct option pool_bind_options[] = {
    {"project", "NAME", "this one, instead of the first that is free", false},
    {"member", "USER", "the user at the cloud who works there ('': none)", false},
    {NULL, NULL, NULL, false}};

struct binding {
    const char *project, *member; /* NULL: not named */
    bool ends;
};

static int pool_has(struct book *b, const char *pool, unsigned *capabilities, struct err *e) {
    if (pool_capabilities(b->store, b->pool, capabilities, e) < 0) return -1;
    if (*capabilities & (BACKEND_HAS_PROJECTS | BACKEND_BY_QUOTA)) return 0;
    return err_set(e, ERR_CONFLICT, "pool %s has no projects: its backend gives tenants servers on its hosts",
                   pool);
}

static int begin(struct book *b, const struct binding *d, const char *pool, int64_t tenant, char **name,
                 struct err *e) {
    unsigned capabilities;
    if (pool_has(b, pool, &capabilities, e) < 0) return -1;
    bool has_projects = (capabilities & BACKEND_HAS_PROJECTS) != 0;
    if (d->project && !has_projects)
        return err_set(e, ERR_CONFLICT, "pool %s: its backend makes a project for each tenant itself", pool);
    if (d->member && !(capabilities & BACKEND_BY_QUOTA))
        return err_set(e, ERR_CONFLICT, "pool %s: only where tenants get quota do they work in their project",
                       pool);
    if (d->member && *d->member && (!text_is_printable(d->member) || strlen(d->member) > 255))
        return err_set(e, ERR_USAGE, "--member: is not printable, or longer than 255 bytes");
    if (d->project && project_assign(b, tenant, d->project, e) < 0) return -1;
    if (has_projects && project_bind(b, tenant, name, e) < 0) return -1;
    return d->member ? project_member_set(b, tenant, *d->member ? d->member : NULL, e) : 0;
}

static int body(struct change *c, struct err *e) {
    const struct binding *d = c->arg;
    const char *pool_name = c->call->arguments[0];
    struct tenant_row tenant = {0};
    scoped_free char *name = NULL;
    struct book b;
    int64_t pool;
    if (pool_find(c->store, pool_name, &pool, e) < 0 ||
        tenant_find(c->store, c->call->arguments[1], &tenant, e) < 0)
        return -1;
    int rc = book_open(&b, c->store, pool, c->call->actor, c->call->now, e);
    if (rc == 0)
        rc = d->ends ? project_unbind(&b, tenant.id, &name, e) : begin(&b, d, pool_name, tenant.id, &name, e);
    if (rc == 0) rc = book_close(&b, e);
    if (rc == 0)
        c->answer = json_pack("{s:s, s:s, s:s?, s:s}", "pool", pool_name, "tenant", c->call->arguments[1],
                              "project", name, "state", d->ends ? "free" : "bound");
    return rc;
}

static const struct column columns[] = {{"pool", "pool", CELL_TEXT, false},
                                        {"tenant", "tenant", CELL_TEXT, false},
                                        {"project", "project", CELL_TEXT, false},
                                        {"state", "state", CELL_STATE, false},
                                        {NULL, NULL, CELL_TEXT, false}};

static int either(struct call *call, struct binding d, struct err *e) {
    scoped_json json_t *answer = NULL;
    int status = change_run(call, body, &d, NULL, &answer, e);
    return status < 0 || call->quiet || output_object(call, columns, answer, e) == 0 ? status : -1;
}

int pool_bind_run(struct call *call, struct err *e) {
    int status =
        either(call, (struct binding){call_option(call, "project"), call_option(call, "member"), false}, e);
    if (status == 0 && call_option(call, "member") && !call->dry_run)
        output_say(call, "next: allot reconcile --pool %s lets the user in", call->arguments[0]);
    return status;
}

int pool_unbind_run(struct call *call, struct err *e) {
    return either(call, (struct binding){.ends = true}, e);
}
