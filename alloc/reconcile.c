/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/reconcile.h"

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

enum { CHUNK = 48 }; /* operations per call to a backend: progress is settled in between */

void reconcile_report_free(struct reconcile_report *r) {
    json_decref(r->things);
    json_decref(r->hosts);
    *r = (struct reconcile_report){0};
}

/* One pool at work. */
struct run {
    struct store *store;
    const struct reconcile_options *options;
    struct reconcile_report *report;
    int64_t pool;
    struct pool_place place;
    const struct backend *backend;
    struct work work;
    size_t done, total;
    struct stray *strays;
    size_t n_strays, strays_room;
    json_t *by_token; /* of the report's things: what becomes of each is written there */
};

/* A thing at the backend that no operation stands for any more, and that shall go. */
struct stray {
    char *token, *name, *host;
    enum backend_kind kind;
    bool ordered; /* by a person; else it came back after it was gone */
};

static instant_t now_of(const struct run *r) { return r->options->now_fixed ? r->options->now : clock_now(); }

/* ---- settling what was answered or seen ---- */

struct settling {
    struct run *run;
    struct observation *seen;
    char **connections;
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
    if (book_open(&b, s, t->run->pool, t->run->options->actor, now_of(t->run), e) < 0) return -1;
    for (size_t i = 0; i < t->n; i++)
        if (settle(&b, &t->seen[i], e) < 0 || drift_healed(&b, &t->seen[i], e) < 0) return -1;
    return book_close(&b, e);
}

static int write_down(struct run *r, struct observation *seen, size_t n, struct err *e) {
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

static void count_answer(struct reconcile_report *report, enum backend_answer answer) {
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
static void note_outcome(struct run *r, const struct backend_operation *op, bool want_present) {
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

static int settle_chunk(struct run *r, const size_t *which, struct backend_operation *ops, size_t n,
                        struct err *e) {
    struct observation seen[CHUNK];
    char *connections[CHUNK] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct work_item *item = &r->work.items[which[i]];
        count_answer(r->report, ops[i].answer);
        note_outcome(r, &ops[i], item->want_present);
        connections[i] =
            ops[i].connection ? json_dumps(ops[i].connection, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        seen[i] =
            (struct observation){item->id, settled_as(item, ops[i].answer), ops[i].detail, connections[i]};
    }
    int rc = write_down(r, seen, n, e);
    for (size_t i = 0; i < n; i++) {
        if (ops[i].answer == BACKEND_REFUSED) grant_stops(r, r->work.items[which[i]].grant);
        free(connections[i]);
    }
    return rc;
}

/* Calls the backend for some operations that all want the same, and writes down the answers. */
static int act_on(struct run *r, const size_t *which, size_t n, struct err *e) {
    struct backend_operation ops[CHUNK];
    for (size_t i = 0; i < n; i++) ops[i] = r->work.ops[which[i]];
    bool make = r->work.items[which[0]].want_present;
    struct err call = {0};
    if (fault_point("reconcile.before-call", e) < 0) return -1;
    /* A call that failed as a whole has answered each operation nevertheless. */
    (void)(make ? dispatch_ensure(r->backend, &r->place.pool, ops, n, &call)
                : dispatch_remove(r->backend, &r->place.pool, ops, n, &call));
    int rc = fault_point("reconcile.after-call", e) < 0 ? -1 : settle_chunk(r, which, ops, n, e);
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
    if (!item->want_present) return true;
    return strcmp(item->observed, "present") != 0 && strcmp(item->observed, "refused") != 0;
}

/* Chunks of one grant's wish after another; a chunk never mixes making and removing. */
static int act(struct run *r, struct err *e) {
    size_t which[CHUNK], n = 0;
    for (size_t i = 0; i < r->work.n; i++) r->total += is_open(&r->work.items[i]);
    for (size_t i = 0; i < r->work.n; i++) {
        const struct work_item *item = &r->work.items[i];
        if (!is_open(item)) continue;
        bool grant_changes = n && r->work.items[which[n - 1]].grant != item->grant;
        bool turns = n && r->work.items[which[0]].want_present != item->want_present;
        if (n == CHUNK || turns || (grant_changes && n > CHUNK / 2)) {
            if (act_on(r, which, n, e) < 0) return -1;
            n = 0;
        }
        which[n++] = i;
    }
    return n ? act_on(r, which, n, e) : 0;
}

/* ---- labels ---- */

static bool is_ours(const struct run *r, const char *token) {
    const char *id = store_id(r->store);
    return token && token[0] == 's' && strncmp(token + 1, id, strlen(id)) == 0 &&
           token[1 + strlen(id)] == '.';
}

static void add_thing(struct run *r, const char *label, const struct backend_operation *op,
                      const struct backend_seen *seen, const char *action, const char *trouble) {
    const char *token = op ? op->token : seen->token;
    json_t *thing = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:n, s:s?}", "label", label,
                              "pool", r->place.pool.name, "kind",
                              (op ? op->kind : seen->kind) == BACKEND_SERVER ? "server" : "volume", "name",
                              op ? op->name : seen->name, "host", op ? op->host : seen->host, "token", token,
                              "tenant", op ? op->tenant : NULL, "grant", op ? op->grant : NULL, "action",
                              action, "outcome", "trouble", trouble);
    json_array_append(r->report->things, thing);
    if (token)
        json_object_set_new(r->by_token, token, thing);
    else
        json_decref(thing);
}

static const struct backend_seen *find_seen(const struct backend_view *view, const char *token) {
    for (size_t i = 0; i < view->n_seen; i++)
        if (view->seen[i].token && strcmp(view->seen[i].token, token) == 0) return &view->seen[i];
    return NULL;
}

static bool host_answered(const struct backend_view *view, const char *host) {
    for (size_t i = 0; i < view->n_hosts; i++)
        if (strcmp(view->hosts[i].host, host) == 0) return view->hosts[i].answered;
    return true;
}

/* Labels one operation and says what was seen of it. true: *o tells something new. */
static bool label_operation(struct run *r, size_t i, const struct backend_view *view, struct observation *o) {
    struct work_item *item = &r->work.items[i];
    const struct backend_operation *op = &r->work.ops[i];
    const struct backend_seen *seen = find_seen(view, op->token);
    *o = (struct observation){.operation = item->id};
    item->host_answered = host_answered(view, op->host);
    item->seen = seen != NULL;
    if (!item->host_answered) {
        r->report->unknown++;
        add_thing(r, "unknown", op, NULL, "wait", "its host did not answer");
        return false;
    }
    if (!seen) {
        r->report->ledger_only += item->want_present || strcmp(item->observed, "none") != 0;
        if (item->want_present) add_thing(r, "ledger-only", op, NULL, "make", NULL);
        o->what = SETTLED_ABSENT;
        return !item->want_present || strcmp(item->observed, "present") == 0;
    }
    bool wrong_size = op->kind == BACKEND_VOLUME && !backend_volume_fits(op->bytes, seen->bytes);
    bool is_down = op->kind == BACKEND_SERVER && (seen->state == SEEN_STOPPED || seen->state == SEEN_FAILED);
    if (!item->want_present || wrong_size || is_down) {
        r->report->differing++;
        add_thing(r, "differing", op, NULL, item->want_present ? "none" : "remove",
                  !item->want_present ? "no longer wanted"
                  : wrong_size        ? "another size"
                                      : backend_state_word(seen->state));
    } else {
        r->report->matched++;
    }
    o->what = SETTLED_PRESENT;
    return item->want_present && !is_down && strcmp(item->observed, "present") != 0;
}

static void add_stray(struct run *r, const struct backend_seen *seen, bool ordered) {
    r->strays = mem_grow(r->strays, &r->strays_room, r->n_strays + 1, sizeof *r->strays);
    r->strays[r->n_strays++] = (struct stray){mem_copy(seen->token), mem_copy(seen->name),
                                              mem_copy(seen->host), seen->kind, ordered};
}

static bool is_at_work(const struct run *r, const char *token) {
    for (size_t k = 0; k < r->work.n; k++)
        if (strcmp(r->work.ops[k].token, token) == 0) return true;
    return false;
}

/* 1: an operation of another pool stands for it: two pools may lie on one host. 0, -1 */
static int is_of_other_pool(const struct run *r, const char *token, struct err *e) {
    int64_t operation;
    return sql_int(r->store, e, &operation, "SELECT id FROM operation WHERE token = $1 AND pool <> $2", "si",
                   token, r->pool);
}

/* What no open operation stands for. Of an operation that has ended it is ours to remove: its host was given
   up for lost and came back, or the backend finished late. A token that the ledger does not know is only
   reported. */
static int label_rest(struct run *r, const struct backend_view *view, struct err *e) {
    for (size_t i = 0; i < view->n_seen; i++) {
        const struct backend_seen *seen = &view->seen[i];
        int64_t operation;
        bool ours = is_ours(r, seen->token);
        if (ours && is_at_work(r, seen->token)) continue;
        int other = ours ? is_of_other_pool(r, seen->token, e) : 1;
        if (other < 0) return -1;
        if (other) {
            r->report->foreign++;
            continue;
        }
        int known =
            sql_int(r->store, e, &operation,
                    "SELECT id FROM operation WHERE token = $1 AND pool = $2 AND desired = 'absent' AND "
                    "observed = 'absent'",
                    "si", seen->token, r->pool);
        if (known < 0) return -1;
        if (known) {
            r->report->differing++;
            add_thing(r, "differing", NULL, seen, "remove", "it has ended, and is there again");
            if (!r->options->remove) add_stray(r, seen, false);
            continue;
        }
        bool ordered = r->options->remove && strcmp(r->options->remove, seen->token) == 0;
        r->report->backend_only++;
        add_thing(r, "backend-only", NULL, seen, ordered ? "remove" : "none",
                  "this ledger does not know its token");
        if (ordered) add_stray(r, seen, true);
    }
    return 0;
}

static void label_hosts(struct run *r, const struct backend_view *view) {
    for (size_t i = 0; i < view->n_hosts; i++) {
        const struct backend_host_report *h = &view->hosts[i];
        char full[96] = "";
        bool over =
            h->answered && h->storage_capacity.n > 0 &&
            (wide_t)(h->storage_capacity.n - h->storage_free.n) * 100 >= (wide_t)h->storage_capacity.n * 85;
        if (over)
            text_format(full, sizeof full, "storage is 85 %% used or more: %s of %s free",
                        bytes_text(h->storage_free).s, bytes_text(h->storage_capacity).s);
        if (h->answered && !over) continue;
        json_array_append_new(r->report->hosts, json_pack("{s:s, s:s, s:b, s:s}", "pool", r->place.pool.name,
                                                          "host", h->host, "answered", h->answered, "trouble",
                                                          over        ? full
                                                          : h->detail ? h->detail
                                                                      : "no answer"));
    }
}

/* ---- observing ---- */

struct seeing {
    struct run *run;
    const struct backend_view *view;
};

/* What status shows until the next run: hosts as they answered, and everything that is not matched. */
static int keep_sight(struct store *s, void *arg, struct err *e) {
    struct seeing *t = arg;
    int64_t now = now_of(t->run).s;
    for (size_t i = 0; i < t->view->n_hosts; i++) {
        const struct backend_host_report *h = &t->view->hosts[i];
        if (sql_do(s, e,
                   "UPDATE host SET seen_at = CASE WHEN $3 THEN $4 ELSE seen_at END, trouble = $5, "
                   "storage_capacity_bytes = CASE WHEN "
                   "$3 THEN nullif($6, 0) ELSE storage_capacity_bytes END, storage_free_bytes = CASE WHEN $3 "
                   "THEN $7 ELSE "
                   "storage_free_bytes END WHERE pool = $1 AND name = $2",
                   "isiisii", t->run->pool, h->host, (int64_t)h->answered, now,
                   h->answered ? NULL
                   : h->detail ? h->detail
                               : "no answer",
                   h->storage_capacity.n, h->storage_free.n) < 0)
            return -1;
    }
    if (sql_do(s, e, "DELETE FROM orphan WHERE pool = $1", "i", t->run->pool) < 0) return -1;
    size_t i;
    json_t *thing;
    json_array_foreach(t->run->report->things, i, thing) {
        const char *token = json_string_value(json_object_get(thing, "token"));
        if (strcmp(json_string_value(json_object_get(thing, "pool")), t->run->place.pool.name) != 0) continue;
        if (sql_do(s, e,
                   "INSERT INTO orphan (pool, host, name, token, kind, label, seen_at) VALUES ($1, $2, $3, "
                   "$4, $5, $6, $7) "
                   "ON CONFLICT (pool, host, kind, name) DO UPDATE SET label = excluded.label, token = "
                   "excluded.token",
                   "isssssi", t->run->pool, json_string_value(json_object_get(thing, "host")),
                   json_string_value(json_object_get(thing, "name")), token ? token : "",
                   json_string_value(json_object_get(thing, "kind")),
                   json_string_value(json_object_get(thing, "label")), now) < 0)
            return -1;
    }
    return 0;
}

/* A host that answers but shows nothing of what stood there is more likely a folder that is not mounted, or
   another host, than a loss of everything at once: to believe it would make empty volumes in place of full
   ones. */
static void doubt_host(struct run *r, const struct backend_view *view, struct backend_host_report *host) {
    enum { FEW = 3 };
    size_t stood = 0, seen = 0;
    for (size_t i = 0; i < r->work.n; i++) {
        if (strcmp(r->work.ops[i].host, host->host) != 0) continue;
        seen += find_seen(view, r->work.ops[i].token) != NULL;
        stood += r->work.items[i].want_present && strcmp(r->work.items[i].observed, "present") == 0;
    }
    if (!host->answered || seen > 0 || stood < FEW || r->options->confirm) return;
    struct text why = {0};
    text_add(&why, "it answers, but shows none of the %zu things that shall be there; nothing is done there",
             stood);
    text_add(&why, " (if they are really gone: allot reconcile --confirm)");
    free(host->detail);
    host->detail = text_take(&why);
    host->answered = false;
}

static int observe(struct run *r, struct err *e) {
    struct backend_view view = {0};
    if (dispatch_observe(r->backend, &r->place.pool, &view, e) < 0) return -1;
    for (size_t i = 0; i < view.n_hosts; i++) doubt_host(r, &view, &view.hosts[i]);
    struct observation *news = mem_alloc((r->work.n + 1) * sizeof *news);
    size_t n = 0;
    for (size_t i = 0; i < r->work.n; i++) {
        if (!label_operation(r, i, &view, &news[n])) continue;
        struct work_item *item = &r->work.items[i];
        bool gone = news[n].what == SETTLED_ABSENT && !item->want_present;
        text_format(item->observed, sizeof item->observed, "%s",
                    news[n].what == SETTLED_PRESENT ? "present" : "none");
        item->is_off = gone; /* settled by sight: nothing left to do */
        n++;
    }
    int rc = label_rest(r, &view, e);
    label_hosts(r, &view);
    if (rc == 0 && !r->options->dry_run) {
        struct seeing t = {r, &view};
        rc = write_down(r, news, n, e);
        if (rc == 0) rc = store_write(r->store, keep_sight, &t, e);
    }
    free(news);
    backend_view_free(&view);
    return rc;
}

/* ---- things that no operation stands for ---- */

struct removal {
    struct run *run;
    const struct stray *stray;
};

/* Written before the thing goes: who ordered it must be known whatever comes after. */
static int note_removal(struct store *s, void *arg, struct err *e) {
    const struct removal *m = arg;
    struct book b;
    if (book_open(&b, s, m->run->pool, m->run->options->actor, now_of(m->run), e) < 0 ||
        book_note(&b, m->stray->ordered ? "orphan.remove" : "thing.remove", 0, m->stray->token, e) < 0)
        return -1;
    return book_close(&b, e);
}

static int forget_sight(struct store *s, void *arg, struct err *e) {
    const struct removal *m = arg;
    return sql_do(s, e, "DELETE FROM orphan WHERE pool = $1 AND token = $2", "is", m->run->pool,
                  m->stray->token);
}

static int remove_stray(struct run *r, const struct stray *stray, struct err *e) {
    struct backend_operation op = {.token = stray->token,
                                   .kind = stray->kind,
                                   .name = stray->name,
                                   .host = stray->host,
                                   .tenant = "",
                                   .grant = ""};
    struct removal m = {r, stray};
    if (store_write(r->store, note_removal, &m, e) < 0) return -1;
    int rc = dispatch_remove(r->backend, &r->place.pool, &op, 1, e);
    if (rc == 0 && stray->ordered && op.answer != BACKEND_DONE && op.answer != BACKEND_STARTED)
        rc = err_set(e, op.answer == BACKEND_UNKNOWN ? ERR_UNKNOWN : ERR_FAILED, "%s: %s", op.name,
                     op.detail ? op.detail : backend_answer_word(op.answer));
    if (rc == 0) count_answer(r->report, op.answer);
    if (rc == 0) note_outcome(r, &op, false);
    if (rc == 0 && op.answer == BACKEND_DONE) rc = store_write(r->store, forget_sight, &m, e);
    if (rc == 0 && stray->ordered) r->report->removed++;
    free(op.detail);
    json_decref(op.connection);
    return rc;
}

static int remove_strays(struct run *r, struct err *e) {
    for (size_t i = 0; i < r->n_strays; i++)
        if (remove_stray(r, &r->strays[i], e) < 0) return -1;
    return 0;
}

static void strays_free(struct run *r) {
    for (size_t i = 0; i < r->n_strays; i++) {
        free(r->strays[i].token);
        free(r->strays[i].name);
        free(r->strays[i].host);
    }
    free(r->strays);
}

/* ---- one pool, all pools ---- */

static int load_work(struct run *r, bool open, struct err *e) {
    work_free(&r->work);
    return work_load(r->store, &(struct work_filter){r->pool, r->options->grants, r->options->n_grants, open},
                     &r->work, e);
}

/* After a refusal what was made of its grant goes in the same run. */
static int act_and_undo(struct run *r, struct err *e) {
    int64_t refused = r->report->refused;
    if (act(r, e) < 0) return -1;
    if (r->report->refused == refused) return 0;
    return load_work(r, true, e) < 0 ? -1 : act(r, e);
}

static int run_backend(struct run *r, struct err *e) {
    const struct reconcile_options *o = r->options;
    if (!(r->backend = plugin_open(r->place.backend, e))) return -1;
    if (o->observe && observe(r, e) < 0) return -1;
    if (o->dry_run) return 0;
    if (remove_strays(r, e) < 0) return -1;
    return o->remove ? 0 : act_and_undo(r, e);
}

static int run_pool(struct run *r, struct err *e) {
    if (pool_load_place(r->store, r->pool, &r->place, e) < 0) return -1;
    r->place.pool.catalogue = r->options->catalogue;
    r->place.pool.deadline_ms = r->options->deadline_ms;
    int rc = load_work(r, !r->options->observe, e);
    if (rc == 0 && (r->work.n > 0 || r->options->observe)) rc = run_backend(r, e);
    if (rc < 0) err_context(e, "pool %s", r->place.pool.name);
    strays_free(r);
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
