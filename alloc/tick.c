/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/tick.h"

#include "alloc/call_award.h"
#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/offer.h"
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

void tick_report_free(struct tick_report *r) { engine_results_free(&r->decided); }

struct ticking {
    struct store *store;
    const struct tick_options *options;
    struct tick_report *report;
    struct book *book;
    struct text refusal; /* what would be released, while counting */
    int64_t ends, due;   /* releases, purges and reclaims; what would take any step */
    int64_t reclaims;    /* of them */
};

/* ---- one grant, one step ---- */

enum { LISTED = 20 }; /* grants named in a refusal */

static const char *const step_words[] = {
    "", "give notice of", "begin the grace of", "release", "give notice of the purge of", "purge", ""};

enum step { STEP_NONE, STEP_NOTICE, STEP_GRACE, STEP_RELEASE, STEP_PURGE_NOTICE, STEP_PURGE, STEP_WAIT };

/* Has the message been delivered, and `after` passed since? 1 yes, 0 no, -1. */
static int delivered_since(struct store *s, int64_t grant, const char *kind, span_t after, instant_t now,
                           struct err *e) {
    instant_t at;
    int has = outbox_when(s, grant, kind, &at, e);
    return has <= 0 ? has : instant_after(at, after).s <= now.s;
}

static int next_step(struct store *s, const struct grant *g, instant_t now, enum step *out, struct err *e) {
    *out = STEP_NONE;
    if (strcmp(g->state, "active") == 0) {
        if (now.s >= g->end.s - g->notice.s) *out = STEP_NOTICE;
    } else if (strcmp(g->state, "reserved") == 0) {
        if (now.s >= g->end.s)
            *out = STEP_RELEASE; /* never became ready: there is nothing to give notice of */
    } else if (strcmp(g->state, "notice") == 0) {
        if (now.s >= g->end.s) *out = STEP_GRACE;
    } else if (strcmp(g->state, "grace") == 0) {
        if (now.s < instant_after(g->end, g->grace).s) return 0;
        int told = delivered_since(s, g->id, "notice", g->grace, now, e);
        if (told < 0) return -1;
        *out = told ? STEP_RELEASE : STEP_WAIT;
    } else if (strcmp(g->state, "kept") == 0 && g->keep_until.has) {
        int exists = outbox_exists(s, g->id, "purge-notice", e);
        if (exists < 0) return -1;
        if (!exists) {
            if (now.s >= g->keep_until.at.s - smaller(g->notice.s, g->keep.s)) *out = STEP_PURGE_NOTICE;
            return 0;
        }
        if (now.s < g->keep_until.at.s) return 0;
        int told = delivered_since(s, g->id, "purge-notice", g->grace, now, e);
        if (told < 0) return -1;
        *out = told ? STEP_PURGE : STEP_WAIT;
    }
    return 0;
}

/* at: the first instant after; people are told the last day. */
__attribute__((format(printf, 4, 0))) __attribute__((format(printf, 5, 0))) static int tell(
    struct ticking *t, const struct grant *g, const char *kind, const char *en, const char *ko, instant_t at,
    struct err *e) {
    struct text full_en = {0}, full_ko = {0};
    text_add(&full_en, en, (long long)g->id, date_text(instant(at.s - 1)).s);
    text_add(&full_ko, ko, (long long)g->id, date_text(instant(at.s - 1)).s);
    int rc = outbox_add(t->book,
                        &(struct message){kind, g->tenant, g->id, g->request, full_en.s, full_ko.s, NULL}, e);
    text_free(&full_en);
    text_free(&full_ko);
    return rc;
}

static int note(struct ticking *t, const struct grant *g, const char *kind, struct err *e) {
    return book_write(
        t->book, &(struct entry){.kind = kind, .tenant = g->tenant, .request = g->request, .grant = g->id},
        e);
}

static int send_notice(struct ticking *t, const struct grant *g, struct err *e) {
    t->report->notices++;
    if (grant_set_state(t->book, g, "notice", e) < 0 || note(t, g, "grant.notice", e) < 0) return -1;
    return tell(
        t, g, "notice",
        "Grant g-%lld ends on %s. Its servers go then, after the days of grace; its volumes are kept for a "
        "while.",
        "할당 g-%lld이(가) %s에 끝납니다. 유예 기간 뒤에 서버를 회수하며, 볼륨은 일정 기간 보관합니다.",
        g->end, e);
}

static int begin_grace(struct ticking *t, const struct grant *g, struct err *e) {
    t->report->graces++;
    if (grant_set_state(t->book, g, "grace", e) < 0 || note(t, g, "grant.grace", e) < 0) return -1;
    return tell(t, g, "grace", "Grant g-%lld has ended. Its servers stay until %s at least.",
                "할당 g-%lld의 기간이 끝났습니다. 서버는 적어도 %s까지 유지합니다.",
                instant_after(g->end, g->grace), e);
}

static int send_purge_notice(struct ticking *t, const struct grant *g, struct err *e) {
    t->report->purge_notices++;
    if (note(t, g, "grant.purge-notice", e) < 0) return -1;
    return tell(t, g, "purge-notice",
                "The volumes of grant g-%lld are kept until %s and then deleted. Copy what you need before.",
                "할당 g-%lld의 볼륨은 %s까지 보관한 뒤 삭제합니다. 필요한 자료를 그 전에 복사해 주세요.",
                g->keep_until.at, e);
}

static int take(struct ticking *t, const struct grant *g, enum step step, struct err *e) {
    switch (step) {
    case STEP_NOTICE: return send_notice(t, g, e);
    case STEP_GRACE: return begin_grace(t, g, e);
    case STEP_RELEASE:
        t->report->releases++;
        return grant_release(t->book, g, "its term and grace have passed", e);
    case STEP_PURGE_NOTICE: return send_purge_notice(t, g, e);
    case STEP_PURGE: t->report->purges++; return grant_purge(t->book, g, "the time of keeping has passed", e);
    case STEP_WAIT: t->report->waiting_for_delivery++; break;
    case STEP_NONE: break;
    }
    return 0;
}

/* ---- all grants of a pool ---- */

/* Numbers of the grants that time can move, of the book's pool (0: of all). */
static json_t *due_grants(struct store *s, int64_t pool, instant_t now, struct err *e) {
    return sql_json(s, e,
                    "SELECT id FROM grants WHERE ($1 = 0 OR pool = $1) AND ((state = 'active' AND end_at - "
                    "notice_s <= $2) OR (state = "
                    "'notice' AND end_at <= $2) OR (state = 'grace' AND end_at + grace_s <= $2) OR (state = "
                    "'reserved' AND end_at <= $2) OR (state = 'kept' AND keep_until - "
                    "CASE WHEN notice_s < keep_s THEN notice_s ELSE keep_s END <= $2)) ORDER BY id",
                    "ii", pool, now.s);
}

/* A grant takes every step that is due: active -> notice -> grace within one tick when many were missed.
   Due by the clock, as the guards counted: the book's time may be ahead of it, written by a wrong clock. */
static int walk_grant(struct ticking *t, int64_t id, struct err *e) {
    for (int guard = 0; guard < 4; guard++) {
        struct grant g;
        enum step step;
        if (grant_find(t->store, id, 0, &g, e) < 0) return -1;
        int rc = next_step(t->store, &g, t->options->now, &step, e);
        if (rc == 0) rc = take(t, &g, step, e);
        grant_free(&g);
        if (rc < 0) return -1;
        if (step != STEP_NOTICE && step != STEP_GRACE) return 0;
    }
    return 0;
}

static int tick_pool(struct store *s, struct ticking *t, int64_t pool, struct err *e) {
    struct book b;
    if (book_open(&b, s, pool, t->options->actor, t->options->now, e) < 0) return -1;
    t->book = &b;
    scoped_json json_t *due = due_grants(s, pool, t->options->now, e);
    if (!due) return -1;
    size_t i;
    json_t *row;
    json_array_foreach(due, i, row) {
        if (fault_point("tick.grant", e) < 0 ||
            walk_grant(t, json_integer_value(json_object_get(row, "id")), e) < 0)
            return -1;
    }
    /* What is taken back comes before what is planned; the queue after the calls, whose reserve lists have
       what comes back from them; and what still lacks its guarantee then begins a round of notices. */
    struct tick_report *r = t->report;
    int64_t noticed;
    if (reclaim_effects(&b, t->options->decider, t->options->now, &r->reclaim, e) < 0 ||
        offer_expire(&b, &r->offers_ended, e) < 0 ||
        call_tick(&b, t->options->decider, &r->decided, &r->unsigned_agreements, e) < 0 ||
        engine_plan_all(&b, t->options->decider, &r->decided, e) < 0)
        return -1;
    noticed = r->reclaim.notices + r->reclaim.ends;
    if (reclaim_round(&b, t->options->decider, &r->reclaim, e) < 0) return -1;
    /* What is under notice now says when those that wait can be served. */
    if (r->reclaim.notices + r->reclaim.ends != noticed &&
        engine_plan_all(&b, t->options->decider, &r->decided, e) < 0)
        return -1;
    return book_close(&b, e);
}

/* ---- the guards ---- */

static int count_ends(struct ticking *t, struct err *e) {
    scoped_json json_t *due = due_grants(t->store, 0, t->options->now, e);
    if (!due) return -1;
    size_t i;
    json_t *row;
    json_array_foreach(due, i, row) {
        struct grant g;
        enum step step;
        if (grant_find(t->store, json_integer_value(json_object_get(row, "id")), 0, &g, e) < 0) return -1;
        int rc = next_step(t->store, &g, t->options->now, &step, e);
        bool ends = step == STEP_RELEASE || step == STEP_PURGE;
        t->ends += rc == 0 && ends;
        t->due += rc == 0 && step != STEP_NONE && step != STEP_WAIT;
        if (rc == 0 && step != STEP_NONE && step != STEP_WAIT && t->due <= LISTED)
            text_add(&t->refusal, "%s%s g-%lld of %s (%s %s)", t->due == 1 ? "" : ", ", step_words[step],
                     (long long)g.id, g.tenant_name, g.end.s <= t->options->now.s ? "ended" : "ends",
                     date_text(instant(g.end.s - 1)).s);
        grant_free(&g);
        if (rc < 0) return -1;
    }
    int64_t left = t->due < LISTED ? LISTED - t->due : 0;
    if (reclaim_due(t->store, t->options->now, left, &t->reclaims, &t->refusal, e) < 0) return -1;
    t->ends += t->reclaims;
    t->due += t->reclaims;
    return 0;
}

static int guard(struct ticking *t, struct err *e) {
    if (t->options->confirm) return 0;
    int64_t last = 0, entry = 0;
    instant_t now = t->options->now;
    int has = sql_int(t->store, e, &last, "SELECT good_at FROM job WHERE name = 'tick'", "");
    if (has < 0 || sql_int(t->store, e, &entry, "SELECT max(at) FROM chain", "") < 0 || count_ends(t, e) < 0)
        return -1;
    if (t->due > LISTED) text_add(&t->refusal, " and %lld more", (long long)(t->due - LISTED));
    const char *list = t->refusal.s ? t->refusal.s : "change nothing";
    if (now.s < last || now.s < entry)
        err_set(e, ERR_CONFLICT, "tick refuses: the clock says %s, but %s was written before; it would %s",
                instant_text(now).s, instant_text(instant(last > entry ? last : entry)).s, list);
    else if (has && now.s - last > t->options->gap_most.s)
        err_set(e, ERR_CONFLICT, "tick refuses: it is %s, the last run was %s; it would %s",
                instant_text(now).s, instant_text(instant(last)).s, list);
    else if (!has && t->due && now.s - entry > t->options->gap_most.s)
        err_set(e, ERR_CONFLICT,
                "tick refuses: it is %s, tick has never run and the last entry is of %s; it would %s",
                instant_text(now).s, instant_text(instant(entry)).s, list);
    else if (t->ends > t->options->releases_most)
        err_set(e, ERR_CONFLICT, "tick refuses: it would end %lld grants%s at once, more than %lld: %s",
                (long long)t->ends, t->reclaims ? " or parts of them" : "",
                (long long)t->options->releases_most, list);
    else
        return 0;
    return err_hint(e, "check the clock and the list; then: allot tick --confirm");
}

static int tick_all(struct store *s, void *arg, struct err *e) {
    struct ticking *t = arg;
    t->store = s;
    t->ends = t->due = t->reclaims = 0;
    t->refusal.length = 0;
    tick_report_free(t->report);
    *t->report = (struct tick_report){0};
    if (guard(t, e) < 0) return -1;
    scoped_json json_t *pools = sql_json(s, e, "SELECT id FROM pool WHERE id > 0 ORDER BY id", "");
    if (!pools) return -1;
    size_t i;
    json_t *pool;
    json_array_foreach(pools, i, pool) {
        if (tick_pool(s, t, json_integer_value(json_object_get(pool, "id")), e) < 0) return -1;
    }
    return job_end(s, "tick", t->options->now, NULL, e);
}

int tick(struct store *s, const struct tick_options *o, struct tick_report *out, struct err *e) {
    *out = (struct tick_report){0};
    struct ticking t = {.options = o, .report = out};
    int rc = store_write(s, tick_all, &t, e);
    text_free(&t.refusal);
    return rc;
}

/* ---- jobs ---- */

struct job {
    const char *name, *trouble;
    instant_t now;
    bool begins;
};

static int job_write(struct store *s, void *arg, struct err *e) {
    const struct job *j = arg;
    if (j->begins)
        return sql_do(s, e,
                      "INSERT INTO job (name, started_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET "
                      "started_at = $2",
                      "si", j->name, j->now.s);
    return sql_do(s, e,
                  "INSERT INTO job (name, started_at, good_at, trouble) VALUES ($1, $2, CASE WHEN $3 IS NULL "
                  "THEN $2 END, $3) "
                  "ON CONFLICT (name) DO UPDATE SET good_at = CASE WHEN $3 IS NULL THEN $2 ELSE job.good_at "
                  "END, trouble = $3",
                  "sis", j->name, j->now.s, j->trouble);
}

int job_begin(struct store *s, const char *name, instant_t now, struct err *e) {
    return store_write(s, job_write, &(struct job){name, NULL, now, true}, e);
}

int job_end(struct store *s, const char *name, instant_t now, const char *trouble, struct err *e) {
    return store_write(s, job_write, &(struct job){name, trouble, now, false}, e);
}
