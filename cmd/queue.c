/* SPDX-License-Identifier: Apache-2.0 */
/* What waits, in the order in which it is decided, and why. */
#include "alloc/scope.h"
#include "cmd/books.h"
#include "cmd/output.h"
#include "cmd/request.h"

#include <string.h>

static int queue_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"position", "PLACE", CELL_COUNT, false},
                                            {"request", "REQUEST", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"state", "STATE", CELL_STATE, false},
                                            {"pool", "POOL", CELL_TEXT, true},
                                            {"flavor", "FLAVOR", CELL_TEXT, true},
                                            {"units", "UNITS", CELL_COUNT, true},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                            {"ahead_gflops", "AHEAD", CELL_GFLOPS, true},
                                            {"submitted", "SUBMITTED", CELL_INSTANT, true},
                                            {"why", "WHY", CELL_TEXT, false},
                                            {0}};
    int64_t pool = 0;
    if (books_pool(call, &pool, e) < 0) return -1;
    scoped_json json_t *rows = sql_json(
        call->store, e,
        "SELECT 'r-' || r.id AS request, t.name AS tenant, p.name AS pool, r.state, r.flavor, r.units, "
        "r.compute_gflops, "
        "r.storage_bytes, r.submitted_at AS \"submitted@time\", r.note, d.body AS \"decision@json\" FROM "
        "request r "
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
        if (json_integer_value(json_object_get(decision, "position")) > 0) {
            json_object_set(row, "position", json_object_get(decision, "position"));
            json_object_set(row, "ahead_gflops", json_object_get(decision, "ahead_gflops"));
        }
        if (strcmp(call->format, "json") != 0) json_object_del(row, "decision");
    }
    return output_list(call, columns, rows, e);
}

static const struct option options[] = {{"pool", "NAME", "only of this pool", false}, {0}};

const struct command queue_commands[] = {
    {"queue", "", 0, 0, "list what waits, in order, and why", COMMAND_LISTS, ROLE_AUDITOR, options,
     queue_run},
    {0},
};
