/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/clock.h"

#include "alloc/amount.h"
#include "alloc/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

instant_t clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return instant(t.tv_sec);
}

int64_t clock_monotonic_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct civil {
    int64_t year;
    int month, day;
};

/* Days since 1970-01-01 of a date in the Gregorian calendar; years start in March, eras are 400 years. */
static int64_t days_from_civil(struct civil c) {
    int64_t y = c.year - (c.month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct civil civil_from_days(int64_t days) {
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    return (struct civil){year_of_era + era * 400 + (month <= 2), month,
                          (int)(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

static int64_t floor_day(int64_t s) { return (s >= 0 ? s : s - (CLOCK_DAY - 1)) / CLOCK_DAY; }

struct instant_text instant_text(instant_t t) {
    struct civil c = civil_from_days(floor_day(t.s));
    int s = (int)(t.s - floor_day(t.s) * CLOCK_DAY);
    struct instant_text out;
    text_format(out.s, sizeof out.s, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)c.year, c.month, c.day, s / 3600,
                s / 60 % 60, s % 60);
    return out;
}

struct instant_text date_text(instant_t t) {
    struct civil c = civil_from_days(floor_day(t.s + CLOCK_CIVIL_OFFSET));
    struct instant_text out;
    text_format(out.s, sizeof out.s, "%04d-%02d-%02d", (int)c.year, c.month, c.day);
    return out;
}

static instant_t civil_start(int64_t year, int month) {
    return instant(days_from_civil((struct civil){year, month, 1}) * CLOCK_DAY - CLOCK_CIVIL_OFFSET);
}

void civil_period(instant_t t, int months, instant_t *from, instant_t *until) {
    struct civil c = civil_from_days(civil_day(t));
    int first = (c.month - 1) / months * months + 1, next = first + months;
    *from = civil_start(c.year, first);
    *until = next > 12 ? civil_start(c.year + 1, next - 12) : civil_start(c.year, next);
}

int64_t civil_day(instant_t t) { return floor_day(t.s + CLOCK_CIVIL_OFFSET); }

struct instant_text civil_text(instant_t t) {
    struct instant_text out = instant_text(instant_after(t, span(CLOCK_CIVIL_OFFSET)));
    out.s[10] = ' ';
    out.s[16] = '\0';
    return out;
}

struct instant_text end_text(instant_t end) {
    bool is_day = (end.s + CLOCK_CIVIL_OFFSET) % CLOCK_DAY == 0;
    return is_day ? date_text(instant(end.s - 1)) : civil_text(end);
}

/* Does text match a pattern in which '0' stands for any digit and other characters for themselves? */
static bool fits(const char *text, const char *pattern) {
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern) return false;
    return true;
}

static int number_at(const char *text, int digits) {
    int n = 0;
    for (int i = 0; i < digits; i++) n = n * 10 + (text[i] - '0');
    return n;
}

static bool date_at(const char *text, int64_t *days) {
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!fits(text, "0000-00-00")) return false;
    struct civil c = {number_at(text, 4), number_at(text + 5, 2), number_at(text + 8, 2)};
    if (c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1) return false;
    bool is_leap = (c.year % 4 == 0 && c.year % 100 != 0) || c.year % 400 == 0;
    if (c.day > month_days[c.month - 1] + (c.month == 2 && is_leap)) return false;
    *days = days_from_civil(c);
    return true;
}

int instant_parse(const char *text, instant_t *out, struct err *e) {
    int64_t days, offset = 0;
    if (!date_at(text, &days) || !fits(text + 10, "T00:00:00")) goto wrong;
    int hour = number_at(text + 11, 2), minute = number_at(text + 14, 2), second = number_at(text + 17, 2);
    const char *zone = text + 19;
    if (hour > 23 || minute > 59 || second > 59) goto wrong;
    if (strcmp(zone, "Z") != 0) {
        if (strlen(zone) != 6 || (!fits(zone, "+00:00") && !fits(zone, "-00:00"))) goto wrong;
        int zone_hour = number_at(zone + 1, 2), zone_minute = number_at(zone + 4, 2);
        if (zone_hour > 23 || zone_minute > 59) goto wrong;
        offset = (zone_hour * 3600 + zone_minute * 60) * (zone[0] == '-' ? -1 : 1);
    }
    out->s = days * CLOCK_DAY + hour * 3600 + minute * 60 + second - offset;
    if (out->s < INSTANT_LEAST || out->s > INSTANT_MOST) goto wrong;
    return 0;
wrong:
    return err_set(e, ERR_USAGE, "'%s' is not a time (example: 2026-11-22T09:00:00Z)", text);
}

int date_parse(const char *text, instant_t *end, struct err *e) {
    int64_t days;
    if (strlen(text) != 10 || !date_at(text, &days) ||
        (days + 1) * CLOCK_DAY - CLOCK_CIVIL_OFFSET > INSTANT_MOST - CLOCK_DAY)
        return err_set(e, ERR_USAGE, "'%s' is not a date (example: 2027-03-31)", text);
    end->s = (days + 1) * CLOCK_DAY - CLOCK_CIVIL_OFFSET;
    return 0;
}

int instant_or_date_parse(const char *text, instant_t *out, struct err *e) {
    return strlen(text) == 10 ? date_parse(text, out, e) : instant_parse(text, out, e);
}

static const struct {
    const char *unit, *brief, *ko;
    int64_t seconds;
} spans[] = {{"weeks", "w", "주", 7 * 86400},
             {"days", "d", "일", 86400},
             {"hours", "h", "시간", 3600},
             {"minutes", "m", "분", 60},
             {"seconds", "s", "초", 1}};

int span_parse(const char *text, span_t *out, struct err *e) {
    size_t n = strspn(text, "0123456789");
    char digits[20];
    long long count;
    const char *unit = text + n + strspn(text + n, " ");
    if (n == 0 || n >= sizeof digits) goto wrong;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (text_to_int(digits, 0, INT32_MAX, &count) < 0) goto wrong;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        size_t singular = strlen(spans[i].unit) - 1;
        bool is_unit = strcmp(unit, spans[i].unit) == 0 || strcmp(unit, spans[i].brief) == 0 ||
                       (strlen(unit) == singular && strncmp(unit, spans[i].unit, singular) == 0);
        if (!is_unit) continue;
        if (count * spans[i].seconds > INSTANT_MOST / 4) goto wrong;
        out->s = count * spans[i].seconds;
        return 0;
    }
wrong:
    err_set(e, ERR_USAGE, "'%s' is not a length of time", text);
    return err_hint(e, "write a number and a unit: 90 days, 12 hours, 30 minutes, 20 seconds");
}

static size_t span_unit(span_t d) {
    size_t i = 1; /* days: 90 days reads better than weeks */
    while (i < 4 && d.s % spans[i].seconds != 0) i++;
    return i;
}

struct instant_text span_text_ko(span_t d) {
    struct instant_text out;
    size_t i = span_unit(d);
    text_format(out.s, sizeof out.s, "%lld%s", (long long)(d.s / spans[i].seconds), spans[i].ko);
    return out;
}

struct instant_text span_text(span_t d) {
    struct instant_text out;
    size_t i = span_unit(d);
    int64_t count = d.s / spans[i].seconds;
    int length = (int)strlen(spans[i].unit) - (count == 1);
    text_format(out.s, sizeof out.s, "%lld %.*s", (long long)count, length, spans[i].unit);
    return out;
}
