/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order of the help: one table per word, in the file named after it. */
#include "cmd/books.h"
#include "cmd/command.h"
#include "cmd/complete.h"
#include "cmd/help.h"
#include "cmd/manual.h"
#include "cmd/pool.h"
#include "cmd/tenant.h"

const struct command *const command_tables[] = {
    init_commands,   backup_commands, audit_commands,    fsck_commands,   pool_commands,
    tenant_commands, help_commands,   complete_commands, manual_commands, NULL,
};
