/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *format, ...) {
    if (e->code != ERR_NONE) return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(e->what, sizeof e->what, format, args);
    va_end(args);
    e->code = code;
    e->hint[0] = '\0';
    return -1;
}

int err_hint(struct err *e, const char *format, ...) {
    if (e->hint[0]) return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(e->hint, sizeof e->hint, format, args);
    va_end(args);
    return -1;
}

int err_context(struct err *e, const char *format, ...) {
    char prefix[512], cause[sizeof e->what];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    memcpy(cause, e->what, sizeof cause);
    int n = snprintf(e->what, sizeof e->what, "%s: ", prefix);
    strncat(e->what, cause, sizeof e->what - 1 - (size_t)n);
    return -1;
}

void err_clear(struct err *e) { memset(e, 0, sizeof *e); }

bool err_is(const struct err *e) { return e->code != ERR_NONE; }

const char *err_word(enum err_code code) {
    static const char *const words[] = {
        [ERR_NONE] = "done",           [ERR_FAILED] = "failed",
        [ERR_USAGE] = "usage",         [ERR_DENIED] = "denied",
        [ERR_NOT_FOUND] = "not found", [ERR_CONFLICT] = "conflict",
        [ERR_RETRY] = "try again",     [ERR_UNKNOWN] = "outcome unknown",
        [ERR_WAITS] = "waits",         [ERR_BOOKS] = "books do not close",
    };
    return words[code];
}
