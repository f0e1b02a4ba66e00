/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions over one claim. Three values: an attribute that is unset or unreadable makes a test
 * unknown; "and", "or" and "not" pass it on only where it matters (false and unknown is false). What
 * is unknown at the end holds the request, naming the attribute. Values are read once per claim.
 */
#pragma once
#include "policies/syntax.h"

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };

/* SLOT_UNKNOWN: nobody can say, not even that it is unset: of a request, where there is none. */
enum slot_state { SLOT_UNREAD, SLOT_SET, SLOT_UNSET, SLOT_BAD, SLOT_UNKNOWN };

struct slot {
    enum slot_state state;
    int64_t n; /* as struct literal; a date also as days from today in `relative` */
    int64_t relative;
    const char *text; /* TYPE_TEXT; the unreadable text of SLOT_BAD */
};

enum { VARIABLES_MOST = VARS_BUILT_IN + POLICY_ATTRS };

/* Starts zeroed. */
struct eval {
    const struct policy *policy;
    const struct facts *facts; /* NULL while profiles are tried: all slots are set then */
    const struct fact_tenant *tenant;
    const struct fact_claim *claim; /* NULL: of the tenant alone */
    int64_t today;
    struct slot slots[VARIABLES_MOST];
    const unsigned char *member; /* profiles: [variable * n_tables + table]; NULL: look into the table */
    int missing;                 /* the variable that made the last test unknown */
    uint32_t
        stood[VARIABLES_MOST]; /* where an attribute stood in the last list: it mostly does in the next */
    struct err wrong;          /* why an attribute could not be read; here, because clearing one costs */
};

void eval_begin(struct eval *e, const struct policy *policy, const struct facts *facts,
                const struct fact_claim *claim);
void eval_tenant(struct eval *e, const struct policy *policy, const struct facts *facts,
                 const struct fact_tenant *tenant);
void eval_tier(struct eval *e, int tier);      /* from here on; -1: nobody can say */
bool eval_lacks_request(const struct eval *e); /* was the last unknown one of a request that is not there? */
enum truth eval_expr(struct eval *e, const struct expr *x); /* NULL: true */
/* Why the last test was unknown: "'move_by' is not set" / "'move_by' of c0042 is 'soon', not a date". */
void eval_missing(const struct eval *e, struct text *en, struct text *ko);
