/* SPDX-License-Identifier: Apache-2.0 */
/* What cron runs: tick, reconcile, notify. Quiet when well; one line and an exit status when not. */
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/tick.h"
#include "cmd/books.h"
#include "cmd/config.h"
#include "cmd/notify.h"
#include "cmd/output.h"
#include "cmd/provide.h"
#include "cmd/request.h"
#include "policies/policy.h"

#include <string.h>

/* ---- tick ---- */

static json_t *decided_row(struct store *s, const struct engine_result *r, struct err *e) {
    char request[24], grant[24];
    scoped_free char *tenant = NULL;
    if (sql_text(s, e, &tenant, "SELECT name FROM tenant WHERE id = $1", "i", r->tenant) < 0) return NULL;
    text_format(request, sizeof request, "r-%lld", (long long)r->request);
    text_format(grant, sizeof grant, "g-%lld", (long long)r->grant);
    return json_pack("{s:s, s:s?, s:s, s:s?, s:O, s:O}", "request", request, "tenant", tenant, "outcome",
                     outcome_word(r->outcome), "grant", r->grant ? grant : NULL, "compute_gflops",
                     json_object_get(r->decision, "compute_gflops"), "storage_bytes",
                     json_object_get(r->decision, "storage_bytes"));
}

static json_t *tick_answer(struct store *s, const struct tick_report *r, struct err *e) {
    int64_t open = 0;
    if (sql_int(s, e, &open,
                "SELECT count(*) FROM operation WHERE desired <> observed AND NOT (desired = 'present' AND "
                "grant_id IN (SELECT "
                "g.id FROM grants g WHERE g.needs_agreement = 1 AND g.agreed_at IS NULL AND g.state = "
                "'reserved'))",
                "") < 0)
        return NULL;
    json_t *decisions = json_array();
    for (size_t i = 0; i < r->decided.n; i++) {
        json_t *row = decided_row(s, &r->decided.of[i], e);
        if (!row) {
            json_decref(decisions);
            return NULL;
        }
        json_array_append_new(decisions, row);
    }
    const struct reclaim_report *c = &r->reclaim;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
                     "reclaim_notices", (json_int_t)c->notices, "reclaimed", (json_int_t)c->effects,
                     "reclaim_ends", (json_int_t)c->ends, "reclaim_waiting", (json_int_t)c->waiting,
                     "reclaim_left_out", (json_int_t)c->left_out, "notices", (json_int_t)r->notices, "graces",
                     (json_int_t)r->graces, "releases", (json_int_t)r->releases, "purge_notices",
                     (json_int_t)r->purge_notices, "purges", (json_int_t)r->purges, "offers_ended",
                     (json_int_t)r->offers_ended, "waiting_for_delivery", (json_int_t)r->waiting_for_delivery,
                     "unsigned_agreements", (json_int_t)r->unsigned_agreements, "decided",
                     (json_int_t)r->decided.n, "open_operations", (json_int_t)open, "decisions", decisions);
}

static const struct column tick_columns[] = {
    {"notices", "notices of an end", CELL_COUNT, false},
    {"graces", "graces begun", CELL_COUNT, false},
    {"releases", "releases", CELL_COUNT, false},
    {"purge_notices", "second notices", CELL_COUNT, false},
    {"purges", "purges", CELL_COUNT, false},
    {"offers_ended", "offers not taken in time", CELL_COUNT, false},
    {"waiting_for_delivery", "ends that wait for a notice's delivery", CELL_COUNT, false},
    {"unsigned_agreements", "awards not signed in time", CELL_COUNT, false},
    {"reclaimed", "reclaims carried out", CELL_COUNT, false},
    {"reclaim_notices", "notices of reclaim", CELL_COUNT, false},
    {"reclaim_ends", "notices of reclaim withdrawn", CELL_COUNT, false},
    {"reclaim_waiting", "reclaims that wait for a delivery or an appeal", CELL_COUNT, false},
    {"reclaim_left_out", "tenants left out of this round", CELL_COUNT, false},
    {"decided", "requests decided anew", CELL_COUNT, false},
    {0}};

/* In the transaction of its answer, so that a key answers for it too. */
static int tick_body(struct change *c, struct err *e) {
    struct tick_report report;
    int rc = tick(c->store, c->arg, &report, e);
    if (rc == 0) rc = (c->answer = tick_answer(c->store, &report, e)) ? 0 : -1;
    tick_report_free(&report);
    return rc;
}

static bool is_quiet(const json_t *answer) {
    static const char *const standing[] = {"waiting_for_delivery", "open_operations", "reclaim_waiting",
                                           "reclaim_left_out"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)answer, key, value) {
        bool is_news = json_integer_value(value) != 0;
        for (size_t i = 0; i < 4; i++) is_news = is_news && strcmp(key, standing[i]) != 0;
        if (is_news) return false;
    }
    return true;
}

/* For people: what was decided, and who carries it out. */
static int tick_tell(struct call *call, const json_t *answer, struct err *e) {
    enum { MOST = 50 };
    static const struct column columns[] = {{"request", "REQUEST", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"outcome", "OUTCOME", CELL_STATE, false},
                                            {"grant", "GRANT", CELL_TEXT, false},
                                            {"compute_gflops", "COMPUTE", CELL_GFLOPS, false},
                                            {"storage_bytes", "STORAGE", CELL_BYTES, false},
                                            {0}};
    const json_t *all = json_object_get(answer, "decisions");
    size_t n = json_array_size(all);
    if (n) {
        scoped_json json_t *first = json_array();
        for (size_t i = 0; i < n && i < MOST; i++) json_array_append(first, json_array_get(all, i));
        output_say(call, "%s", "");
        if (output_list(call, columns, first, e) < 0) return -1;
        if (n > MOST) output_say(call, "and %zu more; allot request list", n - MOST);
    }
    if (json_integer_value(json_object_get(answer, "open_operations")))
        output_say(call, "next: allot reconcile");
    return 0;
}

static int tick_run(struct call *call, struct err *e) {
    const struct config *config = call->config;
    struct tick_options o = {.decider = &policy_decider,
                             .actor = call->actor,
                             .now = call->now,
                             .confirm = call_flag(call, "confirm"),
                             .releases_most = config && config->has_release_most ? config->release_most : 20,
                             .gap_most = {25 * 3600}};
    scoped_json json_t *answer = NULL;
    if (change_run(call, tick_body, &o, NULL, &answer, e) < 0) return -1;
    long long waiting = json_integer_value(json_object_get(answer, "waiting_for_delivery"));
    if (waiting)
        fprintf(call->messages,
                "allot: %lld grant%s cannot end because %s notice was not delivered; allot notify\n", waiting,
                waiting == 1 ? "" : "s", waiting == 1 ? "its" : "their");
    bool has_news = !is_quiet(answer) && !call->quiet; /* cron mails what is printed */
    bool shows = has_news || strcmp(call->format, "table") != 0 || call->dry_run;
    if (shows && output_object(call, tick_columns, answer, e) < 0) return -1;
    if (shows && !call->quiet && strcmp(call->format, "table") == 0 && tick_tell(call, answer, e) < 0)
        return -1;
    return call->dry_run ? 0 : audit_publish(call->store, config, call->now, e);
}

/* ---- reconcile ---- */

static json_t *reconcile_answer(const struct reconcile_report *r) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:O}", "matched",
                     (json_int_t)r->matched, "ledger_only", (json_int_t)r->ledger_only, "backend_only",
                     (json_int_t)r->backend_only, "differing", (json_int_t)r->differing, "unknown",
                     (json_int_t)r->unknown, "foreign", (json_int_t)r->foreign, "done", (json_int_t)r->done,
                     "waiting", (json_int_t)r->waiting, "refused", (json_int_t)r->refused, "failed",
                     (json_int_t)r->failed, "things", r->things, "hosts", r->hosts);
}

static int reconcile_print(struct call *call, const struct reconcile_report *r, struct err *e) {
    static const struct column columns[] = {{"label", "LABEL", CELL_STATE, false},
                                            {"kind", "KIND", CELL_TEXT, false},
                                            {"name", "NAME", CELL_TEXT, false},
                                            {"host", "HOST", CELL_TEXT, false},
                                            {"tenant", "TENANT", CELL_TEXT, true},
                                            {"created", "CREATED", CELL_INSTANT, true},
                                            {"action", "ACTION", CELL_TEXT, false},
                                            {"outcome", "OUTCOME", CELL_STATE, false},
                                            {"trouble", "TROUBLE", CELL_TEXT, false},
                                            {"token", "TOKEN", CELL_TEXT, true},
                                            {0}};
    if (strcmp(call->format, "json") == 0) {
        scoped_json json_t *answer = reconcile_answer(r);
        return output_object(call, columns, answer, e);
    }
    bool is_silent = call->quiet && strcmp(call->format, "table") == 0 && !call->dry_run;
    if (json_array_size(r->things) && !is_silent && output_list(call, columns, r->things, e) < 0) return -1;
    if (json_array_size(r->things) || call->dry_run)
        output_say(call, "%lld matched, %lld ledger-only, %lld backend-only, %lld differing, %lld unknown",
                   (long long)r->matched, (long long)r->ledger_only, (long long)r->backend_only,
                   (long long)r->differing, (long long)r->unknown);
    if (json_array_size(r->things) && !call->dry_run)
        output_say(call, "of what was open: %lld done, %lld waiting, %lld refused, %lld failed",
                   (long long)r->done, (long long)r->waiting, (long long)r->refused, (long long)r->failed);
    return 0;
}

/* One line on stderr says what is wrong, and the status which kind it is. */
static int reconcile_verdict(struct call *call, const struct reconcile_report *r, const char **trouble) {
    size_t i;
    json_t *host;
    bool silent = false;
    json_array_foreach(r->hosts, i, host) {
        fprintf(call->messages, "allot: host %s of pool %s: %s\n",
                json_string_value(json_object_get(host, "host")),
                json_string_value(json_object_get(host, "pool")),
                json_string_value(json_object_get(host, "trouble")));
        silent |= json_is_false(json_object_get(host, "answered"));
    }
    if (r->backend_only)
        fprintf(call->messages, "allot: %lld things were found that the ledger does not know\n",
                (long long)r->backend_only);
    *trouble = r->failed         ? "outcomes are unknown"
               : silent          ? "a host did not answer"
               : r->backend_only ? "things were found that the ledger does not know"
                                 : NULL;
    return r->failed ? ERR_UNKNOWN : silent ? ERR_FAILED : 0;
}

/* --wait SPAN: so long what is not ready is asked after. */
static int wait_option(struct call *call, int64_t *ms, struct err *e) {
    const char *text = call_option(call, "wait");
    span_t span;
    if (!text) return 0;
    if (span_parse(text, &span, e) < 0) return err_context(e, "--wait");
    if (span.s < 1 || span.s > 3600)
        return err_set(e, ERR_USAGE, "--wait %s: must be from 1 second to 1 hour", text);
    *ms = span.s * 1000;
    return 0;
}

static int reconcile_run(struct call *call, struct err *e) {
    struct progress progress = {.what = "reconciling", .off = call->quiet};
    struct reconcile_options o = {.observe = true,
                                  .dry_run = call->dry_run,
                                  .confirm = call_flag(call, "confirm"),
                                  .remove = call_option(call, "remove")};
    struct reconcile_report report;
    const char *trouble = NULL;
    provide_options(call, &o);
    if (wait_option(call, &o.settle_ms, e) < 0) return -1;
    if (books_pool(call, &o.pool, e) < 0) return -1;
    if (o.remove && call->role < ROLE_ADMIN)
        return err_set(e, ERR_DENIED, "only an admin may order a thing removed");
    if (!call->dry_run && job_begin(call->store, "reconcile", call->now, e) < 0) return -1;
    int rc = reconcile(call->store, &o, &report, e);
    progress_end(&progress);
    int verdict = rc < 0 ? -1 : reconcile_verdict(call, &report, &trouble);
    if (rc == 0) rc = reconcile_print(call, &report, e);
    reconcile_report_free(&report);
    struct err job = {0};
    if (!call->dry_run && !(rc < 0 && e->code == ERR_RETRY))
        job_end(call->store, "reconcile", call->now, rc < 0 ? e->what : trouble, &job);
    return rc < 0 ? -1 : verdict;
}

/* ---- notify ---- */

static int notify_run(struct call *call, struct err *e) {
    const char *by_hand = call_option(call, "delivered");
    if (by_hand) return notify_by_hand(call, by_hand, e);
    if (call_flag(call, "list")) return notify_list(call, e);
    return notify_all(call, e);
}

static const struct option tick_options_table[] = {
    {"confirm", NULL, "go on although the clock or the number of ends looks wrong", false}, {0}};
static const struct option reconcile_options_table[] = {
    {"pool", "NAME", "only this pool", false},
    {"remove", "TOKEN", "remove a thing that the ledger does not know (admins)", false},
    {"wait", "SPAN", "so long ask after what is not ready yet", false},
    {"confirm", NULL, "believe a host that shows nothing of what stood there", false},
    {0}};
static const struct option notify_options[] = {
    {"list", NULL, "show what is undelivered", false},
    {"delivered", "NUMBER", "note that a person delivered this message", false},
    {0}};

const struct command cron_commands[] = {
    {"tick", "", 0, 0, "what time brings: notices, ends, releases, purges, the queue",
     COMMAND_CHANGES | COMMAND_SHOWS, ROLE_OPERATOR, tick_options_table, tick_run},
    {"reconcile", "", 0, 0, "bring the backends to what the ledger says, and report drift",
     COMMAND_CHANGES | COMMAND_LISTS, ROLE_OPERATOR, reconcile_options_table, reconcile_run},
    {"notify", "", 0, 0, "hand undelivered messages to the configured command",
     COMMAND_CHANGES | COMMAND_LISTS, ROLE_OPERATOR, notify_options, notify_run},
    {0},
};
