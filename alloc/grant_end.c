/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/ceiling.h"
#include "alloc/credit.h"
#include "alloc/fault.h"
#include "alloc/grant.h"
#include "alloc/hand.h"
#include "alloc/outbox.h"
#include "alloc/reclaim.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *word, const char *const words[]) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0) return true;
    return false;
}

static const char *const live_states[] = {"active", "notice", "grace", NULL};

static int wrong_state(const struct grant *g, const char *doing, struct err *e) {
    return err_set(e, ERR_CONFLICT, "grant g-%lld is %s: it cannot be %s", (long long)g->id, g->state, doing);
}

int grant_set_state(struct book *b, const struct grant *g, const char *state, struct err *e) {
    return sql_do(b->store, e, "UPDATE grants SET state = $3 WHERE tenant = $1 AND id = $2", "iis", g->tenant,
                  g->id, state);
}

/* Moves one item of a grant between two of its accounts, or to free; nothing to do for 0. */
static int move(struct book *b, const struct grant *g, const char *kind, const char *item,
                enum account_kind from, enum account_kind to, int64_t quantity, int64_t operation,
                struct err *e) {
    if (quantity == 0) return 0;
    return book_write(
        b,
        &(struct entry){kind, g->tenant, g->request, g->id, operation, item, from, to, quantity, NULL, false},
        e);
}

struct held {
    char item[96];
    int64_t quantity;
};

/* All items of one of the grant's accounts. Writing while reading the same rows is not defined: so read
 * first. */
static int held_items(struct store *s, const struct grant *g, enum account_kind kind, struct held out[],
                      size_t most, size_t *n, struct err *e) {
    struct rows r;
    *n = 0;
    int rc = rows_open(
        &r, s, e,
        "SELECT item, balance FROM account WHERE pool = $1 AND kind = $2 AND grant_id = $3 AND balance > 0 "
        "AND item IN (SELECT 'unit/' || flavor FROM grant_line WHERE tenant = $4 AND grant_id = $3 "
        "UNION SELECT item FROM hand_line WHERE tenant = $4 AND grant_id = $3 UNION SELECT 'storage' UNION "
        "SELECT 'datalake') ORDER BY item",
        "isii", g->pool, account_word(kind), g->id, g->tenant);
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = *n < most && text_format(out[*n].item, sizeof out[*n].item, "%s", rows_text(&r, 0)) == 0
                 ? 0
                 : err_set(e, ERR_FAILED, "grant g-%lld holds too many kinds of things", (long long)g->id);
        if (rc == 0) out[(*n)++].quantity = rows_int(&r, 1);
    }
    rows_close(&r);
    return rc;
}

enum { ITEMS_MOST = 64 };

/* Units of `from` go to `units_to`, bytes to `bytes_to` (ACCOUNT_NONE: they stay). */
static int move_all(struct book *b, const struct grant *g, const char *kind, enum account_kind from,
                    enum account_kind units_to, enum account_kind bytes_to, struct err *e) {
    struct held items[ITEMS_MOST];
    size_t n;
    if (held_items(b->store, g, from, items, ITEMS_MOST, &n, e) < 0) return -1;
    for (size_t i = 0; i < n; i++) {
        bool is_bytes = strcmp(items[i].item, ITEM_STORAGE) == 0 || strcmp(items[i].item, ITEM_DATALAKE) == 0;
        enum account_kind to = is_bytes ? bytes_to : units_to;
        if (to != ACCOUNT_NONE && move(b, g, kind, items[i].item, from, to, items[i].quantity, 0, e) < 0)
            return -1;
    }
    return 0;
}

enum part { PART_COMPUTE, PART_BYTES, PART_ALL };

static int want_absent(struct book *b, const struct grant *g, enum part part, struct err *e) {
    return sql_do(
        b->store, e,
        "UPDATE operation SET desired = 'absent', changed_at = $4 WHERE grant_id = $1 AND tenant = $2 AND "
        "($3 = 2 OR (flavor IS NULL) = ($3 = 1))",
        "iiii", g->id, g->tenant, (int64_t)part, b->at.s);
}

static int note(struct book *b, const struct grant *g, const char *kind, const char *why, struct err *e) {
    return book_write(
        b,
        &(struct entry){
            .kind = kind, .tenant = g->tenant, .request = g->request, .grant = g->id, .detail = why},
        e);
}

/* With nothing at the backend to remove, the next state is reached at once. */
static int end_of_compute(struct book *b, const struct grant *g, struct err *e) {
    int64_t servers = 0;
    if (sql_int(b->store, e, &servers,
                "SELECT count(*) FROM operation WHERE grant_id = $1 AND flavor IS NOT NULL AND observed <> "
                "'absent'",
                "i", g->id) < 0)
        return -1;
    return servers ? 0 : grant_compute_gone(b, g, e);
}

static int tell(struct book *b, const struct grant *g, const char *kind, const char *en, const char *ko,
                struct err *e) {
    struct text full_en = {0}, full_ko = {0};
    text_add(&full_en, "Grant g-%lld: %s", (long long)g->id, en);
    text_add(&full_ko, "할당 g-%lld: %s", (long long)g->id, ko);
    struct message m = {kind, g->tenant, g->id, g->request, full_en.s, full_ko.s, NULL};
    int rc = outbox_add(b, &m, e);
    text_free(&full_en);
    text_free(&full_ko);
    return rc;
}

static int release_reserved(struct book *b, const struct grant *g, const char *why, struct err *e) {
    if (grant_void(b, g, why, e) < 0) return -1;
    return tell(b, g, "released", "it was given back before it was ready.", "준비되기 전에 반납되었습니다.",
                e);
}

int grant_release(struct book *b, const struct grant *g, const char *why, struct err *e) {
    if (strcmp(g->state, "reserved") == 0) return release_reserved(b, g, why, e);
    if (!is_one_of(g->state, live_states)) {
        wrong_state(g, "released", e);
        return strcmp(g->state, "kept") == 0
                   ? err_hint(e, "its servers are gone; its volumes end with: allot grant purge g-%lld",
                              (long long)g->id)
                   : -1;
    }
    if (credit_settle(b, g, e) < 0 ||
        move_all(b, g, "grant.release", ACCOUNT_HELD, ACCOUNT_RELEASING, ACCOUNT_KEPT, e) < 0 ||
        want_absent(b, g, PART_COMPUTE, e) < 0 || hand_end(b, g, true, e) < 0 ||
        sql_do(
            b->store, e,
            "UPDATE grants SET state = 'releasing', released_at = $3, keep_until = CASE WHEN "
            "storage_bytes > 0 OR EXISTS (SELECT 1 FROM hand_line h WHERE h.tenant = $1 AND h.grant_id = $2 "
            "AND h.state = 'delivered') OR EXISTS (SELECT 1 FROM operation o WHERE o.tenant = $1 AND "
            "o.grant_id "
            "= $2 AND o.item = 'datalake' AND o.desired = 'present') THEN $3 + keep_s END, why = $4 WHERE "
            "tenant = $1 AND id = $2",
            "iiis", g->tenant, g->id, b->at.s, why) < 0 ||
        reclaim_prune(b, g->tenant, g->id, e) < 0 || note(b, g, "grant.release", why, e) < 0)
        return -1;
    return end_of_compute(b, g, e);
}

static int tell_kept(struct book *b, const struct grant *g, struct err *e) {
    int64_t until = 0;
    struct text en = {0}, ko = {0};
    int has =
        sql_int(b->store, e, &until,
                "SELECT keep_until FROM grants WHERE tenant = $1 AND id = $2 AND keep_until IS NOT NULL",
                "ii", g->tenant, g->id);
    if (has < 0) return -1;
    text_add(&en, "its servers were given back. Its volumes are kept");
    text_add(&ko, "서버를 반납했습니다. 볼륨은 ");
    if (has) {
        text_add(&en, " until %s", date_text(instant(until - 1)).s);
        text_add(&ko, "%s까지 ", date_text(instant(until - 1)).s);
    }
    text_add(&en, ".");
    text_add(&ko, "보관합니다.");
    int rc = tell(b, g, "released", en.s, ko.s, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

int grant_compute_gone(struct book *b, const struct grant *g, struct err *e) {
    int64_t volumes = 0, lake = 0, ending = 0;
    if (hand_count(b->store, g, "delivered", ITEM_DATALAKE, &lake, e) < 0 ||
        hand_count(b->store, g, "ending", NULL, &ending, e) < 0 ||
        sql_int(
            b->store, e, &volumes,
            "SELECT count(*) FROM operation WHERE grant_id = $1 AND flavor IS NULL AND observed <> 'absent'",
            "i", g->id) < 0)
        return -1;
    volumes += lake;
    if (!volumes && ending) return 0; /* somebody still has to take something back */
    if (sql_do(b->store, e,
               "UPDATE grants SET state = $3, ended_at = CASE WHEN $3 = 'ended' THEN $4 END WHERE tenant = "
               "$1 AND id = $2",
               "iisi", g->tenant, g->id, volumes ? "kept" : "ended", b->at.s) < 0)
        return -1;
    if (!volumes)
        return tell(b, g, "released", "it has ended and everything was given back.",
                    "종료되어 모든 자원을 반납했습니다.", e);
    return tell_kept(b, g, e);
}

int grant_all_gone(struct book *b, const struct grant *g, const char *state, struct err *e) {
    if (sql_do(b->store, e, "UPDATE grants SET state = $3, ended_at = $4 WHERE tenant = $1 AND id = $2",
               "iisi", g->tenant, g->id, state, b->at.s) < 0)
        return -1;
    if (strcmp(state, "void") == 0) return 0; /* the request's hold was told already */
    return tell(b, g, "purged", "its volumes were deleted and it has ended.",
                "보관하던 볼륨을 삭제했고 종료되었습니다.", e);
}

/* No observation will follow when nothing is there to be seen absent: then it has ended now. */
static int end_of_all(struct book *b, const struct grant *g, const char *state, struct err *e) {
    int64_t things = 0, by_hand = 0;
    if (sql_int(b->store, e, &things,
                "SELECT count(*) FROM operation WHERE grant_id = $1 AND observed <> 'absent'", "i",
                g->id) < 0 ||
        hand_count(b->store, g, NULL, NULL, &by_hand, e) < 0)
        return -1;
    return things || by_hand ? 0 : grant_all_gone(b, g, state, e);
}

int grant_purge(struct book *b, const struct grant *g, const char *why, struct err *e) {
    if (strcmp(g->state, "kept") != 0) {
        wrong_state(g, "purged", e);
        return is_one_of(g->state, live_states)
                   ? err_hint(e, "release it first: allot grant release g-%lld", (long long)g->id)
                   : -1;
    }
    if (move_all(b, g, "grant.purge", ACCOUNT_KEPT, ACCOUNT_NONE, ACCOUNT_RELEASING, e) < 0 ||
        want_absent(b, g, PART_BYTES, e) < 0 || hand_end(b, g, false, e) < 0 ||
        grant_set_state(b, g, "purging", e) < 0)
        return -1;
    return note(b, g, "grant.purge", why, e) < 0 ? -1 : end_of_all(b, g, "ended", e);
}

int grant_void(struct book *b, const struct grant *g, const char *why, struct err *e) {
    if (strcmp(g->state, "reserved") != 0) return wrong_state(g, "made void", e);
    /* A person may have delivered a part of it already. */
    if (move_all(b, g, "grant.void", ACCOUNT_HELD, ACCOUNT_RELEASING, ACCOUNT_RELEASING, e) < 0 ||
        want_absent(b, g, PART_ALL, e) < 0 || hand_end(b, g, false, e) < 0 ||
        sql_do(b->store, e, "UPDATE grants SET state = 'voiding', why = $3 WHERE tenant = $1 AND id = $2",
               "iis", g->tenant, g->id, why) < 0 ||
        reclaim_prune(b, g->tenant, g->id, e) < 0)
        return -1;
    return note(b, g, "grant.void", why, e) < 0 ? -1 : end_of_all(b, g, "void", e);
}

/* A suspended tenant gets nothing new, and a later end is something new. */
static int tenant_may_renew(struct book *b, const struct grant *g, struct err *e) {
    scoped_free char *state = NULL;
    if (sql_text(b->store, e, &state, "SELECT state FROM tenant WHERE id = $1", "i", g->tenant) < 0)
        return -1;
    if (state && strcmp(state, "active") == 0) return 0;
    return err_set(e, ERR_DENIED, "tenant %s is %s: g-%lld cannot be renewed", g->tenant_name, state,
                   (long long)g->id);
}

/* A barrier would be worth nothing if what it waits for were renewed for ever. Within its guarantee a tenant
   keeps what it has. No standing: how it stands is worked out with the next plan. */
static int barrier_lets_renew(struct book *b, const struct grant *g, struct err *e) {
    int64_t above = 0;
    scoped_free char *flavor = NULL;
    if (sql_int(
            b->store, e, &above,
            "SELECT 1 FROM ceiling c JOIN standing s ON s.pool = c.pool AND s.tenant = c.owner WHERE c.pool "
            "= $1 AND c.scope = 'tenant' AND c.owner = $2 AND c.compute_gflops > s.guarantee_gflops",
            "ii", b->pool, g->tenant) < 0 ||
        sql_text(
            b->store, e, &flavor,
            "SELECT l.flavor FROM grant_line l JOIN request r ON r.pool = $1 AND r.state = 'queued' AND "
            "r.is_barrier = 1 AND (r.units IS NOT NULL OR r.compute_gflops IS NOT NULL) AND (r.flavor IS "
            "NULL OR r.flavor = l.flavor) WHERE l.tenant = $2 AND l.grant_id = $3 AND l.units > 0 ORDER "
            "BY l.flavor LIMIT 1",
            "iii", b->pool, g->tenant, g->id) < 0)
        return -1;
    if (!above || !flavor) return 0;
    err_set(e, ERR_DENIED,
            "grant g-%lld cannot be renewed now: a request that waited long needs %s, and %s holds more than "
            "its guarantee",
            (long long)g->id, flavor, g->tenant_name);
    return err_hint(e, "try again when that request was served; a request of its own takes its turn");
}

bool grant_exceeds_term(const struct grant *g, instant_t end) {
    return g->renew.s > 0 && end.s > instant_after(g->end, g->renew).s;
}

int grant_may_extend(struct book *b, const struct grant *g, instant_t end, bool by_renewal, struct err *e) {
    if (!is_one_of(g->state, live_states)) return wrong_state(g, by_renewal ? "renewed" : "extended", e);
    if (by_renewal && tenant_may_renew(b, g, e) < 0) return -1;
    if (by_renewal && g->renewals_left == 0) {
        err_set(e, ERR_DENIED, "grant g-%lld has no renewal left", (long long)g->id);
        return err_hint(e, "an administrator can extend it: allot grant extend g-%lld --until DATE",
                        (long long)g->id);
    }
    if (by_renewal && barrier_lets_renew(b, g, e) < 0) return -1;
    if (end.s <= g->end.s)
        return err_set(e, ERR_USAGE, "grant g-%lld ends %s already; the new end must be later",
                       (long long)g->id, instant_text(g->end).s);
    if (end.s <= b->at.s) return err_set(e, ERR_USAGE, "the new end %s has passed", instant_text(end).s);
    return 0;
}

int grant_extend(struct book *b, const struct grant *g, instant_t end, bool by_renewal, struct err *e) {
    if (by_renewal) end = instant_after(g->end, g->renew);
    if (grant_may_extend(b, g, end, by_renewal, e) < 0) return -1;
    if (sql_do(b->store, e,
               "UPDATE grants SET end_at = $3, state = 'active', renewals_left = renewals_left - $4 WHERE "
               "tenant = $1 AND id = $2",
               "iiii", g->tenant, g->id, end.s, (int64_t)by_renewal) < 0 ||
        outbox_renew(b, g->id, "notice", e) < 0 || outbox_renew(b, g->id, "grace", e) < 0)
        return -1;
    char words[160];
    text_format(words, sizeof words, "end %s -> %s", instant_text(g->end).s, instant_text(end).s);
    if (grant_exceeds_term(g, end))
        text_format(words, sizeof words, "end %s -> %s, longer than the policy's term of %s",
                    instant_text(g->end).s, instant_text(end).s, span_text(g->renew).s);
    return note(b, g, by_renewal ? "grant.renew" : "grant.extend", words, e);
}

static int shrink_one(struct book *b, const struct grant *g, int64_t operation, struct err *e) {
    struct rows r;
    char item[96] = "";
    int64_t quantity = 0;
    int rc = rows_open(
        &r, b->store, e,
        "SELECT item, flavor IS NOT NULL, units, bytes FROM operation WHERE tenant = $1 AND id = $2 AND "
        "grant_id = $3 AND desired = 'present'",
        "iii", g->tenant, operation, g->id);
    if (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = text_format(item, sizeof item, "%s", rows_text(&r, 0));
        quantity = rows_int(&r, rows_int(&r, 1) ? 2 : 3);
    } else if (rc == 0) {
        rc = err_set(e, ERR_NOT_FOUND, "grant g-%lld has no server or volume %lld", (long long)g->id,
                     (long long)operation);
    }
    rows_close(&r);
    if (rc < 0) return -1;
    if (sql_do(b->store, e,
               "UPDATE operation SET desired = 'absent', changed_at = $3 WHERE tenant = $1 AND id = $2",
               "iii", g->tenant, operation, b->at.s) < 0)
        return -1;
    return move(b, g, "grant.shrink", item, ACCOUNT_HELD, ACCOUNT_RELEASING, quantity, operation, e);
}

/* No backend takes a volume from a server that runs: it would stay booked until the server ends. */
static int volumes_are_loose(struct book *b, const struct grant *g, struct err *e) {
    scoped_free char *volume = NULL, *server = NULL;
    int rc = sql_text(
        b->store, e, &server,
        "SELECT name FROM operation WHERE tenant = $1 AND grant_id = $2 AND disks_of = 1 AND desired = "
        "'present'",
        "ii", g->tenant, g->id);
    if (rc <= 0) return rc;
    rc = sql_text(
        b->store, e, &volume,
        "SELECT name FROM operation WHERE tenant = $1 AND grant_id = $2 AND kind = 'volume' AND desired = "
        "'absent' AND observed <> 'absent' ORDER BY id LIMIT 1",
        "ii", g->tenant, g->id);
    if (rc <= 0) return rc;
    err_set(e, ERR_CONFLICT, "volume %s is in use by server %s", volume, server);
    return err_hint(e, "a running server keeps its volumes: give back both, or neither");
}

/* Volumes hang on one server; were it given back alone, no other would ever carry them. */
static int carrier_stays(struct book *b, const struct grant *g, struct err *e) {
    scoped_free char *carrier = NULL;
    int rc = sql_text(b->store, e, &carrier,
                      "SELECT o.name FROM operation o WHERE o.tenant = $1 AND o.grant_id = $2 AND o.disks_of "
                      "= 1 AND o.desired = "
                      "'absent' AND EXISTS (SELECT 1 FROM operation v WHERE v.tenant = $1 AND v.grant_id = "
                      "$2 AND v.kind = 'volume' "
                      "AND v.desired = 'present') AND EXISTS (SELECT 1 FROM operation s WHERE s.tenant = $1 "
                      "AND s.grant_id = $2 AND "
                      "s.kind = 'server' AND s.desired = 'present')",
                      "ii", g->tenant, g->id);
    if (rc <= 0) return rc;
    err_set(e, ERR_CONFLICT, "server %s carries the volumes of grant g-%lld", carrier, (long long)g->id);
    return err_hint(e, "give back another server, or the volumes with it");
}

int grant_shrink(struct book *b, const struct grant *g, const int64_t *operations, size_t n, struct err *e) {
    if (!is_one_of(g->state, live_states)) return wrong_state(g, "shrunk", e);
    for (size_t i = 0; i < n; i++)
        if (shrink_one(b, g, operations[i], e) < 0) return -1;
    if (volumes_are_loose(b, g, e) < 0 || carrier_stays(b, g, e) < 0 ||
        reclaim_prune(b, g->tenant, g->id, e) < 0)
        return -1;
    int64_t left = 0;
    if (sql_int(
            b->store, e, &left,
            "SELECT (SELECT count(*) FROM operation WHERE grant_id = $1 AND desired = 'present') + (SELECT "
            "count(*) FROM hand_line WHERE tenant = $2 AND grant_id = $1 AND state IN ('wanted', "
            "'delivered'))",
            "ii", g->id, g->tenant) < 0)
        return -1;
    if (left > 0) return 0;
    err_set(e, ERR_CONFLICT, "nothing of grant g-%lld would be left", (long long)g->id);
    return err_hint(e, "end it instead: allot grant release g-%lld", (long long)g->id);
}
