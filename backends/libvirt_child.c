/* SPDX-License-Identifier: Apache-2.0 */
/* The process that speaks with one host. It owns nothing but its pipe, and dies with its parent. */
#include "backends/libvirt.h"

#include "alloc/fault.h"
#include "alloc/parallel.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <libvirt/virterror.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void be_silent(void *arg, virErrorPtr error) { (void)arg, (void)error; }

/* What an error says about the thing that was asked for. */
static enum err_code code_of(const struct host *h, const virError *error) {
    if (!h->connection) return ERR_RETRY;
    if (error->domain == VIR_FROM_RPC || error->code == VIR_ERR_RPC)
        /* the socket was closed before: this call was never sent */
        return error->message && strstr(error->message, "client socket is closed") ? ERR_RETRY : ERR_UNKNOWN;
    switch (error->code) {
    case VIR_ERR_OPERATION_TIMEOUT:
    case VIR_ERR_RESOURCE_BUSY:
    case VIR_ERR_NO_MEMORY:
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_NO_CONNECT: return ERR_RETRY;
    case VIR_ERR_OPERATION_ABORTED: return ERR_UNKNOWN;
    default: return ERR_FAILED;
    }
}

int host_fail(const struct host *h, struct err *e, const char *what, ...) {
    char doing[512];
    va_list args;
    va_start(args, what);
    vsnprintf(doing, sizeof doing, what, args);
    va_end(args);
    const virError *error = virGetLastError();
    if (!error) return err_set(e, ERR_UNKNOWN, "%s: libvirt gave no reason", doing);
    char *words scoped_free = mem_copy(error->message ? error->message : "libvirt gave no reason");
    for (char *p = words; *p; p++)
        if ((unsigned char)*p < 0x20) *p = ' ';
    if (!text_is_utf8(words, strlen(words))) strcpy(words, "?");
    return err_set(e, code_of(h, error), "%s: %.900s", doing, words);
}

void host_line(struct host *h, json_t *line) {
    if (!line) return;
    pthread_mutex_lock(&h->lock);
    json_dumpf(line, h->out, JSON_COMPACT);
    fputc('\n', h->out);
    fflush(h->out);
    pthread_mutex_unlock(&h->lock);
    json_decref(line);
}

int child_fault(struct host *h, const char *name, struct err *e) {
    pthread_mutex_lock(&h->lock);
    int rc = fault_point(name, e);
    pthread_mutex_unlock(&h->lock);
    return rc;
}

/* ---- operations ---- */

struct batch {
    struct host *h;
    struct backend_operation **ops;
    int (*one)(struct host *, struct backend_operation *, struct err *);
    struct backend_operation *first; /* of the call: a line names an operation by its place */
};

static void operation_run(void *arg, size_t i) {
    const struct batch *b = arg;
    struct backend_operation *op = b->ops[i];
    const json_int_t place = op - b->first;
    struct err e = {0};
    host_line(b->h, json_pack("{s:I}", "begin", place));
    op->answer = BACKEND_DONE;
    if (b->one(b->h, op, &e) < 0)
        op->answer = e.code == ERR_UNKNOWN ? BACKEND_UNKNOWN
                     : e.code == ERR_RETRY ? BACKEND_NOTHING_HAPPENED
                                           : BACKEND_REFUSED;
    host_line(b->h, json_pack("{s:I, s:i, s:s?, s:O?}", "done", place, "answer", (int)op->answer, "detail",
                              op->answer == BACKEND_DONE ? NULL : e.what, "connection", op->connection));
}

void child_operations(struct host *h, struct backend_operation *ops, size_t n, enum backend_kind kind,
                      int (*one)(struct host *h, struct backend_operation *op, struct err *e)) {
    scoped_free struct backend_operation **wanted = mem_alloc(n * sizeof *wanted);
    struct batch b = {.h = h, .ops = wanted, .one = one, .first = ops};
    size_t n_wanted = 0;
    for (size_t i = 0; i < n; i++)
        if (ops[i].kind == kind) wanted[n_wanted++] = &ops[i];
    parallel_each((size_t)h->settings->parallel, n_wanted, operation_run, &b);
}

/* ---- the process ---- */

/* Nothing of the parent's is kept: its store, its locks, its terminal. */
static void leave_parent(pid_t parent, int fd) {
    setsid(); /* no terminal: nothing can ask for a password */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    dup2(fd, 3);
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0);
    dup2(nothing, 1);
    close_range(4, ~0U, 0);
}

static int host_open(struct host *h, struct err *e) {
    virSetErrorFunc(NULL, be_silent);
    setenv("LIBVIRT_AUTOSTART", "0", 1); /* never start a daemon that the operator did not */
    if (virInitialize() < 0) return host_fail(h, e, "host %s", h->named->name);
    virConnectPtr connection = virConnectOpen(h->named->uri);
    if (!connection) return host_fail(h, e, "host %s cannot be reached", h->named->name);
    h->connection = connection;
    char *uri scoped_free = virConnectGetURI(connection);
    h->session = uri && strstr(uri, "/session") != NULL;
    host_line(h, json_pack("{s:b}", "open", 1));
    return 0;
}

_Noreturn void child_main(const struct work *work, const struct backend_host *named,
                          struct backend_operation *ops, size_t n, pid_t parent, int fd) {
    struct host h = {.pool = work->pool, .named = named, .settings = work->settings};
    struct err e = {0};
    leave_parent(parent, fd);
    pthread_mutex_init(&h.lock, NULL);
    h.networks = json_object();
    h.out = fdopen(3, "w");
    if (!h.out) _exit(1);
    if (host_open(&h, &e) < 0 || work->run(&h, ops, n, &e) < 0)
        host_line(&h, json_pack("{s:s}", "failed", e.what));
    else
        host_line(&h, json_pack("{s:b}", "end", 1));
    inventory_drop(&h);
    if (h.storage) virStoragePoolFree(h.storage);
    if (h.connection) virConnectClose(h.connection);
    _exit(0); /* the parent's buffers are not ours to write */
}
