/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ledger.h"
#include "alloc/pool.h"
#include "alloc/pool_run.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const instant_t NOW = {1800000000};
static struct store *store;
static char folder[64], path[96];
static struct err e;

static const char PILOT[] = "backend: simulated\n"
                            "basis: fp32\n"
                            "hosts:\n"
                            "  - {name: h1, uri: 'sim:h1'}\n"
                            "  - {name: h2, uri: 'sim:h2'}\n"
                            "flavors:\n"
                            "  - {name: v100, rating: 15.6 TF, units: 12, sizes: [8, 2, 4]}\n"
                            "  - {name: t4, rating: 8.1 TF, units: 4, sizes: [1]}\n"
                            "storage: 10.7 PB\n"
                            "granule: 1 GB\n"
                            "volume: {least: 1 GB, most: 16 TB}\n"
                            "settings: {file: cloud}\n";

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-pool-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    if (store_create(path, true, NOW, &e) < 0) return -1;
    store = store_open(path, STORE_WRITE, &e);
    return store ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static int spec_read(struct pool_spec *spec, const char *yaml, const char *name) {
    json_t *marks = NULL;
    scoped_json json_t *document = yaml_load_text(yaml, strlen(yaml), "pool.yaml", &marks, &e);
    if (!document) return -1;
    if (!spec->name) spec->name = mem_copy(name);
    if (!spec->settings) spec->settings = json_object();
    struct json_at root = json_root(document, "pool.yaml");
    int rc = pool_spec_read(spec, &root, &e);
    json_decref(marks);
    return rc;
}

struct adding {
    const char *yaml, *name;
    unsigned capabilities;
    int64_t id;
};

static int adds(struct store *s, void *arg, struct err *err) {
    struct adding *a = arg;
    struct pool_spec spec = {0};
    int rc = spec_read(&spec, a->yaml, a->name);
    if (rc == 0) rc = pool_add(s, &spec, a->capabilities, "admin kim", NOW, &a->id, err);
    pool_spec_free(&spec);
    return rc;
}

static int64_t pilot(unsigned capabilities) {
    struct adding a = {PILOT, "pilot", capabilities, 0};
    assert_int_equal(store_write(store, adds, &a, &e), 0);
    return a.id;
}

static int does(struct store *s, void *arg, struct err *err) { return sql_do(s, err, arg, ""); }
#define DO(sql) assert_int_equal(store_write(store, does, (void *)(sql), &e), 0)

static void a_declared_pool_is_read_back_as_it_was_declared(void **state) {
    (void)state;
    int64_t id = pilot(0);
    struct pool_spec wanted = {0}, got;
    assert_int_equal(spec_read(&wanted, PILOT, "pilot"), 0);
    assert_int_equal(pool_spec_load(store, id, &got, &e), 0);
    json_t *a = pool_spec_json(&wanted), *b = pool_spec_json(&got);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    pool_spec_free(&wanted);
    pool_spec_free(&got);
}

static void capacity_comes_in_by_entries_and_the_chains_hold(void **state) {
    (void)state;
    int64_t id = pilot(0), n = 0;
    assert_int_equal(ledger_balance(store, id, "unit/v100", ACCOUNT_FREE, 0, &n, &e), 0);
    assert_int_equal(n, 12);
    assert_int_equal(ledger_balance(store, id, "unit/v100", ACCOUNT_WORLD, 0, &n, &e), 0);
    assert_int_equal(n, -12);
    assert_int_equal(ledger_balance(store, id, "storage", ACCOUNT_FREE, 0, &n, &e), 0);
    assert_int_equal(n, 10700000000000000);
    assert_int_equal(ledger_verify(store, &n, &e), 0);
    assert_int_equal(n, 4); /* a note, two flavors, storage */
}

static void facts_have_ascending_sizes_and_what_is_free(void **state) {
    (void)state;
    struct fact_pool f;
    assert_int_equal(pool_load_facts(store, pilot(0), &f, &e), 0);
    assert_string_equal(f.name, "pilot");
    assert_string_equal(f.basis, "fp32");
    assert_false(f.draining);
    assert_int_equal(f.n_flavors, 2);
    assert_string_equal(f.flavors[0].name, "v100");
    assert_int_equal(f.flavors[0].rating.n, 15600);
    assert_int_equal(f.flavors[0].capacity.n, 12);
    assert_int_equal(f.flavors[0].free.n, 12);
    assert_int_equal(f.flavors[0].n_sizes, 3);
    assert_int_equal(f.flavors[0].sizes[0], 2);
    assert_int_equal(f.flavors[0].sizes[2], 8);
    assert_int_equal(f.storage_capacity.n, 10700000000000000);
    assert_int_equal(f.granule.n, 1000000000);
    pool_facts_free(&f);
}

static void with_devices_free_is_what_fits_on_the_active_hosts(void **state) {
    (void)state;
    struct fact_pool f;
    int64_t id = pilot(BACKEND_HAS_SLOTS);
    assert_int_equal(pool_load_facts(store, id, &f, &e), 0);
    assert_int_equal(f.flavors[0].free.n, 0); /* nothing was found yet */
    pool_facts_free(&f);
    DO("INSERT INTO slot (pool, host, flavor, name, address, attach, state) VALUES (1, 'h1', 'v100', 'a', "
       "'', "
       "'none', 'ok'), (1, 'h1', 'v100', 'b', '', 'none', 'ok'), (1, 'h1', 'v100', 'c', '', 'none', 'ok'), "
       "(1, 'h2', 'v100', 'a', '', 'none', 'ok'), (1, 'h2', 'v100', 'b', '', 'none', 'ok'), "
       "(1, 'h2', 'v100', 'c', '', 'none', 'lost')");
    assert_int_equal(pool_load_facts(store, id, &f, &e), 0);
    assert_int_equal(f.flavors[0].free.n, 4); /* 3 on h1 give a server of 2; so do 2 on h2 */
    assert_int_equal(f.flavors[0].capacity.n, 12);
    pool_facts_free(&f);
    DO("UPDATE host SET state = 'draining' WHERE name = 'h2'");
    assert_int_equal(pool_load_facts(store, id, &f, &e), 0);
    assert_int_equal(f.flavors[0].free.n, 2);
    pool_facts_free(&f);
}

static void more_devices_than_declared_are_never_free(void **state) {
    (void)state;
    struct fact_pool f;
    int64_t id = pilot(BACKEND_HAS_SLOTS);
    for (int i = 0; i < 6; i++) {
        static const char *const sql[] = {
            "INSERT INTO slot VALUES (1, 'h1', 't4', 'a', '', 'none', 'ok', NULL, NULL)",
            "INSERT INTO slot VALUES (1, 'h1', 't4', 'b', '', 'none', 'ok', NULL, NULL)",
            "INSERT INTO slot VALUES (1, 'h1', 't4', 'c', '', 'none', 'ok', NULL, NULL)",
            "INSERT INTO slot VALUES (1, 'h2', 't4', 'a', '', 'none', 'ok', NULL, NULL)",
            "INSERT INTO slot VALUES (1, 'h2', 't4', 'b', '', 'none', 'ok', NULL, NULL)",
            "INSERT INTO slot VALUES (1, 'h2', 't4', 'c', '', 'none', 'ok', NULL, NULL)"};
        DO(sql[i]);
    }
    assert_int_equal(pool_load_facts(store, id, &f, &e), 0);
    assert_int_equal(f.flavors[1].free.n, 4);
    pool_facts_free(&f);
}

static void reachable_sums_are_exact(void **state) {
    (void)state;
    const int64_t one[] = {1, 8}, even[] = {2, 4}, odd[] = {3, 5};
    assert_int_equal(pool_reachable(one, 2, 7), 7);
    assert_int_equal(pool_reachable(even, 2, 7), 6);
    assert_int_equal(pool_reachable(even, 2, 1), 0);
    assert_int_equal(pool_reachable(odd, 2, 4), 3);
    assert_int_equal(pool_reachable(odd, 2, 7), 6);
    assert_int_equal(pool_reachable(odd, 2, 8), 8);
    assert_int_equal(pool_reachable(odd, 0, 8), 0);
}

struct setting {
    int64_t id;
    const char *yaml;
    json_t *changes;
};

static int sets(struct store *s, void *arg, struct err *err) {
    struct setting *a = arg;
    struct pool_spec spec;
    if (pool_spec_load(s, a->id, &spec, err) < 0) return -1;
    int rc = spec_read(&spec, a->yaml, spec.name);
    if (rc == 0) rc = pool_set(s, a->id, &spec, 0, "admin kim", NOW, &a->changes, err);
    pool_spec_free(&spec);
    return rc;
}

static void setting_a_pool_says_what_changed_and_nothing_twice(void **state) {
    (void)state;
    struct setting a = {.id = pilot(0), .yaml = "storage: 12 PB"};
    assert_int_equal(store_write(store, sets, &a, &e), 0);
    scoped_free char *said = json_canonical(a.changes);
    assert_string_equal(said,
                        "[{\"from\":10700000000000000,\"to\":12000000000000000,\"what\":\"storage_bytes\"}]");
    json_decref(a.changes);
    assert_int_equal(store_write(store, sets, &a, &e), 0);
    assert_int_equal(json_array_size(a.changes), 0);
    json_decref(a.changes);
    int64_t n = 0;
    assert_int_equal(ledger_balance(store, a.id, "storage", ACCOUNT_FREE, 0, &n, &e), 0);
    assert_int_equal(n, 12000000000000000);
    assert_int_equal(ledger_verify(store, &n, &e), 0);
    assert_int_equal(n, 6); /* four, a note and a transfer: nothing for the second time */
}

static int takes(struct store *s, void *arg, struct err *err) {
    struct book b;
    const struct entry *entry = arg;
    if (book_open(&b, s, 1, "admin kim", NOW, err) < 0 || book_write(&b, entry, err) < 0) return -1;
    return book_close(&b, err);
}

static void capacity_that_is_in_use_cannot_go(void **state) {
    (void)state;
    struct setting a = {.id = pilot(0),
                        .yaml = "flavors: [{name: v100, rating: 15.6 TF, units: 4, sizes: [2]}]"};
    struct entry hold = {.kind = "grant.reserve",
                         .tenant = 0,
                         .grant = 7,
                         .item = "unit/v100",
                         .from = ACCOUNT_FREE,
                         .to = ACCOUNT_RESERVED,
                         .quantity = 10};
    assert_int_equal(store_write(store, takes, &hold, &e), 0);
    assert_int_equal(store_write(store, sets, &a, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.what, "v100: 12 units are declared and 2 units are free: 8 units cannot go");
    assert_string_equal(e.hint, "the least that can be declared now is 10 units");
    json_decref(a.changes);
    struct fact_pool f;
    assert_int_equal(pool_load_facts(store, a.id, &f, &e), 0);
    assert_int_equal(f.flavors[0].capacity.n, 12);
    assert_int_equal(f.flavors[0].free.n, 2);
    pool_facts_free(&f);
}

static const char CENTRE[] = "backend: simulated\n"
                             "basis: fp32\n"
                             "hosts:\n"
                             "  - {name: h1, uri: 'sim:h1'}\n"
                             "flavors:\n"
                             "  - {name: v100, rating: 15.6 TF, units: 12, sizes: [8, 2, 4]}\n"
                             "  - {name: chip, rating: none, units: 4}\n"
                             "storage: 1 PB\n"
                             "datalake: 500 TB\n"
                             "saas:\n"
                             "  - {name: cad, seats: 10}\n"
                             "  - {name: notebook, seats: 100}\n"
                             "measures: [gpu_util]\n"
                             "granule: 1 GB\n"
                             "volume: {least: 1 GB, most: 16 TB}\n"
                             "settings: {file: cloud}\n";

static void a_pool_lends_chips_without_a_figure_a_data_lake_and_seats(void **state) {
    (void)state;
    struct adding adding = {CENTRE, "centre", false, 0};
    assert_int_equal(store_write(store, adds, &adding, &e), 0);
    struct pool_spec wanted = {0}, got, again = {0};
    assert_int_equal(spec_read(&wanted, CENTRE, "centre"), 0);
    assert_int_equal(pool_spec_load(store, adding.id, &got, &e), 0);
    scoped_json json_t *a = pool_spec_json(&wanted), *b = pool_spec_json(&got);
    assert_true(json_equal(a, b));
    assert_true(
        json_is_null(json_object_get(json_array_get(json_object_get(a, "flavors"), 1), "rating_gflops")));
    /* The document of what stands reads as itself. */
    scoped_json json_t *document = pool_spec_document(&got);
    struct json_at root = json_root(document, "pool");
    again.name = mem_copy("centre");
    again.settings = json_object();
    assert_int_equal(pool_spec_read(&again, &root, &e), 0);
    scoped_json json_t *c = pool_spec_json(&again);
    assert_true(json_equal(a, c));
    struct fact_pool facts;
    assert_int_equal(pool_load_facts(store, adding.id, &facts, &e), 0);
    assert_true(facts.flavors[1].unrated && facts.flavors[1].rating.n == 0 && facts.flavors[1].free.n == 4);
    assert_false(facts.flavors[0].unrated);
    assert_int_equal(facts.datalake_free.n, INT64_C(500000000000000));
    assert_int_equal(facts.n_services, 2);
    assert_string_equal(facts.services[1].name, "notebook");
    assert_int_equal(facts.services[1].free, 100);
    pool_facts_free(&facts);
    pool_spec_free(&wanted);
    pool_spec_free(&got);
    pool_spec_free(&again);
    int64_t n;
    assert_int_equal(ledger_balance(store, adding.id, "seat/cad", ACCOUNT_FREE, 0, &n, &e), 0);
    assert_int_equal(n, 10);
}

static void what_an_offer_holds_is_not_free_and_cannot_be_declared_away(void **state) {
    (void)state;
    struct adding adding = {CENTRE, "centre", false, 0};
    assert_int_equal(store_write(store, adds, &adding, &e), 0);
    DO("PRAGMA defer_foreign_keys = 1");
    DO("INSERT INTO organisation VALUES (1, 'o', 'o', 0)");
    DO("INSERT INTO tenant VALUES (1, 't', 1, 'en', 'active', 0, '')");
    DO("INSERT INTO offer VALUES (1, 1, 1, '{}', 0, 0, 9, 1)");
    DO("INSERT INTO offer_line VALUES (1, 1, 'unit/v100', 5)");
    DO("INSERT INTO offer_line VALUES (1, 1, 'seat/cad', 4)");
    struct fact_pool facts;
    assert_int_equal(pool_load_facts(store, adding.id, &facts, &e), 0);
    assert_int_equal(facts.flavors[0].free.n, 7);
    assert_int_equal(facts.flavors[0].capacity.n, 12);
    assert_int_equal(facts.services[0].free, 6);
    pool_facts_free(&facts);
    scoped_json json_t *shown = pool_show(store, adding.id, &e);
    const json_t *v100 = json_array_get(json_object_get(shown, "flavors"), 0);
    assert_int_equal(json_integer_value(json_object_get(v100, "free_units")), 7);
    assert_int_equal(json_integer_value(json_object_get(v100, "offered_units")), 5);
    assert_int_equal(json_integer_value(json_object_get(v100, "lent_units")), 0);
    struct setting s = {
        .id = adding.id,
        .yaml = "flavors: [{name: v100, rating: 15.6 TF, units: 4}, {name: chip, rating: none, units: 4}]"};
    assert_int_equal(store_write(store, sets, &s, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    if (!strstr(e.what, "7 units are free")) fail_msg("%s", e.what);
    json_decref(s.changes);
}

static void a_name_is_taken_once_and_a_miss_suggests_the_nearest(void **state) {
    (void)state;
    struct adding again = {PILOT, "pilot", false, 0};
    int64_t id = pilot(0), found = 0;
    assert_int_equal(store_write(store, adds, &again, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    err_clear(&e);
    assert_int_equal(pool_find(store, "pilot", &found, &e), 0);
    assert_int_equal(found, id);
    assert_int_equal(pool_find(store, "pilto", &found, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_string_equal(e.hint, "did you mean 'pilot'?");
}

struct bad {
    const char *yaml, *says, *hints;
};

static void bad_files_name_the_path(void **state) {
    (void)state;
    static const struct bad cases[] = {
        {"storage: 50", "pool.yaml: storage: must be an amount with its unit, like \"10.7 PB\", is 50", ""},
        {"storage: 50 tb", "pool.yaml: storage: ", NULL},
        {"storage: -1 TB", "pool.yaml: storage: ", NULL},
        {"storage: 1e3 TB", "pool.yaml: storage: ", NULL},
        {"storage: 99999 PB", "pool.yaml: storage: ", NULL},
        {"storge: 50 TB", "pool.yaml: storge: is not known here", "did you mean 'storage'?"},
        {"flavors: [{name: a, rating: 1 TF, units: 1, sizes: [1]}, {name: b, rating: 15.6, units: 1, sizes: "
         "[1]}]",
         "pool.yaml: flavors[1].rating: ", NULL},
        {"flavors: [{name: a, rating: 0 TF, units: 1, sizes: [1]}]",
         "pool.yaml: flavors[0].rating: must be more than 0", ""},
        {"flavors: [{name: a, rating: 1 TF, units: 1 TF, sizes: [1]}]",
         "pool.yaml: flavors[0].units: ", NULL},
        {"flavors: [{name: a, rating: 1 TF, units: 1, sizes: [2, 2]}]",
         "pool.yaml: flavors[0].sizes[1]: 2 stands twice", ""},
        {"flavors: [{name: a, rating: 1 TF, units: 1, sizes: []}]",
         "pool.yaml: flavors[0].sizes: must have 1 to 16 items, has 0", ""},
        {"flavors: [{name: a/b, rating: 1 TF, units: 1, sizes: [1]}]", "pool.yaml: flavors[0].name: ", NULL},
        {"flavors: [{name: a, rating: 1 TF, units: 1, sizes: [1], attach: pcie}]",
         "pool.yaml: flavors[0].attach: must be one of: none, pci, mdev, vf, vcpu, hand, is \"pcie\"",
         "did you mean 'pci'?"},
        {"flavors: [{name: a, rating: unknown, units: 1}]", "pool.yaml: flavors[0].rating: ", NULL},
        {"flavors: [{name: a, units: 1}]", "pool.yaml: flavors[0].rating: is missing", NULL},
        {"saas: [{name: a}]", "pool.yaml: saas[0].seats: ", NULL},
        {"saas: [{name: a/b, seats: 1}]", "pool.yaml: saas[0].name: ", NULL},
        {"measures: [a b]", "measures[0]: metric 'a b': ", NULL},
        {"datalake: 5", "pool.yaml: datalake: must be an amount", NULL},
        {"hosts: [{name: h1}]", "pool.yaml: hosts[0].uri: is missing (text)", ""},
        {"volume: {leest: 1 GB}", "pool.yaml: volume.leest: is not known here", "did you mean 'least'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pool_spec spec = {0};
        err_clear(&e);
        assert_int_equal(spec_read(&spec, cases[i].yaml, "pilot"), -1);
        assert_int_equal(e.code, ERR_USAGE);
        if (strncmp(e.what, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("said: %s\nwanted: %s", e.what, cases[i].says);
        if (cases[i].hints) {
            assert_string_equal(e.what, cases[i].says);
            assert_string_equal(e.hint, cases[i].hints);
        }
        pool_spec_free(&spec);
    }
}

static void bad_pools_are_refused_as_a_whole(void **state) {
    (void)state;
    static const struct bad cases[] = {
        {"basis: fp32", "backend: is missing (libvirt, openstack, simulated)", NULL},
        {"{backend: simulated, basis: fp33}",
         "basis: 'fp33' is none of fp64, fp32, tf32, fp16, bf16, fp8, fp4, int8, int4", NULL},
        {"{backend: simulated, basis: fp32, granule: 1 GB, volume: {least: 1 GB, most: 1 GB}}",
         "hosts: the pool has none", NULL},
        {"{backend: simulated, basis: fp32, hosts: [{name: a, uri: x}, {name: a, uri: y}]}",
         "hosts[1].name: 'a' is the name of hosts[0] too", NULL},
        {"{backend: simulated, basis: fp32, hosts: [{name: a, uri: x}], saas: [{name: s, seats: 1}, {name: "
         "s, "
         "seats: 2}]}",
         "saas[1].name: 's' is the name of saas[0] too", NULL},
        {"{backend: simulated, basis: fp32, hosts: [{name: a, uri: x}], measures: [m, m]}",
         "measures[1]: 'm' stands twice", NULL},
        {"{backend: simulated, basis: fp32, hosts: [{name: a, uri: x}], granule: 3 GB, volume: {least: 1 GB, "
         "most: 9 GB}}",
         "volume.least: 1 GB is not a multiple of the granule, 3 GB", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct adding a = {cases[i].yaml, "pilot", false, 0};
        err_clear(&e);
        assert_int_equal(store_write(store, adds, &a, &e), -1);
        assert_string_equal(e.what, cases[i].says);
        int64_t n = 0;
        assert_int_equal(sql_int(store, &e, &n, "SELECT count(*) FROM pool WHERE id > 0", ""), 1);
        assert_int_equal(n, 0);
    }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_declared_pool_is_read_back_as_it_was_declared),
        T(capacity_comes_in_by_entries_and_the_chains_hold),
        T(facts_have_ascending_sizes_and_what_is_free),
        T(with_devices_free_is_what_fits_on_the_active_hosts),
        T(more_devices_than_declared_are_never_free),
        T(reachable_sums_are_exact),
        T(setting_a_pool_says_what_changed_and_nothing_twice),
        T(capacity_that_is_in_use_cannot_go),
        T(a_name_is_taken_once_and_a_miss_suggests_the_nearest),
        T(a_pool_lends_chips_without_a_figure_a_data_lake_and_seats),
        T(what_an_offer_holds_is_not_free_and_cannot_be_declared_away),
        T(bad_files_name_the_path),
        T(bad_pools_are_refused_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
