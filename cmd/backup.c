/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fsck.h"
#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/books.h"
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- backup ---- */

/* The copy is checked under another name: what has the wanted one is good. */
static int copy_check(const char *copy, json_t **report, struct err *e) {
    struct store *s = store_open(copy, STORE_READ, e);
    *report = s ? fsck_run(s, e) : NULL;
    store_close(s);
    return *report ? 0 : -1;
}

static int name_give(const char *copy, const char *path, struct err *e) {
    char folder[4096];
    if (rename(copy, path) < 0) return err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno));
    text_format(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    scoped_fd int fd = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno)) : 0;
}

static const char *first_finding(const json_t *report) {
    const json_t *first = json_array_get(json_object_get(report, "findings"), 0);
    return json_string_value(json_object_get(first, "what"));
}

static int answer_backup(struct call *call, const char *path, const json_t *report, struct err *e) {
    static const struct column columns[] = {{"backup", "backup", CELL_TEXT, false},
                                            {"storage_bytes", "size", CELL_BYTES, true},
                                            {"entries", "entries", CELL_COUNT, false},
                                            {"grants", "grants", CELL_COUNT, false},
                                            {NULL, NULL, CELL_TEXT, false}};
    struct stat st = {0};
    stat(path, &st);
    scoped_json json_t *answer =
        json_pack("{s:s,s:I,s:O,s:O}", "backup", path, "storage_bytes", (json_int_t)st.st_size, "entries",
                  json_object_get(report, "entries"), "grants", json_object_get(report, "grants"));
    return call->quiet ? 0 : output_object(call, columns, answer, e);
}

static int run_backup(struct call *call, struct err *e) {
    const char *path = call->arguments[0];
    char copy[4096], broken[4096];
    if (text_format(copy, sizeof copy, "%s.unchecked", path) < 0 ||
        text_format(broken, sizeof broken, "%s.broken", path) < 0)
        return err_set(e, ERR_USAGE, "the path is too long");
    if (access(path, F_OK) == 0 && !call_flag(call, "replace")) {
        err_set(e, ERR_CONFLICT, "%s exists already", path);
        return err_hint(e, "--replace puts the new backup in its place once it is checked");
    }
    unlink(copy);
    scoped_json json_t *report = NULL;
    if (store_backup(call->store, copy, e) < 0) return -1;
    if (copy_check(copy, &report, e) < 0) {
        unlink(copy);
        return -1;
    }
    if (json_is_true(json_object_get(report, "clean")))
        return name_give(copy, path, e) < 0 ? -1 : answer_backup(call, path, report, e);
    if (name_give(copy, broken, e) < 0) return -1;
    err_set(e, ERR_BOOKS, "the copy is kept as %s, but its books do not close: %s", broken,
            first_finding(report));
    return err_hint(e, "all findings: allot fsck");
}

static const struct option backup_options[] = {
    {"replace", NULL, "replace an existing file, after the new one was checked", false},
    {NULL, NULL, NULL, false}};

/* ---- restore ---- */

struct restoring {
    const struct call *call;
    const char *from;
    int64_t entries, epoch;
    char id[16];
};

/* In the transaction that begins the new epoch. */
static int restore_note(struct store *s, void *arg, struct err *e) {
    struct restoring *r = arg;
    scoped_free char *actor = books_actor(r->call), *id = NULL;
    struct book b;
    if (sql_int(s, e, &r->entries, "SELECT max(seq) FROM entry", "") < 0 ||
        sql_int(s, e, &r->epoch, "SELECT epoch FROM store", "") < 0 ||
        sql_text(s, e, &id, "SELECT id FROM store", "") < 0)
        return -1;
    text_format(r->id, sizeof r->id, "%s", id ? id : "");
    if (book_open(&b, s, 0, actor, r->call->now, e) < 0) return -1;
    char words[160];
    text_format(words, sizeof words, "epoch %lld begins after entry %lld", (long long)r->epoch,
                (long long)r->entries);
    return book_note(&b, "store.restore", 0, words, e) < 0 ? -1 : book_close(&b, e);
}

static int answer_restore(struct call *call, const struct restoring *r, const char *to, struct err *e) {
    static const struct column columns[] = {{"store", "store", CELL_TEXT, false},
                                            {"id", "id", CELL_TEXT, false},
                                            {"epoch", "epoch", CELL_COUNT, false},
                                            {"entries", "entries", CELL_COUNT, false},
                                            {NULL, NULL, CELL_TEXT, false}};
    scoped_json json_t *answer = json_pack("{s:s,s:s,s:I,s:I}", "store", to, "id", r->id, "epoch",
                                           (json_int_t)r->epoch, "entries", (json_int_t)r->entries);
    if (output_object(call, columns, answer, e) < 0) return -1;
    output_say(call, "next: allot reconcile --dry-run --store %s, then the same without --dry-run", to);
    output_say(call, "what was granted after the backup shows there as orphans; nothing of it is removed by "
                     "itself");
    return 0;
}

static int run_restore(struct call *call, struct err *e) {
    const char *from = call->arguments[0], *to = call_option(call, "to");
    if (!to) {
        err_set(e, ERR_USAGE, "restore needs --to PATH");
        return err_hint(e, "a store is never overwritten: name a path where there is none");
    }
    struct restoring r = {.call = call, .from = from};
    if (store_restore(from, to, restore_note, &r, e) < 0) return -1;
    scoped_json json_t *report = NULL;
    struct store *s = store_open(to, STORE_READ, e);
    if (s) report = fsck_run(s, e);
    store_close(s);
    if (!report) return -1;
    if (answer_restore(call, &r, to, e) < 0) return -1;
    if (json_is_true(json_object_get(report, "clean"))) return 0;
    err_set(e, ERR_BOOKS, "restored to %s, but its books do not close: %s", to, first_finding(report));
    return err_hint(e, "all findings: allot fsck --store %s", to);
}

static const struct option restore_options[] = {
    {"to", "PATH", "the path of the new store; nothing may be there", false}, {NULL, NULL, NULL, false}};

const struct command backup_commands[] = {
    {.words = "backup",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .summary = "copy the store to FILE while others work, and check the copy",
     .flags = COMMAND_SHOWS,
     .role = ROLE_OPERATOR, /* it reads, and writes only a file that its caller may write; a timer runs it */
     .options = backup_options,
     .run = run_backup},
    {.words = "restore",
     .arguments = "BACKUP",
     .least = 1,
     .most = 1,
     .summary = "make a store out of a backup, in a new epoch",
     .flags = COMMAND_NO_STORE | COMMAND_SHOWS,
     .role = ROLE_ADMIN,
     .options = restore_options,
     .run = run_restore},
    {.words = NULL},
};
