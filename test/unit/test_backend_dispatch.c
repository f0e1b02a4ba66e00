/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher's promises around a backend that misbehaves, and the opening of plug-ins. */
#include "alloc/dispatch.h"
#include "alloc/file.h"
#include "alloc/log.h"
#include "alloc/plugin.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct backend_host hosts[] = {{.name = "h1", .uri = "x"}};
static struct backend_pool pool = {
    .name = "p", .hosts = hosts, .n_hosts = 1, .store_id = "s1", .deadline_ms = 1000};
static enum { MUTE, FAIL, LOST, WORDLESS } manner;
static int calls;

static int odd_ensure(const struct backend_pool *p, struct backend_operation *ops, size_t n, struct err *e) {
    (void)p;
    calls++;
    if (manner == FAIL) return err_set(e, ERR_FAILED, "no way to qemu+tls://kim:secret@h/x");
    if (manner == LOST) return err_set(e, ERR_UNKNOWN, "cut off");
    for (size_t i = 0; manner == WORDLESS && i < n; i++) ops[i].answer = BACKEND_REFUSED;
    return 0;
}

static int odd_observe(const struct backend_pool *p, struct backend_view *out, struct err *e) {
    (void)p, (void)out, (void)e;
    return 0;
}

static const struct backend odd = {
    .build_id = BACKEND_BUILD_ID, .name = "odd", .ensure = odd_ensure, .observe = odd_observe};

static struct backend_operation volume(void) {
    return (struct backend_operation){.token = "s1.1.1",
                                      .kind = BACKEND_VOLUME,
                                      .name = "v",
                                      .host = "h1",
                                      .tenant = "t",
                                      .grant = "g-1",
                                      .bytes = bytes(1)};
}

static enum backend_answer answer_of(struct backend_operation op, int rc) {
    struct err e = {0};
    assert_int_equal(dispatch_ensure(&odd, &pool, &op, 1, &e), rc);
    if (op.answer != BACKEND_DONE && op.answer != BACKEND_STARTED) assert_non_null(op.detail);
    free(op.detail);
    return op.answer;
}

static void an_operation_left_open_is_unknown_unless_the_error_says_nothing_happened(void **state) {
    (void)state;
    manner = MUTE;
    assert_int_equal(answer_of(volume(), 0), BACKEND_UNKNOWN);
    manner = FAIL;
    assert_int_equal(answer_of(volume(), -1), BACKEND_NOTHING_HAPPENED);
    manner = LOST;
    assert_int_equal(answer_of(volume(), -1), BACKEND_UNKNOWN);
    manner = WORDLESS;
    assert_int_equal(answer_of(volume(), 0), BACKEND_REFUSED);
}

static void wrong_arguments_never_reach_the_backend(void **state) {
    (void)state;
    struct backend_operation ops[8];
    for (int i = 0; i < 8; i++) ops[i] = volume();
    ops[0].token = "a b";
    ops[1].name = "-rf";
    ops[2].name = "a/b";
    ops[3].bytes = bytes(0);
    ops[4].kind = BACKEND_SERVER;
    ops[5].tenant = "a\nb";
    ops[6].host = "";
    ops[7].token = NULL;
    calls = 0;
    struct err e = {0};
    for (int i = 0; i < 8; i++) {
        assert_int_equal(dispatch_ensure(&odd, &pool, &ops[i], 1, &(struct err){0}), -1);
        assert_int_equal(ops[i].answer, BACKEND_NOTHING_HAPPENED);
        free(ops[i].detail);
    }
    struct backend_operation twice[] = {volume(), volume()};
    assert_int_equal(dispatch_ensure(&odd, &pool, twice, 2, &e), -1);
    assert_non_null(strstr(e.what, "twice"));
    free(twice[0].detail);
    free(twice[1].detail);
    pool.deadline_ms = 0;
    assert_int_equal(answer_of(volume(), -1), BACKEND_NOTHING_HAPPENED);
    pool.deadline_ms = 1000;
    assert_int_equal(calls, 0);
}

static void wrong_quotas_never_reach_the_backend(void **state) {
    (void)state;
    static const struct backend_limit twice[] = {{"a", 1}, {"a", 1}}, unordered[] = {{"b", 1}, {"a", 1}},
                                      negative[] = {{"a", -1}};
    static const struct backend_quota wrong[] = {{.limits = twice, .n_limits = 2},
                                                 {.limits = unordered, .n_limits = 2},
                                                 {.limits = negative, .n_limits = 1},
                                                 {.storage = {-1}},
                                                 {.datalake = {-1}}};
    calls = 0;
    manner = MUTE;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct backend_operation op = volume();
        op.kind = BACKEND_QUOTA;
        op.quota = wrong[i];
        assert_int_equal(answer_of(op, -1), BACKEND_NOTHING_HAPPENED);
    }
    assert_int_equal(calls, 0);
    struct backend_operation nothing = volume(); /* a quota of nothing is one */
    nothing.kind = BACKEND_QUOTA;
    nothing.bytes = bytes(0);
    assert_int_equal(answer_of(nothing, 0), BACKEND_UNKNOWN);
    assert_int_equal(calls, 1);
}

static unsigned can;
static int can_check(const struct backend_pool *p, unsigned *capabilities, struct err *e) {
    (void)p, (void)e;
    *capabilities = can;
    return 0;
}

static void devices_and_projects_are_not_for_one_pool(void **state) {
    (void)state;
    static const struct backend able = {.build_id = BACKEND_BUILD_ID, .name = "able", .check = can_check};
    struct err e = {0};
    unsigned capabilities;
    can = BACKEND_HAS_PROJECTS | BACKEND_BY_QUOTA | BACKEND_HAS_CONTAINERS;
    assert_int_equal(dispatch_check(&able, &pool, &capabilities, &e), 0);
    assert_int_equal(capabilities, can);
    can = BACKEND_HAS_PROJECTS | BACKEND_HAS_SLOTS;
    assert_int_equal(dispatch_check(&able, &pool, &capabilities, &e), -1);
    assert_string_equal(e.what, "backend able lists devices, and has projects or quotas");
}

/* A cloud without hosts is host "", and says of it whether it answered. */
static void a_pool_without_hosts_is_host_nothing(void **state) {
    (void)state;
    struct err e = {0};
    struct backend_view view;
    struct backend_pool full = pool;
    pool.n_hosts = 0;
    manner = MUTE;
    struct backend_operation op = volume();
    op.host = "";
    calls = 0;
    assert_int_equal(answer_of(op, 0), BACKEND_UNKNOWN); /* it was sent */
    assert_int_equal(calls, 1);
    assert_int_equal(dispatch_observe(&odd, &pool, &view, &e), -1);
    assert_string_equal(e.what, "the backend of pool p does not say whether it answered");
    assert_int_equal(dispatch_inject("observe:unknown", &e), 0);
    assert_int_equal(dispatch_observe(&odd, &pool, &view, &e), 0);
    assert_int_equal(view.n_hosts, 1);
    assert_string_equal(view.hosts[0].host, "");
    assert_false(view.hosts[0].answered);
    backend_view_free(&view);
    dispatch_inject(NULL, &e);
    pool = full;
}

static void a_host_of_another_pool_is_answered_not_sent(void **state) {
    (void)state;
    manner = MUTE;
    struct backend_operation op = volume();
    op.host = "h7";
    assert_int_equal(answer_of(op, 0), BACKEND_NOTHING_HAPPENED);
}

static void a_view_without_one_of_the_hosts_is_refused(void **state) {
    (void)state;
    struct err e = {0};
    struct backend_view view;
    assert_int_equal(dispatch_observe(&odd, &pool, &view, &e), -1);
    assert_non_null(strstr(e.what, "h1"));
}

static void a_verb_that_is_missing_is_an_error(void **state) {
    (void)state;
    struct err e = {0};
    struct backend_operation op = volume();
    assert_int_equal(dispatch_remove(&odd, &pool, &op, 1, &e), -1);
    assert_string_equal(e.what, "backend odd cannot remove");
    free(op.detail);
}

static void the_log_tells_the_answers_without_secrets(void **state) {
    (void)state;
    struct text lines scoped_text = {0};
    struct err e = {0};
    char path[] = "/tmp/allot-dispatch-XXXXXX";
    int fd scoped_fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(log_open(LOG_AT_DEBUG, path, &e), 0);
    manner = FAIL;
    answer_of(volume(), -1);
    assert_int_equal(log_open(LOG_AT_ERROR, NULL, &e), 0);
    assert_int_equal(file_read(path, 100000, &lines, &e), 0);
    unlink(path);
    assert_non_null(strstr(lines.s, "\"s1.1.1\""));
    assert_non_null(strstr(lines.s, "nothing happened"));
    assert_non_null(strstr(lines.s, "@h/x"));
    assert_null(strstr(lines.s, "kim"));
}

static void injected_errors_stand_around_the_backend(void **state) {
    (void)state;
    struct err e = {0};
    manner = WORDLESS;
    calls = 0;
    assert_int_equal(dispatch_inject("ensure:nothing", &e), 0);
    assert_int_equal(answer_of(volume(), 0), BACKEND_NOTHING_HAPPENED);
    assert_int_equal(dispatch_inject("ensure:error", &e), 0);
    assert_int_equal(answer_of(volume(), -1), BACKEND_NOTHING_HAPPENED);
    assert_int_equal(calls, 0);
    assert_int_equal(dispatch_inject("ensure:unknown", &e), 0);
    assert_int_equal(answer_of(volume(), 0), BACKEND_UNKNOWN);
    assert_int_equal(dispatch_inject("ensure:unknown@other", &e), 0);
    assert_int_equal(answer_of(volume(), 0), BACKEND_REFUSED);
    assert_int_equal(calls, 2);
    assert_int_equal(dispatch_inject("ensure:sometimes", &e), -1);
    assert_int_equal(dispatch_inject(NULL, &e), 0);
}

static void a_volume_is_held_in_whole_kib(void **state) {
    (void)state;
    bytes_t gb = bytes(1000000000);
    assert_int_equal(backend_volume_size(gb).n, 1000000512);
    assert_int_equal(backend_volume_size(bytes(50000000000000)).n, 50000000000000);
    assert_int_equal(backend_volume_size(bytes(1)).n, 1024);
    assert_int_equal(backend_volume_size(bytes(INT64_MAX)).n, INT64_MAX);
    assert_true(backend_volume_fits(gb, gb));
    assert_true(backend_volume_fits(gb, bytes(1000000512)));
    assert_false(backend_volume_fits(gb, bytes(999999488)));
    assert_false(backend_volume_fits(gb, bytes(1000000511)));
    assert_false(backend_volume_fits(gb, bytes(1000001536)));
    assert_false(backend_volume_fits(bytes(2048), bytes(1024)));
}

static void a_plugin_is_found_by_name_and_build(void **state) {
    (void)state;
    struct err e = {0};
    char folder[4096] = ""; /* this program is build/unit/X, the plug-ins are in build */
    assert_true(readlink("/proc/self/exe", folder, sizeof folder - 1) > 0);
    *strrchr(folder, '/') = '\0';
    *strrchr(folder, '/') = '\0';
    const struct backend *b = plugin_open_from(folder, "simulated", &e);
    assert_string_equal(e.what, "");
    assert_string_equal(b->name, "simulated");
    assert_null(plugin_open_from(folder, "nowhere", &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_null(plugin_open("../evil", &(struct err){0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_left_open_is_unknown_unless_the_error_says_nothing_happened),
        cmocka_unit_test(wrong_arguments_never_reach_the_backend),
        cmocka_unit_test(wrong_quotas_never_reach_the_backend),
        cmocka_unit_test(devices_and_projects_are_not_for_one_pool),
        cmocka_unit_test(a_pool_without_hosts_is_host_nothing),
        cmocka_unit_test(a_host_of_another_pool_is_answered_not_sent),
        cmocka_unit_test(a_view_without_one_of_the_hosts_is_refused),
        cmocka_unit_test(a_verb_that_is_missing_is_an_error),
        cmocka_unit_test(the_log_tells_the_answers_without_secrets),
        cmocka_unit_test(injected_errors_stand_around_the_backend),
        cmocka_unit_test(a_volume_is_held_in_whole_kib),
        cmocka_unit_test(a_plugin_is_found_by_name_and_build),
    };
    return cmocka_run_group_tests_name("dispatch and plug-ins", tests, NULL, NULL);
}
