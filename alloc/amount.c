/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/amount.h"

#include "alloc/text.h"

#include <stdio.h>
#include <string.h>

int amount_add(int64_t a, int64_t b, int64_t *out, const char *unit, struct err *e) {
    if (!__builtin_add_overflow(a, b, out)) return 0;
    return err_set(e, ERR_FAILED, "%s: %lld + %lld passes 64 bits", unit, (long long)a, (long long)b);
}

int amount_sub(int64_t a, int64_t b, int64_t *out, const char *unit, struct err *e) {
    if (!__builtin_sub_overflow(a, b, out)) return 0;
    return err_set(e, ERR_FAILED, "%s: %lld - %lld passes 64 bits", unit, (long long)a, (long long)b);
}

int amount_times(int64_t a, int64_t b, int64_t *out, const char *unit, struct err *e) {
    if (!__builtin_mul_overflow(a, b, out)) return 0;
    return err_set(e, ERR_FAILED, "%s: %lld x %lld passes 64 bits", unit, (long long)a, (long long)b);
}

const struct amount_scale gflops_scales[] = {
    {"GF", 1}, {"TF", 1000}, {"PF", 1000000}, {"EF", 1000000000}, {NULL, 0}};

/* Decimal units first: text is printed in them when that is exact. */
const struct amount_scale bytes_scales[] = {{"B", 1},
                                            {"kB", 1000},
                                            {"MB", 1000000},
                                            {"GB", 1000000000},
                                            {"TB", 1000000000000},
                                            {"PB", 1000000000000000},
                                            {"EB", 1000000000000000000},
                                            {"KiB", INT64_C(1) << 10},
                                            {"MiB", INT64_C(1) << 20},
                                            {"GiB", INT64_C(1) << 30},
                                            {"TiB", INT64_C(1) << 40},
                                            {"PiB", INT64_C(1) << 50},
                                            {"EiB", INT64_C(1) << 60},
                                            {NULL, 0}};

/* digits [ "." digits ] into value / 10^decimals, as long as both fit 64 bits. */
static int decimal_parse(const char *number, int64_t *value, int64_t *tens, struct err *e) {
    int64_t v = 0, t = 1;
    bool seen_dot = false, digit_last = false;
    for (const char *p = number; *p; p++) {
        if (*p == '.' && !seen_dot && digit_last) {
            seen_dot = true;
            digit_last = false;
            continue;
        }
        if (*p == ',') {
            err_set(e, ERR_USAGE, "'%s' is not a number", number);
            return err_hint(e, "the decimal point is '.', and nothing stands between thousands");
        }
        if (*p < '0' || *p > '9') return err_set(e, ERR_USAGE, "'%s' is not a number", number);
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v) ||
            (seen_dot && __builtin_mul_overflow(t, 10, &t)))
            return err_set(e, ERR_USAGE, "'%s' has too many digits", number);
        digit_last = true;
    }
    if (!digit_last) return err_set(e, ERR_USAGE, "'%s' is not a number", number);
    *value = v;
    *tens = t;
    return 0;
}

static const struct amount_scale *scale_find(const char *unit, const struct amount_scale *scales) {
    for (; scales->unit; scales++)
        if (strcmp(unit, scales->unit) == 0) return scales;
    return NULL;
}

static int unit_unknown(const char *unit, const struct amount_scale *scales, struct err *e) {
    struct text known = {0};
    for (const struct amount_scale *s = scales; s->unit; s++)
        text_add(&known, "%s%s", s == scales ? "" : " ", s->unit);
    err_set(e, ERR_USAGE, "unknown unit '%s' (units are case-sensitive: %s)", unit, known.s);
    text_free(&known);
    return -1;
}

int amount_scale(const char *number, const char *unit, const struct amount_scale *scales, int64_t most,
                 int64_t *out, struct err *e) {
    const struct amount_scale *scale = scale_find(unit, scales);
    if (!scale) return unit_unknown(unit, scales, e);
    int64_t value = 0, tens = 1;
    if (decimal_parse(number, &value, &tens, e) < 0) return -1;
    wide_t exact = (wide_t)value * scale->factor;
    if (exact % tens != 0)
        return err_set(e, ERR_USAGE, "'%s %s' is not a whole number of %s", number, unit, scales->unit);
    if (exact / tens > most) return err_set(e, ERR_USAGE, "'%s %s' is more than can be held", number, unit);
    *out = (int64_t)(exact / tens);
    return 0;
}

static int amount_parse(const char *text, const char *kind, const char *example,
                        const struct amount_scale *scales, int64_t most, int64_t *out, struct err *e) {
    char number[32], unit[8];
    size_t n = strspn(text, "0123456789.,");
    const char *rest = text + n + strspn(text + n, " ");
    if (n == 0)
        return err_set(e, ERR_USAGE, "'%s' is not an amount of %s (example: %s)", text, kind, example);
    if (*rest == '\0') {
        err_set(e, ERR_USAGE, "'%s' has no unit", text);
        return err_hint(e, "an amount of %s is written like %s", kind, example);
    }
    if (n >= sizeof number || strlen(rest) >= sizeof unit)
        return err_set(e, ERR_USAGE, "'%s' is not an amount of %s (example: %s)", text, kind, example);
    memcpy(number, text, n);
    number[n] = '\0';
    strcpy(unit, rest);
    return amount_scale(number, unit, scales, most, out, e);
}

int gflops_parse(const char *text, gflops_t *out, struct err *e) {
    return amount_parse(text, "compute", "125 TF", gflops_scales, GFLOPS_MOST, &out->n, e);
}

int bytes_parse(const char *text, bytes_t *out, struct err *e) {
    return amount_parse(text, "storage", "50 TB", bytes_scales, BYTES_MOST, &out->n, e);
}

int units_parse(const char *text, units_t *out, struct err *e) {
    long long n;
    if (text_to_int(text, 0, UNITS_MOST, &n) < 0)
        return err_set(e, ERR_USAGE, "'%s' is not a count (0 to %lld)", text, (long long)UNITS_MOST);
    out->n = n;
    return 0;
}

/* value / factor in at most three decimals, if that is exact. */
static bool text_in(int64_t value, const struct amount_scale *scale, struct amount_text *out) {
    wide_t thousandths = (wide_t)value * 1000;
    if (thousandths % scale->factor != 0) return false;
    int64_t q = (int64_t)(thousandths / scale->factor);
    int n = snprintf(out->s, sizeof out->s, "%lld.%03lld", (long long)(q / 1000), (long long)(q % 1000));
    while (out->s[n - 1] == '0') n--;
    if (out->s[n - 1] == '.') n--;
    snprintf(out->s + n, sizeof out->s - (size_t)n, " %s", scale->unit);
    return true;
}

static struct amount_text amount_text(int64_t value, const struct amount_scale *scales, size_t first,
                                      size_t last) {
    struct amount_text t;
    for (size_t i = last + 1; i-- > first;)
        if (value >= scales[i].factor && text_in(value, &scales[i], &t)) return t;
    snprintf(t.s, sizeof t.s, "%lld %s", (long long)value, scales[0].unit);
    return t;
}

struct amount_text gflops_text(gflops_t a) {
    return a.n == 0 ? (struct amount_text){"0 TF"} : amount_text(a.n, gflops_scales, 0, 3);
}

struct amount_text bytes_text(bytes_t a) {
    if (a.n == 0) return (struct amount_text){"0 TB"};
    struct amount_text decimal = amount_text(a.n, bytes_scales, 0, 6);
    struct amount_text binary = amount_text(a.n, bytes_scales, 7, 12);
    /* Decimal unless only a binary unit shortens it: 54975581388800 B is 50 TiB. */
    return strlen(binary.s) < strlen(decimal.s) ? binary : decimal;
}

struct amount_text bytes_text_brief(bytes_t a) {
    enum { BRIEF = 9, LARGEST = 6 };
    struct amount_text exact = bytes_text(a), t;
    size_t i = LARGEST;
    if (strlen(exact.s) <= BRIEF) return exact;
    while (i > 0 && a.n < bytes_scales[i].factor) i--;
    int64_t step = bytes_scales[i].factor / 1000; /* a long text is of more than 1000 bytes */
    if (i == 0 || a.n > INT64_MAX - step || !text_in((a.n + step / 2) / step * step, &bytes_scales[i], &t))
        return exact;
    return t;
}

struct wide_pair wide_split(wide_t w) {
    int64_t hi = (int64_t)(w >> 32);
    return (struct wide_pair){hi, (int64_t)(w - (wide_t)hi * 4294967296)};
}

struct amount_text wide_text(wide_t w) {
    char digits[48];
    size_t n = sizeof digits;
    bool negative = w < 0;
    digits[--n] = '\0';
    do {
        int d = (int)(w % 10);
        digits[--n] = (char)('0' + (d < 0 ? -d : d));
        w /= 10;
    } while (w != 0);
    struct amount_text t;
    snprintf(t.s, sizeof t.s, "%s%.38s", negative ? "-" : "", digits + n);
    return t;
}

struct amount_text wide_ratio_text(wide_t w, int64_t per) {
    wide_t thousandths = (w * 1000 + per / 2) / per;
    struct amount_text whole = wide_text(thousandths / 1000), t;
    snprintf(t.s, sizeof t.s, "%.34s.%03d", whole.s, (int)(thousandths % 1000));
    return t;
}
