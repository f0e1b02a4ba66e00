/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/policy.h"

#include "alloc/hash.h"
#include "alloc/scope.h"
#include "policies/catalogue.h"
#include "policies/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char small[] =
    "policy \"small\" version 7;\n"
    "pool pilot { basis fp32; flavor v100 15.6 TF units 8 sizes 1, 2; storage 1 PB; }\n"
    "attr kind : enum { sme, other };\n"
    "attr moved : date?;\n"
    "attr rush : bool of request;\n"
    "table blocked from \"blocked.list\";\n"
    "set eligible {\n"
    "  E1 deny \"no\" when tenant in <blocked>;\n"
    "  E9 pass \"yes\" otherwise;\n"
    "}\n"
    "C1 ceiling compute 15.6 TF storage 1 TB;\n"
    "L1 lease term 90 days;\n";

static int blocked(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    (void)arg;
    if (strcmp(name, "blocked") != 0 || strcmp(file, "blocked.list") != 0)
        return err_set(e, ERR_NOT_FOUND, "no such table");
    text_add(out, "\xef\xbb\xbf# names\r\nc0002\r\nc0001 # why\r\n\r\nc0002\r\n");
    return 0;
}

static struct policy *parse(const char *text) {
    struct diagnostics d = {0};
    struct policy_source source = {"small.policy", text, strlen(text), blocked, NULL};
    struct policy *policy = policy_parse(&source, &d);
    struct text said = {0};
    diagnostics_print(&d, &said);
    if (!policy) print_message("%s", said.s);
    text_free(&said);
    diagnostics_free(&d);
    return policy;
}

static void a_policy_says_what_it_states(void **state) {
    (void)state;
    struct policy *policy = parse(small);
    assert_non_null(policy);
    assert_string_equal(policy_name(policy), "small");
    assert_int_equal(policy_version(policy), 7);
    assert_string_equal(policy_pool(policy), "pilot");
    assert_string_equal(policy_basis(policy), "fp32");
    assert_int_equal(policy_storage(policy).n, 1000000000000000);
    assert_int_equal(policy_flavors(policy), 1);
    struct fact_flavor f = policy_flavor(policy, 0);
    assert_string_equal(f.name, "v100");
    assert_int_equal(f.rating.n, 15600);
    assert_int_equal(f.n_sizes, 2);
    struct text place = {0};
    assert_true(policy_rule_place(policy, "C1", &place));
    assert_string_equal(place.s, "small.policy:11");
    assert_false(policy_rule_place(policy, "C2", &place));
    text_free(&place);
    policy_free(policy);
}

static void the_stored_form_opens_to_the_same_stored_form(void **state) {
    (void)state;
    struct err e = {0};
    struct policy *policy = parse(small);
    char *stored = policy_stored(policy, "abc");
    assert_non_null(strstr(stored, "\"tables\":{\"blocked\":[\"c0001\",\"c0002\"]}"));
    struct policy *again = policy_decider.open(stored, &e);
    assert_non_null(again);
    char *twice = policy_stored(again, "abc");
    assert_string_equal(stored, twice);
    free(stored);
    free(twice);
    policy_free(policy);
    policy_decider.close(again);
}

static void one_that_was_closed_is_opened_again_by_its_own_stored_form_only(void **state) {
    (void)state;
    struct err e = {0};
    struct policy *policy = parse(small);
    char *stored = policy_stored(policy, "abc"), *other = policy_stored(policy, "abd");
    struct policy *first = policy_decider.open(stored, &e), *beside = policy_decider.open(stored, &e);
    assert_ptr_not_equal(first, beside);
    policy_decider.close(beside);
    policy_decider.close(first);
    struct policy *next = policy_decider.open(other, &e);
    assert_ptr_not_equal(next, first);
    struct policy *again = policy_decider.open(stored, &e);
    assert_ptr_equal(again, first);
    assert_string_equal(policy_name(again), policy_name(policy));
    policy_decider.close(again);
    policy_decider.close(next);
    policy_decider.close(NULL);
    free(stored);
    free(other);
    policy_free(policy);
}

static void the_stored_form_keeps_crlf_and_a_byte_order_mark(void **state) {
    (void)state;
    struct text t = {0};
    text_add(&t, "\xef\xbb\xbf");
    for (const char *p = small; *p; p++) text_add(&t, *p == '\n' ? "\r\n" : "%c", *p);
    struct policy *policy = parse(t.s);
    struct err e = {0};
    assert_non_null(policy);
    char *stored = policy_stored(policy, NULL);
    struct policy *again = policy_decider.open(stored, &e);
    assert_non_null(again);
    char *twice = policy_stored(again, NULL);
    assert_string_equal(stored, twice);
    free(stored);
    free(twice);
    text_free(&t);
    policy_free(policy);
    policy_free(again);
}

static void what_is_not_a_stored_policy_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "[]", "{}",
                                        "{\"format\":2,\"file\":\"a\",\"text\":\"\",\"tables\":{}}",
                                        "{\"format\":1,\"file\":\"a\",\"text\":\"policy\",\"tables\":{}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        assert_null(policy_decider.open(wrong[i], &e));
        assert_int_equal(e.code, ERR_FAILED);
    }
    struct err e = {0};
    policy_decider.open(wrong[4], &e);
    assert_string_equal(e.what,
                        "a:1:7: expected the name of the policy, in quotes, found the end of the file");
}

static void attributes_are_checked_by_their_type(void **state) {
    (void)state;
    struct policy *policy = parse(small);
    struct err e = {0};
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_TENANT, "kind", "sme", &e), 0);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_TENANT, "moved", "2021-02-28", &e), 0);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_REQUEST, "rush", "true", &e), 0);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_TENANT, "kind", "smee", &e), -1);
    assert_string_equal(e.what, "'smee' is not a value of 'kind' (sme, other)");
    assert_string_equal(e.hint, "did you mean 'sme'?");
    err_clear(&e);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_TENANT, "knid", "sme", &e), -1);
    assert_string_equal(e.hint, "did you mean 'kind'?");
    err_clear(&e);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_TENANT, "rush", "true", &e), -1);
    err_clear(&e);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_REQUEST, "rush", "yes", &e), -1);
    err_clear(&e);
    assert_int_equal(policy_check_attr(policy, POLICY_ATTR_TENANT, "moved", "2021-02-29", &e), -1);
    const char *name;
    struct text type = {0};
    assert_true(policy_attr(policy, POLICY_ATTR_TENANT, 0, &name, &type));
    assert_string_equal(name, "kind");
    assert_string_equal(type.s, "enum { sme, other }");
    assert_false(policy_attr(policy, POLICY_ATTR_REQUEST, 1, &name, &type));
    text_free(&type);
    policy_free(policy);
}

static void the_pool_of_the_store_is_the_truth(void **state) {
    (void)state;
    struct policy *policy = parse(small);
    struct fact_flavor f = policy_flavor(policy, 0);
    struct fact_pool pool = {.name = "pilot",
                             .basis = "fp32",
                             .flavors = &f,
                             .n_flavors = 1,
                             .storage_capacity = policy_storage(policy),
                             .granule = bytes(1)};
    struct diagnostics d = {0};
    assert_int_equal(policy_check_pool(policy, &pool, &d), 0);
    assert_int_equal(d.n, 0);
    f.rating = gflops(15700);
    f.sizes[1] = 4;
    pool.basis = "fp16";
    pool.storage_capacity = bytes(1);
    assert_int_equal(policy_check_pool(policy, &pool, &d), -1);
    assert_int_equal(d.count[LEVEL_ERROR], 4);
    struct text said = {0};
    diagnostics_print(&d, &said);
    assert_non_null(strstr(
        said.s, "small.policy:2:33: error: flavor 'v100' is rated 15.6 TF here and 15.7 TF in the pool"));
    assert_non_null(strstr(said.s, "flavor 'v100' has sizes 1, 2 here and 1, 4 in the pool"));
    assert_non_null(strstr(said.s, "the basis is fp32 here and fp16 in the pool"));
    assert_non_null(strstr(said.s, "the storage is 1 PB here and 1 B in the pool"));
    text_free(&said);
    diagnostics_free(&d);
    f.name = "v1000";
    assert_int_equal(policy_check_pool(policy, &pool, &d), -1);
    diagnostics_print(&d, &said);
    assert_non_null(strstr(said.s, "pool 'pilot' has no flavor 'v100'; did you mean 'v1000'?"));
    assert_non_null(strstr(said.s, "flavor 'v1000' of the pool is not stated here"));
    text_free(&said);
    diagnostics_free(&d);
    policy_free(policy);
}

/* Every part of the pool block that is not compute or storage. */
static void the_whole_pool_block_is_compared(void **state) {
    (void)state;
    struct policy *policy =
        parse("policy \"p\" version 1 valid from 2026-01-01 until 2026-12-31;\n"
              "pool pilot { basis fp32; flavor warboy unrated units 20; storage 1 PB; datalake 2 PB;\n"
              "  saas notebook seats 200; measures gpu_util; }\n"
              "set eligible { E9 pass \"eligible\" otherwise; }\n"
              "C1 ceiling storage 50 TB units warboy 4 seats notebook 10;\n"
              "L1 lease term 90 days;\n");
    struct fact_flavor f = policy_flavor(policy, 0);
    struct fact_service services[2] = {{"notebook", 200, 200}, {"wiki", 5, 5}};
    const char *measures[] = {"gpu_util", "power"};
    struct fact_pool pool = {.name = "pilot",
                             .basis = "fp32",
                             .flavors = &f,
                             .n_flavors = 1,
                             .storage_capacity = policy_storage(policy),
                             .datalake_capacity = bytes(INT64_C(2000000000000000)),
                             .services = services,
                             .n_services = 1,
                             .measures = measures,
                             .n_measures = 2,
                             .granule = bytes(1)};
    struct maybe_instant from, until;
    policy_valid(policy, &from, &until);
    assert_string_equal(instant_text(from.at).s, "2025-12-31T15:00:00Z");
    assert_string_equal(instant_text(until.at).s, "2026-12-31T15:00:00Z");
    struct diagnostics d = {0};
    assert_true(f.unrated);
    assert_int_equal(policy_check_pool(policy, &pool, &d), 0);
    f.unrated = false;
    f.rating = gflops(8100);
    pool.datalake_capacity = bytes(0);
    services[0].seats = 100;
    pool.n_services = 2;
    measures[0] = "gpu_utl";
    assert_int_equal(policy_check_pool(policy, &pool, &d), -1);
    assert_int_equal(d.count[LEVEL_ERROR], 5);
    struct text said = {0};
    diagnostics_print(&d, &said);
    assert_non_null(strstr(said.s, "flavor 'warboy' is unrated here and rated in the pool"));
    assert_non_null(strstr(said.s, "the datalake is 2 PB here and 0 "));
    assert_non_null(strstr(said.s, "service 'notebook' has 200 seats here and 100 in the pool"));
    assert_non_null(strstr(said.s, "service 'wiki' of the pool is not stated here"));
    assert_non_null(strstr(said.s, "pool 'pilot' does not measure 'gpu_util'; did you mean 'gpu_utl'?"));
    text_free(&said);
    services[0].name = "notebok";
    assert_int_equal(policy_check_pool(policy, &pool, &d), -1);
    diagnostics_print(&d, &said);
    assert_non_null(strstr(said.s, "pool 'pilot' has no service 'notebook'; did you mean 'notebok'?"));
    text_free(&said);
    diagnostics_free(&d);
    policy_free(policy);
}

static void a_policy_that_cannot_be_read_is_an_error(void **state) {
    (void)state;
    struct err e = {0};
    struct diagnostics d = {0};
    assert_null(policy_read("policies/none.policy", &d, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    err_clear(&e);
    assert_null(policy_read("policies", &d, &e));
    assert_int_equal(e.code, ERR_FAILED);
    diagnostics_free(&d);
}

static void a_text_larger_than_a_megabyte_is_refused(void **state) {
    (void)state;
    size_t length = (1 << 20) + 1;
    char *big = mem_alloc(length);
    memset(big, '#', length);
    struct diagnostics d = {0};
    struct policy_source source = {"big.policy", big, length, NULL, NULL};
    assert_null(policy_parse(&source, &d));
    assert_int_equal(d.count[LEVEL_ERROR], 1);
    diagnostics_free(&d);
    free(big);
}

/* Against plain search: which sums there are, and the fewest servers. */
static void ladders_reach_what_adding_reaches(void **state) {
    (void)state;
    static const int64_t sizes[][4] = {{1, 2, 4, 8}, {2, 4, 0, 0}, {3, 5, 0, 0},  {4, 6, 9, 0},
                                       {7, 0, 0, 0}, {1, 3, 4, 0}, {1, 5, 12, 25}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        enum { MOST = 700 };
        int fewest[MOST + 1] = {0};
        size_t n = 0;
        while (n < 4 && sizes[k][n]) n++;
        struct ladder ladder;
        ladder_begin(&ladder, sizes[k], n);
        for (int u = 1; u <= MOST; u++) {
            fewest[u] = -1;
            for (size_t i = 0; i < n; i++)
                if (sizes[k][i] <= u && fewest[u - sizes[k][i]] >= 0 &&
                    (fewest[u] < 0 || fewest[u - sizes[k][i]] + 1 < fewest[u]))
                    fewest[u] = fewest[u - sizes[k][i]] + 1;
        }
        for (int u = 0; u <= MOST; u++) {
            int down = u, up = u;
            while (fewest[down] < 0) down--;
            while (up <= MOST && fewest[up] < 0) up++;
            assert_int_equal(ladder_down(&ladder, u), down);
            if (up <= MOST) assert_int_equal(ladder_up(&ladder, u), up);
            if (fewest[u] < 0) continue;
            int64_t count[LADDER_SIZES], sum = 0, servers = 0;
            ladder_cover(&ladder, u, count);
            for (size_t i = 0; i < n; i++) sum += count[i] * sizes[k][i], servers += count[i];
            assert_int_equal(sum, u);
            assert_int_equal(servers, fewest[u]);
        }
        ladder_end(&ladder);
    }
}

static void the_shipped_catalogue_is_sound(void **state) {
    (void)state;
    struct err e = {0};
    struct catalogue *c = catalogue_read("policies/accelerators.json", &e);
    if (!c) fail_msg("%s", e.what);
    const struct catalogue_part *v100 = catalogue_find(c, 0x10de, 0x1db5);
    assert_non_null(v100);
    assert_string_equal(v100->name, "v100-sxm2-32gb");
    assert_int_equal(catalogue_figure(v100, "fp16")->n, 125000);
    assert_int_equal(catalogue_figure(v100, "fp32")->status, FIGURE_VENDOR);
    const struct catalogue_part *npu = catalogue_named(c, "furiosa-warboy");
    assert_null(catalogue_figure(npu, "fp32"));     /* never converted */
    assert_null(catalogue_find(c, 0x10de, 0x2901)); /* unverified ids are not matched */
    assert_int_equal(strlen(catalogue_hash(c)), 64);
    for (size_t i = 0; i < catalogue_parts(c); i++)
        for (size_t k = 0; k < catalogue_part(c, i)->n_ratings; k++)
            assert_true(strlen(catalogue_part(c, i)->ratings[k].gflops.source) > 3);
    catalogue_free(c);
}

static void a_wrong_catalogue_names_the_place(void **state) {
    (void)state;
#define PART(rest)                                                                                           \
    "{\"format\":1,\"sources\":{\"s\":\"a "                                                                  \
    "source\"},\"parts\":[{\"name\":\"a\",\"title\":\"A\",\"pci\":[\"10de:1db5\"],"                          \
    "\"ratings\":{\"fp32\":{\"gflops\":1,\"status\":\"vendor\",\"source\":\"s\"}}}" rest "]}"
    static const char *const wrong[][2] = {
        {"{}", "c: format: must be there"},
        {PART(",{\"name\":\"b\",\"title\":\"B\",\"pci\":[\"10de:1db5\"],\"ratings\":{}}"), "parts[1].pci[0]"},
        {PART(",{\"name\":\"a\",\"title\":\"B\",\"pci\":[],\"ratings\":{}}"), "parts[1]: 'a' stands twice"},
        {PART(",{\"name\":\"b\",\"title\":\"B\",\"pci\":[\"10DE:1db5\"],\"ratings\":{}}"), "parts[1].pci[0]"},
        {PART(",{\"name\":\"b\",\"title\":\"B\",\"ratings\":{\"fp32\":{\"gflops\":1,\"status\":\"vendor\","
              "\"source\":"
              "\"t\"}}}"),
         "parts[1].ratings.fp32.source: no source is called 't'"},
        {PART(",{\"name\":\"b\",\"title\":\"B\",\"ratings\":{\"fp33\":{}}}"), "parts[1].ratings.fp33"},
        {PART(",{\"name\":\"b\",\"title\":\"B\",\"ratings\":{\"fp32\":{\"gflops\":1.5,\"status\":\"vendor\","
              "\"source\":"
              "\"s\"}}}"),
         "parts[1].ratings.fp32.gflops"},
    };
    struct err ok = {0};
    struct catalogue *c = catalogue_parse(PART(""), "c", &ok);
    assert_non_null(c);
    catalogue_free(c);
    for (size_t i = 1; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        assert_null(catalogue_parse(wrong[i][0], "c", &e));
        if (!strstr(e.what, wrong[i][1])) fail_msg("%zu: %s", i, e.what);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_says_what_it_states),
        cmocka_unit_test(the_stored_form_opens_to_the_same_stored_form),
        cmocka_unit_test(one_that_was_closed_is_opened_again_by_its_own_stored_form_only),
        cmocka_unit_test(the_stored_form_keeps_crlf_and_a_byte_order_mark),
        cmocka_unit_test(what_is_not_a_stored_policy_is_refused),
        cmocka_unit_test(attributes_are_checked_by_their_type),
        cmocka_unit_test(the_pool_of_the_store_is_the_truth),
        cmocka_unit_test(the_whole_pool_block_is_compared),
        cmocka_unit_test(a_policy_that_cannot_be_read_is_an_error),
        cmocka_unit_test(a_text_larger_than_a_megabyte_is_refused),
        cmocka_unit_test(ladders_reach_what_adding_reaches),
        cmocka_unit_test(the_shipped_catalogue_is_sound),
        cmocka_unit_test(a_wrong_catalogue_names_the_place),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
