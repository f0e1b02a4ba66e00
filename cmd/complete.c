/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/complete.h"

#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/data.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Placeholders of arguments whose values a listing knows: its words, and the key of a row. */
static const struct {
    const char *placeholder, *words[2], *key;
} listings[] = {
    {"TENANT", {"tenant", "list"}, "name"},      {"POOL", {"pool", "list"}, "name"},
    {"REQUEST", {"request", "list"}, "request"}, {"GRANT", {"grant", "list"}, "grant"},
    {"CALL", {"call", "list"}, "call"},
};

/* What was typed before the word to be completed. */
struct typed {
    char words[64];
    const struct command *command;
    size_t n_arguments;
    char topic[64]; /* what stands behind "help" */
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
        if (strcmp(t->words, "help") != 0) return;
        if (text_format(longer, sizeof longer, "%s%s%s", t->topic, t->topic[0] ? " " : "", word) == 0)
            memcpy(t->topic, longer, sizeof longer);
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

/* What this very program answers to these words (and an argument), its complaints unheard. Owned; may be
 * NULL. */
static json_t *ask(const struct typed *t, const char *const words[2], const char *argument) {
    char *argv[10] = {"allot", (char *)words[0], (char *)words[1], "--json"};
    int argc = 4;
    if (t->store) argv[argc++] = "--store", argv[argc++] = (char *)t->store;
    if (t->config) argv[argc++] = "--config", argv[argc++] = (char *)t->config;
    if (argument) argv[argc++] = "--", argv[argc++] = (char *)argument;
    char *out = NULL, *messages = NULL;
    size_t length = 0, ignored = 0;
    FILE *to = open_memstream(&out, &length), *unheard = open_memstream(&messages, &ignored);
    int status = to && unheard ? command_call(argc, argv, to, unheard) : -1;
    if (to) fclose(to);
    if (unheard) fclose(unheard);
    json_t *answer = status == 0 ? json_loadb(out, length, 0, NULL) : NULL;
    free(out);
    free(messages);
    return answer;
}

static void offer_rows(const struct typed *t, const json_t *rows, const char *key) {
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const char *s = json_string_value(key ? json_object_get(row, key) : row);
        if (s) offer(t, s);
    }
}

static void offer_listing(const struct typed *t, const char *const words[2], const char *key) {
    scoped_json json_t *rows = ask(t, words, NULL);
    offer_rows(t, rows, key);
}

/* "flavors", "hosts" or "projects" of all pools; one that several have is offered once by the shell. */
static void offer_parts(const struct typed *t, const char *parts) {
    static const char *const list[2] = {"pool", "list"}, *const show[2] = {"pool", "show"};
    scoped_json json_t *pools = ask(t, list, NULL);
    size_t i;
    json_t *row;
    json_array_foreach(pools, i, row) {
        scoped_json json_t *pool = ask(t, show, json_string_value(json_object_get(row, "name")));
        offer_rows(t, json_object_get(pool, parts), "name");
    }
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

static void offer_states(const struct typed *t) {
    static const struct {
        const char *word, *states;
    } of[] = {{"tenant ", "active|suspended|closed"},
              {"request ", "queued|held|returned|denied|granted|withdrawn"},
              {"grant ", "reserved|active|notice|grace|releasing|kept|purging|ended|voiding|void"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (strncmp(t->words, of[i].word, strlen(of[i].word)) == 0) offer_choices(t, of[i].states);
}

static void offer_values(const struct typed *t, const char *placeholder) {
    bool is_policy = strncmp(t->words, "policy ", 7) == 0 && strcmp(t->words, "policy share") != 0;
    if (strcmp(placeholder, "FILE") == 0 && is_policy) {
        scoped_json json_t *shipped = data_policy_names(".policy");
        offer_rows(t, shipped, NULL);
    }
    if (strcmp(placeholder, "FLAVOR") == 0) offer_parts(t, "flavors");
    if (strcmp(placeholder, "HOST") == 0) offer_parts(t, "hosts");
    if (strcmp(placeholder, "PROJECT") == 0 || strcmp(placeholder, "HOST") == 0) offer_parts(t, "projects");
    if (strcmp(placeholder, "STATE") == 0) offer_states(t);
    if (strcmp(placeholder, "FILE") == 0 || strcmp(placeholder, "DIRECTORY") == 0)
        fputs(":file\n", t->call->out);
    if (strcmp(placeholder, "FORMAT") == 0) offer_choices(t, "table|tsv|csv|json");
    if (strcmp(placeholder, "LANG") == 0) offer_choices(t, "en|ko");
    bool is_listed = false; /* "REQUEST|TENANT" is both */
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++) {
        const char *at = strstr(placeholder, listings[i].placeholder);
        size_t n = strlen(listings[i].placeholder);
        if (!at || (at > placeholder && at[-1] != '|') || (at[n] && at[n] != '|')) continue;
        is_listed = true;
        offer_listing(t, listings[i].words, listings[i].key);
    }
    if (!is_listed && strchr(placeholder, '|')) offer_choices(t, placeholder);
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

static void offer_words(const struct typed *t, const char *words) {
    size_t length = strlen(words);
    char last[64] = "";
    for (const struct command *c = NULL; (c = command_next(c));) {
        if (c->flags & COMMAND_HIDDEN || strlen(c->words) <= length) continue;
        if (length && (strncmp(c->words, words, length) != 0 || c->words[length] != ' ')) continue;
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

/* "--pool NAME" is a pool. */
static void offer_option_values(const struct typed *t) {
    static const char *const named[][2] = {{"pool", "POOL"},
                                           {"tenant", "TENANT"},
                                           {"flavor", "FLAVOR"},
                                           {"project", "PROJECT"},
                                           {"drop-host", "HOST"}};
    const char *placeholder = t->pending->argument;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(placeholder, "NAME") == 0 && strcmp(t->pending->name, named[i][0]) == 0)
            placeholder = named[i][1];
    offer_values(t, placeholder);
}

static int run_complete(struct call *call, struct err *e) {
    (void)e;
    struct typed t = {.call = call, .current = ""};
    for (size_t i = 0; i + 1 < call->n_arguments; i++) type_one(&t, call->arguments[i]);
    if (call->n_arguments > 0) t.current = call->arguments[call->n_arguments - 1];
    if (strcmp(t.current, "=") == 0) t.current = "";
    char placeholder[64] = "";
    if (t.pending) {
        offer_option_values(&t);
        return 0;
    }
    if (!t.options_ended && t.current[0] == '-') {
        offer_options(&t);
        return 0;
    }
    if (t.n_arguments == 0 && !t.options_ended) offer_words(&t, t.words);
    if (strcmp(t.words, "help") == 0) offer_words(&t, t.topic);
    if (t.command) placeholder_at(t.command, t.n_arguments, placeholder, sizeof placeholder);
    offer_values(&t, placeholder);
    return 0;
}

const struct command complete_commands[] = {
    {"__complete", "WORD...", 0, -1, "complete the last word, for a shell",
     COMMAND_NO_STORE | COMMAND_BARE | COMMAND_HIDDEN, ROLE_NONE, NULL, run_complete},
    {0},
};
