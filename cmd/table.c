/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order of the help: one table per word, in the file named after it. */
#include "cmd/backend.h"
#include "cmd/books.h"
#include "cmd/command.h"
#include "cmd/complete.h"
#include "cmd/help.h"
#include "cmd/manual.h"
#include "cmd/policy.h"
#include "cmd/pool.h"
#include "cmd/request.h"
#include "cmd/serve.h"
#include "cmd/tenant.h"

/* One word a line, so that a line is one change. */
/* clang-format off */
const struct command *const command_tables[] = {
    init_commands,
    backup_commands,
    pool_commands,
    backend_commands,
    policy_commands,
    policy_fmt_commands,
    policy_compile_commands,
    policy_diff_commands,
    policy_test_commands,
    policy_shadow_commands,
    simulate_commands,
    tenant_commands,
    call_commands,
    request_commands,
    grant_commands,
    queue_commands,
    explain_commands,
    cron_commands,
    usage_commands,
    status_commands,
    audit_commands,
    fsck_commands,
    serve_commands,
    help_commands,
    complete_commands,
    manual_commands,
    NULL,
};
/* clang-format on */
