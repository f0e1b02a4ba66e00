/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a policy that a person set aside, for one grant, with a reason and an end: a row for each rule. */
#pragma once
#include "alloc/ledger.h"
#include "alloc/text.h"

struct exception {
    const char *rules; /* "C1,G1" */
    const char *reason, *approver;
    instant_t until;
};
/* grant 0: of a request that has none yet. Its words for the ledger: "C1,G1 until ...: why". */
int exception_add(struct book *b, int64_t tenant, int64_t grant, const struct exception *x,
                  struct text *words, struct err *e);
