/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state) {
    (void)state;
    return flow_begin(&(struct flow_new){3, true});
}

static int teardown(void **state) {
    (void)state;
    return flow_end();
}

/* ---- documents ---- */

static struct request_new decoded;

static int decode(const char *text, const char *tenant) {
    static json_t *document;
    json_decref(document);
    document = json_load_text(text, strlen(text), "request", &e);
    if (!document) return -1;
    struct json_at root = json_root(document, "request");
    err_clear(&e);
    return request_decode(&root, tenant, &decoded, &e);
}

static void a_document_says_what_is_asked(void **state) {
    (void)state;
    assert_int_equal(
        decode("{\"tenant\": \"a\", \"compute\": \"124.8 TF\", \"minimum\": \"15.6 TF\", \"storage\": "
               "\"10 TB\", \"until\": \"2027-03-31\", \"attributes\": {\"call\": \"spring\"}}",
               NULL),
        0);
    assert_int_equal(decoded.ask, ASK_COMPUTE);
    assert_int_equal(decoded.compute.n, 124800);
    assert_int_equal(decoded.minimum_compute.n, 15600);
    assert_int_equal(decoded.storage.n, 10 * FIXTURE_TB);
    assert_true(decoded.until.has);
    assert_int_equal(decoded.n_attrs, 1);
    assert_int_equal(decode("{\"tenant\": \"a\", \"flavor\": \"any\", \"compute\": \"15.6 TF\"}", NULL), 0);
    assert_null(decoded.flavor);
}

static void a_wrong_document_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"[]", "object"},
        {"{}", "tenant"},
        {"{\"tenant\": \"a\"}", "nothing is asked"},
        {"{\"tenant\": \"a\", \"storage\": 5}", "storage"},
        {"{\"tenant\": \"a\", \"storage\": \"5\"}", "storage"},
        {"{\"tenant\": \"a\", \"units\": 0, \"flavor\": \"v100\"}", "units"},
        {"{\"tenant\": \"a\", \"units\": 1.5, \"flavor\": \"v100\"}", "units"},
        {"{\"tenant\": \"a\", \"units\": \"1\", \"flavor\": \"v100\"}", "units"},
        {"{\"tenant\": \"a\", \"units\": 1}", "flavor"},
        {"{\"tenant\": \"a\", \"units\": 2, \"compute\": \"1 TF\", \"flavor\": \"v100\"}", "exclude"},
        {"{\"tenant\": \"a\", \"compute\": \"0 TF\"}", "0 TF"},
        {"{\"tenant\": \"a\", \"compute\": \"1 TB\"}", "compute"},
        {"{\"tenant\": \"a\", \"units\": 3, \"per_server\": 2, \"flavor\": \"v100\"}",
         "whole number of servers"},
        {"{\"tenant\": \"a\", \"units\": 3, \"minimum\": 4, \"flavor\": \"v100\"}", "more than"},
        {"{\"tenant\": \"a\", \"units\": 3, \"minimum\": \"15.6 TF\", \"flavor\": \"v100\"}", "minimum"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"minimum\": \"1 TF\"}", "belong to"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"for\": \"1 day\", \"until\": \"2027-01-01\"}",
         "exclude"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"for\": \"0 days\"}", "longer"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"for\": \"soon\"}", "for"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"until\": \"2027-02-29\"}", "until"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"attributes\": {\"x\": 1}}", "attributes"},
        {"{\"tenant\": \"a\", \"storage\": \"1 TB\", \"storge\": \"1 TB\"}", "storge"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (decode(wrong[i][0], NULL) == 0) fail_msg("taken: %s", wrong[i][0]);
        assert_int_equal(e.code, ERR_USAGE);
        if (!strstr(e.what, wrong[i][1])) fail_msg("%s: no '%s' in '%s'", wrong[i][0], wrong[i][1], e.what);
    }
}

static void a_tenant_asks_for_itself_only(void **state) {
    (void)state;
    assert_int_equal(decode("{\"storage\": \"1 TB\"}", "c0001"), 0);
    assert_string_equal(decoded.tenant, "c0001");
    assert_int_equal(decode("{\"tenant\": \"c0001\", \"storage\": \"1 TB\"}", "c0001"), 0);
    assert_int_equal(decode("{\"tenant\": \"c0002\", \"storage\": \"1 TB\"}", "c0001"), -1);
}

/* ---- people ---- */

static void hold(const struct facts *f, size_t i, struct decision *d) {
    if (f->claims[i].approved) {
        flow_grant_all(f, i, d);
        return;
    }
    d->outcome = OUTCOME_HOLD;
    flow_reason(d, REASON_NEEDS_APPROVAL, "a person looks at it");
}

struct acting {
    int64_t request;
    const char *actor, *what;
};

static int act_run(struct store *s, void *arg, struct err *err) {
    const struct acting *a = arg;
    struct book b;
    struct request r;
    struct request_new more = {
        .tenant = "c0001", .purpose = "", .flavor = "v100", .ask = ASK_UNITS, .units = units(2)};
    if (request_find(s, a->request, 0, &r, err) < 0) return -1;
    int rc = book_open(&b, s, pool, a->actor, instant(FIXTURE_START + 10), err);
    if (rc == 0)
        rc = strcmp(a->what, "approve") == 0    ? request_approve(&b, &r, a->actor, err)
             : strcmp(a->what, "amend") == 0    ? request_amend(&b, &r, &more, err)
             : strcmp(a->what, "deny") == 0     ? request_deny(&b, &r, "not now", err)
             : strcmp(a->what, "return") == 0   ? request_return(&b, &r, "say more", err)
             : strcmp(a->what, "withdraw") == 0 ? request_withdraw(&b, &r, err)
                                                : -1;
    request_free(&r);
    if (rc == 0) rc = engine_plan(&b, &flow_decider, NULL, err);
    return rc < 0 ? -1 : book_close(&b, err);
}

static int act(int64_t request, const char *actor, const char *what) {
    struct acting a = {request, actor, what};
    err_clear(&e);
    return store_write(store, act_run, &a, &e);
}

static int64_t held(const char *actor) {
    struct flow_ask a = {.tenant = "c0001", .units = 1, .actor = actor};
    flow_decide = hold;
    if (flow_submit(&a) < 0) fail_msg("%s", e.what);
    engine_results_free(&a.results);
    return a.id;
}

static void expect_state(int64_t request, const char *wanted) {
    scoped_free char *rows = NULL;
    assert_int_equal(sql_text(store, &e, &rows, "SELECT state FROM request WHERE id = $1", "i", request), 1);
    assert_string_equal(rows, wanted);
}

static void who_submitted_or_amended_cannot_approve_in_any_role(void **state) {
    (void)state;
    int64_t id = held("operator kim");
    assert_int_equal(act(id, "operator kim", "approve"), -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_int_equal(act(id, "admin kim", "approve"), -1);
    assert_int_equal(act(id, "admin root (kim)", "approve"), -1);
    assert_int_equal(act(id, "operator lee", "amend"), 0);
    expect_state(id, "held");
    assert_int_equal(act(id, "operator kim", "approve"), -1);
    assert_int_equal(act(id, "admin lee", "approve"), -1);
    assert_int_equal(act(id, "admin root (park)", "approve"), 0);
    expect_state(id, "granted");
}

static void a_tenant_of_the_same_name_is_another_person(void **state) {
    (void)state;
    int64_t id = held("tenant kim");
    assert_int_equal(act(id, "operator kim", "approve"), 0);
    expect_state(id, "granted");
}

static void amending_takes_an_approval_back(void **state) {
    (void)state;
    int64_t id = held("operator kim");
    assert_int_equal(sql_do(store, &e,
                            "UPDATE request SET approved_by = 'admin lee', override_rule = 'E1', "
                            "override_until = 9999999999",
                            ""),
                     0);
    assert_int_equal(act(id, "operator kim", "amend"), 0);
    expect_state(id, "held");
    assert_int_equal(
        flow_number("SELECT count(*) FROM request WHERE approved_by IS NULL AND override_rule IS NULL "
                    "AND override_until IS NULL AND units = 2"),
        1);
}

static void each_state_takes_only_what_fits_it(void **state) {
    (void)state;
    int64_t id = held("operator kim");
    assert_int_equal(act(id, "operator lee", "return"), 0);
    expect_state(id, "returned");
    assert_int_equal(act(id, "operator lee", "return"), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(act(id, "operator lee", "approve"), -1);
    assert_int_equal(act(id, "operator kim", "amend"), 0);
    assert_int_equal(act(id, "operator lee", "deny"), 0);
    expect_state(id, "denied");
    static const char *const all[] = {"approve", "amend", "deny", "return", "withdraw"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(act(id, "admin park", all[i]), -1);
        assert_int_equal(e.code, ERR_CONFLICT);
    }
    int64_t other = held("operator kim");
    assert_int_equal(act(other, "operator kim", "withdraw"), 0);
    expect_state(other, "withdrawn");
}

static void less_storage_than_a_volume_is_refused(void **state) {
    (void)state;
    struct flow_ask a = {.tenant = "c0001", .storage = 999999999};
    assert_int_equal(flow_submit(&a), -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_non_null(strstr(e.what, "1 GB"));
    engine_results_free(&a.results);
}

static void numbers_are_exact(void **state) {
    (void)state;
    int64_t n;
    assert_int_equal(number_parse("r-187", 'r', &n, &e), 0);
    assert_int_equal(n, 187);
    static const char *const wrong[] = {"r187", "r-",  "r-0", "r--1", "r-1x",
                                        "g-1",  "187", "",    "r",    "r-99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err_clear(&e);
        assert_int_equal(number_parse(wrong[i], 'r', &n, &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_says_what_is_asked),
        cmocka_unit_test(a_wrong_document_is_refused_with_its_place),
        cmocka_unit_test(a_tenant_asks_for_itself_only),
        cmocka_unit_test_setup_teardown(who_submitted_or_amended_cannot_approve_in_any_role, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tenant_of_the_same_name_is_another_person, setup, teardown),
        cmocka_unit_test_setup_teardown(amending_takes_an_approval_back, setup, teardown),
        cmocka_unit_test_setup_teardown(each_state_takes_only_what_fits_it, setup, teardown),
        cmocka_unit_test_setup_teardown(less_storage_than_a_volume_is_refused, setup, teardown),
        cmocka_unit_test(numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
