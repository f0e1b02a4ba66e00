/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. An instant is seconds since 1970 in UTC, a span is a length in seconds; they do not mix.
 * Outside, an instant is RFC 3339 with "Z"; offsets are accepted on input. A bare date means the
 * end of that day in Korea (UTC+9, no daylight saving): "until 2027-03-31" includes the 31st.
 * The wall clock is read in one place only (clock_now); pure code gets `now` handed down.
 */
#pragma once
#include "alloc/err.h"

#include <stdint.h>

typedef struct {
    int64_t s;
} instant_t;
typedef struct {
    int64_t s;
} span_t;

#define CLOCK_CIVIL_OFFSET (9 * 3600) /* Asia/Seoul; the zone in which bare dates are read and shown */
#define CLOCK_DAY          INT64_C(86400)
#define INSTANT_LEAST      INT64_C(0)
#define INSTANT_MOST       INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static inline instant_t instant(int64_t s) { return (instant_t){s}; }
static inline span_t span(int64_t s) { return (span_t){s}; }
static inline instant_t instant_after(instant_t t, span_t d) { return (instant_t){t.s + d.s}; }
static inline span_t instant_since(instant_t later, instant_t earlier) {
    return (span_t){later.s - earlier.s};
}

instant_t clock_now(void);        /* CLOCK_REALTIME */
int64_t clock_monotonic_ms(void); /* for deadlines only */

struct instant_text {
    char s[24];
};
struct instant_text instant_text(instant_t t); /* 2026-11-22T06:30:00Z */
struct instant_text date_text(instant_t t);    /* the civil date (UTC+9) on which t falls: 2026-11-22 */
/* An end for people: the last civil day ("2027-03-31") where it is the end of a day; else with the civil
   time ("2027-03-31 18:00"). */
struct instant_text end_text(instant_t end);
/* The civil (UTC+9) month (months 1), quarter (3) or year (12) in which t falls: *from <= t < *until. */
void civil_period(instant_t t, int months, instant_t *from, instant_t *until);
int64_t civil_day(instant_t t);              /* the civil day on which t falls, counted from 1970-01-01 */
struct instant_text civil_text(instant_t t); /* the civil date and time: 2026-11-22 15:30 */
/* "2026-11-22T06:30:00Z" or with an offset; fixed width, real dates only, no leap second 60. */
int instant_parse(const char *text, instant_t *out, struct err *e);
/* "2027-03-31" -> the first instant after that civil day (2027-03-31T15:00:00Z). */
int date_parse(const char *text, instant_t *end, struct err *e);
/* Either of the two. */
int instant_or_date_parse(const char *text, instant_t *out, struct err *e);
/* "90 days", "90d", "12 hours", "12h", "30 minutes", "30m", "45 seconds", "45s", "2 weeks". A unit is
 * demanded. */
int span_parse(const char *text, span_t *out, struct err *e);
struct instant_text span_text_ko(span_t d); /* "90일", "36시간" */
struct instant_text span_text(span_t d); /* "90 days", "36 hours", "45 seconds": exact, largest whole unit */
