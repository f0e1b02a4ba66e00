/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What failed, on what, why, and what to do about it. The caller owns the object; every function
 * that can fail takes it last and returns -1 (or NULL) after setting it. The first cause wins:
 * a failure during cleanup never overwrites it. The code is also the exit status of the program.
 * A denial by policy is a decision with reasons (alloc/decide.h), not an error.
 */
#pragma once
#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_FAILED = 1,    /* failed; nothing was recorded */
    ERR_USAGE = 2,     /* the words or the data handed in are wrong */
    ERR_DENIED = 3,    /* not allowed: by policy or by role */
    ERR_NOT_FOUND = 4, /* no such thing */
    ERR_CONFLICT =
        5,           /* clashes with what stands: a name taken, a key used with another body, a wrong state */
    ERR_RETRY = 6,   /* busy; nothing happened; try again */
    ERR_UNKNOWN = 7, /* the outcome is not known: run `allot reconcile` */
    ERR_WAITS = 8,   /* something was queued or held (an outcome, used as exit status only) */
    ERR_BOOKS = 9,   /* the books do not close */
};

struct err {
    enum err_code code;
    char what[1536];
    char hint[512];
};

#define ERR_FORMAT(f, a) __attribute__((format(printf, f, a)))

int err_set(struct err *e, enum err_code code, const char *format, ...) ERR_FORMAT(3, 4);
/* Adds the remedy to an error just set; kept only if there is none yet. Returns -1. */
int err_hint(struct err *e, const char *format, ...) ERR_FORMAT(2, 3);
/* Puts "prefix: " before the message, for the object that the depth could not name. Returns -1. */
int err_context(struct err *e, const char *format, ...) ERR_FORMAT(2, 3);
void err_clear(struct err *e);
bool err_is(const struct err *e);
/* "failed", "usage", "denied" ...: the word that stands behind "allot: " */
const char *err_word(enum err_code code);
