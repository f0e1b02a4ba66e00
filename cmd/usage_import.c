/* SPDX-License-Identifier: Apache-2.0 */
/* allot usage import: what was measured elsewhere, as a file: all of it or nothing. */
#include "alloc/csv.h"
#include "alloc/file.h"
#include "alloc/grant.h"
#include "alloc/ledger.h"
#include "alloc/sample.h"
#include "alloc/scope.h"
#include "cmd/change.h"
#include "cmd/output.h"
#include "cmd/usage.h"

#include <string.h>

struct job {
    const char *bytes, *title;
    size_t length;
};

static int count_read(const struct csv *csv, const char *column, long long low, long long high, int64_t *out,
                      struct err *why) {
    long long n;
    if (text_to_int(csv_get(csv, column), low, high, &n) < 0)
        return err_set(why, ERR_USAGE, "%s must be a whole number from %lld to %lld, is '%.40s'", column, low,
                       high, csv_get(csv, column));
    *out = n;
    return 0;
}

static int row_read(const struct csv *csv, struct sample *out, struct err *why) {
    *out = (struct sample){.metric = csv_get(csv, "metric")};
    if (instant_parse(csv_get(csv, "at"), &out->at, why) < 0 ||
        number_parse(csv_get(csv, "grant"), 'g', &out->grant, why) < 0 ||
        sample_metric_check(out->metric, why) < 0 ||
        count_read(csv, "seconds", 1, SAMPLE_SECONDS_MOST, &out->seconds, why) < 0)
        return -1;
    return count_read(csv, "percent", 0, 100, &out->percent, why);
}

static int columns_check(const struct csv *csv, struct err *e) {
    static const char *const known[] = {"at", "grant", "metric", "seconds", "percent", NULL};
    if (csv_match(csv, known, NULL, e) < 0) return -1;
    for (size_t i = 0; known[i]; i++)
        if (!csv_get(csv, known[i]))
            return err_set(e, ERR_USAGE, "%s: there is no column '%s'", csv->title, known[i]);
    return 0;
}

/* Into *wrong what the row says or what stands against it. */
static int row_add(struct change *c, const struct csv *csv, struct csv_wrong *wrong, bool *is_new,
                   struct err *e) {
    struct sample sample;
    struct err why = {0};
    *is_new = false;
    if (row_read(csv, &sample, &why) == 0 &&
        sample_metric_measured(c->store, sample.grant, sample.metric, &why) == 0 &&
        sample_add(c->store, &sample, c->call->now, is_new, &why) == 0)
        return 0;
    if (why.code != ERR_USAGE) return err_set(e, why.code, "%s", why.what);
    csv_wrong_add(wrong, csv->line, &why);
    return 1;
}

/* csv_get() needs a row, so the columns are looked at with the first one. */
static int rows_add(struct change *c, struct csv *csv, int64_t *added, int64_t *known, struct err *e) {
    struct csv_wrong wrong = {0};
    size_t rows = 0;
    int rc;
    while ((rc = csv_next(csv, e)) == 1) {
        bool is_new;
        rc = csv->row == 1 ? columns_check(csv, e) : 0;
        if (rc == 0) rc = row_add(c, csv, &wrong, &is_new, e);
        if (rc < 0) break;
        rows++;
        *added += is_new;
        *known += rc == 0 && !is_new;
    }
    struct err ignored = {0};
    return csv_wrong_end(&wrong, csv->title, rows, rc < 0 ? &ignored : e) < 0 || rc < 0 ? -1 : 0;
}

/* Evidence that something may be taken back for: the ledger says where it came from. */
static int note(struct change *c, const struct job *job, int64_t added, struct err *e) {
    struct book b;
    struct hash digest = hash_of(job->bytes, job->length);
    scoped_text struct text words = {0};
    text_add(&words, "%lld samples of %s, SHA-256 %s", (long long)added, job->title, digest.hex);
    if (book_open(&b, c->store, 0, c->call->actor, c->call->now, e) < 0 ||
        book_note(&b, "usage.import", 0, words.s, e) < 0)
        return -1;
    return book_close(&b, e);
}

static int import_body(struct change *c, struct err *e) {
    const struct job *job = c->arg;
    struct csv csv;
    int64_t added = 0, known = 0;
    int rc = csv_open(&csv, job->bytes, job->length, job->title, e);
    if (rc == 0) rc = rows_add(c, &csv, &added, &known, e);
    csv_close(&csv);
    if (rc == 0 && added) rc = note(c, job, added, e);
    if (rc < 0) return -1;
    c->answer = json_pack("{s:I, s:I}", "added", (json_int_t)added, "known_already", (json_int_t)known);
    return 0;
}

int usage_import_run(struct call *call, struct err *e) {
    static const struct column columns[] = {{"added", "samples added", CELL_COUNT, false},
                                            {"known_already", "known already", CELL_COUNT, false},
                                            {0}};
    scoped_text struct text file = {0};
    scoped_json json_t *answer = NULL;
    const char *path = call->arguments[0];
    if (file_read(path, CSV_BYTES_MOST, &file, e) < 0) return -1;
    struct job job = {file.s ? file.s : "", file_title(path), file.length};
    if (change_run(call, import_body, &job, file.s, &answer, e) < 0) return -1;
    return output_object(call, columns, answer, e);
}
