/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated backend through the dispatcher, as the engine calls it. */
#include "alloc/dispatch.h"
#include "alloc/fault.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct backend allot_backend;

static char folder[] = "/tmp/allot-sim-XXXXXX";
static struct backend_host hosts[] = {{.name = "h1", .uri = "sim:1"}, {.name = "h2", .uri = "sim:2"}};
static json_t *settings;
static struct backend_pool pool;

static int fresh(void **state) {
    (void)state;
    char file[64];
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/cloud", folder);
    json_decref(settings);
    settings = json_pack("{s:s, s:I, s:{s:{s:i}}}", "file", file, "storage_bytes_per_host",
                         (json_int_t)100000000000000, "flavors", "v100", "units_per_host", 8);
    pool = (struct backend_pool){.name = "pilot",
                                 .basis = "fp32",
                                 .hosts = hosts,
                                 .n_hosts = 2,
                                 .settings = settings,
                                 .store_id = "s4f1c09ab37de",
                                 .deadline_ms = 1000};
    fault_arm(NULL);
    return 0;
}

static int clean(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct backend_operation server(const char *token, const char *name, const char *host, int64_t units) {
    return (struct backend_operation){.token = token,
                                      .kind = BACKEND_SERVER,
                                      .name = name,
                                      .host = host,
                                      .tenant = "c0001",
                                      .grant = "g-1",
                                      .tenant_number = 1,
                                      .flavor = "v100",
                                      .units = units};
}

static struct backend_operation volume(const char *token, const char *name, const char *host, int64_t size) {
    return (struct backend_operation){.token = token,
                                      .kind = BACKEND_VOLUME,
                                      .name = name,
                                      .host = host,
                                      .tenant = "c0001",
                                      .grant = "g-1",
                                      .bytes = bytes(size)};
}

static void forget(struct backend_operation *ops, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(ops[i].detail);
        json_decref(ops[i].connection);
        ops[i].detail = NULL;
        ops[i].connection = NULL;
    }
}

static enum backend_answer ensure(struct backend_operation op) {
    struct err e = {0};
    dispatch_ensure(&allot_backend, &pool, &op, 1, &e);
    forget(&op, 1);
    return op.answer;
}

static enum backend_answer remove_it(struct backend_operation op) {
    struct err e = {0};
    dispatch_remove(&allot_backend, &pool, &op, 1, &e);
    forget(&op, 1);
    return op.answer;
}

static size_t seen(void) {
    struct err e = {0};
    struct backend_view view;
    assert_int_equal(dispatch_observe(&allot_backend, &pool, &view, &e), 0);
    size_t n = view.n_seen;
    backend_view_free(&view);
    return n;
}

static void a_thing_is_made_once_and_found_by_its_token(void **state) {
    (void)state;
    assert_int_equal(ensure(server("s1.1.1", "a", "h1", 2)), BACKEND_DONE);
    assert_int_equal(ensure(server("s1.1.1", "a", "h1", 2)), BACKEND_DONE);
    assert_int_equal(seen(), 1);
    assert_int_equal(ensure(server("s1.1.1", "a", "h2", 2)), BACKEND_REFUSED);
    assert_int_equal(remove_it(server("s1.1.1", "a", "h1", 2)), BACKEND_DONE);
    assert_int_equal(remove_it(server("s1.1.1", "a", "h1", 2)), BACKEND_DONE);
    assert_int_equal(seen(), 0);
}

static void a_name_or_a_slot_in_use_is_refused_with_its_holder(void **state) {
    (void)state;
    struct backend_slot slot = {"none-v100-0001", "", "none"};
    struct backend_operation first = server("s1.1.1", "a", "h1", 1), other = server("s1.1.2", "b", "h1", 1);
    first.slots = other.slots = &slot;
    first.n_slots = other.n_slots = 1;
    assert_int_equal(ensure(first), BACKEND_DONE);
    struct err e = {0};
    assert_int_equal(dispatch_ensure(&allot_backend, &pool, &other, 1, &e), 0);
    assert_int_equal(other.answer, BACKEND_REFUSED);
    assert_non_null(strstr(other.detail, "s1.1.1"));
    forget(&other, 1);
    assert_int_equal(ensure(server("s1.1.3", "a", "h1", 1)), BACKEND_REFUSED);
    other.host = "h2";
    assert_int_equal(ensure(other), BACKEND_DONE);
}

static void units_and_storage_run_out_and_come_back(void **state) {
    (void)state;
    assert_int_equal(ensure(server("s1.1.1", "a", "h1", 8)), BACKEND_DONE);
    assert_int_equal(ensure(server("s1.1.2", "b", "h1", 1)), BACKEND_REFUSED);
    assert_int_equal(ensure(volume("s1.1.3", "c", "h1", INT64_C(60000000000000))), BACKEND_DONE);
    assert_int_equal(ensure(volume("s1.1.4", "d", "h1", INT64_C(60000000000000))), BACKEND_REFUSED);
    assert_int_equal(remove_it(server("s1.1.1", "a", "h1", 8)), BACKEND_DONE);
    assert_int_equal(remove_it(volume("s1.1.3", "c", "h1", 1)), BACKEND_DONE);
    assert_int_equal(ensure(server("s1.1.2", "b", "h1", 8)), BACKEND_DONE);
    assert_int_equal(ensure(volume("s1.1.4", "d", "h1", INT64_C(100000000000000))), BACKEND_DONE);
}

static void a_volume_in_use_is_not_removed(void **state) {
    (void)state;
    struct backend_disk disk = {"data", "s1.1.2"};
    struct backend_operation ops[] = {server("s1.1.1", "a", "h1", 1), volume("s1.1.2", "data", "h1", 1000)};
    ops[0].disks = &disk;
    ops[0].n_disks = 1;
    assert_int_equal(ensure(ops[0]), BACKEND_NOTHING_HAPPENED); /* its volume is not there yet */
    struct err e = {0};
    assert_int_equal(dispatch_ensure(&allot_backend, &pool, ops, 2, &e), 0); /* volumes go first */
    assert_int_equal(ops[0].answer, BACKEND_DONE);
    forget(ops, 2);
    assert_int_equal(remove_it(ops[1]), BACKEND_NOTHING_HAPPENED);
    assert_int_equal(dispatch_remove(&allot_backend, &pool, ops, 2, &e), 0); /* servers go first */
    assert_int_equal(ops[1].answer, BACKEND_DONE);
    forget(ops, 2);
    assert_int_equal(seen(), 0);
}

static void injected_behaviour_is_as_configured(void **state) {
    (void)state;
    json_object_set_new(settings, "fail_names", json_pack("[s]", "bad-*"));
    json_object_set_new(settings, "lose_answers", json_pack("[s]", "lost-*"));
    json_object_set_new(settings, "slow", json_pack("[s]", "slow-*"));
    assert_int_equal(ensure(server("s1.1.1", "bad-1", "h1", 1)), BACKEND_REFUSED);
    assert_int_equal(ensure(server("s1.1.2", "lost-1", "h1", 1)), BACKEND_UNKNOWN);
    assert_int_equal(ensure(server("s1.1.2", "lost-1", "h1", 1)), BACKEND_DONE);
    assert_int_equal(ensure(server("s1.1.3", "slow-1", "h1", 1)), BACKEND_STARTED);
    assert_int_equal(ensure(server("s1.1.3", "slow-1", "h1", 1)), BACKEND_STARTED);
    assert_int_equal(seen(), 2);
    assert_int_equal(ensure(server("s1.1.3", "slow-1", "h1", 1)), BACKEND_DONE);
    assert_int_equal(remove_it(server("s1.1.3", "slow-1", "h1", 1)), BACKEND_STARTED);
    assert_int_equal(seen(), 1);
    assert_int_equal(remove_it(server("s1.1.3", "slow-1", "h1", 1)), BACKEND_DONE);
}

static void a_dead_host_is_reported_and_does_not_stop_the_other(void **state) {
    (void)state;
    json_object_set_new(settings, "dead_hosts", json_pack("[s]", "h1"));
    assert_int_equal(ensure(server("s1.1.1", "a", "h1", 1)), BACKEND_NOTHING_HAPPENED);
    assert_int_equal(ensure(server("s1.1.2", "b", "h2", 1)), BACKEND_DONE);
    assert_int_equal(ensure(server("s1.1.3", "c", "h9", 1)), BACKEND_NOTHING_HAPPENED);
    struct err e = {0};
    struct backend_view view;
    assert_int_equal(dispatch_observe(&allot_backend, &pool, &view, &e), 0);
    assert_int_equal(view.n_hosts, 2);
    assert_false(view.hosts[0].answered);
    assert_non_null(view.hosts[0].detail);
    assert_true(view.hosts[1].answered);
    backend_view_free(&view);
}

static void sync_lists_slots_and_storage(void **state) {
    (void)state;
    struct err e = {0};
    struct backend_view view;
    assert_int_equal(ensure(volume("s1.1.1", "v", "h2", INT64_C(40000000000000))), BACKEND_DONE);
    assert_int_equal(dispatch_sync(&allot_backend, &pool, &view, &e), 0);
    assert_int_equal(view.n_slots, 16);
    assert_string_equal(view.slots[0].name, "none-v100-0001");
    assert_string_equal(view.slots[0].flavor, "v100");
    assert_int_equal(view.hosts[1].storage_free.n, INT64_C(60000000000000));
    backend_view_free(&view);
}

static void wrong_settings_are_refused_with_their_path(void **state) {
    (void)state;
    struct err e = {0};
    unsigned capabilities;
    json_object_set_new(json_object_get(json_object_get(settings, "flavors"), "v100"), "atach",
                        json_string("pci"));
    assert_int_equal(dispatch_check(&allot_backend, &pool, &capabilities, &e), -1);
    assert_string_equal(e.what, "pool pilot: settings.flavors.v100.atach: is not known here");
    assert_string_equal(e.hint, "did you mean 'attach'?");
}

static void a_fault_before_the_write_changes_nothing_and_one_after_it_is_unknown(void **state) {
    (void)state;
    fault_arm("sim.before-write:error");
    assert_int_equal(ensure(server("s1.1.1", "a", "h1", 1)), BACKEND_NOTHING_HAPPENED);
    fault_arm(NULL);
    assert_int_equal(seen(), 0);
    fault_arm("sim.after-write:error");
    assert_int_equal(ensure(server("s1.1.1", "a", "h1", 1)), BACKEND_UNKNOWN);
    fault_arm(NULL);
    assert_int_equal(seen(), 1);
}

static void a_program_killed_in_the_write_leaves_the_old_cloud_or_the_new(void **state) {
    (void)state;
    static const char *const points[] = {"sim.before-write:exit", "sim.after-write:exit"};
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            fault_arm(points[i]);
            ensure(server("s1.1.1", "a", "h1", 1));
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), 99);
        assert_int_equal(seen(), i);
    }
}

static void two_processes_never_take_one_unit_twice(void **state) {
    (void)state;
    enum { CHILDREN = 8, TRIES = 4 };
    for (int c = 0; c < CHILDREN; c++) {
        if (fork() != 0) continue;
        int done = 0;
        for (int i = 0; i < TRIES; i++) {
            char token[32], name[32];
            snprintf(token, sizeof token, "s1.1.%d", c * TRIES + i);
            snprintf(name, sizeof name, "n-%d", c * TRIES + i);
            done += ensure(server(token, name, "h1", 1)) == BACKEND_DONE;
        }
        _exit(done);
    }
    int done = 0, status;
    while (wait(&status) > 0) done += WEXITSTATUS(status);
    assert_int_equal(done, 8);
    assert_int_equal(seen(), 8);
}

static void ten_thousand_operations_take_one_write(void **state) {
    (void)state;
    enum { N = 10000 };
    json_object_set_new(settings, "flavors", json_pack("{s:{s:i}}", "v100", "units_per_host", N));
    struct backend_operation *ops = mem_alloc(N * sizeof *ops);
    char(*words)[32] = mem_alloc(2 * N * sizeof *words);
    for (int i = 0; i < N; i++) {
        snprintf(words[2 * i], 32, "s1.1.%d", i);
        snprintf(words[2 * i + 1], 32, "n-%d", i);
        ops[i] = server(words[2 * i], words[2 * i + 1], i % 2 ? "h1" : "h2", 1);
    }
    struct err e = {0};
    fault_arm("100:error"); /* counts, never fires */
    assert_int_equal(dispatch_ensure(&allot_backend, &pool, ops, N, &e), 0);
    assert_int_equal(fault_passed(), 2);
    for (int i = 0; i < N; i++) assert_int_equal(ops[i].answer, BACKEND_DONE);
    forget(ops, N);
    assert_int_equal(seen(), N);
    free(ops);
    free(words);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, clean)
    const struct CMUnitTest tests[] = {
        T(a_thing_is_made_once_and_found_by_its_token),
        T(a_name_or_a_slot_in_use_is_refused_with_its_holder),
        T(units_and_storage_run_out_and_come_back),
        T(a_volume_in_use_is_not_removed),
        T(injected_behaviour_is_as_configured),
        T(a_dead_host_is_reported_and_does_not_stop_the_other),
        T(sync_lists_slots_and_storage),
        T(wrong_settings_are_refused_with_their_path),
        T(a_fault_before_the_write_changes_nothing_and_one_after_it_is_unknown),
        T(a_program_killed_in_the_write_leaves_the_old_cloud_or_the_new),
        T(two_processes_never_take_one_unit_twice),
        T(ten_thousand_operations_take_one_write),
    };
    return cmocka_run_group_tests_name("simulated backend", tests, NULL, NULL);
}
