/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credits: memory of who had less than its share. Whenever a lease ends, the account of its tenant in the
 * pool is settled for the time since it was settled last (at first: since that lease began):
 *
 *   credits = decayed(credits) + (entitlement - held) x days          in whole TFLOPS-days, towards zero
 *   entitlement = capacity x weight / sum of the weights of all eligible tenants, at most the tenant's
 * ceiling held x days = the integral of what it held, exactly, from the ledger
 *
 * decayed() halves in 90 days, straight in between: d days after n whole halvings leave c / 2^n x (180 - d) /
 * 180. The account stays within CREDITS_MOST both ways. Each change is an entry. More credits go first where
 * shares are equal.
 */
#pragma once
#include "alloc/grant.h"

enum { CREDIT_HALF_DAYS = 90 };
#define CREDITS_MOST                                                                                         \
    INT64_C(1000000000) /* TFLOPS-days: far above what a tenant can be short of in a century */

/* Credits that are left after so many seconds. Never changes the sign, never grows. */
int64_t credit_decayed(int64_t credits, int64_t seconds);
/* What an account stands at after it was settled; held: GFLOPS-seconds over `seconds`. */
int64_t credit_settled(int64_t credits, gflops_t entitlement, wide_t held, int64_t seconds);

/* The compute of a grant ends now: its tenant's account is settled. Where no policy has tiers or shares (no
   standing) nothing is written. Called by grant_release(). */
int credit_settle(struct book *b, const struct grant *g, struct err *e);
