/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/store/internal.h"

#include "alloc/hash.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int store_check(struct store *s, struct err *e) {
    struct rows r;
    int rc = rows_open(&r, s, e, "PRAGMA integrity_check(20)", "");
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        rc = 0;
        if (strcmp(rows_text(&r, 0), "ok") != 0)
            rc = err_set(e, ERR_BOOKS, "store %s is damaged: %s", s->path, rows_text(&r, 0));
    }
    rows_close(&r);
    if (rc < 0) return -1;
    rc = rows_open(&r, s, e, "PRAGMA foreign_key_check", "");
    if (rc == 0 && (rc = rows_next(&r, e)) == 1)
        rc = err_set(e, ERR_BOOKS, "store %s: table %s names a row that is not there", s->path,
                     rows_text(&r, 0));
    rows_close(&r);
    return rc;
}

static int copy_into(struct store *from, sqlite3 *to, const char *path, struct err *e) {
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from->db, "main");
    if (!copy) return err_set(e, ERR_FAILED, "backup %s: %s", path, sqlite3_errmsg(to));
    int code = sqlite3_backup_step(copy, -1); /* under our turn nobody writes, so one step suffices */
    sqlite3_backup_finish(copy);
    if (code == SQLITE_DONE) return 0;
    return err_set(e, ERR_FAILED, "backup %s: %s", path, sqlite3_errstr(code));
}

static int sync_file(const char *path, struct err *e) {
    char folder[4096];
    text_format(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *(slash == folder ? slash + 1 : slash) = '\0';
    const char *const both[] = {path, slash ? folder : "."};
    for (size_t i = 0; i < 2; i++) {
        scoped_fd int fd = open(both[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0) return err_set(e, ERR_FAILED, "%s: %s", both[i], strerror(errno));
    }
    return 0;
}

static const char *const side_ends[] = {"-wal", "-shm", "-journal", ".lock", NULL};

static void sides_remove(const char *path) {
    char side[4096 + 16];
    for (size_t i = 0; side_ends[i]; i++)
        if (text_format(side, sizeof side, "%s%s", path, side_ends[i]) == 0) unlink(side);
}

/* Copies the open store to path by way of path.part, so that a name that exists is a whole copy. */
static int copy_to(struct store *s, const char *path, bool with_turn, struct err *e) {
    char part[4096];
    if (text_format(part, sizeof part, "%s.part", path) < 0) return err_set(e, ERR_USAGE, "path is too long");
    if (access(path, F_OK) == 0) return err_set(e, ERR_CONFLICT, "%s exists already", path);
    unlink(part);
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) return err_set(e, ERR_FAILED, "%s: %s", part, strerror(errno));
    close(fd);
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL) == SQLITE_OK
                 ? 0
                 : err_set(e, ERR_FAILED, "%s: %s", part, sqlite3_errmsg(to));
    if (rc == 0 && with_turn) rc = store_turn_take(s, e);
    if (rc == 0) {
        rc = copy_into(s, to, path, e);
        if (with_turn) store_turn_give(s);
    }
    sqlite3_close(to);
    struct store *copy = rc == 0 ? store_handle(part, SQLITE_OPEN_READWRITE, e) : NULL;
    if (rc == 0) rc = copy ? store_check(copy, e) : -1;
    /* Out of WAL mode it is one file, readable where nothing can be written. */
    if (rc == 0) rc = store_exec(copy, "PRAGMA journal_mode = DELETE", "closing the copy", e);
    store_close(copy);
    sides_remove(part);
    if (rc == 0) rc = sync_file(part, e);
    if (rc == 0 && rename(part, path) < 0) rc = err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno));
    if (rc == 0) return sync_file(path, e);
    unlink(part);
    return -1;
}

/* Can a file be made there? Said of the folder that was named: the names of our steps say nobody anything. */
static int folder_check(const char *path, struct err *e) {
    char folder[4096];
    if (text_format(folder, sizeof folder, "%s", path) < 0)
        return err_set(e, ERR_USAGE, "the path is too long");
    char *slash = strrchr(folder, '/');
    if (slash) *(slash == folder ? slash + 1 : slash) = '\0';
    const char *in = slash ? folder : ".";
    if (faccessat(AT_FDCWD, in, W_OK | X_OK, AT_EACCESS) == 0) return 0;
    bool is_missing = errno == ENOENT;
    err_set(e, is_missing ? ERR_NOT_FOUND : ERR_FAILED, "the folder %s: %s", in, strerror(errno));
    return is_missing ? err_hint(e, "make it first: mkdir -p %s", in)
                      : err_hint(e, "name a folder that you may write to");
}

int store_backup(struct store *s, const char *path, struct err *e) {
    if (folder_check(path, e) < 0) return -1;
    return copy_to(s, path, !s->read_only, e);
}

struct restore {
    store_fn *first;
    void *arg;
};

static int begin_epoch(struct store *s, void *arg, struct err *e) {
    struct restore *r = arg;
    char branch[8] = "x";
    hash_random_hex(branch + 1, 7);
    if (sql_do(s, e, "UPDATE store SET epoch = epoch + 1, branch = $1", "s", branch) < 0) return -1;
    /* Any of its operations may have been sent to the backend after the backup was taken. */
    if (sql_do(s, e, "UPDATE operation SET attempts = attempts + 1", "") < 0) return -1;
    return r->first ? r->first(s, r->arg, e) : 0;
}

/* The new epoch and what belongs to it, all of it in the file itself before it gets its name. */
static int epoch_write(const char *path, struct restore *r, struct err *e) {
    struct store *s = store_handle(path, SQLITE_OPEN_READWRITE, e);
    int rc = s ? store_exec(s, "PRAGMA journal_mode = WAL", "restoring", e) : -1;
    if (rc == 0) rc = store_version_check(s, e);
    if (rc == 0) rc = store_write(s, begin_epoch, r, e);
    if (rc == 0) rc = store_exec(s, "PRAGMA wal_checkpoint(TRUNCATE)", "restoring", e);
    store_close(s);
    return rc;
}

/* A WAL left beside a path would be replayed into whatever gets that name. */
static int path_is_new(const char *path, struct err *e) {
    char wal[4096];
    if (access(path, F_OK) == 0) {
        err_set(e, ERR_CONFLICT, "%s exists already; it is kept as it is", path);
        return err_hint(e, "restore to another path, or move the old store and its -wal and -shm away");
    }
    if (text_format(wal, sizeof wal, "%s-wal", path) < 0) return err_set(e, ERR_USAGE, "path is too long");
    if (access(wal, F_OK) != 0) return 0;
    err_set(e, ERR_CONFLICT, "%s is left of an earlier store", wal);
    return err_hint(e, "move it away first: it would be mixed into the restored store");
}

/* The number that marks our files stands in the first page, at byte 68, from the first moment on. */
static int source_check(const char *from, struct err *e) {
    unsigned char head[72] = {0};
    scoped_fd int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "backup %s: %s", from,
                       strerror(errno));
    ssize_t n = read(fd, head, sizeof head);
    if (n < 0) return err_set(e, ERR_USAGE, "backup %s: %s", from, strerror(errno));
    long mark = (long)head[68] << 24 | head[69] << 16 | head[70] << 8 | head[71];
    if (memcmp(head, "SQLite format 3", 16) == 0 && mark == APPLICATION_ID) return 0;
    err_set(e, ERR_FAILED, "%s is not a store of allot, nor a backup of one", from);
    return err_hint(e, "name a file that allot backup made");
}

int store_restore(const char *from, const char *path, store_fn *first, void *arg, struct err *e) {
    char fresh[4096];
    if (path_is_new(path, e) < 0) return -1;
    if (text_format(fresh, sizeof fresh, "%s.restoring", path) < 0)
        return err_set(e, ERR_USAGE, "path is too long");
    if (source_check(from, e) < 0 || folder_check(path, e) < 0) return -1;
    struct store *source = store_handle(from, SQLITE_OPEN_READONLY, e);
    if (!source) return -1;
    unlink(fresh);
    sides_remove(fresh);
    int64_t version;
    int rc = store_origin_check(source, &version, e); /* an older one is migrated in the copy */
    if (rc == 0) rc = store_check(source, e);
    if (rc == 0) rc = copy_to(source, fresh, false, e);
    store_close(source);
    if (rc == 0) rc = epoch_write(fresh, &(struct restore){first, arg}, e);
    sides_remove(fresh);
    if (rc == 0) rc = sync_file(fresh, e);
    if (rc == 0 && rename(fresh, path) < 0) rc = err_set(e, ERR_FAILED, "%s: %s", path, strerror(errno));
    if (rc == 0) return sync_file(path, e);
    unlink(fresh);
    return -1;
}
