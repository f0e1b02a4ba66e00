/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks one child per host, reads their lines until all have ended or the deadline has come, kills what
 * is left and makes answers of what is known. A line says one of
 *   {"open":true}                the connection stands
 *   {"begin":I}                  operation I may be changed from here on
 *   {"done":I,"answer":A,...}    its answer
 *   {"capacity":N,"free":N}  {"seen":{...}}  {"slot":{...}}
 *   {"failed":TEXT,"unknown":B}  the host as a whole failed
 *   {"end":true}                 everything was said
 */
#include "backends/libvirt.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN_MOST = 64 }; /* at a time */

struct child {
    const struct backend_host *host;
    pid_t pid;
    int fd; /* -1: closed */
    struct text lines;
    struct backend_operation *ops; /* copies, in the child's order */
    size_t *index;                 /* of each in the caller's array */
    bool *begun, *answered;
    size_t n;
    bool opened, ended, late;
    int status;
    char *failed; /* its own words */
    struct backend_view view;
    size_t seen_room, slots_room;
    bytes_t capacity, free;
};

static void child_start(const struct work *work, struct child *c, struct err *e) {
    int ends[2];
    pid_t parent = getpid();
    c->fd = -1;
    if (pipe2(ends, O_CLOEXEC) < 0 || (c->pid = fork()) < 0) {
        err_set(e, ERR_RETRY, "no child for host %s: %s", c->host->name, strerror(errno));
        c->failed = mem_copy(e->what);
        c->ended = true;
        return;
    }
    if (c->pid == 0) child_main(work, c->host, c->ops, c->n, parent, ends[1]);
    close(ends[1]);
    c->fd = ends[0];
}

static char *text_of(const json_t *object, const char *key) {
    return mem_copy(json_string_value(json_object_get(object, key)));
}

static char *text_or_empty(const json_t *object, const char *key) {
    char *s = text_of(object, key);
    return s ? s : mem_copy("");
}

static void take_seen(struct child *c, const json_t *seen) {
    struct backend_view *v = &c->view;
    v->seen = mem_grow(v->seen, &c->seen_room, v->n_seen + 1, sizeof *v->seen);
    v->seen[v->n_seen++] = (struct backend_seen){
        .token = text_of(seen, "token"),
        .kind = (enum backend_kind)json_integer_value(json_object_get(seen, "kind")),
        .name = text_or_empty(seen, "name"),
        .host = mem_copy(c->host->name),
        .state = (enum backend_state)json_integer_value(json_object_get(seen, "state")),
        .bytes = bytes(json_integer_value(json_object_get(seen, "bytes"))),
        .allocated = bytes(json_integer_value(json_object_get(seen, "allocated"))),
        .created = instant(json_integer_value(json_object_get(seen, "created"))),
        .connection = json_incref(json_object_get(seen, "connection")),
    };
}

static void take_slot(struct child *c, const json_t *slot) {
    struct backend_view *v = &c->view;
    v->slots = mem_grow(v->slots, &c->slots_room, v->n_slots + 1, sizeof *v->slots);
    v->slots[v->n_slots++] = (struct backend_found_slot){
        .host = mem_copy(c->host->name),
        .flavor = text_of(slot, "flavor"),
        .name = text_or_empty(slot, "name"),
        .address = text_or_empty(slot, "address"),
        .attach = text_or_empty(slot, "attach"),
        .description = text_or_empty(slot, "description"),
    };
}

static void take_answer(struct child *c, const json_t *line) {
    json_int_t i = json_integer_value(json_object_get(line, "done"));
    json_int_t a = json_integer_value(json_object_get(line, "answer"));
    if (i < 0 || (size_t)i >= c->n || a < BACKEND_DONE || a > BACKEND_UNKNOWN) return;
    struct backend_operation *op = &c->ops[i];
    op->answer = (enum backend_answer)a;
    op->detail = text_of(line, "detail");
    op->connection = json_incref(json_object_get(line, "connection"));
    c->answered[i] = true;
}

static void take_line(struct child *c, const char *text, size_t length) {
    json_t *line scoped_json = json_loadb(text, length, 0, NULL);
    const json_t *value;
    if ((value = json_object_get(line, "begin"))) {
        json_int_t i = json_integer_value(value);
        if (i >= 0 && (size_t)i < c->n) c->begun[i] = true;
    } else if (json_object_get(line, "done")) {
        take_answer(c, line);
    } else if ((value = json_object_get(line, "seen"))) {
        take_seen(c, value);
    } else if ((value = json_object_get(line, "slot"))) {
        take_slot(c, value);
    } else if ((value = json_object_get(line, "capacity"))) {
        c->capacity = bytes(json_integer_value(value));
        c->free = bytes(json_integer_value(json_object_get(line, "free")));
    } else if (json_object_get(line, "failed")) {
        c->failed = text_of(line, "failed");
    } else if (json_object_get(line, "open")) {
        c->opened = true;
    } else if (json_object_get(line, "end")) {
        c->ended = true;
    }
}

/* Reads what is there; at the end of the stream takes leave of the child. */
static void child_read(struct child *c) {
    char block[65536];
    ssize_t n = read(c->fd, block, sizeof block);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) {
        close(c->fd);
        c->fd = -1;
        return;
    }
    text_put(&c->lines, block, (size_t)n);
    size_t from = 0;
    for (char *end; (end = memchr(c->lines.s + from, '\n', c->lines.length - from));) {
        size_t length = (size_t)(end - c->lines.s) - from;
        take_line(c, c->lines.s + from, length);
        from += length + 1;
    }
    struct text rest = {0};
    text_put(&rest, c->lines.s + from, c->lines.length - from);
    text_free(&c->lines);
    c->lines = rest;
}

/* Its last lines stay in the pipe when it is killed: they are read too. */
static void child_reap(struct child *c, bool late) {
    if (c->pid <= 0) return;
    c->late = late && c->fd >= 0;
    if (c->late) kill(c->pid, SIGKILL);
    while (c->fd >= 0) child_read(c);
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR) continue;
    c->pid = 0;
}

/* A host that does not even connect is given up early: the others' results need not wait for it. */
static void give_up_silent(struct child *children, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (children[i].fd >= 0 && !children[i].opened) child_reap(&children[i], true);
}

static void children_run(const struct work *work, struct child *children, size_t n) {
    int64_t start = clock_monotonic_ms(), until = start + work->pool->deadline_ms;
    int64_t connect_until = start + work->settings->connect_seconds * 1000;
    struct pollfd polls[CHILDREN_MOST];
    struct err e = {0};
    for (size_t i = 0; i < n; i++) child_start(work, &children[i], &e);
    for (;;) {
        int64_t left = until - clock_monotonic_ms();
        bool open = false;
        for (size_t i = 0; i < n; i++) {
            polls[i] = (struct pollfd){.fd = children[i].fd, .events = POLLIN};
            open |= children[i].fd >= 0;
        }
        if (!open || left <= 0) break;
        if (poll(polls, (nfds_t)n, left > 200 ? 200 : (int)left) < 0 && errno != EINTR) break;
        for (size_t i = 0; i < n; i++)
            if (children[i].fd >= 0 && polls[i].revents) child_read(&children[i]);
        if (clock_monotonic_ms() >= connect_until) give_up_silent(children, n);
    }
    for (size_t i = 0; i < n; i++) child_reap(&children[i], true);
}

/* Why it did not say everything; NULL: it did. */
static char *child_why(const struct child *c, const struct work *work) {
    struct text t = {0};
    int64_t given = work->pool->deadline_ms, connect = work->settings->connect_seconds * 1000;
    if (!c->opened && connect < given) given = connect;
    if (c->failed) return mem_copy(c->failed);
    if (c->ended) return NULL;
    if (c->late)
        text_add(&t, "host %s %s within %lld ms", c->host->name,
                 c->opened ? "did not finish" : "did not answer", (long long)given);
    else if (WIFSIGNALED(c->status))
        text_add(&t, "the process for host %s ended by signal %d", c->host->name, WTERMSIG(c->status));
    else
        text_add(&t, "the process for host %s ended early (status %d)", c->host->name, c->status);
    return text_take(&t);
}

static void child_free(struct child *c) {
    backend_view_free(&c->view);
    text_free(&c->lines);
    free(c->ops);
    free(c->index);
    free(c->begun);
    free(c->answered);
    free(c->failed);
}

static void children_run_all(const struct work *work, struct child *children, size_t n) {
    for (size_t i = 0; i < n; i += CHILDREN_MOST)
        children_run(work, children + i, n - i < CHILDREN_MOST ? n - i : CHILDREN_MOST);
}

/* What nobody answered: it was begun and nobody knows, or it was never begun. */
static void settle(struct child *c, const struct work *work, struct backend_operation *ops) {
    char *why scoped_free = child_why(c, work);
    for (size_t i = 0; i < c->n; i++) {
        struct backend_operation *op = &c->ops[i];
        if (!c->answered[i]) {
            op->answer = c->begun[i] ? BACKEND_UNKNOWN : BACKEND_NOTHING_HAPPENED;
            op->detail = mem_copy(why ? why : "it was not answered");
        }
        ops[c->index[i]] = *op;
    }
}

static void child_prepare(struct child *c, const struct backend_host *host, struct backend_operation *ops,
                          size_t n) {
    *c = (struct child){.host = host, .fd = -1};
    c->ops = mem_alloc(n * sizeof *c->ops);
    c->index = mem_alloc(n * sizeof *c->index);
    c->begun = mem_alloc(n);
    c->answered = mem_alloc(n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ops[i].host, host->name) != 0) continue;
        c->ops[c->n] = ops[i];
        c->index[c->n++] = i;
    }
}

int parent_operations(const struct work *work, struct backend_operation *ops, size_t n, struct err *e) {
    (void)e;
    size_t n_children = 0;
    struct child *children scoped_free = mem_alloc(work->pool->n_hosts * sizeof *children);
    for (size_t i = 0; i < work->pool->n_hosts; i++) {
        child_prepare(&children[n_children], &work->pool->hosts[i], ops, n);
        if (children[n_children].n > 0)
            n_children++;
        else
            child_free(&children[n_children]);
    }
    children_run_all(work, children, n_children);
    for (size_t i = 0; i < n_children; i++) {
        settle(&children[i], work, ops);
        child_free(&children[i]);
    }
    return 0;
}

/* Takes over a host's part; of one that did not say everything only the report: a part of its things
   would make the others pass for absent. */
static void view_add(struct child *c, const struct work *work, struct backend_view *out, size_t *rooms) {
    struct backend_host_report *report = &out->hosts[out->n_hosts++];
    *report = (struct backend_host_report){.host = mem_copy(c->host->name), .detail = child_why(c, work)};
    report->answered = report->detail == NULL;
    if (!report->answered) return;
    report->storage_capacity = c->capacity;
    report->storage_free = c->free;
    out->seen = mem_grow(out->seen, &rooms[0], out->n_seen + c->view.n_seen + 1, sizeof *out->seen);
    out->slots = mem_grow(out->slots, &rooms[1], out->n_slots + c->view.n_slots + 1, sizeof *out->slots);
    for (size_t i = 0; i < c->view.n_seen; i++) out->seen[out->n_seen++] = c->view.seen[i];
    for (size_t i = 0; i < c->view.n_slots; i++) out->slots[out->n_slots++] = c->view.slots[i];
    c->view.n_seen = c->view.n_slots = 0;
}

int parent_view(const struct work *work, struct backend_view *out, struct err *e) {
    (void)e;
    size_t n = work->pool->n_hosts, rooms[2] = {0, 0};
    struct child *children scoped_free = mem_alloc(n * sizeof *children);
    for (size_t i = 0; i < n; i++) child_prepare(&children[i], &work->pool->hosts[i], NULL, 0);
    children_run_all(work, children, n);
    out->hosts = mem_alloc(n * sizeof *out->hosts);
    for (size_t i = 0; i < n; i++) {
        view_add(&children[i], work, out, rooms);
        child_free(&children[i]);
    }
    return 0;
}
