/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cloud that is only a file, for trying allot out and for its crash test. It keeps the promises of
 * alloc/backend.h as strictly as a real one: names and slots are held by one token, flavors and storage
 * run out, a thing is found again by its token. Settings (of the pool):
 *   file                    where the cloud is kept
 *   flavors.NAME            units_per_host (count), attach (word of the slots, default none)
 *   storage_bytes_per_host  optional limit for the sum of volumes on one host
 *   fail_names, lose_answers, slow, dead_hosts   patterns (fnmatch) of names, or of hosts: refused;
 *                           done but answered "unknown"; answered "started", done at the next observe;
 *                           hosts that do not answer
 *   slow_calls              what is slow is done, too, when it was asked for so many times more
 *   projects, containers    true: hosts are projects; the data lake is a container
 *   hold_containers         false: the cloud lets more into a container than its size; allot freezes it then
 *   deliver                 instance, or quota: what a tenant may use in a project
 * A test plays the tenant by editing the file: "allocated" of a container, "used" of what may be used.
 */
#include "backends/simulated.h"

#include "alloc/json.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* The settings and the cloud, locked. */
static int begin(const struct backend_pool *pool, struct simulated *s, struct cloud *c, struct err *e) {
    if (simulated_settings_read(pool, s, e) == 0 && cloud_open(c, s->file, pool->deadline_ms, e) == 0)
        return 0;
    simulated_settings_drop(s);
    return -1;
}

static void end(struct simulated *s, struct cloud *c) {
    cloud_close(c);
    simulated_settings_drop(s);
}

static bool pool_has_host(const struct backend_pool *pool, const char *name) {
    for (size_t i = 0; i < pool->n_hosts; i++)
        if (strcmp(pool->hosts[i].name, name) == 0) return true;
    return pool->n_hosts == 0 && *name == '\0';
}

/* ---- the verbs ---- */

typedef bool one_operation(const struct simulated *, struct cloud *, struct backend_operation *);

/* All of one kind; volumes come before servers when they are made, after them when they go. */
static void walk(const struct simulated *s, const struct backend_pool *pool, struct cloud *c,
                 one_operation *one, enum backend_kind kind, struct backend_operation *ops, size_t n,
                 bool *changed) {
    for (size_t i = 0; i < n; i++) {
        if (ops[i].kind != kind || !pool_has_host(pool, ops[i].host)) continue;
        if (simulated_matches(&s->dead_hosts, ops[i].host))
            simulated_answer(&ops[i], BACKEND_NOTHING_HAPPENED, "host %s does not answer", ops[i].host);
        else
            changed[i] = one(s, c, &ops[i]);
    }
}

/* After the write: what was to change did not, or nobody knows, or the answer is told to get lost. */
static void settle(const struct simulated *s, struct backend_operation *ops, size_t n, const bool *changed,
                   int saved, const struct err *e) {
    for (size_t i = 0; i < n; i++) {
        bool lost = simulated_matches(&s->lose_answers, ops[i].name);
        if (!changed[i] || (saved == 0 && !lost)) continue;
        json_decref(ops[i].connection);
        ops[i].connection = NULL;
        if (saved < 0)
            simulated_answer(&ops[i], e->code == ERR_UNKNOWN ? BACKEND_UNKNOWN : BACKEND_NOTHING_HAPPENED,
                             "%s", e->what);
        else
            simulated_answer(&ops[i], BACKEND_UNKNOWN, "the answer for %s got lost (settings.lose_answers)",
                             ops[i].name);
    }
}

static int run(const struct backend_pool *pool, one_operation *one, const enum backend_kind order[],
               struct backend_operation *ops, size_t n, struct err *e) {
    struct simulated s;
    struct cloud c;
    if (begin(pool, &s, &c, e) < 0) return -1;
    bool *changed scoped_free = mem_alloc(n * sizeof *changed);
    for (size_t i = 0; i <= BACKEND_QUOTA; i++) walk(&s, pool, &c, one, order[i], ops, n, changed);
    struct err own = {0};
    int saved = cloud_save(&c, &own);
    settle(&s, ops, n, changed, saved, &own);
    end(&s, &c);
    return 0;
}

static int simulated_ensure(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                            struct err *e) {
    static const enum backend_kind order[] = {BACKEND_VOLUME, BACKEND_CONTAINER, BACKEND_QUOTA,
                                              BACKEND_SERVER};
    return run(pool, simulated_ensure_one, order, ops, n, e);
}

static int simulated_remove(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                            struct err *e) {
    static const enum backend_kind order[] = {BACKEND_SERVER, BACKEND_QUOTA, BACKEND_CONTAINER,
                                              BACKEND_VOLUME};
    return run(pool, simulated_remove_one, order, ops, n, e);
}

static int simulated_check(const struct backend_pool *pool, unsigned *capabilities, struct err *e) {
    struct simulated s;
    int rc = simulated_settings_read(pool, &s, e);
    *capabilities = (s.has_projects ? BACKEND_HAS_PROJECTS : 0) |
                    (s.has_containers ? BACKEND_HAS_CONTAINERS : 0) | (s.by_quota ? BACKEND_BY_QUOTA : 0) |
                    (s.has_projects || s.by_quota ? 0 : BACKEND_HAS_SLOTS);
    simulated_settings_drop(&s);
    return rc;
}

static void reports(const struct simulated *s, const struct backend_pool *pool, const struct cloud *c,
                    struct backend_view *out) {
    out->n_hosts = pool->n_hosts ? pool->n_hosts : 1;
    out->hosts = mem_alloc(out->n_hosts * sizeof *out->hosts);
    for (size_t i = 0; i < out->n_hosts; i++) {
        struct backend_host_report *h = &out->hosts[i];
        h->host = mem_copy(pool->n_hosts ? pool->hosts[i].name : "");
        h->answered = !simulated_matches(&s->dead_hosts, h->host);
        if (!h->answered) h->detail = mem_copy("does not answer (settings.dead_hosts)");
        if (!h->answered || !s->has_storage) continue;
        h->storage_capacity = bytes(s->storage.n);
        h->storage_free = bytes(s->storage.n - cloud_used(c, h->host, "/"));
    }
}

/* What was slow is done now: the next look finds it so. */
static void slow_finish(struct cloud *c) {
    const char *token;
    json_t *thing;
    void *next;
    json_object_foreach_safe(c->things, next, token, thing) {
        if (thing_is(thing, "leaving")) {
            cloud_drop(c, token);
        } else if (thing_is(thing, "starting")) {
            json_object_del(thing, "starting");
            c->changed = true;
        }
    }
}

static enum backend_state state_of(const json_t *thing) {
    if (thing_is(thing, "starting") || thing_is(thing, "leaving")) return SEEN_STARTING;
    if (thing_kind(thing) == BACKEND_SERVER) return SEEN_RUNNING;
    return strcmp(thing_text(thing, "state"), "paused") == 0 ? SEEN_PAUSED : SEEN_PRESENT;
}

/* How to reach a server, and of everything whose it is. */
static json_t *written_on(const json_t *thing) {
    json_t *words =
        json_pack("{s:s, s:s}", "tenant", thing_text(thing, "tenant"), "grant", thing_text(thing, "grant"));
    json_t *how = simulated_connection(thing);
    if (how) json_object_update(words, how);
    json_decref(how);
    return words;
}

static void see(const struct simulated *s, const struct backend_pool *pool, const struct cloud *c,
                struct backend_view *out) {
    const char *token;
    json_t *thing;
    size_t room = 0;
    json_object_foreach(c->things, token, thing) {
        const char *host = thing_text(thing, "host");
        if (thing_is_allowance(thing) || !pool_has_host(pool, host) ||
            simulated_matches(&s->dead_hosts, host))
            continue;
        out->seen = mem_grow(out->seen, &room, out->n_seen + 1, sizeof *out->seen);
        struct backend_seen *seen = &out->seen[out->n_seen++];
        *seen = (struct backend_seen){
            .token = mem_copy(token),
            .kind = thing_kind(thing),
            .name = mem_copy(thing_text(thing, "name")),
            .host = mem_copy(host),
            .state = state_of(thing),
            .bytes = bytes(thing_number(thing, "bytes")),
            .allocated = bytes(thing_number(thing, "allocated")),
            .created = instant(thing_number(thing, "created")),
            .connection = written_on(thing),
        };
        if (seen->kind == BACKEND_QUOTA) simulated_quota_see(c, thing, seen);
    }
}

static int simulated_observe(const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    struct simulated s;
    struct cloud c;
    if (begin(pool, &s, &c, e) < 0) return -1;
    slow_finish(&c);
    int rc = cloud_save(&c, e);
    if (rc == 0) {
        reports(&s, pool, &c, out);
        see(&s, pool, &c, out);
    }
    end(&s, &c);
    return rc;
}

static void slots_list(const char *host, const char *flavor, const struct simulated_flavor *f,
                       struct backend_view *out, size_t *room) {
    bool counted = f->attach == 0;
    for (int64_t i = 1; i <= f->units_per_host; i++) {
        struct text name = {0}, address = {0};
        text_add(&name, "%s-%s-%04lld", simulated_attaches[f->attach], flavor, (long long)i);
        if (!counted) text_add(&address, "sim:%lld", (long long)i);
        out->slots = mem_grow(out->slots, room, out->n_slots + 1, sizeof *out->slots);
        out->slots[out->n_slots++] = (struct backend_found_slot){
            .host = mem_copy(host),
            .flavor = mem_copy(flavor),
            .name = text_take(&name),
            .address = text_take(&address),
            .attach = mem_copy(simulated_attaches[f->attach]),
            .description = mem_copy("simulated"),
        };
    }
}

static int simulated_sync(const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    struct simulated s;
    struct cloud c;
    if (begin(pool, &s, &c, e) < 0) return -1;
    reports(&s, pool, &c, out);
    size_t room = 0;
    for (size_t i = 0; i < pool->n_hosts && !s.has_projects && !s.by_quota; i++) {
        if (!out->hosts[i].answered) continue;
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)s.flavors.value, name, value) {
            struct simulated_flavor f;
            if (simulated_flavor_read(&s, name, &f, e) == 0)
                slots_list(pool->hosts[i].name, name, &f, out, &room);
        }
    }
    end(&s, &c);
    return 0;
}

__attribute__((visibility("default"))) extern const struct backend allot_backend;
const struct backend allot_backend = {
    .build_id = BACKEND_BUILD_ID,
    .name = "simulated",
    .batch = 48,
    .check = simulated_check,
    .sync = simulated_sync,
    .ensure = simulated_ensure,
    .observe = simulated_observe,
    .remove = simulated_remove,
};
