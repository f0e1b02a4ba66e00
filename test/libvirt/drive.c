/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive BACKEND VERB: one call of a backend through the dispatcher, for tests in shell. The pool and the
 * operations come as JSON on standard input:
 *   {"pool": {"name","basis","store","deadline_ms","hosts":{NAME:URI or {"uri","settings"}},"settings":{},
 *             "catalogue":{}},
 *    "operations":
 * [{"token","kind":"server|volume|container|quota","fresh","name","host","tenant","grant","number","flavor","units",
 *                    "slots":[[name,address,attach]],"disks":[[name,token]],"keys":[],"bytes",
 *                    "quota":{"limits":{FLAVOR:UNITS},"storage","datalake","member"}}]}
 * The answers go to standard output as one JSON object. Exit: 0, or the code of the error.
 */
#include "alloc/dispatch.h"
#include "alloc/fault.h"
#include "alloc/json.h"
#include "alloc/plugin.h"
#include "alloc/scope.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *text(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}
static int64_t number(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}
static const char *at(const json_t *list, size_t i) { return json_string_value(json_array_get(list, i)); }

static void pool_fill(const json_t *in, struct backend_pool *pool) {
    const json_t *hosts = json_object_get(in, "hosts");
    struct backend_host *list = mem_alloc(json_object_size(hosts) * sizeof *list);
    const char *name;
    json_t *uri;
    *pool = (struct backend_pool){.name = text(in, "name"),
                                  .basis = "fp32",
                                  .hosts = list,
                                  .settings = json_object_get(in, "settings"),
                                  .catalogue = json_object_get(in, "catalogue"),
                                  .store_id = text(in, "store"),
                                  .deadline_ms = number(in, "deadline_ms")};
    json_object_foreach((json_t *)hosts, name, uri) {
        const char *plain = json_string_value(uri);
        const json_t *settings = json_object_get(uri, "settings");
        list[pool->n_hosts++] = (struct backend_host){name, plain ? plain : text(uri, "uri"),
                                                      json_is_object(settings) ? settings : NULL};
    }
}

static void slots_fill(const json_t *in, struct backend_operation *op) {
    const json_t *slots = json_object_get(in, "slots"), *disks = json_object_get(in, "disks");
    const json_t *keys = json_object_get(in, "keys");
    struct backend_slot *s = mem_alloc(json_array_size(slots) * sizeof *s);
    struct backend_disk *d = mem_alloc(json_array_size(disks) * sizeof *d);
    const char **k = mem_alloc(json_array_size(keys) * sizeof *k);
    size_t i;
    json_t *item;
    json_array_foreach(slots, i, item) s[i] = (struct backend_slot){at(item, 0), at(item, 1), at(item, 2)};
    json_array_foreach(disks, i, item) d[i] = (struct backend_disk){at(item, 0), at(item, 1)};
    json_array_foreach(keys, i, item) k[i] = json_string_value(item);
    op->slots = s, op->n_slots = json_array_size(slots);
    op->disks = d, op->n_disks = json_array_size(disks);
    op->ssh_keys = k, op->n_ssh_keys = json_array_size(keys);
}

static void quota_fill(const json_t *in, struct backend_quota *quota) {
    const json_t *units = json_object_get(in, "limits");
    struct backend_limit *limits = mem_alloc((json_object_size(units) + 1) * sizeof *limits);
    const char *flavor;
    json_t *value;
    *quota = (struct backend_quota){.limits = limits,
                                    .storage = bytes(number(in, "storage")),
                                    .datalake = bytes(number(in, "datalake")),
                                    .member = text(in, "member")};
    json_object_foreach((json_t *)units, flavor, value) {
        limits[quota->n_limits++] = (struct backend_limit){flavor, json_integer_value(value)};
    }
}

static json_t *limits_json(const struct backend_seen *s) {
    if (s->kind != BACKEND_QUOTA) return NULL;
    json_t *limits = json_object();
    for (size_t i = 0; i < s->n_limits; i++)
        json_object_set_new(limits, s->limits[i].flavor, json_integer(s->limits[i].units));
    return json_pack("{s:o, s:I, s:I}", "limits", limits, "storage", (json_int_t)s->bytes.n, "datalake",
                     (json_int_t)s->datalake.n);
}

static enum backend_kind kind_of(const json_t *o) {
    const char *kind = text(o, "kind");
    for (int i = 0; kind && backend_kind_words[i]; i++)
        if (strcmp(backend_kind_words[i], kind) == 0) return (enum backend_kind)i;
    return BACKEND_SERVER;
}

static struct backend_operation *operations_fill(const json_t *in, size_t *n) {
    *n = json_array_size(in);
    struct backend_operation *ops = mem_alloc(*n * sizeof *ops);
    for (size_t i = 0; i < *n; i++) {
        const json_t *o = json_array_get(in, i);
        ops[i] = (struct backend_operation){
            .token = text(o, "token"),
            .kind = kind_of(o),
            .fresh = json_is_true(json_object_get(o, "fresh")),
            .name = text(o, "name"),
            .host = text(o, "host"),
            .tenant = text(o, "tenant"),
            .grant = text(o, "grant"),
            .tenant_number = number(o, "number"),
            .flavor = text(o, "flavor"),
            .units = number(o, "units"),
            .bytes = bytes(number(o, "bytes")),
        };
        slots_fill(o, &ops[i]);
        quota_fill(json_object_get(o, "quota"), &ops[i].quota);
    }
    return ops;
}

static json_t *answers(struct backend_operation *ops, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s?, s:O?}", "token", ops[i].token, "answer",
                                              backend_answer_word(ops[i].answer), "detail", ops[i].detail,
                                              "connection", ops[i].connection));
    return json_pack("{s:o}", "operations", list);
}

static json_t *view_json(struct backend_view *v) {
    json_t *seen = json_array(), *slots = json_array(), *hosts = json_array();
    for (size_t i = 0; i < v->n_seen; i++) {
        const struct backend_seen *s = &v->seen[i];
        json_array_append_new(seen, json_pack("{s:s?, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:O?, s:o*}",
                                              "token", s->token, "kind", backend_kind_words[s->kind], "name",
                                              s->name, "host", s->host, "state", backend_state_word(s->state),
                                              "bytes", (json_int_t)s->bytes.n, "allocated",
                                              (json_int_t)s->allocated.n, "created", (json_int_t)s->created.s,
                                              "connection", s->connection, "quota", limits_json(s)));
    }
    for (size_t i = 0; i < v->n_slots; i++) {
        const struct backend_found_slot *s = &v->slots[i];
        json_array_append_new(slots, json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s}", "host", s->host, "flavor",
                                               s->flavor, "name", s->name, "address", s->address, "attach",
                                               s->attach, "description", s->description));
    }
    for (size_t i = 0; i < v->n_hosts; i++) {
        const struct backend_host_report *h = &v->hosts[i];
        json_array_append_new(hosts, json_pack("{s:s, s:b, s:s?, s:I, s:I}", "host", h->host, "answered",
                                               (int)h->answered, "detail", h->detail, "capacity",
                                               (json_int_t)h->storage_capacity.n, "free",
                                               (json_int_t)h->storage_free.n));
    }
    return json_pack("{s:o, s:o, s:o}", "seen", seen, "slots", slots, "hosts", hosts);
}

static const struct backend *backend_open(const char *name, struct err *e) {
    char folder[PATH_MAX] = "";
    if (readlink("/proc/self/exe", folder, sizeof folder - 1) < 0) return NULL;
    for (int up = 0; up < 2; up++) *strrchr(folder, '/') = '\0'; /* build/libvirt/drive */
    return plugin_open_from(folder, name, e);
}

/* All of it, so that a sanitizer sees what a plug-in leaves behind. */
static void all_free(struct backend_pool *pool, struct backend_operation *ops, size_t n,
                     struct backend_view *view) {
    for (size_t i = 0; i < n; i++) {
        free((void *)ops[i].slots);
        free((void *)ops[i].disks);
        free((void *)ops[i].ssh_keys);
        free((void *)ops[i].quota.limits);
        free(ops[i].detail);
        json_decref(ops[i].connection);
    }
    free(ops);
    free((void *)pool->hosts);
    backend_view_free(view);
}

static int call(const struct backend *b, const char *verb, const json_t *in, json_t **out, struct err *e) {
    struct backend_pool pool;
    struct backend_view view = {0};
    size_t n = 0;
    unsigned capabilities;
    pool_fill(json_object_get(in, "pool"), &pool);
    struct backend_operation *ops = operations_fill(json_object_get(in, "operations"), &n);
    int rc = strcmp(verb, "check") == 0     ? dispatch_check(b, &pool, &capabilities, e)
             : strcmp(verb, "ensure") == 0  ? dispatch_ensure(b, &pool, ops, n, e)
             : strcmp(verb, "remove") == 0  ? dispatch_remove(b, &pool, ops, n, e)
             : strcmp(verb, "observe") == 0 ? dispatch_observe(b, &pool, &view, e)
             : strcmp(verb, "sync") == 0    ? dispatch_sync(b, &pool, &view, e)
                                            : err_set(e, ERR_USAGE, "no verb %s", verb);
    *out = strcmp(verb, "ensure") == 0 || strcmp(verb, "remove") == 0 ? answers(ops, n) : view_json(&view);
    all_free(&pool, ops, n, &view);
    return rc;
}

int main(int argc, char **argv) {
    struct err e = {0};
    fault_arm(getenv("ALLOT_FAULT"));
    json_t *in = argc == 3 ? json_load_path("-", &e) : NULL, *out = NULL;
    const struct backend *b = in ? backend_open(argv[1], &e) : NULL;
    int rc = b ? call(b, argv[2], in, &out, &e) : -1;
    if (out) json_dumpf(out, stdout, JSON_COMPACT);
    puts("");
    if (rc < 0) fprintf(stderr, "drive: %s: %s\n", e.what, e.hint);
    json_decref(out);
    json_decref(in);
    return rc < 0 ? (int)e.code : 0;
}
