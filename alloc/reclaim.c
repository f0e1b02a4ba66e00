/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/reclaim.h"

#include "alloc/fault.h"
#include "alloc/gather_grants.h"
#include "alloc/json.h"
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/version.h"

#include <stdlib.h>
#include <string.h>

/* ---- the plan ---- */

struct round {
    struct gathered gathered;
    struct reclaim_plan plan;
};

static void round_free(struct round *r) {
    reclaim_plan_free(&r->plan);
    gathered_free(&r->gathered);
}

/* 1 planned, 0 no policy is valid, -1. *hash of the policy that did. */
static int round_plan(struct store *s, int64_t pool, instant_t now, const struct decider *decider,
                      struct round *out, struct hash *hash, struct err *e) {
    scoped_free char *stored = NULL;
    int64_t id;
    *out = (struct round){0};
    int has = version_active(s, pool, now, &id, hash, &stored, e);
    if (has <= 0 || !decider->reclaim) return has < 0 ? -1 : 0;
    struct policy *policy = decider->open(stored, e);
    if (!policy) return err_context(e, "the active policy");
    int rc = gather_grants(s, pool, now, decider, policy, &out->gathered, e);
    if (rc == 0) rc = decider_verify(decider, policy, &out->gathered.facts, NULL, e);
    if (rc == 0) rc = decider->reclaim(policy, &out->gathered.facts, &out->plan, e);
    decider->close(policy);
    if (rc < 0) round_free(out);
    return rc < 0 ? -1 : 1;
}

/* ---- as JSON ---- */

static json_t *sample_json(const struct fact_sample *s) {
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "metric", s->metric, "window_seconds",
                     (json_int_t)s->window.s, "covered_percent", (json_int_t)s->covered, "most_percent",
                     (json_int_t)s->most, "mean_percent", (json_int_t)s->mean);
}

static json_t *reclaim_json(const struct reclaim *r) {
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:s}", "grant",
        r->grant, "tenant", r->tenant, "cause", reclaim_cause_word(r->cause), "rule", r->rule, "place",
        r->place, "request", r->claim, "flavor", r->flavor, "servers", (json_int_t)r->n_operations, "units",
        (json_int_t)r->units, "compute_gflops", (json_int_t)r->compute.n, "effect", instant_text(r->effect).s,
        "notice_seconds", (json_int_t)r->notice.s, "appeal_seconds", (json_int_t)r->appeal.s, "held_gflops",
        (json_int_t)r->held.n, "guarantee_gflops", (json_int_t)r->guarantee.n, "en", r->en, "ko", r->ko);
    if (r->measured) json_object_set_new(row, "sample", sample_json(&r->sample));
    return row;
}

static json_t *ends_json(const struct reclaim_plan *p) {
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_ends; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "notice", p->ends[i].notice, "en",
                                              p->ends[i].en, "ko", p->ends[i].ko));
    return list;
}

static json_t *scaled_json(const struct reclaim_plan *p) {
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_scaled; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "tenant", p->scaled[i].tenant,
                                              "guarantee_gflops", (json_int_t)p->scaled[i].stated.n,
                                              "kept_gflops", (json_int_t)p->scaled[i].kept.n));
    return list;
}

/* {"rule", "window_seconds", "taken", "used", ...}: how many grants. */
static json_t *judged_json(const struct reclaim_plan *p, const char *rule) {
    static const char *const words[IDLE_VERDICTS] = {"taken",   "used",      "unmeasured", "young",
                                                     "noticed", "elsewhere", "spared"};
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_judged; i++) {
        const struct reclaim_judged *j = &p->judged[i];
        if (rule && strcmp(rule, j->rule) != 0) continue;
        json_t *one = json_pack("{s:s, s:I}", "rule", j->rule, "window_seconds", (json_int_t)j->window.s);
        for (size_t k = 0; k < IDLE_VERDICTS; k++)
            json_object_set_new(one, words[k], json_integer(j->grants[k]));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *plan_json(const struct reclaim_plan *p, const char *rule) {
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_reclaims; i++)
        if (!rule || (p->reclaims[i].rule && strcmp(p->reclaims[i].rule, rule) == 0))
            json_array_append_new(list, reclaim_json(&p->reclaims[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "reclaims", list, "judged",
                     judged_json(p, rule), "ends", ends_json(p), "scaled", scaled_json(p), "tenants",
                     (json_int_t)p->tenants, "units", (json_int_t)p->units, "compute_gflops",
                     (json_int_t)p->compute.n, "left_out", (json_int_t)p->left_out, "guarantees_gflops",
                     (json_int_t)p->guarantees.n, "available_gflops", (json_int_t)p->available.n);
}

json_t *reclaim_look(struct store *s, int64_t pool, instant_t now, const struct decider *decider,
                     const char *rule, struct err *e) {
    struct round r;
    struct hash hash;
    scoped_free char *name = NULL;
    if (sql_text(s, e, &name, "SELECT name FROM pool WHERE id = $1", "i", pool) < 0) return NULL;
    if (round_plan(s, pool, now, decider, &r, &hash, e) < 0) return NULL;
    json_t *look = plan_json(&r.plan, rule);
    json_object_set_new(look, "pool", json_string(name));
    json_object_set_new(look, "at", json_string(instant_text(now).s));
    round_free(&r);
    return look;
}

/* ---- a notice ---- */

static int64_t number_of(const char *id) { return id ? strtoll(id + 2, NULL, 10) : 0; }

static int note(struct book *b, const char *kind, int64_t tenant, int64_t grant, int64_t id,
                const char *words, struct err *e) {
    struct text detail = {0};
    text_add(&detail, "n-%lld%s%s", (long long)id, words ? " " : "", words ? words : "");
    int rc =
        book_write(b, &(struct entry){.kind = kind, .tenant = tenant, .grant = grant, .detail = detail.s}, e);
    text_free(&detail);
    return rc;
}

static int operations_write(struct book *b, int64_t id, const struct reclaim *r, struct err *e) {
    for (size_t i = 0; i < r->n_operations; i++)
        if (sql_do(b->store, e, "INSERT INTO reclaim_operation (reclaim, operation) VALUES ($1, $2)", "ii",
                   id, r->operations[i]) < 0)
            return -1;
    return 0;
}

static int notice_tell(struct book *b, int64_t id, int64_t tenant, int64_t grant, const struct reclaim *r,
                       const json_t *evidence, int64_t *message, struct err *e) {
    struct text en = {0}, ko = {0};
    scoped_json json_t *facts =
        json_pack("{s:o, s:s, s:s, s:I, s:I, s:s, s:I}", "notice", json_sprintf("n-%lld", (long long)id),
                  "cause", reclaim_cause_word(r->cause), "flavor", r->flavor, "units", (json_int_t)r->units,
                  "compute_gflops", (json_int_t)r->compute.n, "effect", instant_text(r->effect).s,
                  "appeal_seconds", (json_int_t)r->appeal.s);
    const json_t *sample = json_object_get(evidence, "sample");
    if (sample) json_object_set(facts, "sample", (json_t *)sample);
    text_add(&en, "Notice n-%lld: %s.", (long long)id, r->en);
    text_add(&ko, "회수 통지 n-%lld: %s.", (long long)id, r->ko);
    int rc =
        outbox_add_numbered(b, &(struct message){"reclaim", tenant, grant, 0, en.s, ko.s, facts}, message, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

static int notice_write(struct book *b, const struct reclaim *r, struct err *e) {
    int64_t id, message, tenant, grant = number_of(r->grant);
    scoped_json json_t *evidence = reclaim_json(r);
    scoped_free char *words = json_canonical(evidence);
    if (fault_point("reclaim.notice", e) < 0 ||
        sql_int(b->store, e, &tenant, "SELECT tenant FROM grants WHERE id = $1", "i", grant) < 0 ||
        store_next(b->store, "reclaim", &id, e) < 0 ||
        notice_tell(b, id, tenant, grant, r, evidence, &message, e) < 0 ||
        sql_do(b->store, e,
               "INSERT INTO reclaim (id, pool, tenant, grant_id, cause, rule, flavor, units, compute_gflops, "
               "for_request, evidence, notice_s, appeal_s, sent_at, effect_at, message, state) VALUES ($1, "
               "$2, $3, "
               "$4, $5, $6, $7, $8, $9, nullif($10, 0), $11, $12, $13, $14, $15, $16, 'noticed')",
               "iiiisssiiisiiiii", id, b->pool, tenant, grant, reclaim_cause_word(r->cause), r->rule,
               r->flavor, r->units, r->compute.n, number_of(r->claim), words, r->notice.s, r->appeal.s,
               b->at.s, r->effect.s, message) < 0 ||
        operations_write(b, id, r, e) < 0)
        return -1;
    return note(b, "reclaim.notice", tenant, grant, id, words, e);
}

/* The holder is told that it keeps what a notice named. */
static int end_tell(struct book *b, int64_t id, int64_t tenant, int64_t grant, const char *en, const char *ko,
                    struct err *e) {
    struct text full_en = {0}, full_ko = {0};
    text_add(&full_en, "Notice n-%lld for grant g-%lld is withdrawn: %s.", (long long)id, (long long)grant,
             en);
    text_add(&full_ko, "할당 g-%lld의 회수 통지 n-%lld을(를) 철회합니다: %s.", (long long)grant,
             (long long)id, ko);
    int rc =
        outbox_add(b, &(struct message){"reclaim-ended", tenant, grant, 0, full_en.s, full_ko.s, NULL}, e);
    text_free(&full_en);
    text_free(&full_ko);
    return rc;
}

static int close_as(struct book *b, int64_t id, const char *state, struct err *e) {
    return sql_do(b->store, e,
                  "UPDATE reclaim SET state = $2, closed_at = $3, closed_by = $4 WHERE id = $1 AND state IN "
                  "('noticed', 'appealed')",
                  "isis", id, state, b->at.s, b->actor);
}

static int notice_end(struct book *b, const struct reclaim_end *end, struct err *e) {
    struct reclaim_notice n;
    if (reclaim_find(b->store, number_of(end->notice), 0, &n, e) < 0) return -1;
    int rc = close_as(b, n.id, "withdrawn", e);
    if (rc == 0) rc = note(b, "reclaim.withdraw", n.tenant, n.grant, n.id, end->en, e);
    if (rc == 0) rc = end_tell(b, n.id, n.tenant, n.grant, end->en, end->ko, e);
    reclaim_notice_free(&n);
    return rc;
}

static int notices_end(struct book *b, const struct round *r, struct reclaim_report *report, struct err *e) {
    for (size_t i = 0; i < r->plan.n_ends; i++, report->ends++)
        if (notice_end(b, &r->plan.ends[i], e) < 0) return -1;
    return 0;
}

static int notices_write(struct book *b, const struct round *r, struct reclaim_report *report,
                         struct err *e) {
    for (size_t i = 0; i < r->plan.n_reclaims; i++) {
        if (r->plan.reclaims[i].cause == CAUSE_GRACE) continue; /* the lease has its own way */
        report->notices++;
        if (notice_write(b, &r->plan.reclaims[i], e) < 0) return -1;
    }
    report->left_out += r->plan.left_out;
    return 0;
}

static int round_make(struct book *b, const struct decider *decider, bool ends_only,
                      struct reclaim_report *report, struct err *e) {
    struct round r;
    struct hash before = b->policy, hash;
    int has = round_plan(b->store, b->pool, b->at, decider, &r, &hash, e);
    if (has <= 0) return has;
    b->policy = hash;
    int rc = notices_end(b, &r, report, e);
    if (rc == 0 && !ends_only) rc = notices_write(b, &r, report, e);
    b->policy = before;
    round_free(&r);
    return rc;
}

int reclaim_round(struct book *b, const struct decider *decider, struct reclaim_report *report,
                  struct err *e) {
    return round_make(b, decider, false, report, e);
}

/* ---- effects ---- */

/* effect_at has come by the clock, and the notice has passed since its delivery. */
#define DUE                                                                                                  \
    "c.state = 'noticed' AND c.effect_at <= $1 AND EXISTS (SELECT 1 FROM outbox m WHERE m.id = c.message "   \
    "AND "                                                                                                   \
    "m.delivered_at IS NOT NULL AND m.delivered_at + c.notice_s <= $1) AND EXISTS (SELECT 1 FROM grants g "  \
    "WHERE g.id = c.grant_id AND g.state IN ('active', 'notice', 'grace'))"

int reclaim_due(struct store *s, instant_t now, int64_t most, int64_t *n, struct text *words, struct err *e) {
    struct rows r;
    *n = 0;
    int rc =
        rows_open(&r, s, e,
                  "SELECT c.id, c.flavor, c.units, c.grant_id, t.name FROM reclaim c JOIN tenant t ON t.id = "
                  "c.tenant WHERE " DUE " ORDER BY c.id",
                  "i", now.s);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        if (++*n <= most)
            text_add(words, "%stake back %s x %lld of g-%lld of %s (n-%lld)", words->length ? ", " : "",
                     rows_text(&r, 1), (long long)rows_int(&r, 2), (long long)rows_int(&r, 3),
                     rows_text(&r, 4), (long long)rows_int(&r, 0));
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* The servers of a notice that still stand. */
static int live_servers(struct store *s, int64_t id, int64_t *operations, size_t most, size_t *n,
                        struct err *e) {
    struct rows r;
    *n = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT o.id FROM reclaim_operation x JOIN operation o ON o.id = x.operation WHERE x.reclaim "
        "= $1 AND o.desired = 'present' ORDER BY o.id",
        "i", id);
    while (rc == 0 && *n < most && (rc = rows_next(&r, e)) == 1) {
        operations[(*n)++] = rows_int(&r, 0);
        rc = 0;
    }
    rows_close(&r);
    return rc;
}

/* 1 they can go as a part; 0 volumes hang on one of them while others stay: it waits for those. */
static int part_may_go(struct store *s, int64_t id, int64_t grant, struct err *e) {
    int64_t n = 0;
    if (sql_int(s, e, &n,
                "SELECT count(*) FROM reclaim_operation x JOIN operation o ON o.id = x.operation WHERE "
                "x.reclaim = $1 "
                "AND o.disks_of = 1 AND EXISTS (SELECT 1 FROM operation v WHERE v.grant_id = $2 AND v.kind = "
                "'volume' AND v.desired = 'present')",
                "ii", id, grant) < 0)
        return -1;
    return n == 0;
}

static int effect_tell(struct book *b, const struct reclaim_notice *n, size_t servers, struct err *e) {
    struct text en = {0}, ko = {0};
    text_add(&en, "By notice n-%lld, %zu server%s of grant g-%lld went back.", (long long)n->id, servers,
             servers == 1 ? "" : "s", (long long)n->grant);
    text_add(&ko, "회수 통지 n-%lld에 따라 할당 g-%lld의 서버 %zu대를 회수했습니다.", (long long)n->id,
             (long long)n->grant, servers);
    int rc = outbox_add(b, &(struct message){"reclaimed", n->tenant, n->grant, 0, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

/* 1 done, 0 it waits, -1. */
static int take(struct book *b, const struct reclaim_notice *n, const struct grant *g, struct err *e) {
    int64_t all = 0, room = 0;
    if (sql_int(b->store, e, &room, "SELECT count(*) FROM reclaim_operation WHERE reclaim = $1", "i", n->id) <
            0 ||
        sql_int(b->store, e, &all,
                "SELECT count(*) FROM operation WHERE grant_id = $1 AND flavor IS NOT NULL AND desired = "
                "'present'",
                "i", n->grant) < 0)
        return -1;
    size_t servers;
    scoped_free int64_t *operations = mem_alloc((size_t)(room + 1) * sizeof *operations);
    if (live_servers(b->store, n->id, operations, (size_t)room, &servers, e) < 0) return -1;
    bool is_whole = (int64_t)servers == all;
    int may = is_whole ? 1 : part_may_go(b->store, n->id, n->grant, e);
    if (may <= 0) return may;
    char why[48];
    text_format(why, sizeof why, "reclaimed by notice n-%lld", (long long)n->id);
    if (close_as(b, n->id, "done", e) < 0 ||
        note(b, "reclaim.effect", n->tenant, n->grant, n->id, NULL, e) < 0 ||
        (is_whole ? grant_release(b, g, why, e) : grant_shrink(b, g, operations, servers, e)) < 0)
        return -1;
    return effect_tell(b, n, servers, e) < 0 ? -1 : 1;
}

static int effect(struct book *b, int64_t id, struct reclaim_report *report, struct err *e) {
    struct reclaim_notice n;
    struct grant g;
    if (fault_point("reclaim.effect", e) < 0 || reclaim_find(b->store, id, 0, &n, e) < 0) return -1;
    bool is_open = strcmp(n.state, "noticed") == 0; /* one before it may have released the grant */
    int rc = is_open ? grant_find(b->store, n.grant, 0, &g, e) : 0;
    if (rc == 0 && is_open) {
        rc = take(b, &n, &g, e);
        if (rc >= 0) {
            report->effects += rc;
            report->waiting += !rc;
        }
        grant_free(&g);
    }
    reclaim_notice_free(&n);
    return rc < 0 ? -1 : 0;
}

/* A notice that is due is looked at once more: whoever it was for may have been served since, and the holder
   may have come down to its guarantee. Only where one is due. */
static int look_again(struct book *b, const struct decider *decider, instant_t now,
                      struct reclaim_report *report, struct err *e) {
    int64_t one;
    int has = sql_int(b->store, e, &one, "SELECT c.id FROM reclaim c WHERE c.pool = $2 AND " DUE " LIMIT 1",
                      "ii", now.s, b->pool);
    return has <= 0 ? has : round_make(b, decider, true, report, e);
}

int reclaim_effects(struct book *b, const struct decider *decider, instant_t now,
                    struct reclaim_report *report, struct err *e) {
    int64_t waiting = 0;
    if (look_again(b, decider, now, report, e) < 0) return -1;
    scoped_json json_t *due =
        sql_json(b->store, e, "SELECT c.id FROM reclaim c WHERE c.pool = $2 AND " DUE " ORDER BY c.id", "ii",
                 now.s, b->pool);
    if (!due ||
        sql_int(b->store, e, &waiting,
                "SELECT count(*) FROM reclaim c WHERE c.pool = $2 AND c.state IN ('noticed', 'appealed') AND "
                "c.effect_at <= $1 AND NOT (" DUE ")",
                "ii", now.s, b->pool) < 0)
        return -1;
    report->waiting += waiting;
    size_t i;
    json_t *row;
    json_array_foreach(due, i, row) {
        if (effect(b, json_integer_value(json_object_get(row, "id")), report, e) < 0) return -1;
    }
    return 0;
}
