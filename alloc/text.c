/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/text.h"

#include "alloc/scope.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void text_put(struct text *t, const char *bytes, size_t length) {
    t->s = mem_grow(t->s, &t->room, t->length + length + 1, 1);
    memcpy(t->s + t->length, bytes, length);
    t->length += length;
    t->s[t->length] = '\0';
}

void text_add(struct text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0) {
        t->s = mem_grow(t->s, &t->room, t->length + (size_t)n + 1, 1);
        vsnprintf(t->s + t->length, (size_t)n + 1, format, again);
        t->length += (size_t)n;
    }
    va_end(again);
}

char *text_take(struct text *t) {
    char *s = t->s ? t->s : mem_copy("");
    *t = (struct text){0};
    return s;
}

void text_free(struct text *t) {
    free(t->s);
    *t = (struct text){0};
}

int text_format(char *buffer, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buffer, size, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < size) return 0;
    if (size) buffer[0] = '\0';
    return -1;
}

/* Length of the UTF-8 character at p (at most `left` bytes), 0 if it is none. RFC 3629, section 4. */
static size_t utf8_step(const unsigned char *p, size_t left, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    if (n == 0 || n > left || p[0] == 0) return 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0;
    *code = c;
    return n;
}

bool text_is_utf8(const char *bytes, size_t length) {
    uint32_t code;
    for (size_t i = 0, n; i < length; i += n)
        if ((n = utf8_step((const unsigned char *)bytes + i, length - i, &code)) == 0) return false;
    return true;
}

bool text_is_printable(const char *text) {
    uint32_t code;
    size_t length = strlen(text);
    for (size_t i = 0, n; i < length; i += n) {
        if ((n = utf8_step((const unsigned char *)text + i, length - i, &code)) == 0) return false;
        bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
        bool is_bidi = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
        if (is_control || is_bidi || code == 0xfeff) return false;
    }
    return true;
}

size_t text_width(const char *text) {
    mbstate_t state = {0};
    size_t width = 0, left = strlen(text);
    while (left > 0) {
        wchar_t c;
        size_t n = mbrtowc(&c, text, left, &state);
        if (n == 0 || n > left) return width + left; /* not decodable here: count bytes */
        int w = wcwidth(c);
        width += w > 0 ? (size_t)w : 0;
        text += n;
        left -= n;
    }
    return width;
}

size_t text_distance(const char *a, const char *b) {
    enum { MOST = 63 };
    size_t la = strlen(a), lb = strlen(b);
    if (la > MOST || lb > MOST) return SIZE_MAX;
    size_t row[3][MOST + 2];
    for (size_t j = 0; j <= lb; j++) row[1][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *now = row[(i + 1) % 3], *last = row[i % 3], *before = row[(i + 2) % 3];
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            size_t best = last[j - 1] + (ca != cb);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[(la + 1) % 3][lb];
}

const char *text_nearest(const char *word, const char *const names[], size_t n) {
    const char *best = NULL;
    size_t least = (strlen(word) + 2) / 3 + 1; /* a suggestion that far away misleads */
    for (size_t i = 0; i < n; i++) {
        size_t d = text_distance(word, names[i]);
        if (d < least && d < strlen(names[i])) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

bool text_same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

bool text_list_has(const char *list, const char *word) {
    if (!list) return false; /* most lists are */
    size_t length = strlen(word);
    while (list) {
        size_t n = strcspn(list, ",");
        if (n == length && memcmp(list, word, n) == 0) return true;
        list = list[n] ? list + n + 1 : NULL;
    }
    return false;
}

int text_to_int(const char *text, long long low, long long high, long long *out) {
    bool negative = text[0] == '-' && low < 0;
    const char *p = text + negative;
    if (*p == '\0') return -1;
    long long value = 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9') return -1;
        int digit = negative ? -(*p - '0') : *p - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return -1;
    }
    if (value < low || value > high) return -1;
    *out = value;
    return 0;
}
