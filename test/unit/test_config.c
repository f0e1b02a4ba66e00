/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct config *parse(const char *text, struct err *e) {
    return config_parse(text, strlen(text), "allot.conf", e);
}

static void every_setting_is_read(void **state) {
    (void)state;
    struct err e = {0};
    struct config *c =
        parse("store: /srv/allot.db\n"
              "lang: ko\n"
              "roles:\n"
              "  admins: {users: [kim], groups: [allot-admin, wheel]}\n"
              "  auditors: {users: [lee]}\n"
              "notify: [/usr/lib/allot/mail, --from, allot@example.org]\n"
              "audit: {key: /etc/allot/audit.pem, head_file: /var/log/allot/heads, head_syslog: yes}\n"
              "deadline: 90 seconds\n"
              "check: {tick: 2 hours, notify: 1 day}\n"
              "tick: {releases: 50}\n"
              "log: {level: info, file: /var/log/allot/log}\n",
              &e);
    assert_string_equal(e.what, "");
    if (!c) return; /* not reached: a loaded file leaves no message */
    assert_string_equal(c->store, "/srv/allot.db");
    assert_string_equal(c->lang, "ko");
    assert_string_equal(c->admins.users.names[0], "kim");
    assert_string_equal(c->admins.groups.names[1], "wheel");
    assert_int_equal(c->operators.users.n, 0);
    assert_string_equal(c->auditors.users.names[0], "lee");
    assert_int_equal(c->notify.n, 3);
    assert_string_equal(c->audit_key, "/etc/allot/audit.pem");
    assert_string_equal(c->head_file, "/var/log/allot/heads");
    assert_true(c->head_syslog);
    assert_int_equal(c->deadline.s, 90);
    assert_int_equal(c->check_tick.s, 7200);
    assert_int_equal(c->check_reconcile.s, 3 * 3600);
    assert_int_equal(c->check_notify.s, 86400);
    assert_true(c->has_release_most);
    assert_int_equal(c->release_most, 50);
    assert_int_equal(c->log_level, LOG_AT_INFO);
    assert_string_equal(c->log_file, "/var/log/allot/log");
    config_free(c);
}

static void an_empty_file_has_the_defaults(void **state) {
    (void)state;
    struct err e = {0};
    struct config *c = parse("# nothing\n", &e);
    assert_non_null(c);
    assert_int_equal(c->deadline.s, 120);
    assert_int_equal(c->log_level, LOG_AT_ERROR);
    assert_false(c->has_release_most || c->head_syslog || c->store || c->audit_key || c->notify.n);
    config_free(c);
}

static void mistakes_are_named_with_line_and_path(void **state) {
    (void)state;
    static const struct {
        const char *text, *what, *hint;
    } cases[] = {
        {"stor: /x\n", "allot.conf:1:1: stor: is not known here", "did you mean 'store'?"},
        {"lang: en\nroles:\n  admin: {}\n", "allot.conf:3:3: roles.admin: is not known here",
         "did you mean 'admins'?"},
        {"roles: {admins: {users: kim}}", "allot.conf:1:18: roles.admins.users: must be a list, is \"kim\"",
         ""},
        {"roles: {admins: {users: [1000]}}", "allot.conf:1:26: roles.admins.users[0]: must be text, is 1000",
         "put it in quotes"},
        {"store: allot.db", "allot.conf:1:1: store: must be an absolute path, is 'allot.db'", ""},
        {"check: {tick: often}", "allot.conf:1:9: check.tick: 'often' is not a length of time",
         "write a number and a unit: 90 days, 12 hours, 30 minutes, 20 seconds"},
        {"deadline: 90", "allot.conf:1:1: deadline: must have a unit, like '20 seconds' or '2 minutes'", ""},
        {"deadline: 2 hours", "allot.conf:1:1: deadline: must be from 1 second to 1 hour, is '2 hours'", ""},
        {"deadline: soon", "allot.conf:1:1: deadline: 'soon' is not a length of time",
         "write a number and a unit: 90 days, 12 hours, 30 minutes, 20 seconds"},
        {"lang: de", "allot.conf:1:1: lang: must be one of: en, ko, is \"de\"", ""},
        {"tick: {releases: -1}", "allot.conf:1:8: tick.releases: must be an integer from 0 to 1000000, is -1",
         ""},
        {"log: {level: inf}",
         "allot.conf:1:7: log.level: must be one of: off, error, info, debug, is \"inf\"",
         "did you mean 'info'?"},
        {"notify: ['']", "allot.conf:1:10: notify[0]: must not be empty", ""},
        {"[1]", "allot.conf:1:1: must be an object, is a list", ""},
        {"store: /a\nstore: /b\n", "allot.conf:2:1: the key 'store' stands twice", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        assert_null(parse(cases[i].text, &e));
        assert_int_equal(e.code, ERR_USAGE);
        assert_string_equal(e.what, cases[i].what);
        assert_string_equal(e.hint, cases[i].hint);
    }
}

static char folder[] = "/tmp/allot-test-config-XXXXXX";

static void put_file(const char *name, const char *text, mode_t mode) {
    char path[200];
    assert_int_equal(text_format(path, sizeof path, "%s/%s", folder, name), 0);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

static void the_file_named_nearest_is_taken(void **state) {
    (void)state;
    char path[200];
    struct err e = {0};
    assert_non_null(mkdtemp(folder));
    setenv("XDG_CONFIG_HOME", folder, 1);
    setenv("HOME", folder, 1);
    unsetenv("ALLOT_CONFIG");
    text_format(path, sizeof path, "%s/allot", folder);
    mkdir(path, 0700);
    put_file("allot/allot.conf", "lang: ko\n", 0600);
    put_file("other.conf", "lang: en\n", 0600);
    struct config *c = config_load(NULL, &e);
    assert_string_equal(c->lang, "ko");
    config_free(c);
    text_format(path, sizeof path, "%s/other.conf", folder);
    setenv("ALLOT_CONFIG", path, 1);
    c = config_load(NULL, &e);
    assert_string_equal(c->lang, "en");
    assert_string_equal(c->path, path);
    config_free(c);
    assert_null(config_load("/nowhere/allot.conf", &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    err_clear(&e);
    put_file("other.conf", "lang: en\n", 0666);
    assert_null(config_load(path, &e));
    assert_non_null(strstr(e.what, "everybody may write"));
    unsetenv("ALLOT_CONFIG");
    unlink(path);
    text_format(path, sizeof path, "%s/allot/allot.conf", folder);
    unlink(path);
    text_format(path, sizeof path, "%s/allot", folder);
    rmdir(path);
    rmdir(folder);
}

static void the_store_is_found_by_environment_then_settings_then_home(void **state) {
    (void)state;
    struct err e = {0};
    struct config *c = parse("store: /srv/allot.db\n", &e);
    setenv("ALLOT_STORE", "here.db", 1);
    scoped_free char *first = config_store_path(c, &e);
    assert_string_equal(first, "here.db");
    unsetenv("ALLOT_STORE");
    scoped_free char *second = config_store_path(c, &e);
    assert_string_equal(second, "/srv/allot.db");
    setenv("HOME", "/home/kim", 1);
    unsetenv("XDG_DATA_HOME");
    scoped_free char *third = config_store_path(NULL, &e);
    assert_string_equal(third,
                        geteuid() == 0 ? "/var/lib/allot/allot.db" : "/home/kim/.local/share/allot/allot.db");
    config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_read),
        cmocka_unit_test(an_empty_file_has_the_defaults),
        cmocka_unit_test(mistakes_are_named_with_line_and_path),
        cmocka_unit_test(the_file_named_nearest_is_taken),
        cmocka_unit_test(the_store_is_found_by_environment_then_settings_then_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
