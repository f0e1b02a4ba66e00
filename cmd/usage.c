/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/usage.h"

#include "alloc/amount.h"
#include "alloc/scope.h"
#include "cmd/books.h"
#include "cmd/output.h"
#include "cmd/usage.h"

#include <stdlib.h>
#include <string.h>

static int by_take(const struct call *call, enum usage_by *by, struct err *e) {
    static const char *const words[] = {"tenant", "grant", "flavor"};
    const char *word = call_option(call, "by");
    for (size_t i = 0; i < 3; i++)
        if (!word || strcmp(word, words[i]) == 0) {
            *by = word ? (enum usage_by)i : USAGE_BY_TENANT;
            return 0;
        }
    return err_set(e, ERR_USAGE, "--by takes tenant, grant or flavor, not '%.40s'", word);
}

/* ---- for people ---- */

#define FIGURES                                                                                              \
    {"compute_tf_hours", "TF-HOURS", CELL_NUMBER, false},                                                    \
        {"storage_tb_hours", "TB-HOURS", CELL_NUMBER, false},                                                \
        {"compute_gflops_seconds", "GFLOPS-SECONDS", CELL_NUMBER, true},                                     \
        {"storage_byte_seconds", "BYTE-SECONDS", CELL_NUMBER, true},                                         \
        {"datalake_tb_hours", "LAKE TB-HOURS", CELL_NUMBER, true},                                           \
        {"seat_hours", "SEAT-HOURS", CELL_NUMBER, true},                                                     \
        {"datalake_byte_seconds", "LAKE BYTE-SECONDS", CELL_NUMBER, true},                                   \
        {"seat_seconds", "SEAT-SECONDS", CELL_NUMBER, true}, {                                               \
        NULL, NULL, CELL_TEXT, false                                                                         \
    }
#define POOL                                                                                                 \
    {"pool", "POOL", CELL_TEXT, false}, { "basis", "BASIS", CELL_TEXT, false }

static const struct column by_tenant[] = {POOL, {"tenant", "TENANT", CELL_TEXT, false}, FIGURES};
static const struct column by_grant[] = {
    POOL, {"grant", "GRANT", CELL_TEXT, false}, {"tenant", "TENANT", CELL_TEXT, false}, FIGURES};
static const struct column by_flavor[] = {POOL, {"flavor", "FLAVOR", CELL_TEXT, false}, FIGURES};

/* A decimal string back into 128 bits. */
static wide_t figure(const json_t *row, const char *key) {
    const char *s = json_string_value(json_object_get(row, key));
    bool is_negative = s && *s == '-';
    wide_t w = 0;
    for (s = s ? s + is_negative : ""; *s; s++) w = w * 10 + (*s - '0');
    return is_negative ? -w : w;
}

static struct amount_text hours(const json_t *row, const char *key, const char *more) {
    bool is_bytes = strcmp(json_string_value(json_object_get(row, "unit")), "byte_seconds") == 0;
    wide_t w = figure(row, key) + (more ? figure(row, more) : 0);
    return wide_ratio_text(w, is_bytes ? INT64_C(3600000000000000) : 3600);
}

/* What tenants, pending things, the free and the lost part used, against the capacity: one row per item. */
static json_t *conservation_row(const json_t *row) {
    bool is_bytes = strcmp(json_string_value(json_object_get(row, "unit")), "byte_seconds") == 0;
    return json_pack("{s:O,s:O,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "pool", json_object_get(row, "pool"), "item",
                     json_object_get(row, "item"), "tenants", hours(row, "held", "kept").s, "pending",
                     hours(row, "reserved", "releasing").s, "free", hours(row, "free", NULL).s, "lost",
                     hours(row, "lost", NULL).s, "capacity", hours(row, "capacity", NULL).s, "unit",
                     is_bytes ? "TB-hours" : "unit-hours", "sum",
                     json_is_true(json_object_get(row, "closes")) ? "closes" : "DOES NOT CLOSE");
}

static int print_conservation(struct call *call, const json_t *list, struct err *e) {
    static const struct column columns[] = {{"pool", "POOL", CELL_TEXT, false},
                                            {"item", "ITEM", CELL_TEXT, false},
                                            {"tenants", "TENANTS", CELL_NUMBER, false},
                                            {"pending", "PENDING", CELL_NUMBER, false},
                                            {"free", "FREE", CELL_NUMBER, false},
                                            {"lost", "LOST", CELL_NUMBER, false},
                                            {"capacity", "CAPACITY", CELL_NUMBER, false},
                                            {"unit", "UNIT", CELL_TEXT, true},
                                            {"sum", "SUM", CELL_TEXT, false},
                                            {NULL, NULL, CELL_TEXT, false}};
    scoped_json json_t *rows = json_array();
    size_t i;
    const json_t *row;
    if (strcmp(call->format, "table") != 0 || json_array_size(list) == 0 || call->quiet) return 0;
    json_array_foreach(list, i, row) json_array_append_new(rows, conservation_row(row));
    output_say(call, "%s", "");
    return output_list(call, columns, rows, e);
}

static int print(struct call *call, const json_t *report, enum usage_by by, struct err *e) {
    static const struct column *const columns[] = {by_tenant, by_grant, by_flavor};
    size_t i;
    const json_t *row;
    if (strcmp(call->format, "json") == 0) return output_object(call, by_tenant, report, e);
    output_say(call, output_choose(call, "granted from %s until %s", "배정량: %s부터 %s까지"),
               json_string_value(json_object_get(report, "since")),
               json_string_value(json_object_get(report, "until")));
    if (output_list(call, columns[by], json_object_get(report, "rows"), e) < 0) return -1;
    json_array_foreach(json_object_get(report, "totals"), i, row) {
        output_say(
            call,
            output_choose(call, "total at %s: %s TF-hours, %s TB-hours", "%s 합계: %s TF·시간, %s TB·시간"),
            json_string_value(json_object_get(row, "basis")),
            json_string_value(json_object_get(row, "compute_tf_hours")),
            json_string_value(json_object_get(row, "storage_tb_hours")));
    }
    return print_conservation(call, json_object_get(report, "conservation"), e);
}

static int run(struct call *call, struct err *e) {
    struct usage_query q = {.until = call->now, .since = usage_month(call->now), .with_conservation = true};
    if (by_take(call, &q.by, e) < 0 || books_tenant(call, &q.tenant, e) < 0 ||
        books_pool(call, &q.pool, e) < 0 || books_span(call, &q.since, &q.until, e) < 0)
        return -1;
    if (q.until.s > call->now.s) q.until = call->now; /* what has not been used yet is no usage */
    if (q.since.s >= q.until.s)
        return err_set(e, ERR_USAGE, "--since %s has not come yet", instant_text(q.since).s);
    scoped_json json_t *report = usage_of(call->store, &q, e);
    if (!report || print(call, report, q.by, e) < 0) return -1;
    if (json_is_true(json_object_get(report, "closes"))) return 0;
    err_set(e, ERR_BOOKS, "the use of a pool and its capacity differ");
    return err_hint(e, "allot fsck names the entry or account");
}

static const struct option options[] = {
    {"tenant", "NAME", "only this tenant's", false},
    {"pool", "NAME", "only of this pool", false},
    {"since", "TIME", "from this time, or the first second of a date (default: this month's)", false},
    {"until", "TIME", "before this time, or to the last second of a date (default: now)", false},
    {"by", "WORD", "a row per tenant (default), grant or flavor", false},
    {NULL, NULL, NULL, false}};

const struct command usage_commands[] = {
    {.words = "usage show",
     .arguments = "",
     .summary = "show what was granted over time, in TF-hours and TB-hours",
     .flags = COMMAND_LISTS,
     .role = ROLE_AUDITOR,
     .options = options,
     .run = run},
    {.words = "usage import",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .summary = "take in what was measured of grants, as CSV",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_OPERATOR,
     .run = usage_import_run},
    {.words = NULL},
};
