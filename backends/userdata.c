/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/userdata.h"

#include "alloc/scope.h"

static json_t *keys_of(const struct backend_operation *op) {
    json_t *keys = json_array();
    for (size_t i = 0; i < op->n_ssh_keys; i++) json_array_append_new(keys, json_string(op->ssh_keys[i]));
    return keys;
}

int userdata_build(const struct backend_operation *op, const char *user, struct text *out, struct err *e) {
    json_t *config scoped_json =
        user ? json_pack("{s:[s, {s:s, s:s, s:s, s:b, s:o}]}", "users", "default", "name", user, "sudo",
                         "ALL=(ALL) NOPASSWD:ALL", "shell", "/bin/bash", "lock_passwd", 1,
                         "ssh_authorized_keys", keys_of(op))
             : json_pack("{s:o}", "ssh_authorized_keys", keys_of(op));
    char *text scoped_free = json_dumps(config, JSON_INDENT(1));
    if (!text) return err_set(e, ERR_FAILED, "the SSH keys for %s cannot be written", op->name);
    text_add(out, "#cloud-config\n%s\n", text);
    return 0;
}
