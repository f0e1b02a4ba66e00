/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The range of IPv4 addresses out of which each tenant gets a /24 of its own. Pure.
 */
#pragma once
#include "alloc/err.h"

#include <stdint.h>

#define RANGE_WORDS "must be a network with /8 to /24, like \"10.128.0.0/9\""
int range_check(const char *range);
/* Any network with /0 to /32. */
int range_any_check(const char *network);
/* "10.128.0.0/9" and a tenant's number: the /24 that is the tenant's, as a.b.c in out. ERR_FAILED: the range
   has no so many. */
int range_subnet(const char *range, int64_t tenant_number, char out[16], struct err *e);
