/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/complete.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Placeholders of arguments whose values a listing knows: its words, and the key of a row. */
static const struct {
    const char *placeholder, *words[2], *key;
} listings[] = {
    {"TENANT", {"tenant", "list"}, "name"},
    {"POOL", {"pool", "list"}, "name"},
    {"REQUEST", {"request", "list"}, "request"},
    {"GRANT", {"grant", "list"}, "grant"},
};

/* What was typed before the word to be completed. */
struct typed {
    char words[64];
    const struct command *command;
    size_t n_arguments;
    bool options_ended;
    const struct option *pending; /* an option that waits for its value */
    const char *store, *config;   /* handed on to listings */
    const char *current;
    struct call *call;
};

static void offer(const struct typed *t, const char *candidate) {
    if (strncmp(candidate, t->current, strlen(t->current)) == 0) fprintf(t->call->out, "%s\n", candidate);
}

static void type_word(struct typed *t, const char *word) {
    char longer[sizeof t->words];
    int status = text_format(longer, sizeof longer, "%s%s%s", t->words, t->words[0] ? " " : "", word);
    if (status == 0 && t->n_arguments == 0 && (command_find(longer) || command_goes_on(longer))) {
        memcpy(t->words, longer, sizeof longer);
        t->command = command_find(longer);
    } else {
        t->n_arguments++;
    }
}

static void type_value(struct typed *t, const char *value) {
    if (strcmp(t->pending->name, "store") == 0) t->store = value;
    if (strcmp(t->pending->name, "config") == 0) t->config = value;
    t->pending = NULL;
}

static void type_one(struct typed *t, const char *word) {
    if (t->pending) {
        if (strcmp(word, "=") != 0) type_value(t, word); /* bash takes "--store=x" apart */
    } else if (!t->options_ended && strcmp(word, "--") == 0) {
        t->options_ended = true;
    } else if (!t->options_ended && strncmp(word, "--", 2) == 0) {
        char name[64];
        const char *equals = strchr(word, '=');
        int length = (int)(equals ? equals - word : (long)strlen(word)) - 2;
        if (text_format(name, sizeof name, "%.*s", length, word + 2) < 0) return;
        const struct option *option = command_option(t->command, name);
        t->pending = option && option->argument ? option : NULL;
        if (t->pending && equals) type_value(t, equals + 1);
    } else {
        type_word(t, word);
    }
}

/* candidates */

static void offer_rows(const struct typed *t, const char *bytes, size_t length, const char *key) {
    scoped_json json_t *rows = json_loadb(bytes, length, 0, NULL);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const char *s = json_string_value(json_object_get(row, key));
        if (s) offer(t, s);
    }
}

/* Runs a listing of this very program, its complaints unheard. */
static void offer_listing(const struct typed *t, const char *const words[2], const char *key) {
    char *argv[] = {"allot",   (char *)words[0], (char *)words[1], "--json",
                    "--store", (char *)t->store, "--config",       (char *)t->config};
    int argc = t->config ? 8 : 6;
    if (!t->store) {
        argv[4] = argv[6];
        argv[5] = argv[7];
        argc -= 2;
    }
    char *out = NULL, *messages = NULL;
    size_t length = 0, ignored = 0;
    FILE *to = open_memstream(&out, &length), *unheard = open_memstream(&messages, &ignored);
    int status = to && unheard ? command_call(argc, argv, to, unheard) : -1;
    if (to) fclose(to);
    if (unheard) fclose(unheard);
    if (status == 0) offer_rows(t, out, length, key);
    free(out);
    free(messages);
}

/* "en|ko": each of them. */
static void offer_choices(const struct typed *t, const char *choices) {
    for (const char *p = choices; *p;) {
        size_t n = strcspn(p, "|");
        scoped_text struct text one = {0};
        text_put(&one, p, n);
        offer(t, one.s);
        p += n + (p[n] == '|');
    }
}

static void offer_values(const struct typed *t, const char *placeholder) {
    if (strcmp(placeholder, "FILE") == 0 || strcmp(placeholder, "DIRECTORY") == 0)
        fputs(":file\n", t->call->out);
    if (strcmp(placeholder, "FORMAT") == 0) offer_choices(t, "table|tsv|csv|json");
    if (strcmp(placeholder, "LANG") == 0) offer_choices(t, "en|ko");
    if (strchr(placeholder, '|')) offer_choices(t, placeholder);
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
        if (strcmp(placeholder, listings[i].placeholder) == 0)
            offer_listing(t, listings[i].words, listings[i].key);
}

/* The k-th placeholder of "TENANT [FILE...]" without its brackets and dots; "" past the last. */
static void placeholder_at(const struct command *command, size_t k, char *out, size_t size) {
    const char *p = command->arguments;
    out[0] = '\0';
    for (size_t i = 0; *p; i++) {
        const char *token = p + strspn(p, "[ ");
        size_t n = strcspn(token, " ].");
        bool repeats = strncmp(token + n, "...", 3) == 0;
        p = token + strcspn(token, " ");
        p += strspn(p, " ");
        if (i < k && !(repeats && *p == '\0')) continue;
        text_format(out, size, "%.*s", (int)n, token);
        break;
    }
    if (strcmp(out, "NAME") != 0) return;
    /* The name of what the first word speaks of: "tenant show NAME". */
    for (size_t i = 0; i < 31 && i < size - 1 && command->words[i] && command->words[i] != ' '; i++) {
        out[i] = (char)toupper((unsigned char)command->words[i]);
        out[i + 1] = '\0';
    }
}

static void offer_words(const struct typed *t) {
    size_t length = strlen(t->words);
    char last[64] = "";
    for (const struct command *c = NULL; (c = command_next(c));) {
        if (c->flags & COMMAND_HIDDEN || strlen(c->words) <= length) continue;
        if (length && (strncmp(c->words, t->words, length) != 0 || c->words[length] != ' ')) continue;
        const char *rest = c->words + length + (length > 0);
        char word[64];
        if (text_format(word, sizeof word, "%.*s", (int)strcspn(rest, " "), rest) < 0) continue;
        if (strcmp(word, last) != 0) offer(t, word); /* those of one word stand together */
        memcpy(last, word, sizeof last);
    }
}

static void offer_options(const struct typed *t) {
    char word[80];
    for (const struct option *o = t->command ? t->command->options : NULL; o && o->name; o++)
        if (text_format(word, sizeof word, "--%s", o->name) == 0) offer(t, word);
    for (const struct option *o = global_options; o->name; o++)
        if ((!t->command || command_takes_global(t->command, o)) &&
            text_format(word, sizeof word, "--%s", o->name) == 0)
            offer(t, word);
}

static int run_complete(struct call *call, struct err *e) {
    (void)e;
    struct typed t = {.call = call, .current = ""};
    for (size_t i = 0; i + 1 < call->n_arguments; i++) type_one(&t, call->arguments[i]);
    if (call->n_arguments > 0) t.current = call->arguments[call->n_arguments - 1];
    if (strcmp(t.current, "=") == 0) t.current = "";
    char placeholder[64] = "";
    if (t.pending) {
        offer_values(&t, t.pending->argument);
        return 0;
    }
    if (!t.options_ended && t.current[0] == '-') {
        offer_options(&t);
        return 0;
    }
    if (t.n_arguments == 0 && !t.options_ended) offer_words(&t);
    if (t.command) placeholder_at(t.command, t.n_arguments, placeholder, sizeof placeholder);
    offer_values(&t, placeholder);
    return 0;
}

const struct command complete_commands[] = {
    {"__complete", "WORD...", 0, -1, "complete the last word, for a shell",
     COMMAND_NO_STORE | COMMAND_BARE | COMMAND_HIDDEN, ROLE_NONE, NULL, run_complete},
    {0},
};
