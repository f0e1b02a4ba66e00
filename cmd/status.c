/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/status.h"

#include "alloc/amount.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/books.h"
#include "cmd/config.h"
#include "cmd/output.h"

#include <string.h>

static long long count(const json_t *report, const char *part, const char *key) {
    return (long long)json_integer_value(json_object_get(json_object_get(report, part), key));
}

static const char *words(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* ---- the table of pools: a row for compute, one for storage, and those of what adds no compute ---- */

static const char *const kinds[] = {"capacity", "free",      "reserved", "held",
                                    "kept",     "releasing", "lost",     NULL};

static const struct column pool_columns[] = {{"pool", "POOL", CELL_TEXT, false},
                                             {"resource", "RESOURCE", CELL_TEXT, false},
                                             {"capacity", "CAPACITY", CELL_NUMBER, false},
                                             {"free", "FREE", CELL_NUMBER, false},
                                             {"reserved", "RESERVED", CELL_NUMBER, true},
                                             {"held", "HELD", CELL_NUMBER, false},
                                             {"kept", "KEPT", CELL_NUMBER, false},
                                             {"releasing", "RELEASING", CELL_NUMBER, true},
                                             {"lost", "LOST", CELL_NUMBER, false},
                                             {"state", "STATE", CELL_STATE, false},
                                             {NULL, NULL, CELL_TEXT, false}};

static json_t *pool_row(const struct call *call, const json_t *pool, const char *part, const char *unit) {
    bool is_storage = strcmp(part, "storage") == 0;
    const json_t *amounts = json_object_get(pool, part);
    char resource[64], key[40];
    text_format(resource, sizeof resource, "%s%s",
                is_storage ? output_choose(call, "storage", "저장 공간") : words(pool, "basis"),
                !is_storage && json_is_true(json_object_get(pool, "counted_only"))
                    ? output_choose(call, " (counted)", " (수량만)")
                    : "");
    json_t *row = json_pack("{s:s,s:s,s:s}", "pool", words(pool, "pool"), "resource", resource, "state",
                            words(pool, "state"));
    for (size_t i = 0; kinds[i]; i++) {
        text_format(key, sizeof key, "%s_%s", kinds[i], unit);
        const json_t *amount = json_object_get(amounts, key);
        int64_t n = json_integer_value(amount);
        struct amount_text shown = is_storage ? bytes_text_brief(bytes(n)) : gflops_text(gflops(n));
        json_object_set_new(row, kinds[i], json_string(!amount ? "-" : n ? shown.s : "0"));
    }
    return row;
}

/* "npu" of "unit/npu" with its unit; bytes of the data lake. */
static json_t *item_row(const struct call *call, const json_t *pool, const json_t *amounts) {
    const char *item = words(amounts, "item"), *name = strchr(item, '/');
    bool is_seat = strncmp(item, "seat/", 5) == 0;
    char resource[128];
    if (name)
        text_format(resource, sizeof resource, "%s (%s)", name + 1,
                    is_seat ? output_choose(call, "seats", "사용자 수")
                            : output_choose(call, "units", "장치"));
    else
        text_format(resource, sizeof resource, "%s", output_choose(call, "data lake", "데이터 레이크"));
    json_t *row = json_pack("{s:s,s:s,s:s}", "pool", words(pool, "pool"), "resource", resource, "state",
                            words(pool, "state"));
    for (size_t i = 0; kinds[i]; i++) {
        int64_t n = json_integer_value(json_object_get(amounts, kinds[i]));
        char count_of[24];
        text_format(count_of, sizeof count_of, "%lld", (long long)n);
        json_object_set_new(row, kinds[i],
                            json_string(name || n == 0 ? count_of : bytes_text_brief(bytes(n)).s));
    }
    return row;
}

static int print_pools(struct call *call, const json_t *report, struct err *e) {
    scoped_json json_t *rows = json_array();
    size_t i, k;
    const json_t *pool, *item;
    json_array_foreach(json_object_get(report, "pools"), i, pool) {
        json_array_append_new(rows, pool_row(call, pool, "compute", "gflops"));
        json_array_append_new(rows, pool_row(call, pool, "storage", "bytes"));
        json_array_foreach(json_object_get(pool, "items"), k, item)
            json_array_append_new(rows, item_row(call, pool, item));
    }
    return output_list(call, pool_columns, rows, e);
}

/* ---- the lines below ---- */

static void print_counts(struct call *call, const json_t *report) {
    struct text grants = {0}, drift = {0};
    const char *state;
    size_t i;
    const json_t *n;
    json_object_foreach((json_t *)json_object_get(report, "grants"), state, n) {
        if (json_integer_value(n))
            text_add(&grants, "%s%lld %s", grants.s ? ", " : "", (long long)json_integer_value(n),
                     output_word(call, state));
    }
    json_array_foreach(json_object_get(report, "drift"), i, n) {
        text_add(&drift, "%s%lld %s in %s", drift.s ? ", " : "",
                 (long long)json_integer_value(json_object_get(n, "count")), words(n, "label"),
                 words(n, "pool"));
    }
    output_say(
        call,
        output_choose(call, "requests    %lld queued, %lld held", "신청        대기 %lld건, 보류 %lld건"),
        count(report, "requests", "queued"), count(report, "requests", "held"));
    output_say(call, output_choose(call, "grants      %s", "할당        %s"),
               grants.s ? grants.s : output_word(call, "none"));
    output_say(call,
               output_choose(call, "operations  %lld pending, %lld of them in trouble",
                             "작업        진행 중 %lld건, 그중 문제 %lld건"),
               count(report, "operations", "pending"), count(report, "operations", "troubled"));
    output_say(call, output_choose(call, "drift       %s", "차이        %s"),
               drift.s ? drift.s
                       : output_choose(call, "none seen by the last reconcile", "마지막 대조에서 없음"));
    const char *oldest = words(json_object_get(report, "messages"), "oldest");
    output_say(call,
               output_choose(call, "messages    %lld undelivered%s%s", "메시지      전달 안 됨 %lld건%s%s"),
               count(report, "messages", "undelivered"),
               *oldest ? output_choose(call, ", the oldest since ", ", 가장 오래된 것 ") : "", oldest);
    const json_t *notices = json_object_get(report, "notices");
    if (count(report, "notices", "open"))
        output_say(call,
                   output_choose(call, "notices     %lld open, %lld of them appealed, the first from %s",
                                 "통지        유효 %lld건, 그중 이의 %lld건, 가장 빠른 것 %s"),
                   count(report, "notices", "open"), count(report, "notices", "appealed"),
                   words(notices, "next"));
    text_free(&grants);
    text_free(&drift);
}

static void print_jobs(struct call *call, const json_t *report) {
    size_t i;
    const json_t *job;
    struct text line = {0};
    json_array_foreach(json_object_get(report, "jobs"), i, job) {
        const char *good = words(job, "good");
        text_add(&line, "%s%s %s", i ? ", " : "", words(job, "job"),
                 *good ? good : output_choose(call, "never", "없음"));
        if (json_is_true(json_object_get(job, "stale"))) text_add(&line, " (%s)", output_word(call, "stale"));
    }
    output_say(call, output_choose(call, "last good   %s", "정상 실행   %s"), line.s ? line.s : "");
    text_free(&line);
}

static void print_by_hand(struct call *call, const json_t *report) {
    size_t i, deliver = 0, collect = 0;
    json_t *line;
    json_array_foreach(json_object_get(report, "by_hand"), i, line) {
        if (strcmp(words(line, "state"), "wanted") == 0)
            deliver++;
        else
            collect++;
    }
    if (deliver || collect)
        output_say(call,
                   output_choose(call, "by hand     %zu to be delivered, %zu to be taken back",
                                 "수동 제공   제공할 것 %zu건, 회수할 것 %zu건"),
                   deliver, collect);
}

/* "3 wait: g-4 of c0042, ...": the first few by name, the rest with --json. */
enum { NAMED_MOST = 4 };

static void print_agreements(struct call *call, const json_t *report) {
    const json_t *rows = json_object_get(report, "agreements"), *row;
    struct text names = {0};
    size_t i, n = json_array_size(rows);
    json_array_foreach(rows, i, row) if (i < NAMED_MOST)
        text_add(&names, output_choose(call, "%s%s of %s", "%s%s (%s)"), i ? ", " : "", words(row, "grant"),
                 words(row, "tenant"));
    if (n)
        output_say(call,
                   output_choose(call, "agreements  %zu grants wait for one to be signed: %s%s",
                                 "협약        체결을 기다리는 할당 %zu건: %s%s"),
                   n, names.s, n > NAMED_MOST ? " ..." : "");
    text_free(&names);
}

static void print_offers(struct call *call, const json_t *report) {
    const json_t *rows = json_object_get(report, "offers"), *row;
    struct text names = {0};
    size_t i, n = json_array_size(rows);
    json_array_foreach(rows, i, row) if (i < NAMED_MOST)
        text_add(&names, output_choose(call, "%s%s of %s until %s", "%s%s (%s, %s까지)"), i ? ", " : "",
                 words(row, "request"), words(row, "tenant"), words(row, "until"));
    if (n)
        output_say(call, output_choose(call, "offers      %zu open: %s%s", "제안        유효 %zu건: %s%s"), n,
                   names.s, n > NAMED_MOST ? " ..." : "");
    text_free(&names);
}

static void print_projects(struct call *call, const json_t *report) {
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(report, "projects"), i, row) output_say(
        call, output_choose(call, "projects    %s: %lld of %lld left", "프로젝트    %s: 남음 %lld / %lld"),
        words(row, "pool"), (long long)json_integer_value(json_object_get(row, "left")),
        (long long)json_integer_value(json_object_get(row, "projects")));
}

static int print(struct call *call, const json_t *report, struct err *e) {
    if (strcmp(call->format, "json") == 0) return output_object(call, pool_columns, report, e);
    if (print_pools(call, report, e) < 0) return -1;
    print_counts(call, report);
    print_by_hand(call, report);
    print_projects(call, report);
    print_agreements(call, report);
    print_offers(call, report);
    print_jobs(call, report);
    size_t i;
    const json_t *trouble;
    json_array_foreach(json_object_get(report, "troubles"), i, trouble)
        output_say(call, output_choose(call, "trouble     %s", "문제        %s"), json_string_value(trouble));
    return 0;
}

/* ---- for monitoring ---- */

static int check(struct call *call, const json_t *report, struct err *e) {
    const json_t *troubles = json_object_get(report, "troubles");
    size_t i, n = json_array_size(troubles);
    const json_t *one;
    struct text line = {0};
    if (strcmp(call->format, "json") == 0)
        return output_object(call, pool_columns, report, e) < 0 ? -1 : n > 0;
    json_array_foreach(troubles, i, one) text_add(&line, "%s%s", i ? "; " : "", json_string_value(one));
    if (n || !call->quiet) {
        output_safe(call->out, n ? line.s : "well: nothing is stale, nothing in trouble");
        fputc('\n', call->out);
    }
    text_free(&line);
    return n > 0;
}

static int run(struct call *call, struct err *e) {
    const struct config *config = call->config;
    struct status_limits limits = {.tick = config->check_tick,
                                   .reconcile = config->check_reconcile,
                                   .notify = config->check_notify,
                                   .expects_notify = config->notify.n > 0,
                                   .projects = config->check_projects};
    scoped_json json_t *report = status_of(call->store, &limits, call->now, e);
    if (!report) return -1;
    return call_flag(call, "check") ? check(call, report, e) : print(call, report, e);
}

static const struct option options[] = {
    {"check", NULL, "for monitoring: one line; status 1 when something is stale or wrong", false},
    {NULL, NULL, NULL, false}};

const struct command status_commands[] = {
    {.words = "status",
     .arguments = "",
     .summary = "show pools, requests, operations, drift, messages and jobs",
     .flags = COMMAND_LISTS,
     .role = ROLE_AUDITOR,
     .options = options,
     .run = run},
    {.words = NULL},
};
