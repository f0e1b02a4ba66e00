/* SPDX-License-Identifier: Apache-2.0 */
/* Scores: read strictly, kept in thousandths, compared as exact fractions. */
#include "alloc/call.h"

#include "alloc/csv.h"
#include "alloc/grant.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

enum { SCORE_MOST = 1000000, REVIEWER_MOST = 64, REMARK_MOST = 1000 };

int score_parse(const char *text, int64_t *out, struct err *e) {
    size_t whole = strspn(text, "0123456789"), fraction = 0;
    const char *rest = text + whole;
    if (*rest == '.') fraction = strspn(rest + 1, "0123456789");
    bool is_number =
        whole > 0 && whole <= 7 && (*rest == '\0' || (fraction > 0 && rest[1 + fraction] == '\0'));
    if (!is_number) return err_set(e, ERR_USAGE, "'%.40s' is not a score like 87.5", text);
    if (fraction > 3) return err_set(e, ERR_USAGE, "score '%.40s' has more than three decimals", text);
    int64_t n = 0;
    for (size_t i = 0; i < whole; i++) n = n * 10 + (text[i] - '0');
    for (size_t i = 0; i < 3; i++) n = n * 10 + (i < fraction ? rest[1 + i] - '0' : 0);
    if (n > (int64_t)SCORE_MOST * 1000)
        return err_set(e, ERR_USAGE, "score '%.40s' is more than %d", text, SCORE_MOST);
    *out = n;
    return 0;
}

struct scored {
    int64_t request, score;
    char *reviewer, *remark;
    size_t line;
};

struct scoring {
    struct book *book;
    const struct call_row *call;
    struct call_scores *in;
    struct scored *rows;
    size_t n, room;
    json_t *seen; /* "request reviewer" -> line */
    struct csv_wrong wrong;
};

/* 1 it stands in the call and can be scored; 0 with *why; -1. */
static int in_call(struct scoring *s, int64_t request, struct err *why, struct err *e) {
    scoped_free char *state = NULL;
    int rc =
        sql_text(s->book->store, e, &state, "SELECT state FROM call_request WHERE call = $1 AND request = $2",
                 "ii", s->call->id, request);
    if (rc < 0) return -1;
    if (rc == 0)
        err_set(why, ERR_USAGE, "r-%lld does not answer the call %s", (long long)request, s->call->name);
    else if (strcmp(state, "entered") != 0)
        err_set(why, ERR_USAGE, "r-%lld is out of the call", (long long)request);
    return !err_is(why);
}

static int row_read(struct scoring *s, const struct csv *csv, struct scored *out, struct err *why) {
    const char *reviewer = csv_get(csv, "reviewer"), *remark = csv_get(csv, "remark");
    if (number_parse(csv_get(csv, "request"), 'r', &out->request, why) < 0 ||
        score_parse(csv_get(csv, "score"), &out->score, why) < 0)
        return -1;
    if (!reviewer[0] || strlen(reviewer) > REVIEWER_MOST)
        return err_set(why, ERR_USAGE, "the reviewer must have a name of at most %d bytes", REVIEWER_MOST);
    if (remark && strlen(remark) > REMARK_MOST)
        return err_set(why, ERR_USAGE, "the remark is longer than %d bytes", REMARK_MOST);
    char key[REVIEWER_MOST + 32];
    text_format(key, sizeof key, "%lld %s", (long long)out->request, reviewer);
    const json_t *first = json_object_get(s->seen, key);
    if (first)
        return err_set(why, ERR_USAGE, "%s scores r-%lld in line %lld already", reviewer,
                       (long long)out->request, (long long)json_integer_value(first));
    json_object_set_new_nocheck(s->seen, key, json_integer((json_int_t)csv->line));
    out->reviewer = mem_copy(reviewer);
    out->remark = mem_copy(remark ? remark : "");
    out->line = csv->line;
    return 0;
}

static int read_one(struct scoring *s, const struct csv *csv, struct err *e) {
    struct scored row = {0};
    struct err why = {0};
    int fits = row_read(s, csv, &row, &why) == 0 ? in_call(s, row.request, &why, e) : 0;
    if (fits == 1) {
        s->rows = mem_grow(s->rows, &s->room, s->n + 1, sizeof *s->rows);
        s->rows[s->n++] = row;
        return 0;
    }
    free(row.reviewer);
    free(row.remark);
    if (fits < 0) return -1;
    csv_wrong_add(&s->wrong, csv->line, &why);
    return 0;
}

static int header_check(const struct csv *csv, struct err *e) {
    static const char *const known[] = {"request", "reviewer", "score", "remark", NULL};
    if (csv_match(csv, known, NULL, e) < 0) return -1;
    for (size_t i = 0; i < 3; i++) {
        bool has = false;
        for (size_t k = 0; k < csv->n_columns; k++) has = has || strcmp(csv->names[k], known[i]) == 0;
        if (!has) {
            err_set(e, ERR_USAGE, "%s:1: no column '%s'", csv->title, known[i]);
            return err_hint(e, "columns are request, reviewer, score and remark");
        }
    }
    return 0;
}

static int read_all(struct scoring *s, struct err *e) {
    struct csv csv;
    int rc = csv_open(&csv, s->in->bytes, s->in->length, s->in->title, e);
    if (rc == 0) rc = header_check(&csv, e);
    while (rc == 0 && (rc = csv_next(&csv, e)) == 1) rc = read_one(s, &csv, e);
    csv_close(&csv);
    if (csv_wrong_end(&s->wrong, s->in->title, s->wrong.n + s->n, rc < 0 ? &(struct err){0} : e) < 0 ||
        rc < 0)
        return -1;
    return s->n ? 0 : err_set(e, ERR_USAGE, "%s: no score in it", s->in->title);
}

static int write_one(struct scoring *s, const struct scored *row, struct err *e) {
    int64_t before;
    int rc = sql_int(s->book->store, e, &before,
                     "SELECT score FROM score WHERE call = $1 AND request = $2 AND reviewer = $3", "iis",
                     s->call->id, row->request, row->reviewer);
    if (rc < 0) return -1;
    if (rc == 1)
        s->in->replaced++;
    else
        s->in->added++;
    return sql_do(
        s->book->store, e,
        "INSERT INTO score (call, request, reviewer, score, remark, at) VALUES ($1, $2, $3, $4, $5, "
        "$6) ON CONFLICT (call, request, reviewer) DO UPDATE SET score = excluded.score, remark = "
        "excluded.remark, at = excluded.at",
        "iisisi", s->call->id, row->request, row->reviewer, row->score, row->remark, s->book->at.s);
}

static int write_all(struct scoring *s, struct err *e) {
    scoped_json json_t *said = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const struct scored *row = &s->rows[i];
        if (write_one(s, row, e) < 0) return -1;
        json_array_append_new(said, json_pack("{s:I, s:s, s:I, s:s}", "request", (json_int_t)row->request,
                                              "reviewer", row->reviewer, "score_thousandths",
                                              (json_int_t)row->score, "remark", row->remark));
    }
    scoped_json json_t *all = json_pack("{s:s, s:O}", "call", s->call->name, "scores", said);
    scoped_free char *words = json_canonical(all);
    return book_note(s->book, "call.score", 0, words, e);
}

int call_score(struct book *b, const struct call_row *c, struct call_scores *in, struct err *e) {
    struct scoring s = {.book = b, .call = c, .in = in, .seen = json_object()};
    in->added = in->replaced = 0; /* a transaction may run again */
    int rc = 0;
    if (strcmp(c->state, "open") != 0 && strcmp(c->state, "closed") != 0)
        rc = err_set(e, ERR_CONFLICT, "the call %s is %s: its scores stand", c->name, c->state);
    if (rc == 0) rc = read_all(&s, e);
    if (rc == 0) rc = write_all(&s, e);
    for (size_t i = 0; i < s.n; i++) {
        free(s.rows[i].reviewer);
        free(s.rows[i].remark);
    }
    free(s.rows);
    json_decref(s.seen);
    return rc;
}

/* ---- the order ---- */

/* Means are compared by cross products: 10^9 thousandths x 10^6 reviewers squared fit 128 bits. */
static int by_score(const void *a, const void *b) {
    const struct call_entry *x = a, *y = b;
    if ((x->reviewers == 0) != (y->reviewers == 0)) return x->reviewers == 0 ? 1 : -1;
    wide_t left = (wide_t)x->sum * y->reviewers, right = (wide_t)y->sum * x->reviewers;
    if (left != right) return left > right ? -1 : 1;
    if (x->submitted.s != y->submitted.s) return x->submitted.s < y->submitted.s ? -1 : 1;
    return (x->request > y->request) - (x->request < y->request);
}

void call_rank(struct call_entry *of, size_t n) {
    if (n) qsort(of, n, sizeof *of, by_score);
    for (size_t i = 0; i < n; i++) of[i].rank = (int64_t)i + 1;
}

int call_entries(struct store *s, int64_t call, struct call_entry **out, size_t *n, struct err *e) {
    struct rows r;
    size_t room = 0;
    *out = NULL;
    *n = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT k.request, k.tenant, r.submitted_at, (SELECT coalesce(sum(x.score), 0) FROM score x WHERE "
        "x.call = k.call AND x.request = k.request), (SELECT count(*) FROM score x WHERE x.call = k.call AND "
        "x.request = k.request) FROM call_request k JOIN request r ON r.tenant = k.tenant AND r.id = "
        "k.request WHERE k.call = $1 AND k.state = 'entered' AND r.state <> 'returned' ORDER BY k.request",
        "i", call);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *out = mem_grow(*out, &room, *n + 1, sizeof **out);
        (*out)[(*n)++] = (struct call_entry){.request = rows_int(&r, 0),
                                             .tenant = rows_int(&r, 1),
                                             .submitted = instant(rows_int(&r, 2)),
                                             .sum = rows_int(&r, 3),
                                             .reviewers = rows_int(&r, 4)};
        rc = 0;
    }
    rows_close(&r);
    if (rc == 0) return 0;
    free(*out);
    *out = NULL;
    return -1;
}
