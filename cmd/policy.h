/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cmd/command.h"

extern const struct command policy_commands[];
