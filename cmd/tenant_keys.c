/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allot tenant keys: the lines for sshd's authorized_keys that let each tenant's keys do one thing only,
 * to be answered by `allot serve` in that tenant's name. A name may hold any quote: it is quoted for the
 * shell that runs the command, and the whole once more for sshd.
 */
#include "alloc/scope.h"
#include "cmd/tenant.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 'it'\''s' */
static void shell_quote(const char *word, struct text *out) {
    text_add(out, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_add(out, "'\\''");
        else
            text_put(out, word, 1);
    }
    text_add(out, "'");
}

/* sshd takes \" for a quote inside a quoted option, and any other backslash as it is. */
static void option_quote(const char *text, struct text *out) {
    for (; *text; text++) {
        if (*text == '"') text_add(out, "\\");
        text_put(out, text, 1);
    }
}

static void serve_command(const struct call *call, const char *program, const struct tenant *t,
                          struct text *out) {
    scoped_free char *store = realpath(call->store_path, NULL);
    shell_quote(program, out);
    text_add(out, " --store ");
    shell_quote(store ? store : call->store_path, out);
    if (call->config_path) {
        scoped_free char *config = realpath(call->config_path, NULL);
        text_add(out, " --config ");
        shell_quote(config ? config : call->config_path, out);
    }
    text_add(out, " serve --stdio --tenant ");
    shell_quote(t->row.name, out);
}

static void print_keys(const struct call *call, const char *program, const struct tenant *t,
                       const char *only) {
    scoped_text struct text command = {0}, quoted = {0};
    serve_command(call, program, t, &command);
    option_quote(command.s, &quoted);
    for (size_t i = 0; i < t->n_keys; i++)
        if (!only || strcmp(only, t->keys[i].fingerprint) == 0)
            fprintf(call->out, "restrict,command=\"%s\" %s\n", quoted.s, t->keys[i].line);
}

static char *own_path(void) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return mem_copy("allot");
    path[n] = '\0';
    return mem_copy(path);
}

int tenant_run_keys(struct call *call, struct err *e) {
    const char *given = call_option(call, "program"), *only = call_option(call, "fingerprint");
    scoped_free char *program = given ? mem_copy(given) : own_path();
    struct tenant_list list;
    int rc = tenant_list_load(call->store, &list, e);
    for (size_t i = 0; rc == 0 && i < list.n; i++)
        if (list.of[i].row.state != TENANT_CLOSED) print_keys(call, program, &list.of[i], only);
    tenant_list_free(&list);
    return rc;
}
