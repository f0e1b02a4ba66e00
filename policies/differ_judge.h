/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy says of one profile, aspect by aspect, in words that are compared and shown. Inside
 * policies/differ*.c only.
 */
#pragma once
#include "policies/differ_space.h"

enum aspect_kind {
    ASPECT_ELIGIBLE,
    ASPECT_TIER,
    ASPECT_CEILING,
    ASPECT_APPROVAL,
    ASPECT_LEASE,
    ASPECT_BUDGET,
    ASPECT_IDLE
};

/* What a ceiling or a budget is of. */
enum limit_of { LIMIT_COMPUTE, LIMIT_STORAGE, LIMIT_UNITS, LIMIT_SEATS };

struct aspect {
    enum aspect_kind kind;
    bool per_organisation;
    enum limit_of of;
    const char *name; /* of a flavor or a service */
    enum period period;
    bool korean;      /* what is said of it */
    bool tierless[2]; /* no condition of it asks for the tier: set by aspect_conditions() */
};

/* What was said, and by which rules ("E5 pilot.policy:40", joined by "; "). Zeroed before. */
struct said {
    bool korean;
    struct text outcome, rules;
};

/* "ceiling of compute per tenant", "lease". */
void aspect_text(const struct aspect *a, struct text *out);
/* All aspects that one of the policies speaks of, into list[most]; how many. */
size_t aspects_of(const struct policy *const policy[2], struct aspect *list, size_t most);
/* The conditions that decide it are added to the space. */
void aspect_conditions(struct aspect *a, const struct policy *y, int which, struct space *s);
/* Judges the profile at which eval is, by the policy of that side. */
void aspect_judge(const struct aspect *a, int which, struct eval *e, struct said *out);
/* Whether set eligible denies it outright. */
bool profile_denied(struct eval *e);
