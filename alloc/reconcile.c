/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/reconcile_parts.h"

#include "alloc/dispatch.h"
#include "alloc/fault.h"
#include "alloc/plugin.h"
#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/settle.h"
#include "alloc/text.h"
#include "alloc/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void reconcile_report_free(struct reconcile_report *r) {
    json_decref(r->things);
    json_decref(r->hosts);
    *r = (struct reconcile_report){0};
}

instant_t reconcile_now(const struct run *r) { return r->options->now_fixed ? r->options->now : clock_now(); }

/* ---- settling what was answered or seen ---- */

struct settling {
    struct run *run;
    struct observation *seen;
    size_t n;
};

/* What is as the ledger wants it now is no drift any more, whatever the look before found. */
static int drift_healed(struct book *b, const struct observation *o, struct err *e) {
    if (o->what != SETTLED_PRESENT && o->what != SETTLED_ABSENT) return 0;
    return sql_do(b->store, e,
                  "DELETE FROM orphan WHERE (pool, host, kind, name) = (SELECT pool, host, kind, name FROM "
                  "operation WHERE id = $1)",
                  "i", o->operation);
}

static int settle_all(struct store *s, void *arg, struct err *e) {
    struct settling *t = arg;
    struct book b;
    if (book_open(&b, s, t->run->pool, t->run->options->actor, reconcile_now(t->run), e) < 0) return -1;
    for (size_t i = 0; i < t->n; i++)
        if (settle(&b, &t->seen[i], e) < 0 || drift_healed(&b, &t->seen[i], e) < 0) return -1;
    return book_close(&b, e);
}

int reconcile_write_down(struct run *r, struct observation *seen, size_t n, struct err *e) {
    if (n == 0) return 0;
    struct settling t = {.run = r, .seen = seen, .n = n};
    return store_write(r->store, settle_all, &t, e);
}

static enum settled settled_as(const struct work_item *item, enum backend_answer answer) {
    switch (answer) {
    case BACKEND_DONE: return item->want_present ? SETTLED_PRESENT : SETTLED_ABSENT;
    case BACKEND_STARTED: return SETTLED_STARTED;
    case BACKEND_NOTHING_HAPPENED: return SETTLED_NOT_YET;
    case BACKEND_REFUSED: return SETTLED_REFUSED;
    case BACKEND_UNKNOWN: break;
    }
    return SETTLED_UNKNOWN;
}

void reconcile_count(struct reconcile_report *report, enum backend_answer answer) {
    if (answer == BACKEND_DONE)
        report->done++;
    else if (answer == BACKEND_REFUSED)
        report->refused++;
    else if (answer == BACKEND_UNKNOWN)
        report->failed++;
    else
        report->waiting++;
}

/* What this run made and undid again, because another part of its grant was refused, is undone, not done. */
void reconcile_outcome(struct run *r, const struct backend_operation *op, bool want_present) {
    static const char *const words[] = {[BACKEND_DONE] = "done",
                                        [BACKEND_STARTED] = "waiting",
                                        [BACKEND_NOTHING_HAPPENED] = "waiting",
                                        [BACKEND_REFUSED] = "refused",
                                        [BACKEND_UNKNOWN] = "failed"};
    json_t *thing = json_object_get(r->by_token, op->token);
    const char *action = json_string_value(json_object_get(thing, "action"));
    const char *before = json_string_value(json_object_get(thing, "outcome"));
    if (!thing || (before && strcmp(before, "refused") == 0)) return; /* why it is undone says more */
    bool undone = op->answer == BACKEND_DONE && !want_present && strcmp(action, "make") == 0;
    json_object_set_new(thing, "outcome", json_string(undone ? "undone" : words[op->answer]));
    if (op->detail) json_object_set_new(thing, "trouble", json_string(op->detail));
}

/* What the backend refused is undone: nothing more of that grant is made by this pass. */
static void grant_stops(struct run *r, int64_t grant) {
    for (size_t i = 0; i < r->work.n; i++)
        if (r->work.items[i].grant == grant) r->work.items[i].is_off = true;
}

/* Answers that tell nothing new are not written again: asking after what was started costs no transaction. */
static int settle_answers(struct run *r, const size_t *which, const struct backend_operation *ops, size_t n,
                          struct err *e) {
    struct observation *seen scoped_free = mem_alloc(n * sizeof *seen);
    struct keep texts = {0};
    size_t news = 0;
    for (size_t i = 0; i < n; i++) {
        struct work_item *item = &r->work.items[which[i]];
        bool was_started = item->is_started;
        if (item->is_waited_for) r->report->waiting--; /* counted when it was asked before */
        reconcile_count(r->report, ops[i].answer);
        reconcile_outcome(r, &ops[i], item->want_present);
        item->is_started = ops[i].answer == BACKEND_STARTED;
        item->is_waited_for = item->is_started || ops[i].answer == BACKEND_NOTHING_HAPPENED;
        if (was_started && item->is_started) continue;
        char *connection =
            ops[i].connection ? json_dumps(ops[i].connection, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        seen[news++] = (struct observation){.operation = item->id,
                                            .what = settled_as(item, ops[i].answer),
                                            .words = ops[i].detail,
                                            .connection = connection ? keep_add(&texts, connection) : NULL,
                                            .was_counted = ops[i].fresh};
    }
    int rc = reconcile_write_down(r, seen, news, e);
    for (size_t i = 0; i < n; i++)
        if (ops[i].answer == BACKEND_REFUSED) grant_stops(r, r->work.items[which[i]].grant);
    keep_end(&texts);
    return rc;
}

/* ---- calling the backend ---- */

struct sending {
    const struct run *run;
    const size_t *which;
    size_t n;
};

static int count_first(struct store *s, void *arg, struct err *e) {
    const struct sending *t = arg;
    for (size_t i = 0; i < t->n; i++) {
        const struct backend_operation *op = &t->run->work.ops[t->which[i]];
        if (op->fresh && sql_do(s, e, "UPDATE operation SET attempts = 1 WHERE tenant = $1 AND id = $2", "ii",
                                op->tenant_number, t->run->work.items[t->which[i]].id) < 0)
            return -1;
    }
    return 0;
}

/* Fresh is what no call was made for: that is over before the call, because it may never return. */
static int note_first(struct run *r, const size_t *which, size_t n, struct err *e) {
    bool any = false;
    for (size_t i = 0; i < n; i++) any |= r->work.ops[which[i]].fresh;
    if (!any) return 0;
    if (store_write(r->store, count_first, &(struct sending){r, which, n}, e) < 0) return -1;
    return fault_point("reconcile.counted", e);
}

/* Calls the backend for some operations that all want the same, and writes down the answers. */
static int act_on(struct run *r, const size_t *which, size_t n, struct err *e) {
    struct backend_operation *ops scoped_free = mem_alloc(n * sizeof *ops);
    bool make = r->work.items[which[0]].want_present;
    struct err call = {0};
    if (fault_point("reconcile.before-call", e) < 0 || (make && note_first(r, which, n, e) < 0)) return -1;
    for (size_t i = 0; i < n; i++) {
        ops[i] = r->work.ops[which[i]];
        r->work.ops[which[i]].fresh = false;
    }
    /* A call that failed as a whole has answered each operation nevertheless. */
    (void)(make ? dispatch_ensure(r->backend, &r->place.pool, ops, n, &call)
                : dispatch_remove(r->backend, &r->place.pool, ops, n, &call));
    int rc = fault_point("reconcile.after-call", e) < 0 ? -1 : settle_answers(r, which, ops, n, e);
    for (size_t i = 0; i < n; i++) {
        free(ops[i].detail);
        json_decref(ops[i].connection);
    }
    if (rc < 0) return -1;
    r->done += n;
    if (r->options->progress) r->options->progress(r->options->progress_arg, r->done, r->total);
    return 0;
}

/* ---- what is to be done ---- */

static bool is_open(const struct work_item *item) {
    if (!item->host_answered || item->is_off) return false;
    if (!item->want_present || item->differs) return true;
    return strcmp(item->observed, "present") != 0 && strcmp(item->observed, "refused") != 0;
}

static bool is_asked_again(const struct work_item *item) { return item->is_waited_for && !item->is_off; }

/* So many at once as the backend takes, one grant's wish after another; a call never mixes making and
 * removing. */
static int act(struct run *r, bool (*is_due)(const struct work_item *), struct err *e) {
    size_t most = r->backend->batch > 0 ? r->backend->batch : 1, n = 0;
    size_t *which scoped_free = mem_alloc(most * sizeof *which);
    r->total = r->done;
    for (size_t i = 0; i < r->work.n; i++) r->total += is_due(&r->work.items[i]);
    for (size_t i = 0; i < r->work.n; i++) {
        const struct work_item *item = &r->work.items[i];
        if (!is_due(item)) continue;
        bool grant_changes = n && r->work.items[which[n - 1]].grant != item->grant;
        bool turns = n && r->work.items[which[0]].want_present != item->want_present;
        if (n == most || turns || (grant_changes && n > most / 2)) {
            if (act_on(r, which, n, e) < 0) return -1;
            n = 0;
        }
        if (is_due(item)) which[n++] = i; /* the call before may have undone its grant */
    }
    return n ? act_on(r, which, n, e) : 0;
}

/* ---- one pool, all pools ---- */

static int load_work(struct run *r, bool open, struct err *e) {
    work_free(&r->work);
    return work_load(r->store,
                     &(struct work_filter){r->pool, r->options->grants, r->options->n_grants, open, NULL},
                     &r->work, e);
}

/* After a refusal what was made of its grant goes in the same run. */
static int act_and_undo(struct run *r, bool (*is_due)(const struct work_item *), struct err *e) {
    int64_t refused = r->report->refused;
    if (act(r, is_due, e) < 0) return -1;
    if (r->report->refused == refused) return 0;
    return load_work(r, true, e) < 0 ? -1 : act(r, is_open, e);
}

static bool is_waiting(const struct run *r) {
    for (size_t i = 0; i < r->work.n; i++)
        if (is_asked_again(&r->work.items[i])) return true;
    return false;
}

/* Asks after what the backend is at work on, ever less often, as long as the caller waits. */
static int wait_for(struct run *r, struct err *e) {
    enum { FIRST_MS = 250, LAST_MS = 10000 };
    int64_t until = clock_monotonic_ms() + r->options->settle_ms;
    for (int64_t pause = FIRST_MS; is_waiting(r); pause = pause < LAST_MS / 2 ? pause * 2 : LAST_MS) {
        if (clock_monotonic_ms() + pause >= until) return 0;
        usleep((useconds_t)(pause * 1000));
        if (act_and_undo(r, is_asked_again, e) < 0) return -1;
    }
    return 0;
}

static int run_backend(struct run *r, struct err *e) {
    const struct reconcile_options *o = r->options;
    if (!(r->backend = plugin_open(r->place.backend, e))) return -1;
    if (o->observe && reconcile_look(r, e) < 0) return -1;
    if (o->dry_run) return 0;
    if (reconcile_remove_strays(r, e) < 0) return -1;
    if (o->remove) return 0;
    return act_and_undo(r, is_open, e) < 0 ? -1 : wait_for(r, e);
}

static int run_pool(struct run *r, struct err *e) {
    if (pool_load_place(r->store, r->pool, &r->place, e) < 0) return -1;
    r->place.pool.catalogue = r->options->catalogue;
    r->place.pool.deadline_ms = r->options->deadline_ms;
    int rc = load_work(r, !r->options->observe, e);
    if (rc == 0 && (r->work.n > 0 || r->options->observe)) rc = run_backend(r, e);
    if (rc < 0) err_context(e, "pool %s", r->place.pool.name);
    reconcile_strays_free(r);
    work_free(&r->work);
    pool_place_free(&r->place);
    return rc;
}

static int run_pools(struct store *s, const struct reconcile_options *o, struct reconcile_report *out,
                     struct err *e) {
    scoped_json json_t *pools =
        sql_json(s, e, "SELECT id FROM pool WHERE id > 0 AND ($1 = 0 OR id = $1) ORDER BY id", "i", o->pool);
    if (!pools) return -1;
    size_t i;
    json_t *pool;
    json_array_foreach(pools, i, pool) {
        struct err own = {0};
        struct run r = {
            .store = s, .options = o, .report = out, .pool = json_integer_value(json_object_get(pool, "id"))};
        r.by_token = json_object();
        if (run_pool(&r, &own) < 0 && !err_is(e)) *e = own;
        json_decref(r.by_token);
    }
    if (err_is(e)) return -1;
    if (o->remove && !o->dry_run && out->removed == 0) {
        err_set(e, ERR_NOT_FOUND, "nothing that this ledger does not know carries the token %s", o->remove);
        return err_hint(e, "allot reconcile --dry-run lists what was found");
    }
    return 0;
}

/* Two runs at once would call the backend for the same operations. */
static int run_alone(struct store *s, int64_t wait_ms, struct err *e) {
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    int fd = store_side_open(store_path(s), ".reconcile", e);
    if (fd < 0) return -1;
    for (;;) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
        if (errno != EWOULDBLOCK && errno != EINTR) {
            err_set(e, ERR_FAILED, "%s.reconcile: %s", store_path(s), strerror(errno));
            break;
        }
        if (clock_monotonic_ms() >= deadline) {
            err_set(e, ERR_RETRY, "another reconcile is at work on this store");
            err_hint(e, "what was decided is booked; the next allot reconcile carries it out");
            break;
        }
        usleep(10000);
    }
    scope_close(&fd);
    return -1;
}

int reconcile(struct store *s, const struct reconcile_options *o, struct reconcile_report *out,
              struct err *e) {
    *out = (struct reconcile_report){.things = json_array(), .hosts = json_array()};
    scoped_fd int alone = run_alone(s, o->wait_ms, e);
    if (alone < 0) return -1;
    return run_pools(s, o, out, e);
}
