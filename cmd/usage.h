/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `usage` that stand in files of their own. */
#pragma once
#include "cmd/command.h"

int usage_import_run(struct call *call, struct err *e);
