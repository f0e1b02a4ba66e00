/* SPDX-License-Identifier: Apache-2.0 */
/* allot tenant import, export: many tenants as one file. */
#include "alloc/csv.h"
#include "alloc/file.h"
#include "alloc/scope.h"
#include "alloc/tenant_file.h"
#include "cmd/change.h"
#include "cmd/output.h"
#include "cmd/tenant.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct tenant_wishes wishes;
    struct attr_checks *checks;
    struct progress progress;
};

static void step(void *arg, size_t done) { progress_step(arg, done); }

/* The answer may be kept for ever with an idempotency key, so the changes, which may hold personal words, are
   told by a dry run alone, which keeps none. */
static json_t *told(const struct call *call, const struct tenant_import *import) {
    return json_pack("{s:I, s:I, s:I, s:b, s:O}", "added", (json_int_t)import->added, "changed",
                     (json_int_t)import->changed, "unchanged", (json_int_t)import->unchanged, "dry_run",
                     call->dry_run, "tenants", import->rows);
}

static int import_body(struct change *c, struct err *e) {
    struct job *job = c->arg;
    struct book b;
    const struct tenant_checker checker = attr_checks_checker(job->checks);
    struct tenant_import import = {.wishes = &job->wishes,
                                   .checker = &checker,
                                   .with_changes = c->call->dry_run,
                                   .step = step,
                                   .arg = &job->progress};
    int rc = book_open(&b, c->store, 0, c->call->actor, c->call->now, e);
    if (rc == 0) rc = tenant_import(&b, &import, e);
    if (rc == 0) rc = book_close(&b, e);
    if (rc == 0) c->answer = told(c->call, &import);
    json_decref(import.rows);
    return rc;
}

static void say_row(struct call *call, const json_t *row) {
    size_t i;
    json_t *change;
    bool added = strcmp(json_string_value(json_object_get(row, "outcome")), "added") == 0;
    output_say(call, "%c %s", added ? '+' : '~', json_string_value(json_object_get(row, "name")));
    json_array_foreach(json_object_get(row, "changes"), i, change) {
        const char *field = json_string_value(json_object_get(change, "field"));
        const char *old = json_string_value(json_object_get(change, "old"));
        const char *new = json_string_value(json_object_get(change, "new"));
        if (added)
            output_say(call, "    %s: %s", field, new);
        else
            output_say(call, "    %s: %s -> %s", field, old ? old : "-", new ? new : "-");
    }
}

static int answer_print(struct call *call, const json_t *answer, struct err *e) {
    static const struct column none[] = {{0}};
    if (strcmp(call->format, "json") == 0) return output_object(call, none, answer, e);
    size_t i;
    json_t *row;
    bool dry = json_is_true(json_object_get(answer, "dry_run"));
    json_array_foreach(json_object_get(answer, "tenants"), i, row) if (dry) say_row(call, row);
    output_say(
        call,
        output_choose(call, "%lld added, %lld changed, %lld unchanged", "추가 %lld, 변경 %lld, 그대로 %lld"),
        json_integer_value(json_object_get(answer, "added")),
        json_integer_value(json_object_get(answer, "changed")),
        json_integer_value(json_object_get(answer, "unchanged")));
    return 0;
}

int tenant_run_import(struct call *call, struct err *e) {
    scoped_text struct text file = {0};
    scoped_json json_t *answer = NULL;
    const char *path = call->arguments[0];
    if (file_read(path, CSV_BYTES_MOST, &file, e) < 0) return -1;
    struct job job = {.progress = {.what = "importing tenants", .off = call->quiet}};
    int rc = tenant_wishes_read(file.s, file.length, file_title(path), &job.wishes, e);
    job.progress.total = job.wishes.n;
    if (rc == 0) rc = attr_checks_open(call, &job.checks, e);
    if (rc == 0) rc = change_run(call, import_body, &job, file.s, &answer, e);
    progress_end(&job.progress);
    if (rc == 0) rc = answer_print(call, answer, e);
    if (rc == 0) attr_checks_tell(job.checks, call);
    attr_checks_close(job.checks);
    tenant_wishes_free(&job.wishes);
    return rc;
}

/* ---- export ---- */

/* Keeps the tenants of the list that are wanted. */
static void keep_wanted(struct tenant_list *list, const char *state) {
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct tenant *t = &list->of[i];
        const char *word = tenant_state_words[t->row.state];
        if (state ? strcmp(state, word) == 0 : t->row.state != TENANT_CLOSED)
            list->of[kept++] = *t;
        else
            tenant_free(t);
    }
    list->n = kept;
}

static int export(struct store *s, void *arg, struct err *e) {
    struct call *call = arg;
    struct tenant_list list;
    int rc = tenant_list_load(s, &list, e);
    if (rc == 0) {
        keep_wanted(&list, call_option(call, "state"));
        bool is_json = strcmp(call->format, "json") == 0;
        scoped_free char *text = is_json ? tenant_export_json(&list) : tenant_export_csv(&list);
        fputs(text, call->out);
    }
    tenant_list_free(&list);
    return rc;
}

int tenant_run_export(struct call *call, struct err *e) {
    if (tenant_check_state(call_option(call, "state"), e) < 0) return -1;
    if (strcmp(call->format, "tsv") == 0) return err_set(e, ERR_USAGE, "tenants are exported as csv or json");
    return store_read(call->store, export, call, e);
}
