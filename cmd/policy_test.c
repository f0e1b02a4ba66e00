/* SPDX-License-Identifier: Apache-2.0 */
/* policy test: what a policy must decide, as files. */
#include "policies/cases.h"

#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/policy.h"

#include <string.h>
#include <unistd.h>

/* Beside the case; else the name of a shipped policy, with or without its ending. */
static char *policy_of(void *arg, const char *path, const char *name, struct err *e) {
    const char *slash = strrchr(path, '/'), *ending = strrchr(name, '.');
    struct text full = {0};
    (void)arg;
    text_add(&full, "%.*s%s", slash && name[0] != '/' ? (int)(slash - path) + 1 : 0, path, name);
    if (access(full.s, R_OK) == 0) return text_take(&full);
    bool shipped = !strchr(name, '/');
    scoped_text struct text plain = {0};
    text_add(&plain, "%.*s",
             ending && strcmp(ending, ".policy") == 0 ? (int)(ending - name) : (int)strlen(name), name);
    char *found = shipped ? policy_path(plain.s, e) : NULL;
    if (!found) {
        err_clear(e);
        err_set(e, ERR_NOT_FOUND, "there is no policy %s, and none of that name comes with the program",
                full.s);
    }
    text_free(&full);
    return found;
}

static const struct column test_columns[] = {{"file", "FILE", CELL_TEXT, false},
                                             {"cases", "CASES", CELL_COUNT, false},
                                             {"failed", "FAILED", CELL_COUNT, false},
                                             {"updated", "UPDATED", CELL_COUNT, false},
                                             {NULL, NULL, CELL_TEXT, false}};

struct total {
    size_t ran, failed, updated;
};

/* A file that cannot be run is one failed case, and the others are run. */
static void test_one(struct call *call, const char *path, struct total *total, json_t *rows) {
    struct case_files files = {.policy = policy_of, .update = call_flag(call, "update")};
    struct case_result result = {0};
    struct err wrong = {0};
    if (case_run(path, &files, &result, &wrong) < 0) {
        result.failed++;
        if (result.ran < result.failed) result.ran = result.failed;
        text_add(&result.said, "%s%s%s\n", wrong.what, *wrong.hint ? "; " : "", wrong.hint);
    }
    if (result.said.s && strcmp(call->format, "table") == 0) output_safe(call->messages, result.said.s);
    json_array_append_new(rows,
                          json_pack("{s:s, s:I, s:I, s:I, s:s}", "file", path, "cases",
                                    (json_int_t)result.ran, "failed", (json_int_t)result.failed, "updated",
                                    (json_int_t)result.updated, "said", result.said.s ? result.said.s : ""));
    total->ran += result.ran;
    total->failed += result.failed;
    total->updated += result.updated;
    case_result_free(&result);
}

static int test_run(struct call *call, struct err *e) {
    scoped_json json_t *rows = json_array();
    struct total total = {0};
    for (size_t i = 0; i < call->n_arguments; i++) test_one(call, call->arguments[i], &total, rows);
    if (strcmp(call->format, "table") != 0) {
        if (output_list(call, test_columns, rows, e) < 0) return -1;
    } else if (!call->quiet) {
        fprintf(call->out, "%zu case%s, %zu as expected, %zu failed", total.ran, total.ran == 1 ? "" : "s",
                total.ran - total.failed, total.failed);
        if (total.updated > 0) fprintf(call->out, ", %zu written anew", total.updated);
        fputc('\n', call->out);
    }
    return total.failed > 0 ? ERR_FAILED : 0;
}

static const struct option test_options[] = {
    {"update", NULL, "write what was decided into the cases (not those of the short form)", false},
    {NULL, NULL, NULL, false}};

const struct command policy_test_commands[] = {{.words = "policy test",
                                                .arguments = "FILE...",
                                                .least = 1,
                                                .most = -1,
                                                .summary = "check that policies decide cases as they must",
                                                .flags = COMMAND_NO_STORE | COMMAND_LISTS,
                                                .role = ROLE_NONE,
                                                .options = test_options,
                                                .run = test_run},
                                               {.words = NULL}};
