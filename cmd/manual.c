/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/manual.h"

#include "alloc/text.h"

#include <ctype.h>
#include <string.h>

static bool is_of_word(const struct command *c, const char *word) {
    size_t n = strlen(word);
    return !(c->flags & COMMAND_HIDDEN) && strncmp(c->words, word, n) == 0 && strchr(" ", c->words[n]);
}

/* "TENANT [FILE...]" as mdoc: ".Ar TENANT", ".Op Ar FILE ..." */
static void print_arguments(FILE *out, const char *arguments) {
    for (const char *p = arguments; *p;) {
        bool is_optional = *p == '[';
        p += is_optional;
        size_t n = strcspn(p, " ].");
        fprintf(out, ".%sAr %.*s", is_optional ? "Op " : "", (int)n, p);
        fputs(strncmp(p + n, "...", 3) == 0 ? " ...\n" : "\n", out);
        p += strcspn(p, " ");
        p += strspn(p, " ");
    }
}

static void print_option(FILE *out, const char *before, const struct option *o) {
    fprintf(out, "%s Fl -%s", before, o->name);
    if (o->argument) fprintf(out, " Ar %s", o->argument);
    fputs(o->repeats ? " ...\n" : "\n", out);
}

static void print_synopsis(FILE *out, const struct command *c) {
    fprintf(out, ".Nm allot\n.Cm %s\n", c->words);
    for (const struct option *o = c->options; o && o->name; o++) print_option(out, ".Op", o);
    print_arguments(out, c->arguments);
}

/* A summary as a sentence: no line of it may look like a request to the formatter. */
static void print_sentence(FILE *out, const char *summary) {
    bool is_ended = summary[strlen(summary) - 1] == '.';
    if (strchr(".'", summary[0])) fputs("\\&", out);
    fputc(toupper((unsigned char)summary[0]), out);
    for (const char *p = summary + 1; *p; p++) {
        if (*p == '\\')
            fputs("\\e", out);
        else
            fputc(*p, out);
    }
    fputs(is_ended ? "\n" : ".\n", out);
}

static void print_section(FILE *out, const struct command *c) {
    fprintf(out, ".Ss allot %s\n", c->words);
    print_sentence(out, c->summary);
    if (c->role > ROLE_NONE) fprintf(out, "It needs the role %s.\n", role_word(c->role));
    if (!c->options || !c->options->name) return;
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct option *o = c->options; o->name; o++) {
        print_option(out, ".It", o);
        print_sentence(out, o->summary);
    }
    fputs(".El\n", out);
}

/* .Dd takes "November 22, 2026". */
static void print_head(FILE *out, const char *name, instant_t now) {
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    struct instant_text date = date_text(now);
    int month = (date.s[5] - '0') * 10 + date.s[6] - '0', day = (date.s[8] - '0') * 10 + date.s[9] - '0';
    fprintf(out, ".\\\" SPDX-License-Identifier: Apache-2.0\n.Dd %s %d, %.4s\n.Dt ", months[month - 1], day,
            date.s);
    for (const char *p = name; *p; p++) fputc(toupper((unsigned char)*p), out);
    fputs(" 1\n.Os\n", out);
}

static int print_page(struct call *call, const char *word) {
    FILE *out = call->out;
    char name[64];
    text_format(name, sizeof name, "allot-%.50s", word);
    const struct command *one = command_find(word);
    print_head(out, name, call->now);
    fprintf(out, ".Sh NAME\n.Nm %s\n.Nd %s\n.Sh SYNOPSIS\n", name, one ? one->summary : "TO BE WRITTEN");
    for (const struct command *c = NULL; (c = command_next(c));)
        if (is_of_word(c, word)) print_synopsis(out, c);
    fputs(".Sh DESCRIPTION\n", out);
    for (const struct command *c = NULL; (c = command_next(c));)
        if (is_of_word(c, word)) print_section(out, c);
    fputs(".Sh FILES\nSee\n.Xr allot 1 .\n.Sh EXIT STATUS\nSee\n.Xr allot 1 .\n.Sh EXAMPLES\nTO BE WRITTEN\n"
          ".Sh SEE ALSO\n.Xr allot 1\n",
          out);
    return 0;
}

/* The lists of allot.1: pages of words, global options. */
static int print_lists(FILE *out) {
    char last[64] = "";
    for (const struct command *c = NULL; (c = command_next(c));) {
        char word[64];
        text_format(word, sizeof word, "%.*s", (int)strcspn(c->words, " "), c->words);
        if (c->flags & COMMAND_HIDDEN || strcmp(word, last) == 0) continue;
        memcpy(last, word, sizeof last);
        if (strcmp(word, "help") != 0) fprintf(out, ".It Xr allot-%s 1\n", word);
    }
    for (const struct option *o = global_options; o->name; o++) {
        print_option(out, ".It", o);
        print_sentence(out, o->summary);
    }
    return 0;
}

static int run_man(struct call *call, struct err *e) {
    const char *word = call->arguments[0];
    if (strcmp(word, "allot") == 0) return print_lists(call->out);
    if (!command_find(word) && !command_goes_on(word))
        return err_set(e, ERR_NOT_FOUND, "there is no command '%.60s'", word);
    if (!call->now_given) call->now = clock_now();
    return print_page(call, word);
}

const struct command manual_commands[] = {
    {"__man", "WORD", 1, 1, "print a draft of a manual page",
     COMMAND_NO_STORE | COMMAND_BARE | COMMAND_HIDDEN, ROLE_NONE, NULL, run_man},
    {0},
};
