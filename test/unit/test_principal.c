/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/principal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct principal_rule rules[] = {{ROLE_AUDITOR, true, "audit"},
                                              {ROLE_OPERATOR, false, "lee"},
                                              {ROLE_ADMIN, true, "wheel"},
                                              {ROLE_AUDITOR, false, "lee"}};
static const size_t N = sizeof rules / sizeof *rules;

static void expect(size_t n, bool is_default, const char *user, const char *group, const char *behind,
                   enum role role, const char *actor) {
    struct principal p;
    principal_of(rules, n, is_default, user, &group, group ? 1 : 0, behind, &p);
    assert_int_equal(p.role, role);
    assert_string_equal(p.actor, actor);
}

static void the_highest_role_of_name_and_groups_holds(void **state) {
    (void)state;
    expect(N, false, "lee", NULL, NULL, ROLE_OPERATOR, "operator lee");
    expect(N, false, "lee", "wheel", NULL, ROLE_ADMIN, "admin lee");
    expect(N, false, "kim", "audit", NULL, ROLE_AUDITOR, "auditor kim");
    expect(N, false, "audit", NULL, NULL, ROLE_NONE, "none audit"); /* a group's name is no user's */
    expect(N, false, "kim", "other", NULL, ROLE_NONE, "none kim");
}

static void root_and_the_owner_are_admins_only_where_no_admin_is_named(void **state) {
    (void)state;
    expect(0, true, "root", NULL, NULL, ROLE_ADMIN, "admin root");
    expect(2, true, "kim", NULL, NULL, ROLE_ADMIN, "admin kim"); /* others have roles, nobody is admin */
    expect(N, true, "root", NULL, NULL, ROLE_NONE, "none root");
    expect(0, false, "kim", NULL, NULL, ROLE_NONE, "none kim");
}

static void the_person_behind_sudo_is_named(void **state) {
    (void)state;
    expect(0, true, "root", NULL, "kim", ROLE_ADMIN, "admin root (kim)");
}

static void a_tenant_is_a_principal_of_its_own(void **state) {
    (void)state;
    struct principal p;
    principal_of_tenant("광주<&", &p);
    assert_int_equal(p.role, ROLE_TENANT);
    assert_string_equal(p.actor, "tenant 광주<&");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_role_of_name_and_groups_holds),
        cmocka_unit_test(root_and_the_owner_are_admins_only_where_no_admin_is_named),
        cmocka_unit_test(the_person_behind_sudo_is_named),
        cmocka_unit_test(a_tenant_is_a_principal_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
