/* SPDX-License-Identifier: Apache-2.0 */
/* When to ask again: pure arithmetic. */
#include "backends/http.h"

#include "alloc/clock.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_MS = 250, LONGEST_MS = 15000, DAY_MS = 86400 * 1000 };

int64_t http_backoff_ms(int tries, uint64_t random) {
    int64_t ms = FIRST_MS;
    for (int i = 1; i < tries && ms < LONGEST_MS; i++) ms *= 2;
    if (ms > LONGEST_MS) ms = LONGEST_MS;
    return ms - (int64_t)(random % (uint64_t)(ms / 2 + 1));
}

bool http_date_parse(const char *text, int64_t *s) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4] = "", rfc3339[32];
    int day, year, hour, minute, second, length = 0;
    if (!text || sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour,
                        &minute, &second, &length) != 6)
        return false;
    const char *at = strstr(months, month);
    if (length != 29 || text[length] || !at || (at - months) % 3 != 0) return false;
    struct err e = {0};
    instant_t t;
    if (text_format(rfc3339, sizeof rfc3339, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
                    (int)(at - months) / 3 + 1, day, hour, minute, second) < 0 ||
        instant_parse(rfc3339, &t, &e) < 0)
        return false;
    *s = t.s;
    return true;
}

bool http_retry_after_ms(const char *value, const char *date, int64_t now_s, int64_t *ms) {
    long long seconds;
    int64_t then, now = now_s;
    if (!value) return false;
    if (http_date_parse(value, &then)) {
        (void)http_date_parse(date, &now);
        seconds = then > now ? then - now : 0;
    } else if (text_to_int(value, 0, INT64_MAX, &seconds) < 0) {
        return false;
    }
    *ms = seconds < DAY_MS / 1000 ? seconds * 1000 : DAY_MS;
    return true;
}
