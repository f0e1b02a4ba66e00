/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Populations for the simulator: tenants, a call and its award at the start, requests, approvals,
 * releases and daily use. Pure; the same options give the same bytes. What a tenant is follows the
 * attributes that the policy declares: kind, ai, seat and move_by as Gwangju's companies are, any other
 * one a value of its type.
 *
 * Random numbers: SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014): state += 0x9e3779b97f4a7c15, then z = state; z = (z ^ z >> 30) *
 * 0xbf58476d1ce4e5b9; z = (z ^ z >> 27) * 0x94d049bb133111eb; z ^ z >> 31. A number below n is the upper
 * half of the 128-bit product with n.
 */
#pragma once
#include "policies/policy.h"

struct rng {
    uint64_t state;
};
uint64_t rng_next(struct rng *r);
int64_t rng_below(struct rng *r, int64_t n); /* 0 to n - 1; n >= 1 */
bool rng_chance(struct rng *r, int64_t percent);

struct generate_options {
    const struct policy *policy;
    int64_t tenants, events, days; /* events: about so many lines */
    uint64_t seed;
    instant_t from;
};

struct population {
    struct text tenants, events, usage; /* tenants.csv, events.jsonl, usage.csv */
};

void generate(const struct generate_options *o, struct population *out);
void population_free(struct population *p);
