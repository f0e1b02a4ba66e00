/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way out for everything a command prints. A body builds JSON (the contract for scripts: integer
 * amounts with the unit in the key, times in RFC 3339); a column table says which keys a person sees
 * and how. Tables fit the terminal and are coloured only there; csv is RFC 4180 with cells that a
 * spreadsheet would run as formulas made harmless; tsv has no quoting (tabs and newlines become \t \n).
 */
#pragma once
#include "alloc/text.h"
#include "cmd/command.h"

enum cell {
    CELL_TEXT,
    CELL_COUNT,   /* integer */
    CELL_GFLOPS,  /* integer GF, shown as "124.8 TF" */
    CELL_BYTES,   /* integer bytes, shown as "50 TB"; rounded where the exact text is long */
    CELL_INSTANT, /* RFC 3339 text; people see the civil date and time */
    CELL_END,     /* the same of an end: people see its last civil day */
    CELL_STATE,   /* a state word: coloured on a terminal */
    CELL_SPAN,    /* integer seconds, shown as "90 days" */
    CELL_YES,     /* boolean */
    CELL_NUMBER,  /* text that is a number, perhaps with a unit: aligned as one, never cut */
};

struct column {
    const char *key;   /* of the row's object; NULL ends the table */
    const char *title; /* shown to people: "COMPUTE" */
    enum cell cell;
    bool wide; /* only shown where the terminal has room, always in csv, tsv and json */
};

/* rows: an array of objects. Prints it in call->format: json is the array itself, one object per line,
   with every key; csv and tsv have all columns, keys as header, integers and times as in JSON; a table
   leaves `wide` columns out when they do not fit, then wraps the last column if it is text, then shortens
   text; one without rows says "none". In a table titles and states are in the language of the call. Steals
   nothing. */
int output_list(struct call *call, const struct column *columns, const json_t *rows, struct err *e);
/* One object: "title: value" lines for people (absent values left out), the object itself with --json,
   one row where --format is csv or tsv. */
int output_object(struct call *call, const struct column *columns, const json_t *object, struct err *e);
/* A line for people on call->out (the newline is added); silent with --quiet or a machine format. */
void output_say(struct call *call, const char *format, ...) ERR_FORMAT(2, 3);
/* The English or the Korean text, by call->lang (the Korean one may be NULL). Two formats take the same
   arguments. */
const char *output_choose(const struct call *call, const char *en, const char *ko)
    __attribute__((format_arg(2), format_arg(3)));
/* A state, an outcome or a cause in the language of the call. */
const char *output_word(const struct call *call, const char *english);

/* Text from elsewhere onto a stream: control characters other than newline and tab become \xNN, so that
   a name in the store cannot steer a terminal. */
void output_safe(FILE *out, const char *text);

/* One cell: as people see it ("124.8 TF"), and as programs do ("124800"). The caller frees it. */
char *output_cell_shown(const struct column *column, const json_t *value, bool korean);
char *output_cell_raw(const json_t *value);
/* Of a column, as people see it. */
const char *output_title(const struct column *column, bool korean);
bool output_is_korean(const struct call *call);
/* The table of output_list; width 0: no limit. */
struct output_look {
    size_t width;
    bool in_colour, korean;
};
int output_table(FILE *out, const struct column *columns, const json_t *rows, const struct output_look *look,
                 struct err *e);

/* Progress on a terminal's stderr only, at most ten times a second; total 0: unknown. */
struct progress {
    const char *what;
    size_t total;
    bool off; /* set it from call->quiet */
    long long last_ms;
    bool shown;
};
void progress_step(struct progress *p, size_t done);
void progress_end(struct progress *p);
