/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fsck.h"
#include "alloc/pool_run.h"
#include "test/unit/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sqlite3.h>

#include <cmocka.h>

static char folder[64], path[96];
static struct store *store;
static struct err e;
static int64_t pool, tenant;

static void act(struct fixture_step step, int64_t *grant) {
    step.pool = pool;
    step.tenant = 1;
    step.tenant_id = tenant;
    if (fixture_do(store, &step, &e) < 0) fail_msg("%s", e.what);
    if (grant) *grant = step.grant;
}

static int make_pool(struct store *s, void *arg, struct err *err) {
    return fixture_pool(s, "gj", 64, "10 PB", arg, err);
}

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-fsck-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    if (store_create(path, true, instant(FIXTURE_START), &e) < 0) return -1;
    store = store_open(path, STORE_WRITE, &e);
    struct fixture_step one = {.act = FIXTURE_TENANT, .tenant = 1};
    if (!store || store_write(store, make_pool, &pool, &e) < 0 || fixture_do(store, &one, &e) < 0) return -1;
    tenant = one.tenant_id;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* What somebody might do by hand, with a tool that does not know the rules. */
static void tamper(const char *sql) {
    sqlite3 *db = NULL;
    char *words = NULL;
    store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK) fail_msg("%s: %s", sql, words);
    sqlite3_close(db);
    store = store_open(path, STORE_WRITE, &e);
    assert_non_null(store);
}

static json_t *run(void) {
    json_t *report = fsck_run(store, &e);
    if (!report) fail_msg("%s", e.what);
    return report;
}

static void expect_clean(void) {
    scoped_json json_t *report = run();
    scoped_free char *words = json_dumps(json_object_get(report, "findings"), 0);
    if (!json_is_true(json_object_get(report, "clean"))) fail_msg("%s", words);
}

/* One of the findings is of this check and says this. */
static void expect(const char *check, const char *what) {
    scoped_json json_t *report = run();
    size_t i;
    const json_t *one;
    assert_true(json_is_false(json_object_get(report, "clean")));
    json_array_foreach(json_object_get(report, "findings"), i, one) {
        if (strcmp(json_string_value(json_object_get(one, "check")), check) == 0 &&
            strstr(json_string_value(json_object_get(one, "what")), what))
            return;
    }
    scoped_free char *words = json_dumps(json_object_get(report, "findings"), JSON_INDENT(1));
    fail_msg("no finding '%s: %s' in %s", check, what, words);
}

static int64_t granted(void) {
    int64_t grant;
    act(
        (struct fixture_step){
            .act = FIXTURE_GRANT, .at = 10, .size = 4, .count = 2, .storage = 3 * FIXTURE_TB},
        &grant);
    return grant;
}

static int64_t held(void) {
    int64_t grant = granted();
    act((struct fixture_step){.act = FIXTURE_PRESENT, .at = 20, .grant = grant}, NULL);
    return grant;
}

/* ---- what the program does leaves clean books ---- */

static void books_close_at_every_step_of_a_grants_life(void **state) {
    (void)state;
    expect_clean();
    int64_t g = granted();
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_PRESENT, .at = 20, .grant = g}, NULL);
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_RELEASE, .at = 30, .grant = g}, NULL);
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_SERVERS_GONE, .at = 40, .grant = g}, NULL);
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_PURGE, .at = 50, .grant = g}, NULL);
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_ALL_GONE, .at = 60, .grant = g}, NULL);
    expect_clean();
}

static void books_close_when_a_grant_is_made_void(void **state) {
    (void)state;
    int64_t g = granted();
    act((struct fixture_step){.act = FIXTURE_VOID, .at = 20, .grant = g}, NULL);
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_ALL_GONE, .at = 30, .grant = g}, NULL);
    expect_clean();
}

static int shrink_one(struct store *s, void *arg, struct err *err) {
    struct book b;
    struct grant g;
    int64_t operation = 0;
    if (book_open(&b, s, pool, "admin kim", instant(FIXTURE_START + 30), err) < 0 ||
        grant_find(s, *(int64_t *)arg, 0, &g, err) < 0)
        return -1;
    int rc = sql_int(s, err, &operation,
                     "SELECT max(id) FROM operation WHERE grant_id = $1 AND kind = 'server'", "i", g.id);
    if (rc == 1) rc = grant_shrink(&b, &g, &operation, 1, err);
    grant_free(&g);
    return rc < 0 ? -1 : book_close(&b, err);
}

static int gone_one(struct store *s, void *arg, struct err *err) {
    struct book b;
    int64_t operation = 0;
    (void)arg;
    if (book_open(&b, s, pool, "admin kim", instant(FIXTURE_START + 40), err) < 0 ||
        sql_int(s, err, &operation, "SELECT id FROM operation WHERE desired = 'absent'", "") < 0 ||
        settle(&b, &(struct observation){.operation = operation, .what = SETTLED_ABSENT}, err) < 0)
        return -1;
    return book_close(&b, err);
}

static void books_close_when_a_grant_shrinks(void **state) {
    (void)state;
    int64_t g = held();
    assert_int_equal(store_write(store, shrink_one, &g, &e), 0);
    expect_clean();
    assert_int_equal(store_write(store, gone_one, NULL, &e), 0);
    expect_clean();
}

static int lose_h1(struct store *s, void *arg, struct err *err) {
    const struct pool_part part = {.host = "h1"};
    scoped_json json_t *report = NULL;
    (void)arg;
    return pool_lose(s, pool, &part, "admin kim", instant(FIXTURE_START + 50), &report, err);
}

static void books_close_when_a_host_is_lost_while_its_servers_are_released(void **state) {
    (void)state;
    tamper("UPDATE flavor SET has_slots = 1; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
           " WHERE i < 64) INSERT INTO slot SELECT 1, 'h1', 'v100', 's' || i, '', 'none', 'ok', NULL, NULL "
           "FROM n");
    int64_t g = held();
    expect_clean();
    act((struct fixture_step){.act = FIXTURE_RELEASE, .at = 30, .grant = g}, NULL);
    expect_clean();
    if (store_write(store, lose_h1, NULL, &e) < 0) fail_msg("%s", e.what);
    expect_clean();
}

/* ---- what was done by hand is found, and named ---- */

static void a_changed_balance_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE account SET balance = 9 WHERE kind = 'held' AND item = 'unit/v100'");
    expect("account", "unit/v100 held(g-1): the entries sum to 8, the account says 9");
    expect("account", "differ by 1");
}

static void a_missing_account_is_named(void **state) {
    (void)state;
    held();
    tamper("DELETE FROM account WHERE kind = 'held' AND item = 'storage'");
    expect("account", "storage held(g-1): the entries sum to 3000000000000, the account is missing");
}

static void an_account_that_no_entry_made_is_named(void **state) {
    (void)state;
    tamper("INSERT INTO account VALUES (1, 'unit/v100', 'held', 77, 5)");
    expect("account", "unit/v100 held(g-77): the entries sum to 0, the account says 5");
    expect("account", "is of no grant of pool number 1");
}

static void a_changed_entry_breaks_its_chain(void **state) {
    (void)state;
    held();
    tamper("UPDATE entry SET quantity = 7 WHERE kind = 'grant.reserve' AND item = 'unit/v100'");
    expect("chain", "does not fit the pool's chain");
    expect("entry", "takes more out of unit/v100 reserved(g-1) than was in it");
}

static void a_removed_entry_is_named(void **state) {
    (void)state;
    held();
    tamper("DELETE FROM entry WHERE seq = 4; DELETE FROM entry_detail WHERE seq = 4");
    expect("chain", "entry 4 is missing");
}

static void an_entry_of_an_unknown_form_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE entry SET to_kind = 'mine' WHERE kind = 'grant.hold' AND item = 'storage'");
    expect("entry", "is neither a note nor a lawful transfer");
}

static void words_that_do_not_fit_their_digest_are_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE entry_detail SET detail = 'nothing' WHERE seq = (SELECT min(seq) FROM entry_detail)");
    expect("chain", "the words of entry");
}

static void a_changed_ceiling_row_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE ceiling SET compute_gflops = 1 WHERE scope = 'organisation'");
    expect("ceiling", "organisation number 1 in pool number 1: its grants take 124800 GF");
}

static void a_ceiling_row_without_grants_is_named(void **state) {
    (void)state;
    tamper("INSERT INTO ceiling VALUES (1, 'tenant', 1, 5, NULL, 0, NULL)");
    expect("ceiling", "there is no live grant");
}

static void a_grant_in_another_state_than_its_accounts_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE grants SET state = 'kept'");
    expect("grant", "g-1 is kept, but 8 of its unit/v100 are held");
}

static void a_changed_line_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE grant_line SET units = 4");
    expect("grant", "is active with 4 of v100, the accounts have 8");
    expect("grant", "says 124800 GF, its lines sum to 62400 GF");
}

static void a_server_that_no_longer_counts_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE operation SET observed = 'absent', desired = 'absent' WHERE id = 1");
    expect("operation", "its servers have 4 of v100, the accounts 8");
}

static void a_volume_of_another_size_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE operation SET bytes = 5 WHERE kind = 'volume'");
    expect("operation", "its volumes have 5 bytes, the accounts 3000000000000");
}

static void an_operation_that_stands_for_something_else_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE operation SET item = 'datalake' WHERE kind = 'volume'");
    expect("operation", "its containers have 3000000000000 bytes, the accounts 0");
    expect("operation", "is a volume and stands for datalake");
    tamper("UPDATE operation SET item = 'storage' WHERE kind = 'volume'; UPDATE pool SET capabilities = 16");
    expect("operation", "of grant g-1 is a server, and pool gj delivers by quota");
    tamper("UPDATE pool SET capabilities = 0; UPDATE operation SET kind = 'quota' WHERE kind = 'volume'");
    expect("operation", "of grant g-1 is a quota, and pool gj delivers by instance");
}

static void a_tenant_outside_its_project_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE pool SET capabilities = 4");
    expect("project", "stands at , project none of pool gj is that of its tenant");
    tamper("UPDATE host SET tenant = 1; UPDATE operation SET host = 'h1'");
    expect("project", "pool gj: project h1 is bound, and no entry says so");
    tamper("UPDATE operation SET host = 'h2' WHERE id = 1");
    expect("project", "operation 1 of grant g-1 stands at h2, project h1 of pool gj is that of its tenant");
}

static void a_binding_that_an_entry_has_and_the_host_not_is_named(void **state) {
    (void)state;
    tamper("UPDATE pool SET capabilities = 4; UPDATE entry SET kind = 'project.bind' WHERE kind LIKE "
           "'tenant.%'; UPDATE "
           "entry SET pool = 1 WHERE kind = 'project.bind'");
    expect("project",
           "pool gj: tenant c0001 was bound to a project 1 times and unbound 0 times, and has 0 now");
}

static void a_slot_that_belongs_to_nothing_alive_is_named(void **state) {
    (void)state;
    held();
    tamper("INSERT INTO slot VALUES (1, 'h9', 'v100', 's1', '', 'none', 'ok', 1, NULL)");
    expect("slot", "slot h9 s1 (v100) belongs to operation 1");
}

static void a_server_on_a_host_needs_as_many_slots_as_units(void **state) {
    (void)state;
    held();
    tamper("UPDATE operation SET host = 'h1' WHERE kind = 'server'");
    expect("slot", "has 4 units of v100 and 0 slots");
}

static void a_standing_that_is_said_to_be_there_and_is_not_is_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE pool SET standing_policy = 1, standing_day = 1 WHERE id = 1");
    expect("standing", "pool number 1 has all standings of policy number 1, but not that of tenant number 1");
}

static void requests_that_were_counted_wrong_are_named(void **state) {
    (void)state;
    held();
    tamper("INSERT INTO waiting SELECT 1, max(e.seq), p.supply, 2, 100 FROM entry e, pool p WHERE p.id = 1");
    expect("waiting", "has 2 requests that wait for 100 GF noted, there are 0 for 0");
    tamper("UPDATE waiting SET seq = seq - 1");
    expect_clean();
}

static void links_that_lead_nowhere_are_named(void **state) {
    (void)state;
    held();
    tamper("UPDATE request SET grant_id = NULL");
    expect("link", "request r-1 is granted and names no grant");
    expect("link", "grant g-1 is of request r-1, which is not there or names another");
    tamper("UPDATE outbox SET grant_id = 99");
    expect("link", "names grant g-99");
}

static void findings_end_after_fifty_and_say_so(void **state) {
    (void)state;
    tamper("WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 180)"
           " INSERT INTO account SELECT 1, 'unit/v100', 'held', i, 1 FROM n");
    scoped_json json_t *report = run();
    assert_int_equal(json_array_size(json_object_get(report, "findings")), FSCK_FINDINGS_MOST);
    assert_true(json_is_true(json_object_get(report, "more")));
}

static void it_reads_only_and_while_a_writer_is_at_work(void **state) {
    (void)state;
    held();
    struct store *reader = store_open(path, STORE_READ, &e);
    assert_non_null(reader);
    scoped_json json_t *before = fsck_run(reader, &e);
    assert_true(json_is_true(json_object_get(before, "clean")));
    granted();
    scoped_json json_t *after = fsck_run(reader, &e);
    assert_true(json_is_true(json_object_get(after, "clean")));
    assert_true(json_integer_value(json_object_get(after, "entries")) >
                json_integer_value(json_object_get(before, "entries")));
    store_close(reader);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(books_close_at_every_step_of_a_grants_life),
        CASE(books_close_when_a_grant_is_made_void),
        CASE(books_close_when_a_grant_shrinks),
        CASE(books_close_when_a_host_is_lost_while_its_servers_are_released),
        CASE(a_changed_balance_is_named),
        CASE(a_missing_account_is_named),
        CASE(an_account_that_no_entry_made_is_named),
        CASE(a_changed_entry_breaks_its_chain),
        CASE(a_removed_entry_is_named),
        CASE(an_entry_of_an_unknown_form_is_named),
        CASE(words_that_do_not_fit_their_digest_are_named),
        CASE(a_changed_ceiling_row_is_named),
        CASE(a_ceiling_row_without_grants_is_named),
        CASE(a_grant_in_another_state_than_its_accounts_is_named),
        CASE(a_changed_line_is_named),
        CASE(a_server_that_no_longer_counts_is_named),
        CASE(a_volume_of_another_size_is_named),
        CASE(an_operation_that_stands_for_something_else_is_named),
        CASE(a_tenant_outside_its_project_is_named),
        CASE(a_binding_that_an_entry_has_and_the_host_not_is_named),
        CASE(a_slot_that_belongs_to_nothing_alive_is_named),
        CASE(a_server_on_a_host_needs_as_many_slots_as_units),
        CASE(a_standing_that_is_said_to_be_there_and_is_not_is_named),
        CASE(requests_that_were_counted_wrong_are_named),
        CASE(links_that_lead_nowhere_are_named),
        CASE(findings_end_after_fifty_and_say_so),
        CASE(it_reads_only_and_while_a_writer_is_at_work),
    };
    return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
