/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/audit.h"

#include "alloc/amount.h"
#include "alloc/file.h"
#include "alloc/hash.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/books.h"
#include "cmd/config.h"
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { HEADS_MOST = 64 << 20 };

/* ---- head ---- */

/* Appends, so that one file gathers all heads. */
static int head_append(const char *path, const char *text, struct err *e) {
    scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    size_t length = strlen(text);
    bool good = fd >= 0 && write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    return good ? 0 : err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno));
}

/* A text with a signature is one string in JSON: its bytes are what was signed. */
static int print_text(struct call *call, const char *key, const char *text, struct err *e) {
    static const struct column none[] = {{NULL, NULL, CELL_TEXT, false}};
    if (strcmp(call->format, "json") == 0) {
        scoped_json json_t *answer = json_pack("{s:s}", key, text);
        return output_object(call, none, answer, e);
    }
    fputs(text, call->out);
    return 0;
}

static int run_head(struct call *call, struct err *e) {
    const char *key = books_key(call, e), *out = call_option(call, "out");
    if (!key) return -1;
    scoped_free char *text = audit_head(call->store, call->now, key, e);
    if (!text) return -1;
    if (out) return head_append(out, text, e);
    return print_text(call, "head", text, e);
}

/* The number behind the last line "entries N" of a text; -1: none. */
static long long last_entries(const char *text) {
    static const char word[] = "\nentries ";
    long long n = -1;
    char digits[24];
    for (const char *at = text; (at = strstr(at, word)); at++) {
        text_format(digits, sizeof digits, "%.*s", (int)strspn(at + strlen(word), "0123456789"),
                    at + strlen(word));
        if (text_to_int(digits, 0, INT64_MAX, &n) < 0) n = -1;
    }
    return n;
}

/* Does the end of the file say the same already? A quiet night shall not fill it. */
static bool is_published(const char *path, const char *text) {
    char tail[65536];
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof tail - 1 ? size - (off_t)sizeof tail + 1 : 0;
    ssize_t n = size < 0 ? -1 : pread(fd, tail, sizeof tail - 1, from);
    if (n <= 0) return false;
    tail[n] = '\0';
    return last_entries(tail) == last_entries(text);
}

static void head_log(const char *text) {
    openlog("allot", LOG_PID, LOG_AUTHPRIV);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        syslog(LOG_NOTICE, "head: %.*s", (int)strcspn(line, "\n"), line);
    closelog();
}

int audit_publish(struct store *s, const struct config *config, instant_t now, struct err *e) {
    if (!config || !config->audit_key || (!config->head_file && !config->head_syslog)) return 0;
    scoped_free char *text = audit_head(s, now, config->audit_key, e);
    if (!text) return -1;
    if (config->head_syslog) head_log(text);
    if (!config->head_file || is_published(config->head_file, text)) return 0;
    return head_append(config->head_file, text, e);
}

static const struct option head_options[] = {
    {"key", "FILE", "the signing key, instead of the configured one", false},
    {"out", "FILE", "append the head to FILE instead of printing it", false},
    {NULL, NULL, NULL, false}};

/* ---- verify ---- */

static int report_findings(struct call *call, const json_t *report, struct err *e) {
    const json_t *findings = json_object_get(report, "findings");
    size_t i, n = json_array_size(findings);
    const json_t *one;
    bool is_json = strcmp(call->format, "json") == 0;
    static const struct column columns[] = {{NULL, NULL, CELL_TEXT, false}};
    if (is_json && output_object(call, columns, report, e) < 0) return -1;
    json_array_foreach(findings, i, one) if (!is_json && i < 50) {
        output_safe(call->out, json_string_value(one));
        fputc('\n', call->out);
    }
    long long entries = json_integer_value(json_object_get(report, "entries"));
    long long heads = json_integer_value(json_object_get(report, "heads"));
    if (n == 0 && heads)
        output_say(call, "%lld entries: both chains are whole, and %lld signed %s found in them", entries,
                   heads, heads == 1 ? "head is" : "heads are");
    else if (n == 0)
        output_say(call, "%lld entries: both chains are whole", entries);
    return n == 0 ? 0 : err_set(e, ERR_BOOKS, "%zu findings in %s", n, call->store_path);
}

static int run_verify(struct call *call, struct err *e) {
    const char *path = call_option(call, "head"), *key = NULL;
    scoped_text struct text heads = {0};
    if (path && (!(key = books_key(call, e)) || file_read(path, HEADS_MOST, &heads, e) < 0)) return -1;
    scoped_json json_t *report = audit_verify(call->store, path ? heads.s : NULL, key, e);
    return report ? report_findings(call, report, e) : -1;
}

static const struct option verify_options[] = {
    {"head", "FILE", "also compare with the signed heads in FILE", false},
    {"key", "FILE", "the signing key or its public half, instead of the configured one", false},
    {NULL, NULL, NULL, false}};

/* ---- show ---- */

/* What the program writes itself; a store of another version may know more. */
static const char *const kinds[] = {
    "access.refused",   "credit.settle",    "decision.denied", "decision.granted", "decision.held",
    "decision.partial", "decision.queued",  "grant.agree",     "grant.extend",     "grant.free",
    "grant.grace",      "grant.hold",       "grant.notice",    "grant.override",   "grant.purge",
    "grant.release",    "grant.renew",      "grant.reserve",   "grant.shrink",     "grant.void",
    "offer.end",        "offer.make",       "offer.take",      "orphan.remove",    "organisation.rename",
    "policy.load",      "pool.add",         "pool.drain",      "pool.lose",        "pool.restore",
    "pool.set",         "pool.sync",        "pool.undrain",    "request.amend",    "request.approve",
    "request.deny",     "request.override", "request.return",  "request.submit",   "request.withdraw",
    "store.init",       "store.restore",    "tenant.add",      "tenant.close",     "tenant.forget",
    "tenant.personal",  "tenant.resume",    "tenant.set",      "tenant.suspend",   "thing.remove",
    "thing.vanished"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int kind_check(const struct call *call, const char *kind, struct err *e) {
    int64_t is_there = 0;
    size_t length = kind ? strlen(kind) : 0;
    if (!kind) return 0;
    for (size_t i = 0; i < KINDS; i++)
        if (strncmp(kinds[i], kind, length) == 0 && strchr(".", kinds[i][length])) return 0;
    int rc =
        sql_int(call->store, e, &is_there,
                "SELECT 1 FROM entry WHERE kind = $1 OR substr(kind, 1, length($1) + 1) = $1 || '.' LIMIT 1",
                "s", kind);
    if (rc != 0) return rc < 0 ? -1 : 0;
    err_set(e, ERR_USAGE, "there is no kind of entry '%.40s'", kind);
    const char *near = text_nearest(kind, kinds, KINDS);
    return near ? err_hint(e, "did you mean '%s'?", near)
                : err_hint(e, "a kind is like grant.reserve; grant stands for all that begin with it");
}

static int actor_check(const struct call *call, const char *actor, struct err *e) {
    int64_t is_there = 0;
    scoped_free char *like = NULL;
    if (!actor) return 0;
    int rc = sql_int(call->store, e, &is_there, "SELECT 1 FROM entry WHERE actor = $1 LIMIT 1", "s", actor);
    if (rc != 0) return rc < 0 ? -1 : 0;
    err_set(e, ERR_NOT_FOUND, "no entry was made by '%.80s'", actor);
    struct err ignored = {0};
    rc = sql_text(call->store, &ignored, &like,
                  "SELECT actor FROM entry WHERE instr(actor, $1) > 0 ORDER BY seq DESC LIMIT 1", "s", actor);
    return rc == 1 ? err_hint(e, "did you mean '%s'?", like)
                   : err_hint(e, "an actor is a role and a name, like 'admin kim' or 'tenant c0042'");
}

static int grant_check(const struct call *call, int64_t grant, struct err *e) {
    int64_t is_there = 0;
    if (grant == 0) return 0;
    int rc = sql_int(call->store, e, &is_there, "SELECT 1 FROM grants WHERE id = $1", "i", grant);
    return rc != 0 ? (rc < 0 ? -1 : 0)
                   : err_set(e, ERR_NOT_FOUND, "there is no grant g-%lld", (long long)grant);
}

/* For people in the unit of the item: storage in bytes, units as a count; a note moves nothing. */
static void show_quantities(json_t *rows) {
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const char *item = json_string_value(json_object_get(row, "item"));
        json_int_t n = json_integer_value(json_object_get(row, "quantity"));
        if (!item || !*item)
            json_object_set_new(row, "quantity", json_null());
        else if (strcmp(item, "storage") == 0 && n > 0)
            json_object_set_new(row, "quantity", json_string(bytes_text_brief(bytes(n)).s));
    }
}

static int run_show(struct call *call, struct err *e) {
    static const struct column columns[] = {
        {"seq", "ENTRY", CELL_COUNT, false},
        {"at", "AT", CELL_INSTANT, false},
        {"actor", "ACTOR", CELL_TEXT, false},
        {"kind", "KIND", CELL_STATE, false} /* a word that is never cut */,
        {"pool", "POOL", CELL_TEXT, true},
        {"tenant", "TENANT", CELL_TEXT, false},
        {"request", "REQUEST", CELL_TEXT, true},
        {"grant", "GRANT", CELL_TEXT, false},
        {"decision", "DECISION", CELL_TEXT, true},
        {"item", "ITEM", CELL_TEXT, true},
        {"from", "FROM", CELL_TEXT, true},
        {"to", "TO", CELL_TEXT, true},
        {"quantity", "QUANTITY", CELL_NUMBER, true},
        {"operation", "OPERATION", CELL_COUNT, true},
        {"detail", "DETAIL", CELL_TEXT, true},
        {NULL, NULL, CELL_TEXT, false}};
    struct audit_filter f = {.since = instant(INSTANT_LEAST), .until = instant(INSTANT_MOST)};
    const char *grant = call_option(call, "grant");
    long long number = 0;
    if (books_tenant(call, &f.tenant, e) < 0 || books_pool(call, &f.pool, e) < 0) return -1;
    if (grant && (strncmp(grant, "g-", 2) != 0 || text_to_int(grant + 2, 1, INT64_MAX, &number) < 0))
        return err_set(e, ERR_USAGE, "--grant takes a number like g-311, not '%.40s'", grant);
    f.grant = number;
    f.actor = call_option(call, "actor");
    f.kind = call_option(call, "kind");
    if (grant_check(call, f.grant, e) < 0 || kind_check(call, f.kind, e) < 0 ||
        actor_check(call, f.actor, e) < 0)
        return -1;
    if (books_span(call, &f.since, &f.until, e) < 0) return -1;
    scoped_json json_t *rows = audit_entries(call->store, &f, e);
    if (rows && strcmp(call->format, "table") == 0) show_quantities(rows);
    return rows ? output_list(call, columns, rows, e) : -1;
}

static const struct option show_options[] = {
    {"tenant", "NAME", "only entries about this tenant", false},
    {"grant", "GRANT", "only entries about this grant (g-311)", false},
    {"pool", "NAME", "only entries of this pool", false},
    {"actor", "ACTOR", "only what this one did (\"admin kim\")", false},
    {"kind", "KIND", "only this kind (grant.reserve), or all below it (grant)", false},
    {"since", "TIME", "from this time on, or from the first second of a date", false},
    {"until", "TIME", "before this time, or to the last second of a date", false},
    {NULL, NULL, NULL, false}};

/* ---- key ---- */

static int run_key(struct call *call, struct err *e) {
    const char *key = books_key(call, e);
    if (!key) return -1;
    if (call_flag(call, "create") && key_create(key, e) < 0) {
        return access(key, F_OK) == 0 ? err_hint(e, "an existing key is never replaced: without --create its "
                                                    "public half is printed")
                                      : -1;
    }
    scoped_free char *half = key_public(key, e);
    if (!half) return -1;
    return print_text(call, "public_key", half, e);
}

static const struct option key_options[] = {
    {"create", NULL, "make the key; the file must not exist", false},
    {"key", "FILE", "where it lies, instead of the configured place", false},
    {NULL, NULL, NULL, false}};

const struct command audit_commands[] = {
    {.words = "audit show",
     .arguments = "",
     .summary = "list entries of the ledger",
     .flags = COMMAND_LISTS,
     .role = ROLE_AUDITOR,
     .options = show_options,
     .run = run_show},
    {.words = "audit head",
     .arguments = "",
     .summary = "print the ends of all chains, signed",
     .flags = COMMAND_SHOWS,
     .role = ROLE_AUDITOR,
     .options = head_options,
     .run = run_head},
    {.words = "audit verify",
     .arguments = "",
     .summary = "recompute the chains and compare them with signed heads",
     .flags = COMMAND_SHOWS,
     .role = ROLE_AUDITOR,
     .options = verify_options,
     .run = run_verify},
    {.words = "audit key",
     .arguments = "",
     .summary = "make the signing key, or print its public half",
     .flags = COMMAND_NO_STORE | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = key_options,
     .run = run_key},
    {.words = NULL},
};
