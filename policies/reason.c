/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "pilot.policy:20", without the machinery of printf: every reason of a rule has one. */
static char *place_text(struct arena *memory, const char *file, int line) {
    char digits[16];
    size_t n = strlen(file), k = sizeof digits;
    unsigned rest = line > 0 ? (unsigned)line : 0;
    do digits[--k] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    char *place = arena_take(memory, n + 1 + (sizeof digits - k) + 1);
    memcpy(place, file, n);
    place[n] = ':';
    memcpy(place + n + 1, digits + k, sizeof digits - k);
    return place;
}

struct reason *reason_add(struct reasons *r, enum reason_code code, bool decisive,
                          const struct policy *policy, const struct word *rule) {
    r->list = arena_grow(r->memory, r->list, &r->room, r->n + 1, sizeof *r->list);
    struct reason *reason = &r->list[r->n++];
    *reason = (struct reason){.code = code, .decisive = decisive, .bare = r->bare, .memory = r->memory};
    if (!rule) return reason;
    reason->rule = arena_text(r->memory, rule->s);
    if (!r->bare) reason->place = place_text(r->memory, policy->file, rule->place.line);
    return reason;
}

static char *text_of(const struct reason *r, bool with_place, const char *format, va_list args) {
    char buffer[2048]; /* names are short; a sentence that is longer is cut */
    int n = vsnprintf(buffer, sizeof buffer, format, args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof buffer ? (size_t)n : sizeof buffer - 1;
    while (used > 0 && !text_is_utf8(buffer, used)) used--; /* never half a character */
    buffer[used] = '\0';
    if (with_place && r->rule) snprintf(buffer + used, sizeof buffer - used, " (%s, %s)", r->rule, r->place);
    return arena_text(r->memory, buffer);
}

#define REASON_TEXT(name, field, with_place)                                                                 \
    void name(struct reason *r, const char *format, ...) {                                                   \
        va_list args;                                                                                        \
        if (r->bare) return;                                                                                 \
        va_start(args, format);                                                                              \
        r->field = text_of(r, with_place, format, args);                                                     \
        va_end(args);                                                                                        \
    }

REASON_TEXT(reason_en, en, true)
REASON_TEXT(reason_ko, ko, true)
REASON_TEXT(reason_hint_en, hint_en, false)
REASON_TEXT(reason_hint_ko, hint_ko, false)

void reasons_finish(struct reasons *r, struct decision *decision) {
    for (size_t i = 1; i < r->n; i++) {
        struct reason moved = r->list[i];
        size_t k = i;
        for (; k > 0 && r->list[k - 1].code > moved.code; k--) r->list[k] = r->list[k - 1];
        r->list[k] = moved;
    }
    for (size_t i = 0; i < r->n; i++) r->list[i].memory = NULL;
    decision->reasons = r->list;
    decision->n_reasons = r->n;
    *r = (struct reasons){0};
}

const char *approver_ko(const char *by) {
    static const char *const known[][2] = {{"operator", "운영자"},
                                           {"committee", "심의위원회"},
                                           {"admin", "관리자"},
                                           {"auditor", "감사 담당자"},
                                           {"reviewer", "심사위원"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(by, known[i][0]) == 0) return known[i][1];
    return by;
}
