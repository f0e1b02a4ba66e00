/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of policies and their JSON form, over every policy that the project has. */
#include "alloc/file.h"
#include "alloc/json.h"
#include "alloc/scope.h"
#include "policies/form.h"
#include "policies/print.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int some_table(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    (void)arg, (void)name, (void)e;
    text_add(out, "%s\n a b # why\nquoted\"\\\n", file);
    return 0;
}

static struct policy *parse(const char *text, size_t length) {
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy_source source = {"test.policy", text, length, some_table, NULL};
    struct policy *policy = policy_parse(&source, d);
    diagnostics_free(d);
    free(d);
    return policy;
}

static bool print(const char *text, size_t length, struct text *out) {
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy_source source = {"test.policy", text, length, NULL, NULL};
    bool good = policy_print(&source, out, d);
    assert_int_equal(good, d->count[LEVEL_ERROR] == 0);
    diagnostics_free(d);
    free(d);
    return good;
}

static char *form_of(const struct policy *policy) {
    scoped_json json_t *form = policy_form(policy);
    return json_canonical(form);
}

/* The words of a text, one a line, without the ';' behind a block; then its comments. */
static void words(const char *bytes, size_t length, struct text *out) {
    struct arena arena = {0};
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct lexer lexer;
    struct text comments = {0};
    bool after_brace = false;
    assert_true(lex_begin(&lexer, bytes, length, &arena, d));
    lexer.comments = true;
    for (struct token t = lex_next(&lexer); t.kind != TOKEN_END; t = lex_next(&lexer)) {
        bool drop = after_brace && strcmp(t.text, ";") == 0;
        if (t.kind == TOKEN_COMMENT) {
            size_t n = strlen(t.text);
            while (n > 0 && strchr(" \t\r", t.text[n - 1])) n--;
            text_add(&comments, "%.*s\n", (int)n, t.text);
            continue;
        }
        if (!drop) text_add(out, "%d %s\n", t.kind, t.text);
        after_brace = strcmp(t.text, "}") == 0;
    }
    text_add(out, "%s", comments.s ? comments.s : "");
    text_free(&comments);
    diagnostics_free(d);
    free(d);
    arena_free(&arena);
}

static void lay_out(const char *bytes, size_t length) {
    scoped_text struct text once = {0}, twice = {0}, before = {0}, after = {0};
    if (!print(bytes, length, &once)) return;
    assert_true(print(once.s, once.length, &twice));
    assert_string_equal(once.s, twice.s);
    words(bytes, length, &before);
    words(once.s, once.length, &after);
    assert_string_equal(before.s, after.s);
    struct policy *policy = parse(bytes, length), *laid_out = parse(once.s, once.length);
    assert_int_equal(policy == NULL, laid_out == NULL);
    if (policy) {
        scoped_free char *a = form_of(policy), *b = form_of(laid_out);
        assert_string_equal(a, b);
    }
    policy_free(policy);
    policy_free(laid_out);
}

static void there_and_back(const char *bytes, size_t length) {
    struct policy *policy = parse(bytes, length);
    if (!policy) return;
    struct err e = {0};
    scoped_text struct text text = {0}, again = {0};
    scoped_free char *once = form_of(policy);
    scoped_json json_t *form = json_load_text(once, strlen(once), "form", &e);
    if (!form || policy_form_text(form, "form", &text, &e) < 0) fail_msg("%s", e.what);
    struct policy *second = parse(text.s, text.length);
    assert_non_null(second);
    scoped_free char *twice = form_of(second);
    assert_string_equal(once, twice);
    assert_true(print(text.s, text.length, &again));
    assert_string_equal(text.s, again.s);
    policy_free(second);
    policy_free(policy);
}

static size_t every_policy(void (*check)(const char *bytes, size_t length)) {
    static const char *const patterns[] = {"policies/*.policy", "test/policy/check/*.in",
                                           "test/fuzz/seeds/policy/*", "test/fuzz/seeds/form/*.policy"};
    glob_t files = {0};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        assert_int_equal(glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &files), 0);
    size_t n = files.gl_pathc;
    for (size_t i = 0; i < n; i++) {
        struct err e = {0};
        scoped_text struct text bytes = {0};
        assert_int_equal(file_read(files.gl_pathv[i], 10000000, &bytes, &e), 0);
        check(bytes.s, bytes.length);
    }
    globfree(&files);
    return n;
}

static void layout_is_stable_and_changes_no_word(void **state) {
    (void)state;
    assert_true(every_policy(lay_out) > 100);
}

static void the_form_is_lossless(void **state) {
    (void)state;
    assert_true(every_policy(there_and_back) > 100);
}

#define TEXT(condition, rules)                                                                               \
    "policy \"p\" version 1;\n"                                                                              \
    "pool pilot { basis fp32; flavor v100 15.6 TF units 8 sizes 1, 2; storage 1 PB; }\n"                     \
    "attr a : bool;\nattr b : bool;\nattr kind : enum { sme, other };\nattr d : date?;\n"                    \
    "attr n : int;\nattr note : text?;\n"                                                                    \
    "table t { c1, \"x \\\"y\\\\\" };\n"                                                                     \
    "set eligible { E1 deny \"no\" when " condition "; E9 pass \"yes\" otherwise; }\n"                       \
    "C1 ceiling compute 15.6 TF storage 1 TB;\nL1 lease term 90 days;\n" rules

static void conditions_come_back(void **state) {
    static const char *const texts[] = {
        TEXT("a", ""),
        TEXT("a = true or b != false", ""),
        TEXT("a and (b and (a or b and a))", ""),
        TEXT("not (a or not b) and not not a", ""),
        TEXT("d is unset or d is not unset or not (d is unset)", ""),
        TEXT("d >= today - 3 days and d != today and d < 2030-02-28 and today > 2026-01-01", ""),
        TEXT("d in { today, today + 1 days, 2027-01-01 }", ""),
        TEXT("n in { 1, 2 } or n >= 3", ""),
        TEXT("note is not unset and note = sme or note in { x, \"a \\\" b\" }", ""),
        TEXT("tenant in <t> or not organisation in <t> and kind in { sme, other }", ""),
        TEXT("request.compute > 0.001 TF and request.storage <= 1.5 TiB and request.units = 3", ""),
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct policy *policy = parse(texts[i], strlen(texts[i]));
        if (!policy) fail_msg("%s", texts[i]);
        policy_free(policy);
        there_and_back(texts[i], strlen(texts[i]));
        lay_out(texts[i], strlen(texts[i]));
    }
}

static void long_conditions_come_back(void **state) {
    scoped_text struct text condition = {0}, text = {0};
    (void)state;
    text_add(&condition, "((a");
    for (int i = 0; i < 63; i++) text_add(&condition, " and b");
    text_add(&condition, ")");
    for (int i = 0; i < 63; i++) text_add(&condition, " and a");
    text_add(&condition, ")");
    for (int i = 0; i < 29; i++) text_add(&condition, " or %s", i % 2 ? "b" : "(a and b)");
    text_add(&text, TEXT("%s", ""), condition.s);
    struct policy *policy = parse(text.s, text.length);
    assert_non_null(policy);
    policy_free(policy);
    there_and_back(text.s, text.length);
}

static void amounts_are_exact(void **state) {
    static const struct {
        const char *rule, *said;
    } of[] = {
        {"G1 budget compute 0.0005 TF-hours each month;", "\"compute_gflops_seconds\":1800"},
        {"G1 budget compute 123.456 PF-hours each month;", "\"compute_gflops_seconds\":444441600000"},
        {"G1 budget storage 1 GB-months each year;", "\"storage_byte_hours\":720000000000"},
        {"G1 budget storage 0.0000000125 GB-months each year;", "\"storage_byte_hours\":9000"},
        {"C2 ceiling compute 1.234567 PF storage 123456789 B;", "\"storage_bytes\":123456789"},
        {"C2 ceiling storage 1073741824 B;", "\"storage_bytes\":1073741824"},
        {"L0 lease term 36 hours, notice 90 minutes when a;", "\"notice_seconds\":5400"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        scoped_text struct text text = {0};
        text_add(&text, TEXT("a", "%s\n"), of[i].rule);
        if (of[i].rule[0] == 'L') { /* before the one that always applies */
            text_free(&text);
            text_add(&text, TEXT("a", ""));
            char *at = strstr(text.s, "L1 ");
            scoped_text struct text with = {0};
            text_add(&with, "%.*s%s\n%s", (int)(at - text.s), text.s, of[i].rule, at);
            text_free(&text);
            text_add(&text, "%s", with.s);
        }
        struct policy *policy = parse(text.s, text.length);
        if (!policy) fail_msg("%s", of[i].rule);
        scoped_free char *form = form_of(policy);
        if (!strstr(form, of[i].said)) fail_msg("no %s in %s", of[i].said, form);
        policy_free(policy);
        there_and_back(text.s, text.length);
    }
}

/* What a form may not say, with the place in the message. */
static void forms_are_read_strictly(void **state) {
    static const struct {
        const char *change, *message;
    } of[] = {
        {"{\"format\": 2}", "form: format: must be an integer from 1 to 1"},
        {"{\"name\": \"\"}", "form: name: must not be empty"},
        {"{\"nmae\": \"x\"}", "form: nmae: "},
        {"{\"valid_from\": \"2026-02-30\"}", "form: valid_from: '2026-02-30' is not a date"},
        {"{\"pool\": {\"name\": \"p; C1\", \"basis\": \"fp32\"}}", "form: pool.name: must be a name"},
        {"{\"pool\": {\"name\": \"p\", \"basis\": \"fp32\", \"flavors\": [{\"name\": \"v\", \"units\": 1}]}}",
         "form: pool.flavors[0]: has either a rating"},
        {"{\"attributes\": [{\"name\": \"k\", \"type\": \"enum\"}]}",
         "form: attributes[0]: 'values' are for an enum"},
        {"{\"tables\": [{\"name\": \"k\", \"entries\": [\"a\\u0007b\"]}]}",
         "form: tables[0].entries[0]: holds control characters"},
        {"{\"eligible\": [{\"id\": \"E1\", \"effect\": \"alow\", \"reason\": \"\"}]}",
         "form: eligible[0].effect: "},
        {"{\"eligible\": [{\"id\": \"E1\", \"effect\": \"deny\", \"reason\": \"\", \"when\": {\"and\": "
         "[{}]}}]}",
         "form: eligible[0].when.and: "},
        {"{\"eligible\": [{\"id\": \"E1\", \"effect\": \"deny\", \"reason\": \"\", \"when\": {\"attribute\": "
         "\"a\", "
         "\"in\": [{\"word\": \"x\", \"text\": \"y\"}]}}]}",
         "form: eligible[0].when.in[0]: must have exactly one member"},
        {"{\"eligible\": [{\"id\": \"E1\", \"effect\": \"deny\", \"reason\": \"\", \"when\": {\"attribute\": "
         "\"a\", "
         "\"compare\": \"=\", \"value\": {\"word\": \"today\"}}}]}",
         "form: eligible[0].when.value.word: 'today' is written"},
        {"{\"ceilings\": [{\"id\": \"C1\", \"compute_gflops\": 1.5}]}",
         "form: ceilings[0].compute_gflops: must be an integer"},
        {"{\"leases\": [{\"id\": \"L1\", \"term_seconds\": 1, \"until\": \"2027-01-01\"}]}",
         "form: leases[0]: has either 'term_seconds' or 'until'"},
        {"{\"leases\": [{\"id\": \"L1\", \"term_seconds\": 60000000001}]}",
         "form: leases[0].term_seconds: 60000000001 seconds cannot be written"},
        {"{\"queue\": {\"id\": \"Q1\", \"barriers\": 2}}", "form: queue: 'barriers' says how many"},
        {"{\"budgets\": [{\"id\": \"G1\", \"compute_gflops_seconds\": 1, \"each\": \"month\"}]}",
         "form: budgets[0].compute_gflops_seconds: 1 is not a decimal number of TF-hours"},
    };
    (void)state;
    const char *good = TEXT("a", "");
    struct policy *policy = parse(good, strlen(good));
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct err e = {0};
        scoped_json json_t *form = policy_form(policy);
        scoped_json json_t *change = json_loads(of[i].change, 0, NULL);
        scoped_text struct text out = {0};
        assert_non_null(change);
        json_object_update(form, change);
        assert_int_equal(policy_form_text(form, "form", &out, &e), -1);
        if (strncmp(e.what, of[i].message, strlen(of[i].message)) != 0)
            fail_msg("%s\n  not: %s", e.what, of[i].message);
        assert_int_equal(e.code, ERR_USAGE);
    }
    policy_free(policy);
}

static void what_may_be_left_out_has_its_default(void **state) {
    static const char form[] =
        "{\"format\": 1, \"name\": \"p\", \"version\": 1, \"pool\": {\"name\": \"q\", \"basis\": \"fp32\", "
        "\"storage_bytes\": 1000000000000}, \"eligible\": [{\"id\": \"E9\", \"effect\": \"pass\", "
        "\"reason\": \"y\"}], "
        "\"ceilings\": [{\"id\": \"C1\", \"storage_bytes\": 1000000000}], \"leases\": [{\"id\": \"L1\", "
        "\"term_seconds\": 86400}]}";
    struct err e = {0};
    scoped_text struct text out = {0};
    scoped_json json_t *document = json_loads(form, 0, NULL);
    (void)state;
    if (policy_form_text(document, "form", &out, &e) < 0) fail_msg("%s", e.what);
    assert_string_equal(out.s, "policy \"p\" version 1;\n\npool q {\n  basis fp32;\n  storage 1 TB;\n}\n\n"
                               "set eligible {\n  E9 pass \"y\" otherwise;\n}\n\n"
                               "C1 ceiling storage 1 GB;\nL1 lease term 1 day;\n");
    there_and_back(out.s, out.length);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_stable_and_changes_no_word),
        cmocka_unit_test(the_form_is_lossless),
        cmocka_unit_test(conditions_come_back),
        cmocka_unit_test(long_conditions_come_back),
        cmocka_unit_test(amounts_are_exact),
        cmocka_unit_test(forms_are_read_strictly),
        cmocka_unit_test(what_may_be_left_out_has_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
