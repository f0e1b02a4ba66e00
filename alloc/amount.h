/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amounts: one struct around one int64_t per unit, so that mixing units does not compile.
 *   gflops_t  compute rate in GFLOPS at the basis of its pool (125 TF = 125000)
 *   bytes_t   storage in bytes (50 TB = 50 * 10^12; 50 TiB = 50 * 2^40)
 *   units_t   whole accelerators (cards or slices), servers, seats
 * Arithmetic goes only through the checked functions below: they fail instead of wrapping.
 * Large sums and integrals over time are wide_t (128 bit); in the store they are (hi, lo) pairs,
 * value = hi * 2^32 + lo, because 107 PB held for 86 seconds passes 64 bits.
 * Signed 64 bits because the integers of JSON (jansson), SQLite and PostgreSQL are.
 */
#pragma once
#include "alloc/err.h"

#include <stdint.h>

#define AMOUNT_UNIT(T, name)                                                                                 \
    typedef struct {                                                                                         \
        int64_t n;                                                                                           \
    } T;                                                                                                     \
    static inline T name(int64_t n) { return (T){n}; }                                                       \
    static inline int name##_add(T a, T b, T *out, struct err *e) {                                          \
        return amount_add(a.n, b.n, &out->n, #name, e);                                                      \
    }                                                                                                        \
    static inline int name##_sub(T a, T b, T *out, struct err *e) {                                          \
        return amount_sub(a.n, b.n, &out->n, #name, e);                                                      \
    }                                                                                                        \
    static inline int name##_times(T a, int64_t by, T *out, struct err *e) {                                 \
        return amount_times(a.n, by, &out->n, #name, e);                                                     \
    }                                                                                                        \
    static inline int name##_cmp(T a, T b) { return (a.n > b.n) - (a.n < b.n); }                             \
    static inline T name##_min(T a, T b) { return a.n < b.n ? a : b; }                                       \
    static inline T name##_max(T a, T b) { return a.n > b.n ? a : b; }

int amount_add(int64_t a, int64_t b, int64_t *out, const char *unit, struct err *e);
int amount_sub(int64_t a, int64_t b, int64_t *out, const char *unit, struct err *e);
int amount_times(int64_t a, int64_t b, int64_t *out, const char *unit, struct err *e);

/* Of two numbers of one unit. */
static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

AMOUNT_UNIT(gflops_t, gflops)
AMOUNT_UNIT(bytes_t, bytes)
AMOUNT_UNIT(units_t, units)

/* The largest amounts taken: 4 EF-scale and exabyte-scale numbers stay far from the end of int64. */
#define GFLOPS_MOST INT64_C(1000000000000)       /* 10^12 GF = 1000 EF */
#define BYTES_MOST  INT64_C(4000000000000000000) /* 4 * 10^18 B = 4 EB */
#define UNITS_MOST  INT64_C(1000000000)

/* "8.85 PF", "15.6 TF", "125TF", "44571 GF": exact, a unit is demanded, units are case-sensitive
   (GF TF PF EF). Refused: no unit, sign, exponent, a fraction of a GF, more than GFLOPS_MOST. */
int gflops_parse(const char *text, gflops_t *out, struct err *e);
/* "50 TB", "50 TiB", "1.5 PB", "10 GB", "512 MiB", "0 B". A fraction of a byte is refused. */
int bytes_parse(const char *text, bytes_t *out, struct err *e);
/* A bare count: decimal digits only. */
int units_parse(const char *text, units_t *out, struct err *e);

struct amount_scale {
    const char *unit;
    int64_t factor;
};
extern const struct amount_scale gflops_scales[], bytes_scales[]; /* end with unit NULL */
/* One number and its unit, as written in a policy: digits [ '.' digits ], scaled exactly. */
int amount_scale(const char *number, const char *unit, const struct amount_scale *scales, int64_t most,
                 int64_t *out, struct err *e);

/* The shortest exact text, in the largest unit that needs at most three decimals: it parses back. */
struct amount_text {
    char s[40];
};
struct amount_text gflops_text(gflops_t a);
struct amount_text bytes_text(bytes_t a);
/* For people: where the exact text is longer than nine characters, rounded to three decimals. */
struct amount_text bytes_text_brief(bytes_t a);

__extension__ typedef __int128 wide_t;
struct wide_pair {
    int64_t hi, lo; /* 0 <= lo < 2^32 */
};
struct wide_pair wide_split(wide_t w);
static inline wide_t wide_join(int64_t hi, int64_t lo) { return (wide_t)hi * 4294967296 + lo; }
struct amount_text wide_text(wide_t w); /* decimal */
/* w / per with three decimals, rounded half up, for people: "1234.500" (w, per > 0 or 0). */
struct amount_text wide_ratio_text(wide_t w, int64_t per);
