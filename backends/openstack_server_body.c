/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a server when it is made, and what is read of it later. Pure. */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

/* ---- the body of the request ---- */

static json_t *root_disk(const struct settings *s, const struct server_parts *parts) {
    const struct size_setting *z = parts->setting;
    enum root_place place = z ? z->root : (enum root_place)s->root_place;
    int64_t size = z ? z->root_gib : s->root_gib;
    json_t *disk =
        json_pack("{s:s, s:s, s:i, s:s, s:b}", "source_type", "image", "uuid", parts->image, "boot_index", 0,
                  "destination_type", root_words[place], "delete_on_termination", 1);
    if (place == ROOT_VOLUME || s->dialect->root_has_size) {
        json_object_set_new(disk, "volume_size", json_integer(size));
        if (s->volume_type) json_object_set_new(disk, "volume_type", json_string(s->volume_type));
    }
    return disk;
}

static json_t *data_disk(const char *id) {
    return json_pack("{s:s, s:s, s:i, s:s, s:b}", "source_type", "volume", "uuid", id, "boot_index", -1,
                     "destination_type", "volume", "delete_on_termination", 0);
}

static void set_text(json_t *object, const char *key, const char *text) {
    if (text) json_object_set_new(object, key, json_string(text));
}

json_t *server_body(const struct run *run, const struct backend_operation *op,
                    const struct server_parts *parts) {
    const struct settings *s = &run->settings;
    json_t *disks = json_array(), *metadata = ours_metadata(run, op);
    json_array_append_new(disks, root_disk(s, parts));
    for (size_t i = 0; parts->volumes && i < op->n_disks; i++)
        json_array_append_new(disks, data_disk(parts->volumes[i]));
    json_object_set_new(metadata, "allot_flavor", json_string(op->flavor));
    char units[24];
    text_format(units, sizeof units, "%lld", (long long)op->units);
    json_object_set_new(metadata, "allot_units", json_string(units));
    json_t *server =
        json_pack("{s:s, s:s, s:s, s:[{s:s}], s:o, s:o, s:i, s:i}", "name", op->name, "imageRef",
                  parts->image, "flavorRef", parts->size, "networks", "uuid", parts->network, "metadata",
                  metadata, "block_device_mapping_v2", disks, "min_count", 1, "max_count", 1);
    set_text(server, "availability_zone", s->availability_zone);
    set_text(server, "key_name", parts->key_name);
    set_text(server, "user_data", parts->user_data);
    if (parts->group)
        json_object_set_new(server, "security_groups", json_pack("[{s:s}]", "name", parts->group));
    return json_pack("{s:o}", "server", server);
}

/* ---- what it says of itself ---- */

static bool is_one_of(const char *word, const char *const words[]) {
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return true;
    return false;
}

static const char *status_of(const json_t *server) {
    const char *status = member(server, "status");
    return status && *status ? status : "UNKNOWN";
}

enum server_progress server_progress(const json_t *server) {
    static const char *const building[] = {"BUILD", "BUILDING", "REBUILD", "UNKNOWN", NULL};
    const char *task = member(server, "OS-EXT-STS:task_state");
    if (strcmp(status_of(server), "ERROR") == 0) return SERVER_BROKEN;
    return is_one_of(status_of(server), building) || task ? SERVER_AT_WORK : SERVER_THERE;
}

enum backend_state server_state(const json_t *server) {
    static const char *const up[] = {"ACTIVE", "REBOOT",        "HARD_REBOOT",   "PASSWORD", "MIGRATING",
                                     "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE", "RESCUE",   NULL};
    static const char *const paused[] = {"PAUSED", "SUSPENDED", NULL};
    const char *status = status_of(server);
    if (strcmp(status, "ERROR") == 0) return SEEN_FAILED;
    if (is_one_of(status, up)) return SEEN_RUNNING;
    return is_one_of(status, paused) ? SEEN_PAUSED : SEEN_STOPPED;
}

const char *server_fault(const json_t *server) {
    const char *words = member(json_object_get(server, "fault"), "message");
    return words && *words ? words : status_of(server);
}

bool server_was_up(const json_t *server) { return member(server, "OS-SRV-USG:launched_at") != NULL; }

static json_t *addresses_of(const json_t *server) {
    json_t *all = json_array();
    const char *network;
    json_t *list, *one;
    size_t i;
    json_object_foreach(json_object_get(server, "addresses"), network, list) {
        json_array_foreach(list, i, one) {
            const char *address = member(one, "addr");
            if (address) json_array_append_new(all, json_string(address));
        }
    }
    return all;
}

json_t *server_connection(const struct project *p, const json_t *server) {
    json_t *connection =
        json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:o}", "host", p->host->name, "id", member(server, "id"),
                  "name", member(server, "name"), "state", backend_state_word(server_state(server)), "status",
                  status_of(server), "addresses", addresses_of(server));
    set_text(connection, "user", p->run->settings.image_user);
    ours_owner(server, connection);
    const char *address = json_string_value(json_array_get(json_object_get(connection, "addresses"), 0));
    if (p->run->settings.image_user && address) {
        struct text ssh scoped_text = {0};
        text_add(&ssh, "ssh %s@%s", p->run->settings.image_user, address);
        set_text(connection, "console", ssh.s);
    }
    if (server_progress(server) == SERVER_BROKEN) set_text(connection, "note", server_fault(server));
    return connection;
}
