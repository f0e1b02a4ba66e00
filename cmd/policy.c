/* SPDX-License-Identifier: Apache-2.0 */
/* policy check, load, show, history, and the table of all. alloc/ never sees the language: what it keeps is
 * the stored form. */
#include "policies/policy.h"

#include "alloc/file.h"
#include "alloc/hash.h"
#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/version.h"
#include "cmd/change.h"
#include "cmd/data.h"
#include "cmd/output.h"
#include "cmd/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- which file ---- */

static int no_such_file(const char *word, struct err *e) {
    scoped_json json_t *names = data_policy_names(".policy");
    const char **list = mem_alloc((json_array_size(names) + 1) * sizeof *list);
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) list[i] = json_string_value(name);
    scoped_free char *places = data_policy_places();
    err_set(e, ERR_NOT_FOUND,
            "%s: no such file, and no policy of that name comes with the program (looked in %s)", word,
            places);
    const char *nearest = text_nearest(word, list, json_array_size(names));
    if (nearest) err_hint(e, "did you mean '%s'?", nearest);
    free(list);
    return -1;
}

char *policy_path(const char *word, struct err *e) {
    struct stat st;
    if (strchr(word, '/') || (stat(word, &st) == 0 && S_ISREG(st.st_mode))) return mem_copy(word);
    char name[300];
    char *path = text_format(name, sizeof name, "%s.policy", word) == 0 ? data_policy_file(name) : NULL;
    if (!path) no_such_file(word, e);
    return path;
}

/* ---- what is wrong with it ---- */

static json_t *diagnostics_json(const struct diagnostics *d) {
    static const char *const levels[] = {"error", "warning", "note"};
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:s}", "level", levels[d->items[i].level], "line",
                                        d->items[i].place.line, "column", place_column(d, d->items[i].place),
                                        "message", d->items[i].message));
    return list;
}

static void tell(struct call *call, const struct diagnostics *d, bool with_notes) {
    if (strcmp(call->format, "json") == 0 || (call->quiet && d->count[LEVEL_ERROR] == 0)) return;
    scoped_text struct text out = {0};
    (with_notes ? diagnostics_print : diagnostics_print_serious)(d, &out);
    if (out.s) output_safe(call->messages, out.s);
}

void policy_tell(struct call *call, const struct diagnostics *d) { tell(call, d, true); }
void policy_warn(struct call *call, const struct diagnostics *d) { tell(call, d, false); }

int policy_fail(struct call *call, const struct diagnostics *d, const char *file, struct err *e) {
    size_t n = d->count[LEVEL_ERROR];
    scoped_text struct text first = {0};
    policy_tell(call, d);
    diagnostics_first(d, &first);
    return err_set(e, ERR_USAGE, "%s: %zu error%s; the first: %.1000s", file, n, n == 1 ? "" : "s",
                   first.s ? first.s : "?");
}

struct policy *policy_need(struct call *call, const char *word, struct err *e) {
    scoped_free char *path = policy_path(word, e);
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy *policy = path ? policy_read(path, d, e) : NULL;
    if (policy) policy_warn(call, d);
    if (!policy && !err_is(e)) policy_fail(call, d, word, e);
    diagnostics_free(d);
    free(d);
    return policy;
}

/* ---- check ---- */

/* 0: as in the store; -1: differences in d, or *e. */
int policy_pool_check(struct store *s, const struct policy *policy, const char *pool, struct diagnostics *d,
                      struct err *e) {
    int64_t id;
    struct fact_pool facts;
    if (pool_find(s, pool, &id, e) < 0 || pool_load_declared(s, id, &facts, e) < 0) return -1;
    int rc = policy_check_pool(policy, &facts, d);
    pool_facts_free(&facts);
    return rc;
}

/* 1 good, 0 with errors, -1 it could not be judged. */
static int check_one(struct call *call, const char *word, json_t *rows, struct err *e) {
    scoped_free char *path = policy_path(word, e);
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy *policy = path ? policy_read(path, d, e) : NULL;
    if (policy && call->store) policy_pool_check(call->store, policy, call_option(call, "pool"), d, e);
    bool is_good = policy && d->count[LEVEL_ERROR] == 0;
    if (!err_is(e)) {
        policy_tell(call, d);
        json_array_append_new(rows, json_pack("{s:s, s:s?, s:I, s:b, s:I, s:I, s:o}", "file", word, "policy",
                                              policy ? policy_name(policy) : NULL, "version",
                                              (json_int_t)(policy ? policy_version(policy) : 0), "good",
                                              (int)is_good, "errors", (json_int_t)d->count[LEVEL_ERROR],
                                              "warnings", (json_int_t)d->count[LEVEL_WARNING], "diagnostics",
                                              diagnostics_json(d)));
    }
    policy_free(policy);
    diagnostics_free(d);
    free(d);
    return err_is(e) ? -1 : is_good;
}

static const struct column check_columns[] = {{"file", "FILE", CELL_TEXT, false},
                                              {"policy", "POLICY", CELL_TEXT, false},
                                              {"version", "VERSION", CELL_COUNT, false},
                                              {"good", "GOOD", CELL_YES, false},
                                              {"errors", "ERRORS", CELL_COUNT, false},
                                              {"warnings", "WARNINGS", CELL_COUNT, false},
                                              {NULL, NULL, CELL_TEXT, false}};

static int check_all(struct call *call, struct err *e) {
    scoped_json json_t *rows = json_array();
    bool all_good = true;
    for (size_t i = 0; i < call->n_arguments; i++) {
        int good = check_one(call, call->arguments[i], rows, e);
        if (good < 0) return -1;
        if (!good) all_good = false;
    }
    if (!call->quiet && output_list(call, check_columns, rows, e) < 0) return -1;
    return all_good ? 0 : ERR_USAGE;
}

/* Without --pool no store is needed, so none is opened. */
static int check_run(struct call *call, struct err *e) {
    if (!call_option(call, "pool")) return check_all(call, e);
    if (!call->store_path) return err_set(e, ERR_USAGE, "--pool needs a store: give --store FILE");
    int status = call_open_store(call, e);
    if (status == 0 && call->role < ROLE_AUDITOR)
        status =
            err_set(e, ERR_DENIED, "'allot policy check --pool' needs the role %s", role_word(ROLE_AUDITOR));
    if (status == 0) status = check_all(call, e);
    call_close_store(call);
    return status;
}

static const struct option check_options[] = {
    {"pool", "POOL", "compare with this pool of the store too", false}, {NULL, NULL, NULL, false}};

/* ---- load ---- */

struct loading {
    const struct policy *policy;
    const char *pool, *stored;
    struct maybe_instant from, until;
    struct diagnostics *d; /* of the comparison with the pool */
};

static int load_body(struct change *c, struct err *e) {
    struct loading *l = c->arg;
    struct version_new v = {.name = policy_name(l->policy),
                            .version = policy_version(l->policy),
                            .stored = l->stored,
                            .from = l->from,
                            .until = l->until};
    struct hash hash = hash_of(l->stored, strlen(l->stored));
    int64_t id;
    enum version_loaded what;
    diagnostics_free(l->d); /* this may run again */
    if (pool_find(c->store, l->pool, &v.pool, e) < 0) return -1;
    if (policy_pool_check(c->store, l->policy, l->pool, l->d, e) < 0)
        return err_is(e) ? -1 : policy_fail(c->call, l->d, policy_file(l->policy), e);
    if (version_load(c->store, &v, c->call->actor, c->call->now, &id, &what, e) < 0) return -1;
    c->answer =
        json_pack("{s:s, s:s, s:I, s:s, s:s, s:b, s:b}", "pool", l->pool, "policy", v.name, "version",
                  (json_int_t)v.version, "hash", hash.hex, "file", policy_file(l->policy), "already_loaded",
                  (int)(what != VERSION_NEW), "validity_changed", (int)(what == VERSION_MOVED));
    return 0;
}

static const struct column load_columns[] = {{"pool", "pool", CELL_TEXT, false},
                                             {"policy", "policy", CELL_TEXT, false},
                                             {"version", "version", CELL_COUNT, false},
                                             {"hash", "hash", CELL_TEXT, false},
                                             {NULL, NULL, CELL_TEXT, false}};

/* A bare date means its whole day: it begins with its first second, and ends with its last. */
static int date_option(struct call *call, const char *name, bool begins, struct maybe_instant *out,
                       struct err *e) {
    const char *text = call_option(call, name);
    if (!text) return 0;
    out->has = true;
    if (instant_or_date_parse(text, &out->at, e) < 0) return err_context(e, "--%s", name);
    bool is_date = strlen(text) == strlen("2027-01-01");
    if (begins && is_date) out->at = instant(out->at.s - CLOCK_DAY);
    return 0;
}

/* What the policy says of its own time; the options may only shorten it. */
static int validity(const struct policy *policy, struct loading *l, struct err *e) {
    struct maybe_instant from, until;
    policy_valid(policy, &from, &until);
    if (from.has && l->from.has && l->from.at.s < from.at.s)
        return err_set(e, ERR_USAGE, "--from is before %s, from when policy '%s' says that it is valid",
                       instant_text(from.at).s, policy_name(policy));
    if (until.has && l->until.has && l->until.at.s > until.at.s)
        return err_set(e, ERR_USAGE, "--until is after %s, until when policy '%s' says that it is valid",
                       instant_text(until.at).s, policy_name(policy));
    if (!l->from.has) l->from = from;
    if (!l->until.has) l->until = until;
    return 0;
}

char *policy_as_loaded(const struct policy *policy, struct err *e) {
    scoped_json json_t *catalogue = data_catalogue(e);
    if (!catalogue) return NULL;
    scoped_free char *text = json_canonical(catalogue);
    struct hash hash = hash_of(text, strlen(text));
    return policy_stored(policy, json_is_null(catalogue) ? NULL : hash.hex);
}

static int load_policy(struct call *call, const struct policy *policy, struct err *e) {
    scoped_json json_t *answer = NULL;
    struct loading l = {.policy = policy, .pool = call_option(call, "pool")};
    if (!l.pool) l.pool = policy_pool(policy);
    if (date_option(call, "from", true, &l.from, e) < 0 ||
        date_option(call, "until", false, &l.until, e) < 0 || validity(policy, &l, e) < 0)
        return -1;
    scoped_free char *stored = policy_as_loaded(policy, e);
    if (!stored) return -1;
    l.stored = stored;
    l.d = mem_alloc(sizeof *l.d);
    int status = change_run(call, load_body, &l, stored, &answer, e);
    diagnostics_free(l.d);
    free(l.d);
    if (status < 0 || call->quiet) return status;
    if (output_object(call, load_columns, answer, e) < 0) return -1;
    bool moved = json_is_true(json_object_get(answer, "validity_changed"));
    if (json_is_true(json_object_get(answer, "already_loaded")))
        output_say(call, "%s",
                   moved ? output_choose(call, "already loaded; its validity was changed",
                                         "이미 적재된 정책이며 유효 기간을 바꿨습니다")
                         : output_choose(call, "already loaded", "이미 적재된 정책입니다"));
    return status;
}

static int load_run(struct call *call, struct err *e) {
    scoped_free char *path = policy_path(call->arguments[0], e);
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy *policy = path ? policy_read(path, d, e) : NULL;
    int status = -1;
    if (policy) {
        policy_warn(call, d);
        status = load_policy(call, policy, e);
    } else if (!err_is(e)) {
        policy_fail(call, d, call->arguments[0], e);
    }
    policy_free(policy);
    diagnostics_free(d);
    free(d);
    return status;
}

static const struct option load_options[] = {
    {"pool", "POOL", "the pool that it shall rule; else the one that it names", false},
    {"from", "TIME", "it decides nothing before", false},
    {"until", "TIME", "it decides nothing from then on", false},
    {NULL, NULL, NULL, false}};

/* ---- show, history ---- */

int policy_some_pool(struct call *call, const char *name, const char *how, int64_t *pool, struct err *e) {
    if (name) return pool_find(call->store, name, pool, e);
    int64_t n = 0;
    if (sql_int(call->store, e, &n, "SELECT count(*) FROM pool WHERE id > 0", "") < 0) return -1;
    if (n == 1) return sql_int(call->store, e, pool, "SELECT id FROM pool WHERE id > 0", "") < 0 ? -1 : 0;
    if (n == 0) return err_set(e, ERR_NOT_FOUND, "there is no pool");
    scoped_free char *names = NULL;
    if (sql_text(call->store, e, &names,
                 "SELECT group_concat(name, ', ') FROM (SELECT name FROM pool WHERE id > 0 ORDER BY name "
                 "LIMIT 20)",
                 "") < 0)
        return -1;
    err_set(e, ERR_USAGE, "there are %lld pools: name one", (long long)n);
    return err_hint(e, "%s (%s)", how, names ? names : "");
}

static const struct column version_columns[] = {{"pool", "POOL", CELL_TEXT, false},
                                                {"name", "POLICY", CELL_TEXT, false},
                                                {"version", "VERSION", CELL_COUNT, false},
                                                {"active", "ACTIVE", CELL_YES, false},
                                                {"valid_from", "FROM", CELL_INSTANT, false},
                                                {"valid_until", "UNTIL", CELL_END, false},
                                                {"loaded_at", "LOADED", CELL_INSTANT, false},
                                                {"loaded_by", "BY", CELL_TEXT, false},
                                                {"hash", "HASH", CELL_TEXT, true},
                                                {NULL, NULL, CELL_TEXT, false}};

static int history_run(struct call *call, struct err *e) {
    int64_t pool = 0;
    if (call->n_arguments && pool_find(call->store, call->arguments[0], &pool, e) < 0) return -1;
    scoped_json json_t *rows = version_list(call->store, pool, call->now, e);
    return rows ? output_list(call, version_columns, rows, e) : -1;
}

static json_t *active_row(struct call *call, int64_t pool, struct err *e) {
    scoped_json json_t *rows = version_list(call->store, pool, call->now, e);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i,
                       row) if (json_is_true(json_object_get(row, "active"))) return json_incref(row);
    if (rows) err_set(e, ERR_NOT_FOUND, "no policy of the pool is valid at %s", instant_text(call->now).s);
    if (rows && json_array_size(rows) == 0) err_hint(e, "load one: allot policy load pilot");
    return NULL;
}

static int show_run(struct call *call, struct err *e) {
    int64_t pool;
    if (policy_some_pool(call, call->n_arguments ? call->arguments[0] : NULL, "allot policy show POOL", &pool,
                         e) < 0)
        return -1;
    scoped_json json_t *row = active_row(call, pool, e);
    scoped_free char *stored = NULL;
    if (!row || version_stored(call->store, json_integer_value(json_object_get(row, "id")), &stored, e) < 0)
        return -1;
    json_object_set_new(row, "stored", json_loads(stored, 0, NULL));
    if (output_object(call, version_columns, row, e) < 0) return -1;
    const char *text = json_string_value(json_object_get(json_object_get(row, "stored"), "text"));
    if (strcmp(call->format, "table") != 0 || call->quiet || !text) return 0;
    fputc('\n', call->out);
    output_safe(call->out, text);
    return 0;
}

const struct command policy_commands[] = {
    {.words = "policy check",
     .arguments = "FILE...",
     .least = 1,
     .most = -1,
     .summary = "say everything that is wrong with policies",
     .flags = COMMAND_NO_STORE | COMMAND_LISTS,
     .role = ROLE_NONE,
     .options = check_options,
     .run = check_run},
    {.words = "policy load",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .summary = "let a policy decide: a file, or the name of a shipped one",
     .flags = COMMAND_CHANGES | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = load_options,
     .run = load_run},
    {.words = "policy show",
     .arguments = "[POOL]",
     .least = 0,
     .most = 1,
     .summary = "show the policy that decides now, with its text",
     .flags = COMMAND_SHOWS,
     .role = ROLE_AUDITOR,
     .run = show_run},
    {.words = "policy history",
     .arguments = "[POOL]",
     .least = 0,
     .most = 1,
     .summary = "list every version ever loaded",
     .flags = COMMAND_LISTS,
     .role = ROLE_AUDITOR,
     .run = history_run},
    {.words = "policy share",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .summary = "share capacities among claims, step by step",
     .flags = COMMAND_NO_STORE | COMMAND_BARE | COMMAND_SHOWS,
     .role = ROLE_NONE,
     .run = policy_share_run},
    {.words = NULL}};
