/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts of manual pages out of the table of commands: `allot __man tenant` prints allot-tenant.1 with
 * its synopsis and options, `allot __man allot` the lists of allot.1. The pages are finished by hand;
 * test/man-check compares what both must agree on.
 */
#pragma once
#include "cmd/command.h"

extern const struct command manual_commands[];
