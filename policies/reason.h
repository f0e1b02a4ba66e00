/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reasons of one decision, in English and Korean. A reason that comes from a rule ends with
 * "(C1, pilot.policy:20)".
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/text.h"
#include "policies/syntax.h"

struct reasons {
    struct reason *list;
    size_t n, room;
    bool bare; /* no sentences */
    struct arena *memory;
};

/* A new reason; en and ko are added by reason_say(). rule NULL: no rule of the policy is the cause.
   The pointer is good until the next reason_add(). */
struct reason *reason_add(struct reasons *r, enum reason_code code, bool decisive,
                          const struct policy *policy, const struct word *rule);
void reason_en(struct reason *r, const char *format, ...) ERR_FORMAT(2, 3);
void reason_ko(struct reason *r, const char *format, ...) ERR_FORMAT(2, 3);
void reason_hint_en(struct reason *r, const char *format, ...) ERR_FORMAT(2, 3);
void reason_hint_ko(struct reason *r, const char *format, ...) ERR_FORMAT(2, 3);
/* In order of precedence; hands the list to the decision. */
void reasons_finish(struct reasons *r, struct decision *decision);

/* A role that must approve, as people call it in Korean: "operator" is 운영자. One that is not known is
 * itself. */
const char *approver_ko(const char *by);
