/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person or a script meets: one table of commands. Parsing, help, completion and the checks
 * of the manual come from it. A command is found by its words ("tenant add"), the longest that fit;
 * only exact names are taken, the nearest is suggested on a miss. Global options may stand anywhere,
 * a command's own anywhere after its words; "--" ends them. A body is called with everything checked:
 * number of arguments, known options, role, store open. It never calls exit().
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/err.h"
#include "alloc/principal.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct store;
struct config;
struct call;

struct option {
    const char *name;     /* "for"; NULL ends the list. No name of a global option. */
    const char *argument; /* "SPAN"; NULL: a flag. TENANT POOL REQUEST GRANT FILE complete by themselves */
    const char *summary;  /* begins with a small letter, no full stop */
    bool repeats;         /* may be given more than once */
};

enum {
    COMMAND_CHANGES = 1,  /* changes the store: takes --dry-run and --idempotency-key */
    COMMAND_LISTS = 2,    /* prints a listing: takes --format and --json */
    COMMAND_SHOWS = 4,    /* prints one thing: takes --json */
    COMMAND_NO_STORE = 8, /* works without a store: role, actor and store are not set */
    COMMAND_HIDDEN = 16,  /* not in help (completion helper) */
    COMMAND_BARE = 32,    /* reads no allot.conf either: config and store_path are NULL */
};

struct command {
    const char *words;     /* "tenant add" */
    const char *arguments; /* "NAME", "FILE...", "[REQUEST]"; "" for none */
    int least, most;       /* number of arguments; most < 0: any */
    const char *summary;   /* one line, begins with a small letter, no full stop */
    unsigned flags;
    enum role role;               /* the least role that may call it */
    const struct option *options; /* NULL: none of its own */
    /* The exit status (0, 3, 8 ...), or -1 with *e set, whose code then is the exit status. */
    int (*run)(struct call *call, struct err *e);
};

/* Every command of the program, in the order of the help. cmd/table.c lists the per-word tables. */
extern const struct command *const command_tables[]; /* each ends with words NULL; the list with NULL */
extern const struct option global_options[];

struct option_value {
    const struct option *option;
    const char *value; /* NULL: a flag */
};

/* One call of the program: the globals, the words, what is open. */
struct call {
    const struct command *command;
    const char **arguments;
    size_t n_arguments;
    /* globals */
    const char *store_path, *config_path, *key; /* key: --idempotency-key, or NULL */
    const char *lang;                           /* "en" or "ko" */
    const char *format;                         /* "table" "tsv" "csv" "json" */
    bool quiet, dry_run;
    instant_t now; /* the one clock of this call */
    bool now_given;
    /* opened before the body runs, unless COMMAND_NO_STORE */
    struct store *store;
    const struct config *config;
    const char *actor; /* "admin kim", "tenant c0042": who did it, for the ledger */
    enum role role;
    FILE *out, *messages;
    struct option_value *values;
    size_t n_values;
};

const char *call_option(const struct call *call, const char *name); /* last value, or NULL */
bool call_flag(const struct call *call, const char *name);
/* The k-th value of an option that repeats, or NULL past the last. */
const char *call_option_at(const struct call *call, const char *name, size_t k);

const struct command *command_find(const char *words);
/* The next one after `before` (NULL: the first), in the order of the help; NULL after the last. */
const struct command *command_next(const struct command *before);
/* Does some command begin with these words and go on? "tenant" does, "tenant add" does not. */
bool command_goes_on(const char *words);
/* The option of that name (without dashes) which the command takes, or NULL; command NULL: globals only. */
const struct option *command_option(const struct command *command, const char *name);
/* Whether a global option has a meaning for the command (--dry-run: only if it changes something). */
bool command_takes_global(const struct command *command, const struct option *option);

int command_main(int argc, char **argv);
/* One call with its streams given; the exit status. Errors are told on messages. */
int command_call(int argc, char **argv, FILE *out, FILE *messages);
/* "allot: denied: what" and "allot: hint: ..." on call->messages; with --json one line
   {"error":{"code","status","what","hint"}} there instead, so that standard output stays clean. */
void command_complain(const struct call *call, const struct err *e);
/* {"code": "not_found", "status": 4, "what", "hint"}: an error as programs get it. The caller owns it. */
json_t *command_error(const struct err *e);
/* Refuses a table with mistakes: names used twice, options that hide a global one, wrong summaries. */
int command_check_tables(struct err *e);

/* Opens call->store at call->store_path and sets role and actor; the wiring of cmd/main.c. */
int call_open_store(struct call *call, struct err *e);
void call_close_store(struct call *call);
