/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/balance.h"
#include "test/unit/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static char folder[64], path[96];
static struct store *store;
static struct err e;
static int64_t pool;

static int make_pool(struct store *s, void *arg, struct err *err) {
    return fixture_pool(s, "gj", 10, "1 PB", arg, err);
}

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-ledger-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    if (store_create(path, true, instant(FIXTURE_START), &e) < 0) return -1;
    store = store_open(path, STORE_WRITE, &e);
    return store ? store_write(store, make_pool, &pool, &e) : -1;
}

static int teardown(void **state) {
    (void)state;
    store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

struct turn {
    struct entry entries[8];
    size_t n;
    int64_t at;
    struct book book; /* as it was after the turn */
};

static int take_turn(struct store *s, void *arg, struct err *err) {
    struct turn *t = arg;
    if (book_open(&t->book, s, pool, "admin kim", instant(t->at), err) < 0) return -1;
    for (size_t i = 0; i < t->n; i++)
        if (book_write(&t->book, &t->entries[i], err) < 0) return -1;
    return book_close(&t->book, err);
}

#define V100 "unit/v100"
static const struct entry reserve = {"grant.reserve",  1, 1,    1,    0, V100, ACCOUNT_FREE,
                                     ACCOUNT_RESERVED, 4, NULL, false};
static const struct entry hold = {"grant.hold", 1, 1,    1,    0, V100, ACCOUNT_RESERVED,
                                  ACCOUNT_HELD, 4, NULL, false};

static int64_t balance(enum account_kind kind, int64_t grant) {
    int64_t n = -1;
    assert_int_equal(ledger_balance(store, pool, V100, kind, grant, &n, &e), 0);
    return n;
}

static void a_transfer_moves_its_quantity_and_nothing_else(void **state) {
    (void)state;
    struct turn t = {.entries = {reserve, hold}, .n = 2, .at = FIXTURE_START + 1};
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    assert_int_equal(balance(ACCOUNT_WORLD, 0), -10);
    assert_int_equal(balance(ACCOUNT_FREE, 0), 6);
    assert_int_equal(balance(ACCOUNT_RESERVED, 1), 0);
    assert_int_equal(balance(ACCOUNT_HELD, 1), 4);
}

static void more_than_there_is_cannot_be_taken(void **state) {
    (void)state;
    struct turn t = {.entries = {reserve}, .n = 1, .at = FIXTURE_START + 1};
    t.entries[0].quantity = 11;
    assert_int_equal(store_write(store, take_turn, &t, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.what, "fewer than 11 of unit/v100 are free"));
    assert_int_equal(balance(ACCOUNT_FREE, 0), 10);
}

static void a_failure_in_a_turn_leaves_nothing_of_it(void **state) {
    (void)state;
    int64_t before = 0, after = 0;
    struct turn t = {.entries = {reserve, hold, hold}, .n = 3, .at = FIXTURE_START + 1};
    sql_int(store, &e, &before, "SELECT count(*) FROM entry", "");
    assert_int_equal(store_write(store, take_turn, &t, &e), -1);
    sql_int(store, &e, &after, "SELECT count(*) FROM entry", "");
    assert_int_equal(before, after);
    assert_int_equal(balance(ACCOUNT_FREE, 0), 10);
    err_clear(&e);
    assert_int_equal(ledger_verify(store, NULL, &e), 0);
}

static void a_transfer_of_nothing_is_refused(void **state) {
    (void)state;
    struct turn t = {.entries = {reserve}, .n = 1, .at = FIXTURE_START + 1};
    t.entries[0].quantity = 0;
    assert_int_equal(store_write(store, take_turn, &t, &e), -1);
    assert_non_null(strstr(e.what, "is no transfer"));
}

static void time_in_the_books_never_goes_back(void **state) {
    (void)state;
    struct turn t = {.entries = {reserve}, .n = 1, .at = FIXTURE_START + 100};
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    t.entries[0] = hold;
    t.at = FIXTURE_START + 50;
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    assert_int_equal(t.book.at.s, FIXTURE_START + 100);
}

static void a_tenants_chain_goes_on_through_other_tenants_entries(void **state) {
    (void)state;
    struct turn t = {.at = FIXTURE_START + 1, .n = 6};
    for (size_t i = 0; i < t.n; i++)
        t.entries[i] = (struct entry){.kind = "note", .tenant = 1 + (int64_t)i % 3};
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    int64_t entries = 0, last = 0;
    if (ledger_verify(store, &entries, &e) < 0) fail_msg("%s", e.what);
    assert_true(entries >= 12);
    sql_int(store, &e, &last, "SELECT max(tenant_seq) FROM entry WHERE tenant = 2", "");
    assert_int_equal(last, 4);
}

static void the_chain_is_the_same_for_the_same_entries(void **state) {
    (void)state;
    /* The form of the body is a promise: a change of it would make every older chain look tampered with. */
    char first[80];
    struct turn t = {.entries = {{.kind = "note", .tenant = 7, .detail = "w\xc3\xb6rds"}}, .n = 1};
    t.at = FIXTURE_START + 1;
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    scoped_free char *hash = NULL;
    sql_text(store, &e, &hash, "SELECT tenant_hash FROM entry WHERE tenant = 7", "");
    snprintf(first, sizeof first, "%s", hash);
    char body[512];
    snprintf(body, sizeof body,
             "%s%c%zu:%lld,10:1800000001,1:1,1:7,1:0,1:0,1:0,1:0,9:admin kim,4:note,0:,0:,0:,",
             "0000000000000000000000000000000000000000000000000000000000000000", 1,
             t.book.seq < 10 ? (size_t)1 : (size_t)2, (long long)t.book.seq);
    struct hash digest = hash_of("w\xc3\xb6rds", 6);
    size_t n = strlen(body);
    snprintf(body + n, sizeof body - n, "64:%064d,64:%s,", 0, digest.hex);
    assert_string_equal(first, hash_of(body, strlen(body)).hex);
}

static void a_dry_run_does_everything_and_keeps_nothing(void **state) {
    (void)state;
    struct turn t = {.entries = {reserve}, .n = 1, .at = FIXTURE_START + 1};
    store_dry_run(store, true);
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    store_dry_run(store, false);
    assert_int_equal(balance(ACCOUNT_FREE, 0), 10);
}

static int walk(struct store *s, void *arg, struct err *err) {
    return balances_walk(arg, s, 0, instant(FIXTURE_START), instant(FIXTURE_START + 100), err);
}

static void balances_come_from_the_entries_alone(void **state) {
    (void)state;
    struct turn t = {.entries = {reserve}, .n = 1, .at = FIXTURE_START + 10};
    struct turn u = {.entries = {hold}, .n = 1, .at = FIXTURE_START + 30};
    assert_int_equal(store_write(store, take_turn, &t, &e), 0);
    assert_int_equal(store_write(store, take_turn, &u, &e), 0);
    struct balances b;
    assert_int_equal(store_read(store, walk, &b, &e), 0);
    const struct balance *reserved = balances_find(&b, pool, V100, ACCOUNT_RESERVED, 1);
    const struct balance *held = balances_find(&b, pool, V100, ACCOUNT_HELD, 1);
    assert_true(reserved && reserved->sum == 0 && reserved->integral == 4 * 20);
    assert_true(held && held->sum == 4 && held->integral == 4 * 70);
    assert_null(balances_find(&b, pool, V100, ACCOUNT_HELD, 2));
    assert_null(balances_find(&b, pool, "unit/a100", ACCOUNT_HELD, 1));
    balances_free(&b);
}

enum { MANY = 1500 };

static int write_many(struct store *s, void *arg, struct err *err) {
    struct book b;
    (void)arg;
    if (book_open(&b, s, pool, "admin kim", instant(FIXTURE_START + 1), err) < 0) return -1;
    for (int64_t g = 1; g <= MANY; g++)
        if (book_write(&b,
                       &(struct entry){"grant.reserve", 1, 1, g * 1000003, 0, ITEM_STORAGE, ACCOUNT_FREE,
                                       ACCOUNT_RESERVED, g, NULL, false},
                       err) < 0)
            return -1;
    return book_close(&b, err);
}

static void the_table_of_balances_grows(void **state) {
    (void)state;
    assert_int_equal(store_write(store, write_many, NULL, &e), 0);
    struct balances b;
    assert_int_equal(store_read(store, walk, &b, &e), 0);
    for (int64_t g = 1; g <= MANY; g++) {
        const struct balance *one = balances_find(&b, pool, ITEM_STORAGE, ACCOUNT_RESERVED, g * 1000003);
        assert_true(one && one->sum == g);
    }
    balances_free(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_transfer_moves_its_quantity_and_nothing_else),
        CASE(more_than_there_is_cannot_be_taken),
        CASE(a_failure_in_a_turn_leaves_nothing_of_it),
        CASE(a_transfer_of_nothing_is_refused),
        CASE(time_in_the_books_never_goes_back),
        CASE(a_tenants_chain_goes_on_through_other_tenants_entries),
        CASE(the_chain_is_the_same_for_the_same_entries),
        CASE(a_dry_run_does_everything_and_keeps_nothing),
        CASE(balances_come_from_the_entries_alone),
        CASE(the_table_of_balances_grows),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
