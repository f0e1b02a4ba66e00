/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines for machines: one JSON object per line with time, level, event and the fields given.
 * They go to stderr or to a file (appended, one write per line, so that several processes may share
 * it). Without log_open() only errors are written. What a person is told goes through cmd/output.h.
 *
 * Secrets are removed here, in one place: the value of every key, at any depth, whose name speaks of
 * a password, secret, token, credential, authorization, cookie or private key is replaced, and URLs lose
 * "user:password@". Still: do not log what need not be logged.
 */
#pragma once
#include "alloc/err.h"

#include <jansson.h>

enum log_level { LOG_AT_OFF, LOG_AT_ERROR, LOG_AT_INFO, LOG_AT_DEBUG };
extern const char *const log_level_words[]; /* "off" "error" "info" "debug", then NULL */

/* path NULL: stderr. May be called again. */
int log_open(enum log_level level, const char *path, struct err *e);
bool log_wants(enum log_level level);
/* fields: an object or NULL; its reference is taken. An event is a stable word: "backend.call". */
void log_event(enum log_level level, const char *event, json_t *fields);
/* A copy of value without secrets. */
json_t *log_redacted(const json_t *value);
