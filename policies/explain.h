/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision told to a person: what was asked and when, what came of it, by which rules and numbers,
 * its tier and what that is worth, what would change it. It reads the stored form of the decision
 * (alloc/facts.h) and the facts that it was made from, and says nothing about other tenants but counts
 * and sums; whose lease end a waiting request waits for is told to operators only.
 */
#pragma once
#include "alloc/facts.h"
#include "alloc/text.h"

enum explain_to { EXPLAIN_TO_TENANT, EXPLAIN_TO_OPERATOR };

/* Three to eight sentences, one per line. ERR_NOT_FOUND when the facts do not name the claim. */
int explain_text(const json_t *decision, const struct facts *facts, enum explain_to to, bool korean,
                 struct text *out, struct err *e);
/* {"claim", "tenant", "submitted", "decided", "asked", "outcome", "granted"?, "position"?, "ahead_gflops"?,
   "held", "limits", "free", "standing"?, "offer"?, "earliest"?: {"at", "grant"?, "notice"?}, "is_barrier"?,
   "decisive": [codes], "rules": [{"rule", "place", "code"}], "would_change": {"en": [...], "ko": [...]}};
   NULL on failure. */
json_t *explain_json(const json_t *decision, const struct facts *facts, enum explain_to to, struct err *e);
