/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own table of commands. */
#include "cmd/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_entry_is_sound_and_hides_no_global_option(void **state) {
    (void)state;
    struct err e = {0};
    if (command_check_tables(&e) < 0) fail_msg("%s", e.what);
}

static void a_command_that_works_on_a_store_names_a_role(void **state) {
    (void)state;
    for (const struct command *c = NULL; (c = command_next(c));)
        if (!(c->flags & COMMAND_NO_STORE) && c->role == ROLE_NONE) fail_msg("%s: no role", c->words);
}

static void summaries_begin_small_and_tell_something(void **state) {
    (void)state;
    for (const struct command *c = NULL; (c = command_next(c));) {
        if (c->summary[0] >= 'A' && c->summary[0] <= 'Z') fail_msg("%s: %s", c->words, c->summary);
        for (const struct option *o = c->options; o && o->name; o++)
            if (o->summary[0] >= 'A' && o->summary[0] <= 'Z' && o->summary[1] >= 'a' && o->summary[1] <= 'z')
                fail_msg("%s --%s: %s", c->words, o->name, o->summary);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_sound_and_hides_no_global_option),
        cmocka_unit_test(a_command_that_works_on_a_store_names_a_role),
        cmocka_unit_test(summaries_begin_small_and_tell_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
