/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every profile of a request, tried: each variable that a condition uses takes each value that could
 * make a difference (both sides of every number and date it is compared with), tables answer yes and
 * no. Dates counted from today and fixed dates are varied independently, and so are the tier and what
 * it is found from, which tries more than can happen: nothing is called dead that is not.
 */
#pragma once
#include "policies/eval.h"

enum { PROFILES_MOST = 200000, DIMENSIONS_MOST = 256 };
#define PROFILES_WORK INT64_C(10000000) /* conditions tried in all, before a search is given up */

enum dimension_kind { VARIES_VALUE, VARIES_RELATIVE, VARIES_TABLE };

struct dimension {
    enum dimension_kind kind;
    int variable, table;
    struct slot *values;
    size_t n, room, at;
};

struct profiles {
    const struct policy *policy;
    struct dimension dimensions[DIMENSIONS_MOST];
    size_t n;
    int64_t left; /* of PROFILES_WORK: set by the caller before the first search, kept over all of them */
    bool too_many;
    struct eval eval;
    unsigned char *member;
};

/* The profiles that these conditions tell apart. False: too many to try; profiles_end() either way. */
bool profiles_begin(struct profiles *p, const struct policy *policy, const struct expr *const when[],
                    size_t n);
void profiles_end(struct profiles *p);
void profiles_first(struct profiles *p); /* p->eval is then at the first one */
bool profiles_next(struct profiles *p);  /* false past the last */

/* What became of one of several conditions of which the first that matches decides. */
struct verdict {
    bool decides, unknown, matches; /* in some profile: true; unknown; one of both */
    int missing;                    /* the variable that made it unknown */
};

/* First match over all profiles, into zeroed out[n]. Returns whether some profile matched nothing. */
bool profiles_first_match(struct profiles *p, const struct expr *const when[], size_t n, struct verdict *out);
