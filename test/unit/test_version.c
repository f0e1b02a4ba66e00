/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const instant_t NOW = {1800000000};
static struct store *store;
static char folder[64], path[96];
static struct err e;

static int does(struct store *s, void *arg, struct err *err) { return sql_do(s, err, arg, ""); }

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-version-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    if (store_create(path, true, NOW, &e) < 0) return -1;
    store = store_open(path, STORE_WRITE, &e);
    static const char pool[] =
        "INSERT INTO pool (id, name, backend, basis, state, granule_bytes, volume_least_bytes, "
        "volume_most_bytes, settings, generation, made_at) VALUES (1, 'pilot', 'simulated', "
        "'fp32', 'active', 1, 1, 1, '{}', 0, 0)";
    return store ? store_write(store, does, (void *)pool, &e) : -1;
}

static int teardown(void **state) {
    (void)state;
    store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

struct loading {
    struct version_new v;
    int64_t id;
    enum version_loaded what;
};

static int loads(struct store *s, void *arg, struct err *err) {
    struct loading *l = arg;
    return version_load(s, &l->v, "admin kim", NOW, &l->id, &l->what, err);
}

static struct loading version(int64_t number, const char *stored) {
    return (struct loading){.v = {.pool = 1, .name = "pilot", .version = number, .stored = stored}};
}

static int load(struct loading *l) { return store_write(store, loads, l, &e); }

static int64_t entries(void) {
    int64_t n = -1;
    assert_int_equal(ledger_verify(store, &n, &e), 0);
    return n;
}

static void the_newest_loaded_decides(void **state) {
    (void)state;
    struct loading one = version(1, "{\"a\":1}"), two = version(2, "{\"a\":2}");
    int64_t id;
    struct hash hash;
    scoped_free char *stored = NULL;
    assert_int_equal(version_active(store, 1, NOW, &id, &hash, &stored, &e), 0);
    assert_int_equal(load(&two), 0);
    assert_int_equal(load(&one), 0);
    assert_int_equal(version_active(store, 1, NOW, &id, &hash, &stored, &e), 1);
    assert_int_equal(id, one.id);
    assert_string_equal(stored, "{\"a\":1}");
    assert_string_equal(hash.hex, hash_of(stored, strlen(stored)).hex);
}

static void the_same_again_writes_nothing(void **state) {
    (void)state;
    struct loading one = version(1, "{\"a\":1}"), again = version(1, "{\"a\":1}");
    assert_int_equal(load(&one), 0);
    assert_int_equal(one.what, VERSION_NEW);
    assert_int_equal(load(&again), 0);
    assert_int_equal(again.what, VERSION_SAME);
    assert_int_equal(again.id, one.id);
    assert_int_equal(entries(), 1);
}

static void a_version_never_changes(void **state) {
    (void)state;
    struct loading one = version(1, "{\"a\":1}"), other = version(1, "{\"a\":2}");
    assert_int_equal(load(&one), 0);
    assert_int_equal(load(&other), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.what, "policy 'pilot' version 1 is loaded with other content (015abd7f5cc5, not "
                                "7e8059f49558)");
    assert_int_equal(entries(), 1);
}

static void the_ledger_keeps_the_hash(void **state) {
    (void)state;
    struct loading one = version(1, "{\"a\":1}");
    assert_int_equal(load(&one), 0);
    scoped_free char *words = NULL, *policy = NULL;
    assert_int_equal(
        sql_text(store, &e, &words,
                 "SELECT d.detail FROM entry e JOIN entry_detail d ON d.seq = e.seq WHERE e.kind = "
                 "'policy.load'",
                 ""),
        1);
    assert_int_equal(sql_text(store, &e, &policy, "SELECT policy FROM entry WHERE kind = 'policy.load'", ""),
                     1);
    assert_string_equal(words, hash_of("{\"a\":1}", 7).hex);
    assert_string_equal(policy, words);
}

static void outside_its_dates_a_version_does_not_decide(void **state) {
    (void)state;
    struct loading always = version(1, "{\"a\":1}"), dated = version(2, "{\"a\":2}");
    dated.v.from = (struct maybe_instant){true, {NOW.s + 100}};
    dated.v.until = (struct maybe_instant){true, {NOW.s + 200}};
    assert_int_equal(load(&dated), 0);
    static const struct {
        int64_t after;
        bool is_dated;
    } cases[] = {{0, false}, {99, false}, {100, true}, {199, true}, {200, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t id = 0;
        struct hash hash;
        char *stored = NULL;
        int rc = version_active(store, 1, instant(NOW.s + cases[i].after), &id, &hash, &stored, &e);
        assert_int_equal(rc, cases[i].is_dated);
        if (rc) assert_int_equal(id, dated.id);
        free(stored);
    }
    assert_int_equal(load(&always), 0); /* loaded later: it decides from here on, the dated one nowhere */
    int64_t id = 0;
    struct hash hash;
    scoped_free char *stored = NULL;
    assert_int_equal(version_active(store, 1, instant(NOW.s + 150), &id, &hash, &stored, &e), 1);
    assert_int_equal(id, always.id);
}

static void dates_the_wrong_way_round_are_refused(void **state) {
    (void)state;
    struct loading one = version(1, "{\"a\":1}");
    one.v.from = (struct maybe_instant){true, {NOW.s + 100}};
    one.v.until = (struct maybe_instant){true, {NOW.s + 100}};
    assert_int_equal(load(&one), -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_int_equal(entries(), 0);
}

static void the_list_marks_the_one_that_decides(void **state) {
    (void)state;
    struct loading one = version(1, "{\"a\":1}"), two = version(2, "{\"a\":2}");
    assert_int_equal(load(&one), 0);
    assert_int_equal(load(&two), 0);
    scoped_json json_t *list = version_list(store, 1, NOW, &e);
    assert_non_null(list);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "version")), 2);
    assert_true(json_is_true(json_object_get(json_array_get(list, 0), "active")));
    assert_true(json_is_false(json_object_get(json_array_get(list, 1), "active")));
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "valid_until")));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_newest_loaded_decides),
        T(the_same_again_writes_nothing),
        T(a_version_never_changes),
        T(the_ledger_keeps_the_hash),
        T(outside_its_dates_a_version_does_not_decide),
        T(dates_the_wrong_way_round_are_refused),
        T(the_list_marks_the_one_that_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
