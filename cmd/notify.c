/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/notify.h"

#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "alloc/tick.h"
#include "cmd/change.h"
#include "cmd/config.h"
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 1000, SECONDS_MOST = 60 };

extern char **environ;

/* Writes all of text within the deadline; a command that closes its input early is its own choice. */
static void feed(int fd, const char *text, int64_t deadline) {
    size_t left = strlen(text);
    while (left > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int64_t wait = deadline - clock_monotonic_ms();
        if (wait <= 0 || poll(&p, 1, (int)wait) <= 0) return;
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return;
        if (n > 0) {
            text += n;
            left -= (size_t)n;
        }
    }
}

static int wait_for(pid_t pid, int64_t deadline, int *status) {
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid) return 0;
        if (got < 0 && errno != EINTR) return -1;
        if (clock_monotonic_ms() > deadline) {
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            return -1;
        }
        usleep(2000);
    }
}

/* Runs the configured command with the message on its standard input. why is set when it failed. */
static bool hand_over(const struct config *config, const char *message, char *why, size_t size) {
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) < 0) return text_format(why, size, "%s", strerror(errno)), false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    char **argv = mem_alloc((config->notify.n + 1) * sizeof *argv);
    memcpy(argv, config->notify.names, config->notify.n * sizeof *argv);
    pid_t pid;
    /* We ignore SIGPIPE; a command must not inherit that. */
    posix_spawnattr_t attributes;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ), status = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    scope_free(&argv);
    close(pipes[0]);
    if (failed) {
        close(pipes[1]);
        text_format(why, size, "%s: %s", config->notify.names[0], strerror(failed));
        return false;
    }
    int64_t deadline = clock_monotonic_ms() + SECONDS_MOST * 1000;
    fcntl(pipes[1], F_SETFL, O_NONBLOCK);
    feed(pipes[1], message, deadline);
    close(pipes[1]);
    if (wait_for(pid, deadline, &status) < 0)
        text_format(why, size, "took longer than %d s", SECONDS_MOST);
    else if (WIFSIGNALED(status))
        text_format(why, size, "was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        text_format(why, size, "exit status %d", WEXITSTATUS(status));
    else
        return true;
    return false;
}

struct outcome_of {
    struct call *call;
    int64_t id;
    bool delivered;
    const char *why;
};

static int write_outcome(struct store *s, void *arg, struct err *e) {
    const struct outcome_of *o = arg;
    struct book b;
    if (!o->delivered) return outbox_failed(s, o->id, o->why, e);
    if (book_open(&b, s, 0, o->call->actor, o->call->now_given ? o->call->now : clock_now(), e) < 0 ||
        outbox_delivered(&b, o->id, e) < 0)
        return -1;
    return book_close(&b, e);
}

static int deliver(struct call *call, const json_t *message, size_t *failed, struct err *e) {
    scoped_free char *text = json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS);
    char why[256] = "";
    struct text line = {0};
    text_add(&line, "%s\n", text);
    struct outcome_of o = {
        .call = call, .id = json_integer_value(json_object_get(message, "id")), .why = why};
    o.delivered = hand_over(call->config, line.s, why, sizeof why);
    text_free(&line);
    if (!o.delivered && ++*failed == 1)
        fprintf(call->messages, "allot: message %lld: %s\n", (long long)o.id, why);
    return store_write(call->store, write_outcome, &o, e);
}

/* Two at once would hand each message over twice. */
static int run_alone(struct store *s, struct err *e) {
    int fd = store_side_open(store_path(s), ".notify", e);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    err_set(e, ERR_RETRY, "another notify is at work on this store");
    scope_close(&fd);
    return -1;
}

static int deliver_all(struct call *call, const json_t *open, size_t *failed, struct err *e) {
    size_t i;
    json_t *message;
    json_array_foreach(open, i, message) {
        if (deliver(call, message, failed, e) < 0) return -1;
    }
    return 0;
}

/* Batch after batch, until nothing is open or something of a batch was not delivered. */
int notify_all(struct call *call, struct err *e) {
    scoped_json json_t *open = outbox_open(call->store, BATCH, e);
    if (!open) return -1;
    if (call->dry_run) {
        output_say(call, output_choose(call, "%zu messages would be handed over", "전달할 메시지: %zu건"),
                   json_array_size(open));
        return 0;
    }
    if (json_array_size(open) && (!call->config || call->config->notify.n == 0)) {
        err_set(e, ERR_FAILED, "%zu messages wait and no notify command is configured",
                json_array_size(open));
        return err_hint(
            e, "set notify: in allot.conf(5), or note them delivered: allot notify --delivered NUMBER");
    }
    scoped_fd int alone = run_alone(call->store, e);
    if (alone < 0 || job_begin(call->store, "notify", call->now, e) < 0) return -1;
    size_t failed = 0, tried = 0;
    do {
        json_decref(open);
        if (!(open = outbox_open(call->store, BATCH, e)) || deliver_all(call, open, &failed, e) < 0)
            return -1;
        tried += json_array_size(open);
    } while (json_array_size(open) == BATCH && failed == 0);
    char trouble[64];
    text_format(trouble, sizeof trouble, "%zu of %zu messages were not delivered", failed, tried);
    if (job_end(call->store, "notify", call->now, failed ? trouble : NULL, e) < 0) return -1;
    return failed ? err_set(e, ERR_FAILED, "%s", trouble) : 0;
}

int notify_list(struct call *call, struct err *e) {
    static const struct column columns[] = {{"id", "NUMBER", CELL_COUNT, false},
                                            {"tenant", "TENANT", CELL_TEXT, false},
                                            {"kind", "KIND", CELL_TEXT, false},
                                            {"made", "SINCE", CELL_INSTANT, false},
                                            {"attempts", "TRIES", CELL_COUNT, false},
                                            {"trouble", "TROUBLE", CELL_TEXT, false},
                                            {0}};
    scoped_json json_t *open = outbox_open(call->store, 100000, e);
    return open ? output_list(call, columns, open, e) : -1;
}

static int by_hand_body(struct change *c, struct err *e) {
    const struct outcome_of *o = c->arg;
    if (write_outcome(c->store, c->arg, e) < 0) return -1;
    c->answer = json_pack("{s:I, s:b}", "message", (json_int_t)o->id, "delivered", true);
    return 0;
}

int notify_by_hand(struct call *call, const char *number, struct err *e) {
    static const struct column columns[] = {
        {"message", "message", CELL_COUNT, false}, {"delivered", "delivered", CELL_YES, false}, {0}};
    long long id;
    if (text_to_int(number, 1, INT64_MAX, &id) < 0)
        return err_set(e, ERR_USAGE, "--delivered '%s' is not a number", number);
    struct outcome_of o = {.call = call, .id = id, .delivered = true};
    scoped_json json_t *answer = NULL;
    int status = change_run(call, by_hand_body, &o, NULL, &answer, e);
    if (status < 0 || strcmp(call->format, "table") == 0) return status;
    return output_object(call, columns, answer, e);
}
