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
 */
#include "backends/simulated.h"

#include "alloc/json.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct simulated {
    char title[160];
    json_t *wrapper; /* {"settings": ...}: its places name their path in full */
    const char *file;
    struct json_at root, settings, flavors, fail_names, lose_answers, slow, dead_hosts;
    bool has_storage;
    bytes_t storage; /* per host */
};

struct simulated_flavor {
    int64_t units_per_host;
    size_t attach;
};

static const char *const attach_words[] = {"none", "pci", "mdev", "vf", "vcpu", NULL};

static int flavor_read(const struct simulated *s, const char *name, struct simulated_flavor *out,
                       struct err *e) {
    static const char *const keys[] = {"units_per_host", "attach", NULL};
    struct json_at at = json_member(&s->flavors, name);
    *out = (struct simulated_flavor){0};
    if (json_only(&at, keys, e) < 0 ||
        json_need_int(&at, "units_per_host", 0, 1000000, &out->units_per_host, e) < 0)
        return -1;
    return json_may_word(&at, "attach", attach_words, &out->attach, e);
}

static int patterns_read(const struct json_at *settings, const char *key, struct json_at *out,
                         struct err *e) {
    if (json_may_array(settings, key, 10000, out, e) < 0) return -1;
    for (size_t i = 0; i < json_length(out); i++) {
        struct json_at item = json_item(out, i);
        const char *pattern;
        if (json_as_text(&item, 255, &pattern, e) < 0) return -1;
    }
    return 0;
}

/* Notes what is wrong and goes on: all of it is told at once. */
static void also(struct err *e, int rc, struct err *own) {
    size_t length = strlen(e->what);
    if (rc == 0) return;
    if (!err_is(e))
        *e = *own;
    else /* what is too long for the message is cut, and told when the rest is mended */
        snprintf(e->what + length, sizeof e->what - length, "; %s", own->what);
    err_clear(own);
}

static void flavors_read(struct simulated *s, struct err *e) {
    struct err own = {0};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)s->flavors.value, name, value) {
        struct simulated_flavor f;
        also(e, flavor_read(s, name, &f, &own), &own);
    }
}

/* To be dropped with settings_drop() also when it fails. The places point into *s. */
static int settings_read(const struct backend_pool *pool, struct simulated *s, struct err *e) {
    static const char *const keys[] = {
        "file",       "flavors", "storage_bytes_per_host", "fail_names", "lose_answers", "slow",
        "dead_hosts", NULL};
    struct err own = {0}, all = {0};
    *s = (struct simulated){.wrapper = json_pack("{s:O?}", "settings", (json_t *)pool->settings)};
    if (text_format(s->title, sizeof s->title, "pool %s", pool->name) < 0)
        return err_set(e, ERR_USAGE, "the name of the pool is too long");
    s->root = json_root(s->wrapper, s->title);
    if (json_need_object(&s->root, "settings", &s->settings, e) < 0) return -1;
    also(&all, json_only(&s->settings, keys, &own), &own);
    also(&all, json_need_text(&s->settings, "file", 4000, &s->file, &own), &own);
    also(&all, json_may_object(&s->settings, "flavors", &s->flavors, &own), &own);
    flavors_read(s, &all);
    also(&all, json_may_bytes(&s->settings, "storage_bytes_per_host", &s->storage, &own), &own);
    also(&all, patterns_read(&s->settings, "fail_names", &s->fail_names, &own), &own);
    also(&all, patterns_read(&s->settings, "lose_answers", &s->lose_answers, &own), &own);
    also(&all, patterns_read(&s->settings, "slow", &s->slow, &own), &own);
    also(&all, patterns_read(&s->settings, "dead_hosts", &s->dead_hosts, &own), &own);
    s->has_storage = json_has(&s->settings, "storage_bytes_per_host");
    if (!err_is(&all)) return 0;
    if (!err_is(e)) *e = all;
    return -1;
}

static void settings_drop(struct simulated *s) { json_decref(s->wrapper); }

/* The settings and the cloud, locked. */
static int begin(const struct backend_pool *pool, struct simulated *s, struct cloud *c, struct err *e) {
    if (settings_read(pool, s, e) == 0 && cloud_open(c, s->file, pool->deadline_ms, e) == 0) return 0;
    settings_drop(s);
    return -1;
}

static void end(struct simulated *s, struct cloud *c) {
    cloud_close(c);
    settings_drop(s);
}

static bool matches(const struct json_at *patterns, const char *name) {
    size_t i;
    json_t *pattern;
    json_array_foreach(patterns->value, i, pattern) {
        if (fnmatch(json_string_value(pattern), name, 0) == 0) return true;
    }
    return false;
}

static bool pool_has_host(const struct backend_pool *pool, const char *name) {
    for (size_t i = 0; i < pool->n_hosts; i++)
        if (strcmp(pool->hosts[i].name, name) == 0) return true;
    return false;
}

ERR_FORMAT(3, 4)
static void answer(struct backend_operation *op, enum backend_answer a, const char *format, ...) {
    char words[1024];
    op->answer = a;
    if (!format) return;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    free(op->detail);
    op->detail = mem_copy(words);
}

/* ---- ensure ---- */

static json_t *connection_of(const json_t *thing) {
    if (!json_object_get(thing, "flavor")) return NULL;
    return json_pack("{s:s, s:s, s:s}", "host", thing_text(thing, "host"), "domain",
                     thing_text(thing, "name"), "state", thing_text(thing, "state"));
}

static json_t *thing_new(const struct backend_operation *op, bool slow) {
    json_t *thing =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "token", op->token, "name", op->name, "host", op->host,
                  "tenant", op->tenant, "grant", op->grant, "created", (json_int_t)clock_now().s);
    if (op->kind == BACKEND_VOLUME) {
        json_object_set_new(thing, "bytes", json_integer(op->bytes.n));
    } else {
        json_t *slots = json_array(), *disks = json_array();
        for (size_t i = 0; i < op->n_slots; i++) json_array_append_new(slots, json_string(op->slots[i].name));
        for (size_t i = 0; i < op->n_disks; i++)
            json_array_append_new(disks, json_string(op->disks[i].token));
        json_object_set_new(thing, "flavor", json_string(op->flavor));
        json_object_set_new(thing, "units", json_integer(op->units));
        json_object_set_new(thing, "slots", slots);
        json_object_set_new(thing, "disks", disks);
    }
    json_object_set_new(thing, "state", json_string(op->kind == BACKEND_VOLUME ? "present" : "running"));
    if (slow) json_object_set_new(thing, "starting", json_true());
    return thing;
}

/* The token is there: the same thing, or a mistake that must not pass for success. */
static void found(const json_t *thing, struct backend_operation *op) {
    bool volume = json_object_get(thing, "bytes") != NULL;
    if (strcmp(thing_text(thing, "host"), op->host) != 0 || volume != (op->kind == BACKEND_VOLUME)) {
        answer(op, BACKEND_REFUSED, "%s stands on host %s as a %s", op->token, thing_text(thing, "host"),
               volume ? "volume" : "server");
    } else if (thing_is(thing, "leaving")) {
        answer(op, BACKEND_NOTHING_HAPPENED, "%s is being removed", op->token);
    } else {
        op->connection = connection_of(thing);
        answer(op, thing_is(thing, "starting") ? BACKEND_STARTED : BACKEND_DONE, NULL);
    }
}

/* False: answered, there is no room. */
static bool server_fits(const struct simulated *s, const struct cloud *c, struct backend_operation *op) {
    struct simulated_flavor f;
    struct err e = {0};
    if (!json_has(&s->flavors, op->flavor) || flavor_read(s, op->flavor, &f, &e) < 0) {
        answer(op, BACKEND_REFUSED, "host %s has no flavor %s", op->host, op->flavor);
        return false;
    }
    int64_t used = cloud_used(c, op->host, op->flavor);
    if (op->units > f.units_per_host - used) {
        answer(op, BACKEND_REFUSED, "host %s has %lld of %lld %s left, asked for %lld", op->host,
               (long long)(f.units_per_host - used), (long long)f.units_per_host, op->flavor,
               (long long)op->units);
        return false;
    }
    for (size_t i = 0; i < op->n_slots; i++) {
        const char *by = cloud_slot_holder(c, op->host, op->slots[i].name);
        if (!by) continue;
        answer(op, BACKEND_REFUSED, "slot %s of host %s is used by %s", op->slots[i].name, op->host, by);
        return false;
    }
    for (size_t i = 0; i < op->n_disks; i++) {
        const json_t *disk = cloud_get(c, op->disks[i].token);
        if (disk && !thing_is(disk, "leaving")) continue;
        answer(op, BACKEND_NOTHING_HAPPENED, "its volume %s (%s) is not there", op->disks[i].name,
               op->disks[i].token);
        return false;
    }
    return true;
}

static bool volume_fits(const struct simulated *s, const struct cloud *c, struct backend_operation *op) {
    int64_t used = cloud_used(c, op->host, "/");
    if (!s->has_storage || op->bytes.n <= s->storage.n - used) return true;
    answer(op, BACKEND_REFUSED, "host %s has %s of storage left, asked for %s", op->host,
           bytes_text(bytes(s->storage.n - used)).s, bytes_text(op->bytes).s);
    return false;
}

/* True: the cloud was changed for this operation. */
static bool ensure_one(const struct simulated *s, struct cloud *c, struct backend_operation *op) {
    const json_t *there = cloud_get(c, op->token);
    const char *holder = cloud_name_holder(c, op->host, op->name);
    if (there) {
        found(there, op);
    } else if (matches(&s->fail_names, op->name)) {
        answer(op, BACKEND_REFUSED, "%s is told to fail (settings.fail_names)", op->name);
    } else if (holder) {
        answer(op, BACKEND_REFUSED, "the name %s is used on host %s by %s", op->name, op->host, holder);
    } else if (op->kind == BACKEND_VOLUME ? volume_fits(s, c, op) : server_fits(s, c, op)) {
        bool slow = matches(&s->slow, op->name);
        json_t *thing = thing_new(op, slow);
        cloud_put(c, op->token, thing);
        op->connection = connection_of(thing);
        answer(op, slow ? BACKEND_STARTED : BACKEND_DONE, NULL);
        return true;
    }
    return false;
}

/* ---- remove ---- */

static bool remove_one(const struct simulated *s, struct cloud *c, struct backend_operation *op) {
    const json_t *there = cloud_get(c, op->token);
    const char *user = there && op->kind == BACKEND_VOLUME ? cloud_disk_user(c, op->token) : NULL;
    if (!there) {
        answer(op, BACKEND_DONE, NULL);
    } else if (matches(&s->fail_names, op->name)) {
        answer(op, BACKEND_NOTHING_HAPPENED, "%s is told to fail (settings.fail_names)", op->name);
    } else if (user) {
        answer(op, BACKEND_NOTHING_HAPPENED, "volume %s is in use by %s", op->name, user);
    } else if (thing_is(there, "leaving")) {
        answer(op, BACKEND_STARTED, NULL);
    } else if (matches(&s->slow, op->name)) {
        json_t *thing = json_copy((json_t *)there);
        json_object_set_new(thing, "leaving", json_true());
        cloud_put(c, op->token, thing);
        answer(op, BACKEND_STARTED, NULL);
        return true;
    } else {
        cloud_drop(c, op->token);
        answer(op, BACKEND_DONE, NULL);
        return true;
    }
    return false;
}

/* ---- the verbs ---- */

typedef bool one_operation(const struct simulated *, struct cloud *, struct backend_operation *);

/* All of one kind; volumes come before servers when they are made, after them when they go. */
static void walk(const struct simulated *s, const struct backend_pool *pool, struct cloud *c,
                 one_operation *one, enum backend_kind kind, struct backend_operation *ops, size_t n,
                 bool *changed) {
    for (size_t i = 0; i < n; i++) {
        if (ops[i].kind != kind || !pool_has_host(pool, ops[i].host)) continue;
        if (matches(&s->dead_hosts, ops[i].host))
            answer(&ops[i], BACKEND_NOTHING_HAPPENED, "host %s does not answer", ops[i].host);
        else
            changed[i] = one(s, c, &ops[i]);
    }
}

/* After the write: what was to change did not, or nobody knows, or the answer is told to get lost. */
static void settle(const struct simulated *s, struct backend_operation *ops, size_t n, const bool *changed,
                   int saved, const struct err *e) {
    for (size_t i = 0; i < n; i++) {
        bool lost = matches(&s->lose_answers, ops[i].name);
        if (!changed[i] || (saved == 0 && !lost)) continue;
        json_decref(ops[i].connection);
        ops[i].connection = NULL;
        if (saved < 0)
            answer(&ops[i], e->code == ERR_UNKNOWN ? BACKEND_UNKNOWN : BACKEND_NOTHING_HAPPENED, "%s",
                   e->what);
        else
            answer(&ops[i], BACKEND_UNKNOWN, "the answer for %s got lost (settings.lose_answers)",
                   ops[i].name);
    }
}

static int run(const struct backend_pool *pool, one_operation *one, enum backend_kind first,
               struct backend_operation *ops, size_t n, struct err *e) {
    struct simulated s;
    struct cloud c;
    if (begin(pool, &s, &c, e) < 0) return -1;
    bool *changed scoped_free = mem_alloc(n * sizeof *changed);
    walk(&s, pool, &c, one, first, ops, n, changed);
    walk(&s, pool, &c, one, first == BACKEND_VOLUME ? BACKEND_SERVER : BACKEND_VOLUME, ops, n, changed);
    struct err own = {0};
    int saved = cloud_save(&c, &own);
    settle(&s, ops, n, changed, saved, &own);
    end(&s, &c);
    return 0;
}

static int simulated_ensure(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                            struct err *e) {
    return run(pool, ensure_one, BACKEND_VOLUME, ops, n, e);
}

static int simulated_remove(const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                            struct err *e) {
    return run(pool, remove_one, BACKEND_SERVER, ops, n, e);
}

static int simulated_check(const struct backend_pool *pool, unsigned *capabilities, struct err *e) {
    *capabilities = BACKEND_HAS_SLOTS;
    struct simulated s;
    int rc = settings_read(pool, &s, e);
    settings_drop(&s);
    return rc;
}

static void reports(const struct simulated *s, const struct backend_pool *pool, const struct cloud *c,
                    struct backend_view *out) {
    out->hosts = mem_alloc(pool->n_hosts * sizeof *out->hosts);
    out->n_hosts = pool->n_hosts;
    for (size_t i = 0; i < pool->n_hosts; i++) {
        struct backend_host_report *h = &out->hosts[i];
        h->host = mem_copy(pool->hosts[i].name);
        h->answered = !matches(&s->dead_hosts, h->host);
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

static void see(const struct simulated *s, const struct backend_pool *pool, const struct cloud *c,
                struct backend_view *out) {
    const char *token;
    json_t *thing;
    size_t room = 0;
    json_object_foreach(c->things, token, thing) {
        const char *host = thing_text(thing, "host");
        if (!pool_has_host(pool, host) || matches(&s->dead_hosts, host)) continue;
        out->seen = mem_grow(out->seen, &room, out->n_seen + 1, sizeof *out->seen);
        bool server = json_object_get(thing, "flavor") != NULL;
        out->seen[out->n_seen++] = (struct backend_seen){
            .token = mem_copy(token),
            .kind = server ? BACKEND_SERVER : BACKEND_VOLUME,
            .name = mem_copy(thing_text(thing, "name")),
            .host = mem_copy(host),
            .state = server ? SEEN_RUNNING : SEEN_PRESENT,
            .bytes = bytes(thing_number(thing, "bytes")),
            .created = instant(thing_number(thing, "created")),
            .connection = connection_of(thing),
        };
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
        text_add(&name, "%s-%s-%04lld", attach_words[f->attach], flavor, (long long)i);
        if (!counted) text_add(&address, "sim:%lld", (long long)i);
        out->slots = mem_grow(out->slots, room, out->n_slots + 1, sizeof *out->slots);
        out->slots[out->n_slots++] = (struct backend_found_slot){
            .host = mem_copy(host),
            .flavor = mem_copy(flavor),
            .name = text_take(&name),
            .address = text_take(&address),
            .attach = mem_copy(attach_words[f->attach]),
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
    for (size_t i = 0; i < pool->n_hosts; i++) {
        if (!out->hosts[i].answered) continue;
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)s.flavors.value, name, value) {
            struct simulated_flavor f;
            if (flavor_read(&s, name, &f, e) == 0) slots_list(pool->hosts[i].name, name, &f, out, &room);
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
