/* SPDX-License-Identifier: Apache-2.0 */
/* The words of one call: argv into a struct call. Only cmd/command.c uses it. */
#pragma once
#include "cmd/command.h"

/* What the words ask for. */
enum parsed { PARSED_COMMAND, PARSED_HELP, PARSED_VERSION };

struct parse {
    enum parsed asks;
    char words[64]; /* as far as they name commands: for PARSED_HELP and for hints */
};

/* Fills call->command, arguments, values and the globals that need no more than the words; both arrays
   have room for all of argv and belong to the caller. Checks everything against the table. */
int parse_words(int argc, char **argv, struct call *call, struct parse *parse, struct err *e);
