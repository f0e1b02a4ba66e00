/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/file.h"

#include "alloc/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char *file_title(const char *path) { return strcmp(path, "-") == 0 ? "standard input" : path; }

static int read_all(int fd, const char *title, size_t most, struct text *out, struct err *e) {
    char buffer[65536];
    text_put(out, "", 0);
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0) return 0;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return err_set(e, errno == EISDIR ? ERR_USAGE : ERR_FAILED, "%s: %s", title, strerror(errno));
        if (out->length + (size_t)n > most)
            return err_set(e, ERR_USAGE, "%s: more than %zu bytes", title, most);
        text_put(out, buffer, (size_t)n);
    }
}

int file_read(const char *path, size_t most, struct text *out, struct err *e) {
    bool is_input = strcmp(path, "-") == 0;
    scoped_fd int opened = is_input ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!is_input && opened < 0)
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "%s: %s", path, strerror(errno));
    return read_all(is_input ? STDIN_FILENO : opened, file_title(path), most, out, e);
}
