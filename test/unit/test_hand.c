/* SPDX-License-Identifier: Apache-2.0 */
/* What a person delivers: reserved until that person says that it is there, and free only when it is back. */
#include "alloc/hand.h"
#include "alloc/usage.h"
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the decider gives beside the units asked for. */
static int64_t give_lake, give_seats, give_chips, give_units, give_storage;

static void give_by_hand(const struct facts *f, size_t i, struct decision *d) {
    (void)i;
    flow_give(f, d, 1, give_units ? give_units : 1);
    d->storage = bytes(give_storage);
    d->datalake = bytes(give_lake);
    if (!give_units) {
        free(d->lines[0].flavor);
        d->n_lines = 0;
        d->compute = gflops(0);
    }
    if (give_chips) {
        d->lines = realloc(d->lines, (d->n_lines + 1) * sizeof *d->lines);
        assert_non_null(d->lines);
        d->lines[d->n_lines++] = (struct plan_line){mem_copy("chip"), 1, give_chips, gflops(0)};
    }
    if (!give_seats) return;
    d->seats = mem_alloc(sizeof *d->seats);
    d->n_seats = 1;
    d->seats[0] = (struct plan_seats){mem_copy("notebook"), give_seats};
}

/* The pool of the fixture with a chip, a data lake and seats. */
static int declare_run(struct store *s, void *arg, struct err *err) {
    static const char yaml[] = "flavors:\n  - {name: v100, rating: 15.6 TF, units: 16, sizes: [1, 2, 4, 8]}\n"
                               "  - {name: chip, rating: none, units: 4, sizes: [1, 2], attach: hand}\n"
                               "datalake: 100 TB\nsaas: [{name: notebook, seats: 10}]\n";
    (void)arg;
    struct pool_spec spec = {0};
    json_t *marks = NULL, *changes = NULL;
    scoped_json json_t *document = yaml_load_text(yaml, sizeof yaml - 1, "pool.yaml", &marks, err);
    int rc = document ? pool_spec_load(s, pool, &spec, err) : -1;
    if (rc == 0) {
        struct json_at root = json_root(document, "pool.yaml");
        rc = pool_spec_read(&spec, &root, err);
    }
    if (rc == 0) rc = pool_set(s, pool, &spec, 0, "admin kim", instant(FIXTURE_START), &changes, err);
    json_decref(changes);
    json_decref(marks);
    pool_spec_free(&spec);
    return rc;
}

static int begin(void **state) {
    (void)state;
    e = (struct err){0};
    if (flow_begin(&(struct flow_new){2, true}) < 0 || store_write(store, declare_run, NULL, &e) < 0)
        return -1;
    flow_decide = give_by_hand;
    give_lake = 5 * FIXTURE_TB;
    give_seats = 3;
    give_chips = give_units = give_storage = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    return flow_end();
}

struct doing {
    int64_t request, grant, at, n;
    struct hand_word word;
    bool release, purge, settle;
    enum settled what;
};

static int do_run(struct store *s, void *arg, struct err *err) {
    struct doing *d = arg;
    struct request r;
    struct grant g;
    struct book b;
    if (book_open(&b, s, pool, "operator lee", instant(FIXTURE_START + d->at), err) < 0) return -1;
    int rc = 0;
    if (d->settle) rc = fixture_settle(&b, d->grant, "", d->what, err);
    if (rc == 0 && (d->release || d->purge)) {
        rc = grant_find(s, d->grant, 0, &g, err);
        if (rc == 0) rc = d->release ? grant_release(&b, &g, "test", err) : grant_purge(&b, &g, "test", err);
        grant_free(&g);
    }
    if (rc == 0 && d->request) {
        rc = request_find(s, d->request, 0, &r, err);
        if (rc == 0) rc = hand_confirm(&b, &r, &d->word, &d->n, err);
        request_free(&r);
    }
    return rc < 0 ? -1 : book_close(&b, err);
}

static int confirm(enum hand_step step, const char *item, const char *remark) {
    struct doing d = {.request = 1, .at = 10, .word = {step, item, remark}};
    return store_write(store, do_run, &d, &e) < 0 ? -1 : (int)d.n;
}

static int release(void) {
    return store_write(store, do_run, &(struct doing){.grant = 1, .release = true, .at = 20}, &e);
}

static int purge(void) {
    return store_write(store, do_run, &(struct doing){.grant = 1, .purge = true, .at = 30}, &e);
}

static int seen(enum settled what) {
    return store_write(store, do_run, &(struct doing){.grant = 1, .settle = true, .what = what, .at = 5}, &e);
}

static void asked(void) {
    struct flow_ask a = {.tenant = "c0001", .units = 1};
    assert_int_equal(flow_submit(&a), 0);
    engine_results_free(&a.results);
}

static int64_t balance(const char *item, enum account_kind kind, int64_t grant) {
    int64_t n = -1;
    assert_int_equal(ledger_balance(store, pool, item, kind, grant, &n, &e), 0);
    return n;
}

static void state_is(const char *wanted) {
    scoped_free char *is = flow_text("SELECT state FROM grants WHERE id = 1");
    assert_string_equal(is, wanted);
}

static void line_is(const char *item, const char *wanted) {
    char sql[128];
    scoped_free char *state = NULL;
    snprintf(sql, sizeof sql, "%s", item);
    assert_int_equal(
        sql_text(store, &e, &state, "SELECT state FROM hand_line WHERE grant_id = 1 AND item = $1", "s", sql),
        1);
    assert_string_equal(state, wanted);
}

static void books_close(void) {
    scoped_json json_t *report = fsck_run(store, &e);
    if (!json_is_true(json_object_get(report, "clean"))) json_dumpf(report, stderr, JSON_INDENT(1));
    assert_true(json_is_true(json_object_get(report, "clean")));
}

static void a_word_about_nothing_is_refused(void **state) {
    (void)state;
    give_lake = give_seats = 0;
    give_units = 1;
    asked();
    assert_int_equal(confirm(HAND_DELIVER, NULL, NULL), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.what, "nothing of r-1 waits to be delivered");
    err_clear(&e);
    assert_int_equal(confirm(HAND_DELIVER, "datalake", NULL), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    err_clear(&e);
}

static void what_is_wanted_is_reserved_until_somebody_says_it_is_there(void **state) {
    (void)state;
    asked();
    state_is("reserved");
    assert_int_equal(balance("datalake", ACCOUNT_RESERVED, 1), 5 * FIXTURE_TB);
    assert_int_equal(balance("seat/notebook", ACCOUNT_RESERVED, 1), 3);
    assert_int_equal(balance("seat/notebook", ACCOUNT_FREE, 0), 7);
    assert_int_equal(flow_number("SELECT storage_bytes FROM ceiling WHERE scope = 'tenant'"), 5 * FIXTURE_TB);
    books_close();
    assert_int_equal(confirm(HAND_COLLECT, NULL, NULL), -1);
    assert_string_equal(e.what, "nothing of r-1 waits to be taken back");
    assert_string_equal(e.hint, "it has: datalake (wanted), seat/notebook (wanted)");
    err_clear(&e);
    assert_int_equal(confirm(HAND_DELIVER, "seat/notebook", NULL), 1);
    state_is("reserved"); /* the data lake is not there yet */
    line_is("datalake", "wanted");
    books_close();
    assert_int_equal(confirm(HAND_DELIVER, NULL, "https://lake.example/c0001"), 1);
    state_is("active");
    assert_int_equal(balance("datalake", ACCOUNT_HELD, 1), 5 * FIXTURE_TB);
    scoped_free char *told = flow_text("SELECT json_extract(payload, '$.ko') FROM outbox WHERE kind = "
                                       "'delivered' ORDER BY id DESC");
    assert_string_equal(told, "할당 g-1 제공 완료: 데이터 레이크 5 TB. https://lake.example/c0001");
    assert_int_equal(confirm(HAND_DELIVER, NULL, NULL), -1); /* once */
    assert_int_equal(e.code, ERR_CONFLICT);
    err_clear(&e);
}

static void seats_come_free_only_when_they_are_back(void **state) {
    (void)state;
    asked();
    assert_int_equal(confirm(HAND_DELIVER, NULL, NULL), 2);
    assert_int_equal(release(), 0);
    state_is("kept"); /* the data lake outlives the seats */
    assert_int_equal(balance("seat/notebook", ACCOUNT_RELEASING, 1), 3);
    assert_int_equal(balance("seat/notebook", ACCOUNT_FREE, 0), 7);
    assert_int_equal(balance("datalake", ACCOUNT_KEPT, 1), 5 * FIXTURE_TB);
    books_close();
    assert_int_equal(confirm(HAND_COLLECT, NULL, NULL), 1);
    assert_int_equal(balance("seat/notebook", ACCOUNT_FREE, 0), 10);
    state_is("kept");
    assert_int_equal(purge(), 0);
    state_is("purging");
    assert_int_equal(balance("datalake", ACCOUNT_RELEASING, 1), 5 * FIXTURE_TB);
    books_close();
    assert_int_equal(confirm(HAND_COLLECT, "datalake", "wiped"), 1);
    state_is("ended");
    assert_int_equal(balance("datalake", ACCOUNT_FREE, 0), 100 * FIXTURE_TB);
    assert_int_equal(flow_number("SELECT storage_bytes FROM ceiling WHERE scope = 'tenant'"), 0);
}

static void seats_alone_keep_their_grant_from_ending(void **state) {
    (void)state;
    give_lake = 0;
    asked();
    assert_int_equal(confirm(HAND_DELIVER, NULL, NULL), 1);
    state_is("active");
    assert_int_equal(release(), 0);
    state_is("releasing");
    assert_int_equal(confirm(HAND_COLLECT, NULL, NULL), 1);
    state_is("ended");
}

static void what_was_never_delivered_comes_free_at_once(void **state) {
    (void)state;
    asked();
    assert_int_equal(release(), 0); /* reserved: void */
    state_is("void");
    assert_int_equal(balance("seat/notebook", ACCOUNT_FREE, 0), 10);
    assert_int_equal(balance("datalake", ACCOUNT_FREE, 0), 100 * FIXTURE_TB);
    line_is("datalake", "ended");
}

static void a_part_that_was_delivered_is_taken_back_before_the_grant_is_void(void **state) {
    (void)state;
    give_units = 1;
    asked();
    assert_int_equal(confirm(HAND_DELIVER, "seat/notebook", NULL), 1);
    state_is("reserved"); /* its server is not there */
    books_close();
    assert_int_equal(release(), 0);
    state_is("voiding");
    books_close();
    assert_int_equal(seen(SETTLED_ABSENT), 0);
    state_is("voiding");
    assert_int_equal(confirm(HAND_COLLECT, NULL, NULL), 1);
    state_is("void");
}

static void servers_do_not_wait_for_a_person(void **state) {
    (void)state;
    give_units = 2;
    give_storage = FIXTURE_TB;
    asked();
    assert_int_equal(seen(SETTLED_PRESENT), 0);
    state_is("active");
    assert_int_equal(balance("seat/notebook", ACCOUNT_RESERVED, 1), 3);
    books_close();
    assert_int_equal(confirm(HAND_DELIVER, "datalake", NULL), 1);
    assert_int_equal(release(), 0); /* the seats never came */
    assert_int_equal(balance("seat/notebook", ACCOUNT_FREE, 0), 10);
    state_is("releasing");
    books_close();
    assert_int_equal(
        store_write(store, do_run,
                    &(struct doing){.grant = 1, .settle = true, .what = SETTLED_ABSENT, .at = 25}, &e),
        0);
    state_is("kept");
    assert_int_equal(balance("datalake", ACCOUNT_KEPT, 1), 5 * FIXTURE_TB);
}

static void a_chip_without_a_backend_is_delivered_by_hand(void **state) {
    (void)state;
    give_lake = give_seats = 0;
    give_chips = 2;
    asked();
    assert_int_equal(flow_number("SELECT count(*) FROM operation"), 0);
    assert_int_equal(balance("unit/chip", ACCOUNT_RESERVED, 1), 2);
    books_close();
    assert_int_equal(confirm(HAND_DELIVER, "unit/chip", "rack 4"), 1);
    state_is("active");
    assert_int_equal(balance("unit/chip", ACCOUNT_HELD, 1), 2);
    books_close();
    assert_int_equal(release(), 0);
    state_is("releasing");
    books_close();
    assert_int_equal(confirm(HAND_COLLECT, NULL, NULL), 1);
    state_is("ended");
    assert_int_equal(balance("unit/chip", ACCOUNT_FREE, 0), 4);
    assert_int_equal(flow_number("SELECT units FROM grant_line WHERE flavor = 'chip'"), 0);
}

static void the_use_of_all_of_it_is_told_and_adds_up(void **state) {
    (void)state;
    asked();
    assert_int_equal(confirm(HAND_DELIVER, NULL, NULL), 2); /* at 10 */
    struct usage_query q = {.by = USAGE_BY_GRANT,
                            .since = instant(FIXTURE_START),
                            .until = instant(FIXTURE_START + 3610),
                            .with_conservation = true};
    scoped_json json_t *report = usage_of(store, &q, &e);
    assert_non_null(report);
    assert_true(json_is_true(json_object_get(report, "closes")));
    const json_t *row = json_array_get(json_object_get(report, "rows"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "seat_hours")), "3.000");
    assert_string_equal(json_string_value(json_object_get(row, "datalake_tb_hours")), "5.000");
    assert_string_equal(json_string_value(json_object_get(row, "storage_byte_seconds")), "0");
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(a_word_about_nothing_is_refused),
        CASE(what_is_wanted_is_reserved_until_somebody_says_it_is_there),
        CASE(seats_come_free_only_when_they_are_back),
        CASE(seats_alone_keep_their_grant_from_ending),
        CASE(what_was_never_delivered_comes_free_at_once),
        CASE(a_part_that_was_delivered_is_taken_back_before_the_grant_is_void),
        CASE(servers_do_not_wait_for_a_person),
        CASE(a_chip_without_a_backend_is_delivered_by_hand),
        CASE(the_use_of_all_of_it_is_told_and_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
