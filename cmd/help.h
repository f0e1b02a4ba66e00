/* SPDX-License-Identifier: Apache-2.0 */
/* Help out of the table of commands: all of them, those of a word, one. */
#pragma once
#include "cmd/command.h"

/* words: "" (all), "tenant" (its commands) or "tenant add". Printed on call->out; with --json as JSON. */
int help_show(struct call *call, const char *words, struct err *e);

extern const struct command help_commands[];
