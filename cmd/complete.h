/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion for shells, out of the table of commands: `allot __complete -- WORD... CURRENT` prints the
 * words that may stand for CURRENT (it may be empty), one per line; ":file" asks the shell for file
 * names. Names of tenants, pools, requests and grants come from the program's own listings.
 * cmd/allot.bash is all that a shell needs.
 */
#pragma once
#include "cmd/command.h"

extern const struct command complete_commands[];
