/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/sample.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

int sample_metric_check(const char *metric, struct err *e) {
    size_t n = strspn(metric, "abcdefghijklmnopqrstuvwxyz0123456789_.");
    if (n > 0 && n <= 64 && metric[n] == '\0') return 0;
    err_set(e, ERR_USAGE, "'%.40s' is no name of a metric", metric);
    return err_hint(e, "small letters, digits, _ and .: gpu_util.p95");
}

/* The metrics of the grant's pool. 1 one of them is `metric`, 0 none is, -1. */
static int metric_find(struct store *s, int64_t grant, const char *metric, struct text *all, struct err *e) {
    struct rows r;
    size_t length = strcspn(metric, ".");
    bool found = false;
    int rc = rows_open(
        &r, s, e,
        "SELECT m.name FROM grants g JOIN pool_metric m ON m.pool = g.pool WHERE g.id = $1 ORDER BY "
        "m.name",
        "i", grant);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        const char *name = rows_text(&r, 0);
        found |= strlen(name) == length && strncmp(name, metric, length) == 0;
        text_add(all, "%s%s", all->length ? ", " : "", name);
        rc = 0;
    }
    rows_close(&r);
    return rc < 0 ? -1 : found;
}

int sample_metric_measured(struct store *s, int64_t grant, const char *metric, struct err *e) {
    scoped_text struct text all = {0};
    int64_t known = 0;
    int rc = sql_int(s, e, &known, "SELECT 1 FROM grants WHERE id = $1", "i", grant);
    if (rc == 1) rc = metric_find(s, grant, metric, &all, e);
    if (rc != 0 || !known) return rc < 0 ? -1 : 0;
    return err_set(e, ERR_USAGE, "the pool of g-%lld does not measure '%.64s'; it measures %s",
                   (long long)grant, metric, all.length ? all.s : "nothing (allot pool set --measures)");
}

struct other {
    bool is_same, differs, overlaps;
    int64_t at, percent;
};

/* What stands in the way: the same beginning with another value, or an interval that it overlaps. Those that
   are there do not overlap, so only the last one that begins before the end can. */
static int other_find(struct store *s, const struct sample *a, struct other *out, struct err *e) {
    struct rows r;
    *out = (struct other){0};
    int rc =
        rows_open(&r, s, e,
                  "SELECT at, seconds, percent FROM sample WHERE grant_id = $1 AND metric = $2 AND at < $3 "
                  "ORDER BY at DESC LIMIT 1",
                  "isi", a->grant, a->metric, a->at.s + a->seconds);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        int64_t seconds = rows_int(&r, 1);
        out->at = rows_int(&r, 0);
        out->percent = rows_int(&r, 2);
        bool same_time = out->at == a->at.s && seconds == a->seconds;
        out->is_same = same_time && out->percent == a->percent;
        out->differs = same_time && !out->is_same;
        out->overlaps = !same_time && out->at + seconds > a->at.s;
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

static int in_time(struct store *s, const struct sample *a, instant_t now, int64_t *tenant, struct err *e) {
    int64_t start = 0;
    int has = sql_int(s, e, tenant, "SELECT tenant FROM grants WHERE id = $1", "i", a->grant);
    if (has < 0) return -1;
    if (!has) return err_set(e, ERR_USAGE, "there is no grant g-%lld", (long long)a->grant);
    if (sql_int(s, e, &start, "SELECT start_at FROM grants WHERE id = $1", "i", a->grant) < 0) return -1;
    if (a->at.s < start)
        return err_set(e, ERR_USAGE, "the sample is of %s, before grant g-%lld began", instant_text(a->at).s,
                       (long long)a->grant);
    if (a->at.s + a->seconds > now.s)
        return err_set(e, ERR_USAGE, "the sample ends at %s, after now",
                       instant_text(instant(a->at.s + a->seconds)).s);
    return 0;
}

int sample_add(struct store *s, const struct sample *a, instant_t now, bool *added, struct err *e) {
    int64_t tenant = 0;
    struct other other;
    *added = false;
    if (in_time(s, a, now, &tenant, e) < 0 || other_find(s, a, &other, e) < 0) return -1;
    if (other.is_same) return 0;
    if (other.differs)
        return err_set(e, ERR_USAGE, "g-%lld has %lld %% for %s already, not %lld %%", (long long)a->grant,
                       (long long)other.percent, instant_text(a->at).s, (long long)a->percent);
    if (other.overlaps)
        return err_set(e, ERR_USAGE, "it overlaps the sample of g-%lld that begins at %s",
                       (long long)a->grant, instant_text(instant(other.at)).s);
    *added = true;
    return sql_do(
        s, e,
        "INSERT INTO sample (at, tenant, grant_id, metric, seconds, percent) VALUES ($1, $2, $3, $4, "
        "$5, $6)",
        "iiisii", a->at.s, tenant, a->grant, a->metric, a->seconds, a->percent);
}

/* ends: of each grant, the newest sample. bounds: from when samples count. */
#define WINDOWS                                                                                              \
    "WITH ends AS (SELECT s.grant_id, max(s.at + s.seconds) AS until FROM sample s JOIN grants g ON g.id = " \
    "s.grant_id WHERE g.pool = $1 AND g.state IN ('active', 'notice', 'grace') AND s.metric = $2 AND s.at "  \
    "> $5 "                                                                                                  \
    "- $6 AND s.at + s.seconds <= $4 GROUP BY s.grant_id), cuts AS (SELECT grant_id, max(closed_at) AS cut " \
    "FROM reclaim "                                                                                          \
    "WHERE cause = 'idle' AND closed_at IS NOT NULL AND (state = 'done' OR appeal IS NOT NULL) GROUP BY "    \
    "grant_id), bounds AS (SELECT n.grant_id, n.until, CASE WHEN c.cut > n.until - $3 THEN c.cut ELSE "      \
    "n.until - $3 END AS since FROM ends n LEFT JOIN cuts c ON c.grant_id = n.grant_id WHERE n.until >= "    \
    "$5) "

int sample_windows(struct store *s, int64_t pool, const char *metric, span_t window, instant_t now,
                   struct sample_of **out, size_t *n, struct err *e) {
    struct rows r;
    size_t room = 0;
    *out = NULL;
    *n = 0;
    int rc = rows_open(
        &r, s, e,
        WINDOWS
        "SELECT b.grant_id, sum(CASE WHEN s.at > b.since THEN s.seconds ELSE s.at + s.seconds - b.since "
        "END), max(s.percent), sum(s.percent * CASE WHEN s.at > b.since THEN s.seconds ELSE s.at + "
        "s.seconds - b.since END) FROM bounds b JOIN sample s ON s.grant_id = b.grant_id AND s.metric = "
        "$2 AND s.at > b.since - $6 AND s.at + s.seconds > b.since AND s.at + s.seconds <= b.until GROUP BY "
        "b.grant_id ORDER BY "
        "b.grant_id",
        "isiiii", pool, metric, window.s, now.s, now.s - SAMPLE_LAG_SECONDS, (int64_t)SAMPLE_SECONDS_MOST);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        int64_t seconds = rows_int(&r, 1), weighted = rows_int(&r, 3);
        *out = mem_grow(*out, &room, *n + 1, sizeof **out);
        (*out)[(*n)++] = (struct sample_of){
            rows_int(&r, 0),
            {metric, window, seconds * 100 / window.s, rows_int(&r, 2), (weighted + seconds - 1) / seconds}};
        rc = 0;
    }
    rows_close(&r);
    return rc;
}
