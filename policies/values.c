/* SPDX-License-Identifier: Apache-2.0 */
/* Types of attributes and how their values are read. */
#include "policies/syntax.h"

#include <string.h>

const char *type_word(enum type t) {
    static const char *const words[] = {"true or false",
                                        "one of its values",
                                        "a date (2027-03-31)",
                                        "a whole number",
                                        "text",
                                        "compute (GF TF PF EF)",
                                        "storage (GB TB PB, GiB TiB PiB)",
                                        "a number of units"};
    return words[t];
}

static int enum_wrong(const struct variable *v, const char *text, struct err *e) {
    const char *names[POLICY_VALUES];
    struct text all = {0};
    for (size_t i = 0; i < v->n_values; i++) {
        names[i] = v->values[i].s;
        text_add(&all, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = text_nearest(text, names, v->n_values);
    err_set(e, ERR_USAGE, "'%s' is not a value of '%s' (%s)", text, v->name.s, all.s);
    if (near) err_hint(e, "did you mean '%s'?", near);
    text_free(&all);
    return -1;
}

static int enum_read(const struct variable *v, const char *text, int64_t *n, struct err *e) {
    for (size_t i = 0; i < v->n_values; i++)
        if (strcmp(v->values[i].s, text) == 0) return *n = (int64_t)i, 0;
    return enum_wrong(v, text, e);
}

int variable_read(const struct variable *v, const char *text, int64_t *n, struct err *e) {
    long long value;
    instant_t end;
    switch (v->type) {
    case TYPE_BOOL:
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) return *n = *text == 't', 0;
        return err_set(e, ERR_USAGE, "'%s' is not true or false, as '%s' must be", text, v->name.s);
    case TYPE_ENUM: return enum_read(v, text, n, e);
    case TYPE_DATE:
        if (date_parse(text, &end, e) < 0) return -1;
        *n = day_number(instant(end.s - 1));
        return 0;
    case TYPE_INT:
        if (text_to_int(text, INT64_C(-1000000000000000), INT64_C(1000000000000000), &value) == 0)
            return *n = value, 0;
        return err_set(e, ERR_USAGE, "'%s' is not a whole number (up to 10^15), as '%s' must be", text,
                       v->name.s);
    default:
        if (*text && strlen(text) <= POLICY_TEXT && text_is_printable(text)) return *n = 0, 0;
        return err_set(e, ERR_USAGE, "'%s' takes 1 to %d bytes of printable text", v->name.s, POLICY_TEXT);
    }
}
