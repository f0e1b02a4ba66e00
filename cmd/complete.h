/* SPDX-License-Identifier: Apache-2.0 */
/* Completion for shells, and drafts of manual pages: both out of the table of commands. */
#pragma once
#include "cmd/command.h"

extern const struct command complete_commands[]; /* hidden: __complete, __man */
