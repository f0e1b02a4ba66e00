/* SPDX-License-Identifier: Apache-2.0 */
/* Servers, volumes and containers of the simulated cloud. */
#include "backends/simulated.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* ---- ensure ---- */

json_t *simulated_connection(const json_t *thing) {
    if (!json_object_get(thing, "flavor")) return NULL;
    return json_pack("{s:s, s:s, s:s}", "host", thing_text(thing, "host"), "domain",
                     thing_text(thing, "name"), "state", thing_text(thing, "state"));
}

static json_t *thing_new(const struct backend_operation *op, bool slow) {
    json_t *thing = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "token", op->token, "name", op->name,
                              "host", op->host, "tenant", op->tenant, "grant", op->grant, "kind",
                              backend_kind_words[op->kind], "created", (json_int_t)clock_now().s);
    if (op->kind == BACKEND_SERVER) {
        json_t *slots = json_array(), *disks = json_array();
        for (size_t i = 0; i < op->n_slots; i++) json_array_append_new(slots, json_string(op->slots[i].name));
        for (size_t i = 0; i < op->n_disks; i++)
            json_array_append_new(disks, json_string(op->disks[i].token));
        json_object_set_new(thing, "flavor", json_string(op->flavor));
        json_object_set_new(thing, "units", json_integer(op->units));
        json_object_set_new(thing, "slots", slots);
        json_object_set_new(thing, "disks", disks);
    } else {
        json_object_set_new(thing, "bytes", json_integer(op->bytes.n));
    }
    json_object_set_new(thing, "state", json_string(op->kind == BACKEND_SERVER ? "running" : "present"));
    if (slow) json_object_set_new(thing, "starting", json_true());
    return thing;
}

/* What is slow is done when it was asked after often enough. True: it is now. */
static bool is_done_now(const struct simulated *s, json_t *thing, const char *key) {
    int64_t calls = thing_number(thing, "calls") + 1;
    if (!s->slow_calls) return false;
    json_object_set_new(thing, "calls", json_integer(calls));
    if (calls < s->slow_calls) return false;
    json_object_del(thing, key);
    return true;
}

/* Where the cloud does not hold containers to their size: frozen while it has more than that. */
static void container_set(const struct simulated *s, json_t *thing, bytes_t size) {
    bool is_over = !s->holds_containers && thing_number(thing, "allocated") > size.n;
    json_object_set_new(thing, "bytes", json_integer(size.n));
    json_object_set_new(thing, "state", json_string(is_over ? "paused" : "present"));
}

/* The token is there: the same thing, or a mistake that must not pass for success. True: it was changed. */
static bool found(const struct simulated *s, struct cloud *c, const json_t *there,
                  struct backend_operation *op) {
    if (strcmp(thing_text(there, "host"), op->host) != 0 || thing_kind(there) != op->kind) {
        simulated_answer(op, BACKEND_REFUSED, "%s stands on host %s as a %s", op->token,
                         thing_text(there, "host"), backend_kind_words[thing_kind(there)]);
        return false;
    }
    if (thing_is(there, "leaving")) {
        simulated_answer(op, BACKEND_NOTHING_HAPPENED, "%s is being removed", op->token);
        return false;
    }
    json_t *thing = json_copy((json_t *)there);
    bool waits = thing_is(thing, "starting") && !is_done_now(s, thing, "starting");
    if (op->kind == BACKEND_CONTAINER) container_set(s, thing, op->bytes);
    op->connection = simulated_connection(thing);
    simulated_answer(op, waits ? BACKEND_STARTED : BACKEND_DONE, NULL);
    if (json_equal(thing, there)) return json_decref(thing), false;
    cloud_put(c, op->token, thing);
    return true;
}

/* False: answered, there is no room. */
static bool server_fits(const struct simulated *s, const struct cloud *c, struct backend_operation *op) {
    struct simulated_flavor f;
    struct err e = {0};
    if (!json_has(&s->flavors, op->flavor) || simulated_flavor_read(s, op->flavor, &f, &e) < 0) {
        simulated_answer(op, BACKEND_REFUSED, "host %s has no flavor %s", op->host, op->flavor);
        return false;
    }
    int64_t used = cloud_used(c, op->host, op->flavor);
    if (op->units > f.units_per_host - used) {
        simulated_answer(op, BACKEND_REFUSED, "host %s has %lld of %lld %s left, asked for %lld", op->host,
                         (long long)(f.units_per_host - used), (long long)f.units_per_host, op->flavor,
                         (long long)op->units);
        return false;
    }
    for (size_t i = 0; i < op->n_slots; i++) {
        const char *by = cloud_slot_holder(c, op->host, op->slots[i].name);
        if (!by) continue;
        simulated_answer(op, BACKEND_REFUSED, "slot %s of host %s is used by %s", op->slots[i].name, op->host,
                         by);
        return false;
    }
    for (size_t i = 0; i < op->n_disks; i++) {
        const json_t *disk = cloud_get(c, op->disks[i].token);
        if (disk && !thing_is(disk, "leaving")) continue;
        simulated_answer(op, BACKEND_NOTHING_HAPPENED, "its volume %s (%s) is not there", op->disks[i].name,
                         op->disks[i].token);
        return false;
    }
    return true;
}

static bool volume_fits(const struct simulated *s, const struct cloud *c, struct backend_operation *op) {
    int64_t used = cloud_used(c, op->host, "/");
    if (!s->has_storage || op->bytes.n <= s->storage.n - used) return true;
    simulated_answer(op, BACKEND_REFUSED, "host %s has %s of storage left, asked for %s", op->host,
                     bytes_text(bytes(s->storage.n - used)).s, bytes_text(op->bytes).s);
    return false;
}

/* True: the cloud was changed for this operation. */
bool simulated_ensure_one(const struct simulated *s, struct cloud *c, struct backend_operation *op) {
    const json_t *there = cloud_get(c, op->token);
    const char *holder = cloud_name_holder(c, op->host, op->name);
    if (op->kind == BACKEND_QUOTA && !simulated_matches(&s->fail_names, op->name))
        return simulated_quota_set(c, op);
    if (there) {
        return found(s, c, there, op);
    } else if (simulated_matches(&s->fail_names, op->name)) {
        simulated_answer(op, BACKEND_REFUSED, "%s is told to fail (settings.fail_names)", op->name);
    } else if (holder) {
        simulated_answer(op, BACKEND_REFUSED, "the name %s is used on host %s by %s", op->name, op->host,
                         holder);
    } else if (op->kind == BACKEND_CONTAINER ||
               (op->kind == BACKEND_VOLUME ? volume_fits(s, c, op) : server_fits(s, c, op))) {
        bool slow = simulated_matches(&s->slow, op->name);
        json_t *thing = thing_new(op, slow);
        cloud_put(c, op->token, thing);
        op->connection = simulated_connection(thing);
        simulated_answer(op, slow ? BACKEND_STARTED : BACKEND_DONE, NULL);
        return true;
    }
    return false;
}

/* ---- remove ---- */

bool simulated_remove_one(const struct simulated *s, struct cloud *c, struct backend_operation *op) {
    const json_t *there = cloud_get(c, op->token);
    const char *user = there && op->kind == BACKEND_VOLUME ? cloud_disk_user(c, op->token) : NULL;
    if (op->kind == BACKEND_QUOTA && !simulated_matches(&s->fail_names, op->name))
        return simulated_quota_end(c, op);
    if (!there) {
        simulated_answer(op, BACKEND_DONE, NULL);
    } else if (simulated_matches(&s->fail_names, op->name)) {
        simulated_answer(op, BACKEND_NOTHING_HAPPENED, "%s is told to fail (settings.fail_names)", op->name);
    } else if (user) {
        simulated_answer(op, BACKEND_NOTHING_HAPPENED, "volume %s is in use by %s", op->name, user);
    } else if (thing_is(there, "leaving")) {
        json_t *thing = json_copy((json_t *)there);
        bool is_gone = is_done_now(s, thing, "leaving");
        if (is_gone)
            cloud_drop(c, op->token);
        else
            cloud_put(c, op->token, json_incref(thing));
        json_decref(thing);
        simulated_answer(op, is_gone ? BACKEND_DONE : BACKEND_STARTED, NULL);
        return true;
    } else if (simulated_matches(&s->slow, op->name)) {
        json_t *thing = json_copy((json_t *)there);
        json_object_set_new(thing, "leaving", json_true());
        json_object_del(thing, "calls");
        cloud_put(c, op->token, thing);
        simulated_answer(op, BACKEND_STARTED, NULL);
        return true;
    } else {
        cloud_drop(c, op->token);
        simulated_answer(op, BACKEND_DONE, NULL);
        return true;
    }
    return false;
}
