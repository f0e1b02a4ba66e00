/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/version.h"

#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

/* ---- loading ---- */

/* 1: there with this hash; 0: not there; -1: there with another. */
static int find_same(struct store *s, const struct version_new *v, const struct hash *hash, int64_t *id,
                     struct err *e) {
    scoped_free char *had = NULL;
    int rc = sql_text(s, e, &had, "SELECT hash FROM policy WHERE pool = $1 AND name = $2 AND version = $3",
                      "isi", v->pool, v->name, v->version);
    if (rc <= 0) return rc;
    if (strcmp(had, hash->hex) != 0) {
        err_set(e, ERR_CONFLICT, "policy '%s' version %lld is loaded with other content (%.12s, not %.12s)",
                v->name, (long long)v->version, had, hash->hex);
        return err_hint(e, "raise the version in the policy: a version never changes once it has decided");
    }
    return sql_int(s, e, id, "SELECT id FROM policy WHERE pool = $1 AND name = $2 AND version = $3", "isi",
                   v->pool, v->name, v->version);
}

/* NULL in SQL means without bound, and a bound parameter cannot be a NULL integer. */
static int bounds_write(struct store *s, int64_t id, const struct version_new *v, struct err *e) {
    if (v->from.has &&
        sql_do(s, e, "UPDATE policy SET valid_from = $1 WHERE id = $2", "ii", v->from.at.s, id) < 0)
        return -1;
    if (!v->until.has) return 0;
    return sql_do(s, e, "UPDATE policy SET valid_until = $1 WHERE id = $2", "ii", v->until.at.s, id);
}

static int append(struct store *s, const struct version_new *v, const struct hash *hash, const char *actor,
                  instant_t now, int64_t *id, struct err *e) {
    struct book b;
    if (book_open(&b, s, v->pool, actor, now, e) < 0 || store_next(s, "policy", id, e) < 0) return -1;
    b.policy = *hash;
    if (sql_do(s, e,
               "INSERT INTO policy (id, pool, name, version, hash, stored, loaded_at, loaded_by) VALUES ($1, "
               "$2, "
               "$3, $4, $5, $6, $7, $8)",
               "iisissis", *id, v->pool, v->name, v->version, hash->hex, v->stored, b.at.s, actor) < 0 ||
        bounds_write(s, *id, v, e) < 0 || book_note(&b, "policy.load", 0, hash->hex, e) < 0)
        return -1;
    return book_close(&b, e);
}

/* ---- validity ---- */

struct bounds {
    struct maybe_instant from, until;
};

static int bounds_check(const struct bounds *b, struct err *e) {
    if (!b->from.has || !b->until.has || b->until.at.s > b->from.at.s) return 0;
    return err_set(e, ERR_USAGE, "the policy would end at %s, before it begins at %s",
                   instant_text(b->until.at).s, instant_text(b->from.at).s);
}

static int bounds_read(struct store *s, int64_t id, struct bounds *out, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "SELECT valid_from, valid_until FROM policy WHERE id = $1", "i", id);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1)
        *out = (struct bounds){{!rows_null(&r, 0), instant(rows_int(&r, 0))},
                               {!rows_null(&r, 1), instant(rows_int(&r, 1))}};
    rows_close(&r);
    return rc == 1 ? 0 : -1;
}

static bool is_same_bound(struct maybe_instant a, struct maybe_instant b) {
    return a.has == b.has && (!a.has || a.at.s == b.at.s);
}

static void bounds_text(const struct bounds *b, struct text *out) {
    text_add(out, "%s..", b->from.has ? instant_text(b->from.at).s : "");
    text_add(out, "%s", b->until.has ? instant_text(b->until.at).s : "");
}

static int move_note(struct store *s, const struct version_new *v, const struct bounds *old,
                     const struct bounds *new, const char *actor, instant_t now, struct err *e) {
    struct book b;
    struct text words = {0};
    text_add(&words, "%s version %lld: ", v->name, (long long)v->version);
    bounds_text(old, &words);
    text_add(&words, " -> ");
    bounds_text(new, &words);
    int rc = book_open(&b, s, v->pool, actor, now, e);
    if (rc == 0) b.policy = hash_of(v->stored, strlen(v->stored));
    if (rc == 0) rc = book_note(&b, "policy.validity", 0, words.s, e);
    text_free(&words);
    return rc < 0 ? -1 : book_close(&b, e);
}

/* Of a version that is there: what v names of its validity takes the place of what was. */
static int move(struct store *s, int64_t id, const struct version_new *v, const char *actor, instant_t now,
                enum version_loaded *what, struct err *e) {
    struct bounds old = {0};
    if (bounds_read(s, id, &old, e) < 0) return -1;
    struct bounds new = {v->from.has ? v->from : old.from, v->until.has ? v->until : old.until};
    if (is_same_bound(old.from, new.from) && is_same_bound(old.until, new.until)) return 0;
    *what = VERSION_MOVED;
    if (bounds_check(&new, e) < 0 || bounds_write(s, id, v, e) < 0) return -1;
    return move_note(s, v, &old, &new, actor, now, e);
}

int version_load(struct store *s, const struct version_new *v, const char *actor, instant_t now, int64_t *id,
                 enum version_loaded *what, struct err *e) {
    struct hash hash = hash_of(v->stored, strlen(v->stored));
    if (bounds_check(&(struct bounds){v->from, v->until}, e) < 0) return -1;
    int rc = find_same(s, v, &hash, id, e);
    *what = rc == 1 ? VERSION_SAME : VERSION_NEW;
    if (rc < 0) return -1;
    return rc == 1 ? move(s, *id, v, actor, now, what, e) : append(s, v, &hash, actor, now, id, e);
}

/* ---- reading ---- */

int version_active(struct store *s, int64_t pool, instant_t now, int64_t *id, struct hash *hash,
                   char **stored, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e,
                  "SELECT id, hash, stored FROM policy WHERE pool = $1 AND (valid_from IS NULL OR valid_from "
                  "<= $2) AND (valid_until IS NULL OR valid_until > $2) ORDER BY id DESC LIMIT 1",
                  "ii", pool, now.s);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        *id = rows_int(&r, 0);
        text_format(hash->hex, sizeof hash->hex, "%s", rows_text(&r, 1));
        *stored = mem_copy(rows_text(&r, 2));
    }
    rows_close(&r);
    return rc;
}

int version_stored(struct store *s, int64_t id, char **stored, struct err *e) {
    int rc = sql_text(s, e, stored, "SELECT stored FROM policy WHERE id = $1", "i", id);
    if (rc == 0) return err_set(e, ERR_NOT_FOUND, "no policy version with number %lld", (long long)id);
    return rc < 0 ? -1 : 0;
}

json_t *version_list(struct store *s, int64_t pool, instant_t now, struct err *e) {
    return sql_json(
        s, e,
        "SELECT p.id, q.name AS pool, p.name, p.version, p.hash, p.valid_from AS \"valid_from@time\", "
        "p.valid_until AS \"valid_until@time\", p.loaded_at AS \"loaded_at@time\", p.loaded_by, p.id = "
        "(SELECT "
        "max(a.id) FROM policy a WHERE a.pool = p.pool AND (a.valid_from IS NULL OR a.valid_from <= $2) AND "
        "(a.valid_until IS NULL OR a.valid_until > $2)) AS \"active@bool\" FROM policy p JOIN pool q ON q.id "
        "= "
        "p.pool WHERE $1 = 0 OR p.pool = $1 ORDER BY p.id DESC",
        "ii", pool, now.s);
}
