/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of tables in Korean. One dictionary for all commands; a test finds a title that it lacks. Machine
 * formats never ask it. NULL: it has no such word.
 */
#pragma once

const char *korean_title(const char *english); /* of a column: "COMPUTE" or "compute" */
const char *korean_cell(const char *english);  /* a state, an outcome, a cause, "yes", "none" */
