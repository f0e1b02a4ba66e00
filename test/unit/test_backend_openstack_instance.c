/* SPDX-License-Identifier: Apache-2.0 */
/* What the OpenStack backend decides without a cloud: settings, sizes, bodies, states, names. */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const stock_text =
    "{\"dialect\": \"openstack\", \"cloud\": \"c\", \"image\": \"ubuntu\", \"network\": \"net0\","
    " \"flavors\": {\"a100\": {\"attach\": \"pci\", \"match\": \"CUSTOM_GPU_A100\"},"
    " \"h100\": {\"match\": \"alias:h100\"}, \"cpu\": {}}, \"sizes\": {\"cpu\": {\"1\": \"m1.tiny\"}}}";
static const char *const nhn_text =
    "{\"dialect\": \"nhn\", \"cloud\": \"c\", \"image\": \"Ubuntu 22.04\", \"network\": \"Default Network\","
    " \"root_gib\": 100, \"volume_type\": \"General SSD\", \"flavors\": {\"v100\": {\"attach\": \"pci\"}},"
    " \"sizes\": {\"v100\": {\"1\": \"g2.v100.c8m90\","
    " \"8\": {\"name\": \"g2.v100.c64m720\", \"root\": \"volume\", \"root_gib\": 200}}}}";
static const char *const cloud_text =
    "[{\"id\": \"f1\", \"name\": \"g.a100.1\", \"extra_specs\": {\"resources:CUSTOM_GPU_A100\": \"1\","
    " \"trait:CUSTOM_GPU_NODE\": \"required\"}},"
    " {\"id\": \"f8\", \"name\": \"g.a100.8\", \"extra_specs\": {\"resources:CUSTOM_GPU_A100\": \"8\"}},"
    " {\"id\": \"m\", \"name\": \"mixed\", \"extra_specs\": {\"resources:CUSTOM_GPU_A100\": \"2\","
    " \"resources:CUSTOM_GPU_T4\": \"1\"}},"
    " {\"id\": \"p\", \"name\": \"two.h100\", \"extra_specs\": {\"pci_passthrough:alias\": \"h100:1, "
    "h100:1\"}},"
    " {\"id\": \"q\", \"name\": \"and.nic\", \"extra_specs\": {\"pci_passthrough:alias\": \"h100:4,nic:1\"}},"
    " {\"id\": \"w\", \"name\": \"wrong\", \"extra_specs\": {\"pci_passthrough:alias\": \"h100\"}},"
    " {\"id\": \"t\", \"name\": \"m1.tiny\", \"extra_specs\": {}}]";

struct fixture {
    json_t *document;
    struct backend_pool pool;
    struct run run;
    struct project project;
    struct backend_host host;
};

static struct fixture *fixture(const char *text) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err e = {0};
    f->document = json_loads(text, 0, NULL);
    assert_non_null(f->document);
    f->pool = (struct backend_pool){.name = "p", .store_id = "4f1c09ab37de", .settings = f->document};
    f->host = (struct backend_host){.name = "p1", .uri = "6cdebe3eb0094910bc41f1d42ebe4cb7"};
    if (settings_read(&f->pool, &f->run.settings, &e) < 0) fail_msg("%s", e.what);
    f->run.pool = &f->pool;
    f->project = (struct project){.run = &f->run, .host = &f->host};
    return f;
}

static void fixture_free(struct fixture *f) {
    settings_drop(&f->run.settings);
    json_decref(f->document);
    free(f);
}

/* ---- settings ---- */

/* Changes one member of good settings (NULL: takes it away) and wants these words. */
static void refused(const char *good, const char *key, const char *value, const char *words) {
    struct err e = {0};
    struct settings s;
    json_t *document = json_loads(good, 0, NULL);
    if (value)
        json_object_set_new(document, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(document, key);
    const struct backend_pool pool = {.name = "p", .store_id = "4f1c09ab37de", .settings = document};
    assert_int_equal(settings_read(&pool, &s, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    if (!strstr(e.what, words)) fail_msg("%s: no \"%s\" in \"%s\"", key, words, e.what);
    settings_drop(&s);
    json_decref(document);
}

static void settings_that_cannot_be_say_where_and_why(void **state) {
    (void)state;
    refused(stock_text, "dialect", "\"aws\"", "settings.dialect: must be one of: nhn, openstack");
    refused(stock_text, "dialect", NULL, "settings.dialect");
    refused(stock_text, "cloud", NULL, "settings.cloud");
    refused(stock_text, "cloud", "\"\"", "settings.cloud");
    refused(stock_text, "image", NULL, "\"image\" is missing");
    refused(stock_text, "iamge", "\"x\"", "iamge");
    refused(stock_text, "network", NULL, "\"network\"");
    refused(stock_text, "network_range", "\"10.0.0.0/8\"", "wants one of");
    refused(stock_text, "ssh_from", "\"0.0.0.0/0\"", "\"ssh_from\"");
    refused(stock_text, "parallel", "0", "settings.parallel");
    refused(stock_text, "parallel", "257", "settings.parallel");
    refused(stock_text, "page_things", "1001", "settings.page_things");
    refused(stock_text, "wait_seconds", "\"60\"", "settings.wait_seconds");
    refused(stock_text, "storage", "\"nas\"", "has no NAS");
    refused(stock_text, "root", "\"volume\"", "\"root_gib\" is missing");
    refused(stock_text, "object_store", "\"yes\"", "must be one of: none, quota, polled");
    refused(stock_text, "container_access", "\"x:*\"", "needs \"object_store\"");
    refused(stock_text, "flavors", "{\"a100\": {\"match\": \"10de:2330\"}}", "must be a resource class");
    refused(stock_text, "flavors", "{\"a100\": {\"match\": \"alias:\"}}", "must be a resource class");
    refused(stock_text, "flavors", "{\"a100\": {}}", "settings.sizes.cpu");
    refused(stock_text, "sizes", "{}", "which sizes of the cloud are cpu");
    refused(stock_text, "sizes", "{\"cpu\": {\"0\": \"x\"}}", "stands for a number of units");
    refused(stock_text, "sizes", "{\"cpu\": {\"1x\": \"x\"}}", "stands for a number of units");
    refused(stock_text, "sizes", "{\"cpu\": {\"01\": \"x\"}}", "stands for a number of units");
    refused(stock_text, "sizes", "{\"cpu\": {\"1\": \"\"}}", "must not be empty");
    refused(stock_text, "sizes", "{\"cpu\": {\"1\": {\"nme\": \"x\"}}}", "nme");
    refused(nhn_text, "volume_type", NULL, "\"volume_type\" is missing");
    refused(nhn_text, "root_gib", NULL, "\"root_gib\" is missing");
    refused(nhn_text, "deliver", "\"quota\"", "dialect \"nhn\"");
}

static void a_range_is_a_network_with_room_for_tenants(void **state) {
    (void)state;
    static const char *const wrong[] = {"\"10.128.0.0\"",   "\"10.128.0.0/25\"", "\"10.128.0.1/9\"",
                                        "\"10.128.0.0/7\"", "\"fd00::/16\"",     "\"10.128.0.0/+9\""};
    json_t *own = json_loads(stock_text, 0, NULL);
    json_object_del(own, "network");
    char *text scoped_free = json_dumps(own, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(text, "network_range", wrong[i], "must be a network with /8 to /24");
    json_decref(own);
}

static void a_project_is_named_by_its_id(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "qemu:///system", "a b", "../x"};
    struct fixture *f = fixture(stock_text);
    struct host_settings out;
    struct err e = {0};
    assert_int_equal(host_settings_read(&f->pool, &f->host, &out, &e), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err own = {0};
        f->host.uri = wrong[i];
        assert_int_equal(host_settings_read(&f->pool, &f->host, &out, &own), -1);
        assert_int_equal(own.code, ERR_USAGE);
    }
    json_t *settings = json_pack("{s:s}", "object_store_id", "no id!");
    f->host.uri = "6cdebe3eb0094910bc41f1d42ebe4cb7";
    f->host.settings = settings;
    assert_int_equal(host_settings_read(&f->pool, &f->host, &out, &e), -1);
    json_decref(settings);
    fixture_free(f);
}

/* ---- sizes ---- */

static const char *found(const struct fixture *f, const json_t *list, const char *flavor, int64_t units,
                         struct err *e) {
    const struct size_setting *setting;
    err_clear(e);
    return json_string_value(
        json_object_get(size_find(&f->run.settings, list, flavor, units, &setting, e), "id"));
}

static void a_size_is_found_by_what_it_says_of_its_accelerators(void **state) {
    (void)state;
    struct fixture *f = fixture(stock_text);
    json_t *list = json_loads(cloud_text, 0, NULL);
    struct err e = {0};
    assert_string_equal(found(f, list, "a100", 1, &e), "f1");
    assert_string_equal(found(f, list, "a100", 8, &e), "f8");
    assert_string_equal(found(f, list, "h100", 2, &e), "p");
    assert_string_equal(found(f, list, "cpu", 1, &e), "t");
    assert_null(found(f, list, "a100", 2, &e)); /* the one with two has another accelerator too */
    assert_int_equal(e.code, ERR_FAILED);
    assert_non_null(strstr(e.what, "it has 1 (g.a100.1), 8 (g.a100.8)"));
    assert_null(found(f, list, "h100", 4, &e));
    assert_null(found(f, list, "t4", 1, &e));
    json_array_append_new(list, json_pack("{s:s, s:s, s:{s:s}}", "id", "f9", "name", "other", "extra_specs",
                                          "resources:CUSTOM_GPU_A100", "8"));
    assert_null(found(f, list, "a100", 8, &e));
    assert_non_null(strstr(e.what, "more than one size of a100 x 8: g.a100.8 and other"));
    json_decref(list);
    fixture_free(f);
}

static void the_table_names_sizes_and_a_miss_suggests(void **state) {
    (void)state;
    struct fixture *f = fixture(nhn_text);
    struct err e = {0};
    json_t *list = json_pack("[{s:s, s:s}]", "id", "u1", "name", "g2.v100.c8m90");
    assert_string_equal(found(f, list, "v100", 1, &e), "u1");
    assert_null(found(f, list, "v100", 8, &e));
    assert_non_null(strstr(e.what, "no size g2.v100.c64m720 (v100 x 8)"));
    assert_null(found(f, list, "v100", 2, &e));
    assert_non_null(strstr(e.what, "it has 1 (g2.v100.c8m90), 8 (g2.v100.c64m720)"));
    json_decref(list);
    fixture_free(f);
}

/* ---- servers ---- */

static const struct backend_operation operation = {.token = "s4f1c09ab37de.1.812",
                                                   .kind = BACKEND_SERVER,
                                                   .name = "allot-c1-g1-1",
                                                   .tenant = "광주 \xf0\x9f\x9a\x80",
                                                   .grant = "g-1",
                                                   .flavor = "v100",
                                                   .units = 8};

static void a_server_of_nhn_has_a_key_and_a_root_disk_with_a_size(void **state) {
    (void)state;
    struct fixture *f = fixture(nhn_text);
    const struct server_parts parts = {
        .size = "u8", .image = "i", .network = "n", .setting = &f->run.settings.sizes[1], .key_name = "k"};
    json_t *body = server_body(&f->run, &operation, &parts), *server = json_object_get(body, "server");
    const json_t *root = json_array_get(json_object_get(server, "block_device_mapping_v2"), 0);
    assert_string_equal(json_string_value(json_object_get(server, "key_name")), "k");
    assert_string_equal(json_string_value(json_object_get(root, "destination_type")), "volume");
    assert_int_equal(json_integer_value(json_object_get(root, "volume_size")), 200);
    assert_string_equal(json_string_value(json_object_get(root, "volume_type")), "General SSD");
    assert_string_equal(ours_token(server), operation.token);
    /* four bytes do not go into every cloud's columns */
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(server, "metadata"), "allot_tenant")), "광주 ?");
    assert_null(json_object_get(server, "security_groups"));
    json_decref(body);
    fixture_free(f);
}

static void a_stock_server_takes_its_volumes_with_it_and_leaves_them(void **state) {
    (void)state;
    struct fixture *f = fixture(stock_text);
    const char *volumes[] = {"v1", "v2"};
    struct backend_operation op = operation;
    op.n_disks = 2;
    const struct server_parts parts = {
        .size = "f8", .image = "i", .network = "n", .group = "g", .volumes = volumes};
    json_t *body = server_body(&f->run, &op, &parts), *server = json_object_get(body, "server");
    const json_t *disks = json_object_get(server, "block_device_mapping_v2"),
                 *last = json_array_get(disks, 2);
    assert_int_equal(json_array_size(disks), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(disks, 0), "destination_type")),
                        "local");
    assert_null(json_object_get(json_array_get(disks, 0), "volume_size"));
    assert_string_equal(json_string_value(json_object_get(last, "uuid")), "v2");
    assert_true(json_is_false(json_object_get(last, "delete_on_termination")));
    assert_null(json_object_get(server, "key_name"));
    json_decref(body);
    fixture_free(f);
}

static void what_a_server_says_of_itself_is_read(void **state) {
    (void)state;
    static const struct {
        const char *status, *task;
        enum server_progress progress;
        enum backend_state seen;
    } cases[] = {
        {"BUILD", NULL, SERVER_AT_WORK, SEEN_STOPPED},
        {"BUILDING", NULL, SERVER_AT_WORK, SEEN_STOPPED},
        {"ACTIVE", NULL, SERVER_THERE, SEEN_RUNNING},
        {"ACTIVE", "deleting", SERVER_AT_WORK, SEEN_RUNNING},
        {"SHUTOFF", NULL, SERVER_THERE, SEEN_STOPPED},
        {"SHELVED_OFFLOADED", NULL, SERVER_THERE, SEEN_STOPPED},
        {"PAUSED", NULL, SERVER_THERE, SEEN_PAUSED},
        {"SUSPENDED", NULL, SERVER_THERE, SEEN_PAUSED},
        {"ERROR", NULL, SERVER_BROKEN, SEEN_FAILED},
        {"ERROR", "deleting", SERVER_BROKEN, SEEN_FAILED},
        {"WHO_KNOWS", NULL, SERVER_THERE, SEEN_STOPPED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *server =
            json_pack("{s:s, s:s?}", "status", cases[i].status, "OS-EXT-STS:task_state", cases[i].task);
        assert_int_equal(server_progress(server), cases[i].progress);
        assert_int_equal(server_state(server), cases[i].seen);
        json_decref(server);
    }
    json_t *nothing = json_object(), *odd = json_pack("{s:i, s:[], s:n}", "status", 5, "addresses", "fault");
    assert_int_equal(server_progress(nothing), SERVER_AT_WORK);
    assert_int_equal(server_progress(odd), SERVER_AT_WORK);
    assert_string_equal(server_fault(odd), "UNKNOWN");
    json_decref(nothing);
    json_decref(odd);
}

/* ---- volumes, containers ---- */

static int body_of(struct fixture *f, int64_t size, const char *words) {
    struct backend_operation op = operation;
    struct err e = {0};
    json_t *body scoped_json = NULL;
    op.bytes = bytes(size);
    int rc = volume_block.body(&f->project, &op, &body, &e);
    if (rc < 0) {
        assert_int_equal(e.code, ERR_FAILED);
        if (!strstr(e.what, words)) fail_msg("no \"%s\" in \"%s\"", words, e.what);
    }
    return rc;
}

static void a_volume_is_whole_gib_within_the_clouds_bounds(void **state) {
    (void)state;
    struct fixture *stock = fixture(stock_text), *nhn = fixture(nhn_text);
    const int64_t gib = INT64_C(1) << 30;
    assert_int_equal(body_of(stock, gib, ""), 0);
    assert_int_equal(body_of(stock, 1000000000, "not a whole number of GiB"), -1);
    assert_int_equal(body_of(stock, gib + 1, "not a whole number of GiB"), -1);
    assert_int_equal(body_of(nhn, 10 * gib, ""), 0);
    assert_int_equal(body_of(nhn, 2000 * gib, ""), 0);
    assert_int_equal(body_of(nhn, 9 * gib, "10 to 2000"), -1);
    assert_int_equal(body_of(nhn, 2001 * gib, "10 to 2000"), -1);
    fixture_free(stock);
    fixture_free(nhn);
}

static void a_volume_is_used_only_when_it_is_ready(void **state) {
    (void)state;
    struct fixture *f = fixture(stock_text);
    struct err e = {0};
    static const char *const unready[] = {"creating", "error", "deleting"};
    for (size_t i = 0; i < sizeof unready / sizeof *unready; i++) {
        json_t *volumes = json_pack("[{s:s, s:s, s:{s:s}}]", "id", "v1", "status", unready[i], "metadata",
                                    "allot_token", "s4f1c09ab37de.1.1");
        f->project.volumes = volumes;
        err_clear(&e);
        assert_null(inventory_volume_id(&f->project, "s4f1c09ab37de.1.1", &e));
        assert_int_equal(e.code, ERR_RETRY);
        json_object_set_new(json_array_get(volumes, 0), "status", json_string("available"));
        char *id = inventory_volume_id(&f->project, "s4f1c09ab37de.1.1", &e);
        assert_string_equal(id, "v1");
        free(id);
        json_decref(volumes);
    }
    fixture_free(f);
}

static void a_share_of_files_has_its_token_in_its_description(void **state) {
    (void)state;
    static const char *const ours[] = {"allot s4f1c09ab37de.1.812 g-1 광주 인공지능",
                                       "allot s4f1c09ab37de.1.812 g-1", "allot s4f1c09ab37de.1.812"};
    static const char *const foreign[] = {"", "allot", "allot of space", "my allot s1.1.1",
                                          "Allot s1.1.1 g x"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        json_t *share = json_pack("{s:s}", "description", ours[i]);
        files_normal(share);
        assert_string_equal(ours_token(share), "s4f1c09ab37de.1.812");
        json_decref(share);
    }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        json_t *share = json_pack("{s:s}", "description", foreign[i]);
        files_normal(share);
        assert_null(ours_token(share));
        json_decref(share);
    }
}

static void a_container_carries_its_token_in_its_name(void **state) {
    (void)state;
    assert_string_equal(container_token("allot-c1-g1-1__s4f1c09ab37de.1.812"), "s4f1c09ab37de.1.812");
    assert_string_equal(container_token("allot-a__b-1__s1.1.1"), "s1.1.1");
    assert_null(container_token("allot-c1-g1-1"));
    assert_null(container_token("__s1.1.1"));
    assert_null(container_token("a__"));
    assert_null(container_token(""));
}

static void a_path_escapes_everything_but_what_needs_it_not(void **state) {
    (void)state;
    char *escaped = call_escape("a/b c%?#광\n~._-");
    assert_string_equal(escaped, "a%2Fb%20c%25%3F%23%EA%B4%91%0A~._-");
    free(escaped);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_that_cannot_be_say_where_and_why),
        cmocka_unit_test(a_range_is_a_network_with_room_for_tenants),
        cmocka_unit_test(a_project_is_named_by_its_id),
        cmocka_unit_test(a_size_is_found_by_what_it_says_of_its_accelerators),
        cmocka_unit_test(the_table_names_sizes_and_a_miss_suggests),
        cmocka_unit_test(a_server_of_nhn_has_a_key_and_a_root_disk_with_a_size),
        cmocka_unit_test(a_stock_server_takes_its_volumes_with_it_and_leaves_them),
        cmocka_unit_test(what_a_server_says_of_itself_is_read),
        cmocka_unit_test(a_volume_is_whole_gib_within_the_clouds_bounds),
        cmocka_unit_test(a_volume_is_used_only_when_it_is_ready),
        cmocka_unit_test(a_share_of_files_has_its_token_in_its_description),
        cmocka_unit_test(a_container_carries_its_token_in_its_name),
        cmocka_unit_test(a_path_escapes_everything_but_what_needs_it_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
