/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person or a script meets: one table of commands. Parsing, help, completion and the checks
 * of the manual come from it. A command is found by its words ("tenant add"); only exact names are
 * taken, the nearest is suggested on a miss. Options may stand anywhere after the words; "--" ends
 * them. A body is called with everything checked: number of arguments, known options, role, store
 * open. It never calls exit().
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct store;
struct config;
struct call;

enum role { ROLE_NONE, ROLE_TENANT, ROLE_AUDITOR, ROLE_OPERATOR, ROLE_ADMIN };

struct option {
    const char *name;     /* "for"; NULL ends the list */
    const char *argument; /* "SPAN"; NULL: a flag */
    const char *summary;
    bool repeats; /* may be given more than once */
};

enum {
    COMMAND_CHANGES = 1,  /* changes the store: takes --dry-run and --idempotency-key */
    COMMAND_LISTS = 2,    /* prints a listing: takes --format and --json */
    COMMAND_SHOWS = 4,    /* prints one thing: takes --json */
    COMMAND_NO_STORE = 8, /* works without a store */
    COMMAND_HIDDEN = 16,  /* not in help (completion helper) */
};

struct command {
    const char *words;     /* "tenant add" */
    const char *arguments; /* "NAME", "FILE...", "[REQUEST]"; "" for none */
    int least, most;       /* number of arguments; most < 0: any */
    const char *summary;   /* one line, no full stop */
    unsigned flags;
    enum role role;               /* the least role that may call it */
    const struct option *options; /* NULL: none of its own */
    /* The exit status (0, 3, 8 ...), or -1 with *e set, whose code then is the exit status. */
    int (*run)(struct call *call, struct err *e);
};

/* Every command of the program, in the order of the help. cmd/table.c lists the per-word tables. */
extern const struct command *const command_tables[]; /* each ends with words NULL; the list with NULL */
extern const struct option global_options[];

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
int command_main(int argc, char **argv);
