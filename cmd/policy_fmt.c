/* SPDX-License-Identifier: Apache-2.0 */
/* policy fmt: policies in their canonical layout. */
#include "policies/print.h"

#include "alloc/file.h"
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a file written anew ---- */

static int put_all(int fd, const struct text *text) {
    for (size_t done = 0; done < text->length;) {
        ssize_t n = write(fd, text->s + done, text->length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        done += (size_t)n;
    }
    return fsync(fd);
}

static int folder_sync(const char *path) {
    const char *slash = strrchr(path, '/');
    scoped_free char *folder = slash ? mem_copy(path) : mem_copy(".");
    if (slash) folder[slash == path ? 1 : slash - path] = '\0';
    scoped_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

/* Whole or not at all: a neighbour takes the file's place, and its mode. */
static int file_rewrite(const char *path, const struct text *text, struct err *e) {
    struct stat st;
    scoped_text struct text near = {0};
    text_add(&near, "%s.XXXXXX", path);
    int fd = stat(path, &st) < 0 ? -1 : mkostemp(near.s, O_CLOEXEC);
    if (fd < 0) return err_set(e, ERR_FAILED, "cannot write beside %s: %s", path, strerror(errno));
    bool good = fchmod(fd, st.st_mode & 07777) == 0 && put_all(fd, text) == 0;
    if (close(fd) == 0 && good && rename(near.s, path) == 0 && folder_sync(path) == 0) return 0;
    err_set(e, ERR_FAILED, "cannot write %s: %s", path, strerror(errno));
    unlink(near.s);
    return -1;
}

/* ---- the command ---- */

static int print_one(struct call *call, const char *path, const struct text *was, const struct text *is,
                     bool *differs, struct err *e) {
    bool same = was->length == is->length && memcmp(was->s, is->s, is->length) == 0;
    if (!same) *differs = true;
    if (call_flag(call, "check")) {
        if (!same && !call->quiet) fprintf(call->out, "%s\n", path);
        return 0;
    }
    if (call_flag(call, "write")) return same ? 0 : file_rewrite(path, is, e);
    fwrite(is->s, 1, is->length, call->out);
    return 0;
}

static int fmt_one(struct call *call, const char *word, bool *differs, struct err *e) {
    bool changes = call_flag(call, "check") || call_flag(call, "write");
    scoped_free char *path = changes || strcmp(word, "-") == 0 ? mem_copy(word) : policy_path(word, e);
    scoped_text struct text was = {0}, is = {0};
    if (!path || file_read(path, 2 * (size_t)POLICY_BYTES, &was, e) < 0) return -1;
    const char *slash = strrchr(path, '/');
    struct policy_source source = {slash ? slash + 1 : file_title(path), was.s, was.length, NULL, NULL};
    struct diagnostics *d = mem_alloc(sizeof *d);
    int rc = policy_print(&source, &is, d) ? print_one(call, path, &was, &is, differs, e)
                                           : policy_fail(call, d, word, e);
    diagnostics_free(d);
    free(d);
    return rc;
}

static int fmt_run(struct call *call, struct err *e) {
    bool differs = false;
    if (call_flag(call, "check") && call_flag(call, "write"))
        return err_set(e, ERR_USAGE, "--check only looks, --write writes: give one of them");
    for (size_t i = 0; i < call->n_arguments; i++) {
        if (call_flag(call, "write") && strcmp(call->arguments[i], "-") == 0)
            return err_set(e, ERR_USAGE, "--write takes files, not standard input");
        if (fmt_one(call, call->arguments[i], &differs, e) < 0) return -1;
    }
    return call_flag(call, "check") && differs ? ERR_FAILED : 0;
}

static const struct option fmt_options[] = {
    {"check", NULL, "print the names of files that are laid out otherwise; the status is then 1", false},
    {"write", NULL, "write the files anew where they are laid out otherwise", false},
    {NULL, NULL, NULL, false}};

const struct command policy_fmt_commands[] = {{.words = "policy fmt",
                                               .arguments = "FILE...",
                                               .least = 1,
                                               .most = -1,
                                               .summary = "print policies in their canonical layout",
                                               .flags = COMMAND_NO_STORE,
                                               .role = ROLE_NONE,
                                               .options = fmt_options,
                                               .run = fmt_run},
                                              {.words = NULL}};
