/* SPDX-License-Identifier: Apache-2.0 */
/* What is there, against the ledger. */
#include "alloc/dispatch.h"
#include "alloc/reconcile_parts.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- labels ---- */

static bool is_ours(const struct run *r, const char *token) {
    const char *id = store_id(r->store);
    return token && token[0] == 's' && strncmp(token + 1, id, strlen(id)) == 0 &&
           token[1 + strlen(id)] == '.';
}

/* Whose a thing is that no operation stands for: as the backend has it written down. */
static const char *written(const struct backend_seen *seen, const char *key) {
    return seen ? json_string_value(json_object_get(seen->connection, key)) : NULL;
}

static void add_thing(struct run *r, const char *label, const struct backend_operation *op,
                      const struct backend_seen *seen, const char *action, const char *trouble) {
    const char *token = op ? op->token : seen->token;
    struct instant_text created = {""};
    if (seen && seen->created.s > 0) created = instant_text(seen->created);
    json_t *thing =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s, s:n, s:s?}", "label", label, "pool",
                  r->place.pool.name, "kind", backend_kind_words[op ? op->kind : seen->kind], "name",
                  op ? op->name : seen->name, "host", op ? op->host : seen->host, "token", token, "tenant",
                  op ? op->tenant : written(seen, "tenant"), "grant", op ? op->grant : written(seen, "grant"),
                  "created", *created.s ? created.s : NULL, "action", action, "outcome", "trouble", trouble);
    json_array_append(r->report->things, thing);
    if (token)
        json_object_set_new(r->by_token, token, thing);
    else
        json_decref(thing);
}

/* What was seen, by token: ten thousand things are looked up ten thousand times. */
struct sight {
    const struct backend_view *view;
    json_t *by_token; /* token -> place in view->seen */
};

static void sight_of(const struct backend_view *view, struct sight *out) {
    *out = (struct sight){view, json_object()};
    for (size_t i = view->n_seen; i-- > 0;)
        if (view->seen[i].token)
            json_object_set_new(out->by_token, view->seen[i].token, json_integer((json_int_t)i));
}

static const struct backend_seen *find_seen(const struct sight *sight, const char *token) {
    const json_t *at = json_object_get(sight->by_token, token);
    return at ? &sight->view->seen[json_integer_value(at)] : NULL;
}

static bool host_answered(const struct backend_view *view, const char *host) {
    for (size_t i = 0; i < view->n_hosts; i++)
        if (strcmp(view->hosts[i].host, host) == 0) return view->hosts[i].answered;
    return true;
}

/* Not there, or its host did not answer. True: *o tells something new. */
static bool label_unseen(struct run *r, size_t i, struct observation *o) {
    struct work_item *item = &r->work.items[i];
    const struct backend_operation *op = &r->work.ops[i];
    if (!item->host_answered) {
        r->report->unknown++;
        add_thing(r, "unknown", op, NULL, "wait", "its host did not answer");
        return false;
    }
    r->report->ledger_only += item->want_present || strcmp(item->observed, "none") != 0;
    if (item->want_present) add_thing(r, "ledger-only", op, NULL, "make", NULL);
    /* A quota's limits may stand where its token has gone: only the backend lowers them and looks at the use.
     */
    if (op->kind == BACKEND_QUOTA && !item->want_present) return false;
    o->what = SETTLED_ABSENT;
    return !item->want_present || strcmp(item->observed, "present") == 0;
}

/* A quota is judged once for its tenant, when nothing of it is open: else it is set in a moment anyway. */
static bool is_judged(const struct run *r, size_t i, const json_t *judged) {
    char tenant[24];
    if (r->work.ops[i].kind != BACKEND_QUOTA) return true;
    text_format(tenant, sizeof tenant, "%lld", (long long)r->work.ops[i].tenant_number);
    return json_integer_value(json_object_get(judged, tenant)) == (json_int_t)i + 1;
}

/* tenant -> the number, from 1, of the operation by which its quota is judged; 0: one of them is open. */
static json_t *quotas_to_judge(const struct run *r) {
    json_t *judged = json_object();
    for (size_t i = 0; i < r->work.n; i++) {
        char tenant[24];
        const struct work_item *item = &r->work.items[i];
        if (r->work.ops[i].kind != BACKEND_QUOTA) continue;
        text_format(tenant, sizeof tenant, "%lld", (long long)r->work.ops[i].tenant_number);
        bool is_open = !item->want_present || strcmp(item->observed, "present") != 0;
        if (is_open)
            json_object_set_new(judged, tenant, json_integer(0));
        else if (!json_object_get(judged, tenant))
            json_object_set_new(judged, tenant, json_integer((json_int_t)i + 1));
    }
    return judged;
}

/* How to reach it; whose it is stands in the ledger. */
static const char *connection_of(struct run *r, const struct backend_seen *seen) {
    if (seen->kind != BACKEND_SERVER || !seen->connection) return NULL;
    scoped_json json_t *how = json_copy(seen->connection);
    json_object_del(how, "tenant");
    json_object_del(how, "grant");
    return json_object_size(how) ? keep_add(&r->work.memory, json_dumps(how, JSON_COMPACT | JSON_SORT_KEYS))
                                 : NULL;
}

/* Labels one operation and says what was seen of it. True: *o tells something new. */
static bool label_operation(struct run *r, size_t i, const struct sight *sight, const json_t *judged,
                            struct observation *o) {
    struct work_item *item = &r->work.items[i];
    const struct backend_operation *op = &r->work.ops[i];
    const struct backend_seen *seen = find_seen(sight, op->token);
    *o = (struct observation){.operation = item->id};
    item->host_answered = host_answered(sight->view, op->host);
    if (!seen || !item->host_answered) return label_unseen(r, i, o);
    struct difference d = {0};
    bool is_starting = seen->state == SEEN_STARTING, is_down = reconcile_is_down(seen);
    if (!item->want_present) {
        r->report->differing++;
        add_thing(r, "differing", op, seen, "remove", "no longer wanted");
    } else if (!is_starting && is_judged(r, i, judged) && reconcile_differs(op, seen, &d)) {
        r->report->differing++;
        item->differs = d.may_set;
        add_thing(r, "differing", op, seen, d.may_set ? "set" : "none", d.words);
    } else {
        r->report->matched++;
    }
    free(d.words);
    o->what = SETTLED_PRESENT;
    o->connection = connection_of(r, seen);
    /* A quota that was not settled yet may stand there with other numbers: it is set. */
    bool is_enough = !is_down && !is_starting && op->kind != BACKEND_QUOTA;
    return item->want_present && is_enough && strcmp(item->observed, "present") != 0;
}

/* The tokens of all operations at hand. */
static json_t *tokens_at_work(const struct run *r) {
    json_t *tokens = json_object();
    for (size_t k = 0; k < r->work.n; k++) json_object_set_new(tokens, r->work.ops[k].token, json_true());
    return tokens;
}

/* 1: an operation of another pool stands for it: two pools may lie on one host. 0, -1 */
static int is_of_other_pool(const struct run *r, const char *token, struct err *e) {
    int64_t operation;
    return sql_int(r->store, e, &operation, "SELECT id FROM operation WHERE token = $1 AND pool <> $2", "si",
                   token, r->pool);
}

/* Its age and likely owner, where the backend has them written down. */
static void orphan_words(const struct backend_seen *seen, struct text *out) {
    const char *tenant = written(seen, "tenant"), *grant = written(seen, "grant");
    text_add(out, "this ledger does not know its token");
    if (seen->created.s > 0 || tenant) text_add(out, "; made");
    if (seen->created.s > 0) text_add(out, " %s", instant_text(seen->created).s);
    if (tenant) text_add(out, " for %s%s%s", tenant, grant ? ", " : "", grant ? grant : "");
}

/* What no open operation stands for. Of an operation that has ended it is ours to remove: its host was given
   up for lost and came back, or the backend finished late. A token that the ledger does not know is only
   reported. */
static int label_rest(struct run *r, const struct backend_view *view, struct err *e) {
    scoped_json json_t *at_work = tokens_at_work(r);
    for (size_t i = 0; i < view->n_seen; i++) {
        const struct backend_seen *seen = &view->seen[i];
        int64_t operation;
        bool ours = is_ours(r, seen->token);
        if (ours && json_object_get(at_work, seen->token)) continue;
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
            if (!r->options->remove) reconcile_stray(r, seen, false);
            continue;
        }
        bool ordered = r->options->remove && strcmp(r->options->remove, seen->token) == 0;
        r->report->backend_only++;
        scoped_text struct text words = {0};
        orphan_words(seen, &words);
        add_thing(r, "backend-only", NULL, seen, ordered ? "remove" : "none", words.s);
        if (ordered) reconcile_stray(r, seen, true);
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

/* host -> how many things are there, ours or not */
static json_t *things_by_host(const struct backend_view *view) {
    json_t *counts = json_object();
    for (size_t i = 0; i < view->n_seen; i++) {
        const char *host = view->seen[i].host;
        json_int_t before = json_integer_value(json_object_get(counts, host));
        json_object_set_new(counts, host, json_integer(before + 1));
    }
    return counts;
}

/* What status shows until the next run: hosts as they answered, and everything that is not matched. */
static int keep_sight(struct store *s, void *arg, struct err *e) {
    struct seeing *t = arg;
    int64_t now = reconcile_now(t->run).s;
    scoped_json json_t *counts = things_by_host(t->view);
    for (size_t i = 0; i < t->view->n_hosts; i++) {
        const struct backend_host_report *h = &t->view->hosts[i];
        if (sql_do(s, e,
                   "UPDATE host SET seen_at = CASE WHEN $3 THEN $4 ELSE seen_at END, trouble = $5, "
                   "storage_capacity_bytes = CASE WHEN "
                   "$3 THEN nullif($6, 0) ELSE storage_capacity_bytes END, storage_free_bytes = CASE WHEN $3 "
                   "THEN $7 ELSE "
                   "storage_free_bytes END, things_seen = CASE WHEN $3 THEN $8 ELSE things_seen END WHERE "
                   "pool = $1 AND name = $2",
                   "isiisiii", t->run->pool, h->host, (int64_t)h->answered, now,
                   h->answered ? NULL
                   : h->detail ? h->detail
                               : "no answer",
                   h->storage_capacity.n, h->storage_free.n,
                   (int64_t)json_integer_value(json_object_get(counts, h->host))) < 0)
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
static void doubt_host(struct run *r, const struct sight *sight, struct backend_host_report *host) {
    enum { FEW = 3 };
    size_t stood = 0, seen = 0;
    for (size_t i = 0; i < r->work.n; i++) {
        if (r->work.ops[i].kind == BACKEND_QUOTA || strcmp(r->work.ops[i].host, host->host) != 0) continue;
        seen += find_seen(sight, r->work.ops[i].token) != NULL;
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

int reconcile_look(struct run *r, struct err *e) {
    struct backend_view view = {0};
    if (dispatch_observe(r->backend, &r->place.pool, &view, e) < 0) return -1;
    struct sight sight;
    sight_of(&view, &sight);
    for (size_t i = 0; i < view.n_hosts; i++) doubt_host(r, &sight, &view.hosts[i]);
    json_t *judged = quotas_to_judge(r);
    struct observation *news = mem_alloc((r->work.n + 1) * sizeof *news);
    size_t n = 0;
    for (size_t i = 0; i < r->work.n; i++) {
        if (!label_operation(r, i, &sight, judged, &news[n])) continue;
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
        rc = reconcile_write_down(r, news, n, e);
        if (rc == 0) rc = store_write(r->store, keep_sight, &t, e);
    }
    free(news);
    json_decref(judged);
    json_decref(sight.by_token);
    backend_view_free(&view);
    return rc;
}
