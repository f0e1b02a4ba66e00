/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/shadow.h"

#include "alloc/engine.h"
#include "alloc/facts.h"
#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void shadow_free(struct shadow *s) {
    free(s->stored);
    free(s->made_by);
    *s = (struct shadow){0};
}

/* ---- setting ---- */

static int note(struct store *s, int64_t pool, const char *kind, const char *hash, const char *actor,
                instant_t now, struct err *e) {
    struct book b;
    if (book_open(&b, s, pool, actor, now, e) < 0 || book_note(&b, kind, 0, hash, e) < 0) return -1;
    return book_close(&b, e);
}

int shadow_set(struct store *s, int64_t pool, const char *stored, const char *actor, instant_t now,
               struct err *e) {
    struct hash hash = hash_of(stored, strlen(stored));
    if (sql_do(s, e, "DELETE FROM shadow WHERE pool = $1", "i", pool) < 0 ||
        sql_do(s, e, "INSERT INTO shadow (pool, hash, stored, made_at, made_by) VALUES ($1, $2, $3, $4, $5)",
               "issis", pool, hash.hex, stored, now.s, actor) < 0)
        return -1;
    return note(s, pool, "policy.shadow", hash.hex, actor, now, e);
}

int shadow_clear(struct store *s, int64_t pool, const char *actor, instant_t now, struct err *e) {
    struct shadow had = {0};
    int rc = shadow_find(s, pool, &had, e);
    if (rc == 0) {
        err_set(e, ERR_NOT_FOUND, "the pool has no candidate beside its policy");
        err_hint(e, "set one: allot policy shadow FILE");
    }
    if (rc == 1) {
        rc = sql_do(s, e, "DELETE FROM shadow WHERE pool = $1", "i", pool) < 0 ||
                     note(s, pool, "policy.shadow-end", had.hash.hex, actor, now, e) < 0
                 ? -1
                 : 1;
    }
    shadow_free(&had);
    return rc == 1 ? 0 : -1;
}

int shadow_find(struct store *s, int64_t pool, struct shadow *out, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, s, e, "SELECT hash, stored, made_at, made_by FROM shadow WHERE pool = $1", "i", pool);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        text_format(out->hash.hex, sizeof out->hash.hex, "%s", rows_text(&r, 0));
        out->stored = mem_copy(rows_text(&r, 1));
        out->made_at = instant(rows_int(&r, 2));
        out->made_by = mem_copy(rows_text(&r, 3));
    }
    rows_close(&r);
    return rc;
}

/* ---- comparing ---- */

struct comparing {
    struct store *store;
    const struct decider *decider;
    struct policy *candidate;
    json_t *differences;
    int64_t plans, decisions;
};

/* What of an encoded decision is compared. */
static json_t *gist(const json_t *decision) {
    json_t *codes = json_array(), *object = json_object(), *reason;
    const json_t *standing = json_object_get(decision, "standing");
    static const char *const keys[] = {"outcome", "compute_gflops", "storage_bytes"};
    size_t i;
    for (i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_set(object, keys[i], json_object_get(decision, keys[i]));
    if (json_object_get(standing, "tier")) json_object_set(object, "tier", json_object_get(standing, "tier"));
    json_array_foreach(json_object_get(decision, "reasons"), i, reason)
        json_array_append(codes, json_object_get(reason, "code"));
    json_object_set_new(object, "codes", codes);
    return object;
}

static json_t *differs(const json_t *a, const json_t *b) {
    static const struct {
        const char *key, *word;
    } of[] = {{"outcome", "outcome"},
              {"compute_gflops", "compute"},
              {"storage_bytes", "storage"},
              {"tier", "tier"},
              {"codes", "codes"}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const json_t *x = json_object_get(a, of[i].key), *y = json_object_get(b, of[i].key);
        if (x || y ? !json_equal(x, y) : false) json_array_append_new(list, json_string(of[i].word));
    }
    return list;
}

static void compare_one(struct comparing *c, const struct facts *facts, const struct fact_claim *claim,
                        const char *tenant, const struct decision *now, const json_t *stored, instant_t at) {
    scoped_json json_t *again = engine_as_stored(&facts->pool, claim, now, stored);
    json_t *active = gist(stored), *candidate = gist(again), *what = differs(active, candidate);
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "request", claim->id, "tenant", tenant, "at",
                            instant_text(at).s, "differs", what, "active", active, "candidate", candidate);
    c->decisions++;
    if (json_array_size(what) > 0) json_array_append(c->differences, row);
    json_decref(row);
}

/* All decisions of one plan that were kept, each against what the candidate makes of the same facts. */
static int compare_decisions(struct comparing *c, int64_t id, instant_t at, const struct facts *facts,
                             const struct plan *plan, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, c->store, e,
                       "SELECT request, body FROM decision WHERE plan = $1 ORDER BY request, id", "i", id);
    while (rc >= 0 && (rc = rows_next(&r, e)) == 1) {
        char name[24];
        text_format(name, sizeof name, "r-%lld", (long long)rows_int(&r, 0));
        scoped_json json_t *stored = json_loads(rows_text(&r, 1), 0, NULL);
        for (size_t i = 0; i < plan->n_decisions; i++)
            if (strcmp(plan->decisions[i].claim, name) == 0)
                compare_one(c, facts, &facts->claims[i], facts->tenants[facts->claims[i].tenant].name,
                            &plan->decisions[i], stored, at);
    }
    rows_close(&r);
    return rc < 0 ? -1 : 0;
}

static int compare_plan(struct comparing *c, int64_t id, instant_t at, const char *text, struct err *e) {
    struct facts_owned facts = {0};
    struct plan plan = {0};
    int rc = facts_decode(text, &facts, e);
    if (rc == 0) rc = c->decider->plan(c->candidate, &facts.facts, &plan, e);
    if (rc == 0) rc = compare_decisions(c, id, at, &facts.facts, &plan, e);
    c->plans++;
    plan_free(&plan);
    facts_free(&facts);
    return rc;
}

static int compare_all(struct comparing *c, int64_t pool, instant_t from, struct err *e) {
    struct rows r;
    int rc =
        rows_open(&r, c->store, e, "SELECT id, at, facts FROM plan WHERE pool = $1 AND at >= $2 ORDER BY id",
                  "ii", pool, from.s);
    while (rc >= 0 && (rc = rows_next(&r, e)) == 1)
        if (compare_plan(c, rows_int(&r, 0), instant(rows_int(&r, 1)), rows_text(&r, 2), e) < 0) rc = -1;
    rows_close(&r);
    return rc < 0 ? -1 : 0;
}

json_t *shadow_compare(struct store *s, const struct decider *decider, int64_t pool,
                       const struct shadow *shadow, struct err *e) {
    struct comparing c = {.store = s, .decider = decider, .differences = json_array()};
    c.candidate = decider->open(shadow->stored, e);
    int rc = c.candidate ? compare_all(&c, pool, shadow->made_at, e) : -1;
    if (c.candidate) decider->close(c.candidate);
    json_t *out =
        json_pack("{s:I, s:I, s:I, s:O}", "plans", (json_int_t)c.plans, "decisions", (json_int_t)c.decisions,
                  "differing", (json_int_t)json_array_size(c.differences), "differences", c.differences);
    json_decref(c.differences);
    if (rc == 0) return out;
    json_decref(out);
    return NULL;
}
