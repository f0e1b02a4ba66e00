/* SPDX-License-Identifier: Apache-2.0 */
/* What waits, in the order in which it is decided, and why. What is taken back: cmd/queue_reclaim.c. */
#include "alloc/scope.h"
#include "cmd/books.h"
#include "cmd/output.h"
#include "cmd/queue.h"
#include "cmd/request.h"

#include <string.h>

/* The place that the plan gave it; what has none yet comes last. */
static int64_t place_of(const json_t *row) {
    int64_t place = json_integer_value(json_object_get(row, "position"));
    bool is_queued = strcmp(json_string_value(json_object_get(row, "state")), "queued") == 0;
    return !is_queued ? INT64_MAX : place > 0 ? place : INT64_MAX - 1;
}

/* By pool, then by place; what is equal stays in its order. */
static void order(json_t *rows) {
    for (size_t i = 1; i < json_array_size(rows); i++)
        for (size_t k = i; k > 0; k--) {
            json_t *a = json_array_get(rows, k - 1), *b = json_array_get(rows, k);
            int pool = strcmp(json_string_value(json_object_get(a, "pool")),
                              json_string_value(json_object_get(b, "pool")));
            if (pool < 0 || (pool == 0 && place_of(a) <= place_of(b))) break;
            json_incref(a);
            json_array_set(rows, k - 1, b);
            json_array_set_new(rows, k, a);
        }
}

/* When all of it fits at the earliest, and the end of which grant makes it so. */
static void earliest_set(json_t *row, const json_t *decision) {
    const json_t *earliest = json_object_get(decision, "earliest");
    if (!json_is_object(earliest)) return;
    json_object_set(row, "earliest", json_object_get(earliest, "at"));
    json_object_set(row, "earliest_grant", json_object_get(earliest, "grant"));
    if (json_object_get(earliest, "notice"))
        json_object_set(row, "earliest_notice", json_object_get(earliest, "notice"));
}

/* They wait as well, but not for units: those are theirs. */
static int say_agreements(struct call *call, int64_t pool, struct err *e) {
    int64_t n = 0;
    if (sql_int(call->store, e, &n,
                "SELECT count(*) FROM grants WHERE needs_agreement = 1 AND agreed_at IS NULL AND state = "
                "'reserved' AND ($1 = 0 OR pool = $1)",
                "i", pool) < 0)
        return -1;
    if (n)
        output_say(call,
                   output_choose(call, "%lld grants wait for their agreement (allot status)",
                                 "협약 체결을 기다리는 할당: %lld건 (allot status)"),
                   (long long)n);
    return 0;
}

static int queue_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"position", "PLACE", CELL_COUNT, false},
                                            {"request", "REQUEST", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"state", "STATE", CELL_STATE, false},
                                            {"pool", "POOL", CELL_TEXT, true},
                                            {"asked", "ASKED", CELL_NUMBER, false},
                                            {"flavor", "FLAVOR", CELL_TEXT, true},
                                            {"units", "UNITS", CELL_COUNT, true},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, true},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                            {"ahead_gflops", "AHEAD", CELL_GFLOPS, true},
                                            {"earliest", "EARLIEST", CELL_INSTANT, true},
                                            {"earliest_grant", "WHEN ENDS", CELL_TEXT, true},
                                            {"offer_gflops", "OFFERED", CELL_GFLOPS, true},
                                            {"offer_until", "UNTIL", CELL_END, true},
                                            {"submitted", "SUBMITTED", CELL_INSTANT, true},
                                            {"why", "WHY", CELL_TEXT, false},
                                            {0}};
    int64_t pool = 0;
    if (books_pool(call, &pool, e) < 0) return -1;
    scoped_json json_t *rows = sql_json(
        call->store, e,
        "SELECT 'r-' || r.id AS request, t.name AS tenant, p.name AS pool, r.state, r.flavor, r.units, "
        "r.compute_gflops, "
        "r.storage_bytes, r.submitted_at AS \"submitted@time\", r.note, o.compute_gflops AS "
        "offer_gflops, o.until_at AS \"offer_until@time\", d.body AS \"decision@json\" FROM request r LEFT "
        "JOIN "
        "offer o ON o.request = r.id "
        "JOIN tenant t ON "
        "t.id = r.tenant JOIN pool p ON p.id = r.pool LEFT JOIN decision d ON d.id = r.decision WHERE "
        "r.state IN ('queued', "
        "'held', 'returned') AND ($1 = 0 OR r.pool = $1) ORDER BY r.state <> 'queued', r.submitted_at, r.id",
        "i", pool);
    if (!rows) return -1;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const json_t *decision = json_object_get(row, "decision");
        json_object_set_new(row, "why", json_string(request_reason(call, row)));
        request_asked_set(row);
        if (json_integer_value(json_object_get(decision, "position")) > 0) {
            json_object_set(row, "position", json_object_get(decision, "position"));
            json_object_set(row, "ahead_gflops", json_object_get(decision, "ahead_gflops"));
        }
        earliest_set(row, decision);
        if (strcmp(call->format, "json") != 0) json_object_del(row, "decision");
    }
    order(rows);
    return output_list(call, columns, rows, e) < 0 ? -1 : say_agreements(call, pool, e);
}

static const struct option options[] = {{"pool", "NAME", "only of this pool", false}, {0}};

const struct command queue_commands[] = {
    {"queue", "", 0, 0, "list what waits, in order, and why", COMMAND_LISTS, ROLE_AUDITOR, options,
     queue_run},
    {"queue plan", "", 0, 0, "show what would be taken back now, from whom and why; nothing is changed",
     COMMAND_LISTS, ROLE_AUDITOR, options, queue_plan_run},
    {"queue unused", "", 0, 0, "show what an idle or unused rule would take, with the evidence",
     COMMAND_LISTS, ROLE_AUDITOR, queue_unused_options, queue_unused_run},
    {"queue notices", "", 0, 0, "list the notices of what is to be taken back", COMMAND_LISTS, ROLE_AUDITOR,
     queue_notices_options, queue_notices_run},
    {"queue appeal", "NOTICE", 1, 1, "write down a tenant's appeal: nothing is taken while it is open",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, queue_appeal_options, queue_appeal_run},
    {"queue answer", "NOTICE", 1, 1, "uphold or dismiss an appeal", COMMAND_CHANGES | COMMAND_SHOWS,
     ROLE_OPERATOR, queue_answer_options, queue_answer_run},
    {"queue consent", "NOTICE", 1, 1, "write down that a tenant agrees to give its servers back now",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, queue_consent_options, queue_consent_run},
    {0},
};
