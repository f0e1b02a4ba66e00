/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/audit.h"

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

static int run_head(struct call *call, struct err *e) {
    const char *key = books_key(call, e), *out = call_option(call, "out");
    if (!key) return -1;
    scoped_free char *text = audit_head(call->store, call->now, key, e);
    if (!text) return -1;
    if (out) return head_append(out, text, e);
    fputs(text, call->out);
    return 0;
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

static int run_show(struct call *call, struct err *e) {
    static const struct column columns[] = {{"seq", "ENTRY", CELL_COUNT, false},
                                            {"at", "AT", CELL_INSTANT, false},
                                            {"actor", "ACTOR", CELL_TEXT, false},
                                            {"kind", "KIND", CELL_TEXT, false},
                                            {"pool", "POOL", CELL_TEXT, true},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"request", "REQUEST", CELL_TEXT, true},
                                            {"grant", "GRANT", CELL_TEXT, false},
                                            {"item", "ITEM", CELL_TEXT, false},
                                            {"from", "FROM", CELL_TEXT, false},
                                            {"to", "TO", CELL_TEXT, false},
                                            {"quantity", "QUANTITY", CELL_COUNT, false},
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
    if (books_span(call, &f.since, &f.until, e) < 0) return -1;
    scoped_json json_t *rows = audit_entries(call->store, &f, e);
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
    fputs(half, call->out);
    return 0;
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
     .flags = COMMAND_NO_STORE,
     .role = ROLE_ADMIN,
     .options = key_options,
     .run = run_key},
    {.words = NULL},
};
