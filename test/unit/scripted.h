/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that answers as its script says (test/lab/scripted-server), for the length of a test. Scripts are
 * written with ' where JSON has ". scripted_stop() fails the test when a step was left over or something else
 * was asked.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/file.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct scripted {
    pid_t pid;
    char url[64];
    char script[64], log[64], words[64]; /* paths */
};

/* A path of its own for a test, below TMPDIR. */
static inline void scripted_path(char *out, size_t size, const char *name) {
    static int count;
    const char *folder = getenv("TMPDIR");
    snprintf(out, size, "%s/%d-%d-%s", folder ? folder : "/tmp", (int)getpid(), count++, name);
}

static inline void scripted_write(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (; *text; text++) fputc(*text == '\'' ? '"' : *text, f);
    assert_int_equal(fclose(f), 0);
}

/* certificate: of those that test/lab/certificates made in folder, without .pem; NULL: no TLS. */
static inline struct scripted scripted_start(const char *script, const char *folder,
                                             const char *certificate) {
    struct scripted s = {0};
    char pem[256] = "", key[256] = "";
    int out[2];
    scripted_path(s.script, sizeof s.script, "script");
    scripted_path(s.log, sizeof s.log, "log");
    scripted_path(s.words, sizeof s.words, "words");
    scripted_write(s.script, script);
    if (certificate) {
        snprintf(pem, sizeof pem, "%s/%s.pem", folder, certificate);
        snprintf(key, sizeof key, "%s/%s.key", folder, certificate);
    }
    assert_int_equal(pipe(out), 0);
    s.pid = fork();
    if (s.pid == 0) {
        dup2(out[1], 1);
        dup2(open(s.words, O_CREAT | O_WRONLY | O_TRUNC, 0600), 2);
        close(out[0]);
        if (certificate)
            execl("test/lab/scripted-server", "scripted-server", "--log", s.log, "--tls", pem, key, s.script,
                  NULL);
        else
            execl("test/lab/scripted-server", "scripted-server", "--log", s.log, s.script, NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    if (!fgets(s.url, sizeof s.url, f)) fail_msg("the scripted server does not start");
    s.url[strcspn(s.url, "\n")] = '\0';
    fclose(f);
    return s;
}

static inline void scripted_stop(struct scripted *s) {
    int status;
    struct err e = {0};
    struct text words = {0};
    kill(s->pid, SIGTERM);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    assert_int_equal(file_read(s->words, 1 << 20, &words, &e), 0);
    if (status != 0) fail_msg("%s", words.s);
    text_free(&words);
}

/* What came, as an array of the log's records. */
static inline json_t *scripted_log(const struct scripted *s) {
    struct err e = {0};
    struct text lines = {0};
    json_t *all = json_array();
    assert_int_equal(file_read(s->log, 64 << 20, &lines, &e), 0);
    for (char *line = lines.s, *end; (end = strchr(line, '\n')); line = end + 1) {
        json_t *record = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(record);
        json_array_append_new(all, record);
    }
    text_free(&lines);
    return all;
}
