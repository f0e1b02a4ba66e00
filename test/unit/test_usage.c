/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/usage.h"
#include "alloc/amount.h"
#include "test/unit/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static char folder[64], path[96];
static struct store *store;
static struct err e;
static int64_t pools[2], tenants[2];

static int64_t act(struct fixture_step step) {
    if (!step.pool) step.pool = pools[0];
    if (!step.tenant) step.tenant = 1;
    step.tenant_id = tenants[step.tenant - 1];
    if (fixture_do(store, &step, &e) < 0) fail_msg("%s", e.what);
    return step.grant;
}

static int make_pools(struct store *s, void *arg, struct err *err) {
    (void)arg;
    if (fixture_pool(s, "gj", 64, "10 PB", &pools[0], err) < 0 ||
        fixture_pool(s, "half", 16, "1 PB", &pools[1], err) < 0)
        return -1;
    return sql_do(s, err, "UPDATE pool SET basis = 'fp16' WHERE id = $1", "i", pools[1]);
}

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-usage-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    if (store_create(path, true, instant(FIXTURE_START), &e) < 0) return -1;
    store = store_open(path, STORE_WRITE, &e);
    if (!store || store_write(store, make_pools, NULL, &e) < 0) return -1;
    for (int i = 0; i < 2; i++) {
        struct fixture_step one = {.act = FIXTURE_TENANT, .tenant = i + 1};
        if (fixture_do(store, &one, &e) < 0) return -1;
        tenants[i] = one.tenant_id;
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* 8 units and 3 TB, from `start` on: reserved at 10, held from 20, released at 30, servers gone at 40, purged
   at 50, volumes gone at 60. */
static int64_t life(int tenant, int64_t pool, int64_t start) {
    struct fixture_step s = {
        .tenant = tenant, .pool = pool, .size = 4, .count = 2, .storage = 3 * FIXTURE_TB};
    s.act = FIXTURE_GRANT, s.at = start + 10, s.grant = act(s);
    s.act = FIXTURE_PRESENT, s.at = start + 20, act(s);
    s.act = FIXTURE_RELEASE, s.at = start + 30, act(s);
    s.act = FIXTURE_SERVERS_GONE, s.at = start + 40, act(s);
    s.act = FIXTURE_PURGE, s.at = start + 50, act(s);
    s.act = FIXTURE_ALL_GONE, s.at = start + 60, act(s);
    return s.grant;
}

static json_t *usage(int64_t since, int64_t until, enum usage_by by, int64_t tenant) {
    struct usage_query q = {.since = instant(FIXTURE_START + since),
                            .until = instant(FIXTURE_START + until),
                            .by = by,
                            .tenant = tenant,
                            .with_conservation = true};
    json_t *report = usage_of(store, &q, &e);
    if (!report) fail_msg("%s", e.what);
    return report;
}

static const char *text(const json_t *row, const char *key) {
    const char *s = json_string_value(json_object_get(row, key));
    if (!s) fail_msg("no text at %s", key);
    return s;
}

static const json_t *row(const json_t *report, const char *list, size_t i) {
    const json_t *found = json_array_get(json_object_get(report, list), i);
    if (!found) fail_msg("no %s[%zu]", list, i);
    return found;
}

static void expect_part(const json_t *report, size_t i, const char *key, int64_t value) {
    char words[32];
    snprintf(words, sizeof words, "%lld", (long long)value);
    assert_string_equal(text(row(report, "conservation", i), key), words);
}

static void held_units_and_held_or_kept_bytes_count_by_the_second(void **state) {
    (void)state;
    life(1, 0, 0);
    scoped_json json_t *report = usage(0, 100, USAGE_BY_TENANT, 0);
    assert_int_equal(json_array_size(json_object_get(report, "rows")), 1);
    assert_string_equal(text(row(report, "rows", 0), "tenant"), "c0001");
    assert_string_equal(text(row(report, "rows", 0), "basis"), "fp32");
    assert_string_equal(text(row(report, "rows", 0), "compute_gflops_seconds"),
                        "1248000"); /* 8 x 15600 x 10 */
    assert_string_equal(text(row(report, "rows", 0), "storage_byte_seconds"),
                        "90000000000000"); /* 3 TB x 30 */
    assert_string_equal(text(row(report, "rows", 0), "compute_tf_hours"), "0.347");
    assert_string_equal(text(row(report, "rows", 0), "storage_tb_hours"), "0.025");
}

static void every_part_of_the_capacity_is_accounted_for(void **state) {
    (void)state;
    life(1, 0, 0);
    scoped_json json_t *report = usage(0, 100, USAGE_BY_TENANT, 0);
    const json_t *units = row(report, "conservation", 0);
    assert_string_equal(text(units, "item"), "unit/v100");
    assert_string_equal(text(units, "unit"), "unit_seconds");
    expect_part(report, 0, "capacity", 64 * 100);
    expect_part(report, 0, "reserved", 8 * 10);
    expect_part(report, 0, "held", 8 * 10);
    expect_part(report, 0, "releasing", 8 * 10);
    expect_part(report, 0, "free", 64 * 100 - 8 * 30);
    expect_part(report, 0, "lost", 0);
    expect_part(report, 1, "held", 3 * FIXTURE_TB * 10);
    expect_part(report, 1, "kept", 3 * FIXTURE_TB * 20);
    expect_part(report, 1, "releasing", 3 * FIXTURE_TB * 10);
    assert_true(json_is_true(json_object_get(report, "closes")));
}

static void spans_are_half_open_so_that_parts_add_up_to_the_whole(void **state) {
    (void)state;
    life(1, 0, 0);
    wide_t compute = 0, storage = 0;
    for (int64_t at = 0; at < 100;) {
        int64_t next = at + 1 + at % 7 < 100 ? at + 1 + at % 7 : 100;
        scoped_json json_t *part = usage(at, next, USAGE_BY_TENANT, 0);
        assert_true(json_is_true(json_object_get(part, "closes")));
        const json_t *one = json_array_get(json_object_get(part, "rows"), 0);
        if (one) compute += atoll(text(one, "compute_gflops_seconds"));
        if (one) storage += atoll(text(one, "storage_byte_seconds"));
        at = next;
    }
    assert_true(compute == 1248000);
    assert_true(storage == 90 * FIXTURE_TB);
}

static void an_entry_counts_from_its_own_second_on(void **state) {
    (void)state;
    life(1, 0, 0);
    scoped_json json_t *before = usage(19, 20, USAGE_BY_TENANT, 0);
    assert_int_equal(json_array_size(json_object_get(before, "rows")), 0);
    scoped_json json_t *first = usage(20, 21, USAGE_BY_TENANT, 0);
    assert_string_equal(text(row(first, "rows", 0), "compute_gflops_seconds"), "124800");
    scoped_json json_t *last = usage(29, 30, USAGE_BY_TENANT, 0);
    assert_string_equal(text(row(last, "rows", 0), "compute_gflops_seconds"), "124800");
    scoped_json json_t *after = usage(30, 31, USAGE_BY_TENANT, 0);
    assert_string_equal(text(row(after, "rows", 0), "compute_gflops_seconds"), "0");
    assert_string_equal(text(row(after, "rows", 0), "storage_byte_seconds"), "3000000000000");
}

static void sums_pass_64_bits_and_stay_exact(void **state) {
    (void)state;
    struct fixture_step s = {
        .act = FIXTURE_GRANT, .at = 1, .size = 8, .count = 1, .storage = 5000 * FIXTURE_TB};
    s.grant = act(s);
    s.act = FIXTURE_PRESENT, s.at = 2, act(s);
    int64_t century = INT64_C(3155760000);
    scoped_json json_t *report = usage(2, 2 + century, USAGE_BY_TENANT, 0);
    assert_string_equal(text(row(report, "rows", 0), "storage_byte_seconds"), "15778800000000000000000000");
    assert_string_equal(text(row(report, "rows", 0), "storage_tb_hours"), "4383000000.000");
    assert_string_equal(text(row(report, "conservation", 1), "capacity"), "31557600000000000000000000");
    assert_true(json_is_true(json_object_get(report, "closes")));
}

static void figures_of_different_basis_are_never_added(void **state) {
    (void)state;
    life(1, pools[0], 0);
    life(1, pools[1], 0);
    scoped_json json_t *report = usage(0, 100, USAGE_BY_TENANT, 0);
    assert_int_equal(json_array_size(json_object_get(report, "rows")), 2);
    assert_int_equal(json_array_size(json_object_get(report, "totals")), 2);
    assert_string_equal(text(row(report, "totals", 0), "basis"), "fp16");
    assert_string_equal(text(row(report, "totals", 0), "compute_gflops_seconds"), "1248000");
    assert_string_equal(text(row(report, "totals", 1), "basis"), "fp32");
    assert_string_equal(text(row(report, "totals", 1), "compute_gflops_seconds"), "1248000");
}

static void rows_are_per_grant_or_per_flavor_when_asked(void **state) {
    (void)state;
    life(2, 0, 0);
    life(1, 0, 100);
    scoped_json json_t *grants = usage(0, 200, USAGE_BY_GRANT, 0);
    assert_string_equal(text(row(grants, "rows", 0), "grant"), "g-1");
    assert_string_equal(text(row(grants, "rows", 0), "tenant"), "c0002");
    assert_string_equal(text(row(grants, "rows", 1), "grant"), "g-2");
    scoped_json json_t *flavors = usage(0, 200, USAGE_BY_FLAVOR, 0);
    assert_string_equal(text(row(flavors, "rows", 0), "flavor"), "v100");
    assert_string_equal(text(row(flavors, "rows", 0), "storage_byte_seconds"), "0");
    assert_true(json_is_null(json_object_get(row(flavors, "rows", 1), "flavor")));
    assert_string_equal(text(row(flavors, "rows", 1), "compute_gflops_seconds"), "0");
}

static void one_tenant_sees_its_own_rows_only(void **state) {
    (void)state;
    life(1, 0, 0);
    life(2, 0, 100);
    scoped_json json_t *report = usage(0, 200, USAGE_BY_TENANT, tenants[1]);
    assert_int_equal(json_array_size(json_object_get(report, "rows")), 1);
    assert_string_equal(text(row(report, "rows", 0), "tenant"), "c0002");
}

static int tamper(struct store *s, void *arg, struct err *err) {
    (void)arg;
    return sql_do(s, err, "UPDATE account SET balance = balance + 1 WHERE kind = 'free' AND item = 'storage'",
                  "");
}

static int tamper_entry(struct store *s, void *arg, struct err *err) {
    (void)arg;
    return sql_do(s, err, "UPDATE entry SET to_kind = 'nowhere' WHERE kind = 'grant.hold'", "");
}

static void books_that_do_not_close_are_not_called_closed(void **state) {
    (void)state;
    life(1, 0, 0);
    assert_int_equal(store_write(store, tamper, NULL, &e), 0);
    scoped_json json_t *report = usage(0, 100, USAGE_BY_TENANT, 0);
    assert_true(json_is_true(json_object_get(row(report, "conservation", 0), "closes")));
    assert_true(json_is_false(json_object_get(row(report, "conservation", 1), "closes")));
    assert_true(json_is_false(json_object_get(report, "closes")));
}

static void an_entry_that_is_no_transfer_keeps_the_books_open(void **state) {
    (void)state;
    life(1, 0, 0);
    assert_int_equal(store_write(store, tamper_entry, NULL, &e), 0);
    scoped_json json_t *report = usage(0, 100, USAGE_BY_TENANT, 0);
    assert_true(json_is_false(json_object_get(report, "closes")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(held_units_and_held_or_kept_bytes_count_by_the_second),
        CASE(every_part_of_the_capacity_is_accounted_for),
        CASE(spans_are_half_open_so_that_parts_add_up_to_the_whole),
        CASE(an_entry_counts_from_its_own_second_on),
        CASE(sums_pass_64_bits_and_stay_exact),
        CASE(figures_of_different_basis_are_never_added),
        CASE(rows_are_per_grant_or_per_flavor_when_asked),
        CASE(one_tenant_sees_its_own_rows_only),
        CASE(books_that_do_not_close_are_not_called_closed),
        CASE(an_entry_that_is_no_transfer_keeps_the_books_open),
    };
    return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
