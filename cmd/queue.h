/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `queue` about what is taken back, and what a tenant's face shares with them. */
#pragma once
#include "alloc/reclaim.h"
#include "cmd/change.h"

extern const struct option queue_unused_options[], queue_notices_options[], queue_appeal_options[],
    queue_answer_options[], queue_consent_options[];
int queue_plan_run(struct call *call, struct err *e);
int queue_unused_run(struct call *call, struct err *e);
int queue_notices_run(struct call *call, struct err *e);
int queue_appeal_run(struct call *call, struct err *e);
int queue_answer_run(struct call *call, struct err *e);
int queue_consent_run(struct call *call, struct err *e);

/* One act upon a notice, in its pool's book. */
enum notice_act { NOTICE_APPEAL, NOTICE_UPHOLD, NOTICE_DISMISS, NOTICE_CONSENT };
struct notice_change {
    enum notice_act act;
    int64_t id, tenant; /* tenant 0: of any */
    const char *words;  /* the reason; of a consent: who agreed, or NULL */
};
/* Fills c->answer with the notice as `queue notices` shows it. */
int notice_change(struct change *c, const struct notice_change *n, struct err *e);
