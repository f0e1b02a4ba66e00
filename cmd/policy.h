/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cmd/command.h"

extern const struct command policy_commands[];

int policy_share_run(struct call *call, struct err *e);
