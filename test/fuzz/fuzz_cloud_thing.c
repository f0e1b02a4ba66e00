/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as what a cloud says of a server, a volume, a share of files, a size; and as the settings of a
 * pool.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static void as_server(const struct project *p, const json_t *thing) {
    json_t *connection scoped_json = server_connection(p, thing);
    demand(json_is_object(connection) && *server_fault(thing));
    demand(server_progress(thing) != SERVER_BROKEN || server_state(thing) == SEEN_FAILED);
    (void)server_was_up(thing);
    (void)ours_is_going(thing);
}

static void as_volume(const struct volume_means *m, const json_t *thing) {
    json_t *connection scoped_json = json_object();
    demand(m->size(thing).n >= 0 && m->trouble(thing));
    m->connect(thing, connection);
    (void)m->in_use(thing);
}

static void as_size(const json_t *thing) {
    const struct flavor_setting by_class = {.name = "a",
                                            .resource = "VGPU",
                                            .resource_key = "resources:VGPU"},
                                by_alias = {.name = "b", .alias = "h100"};
    demand(size_units(&by_class, thing) >= 0 && size_units(&by_alias, thing) >= 0);
}

static void as_settings(const json_t *thing) {
    const struct backend_pool pool = {.name = "p", .store_id = "s", .settings = thing};
    const struct backend_host host = {.name = "h", .uri = "1", .settings = thing};
    struct settings s;
    struct host_settings h;
    struct err e = {0};
    if (settings_read(&pool, &s, &e) < 0) demand(e.code == ERR_USAGE && e.what[0]);
    settings_drop(&s);
    err_clear(&e);
    if (host_settings_read(&pool, &host, &h, &e) < 0) demand(e.code == ERR_USAGE && e.what[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static const struct backend_host host = {.name = "p1", .uri = "1"};
    static struct run run = {.settings = {.image_user = "ubuntu"}};
    static struct project project = {.run = &run, .host = &host};
    json_t *thing scoped_json = json_loadb((const char *)bytes, length, 0, NULL);
    if (!json_is_object(thing)) return 0;
    as_server(&project, thing);
    as_volume(&volume_block, thing);
    as_size(thing);
    as_settings(thing);
    files_normal(thing);
    as_volume(&volume_files, thing);
    const char *token = ours_token(thing), *name = json_string_value(json_object_get(thing, "name"));
    if (token) demand(strlen(token) > 0 || json_object_get(thing, "metadata"));
    const char *of_name = name ? container_token(name) : NULL;
    demand(!of_name || (of_name > name && *of_name));
    return 0;
}
