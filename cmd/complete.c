/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/complete.h"

const struct command complete_commands[] = {{0}};
