/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/dispatch.h"

#include "alloc/log.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum verb { VERB_SYNC, VERB_ENSURE, VERB_OBSERVE, VERB_REMOVE };
static const char *const verb_words[] = {"sync", "ensure", "observe", "remove", NULL};

/* Not an answer: what an operation holds until its backend has answered. */
#define UNANSWERED ((enum backend_answer)99)

enum injection { INJECT_NONE, INJECT_DELAY, INJECT_ERROR, INJECT_NOTHING, INJECT_REFUSED, INJECT_UNKNOWN };
static struct {
    enum injection what;
    enum verb verb;
    long long delay_ms;
    char name[64]; /* "" for all */
} inject;

int dispatch_inject(const char *specification, struct err *e) {
    static const char *const whats[] = {"", "", "error", "nothing", "refused", "unknown"};
    char copy[128];
    inject.what = INJECT_NONE;
    if (!specification) return 0;
    if (text_format(copy, sizeof copy, "%s", specification) < 0) goto wrong;
    char *at = strchr(copy, '@'), *what = strchr(copy, ':');
    if (at) *at++ = '\0';
    if (!what || text_format(inject.name, sizeof inject.name, "%s", at ? at : "") < 0) goto wrong;
    *what++ = '\0';
    int verb = -1;
    for (int i = 0; verb_words[i]; i++)
        if (strcmp(verb_words[i], copy) == 0) verb = i;
    if (verb < 0) goto wrong;
    inject.verb = (enum verb)verb;
    if (strncmp(what, "delay=", 6) == 0 && text_to_int(what + 6, 0, 600000, &inject.delay_ms) == 0) {
        inject.what = INJECT_DELAY;
        return 0;
    }
    for (int i = INJECT_ERROR; i <= INJECT_UNKNOWN; i++)
        if (strcmp(whats[i], what) == 0) inject.what = (enum injection)i;
    if (inject.what != INJECT_NONE) return 0;
wrong:
    return err_set(e, ERR_USAGE, "injection \"%s\": want VERB:WHAT[@NAME]", specification);
}

static bool injected(enum verb verb, enum injection what) {
    return inject.what == what && inject.verb == verb;
}

static bool injected_for(enum verb verb, enum injection what, const struct backend_operation *op) {
    return injected(verb, what) && (!inject.name[0] || strcmp(inject.name, op->name) == 0);
}

static void inject_delay(enum verb verb) {
    if (!injected(verb, INJECT_DELAY)) return;
    struct timespec t = {inject.delay_ms / 1000, (inject.delay_ms % 1000) * 1000000};
    while (nanosleep(&t, &t) < 0) continue;
}

static void log_call(enum verb verb, const struct backend *b, const struct backend_pool *pool, size_t n,
                     int64_t start_ms, int rc, const struct err *e) {
    if (!log_wants(LOG_AT_DEBUG)) return;
    log_event(LOG_AT_DEBUG, "backend.call",
              json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "verb", verb_words[verb], "backend", b->name,
                        "pool", pool->name ? pool->name : "", "things", (json_int_t)n, "ms",
                        (json_int_t)(clock_monotonic_ms() - start_ms), "result",
                        rc < 0 ? e->what : "answered"));
}

static void log_operation(enum verb verb, const struct backend_operation *op) {
    if (!log_wants(LOG_AT_DEBUG)) return;
    log_event(LOG_AT_DEBUG, "backend.operation",
              json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:s?}", "verb", verb_words[verb], "operation_token",
                        op->token, "host", op->host, "name", op->name, "answer",
                        backend_answer_word(op->answer), "detail", op->detail));
}

/* ---- arguments ---- */

static bool made_of(const char *s, const char *set, size_t most) {
    size_t n = s ? strspn(s, set) : 0;
    return n > 0 && n <= most && s[n] == '\0';
}

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool name_is_good(const char *name) {
    return made_of(name, ALNUM "._-", 63) && name[0] != '.' && name[0] != '-';
}

static bool key_is_good(const char *key) { return key && *key && text_is_printable(key); }

static int server_check(const struct backend_operation *op, struct err *e) {
    if (!op->flavor || !*op->flavor || op->units < 1 || op->units > UNITS_MOST)
        return err_set(e, ERR_FAILED, "operation %s: a server needs a flavor and at least one unit",
                       op->token);
    if (op->n_slots != 0 && op->n_slots != (size_t)op->units)
        return err_set(e, ERR_FAILED, "operation %s: %zu slots for %lld units", op->token, op->n_slots,
                       (long long)op->units);
    for (size_t i = 0; i < op->n_slots; i++)
        if (!op->slots[i].name || !op->slots[i].address || !op->slots[i].attach)
            return err_set(e, ERR_FAILED, "operation %s: slot %zu is not complete", op->token, i);
    for (size_t i = 0; i < op->n_disks; i++)
        if (!name_is_good(op->disks[i].name) || !made_of(op->disks[i].token, ALNUM ".", 63))
            return err_set(e, ERR_FAILED, "operation %s: disk %zu has no good name or token", op->token, i);
    for (size_t i = 0; i < op->n_ssh_keys; i++)
        if (!key_is_good(op->ssh_keys[i]))
            return err_set(e, ERR_FAILED, "operation %s: SSH key %zu is not one line of text", op->token, i);
    return 0;
}

/* A cloud without hosts is host "". */
static bool host_is_good(const struct backend_pool *pool, const char *host) {
    return host && (*host || pool->n_hosts == 0);
}

static int quota_check(const struct backend_operation *op, struct err *e) {
    const struct backend_quota *q = &op->quota;
    for (size_t i = 0; i < q->n_limits; i++)
        if (!q->limits[i].flavor || q->limits[i].units < 0 ||
            (i > 0 && strcmp(q->limits[i - 1].flavor, q->limits[i].flavor) >= 0))
            return err_set(e, ERR_FAILED, "operation %s: its limits are not ordered by flavor", op->token);
    if (q->storage.n < 0 || q->datalake.n < 0)
        return err_set(e, ERR_FAILED, "operation %s: a quota of less than nothing", op->token);
    return 0;
}

static int operation_check(enum verb verb, const struct backend_pool *pool,
                           const struct backend_operation *op, struct err *e) {
    if (!made_of(op->token, ALNUM ".", 63))
        return err_set(e, ERR_FAILED, "an operation has no good token: \"%.80s\"",
                       op->token ? op->token : "");
    if (!name_is_good(op->name))
        return err_set(e, ERR_FAILED, "operation %s: \"%.80s\" is not a name for a backend", op->token,
                       op->name ? op->name : "");
    if (!host_is_good(pool, op->host)) return err_set(e, ERR_FAILED, "operation %s: no host", op->token);
    if (op->detail || op->connection)
        return err_set(e, ERR_FAILED, "operation %s: has an answer already", op->token);
    if (op->kind == BACKEND_QUOTA && quota_check(op, e) < 0) return -1;
    if (verb == VERB_REMOVE) return 0;
    if (!op->tenant || !op->grant || !text_is_printable(op->tenant) || !text_is_printable(op->grant))
        return err_set(e, ERR_FAILED, "operation %s: tenant and grant must be printable text", op->token);
    if (op->kind == BACKEND_SERVER) return server_check(op, e);
    if (op->kind == BACKEND_QUOTA) return 0;
    if (op->bytes.n < 1 || op->bytes.n > BYTES_MOST)
        return err_set(e, ERR_FAILED, "operation %s: a %s of %lld bytes", op->token,
                       backend_kind_words[op->kind], (long long)op->bytes.n);
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int tokens_check(const struct backend_operation *ops, size_t n, struct err *e) {
    const char **tokens scoped_free = mem_alloc(n * sizeof *tokens);
    for (size_t i = 0; i < n; i++) tokens[i] = ops[i].token;
    qsort(tokens, n, sizeof *tokens, by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(tokens[i - 1], tokens[i]) == 0)
            return err_set(e, ERR_FAILED, "token %s stands twice in one call", tokens[i]);
    return 0;
}

static int pool_check(const struct backend *b, const struct backend_pool *pool, struct err *e) {
    if (strcmp(b->build_id, BACKEND_BUILD_ID) != 0)
        return err_set(e, ERR_FAILED, "backend %s is of another build", b->name);
    if (!pool->name || !pool->store_id || !made_of(pool->store_id, ALNUM, 40))
        return err_set(e, ERR_FAILED, "a pool has no name or no store id");
    if (pool->deadline_ms < 1)
        return err_set(e, ERR_FAILED, "pool %s: a call to a backend needs a deadline", pool->name);
    for (size_t i = 0; i < pool->n_hosts; i++)
        if (!pool->hosts[i].name || !*pool->hosts[i].name || !pool->hosts[i].uri)
            return err_set(e, ERR_FAILED, "pool %s: host %zu has no name or no URI", pool->name, i);
    return 0;
}

/* ---- calls ---- */

static bool pool_has_host(const struct backend_pool *pool, const char *host) {
    for (size_t i = 0; i < pool->n_hosts; i++)
        if (strcmp(pool->hosts[i].name, host) == 0) return true;
    return pool->n_hosts == 0 && *host == '\0';
}

static void answer(struct backend_operation *op, enum backend_answer a, const char *words) {
    op->answer = a;
    if (!op->detail) op->detail = mem_copy(words);
}

/* Every operation has an answer, and every answer that needs words has them. */
static void answers_complete(const struct backend_pool *pool, struct backend_operation *ops, size_t n, int rc,
                             const struct err *e) {
    for (size_t i = 0; i < n; i++) {
        struct backend_operation *op = &ops[i];
        if (op->answer == UNANSWERED && !pool_has_host(pool, op->host)) {
            struct text words scoped_text = {0};
            text_add(&words, "host %s is not one of pool %s", op->host, pool->name);
            answer(op, BACKEND_NOTHING_HAPPENED, words.s);
        } else if (op->answer == UNANSWERED && rc < 0) {
            answer(op, e->code == ERR_UNKNOWN ? BACKEND_UNKNOWN : BACKEND_NOTHING_HAPPENED, e->what);
        } else if (op->answer > BACKEND_UNKNOWN) {
            answer(op, BACKEND_UNKNOWN, "the backend gave no answer");
        } else if (op->answer != BACKEND_DONE && op->answer != BACKEND_STARTED && !op->detail) {
            answer(op, op->answer, "the backend gave no reason");
        }
    }
}

typedef int operations_call(const struct backend_pool *, struct backend_operation *, size_t, struct err *);

/* The call with what a test injects around it. Kept apart operations never reach the backend. */
static int operations_injected(enum verb verb, operations_call *call, const struct backend_pool *pool,
                               struct backend_operation *ops, size_t n, struct err *e) {
    if (injected(verb, INJECT_ERROR))
        return err_set(e, ERR_FAILED, "injected failure of %s", verb_words[verb]);
    size_t kept = 0;
    struct backend_operation *through scoped_free = mem_alloc(n * sizeof *through);
    size_t *from scoped_free = mem_alloc(n * sizeof *from);
    for (size_t i = 0; i < n; i++) {
        if (injected_for(verb, INJECT_NOTHING, &ops[i])) {
            answer(&ops[i], BACKEND_NOTHING_HAPPENED, "injected");
        } else if (injected_for(verb, INJECT_REFUSED, &ops[i])) {
            answer(&ops[i], BACKEND_REFUSED, "injected");
        } else {
            from[kept] = i;
            through[kept++] = ops[i];
        }
    }
    int rc = kept ? call(pool, through, kept, e) : 0;
    for (size_t k = 0; k < kept; k++) {
        struct backend_operation *op = &ops[from[k]];
        *op = through[k];
        if (!injected_for(verb, INJECT_UNKNOWN, op)) continue;
        free(op->detail);
        json_decref(op->connection);
        op->detail = NULL;
        op->connection = NULL;
        answer(op, BACKEND_UNKNOWN, "injected");
    }
    return rc;
}

static int operations_dispatch(enum verb verb, const struct backend *b, operations_call *call,
                               const struct backend_pool *pool, struct backend_operation *ops, size_t n,
                               struct err *e) {
    int64_t start = clock_monotonic_ms();
    struct err own = {0};
    int rc = call ? pool_check(b, pool, &own)
                  : err_set(&own, ERR_FAILED, "backend %s cannot %s", b->name, verb_words[verb]);
    for (size_t i = 0; rc == 0 && i < n; i++) rc = operation_check(verb, pool, &ops[i], &own);
    if (rc == 0) rc = tokens_check(ops, n, &own);
    for (size_t i = 0; i < n; i++) ops[i].answer = UNANSWERED;
    if (rc == 0 && n > 0) {
        inject_delay(verb);
        rc = inject.what == INJECT_NONE ? call(pool, ops, n, &own)
                                        : operations_injected(verb, call, pool, ops, n, &own);
    }
    answers_complete(pool, ops, n, rc, &own);
    for (size_t i = 0; i < n; i++) log_operation(verb, &ops[i]);
    log_call(verb, b, pool, n, start, rc, &own);
    if (rc < 0) {
        err_set(e, own.code, "%s", own.what);
        if (own.hint[0]) err_hint(e, "%s", own.hint);
    }
    return rc;
}

int dispatch_ensure(const struct backend *b, const struct backend_pool *pool, struct backend_operation *ops,
                    size_t n, struct err *e) {
    return operations_dispatch(VERB_ENSURE, b, b->ensure, pool, ops, n, e);
}

int dispatch_remove(const struct backend *b, const struct backend_pool *pool, struct backend_operation *ops,
                    size_t n, struct err *e) {
    return operations_dispatch(VERB_REMOVE, b, b->remove, pool, ops, n, e);
}

typedef int view_call(const struct backend_pool *, struct backend_view *, struct err *);

/* All hosts silent: what a caller sees when the answer was lost on the way. */
static void view_lose(const struct backend_pool *pool, struct backend_view *view) {
    backend_view_free(view);
    view->n_hosts = pool->n_hosts ? pool->n_hosts : 1;
    view->hosts = mem_alloc(view->n_hosts * sizeof *view->hosts);
    for (size_t i = 0; i < view->n_hosts; i++) {
        view->hosts[i].host = mem_copy(pool->n_hosts ? pool->hosts[i].name : "");
        view->hosts[i].detail = mem_copy("injected");
    }
}

/* Every host of the pool has its report: a missing one would let its things pass for absent. */
static int view_check(const struct backend_pool *pool, const struct backend_view *view, struct err *e) {
    scoped_json json_t *reported = json_object();
    for (size_t k = 0; k < view->n_hosts; k++)
        json_object_set_new(reported, view->hosts[k].host, json_true());
    for (size_t i = 0; i < pool->n_hosts; i++)
        if (!json_object_get(reported, pool->hosts[i].name))
            return err_set(e, ERR_FAILED, "the backend of pool %s says nothing about host %s", pool->name,
                           pool->hosts[i].name);
    if (pool->n_hosts == 0 && !json_object_get(reported, ""))
        return err_set(e, ERR_FAILED, "the backend of pool %s does not say whether it answered", pool->name);
    return 0;
}

static int view_dispatch(enum verb verb, const struct backend *b, view_call *call,
                         const struct backend_pool *pool, struct backend_view *out, struct err *e) {
    int64_t start = clock_monotonic_ms();
    struct err own = {0};
    *out = (struct backend_view){0};
    int rc = call ? pool_check(b, pool, &own)
                  : err_set(&own, ERR_FAILED, "backend %s cannot %s", b->name, verb_words[verb]);
    if (rc == 0) inject_delay(verb);
    if (rc == 0 && injected(verb, INJECT_ERROR))
        rc = err_set(&own, ERR_FAILED, "injected failure of %s", verb_words[verb]);
    if (rc == 0) rc = call(pool, out, &own);
    if (rc == 0 && injected(verb, INJECT_UNKNOWN)) view_lose(pool, out);
    if (rc == 0) rc = view_check(pool, out, &own);
    log_call(verb, b, pool, out->n_seen + out->n_slots, start, rc, &own);
    if (rc < 0) {
        backend_view_free(out);
        err_set(e, own.code, "%s", own.what);
        if (own.hint[0]) err_hint(e, "%s", own.hint);
    }
    return rc;
}

int dispatch_sync(const struct backend *b, const struct backend_pool *pool, struct backend_view *out,
                  struct err *e) {
    return view_dispatch(VERB_SYNC, b, b->sync, pool, out, e);
}

int dispatch_observe(const struct backend *b, const struct backend_pool *pool, struct backend_view *out,
                     struct err *e) {
    return view_dispatch(VERB_OBSERVE, b, b->observe, pool, out, e);
}

int dispatch_check(const struct backend *b, const struct backend_pool *pool, unsigned *capabilities,
                   struct err *e) {
    *capabilities = 0;
    struct backend_pool checked = *pool;
    if (checked.deadline_ms < 1) checked.deadline_ms = 1; /* check touches no host */
    if (pool_check(b, &checked, e) < 0) return -1;
    if (!b->check) return err_set(e, ERR_FAILED, "backend %s cannot check a pool", b->name);
    if (b->check(&checked, capabilities, e) < 0) return -1;
    if ((*capabilities & BACKEND_HAS_SLOTS) && (*capabilities & (BACKEND_HAS_PROJECTS | BACKEND_BY_QUOTA)))
        return err_set(e, ERR_FAILED, "backend %s lists devices, and has projects or quotas", b->name);
    return 0;
}
