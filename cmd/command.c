/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/command.h"

#include "alloc/log.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/config.h"
#include "cmd/help.h"
#include "cmd/output.h"
#include "cmd/parse.h"
#include "cmd/principal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* the table */

const struct command *command_next(const struct command *before) {
    if (before && before[1].words) return before + 1;
    bool is_past = before == NULL;
    for (size_t i = 0; command_tables[i]; i++) {
        const struct command *c = command_tables[i];
        if (is_past && c->words) return c;
        while (c->words && c != before) c++;
        if (c == before) is_past = true;
    }
    return NULL;
}

const struct command *command_find(const char *words) {
    for (const struct command *c = NULL; (c = command_next(c));)
        if (strcmp(c->words, words) == 0) return c;
    return NULL;
}

bool command_goes_on(const char *words) {
    size_t length = strlen(words);
    for (const struct command *c = NULL; (c = command_next(c));)
        if (strncmp(c->words, words, length) == 0 && c->words[length] == ' ') return true;
    return false;
}

static bool is_summary(const char *s) {
    size_t length = s ? strlen(s) : 0;
    if (length < 3 || length > 76 || strchr(s, '\n')) return false;
    return s[length - 1] != '.' || strcmp(s + length - 3, "...") == 0;
}

static int check_options(const struct command *c, struct err *e) {
    for (const struct option *o = c->options; o && o->name; o++) {
        for (const struct option *g = global_options; g->name; g++)
            if (strcmp(g->name, o->name) == 0)
                return err_set(e, ERR_FAILED, "%s: --%s hides the global option", c->words, o->name);
        for (const struct option *p = c->options; p < o; p++)
            if (strcmp(p->name, o->name) == 0)
                return err_set(e, ERR_FAILED, "%s: --%s stands twice", c->words, o->name);
        if (!is_summary(o->summary))
            return err_set(e, ERR_FAILED,
                           "%s: --%s: no summary, or one that is too long or ends in a full stop", c->words,
                           o->name);
    }
    return 0;
}

int command_check_tables(struct err *e) {
    for (const struct command *c = NULL; (c = command_next(c));) {
        if (command_find(c->words) != c) return err_set(e, ERR_FAILED, "%s: stands twice", c->words);
        if (!c->run || !c->arguments || !is_summary(c->summary))
            return err_set(e, ERR_FAILED, "%s: no body or arguments, or a wrong summary", c->words);
        bool takes_none = c->least == 0 && c->most == 0;
        if ((c->most >= 0 && c->most < c->least) || takes_none != (*c->arguments == '\0'))
            return err_set(e, ERR_FAILED, "%s: the number of arguments", c->words);
        if (check_options(c, e) < 0) return -1;
    }
    return 0;
}

/* a call */

const char *call_option_at(const struct call *call, const char *name, size_t k) {
    for (size_t i = 0; i < call->n_values; i++)
        if (strcmp(call->values[i].option->name, name) == 0 && k-- == 0) return call->values[i].value;
    return NULL;
}

const char *call_option(const struct call *call, const char *name) {
    const char *value = NULL;
    for (size_t i = 0; i < call->n_values; i++)
        if (strcmp(call->values[i].option->name, name) == 0) value = call->values[i].value;
    return value;
}

bool call_flag(const struct call *call, const char *name) {
    for (size_t i = 0; i < call->n_values; i++)
        if (strcmp(call->values[i].option->name, name) == 0) return true;
    return false;
}

/* A message may have been cut in the middle of a character, or repeat bytes that are no UTF-8. */
static json_t *sound_text(const char *s) {
    json_t *whole = json_string(s);
    if (whole) return whole;
    scoped_free char *copy = mem_copy(s);
    for (char *p = copy; *p;) {
        size_t n = 1;
        while (n < 4 && !text_is_utf8(p, n) && p[n]) n++;
        if (!text_is_utf8(p, n)) {
            *p = '?';
            n = 1;
        }
        p += n;
    }
    return json_string(copy);
}

json_t *command_error(const struct err *e) {
    static const char *const codes[] = {"done",     "failed", "usage",   "denied", "not_found",
                                        "conflict", "retry",  "unknown", "waits",  "books"};
    json_t *error = json_pack("{s:s, s:i, s:o}", "code", codes[e->code], "status", (int)e->code, "what",
                              sound_text(e->what));
    if (e->hint[0]) json_object_set_new(error, "hint", sound_text(e->hint));
    return error;
}

static void complain_json(const struct call *call, const struct err *e) {
    scoped_json json_t *error = json_pack("{s:o?}", "error", command_error(e));
    scoped_free char *line = error ? json_dumps(error, JSON_COMPACT) : NULL;
    fprintf(call->messages, "%s\n", line ? line : "{\"error\":{\"code\":\"failed\"}}");
}

void command_complain(const struct call *call, const struct err *e) {
    if (strcmp(call->format, "json") == 0) {
        complain_json(call, e);
        return;
    }
    fprintf(call->messages, "allot: %s: ", err_word(e->code));
    output_safe(call->messages, e->what);
    if (e->hint[0]) {
        fputs("\nallot: hint: ", call->messages);
        output_safe(call->messages, e->hint);
    }
    fputc('\n', call->messages);
}

static const char *chosen_lang(const struct call *call, const struct config *config) {
    if (call->lang) return call->lang;
    if (config && config->lang) return config->lang;
    const char *of_system = getenv("LC_ALL");
    if (!of_system || !*of_system) of_system = getenv("LC_MESSAGES");
    if (!of_system || !*of_system) of_system = getenv("LANG");
    return of_system && strncmp(of_system, "ko", 2) == 0 ? "ko" : "en";
}

static int open_log(const struct config *config, struct err *e) {
    const char *level = getenv("ALLOT_LOG");
    if (!level || !*level) return log_open(config->log_level, config->log_file, e);
    for (int i = 0; log_level_words[i]; i++)
        if (strcmp(level, log_level_words[i]) == 0) return log_open((enum log_level)i, config->log_file, e);
    return err_set(e, ERR_USAGE, "ALLOT_LOG is off, error, info or debug, not '%.40s'", level);
}

static int run_with_store(struct call *call, struct err *e) {
    int status = call_open_store(call, e);
    if (status == 0) status = caller_check(call, e);
    if (status == 0) status = call->command->run(call, e);
    call_close_store(call);
    return status;
}

static int run_command(struct call *call, struct err *e) {
    bool without_store = call->command->flags & COMMAND_NO_STORE;
    if (!call->now_given) call->now = clock_now();
    if (call->command->flags & COMMAND_BARE) return call->command->run(call, e);
    struct config *config = config_load(call->config_path, e);
    if (!config) return -1;
    int status = open_log(config, e);
    call->config = config;
    call->lang = chosen_lang(call, config);
    scoped_free char *found = call->store_path ? NULL : config_store_path(config, e);
    if (!call->store_path) call->store_path = found;
    if (!call->store_path && !without_store) status = -1;
    if (!call->store_path && without_store) err_clear(e);
    if (status == 0) status = without_store ? call->command->run(call, e) : run_with_store(call, e);
    /* Its answer reads like that of a real run: one line says, for all commands, that it was none. */
    if (status >= 0 && call->dry_run)
        output_say(call,
                   output_choose(call, "(dry run: nothing was done)", "(시험 실행: 바뀐 것이 없습니다)"));
    config_free(config);
    return status;
}

/* errno may be of a later call: the pipe itself knows. */
static bool reader_left(FILE *out, int cause) {
    struct pollfd pipe = {.fd = fileno(out)};
    return cause == EPIPE || (pipe.fd >= 0 && poll(&pipe, 1, 0) == 1 && pipe.revents & POLLERR);
}

/* A full disk or a closed pipe behind standard output. What was changed stays changed. */
static int check_written(struct call *call, int status, struct err *e) {
    bool is_lost = fflush(call->out) != 0 || ferror(call->out);
    int cause = errno;
    if (!is_lost || (status < 0 && e->code != ERR_FAILED)) return status;
    bool has_changed = call->command && call->command->flags & COMMAND_CHANGES && !call->dry_run;
    if (!has_changed && reader_left(call->out, cause)) return status < 0 ? 0 : status; /* as it likes */
    if (status < 0) return status;
    err_set(e, has_changed ? ERR_UNKNOWN : ERR_FAILED, "standard output: %s", strerror(cause));
    return has_changed ? err_hint(e, "the command was carried out, its answer could not be written") : -1;
}

static int dispatch(struct call *call, const struct parse *parse, struct err *e) {
    if (parse->asks == PARSED_HELP) return help_show(call, parse->words, e);
    if (parse->asks == PARSED_COMMAND) return run_command(call, e);
    fprintf(call->out, "allot %s\n", ALLOT_VERSION);
    return 0;
}

int command_call(int argc, char **argv, FILE *out, FILE *messages) {
    struct err e = {0};
    struct parse parse = {0};
    struct call call = {.out = out, .messages = messages, .lang = "en", .format = "table"};
    call.arguments = mem_alloc(((size_t)argc + 1) * sizeof *call.arguments);
    call.values = mem_alloc(((size_t)argc + 1) * sizeof *call.values);
    int status = parse_words(argc, argv, &call, &parse, &e);
    if (status == 0) status = dispatch(&call, &parse, &e);
    status = check_written(&call, status, &e);
    if (status < 0) {
        command_complain(&call, &e);
        status = (int)e.code;
    }
    free(call.arguments);
    free(call.values);
    return status;
}

static void pass_over(int signal_number) { (void)signal_number; }

int command_main(int argc, char **argv) {
    /* Names are UTF-8 whatever the locale: in LANG=C their widths must still be right. */
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
    /* A closed pipe is an error of write(). Not SIG_IGN: that would be handed on to programs started here. */
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = pass_over, .sa_flags = SA_RESTART}, NULL);
    return command_call(argc, argv, stdout, stderr);
}
