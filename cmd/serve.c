/* SPDX-License-Identifier: Apache-2.0 */
/* The frame: lines in, lines out, who calls, what is told of a failure. */
#include "cmd/serve.h"

#include "alloc/log.h"
#include "alloc/scope.h"
#include "cmd/config.h"
#include "cmd/principal.h"
#include "cmd/provide.h"
#include "cmd/request.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* ---- lines ---- */

/* 1 a line, 0 the end, -1 longer than allowed (the rest of it was passed over). */
static int line_read(FILE *in, struct text *out) {
    bool is_long = false;
    int c;
    out->length = 0;
    text_put(out, "", 0);
    while ((c = getc_unlocked(in)) != EOF && c != '\n') {
        const char byte = (char)c;
        is_long = is_long || out->length >= SERVE_LINE_MOST;
        if (!is_long) text_put(out, &byte, 1);
    }
    if (is_long) return -1;
    return c == EOF && out->length == 0 ? 0 : 1;
}

static bool is_blank(const struct text *line) { return strspn(line->s, " \t\r") == line->length; }

static bool is_deep(const json_t *value, int depth) {
    const char *key;
    json_t *item;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value)) return false;
    if (depth == 0) return true;
    json_object_foreach((json_t *)value, key, item) if (is_deep(item, depth - 1)) return true;
    json_array_foreach((json_t *)value, i, item) if (is_deep(item, depth - 1)) return true;
    return false;
}

/* ---- answers ---- */

static int put_answer(struct session *session, json_t *answer) {
    scoped_json json_t *owned = answer;
    scoped_free char *text = json_dumps(owned, JSON_COMPACT);
    FILE *out = session->call->out;
    return text && fputs(text, out) >= 0 && fputc('\n', out) >= 0 && fflush(out) == 0 ? 0 : -1;
}

/* Only what the tenant did is told in full. The rest may speak of paths, hosts and others. */
static json_t *told_error(const struct session *session, const struct err *e) {
    struct err told = *e;
    bool is_inner = e->code == ERR_FAILED || e->code == ERR_UNKNOWN || e->code == ERR_BOOKS ||
                    strncmp(e->what, "store ", 6) == 0; /* a constraint of the store, in its own words */
    if (e->code == ERR_RETRY) {
        told = (struct err){.code = ERR_RETRY};
        err_set(&told, ERR_RETRY, "busy; nothing happened");
        err_hint(&told, "send the line again");
    } else if (is_inner) {
        syslog(LOG_ERR, "%s: line %zu: %s", session->actor, session->line, e->what);
        json_t *fields = json_pack("{s:s, s:I, s:s}", "actor", session->actor, "line",
                                   (json_int_t)session->line, "what", e->what);
        log_event(LOG_AT_ERROR, "serve.failed", fields);
        told = (struct err){0};
        err_set(&told, e->code, "the service could not do this; its operators see why");
        err_hint(&told, e->code == ERR_UNKNOWN
                            ? "it may have been done: send the line again with the same key"
                            : "tell the operator the time and your tenant's name");
    }
    /* Remedies are written for the centre's own people: those that name commands help nobody here. */
    if (strstr(told.hint, "allot ")) told.hint[0] = '\0';
    if (told.code == ERR_NOT_FOUND) err_hint(&told, "{\"do\": \"list\"} shows what is yours");
    return command_error(&told);
}

/* The first reason of a denial as an error, in the tenant's language. */
static json_t *denial(const struct line *line) {
    struct err e = {0};
    err_set(&e, ERR_DENIED, "%s", request_reason(&line->call, line->answer));
    const json_t *reasons = json_object_get(json_object_get(line->answer, "decision"), "reasons");
    const char *hint = json_string_value(json_object_get(
        json_array_get(reasons, 0), strcmp(line->call.lang, "ko") == 0 ? "hint_ko" : "hint_en"));
    if (hint) err_hint(&e, "%s", hint);
    return command_error(&e);
}

/* ---- one line ---- */

static const struct verb *verb_find(const char *name, struct err *e) {
    const char *names[32];
    size_t n = 0;
    for (const struct verb *v = serve_verbs; v->name; v++) {
        if (strcmp(v->name, name) == 0) return v;
        names[n++] = v->name;
    }
    const char *near = text_nearest(name, names, n);
    struct text all = {0};
    for (size_t i = 0; i < n; i++) text_add(&all, "%s%s", i ? ", " : "", names[i]);
    err_set(e, ERR_USAGE, "unknown \"do\": '%.64s'", name);
    err_hint(e, near ? "did you mean '%s'?" : "known are %s", near ? near : all.s);
    text_free(&all);
    return NULL;
}

/* id, do and key are of the frame; the rest goes to the verb. */
static const struct verb *frame_read(struct line *line, struct err *e) {
    const char *name, *key = NULL;
    if (json_as_object(&line->at, e) < 0 || json_need_text(&line->at, "do", 64, &name, e) < 0 ||
        json_may_text(&line->at, "key", 128, &key, e) < 0)
        return NULL;
    const struct verb *verb = verb_find(name, e);
    if (!verb) return NULL;
    if (key && (!verb->changes || !*key)) {
        err_set(e, ERR_USAGE,
                *key ? "\"key\" is for lines that change something; '%s' only reads"
                     : "\"key\" of '%s' is empty",
                name);
        return NULL;
    }
    line->call.key = key;
    return verb;
}

static int line_run(struct line *line, struct err *e) {
    const struct verb *verb = frame_read(line, e);
    if (!verb) return -1;
    json_t *words = json_copy(line->words); /* shallow; key stays borrowed from the line's own document */
    json_object_del(words, "id");
    json_object_del(words, "do");
    json_object_del(words, "key");
    json_t *document = line->words;
    line->words = words;
    line->at = json_root(words, line->at.key);
    int rc = verb->keys && json_only(&line->at, verb->keys, e) < 0 ? -1 : verb->run(line, e);
    json_decref(document);
    return rc;
}

/* "id" comes back as it was: text or an integer. */
static json_t *id_of(const json_t *document, struct err *e) {
    json_t *id = json_object_get(document, "id");
    if (!id || json_is_null(id) || json_is_integer(id)) return id ? json_incref(id) : json_null();
    if (json_is_string(id) && json_string_length(id) <= SERVE_ID_MOST) return json_incref(id);
    err_set(e, ERR_USAGE, "\"id\" must be an integer or text of at most %d bytes", SERVE_ID_MOST);
    return json_null();
}

static json_t *document_read(const struct text *text, const char *title, struct err *e) {
    json_t *document = json_load_text(text->s, text->length, title, e);
    if (!document || !is_deep(document, SERVE_DEPTH_MOST)) return document;
    json_decref(document);
    err_set(e, ERR_USAGE, "%s: nested more than %d deep", title, SERVE_DEPTH_MOST);
    return NULL;
}

static void line_begin(struct session *session, struct line *line) {
    static const struct command command = {.words = "serve", .arguments = ""};
    *line = (struct line){.session = session, .call = *session->call};
    line->call.command = &command;
    line->call.actor = session->actor;
    line->call.role = ROLE_TENANT;
    line->call.n_values = 0;
    line->call.quiet = true;
    if (!line->call.now_given) line->call.now = clock_now();
}

/* The client has its answer; what it waits for next is made now. What cannot be made, reconcile will. */
static void work(struct line *line) {
    struct err e = {0};
    struct call call = *line->session->call;
    scoped_free char *said = NULL;
    size_t length = 0;
    call.now = line->call.now;
    call.quiet = true;
    call.messages = open_memstream(&said, &length);
    if (!call.messages) return;
    (void)provide(&call, line->work_grant, &e);
    fclose(call.messages);
    if (length > 0)
        syslog(LOG_WARNING, "%s: line %zu: %.*s", line->session->actor, line->session->line,
               (int)strcspn(said, "\n"), said);
}

static int line_serve(struct session *session, const struct text *text, bool is_long) {
    struct err e = {0};
    struct line line;
    char title[32];
    text_format(title, sizeof title, "line %zu", session->line);
    line_begin(session, &line);
    if (is_long)
        err_set(&e, ERR_USAGE, "%s: longer than %d bytes", title, SERVE_LINE_MOST);
    else
        line.words = document_read(text, title, &e);
    json_t *id = id_of(line.words, &e);
    line.at = json_root(line.words, title);
    int rc = err_is(&e) ? -1 : line_run(&line, &e);
    int status = rc < 0 ? (int)e.code : line.status;
    json_t *answer = json_pack("{s:o, s:i}", "id", id, "status", status);
    if (rc == 0) json_object_set(answer, "answer", line.answer);
    if (rc < 0) json_object_set_new(answer, "error", told_error(session, &e));
    if (rc == 0 && status == ERR_DENIED) json_object_set_new(answer, "error", denial(&line));
    int written = put_answer(session, answer);
    if (rc == 0 && line.has_work) work(&line);
    json_decref(line.answer);
    json_decref(line.words);
    return written;
}

static int session_run(struct session *session, FILE *in) {
    scoped_text struct text text = {0};
    int more, rc = 0;
    while (rc == 0 && (more = line_read(in, &text)) != 0) {
        session->line++;
        if (more < 0 || !is_blank(&text)) rc = line_serve(session, &text, more < 0);
    }
    return rc < 0 ? ERR_FAILED : 0; /* the reader went away */
}

/* ---- the command ---- */

static int session_open(struct call *call, struct session *session, struct err *e) {
    const char *name = call_option(call, "tenant"), *asked = getenv("SSH_ORIGINAL_COMMAND");
    struct tenant_row row;
    struct principal principal;
    if (!call_flag(call, "stdio") || !name)
        return err_set(e, ERR_USAGE, "say --stdio and --tenant: whom the lines on standard input come from");
    if (call->key) return err_set(e, ERR_USAGE, "each line has its own \"key\"");
    if (asked && *asked) {
        err_set(e, ERR_USAGE, "requests are lines of JSON on standard input, not a command");
        return err_hint(e, "echo '{\"do\": \"list\"}' | ssh HOST");
    }
    if (tenant_find(call->store, name, &row, e) < 0) return -1;
    if (row.state == TENANT_CLOSED) return err_set(e, ERR_DENIED, "%s is closed", row.name);
    principal_of_tenant(row.name, &principal);
    *session = (struct session){.call = call, .tenant = row.id};
    text_format(session->name, sizeof session->name, "%s", row.name);
    text_format(session->actor, sizeof session->actor, "%s", principal.actor);
    call->lang = strcmp(row.language, "ko") == 0 ? "ko" : "en";
    return 0;
}

static int run(struct call *call, struct err *e) {
    struct session session;
    if (session_open(call, &session, e) < 0) return -1;
    openlog("allot-serve", LOG_PID, LOG_DAEMON);
    /* Standard error of a forced command goes to the client: internals stay in the system's log. */
    if (!call->config || !call->config->log_file) log_open(LOG_AT_OFF, NULL, e);
    return session_run(&session, stdin);
}

static const struct option options[] = {
    {"stdio", NULL, "lines on standard input and output", false},
    {"tenant", "TENANT", "who calls: the tenant whose key this is", false},
    PROVIDE_OPTION,
    {0}};

const struct command serve_commands[] = {{"serve", "", 0, 0,
                                          "answer a tenant's requests, a line of JSON each", COMMAND_CHANGES,
                                          ROLE_OPERATOR, options, run},
                                         {0}};
