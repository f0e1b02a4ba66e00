/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/log.h"

#include "alloc/clock.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const log_level_words[] = {"off", "error", "info", "debug", NULL};

static enum log_level wanted = LOG_AT_ERROR;
static int sink = STDERR_FILENO;

int log_open(enum log_level level, const char *path, struct err *e) {
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : STDERR_FILENO;
    if (fd < 0) return err_set(e, ERR_FAILED, "log file %s: %s", path, strerror(errno));
    if (sink != STDERR_FILENO) close(sink);
    sink = fd;
    wanted = level;
    return 0;
}

bool log_wants(enum log_level level) { return level != LOG_AT_OFF && level <= wanted; }

/* Our own tokens of operations are no secrets: they are names of things, written into backends. */
static bool is_secret(const char *key) {
    static const char *const words[] = {"password", "passwd",     "passphrase",    "secret",
                                        "token",    "credential", "authorization", "cookie",
                                        "private",  "apikey",     "keymaterial"};
    char folded[64];
    size_t n = 0;
    if (strcmp(key, "operation_token") == 0) return false;
    for (; *key && n < sizeof folded - 1; key++)
        if (isalnum((unsigned char)*key)) folded[n++] = (char)tolower((unsigned char)*key);
    folded[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(folded, words[i])) return true;
    return strcmp(folded, "key") == 0 || strcmp(folded, "auth") == 0;
}

/* "https://kim:pw@host/" -> "https://[removed]@host/" */
static json_t *without_user(const char *s) {
    const char *scheme = strstr(s, "://");
    const char *host = scheme ? scheme + 3 : NULL;
    size_t length = host ? strcspn(host, "/?# ") : 0;
    const char *at = host ? memrchr(host, '@', length) : NULL;
    if (!at || !memchr(host, ':', (size_t)(at - host))) return json_string(s);
    return json_sprintf("%.*s[removed]%s", (int)(host - s), s, at);
}

json_t *log_redacted(const json_t *value) {
    const char *key;
    json_t *child, *copy;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        copy = json_object();
        json_object_foreach((json_t *)value, key, child)
            json_object_set_new(copy, key, is_secret(key) ? json_string("[removed]") : log_redacted(child));
        return copy;
    case JSON_ARRAY:
        copy = json_array();
        json_array_foreach(value, i, child) json_array_append_new(copy, log_redacted(child));
        return copy;
    case JSON_STRING: return without_user(json_string_value(value));
    default: return json_incref((json_t *)value);
    }
}

void log_event(enum log_level level, const char *event, json_t *fields) {
    scoped_json json_t *given = fields;
    if (!log_wants(level)) return;
    scoped_json json_t *line = json_pack("{sssssssi}", "time", instant_text(clock_now()).s, "level",
                                         log_level_words[level], "event", event, "pid", (int)getpid());
    scoped_json json_t *clean = given ? log_redacted(given) : NULL;
    json_object_update_missing(line, clean);
    scoped_free char *s = json_dumps(line, JSON_COMPACT);
    scoped_text struct text out = {0};
    text_add(&out, "%s\n", s ? s : "{}");
    for (size_t done = 0; done < out.length;) {
        ssize_t n = write(sink, out.s + done, out.length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return; /* there is no one left to tell */
        done += (size_t)n;
    }
}
