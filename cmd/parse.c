/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/parse.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

const struct option global_options[] = {
    {"store", "FILE", "the store to work on", false},
    {"config", "FILE", "the settings to read", false},
    {"json", NULL, "print JSON; errors too are JSON, on standard error", false},
    {"format", "FORMAT", "print a listing as table, tsv, csv or json", false},
    {"quiet", NULL, "say nothing but results and errors", false},
    {"lang", "LANG", "reasons and notices in this language: en or ko", false},
    {"now", "TIME", "pretend that it is this time (stores made for tests only)", false},
    {"idempotency-key", "KEY", "do this once: the same key gets the first answer again", false},
    {"dry-run", NULL, "show what would happen, change nothing", false},
    {"help", NULL, "explain the command", false},
    {"version", NULL, "print the version", false},
    {NULL, NULL, NULL, false},
};

enum { KEY_MOST = 128 };

static const struct option *option_in(const struct option *options, const char *name) {
    for (; options && options->name; options++)
        if (strcmp(options->name, name) == 0) return options;
    return NULL;
}

const struct option *command_option(const struct command *command, const char *name) {
    const struct option *own = command ? option_in(command->options, name) : NULL;
    return own ? own : option_in(global_options, name);
}

bool command_takes_global(const struct command *command, const struct option *option) {
    bool is_change = strcmp(option->name, "dry-run") == 0 || strcmp(option->name, "idempotency-key") == 0;
    if (is_change) return command->flags & COMMAND_CHANGES;
    if (strcmp(option->name, "format") == 0) return command->flags & COMMAND_LISTS;
    return true;
}

/* words */

/* The words so far and one more, if that names a command or the beginning of one. */
static bool extend_words(struct parse *parse, const char *word) {
    char longer[sizeof parse->words];
    if (text_format(longer, sizeof longer, "%s%s%s", parse->words, parse->words[0] ? " " : "", word) < 0)
        return false;
    if (!command_find(longer) && !command_goes_on(longer)) return false;
    memcpy(parse->words, longer, sizeof longer);
    return true;
}

/* The words that may follow those given, each once, hidden ones not: for suggestions and lists. */
static size_t following_words(const char *words, char found[][32], size_t most) {
    size_t n = 0, length = strlen(words);
    for (const struct command *c = NULL; (c = command_next(c));) {
        const char *rest = length ? c->words + length + 1 : c->words;
        if (c->flags & COMMAND_HIDDEN || strlen(c->words) <= length) continue;
        if (length && (strncmp(c->words, words, length) != 0 || c->words[length] != ' ')) continue;
        char word[32];
        if (text_format(word, sizeof word, "%.*s", (int)strcspn(rest, " "), rest) < 0) continue;
        size_t i = 0;
        while (i < n && strcmp(found[i], word) != 0) i++;
        if (i == n && n < most) memcpy(found[n++], word, sizeof word);
    }
    return n;
}

enum { FOLLOWING_MOST = 64 };

static int fail_unknown_word(const struct parse *parse, const char *word, struct err *e) {
    const char *before = parse->words, *space = *before ? " " : "";
    char found[FOLLOWING_MOST][32];
    const char *names[FOLLOWING_MOST];
    size_t n = following_words(before, found, FOLLOWING_MOST);
    for (size_t i = 0; i < n; i++) names[i] = found[i];
    err_set(e, ERR_USAGE, "there is no command '%s%s%.40s'", before, space, word);
    const char *nearest = text_nearest(word, names, n);
    if (nearest) return err_hint(e, "did you mean 'allot %s%s%s'?", before, space, nearest);
    return err_hint(e, "allot help%s%s lists the commands", space, before);
}

static int fail_incomplete(const struct parse *parse, struct err *e) {
    if (!parse->words[0]) {
        err_set(e, ERR_USAGE, "no command is given");
        return err_hint(e, "allot help lists the commands");
    }
    char found[FOLLOWING_MOST][32];
    size_t n = following_words(parse->words, found, FOLLOWING_MOST);
    scoped_text struct text list = {0};
    for (size_t i = 0; i < n; i++) text_add(&list, "%s%s", i ? ", " : "", found[i]);
    return err_set(e, ERR_USAGE, "'allot %s' needs one word more: %s", parse->words, list.s ? list.s : "");
}

static int take_word(struct call *call, struct parse *parse, const char *word, bool options_ended,
                     struct err *e) {
    if (!options_ended && call->n_arguments == 0 && extend_words(parse, word)) {
        call->command = command_find(parse->words);
        return 0;
    }
    if (!call->command) return fail_unknown_word(parse, word, e);
    call->arguments[call->n_arguments++] = word;
    return 0;
}

/* options */

static int fail_unknown_option(const struct call *call, const char *name, struct err *e) {
    const char *names[128];
    size_t n = 0;
    for (const struct option *o = call->command ? call->command->options : NULL; o && o->name && n < 100; o++)
        names[n++] = o->name;
    for (const struct option *o = global_options; o->name; o++) names[n++] = o->name;
    if (call->command)
        err_set(e, ERR_USAGE, "'allot %s' has no option --%.60s", call->command->words, name);
    else
        err_set(e, ERR_USAGE, "there is no global option --%.60s", name);
    const char *nearest = text_nearest(name, names, n);
    if (nearest) return err_hint(e, "did you mean --%s?", nearest);
    return call->command ? -1 : err_hint(e, "a command's own options stand behind its words");
}

static int fail_short_option(const char *word, struct err *e) {
    err_set(e, ERR_USAGE, "'%.60s' is no option: they are written with two dashes", word);
    if (strcmp(word, "-h") == 0) return err_hint(e, "did you mean --help?");
    return err_hint(e, "put -- before an argument that begins with a dash");
}

static int take_value(const struct option *option, const char *equals, char **argv, int argc, int *i,
                      const char **value, struct err *e) {
    if (!option->argument) {
        *value = NULL;
        return equals ? err_set(e, ERR_USAGE, "--%s takes no value", option->name) : 0;
    }
    if (equals) {
        *value = equals + 1;
        return 0;
    }
    if (*i + 1 >= argc)
        return err_set(e, ERR_USAGE, "--%s needs a value: %s", option->name, option->argument);
    *value = argv[++*i];
    if (strncmp(*value, "--", 2) != 0) return 0;
    err_set(e, ERR_USAGE, "--%s needs a value: %s", option->name, option->argument);
    return err_hint(e, "write --%s=%.60s if that is the value", option->name, *value);
}

static int take_option(struct call *call, char **argv, int argc, int *i, struct err *e) {
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    char bare[64];
    int length = equals ? (int)(equals - name) : (int)strlen(name);
    const struct option *option = NULL;
    if (text_format(bare, sizeof bare, "%.*s", length, name) == 0)
        option = command_option(call->command, bare);
    if (!option) return fail_unknown_option(call, bare[0] ? bare : name, e);
    const char *value = NULL;
    if (take_value(option, equals, argv, argc, i, &value, e) < 0) return -1;
    for (size_t k = 0; k < call->n_values; k++)
        if (call->values[k].option == option && !option->repeats)
            return err_set(e, ERR_USAGE, "--%s is given twice", option->name);
    call->values[call->n_values++] = (struct option_value){option, value};
    return 0;
}

/* globals */

static int take_format(struct call *call, struct err *e) {
    static const char *const formats[] = {"table", "tsv", "csv", "json"};
    const char *wanted = call_option(call, "format");
    bool is_json = call_flag(call, "json");
    call->format = is_json ? "json" : "table";
    if (!wanted) return 0;
    for (size_t i = 0; i < 4; i++)
        if (strcmp(wanted, formats[i]) == 0) call->format = formats[i];
    if (strcmp(wanted, call->format) == 0) return 0;
    if (is_json) return err_set(e, ERR_USAGE, "--json and --format=%.40s contradict each other", wanted);
    err_set(e, ERR_USAGE, "--format takes table, tsv, csv or json, not '%.60s'", wanted);
    const char *nearest = text_nearest(wanted, formats, 4);
    return nearest ? err_hint(e, "did you mean %s?", nearest) : -1;
}

static int take_globals(struct call *call, struct err *e) {
    call->store_path = call_option(call, "store");
    call->config_path = call_option(call, "config");
    call->key = call_option(call, "idempotency-key");
    call->lang = call_option(call, "lang");
    call->quiet = call_flag(call, "quiet");
    call->dry_run = call_flag(call, "dry-run");
    const char *now = call_option(call, "now");
    if (now && instant_or_date_parse(now, &call->now, e) < 0) return err_context(e, "--now");
    call->now_given = now != NULL;
    if (call->lang && strcmp(call->lang, "en") != 0 && strcmp(call->lang, "ko") != 0)
        return err_set(e, ERR_USAGE, "--lang takes en or ko, not '%.60s'", call->lang);
    if (call->key && (!*call->key || strlen(call->key) > KEY_MOST || !text_is_printable(call->key)))
        return err_set(e, ERR_USAGE, "--idempotency-key takes 1 to %d printable bytes", KEY_MOST);
    return 0;
}

static int check_against_table(const struct call *call, struct err *e) {
    const struct command *command = call->command;
    for (size_t i = 0; i < call->n_values; i++) {
        const struct option *o = call->values[i].option;
        if (o < global_options || o >= global_options + sizeof global_options / sizeof *global_options)
            continue;
        if (command_takes_global(command, o)) continue;
        return err_set(e, ERR_USAGE, "'allot %s' %stakes no --%s", command->words,
                       strcmp(o->name, "format") == 0 ? "prints no listing: it " : "", o->name);
    }
    int n = (int)call->n_arguments;
    if (n < command->least)
        return err_set(e, ERR_USAGE, "too few arguments: allot %s %s", command->words, command->arguments);
    if (command->most >= 0 && n > command->most)
        return err_set(e, ERR_USAGE, "one argument too many: '%.100s' (allot %s%s%s)",
                       call->arguments[command->most], command->words, *command->arguments ? " " : "",
                       command->arguments);
    return 0;
}

static int check_encoding(int argc, char **argv, struct err *e) {
    for (int i = 1; i < argc; i++)
        if (!text_is_utf8(argv[i], strlen(argv[i])))
            return err_set(e, ERR_USAGE, "argument %d is not UTF-8", i);
    return 0;
}

/* --json governs how errors are told, also that of a word before it. */
static void look_for_json(int argc, char **argv, struct call *call) {
    call->format = "table";
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--format=json") == 0) call->format = "json";
}

static int take_all(int argc, char **argv, struct call *call, struct parse *parse, struct err *e) {
    bool options_ended = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool is_option = !options_ended && word[0] == '-' && word[1] != '\0';
        if (is_option && strcmp(word, "--") == 0)
            options_ended = true;
        else if (is_option && word[1] != '-')
            return fail_short_option(word, e);
        else if ((is_option ? take_option(call, argv, argc, &i, e)
                            : take_word(call, parse, word, options_ended, e)) < 0)
            return -1;
    }
    return 0;
}

int parse_words(int argc, char **argv, struct call *call, struct parse *parse, struct err *e) {
    look_for_json(argc, argv, call);
    if (check_encoding(argc, argv, e) < 0 || take_all(argc, argv, call, parse, e) < 0) goto explain;
    parse->asks = call_flag(call, "help")      ? PARSED_HELP
                  : call_flag(call, "version") ? PARSED_VERSION
                                               : PARSED_COMMAND;
    if (take_format(call, e) < 0 || take_globals(call, e) < 0) goto explain;
    if (parse->asks != PARSED_COMMAND) return 0;
    if (!call->command) {
        fail_incomplete(parse, e);
        goto explain;
    }
    if (check_against_table(call, e) == 0) return 0;
explain:
    return parse->words[0] ? err_hint(e, "see: allot help %s", parse->words) : -1;
}
