/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reason code means, in a few words for those who do not know codes: "no units free". Every code of
 * alloc/decide.h has some, and those that a person's act leaves (NOT_SIGNED and the like).
 */
#pragma once
#include "alloc/text.h"

/* NULL: not a code. code: the first word counts, "LEND_LIMIT B1". */
const char *reason_meaning(const char *code, bool korean);
/* Of a list of codes with their rules, "NO_UNITS, LEND_LIMIT B1": each meaning once, joined by semicolons.
   PASSED is no cause and has none. */
void reason_meanings(const char *codes, bool korean, struct text *out);
