/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/help.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/output.h"

#include <stdlib.h>
#include <string.h>

static bool is_listed(const struct command *c, const char *words) {
    size_t length = strlen(words);
    if (c->flags & COMMAND_HIDDEN) return false;
    return length == 0 || (strncmp(c->words, words, length) == 0 && strchr(" ", c->words[length]));
}

/* for scripts and for the check of the manual */

static json_t *option_json(const struct option *o) {
    return json_pack("{s:s, s:s?, s:s, s:b}", "name", o->name, "argument", o->argument, "summary", o->summary,
                     "repeats", o->repeats);
}

static json_t *command_json(const struct command *c) {
    json_t *options = json_array();
    for (const struct option *o = c->options; o && o->name; o++)
        json_array_append_new(options, option_json(o));
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o}", "words", c->words, "arguments", c->arguments,
                     "summary", c->summary, "role", role_word(c->role), "changes",
                     (c->flags & COMMAND_CHANGES) != 0, "lists", (c->flags & COMMAND_LISTS) != 0, "options",
                     options);
}

static int show_json(struct call *call, const char *words) {
    json_t *commands = json_array(), *globals = json_array();
    for (const struct command *c = NULL; (c = command_next(c));)
        if (is_listed(c, words)) json_array_append_new(commands, command_json(c));
    for (const struct option *o = global_options; o->name; o++)
        json_array_append_new(globals, option_json(o));
    scoped_json json_t *all = json_pack("{s:o, s:o}", "commands", commands, "global_options", globals);
    json_dumpf(all, call->out, JSON_INDENT(2));
    fputc('\n', call->out);
    return 0;
}

/* for people */

enum { LINE = 80 };

/* Breaks at spaces; further lines begin under the first word. */
static void print_words(FILE *out, const char *s, int indent) {
    for (int at = indent; *s;) {
        int n = (int)strcspn(s, " ");
        if (at > indent && at + 1 + n > LINE) fprintf(out, "\n%*s", at = indent, "");
        at += fprintf(out, "%s%.*s", at > indent ? " " : "", n, s);
        s += (size_t)n + strspn(s + n, " ");
    }
    fputc('\n', out);
}

static void print_pair(FILE *out, const char *left, const char *right, int width) {
    if ((int)text_width(left) > width)
        fprintf(out, "  %s\n  %*s  ", left, width, "");
    else
        fprintf(out, "  %-*s  ", width, left);
    print_words(out, right, width + 4);
}

static void print_option(FILE *out, const struct option *o) {
    scoped_text struct text left = {0};
    text_add(&left, "--%s%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "",
             o->repeats ? " ..." : "");
    print_pair(out, left.s, o->summary, 26);
}

static void print_command(FILE *out, const struct command *c) {
    scoped_text struct text left = {0};
    text_add(&left, "%s%s%s", c->words, *c->arguments ? " " : "", c->arguments);
    print_pair(out, left.s, c->summary, 30);
}

static bool has_options(const struct command *c) { return c->options && c->options->name; }

static void show_command(FILE *out, const struct command *c) {
    fprintf(out, "allot %s%s%s%s\n  %s\n", c->words, has_options(c) ? " [OPTION...]" : "",
            *c->arguments ? " " : "", c->arguments, c->summary);
    if (c->role > ROLE_NONE) fprintf(out, "  needs the role: %s\n", role_word(c->role));
    if (has_options(c)) fputs("\nOptions\n", out);
    for (const struct option *o = c->options; o && o->name; o++) print_option(out, o);
    fputs("\nGlobal options\n", out);
    for (const struct option *o = global_options; o->name; o++)
        if (command_takes_global(c, o)) print_option(out, o);
}

static void show_all(FILE *out) {
    fputs("allot shares a pool of accelerators and storage among organisations by a\n"
          "written policy.\n\n"
          "usage: allot [GLOBAL OPTION...] WORDS [OPTION...] [ARGUMENT...]\n\nCommands\n",
          out);
    for (const struct command *c = NULL; (c = command_next(c));)
        if (is_listed(c, "")) print_command(out, c);
    fputs("\nGlobal options\n", out);
    for (const struct option *o = global_options; o->name; o++) print_option(out, o);
    fputs("\nExit status\n"
          "  0 done  1 failed  2 usage  3 denied  4 not found  5 conflict  6 try again\n"
          "  7 outcome unknown  8 something waits  9 the books do not close\n\n"
          "allot help WORD explains one command; man allot has all of it.\n",
          out);
}

int help_show(struct call *call, const char *words, struct err *e) {
    const struct command *one = command_find(words);
    if (*words && !one && !command_goes_on(words)) {
        err_set(e, ERR_USAGE, "there is no command '%.60s'", words);
        return err_hint(e, "allot help lists the commands");
    }
    if (strcmp(call->format, "json") == 0) return show_json(call, words);
    if (!*words) show_all(call->out);
    if (one) show_command(call->out, one);
    if (!*words || !command_goes_on(words)) return 0;
    fprintf(call->out, "%sCommands of allot %s\n", one ? "\n" : "", words);
    for (const struct command *c = NULL; (c = command_next(c));)
        if (is_listed(c, words) && c != one) print_command(call->out, c);
    return 0;
}

static int run_help(struct call *call, struct err *e) {
    scoped_text struct text words = {0};
    for (size_t i = 0; i < call->n_arguments; i++) text_add(&words, "%s%s", i ? " " : "", call->arguments[i]);
    return help_show(call, words.s ? words.s : "", e);
}

const struct command help_commands[] = {
    {"help", "[WORD...]", 0, 3, "explain the commands, or one of them", COMMAND_NO_STORE | COMMAND_BARE,
     ROLE_NONE, NULL, run_help},
    {0},
};
