/* SPDX-License-Identifier: Apache-2.0 */
/* Words, options and errors, on a table of commands made for this test. */
#include "cmd/command.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/complete.h"
#include "cmd/config.h"
#include "cmd/help.h"
#include "cmd/manual.h"
#include "cmd/output.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* what the body saw */
static struct {
    int runs, status;
    struct text seen;
    enum role role;
    bool has_store;
} trace;

static int spy(struct call *call, struct err *e) {
    trace.runs++;
    trace.has_store = call->store != NULL;
    text_add(&trace.seen, "%s", call->command->words);
    for (size_t i = 0; i < call->n_arguments; i++) text_add(&trace.seen, " [%s]", call->arguments[i]);
    for (const struct option *o = call->command->options; o && o->name; o++) {
        const char *value;
        for (size_t k = 0; (value = call_option_at(call, o->name, k)); k++)
            text_add(&trace.seen, " %s=%s", o->name, value);
        if (!o->argument && call_flag(call, o->name)) text_add(&trace.seen, " %s", o->name);
    }
    text_add(&trace.seen, "%s%s%s%s%s", call->dry_run ? " dry" : "", call->quiet ? " quiet" : "",
             call->key ? " key=" : "", call->key ? call->key : "", call->now_given ? " now" : "");
    if (strcmp(call->format, "table") != 0) text_add(&trace.seen, " %s", call->format);
    if (trace.status < 0) {
        err_set(e, ERR_DENIED, "c1 may hold \x1b[31m125 TF");
        err_hint(e, "ask for less");
    }
    return trace.status;
}

static int list(struct call *call, struct err *e) {
    static const struct column columns[] = {{"name", "NAME", CELL_TEXT, false}, {0}};
    scoped_json json_t *rows = json_pack("[{s:s}, {s:s}]", "name", "c0001", "name", "d0002");
    return output_list(call, columns, rows, e);
}

static const struct option add_options[] = {
    {"for", "SPAN", "how long", false},
    {"key", "FILE", "a key", true},
    {"force", NULL, "even so", false},
    {"tenant", "TENANT", "whose", false},
    {0},
};
static const struct command thing_commands[] = {
    {"thing add", "NAME [SIZE]", 1, 2, "add a thing", COMMAND_CHANGES, ROLE_OPERATOR, add_options, spy},
    {"thing list", "", 0, 0, "list things", COMMAND_LISTS, ROLE_AUDITOR, NULL, spy},
    {"thing", "NAME...", 1, -1, "take things directly", COMMAND_CHANGES, ROLE_ADMIN, add_options, spy},
    {0},
};
static const struct command tenant_commands[] = {
    {"tenant list", "", 0, 0, "list tenants", COMMAND_LISTS, ROLE_NONE, NULL, list},
    {"tenant show", "NAME", 1, 1, "show a tenant", COMMAND_SHOWS, ROLE_NONE, NULL, spy},
    {0},
};
static const struct command plain_commands[] = {
    {"count", "FILE", 1, 1, "count", COMMAND_NO_STORE, ROLE_NONE, NULL, spy},
    {0},
};
const struct command *const command_tables[] = {
    help_commands, thing_commands, tenant_commands, plain_commands, manual_commands, complete_commands, NULL};

int call_open_store(struct call *call, struct err *e) {
    if (strcmp(call->store_path, "/none") == 0) return err_set(e, ERR_NOT_FOUND, "/none: no store");
    call->store = (struct store *)&trace;
    call->role = trace.role;
    call->actor = "kim";
    return 0;
}

void call_close_store(struct call *call) { call->store = NULL; }

static struct {
    int status;
    char *out, *messages;
} result;

static void forget(void) {
    free(result.out);
    free(result.messages);
    result.out = result.messages = NULL;
    text_free(&trace.seen);
    trace.runs = 0;
}

/* Words apart by one space; "_" stands for an empty word. */
static void run(const char *line) {
    char *words = mem_copy(line), *argv[32] = {"allot"};
    int argc = 1;
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) argv[argc++] = strcmp(w, "_") == 0 ? "" : w;
    forget();
    size_t n_out, n_messages;
    FILE *out = open_memstream(&result.out, &n_out),
         *messages = open_memstream(&result.messages, &n_messages);
    result.status = command_call(argc, argv, out, messages);
    fclose(out);
    fclose(messages);
    free(words);
}

static void expect(const char *line, const char *seen) {
    run(line);
    if (trace.runs != 1) fail_msg("%s: %s", line, result.messages);
    assert_string_equal(trace.seen.s, seen);
    assert_int_equal(result.status, trace.status);
    assert_string_equal(result.messages, "");
}

static void expect_usage(const char *line, const char *messages) {
    run(line);
    assert_int_equal(trace.runs, 0);
    assert_string_equal(result.messages, messages);
    assert_string_equal(result.out, "");
    assert_int_equal(result.status, 2);
}

static int set_up(void **state) {
    (void)state;
    setenv("ALLOT_CONFIG", "/dev/null", 1);
    setenv("ALLOT_STORE", "/nowhere/some.db", 1);
    unsetenv("COLUMNS");
    trace.status = 0;
    trace.role = ROLE_ADMIN;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    forget();
    return 0;
}

static void the_longest_words_that_fit_are_the_command(void **state) {
    (void)state;
    expect("thing add x", "thing add [x]");
    expect("thing adder x", "thing [adder] [x]");
    expect("thing -- add x", "thing [add] [x]");
    expect("thing x add", "thing [x] [add]");
    expect("thing list", "thing list");
    expect("tenant show tenant", "tenant show [tenant]");
}

static void options_stand_anywhere_and_a_double_dash_ends_them(void **state) {
    (void)state;
    expect("thing add --for 90d x --force 12", "thing add [x] [12] for=90d force");
    expect("thing add --for=90d x", "thing add [x] for=90d");
    expect("thing add --for= x", "thing add [x] for=");
    expect("--dry-run thing --quiet add x --idempotency-key k1", "thing add [x] dry quiet key=k1");
    expect("thing add --key a --key=b x", "thing add [x] key=a key=b");
    expect("thing add -- --for -x", "thing add [--for] [-x]");
    expect("thing add --for -5 -", "thing add [-] for=-5");
    expect("thing add --for=--x _", "thing add [] for=--x");
    expect("--json thing list", "thing list json");
    expect("thing list --format=csv", "thing list csv");
    expect("thing list --json --format json", "thing list json");
    expect("thing add x --now 2026-11-22T00:00:00Z", "thing add [x] now");
}

static void wrong_words_get_the_nearest(void **state) {
    (void)state;
    expect_usage("thnig add x", "allot: usage: there is no command 'thnig'\n"
                                "allot: hint: did you mean 'allot thing'?\n");
    expect_usage("tenant lits", "allot: usage: there is no command 'tenant lits'\n"
                                "allot: hint: did you mean 'allot tenant list'?\n");
    expect_usage("tenant zzzzzz", "allot: usage: there is no command 'tenant zzzzzz'\n"
                                  "allot: hint: allot help tenant lists the commands\n");
    expect_usage("tenant", "allot: usage: 'allot tenant' needs one word more: list, show\n"
                           "allot: hint: see: allot help tenant\n");
    expect_usage("", "allot: usage: no command is given\nallot: hint: allot help lists the commands\n");
    expect_usage("__complte", "allot: usage: there is no command '__complte'\n"
                              "allot: hint: allot help lists the commands\n");
}

static void wrong_options_are_refused_before_anything_runs(void **state) {
    (void)state;
    expect_usage("thing add x --fro 1", "allot: usage: 'allot thing add' has no option --fro\n"
                                        "allot: hint: did you mean --for?\n");
    expect_usage("--for 1 thing add x", "allot: usage: there is no global option --for\n"
                                        "allot: hint: a command's own options stand behind its words\n");
    expect_usage("thing add x --for", "allot: usage: --for needs a value: SPAN\n"
                                      "allot: hint: see: allot help thing add\n");
    expect_usage("thing add x --for --force", "allot: usage: --for needs a value: SPAN\n"
                                              "allot: hint: write --for=--force if that is the value\n");
    expect_usage("thing add x --force=1", "allot: usage: --force takes no value\n"
                                          "allot: hint: see: allot help thing add\n");
    expect_usage("thing add x --for 1 --for 2", "allot: usage: --for is given twice\n"
                                                "allot: hint: see: allot help thing add\n");
    expect_usage("thing add -x", "allot: usage: '-x' is no option: they are written with two dashes\n"
                                 "allot: hint: put -- before an argument that begins with a dash\n");
    expect_usage("thing list --dry-run",
                 "allot: usage: 'allot thing list' changes nothing: it takes no --dry-run\n"
                 "allot: hint: see: allot help thing list\n");
    expect_usage("thing add x --format csv",
                 "allot: usage: 'allot thing add' prints no listing: it takes no --format\n"
                 "allot: hint: see: allot help thing add\n");
    expect_usage("thing list --format cvs",
                 "allot: usage: --format takes table, tsv, csv or json, not 'cvs'\n"
                 "allot: hint: did you mean csv?\n");
    expect_usage("thing add x --lang de", "allot: usage: --lang takes en or ko, not 'de'\n"
                                          "allot: hint: see: allot help thing add\n");
    expect_usage("thing add x --now today",
                 "allot: usage: --now: 'today' is not a time (example: 2026-11-22T09:00:00Z)\n"
                 "allot: hint: see: allot help thing add\n");
    expect_usage("thing add x --idempotency-key=",
                 "allot: usage: --idempotency-key takes 1 to 128 printable bytes\n"
                 "allot: hint: see: allot help thing add\n");
    expect_usage("thing add \xb1\xa4", "allot: usage: argument 3 is not UTF-8\n");
}

static void the_number_of_arguments_is_checked(void **state) {
    (void)state;
    expect_usage("thing add", "allot: usage: too few arguments: allot thing add NAME [SIZE]\n"
                              "allot: hint: see: allot help thing add\n");
    expect_usage("thing add a b c", "allot: usage: one argument too many: 'c' (allot thing add NAME [SIZE])\n"
                                    "allot: hint: see: allot help thing add\n");
    expect_usage("thing list x", "allot: usage: one argument too many: 'x' (allot thing list)\n"
                                 "allot: hint: see: allot help thing list\n");
}

static void with_json_errors_are_json_on_standard_error(void **state) {
    (void)state;
    expect_usage("thnig --json",
                 "{\"error\":{\"code\":\"usage\",\"status\":2,\"what\":\"there is no command 'thnig'\","
                 "\"hint\":\"did you mean 'allot thing'?\"}}\n");
    expect_usage(
        "thing list --format cvs --json",
        "{\"error\":{\"code\":\"usage\",\"status\":2,\"what\":\"--json and --format=cvs contradict each "
        "other\",\"hint\":\"see: allot help thing list\"}}\n");
}

static void what_the_body_returns_is_the_exit_status(void **state) {
    (void)state;
    trace.status = 8;
    expect("thing add x", "thing add [x]");
    trace.status = -1;
    run("thing add x");
    assert_int_equal(result.status, 3);
    assert_string_equal(result.messages,
                        "allot: denied: c1 may hold \\x1b[31m125 TF\nallot: hint: ask for less\n");
}

static void a_role_too_small_is_denied_before_the_body(void **state) {
    (void)state;
    trace.role = ROLE_AUDITOR;
    expect("thing list", "thing list");
    run("thing add x");
    assert_int_equal(result.status, 3);
    assert_int_equal(trace.runs, 0);
    assert_string_equal(
        result.messages,
        "allot: denied: 'allot thing add' needs the role operator; kim has the role auditor\n"
        "allot: hint: roles are given in an allot.conf that belongs to root or to the owner of the store\n");
}

static void a_command_without_a_store_gets_none(void **state) {
    (void)state;
    expect("count x", "count [x]");
    assert_false(trace.has_store);
    expect("thing list", "thing list");
    assert_true(trace.has_store);
    run("thing list --store /none");
    assert_int_equal(result.status, 4);
    assert_string_equal(result.messages, "allot: not found: /none: no store\n");
    expect("count x --store /none", "count [x]");
}

static void help_needs_neither_store_nor_settings(void **state) {
    (void)state;
    setenv("ALLOT_CONFIG", "/nowhere", 1);
    run("help");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out, "  thing add NAME [SIZE]"));
    assert_null(strstr(result.out, "__"));
    run("help thing add");
    assert_non_null(strstr(result.out, "allot thing add [OPTION...] NAME [SIZE]\n  add a thing\n"));
    assert_non_null(strstr(result.out, "--key FILE ..."));
    assert_non_null(strstr(result.out, "--dry-run"));
    assert_null(strstr(result.out, "--format"));
    scoped_free char *same = mem_copy(result.out);
    run("thing add --help");
    assert_string_equal(result.out, same);
    run("tenant --help");
    assert_non_null(strstr(result.out, "Commands of allot tenant\n  tenant list"));
    run("help nothing");
    assert_int_equal(result.status, 2);
    run("--version");
    assert_string_equal(result.out, "allot " ALLOT_VERSION "\n");
    run("help --json");
    scoped_json json_t *table = json_loads(result.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(table, "commands")), 7);
    run("thing list");
    assert_int_equal(result.status, 4); /* the settings named are not there */
}

static void an_answer_that_cannot_be_written_is_told(void **state) {
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    forget();
    size_t n;
    FILE *messages = open_memstream(&result.messages, &n);
    char *argv[] = {"allot", "tenant", "list"};
    assert_int_equal(command_call(3, argv, full, messages), 1);
    fclose(messages);
    fclose(full);
    assert_string_equal(result.messages, "allot: failed: standard output: No space left on device\n");
}

static void expect_completion(const char *line, const char *wanted) {
    run(line);
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out, wanted);
}

static void completion_knows_words_options_and_names(void **state) {
    (void)state;
    expect_completion("__complete -- _", "help\nthing\ntenant\ncount\n");
    expect_completion("__complete -- t", "thing\ntenant\n");
    expect_completion("__complete -- tenant _", "list\nshow\n");
    expect_completion("__complete -- tenant show _", "c0001\nd0002\n");
    expect_completion("__complete -- tenant show c", "c0001\n");
    expect_completion("__complete -- tenant show --json d", "d0002\n");
    expect_completion("__complete -- tenant show c0001 _", "");
    expect_completion("__complete -- thing add x --f", "--for\n--force\n");
    expect_completion("__complete -- thing add x --tenant _", "c0001\nd0002\n");
    expect_completion("__complete -- thing add x --tenant = c", "c0001\n");
    expect_completion("__complete -- thing add x --tenant =", "c0001\nd0002\n");
    expect_completion("__complete -- tenant list --format c", "csv\n");
    expect_completion("__complete -- count _", ":file\n");
    expect_completion("__complete -- thing add --dr", "--dry-run\n");
    expect_completion("__complete -- tenant list --dr", "");
    expect_completion("__complete -- --lang _", "en\nko\n");
    expect_completion("__complete", "help\nthing\ntenant\ncount\n");
}

static void a_draft_of_a_page_has_every_option(void **state) {
    (void)state;
    run("__man thing");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out,
                           ".Nm allot\n.Cm thing add\n.Op Fl -for Ar SPAN\n.Op Fl -key Ar FILE ...\n"
                           ".Op Fl -force\n.Op Fl -tenant Ar TENANT\n.Ar NAME\n.Op Ar SIZE\n"));
    assert_non_null(strstr(result.out, ".Ss allot thing list\nList things.\n"));
    run("__man allot");
    assert_non_null(strstr(result.out, ".It Xr allot-thing 1\n"));
    assert_non_null(strstr(result.out, ".It Fl -store Ar FILE\n"));
}

static void the_table_itself_is_checked(void **state) {
    (void)state;
    struct err e = {0};
    assert_int_equal(command_check_tables(&e), 0);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_longest_words_that_fit_are_the_command),
        CASE(options_stand_anywhere_and_a_double_dash_ends_them),
        CASE(wrong_words_get_the_nearest),
        CASE(wrong_options_are_refused_before_anything_runs),
        CASE(the_number_of_arguments_is_checked),
        CASE(with_json_errors_are_json_on_standard_error),
        CASE(what_the_body_returns_is_the_exit_status),
        CASE(a_role_too_small_is_denied_before_the_body),
        CASE(a_command_without_a_store_gets_none),
        CASE(help_needs_neither_store_nor_settings),
        CASE(an_answer_that_cannot_be_written_is_told),
        CASE(completion_knows_words_options_and_names),
        CASE(a_draft_of_a_page_has_every_option),
        CASE(the_table_itself_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
