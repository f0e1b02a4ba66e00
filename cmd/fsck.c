/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fsck.h"

#include "alloc/scope.h"
#include "cmd/books.h"
#include "cmd/output.h"

static long long number(const json_t *report, const char *key) {
    return (long long)json_integer_value(json_object_get(report, key));
}

static int run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"check", "CHECK", CELL_TEXT, false},
                                            {"what", "FINDING", CELL_TEXT, false},
                                            {NULL, NULL, CELL_TEXT, false}};
    scoped_json json_t *report = fsck_run(call->store, e);
    if (!report) return -1;
    const json_t *findings = json_object_get(report, "findings");
    bool clean = json_is_true(json_object_get(report, "clean"));
    if (call->format[0] == 'j') {
        if (output_object(call, columns, report, e) < 0) return -1;
    } else if (!clean && output_list(call, columns, findings, e) < 0) {
        return -1;
    }
    if (clean) {
        output_say(call, "the books close: %lld entries, %lld accounts, %lld grants, %lld operations",
                   number(report, "entries"), number(report, "accounts"), number(report, "grants"),
                   number(report, "operations"));
        return 0;
    }
    bool more = json_is_true(json_object_get(report, "more"));
    err_set(e, ERR_BOOKS, "%s%zu findings in %s", more ? "more than " : "", json_array_size(findings),
            call->store_path);
    return err_hint(e, "change nothing by hand: a repair is a further entry (allot-ledger(7))");
}

const struct command fsck_commands[] = {
    {.words = "fsck",
     .arguments = "",
     .summary = "recompute the books from the entries and name what differs",
     .flags = COMMAND_LISTS,
     .role = ROLE_AUDITOR,
     .run = run},
    {.words = NULL},
};
