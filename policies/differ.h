/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two policies decide differently. Every profile that the conditions of both can tell apart is judged by
 * both; those whose outcome changes in the same way are gathered under the fewest words that name them and
 * nothing else. What neither depends on a profile (the pool, the queue) is compared as it stands.
 *
 * Where one of them denies a request outright its ceilings, lease and so on mean nothing: only eligibility is
 * compared there. Dates counted from today, fixed dates, tables and amounts are varied independently, which
 * tries more than can happen.
 */
#pragma once
#include "policies/policy.h"

#include <jansson.h>

/*
 * {"before": {"policy", "version", "file"}, "after": likewise, "same": bool,
 *  "plain": [{"what", "before", "after"}],
 *  "aspects": [{"aspect", "profiles", "possible", "taken"?: [what was taken as fixed, text], "differing",
 *               "left_out", "changes": [{"when", "before", "after", "before_rules": [{"rule", "place"}],
 * "after_rules", "profiles"}]}]} profiles: compared, of `possible`; left_out: profiles that differ, beyond
 * the 500 changes that are listed. Aspects without difference have no changes. What people read is English or
 * Korean; conditions are words of the language either way. The caller owns it.
 */
json_t *policy_differ(const struct policy *before, const struct policy *after, bool korean);

/* ---- inside policies/differ*.c ---- */

/* {"what", "before", "after"} of what depends on no profile. */
void differ_plain(const struct policy *before, const struct policy *after, bool korean, json_t *list);
