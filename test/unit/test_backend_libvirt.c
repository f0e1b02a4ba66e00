/* SPDX-License-Identifier: Apache-2.0 */
/* What the libvirt backend decides without a host: names, definitions, sizes, seeds. */
#include "backends/libvirt.h"
#include "backends/libvirt_xml.h"
#include "backends/range.h"

#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const settings_text =
    "{\"domain_type\": \"kvm\", \"machine\": \"q35\", \"vcpus_per_unit\": 8, \"memory_mib\": 4096,"
    " \"storage_pool\": \"allot\", \"image\": \"/i.qcow2\", \"root_bytes\": 1073741824,"
    " \"network_range\": \"10.128.0.0/9\", \"flavors\": {\"h100\": {\"attach\": \"pci\", \"match\": "
    "\"10de:2330\"},"
    " \"big\": {\"attach\": \"none\", \"units_per_host\": 1, \"vcpus_per_unit\": 4000, "
    "\"memory_mib_per_unit\": 1}}}";

static json_t *document;
static struct settings settings;
static struct backend_pool pool = {.name = "p", .store_id = "s4f1c09ab37de"};

static int read_settings(void **state) {
    (void)state;
    struct err e = {0};
    document = json_loads(settings_text, 0, NULL);
    pool.settings = document;
    return settings_read(&pool, &settings, &e);
}

static int drop_settings(void **state) {
    (void)state;
    settings_drop(&settings);
    json_decref(document);
    return 0;
}

static void a_volume_name_gives_back_what_it_was_made_of(void **state) {
    (void)state;
    char file[256];
    for (int role = ROLE_DATA; role <= ROLE_SEED; role++) {
        char *name, *token;
        enum role is;
        volume_file_name(file, sizeof file, "allot-a__b_-1", "s4f1c09ab37de.1.812", (enum role)role);
        assert_true(volume_file_parse(file, &name, &token, &is));
        assert_string_equal(name, "allot-a__b_-1");
        assert_string_equal(token, "s4f1c09ab37de.1.812");
        assert_int_equal(is, role);
        free(name);
        free(token);
    }
}

static void what_is_not_of_that_form_is_not_ours(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "__data.qcow2",
        "a__data.qcow2",
        "__s1.1.1__data.qcow2",
        "a_s1.1.1__data.qcow2",
        "a__s1.1.1_data.qcow2",
        "a__s1.1.1__data.qcow2.bak",
        "a__s1.1__data.qcow2",
        "a__s1.1.1.1__data.qcow2",
        "a__x1.1.1__data.qcow2",
        "a__s1.1.1__other.qcow2",
        "a__s1.1/1__data.qcow2",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *name, *token;
        enum role role;
        assert_false(volume_file_parse(wrong[i], &name, &token, &role));
    }
}

static void the_uuid_of_a_token_is_always_the_same_and_never_that_of_another(void **state) {
    (void)state;
    char a[VIR_UUID_STRING_BUFLEN], b[VIR_UUID_STRING_BUFLEN];
    token_uuid("s4f1c09ab37de.1.2", a);
    assert_string_equal(a, "c2be5cf7-a0e1-8186-8018-e53cb8483b63");
    token_uuid("s4f1c09ab37de.1.3", b);
    assert_string_not_equal(a, b);
}

static struct backend_operation server(const struct backend_slot *slots, size_t n) {
    return (struct backend_operation){.token = "s4f1c09ab37de.1.2",
                                      .name = "allot-c1-g1-1",
                                      .host = "h1",
                                      .tenant = "<&\"'> 광주",
                                      .grant = "g-1",
                                      .flavor = "h100",
                                      .units = (int64_t)n,
                                      .slots = slots,
                                      .n_slots = n};
}

static const char *source_of(const struct node *hostdev, const char *attribute) {
    return node_attribute(node_find(hostdev, "source/address"), attribute);
}

static void each_way_of_attaching_has_its_own_element(void **state) {
    (void)state;
    static const struct backend_slot slots[] = {{"a", "0000:41:00.0", "pci"},
                                                {"b", "0001:c3:1f.7", "vf"},
                                                {"c", "4b20d080-1b54-4048-85b3-a6a62d165c01", "mdev"},
                                                {"d", "", "none"},
                                                {"e", "", "vcpu"}};
    struct backend_operation op = server(slots, 5);
    struct domain_plan plan = {.op = &op, .vcpus = 8, .memory_mib = 4096, .root = "/r", .seed = "/s"};
    struct err e = {0};
    char *xml scoped_free = domain_xml(&settings, &pool, &plan, &e);
    assert_string_equal(e.what, "");
    struct node *n = node_parse(xml, &e);
    const struct node *h = node_find(n, "devices/hostdev");
    assert_string_equal(node_attribute(h, "managed"), "yes");
    assert_string_equal(source_of(h, "bus"), "0x41");
    h = node_again(h);
    assert_string_equal(node_attribute(h, "managed"), "no");
    assert_string_equal(source_of(h, "domain"), "0x0001");
    assert_string_equal(source_of(h, "slot"), "0x1f");
    assert_string_equal(source_of(h, "function"), "0x7");
    h = node_again(h);
    assert_string_equal(node_attribute(h, "type"), "mdev");
    assert_string_equal(source_of(h, "uuid"), "4b20d080-1b54-4048-85b3-a6a62d165c01");
    assert_null(node_again(h));
    assert_string_equal(node_attribute(n, "type"), "kvm");
    assert_string_equal(node_value(n, "vcpu"), "8");
    assert_string_equal(node_value(n, "title"), "allot: tenant <&\"'> 광주, grant g-1");
    assert_string_equal(node_attribute(node_find(n, "os/type"), "machine"), "q35");
    assert_string_equal(node_attribute(node_find(n, "cpu"), "mode"), "host-passthrough");
    node_free(n);
}

static void our_element_is_read_back_as_it_was_written(void **state) {
    (void)state;
    static const struct backend_slot slot = {"a", "0000:41:00.0", "pci"};
    static const struct backend_disk disk = {"v", "s4f1c09ab37de.1.1"};
    static const char *disk_path = "/v";
    struct backend_operation op = server(&slot, 1);
    op.disks = &disk;
    op.n_disks = 1;
    struct domain_plan plan = {.op = &op, .vcpus = 1, .memory_mib = 1, .disks = &disk_path, .network = "n"};
    char *xml scoped_free = domain_xml(&settings, &pool, &plan, &(struct err){0});
    char *from = strstr(xml, "<allot:server"), *to = strstr(xml, "</metadata>");
    *to = '\0';
    json_t *meta scoped_json = domain_metadata(from);
    assert_string_equal(json_string_value(json_object_get(meta, "token")), op.token);
    assert_string_equal(json_string_value(json_object_get(meta, "tenant")), op.tenant);
    assert_string_equal(json_string_value(json_object_get(meta, "store")), pool.store_id);
    assert_string_equal(json_string_value(json_object_get(meta, "network")), "n");
    assert_true(json_integer_value(json_object_get(meta, "created")) > 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(meta, "disks"), 0)), disk.token);
    assert_string_equal(json_string_value(json_array_get(json_object_get(meta, "devices"), 0)), slot.address);
    assert_null(domain_metadata("<server/>"));
    assert_null(domain_metadata("<server token='x'"));
    assert_null(domain_metadata("<other token='x'/>"));
}

static void an_address_that_is_none_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "", "41:00.0", "0000:41:00", "0000:41:00.0 ", "0000:4g:00.0", "0000:41:00.0'/>"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct backend_slot slot = {"a", wrong[i], "pci"};
        struct backend_operation op = server(&slot, 1);
        struct domain_plan plan = {.op = &op, .vcpus = 1, .memory_mib = 1};
        struct err e = {0};
        assert_null(domain_xml(&settings, &pool, &plan, &e));
        assert_int_equal(e.code, ERR_FAILED);
    }
}

static void sizes_follow_the_flavor_then_the_pool(void **state) {
    (void)state;
    struct err e = {0};
    int64_t vcpus, memory;
    assert_int_equal(settings_size(&settings, "h100", 2, &vcpus, &memory, &e), 0);
    assert_int_equal(vcpus, 16);
    assert_int_equal(memory, 4096);
    assert_int_equal(settings_size(&settings, "big", 1, &vcpus, &memory, &e), 0);
    assert_int_equal(vcpus, 4000);
    assert_int_equal(memory, 1);
    assert_int_equal(settings_size(&settings, "big", 2, &vcpus, &memory, &e), -1); /* no host has 8000 */
    assert_int_equal(settings_size(&settings, "h200", 1, &vcpus, &memory, &(struct err){0}), -1);
    assert_int_equal(settings_size(&settings, "h100", INT64_MAX, &vcpus, &memory, &(struct err){0}), -1);
}

static void each_tenant_has_a_network_of_its_own_until_the_range_ends(void **state) {
    (void)state;
    struct err e = {0};
    char subnet[16];
    assert_int_equal(range_subnet("10.128.0.0/9", 0, subnet, &e), 0);
    assert_string_equal(subnet, "10.128.0");
    assert_int_equal(range_subnet("10.128.0.0/9", 32767, subnet, &e), 0);
    assert_string_equal(subnet, "10.255.255");
    assert_int_equal(range_subnet("10.128.0.0/9", 32768, subnet, &e), -1);
}

static void a_seed_is_the_same_for_the_same_server_and_has_a_limit(void **state) {
    (void)state;
    struct text a scoped_text = {0}, b scoped_text = {0}, c scoped_text = {0};
    struct err e = {0};
    struct backend_operation op = server(NULL, 0);
    static const char *keys[2000];
    char *key scoped_free = mem_alloc(1001);
    memset(key, 'k', 1000);
    for (size_t i = 0; i < 2000; i++) keys[i] = key;
    op.ssh_keys = keys;
    op.n_ssh_keys = 1000; /* a megabyte of keys: many clusters, both tables */
    assert_int_equal(seed_build(&op, NULL, &a, &e), 0);
    assert_int_equal(seed_build(&op, NULL, &b, &e), 0);
    assert_int_equal(a.length, 1474560);
    assert_memory_equal(a.s, b.s, a.length);
    assert_memory_equal(a.s + 512, a.s + 512 + 9 * 512, 9 * 512); /* the two tables agree */
    op.n_ssh_keys = 2000;
    assert_int_equal(seed_build(&op, NULL, &c, &e), -1);
    assert_non_null(strstr(e.what, "SSH keys"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_volume_name_gives_back_what_it_was_made_of),
        cmocka_unit_test(what_is_not_of_that_form_is_not_ours),
        cmocka_unit_test(the_uuid_of_a_token_is_always_the_same_and_never_that_of_another),
        cmocka_unit_test(each_way_of_attaching_has_its_own_element),
        cmocka_unit_test(our_element_is_read_back_as_it_was_written),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(sizes_follow_the_flavor_then_the_pool),
        cmocka_unit_test(each_tenant_has_a_network_of_its_own_until_the_range_ends),
        cmocka_unit_test(a_seed_is_the_same_for_the_same_server_and_has_a_limit),
    };
    return cmocka_run_group_tests_name("libvirt backend", tests, read_settings, drop_settings);
}
